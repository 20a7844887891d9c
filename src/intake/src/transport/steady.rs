//! A stream whose writes do not wait for ever, and that notes when it is heard and what broke it.

use super::ears::Ears;
use crate::{said::Said, tls};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A peer that takes nothing of what is written to it for so long does not read any more.
pub(crate) const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct Steady<S> {
    stream: S,
    ears: Arc<Ears>,
    /// Cancelled when the stream's place is needed: a write that waits then is given up.
    leave: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Runs while a write waits.
    patience: Option<Pin<Box<Sleep>>>,
    /// The peer ends its connections with RST: that is an end like any other.
    may_be_reset: bool,
}

impl<S> Steady<S> {
    pub(crate) fn new(stream: S, ears: Arc<Ears>, leave: CancellationToken) -> Self {
        Self { stream, ears, leave: Box::pin(leave.cancelled_owned()), patience: None, may_be_reset: false }
    }

    pub(crate) fn may_be_reset(self, may_be_reset: bool) -> Self {
        Self { may_be_reset, ..self }
    }

    fn patient<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(outcome) = outcome {
            self.patience = None;
            return Poll::Ready(outcome.map_err(|e| self.broken(e)));
        }
        if self.leave.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "its place was needed",
            )));
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(WRITE_WITHIN)));
        if patience.as_mut().poll(context).is_ready() {
            let what = format!("the peer has read nothing of what was written to it for {WRITE_WITHIN:?}");
            let seconds = WRITE_WITHIN.as_secs();
            self.ears.broke(Said::new(
                format!("{what}; is its program hanging?"),
                format!("对方 {seconds} 秒未读取我方发出的数据:其程序是否无响应?"),
            ));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, what)));
        }
        Poll::Pending
    }

    /// Notes what broke it, in words.
    fn broken(&self, error: io::Error) -> io::Error {
        let Some(words) = tls::in_words(&error) else {
            self.ears.broke(Said::of_system(&error));
            return error;
        };
        let told = io::Error::new(error.kind(), words.en.clone());
        self.ears.broke(words);
        told
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Steady<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.ears.hear(Instant::now());
        }
        if outcome.is_pending() {
            // TLS answers some of what it reads by itself (a refusal to renegotiate, new keys), but sends that only with
            // the next write. What goes wrong here shows at the next read or write.
            drop(Pin::new(&mut self.stream).poll_flush(context));
        }
        match outcome {
            Poll::Ready(Err(e)) if self.may_be_reset && e.kind() == io::ErrorKind::ConnectionReset => {
                Poll::Ready(Ok(()))
            }
            Poll::Ready(_) | Poll::Pending => outcome.map_err(|e| self.broken(e)),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Steady<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patient(context, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.patient(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(context);
        self.patient(context, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn steady(room: usize) -> (Steady<tokio::io::DuplexStream>, tokio::io::DuplexStream, CancellationToken) {
        let (here, there) = tokio::io::duplex(room);
        let leave = CancellationToken::new();
        let ears = Arc::new(Ears::new(Instant::now()));
        (Steady::new(here, ears, leave.clone()), there, leave)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_is_given_up_after_a_while() {
        let (mut stream, _there, _leave) = steady(4);
        let began = Instant::now();
        let error = stream.write_all(b"more than four").await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed()), (io::ErrorKind::TimedOut, WRITE_WITHIN));
        assert!(stream.ears.fault().unwrap().en.contains("has read nothing"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_slowly_is_not() {
        let (mut stream, mut there, _leave) = steady(4);
        let slow = tokio::spawn(async move {
            let mut all = Vec::new();
            while all.len() < 40 {
                tokio::time::advance(WRITE_WITHIN / 2).await;
                all.push(there.read_u8().await.unwrap());
            }
        });
        stream.write_all(&[7; 40]).await.unwrap();
        slow.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_write_is_given_up_when_the_place_is_needed() {
        let (mut stream, _there, leave) = steady(4);
        let began = Instant::now();
        let (error, ()) = tokio::join!(stream.write_all(b"more than four"), async { leave.cancel() });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_knows_when_it_was_last_heard() {
        let (mut stream, mut there, _leave) = steady(4);
        assert_eq!(stream.ears.silence(Instant::now()), None);
        there.write_u8(5).await.unwrap();
        stream.read_u8().await.unwrap();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(stream.ears.silence(Instant::now()), Some(Duration::from_secs(3)));
    }
}
