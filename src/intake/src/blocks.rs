//! One MLLP line: blocks from the socket into the ledger, and only then their acknowledgements, in order.

use crate::{
    answer::{Answerer, head},
    board::wall_ms,
    settings::Answering,
    store::{NotKept, received},
    tcp::Line,
    transfer::half_block,
};
use ledger::{Body, Draft, Durable, HowEnded, Pending};
use mllp::{Anomaly, AnomalyKind, BlockTicket, Event, Receiver};
use std::{
    collections::VecDeque,
    future::{Future, pending},
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// A block on its way to the disk.
struct InFlight {
    ticket: BlockTicket,
    /// As much of it as its answer needs.
    head: Vec<u8>,
    /// Absent when the ledger refused it at once.
    pending: Result<Pin<Box<Pending>>, NotKept>,
    until: Instant,
    within: Duration,
}

struct Driver<'a> {
    line: &'a Line,
    receiver: Receiver<Durable>,
    answerer: Answerer<'a>,
    /// In the order they came; answers leave in that order.
    flight: VecDeque<InFlight>,
    /// Half transmissions to be kept. While there is one nothing more is read, so they stay few.
    halves: VecDeque<Vec<Draft>>,
    /// The one being written.
    keeping: Keeping,
}

type Keeping = Option<Pin<Box<dyn Future<Output = ()> + Send>>>;

/// Drives one socket until it closes or `stop`. Returns why it ended.
pub(crate) async fn serve(
    line: &Line,
    config: mllp::Config,
    answering: &Answering,
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    stop: &CancellationToken,
) -> String {
    let receiver = Receiver::new(config);
    let answerer = Answerer::new(answering);
    let (flight, halves) = (VecDeque::new(), VecDeque::new());
    let mut driver = Driver { line, receiver, answerer, flight, halves, keeping: None };
    let why = match driver.run(&mut socket, stop).await {
        Ok(()) => "stopped".to_owned(),
        Err(e) => e.to_string(),
    };
    driver.receiver.handle_disconnect();
    driver.take_blocks();
    half_kept(&mut driver.keeping).await;
    for half in std::mem::take(&mut driver.halves) {
        line.store.settle(half, &line.stop).await;
    }
    why
}

/// What woke the driver.
enum Woken {
    Bytes(usize),
    Kept(Result<Durable, NotKept>),
    HalfKept,
    Stop,
}

impl Driver<'_> {
    async fn run(
        &mut self,
        socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
        stop: &CancellationToken,
    ) -> io::Result<()> {
        let mut buffer = vec![0; self.line.connection.limits.read_bytes];
        let mut unread = 0..0_usize;
        let mut answers = Vec::new();
        loop {
            if let Some(bytes) = buffer.get(unread.clone()) {
                unread.start += self.receiver.handle_input(bytes);
            }
            let taken = self.take_blocks();
            self.answer_what_is_durable();
            answers.clear();
            while let Some(bytes) = self.receiver.poll_transmit() {
                answers.extend_from_slice(&bytes);
            }
            if !answers.is_empty() {
                socket.write_all(&answers).await?;
            }
            if (taken || !answers.is_empty()) && !unread.is_empty() {
                continue;
            }
            if self.keeping.is_none()
                && let Some(half) = self.halves.pop_front()
            {
                let (store, stop) = (self.line.store.clone(), self.line.stop.clone());
                self.keeping = Some(Box::pin(async move { store.settle(half, &stop).await }));
            }
            let woken = {
                let room = unread.is_empty() && self.keeping.is_none() && !stop.is_cancelled();
                // A stop lets what is in flight be answered and kept, and takes nothing more.
                let idle = self.flight.is_empty() && self.keeping.is_none();
                let halves = self.keeping.is_some();
                let stopped = async { if idle { stop.cancelled().await } else { pending().await } };
                let front = self.flight.front_mut();
                tokio::select! {
                    biased;
                    kept = settled(front) => Woken::Kept(kept),
                    () = half_kept(&mut self.keeping), if halves => Woken::HalfKept,
                    () = stopped => Woken::Stop,
                    read = socket.read(&mut buffer), if room => Woken::Bytes(read?),
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
                Woken::Kept(outcome) => self.answer(outcome),
                Woken::HalfKept => self.keeping = None,
            }
        }
    }

    /// Queues every whole block; whether there was one.
    fn take_blocks(&mut self) -> bool {
        let mut taken = false;
        while let Some(event) = self.receiver.poll_event() {
            match event {
                Event::Block(block) => {
                    taken = true;
                    let connection = &self.line.connection;
                    let head = head(&block.bytes).to_vec();
                    let body = Body::Whole(block.bytes.into());
                    let pending = self.line.store.append(vec![received(connection, body)]);
                    self.flight.push_back(InFlight {
                        ticket: block.ticket,
                        head,
                        pending: pending.map(Box::pin).map_err(NotKept::Refused),
                        until: Instant::now() + connection.limits.durable_within,
                        within: connection.limits.durable_within,
                    });
                }
                // It cannot be read, so it cannot be accepted; its beginning is kept for whoever looks into it.
                Event::Oversize(oversize) => {
                    taken = true;
                    let what = format!(
                        "a block of {} bytes is longer than any may be; its first {} bytes are kept",
                        oversize.bytes,
                        oversize.kept.len()
                    );
                    let answer = self.answerer.not_kept(head(&oversize.kept));
                    self.receiver.refuse(oversize.ticket, Some(&answer));
                    self.half(what, oversize.kept, HowEnded::Abandoned);
                }
                Event::Commit(_) => {
                    self.line.board.anomaly(&self.line.connection.id, "a commit block came unasked".into());
                }
                Event::Anomaly(anomaly) => self.anomaly(anomaly),
            }
        }
        taken
    }

    fn anomaly(&mut self, anomaly: Anomaly) {
        let what = anomaly.to_string();
        match anomaly.kind {
            AnomalyKind::BlockCutOff => self.half(what, anomaly.bytes, HowEnded::Disconnected),
            AnomalyKind::BlockRestarted => self.half(what, anomaly.bytes, HowEnded::Restarted),
            AnomalyKind::StrayBytes | AnomalyKind::EmptyBlock | AnomalyKind::CarriageReturnMissing => {
                self.line.board.anomaly(&self.line.connection.id, what);
            }
        }
    }

    /// The beginning of a block whose end will not come: kept, never parsed.
    fn half(&mut self, what: String, bytes: Vec<u8>, how: HowEnded) {
        let connection = &self.line.connection;
        tracing::warn!(connection = %connection.id, ?how, "half transmission kept; it is not parsed");
        self.line.board.note(&connection.id, |s| s.cut_total += 1);
        self.halves.push_back(half_block(connection, what.clone(), bytes, how));
        self.line.board.anomaly(&connection.id, what);
    }

    /// Answers the blocks at the front that are durable already, so that one write carries all their answers.
    fn answer_what_is_durable(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while let Some(front) = self.flight.front_mut() {
            let outcome = match &mut front.pending {
                Ok(pending) => match pending.as_mut().poll(&mut context) {
                    Poll::Ready(outcome) => outcome.map_err(NotKept::Failed),
                    Poll::Pending => return,
                },
                Err(why) => Err(why.clone()),
            };
            self.answer(outcome);
        }
    }

    fn answer(&mut self, outcome: Result<Durable, NotKept>) {
        let Some(InFlight { ticket, head, .. }) = self.flight.pop_front() else { return };
        let id = &self.line.connection.id;
        match outcome {
            Ok(durable) => {
                let answer = self.answerer.kept(&head);
                self.receiver.accept(ticket, durable, &answer);
                self.line.board.note(id, |s| {
                    s.accepted_total += 1;
                    s.messages_total += 1;
                    s.last_message_ms = wall_ms();
                });
            }
            Err(why) => {
                tracing::warn!(connection = %id, %why, "message refused; the analyser will send it again");
                let answer = self.answerer.not_kept(&head);
                self.receiver.refuse(ticket, Some(&answer));
                self.line.board.note(id, |s| {
                    s.refused_total += 1;
                    s.last_anomaly = format!("message refused: {why}");
                });
            }
        }
    }
}

/// When the half transmission under way is kept; at once when there is none.
async fn half_kept(keeping: &mut Keeping) {
    if let Some(half) = keeping {
        half.await;
    }
}

/// When the block at the front is durable, or is known not to be in time.
async fn settled(front: Option<&mut InFlight>) -> Result<Durable, NotKept> {
    let Some(front) = front else { return pending().await };
    match &mut front.pending {
        Ok(durable) => tokio::select! {
            biased;
            outcome = durable.as_mut() => outcome.map_err(NotKept::Failed),
            () = tokio::time::sleep_until(front.until) => Err(NotKept::Late(front.within)),
        },
        Err(why) => Err(why.clone()),
    }
}
