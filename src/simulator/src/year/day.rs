//! A day as bytes: every analyser's messages, when they come, and what comes instead.

use super::given::{Given, comes_later, corrected_by, place};
use super::kind::Kind;
use super::letters::{Letter, LotFault, Mail};
use super::plan::Strike;
use super::runs::{Rack, SERIES_TUBES};
use super::truth::serology;
use super::work::{Bench, Reagent};
use super::{Models, YearError};
use crate::model::{Outgoing, OutgoingKind};
use crate::scenario::{Controls, DaySettings, Draw, Duty, Finding, Run, Test};
use jiff::{ToSpan, civil::DateTime};
use rust_decimal::Decimal;
use vocabulary::Marker;

/// Measurement begins at two in the afternoon, repeats of yesterday at nine.
const BEGIN_HOUR: i8 = 14;
const AGAIN_HOUR: i8 = 9;
/// Runs of one analyser follow one another at least so far apart.
const RUN_MINUTES: i64 = 12;
/// An analyser gives a result in so many seconds, and has so many controls at most.
const RESULT_SECONDS: i64 = 3;
const CONTROL_RESULTS: usize = 20;
/// Messages that are written outside the order of the day are counted from here on.
const EXTRA: u32 = 900_000;
/// Runs of the next day are numbered from here on.
const AGAIN_RUNS: u32 = 501;
/// Plates of pools are numbered from here on, and those of the next day.
const POOL_RUNS: u32 = 301;
const POOL_RUNS_AGAIN: u32 = 801;
/// What a drifting control reads on the plate whose control is below the cut-off, and so much more on each before.
const DRIFTED: i64 = 78;
const DRIFT_STEP: i64 = 26;

/// A day being written.
pub(super) struct Writer<'a> {
    pub(super) models: &'a Models,
    pub(super) today: DaySettings,
    pub(super) tomorrow: DaySettings,
    pub(super) given: &'a [Given],
    pub(super) mail: Mail,
    pub(super) extra: u32,
}

/// One analyser's runs of a day, counted as they are made.
struct Desk<'a> {
    duty: Duty,
    day: &'a DaySettings,
    /// The next run begins.
    begin: DateTime,
    number: u32,
}

impl<'a> Desk<'a> {
    fn new(duty: Duty, day: &'a DaySettings, hour: i8, number: u32) -> Self {
        Self { duty, day, begin: day.day.at(hour, 0, 0, 0), number }
    }

    fn run(
        &mut self,
        marker: Option<Marker>,
        tests: Vec<Test>,
        controls: Controls,
    ) -> Result<Run, YearError> {
        let (started_at, number) = (self.begin, self.number);
        // Its last result comes before the first one of the next run: controls stand for what lies between them.
        let results = tests.iter().map(|test| test.readings.len()).sum::<usize>() + CONTROL_RESULTS;
        let seconds = i64::try_from(results).unwrap_or(0) * RESULT_SECONDS;
        self.begin = started_at.checked_add((RUN_MINUTES * 60).max(seconds).seconds())?;
        self.number = number + 1;
        let id = format!("{}-{}-{number:03}", self.day.day.strftime("%y%m%d"), self.duty.code());
        Ok(Run { id, number, marker, started_at, controls, tests })
    }
}

impl<'a> Writer<'a> {
    /// Writes the day of every analyser.
    pub(super) fn write(mut self, racks: &[Rack]) -> Result<Mail, YearError> {
        let given = self.given;
        let today = self.today.clone();
        let tomorrow = self.tomorrow.clone();
        for duty in Duty::ALL.iter().copied() {
            let mut bench =
                Bench::new(given, Draw::new(today.seed, &format!("{} {}", today.day, duty.name())));
            let mut desk = Desk::new(duty, &today, BEGIN_HOUR, 1);
            let mut morning = Desk::new(duty, &tomorrow, AGAIN_HOUR, AGAIN_RUNS);
            let mut sequence = 0;
            for (run, rack) in runs(&mut bench, &mut desk, given, duty, racks)? {
                self.run(&run, duty, rack, &mut sequence)?;
                if let Some(rack) = rack.filter(|rack| !rack.again.is_empty()) {
                    self.again(&mut bench, &mut morning, rack)?;
                }
            }
            // What was repeated has its own controls after it, too.
            if duty == Duty::SerologyFirst && morning.number > AGAIN_RUNS {
                let closing = morning.run(None, Vec::new(), Controls::Pass)?;
                let written = self.render(duty, &tomorrow, &closing)?;
                self.mail.next_day.extend(written.into_iter().map(|m| Letter::new(duty, m)));
            }
        }
        self.pools(racks)?;
        Ok(self.mail)
    }

    /// Plates of pools: the robot's log, what the analyser finds today, and what is done again tomorrow.
    fn pools(&mut self, racks: &[Rack]) -> Result<(), YearError> {
        let (today, tomorrow) = (self.today.clone(), self.tomorrow.clone());
        let duty = Duty::Nat;
        let mut bench = Bench::new(self.given, Draw::new(today.seed, &format!("{} pools", today.day)));
        let mut desk = Desk::new(duty, &today, BEGIN_HOUR, POOL_RUNS);
        let mut morning = Desk::new(duty, &tomorrow, AGAIN_HOUR, POOL_RUNS_AGAIN);
        // Runs of single donations begin the next day, too.
        let mut singles = Desk::new(duty, &tomorrow, AGAIN_HOUR + 1, AGAIN_RUNS + 100);
        let mut sequence = 0;
        for rack in racks.iter().filter(|rack| !rack.pools.is_empty()) {
            let tests = rack.pools.iter().map(|pool| pool.test(&mut bench, self.given, rack)).collect();
            let run = desk.run(None, tests, controls(rack))?;
            self.log(rack, &run)?;
            let from = rack.sender();
            let written = self.models.pools().messages(&today, duty, &run, &mut sequence)?;
            let lot = lot_fault(rack);
            self.mail.evening.extend(written.into_iter().map(|m| Letter { lot, ..Letter::new(from, m) }));
            if !rack.again.is_empty() {
                self.again(&mut bench, &mut singles, rack)?;
            }
            let again = self.pools_again(&mut bench, rack);
            if !again.is_empty() {
                let run = morning.run(None, again, Controls::Pass)?;
                let written = self.models.pools().messages(&tomorrow, duty, &run, &mut sequence)?;
                self.mail.next_day.extend(written.into_iter().map(|m| Letter::new(from, m)));
            }
        }
        Ok(())
    }

    fn render(&mut self, duty: Duty, day: &DaySettings, run: &Run) -> Result<Vec<Outgoing>, YearError> {
        let mut sequence = EXTRA + self.extra;
        let written = self.models.of(duty)?.messages(day, duty, run, &mut sequence)?;
        self.extra = sequence - EXTRA;
        Ok(written)
    }

    /// One run of today, with what strikes it and its messages.
    fn run(
        &mut self,
        run: &Run,
        duty: Duty,
        rack: Option<&Rack>,
        sequence: &mut u32,
    ) -> Result<(), YearError> {
        let today = self.today.clone();
        let mut written = self.models.of(duty)?.messages(&today, duty, run, sequence)?;
        let strike = rack.and_then(|rack| rack.strike);
        let lot = rack.and_then(lot_fault);
        match strike {
            Some(Strike { kind: Kind::ControlMissing, variant, .. }) => {
                let controls = written.iter().filter(|m| m.kind == OutgoingKind::Controls).count();
                let nth = usize::try_from(variant).unwrap_or(0) % controls.max(1);
                if nth < written.len() {
                    let missing = written.remove(nth);
                    self.mail.next_day.push(Letter::new(duty, missing));
                }
            }
            Some(Strike { kind: Kind::ControlFailsLate, .. }) => {
                let marker = duty.markers().first().copied().unwrap_or(Marker::HbvDna);
                let failing = Run { controls: Controls::Fail(marker), tests: Vec::new(), ..run.clone() };
                let passing = Run { controls: Controls::Pass, ..failing.clone() };
                let mut numbers = (EXTRA + self.extra, EXTRA + self.extra);
                let model = self.models.of(duty)?;
                let bad = model.messages(&today, duty, &failing, &mut numbers.0)?;
                let good = model.messages(&today, duty, &passing, &mut numbers.1)?;
                self.extra = numbers.0 - EXTRA;
                let failed = bad.into_iter().zip(good).filter(|(bad, good)| bad.bytes != good.bytes);
                self.mail.late.extend(failed.map(|(bad, _)| Letter::new(duty, bad)));
            }
            _ => {}
        }
        let alone = self.mail.take(self.given, duty, written, lot);
        for one in alone {
            self.other_value(&one, duty, run)?;
        }
        Ok(())
    }

    /// Another value of a measurement that was sent: without a word, or as a correction.
    fn other_value(&mut self, one: &Given, duty: Duty, run: &Run) -> Result<(), YearError> {
        let Some(strike) = one.strike else { return Ok(()) };
        let donation = &one.registration.donation;
        if !run.tests.iter().any(|t| t.donation == *donation && t.readings.iter().all(|r| r.replicate == 1)) {
            return Ok(());
        }
        let corrected = strike.kind != Kind::ChangedResult;
        let found = strike.kind == Kind::CorrectedAfterRelease;
        let marker = if found { one.truth.infection.map(|i| i.marker) } else { None };
        let mut draw = Draw::new(self.today.seed, donation.as_str());
        let mut other = run.clone();
        for test in other.tests.iter_mut().filter(|t| t.donation == *donation) {
            test.corrected = corrected;
            for reading in &mut test.readings {
                let is = marker.is_some_and(|m| reading.marker == m || is_target_of(reading.marker, m));
                reading.finding = match &reading.finding {
                    Finding::Target { .. } => draw.target(is),
                    Finding::Index(low) if is => Finding::Index(*low + Decimal::TWO),
                    same @ (Finding::Index(_)
                    | Finding::Grade(_)
                    | Finding::Activity(_)
                    | Finding::Invalid) => same.clone(),
                };
            }
        }
        let today = self.today.clone();
        let written = self.render(duty, &today, &other)?;
        let mine = written.into_iter().filter(|m| m.donations.as_slice() == std::slice::from_ref(donation));
        let marker = one.truth.infection.map_or(Marker::HBsAg, |i| i.marker);
        let nth = (0..4).position(|n| serology(n) == marker).unwrap_or(0);
        let mine: Vec<Outgoing> =
            if duty == Duty::SerologyFirst { mine.skip(nth).take(1).collect() } else { mine.collect() };
        let round = if found { &mut self.mail.late } else { &mut self.mail.evening };
        round.extend(mine.into_iter().map(|m| Letter::new(duty, m)));
        Ok(())
    }

    /// A run's tubes on the next day, and the duplicates that this asks for.
    fn again(&mut self, bench: &mut Bench<'a>, desk: &mut Desk<'_>, rack: &Rack) -> Result<(), YearError> {
        let again: Vec<&Given> = rack.again.iter().filter_map(|at| self.given.get(*at)).collect();
        let mut good = |one: &'a Given| match rack.marker {
            Some(marker) => bench.serology(one, rack.duty, &[marker], Reagent::Good),
            None => bench.nucleic(one, 1, Reagent::Good),
        };
        let tests = again.iter().copied().map(&mut good).collect();
        let mut runs = vec![desk.run(rack.marker, tests, Controls::Pass)?];
        if let Some(marker) = rack.marker {
            let tests: Vec<Test> =
                again.iter().filter_map(|one| bench.duplicates(one, rack.duty, marker)).collect();
            if !tests.is_empty() {
                runs.push(desk.run(rack.marker, tests, Controls::Pass)?);
            }
        }
        let tomorrow = self.tomorrow.clone();
        for run in runs {
            let written = self.render(rack.duty, &tomorrow, &run)?;
            self.mail.next_day.extend(written.into_iter().map(|m| Letter::new(rack.duty, m)));
        }
        Ok(())
    }
}

fn is_target_of(target: Marker, marker: Marker) -> bool {
    target.virus().is_some() && target.virus() == marker.virus()
}

fn lot_fault(rack: &Rack) -> Option<LotFault> {
    match rack.strike.map(|s| s.kind) {
        Some(Kind::ExpiredLot) => Some(LotFault::Expired),
        Some(Kind::UnacceptedLot) => Some(LotFault::Unaccepted),
        _ => None,
    }
}

/// A duty's runs of the day, in order; those that can be struck with their rack.
fn runs<'a, 'r>(
    bench: &mut Bench<'a>,
    desk: &mut Desk<'_>,
    given: &'a [Given],
    duty: Duty,
    racks: &'r [Rack],
) -> Result<Vec<(Run, Option<&'r Rack>)>, YearError> {
    let mut all = Vec::new();
    let mine = racks.iter().filter(|rack| rack.duty == duty && rack.pools.is_empty());
    for rack in mine {
        let tests = rack.tubes.iter().filter_map(|at| Some((*at, given.get(*at)?)));
        let tests = tests.map(|(at, one)| of_rack(bench, one, rack, at)).collect();
        let failed = failed_window(rack);
        // What stands before the control that fails has a good one after it.
        if failed == Some(At::Before) && !all.is_empty() {
            all.push((desk.run(None, Vec::new(), Controls::Pass)?, None));
        }
        let before = if failed == Some(At::After) { Controls::Pass } else { controls(rack) };
        all.push((desk.run(rack.measures(), tests, before)?, Some(rack)));
        if failed == Some(At::After) {
            all.push((desk.run(None, Vec::new(), controls(rack))?, None));
        }
    }
    for (marker, tests) in plain(bench, given, duty, racks) {
        for tests in tests.chunks(SERIES_TUBES) {
            all.push((desk.run(marker, tests.to_vec(), Controls::Pass)?, None));
        }
    }
    if duty == Duty::SerologyFirst {
        all.push((desk.run(None, Vec::new(), Controls::Pass)?, None));
    }
    Ok(all)
}

/// Which control of a window fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Before,
    After,
}

fn failed_window(rack: &Rack) -> Option<At> {
    let strike = rack.strike.filter(|strike| strike.kind == Kind::FailedWindow)?;
    Some(if strike.variant.is_multiple_of(2) { At::Before } else { At::After })
}

fn of_rack<'a>(bench: &mut Bench<'a>, one: &'a Given, rack: &Rack, at: usize) -> Test {
    let blind = rack.is_blind_for(at);
    let reagent = match rack.marker.filter(|_| blind) {
        Some(marker) => Reagent::BlindFor(marker),
        None if blind => Reagent::Blind,
        None => Reagent::Good,
    };
    let invalid = one.strike.is_some_and(|s| matches!(s.kind, Kind::NatInvalid | Kind::NatInvalidOnce));
    match (rack.duty, rack.measures()) {
        (Duty::Nat, _) if invalid => Bench::no_nucleic(one),
        (Duty::SerologyFirst, _) => bench.serology(one, rack.duty, rack.duty.markers(), reagent),
        (_, Some(marker)) => bench.serology(one, rack.duty, &[marker], reagent),
        (_, None) => bench.nucleic(one, 1, reagent),
    }
}

fn controls(rack: &Rack) -> Controls {
    let of = rack.marker.unwrap_or(Marker::HbvDna);
    match (rack.strike.map(|s| s.kind), rack.before_last) {
        (Some(Kind::InvalidRun | Kind::FailedWindow), _) => Controls::Fail(of),
        (_, Some(plates)) => {
            let steps = i64::try_from(plates).unwrap_or(0);
            Controls::Read(of, Decimal::new(DRIFTED + steps * DRIFT_STEP, 2))
        }
        (_, None) => Controls::Pass,
    }
}

/// Runs that nothing strikes whole: of random-access analysers, and repeats of the same day.
fn plain<'a>(
    bench: &mut Bench<'a>,
    given: &'a [Given],
    duty: Duty,
    racks: &[Rack],
) -> Vec<(Option<Marker>, Vec<Test>)> {
    // Where the first well found nothing, nobody asks for duplicates.
    let seen = |at: usize, marker: Marker| {
        let mine = |r: &&Rack| (r.duty, r.marker) == (duty, Some(marker)) && r.tubes.contains(&at);
        !racks.iter().find(mine).is_some_and(|rack| rack.is_blind_for(at))
    };
    let duplicates = |bench: &mut Bench<'a>, marker: &Marker| -> Vec<Test> {
        let asked = given.iter().enumerate().filter(|(at, _)| seen(*at, *marker));
        asked.filter_map(|(_, one)| bench.duplicates(one, duty, *marker)).collect()
    };
    match duty {
        Duty::SerologyFirst => {
            vec![(None, duty.markers().iter().flat_map(|marker| duplicates(bench, marker)).collect())]
        }
        Duty::SerologySecond => {
            duty.markers().iter().map(|marker| (Some(*marker), duplicates(bench, marker))).collect()
        }
        Duty::Nat => {
            let once = |one: &&Given| one.strike.is_some_and(|s| s.kind == Kind::NatInvalidOnce);
            vec![(None, given.iter().filter(once).map(|one| bench.nucleic(one, 2, Reagent::Good)).collect())]
        }
        Duty::GroupingFirst => {
            vec![(None, given.iter().map(|one| bench.grouping(one, duty, false)).collect())]
        }
        Duty::GroupingSecond => {
            let twice = given.iter().filter(|one| Bench::is_grouped_twice(one));
            vec![(None, twice.map(|one| bench.grouping(one, duty, true)).collect())]
        }
        Duty::Chemistry => {
            let first = given.iter().map(|one| bench.alt(one, 1)).collect();
            let repeated: Vec<&Given> = given.iter().filter(|one| bench.is_alt_repeated(one)).collect();
            let again = repeated.into_iter().map(|one| bench.alt(one, 2)).collect();
            vec![(None, first), (None, again)]
        }
    }
}

/// Whether another value of this donation's measurement comes over `duty`.
pub(super) fn has_other_value(strike: Strike, duty: Duty) -> bool {
    match Some(strike.kind) {
        Some(Kind::ChangedResult | Kind::CorrectedAway) => duty == Duty::Nat,
        Some(Kind::CorrectedAfterRelease) => duty == corrected_by(strike),
        _ => false,
    }
}

/// What becomes of a donation's message at an analyser.
pub(super) fn fate(strike: Strike, duty: Duty, nth: u32) -> Option<(Kind, bool)> {
    let by_message = [
        Kind::LostMessage,
        Kind::BrokenTransfer,
        Kind::RepeatedMessage,
        Kind::RepeatedLater,
        Kind::NoBarcode,
        Kind::CutBarcode,
    ];
    (by_message.contains(&strike.kind) && place(strike) == (duty, nth))
        .then(|| (strike.kind, comes_later(strike)))
}
