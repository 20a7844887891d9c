//! Figures, and whether they are good enough.

use super::{histogram::Histogram, memory::Sample, reckoning::Reckoning};
use crate::{BenchError, Format};
use serde_json::{Value, json};
use std::{io::Write, time::Duration};

/// 99.9 of a hundred answers come within this.
pub const P99_9_US_MAX: u64 = 1_000_000;
/// Flat: in the second half of a run resident memory grows by no more than this. In the first half what is bounded
/// fills up: the state's cache, a trace for each connection. What leaks goes on.
pub const GROWTH_KIB_MAX: u64 = 8 * 1024;
/// A run whose first half is shorter says nothing of growth.
const HALF_S_MIN: f64 = 150.0;
/// A sample is the highest of a minute, and stands at its end.
const MINUTE_S: f64 = 60.0;

/// What was seen of a laboratory's worth of analysers.
#[derive(Debug)]
pub struct Verdict {
    /// Analysers with LIS01, and with MLLP.
    pub(super) analysers: (usize, usize),
    pub(super) seconds: f64,
    pub(super) frames: u64,
    pub(super) messages: u64,
    pub(super) refused: u64,
    pub(super) answers: Histogram,
    pub(super) resident: Vec<Sample>,
    pub(super) kept: Reckoning,
    pub(super) faults: Vec<String>,
}

impl Verdict {
    /// Whether every limit is kept: answers in time, memory flat, nothing lost, nothing twice, nothing refused.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.in_time() && self.flat() != Some(false) && self.whole()
    }

    fn in_time(&self) -> bool {
        self.answers.total() > 0 && self.answers.within_us(99_900) <= P99_9_US_MAX
    }

    /// From the highest of the first minute after half-time to the highest of the last two samples, in KiB: of the last
    /// there may be a few seconds only.
    fn growth_kib(&self) -> Option<u64> {
        let half_s = self.seconds / 2.0;
        let after = |s: &&Sample| Duration::from_secs(s.at_s).as_secs_f64() >= half_s + MINUTE_S;
        let first = self.resident.iter().find(after).filter(|_| half_s >= HALF_S_MIN)?;
        let last = self.resident.iter().rev().take(2).filter(|last| last.at_s > first.at_s);
        let highest = last.map(|last| last.resident_kib).max()?;
        Some(highest.saturating_sub(first.resident_kib))
    }

    fn flat(&self) -> Option<bool> {
        self.growth_kib().map(|grown| grown <= GROWTH_KIB_MAX)
    }

    fn whole(&self) -> bool {
        self.kept == Reckoning::default() && self.refused == 0 && self.faults.is_empty()
    }

    pub(super) fn write(&self, format: Format, out: &mut dyn Write) -> Result<(), BenchError> {
        let text = match format {
            Format::Json => format!("{}\n", self.object()),
            Format::Table => self.table(),
        };
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(BenchError::io("write the report"))
    }

    fn object(&self) -> Value {
        let within = |share| self.answers.within_us(share);
        let resident: Vec<Value> =
            self.resident.iter().map(|s| json!({"at_s": s.at_s, "kib": s.resident_kib})).collect();
        json!({
            "measurement": "analysers",
            "lis01": self.analysers.0, "mllp": self.analysers.1, "seconds": self.seconds,
            "frames": self.frames, "messages": self.messages,
            "answer_us": {"p50": within(50_000), "p99": within(99_000), "p99_9": within(99_900),
                "max": self.answers.longest_us()},
            "resident": resident, "growth_kib": self.growth_kib(),
            "lost": self.kept.lost, "duplicated": self.kept.duplicated, "unasked": self.kept.unasked,
            "refused": self.refused, "faults": self.faults,
            "wanted": {"p99_9_us": P99_9_US_MAX, "growth_kib": GROWTH_KIB_MAX},
            "reached": self.is_reached(),
        })
    }

    fn table(&self) -> String {
        let (lis01, mllp) = self.analysers;
        let reached = |is| if is { "reached" } else { "MISSED" };
        let within = |share| ms(self.answers.within_us(share));
        let growth = match (self.growth_kib(), self.flat()) {
            (Some(grown), Some(flat)) => {
                format!(
                    "grew {} MiB in the second half, ≤ {} MiB {}",
                    grown / 1024,
                    GROWTH_KIB_MAX / 1024,
                    reached(flat)
                )
            }
            (_, _) => "too short a run to say that it is flat".to_owned(),
        };
        let resident: Vec<String> =
            self.resident.iter().map(|s| format!("{} s {} MiB", s.at_s, s.resident_kib / 1024)).collect();
        let Reckoning { lost, duplicated, unasked } = self.kept;
        let mut lines = vec![String::new()];
        lines.extend(self.faults.iter().map(|fault| format!("  fault      {fault}")));
        let faults = lines.join("\n");
        format!(
            "{} analysers at once ({lis01} LIS01, {mllp} MLLP) for {:.0} s, on 2 processors with the daemon\n  \
             answered   {} frames and blocks, {} messages\n  \
             answers    p50 {}, p99 {}, p99.9 {}, longest {}; p99.9 ≤ {} {}\n  \
             memory     {}; {growth}\n  \
             messages   lost {lost}, duplicated {duplicated}, never acknowledged {unasked}, refusals {} {}{faults}\n",
            lis01 + mllp,
            self.seconds,
            self.frames,
            self.messages,
            within(50_000),
            within(99_000),
            within(99_900),
            ms(self.answers.longest_us()),
            ms(P99_9_US_MAX),
            reached(self.in_time()),
            resident.join(", "),
            self.refused,
            reached(self.whole()),
        )
    }
}

fn ms(us: u64) -> String {
    format!("{}.{} ms", us / 1000, us % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(slow_ms: u64, last_kib: u64, lost: u64) -> Verdict {
        let mut answers = Histogram::default();
        (0..998).for_each(|_| answers.add(Duration::from_millis(2)));
        (0..2).for_each(|_| answers.add(Duration::from_millis(slow_ms)));
        let sample = |at_s, resident_kib| Sample { at_s, resident_kib };
        Verdict {
            analysers: (40, 24),
            seconds: 600.0,
            frames: 1000,
            messages: 200,
            refused: 0,
            answers,
            resident: vec![sample(0, 20_000), sample(60, 40_000), sample(360, 60_000), sample(600, last_kib)],
            kept: Reckoning { lost, ..Reckoning::default() },
            faults: Vec::new(),
        }
    }

    #[test]
    fn each_limit_by_itself_decides() {
        for (verdict, reached) in [
            (seen(900, 61_000, 0), true),
            (seen(1_100, 61_000, 0), false),
            (seen(900, 60_000 + GROWTH_KIB_MAX + 1, 0), false),
            (seen(900, 61_000, 1), false),
            (Verdict { refused: 1, ..seen(900, 61_000, 0) }, false),
            (Verdict { faults: vec!["a: late".to_owned()], ..seen(900, 61_000, 0) }, false),
            (Verdict { answers: Histogram::default(), ..seen(900, 61_000, 0) }, false),
            (Verdict { resident: Vec::new(), ..seen(900, 61_000, 0) }, true),
            (Verdict { seconds: 240.0, ..seen(900, 60_000 + GROWTH_KIB_MAX + 1, 0) }, true),
        ] {
            assert_eq!(verdict.is_reached(), reached, "{verdict:?}");
            let table = verdict.table();
            assert_eq!(table.contains("MISSED"), !reached, "{table}");
            assert_eq!(verdict.object()["reached"], reached);
        }
    }
}
