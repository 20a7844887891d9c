//! Records on a line without a link: messages from the stream into the ledger. Nothing is acknowledged, for there is
//! nothing to acknowledge with; while something cannot be kept, nothing more is read.

use crate::{
    alarm::{Alarm, now},
    desk::{Outgoing, Reply, Settled},
    irregular::Irregularity,
    sending::{Questions, Sending},
    store::received,
    transport::{Line, say},
};
use ledger::{Body, Draft, HowEnded, Seq};
use lis02::{HalfWhy, Unframed, UnframedConfig, UnframedEvent};
use std::{
    collections::VecDeque,
    future::{Future, pending},
    io,
    pin::Pin,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Something to be kept.
struct Keep {
    group: Vec<Draft>,
    kind: Kind,
}

/// What it is.
enum Kind {
    /// A message; its bytes, if it asks for something.
    Message { asks: Option<Vec<u8>> },
    /// What is no whole message.
    Half,
}

type Keeping = Option<Pin<Box<dyn Future<Output = (Option<Seq>, Kind)> + Send>>>;

struct Driver<'a> {
    line: &'a Line,
    stream: Unframed,
    /// What waits to be kept. While there is anything nothing more is read, so it stays little.
    keeps: VecDeque<Keep>,
    /// What is being written.
    keeping: Keeping,
    questions: Questions<'a>,
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
        questions: Questions::new(line),
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
        settled(line.clone(), keep).await;
    }
    driver.sending.close();
    ended.map_or_else(|e| e.to_string(), |()| "stopped".to_owned())
}

/// What woke the driver.
enum Woken {
    Bytes(usize),
    Kept(Option<Seq>, Kind),
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
        let mut silence = Alarm::new();
        loop {
            if self.keeps.is_empty()
                && self.keeping.is_none()
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
                let deadline = self.stream.poll_timeout().map(Into::into);
                let stopped = async { if idle { stop.cancelled().await } else { pending().await } };
                tokio::select! {
                    biased;
                    (first, kind) = kept(&mut self.keeping), if !idle => Woken::Kept(first, kind),
                    () = stopped => Woken::Stop,
                    reply = self.questions.answer() => Woken::Answered(reply),
                    read = socket.read(&mut buffer), if room => Woken::Bytes(read?),
                    () = silence.rings(deadline), if unread.is_empty() && idle => Woken::Silence,
                    outgoing = self.sending.unasked() => Woken::Unasked(outgoing),
                }
            };
            match woken {
                Woken::Stop => return Ok(()),
                Woken::Bytes(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Woken::Bytes(count) => {
                    unread = 0..count;
                    self.line.heard(count);
                }
                Woken::Kept(first, kind) => self.kept(first, kind),
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
                    self.keeps.push_back(Keep { group, kind: Kind::Message { asks } });
                }
                UnframedEvent::Half { bytes, why } => self.half(bytes, why),
                UnframedEvent::Skipped { bytes } => {
                    let what = format!("{bytes} bytes more of a message that is too long were not kept");
                    self.line.irregular(Irregularity::Oversize, what);
                }
            }
        }
    }

    /// What is no whole message: kept, never parsed.
    fn half(&mut self, bytes: Vec<u8>, why: HalfWhy) {
        let (kind, how) = match why {
            HalfWhy::Silence => (Irregularity::BrokenOff, HowEnded::Timeout),
            HalfWhy::Closed => (Irregularity::BrokenOff, HowEnded::Disconnected),
            HalfWhy::NextHeader => (Irregularity::BrokenOff, HowEnded::Restarted),
            HalfWhy::Headless => (Irregularity::Damaged, HowEnded::Abandoned),
            HalfWhy::TooLong => (Irregularity::Oversize, HowEnded::Abandoned),
        };
        let what = format!("a message without a link is not whole: {why}");
        let group = self.line.half(kind, what, bytes, how);
        self.keeps.push_back(Keep { group, kind: Kind::Half });
    }

    fn keep_next(&mut self) {
        if self.keeping.is_none()
            && let Some(keep) = self.keeps.pop_front()
        {
            self.keeping = Some(Box::pin(settled(self.line.clone(), keep)));
        }
    }

    /// Something is kept, or never will be because hemogate stops.
    fn kept(&mut self, first: Option<Seq>, kind: Kind) {
        self.keeping = None;
        // Nothing was read meanwhile, and that is no silence of the peer's.
        self.stream.handle_resume(now());
        let (Some(message), Kind::Message { asks }) = (first, kind) else { return };
        if let Some(raw) = asks {
            let overdue = self.questions.put(message, &raw);
            self.reply(overdue);
            self.questions.next();
        }
    }

    fn answered(&mut self, reply: Option<Reply>) {
        self.reply(reply);
        self.questions.next();
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
            say(socket, &job.outgoing.bytes).await?;
            self.sending.done(Settled::Sent);
        }
        Ok(())
    }
}

/// Keeps something; the place of its first entry, or none when hemogate stops before.
async fn settled(line: Line, Keep { group, kind }: Keep) -> (Option<Seq>, Kind) {
    let first = line.store.settle(group, &line.stop).await;
    if let (Some(_), Kind::Message { .. }) = (first, &kind) {
        line.board.kept(&line.connection.id, 1, 1);
    }
    (first, kind)
}

/// When what is being written is kept; never when nothing is.
async fn kept(keeping: &mut Keeping) -> (Option<Seq>, Kind) {
    match keeping {
        Some(keep) => keep.await,
        None => pending().await,
    }
}
