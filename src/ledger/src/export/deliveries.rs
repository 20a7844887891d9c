//! What happened to each delivery.

use super::{Export, ExportError, json, put_bytes, set, time};
use crate::{DeliveryId, Entry, What};
use serde_json::{Value, json as object};
use vocabulary::DonationId;

impl Export {
    pub(super) fn delivery(&mut self, entry: &Entry) -> Result<(), ExportError> {
        let (id, event) = match &entry.what {
            What::VerdictMade(made) => {
                for destination in made.deliver_to() {
                    let id = DeliveryId { verdict: entry.seq, destination: destination.clone() };
                    self.happened(entry, (&id, Some(made.donation())), "queued")?;
                }
                return Ok(());
            }
            What::DeliveryAttempted { delivery, .. } => (delivery, "attempted"),
            What::DeliveryDone { delivery, .. } => (delivery, "done"),
            What::DeliveryDead { delivery, .. } => (delivery, "dead"),
            What::DeliveryRequeued { delivery } => (delivery, "requeued"),
            What::Started { .. }
            | What::Stopped
            | What::FrameReceived { .. }
            | What::TransferEnded { .. }
            | What::MessageReceived { .. }
            | What::MessageInterpreted { .. }
            | What::DonationRegistered(_)
            | What::VerdictUnchanged { .. }
            | What::FileTaken { .. }
            | What::LinkNoted { .. }
            | What::DonorDataRead { .. }
            | What::ClockCompared { .. }
            | What::OrderPlaced { .. }
            | What::OrderCancelled { .. }
            | What::OrderExpired { .. }
            | What::OrderSent { .. }
            | What::QueryAnswered { .. }
            | What::Person(_)
            | What::ProfileKept { .. }
            | What::ProfilePinned { .. }
            | What::ProfileProposed { .. }
            | What::ProfileActivated { .. }
            | What::ReprocessAsked { .. }
            | What::InterpretationStands { .. }
            | What::FaultAcknowledged { .. }
            | What::Rules(_)
            | What::Kits(_)
            | What::Lots(_)
            | What::Fitness(_)
            | What::Donor(_)
            | What::Component(_)
            | What::Signed(_)
            | What::WrongTubeSuspected { .. }
            | What::CommandRefused { .. }
            | What::TailCut { .. } => return Ok(()),
        };
        self.happened(entry, (id, None), event)?;
        if let Some(line) = self.ready.back_mut() {
            details(line, &entry.what);
        }
        Ok(())
    }

    fn happened(
        &mut self,
        entry: &Entry,
        (id, donation): (&DeliveryId, Option<&DonationId>),
        event: &str,
    ) -> Result<(), ExportError> {
        let found = match donation {
            Some(donation) => Some(donation.clone()),
            None => self.donation_of(id)?,
        };
        let line = object!({
            "entry": entry.seq, "at": time(entry.at_ms), "by": entry.by, "delivery": id.to_string(),
            "verdict": id.verdict, "destination": id.destination, "donation": json(entry, &found)?, "event": event,
        });
        self.ready.push_back(line);
        Ok(())
    }
}

impl Export {
    fn donation_of(&self, id: &DeliveryId) -> Result<Option<DonationId>, ExportError> {
        let What::VerdictMade(made) = self.index.entry(id.verdict)?.what else {
            tracing::warn!(delivery = %id, "a delivery names no verdict");
            return Ok(None);
        };
        Ok(Some(made.donation().clone()))
    }
}

fn details(line: &mut Value, what: &What) {
    if let What::DeliveryAttempted { outcome, next_at_ms, .. } = what {
        set(line, "outcome", outcome.clone().into());
        set(line, "next_at", time(*next_at_ms).into());
    } else if let What::DeliveryDone { answer, .. } = what {
        put_bytes(line, "answer", answer);
    } else if let What::DeliveryDead { reason, .. } = what {
        set(line, "reason", reason.clone().into());
    }
}
