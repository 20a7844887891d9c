//! Stored donations judged again under two rule packs: what would a change of the pack change?
//!
//! Nothing is written. Whatever the state knows of a donation becomes evidence as it does for a verdict, and
//! [`release::decide`] judges it twice.

use crate::{
    Settings, decider,
    decider::facts,
    evidence::evidence,
    shares::{in_order, threads},
};
use ledger::{Interpretations, Page, ReadError, Reader};
use release::{Difference, RulePack, Unit, Verdict, decide, differences};
use serde::Serialize;
use std::collections::BTreeMap;
use vocabulary::DonationId;

/// Donations that one thread judges one after the other: about those of a day, which share runs and plates.
const DONATIONS_AT_ONCE: usize = 512;
/// More threads would wait for the disk.
const THREADS_MAX: usize = 16;
/// Threads for each processor: one reads what is not in memory any more while the other judges.
const THREADS_PER_PROCESSOR: usize = 2;

/// A donation on which two packs do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The donation.
    pub donation: DonationId,
    /// What the old pack says.
    pub old: Unit,
    /// What the new pack says.
    pub new: Unit,
    /// Under the new pack nothing but the signatures is missing, and under the old one something else was.
    pub newly_releasable: bool,
    /// Everything in which the verdicts differ, `unit` first.
    pub differences: Vec<Difference>,
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Compared {
    /// Donations that were judged, twice each.
    pub donations: u64,
    /// Those on which the packs do not agree.
    pub changed: u64,
    /// Of these, how many went from which unit to which: `hold → pass`.
    pub units: BTreeMap<String, u64>,
    /// Of these, those that wait for nothing but the signatures under the new pack, and waited for more, or failed, under the
    /// old one.
    pub newly_releasable: u64,
}

/// What to compare.
#[derive(Debug)]
pub struct Comparison {
    old: Settings,
    new: Settings,
    threads: usize,
}

/// What a thread has read: donations beside each other stand on the same plates and in the same runs.
#[derive(Debug, Default)]
struct Known {
    shared: decider::Known,
    read: Interpretations,
}

impl Comparison {
    /// Of `settings` under two packs; its own pack is not looked at.
    #[must_use]
    pub fn new(settings: Settings, old: RulePack, new: RulePack) -> Self {
        let threads = THREADS_PER_PROCESSOR * threads(THREADS_MAX / THREADS_PER_PROCESSOR);
        let new = Settings { pack: new, ..settings.clone() };
        Self { old: Settings { pack: old, ..settings }, new, threads }
    }

    /// Judges every donation the state knows, by number. `found` is told of each that changes, in order; `progress`
    /// how many were judged so far.
    ///
    /// # Errors
    /// [`ReadError`] when the ledger cannot be read; whatever `found` refuses with.
    pub fn run<E: From<ReadError>>(
        &self,
        reader: &Reader,
        mut found: impl FnMut(Changed) -> Result<(), E>,
        mut progress: impl FnMut(u64),
    ) -> Result<Compared, E> {
        let mut compared = Compared::default();
        let mut known: Vec<Known> = (0..self.threads).map(|_| Known::default()).collect();
        let mut page = Some(Page::first(DONATIONS_AT_ONCE));
        let next = || {
            let Some(here) = page.take() else { return Ok(None) };
            let listed = reader.donations(&here)?;
            page = listed.next.map(|next| here.after(next));
            Ok(Some(listed.items.into_iter().map(|one| one.donation).collect::<Vec<_>>()))
        };
        in_order(
            &mut known,
            next,
            |donations: Vec<DonationId>, known: &mut Known| -> Result<_, ReadError> {
                Ok((donations.len() as u64, self.share(reader, &donations, known)?))
            },
            |(judged, changed)| {
                compared.donations += judged;
                progress(compared.donations);
                changed.into_iter().try_for_each(|changed| {
                    compared.count(&changed);
                    found(changed)
                })
            },
        )?;
        Ok(compared)
    }

    fn share(
        &self,
        reader: &Reader,
        donations: &[DonationId],
        known: &mut Known,
    ) -> Result<Vec<Changed>, ReadError> {
        let mut changed = Vec::new();
        for donation in donations {
            let view = reader.donation_with(donation, &mut known.read)?;
            let mut facts = facts(&self.old, reader, donation, view, &mut known.shared)?;
            // Signatures are bound to a pack: the two are compared as they stand before anybody signs.
            (facts.people.reviewed, facts.people.released) = (None, None);
            // What counts as evidence is itself read with the pack's cut-offs.
            let old = decide(&evidence(&facts, &self.old), &self.old.pack);
            let new = decide(&evidence(&facts, &self.new), &self.new.pack);
            changed.extend(Changed::between(&old, &new));
        }
        Ok(changed)
    }
}

impl Changed {
    fn between(old: &Verdict, new: &Verdict) -> Option<Self> {
        let differences = differences(old, new);
        (!differences.is_empty()).then(|| Self {
            donation: old.donation().clone(),
            old: old.unit(),
            new: new.unit(),
            // Nobody has signed here. A unit passes where every gate is open that waits for no person.
            newly_releasable: new.unit() == Unit::Pass && old.unit() != Unit::Pass,
            differences,
        })
    }
}

impl Compared {
    fn count(&mut self, changed: &Changed) {
        self.changed += 1;
        self.newly_releasable += u64::from(changed.newly_releasable);
        if changed.old != changed.new {
            *self.units.entry(format!("{} → {}", changed.old.name(), changed.new.name())).or_default() += 1;
        }
    }
}
