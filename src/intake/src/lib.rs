//! Links to analysers: between a socket, line or folder and the ledger.
//!
//! This room drives a parser's state machine and makes what it hands out durable; only then may the machine
//! answer. It knows neither what a message means nor what becomes of it.
//!
//! ```text
//!  socket ──bytes──► lis01::Link ──frame + ticket──► ledger ──Durable──► accept ──ACK──► socket
//!                    mllp::Receiver                    │ refused, failed, too slow
//!                                                      └──────────────► refuse ──NAK / AE──► socket
//! ```
//!
//! What a peer asks, and what is sent to it unasked, comes from its [`Desk`].

mod alarm;
mod alike;
mod answer;
mod blocks;
mod board;
mod desk;
mod folder;
mod frames;
mod irregular;
mod probe;
mod quiet;
mod response;
mod said;
mod sending;
mod sessions;
mod settings;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod tls;
pub mod trace;
mod transfer;
mod transport;
mod unframed;

pub use board::{Activity, Board, Standing};
pub use desk::{Awaits, Desk, Later, Outgoing, OutgoingId, Reply, Settled};
pub use irregular::Irregularity;
pub use probe::{Aspect, Look, Outcome, Reach, probe, probe_unserved};
pub use said::Said;
pub use settings::{Acknowledge, Answering, Close, Connection, Limits, Link, Unreadable};
pub use source::{
    Connect, DataBits, FlowControl, Listen, Network, NoNetwork, Parity, SerialPort, Source, StopBits,
};
pub use tls::{Holder, IdentityFiles, TlsClient, TlsClientFiles, TlsFault, TlsServer, TlsServerFiles};
pub use transfer::MessageEnd;

use folder::{Folder, Patience};
use ledger::Ledger;
use std::{io, sync::Arc};
use store::Store;
use tokio_util::sync::CancellationToken;
use transport::Line;
use vocabulary::Mode;

/// Serves one connection until `stop`; what is in flight then is answered first. It stands on the board at once, before
/// anything is awaited: whoever asks for it as soon as hemogate answers finds it.
///
/// # Errors
/// Only when `source` cannot be used at all (a listener that cannot be handed to the runtime).
pub fn serve(
    mut connection: Connection,
    source: Source,
    ledger: Ledger,
    board: Board,
    stop: CancellationToken,
) -> impl Future<Output = io::Result<()>> {
    if connection.mode == Mode::ListenOnly {
        // What it would send never leaves: nobody may believe it sent.
        connection.desk = None;
    }
    board.begin(&connection);
    if let Some(reach) = Reach::of(&source) {
        board.reach_by(&connection.id, reach);
    }
    async move {
        let store = Store::new(ledger);
        let left_open = store.end_open_transfers(&connection.id, &stop).await.map_err(io::Error::other)?;
        if left_open > 0 {
            tracing::warn!(connection = %connection.id, left_open, "transfers were open when hemogate stopped");
        }
        let line = Line { connection: Arc::new(connection), store, board, stop: stop.clone() };
        let (board, connection) = (line.board.clone(), Arc::clone(&line.connection));
        tokio::select! {
            served = drive(line, source, stop) => served,
            never = quiet::watch(&board, &connection.id, connection.limits.warn_when_silent) => match never {},
        }
    }
}

async fn drive(line: Line, source: Source, stop: CancellationToken) -> io::Result<()> {
    match source {
        Source::Listen(source) => transport::listen(line, source, stop).await?,
        Source::Connect(source) => transport::connect(line, source, stop).await,
        Source::Serial(port) => transport::serial(line, port, stop).await,
        Source::Folder { path, pattern } => {
            let Link::Files { bytes_max, settle, .. } = line.connection.link else {
                return Err(io::Error::other("a folder holds files, but the profile's link is a line"));
            };
            let folder = Folder { path, pattern, bytes_max, settle, patience: Patience::default() };
            folder::watch(&line.connection, folder, &line.store, &line.board, &stop).await;
        }
    }
    Ok(())
}
