//! Floods: more sockets, bytes and patience than any analyser has. The daemon's memory stays within a bound, other
//! analysers are answered all the while, and everything that was acknowledged to them is there afterwards.

use crate::{
    analyser::{Block, Line, Transfer},
    house::{Daemon, House, until},
    reckoning::{Sent, reckon},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Resident memory that the daemon may ever have had. At rest it has some 45 MiB.
pub(crate) const RESIDENT_KIB_MAX: u64 = 160 * 1024;
/// Lines that the daemon may write into its log about one flood.
const LOG_LINES_MAX: usize = 1_000;
pub(crate) const WITHIN: Duration = Duration::from_mins(1);
/// Between two rounds of an analyser that works on.
const ROUND_PAUSE: Duration = Duration::from_millis(50);

/// The most resident memory that a process has had.
fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Two analysers that work while something else goes on: one in frames, one in blocks.
pub(crate) struct Neighbours {
    enough: Arc<AtomicBool>,
    at_work: Vec<JoinHandle<Sent>>,
}

impl Neighbours {
    /// On the lines `grouping` and `nat`.
    pub(crate) fn of(daemon: &Daemon) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let frames = (daemon.listening["grouping"], Arc::clone(&enough));
        let blocks = (daemon.listening["nat"], Arc::clone(&enough));
        let at_work = vec![
            thread::spawn(move || {
                work(&frames.1, |number, sent| {
                    let mut transfer = Transfer::new("grouping", &format!("G{number}"), 1, 0);
                    sent.line(frames.0).transfer(&mut transfer, || ()).unwrap();
                    sent.sent.transfers.push(transfer);
                })
            }),
            thread::spawn(move || {
                work(&blocks.1, |number, sent| {
                    let mut block = [Block::new("nat", &format!("N{number}"))];
                    sent.line(blocks.0).blocks(&mut block, || ()).unwrap();
                    assert!(block[0].acknowledged, "{block:?}");
                    sent.sent.blocks.extend(block);
                })
            }),
        ];
        Self { enough, at_work }
    }

    /// Everything that they sent, all of it acknowledged in time.
    pub(crate) fn end(self) -> Sent {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        for analyser in self.at_work {
            all.add(analyser.join().expect("an analyser was not answered"));
        }
        all
    }
}

/// One analyser's line and what it sent.
#[derive(Default)]
struct Work {
    line: Option<Line>,
    sent: Sent,
}

impl Work {
    fn line(&mut self, address: SocketAddr) -> &mut Line {
        self.line.get_or_insert_with(|| Line::open(address).unwrap())
    }
}

/// Sends again and again until it is enough, and once after that.
fn work(enough: &AtomicBool, mut round: impl FnMut(usize, &mut Work)) -> Sent {
    let mut work = Work::default();
    for number in 0.. {
        let last = enough.load(Ordering::Relaxed);
        round(number, &mut work);
        if last {
            break;
        }
        thread::park_timeout(ROUND_PAUSE);
    }
    work.sent
}

/// What must hold after every flood.
pub(crate) fn outlived(house: &House, mut daemon: Daemon, sent: &Sent) {
    let resident = resident_kib(daemon.pid());
    assert!(resident <= RESIDENT_KIB_MAX, "{resident} KiB are more than {RESIDENT_KIB_MAX} KiB");
    let lines = daemon.hear(Duration::ZERO).len();
    assert!(lines <= LOG_LINES_MAX, "{lines} lines of log: {:#?}", daemon.log.last());
    daemon.idle();
    let (status, log) = daemon.stop();
    assert!(status.success(), "{log}");
    reckon(&house.ledger(), sent);
    println!("{resident} KiB resident at most, {} acknowledged meanwhile", sent.acknowledged());
}

/// An analyser on `connection` sends a transfer, and is answered.
pub(crate) fn is_served(daemon: &Daemon, connection: &str, tag: &str) -> Transfer {
    let mut transfer = Transfer::new(connection, tag, 1, 0);
    Line::open(daemon.listening[connection]).unwrap().transfer(&mut transfer, || ()).unwrap();
    transfer
}

/// Lets this process, and what it starts, have `wanted` descriptors, or as many as it may have.
fn descriptors(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(wanted).min(wanted);
    if limit.current.is_some_and(|current| current < most) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum }).unwrap();
    }
    getrlimit(Resource::Nofile).current.unwrap_or(wanted).min(wanted)
}

/// The same, of an analyser that tries again when it is turned away.
fn is_served_at_last(daemon: &Daemon, connection: &str, tag: &str, sent: &mut Sent) {
    let mut tries = 0;
    until("it is served", WITHIN, || {
        tries += 1;
        let mut transfer = Transfer::new(connection, &format!("{tag}{tries}"), 1, 0);
        let line = Line::open(daemon.listening[connection]);
        let served = line.and_then(|mut line| line.transfer(&mut transfer, || ()));
        sent.transfers.push(transfer);
        served.is_ok()
    });
}

#[test]
fn ten_thousand_connections_that_say_nothing_hold_nobody_up() {
    const MANY: u64 = 10_000;
    // What the other tests of this binary have open.
    const SPARE: u64 = 500;
    let allowed = descriptors(MANY + SPARE) - SPARE;
    if allowed < MANY {
        println!("this system allows no more than {allowed} connections here");
    }
    let house = House::new();
    let daemon = house.start();
    let neighbours = Neighbours::of(&daemon);
    let silent: Vec<TcpStream> =
        (0..allowed).map(|_| TcpStream::connect(daemon.listening["serology"]).unwrap()).collect();
    // It keeps a named number of them and turns the others away.
    until("the others are turned away", WITHIN, || {
        daemon.get("connections/serology")["turned_away_total"].as_u64() >= Some(allowed - 100)
    });
    let served = is_served(&daemon, "serology", "S");
    let mut sent = neighbours.end();
    sent.transfers.push(served);
    outlived(&house, daemon, &sent);
    drop(silent);
}

/// Sockets that each say the next byte of `stream` in every round, for ever the same ones.
struct Drips {
    sockets: Vec<TcpStream>,
    stream: Vec<u8>,
    next: usize,
}

impl Drips {
    fn new(address: SocketAddr, count: usize, stream: &[u8]) -> Self {
        let sockets = (0..count).map(|_| TcpStream::connect(address).unwrap()).collect();
        Self { sockets, stream: stream.to_vec(), next: 0 }
    }

    fn drip(&mut self) {
        let Some(byte) = self.stream.get(self.next) else { return };
        // Whoever was turned away or displaced says no more.
        self.sockets.retain_mut(|socket| socket.write_all(&[*byte]).is_ok());
        self.next += 1;
    }
}

#[test]
fn analysers_that_say_a_byte_now_and_then_hold_nobody_up() {
    const MANY: usize = 100;
    const ROUNDS: usize = 40;
    let house = House::new();
    let daemon = house.start();
    let neighbours = Neighbours::of(&daemon);
    let frame = Transfer::new("serology", "LORIS", 1, 0).stream();
    let block = mllp::frame(&Block::new("chemistry", "LORIS").bytes);
    let mut drips = [
        Drips::new(daemon.listening["serology"], MANY, &frame[..ROUNDS]),
        Drips::new(daemon.listening["chemistry"], MANY, &block[..ROUNDS]),
    ];
    for _ in 0..ROUNDS / 2 {
        drips.iter_mut().for_each(Drips::drip);
        thread::park_timeout(ROUND_PAUSE);
    }
    // Somebody who means it, on the very ports.
    let served = is_served(&daemon, "serology", "S");
    let mut meant = [Block::new("chemistry", "C")];
    Line::open(daemon.listening["chemistry"]).unwrap().blocks(&mut meant, || ()).unwrap();
    for _ in ROUNDS / 2..ROUNDS {
        drips.iter_mut().for_each(Drips::drip);
        thread::park_timeout(ROUND_PAUSE);
    }
    let mut sent = neighbours.end();
    sent.transfers.push(served);
    sent.blocks.extend(meant);
    sent.cut_blocks.push(Block::new("chemistry", "LORIS").bytes);
    outlived(&house, daemon, &sent);
}

/// What an endless block begins with.
const BLOCK_HEAD: &[u8] = b"MSH|^~\\&|";
/// As long as a block may be.
const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Says `head`, and then bytes that never end: a GiB of them, or as many as are taken.
fn endless(address: SocketAddr, head: &[u8]) -> u64 {
    const GIB: u64 = 1024 * 1024 * 1024;
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_write_timeout(Some(WITHIN)).unwrap();
    socket.write_all(head).unwrap();
    let piece = vec![b'A'; 256 * 1024];
    let mut said = 0;
    while said < GIB && socket.write_all(&piece).is_ok() {
        said += piece.len() as u64;
    }
    said
}

#[test]
fn a_frame_and_a_block_of_a_gib_end_in_nothing_and_hold_nobody_up() {
    let house = House::new();
    let daemon = house.start();
    let neighbours = Neighbours::of(&daemon);
    let (serology, chemistry) = (daemon.listening["serology"], daemon.listening["chemistry"]);
    let floods = [
        thread::spawn(move || endless(serology, b"\x05\x021H|")),
        thread::spawn(move || endless(chemistry, &[b"\x0B", BLOCK_HEAD].concat())),
    ];
    let said: Vec<u64> = floods.map(|flood| flood.join().unwrap()).to_vec();
    for connection in ["serology", "chemistry"] {
        let told = |seen: &serde_json::Value| seen["anomalies"].to_string();
        until("it is told", WITHIN, || {
            daemon.get(&format!("connections/{connection}"))["anomalies_total"] != 0
        });
        println!("{connection}: {said:?} bytes, {}", told(&daemon.get(&format!("connections/{connection}"))));
    }
    let served = is_served(&daemon, "serology", "S");
    let mut sent = neighbours.end();
    sent.transfers.push(served);
    // The beginning of the block is kept for whoever looks into it.
    sent.cut_blocks.push([BLOCK_HEAD, &vec![b'A'; BLOCK_BYTES_MAX]].concat());
    outlived(&house, daemon, &sent);
}

/// Processor time that a process has used.
fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    // In hundredths of a second, on Linux, for whoever asks.
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

#[test]
fn a_daemon_that_has_no_descriptors_left_waits_and_goes_on() {
    const DESCRIPTORS: &str = "128";
    let house = House::new();
    let run = house.command();
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {DESCRIPTORS} && exec \"$@\""), "sh"]);
    limited.arg(run.get_program()).args(run.get_args());
    let mut daemon = house.launch(&mut limited);
    daemon.ready();
    // Somebody who is there already is served all the while.
    let mut before = Transfer::new("serology", "BEFORE", 2, 0);
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    assert!(line.establish().unwrap());
    let frames: Vec<Vec<u8>> = (0..before.frames.len()).map(|frame| before.encoded(frame)).collect();
    let half = frames.len() / 2;
    for frame in &frames[..half] {
        assert!(line.frame(frame).unwrap());
    }
    let flood: Vec<TcpStream> = ["grouping", "nat", "chemistry"]
        .iter()
        .flat_map(|name| vec![daemon.listening[*name]; 64])
        .map(|address| TcpStream::connect(address).unwrap())
        .collect();
    until("sockets are turned away", WITHIN, || {
        let said = |line: &String| line.contains("hemogate may open hardly any more files and sockets");
        daemon.hear(Duration::ZERO).iter().any(said)
    });
    // The ledger has what it needs, and whoever means it comes in.
    assert_eq!(daemon.get("status")["ledger"]["lag_entries"].as_u64().map(|lag| lag < 1_000), Some(true));
    let mut sent = Sent::default();
    is_served_at_last(&daemon, "grouping", "DURING", &mut sent);
    // It does not spin: a second of waiting is no second of work.
    let worked = processor_time(daemon.pid());
    thread::park_timeout(Duration::from_secs(1));
    let worked = processor_time(daemon.pid()).saturating_sub(worked);
    assert!(worked < Duration::from_millis(500), "{worked:?} of work in a second of waiting");
    for frame in &frames[half..] {
        assert!(line.frame(frame).unwrap());
    }
    line.write(&[4]).unwrap();
    before.acknowledged = before.frames.len();
    drop(flood);
    is_served_at_last(&daemon, "grouping", "AFTER", &mut sent);
    sent.transfers.push(before);
    outlived(&house, daemon, &sent);
}
