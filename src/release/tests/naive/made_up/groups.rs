//! Blood groupings that are made up: whole ones, parts of them, and tests beside them.

use super::{Dice, id, one_in, run_id};
use release::evidence::{Del, Grades, Grouping, GroupingSample, Validity};
use vocabulary::{AboGroup, Grade, RhD};

/// Of a donor whose anti-D is mostly the one of this number.
pub(super) fn grouping(rng: &mut Dice, d: usize) -> Grouping {
    let grade = |rng: &mut Dice, good: &str| -> Option<Grade> {
        let text = if one_in(rng, 40) {
            ["0", "w", "1+", "2+", "3+", "4+", "2+ mf", "+"][rng.usize(0..8)]
        } else {
            good
        };
        Some(id(text))
    };
    let [a, b, a1, bc] =
        [["4+", "0", "0", "4+"], ["0", "4+", "3+", "0"], ["3+", "4+", "0", "0"], ["0", "0", "2+", "4+"]]
            [if one_in(rng, 8) { rng.usize(0..4) } else { 0 }];
    let anti_d = ["4+", "2+", "1+", "0"][if one_in(rng, 4) { rng.usize(0..4) } else { d }];
    let iat = if anti_d == "0" || anti_d == "1+" {
        let n = if rng.u32(0..4) == 0 { rng.usize(0..2) } else { 2 };
        (n > 0).then(|| Grades((0..n).map(|_| id(if one_in(rng, 5) { "1+" } else { "0" })).collect()))
    } else {
        None
    };
    Grouping {
        anti_a: grade(rng, a).filter(|_| !one_in(rng, 60)),
        anti_b: grade(rng, b).filter(|_| !one_in(rng, 60)),
        a1_cells: grade(rng, a1).filter(|_| !one_in(rng, 30)),
        b_cells: grade(rng, bc).filter(|_| !one_in(rng, 30)),
        control: grade(rng, "0"),
        anti_d: Some(Grades(vec![id(anti_d)])),
        coated_cells: iat.as_ref().filter(|_| one_in(rng, 3)).map(|iat| {
            let coated =
                |_: &Grade| id(if one_in(rng, 6) { ["0", "w", "1+ mf"][rng.usize(0..3)] } else { "2+" });
            Grades(iat.0.iter().map(coated).collect())
        }),
        iat_d: iat,
        sample: one_in(rng, 5).then_some(GroupingSample::Segment),
        run: run_id(rng, &["G1", "G2"]),
        analyser_run: if one_in(rng, 8) { Some(id("G1")) } else { None },
        ..Grouping::default()
    }
}

/// A grouping that is not whole, or tests beside one: mostly they agree with what the whole ones say.
pub(super) fn part(rng: &mut Dice, d: usize) -> Grouping {
    let whole = grouping(rng, d);
    let iat = |rng: &mut Dice, text| (0..rng.usize(1..3)).map(|_| id(text)).collect();
    let reacts = rng.bool();
    let (sample, run, analyser_run) = (whole.sample, whole.run.clone(), whole.analyser_run.clone());
    let bare = Grouping { sample, run, analyser_run, ..Grouping::default() };
    let odd = |rng: &mut Dice, good: &'static str| {
        if one_in(rng, 3) { ["0", "w", "1+", "2+", "3+ mf", "4+"][rng.usize(0..6)] } else { good }
    };
    let none = || None;
    let mut part = match rng.u32(0..16) {
        0..3 => Grouping { iat_d: Some(Grades(iat(rng, if reacts { "1+" } else { "0" }))), ..bare },
        3 => Grouping { iat_d: Some(Grades(vec![id("0"), id("0")])), ..bare },
        4 => Grouping { dat: Some(id(if one_in(rng, 3) { "1+" } else { "0" })), ..bare },
        5 => Grouping { del: Some(if reacts { Del::Positive } else { Del::Negative }), ..bare },
        6 => {
            Grouping { coated_cells: Some(Grades(vec![id(if one_in(rng, 3) { "0" } else { "2+" })])), ..bare }
        }
        7 => Grouping { a1_cells: none(), b_cells: none(), ..whole },
        8 => Grouping {
            anti_a: none(),
            anti_b: none(),
            anti_d: None,
            iat_d: None,
            coated_cells: None,
            ..whole
        },
        9 => Grouping { control: none(), ..whole },
        10 => Grouping { anti_d: whole.anti_d, control: whole.control, ..bare },
        11 => Grouping { anti_ab: Some(id(odd(rng, "4+"))), ..bare },
        12 => Grouping { o_cells: Some(id(odd(rng, "0"))), ..bare },
        13 => Grouping { anti_b: Some(id(odd(rng, "0"))), ..bare },
        14 => Grouping { a1_cells: Some(id(odd(rng, "0"))), ..bare },
        _ => Grouping { validity: Some(Validity::Invalid), ..whole },
    };
    if one_in(rng, 3) {
        part.reported_abo = Some(if one_in(rng, 4) { AboGroup::O } else { AboGroup::A });
    }
    if one_in(rng, 3) {
        part.reported_rhd = Some(if rng.bool() { RhD::Negative } else { RhD::Positive });
    }
    if one_in(rng, 20) {
        part.validity = Some(Validity::Invalid);
    }
    part
}
