//! A log line at a time: a flood of the same trouble does not become a flood of lines.

use std::time::Duration;
use tokio::time::Instant;

/// So many lines at once …
const BURST: u32 = 20;
/// … and then one in so long.
const GAP: Duration = Duration::from_secs(1);

/// Says which of many lines are said.
#[derive(Debug)]
pub(crate) struct Hush {
    left: u32,
    since: Instant,
    kept_back: u64,
}

impl Hush {
    pub(crate) fn new(now: Instant) -> Self {
        Self { left: BURST, since: now, kept_back: 0 }
    }

    /// Whether to say one more now, and how many were kept back since the last one.
    pub(crate) fn say(&mut self, now: Instant) -> Option<u64> {
        while self.left < BURST && now.saturating_duration_since(self.since) >= GAP {
            self.left += 1;
            self.since += GAP;
        }
        if self.left == BURST {
            self.since = now;
        }
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Some(std::mem::take(&mut self.kept_back));
        }
        self.kept_back += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_few_lines_that_count_the_rest() {
        let start = Instant::now();
        let mut hush = Hush::new(start);
        let said = (0..100_u32).filter_map(|n| hush.say(start + Duration::from_millis(u64::from(n)))).count();
        assert_eq!(said, 20);
        assert_eq!(hush.say(start + Duration::from_millis(1_500)), Some(80));
        assert_eq!(hush.say(start + Duration::from_millis(1_501)), None);
        assert_eq!(hush.say(start + Duration::from_secs(90)), Some(1));
        let again = (0..100).filter_map(|_| hush.say(start + Duration::from_secs(90))).count();
        assert_eq!(again, 19);
    }
}
