//! One link on a work bench: bytes in, the time by hand, everything it says written down.

use lis01::{Config, Event, FrameEnd, FrameTicket, Link, SendId};
use std::time::{Duration, Instant};

/// What the caller of the link does with frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Accepts,
    Refuses,
    Holds,
}

/// A frame as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) number: Option<u8>,
    pub(crate) end: FrameEnd,
    pub(crate) text: Vec<u8>,
}

/// The proof of these tests: nothing but `Bench` makes one.
#[derive(Debug)]
pub(crate) struct Stored(pub(crate) ());

#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) link: Link<Stored>,
    pub(crate) now: Instant,
    pub(crate) caller: Caller,
    pub(crate) held: Vec<FrameTicket>,
    pub(crate) frames: Vec<Delivered>,
    /// Everything said, frames as `Frame 1 "text"`.
    pub(crate) said: Vec<String>,
    pub(crate) sent: Vec<Vec<u8>>,
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            link: Link::new(config),
            now: epoch(),
            caller: Caller::Accepts,
            held: Vec::new(),
            frames: Vec::new(),
            said: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Bytes from the peer, offered until taken or the link wants to be asked later.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> &mut Self {
        let mut rest = bytes;
        loop {
            let taken = self.link.handle_input(rest, self.now);
            rest = &rest[taken..];
            let moved = self.fetch();
            if rest.is_empty() || (taken == 0 && !moved) {
                return self;
            }
        }
    }

    pub(crate) fn wait(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self.link.handle_timeout(self.now);
        self.fetch();
        self
    }

    pub(crate) fn wait_ms(&mut self, ms: u64) -> &mut Self {
        self.wait(Duration::from_millis(ms))
    }

    pub(crate) fn queue(&mut self, records: &[&[u8]]) -> SendId {
        let id = self.link.send(records.iter().map(|record| record.to_vec()).collect(), self.now).unwrap();
        self.fetch();
        id
    }

    pub(crate) fn accept_held(&mut self) -> &mut Self {
        let ticket = self.held.remove(0);
        self.link.accept(ticket, Stored(()), self.now);
        self.fetch();
        self
    }

    pub(crate) fn refuse_held(&mut self) -> &mut Self {
        let ticket = self.held.remove(0);
        self.link.refuse(ticket, self.now);
        self.fetch();
        self
    }

    pub(crate) fn disconnect(&mut self) -> &mut Self {
        self.link.handle_disconnect(self.now);
        self.fetch();
        self
    }

    /// Fetches all events and blocks; true if there was one.
    pub(crate) fn fetch(&mut self) -> bool {
        let mut moved = false;
        loop {
            if let Some(event) = self.link.poll_event() {
                self.note(event);
            } else if let Some(block) = self.link.poll_transmit() {
                self.sent.push(block.into_owned());
            } else {
                return moved;
            }
            moved = true;
        }
    }

    fn note(&mut self, event: Event) {
        let Event::Frame(frame) = event else {
            self.said.push(format!("{event:?}"));
            return;
        };
        let number = frame.number.map_or("-".to_owned(), |number| number.to_string());
        self.said.push(format!("Frame {number} {:?} {:?}", frame.end, show(&frame.text)));
        self.frames.push(Delivered { number: frame.number, end: frame.end, text: frame.text });
        match self.caller {
            Caller::Accepts => self.link.accept(frame.ticket, Stored(()), self.now),
            Caller::Refuses => self.link.refuse(frame.ticket, self.now),
            Caller::Holds => self.held.push(frame.ticket),
        }
    }

    /// What was sent since the last time, shown by [`show`].
    pub(crate) fn take_sent(&mut self) -> String {
        show(&self.sent.drain(..).flatten().collect::<Vec<u8>>())
    }

    pub(crate) fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }
}

/// A fixed moment. The clock is read once, for want of another way to make an `Instant`; no test depends on it.
#[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; time is virtual from here on")]
pub(crate) fn epoch() -> Instant {
    static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

/// Bytes as a reader wants them: `<ENQ>`, `<STX>1H|<CR><ETX>…`.
pub(crate) fn show(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| name(*byte)).collect()
}

/// The inverse of [`show`].
pub(crate) fn bytes(shown: &str) -> Vec<u8> {
    let names: Vec<(u8, String)> = (0..=255).map(|byte| (byte, name(byte))).collect();
    let mut rest = shown;
    let mut bytes = Vec::new();
    while !rest.is_empty() {
        let found = names.iter().find_map(|(byte, name)| Some((*byte, rest.strip_prefix(name.as_str())?)));
        let (byte, behind) = found.unwrap();
        bytes.push(byte);
        rest = behind;
    }
    bytes
}

fn name(byte: u8) -> String {
    match byte {
        2 => "<STX>".into(),
        3 => "<ETX>".into(),
        4 => "<EOT>".into(),
        5 => "<ENQ>".into(),
        6 => "<ACK>".into(),
        10 => "<LF>".into(),
        13 => "<CR>".into(),
        21 => "<NAK>".into(),
        23 => "<ETB>".into(),
        b' '..=b'~' => char::from(byte).into(),
        _ => format!("<{byte:02X}>"),
    }
}

/// The frame `number` with `text` (shown as by [`show`]), ending in `<ETX>` or `<ETB>`.
pub(crate) fn frame(number: u8, text: &str) -> Vec<u8> {
    framed(number, text, FrameEnd::End)
}

pub(crate) fn part(number: u8, text: &str) -> Vec<u8> {
    framed(number, text, FrameEnd::Intermediate)
}

pub(crate) fn framed(number: u8, text: &str, end: FrameEnd) -> Vec<u8> {
    lis01::encode_frame(lis01::FrameNumber::new(number), end, &bytes(text))
}
