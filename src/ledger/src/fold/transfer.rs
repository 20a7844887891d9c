//! Frames and transfers: what is on the way and no message yet.

use super::{Fold, Folded};
use crate::state::{EndRecord, FrameRef, FrameSlice, Key, Read, StateError, TransferRecord, collect, record};
use crate::{HowEnded, Seq, Terms};
use vocabulary::ConnectionId;

/// Frames in one page of a transfer.
const PAGE_FRAMES: usize = 256;

impl Fold<'_, '_> {
    pub(super) fn frame(
        &mut self,
        connection: &ConnectionId,
        transfer: u64,
        terms: Option<&Terms>,
        length: usize,
    ) -> Folded {
        self.counters.frames += 1;
        let found = self.take_open(transfer)?;
        if found.is_none() {
            if self.view.get(&Key::half_transfer(transfer).done())?.is_some() {
                self.misfit();
                return Ok(());
            }
            self.counters.open_transfers += 1;
        }
        let mut open = found.unwrap_or_else(|| TransferRecord {
            connection: connection.clone(),
            began: self.seq,
            began_at_ms: self.at_ms,
            frames: 0,
            bytes: 0,
            used: 0,
            pages: 0,
            refs: Vec::new(),
            ended: None,
            continued_by: None,
            terms: terms.cloned(),
        });
        let Some(end) = u32::try_from(length).ok().and_then(|n| open.bytes.checked_add(n)) else {
            self.misfit();
            self.open.insert(transfer, open);
            return Ok(());
        };
        let frame = FrameRef { seq: self.seq, start: open.bytes, length: end - open.bytes };
        open.refs.extend_from_slice(&FrameRef::pack(&[frame]));
        open.frames += 1;
        open.bytes = end;
        if open.refs.len() >= FrameRef::pack(&[frame]).len() * PAGE_FRAMES {
            let page = Key::transfer_pages(transfer).short(open.pages).done();
            self.view.put(page, std::mem::take(&mut open.refs));
            open.pages = open.pages.saturating_add(1);
        }
        self.open.insert(transfer, open);
        Ok(())
    }

    /// An open transfer as it stands. Whoever changes it puts it back.
    fn take_open(&mut self, transfer: u64) -> Result<Option<TransferRecord>, StateError> {
        match self.open.remove(&transfer) {
            None => record(self.view, &Key::open_transfer(transfer).done()),
            taken => Ok(taken),
        }
    }

    pub(super) fn transfer_ended(&mut self, transfer: u64, how: HowEnded) -> Folded {
        let Some(mut open) = self.take_open(transfer)? else {
            // A transfer without frames leaves nothing behind.
            return Ok(());
        };
        self.counters.open_transfers -= 1;
        self.view.delete(Key::open_transfer(transfer).done());
        if open.used >= open.bytes {
            return self.view.delete_under(Key::transfer_pages(transfer));
        }
        open.ended = Some(EndRecord { how, seq: self.seq, at_ms: self.at_ms });
        self.counters.half_transfers += 1;
        self.mark(Key::half_transfers_by_end().seq(self.seq).number(transfer));
        self.view.put_record(Key::half_transfer(transfer).done(), &open)?;
        self.broken_off(transfer, &open)
    }

    /// A half transmission whose rest came in a message, or whose message says so no more.
    pub(super) fn continued(&mut self, transfer: u64, by: Option<Seq>) -> Folded {
        // A line that was displaced may not have ended its transfer yet.
        let key = Key::half_transfer(transfer).done();
        if let Some(mut half) = record::<TransferRecord>(self.view, &key)? {
            half.continued_by = by;
            self.view.put_record(key, &half)?;
            return match half.ended.filter(|_| by.is_some()) {
                Some(end) => self.fault_ends(end.seq).map(drop),
                None => self.broken_off(transfer, &half),
            };
        }
        match self.take_open(transfer)? {
            Some(open) => drop(self.open.insert(transfer, TransferRecord { continued_by: by, ..open })),
            None if by.is_some() => self.misfit(),
            None => {}
        }
        Ok(())
    }

    /// Gives bytes `from..to` of a transfer to a message; `None` when they are not there.
    pub(super) fn use_frames(
        &mut self,
        transfer: u64,
        from: u32,
        to: u32,
    ) -> Result<Option<Vec<FrameSlice>>, StateError> {
        let half_key = Key::half_transfer(transfer).done();
        let (mut found, half) = match self.take_open(transfer)? {
            Some(open) => (open, false),
            None => match record(self.view, &half_key)? {
                Some(half) => (half, true),
                None => return Ok(None),
            },
        };
        if from >= to || to > found.bytes {
            if !half {
                self.open.insert(transfer, found);
            }
            return Ok(None);
        }
        let frames = self.frames_of(transfer, &found)?;
        let slices = slices(&frames, from, to);
        found.used = found.used.max(to);
        let used_up = found.used >= found.bytes;
        // Frames that are used up are not needed again: a long transfer stays small.
        let kept =
            FrameRef::unpack(&found.refs).into_iter().filter(|f| f.end() > found.used).collect::<Vec<_>>();
        found.refs = FrameRef::pack(&kept);
        match (half, used_up) {
            (true, true) => {
                self.view.delete(half_key);
                self.view.delete_under(Key::transfer_pages(transfer))?;
                let end = found.ended.map_or(Seq::NONE, |e| e.seq);
                self.view.delete(Key::half_transfers_by_end().seq(end).number(transfer).done());
                self.counters.half_transfers -= 1;
                self.fault_ends(end)?;
            }
            (true, false) => self.view.put_record(half_key, &found)?,
            (false, _) => drop(self.open.insert(transfer, found)),
        }
        Ok(Some(slices))
    }

    fn frames_of(&self, transfer: u64, found: &TransferRecord) -> Result<Vec<FrameRef>, StateError> {
        let mut frames = Vec::new();
        if found.pages > 0 {
            for (_, page) in collect(self.view, &Key::transfer_pages(transfer).under())? {
                frames.extend(FrameRef::unpack(&page));
            }
        }
        frames.extend(FrameRef::unpack(&found.refs));
        Ok(frames)
    }
}

/// The parts of `frames` that make up `from..to` of the joined text.
pub(crate) fn slices(frames: &[FrameRef], from: u32, to: u32) -> Vec<FrameSlice> {
    let within = frames.iter().filter(|f| f.end() > from && f.start < to);
    within
        .map(|f| FrameSlice { seq: f.seq, from: from.saturating_sub(f.start), to: to.min(f.end()) - f.start })
        .collect()
}
