//! What each connection is doing right now, for people: counters and the last thing that happened.
//!
//! Nothing here is evidence and nothing rests on it; it starts empty at every start.

use crate::{
    settings::Connection,
    trace::{Trace, Traced},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use vocabulary::{ConnectionId, Mode, ProfileRef};

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
    /// How its results may be used; absent until it is served.
    pub mode: Option<Mode>,
    /// The profile revision that reads its messages; absent until it is served.
    pub profile: Option<ProfileRef>,
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

/// One connection's place on the board.
#[derive(Debug, Default)]
struct Post {
    standing: Standing,
    trace: Trace,
}

/// All connections' standings and traces. Clones show the same board.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<ConnectionId, Post>>>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Post>> {
        // A panic elsewhere leaves counters, which are still worth showing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at<T>(&self, id: &ConnectionId, then: impl FnOnce(&mut Post) -> T) -> T {
        let mut board = self.lock();
        if let Some(post) = board.get_mut(id) {
            return then(post);
        }
        then(board.entry(id.clone()).or_default())
    }

    /// A connection is served from here on.
    pub(crate) fn begin(&self, connection: &Connection) {
        let Connection { id, mode, profile, limits, .. } = connection;
        self.at(id, |post| {
            post.standing.mode = Some(*mode);
            post.standing.profile = Some(profile.clone());
            post.trace = Trace::new(limits.trace);
        });
    }

    /// Changes one standing.
    pub(crate) fn note(&self, id: &ConnectionId, change: impl FnOnce(&mut Standing)) {
        self.at(id, |post| change(&mut post.standing));
    }

    pub(crate) fn anomaly(&self, id: &ConnectionId, what: String) {
        tracing::debug!(connection = %id, anomaly = %what, "anomaly on the line");
        let trace = self.at(id, |post| {
            post.standing.anomalies_total += 1;
            post.standing.last_anomaly.clone_from(&what);
            post.trace.clone()
        });
        trace.note(0, Traced::Anomaly { what });
    }

    /// What went over a connection's line, to write to.
    pub(crate) fn trace(&self, id: &ConnectionId) -> Trace {
        self.at(id, |post| post.trace.clone())
    }

    /// What went over a connection's line; absent when there is no such connection.
    #[must_use]
    pub fn trace_of(&self, id: &ConnectionId) -> Option<Trace> {
        self.lock().get(id).map(|post| post.trace.clone())
    }

    /// Every standing, by connection.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<ConnectionId, Standing> {
        self.lock().iter().map(|(id, post)| (id.clone(), post.standing.clone())).collect()
    }
}

/// Milliseconds since 1970 UTC.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
