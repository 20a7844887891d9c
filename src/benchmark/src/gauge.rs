//! CPU time and memory as the operating system counts them.

use crate::BenchError;
use crate::contest::number;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// CPU time this thread has used. On a machine shared with others it says more of a parser than wall time does.
pub(crate) fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

/// CPU time this process has used, all threads together.
pub(crate) fn process_cpu() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

/// Bytes of this process that are in memory now.
pub(crate) fn resident_bytes() -> Result<u64, BenchError> {
    let path = "/proc/self/statm";
    let text = std::fs::read_to_string(path).map_err(BenchError::io(format!("read {path}")))?;
    let pages = text.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(u64::MAX);
    let none = || BenchError::Part { what: format!("read {path}"), why: "no number of pages".to_owned() };
    pages.map(|pages| pages * page).ok_or_else(none)
}

/// What the whole machine has been doing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    ours: Duration,
    busy_ticks: u64,
    all_ticks: u64,
}

impl Machine {
    /// Now; nothing where the operating system does not tell.
    pub(crate) fn now() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        // user, nice, system, idle, waiting for the disk, two kinds of interrupt, stolen
        let ticks: Vec<u64> = line.split_ascii_whitespace().take(8).filter_map(|t| t.parse().ok()).collect();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        let all_ticks: u64 = ticks.iter().sum();
        Some(Self { ours: process_cpu(), busy_ticks: all_ticks - idle, all_ticks })
    }

    /// Percent of all cores that other processes took since `before`.
    pub(crate) fn others_percent_since(&self, before: &Self) -> f64 {
        const TICKS_A_SECOND: f64 = 100.0;
        let ours = self.ours.saturating_sub(before.ours).as_secs_f64() * TICKS_A_SECOND;
        let busy = number(self.busy_ticks.saturating_sub(before.busy_ticks));
        let all = number(self.all_ticks.saturating_sub(before.all_ticks)).max(1.0);
        (busy - ours).max(0.0) / all * 100.0
    }
}

fn cpu(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_passes_while_something_is_computed() {
        let (thread, process) = (thread_cpu(), process_cpu());
        let mut number = 1_u64;
        while thread_cpu() == thread {
            number = std::hint::black_box(number.wrapping_mul(3));
        }
        assert!(process_cpu() > process);
    }

    #[test]
    fn what_others_take_is_what_is_busy_without_us() {
        let machine = |ours, busy_ticks, all_ticks| Machine { ours, busy_ticks, all_ticks };
        let before = machine(Duration::ZERO, 100, 1000);
        for (after, expect) in [
            (machine(Duration::from_secs(1), 300, 1200), 50.0),
            (machine(Duration::from_secs(3), 300, 1200), 0.0),
            (machine(Duration::ZERO, 100, 1000), 0.0),
        ] {
            assert!((after.others_percent_since(&before) - expect).abs() < 1e-9, "{after:?}");
        }
    }
}
