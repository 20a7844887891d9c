//! Transfers that wait to be sent, and their cutting into frames (LIS01 §6.3.1): a frame never holds parts of two
//! records; a record longer than a frame goes in intermediate frames and an end frame.

use crate::config::Config;
use crate::control::is_restricted;
use crate::event::{FrameEnd, SendId, SendRefused};
use std::collections::VecDeque;

/// One transfer, sent or failed as a whole.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) id: SendId,
    records: Vec<Vec<u8>>,
    /// Enquiries answered NAK.
    pub(crate) refusals: u8,
    /// Enquiries that met the peer's, since the peer last had the line.
    pub(crate) contentions: u8,
}

/// A place in a transfer: the next byte to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Records before this one are sent whole.
    pub(crate) record: usize,
    offset: usize,
}

impl Cursor {
    /// With the cursor behind a frame: the records that ended before that frame.
    pub(crate) fn records_before_frame(self) -> usize {
        if self.offset == 0 { self.record.saturating_sub(1) } else { self.record }
    }
}

impl Transfer {
    fn bytes(&self) -> usize {
        self.records.iter().map(Vec::len).sum()
    }

    /// All of its text.
    pub(crate) fn text(&self) -> Vec<u8> {
        self.records.concat()
    }

    /// The frame at `cursor`, and the place behind it.
    pub(crate) fn frame_at(
        &self,
        cursor: Cursor,
        text_bytes_max: usize,
    ) -> Option<(&[u8], FrameEnd, Cursor)> {
        let rest = self.records.get(cursor.record)?.get(cursor.offset..)?;
        match rest.split_at_checked(text_bytes_max.max(1)) {
            Some((text, more)) if !more.is_empty() => {
                let next = Cursor { offset: cursor.offset + text.len(), ..cursor };
                Some((text, FrameEnd::Intermediate, next))
            }
            Some(_) | None => Some((rest, FrameEnd::End, Cursor { record: cursor.record + 1, offset: 0 })),
        }
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    queue: VecDeque<Transfer>,
    /// Bytes of the queue and of the transfer in hand.
    bytes: usize,
    /// Transfers, that in hand included.
    transfers: usize,
    ids: u64,
}

impl Outgoing {
    pub(crate) fn push(&mut self, records: Vec<Vec<u8>>, config: &Config) -> Result<SendId, SendRefused> {
        check(&records)?;
        let id = SendId(self.ids);
        let transfer = Transfer { id, records, refusals: 0, contentions: 0 };
        let bytes = self.bytes.saturating_add(transfer.bytes());
        if self.transfers >= config.queued_transfers_max || bytes > config.queued_bytes_max {
            return Err(SendRefused::QueueFull { transfers: self.transfers, bytes: self.bytes });
        }
        self.ids += 1;
        self.bytes = bytes;
        self.transfers += 1;
        self.queue.push_back(transfer);
        Ok(id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the first transfer in hand.
    pub(crate) fn take(&mut self) -> Option<Transfer> {
        self.queue.pop_front()
    }

    /// Puts the transfer in hand back to the front.
    pub(crate) fn put_back(&mut self, transfer: Transfer) {
        self.queue.push_front(transfer);
    }

    /// Takes a waiting transfer out; whether it was there.
    pub(crate) fn withdraw(&mut self, id: SendId) -> bool {
        let Some(at) = self.queue.iter().position(|transfer| transfer.id == id) else { return false };
        let Some(transfer) = self.queue.remove(at) else { return false };
        self.done(&transfer);
        true
    }

    /// The transfer in hand is done with.
    pub(crate) fn done(&mut self, transfer: &Transfer) {
        self.bytes = self.bytes.saturating_sub(transfer.bytes());
        self.transfers = self.transfers.saturating_sub(1);
    }

    /// The peer has the line: contention starts counting anew.
    pub(crate) fn peer_has_the_line(&mut self) {
        if let Some(first) = self.queue.front_mut() {
            first.contentions = 0;
        }
    }
}

fn check(records: &[Vec<u8>]) -> Result<(), SendRefused> {
    if records.is_empty() {
        return Err(SendRefused::EmptyRecord { record: 0 });
    }
    for (record, text) in records.iter().enumerate() {
        if text.is_empty() {
            return Err(SendRefused::EmptyRecord { record });
        }
        if let Some((at, &byte)) = text.iter().enumerate().find(|(_, byte)| is_restricted(**byte)) {
            return Err(SendRefused::RestrictedByte { record, at, byte });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(records: &[&str]) -> Transfer {
        let records = records.iter().map(|record| record.as_bytes().to_vec()).collect();
        Transfer { id: SendId(0), records, refusals: 0, contentions: 0 }
    }

    fn frames(transfer: &Transfer, max: usize) -> Vec<(String, FrameEnd)> {
        let mut cursor = Cursor::default();
        let mut frames = Vec::new();
        while let Some((text, end, next)) = transfer.frame_at(cursor, max) {
            frames.push((String::from_utf8(text.to_vec()).unwrap(), end));
            cursor = next;
        }
        frames
    }

    #[test]
    fn a_record_is_cut_only_where_a_frame_is_full() {
        use FrameEnd::{End, Intermediate};
        let check = |records: &[&str], max: usize, expect: &[(&str, FrameEnd)]| {
            let expect: Vec<_> = expect.iter().map(|(text, end)| ((*text).to_owned(), *end)).collect();
            assert_eq!(frames(&transfer(records), max), expect, "{records:?} by {max}");
        };
        check(&["H|1\r", "L|1\r"], 240, &[("H|1\r", End), ("L|1\r", End)]);
        check(&["H|1\r"], 4, &[("H|1\r", End)]);
        check(&["H|1\r"], 3, &[("H|1", Intermediate), ("\r", End)]);
        check(&["H|1\r", "L\r"], 2, &[("H|", Intermediate), ("1\r", End), ("L\r", End)]);
        check(&["AB"], 0, &[("A", Intermediate), ("B", End)]);
    }

    #[test]
    fn what_cannot_be_framed_is_refused_with_its_place() {
        let mut outgoing = Outgoing::default();
        let mut push = |records: &[&[u8]]| {
            outgoing.push(records.iter().map(|record| record.to_vec()).collect(), &Config::default())
        };
        assert_eq!(push(&[]), Err(SendRefused::EmptyRecord { record: 0 }));
        assert_eq!(push(&[b"H\r", b""]), Err(SendRefused::EmptyRecord { record: 1 }));
        let refused = SendRefused::RestrictedByte { record: 1, at: 2, byte: 0x0A };
        assert_eq!(push(&[b"H\r", b"L\r\n"]), Err(refused));
        assert_eq!(push(&[b"H\r", b"L\r"]), Ok(SendId(0)));
    }

    #[test]
    fn the_queue_is_bounded_by_transfers_and_by_bytes() {
        let config = Config { queued_transfers_max: 2, queued_bytes_max: 10, ..Config::default() };
        let mut outgoing = Outgoing::default();
        assert!(outgoing.push(vec![vec![b'x'; 11]], &config).is_err());
        assert!(outgoing.push(vec![vec![b'x'; 4]], &config).is_ok());
        assert!(outgoing.push(vec![vec![b'x'; 7]], &config).is_err());
        assert!(outgoing.push(vec![vec![b'x'; 4]], &config).is_ok());
        let full = Err(SendRefused::QueueFull { transfers: 2, bytes: 8 });
        assert_eq!(outgoing.push(vec![vec![b'x']], &config), full);
        let first = outgoing.take().unwrap();
        assert_eq!(outgoing.push(vec![vec![b'x']], &config), full, "the transfer in hand counts");
        outgoing.done(&first);
        assert!(outgoing.push(vec![vec![b'x']], &config).is_ok());
    }

    #[test]
    fn a_waiting_transfer_can_be_taken_back_and_one_in_hand_cannot() {
        let mut outgoing = Outgoing::default();
        let mut push = || outgoing.push(vec![vec![b'x'; 4]], &Config::default()).unwrap();
        let (first, second) = (push(), push());
        let in_hand = outgoing.take().unwrap();
        assert!(!outgoing.withdraw(first));
        assert!(outgoing.withdraw(second) && !outgoing.withdraw(second));
        assert_eq!((outgoing.bytes, outgoing.transfers), (4, 1));
        outgoing.put_back(in_hand);
        assert!(outgoing.withdraw(first) && outgoing.is_empty());
        assert_eq!((outgoing.bytes, outgoing.transfers), (0, 0));
    }
}
