//! Grouping reagents against known samples.

use crate::house::{House, control, observation, of};
use quality_control::kits::{KitFile, Kits};
use release::evidence::Validity;
use std::collections::BTreeMap;
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

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    what: String,
    /// `01T08:00 known 4+`: known cells, and what anti-A gives with its own; `01T09:00 D1`: a donation is grouped.
    said: Vec<String>,
    expect: BTreeMap<String, String>,
    /// In the reason of each donation that does not stand; what is not in it.
    #[serde(default)]
    why: String,
    without: Option<String>,
}

/// F12 and its neighbours: `tests/cases/known-cells.json`.
#[test]
fn a_reagent_that_fails_takes_back_what_lies_between_its_passing_controls() {
    let rows: Vec<Case> = serde_json::from_str(include_str!("../cases/known-cells.json")).unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let name = format!("{} {}", row.id, row.what);
        let house = House::new("cn-2019");
        for said in &row.said {
            match said.split(' ').collect::<Vec<_>>()[..] {
                [at, "known", anti_a] => house.says(&known_cells(at, anti_a)),
                [at, donation] => house.says(&grouped(donation, at)),
                _ => panic!("{name}: {said}"),
            };
        }
        for (donation, expect) in row.expect {
            let (_, facts) = house.stands(&donation);
            let state = match facts.validity {
                Validity::Valid => "VALID",
                Validity::Open => "OPEN",
                Validity::Invalid => "INVALID",
            };
            assert_eq!(state, expect, "{name}: {donation}");
            let why = facts.why.map(|told| told.en).unwrap_or_default();
            if state != "VALID" {
                assert!(why.contains(&row.why), "{name}: {donation}: {why}");
                let said = row.without.as_ref().is_some_and(|other| why.contains(other));
                assert!(!said, "{name}: the other reagents stand: {why}");
            }
        }
    }
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

/// A part that has none of the reagents' columns can be declared invalid by itself, and stays so whatever it is called.
#[test]
fn a_part_without_columns_falls_by_itself() {
    let house = House::new("cn-2019");
    house.says(&known_cells("01T12:00", "4+"));
    let columns = house.says(&grouped("D1", "01T12:30"));
    let dat = of(column(SpecimenKind::Patient, ("Dat", Marker::Dat), "01T12:40", "0"), "D1");
    house.says(&[dat]);
    let (run, before) = house.stands("D1");
    assert!(run.as_str().contains("@#") && before.validity != Validity::Invalid, "{run} {before:?}");
    let spans = workflow::runs::spans_of(&house.settings, &house.ledger.state(), &run).unwrap();
    assert_eq!(spans.iter().map(|span| span.results.len()).sum::<usize>(), 1);
    crate::falls::by(&house, "qc", crate::falls::invalid_in(&run, ledger::RunCause::Other, spans));
    assert_eq!(house.stands("D1").1.validity, Validity::Invalid);
    let first = vocabulary::RunId::new(&format!("line/G/01@#{columns}")).unwrap();
    assert_ne!(house.judged("D1").1.runs[&first].validity, Validity::Invalid, "the other one does not fall");
    house.means(columns, &[]);
    let (run, after) = house.stands("D1");
    assert_eq!((run.as_str(), after.validity), ("line/G/01", Validity::Invalid), "it is the only one now");
}

fn evidence(house: &House, donation: &str) -> release::evidence::Evidence {
    workflow::evidence(&house.judged(donation).1, &house.settings)
}

/// A kit whose antiglobulin tests are made in tubes.
fn in_tubes() -> House {
    let known = COLUMNS.iter().flat_map(|(_, marker, reactions)| {
        reactions.iter().map(move |(with, due)| {
            let due = if *due == "0" { "0" } else { "3+" };
            format!("{{ reagent = \"{marker}\", with = \"{with}\", due = \"{due}\" }},\n")
        })
    });
    let further = ["D-IAT", "antibody-screen"].map(|marker| {
        format!("{{ reagent = \"{marker}\", with = \"weak-anti-d\", due = \"1+\" }},\n{{ reagent = \"{marker}\", with = \"ab-serum\", due = \"0\" }},\n")
    });
    let known: String = known.chain(further).collect();
    let text = format!(
        "schema = 1\nid = \"own/tubes\"\ntitle = {{ en = \"Tubes\", zh = \"试管\" }}\n\
         assays = [\"Anti-A\", \"Anti-B\", \"Anti-D\", \"A1 cells\", \"B cells\", \"IAT\", \"Screen\"]\n\
         source = \"the site\"\nnot_verified = []\n[cells]\nhours = 24\ncoated = true\nknown = [\n{known}]\n"
    );
    let mut house = House::new("cn-2019");
    house.settings.kits = Kits::new([KitFile::read("tubes.toml", &text).unwrap()]).unwrap();
    house
}

const ANTIGLOBULIN: [(&str, Marker); 2] = [("IAT", Marker::DIat), ("Screen", Marker::AntibodyScreen)];

/// §2.4: coated cells after every negative antiglobulin test in a tube; a reactive one needs none.
#[test]
fn a_negative_antiglobulin_test_in_a_tube_counts_with_coated_cells_that_react() {
    for (assay, marker) in ANTIGLOBULIN {
        for (grades, coated, stands) in [
            (&["0", "0"][..], &["2+", "1+"][..], Validity::Valid),
            (&["0", "0"], &["2+"], Validity::Open),
            (&["0", "0"], &[], Validity::Open),
            (&["0", "0"], &["2+", "w"], Validity::Invalid),
            (&["0", "0"], &["2+", "0"], Validity::Invalid),
            (&["0", "2+"], &["1+"], Validity::Valid),
            (&["2+", "3+"], &[], Validity::Valid),
        ] {
            let house = in_tubes();
            let mut known = known_cells("01T08:00", "4+");
            for (with, grade) in [("weak-anti-d", "2+"), ("ab-serum", "0")] {
                for of in ANTIGLOBULIN {
                    let o = column(SpecimenKind::Control, of, "01T08:00", grade);
                    known.push(control(o, with, Expected::Positive));
                }
            }
            house.says(&known);
            let mut rows = grouped("D1", "01T09:00");
            let row = |assay, marker, grade: &&str| {
                of(column(SpecimenKind::Patient, (assay, marker), "01T09:00", grade), "D1")
            };
            rows.extend(grades.iter().map(|grade| row(assay, marker, grade)));
            rows.extend(coated.iter().map(|grade| row("IAT", Marker::CoatedCells, grade)));
            house.says(&rows);
            let (_, facts) = house.stands("D1");
            assert_eq!(facts.validity, stands, "{marker} {grades:?} {coated:?} {:?}", facts.why);
            if stands != Validity::Valid {
                assert!(facts.why.unwrap().en.contains("coated cells"), "{marker} {coated:?}");
            }
        }
    }
}

/// The known samples of an antibody screen take it back as those of any other reagent do.
#[test]
fn an_antibody_screen_falls_with_its_known_samples() {
    for (weak, serum, stands) in
        [("1+", "0", Validity::Valid), ("w", "0", Validity::Invalid), ("2+", "1+", Validity::Invalid)]
    {
        let house = in_tubes();
        let known = [("weak-anti-d", weak), ("ab-serum", serum)].map(|(with, grade)| {
            control(
                column(SpecimenKind::Control, ANTIGLOBULIN[1], "01T08:00", grade),
                with,
                Expected::Positive,
            )
        });
        house.says(&known);
        let screen = column(SpecimenKind::Patient, ANTIGLOBULIN[1], "01T09:00", "0");
        let coated = column(SpecimenKind::Patient, ("Screen", Marker::CoatedCells), "01T09:00", "3+");
        house.says(&[of(screen, "D1"), of(coated, "D1")]);
        assert_eq!(house.stands("D1").1.validity, stands, "{weak} {serum}");
    }
}

/// Two parts of one run are one run where two determinations have to be independent of each other, and each has been made
/// with the lots that the run's controls were made with.
#[test]
fn a_part_of_a_run_knows_the_run_and_its_lots() {
    let house = House::new("cn-2019");
    let lot = vocabulary::LotUse {
        role: vocabulary::LotRole::Reagent,
        name: None,
        lot: "L7".into(),
        expires: None,
    };
    let mut beside = column(SpecimenKind::Control, ("Dat", Marker::Dat), "01T11:50", "0");
    beside.lots = vec![lot.clone()];
    house.says(&[control(beside, "saline", Expected::Positive)]);
    house.says(&known_cells("01T12:00", "4+"));
    house.says(&grouped("D1", "01T12:30"));
    let once = evidence(&house, "D1").grouping;
    assert_eq!(once.iter().map(|one| one.analyser_run.clone()).collect::<Vec<_>>(), [None], "as it ever was");
    assert!(house.stands("D1").1.lots.iter().any(|one| one.lot == lot));
    house.says(&grouped("D1", "01T12:40"));
    let twice = evidence(&house, "D1").grouping;
    let of = vocabulary::RunId::new("line/G/01").unwrap();
    assert_eq!(twice.len(), 2);
    let known = house.judged("D1").1;
    for one in &twice {
        assert_ne!(one.run.as_ref(), Some(&of));
        assert_eq!(one.analyser_run.as_ref(), Some(&of));
        let lots = &known.runs[one.run.as_ref().unwrap()].lots;
        assert!(lots.iter().any(|one| one.lot == lot), "{:?}", one.run);
    }
}

/// An old word names a run and no message.
#[test]
fn a_word_without_a_message_speaks_for_the_only_determination_of_its_run() {
    let house = House::new("cn-2019");
    house.says(&known_cells("01T12:00", "4+"));
    house.says(&grouped("D1", "01T12:30"));
    let says = || {
        for who in ["rev", "ref"] {
            let word = ledger::DonorAct::GroupSettled {
                donation: vocabulary::DonationId::new("D1").unwrap(),
                run: vocabulary::RunId::new("line/G/01").unwrap(),
                message: None,
                sample: None,
                columns: None,
                sets_aside: vec![],
                reason: "anti-A1".into(),
            };
            let draft = ledger::Draft { by: format!("user:{who}").into(), what: ledger::What::Donor(word) };
            let seq = house.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
            house.ledger.wait_applied(seq).wait().unwrap();
        }
    };
    let settled = || {
        let all = evidence(&house, "D1").grouping;
        all.iter().map(|one| one.resolves.is_some()).collect::<Vec<_>>()
    };
    says();
    assert_eq!(settled(), [true]);
    house.says(&grouped("D1", "01T12:40"));
    says();
    assert_eq!(settled(), [false, false], "it may have meant either");
}
