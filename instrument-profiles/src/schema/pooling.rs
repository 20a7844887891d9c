//! The part of the schema that is about pools: the log of a pipetting robot, a file with one row an aspiration.

use super::{Condition, Text};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Where a pool's membership stands.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pooling {
    /// The pool's number, as analysers will read it.
    pub(crate) pool: Option<Text>,
    /// The member's barcode, as the robot read it.
    pub(crate) member: Option<Text>,
    /// The member's place in the pool.
    pub(crate) position: Option<Text>,
    /// The robot's run or plate in which the pool was made: the same pool made again has another.
    pub(crate) run: Option<Text>,
    /// When the member was aspirated, or its pool made.
    pub(crate) time: Option<Text>,
    /// How many members every pool has.
    pub(crate) size: Option<Spanned<u16>>,
    /// In place of size: where the log says how many.
    pub(crate) size_at: Option<Text>,
    /// What was taken of the member.
    pub(crate) volume: Option<Text>,
    /// The least that is enough, as a text.
    pub(crate) volume_least: Option<Text>,
    /// What the log says of each aspiration; all of them have to say that it was good.
    pub(crate) check: Vec<Spanned<PoolingCheck>>,
    /// Rows that put no member into a pool.
    pub(crate) aside: Vec<Spanned<PoolingAside>>,
}

/// A place with words about an aspiration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PoolingCheck {
    pub(crate) at: Option<Text>,
    /// Exact text → what it says; an empty cell is the text "".
    pub(crate) words: BTreeMap<Text, Aspirated>,
    /// What every other text says; absent: it is unknown, and the pool is held for it.
    pub(crate) other: Option<Spanned<Aspirated>>,
}

/// What a word of the log says of an aspiration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aspirated {
    /// As it should be.
    Good,
    /// Too little.
    Short,
    /// A clot.
    Clot,
    /// Air or foam.
    Air,
    /// Another error.
    Error,
    /// The barcode was typed in.
    Typed,
    /// The barcode was not read.
    Unread,
    /// The tube was changed after its barcode was read.
    Changed,
    /// Nobody has said yet: its pool is held.
    Open,
}

/// Rows that put no member into a pool.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PoolingAside {
    /// What they are.
    pub(crate) name: Option<Text>,
    pub(crate) when: Vec<Spanned<Condition>>,
}
