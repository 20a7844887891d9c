//! Both drivers against a peer of the test's own, on a line in memory, with a clock that only the test moves.

mod asked_once;
mod blocks;
mod dialects;
mod frames;
mod hl7;
mod unlinked;

use crate::{
    Answering, Awaits, Board, Connection, Desk, Later, Limits, Link, MessageEnd, Outgoing, OutgoingId, Reply,
    Settled, store::Store, transport::Line,
};
use ledger::{Ledger, MessageFilter, Page, Seq, Settings, StateStore};
use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_util::sync::CancellationToken;
use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

/// A real second or two are more than anything here needs; past it a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between the end of a write and the news of it.
const REST: Duration = Duration::from_millis(4);

/// What the desk does with the next question.
pub(super) enum Says {
    Reply(Option<Reply>),
    /// It never comes back.
    Hangs,
}

/// A desk that says what a test told it to.
#[derive(Default)]
pub(super) struct Clerk {
    says: Mutex<VecDeque<Says>>,
    asked: Mutex<Vec<(Seq, Vec<u8>)>>,
    unasked: Mutex<VecDeque<Outgoing>>,
    stirred: tokio::sync::Notify,
    settled: Mutex<Vec<(u64, Settled)>>,
}

impl std::fmt::Debug for Clerk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clerk")
    }
}

impl Clerk {
    pub(super) fn says(&self, says: Says) {
        self.says.lock().unwrap().push_back(says);
    }

    pub(super) fn has(&self, outgoing: Outgoing) {
        self.unasked.lock().unwrap().push_back(outgoing);
        self.stirred.notify_one();
    }

    pub(super) fn asked(&self) -> Vec<(Seq, Vec<u8>)> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn settled(&self) -> Vec<(u64, Settled)> {
        self.settled.lock().unwrap().clone()
    }
}

impl Desk for Clerk {
    fn asks(&self, raw: &[u8]) -> bool {
        raw.windows(3).any(|w| [b"\rQ|", b"\rQR", b"\rQP"].iter().any(|start| w == *start))
    }

    fn takes_back(&self, raw: &[u8]) -> bool {
        raw.windows(12).any(|w| w == b"ALL||||||||A")
    }

    fn consider(self: Arc<Self>, message: Seq, raw: Vec<u8>) -> Later<Option<Reply>> {
        self.asked.lock().unwrap().push((message, raw));
        match self.says.lock().unwrap().pop_front() {
            Some(Says::Reply(reply)) => Box::pin(async move { reply }),
            Some(Says::Hangs) => Box::pin(pending()),
            None => Box::pin(async { None }),
        }
    }

    fn overdue(&self, _: Seq, raw: &[u8]) -> Option<Reply> {
        let hl7 = raw.starts_with(b"MSH");
        let direct = hl7.then(|| b"MSH|^~\\&|||||1||QCK^Q02|0|P|2.3.1\rQAK|SR|NF\r".to_vec());
        let then = if hl7 { vec![] } else { vec![outgoing(999, "H|\\^&\rL|1|I\r")] };
        Some(Reply { direct, then, withdraw: false })
    }

    fn to_send(self: Arc<Self>) -> Later<Outgoing> {
        Box::pin(async move {
            loop {
                if let Some(outgoing) = self.unasked.lock().unwrap().pop_front() {
                    return outgoing;
                }
                self.stirred.notified().await;
            }
        })
    }

    fn settled(&self, id: OutgoingId, how: Settled) {
        self.settled.lock().unwrap().push((id.0, how));
    }
}

pub(super) fn outgoing(id: u64, text: &str) -> Outgoing {
    let awaits = if text.starts_with("MSH") { Awaits::Answer } else { Awaits::Link };
    Outgoing { id: OutgoingId(id), bytes: text.as_bytes().to_vec(), awaits }
}

pub(super) fn then(id: u64, text: &str) -> Says {
    Says::Reply(Some(Reply { then: vec![outgoing(id, text)], ..Reply::default() }))
}

/// One driver at work, and the test as its peer.
pub(super) struct Site {
    pub(super) peer: DuplexStream,
    pub(super) clerk: Arc<Clerk>,
    pub(super) ledger: Ledger,
    pub(super) board: Board,
    pub(super) stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
    /// Bytes that the test has sent.
    sent: u64,
    /// While it is held, the clock does not run by itself.
    _clock: mpsc::Sender<()>,
    _folder: tempfile::TempDir,
}

pub(super) fn lis01(change: impl FnOnce(&mut lis01::Config)) -> Link {
    let mut config = lis01::Config::default();
    change(&mut config);
    Link::Lis01(config, MessageEnd::Terminator)
}

pub(super) fn mllp() -> Link {
    Link::Mllp(mllp::Config::default(), Answering::default())
}

pub(super) fn site(speaks: Link) -> Site {
    site_on(Arc::new(ledger::storage::RealStorage), speaks)
}

/// With its ledger on a disk of the test's.
pub(super) fn site_on(storage: Arc<dyn ledger::storage::Storage>, speaks: Link) -> Site {
    let (clock, held) = mpsc::channel();
    // A paused clock jumps to the next deadline whenever the runtime is idle, also while it waits for the disk;
    // but not while a blocking task runs.
    tokio::task::spawn_blocking(move || held.recv());
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(folder.path().join("ledger"));
    settings.state = StateStore::Memory;
    settings.storage = storage;
    settings.free_bytes_min = 0;
    settings.ballast_bytes = 0;
    let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
    let clerk = Arc::new(Clerk::default());
    let protocol = if matches!(speaks, Link::Mllp(..)) { Protocol::Hl7v2 } else { Protocol::Lis02 };
    let connection = Connection {
        id: ConnectionId::new("line").unwrap(),
        mode: Mode::Production,
        profile: ProfileRef { id: "maker/model".into(), revision: "0".into() },
        protocol,
        link: speaks,
        limits: Limits::default(),
        desk: Some(Arc::clone(&clerk) as Arc<dyn Desk>),
    };
    let (board, stop) = (Board::default(), CancellationToken::new());
    let store = Store::new(ledger.clone());
    let line = Line {
        connection: Arc::new(connection),
        store,
        board: board.clone(),
        stop: CancellationToken::new(),
    };
    let (peer, host) = tokio::io::duplex(64 * 1024);
    let token = stop.clone();
    let served = tokio::spawn(async move { line.socket(host, "a peer in memory", token).await });
    Site { peer, clerk, ledger, board, stop, served, sent: 0, _clock: clock, _folder: folder }
}

impl Site {
    /// What the host sends next, exactly.
    pub(super) async fn expect(&mut self, bytes: &[u8]) {
        let found = self.bytes(bytes.len()).await;
        assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(bytes));
    }

    /// The next `count` bytes, or as many as come.
    pub(super) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let begin = Instant::now();
        let mut found = Vec::new();
        while found.len() < count && begin.elapsed() < PATIENCE {
            let mut part = vec![0; count - found.len()];
            tokio::select! {
                biased;
                read = self.peer.read(&mut part) => found.extend_from_slice(&part[..read.unwrap()]),
                () = tokio::task::yield_now() => {}
            }
        }
        found
    }

    /// One block of the host's, without its block characters.
    pub(super) async fn block(&mut self) -> String {
        let mut found = Vec::new();
        loop {
            let byte = self.bytes(1).await;
            assert!(!byte.is_empty(), "no block came: {:?}", String::from_utf8_lossy(&found));
            found.extend(byte);
            if found.ends_with(b"\x1c\r") {
                return String::from_utf8(found[1..found.len() - 2].to_vec()).unwrap();
            }
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.peer.write_all(bytes).await.unwrap();
        self.sent += bytes.len() as u64;
    }

    /// Nothing comes: everything the host can do by now, it has done.
    pub(super) async fn silence(&mut self) {
        self.settle().await;
        let mut byte = [0];
        tokio::select! {
            biased;
            read = self.peer.read(&mut byte) => panic!("unexpected: {read:?} {byte:?}"),
            () = std::future::ready(()) => {}
        }
    }

    /// Waits until the driver has nothing left to do: it has read what was sent, the disk is at rest, and both have been
    /// so for a little while. The state hears of an entry after whoever waited for it was told, however slow the machine.
    pub(super) async fn settle(&self) {
        let sent = self.sent;
        self.shows(|standing| standing.bytes_total >= sent).await;
        let (mut since, mut durable) = (Instant::now(), self.ledger.status().durable);
        while since.elapsed() < REST {
            tokio::task::yield_now().await;
            let status = self.ledger.status();
            let busy = status.queue_entries > 0
                || status.writing_for_ms.is_some()
                || status.applied < status.durable;
            if busy || status.durable != durable {
                (since, durable) = (Instant::now(), status.durable);
            }
        }
    }

    /// Waits until the driver has read everything that was sent, then moves the clock by milliseconds.
    pub(super) async fn step(&mut self, ms: u64) {
        let sent = self.sent;
        self.shows(|standing| standing.bytes_total >= sent).await;
        tokio::time::advance(Duration::from_millis(ms)).await;
    }

    /// Waits until so many frames or blocks are kept and answered.
    pub(super) async fn accepted(&self, count: u64) {
        self.shows(|standing| standing.accepted_total >= count).await;
    }

    async fn shows(&self, holds: impl Fn(&crate::Standing) -> bool) {
        let (begin, id) = (Instant::now(), ConnectionId::new("line").unwrap());
        loop {
            let standings = self.board.standings();
            if standings.get(&id).is_some_and(&holds) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "it does not come to that: {:?}", standings.get(&id));
            tokio::task::yield_now().await;
        }
    }

    /// The host closes the line, and says nothing more.
    pub(super) async fn gone(&mut self) {
        let begin = Instant::now();
        let mut byte = [0];
        loop {
            tokio::select! {
                biased;
                read = self.peer.read(&mut byte) => {
                    assert_eq!(read.unwrap(), 0, "unexpected: {byte:?}");
                    return;
                }
                () = tokio::task::yield_now() => assert!(begin.elapsed() < PATIENCE, "the line stays open"),
            }
        }
    }

    /// Moves the clock; nothing runs out before its time.
    pub(super) async fn after(&mut self, seconds: u64) {
        self.silence().await;
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    /// Waits until something holds that the driver does in its own time.
    pub(super) async fn until(&self, holds: impl Fn(&Clerk) -> bool) {
        let begin = Instant::now();
        while !holds(&self.clerk) {
            assert!(begin.elapsed() < PATIENCE, "it does not come to that: {:?}", self.clerk.settled());
            tokio::task::yield_now().await;
        }
    }

    /// The line goes; what the ledger holds then.
    pub(super) async fn hang_up(mut self) -> (Vec<Vec<u8>>, Arc<Clerk>, Board) {
        let messages = self.close().await;
        (messages, self.clerk, self.board)
    }

    /// The line goes; the messages that the ledger holds then.
    pub(super) async fn close(&mut self) -> Vec<Vec<u8>> {
        drop(std::mem::replace(&mut self.peer, tokio::io::duplex(1).0));
        (&mut self.served).await.unwrap();
        self.ledger.wait_applied(self.ledger.status().durable).await.unwrap();
        let reader = self.ledger.state();
        let found = reader.messages(&MessageFilter::default(), &Page::first(1000)).unwrap();
        found.items.iter().map(|m| reader.raw(m.seq).unwrap()).collect()
    }

    pub(super) fn anomalies(&self) -> u64 {
        self.standing().anomalies_total
    }

    pub(super) fn standing(&self) -> crate::Standing {
        self.board.standing(&ConnectionId::new("line").unwrap()).unwrap()
    }

    /// What the line's trace tells.
    pub(super) fn trace(&self) -> Vec<crate::trace::Traced> {
        let trace = self.board.trace_of(&ConnectionId::new("line").unwrap()).unwrap();
        trace.since(0).events.into_iter().map(|event| event.what).collect()
    }
}
