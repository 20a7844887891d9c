//! Small worlds, enumerated whole: the marker table against a second reading of its rows, through the function and
//! through evidence; the blood group over every grade; every gate closed by one single cause.

#[cfg(test)]
mod enumerated {
    use release::evidence::{
        AltResult, Batch, Call, Component, ComponentState, Evidence, Grades, Grouping, GroupingSample,
        Identity, InternalControl, NatKind, NatResult, Override, Qc, SerologyKind, SerologyResult,
        SerologySeries, Validity,
    };
    use release::marker::{self, Nat, Policy, Sero};
    use release::pack::{NdrPolicy, UnresolvedPolicy};
    use release::{GateId, GroupStatus, MarkerState, RulePack, Unit, Verdict, decide, read_case};
    use std::collections::BTreeSet;
    use vocabulary::{AboGroup, Grade, RhD, Strength, Virus};

    const SERO: [Sero; 5] = [Sero::Reactive, Sero::NonReactive, Sero::Invalid, Sero::Pending, Sero::Missing];
    const NAT: [Nat; 7] = [
        Nat::Reactive,
        Nat::NonReactive,
        Nat::NotDiscriminated,
        Nat::Unresolved,
        Nat::Invalid,
        Nat::Pending,
        Nat::Missing,
    ];

    fn combinations() -> Vec<(Sero, Option<Sero>, Nat)> {
        let mut all = Vec::new();
        for a in SERO {
            for b in SERO.map(Some).into_iter().chain([None]) {
                all.extend(NAT.map(|nat| (a, b, nat)));
            }
        }
        all
    }

    /// The rows M1 to M11 of the table, first match wins, read again from the page and written without looking at the
    /// crate: each row is a plain condition.
    fn rows(a: Sero, b: Option<Sero>, nat: Nat, policy: Policy) -> (MarkerState, Unit, bool) {
        use MarkerState as M;
        let r = |s: Sero| s == Sero::Reactive;
        let nr = |s: Sero| s == Sero::NonReactive;
        let second_reactive_or_absent = b.is_none_or(r);
        let second_negative_or_absent = b.is_none_or(nr);
        let both_r = r(a) && b.is_some_and(r);
        let one_each = b.is_some_and(|b| (r(a) && nr(b)) || (nr(a) && r(b)));
        let single_r = r(a) && b.is_none();
        let ndr = match policy.ndr {
            NdrPolicy::Discard => Unit::Discard,
            NdrPolicy::RepeatTwice => Unit::Hold,
        };
        let unresolved = match policy.unresolved {
            UnresolvedPolicy::Release => Unit::Pass,
            UnresolvedPolicy::Discard => Unit::Discard,
            UnresolvedPolicy::Hold
            | UnresolvedPolicy::HoldForAntiHbc
            | UnresolvedPolicy::RepeatResolution => Unit::Hold,
        };
        let between = nat == Nat::NotDiscriminated || nat == Nat::Unresolved;
        if r(a) && second_reactive_or_absent && nat == Nat::Reactive {
            return (M::ReactiveConcordant, Unit::Discard, false);
        }
        if both_r && nat == Nat::NonReactive {
            return (M::ReactiveSero2, Unit::Discard, true);
        }
        if one_each && nat == Nat::Reactive {
            return (M::ReactiveSero1Nat, Unit::Discard, false);
        }
        if (one_each || single_r) && nat == Nat::NonReactive {
            return (M::ReactiveSingle, Unit::Discard, true);
        }
        if both_r && between {
            return (M::ReactiveSero2, Unit::Discard, false);
        }
        if (one_each || single_r) && between {
            return (M::ReactiveSingle, Unit::Discard, false);
        }
        if nr(a) && second_negative_or_absent {
            match nat {
                Nat::Reactive => return (M::NatYield, Unit::Discard, false),
                Nat::NotDiscriminated => return (M::NatNdr, ndr, false),
                Nat::Unresolved => return (M::NatUnresolved, unresolved, false),
                Nat::NonReactive => return (M::Negative, Unit::Pass, false),
                Nat::Invalid | Nat::Pending | Nat::Missing => {}
            }
        }
        let something = r(a)
            || b.is_some_and(r)
            || nat == Nat::Reactive
            || (nat == Nat::NotDiscriminated && ndr == Unit::Discard)
            || (nat == Nat::Unresolved && unresolved == Unit::Discard);
        if something {
            (M::ReactiveIncomplete, Unit::Discard, false)
        } else {
            (M::Incomplete, Unit::Hold, false)
        }
    }

    #[test]
    fn all_210_combinations_follow_the_rows_under_every_policy() {
        assert_eq!(combinations().len(), 210);
        let unresolved = [
            UnresolvedPolicy::Release,
            UnresolvedPolicy::RepeatResolution,
            UnresolvedPolicy::HoldForAntiHbc,
            UnresolvedPolicy::Hold,
            UnresolvedPolicy::Discard,
        ];
        for ndr in [NdrPolicy::Discard, NdrPolicy::RepeatTwice] {
            for policy in unresolved.map(|unresolved| Policy { ndr, unresolved }) {
                for (a, b, nat) in combinations() {
                    let sero: Vec<Sero> = [Some(a), b].into_iter().flatten().collect();
                    let found = marker::judge_virus(&sero, nat, policy);
                    let found = (found.verdict, found.unit, found.reentry_candidate);
                    assert_eq!(found, rows(a, b, nat, policy), "{a:?} {b:?} {nat:?} {policy:?}");
                }
            }
        }
    }

    /// C15, as data.
    #[test]
    fn only_the_combinations_that_the_case_names_pass() {
        let rows: serde_json::Value =
            serde_json::from_str(include_str!("cases/c-combinations.json")).unwrap();
        let policy = Policy { ndr: NdrPolicy::Discard, unresolved: UnresolvedPolicy::Hold };
        let sero = |state: Option<Sero>| match state {
            None => "ABSENT",
            Some(Sero::Reactive) => "R",
            Some(Sero::NonReactive) => "NR",
            Some(Sero::Invalid) => "INVALID",
            Some(Sero::Pending) => "PENDING",
            Some(Sero::Missing) => "NONE",
        };
        let nat = |state: Nat| match state {
            Nat::Reactive => "R",
            Nat::NonReactive => "NR",
            Nat::NotDiscriminated => "NDR",
            Nat::Unresolved => "UNRES",
            Nat::Invalid => "INVALID",
            Nat::Pending => "PENDING",
            Nat::Missing => "NONE",
        };
        let all = combinations().into_iter().map(|(a, b, c)| {
            let reagents: Vec<Sero> = [Some(a), b].into_iter().flatten().collect();
            let passes = marker::judge_virus(&reagents, c, policy).unit == Unit::Pass;
            (passes, [sero(Some(a)), sero(b), nat(c)])
        });
        let all: Vec<_> = all.collect();
        let passing: Vec<_> = all.iter().filter(|(passes, _)| *passes).map(|(_, told)| told).collect();
        for row in rows.as_array().unwrap() {
            assert_eq!(serde_json::json!(all.len()), row["combinations"], "{}", row["id"]);
            assert_eq!(serde_json::json!(passing), row["passing"], "{} {}", row["id"], row["what"]);
        }
    }

    fn pack() -> RulePack {
        RulePack::built_in("cn-2019").unwrap()
    }

    /// A donation in perfect order.
    fn releasable() -> Evidence {
        read_case(include_str!("cases/base.json")).unwrap()
    }

    fn series(like: &SerologySeries, state: Sero) -> SerologySeries {
        let result = |kind: SerologyKind, sco: &str| SerologyResult {
            sco: Some(sco.parse().unwrap()),
            run: like.results[0].run.clone(),
            ..SerologyResult::new(kind)
        };
        let results = match state {
            Sero::Reactive => vec![
                result(SerologyKind::Initial, "4.2"),
                result(SerologyKind::Duplicate, "3.9"),
                result(SerologyKind::Duplicate, "0.1"),
            ],
            Sero::NonReactive => vec![result(SerologyKind::Initial, "0.1")],
            Sero::Invalid => {
                vec![SerologyResult {
                    validity: Some(Validity::Invalid),
                    ..result(SerologyKind::Initial, "0.1")
                }]
            }
            Sero::Pending => vec![result(SerologyKind::Initial, "4.2")],
            Sero::Missing => vec![],
        };
        SerologySeries { results, ..like.clone() }
    }

    fn nat(like: &NatResult, state: Nat, virus: Virus) -> Vec<NatResult> {
        let named = |result: Call| NatResult { result: Some(result), targets: vec![virus], ..like.clone() };
        let viruses = [Virus::Hbv, Virus::Hcv, Virus::Hiv];
        match state {
            Nat::Reactive => vec![named(Call::Reactive)],
            Nat::NonReactive => vec![like.clone()],
            Nat::NotDiscriminated => {
                let discriminatory = |target| NatResult {
                    kind: NatKind::Discriminatory,
                    target: Some(target),
                    ..like.clone()
                };
                let multiplex = NatResult { result: Some(Call::Reactive), ..like.clone() };
                [multiplex].into_iter().chain(viruses.map(discriminatory)).collect()
            }
            Nat::Unresolved => {
                let pool = NatResult {
                    kind: NatKind::Pool,
                    pool: Some("P".into()),
                    members: vec!["G123498654321".parse().unwrap()],
                    ..named(Call::Reactive)
                };
                vec![pool, like.clone()]
            }
            Nat::Invalid => {
                vec![NatResult { internal_control: Some(InternalControl::Absent), ..like.clone() }]
            }
            Nat::Pending => vec![NatResult { result: None, ..like.clone() }],
            Nat::Missing => vec![],
        }
    }

    #[test]
    fn law_03_all_210_combinations_come_out_the_same_through_evidence() {
        let (pack, base) = (pack(), releasable());
        let policy = Policy { ndr: NdrPolicy::Discard, unresolved: UnresolvedPolicy::Hold };
        for (virus, first) in [(Virus::Hbv, 0), (Virus::Hcv, 2), (Virus::Hiv, 4)] {
            let mut passing = 0;
            for (a, b, state) in combinations() {
                let mut evidence = base.clone();
                evidence.serology[first] = series(&base.serology[first], a);
                match b {
                    Some(b) => evidence.serology[first + 1] = series(&base.serology[first + 1], b),
                    None => {
                        evidence.serology.remove(first + 1);
                    }
                }
                evidence.nat = nat(&base.nat[0], state, virus);
                let verdict = decide(&evidence, &pack);
                let found = verdict.marker(virus.name()).unwrap();
                let found = (found.verdict, found.unit, found.reentry_candidate);
                assert_eq!(found, rows(a, b, state, policy), "{virus:?} {a:?} {b:?} {state:?}");
                passing += usize::from(verdict.unit() == Unit::Pass);
                assert_eq!(verdict.is_releasable(), verdict.unit() == Unit::Pass);
            }
            assert_eq!(passing, 2, "{virus:?}");
        }
    }

    const STRENGTHS: [Strength; 6] =
        [Strength::Zero, Strength::Weak, Strength::One, Strength::Two, Strength::Three, Strength::Four];

    fn grouped(grouping: Grouping, base: &Evidence, pack: &RulePack) -> Verdict {
        let mut evidence = base.clone();
        evidence.grouping = vec![grouping];
        decide(&evidence, pack)
    }

    /// Every grade in each of the four columns, and every control: final only where the page says so.
    #[test]
    fn a_group_is_final_only_where_forward_and_reverse_agree() {
        let pack = pack();
        let mut base = Evidence::new("G1".parse().unwrap());
        base.runs = releasable().runs;
        let (mut finals, mut all) = (0, 0);
        for control in STRENGTHS {
            for (a, b) in STRENGTHS.iter().flat_map(|a| STRENGTHS.map(|b| (*a, b))) {
                for (a1, bc) in STRENGTHS.iter().flat_map(|a1| STRENGTHS.map(|bc| (*a1, bc))) {
                    let grouping = Grouping {
                        anti_a: Some(Grade::plain(a)),
                        anti_b: Some(Grade::plain(b)),
                        a1_cells: Some(Grade::plain(a1)),
                        b_cells: Some(Grade::plain(bc)),
                        control: Some(Grade::plain(control)),
                        anti_d: Some(Grades(vec![Grade::plain(Strength::Four)])),
                        run: Some("G1".parse().unwrap()),
                        ..Grouping::default()
                    };
                    let forward = |s: Strength| s >= Strength::Three;
                    let reverse = |s: Strength| s >= Strength::Two;
                    let zero = |s: Strength| s == Strength::Zero;
                    let expected = if zero(control) && forward(a) && zero(b) && zero(a1) && reverse(bc) {
                        Some(AboGroup::A)
                    } else if zero(control) && zero(a) && forward(b) && reverse(a1) && zero(bc) {
                        Some(AboGroup::B)
                    } else if zero(control) && forward(a) && forward(b) && zero(a1) && zero(bc) {
                        Some(AboGroup::AB)
                    } else if zero(control) && zero(a) && zero(b) && reverse(a1) && reverse(bc) {
                        Some(AboGroup::O)
                    } else {
                        None
                    };
                    let group = grouped(grouping, &base, &pack).group().clone();
                    assert_eq!(group.abo, expected, "{control:?} {a:?} {b:?} {a1:?} {bc:?}");
                    assert_eq!(group.status == GroupStatus::Final, expected.is_some());
                    assert_eq!(group.status == GroupStatus::Invalid, !zero(control));
                    finals += usize::from(expected.is_some());
                    all += 1;
                }
            }
        }
        assert_eq!((all, finals), (7776, 6 + 6 + 4 + 9));
    }

    /// A bare `+` in any of the columns: held for that reason; where the pack takes it, exactly as 4+ would be.
    #[test]
    fn a_reaction_without_a_strength_is_positive_only_where_the_pack_says_so() {
        let affirmed = "id = \"site\"\nbased_on = \"cn-2019\"\n[group]\nbare_plus_positive = true\n";
        let (silent, affirming) = (pack(), RulePack::from_toml(affirmed).unwrap());
        let base = releasable();
        let grades = [Grade::plain(Strength::Zero), Grade::plain(Strength::Four), Grade::untold()];
        let told = |grade: Grade| if grade.bare_plus { Grade::plain(Strength::Four) } else { grade };
        let (mut held, mut same) = (0, 0);
        for (a, b, a1, bc, d) in grades.into_iter().flat_map(|a| {
            grades.into_iter().flat_map(move |b| {
                grades.into_iter().flat_map(move |a1| {
                    grades.into_iter().flat_map(move |bc| grades.map(|d| (a, b, a1, bc, d)))
                })
            })
        }) {
            let with = |read: &dyn Fn(Grade) -> Grade| Grouping {
                anti_a: Some(read(a)),
                anti_b: Some(read(b)),
                a1_cells: Some(read(a1)),
                b_cells: Some(read(bc)),
                anti_d: Some(Grades(vec![read(d)])),
                ..base.grouping[0].clone()
            };
            let held_back = grouped(with(&|grade| grade), &base, &silent);
            let taken = grouped(with(&|grade| grade), &base, &affirming);
            let strong = grouped(with(&told), &base, &affirming);
            let names = |v: &Verdict| (v.group().status, v.group().abo, v.group().rhd, v.is_releasable());
            assert_eq!(names(&taken), names(&strong), "{a} {b} {a1} {bc} {d}");
            same += 1;
            if [a, b, a1, bc, d].iter().any(|grade| grade.bare_plus) {
                assert!(held_back.group().status != GroupStatus::Final && !held_back.is_releasable());
                let why = serde_json::to_string(&held_back).unwrap();
                assert!(why.contains("nobody told how strongly"), "{a} {b} {a1} {bc} {d}: {why}");
                held += 1;
            }
        }
        assert_eq!((same, held), (243, 243 - 32));
    }

    /// Every grade of anti-D, two antiglobulin reagents, and the direct antiglobulin test.
    #[test]
    fn rhd_negative_needs_zero_everywhere_and_two_antiglobulin_reagents() {
        let (pack, base) = (pack(), releasable());
        let iats = || STRENGTHS.map(Some).into_iter().chain([None]);
        for immediate in STRENGTHS {
            for (first, second, dat) in
                iats().flat_map(|a| iats().flat_map(move |b| iats().map(move |d| (a, b, d))))
            {
                let iat: Vec<Grade> = [first, second].into_iter().flatten().map(Grade::plain).collect();
                let grouping = Grouping {
                    anti_d: Some(Grades(vec![Grade::plain(immediate)])),
                    iat_d: Some(Grades(iat.clone())),
                    dat: dat.map(Grade::plain),
                    ..base.grouping[0].clone()
                };
                let mut evidence = base.clone();
                evidence.donor.as_mut().unwrap().history = None;
                let rhd = grouped(grouping, &evidence, &pack).group().rhd;
                let dat_reacts = dat.is_some_and(|d| d != Strength::Zero);
                let expected = if immediate >= Strength::Two {
                    Some(RhD::Positive)
                } else if dat_reacts {
                    None
                } else if iat.iter().any(|g| !g.is_zero()) {
                    Some(RhD::Positive)
                } else if immediate == Strength::Zero && iat.len() == 2 {
                    Some(RhD::Negative)
                } else {
                    None
                };
                assert_eq!(rhd, expected, "{immediate:?} {first:?} {second:?} {dat:?}");
            }
        }
    }

    /// Every grade of every column alone, plain and in a mixed field, of tube or bag, valid or not, before or after a whole A:
    /// held where it cannot be of A, where it is mixed, and, of a valid one, where it reacts at all and A has nothing.
    #[test]
    fn one_column_that_is_not_as_the_group_asks_holds_and_no_other_does() {
        // How it is put; whether A reacts in it; and from which grade on it clearly does.
        type Column = (&'static str, fn(&mut Grouping, Grade), bool, Strength);
        let (two, three) = (Strength::Two, Strength::Three);
        let columns: [Column; 8] = [
            ("anti-A", |g, s| g.anti_a = Some(s), true, three),
            ("anti-B", |g, s| g.anti_b = Some(s), false, three),
            ("anti-A,B", |g, s| g.anti_ab = Some(s), true, three),
            ("A1 cells", |g, s| g.a1_cells = Some(s), false, two),
            ("A2 cells", |g, s| g.a2_cells = Some(s), false, two),
            ("B cells", |g, s| g.b_cells = Some(s), true, two),
            ("O cells", |g, s| g.o_cells = Some(s), false, two),
            ("auto control", |g, s| g.auto = Some(s), false, two),
        ];
        let (pack, base) = (pack(), releasable());
        let plain = STRENGTHS.map(Grade::plain).into_iter();
        let mixed = plain.clone().skip(1).map(|grade| Grade { mixed_field: true, ..grade });
        let grades: Vec<Grade> = plain.chain(mixed).collect();
        let mut held = 0;
        for (name, put, a_reacts, clear) in columns {
            for (grade, sample, validity, first) in every_way(&grades) {
                let run = base.grouping[0].run.clone();
                let mut one = Grouping { sample, validity, run, ..Grouping::default() };
                put(&mut one, grade);
                let mut evidence = base.clone();
                evidence.grouping.insert(usize::from(!first), one);
                let verdict = decide(&evidence, &pack);
                let from = if validity.is_none() { Strength::Weak } else { clear };
                let wrong = if a_reacts { grade.is_zero() } else { grade.strength >= Some(from) };
                let group = verdict.gates().iter().find(|gate| gate.id == GateId::Group).unwrap();
                assert_eq!(
                    group.pass,
                    !wrong && !grade.mixed_field,
                    "{name} {grade} {sample:?} {validity:?}"
                );
                assert_eq!(verdict.is_releasable(), group.pass);
                let said = format!("says {name} {grade}");
                assert!(group.pass || group.why.contains(&said), "{} lacks {said}", group.why);
                held += usize::from(!group.pass);
            }
        }
        // Valid: three columns by 0, five by any of five grades. Not valid: by 0, by two grades, four times by three. And five
        // mixed ones of each column.
        assert_eq!(held, 4 * (3 + 5 * 5) + 4 * (3 + 2 + 4 * 3) + 8 * 8 * 5);
    }

    /// Each grade of a tube or a bag, valid or not, first or last.
    fn every_way(
        grades: &[Grade],
    ) -> impl Iterator<Item = (Grade, Option<GroupingSample>, Option<Validity>, bool)> {
        let of = |grade: &Grade| {
            let grade = *grade;
            let samples = [None, Some(GroupingSample::Segment)].into_iter();
            samples.flat_map(move |sample| {
                let validities = [None, Some(Validity::Invalid)].into_iter();
                validities.flat_map(move |valid| [false, true].map(|first| (grade, sample, valid, first)))
            })
        };
        grades.iter().flat_map(of)
    }

    /// Anti-D at once, with and without its own antiglobulin test, beside one that came apart from it, and a direct one.
    #[test]
    fn an_antiglobulin_test_apart_from_the_grouping_counts_as_one_of_its_own() {
        let (pack, mut base) = (pack(), releasable());
        base.donor.as_mut().unwrap().history = None;
        let weak = [Strength::Zero, Strength::One, Strength::Four];
        let mut tests: Vec<Vec<Strength>> = vec![vec![]];
        tests.extend(weak.map(|one| vec![one]));
        tests.extend(weak.iter().flat_map(|one| weak.map(|other| vec![*one, other])));
        let grades = |all: &[Strength]| {
            (!all.is_empty()).then(|| Grades(all.iter().map(|s| Grade::plain(*s)).collect()))
        };
        let reacts = |all: &[Strength]| all.iter().any(|s| *s != Strength::Zero);
        let finds_nothing = |all: &[Strength]| all.len() == 2 && !reacts(all);
        let pairs: Vec<_> =
            tests.iter().flat_map(|own| tests.iter().map(move |apart| (own, apart))).collect();
        for (immediate, (own, apart)) in
            STRENGTHS.iter().flat_map(|s| pairs.iter().map(move |pair| (*s, *pair)))
        {
            for (dat, same) in [(false, true), (true, true), (false, false)] {
                let mut evidence = base.clone();
                evidence.grouping[0].anti_d = grades(&[immediate]);
                evidence.grouping[0].iat_d = grades(own);
                let beside = Grouping {
                    iat_d: grades(apart),
                    dat: Some(Grade::plain(if dat { Strength::Two } else { Strength::Zero })),
                    sample: (!same).then_some(GroupingSample::Segment),
                    run: evidence.grouping[0].run.clone(),
                    ..Grouping::default()
                };
                evidence.grouping.push(beside);
                let group = decide(&evidence, &pack).group().clone();
                let closes: &[Strength] = if same { apart } else { &[] };
                let (positive, negative) =
                    (reacts(own) || reacts(closes), finds_nothing(own) || finds_nothing(closes));
                let found = if immediate >= Strength::Two {
                    // The other finds no D at all.
                    Some(RhD::Positive).filter(|_| apart.is_empty() || reacts(apart))
                } else if dat || positive && negative {
                    None
                } else if positive {
                    Some(RhD::Positive).filter(|_| same || !finds_nothing(apart))
                } else if negative && immediate == Strength::Zero {
                    Some(RhD::Negative).filter(|_| same || !reacts(apart))
                } else {
                    None
                };
                assert_eq!(group.rhd, found, "{immediate:?} {own:?}; {apart:?}, {dat} {same}");
            }
        }
    }

    /// One cause for each gate. The gate closes, and no other than those that hang on the same cause.
    #[test]
    fn every_gate_can_close_alone_and_then_nothing_is_released() {
        type Cause = fn(&mut Evidence);
        let causes: [(GateId, Cause, &[GateId]); 15] = [
            (GateId::TestsFinal, |e| e.collected_at = None, &[]),
            (
                GateId::MarkersPass,
                |e| e.serology[0].results = series(&e.serology[0], Sero::Reactive).results,
                &[],
            ),
            (GateId::Group, |e| e.donor.as_mut().unwrap().field_abo = Some(AboGroup::B), &[]),
            (GateId::RunsValid, |e| e.runs[0].validity = None, &[]),
            (GateId::QualityControl, |e| e.runs[0].qc = Some(Qc::Open), &[]),
            (GateId::Lots, |e| e.runs[0].lots[0].accepted = Some(false), &[]),
            (GateId::Analyser, |e| e.runs[0].analyser_overdue = Some("calibration".into()), &[]),
            (GateId::Operator, |e| e.runs[0].operator_authorised = Some(false), &[]),
            (
                GateId::Identity,
                |e| e.identity = Some(Identity { manual_entry: true, ..Identity::default() }),
                &[],
            ),
            (GateId::TwoPersons, |e| e.signatures[0].by = e.signatures[1].by.clone(), &[]),
            (GateId::Donor, |e| e.donor.as_mut().unwrap().deferred = Some(true), &[]),
            (
                GateId::Components,
                |e| e.components = vec![Component { id: "FFP".into(), state: ComponentState::Held }],
                &[],
            ),
            (GateId::Batch, |e| e.batch = Some(Batch { failing: 1, located: 0 }), &[]),
            (GateId::ReleaseAct, |e| e.signatures[1].authorised = Some(false), &[]),
            (GateId::Interfaces, |e| e.runs[0].sequence_gap = Some("17".into()), &[]),
        ];
        let pack = pack();
        let all: BTreeSet<GateId> = causes.iter().map(|(gate, _, _)| *gate).collect();
        assert_eq!(all.len(), GateId::ALL.len());
        for (gate, cause, others) in causes {
            let mut evidence = releasable();
            cause(&mut evidence);
            let verdict = decide(&evidence, &pack);
            let closed: Vec<GateId> = verdict.gates().iter().filter(|g| !g.pass).map(|g| g.id).collect();
            let expected: BTreeSet<GateId> = [gate].into_iter().chain(others.iter().copied()).collect();
            assert_eq!(closed, expected.into_iter().collect::<Vec<_>>());
            assert!(!verdict.is_releasable(), "{gate}");
            assert_eq!(verdict.unit() == Unit::Pass, gate.needs_person(), "{gate}");
            assert!(verdict.gates().iter().all(|g| !g.why.is_empty() && !g.why_zh.is_empty()));
            assert_eq!(verdict.next().len(), verdict.next_zh().len());
        }
    }

    /// Evidence built in the program may hold what a file may not: two records of one run. Neither is believed.
    #[test]
    fn two_records_of_one_run_prove_nothing() {
        let mut evidence = releasable();
        evidence.runs.push(evidence.runs[0].clone());
        let verdict = decide(&evidence, &pack());
        assert_eq!(verdict.unit(), Unit::Hold);
        let closed: Vec<&str> = verdict.gates().iter().filter(|g| !g.pass).map(|g| g.id.name()).collect();
        assert_eq!(closed, ["R-GATE-04", "R-GATE-05", "R-GATE-06"]);
    }

    /// R-GATE-14: no override of gates 01 to 04, 10, 11 and 14 changes anything.
    #[test]
    fn the_gates_that_protect_the_patient_cannot_be_set_aside() {
        let pack = pack();
        let mut evidence = releasable();
        evidence.alt = vec![AltResult { u_per_l: None, validity: None, why: None, run: None }];
        evidence.runs[0].validity = Some(Validity::Invalid);
        evidence.donor = None;
        evidence.signatures[0].by = evidence.signatures[1].by.clone();
        let before = decide(&evidence, &pack);
        evidence.overrides = GateId::ALL
            .map(|gate| Override { gate: gate.name().into(), by: "admin".into(), reason: "urgent".into() })
            .to_vec();
        let after = decide(&evidence, &pack);
        assert_eq!((before.unit(), after.unit()), (Unit::Hold, Unit::Hold));
        for gate in after.gates() {
            let never =
                ["R-GATE-01", "R-GATE-02", "R-GATE-03", "R-GATE-04", "R-GATE-10", "R-GATE-11", "R-GATE-14"];
            assert!(!(never.contains(&gate.id.name()) && gate.overridden.is_some()), "{}", gate.id);
            assert_eq!(gate.id.is_never_set_aside(), never.contains(&gate.id.name()), "{}", gate.id);
        }
        assert!(!after.is_releasable());
    }
}
