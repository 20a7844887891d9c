//! Donations that people recorded by hand, beside what this ledger knows of the same numbers: of each marker the graver stands.

use super::facts::DonorFacts;
use super::{LINES_MAX, Refused, number, text, write};
use crate::SpecimenRule;
use crate::people::{Act, Actor};
use jiff::Timestamp;
use ledger::{DonorAct, Given, Ledger, Seq};
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
                "it was recorded by hand that this donation itself was found otherwise: {all}（本次献血另有手工补录结果：{all}）"
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

/// Why a donation is not recorded by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordRefused {
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
            Self::ToCome { at } => {
                format!("collected_at {at}: that time has not come; write when it was taken, or leave it out")
            }
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
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
