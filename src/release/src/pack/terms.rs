//! For how long a donor waits, and how far a look-back reaches, marker by marker: `[[donor.term]]`, else `[donor]`
//! (rules.md §1.9, §1.12).

use super::choices::Setting;
use super::settings::{DonorRules, DonorTerm, Settings};
use crate::alias;
use jiff::ToSpan;
use jiff::civil::Date;

/// The longest term, months: a century. What is longer is written by mistake.
const MONTHS_MAX: u16 = 1_200;
/// The same in days.
const DAYS_MAX: u16 = 36_500;
/// Days that a month has at least and at most.
const MONTH_DAYS: (u32, u32) = (28, 31);
/// Verdicts that no look-back and no re-entry rests on.
const WITHOUT_LOOKBACK: [&str; 2] = ["ALT", "anti-HBc"];
const WITHOUT_REENTRY: [&str; 1] = ["ALT"];

/// A wait: both have to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) months: u16,
    pub(super) days: u16,
}

impl Wait {
    fn after(self, since: Date) -> Option<Date> {
        let months = since.checked_add(i64::from(self.months).months()).ok()?;
        Some(months.max(since.checked_add(i64::from(self.days).days()).ok()?))
    }

    /// Whether it is over no sooner than another one, whatever day both begin on.
    pub(super) fn covers(self, other: Self) -> bool {
        let shortest = u32::from(self.days).max(u32::from(self.months) * MONTH_DAYS.0);
        let longest = u32::from(other.days).max(u32::from(other.months) * MONTH_DAYS.1);
        (self.months >= other.months && self.days >= other.days) || shortest >= longest
    }

    pub(super) fn in_words(self) -> (String, String) {
        let parts = [(self.months, "months", "个月"), (self.days, "days", "天")];
        let given: Vec<_> = parts.into_iter().filter(|(count, _, _)| *count > 0).collect();
        let en: Vec<String> = given.iter().map(|(count, unit, _)| format!("{count} {unit}")).collect();
        let zh: Vec<String> = given.iter().map(|(count, _, unit)| format!("{count} {unit}")).collect();
        (en.join(" and "), zh.join("且"))
    }
}

fn value(setting: Option<&Setting<u16>>) -> u16 {
    setting.map_or(0, |setting| setting.value)
}

impl DonorTerm {
    /// Its own wait for re-entry, where it gives one.
    fn wait(&self) -> Option<Wait> {
        let given = self.reentry_months.is_some() || self.reentry_days.is_some();
        given.then(|| Wait {
            months: value(self.reentry_months.as_ref()),
            days: value(self.reentry_days.as_ref()),
        })
    }

    fn numbers(&self) -> [(&'static str, Option<&Setting<u16>>, u16); 4] {
        [
            ("lookback_months", self.lookback_months.as_ref(), MONTHS_MAX),
            ("reentry_months", self.reentry_months.as_ref(), MONTHS_MAX),
            ("reentry_days", self.reentry_days.as_ref(), DAYS_MAX),
            ("temporary_days", self.temporary_days.as_ref(), DAYS_MAX),
        ]
    }
}

impl DonorRules {
    fn term(&self, name: &str) -> Option<&DonorTerm> {
        self.term.iter().find(|term| term.marker == name)
    }

    /// Months before the last negative donation that a look-back for an infection reaches.
    #[must_use]
    pub fn lookback_months_of(&self, name: &str) -> u16 {
        let own = self.term(name).and_then(|term| term.lookback_months.as_ref());
        own.unwrap_or(&self.lookback_months).value
    }

    pub(super) fn wait_of(&self, name: &str) -> Wait {
        let all = Wait { months: self.reentry_months.value, days: 0 };
        self.term(name).and_then(DonorTerm::wait).unwrap_or(all)
    }

    /// First day on which a donor who was deferred on a day because of a marker may be examined for re-entry; none past the
    /// end of the calendar. A marker that no verdict names waits as long as the one that waits longest.
    #[must_use]
    pub fn reentry_from(&self, marker: &str, deferred_on: Date) -> Option<Date> {
        if let Ok(name) = alias::verdict_name(marker) {
            return self.wait_of(name).after(deferred_on);
        }
        let own = self.term.iter().map(|term| self.wait_of(&term.marker));
        let all: Option<Vec<Date>> =
            own.chain([self.wait_of("")]).map(|wait| wait.after(deferred_on)).collect();
        all?.into_iter().max()
    }

    /// Last day at least of a deferral for a time because of a marker of a donation of that day; none where the pack leaves
    /// it to people.
    #[must_use]
    pub fn temporary_until(&self, name: &str, collected_on: Date) -> Option<Date> {
        let days = self.term(name)?.temporary_days.as_ref()?.value;
        Some(collected_on.checked_add(i64::from(days).days()).unwrap_or(Date::MAX))
    }

    pub(super) fn temporary_days_of(&self, name: &str) -> u16 {
        value(self.term(name).and_then(|term| term.temporary_days.as_ref()))
    }

    /// Where the key of a marker's own term is, else that of all.
    pub(super) fn key_of(&self, name: &str, field: &str) -> String {
        let of = self.term.iter().position(|term| term.marker == name);
        of.map_or_else(|| "donor.term".to_owned(), |at| format!("donor.term[{at}].{field}"))
    }
}

impl Settings {
    /// What is wrong with a marker's terms: the key, and what.
    pub(super) fn check_terms(&self) -> Result<(), (String, String)> {
        let terms = &self.donor.term;
        for (at, term) in terms.iter().enumerate() {
            let name = term.marker.as_str();
            let must = |good: bool, field: &str, what: String| {
                if good { Ok(()) } else { Err((format!("donor.term[{at}]{field}"), what)) }
            };
            let again = terms.iter().take(at).any(|other| other.marker == name);
            must(!again, ".marker", format!("{name} stands there twice; keep one of them"))?;
            let numbers = term.numbers();
            must(
                numbers.iter().any(|(_, given, _)| given.is_some()),
                "",
                format!(
                    "says nothing of {name}; write lookback_months, reentry_months, reentry_days or temporary_days"
                ),
            )?;
            for (field, given, most) in numbers {
                let Some(given) = given else { continue };
                let key = format!(".{field}");
                must((1..=most).contains(&given.value), &key, format!("write 1 to {most}"))?;
                let is_lookback = field == "lookback_months";
                let looked = !is_lookback || !WITHOUT_LOOKBACK.contains(&name);
                must(looked, &key, format!("nothing is looked back upon because of {name}; leave it out"))?;
                let comes_back = !field.starts_with("reentry") || !WITHOUT_REENTRY.contains(&name);
                must(
                    comes_back,
                    &key,
                    format!("nobody is examined for re-entry because of {name}; leave it out"),
                )?;
            }
        }
        Ok(())
    }
}
