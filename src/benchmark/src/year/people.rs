//! The people of the laboratory: a technician finds what fails, one person reviews, another releases; and what they
//! try besides.

use super::house::House;
use crate::BenchError;
use jiff::Timestamp;
use ledger::{HoldKind, InterfaceFault, Interpretations, Ledger, Page, ReadError, Seq};
use simulator::year::{Fallen, Kind, Sender, WorkingDay};
use std::collections::{BTreeMap, VecDeque};
use vocabulary::{PoolId, Role, RunId};
use workflow::{
    batches::{self, Aside, BatchNow, MemberNow, NewBatch, Refused, ReleaseAsked, Session, Stage},
    faults,
    people::{Actor, Confirmed, Local, NewUser, PasswordRules, People, PeopleRules},
};

const FIRST: &str = "First-of-a-year-1";
const PASSWORD: &str = "Signed-all-year-2";
const FAULTS_AT_ONCE: usize = 100;

/// What people tried, how often, and how often it was refused as it has to be.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    pub(super) made: BTreeMap<Kind, (u32, u32)>,
    /// What somebody wants to try as soon as a batch lets it be tried.
    wanted: VecDeque<Kind>,
}

impl Attempts {
    pub(super) fn want(&mut self, kind: Option<Kind>) {
        self.wanted.extend(kind);
    }

    /// The first that can be tried.
    fn next(&mut self, can_be: impl Fn(Kind) -> bool) -> Option<Kind> {
        let at = self.wanted.iter().position(|kind| can_be(*kind))?;
        self.wanted.remove(at)
    }

    fn note(&mut self, kind: Kind, refused: bool) {
        let (tried, kept) = self.made.entry(kind).or_default();
        *tried += 1;
        *kept += u32::from(refused);
    }
}

/// Everybody.
pub(super) struct Staff {
    people: People,
    technician: Actor,
    reviewer: Actor,
    releaser: Actor,
    /// May do both, and never for one batch.
    both: Actor,
    quality: Actor,
}

impl Staff {
    pub(super) fn hire(ledger: &Ledger) -> Result<Self, BenchError> {
        let password = PasswordRules { days_max: 0, ..PasswordRules::default() };
        let people = People::new(ledger.clone(), PeopleRules { password, ..PeopleRules::default() });
        Self::hired(people).map_err(BenchError::part("hire somebody"))
    }

    fn hired(people: People) -> Result<Self, workflow::people::Refused> {
        let local = Local::of_stopped(&people, "simulation");
        for (user, role) in [("sysop", Role::SystemAdministrator), ("secop", Role::SecurityAdministrator)] {
            local.add(&named(user, PASSWORD), role)?;
        }
        let sign_in = |user: &str, password: &str| people.authenticate(user, password, Timestamp::now());
        let (system, security) = (sign_in("sysop", PASSWORD)?, sign_in("secop", PASSWORD)?);
        let hire = |user: &str, roles: &[Role]| {
            people.add(&system, &named(user, FIRST))?;
            people.set_roles(&security, (user, None), roles, "simulation")?;
            people.change_password(&sign_in(user, FIRST)?, (FIRST, PASSWORD), Timestamp::now())?;
            sign_in(user, PASSWORD)
        };
        let technician = hire("technician", &[Role::Technician])?;
        let reviewer = hire("reviewer", &[Role::Reviewer])?;
        let releaser = hire("releaser", &[Role::Releaser])?;
        let both = hire("both", &[Role::Reviewer, Role::Releaser])?;
        let quality = hire("quality", &[Role::QcOfficer])?;
        Ok(Self { people, technician, reviewer, releaser, both, quality })
    }

    /// The password again.
    fn signs(&self, who: &Actor) -> Result<Confirmed, BenchError> {
        self.people.confirm(who, PASSWORD, Timestamp::now()).map_err(BenchError::part("confirm a password"))
    }
}

fn named(user: &str, password: &str) -> NewUser {
    NewUser { user: user.into(), name: user.into(), password: password.into() }
}

fn broken(what: &'static str) -> impl FnOnce(Refused) -> BenchError {
    BenchError::part(what)
}

fn numbers<'m>(members: impl Iterator<Item = &'m MemberNow>) -> Vec<String> {
    members.map(|m| m.donation.to_string()).collect()
}

impl House<'_> {
    /// The day's donations as one batch.
    pub(super) fn open_batch(&self, day: &WorkingDay) -> Result<Seq, BenchError> {
        let first = day.given.first().map(|one| one.registration.collected_at);
        let last = day.given.last().map(|one| one.registration.collected_at);
        let (Some(from), Some(last)) = (first, last) else {
            return Err(BenchError::Part { what: "open a batch".into(), why: "the day is empty".into() });
        };
        let to = Timestamp::from_millisecond(last.as_millisecond() + 1);
        let to = to.map_err(BenchError::part("open a batch"))?;
        let new = NewBatch {
            name: day.date.to_string(),
            session: Some(Session { from, to }),
            ..NewBatch::default()
        };
        batches::open(&self.settings, &self.ledger, &self.staff.technician, &new)
            .map_err(broken("open a batch"))
    }

    fn look(&self, batch: Seq) -> Result<BatchNow, BenchError> {
        BatchNow::read(&self.settings, &self.ledger.state(), batch).map_err(broken("look at a batch"))
    }

    /// In the evening the technician compares each run in whose line something went wrong with what the analyser shows,
    /// and says so. What did not come is missing all the same.
    pub(super) fn look_at_faults(&self) -> Result<(), BenchError> {
        let page = Page::first(FAULTS_AT_ONCE);
        loop {
            let faults = self.ledger.state().faults(None, &page);
            let faults = faults.map_err(BenchError::part("list the faults"))?.items;
            if faults.is_empty() {
                return Ok(());
            }
            for InterfaceFault { fault, .. } in faults {
                let looked = "compared with the list at the analyser";
                faults::acknowledge(&self.ledger, &self.staff.technician, (fault, looked))
                    .map_err(BenchError::part("acknowledge a fault"))?;
            }
        }
    }

    /// Failing units are taken out, what is ready is reviewed and released.
    pub(super) fn sign(&self, batch: Seq, attempts: &mut Attempts) -> Result<(), BenchError> {
        let mut now = self.look(batch)?;
        let failing = numbers(now.members.iter().filter(|m| m.stage == Stage::Failing));
        let is_ready = now.members.iter().any(|m| m.stage == Stage::Ready);
        let of_failing = |kind| matches!(kind, Kind::NotLocated | Kind::GateSetAside);
        let tried = attempts.next(|kind| if of_failing(kind) { !failing.is_empty() } else { is_ready });
        self.try_first(&now, &failing, tried, attempts)?;
        if !failing.is_empty() {
            let counted = u32::try_from(failing.len()).unwrap_or(u32::MAX);
            let which = (batch, failing.as_slice());
            let who = &self.staff.technician;
            let counted = batches::Counted { counted, reason: "fails", passing: false };
            batches::discard(&self.settings, &self.ledger, who, which, counted).map_err(broken("discard"))?;
            now = self.look(batch)?;
        }
        if now.members.iter().any(|m| m.stage == Stage::Ready) {
            let twice = tried == Some(Kind::OnePersonTwice);
            let who = if twice { &self.staff.both } else { &self.staff.reviewer };
            let by = self.staff.signs(who)?;
            batches::review(&self.settings, &self.ledger, by, (batch, &now.seen), "")
                .map_err(broken("review"))?;
            now = self.look(batch)?;
        }
        if !now.members.iter().any(|m| m.stage == Stage::Reviewed) {
            return Ok(());
        }
        let now = self.try_between(now, tried, attempts)?;
        let by = self.staff.signs(&self.staff.releaser)?;
        let asked = ReleaseAsked::default();
        match batches::release(&self.settings, &self.ledger, by, (batch, &now.seen), &asked) {
            // Everything that was reviewed waits for something else.
            Ok(_) | Err(Refused::NothingToRelease { .. }) => Ok(()),
            Err(other) => Err(broken("release")(other)),
        }
    }

    fn release_by(&self, who: &Actor, now: &BatchNow, asked: &ReleaseAsked) -> Result<Refused, BenchError> {
        let by = self.staff.signs(who)?;
        match batches::release(&self.settings, &self.ledger, by, (now.batch.batch, &now.seen), asked) {
            Err(refused) => Ok(refused),
            Ok(released) => Err(BenchError::Part {
                what: "refuse a release".to_owned(),
                why: format!(
                    "{} donations were released that nobody may release so",
                    released.released.len()
                ),
            }),
        }
    }

    /// What is tried before anything is signed.
    fn try_first(
        &self,
        now: &BatchNow,
        failing: &[String],
        tried: Option<Kind>,
        attempts: &mut Attempts,
    ) -> Result<(), BenchError> {
        let aside = |failing: &[String]| Aside {
            gate: "R-GATE-02".to_owned(),
            reason: "it is only weak".to_owned(),
            donations: failing.to_vec(),
        };
        match tried {
            Some(kind @ Kind::NotLocated) if !failing.is_empty() => {
                let refused = self.release_by(&self.staff.releaser, now, &ReleaseAsked::default())?;
                attempts.note(kind, matches!(refused, Refused::NotLocated { .. }));
            }
            Some(kind @ Kind::GateSetAside) if !failing.is_empty() => {
                let asked = ReleaseAsked { set_aside: vec![aside(failing)], ..ReleaseAsked::default() };
                let refused = self.release_by(&self.staff.releaser, now, &asked)?;
                attempts.note(kind, matches!(refused, Refused::Gate { .. }));
            }
            _ => {}
        }
        Ok(())
    }

    /// What is tried between the two signatures; the batch as it is afterwards.
    fn try_between(
        &self,
        now: BatchNow,
        tried: Option<Kind>,
        attempts: &mut Attempts,
    ) -> Result<BatchNow, BenchError> {
        let asked = ReleaseAsked::default();
        match tried {
            Some(kind @ Kind::OnePersonTwice) => {
                let refused = self.release_by(&self.staff.both, &now, &asked)?;
                attempts.note(kind, matches!(refused, Refused::SamePerson { .. }));
            }
            Some(kind @ Kind::NotEntitled) => {
                let refused = self.release_by(&self.staff.technician, &now, &asked)?;
                attempts.note(kind, matches!(refused, Refused::Person(_)));
            }
            Some(kind @ Kind::ChangedBetween) => {
                let one = numbers(now.members.iter().filter(|m| m.stage == Stage::Reviewed).take(1));
                let which = (Some(now.batch.batch), one.as_slice());
                let (settings, ledger) = (&self.settings, &self.ledger);
                let why = (HoldKind::Laboratory, "a look at the label");
                batches::hold(settings, ledger, &self.staff.technician, which, why)
                    .map_err(broken("hold"))?;
                let refused = self.release_by(&self.staff.releaser, &now, &asked)?;
                attempts.note(kind, matches!(refused, Refused::Changed { .. }));
                batches::lift(settings, ledger, &self.staff.reviewer, which, "the label is right")
                    .map_err(broken("lift a hold"))?;
                return self.look(now.batch.batch);
            }
            _ => {}
        }
        Ok(now)
    }

    /// What comes to light when a day's donations are released.
    pub(super) fn after_release(&self, day: &WorkingDay) -> Result<(), BenchError> {
        for donation in &day.rang_up {
            let which = vec![donation.to_string()];
            let why = (HoldKind::PostDonation, "the donor rang up: fever since yesterday");
            let who = &self.staff.technician;
            batches::hold(&self.settings, &self.ledger, who, (None, &which), why).map_err(broken("hold"))?;
        }
        for fallen in &day.invalidated_late {
            let run = self.run_of(fallen).map_err(BenchError::part("find a run"))?;
            if let Some(run) = run {
                let who = &self.staff.quality;
                let invalid = batches::Invalid {
                    reason: "the incubator was cold".into(),
                    cause: Some(ledger::RunCause::Equipment),
                    repeated_in: None,
                };
                match batches::invalidate_run(&self.settings, &self.ledger, who, (&run, &invalid)) {
                    // Two donations of one rack.
                    Ok(_) | Err(Refused::InvalidAlready { .. }) => {}
                    Err(refused) => return Err(broken("declare a run invalid")(refused)),
                }
            }
        }
        Ok(())
    }

    fn run_of(&self, fallen: &Fallen) -> Result<Option<RunId>, ReadError> {
        let reader = self.ledger.state();
        let results = if fallen.from == Sender::PoolAnalyser {
            let Ok(pool) = PoolId::new(fallen.tube.as_str()) else { return Ok(None) };
            let view = reader.pool(&pool, &mut Interpretations::default())?;
            view.map(|view| view.results).unwrap_or_default()
        } else {
            reader.donation(&fallen.tube)?.map(|view| view.observations).unwrap_or_default()
        };
        let connection = self.connection(fallen.from);
        let mine = |marker| fallen.marker.is_none_or(|only| only == marker);
        let mut of =
            results.iter().filter(|o| Some(&o.connection) == connection && mine(o.observation.marker));
        Ok(of.find_map(|o| o.observation.run.clone()))
    }
}
