//! The loop: interpret what waits, then decide what waits, then sleep until the state moves.

use crate::orders::{self, OrderRules};
use crate::{LotRegister, Profiles, SpecimenRule, decider, interpreter};
use ledger::{AppendFailed, Draft, Ledger, ReadError, Refused, Seq};
use quality_control::kits::Kits;
use release::RulePack;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use vocabulary::DestinationId;

/// The longest sleep: a missed wake-up costs no more.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Pause after the ledger would not read or write.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);

/// How often orders are looked through for those that grew too old.
const LOOK_FOR_OLD_ORDERS_EVERY: Duration = Duration::from_mins(1);

/// Where the two people sign who release a donation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOff {
    /// Here: a donation that passes is told to receivers when it is released.
    #[default]
    Here,
    /// In the blood information system: it is told what passes as soon as the tests are complete, and releases itself.
    Elsewhere,
}

/// What the rooms are given.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Every profile revision that messages may have been received under.
    pub profiles: Profiles,
    /// The rule pack of the configuration. It judges where the ledger knows of no other ([`crate::rules`]).
    pub pack: RulePack,
    /// From specimens to donations.
    pub specimens: SpecimenRule,
    /// Zone of clocks that name none.
    pub time_zone: jiff::tz::TimeZone,
    /// Lots the laboratory has accepted.
    pub lots: LotRegister,
    /// Kits that say when a run is valid; an assay without one is judged by its profile's controls.
    pub kits: Kits,
    /// How many serology reagents the laboratory tests each marker with. The verdict waits for all of them.
    pub reagents_per_marker: usize,
    /// So many donations taken before one whose tube may be wrong, and so many after it, wait with it (rules.md §1.6, G4).
    pub neighbours_each_side: usize,
    /// Who gets verdicts.
    pub deliver_to: Vec<DestinationId>,
    /// Where donations are released.
    pub sign_off: SignOff,
    /// The worklist's limits, and the analysers orders wait for.
    pub orders: OrderRules,
}

/// Why the work stands still for now. The items stay where they are.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The ledger takes nothing now.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The ledger could not write.
    #[error("{0}")]
    Failed(#[from] AppendFailed),
    /// The state does not follow the journal.
    #[error("{0}")]
    Stands(#[from] ledger::StateStands),
    /// A verdict could not be written down.
    #[error("the verdict cannot be written: {0}")]
    Unwritable(String),
    /// A rule pack that was in force cannot be read; nothing is judged by another one.
    #[error("{0}")]
    Rules(String),
}

/// Works until `stop`.
pub async fn run(settings: Arc<Settings>, ledger: Ledger, stop: CancellationToken) {
    let worker = tokio::task::spawn_blocking(move || work(&settings, &ledger, &stop));
    if let Err(e) = worker.await {
        tracing::error!(error = %e, "the workflow has stopped; messages wait until hemogate is started again");
    }
}

fn work(settings: &Settings, ledger: &Ledger, stop: &CancellationToken) {
    let mut moves = ledger.subscribe();
    let mut aged_at: Option<Instant> = None;
    while !stop.is_cancelled() {
        if aged_at.is_none_or(|at| at.elapsed() >= LOOK_FOR_OLD_ORDERS_EVERY) {
            aged_at = Some(Instant::now());
            if let Err(why) = orders::expire(settings, ledger, jiff::Timestamp::now().as_millisecond()) {
                tracing::error!(%why, "orders that grew too old are not ended");
            }
        }
        match work_once(settings, ledger) {
            Ok(0) => {
                moves.wait(LOOK_AGAIN);
            }
            Ok(_) => {}
            Err(why) => {
                tracing::error!(%why, "work waits");
                moves.wait(TROUBLE_PAUSE);
            }
        }
    }
}

/// One round: some messages, or when none wait some donations. Returns how many items were ended.
///
/// # Errors
/// [`Stopped`]; what was not appended stays to be done.
pub fn work_once(settings: &Settings, ledger: &Ledger) -> Result<usize, Stopped> {
    // A state that stood still while the last round was written would show the same items again.
    ledger.wait_applied(ledger.status().durable).wait()?;
    let groups = match interpreter::some(settings, ledger)? {
        none if none.is_empty() => decider::some(settings, ledger)?,
        groups => groups,
    };
    let count = groups.len();
    keep(ledger, groups)?;
    Ok(count)
}

/// Appends groups and waits until the state knows them: the next round must not see the same items. Where the ledger
/// takes only some of them, it waits for those before it says so.
fn keep(ledger: &Ledger, groups: Vec<Vec<Draft>>) -> Result<(), Stopped> {
    let (mut last, mut stopped, mut taken) = (Seq::NONE, None, Vec::with_capacity(groups.len()));
    for group in groups {
        match ledger.append(group) {
            Ok(pending) => taken.push(pending),
            Err(refused) => {
                stopped = Some(refused.into());
                break;
            }
        }
    }
    for pending in taken {
        match pending.wait() {
            Ok(kept) => last = last.max(kept.last()),
            Err(failed) => stopped = stopped.or(Some(failed.into())),
        }
    }
    ledger.wait_applied(last).wait()?;
    stopped.map_or(Ok(()), Err)
}
