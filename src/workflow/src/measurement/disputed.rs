//! Measurements whose versions differ: which version people said stands, and of which versions they said so.
//!
//! ```text
//!  versions differ: held ──A names one──► one word ──B, not A, names the same──► that version counts
//!    ▲                                                                              │
//!    └── another version comes, one is read otherwise, somebody names another ◄─────┘
//! ```

use super::{Stage, says};
use crate::facts::{Fact, Told};
use crate::hex::hex;
use jiff::{Timestamp, tz::Offset};
use ledger::{ResultSettled, Seq};
use release::{Moment, evidence::OpenFinding};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use vocabulary::PoolId;

/// So many different people have to name the same version.
const PERSONS: usize = 2;

/// What people said of versions; of a donation's own results, or of those of a pool that it is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'w> {
    /// Every word, oldest first.
    pub(crate) all: &'w [ResultSettled],
    /// The pool whose results they are held against.
    pub(crate) pool: Option<&'w PoolId>,
}

/// A measurement of which people have to say, or have said, which version stands.
#[derive(Debug, Clone)]
pub(crate) struct Disputed<'f> {
    /// Its versions, by message.
    pub(crate) versions: Vec<&'f Fact>,
    /// SHA-256 of what was measured and of every version: a word is of these versions and of no others.
    pub(crate) hash: String,
    /// The last word of each person on these versions, by name.
    pub(crate) words: Vec<&'f ResultSettled>,
    /// The version that stands by these words.
    pub(crate) settled: Option<&'f Fact>,
    /// What stays open while none does.
    pub(super) open: Vec<OpenFinding>,
}

impl<'f> Disputed<'f> {
    pub(super) fn new(
        (versions, place): (&[&'f Fact], u32),
        open: Vec<OpenFinding>,
        words: Words<'f>,
    ) -> Self {
        let mut versions = versions.to_vec();
        versions.sort_by_key(|fact| fact.message);
        let hash = hash((&versions, place), words.pool);
        let words = last_words(words.all, &hash);
        let stands = agreed(&words).map(Seq::get);
        let settled = versions.iter().copied().find(|fact| Some(fact.message) == stands);
        Self { versions, hash, words, settled, open }
    }

    /// What stays open.
    pub(crate) fn findings(&self) -> &[OpenFinding] {
        if self.settled.is_some() { &[] } else { &self.open }
    }

    /// Which version stands, who said so, when and why; nothing while none does.
    pub(crate) fn told(&self, offset: Offset) -> Option<Told> {
        let stands = self.settled?;
        let o = &stands.observation;
        let versions: Vec<Told> = self.versions.iter().map(|fact| says(fact)).collect();
        let (en, zh): (Vec<&str>, Vec<&str>) =
            versions.iter().map(|said| (said.en.as_str(), said.zh.as_str())).unzip();
        let by: Vec<String> = self.words.iter().map(|word| said(word, offset)).collect();
        let (assay, marker, message) = (&o.assay, o.marker, stands.message);
        Some(Told::new(
            format!(
                "{assay} of {marker}: {}; message {message} stands, as two people said: {}",
                en.join(", "),
                by.join("; ")
            ),
            format!(
                "{assay}（{marker}）：{}；经两人确认以消息 {message} 为准：{}",
                zh.join("，"),
                by.join("；")
            ),
        ))
    }
}

/// Who, when and why.
fn said(word: &ResultSettled, offset: Offset) -> String {
    let at = Timestamp::from_millisecond(word.done.at_ms).map(|at| Moment::new(at, offset).to_string());
    format!("{} ({}): {}", word.done.by, at.unwrap_or_else(|_| "?".to_owned()), word.reason)
}

fn hash((versions, place): (&[&Fact], u32), pool: Option<&PoolId>) -> String {
    let mut hasher = Sha256::new();
    let of = versions.first().map(|fact| fact.identity()).unwrap_or_default();
    hasher.update(format!("{:?} {of} {place}\n", pool.map(PoolId::as_str)).as_bytes());
    for fact in versions {
        let stage: Stage = fact.stage();
        hasher.update(format!("{} {stage:?} {}\n", fact.message, fact.outcome()).as_bytes());
    }
    hex(hasher.finalize())
}

/// Who names another version later has taken back what they said before.
fn last_words<'w>(all: &'w [ResultSettled], hash: &str) -> Vec<&'w ResultSettled> {
    let of_these = all.iter().filter(|word| word.versions == hash);
    let by_person: BTreeMap<&str, &ResultSettled> =
        of_these.map(|word| (word.done.by.as_str(), word)).collect();
    by_person.into_values().collect()
}

/// The message that enough people name, and none of them another.
fn agreed(words: &[&ResultSettled]) -> Option<Seq> {
    let (first, others) = words.split_first()?;
    let agree = words.len() >= PERSONS && others.iter().all(|word| word.message == first.message);
    agree.then_some(first.message)
}
