//! hemogate: command line, configuration, wiring, start, drain, stop. No logic of a laboratory lives here.

mod again;
mod analysers;
mod batch;
mod catalogue;
mod check;
mod cli;
mod client;
mod clock;
mod components;
mod config;
mod daemon;
mod decide;
mod demo;
mod desk;
mod donation;
mod donor;
mod examine;
mod exit;
mod export;
mod faults;
mod fitness;
mod id;
mod kit;
mod laboratory;
mod lines;
mod log;
mod lots;
mod orders;
mod pinned;
mod pools;
mod print;
mod probe;
mod profile;
mod quarantine;
mod reconcile;
mod revisions;
mod rules;
mod run;
mod runs;
mod sample_people;
mod secret;
mod simulate;
mod status;
mod store;
mod token;
mod trace;
mod user;
mod wiring;

use clap::Parser;
use cli::{Cli, Command, Lang};
use exit::{Exit, Failure, Outcome};
use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

/// Values of one size lie together, so what is freed goes back to the system. glibc gives every thread an area of its own,
/// where small values that live long keep the holes between large ones for good.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log::start(&cli);
    match dispatch(&cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            // A reader that has gone (`hemogate export … | head`) is no fault of ours.
            if failure.exit != Exit::Io || !failure.what.contains("Broken pipe") {
                let told = writeln!(io::stderr().lock(), "hemogate: {}", failure.what);
                debug_assert!(told.is_ok());
            }
            failure.exit.into()
        }
    }
}

fn dispatch(cli: &Cli) -> Outcome {
    let lang = cli.lang.unwrap_or_else(|| {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| env::var(name).ok().filter(|v| !v.is_empty()));
        Lang::from_locale(locale.as_deref())
    });
    match &cli.command {
        Command::Decide(asked) => decide::decide(asked, lang),
        Command::Rules(asked) => rules::rules(cli, asked, lang),
        Command::Id(asked) => id::id(cli, asked, lang),
        Command::Interpret(asked) => catalogue::interpret(asked),
        Command::Profile(asked) => profile::profile(cli, asked, lang),
        Command::Check => check::check(cli, lang),
        Command::Run => block_on(run::run(cli, lang)),
        Command::Demo(asked) => block_on(demo::demo(asked, lang)),
        Command::Export(asked) => export::export(cli, asked),
        Command::Verify(asked) => store::verify(cli, asked, lang),
        Command::Rebuild => store::rebuild(cli, lang),
        Command::Orders(asked) => block_on(orders::orders(cli, asked, lang)),
        Command::Kit(asked) => kit::kit(cli, asked, lang),
        Command::Lots(asked) => block_on(lots::lots(cli, asked, lang)),
        Command::Runs(asked) => block_on(runs::runs(cli, asked, lang)),
        Command::Batch(asked) => block_on(batch::batch(cli, asked, lang)),
        Command::Recall(asked) => block_on(donor::recall(cli, asked, lang)),
        Command::Tasks(asked) => block_on(donor::tasks(cli, asked, lang)),
        Command::Donation(asked) => block_on(donation::donation(cli, asked, lang)),
        Command::Component(asked) => block_on(components::component(cli, asked, lang)),
        Command::Donor(asked) => block_on(donor::donor(cli, asked, lang)),
        Command::User(asked) => block_on(user::user(cli, asked, lang)),
        Command::Reprocess(asked) => block_on(again::reprocess(cli, asked, lang)),
        Command::Pool(asked) => block_on(pools::pool(cli, asked, lang)),
        Command::Quarantine(asked) => block_on(quarantine::quarantine(cli, asked, lang)),
        Command::Analyser(asked) => block_on(fitness::analyser(cli, asked, lang)),
        Command::Operator(asked) => block_on(fitness::operator(cli, asked, lang)),
        Command::Faults(asked) => block_on(faults::faults(cli, asked, lang)),
        Command::Probe(asked) => block_on(probe::probe(cli, asked, lang)),
        Command::Trace(asked) => block_on(trace::trace(cli, asked, lang)),
        Command::Status(output) => block_on(status::status(cli, output, lang)),
        Command::Simulate(asked) => block_on(simulate::simulate(asked, lang)),
        Command::Bench(asked) => simulate::bench(asked),
    }
}

/// What is still looked into when a command has ended, a share that is gone for example, is waited for no longer.
const LEFT_BEHIND_WITHIN: Duration = Duration::from_secs(1);

fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    waited_for(command)
}

fn waited_for<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(Exit::Internal, e))?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(LEFT_BEHIND_WITHIN);
    outcome
}

/// The configuration that a command works with, with what the command line lays over it.
fn configuration(cli: &Cli) -> Result<config::Loaded, Failure> {
    let environment: Vec<(String, String)> = env::vars().collect();
    let mut loaded = config::load(cli.config.as_deref(), &environment)
        .map_err(|fault| Failure::new(Exit::Configuration, fault))?;
    if let Some(data) = &cli.data {
        loaded.config.store.path.clone_from(data);
    }
    Ok(loaded)
}
