//! Why a scan is matched to nothing.

use crate::CodeKind;

/// Why a scan is matched to nothing. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No form of the site fits.
    #[error(
        "it has no form that the site's identifier rules know; scan the tube again, or add its form to them"
    )]
    Unknown,
    /// Another code of the label.
    #[error("it is {}, not a donation number; scan the donation number", .0.english())]
    OtherCode(CodeKind),
    /// Its check character is another.
    #[error(
        "its check character is {found:?} where {form} has {expected:?}: a character is wrong; scan the tube again"
    )]
    CheckFailed {
        /// The form.
        form: String,
        /// What it carries.
        found: String,
        /// What it should carry.
        expected: String,
    },
    /// Flag characters that mean nothing known.
    #[error(
        "its flag characters {flags:?} are not known; add them to site_flags of {form} if the site uses them"
    )]
    UnknownFlags {
        /// The form.
        form: String,
        /// The flags.
        flags: String,
    },
    /// Two forms fit, and say different things.
    #[error(
        "it is {first:?} as {first_form} and {second:?} as {second_form}; make one of the two forms stricter, and \
         see which tube it is"
    )]
    TwoOutcomes {
        /// A form.
        first_form: String,
        /// What it says.
        first: String,
        /// Another form.
        second_form: String,
        /// What that says.
        second: String,
    },
    /// Longer than the site's ids are.
    #[error("it has {chars} characters, and the site's ids have {max} at most; two scans in one?")]
    TooLong {
        /// Its length.
        chars: usize,
        /// The limit.
        max: usize,
    },
    /// As long as this reader's ids can be: what followed may be gone.
    #[error(
        "the analyser keeps no more than {chars} characters of an id, and this one has as many: its end may be \
         missing; enter the results by the tube's own label"
    )]
    MayBeCut {
        /// The length.
        chars: usize,
    },
}

impl Refusal {
    /// Its name in findings, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_specimen_id",
            Self::OtherCode(_) => "specimen_is_another_code",
            Self::CheckFailed { .. } => "specimen_check_failed",
            Self::UnknownFlags { .. } => "specimen_flags_unknown",
            Self::TwoOutcomes { .. } => "specimen_fits_two_forms",
            Self::TooLong { .. } => "specimen_too_long",
            Self::MayBeCut { .. } => "specimen_may_be_cut",
        }
    }

    /// In Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Unknown => {
                "不符合本站标识码规则中的任何格式;请重新扫描试管,或在规则中加入该格式".to_owned()
            }
            Self::OtherCode(kind) => format!("这是{},不是献血码;请扫描献血码", kind.chinese()),
            Self::CheckFailed { form, found, expected } => {
                format!("校验符为 {found},按 {form} 应为 {expected}:有字符错误;请重新扫描试管")
            }
            Self::UnknownFlags { form, flags } => {
                format!("标志符 {flags} 未知;如本站使用,请写入 {form} 的 site_flags")
            }
            Self::TwoOutcomes { first_form, first, second_form, second } => {
                format!(
                    "按 {first_form} 为 {first},按 {second_form} 为 {second};请收紧其中一个格式,并核对试管"
                )
            }
            Self::TooLong { chars, max } => {
                format!("共 {chars} 个字符,本站最多 {max} 个;是否两次扫描连在一起?")
            }
            Self::MayBeCut { chars } => {
                format!("该仪器最多保留 {chars} 个字符,此码恰为该长度,末尾可能被截断;请按试管标签录入结果")
            }
        }
    }
}
