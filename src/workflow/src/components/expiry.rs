//! Until when components may be used: read as it is told, and said of those that have to be found (rules.md §1.9).

use super::Refused;
use crate::Settings;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use ledger::{ComponentStands, Expiry};
use serde::Serialize;

/// Whether a component may still be used, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dating {
    /// It may.
    InDate,
    /// It may not.
    Expired,
    /// Nobody has said until when: it counts as in date.
    Unknown,
}

impl Dating {
    /// Of a component at a moment.
    #[must_use]
    pub fn of(stands: &ComponentStands, now: Timestamp) -> Self {
        match &stands.expires {
            None => Self::Unknown,
            Some(expires) if expires.is_over(now.as_millisecond()) => Self::Expired,
            Some(_) => Self::InDate,
        }
    }
}

/// An expiry as it was scanned or typed. A day is good to its end, by the station's clock; a moment with its offset from UTC
/// needs no clock.
pub(super) fn read(settings: &Settings, given: &str) -> Result<Expiry, Refused> {
    let zone = &settings.time_zone;
    let text = given.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(minute(&moment.to_zoned(zone.clone())));
    }
    let told =
        identifiers::expiry(text).map_err(|why| Refused::Expiry { why: why.what, why_zh: why.what_zh })?;
    let at = |civil: jiff::civil::DateTime, zone: &TimeZone| civil.to_zoned(zone.clone());
    let read = match told {
        identifiers::Expiry::Minute(told) => at(told, zone).map(|told| minute(&told)),
        identifiers::Expiry::Day(day) => day
            .tomorrow()
            .and_then(|next| at(next.at(0, 0, 0, 0), zone))
            .map(|end| Expiry { label: day.to_string(), until_ms: end.timestamp().as_millisecond() }),
    };
    read.map_err(|_| Refused::Expiry {
        why: format!("{text:?} is no day that can be reckoned with"),
        why_zh: format!("{text:?} 不是可用的日期"),
    })
}

fn minute(at: &Zoned) -> Expiry {
    let label = at.strftime("%Y-%m-%dT%H:%M").to_string();
    Expiry { label, until_ms: at.timestamp().as_millisecond() }
}
