//! How far the year is.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// Between two lines where nobody watches: a terminal is told after every day.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Says on standard error how far the year is.
pub(super) struct Progress {
    began: Instant,
    told: Instant,
    terminal: bool,
}

impl Progress {
    pub(super) fn begin(days: u32, began: Instant) -> Self {
        let progress = Self { began, told: Instant::now(), terminal: std::io::stderr().is_terminal() };
        progress.say(&format!("{days} working days"));
        progress
    }

    /// `played` of `days` days are over, with so many donations.
    pub(super) fn after(&mut self, played: u32, days: u32, donations: usize) {
        if !self.terminal && self.told.elapsed() < LINE_EVERY && played < days {
            return;
        }
        self.told = Instant::now();
        self.say(&line(played, days, donations, self.began.elapsed()));
    }

    fn say(&self, what: &str) {
        let mut out = std::io::stderr().lock();
        let said = if self.terminal { write!(out, "\r  {what}   ") } else { writeln!(out, "  {what}") };
        // Whoever watched has gone; the year goes on.
        drop(said);
    }
}

fn line(played: u32, days: u32, donations: usize, since: Duration) -> String {
    let left = since / played.max(1) * days.saturating_sub(played);
    let each = since.as_secs_f64() * 1_000.0 / f64::from(u32::try_from(donations).unwrap_or(u32::MAX).max(1));
    format!(
        "day {played} of {days}, {donations} donations, {each:.1} ms each, {} s, about {} s left",
        since.as_secs(),
        left.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_goes_on_as_it_went_so_far() {
        let said = line(30, 120, 15_990, Duration::from_mins(1));
        assert_eq!(said, "day 30 of 120, 15990 donations, 3.8 ms each, 60 s, about 180 s left");
        assert!(line(0, 3, 0, Duration::ZERO).contains("about 0 s left"));
    }
}
