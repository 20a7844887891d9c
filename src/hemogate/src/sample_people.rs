//! The demonstration's people: made when it starts, and at the end of its day they review and release what may go, as a
//! laboratory does: failing units are found and taken out, one person reviews, another releases.

use crate::{
    cli::Lang,
    client::Client,
    daemon::Daemon,
    exit::{Exit, Failure},
};
use jiff::Timestamp;
use ledger::Ledger;
use serde_json::{Value, json};
use std::io::{self, Write};
use vocabulary::Role;
use workflow::people::{Local, NewUser, People, PeopleRules, Refused};

/// The password of each of them; the ledger of a demonstration is gone with it.
const PASSWORD: &str = "Demo-people-2026";
const FIRST: &str = "Demo-first-2026";
/// Donations of one batch.
const BATCH: usize = 500;

const ADMINISTRATORS: [(&str, &str, Role); 3] = [
    ("sysop", "系统 System", Role::SystemAdministrator),
    ("secop", "安全 Security", Role::SecurityAdministrator),
    ("auditor", "审计 Audit", Role::AuditAdministrator),
];
const LABORATORY: [(&str, &str, Role); 5] = [
    ("technician", "检验 Technician", Role::Technician),
    ("reviewer", "审核 Reviewer", Role::Reviewer),
    ("releaser", "签发 Releaser", Role::Releaser),
    ("qc", "质控 Quality control", Role::QcOfficer),
    ("reference", "参比 Reference laboratory", Role::ReferenceLaboratory),
];

/// Makes them.
pub(crate) async fn make(ledger: &Ledger) -> Result<(), Failure> {
    let people = People::new(ledger.clone(), PeopleRules::default());
    let made = tokio::task::spawn_blocking(move || make_all(&people)).await;
    made.map_err(|e| Failure::new(Exit::Internal, e))?.map_err(|why| Failure::new(Exit::Internal, why))
}

fn make_all(people: &People) -> Result<(), Refused> {
    let new = |user: &str, name: &str, password: &str| NewUser {
        user: user.to_owned(),
        name: name.to_owned(),
        password: password.to_owned(),
    };
    let local = Local::of_stopped(people, "demo");
    for (user, name, role) in ADMINISTRATORS {
        local.add(&new(user, name, PASSWORD), role)?;
    }
    let sign_in = |user: &str, password: &str| people.authenticate(user, password, Timestamp::now());
    let (system, security) = (sign_in("sysop", PASSWORD)?, sign_in("secop", PASSWORD)?);
    for (user, name, role) in LABORATORY {
        people.add(&system, &new(user, name, FIRST))?;
        people.set_roles(&security, (user, None), &[role], "demonstration")?;
        people.change_password(&sign_in(user, FIRST)?, (FIRST, PASSWORD), Timestamp::now())?;
    }
    Ok(())
}

/// Says who can sign in.
pub(crate) fn greet(out: &mut impl Write, lang: Lang) -> io::Result<()> {
    let users: Vec<&str> = ADMINISTRATORS.iter().chain(&LABORATORY).map(|(user, ..)| *user).collect();
    writeln!(out, "  {} {} ({PASSWORD})", lang.pick("people  ", "用户    "), users.join(", "))
}

/// Reviews and releases the day.
pub(crate) async fn sign(daemon: &Daemon, donations: &[String]) -> Result<(), Failure> {
    let door = Client::at(daemon.console, &daemon.token)?;
    let technician = door.sign_in("technician", PASSWORD).await?;
    let reviewer = door.sign_in("reviewer", PASSWORD).await?;
    let releaser = door.sign_in("releaser", PASSWORD).await?;
    for (number, some) in (1..).zip(donations.chunks(BATCH)) {
        let new = json!({ "name": format!("demo {number}"), "donations": some });
        let opened = technician.post("batches", &new).await?;
        let batch = opened.get("batch").and_then(Value::as_u64).unwrap_or_default();
        let path = format!("batches/{batch}");
        let (shown, _) = technician.versioned(&path).await?;
        let failing = at_stage(&shown, "failing");
        if !failing.is_empty() {
            let body = json!({ "donations": failing, "counted": failing.len(), "reason": "demonstration" });
            technician.post(&format!("{path}/discard"), &body).await?;
        }
        if at_stage(&shown, "ready").is_empty() {
            continue;
        }
        for (person, what) in [(&reviewer, "review"), (&releaser, "release")] {
            let (_, seen) = person.versioned(&path).await?;
            let body = json!({ "password": PASSWORD });
            person.command("POST", &format!("{path}/{what}"), Some(&seen), &body).await?;
        }
    }
    for person in [technician, reviewer, releaser] {
        person.sign_out().await;
    }
    Ok(())
}

fn at_stage(shown: &Value, stage: &str) -> Vec<String> {
    let members = shown.get("donations").and_then(Value::as_array).into_iter().flatten();
    let wanted = members.filter(|member| member.get("stage").is_some_and(|s| s == stage));
    wanted.filter_map(|member| member.get("donation")?.as_str().map(str::to_owned)).collect()
}
