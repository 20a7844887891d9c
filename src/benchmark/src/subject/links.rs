//! Durable before the ACK: messages and frames acknowledged a second.

use super::clear;
use crate::contest::{Engine, FLOOR, Measurement, OURS, Turn, Wanted, contest};
use crate::corpus;
use crate::floor::{self, GroupCommit};
use crate::load::{Lis01Load, MllpLoad, Slice};
use crate::serve::{Served, Threads, load};
use crate::station::{self, Station};
use crate::{BenchError, Options};
use intake::Connection;
use ledger::HashAlgorithm;
use std::path::Path;
use std::sync::Arc;

const WANTED: Wanted = Wanted::AtLeast(0.7);
/// Ours with the other hash function that a journal can be begun with.
pub(super) const OURS_SHA256: &str = "hemogate, SHA-256";

/// MLLP at one load: `connections`, each with `outstanding` messages unanswered.
pub(crate) fn mllp(
    options: &Options,
    folder: &Path,
    client: &Arc<MllpLoad>,
    connections: usize,
    outstanding: usize,
) -> Result<Measurement, BenchError> {
    let name = format!("MLLP {connections} × {outstanding}");
    let run = |engine: &str, server: &Served| {
        load(&name, engine, options.slice, |slice: Slice| {
            client.run(server.address, connections, outstanding, slice)
        })
    };
    let engines = vec![
        Engine::new(FLOOR, || with_floor(folder, floor::mllp_server, |server| run(FLOOR, server))),
        Engine::new(OURS, || {
            with_intake(folder, HashAlgorithm::Sm3, station::mllp()?, |server| run(OURS, server))
        }),
        Engine::new(OURS_SHA256, || {
            with_intake(folder, HashAlgorithm::Sha256, station::mllp()?, |server| run(OURS_SHA256, server))
        }),
    ];
    contest(name.clone(), "messages/s", Some(WANTED), engines, options.rounds)
}

/// LIS01 at one load: `connections` instruments.
pub(crate) fn lis01(
    options: &Options,
    folder: &Path,
    client: &Arc<Lis01Load>,
    connections: usize,
) -> Result<Measurement, BenchError> {
    let name = format!("LIS01 × {connections}");
    let run = |engine: &str, server: &Served| {
        load(&name, engine, options.slice, |slice: Slice| client.run(server.address, connections, slice))
    };
    let engines = vec![
        Engine::new(FLOOR, || with_floor(folder, floor::lis01_server, |server| run(FLOOR, server))),
        Engine::new(OURS, || {
            with_intake(folder, HashAlgorithm::Sm3, station::lis01()?, |server| run(OURS, server))
        }),
        Engine::new(OURS_SHA256, || {
            with_intake(folder, HashAlgorithm::Sha256, station::lis01()?, |server| run(OURS_SHA256, server))
        }),
    ];
    contest(name.clone(), "frames/s", Some(WANTED), engines, options.rounds)
}

/// MLLP clients, with their traffic.
pub(crate) fn mllp_client(options: &Options) -> Arc<MllpLoad> {
    Arc::new(MllpLoad::new(&corpus::hl7(options.seed, options.corpus_bytes)))
}

/// Instruments on LIS01, with their traffic.
pub(crate) fn lis01_client(options: &Options) -> Arc<Lis01Load> {
    Arc::new(Lis01Load::new(&corpus::transfers(options.seed, options.corpus_bytes)))
}

pub(super) fn with_floor<Serve, Work>(
    folder: &Path,
    serve: Serve,
    turn: impl FnOnce(&Served) -> Result<Turn, BenchError>,
) -> Result<Turn, BenchError>
where
    Serve: FnOnce(std::net::TcpListener, floor::Appender, tokio_util::sync::CancellationToken) -> Work
        + Send
        + 'static,
    Work: Future<Output = ()>,
{
    let path = folder.join("floor.log");
    let commit = GroupCommit::start(&path).map_err(BenchError::io("start the floor's log"))?;
    let appender = commit.appender();
    let server = Served::start(FLOOR, Threads::One, move |listener, stop| serve(listener, appender, stop))?;
    let turn = turn(&server);
    server.finish()?;
    commit.finish().map_err(BenchError::io("write the floor's log"))?;
    clear(folder)?;
    turn
}

/// Intake and a ledger of its own, as the daemon has them, the state following in sled.
fn with_intake(
    folder: &Path,
    hash: HashAlgorithm,
    connection: Connection,
    turn: impl FnOnce(&Served) -> Result<Turn, BenchError>,
) -> Result<Turn, BenchError> {
    let station = Station::open(&folder.join("ledger"), hash)?;
    let server = station.serve(connection)?;
    let turn = turn(&server);
    server.finish()?;
    station.close();
    clear(folder)?;
    turn
}
