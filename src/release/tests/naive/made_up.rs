//! Evidence made up by a seeded generator: mostly good, so that what is wrong stands alone often enough.

mod groups;

use super::ordered::Order;
use fastrand::Rng;
use groups::{grouping, part};
use release::evidence::*;
use vocabulary::{AboGroup, BloodGroup, DonationId, Marker, RhD, RunId, Virus};

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A seeded generator; the calmer it is, the less goes wrong.
pub(crate) struct Dice {
    rng: Rng,
    calm: u32,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), calm: 1 }
    }
}

impl std::ops::Deref for Dice {
    type Target = Rng;
    fn deref(&self) -> &Rng {
        &self.rng
    }
}

impl std::ops::DerefMut for Dice {
    fn deref_mut(&mut self) -> &mut Rng {
        &mut self.rng
    }
}

fn one_in(dice: &mut Dice, n: u32) -> bool {
    let sides = n * dice.calm;
    dice.u32(0..sides) == 0
}

fn run_id(rng: &mut Dice, names: &[&str]) -> Option<RunId> {
    match rng.u32(0..400) {
        0 => None,
        1 => Some(id("unknown")),
        _ => Some(id(names[rng.usize(0..names.len())])),
    }
}

fn run(name: &str, rng: &mut Dice) -> Run {
    let rare = |rng: &mut Dice| one_in(rng, 60);
    let mut run = Run::new(id(name));
    run.validity = Some(Validity::Valid);
    run.qc = Some(Qc::InControl);
    run.tested_at = Some(id("2026-03-01T15:00:00+08:00"));
    let lot = if one_in(rng, 10) { "M" } else { "L" };
    run.lots = vec![Lot {
        role: None,
        name: None,
        lot: lot.into(),
        expires: Some(id(if rare(rng) { "2026-02-28" } else { "2026-03-01" })),
        accepted: if rare(rng) { None } else { Some(!rare(rng)) },
        not_for: one_in(rng, 150).then(|| "X".into()),
        not_on: one_in(rng, 150).then(|| "X".into()),
        on_board_exceeded: rare(rng).then_some(true),
        used_on: rare(rng).then(|| id(if rng.bool() { "2026-03-02" } else { "2026-02-28" })),
    }];
    run.untimed = one_in(rng, 150);
    run.also_on = if rare(rng) { vec![id("2026-03-02")] } else { Vec::new() };
    if one_in(rng, 25) {
        run.validity = [None, Some(Validity::Open), Some(Validity::Invalid)][rng.usize(0..3)];
    }
    if one_in(rng, 25) {
        run.qc = [None, Some(Qc::Open), Some(Qc::OutOfControl), Some(Qc::Released)][rng.usize(0..4)];
        if rng.bool() {
            run.qc_release = Some(Resolution { by: "q".into(), reason: "repeated".into() });
        }
    }
    if rare(rng) {
        run.lots.clear();
    }
    if one_in(rng, 150) {
        run.without_lots = vec!["X".into()];
    }
    if rare(rng) {
        run.tested_at = None;
    }
    run.analyser_overdue = one_in(rng, 150).then(|| "calibration".into());
    run.operator_authorised = one_in(rng, 150).then_some(false);
    run.sequence_gap = one_in(rng, 150).then(|| "17".into());
    run
}

fn well(kind: SerologyKind, rng: &mut Dice, reactive_one_in: u32) -> SerologyResult {
    let od = if one_in(rng, reactive_one_in) {
        ["0.105", "0.500", "0.104", "0.095", "0.0945", "0.094"][rng.usize(0..6)]
    } else {
        "0.020"
    };
    // Whole thousandths only.
    let od = if od == "0.0945" { "0.099" } else { od };
    let some = !one_in(rng, 60);
    SerologyResult {
        kind,
        od: some.then(|| id(od)),
        cutoff: some.then(|| id("0.105")),
        sco: None,
        interpretation: None,
        validity: match rng.u32(0..400) {
            0 => Some(Validity::Invalid),
            1 => Some(Validity::Open),
            _ => None,
        },
        why: None,
        run: run_id(rng, &["E1", "E2"]),
        lots: one_in(rng, 30).then(|| {
            if one_in(rng, 3) { [].into() } else { [if rng.bool() { "L" } else { "M" }.into()].into() }
        }),
        analyser: one_in(rng, 200).then(|| "B".into()),
        override_reason: None,
    }
}

fn series(marker: Marker, reagent: &str, rng: &mut Dice) -> SerologySeries {
    let mut results = Vec::new();
    if !one_in(rng, 60) {
        results.push(well(SerologyKind::Initial, rng, 8));
    }
    if one_in(rng, 50) {
        results.push(well(SerologyKind::Initial, rng, 3));
    }
    if one_in(rng, 5) {
        for _ in 0..rng.usize(1..4) {
            results.push(well(SerologyKind::Duplicate, rng, 6));
        }
    }
    if one_in(rng, 20) {
        let at = rng.usize(0..=results.len());
        results.insert(at, well(SerologyKind::Repeat, rng, 3));
    }
    SerologySeries { marker, reagent: reagent.into(), maker: None, direction: None, results }
}

fn virus(rng: &mut Dice) -> Virus {
    if one_in(rng, 15) {
        return [Virus::Malaria, Virus::Babesia][rng.usize(0..2)];
    }
    [Virus::Hbv, Virus::Hcv, Virus::Hiv][rng.usize(0..3)]
}

fn nat_result(kind: NatKind, rng: &mut Dice, reactive_one_in: u32) -> NatResult {
    let reactive = one_in(rng, reactive_one_in);
    let result = match rng.u32(0..160) {
        0 => None,
        1 => Some(Call::Invalid),
        2 => Some(Call::Pending),
        _ if reactive => Some(Call::Reactive),
        _ => Some(Call::NonReactive),
    };
    let pool = kind == NatKind::Pool;
    let named = result == Some(Call::Reactive) && kind != NatKind::Discriminatory && rng.bool();
    NatResult {
        kind,
        pool: None,
        members: Vec::new(),
        pool_size: None,
        pooling_log: (pool && one_in(rng, 20)).then_some(PoolingLog::Incomplete),
        pool_members: Vec::new(),
        pipetting: Vec::new(),
        target_ct: None,
        stored_hours: None,
        store_within_hours: None,
        result,
        targets: if named { vec![virus(rng)] } else { Vec::new() },
        target: (kind == NatKind::Discriminatory).then(|| virus(rng)),
        internal_control: match rng.u32(0..160) {
            0 => None,
            1 => Some(InternalControl::Absent),
            2 => Some(InternalControl::Invalid),
            _ => Some(InternalControl::Valid),
        },
        internal_control_ct: None,
        centrifuged_after_hours: None,
        centrifuge_within_hours: None,
        validity: match rng.u32(0..400) {
            0 => Some(Validity::Invalid),
            1 => Some(Validity::Open),
            _ => None,
        },
        why: None,
        run: run_id(rng, &["N1", "N2"]),
    }
}

/// A test of one target that is not among the usual three.
fn further(target: Virus, rng: &mut Dice) -> NatResult {
    let one = nat_result(NatKind::Individual, rng, 12);
    NatResult { target: Some(target), targets: Vec::new(), ..one }
}

/// Orders of some markers, each with days around the donation's, or without.
pub(crate) fn orders(rng: &mut Dice) -> Vec<Order> {
    let markers = [
        Marker::Htlv,
        Marker::AntiHbc,
        Marker::AntiMalaria,
        Marker::MalariaRna,
        Marker::AntiTCruzi,
        Marker::BabesiaRna,
        Marker::WnvRna,
    ];
    let days = ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"];
    let mut orders = Vec::new();
    for _ in 0..rng.usize(1..4) {
        let from = rng.usize(0..days.len());
        let to = rng.usize(from..days.len());
        orders.push(Order {
            marker: markers[rng.usize(0..markers.len())],
            from: rng.bool().then_some(days[from]),
            to: rng.bool().then_some(days[to]),
            first_time_only: one_in(rng, 3),
        });
    }
    orders
}

/// Who may be in a pool beside this donation, and a stranger who is in none.
const OTHERS: [&str; 5] = ["M2", "M3", "M4", "M5", "M6"];
const STRANGER: &str = "M9";

/// A pool of this donation and some others; where it is reactive, what these and strangers gave alone.
fn pool(rng: &mut Dice, reactive_one_in: u32) -> NatResult {
    let mut result = nat_result(NatKind::Pool, rng, reactive_one_in);
    result.pool = Some(format!("P{}", rng.u32(1..4)));
    let size = rng.usize(2..6);
    let mut others = OTHERS.to_vec();
    rng.shuffle(&mut others);
    result.members = std::iter::once("M1").chain(others.drain(..size - 1)).map(id).collect();
    result.pool_size = one_in(rng, 3).then_some(size);
    if one_in(rng, 20) {
        let at = rng.usize(0..result.members.len());
        result.members.swap_remove(at);
    }
    if one_in(rng, 40) {
        result.members.push(result.members[0].clone());
    }
    if one_in(rng, 4) {
        result.pipetting = result.members.iter().map(|member| pipetted(member, rng)).collect();
        if one_in(rng, 20) {
            result.pipetting.pop();
        }
    }
    if rng.bool() {
        result.pool_members = members(rng, &result.members.clone());
    }
    result
}

fn pipetted(member: &DonationId, rng: &mut Dice) -> Pipetted {
    Pipetted {
        donation: if one_in(rng, 80) { id(STRANGER) } else { member.clone() },
        barcode_read: !one_in(rng, 80),
        volume_ok: !one_in(rng, 80),
        error: one_in(rng, 80).then(|| "clot".into()),
        changed_afterwards: one_in(rng, 80),
    }
}

fn nat(rng: &mut Dice) -> Vec<NatResult> {
    let mut results = Vec::new();
    match rng.u32(0..20) {
        0..7 => results.push(nat_result(NatKind::Individual, rng, 10)),
        7..12 => results.push(pool(rng, 5)),
        12 => {}
        13..18 => (0..rng.usize(1..4)).for_each(|_| results.push(pool(rng, 2))),
        _ => {
            for _ in 0..rng.usize(1..4) {
                let one = if rng.bool() { pool(rng, 3) } else { nat_result(NatKind::Individual, rng, 3) };
                results.push(one);
            }
        }
    }
    let reactive = |kind: NatKind, all: &[NatResult]| {
        all.iter().any(|r| r.kind == kind && r.result == Some(Call::Reactive))
    };
    if reactive(NatKind::Pool, &results) && !one_in(rng, 5) {
        results.push(nat_result(NatKind::Individual, rng, 12));
    }
    if reactive(NatKind::Individual, &results) && !one_in(rng, 5) {
        for target in [Virus::Hbv, Virus::Hcv, Virus::Hiv] {
            if !one_in(rng, 12) {
                let one = nat_result(NatKind::Discriminatory, rng, 4);
                results.push(NatResult { target: Some(target), ..one });
            }
        }
    }
    if rng.bool() {
        rng.shuffle(&mut results);
    }
    results
}

/// What members of a pool gave alone, one of them more often than not reactive, and now and then a stranger.
fn members(rng: &mut Dice, of: &[DonationId]) -> Vec<PoolMember> {
    let mut all = Vec::new();
    let reactive = rng.usize(0..=of.len());
    let stranger = one_in(rng, 4).then(|| id(STRANGER));
    for (at, member) in of.iter().chain(&stranger).enumerate() {
        for _ in 0..if one_in(rng, 10) { rng.usize(0..3) } else { 1 } {
            let result = match rng.u32(0..40) {
                0 | 4 => Call::Invalid,
                1 => Call::Pending,
                2 | 3 => Call::Reactive,
                _ if at == reactive => Call::Reactive,
                _ => Call::NonReactive,
            };
            let named = result == Call::Reactive && rng.bool();
            let targets = if named { vec![virus(rng)] } else { Vec::new() };
            let given_up = result == Call::Invalid && rng.bool() || one_in(rng, 40);
            all.push(PoolMember { donation: member.clone(), result, targets, given_up });
        }
    }
    all
}

const INFECTIONS: [&str; 2] = ["HCV", "HIV"];

/// A donation years ago, mostly non-reactive, and now and then in the days of the examination or after it.
fn earlier(rng: &mut Dice, at: usize) -> EarlierDonation {
    let group = EarlierGroup {
        abo: (!one_in(rng, 10)).then(|| if one_in(rng, 15) { AboGroup::O } else { AboGroup::A }),
        rhd: (!one_in(rng, 10)).then(|| if one_in(rng, 15) { RhD::Negative } else { RhD::Positive }),
        is_final: !one_in(rng, 4),
    };
    let of = if one_in(rng, 4) { 4 } else { 2 };
    let day = ["2025-01-10", "2025-01-10", "2025-08-20", "2025-09-01"][rng.usize(0..of)];
    let result = |marker: &str, rng: &mut Dice| EarlierResult {
        marker: marker.into(),
        result: if one_in(rng, 6) {
            use EarlierCall::{ConfirmedNegative, ConfirmedPositive, Indeterminate, Reactive};
            let of = if one_in(rng, 3) { 5 } else { 4 };
            let calls = [Reactive, Reactive, ConfirmedNegative, Indeterminate, ConfirmedPositive];
            calls[rng.usize(0..of)]
        } else {
            EarlierCall::NonReactive
        },
        beyond_reentry: one_in(rng, 6),
    };
    EarlierDonation {
        donation: id(["O1", "O2", "O3"][at]),
        collected_at: (!one_in(rng, 8)).then(|| id(&format!("{day}T09:00:00+08:00"))),
        results: INFECTIONS.map(|marker| result(marker, rng)).to_vec(),
        group: one_in(rng, 3).then_some(group),
        group_refuted_by: one_in(rng, 4).then(|| id("O4")),
        passed: one_in(rng, 4),
        expires: None,
    }
}

/// An examination, mostly whole and approved.
fn reentry(rng: &mut Dice) -> Reentry {
    use ReentryTestKind::{Confirmatory, Nat, Serology};
    let kinds = [(Serology, Some("A")), (Serology, Some("B")), (Nat, None), (Confirmatory, None)];
    let mut tests: Vec<ReentryTest> = Vec::new();
    for (nth, (kind, reagent)) in kinds.into_iter().enumerate() {
        let reagent = if one_in(rng, 20) { Some("A") } else { reagent };
        let days = ["2025-09-01", "2025-08-01", "2026-02-28", "2026-03-01"];
        tests.push(ReentryTest {
            id: format!("T{nth}"),
            kind,
            reagent: reagent.map(str::to_owned),
            result: if one_in(rng, 30) {
                [Call::Reactive, Call::Pending, Call::Invalid][rng.usize(0..3)]
            } else {
                Call::NonReactive
            },
            collected_on: id(days[if one_in(rng, 20) { rng.usize(0..4) } else { 0 }]),
        });
    }
    let approved_on = tests.iter().filter(|_| !one_in(rng, 40)).map(|test| test.id.clone()).collect();
    if one_in(rng, 20) {
        tests.pop();
    }
    Reentry {
        marker: INFECTIONS[rng.usize(0..2)].into(),
        deferred_on: id(if one_in(rng, 20) { "2025-03-02" } else { "2025-02-01" }),
        nat_then: if one_in(rng, 20) { Call::Reactive } else { Call::NonReactive },
        tests,
        approved: (!one_in(rng, 15)).then(|| Resolution {
            by: if one_in(rng, 20) { " " } else { "u9" }.into(),
            reason: "all negative".into(),
        }),
        approved_on,
    }
}

fn register(rng: &mut Dice) -> Option<Register> {
    use RegisterState::{Eligible, PermDeferred, ReentryTesting, TempDeferred};
    let states = [Eligible, TempDeferred, ReentryTesting, PermDeferred];
    let state = states[if one_in(rng, 12) { rng.usize(0..4) } else { 0 }];
    let since =
        ["2025-01-01", "2026-11-01", "2027-01-01"][rng.usize(0..3)].parse().ok().filter(|_| rng.bool());
    (!one_in(rng, 3)).then_some(Register { state, reason: None, until: None, since })
}

fn donor(rng: &mut Dice) -> Option<Donor> {
    let history = BloodGroup {
        abo: (!one_in(rng, 10)).then(|| if one_in(rng, 15) { AboGroup::O } else { AboGroup::A }),
        rhd: (!one_in(rng, 10)).then(|| if one_in(rng, 15) { RhD::Negative } else { RhD::Positive }),
    };
    (!one_in(rng, 60)).then(|| Donor {
        id: "D".into(),
        first_time: if one_in(rng, 2) {
            [None, Some(true), Some(false)][rng.usize(0..3)]
        } else {
            Some(false)
        },
        deferred: if one_in(rng, 50) { None } else { Some(one_in(rng, 50)) },
        barred: one_in(rng, 60).then(|| "anti-HIV 2024".into()),
        post_donation: one_in(rng, 60).then(|| "fever".into()),
        register: register(rng),
        earlier: (0..rng.usize(0..3)).map(|at| earlier(rng, at)).collect(),
        later: one_in(rng, 60)
            .then(|| LaterFinding { donation: id("O9"), marker: "HIV".into() })
            .into_iter()
            .collect(),
        reentry: rng.bool().then(|| reentry(rng)),
        came_back: one_in(rng, 4).then(|| reentry(rng)).into_iter().collect(),
        sensitised: None,
        history: (!one_in(rng, 6)).then_some(history),
        field_abo: match (one_in(rng, 10), rng.bool()) {
            (true, _) => Some(AboGroup::B),
            (false, true) => Some(AboGroup::A),
            (false, false) => None,
        },
    })
}

fn alt(rng: &mut Dice) -> Vec<AltResult> {
    let values: &[&str] = [
        &["23"][..],
        &["50"],
        &["50.1", "49"],
        &["51", "53"],
        &[],
        &["20", "60"],
        &["60"],
        &["60", "20", "61"],
        &["20", "60", "61"],
        &["20", "60", "20"],
        &["60", "20", "61", "62"],
    ][if one_in(rng, 5) { rng.usize(0..11) } else { 0 }];
    values
        .iter()
        .map(|v| AltResult {
            u_per_l: (!one_in(rng, 40)).then(|| id(v)),
            validity: None,
            why: None,
            run: run_id(rng, &["C1", "C2"]),
        })
        .collect()
}

fn surroundings(e: &mut Evidence, rng: &mut Dice) {
    for meaning in [Meaning::Reviewed, Meaning::Released] {
        if !one_in(rng, 20) {
            let first = one_in(rng, 10) || meaning == Meaning::Reviewed;
            let by = if first { "u1" } else { "u2" };
            let authorised = one_in(rng, 40).then_some(false);
            e.signatures.push(Signature { meaning, by: by.into(), at: None, authorised });
        }
    }
    if one_in(rng, 40) {
        e.identity = Some(Identity {
            manual_entry: rng.bool(),
            checked_by: rng.bool().then(|| "u3".into()),
            check_character_valid: rng.bool().then(|| rng.bool()),
        });
    }
    if one_in(rng, 20) {
        use ComponentState::{Discarded, Held, Issued, Missing, Quarantine, Released};
        let state = [Quarantine, Held, Missing, Discarded, Released, Issued][rng.usize(0..6)];
        e.components.push(Component { id: "RBC".into(), state });
    }
    if one_in(rng, 20) {
        e.batch = Some(Batch { failing: rng.u32(0..2), located: rng.u32(0..2) });
    }
    if one_in(rng, 60) {
        let name = [
            "unmapped_test",
            "donation_numbers_alike",
            "scans_differ",
            "tested_before_collection",
            "registered_twice",
        ][rng.usize(0..5)];
        e.findings.push(OpenFinding { finding: name.into(), what: "X".into() });
    }
}

/// One donation.
pub(crate) fn evidence(rng: &mut Dice) -> Evidence {
    rng.calm = [1, 4, 12, 40][rng.usize(0..4)];
    let mut e = Evidence::new(id("M1"));
    let moments = ["2026-02-28T23:50:00+08:00", "2026-03-01T09:00:00+08:00", "2026-03-02T00:10:00+08:00"];
    e.collected_at = (!one_in(rng, 60)).then(|| id(moments[rng.usize(0..3)]));
    e.donor = donor(rng);
    for marker in [Marker::HBsAg, Marker::AntiHcv, Marker::Hiv, Marker::Syphilis] {
        for reagent in ["A", "B"] {
            let missing = one_in(rng, if reagent == "A" { 80 } else { 15 });
            if !missing {
                e.serology.push(series(marker, reagent, rng));
            }
        }
    }
    for marker in [Marker::Htlv, Marker::AntiHbc, Marker::AntiMalaria, Marker::AntiTCruzi] {
        if rng.u32(0..4) > 0 && !one_in(rng, 10) {
            e.serology.push(series(marker, "A", rng));
        }
    }
    e.nat = nat(rng);
    for target in [Virus::Malaria, Virus::Babesia, Virus::Wnv] {
        if rng.u32(0..4) > 0 && !one_in(rng, 10) {
            e.nat.push(further(target, rng));
        }
    }
    if rng.bool() {
        e.pool_members = members(rng, &OTHERS.map(id));
    }
    e.alt = alt(rng);
    let d = [0, 0, 0, 1, 2, 3][rng.usize(0..6)];
    for _ in 0..[2, 1, 3, 0][if one_in(rng, 2) { rng.usize(0..4) } else { 0 }] {
        e.grouping.push(grouping(rng, d));
    }
    // Whatever else goes wrong: a part is nothing wrong in itself.
    for _ in 0..[0, 0, 1, 2][rng.usize(0..4)] {
        let at = rng.usize(0..=e.grouping.len());
        e.grouping.insert(at, part(rng, d));
    }
    e.runs = ["E1", "E2", "N1", "N2", "C1", "C2", "G1", "G2"].map(|name| run(name, rng)).to_vec();
    surroundings(&mut e, rng);
    e
}
