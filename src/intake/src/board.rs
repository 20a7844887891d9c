//! What each connection is doing right now, for people: counters and the last thing that happened.
//!
//! Nothing here is evidence and nothing rests on it; it starts empty at every start.

use crate::{
    irregular::Irregularity,
    probe::Reach,
    said::Said,
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
    /// Since when it is served, milliseconds since 1970 UTC: counters count from there.
    pub served_since_ms: u64,
    /// Where it stands.
    pub activity: Activity,
    /// Since when, milliseconds since 1970 UTC.
    pub since_ms: u64,
    /// Why, in words.
    pub reason: String,
    /// The same in Chinese.
    pub reason_zh: String,
    /// Local address it listens on or the peer it talks to.
    pub address: String,
    /// Who is at the other end, or was last: address, port and, under TLS, the certificate.
    pub peer: String,
    /// Our certificate, where the line speaks TLS, and what is wrong with a newer one.
    pub certificate: String,
    /// Sockets open.
    pub sockets: usize,
    /// Sockets and lines that were opened, reconnections included.
    pub connected_total: u64,
    /// Connections that closed without a byte: somebody looked whether we are there.
    pub probes_total: u64,
    /// Connections that were not let in; the last anomaly says why.
    pub turned_away_total: u64,
    /// Bytes received.
    pub bytes_total: u64,
    /// Bytes sent; in listen-only mode always 0.
    pub bytes_sent_total: u64,
    /// Frames or blocks made durable and answered positively.
    pub accepted_total: u64,
    /// Frames or blocks answered negatively, because they were damaged or could not be kept.
    pub refused_total: u64,
    /// Messages made durable.
    pub messages_total: u64,
    /// Transmissions that ended half-way.
    pub cut_total: u64,
    /// Frames and files that came again and were not used again.
    pub repeated_total: u64,
    /// What was not as it should be.
    pub anomalies_total: u64,
    /// The same by kind; kinds that never came are left out.
    pub anomalies: BTreeMap<Irregularity, u64>,
    /// When the last bytes came, milliseconds since 1970 UTC; 0 is never.
    pub last_bytes_ms: u64,
    /// When the last frame, block or file became durable, milliseconds since 1970 UTC; 0 is never.
    pub last_frame_ms: u64,
    /// When the last message became durable, milliseconds since 1970 UTC; 0 is never.
    pub last_message_ms: u64,
    /// The last anomaly or refusal, in words.
    pub last_anomaly: String,
    /// The same in Chinese.
    pub last_anomaly_zh: String,
    /// When it came, milliseconds since 1970 UTC; 0 is never.
    pub last_anomaly_ms: u64,
    /// Silence beyond this many seconds is a warning; absent: it never is. A line is never closed for it.
    pub warn_when_silent_s: Option<u64>,
    /// Nothing has come for longer than that.
    pub silent: bool,
}

impl Standing {
    /// Whether `now_ms` is later than it should be since anything came.
    fn is_silent(&self, now_ms: u64) -> bool {
        let serving = match self.activity {
            Activity::Listening | Activity::Connecting | Activity::Connected | Activity::Watching => true,
            Activity::Stopped | Activity::Failed => false,
        };
        let heard = self.last_bytes_ms.max(self.served_since_ms);
        let quiet_ms = now_ms.saturating_sub(heard);
        serving && self.warn_when_silent_s.is_some_and(|limit| quiet_ms > limit.saturating_mul(1_000))
    }
}

/// One connection's place on the board.
#[derive(Debug, Default)]
struct Post {
    standing: Standing,
    trace: Trace,
    reach: Option<Reach>,
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
            post.standing.served_since_ms = wall_ms();
            post.standing.warn_when_silent_s = limits.warn_when_silent.map(|limit| limit.as_secs());
            post.trace = Trace::new(limits.trace);
        });
    }

    /// A connection is not served at all, and why.
    pub fn refuse(&self, id: &ConnectionId, mode: Mode, why: Said) {
        self.note(id, |s| s.mode = Some(mode));
        self.stand(id, Activity::Failed, why, String::new());
    }

    /// How a connection is come by.
    pub(crate) fn reach_by(&self, id: &ConnectionId, reach: Reach) {
        self.at(id, |post| post.reach = Some(reach));
    }

    pub(crate) fn reach(&self, id: &ConnectionId) -> Option<Reach> {
        self.lock().get(id)?.reach.clone()
    }

    /// Changes one standing.
    pub(crate) fn note(&self, id: &ConnectionId, change: impl FnOnce(&mut Standing)) {
        self.at(id, |post| change(&mut post.standing));
    }

    /// Where a connection stands now, and why.
    pub(crate) fn stand(&self, id: &ConnectionId, activity: Activity, reason: Said, address: String) {
        self.note(id, |s| {
            if s.activity != activity || s.since_ms == 0 {
                s.since_ms = wall_ms();
            }
            s.activity = activity;
            s.address = address;
            (s.reason, s.reason_zh) = (reason.en, reason.zh);
        });
    }

    /// Bytes have come.
    pub(crate) fn heard(&self, id: &ConnectionId, bytes: u64) {
        self.note(id, |s| {
            s.bytes_total += bytes;
            s.last_bytes_ms = wall_ms();
        });
    }

    /// Something is not as it should be. In Chinese it is told by its kind.
    pub(crate) fn irregular(&self, id: &ConnectionId, kind: Irregularity, what: String) {
        let zh = format!("{}:{what}", kind.said().1);
        self.told(id, kind, Said::new(what, zh));
    }

    /// Something is not as it should be, in both languages.
    pub(crate) fn told(&self, id: &ConnectionId, kind: Irregularity, what: Said) {
        tracing::debug!(connection = %id, kind = kind.name(), anomaly = %what.en, "anomaly on the line");
        let trace = self.at(id, |post| {
            let standing = &mut post.standing;
            standing.anomalies_total += 1;
            *standing.anomalies.entry(kind).or_default() += 1;
            standing.repeated_total += u64::from(kind == Irregularity::Repeated);
            standing.last_anomaly.clone_from(&what.en);
            standing.last_anomaly_zh = what.zh;
            standing.last_anomaly_ms = wall_ms();
            post.trace.clone()
        });
        trace.note(0, Traced::Anomaly { what: what.en });
    }

    /// A frame, block or file was refused, and the analyser told so.
    pub(crate) fn refused(&self, id: &ConnectionId, why: String) {
        let trace = self.at(id, |post| {
            post.standing.refused_total += 1;
            post.standing.last_anomaly.clone_from(&why);
            post.standing.last_anomaly_zh = format!("已拒收:{why}");
            post.standing.last_anomaly_ms = wall_ms();
            post.trace.clone()
        });
        trace.note(0, Traced::Refused { why });
    }

    /// Frames, blocks or files became durable, and messages with them.
    pub(crate) fn kept(&self, id: &ConnectionId, frames: u64, messages: u64) {
        self.note(id, |s| {
            s.accepted_total += frames;
            s.messages_total += messages;
            let now = wall_ms();
            if frames > 0 {
                s.last_frame_ms = now;
            }
            if messages > 0 {
                s.last_message_ms = now;
            }
        });
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
        self.lock().iter().map(|(id, post)| (id.clone(), post.now())).collect()
    }

    /// One connection's standing.
    #[must_use]
    pub fn standing(&self, id: &ConnectionId) -> Option<Standing> {
        self.lock().get(id).map(Post::now)
    }
}

impl Post {
    fn now(&self) -> Standing {
        let mut standing = self.standing.clone();
        let passed = self.trace.passed();
        standing.connected_total = passed.sockets;
        standing.bytes_sent_total = passed.sent_bytes;
        standing.silent = standing.is_silent(wall_ms());
        standing
    }
}

/// Milliseconds since 1970 UTC.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ConnectionId {
        ConnectionId::new("a").unwrap()
    }

    #[test]
    fn silence_is_told_when_something_should_have_come_and_only_where_that_is_wanted() {
        let heard = Standing {
            activity: Activity::Connected,
            served_since_ms: 1_000,
            last_bytes_ms: 5_000,
            warn_when_silent_s: Some(10),
            ..Standing::default()
        };
        let check = |standing: &Standing, now_ms: u64, expect: bool| {
            assert_eq!(standing.is_silent(now_ms), expect, "{standing:?} at {now_ms}");
        };
        check(&heard, 15_000, false);
        check(&heard, 15_001, true);
        check(&Standing { warn_when_silent_s: None, ..heard.clone() }, u64::MAX, false);
        let never_heard = Standing { last_bytes_ms: 0, activity: Activity::Listening, ..heard.clone() };
        check(&never_heard, 11_000, false);
        check(&never_heard, 11_001, true);
        for activity in [Activity::Stopped, Activity::Failed] {
            check(&Standing { activity, ..heard.clone() }, 99_000, false);
        }
    }

    #[test]
    fn irregularities_are_counted_by_kind_and_stand_in_the_trace() {
        let board = Board::default();
        board.irregular(&id(), Irregularity::Noise, "3 bytes".into());
        board.irregular(&id(), Irregularity::Noise, "4 bytes".into());
        board.irregular(&id(), Irregularity::Repeated, "frame 2".into());
        board.refused(&id(), "no room".into());
        let standing = board.standing(&id()).unwrap();
        assert_eq!((standing.anomalies_total, standing.repeated_total, standing.refused_total), (3, 1, 1));
        let by_kind: Vec<_> = standing.anomalies.into_iter().collect();
        assert_eq!(by_kind, [(Irregularity::Noise, 2), (Irregularity::Repeated, 1)]);
        assert_eq!(standing.last_anomaly, "no room");
        let trace = board.trace_of(&id()).unwrap().since(0);
        let refused = Traced::Refused { why: "no room".into() };
        assert_eq!(trace.events.last().map(|event| &event.what), Some(&refused));
        assert_eq!(trace.events.len(), 4);
    }

    #[test]
    fn since_when_it_stands_so_changes_only_when_it_does() {
        let board = Board::default();
        let stand = |activity, en: &str| {
            board.stand(&id(), activity, Said::new(en, "中"), "here".into());
            board.standing(&id()).unwrap()
        };
        let first = stand(Activity::Listening, "waiting");
        assert!(first.since_ms > 0);
        board.note(&id(), |s| s.since_ms = 7);
        let second = stand(Activity::Listening, "still waiting");
        assert_eq!(
            (second.since_ms, second.reason.as_str(), second.reason_zh.as_str()),
            (7, "still waiting", "中")
        );
        assert!(stand(Activity::Connected, "connected").since_ms > 7);
    }
}
