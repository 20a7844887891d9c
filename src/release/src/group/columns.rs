//! One determination: forward and reverse columns, and control (rules.md §1.6, rows G1 to G3). Of D see `rhd`.

use super::patterns::{self, Candidate, Columns};
use super::rhd::{self, Rhd};
use crate::evidence::{Grades, Grouping, GroupingSample, Resolution, Validity};
use crate::notes::Notes;
use crate::pack::RulePack;
use crate::runs::{Runs, Standing};
use crate::say::{Said, Say, said};
use crate::test::Test;
use crate::trace::{Subject, Trace};
use vocabulary::{AboGroup, BloodGroup, Grade, RhD, RunId, Strength};

/// What the ABO columns say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Abo {
    Group(AboGroup),
    Missing(Vec<&'static str>),
    /// These columns react, nobody told how strongly, and the pack does not take that for positive.
    StrengthNotTold(Vec<&'static str>),
    Discrepant(Vec<&'static Candidate>),
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
    /// Its run is invalid or out of control.
    fell: bool,
    pub(super) abo: Abo,
    pub(super) rhd: Rhd,
    alone: Alone,
}

/// What single columns say, each for itself: whether the antigen is there, where the column is clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Alone {
    /// By anti-A and anti-B.
    forward: [Option<bool>; 2],
    /// By anti-A,B: whether either antigen is there.
    either: Option<bool>,
    /// By A1 and B cells.
    reverse: [Option<bool>; 2],
    /// By the D columns, whether or not the sample's own control was run.
    rhd: Option<RhD>,
}

impl<'e> Determination<'e> {
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
    /// Whether its columns are heard against the group that the others come to: it is here, whole or not, read or not, and its
    /// run did not fall.
    pub(super) fn is_heard(&self) -> bool {
        !self.fell && !self.is_waiting()
    }
    /// Holds tests beside a grouping alone, and is none.
    pub(super) fn is_supplementary(&self) -> bool {
        is_supplementary(self.grouping)
    }
    /// Whether it is the one of this number, counted from 1.
    pub(super) fn is_number(&self, number: usize) -> bool {
        self.number == number
    }
    /// By which it is named.
    pub(super) fn name(&self) -> Named<'e> {
        Named { number: self.number, of_segment: self.is_of_segment(), run: self.grouping.run.as_ref() }
    }
    /// Its own columns disagree, whatever became of its run.
    pub(super) fn is_discrepant(&self) -> bool {
        matches!(self.abo, Abo::Discrepant(_))
            || matches!(self.rhd, Rhd::Discrepant | Rhd::IatsDisagree { .. })
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
        BloodGroup { abo, rhd: self.rhd.told() }
    }
    pub(super) fn test(&self) -> Test<'static> {
        Test::Grouping(self.number)
    }
}

/// How a determination is named in a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named<'e> {
    number: usize,
    of_segment: bool,
    run: Option<&'e RunId>,
}

impl Say for Named<'_> {
    fn en(&self) -> Said {
        let of = if self.of_segment { "bag segment" } else { "sample tube" };
        let run = self.run.map(|run| format!(", run {run}")).unwrap_or_default();
        said!("blood grouping {} ({of}{run})", self.number)
    }

    fn zh(&self) -> Said {
        let of = if self.of_segment { "血袋辫子" } else { "标本管" };
        let run = self.run.map(|run| format!("，批次 {run}")).unwrap_or_default();
        said!("第 {} 次血型鉴定（{of}{run}）", self.number)
    }
}

/// Judges each determination: ABO by its own columns, D with the antiglobulin tests of the same material. Also tells from
/// which one on they are considered: one that closed an inquiry replaces what came before it.
pub(super) fn judge<'e>(
    all: &'e [Grouping],
    pack: &RulePack,
    runs: &Runs<'_>,
    notes: &mut Notes<'_>,
) -> (Vec<Determination<'e>>, usize) {
    let states: Vec<State> = all.iter().map(|one| state(one, runs)).collect();
    let settled = |g: &Grouping| g.resolves.as_ref().is_some_and(Resolution::is_given);
    let is_last = |(state, one): (&State, &Grouping)| *state == State::Usable && settled(one);
    let from = states.iter().zip(all).rposition(is_last).unwrap_or(0);
    let judged = all.iter().zip(&states).enumerate().map(|(at, (grouping, state))| {
        let beside = |(other, one): (usize, &'e Grouping)| {
            let same = (one.sample == Some(GroupingSample::Segment))
                == (grouping.sample == Some(GroupingSample::Segment));
            let usable = states.get(other) == Some(&State::Usable);
            (other != at && same && usable && (other < from) == (at < from)).then_some((other + 1, one))
        };
        let beside: Vec<(usize, &Grouping)> = all.iter().enumerate().filter_map(beside).collect();
        let (rhd, by_columns) = rhd::judge((at + 1, grouping), &beside, pack);
        let alone = Alone { rhd: by_columns, ..alone(grouping, pack) };
        let fell = matches!(runs.standing(grouping.run.as_ref()), Standing::Invalid | Standing::OutOfControl);
        Determination { grouping, number: at + 1, state: *state, fell, abo: abo(grouping, pack), rhd, alone }
    });
    let judged: Vec<Determination<'e>> = judged.collect();
    for one in &judged {
        notes.trace(|trace| one.trace(trace));
    }
    (judged, from)
}

impl Determination<'_> {
    fn trace(&self, trace: &mut Trace) {
        let row = match (self.state, &self.abo) {
            (State::Invalid, _) => "G1",
            (_, Abo::Group(_)) => "G2",
            (_, Abo::Discrepant(_)) => "G3",
            (_, Abo::Missing(_) | Abo::StrengthNotTold(_)) => "1.6",
        };
        let outcome = match self.state {
            State::Invalid => "INVALID".into(),
            State::Waiting => "waits for its run".into(),
            State::Empty => "no result yet".into(),
            State::Usable if self.is_supplementary() => "read with the groupings of its material".into(),
            State::Usable => came_to(&self.abo, &self.rhd),
        };
        trace_inputs(self.grouping, trace.line(row, Subject::Test(&self.test()), outcome));
    }
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

/// Tests beside a grouping: antiglobulin tests of D and their coated cells, DAT, DEL.
fn has_beside(g: &Grouping) -> bool {
    let any = |grades: &Option<Grades>| grades.as_ref().is_some_and(|grades| !grades.0.is_empty());
    any(&g.iat_d) || any(&g.coated_cells) || g.dat.is_some() || g.del.is_some()
}

/// Whether there is nothing of a grouping itself, and something beside it.
pub(super) fn is_supplementary(g: &Grouping) -> bool {
    let own = [g.anti_a, g.anti_b, g.anti_ab, g.a1_cells, g.a2_cells, g.b_cells, g.o_cells, g.auto];
    own.iter().all(Option::is_none) && g.anti_d.is_none() && has_beside(g)
}

fn state(g: &Grouping, runs: &Runs<'_>) -> State {
    let nothing = columns(g).iter().all(|(_, grade)| grade.is_none()) && g.anti_d.is_none() && !has_beside(g);
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
pub(super) enum Reaction {
    Negative,
    Positive,
    /// Weak, mixed field, double population, or a remark without a place on the scale.
    Doubtful,
}

/// `min` is the weakest reaction that counts. A bare `+` counts here: whoever may not take it was stopped before.
pub(super) fn reaction(grade: Grade, min: Strength, haemolysis_is_positive: bool) -> Reaction {
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
pub(super) fn strength_not_told(columns: &[(&'static str, &[Grade])], pack: &RulePack) -> Vec<&'static str> {
    let enough = pack.settings().group.bare_plus_positive.as_ref().is_some_and(|plus| plus.value);
    let bare = columns.iter().filter(|(_, grades)| !enough && grades.iter().any(|grade| grade.bare_plus));
    bare.map(|(name, _)| *name).collect()
}

fn abo(g: &Grouping, pack: &RulePack) -> Abo {
    let limits = &pack.settings().group;
    let forward = |grade: Grade| reaction(grade, limits.forward_min.value.0, false);
    let reverse = |grade: Grade| reaction(grade, limits.reverse_min.value.0, true);
    if is_supplementary(g) {
        return Abo::Missing(Vec::new());
    }
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
pub(super) fn antigens(group: AboGroup) -> [bool; 2] {
    match group {
        AboGroup::O => [false, false],
        AboGroup::A => [true, false],
        AboGroup::B => [false, true],
        AboGroup::AB => [true, true],
    }
}

/// What a forward column says alone: whether its antigen is there, where the column is clear.
pub(super) fn clear_forward(grade: Option<Grade>, pack: &RulePack) -> Option<bool> {
    clear(grade, pack.settings().group.forward_min.value.0, false, pack)
}

/// What a reverse column says alone: whether its antibody is there.
pub(super) fn clear_reverse(grade: Option<Grade>, pack: &RulePack) -> Option<bool> {
    clear(grade, pack.settings().group.reverse_min.value.0, true, pack)
}

fn clear(grade: Option<Grade>, min: Strength, haemolysis_is_positive: bool, pack: &RulePack) -> Option<bool> {
    let enough = pack.settings().group.bare_plus_positive.as_ref().is_some_and(|plus| plus.value);
    let grade = grade.filter(|grade| enough || !grade.bare_plus)?;
    match reaction(grade, min, haemolysis_is_positive) {
        Reaction::Positive => Some(true),
        Reaction::Negative => Some(false),
        Reaction::Doubtful => None,
    }
}

/// What the ABO columns say, each for itself.
fn alone(g: &Grouping, pack: &RulePack) -> Alone {
    let forward = |grade| clear_forward(grade, pack);
    // Serum that reacts with the cells has the antibody, and its donor not the antigen.
    let reverse = |grade| clear_reverse(grade, pack).map(|found| !found);
    Alone {
        forward: [forward(g.anti_a), forward(g.anti_b)],
        either: forward(g.anti_ab),
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
