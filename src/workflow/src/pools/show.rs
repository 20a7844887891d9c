//! A pool as people see it: members, results, and why it says what it says.

use super::evidence::{alone, sought};
use super::facts::{Drawn, Making, PoolFacts, facts_of};
use super::sound::{PoolFault, conflict, faults, last_making, tested_making};
use crate::{Settings, facts::TypedNumber, runs};
use ledger::{Interpretations, ReadError, Reader, Seq};
use release::evidence::PoolMember;
use serde::Serialize;
use vocabulary::{Aspiration, DonationId, Finding, Interpretation, Observation, PoolId};

/// What a pool says, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolSays {
    /// No log names its members.
    NoMembers,
    /// Its membership is not sound, or something of it waits for a person: it says nothing of its members.
    NotSound,
    /// It was not tested yet.
    Waiting,
    /// The analyser found nothing, in a sound pool.
    NonReactive,
    /// It is to be tested again.
    Invalid,
    /// Its members are to be tested singly.
    Reactive,
}

/// One member of a making.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberShown {
    /// Whose it is, where its barcode is a donation's here.
    pub donation: Option<DonationId>,
    /// It is registered.
    pub registered: bool,
    /// As the robot's log has it.
    #[serde(flatten)]
    pub aspiration: Aspiration,
    /// File or message, and row.
    pub place: String,
    /// What it gave when tested alone, where the pool asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alone: Option<PoolMember>,
}

/// The pool as one run of the robot made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MakingShown {
    /// The robot's run.
    pub run: String,
    /// When its last member was drawn.
    pub made_at: Option<String>,
    /// How many members it has to have.
    pub size: Option<u16>,
    /// Its members.
    pub members: Vec<MemberShown>,
    /// What is wrong with it; nothing: it is sound.
    pub why: Vec<PoolFault>,
}

/// Everything about one pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolShown {
    /// Its number.
    pub pool: PoolId,
    /// The entry that first spoke of it.
    pub first: Seq,
    /// What it says.
    pub says: PoolSays,
    /// Every donation that any log names as its member.
    pub members: Vec<DonationId>,
    /// How often it was made.
    pub makings: Vec<MakingShown>,
    /// Its results, oldest first.
    pub results: Vec<Observation>,
    /// Why it says nothing, or waits for a person.
    pub why: Vec<PoolFault>,
    /// Findings that hold its members.
    pub findings: Vec<Finding>,
    /// Its number, where it was typed in: each member waits until two people have compared it (R-GATE-09).
    pub typed: Vec<TypedNumber>,
}

/// Everything about a pool; nothing where no message spoke of it.
///
/// # Errors
/// [`ReadError`].
pub fn show(settings: &Settings, reader: &Reader, pool: &PoolId) -> Result<Option<PoolShown>, ReadError> {
    let mut read = Interpretations::default();
    let Some(view) = reader.pool(pool, &mut read)? else { return Ok(None) };
    let first = view.summary.first;
    let facts = facts_of(settings, reader, view, (&mut runs::Known::default(), &mut read))?;
    let mut why: Vec<PoolFault> = conflict(&facts).into_iter().collect();
    for result in &facts.results {
        let found = match tested_making(&facts, result.tested_at) {
            Ok(making) => faults(making, &facts, settings),
            Err(fault) => vec![fault],
        };
        why.extend(found.into_iter().filter(|fault| !why.contains(fault)).collect::<Vec<_>>());
    }
    if facts.results.is_empty()
        && let Some(making) = last_making(&facts)
    {
        why.extend(faults(making, &facts, settings));
    }
    Ok(Some(PoolShown {
        pool: pool.clone(),
        first,
        says: says(&facts, &why),
        members: facts.members.keys().cloned().collect(),
        makings: facts.makings.iter().map(|making| making_shown(making, &facts, settings)).collect(),
        results: facts.results.iter().map(|fact| fact.observation.clone()).collect(),
        why,
        findings: facts.findings.clone(),
        typed: facts.typed.clone(),
    }))
}

fn making_shown(making: &Making, facts: &PoolFacts, settings: &Settings) -> MakingShown {
    MakingShown {
        run: making.run.clone(),
        made_at: making.made().map(|(_, to)| to.to_string()),
        size: making.sizes.first().copied(),
        members: making.drawn.iter().map(|drawn| member_shown(drawn, facts, settings)).collect(),
        why: faults(making, facts, settings),
    }
}

fn member_shown(drawn: &Drawn, facts: &PoolFacts, settings: &Settings) -> MemberShown {
    let about = drawn.donation.as_ref().and_then(|donation| Some((donation, facts.members.get(donation)?)));
    MemberShown {
        donation: drawn.donation.clone(),
        registered: about.is_some_and(|(_, about)| about.registered),
        aspiration: drawn.aspiration.clone(),
        place: drawn.place.clone(),
        alone: about
            .filter(|_| facts.is_resolved())
            .map(|(donation, about)| alone(donation, about, &sought(facts), settings)),
    }
}

fn says(facts: &PoolFacts, why: &[PoolFault]) -> PoolSays {
    let reads = |wanted: Interpretation| {
        facts.results.iter().any(|fact| fact.observation.value.interpretation == Some(wanted))
    };
    if facts.makings.is_empty() {
        PoolSays::NoMembers
    } else if reads(Interpretation::Reactive) {
        PoolSays::Reactive
    } else if !why.is_empty() || !facts.findings.is_empty() {
        PoolSays::NotSound
    } else if facts.results.is_empty() {
        PoolSays::Waiting
    } else if reads(Interpretation::NonReactive) {
        PoolSays::NonReactive
    } else {
        PoolSays::Invalid
    }
}
