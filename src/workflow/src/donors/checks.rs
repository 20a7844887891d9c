//! What two people have to say of a donation's tests before it counts: that a number which was typed in is that of the tube
//! (R-GATE-09), and that a duplicate on another lot or analyser is accepted (R-SER-02).
//!
//! ```text
//!  waits ──A compares and says so──► one word ──B, not A──► counts
//!    ▲                                                        │
//!    └── another message, another result: nobody has said that┘
//! ```

use super::{DonorFacts, LINES_MAX, Refused, donation, is_seen, text, write};
use crate::batches::Agreed;
use crate::evidence::known_with_used;
use crate::facts::TypedNumber;
use crate::hex::hex;
use crate::people::{Act, Actor};
use crate::{DonationFacts, Fact, Settings, rules};
use ledger::{Done, DonorAct, DuplicateAccepted, Ledger, NumberChecked, Reader, RowAt, Seq};
use release::Flag;
use release::evidence::{Identity, SerologyKind, SerologySeries};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use vocabulary::{DonationId, Marker};

/// So many different people have to say it.
const PERSONS: usize = 2;

/// A number that was typed in, and who has compared it with the tube.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypedSeen {
    /// What was typed in, and where.
    #[serde(flatten)]
    pub number: TypedNumber,
    /// Who has said that it is that of the tube; it takes two.
    pub checked_by: Vec<String>,
}

/// The typed numbers that concern a donation: of its own tubes, and of the pools that it is in.
fn typed(facts: &DonationFacts) -> impl Iterator<Item = &TypedNumber> {
    facts.typed.iter().chain(facts.pools.iter().flat_map(|pool| &pool.typed))
}

fn persons<'d>(words: impl Iterator<Item = &'d Done>) -> BTreeSet<&'d str> {
    words.map(|done| done.by.as_str()).collect()
}

impl TypedNumber {
    fn row(&self) -> RowAt {
        RowAt { message: self.message, record: self.place.clone() }
    }

    fn checked_by<'n>(&self, numbers: &'n [NumberChecked]) -> BTreeSet<&'n str> {
        let row = self.row();
        persons(numbers.iter().filter(|word| word.rows.contains(&row)).map(|word| &word.done))
    }
}

/// Whether every one of these numbers was compared with its tube by two people.
pub(crate) fn are_compared(typed: &[TypedNumber], numbers: &[NumberChecked]) -> bool {
    typed.iter().all(|number| number.checked_by(numbers).len() >= PERSONS)
}

/// Numbers of a donation that were typed in, and who has compared them.
#[must_use]
pub fn typed_numbers(facts: &DonationFacts) -> Vec<TypedSeen> {
    let seen = |number: &TypedNumber| TypedSeen {
        checked_by: number.checked_by(&facts.donor.numbers).into_iter().map(str::to_owned).collect(),
        number: number.clone(),
    };
    typed(facts).map(seen).collect()
}

/// How a donation's tubes were identified: nothing where no number was typed in.
pub(crate) fn identity(facts: &DonationFacts) -> Option<Identity> {
    typed(facts).next()?;
    let words: Vec<BTreeSet<&str>> =
        typed(facts).map(|number| number.checked_by(&facts.donor.numbers)).collect();
    let everybody: BTreeSet<&str> = words.iter().flatten().copied().collect();
    let checked = words.iter().all(|by| by.len() >= PERSONS);
    let checked_by = checked.then(|| everybody.into_iter().collect::<Vec<_>>().join(", "));
    Some(Identity { manual_entry: true, checked_by, check_character_valid: None })
}

/// How far it is for the one who has just spoken.
pub(super) fn step(entry: Seq, waits: bool) -> Agreed {
    if waits { Agreed::Proposed { entry } } else { Agreed::Done { entry } }
}

/// One of the two names under the numbers of a donation that were typed in: each was compared with the label of its tube.
/// What is typed in later is not among them.
///
/// # Errors
/// [`Refused`]; [`Refused::NothingTyped`], [`Refused::SaidAlready`].
pub fn check_number(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (given, reason): (&str, &str),
) -> Result<Agreed, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::CheckNumber)?;
    let (donation, reason) = (donation(settings, given)?, text("reason", reason)?);
    let facts = crate::facts_of(settings, &reader, &donation)?;
    if typed(&facts).next().is_none() {
        return Err(Refused::NothingTyped(donation));
    }
    let me = actor.user().as_str();
    let unsaid = typed(&facts).filter(|number| !number.checked_by(&facts.donor.numbers).contains(me));
    let rows: Vec<RowAt> = unsaid.map(TypedNumber::row).collect();
    if rows.is_empty() {
        return Err(Refused::SaidAlready);
    }
    let kept: usize = facts.donor.numbers.iter().map(|word| word.rows.len()).sum();
    if kept + rows.len() > LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    let act = DonorAct::NumberChecked { donation: donation.clone(), rows, reason };
    let entry = write(ledger, actor, act)?;
    let now = crate::facts_of(settings, &ledger.state(), &donation)?;
    Ok(step(entry, identity(&now).is_none_or(|identity| identity.checked_by.is_none())))
}

/// A test of a series with a duplicate on another lot or analyser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateTest {
    /// Its message.
    pub message: u64,
    /// First test, or of the duplicate round.
    pub kind: SerologyKind,
    /// What came out.
    pub value: String,
    /// On which analyser.
    pub instrument: Option<String>,
    /// Of which lots.
    pub lots: Vec<String>,
    /// In which run.
    pub run: Option<String>,
}

/// A series with a duplicate on another lot or analyser, and who accepts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateSeen {
    /// What is tested for.
    pub marker: Marker,
    /// By which assay.
    pub assay: String,
    /// SHA-256 of its results: who accepts it names it.
    pub seen: String,
    /// Its results.
    pub tests: Vec<DuplicateTest>,
    /// Who accepts it as it is; it takes two.
    pub accepted_by: Vec<String>,
}

/// The results of one series, each with the fact that it was made of.
fn of_series<'f>(series: &SerologySeries, used: &[&'f Fact]) -> Vec<(SerologyKind, &'f Fact)> {
    let is_of =
        |fact: &&&Fact| fact.observation.marker == series.marker && fact.observation.assay == series.reagent;
    let of = used.iter().filter(is_of).copied();
    series.results.iter().map(|result| result.kind).zip(of).collect()
}

/// SHA-256 of what was measured, what came out and in which round, message by message.
fn hash(tests: &[(SerologyKind, &Fact)]) -> String {
    let mut hasher = Sha256::new();
    for (kind, fact) in tests {
        let line =
            format!("{kind:?} {} {} {} {:?}\n", fact.message, fact.identity(), fact.outcome(), fact.run());
        hasher.update(line.as_bytes());
    }
    hex(hasher.finalize())
}

fn words_on<'d>(
    accepted: &'d [DuplicateAccepted],
    assay: &str,
    results: &str,
) -> impl Iterator<Item = &'d DuplicateAccepted> {
    accepted.iter().filter(move |word| word.assay == assay && word.results == results)
}

impl DonorFacts {
    /// Says of duplicate wells why another lot or analyser is accepted, where two people have said so of these very results.
    pub(crate) fn accept_duplicates(&self, serology: &mut [SerologySeries], used: &[&Fact]) {
        if self.duplicates.is_empty() {
            return;
        }
        for series in serology {
            let results = hash(&of_series(series, used));
            let words: Vec<&DuplicateAccepted> =
                words_on(&self.duplicates, &series.reagent, &results).collect();
            let by = persons(words.iter().map(|word| &word.done));
            let Some(last) = words.last().filter(|_| by.len() >= PERSONS) else { continue };
            let by: Vec<&str> = by.into_iter().collect();
            let why = format!("{} ({})", last.reason, by.join(", "));
            for result in series.results.iter_mut().filter(|result| result.kind == SerologyKind::Duplicate) {
                result.override_reason = Some(why.clone());
            }
        }
    }
}

/// Duplicates on another lot or analyser: those that wait, and those that two people accept.
#[must_use]
pub fn duplicates(facts: &DonationFacts, settings: &Settings) -> Vec<DuplicateSeen> {
    let (evidence, used) = known_with_used(facts, settings);
    let verdict = release::decide(&evidence, &settings.pack);
    let other = |flags: &[Flag]| flags.contains(&Flag::OtherLot) || flags.contains(&Flag::OtherLotAccepted);
    let concerned = verdict.serology().iter().filter(|series| other(&series.flags));
    let series = concerned.filter_map(|found| {
        evidence.serology.iter().find(|s| s.marker == found.marker && s.reagent == found.reagent)
    });
    series.map(|series| seen(series, &used, &facts.donor.duplicates)).collect()
}

fn seen(series: &SerologySeries, used: &[&Fact], accepted: &[DuplicateAccepted]) -> DuplicateSeen {
    let tests = of_series(series, used);
    let seen = hash(&tests);
    let by = persons(words_on(accepted, &series.reagent, &seen).map(|word| &word.done));
    let test = |(kind, fact): &(SerologyKind, &Fact)| DuplicateTest {
        message: fact.message,
        kind: *kind,
        value: fact.observation.value.raw.clone(),
        instrument: fact.observation.instrument.clone(),
        lots: fact.observation.lots.iter().map(|lot| lot.lot.clone()).collect(),
        run: fact.run().map(ToString::to_string),
    };
    DuplicateSeen {
        marker: series.marker,
        assay: series.reagent.clone(),
        tests: tests.iter().map(test).collect(),
        accepted_by: by.into_iter().map(str::to_owned).collect(),
        seen,
    }
}

/// The duplicates of a donation as the pack sees them that judges it.
fn now(settings: &Settings, reader: &Reader, donation: &DonationId) -> Result<Vec<DuplicateSeen>, Refused> {
    let facts = crate::facts_of(settings, reader, donation)?;
    let other = rules::settings_for(settings, reader, &facts);
    let other = other.map_err(|why| Refused::Broken(why.to_string()))?;
    Ok(duplicates(&facts, other.as_deref().unwrap_or(settings)))
}

/// One of the two names under a duplicate on another lot or analyser. It holds for the results that were seen, and for no
/// others: one that is corrected, or comes later, is not among them.
///
/// # Errors
/// [`Refused`]; [`Refused::NoOtherLot`], [`Refused::OtherResults`], [`Refused::SaidAlready`].
pub fn accept_duplicate(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (given, assay): (&str, &str),
    (seen, reason): (&str, &str),
) -> Result<Agreed, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::AcceptDuplicate)?;
    let (donation, reason) = (donation(settings, given)?, text("reason", reason)?);
    let of_assay: Vec<DuplicateSeen> =
        now(settings, &reader, &donation)?.into_iter().filter(|one| one.assay == assay).collect();
    let Some(first) = of_assay.first() else {
        return Err(Refused::NoOtherLot { donation, assay: assay.to_owned() });
    };
    let Some(one) = of_assay.iter().find(|one| is_seen(seen, &one.seen)) else {
        return Err(Refused::OtherResults { seen: seen.to_owned(), now: first.seen.clone() });
    };
    if one.accepted_by.iter().any(|by| by == actor.user().as_str()) {
        return Err(Refused::SaidAlready);
    }
    if reader.notes_of(&donation)?.duplicates.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    let (assay, results) = (one.assay.clone(), one.seen.clone());
    let act =
        DonorAct::DuplicateAccepted { donation: donation.clone(), assay, results: results.clone(), reason };
    let entry = write(ledger, actor, act)?;
    let standing = now(settings, &ledger.state(), &donation)?;
    let of_these = standing.iter().find(|one| one.seen == results);
    Ok(step(entry, of_these.is_none_or(|one| one.accepted_by.len() < PERSONS)))
}
