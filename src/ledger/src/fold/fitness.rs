//! Analysers and operators: each act is kept, and what was tested from its day on is judged anew.

use super::{Fold, Folded};
use crate::FitnessAct;
use crate::state::{FitnessNote, Key, KeyParts, collect};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use vocabulary::DonationId;

/// A donation is tested within so many days: what was taken longer before an act is not judged anew by it. Whoever signs or
/// looks asks anew in any case.
const TESTED_WITHIN_DAYS: i64 = 60;

impl Fold<'_, '_> {
    pub(super) fn fitness(&mut self, act: &FitnessAct) -> Folded {
        let (key, from_ms) = match act {
            FitnessAct::Serviced { connection, done_ms, .. } => (Key::services(connection), *done_ms),
            FitnessAct::OperatorAuthorised { from, .. } | FitnessAct::OperatorWithdrawn { from, .. } => {
                (Key::operators(), begins_ms(*from))
            }
        };
        let note = FitnessNote { done: self.done(), act: act.clone() };
        self.view.put_record(key.seq(self.seq).done(), &note)?;
        self.reopen_taken_from(from_ms)
    }

    fn reopen_taken_from(&mut self, from_ms: i64) -> Folded {
        let day = Timestamp::from_millisecond(from_ms).unwrap_or_default().to_zoned(TimeZone::UTC).date();
        let from = begins_ms(day.saturating_sub(TESTED_WITHIN_DAYS.days()));
        let mut span = Key::collected().under();
        span.from = Key::collected().number(u64::try_from(from).unwrap_or(0)).done();
        for (key, _) in collect(self.view, &span)? {
            let mut parts = KeyParts::of(&key);
            parts.number();
            if let Some(donation) = parts.text().and_then(|text| DonationId::new(text).ok()) {
                self.reopen(&donation)?;
            }
        }
        Ok(())
    }
}

/// The beginning of a day, one day early: no zone is further from UTC.
fn begins_ms(day: Date) -> i64 {
    let before = day.saturating_sub(1.day());
    before.to_zoned(TimeZone::UTC).map_or(0, |at| at.timestamp().as_millisecond())
}
