//! The naive reading of §1.6: every determination on one list, and every question asked of all of them.

use super::{Standing, standing};
use release::evidence::{Del, Evidence, Grouping, GroupingSample, Validity};
use std::collections::BTreeSet;
use vocabulary::{AboGroup, Grade, RhD, RunId, Strength};

pub(super) struct Group {
    pub(super) determined: bool,
    pub(super) good: bool,
}

/// What becomes of a determination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Usable,
    Waits,
    /// Its run fell.
    Fell,
    /// Its own control reacted, or its test is not valid; its run is none that fell.
    Bad,
}

/// D of one determination, without regard to its control column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum D {
    AtOnce,
    Weak,
    Negative,
    Open,
    Bad,
    None,
}

fn tested_beside(g: &Grouping) -> bool {
    g.iat_d.is_some() || g.coated_cells.is_some() || g.dat.is_some() || g.del.is_some()
}

fn fate(e: &Evidence, g: &Grouping) -> Fate {
    let own = [g.anti_a, g.anti_b, g.anti_ab, g.a1_cells, g.b_cells, g.o_cells, g.control];
    let empty = own == [None; 7] && g.anti_d.is_none() && !tested_beside(g);
    let run = standing(e, g.run.as_ref());
    let fell = matches!(run, Standing::Invalid | Standing::Out);
    if g.validity == Some(Validity::Invalid) {
        return if fell { Fate::Fell } else { Fate::Bad };
    }
    if empty {
        return Fate::Waits;
    }
    if fell {
        return Fate::Fell;
    }
    if run == Standing::Open {
        return Fate::Waits;
    }
    if g.control.is_some_and(|c| !c.is_zero()) { Fate::Bad } else { Fate::Usable }
}

fn is_bag(g: &Grouping) -> bool {
    g.sample == Some(GroupingSample::Segment)
}

/// The analyser's own run.
fn own_run(g: &Grouping) -> Option<RunId> {
    if g.analyser_run.is_some() { g.analyser_run.clone() } else { g.run.clone() }
}

fn missing(g: &Grouping) -> bool {
    [g.anti_a, g.anti_b, g.a1_cells, g.b_cells].contains(&None)
}

/// Some(true): reacts strongly enough; Some(false): 0; nothing: not run or not clear.
fn clear(grade: Option<Grade>, min: Strength) -> Option<bool> {
    match grade {
        Some(grade) if grade.is_zero() => Some(false),
        Some(grade) if !grade.has_remark() && grade.strength.is_some_and(|s| s >= min) => Some(true),
        _ => None,
    }
}

/// What the four columns agree on, and the others with them; without regard to the control.
fn columns(g: &Grouping) -> Option<AboGroup> {
    let a = clear(g.anti_a, Strength::Three)?;
    let b = clear(g.anti_b, Strength::Three)?;
    if clear(g.a1_cells, Strength::Two)? == a || clear(g.b_cells, Strength::Two)? == b {
        return None;
    }
    let group = match (a, b) {
        (true, false) => AboGroup::A,
        (false, true) => AboGroup::B,
        (true, true) => AboGroup::AB,
        (false, false) => AboGroup::O,
    };
    let ab = g.anti_ab.is_none() || clear(g.anti_ab, Strength::Three) == Some(a || b);
    let o = g.o_cells.is_none() || clear(g.o_cells, Strength::Two) == Some(false);
    let said = g.reported_abo.is_none_or(|said| said == group);
    Some(group).filter(|_| ab && o && said)
}

/// The group; what agrees without the control is none.
fn abo(g: &Grouping) -> Option<AboGroup> {
    columns(g).filter(|_| g.control.is_some())
}

/// Whether all four are there and do not agree.
fn contradicts_itself(g: &Grouping) -> bool {
    !missing(g) && columns(g).is_none()
}

fn has(group: AboGroup) -> (bool, bool) {
    (matches!(group, AboGroup::A | AboGroup::AB), matches!(group, AboGroup::B | AboGroup::AB))
}

/// Whether a clear forward column cannot be of this group.
fn other_cells(g: &Grouping, group: AboGroup) -> bool {
    let (a, b) = has(group);
    clear(g.anti_a, Strength::Three) == Some(!a)
        || clear(g.anti_b, Strength::Three) == Some(!b)
        || clear(g.anti_ab, Strength::Three) == Some(!(a || b))
}

/// Whether a clear reverse column cannot.
fn other_serum(g: &Grouping, group: AboGroup) -> bool {
    let (a, b) = has(group);
    clear(g.a1_cells, Strength::Two) == Some(a) || clear(g.b_cells, Strength::Two) == Some(b)
}

/// Whether a column of a mixed field is among those that ran, or one that reacts at all where this group has nothing; a weak
/// one only where the determination can be used.
fn blurred(g: &Grouping, group: AboGroup, usable: bool) -> bool {
    let (a, b) = has(group);
    [(g.anti_a, a), (g.anti_b, b), (g.anti_ab, a || b), (g.a1_cells, !a), (g.b_cells, !b), (g.o_cells, false)]
        .into_iter()
        .filter_map(|(grade, reacts)| Some((grade?, reacts)))
        .any(|(grade, reacts)| grade.has_remark() || (usable && !reacts && !grade.is_zero()))
}

fn iat(g: &Grouping) -> Vec<Grade> {
    g.iat_d.as_ref().map(|g| g.0.clone()).unwrap_or_default()
}

fn at_once(g: &Grouping) -> Option<Grade> {
    g.anti_d.as_ref().map(|g| g.0[0])
}

/// Whether an antiglobulin test with two reagents found nothing, and none of the coated cells failed: its own, and those that
/// came alone in its run.
fn found_nothing(all: &[(&Grouping, Fate)], at: usize) -> bool {
    let (g, _) = all[at];
    if iat(g).len() < 2 || iat(g).iter().any(|g| !g.is_zero()) {
        return false;
    }
    for (n, (other, fate)) in all.iter().enumerate() {
        let apart = *fate == Fate::Usable
            && is_bag(other) == is_bag(g)
            && other.iat_d.is_none()
            && own_run(other) == own_run(g);
        let failed = |c: &Grade| c.strength.is_none_or(|s| s < Strength::One) || c.mixed_field;
        if (n == at || apart) && other.coated_cells.as_ref().is_some_and(|all| all.0.iter().any(failed)) {
            return false;
        }
    }
    true
}

fn d(all: &[(&Grouping, Fate)], at: usize) -> D {
    let (g, _) = all[at];
    let Some(immediate) = at_once(g) else { return D::None };
    if immediate.strength.is_some_and(|s| s >= Strength::Two) {
        return D::AtOnce;
    }
    let (mut reacts, mut nothing, mut dels) = (false, false, BTreeSet::new());
    for (n, (other, fate)) in all.iter().enumerate() {
        if n != at && (*fate != Fate::Usable || is_bag(other) != is_bag(g)) {
            continue;
        }
        if other.dat.is_some_and(|grade| !grade.is_zero()) {
            return D::Bad;
        }
        reacts |= iat(other).iter().any(|g| !g.is_zero());
        nothing |= found_nothing(all, n);
        dels.extend(other.del.map(|del| del == Del::Positive));
    }
    match (reacts, nothing) {
        (true, true) => D::Bad,
        (true, false) => D::Weak,
        (false, false) => D::Open,
        (false, true) if !immediate.is_zero() || dels.len() > 1 => D::Bad,
        (false, true) => D::Negative,
    }
}

/// The type that counts: with its control, and the analyser's summary agrees.
fn told(g: &Grouping, d: D) -> (Option<RhD>, bool) {
    let rhd = match d {
        D::AtOnce | D::Weak => RhD::Positive,
        D::Negative => RhD::Negative,
        D::Open | D::Bad | D::None => return (None, d == D::Bad),
    };
    if g.control.is_none() {
        return (None, false);
    }
    let before_iat = d == D::Weak && iat(g).is_empty();
    if !before_iat && g.reported_rhd.is_some_and(|said| said != rhd) {
        return (None, true);
    }
    (Some(rhd), false)
}

/// Whether anything of D, clear in itself, cannot be of this type.
fn other_d(all: &[(&Grouping, Fate)], at: usize, rhd: RhD, strong: bool, antiglobulin: bool) -> bool {
    let (g, _) = all[at];
    if antiglobulin && g.dat.is_some_and(|grade| !grade.is_zero()) {
        return true;
    }
    if told(g, d(all, at)).0 == Some(rhd) {
        return false;
    }
    let tests = iat(g);
    if rhd == RhD::Negative {
        return at_once(g).is_some_and(|grade| !grade.is_zero())
            || tests.iter().any(|grade| !grade.is_zero())
            || g.reported_rhd == Some(RhD::Positive);
    }
    let zero_at_once = at_once(g).is_some_and(Grade::is_zero);
    let zero = !tests.is_empty() && tests.iter().all(|g| g.is_zero());
    let weak_cells = |c: &Grade| c.strength.is_none_or(|s| s < Strength::One) || c.mixed_field;
    let proven = !g.coated_cells.as_ref().is_some_and(|all| all.0.iter().any(weak_cells));
    let does_not_know = !strong && g.anti_d.is_some() && tests.is_empty();
    (strong && (zero_at_once || zero))
        || (zero && tests.len() >= 2 && proven)
        || g.del == Some(Del::Negative)
        || (g.reported_rhd == Some(RhD::Negative) && !does_not_know)
}

/// Whether tube and bag hold two groups, or nobody can say what the tube holds.
fn wrong_tube(all: &[(&Grouping, Fate)]) -> bool {
    let said = |at: usize| (abo(all[at].0), told(all[at].0, d(all, at)).0);
    let pairs: Vec<(usize, usize)> = (0..all.len())
        .flat_map(|tube| (0..all.len()).map(move |bag| (tube, bag)))
        .filter(|(tube, bag)| !is_bag(all[*tube].0) && is_bag(all[*bag].0))
        .collect();
    let both = |tube: usize, bag: usize| all[tube].1 == Fate::Usable && all[bag].1 == Fate::Usable;
    let cleared = pairs.iter().any(|(t, b)| both(*t, *b) && said(*t).0.is_some() && said(*t) == said(*b));
    for (tube, bag) in pairs {
        let ((ta, td), (ba, bd)) = (said(tube), said(bag));
        let differ = (ta.is_some() && ba.is_some() && ta != ba) || (td.is_some() && bd.is_some() && td != bd);
        if differ && (both(tube, bag) || !cleared) {
            return true;
        }
        let Some(group) = ba.filter(|_| !cleared) else { continue };
        let g = all[tube].0;
        // Whatever its control: the type that its D columns say.
        let typed = match d(all, tube) {
            D::AtOnce | D::Weak => Some(RhD::Positive),
            D::Negative => Some(RhD::Negative),
            D::Open | D::Bad | D::None => None,
        };
        let other_type = typed.is_some() && bd.is_some() && typed != bd;
        let itself = contradicts_itself(g) || told(g, d(all, tube)).1 && !unreadable(all, tube);
        if itself
            || (missing(g) || g.control.is_none())
                && (other_cells(g, group) || other_serum(g, group) || other_type)
        {
            return true;
        }
    }
    false
}

/// A direct antiglobulin test of its material that is positive.
fn unreadable(all: &[(&Grouping, Fate)], at: usize) -> bool {
    let (g, _) = all[at];
    let weak = at_once(g).is_some_and(|grade| grade.strength.is_none_or(|s| s < Strength::Two));
    let near = |n: usize| n == at || (all[n].1 == Fate::Usable && is_bag(all[n].0) == is_bag(g));
    weak && (0..all.len()).any(|n| near(n) && all[n].0.dat.is_some_and(|grade| !grade.is_zero()))
}

pub(super) fn group(e: &Evidence, uses: &mut BTreeSet<Option<RunId>>) -> Group {
    let all: Vec<(&Grouping, Fate)> = e.grouping.iter().map(|g| (g, fate(e, g))).collect();
    let usable: Vec<usize> = (0..all.len()).filter(|at| all[*at].1 == Fate::Usable).collect();
    let waiting = all.iter().any(|(_, fate)| *fate == Fate::Waits);
    let types: Vec<(Option<RhD>, bool)> = (0..all.len()).map(|at| told(all[at].0, d(&all, at))).collect();
    let all_abo: BTreeSet<AboGroup> = usable.iter().filter_map(|at| abo(all[*at].0)).collect();
    let all_rhd: BTreeSet<RhD> = usable.iter().filter_map(|at| types[*at].0).collect();
    let any = |wanted: &[D]| usable.iter().any(|at| types[*at].0.is_some() && wanted.contains(&d(&all, *at)));
    let (strong, antiglobulin) = (any(&[D::AtOnce]), any(&[D::Weak, D::Negative]));
    let one_abo = all_abo.first().copied().filter(|_| all_abo.len() == 1);
    let one_rhd = all_rhd.first().copied().filter(|_| all_rhd.len() == 1);
    // The last of a tube and of a bag that both say the whole group: what came before the later of them is explained.
    let last = |bag: bool| {
        let says = |at: &&usize| {
            is_bag(all[**at].0) == bag && (abo(all[**at].0), types[**at].0) == (one_abo, one_rhd)
        };
        usable.iter().rfind(says).copied()
    };
    let explained = match (last(false), last(true)) {
        (Some(tube), Some(bag)) if one_abo.is_some() && one_rhd.is_some() => tube.max(bag),
        _ => 0,
    };
    let contradicted = (explained..all.len()).any(|at| {
        let (g, fate) = all[at];
        let abo_differs = one_abo.is_some_and(|group| {
            other_cells(g, group)
                || other_serum(g, group)
                || clear(g.o_cells, Strength::Two) == Some(true)
                || blurred(g, group, fate == Fate::Usable)
                || g.reported_abo.is_some_and(|said| said != group)
        });
        let d_differs = one_rhd.is_some_and(|rhd| other_d(&all, at, rhd, strong, antiglobulin));
        matches!(fate, Fate::Usable | Fate::Bad) && (abo_differs || d_differs)
    });
    let discrepant = wrong_tube(&all)
        || contradicted
        || usable.iter().any(|at| contradicts_itself(all[*at].0) || types[*at].1)
        || all_abo.len() > 1
        || all_rhd.len() > 1;
    let determined = one_abo.is_some() && one_rhd.is_some() && !discrepant;
    let iat_open = usable.iter().any(|at| d(&all, *at) == D::Open);
    let mut good = determined && !waiting && !iat_open;
    let whole: Vec<&Grouping> = usable
        .iter()
        .filter(|at| abo(all[**at].0).is_some() && types[**at].0.is_some())
        .map(|at| all[*at].0)
        .collect();
    let grouped: Vec<&Grouping> = usable.iter().map(|at| all[*at].0).filter(|g| abo(g).is_some()).collect();
    good &= donor_agrees(e, (one_abo, one_rhd), &whole, &grouped);
    // Whatever keeps the status from final keeps the unusable ones in sight.
    let is_final = good || (determined && e.donor.is_none() && !waiting && !iat_open);
    let nothing = |g: &Grouping| {
        let own = [g.anti_a, g.anti_b, g.anti_ab, g.a1_cells, g.b_cells, g.o_cells, g.control];
        own == [None; 7] && g.anti_d.is_none() && !tested_beside(g) && g.validity != Some(Validity::Invalid)
    };
    for (g, fate) in &all {
        if (*fate == Fate::Usable || !is_final) && !nothing(g) {
            uses.insert(g.run.clone());
        }
    }
    Group { determined, good }
}

/// History, field pre-test, and how often it was determined.
fn donor_agrees(
    e: &Evidence,
    (abo, rhd): (Option<AboGroup>, Option<RhD>),
    whole: &[&Grouping],
    grouped: &[&Grouping],
) -> bool {
    let Some(donor) = &e.donor else { return false };
    let history = donor.history.unwrap_or_default();
    let mut good = history.abo.is_none_or(|h| Some(h) == abo) && history.rhd.is_none_or(|h| Some(h) == rhd);
    let mut known = history.abo.is_some() && history.rhd.is_some();
    for earlier in
        donor.earlier.iter().filter(|one| one.group_refuted_by.is_none()).filter_map(|one| one.group)
    {
        good &= earlier.abo.is_none_or(|h| Some(h) == abo) && earlier.rhd.is_none_or(|h| Some(h) == rhd);
        known |= earlier.is_final && earlier.abo.is_some() && earlier.rhd.is_some();
    }
    let known = donor.first_time == Some(false) && known;
    let runs: BTreeSet<_> = whole.iter().map(|g| (own_run(g), is_bag(g))).collect();
    good &= runs.len() >= if known { 1 } else { 2 };
    if donor.field_abo.is_some_and(|field| Some(field) != abo) {
        good &= grouped.iter().any(|g| is_bag(g));
    }
    good
}
