//! A stream that is listened to; on a listen-only connection, one that sends nothing.

use super::{Trace, Way};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use vocabulary::Mode;

/// Whether what a driver writes leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// It does.
    Allowed,
    /// Not a byte does: every write succeeds and goes nowhere, and closing says nothing to the peer.
    Withheld,
}

impl Sending {
    /// What a connection's mode allows.
    pub(crate) fn of(mode: Mode) -> Self {
        match mode {
            Mode::Production | Mode::Qualification | Mode::Simulation => Self::Allowed,
            Mode::ListenOnly => Self::Withheld,
        }
    }
}

/// A stream whose bytes are traced both ways.
///
/// This is the only place where listen-only is kept: every driver runs on a `Tapped`, of whatever dialect it is, and
/// nothing that it writes can pass. What is below the stream (the handshakes of TCP and TLS) is not its business.
#[derive(Debug)]
pub(crate) struct Tapped<S> {
    stream: S,
    trace: Trace,
    socket: u64,
    sending: Sending,
}

impl<S> Tapped<S> {
    /// `socket` is the number that [`Trace::connected`] gave.
    pub(crate) fn new(stream: S, trace: Trace, socket: u64, sending: Sending) -> Self {
        Self { stream, trace, socket, sending }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            self.trace.bytes(self.socket, Way::Received, bytes);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let (way, written) = match self.sending {
            Sending::Allowed => (Way::Sent, Pin::new(&mut self.stream).poll_write(context, bytes)),
            Sending::Withheld => (Way::Withheld, Poll::Ready(Ok(bytes.len()))),
        };
        if let Poll::Ready(Ok(count)) = written
            && let Some(left) = bytes.get(..count).filter(|left| !left.is_empty())
        {
            self.trace.bytes(self.socket, way, left);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.sending {
            Sending::Allowed => Pin::new(&mut self.stream).poll_flush(context),
            Sending::Withheld => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.sending {
            Sending::Allowed => Pin::new(&mut self.stream).poll_shutdown(context),
            // A TLS stream would send its close_notify here.
            Sending::Withheld => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Traced;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    fn told(trace: &Trace) -> Vec<(Way, Vec<u8>)> {
        let bytes = |what| match what {
            Traced::Bytes { way, bytes } => Some((way, bytes)),
            Traced::Connected { .. }
            | Traced::Closed { .. }
            | Traced::Refused { .. }
            | Traced::Anomaly { .. }
            | Traced::Noted { .. } => None,
        };
        trace.since(0).events.into_iter().filter_map(|event| bytes(event.what)).collect()
    }

    #[tokio::test]
    async fn both_directions_pass_and_are_traced() {
        let (ours, mut theirs) = duplex(64);
        let trace = Trace::default();
        let mut tapped = Tapped::new(ours, trace.clone(), 1, Sending::Allowed);
        theirs.write_all(b"\x05").await.unwrap();
        assert_eq!(tapped.read_u8().await.unwrap(), 5);
        tapped.write_all(b"\x06").await.unwrap();
        assert_eq!(theirs.read_u8().await.unwrap(), 6);
        assert_eq!(told(&trace), [(Way::Received, vec![5]), (Way::Sent, vec![6])]);
    }

    #[tokio::test]
    async fn a_write_that_was_taken_in_part_is_traced_in_part() {
        let (ours, mut theirs) = duplex(2);
        let trace = Trace::default();
        let mut tapped = Tapped::new(ours, trace.clone(), 1, Sending::Allowed);
        assert_eq!(tapped.write(b"abc").await.unwrap(), 2);
        assert_eq!(told(&trace), [(Way::Sent, b"ab".to_vec())]);
        let mut got = [0; 2];
        theirs.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ab");
    }

    #[tokio::test]
    async fn a_listen_only_stream_takes_every_write_and_sends_nothing_at_the_end_either() {
        let (ours, mut theirs) = duplex(4);
        let trace = Trace::default();
        let mut tapped = Tapped::new(ours, trace.clone(), 1, Sending::of(Mode::ListenOnly));
        // More than the pipe takes: a write that is not swallowed never ends.
        let written = tokio::time::timeout(Duration::from_secs(5), tapped.write_all(&[6; 100])).await;
        written.expect("it waits for the peer").unwrap();
        tapped.flush().await.unwrap();
        tapped.shutdown().await.unwrap();
        theirs.write_all(b"ok").await.unwrap();
        let mut got = [0; 2];
        tapped.read_exact(&mut got).await.unwrap();
        drop(tapped);
        let mut left = Vec::new();
        theirs.read_to_end(&mut left).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(told(&trace), [(Way::Withheld, vec![6; 100]), (Way::Received, b"ok".to_vec())]);
    }

    #[test]
    fn only_listen_only_withholds() {
        for mode in [Mode::Production, Mode::Qualification, Mode::Simulation] {
            assert_eq!(Sending::of(mode), Sending::Allowed);
        }
        assert_eq!(Sending::of(Mode::ListenOnly), Sending::Withheld);
    }
}
