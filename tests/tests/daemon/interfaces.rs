//! Gate 15 through the real daemon: what breaks off, or cannot be used, while a run is under way keeps the run's donations
//! until somebody has looked at it, over HTTP and at the command line alike; what comes again whole is nobody's work.

use crate::{
    analyser::{EOT, Line},
    house::{Daemon, House},
    staff::{PASSWORD, Person, command, hire},
};
use lis01::{FrameEnd, FrameNumber, encode_frame};
use serde_json::{Value, json};
use vocabulary::Role;

const STAFF: [(&str, &[Role]); 3] =
    [("wang", &[Role::Technician]), ("zhao", &[Role::QcOfficer]), ("sun", &[Role::Releaser])];

fn records(sender: &str, donation: &str) -> Vec<String> {
    let assay = "^^^161^Anti-HCV^UNDILUTED^P^48229LI00^04462^";
    let tail = "F||LAB^LAB||20260302141822|iSR03600";
    [
        format!("H|\\^&|||{sender}^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000\r"),
        "P|1\r".to_owned(),
        format!("O|1|{donation}|{donation}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||||||||||||||||F\r"),
        format!("R|1|{assay}^F|0.06|S/CO||||{tail}\r"),
        format!("R|2|{assay}^I|Nonreactive|||||{tail}\r"),
        "L|1\r".to_owned(),
    ]
    .to_vec()
}

/// The first `count` records of a message; the line fails behind them where that is not all.
fn sends(daemon: &Daemon, records: &[String], count: usize) {
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    assert!(line.establish().unwrap(), "the line was refused");
    for (at, record) in (1..).zip(&records[..count]) {
        let number = FrameNumber::new(u8::try_from(at % 8_usize).unwrap());
        assert!(line.frame(&encode_frame(number, FrameEnd::End, record.as_bytes())).unwrap());
    }
    if count == records.len() {
        line.write(&[EOT]).unwrap();
    }
}

fn says(daemon: &Daemon, sender: &str, donation: &str) {
    let records = records(sender, donation);
    sends(daemon, &records, records.len());
}

fn halves(daemon: &Daemon, count: usize) {
    crate::house::until("the half transmission is kept", std::time::Duration::from_mins(1), || {
        daemon.list("transfers/half").len() == count
    });
}

/// What the gate says against a donation; nothing where it is open.
fn against(daemon: &Daemon, donation: &str) -> Option<String> {
    daemon.idle();
    let view = daemon.get(&format!("donations/{donation}"));
    let gates = view["verdict"]["gates"].as_array().unwrap();
    let gate = gates.iter().find(|gate| gate["id"] == "R-GATE-15").unwrap();
    (gate["pass"] == false).then(|| gate["why"].as_str().unwrap().to_owned())
}

#[test]
fn what_broke_off_or_cannot_be_used_keeps_a_run_until_somebody_has_looked_at_it() {
    let house = House::with(&[("serology", "abbott/architect-i2000sr")]);
    hire(&house, &STAFF);
    let daemon = house.start();
    let (wang, sun) = (Person::signs_in(&daemon, "wang"), Person::signs_in(&daemon, "sun"));
    says(&daemon, "ARCHITECT", "G123426000001");
    // It comes again from its beginning: nobody has to look at it.
    sends(&daemon, &records("ARCHITECT", "G123426000002"), 4);
    halves(&daemon, 1);
    says(&daemon, "ARCHITECT", "G123426000002");
    assert_eq!(against(&daemon, "G123426000001"), None);
    assert_eq!(daemon.list("faults"), [] as [Value; 0]);
    // It never comes again; and a message of another analyser comes over this line.
    sends(&daemon, &records("ARCHITECT", "G123426000003"), 4);
    halves(&daemon, 2);
    says(&daemon, "ALINITY", "G123426000004");
    says(&daemon, "ARCHITECT", "G123426000005");
    daemon.idle();
    let open = daemon.get("faults?connection=serology")["items"].as_array().unwrap().clone();
    let kinds: Vec<_> = open.iter().map(|fault| fault["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["broken_off", "quarantined"], "{open:#?}");
    let (half, message) = (&open[0]["fault"], &open[1]["fault"]);
    for donation in ["G123426000001", "G123426000002", "G123426000005"] {
        let why = against(&daemon, donation).unwrap();
        for fault in [half, message] {
            assert!(why.contains(&format!("hemogate faults acknowledge {fault}")), "{donation}: {why}");
        }
    }
    let why = json!({ "why": "compared with the analyser: nothing is missing" });
    let acknowledge =
        |who: &Person<'_>, fault: &Value| who.post(&format!("faults/{fault}/acknowledge"), &why);
    assert_eq!(acknowledge(&sun, half).status, 403);
    assert_eq!(wang.post(&format!("faults/{half}/acknowledge"), &json!({ "why": " " })).status, 400);
    assert_eq!(acknowledge(&wang, &json!(1)).status, 404);
    let entry = acknowledge(&wang, half).well()["seq"].as_u64().unwrap();
    assert_eq!(acknowledge(&wang, half).status, 404, "it stands open no more");
    let left = against(&daemon, "G123426000001").unwrap();
    // By the whole command: a bare number also stands in the time of an entry.
    let asks = |fault: &Value| left.contains(&format!("hemogate faults acknowledge {fault})"));
    assert!(!asks(half) && asks(message), "{left}");
    let (exit, printed) = command(&house, &["faults", "list", "--connection", "serology"], &[]);
    assert!(exit == 0 && printed.contains("a message is in quarantine"), "{printed}");
    let arguments = ["faults", "acknowledge", &message.to_string(), "--why", "cabled wrong", "--as", "zhao"];
    assert_eq!(command(&house, &arguments, &[PASSWORD]).0, 0);
    for donation in ["G123426000001", "G123426000002", "G123426000005"] {
        assert_eq!(against(&daemon, donation), None, "{donation}");
    }
    let audit = daemon.list("audit");
    let acts: Vec<_> = audit.iter().filter(|entry| entry["what"] == "fault_acknowledged").collect();
    assert_eq!((acts[0]["seq"].as_u64(), acts[0]["by"].as_str()), (Some(entry), Some("user:wang")));
    assert_eq!((acts.len(), acts[1]["by"].as_str()), (2, Some("user:zhao")));
    assert!(daemon.stop().0.success());
    let (exit, printed) = command(&house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}
