//! A donation number that is registered again: what of it may change.
//!
//! A number used twice must not clear a hold, and must not make the blood another donor's. What comes first stands; a later
//! registration may only hold more.

use crate::DonationRegistration;
use serde::{Deserialize, Serialize};

/// In what a later registration says another thing than the one that stands, or holds less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationPart {
    /// Another donor's number.
    Donor,
    /// Another time of collection.
    CollectedAt,
    /// Centrifuged sooner, or no longer said when.
    CentrifugedAt,
    /// Another session, or no longer said which.
    Session,
    /// First-time or repeat donor.
    FirstTime,
    /// No longer deferred.
    Deferred,
    /// No longer barred.
    Barred,
    /// Another history of pregnancy or transfusion.
    Sensitised,
    /// Another group in the history.
    History,
    /// Another group by the pre-test in the field.
    FieldAbo,
}

impl RegistrationPart {
    /// Whether the registration that stands holds the graver of the two, so that nothing is left open.
    #[must_use]
    pub fn is_kept_graver(self) -> bool {
        match self {
            Self::Deferred | Self::Barred | Self::CentrifugedAt => true,
            Self::Donor
            | Self::CollectedAt
            | Self::Session
            | Self::FirstTime
            | Self::Sensitised
            | Self::History
            | Self::FieldAbo => false,
        }
    }

    /// What differs, in English and Chinese.
    #[must_use]
    pub fn words(self) -> [&'static str; 2] {
        match self {
            Self::Donor => ["another donor", "献血者不同"],
            Self::CollectedAt => ["another time of collection", "采集时间不同"],
            Self::CentrifugedAt => ["centrifuged sooner", "离心时间提前或未填"],
            Self::Session => ["another session", "采血场次不同"],
            Self::FirstTime => ["first-time donor or not", "首次献血标记不同"],
            Self::Deferred => ["deferred no longer", "不再屏蔽"],
            Self::Barred => ["barred no longer", "不再标记不得发放"],
            Self::Sensitised => ["another history of pregnancy or transfusion", "妊娠或输血史不同"],
            Self::History => ["another group in the history", "既往血型不同"],
            Self::FieldAbo => ["another group in the field", "初筛血型不同"],
        }
    }

    /// What differs in all of `parts`, in English and Chinese.
    #[must_use]
    pub fn listed(parts: &[Self]) -> [String; 2] {
        let of = |language: fn([&'static str; 2]) -> &'static str| {
            parts.iter().map(|part| language(part.words())).collect::<Vec<_>>()
        };
        [of(|[en, _]| en).join(", "), of(|[_, zh]| zh).join("、")]
    }
}

impl DonationRegistration {
    /// In what `later`, of the same donation, says another thing than this, or holds less. Where it does in nothing, it may
    /// stand in the place of this one.
    #[must_use]
    pub fn eased_by(&self, later: &Self) -> Vec<RegistrationPart> {
        let (donor, of_later) = (&self.donor, &later.donor);
        // It may come later than the rest, and be put off.
        let sooner =
            self.centrifuged_at.is_some_and(|at| later.centrifuged_at.is_none_or(|later| later < at));
        // Where it was taken may be told later, and then stays.
        let moved = self.session.is_some() && self.session != later.session;
        let parts = [
            (donor.id != of_later.id, RegistrationPart::Donor),
            (self.collected_at != later.collected_at, RegistrationPart::CollectedAt),
            (sooner, RegistrationPart::CentrifugedAt),
            (moved, RegistrationPart::Session),
            (donor.first_time != of_later.first_time, RegistrationPart::FirstTime),
            (donor.deferred && !of_later.deferred, RegistrationPart::Deferred),
            (donor.barred.is_some() && of_later.barred.is_none(), RegistrationPart::Barred),
            (donor.sensitised != of_later.sensitised, RegistrationPart::Sensitised),
            (donor.history != of_later.history, RegistrationPart::History),
            (donor.field_abo != of_later.field_abo, RegistrationPart::FieldAbo),
        ];
        parts.into_iter().filter_map(|(differs, part)| differs.then_some(part)).collect()
    }

    /// What stands when both were registered and `later` may not take its place: this one, with whatever the other holds
    /// more.
    #[must_use]
    pub fn graver_of(&self, later: &Self) -> Self {
        let mut both = self.clone();
        both.centrifuged_at = self.centrifuged_at.max(later.centrifuged_at);
        both.donor.deferred |= later.donor.deferred;
        if both.donor.barred.is_none() {
            both.donor.barred.clone_from(&later.donor.barred);
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn known() -> Value {
        json!({
            "donation": "G1", "collected_at": "2026-03-01T09:00:00+08:00", "centrifuged_at": "2026-03-01T12:00:00+08:00",
            "session": "bus 1",
            "donor": {
                "id": "D1", "first_time": false, "deferred": true, "barred": "HCV", "sensitised": true,
                "history": { "abo": "A" }, "field_abo": "A"
            }
        })
    }

    fn with(changes: &[(&str, Value)]) -> DonationRegistration {
        let mut of = known();
        for (pointer, value) in changes {
            *of.pointer_mut(pointer).unwrap() = value.clone();
        }
        serde_json::from_value(of).unwrap()
    }

    #[test]
    fn a_number_registered_again_may_hold_more_and_nothing_else() {
        use RegistrationPart::*;
        let check = |changes: &[(&str, Value)], expect: &[RegistrationPart]| {
            assert_eq!(with(&[]).eased_by(&with(changes)), expect, "{changes:?}");
        };
        check(&[], &[]);
        check(&[("/donor/id", json!("D2"))], &[Donor]);
        check(&[("/collected_at", json!("2026-03-01T09:00:01+08:00"))], &[CollectedAt]);
        check(&[("/collected_at", json!("2026-03-01T01:00:00Z"))], &[]);
        check(&[("/centrifuged_at", json!("2026-03-01T13:00:00+08:00"))], &[]);
        check(&[("/centrifuged_at", json!("2026-03-01T11:00:00+08:00"))], &[CentrifugedAt]);
        check(&[("/centrifuged_at", Value::Null)], &[CentrifugedAt]);
        check(&[("/session", json!("bus 2"))], &[Session]);
        check(&[("/session", Value::Null)], &[Session]);
        check(&[("/donor/first_time", json!(true))], &[FirstTime]);
        check(&[("/donor/deferred", json!(false))], &[Deferred]);
        check(&[("/donor/barred", Value::Null)], &[Barred]);
        check(&[("/donor/barred", json!("HCV, HIV"))], &[]);
        check(&[("/donor/sensitised", json!(false))], &[Sensitised]);
        check(&[("/donor/history", json!({ "abo": "B" }))], &[History]);
        check(&[("/donor/history", Value::Null)], &[History]);
        check(&[("/donor/field_abo", Value::Null)], &[FieldAbo]);
        check(&[("/donor/id", json!("D2")), ("/donor/deferred", json!(false))], &[Donor, Deferred]);
        let light = [
            ("/centrifuged_at", Value::Null),
            ("/session", Value::Null),
            ("/donor/deferred", json!(false)),
            ("/donor/barred", Value::Null),
        ];
        assert_eq!(
            with(&light).eased_by(&with(&[])),
            [],
            "what is told later, and what holds more, is taken"
        );
    }

    #[test]
    fn of_two_that_contradict_each_other_the_first_stands_with_what_either_holds() {
        let light = [("/donor/deferred", json!(false)), ("/donor/barred", Value::Null)];
        let other = [("/donor/id", json!("D2")), ("/donor/history", Value::Null)];
        let both = with(&light).graver_of(&with(&other));
        assert_eq!(both, with(&[]), "the donor and the group of the first, the deferral of the second");
        assert_eq!(with(&[]).graver_of(&with(&light)), with(&[]));
        let late = with(&[("/centrifuged_at", json!("2026-03-01T13:00:00+08:00"))]);
        assert_eq!(with(&light).graver_of(&late).centrifuged_at, late.centrifuged_at);
    }

    #[test]
    fn what_differs_is_named_in_both_languages() {
        let [en, zh] = RegistrationPart::listed(&[RegistrationPart::Donor, RegistrationPart::Deferred]);
        assert_eq!((en.as_str(), zh.as_str()), ("another donor, deferred no longer", "献血者不同、不再屏蔽"));
    }
}
