//! What carries bytes, and how its sockets are set.

use socket2::{SockRef, TcpKeepalive};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// A stream in both directions: TCP, TLS over TCP, or a serial line.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Whatever carries the bytes.
pub(crate) type Carrier = Box<dyn Stream>;

/// A line that says nothing is asked so often whether it is still there. It is never closed for its silence: an
/// analyser may have nothing to say for hours (protocols §4.1).
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(10);
const KEEPALIVE_TRIES: u32 = 3;

/// How long a peer that is about to be reset has for what was written to it: RST throws away what it has not read.
pub(super) const RESET_AFTER: Duration = Duration::from_millis(200);

/// Sets a socket up: answers are a few bytes that leave at once, and a dead peer is found out within a minute.
/// With `resets`, closing it sends RST.
pub(crate) fn tune(socket: &TcpStream, resets: bool) -> io::Result<()> {
    socket.set_nodelay(true)?;
    if resets {
        SockRef::from(socket).set_linger(Some(Duration::ZERO))?;
    }
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_AGAIN).with_retries(KEEPALIVE_TRIES);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_asks_every_half_minute_whether_its_peer_is_there() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tune(&socket, false).unwrap();
        let set = SockRef::from(&socket);
        assert!(set.keepalive().unwrap() && socket.nodelay().unwrap());
        assert_eq!(set.tcp_keepalive_time().unwrap(), Duration::from_secs(30));
    }
}
