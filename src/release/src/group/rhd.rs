//! D of one determination (rules.md §1.6, rows G6 to G10). Its antiglobulin tests may have been made apart from it: those of the
//! same material are read together, whatever message they came with.

use super::columns::{Reaction, is_supplementary, reaction, strength_not_told};
use crate::evidence::{Del, Grades, Grouping};
use crate::pack::{DelLabel, RulePack, WeakDLabel};
use crate::verdict::Flag;
use vocabulary::{Grade, RhD, Strength};

/// What the D columns say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rhd {
    Type {
        rhd: RhD,
        flags: Vec<Flag>,
    },
    Missing(Vec<&'static str>),
    StrengthNotTold(Vec<&'static str>),
    /// Negative or weak at the immediate phase; the antiglobulin test is still to do (G7).
    AntiglobulinOpen,
    /// A direct antiglobulin test of the material is positive (G10): that of the determination of this number.
    Unreadable {
        by: usize,
    },
    /// An antiglobulin test that is whole found nothing, and another one of the same material reacts.
    IatsDisagree {
        positive: usize,
        negative: usize,
    },
    Discrepant,
}

impl Rhd {
    /// The type, where there is one.
    pub(super) fn told(&self) -> Option<RhD> {
        match self {
            Self::Type { rhd, .. } => Some(*rhd),
            Self::Missing(_)
            | Self::StrengthNotTold(_)
            | Self::AntiglobulinOpen
            | Self::Unreadable { .. }
            | Self::IatsDisagree { .. }
            | Self::Discrepant => None,
        }
    }

    /// Whether the type was found by the antiglobulin test (G8, G9), and not at once.
    pub(super) fn by_antiglobulin(&self) -> bool {
        matches!(self, Self::Type { rhd, flags } if *rhd == RhD::Negative || !flags.is_empty())
    }
}

/// A determination with its number.
type Numbered<'g> = (usize, &'g Grouping);

/// What the D columns of a determination come to, and the type that they say without regard to the control. `beside` are the
/// other usable determinations of the same material.
pub(super) fn judge(one: Numbered<'_>, beside: &[Numbered<'_>], pack: &RulePack) -> (Rhd, Option<RhD>) {
    let (_, g) = one;
    let found = by_d_columns(one, beside, pack);
    let alone = found.told();
    let found = match found {
        Rhd::Type { .. } if g.control.is_none() => Rhd::Missing(vec!["control"]),
        // A summary of the immediate phase does not know of an antiglobulin test that was made apart from it.
        Rhd::Type { rhd, ref flags }
            if g.reported_rhd.is_some_and(|reported| reported != rhd)
                && (rhd == RhD::Negative || flags.is_empty() || !grades(g.iat_d.as_ref()).is_empty()) =>
        {
            Rhd::Discrepant
        }
        Rhd::Type { .. }
        | Rhd::Missing(_)
        | Rhd::StrengthNotTold(_)
        | Rhd::AntiglobulinOpen
        | Rhd::Unreadable { .. }
        | Rhd::IatsDisagree { .. }
        | Rhd::Discrepant => found,
    };
    (found, alone)
}

/// The reactions of a column, none where it was not run.
pub(super) fn grades(all: Option<&Grades>) -> &[Grade] {
    all.map_or(&[], |grades| &grades.0)
}

fn by_d_columns(one: Numbered<'_>, beside: &[Numbered<'_>], pack: &RulePack) -> Rhd {
    let (_, g) = one;
    let (immediate, iat) = (grades(g.anti_d.as_ref()), grades(g.iat_d.as_ref()));
    let untold = strength_not_told(&[("anti-D", immediate), ("anti-D (IAT)", iat)], pack);
    if !untold.is_empty() {
        return Rhd::StrengthNotTold(untold);
    }
    if immediate.is_empty() {
        return match iat.iter().copied().any(is_mixed) {
            true => Rhd::Discrepant,
            false if is_supplementary(g) => Rhd::Missing(Vec::new()),
            false => Rhd::Missing(vec!["anti-D"]),
        };
    }
    let min = pack.settings().group.anti_d_min.value.0;
    let remark = |grade: &Grade| grade.has_remark();
    let strong = |grade: &Grade| reaction(*grade, min, false) == Reaction::Positive;
    if immediate.iter().any(remark) {
        Rhd::Discrepant
    } else if immediate.iter().all(strong) {
        Rhd::Type { rhd: RhD::Positive, flags: Vec::new() }
    } else if immediate.iter().any(strong) {
        // G6: two reagents have to agree where two are used.
        Rhd::Discrepant
    } else {
        by_antiglobulin(one, beside, pack)
    }
}

fn is_mixed(grade: Grade) -> bool {
    grade.mixed_field || grade.double_population
}

/// G7 to G10: negative or weak at the immediate phase.
fn by_antiglobulin(one: Numbered<'_>, beside: &[Numbered<'_>], pack: &RulePack) -> Rhd {
    let settings = &pack.settings().group;
    let together = || std::iter::once(&one).chain(beside);
    let find =
        |what: &dyn Fn(&Grouping) -> bool| together().find(|(_, g)| what(g)).map(|(number, _)| *number);
    let of = |g: &Grouping, what: fn(Grade) -> bool| grades(g.iat_d.as_ref()).iter().copied().any(what);
    if let Some(by) = find(&|g| g.dat.is_some_and(|grade| !grade.is_zero())) {
        return Rhd::Unreadable { by };
    }
    if find(&|g| of(g, is_mixed)).is_some() {
        return Rhd::Discrepant;
    }
    let positive = find(&|g| of(g, |grade| !grade.is_zero()));
    let negative = find(&|g| is_negative(g, beside, pack));
    match (positive, negative) {
        (Some(positive), Some(negative)) => return Rhd::IatsDisagree { positive, negative },
        (Some(_), None) => {
            return match settings.weak_d_label.value {
                WeakDLabel::Positive => Rhd::Type { rhd: RhD::Positive, flags: vec![Flag::WeakD] },
            };
        }
        (None, None) => return Rhd::AntiglobulinOpen,
        (None, Some(_)) => {}
    }
    let (_, g) = one;
    if grades(g.anti_d.as_ref()).iter().any(|grade| !grade.is_zero()) {
        // A reaction at the immediate phase that the antiglobulin test does not find again.
        return Rhd::Discrepant;
    }
    let mut del = together().filter_map(|(_, g)| g.del);
    let first = del.next();
    if del.any(|other| Some(other) != first) {
        return Rhd::Discrepant;
    }
    match (first, settings.del_label.value) {
        (None, _) => Rhd::Type { rhd: RhD::Negative, flags: Vec::new() },
        (Some(Del::Negative), _) => Rhd::Type { rhd: RhD::Negative, flags: vec![Flag::DelNegative] },
        (Some(Del::Positive), DelLabel::NegativeFlagged) => {
            Rhd::Type { rhd: RhD::Negative, flags: vec![Flag::DelPositive] }
        }
        (Some(Del::Positive), DelLabel::Positive) => {
            Rhd::Type { rhd: RhD::Positive, flags: vec![Flag::DelPositive] }
        }
    }
}

/// Whether the antiglobulin test of this determination found nothing with as many reagents as are asked for, and its coated
/// cells, where there are some, show that it would have. Coated cells may have come apart from it, of the same run.
pub(super) fn is_negative(g: &Grouping, beside: &[Numbered<'_>], pack: &RulePack) -> bool {
    let iat = grades(g.iat_d.as_ref());
    let apart = beside
        .iter()
        .map(|(_, other)| *other)
        .filter(|other| grades(other.iat_d.as_ref()).is_empty() && other.whole_run() == g.whole_run());
    let proves = |grade: &Grade| reaction(*grade, Strength::One, false) == Reaction::Positive;
    let mut coated = std::iter::once(g).chain(apart).flat_map(|one| grades(one.coated_cells.as_ref()));
    iat.len() >= pack.settings().group.iat_reagents_min.value
        && iat.iter().all(|grade| grade.is_zero())
        && coated.all(proves)
}
