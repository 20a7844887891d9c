//! Rows of blood grouping, column by column, as determinations.

use super::unusable;
use crate::facts::Fact;
use crate::hex::hex;
use crate::measurement::{Origin, Used};
use release::evidence::{Del, Grades, Grouping, GroupingSample, Validity};
use sha2::{Digest, Sha256};
use vocabulary::{AboGroup, Interpretation, Marker, MarkerKind, Observation, RhD, RunId};

/// One determination: its rows came with one message, in one run, from one material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Determination {
    /// The message.
    pub(crate) message: u64,
    /// The run as the analyser names it.
    pub(crate) run: Option<RunId>,
    /// What it was made from.
    pub(crate) sample: GroupingSample,
    /// The last of the entries that say what its rows mean.
    pub(crate) entry: u64,
    /// Its columns.
    pub(crate) grouping: Grouping,
    /// What tells its run from one of the same name.
    origin: Origin,
}

impl Determination {
    /// Whether its run goes by this name: its own, or that of the window which it lies in.
    pub(crate) fn is_of(&self, run: &RunId) -> bool {
        self.run.as_ref() == Some(run) || self.grouping.run.as_ref() == Some(run)
    }

    /// SHA-256 of its columns and of what was reported of them: what a person saw who says that it stands. Not of its run,
    /// nor of where its rows stood.
    pub(crate) fn columns(&self) -> String {
        let Grouping {
            anti_a,
            anti_b,
            anti_ab,
            a1_cells,
            a2_cells,
            b_cells,
            o_cells,
            auto,
            control,
            anti_d,
            iat_d,
            coated_cells,
            dat,
            del,
            reported_abo,
            reported_rhd,
            validity,
            sample: _,
            resolves: _,
            sets_aside: _,
            why: _,
            run: _,
            analyser_run: _,
        } = &self.grouping;
        let singles = [
            ("anti_a", anti_a),
            ("anti_b", anti_b),
            ("anti_ab", anti_ab),
            ("a1_cells", a1_cells),
            ("a2_cells", a2_cells),
            ("b_cells", b_cells),
            ("o_cells", o_cells),
            ("auto", auto),
            ("control", control),
            ("dat", dat),
        ];
        let said = (self.sample, del, reported_abo, reported_rhd, validity);
        // Plain names. If they could not be written, no word would fit them.
        let said = serde_json::to_string(&said).unwrap_or_else(|error| format!("{error} {said:?}"));
        // Columns that are not there are not named: words stay when a later release knows more of them.
        let singles = singles
            .into_iter()
            .filter_map(|(name, grade)| grade.as_ref().map(|grade| format!("{name} {grade}")));
        let lists = [("anti_d", anti_d), ("iat_d", iat_d), ("coated_cells", coated_cells)].into_iter();
        let lists =
            lists.filter(|(_, grades)| grades.iter().any(|all| !all.0.is_empty())).map(|(name, grades)| {
                let mut all: Vec<String> =
                    grades.iter().flat_map(|g| &g.0).map(ToString::to_string).collect();
                all.sort_unstable();
                format!("{name} {}", all.join(" "))
            });
        let text = [said].into_iter().chain(singles).chain(lists).collect::<Vec<_>>().join("\n");
        hex(Sha256::digest(text.as_bytes()))
    }

    fn new(home: u64, fact: &Fact) -> Self {
        let sample = if fact.segment { GroupingSample::Segment } else { GroupingSample::Tube };
        Self {
            message: home,
            run: fact.observation.run.clone(),
            sample,
            entry: 0,
            origin: Origin::of(fact),
            grouping: Grouping {
                run: fact.run().cloned(),
                sample: fact.segment.then_some(GroupingSample::Segment),
                ..Grouping::default()
            },
        }
    }

    /// The same, with other columns, which are not valid.
    fn with(&self, columns: Grouping, why: &str) -> Self {
        let grouping = Grouping { validity: Some(Validity::Invalid), why: Some(why.to_owned()), ..columns };
        Self { grouping, ..self.clone() }
    }

    fn has(&self, home: u64, fact: &Fact) -> bool {
        let segment = self.sample == GroupingSample::Segment;
        (self.message, self.grouping.run.as_ref(), segment) == (home, fact.run(), fact.segment)
    }
}

/// The rows of one message and one run are one determination.
pub(crate) fn groupings(measured: &[Used<'_>]) -> Vec<Determination> {
    let mut all: Vec<Determination> = Vec::new();
    for Used { fact, home } in
        measured.iter().filter(|m| m.fact.observation.marker.kind() == MarkerKind::Grouping)
    {
        let at = all.iter().position(|one| one.has(*home, fact)).unwrap_or_else(|| {
            all.push(Determination::new(*home, fact));
            all.len() - 1
        });
        let Some(one) = all.get_mut(at) else { continue };
        one.entry = one.entry.max(fact.entry);
        one.origin.add(fact);
        let before = one.grouping.clone();
        if let Err(why) = column(&mut one.grouping, fact) {
            // A column that came twice and says two things: both are heard.
            let is_read = column(&mut Grouping::default(), fact).is_ok();
            let other = (is_read && before != one.grouping).then(|| one.with(before, &why));
            one.grouping.validity = Some(Validity::Invalid);
            one.grouping.why = Some(why);
            all.extend(other);
        }
    }
    // Antigens beside ABO and D are no grouping, and nothing of one is missing in them.
    all.retain(|one| {
        let Grouping { sample, run, .. } = &one.grouping;
        one.grouping != Grouping { sample: *sample, run: run.clone(), ..Grouping::default() }
    });
    name_shared_runs(&mut all);
    all
}

/// Determinations in parts of one run are told to be of that run; what stands alone in its own says no more than its part. Nor
/// is a run another one because it came over another line as well.
fn name_shared_runs(all: &mut [Determination]) {
    let mut first: Vec<usize> = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let is_same = |other: &Determination| {
            one.run.is_some() && (other.run == one.run || other.origin.may_be_one_run(&one.origin))
        };
        let before = all.iter().zip(&first).find(|(other, _)| is_same(other)).map(|(_, first)| *first);
        first.push(before.unwrap_or(at));
    }
    let shared = |at: &usize| {
        let is_shared = first.iter().filter(|other| *other == at).count() > 1;
        all.get(*at).filter(|_| is_shared).and_then(|one| one.run.clone())
    };
    let shared: Vec<Option<RunId>> = first.iter().map(shared).collect();
    for (one, shared) in all.iter_mut().zip(shared) {
        one.grouping.analyser_run = shared.filter(|run| one.grouping.run.as_ref() != Some(run));
    }
}

/// Puts one row where it belongs; a row that says nothing usable makes the determination invalid.
fn column(grouping: &mut Grouping, fact: &Fact) -> Result<(), String> {
    let observation = &fact.observation;
    let marker = observation.marker;
    if let Some((_, why)) = unusable(observation) {
        return Err(format!("{marker}: {why}"));
    }
    let nothing = || format!("{marker}: {:?} is no usable reaction", observation.value.raw);
    let grade = observation.value.grade.ok_or_else(&nothing);
    let twice = || format!("{marker} was sent twice in one determination");
    let once = |slot: &mut Option<_>| match slot.replace(grade.clone()?) {
        None => Ok(()),
        Some(_) => Err(twice()),
    };
    let listed = |slot: &mut Option<Grades>| {
        slot.get_or_insert_with(Grades::default).0.push(grade.clone()?);
        Ok(())
    };
    match marker {
        Marker::AntiA => once(&mut grouping.anti_a),
        Marker::AntiB => once(&mut grouping.anti_b),
        Marker::AntiAB => once(&mut grouping.anti_ab),
        Marker::A1Cells => once(&mut grouping.a1_cells),
        Marker::A2Cells => once(&mut grouping.a2_cells),
        Marker::BCells => once(&mut grouping.b_cells),
        Marker::OCells => once(&mut grouping.o_cells),
        Marker::GroupControl => once(&mut grouping.control),
        Marker::Dat => once(&mut grouping.dat),
        Marker::AntiD => listed(&mut grouping.anti_d),
        Marker::DIat => listed(&mut grouping.iat_d),
        Marker::CoatedCells => listed(&mut grouping.coated_cells),
        Marker::Del => summary(&mut grouping.del, del(observation).ok_or_else(nothing)?, twice),
        // A summary that is there and names no type says that the analyser could not type it.
        Marker::Abo => summary(&mut grouping.reported_abo, abo(observation).ok_or_else(nothing)?, twice),
        Marker::RhD => summary(&mut grouping.reported_rhd, rhd(observation).ok_or_else(nothing)?, twice),
        Marker::Phenotype => Ok(()),
        Marker::HBsAg
        | Marker::AntiHbc
        | Marker::AntiHcv
        | Marker::Hiv
        | Marker::Syphilis
        | Marker::Htlv
        | Marker::AntiMalaria
        | Marker::AntiTCruzi
        | Marker::Nat
        | Marker::HbvDna
        | Marker::HcvRna
        | Marker::HivRna
        | Marker::HevRna
        | Marker::WnvRna
        | Marker::MalariaRna
        | Marker::BabesiaRna
        | Marker::Alt
        | Marker::AntibodyScreen => Err(format!("{marker} is no column of a grouping")),
    }
}

/// Puts a summary where none is yet; the last one stays.
fn summary<T>(slot: &mut Option<T>, said: T, twice: impl FnOnce() -> String) -> Result<(), String> {
    match slot.replace(said) {
        None => Ok(()),
        Some(_) => Err(twice()),
    }
}

fn del(observation: &Observation) -> Option<Del> {
    match observation.value.interpretation? {
        Interpretation::Reactive | Interpretation::Positive => Some(Del::Positive),
        Interpretation::NonReactive | Interpretation::Negative => Some(Del::Negative),
        Interpretation::GreyZone
        | Interpretation::Indeterminate
        | Interpretation::Invalid
        | Interpretation::Valid
        | Interpretation::A
        | Interpretation::B
        | Interpretation::AB
        | Interpretation::O => None,
    }
}

fn abo(observation: &Observation) -> Option<AboGroup> {
    match observation.value.interpretation? {
        Interpretation::A => Some(AboGroup::A),
        Interpretation::B => Some(AboGroup::B),
        Interpretation::AB => Some(AboGroup::AB),
        Interpretation::O => Some(AboGroup::O),
        Interpretation::Reactive
        | Interpretation::NonReactive
        | Interpretation::GreyZone
        | Interpretation::Indeterminate
        | Interpretation::Invalid
        | Interpretation::Valid
        | Interpretation::Positive
        | Interpretation::Negative => None,
    }
}

fn rhd(observation: &Observation) -> Option<RhD> {
    match observation.value.interpretation? {
        Interpretation::Positive => Some(RhD::Positive),
        Interpretation::Negative => Some(RhD::Negative),
        Interpretation::Reactive
        | Interpretation::NonReactive
        | Interpretation::GreyZone
        | Interpretation::Indeterminate
        | Interpretation::Invalid
        | Interpretation::Valid
        | Interpretation::A
        | Interpretation::B
        | Interpretation::AB
        | Interpretation::O => None,
    }
}
