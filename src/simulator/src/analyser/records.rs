//! LIS02 messages over LIS01, in the instrument's role.

use super::courier::{DeliverError, MakeWire, Wire};
use super::dial::{Dial, Stream};
use super::line::{Chunk, Line, LineError};
use crate::fault::Trouble;
use crate::model::Outgoing;
use lis01::{Config, Event, Link, Role, SendId, Timers};
use tokio::time::Instant;

const STX: u8 = 0x02;
const READ_BYTES: usize = 4096;

/// Connects, and puts a fresh link on every connection.
pub(crate) struct RecordsMaker<D> {
    dial: D,
    timers: Timers,
}

impl<D: Dial> RecordsMaker<D> {
    pub(crate) fn new(dial: D, timers: Timers) -> Self {
        Self { dial, timers }
    }
}

impl<D: Dial> MakeWire for RecordsMaker<D> {
    type Wire = Records<D::Stream>;

    async fn make(&mut self) -> Result<Self::Wire, DeliverError> {
        let stream = self.dial.dial().await.map_err(LineError::Io)?;
        let config = Config { role: Role::Instrument, timers: self.timers.clone(), ..Config::default() };
        let frame_text = config.send_text_bytes_max;
        Ok(Records { line: Line::new(stream), link: Link::new(config), frame_text })
    }
}

/// One connection.
pub(crate) struct Records<S> {
    line: Line<S>,
    /// What the peer sends unasked is accepted without proof: nothing here is worth keeping.
    link: Link<()>,
    frame_text: usize,
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
        let sent = self.link.send(records, Instant::now().into_std());
        let id = sent.map_err(|refused| DeliverError::Unsendable(refused.to_string()))?;
        let mut done = false;
        let mut buffer = vec![0; READ_BYTES];
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
            done = self.heard(id)?;
            if !done {
                self.listen(&mut buffer).await?;
                done = self.heard(id)?;
            }
        }
    }

    async fn finish(&mut self) -> Result<(), DeliverError> {
        Ok(self.line.write(&[], Chunk::Other).await?)
    }
}

impl<S: Stream> Records<S> {
    /// What the link has to tell: whether the transfer is through.
    fn heard(&mut self, id: SendId) -> Result<bool, DeliverError> {
        let mut done = false;
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Sent(sent) => done |= sent == id,
                Event::SendFailed { id: failed, why, .. } if failed == id => {
                    return Err(DeliverError::Refused(why.to_string()));
                }
                Event::HangUp(why) => return Err(DeliverError::Refused(why.to_string())),
                Event::Frame(frame) => self.link.accept(frame.ticket, (), Instant::now().into_std()),
                Event::SendFailed { .. }
                | Event::TransferStarted
                | Event::Repeated { .. }
                | Event::TransferEnded(_)
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
        let now = Instant::now().into_std();
        match read.and_then(|bytes| buffer.get(..bytes)) {
            // What a full link does not take is dropped: it answers nothing that we wait for.
            Some(bytes) => {
                let taken = self.link.handle_input(bytes, now);
                tracing::trace!(taken, of = bytes.len(), "read");
            }
            None => self.link.handle_timeout(now),
        }
        Ok(())
    }
}
