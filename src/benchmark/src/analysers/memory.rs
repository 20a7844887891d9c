//! The daemon's resident memory over time, as the system counts it.

use crate::BenchError;
use std::{
    fs, io,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Between two looks. The state's buffers come and go within seconds.
const EVERY: Duration = Duration::from_secs(5);
/// Looks of a minute: its highest counts.
const LOOKS: u32 = 12;

/// A minute: the highest of its looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// The last of them, since the start.
    pub(super) at_s: u64,
    pub(super) resident_kib: u64,
}

/// A thread that looks every few seconds.
pub(super) struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<io::Result<Vec<Sample>>>,
}

impl Watch {
    pub(super) fn start(pid: u32) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let mut samples = vec![sample(pid, began)?];
            let mut ended = false;
            while !ended {
                let mut highest_kib = 0;
                for _ in 0..LOOKS {
                    ended = stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
                    highest_kib = highest_kib.max(sample(pid, began)?.resident_kib);
                    if ended {
                        break;
                    }
                }
                samples.push(Sample { at_s: began.elapsed().as_secs(), resident_kib: highest_kib });
            }
            Ok(samples)
        });
        Self { stop, thread }
    }

    /// Looks once more, and gives every sample: at the start, of every minute, and of what is left of the last.
    pub(super) fn finish(self) -> Result<Vec<Sample>, BenchError> {
        drop(self.stop);
        let samples = self.thread.join().map_err(|_| BenchError::Part {
            what: "watch the daemon's memory".to_owned(),
            why: "the watching thread panicked".to_owned(),
        })?;
        samples.map_err(BenchError::io("read the daemon's memory from /proc (Linux only)"))
    }
}

fn sample(pid: u32, began: Instant) -> io::Result<Sample> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    let resident_kib = kib.ok_or_else(|| io::Error::other("no VmRSS in /proc: the daemon has ended"))?;
    Ok(Sample { at_s: began.elapsed().as_secs(), resident_kib })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_looks_at_the_start_and_at_the_end() {
        let samples = Watch::start(std::process::id()).finish().unwrap();
        assert_eq!(samples.len(), 2);
        assert!(samples.iter().all(|s| s.resident_kib > 1000), "{samples:?}");
        assert!(Watch::start(u32::MAX).finish().is_err());
    }
}
