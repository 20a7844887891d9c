//! What a pack may not do to the one it is based on: it may ask for more, never for less. Of a pack that stands alone the
//! same is said, and refused by nobody.
//!
//! Held here are the keys that decide whether a unit can pass without something the other demands, and what becomes of its
//! donor. Choices that are left to the laboratory (`nat.ndr`, `nat.mp_unresolved`, `sero.dup`, `invalid.*`, `fitness.*`)
//! are not. Three are, of which it is said and which are not refused: a grey zone that is waved through, which way a
//! reagent's signal runs, and the label of DEL.

mod reagents;

use super::choices::{AntibodyScreen, DelLabel, ReactiveOnce, Setting, Switch};
use super::settings::{DonorRules, Local, Settings, Tests};
use crate::pack::{PackRef, RulePack, Strategy};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Display;

/// The pack that is nobody's law: what stands alone in a jurisdiction without a built-in pack is held against it.
const FLOOR: &str = "who-minimum";

/// A value of a pack that asks for less than another pack's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weaker {
    /// Its key: `tests.alt`.
    pub key: String,
    /// What the pack says.
    pub value: String,
    /// The pack that asks for more.
    pub than: String,
    /// What would be as strict, in English.
    pub due: String,
    /// The same in Chinese.
    pub due_zh: String,
}

impl Weaker {
    /// In one line, in English.
    #[must_use]
    pub fn english(&self) -> String {
        let Self { key, value, than, due, .. } = self;
        format!("{key} = {value} is WEAKER than {than}, which asks for {due}")
    }

    /// In one line, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        let Self { key, value, than, due_zh, .. } = self;
        format!("{key} = {value} 弱于 {than}，其要求：{due_zh}")
    }
}

impl RulePack {
    /// What it asks less for than the built-in pack of its jurisdiction, or than the WHO's where there is none. That there is
    /// none is said first: a misspelt jurisdiction has nobody's rules.
    #[must_use]
    pub fn weaker(&self) -> Vec<Weaker> {
        let own = self.settings.jurisdiction.trim();
        // Read one after the other: pages ask this of every pack, and the first is the one of most.
        let stand_alone = || {
            let built_in = Self::built_in_ids().into_iter().filter_map(|id| Self::built_in(id).ok());
            built_in.filter(|pack| pack.settings.based_on.is_none())
        };
        if let Some(base) = stand_alone().find(|pack| pack.settings.jurisdiction.eq_ignore_ascii_case(own)) {
            return self.weaker_than(&base, base.id());
        }
        let stand_alone: Vec<Self> = stand_alone().collect();
        let known: Vec<&str> = stand_alone.iter().map(|pack| pack.settings.jurisdiction.as_str()).collect();
        let known = known.join(", ");
        let unknown = Weaker {
            key: "jurisdiction".to_owned(),
            value: format!("{own:?}"),
            than: FLOOR.to_owned(),
            due: format!(
                "one that is built in ({known}): a pack of any other is held against this one alone"
            ),
            due_zh: format!("内置的管辖（{known}）：其他管辖的规则包仅与本包比较"),
        };
        let floor = stand_alone.iter().find(|pack| pack.id() == FLOOR);
        let less = floor.map(|floor| self.weaker_than(floor, FLOOR)).unwrap_or_default();
        [unknown].into_iter().chain(less).collect()
    }

    /// What it asks less for than the pack in force, and which of its orders it would drop from a day on.
    #[must_use]
    pub fn weaker_than_in_force(&self, in_force: &Self, day: Date) -> Vec<Weaker> {
        let hash: String = in_force.hash().chars().take(PackRef::HASH_DIGITS_MIN).collect();
        let than = format!("{} {hash}", in_force.id());
        let mut less = self.weaker_than(in_force, &than);
        // An order may be over by that day.
        less.retain(|one| one.key != "local");
        less.extend(self.dropped(in_force, &than, day));
        less
    }

    fn weaker_than(&self, base: &Self, than: &str) -> Vec<Weaker> {
        let stated = self.stated();
        let value = |key: &str| stated.iter().find(|one| one.key == key).map(|one| one.value.clone());
        let found = weakened(&base.settings, &self.settings).into_iter();
        found
            .chain(chosen(&base.settings, &self.settings))
            .map(|Less { key, value: holds, due, due_zh }| {
                let value = holds.or_else(|| value(&key)).unwrap_or_else(|| "–".to_owned());
                Weaker { key, value, than: than.to_owned(), due, due_zh }
            })
            .collect()
    }

    /// Orders of another pack, the one in force, that this one has not, or of fewer donors or for a shorter time, as far as
    /// they are of what is taken from a day on.
    fn dropped(&self, in_force: &Self, than: &str, day: Date) -> Vec<Weaker> {
        let own = &self.settings;
        let is_dropped = |local: &&Local| {
            let due = local.asked().and_then(|due| due.since(day));
            due.is_some_and(|due| !own.asked().any(|asked| asked.covers(&due)))
        };
        let dropped = in_force.settings.local.iter().filter(is_dropped).map(|local| {
            let alike = own.local.iter().filter(|one| one.marker == local.marker);
            let value = alike.map(Local::said).collect::<Vec<_>>().join(", ");
            let value = if value.is_empty() { "–".to_owned() } else { value };
            let (due, due_zh) = at_least(local.said());
            Weaker { key: "local".to_owned(), value, than: than.to_owned(), due, due_zh }
        });
        dropped.collect()
    }
}

/// A key that asks for less, and what would be as strict.
pub(super) struct Less {
    pub(super) key: String,
    /// What holds, where that is not what is written under the key.
    value: Option<String>,
    pub(super) due: String,
    pub(super) due_zh: String,
}

/// What would be as strict, in both languages.
type Due = (String, String);

fn exactly(value: &str) -> Due {
    (value.to_owned(), value.to_owned())
}

fn at_least(value: impl Display) -> Due {
    (format!("at least {value}"), format!("不低于 {value}"))
}

fn at_most(value: impl Display) -> Due {
    (format!("at most {value}"), format!("不高于 {value}"))
}

/// The keys that are weaker than in the base.
pub(super) fn weakened(base: &Settings, own: &Settings) -> Vec<Less> {
    let mut found = Vec::new();
    let mut keep = |stands: bool, key: &str, (due, due_zh): Due| {
        if !stands {
            found.push(Less { key: key.to_owned(), value: None, due, due_zh });
        }
    };
    tests(&base.tests, &own.tests, &mut keep);
    strategies(base, own, &mut keep);
    serology(base, own, &mut keep);
    orders(base, own, &mut keep);
    nucleic(base, own, &mut keep);
    let (b, o) = (&base.alt, &own.alt);
    keep(o.limit_u_l.value <= b.limit_u_l.value, "alt.limit_u_l", at_most(b.limit_u_l.value));
    keep(o.retest.value <= b.retest.value, "alt.retest", at_most(b.retest.value));
    group(base, own, &mut keep);
    keep(
        own.release.two_person.value || !base.release.two_person.value,
        "release.two_person",
        exactly("true"),
    );
    let barred = &base.release.override_forbidden.value;
    let names: Vec<&str> = barred.iter().map(|gate| gate.name()).collect();
    let all = barred.iter().all(|gate| own.release.override_forbidden.value.contains(gate));
    keep(all, "release.override_forbidden", at_least(names.join(", ")));
    donor(&base.donor, &own.donor, &mut keep);
    let years = [
        ("retention.records_years", base.retention.records_years.value, own.retention.records_years.value),
        ("retention.audit_years", base.retention.audit_years.value, own.retention.audit_years.value),
    ];
    as_many(years, &mut keep);
    let from = base.effective_from.value;
    keep(
        own.effective_from.value >= from,
        "effective_from",
        (format!("{from} or later"), format!("不早于 {from}")),
    );
    found.extend(reagents::cuts(base, own));
    found
}

/// What a laboratory may choose for itself, and lets pass more than in the base.
fn chosen(base: &Settings, own: &Settings) -> Vec<Less> {
    let mut found = reagents::chosen(base, own);
    // Blood of a DEL donor under a negative label may sensitise who receives it.
    let label = |settings: &Settings| settings.group.del_label.value;
    if label(base) == DelLabel::Positive && label(own) != DelLabel::Positive {
        let (due, due_zh) = exactly("\"POS\"");
        found.push(Less { key: "group.del_label".to_owned(), value: None, due, due_zh });
    }
    found
}

/// A key, what the base says, and what is said here.
type Beside<T> = (&'static str, T, T);

/// Numbers of which more is stricter: here no fewer than in the base.
fn as_many<T: PartialOrd + Display>(
    numbers: impl IntoIterator<Item = Beside<T>>,
    keep: &mut impl FnMut(bool, &str, Due),
) {
    for (key, below, above) in numbers {
        keep(above >= below, key, at_least(below));
    }
}

/// Limits: one that the base sets is set here too, and not above it.
fn as_tight<'s, T: PartialOrd + Display + 's>(
    limits: impl IntoIterator<Item = Beside<&'s Option<Setting<T>>>>,
    keep: &mut impl FnMut(bool, &str, Due),
) {
    for (key, below, above) in limits {
        if let Some(most) = below {
            keep(within(most, above.as_ref()), key, at_most(&most.value));
        }
    }
}

fn within<T: PartialOrd>(most: &Setting<T>, own: Option<&Setting<T>>) -> bool {
    own.is_some_and(|own| own.value <= most.value)
}

fn nucleic(base: &Settings, own: &Settings, keep: &mut impl FnMut(bool, &str, Due)) {
    let (b, o) = (&base.nat, &own.nat);
    if let Some(most) = &b.pool_members_max {
        let theirs = o.pool_members_max.as_ref();
        let stands = within(most, theirs) && o.mode.value.members_max <= most.value;
        keep(stands, "nat.pool_members_max", at_most(most.value));
    }
    let further = b.further.as_ref().map_or(&[][..], |f| f.value.as_slice());
    let theirs = o.further.as_ref().map_or(&[][..], |f| f.value.as_slice());
    let names: Vec<&str> = further.iter().map(|v| v.name()).collect();
    keep(further.iter().all(|v| theirs.contains(v)), "nat.further", at_least(names.join(", ")));
    let limits = [
        ("nat.ic_ct_max", &b.ic_ct_max, &o.ic_ct_max),
        ("nat.store_within_hours", &b.store_within_hours, &o.store_within_hours),
        ("nat.centrifuge_within_hours", &b.centrifuge_within_hours, &o.centrifuge_within_hours),
    ];
    as_tight(limits, keep);
}

/// What an authority orders in the base is asked for here too, of as many donors and for as long.
fn orders(base: &Settings, own: &Settings, keep: &mut impl FnMut(bool, &str, Due)) {
    for local in &base.local {
        let due = local.asked();
        let stands = due.is_none_or(|due| own.asked().any(|asked| asked.covers(&due)));
        keep(stands, "local", at_least(format!("{} by {}", local.marker, local.order)));
    }
}

fn group(base: &Settings, own: &Settings, keep: &mut impl FnMut(bool, &str, Due)) {
    let (b, o) = (&base.group, &own.group);
    let grades = [
        ("group.forward_min", b.forward_min.value, o.forward_min.value),
        ("group.reverse_min", b.reverse_min.value, o.reverse_min.value),
        ("group.anti_d_min", b.anti_d_min.value, o.anti_d_min.value),
    ];
    for (key, below, above) in grades {
        keep(above.0 >= below.0, key, at_least(below.0.name()));
    }
    let plus = |group: &super::settings::Group| group.bare_plus_positive.as_ref().map(|plus| plus.value);
    keep(plus(b) != Some(false) || plus(o) != Some(true), "group.bare_plus_positive", exactly("false"));
    let counts = [
        ("group.iat_reagents_min", b.iat_reagents_min.value, o.iat_reagents_min.value),
        (
            "group.first_time_determinations",
            b.first_time_determinations.value,
            o.first_time_determinations.value,
        ),
    ];
    as_many(counts, keep);
}

fn donor(base: &DonorRules, own: &DonorRules, keep: &mut impl FnMut(bool, &str, Due)) {
    let months = [
        ("donor.lookback_months", base.lookback_months.value, own.lookback_months.value),
        ("donor.reentry_months", base.reentry_months.value, own.reentry_months.value),
    ];
    as_many(months, keep);
    terms(base, own, keep);
    let days = [
        ("donor.quarantine_days", &base.quarantine_days, &own.quarantine_days),
        ("donor.notify_days", &base.notify_days, &own.notify_days),
        ("donor.recipient_notice_days", &base.recipient_notice_days, &own.recipient_notice_days),
    ];
    as_tight(days, keep);
    let defers = |once: ReactiveOnce| match once {
        ReactiveOnce::Defer => true,
        ReactiveOnce::NoDeferral => false,
    };
    let core = [base, own].map(|rules| defers(rules.anti_hbc_once.value));
    // A base that says nothing of anti-HTLV stands under the same clause with it as with anti-HBc (21 CFR 610.41).
    let base_htlv = base.anti_htlv_once.as_ref().map_or(core[0], |once| defers(once.value));
    let own_htlv = own.anti_htlv_once.as_ref().is_none_or(|once| defers(once.value));
    keep(core[1] || !core[0], "donor.anti_hbc_once", exactly("\"DEFER\""));
    keep(own_htlv || !base_htlv, "donor.anti_htlv_once", exactly("\"DEFER\""));
}

/// Marker by marker: no shorter than what the base says of it, in a term of its own or for all.
fn terms(base: &DonorRules, own: &DonorRules, keep: &mut impl FnMut(bool, &str, Due)) {
    let names: BTreeSet<&str> = base.term.iter().chain(&own.term).map(|term| term.marker.as_str()).collect();
    for name in names {
        let (below, above) = (base.lookback_months_of(name), own.lookback_months_of(name));
        keep(
            above >= below,
            &own.key_of(name, "lookback_months"),
            at_least(format!("{below} months for {name}")),
        );
        let (below, above) = (base.wait_of(name), own.wait_of(name));
        let field = if above.days > 0 { "reentry_days" } else { "reentry_months" };
        let (en, zh) = below.in_words();
        let due = (format!("at least {en} for {name}"), format!("{name} 不低于 {zh}"));
        keep(above.covers(below), &own.key_of(name, field), due);
        let (below, above) = (base.temporary_days_of(name), own.temporary_days_of(name));
        keep(
            above >= below,
            &own.key_of(name, "temporary_days"),
            at_least(format!("{below} days for {name}")),
        );
    }
}

fn switch_rank(switch: Switch) -> u8 {
    match switch {
        Switch::Off => 0,
        Switch::FirstTime => 1,
        Switch::On => 2,
    }
}

/// Whether every donation that the base asks about is asked about here too.
fn screens_as_many(base: AntibodyScreen, own: AntibodyScreen) -> bool {
    base == AntibodyScreen::Off || own == AntibodyScreen::EveryDonation || own == base
}

fn tests(base: &Tests, own: &Tests, keep: &mut impl FnMut(bool, &str, Due)) {
    keep(own.alt.value || !base.alt.value, "tests.alt", exactly("true"));
    keep(switch_rank(own.htlv.value) >= switch_rank(base.htlv.value), "tests.htlv", exactly("\"on\""));
    let core = |tests: &Tests| tests.anti_hbc.as_ref().map_or(0, |s| switch_rank(s.value));
    keep(core(own) >= core(base), "tests.anti_hbc", exactly("\"on\""));
    let screened = screens_as_many(base.ab_screen.value, own.ab_screen.value);
    keep(screened, "tests.ab_screen", exactly("\"every_donation\""));
}

fn strategies(base: &Settings, own: &Settings, keep: &mut impl FnMut(bool, &str, Due)) {
    let (b, o) = (&base.strategy, &own.strategy);
    for (key, below, above) in [
        ("strategy.hbv", b.hbv.value, o.hbv.value),
        ("strategy.hcv", b.hcv.value, o.hcv.value),
        ("strategy.hiv", b.hiv.value, o.hiv.value),
        ("strategy.tp", b.tp.value, o.tp.value),
    ] {
        let stands = above.reagents_min() >= below.reagents_min()
            && (above.has_nat() || !below.has_nat())
            && (above.has_distinct_makers() || !below.has_distinct_makers());
        keep(stands, key, demand(below));
    }
}

fn demand(strategy: Strategy) -> Due {
    let two = strategy.reagents_min() > 1;
    let (reagents, reagents_zh) =
        if two { ("two reagents", "两种试剂") } else { ("one reagent", "一种试剂") };
    let (makers, makers_zh) = if strategy.has_distinct_makers() {
        (" of different makers", "（不同厂家）")
    } else {
        ("", "")
    };
    let (nat, nat_zh) = if strategy.has_nat() { (" and NAT", "加核酸检测") } else { ("", "") };
    (
        format!("a strategy with at least {reagents}{makers}{nat}"),
        format!("至少{reagents_zh}{makers_zh}{nat_zh}的策略"),
    )
}

fn serology(base: &Settings, own: &Settings, keep: &mut impl FnMut(bool, &str, Due)) {
    let (b, o) = (&base.sero, &own.sero);
    keep(o.cut.value <= b.cut.value, "sero.cut", at_most(b.cut.value));
    if let Some(grey) = &b.gz_low {
        let stands = o.gz_low.as_ref().is_some_and(|own| own.value <= grey.value);
        keep(stands, "sero.gz_low", at_most(grey.value));
        let counts = o.gz_as_initial_reactive.value || !b.gz_as_initial_reactive.value;
        keep(counts, "sero.gz_as_initial_reactive", exactly("true"));
    }
    keep(o.od_floor.value >= b.od_floor.value, "sero.od_floor", at_least(b.od_floor.value));
    keep(o.sco_floor.value >= b.sco_floor.value, "sero.sco_floor", at_least(b.sco_floor.value));
    keep(o.same_lot.value || !b.same_lot.value, "sero.same_lot", exactly("true"));
}
