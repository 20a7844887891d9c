//! Tests that tell one target from the others after a reactive multiplex test (rules.md §1.4): alone they screen nothing.

use crate::evidence::{at, facts, observation, settings};
use Interpretation::{Invalid, NonReactive, Reactive};
use release::NatState;
use vocabulary::{Interpretation, Marker, Observation, Value, Virus};

fn said(hour: u8, marker: Marker, assay: &str, interpretation: Interpretation) -> Observation {
    let value = Value { raw: "x".into(), interpretation: Some(interpretation), ..Value::default() };
    at(hour, observation(marker, assay, value))
}

fn multiplex(hour: u8, interpretation: Interpretation) -> Observation {
    said(hour, Marker::Nat, "Procleix Ultrio Elite", interpretation)
}

/// dHBV, dHCV and dHIV.
fn discriminating(hour: u8, found: [Interpretation; 3]) -> Vec<Observation> {
    let tests = [
        (Marker::HbvDna, "Procleix dHBV"),
        (Marker::HcvRna, "Procleix dHCV"),
        (Marker::HivRna, "Procleix dHIV"),
    ];
    tests
        .into_iter()
        .zip(found)
        .map(|((marker, assay), found)| Observation {
            discriminates: true,
            ..said(hour, marker, assay, found)
        })
        .collect()
}

#[test]
fn what_discriminatory_tests_do_not_find_is_no_negative_screen() {
    use NatState::{Invalid as Unread, NonReactive as Clear, NotDiscriminated, NotTested, Reactive as Found};
    let settings = settings("cn-2019");
    let none = discriminating(11, [NonReactive; 3]);
    let check = |first: Option<Interpretation>, then: &[Observation], hbv: NatState, others: NatState| {
        let all = first.map(|found| multiplex(9, found)).into_iter().chain(then.iter().cloned());
        let known = facts(all.collect());
        let verdict = release::decide(&workflow::evidence(&known, &settings), &settings.pack);
        let of = |virus| verdict.nat().iter().find(|one| one.target == virus).unwrap().state;
        let found = [Virus::Hbv, Virus::Hcv, Virus::Hiv].map(of);
        assert_eq!(found, [hbv, others, others], "{first:?} {:?}", verdict.nat());
    };
    check(None, &none, NotTested, NotTested);
    check(Some(Invalid), &none, Unread, Unread);
    check(Some(NonReactive), &none, Clear, Clear);
    check(Some(Reactive), &none, NotDiscriminated, NotDiscriminated);
    let hbv = discriminating(11, [Reactive, NonReactive, NonReactive]);
    check(None, &hbv, Found, NotTested);
    check(Some(Reactive), &hbv, Found, Clear);
}
