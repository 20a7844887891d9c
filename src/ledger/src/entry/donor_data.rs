//! What of donors' raw results a person looked at.

use super::Seq;
use serde::{Deserialize, Serialize};
use vocabulary::ConnectionId;

/// Bytes of analysers that somebody read as they came: names, numbers and results of donors may stand in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DonorData {
    /// The protocol trace of a connection: whatever was in it then, and what came while it was followed.
    Trace {
        /// The connection.
        connection: ConnectionId,
    },
    /// The bytes of a message.
    RawMessage {
        /// The [`What::MessageReceived`](super::What::MessageReceived) entry.
        message: Seq,
    },
}
