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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound() {
        let to = Destination::new(DestinationId::new("bis").unwrap(), "h:1");
        let ms: Vec<u128> = [0, 1, 2, 8, 9, 60, u32::MAX].map(|n| to.pause(n).as_millis()).to_vec();
        assert_eq!(ms, [200, 400, 800, 51_200, 60_000, 60_000, 60_000]);
    }
}
