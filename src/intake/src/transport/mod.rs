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
mod serial;
mod steady;
mod turned;

pub(crate) use connect::connect;
pub(crate) use listen::listen;
pub(crate) use serial::serial;

use crate::{
    blocks,
    board::{Activity, Board},
    frames,
    said::Said,
    sessions,
    settings::{Connection, Link},
    store::Store,
    trace::{Sending, Tapped, Traced},
    unframed,
};
use std::{sync::Arc, time::Duration};
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
    fn standing(&self, activity: Activity, reason: String, address: String) {
        self.board.stand(&self.connection.id, activity, Said::new(reason.clone(), reason), address);
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
        self.board.note(id, |s| s.sockets = s.sockets.saturating_sub(1));
        tracing::debug!(connection = %id, ended = %ended, "socket closed");
        trace.note(number, Traced::Closed { why: ended });
    }
}
