//! What happens to a folder step by step, and what must have come of it.

use super::{BYTES_MAX, SETTLE, Site, looks};
use crate::{Activity, Irregularity, Link};
use std::{ffi::OsStr, fs, io::Write as _, os::unix::ffi::OsStrExt};
use vocabulary::Mode;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A file is written, or written over.
    Write(&'static str, &'static str),
    /// More is written to it.
    Append(&'static str, &'static str),
    /// A file whose name is no text is written.
    WriteRaw(&'static [u8], &'static str),
    /// A file is moved to another name; either may be in `taken/` or `parked/`.
    Rename(&'static str, &'static str),
    Remove(&'static str),
    Lock(&'static str),
    Unlock(&'static str),
    /// The share goes away with everything in it, and comes back.
    Vanish,
    Return,
    /// The daemon is started anew.
    Restart,
    /// It is started anew with the connection in this mode, the profile in this revision.
    RestartAs(Mode, &'static str),
    /// It is started anew with a profile that reads orders.
    RestartForOrders,
    /// So many seconds go by, with a look in each.
    Look(u32),
    /// What the ledger holds.
    Messages(&'static [&'static str]),
    /// Names in the folder.
    There(&'static [&'static str]),
    /// Names in `taken/`; of a name that was there before, the time in front is left away.
    Taken(&'static [&'static str]),
    /// Names in `parked/`.
    Parked(&'static [&'static str]),
    /// A part of the reason in the status.
    Says(&'static str),
    /// The status has nothing to say.
    Quiet,
    /// The connection's activity.
    Stands(Activity),
    /// So many irregularities of a kind.
    Irregular(Irregularity, u64),
    /// A part of what lies beside a parked file.
    Reason(&'static str, &'static str),
}
use Step::{
    Append, Irregular, Lock, Look, Messages, Parked, Quiet, Reason, Remove, Rename, Restart, RestartAs,
    RestartForOrders, Return, Says, Stands, Taken, There, Unlock, Vanish, Write, WriteRaw,
};

const SIXTY_FIVE: &str = "65 bytes of results, which is one byte more than a file may have.";

pub(super) async fn check(title: &str, mode: Mode, steps: &[Step]) {
    let mut site = Site::new(mode);
    let mut rest = steps;
    while !rest.is_empty() {
        let ends = |step: &Step| matches!(step, Restart | RestartAs(..) | RestartForOrders);
        let life = rest.iter().position(ends).unwrap_or(rest.len());
        live(title, &site, &rest[..life]).await;
        match rest.get(life) {
            Some(RestartAs(mode, revision)) => {
                site.connection.mode = *mode;
                site.connection.profile.revision = (*revision).into();
            }
            Some(RestartForOrders) => {
                site.connection.link = Link::Files { bytes_max: BYTES_MAX, settle: SETTLE, orders: true };
            }
            Some(_) | None => {}
        }
        rest = rest.get(life + 1..).unwrap_or_default();
        site.restart();
    }
}

/// What happens while one daemon lives.
async fn live(title: &str, site: &Site, steps: &[Step]) {
    let mut watcher = site.watcher();
    let mut locks = std::collections::BTreeMap::new();
    let at = |name: &str| site.path.join(name);
    for (number, step) in steps.iter().enumerate() {
        let place = format!("{title}: step {number} {step:?}: {:?}", site.standing());
        match *step {
            Write(name, text) => fs::write(at(name), text).unwrap(),
            Append(name, text) => {
                let mut file = fs::File::options().append(true).open(at(name)).unwrap();
                file.write_all(text.as_bytes()).unwrap();
            }
            WriteRaw(name, text) => fs::write(site.path.join(OsStr::from_bytes(name)), text).unwrap(),
            Rename(from, to) => fs::rename(at(from), at(to)).unwrap(),
            Remove(name) => fs::remove_file(at(name)).unwrap(),
            Lock(name) => {
                let file = fs::File::open(at(name)).unwrap();
                file.lock().unwrap();
                locks.insert(name, file);
            }
            Unlock(name) => drop(locks.remove(name).unwrap()),
            Vanish => fs::rename(&site.path, site.home.path().join("away")).unwrap(),
            Return => fs::rename(site.home.path().join("away"), &site.path).unwrap(),
            Restart | RestartAs(..) | RestartForOrders => unreachable!("a life has no restart in it"),
            Look(seconds) => looks(&mut watcher, seconds).await,
            Messages(expect) => assert_eq!(site.messages().await, expect, "{place}"),
            There(expect) => assert_eq!(site.names(""), expect, "{place}"),
            Taken(expect) => assert_eq!(without_times(site.names("taken")), expect, "{place}"),
            Parked(expect) => assert_eq!(without_times(site.names("parked")), expect, "{place}"),
            Says(part) => assert!(site.standing().reason.contains(part), "{place}"),
            Quiet => assert_eq!(site.standing().reason, "", "{place}"),
            Stands(activity) => assert_eq!(site.standing().activity, activity, "{place}"),
            Irregular(kind, count) => {
                let found = site.standing().anomalies.get(&kind).copied().unwrap_or(0);
                assert_eq!(found, count, "{place}");
            }
            Reason(name, part) => {
                let reason = fs::read_to_string(at("parked").join(name)).unwrap();
                assert!(reason.contains(part), "{place}: {reason}");
            }
        }
    }
}

/// A name that was there already got the milliseconds since 1970 before it.
fn without_times(names: Vec<String>) -> Vec<String> {
    let bare = |name: String| match name.split_once('-') {
        Some((time, rest)) if time.len() == 13 && time.bytes().all(|b| b.is_ascii_digit()) => {
            format!("TIME-{rest}")
        }
        _ => name,
    };
    names.into_iter().map(bare).collect()
}

const WHOLE: &[(&str, &[Step])] = &[
    (
        "a file",
        &[
            Write("a.csv", "1"),
            Look(2),
            There(&["a.csv"]),
            Messages(&[]),
            Look(2),
            Messages(&["1"]),
            There(&[]),
            Taken(&["a.csv"]),
            Quiet,
            Stands(Activity::Watching),
        ],
    ),
    (
        "one that grows",
        &[
            Write("a.csv", "1"),
            Look(2),
            Append("a.csv", ",2"),
            Look(2),
            Append("a.csv", ",3"),
            Look(2),
            Messages(&[]),
            Look(2),
            Messages(&["1,2,3"]),
            Taken(&["a.csv"]),
        ],
    ),
    (
        "renamed into place",
        &[
            Write("a.csv.part", "1"),
            Look(9),
            There(&["a.csv.part"]),
            Messages(&[]),
            Rename("a.csv.part", "a.csv"),
            Look(4),
            Messages(&["1"]),
            Taken(&["a.csv"]),
        ],
    ),
    (
        "names of files that are being written",
        &[
            Write("a.csv.tmp", "1"),
            Write(".a.csv", "1"),
            Write("~$a.csv", "1"),
            Write("b.CSV.PART", "1"),
            Look(500),
            Messages(&[]),
            There(&[".a.csv", "a.csv.tmp", "b.CSV.PART", "~$a.csv"]),
            Quiet,
        ],
    ),
    (
        "one that was broken off",
        &[
            Write("a.csv.part", "1"),
            Look(700),
            There(&["a.csv.part"]),
            Irregular(Irregularity::File, 1),
            Says("a.csv.part waits: by its name it is still being written"),
            Rename("a.csv.part", "a.csv"),
            Look(4),
            Messages(&["1"]),
            Quiet,
        ],
    ),
    (
        "what does not match",
        &[
            Write("readme.txt", "1"),
            Look(9),
            Messages(&[]),
            There(&["readme.txt"]),
            Says("1 files do not match \"*.csv\""),
        ],
    ),
    (
        "in the order they were written",
        &[Write("b.csv", "1"), Look(1), Write("a.csv", "2"), Look(9), Messages(&["1", "2"])],
    ),
    (
        "a name that is no text",
        &[WriteRaw(b"\xB1\xEA.csv", "1"), Look(4), Messages(&["1"]), Taken(&["\\xb1\\xea.csv"])],
    ),
];

#[tokio::test(start_paused = true)]
async fn law_01_files_are_taken_when_they_are_whole_and_never_deleted() {
    for (title, steps) in WHOLE {
        check(title, Mode::Production, steps).await;
    }
}

const AGAIN: &[(&str, &[Step])] = &[
    (
        "the same again",
        &[
            Write("a.csv", "1"),
            Look(4),
            Write("a.csv", "1"),
            Look(4),
            Messages(&["1"]),
            There(&[]),
            Taken(&["TIME-a.csv", "a.csv"]),
            Irregular(Irregularity::Repeated, 1),
        ],
    ),
    (
        "under another name",
        &[
            Write("a.csv", "1"),
            Look(4),
            Write("b.csv", "1"),
            Look(4),
            Messages(&["1"]),
            There(&[]),
            Taken(&["a.csv", "b.csv"]),
            Irregular(Irregularity::Repeated, 1),
        ],
    ),
    (
        "both at once",
        &[Write("a.csv", "1"), Write("b.csv", "1"), Look(4), Messages(&["1"]), Taken(&["a.csv", "b.csv"])],
    ),
    (
        "the name again with other content",
        &[
            Write("a.csv", "1"),
            Look(4),
            Write("a.csv", "2"),
            Look(4),
            Messages(&["1", "2"]),
            Taken(&["TIME-a.csv", "a.csv"]),
            Irregular(Irregularity::Repeated, 0),
        ],
    ),
    (
        "after a restart",
        &[
            Write("a.csv", "1"),
            Look(4),
            Restart,
            Rename("taken/a.csv", "a.csv"),
            Look(4),
            Messages(&["1"]),
            There(&[]),
            Taken(&["a.csv"]),
            Irregular(Irregularity::Repeated, 1),
        ],
    ),
    (
        "a crash between durable and put away",
        &[
            // A file where the folder should be: it cannot be moved.
            Write("taken", ""),
            Write("a.csv", "1"),
            Look(4),
            Messages(&["1"]),
            There(&["a.csv", "taken"]),
            Says("a.csv waits: it is settled but cannot be put away"),
            Restart,
            Remove("taken"),
            Look(4),
            Messages(&["1"]),
            Taken(&["a.csv"]),
        ],
    ),
    (
        "what cannot be moved is told once and tried again",
        &[
            Write("taken", ""),
            Write("a.csv", "1"),
            Look(300),
            Messages(&["1"]),
            Irregular(Irregularity::File, 1),
            Irregular(Irregularity::Repeated, 0),
            Remove("taken"),
            Look(40),
            Messages(&["1"]),
            Taken(&["a.csv"]),
            There(&[]),
            Quiet,
        ],
    ),
    (
        "written over after it was taken, before it was moved",
        &[
            Write("taken", ""),
            Write("a.csv", "1"),
            Look(4),
            Write("a.csv", "1,2"),
            Remove("taken"),
            Look(40),
            Messages(&["1", "1,2"]),
            Taken(&["a.csv"]),
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn the_same_content_is_one_message_whatever_it_is_called_and_whenever_it_comes() {
    for (title, steps) in AGAIN {
        check(title, Mode::Production, steps).await;
    }
}

const HINDERED: &[(&str, &[Step])] = &[
    (
        "locked",
        &[
            Write("a.csv", "1"),
            Lock("a.csv"),
            Look(4),
            There(&["a.csv"]),
            Says("a.csv waits: another program has it locked; close it there"),
            Irregular(Irregularity::File, 0),
            Look(90),
            Irregular(Irregularity::File, 1),
            Look(900),
            Irregular(Irregularity::File, 1),
            Parked(&[]),
            Unlock("a.csv"),
            Look(1),
            Messages(&["1"]),
            Quiet,
        ],
    ),
    (
        "one that is locked holds no other up",
        &[
            Write("a.csv", "1"),
            Lock("a.csv"),
            Write("b.csv", "2"),
            Look(4),
            Messages(&["2"]),
            There(&["a.csv"]),
        ],
    ),
    (
        "several that are locked",
        &[
            Write("a.csv", "1"),
            Lock("a.csv"),
            Write("b.csv", "2"),
            Lock("b.csv"),
            Look(4),
            Says("a.csv waits (and 1 more)"),
        ],
    ),
    (
        "empty",
        &[
            Write("a.csv", ""),
            Look(30),
            There(&["a.csv"]),
            Says("a.csv waits: it is empty (yet)"),
            Irregular(Irregularity::File, 0),
            Look(40),
            Messages(&[]),
            There(&["a.csv"]),
            Parked(&[]),
            Says("a.csv waits: it is empty (yet)"),
            Irregular(Irregularity::File, 1),
            Look(500),
            Irregular(Irregularity::File, 1),
            Append("a.csv", "1"),
            Look(4),
            Messages(&["1"]),
            Taken(&["a.csv"]),
            Quiet,
        ],
    ),
    (
        "empty at first",
        &[Write("a.csv", ""), Look(50), Append("a.csv", "1"), Look(50), Messages(&["1"]), Taken(&["a.csv"])],
    ),
    (
        "too long",
        &[
            Write("a.csv", SIXTY_FIVE),
            Look(4),
            Messages(&[]),
            There(&[]),
            Parked(&["a.csv", "a.csv.reason"]),
            Reason("a.csv.reason", "its 65 bytes are more than the 64 that a file may have"),
            Reason("a.csv.reason", "文件过大(65 字节,上限 64)"),
        ],
    ),
    (
        "too long twice",
        &[
            Write("a.csv", SIXTY_FIVE),
            Look(4),
            Write("a.csv", SIXTY_FIVE),
            Look(4),
            Parked(&["TIME-a.csv", "TIME-a.csv.reason", "a.csv", "a.csv.reason"]),
        ],
    ),
    (
        "parked, mended and put back with its reason",
        &[
            Write("a.csv", SIXTY_FIVE),
            Look(4),
            Rename("parked/a.csv", "a.csv"),
            Rename("parked/a.csv.reason", "a.csv.reason"),
            Write("a.csv", "1"),
            Look(4),
            Messages(&["1"]),
            There(&["a.csv.reason"]),
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_waits_or_is_parked_and_a_person_is_told() {
    for (title, steps) in HINDERED {
        check(title, Mode::Production, steps).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_grows_for_long_is_told_about_and_taken_when_it_is_whole() {
    let grows = [Append("a.csv", "1"), Look(1)];
    let mut steps = vec![Write("a.csv", ""), Look(1)];
    steps.extend(grows.repeat(500));
    steps.push(Quiet);
    steps.extend(grows.repeat(200));
    steps.extend([Says("a.csv waits: it has been changing for long"), There(&["a.csv"]), Look(4)]);
    // By then it is too long.
    steps.extend([Parked(&["a.csv", "a.csv.reason"]), Quiet]);
    check("it grows", Mode::Production, &steps).await;
}

const SHARE: &[(&str, &[Step])] = &[
    (
        "gone and back",
        &[
            Write("a.csv", "1"),
            Look(4),
            Vanish,
            Look(1),
            Stands(Activity::Failed),
            Says("the folder cannot be read"),
            Says("is the share mounted?"),
            Look(900),
            Irregular(Irregularity::LineBroke, 1),
            Return,
            Write("b.csv", "2"),
            Look(4),
            Stands(Activity::Watching),
            Quiet,
            Messages(&["1", "2"]),
        ],
    ),
    (
        "gone between two looks at a file",
        &[
            Write("a.csv", "1"),
            Look(2),
            Vanish,
            Look(5),
            Return,
            Look(4),
            Messages(&["1"]),
            Taken(&["a.csv"]),
        ],
    ),
    (
        "not there when hemogate starts",
        &[
            Write("a.csv", "1"),
            Vanish,
            Restart,
            Look(5),
            Stands(Activity::Failed),
            Return,
            Look(4),
            Messages(&["1"]),
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn a_share_that_goes_away_and_comes_back_loses_nothing() {
    for (title, steps) in SHARE {
        check(title, Mode::Production, steps).await;
    }
}

const LISTENING: &[(&str, &[Step])] = &[
    (
        "files of every kind",
        &[
            Write("a.csv", "1"),
            Write("b.csv", ""),
            Write("c.csv", SIXTY_FIVE),
            Write("d.csv", "1"),
            Write("e.csv.part", "1"),
            Look(900),
            Messages(&["1"]),
            There(&["a.csv", "b.csv", "c.csv", "d.csv", "e.csv.part"]),
            Taken(&[]),
            Parked(&[]),
            Irregular(Irregularity::Repeated, 0),
            Append("a.csv", ",2"),
            Look(4),
            Messages(&["1", "1,2"]),
        ],
    ),
    (
        "after a restart",
        &[
            Write("a.csv", "1"),
            Look(4),
            Restart,
            Look(9),
            Messages(&["1"]),
            There(&["a.csv"]),
            Irregular(Irregularity::Repeated, 0),
            Quiet,
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn on_a_listen_only_connection_files_are_read_and_nothing_is_touched() {
    for (title, steps) in LISTENING {
        check(title, Mode::ListenOnly, steps).await;
    }
}
