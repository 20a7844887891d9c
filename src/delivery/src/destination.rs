//! One receiver and how it is treated.

use crate::Addressing;
use std::time::Duration;
use vocabulary::DestinationId;

/// One receiver of verdicts.
#[derive(Debug, Clone)]
pub struct Destination {
    /// As the configuration names it.
    pub id: DestinationId,
    /// `host:port`.
    pub address: String,
    /// What goes into the header.
    pub addressing: Addressing,
    /// Who releases signs here: what passes is told to be held until it is released.
    pub signs_here: bool,
    /// Zone of the times in messages.
    pub time_zone: jiff::tz::TimeZone,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// Sent so often without an accepting answer, a delivery becomes a dead letter. Attempts to connect do not
    /// count: a receiver that is down gets everything when it is back.
    pub attempts_max: u32,
    /// The first pause after a failed attempt; it doubles.
    pub pause_first: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

impl Destination {
    /// A receiver with the usual times.
    #[must_use]
    pub fn new(id: DestinationId, address: &str) -> Self {
        Self {
            addressing: Addressing { facility: "HEMOGATE".to_owned(), receiver: id.to_string() },
            id,
            signs_here: true,
            address: address.to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
            answer_timeout: Duration::from_secs(30),
            attempts_max: 50,
            pause_first: Duration::from_millis(200),
            pause_max: Duration::from_mins(1),
        }
    }

    /// The pause after so many failed attempts.
    #[must_use]
    pub(crate) fn pause(&self, attempts: u32) -> Duration {
        let doubled = self.pause_first.checked_mul(1_u32.checked_shl(attempts.min(20)).unwrap_or(u32::MAX));
        doubled.unwrap_or(self.pause_max).min(self.pause_max)
    }

    /// Whether a delivery leaves that was to wait until then. No pause is longer than the longest: one that would be was set
    /// by a clock that has been set back since.
    #[must_use]
    pub(crate) fn is_due(&self, next_at_ms: i64, now_ms: i64) -> bool {
        let longest_ms = i64::try_from(self.pause_max.as_millis()).unwrap_or(i64::MAX);
        next_at_ms <= now_ms || next_at_ms.saturating_sub(now_ms) > longest_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waits_longer_than_the_longest_pause() {
        let to = Destination::new(DestinationId::new("bis").unwrap(), "h:1");
        let due = |next: i64| to.is_due(next, 1_000_000);
        assert!(due(0) && due(1_000_000) && due(1_060_001) && due(i64::MAX));
        assert!(!due(1_000_001) && !due(1_060_000));
    }

    #[test]
    fn pauses_double_up_to_their_bound() {
        let to = Destination::new(DestinationId::new("bis").unwrap(), "h:1");
        let ms: Vec<u128> = [0, 1, 2, 8, 9, 60, u32::MAX].map(|n| to.pause(n).as_millis()).to_vec();
        assert_eq!(ms, [200, 400, 800, 51_200, 60_000, 60_000, 60_000]);
    }
}
