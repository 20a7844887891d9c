//! Power cuts at every operation, and damage at every byte.

use super::recover::{RecoverError, Recovered};
use super::verify::verify_journal;
use super::writer::{EntryBody, FileSizes, Group, Writer};
use super::{HashAlgorithm, Held, JournalError, Line};
use crate::storage::{Model, PowerCut, Storage};
use crate::{Bytes, Draft, Entry, HowEnded, Seq, What, encode};
use fastrand::Rng;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use vocabulary::ConnectionId;

const SIZES: FileSizes = FileSizes { bytes_max: 1500, ahead_bytes: 700 };

fn folder() -> PathBuf {
    PathBuf::from("/l/journal")
}

fn recover(disk: &Model) -> Result<Recovered, RecoverError> {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    Recovered::read(&storage, folder(), HashAlgorithm::Sha256, &mut |_, _| {})
}

fn writer(disk: &Model) -> Writer {
    let found = recover(disk).unwrap();
    let index = found.index();
    found.writer(index, SIZES)
}

fn entries(disk: &Model) -> Vec<Entry> {
    let found = recover(disk).unwrap();
    let index = found.index();
    let lines: Vec<Line> = index.stream(Seq::NONE).map(Result::unwrap).collect();
    let last = found.last().get();
    assert_eq!(lines.iter().map(|l| l.entry.seq.get()).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    for line in &lines {
        assert_eq!(index.entry(line.entry.seq).unwrap(), line.entry, "by place and in order");
    }
    lines.into_iter().map(|l| l.entry).collect()
}

/// A draft that is known again by its mark.
fn draft(mark: u64, rng: &mut Rng) -> Draft {
    let connection = ConnectionId::new("c").unwrap();
    let what = match rng.u8(0..3) {
        0 => What::TransferEnded { connection, transfer: mark, how: HowEnded::Eot },
        1 => What::FrameReceived {
            connection,
            transfer: mark,
            number: Some(1),
            end: true,
            text: Bytes::from(vec![0; rng.usize(0..700)]),
            terms: None,
        },
        _ => What::FrameReceived {
            connection,
            transfer: mark,
            number: None,
            end: false,
            text: Bytes::from((0..rng.usize(0..200)).map(|_| rng.u8(..)).collect::<Vec<u8>>()),
            terms: None,
        },
    };
    Draft { by: format!("mark:{mark}").into(), what }
}

fn mark(entry: &Entry) -> u64 {
    entry.by.strip_prefix("mark:").unwrap().parse().unwrap()
}

/// Adds `drafts`: the first by itself, the others together, with the hash of each second one known.
fn extend(group: &mut Group, drafts: &[Draft]) {
    let bodies: Vec<Vec<u8>> = drafts
        .iter()
        .map(|draft| {
            let mut body = Vec::new();
            encode::body(draft, &mut body).unwrap();
            body
        })
        .collect();
    let bodies: Vec<EntryBody<'_>> = bodies
        .iter()
        .enumerate()
        .map(|(at, bytes)| {
            let hash = (at % 2 == 1).then(|| HashAlgorithm::Sha256.of(&[bytes]));
            EntryBody { bytes, hash }
        })
        .collect();
    let (first, others) = bodies.split_at(1);
    group.extend(7, first);
    group.extend(7, others);
}

/// What one group's writer was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Durable,
    Refused,
    /// The power went meanwhile.
    Nothing,
}

struct Life {
    groups: Vec<(Vec<u64>, Told)>,
    next_mark: u64,
    /// What the start of this life found.
    there: HashSet<u64>,
}

impl Life {
    /// Writes groups until the power goes; some syncs fail on the way.
    fn live(&mut self, disk: &Model, rng: &mut Rng) {
        let Ok(found) = recover(disk) else { panic!("not recovered") };
        let index = found.index();
        let mut writer = found.writer(index, SIZES);
        let mut began = writer.reopen(7).is_ok();
        if began {
            self.settle();
        }
        for _ in 0..14 {
            if began && rng.u8(0..8) == 0 && writer.wants_seal() {
                drop(writer.seal());
            }
            if rng.u8(0..15) == 0 {
                disk.fail_syncs(1);
            }
            let mut group = Group::behind(&writer);
            let marks: Vec<u64> = (0..rng.u64(1..5)).map(|i| self.next_mark + i).collect();
            self.next_mark += marks.len() as u64;
            let drafts: Vec<Draft> = marks.iter().map(|mark| draft(*mark, rng)).collect();
            extend(&mut group, &drafts);
            let told = match writer.commit(&mut group, 7) {
                Ok(()) => {
                    writer.learn(group.last_hash());
                    Told::Durable
                }
                Err(error) if error.to_string().contains("power") => Told::Nothing,
                Err(_) => Told::Refused,
            };
            if told == Told::Durable && !began {
                began = true;
                self.settle();
            }
            self.groups.push((marks, told));
            if told == Told::Nothing {
                return;
            }
        }
        disk.cut_power();
    }

    /// A life that has written anything has also made sure of what its start found: from here on that is durable,
    /// whoever was told what. What it did not find is gone for good.
    fn settle(&mut self) {
        self.groups.retain(|(marks, told)| *told == Told::Durable || self.there.contains(&marks[0]));
        self.groups.iter_mut().for_each(|(_, told)| *told = Told::Durable);
    }

    /// Every group that was told durable is there once, in order and whole; a refused one that was followed by
    /// a durable one is not; what nobody was told of is there whole or not at all.
    fn check(&self, found: &[Entry]) {
        let mut found: Vec<u64> = found.iter().map(mark).collect();
        found.reverse();
        let last_durable = self.groups.iter().rposition(|(_, told)| *told == Told::Durable);
        for (number, (marks, told)) in self.groups.iter().enumerate() {
            let there = found.last() == marks.first();
            if there {
                let got: Vec<u64> = (0..marks.len()).filter_map(|_| found.pop()).collect();
                assert_eq!(&got, marks, "group {number} is whole");
            }
            match told {
                Told::Durable => assert!(there, "group {number} was acknowledged and is lost"),
                Told::Refused => {
                    let followed = last_durable.is_some_and(|last| last > number);
                    assert!(!(there && followed), "group {number} was refused and is there");
                }
                Told::Nothing => {}
            }
        }
        assert!(found.is_empty(), "entries that nobody wrote: {found:?}");
    }
}

/// One power cut at operation `at`, then further lives that end by a kill or another cut.
fn check_cuts(at: u64, treatment: PowerCut, seed: u64) -> bool {
    let mut rng = Rng::with_seed(seed);
    let mut life = Life { groups: Vec::new(), next_mark: 1, there: HashSet::new() };
    let mut disk = Model::new();
    disk.cut_power_at(at);
    life.live(&disk, &mut rng);
    let reached = disk.operations() >= at;
    for later in 0..3 {
        let killed = later < 2 && rng.bool();
        disk = if killed { disk.after_kill() } else { disk.after_power_cut(treatment, seed ^ later) };
        let found = entries(&disk);
        life.check(&found);
        life.there = found.iter().map(mark).collect();
        disk.cut_power_at(rng.u64(1..40));
        life.live(&disk, &mut rng);
    }
    reached
}

#[test]
fn after_a_power_cut_at_any_operation_everything_acknowledged_is_there_once_and_in_order() {
    let mut cuts = 0;
    for treatment in [PowerCut::Nothing, PowerCut::Prefix, PowerCut::Torn, PowerCut::Everything] {
        for seed in 0..4 {
            let mut at = 1;
            while check_cuts(at, treatment, seed * 1000 + at) {
                at += 1;
                cuts += 4;
            }
        }
    }
    assert!(cuts > 3_000, "only {cuts} cuts");
}

/// A journal of several files with groups, seals, a refused group and a carried one.
fn small_journal() -> (Model, Vec<Entry>) {
    let mut rng = Rng::with_seed(3);
    let disk = Model::new();
    for life in 0..3u64 {
        let mut writer = writer(&disk);
        writer.reopen(7).unwrap();
        for number in 0..4u64 {
            if life == 1 && number == 2 {
                disk.fail_syncs(1);
            }
            let mut group = Group::behind(&writer);
            let drafts: Vec<Draft> =
                (0..2).map(|part| draft(life * 100 + number * 10 + part, &mut rng)).collect();
            extend(&mut group, &drafts);
            if writer.commit(&mut group, 7).is_ok() {
                writer.learn(group.last_hash());
            }
            if number == 1 {
                writer.seal().unwrap();
            }
        }
        if life != 1 {
            writer.seal().unwrap();
        }
    }
    let all = entries(&disk);
    assert_eq!(all.len(), 22);
    (disk, all)
}

#[test]
fn entries_are_found_in_any_order_while_the_file_grows_and_no_more_of_it_is_gone_over_than_is_asked_for() {
    let mut rng = Rng::with_seed(11);
    let disk = Model::new();
    let found = recover(&disk).unwrap();
    let index = found.index();
    let mut writer = found.writer(index.clone(), FileSizes { bytes_max: 1 << 20, ahead_bytes: 700 });
    let (mut written, mut covered) = (0, Vec::new());
    let mut held = Held::default();
    for round in 1..=8_u64 {
        for _ in 0..60 {
            let mut group = Group::behind(&writer);
            let drafts: Vec<Draft> = (written..written + 8).map(|number| draft(number, &mut rng)).collect();
            extend(&mut group, &drafts);
            writer.commit(&mut group, 7).unwrap();
            writer.learn(group.last_hash());
            written += 8;
        }
        // Of the last third nothing is asked until the end.
        let asked = if round < 8 { written * 2 / 3 } else { written };
        for _ in 0..40 {
            let number = rng.u64(0..asked);
            let entry = index.entry_near(Seq::new(number + 1), &mut held).unwrap();
            assert_eq!(mark(&entry), number);
            let next = index.stream(Seq::new(number + 1)).next().unwrap().unwrap().entry;
            assert_eq!(next, entry);
        }
        covered.push((index.covered(), index.total_bytes()));
    }
    assert!(covered[6].0 < covered[6].1 * 9 / 10 && covered[6].1 > 3 << 17, "{covered:?}");
    assert!(matches!(index.entry(Seq::new(written + 1)), Err(JournalError::NoEntry(_))));
}

/// How many zeroes stand at the end of each file.
fn filled_ahead(disk: &Model) -> Vec<usize> {
    let zeroes = |(path, length): (PathBuf, usize)| {
        let file = disk.open_read(&path).unwrap();
        let mut bytes = vec![0; length];
        assert_eq!(file.read_at(0, &mut bytes).unwrap(), length);
        bytes.iter().rev().take_while(|byte| **byte == 0).count()
    };
    disk.files().into_iter().map(zeroes).collect()
}

#[test]
fn one_damaged_byte_anywhere_stops_the_start_or_cuts_what_holds_no_entry() {
    let (disk, all) = small_journal();
    let (mut stopped, mut cut, mut void) = (0, 0, 0);
    for (path, length) in disk.files() {
        for offset in 0..length {
            let damaged = disk.copy();
            assert!(damaged.damage(&path, offset, 1 << (offset % 8)));
            match recover(&damaged) {
                Err(RecoverError::Damage(damage)) => {
                    stopped += 1;
                    assert!(path.ends_with(&damage.file), "{damage} names {path:?}");
                    assert!(damage.offset <= offset as u64, "{damage} stands before byte {offset}");
                }
                Err(error) => panic!("{path:?} byte {offset}: {error}"),
                Ok(found) => {
                    let here = format!("{path:?} byte {offset}");
                    let read: Vec<Entry> =
                        found.index().stream(Seq::NONE).map(|line| line.unwrap().entry).collect();
                    assert_eq!(read, all, "{here}: every entry is there, unchanged");
                    if found.tail.is_some() { cut += 1 } else { void += 1 }
                }
            }
        }
    }
    // The last seal and what was filled ahead behind it can be cut; bytes of the refused group, and what was filled ahead
    // in other files, are void; everything else stops the start.
    let filled = filled_ahead(&disk);
    let in_last = *filled.last().unwrap();
    assert_eq!(cut, super::format::SEAL_BYTES + in_last, "stopped {stopped}, void {void}");
    let filled_before = filled.iter().sum::<usize>() - in_last;
    assert!(in_last > 0 && filled_before > 0, "{filled:?}");
    assert!(stopped > 3000 && void - filled_before < stopped / 2, "stopped {stopped}, void {void}");
}

#[test]
fn one_damaged_byte_anywhere_is_named_by_verify_with_its_place() {
    let (disk, _) = small_journal();
    let check = |disk: &Model| verify_journal(disk, &folder(), &mut |_, _| {}).unwrap();
    let sound = check(&disk);
    assert!(sound.damage.is_empty() && sound.tail.is_none() && sound.files > 3, "{sound:?}");
    assert_eq!((sound.entries, sound.last), (22, Seq::new(22)));
    let mut unnamed = 0;
    for (path, length) in disk.files() {
        for offset in 0..length {
            let damaged = disk.copy();
            assert!(damaged.damage(&path, offset, 1 << (offset % 8)));
            let report = check(&damaged);
            unnamed += u64::from(report.damage.is_empty() && report.tail.is_none());
            for damage in &report.damage {
                let named = path.ends_with(&damage.file) && damage.offset <= offset as u64;
                assert!(named, "{path:?} byte {offset}: {damage}");
            }
        }
    }
    // Of what is no part of the journal, the one superseded seal is still looked at, and where none stands what would be
    // more of one than a group's header.
    let seal = super::format::SEAL_BYTES as u64;
    let looked_at = seal + (seal - super::format::GROUP_HEADER_BYTES as u64 + 1);
    assert_eq!(
        unnamed,
        sound.void_bytes - looked_at,
        "only bytes that are no part of the journal go unnamed"
    );
}

#[test]
fn a_missing_or_shortened_file_is_named() {
    let (disk, _) = small_journal();
    let files = disk.files();
    let (middle, _) = &files[2];
    disk.remove(middle).unwrap();
    let error = recover(&disk).err().unwrap().to_string();
    assert!(error.contains("00000003.log") && error.contains("missing"), "{error}");
}

#[test]
fn recovery_reads_and_writes_nothing_of_its_own() {
    let (disk, all) = small_journal();
    let before = disk.operations();
    assert_eq!(entries(&disk), all);
    assert_eq!(disk.operations(), before);
}
