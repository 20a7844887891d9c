//! What a site writes down about its codes: `[site.identifiers]`.

use crate::CheckAlgorithm;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The site's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Forms that ids may have. Their order does not matter.
    pub forms: Vec<Form>,
    /// The longest id, in characters.
    pub chars_max: usize,
    /// Connection → so many characters of an id its analyser keeps. An id of that length may have lost its end.
    pub cut_at: BTreeMap<String, usize>,
    /// What becomes of two numbers of which one is the other's beginning.
    pub shortened: Shortened,
}

impl Rules {
    /// The longest id where the site says nothing.
    pub const CHARS_MAX: usize = 64;

    /// These forms and nothing besides.
    #[must_use]
    pub fn of(forms: Vec<Form>) -> Self {
        Self { forms, chars_max: Self::CHARS_MAX, cut_at: BTreeMap::new(), shortened: Shortened::default() }
    }
}

/// What becomes of two donation numbers of which one is the other's beginning: one may be the other, cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortened {
    /// Both are held until a person has looked.
    #[default]
    Hold,
    /// The site numbers its donations in this way, and no reader cuts them.
    Accept,
}

/// What sort of form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormKind {
    /// ISBT 128 donation identification number.
    #[serde(rename = "isbt128-din")]
    Isbt128Din,
    /// A regular expression over the whole id, with named groups.
    Pattern,
}

/// One form that ids may have: `[[site.identifiers.form]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its name, for people.
    pub name: String,
    /// Its sort.
    pub kind: FormKind,
    /// Only ids of these connections have it; all when empty.
    #[serde(default)]
    pub only_on: Vec<String>,
    /// Taken only where no other form fits.
    #[serde(default)]
    pub fallback: bool,
    /// All results of a donation must come under the same scan; two that differ hold it.
    #[serde(default)]
    pub one_scan: bool,
    /// DIN: in which shapes it may come; all when absent.
    #[serde(default)]
    pub accept: Option<Vec<DinShape>>,
    /// DIN: characters that a reader sends in the place of the leading `=`.
    #[serde(default)]
    pub equals_as: String,
    /// DIN: a regular expression for the facility number, its first five characters.
    #[serde(default)]
    pub facility: Option<String>,
    /// DIN: flag characters of type 2 that the site uses, besides digits.
    #[serde(default)]
    pub site_flags: Vec<String>,
    /// Pattern: what to do with Codabar's start and stop characters.
    #[serde(default)]
    pub start_stop: Option<StartStop>,
    /// Pattern: start and stop that count in the check where the reader does not send them.
    #[serde(default)]
    pub start_stop_assumed: Option<String>,
    /// Pattern: characters that are left out before anything else, such as `" -"`.
    #[serde(default)]
    pub remove: String,
    /// Pattern: what case letters are brought to.
    #[serde(default)]
    pub case: Option<Case>,
    /// Pattern: the expression, with the group `donation` or `pool`, and perhaps `tube`, `segment` and
    /// `check`. An id in which `segment` matches is a piece of the bag's tubing: what a suspected tube is compared with.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Pattern: what the group `check` holds.
    #[serde(default)]
    pub check: Option<CheckAlgorithm>,
    /// Pattern: weights for `mod-10`, from the right.
    #[serde(default)]
    pub check_weights: Vec<u8>,
    /// Pattern: the groups that the check character stands for; the number itself when empty.
    #[serde(default)]
    pub check_over: Vec<String>,
    /// Pattern: brings numbers of one exact length to another.
    #[serde(default)]
    pub pad: Option<Pad>,
}

impl Form {
    /// An ISBT 128 DIN in every shape.
    #[must_use]
    pub fn din(name: &str) -> Self {
        Self::of(name, FormKind::Isbt128Din)
    }

    /// A form of the site's own.
    #[must_use]
    pub fn pattern(name: &str, pattern: &str) -> Self {
        Self { pattern: Some(pattern.to_owned()), ..Self::of(name, FormKind::Pattern) }
    }

    fn of(name: &str, kind: FormKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            only_on: Vec::new(),
            fallback: false,
            one_scan: false,
            accept: None,
            equals_as: String::new(),
            facility: None,
            site_flags: Vec::new(),
            start_stop: None,
            start_stop_assumed: None,
            remove: String::new(),
            case: None,
            pattern: None,
            check: None,
            check_weights: Vec::new(),
            check_over: Vec::new(),
            pad: None,
        }
    }
}

/// In which shape a DIN comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum DinShape {
    /// `=`, the number, two flags: what the bar code holds.
    #[serde(rename = "=15")]
    EqualsFlags,
    /// `=` and the number.
    #[serde(rename = "=13")]
    Equals,
    /// The number and two flags.
    #[serde(rename = "15")]
    Flags,
    /// The number and its check character, as it is keyed in.
    #[serde(rename = "13+check")]
    Check,
    /// The number.
    #[serde(rename = "13")]
    Bare,
}

impl DinShape {
    /// Every shape.
    pub const ALL: [Self; 5] = [Self::EqualsFlags, Self::Equals, Self::Flags, Self::Check, Self::Bare];
}

/// What to do with start and stop characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartStop {
    /// They are always there and are taken off.
    Strip,
    /// They are taken off where both are there.
    StripIfSent,
}

/// What case letters are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// Capital letters.
    Upper,
    /// Small letters.
    Lower,
}

/// Brings numbers of exactly `from` characters to `to` by characters before them. A number of `to` characters stays
/// as it is; one of any other length does not have the form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// Its length as it is sent.
    pub from: usize,
    /// Its length as the site knows it.
    pub to: usize,
    /// What is put before it.
    pub with: char,
}

/// What is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct RulesFault {
    /// Which form, from 0; the rules as a whole when absent.
    pub form: Option<usize>,
    /// Which key of it.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}
