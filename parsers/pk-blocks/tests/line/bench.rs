//! A receiver on a work bench: bytes in, the time by hand, everything it says written down.

use pk_blocks::{BlockEnd, BlockTicket, Config, Event, Place, Receiver, Session, Step};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; time is virtual from here on")]
pub(crate) fn epoch() -> Instant {
    static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

pub(crate) struct Bench {
    pub(crate) receiver: Receiver<()>,
    pub(crate) now: Instant,
    /// Blocks wait for `accept` and `refuse`.
    pub(crate) holds: bool,
    pub(crate) held: Vec<BlockTicket>,
    pub(crate) said: Vec<String>,
    pub(crate) sent: Vec<u8>,
    pub(crate) texts: Vec<(Vec<u8>, BlockEnd)>,
    session: Session,
    /// Before the block that is held.
    before: Option<Place>,
    /// Messages of whole sessions.
    pub(crate) messages: Vec<String>,
    complete: bool,
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            receiver: Receiver::new(config),
            now: epoch(),
            holds: false,
            held: Vec::new(),
            said: Vec::new(),
            sent: Vec::new(),
            texts: Vec::new(),
            session: Session::default(),
            before: None,
            messages: Vec::new(),
            complete: false,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> &mut Self {
        let taken = self.receiver.handle_input(bytes, self.now);
        assert_eq!(taken, bytes.len());
        self.fetch();
        self
    }

    pub(crate) fn wait_ms(&mut self, ms: u64) -> &mut Self {
        self.now += Duration::from_millis(ms);
        self.receiver.handle_timeout(self.now);
        self.fetch();
        self
    }

    pub(crate) fn accept(&mut self) -> &mut Self {
        let ticket = self.held.remove(0);
        self.receiver.accept(ticket, (), self.now);
        self.fetch();
        self
    }

    pub(crate) fn refuse(&mut self) -> &mut Self {
        let ticket = self.held.remove(0);
        if let Some(place) = self.before.take() {
            self.session.go_back(place);
        }
        self.receiver.refuse(ticket, self.now);
        self.fetch();
        self
    }

    pub(crate) fn disconnect(&mut self) -> &mut Self {
        self.receiver.handle_disconnect();
        self.fetch();
        self
    }

    pub(crate) fn fetch(&mut self) {
        loop {
            while let Some(event) = self.receiver.poll_event() {
                self.note(event);
            }
            self.sent.extend(self.receiver.poll_transmit().unwrap_or_default());
            match self.receiver.poll_timeout() {
                Some(at) if at <= self.now => self.receiver.handle_timeout(self.now),
                Some(_) | None => return,
            }
        }
    }

    fn note(&mut self, event: Event) {
        let said = match event {
            Event::SessionStarted => {
                self.session = Session::new(1 << 20);
                self.complete = false;
                "begins".to_owned()
            }
            Event::Block(block) => {
                self.before = Some(self.session.place());
                self.complete = self.session.push(&block.text, block.end) == Step::Complete && block.whole;
                let text = String::from_utf8_lossy(&block.text).into_owned();
                self.texts.push((block.text, block.end));
                if self.holds {
                    self.held.push(block.ticket);
                } else {
                    self.receiver.accept(block.ticket, (), self.now);
                }
                let more = if block.end == BlockEnd::More { "+" } else { "" };
                format!("{text}{more}")
            }
            Event::Repeated => "again".to_owned(),
            Event::SessionEnded(how) => {
                // A caller keeps the message together with the block that completes it, before it knows the ending.
                assert!(!self.complete || how == pk_blocks::Ending::Complete || self.holds, "{how:?}");
                if self.complete {
                    self.messages.push(String::from_utf8(self.session.message().to_vec()).unwrap());
                }
                format!("{how:?}")
            }
            Event::Anomaly(anomaly) => format!("{:?} {}", anomaly.kind, anomaly.bytes_skipped),
        };
        self.said.push(said);
    }

    pub(crate) fn take_said(&mut self) -> String {
        std::mem::take(&mut self.said).join("; ")
    }

    pub(crate) fn take_sent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sent)
    }
}
