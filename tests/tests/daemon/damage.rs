//! What a disk does to files at rest: the state is made again, the journal is never guessed at.

use crate::{
    analyser::{Block, Line, Transfer},
    house::{Daemon, House},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

const SEED: u64 = 0x0000_da3a;

/// A house with some results of each kind in it, and a half transmission.
fn lived_in(tag: &str) -> House {
    let house = House::new();
    let daemon = house.start();
    work(&daemon, tag);
    assert!(daemon.stop().0.success());
    house
}

fn work(daemon: &Daemon, tag: &str) {
    for (connection, _) in crate::house::LINES {
        let mut line = Line::open(daemon.listening[*connection]).unwrap();
        for number in 0..4 {
            let tag = format!("{tag}{}{number}", connection.get(..1).unwrap());
            if matches!(*connection, "serology" | "grouping") {
                let mut transfer = Transfer::new(connection, &tag, 2, number);
                line.transfer(&mut transfer, || ()).unwrap();
            } else {
                let mut blocks: Vec<Block> =
                    (0..3).map(|n| Block::new(connection, &format!("{tag}B{n}"))).collect();
                line.blocks(&mut blocks, || ()).unwrap();
            }
        }
    }
    daemon.idle();
}

/// Every answer of the HTTP surface that rests on the state.
fn answers(daemon: &Daemon) -> Vec<(String, Value)> {
    daemon.idle();
    let mut all = Vec::new();
    for list in
        ["messages", "quarantine", "transfers/half", "observations", "donations", "verdicts", "deliveries"]
    {
        all.push((list.to_owned(), Value::Array(daemon.list(list))));
    }
    for donation in daemon.list("donations") {
        let path = format!("donations/{}", donation["donation"].as_str().unwrap());
        all.push((path.clone(), daemon.get(&path)));
    }
    for message in daemon.list("messages") {
        let path = format!("messages/{}", message["seq"]);
        all.push((path.clone(), daemon.get(&path)));
        let (status, raw) = daemon.ask(&format!("/api/v1/{path}/raw"));
        assert_eq!(status, 200);
        all.push((format!("{path}/raw"), Value::String(raw.escape_ascii().to_string())));
    }
    all
}

fn same(daemon: &Daemon, before: &[(String, Value)], what: &str) {
    for ((path, now), (_, then)) in answers(daemon).iter().zip(before) {
        assert_eq!(now, then, "{what}: {path}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

#[test]
fn the_state_deleted_damaged_or_behind_is_made_again_with_the_same_answers() {
    let house = lived_in("OLD");
    let state = house.ledger().join("state");
    let old = house.path.join("older-state");
    copy(&state, &old);
    let daemon = house.start();
    work(&daemon, "NEW");
    let before = answers(&daemon);
    assert!(before.len() > 60, "only {} answers", before.len());
    assert!(daemon.stop().0.success());

    fs::remove_dir_all(&state).unwrap();
    let daemon = house.start();
    same(&daemon, &before, "deleted");
    assert!(daemon.stop().0.success());

    fs::remove_dir_all(&state).unwrap();
    copy(&old, &state);
    let daemon = house.start();
    same(&daemon, &before, "an older copy");
    let (status, log) = daemon.stop();
    assert!(status.success() && log.contains("made again"), "{log}");

    let mut random = fastrand::Rng::with_seed(SEED);
    for round in 0..6 {
        for file in files(&state) {
            let mut bytes = fs::read(&file).unwrap();
            // One flip in small files, more in large ones: in the part that was written.
            let written = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
            for _ in 0..(written / 4096 + 1).min(1 + round * 8) {
                if written > 0 {
                    bytes[random.usize(..written)] ^= 1 << random.u32(..8);
                }
            }
            fs::write(&file, bytes).unwrap();
        }
        let daemon = house.start();
        same(&daemon, &before, &format!("damaged, round {round}"));
        assert!(daemon.stop().0.success());
    }
}

/// Stopped in order, so that a seal stands behind the last group: a damaged group behind which nothing stands
/// cannot be told from a torn one.
#[test]
fn law_05_a_damaged_byte_of_the_journal_stops_the_start_and_names_its_place() {
    let house = lived_in("J");
    let journal = files(&house.ledger().join("journal"));
    let file = journal.iter().max_by_key(|f| fs::metadata(f).unwrap().len()).unwrap();
    let good = fs::read(file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let mut random = fastrand::Rng::with_seed(SEED);
    for _ in 0..8 {
        let at = random.usize(..good.len() * 9 / 10);
        let mut bad = good.clone();
        bad[at] ^= 1 << random.u32(..8);
        fs::write(file, &bad).unwrap();
        let (code, said) = house.refuses();
        assert!(matches!(code, Some(69 | 74)), "byte {at}: exit {code:?}: {said}");
        assert!(said.contains(name) && said.contains("byte"), "byte {at}: no place in: {said}");
        assert_eq!(fs::read(file).unwrap(), bad, "nothing is changed");
    }
    fs::write(file, &good).unwrap();
    assert!(house.start().stop().0.success());
}
