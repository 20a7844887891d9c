//! One determination: forward and reverse columns, control, and D (rules.md §1.6, rows G1 to G3 and G6 to G10).

use super::patterns::{self, Candidate, Columns};
use crate::evidence::{Del, Grouping, GroupingSample, Validity};
use crate::notes::Notes;
use crate::pack::{DelLabel, RulePack, WeakDLabel};
use crate::runs::{Runs, Standing};
use crate::say::{Said, said};
use crate::test::Test;
use crate::trace::{Subject, Trace};
use crate::verdict::Flag;
use vocabulary::{AboGroup, BloodGroup, Grade, RhD, Strength};

/// What the ABO columns say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Abo {
    Group(AboGroup),
    Missing(Vec<&'static str>),
    /// These columns react, nobody told how strongly, and the pack does not take that for positive.
    StrengthNotTold(Vec<&'static str>),
    Discrepant(Vec<&'static Candidate>),
}

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
    /// The direct antiglobulin test is positive (G10).
    Unreadable,
    Discrepant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Usable,
    Invalid,
    Waiting,
    Empty,
}

pub(super) struct Determination<'e> {
    pub(super) grouping: &'e Grouping,
    number: usize,
    state: State,
    pub(super) abo: Abo,
    pub(super) rhd: Rhd,
    alone: Alone,
}

/// What single columns say, each for itself: whether the antigen is there, where the column is clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Alone {
    /// By anti-A and anti-B.
    forward: [Option<bool>; 2],
    /// By anti-A,B, where neither of them was run: whether either antigen is there.
    either: Option<bool>,
    /// By A1 and B cells.
    reverse: [Option<bool>; 2],
    /// By the D columns, whether or not the sample's own control was run.
    rhd: Option<RhD>,
}

impl Determination<'_> {
    pub(super) fn is_usable(&self) -> bool {
        self.state == State::Usable
    }
    pub(super) fn is_invalid(&self) -> bool {
        self.state == State::Invalid
    }
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting | State::Empty)
    }
    pub(super) fn is_empty(&self) -> bool {
        self.state == State::Empty
    }
    /// Its own columns disagree, whatever became of its run.
    pub(super) fn is_discrepant(&self) -> bool {
        matches!(self.abo, Abo::Discrepant(_)) || self.rhd == Rhd::Discrepant
    }
    /// Its ABO columns do not tell how strongly they react, whatever became of its run.
    pub(super) fn is_untold(&self) -> bool {
        matches!(self.abo, Abo::StrengthNotTold(_))
    }
    /// Whether any forward column, or the D columns, say another group than this one. One is enough.
    pub(super) fn shows_other_cells(&self, group: BloodGroup) -> bool {
        let other = |has: Option<bool>, wanted: bool| has.is_some_and(|has| has != wanted);
        let by_abo = group.abo.is_some_and(|abo| {
            let ([has_a, has_b], [a, b]) = (antigens(abo), self.alone.forward);
            other(a, has_a) || other(b, has_b) || other(self.alone.either, abo != AboGroup::O)
        });
        by_abo || matches!((self.alone.rhd, group.rhd), (Some(one), Some(other)) if one != other)
    }
    /// Whether any reverse column says another group than this one: an antibody that should not be there, or none.
    pub(super) fn shows_other_serum(&self, group: BloodGroup) -> bool {
        group.abo.is_some_and(|abo| {
            self.alone.reverse.into_iter().zip(antigens(abo)).any(|(has, wanted)| has == Some(!wanted))
        })
    }
    /// Columns that make an ABO group are missing.
    pub(super) fn lacks_columns(&self) -> bool {
        matches!(self.abo, Abo::Missing(_))
    }
    /// Of a segment of the bag, and not of the sample tube.
    pub(super) fn is_of_segment(&self) -> bool {
        self.grouping.sample == Some(GroupingSample::Segment)
    }
    /// What it says for itself.
    pub(super) fn group(&self) -> BloodGroup {
        let abo = match &self.abo {
            Abo::Group(group) => Some(*group),
            Abo::Missing(_) | Abo::StrengthNotTold(_) | Abo::Discrepant(_) => None,
        };
        let rhd = match &self.rhd {
            Rhd::Type { rhd, .. } => Some(*rhd),
            Rhd::Missing(_)
            | Rhd::StrengthNotTold(_)
            | Rhd::AntiglobulinOpen
            | Rhd::Unreadable
            | Rhd::Discrepant => None,
        };
        BloodGroup { abo, rhd }
    }
    pub(super) fn test(&self) -> Test<'static> {
        Test::Grouping(self.number)
    }
}

pub(super) fn judge<'e>(
    number: usize,
    grouping: &'e Grouping,
    pack: &RulePack,
    runs: &Runs<'_>,
    notes: &mut Notes<'_>,
) -> Determination<'e> {
    let state = state(grouping, runs);
    let abo = abo(grouping, pack);
    let (rhd, by_columns) = rhd(grouping, pack);
    let alone = Alone { rhd: by_columns, ..alone(grouping, pack) };
    let one = Determination { grouping, number, state, abo, rhd, alone };
    notes.trace(|trace| {
        let row = match (state, &one.abo) {
            (State::Invalid, _) => "G1",
            (_, Abo::Group(_)) => "G2",
            (_, Abo::Discrepant(_)) => "G3",
            (_, Abo::Missing(_) | Abo::StrengthNotTold(_)) => "1.6",
        };
        let outcome = match state {
            State::Invalid => "INVALID".into(),
            State::Waiting => "waits for its run".into(),
            State::Empty => "no result yet".into(),
            State::Usable => came_to(&one.abo, &one.rhd),
        };
        trace_inputs(grouping, trace.line(row, Subject::Test(&one.test()), outcome));
    });
    one
}

/// What the columns come to. Nearly all come to one of eight, whose words stand ready: a decision is made often, and its
/// words are seldom read.
fn came_to(abo: &Abo, rhd: &Rhd) -> Said {
    match (abo, rhd) {
        (Abo::Group(abo), Rhd::Type { rhd, flags }) if flags.is_empty() => usual(*abo, *rhd).into(),
        (_, _) => said!("ABO {:?}; RhD {:?}", short(abo), rhd),
    }
}

fn usual(abo: AboGroup, rhd: RhD) -> &'static str {
    match (abo, rhd) {
        (AboGroup::O, RhD::Positive) => "ABO \"O\"; RhD Type { rhd: Positive, flags: [] }",
        (AboGroup::A, RhD::Positive) => "ABO \"A\"; RhD Type { rhd: Positive, flags: [] }",
        (AboGroup::B, RhD::Positive) => "ABO \"B\"; RhD Type { rhd: Positive, flags: [] }",
        (AboGroup::AB, RhD::Positive) => "ABO \"AB\"; RhD Type { rhd: Positive, flags: [] }",
        (AboGroup::O, RhD::Negative) => "ABO \"O\"; RhD Type { rhd: Negative, flags: [] }",
        (AboGroup::A, RhD::Negative) => "ABO \"A\"; RhD Type { rhd: Negative, flags: [] }",
        (AboGroup::B, RhD::Negative) => "ABO \"B\"; RhD Type { rhd: Negative, flags: [] }",
        (AboGroup::AB, RhD::Negative) => "ABO \"AB\"; RhD Type { rhd: Negative, flags: [] }",
    }
}

fn short(abo: &Abo) -> String {
    match abo {
        Abo::Group(group) => group.to_string(),
        Abo::Missing(columns) => format!("missing {}", columns.join(", ")),
        Abo::StrengthNotTold(columns) => format!("+ without a strength: {}", columns.join(", ")),
        Abo::Discrepant(_) => "discrepant".to_owned(),
    }
}

fn trace_inputs(g: &Grouping, line: &mut Trace) {
    for (name, grade) in columns(g) {
        if let Some(grade) = grade {
            line.grade(name, grade);
        }
    }
    let lists = [("anti_d", &g.anti_d), ("iat_d", &g.iat_d), ("coated_cells", &g.coated_cells)];
    for (name, grades) in lists {
        match grades.as_ref().map(|grades| grades.0.as_slice()) {
            Some([one]) => {
                line.grade(name, *one);
            }
            Some(several) => {
                let all: Vec<String> = several.iter().map(ToString::to_string).collect();
                line.text(name, &all.join(" "));
            }
            None => {}
        }
    }
    if let Some(run) = &g.run {
        line.text("run", run.as_str());
    }
}

fn columns(g: &Grouping) -> [(&'static str, Option<Grade>); 10] {
    [
        ("anti_a", g.anti_a),
        ("anti_b", g.anti_b),
        ("anti_ab", g.anti_ab),
        ("a1_cells", g.a1_cells),
        ("a2_cells", g.a2_cells),
        ("b_cells", g.b_cells),
        ("o_cells", g.o_cells),
        ("auto", g.auto),
        ("control", g.control),
        ("dat", g.dat),
    ]
}

fn state(g: &Grouping, runs: &Runs<'_>) -> State {
    let nothing =
        columns(g).iter().all(|(_, grade)| grade.is_none()) && g.anti_d.is_none() && g.iat_d.is_none();
    let control_reacts = g.control.is_some_and(|grade| !grade.is_zero());
    match (runs.standing(g.run.as_ref()), g.validity) {
        (_, Some(Validity::Invalid)) => State::Invalid,
        (_, _) if nothing => State::Empty,
        (Standing::Invalid | Standing::OutOfControl, _) => State::Invalid,
        (Standing::Open, _) | (_, Some(Validity::Open)) => State::Waiting,
        // G1: the sample's own control reacted.
        (Standing::Good | Standing::Unknown, None | Some(Validity::Valid)) if control_reacts => {
            State::Invalid
        }
        (Standing::Good | Standing::Unknown, None | Some(Validity::Valid)) => State::Usable,
    }
}

/// A reaction as grouping reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reaction {
    Negative,
    Positive,
    /// Weak, mixed field, double population, or a remark without a place on the scale.
    Doubtful,
}

/// `min` is the weakest reaction that counts. A bare `+` counts here: whoever may not take it was stopped before.
fn reaction(grade: Grade, min: Strength, haemolysis_is_positive: bool) -> Reaction {
    if grade.is_zero() {
        return Reaction::Negative;
    }
    if grade.mixed_field || grade.double_population {
        return Reaction::Doubtful;
    }
    if grade.haemolysis {
        // Serum that destroys the cells has found its antigen; in a forward column it has not.
        return if haemolysis_is_positive { Reaction::Positive } else { Reaction::Doubtful };
    }
    match grade.strength {
        Some(strength) if strength >= min => Reaction::Positive,
        None if grade.bare_plus => Reaction::Positive,
        Some(_) | None => Reaction::Doubtful,
    }
}

/// Columns with a bare `+`, where the pack does not say that it is enough.
fn strength_not_told(columns: &[(&'static str, &[Grade])], pack: &RulePack) -> Vec<&'static str> {
    let enough = pack.settings().group.bare_plus_positive.as_ref().is_some_and(|plus| plus.value);
    let bare = columns.iter().filter(|(_, grades)| !enough && grades.iter().any(|grade| grade.bare_plus));
    bare.map(|(name, _)| *name).collect()
}

fn abo(g: &Grouping, pack: &RulePack) -> Abo {
    let limits = &pack.settings().group;
    let forward = |grade: Grade| reaction(grade, limits.forward_min.value.0, false);
    let reverse = |grade: Grade| reaction(grade, limits.reverse_min.value.0, true);
    let (Some(anti_a), Some(anti_b), Some(a1), Some(b)) = (g.anti_a, g.anti_b, g.a1_cells, g.b_cells) else {
        let needed =
            [("anti-A", g.anti_a), ("anti-B", g.anti_b), ("A1 cells", g.a1_cells), ("B cells", g.b_cells)];
        return Abo::Missing(
            needed.iter().filter(|(_, grade)| grade.is_none()).map(|(name, _)| *name).collect(),
        );
    };
    let others: Vec<Grade> = [g.anti_ab, g.a2_cells, g.o_cells, g.auto].into_iter().flatten().collect();
    let untold = strength_not_told(
        &[
            ("anti-A", &[anti_a]),
            ("anti-B", &[anti_b]),
            ("A1 cells", &[a1]),
            ("B cells", &[b]),
            ("other columns", &others),
        ],
        pack,
    );
    if !untold.is_empty() {
        return Abo::StrengthNotTold(untold);
    }
    let group = match (forward(anti_a), forward(anti_b), reverse(a1), reverse(b)) {
        (Reaction::Positive, Reaction::Negative, Reaction::Negative, Reaction::Positive) => Some(AboGroup::A),
        (Reaction::Negative, Reaction::Positive, Reaction::Positive, Reaction::Negative) => Some(AboGroup::B),
        (Reaction::Positive, Reaction::Positive, Reaction::Negative, Reaction::Negative) => {
            Some(AboGroup::AB)
        }
        (Reaction::Negative, Reaction::Negative, Reaction::Positive, Reaction::Positive) => Some(AboGroup::O),
        (_, _, _, _) => None,
    };
    let group = group.filter(|group| others_agree(*group, g, &forward, &reverse));
    match group {
        // G1 needs the control; what agrees without it is not final.
        Some(_) if g.control.is_none() => Abo::Missing(vec!["control"]),
        Some(group) => Abo::Group(group),
        None => {
            let seen = Columns { anti_a, anti_b, a1_cells: a1, b_cells: b, o_cells: g.o_cells, auto: g.auto };
            Abo::Discrepant(patterns::candidates(&seen))
        }
    }
}

/// A and B of a group.
fn antigens(group: AboGroup) -> [bool; 2] {
    match group {
        AboGroup::O => [false, false],
        AboGroup::A => [true, false],
        AboGroup::B => [false, true],
        AboGroup::AB => [true, true],
    }
}

/// What the ABO columns say, each for itself.
fn alone(g: &Grouping, pack: &RulePack) -> Alone {
    let limits = &pack.settings().group;
    let enough = limits.bare_plus_positive.as_ref().is_some_and(|plus| plus.value);
    let clear = |grade: Option<Grade>, min: Strength, haemolysis_is_positive: bool| {
        let grade = grade.filter(|grade| enough || !grade.bare_plus)?;
        match reaction(grade, min, haemolysis_is_positive) {
            Reaction::Positive => Some(true),
            Reaction::Negative => Some(false),
            Reaction::Doubtful => None,
        }
    };
    let forward = |grade: Option<Grade>| clear(grade, limits.forward_min.value.0, false);
    // Serum that reacts with the cells has the antibody, and its donor not the antigen.
    let reverse = |grade: Option<Grade>| clear(grade, limits.reverse_min.value.0, true).map(|found| !found);
    let neither = g.anti_a.is_none() && g.anti_b.is_none();
    Alone {
        forward: [forward(g.anti_a), forward(g.anti_b)],
        either: forward(g.anti_ab.filter(|_| neither)),
        reverse: [reverse(g.a1_cells), reverse(g.b_cells)],
        rhd: None,
    }
}

/// Columns that a centre may run beside the four: where they are there, they have to fit.
fn others_agree(
    group: AboGroup,
    g: &Grouping,
    forward: &impl Fn(Grade) -> Reaction,
    reverse: &impl Fn(Grade) -> Reaction,
) -> bool {
    let has_a = matches!(group, AboGroup::A | AboGroup::AB);
    let expected = |positive: bool| if positive { Reaction::Positive } else { Reaction::Negative };
    let fits = |grade: Option<Grade>, read: &dyn Fn(Grade) -> Reaction, wanted: Reaction| {
        grade.is_none_or(|grade| read(grade) == wanted)
    };
    fits(g.anti_ab, forward, expected(group != AboGroup::O))
        && fits(g.a2_cells, reverse, expected(!has_a))
        && fits(g.o_cells, reverse, Reaction::Negative)
        && fits(g.auto, reverse, Reaction::Negative)
        && g.reported_abo.is_none_or(|reported| reported == group)
}

/// What the D columns come to, and the type that they say without regard to the control.
fn rhd(g: &Grouping, pack: &RulePack) -> (Rhd, Option<RhD>) {
    let found = by_d_columns(g, pack);
    let alone = match &found {
        Rhd::Type { rhd, .. } => Some(*rhd),
        Rhd::Missing(_)
        | Rhd::StrengthNotTold(_)
        | Rhd::AntiglobulinOpen
        | Rhd::Unreadable
        | Rhd::Discrepant => None,
    };
    let found = match found {
        Rhd::Type { .. } if g.control.is_none() => Rhd::Missing(vec!["control"]),
        Rhd::Type { rhd, .. } if g.reported_rhd.is_some_and(|reported| reported != rhd) => Rhd::Discrepant,
        Rhd::Type { .. }
        | Rhd::Missing(_)
        | Rhd::StrengthNotTold(_)
        | Rhd::AntiglobulinOpen
        | Rhd::Unreadable
        | Rhd::Discrepant => found,
    };
    (found, alone)
}

fn by_d_columns(g: &Grouping, pack: &RulePack) -> Rhd {
    let immediate = match &g.anti_d {
        Some(grades) if !grades.0.is_empty() => &grades.0,
        Some(_) | None => return Rhd::Missing(vec!["anti-D"]),
    };
    let iat = g.iat_d.as_ref().map_or(&[][..], |grades| &grades.0);
    let untold = strength_not_told(&[("anti-D", immediate), ("anti-D (IAT)", iat)], pack);
    if !untold.is_empty() {
        return Rhd::StrengthNotTold(untold);
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
        by_antiglobulin(g, pack)
    }
}

/// G7 to G10: negative or weak at the immediate phase.
fn by_antiglobulin(g: &Grouping, pack: &RulePack) -> Rhd {
    let settings = &pack.settings().group;
    if g.dat.is_some_and(|grade| !grade.is_zero()) {
        return Rhd::Unreadable;
    }
    let iat = g.iat_d.as_ref().map(|grades| grades.0.as_slice()).unwrap_or_default();
    if iat.iter().any(|grade| grade.mixed_field || grade.double_population) {
        return Rhd::Discrepant;
    }
    if iat.iter().any(|grade| !grade.is_zero()) {
        return match settings.weak_d_label.value {
            WeakDLabel::Positive => Rhd::Type { rhd: RhD::Positive, flags: vec![Flag::WeakD] },
        };
    }
    let coated = g.coated_cells.as_ref().map(|grades| grades.0.as_slice()).unwrap_or_default();
    let proves = |grade: &Grade| reaction(*grade, Strength::One, false) == Reaction::Positive;
    if iat.len() < settings.iat_reagents_min.value || !coated.iter().all(proves) {
        return Rhd::AntiglobulinOpen;
    }
    let weak_before = g.anti_d.as_ref().is_some_and(|grades| grades.0.iter().any(|grade| !grade.is_zero()));
    if weak_before {
        // A reaction at the immediate phase that the antiglobulin test does not find again.
        return Rhd::Discrepant;
    }
    match (g.del, settings.del_label.value) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_ready_are_those_that_would_be_made() {
        for abo in [AboGroup::O, AboGroup::A, AboGroup::B, AboGroup::AB] {
            for rhd in [RhD::Positive, RhD::Negative] {
                let (group, factor) = (Abo::Group(abo), Rhd::Type { rhd, flags: Vec::new() });
                assert_eq!(usual(abo, rhd), format!("ABO {:?}; RhD {factor:?}", short(&group)));
            }
        }
    }
}
