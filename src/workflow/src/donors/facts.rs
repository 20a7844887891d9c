//! What is known of a donor and a donation beside its results, as evidence.

use super::recorded::Of;
use crate::Settings;
use crate::evidence::Determination;
use jiff::civil::Date;
use ledger::{
    DuplicateAccepted, FoundBefore, Given, GroupSettled, Lookback, MarkerBefore, NumberChecked, ReadError,
    Reader, Registered, ResultSettled, VerdictMade,
};
use release::{
    Evidence, GateId, GroupStatus, Moment,
    evidence::{
        Confirmatory, Confirmed, EarlierCall, EarlierDonation, EarlierGroup, EarlierResult, Grouping,
        LaterFinding, Neighbour, Reentry, Register, RegisterState, Resolution,
    },
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{BloodGroup, DonationId, DonationRegistration, DonorId, Marker, RunId, Virus};

/// Persons who have to close an inquiry into a blood group: it takes a discrepancy away.
const SETTLING_PERSONS: usize = 2;
/// Earlier donations of one donor that are looked at, the newest first: those of twenty years, with two in a week. Where there
/// are more the donation is held.
const EARLIER_MAX: usize = 2_000;

/// What people and earlier donations say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DonorFacts {
    /// The line in the deferral register.
    pub register: Option<Register>,
    /// Earlier donations with what they gave.
    pub earlier: Vec<EarlierDonation>,
    /// Earlier donations that nobody looked at, for there are more than are looked at.
    pub earlier_unread: usize,
    /// What was recorded by hand of this very donation, and bars it.
    pub recorded_of_itself: Vec<EarlierResult>,
    /// Later donations in which something was found that this one may have too.
    pub later: Vec<LaterFinding>,
    /// The re-entry examination.
    pub reentry: Option<Reentry>,
    /// Those of before that were approved, or had tests.
    pub came_back: Vec<Reentry>,
    /// Confirmatory tests of this donation.
    pub confirmatory: Vec<Confirmatory>,
    /// Donations beside it that may be in its tube.
    pub neighbours: Vec<Neighbour>,
    /// Who closed the inquiry into its group.
    pub groups: Vec<GroupSettled>,
    /// Who compared numbers that were typed in.
    pub numbers: Vec<NumberChecked>,
    /// Who accepted duplicates on another lot or analyser.
    pub duplicates: Vec<DuplicateAccepted>,
    /// Who said which version of a result stands.
    pub results: Vec<ResultSettled>,
}

impl DonorFacts {
    /// Gathers it. What was found later holds a donation back that has not been released; of one that has been, by the
    /// verdict that stands, the look-back is told.
    pub(crate) fn gather(
        reader: &Reader,
        (donation, is_released): (&DonationId, bool),
        registered: Option<&Registered>,
        settings: &Settings,
    ) -> Result<Self, ReadError> {
        let notes = reader.notes_of(donation)?;
        let mut facts = Self {
            confirmatory: notes.confirmatory,
            neighbours: notes.neighbours,
            groups: notes.groups,
            numbers: notes.numbers,
            duplicates: notes.duplicates,
            results: notes.results,
            ..Self::default()
        };
        // Registrations of before may name nobody; two that do are not one donor.
        let known = registered.filter(|known| known.registration.donor.named().is_some());
        let Some(registered) = known else { return Ok(facts) };
        let registration = &registered.registration;
        let donor = &registration.donor.id;
        let stands = reader.donor(donor)?;
        let taken = registration.collected_at.as_millisecond();
        let mut refuted: Vec<(&Given, BloodGroup)> = Vec::new();
        let (before, after): (Vec<Given>, Vec<Given>) = reader
            .given_by(donor)?
            .into_iter()
            .filter(|given| given.donation != *donation)
            .partition(|given| given.collected_at_ms < taken);
        facts.earlier_unread = before.len().saturating_sub(EARLIER_MAX);
        for given in before.iter().rev().take(EARLIER_MAX) {
            let (one, wrong) = earlier(reader, given, &settings.time_zone)?;
            facts.earlier.push(one);
            refuted.extend(wrong.into_iter().map(|group| (given, group)));
        }
        for one in &mut facts.earlier {
            let (taken, group) = (one.collected_at.map(Moment::at), one.group.map(EarlierGroup::group));
            let is_wrong = |(by, wrong): &&(&Given, BloodGroup)| {
                Some(*wrong) == group
                    && taken.is_some_and(|taken| taken.as_millisecond() < by.collected_at_ms)
            };
            one.group_refuted_by = refuted.iter().find(is_wrong).map(|(by, _)| by.donation.clone());
        }
        // The look-back says whether it keeps this one: not while its finding is gone, nor once two people have cleared it.
        let lookbacks = if is_released { Vec::new() } else { reader.lookbacks_at(donation)? };
        let keeping = lookbacks.into_iter().filter(|one| one.gone.is_none() && one.bars());
        facts.later = keeping
            .map(|Lookback { id, .. }| LaterFinding { donation: id.trigger, marker: id.marker })
            .collect();
        let of = Of { donation, taken_ms: taken, specimens: &settings.specimens };
        facts.add_recorded(stands.recorded().cloned().collect(), &of, &after);
        (facts.register, facts.reentry) = (stands.register, stands.reentry);
        facts.came_back = stands.came_back;
        for other in registered.other_donors() {
            facts.or_of(reader, &of, other, &settings.time_zone)?;
        }
        Ok(facts)
    }

    /// What is known of another donor who may have given it: whatever bars that one bars it too, and what is found in it
    /// looks back on that one's donations. No examination of the one takes back what is known of the other, and whose group
    /// it has is left open.
    fn or_of(
        &mut self,
        reader: &Reader,
        of: &Of<'_>,
        other: &DonorId,
        zone: &jiff::tz::TimeZone,
    ) -> Result<(), ReadError> {
        // What a test of an examination found bars it all the same.
        let cases = self.reentry.take().into_iter().chain(self.came_back.drain(..));
        self.came_back = cases.filter(|case| case.approved.is_none()).collect();
        if other.is_empty() {
            return Ok(());
        }
        let known =
            |facts: &DonorFacts, given: &Given| facts.earlier.iter().any(|e| e.donation == given.donation);
        let (before, after): (Vec<Given>, Vec<Given>) = reader
            .given_by(other)?
            .into_iter()
            .filter(|given| given.donation != *of.donation)
            .partition(|given| given.collected_at_ms < of.taken_ms);
        self.earlier_unread += before.len().saturating_sub(EARLIER_MAX);
        for given in before.iter().rev().take(EARLIER_MAX) {
            if !known(self, given) {
                self.earlier.push(EarlierDonation { group: None, ..earlier(reader, given, zone)?.0 });
            }
        }
        let stands = reader.donor(other)?;
        let without_group = |one: &EarlierDonation| EarlierDonation { group: None, ..one.clone() };
        self.add_recorded(stands.recorded().map(without_group).collect(), of, &after);
        let cases = stands.reentry.into_iter().chain(stands.came_back);
        self.came_back.extend(cases.filter(|case| case.approved.is_none()));
        self.register = graver(self.register.take(), stands.register);
        Ok(())
    }

    /// Puts it into the evidence.
    pub(crate) fn fill(&self, evidence: &mut Evidence) {
        evidence.confirmatory.extend(self.confirmatory.iter().cloned());
        evidence.neighbours.extend(self.neighbours.iter().cloned());
        if let Some(donor) = &mut evidence.donor {
            donor.register.clone_from(&self.register);
            donor.earlier.clone_from(&self.earlier);
            donor.later.clone_from(&self.later);
            donor.reentry.clone_from(&self.reentry);
            donor.came_back.clone_from(&self.came_back);
            let barred = donor.barred.take().into_iter().chain(self.of_itself()).chain(self.unread());
            let barred: Vec<String> = barred.collect();
            donor.barred = (!barred.is_empty()).then(|| barred.join("; "));
        }
    }

    /// What nobody looked at may bar issue.
    fn unread(&self) -> Option<String> {
        let unread = self.earlier_unread;
        (unread > 0).then(|| {
            format!(
                "the donor has more than {EARLIER_MAX} earlier donations, and the {unread} oldest were not looked at: compare the \
                 donor's number（该献血者既往献血超过 {EARLIER_MAX} 次，最早的 {unread} 次未查看：请核对献血者编号）"
            )
        })
    }

    /// Determinations as evidence, with what two persons said of them.
    pub(crate) fn settled(&self, all: Vec<Determination>) -> Vec<Grouping> {
        let words: Vec<_> = all.iter().map(|one| self.resolution(one, &all)).collect();
        let with = |(one, said): (Determination, Option<(Resolution, Vec<BloodGroup>)>)| {
            let (resolves, sets_aside) = said.unzip();
            Grouping { resolves, sets_aside: sets_aside.unwrap_or_default(), ..one.grouping }
        };
        all.into_iter().zip(words).map(with).collect()
    }

    /// What two persons said of a determination, and which earlier groups both of them found to be wrong; nothing while it is one.
    fn resolution(&self, of: &Determination, all: &[Determination]) -> Option<(Resolution, Vec<BloodGroup>)> {
        let said = || self.words_on(of, all);
        let by: BTreeSet<&str> = said().map(|settled| settled.done.by.as_str()).collect();
        let reason = said().next_back().map(|settled| settled.reason.clone())?;
        let mut wrong: Vec<(BloodGroup, BTreeSet<&str>)> = Vec::new();
        for word in said() {
            for group in &word.sets_aside {
                let by = word.done.by.as_str();
                match wrong.iter_mut().find(|(known, _)| known == group) {
                    Some((_, persons)) => drop(persons.insert(by)),
                    None => wrong.push((*group, BTreeSet::from([by]))),
                }
            }
        }
        wrong.retain(|(_, persons)| persons.len() >= SETTLING_PERSONS);
        let by: Vec<&str> = by.into_iter().collect();
        (by.len() >= SETTLING_PERSONS).then(|| {
            let resolution = Resolution { by: by.join(", "), reason };
            (resolution, wrong.into_iter().map(|(group, _)| group).collect())
        })
    }

    /// Every group that is known of earlier donations, each once.
    pub(crate) fn history(&self, registration: Option<&DonationRegistration>) -> Vec<BloodGroup> {
        let register = registration.and_then(|known| known.donor.history);
        let earlier =
            self.earlier.iter().filter_map(EarlierDonation::standing_group).map(EarlierGroup::group);
        let mut all: Vec<BloodGroup> = Vec::new();
        for group in register.into_iter().chain(earlier) {
            if !all.contains(&group) {
                all.push(group);
            }
        }
        all
    }

    /// The words that stand for a determination: those of who saw its columns as they are. A word that does not say what was
    /// seen counts while no row of it came, or was read, after it.
    pub(crate) fn words_on<'s>(
        &'s self,
        of: &'s Determination,
        all: &[Determination],
    ) -> impl DoubleEndedIterator<Item = &'s GroupSettled> {
        let of_run = |run: &RunId| all.iter().filter(|one| one.is_of(run)).count();
        // A part of a run holds one determination only; who named no message may have meant any of the run's.
        let alone = of.run.as_ref().or(of.grouping.run.as_ref()).is_some_and(|run| of_run(run) == 1);
        // Nobody settles most groups: nothing is hashed for them.
        let columns = (!self.groups.is_empty()).then(|| of.columns());
        self.groups.iter().filter(move |settled| {
            let named = match settled.message {
                Some(message) => message.get() == of.message && settled.sample == Some(of.sample),
                None => alone,
            };
            let seen = match &settled.columns {
                Some(_) => settled.columns == columns,
                None => settled.done.entry.get() > of.entry,
            };
            named && of.is_of(&settled.run) && seen
        })
    }
}

/// What the lines of two donors come to, of whom either may have given a donation: the graver, for whatever either speaks of.
fn graver(one: Option<Register>, other: Option<Register>) -> Option<Register> {
    let barring = |line: &Register| line.state != RegisterState::Eligible;
    let (Some(a), Some(b)) = (one.clone().filter(barring), other.clone().filter(barring)) else {
        return one.clone().filter(barring).or(other.filter(barring)).or(one);
    };
    let since = a.since.zip(b.since).map(|(a, b)| a.min(b));
    let until = a.until.zip(b.until).map(|(a, b)| a.max(b));
    let gravest = if a.state >= b.state { a } else { b };
    Some(Register { since, until, ..gravest })
}

/// A donation of this ledger as an earlier one: what its standing verdict makes of each marker, and its group.
/// And the groups of still earlier ones that two people found to be wrong with it.
fn earlier(
    reader: &Reader,
    given: &Given,
    zone: &jiff::tz::TimeZone,
) -> Result<(EarlierDonation, Vec<BloodGroup>), ReadError> {
    let mut wrong = Vec::new();
    let mut results: BTreeMap<String, EarlierCall> = BTreeMap::new();
    let mut group = None;
    let mut candidates: BTreeSet<String> = BTreeSet::new();
    if let Some(verdict) = given.verdict {
        let made = reader.verdict(verdict)?;
        let told: Value = serde_json::from_str(made.json()).unwrap_or_default();
        for (marker, about) in told.get("markers").and_then(Value::as_object).into_iter().flatten() {
            results.extend(call(about).map(|call| (marker.clone(), call)));
            if is_candidate(about) {
                candidates.insert(marker.clone());
            }
        }
        // What two people have not settled yet stands as it was found.
        for before in made.unsettled().into_iter().flat_map(|before| &before.markers) {
            let is_found =
                results.insert(before.marker.clone(), EarlierCall::Reactive) == Some(EarlierCall::Reactive);
            if !before.reentry_candidate {
                candidates.remove(&before.marker);
            } else if !is_found {
                candidates.insert(before.marker.clone());
            }
        }
        // No NAT belongs to it but the one for HBV.
        if results.get(Virus::Hbv.name()) == Some(&EarlierCall::NonReactive) {
            candidates.insert(Marker::AntiHbc.name().to_owned());
        }
        let before = made.unsettled().and_then(|before| before.group);
        let before = before.map(|BloodGroup { abo, rhd }| EarlierGroup { abo, rhd, is_final: false });
        group = before.or_else(|| told.get("group").and_then(final_group));
        if let Some(group) = &mut group {
            group.is_final = made.unsettled().is_none() && is_proven(&told);
            if group.is_final {
                let said = told.pointer("/group/history_set_aside").cloned().unwrap_or_default();
                wrong = serde_json::from_value(said).unwrap_or_default();
            }
        }
    }
    // A confirmatory test says more of what was reactive; of what was not, only that it was after all.
    let mut confirmed: BTreeMap<&'static str, EarlierCall> = BTreeMap::new();
    for test in reader.notes_of(&given.donation)?.confirmatory {
        let call = match test.outcome {
            Confirmed::Positive => EarlierCall::ConfirmedPositive,
            Confirmed::Negative => EarlierCall::ConfirmedNegative,
            Confirmed::Indeterminate => EarlierCall::Indeterminate,
            Confirmed::NotDone => continue,
        };
        let worst = confirmed.entry(test.marker.name()).or_insert(call);
        *worst = call.max(*worst);
    }
    for (marker, call) in confirmed {
        let standing = results.get(marker);
        if call == EarlierCall::ConfirmedPositive || standing != Some(&EarlierCall::NonReactive) {
            results.insert(marker.to_owned(), call);
        }
    }
    let collected_at = jiff::Timestamp::from_millisecond(given.collected_at_ms).ok();
    let one = EarlierDonation {
        donation: given.donation.clone(),
        collected_at: collected_at.map(|at| Moment::new(at, zone.to_offset(at))),
        results: results
            .into_iter()
            .map(|(marker, result)| {
                let beyond_reentry = result != EarlierCall::NonReactive && !candidates.contains(&marker);
                EarlierResult { marker, result, beyond_reentry }
            })
            .collect(),
        group,
        group_refuted_by: None,
        passed: given.passed,
        // Unknown counts as in date.
        expires: None,
    };
    Ok((one, wrong))
}

/// Gates behind which a final group is the donor's own: it agrees with what was known, and nobody doubts whose tube it was.
const GATES_OF_HISTORY: [GateId; 2] = [GateId::Group, GateId::Identity];

/// Whether the group of a verdict proves anything of later donations. It does not while one of these gates is closed, be
/// that set aside or not, nor while something of it waits for two people: it goes on holding where it differs.
fn is_proven(told: &Value) -> bool {
    let gates = || told.get("gates").and_then(Value::as_array).into_iter().flatten();
    let is_open = |id: GateId| {
        let is = |gate: &&Value| gate.get("id").and_then(Value::as_str) == Some(id.name());
        gates().find(is).and_then(|gate| gate.get("pass")?.as_bool()) == Some(true)
    };
    GATES_OF_HISTORY.into_iter().all(is_open)
}

/// The group of a verdict, where that is final; any other says nothing.
fn final_group(told: &Value) -> Option<EarlierGroup> {
    let is_final = told.get("status").and_then(Value::as_str) == Some(GroupStatus::Final.name());
    is_final.then_some(())?;
    let part = |name: &str| told.get(name).cloned().unwrap_or_default();
    Some(EarlierGroup {
        abo: serde_json::from_value(part("abo")).ok()?,
        rhd: serde_json::from_value(part("rhd")).ok()?,
        is_final: true,
    })
}

/// What a marker's verdict says to later donations; what is not settled says nothing. Whoever let a unit go whose reactive
/// pool nobody explained took it for non-reactive.
fn call(about: &Value) -> Option<EarlierCall> {
    let of = |key| about.get(key).and_then(Value::as_str);
    match of("verdict")? {
        "NEGATIVE" => Some(EarlierCall::NonReactive),
        "NAT_UNRESOLVED" if of("unit") == Some("pass") => Some(EarlierCall::NonReactive),
        "NAT_YIELD" | "NAT_NDR" => Some(EarlierCall::Reactive),
        reactive if reactive.starts_with("REACTIVE_") => Some(EarlierCall::Reactive),
        _ => None,
    }
}

fn is_candidate(about: &Value) -> bool {
    about.get("reentry_candidate").and_then(Value::as_bool) == Some(true)
}

/// What a verdict had found, and what it kept of those before it.
pub(crate) fn found_in(made: &VerdictMade) -> FoundBefore {
    let mut found = made.unsettled().cloned().unwrap_or_default();
    let told: Value = serde_json::from_str(made.json()).unwrap_or_default();
    for (marker, about) in told.get("markers").and_then(Value::as_object).into_iter().flatten() {
        if call(about) != Some(EarlierCall::Reactive) {
            continue;
        }
        let reentry_candidate = is_candidate(about);
        match found.markers.iter_mut().find(|one| one.marker == *marker) {
            Some(known) => known.reentry_candidate &= reentry_candidate,
            None => found.markers.push(MarkerBefore { marker: marker.clone(), reentry_candidate }),
        }
    }
    let group = || told.get("group").and_then(final_group).map(EarlierGroup::group);
    found.group = found.group.or_else(group);
    found
}

/// A donation of the donor with something of this marker that no examination for re-entry is made for.
pub(super) fn beyond_reentry(
    reader: &Reader,
    donor: &str,
    marker: &str,
) -> Result<Option<DonationId>, ReadError> {
    let is_beyond = |one: &EarlierDonation| {
        let mut of_marker = one.results.iter().filter(|result| result.marker.eq_ignore_ascii_case(marker));
        of_marker.any(|result| result.beyond_reentry || result.result == EarlierCall::ConfirmedPositive)
    };
    if let Some(one) = reader.donor(donor)?.recorded().find(|one| is_beyond(one)) {
        return Ok(Some(one.donation.clone()));
    }
    for given in reader.given_by(donor)? {
        if is_beyond(&earlier(reader, &given, &jiff::tz::TimeZone::UTC)?.0) {
            return Ok(Some(given.donation));
        }
    }
    Ok(None)
}

/// The last day on which something of this marker was found in a donation of the donor, here or by a record.
pub(super) fn last_found(
    reader: &Reader,
    (donor, marker): (&str, &str),
    zone: &jiff::tz::TimeZone,
) -> Result<Option<Date>, ReadError> {
    let found_on = |one: &EarlierDonation| {
        let of_marker = |result: &EarlierResult| {
            result.marker.eq_ignore_ascii_case(marker) && result.result != EarlierCall::NonReactive
        };
        one.collected_at.filter(|_| one.results.iter().any(of_marker)).map(Moment::day)
    };
    let mut last = reader.donor(donor)?.recorded().filter_map(found_on).max();
    for given in reader.given_by(donor)? {
        last = last.max(found_on(&earlier(reader, &given, zone)?.0));
    }
    Ok(last)
}
