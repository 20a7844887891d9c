//! Grouping reagents against known samples.

use crate::house::{House, control, observation, of};
use release::evidence::Validity;
use vocabulary::{Expected, Marker, Observation, SpecimenKind};

pub(crate) fn column(
    kind: SpecimenKind,
    (assay, marker): (&str, Marker),
    at: &str,
    grade: &str,
) -> Observation {
    let mut o = observation(kind, (assay, marker), "line/G/01", at);
    o.value.raw = grade.into();
    o.value.grade = Some(grade.parse().unwrap());
    o
}

/// A known sample and its grade.
type Reaction = (&'static str, &'static str);

pub(crate) const COLUMNS: [(&str, Marker, [Reaction; 2]); 5] = [
    ("Anti-A", Marker::AntiA, [("ab-positive", "4+"), ("o-negative", "0")]),
    ("Anti-B", Marker::AntiB, [("ab-positive", "4+"), ("o-negative", "0")]),
    ("Anti-D", Marker::AntiD, [("ab-positive", "4+"), ("o-negative", "0")]),
    ("A1 cells", Marker::A1Cells, [("o-positive", "4+"), ("ab-negative", "0")]),
    ("B cells", Marker::BCells, [("o-positive", "4+"), ("ab-negative", "0")]),
];

pub(crate) fn known_cells(at: &str, anti_a: &str) -> Vec<Observation> {
    let mut all = Vec::new();
    for (assay, marker, reactions) in COLUMNS {
        for (with, grade) in reactions {
            let grade = if marker == Marker::AntiA && grade == "4+" { anti_a } else { grade };
            let o = column(SpecimenKind::Control, (assay, marker), at, grade);
            all.push(control(o, with, Expected::Positive));
        }
    }
    all
}

pub(crate) fn grouped(donation: &str, at: &str) -> Vec<Observation> {
    let grades = ["4+", "0", "4+", "0", "4+"];
    let all = COLUMNS.iter().zip(grades);
    all.map(|((assay, marker, _), grade)| {
        of(column(SpecimenKind::Patient, (assay, *marker), at, grade), donation)
    })
    .collect()
}

#[test]
fn a_reagent_that_fails_takes_back_what_lies_between_its_passing_controls() {
    let house = House::new("cn-2019");
    house.says(&known_cells("01T08:00", "4+"));
    house.says(&grouped("D1", "01T09:00"));
    assert_eq!(house.stands("D1").1.validity, Validity::Valid);
    house.says(&known_cells("01T12:00", "1+")); // F12
    house.says(&grouped("D2", "01T12:30"));
    for donation in ["D1", "D2"] {
        let (_, facts) = house.stands(donation);
        assert_eq!(facts.validity, Validity::Invalid, "{donation}");
        let why = facts.why.unwrap().en;
        assert!(why.contains("anti-A (due: ab-positive ≥ 3+, o-negative 0)"), "{why}");
        assert!(!why.contains("anti-B"), "the other reagents stand: {why}");
    }
    house.says(&known_cells("01T13:00", "3+"));
    house.says(&grouped("D3", "01T13:30"));
    assert_eq!(house.stands("D3").1.validity, Validity::Valid);
    house.says(&grouped("D4", "03T13:30"));
    assert_eq!(house.stands("D4").1.validity, Validity::Open, "known cells speak for a day");
}

/// What a day's run is called says nothing of which known samples stand for a determination: the one that is made again, as
/// asked, stands on its own.
#[test]
fn a_determination_that_is_made_again_in_the_same_run_can_be_valid() {
    let house = House::new("cn-2019");
    house.says(&known_cells("01T12:00", "1+"));
    let first = house.says(&grouped("D1", "01T12:30"));
    assert_eq!(house.stands("D1").0.as_str(), "line/G/01", "one determination stands with its run");
    assert_eq!(house.stands("D1").1.validity, Validity::Invalid);
    house.says(&known_cells("01T13:00", "4+"));
    let again = house.says(&grouped("D1", "01T13:30"));
    let (run, facts) = house.stands("D1");
    assert_eq!((run.as_str(), facts.validity), (&*format!("line/G/01@#{again}"), Validity::Valid));
    let (_, known) = house.judged("D1");
    let of_first = vocabulary::RunId::new(&format!("line/G/01@#{first}")).unwrap();
    assert_eq!(known.runs[&of_first].validity, Validity::Invalid);
    let evidence = workflow::evidence(&known, &house.settings);
    let made: Vec<_> = evidence.grouping.iter().map(|one| (one.run.clone(), one.b_cells.is_some())).collect();
    assert_eq!(made, [(Some(of_first), true), (Some(run.clone()), true)], "each is whole");
    // One of them can be declared invalid for itself, and the run for both.
    let spans = workflow::runs::spans_of(&house.settings, &house.ledger.state(), &run).unwrap();
    assert!(!spans.is_empty());
    crate::falls::by(&house, "qc", crate::falls::invalid_in(&run, ledger::RunCause::Other, spans));
    assert_eq!(house.stands("D1").1.validity, Validity::Invalid);
    house.means(first, &[]);
    assert_eq!(house.stands("D1").0.as_str(), "line/G/01", "it is the only one now");
    assert_eq!(house.stands("D1").1.validity, Validity::Invalid, "and stays what was said of it");
}
