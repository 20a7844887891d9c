//! One MLLP line: blocks from the socket into the ledger, and only then their acknowledgements, in order.

use crate::{
    alarm::Alarm,
    answer::Answerer,
    desk::{Awaits, Outgoing, Reply, Settled},
    irregular::Irregularity,
    response::{Asked, Response, asked, response},
    sending::{Question, Sending},
    settings::Answering,
    store::{NotKept, received},
    transport::{Line, say},
};
use ledger::{Body, Draft, Durable, HowEnded, Pending};
use mllp::{Anomaly, AnomalyKind, BlockTicket, Commit, Event, Receiver};
use std::{
    collections::VecDeque,
    future::{Future, pending},
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// A block between its arrival and its answer.
struct InFlight {
    ticket: BlockTicket,
    /// As much of it as its acknowledgement needs.
    head: Vec<u8>,
    kind: Kind,
    step: Step,
}

/// What a block is to us.
enum Kind {
    /// Acknowledged when it is kept.
    Message,
    /// Asks something: when it is kept, the desk says how it is answered.
    Question(Vec<u8>),
    /// Answers a message of ours, or of nobody's. It counts when it is kept, and is never acknowledged.
    Answer(Response, Vec<u8>),
}

/// How far it has come.
enum Step {
    /// On its way to the disk; an error when the ledger refused it at once.
    Storing { pending: Result<Pending, NotKept>, until: Instant, within: Duration },
    /// Durable. Its answer is looked for.
    Considered(Durable, Question),
}

/// What has happened to the block at the front.
enum Done {
    Stored(Result<Durable, NotKept>),
    Considered(Option<Reply>),
}

/// A message of ours that is on the line and waits for its answer.
struct Out {
    asked: Asked,
    until: Instant,
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
    sending: Sending<'a>,
    out: Option<Out>,
    answer_within: Duration,
    /// Release 2: commit blocks are spoken here.
    commit_blocks: bool,
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
    let mut driver = Driver {
        line,
        answer_within: config.answer_timeout,
        commit_blocks: config.commit_blocks,
        receiver: Receiver::new(config),
        answerer: Answerer::new(answering),
        flight: VecDeque::new(),
        halves: VecDeque::new(),
        keeping: None,
        sending: Sending::new(line),
        out: None,
    };
    let why = match driver.run(&mut socket, stop).await {
        Ok(()) => "stopped".to_owned(),
        Err(e) => e.to_string(),
    };
    driver.sending.close();
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
    Done(Done),
    HalfKept,
    Unanswered,
    Unasked(Outgoing),
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
        let (mut slow_alarm, mut out_alarm) = (Alarm::new(), Alarm::new());
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
            self.send(&mut answers);
            if !answers.is_empty() {
                say(socket, &answers).await?;
            }
            if (taken || !answers.is_empty()) && !unread.is_empty() {
                continue;
            }
            if self.keeping.is_none()
                && let Some(half) = self.halves.pop_front()
            {
                let (store, stop) = (self.line.store.clone(), self.line.stop.clone());
                self.keeping = Some(Box::pin(async move {
                    store.settle(half, &stop).await;
                }));
            }
            let woken = {
                let room = unread.is_empty() && self.keeping.is_none() && !stop.is_cancelled();
                // A stop lets what is in flight be answered and kept, and takes nothing more.
                let idle = self.flight.is_empty() && self.keeping.is_none();
                let halves = self.keeping.is_some();
                let stopped = async { if idle { stop.cancelled().await } else { pending().await } };
                let front = self.flight.front_mut();
                let out = self.out.as_ref().map(|out| out.until);
                tokio::select! {
                    biased;
                    done = done(front, &mut slow_alarm) => Woken::Done(done),
                    () = half_kept(&mut self.keeping), if halves => Woken::HalfKept,
                    () = stopped => Woken::Stop,
                    read = socket.read(&mut buffer), if room => Woken::Bytes(read?),
                    () = out_alarm.rings(out) => Woken::Unanswered,
                    outgoing = unasked(&mut self.sending, stop) => Woken::Unasked(outgoing),
                }
            };
            match woken {
                Woken::Stop => return Ok(()),
                Woken::Bytes(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Woken::Bytes(count) => {
                    unread = 0..count;
                    self.line.heard(count);
                }
                Woken::Done(Done::Stored(outcome)) => self.stored(outcome),
                Woken::Done(Done::Considered(reply)) => self.considered(reply),
                Woken::HalfKept => self.keeping = None,
                Woken::Unanswered => self.unanswered(),
                Woken::Unasked(outgoing) => self.sending.push(outgoing),
            }
        }
    }

    /// Queues every whole block; whether there was one.
    fn take_blocks(&mut self) -> bool {
        let mut taken = false;
        let (mut groups, mut blocks) = (Vec::new(), Vec::new());
        while let Some(event) = self.receiver.poll_event() {
            match event {
                Event::Block(block) => {
                    taken = true;
                    let head = self.answerer.head(&block.bytes).to_vec();
                    let kind = self.kind(&block.bytes);
                    let body = Body::Whole(block.bytes.into());
                    groups.push(vec![received(&self.line.connection, body)]);
                    blocks.push((block.ticket, head, kind));
                }
                // It cannot be read, so it cannot be accepted; its beginning is kept for whoever looks into it.
                Event::Oversize(oversize) => {
                    taken = true;
                    let what = format!(
                        "a block of {} bytes is longer than any may be; its first {} bytes are kept",
                        oversize.bytes,
                        oversize.kept.len()
                    );
                    let answer = self.answerer.not_kept(self.answerer.head(&oversize.kept));
                    self.receiver.refuse(oversize.ticket, Some(&answer));
                    self.line.board.note(&self.line.connection.id, |s| s.refused_total += 1);
                    self.half(Irregularity::Oversize, what, oversize.kept, HowEnded::Abandoned);
                }
                Event::Commit(commit) => self.committed(commit),
                Event::Anomaly(anomaly) => self.anomaly(anomaly),
            }
        }
        if groups.is_empty() {
            return taken;
        }
        let within = self.line.connection.limits.durable_within;
        let until = Instant::now() + within;
        // Together, so that they are written together.
        for (pending, (ticket, head, kind)) in self.line.store.append_each(groups).into_iter().zip(blocks) {
            let step = Step::Storing { pending: pending.map_err(NotKept::Refused), until, within };
            self.flight.push_back(InFlight { ticket, head, kind, step });
        }
        taken
    }

    /// A commit block of release 2: the message of ours that is out is safe with the analyser, or is not.
    fn committed(&mut self, commit: Commit) {
        match (self.out.as_mut().filter(|_| self.commit_blocks), commit) {
            (Some(out), Commit::Ack) => out.until = Instant::now() + self.answer_within,
            (Some(_), Commit::Nak) => {
                self.out = None;
                self.sending.failed("the analyser says that it is not safe there (commit block 15)");
            }
            (None, _) => self.irregular(Irregularity::Unasked, "a commit block came unasked".into()),
        }
    }

    fn kind(&self, bytes: &[u8]) -> Kind {
        let is_ours = |to: &str| self.out.as_ref().is_some_and(|out| out.asked.control_id == to);
        match response(bytes, self.answerer.characters(), self.answerer.dialect()) {
            Some(found) if found.by_type || is_ours(&found.to) => Kind::Answer(found, bytes.to_vec()),
            Some(_) | None if self.sending.asked(bytes).is_some() => Kind::Question(bytes.to_vec()),
            Some(_) | None => Kind::Message,
        }
    }

    fn anomaly(&mut self, anomaly: Anomaly) {
        let what = anomaly.to_string();
        match anomaly.kind {
            AnomalyKind::BlockCutOff => {
                self.half(Irregularity::BrokenOff, what, anomaly.bytes, HowEnded::Disconnected);
            }
            AnomalyKind::BlockRestarted => {
                self.half(Irregularity::BrokenOff, what, anomaly.bytes, HowEnded::Restarted);
            }
            AnomalyKind::StrayBytes => self.irregular(Irregularity::Noise, what),
            AnomalyKind::EmptyBlock | AnomalyKind::CarriageReturnMissing => {
                self.irregular(Irregularity::Damaged, what);
            }
        }
    }

    /// The beginning of a block whose end will not come: kept, never parsed.
    fn half(&mut self, kind: Irregularity, what: String, bytes: Vec<u8>, how: HowEnded) {
        let nothing = bytes.is_empty();
        let group = self.line.half(kind, what, bytes, how);
        // Of a block that began and said no more there is nothing to keep.
        if !nothing {
            self.halves.push_back(group);
        }
    }

    fn irregular(&self, kind: Irregularity, what: String) {
        self.line.irregular(kind, what);
    }

    /// Answers the blocks at the front that are durable already, so that one write carries all their answers.
    fn answer_what_is_durable(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while let Some(InFlight { step: Step::Storing { pending, .. }, .. }) = self.flight.front_mut() {
            let outcome = match pending {
                Ok(pending) => match Pin::new(pending).poll(&mut context) {
                    Poll::Ready(outcome) => outcome.map_err(NotKept::Failed),
                    Poll::Pending => return,
                },
                Err(why) => Err(why.clone()),
            };
            self.stored(outcome);
        }
    }

    /// The block at the front is on the disk, or will not be in time.
    fn stored(&mut self, outcome: Result<Durable, NotKept>) {
        let Some(InFlight { ticket, head, kind, .. }) = self.flight.pop_front() else { return };
        match (outcome, kind) {
            (Ok(durable), Kind::Message) => self.accept(ticket, durable, &head, None),
            (Ok(durable), Kind::Question(raw)) => match &self.line.connection.desk {
                Some(desk) => {
                    let within = self.line.connection.limits.desk_within;
                    let question = Question::put(desk, durable.last(), raw, within);
                    let step = Step::Considered(durable, question);
                    self.flight.push_front(InFlight { ticket, head, kind: Kind::Message, step });
                }
                None => self.accept(ticket, durable, &head, None),
            },
            (Ok(durable), Kind::Answer(response, raw)) => self.answered(ticket, durable, &response, raw),
            (Err(why), Kind::Message | Kind::Question(_)) => self.refuse(ticket, &head, &why),
            // It does not count: the time for an answer runs out, and the message is sent again.
            (Err(why), Kind::Answer(..)) => {
                self.receiver.refuse(ticket, None);
                let what = format!("an answer of the analyser could not be kept, and does not count: {why}");
                self.line.board.refused(&self.line.connection.id, what);
            }
        }
    }

    /// The desk has spoken about the block at the front.
    fn considered(&mut self, reply: Option<Reply>) {
        match self.flight.pop_front() {
            Some(InFlight { ticket, head, step: Step::Considered(durable, _), .. }) => {
                let reply = reply.unwrap_or_default();
                if reply.withdraw {
                    self.sending.withdraw();
                }
                self.accept(ticket, durable, &head, reply.direct.as_deref());
                self.sending.take(reply);
            }
            Some(other) => self.flight.push_front(other),
            None => {}
        }
    }

    fn accept(&mut self, ticket: BlockTicket, durable: Durable, head: &[u8], direct: Option<&[u8]>) {
        let answer = direct.map_or_else(|| self.answerer.kept(head), <[u8]>::to_vec);
        self.receiver.accept(ticket, durable, &answer);
        self.line.board.kept(&self.line.connection.id, 1, 1);
    }

    fn refuse(&mut self, ticket: BlockTicket, head: &[u8], why: &NotKept) {
        let id = &self.line.connection.id;
        tracing::warn!(connection = %id, %why, "message refused; the analyser will send it again");
        let answer = self.answerer.not_kept(head);
        self.receiver.refuse(ticket, Some(&answer));
        self.line.board.refused(id, format!("message refused: {why}"));
    }

    /// An answer is kept. It belongs to the message that it names (MSA-2), or to none.
    fn answered(&mut self, ticket: BlockTicket, durable: Durable, response: &Response, raw: Vec<u8>) {
        let message = durable.last();
        self.receiver.accept(ticket, durable, &[]);
        let id = &self.line.connection.id;
        self.line.board.kept(id, 1, 1);
        match &mut self.out {
            Some(out) if out.asked.control_id == response.to => {
                if out.asked.is_final(response) {
                    self.out = None;
                    self.sending.done(Settled::Answered { answer: raw, message });
                } else {
                    out.until = Instant::now() + self.answer_within;
                }
            }
            Some(_) | None => {
                let what = format!("an answer to {:?} came, and nothing of ours waits for it", response.to);
                self.line.board.irregular(id, Irregularity::Unasked, what);
            }
        }
    }

    /// Writes the next message of our own behind the answers, if none waits for its answer.
    fn send(&mut self, line: &mut Vec<u8>) {
        while let Some(job) = self.sending.begin() {
            let bytes = &job.outgoing.bytes;
            if bytes.is_empty() || bytes.iter().any(|byte| matches!(byte, 0x0B | 0x1C)) {
                self.sending.refused("it is empty or holds a block character".to_owned());
                continue;
            }
            match (job.outgoing.awaits, asked(bytes, self.answerer.characters())) {
                (Awaits::Answer, None) => {
                    self.sending.refused("it has no control id (MSH-10) to be answered by".to_owned());
                }
                (Awaits::Answer, Some(asked)) => {
                    line.extend(mllp::frame(bytes));
                    self.out = Some(Out { asked, until: Instant::now() + self.answer_within });
                    return;
                }
                (Awaits::Link, _) => {
                    line.extend(mllp::frame(bytes));
                    self.sending.done(Settled::Sent);
                }
            }
        }
    }

    /// The time for an answer is over.
    fn unanswered(&mut self) {
        if self.out.take().is_some() {
            self.sending.failed(&format!("no answer within {:?}", self.answer_within));
        }
    }
}

/// When the half transmission under way is kept; at once when there is none.
async fn half_kept(keeping: &mut Keeping) {
    if let Some(half) = keeping {
        half.await;
    }
}

/// When there is something to send that nobody asked for; after a stop nothing is begun.
async fn unasked(sending: &mut Sending<'_>, stop: &CancellationToken) -> Outgoing {
    tokio::select! {
        biased;
        () = stop.cancelled() => pending().await,
        outgoing = sending.unasked() => outgoing,
    }
}

/// When something has happened to the block at the front: it is durable, or known not to be in time; its answer is
/// found.
async fn done(front: Option<&mut InFlight>, slow: &mut Alarm) -> Done {
    let Some(front) = front else { return pending().await };
    match &mut front.step {
        Step::Storing { pending: Ok(durable), until, within } => Done::Stored(tokio::select! {
            biased;
            outcome = durable => outcome.map_err(NotKept::Failed),
            () = slow.rings(Some(*until)) => Err(NotKept::Late(*within)),
        }),
        Step::Storing { pending: Err(why), .. } => Done::Stored(Err(why.clone())),
        Step::Considered(_, question) => Done::Considered(question.answer().await),
    }
}
