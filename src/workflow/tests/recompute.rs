//! A verdict can be made again from the ledger, years later, and comes out the same (law 4).

#[cfg(test)]
mod recompute {
    use instrument_profiles::{Catalogue, messages_of};
    use ledger::{Body, Draft, Ledger, Page, StateStore, What};
    use std::path::Path;
    use vocabulary::{ConnectionId, DonationRegistration, Mode};
    use workflow::{LotRegister, Settings, SpecimenRule, compare::Comparison};

    fn open(folder: &Path) -> Ledger {
        let mut settings = ledger::Settings::new(folder);
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        Ledger::open(settings, &mut |_| {}).unwrap().0
    }

    fn settings(catalogue: &Catalogue) -> Settings {
        Settings {
            profiles: catalogue.list().cloned().collect(),
            pack: release::RulePack::built_in("cn-2019").unwrap(),
            specimens: SpecimenRule::new(r"(?<donation>\S+)").unwrap(),
            time_zone: jiff::tz::TimeZone::UTC,
            lots: LotRegister::default(),
            kits: workflow::Kits::default(),
            reagents_per_marker: 2,
            neighbours_each_side: 1,
            deliver_to: Vec::new(),
            sign_off: workflow::SignOff::Elsewhere,
            orders: workflow::orders::OrderRules::default(),
        }
    }

    /// Every verdict that stands, and how many there are.
    fn compare(settings: &Settings, ledger: &Ledger) -> usize {
        let reader = ledger.state();
        let donations = reader.donations(&Page::first(1000)).unwrap().items;
        for donation in &donations {
            let standing = donation.verdict.as_ref().unwrap();
            let facts = workflow::facts_of(settings, &reader, &donation.donation).unwrap();
            let again = release::explain(&workflow::evidence(&facts, settings), &settings.pack);
            let made = reader.verdict(standing.seq).unwrap();
            assert_eq!(again.content_hash(), made.content_hash(), "{}", donation.donation);
            assert_eq!(serde_json::to_string(&again).unwrap(), made.json(), "{}", donation.donation);
        }
        donations.len()
    }

    /// A ledger that knows every message of the captures of the first so many profiles, interpreted and decided.
    fn filled(folder: &Path, catalogue: &Catalogue, settings: &Settings, profiles: usize) -> Ledger {
        let ledger = open(folder);
        let registration: DonationRegistration = serde_json::from_value(serde_json::json!({
            "donation": "ONLY-REGISTERED", "collected_at": "2026-03-01T09:00:00Z",
            "donor": { "id": "1", "first_time": true, "deferred": false },
        }))
        .unwrap();
        let mut group = vec![Draft::by_system(What::DonationRegistered(registration))];
        for profile in catalogue.list().take(profiles) {
            let entry = catalogue.entry(&profile.reference().id).unwrap();
            let captures: Vec<&str> =
                entry.names_in("captures").filter(|n| n.ends_with(".capture")).collect();
            for capture in captures {
                let text = entry.text(&format!("captures/{capture}")).unwrap();
                for message in messages_of(profile, text).unwrap() {
                    group.push(Draft::by_system(What::MessageReceived {
                        connection: ConnectionId::new("line").unwrap(),
                        mode: Mode::Production,
                        profile: profile.reference().clone(),
                        protocol: profile.protocol(),
                        body: Body::Whole(message.into()),
                    }));
                }
            }
        }
        assert!(group.len() > 10, "{} messages", group.len());
        for draft in group {
            drop(ledger.append(vec![draft]).unwrap().wait().unwrap());
        }
        ledger.wait_applied(ledger.status().durable).wait().unwrap();
        while workflow::work_once(settings, &ledger).unwrap() > 0 {}
        ledger
    }

    #[test]
    fn law_04_every_verdict_made_again_from_the_ledger_is_the_one_that_stands() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::built_in().unwrap();
        let settings = settings(&catalogue);
        let ledger = filled(folder.path(), &catalogue, &settings, usize::MAX);
        let count = compare(&settings, &ledger);
        assert!(count > 20, "{count} donations");
        ledger.close();
        // The state is gone; the journal makes it again.
        let ledger = open(folder.path());
        assert_eq!(compare(&settings, &ledger), count);
        assert_eq!(workflow::work_once(&settings, &ledger).unwrap(), 0, "nothing is done twice");
    }

    #[test]
    fn two_packs_are_compared_over_every_stored_donation() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::built_in().unwrap();
        let settings = settings(&catalogue);
        let ledger = filled(folder.path(), &catalogue, &settings, 3);
        let reader = ledger.state();
        let pack = |id: &str| release::RulePack::built_in(id).unwrap();
        let run = |old: &str, new: &str| {
            let (mut changed, mut done) = (Vec::new(), Vec::new());
            let keep = |one| -> Result<(), ledger::ReadError> {
                changed.push(one);
                Ok(())
            };
            let compared = Comparison::new(settings.clone(), pack(old), pack(new))
                .run(&reader, keep, |judged| done.push(judged))
                .unwrap();
            assert_eq!(done.last(), Some(&compared.donations), "{done:?}");
            (compared, changed)
        };
        let (compared, changed) = run("cn-2019", "cn-2019");
        let donations = reader.donations(&Page::first(1000)).unwrap().items;
        assert_eq!((compared.donations, compared.changed), (donations.len() as u64, 0), "{changed:#?}");

        let (compared, changed) = run("cn-2019", "who-minimum");
        assert!(compared.changed > 0 && compared.changed == changed.len() as u64, "{compared:?}");
        let mut listed = changed.iter().peekable();
        for donation in donations {
            let verdict = |id: &str| {
                let settings = Settings { pack: pack(id), ..settings.clone() };
                let facts = workflow::facts_of(&settings, &reader, &donation.donation).unwrap();
                release::decide(&workflow::evidence(&facts, &settings), &settings.pack)
            };
            let (old, new) = (verdict("cn-2019"), verdict("who-minimum"));
            let differences = release::differences(&old, &new);
            let found = listed.next_if(|one| one.donation == donation.donation);
            assert_eq!(found.is_some(), !differences.is_empty(), "{}", donation.donation);
            if let Some(found) = found {
                assert_eq!((found.old, found.new), (old.unit(), new.unit()));
                assert_eq!(found.differences, differences);
            }
        }
        assert!(listed.next().is_none(), "every change is of a donation, in order");
    }
}
