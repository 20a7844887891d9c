//! Finds blocks in a stream, byte by byte.

use crate::block::{BlockDefect, BlockEnd, STX, is_text};

/// How far the reading has come.
#[derive(Debug, Default)]
pub(crate) enum Reader {
    /// Nothing of a block has come.
    #[default]
    Outside,
    /// Text, up to its end.
    Text(Begun),
    /// The check byte.
    Check(Begun, BlockEnd),
    /// A block is over; what follows says whether that was its end.
    Settling(Begun, Result<BlockEnd, BlockDefect>),
}

/// A block that has begun.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    /// Offset of its STX.
    pub(crate) at: u64,
    pub(crate) text: Vec<u8>,
    check: u8,
    defect: Option<BlockDefect>,
}

/// What a byte did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It was taken.
    Taken,
    /// It belongs to no block.
    Noise,
    /// It begins the next block and was not taken: the one before is to be settled first.
    Next,
}

impl Reader {
    pub(crate) fn read(&mut self, byte: u8, at: u64, text_bytes_max: usize) -> Progress {
        let (next, progress) = match std::mem::take(self) {
            Self::Outside if byte == STX => (Self::Text(Begun { at, ..Begun::default() }), Progress::Taken),
            Self::Outside => (Self::Outside, Progress::Noise),
            Self::Text(begun) => (begun.text(byte, text_bytes_max), Progress::Taken),
            Self::Check(begun, end) => {
                let outcome = begun.checked(byte, end);
                (Self::Settling(begun, outcome), Progress::Taken)
            }
            Self::Settling(begun, outcome) if byte == STX => (Self::Settling(begun, outcome), Progress::Next),
            Self::Settling(begun, outcome) => {
                let outcome = Err(outcome.err().unwrap_or(BlockDefect::Trailing(byte)));
                (Self::Settling(begun, outcome), Progress::Taken)
            }
        };
        *self = next;
        progress
    }

    /// The block that is over.
    pub(crate) fn settle(&mut self) -> Option<(Begun, Result<BlockEnd, BlockDefect>)> {
        match std::mem::take(self) {
            Self::Settling(begun, outcome) => Some((begun, outcome)),
            other @ (Self::Outside | Self::Text(_) | Self::Check(..)) => {
                *self = other;
                None
            }
        }
    }

    /// The block whose rest does not come.
    pub(crate) fn give_up(&mut self) -> Option<(Begun, BlockDefect)> {
        match std::mem::take(self) {
            Self::Outside => None,
            Self::Text(begun) | Self::Check(begun, _) | Self::Settling(begun, _) => {
                let defect = begun.defect.unwrap_or(BlockDefect::Unfinished);
                Some((begun, defect))
            }
        }
    }

    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Outside => 0,
            Self::Text(begun) | Self::Check(begun, _) | Self::Settling(begun, _) => begun.text.capacity(),
        }
    }

    /// Whether bytes keep coming beyond the longest text: they buy no more time.
    pub(crate) fn is_too_long(&self) -> bool {
        matches!(self, Self::Text(begun) if begun.defect == Some(BlockDefect::TooLong))
    }
}

impl Begun {
    fn text(mut self, byte: u8, text_bytes_max: usize) -> Reader {
        self.check ^= byte;
        if let Some(end) = BlockEnd::of(byte) {
            return Reader::Check(self, end);
        }
        if !is_text(byte) {
            self.spoil(BlockDefect::Control(byte));
        } else if self.text.len() >= text_bytes_max {
            self.spoil(BlockDefect::TooLong);
        } else if self.defect.is_none() {
            self.text.push(byte);
        }
        Reader::Text(self)
    }

    fn spoil(&mut self, defect: BlockDefect) {
        self.defect.get_or_insert(defect);
        self.text = Vec::new();
    }

    fn checked(&self, found: u8, end: BlockEnd) -> Result<BlockEnd, BlockDefect> {
        let computed = self.check;
        match self.defect {
            Some(defect) => Err(defect),
            None if computed != found => Err(BlockDefect::Check { computed, found }),
            None if self.text.is_empty() => Err(BlockDefect::Empty),
            None => Ok(end),
        }
    }
}
