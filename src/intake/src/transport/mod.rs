//! How bytes come and go: sockets in either direction, with or without TLS, and serial lines. One driver serves them
//! all; what differs is how a stream is come by, and what its peer may do.

mod backoff;
mod carrier;
mod connect;
mod ears;
mod entrance;
mod hush;
mod listen;
mod places;
mod proxy;
mod reasons;
mod serial;
mod steady;
mod turned;

pub(crate) use backoff::Backoff;
pub(crate) use connect::connect;
pub(crate) use listen::listen;
pub(crate) use serial::{serial, trouble};

use crate::{
    blocks,
    board::{Activity, Board},
    frames,
    irregular::Irregularity,
    said::Said,
    sessions,
    settings::{Connection, Link},
    store::Store,
    trace::{Sending, Tapped, Traced},
    transfer::half_block,
    unframed,
};
use ledger::{Draft, HowEnded};
use std::{io, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// A farewell (TLS says one) may take so long.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// Everything a socket's driver needs, shared by the sockets of one connection.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) connection: Arc<Connection>,
    pub(crate) store: Store,
    pub(crate) board: Board,
    /// The daemon's stop. A socket that is displaced still writes its end.
    pub(crate) stop: CancellationToken,
}

impl Line {
    fn standing(&self, activity: Activity, reason: Said, address: String) {
        self.board.stand(&self.connection.id, activity, reason, address);
    }

    /// Bytes have come.
    pub(crate) fn heard(&self, bytes: usize) {
        self.board.heard(&self.connection.id, bytes as u64);
    }

    /// Something is not as it should be.
    pub(crate) fn irregular(&self, kind: Irregularity, what: String) {
        self.board.irregular(&self.connection.id, kind, what);
    }

    /// As [`Line::irregular`], in both languages.
    pub(crate) fn told(&self, kind: Irregularity, what: Said) {
        self.board.told(&self.connection.id, kind, what);
    }

    /// A transmission is not whole: people are told.
    pub(crate) fn cut(&self, how: HowEnded) {
        tracing::warn!(connection = %self.connection.id, ?how, "half transmission kept; it is not parsed");
        self.board.note(&self.connection.id, |s| s.cut_total += 1);
    }

    /// The part that came of a message whose rest will not come: the group that keeps it. It is never parsed.
    pub(crate) fn half(&self, kind: Irregularity, what: String, bytes: Vec<u8>, how: HowEnded) -> Vec<Draft> {
        self.cut(how);
        self.irregular(kind, what.clone());
        half_block(&self.connection, what, bytes, how)
    }

    /// Drives one stream of bytes, whatever carries it, to its end. `peer` is who is at its other end, in words.
    pub(crate) async fn socket<S>(&self, socket: S, peer: &str, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let id = &self.connection.id;
        let trace = self.board.trace(id);
        let number = trace.connected(peer);
        let mut socket = Tapped::new(socket, trace.clone(), number, Sending::of(self.connection.mode));
        self.board.note(id, |s| s.sockets += 1);
        let ended = match &self.connection.link {
            Link::Lis01(config, end) => frames::serve(self, config.clone(), *end, &mut socket, &stop).await,
            Link::Mllp(config, answering) => {
                blocks::serve(self, config.clone(), answering, &mut socket, &stop).await
            }
            Link::Unframed(config) => unframed::serve(self, config.clone(), &mut socket, &stop).await,
            Link::PkBlocks(config) => sessions::serve(self, config.clone(), &mut socket, &stop).await,
            Link::Files { .. } => "files do not come over a socket".to_owned(),
        };
        // Whether the peer hears it does not matter any more.
        drop(tokio::time::timeout(FAREWELL_WITHIN, socket.shutdown()).await);
        if self.connection.link.resets() {
            tokio::time::sleep(carrier::RESET_AFTER).await;
        }
        self.board.note(id, |s| s.sockets = s.sockets.saturating_sub(1));
        tracing::debug!(connection = %id, ended = %ended, "socket closed");
        trace.note(number, Traced::Closed { why: ended });
    }
}

/// Writes bytes and sees them off: a stream that puts a layer between (TLS) may hold back what is not flushed.
pub(crate) async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
