//! From a selection to a report.

use crate::report::Report;
use crate::subject::{links, parse};
use crate::{BenchError, Measurement, Options, Selection};
use std::io::Write;

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
    if selection.includes(Selection::Mllp) || selection.includes(Selection::Lis01) {
        let folder = tempfile::Builder::new()
            .prefix("hemogate-bench-")
            .tempdir_in(&options.folder)
            .map_err(BenchError::io(format!("make a folder in {}", options.folder.display())))?;
        let (mllp, lis01) = links::clients(options);
        if selection.includes(Selection::Mllp) {
            report
                .title("MLLP, every message durable before its answer; connections × unanswered messages")?;
            for (connections, outstanding) in &options.loads {
                keep(&mut report, links::mllp(options, folder.path(), &mllp, *connections, *outstanding)?)?;
            }
        }
        if selection.includes(Selection::Lis01) {
            report.title("LIS01, every frame durable before its ACK; × connections")?;
            let mut connections: Vec<usize> =
                options.loads.iter().map(|(connections, _)| *connections).collect();
            connections.sort_unstable();
            connections.dedup();
            for connections in connections {
                keep(&mut report, links::lis01(options, folder.path(), &lis01, connections)?)?;
            }
        }
    }
    Ok(all)
}
