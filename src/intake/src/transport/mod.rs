//! Sockets: waiting for the analyser, or reaching for it, with bounds on both.

use crate::{
    blocks,
    board::{Activity, Board, wall_ms},
    frames,
    said::Said,
    settings::{Connection, Link},
    store::Store,
    trace::{Sending, Tapped, Traced},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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

    /// Answers are a few bytes that the analyser waits for: they leave at once.
    fn prompt(&self, socket: &TcpStream) {
        if let Err(e) = socket.set_nodelay(true) {
            self.board.anomaly(&self.connection.id, format!("TCP_NODELAY cannot be set: {e}"));
        }
    }

    /// Drives one stream of bytes, whatever carries it, to its end. `peer` is who is at its other end, in words.
    pub(crate) async fn socket<S>(&self, socket: S, peer: &str, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let id = &self.connection.id;
        let trace = self.board.trace(id);
        let number = trace.connected(peer);
        let socket = Tapped::new(socket, trace.clone(), number, Sending::of(self.connection.mode));
        self.board.note(id, |s| s.sockets += 1);
        let ended = match &self.connection.link {
            Link::Lis01(config, end) => frames::serve(self, config.clone(), *end, socket, &stop).await,
            Link::Mllp(config, answering) => {
                blocks::serve(self, config.clone(), answering, socket, &stop).await
            }
            Link::Files { .. } => "files do not come over a socket".to_owned(),
        };
        self.board.note(id, |s| s.sockets = s.sockets.saturating_sub(1));
        tracing::debug!(connection = %id, ended = %ended, "socket closed");
        trace.note(number, Traced::Closed { why: ended });
    }
}

/// Waits for the analyser; one socket more than allowed displaces the one that connected first.
pub(crate) async fn listen(line: Line, listener: TcpListener, stop: CancellationToken) {
    let address = listener.local_addr().map(|a| a.to_string()).unwrap_or_default();
    line.standing(Activity::Listening, "waiting for the analyser to connect".into(), address.clone());
    let sockets = TaskTracker::new();
    let mut open: VecDeque<CancellationToken> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(pair) => pair,
            Err(e) => {
                line.standing(Activity::Failed, format!("no socket can be accepted: {e}"), address.clone());
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => continue,
                }
            }
        };
        open.retain(|token| !token.is_cancelled());
        if open.len() >= line.connection.limits.sockets_max
            && let Some(oldest) = open.pop_front()
        {
            line.board
                .anomaly(&line.connection.id, format!("{peer} displaces the oldest of too many sockets"));
            oldest.cancel();
        }
        let token = stop.child_token();
        open.push_back(token.clone());
        line.standing(Activity::Connected, format!("{peer} is connected"), address.clone());
        let (line, address) = (line.clone(), address.clone());
        sockets.spawn(async move {
            line.prompt(&socket);
            line.socket(socket, &peer.to_string(), token.clone()).await;
            token.cancel();
            let idle = line.board.standings().get(&line.connection.id).is_none_or(|s| s.sockets == 0);
            if idle {
                line.standing(Activity::Listening, "the analyser has closed the connection".into(), address);
            }
        });
    }
    sockets.close();
    sockets.wait().await;
    line.standing(Activity::Stopped, "stopped".into(), address);
}

/// After a failed accept (out of descriptors): long enough not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Reaches for the analyser again and again, with a pause that doubles up to its bound.
pub(crate) async fn connect(line: Line, address: String, stop: CancellationToken) {
    let longest = line.connection.limits.reconnect_pause_max;
    let shortest = longest / 50;
    let mut pause = shortest;
    line.standing(Activity::Connecting, "first attempt".into(), address.clone());
    loop {
        let attempt = tokio::select! {
            () = stop.cancelled() => break,
            attempt = tokio::time::timeout(longest, TcpStream::connect(&address)) => attempt,
        };
        let reason = match attempt {
            Ok(Ok(socket)) => {
                line.standing(Activity::Connected, "connected".into(), address.clone());
                let began = wall_ms();
                line.prompt(&socket);
                line.socket(socket, &address, stop.child_token()).await;
                // A socket that lived resets the pause; one that is closed at once does not.
                if wall_ms().saturating_sub(began) > u64::try_from(longest.as_millis()).unwrap_or(u64::MAX) {
                    pause = shortest;
                }
                "the analyser has closed the connection".to_owned()
            }
            Ok(Err(e)) => e.to_string(),
            Err(_) => "no answer to the attempt to connect".to_owned(),
        };
        line.standing(
            Activity::Connecting,
            format!("{reason}; next attempt in {} ms", pause.as_millis()),
            address.clone(),
        );
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
        pause = longest.min(pause * 2);
    }
    line.standing(Activity::Stopped, "stopped".into(), address);
}
