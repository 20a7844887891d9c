//! What is: typed reads.
//!
//! Reads see the state as it is now, entry by entry whole; two reads in a row may see two states. Big things
//! (raw bytes, observations, verdicts) are read from the journal, and their checksum is checked every time.

mod channels;
mod components;
mod deliveries;
mod donations;
mod donors;
mod faults;
mod fitness;
mod kits;
mod lots;
mod messages;
mod neighbours;
mod orders;
mod page;
mod people;
mod pools;
mod profiles;
mod quarantine;
mod queries;
mod rules;
mod signed;
mod transfers;
mod work;

pub use channels::{Readings, RunSummary};
pub use deliveries::{DeliveryFilter, DeliveryView, OutboxItem};
pub use donations::{
    DonationSummary, DonationView, EvidenceFinding, EvidenceObservation, Interpretations, RunView,
    VerdictSummary,
};
pub use donors::Given;
pub use kits::KeptKit;
pub use messages::{Interpretation, InterpretationSummary, MessageFilter, MessageView, TakenFile};
pub use neighbours::SuspectedBeside;
pub use orders::{OrderFilter, OrderView, OrderedAssay, SentTo, ToCancel, ToSend};
pub use page::{Listing, Order, Page};
pub use people::UserView;
pub use pools::{PoolMadeAt, PoolSummary, PoolView};
pub use profiles::{KeptProfile, Pin, Proposal};
pub use quarantine::{HeldMessage, InterpretationVersion};
pub use queries::QueryView;
pub use rules::KeptRules;
pub use signed::{BatchView, RecallView};
pub use transfers::TransferView;
pub use work::{DecideItem, InterpretItem};

use crate::fold_store::digest;
use crate::journal::{Held, JournalError, Stream};
use crate::ledger::Shared;
use crate::state::{ClockStands, Counters, Key, StateError, Store, record};
use crate::{ChainHash, Entry, Seq};
use std::sync::Arc;

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The journal cannot be read there.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// An entry is not of the kind that the state says it is.
    #[error("entry {seq} is no {wanted}")]
    OtherKind {
        /// The entry.
        seq: Seq,
        /// What it should be.
        wanted: &'static str,
    },
    /// The bytes of a message are not where its entry says they are.
    #[error("the bytes of message {0} are not in the frames it names")]
    BytesMissing(Seq),
}

/// Typed reads of the state and the journal. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.shared.state.get()
    }

    /// The last entry that the state knows.
    #[must_use]
    pub fn applied(&self) -> Seq {
        self.shared.applied()
    }

    /// Numbers of things.
    ///
    /// # Errors
    /// [`ReadError::State`].
    pub fn counters(&self) -> Result<Counters, ReadError> {
        Ok(record(self.store().as_ref(), Key::COUNTERS)?.unwrap_or_default())
    }

    /// How the station's clock stands to its time source; nothing before the first comparison.
    ///
    /// # Errors
    /// [`ReadError::State`].
    pub fn clock(&self) -> Result<Option<ClockStands>, ReadError> {
        Ok(record(self.store().as_ref(), Key::CLOCK)?)
    }

    /// A digest of the whole state: equal states, equal digests. Reads all of it; meant for a ledger at rest.
    ///
    /// # Errors
    /// [`ReadError::State`].
    pub fn digest(&self) -> Result<ChainHash, ReadError> {
        Ok(digest(self.store().as_ref())?)
    }

    /// One entry, from the journal.
    ///
    /// # Errors
    /// [`ReadError::Journal`]: there is none, or it is damaged.
    pub fn entry(&self, seq: Seq) -> Result<Entry, ReadError> {
        Ok(self.shared.index.entry(seq)?)
    }

    /// The same, by whoever reads many that stand near each other.
    fn entry_near(&self, seq: Seq, held: &mut Held) -> Result<Entry, ReadError> {
        Ok(self.shared.index.entry_near(seq, held)?)
    }

    /// Entries from `from` on up to the last durable one, from the journal.
    #[must_use]
    pub fn entries(&self, from: Seq) -> Stream {
        self.shared.index.stream(from)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("applied", &self.applied()).finish_non_exhaustive()
    }
}
