//! A profile's rules after checking: every path read, every name resolved, every text map closed.

use crate::{
    path::{FieldPath, Path, RecordPath, Spot},
    schema::{DecimalMark, FlagEffect, Sequence},
    template::RunTemplate,
};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{
    Comparator, Consequence, Expected, Grade, Interpretation, LotRole, Marker, ResultStatus, SpecimenKind,
};

#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// `false`: a dialect of orders alone; messages with results are quarantined.
    pub(crate) reads_results: bool,
    /// Orders that come in; only where no results do.
    pub(crate) order_in: Option<super::order_in::OrderInRules>,
    /// Pools of a robot's log; only where no results are.
    pub(crate) pooling: Option<super::pooling::PoolingRules>,
    pub(crate) characters: Characters,
    pub(crate) numbers: Numbers,
    pub(crate) times: TimeForm,
    pub(crate) table: Option<TableRules>,
    pub(crate) plate: Option<PlateRules>,
    pub(crate) message: MessageRules,
    pub(crate) order_not_done: Vec<Condition>,
    pub(crate) order_event: Vec<Condition>,
    pub(crate) specimen: SpecimenRules,
    /// How controls are told from donors is left open: whose material a result is about is not known then.
    pub(crate) controls_open: bool,
    pub(crate) kinds: Vec<KindRule>,
    pub(crate) controls: Vec<ControlRule>,
    pub(crate) run: RunRules,
    pub(crate) lots: Vec<LotRule>,
    pub(crate) status: StatusRules,
    pub(crate) flags: FlagRules,
    pub(crate) rows: Vec<RowRule>,
    pub(crate) operator: Vec<Path>,
    pub(crate) instrument: Vec<Path>,
    pub(crate) replicate: Vec<Path>,
    /// Rows of one order with the same texts here are one result; `None`: every row is a result of its own.
    pub(crate) together: Option<Vec<Path>>,
    /// What may stand here only once in an order.
    pub(crate) once: Vec<Path>,
    pub(crate) checks: Vec<CheckRule>,
    pub(crate) panels: Vec<PanelRule>,
    pub(crate) tests: Vec<TestRule>,
    /// Code → places in `tests`.
    pub(crate) codes: HashMap<String, Vec<usize>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Characters {
    pub(crate) always: Option<character_sets::CharacterSet>,
    pub(crate) fallback: Option<character_sets::CharacterSet>,
}

#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub(crate) decimal: DecimalMark,
    pub(crate) comparators: Vec<Comparator>,
    pub(crate) trailing_mark: bool,
    pub(crate) thousands: Option<char>,
    pub(crate) scientific: bool,
    /// Texts that say that there is no number.
    pub(crate) none: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum TimeForm {
    /// `YYYYMMDD[HHMM[SS]][±HHMM]`
    Packed,
    /// A `strptime` form.
    Written(String),
}

#[derive(Debug, Clone)]
pub(crate) struct TableRules {
    pub(crate) delimiter: char,
    pub(crate) quote: Option<char>,
    pub(crate) comment: Option<String>,
    pub(crate) end_marker: Option<String>,
    pub(crate) skip_lines: u16,
    pub(crate) header: bool,
    pub(crate) columns: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct PlateRules {
    pub(crate) id: Path,
    pub(crate) well: Path,
    pub(crate) rows: u8,
    pub(crate) columns: u8,
    pub(crate) complete: bool,
    pub(crate) role: Option<Path>,
    pub(crate) layout: BTreeMap<Well, String>,
}

/// A well by row and column, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Well {
    pub(crate) row: u8,
    pub(crate) column: u8,
}

#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) at: Path,
    pub(crate) test: ConditionTest,
}

#[derive(Debug, Clone)]
pub(crate) enum ConditionTest {
    Is(Vec<String>),
    IsNot(Vec<String>),
    StartsWith(String),
    EndsWith(String),
    Matches(regex::Regex),
    Present(bool),
}

#[derive(Debug, Clone)]
pub(crate) struct MessageRules {
    pub(crate) sender: Vec<Condition>,
    pub(crate) production: Vec<Condition>,
    pub(crate) results: Vec<Condition>,
    pub(crate) silent: Vec<Condition>,
    pub(crate) control_id: Option<Path>,
    pub(crate) terminator_optional: bool,
    pub(crate) sequence: Sequence,
    pub(crate) split_escaped: Vec<FieldPath>,
    /// A row that is lost is not missed.
    #[cfg_attr(not(test), expect(dead_code, reason = "the law that lost rows are missed is tested on it"))]
    pub(crate) uncounted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct SpecimenRules {
    pub(crate) id: Vec<Path>,
    pub(crate) must_agree: bool,
    pub(crate) trim_end: bool,
    pub(crate) not_of_controls: bool,
    pub(crate) form: Option<regex::Regex>,
}

#[derive(Debug, Clone)]
pub(crate) struct KindRule {
    pub(crate) kind: SpecimenKind,
    pub(crate) when: Vec<Condition>,
}

#[derive(Debug, Clone)]
pub(crate) struct ControlRule {
    pub(crate) name: String,
    pub(crate) reads: Expected,
    pub(crate) when: Vec<Condition>,
    /// Empty: for every marker.
    pub(crate) markers: Vec<Marker>,
    pub(crate) within: Option<WithinRule>,
    /// The weakest reaction that counts; `+`: any, also one whose strength was not told.
    pub(crate) at_least: Grade,
    pub(crate) right: Option<Interpretation>,
}

/// When a control's number is valid.
#[derive(Debug, Clone)]
pub(crate) enum WithinRule {
    /// Within so many SDs of the target that stands in its message.
    Target { target: Path, sd: Path, sds: u8 },
    /// Within the range that stands in its message, `10.7 - 20.0`.
    Range { at: Path, separator: String },
    /// Within limits that the site affirms.
    Between { low: Decimal, high: Decimal },
}

#[derive(Debug, Clone)]
pub(crate) struct RunRules {
    /// What a run is, is left open: no result has one.
    pub(crate) open: bool,
    pub(crate) id: Option<RunTemplate>,
    pub(crate) requires: Vec<RequirementRule>,
    /// Controls of which a text of another time does not say whether runs are valid without them.
    pub(crate) unsaid: Vec<RequirementRule>,
}

#[derive(Debug, Clone)]
pub(crate) struct RequirementRule {
    pub(crate) controls: Vec<String>,
    /// Empty: for every marker.
    pub(crate) markers: Vec<Marker>,
}

/// The controls that these rules name for a marker.
pub(crate) fn names_for(rules: &[RequirementRule], marker: Marker) -> Vec<&str> {
    let of_marker = |rule: &&RequirementRule| rule.markers.is_empty() || rule.markers.contains(&marker);
    rules.iter().filter(of_marker).flat_map(|rule| rule.controls.iter().map(String::as_str)).collect()
}

#[derive(Debug, Clone)]
pub(crate) struct LotRule {
    pub(crate) role: LotRole,
    pub(crate) each: Option<Each>,
    pub(crate) lot: Path,
    pub(crate) name: Option<Path>,
    pub(crate) expires: Option<Path>,
    pub(crate) expires_form: Option<TimeForm>,
    pub(crate) when: Vec<Condition>,
    pub(crate) required: bool,
}

/// What a lot rule is applied to once for each.
#[derive(Debug, Clone)]
pub(crate) enum Each {
    Record(RecordPath),
    Repetition(RecordPath, Spot),
}

#[derive(Debug, Clone)]
pub(crate) enum StatusRules {
    Always(ResultStatus),
    Read { at: Path, map: HashMap<String, ResultStatus> },
}

#[derive(Debug, Clone)]
pub(crate) struct FlagRules {
    pub(crate) at: Vec<Path>,
    pub(crate) separator: Option<String>,
    /// Characters of one flag, where nothing stands between them.
    pub(crate) width: Option<usize>,
    pub(crate) unknown: Consequence,
    pub(crate) known: HashMap<String, FlagRule>,
}

#[derive(Debug, Clone)]
pub(crate) struct FlagRule {
    pub(crate) does: FlagEffect,
    pub(crate) with: Option<Interpretation>,
    pub(crate) what: String,
}

/// What a value is put together from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Slot {
    Interpretation,
    Grade,
    Number,
    Od,
    Cutoff,
    /// Another row that has to say the same as the interpretation.
    Confirmation,
}

impl Slot {
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("interpretation", Self::Interpretation),
        ("grade", Self::Grade),
        ("number", Self::Number),
        ("od", Self::Od),
        ("cutoff", Self::Cutoff),
        ("confirmation", Self::Confirmation),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, slot)| *slot == self).map_or("?", |(name, _)| name)
    }
}

/// Where the parts of a value stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    pub(crate) interpretation: Option<Path>,
    pub(crate) grade: Option<Path>,
    pub(crate) number: Option<Path>,
    pub(crate) od: Option<Path>,
    pub(crate) cutoff: Option<Path>,
    pub(crate) confirmation: Option<Path>,
}

impl Slots {
    pub(crate) fn get(&self, slot: Slot) -> Option<&Path> {
        match slot {
            Slot::Interpretation => self.interpretation.as_ref(),
            Slot::Grade => self.grade.as_ref(),
            Slot::Number => self.number.as_ref(),
            Slot::Od => self.od.as_ref(),
            Slot::Cutoff => self.cutoff.as_ref(),
            Slot::Confirmation => self.confirmation.as_ref(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        Slot::ALL.iter().all(|(_, slot)| self.get(*slot).is_none())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct RowRule {
    pub(crate) name: String,
    pub(crate) record: String,
    pub(crate) when: Vec<Condition>,
    pub(crate) aside: Option<String>,
    pub(crate) test: Option<Path>,
    pub(crate) slots: Slots,
    pub(crate) unit: Option<Path>,
    pub(crate) completed_at: Vec<Path>,
    /// Nobody has said yet where the time stands: the result is held.
    pub(crate) time_open: bool,
    pub(crate) whole: Option<Vec<Slot>>,
    pub(crate) status_is: Option<ResultStatus>,
}

#[derive(Debug, Clone)]
pub(crate) struct CheckRule {
    pub(crate) finding: String,
    pub(crate) equal: Vec<Path>,
    /// The part of each text that is compared: the first group of this pattern.
    pub(crate) part: Option<regex::Regex>,
    pub(crate) does: Consequence,
    pub(crate) what: String,
    pub(crate) when: Vec<Condition>,
}

#[derive(Debug, Clone)]
pub(crate) struct PanelRule {
    pub(crate) name: String,
    pub(crate) when: Vec<Condition>,
    pub(crate) tests: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct TestRule {
    pub(crate) code: String,
    pub(crate) when: Vec<Condition>,
    pub(crate) body: TestBody,
}

#[derive(Debug, Clone)]
pub(crate) enum TestBody {
    /// Known, and no evidence of anything.
    Aside(String),
    Measures(Box<Measured>),
}

#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) marker: Marker,
    pub(crate) assay: String,
    pub(crate) values: Option<ValueMap>,
    pub(crate) grades: Option<GradeMap>,
    pub(crate) units: HashMap<String, String>,
    pub(crate) unit_is: Option<String>,
    pub(crate) reactive: Option<Criterion>,
    pub(crate) by_number: bool,
    pub(crate) discriminates: bool,
    pub(crate) optional: bool,
    pub(crate) whole: Vec<Slot>,
    /// Places of its own, before the row's.
    pub(crate) slots: Slots,
}

/// Exact text → meaning, under the map's name.
#[derive(Debug, Clone)]
pub(crate) struct ValueMap {
    pub(crate) name: String,
    pub(crate) texts: HashMap<String, Meaning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Reads(Interpretation),
    /// Nothing of the run can be used.
    RunFailed,
    /// Nobody has said yet.
    Open,
}

/// Exact text → grade, under the map's name.
#[derive(Debug, Clone)]
pub(crate) struct GradeMap {
    pub(crate) name: String,
    pub(crate) texts: HashMap<String, GradeMeaning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GradeMeaning {
    Reads(Grade),
    /// An error code of the reader: the well gave no reaction that can be used.
    Invalid,
    /// Nobody has said yet.
    Open,
}

/// When a number is reactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Criterion {
    pub(crate) comparator: Comparator,
    pub(crate) limit: Decimal,
}
