//! Law 2 over everything that evidence may hold: whole donations that may go, made worse in every single way and in every
//! two ways. What does not pass after one never passes after another beside it.

#[cfg(test)]
mod worsened {
    use release::evidence::*;
    use release::{Evidence, RulePack, Unit, Verdict, decide, read_case};

    /// A way to make one piece of evidence worse. Where the piece is not there, nothing happens.
    type Way = (&'static str, fn(&mut Evidence));

    /// Everything good: tested in a pool that was non-reactive.
    const POOLED: &str = r#"{"kind":"pool","pool":"P","members":["M1","M2","M3"],"pool_size":3,"pooling_log":"complete",
        "result":"non_reactive","internal_control":"valid","run":"N1","stored_hours":"20","store_within_hours":"72","pipetting":[
        {"donation":"M1","barcode_read":true,"volume_ok":true},{"donation":"M2","barcode_read":true,"volume_ok":true},
        {"donation":"M3","barcode_read":true,"volume_ok":true}]}"#;

    /// Everything good: the pool was reactive, this donation alone is not, and another member is.
    fn resolved() -> String {
        let alone = r#"{"kind":"individual","result":"non_reactive","internal_control":"valid","run":"N1"}"#;
        format!("{},{alone}", POOLED.replace("non_reactive", "reactive"))
    }

    fn whole(nat: &str) -> Evidence {
        let series = ["HBsAg", "anti-HCV", "HIV", "syphilis"].iter().flat_map(|marker| {
            ["A", "B"].map(|reagent| format!(
                r#"{{"marker":"{marker}","reagent":"{reagent}","results":[{{"kind":"initial","od":"0.020","cutoff":"0.105","run":"E1"}}]}}"#
            ))
        });
        let series = series.collect::<Vec<_>>().join(",");
        let runs = ["E1", "N1", "C1", "G1"].map(|id| {
            format!(
                r#"{{"id":"{id}","validity":"valid","qc":"in_control","tested_at":"2026-03-01T15:00:00+08:00",
                 "lots":[{{"lot":"L-{id}","expires":"2026-12-31","accepted":true}}]}}"#
            )
        });
        let runs = runs.join(",");
        let reentry_test = |id: &str, kind: &str, reagent: &str| {
            format!(
                r#"{{"id":"{id}","kind":"{kind}",{reagent}"result":"non_reactive","collected_on":"2025-12-01"}}"#
            )
        };
        let tests = [
            reentry_test("1", "serology", r#""reagent":"A","#),
            reentry_test("2", "serology", r#""reagent":"B","#),
            reentry_test("3", "nat", ""),
            reentry_test("4", "confirmatory", ""),
        ];
        let tests = tests.join(",");
        let case = format!(
            r#"{{"donation":"M1","collected_at":"2026-03-01T09:00:00+08:00",
            "donor":{{"id":"D","first_time":false,"deferred":false,"history":{{"abo":"A","rhd":"positive"}},"field_abo":"A",
                "register":{{"state":"eligible"}},
                "earlier":[{{"donation":"O1","collected_at":"2024-12-20T09:00:00+08:00","results":[{{"marker":"HIV","result":"confirmed_negative"}},
                    {{"marker":"HCV","result":"non_reactive"}}]}}],
                "reentry":{{"marker":"HIV","deferred_on":"2025-01-01","nat_then":"non_reactive","tests":[{tests}],
                    "approved":{{"by":"u9","reason":"all negative"}},"approved_on":["1","2","3","4"]}}}},
            "serology":[{series}],"nat":[{nat}],
            "pool_members":[{{"donation":"M2","result":"reactive"}},{{"donation":"M3","result":"non_reactive"}}],
            "alt":[{{"u_per_l":"23","run":"C1"}}],
            "grouping":[{{"anti_a":"4+","anti_b":"0","a1_cells":"0","b_cells":"4+","control":"0","run":"G1"}},
                {{"anti_a":"4+","anti_b":"0","a1_cells":"0","b_cells":"4+","control":"0","anti_d":"4+","sample":"segment","run":"G1"}}],
            "runs":[{runs}],"neighbours":[{{"donation":"M2","settled":true}}],
            "signatures":[{{"meaning":"reviewed","by":"u1"}},{{"meaning":"released","by":"u2"}}]}}"#
        );
        read_case(&case).unwrap()
    }

    fn each_pool(e: &mut Evidence, change: impl Fn(&mut NatResult)) {
        e.nat.iter_mut().filter(|r| r.kind == NatKind::Pool).for_each(change);
    }

    fn line(e: &mut Evidence, change: impl Fn(&mut Pipetted)) {
        each_pool(e, |pool| pool.pipetting.iter_mut().skip(1).take(1).for_each(&change));
    }

    fn donor(e: &mut Evidence, change: impl Fn(&mut Donor)) {
        e.donor.iter_mut().for_each(change);
    }

    fn reentry(e: &mut Evidence, change: impl Fn(&mut Reentry)) {
        donor(e, |donor| donor.reentry.iter_mut().for_each(&change));
    }

    /// What the examination for re-entry was made for.
    fn examined(e: &mut Evidence, change: impl Fn(&mut EarlierDonation, &mut EarlierResult)) {
        donor(e, |donor| {
            for one in &mut donor.earlier {
                let mut result = one.results[0].clone();
                change(one, &mut result);
                one.results[0] = result;
            }
        });
    }

    fn registered(e: &mut Evidence, state: RegisterState) {
        donor(e, |donor| donor.register = Some(Register { state, reason: None, until: None, since: None }));
    }

    fn earlier(e: &mut Evidence, result: EarlierCall) {
        donor(e, |donor| donor.earlier.iter_mut().for_each(|one| one.results[1].result = result));
    }

    fn run(e: &mut Evidence, change: impl Fn(&mut Run)) {
        e.runs.iter_mut().take(1).for_each(change);
    }

    fn lot(e: &mut Evidence, change: impl Fn(&mut Lot)) {
        run(e, |run| run.lots.iter_mut().for_each(&change));
    }

    fn well(e: &mut Evidence, change: impl Fn(&mut SerologyResult)) {
        e.serology.iter_mut().take(1).flat_map(|series| &mut series.results).for_each(change);
    }

    fn group(e: &mut Evidence, change: impl Fn(&mut Grouping)) {
        e.grouping.iter_mut().for_each(change);
    }

    fn part(of: Grouping) -> Grouping {
        Grouping { run: "G1".parse().ok(), ..of }
    }

    fn grade(text: &str) -> Option<vocabulary::Grade> {
        text.parse().ok()
    }

    /// What pools are made of. Everything here makes either donation wait.
    const POOLS: &[Way] = &[
        ("a donation that is not in its pool", |e| {
            each_pool(e, |p| p.members.retain(|m| m.as_str() != "M1"));
        }),
        ("a pool of more than its log lists", |e| each_pool(e, |p| p.pool_size = Some(4))),
        ("a member that was not pipetted", |e| each_pool(e, |p| drop(p.pipetting.pop()))),
        ("a barcode that was not read", |e| line(e, |l| l.barcode_read = false)),
        ("a volume that was not checked", |e| line(e, |l| l.volume_ok = false)),
        ("a clot", |e| line(e, |l| l.error = Some("clot".into()))),
        ("a place changed afterwards", |e| line(e, |l| l.changed_afterwards = true)),
        ("another tube in the pipetting log", |e| line(e, |l| l.donation = "M9".parse().unwrap())),
        ("a pool that is invalid", |e| each_pool(e, |p| p.result = Some(Call::Invalid))),
        ("a pool that is not in", |e| each_pool(e, |p| p.result = None)),
        ("a pool of a run that is not known", |e| each_pool(e, |p| p.run = Some("X".parse().unwrap()))),
        ("a sample too old", |e| e.nat.iter_mut().for_each(|r| r.stored_hours = Some("99".parse().unwrap()))),
        ("a control that failed", |e| {
            e.nat.iter_mut().for_each(|r| r.internal_control = Some(InternalControl::Invalid));
        }),
    ];

    fn another_pool(e: &mut Evidence, result: Option<Call>, alone: Call) {
        let Some(like) = e.nat.iter().find(|r| r.kind == NatKind::Pool) else { return };
        let member = |id: &str, result| PoolMember {
            donation: id.parse().unwrap(),
            result,
            targets: vec![],
            given_up: false,
        };
        let another = NatResult {
            pool: Some("P2".into()),
            members: ["M1", "M4"].map(|id| id.parse().unwrap()).to_vec(),
            pool_size: Some(2),
            pipetting: vec![],
            pool_members: vec![member("M4", alone), member("M9", Call::Reactive)],
            result,
            ..like.clone()
        };
        e.nat.push(another);
    }

    /// The log of a reactive pool: where it is not whole, no member explains the pool.
    const LOG: &[Way] = &[
        ("a log that does not list this donation", |e| {
            each_pool(e, |p| p.members.retain(|m| m.as_str() != "M1"));
        }),
        ("a reactive donation that is no member", |e| {
            each_pool(e, |p| {
                p.members.retain(|m| m.as_str() != "M2");
                (p.pool_size, p.pipetting) = (None, vec![]);
            });
        }),
        ("a log of fewer than were pooled", |e| each_pool(e, |p| p.pool_size = Some(4))),
        ("a log that is not complete", |e| {
            each_pool(e, |p| p.pooling_log = Some(PoolingLog::Incomplete));
        }),
        ("a barcode of a reactive pool that was not read", |e| line(e, |l| l.barcode_read = false)),
        ("a stranger in the log of a reactive pool", |e| line(e, |l| l.donation = "M9".parse().unwrap())),
    ];

    /// More pools than the one: whatever another member of that one explains, it does not explain these.
    const MORE_POOLS: &[Way] = &[
        ("a second pool that is reactive", |e| another_pool(e, Some(Call::Reactive), Call::NonReactive)),
        ("a second pool that waits for a member", |e| {
            another_pool(e, Some(Call::Reactive), Call::Pending);
        }),
        ("a second pool that is not in", |e| another_pool(e, None, Call::Pending)),
        ("a second pool, told before the others", |e| {
            another_pool(e, Some(Call::Reactive), Call::NonReactive);
            e.nat.reverse();
        }),
    ];

    /// What counts where the pool was reactive.
    const MEMBERS: &[Way] = &[
        ("a member that is not in", |e| e.pool_members[0].result = Call::Pending),
        ("a member that is invalid", |e| e.pool_members[0].result = Call::Invalid),
        ("a member that is invalid for good", |e| {
            (e.pool_members[0].result, e.pool_members[0].given_up) = (Call::Invalid, true);
        }),
        ("a member nothing is known of", |e| e.pool_members.retain(|m| m.donation.as_str() != "M2")),
        ("the test alone reactive", |e| e.nat.iter_mut().for_each(|r| r.result = Some(Call::Reactive))),
        ("the test alone missing", |e| e.nat.retain(|r| r.kind == NatKind::Pool)),
    ];

    const DONOR: &[Way] = &[
        ("no donor", |e| e.donor = None),
        ("a donor who stands deferred", |e| donor(e, |d| d.deferred = Some(true))),
        ("a donor of whom that is not known", |e| donor(e, |d| d.deferred = None)),
        ("a donor who is barred", |e| donor(e, |d| d.barred = Some("anti-HIV 2024".into()))),
        ("post-donation information", |e| donor(e, |d| d.post_donation = Some("fever".into()))),
        ("a donor deferred for a time", |e| registered(e, RegisterState::TempDeferred)),
        ("a donor deferred for good", |e| registered(e, RegisterState::PermDeferred)),
        ("a donor examined for re-entry", |e| registered(e, RegisterState::ReentryTesting)),
        ("an earlier reactive result", |e| earlier(e, EarlierCall::Reactive)),
        ("an earlier indeterminate result", |e| earlier(e, EarlierCall::Indeterminate)),
        ("an earlier result not confirmed", |e| earlier(e, EarlierCall::ConfirmedNegative)),
        ("an earlier confirmed result", |e| earlier(e, EarlierCall::ConfirmedPositive)),
        ("what was examined was confirmed after all", |e| {
            examined(e, |_, result| result.result = EarlierCall::ConfirmedPositive);
        }),
        ("what was examined is beyond re-entry", |e| examined(e, |_, result| result.beyond_reentry = true)),
        ("what was examined came after the examination", |e| {
            examined(e, |one, _| one.collected_at = "2025-12-01T09:00:00+08:00".parse().ok());
        }),
        ("what was examined, nobody knows when", |e| examined(e, |one, _| one.collected_at = None)),
        ("re-entry tested after the donation was given", |e| {
            reentry(e, |r| r.tests[0].collected_on = "2026-03-01".parse().unwrap());
        }),
        ("a later donation in which an infection was found", |e| {
            donor(e, |d| {
                d.later.push(LaterFinding { donation: "L1".parse().unwrap(), marker: "HIV".into() });
            });
        }),
        ("another group before", |e| {
            donor(e, |d| d.history = serde_json::from_str(r#"{"abo":"B","rhd":"positive"}"#).unwrap());
        }),
        ("a tube beside a suspect that was not grouped", |e| e.grouping.retain(|one| one.sample.is_some())),
        ("another group in an earlier donation", |e| {
            let group = EarlierGroup { abo: Some(vocabulary::AboGroup::B), ..EarlierGroup::default() };
            donor(e, |d| d.earlier.iter_mut().for_each(|one| one.group = Some(group)));
        }),
        ("a donor who gives for the first time", |e| donor(e, |d| d.first_time = Some(true))),
        ("re-entry not approved", |e| reentry(e, |r| r.approved = None)),
        ("re-entry approved by nobody", |e| reentry(e, |r| r.approved.iter_mut().for_each(|a| a.by.clear()))),
        ("re-entry approved on some tests", |e| reentry(e, |r| drop(r.approved_on.pop()))),
        ("re-entry without a test", |e| reentry(e, |r| drop(r.tests.pop()))),
        ("re-entry with a reactive test", |e| reentry(e, |r| r.tests[0].result = Call::Reactive)),
        ("a test of an examination of before that found it", |e| {
            donor(e, |d| {
                let mut case = d.reentry.clone().unwrap();
                case.tests.iter_mut().for_each(|test| test.result = Call::Reactive);
                d.came_back.push(case);
            });
        }),
        ("re-entry with a test not in", |e| reentry(e, |r| r.tests[2].result = Call::Pending)),
        ("re-entry too early", |e| reentry(e, |r| r.tests[0].collected_on = "2025-01-02".parse().unwrap())),
        ("re-entry with NAT reactive then", |e| reentry(e, |r| r.nat_then = Call::Reactive)),
        ("re-entry for another marker", |e| reentry(e, |r| r.marker = "HCV".into())),
    ];

    const SURROUNDINGS: &[Way] = &[
        ("a neighbour in doubt", |e| e.neighbours.iter_mut().for_each(|n| n.settled = false)),
        ("another neighbour in doubt", |e| {
            e.neighbours.push(Neighbour { donation: "M7".parse().unwrap(), settled: false });
        }),
        ("a neighbour settled, this one from the tube", |e| group(e, |g| g.sample = None)),
        ("an expired lot", |e| lot(e, |l| l.expires = Some("2026-02-28".parse().unwrap()))),
        ("a lot of unknown expiry", |e| lot(e, |l| l.expires = None)),
        ("a lot not accepted", |e| lot(e, |l| l.accepted = Some(false))),
        ("a lot of another analyser", |e| lot(e, |l| l.not_on = Some("line-2".into()))),
        ("a lot of another assay", |e| lot(e, |l| l.not_for = Some("ALT".into()))),
        ("a lot nobody accepted yet", |e| lot(e, |l| l.accepted = None)),
        ("a lot too long on board", |e| lot(e, |l| l.on_board_exceeded = Some(true))),
        ("a lot without a number", |e| lot(e, |l| l.lot.clear())),
        ("a run without lots", |e| run(e, |r| r.lots.clear())),
        ("an assay of a run without lots", |e| run(e, |r| r.without_lots = vec!["ALT".into()])),
        ("a run of unknown time", |e| run(e, |r| r.tested_at = None)),
        ("a result of a run of unknown time", |e| run(e, |r| r.untimed = true)),
        ("a lot used after its last day", |e| {
            run(e, |r| r.lots.iter_mut().for_each(|l| l.used_on = Some("2099-01-01".parse().unwrap())));
        }),
        ("a run that waits", |e| run(e, |r| r.validity = Some(Validity::Open))),
        ("a run that fell", |e| run(e, |r| r.validity = Some(Validity::Invalid))),
        ("a run nothing is known of", |e| e.runs.retain(|r| r.id.as_str() != "E1")),
        ("a run told twice", |e| e.runs.extend_from_within(..1)),
        ("quality control out", |e| run(e, |r| r.qc = Some(Qc::OutOfControl))),
        ("quality control released by nobody", |e| run(e, |r| r.qc = Some(Qc::Released))),
        ("an analyser overdue", |e| run(e, |r| r.analyser_overdue = Some("calibration".into()))),
        ("an operator not authorised", |e| run(e, |r| r.operator_authorised = Some(false))),
        ("a gap in the messages", |e| run(e, |r| r.sequence_gap = Some("17".into()))),
        ("an interface error", |e| run(e, |r| r.interface_error = Some("x".into()))),
        ("an open finding", |e| e.findings.push(OpenFinding { finding: "x".into(), what: "y".into() })),
        ("a wrong check character", |e| {
            e.identity = Some(Identity { check_character_valid: Some(false), ..Identity::default() });
        }),
        ("a number typed in", |e| e.identity = Some(Identity { manual_entry: true, ..Identity::default() })),
        ("a component taken out", |e| {
            e.components.push(Component { id: "RBC".into(), state: ComponentState::Discarded });
        }),
        ("a component that nobody finds", |e| {
            e.components.push(Component { id: "RBC".into(), state: ComponentState::Missing });
        }),
        ("an antibody screen", |e| {
            e.antibody_screen.push(ScreenResult {
                result: Some(ScreenCall::Positive),
                validity: None,
                why: None,
                run: None,
            });
        }),
        ("a day on which nothing is in force", |e| {
            e.collected_at = Some("2001-01-01T09:00:00+08:00".parse().unwrap());
        }),
    ];

    const RESULTS: &[Way] = &[
        ("a reactive reagent", |e| well(e, |w| w.od = Some("0.300".parse().unwrap()))),
        ("a well that waits", |e| well(e, |w| w.validity = Some(Validity::Open))),
        ("a well that failed", |e| well(e, |w| w.validity = Some(Validity::Invalid))),
        ("a well without its run", |e| well(e, |w| w.run = None)),
        ("a reagent that is missing", |e| drop(e.serology.pop())),
        ("ALT above the limit", |e| e.alt.iter_mut().for_each(|a| a.u_per_l = Some("60".parse().unwrap()))),
        ("no ALT", |e| e.alt.clear()),
        ("a column that is missing", |e| group(e, |g| g.b_cells = None)),
        ("a weak column", |e| group(e, |g| g.anti_a = Some("1+".parse().unwrap()))),
        ("a control that reacts", |e| group(e, |g| g.control = Some("1+".parse().unwrap()))),
        ("no grouping", |e| e.grouping.clear()),
        ("a column alone, of another group", |e| {
            e.grouping.push(part(Grouping { anti_b: grade("4+"), ..Grouping::default() }));
        }),
        ("a tube's columns before the others, of another group", |e| {
            e.grouping.insert(0, part(Grouping { a1_cells: grade("3+"), ..Grouping::default() }));
        }),
        ("a summary of another group beside what could not be read", |e| {
            let validity = Some(Validity::Invalid);
            let reported_abo = Some(vocabulary::AboGroup::O);
            e.grouping.push(part(Grouping { reported_abo, validity, ..Grouping::default() }));
        }),
        ("an antiglobulin test that finds no D", |e| {
            let iat_d = Some(Grades(vec!["0".parse().unwrap(); 2]));
            e.grouping.push(part(Grouping { iat_d, ..Grouping::default() }));
        }),
        ("a DEL test that finds no D", |e| {
            e.grouping.push(part(Grouping { del: Some(Del::Negative), ..Grouping::default() }));
        }),
    ];

    fn after(good: &Evidence, ways: &[&Way]) -> Evidence {
        let mut worse = good.clone();
        for (_, change) in ways {
            change(&mut worse);
        }
        worse
    }

    fn check(good: &Evidence, own: &[&Way], pack: &RulePack) -> usize {
        let judge = |ways: &[&Way]| -> Verdict { decide(&after(good, ways), pack) };
        assert!(judge(&[]).is_releasable(), "{:#?}", judge(&[]).gates());
        let common = [DONOR, SURROUNDINGS, RESULTS].into_iter().flatten();
        let ways: Vec<&Way> = own.iter().copied().chain(common).collect();
        for first in &ways {
            let worse = judge(&[first]);
            assert_ne!(worse.unit(), Unit::Pass, "{} changed nothing", first.0);
            for second in &ways {
                let both = judge(&[first, second]);
                assert_ne!(both.unit(), Unit::Pass, "{}, and then {}", first.0, second.0);
                assert!(!both.is_releasable());
            }
        }
        ways.len()
    }

    #[test]
    fn law_02_a_pooled_donation_that_was_made_worse_never_passes_by_being_made_worse_again() {
        let pack =
            RulePack::from_toml("id = \"p\"\nbased_on = \"cn-2019\"\n[nat]\nmode = \"MP6\"\n").unwrap();
        let own: Vec<&Way> = POOLS.iter().chain(MORE_POOLS).collect();
        let ways = check(&whole(POOLED), &own, &pack);
        eprintln!("{ways} ways, {} pairs", ways * ways);
    }

    #[test]
    fn law_02_a_donation_of_a_resolved_pool_that_was_made_worse_never_passes_by_being_made_worse_again() {
        let pack =
            RulePack::from_toml("id = \"p\"\nbased_on = \"cn-2019\"\n[nat]\nmode = \"MP6\"\n").unwrap();
        let own: Vec<&Way> = MEMBERS.iter().chain(MORE_POOLS).chain(LOG).collect();
        let ways = check(&whole(&resolved()), &own, &pack);
        eprintln!("{ways} ways, {} pairs", ways * ways);
    }
}
