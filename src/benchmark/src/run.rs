//! From a selection to a report.

use crate::gauge::Machine;
use crate::report::Report;
use crate::subject::{interpret, ledger, links, memory, parse, profiles, rebuild, verdicts};
use crate::{BenchError, Measurement, Options, Selection};
use std::io::Write;
use std::path::Path;

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
    let folder = tempfile::Builder::new()
        .prefix("hemogate-bench-")
        .tempdir_in(&options.folder)
        .map_err(BenchError::io(format!("make a folder in {}", options.folder.display())))?;
    let turns = folder.path().join("turn");
    std::fs::create_dir(&turns).map_err(BenchError::io("make a folder"))?;
    let before = Machine::now();
    let report = Report::new(out, options.format);
    let mut run = Run { options, folder: &turns, report, all: Vec::new() };
    for part in Selection::PARTS {
        if selection.includes(part) {
            run.report.title(part.title())?;
            run.part(part)?;
        }
    }
    let Run { mut report, all, .. } = run;
    if let (Some(before), Some(now)) = (before, Machine::now()) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        report.machine(cores, now.others_percent_since(&before))?;
    }
    Ok(all)
}

struct Run<'a> {
    options: &'a Options,
    folder: &'a Path,
    report: Report<'a>,
    all: Vec<Measurement>,
}

impl Run<'_> {
    fn keep(&mut self, measurement: Measurement) -> Result<(), BenchError> {
        self.report.measurement(&measurement)?;
        self.all.push(measurement);
        Ok(())
    }

    fn part(&mut self, part: Selection) -> Result<(), BenchError> {
        let (options, folder) = (self.options, self.folder);
        match part {
            Selection::Parse => {
                self.keep(parse::hl7(options)?)?;
                self.keep(parse::transfers(options)?)
            }
            Selection::Mllp => {
                let client = links::mllp_client(options);
                options.loads.iter().try_for_each(|(connections, outstanding)| {
                    self.keep(links::mllp(options, folder, &client, *connections, *outstanding)?)
                })
            }
            Selection::Lis01 => {
                let client = links::lis01_client(options);
                let mut connections: Vec<usize> =
                    options.loads.iter().map(|(connections, _)| *connections).collect();
                connections.sort_unstable();
                connections.dedup();
                connections.into_iter().try_for_each(|connections| {
                    self.keep(links::lis01(options, folder, &client, connections)?)
                })
            }
            Selection::Ledger => UNDER_WAY
                .into_iter()
                .try_for_each(|under_way| self.keep(ledger::messages(options, folder, under_way)?)),
            Selection::Interpret => self.keep(interpret::observations(options)?),
            Selection::Profiles => self.keep(profiles::loaded(options, folder)?),
            Selection::Verdicts => self.keep(verdicts::verdicts(options)?),
            Selection::Rebuild => self.keep(rebuild::rebuild(options, folder)?),
            Selection::Memory => {
                let client = links::mllp_client(options);
                let measured = memory::resident(options, folder, &client)?;
                measured.into_iter().try_for_each(|measurement| self.keep(measurement))
            }
            Selection::All => Ok(()),
        }
    }
}
