//! Sessions of the PK block protocol. Blocks are not answered, so delivered is what has left.

use super::Listen;
use super::courier::{DeliverError, MakeWire, Wire};
use super::dial::{Dial, Stream};
use super::line::{Chunk, Line, LineError};
use crate::fault::Trouble;
use crate::model::Outgoing;
use pk_blocks::{Config, Sender, SenderEvent};
use tokio::time::Instant;

/// Connects.
pub(crate) struct SessionsMaker<D> {
    dial: D,
}

impl<D: Dial> SessionsMaker<D> {
    pub(crate) fn new(dial: D) -> Self {
        Self { dial }
    }
}

impl<D: Dial> MakeWire for SessionsMaker<D> {
    type Wire = Sessions<D::Stream>;

    async fn make(&mut self) -> Result<Self::Wire, DeliverError> {
        let stream = self.dial.dial().await.map_err(LineError::Io)?;
        Ok(Sessions { line: Line::new(stream), sender: Sender::new(Config::default()) })
    }
}

/// One connection.
pub(crate) struct Sessions<S> {
    line: Line<S>,
    sender: Sender,
}

impl<S: Stream> Wire for Sessions<S> {
    async fn deliver(
        &mut self,
        parcel: &[Outgoing],
        trouble: Trouble,
        _merge_next: bool,
    ) -> Result<(), DeliverError> {
        for message in parcel {
            self.line.expect(trouble.clone());
            self.session(&message.bytes).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, _listen: Listen) -> Result<(), DeliverError> {
        Ok(self.line.write(&[], Chunk::Other).await?)
    }
}

impl<S: Stream> Sessions<S> {
    async fn session(&mut self, message: &[u8]) -> Result<(), DeliverError> {
        let lines = message.split(|byte| *byte == b'\r').filter(|line| !line.is_empty());
        let records: Vec<&[u8]> = lines.collect();
        let sent = self.sender.send(&records, Instant::now().into_std());
        sent.map_err(|refused| DeliverError::Unsendable(refused.to_string()))?;
        // The fault happens in the second block: by then a session is under way.
        let mut blocks = 0;
        loop {
            while let Some(block) = self.sender.poll_transmit() {
                blocks += 1;
                let chunk = match blocks {
                    2 => Chunk::Victim,
                    3 => Chunk::AfterVictim,
                    _ => Chunk::Other,
                };
                self.line.write(&block, chunk).await?;
            }
            match self.sender.poll_event() {
                Some(SenderEvent::Sent) => return Ok(()),
                Some(SenderEvent::Failed(why)) => return Err(DeliverError::Refused(why.to_string())),
                None => {}
            }
            if let Some(at) = self.sender.poll_timeout() {
                tokio::time::sleep_until(at.into()).await;
            }
            self.sender.handle_timeout(Instant::now().into_std());
        }
    }
}
