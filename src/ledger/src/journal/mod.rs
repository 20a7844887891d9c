//! The journal: what happened, in order, in files that are only ever appended to.

mod format;
mod hash;
mod index;
mod layout;
mod recover;
mod scan;
mod stream;
mod tail;
mod verify;
mod writer;

#[cfg(test)]
mod crash_tests;

pub use format::HeaderFault;
pub(crate) use format::{BODY_BYTES_MAX, Frame, GROUP_BYTES_MAX};
pub use hash::{ChainHash, HashAlgorithm};
pub use index::JournalError;
pub(crate) use index::{Held, Index, POINT_EVERY_BYTES};
pub use layout::Damage;
pub use recover::CutTail;
pub(crate) use recover::{RecoverError, Recovered};
pub use stream::{Line, Stream};
pub use verify::JournalReport;
pub(crate) use verify::verify_journal;
pub(crate) use writer::{EntryBody, FileSizes, Group, Writer};
