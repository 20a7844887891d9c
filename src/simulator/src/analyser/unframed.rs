//! Records on a bare stream. Nothing is answered, so delivered is what has left.

use super::Listen;
use super::courier::{DeliverError, MakeWire, Wire};
use super::dial::{Dial, Stream};
use super::line::{Chunk, Line, LineError};
use crate::fault::Trouble;
use crate::model::Outgoing;

/// Connects.
pub(crate) struct UnframedMaker<D> {
    dial: D,
}

impl<D: Dial> UnframedMaker<D> {
    pub(crate) fn new(dial: D) -> Self {
        Self { dial }
    }
}

impl<D: Dial> MakeWire for UnframedMaker<D> {
    type Wire = Unframed<D::Stream>;

    async fn make(&mut self) -> Result<Self::Wire, DeliverError> {
        let stream = self.dial.dial().await.map_err(LineError::Io)?;
        Ok(Unframed { line: Line::new(stream) })
    }
}

/// One connection.
pub(crate) struct Unframed<S> {
    line: Line<S>,
}

impl<S: Stream> Wire for Unframed<S> {
    async fn deliver(
        &mut self,
        parcel: &[Outgoing],
        trouble: Trouble,
        _merge_next: bool,
    ) -> Result<(), DeliverError> {
        for message in parcel {
            self.line.expect(trouble.clone());
            self.line.write(&message.bytes, Chunk::Victim).await?;
            self.line.write(&[], Chunk::AfterVictim).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, _listen: Listen) -> Result<(), DeliverError> {
        Ok(self.line.write(&[], Chunk::Other).await?)
    }
}
