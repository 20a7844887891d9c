//! CPU time as the operating system counts it.

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
}
