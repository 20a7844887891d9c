//! Receivers to send to: a LIS01 link and an MLLP receiver that keep what they were given, over lines in memory.

use crate::analyser::dial::{Dial, Stream};
use lis01::{Anomaly, Config, Ending, Event, Link};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const LINE_BYTES: usize = 64 * 1024;

/// Plugs lines into a receiver.
pub(crate) struct Plug(mpsc::UnboundedSender<DuplexStream>, Shared);

impl Dial for Plug {
    type Stream = Near;

    async fn dial(&mut self) -> io::Result<Near> {
        let (near, far) = tokio::io::duplex(LINE_BYTES);
        self.0.send(far).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
        Ok(Near(near, Arc::clone(&self.1)))
    }
}

/// The analyser's end of a line; every write is noted.
pub(crate) struct Near(DuplexStream, Shared);

impl AsyncRead for Near {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Near {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.1.lock().unwrap().writes.push(bytes[..count].to_vec());
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// What a receiver saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Finished transfers, or blocks.
    pub(crate) messages: Vec<Vec<u8>>,
    /// Transfers that ended otherwise, with the frames they had.
    pub(crate) broken: Vec<(Ending, usize)>,
    pub(crate) anomalies: Vec<Anomaly>,
    /// How often both wanted the line, and how often the analyser asked for it.
    pub(crate) contentions: usize,
    pub(crate) interrupts: usize,
    /// Every write of the analyser.
    pub(crate) writes: Vec<Vec<u8>>,
}

pub(crate) type Shared = Arc<Mutex<Seen>>;

/// How a receiver behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    /// Answers nothing at all.
    pub(crate) mute: bool,
    /// Sends this transfer of its own as soon as a connection stands.
    pub(crate) sends: Option<&'static [u8]>,
    /// MLLP: so many messages are answered AE before one is answered AA.
    pub(crate) refusals: usize,
    /// MLLP: answers another message first.
    pub(crate) answers_another_first: bool,
}

/// A LIS01 computer. It ends when it has read the last line to its end and no more can come.
pub(crate) fn lis01_peer(habits: Habits) -> (Plug, Shared, JoinHandle<()>) {
    let (plug, mut lines) = mpsc::unbounded_channel();
    let seen = Shared::default();
    let kept = Arc::clone(&seen);
    let ended = tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            computer(line, habits, &kept).await;
        }
    });
    (Plug(plug, Arc::clone(&seen)), seen, ended)
}

pub(crate) async fn computer(mut wire: impl Stream, habits: Habits, seen: &Shared) {
    let mut link: Link<()> = Link::new(Config::default());
    let mut transfer = Vec::new();
    let mut frames = 0;
    let mut buffer = vec![0; LINE_BYTES];
    if let Some(records) = habits.sends {
        link.send(vec![records.to_vec()], Instant::now().into_std()).unwrap();
    }
    loop {
        while let Some(event) = link.poll_event() {
            let mut seen = seen.lock().unwrap();
            match event {
                Event::TransferStarted => (transfer, frames) = (Vec::new(), 0),
                Event::Frame(frame) => {
                    transfer.extend(frame.text);
                    frames += 1;
                    link.accept(frame.ticket, (), Instant::now().into_std());
                }
                Event::TransferEnded(Ending::Eot) => seen.messages.push(std::mem::take(&mut transfer)),
                Event::TransferEnded(how) => seen.broken.push((how, frames)),
                Event::Anomaly(anomaly) => seen.anomalies.push(anomaly),
                Event::Contention => seen.contentions += 1,
                Event::InterruptRequested { .. } => seen.interrupts += 1,
                Event::Repeated { .. } | Event::Sent(_) | Event::SendFailed { .. } | Event::HangUp(_) => {}
            }
        }
        while let Some(block) = link.poll_transmit() {
            if !habits.mute && wire.write_all(&block).await.is_err() {
                break;
            }
        }
        let deadline = link
            .poll_timeout()
            .map_or(Instant::now() + std::time::Duration::from_hours(1), Instant::from_std);
        tokio::select! {
            read = wire.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(bytes) => {
                    assert_eq!(link.handle_input(&buffer[..bytes], Instant::now().into_std()), bytes);
                }
            },
            () = tokio::time::sleep_until(deadline) => link.handle_timeout(Instant::now().into_std()),
        }
    }
    link.handle_disconnect(Instant::now().into_std());
    while let Some(event) = link.poll_event() {
        if let Event::TransferEnded(how) = event {
            seen.lock().unwrap().broken.push((how, frames));
        }
    }
}

/// An MLLP receiver.
pub(crate) fn mllp_peer(habits: Habits) -> (Plug, Shared, JoinHandle<()>) {
    let (plug, mut lines) = mpsc::unbounded_channel();
    let seen = Shared::default();
    let kept = Arc::clone(&seen);
    let ended = tokio::spawn(async move {
        let mut refusals = habits.refusals;
        while let Some(line) = lines.recv().await {
            receiver(line, habits, &mut refusals, &kept).await;
        }
    });
    (Plug(plug, Arc::clone(&seen)), seen, ended)
}

pub(crate) async fn receiver(mut line: impl Stream, habits: Habits, refusals: &mut usize, seen: &Shared) {
    let mut receiver: mllp::Receiver<()> = mllp::Receiver::new(mllp::Config::default());
    let mut buffer = vec![0; LINE_BYTES];
    loop {
        let bytes = match line.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(bytes) => bytes,
        };
        assert_eq!(receiver.handle_input(&buffer[..bytes]), bytes);
        while let Some(event) = receiver.poll_event() {
            let mllp::Event::Block(block) = event else { continue };
            let text = String::from_utf8(block.bytes.clone()).unwrap();
            let id = text.split('|').nth(9).unwrap().to_owned();
            let refuse = *refusals > 0;
            *refusals = refusals.saturating_sub(1);
            let code = if refuse { "AE" } else { "AA" };
            let mut answer = format!("MSH|^~\\&|||||||ACK|1|P|2.3.1\rMSA|{code}|{id}|\r").into_bytes();
            if habits.answers_another_first {
                let other = mllp::frame(b"MSH|^~\\&|||||||ACK|1|P|2.3.1\rMSA|AA|another|\r");
                line.write_all(&other).await.unwrap();
            }
            if habits.mute {
                answer.clear();
            }
            if !refuse {
                seen.lock().unwrap().messages.push(block.bytes);
            }
            receiver.accept(block.ticket, (), &answer);
        }
        while let Some(bytes) = receiver.poll_transmit() {
            if line.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }
}
