//! Donations beside one whose tube may be another donor's (rules.md §1.6, G4): they wait until it is settled whose it is.

use ledger::{ReadError, Reader, What};
use release::{Flag, GroupStatus, Verdict};
use vocabulary::{DonationId, DonationRegistration};

/// Two donations that are further apart were not taken in one session.
const SESSION_MS: i64 = 12 * 60 * 60 * 1000;

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

/// What has to be written beside a verdict, so that those beside the donation are decided anew.
pub(crate) fn beside(
    reader: &Reader,
    (registration, each_side): (Option<&DonationRegistration>, usize),
    verdict: &Verdict,
) -> Result<Option<What>, ReadError> {
    let donation = verdict.donation();
    let entry = |neighbours, stands| {
        Some(What::WrongTubeSuspected { donation: donation.clone(), neighbours, stands })
    };
    match (reader.wrong_tube(donation)?, is_suspected(verdict), registration) {
        (None, true, Some(registration)) => {
            let neighbours = taken_beside(reader, registration, each_side)?;
            Ok(if neighbours.is_empty() { None } else { entry(neighbours, true) })
        }
        (Some(neighbours), false, _) if is_own(verdict) => Ok(entry(neighbours, false)),
        // Its segment came with its tube: those beside it are grouped from their segments all the same.
        (None, false, Some(registration)) if verdict.group().flags.contains(&Flag::SegmentAgrees) => {
            let mut neighbours = taken_beside(reader, registration, each_side)?;
            let mut open = Vec::with_capacity(neighbours.len());
            for neighbour in neighbours.drain(..) {
                let known = reader.suspected_beside(&neighbour)?;
                open.extend(Some(neighbour).filter(|_| known.iter().all(|one| one.donation != *donation)));
            }
            Ok(if open.is_empty() { None } else { entry(open, false) })
        }
        (_, _, _) => Ok(None),
    }
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
