//! The day's work of each analyser: which tubes stand in which run, and what is found in them.

use super::draw::{Draw, Level, reaction};
use super::reading::{Controls, Duty, Finding, Reading, Run, Session, Test};
use super::{DayError, DaySettings, PlannedDonation, Story};
use jiff::{ToSpan, civil::DateTime};
use vocabulary::{DonationId, Grade, Marker, RhD, Strength};

/// A plate of 96 wells less eight for controls and blank.
const PLATE_TUBES: usize = 88;
/// A rack of 96 less four controls.
const RACK_TUBES: usize = 92;
/// What random-access analysers do between two sets of controls.
const SERIES_TUBES: usize = 200;

/// Measurement begins at two in the afternoon; the last run begins within six hours.
const BEGIN_HOUR: i8 = 14;
const WORK_SECONDS: u32 = 6 * 3600;

/// The plate whose positive control fails: the first of this marker with the second reagent.
const FAILING: Marker = Marker::Hiv;

/// What a story does to a serology reagent: first well, and the duplicates if they are made.
struct Serology {
    story: Story,
    marker: Marker,
    duty: Duty,
    initial: Level,
    duplicates: Option<[Level; 2]>,
}

const fn serology(
    story: Story,
    marker: Marker,
    duty: Duty,
    initial: Level,
    duplicates: Option<[Level; 2]>,
) -> Serology {
    Serology { story, marker, duty, initial, duplicates }
}

const SEROLOGY: &[Serology] = {
    use Duty::{SerologyFirst as First, SerologySecond as Second};
    use Level::{Grey, Low, Strong, Weak};
    &[
        serology(Story::SingleReagentReactive, Marker::AntiHcv, First, Weak, Some([Weak, Weak])),
        serology(Story::ConcordantReactive, Marker::HBsAg, First, Strong, Some([Strong, Strong])),
        serology(Story::ConcordantReactive, Marker::HBsAg, Second, Strong, Some([Strong, Strong])),
        serology(Story::SyphilisReactive, Marker::Syphilis, First, Strong, Some([Strong, Strong])),
        serology(Story::SyphilisReactive, Marker::Syphilis, Second, Weak, Some([Weak, Weak])),
        serology(Story::RepeatableReactive, Marker::Hiv, First, Weak, Some([Low, Weak])),
        serology(Story::NonRepeatableReactive, Marker::AntiHcv, Second, Weak, Some([Low, Low])),
        serology(Story::GreyZone, Marker::Syphilis, First, Grey, Some([Low, Low])),
        serology(Story::DuplicatesMissing, Marker::HBsAg, First, Weak, None),
    ]
};

fn special(story: Story, marker: Marker, duty: Duty) -> Option<&'static Serology> {
    SEROLOGY.iter().find(|s| s.story == story && s.marker == marker && s.duty == duty)
}

/// Runs are planned first and get their numbers and hours when all of a session's are known.
struct Planned {
    marker: Option<Marker>,
    controls: Controls,
    tests: Vec<Test>,
}

/// Every analyser's day.
pub(crate) fn sessions(
    settings: &DaySettings,
    donations: &[PlannedDonation],
) -> Result<Vec<Session>, DayError> {
    let cases = cases(donations);
    Duty::ALL.iter().map(|duty| session(settings, *duty, &cases)).collect()
}

/// A donation, with what is chosen by turns among those of its story.
struct Case<'a> {
    donation: &'a DonationId,
    story: Story,
    planned: &'a PlannedDonation,
    /// Counts from 0 within the story.
    turn: usize,
}

fn cases(donations: &[PlannedDonation]) -> Vec<Case<'_>> {
    let mut turns = std::collections::BTreeMap::new();
    let mut cases = Vec::with_capacity(donations.len());
    for planned in donations {
        let turn = turns.entry(planned.story).and_modify(|turn| *turn += 1).or_insert(0);
        cases.push(Case {
            donation: &planned.registration.donation,
            story: planned.story,
            planned,
            turn: *turn,
        });
    }
    cases
}

impl Case<'_> {
    /// Which test of an incomplete donation is left out: each in its turn.
    fn lacks(&self, duty: Duty, marker: Option<Marker>) -> bool {
        if self.story != Story::Incomplete {
            return false;
        }
        match self.turn % 3 {
            0 => duty == Duty::Nat,
            1 => duty == Duty::Chemistry,
            _ => duty == Duty::SerologySecond && marker == Some(Marker::HBsAg),
        }
    }

    fn rhd_positive(&self) -> bool {
        self.planned.group.rhd == Some(RhD::Positive)
    }

    fn sent_twice_by(&self, duty: Duty) -> bool {
        let by = [Duty::SerologyFirst, Duty::Nat, Duty::GroupingFirst, Duty::Chemistry];
        self.story == Story::SentTwice && by.get(self.turn % by.len()) == Some(&duty)
    }

    fn test(&self, duty: Duty, readings: Vec<Reading>) -> Test {
        Test {
            donation: self.donation.clone(),
            readings,
            sent_twice: self.sent_twice_by(duty),
            unmapped: self.story == Story::UnmappedTest && duty == Duty::Chemistry,
            corrected: false,
        }
    }
}

fn session(settings: &DaySettings, duty: Duty, cases: &[Case<'_>]) -> Result<Session, DayError> {
    let mut draw = Draw::new(settings.seed, duty.name());
    let planned = match duty {
        Duty::SerologyFirst => series_of_serology(&mut draw, cases),
        Duty::SerologySecond => plates(&mut draw, cases),
        Duty::Nat => racks(&mut draw, cases),
        Duty::GroupingFirst => groups(&mut draw, cases),
        Duty::GroupingSecond => second_groups(&mut draw, cases),
        Duty::Chemistry => activities(&mut draw, cases),
    };
    let count = u32::try_from(planned.len()).unwrap_or(u32::MAX).max(1);
    let begin = settings.day.at(BEGIN_HOUR, 0, 0, 0);
    let runs = (1_u32..).zip(planned).map(|(number, plan)| {
        let after = u64::from(number - 1) * u64::from(WORK_SECONDS) / u64::from(count);
        let started_at: DateTime = begin.checked_add(i64::try_from(after).unwrap_or(0).seconds())?;
        let day = settings.day.strftime("%y%m%d");
        let id = format!("{day}-{}-{number:03}", duty.code());
        let Planned { marker, controls, tests } = plan;
        Ok(Run { id, number, marker, started_at, controls, tests })
    });
    Ok(Session { duty, runs: runs.collect::<Result<_, DayError>>()? })
}

/// Cuts `tests` into runs of at most `tubes`, all with good controls.
fn runs(marker: Option<Marker>, tests: &[Test], tubes: usize) -> Vec<Planned> {
    let run = |tests: &[Test]| Planned { marker, controls: Controls::Pass, tests: tests.to_vec() };
    tests.chunks(tubes).map(run).collect()
}

fn first_well(draw: &mut Draw, case: &Case<'_>, marker: Marker, duty: Duty) -> Reading {
    let level = special(case.story, marker, duty).map_or(Level::Low, |s| s.initial);
    Reading { marker, replicate: 1, finding: Finding::Index(draw.index(level)) }
}

/// The two duplicate wells, where the story has them.
fn duplicates(draw: &mut Draw, case: &Case<'_>, marker: Marker, duty: Duty) -> Option<Vec<Reading>> {
    let [second, third] = special(case.story, marker, duty)?.duplicates?;
    let wells = [(2, second), (3, third)];
    Some(
        wells
            .into_iter()
            .map(|(replicate, level)| Reading {
                marker,
                replicate,
                finding: Finding::Index(draw.index(level)),
            })
            .collect(),
    )
}

fn series_of_serology(draw: &mut Draw, cases: &[Case<'_>]) -> Vec<Planned> {
    let duty = Duty::SerologyFirst;
    let mut first = Vec::new();
    let mut again = Vec::new();
    for case in cases {
        let readings = duty.markers().iter().map(|m| first_well(draw, case, *m, duty)).collect();
        first.push(case.test(duty, readings));
        for marker in duty.markers() {
            let repeat = duplicates(draw, case, *marker, duty);
            again.extend(repeat.map(|readings| Test { sent_twice: false, ..case.test(duty, readings) }));
        }
    }
    let mut planned = runs(None, &first, SERIES_TUBES);
    planned.extend(runs(None, &again, SERIES_TUBES));
    planned
}

fn plates(draw: &mut Draw, cases: &[Case<'_>]) -> Vec<Planned> {
    let duty = Duty::SerologySecond;
    let mut planned = Vec::new();
    let mut again = Vec::new();
    for marker in duty.markers() {
        let tested = || cases.iter().filter(|c| !c.lacks(duty, Some(*marker)));
        let first: Vec<Test> =
            tested().map(|c| c.test(duty, vec![first_well(draw, c, *marker, duty)])).collect();
        let mut plates = runs(Some(*marker), &first, PLATE_TUBES);
        if *marker == FAILING && !plates.is_empty() {
            let good = plates.remove(0);
            plates.insert(0, failed(draw, &good, *marker));
            plates.push(good);
        }
        planned.extend(plates);
        let repeats: Vec<Test> =
            tested().filter_map(|c| Some(c.test(duty, duplicates(draw, c, *marker, duty)?))).collect();
        again.extend(runs(Some(*marker), &repeats, PLATE_TUBES / 2));
    }
    planned.extend(again);
    planned
}

/// The same tubes on a plate whose positive control was not found. They are tested again on a good one.
fn failed(draw: &mut Draw, good: &Planned, marker: Marker) -> Planned {
    let low =
        |draw: &mut Draw| Reading { marker, replicate: 1, finding: Finding::Index(draw.index(Level::Low)) };
    let tests = good.tests.iter().map(|t| Test { readings: vec![low(draw)], ..t.clone() }).collect();
    Planned { marker: Some(marker), controls: Controls::Fail(marker), tests }
}

fn racks(draw: &mut Draw, cases: &[Case<'_>]) -> Vec<Planned> {
    let duty = Duty::Nat;
    let good = |draw: &mut Draw, case: &Case<'_>, replicate| {
        let hbv = matches!(case.story, Story::ConcordantReactive | Story::NatYield);
        let target =
            |m: &Marker| Reading { marker: *m, replicate, finding: draw.target(hbv && *m == Marker::HbvDna) };
        duty.markers().iter().map(target).collect::<Vec<_>>()
    };
    let mut first = Vec::new();
    let mut again = Vec::new();
    for case in cases.iter().filter(|c| !c.lacks(duty, None)) {
        let mut readings = good(draw, case, 1);
        if matches!(case.story, Story::NatInvalidOnce | Story::NatInvalid) {
            for reading in &mut readings {
                reading.finding = Finding::Invalid;
            }
        }
        first.push(case.test(duty, readings));
        if case.story == Story::NatInvalidOnce {
            again.push(case.test(duty, good(draw, case, 2)));
        }
    }
    let mut planned = runs(None, &first, RACK_TUBES);
    planned.extend(runs(None, &again, RACK_TUBES));
    planned
}

fn grouping(draw: &mut Draw, case: &Case<'_>) -> Vec<Reading> {
    let Some(abo) = case.planned.group.abo else { return Vec::new() };
    let mut columns = draw.grouping(abo, case.rhd_positive());
    let two = Grade::plain(Strength::Two);
    let wrong = [
        (Story::AboDiscrepancy, Marker::A1Cells, two),
        (Story::MixedField, Marker::AntiA, Grade { mixed_field: true, ..two }),
    ];
    for (_, marker, grade) in wrong.into_iter().filter(|(story, ..)| *story == case.story) {
        columns.iter_mut().filter(|r| r.marker == marker).for_each(|r| *r = reaction(marker, grade));
    }
    columns
}

fn groups(draw: &mut Draw, cases: &[Case<'_>]) -> Vec<Planned> {
    let duty = Duty::GroupingFirst;
    let tests: Vec<Test> = cases.iter().map(|c| c.test(duty, grouping(draw, c))).collect();
    runs(None, &tests, SERIES_TUBES)
}

fn second_groups(draw: &mut Draw, cases: &[Case<'_>]) -> Vec<Planned> {
    let duty = Duty::GroupingSecond;
    let wanted = |c: &&Case<'_>| {
        let second = c.planned.registration.donor.first_time && c.story != Story::GroupedOnce;
        second || c.story == Story::RhDNegative
    };
    let test = |case: &Case<'_>| {
        let mut readings = grouping(draw, case);
        if case.story == Story::RhDNegative {
            let zero = Finding::Grade(Grade::plain(Strength::Zero));
            let clone = |replicate| Reading { marker: Marker::DIat, replicate, finding: zero.clone() };
            readings.extend([1, 2].map(clone));
        }
        case.test(duty, readings)
    };
    let tests: Vec<Test> = cases.iter().filter(wanted).map(test).collect();
    runs(None, &tests, SERIES_TUBES)
}

fn activities(draw: &mut Draw, cases: &[Case<'_>]) -> Vec<Planned> {
    let duty = Duty::Chemistry;
    let alt = |replicate, activity| Reading {
        marker: Marker::Alt,
        replicate,
        finding: Finding::Activity(activity),
    };
    let mut first = Vec::new();
    let mut again = Vec::new();
    for case in cases.iter().filter(|c| !c.lacks(duty, None)) {
        let (normal, high) = (draw.activity_normal(), draw.activity_high());
        let is_high = matches!(case.story, Story::AltHighOnce | Story::AltHighTwice);
        first.push(case.test(duty, vec![alt(1, if is_high { high } else { normal })]));
        if is_high {
            let again_high = high + draw.change();
            let activity = if case.story == Story::AltHighTwice { again_high } else { normal };
            again.push(case.test(duty, vec![alt(2, activity)]));
        }
    }
    let mut planned = runs(None, &first, SERIES_TUBES);
    planned.extend(runs(None, &again, SERIES_TUBES));
    planned
}
