//! A laboratory's worth of analysers at once, against a daemon of its own: how late the latest answer is, whether
//! memory stays flat, and whether anything is lost.
//!
//! Every analyser is stop-and-wait, as the standards have it: it sends a frame, or a message in MLLP, and times the
//! answer. Between its transfers it pauses, about as long as one that works; now and then a run is finished and
//! everything leaves in one burst; all of them connect at the same moment. Afterwards the ledger is read from disk and
//! held against what was acknowledged, message by message.
//!
//! Daemon and analysers share two cores.

mod cores;
mod histogram;
mod house;
mod instrument;
mod memory;
mod pace;
mod reckoning;
mod verdict;

pub use verdict::{GROWTH_KIB_MAX, P99_9_US_MAX, Verdict};

use crate::{BenchError, Format};
use histogram::Histogram;
use house::House;
use instrument::{Instrument, Seen};
use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};
use vocabulary::Protocol;

/// Daemon and analysers together run on so many processors.
const CORES: usize = 2;

/// One analyser: its connection, and what it sends.
#[derive(Debug, Clone)]
pub struct Part {
    /// The connection's id in the daemon's configuration.
    pub connection: String,
    /// Maker and model of the catalogue.
    pub profile: String,
    /// LIS02 over LIS01, or HL7 over MLLP.
    pub protocol: Protocol,
    /// LIS01: messages in one transfer.
    pub per_transfer: usize,
    /// Everything it sends, in order; from the beginning again when that is not enough.
    pub messages: Vec<Vec<u8>>,
}

/// How to measure.
#[derive(Debug, Clone)]
pub struct AnalysersOptions {
    /// How long.
    pub duration: Duration,
    /// Of pauses and bursts.
    pub seed: u64,
    /// The `hemogate` binary that is measured.
    pub binary: PathBuf,
    /// A folder on the disk to measure; the daemon's house is made in it and removed again.
    pub folder: PathBuf,
    /// How figures are written.
    pub format: Format,
}

/// Lets the analysers work for the given time and writes what was seen.
///
/// # Errors
/// When the daemon does not start or stop, an analyser has a protocol that is no line, or the ledger cannot be read.
pub fn analysers(
    parts: Vec<Part>,
    options: &AnalysersOptions,
    out: &mut dyn Write,
) -> Result<Verdict, BenchError> {
    let cores = cores::Confined::to(CORES)?;
    let house = House::start(&parts, options)?;
    let memory = memory::Watch::start(house.pid());
    let counted = counts(&parts);
    let seen = play(&house, parts, options)?;
    let resident = memory.finish()?;
    let stopped = house.stop()?;
    let held = reckoning::held(&stopped.folder())?;
    drop((stopped, cores));

    let mut answers = Histogram::default();
    let mut acknowledged = reckoning::Count::new();
    for one in &seen {
        answers.join(&one.answers);
        acknowledged.extend(one.acknowledged.iter().map(|(message, times)| (message.clone(), *times)));
    }
    let verdict = Verdict {
        analysers: counted,
        seconds: options.duration.as_secs_f64(),
        frames: seen.iter().map(|s| s.frames).sum(),
        messages: seen.iter().map(|s| s.messages).sum(),
        refused: seen.iter().map(|s| s.refused).sum(),
        answers,
        resident,
        kept: reckoning::Reckoning::new(&acknowledged, &held),
        faults: seen
            .into_iter()
            .filter_map(|s| s.first_fault)
            .chain(reckoning::losers(&acknowledged, &held))
            .collect(),
    };
    verdict.write(options.format, out)?;
    Ok(verdict)
}

/// Analysers that speak LIS01, and MLLP.
fn counts(parts: &[Part]) -> (usize, usize) {
    let lis01 = parts.iter().filter(|p| p.protocol == Protocol::Lis02).count();
    (lis01, parts.len() - lis01)
}

/// Everything the analysers saw, until all have ended.
fn play(house: &House, parts: Vec<Part>, options: &AnalysersOptions) -> Result<Vec<Seen>, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::io("start a runtime"))?;
    let until = Instant::now() + options.duration;
    let mut instruments = Vec::new();
    for (nth, part) in (0_u64..).zip(parts) {
        instruments.push(Instrument::new(house.address(&part.connection)?, part, options.seed ^ nth, until)?);
    }
    let seen = runtime.block_on(async {
        let mut working = tokio::task::JoinSet::new();
        for instrument in instruments {
            working.spawn(instrument.work());
        }
        working.join_all().await
    });
    Ok(seen)
}
