//! What a peer sent that is not as MLLP has it.

use std::fmt;

/// Something in the stream that is not as it should be, with its bytes and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What it is.
    pub kind: AnomalyKind,
    /// Where it begins, in bytes since the connection began.
    pub at: u64,
    /// The bytes themselves, without the block characters.
    pub bytes: Vec<u8>,
}

/// What is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnomalyKind {
    /// Bytes outside of any block; at most [`AnomalyKind::STRAY_BYTES_MAX`] in one report.
    StrayBytes,
    /// A new block began before the open one ended; the bytes are the beginning of the broken block.
    BlockRestarted,
    /// The connection ended inside a block; the bytes are its beginning.
    BlockCutOff,
    /// A block without content.
    EmptyBlock,
    /// A block that ended with 1C alone; it was taken as complete. There are no bytes.
    CarriageReturnMissing,
}

impl AnomalyKind {
    /// How many stray bytes are gathered in one report.
    pub const STRAY_BYTES_MAX: usize = 4096;
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StrayBytes => "bytes outside of any block",
            Self::BlockRestarted => "a new block began before the open one ended",
            Self::BlockCutOff => "the connection ended inside a block",
            Self::EmptyBlock => "a block without content",
            Self::CarriageReturnMissing => "a block ended with 1C and no 0D",
        })
    }
}

/// Kind, place and length; never the bytes, which may be half a message.
impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (from byte {} of the connection, {} bytes)", self.kind, self.at, self.bytes.len())
    }
}
