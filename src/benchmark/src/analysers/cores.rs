//! Keeping the measurement on so many processors, on a machine that has more.

use crate::BenchError;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io;

/// This thread, and every thread and process it starts, are confined until this is dropped.
pub(super) struct Confined {
    before: CpuSet,
}

impl Confined {
    /// To the first `count` processors that are free to it. A machine that has fewer is not measured.
    pub(super) fn to(count: usize) -> Result<Self, BenchError> {
        let failed = |e| BenchError::io("choose processors")(io::Error::from(e));
        let before = sched_getaffinity(None).map_err(failed)?;
        let free: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu)).take(count).collect();
        if free.len() < count {
            return Err(BenchError::Part {
                what: "choose processors".to_owned(),
                why: format!("{count} are wanted, {} are free to this process", free.len()),
            });
        }
        let mut chosen = CpuSet::new();
        for cpu in free {
            chosen.set(cpu);
        }
        sched_setaffinity(None, &chosen).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        if sched_setaffinity(None, &self.before).is_err() {
            // The rest of the process stays on the processors it was measured on; it has little left to do.
        }
    }
}
