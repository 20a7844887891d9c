//! What a pack may not do to the one it is based on: it may ask for more, never for less.
//!
//! Held here are the keys that decide whether a unit can pass without something the base demands. Choices that the
//! base leaves to the laboratory (`nat.ndr`, `nat.mp_unresolved`, `sero.dup`, `invalid.*`, `fitness.*`, kit limits) are not.

use super::choices::{AntibodyScreen, Switch};
use super::settings::{Settings, Tests};
use crate::pack::Strategy;

/// The first key that is weaker than in the base, and what to write.
pub(super) fn weakened(base: &Settings, own: &Settings) -> Option<(String, String)> {
    let mut found = None;
    let mut keep = |stands: bool, key: &str, due: String| {
        if !stands && found.is_none() {
            let what = format!(
                "weaker than in {}, which a pack based on it may not be; write {due}, or leave the key out",
                base.id
            );
            found = Some((key.to_owned(), what));
        }
    };
    tests(&base.tests, &own.tests, &mut keep);
    strategies(base, own, &mut keep);
    serology(base, own, &mut keep);
    let pools = (base.nat.pool_members_max.as_ref(), own.nat.pool_members_max.as_ref());
    if let (Some(most), theirs) = pools {
        let stands =
            theirs.is_some_and(|t| t.value <= most.value) && own.nat.mode.value.members_max <= most.value;
        keep(stands, "nat.pool_members_max", format!("at most {}", most.value));
    }
    let further = base.nat.further.as_ref().map_or(&[][..], |f| f.value.as_slice());
    let theirs = own.nat.further.as_ref().map_or(&[][..], |f| f.value.as_slice());
    let names: Vec<&str> = further.iter().map(|v| v.name()).collect();
    keep(further.iter().all(|v| theirs.contains(v)), "nat.further", format!("at least {}", names.join(", ")));
    let (b, o) = (&base.alt, &own.alt);
    keep(o.limit_u_l.value <= b.limit_u_l.value, "alt.limit_u_l", format!("at most {}", b.limit_u_l.value));
    keep(o.retest.value <= b.retest.value, "alt.retest", format!("at most {}", b.retest.value));
    let (b, o) = (&base.group, &own.group);
    let grades = [
        ("group.forward_min", b.forward_min.value, o.forward_min.value),
        ("group.reverse_min", b.reverse_min.value, o.reverse_min.value),
        ("group.anti_d_min", b.anti_d_min.value, o.anti_d_min.value),
    ];
    for (key, below, above) in grades {
        keep(above.0 >= below.0, key, format!("at least {}", below.0.name()));
    }
    let plus = |group: &super::settings::Group| group.bare_plus_positive.as_ref().map(|plus| plus.value);
    keep(plus(b) != Some(false) || plus(o) != Some(true), "group.bare_plus_positive", "false".into());
    let counts = [
        ("group.iat_reagents_min", b.iat_reagents_min.value, o.iat_reagents_min.value),
        (
            "group.first_time_determinations",
            b.first_time_determinations.value,
            o.first_time_determinations.value,
        ),
    ];
    for (key, below, above) in counts {
        keep(above >= below, key, format!("at least {below}"));
    }
    keep(own.release.two_person.value || !base.release.two_person.value, "release.two_person", "true".into());
    let barred = &base.release.override_forbidden.value;
    let names: Vec<&str> = barred.iter().map(|gate| gate.name()).collect();
    let all = barred.iter().all(|gate| own.release.override_forbidden.value.contains(gate));
    keep(all, "release.override_forbidden", format!("at least {}", names.join(", ")));
    let years = [
        ("retention.records_years", base.retention.records_years.value, own.retention.records_years.value),
        ("retention.audit_years", base.retention.audit_years.value, own.retention.audit_years.value),
    ];
    for (key, below, above) in years {
        keep(above >= below, key, format!("at least {below}"));
    }
    let from = base.effective_from.value;
    keep(own.effective_from.value >= from, "effective_from", format!("{from} or later"));
    found
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

fn tests(base: &Tests, own: &Tests, keep: &mut impl FnMut(bool, &str, String)) {
    keep(own.alt.value || !base.alt.value, "tests.alt", "true".into());
    keep(switch_rank(own.htlv.value) >= switch_rank(base.htlv.value), "tests.htlv", "\"on\"".into());
    let core = |tests: &Tests| tests.anti_hbc.as_ref().map_or(0, |s| switch_rank(s.value));
    keep(core(own) >= core(base), "tests.anti_hbc", "\"on\"".into());
    let screened = screens_as_many(base.ab_screen.value, own.ab_screen.value);
    keep(screened, "tests.ab_screen", "\"every_donation\"".into());
}

fn strategies(base: &Settings, own: &Settings, keep: &mut impl FnMut(bool, &str, String)) {
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

fn demand(strategy: Strategy) -> String {
    let reagents = if strategy.reagents_min() > 1 { "two reagents" } else { "one reagent" };
    let makers = if strategy.has_distinct_makers() { " of different makers" } else { "" };
    let nat = if strategy.has_nat() { " and NAT" } else { "" };
    format!("a strategy with at least {reagents}{makers}{nat}")
}

fn serology(base: &Settings, own: &Settings, keep: &mut impl FnMut(bool, &str, String)) {
    let (b, o) = (&base.sero, &own.sero);
    keep(o.cut.value <= b.cut.value, "sero.cut", format!("at most {}", b.cut.value));
    for (at, reagent) in own.reagent.iter().enumerate() {
        // A competitive reagent is reactive below its cut; there a lower one would be weaker.
        let competitive = reagent.direction == Some(crate::evidence::Direction::Competitive);
        if let Some(cut) = &reagent.cut {
            let stands = if competitive { cut.value >= b.cut.value } else { cut.value <= b.cut.value };
            let due = if competitive { "at least" } else { "at most" };
            keep(stands, &format!("reagent[{at}].cut"), format!("{due} {}", b.cut.value));
        }
    }
    if let Some(grey) = &b.gz_low {
        let stands = o.gz_low.as_ref().is_some_and(|own| own.value <= grey.value);
        keep(stands, "sero.gz_low", format!("at most {}", grey.value));
        let counts = o.gz_as_initial_reactive.value || !b.gz_as_initial_reactive.value;
        keep(counts, "sero.gz_as_initial_reactive", "true".into());
    }
    keep(o.same_lot.value || !b.same_lot.value, "sero.same_lot", "true".into());
}
