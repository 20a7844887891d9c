//! Each donation held against the truth. Nothing here asks the room that decides: what a release would have done is
//! known from the donor and from the faults.
//!
//! **Unsafe** is a donation that the receiver was told to use
//! - though its donor is infected and a test can see it, or its ALT is high, and the fault is none that comes to light
//!   only after the release;
//! - or before what a fault left out was made good: a message that had not come, a run that did not count, a lot that
//!   was not to be used, a group that was not settled, a donor who stood deferred;
//! - or under a group that is not the donor's;
//! - or that was not called back when it came to light, with a task for the recall.
//!
//! **Lost** is a donation that has no verdict, or one that keeps it without saying why.

use super::house::House;
use super::people::Attempts;
use super::verdict::{Outcome, Row, YearVerdict};
use crate::BenchError;
use ledger::{Page, Reader, VerdictMade, VerdictSummary};
use serde_json::Value;
use simulator::year::{Given, Justified, Kind, Round, WorkingDay};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use vocabulary::{BloodGroup, DonationId};

/// Recalls, and donations, that are read at once.
const ROWS_AT_ONCE: usize = 1_000;
/// Faults of the exercise that are told one by one.
const EXAMPLES_MAX: usize = 20;

/// Gates that are closed until people have signed.
const WAIT_FOR_PEOPLE: [&str; 2] = ["R-GATE-10", "R-GATE-14"];

/// What the receiver was told.
#[derive(Debug, Clone, Copy)]
struct Told {
    day: u32,
    goes: bool,
    group: BloodGroup,
}

/// What has to come of a donation.
#[derive(Debug)]
struct Account {
    day: u32,
    struck: Vec<Kind>,
    justified: Justified,
    undetectable: bool,
    group: BloodGroup,
    is_safe: bool,
    /// Its donor gave before; whether something was found then.
    before: Option<bool>,
    in_window: bool,
    told: Vec<Told>,
}

/// Every donation of the year.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    all: BTreeMap<DonationId, Account>,
    unknown: u32,
    undetectable: BTreeSet<&'static str>,
}

impl Accounts {
    /// The donations of a day.
    pub(super) fn open(&mut self, day: &WorkingDay) {
        for one in &day.given {
            self.undetectable.extend(one.undetectable);
            self.all.insert(one.registration.donation.clone(), Account::of(one, day.number));
        }
    }

    /// How many donations there are so far.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// The receiver is told a verdict.
    pub(super) fn told(&mut self, today: u32, made: &VerdictMade) {
        let Some(account) = self.all.get_mut(made.donation()) else {
            self.unknown += u32::from(made.releasable());
            return;
        };
        account.told.push(Told { day: today, goes: made.releasable(), group: group_of(made.json()) });
    }

    /// The end of the year.
    pub(super) fn close(
        self,
        house: &House<'_>,
        attempts: Attempts,
        took: Duration,
    ) -> Result<YearVerdict, BenchError> {
        let reader = house.ledger.state();
        let (recalled, standing) = (recalled(&reader)?, standing(&reader)?);
        let mut verdict = YearVerdict::new(attempts, took);
        verdict.undetectable_why = self.undetectable.into_iter().collect();
        // The receiver was told to use something that nobody gave.
        verdict.unsafe_releases = self.unknown;
        for (donation, account) in &self.all {
            let outcome = account.outcome(&reader, standing.get(donation), recalled.contains(donation))?;
            let mut wrong = account.wrong(outcome);
            if wrong && account.undetectable {
                verdict.undetectable += 1;
            } else if wrong {
                verdict.unsafe_releases += 1;
                verdict.example(EXAMPLES_MAX, || format!("{donation}: {account:?} {outcome:?}"));
            }
            if outcome == Outcome::Held && account.is_safe {
                let by = if account.struck.is_empty() { "struck by nothing" } else { "struck" };
                for gate in kept_by(&reader, standing.get(donation))? {
                    *verdict.kept_by.entry((by, gate)).or_default() += 1;
                }
            }
            if outcome == Outcome::Lost {
                verdict.example(EXAMPLES_MAX, || format!("{donation}: lost; {account:?}"));
            }
            let undetectable = wrong && account.undetectable;
            wrong &= !undetectable;
            for kind in &account.struck {
                verdict.row(*kind).add(outcome, wrong, undetectable);
            }
            verdict.all.add(outcome, wrong, undetectable);
            let released = matches!(outcome, Outcome::AtOnce | Outcome::Later);
            verdict.in_window += u32::from(account.in_window && released);
            match account.before {
                Some(true) => verdict.after_finding.add(outcome, wrong, undetectable),
                Some(false) => verdict.came_back.add(outcome, wrong, undetectable),
                None => {}
            }
            if account.is_safe {
                verdict.safe.add(outcome, wrong, undetectable);
            }
            if account.is_safe && account.struck.is_empty() {
                verdict.untouched.add(outcome, wrong, undetectable);
            }
        }
        let counters = reader.counters().map_err(BenchError::part("count"))?;
        verdict.entries = reader.applied().get();
        verdict.messages = counters.messages;
        Ok(verdict)
    }
}

impl Account {
    fn of(one: &Given, day: u32) -> Self {
        let donor = &one.registration.donor;
        Self {
            day,
            struck: one.struck.clone(),
            justified: one.justified,
            undetectable: one.undetectable.is_some(),
            group: one.group(),
            is_safe: one.truth.is_safe() && !donor.deferred,
            before: one.before.as_ref().map(|before| before.barred),
            in_window: one.truth.is_in_window(),
            told: Vec::new(),
        }
    }

    fn round(&self, told: Told) -> Round {
        match told.day.saturating_sub(self.day) {
            0 => Round::Evening,
            1 => Round::NextDay,
            _ => Round::Late,
        }
    }

    /// Whether something unsafe left, or was not called back.
    fn wrong(&self, outcome: Outcome) -> bool {
        let releases = || self.told.iter().filter(|told| told.goes);
        let unjustified = releases().any(|told| !self.justified.holds_in(self.round(*told)));
        let mislabelled = releases().any(|told| told.group != self.group);
        let stands = self.told.last().is_some_and(|told| told.goes);
        let not_called_back = stands && self.justified.until.is_some();
        // The receiver has been told otherwise, and nobody has the task to fetch it.
        let no_task = !stands && releases().next().is_some() && outcome != Outcome::Recalled;
        unjustified || mislabelled || not_called_back || no_task
    }

    fn outcome(
        &self,
        reader: &Reader,
        stands: Option<&VerdictSummary>,
        recalled: bool,
    ) -> Result<Outcome, BenchError> {
        let Some(stands) = stands else { return Ok(Outcome::Lost) };
        if recalled {
            return Ok(Outcome::Recalled);
        }
        if stands.releasable {
            let first = self.told.iter().find(|told| told.goes);
            return Ok(match first.map(|told| self.round(*told)) {
                Some(Round::Evening) => Outcome::AtOnce,
                Some(Round::NextDay | Round::Late) => Outcome::Later,
                // Released, and the receiver does not know.
                None => Outcome::Lost,
            });
        }
        let made = reader.verdict(stands.seq).map_err(BenchError::part("read a verdict"))?;
        Ok(match (stands.unit.as_str(), has_reason(made.json())) {
            (_, false) => Outcome::Lost,
            ("discard", true) => Outcome::Discarded,
            (_, true) => Outcome::Held,
        })
    }
}

fn recalled(reader: &Reader) -> Result<BTreeSet<DonationId>, BenchError> {
    let mut found = BTreeSet::new();
    let mut page = Page::first(ROWS_AT_ONCE);
    loop {
        let some = reader.recalls(false, &page).map_err(BenchError::part("read the recalls"))?;
        found.extend(some.items.into_iter().map(|recall| recall.about.donation));
        match some.next {
            Some(next) => page.after = Some(next),
            None => return Ok(found),
        }
    }
}

/// The verdict that stands of each donation.
fn standing(reader: &Reader) -> Result<BTreeMap<DonationId, VerdictSummary>, BenchError> {
    let mut found = BTreeMap::new();
    let mut page = Page::first(ROWS_AT_ONCE);
    loop {
        let some = reader.donations(&page).map_err(BenchError::part("read the donations"))?;
        found.extend(some.items.into_iter().filter_map(|one| Some((one.donation, one.verdict?))));
        match some.next {
            Some(next) => page.after = Some(next),
            None => return Ok(found),
        }
    }
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

/// The group on the label.
fn group_of(json: &str) -> BloodGroup {
    let verdict = parsed(json);
    let part =
        |name: &str| verdict.get("group").and_then(|group| group.get(name)).cloned().unwrap_or_default();
    BloodGroup {
        abo: serde_json::from_value(part("abo")).unwrap_or_default(),
        rhd: serde_json::from_value(part("rhd")).unwrap_or_default(),
    }
}

/// Every gate that a verdict says is closed, with the reason that it gives.
fn closed(json: &str) -> Vec<(String, String)> {
    let verdict = parsed(json);
    let gates = verdict.get("gates").and_then(Value::as_array).into_iter().flatten();
    let shut = gates.filter(|gate| gate.get("pass") == Some(&Value::Bool(false)));
    let text = |gate: &Value, name: &str| Some(gate.get(name)?.as_str()?.to_owned());
    shut.filter_map(|gate| Some((text(gate, "id")?, text(gate, "why")?))).collect()
}

/// Whether a verdict that keeps a donation says by which gate and why.
fn has_reason(json: &str) -> bool {
    closed(json).iter().any(|(_, why)| !why.is_empty())
}

/// The gates that keep a donation, those that only wait for a signature aside.
fn kept_by(reader: &Reader, stands: Option<&VerdictSummary>) -> Result<Vec<String>, BenchError> {
    let Some(stands) = stands else { return Ok(Vec::new()) };
    let made = reader.verdict(stands.seq).map_err(BenchError::part("read a verdict"))?;
    let gates = closed(made.json()).into_iter().map(|(gate, _)| gate);
    Ok(gates.filter(|gate| !WAIT_FOR_PEOPLE.contains(&gate.as_str())).collect())
}

impl Row {
    fn add(&mut self, outcome: Outcome, wrong: bool, undetectable: bool) {
        self.touched += 1;
        *self.of(outcome) += 1;
        self.wrong += u32::from(wrong);
        self.undetectable += u32::from(undetectable);
    }
}
