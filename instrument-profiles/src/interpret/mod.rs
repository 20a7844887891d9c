//! From a raw message to observations and findings. Total and pure: any bytes give an answer, the same one each time.
//!
//! Two laws hold for everything below, and tests walk the catalogue for them:
//! - every result row of a message ends in an observation or in a finding, never in nothing;
//! - an observation that a hold or quarantine concerns carries the raw text only: no number, no grade and no
//!   interpretation but `invalid`, so that nothing can read it as negative.

mod case;
mod context;
mod coverage;
mod examination;
mod findings;
mod look;
mod number;
mod orders;
mod plate;
mod poolings;
mod time;
mod value;
mod wishes;

pub(crate) use coverage::{Coverage, taken_name};
pub(crate) use look::Look;

use crate::{
    OrderWish,
    message::{self, Document, layout_of},
    profile::Profile,
};
use character_sets::{CharacterSet, Choice, Decoded, Note};
use examination::Examination;
use findings::Findings;
use vocabulary::{Consequence, Finding, Observation, Pooling, Protocol};

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interpretation {
    /// Results, in the order of the message.
    pub observations: Vec<Observation>,
    /// What was wrong, where, and what it holds up.
    pub findings: Vec<Finding>,
    /// Orders that it places, changes or cancels; none when anything of it could not be read.
    pub orders: Vec<OrderWish>,
    /// Whose material went into which pool. Of a log that is quarantined too, so that whoever it names is held.
    pub poolings: Vec<Pooling>,
}

/// Where one result row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In this observation.
    Observation(usize),
    /// In this finding.
    Finding(usize),
}

/// An interpretation with its book-keeping, for tests and captures.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    pub(crate) interpretation: Interpretation,
    /// One for each result row.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the law that every row ends somewhere is tested on it")
    )]
    pub(crate) fates: Vec<Fate>,
    pub(crate) coverage: Coverage,
    /// The message answers an order of ours.
    pub(crate) answers_order: bool,
    /// The message is one with orders for us.
    pub(crate) carries_orders: bool,
}

/// Line ends in one text. No run and no file of a real analyser comes near; a text of nothing but line ends would cost
/// a hundred times its length to read.
const LINE_ENDS_MAX: usize = 200_000;

/// Why a text is not read at all.
fn unusable(text: &str) -> Option<(&'static str, String)> {
    if text.trim_matches(['\r', '\n', '\0', ' ']).is_empty() {
        let what = "there is nothing in it; ask the analyser to send it again";
        return Some(("empty_message", what.to_owned()));
    }
    let line_ends = text.bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    (line_ends > LINE_ENDS_MAX).then(|| {
        let what = format!("it has {line_ends} line ends and is not read: {LINE_ENDS_MAX} are the most");
        ("too_many_lines", what)
    })
}

impl Profile {
    /// What `raw` says: one LIS02 message (its records joined), one HL7 message, or one file.
    #[must_use]
    pub fn interpret(&self, raw: &[u8]) -> Interpretation {
        self.examine(raw, Coverage::default()).interpretation
    }

    pub(crate) fn examine(&self, raw: &[u8], coverage: Coverage) -> Examined {
        let decoded = self.decode(raw);
        let mut findings = Findings::new(&decoded);
        if let Some((name, what)) = unusable(&decoded.text) {
            findings.about(Consequence::Quarantine, name, "the message".to_owned(), what);
            let interpretation = Interpretation { findings: findings.finish(), ..Interpretation::default() };
            return Examined { interpretation, coverage, ..Examined::default() };
        }
        note_decoding(&decoded, &mut findings);
        match self.protocol() {
            Protocol::Lis02 => {
                let mut index = lis02::Index::new();
                let document = message::read_lis02(&index.read(&decoded.text));
                self.examine_document(&document, findings, coverage)
            }
            Protocol::Hl7v2 => {
                let mut index = self.hl7_index();
                let document = message::read_hl7(&index.read(&decoded.text));
                self.examine_document(&document, findings, coverage)
            }
            Protocol::PkBlocks => {
                let document = message::read_lines(&decoded.text);
                self.examine_document(&document, findings, coverage)
            }
            Protocol::Delimited => {
                let layout =
                    self.rules.table.as_ref().and_then(|rules| Some((rules, layout_of(rules).ok()?)));
                let Some((rules, layout)) = layout else {
                    let what = "the profile has no usable table".to_owned();
                    findings.about(Consequence::Quarantine, "no_layout", "the profile".to_owned(), what);
                    let interpretation =
                        Interpretation { findings: findings.finish(), ..Interpretation::default() };
                    return Examined { interpretation, coverage, ..Examined::default() };
                };
                let table = delimited::Table::read(&decoded.text, &layout);
                let document = message::read_table(&table, rules);
                self.examine_document(&document, findings, coverage)
            }
        }
    }

    pub(crate) fn decode<'r>(&self, raw: &'r [u8]) -> Decoded<'r> {
        let characters = &self.rules.characters;
        let fallback = characters.fallback.unwrap_or(CharacterSet::Utf8);
        match self.protocol() {
            Protocol::Hl7v2 => hl7v2::decode(raw, characters.always, fallback),
            Protocol::Lis02 | Protocol::Delimited | Protocol::PkBlocks => {
                character_sets::decode(raw, &Choice { fixed: characters.always, declared: &[], fallback })
            }
        }
    }

    fn examine_document(
        &self,
        document: &Document<'_>,
        findings: Findings<'_>,
        coverage: Coverage,
    ) -> Examined {
        Examination::new(self, document, findings, coverage).run()
    }
}

fn note_decoding(decoded: &Decoded<'_>, findings: &mut Findings<'_>) {
    for note in &decoded.notes {
        let what = match note {
            Note::UnknownDeclaration { name } => {
                format!(
                    "the message declares the character set {name:?}, which is not known; read as {}",
                    decoded.used.name()
                )
            }
            Note::DeclarationDoesNotFit { set, at } => {
                format!(
                    "the bytes do not fit the declared {} from byte {at} on; read as {}",
                    set.name(),
                    decoded.used.name()
                )
            }
        };
        findings.about(Consequence::Note, "character_set", "the message".to_owned(), what);
    }
    if let Some(first) = decoded.defects.places().first() {
        let place = format!("bytes {}–{}", first.at.start, first.at.end);
        let what = format!(
            "{} places are no characters of {}; set the character set in the profile",
            decoded.defects.total(),
            decoded.used.name()
        );
        findings.about(Consequence::Quarantine, "character_set_failure", place, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_nothing_but_line_ends_is_quarantined_and_not_read() {
        let catalogue = crate::Catalogue::built_in().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for profile in catalogue.list().filter(|profile| seen.insert(profile.protocol())) {
            let text = "P\r".repeat(LINE_ENDS_MAX + 1);
            let found = profile.interpret(text.as_bytes());
            assert!(found.observations.is_empty());
            let [finding] = &found.findings[..] else { panic!("{:?}", found.findings.len()) };
            assert_eq!((&*finding.finding, finding.consequence), ("too_many_lines", Consequence::Quarantine));
        }
    }
}
