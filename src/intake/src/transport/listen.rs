//! Waiting for the analyser: each connection introduces itself, gets a place, and is served.

use super::{
    Line,
    carrier::{Carrier, tune},
    entrance::{Caller, Entrance, Guest, INTRODUCED_WITHIN},
    proxy::{self, Header},
    reasons::stopped,
    steady::Steady,
    turned::{Step, Turned},
};
use crate::{
    board::Activity,
    irregular::Irregularity,
    said::Said,
    source::{Listen, among},
    tls::{self, Look, TlsServer},
};
use rustix::process::{Resource, getrlimit};
use socket2::SockRef;
use std::{io, net::SocketAddr, os::fd::AsRawFd, sync::Arc, time::Duration};
use tokio::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// After a failed accept (out of descriptors): long enough not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections that the system keeps until we accept them. In a flood a longer queue than the usual 128 spares an
/// analyser the second that its system waits before it knocks again.
const BACKLOG: i32 = 1024;
/// Descriptors that sockets leave to everything else: the ledger's files, folders, certificates, the HTTP surface.
const DESCRIPTORS_SPARE: u64 = 64;
/// Certificate files are looked at so often.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(10);
/// Bytes that wait between the socket and its driver; longer reads pass by it.
const FRONT_BYTES: usize = 1024;
/// The first byte of every TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;

/// Waits for the analyser until `stop`.
pub(crate) async fn listen(line: Line, source: Listen, stop: CancellationToken) -> io::Result<()> {
    let Listen { listener, peers, proxies, tls } = source;
    listener.set_nonblocking(true)?;
    SockRef::from(&listener).listen(BACKLOG)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?.to_string();
    let waiting = Said::new("waiting for the analyser to connect", "等待仪器连接");
    line.standing(Activity::Listening, waiting, address.clone());
    let entrance = Arc::new(Entrance::new(line, address, peers, proxies, tls, stop.clone()));
    let tasks = TaskTracker::new();
    if let Some(tls) = &entrance.tls {
        tasks.spawn(renew(Arc::clone(&entrance), Arc::clone(tls), stop.clone()));
    }
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, from))
                if left(&socket) <= DESCRIPTORS_SPARE && !may_wait(&entrance, left(&socket)) =>
            {
                entrance.turned_away(from, &Turned::NoDescriptors);
            }
            Ok((socket, from)) => drop(tasks.spawn(visit(Arc::clone(&entrance), socket, from))),
            Err(e) => {
                let said = Said::of_system(&e);
                entrance.warn(
                    Irregularity::LineBroke,
                    said.behind(
                        "a connection cannot be accepted, others go on: ",
                        "无法接受一个连接,其余不受影响:",
                    ),
                );
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    tasks.close();
    tasks.wait().await;
    entrance.line.standing(Activity::Stopped, stopped(), entrance.address.clone());
    Ok(())
}

/// How many descriptors are left: the lowest free number is given to each new socket.
fn left(socket: &TcpStream) -> u64 {
    let taken = u64::try_from(socket.as_raw_fd()).unwrap_or_default();
    getrlimit(Resource::Nofile).current.map_or(u64::MAX, |limit| limit.saturating_sub(taken))
}

/// Whether a connection may come in though descriptors run out: it takes the room of one that waits; on a line where
/// nobody waits it may have one of the spare ones, but not all of them.
fn may_wait(entrance: &Entrance, left: u64) -> bool {
    entrance.makes_room() || left > DESCRIPTORS_SPARE / 2
}

/// One connection from its first packet to its end.
async fn visit(entrance: Arc<Entrance>, socket: TcpStream, from: SocketAddr) {
    let ticket = entrance.enter(from.ip().to_canonical());
    let met = tokio::select! {
        biased;
        () = ticket.leave.cancelled() => Err(Turned::MadeRoom),
        met = meet(&entrance, socket, from) => met,
    };
    drop(ticket);
    match met {
        Ok((stream, caller, guest)) => serve(&entrance, stream, &caller, guest).await,
        Err(why) => entrance.turned_away(from, &why),
    }
}

/// Finds out who it is, and gives it a place.
async fn meet(
    entrance: &Arc<Entrance>,
    mut socket: TcpStream,
    from: SocketAddr,
) -> Result<(BufReader<Carrier>, Caller, Guest), Turned> {
    tune(&socket, entrance.line.connection.link.resets()).map_err(Turned::Lost)?;
    let mut caller = introduced(entrance, &mut socket, from).await?;
    let stream: Carrier = match &entrance.tls {
        None => Box::new(socket),
        Some(tls) => {
            let stream = secured(entrance, tls, socket).await?;
            if let Some(subject) = tls::subject(stream.get_ref().1.peer_certificates()) {
                caller.name = format!("{} ({subject})", caller.name);
            }
            Box::new(stream)
        }
    };
    let mut stream = BufReader::with_capacity(FRONT_BYTES, stream);
    let guest = entrance.place(caller.address, &mut stream).await?;
    Ok((stream, caller, guest))
}

/// Whose connection it is, by its address or by what a proxy says.
async fn introduced(entrance: &Entrance, socket: &mut TcpStream, from: SocketAddr) -> Result<Caller, Turned> {
    let address = from.ip().to_canonical();
    let Some(proxies) = &entrance.proxies else {
        entrance.may_come(address)?;
        return Ok(Caller { address, name: from.to_string() });
    };
    if !among(proxies, address) {
        return Err(Turned::NoProxy(address));
    }
    let header = timeout(INTRODUCED_WITHIN, proxy::read(socket)).await;
    match header.map_err(|_| Turned::Slow(Step::Proxy))?.map_err(Turned::Proxy)? {
        Header::For(behind) => {
            let behind = behind.to_canonical();
            entrance.may_come(behind)?;
            Ok(Caller { address: behind, name: format!("{behind} by way of {from}") })
        }
        Header::Local | Header::Unknown => {
            entrance.may_come(address)?;
            Ok(Caller { address, name: from.to_string() })
        }
    }
}

/// Shakes hands.
async fn secured(
    entrance: &Entrance,
    tls: &TlsServer,
    socket: TcpStream,
) -> Result<tokio_rustls::server::TlsStream<TcpStream>, Turned> {
    let mut first = [0];
    let peeked = timeout(INTRODUCED_WITHIN, socket.peek(&mut first)).await;
    match (peeked.map_err(|_| Turned::Slow(Step::Handshake))?, first) {
        (Ok(0) | Err(_), _) => return Err(Turned::Empty),
        (Ok(_), [TLS_HANDSHAKE]) => {}
        (Ok(_), [byte]) => {
            return Err(Turned::Tls(Said::new(
                format!(
                    "plain bytes (the first is {byte:#04x}) on a TLS port; switch TLS on there, or use a plain TCP \
                     port"
                ),
                format!("TLS 端口收到明文字节(首字节 {byte:#04x}):请在对方启用 TLS,或改用普通 TCP 端口"),
            )));
        }
    }
    entrance.handshake_turn().await;
    let shaken = timeout(INTRODUCED_WITHIN, TlsAcceptor::from(tls.config()).accept(socket)).await;
    shaken
        .map_err(|_| Turned::Slow(Step::Handshake))?
        .map_err(|e| tls::in_words(&e).map_or(Turned::Lost(e), Turned::Tls))
}

/// Serves a connection that has a place.
async fn serve(entrance: &Entrance, stream: BufReader<Carrier>, caller: &Caller, guest: Guest) {
    if let Some(displaced) = guest.displaced() {
        entrance.displaced(caller, displaced);
    }
    let line = &entrance.line;
    let name = &caller.name;
    let connected = Said::new(format!("{name} is connected"), format!("{name} 已连接"));
    line.standing(Activity::Connected, connected, entrance.address.clone());
    line.board.note(&line.connection.id, |s| s.peer.clone_from(&caller.name));
    let ears = Arc::clone(guest.ears());
    let steady = Steady::new(stream, Arc::clone(&ears), guest.leave().clone());
    let steady = steady.may_be_reset(line.connection.link.resets());
    line.socket(steady, &caller.name, guest.leave().clone()).await;
    drop(guest);
    entrance.ended(ears.fault());
}

/// Keeps a listener's certificate in step with its files.
async fn renew(entrance: Arc<Entrance>, tls: Arc<TlsServer>, stop: CancellationToken) {
    let id = &entrance.line.connection.id;
    let board = &entrance.line.board;
    board.note(id, |s| s.certificate = tls.holder().to_string());
    loop {
        let at_once = tokio::select! {
            () = stop.cancelled() => return,
            () = tls.asked() => true,
            () = tokio::time::sleep(CERTIFICATE_LOOK) => false,
        };
        let looking = Arc::clone(&tls);
        let look = tokio::task::spawn_blocking(move || looking.look(at_once)).await;
        match look {
            Ok(Look::Taken(holder)) => {
                tracing::info!(connection = %id, certificate = %holder, "new certificate files are in use");
                board.note(id, |s| s.certificate = holder.to_string());
            }
            Ok(Look::Refused(fault)) => {
                tracing::error!(connection = %id, %fault, "new certificate files cannot be used; the old ones stay");
                let what = fault.said().behind(
                    "new certificate files cannot be used, the old ones stay: ",
                    "新的证书文件无法使用,继续使用旧证书:",
                );
                board.note(id, |s| s.certificate = format!("{}; {}", tls.holder(), what.en));
                entrance.line.told(Irregularity::Tls, what);
            }
            Ok(Look::Same) => board.note(id, |s| s.certificate = tls.holder().to_string()),
            Ok(Look::StillRefused | Look::Unsettled) => {}
            Err(e) => {
                tracing::error!(connection = %id, error = %e, "the certificate files could not be looked at");
            }
        }
    }
}
