//! What the results of a message are to those that came before: sent again, corrected, changed.
//!
//! It is kept with the interpretation, so that a person sees it. Verdicts do not rest on it: they look at all
//! versions of a measurement anew.

use crate::measurement::{Stage, fingerprint, identity, outcome};
use crate::{SpecimenRule, interpreter::Interpreted};
use ledger::{Earlier, Known, Measured, MessageView, ObservationRef, ReadError, Reader, Seq};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Consequence, DonationId, Finding, Observation};

/// The two lowest bits of an outcome's fingerprint say how far the result had come.
const STAGE_BITS: u64 = 0b11;

/// What is known of donations' measurements, with the messages of this round.
///
/// A message is held against those before it only, in the order they came: read again later, it is the same to them.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    known: BTreeMap<DonationId, Vec<Known>>,
    /// Messages of this round: what the state knows of them is what they were taken for before.
    read: BTreeSet<Seq>,
}

impl Memory {
    /// Says of each result that is evidence what it is to an earlier one.
    pub(crate) fn compare(
        &mut self,
        reader: &Reader,
        message: &MessageView,
        rule: &SpecimenRule,
        whole: &mut Interpreted,
    ) -> Result<(), ReadError> {
        self.read.insert(message.seq);
        self.known.values_mut().for_each(|known| known.retain(|k| k.at.message != message.seq));
        let mut places: BTreeMap<(DonationId, String), u32> = BTreeMap::new();
        for (index, donation) in &whole.donations {
            let Some(o) = usize::try_from(*index).ok().and_then(|at| whole.observations.get(at)) else {
                continue;
            };
            let located = o.specimen.as_ref().and_then(|s| rule.locate(s, &message.connection).ok());
            let tube = located.and_then(|located| located.tube);
            let like = identity((&message.connection, &message.profile.id), tube.as_deref(), o);
            let nth = places.entry((donation.clone(), like.clone())).or_default();
            let identity = fingerprint(&format!("{like} {nth}"));
            *nth += 1;
            let outcome = fingerprint(&outcome(o)) & !STAGE_BITS | stage_bits(o);
            let known = self.of(reader, donation)?;
            let same: Vec<&Known> =
                known.iter().filter(|k| k.identity == identity && k.at.message < message.seq).collect();
            let earlier = relation(outcome, &same);
            let at = ObservationRef { message: message.seq, place: *index };
            known.push(Known { at, identity, outcome });
            whole.measured.push(Measured { index: *index, place: *index, identity, outcome, earlier });
        }
        whole.findings.extend(notes(&whole.measured));
        Ok(())
    }

    fn of(&mut self, reader: &Reader, donation: &DonationId) -> Result<&mut Vec<Known>, ReadError> {
        if !self.known.contains_key(donation) {
            let mut known = reader.measured_of(donation)?;
            known.retain(|k| !self.read.contains(&k.at.message));
            self.known.insert(donation.clone(), known);
        }
        Ok(self.known.entry(donation.clone()).or_default())
    }
}

fn stage_bits(o: &Observation) -> u64 {
    match Stage::of(o.status) {
        Stage::Preliminary => 0,
        Stage::Settled => 1,
        Stage::Corrected => 2,
    }
}

fn relation(outcome: u64, same: &[&Known]) -> Option<Earlier> {
    let (stage, value) = (outcome & STAGE_BITS, outcome & !STAGE_BITS);
    let last = same.last()?;
    if let Some(equal) = same.iter().find(|k| k.outcome == outcome) {
        return Some(Earlier::RepeatOf(equal.at));
    }
    let highest = same.iter().max_by_key(|k| k.outcome & STAGE_BITS)?;
    let reached = highest.outcome & STAGE_BITS;
    Some(if stage < reached {
        Earlier::OutdatedBy(highest.at)
    } else if stage > reached || stage == 0 || highest.outcome & !STAGE_BITS == value {
        Earlier::Corrects(last.at)
    } else {
        Earlier::DiffersFrom(last.at)
    })
}

/// One note for each thing that a person should see.
fn notes(measured: &[Measured]) -> Vec<Finding> {
    let of = |wanted: fn(&Earlier) -> bool| -> Vec<Earlier> {
        measured.iter().filter_map(|m| m.earlier).filter(wanted).collect()
    };
    [
        (
            "sent_again",
            of(|e| matches!(e, Earlier::RepeatOf(_))),
            "were sent before and are not counted again",
        ),
        (
            "corrected_result",
            of(|e| matches!(e, Earlier::Corrects(_))),
            "take the place of results sent before",
        ),
        ("outdated_result", of(|e| matches!(e, Earlier::OutdatedBy(_))), "were replaced before they came"),
        (
            "changed_result",
            of(|e| matches!(e, Earlier::DiffersFrom(_))),
            "differ from what was sent before of the same measurements; their donations are held",
        ),
    ]
    .into_iter()
    .filter_map(|(name, of, what)| {
        let first = of.first()?.of();
        Some(Finding {
            finding: name.to_owned(),
            place: "the message".to_owned(),
            what: format!("{} of its results {what} (first: message {})", of.len(), first.message),
            consequence: Consequence::Note,
            specimen: None,
        })
    })
    .collect()
}
