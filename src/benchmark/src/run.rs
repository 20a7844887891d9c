//! From a selection to a report.

use crate::report::Report;
use crate::subject::{ledger, links, parse};
use crate::{BenchError, Measurement, Options, Selection};
use std::io::Write;

/// Groups always waiting for the disk when the ledger is measured by itself.
const UNDER_WAY: [usize; 3] = [1, 16, 256];

/// Measures what is selected and writes each measurement as it is made. Returns them all.
///
/// # Errors
/// When an engine sees other values than the floor, when a server gives a wrong answer, when the folder, a port or
/// the writer fails.
pub fn run(
    selection: Selection,
    options: &Options,
    out: &mut dyn Write,
) -> Result<Vec<Measurement>, BenchError> {
    let mut report = Report::new(out, options.format);
    let mut all = Vec::new();
    let mut keep = |report: &mut Report<'_>, measurement: Measurement| {
        report.measurement(&measurement)?;
        all.push(measurement);
        Ok::<(), BenchError>(())
    };
    if selection.includes(Selection::Parse) {
        report.title("Parsing, one thread, every value visited")?;
        keep(&mut report, parse::hl7(options)?)?;
        keep(&mut report, parse::transfers(options)?)?;
    }
    let folder = tempfile::Builder::new()
        .prefix("hemogate-bench-")
        .tempdir_in(&options.folder)
        .map_err(BenchError::io(format!("make a folder in {}", options.folder.display())))?;
    let turns = folder.path().join("turn");
    std::fs::create_dir(&turns).map_err(BenchError::io("make a folder"))?;
    if selection.includes(Selection::Mllp) {
        report.title("MLLP, every message durable before its answer; connections × unanswered messages")?;
        let client = links::mllp_client(options);
        for (connections, outstanding) in &options.loads {
            keep(&mut report, links::mllp(options, &turns, &client, *connections, *outstanding)?)?;
        }
    }
    if selection.includes(Selection::Lis01) {
        report.title("LIS01, every frame durable before its ACK; × connections")?;
        let client = links::lis01_client(options);
        let mut connections: Vec<usize> = options.loads.iter().map(|(connections, _)| *connections).collect();
        connections.sort_unstable();
        connections.dedup();
        for connections in connections {
            keep(&mut report, links::lis01(options, &turns, &client, connections)?)?;
        }
    }
    if selection.includes(Selection::Ledger) {
        report.title("The ledger by itself, messages made durable from one thread")?;
        for under_way in UNDER_WAY {
            keep(&mut report, ledger::messages(options, &turns, under_way)?)?;
        }
    }
    Ok(all)
}
