//! HL7 messages over MLLP. Delivered is what was answered AA or CA under its own control id (MSA-2).

use super::courier::{DeliverError, MakeWire, Wire};
use super::dial::{Dial, Stream};
use super::line::{Chunk, Line, LineError};
use crate::fault::{FaultKind, Trouble};
use crate::model::Outgoing;
use hl7v2::{Acknowledgement, Index};
use mllp::{Config, SendId, Sender, SenderEvent};
use std::time::Duration;
use tokio::time::Instant;

const READ_BYTES: usize = 4096;

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
        Ok(Blocks { line: Line::new(stream), sender: Sender::new(config) })
    }
}

/// One connection.
pub(crate) struct Blocks<S> {
    line: Line<S>,
    sender: Sender,
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

    async fn finish(&mut self) -> Result<(), DeliverError> {
        Ok(())
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
                            return answer;
                        }
                    }
                    SenderEvent::TimedOut { id: late } if late == id => {
                        // A late answer must not meet a later message: the connection is given up.
                        return Err(LineError::Unanswered.into());
                    }
                    SenderEvent::TimedOut { .. }
                    | SenderEvent::Disconnected { .. }
                    | SenderEvent::Unasked { .. }
                    | SenderEvent::Commit { .. }
                    | SenderEvent::Oversize { .. }
                    | SenderEvent::Anomaly(_) => {}
                }
            }
            self.listen(&mut buffer).await?;
        }
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

/// What an answer says about the message with `control_id`; nothing when it is another message's.
fn judge(answer: &[u8], control_id: &str) -> Option<Result<(), DeliverError>> {
    let text = String::from_utf8_lossy(answer);
    let mut index = Index::new();
    let said = Acknowledgement::read(&index.read(&text)).ok().filter(|said| said.control_id == control_id)?;
    let no = || DeliverError::Refused(format!("answered {}: {}", said.answer.code(), said.text));
    Some(if said.answer.is_accept() { Ok(()) } else { Err(no()) })
}
