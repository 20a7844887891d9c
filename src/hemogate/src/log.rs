//! The log: events on standard error, as text for people or JSON for machines.

use crate::cli::{Cli, Command, LogFormat};
use std::io;
use tracing_subscriber::EnvFilter;

/// Starts the log. `HEMOGATE_LOG` overrides what `-v` says.
pub(crate) fn start(cli: &Cli) {
    let daemon = matches!(cli.command, Command::Run);
    let level = match (cli.verbose, daemon) {
        (0, false) => "error",
        (0, true) => "warn,hemogate=info,intake=info,ledger=info,delivery=info,workflow=info",
        (1, _) => "info",
        (_, _) => "debug,sled=info,hyper=info",
    };
    let filter = EnvFilter::try_from_env("HEMOGATE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match cli.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
