//! The one way from a link into the ledger.

use crate::settings::{Connection, Link};
use ledger::{
    AppendFailed, Body, Draft, HowEnded, Ledger, Pending, ReadError, Refused, Seq, TakenFile, Terms, What,
};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use vocabulary::{ConnectionId, Mode};

/// Pause before what could not be written is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Why bytes are not durable (yet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotKept {
    #[error("{0}")]
    Refused(Refused),
    #[error("{0}")]
    Failed(AppendFailed),
    #[error("not durable after {0:?}")]
    Late(Duration),
    #[error("the ledger cannot be read: {0}")]
    Unread(String),
}

impl NotKept {
    fn unread(error: &ReadError) -> Self {
        Self::Unread(error.to_string())
    }
}

/// Whether a file was new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    New,
    /// The same bytes were taken from this connection before, under this name, and nothing else would come of them now.
    Known {
        name: String,
        entry: Seq,
    },
}

#[derive(Clone)]
pub(crate) struct Store {
    ledger: Ledger,
}

impl Store {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }

    /// Queues one atomic group.
    pub(crate) fn append(&self, group: Vec<Draft>) -> Result<Pending, Refused> {
        self.ledger.append(group)
    }

    /// Queues atomic groups that came together.
    pub(crate) fn append_each(&self, groups: Vec<Vec<Draft>>) -> Vec<Result<Pending, Refused>> {
        self.ledger.append_each(groups)
    }

    /// Writes what no peer waits for, and tries until it is written or hemogate stops: then once more, and `None` if
    /// that fails too. The place of its first entry.
    pub(crate) async fn settle(&self, group: Vec<Draft>, stop: &CancellationToken) -> Option<Seq> {
        loop {
            let last = stop.is_cancelled();
            let outcome = match self.append(group.clone()) {
                Ok(pending) => pending.await.map_err(NotKept::Failed),
                Err(refused) => Err(NotKept::Refused(refused)),
            };
            match outcome {
                Ok(durable) => return Some(durable.first()),
                Err(why) => tracing::warn!(%why, "the end of a transfer waits to be written"),
            }
            if last {
                return None;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(RETRY_PAUSE) => {}
            }
        }
    }

    /// The file with this content that was taken before, when to take it again would say nothing new. It would in
    /// another mode or by another revision of the profile; and an order would after any other order. What lay there
    /// while hemogate only listened was never put away: a change of mode is no reason to take it all for today's.
    fn known(&self, connection: &Connection, sha256: &str) -> Result<Option<TakenFile>, NotKept> {
        let before = self.ledger.state().files_taken(&connection.id, sha256);
        let says_nothing_new = |file: &TakenFile| {
            let Some((mode, profile)) = &file.read_as else { return true };
            if Mode::ListenOnly == connection.mode || Mode::ListenOnly == *mode {
                return true;
            }
            let orders = matches!(connection.link, Link::Files { orders: true, .. });
            *mode == connection.mode && *profile == connection.profile && (file.last || !orders)
        };
        Ok(before.map_err(|e| NotKept::unread(&e))?.into_iter().find(says_nothing_new))
    }

    /// Keeps a whole file as one message, unless its content is known, whatever it was called.
    pub(crate) async fn file(
        &self,
        connection: &Connection,
        name: &str,
        bytes: &[u8],
    ) -> Result<Stored, NotKept> {
        let sha256 = hex(&Sha256::digest(bytes));
        if let Some(TakenFile { seq, name, .. }) = self.known(connection, &sha256)? {
            return Ok(Stored::Known { name, entry: seq });
        }
        let taken = What::FileTaken {
            connection: connection.id.clone(),
            name: name.to_owned(),
            sha256,
            bytes: bytes.len() as u64,
        };
        let message = received(connection, Body::Whole(bytes.to_vec().into()));
        let group = vec![Draft::by_connection(&connection.id, taken), message];
        // Nobody waits for an answer. To give up here would be to read the file again and, if the first time was only
        // late, to keep it twice.
        let durable = self.append(group).map_err(NotKept::Refused)?.await.map_err(NotKept::Failed)?;
        // The next look must find it: the state follows the journal a moment later.
        if let Err(stands) = self.ledger.wait_applied(durable.last()).await {
            tracing::warn!(%stands, "the file is kept, but the state does not know it yet");
        }
        Ok(Stored::New)
    }

    /// Ends the transfers that were open when hemogate last stopped; their frames stay as half transmissions.
    pub(crate) async fn end_open_transfers(
        &self,
        connection: &ConnectionId,
        stop: &CancellationToken,
    ) -> Result<usize, NotKept> {
        let open = self.ledger.state().open_transfers().map_err(|e| NotKept::unread(&e))?;
        let open: Vec<u64> =
            open.iter().filter(|t| t.connection == *connection).map(|t| t.transfer).collect();
        for transfer in &open {
            let ended = What::TransferEnded {
                connection: connection.clone(),
                transfer: *transfer,
                how: HowEnded::DaemonRestart,
            };
            self.settle(vec![Draft::by_connection(connection, ended)], stop).await;
        }
        Ok(open.len())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
        text
    })
}

/// What the first frame of a transfer says of its line.
pub(crate) fn terms(connection: &Connection) -> Terms {
    Terms { mode: connection.mode, profile: connection.profile.clone() }
}

/// The draft of a whole message.
pub(crate) fn received(connection: &Connection, body: Body) -> Draft {
    Draft::by_connection(
        &connection.id,
        What::MessageReceived {
            connection: connection.id.clone(),
            mode: connection.mode,
            profile: connection.profile.clone(),
            protocol: connection.protocol,
            body,
        },
    )
}
