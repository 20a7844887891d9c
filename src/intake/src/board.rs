//! What each connection is doing right now, for people: counters and the last thing that happened.
//!
//! Nothing here is evidence and nothing rests on it; it starts empty at every start.

use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use vocabulary::ConnectionId;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Not started.
    #[default]
    Stopped,
    /// Waiting for the analyser to connect.
    Listening,
    /// Trying to reach the analyser.
    Connecting,
    /// At least one socket is open.
    Connected,
    /// Watching a folder.
    Watching,
    /// Cannot work; `reason` says why.
    Failed,
}

/// One connection's standing.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Standing {
    /// Where it stands.
    pub activity: Activity,
    /// Why, in words.
    pub reason: String,
    /// Local address it listens on or the peer it talks to.
    pub address: String,
    /// Sockets open.
    pub sockets: usize,
    /// Bytes received.
    pub bytes_total: u64,
    /// Frames or blocks made durable and answered positively.
    pub accepted_total: u64,
    /// Frames or blocks answered negatively, because they were damaged or could not be kept.
    pub refused_total: u64,
    /// Messages made durable.
    pub messages_total: u64,
    /// Transmissions that ended half-way.
    pub cut_total: u64,
    /// Anomalies of the line: noise, repeats, contention.
    pub anomalies_total: u64,
    /// When the last bytes came, milliseconds since 1970 UTC; 0 is never.
    pub last_bytes_ms: u64,
    /// When the last message became durable, milliseconds since 1970 UTC; 0 is never.
    pub last_message_ms: u64,
    /// The last anomaly, in words.
    pub last_anomaly: String,
}

/// All connections' standings. Clones show the same board.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<ConnectionId, Standing>>>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Standing>> {
        // A panic elsewhere leaves counters, which are still worth showing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes one standing.
    pub(crate) fn note(&self, id: &ConnectionId, change: impl FnOnce(&mut Standing)) {
        let mut board = self.lock();
        if let Some(standing) = board.get_mut(id) {
            change(standing);
        } else {
            change(board.entry(id.clone()).or_default());
        }
    }

    pub(crate) fn anomaly(&self, id: &ConnectionId, what: String) {
        tracing::debug!(connection = %id, anomaly = %what, "anomaly on the line");
        self.note(id, |s| {
            s.anomalies_total += 1;
            s.last_anomaly = what;
        });
    }

    /// Every standing, by connection.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<ConnectionId, Standing> {
        self.lock().clone()
    }
}

/// Milliseconds since 1970 UTC.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
