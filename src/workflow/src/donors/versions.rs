//! Which version of a result stands, where an analyser sent one measurement with different values or took a reactive one
//! away by a correction (R-GATE-15): two different people name the same version, with a reason.

use super::checks::step;
use super::{DonorFacts, LINES_MAX, Refused, donation, is_seen, text, write_all};
use crate::batches::Agreed;
use crate::cut::Cuts;
use crate::measurement::{By, Disputed, Words, measurements};
use crate::people::{Act, Actor};
use crate::{DonationFacts, Settings, rules};
use ledger::{DonorAct, Ledger, Reader, Seq};
use rust_decimal::Decimal;
use serde::Serialize;
use std::fmt;
use vocabulary::{DonationId, Interpretation, Marker, PoolId, ResultStatus};

/// One version of a result, and who says that it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionSeen {
    /// Its message.
    pub message: u64,
    /// What came out, as it was sent.
    pub value: String,
    /// The optical density, of a plate's well.
    pub od: Option<Decimal>,
    /// How the analyser reads it.
    pub interpretation: Option<Interpretation>,
    /// How far it had come.
    pub status: ResultStatus,
    /// Who says that it stands; it takes two, and nobody who names another.
    pub said_by: Vec<String>,
}

/// A measurement that was sent with different values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisputedSeen {
    /// The pool whose result it is, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolId>,
    /// By which assay.
    pub assay: String,
    /// What was tested for.
    pub marker: Marker,
    /// In which run.
    pub run: Option<String>,
    /// Which well or tube of the run, as the analyser names it.
    pub replicate: Option<String>,
    /// SHA-256 of its versions: who says which stands names it.
    pub seen: String,
    /// Its versions, by message.
    pub versions: Vec<VersionSeen>,
    /// The message whose version stands by the word of two people.
    pub stands: Option<u64>,
}

impl fmt::Display for DisputedSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { assay, marker, seen, versions, .. } = self;
        write!(f, "{assay} {marker} {seen}: ")?;
        for (at, VersionSeen { message, value, od, interpretation, .. }) in versions.iter().enumerate() {
            write!(f, "{}{message} {value:?}", if at == 0 { "" } else { ", " })?;
            if let Some(od) = od {
                write!(f, " OD {od}")?;
            }
            if let Some(read) = interpretation {
                write!(f, " ({read:?})")?;
            }
        }
        Ok(())
    }
}

impl DonorFacts {
    /// What people said of versions of the donation's own results, or of those of a pool that it is in.
    pub(crate) fn words<'w>(&'w self, pool: Option<&'w PoolId>) -> Words<'w> {
        Words { all: &self.results, pool }
    }
}

fn seen(one: &Disputed<'_>, pool: Option<&PoolId>) -> Option<DisputedSeen> {
    let o = &one.versions.first()?.observation;
    let version = |fact: &&crate::Fact| VersionSeen {
        message: fact.message,
        value: fact.observation.value.raw.clone(),
        od: fact.observation.value.od,
        interpretation: fact.observation.value.interpretation,
        status: fact.observation.status,
        said_by: one
            .words
            .iter()
            .filter(|word| word.message.get() == fact.message)
            .map(|word| word.done.by.clone())
            .collect(),
    };
    Some(DisputedSeen {
        pool: pool.cloned(),
        assay: o.assay.clone(),
        marker: o.marker,
        run: o.run.as_ref().map(ToString::to_string),
        replicate: o.replicate.clone(),
        seen: one.hash.clone(),
        versions: one.versions.iter().map(version).collect(),
        stands: one.settled.map(|fact| fact.message),
    })
}

/// Results of a donation, and of the pools that it is in, that were sent with different values: those that wait, and those
/// that two people have settled.
#[must_use]
pub fn disputed(facts: &DonationFacts, settings: &Settings) -> Vec<DisputedSeen> {
    let by = By { cuts: Cuts::of(settings), runs: &facts.runs };
    let of = |results, pool| {
        let all = measurements(results, by, facts.donor.words(pool)).disputed;
        all.into_iter().filter_map(move |one| seen(&one, pool))
    };
    let own = of(&facts.observations, None);
    own.chain(facts.pools.iter().flat_map(|pool| of(&pool.results, Some(&pool.pool)))).collect()
}

/// The version of a result that stands, as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// By which assay.
    pub assay: String,
    /// What was tested for.
    pub marker: Marker,
    /// The message whose version stands.
    pub message: u64,
    /// The hash of the versions that the person saw, or how it begins: it also says which measurement, where the assay has
    /// several, and nothing is said where another version came meanwhile.
    pub seen: String,
}

impl Version {
    /// The measurement that is meant, and whether the person has said so of it.
    fn of<'d>(&self, donation: &DonationId, there: &'d [DisputedSeen]) -> Result<&'d DisputedSeen, Refused> {
        if there.is_empty() {
            return Err(Refused::NothingDisputed(donation.clone()));
        }
        let mut of_assay =
            there.iter().filter(|one| one.assay == self.assay && one.marker == self.marker).peekable();
        let none = || Refused::NoSuchVersion {
            assay: self.assay.clone(),
            marker: self.marker,
            message: self.message,
            there: there.iter().map(ToString::to_string).collect(),
        };
        if of_assay.peek().is_none() {
            return Err(none());
        }
        let now = of_assay.clone().map(ToString::to_string);
        let others = || Refused::OtherVersions { seen: self.seen.clone(), there: now.collect() };
        let one = of_assay.find(|one| is_seen(&self.seen, &one.seen)).ok_or_else(others)?;
        let has = one.versions.iter().any(|version| version.message == self.message);
        if has { Ok(one) } else { Err(none()) }
    }
}

/// The disputed results of a donation as the pack sees them that judges it.
fn now(settings: &Settings, reader: &Reader, facts: &DonationFacts) -> Result<Vec<DisputedSeen>, Refused> {
    let other = rules::settings_for(settings, reader, facts);
    let other = other.map_err(|why| Refused::Broken(why.to_string()))?;
    Ok(disputed(facts, other.as_deref().unwrap_or(settings)))
}

/// One of the two names under which version of a result stands. It holds for the versions that were seen: where another one
/// comes, or one is read otherwise, nobody has said anything of it, and the graver one counts again. Who names another
/// version later takes back what they said; while two people name different ones, none of them stands. A word on a pool's
/// result is one for each of its donations.
///
/// # Errors
/// [`Refused`]; [`Refused::NothingDisputed`], [`Refused::NoSuchVersion`], [`Refused::OtherVersions`],
/// [`Refused::SaidAlready`].
pub fn settle_result(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (given, named): (&str, &Version),
    reason: &str,
) -> Result<Agreed, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::SettleResult)?;
    let (donation, reason) = (donation(settings, given)?, text("reason", reason)?);
    let facts = crate::facts_of(settings, &reader, &donation)?;
    let there = now(settings, &reader, &facts)?;
    let one = named.of(&donation, &there)?;
    let mine = |version: &&VersionSeen| version.message == named.message;
    let said_by = one.versions.iter().filter(mine).flat_map(|version| &version.said_by);
    if said_by.into_iter().any(|by| by == actor.user().as_str()) {
        return Err(Refused::SaidAlready);
    }
    if facts.donor.results.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    let of: Vec<DonationId> = match &one.pool {
        None => vec![donation.clone()],
        Some(pool) => {
            let of_pool = facts.pools.iter().filter(|known| known.pool == *pool);
            of_pool.flat_map(|known| known.members.keys().cloned()).collect()
        }
    };
    let act = |donation: DonationId| DonorAct::ResultSettled {
        donation,
        pool: one.pool.clone(),
        assay: one.assay.clone(),
        marker: one.marker,
        versions: one.seen.clone(),
        message: Seq::new(named.message),
        reason: reason.clone(),
    };
    let entry = write_all(ledger, actor, of.into_iter().map(act).collect())?;
    let reader = ledger.state();
    let standing = now(settings, &reader, &crate::facts_of(settings, &reader, &donation)?)?;
    let stands = standing.iter().find(|now| now.seen == one.seen).and_then(|now| now.stands);
    Ok(step(entry, stands != Some(named.message)))
}
