//! A laboratory or blood information system that receives verdicts over MLLP, and misbehaves when told to.
//!
//! It answers every ORU^R01 with an ACK^R01 and holds what it accepted: equal content of one donation once, with every
//! arrival counted, so that a sender's "at least once, idempotent by content" can be checked from outside.

mod inbox;
mod script;
mod server;

pub use inbox::{Held, Tally};
pub use script::{Act, ActError, Misbehaviour, Script};

use inbox::Inbox;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A receiving LIS. Clones are one LIS.
#[derive(Debug, Clone)]
pub struct Lis {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    script: Script,
    inbox: Mutex<Inbox>,
    tally: watch::Sender<Tally>,
    /// Until when no connection is taken; a change closes those that stand.
    down_until: watch::Sender<Option<tokio::time::Instant>>,
}

impl Lis {
    /// A LIS that behaves by `script`.
    #[must_use]
    pub fn new(script: Script) -> Self {
        let shared = Shared {
            script,
            inbox: Mutex::default(),
            tally: watch::Sender::new(Tally::default()),
            down_until: watch::Sender::new(None),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes connections until `stop` is cancelled.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) {
        server::serve(&self.shared, listener, stop).await;
    }

    /// Everything it holds, in order of first arrival.
    #[must_use]
    pub fn received(&self) -> Vec<Held> {
        self.shared.with_inbox(|inbox| inbox.held().to_vec())
    }

    /// What it holds of one donation, in order of first arrival. The last is what counts.
    #[must_use]
    pub fn received_for(&self, donation: &str) -> Vec<Held> {
        self.shared.with_inbox(|i| i.held().iter().filter(|h| h.donation == donation).cloned().collect())
    }

    /// Counts since the start.
    #[must_use]
    pub fn tally(&self) -> Tally {
        *self.shared.tally.borrow()
    }

    /// Tells of every change of the counts.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Tally> {
        self.shared.tally.subscribe()
    }
}

impl Shared {
    /// Works on the inbox and tells of changed counts.
    fn with_inbox<T>(&self, work: impl FnOnce(&mut Inbox) -> T) -> T {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut inbox);
        let tally = inbox.tally();
        self.tally.send_if_modified(|known| std::mem::replace(known, tally) != tally);
        result
    }
}

#[cfg(test)]
mod tests;
