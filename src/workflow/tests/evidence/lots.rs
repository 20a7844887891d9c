//! Lots of results by the laboratory's register.

use crate::evidence::{at, built, facts, observation, ratio, settings};
use jiff::civil::Date;
use vocabulary::{ConnectionId, Interpretation, LotRole, LotUse, Marker, Observation, Value};
use workflow::{AcceptedLot, LotRegister};

fn used(lot: &str) -> LotUse {
    LotUse { role: LotRole::Reagent, name: None, lot: lot.into(), expires: None }
}

/// Lot 77 in the register.
fn of(assays: &[&str], expires: Date, on: Option<&str>) -> AcceptedLot {
    AcceptedLot {
        lot: "77".into(),
        role: None,
        assays: assays.iter().map(|assay| (*assay).to_owned()).collect(),
        in_use_on: on.map(|on| ConnectionId::new(on).unwrap()),
        expires: Some(expires),
        on_board_until: None,
        approval: "x".into(),
        accepted_by: "x".into(),
    }
}

/// Two makers may number alike: what one of them made for one assay says nothing of the other's.
#[test]
fn a_lot_that_names_its_assays_accepts_no_result_of_another() {
    let (soon, late) = (jiff::civil::date(2026, 2, 28), jiff::civil::date(2026, 12, 31));
    let used = used("77");
    let lots = |register: Vec<AcceptedLot>, named: bool, controls: Option<&str>| {
        let mut with = settings("cn-2019");
        with.lots = LotRegister::new(register);
        let mut one = observation(Marker::HBsAg, "first", ratio("0.1"));
        one.lots = if named { vec![used.clone()] } else { Vec::new() };
        let mut known = facts(vec![one]);
        for run in known.runs.values_mut() {
            let of = |assay: &str| workflow::AssayLot { lot: used.clone(), assay: assay.to_owned() };
            run.lots = controls.map(of).into_iter().collect();
        }
        known.observations[0].tested_at = Some("2026-03-01T12:00:00Z".parse().unwrap());
        let evidence = workflow::evidence(&known, &with);
        let verdict = release::decide(&evidence, &with.pack);
        let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Lots).unwrap();
        let run = &evidence.runs[0];
        let said: Vec<_> =
            run.lots.iter().map(|lot| (lot.accepted, lot.not_for.clone(), lot.expires)).collect();
        (said, gate.why.clone())
    };
    let good = |expires| (Some(true), None, Some(expires));
    let of_another = (Some(false), Some("first".to_owned()), None);
    assert_eq!(lots(vec![of(&["first"], late, None)], true, None).0, [good(late)]);
    assert_eq!(lots(vec![of(&[], late, None)], true, None).0, [good(late)], "as it ever was");
    let (said, why) = lots(vec![of(&["second"], late, None)], true, None);
    assert_eq!(said, std::slice::from_ref(&of_another));
    // Neither that its expiry is not known, nor anything else that could only be known of a lot that is registered.
    assert!(why.starts_with("lot 77 of run R1 is not registered for first; lots of that"), "{why}");
    assert!(!why.contains("expiry") && !why.contains("accepted"), "{why}");
    // On another analyser it is another lot. Of one that names none, nothing is known.
    let (said, why) = lots(vec![of(&["first"], late, Some("other"))], true, None);
    assert_eq!(said, [(Some(false), None, Some(late))]);
    assert!(why.starts_with("lot 77 of run R1 is not registered for the analyser on line; lots"), "{why}");
    assert!(!why.contains("expiry") && !why.contains("accepted"), "{why}");
    assert_eq!(lots(vec![of(&[], late, Some("other"))], true, None).0, said);
    assert_eq!(
        lots(vec![of(&["second"], late, Some("other"))], true, None).0,
        std::slice::from_ref(&of_another)
    );
    for on in [None, Some("line")] {
        let both = vec![of(&[], late, Some("other")), of(&[], late, on)];
        assert_eq!(lots(both, true, None).0, [good(late)], "{on:?}");
    }
    assert_eq!(lots(vec![of(&[], late, Some("other"))], false, None).0, [], "{why}");
    // Each line speaks of its own lot only: the other's expiry is not this one's.
    let two = || vec![of(&["second"], soon, None), of(&["first", "third"], late, None)];
    assert_eq!(lots(two(), true, None).0, [good(late)]);
    // Controls are judged by the assay that they were run for.
    assert_eq!(lots(two(), true, Some("second")).0, [good(soon), good(late)]);
    let (said, _) = lots(vec![of(&["first"], late, None)], true, Some("second"));
    assert_eq!(said, [(Some(false), Some("second".to_owned()), None), good(late)]);
    // What is on board of an analyser that names no lots is on board for its assays.
    assert_eq!(lots(vec![of(&["first"], late, Some("line"))], false, None).0, [good(late)]);
    let (said, why) = lots(vec![of(&["second"], late, Some("line"))], false, None);
    assert_eq!(said, []);
    assert!(why.contains("lot"), "{why}");
}

/// Lines of a register that speak of one number are told apart by assay, role or analyser, wherever in it they stand.
#[test]
fn two_lines_that_both_speak_for_one_assay_of_a_number_are_found() {
    let line = |lot: &str, assays: &[&str]| AcceptedLot {
        lot: lot.into(),
        role: None,
        assays: assays.iter().map(|assay| (*assay).to_owned()).collect(),
        in_use_on: None,
        expires: None,
        on_board_until: None,
        approval: "x".into(),
        accepted_by: "x".into(),
    };
    let of = |assays: &[&str]| line("77", assays);
    let role = |role: LotRole, assays: &[&str]| AcceptedLot { role: Some(role), ..of(assays) };
    let on = |analyser: &str, assays: &[&str]| AcceptedLot {
        in_use_on: Some(ConnectionId::new(analyser).unwrap()),
        ..of(assays)
    };
    let (reagent, control) = (LotRole::Reagent, LotRole::Control);
    for lots in [
        vec![of(&["A"]), of(&["B", "C"])],
        vec![of(&["A"]), line("78", &["A"]), line("79", &[])],
        vec![role(reagent, &["A"]), role(control, &["A"])],
        vec![on("x", &["A"]), on("y", &["A"])],
        vec![of(&[]), of(&[])],
    ] {
        assert_eq!(AcceptedLot::overlap(&lots), None, "{lots:?}");
    }
    for lots in [
        vec![of(&["A", "B"]), of(&["C", "B"])],
        vec![of(&["B"]), of(&[])],
        vec![of(&[]), of(&["B"])],
        vec![of(&["B"]), of(&["A"]), of(&["B"])],
        vec![of(&["A"]), of(&["B"]), line("78", &["A"]), of(&["C", "B"])],
        vec![role(reagent, &["B"]), of(&["B"])],
        vec![role(reagent, &["B"]), role(reagent, &[])],
        vec![on("x", &["B"]), of(&["B"])],
        vec![on("x", &["B"]), on("x", &["B"])],
        vec![AcceptedLot { role: Some(control), ..on("x", &["B"]) }, on("x", &["B"])],
    ] {
        assert_eq!(AcceptedLot::overlap(&lots), Some(("77", "B")), "{lots:?}");
    }
}

#[test]
fn lots_of_an_analyser_that_names_none_come_from_the_register_and_others_are_not_accepted() {
    let mut named = observation(Marker::Alt, "alt", Value { unit: Some("U/L".into()), ..ratio("20") });
    let silent = built(vec![named.clone()]);
    assert_eq!(silent.runs[0].lots[0].lot, "L1");
    assert_eq!(silent.runs[0].lots[0].accepted, Some(true));
    named.lots = vec![used("L9")];
    let unknown = built(vec![named]);
    assert_eq!((unknown.runs[0].lots.len(), unknown.runs[0].lots[0].accepted), (1, Some(false)));
}

#[test]
fn an_assay_whose_lot_nobody_knows_is_held_by_gate_06_whatever_lots_its_run_has() {
    let late = jiff::civil::date(2026, 12, 31);
    let gate = |register: Vec<AcceptedLot>, named: [Option<&str>; 2], control: Option<(LotRole, &str)>| {
        let mut with = settings("cn-2019");
        with.lots = LotRegister::new(register);
        let mut both = [(Marker::HBsAg, "first"), (Marker::AntiHcv, "second")]
            .map(|(marker, assay)| observation(marker, assay, ratio("0.1")));
        for (one, lot) in both.iter_mut().zip(named) {
            one.lots = lot.map(used).into_iter().collect();
        }
        let mut known = facts(both.to_vec());
        for one in &mut known.observations {
            one.tested_at = Some("2026-03-01T12:00:00Z".parse().unwrap());
        }
        for run in known.runs.values_mut() {
            let of = |(role, assay): (LotRole, &str)| workflow::AssayLot {
                lot: LotUse { role, ..used("77") },
                assay: assay.to_owned(),
            };
            run.lots = control.map(of).into_iter().collect();
        }
        let evidence = workflow::evidence(&known, &with);
        let verdict = release::decide(&evidence, &with.pack);
        let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Lots).unwrap();
        (gate.is_satisfied(), gate.why.clone())
    };
    let unknown = |assay: &str| format!("the lots of {assay} in run R1 are not known");
    let on_board = |assays: &[&str]| vec![of(assays, late, Some("line"))];
    let (plain, named) = (|| vec![of(&[], late, None)], Some("77"));
    for (register, named, control, fails) in [
        (on_board(&["first"]), [None, None], None, Some("second")),
        (on_board(&["first", "second"]), [None, None], None, None),
        // What is on board for any assay is there for all results of the line, as it ever was.
        (on_board(&[]), [None, None], None, None),
        (plain(), [named, None], None, Some("second")),
        (plain(), [None, named], None, Some("first")),
        (plain(), [named, named], None, None),
        // Some analysers name lots with the controls of an assay only.
        (plain(), [named, None], Some((LotRole::Reagent, "second")), None),
        (plain(), [named, None], Some((LotRole::Control, "second")), None),
        (plain(), [named, None], Some((LotRole::Reagent, "first")), Some("second")),
    ] {
        let what = format!("{register:?} {named:?} {control:?}");
        let (satisfied, why) = gate(register, named, control);
        assert_eq!(satisfied, fails.is_none(), "{what}: {why}");
        assert!(fails.is_none_or(|assay| why.contains(&unknown(assay))), "{what}: {why}");
    }
}

/// A run that goes on over midnight: each result is held against the lots that it was made with, on its own day.
#[test]
fn a_lot_that_expires_at_midnight_is_expired_for_what_was_tested_after_it() {
    let day = jiff::civil::date(2026, 3, 1);
    let late = AcceptedLot { lot: "78".into(), ..of(&[], jiff::civil::date(2026, 12, 31), None) };
    let mut with = settings("cn-2019");
    with.lots = LotRegister::new([of(&[], day, None), late]);
    let against = |results: [(&str, Option<&str>); 2]| {
        let of = |(lot, _): &(&str, _)| {
            let value = Value {
                raw: "x".into(),
                interpretation: Some(Interpretation::NonReactive),
                ..Value::default()
            };
            Observation { lots: vec![used(lot)], ..observation(Marker::HbvDna, "mpx", value) }
        };
        let rows = (10..).zip(results.iter().map(of)).map(|(hour, row)| at(hour, row));
        let mut known = facts(rows.collect());
        for (fact, (_, tested)) in known.observations.iter_mut().zip(results) {
            fact.tested_at = tested.map(|tested| tested.parse().unwrap());
        }
        let evidence = workflow::evidence(&known, &with);
        let verdict = release::decide(&evidence, &with.pack);
        let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Lots).unwrap();
        let why = gate.why.contains("expired on 2026-03-01");
        (why, gate.why.contains("tested is not known"), evidence.runs[0].also_on.clone())
    };
    let (before, after) = (Some("2026-03-01T23:30:00Z"), Some("2026-03-02T00:30:00Z"));
    let next = vec![jiff::civil::date(2026, 3, 2)];
    assert_eq!(against([("77", before), ("77", before)]), (false, false, vec![]), "its last day");
    assert_eq!(against([("77", before), ("77", after)]), (true, false, next.clone()));
    assert_eq!(
        against([("77", after), ("77", before)]),
        (true, false, next.clone()),
        "in whichever order they come"
    );
    assert_eq!(against([("77", before), ("78", after)]), (false, false, next), "another lot after midnight");
    assert_eq!(against([("77", before), ("78", None)]), (false, true, vec![]), "one does not say when");
    assert_eq!(against([("77", None), ("78", before)]), (false, true, vec![]));
}

/// A run, the lots and the analyser of one result.
type Made<'m> = (&'m str, &'m [&'m str], &'m str);

/// R-SER-02 is about the result, not about its run: a lot or an analyser is changed within a run, and beside other assays.
#[test]
fn duplicates_on_another_lot_or_analyser_than_the_first_test_wait_for_a_word() {
    use release::{Flag, SeroState};
    let settings = settings("cn-2019");
    let made = |hour, marker, assay: &str, value: &str, (run, lots, on): Made<'_>| {
        let mut o = observation(marker, assay, ratio(value));
        o.lots = lots.iter().map(|lot| used(lot)).collect();
        o.run = vocabulary::RunId::new(run).ok();
        o.instrument = (!on.is_empty()).then(|| on.to_owned());
        at(hour, o)
    };
    let check = |first: Made<'_>, again: Made<'_>, controls: &[&str], state: SeroState| {
        let beside = |hour, run| made(hour, Marker::Syphilis, "tp", "0.1", (run, &["TP1"], "i1"));
        let hbsag = |hour, value, how| made(hour, Marker::HBsAg, "first", value, how);
        let mut known = facts(vec![
            hbsag(9, "1.8", first),
            beside(9, first.0),
            hbsag(10, "0.2", again),
            hbsag(11, "0.2", again),
            beside(11, again.0),
        ]);
        let mut run = known.runs.values().next().unwrap().clone();
        let of_first = |lot: &&str| workflow::AssayLot { lot: used(lot), assay: "first".to_owned() };
        run.lots = controls.iter().map(of_first).collect();
        for name in ["R1", "R2"] {
            known.runs.insert(vocabulary::RunId::new(name).unwrap(), run.clone());
        }
        let mut settings = settings.clone();
        settings.lots = LotRegister::default();
        let verdict = release::decide(&workflow::evidence(&known, &settings), &settings.pack);
        let found = verdict.serology().iter().find(|one| one.reagent == "first").unwrap();
        assert_eq!(found.state, state, "{first:?} {again:?} {controls:?}: {:?}", found.flags);
        assert_eq!(found.flags.contains(&Flag::OtherLot), state == SeroState::Pending);
    };
    let (good, waits) = (SeroState::FinalNonReactive, SeroState::Pending);
    check(("R1", &["LA"], "i1"), ("R1", &["LA"], "i1"), &[], good);
    check(("R1", &["LA"], "i1"), ("R2", &["LA"], "i1"), &["LB"], good);
    check(("R1", &["LA"], "i1"), ("R2", &["LB"], "i1"), &[], waits);
    check(("R1", &["LA"], "i1"), ("R1", &["LB"], "i1"), &[], waits);
    check(("R1", &["LA"], "i1"), ("R1", &["LA"], "i2"), &[], waits);
    check(("R1", &["LA"], ""), ("R1", &["LA"], ""), &[], good);
    check(("R1", &["LA"], "i1"), ("R1", &["LA"], ""), &[], waits);
    // What the controls of the assay were made with, where the results say nothing, and that is clear.
    check(("R1", &[], "i1"), ("R1", &[], "i1"), &["LA"], good);
    check(("R1", &["LA"], "i1"), ("R1", &[], "i1"), &["LA"], good);
    check(("R1", &["LA"], "i1"), ("R1", &[], "i1"), &["LB"], waits);
    check(("R1", &[], "i1"), ("R1", &[], "i1"), &["LA", "LB"], waits);
    check(("R1", &[], "i1"), ("R1", &[], "i1"), &[], waits);
}
