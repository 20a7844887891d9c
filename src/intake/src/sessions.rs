//! One line of the PK block protocol: blocks from the socket into the ledger, and only then their answers, where there
//! are any. The blocks of one session are one message; it goes into the ledger with the block that completes it.

use crate::{
    alarm::{Alarm, now},
    irregular::Irregularity,
    store::{received, terms},
    transfer::next_transfer,
    transport::{Line, say},
};
use ledger::{AppendFailed, Body, Draft, Durable, HowEnded, Pending, What};
use pk_blocks::{
    Anomaly, AnomalyKind, Answers, Block, BlockEnd, BlockTicket, Config, Ending, Event, Place, Receiver,
    Session, Step,
};
use std::{
    future::pending,
    io,
    pin::Pin,
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Pause before what could not be kept is tried again, where it cannot be refused.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// A session on its way into the ledger.
struct Open {
    transfer: u64,
    session: Session,
    /// Bytes of its blocks that were handed to the ledger.
    bytes: u32,
    /// Blocks that are kept or on their way.
    blocks: usize,
    /// It became a message.
    message: bool,
}

/// A block on its way to the disk.
struct Waiting {
    ticket: BlockTicket,
    group: Vec<Draft>,
    /// The session before it.
    before: Place,
    bytes: u32,
    message: bool,
    /// Absent while it waits to be tried again.
    pending: Option<Pin<Box<Pending>>>,
    until: Instant,
    /// That it could not be kept at first has been said.
    told: bool,
}

struct Driver<'a> {
    line: &'a Line,
    receiver: Receiver<Durable>,
    config: Config,
    open: Option<Open>,
    waiting: Option<Waiting>,
}

/// Drives one socket until it closes or `stop`. Returns why it ended.
pub(crate) async fn serve(
    line: &Line,
    config: Config,
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    stop: &CancellationToken,
) -> String {
    let receiver = Receiver::new(config.clone());
    let mut driver = Driver { line, receiver, config, open: None, waiting: None };
    let why = match driver.run(&mut socket, stop).await {
        Ok(()) => "stopped".to_owned(),
        Err(e) => e.to_string(),
    };
    driver.settle_waiting().await;
    driver.receiver.handle_disconnect();
    driver.events().await;
    why
}

/// What woke the driver.
enum Woken {
    Bytes(usize),
    Kept(Result<Durable, AppendFailed>),
    TryAgain,
    Deadline,
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
        let (mut again_alarm, mut session_alarm) = (Alarm::new(), Alarm::new());
        loop {
            if let Some(bytes) = buffer.get(unread.clone()) {
                unread.start += self.receiver.handle_input(bytes, now());
            }
            self.events().await;
            while let Some(bytes) = self.receiver.poll_transmit() {
                say(socket, &bytes).await?;
            }
            if self.waiting.is_none() && !unread.is_empty() {
                continue;
            }
            let woken = {
                let room = unread.is_empty();
                let deadline = self.receiver.poll_timeout().map(Into::into);
                let again = self.waiting.as_ref().filter(|w| w.pending.is_none()).map(|w| w.until.into());
                let kept = async {
                    match self.waiting.as_mut().and_then(|waiting| waiting.pending.as_mut()) {
                        Some(pending) => pending.as_mut().await,
                        None => pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    kept = kept => Woken::Kept(kept),
                    () = stop.cancelled() => Woken::Stop,
                    read = socket.read(&mut buffer), if room => Woken::Bytes(read?),
                    () = again_alarm.rings(again) => Woken::TryAgain,
                    () = session_alarm.rings(deadline) => Woken::Deadline,
                }
            };
            match woken {
                Woken::Stop => return Ok(()),
                Woken::Bytes(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Woken::Bytes(count) => {
                    unread = 0..count;
                    self.line.heard(count);
                }
                Woken::Kept(outcome) => self.kept(outcome),
                Woken::TryAgain => self.put(),
                Woken::Deadline => self.receiver.handle_timeout(now()),
            }
        }
    }

    /// Takes the machine's events until it waits for an answer or has none.
    async fn events(&mut self) {
        while self.waiting.is_none()
            && let Some(event) = self.receiver.poll_event()
        {
            match event {
                Event::SessionStarted => {
                    let session = Session::new(self.config.session_bytes_max);
                    let transfer = next_transfer();
                    self.open = Some(Open { transfer, session, bytes: 0, blocks: 0, message: false });
                }
                Event::Block(block) => self.block(block),
                Event::Repeated => {
                    self.line.irregular(Irregularity::Repeated, "a block was sent again".to_owned());
                }
                Event::SessionEnded(ending) => self.ended(ending).await,
                Event::Anomaly(anomaly) => {
                    let (kind, what) = found(&anomaly);
                    self.line.irregular(kind, what);
                }
            }
        }
    }

    /// A block goes to the ledger, with the message that it completes.
    fn block(&mut self, block: Block) {
        let connection = &self.line.connection;
        let Some(open) = &mut self.open else { return };
        let Block { text, end, whole, ticket } = block;
        let before = open.session.place();
        let complete = open.session.push(&text, end) == Step::Complete && whole;
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let bytes = open.bytes.saturating_add(length);
        let mut group = vec![Draft::by_connection(
            &connection.id,
            What::FrameReceived {
                connection: connection.id.clone(),
                transfer: open.transfer,
                number: None,
                end: end == BlockEnd::Last,
                text: text.into(),
                terms: (open.blocks == 0).then(|| terms(connection)),
            },
        )];
        if complete {
            let text = open.session.message().into();
            group.push(received(connection, Body::Made { text, transfer: open.transfer, to: bytes }));
        }
        (open.bytes, open.blocks) = (bytes, open.blocks + 1);
        self.waiting = Some(Waiting {
            ticket,
            group,
            before,
            bytes: length,
            message: complete,
            pending: None,
            until: now(),
            told: false,
        });
        self.put();
    }

    /// Hands what waits to the ledger.
    fn put(&mut self) {
        let Some(waiting) = &mut self.waiting else { return };
        match self.line.store.append(waiting.group.clone()) {
            Ok(pending) => waiting.pending = Some(Box::pin(pending)),
            Err(refused) => self.not_kept(&refused.to_string()),
        }
    }

    fn kept(&mut self, outcome: Result<Durable, AppendFailed>) {
        match outcome {
            Err(failed) => self.not_kept(&failed.to_string()),
            Ok(durable) => {
                let Some(waiting) = self.waiting.take() else { return };
                self.receiver.accept(waiting.ticket, durable, now());
                if let Some(open) = &mut self.open {
                    open.message |= waiting.message;
                }
                self.line.board.kept(&self.line.connection.id, 1, u64::from(waiting.message));
            }
        }
    }

    /// The line has gone. What is on its way to the disk may still arrive; what nobody will send again has to.
    async fn settle_waiting(&mut self) {
        let Some(waiting) = self.waiting.take() else { return };
        let store = &self.line.store;
        let kept = match (waiting.pending, self.config.answers) {
            (Some(pending), _) => {
                let within = self.line.connection.limits.durable_within;
                matches!(tokio::time::timeout(within, pending).await, Ok(Ok(_)))
            }
            (None, Answers::Silent) => store.settle(waiting.group, &self.line.stop).await.is_some(),
            (None, Answers::Bytes { .. }) => false,
        };
        if let Some(open) = &mut self.open {
            open.message |= waiting.message && kept;
        }
    }

    /// The block is not in the ledger. Where blocks are answered it is refused; where not, it is tried until it is kept,
    /// and nothing more is read meanwhile.
    fn not_kept(&mut self, why: &str) {
        // Once for each block, not once for each try.
        if self.waiting.as_ref().is_some_and(|waiting| !waiting.told) {
            tracing::warn!(connection = %self.line.connection.id, why, "a block is not kept");
            self.line.board.refused(&self.line.connection.id, format!("a block is not kept: {why}"));
        }
        match self.config.answers {
            Answers::Silent => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.told = true;
                    waiting.pending = None;
                    waiting.until = now() + RETRY_PAUSE;
                }
            }
            Answers::Bytes { .. } => {
                let Some(waiting) = self.waiting.take() else { return };
                if let Some(open) = &mut self.open {
                    open.session.go_back(waiting.before);
                    open.bytes = open.bytes.saturating_sub(waiting.bytes);
                    open.blocks = open.blocks.saturating_sub(1);
                }
                self.receiver.refuse(waiting.ticket, now());
            }
        }
    }

    async fn ended(&mut self, ending: Ending) {
        let Some(open) = self.open.take().filter(|open| open.blocks > 0) else { return };
        let (how, kind) = match ending {
            Ending::Complete => (HowEnded::Eot, Irregularity::Damaged),
            Ending::Damaged => (HowEnded::Abandoned, Irregularity::Damaged),
            Ending::Timeout => (HowEnded::Timeout, Irregularity::BrokenOff),
            Ending::Disconnected => (HowEnded::Disconnected, Irregularity::BrokenOff),
            Ending::Restarted => (HowEnded::Restarted, Irregularity::BrokenOff),
        };
        let connection = &self.line.connection;
        let mut group = Vec::new();
        if !open.message {
            let why =
                open.session.defect().map_or_else(|| format!("{ending:?}"), |defect| defect.to_string());
            let what = format!("a session is no message: {why}");
            self.line.cut(how);
            self.line.irregular(kind, what.clone());
            group.push(What::LinkNoted { connection: connection.id.clone(), what });
        }
        group.push(What::TransferEnded { connection: connection.id.clone(), transfer: open.transfer, how });
        let group = group.into_iter().map(|what| Draft::by_connection(&connection.id, what)).collect();
        self.line.store.settle(group, &self.line.stop).await;
    }
}

/// What the link found, in our words.
fn found(Anomaly { kind, at, bytes_skipped }: &Anomaly) -> (Irregularity, String) {
    let (kind, what) = match kind {
        AnomalyKind::Noise => (Irregularity::Noise, format!("{bytes_skipped} bytes outside of any block")),
        AnomalyKind::BadBlock(defect) => (Irregularity::Damaged, format!("a block is no good: {defect}")),
        AnomalyKind::AnswerOverdue => {
            (Irregularity::Overdue, "a block was not on the disk in time".to_owned())
        }
        AnomalyKind::BlockBeforeAnswer => {
            (Irregularity::OutOfOrder, "a block came before the last one was answered".to_owned())
        }
        AnomalyKind::InputDropped => {
            let what =
                format!("the connection closed behind an unanswered block; {bytes_skipped} bytes dropped");
            (Irregularity::BrokenOff, what)
        }
    };
    (kind, format!("{what} (byte {at} of the connection)"))
}
