//! Donations that people recorded by hand, beside what this ledger knows of the same numbers: of each marker the graver stands.

use super::facts::DonorFacts;
use crate::SpecimenRule;
use ledger::Given;
use release::{
    Moment,
    evidence::{EarlierCall, EarlierDonation, EarlierGroup, EarlierResult},
};
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
