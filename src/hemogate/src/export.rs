//! `export`: what the ledger holds, one object a line. The journal is only read, so that a daemon may be at work on it.

use crate::{
    cli::{Cli, Export, ExportKind},
    daemon::ledger_settings,
    exit::{Exit, Failure, Outcome},
    print::Printer,
    store::ledger_of,
};

pub(crate) fn export(cli: &Cli, asked: &Export) -> Outcome {
    let config = ledger_of(cli)?;
    let kind = match asked.kind {
        ExportKind::Messages => ledger::ExportKind::Messages,
        ExportKind::Observations => ledger::ExportKind::Observations,
        ExportKind::Verdicts => ledger::ExportKind::Verdicts,
        ExportKind::Deliveries => ledger::ExportKind::Deliveries,
        ExportKind::Audit => ledger::ExportKind::Audit,
    };
    let items =
        ledger::export(&ledger_settings(&config), kind).map_err(|e| Failure::new(Exit::Unavailable, e))?;
    let mut printer = Printer::new(asked.format);
    for item in items {
        let item = item.map_err(|e| Failure::new(Exit::Unavailable, e))?;
        printer.item(&item, || vec![item.to_string()])?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}
