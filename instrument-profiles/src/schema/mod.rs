//! The shape of `profile.toml`: what a laboratory engineer may write, key by key.
//!
//! These types hold texts and their places; nothing here has been checked against anything else. The checked
//! form is [`crate::Profile`]. Field paths, templates and conditions are explained in the catalogue's README.

mod link;
mod order_in;
mod orders;
mod pooling;
mod reading;
mod results;
mod seal;
mod texts;

pub(crate) use link::{Directory, Link, Lis01, Mllp, PkBlocks, Timers, Unframed};
pub(crate) use order_in::{OrderIn, OrderInAnswer};
pub(crate) use orders::{Answer, Answers, Awaits, Each, OrderOut, Orderable, Query, Reply, Step, Writing};
pub(crate) use pooling::{Aspirated, Pooling, PoolingAside, PoolingCheck};
pub(crate) use reading::read;
#[cfg(test)]
pub(crate) use reading::read_tree;
pub(crate) use results::{Check, FlagEffect, Flags, Panel, Results, Row, Status, Test};
#[cfg(test)]
pub(crate) use seal::COUNTED;
pub(crate) use seal::guards_of;
pub(crate) use texts::{Text, Texts};

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use vocabulary::{Expected, LotRole, Protocol, SpecimenKind};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Document {
    /// Version of this language.
    pub(crate) schema: Option<Spanned<u32>>,
    /// `maker/model`, the folder's place in the catalogue.
    pub(crate) id: Option<Text>,
    pub(crate) protocol: Option<Spanned<Protocol>>,
    pub(crate) names: Option<Spanned<Names>>,
    /// `false`: a dialect of orders alone. Messages with results are quarantined.
    pub(crate) reads_results: Option<Spanned<bool>>,
    pub(crate) link: Option<Spanned<Link>>,
    pub(crate) characters: Characters,
    pub(crate) numbers: Numbers,
    pub(crate) times: Times,
    pub(crate) table: Option<Spanned<Table>>,
    pub(crate) plate: Option<Spanned<Plate>>,
    pub(crate) message: Option<Spanned<Message>>,
    pub(crate) order: Order,
    pub(crate) order_in: Option<Spanned<OrderIn>>,
    pub(crate) pooling: Option<Spanned<Pooling>>,
    pub(crate) query: Option<Spanned<Query>>,
    pub(crate) answer: Option<Spanned<Answers>>,
    pub(crate) order_out: Option<Spanned<OrderOut>>,
    pub(crate) reply: Option<Spanned<Reply>>,
    pub(crate) writing: Option<Spanned<Writing>>,
    pub(crate) orderable: Vec<Spanned<Orderable>>,
    pub(crate) specimen: Option<Spanned<Specimen>>,
    pub(crate) kind: Vec<Spanned<Kind>>,
    pub(crate) controls: Option<Spanned<Controls>>,
    pub(crate) control: Vec<Spanned<Control>>,
    pub(crate) run: Option<Spanned<Run>>,
    pub(crate) lot: Vec<Spanned<Lot>>,
    pub(crate) status: Option<Spanned<Status>>,
    pub(crate) flags: Option<Spanned<Flags>>,
    pub(crate) result: Results,
    pub(crate) row: Vec<Spanned<Row>>,
    pub(crate) check: Vec<Spanned<Check>>,
    pub(crate) panel: Vec<Spanned<Panel>>,
    pub(crate) values: BTreeMap<Text, BTreeMap<Text, Text>>,
    pub(crate) grades: BTreeMap<Text, BTreeMap<Text, Text>>,
    pub(crate) test: Vec<Spanned<Test>>,
    pub(crate) evidence: Option<Spanned<Evidence>>,
    /// Guards that the file has, as they were counted.
    #[serde(skip)]
    pub(crate) guards: u32,
}

impl Document {
    /// How many guards it has, where it reads results and does not say so.
    pub(crate) fn uncounted_guards(&self) -> Option<u32> {
        let reads = self.reads_results.as_ref().is_none_or(|reads| *reads.get_ref());
        let said = self.evidence.as_ref().is_some_and(|evidence| evidence.get_ref().guards.is_some());
        (reads && !said).then_some(self.guards)
    }
}

/// Names for people.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Names {
    pub(crate) maker: Option<Spanned<InTwoLanguages>>,
    pub(crate) model: Option<Spanned<InTwoLanguages>>,
}

/// One name in English and in Chinese.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InTwoLanguages {
    pub(crate) en: String,
    pub(crate) zh: String,
}

/// How bytes become text.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Characters {
    /// Used whatever the message declares.
    pub(crate) always: Option<Text>,
    /// Tried when the text is not UTF-8 and declares nothing usable.
    pub(crate) fallback: Option<Text>,
}

/// How numbers are written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Numbers {
    pub(crate) decimal: DecimalMark,
    /// Comparators that may stand before a number.
    pub(crate) comparators: Texts,
    /// `173.` is a number.
    pub(crate) trailing_mark: bool,
    /// Between groups of exactly three digits, `161,152`.
    pub(crate) thousands: Option<Text>,
    /// `1.5E+03` is a number.
    pub(crate) scientific: bool,
    /// Exactly these texts say that there is no number; a result that must have one is held all the same.
    pub(crate) none: Texts,
}

/// The decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DecimalMark {
    /// `4.17`
    #[default]
    Point,
    /// `4,17`
    Comma,
}

/// How times are written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Times {
    /// A `strptime` form; absent: `YYYYMMDD[HHMM[SS]][±HHMM]`.
    pub(crate) form: Option<Text>,
}

/// A delimited file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Table {
    pub(crate) delimiter: Option<Text>,
    /// Around cells that hold delimiters; absent: `"`. Empty: none.
    pub(crate) quote: Option<Text>,
    /// Lines that begin with this are comments.
    pub(crate) comment: Option<Text>,
    /// The line that ends every whole file.
    pub(crate) end_marker: Option<Text>,
    /// Lines before the header line.
    pub(crate) skip_lines: u16,
    /// Whether a line of column names comes first.
    pub(crate) header: Option<bool>,
    /// Columns that must be there; further ones are ignored.
    pub(crate) columns: Texts,
}

/// A microplate behind the rows of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Plate {
    /// Where the plate's own identity stands: rows of one plate are checked together.
    pub(crate) id: Option<Text>,
    pub(crate) well: Option<Text>,
    pub(crate) rows: Option<Spanned<u8>>,
    pub(crate) columns: Option<Spanned<u8>>,
    /// Every well must be in the file exactly once.
    pub(crate) complete: bool,
    /// The column that says what stood in a well, held against `layout`.
    pub(crate) role: Option<Text>,
    /// `"A1"` or `"B1-D1"` → role.
    pub(crate) layout: BTreeMap<Text, Text>,
}

/// A test of one place in the message. Exactly one of the tests is given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Condition {
    pub(crate) at: Option<Text>,
    pub(crate) is: Option<Texts>,
    pub(crate) is_not: Option<Texts>,
    pub(crate) starts_with: Option<Text>,
    pub(crate) ends_with: Option<Text>,
    pub(crate) matches: Option<Text>,
    pub(crate) present: Option<bool>,
}

/// Which messages carry results, and from whom.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Message {
    /// All must hold, else the message is quarantined.
    pub(crate) sender: Vec<Spanned<Condition>>,
    /// All must hold, else it is no production message and is quarantined. `[]` where nothing tells.
    pub(crate) production: Option<Vec<Spanned<Condition>>>,
    /// All must hold for a message with results.
    pub(crate) results: Vec<Spanned<Condition>>,
    /// All must hold for a message known to carry none.
    pub(crate) silent: Vec<Spanned<Condition>>,
    /// Its own control id.
    pub(crate) control_id: Option<Text>,
    /// Whether a record's number that does not follow the one before it may be a lost record.
    /// LIS02 with results: has to be said.
    pub(crate) sequence: Option<Sequence>,
    /// HL7: fields whose component marks came escaped (`-1\\S\\2.14`): they are parted all the same.
    pub(crate) split_escaped: Texts,
    /// LIS02: whether L must be there (absent: it must).
    pub(crate) terminator_optional: bool,
    /// Nothing counts the rows, so that a lost one leaves no trace: why that is bearable.
    pub(crate) uncounted: Option<Text>,
}

/// What numbers of records that do not follow one another mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sequence {
    /// A habit of the model: noted.
    #[default]
    Lenient,
    /// The model numbers as the standard says: a record was lost, and the message is quarantined.
    Strict,
}

/// Orders.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Order {
    /// All hold on an order that was cancelled or could not be done and has no rows.
    pub(crate) not_done: Vec<Spanned<Condition>>,
    /// All hold on an order without rows that only tells where a specimen is: a note, and nothing is held.
    pub(crate) event: Vec<Spanned<Condition>>,
}

/// Where the specimen's identity stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Specimen {
    /// Places, the first that is not empty counts.
    pub(crate) id: Texts,
    /// Whether all places that are not empty must say the same; has to be said where there are several.
    pub(crate) must_agree: Option<bool>,
    /// Blanks after the id are padding.
    pub(crate) trim_end: bool,
    /// A regular expression the whole id must fit; has to be said, `.+` where any text may be one.
    pub(crate) form: Option<Text>,
    /// What stands there is no specimen id in messages about controls.
    pub(crate) not_of_controls: bool,
}

/// Whose material it is. The first that holds counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    pub(crate) is: SpecimenKind,
    pub(crate) when: Vec<Spanned<Condition>>,
}

/// Whether the analyser marks its controls.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Controls {
    pub(crate) recognition: Option<Recognition>,
    /// For `none`: in whose words and why that is so.
    pub(crate) affirmed: Option<Text>,
}

/// How controls are told from donors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Recognition {
    /// By the `[[kind]]` and `[[control]]` rules.
    Rules,
    /// The analyser sends none. Must be affirmed.
    None,
    /// Nobody has said yet: every result is held.
    Open,
}

/// One control and what it must read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    pub(crate) name: Text,
    pub(crate) reads: Expected,
    pub(crate) when: Vec<Spanned<Condition>>,
    #[serde(default)]
    pub(crate) markers: Texts,
    /// Markers that it stands for and whose runs are valid without it; all others have to require it.
    #[serde(default)]
    pub(crate) not_required_for: Texts,
    /// For a summary: what it has to mean for this control to be valid.
    #[serde(default)]
    pub(crate) right: Option<Text>,
    /// For graded reactions: positive from this grade on, which has to be said; less, and not 0, is neither.
    #[serde(default)]
    pub(crate) at_least: Option<Text>,
    /// For numbers: valid within so many SDs of the target that the message gives.
    #[serde(default)]
    pub(crate) within: Option<Spanned<Within>>,
}

/// The analyser's own limits of a control.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Within {
    pub(crate) target: Option<Text>,
    pub(crate) sd: Option<Text>,
    /// How many SDs are allowed, 1 to 4.
    pub(crate) sds: Option<u8>,
    /// In place of target and SD: where the allowed range stands.
    pub(crate) range: Option<Text>,
    /// What parts the two numbers of the range.
    pub(crate) separator: Option<Text>,
    /// In place of all of these: the lowest and the highest number, which the site affirms.
    pub(crate) between: Option<Texts>,
}

/// What a run is and what it needs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Run {
    /// A template: `{OBX-21}`, `{R.14}/{assay}/{lot}/{day}`.
    pub(crate) id: Option<Text>,
    pub(crate) requires: Vec<Spanned<Requirement>>,
}

/// Controls a run must have shown to be valid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirement {
    pub(crate) controls: Texts,
    /// Only for these markers; absent: for all.
    #[serde(default)]
    pub(crate) markers: Texts,
}

/// Where lots stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the key is called `lot` in the file")]
pub(crate) struct Lot {
    pub(crate) role: LotRole,
    /// Once for each of these: a record (`INV(3=MR)`) or repeated field (`C.3`).
    #[serde(default)]
    pub(crate) each: Option<Text>,
    pub(crate) lot: Text,
    #[serde(default)]
    pub(crate) name: Option<Text>,
    #[serde(default)]
    pub(crate) expires: Option<Text>,
    /// The `strptime` form of its expiry, where that is not the form of times.
    #[serde(default)]
    pub(crate) expires_form: Option<Text>,
    #[serde(default)]
    pub(crate) when: Vec<Spanned<Condition>>,
    /// Whether results without it are held; has to be said.
    #[serde(default)]
    pub(crate) required: Option<bool>,
}

/// What the profile rests on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Evidence {
    pub(crate) sources: BTreeMap<Text, Source>,
    pub(crate) fact: Vec<Spanned<Fact>>,
    pub(crate) not_verified: Vec<String>,
    /// How many guards the profile has (conditions with their words, checks, what results must have): one that is lost is
    /// noticed. `hemogate profile test` counts them.
    pub(crate) guards: Option<Spanned<u32>>,
}

/// A document or trace.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Source {
    pub(crate) title: Option<Text>,
    pub(crate) level: Option<crate::evidence::Level>,
}

/// Where something stands in the message, and who says so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fact {
    pub(crate) at: Texts,
    pub(crate) says: String,
    pub(crate) source: Text,
    #[serde(default)]
    pub(crate) level: Option<crate::evidence::Level>,
}
