//! Pools from outside: a robot's log in a folder, an analyser's results on the pools' numbers, members tested alone; what
//! each donation comes to, over a kill, and what HTTP and the command line say of it.

use crate::{
    analyser::Line,
    house::{Daemon, House, until},
    staff::command,
};
use serde_json::{Value, json};
use std::{fmt::Write as _, fs, time::Duration};

const WITHIN: Duration = Duration::from_mins(1);
const FIRST: &str = "MP26030201";
const SECOND: &str = "MP26030202";
const HEAD: &str = "RunID,Plate,Type,PoolID,Position,SampleID,Barcode,Volume,Status,Error,PoolSize,Time,Instrument,Operator\r\n";

fn house() -> House {
    let house = House::configured(
        "[[site.identifiers.form]]\nname = \"donations\"\nkind = \"pattern\"\npattern = '(?<donation>G\\d{12})'\n\
         [[site.identifiers.form]]\nname = \"pools\"\nkind = \"pattern\"\npattern = '(?<pool>MP\\d{8})'\n\
         [[connection]]\nid = \"pooler\"\nprofile = \"generic/pooling-log\"\nmode = \"production\"\n\
         transport = { type = \"directory\", path = \"pooler\", pattern = \"*.csv\" }\n\
         [[connection]]\nid = \"nat\"\nprofile = \"roche/cobas-x800\"\nmode = \"production\"\n\
         transport = { type = \"tcp-listen\", address = \"127.0.0.1:0\", sockets_max = 4 }\n\
         [[lot]]\nlot = \"K12345\"\napproval = \"A-1\"\naccepted_by = \"qc\"\nexpires = \"2026-12-31\"\n\
         [[lot]]\nlot = \"C777\"\napproval = \"A-2\"\naccepted_by = \"qc\"\nexpires = \"2027-01-31\"\n",
    );
    fs::create_dir(house.path.join("pooler")).unwrap();
    house
}

fn number(member: usize) -> String {
    format!("G12342600{member:04}")
}

/// A log of these pools, each with its members.
fn log(pools: &[(&str, std::ops::RangeInclusive<usize>)]) -> String {
    let mut text = HEAD.to_owned();
    for (pool, members) in pools {
        for (position, member) in (1..).zip(members.clone()) {
            write!(
                text,
                "PL1,PP1,Sample,{pool},{position},{},Scanned,200.0,OK,,6,2026-03-02 13:02:00,ROBOT-1,z\r\n",
                number(member)
            )
            .unwrap();
        }
    }
    text
}

/// HBV, HCV and HIV of one specimen (`r`, `n`), or of a control (`v`).
fn message(specimen: &str, targets: &str, at: &str) -> String {
    let control = targets.contains('v');
    let (spm, co) = if control {
        ("SPM|1|||\"\"|||||||Q\rSAC\r".to_owned(), format!("INV|{specimen}|OK|CO|||||||||20270131||||C777\r"))
    } else {
        (format!("SPM|1|{specimen}&ROCHE||PLAS^plasma^HL70487|||||||P\rSAC|||{specimen}\r"), String::new())
    };
    let mut text = format!(
        "MSH|^~\\&|X800DM|Roche|Host|LIS|20260302{at}01+0800||OUL^R22^OUL_R22|{specimen}-{at}|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-29^IHE\r\
         {spm}INV|MPX^MPX^99ROC|OK|MR|||||||||20261231||||K12345\r{co}OBR|1|A||74856-6^MPX^LN\rORC|SC||||CM\r"
    );
    let mut row = 0;
    for (virus, target) in ["HBV", "HCV", "HIV"].into_iter().zip(targets.chars()) {
        let (value, flag) = match target {
            'r' => ("Reactive", "RR"),
            'n' => ("Non-Reactive", "NR"),
            'v' => ("Valid", "VAL"),
            _ => continue,
        };
        row += 1;
        write!(
            text,
            "OBX|{row}|ST|{virus}^{virus}^99ROC|1|{value}|||{flag}|||F|||||X800DMSYSTEM||c6800^Roche~c6800.504^Roche|20260302{at}00||R-0091||||||||RSLT\r"
        )
        .unwrap();
    }
    text
}

fn tell(daemon: &Daemon, messages: &[String]) {
    let mut line = Line::open(daemon.listening["nat"]).unwrap();
    for message in messages {
        line.write(&mllp::frame(message.as_bytes())).unwrap();
        let answer = line.answer().unwrap();
        assert!(answer.contains("MSA|AA"), "{answer}");
    }
}

/// `HBV HCV HIV` of a donation by its verdict.
fn states(daemon: &Daemon, member: usize) -> Vec<String> {
    let donation = daemon.get(&format!("donations/{}", number(member)));
    let nat = donation["verdict"]["nat"].as_array().cloned().unwrap_or_default();
    nat.iter().map(|target| target["state"].as_str().unwrap_or_default().to_owned()).collect()
}

fn says(daemon: &Daemon, pool: &str) -> Value {
    daemon.get(&format!("pools/{pool}"))["says"].clone()
}

#[test]
fn members_are_decided_by_log_and_pool_result_and_a_reactive_pool_by_its_singles() {
    let house = house();
    let mut daemon = house.start();
    let donations: Vec<Value> = (1..=12)
        .map(|member| {
            json!({ "donation": number(member), "collected_at": "2026-03-01T09:00:00+08:00",
                    "donor": { "id": format!("D{member}"), "first_time": false, "deferred": false } })
        })
        .collect();
    let (status, answer) = daemon.post("donations", &json!(donations));
    assert_eq!(status, 201, "{answer}");

    // The result comes first, and nobody knows of whom it is.
    let controls = [("(-) C", "vvv"), ("MPX M (+) C", "vvv"), ("MPX O (+) C", "--v"), ("MPX 2 (+) C", "--v")];
    let controls: Vec<String> =
        controls.iter().map(|(name, targets)| message(name, targets, "1500")).collect();
    tell(&daemon, &controls);
    tell(&daemon, &[message(FIRST, "nnn", "1500")]);
    daemon.idle();
    assert_eq!(says(&daemon, FIRST), "no_members");
    assert_eq!(states(&daemon, 1), ["NOT_TESTED"; 3]);

    // The log, in two files of which one parts a pool.
    let drop_in = |name: &str, text: &str| {
        let inbox = house.path.join("pooler");
        fs::write(inbox.join("x.part"), text).unwrap();
        fs::rename(inbox.join("x.part"), inbox.join(name)).unwrap();
        until("the log is taken", WITHIN, || inbox.join("taken").join(name).exists());
    };
    drop_in("a.csv", &log(&[(FIRST, 1..=4)]));
    daemon.idle();
    assert_eq!(states(&daemon, 1), ["PENDING"; 3]);
    let held = daemon.get(&format!("donations/{}", number(1)));
    let findings = held["evidence"]["findings"].to_string();
    assert!(findings.contains(FIRST) && findings.contains("4 of 6"), "{findings}");
    assert_eq!(says(&daemon, FIRST), "not_sound");
    let rest =
        log(&[(FIRST, 5..=6), (SECOND, 7..=12)]).replace(&format!("{FIRST},1,"), &format!("{FIRST},5,"));
    drop_in("b.csv", &rest.replace(&format!("{FIRST},2,"), &format!("{FIRST},6,")));
    daemon.idle();
    for member in 1..=6 {
        assert_eq!(states(&daemon, member), ["FINAL_NR"; 3], "member {member}");
    }
    assert_eq!((says(&daemon, FIRST), says(&daemon, SECOND)), ("non_reactive".into(), "waiting".into()));

    // A reactive pool waits for its last single, over a kill.
    tell(&daemon, &[message(SECOND, "rnn", "1510")]);
    let singles = |members: std::ops::RangeInclusive<usize>| -> Vec<String> {
        members.map(|member| message(&number(member), "nnn", "1700")).collect()
    };
    tell(&daemon, &singles(7..=11));
    daemon.idle();
    assert_eq!(states(&daemon, 7)[0], "PENDING");
    daemon.kill();
    let daemon = house.start();
    tell(&daemon, &[message(&number(12), "rnn", "1705")]);
    daemon.idle();
    for member in 7..=11 {
        assert_eq!(states(&daemon, member), ["FINAL_NR"; 3], "member {member}");
    }
    assert_eq!(states(&daemon, 12), ["FINAL_R", "FINAL_NR", "FINAL_NR"]);

    let shown = daemon.get(&format!("pools/{SECOND}"));
    let alone = |position: usize| shown["makings"][0]["members"][position]["alone"]["result"].clone();
    assert_eq!((alone(4), alone(5)), ("non_reactive".into(), "reactive".into()), "{shown:#}");
    assert_eq!(shown["makings"][0]["members"][0]["place"], "b.csv row 4");
    assert_eq!(daemon.list("pools").len(), 2);
    assert_eq!(daemon.ask("/api/v1/pools/MP99999999").0, 404);
    let (exit, listed) = command(&house, &["pool", "list"], &[]);
    assert!(exit == 0 && listed.contains(FIRST) && listed.contains(&number(12)), "{listed}");
    let (exit, told) = command(&house, &["pool", "show", SECOND], &[]);
    assert!(
        exit == 0 && told.contains("reactive") && told.contains("b.csv row 4") && told.contains(&number(7)),
        "{told}"
    );
    let (status, log) = daemon.stop();
    assert!(status.success(), "{log}");
}
