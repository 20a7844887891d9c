//! The ring behind a trace: bytes in one queue, what they were in another.

use super::TraceLimits;
use serde::Serialize;
use std::collections::VecDeque;

/// Bytes that follow others within this time in the same direction belong to them: a serial line gives one at a time.
const TOGETHER_WITHIN_MS: u64 = 20;
/// Beyond this many bytes a new event begins all the same.
const TOGETHER_BYTES_MAX: usize = 4 * 1024;
/// Of an event's words so many bytes are kept.
const WORDS_BYTES_MAX: usize = 512;

/// A moment, by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Milliseconds since 1970 UTC.
    pub(super) at_ms: u64,
    /// Milliseconds since the trace began.
    pub(super) after_ms: u64,
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the analyser.
    Received,
    /// To the analyser.
    Sent,
    /// To the analyser, had the connection not been listen-only: not a byte of it left.
    Withheld,
}

/// One thing that happened on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traced {
    /// Bytes that came or left together.
    Bytes {
        /// Which way.
        way: Way,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A socket, serial line or file was opened.
    Connected {
        /// Who is at its other end.
        peer: String,
    },
    /// It was closed.
    Closed {
        /// Why.
        why: String,
    },
    /// A frame, message, file or socket was refused.
    Refused {
        /// Why.
        why: String,
    },
    /// Something that should not be on such a line.
    Anomaly {
        /// What.
        what: String,
    },
    /// Anything else worth knowing: a file was taken, a line is waited for.
    Noted {
        /// What.
        what: String,
    },
}

/// One thing that happened on a line, with its place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedEvent {
    /// Its place, from 1, never given twice while the daemon runs.
    pub number: u64,
    /// When, milliseconds since 1970 UTC by the station's clock; bytes that came together carry the first one's time.
    pub at_ms: u64,
    /// When, milliseconds since the trace began; runs on evenly when the station's clock is set.
    pub after_ms: u64,
    /// Which of the connection's sockets, from 1; 0 is the connection as a whole.
    pub socket: u64,
    /// What.
    pub what: Traced,
}

/// A part of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// What happened, in order.
    pub events: Vec<TracedEvent>,
    /// Events that should stand before these and have fallen out of the ring.
    pub lost_events: u64,
    /// Bytes that have fallen out of the ring since the trace began.
    pub lost_bytes: u64,
    /// The last event there is: whoever goes on reading asks for what came after it.
    pub last: u64,
}

#[derive(Debug)]
enum Kept {
    /// So many bytes of the other queue.
    Bytes {
        way: Way,
        count: usize,
        /// When the last of them came.
        until_ms: u64,
    },
    Other(Traced),
}

#[derive(Debug)]
struct Slot {
    number: u64,
    at_ms: u64,
    after_ms: u64,
    socket: u64,
    what: Kept,
}

/// What has gone over the line, whether it is still in the ring or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Passed {
    /// Sockets that were opened.
    pub(crate) sockets: u64,
    /// Bytes that left.
    pub(crate) sent_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Ring {
    limits: TraceLimits,
    bytes: VecDeque<u8>,
    slots: VecDeque<Slot>,
    /// Number of the last event.
    last: u64,
    /// The number of the last socket is how many there were.
    passed: Passed,
    lost_bytes: u64,
    /// The last event was shown to somebody: it takes no more bytes.
    shown: bool,
}

impl Ring {
    pub(super) fn new(limits: TraceLimits) -> Self {
        Self {
            limits,
            bytes: VecDeque::new(),
            slots: VecDeque::new(),
            last: 0,
            passed: Passed::default(),
            lost_bytes: 0,
            shown: false,
        }
    }

    pub(super) fn connected(&mut self, now: Moment, peer: &str) -> u64 {
        self.passed.sockets += 1;
        let number = self.passed.sockets;
        self.note(now, number, Traced::Connected { peer: peer.to_owned() });
        number
    }

    pub(super) fn note(&mut self, now: Moment, socket: u64, mut what: Traced) {
        match &mut what {
            Traced::Bytes { way, bytes } => return self.bytes(now, socket, *way, bytes),
            Traced::Connected { peer: words }
            | Traced::Closed { why: words }
            | Traced::Refused { why: words }
            | Traced::Anomaly { what: words }
            | Traced::Noted { what: words } => shorten(words),
        }
        self.push(now, socket, Kept::Other(what));
    }

    pub(super) fn bytes(&mut self, now: Moment, socket: u64, way: Way, bytes: &[u8]) {
        if way == Way::Sent {
            self.passed.sent_bytes += bytes.len() as u64;
        }
        // Of more than the ring holds, the end is kept.
        let too_many = bytes.len().saturating_sub(self.limits.bytes_max);
        let kept = bytes.get(too_many..).unwrap_or_default();
        self.lost_bytes += too_many as u64;
        while self.bytes.len() + kept.len() > self.limits.bytes_max && self.drop_first() {}
        self.bytes.extend(kept);
        if !self.joins(now, socket, way, kept.len()) {
            self.push(now, socket, Kept::Bytes { way, count: kept.len(), until_ms: now.after_ms });
        }
    }

    /// Adds bytes to the last event where they belong to it.
    fn joins(&mut self, now: Moment, socket: u64, way: Way, more: usize) -> bool {
        if self.shown {
            return false;
        }
        let Some(Slot { socket: of, what: Kept::Bytes { way: went, count, until_ms }, .. }) =
            self.slots.back_mut()
        else {
            return false;
        };
        let together = now.after_ms.saturating_sub(*until_ms) <= TOGETHER_WITHIN_MS;
        if *of != socket || *went != way || !together || *count + more > TOGETHER_BYTES_MAX {
            return false;
        }
        *count += more;
        *until_ms = now.after_ms;
        true
    }

    fn push(&mut self, now: Moment, socket: u64, what: Kept) {
        while self.slots.len() >= self.limits.events_max.max(1) && self.drop_first() {}
        self.last += 1;
        self.shown = false;
        let Moment { at_ms, after_ms } = now;
        self.slots.push_back(Slot { number: self.last, at_ms, after_ms, socket, what });
    }

    /// Lets the oldest event go; false when there is none.
    fn drop_first(&mut self) -> bool {
        let Some(slot) = self.slots.pop_front() else { return false };
        if let Kept::Bytes { count, .. } = slot.what {
            self.bytes.drain(..count.min(self.bytes.len()));
            self.lost_bytes += count as u64;
        }
        true
    }

    pub(super) fn passed(&self) -> Passed {
        self.passed
    }

    pub(super) fn since(&mut self, number: u64) -> Excerpt {
        self.shown = true;
        // A number from before a restart is none of these: all there is is shown.
        let number = if number > self.last { 0 } else { number };
        let mut bytes = self.bytes.iter().copied();
        let mut events = Vec::new();
        for slot in &self.slots {
            let wanted = slot.number > number;
            let what = match &slot.what {
                Kept::Bytes { way, count, .. } => {
                    let part = bytes.by_ref().take(*count);
                    if !wanted {
                        part.for_each(drop);
                        continue;
                    }
                    Traced::Bytes { way: *way, bytes: part.collect() }
                }
                Kept::Other(what) if wanted => what.clone(),
                Kept::Other(_) => continue,
            };
            let Slot { number, at_ms, after_ms, socket, .. } = *slot;
            events.push(TracedEvent { number, at_ms, after_ms, socket, what });
        }
        let first = self.slots.front().map_or(self.last + 1, |slot| slot.number);
        let lost_events = first.saturating_sub(number + 1);
        Excerpt { events, lost_events, lost_bytes: self.lost_bytes, last: self.last }
    }
}

fn shorten(words: &mut String) {
    if words.len() > WORDS_BYTES_MAX {
        let end = (0..=WORDS_BYTES_MAX).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
        words.truncate(end);
        words.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ring(bytes_max: usize, events_max: usize) -> Ring {
        Ring::new(TraceLimits { bytes_max, events_max })
    }

    fn told(excerpt: &Excerpt) -> Vec<(u64, Way, String)> {
        let bytes = |event: &TracedEvent| match &event.what {
            Traced::Bytes { way, bytes } => {
                Some((event.socket, *way, String::from_utf8_lossy(bytes).into_owned()))
            }
            Traced::Connected { .. }
            | Traced::Closed { .. }
            | Traced::Refused { .. }
            | Traced::Anomaly { .. }
            | Traced::Noted { .. } => None,
        };
        excerpt.events.iter().filter_map(bytes).collect()
    }

    fn at(after_ms: u64) -> Moment {
        Moment { at_ms: 1_000 + after_ms, after_ms }
    }

    #[test]
    fn bytes_that_come_together_are_one_event_and_a_pause_begins_another() {
        let mut ring = ring(1_000, 100);
        for (after_ms, socket, way, bytes) in [
            (0, 1, Way::Received, b"a"),
            (15, 1, Way::Received, b"b"),
            (30, 1, Way::Received, b"c"),
            (51, 1, Way::Received, b"d"),
            (51, 1, Way::Sent, b"e"),
            (51, 2, Way::Sent, b"f"),
        ] {
            ring.bytes(at(after_ms), socket, way, bytes);
        }
        let excerpt = ring.since(0);
        let expect = [
            (1, Way::Received, "abc".to_owned()),
            (1, Way::Received, "d".to_owned()),
            (1, Way::Sent, "e".to_owned()),
            (2, Way::Sent, "f".to_owned()),
        ];
        assert_eq!(told(&excerpt), expect);
        let times: Vec<(u64, u64)> = excerpt.events.iter().map(|e| (e.at_ms, e.after_ms)).collect();
        assert_eq!(times, [(1_000, 0), (1_051, 51), (1_051, 51), (1_051, 51)]);
    }

    #[test]
    fn an_event_of_bytes_that_never_pause_ends_somewhere() {
        let mut ring = ring(100_000, 100);
        (0..3).for_each(|_| ring.bytes(at(0), 1, Way::Received, &[0; 3_000]));
        assert_eq!(ring.since(0).events.len(), 3);
    }

    #[test]
    fn what_was_shown_grows_no_more_so_that_nothing_is_missed_by_whoever_reads_on() {
        let mut ring = ring(1_000, 100);
        ring.bytes(at(0), 1, Way::Received, b"a");
        let first = ring.since(0);
        ring.bytes(at(0), 1, Way::Received, b"b");
        let second = ring.since(first.last);
        assert_eq!(told(&second), [(1, Way::Received, "b".to_owned())]);
        assert_eq!((second.lost_events, second.last), (0, 2));
        assert!(ring.since(second.last).events.is_empty());
        assert_eq!(told(&ring.since(99)).len(), 2, "a number from another life: all there is");
    }

    #[test]
    fn what_falls_out_is_counted_and_the_end_of_too_much_is_kept() {
        let mut ring = ring(4, 3);
        assert_eq!(ring.connected(at(0), "a peer"), 1);
        ring.bytes(at(0), 1, Way::Received, b"abc");
        ring.bytes(at(0), 1, Way::Sent, b"x");
        ring.bytes(at(0), 1, Way::Received, b"yz");
        let excerpt = ring.since(0);
        assert_eq!(told(&excerpt), [(1, Way::Sent, "x".to_owned()), (1, Way::Received, "yz".to_owned())]);
        assert_eq!((excerpt.lost_events, excerpt.lost_bytes, excerpt.last), (2, 3, 4));
        ring.bytes(at(99), 1, Way::Received, b"0123456789");
        let excerpt = ring.since(0);
        assert_eq!(told(&excerpt), [(1, Way::Received, "6789".to_owned())]);
        assert_eq!(excerpt.lost_bytes, 3 + 3 + 6);
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        let mut words = "血".repeat(400);
        shorten(&mut words);
        assert!(words.len() <= WORDS_BYTES_MAX + '…'.len_utf8() && words.ends_with('…'));
    }

    proptest! {
        #[test]
        fn every_byte_is_shown_once_or_counted_as_lost(
            chunks in proptest::collection::vec((1_u64..3, any::<bool>(), 0_usize..40), 0..60),
            bytes_max in 0_usize..200,
            events_max in 0_usize..20,
        ) {
            let mut ring = ring(bytes_max, events_max);
            let mut total = 0;
            for (socket, sent, count) in chunks {
                let way = if sent { Way::Sent } else { Way::Received };
                ring.bytes(at(0), socket, way, &vec![b'x'; count]);
                total += count;
            }
            let excerpt = ring.since(0);
            let shown: usize = told(&excerpt).iter().map(|(_, _, text)| text.len()).sum();
            prop_assert!(shown <= bytes_max);
            prop_assert!(excerpt.events.len() <= events_max.max(1));
            prop_assert_eq!(shown as u64 + excerpt.lost_bytes, total as u64);
            prop_assert_eq!(excerpt.events.len() as u64 + excerpt.lost_events, excerpt.last);
        }
    }
}
