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
/// Stands where words were cut.
const CUT: char = '…';

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

/// What a slot's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Of the line.
    Line(Way),
    /// Words: who connected.
    Connected,
    /// Words: why it closed.
    Closed,
    /// Words: why something was refused.
    Refused,
    /// Words: what should not be.
    Anomaly,
    /// Any other words.
    Noted,
}

/// Small, since stop-and-wait lines make two of them a frame.
#[derive(Debug)]
struct Slot {
    at_ms: u64,
    after_ms: u64,
    socket: u64,
    /// So many bytes of the other queue.
    count: u32,
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
    /// Number of the last event; they are numbered without gaps.
    last: u64,
    /// When the last bytes of the last event came.
    until_ms: u64,
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
            until_ms: 0,
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

    pub(super) fn note(&mut self, now: Moment, socket: u64, what: Traced) {
        let (what, words) = match what {
            Traced::Bytes { way, bytes } => return self.bytes(now, socket, way, &bytes),
            Traced::Connected { peer } => (Kept::Connected, peer),
            Traced::Closed { why } => (Kept::Closed, why),
            Traced::Refused { why } => (Kept::Refused, why),
            Traced::Anomaly { what } => (Kept::Anomaly, what),
            Traced::Noted { what } => (Kept::Noted, what),
        };
        let words = shortened(words, WORDS_BYTES_MAX.min(self.limits.bytes_max));
        self.make_room(words.len());
        self.put(words.as_bytes());
        self.push(now, socket, what, words.len());
    }

    pub(super) fn bytes(&mut self, now: Moment, socket: u64, way: Way, bytes: &[u8]) {
        if way == Way::Sent {
            self.passed.sent_bytes += bytes.len() as u64;
        }
        // Of more than the ring holds, the end is kept.
        let too_many = bytes.len().saturating_sub(self.limits.bytes_max);
        let kept = bytes.get(too_many..).unwrap_or_default();
        self.lost_bytes += too_many as u64;
        self.make_room(kept.len());
        self.put(kept);
        if !self.joins(now, socket, way, kept.len()) {
            self.push(now, socket, Kept::Line(way), kept.len());
        }
        self.until_ms = now.after_ms;
    }

    fn make_room(&mut self, more: usize) {
        while self.bytes.len() + more > self.limits.bytes_max && self.drop_first() {}
    }

    /// Takes no more memory than the limit, which doubling would.
    fn put(&mut self, bytes: &[u8]) {
        let wanted = self.bytes.len() + bytes.len();
        if wanted > self.bytes.capacity() {
            let capacity = wanted.max(self.bytes.capacity() * 2).min(self.limits.bytes_max);
            self.bytes.reserve_exact(capacity.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend(bytes);
    }

    /// Adds bytes to the last event where they belong to it.
    fn joins(&mut self, now: Moment, socket: u64, way: Way, more: usize) -> bool {
        let together = !self.shown && now.after_ms.saturating_sub(self.until_ms) <= TOGETHER_WITHIN_MS;
        let Some(last) = self.slots.back_mut() else { return false };
        let count = last.count as usize + more;
        let belongs = last.socket == socket && last.what == Kept::Line(way) && count <= TOGETHER_BYTES_MAX;
        if belongs && together {
            last.count = narrow(count);
        }
        belongs && together
    }

    fn push(&mut self, now: Moment, socket: u64, what: Kept, count: usize) {
        while self.slots.len() >= self.limits.events_max.max(1) && self.drop_first() {}
        self.last += 1;
        self.shown = false;
        let Moment { at_ms, after_ms } = now;
        self.slots.push_back(Slot { at_ms, after_ms, socket, count: narrow(count), what });
    }

    /// Lets the oldest event go; false when there is none.
    fn drop_first(&mut self) -> bool {
        let Some(slot) = self.slots.pop_front() else { return false };
        self.bytes.drain(..(slot.count as usize).min(self.bytes.len()));
        if let Kept::Line(_) = slot.what {
            self.lost_bytes += u64::from(slot.count);
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
        let first = self.last + 1 - self.slots.len() as u64;
        let mut bytes = self.bytes.iter().copied();
        let mut events = Vec::new();
        for (place, slot) in (first..).zip(&self.slots) {
            let part = bytes.by_ref().take(slot.count as usize);
            if place <= number {
                part.for_each(drop);
                continue;
            }
            let Slot { at_ms, after_ms, socket, .. } = *slot;
            events.push(TracedEvent {
                number: place,
                at_ms,
                after_ms,
                socket,
                what: slot.what.told(part.collect()),
            });
        }
        let lost_events = first.saturating_sub(number + 1);
        Excerpt { events, lost_events, lost_bytes: self.lost_bytes, last: self.last }
    }
}

impl Kept {
    fn told(self, bytes: Vec<u8>) -> Traced {
        let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match self {
            Self::Line(way) => Traced::Bytes { way, bytes },
            Self::Connected => Traced::Connected { peer: words(bytes) },
            Self::Closed => Traced::Closed { why: words(bytes) },
            Self::Refused => Traced::Refused { why: words(bytes) },
            Self::Anomaly => Traced::Anomaly { what: words(bytes) },
            Self::Noted => Traced::Noted { what: words(bytes) },
        }
    }
}

/// An event is no longer than the ring, and a ring of 4 GiB is none.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// At most `bytes_max` bytes of it, cut at a character.
fn shortened(mut words: String, bytes_max: usize) -> String {
    if words.len() > bytes_max {
        let room = bytes_max.saturating_sub(CUT.len_utf8());
        let end = (0..=room).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
        words.truncate(end);
        if CUT.len_utf8() <= bytes_max {
            words.push(CUT);
        }
    }
    words
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
        let words = shortened("血".repeat(400), WORDS_BYTES_MAX);
        assert!(words.len() <= WORDS_BYTES_MAX && words.ends_with("血…"), "{words}");
        for (bytes_max, left) in [(0, ""), (2, ""), (3, "…"), (6, "血…"), (9, "血血血")] {
            assert_eq!(shortened("血血血".to_owned(), bytes_max), left, "{bytes_max}");
        }
    }

    #[test]
    fn a_full_ring_takes_its_limits_and_no_more_whatever_filled_it() {
        let limits = TraceLimits::default();
        let mut ring = Ring::new(limits);
        for number in 0..20_000_u64 {
            ring.bytes(at(number * 50), 1, Way::Received, &[b'x'; 90]);
            ring.note(at(number * 50), 1, Traced::Anomaly { what: "血".repeat(300) });
        }
        assert!(ring.bytes.len() > limits.bytes_max - WORDS_BYTES_MAX, "it is full");
        assert!(ring.bytes.capacity() <= limits.bytes_max, "{}", ring.bytes.capacity());
        assert!(ring.slots.capacity() <= limits.events_max, "{}", ring.slots.capacity());
        assert!(size_of::<Slot>() <= 32, "{}", size_of::<Slot>());
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
