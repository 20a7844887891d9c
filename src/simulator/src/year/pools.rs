//! Pools of a day: who is in them, what strikes one, what that does to its members, and the robot's log.

use super::YearError;
use super::day::Writer;
use super::given::{Given, Round, comes_later, place};
use super::kind::Kind;
use super::letters::{Letter, Sender};
use super::plan::{POOL_SLOTS, Plan, Strike};
use super::runs::Rack;
use super::truth::Infection;
use super::work::{Bench, invalid};
use crate::scenario::{Duty, Run, Test};
use jiff::{ToSpan, civil::DateTime};
use std::fmt::Write as _;
use vocabulary::{DonationId, Marker};

/// The robot has drawn everything so long before its pools are tested, and takes so long for each draw.
const DRAWN_BEFORE_MINUTES: i64 = 45;
const DRAW_SECONDS: i64 = 2;
/// Numbers of the pools of one day.
const POOLS_A_DAY: u32 = 1_000;

const HEAD: &str = "RunID,Plate,Type,PoolID,Position,SampleID,Barcode,Volume,Status,Error,PoolSize,Time,Instrument,Operator\r\n";

/// A pool, and what strikes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pool {
    /// Its number, in the place where analysers write a donation's.
    pub(super) number: DonationId,
    /// Its members, by place in the day.
    pub(super) members: Vec<usize>,
    pub(super) strike: Option<Strike>,
    /// The member that the strike is about, by place in the day.
    chosen: usize,
}

/// Whether a donation's material may go into a pool: what strikes its own nucleic acid test needs that test.
pub(super) fn may_join(one: &Given) -> bool {
    let Some(strike) = one.strike else { return one.other.is_none() };
    let of_message = matches!(
        strike.kind,
        Kind::LostMessage
            | Kind::BrokenTransfer
            | Kind::RepeatedMessage
            | Kind::RepeatedLater
            | Kind::NoBarcode
            | Kind::CutBarcode
    );
    let of_result = matches!(
        strike.kind,
        Kind::WrongTube
            | Kind::SwappedBarcodes
            | Kind::NatInvalidOnce
            | Kind::NatInvalid
            | Kind::ChangedResult
            | Kind::CorrectedAway
            | Kind::CorrectedAfterRelease
    );
    let alone = of_result || (of_message && place(strike).0 == Duty::Nat);
    !alone && one.other.is_none()
}

/// Pools of `size` from the tubes that may join, in order; the tubes that are left over.
pub(super) fn made(day: u32, size: u16, tubes: &[usize]) -> Result<(Vec<Pool>, Vec<usize>), YearError> {
    let whole = tubes.chunks_exact(usize::from(size).max(1));
    let rest = whole.remainder().to_vec();
    let pools = (1_u32..).zip(whole).map(|(nth, members)| {
        let number = DonationId::new(&format!("MP{:08}", day * POOLS_A_DAY + nth))?;
        Ok(Pool { number, members: members.to_vec(), strike: None, chosen: 0 })
    });
    Ok((pools.collect::<Result<_, YearError>>()?, rest))
}

/// What pools do to their members: those that are reactive of themselves, and those that are struck.
pub(super) fn strike(plan: &Plan, day: u32, rack: &mut Rack, given: &mut [Given]) {
    let mut pools = std::mem::take(&mut rack.pools);
    let whole = rack.falls_whole();
    for pool in &pools {
        if !whole && pool.is_explained(rack, given) {
            pool.is_resolved(rack, given);
        }
    }
    if rack.strike.is_none() {
        for slot in 0..POOL_SLOTS {
            let Some(strike) = plan.pools.get(&(day, slot)) else { continue };
            let free = |pool: &&mut Pool| pool.strike.is_none() && !pool.has_reactive(given);
            if let Some(pool) = pools.iter_mut().find(free) {
                pool.struck(*strike, rack, given);
            }
        }
    }
    rack.pools = pools;
}

impl Pool {
    fn has_reactive(&self, given: &[Given]) -> bool {
        self.members
            .iter()
            .any(|at| given.get(*at).is_some_and(|one| one.truth.infection.is_some_and(|i| i.nat)))
    }

    /// A member is found in it by the rack's reagent.
    fn is_explained(&self, rack: &Rack, given: &[Given]) -> bool {
        let found = |at: &usize| {
            let seen = given.get(*at).and_then(|one| one.truth.infection).is_some_and(|i| i.nat);
            seen && !rack.is_blind_for(*at)
        };
        self.members.iter().any(found)
    }

    /// Reactive, and every member is tested singly the next day.
    fn is_resolved(&self, rack: &mut Rack, given: &mut [Given]) {
        for at in &self.members {
            let Some(one) = given.get_mut(*at) else { continue };
            one.struck.push(Kind::ReactivePool);
            one.justified.not_before(Round::NextDay);
            rack.again.push(*at);
        }
    }

    fn struck(&mut self, strike: Strike, rack: &mut Rack, given: &mut [Given]) {
        let from = usize::try_from(strike.variant / 64).unwrap_or(0) % self.members.len().max(1);
        let turns = self.members.iter().cycle().skip(from).take(self.members.len());
        let alone = |at: &&usize| given.get(**at).is_some_and(|one| one.strike.is_none());
        let Some(chosen) = turns.copied().find(|at| alone(&at)) else { return };
        (self.strike, self.chosen) = (Some(strike), chosen);
        if let Some(one) = given.get_mut(chosen) {
            self.arm(one);
        }
        for at in &self.members {
            let Some(one) = given.get_mut(*at) else { continue };
            one.struck.push(strike.kind);
            let is_chosen = *at == chosen;
            let singly = match (strike.kind, comes_later(strike), strike.armed) {
                (Kind::PoolMemberMissing, _, armed) => {
                    one.justified.not_before(Round::NextDay);
                    armed || !is_chosen
                }
                (Kind::PoolLogLate, true, _) | (Kind::PoolInvalid, _, false) => {
                    one.justified.not_before(Round::NextDay);
                    false
                }
                // The pool is reactive when it is tested again, and nobody tests its members.
                (Kind::PoolLogLate, false, _) | (Kind::PoolInvalid, _, true) => {
                    one.justified.never();
                    false
                }
                (Kind::UnresolvedPool, _, _) => {
                    one.justified.never();
                    true
                }
                (Kind::PoolSingleMissing, _, _) => {
                    one.justified.never();
                    !is_chosen
                }
                (_, _, _) => {
                    one.justified.not_before(Round::NextDay);
                    true
                }
            };
            if singly {
                rack.again.push(*at);
            } else if is_chosen && strike.kind == Kind::PoolMemberMissing {
                one.justified.never();
            }
        }
    }

    /// Makes the truth of the chosen member one that shows what the fault does.
    fn arm(&self, one: &mut Given) {
        let Some(Strike { kind, armed, .. }) = self.strike else { return };
        let only_nat = Infection::seen_only_by(Duty::Nat, Marker::HBsAg);
        let found = match (kind, armed) {
            (
                Kind::PoolMemberMissing | Kind::PoolInvalid | Kind::PoolSingleMissing | Kind::ReactivePool,
                true,
            ) => Some(only_nat),
            (Kind::ReactivePool, false) => Some(Infection::established(Marker::HBsAg)),
            // Too little of it for a test of the member alone.
            (Kind::UnresolvedPool, true) => Some(Infection { nat: false, ..only_nat }),
            (_, _) => None,
        };
        if let Some(infection) = found {
            (one.truth.infection, one.truth.nonspecific) = (Some(infection), None);
            if infection.is_detectable() {
                one.justified.never();
            }
        }
    }

    fn kind(&self) -> Option<Kind> {
        self.strike.map(|strike| strike.kind)
    }

    /// What the analyser finds in it.
    pub(super) fn test<'a>(&self, bench: &mut Bench<'a>, given: &'a [Given], rack: &Rack) -> Test {
        if self.kind() == Some(Kind::PoolInvalid) {
            let mut test = bench.pooled(&self.number, |_| false);
            test.readings = invalid();
            return test;
        }
        self.tested(bench, given, |at| rack.is_blind_for(at))
    }

    fn tested<'a>(
        &self,
        bench: &mut Bench<'a>,
        given: &'a [Given],
        is_blind: impl Fn(usize) -> bool,
    ) -> Test {
        // Nothing of its member was drawn.
        let lacks = |at: usize| self.kind() == Some(Kind::PoolMemberMissing) && at == self.chosen;
        let seen = |at: &usize| !lacks(*at) && !is_blind(*at);
        let members = self.members.iter().filter(|at| seen(at)).filter_map(|at| given.get(*at));
        let found: Vec<Infection> = members.filter_map(|one| bench.infection(one, Duty::Nat)).collect();
        let unexplained = matches!(self.kind(), Some(Kind::UnresolvedPool | Kind::PoolSingleMissing));
        bench.pooled(&self.number, |target| {
            let shown = found.iter().any(|infection| infection.shows(target));
            shown || (unexplained && target == Marker::HbvDna)
        })
    }

    /// The rows that the robot wrote of it.
    fn rows(&self, given: &[Given], (run, begin): (&str, DateTime)) -> Result<String, YearError> {
        let mut rows = String::new();
        let size = self.members.len();
        for (position, at) in (1_i64..).zip(&self.members) {
            let Some(one) = given.get(*at) else { continue };
            let time = begin.checked_add((position * DRAW_SECONDS).seconds())?.strftime("%Y-%m-%d %H:%M:%S");
            let id = one.registration.donation.as_str();
            let strike = self.strike.filter(|s| s.kind == Kind::PoolMemberMissing && *at == self.chosen);
            let (id, barcode, volume, status, error) = match strike.map(|s| s.variant % 4) {
                None => (id, "Scanned", "200.0", "OK", ""),
                Some(0) => continue,
                Some(1) => (id, "Scanned", "35.5", "Clot", "E201 clot detected"),
                Some(2) => ("", "NoRead", "200.0", "OK", ""),
                Some(_) => (id, "Scanned", "200.0", "TubeChanged", ""),
            };
            let number = &self.number;
            let written = write!(
                rows,
                "{run},PP1,Sample,{number},{position},{id},{barcode},{volume},{status},{error},{size},{time},ROBOT-1,sim\r\n"
            );
            debug_assert!(written.is_ok(), "a string takes everything");
        }
        Ok(rows)
    }
}

impl<'a> Writer<'a> {
    /// The robot's log of a rack's pools: one file, and one more for a pool whose log is late.
    pub(super) fn log(&mut self, rack: &Rack, run: &Run) -> Result<(), YearError> {
        let begin = run.started_at.checked_sub(DRAWN_BEFORE_MINUTES.minutes())?;
        let name = format!("PL{}", run.id);
        let mut whole = HEAD.to_owned();
        for pool in &rack.pools {
            let rows = pool.rows(self.given, (&name, begin))?;
            match pool.strike.filter(|s| s.kind == Kind::PoolLogLate) {
                None => whole.push_str(&rows),
                Some(strike) if comes_later(strike) => {
                    let file = format!("{name}-{}.csv", pool.number);
                    self.mail.next_day.push(Letter::of_robot(file, HEAD.to_owned() + &rows));
                }
                Some(_) => {}
            }
        }
        self.mail.evening.push(Letter::of_robot(format!("{name}.csv"), whole));
        Ok(())
    }

    /// Pools that are tested again the next day.
    pub(super) fn pools_again(&mut self, bench: &mut Bench<'a>, rack: &Rack) -> Vec<Test> {
        let invalid = rack.pools.iter().filter(|pool| pool.kind() == Some(Kind::PoolInvalid));
        invalid.map(|pool| pool.tested(bench, self.given, |_| false)).collect()
    }
}

impl Letter {
    fn of_robot(name: String, text: String) -> Self {
        let bytes = text.into_bytes();
        Self { from: Sender::PoolingRobot, bytes, file_name: Some(name), breaks_off: false, lot: None }
    }
}
