//! What a determination says against the group that the others come to: one column is enough, whatever else of it is missing
//! or could not be read (rules.md §1.6, G3).

use super::columns::{Determination, antigens, clear_forward, clear_reverse};
use super::rhd::{grades, is_negative};
use crate::evidence::Del;
use crate::pack::{DelLabel, RulePack};
use crate::say::{Said, Say, said};
use vocabulary::{AboGroup, Grade, RhD};

/// What does not fit the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Column(&'static str, Grade),
    Abo(AboGroup),
    Rhd(RhD),
    Del(Del),
}

impl Say for Says {
    fn en(&self) -> Said {
        match self {
            Self::Column(name, grade) => said!("{name} {grade}"),
            Self::Abo(group) => said!("{group} by the analyser's own summary"),
            Self::Rhd(rhd) => said!("RhD {rhd} by the analyser's own summary"),
            Self::Del(Del::Positive) => "DEL positive".into(),
            Self::Del(Del::Negative) => "DEL negative".into(),
        }
    }

    fn zh(&self) -> Said {
        match self {
            Self::Column(name, grade) => said!("{name} {grade}"),
            Self::Abo(group) => said!("仪器汇总 {group}"),
            Self::Rhd(rhd) => said!("仪器汇总 RhD {rhd}"),
            Self::Del(Del::Positive) => "DEL 阳性".into(),
            Self::Del(Del::Negative) => "DEL 阴性".into(),
        }
    }
}

/// How the type of the others was found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// At once, by any of them.
    pub(super) at_once: bool,
    /// By the antiglobulin test, by any of them.
    pub(super) by_antiglobulin: bool,
}

/// The first of its ABO columns, or its summary, that cannot be of this group, or holds a whole determination too: it reacts
/// where the group asks for nothing, however weakly, or in a mixed field.
pub(super) fn by_abo(one: &Determination<'_>, group: AboGroup, pack: &RulePack) -> Option<Says> {
    let g = one.grouping;
    let [a, b] = antigens(group);
    let forward =
        [("anti-A", g.anti_a, a), ("anti-B", g.anti_b, b), ("anti-A,B", g.anti_ab, group != AboGroup::O)];
    let reverse = [
        ("A1 cells", g.a1_cells, !a),
        ("A2 cells", g.a2_cells, !a),
        ("B cells", g.b_cells, !b),
        ("O cells", g.o_cells, false),
        ("auto control", g.auto, false),
    ];
    let forward = forward.map(|(name, grade, wanted)| (name, grade, clear_forward(grade, pack), wanted));
    let reverse = reverse.map(|(name, grade, wanted)| (name, grade, clear_reverse(grade, pack), wanted));
    let mut columns = forward.into_iter().chain(reverse);
    let column = columns.find_map(|(name, grade, found, wanted)| {
        let odd = |grade: &Grade| match found {
            Some(found) => found != wanted,
            // Where the sample's own control reacts, or its test is not valid, a weak reaction is no more than that.
            None => grade.has_remark() || (one.is_usable() && !wanted && !grade.is_zero()),
        };
        Some(Says::Column(name, grade.filter(odd)?))
    });
    let summary = g.reported_abo.filter(|reported| *reported != group);
    column.or(summary.map(Says::Abo))
}

/// The first of its D columns, antiglobulin tests, DEL, or its summary, that cannot be of this type.
pub(super) fn by_rhd(one: &Determination<'_>, rhd: RhD, found: Found, pack: &RulePack) -> Option<Says> {
    let g = one.grouping;
    let dat = g.dat.filter(|grade| found.by_antiglobulin && !grade.is_zero());
    if let Some(grade) = dat {
        return Some(Says::Column("DAT", grade));
    }
    if one.rhd.told() == Some(rhd) {
        return None;
    }
    let (immediate, iat) = (grades(g.anti_d.as_ref()), grades(g.iat_d.as_ref()));
    let first = |name, all: &[Grade], zero: bool| {
        all.iter().find(|grade| grade.is_zero() == zero).map(|grade| Says::Column(name, *grade))
    };
    let (column, del) = match rhd {
        RhD::Negative => (
            first("anti-D", immediate, false).or_else(|| first("anti-D (IAT)", iat, false)),
            g.del.filter(|del| {
                *del == Del::Positive && pack.settings().group.del_label.value == DelLabel::Positive
            }),
        ),
        RhD::Positive => {
            let nothing =
                iat.iter().all(|grade| grade.is_zero()) && (found.at_once || is_negative(g, &[], pack));
            let by_iat = || first("anti-D (IAT)", iat, true).filter(|_| nothing);
            let at_once = first("anti-D", immediate, true).filter(|_| found.at_once);
            (at_once.or_else(by_iat), g.del.filter(|del| *del == Del::Negative))
        }
    };
    // A summary of the immediate phase alone does not know of a weak D.
    let of_immediate = rhd == RhD::Positive && !found.at_once && !immediate.is_empty() && iat.is_empty();
    let summary = g.reported_rhd.filter(|reported| *reported != rhd && !of_immediate);
    column.or(del.map(Says::Del)).or(summary.map(Says::Rhd))
}
