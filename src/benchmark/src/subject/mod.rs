//! What is measured: one file a subject, each with its floor beside it.

pub(crate) mod interpret;
pub(crate) mod ledger;
pub(crate) mod links;
pub(crate) mod memory;
pub(crate) mod parse;
pub(crate) mod profiles;
pub(crate) mod rebuild;
pub(crate) mod verdicts;

use crate::contest::{Turn, number};
use crate::{BenchError, Values, gauge};
use std::path::Path;
use std::time::Duration;

/// Goes through the same work again and again for `slice` of this thread's CPU time.
pub(crate) fn repeat(
    slice: Duration,
    amount_a_pass: f64,
    mut pass: impl FnMut() -> Result<Option<Values>, BenchError>,
) -> Result<Turn, BenchError> {
    let start = gauge::thread_cpu();
    let mut passes = 0;
    loop {
        let values = pass()?;
        passes += 1;
        let used = gauge::thread_cpu().saturating_sub(start);
        if used >= slice {
            let (amount, seconds) = (amount_a_pass * number(passes), used.as_secs_f64());
            return Ok(Turn { amount, seconds, values, further: Vec::new() });
        }
    }
}

/// Empties the folder and has the file system finish with it, so that giving back the blocks of one turn does not
/// fall into the next one.
pub(crate) fn clear(folder: &Path) -> Result<(), BenchError> {
    let cleared = std::fs::remove_dir_all(folder)
        .and_then(|()| std::fs::create_dir(folder))
        .and_then(|()| std::fs::File::open(folder)?.sync_all());
    cleared.map_err(BenchError::io(format!("clear {}", folder.display())))
}
