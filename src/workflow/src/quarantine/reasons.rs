//! Why a message is held, in the words that people sort by, and what to do about it.

/// A kind of reason. Findings have finer names; each belongs to one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A test, row or control that the profile does not know.
    UnmappedTest,
    /// A value, unit, time or status that the profile does not know, or that contradicts itself.
    UnknownValue,
    /// A specimen id in no form of the site or the profile.
    UnknownSpecimen,
    /// Whose result it is, or which of several things is meant, cannot be told for certain.
    AmbiguousSource,
    /// Bytes that are no characters of the message's set.
    CharacterSet,
    /// Records that do not stand below one another as they must.
    BrokenHierarchy,
    /// The sender, or the kind of message, is not the profile's.
    WrongSender,
    /// Something of the message is missing.
    Incomplete,
    /// The analyser itself says that it cannot be used.
    SaidByAnalyser,
    /// A specimen's id was typed in by hand.
    TypedIdentifier,
    /// No run, lot or plate can be named for it.
    RunOrLot,
    /// The profile revision is not here.
    ProfileMissing,
    /// An order that was not taken.
    Order,
    /// Anything else, a profile's own checks among it.
    Other,
}

/// What is said about a kind of reason.
struct Said {
    name: &'static str,
    title: [&'static str; 2],
    next: [&'static str; 2],
}

/// Findings of [`Reason::UnknownValue`].
const UNKNOWN_VALUE: &[&str] = &[
    "unknown_value",
    "empty_value",
    "unknown_number",
    "unknown_unit",
    "unknown_status",
    "unknown_flag",
    "unknown_time",
    "unreadable_time",
    "time_missing",
    "unknown_expiry",
    "value_contradiction",
    "value_out_of_place",
    "bound_only",
    "bound_contradicts",
    "incomplete_result",
    "unknown_pool_size",
    "missing_pooling_run",
];
/// Findings of [`Reason::UnknownSpecimen`].
const UNKNOWN_SPECIMEN: &[&str] = &[
    "unknown_specimen_form",
    "unknown_specimen_id",
    "specimen_check_failed",
    "specimen_flags_unknown",
    "specimen_too_long",
    "specimen_may_be_cut",
    "specimen_is_another_code",
    "pool_specimen",
    "bad_specimen",
    "missing_specimen",
    "unknown_pool_id",
    "pool_in_pool",
    "missing_pool",
];

const PROFILE_MISSING: Said = Said {
    name: "profile_missing",
    title: ["the profile revision that has to read it is not here", "缺少所需的配置版本"],
    next: [
        "install that revision, start hemogate again, and reprocess",
        "安装该版本,重新启动 hemogate,然后重新解释",
    ],
};

const TYPED_IDENTIFIER: Said = Said {
    name: "typed_identifier",
    title: ["a specimen id that was typed in by hand", "手工录入的标本号"],
    next: [
        "have two people compare the tube's label and say so (hemogate donation check-number); nothing else settles it",
        "由两人先后核对试管标签并登记(hemogate donation check-number);无其他处理方式",
    ],
};

impl Reason {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::UnmappedTest,
        Self::UnknownValue,
        Self::UnknownSpecimen,
        Self::AmbiguousSource,
        Self::CharacterSet,
        Self::BrokenHierarchy,
        Self::WrongSender,
        Self::Incomplete,
        Self::SaidByAnalyser,
        Self::TypedIdentifier,
        Self::RunOrLot,
        Self::ProfileMissing,
        Self::Order,
        Self::Other,
    ];

    /// Its name in JSON and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.said().name
    }

    /// What it is, in English and Chinese.
    #[must_use]
    pub fn title(self) -> [&'static str; 2] {
        self.said().title
    }

    /// What a person does next, in English and Chinese.
    #[must_use]
    pub fn next(self) -> [&'static str; 2] {
        self.said().next
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The kind that a finding belongs to.
    #[must_use]
    pub fn of(finding: &str) -> Self {
        let known = Self::ALL.into_iter().find(|reason| reason.findings().contains(&finding));
        known.unwrap_or(if finding.starts_with("order_") { Self::Order } else { Self::Other })
    }

    /// The findings of this kind, those of orders and of profiles' own checks excepted.
    #[must_use]
    pub fn findings(self) -> &'static [&'static str] {
        match self {
            Self::UnmappedTest => {
                &["unmapped_test", "missing_test", "unknown_row", "unknown_control", "control_without_target"]
            }
            Self::UnknownValue => UNKNOWN_VALUE,
            Self::UnknownSpecimen => UNKNOWN_SPECIMEN,
            Self::AmbiguousSource => &[
                "ambiguous_specimen",
                "ambiguous_rows",
                "ambiguous_well",
                "specimen_fits_two_forms",
                "unknown_kind",
                "control_not_marked",
                "resumption_uncertain",
            ],
            Self::CharacterSet => &["character_set_failure"],
            Self::BrokenHierarchy => &[
                "parent_missing",
                "not_a_record",
                "after_terminator",
                "sequence_missing",
                "sequence_not_a_number",
                "sequence_skips",
                "sequence_repeats",
                "segment_unreadable",
                "header_missing",
                "header_repeated",
                "row_short",
                "row_long",
                "quote_unclosed",
                "text_after_quote",
                "line_break_in_cell",
            ],
            Self::WrongSender => &[
                "sender_mismatch",
                "not_production",
                "unexpected_message",
                "unexpected_rows",
                "results_not_read",
            ],
            Self::Incomplete => &[
                "unterminated_message",
                "terminator_missing",
                "truncated",
                "end_marker_missing",
                "empty_message",
                "no_results",
                "bytes_missing",
                "incomplete_panel",
                "incomplete_plate",
                "missing_column",
                "too_many_lines",
                "too_many_findings",
                "too_many_defects",
                "no_aspirations",
                "too_many_aspirations",
            ],
            Self::SaidByAnalyser => &["flag_holds", "flag_invalidates", "run_failed", "reading_error"],
            Self::TypedIdentifier => &["typed_identifier"],
            Self::RunOrLot => &[
                "run_missing",
                "lot_missing",
                "cutoffs_differ",
                "layout_mismatch",
                "unknown_well",
                "no_layout",
            ],
            Self::ProfileMissing => &["profile_missing"],
            Self::Order => {
                &["missing_order_number", "unknown_action", "unknown_priority", "unknown_specimen_type"]
            }
            Self::Other => &[],
        }
    }

    fn said(self) -> Said {
        let said = |name, title, next| Said { name, title, next };
        match self {
            Self::UnmappedTest => said(
                "unmapped_test",
                ["a test that the profile does not know", "配置中没有的检测项目"],
                [
                    "map the code in the profile, or set it aside with a reason; let two people activate the revision; then reprocess",
                    "在配置中映射该代码,或写明理由后不读取;由两人启用新版本,然后重新解释",
                ],
            ),
            Self::UnknownValue => said(
                "unknown_value",
                ["a value that the profile does not know", "配置中没有的结果值"],
                [
                    "look at the result on the analyser; map the text in the profile, let two people activate the revision, then reprocess",
                    "在仪器上核对该结果;在配置中映射该文本,由两人启用新版本,然后重新解释",
                ],
            ),
            Self::UnknownSpecimen => said(
                "unknown_specimen",
                ["a specimen id in no known form", "标本号不符合任何已知格式"],
                [
                    "find the tube and compare its label; if the form is right, add it to [site.identifiers] and reprocess; else test again",
                    "找到该试管并核对标签;格式正确时将其加入 [site.identifiers] 并重新解释,否则重新检测",
                ],
            ),
            Self::AmbiguousSource => said(
                "ambiguous_source",
                ["whose result it is cannot be told for certain", "无法确定结果属于哪个标本"],
                [
                    "look at what the message names and at the tube or control on the analyser; mend what names it twice, then reprocess or test again",
                    "核对报文中的名称与仪器上的试管或质控;纠正重复或矛盾之处后重新解释,或重新检测",
                ],
            ),
            Self::CharacterSet => said(
                "character_set",
                ["bytes that are no characters of its character set", "字节不符合所用字符集"],
                [
                    "set the character set in the profile as the analyser sends it, let two people activate the revision, then reprocess",
                    "按仪器实际发送的字符集修改配置,由两人启用新版本,然后重新解释",
                ],
            ),
            Self::BrokenHierarchy => said(
                "broken_hierarchy",
                ["records that do not stand below one another as they must", "记录层级不完整"],
                [
                    "let the analyser send the message again; if it always sends so, tell the profile and reprocess",
                    "请仪器重新发送该报文;若仪器总是如此发送,请修改配置后重新解释",
                ],
            ),
            Self::WrongSender => said(
                "wrong_sender",
                ["a sender or a kind of message that is not the profile's", "发送方或报文类型与配置不符"],
                [
                    "see which analyser is on this line; give the connection its profile, or mend the line, then reprocess or send again",
                    "查明该线路上是哪台仪器;为连接选用正确的配置或改正接线,然后重新解释或重新发送",
                ],
            ),
            Self::Incomplete => said(
                "incomplete",
                ["something of the message is missing", "报文不完整"],
                ["let the analyser send it again", "请仪器重新发送"],
            ),
            Self::SaidByAnalyser => said(
                "said_by_analyser",
                ["the analyser says that it cannot be used", "仪器提示该结果不可用"],
                ["see the flag on the analyser and test again", "在仪器上查看报警并重新检测"],
            ),
            Self::TypedIdentifier => TYPED_IDENTIFIER,
            Self::RunOrLot => said(
                "run_or_lot",
                ["no run, lot or plate can be named for it", "无法确定其批次、试剂批号或板"],
                [
                    "see on the analyser which run, lot or plate it was; mend what it sends, and have it sent again",
                    "在仪器上查明所属批次、批号或板;改正后重新发送",
                ],
            ),
            Self::ProfileMissing => PROFILE_MISSING,
            Self::Order => said(
                "order",
                ["an order that was not taken", "未被接受的检测申请"],
                ["have its sender mend it and send it again", "请发送方改正后重新发送"],
            ),
            Self::Other => said(
                "other",
                ["something that a check found", "检查发现的其他问题"],
                [
                    "read what the finding says, mend its cause, and reprocess or test again",
                    "按提示查明原因并改正,然后重新解释或重新检测",
                ],
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_a_name_of_its_own_and_every_finding_one_reason() {
        let names: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        let all: Vec<&str> = Reason::ALL.iter().flat_map(|reason| reason.findings()).copied().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for reason in Reason::ALL {
            assert_eq!(Reason::named(reason.name()), Some(reason));
            reason.findings().iter().for_each(|finding| assert_eq!(Reason::of(finding), reason, "{finding}"));
            let words = reason.title().into_iter().chain(reason.next());
            assert!(words.into_iter().all(|text| !text.is_empty()));
            assert!(!reason.title()[1].is_ascii() && !reason.next()[1].is_ascii(), "{reason:?} in Chinese");
        }
        assert_eq!(Reason::of("order_no_assay"), Reason::Order);
        assert_eq!(Reason::of("bead_count_low"), Reason::Other);
    }
}
