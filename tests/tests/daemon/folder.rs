//! A folder that an analyser's computer writes into, and the daemon that takes what is whole.

use crate::house::{Daemon, House, until};
use serde_json::Value;
use std::{
    fs::{self, File},
    time::Duration,
};

const WITHIN: Duration = Duration::from_mins(1);
/// What a file of this profile may have.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

fn plate(reader: &str) -> String {
    format!(
        "Plate,Well,Type,SampleID,Assay,OD,CutOff,SCO,Result,ReadAt,Reader,Operator,Lot,Expires\r\n\
         P260302-01,A1,BLK,,HBsAg,0.004,,,,2026-03-02 15:30:00,{reader},lab,A2026031,2026-12-31\r\n"
    )
}

fn house() -> House {
    let house = House::configured(
        "[[connection]]\nid = \"plates\"\nprofile = \"generic/elisa-plate\"\nmode = \"production\"\n\
         transport = { type = \"directory\", path = \"plates\", pattern = \"*.csv\" }\n",
    );
    fs::create_dir(house.path.join("plates")).unwrap();
    house
}

/// The messages' bytes.
fn kept(daemon: &Daemon) -> Vec<String> {
    let mut kept: Vec<String> = daemon
        .list("messages")
        .iter()
        .map(|message| {
            let (status, raw) = daemon.ask(&format!("/api/v1/messages/{}/raw", message["seq"]));
            assert_eq!(status, 200);
            String::from_utf8(raw).unwrap()
        })
        .collect();
    kept.sort();
    kept
}

#[test]
fn law_01_whole_files_are_taken_once_over_kill_and_restart_and_the_status_tells_what_waits() {
    let house = house();
    let inbox = house.path.join("plates");
    let mut daemon = house.start();
    let connection = |daemon: &Daemon| daemon.get("connections/plates");

    // One whole, one that another program has locked, one that is too long, one that is not finished.
    fs::write(inbox.join("first.csv.part"), plate("RD-0001")).unwrap();
    fs::rename(inbox.join("first.csv.part"), inbox.join("first.csv")).unwrap();
    let locked = File::create(inbox.join("locked.csv.tmp")).unwrap();
    locked.lock().unwrap();
    fs::write(inbox.join("locked.csv.tmp"), plate("RD-0002")).unwrap();
    fs::rename(inbox.join("locked.csv.tmp"), inbox.join("locked.csv")).unwrap();
    File::create(inbox.join("long.csv")).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
    fs::write(inbox.join("unfinished.csv.part"), plate("RD-0003")).unwrap();

    until("the whole one is taken", WITHIN, || inbox.join("taken/first.csv").exists());
    until("the long one is parked", WITHIN, || inbox.join("parked/long.csv.reason").exists());
    let reason = fs::read_to_string(inbox.join("parked/long.csv.reason")).unwrap();
    assert!(reason.contains("more than the 4194304") && reason.contains("文件过大"), "{reason}");
    let waits = |seen: &Value, key: &str, part: &str| seen[key].as_str().unwrap().contains(part);
    until("the status says what waits", WITHIN, || {
        let seen = connection(&daemon);
        waits(&seen, "reason", "locked.csv waits: another program has it locked")
            && waits(&seen, "reason_zh", "被其他程序锁定")
    });
    assert_eq!(kept(&daemon), [plate("RD-0001")]);

    // Killed, and a file put back as if its move had not reached the disk.
    daemon.kill();
    fs::rename(inbox.join("taken/first.csv"), inbox.join("again.csv")).unwrap();
    let daemon = house.start();
    until("it is known", WITHIN, || inbox.join("taken/again.csv").exists());
    let seen = connection(&daemon);
    assert_eq!((&seen["repeated_total"], &seen["messages_total"]), (&1.into(), &0.into()), "{seen}");
    drop(locked);
    until("the other one is free", WITHIN, || inbox.join("taken/locked.csv").exists());
    assert_eq!(kept(&daemon), [plate("RD-0001"), plate("RD-0002")]);
    assert!(inbox.join("unfinished.csv.part").exists());

    let (status, trace) = daemon.ask("/api/v1/connections/plates/trace");
    let trace = String::from_utf8(trace).unwrap();
    assert!(status == 200 && trace.contains("locked.csv") && trace.contains("RD-0002"), "{status} {trace}");

    // The share goes away: that is told, and the daemon ends in order all the same.
    fs::rename(&inbox, house.path.join("away")).unwrap();
    until("the status says so", WITHIN, || {
        let seen = connection(&daemon);
        seen["activity"] == "failed" && waits(&seen, "reason", "the folder cannot be read")
    });
    let (status, log) = daemon.stop();
    assert!(status.success(), "{log}");
    assert!(log.contains("the folder cannot be read"), "{log}");
}
