//! State = fold(journal): one pure function, idempotent by sequence number.
//!
//! It reads nothing but the state before and the entry, and writes nothing but the changes; the same entries
//! give the same state, byte for byte, however they are cut into batches. It is total: an entry that refers to
//! something which is not there is counted as a misfit and changes nothing else.

mod channel;
mod components;
mod decide;
mod delivery;
mod donor_tasks;
mod donors;
mod faults;
mod fitness;
mod interpret;
mod kits;
mod lookbacks;
mod lots;
mod message;
mod neighbours;
mod order;
#[cfg(test)]
mod order_tests;
mod people;
mod pools;
mod profile;
mod query;
mod register;
mod registered;
mod rules;
mod run;
mod signed;
mod transfer;

pub(crate) use channel::ChannelReading;
pub(crate) use fitness::runs_that_hear;
pub(crate) use interpret::refs;
pub(crate) use lots::lines_of;
pub(crate) use pools::{members, pools_in, pools_of};
pub(crate) use transfer::slices;

use crate::entry::Light;
use crate::state::{
    ClockStands, Counters, Key, STATE_VERSION, StateError, TransferRecord, View, record, seq,
};
use crate::{Seq, What};
use std::collections::BTreeMap;

/// What entries change one after another. It is read once and written once a batch, not an entry.
#[derive(Debug)]
pub(crate) struct Head {
    applied: Seq,
    counters: Counters,
    /// Open transfers that the batch changed; they may not be looked for in the view.
    open: BTreeMap<u64, TransferRecord>,
}

impl Head {
    pub(crate) fn read(view: &View<'_>) -> Result<Self, StateError> {
        let applied = seq(view, Key::APPLIED)?.unwrap_or(Seq::NONE);
        let counters = record(view, Key::COUNTERS)?.unwrap_or_default();
        Ok(Self { applied, counters, open: BTreeMap::new() })
    }

    pub(crate) fn write(&self, view: &mut View<'_>) -> Result<(), StateError> {
        for (transfer, open) in &self.open {
            view.put_record(Key::open_transfer(*transfer).done(), open)?;
        }
        view.put(Key::APPLIED.to_vec(), self.applied.get().to_be_bytes().to_vec());
        view.put_record(Key::COUNTERS.to_vec(), &self.counters)
    }
}

/// Applies `entry`. An entry that was applied before changes nothing.
pub(crate) fn apply(view: &mut View<'_>, head: &mut Head, light: &Light) -> Result<(), StateError> {
    let Head { applied, counters, open } = head;
    let Light { entry, carried } = light;
    if entry.seq <= *applied {
        return Ok(());
    }
    if entry.seq != applied.next() {
        return Err(StateError(format!("entry {} cannot follow entry {applied}", entry.seq)));
    }
    if *applied == Seq::NONE {
        view.put_record(Key::VERSION.to_vec(), &STATE_VERSION)?;
    }
    counters.entries += 1;
    let fold = &mut Fold { view, counters, open, seq: entry.seq, at_ms: entry.at_ms, by: &entry.by };
    fold.apply(&entry.what, *carried)?;
    *applied = entry.seq;
    Ok(())
}

/// One entry being applied.
struct Fold<'f, 'v> {
    view: &'f mut View<'v>,
    counters: &'f mut Counters,
    open: &'f mut BTreeMap<u64, TransferRecord>,
    seq: Seq,
    at_ms: i64,
    by: &'f str,
}

type Folded = Result<(), StateError>;

impl Fold<'_, '_> {
    fn apply(&mut self, what: &What, carried: usize) -> Folded {
        match what {
            What::Started { .. } => {
                // While the daemon stood still anything may have happened to the clock.
                self.view.delete(Key::CLOCK.to_vec());
                Ok(())
            }
            What::Stopped
            | What::LinkNoted { .. }
            | What::DonorDataRead { .. }
            | What::CommandRefused { .. }
            | What::TailCut { .. } => Ok(()),
            What::ClockCompared { server, clock } => {
                let (server, clock) = (server.clone(), clock.clone());
                let stands = ClockStands { server, clock, entry: self.seq, at_ms: self.at_ms };
                self.view.put_record(Key::CLOCK.to_vec(), &stands)
            }
            What::FrameReceived { connection, transfer, terms, .. } => {
                self.frame(connection, *transfer, terms.as_ref(), carried)
            }
            What::TransferEnded { transfer, how, .. } => self.transfer_ended(*transfer, *how),
            What::MessageReceived { connection, mode, profile, protocol, body } => {
                self.message(connection, (*mode, *protocol), profile, (body, carried))
            }
            What::MessageInterpreted { .. } => self.interpreted(what),
            What::DonationRegistered(registration) => self.registered(registration),
            What::VerdictMade(made) => self.verdict(made),
            What::VerdictUnchanged { donation, considered } => self.considered(donation, *considered),
            What::DeliveryAttempted { delivery, outcome, next_at_ms } => {
                self.attempted(delivery, outcome, *next_at_ms)
            }
            What::DeliveryDone { delivery, .. } => self.delivered(delivery),
            What::DeliveryDead { delivery, reason } => self.dead(delivery, reason),
            What::DeliveryRequeued { delivery } => self.requeued(delivery),
            What::Person(entry) => self.person(entry),
            What::FaultAcknowledged { fault, why } => self.fault_acknowledged(*fault, why),
            What::Rules(act) => self.rules(act),
            What::Kits(act) => self.kits(act),
            What::Lots(act) => self.lots(act),
            What::Fitness(act) => self.fitness(act),
            What::Donor(act) => self.donor_act(act),
            What::Component(act) => self.component_act(act),
            What::Signed(act) => self.signed_act(act),
            What::WrongTubeSuspected { donation, neighbours, stands } => {
                self.wrong_tube(donation, neighbours, *stands)
            }
            What::OrderPlaced { order, from } => self.order_placed(order, *from),
            What::OrderCancelled { order, assays, .. } => self.order_cancelled(order, assays),
            What::OrderExpired { order, .. } => self.order_expired(order),
            What::OrderSent { order, connection, assays, action, accepted, .. } => {
                self.order_sent(order, connection, assays, (*action, *accepted))
            }
            What::QueryAnswered { message, connection, .. } => {
                self.query_answered(*message, connection);
                Ok(())
            }
            What::ProfileKept { profile, .. } => self.profile_kept(profile),
            What::ProfilePinned { connection, profile } => self.profile_pinned(connection, profile),
            What::ProfileProposed { connection, profile, why } => {
                self.profile_proposed(connection, profile, why)
            }
            What::ProfileActivated { connection, profile, proposed } => {
                self.profile_activated(connection, profile, *proposed)
            }
            What::ReprocessAsked { message, profile, .. } => self.reprocess_asked(*message, profile),
            What::InterpretationStands { message, profile } => self.interpretation_stands(*message, profile),
            What::FileTaken { connection, name, sha256, .. } => {
                let here = self.seq.get().to_be_bytes().to_vec();
                self.view.put(Key::file_taken(connection, sha256).text(name).done(), here.clone());
                self.view.put(Key::file_taken_last(connection).done(), here);
                Ok(())
            }
        }
    }

    /// The entry refers to something that is not there.
    fn misfit(&mut self) {
        self.counters.misfits += 1;
    }

    fn mark(&mut self, key: Key) {
        self.view.put(key.done(), Vec::new());
    }
}
