//! Bytes to blocks, whatever way they are cut.

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::config::Config;
use memchr::{memchr, memchr2};
use std::collections::VecDeque;

/// Begins a block.
pub(crate) const START: u8 = 0x0B;
/// Ends a block, before CR.
pub(crate) const END: u8 = 0x1C;
const CR: u8 = 0x0D;

/// The body of a commit block (MLLP release 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Commit {
    /// `06`: the block is safe with the receiver.
    Ack,
    /// `15`: the block is not safe and may be sent again.
    Nak,
}

impl Commit {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Ack => 0x06,
            Self::Nak => 0x15,
        }
    }

    fn from_body(body: &[u8]) -> Option<Self> {
        [Self::Ack, Self::Nak].into_iter().find(|commit| body == [commit.byte()])
    }
}

/// A message with its block characters around it.
#[must_use]
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(bytes.len() + 3);
    frame_into(&mut block, bytes);
    block
}

pub(crate) fn frame_into(block: &mut Vec<u8>, bytes: &[u8]) {
    block.push(START);
    block.extend_from_slice(bytes);
    block.extend_from_slice(&[END, CR]);
}

/// What the stream is made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Block { bytes: Vec<u8>, at: u64 },
    Commit(Commit),
    Oversize { kept: Vec<u8>, bytes: u64, at: u64 },
    Anomaly(Anomaly),
}

/// Where in the stream we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Between,
    /// 1C came; 0D should follow.
    AfterEnd,
    /// Inside a block of which so many bytes have come; those beyond the limit are not kept.
    Inside {
        bytes: u64,
    },
}

/// The one reader of both roles. It holds at most one block, and reports at most one thing a call.
#[derive(Debug)]
pub(crate) struct Decoder {
    block_bytes_max: usize,
    ignored: Vec<u8>,
    place: Place,
    /// The content of the open block, or stray bytes between blocks.
    held: Vec<u8>,
    /// The byte of the open block that came last, kept or not.
    last: u8,
    /// Where `held` begins in the stream.
    held_at: u64,
    /// Bytes read since the connection began.
    read: u64,
    ignored_bytes: u64,
}

impl Decoder {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            block_bytes_max: config.block_bytes_max,
            ignored: config.ignored_between_blocks.clone(),
            place: Place::Between,
            held: Vec::new(),
            last: 0,
            held_at: 0,
            read: 0,
            ignored_bytes: 0,
        }
    }

    /// Heartbeats and line ends between blocks so far.
    pub(crate) fn ignored_bytes(&self) -> u64 {
        self.ignored_bytes
    }

    /// Whether a block is open: its beginning has come, its end has not.
    pub(crate) fn is_inside(&self) -> bool {
        matches!(self.place, Place::Inside { .. })
    }

    /// Reads until something is complete or the bytes end; says how many it took.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> (usize, Option<Item>) {
        let mut taken = 0;
        let mut found = None;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty())
            && found.is_none()
        {
            let (step, item) = match self.place {
                Place::Between => self.between(rest),
                Place::AfterEnd => self.after_end(rest),
                Place::Inside { bytes } => self.inside(rest, bytes),
            };
            self.read += step as u64;
            taken += step;
            found = item;
        }
        (taken, found)
    }

    /// The connection is gone: what was open is reported, and the next one begins afresh.
    pub(crate) fn disconnect(&mut self) -> VecDeque<Item> {
        let item = match self.place {
            Place::Between | Place::AfterEnd => self.take_stray(),
            Place::Inside { bytes } if bytes > self.block_bytes_max as u64 => Some(self.take_oversize(bytes)),
            Place::Inside { .. } => Some(self.take_anomaly(AnomalyKind::BlockCutOff)),
        };
        (self.place, self.read, self.held_at) = (Place::Between, 0, 0);
        item.into_iter().collect()
    }

    fn between(&mut self, rest: &[u8]) -> (usize, Option<Item>) {
        let Some(&byte) = rest.first() else { return (0, None) };
        if byte == START {
            // Stray bytes are reported first; the start is read in the next step.
            if let Some(stray) = self.take_stray() {
                return (0, Some(stray));
            }
            self.open(self.read);
            return (1, None);
        }
        if self.ignored.contains(&byte) {
            self.ignored_bytes += 1;
            return (1, None);
        }
        if self.held.is_empty() {
            self.held_at = self.read;
        }
        self.held.push(byte);
        let full = self.held.len() >= AnomalyKind::STRAY_BYTES_MAX;
        (1, if full { self.take_stray() } else { None })
    }

    fn after_end(&mut self, rest: &[u8]) -> (usize, Option<Item>) {
        self.place = Place::Between;
        match rest.first() {
            Some(&CR) => (1, None),
            Some(_) => {
                let kind = AnomalyKind::CarriageReturnMissing;
                (0, Some(Item::Anomaly(Anomaly { kind, at: self.read, bytes: Vec::new() })))
            }
            None => (0, None),
        }
    }

    fn open(&mut self, at: u64) {
        self.place = Place::Inside { bytes: 0 };
        self.last = 0;
        self.held_at = at;
    }

    fn inside(&mut self, rest: &[u8], before: u64) -> (usize, Option<Item>) {
        if self.is_wide() {
            return self.inside_wide(rest, before);
        }
        // The first two bytes tell whether the block is UTF-16, where 0B and 1C may be halves of characters.
        let window = if before < 2 { rest.get(..1).unwrap_or_default() } else { rest };
        let Some(at) = memchr2(START, END, window) else {
            self.keep(window, before);
            return (window.len(), None);
        };
        self.keep(window.get(..at).unwrap_or_default(), before);
        let bytes = before + at as u64;
        if window.get(at) == Some(&END) {
            return (at + 1, Some(self.close(bytes)));
        }
        let broken = if bytes > self.block_bytes_max as u64 {
            self.take_oversize(bytes)
        } else {
            self.take_anomaly(AnomalyKind::BlockRestarted)
        };
        self.open(self.read + at as u64);
        (at + 1, Some(broken))
    }

    /// UTF-16 ends with 1C 0D after a whole number of characters; a lone 1C or 0B is content.
    fn inside_wide(&mut self, rest: &[u8], before: u64) -> (usize, Option<Item>) {
        let Some(at) = memchr(CR, rest) else {
            self.keep(rest, before);
            return (rest.len(), None);
        };
        let step = rest.get(..=at).unwrap_or_default();
        let previous = at.checked_sub(1).and_then(|at| rest.get(at)).copied().unwrap_or(self.last);
        self.keep(step, before);
        let bytes = before + step.len() as u64;
        if previous != END || !bytes.is_multiple_of(2) {
            return (step.len(), None);
        }
        self.held.truncate(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(2));
        let item = self.close(bytes - 2);
        self.place = Place::Between;
        (step.len(), Some(item))
    }

    /// UTF-16 by its byte order mark or by the zero half of the `M` of `MSH`.
    fn is_wide(&self) -> bool {
        matches!(self.held.get(..2), Some([0xFF, 0xFE] | [0xFE, 0xFF] | [0, b'M'] | [b'M', 0]))
    }

    /// Keeps content up to the limit, and counts the rest.
    fn keep(&mut self, content: &[u8], before: u64) {
        let room = self.block_bytes_max.saturating_sub(self.held.len());
        self.held.extend_from_slice(content.get(..room).unwrap_or(content));
        self.last = content.last().copied().unwrap_or(self.last);
        self.place = Place::Inside { bytes: before + content.len() as u64 };
    }

    fn close(&mut self, bytes: u64) -> Item {
        self.place = Place::AfterEnd;
        if bytes > self.block_bytes_max as u64 {
            return self.take_oversize(bytes);
        }
        if let Some(commit) = Commit::from_body(&self.held) {
            self.held.clear();
            return Item::Commit(commit);
        }
        if self.held.is_empty() {
            return self.take_anomaly(AnomalyKind::EmptyBlock);
        }
        Item::Block { bytes: std::mem::take(&mut self.held), at: self.held_at }
    }

    fn take_oversize(&mut self, bytes: u64) -> Item {
        Item::Oversize { kept: std::mem::take(&mut self.held), bytes, at: self.held_at }
    }

    fn take_anomaly(&mut self, kind: AnomalyKind) -> Item {
        Item::Anomaly(Anomaly { kind, at: self.held_at, bytes: std::mem::take(&mut self.held) })
    }

    fn take_stray(&mut self) -> Option<Item> {
        (!self.held.is_empty()).then(|| self.take_anomaly(AnomalyKind::StrayBytes))
    }
}
