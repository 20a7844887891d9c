//! People of a station, at its HTTP door and at its command line.

use crate::{
    binary::hemogate,
    house::{Daemon, House, Told},
};
use ledger::Ledger;
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
};
use vocabulary::Role;
use workflow::people::{Local, NewUser, People, PeopleRules};

const FIRST: &str = "First-password-1";
pub(crate) const PASSWORD: &str = "Other-password-2";

const ADMINISTRATORS: [(&str, Role); 3] = [
    ("sysop", Role::SystemAdministrator),
    ("secop", Role::SecurityAdministrator),
    ("auditor", Role::AuditAdministrator),
];

/// One of each who works at the bench.
pub(crate) const BENCH: [(&str, &[Role]); 4] = [
    ("tech", &[Role::Technician]),
    ("rev", &[Role::Reviewer]),
    ("rel", &[Role::Releaser]),
    ("qc", &[Role::QcOfficer]),
];

/// Makes the administrators and everybody else in a house whose daemon does not run.
pub(crate) fn hire(house: &House, staff: &[(&str, &[Role])]) {
    let settings =
        ledger::Settings { free_bytes_min: 0, ballast_bytes: 0, ..ledger::Settings::new(house.ledger()) };
    let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
    let people = People::new(ledger.clone(), PeopleRules::default());
    let new = |user: &str, password: &str| NewUser {
        user: user.into(),
        name: user.into(),
        password: password.into(),
    };
    for (user, role) in ADMINISTRATORS {
        Local::of_stopped(&people, "root").add(&new(user, PASSWORD), role).unwrap();
    }
    let now = jiff::Timestamp::now();
    let sign_in = |user: &str, password: &str| people.authenticate(user, password, now).unwrap();
    let (system, security) = (sign_in("sysop", PASSWORD), sign_in("secop", PASSWORD));
    for (user, roles) in staff {
        people.add(&system, &new(user, FIRST)).unwrap();
        people.set_roles(&security, (user, None), roles, "hired").unwrap();
        people.change_password(&sign_in(user, FIRST), (FIRST, PASSWORD), now).unwrap();
    }
    ledger.close();
}

/// Somebody who is signed in.
pub(crate) struct Person<'d> {
    daemon: &'d Daemon,
    token: String,
}

impl<'d> Person<'d> {
    pub(crate) fn signs_in(daemon: &'d Daemon, user: &str) -> Self {
        let body = Self::tries(daemon, user, PASSWORD).well();
        Self { daemon, token: body["token"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn tries(daemon: &Daemon, user: &str, password: &str) -> Told {
        let body = json!({ "user": user, "password": password });
        daemon.says("POST", "sign-in", ("", None), &body)
    }

    pub(crate) fn get(&self, path: &str) -> Told {
        self.daemon.says("GET", path, (&self.token, None), &Value::Null)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Told {
        self.daemon.says("POST", path, (&self.token, None), body)
    }

    /// Held to a version.
    pub(crate) fn signs(&self, path: &str, version: &str, body: &Value) -> Told {
        self.daemon.says("POST", path, (&self.token, Some(version)), body)
    }
}

/// A command at the command line, with the lines it is given on standard input: exit code, and what it printed.
pub(crate) fn command(house: &House, arguments: &[&str], lines: &[&str]) -> (i32, String) {
    let mut child = Command::new(hemogate())
        .args(["--lang", "en", "--config"])
        .arg(house.config())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for line in lines {
        // A command that asks for nothing may have ended before.
        drop(writeln!(stdin, "{line}"));
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), printed)
}
