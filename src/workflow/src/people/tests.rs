//! Accounts on a real ledger, in virtual time.

use super::*;
use jiff::{SignedDuration, Timestamp};
use ledger::{Settings, StateStore};
use vocabulary::Role;

const FIRST: &str = "First-password-1";
const OTHER: &str = "Other-password-2";

struct Station {
    people: People,
    ledger: Ledger,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

fn new(user: &str) -> NewUser {
    NewUser { user: user.into(), name: format!("Name of {user}"), password: FIRST.into() }
}

impl Station {
    /// With the three administrators `system`, `security` and `audit`.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            state: StateStore::Memory,
            free_bytes_min: 0,
            ballast_bytes: 0,
            ..Settings::new(folder.path())
        };
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let rules = PeopleRules { cost: HashCost::cheap(), ..PeopleRules::default() };
        let people = People::new(ledger.clone(), rules);
        let local = Local::of_stopped(&people, "root");
        for (user, role) in [
            ("system", Role::SystemAdministrator),
            ("security", Role::SecurityAdministrator),
            ("audit", Role::AuditAdministrator),
        ] {
            local.add(&new(user), role).unwrap();
        }
        Self { people, ledger, now: Timestamp::now(), _folder: folder }
    }

    fn sign_in(&self, user: &str, password: &str) -> Result<Actor, Refused> {
        self.people.authenticate(user, password, self.now)
    }

    fn admin(&self, user: &str) -> Actor {
        self.sign_in(user, FIRST).unwrap()
    }

    /// A person who has changed the first password.
    fn person(&self, user: &str, roles: &[Role]) -> Actor {
        self.people.add(&self.admin("system"), &new(user)).unwrap();
        self.people.set_roles(&self.admin("security"), (user, None), roles, "new colleague").unwrap();
        let fresh = self.sign_in(user, FIRST).unwrap();
        self.people.change_password(&fresh, (FIRST, OTHER), self.now).unwrap();
        self.sign_in(user, OTHER).unwrap()
    }

    fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn last(&self) -> (String, String) {
        let reader = self.ledger.state();
        let entry = reader.entry(reader.applied()).unwrap();
        (entry.by, entry.what.name().to_owned())
    }
}

#[test]
fn an_account_is_made_by_one_administrator_given_its_roles_by_another_and_opened_by_its_own_password() {
    let station = Station::new();
    station.people.add(&station.admin("system"), &new("Zhang")).unwrap();
    assert_eq!(station.last(), ("user:system".to_owned(), "user_added".to_owned()));
    let fresh = station.sign_in("zhang", FIRST).unwrap();
    assert!(fresh.must_change_password() && fresh.roles().is_empty());
    let roles = [Role::Reviewer, Role::Technician, Role::Reviewer];
    station.people.set_roles(&station.admin("security"), ("zhang", None), &roles, "new").unwrap();
    let fresh = station.sign_in("ZHANG", FIRST).unwrap();
    assert_eq!(fresh.roles(), [Role::Technician, Role::Reviewer]);
    assert!(!fresh.may(Act::ReviewBatch), "not before the password is the person's own");
    assert_eq!(fresh.check(&station.ledger.state(), Act::ReviewBatch), Err(Refused::MustChange));
    station.people.change_password(&fresh, (FIRST, OTHER), station.now).unwrap();
    assert_eq!(station.people.refresh(&fresh), Err(Refused::Stale), "sessions end with the old password");
    assert_eq!(station.sign_in("zhang", FIRST), Err(Refused::Wrong));
    let zhang = station.sign_in("zhang", OTHER).unwrap();
    assert!(zhang.may(Act::ReviewBatch) && !zhang.may(Act::ReleaseBatch));
    assert_eq!(zhang.by().name(), "user:zhang");
}

#[test]
fn too_many_wrong_passwords_lock_for_a_bounded_time_and_the_right_one_is_not_looked_at_meanwhile() {
    let mut station = Station::new();
    for _ in 0..5 {
        assert_eq!(station.sign_in("system", "wrong"), Err(Refused::Wrong));
    }
    let until_ms = station.now.as_millisecond() + 900_000;
    let entries = station.ledger.state().applied();
    assert_eq!(station.sign_in("system", FIRST), Err(Refused::Locked { until_ms }));
    assert_eq!(station.ledger.state().applied(), entries, "tries while locked leave nothing behind");
    station.later(899);
    assert_eq!(station.sign_in("system", FIRST), Err(Refused::Locked { until_ms }));
    station.later(1);
    for _ in 0..4 {
        assert_eq!(station.sign_in("system", "wrong"), Err(Refused::Wrong), "counted from the beginning");
    }
    assert!(station.sign_in("system", FIRST).is_ok());
    assert_eq!(station.people.account("system").unwrap().failures, 0);
}

#[test]
fn wrong_passwords_for_a_signature_count_as_those_at_the_door() {
    let station = Station::new();
    let zhang = station.person("zhang", &[Role::Releaser]);
    for _ in 0..4 {
        assert_eq!(station.people.confirm(&zhang, "wrong", station.now), Err(Refused::Wrong));
    }
    let confirmed = station.people.confirm(&zhang, OTHER, station.now).unwrap();
    assert_eq!(confirmed.actor().user(), zhang.user());
    assert_eq!(station.last(), ("user:zhang".to_owned(), "user_confirmed".to_owned()));
    for _ in 0..5 {
        assert_eq!(station.people.confirm(&zhang, "wrong", station.now), Err(Refused::Wrong));
    }
    let refused = station.people.confirm(&zhang, OTHER, station.now);
    assert!(matches!(refused, Err(Refused::Locked { .. })), "{refused:?}");
}

#[test]
fn what_a_person_may_do_is_asked_of_the_ledger_and_not_of_the_time_of_signing_in() {
    let station = Station::new();
    let zhang = station.person("zhang", &[Role::Releaser]);
    let reader = station.ledger.state();
    assert_eq!(zhang.check(&reader, Act::ReleaseBatch), Ok(()));
    let security = station.admin("security");
    station.people.set_roles(&security, ("zhang", None), &[Role::Technician], "moved").unwrap();
    let refused = zhang.check(&reader, Act::ReleaseBatch);
    assert_eq!(refused, Err(Refused::NotPermitted { act: Act::ReleaseBatch }));
    assert_eq!(zhang.check(&reader, Act::OpenBatch), Ok(()));
    station.people.disable(&station.admin("system"), ("zhang", None), "left").unwrap();
    assert_eq!(zhang.check(&reader, Act::OpenBatch), Err(Refused::Disabled));
    assert_eq!(station.sign_in("zhang", OTHER), Err(Refused::Disabled));
    assert!(station.sign_in("zhang", OTHER).unwrap_err().is_about_the_door());
    station.people.enable(&station.admin("system"), ("zhang", None), "back").unwrap();
    assert!(station.sign_in("zhang", OTHER).is_ok());
}

#[test]
fn administrators_are_separated_and_the_last_one_stays() {
    let station = Station::new();
    let (system, security) = (station.admin("system"), station.admin("security"));
    let people = &station.people;
    let both = [Role::SecurityAdministrator, Role::Releaser];
    people.add(&system, &new("zhang")).unwrap();
    assert!(matches!(people.set_roles(&security, ("zhang", None), &both, "x"), Err(Refused::Roles(_))));
    let not_mine = people.set_roles(&system, ("zhang", None), &[Role::Releaser], "x");
    assert_eq!(not_mine, Err(Refused::NotPermitted { act: Act::GrantRoles }));
    assert_eq!(people.set_roles(&security, ("security", None), &[], "x"), Err(Refused::Own));
    assert_eq!(
        people.set_roles(&security, ("system", None), &[], "x"),
        Err(Refused::Last(Role::SystemAdministrator))
    );
    assert_eq!(
        people.disable(&system, ("security", None), "x"),
        Err(Refused::Last(Role::SecurityAdministrator))
    );
    assert!(people.disable(&system, ("audit", None), "x").is_ok());
    assert_eq!(people.add(&security, &new("li")), Err(Refused::NotPermitted { act: Act::AddUser }));
}

#[test]
fn the_local_door_opens_for_administrators_accounts_only() {
    let mut station = Station::new();
    station.person("zhang", &[Role::Releaser]);
    let local = Local::of_stopped(&station.people, "root");
    assert_eq!(local.add(&new("li"), Role::Releaser), Err(Refused::LocalOnlyAdministrators));
    assert_eq!(local.set_password("zhang", FIRST), Err(Refused::LocalOnlyAdministrators));
    assert_eq!(local.enable("zhang", "x"), Err(Refused::LocalOnlyAdministrators));
    assert_eq!(local.add(&new("system"), Role::SystemAdministrator).unwrap_err().name(), "exists");
    for _ in 0..5 {
        assert!(station.sign_in("system", "wrong").is_err());
    }
    local.set_password("system", OTHER).unwrap();
    assert_eq!(station.last(), ("local:root".to_owned(), "user_password_set".to_owned()));
    assert!(station.sign_in("system", OTHER).is_ok(), "a lock-out ends with it");
    station.later(91 * 24 * 3600);
    assert!(station.sign_in("system", OTHER).unwrap().must_change_password(), "older than 90 days");
}

#[test]
fn no_password_comes_back_and_none_is_shown() {
    let station = Station::new();
    let zhang = station.person("zhang", &[Role::Releaser]);
    let mut at = zhang;
    for number in 0..5 {
        let (old, new) = (
            if number == 0 { OTHER.to_owned() } else { format!("Next-pass-{}", number - 1) },
            format!("Next-pass-{number}"),
        );
        for used in [OTHER, &old] {
            let refused = station.people.change_password(&at, (&old, used), station.now).unwrap_err();
            assert_eq!(refused.name(), "password_rules", "{number}");
        }
        station.people.change_password(&at, (&old, &new), station.now).unwrap();
        at = station.sign_in("zhang", &new).unwrap();
    }
    let reset = station.people.reset_password(&station.admin("security"), "zhang", "short");
    assert_eq!(reset.unwrap_err().name(), "password_rules");
    let view = station.people.account("zhang").unwrap();
    let shown = format!("{view:?} {}", serde_json::to_string(&view).unwrap());
    assert!(!shown.contains("argon2"), "{shown}");
    for line in station.ledger.state().entries(ledger::Seq::NONE.next()) {
        let entry = line.unwrap().entry;
        assert!(!format!("{entry:?}").contains("argon2"), "{entry:?}");
    }
}

#[test]
fn names_are_plain_and_reasons_are_given() {
    let station = Station::new();
    let system = station.admin("system");
    for name in ["", "z", "1a", "张三", "a b", "a/b", &"a".repeat(33)] {
        let refused = station.people.add(&system, &new(name)).unwrap_err();
        assert_eq!(refused.name(), "name", "{name:?}");
    }
    let nameless = NewUser { name: " ".into(), ..new("zhang") };
    assert_eq!(station.people.add(&system, &nameless), Err(Refused::Text { field: "name" }));
    assert_eq!(station.people.disable(&system, ("audit", None), ""), Err(Refused::Text { field: "reason" }));
    let known = station.people.account("audit").unwrap().changed;
    station.people.disable(&system, ("audit", Some(known)), "away").unwrap();
    assert_eq!(station.people.enable(&system, ("audit", Some(known)), "back"), Err(Refused::Changed));
    assert_eq!(station.people.disable(&system, ("nobody", None), "x").unwrap_err().name(), "no_such_user");
    assert_eq!(station.sign_in("nobody", FIRST), Err(Refused::Wrong));
    assert_eq!(station.sign_in("not a name", FIRST), Err(Refused::Wrong));
}

#[test]
fn every_act_on_an_account_says_from_where_a_wrong_password_too() {
    let station = Station::new();
    let last = || {
        let reader = station.ledger.state();
        let entry = reader.entry(reader.applied()).unwrap();
        (entry.what.name().to_owned(), entry.terminal)
    };
    assert_eq!(last(), ("user_added".to_owned(), Some("station".to_owned())), "without the daemon");
    let there = || Some("192.0.2.7".to_owned());
    let system = station.people.clone().at(there()).authenticate("system", FIRST, station.now).unwrap();
    assert_eq!(last(), ("user_signed_in".to_owned(), there()));
    let failed = || ("user_sign_in_failed".to_owned(), there());
    assert_eq!(station.people.confirm(&system, "wrong", station.now), Err(Refused::Wrong));
    assert_eq!(last(), failed(), "to sign something");
    assert_eq!(station.people.change_password(&system, ("wrong", OTHER), station.now), Err(Refused::Wrong));
    assert_eq!(last(), failed(), "to change it");
    let confirmed = station.people.confirm(&system, FIRST, station.now).unwrap();
    assert_eq!((last(), confirmed.actor()), (("user_confirmed".to_owned(), there()), &system));
}
