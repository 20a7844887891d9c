//! Messages, their meaning, and verdicts.

use super::{Export, ExportError, json, put_bytes, set, time};
use crate::state::FrameRef;
use crate::{Body, Entry, Seq, What};
use serde_json::{Value, json as object};
use vocabulary::DonationId;

impl Export {
    pub(super) fn message(&mut self, entry: &Entry) -> Result<(), ExportError> {
        match &entry.what {
            What::FrameReceived { transfer, text, .. } => self.note_frame(entry.seq, *transfer, text.len()),
            What::TransferEnded { transfer, .. } => drop(self.transfers.remove(transfer)),
            What::MessageReceived { connection, mode, profile, protocol, body } => {
                let mut message = object!({
                    "message": entry.seq, "at": time(entry.at_ms), "connection": connection, "mode": mode,
                    "profile": profile, "protocol": protocol,
                });
                match body {
                    Body::Whole(bytes) => put_bytes(&mut message, "raw", bytes),
                    Body::Made { text, transfer, .. } => {
                        set(&mut message, "transfer", (*transfer).into());
                        put_bytes(&mut message, "raw", text);
                    }
                    Body::Frames { transfer, from, to } => {
                        set(&mut message, "transfer", (*transfer).into());
                        match self.joined(*transfer, *from, *to)? {
                            Some(bytes) => put_bytes(&mut message, "raw", &bytes),
                            None => set(&mut message, "raw", Value::Null),
                        }
                    }
                }
                self.ready.push_back(message);
            }
            What::Started { .. }
            | What::Stopped
            | What::MessageInterpreted { .. }
            | What::DonationRegistered(_)
            | What::VerdictMade(_)
            | What::VerdictUnchanged { .. }
            | What::DeliveryAttempted { .. }
            | What::DeliveryDone { .. }
            | What::DeliveryDead { .. }
            | What::DeliveryRequeued { .. }
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
            | What::TailCut { .. } => {}
        }
        Ok(())
    }

    fn note_frame(&mut self, seq: Seq, transfer: u64, length: usize) {
        let frames = self.transfers.entry(transfer).or_default();
        let start = frames.last().map_or(0, FrameRef::end);
        frames.push(FrameRef { seq, start, length: u32::try_from(length).unwrap_or(u32::MAX) });
    }

    fn joined(&self, transfer: u64, from: u32, to: u32) -> Result<Option<Vec<u8>>, ExportError> {
        let Some(frames) = self.transfers.get(&transfer) else { return Ok(None) };
        let mut out = Vec::new();
        for slice in crate::fold::slices(frames, from, to) {
            let entry = self.index.entry(slice.seq)?;
            let What::FrameReceived { text, .. } = entry.what else { return Ok(None) };
            let (from, to) = (usize::try_from(slice.from), usize::try_from(slice.to));
            let Some(part) = from.ok().zip(to.ok()).and_then(|(from, to)| text.get(from..to)) else {
                return Ok(None);
            };
            out.extend_from_slice(part);
        }
        Ok(Some(out))
    }

    pub(super) fn observations(&mut self, entry: &Entry) -> Result<(), ExportError> {
        let What::MessageInterpreted {
            message,
            profile,
            observations,
            findings,
            donations,
            holds,
            measured,
            ..
        } = &entry.what
        else {
            return Ok(());
        };
        let about = |list: &[(u32, DonationId)], index: u32| {
            list.iter().find(|(i, _)| *i == index).map(|(_, donation)| donation.clone())
        };
        for (index, observation) in (0u32..).zip(observations) {
            let mut line = json(entry, observation)?;
            self.place(&mut line, entry, (*message, about(donations, index)))?;
            set(&mut line, "profile", json(entry, profile)?);
            if let Some(measured) = measured.iter().find(|m| m.index == index) {
                set(&mut line, "place", measured.place.into());
                if let Some((name, of)) = measured.earlier.map(|earlier| (earlier.name(), earlier.of())) {
                    set(&mut line, name, json(entry, &of)?);
                }
            }
            self.ready.push_back(line);
        }
        for (index, finding) in (0u32..).zip(findings) {
            let mut line = json(entry, finding)?;
            self.place(&mut line, entry, (*message, about(holds, index)))?;
            self.ready.push_back(line);
        }
        Ok(())
    }

    fn place(
        &self,
        line: &mut Value,
        entry: &Entry,
        (message, donation): (Seq, Option<DonationId>),
    ) -> Result<(), ExportError> {
        set(line, "message", json(entry, &message)?);
        set(line, "entry", json(entry, &entry.seq)?);
        set(line, "at", time(entry.at_ms).into());
        set(line, "donation", json(entry, &donation)?);
        if let What::MessageReceived { connection, mode, .. } = self.index.entry(message)?.what {
            set(line, "connection", json(entry, &connection)?);
            set(line, "mode", json(entry, &mode)?);
        }
        Ok(())
    }

    pub(super) fn verdict(&mut self, entry: &Entry) -> Result<(), ExportError> {
        if let What::VerdictMade(made) = &entry.what {
            let mut verdict: Value = serde_json::from_str(made.json())
                .map_err(|error| ExportError::Json { seq: entry.seq, error })?;
            set(&mut verdict, "entry", json(entry, &entry.seq)?);
            set(&mut verdict, "at", time(entry.at_ms).into());
            set(&mut verdict, "by", entry.by.clone().into());
            set(&mut verdict, "considered", json(entry, &made.considered())?);
            set(&mut verdict, "deliver_to", json(entry, &made.deliver_to())?);
            set(&mut verdict, "content_hash", made.content_hash().into());
            self.ready.push_back(verdict);
        }
        Ok(())
    }
}
