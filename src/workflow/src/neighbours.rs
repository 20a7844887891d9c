//! Donations beside one whose tube may be another donor's (rules.md §1.6, G4): they wait until it is settled whose it is.

use ledger::{ReadError, Reader, SESSION_MS, What, WrongTube};
use release::{Flag, GroupStatus, Verdict};
use vocabulary::{DonationId, DonationRegistration};

/// Whether its tube is shown to be its own: its group is final, or only the donor's history differs from what tube and bag
/// segment both say.
fn is_own(verdict: &Verdict) -> bool {
    let group = verdict.group();
    group.status == GroupStatus::Final || group.flags.contains(&Flag::SegmentAgrees)
}

/// The group is another than the register, the field or the bag has, and nobody has settled it.
fn is_suspected(verdict: &Verdict) -> bool {
    let group = verdict.group();
    let differs = |flag: &Flag| matches!(flag, Flag::HistoryMismatch | Flag::FieldMismatch | Flag::WrongTube);
    !is_own(verdict) && group.flags.iter().any(differs)
}

fn taken_beside(
    reader: &Reader,
    registration: &DonationRegistration,
    each_side: usize,
) -> Result<Vec<DonationId>, ReadError> {
    let at_ms = registration.collected_at.as_millisecond();
    let session = registration.session.as_deref();
    reader.taken_beside(&registration.donation, (at_ms, SESSION_MS), (session, each_side))
}

/// What has to be written beside a verdict, so that those beside the donation are decided anew: all of them when the tube is
/// first suspected, is suspected again, or is found to be its own; else those that came since.
pub(crate) fn beside(
    reader: &Reader,
    (registration, each_side): (Option<&DonationRegistration>, usize),
    verdict: &Verdict,
) -> Result<Option<What>, ReadError> {
    let donation = verdict.donation();
    let now = registration.map_or_else(|| Ok(Vec::new()), |known| taken_beside(reader, known, each_side))?;
    let entry = |neighbours, stands| {
        Some(What::WrongTubeSuspected { donation: donation.clone(), neighbours, stands })
    };
    let came = |known: &WrongTube, stands| {
        let came: Vec<DonationId> =
            now.iter().filter(|one| !known.neighbours.contains(one)).cloned().collect();
        if came.is_empty() { None } else { entry(came, stands) }
    };
    let all = |known: &WrongTube, stands| {
        let came = now.iter().filter(|one| !known.neighbours.contains(one));
        entry(known.neighbours.iter().chain(came).cloned().collect(), stands)
    };
    Ok(match (reader.wrong_tube(donation)?, is_suspected(verdict)) {
        // Nobody may be beside it yet: whoever comes later waits all the same.
        (None, true) if registration.is_some() => entry(now, true),
        (Some(known), true) if !known.stands => all(&known, true),
        (Some(known), false) if known.stands && is_own(verdict) => all(&known, false),
        (Some(known), _) => came(&known, known.stands),
        // Its segment came with its tube: those beside it are grouped from their segments all the same.
        (None, false) if verdict.group().flags.contains(&Flag::SegmentAgrees) => {
            came(&WrongTube::default(), false)
        }
        (None, _) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, facts_of};
    use ledger::{Draft, Ledger, Page, Seq, StateStore, SuspectedBeside, VerdictMade};
    use release::{RulePack, decide, explain, read_case};
    use serde_json::{Value, json};
    use vocabulary::DonorRegistration;

    const RELEASABLE: &str = include_str!("../../release/tests/cases/base.json");

    struct Station {
        settings: Settings,
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    impl Station {
        /// Four donations: three within an hour, and one on the next day.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let of_ledger = ledger::Settings {
                state: StateStore::Memory,
                free_bytes_min: 0,
                ballast_bytes: 0,
                ..ledger::Settings::new(folder.path())
            };
            let (ledger, _) = Ledger::open(of_ledger, &mut |_| {}).unwrap();
            let settings = Settings {
                profiles: crate::Profiles::default(),
                pack: RulePack::built_in("cn-2019").unwrap(),
                specimens: crate::SpecimenRule::new(r"(?<donation>\S+)").unwrap(),
                time_zone: jiff::tz::TimeZone::UTC,
                lots: crate::LotRegister::default(),
                kits: crate::Kits::default(),
                reagents_per_marker: 2,
                neighbours_each_side: 1,
                deliver_to: Vec::new(),
                sign_off: crate::SignOff::Here,
                orders: crate::orders::OrderRules::default(),
            };
            let station = Self { settings, ledger, _folder: folder };
            for (donation, at) in [
                ("before", "2026-03-01T08:00:00Z"),
                ("wrong", "2026-03-01T08:10:00Z"),
                ("after", "2026-03-01T08:20:00Z"),
                ("later", "2026-03-02T08:00:00Z"),
            ] {
                station.write(What::DonationRegistered(registered(donation, at)));
            }
            station
        }

        fn write(&self, what: What) {
            let seq = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap().last();
            self.ledger.wait_applied(seq).wait().unwrap();
        }

        /// What a verdict brings with it, after both were written.
        fn decided(&self, of: &str, change: impl FnOnce(&mut Value)) -> Option<What> {
            let mut case: Value = serde_json::from_str(RELEASABLE).unwrap();
            case["donation"] = of.into();
            change(&mut case);
            let verdict = explain(&read_case(&case.to_string()).unwrap(), &self.settings.pack);
            let registration = registered(of, "2026-03-01T08:10:00Z");
            let found = beside(&self.ledger.state(), (Some(&registration), 1), &verdict).unwrap();
            self.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap()));
            if let Some(what) = &found {
                self.write(what.clone());
            }
            found
        }

        fn open(&self, of: &str) -> bool {
            let items = self.ledger.state().to_decide(&Page::first(99)).unwrap().items;
            items.iter().any(|item| item.donation == id(of))
        }
    }

    fn id(text: &str) -> DonationId {
        DonationId::new(text).unwrap()
    }

    fn registered(donation: &str, at: &str) -> DonationRegistration {
        let donor = DonorRegistration {
            id: format!("donor of {donation}").into(),
            first_time: false,
            deferred: false,
            barred: None,
            sensitised: None,
            history: None,
            field_abo: None,
        };
        DonationRegistration {
            donation: id(donation),
            collected_at: at.parse().unwrap(),
            centrifuged_at: None,
            session: None,
            donor,
        }
    }

    fn another_group(case: &mut Value) {
        case["donor"]["history"] = json!({ "abo": "AB", "rhd": "positive" });
    }

    #[test]
    fn those_beside_a_tube_that_may_be_wrong_are_decided_anew_and_wait_for_their_segments() {
        let station = Station::new();
        assert_eq!(station.decided("wrong", |_| ()), None, "nothing is suspected where the groups agree");
        let reader = station.ledger.state();
        for donation in ["before", "after", "later"] {
            let verdict = explain(&release::Evidence::new(id(donation)), &station.settings.pack);
            station.write(What::VerdictMade(VerdictMade::new(&verdict, reader.applied(), vec![]).unwrap()));
            assert!(!station.open(donation));
        }
        let neighbours = vec![id("before"), id("after")];
        let suspected = |stands| {
            Some(What::WrongTubeSuspected { donation: id("wrong"), neighbours: neighbours.clone(), stands })
        };
        assert_eq!(station.decided("wrong", another_group), suspected(true));
        assert_eq!(station.decided("wrong", another_group), None, "it is written once");
        assert!(station.open("before") && station.open("after") && !station.open("later"));
        let of = |donation: &str| {
            let facts = facts_of(&station.settings, &reader, &id(donation)).unwrap();
            let verdict = decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
            let gate = verdict.gates().iter().find(|gate| gate.id.name() == "R-GATE-03").unwrap().clone();
            (facts.beside, gate.why.contains("wrong"))
        };
        let beside = |settled| vec![SuspectedBeside { donation: id("wrong"), settled }];
        assert_eq!(of("before"), (beside(false), true));
        assert_eq!(of("later"), (vec![], false));
        // Grouped again and agreeing: the others still need their own segments.
        assert_eq!(station.decided("wrong", |_| ()), suspected(false));
        assert_eq!(of("after"), (beside(true), true));
        assert_eq!(station.decided("wrong", |_| ()), None);
    }

    /// Registered after the suspicion: by another desk, or with the next list.
    #[test]
    fn who_is_registered_beside_a_suspected_tube_later_waits_with_it() {
        let station = Station::new();
        station.decided("wrong", another_group);
        let gate = |donation: &str| {
            let facts = facts_of(&station.settings, &station.ledger.state(), &id(donation)).unwrap();
            let verdict = decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
            verdict.gates().iter().find(|gate| gate.id.name() == "R-GATE-03").unwrap().why.to_string()
        };
        let decides = |of: &str| {
            let verdict = explain(&release::Evidence::new(id(of)), &station.settings.pack);
            let considered = station.ledger.state().applied();
            station.write(What::VerdictMade(VerdictMade::new(&verdict, considered, vec![]).unwrap()));
        };
        decides("wrong");
        assert!(!station.open("wrong"));
        station.write(What::DonationRegistered(registered("late", "2026-03-01T08:12:00Z")));
        assert!(station.open("wrong"), "what is beside it is asked again");
        let suspected = |neighbours: &[&str], stands| {
            let neighbours = neighbours.iter().map(|one| id(one)).collect();
            Some(What::WrongTubeSuspected { donation: id("wrong"), neighbours, stands })
        };
        assert_eq!(station.decided("wrong", another_group), suspected(&["late"], true));
        assert!(station.open("late") && gate("late").contains("wrong"));
        assert!(
            gate("before").contains("wrong") && gate("after").contains("wrong"),
            "who waited goes on waiting"
        );
        assert_eq!(station.decided("wrong", another_group), None, "it is written once");
        let all = ["before", "after", "late"];
        assert_eq!(station.decided("wrong", |_| ()), suspected(&all, false));
        // It was another's for a time: who comes after that needs a group of the own segment too.
        decides("wrong");
        station.write(What::DonationRegistered(registered("last", "2026-03-01T08:09:00Z")));
        assert!(station.open("wrong"));
        assert_eq!(station.decided("wrong", |_| ()), suspected(&["last"], false));
        assert!(gate("last").contains("wrong"));
        // Further away than a session, nobody asks.
        decides("wrong");
        station.write(What::DonationRegistered(registered("far", "2026-03-02T09:00:00Z")));
        assert!(!station.open("wrong"));
    }

    #[test]
    fn a_suspected_tube_beside_which_nobody_was_is_suspected_all_the_same() {
        let station = Station::new();
        let decided = |of: &str| {
            let mut case: Value = serde_json::from_str(RELEASABLE).unwrap();
            case["donation"] = of.into();
            another_group(&mut case);
            let verdict = explain(&read_case(&case.to_string()).unwrap(), &station.settings.pack);
            let registration = registered(of, "2026-03-09T08:00:00Z");
            let found = beside(&station.ledger.state(), (Some(&registration), 1), &verdict).unwrap();
            station.write(found.clone().unwrap());
            match found {
                Some(What::WrongTubeSuspected { neighbours, stands: true, .. }) => neighbours,
                other => unreachable!("{other:?}"),
            }
        };
        station.write(What::DonationRegistered(registered("alone", "2026-03-09T08:00:00Z")));
        assert_eq!(decided("alone"), []);
        station.write(What::DonationRegistered(registered("second", "2026-03-09T08:05:00Z")));
        assert!(station.open("alone"));
        assert_eq!(decided("alone"), [id("second")]);
    }

    /// Between the look at who is beside it and the entry, somebody may be registered there.
    #[test]
    fn a_suspicion_is_judged_again_once_so_that_nobody_slips_in_between() {
        let station = Station::new();
        station.write(What::DonationRegistered(registered("slips in", "2026-03-01T08:11:00Z")));
        let (donation, neighbours) = (id("wrong"), vec![id("before"), id("after")]);
        let verdict = explain(&release::Evidence::new(donation.clone()), &station.settings.pack);
        let considered = station.ledger.state().applied();
        station.write(What::VerdictMade(VerdictMade::new(&verdict, considered, vec![]).unwrap()));
        assert!(!station.open("wrong"));
        station.write(What::WrongTubeSuspected { donation, neighbours, stands: true });
        assert!(station.open("wrong"));
        let found = station.decided("wrong", another_group);
        let expect = What::WrongTubeSuspected {
            donation: id("wrong"),
            neighbours: vec![id("slips in")],
            stands: true,
        };
        assert_eq!(found, Some(expect));
    }

    /// Two vehicles take blood at the same time: whose tubes were mixed up is asked in the vehicle.
    #[test]
    fn neighbours_are_those_of_the_same_session_and_those_of_whom_nobody_has_said() {
        let station = Station::new();
        let taken = |donation: &str, minute: &str, session: Option<&str>| {
            let mut registration = registered(donation, &format!("2026-03-05T08:{minute}:00Z"));
            registration.session = session.map(str::to_owned);
            station.write(What::DonationRegistered(registration.clone()));
            registration
        };
        taken("A1", "01", Some("A"));
        taken("X1", "02", None);
        taken("A2", "03", Some("A"));
        taken("B1", "04", Some("B"));
        let of_a = taken("A3", "05", Some("A"));
        taken("B2", "06", Some("B"));
        let of_none = taken("X2", "07", None);
        taken("A4", "08", Some("A"));
        let beside = |registration: &DonationRegistration, each_side: usize| {
            let mut found = taken_beside(&station.ledger.state(), registration, each_side).unwrap();
            found.sort_unstable();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(beside(&of_a, 1), ["A2", "A4", "X2"]);
        assert_eq!(beside(&of_a, 2), ["A1", "A2", "A4", "X1", "X2"]);
        assert_eq!(beside(&of_none, 1), ["A4", "B2"]);
        // Told later, it counts from then on.
        taken("X2", "07", Some("B"));
        assert_eq!(beside(&of_a, 1), ["A2", "A4"]);
    }

    #[test]
    fn a_pre_test_in_the_field_that_differs_makes_a_tube_suspect_too() {
        let station = Station::new();
        let found = station.decided("wrong", |case| case["donor"]["field_abo"] = "AB".into());
        assert!(matches!(found, Some(What::WrongTubeSuspected { stands: true, .. })), "{found:?}");
    }
}
