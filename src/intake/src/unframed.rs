//! Records on a line without a link: messages from the stream into the ledger. Nothing is acknowledged, for there is
//! nothing to acknowledge with; while something cannot be kept, nothing more is read.

use crate::{
    board::wall_ms,
    desk::{Outgoing, Reply, Settled},
    sending::{Question, Sending},
    store::received,
    transfer::half_block,
    transport::Line,
};
use ledger::{Body, Draft, HowEnded, Seq};
use lis02::{HalfWhy, Unframed, UnframedConfig, UnframedEvent};
use std::{
    collections::VecDeque,
    future::{Future, pending},
    io,
    pin::Pin,
    time::Instant,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// Something to be kept.
struct Keep {
    group: Vec<Draft>,
    /// The message, if it asks for something.
    asks: Option<Vec<u8>>,
}

/// Queries that may wait for their answer; one more is answered as if nothing were known.
const QUESTIONS_MAX: usize = 16;

type Keeping = Option<Pin<Box<dyn Future<Output = (Option<Seq>, Option<Vec<u8>>)> + Send>>>;

struct Driver<'a> {
    line: &'a Line,
    stream: Unframed,
    /// What waits to be kept. While there is anything nothing more is read, so it stays little.
    keeps: VecDeque<Keep>,
    /// What is being written.
    keeping: Keeping,
    questions: VecDeque<(Seq, Vec<u8>)>,
    question: Option<Question>,
    sending: Sending<'a>,
}

/// Drives one socket until it closes or `stop`. Returns why it ended.
pub(crate) async fn serve(
    line: &Line,
    config: UnframedConfig,
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    stop: &CancellationToken,
) -> String {
    let mut driver = Driver {
        line,
        stream: Unframed::new(config),
        keeps: VecDeque::new(),
        keeping: None,
        questions: VecDeque::new(),
        question: None,
        sending: Sending::new(line),
    };
    let ended = driver.run(&mut socket, stop).await;
    let orderly = matches!(&ended, Err(e) if e.kind() == io::ErrorKind::UnexpectedEof);
    driver.stream.handle_disconnect(orderly);
    driver.events();
    if driver.keeping.is_some() {
        kept(&mut driver.keeping).await;
    }
    for keep in std::mem::take(&mut driver.keeps) {
        line.store.settle(keep.group, &line.stop).await;
    }
    driver.sending.close();
    ended.map_or_else(|e| e.to_string(), |()| "stopped".to_owned())
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What woke the driver.
enum Woken {
    Bytes(usize),
    Kept(Option<Seq>, Option<Vec<u8>>),
    Silence,
    Answered(Option<Reply>),
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
        loop {
            if self.keeps.is_empty()
                && let Some(bytes) = buffer.get(unread.clone()).filter(|bytes| !bytes.is_empty())
            {
                unread.start += self.stream.handle_input(bytes, now());
            }
            self.events();
            self.keep_next();
            self.send(socket).await?;
            let idle = self.keeping.is_none();
            if idle && !unread.is_empty() {
                continue;
            }
            let woken = {
                let room = unread.is_empty() && idle && !stop.is_cancelled();
                let deadline = self.stream.poll_timeout();
                let silence = async {
                    match deadline {
                        Some(at) => tokio::time::sleep_until(at.into()).await,
                        None => pending().await,
                    }
                };
                let stopped = async { if idle { stop.cancelled().await } else { pending().await } };
                tokio::select! {
                    biased;
                    (first, asks) = kept(&mut self.keeping), if !idle => Woken::Kept(first, asks),
                    () = stopped => Woken::Stop,
                    reply = answer(&mut self.question) => Woken::Answered(reply),
                    read = socket.read(&mut buffer), if room => Woken::Bytes(read?),
                    () = silence, if unread.is_empty() => Woken::Silence,
                    outgoing = self.sending.unasked() => Woken::Unasked(outgoing),
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
                Woken::Kept(first, asks) => self.kept(first, asks),
                Woken::Silence => self.stream.handle_timeout(now()),
                Woken::Answered(reply) => self.answered(reply),
                Woken::Unasked(outgoing) => self.sending.push(outgoing),
            }
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.stream.poll_event() {
            match event {
                UnframedEvent::Message(bytes) => {
                    let asks = self.sending.asked(&bytes).is_some().then(|| bytes.clone());
                    let group = vec![received(&self.line.connection, Body::Whole(bytes.into()))];
                    self.keeps.push_back(Keep { group, asks });
                    self.line.board.note(&self.line.connection.id, |s| {
                        s.messages_total += 1;
                        s.last_message_ms = wall_ms();
                    });
                }
                UnframedEvent::Half { bytes, why } => self.half(bytes, why),
                UnframedEvent::Skipped { bytes } => {
                    let what = format!("{bytes} bytes more of a message that is too long were not kept");
                    self.line.board.anomaly(&self.line.connection.id, what);
                }
            }
        }
    }

    /// What is no whole message: kept, never parsed.
    fn half(&mut self, bytes: Vec<u8>, why: HalfWhy) {
        let connection = &self.line.connection;
        let how = match why {
            HalfWhy::Silence => HowEnded::Timeout,
            HalfWhy::Closed => HowEnded::Disconnected,
            HalfWhy::NextHeader => HowEnded::Restarted,
            HalfWhy::Headless | HalfWhy::TooLong => HowEnded::Abandoned,
        };
        tracing::warn!(connection = %connection.id, %why, "half transmission kept; it is not parsed");
        let what = format!("a message without a link is not whole: {why}");
        self.line.board.note(&connection.id, |s| s.cut_total += 1);
        self.line.board.anomaly(&connection.id, what.clone());
        self.keeps.push_back(Keep { group: half_block(connection, what, bytes, how), asks: None });
    }

    fn keep_next(&mut self) {
        if self.keeping.is_none()
            && let Some(Keep { group, asks }) = self.keeps.pop_front()
        {
            let (store, stop) = (self.line.store.clone(), self.line.stop.clone());
            self.keeping = Some(Box::pin(async move { (store.settle(group, &stop).await, asks) }));
        }
    }

    /// Something is kept, or never will be because hemogate stops.
    fn kept(&mut self, first: Option<Seq>, asks: Option<Vec<u8>>) {
        self.keeping = None;
        let Some(message) = first else { return };
        self.line.board.note(&self.line.connection.id, |s| s.accepted_total += 1);
        let Some((raw, desk)) =
            asks.and_then(|raw| self.sending.asked(&raw).cloned().map(|desk| (raw, desk)))
        else {
            return;
        };
        if self.questions.len() < QUESTIONS_MAX {
            self.questions.push_back((message, raw));
            self.next_question();
        } else {
            let reply = desk.overdue(message, &raw);
            self.reply(reply);
        }
    }

    fn next_question(&mut self) {
        if self.question.is_none()
            && let Some((message, raw)) = self.questions.pop_front()
            && let Some(desk) = &self.line.connection.desk
        {
            let within = self.line.connection.limits.desk_within;
            self.question = Some(Question::put(desk, message, raw, within));
        }
    }

    fn answered(&mut self, reply: Option<Reply>) {
        self.question = None;
        self.reply(reply);
        self.next_question();
    }

    fn reply(&mut self, reply: Option<Reply>) {
        let Some(reply) = reply else { return };
        if reply.withdraw {
            self.sending.withdraw();
        }
        self.sending.take(reply);
    }

    /// Writes what waits, between the peer's messages. That it was written is all that can be known.
    async fn send(&mut self, socket: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        while self.stream.poll_timeout().is_none()
            && let Some(job) = self.sending.begin()
        {
            socket.write_all(&job.outgoing.bytes).await?;
            self.sending.done(Settled::Sent);
        }
        Ok(())
    }
}

/// When what is being written is kept; never when nothing is.
async fn kept(keeping: &mut Keeping) -> (Option<Seq>, Option<Vec<u8>>) {
    match keeping {
        Some(keep) => keep.await,
        None => pending().await,
    }
}

/// When the answer to a query is known; never while nothing is asked.
async fn answer(question: &mut Option<Question>) -> Option<Reply> {
    match question {
        Some(question) => question.answer().await,
        None => pending().await,
    }
}
