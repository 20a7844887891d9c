//! SIGKILL at random points, under load and while starting: everything acknowledged is there afterwards, once.

use crate::{
    analyser::{Block, Line, Transfer},
    house::{Daemon, House},
    reckoning::{Sent, reckon},
};
use std::{
    env,
    net::SocketAddr,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// Kills in all; `HEMOGATE_TEST_KILLS` sets another number.
const KILLS: usize = 200;
const SEED: u64 = 0x0051_6b11;
/// Houses that are killed at the same time.
const LANES: usize = 2;
/// Kills in one house before its ledger is reckoned up.
const ROUND: usize = 25;
/// Sockets to each connection.
const SOCKETS: usize = 3;
/// Acknowledgements are waited for so long before a daemon counts as hanging.
const WORKS_WITHIN: Duration = Duration::from_secs(30);

/// An analyser that sends until its socket breaks; now and then it breaks it itself.
fn analyser(
    connection: &str,
    address: SocketAddr,
    (tag, seed): (String, u64),
    acknowledged: &Sender<()>,
) -> Sent {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut sent = Sent::default();
    let frames = matches!(connection, "serology" | "grouping");
    // Nobody counts any more once the daemon is to be killed.
    let noted = || acknowledged.send(()).unwrap_or_default();
    'sockets: for socket in 0.. {
        let Ok(mut line) = Line::open(address) else { return sent };
        for number in 0.. {
            let tag = format!("{tag}S{socket}N{number}");
            let breaks = random.u32(..20) == 0;
            if frames {
                let unfinished = if random.u32(..5) == 0 { random.usize(1..6) } else { 0 };
                let mut transfer = Transfer::new(
                    connection,
                    &tag,
                    random.usize(0..3).max(usize::from(unfinished == 0)),
                    unfinished,
                );
                let outcome = line.transfer(&mut transfer, noted);
                sent.transfers.push(transfer);
                if outcome.is_err() {
                    return sent;
                }
                if breaks {
                    continue 'sockets;
                }
            } else {
                let count = random.usize(1..5);
                let mut blocks: Vec<Block> =
                    (0..count).map(|n| Block::new(connection, &format!("{tag}B{n}"))).collect();
                let outcome = line.blocks(&mut blocks, noted);
                sent.blocks.extend(blocks);
                if outcome.is_err() {
                    return sent;
                }
                if breaks {
                    let cut = mllp::frame(&Block::new(connection, &format!("{tag}CUT")).bytes);
                    let front = &cut[..random.usize(2..cut.len() - 2)];
                    sent.cut_blocks.push(front[1..].to_vec());
                    if line.write(front).is_err() {
                        return sent;
                    }
                    continue 'sockets;
                }
            }
        }
    }
    sent
}

/// Lets analysers loose on a daemon, kills it after so many acknowledgements and a little, and gathers what they
/// remember.
fn load_and_kill(daemon: &mut Daemon, tag: &str, random: &mut fastrand::Rng) -> Sent {
    let (acknowledged, counted): (Sender<()>, Receiver<()>) = channel();
    let mut analysers = Vec::new();
    for (connection, address) in daemon.listening.clone() {
        for socket in 0..SOCKETS {
            let acknowledged = acknowledged.clone();
            let (connection, seed) = (connection.clone(), random.u64(..));
            let tag = format!("{tag}{}{socket}", connection.get(..1).unwrap());
            analysers.push(thread::spawn(move || analyser(&connection, address, (tag, seed), &acknowledged)));
        }
    }
    for _ in 0..random.usize(1..120) {
        counted.recv_timeout(WORKS_WITHIN).expect("the daemon acknowledges");
    }
    pause(Duration::from_micros(random.u64(..4000)));
    daemon.kill();
    let mut sent = Sent::default();
    for analyser in analysers {
        sent.add(analyser.join().unwrap());
    }
    sent
}

/// Nobody sends on this channel: it only lets time pass.
fn pause(time: Duration) {
    let (_sender, silence) = channel::<()>();
    assert!(silence.recv_timeout(time).is_err());
}

/// Kills the daemon of a fresh house `kills` times, then lets it finish its work and reckons up.
fn house(name: usize, kills: usize) -> (usize, usize, usize) {
    let mut random = fastrand::Rng::with_seed(SEED ^ name as u64);
    let house = House::new();
    let mut sent = Sent::default();
    for kill in 0..kills {
        let mut daemon = house.launch(&mut house.command());
        if random.u32(..4) == 0 {
            pause(Duration::from_micros(random.u64(..400_000)));
            daemon.kill();
        } else {
            daemon.ready();
            sent.add(load_and_kill(&mut daemon, &format!("H{name}K{kill}"), &mut random));
        }
    }
    let daemon = house.start();
    daemon.idle();
    let (status, log) = daemon.stop();
    assert!(status.success(), "{status}: {log}");
    assert!(!log.contains("panicked"), "{log}");
    let (messages, halves) = reckon(&house.ledger(), &sent);
    (sent.acknowledged(), messages, halves)
}

#[test]
fn what_was_acknowledged_survives_200_kills() {
    let kills = env::var("HEMOGATE_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let houses: Vec<(usize, usize)> =
        (0..kills.div_ceil(ROUND)).map(|n| (n, ROUND.min(kills - n * ROUND))).collect();
    let totals: Vec<(usize, usize, usize)> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let mine: Vec<_> = houses.iter().skip(lane).step_by(LANES).copied().collect();
                scope.spawn(move || {
                    mine.into_iter().map(|(name, kills)| house(name, kills)).collect::<Vec<_>>()
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    let sum = |part: fn(&(usize, usize, usize)) -> usize| totals.iter().map(part).sum::<usize>();
    let (acknowledged, messages, halves) = (sum(|t| t.0), sum(|t| t.1), sum(|t| t.2));
    println!(
        "{kills} kills: {acknowledged} acknowledgements, {messages} messages, {halves} half transmissions"
    );
    assert!(acknowledged > kills * 20, "the load was too small to show anything: {acknowledged}");
    assert!(halves > kills / 4, "too few kills came in the middle of a transfer: {halves}");
}
