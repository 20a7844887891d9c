//! What a listener knows of those who come: who may enter, who waits, who is in.

use super::{
    Line,
    carrier::Carrier,
    ears::Ears,
    hush::Hush,
    places::{Admitted, Displaced, Newcomer, Places, Waiting},
    proxy::NoHeader,
    reasons::{broke, closed},
    turned::Turned,
};
use crate::{
    board::Activity,
    irregular::Irregularity,
    said::Said,
    source::{Network, among},
    tls::{TlsServer, in_words},
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Connections without a place that wait at one listener; one more pushes out the one that has waited longest.
pub(crate) const WAITING_MAX: usize = 64;
/// The longest that a PROXY header, and a TLS handshake, may take.
pub(crate) const INTRODUCED_WITHIN: Duration = Duration::from_secs(10);
/// A connection that says nothing for so long is no probe: it is served if there is a place for it.
pub(crate) const PROBE_WITHIN: Duration = Duration::from_secs(2);
/// TLS handshakes of one listener begin so far apart, when many want one; they cost more than anything else here.
const HANDSHAKE_GAP: Duration = Duration::from_millis(10);
/// Two sockets of one peer that both spoke so recently probably both want to live.
const BOTH_ALIVE: Duration = Duration::from_secs(5);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    /// Address, port and, where there is one, the certificate.
    pub(crate) name: String,
}

/// See the module.
pub(crate) struct Entrance {
    pub(crate) line: Line,
    pub(crate) address: String,
    pub(crate) tls: Option<Arc<TlsServer>>,
    pub(crate) proxies: Option<Vec<Network>>,
    peers: Vec<Network>,
    stop: CancellationToken,
    waiting: Mutex<Waiting>,
    places: Mutex<Places>,
    /// Told when a place is given back.
    room: Notify,
    /// When the next handshake may begin.
    pace: tokio::sync::Mutex<Instant>,
    hush: Mutex<Hush>,
}

/// A panic elsewhere leaves lists that are still in order: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entrance {
    pub(crate) fn new(
        line: Line,
        address: String,
        peers: Vec<Network>,
        proxies: Option<Vec<Network>>,
        tls: Option<Arc<TlsServer>>,
        stop: CancellationToken,
    ) -> Self {
        let places = Places::new(line.connection.limits.sockets_max);
        Self {
            line,
            address,
            tls,
            proxies,
            peers,
            stop,
            waiting: Mutex::new(Waiting::new(WAITING_MAX)),
            places: Mutex::new(places),
            room: Notify::new(),
            pace: tokio::sync::Mutex::new(Instant::now()),
            hush: Mutex::new(Hush::new(Instant::now())),
        }
    }

    /// Lets a connection wait until it is served or turned away.
    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr) -> Ticket {
        let (number, leave) = lock(&self.waiting).enter(peer, &self.stop);
        Ticket { entrance: Arc::clone(self), number, leave }
    }

    /// Lets the connection go that has waited longest; false when none waits.
    pub(crate) fn makes_room(&self) -> bool {
        lock(&self.waiting).push_out()
    }

    pub(crate) fn may_come(&self, address: IpAddr) -> Result<(), Turned> {
        if self.peers.is_empty() || among(&self.peers, address) {
            Ok(())
        } else {
            Err(Turned::Foreign(address))
        }
    }

    /// Waits for a place. One who speaks gets one at once or is refused; one who does not waits until it speaks or a
    /// place is free.
    pub(crate) async fn place(
        self: &Arc<Self>,
        address: IpAddr,
        stream: &mut BufReader<Carrier>,
    ) -> Result<Guest, Turned> {
        let mut newcomer = match timeout(PROBE_WITHIN, heard(stream)).await {
            Ok(heard) => heard.map(|()| Newcomer::Speaks)?,
            Err(_) => Newcomer::Silent,
        };
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            let admitted = lock(&self.places).admit(address, newcomer, &self.stop, Instant::now());
            match (admitted, newcomer) {
                (Ok(admitted), _) => return Ok(Guest { entrance: Arc::clone(self), admitted }),
                (Err(holder), Newcomer::Speaks) => return Err(Turned::Busy(holder)),
                (Err(_), Newcomer::Silent) => {}
            }
            tokio::select! {
                heard = heard(stream) => newcomer = heard.map(|()| Newcomer::Speaks)?,
                () = room => {}
            }
        }
    }

    /// Waits for the turn to begin a handshake.
    pub(crate) async fn handshake_turn(&self) {
        let mut next = self.pace.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + HANDSHAKE_GAP;
    }

    /// Tells people, but not a thousand times a second.
    pub(crate) fn warn(&self, kind: Irregularity, what: Said) {
        if let Some(kept_back) = lock(&self.hush).say(Instant::now()) {
            tracing::warn!(connection = %self.line.connection.id, kept_back, "{}", what.en);
        }
        self.line.told(kind, what);
    }

    /// Somebody did not get in.
    pub(crate) fn turned_away(&self, from: SocketAddr, why: &Turned) {
        let id = &self.line.connection.id;
        match why {
            // Port scanners and load balancers look whether we are there; that is no trouble.
            Turned::Empty | Turned::Proxy(NoHeader::Empty) => {
                self.line.board.note(id, |s| s.probes_total += 1);
                tracing::debug!(connection = %id, %from, "opened and closed without a byte");
            }
            Turned::MadeRoom if self.stop.is_cancelled() => {}
            Turned::MadeRoom
            | Turned::NoDescriptors
            | Turned::Foreign(_)
            | Turned::NoProxy(_)
            | Turned::Proxy(_)
            | Turned::Tls(_)
            | Turned::Slow(_)
            | Turned::Busy(_)
            | Turned::Lost(_) => {
                self.line.board.note(id, |s| s.turned_away_total += 1);
                let said =
                    why.said().behind(format!("{from} is turned away: "), format!("拒绝 {from} 接入:"));
                self.warn(why.kind(), said);
            }
        }
    }

    /// A newcomer has taken the place of another socket.
    pub(crate) fn displaced(&self, caller: &Caller, displaced: &Displaced) {
        let Displaced { peer, silent } = displaced;
        let advice = match silent {
            Some(silent) if *silent < BOTH_ALIVE && *peer == caller.address => (
                "; it was talking just now: if the analyser uses several sockets at once, set sockets_max",
                ";旧连接刚才仍在通信:若该仪器同时使用多个连接,请设置 sockets_max",
            ),
            Some(_) | None => ("", ""),
        };
        let name = &caller.name;
        let said = Said::new(
            format!("{name} displaces an older socket of {peer}"),
            format!("{name} 取代了 {peer} 的旧连接"),
        );
        self.warn(Irregularity::Displaced, said.and(advice.0, advice.1));
    }

    /// Where the line stands when a socket has ended.
    pub(crate) fn ended(&self, fault: Option<&Said>) {
        if let Some(fault) = fault {
            self.warn(Irregularity::LineBroke, broke(fault));
        }
        if lock(&self.places).is_empty() && !self.stop.is_cancelled() {
            let reason = fault.cloned().unwrap_or_else(closed);
            self.line.standing(Activity::Listening, reason, self.address.clone());
        }
    }
}

/// The first byte has come, and stays where it is.
async fn heard(stream: &mut BufReader<Carrier>) -> Result<(), Turned> {
    match stream.fill_buf().await {
        Ok([]) => Err(Turned::Empty),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Err(Turned::Empty),
        Err(error) => Err(in_words(&error).map_or(Turned::Lost(error), Turned::Tls)),
    }
}

/// A connection that waits; it stops waiting when this is dropped.
pub(crate) struct Ticket {
    entrance: Arc<Entrance>,
    number: u64,
    /// Cancelled when somebody else needs the room.
    pub(crate) leave: CancellationToken,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.entrance.waiting).leave(self.number);
    }
}

/// A connection that has a place; it gives it back when this is dropped.
pub(crate) struct Guest {
    entrance: Arc<Entrance>,
    admitted: Admitted,
}

impl Guest {
    pub(crate) fn ears(&self) -> &Arc<Ears> {
        &self.admitted.ears
    }

    /// Cancelled when it has to leave.
    pub(crate) fn leave(&self) -> &CancellationToken {
        &self.admitted.leave
    }

    pub(crate) fn displaced(&self) -> Option<&Displaced> {
        self.admitted.displaced.as_ref()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        lock(&self.entrance.places).leave(self.admitted.number);
        self.entrance.room.notify_waiters();
    }
}
