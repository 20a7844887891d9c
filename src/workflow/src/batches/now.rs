//! A batch as it is now: each donation judged from the ledger at this moment, with what holds it.

use super::Refused;
use crate::hex::hex;
use crate::{
    DonationFacts, Settings, components, decider, evidence,
    rules::Book,
    shares::{shared, threads},
    signing,
};
use ledger::{
    BatchView, ByPeople, Components, Interpretations, ReadError, Reader, ReleaseSigned, Seq, UnitCount,
};
use release::{Gate, GateId, RulePack, Unit, Verdict};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc};
use vocabulary::{DonationId, RunId};

/// Threads that read one batch, and the donations that one is worth.
const THREADS_MAX: usize = 4;
const DONATIONS_PER_THREAD_MIN: usize = 64;

/// What a thread has read.
type Known = (decider::Known, Interpretations);

/// How far a donation of a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Something is open: tests, gates.
    Open,
    /// A person holds it.
    Held,
    /// It fails, and is to be found and taken out.
    Failing,
    /// It was taken out.
    Discarded,
    /// Nothing but signatures is missing.
    Ready,
    /// The review is signed.
    Reviewed,
    /// It is released.
    Released,
}

/// One donation of a batch.
#[derive(Debug, Clone)]
pub struct MemberNow {
    /// Which.
    pub donation: DonationId,
    /// How far it is.
    pub stage: Stage,
    /// The hash that a signature for it is bound to.
    pub basis: String,
    /// What is decided about it.
    pub verdict: Verdict,
    /// What people did with it.
    pub people: ByPeople,
    facts: DonationFacts,
    /// What judges it, where that is not the configured pack.
    other: Option<Arc<Settings>>,
}

/// A batch with its donations as they are now.
#[derive(Debug, Clone)]
pub struct BatchNow {
    /// The batch.
    pub batch: BatchView,
    /// Its donations, by number.
    pub members: Vec<MemberNow>,
    /// SHA-256 of all of it: what a signature says was seen.
    pub seen: String,
    /// Its failing units.
    pub count: UnitCount,
    /// The last entry that this rests on.
    pub as_of: Seq,
}

impl MemberNow {
    fn new(facts: DonationFacts, book: &Book<'_>) -> Self {
        let (settings, other) = (book.of(&facts), book.other_for(&facts).cloned());
        let known = evidence::known(&facts, settings);
        let basis = signing::basis(&known, &settings.pack);
        let verdict = release::decide(&signing::with_signatures(known, &facts, settings), &settings.pack);
        let stage = stage(&verdict, &facts.people, &basis);
        Self {
            donation: facts.donation.clone(),
            stage,
            basis,
            verdict,
            people: facts.people.clone(),
            facts,
            other,
        }
    }

    /// The gates that keep it, those that wait for a signature aside.
    pub fn kept_by(&self) -> impl Iterator<Item = &Gate> {
        self.verdict.gates().iter().filter(|gate| !gate.is_satisfied() && !gate.id.needs_person())
    }

    /// Its units that have to be found where it fails, and how many were.
    fn units(&self) -> (usize, usize) {
        components::units(&self.facts.components, self.people.discarded.is_some())
    }

    /// What was made of it, and where each is.
    #[must_use]
    pub fn components(&self) -> &Components {
        &self.facts.components
    }

    /// The runs that its results name.
    pub(super) fn runs(&self) -> impl Iterator<Item = &RunId> {
        self.facts.runs.keys()
    }

    /// The pack that judges it.
    pub(super) fn pack<'s>(&'s self, settings: &'s Settings) -> &'s RulePack {
        self.other.as_ref().map_or(&settings.pack, |other| &other.pack)
    }

    /// Whether two people have still to say what opens a gate: which version of a result stands, that what was reactive fell,
    /// or which registration.
    pub(super) fn takes_two(&self, gate: GateId, settings: &Settings) -> bool {
        let settings = self.other.as_deref().unwrap_or(settings);
        evidence::known(&self.facts, settings).findings.iter().any(|finding| finding.takes_two(gate))
    }

    /// What would be decided if the release were signed so.
    pub(super) fn if_released(&self, settings: &Settings, release: ReleaseSigned) -> Verdict {
        let settings = self.other.as_deref().unwrap_or(settings);
        let mut facts = self.facts.clone();
        facts.people.released = Some(release);
        release::decide(&evidence::evidence(&facts, settings), &settings.pack)
    }
}

fn stage(verdict: &Verdict, people: &ByPeople, basis: &str) -> Stage {
    if people.discarded.is_some() {
        return Stage::Discarded;
    }
    if verdict.is_releasable() {
        return Stage::Released;
    }
    match verdict.unit() {
        Unit::Discard => Stage::Failing,
        Unit::Hold if !people.holds.is_empty() => Stage::Held,
        Unit::Hold => Stage::Open,
        Unit::Pass if people.reviewed.as_ref().is_some_and(|signed| signed.basis == basis) => Stage::Reviewed,
        Unit::Pass => Stage::Ready,
    }
}

impl BatchNow {
    /// Reads a batch and judges each of its donations.
    ///
    /// # Errors
    /// [`Refused::NoSuchBatch`], [`Refused::Broken`].
    pub fn read(settings: &Settings, reader: &Reader, batch: Seq) -> Result<Self, Refused> {
        // Read first: what comes while the donations are read is told as a change, once too often rather than never.
        let as_of = reader.applied();
        let view = reader.batch(batch)?.ok_or(Refused::NoSuchBatch(batch))?;
        let donations = reader.donations_of_batch(batch)?;
        let book = Book::read(settings, reader).map_err(|why| Refused::Broken(why.to_string()))?;
        // A person waits for it. Donations of a batch stand on the same plates: each thread reads each plate once.
        let few = donations.len() < DONATIONS_PER_THREAD_MIN * 2;
        let threads = if few { 1 } else { threads(THREADS_MAX) };
        let mut known: Vec<Known> = (0..threads).map(|_| Known::default()).collect();
        let members = shared(&donations, &mut known, |share, (known, read)| -> Result<_, ReadError> {
            let now = |donation: &DonationId| {
                let about = reader.donation_with(donation, read)?;
                let facts = decider::facts(settings, reader, donation, about, known)?;
                Ok(MemberNow::new(facts, &book))
            };
            share.iter().map(now).collect()
        })?;
        let mut hasher = Sha256::new();
        // Each basis has the pack in it that judges its donation.
        hasher.update(format!("batch {batch}\n").as_bytes());
        for member in &members {
            let line = format!("{} {} {}\n", member.donation, member.basis, member.verdict.content_hash());
            hasher.update(line.as_bytes());
        }
        let seen = hex(hasher.finalize());
        let failing = members.iter().filter(|m| m.verdict.unit() == Unit::Discard);
        let units = failing.map(MemberNow::units);
        let (failing, located) = units.fold((0, 0), |(all, found), (a, f)| (all + a, found + f));
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let count = UnitCount { failing: number(failing), located: number(located) };
        Ok(Self { batch: view, members, seen, count, as_of })
    }

    /// What a signature names: the hash of all of it, and since when it was looked at, so that a refusal can say what
    /// has changed.
    #[must_use]
    pub fn ticket(&self) -> String {
        format!("{}.{}", self.seen, self.as_of)
    }

    /// How many donations are so far.
    #[must_use]
    pub fn stages(&self) -> BTreeMap<Stage, usize> {
        let mut stages = BTreeMap::new();
        for member in &self.members {
            *stages.entry(member.stage).or_default() += 1;
        }
        stages
    }
}
