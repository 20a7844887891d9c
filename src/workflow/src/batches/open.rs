//! A batch is put together.

use super::{DONATIONS_MAX, Refused, scanned, text, write};
use crate::{
    Settings,
    people::{Act, Actor},
};
use jiff::Timestamp;
use ledger::{BatchOf, Ledger, Seq, SignedAct};
use serde::Deserialize;
use std::collections::BTreeSet;
use vocabulary::{DonationId, RunId};

/// A time in which donations were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// From here on.
    pub from: Timestamp,
    /// Up to before this.
    pub to: Timestamp,
}

/// A batch to be made, from one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewBatch {
    /// Its name, for people.
    pub name: String,
    /// Donations taken in a time.
    pub session: Option<Session>,
    /// Donations of these runs.
    pub runs: Vec<String>,
    /// These donations, in any form the site knows.
    pub donations: Vec<String>,
}

/// Makes a batch; its number.
///
/// # Errors
/// [`Refused`].
pub fn open(settings: &Settings, ledger: &Ledger, actor: &Actor, new: &NewBatch) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::OpenBatch)?;
    let name = text("name", &new.name)?;
    let (of, donations): (BatchOf, Vec<DonationId>) =
        match (new.session, new.runs.as_slice(), new.donations.as_slice()) {
            (Some(Session { from, to }), [], []) => {
                let (from_ms, to_ms) = (from.as_millisecond(), to.as_millisecond());
                let found = reader.collected_between((from_ms, to_ms), DONATIONS_MAX + 1)?;
                (BatchOf::Session { from_ms, to_ms }, found)
            }
            (None, runs, []) if !runs.is_empty() => of_runs(&reader, runs)?,
            (None, [], numbers) if !numbers.is_empty() => {
                (BatchOf::List, scanned(settings, ledger, None, numbers)?)
            }
            (Some(_) | None, _, _) => return Err(Refused::From),
        };
    if donations.is_empty() {
        return Err(Refused::Empty);
    }
    if donations.len() > DONATIONS_MAX {
        return Err(Refused::TooMany { max: DONATIONS_MAX });
    }
    none_in_a_batch(&reader, &donations)?;
    let act = SignedAct::BatchOpened { name, of, donations: donations.clone(), whole: true };
    let batch = write(ledger, actor, act)?;
    let reader = ledger.state();
    if reader.batch(batch)?.is_none() {
        // Somebody else opened one with some of them meanwhile: there is no second.
        none_in_a_batch(&reader, &donations)?;
        return Err(Refused::Empty);
    }
    Ok(batch)
}

fn none_in_a_batch(reader: &ledger::Reader, donations: &[DonationId]) -> Result<(), Refused> {
    for donation in donations {
        if let Some(batch) = reader.batch_of(donation)? {
            return Err(Refused::InBatch { donation: donation.clone(), batch });
        }
    }
    Ok(())
}

fn of_runs(reader: &ledger::Reader, runs: &[String]) -> Result<(BatchOf, Vec<DonationId>), Refused> {
    let mut ids = Vec::with_capacity(runs.len());
    let mut donations: BTreeSet<DonationId> = BTreeSet::new();
    for given in runs {
        let wrong =
            |e: vocabulary::IdentifierError| Refused::Number { given: given.clone(), why: e.to_string() };
        let run = RunId::new(given).map_err(wrong)?;
        donations.extend(reader.run(&run)?.donations);
        ids.push(run);
        if donations.len() > DONATIONS_MAX {
            return Err(Refused::TooMany { max: DONATIONS_MAX });
        }
    }
    Ok((BatchOf::Runs { runs: ids }, donations.into_iter().collect()))
}
