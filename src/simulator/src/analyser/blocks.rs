//! HL7 messages over MLLP. Delivered is what was answered AA or CA under its own control id (MSA-2).

use super::Listen;
use super::courier::{DeliverError, MakeWire, Wire};
use super::dial::{Dial, Stream};
use super::line::{Chunk, Line, LineError};
use crate::fault::{FaultKind, Trouble};
use crate::model::Outgoing;
use hl7v2::{AckSettings, Acknowledgement, Answer, Index, Template, acknowledge};
use mllp::{Config, SendId, Sender, SenderEvent};
use std::time::Duration;
use tokio::time::Instant;

const READ_BYTES: usize = 4096;
/// What more the host sends is not kept, and not acknowledged.
const RECEIVED_MAX: usize = 10_000;

/// Connects.
pub(crate) struct BlocksMaker<D> {
    dial: D,
    answer_timeout: Duration,
}

impl<D: Dial> BlocksMaker<D> {
    pub(crate) fn new(dial: D, answer_timeout: Duration) -> Self {
        Self { dial, answer_timeout }
    }
}

impl<D: Dial> MakeWire for BlocksMaker<D> {
    type Wire = Blocks<D::Stream>;

    async fn make(&mut self) -> Result<Self::Wire, DeliverError> {
        let stream = self.dial.dial().await.map_err(LineError::Io)?;
        let config = Config { answer_timeout: self.answer_timeout, ..Config::default() };
        Ok(Blocks {
            line: Line::new(stream),
            sender: Sender::new(config),
            answers: Vec::new(),
            received: Vec::new(),
        })
    }
}

/// One connection.
pub(crate) struct Blocks<S> {
    line: Line<S>,
    sender: Sender,
    /// Acknowledgements of the host's own messages, that have not left yet.
    answers: Vec<u8>,
    received: Vec<Vec<u8>>,
}

impl<S: Stream> Wire for Blocks<S> {
    async fn deliver(
        &mut self,
        parcel: &[Outgoing],
        trouble: Trouble,
        _merge_next: bool,
    ) -> Result<(), DeliverError> {
        for message in parcel {
            self.deliver_one(&message.bytes, trouble.clone()).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, listen: Listen) -> Result<(), DeliverError> {
        let until = Instant::now() + listen.within;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            while let Some(event) = self.sender.poll_event() {
                if let SenderEvent::Unasked { bytes } = event {
                    self.receive(bytes);
                }
            }
            self.acknowledge().await?;
            if listen.has_heard(self.received.len()) {
                return Ok(());
            }
            match tokio::time::timeout_at(until, self.listen(&mut buffer)).await {
                Ok(listened) => listened?,
                Err(_) => return Ok(()),
            }
        }
    }

    fn take_received(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.received)
    }
}

impl<S: Stream> Blocks<S> {
    async fn deliver_one(&mut self, bytes: &[u8], trouble: Trouble) -> Result<(), DeliverError> {
        let merge = trouble.has(FaultKind::Merge);
        self.line.expect(trouble);
        let sent = self.sender.send(bytes, Instant::now().into_std());
        let id = sent.map_err(|refused| DeliverError::Unsendable(refused.to_string()))?;
        while let Some(mut block) = self.sender.poll_transmit() {
            if merge {
                block.extend(block.clone());
            }
            self.line.write(&block, Chunk::Victim).await?;
            self.line.write(&[], Chunk::AfterVictim).await?;
        }
        let answered = self.answer(id, &control_id(bytes)).await;
        self.sender.settle(id);
        answered
    }

    /// Waits for the answer to the message with `control_id`. Answers to others, late ones, are passed over.
    async fn answer(&mut self, id: SendId, control_id: &str) -> Result<(), DeliverError> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            while let Some(event) = self.sender.poll_event() {
                match event {
                    SenderEvent::Answer { bytes, .. } => {
                        if let Some(answer) = judge(&bytes, control_id) {
                            if says_more(&bytes) {
                                self.received.push(bytes);
                            }
                            return answer;
                        }
                        self.receive(bytes);
                    }
                    SenderEvent::Unasked { bytes } => self.receive(bytes),
                    SenderEvent::TimedOut { id: late } if late == id => {
                        // A late answer must not meet a later message: the connection is given up.
                        return Err(LineError::Unanswered.into());
                    }
                    SenderEvent::TimedOut { .. }
                    | SenderEvent::Disconnected { .. }
                    | SenderEvent::Commit { .. }
                    | SenderEvent::Oversize { .. }
                    | SenderEvent::Anomaly(_) => {}
                }
            }
            self.acknowledge().await?;
            self.listen(&mut buffer).await?;
        }
    }

    /// A message of the host's own is kept and will be acknowledged; a late answer is passed over.
    fn receive(&mut self, bytes: Vec<u8>) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut index = Index::new();
        let message = index.read(&text);
        let answers = message.first("MSA").is_some();
        if message.header().is_none() || answers || self.received.len() >= RECEIVED_MAX {
            return;
        }
        let settings = AckSettings { template: &Template::Standard, now: "", control_id: "1" };
        let answer = acknowledge(&message, &settings, Answer::AcceptAA, "", None);
        self.answers.extend(mllp::frame(answer.as_bytes()));
        self.received.push(bytes);
    }

    async fn acknowledge(&mut self) -> Result<(), DeliverError> {
        let answers = std::mem::take(&mut self.answers);
        Ok(self.line.write(&answers, Chunk::Other).await?)
    }

    async fn listen(&mut self, buffer: &mut [u8]) -> Result<(), DeliverError> {
        let deadline = self.sender.poll_timeout().map(Instant::from_std);
        let until = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let read = tokio::select! {
            biased;
            read = self.line.read(buffer) => Some(read?),
            () = until => None,
        };
        match read.and_then(|bytes| buffer.get(..bytes)) {
            // What a full machine does not take is dropped: it can only be answers to nothing.
            Some(bytes) => {
                let taken = self.sender.handle_input(bytes);
                tracing::trace!(taken, of = bytes.len(), "read");
            }
            None => self.sender.handle_timeout(Instant::now().into_std()),
        }
        Ok(())
    }
}

/// MSH-10.
fn control_id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let mut index = Index::new();
    let id = index.read(&text).header().map(|header| header.control_id().to_owned());
    id.unwrap_or_default()
}

/// Whether an answer is more than an acknowledgement: a response to a question.
fn says_more(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let mut index = Index::new();
    index.read(&text).header().is_some_and(|header| header.message_code() != "ACK")
}

/// What an answer says about the message with `control_id`; nothing when it is another message's.
fn judge(answer: &[u8], control_id: &str) -> Option<Result<(), DeliverError>> {
    let text = String::from_utf8_lossy(answer);
    let mut index = Index::new();
    let said = Acknowledgement::read(&index.read(&text)).ok().filter(|said| said.control_id == control_id)?;
    let no = || DeliverError::Refused(format!("answered {}: {}", said.answer.code(), said.text));
    Some(if said.answer.is_accept() { Ok(()) } else { Err(no()) })
}
