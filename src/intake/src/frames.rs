//! One LIS01 line: bytes from the socket into the link machine, its frames into the ledger, and only then the ACK.

use crate::{
    board::wall_ms,
    settings::Limits,
    tcp::Line,
    transfer::{Kept, MessageEnd, Transfer},
};
use ledger::{Durable, HowEnded, Pending};
use lis01::{Ending, Event, FrameEnd, FrameTicket, Link};
use std::{
    future::pending,
    io,
    pin::Pin,
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// The longest transfer, in bytes of text. Past it frames are refused until the sender ends the transfer.
const TRANSFER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A frame on its way to the disk, and the analyser waiting for its answer.
struct Waiting {
    ticket: FrameTicket,
    frame: Kept,
    pending: Pin<Box<Pending>>,
    until: Instant,
}

/// A frame that was refused because the disk was slow: it may still become durable.
struct Late {
    frame: Kept,
    pending: Pin<Box<Pending>>,
}

struct Driver<'a> {
    line: &'a Line,
    link: Link<Durable>,
    end: MessageEnd,
    transfer: Option<Transfer>,
    waiting: Option<Waiting>,
    late: Option<Late>,
}

/// Drives one socket until it closes or `stop`. Returns why it ended.
pub(crate) async fn serve(
    line: &Line,
    config: lis01::Config,
    end: MessageEnd,
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    stop: &CancellationToken,
) -> String {
    let mut driver = Driver { line, link: Link::new(config), end, transfer: None, waiting: None, late: None };
    let why = match driver.run(&mut socket, stop).await {
        Ok(()) => "stopped".to_owned(),
        Err(e) => e.to_string(),
    };
    driver.link.handle_disconnect(now());
    driver.events().await;
    driver.ended(HowEnded::Disconnected).await;
    why
}

/// The runtime's clock, which tests can hold.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

/// What woke the driver.
enum Woken {
    Bytes(usize),
    Kept(Result<Durable, ledger::AppendFailed>),
    TooSlow,
    Deadline,
    Stop,
}

impl Driver<'_> {
    async fn run(
        &mut self,
        socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
        stop: &CancellationToken,
    ) -> io::Result<()> {
        let limits: Limits = self.line.connection.limits.clone();
        let mut buffer = vec![0; limits.read_bytes];
        let mut unread = 0..0_usize;
        loop {
            // Hand over what was read before asking for more: a full machine slows the sender.
            if let Some(bytes) = buffer.get(unread.clone()) {
                unread.start += self.link.handle_input(bytes, now());
            }
            self.events().await;
            while let Some(bytes) = self.link.poll_transmit() {
                socket.write_all(&bytes).await?;
            }
            if self.waiting.is_none() && !unread.is_empty() {
                continue;
            }
            let woken = {
                let room = unread.is_empty();
                let deadline = self.link.poll_timeout();
                let too_slow = self.waiting.as_ref().map(|w| w.until);
                let kept = async {
                    match &mut self.waiting {
                        Some(waiting) => waiting.pending.as_mut().await,
                        None => pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    kept = kept => Woken::Kept(kept),
                    () = stop.cancelled() => Woken::Stop,
                    read = socket.read(&mut buffer), if room => Woken::Bytes(read?),
                    () = until(too_slow) => Woken::TooSlow,
                    () = until(deadline) => Woken::Deadline,
                }
            };
            match woken {
                Woken::Stop => return Ok(()),
                Woken::Bytes(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Woken::Bytes(count) => {
                    unread = 0..count;
                    self.line.board.note(&self.line.connection.id, |s| {
                        s.bytes_total += count as u64;
                        s.last_bytes_ms = wall_ms();
                    });
                }
                Woken::Kept(outcome) => self.kept(outcome),
                Woken::TooSlow => self.too_slow(limits.durable_within),
                Woken::Deadline => self.link.handle_timeout(now()),
            }
        }
    }

    /// Takes the machine's events until it waits for an answer or has none.
    async fn events(&mut self) {
        while self.waiting.is_none()
            && let Some(event) = self.link.poll_event()
        {
            match event {
                Event::TransferStarted => {
                    // A transfer that was open ends here; the machine has said so before, unless it was empty.
                    self.ended(HowEnded::Restarted).await;
                    self.transfer = Some(Transfer::new());
                }
                Event::Frame(frame) => {
                    let kept =
                        Kept { number: frame.number, end: frame.end == FrameEnd::End, text: frame.text };
                    self.frame(kept, frame.ticket);
                }
                Event::Repeated { number } => {
                    self.line
                        .board
                        .anomaly(&self.line.connection.id, format!("frame {number:?} was sent again"));
                }
                Event::TransferEnded(ending) => self.ended(how(ending)).await,
                Event::Anomaly(anomaly) => {
                    self.line.board.anomaly(&self.line.connection.id, format!("{anomaly:?}"));
                }
                Event::Contention => {
                    self.line.board.anomaly(&self.line.connection.id, "both sides wanted the line".into());
                }
                Event::InterruptRequested { .. } | Event::Sent(_) | Event::SendFailed { .. } => {}
            }
        }
    }

    fn frame(&mut self, frame: Kept, ticket: FrameTicket) {
        let until = now() + self.line.connection.limits.durable_within;
        if let Some(late) = self.late.take() {
            if late.frame == frame {
                self.waiting = Some(Waiting { ticket, frame, pending: late.pending, until });
            } else {
                self.late = Some(late);
                self.refuse(ticket, "an earlier frame is still on its way to the disk");
            }
            return;
        }
        let connection = &self.line.connection;
        let transfer = self.transfer.get_or_insert_with(Transfer::new);
        if transfer.bytes() > TRANSFER_BYTES_MAX {
            return self.refuse(ticket, "the transfer is longer than any transfer may be");
        }
        let group = transfer.frame(connection, &frame);
        match self.line.store.append(group) {
            Ok(pending) => self.waiting = Some(Waiting { ticket, frame, pending: Box::pin(pending), until }),
            Err(refused) => {
                transfer.undo();
                self.refuse(ticket, &refused.to_string());
            }
        }
    }

    fn kept(&mut self, outcome: Result<Durable, ledger::AppendFailed>) {
        let Some(waiting) = self.waiting.take() else { return };
        match outcome {
            Ok(durable) => {
                // The frame is one entry; what follows it in its group are messages.
                let messages = durable.last().get().saturating_sub(durable.first().get());
                self.link.accept(waiting.ticket, durable, now());
                if let Some(transfer) = &mut self.transfer {
                    transfer.settled();
                }
                self.line.board.note(&self.line.connection.id, |s| {
                    s.accepted_total += 1;
                    s.messages_total += messages;
                    if messages > 0 {
                        s.last_message_ms = wall_ms();
                    }
                });
            }
            Err(failed) => {
                if let Some(transfer) = &mut self.transfer {
                    transfer.undo();
                }
                self.refuse(waiting.ticket, &failed.to_string());
            }
        }
    }

    fn too_slow(&mut self, within: Duration) {
        if let Some(Waiting { ticket, frame, pending, .. }) = self.waiting.take() {
            self.late = Some(Late { frame, pending });
            self.refuse(ticket, &format!("not durable after {within:?}"));
        }
    }

    fn refuse(&mut self, ticket: FrameTicket, why: &str) {
        tracing::warn!(connection = %self.line.connection.id, why, "frame refused; the analyser will send it again");
        self.link.refuse(ticket, now());
        if let Some(transfer) = &mut self.transfer {
            transfer.unsettled();
        }
        self.line.board.note(&self.line.connection.id, |s| {
            s.refused_total += 1;
            s.last_anomaly = format!("frame refused: {why}");
        });
    }

    async fn ended(&mut self, how: HowEnded) {
        let Some(mut transfer) = self.transfer.take() else { return };
        if self.late.take().is_some() {
            // Whether that frame is kept is not known here; nothing may be read out of this transfer's tail.
            transfer.unsettled();
        }
        if transfer.is_empty() {
            // Nothing of it is in the ledger, so nothing there waits for an end.
            return;
        }
        let connection = &self.line.connection;
        let (group, half) = transfer.end(connection, how, self.end);
        let messages = group.len().saturating_sub(1) as u64;
        self.line.board.note(&connection.id, |s| {
            s.messages_total += messages;
            s.cut_total += u64::from(half);
        });
        if half {
            tracing::warn!(connection = %connection.id, ?how, "half transmission kept; it is not parsed");
        }
        self.line.store.settle(group, &self.line.stop).await;
    }
}

fn how(ending: Ending) -> HowEnded {
    match ending {
        Ending::Eot => HowEnded::Eot,
        Ending::Abandoned => HowEnded::Abandoned,
        Ending::Timeout => HowEnded::Timeout,
        Ending::Disconnected => HowEnded::Disconnected,
        Ending::Restarted => HowEnded::Restarted,
    }
}
