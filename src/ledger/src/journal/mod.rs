//! The journal: what happened, in order, in files that are only ever appended to.

pub(crate) mod format;
mod hash;
mod index;
mod layout;
mod scan;
mod tail;
mod writer;

pub use format::HeaderFault;
pub use hash::{ChainHash, HashAlgorithm};
pub(crate) use index::Index;
pub use index::JournalError;
pub use layout::Damage;
pub(crate) use layout::{Layout, LayoutError};
pub(crate) use scan::{Check, ScanError, Scanner};
pub(crate) use tail::{TailError, TailScan};
pub(crate) use writer::{Group, Position, Writer};
