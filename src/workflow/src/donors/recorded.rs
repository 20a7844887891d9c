//! Donations that people recorded by hand, beside what this ledger knows of the same numbers: of each marker the graver stands.

use super::checks::step;
use super::facts::DonorFacts;
use super::{LINES_MAX, Refused, number, text, write};
use crate::SpecimenRule;
use crate::batches::Agreed;
use crate::people::{Act, Actor};
use jiff::Timestamp;
use ledger::{DonorAct, EarlierRecord, Given, Ledger, Seq};
use release::{
    Moment,
    evidence::{EarlierCall, EarlierDonation, EarlierGroup, EarlierResult},
};
use std::fmt;
use vocabulary::DonationId;

/// The donation that hand records are gathered for.
pub(super) struct Of<'a> {
    /// Which.
    pub(super) donation: &'a DonationId,
    /// When it was taken, milliseconds since 1970 UTC.
    pub(super) taken_ms: i64,
    /// The site's numbers: what was written down as it stands on a tube is the donation's.
    pub(super) specimens: &'a SpecimenRule,
}

impl DonorFacts {
    /// Adds what was recorded by hand. Of the donation itself it is no earlier donation, and bars it by its own; `after` are
    /// those that are known to have been given later.
    pub(super) fn add_recorded(&mut self, recorded: Vec<EarlierDonation>, of: &Of<'_>, after: &[Given]) {
        for mut one in recorded.into_iter().map(said) {
            if let Ok(number) = of.specimens.entered(one.donation.as_str()) {
                one.donation = number;
            }
            if one.donation == *of.donation {
                self.recorded_of_itself.extend(one.results.into_iter().filter(is_barring));
                continue;
            }
            let later = |at: Moment| at.at().as_millisecond() >= of.taken_ms;
            if after.iter().any(|given| given.donation == one.donation) || one.collected_at.is_some_and(later)
            {
                // What was found later bars; what was not found later says nothing of this one.
                one.results.retain(is_barring);
            }
            self.add(one);
        }
    }

    fn add(&mut self, told: EarlierDonation) {
        let Some(known) = self.earlier.iter_mut().find(|known| known.donation == told.donation) else {
            self.earlier.push(told);
            return;
        };
        for result in told.results {
            let of_marker =
                |one: &&mut EarlierResult| one.marker.trim().eq_ignore_ascii_case(result.marker.trim());
            match known.results.iter_mut().find(of_marker) {
                Some(one) => {
                    one.beyond_reentry |= result.beyond_reentry;
                    one.result = one.result.max(result.result);
                }
                None => known.results.push(result),
            }
        }
        known.expires = known.expires.zip(told.expires).map(|(a, b)| a.max(b));
        let Some(group) = told.group else { return };
        match known.group.map(EarlierGroup::group) {
            None => known.group = Some(group),
            Some(own) if own == group.group() => {}
            // Each of them holds where it differs.
            Some(_) => {
                let also = EarlierDonation { results: Vec::new(), group: Some(group), ..known.clone() };
                self.earlier.push(EarlierDonation { group_refuted_by: None, ..also });
            }
        }
    }

    /// What was recorded by hand of the donation itself, in words.
    pub(super) fn of_itself(&self) -> Option<String> {
        let all: Vec<String> = self
            .recorded_of_itself
            .iter()
            .map(|one| format!("{} {}", one.marker, call(one.result)))
            .collect();
        (!all.is_empty()).then(|| {
            let all = all.join(", ");
            format!(
                "it was recorded by hand that this donation itself was found otherwise: {all}; what was recorded by mistake two people take back (hemogate donor take-back)（本次献血另有手工补录结果：{all}；补录有误须由两人撤销）"
            )
        })
    }
}

/// One person's word is no determination of this laboratory's: it holds where it differs, and proves nothing.
fn said(mut earlier: EarlierDonation) -> EarlierDonation {
    if let Some(group) = &mut earlier.group {
        group.is_final = false;
    }
    earlier
}

fn is_barring(one: &EarlierResult) -> bool {
    one.result != EarlierCall::NonReactive
}

fn call(result: EarlierCall) -> &'static str {
    match result {
        EarlierCall::NonReactive => "non_reactive",
        EarlierCall::ConfirmedNegative => "confirmed_negative",
        EarlierCall::Indeterminate => "indeterminate",
        EarlierCall::Reactive => "reactive",
        EarlierCall::ConfirmedPositive => "confirmed_positive",
    }
}

/// Records a donation that is known from elsewhere, with what it gave.
///
/// # Errors
/// [`Refused`]; [`RecordRefused::ToCome`].
pub fn record_earlier(
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    (earlier, source): (&EarlierDonation, &str),
    now: Timestamp,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::RecordEarlier)?;
    let (donor, source) = (number(donor)?, text("source", source)?);
    if let Some(at) = earlier.collected_at.filter(|at| at.at() > now) {
        return Err(RecordRefused::ToCome { at }.into());
    }
    if reader.donor(&donor)?.earlier.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    write(ledger, actor, DonorAct::EarlierRecorded { donor, earlier: earlier.clone(), source })
}

/// One of the two names under a donation that was recorded by mistake. What was recorded stays where it is, with who took it
/// back, and counts no more once a second person has said so.
///
/// # Errors
/// [`Refused`]; [`RecordRefused::NoSuch`], [`RecordRefused::TakenBack`], [`Refused::SaidAlready`].
pub fn take_back(
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    (record, reason): (Seq, &str),
) -> Result<Agreed, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::TakeBackRecord)?;
    let (donor, reason) = (number(donor)?, text("reason", reason)?);
    let stands = reader.donor(&donor)?;
    let Some(named) = stands.earlier.iter().find(|one| one.done.entry == record) else {
        let there = stands.earlier.iter().filter(|one| one.stands()).map(told).collect();
        return Err(RecordRefused::NoSuch { record, there }.into());
    };
    if !named.stands() {
        return Err(RecordRefused::TakenBack { record }.into());
    }
    if named.is_taken_back_by(actor.user().as_str()) {
        return Err(Refused::SaidAlready);
    }
    let act = DonorAct::EarlierTakenBack { donor: donor.clone(), record, reason };
    let entry = write(ledger, actor, act)?;
    // Others may have said so first: then this word is not among theirs, and the record is taken back all the same.
    let now = ledger.state().donor(&donor)?;
    Ok(step(entry, now.earlier.iter().any(|one| one.done.entry == record && one.stands())))
}

/// A record by its entry, for people.
fn told(one: &EarlierRecord) -> String {
    let results: Vec<String> =
        one.earlier.results.iter().map(|of| format!("{} {}", of.marker, call(of.result))).collect();
    format!("{} ({} {})", one.done.entry, one.earlier.donation, results.join(", "))
}

/// Why a donation is not recorded by hand, or not taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordRefused {
    /// No such entry recorded a donation of the donor.
    NoSuch {
        /// The entry that was named.
        record: Seq,
        /// The records that stand, each its entry, its donation and what it says.
        there: Vec<String>,
    },
    /// Two people have taken it back already.
    TakenBack {
        /// Its entry.
        record: Seq,
    },
    /// It is said to have been taken at a time that has not come.
    ToCome {
        /// That time.
        at: Moment,
    },
}

impl RecordRefused {
    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::NoSuch { record, there } => format!(
                "entry {record} recorded no donation of this donor by hand; these did (entry, donation, what it gave): {}",
                there.join("; ")
            ),
            Self::TakenBack { record } => format!("record {record} was taken back by two people already"),
            Self::ToCome { at } => {
                format!("collected_at {at}: that time has not come; write when it was taken, or leave it out")
            }
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::NoSuch { record, there } => format!(
                "条目 {record} 不是该献血者的补录记录；现有补录（条目、献血码、结果）：{}",
                there.join("；")
            ),
            Self::TakenBack { record } => format!("补录记录 {record} 已由两人撤销"),
            Self::ToCome { at } => format!("collected_at {at}：该时间未到；请填写实际采集时间，或不填"),
        }
    }
}

impl fmt::Display for RecordRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for RecordRefused {}

impl From<RecordRefused> for Refused {
    fn from(why: RecordRefused) -> Self {
        Self::Record(why)
    }
}
