//! Why a scan is not the code that was wanted.

/// Why a scan, or a text in its place, is not what was wanted, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherCode {
    /// Why, and what to do.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
}

pub(crate) fn no(what: impl Into<String>, what_zh: impl Into<String>) -> OtherCode {
    OtherCode { what: what.into(), what_zh: what_zh.into() }
}
