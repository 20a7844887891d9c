//! From which signal on reagents react, held against another pack: those that either names, and all others.
//!
//! What holds is compared, and not what is written: a reagent that a pack no longer names falls back to `[sero]`.

use super::{Due, Less, at_most, exactly};
use crate::evidence::Direction;
use crate::pack::ReagentCut;
use crate::pack::choices::Setting;
use crate::pack::settings::{Reagent, Settings};
use std::collections::BTreeSet;
use vocabulary::Marker;

/// One reagent in two packs.
struct Beside<'s> {
    /// `[sero]` or `[[reagent]]`, as people find it.
    place: String,
    written: [Option<&'s Reagent>; 2],
    holds: [ReagentCut; 2],
}

/// Every reagent that either pack names, once.
fn named<'s>(base: &'s Settings, own: &'s Settings) -> Vec<Beside<'s>> {
    let all = own.reagent.iter().chain(&base.reagent);
    let names: BTreeSet<(Marker, &str)> = all.map(|one| (one.marker, one.name.as_str())).collect();
    let beside = |(marker, name): (Marker, &str)| {
        let is_it = |one: &&Reagent| one.marker == marker && one.name == name;
        let at = own.reagent.iter().position(|one| is_it(&one));
        Beside {
            place: at.map_or_else(|| format!("reagent ({marker} {name})"), |at| format!("reagent[{at}]")),
            written: [base, own].map(|pack| pack.reagent.iter().find(is_it)),
            holds: [base, own].map(|pack| pack.cut_of(marker, name)),
        }
    };
    names.into_iter().map(beside).collect()
}

impl Beside<'_> {
    /// Whether either pack says something of it: what neither does, `[sero]` answers for.
    fn says(&self, what: impl Fn(&Reagent) -> bool) -> bool {
        self.written.iter().flatten().any(|one| what(one))
    }

    fn less(&self, field: &str, value: String, (due, due_zh): Due) -> Less {
        Less { key: format!("{}.{field}", self.place), value: Some(value), due, due_zh }
    }
}

/// Reagents with a higher cut. Of a competitive one too a lower cut finds more: there it divides the cut-off.
pub(super) fn cuts(base: &Settings, own: &Settings) -> Vec<Less> {
    let higher = |one: &Beside<'_>| {
        let [below, above] = one.holds.map(|holds| holds.cut);
        let due = || one.less("cut", above.to_string(), at_most(below));
        (one.says(|reagent| reagent.cut.is_some()) && above > below).then(due)
    };
    named(base, own).iter().filter_map(higher).collect()
}

/// What a laboratory may choose, and has to be told that it chose it: which way a reagent's signal runs, and what becomes of
/// its grey zone. Where a pack knows no grey zone, what an analyser calls grey is reactive.
pub(super) fn chosen(base: &Settings, own: &Settings) -> Vec<Less> {
    let mut found = Vec::new();
    let all = Beside {
        place: "sero".to_owned(),
        written: [None, None],
        holds: [base, own].map(Settings::cut_of_others),
    };
    found.extend(grey_words(&all, true, true));
    for one in named(base, own) {
        let [there, here] = one.holds.map(|holds| holds.direction.unwrap_or(Direction::Direct));
        if there != here {
            let (en, zh) = turned(there);
            let value = direction_name(here).to_owned();
            found.push(one.less("direction", value, (en, zh)));
        }
        let [below, above] = one.holds.map(|holds| holds.gz_low);
        let zone = one.says(|reagent| reagent.gz_low.is_some());
        if let Some(below) = below.filter(|below| zone && above.is_none_or(|above| above > *below)) {
            let value = above.map_or_else(|| "–".to_owned(), |above| above.to_string());
            found.push(one.less("gz_low", value, at_most(below)));
        }
        let flag = |flag: fn(&Reagent) -> &Option<Setting<bool>>| {
            zone || one.says(|reagent| flag(reagent).is_some())
        };
        let (initial, wells) = (flag(|r| &r.gz_as_initial_reactive), flag(|r| &r.dup_uses_gz));
        found.extend(grey_words(&one, initial, wells));
    }
    found
}

/// What was reactive where it was grey, and is not here: of a first well, and of one of the duplicate round.
fn grey_words(one: &Beside<'_>, initial: bool, wells: bool) -> impl Iterator<Item = Less> {
    let lost = |said: bool, counts: fn(&ReagentCut) -> bool, field| {
        let [there, here] = one.holds.each_ref().map(counts);
        let knew = one.holds[0].gz_low.is_some();
        let due = || if knew { exactly("true") } else { unknown_zone() };
        (said && there && !here).then(|| one.less(field, "false".to_owned(), due()))
    };
    let first = lost(initial, ReagentCut::grey_is_initial_reactive, "gz_as_initial_reactive");
    first.into_iter().chain(lost(wells, ReagentCut::grey_is_duplicate_reactive, "dup_uses_gz"))
}

fn unknown_zone() -> Due {
    (
        "true: it knows no grey zone, so that what an analyser calls grey is reactive".to_owned(),
        "true：该包没有灰区，仪器报告的灰区按有反应性处理".to_owned(),
    )
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Direct => "direct",
        Direction::Competitive => "competitive",
    }
}

fn turned(there: Direction) -> Due {
    match there {
        Direction::Direct => (
            "direct: turned round, a strong signal is non-reactive; hold it against the maker's instructions"
                .to_owned(),
            "direct（直接法）：方向相反则强信号判为无反应性，请核对试剂说明书".to_owned(),
        ),
        Direction::Competitive => (
            "competitive: turned round, a weak signal is non-reactive; hold it against the maker's instructions"
                .to_owned(),
            "competitive（竞争法）：方向相反则弱信号判为无反应性，请核对试剂说明书".to_owned(),
        ),
    }
}
