//! A file system that fills up and empties again: refused in time, never lost, well again by itself.

use crate::{
    analyser::{Block, Line, SILENCE_MAX, Transfer},
    house::{Daemon, House, until},
    reckoning::{Sent, reckon},
};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const RECOVERS_WITHIN: Duration = Duration::from_secs(30);

/// A small file system of its own, unmounted at the end.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount(mib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|done| done.status.success());
        mounted.then_some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes until nothing more fits.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|s| s.success()), "{} stays mounted", self.path().display());
    }
}

/// Tries a transfer and a block once; whether each was acknowledged. Silence is a fault.
fn try_once(daemon: &Daemon, tag: &str, sent: &mut Sent) -> (bool, bool) {
    let began = Instant::now();
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    let mut transfer = Transfer::new("serology", tag, 1, 0);
    let framed = line.establish().unwrap() && line.frame(&transfer.encoded(0)).unwrap();
    assert!(began.elapsed() < SILENCE_MAX, "an answer after {:?}", began.elapsed());
    transfer.acknowledged = usize::from(framed);
    sent.transfers.push(transfer);
    let began = Instant::now();
    let mut line = Line::open(daemon.listening["chemistry"]).unwrap();
    let mut block = [Block::new("chemistry", &format!("{tag}B"))];
    line.blocks(&mut block, || ()).unwrap();
    assert!(began.elapsed() < SILENCE_MAX, "an answer after {:?}", began.elapsed());
    let taken = block[0].acknowledged;
    sent.blocks.extend(block);
    (framed, taken)
}

/// Fills the disk and empties it, `rounds` times, with a reserve of so many MiB.
fn fill_and_empty(minimum_free_mib: u64) {
    let Some(disk) = SmallDisk::mount(96) else {
        println!("SKIP: no file system can be mounted here (root can); a full disk was not tried");
        return;
    };
    let house = House::at(disk.path(), minimum_free_mib);
    let mut daemon = house.start();
    let mut sent = Sent::default();
    for round in 0..3 {
        let tag = |n: &str| format!("R{round}{n}");
        assert_eq!(try_once(&daemon, &tag("A"), &mut sent), (true, true), "there is room");
        let filler = disk.fill();
        let mut tries = 0;
        until("the full disk is noticed", RECOVERS_WITHIN, || {
            tries += 1;
            try_once(&daemon, &tag(&format!("F{tries}")), &mut sent) == (false, false)
        });
        for again in 0..3 {
            assert_eq!(try_once(&daemon, &tag(&format!("G{again}")), &mut sent), (false, false), "no room");
        }
        let (status, why) = daemon.ask("/health/ready");
        assert_eq!(status, 503, "{}", String::from_utf8_lossy(&why));
        assert!(daemon.lives());
        fs::remove_file(filler).unwrap();
        let mut tries = 0;
        until("it accepts again by itself", RECOVERS_WITHIN, || {
            tries += 1;
            try_once(&daemon, &tag(&format!("E{tries}")), &mut sent) == (true, true)
        });
        until("it is ready again by itself", RECOVERS_WITHIN, || daemon.ask("/health/ready").0 == 200);
    }
    daemon.idle();
    let (status, log) = daemon.stop();
    assert!(status.success() && !log.contains("panicked"), "{log}");
    reckon(&house.ledger(), &sent);
}

#[test]
fn a_disk_that_fills_to_the_last_byte_is_refused_in_time_and_forgotten_when_there_is_room() {
    fill_and_empty(0);
}

#[test]
fn a_reserve_that_is_reached_is_refused_in_time_and_forgotten_when_there_is_room() {
    fill_and_empty(8);
}

#[test]
fn the_end_of_a_transfer_that_waits_for_the_disk_is_written_before_the_daemon_stops() {
    let Some(disk) = SmallDisk::mount(96) else {
        println!("SKIP: no file system can be mounted here (root can); a full disk was not tried");
        return;
    };
    let house = House::at(disk.path(), 0);
    let daemon = house.start();
    let mut sent = Sent::default();
    for round in 0..8 {
        let mut line = Line::open(daemon.listening["serology"]).unwrap();
        let mut transfer = Transfer::new("serology", &format!("S{round}"), 1, 0);
        assert!(line.establish().unwrap() && line.frame(&transfer.encoded(0)).unwrap(), "there is room");
        transfer.acknowledged = 1;
        sent.transfers.push(transfer);
        let filler = disk.fill();
        let ready = || daemon.ask("/health/ready").0 == 200;
        until("the full disk is noticed", RECOVERS_WITHIN, || !ready());
        drop(line);
        fs::remove_file(filler).unwrap();
        until("it is ready again by itself", RECOVERS_WITHIN, ready);
    }
    let (status, log) = daemon.stop();
    assert!(status.success() && !log.contains("panicked"), "{log}");
    reckon(&house.ledger(), &sent);
}
