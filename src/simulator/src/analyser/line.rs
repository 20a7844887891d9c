//! A connection on which things go wrong as they were asked for.

use super::dial::Stream;
use crate::fault::{FaultKind, Trouble};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Why nothing more can be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// We closed it, as was asked for.
    #[error("the connection was closed by the fault {0}")]
    Fault(&'static str),
    /// The other side or the network did.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The other side closed it.
    #[error("the peer closed the connection")]
    Closed,
    /// No answer came in time, and what may still come would be another message's.
    #[error("nobody answered in time")]
    Unanswered,
}

/// How a chunk of bytes is treated on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The frame or block in which the troubles of this message happen.
    Victim,
    /// What follows the victim: a cut happens before it.
    AfterVictim,
    /// Anything else.
    Other,
}

/// A connection, with the trouble of the message that is being sent.
pub(crate) struct Line<S> {
    stream: S,
    trouble: Trouble,
    /// Bytes kept back, to leave together with the next.
    kept: Vec<u8>,
}

impl<S: Stream> Line<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, trouble: Trouble::default(), kept: Vec::new() }
    }

    /// What goes wrong from now on.
    pub(crate) fn expect(&mut self, trouble: Trouble) {
        self.trouble = trouble;
    }

    /// Whether something is to go wrong now that is not the line's own affair; it does not happen again.
    pub(crate) fn takes(&mut self, kind: FaultKind) -> bool {
        self.trouble.take(kind)
    }

    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LineError> {
        let read = match (self.trouble.slow_reader(), buffer.first_mut()) {
            (Some(pause), Some(one)) => {
                tokio::time::sleep(pause).await;
                self.stream.read(std::slice::from_mut(one)).await?
            }
            (_, _) => self.stream.read(buffer).await?,
        };
        if read == 0 { Err(LineError::Closed) } else { Ok(read) }
    }

    /// Keeps `bytes` back; they leave before those of the next write.
    pub(crate) fn keep_back(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    /// Writes `bytes`, with what goes wrong at this place.
    pub(crate) async fn write(&mut self, bytes: &[u8], chunk: Chunk) -> Result<(), LineError> {
        let mut out = std::mem::take(&mut self.kept);
        let begin = out.len();
        out.extend_from_slice(bytes);
        match chunk {
            Chunk::AfterVictim if self.trouble.take(FaultKind::Cut) => Err(LineError::Fault("cut")),
            Chunk::AfterVictim | Chunk::Other => self.put(&out).await,
            Chunk::Victim => {
                if let Some(bytes) = self.trouble.take_endless() {
                    return self.endless(out.get(..=begin).unwrap_or_default(), bytes).await;
                }
                self.damage(&mut out, begin);
                self.put_victim(&out, begin).await
            }
        }
    }

    async fn put_victim(&mut self, out: &[u8], begin: usize) -> Result<(), LineError> {
        let (head, tail) = out.split_at(begin + (out.len() - begin) / 2);
        let stall = self.trouble.take_stall();
        let drop = self.trouble.take(FaultKind::Drop);
        if stall.is_none() && !drop {
            return self.put(out).await;
        }
        self.put(head).await?;
        if let Some(time) = stall {
            tokio::time::sleep(time).await;
        }
        if drop {
            return Err(LineError::Fault("drop"));
        }
        self.put(tail).await
    }

    /// The beginning of a frame or block, and then text that never ends it.
    async fn endless(&mut self, out: &[u8], bytes: usize) -> Result<(), LineError> {
        static PIECE: [u8; 8192] = [b'x'; 8192];
        self.put(out).await?;
        let mut left = bytes;
        while let Some(next) = PIECE.get(..left.min(PIECE.len())).filter(|next| !next.is_empty()) {
            self.put(next).await?;
            left -= next.len();
        }
        Err(LineError::Fault("endless-frame"))
    }

    /// Flips a bit in the middle of the frame, or changes its checksum's first digit. Once: the repetition is good.
    fn damage(&mut self, out: &mut [u8], begin: usize) {
        /// Checksum, CR and LF end a frame.
        const CHECKSUM_FROM_END: usize = 4;
        let end = out.len();
        if self.trouble.take(FaultKind::Flip)
            && let Some(byte) = out.get_mut(begin + (end - begin) / 2)
        {
            *byte ^= 0x02;
        }
        if self.trouble.take(FaultKind::Checksum)
            && let Some(digit) = end.checked_sub(CHECKSUM_FROM_END).and_then(|at| out.get_mut(at))
        {
            *digit = if *digit == b'0' { b'1' } else { b'0' };
        }
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        let size = self.trouble.split().unwrap_or(bytes.len()).max(1);
        for piece in bytes.chunks(size) {
            self.stream.write_all(piece).await?;
            self.stream.flush().await?;
            if piece.len() < bytes.len() {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}
