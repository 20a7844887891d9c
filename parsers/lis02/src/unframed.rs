//! Records on a bare stream, without frames, checksums or answers: some analysers and converters just send.
//!
//! ```text
//!  02 02  H|\^&|…CR  P|1CR  O|1|…CR  R|1|…CR  L|1|NCR      CR LF  H|…
//!  └ignored          one message            └ends it      └ignored
//! ```
//!
//! Nothing on such a line says that bytes were lost, so nothing is guessed: a message begins with H and ends with its L.
//! Where L does not come, what has come is a half transmission, to be kept and not to be read; but where the profile
//! says that L may be left out, silence behind a whole record ends a message too.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::delimiters::{is_header, may_delimit};
use crate::splitter::is_terminator;

/// What an unframed stream is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnframedConfig {
    /// After so long without a byte, what has come is all that comes.
    pub silence: Duration,
    /// Whether every message has its L.
    pub terminator: Terminator,
    /// The longest message taken. Of a longer one the beginning is kept, as a half transmission.
    pub message_bytes_max: usize,
}

/// Whether a message has to end with L.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Terminator {
    /// It has to: without L it is half a message.
    Required,
    /// Silence, the next H or the orderly end of the connection ends it too, behind a whole record.
    Optional,
}

impl Default for UnframedConfig {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(10),
            terminator: Terminator::Required,
            message_bytes_max: 4 * 1024 * 1024,
        }
    }
}

/// What an unframed stream was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnframedEvent {
    /// A whole message, from its H to the line end of its last record.
    Message(Vec<u8>),
    /// What is no whole message. Keep it; do not read it.
    Half {
        /// What has come.
        bytes: Vec<u8>,
        /// Why it is not whole.
        why: HalfWhy,
    },
    /// The rest of a message that was too long; it was not kept.
    Skipped {
        /// How much.
        bytes: u64,
    },
}

/// Why a message is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HalfWhy {
    /// Nothing more came.
    #[error("it stopped before its terminator record")]
    Silence,
    /// The connection ended.
    #[error("the connection ended before its terminator record")]
    Closed,
    /// The next message began.
    #[error("the next message began before its terminator record")]
    NextHeader,
    /// Its beginning is missing.
    #[error("it does not begin with a header record")]
    Headless,
    /// It is longer than any may be.
    #[error("it is longer than a message may be")]
    TooLong,
}

/// Input is left waiting while so many events have not been fetched.
const EVENTS_MAX: usize = 16;

/// Finds messages in an unframed stream. Any division of the bytes gives the same events, as far as no silence lies
/// between the pieces.
#[derive(Debug)]
pub struct Unframed {
    config: UnframedConfig,
    /// Whole records of the open message.
    message: Vec<u8>,
    /// The open record.
    record: Vec<u8>,
    /// The field delimiter of the open message.
    field: Option<u8>,
    /// Bytes left out since the open message became too long.
    skipping: Option<u64>,
    /// The beginning of this line was left out already, so it is no header and no terminator.
    beheaded: bool,
    events: VecDeque<UnframedEvent>,
    deadline: Option<Instant>,
    ignored_bytes: u64,
}

/// How a stream stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Silence,
    Orderly,
    Broken,
}

impl Unframed {
    /// For a new connection.
    #[must_use]
    pub fn new(config: UnframedConfig) -> Self {
        Self {
            config,
            message: Vec::new(),
            record: Vec::new(),
            field: None,
            skipping: None,
            beheaded: false,
            events: VecDeque::new(),
            deadline: None,
            ignored_bytes: 0,
        }
    }

    /// Takes bytes and says how many. Fewer than given: fetch events, then offer the rest again.
    #[must_use = "bytes not taken have to be offered again"]
    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) -> usize {
        // What comes after a silence that was too long does not end it, however late it is noticed.
        self.handle_timeout(now);
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first()
            && self.events.len() < EVENTS_MAX
        {
            rest = match byte {
                b'\r' | b'\n' => {
                    self.end_of_line(byte);
                    behind
                }
                _ if self.is_idle() && self.skipping.is_none() && byte < b' ' => {
                    self.ignored_bytes += 1;
                    behind
                }
                _ => self.text(rest),
            };
        }
        let open = !self.is_idle() || self.skipping.is_some();
        self.deadline = now.checked_add(self.config.silence).filter(|_| open);
        bytes.len() - rest.len()
    }

    /// Tells the time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            self.stop(Stop::Silence);
        }
    }

    /// Reading goes on after it had to wait for something else: what came meanwhile may lie in the socket, so the silence
    /// begins anew.
    pub fn handle_resume(&mut self, now: Instant) {
        if self.deadline.is_some() {
            self.deadline = now.checked_add(self.config.silence);
        }
    }

    /// The connection has ended: `orderly` when the peer closed it, not when it broke.
    pub fn handle_disconnect(&mut self, orderly: bool) {
        self.deadline = None;
        self.stop(if orderly { Stop::Orderly } else { Stop::Broken });
    }

    /// What was found, in order.
    pub fn poll_event(&mut self) -> Option<UnframedEvent> {
        self.events.pop_front()
    }

    /// When `handle_timeout` has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Control bytes between messages so far: heartbeats and line ends.
    #[must_use]
    pub fn ignored_bytes(&self) -> u64 {
        self.ignored_bytes
    }

    /// Bytes held, besides events to be fetched.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.message.capacity() + self.record.capacity()
    }

    /// Nothing of a message has come.
    fn is_idle(&self) -> bool {
        self.message.is_empty() && self.record.is_empty()
    }

    /// Takes text up to the end of the line; gives what is behind.
    fn text<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let end = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
        let (text, behind) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        if let (true, Some(skipped)) = (self.beheaded, &mut self.skipping) {
            *skipped += text.len() as u64;
            return behind;
        }
        let held = self.message.len() + self.record.len();
        let room = self.config.message_bytes_max.saturating_sub(held);
        let (kept, over) = text.split_at_checked(room).unwrap_or((text, &[]));
        self.record.extend_from_slice(kept);
        if over.is_empty() {
            return behind;
        }
        self.beheaded = true;
        if let Some(skipped) = &mut self.skipping {
            *skipped += (self.record.len() + over.len()) as u64;
        } else {
            self.too_long(over.len() as u64);
        }
        self.record.clear();
        behind
    }

    /// The message has no room for what comes; so many bytes of it have been left out.
    fn too_long(&mut self, left_out: u64) {
        self.skipping = Some(left_out);
        let bytes = [std::mem::take(&mut self.message), std::mem::take(&mut self.record)].concat();
        self.events.push_back(UnframedEvent::Half { bytes, why: HalfWhy::TooLong });
    }

    fn end_of_line(&mut self, byte: u8) {
        self.beheaded = false;
        if self.record.is_empty() {
            let room = self.message.len() < self.config.message_bytes_max;
            match (&mut self.skipping, self.message.is_empty()) {
                (Some(skipped), _) => *skipped += 1,
                (None, true) => self.ignored_bytes += 1,
                (None, false) if room => self.message.push(byte),
                (None, false) => self.too_long(1),
            }
            return;
        }
        self.record.push(byte);
        self.end_of_record();
    }

    /// A whole record has come.
    fn end_of_record(&mut self) {
        let head = self.record.get(..self.record.len().saturating_sub(1)).unwrap_or_default();
        let open = !self.message.is_empty() || self.skipping.is_some();
        if is_header(head, open.then(|| self.field.unwrap_or(b'|'))) {
            let field = head.get(1).copied().filter(|byte| may_delimit(*byte));
            self.end_skipping();
            if !self.message.is_empty() {
                self.close(Some(HalfWhy::NextHeader));
            }
            self.field = field;
        }
        let ends = self.record_ends_message();
        if let Some(skipped) = &mut self.skipping {
            *skipped += self.record.len() as u64;
            self.record.clear();
            if ends {
                self.end_skipping();
            }
            return;
        }
        self.message.append(&mut self.record);
        if ends {
            self.close(None);
        }
    }

    fn record_ends_message(&self) -> bool {
        let end = self.record.iter().take_while(|byte| !matches!(byte, b'\r' | b'\n')).count();
        is_terminator(self.record.get(..end).unwrap_or_default(), self.field)
    }

    /// The open message is all there is of it. `missing` says why its terminator is not.
    fn close(&mut self, missing: Option<HalfWhy>) {
        let bytes = std::mem::take(&mut self.message);
        let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
        let headed = is_header(bytes.get(..end).unwrap_or_default(), None);
        let why = match (headed, missing, self.config.terminator) {
            (false, ..) => Some(HalfWhy::Headless),
            (true, None, _) | (true, Some(_), Terminator::Optional) => None,
            (true, Some(why), Terminator::Required) => Some(why),
        };
        self.field = None;
        self.events.push_back(match why {
            None => UnframedEvent::Message(bytes),
            Some(why) => UnframedEvent::Half { bytes, why },
        });
    }

    fn end_skipping(&mut self) {
        self.beheaded = false;
        if let Some(bytes) = self.skipping.take() {
            self.events.push_back(UnframedEvent::Skipped { bytes });
            self.field = None;
        }
    }

    fn stop(&mut self, stop: Stop) {
        if let Some(skipped) = &mut self.skipping {
            *skipped += self.record.len() as u64;
            self.record.clear();
        }
        self.end_skipping();
        // An L without its line end is whole if it is more than a letter, which might be the first of a word.
        if self.record.len() > 1 && self.record_ends_message() {
            self.message.append(&mut self.record);
            self.close(None);
        } else if !self.is_idle() {
            let why = if stop == Stop::Silence { HalfWhy::Silence } else { HalfWhy::Closed };
            if self.record.is_empty() && stop != Stop::Broken {
                self.close(Some(why));
            } else {
                let bytes = [std::mem::take(&mut self.message), std::mem::take(&mut self.record)].concat();
                self.field = None;
                self.events.push_back(UnframedEvent::Half { bytes, why });
            }
        }
    }
}
