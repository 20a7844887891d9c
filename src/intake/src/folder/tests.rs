//! A folder with a ledger behind it, and files as people and programs leave them there. The clock is the test's; the
//! files and the ledger are real.

mod anew;
mod grown;
mod rows;

use super::{Folder, Patience, watcher::Watcher};
use crate::{Board, Connection, Irregularity, Limits, Link, board::Standing, store::Store};
use ledger::{Ledger, MessageFilter, Page, Settings, StateStore};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

/// As long as a file must not change.
const SETTLE: Duration = Duration::from_secs(2);
const BYTES_MAX: u64 = 64;

fn id() -> ConnectionId {
    ConnectionId::new("plates").unwrap()
}

fn open(home: &Path) -> Ledger {
    let mut settings = Settings::new(home.join("ledger"));
    settings.state = StateStore::Memory;
    settings.free_bytes_min = 0;
    settings.ballast_bytes = 0;
    Ledger::open(settings, &mut |_| {}).unwrap().0
}

/// A folder, its connection, and the ledger behind them.
struct Site {
    home: tempfile::TempDir,
    path: PathBuf,
    connection: Connection,
    ledger: Ledger,
    store: Store,
    board: Board,
    stop: CancellationToken,
}

impl Site {
    fn new(mode: Mode) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("in");
        fs::create_dir(&path).unwrap();
        let connection = Connection {
            id: id(),
            mode,
            profile: ProfileRef { id: "maker/model".into(), revision: "0".into() },
            protocol: Protocol::Delimited,
            link: Link::Files { bytes_max: BYTES_MAX, settle: SETTLE, orders: false },
            limits: Limits::default(),
            desk: None,
        };
        let ledger = open(home.path());
        let (store, board) = (Store::new(ledger.clone()), Board::default());
        board.begin(&connection);
        let stop = CancellationToken::new();
        Self { home, path, connection, ledger, store, board, stop }
    }

    fn watcher(&self) -> Watcher<'_> {
        let folder = Folder {
            path: self.path.clone(),
            pattern: "*.csv".into(),
            bytes_max: BYTES_MAX,
            settle: SETTLE,
            patience: Patience::default(),
        };
        Watcher::new(&self.connection, folder, &self.store, &self.board, &self.stop)
    }

    /// Another life of the daemon.
    fn restart(&mut self) {
        self.ledger.clone().close();
        self.ledger = open(self.home.path());
        self.store = Store::new(self.ledger.clone());
        self.board = Board::default();
        self.board.begin(&self.connection);
    }

    fn standing(&self) -> Standing {
        self.board.standing(&id()).unwrap_or_default()
    }

    /// The messages in the ledger, in order.
    async fn messages(&self) -> Vec<String> {
        self.ledger.wait_applied(self.ledger.status().durable).await.unwrap();
        let reader = self.ledger.state();
        let found = reader.messages(&MessageFilter::default(), &Page::first(100)).unwrap();
        let text = |seq| String::from_utf8(reader.raw(seq).unwrap()).unwrap();
        let mut messages: Vec<(ledger::Seq, String)> =
            found.items.iter().map(|m| (m.seq, text(m.seq))).collect();
        messages.sort();
        messages.into_iter().map(|(_, text)| text).collect()
    }

    /// The names in a folder, in order; none when it is not there.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path.join(folder)).into_iter().flatten().map(Result::unwrap);
        let files = entries.filter(|entry| !entry.file_type().unwrap().is_dir());
        let mut names: Vec<String> = files.map(|entry| super::name::shown(&entry.file_name())).collect();
        names.sort();
        names
    }
}

/// Looks once a second of the test's clock, for `seconds`.
async fn looks(watcher: &mut Watcher<'_>, seconds: u32) {
    for _ in 0..seconds {
        tokio::time::advance(Duration::from_secs(1)).await;
        watcher.look().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn law_01_a_file_stays_where_it_is_while_the_ledger_does_not_take_it() {
    let mut site = Site::new(Mode::Production);
    site.ledger.clone().close();
    fs::write(site.path.join("a.csv"), "1").unwrap();
    let mut watcher = site.watcher();
    looks(&mut watcher, 6).await;
    let standing = site.standing();
    assert!(standing.reason.contains("a.csv waits: it cannot be made durable"), "{standing:?}");
    assert!(standing.reason_zh.contains("无法写入账本"), "{standing:?}");
    assert_eq!((standing.activity, standing.refused_total), (crate::Activity::Failed, 1));
    assert_eq!((site.names(""), site.names("taken")), (vec!["a.csv".to_owned()], vec![]));
    drop(watcher);
    site.restart();
    looks(&mut site.watcher(), 4).await;
    assert_eq!(
        (site.messages().await, site.names("taken")),
        (vec!["1".to_owned()], vec!["a.csv".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_gone_is_looked_for_with_pauses_that_grow_to_their_bound() {
    let site = Site::new(Mode::Production);
    fs::remove_dir(&site.path).unwrap();
    let mut watcher = site.watcher();
    let longest = site.connection.limits.reconnect_pause_max;
    let mut before = Duration::ZERO;
    for _ in 0..20 {
        before = watcher.look().await.unwrap();
        assert!(before <= longest);
    }
    assert!(before >= longest / 2, "{before:?}");
    assert_eq!(site.standing().anomalies_total, 1, "one trouble is told once");
    fs::create_dir(&site.path).unwrap();
    assert!(watcher.look().await.unwrap() <= SETTLE);
    fs::remove_dir(&site.path).unwrap();
    assert!(watcher.look().await.unwrap() <= longest / 50);
}

#[tokio::test(start_paused = true)]
async fn a_share_that_does_not_answer_is_waited_for_and_the_status_says_so() {
    let site = Site::new(Mode::Production);
    let mut watcher = site.watcher();
    let (answer, waits) = std::sync::mpsc::channel::<()>();
    let hangs = watcher.patiently(move || waits.recv().is_ok());
    let meanwhile = async {
        tokio::time::advance(Duration::from_secs(31)).await;
        while site.standing().activity != crate::Activity::Failed {
            tokio::task::yield_now().await;
        }
        let standing = site.standing();
        assert!(standing.reason.contains("has not answered for 3"), "{standing:?}");
        assert!(standing.reason_zh.contains("无响应"), "{standing:?}");
        answer.send(()).unwrap();
    };
    let (answered, ()) = tokio::join!(hangs, meanwhile);
    assert!(answered.unwrap());
    watcher.look().await.unwrap();
    assert_eq!(site.standing().activity, crate::Activity::Watching);
}

#[tokio::test(start_paused = true)]
async fn hemogate_stops_though_a_share_does_not_answer() {
    let site = Site::new(Mode::Production);
    let mut watcher = site.watcher();
    let (answer, waits) = std::sync::mpsc::channel::<()>();
    let hangs = watcher.patiently(move || waits.recv().is_ok());
    let stops = async { site.stop.cancel() };
    let (answered, ()) = tokio::join!(hangs, stops);
    assert!(answered.is_err());
    drop(answer);
}

#[tokio::test(start_paused = true)]
async fn what_went_on_is_in_the_trace_as_on_any_line() {
    let site = Site::new(Mode::Production);
    fs::write(site.path.join("a.csv"), "1,2\r\n").unwrap();
    fs::write(site.path.join("b.csv"), "x".repeat(65)).unwrap();
    looks(&mut site.watcher(), 4).await;
    let excerpt = site.board.trace_of(&id()).unwrap().since(0);
    let told: Vec<String> = excerpt.events.into_iter().map(|event| format!("{:?}", event.what)).collect();
    for (at, expect) in [
        (0, "Connected { peer: \"a.csv\" }"),
        (1, "Bytes { way: Received, bytes: [49, 44, 50, 13, 10] }"),
        (2, "Closed { why: \"durable\" }"),
        (3, "Refused { why: \"file b.csv is parked: its 65 bytes are more than the 64"),
    ] {
        assert!(told[at].starts_with(expect), "{told:#?}");
    }
    let standing = site.standing();
    assert_eq!((standing.peer.as_str(), standing.bytes_total, standing.connected_total), ("a.csv", 5, 1));
    assert!(standing.last_frame_ms > 0 && standing.last_message_ms > 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_waits_shows_and_is_told_after_a_while() {
    // Whoever runs the tests may read everything, so the hindrance is made by hand.
    let site = Site::new(Mode::Production);
    let file = site.path.join("a.csv");
    fs::write(&file, "1").unwrap();
    let mut watcher = site.watcher();
    watcher.look().await.unwrap();
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let why = super::take::Hindrance::Unreadable(crate::Said::of_system(&denied));
    for (wait, told) in [(0, 0), (59, 0), (1, 1), (600, 1)] {
        tokio::time::advance(Duration::from_secs(wait)).await;
        watcher.hindered(&"a.csv".into(), &why);
        assert_eq!(site.standing().anomalies.get(&Irregularity::File).copied().unwrap_or(0), told);
    }
    assert!(site.standing().last_anomaly.contains("a.csv waits: it cannot be read: permission denied"));
    assert!(file.exists() && site.names("parked").is_empty());
}
