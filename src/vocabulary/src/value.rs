//! A result's value: what was sent, and what it means.

use crate::Grade;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A bound that stands before a number: `>8` is not 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparator {
    /// `<`
    #[serde(rename = "<")]
    Below,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `>`
    #[serde(rename = ">")]
    Above,
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
}

/// The closed list of meanings that values and texts of analysers are mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpretation {
    /// At or above the cut-off; target detected.
    Reactive,
    /// Below the cut-off; target not detected.
    NonReactive,
    /// Between the grey zone's limit and the cut-off.
    GreyZone,
    /// The test gives no answer by its own rules.
    Indeterminate,
    /// The result cannot be used and must be repeated.
    Invalid,
    /// A control met its criterion.
    Valid,
    /// A grouping, screen or crossmatch is positive.
    Positive,
    /// A grouping, screen or crossmatch is negative.
    Negative,
    /// Blood group A.
    A,
    /// Blood group B.
    B,
    /// Blood group AB.
    #[serde(rename = "ab")]
    AB,
    /// Blood group O.
    O,
}

/// What a result says. Numbers are exact decimals; the printed text is kept beside them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Value {
    /// The text exactly as it was sent.
    pub raw: String,
    /// The number in it, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::str_option")]
    pub number: Option<Decimal>,
    /// A bound before the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparator: Option<Comparator>,
    /// Unit as the profile names it (`S/CO`, `U/L`, `Ct`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Optical density, where OD and cut-off came apart.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::str_option")]
    pub od: Option<Decimal>,
    /// Cut-off that belongs to `od`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::str_option")]
    pub cutoff: Option<Decimal>,
    /// What the analyser concluded, in our words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpretation: Option<Interpretation>,
    /// Reaction grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
}
