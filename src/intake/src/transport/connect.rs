//! Reaching for the analyser again and again, with a pause that grows up to its bound.

use super::{
    Line,
    backoff::Backoff,
    carrier::{Carrier, tune},
    ears::Ears,
    reasons::{again, broke, closed, stopped},
    steady::Steady,
};
use crate::{
    board::Activity,
    irregular::Irregularity,
    said::Said,
    source::Connect,
    tls::{self, TlsClient},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// Reaches for the analyser until `stop`.
pub(crate) async fn connect(line: Line, source: Connect, stop: CancellationToken) {
    let Connect { address, tls } = source;
    let longest = line.connection.limits.reconnect_pause_max;
    let mut backoff = Backoff::new(longest, &line.connection.id);
    line.standing(Activity::Connecting, Said::new("first attempt", "首次尝试连接"), address.clone());
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
            Err(_) => Said::new(
                format!(
                    "no answer to the attempt to connect within {longest:?}; is the analyser on, and the cable in?"
                ),
                format!("{} 秒内连接无应答:请检查仪器是否开机、网线是否连接", longest.as_secs_f32()),
            ),
        };
        let pause = backoff.pause();
        tracing::debug!(connection = %line.connection.id, reason = reason.en, ?pause, "not connected");
        line.standing(Activity::Connecting, again(reason, pause), address.clone());
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    line.standing(Activity::Stopped, stopped(), address);
}

/// One attempt: the stream, and who is at its other end.
async fn reach(line: &Line, address: &str, tls: Option<&TlsClient>) -> Result<(Carrier, String), Said> {
    let found = lookup_host(address).await.map_err(|e| Said::unknown_name(address, &e))?;
    let found: Vec<SocketAddr> = found.collect();
    let socket = TcpStream::connect(found.as_slice()).await.map_err(|e| Said::of_system(&e))?;
    tune(&socket, line.connection.link.resets()).map_err(|e| Said::of_system(&e))?;
    let peer = socket.peer_addr().map_or_else(|_| address.to_owned(), |a| a.to_string());
    let Some(tls) = tls else { return Ok((Box::new(socket), peer)) };
    let (config, fault) = tls.config();
    if let Some(fault) = fault {
        tracing::error!(connection = %line.connection.id, %fault, "certificate files");
        line.told(Irregularity::Tls, fault.said());
    }
    let shaken = TlsConnector::from(config).connect(tls.name(), socket).await;
    let stream = shaken.map_err(|e| {
        let why = tls::in_words(&e).unwrap_or_else(|| {
            Said::of_system(&e)
                .behind("TLS: ", "TLS:")
                .and("; does the peer speak TLS on this port?", ";对方此端口是否启用 TLS?")
        });
        line.told(Irregularity::Tls, why.clone());
        why
    })?;
    let subject = tls::subject(stream.get_ref().1.peer_certificates());
    Ok((Box::new(stream), subject.map_or_else(|| peer.clone(), |subject| format!("{peer} ({subject})"))))
}

/// Serves a stream to its end, and says why it ended.
async fn serve(line: &Line, stream: Carrier, name: &str, address: &str, stop: &CancellationToken) -> Said {
    let connected = Said::new(format!("connected to {name}"), format!("已连接 {name}"));
    line.standing(Activity::Connected, connected, address.to_owned());
    line.board.note(&line.connection.id, |s| name.clone_into(&mut s.peer));
    let (ears, leave) = (Arc::new(Ears::new(Instant::now())), stop.child_token());
    let steady = Steady::new(stream, Arc::clone(&ears), leave.clone());
    line.socket(steady.may_be_reset(line.connection.link.resets()), name, leave).await;
    match ears.fault() {
        Some(fault) => {
            tracing::warn!(connection = %line.connection.id, fault = fault.en, "the connection broke");
            line.told(Irregularity::LineBroke, broke(fault));
            fault.clone()
        }
        None => closed(),
    }
}
