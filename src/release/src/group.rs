//! Blood group of the donation (rules.md §1.6).
//!
//! Each grouping is one determination, judged for itself (`columns`), its D with the antiglobulin tests of its material
//! (`rhd`); then determinations, single columns (`contradicted`), history and the field's pre-test are held against each other.

mod columns;
mod contradicted;
mod history;
mod patterns;
mod rhd;

use crate::evidence::{Donor, Evidence, Resolution};
use crate::notes::Notes;
use crate::pack::RulePack;
use crate::runs::Runs;
use crate::say::{Said, said};
use crate::steps::Step;
use crate::test::Test;
use crate::trace::Subject;
use crate::verdict::{Flag, GroupStatus, GroupVerdict};
pub(crate) use columns::Named;
use columns::{Abo, Determination};
use contradicted::Found;
pub(crate) use contradicted::Says;
use rhd::Rhd;
use std::collections::BTreeSet;
use vocabulary::{AboGroup, BloodGroup, DonationId, RhD};

/// What came out, with what gate 03 and gate 01 need to know.
pub(crate) struct Outcome<'e> {
    pub(crate) verdict: GroupVerdict,
    /// A determination of ABO stands (gate 01).
    pub(crate) abo_determined: bool,
    /// A determination of RhD stands (gate 01).
    pub(crate) rhd_determined: bool,
    /// What keeps the group from being final and agreeing with history (gate 03).
    pub(crate) against: Vec<Against<'e>>,
    /// Who set the donor's earlier group aside, where that was done.
    pub(crate) set_aside: Option<&'e Resolution>,
}

/// Something that stands against the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Against<'e> {
    NoGrouping,
    Invalid,
    Waiting,
    Incomplete(Vec<&'static str>),
    StrengthNotTold(Vec<&'static str>),
    Discrepant,
    DeterminationsDisagree,
    /// A single column, or a summary, of one that is not whole or not valid.
    Contradicted {
        by: Named<'e>,
        says: Says,
        group: BloodGroup,
    },
    DAntiglobulinOpen,
    DAntiglobulinDisagrees {
        positive: Named<'e>,
        negative: Named<'e>,
    },
    DUnreadable {
        by: Named<'e>,
    },
    NoDonorRecord,
    SecondDetermination {
        have: usize,
        need: usize,
    },
    History {
        now: BloodGroup,
        before: BloodGroup,
        of: Option<&'e DonationId>,
    },
    Field {
        laboratory: AboGroup,
        field: AboGroup,
    },
    Neighbour {
        donation: &'e DonationId,
    },
    WrongTube {
        tube: BloodGroup,
        bag: BloodGroup,
    },
    TubeUnclear {
        bag: BloodGroup,
    },
}

/// Judges all determinations together.
pub(crate) fn judge<'e>(
    evidence: &'e Evidence,
    pack: &RulePack,
    runs: &Runs<'_>,
    notes: &mut Notes<'e>,
) -> Outcome<'e> {
    let (all, from) = columns::judge(&evidence.grouping, pack, runs, notes);
    let considered = all.get(from..).unwrap_or_default();
    let usable: Vec<&Determination<'_>> = considered.iter().filter(|d| d.is_usable()).collect();
    let mut group = Combined::default();
    group.hold_tube_against_bag(&all, from);
    group.take_parts(considered, &usable, pack);
    let (abo, rhd) = (group.abo, group.rhd);
    group.hold_against_donor(evidence.donor.as_ref(), (&all, &usable), pack);
    group.hold_against_neighbours(evidence, &all);
    for used in considered {
        let counts = used.is_usable() || group.status != GroupStatus::Final;
        if counts && !used.is_empty() {
            notes.used(used.test(), used.grouping.run.as_ref());
        }
    }
    for against in &group.against {
        if let Some(step) = step(against) {
            notes.step(step);
        }
    }
    group.flags.sort_unstable();
    group.flags.dedup();
    notes.trace(|trace| {
        let outcome = outcome(group.status, BloodGroup { abo: group.abo, rhd: group.rhd });
        trace.line("1.6", Subject::Word("blood group"), outcome).count("determinations", usable.len());
    });
    Outcome {
        abo_determined: abo.is_some(),
        rhd_determined: rhd.is_some(),
        verdict: GroupVerdict {
            status: group.status,
            abo: group.abo,
            rhd: group.rhd,
            candidates: group.candidates.iter().map(|c| c.en).collect(),
            candidates_zh: group.candidates.iter().map(|c| c.zh).collect(),
            flags: group.flags,
            history_set_aside: group.wrong,
        },
        against: group.against,
        set_aside: group.set_aside,
    }
}

fn step<'e>(against: &Against<'e>) -> Option<Step<'e>> {
    Some(match against {
        Against::NoGrouping => Step::TestMissing(Test::Grouping(1)),
        Against::Invalid => Step::GroupAgain,
        Against::Waiting => Step::WaitForControls(Test::Grouping(1)),
        Against::Incomplete(columns) => Step::GroupColumns(columns.clone()),
        Against::StrengthNotTold(columns) => Step::GroupStrength(columns.clone()),
        Against::Discrepant | Against::DeterminationsDisagree => Step::GroupDiscrepant,
        Against::Contradicted { by, .. } => Step::GroupContradicted(*by),
        Against::DAntiglobulinDisagrees { .. } => Step::GroupIatAgain,
        Against::DAntiglobulinOpen => Step::GroupIat,
        Against::DUnreadable { .. } => Step::GroupReference,
        Against::NoDonorRecord => return None,
        Against::SecondDetermination { .. } => Step::GroupSecond,
        Against::History { now, before, of: _ } => Step::GroupHistory { laboratory: *now, history: *before },
        Against::Neighbour { donation } => Step::GroupNeighbour(donation),
        Against::WrongTube { .. } => Step::GroupWrongTube,
        Against::TubeUnclear { .. } => Step::GroupTubeAgain,
        Against::Field { laboratory, field } => Step::GroupSegment { laboratory: *laboratory, field: *field },
    })
}

/// Whether a determination says a whole group.
fn is_whole(one: &Determination<'_>) -> bool {
    let BloodGroup { abo, rhd } = one.group();
    abo.is_some() && rhd.is_some()
}

/// How many of them are independent: of other runs, or of other material.
fn independent<'d, 'e: 'd>(all: impl Iterator<Item = &'d Determination<'e>>) -> usize {
    all.map(|one| (one.grouping.whole_run(), one.is_of_segment())).collect::<BTreeSet<_>>().len()
}

/// `A RhD positive`, with `?` for what is not known.
pub(crate) fn group_name(BloodGroup { abo, rhd }: BloodGroup) -> String {
    let abo = abo.map_or_else(|| "?".to_owned(), |g| g.to_string());
    let rhd = rhd.map_or_else(|| "?".to_owned(), |d| d.to_string());
    format!("{abo} RhD {rhd}")
}

/// The group for the trace; a final one's words stand ready.
fn outcome(status: GroupStatus, group: BloodGroup) -> Said {
    if let (GroupStatus::Final, Some(abo), Some(rhd)) = (status, group.abo, group.rhd) {
        return usual(abo, rhd).into();
    }
    said!("{}: {}", status.name(), group_name(group))
}

fn usual(abo: AboGroup, rhd: RhD) -> &'static str {
    match (abo, rhd) {
        (AboGroup::O, RhD::Positive) => "final: O RhD positive",
        (AboGroup::A, RhD::Positive) => "final: A RhD positive",
        (AboGroup::B, RhD::Positive) => "final: B RhD positive",
        (AboGroup::AB, RhD::Positive) => "final: AB RhD positive",
        (AboGroup::O, RhD::Negative) => "final: O RhD negative",
        (AboGroup::A, RhD::Negative) => "final: A RhD negative",
        (AboGroup::B, RhD::Negative) => "final: B RhD negative",
        (AboGroup::AB, RhD::Negative) => "final: AB RhD negative",
    }
}

/// What several determinations say of one thing: the first of them, and whether another says something else.
struct Told<T> {
    first: Option<T>,
    differ: bool,
}

impl<T: Copy + PartialEq> Told<T> {
    const NOTHING: Self = Self { first: None, differ: false };

    fn add(&mut self, said: T) {
        self.differ |= *self.first.get_or_insert(said) != said;
    }

    fn agreed(&self) -> Option<T> {
        self.first.filter(|_| !self.differ)
    }
}

struct Combined<'e> {
    status: GroupStatus,
    abo: Option<AboGroup>,
    rhd: Option<RhD>,
    flags: Vec<Flag>,
    candidates: Vec<&'static patterns::Candidate>,
    against: Vec<Against<'e>>,
    set_aside: Option<&'e Resolution>,
    wrong: Vec<BloodGroup>,
}

impl Default for Combined<'_> {
    fn default() -> Self {
        Self {
            status: GroupStatus::Final,
            abo: None,
            rhd: None,
            flags: Vec::new(),
            candidates: Vec::new(),
            against: Vec::new(),
            set_aside: None,
            wrong: Vec::new(),
        }
    }
}

impl<'e> Combined<'e> {
    fn object(&mut self, status: GroupStatus, against: Against<'e>) {
        self.status = self.status.max(status);
        if !self.against.contains(&against) {
            self.against.push(against);
        }
    }

    /// The columns of all usable determinations.
    fn take_parts(
        &mut self,
        considered: &[Determination<'e>],
        usable: &[&Determination<'e>],
        pack: &RulePack,
    ) {
        if considered.iter().any(Determination::is_waiting) {
            self.object(GroupStatus::Pending, Against::Waiting);
        }
        if usable.iter().all(|one| one.is_supplementary()) {
            if considered.iter().any(Determination::is_invalid) {
                self.object(GroupStatus::Invalid, Against::Invalid);
            } else if self.against.is_empty() {
                self.object(GroupStatus::Pending, Against::NoGrouping);
            }
            return;
        }
        let (mut groups, mut types) = (Told::NOTHING, Told::NOTHING);
        let mut found = Found::default();
        let mut missing: BTreeSet<&'static str> = BTreeSet::new();
        for one in usable {
            match &one.abo {
                Abo::Group(group) => {
                    groups.add(*group);
                }
                Abo::Missing(columns) => missing.extend(columns),
                Abo::StrengthNotTold(columns) => {
                    self.object(GroupStatus::Discrepant, Against::StrengthNotTold(columns.clone()));
                }
                Abo::Discrepant(candidates) => {
                    self.candidates.extend(candidates);
                    self.object(GroupStatus::Discrepant, Against::Discrepant);
                }
            }
            if let Rhd::Type { rhd, flags } = &one.rhd {
                types.add(*rhd);
                self.flags.extend(flags);
                found.at_once |= !one.rhd.by_antiglobulin();
                found.by_antiglobulin |= one.rhd.by_antiglobulin();
            }
            self.hold_by_rhd(one, considered, &mut missing);
        }
        if groups.differ || types.differ {
            self.object(GroupStatus::Discrepant, Against::DeterminationsDisagree);
        }
        let group = BloodGroup { abo: groups.agreed(), rhd: types.agreed() };
        self.hold_against_columns(considered, (group, found), pack);
        let settled = self.status != GroupStatus::Discrepant;
        self.abo = group.abo.filter(|_| settled);
        self.rhd = group.rhd.filter(|_| settled);
        if self.abo.is_none() || self.rhd.is_none() {
            let missing: Vec<&'static str> = missing.into_iter().collect();
            if !missing.is_empty() && settled {
                self.object(GroupStatus::Pending, Against::Incomplete(missing));
            }
        }
    }

    /// D columns that come to no type.
    fn hold_by_rhd(
        &mut self,
        one: &Determination<'e>,
        considered: &[Determination<'e>],
        missing: &mut BTreeSet<&'static str>,
    ) {
        // Numbers are those of determinations that are considered too.
        let named = |number| considered.iter().find(|other| other.is_number(number)).unwrap_or(one).name();
        match &one.rhd {
            Rhd::Type { .. } => {}
            Rhd::Missing(columns) => missing.extend(columns),
            Rhd::StrengthNotTold(columns) => {
                self.object(GroupStatus::Discrepant, Against::StrengthNotTold(columns.clone()));
            }
            Rhd::AntiglobulinOpen => self.object(GroupStatus::Pending, Against::DAntiglobulinOpen),
            Rhd::Unreadable { by } => {
                self.object(GroupStatus::Discrepant, Against::DUnreadable { by: named(*by) });
            }
            Rhd::IatsDisagree { positive, negative } => {
                let (positive, negative) = (named(*positive), named(*negative));
                self.object(GroupStatus::Discrepant, Against::DAntiglobulinDisagrees { positive, negative });
            }
            Rhd::Discrepant => self.object(GroupStatus::Discrepant, Against::Discrepant),
        }
    }

    /// One column of any determination that cannot be of the group that the others come to holds it, be that determination
    /// whole or not, valid or not, and so does one that is weak or mixed where it should be 0: until tube and bag segment, one of them grouped after it, both say the group.
    /// Of a run that fell nothing is heard.
    fn hold_against_columns(
        &mut self,
        considered: &[Determination<'e>],
        (group, found): (BloodGroup, Found),
        pack: &RulePack,
    ) {
        let whole = group.abo.is_some() && group.rhd.is_some();
        let last = |of_segment: bool| {
            let says = |one: &Determination<'_>| one.is_usable() && one.group() == group;
            considered.iter().rposition(|one| whole && one.is_of_segment() == of_segment && says(one))
        };
        let agreed = last(false).zip(last(true)).map(|(tube, bag)| tube.max(bag));
        for (at, one) in considered.iter().enumerate() {
            if !one.is_heard() || agreed.is_some_and(|last| last > at) {
                continue;
            }
            let by_abo = || contradicted::by_abo(one, group.abo?, pack);
            let by_rhd = || contradicted::by_rhd(one, group.rhd?, found, pack);
            if let Some(says) = by_abo().or_else(by_rhd) {
                let against = Against::Contradicted { by: one.name(), says, group };
                self.object(GroupStatus::Discrepant, against);
            }
        }
    }

    /// Blood of one group in the tube and of another in the bag is two donors' blood: every result of the tube is another
    /// donation's. A closed inquiry takes the earlier group back, and not what it has shown. A tube whose own columns disagree
    /// or do not tell how strongly they react has no group to be held against the bag's: it holds too, until the tube agrees
    /// or the inquiry is closed by one of the determinations from `from` on; and where a forward column alone, or the D columns,
    /// say another group, closing changes nothing. Any of those alone hold a tube too whose other columns are missing; so does
    /// a reverse column, until the inquiry is closed.
    fn hold_tube_against_bag(&mut self, all: &[Determination<'_>], from: usize) {
        let differ = |one: BloodGroup, other: BloodGroup| {
            matches!((one.abo, other.abo), (Some(a), Some(b)) if a != b)
                || matches!((one.rhd, other.rhd), (Some(a), Some(b)) if a != b)
        };
        let agree = |tube: BloodGroup, bag: BloodGroup| tube.abo.is_some() && tube == bag;
        let pairs = || {
            let bags = all.iter().filter(|one| one.is_of_segment());
            bags.flat_map(|bag| all.iter().filter(|one| !one.is_of_segment()).map(move |tube| (tube, bag)))
        };
        let both_usable =
            |tube: &Determination<'_>, bag: &Determination<'_>| tube.is_usable() && bag.is_usable();
        // A run that falls takes its group back as little: only a tube and a bag that agree do.
        let cleared = pairs().any(|(tube, bag)| both_usable(tube, bag) && agree(tube.group(), bag.group()));
        for (one, other) in pairs().filter(|(tube, bag)| both_usable(tube, bag) || !cleared) {
            let (tube, bag) = (one.group(), other.group());
            if differ(tube, bag) {
                self.flags.push(Flag::WrongTube);
                self.object(GroupStatus::Discrepant, Against::WrongTube { tube, bag });
            }
        }
        let bags = all.iter().filter(|one| !cleared && one.is_of_segment()).map(Determination::group);
        for bag in bags.filter(|bag| bag.abo.is_some()) {
            for (at, tube) in all.iter().enumerate().filter(|(_, one)| !one.is_of_segment()) {
                let unclear = tube.is_discrepant() || tube.is_untold();
                let serum = tube.lacks_columns() && tube.shows_other_serum(bag);
                // Columns that are missing leave what the others say as it is.
                let holds = if tube.shows_other_cells(bag) {
                    unclear || tube.group().abo.is_none()
                } else {
                    (unclear || serum) && at >= from
                };
                if holds {
                    self.object(GroupStatus::Discrepant, Against::TubeUnclear { bag });
                }
            }
        }
    }

    /// Determinations, history and the field's pre-test (G4, G5, first-time donors).
    fn hold_against_donor(
        &mut self,
        donor: Option<&'e Donor>,
        (all, usable): (&[Determination<'e>], &[&Determination<'e>]),
        pack: &RulePack,
    ) {
        let Some(donor) = donor else {
            self.against.push(Against::NoDonorRecord);
            return;
        };
        let now = BloodGroup { abo: self.abo, rhd: self.rhd };
        self.hold_against_history(donor, all, now);
        self.hold_against_field(donor, usable);
        // A history that was found to be wrong proves nothing.
        let is_known =
            donor.first_time == Some(false) && history::is_whole(donor) && self.set_aside.is_none();
        let need = if is_known { 1 } else { pack.settings().group.first_time_determinations.value };
        let have = if self.set_aside.is_some() {
            independent(history::saying(all, now))
        } else {
            let whole = usable.iter().copied().filter(|one| is_whole(one));
            // Two tests of one run are not independent of each other.
            if need == 1 { whole.take(1).count() } else { independent(whole) }
        };
        if have < need && self.status != GroupStatus::Discrepant && now.abo.is_some() && now.rhd.is_some() {
            self.object(GroupStatus::Pending, Against::SecondDetermination { have, need });
        }
    }

    /// G4: any earlier group that differs holds, until two people found by tube and bag segment that it is wrong.
    fn hold_against_history(&mut self, donor: &'e Donor, all: &[Determination<'e>], now: BloodGroup) {
        let mut differing = history::differing(donor, now).peekable();
        if differing.peek().is_none() {
            return;
        }
        self.flags.push(Flag::HistoryMismatch);
        let aside = history::setting_aside(all, now);
        let is_open = |(before, _): &(BloodGroup, _)| aside.is_none_or(|(wrong, _)| !wrong.contains(before));
        let Some((before, of)) = differing.find(is_open) else {
            self.flags.push(Flag::HistorySetAside);
            self.set_aside = aside.map(|(_, said)| said);
            self.wrong = history::differing(donor, now).map(|(before, _)| before).collect();
            return;
        };
        self.flags.extend(history::bag_agrees(all, now).then_some(Flag::SegmentAgrees));
        self.object(GroupStatus::Discrepant, Against::History { now, before, of });
        // Whose blood it is stands in question, so nothing of it is reported.
        (self.abo, self.rhd) = (None, None);
    }

    /// G4: a donation beside this one in its session may be in a wrong tube: this one waits until both were grouped again
    /// from their bag segments, and agree with their tubes.
    fn hold_against_neighbours(&mut self, evidence: &'e Evidence, all: &[Determination<'_>]) {
        let abo = |one: &Determination<'_>| one.group().abo.filter(|_| one.is_usable());
        let (bags, tubes): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.is_of_segment());
        let of_tubes: Vec<AboGroup> = tubes.into_iter().filter_map(abo).collect();
        let regrouped = bags.into_iter().filter_map(abo).any(|bag| of_tubes.contains(&bag));
        for neighbour in evidence.neighbours.iter().filter(|n| !n.settled || !regrouped) {
            self.object(GroupStatus::Pending, Against::Neighbour { donation: &neighbour.donation });
        }
    }

    /// G5: the field's pre-test differs. It holds until the bag was grouped and says the same: the tube says over again what it
    /// said, and an earlier group proves the donor's blood, not whose blood is in the bag.
    fn hold_against_field(&mut self, donor: &Donor, usable: &[&Determination<'_>]) {
        let (Some(laboratory), Some(field)) = (self.abo, donor.field_abo) else { return };
        if laboratory == field {
            return;
        }
        self.flags.push(Flag::FieldMismatch);
        let says = |one: &&Determination<'_>| matches!(one.abo, Abo::Group(group) if group == laboratory);
        if !usable.iter().any(|one| one.is_of_segment() && says(one)) {
            self.object(GroupStatus::Pending, Against::Field { laboratory, field });
            self.abo = None;
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
                let group = BloodGroup { abo: Some(abo), rhd: Some(rhd) };
                assert_eq!(usual(abo, rhd), format!("final: {}", group_name(group)));
            }
        }
    }
}
