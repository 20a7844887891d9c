//! What cannot be interpreted safely is kept whole: why, where in its bytes, and what waits for it.

#[cfg(test)]
mod quarantine {
    use instrument_profiles::{Catalogue, Profile};
    use ledger::{Body, Draft, Ledger, Page, Seq, StateStore, What};
    use std::{
        collections::BTreeSet,
        sync::{Arc, LazyLock},
    };
    use vocabulary::{ConnectionId, Mode};
    use workflow::{
        LotRegister, Settings, SpecimenRule,
        quarantine::{Filter, Reason, Shown, list, show},
    };

    const DONATION: &str = "G123426000001";
    const OTHER: &str = "G123426000002";

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());

    struct House {
        settings: Settings,
        profile: Arc<Profile>,
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    impl House {
        fn new() -> Self {
            let catalogue = &*CATALOGUE;
            let folder = tempfile::tempdir().unwrap();
            let mut settings = ledger::Settings::new(folder.path());
            settings.state = StateStore::Memory;
            settings.free_bytes_min = 0;
            settings.ballast_bytes = 0;
            Self {
                profile: Arc::clone(catalogue.get("abbott/architect-i2000sr").unwrap()),
                settings: Settings {
                    profiles: catalogue.list().cloned().collect(),
                    pack: release::RulePack::built_in("cn-2019").unwrap(),
                    specimens: SpecimenRule::new(r"(?<donation>G\d{12})").unwrap(),
                    time_zone: jiff::tz::TimeZone::UTC,
                    lots: LotRegister::default(),
                    orders: workflow::orders::OrderRules::default(),
                    kits: workflow::Kits::default(),
                    reagents_per_marker: 2,
                    neighbours_each_side: 1,
                    deliver_to: vec![],
                    sign_off: workflow::SignOff::Elsewhere,
                },
                ledger: Ledger::open(settings, &mut |_| {}).unwrap().0,
                _folder: folder,
            }
        }

        fn takes(&self, mode: Mode, raw: &[u8]) -> Seq {
            let what = What::MessageReceived {
                connection: ConnectionId::new("arch-1").unwrap(),
                mode,
                profile: self.profile.reference().clone(),
                protocol: self.profile.protocol(),
                body: Body::Whole(raw.into()),
            };
            let seq = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap().first();
            self.ledger.wait_applied(seq).wait().unwrap();
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
            seq
        }

        fn shown(&self, message: Seq) -> Option<Shown> {
            show(&self.settings, &self.ledger.state(), message).unwrap()
        }

        fn listed(&self, reason: Option<Reason>) -> Vec<Seq> {
            let filter = Filter { reason, ..Filter::default() };
            let found = list(&self.ledger.state(), &filter, &Page::first(99)).unwrap();
            found.items.iter().map(|item| item.message.seq).collect()
        }
    }

    fn header(sender: &str) -> String {
        format!("H|\\^&|1||{sender}^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000\rP|1\r")
    }

    /// An order with its result: specimen in O-3, the same again in O-4, action code, test code, text.
    fn result(number: u8, ids: [&str; 2], action: &str, code: &str, text: &str) -> String {
        let [id, again] = ids;
        let assay = format!("^^^{code}^Anti-HCV^UNDILUTED^P^48229LI00^04462^");
        let tail = "F||LAB^LAB||20260302141822|iSR03600\r";
        format!(
            "O|{number}|{id}|{again}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||{action}||||||||||||||F\r\
             R|1|{assay}^F|0.06|S/CO||||{tail}R|2|{assay}^I|{text}|||||{tail}"
        )
    }

    fn sound(ids: [&str; 2], code: &str, text: &str) -> Vec<u8> {
        format!("{}{}L|1\r", header("ARCHITECT"), result(1, ids, "", code, text)).into_bytes()
    }

    /// A message, the reason and finding it is held for, and what stands at the place in its bytes.
    struct Case {
        raw: Vec<u8>,
        reason: Reason,
        finding: &'static str,
        at: &'static [u8],
        specimens: &'static [&'static str],
        donations: &'static [&'static str],
    }

    fn cases() -> Vec<Case> {
        let whole = |ids: [&str; 2]| result(1, ids, "", "161", "Nonreactive");
        let without_an_order = "P|2\rR|1|^^^161^Anti-HCV^UNDILUTED^P^48229LI00^04462^^F|5.80|S/CO||||F||LAB^LAB||20260302141822|iSR03600\r";
        let broken = format!("{}{}{without_an_order}L|1\r", header("ARCHITECT"), whole([DONATION, DONATION]));
        let mut damaged = sound([DONATION, DONATION], "161", "Nonreactive");
        let at = damaged.windows(3).position(|three| three == b"LAB").unwrap();
        damaged[at] = 0xff;
        let foreign = format!("{}{}L|1\r", header("ALINITY"), whole([DONATION, DONATION]));
        let case = |raw, reason, finding, at, specimens, donations| Case {
            raw,
            reason,
            finding,
            at,
            specimens,
            donations,
        };
        let one: &[&str] = &[DONATION];
        vec![
            case(
                sound([DONATION, DONATION], "999", "Nonreactive"),
                Reason::UnmappedTest,
                "unmapped_test",
                b"999",
                one,
                one,
            ),
            case(
                sound([DONATION, DONATION], "161", "Nonreactiv"),
                Reason::UnknownValue,
                "unknown_value",
                b"Nonreactiv",
                one,
                one,
            ),
            case(
                sound(["12345", "12345"], "161", "Nonreactive"),
                Reason::UnknownSpecimen,
                "unknown_specimen_id",
                b"12345",
                &["12345"],
                &[],
            ),
            case(
                sound([DONATION, OTHER], "161", "Nonreactive"),
                Reason::AmbiguousSource,
                "ambiguous_specimen",
                DONATION.as_bytes(),
                &[DONATION, OTHER],
                &[DONATION, OTHER],
            ),
            case(damaged, Reason::CharacterSet, "character_set_failure", b"\xff", one, one),
            case(
                broken.into_bytes(),
                Reason::BrokenHierarchy,
                "parent_missing",
                b"R|1|^^^161^Anti-HCV",
                one,
                one,
            ),
            case(foreign.into_bytes(), Reason::WrongSender, "sender_mismatch", b"ALINITY", one, one),
        ]
    }

    #[test]
    fn each_kind_of_reason_is_found_with_its_place_in_the_bytes_and_what_it_holds_up() {
        for case in cases() {
            let house = House::new();
            let seq = house.takes(Mode::Production, &case.raw);
            assert_eq!(house.listed(Some(case.reason)), [seq], "{}", case.finding);
            assert_eq!(house.listed(None), [seq]);
            for other in Reason::ALL.into_iter().filter(|other| *other != case.reason) {
                let expected = house.shown(seq).unwrap().reasons.iter().any(|r| r.reason == other.name());
                assert_eq!(!house.listed(Some(other)).is_empty(), expected, "{} {other:?}", case.finding);
            }
            let shown = house.shown(seq).unwrap();
            let reason = shown.reasons.iter().find(|r| r.finding.finding == case.finding);
            let reason = reason.unwrap_or_else(|| panic!("{}: {:#?}", case.finding, shown.reasons));
            assert_eq!(reason.reason, case.reason.name());
            let [from, to] = reason.bytes.unwrap_or_else(|| panic!("{}: {reason:?}", case.finding));
            assert!(case.raw[from..to].starts_with(case.at), "{}: {from}–{to} {reason:?}", case.finding);
            let excerpt = reason.excerpt.as_ref().unwrap();
            assert!(!excerpt.at.is_empty() && !excerpt.before.is_empty(), "{excerpt:?}");
            assert!(!reason.next.is_empty() && !reason.next_zh.is_ascii());
            let held = &shown.holds;
            assert_eq!(held.specimens, case.specimens, "{}", case.finding);
            let donations: Vec<&str> = held.donations.iter().map(vocabulary::DonationId::as_str).collect();
            assert_eq!(donations, case.donations, "{}", case.finding);
            assert!(!held.unknown && !held.not_production);
            // Whole: the bytes are those that came; and held: no donation of it can pass.
            assert_eq!(house.ledger.state().raw(seq).unwrap(), case.raw);
            for donation in &held.donations {
                let view = house.ledger.state().donation(donation).unwrap().unwrap();
                assert!(!view.findings.is_empty() && !view.summary.verdict.unwrap().releasable);
            }
        }
    }

    #[test]
    fn a_control_that_cannot_be_read_holds_its_run_and_who_depends_on_it_is_counted() {
        let house = House::new();
        house.takes(Mode::Production, &sound([DONATION, DONATION], "161", "Nonreactive"));
        let control = result(1, ["QC-NEG", "QC-NEG"], "Q", "161", "Nonreactiv");
        let raw = format!("{}{control}L|1\r", header("ARCHITECT"));
        let seq = house.takes(Mode::Production, raw.as_bytes());
        let shown = house.shown(seq).unwrap();
        assert_eq!((shown.holds.runs_total, shown.holds.runs[0].donations), (1, 1), "{:?}", shown.holds);
        assert_eq!(shown.holds.donations_total, 0, "a control is no donor");
    }

    #[test]
    fn what_holds_nothing_is_not_in_quarantine_and_a_trial_line_says_that_it_holds_up_nothing() {
        let house = House::new();
        let fine = house.takes(Mode::Production, &sound([DONATION, DONATION], "161", "Nonreactive"));
        assert!(house.shown(fine).is_none() && house.shown(fine.next()).is_none());
        let trial = house.takes(Mode::Qualification, &sound([OTHER, OTHER], "999", "Nonreactive"));
        let holds = house.shown(trial).unwrap().holds;
        assert!(holds.not_production && holds.donations.is_empty(), "{holds:?}");
        assert_eq!(house.listed(None), [trial]);
    }

    #[test]
    fn every_finding_that_holds_in_the_catalogues_captures_has_a_reason_or_is_a_profiles_own() {
        let catalogue = &*CATALOGUE;
        let mut own = BTreeSet::new();
        for profile in catalogue.list() {
            let entry = catalogue.entry(&profile.reference().id).unwrap();
            for capture in entry.names_in("captures").filter(|n| n.ends_with(".capture")) {
                let text = entry.text(&format!("captures/{capture}")).unwrap();
                for message in instrument_profiles::messages_of(profile, text).unwrap() {
                    let findings = profile.interpret(&message).findings;
                    let holds = findings.iter().filter(|f| f.consequence > vocabulary::Consequence::Note);
                    own.extend(
                        holds.filter(|f| Reason::of(&f.finding) == Reason::Other).map(|f| f.finding.clone()),
                    );
                }
            }
        }
        let written: BTreeSet<String> = own
            .into_iter()
            .filter(|name| {
                let quoted = format!("finding = \"{name}\"");
                !catalogue.list().any(|profile| profile.content().text.contains(&quoted))
            })
            .collect();
        assert!(written.is_empty(), "findings without a reason: {written:?}");
    }
}
