//! What waits for a held message.

use ledger::{Interpretation, MessageView, ReadError, Reader};
use serde::Serialize;
use std::collections::BTreeSet;
use vocabulary::{Consequence, DonationId, Mode, Observation, PoolId, RunId, SpecimenKind};

/// Things of one kind that are listed; `…_total` counts all of them.
const LISTED_MAX: usize = 200;

/// What a message holds up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Holds {
    /// Specimens, as the analyser read them.
    pub specimens: Vec<String>,
    /// How many.
    pub specimens_total: usize,
    /// Donations: no verdict of theirs can pass while this stands.
    pub donations: Vec<DonationId>,
    /// How many.
    pub donations_total: usize,
    /// Runs whose controls are in it and cannot be used.
    pub runs: Vec<HeldRun>,
    /// How many.
    pub runs_total: usize,
    /// Nothing in it could be read that says whom it is about: what it holds up is not known.
    pub unknown: bool,
    /// Its connection is not in production: it holds up nothing.
    pub not_production: bool,
}

/// A run whose controls are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldRun {
    /// Its name.
    pub run: RunId,
    /// Donations with results of it.
    pub donations: usize,
}

impl Holds {
    pub(super) fn of(
        reader: &Reader,
        message: &MessageView,
        meaning: &Interpretation,
    ) -> Result<Self, ReadError> {
        let specimens = specimens(meaning);
        let mut donations: BTreeSet<DonationId> =
            meaning.holds.iter().map(|(_, donation)| donation.clone()).collect();
        let pools: BTreeSet<&PoolId> = meaning.pools.holds.iter().map(|(_, pool)| pool).collect();
        for pool in pools {
            donations.extend(reader.members_of(pool)?);
        }
        let runs = runs(meaning, &specimens);
        let production = message.mode == Mode::Production;
        let unknown = specimens.is_empty() && donations.is_empty() && runs.is_empty();
        let mut held = Vec::new();
        for run in runs.iter().take(LISTED_MAX) {
            held.push(HeldRun { run: (*run).clone(), donations: reader.donations_of_run(run)? });
        }
        Ok(Self {
            specimens_total: specimens.len(),
            donations_total: donations.len(),
            runs_total: runs.len(),
            donations: donations.into_iter().take(LISTED_MAX).collect(),
            specimens: specimens.into_iter().take(LISTED_MAX).collect(),
            runs: held,
            unknown,
            not_production: !production,
        })
    }
}

/// Specimens that the findings name; all of the message where one names none.
fn specimens(meaning: &Interpretation) -> BTreeSet<String> {
    let holding = || meaning.findings.iter().filter(|finding| finding.consequence > Consequence::Note);
    let mut specimens: BTreeSet<String> = holding().filter_map(|finding| finding.specimen.clone()).collect();
    let all = holding().any(|f| f.specimen.is_none() || f.consequence == Consequence::Quarantine);
    if all {
        specimens
            .extend(meaning.observations.iter().filter_map(|o| o.specimen.as_ref()).map(ToString::to_string));
    }
    specimens
}

fn runs<'m>(meaning: &'m Interpretation, specimens: &BTreeSet<String>) -> BTreeSet<&'m RunId> {
    let holding = || meaning.findings.iter().filter(|finding| finding.consequence > Consequence::Note);
    let all = holding().any(|f| f.specimen.is_none() || f.consequence == Consequence::Quarantine);
    let held = |o: &&Observation| {
        let stands_for_run = match o.kind {
            SpecimenKind::Control | SpecimenKind::Calibrator | SpecimenKind::Blank => true,
            SpecimenKind::Patient | SpecimenKind::Proficiency | SpecimenKind::Unknown => false,
        };
        stands_for_run && (all || o.specimen.as_ref().is_some_and(|s| specimens.contains(s.as_str())))
    };
    meaning.observations.iter().filter(held).filter_map(|o| o.run.as_ref()).collect()
}
