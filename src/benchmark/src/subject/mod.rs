//! What is measured: one file a subject, each with its floor beside it.

pub(crate) mod links;
pub(crate) mod parse;

use crate::contest::{Turn, number};
use crate::{BenchError, Values, gauge};
use std::time::Duration;

/// Goes through the same work again and again for `slice` of this thread's CPU time.
pub(crate) fn repeat(
    slice: Duration,
    amount_a_pass: f64,
    mut pass: impl FnMut() -> Result<Values, BenchError>,
) -> Result<Turn, BenchError> {
    let start = gauge::thread_cpu();
    let mut passes = 0;
    loop {
        let values = pass()?;
        passes += 1;
        let used = gauge::thread_cpu().saturating_sub(start);
        if used >= slice {
            let (amount, seconds) = (amount_a_pass * number(passes), used.as_secs_f64());
            return Ok(Turn { amount, seconds, values: Some(values), further: Vec::new() });
        }
    }
}
