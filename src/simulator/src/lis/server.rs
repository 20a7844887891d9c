//! The LIS on the line.

use super::Shared;
use super::inbox::Taken;
use super::script::Misbehaviour;
use hl7v2::{AckSettings, Answer, Index, Message, Template, acknowledge};
use mllp::{BlockTicket, Config, Event, Receiver, frame};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const READ_BYTES: usize = 16 * 1024;
/// More connections than this wait in the system's queue.
const CONNECTIONS_MAX: usize = 64;

pub(super) async fn serve(shared: &Arc<Shared>, listener: TcpListener, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection of the LIS ended badly");
                }
            }
            taken = listener.accept(), if connections.len() < CONNECTIONS_MAX => match taken {
                Ok((stream, _)) if !shared.is_down() => {
                    let connection = Connection { shared: Arc::clone(shared), stream };
                    connections.spawn(connection.run(stop.clone()));
                }
                Ok(_) => tracing::debug!("the LIS is down: connection closed"),
                Err(error) => tracing::warn!(%error, "the LIS could not take a connection"),
            },
        }
    }
    connections.shutdown().await;
}

impl Shared {
    fn is_down(&self) -> bool {
        self.down_until.borrow().is_some_and(|until| Instant::now() < until)
    }
}

struct Connection {
    shared: Arc<Shared>,
    stream: TcpStream,
}

/// What a message is answered with.
enum Reply {
    Answer(Vec<u8>),
    Twice(Vec<u8>),
    HalfAndClose(Vec<u8>),
    Nothing,
    Close,
}

impl Connection {
    async fn run(mut self, stop: CancellationToken) {
        let mut down = self.shared.down_until.subscribe();
        tokio::select! {
            () = stop.cancelled() => {}
            // The sender lives as long as we do: this ends only when the LIS goes down.
            _ = down.changed() => {}
            ended = self.converse() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection to the LIS ended");
                }
            }
        }
    }

    async fn converse(&mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let mut receiver: Receiver<()> = Receiver::new(Config::default());
        let mut index = Index::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let bytes = self.stream.read(&mut buffer).await?;
            if bytes == 0 {
                return Ok(());
            }
            let mut rest = buffer.get(..bytes).unwrap_or_default();
            while !rest.is_empty() {
                let taken = receiver.handle_input(rest);
                rest = rest.get(taken..).unwrap_or_default();
                while let Some(event) = receiver.poll_event() {
                    if !self.handle(&mut receiver, &mut index, event).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Answers one event; false when the connection is to be closed.
    async fn handle(
        &mut self,
        receiver: &mut Receiver<()>,
        index: &mut Index,
        event: Event,
    ) -> io::Result<bool> {
        let (bytes, ticket) = match event {
            Event::Block(block) => (block.bytes, block.ticket),
            Event::Oversize(block) => (block.kept, block.ticket),
            Event::Commit(_) | Event::Anomaly(_) => return Ok(true),
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let reply = self.reply(index, &text).await;
        self.say(receiver, ticket, reply).await
    }

    async fn reply(&self, index: &mut Index, text: &str) -> Reply {
        let nth = self.shared.with_inbox(super::Inbox::arrived);
        let act = self.shared.script.act(nth);
        let message = index.read(text);
        let refuse = |answer, why: &str| {
            self.shared.with_inbox(super::Inbox::refused);
            Reply::Answer(answer_to(&message, nth, answer, why))
        };
        match act {
            Some(Misbehaviour::Down(time)) => {
                self.shared.down_until.send_replace(Some(Instant::now() + time));
                return Reply::Close;
            }
            Some(Misbehaviour::Error) => return refuse(Answer::ErrorAE, "the script says AE"),
            Some(Misbehaviour::Reject) => return refuse(Answer::RejectAR, "the script says AR"),
            Some(Misbehaviour::Slow(time)) => tokio::time::sleep(time).await,
            Some(
                Misbehaviour::Silent
                | Misbehaviour::Twice
                | Misbehaviour::WrongId
                | Misbehaviour::CloseMidAnswer,
            )
            | None => {}
        }
        let (answer, why) = match self.shared.with_inbox(|inbox| inbox.take(&message)) {
            Taken::Held => (Answer::AcceptAA, ""),
            Taken::Unreadable => {
                (Answer::ErrorAE, "not an ORU^R01 with a control id and a donation in OBR-3")
            }
            Taken::Full => (Answer::RejectAR, "no room"),
        };
        let said = answer_to(&message, nth, answer, why);
        match act {
            Some(Misbehaviour::Silent) => Reply::Nothing,
            Some(Misbehaviour::Twice) => Reply::Twice(said),
            Some(Misbehaviour::WrongId) => Reply::Answer(of_another(&message, &said)),
            Some(Misbehaviour::CloseMidAnswer) => Reply::HalfAndClose(said),
            Some(
                Misbehaviour::Down(_) | Misbehaviour::Slow(_) | Misbehaviour::Error | Misbehaviour::Reject,
            )
            | None => Reply::Answer(said),
        }
    }
}

impl Connection {
    /// Lets the reply leave; false when the connection is to be closed.
    async fn say(
        &mut self,
        receiver: &mut Receiver<()>,
        ticket: BlockTicket,
        reply: Reply,
    ) -> io::Result<bool> {
        let (answer, more) = match reply {
            Reply::Answer(answer) => (answer, Vec::new()),
            Reply::Twice(answer) => {
                let second = frame(&answer);
                (answer, second)
            }
            Reply::HalfAndClose(answer) => {
                let whole = frame(&answer);
                let (half, _) = whole.split_at(whole.len() / 2);
                self.stream.write_all(half).await?;
                return Ok(false);
            }
            Reply::Nothing => (Vec::new(), Vec::new()),
            Reply::Close => return Ok(false),
        };
        receiver.accept(ticket, (), &answer);
        while let Some(mut bytes) = receiver.poll_transmit() {
            bytes.extend_from_slice(&more);
            self.stream.write_all(&bytes).await?;
        }
        Ok(true)
    }
}

fn answer_to(message: &Message<'_>, nth: u32, answer: Answer, why: &str) -> Vec<u8> {
    let now = jiff::Timestamp::now().strftime("%Y%m%d%H%M%S+0000").to_string();
    let control_id = format!("ACK{nth:07}");
    let settings = AckSettings { template: &Template::Standard, now: &now, control_id: &control_id };
    acknowledge(message, &settings, answer, why, None).into_bytes()
}

/// The answer with another message's id in MSA-2.
fn of_another(message: &Message<'_>, answer: &[u8]) -> Vec<u8> {
    let id = message.header().map(|header| header.control_id().to_owned()).unwrap_or_default();
    let text = String::from_utf8_lossy(answer);
    let (before, after) = text.rsplit_once(&id).unwrap_or((&text, ""));
    format!("{before}{id}-OTHER{after}").into_bytes()
}
