//! Reaching for the analyser again and again, with a pause that grows up to its bound.

use super::{
    Line,
    backoff::Backoff,
    carrier::{Carrier, tune},
    ears::Ears,
    steady::Steady,
};
use crate::{
    board::Activity,
    source::Connect,
    tls::{self, TlsClient},
};
use std::sync::Arc;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// Reaches for the analyser until `stop`.
pub(crate) async fn connect(line: Line, source: Connect, stop: CancellationToken) {
    let Connect { address, tls } = source;
    let longest = line.connection.limits.reconnect_pause_max;
    let mut backoff = Backoff::new(longest, &line.connection.id);
    line.standing(Activity::Connecting, "first attempt".into(), address.clone());
    loop {
        let attempt = tokio::select! {
            () = stop.cancelled() => break,
            attempt = timeout(longest, reach(&line, &address, tls.as_deref())) => attempt,
        };
        let reason = match attempt {
            Ok(Ok((stream, name))) => {
                let began = Instant::now();
                let reason = serve(&line, stream, &name, &address, &stop).await;
                // A socket that lived resets the pause; one that is closed at once does not.
                if began.elapsed() > longest {
                    backoff.reset();
                }
                reason
            }
            Ok(Err(why)) => why,
            Err(_) => format!("no answer to the attempt to connect within {longest:?}"),
        };
        let pause = backoff.pause();
        tracing::debug!(connection = %line.connection.id, reason, ?pause, "not connected");
        line.standing(
            Activity::Connecting,
            format!("{reason}; next attempt in {} ms", pause.as_millis()),
            address.clone(),
        );
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    line.standing(Activity::Stopped, "stopped".into(), address);
}

/// One attempt: the stream, and who is at its other end.
async fn reach(line: &Line, address: &str, tls: Option<&TlsClient>) -> Result<(Carrier, String), String> {
    let socket = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
    tune(&socket).map_err(|e| e.to_string())?;
    let peer = socket.peer_addr().map_or_else(|_| address.to_owned(), |a| a.to_string());
    let Some(tls) = tls else { return Ok((Box::new(socket), peer)) };
    let (config, fault) = tls.config();
    if let Some(fault) = fault {
        tracing::error!(connection = %line.connection.id, %fault, "certificate files");
        line.board.anomaly(&line.connection.id, fault.to_string());
    }
    let shaken = TlsConnector::from(config).connect(tls.name(), socket).await;
    let stream = shaken.map_err(|e| {
        let why =
            tls::in_words(&e).unwrap_or_else(|| format!("TLS: {e}; does the peer speak TLS on this port?"));
        line.board.anomaly(&line.connection.id, why.clone());
        why
    })?;
    let subject = tls::subject(stream.get_ref().1.peer_certificates());
    Ok((Box::new(stream), subject.map_or_else(|| peer.clone(), |subject| format!("{peer} ({subject})"))))
}

/// Serves a stream to its end, and says why it ended.
async fn serve(line: &Line, stream: Carrier, name: &str, address: &str, stop: &CancellationToken) -> String {
    line.standing(Activity::Connected, format!("connected to {name}"), address.to_owned());
    line.board.note(&line.connection.id, |s| name.clone_into(&mut s.peer));
    let (ears, leave) = (Arc::new(Ears::new(Instant::now())), stop.child_token());
    line.socket(Steady::new(stream, Arc::clone(&ears), leave.clone()), name, leave).await;
    match ears.fault() {
        Some(fault) => {
            tracing::warn!(connection = %line.connection.id, fault, "the connection broke");
            line.board.anomaly(&line.connection.id, format!("the connection broke: {fault}"));
            fault.to_owned()
        }
        None => "the analyser has closed the connection".to_owned(),
    }
}
