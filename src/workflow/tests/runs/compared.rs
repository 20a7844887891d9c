//! Two packs over a donation that is whole but for what one of them asks for.

use crate::{
    cells::{column, grouped, known_cells},
    house::{House, control, line, observation, of},
    windows::sco,
};
use ledger::{ReadError, What};
use quality_control::kits::{KitFile, Kits, SHIPPED};
use release::{RulePack, Unit};
use vocabulary::{Expected, Marker, Observation, SpecimenKind};
use workflow::{
    AcceptedLot, LotRegister,
    compare::{Changed, Compared, Comparison},
};

const SEROLOGY: [(&str, Marker); 4] = [
    ("CLIA HBsAg", Marker::HBsAg),
    ("CLIA anti-HCV", Marker::AntiHcv),
    ("CLIA HIV Ag/Ab", Marker::Hiv),
    ("CLIA syphilis", Marker::Syphilis),
];
const RUN: &str = "line/CLIA/01";

fn controls(at: &str) -> Vec<Observation> {
    let level = |test, name: &str, number: &str, expected| {
        control(sco(observation(SpecimenKind::Control, test, RUN, at), number), name, expected)
    };
    let both = |test| {
        [
            level(test, "negative", "0.10", Expected::NonReactive),
            level(test, "positive", "3.20", Expected::Reactive),
        ]
    };
    SEROLOGY.into_iter().flat_map(both).collect()
}

/// Donations that serology and grouping let go, and that nobody tested by NAT or for ALT.
fn house() -> House {
    let mut house = House::new("cn-2019");
    house.settings.lots = LotRegister::new([AcceptedLot {
        lot: "L1".into(),
        role: None,
        assays: Vec::new(),
        in_use_on: Some(line()),
        expires: Some(jiff::civil::date(2026, 12, 31)),
        on_board_until: None,
        approval: "x".into(),
        accepted_by: "x".into(),
    }]);
    let named = SHIPPED.iter().map(|(id, text)| {
        KitFile::read(id, &text.replace("\"B cells\"]", "\"B cells\", \"Control\"]")).unwrap()
    });
    house.settings.kits = Kits::new(named).unwrap();
    for donation in ["D1", "D2"] {
        let registration = serde_json::json!({
            "donation": donation, "collected_at": "2026-03-01T07:00:00Z",
            "donor": { "id": donation, "first_time": false, "deferred": false, "history": { "abo": "A", "rhd": "positive" } },
        });
        house.append(What::DonationRegistered(serde_json::from_value(registration).unwrap()));
    }
    house.says(&controls("01T08:00"));
    house.says(&known_cells("01T08:00", "4+"));
    for (donation, hbsag) in [("D1", "0.20"), ("D2", "3.50")] {
        let test = |test: (&str, Marker)| {
            let number = if test.1 == Marker::HBsAg { hbsag } else { "0.20" };
            of(sco(observation(SpecimenKind::Patient, test, RUN, "01T09:00"), number), donation)
        };
        house.says(&SEROLOGY.map(test));
        let inert = column(SpecimenKind::Patient, ("Control", Marker::GroupControl), "01T09:00", "0");
        house.says(&[grouped(donation, "01T09:00"), vec![of(inert, donation)]].concat());
    }
    house.works();
    house
}

#[test]
fn what_a_laxer_pack_would_let_go_is_counted_and_the_other_way_round_nothing_is() {
    let house = house();
    let pack = |id: &str| RulePack::built_in(id).unwrap();
    let lax = "id = \"lax\"\nbased_on = \"who-minimum\"\njurisdiction = \"CN\"\n";
    let compared = |old: RulePack, new: RulePack| -> (Compared, Vec<Changed>) {
        let mut changed = Vec::new();
        let keep = |one| -> Result<(), ReadError> {
            changed.push(one);
            Ok(())
        };
        let all = Comparison::new(house.settings.clone(), old, new);
        let compared = all.run(&house.ledger.state(), keep, |_| {}).unwrap();
        (compared, changed)
    };
    for new in [pack("who-minimum"), RulePack::from_toml(lax).unwrap()] {
        let (there, changed) = compared(pack("cn-2019"), new.clone());
        let found: Vec<_> =
            changed.iter().map(|c| (c.donation.as_str(), c.old, c.new, c.newly_releasable)).collect();
        assert_eq!(found[0], ("D1", Unit::Hold, Unit::Pass, true), "{:#?}", changed[0].differences);
        assert_eq!(there.newly_releasable, 1, "and not the reactive one: {found:?}");
        assert_eq!(there.units["hold → pass"], 1);
        let (back, changed) = compared(new, pack("cn-2019"));
        assert_eq!((back.newly_releasable, back.changed), (0, there.changed));
        assert!(changed.iter().all(|one| !one.newly_releasable));
    }
}
