//! LIS02 messages over LIS01, in the instrument's role.

use super::Listen;
use super::courier::{DeliverError, MakeWire, Wire};
use super::dial::{Dial, Stream};
use super::line::{Chunk, Line, LineError};
use crate::fault::{FaultKind, Trouble};
use crate::model::Outgoing;
use lis01::{Config, Ending, Event, Link, Phase, Role, SendId};
use std::time::Duration;
use tokio::time::Instant;

const STX: u8 = 0x02;
const ENQ: u8 = 0x05;
/// So long the other side is given to enquire, where both are to want the line.
const BID_WITHIN: Duration = Duration::from_secs(30);
const READ_BYTES: usize = 4096;
/// What more the host sends is acknowledged, and not kept.
const RECEIVED_MAX: usize = 10_000;

/// Connects, and puts a fresh link on every connection.
pub(crate) struct RecordsMaker<D> {
    dial: D,
    config: Config,
}

impl<D: Dial> RecordsMaker<D> {
    /// `config`: how the other side wants its frames; the role is the instrument's.
    pub(crate) fn new(dial: D, config: Config) -> Self {
        Self { dial, config: Config { role: Role::Instrument, ..config } }
    }
}

impl<D: Dial> MakeWire for RecordsMaker<D> {
    type Wire = Records<D::Stream>;

    async fn make(&mut self) -> Result<Self::Wire, DeliverError> {
        let stream = self.dial.dial().await.map_err(LineError::Io)?;
        let frame_text = self.config.send_text_bytes_max;
        Ok(Records {
            line: Line::new(stream),
            link: Link::new(self.config.clone()),
            frame_text,
            open: Vec::new(),
            received: Vec::new(),
        })
    }
}

/// One connection.
pub(crate) struct Records<S> {
    line: Line<S>,
    /// What the peer sends is accepted without proof: nothing here has to outlive the process.
    link: Link<()>,
    frame_text: usize,
    /// The host's transfer that is coming in, and those that came whole.
    open: Vec<u8>,
    received: Vec<Vec<u8>>,
}

/// Where a transfer's frames are, so that a fault finds its victim: the middle one.
struct Frames {
    victim: usize,
    sent: usize,
    last: Vec<u8>,
}

impl Frames {
    fn chunk(&mut self, block: &[u8]) -> Chunk {
        let is_frame = block.first() == Some(&STX);
        if is_frame && self.last == block {
            return Chunk::Other;
        }
        if is_frame {
            self.sent += 1;
            self.last = block.to_vec();
        }
        match self.sent.checked_sub(1) {
            Some(nth) if nth == self.victim && is_frame => Chunk::Victim,
            Some(nth) if nth >= self.victim => Chunk::AfterVictim,
            _ => Chunk::Other,
        }
    }
}

impl<S: Stream> Wire for Records<S> {
    async fn deliver(
        &mut self,
        parcel: &[Outgoing],
        trouble: Trouble,
        merge_next: bool,
    ) -> Result<(), DeliverError> {
        let records: Vec<Vec<u8>> = parcel
            .iter()
            .flat_map(|m| m.bytes.split_inclusive(|b| *b == b'\r'))
            .map(<[u8]>::to_vec)
            .collect();
        let count: usize = records.iter().map(|r| r.len().div_ceil(self.frame_text.max(1))).sum();
        let mut frames = Frames { victim: count / 2, sent: 0, last: Vec::new() };
        self.line.expect(trouble);
        let mut buffer = vec![0; READ_BYTES];
        if self.line.takes(FaultKind::Interrupt) {
            self.interrupt(&mut buffer).await?;
        }
        let mut bid =
            if self.line.takes(FaultKind::Contention) { self.bid(&mut buffer).await? } else { Vec::new() };
        let sent = self.link.send(records, Instant::now().into_std());
        let id = sent.map_err(|refused| DeliverError::Unsendable(refused.to_string()))?;
        let mut done = false;
        loop {
            while let Some(block) = self.link.poll_transmit() {
                let is_end = done && merge_next;
                if is_end {
                    self.line.keep_back(&block);
                } else {
                    self.line.write(&block, frames.chunk(&block)).await?;
                }
            }
            if done {
                return Ok(());
            }
            if !bid.is_empty() {
                // Both enquiries are out: now we see theirs.
                self.hears(&std::mem::take(&mut bid));
            }
            done = self.heard(Some(id))?;
            if !done {
                self.listen(&mut buffer).await?;
                done = self.heard(Some(id))?;
            }
        }
    }

    async fn finish(&mut self, listen: Listen) -> Result<(), DeliverError> {
        self.line.write(&[], Chunk::Other).await?;
        let until = Instant::now() + listen.within;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            self.heard(None)?;
            while let Some(block) = self.link.poll_transmit() {
                self.line.write(&block, Chunk::Other).await?;
            }
            if self.link.phase() == Phase::Receiving && !listen.within.is_zero() {
                // It is heard out; the link ends it when nothing more comes.
                self.listen(&mut buffer).await?;
                continue;
            }
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

impl<S: Stream> Records<S> {
    /// Waits until the other side enquires, for a while: what it sent from its enquiry on.
    async fn bid(&mut self, buffer: &mut [u8]) -> Result<Vec<u8>, DeliverError> {
        // The end of the transfer before this one cannot wait so long.
        self.line.write(&[], Chunk::Other).await?;
        let wait = async {
            loop {
                let bytes = self.line.read(buffer).await?;
                let read = buffer.get(..bytes).unwrap_or_default();
                if let Some(at) = read.iter().position(|byte| *byte == ENQ) {
                    return Ok(read.get(at..).unwrap_or_default().to_vec());
                }
            }
        };
        tokio::time::timeout(BID_WITHIN, wait).await.unwrap_or(Ok(Vec::new()))
    }

    /// Waits for a transfer of the other side's, and asks for the line with each of its frames until it ends.
    async fn interrupt(&mut self, buffer: &mut [u8]) -> Result<(), DeliverError> {
        let bid = self.bid(buffer).await?;
        let mut under_way = !bid.is_empty();
        self.hears(&bid);
        while under_way {
            while let Some(event) = self.link.poll_event() {
                match event {
                    Event::TransferStarted => self.open.clear(),
                    Event::Frame(frame) => {
                        self.link.request_interrupt();
                        self.open.extend_from_slice(&frame.text);
                        self.link.accept(frame.ticket, (), Instant::now().into_std());
                    }
                    Event::TransferEnded(ending) => {
                        self.ended(ending);
                        under_way = false;
                    }
                    Event::HangUp(why) => return Err(DeliverError::Refused(why.to_string())),
                    Event::Sent(_)
                    | Event::SendFailed { .. }
                    | Event::Repeated { .. }
                    | Event::InterruptRequested { .. }
                    | Event::Contention
                    | Event::Anomaly(_) => {}
                }
            }
            while let Some(block) = self.link.poll_transmit() {
                self.line.write(&block, Chunk::Other).await?;
            }
            if under_way {
                self.listen(buffer).await?;
            }
        }
        Ok(())
    }

    /// The host's transfer is over; after an interrupt request of ours its end tells nothing, so its records do.
    fn ended(&mut self, ending: Ending) {
        let whole = matches!(ending, Ending::Eot | Ending::Abandoned) && self.open.ends_with(b"\r");
        let text = std::mem::take(&mut self.open);
        if whole && self.received.len() < RECEIVED_MAX {
            self.received.push(text);
        }
    }

    /// What the link has to tell: whether the transfer is through.
    fn heard(&mut self, id: Option<SendId>) -> Result<bool, DeliverError> {
        let mut done = false;
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Sent(sent) => done |= Some(sent) == id,
                Event::SendFailed { id: failed, why, .. } if Some(failed) == id => {
                    return Err(DeliverError::Refused(why.to_string()));
                }
                Event::HangUp(why) => return Err(DeliverError::Refused(why.to_string())),
                Event::TransferStarted => self.open.clear(),
                Event::Frame(frame) => {
                    self.open.extend_from_slice(&frame.text);
                    self.link.accept(frame.ticket, (), Instant::now().into_std());
                }
                Event::TransferEnded(ending) => self.ended(ending),
                Event::SendFailed { .. }
                | Event::Repeated { .. }
                | Event::InterruptRequested { .. }
                | Event::Contention
                | Event::Anomaly(_) => {}
            }
        }
        Ok(done)
    }

    /// Waits for bytes or the next deadline.
    async fn listen(&mut self, buffer: &mut [u8]) -> Result<(), DeliverError> {
        let deadline = self.link.poll_timeout().map(Instant::from_std);
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
            Some(bytes) => self.hears(bytes),
            None => self.link.handle_timeout(Instant::now().into_std()),
        }
        Ok(())
    }

    /// What a full link does not take is dropped: it answers nothing that we wait for.
    fn hears(&mut self, bytes: &[u8]) {
        let taken = self.link.handle_input(bytes, Instant::now().into_std());
        tracing::trace!(taken, of = bytes.len(), "read");
    }
}
