//! The promise of durability, and its proof.

use crate::Seq;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Proof that a group of entries is on the disk. Only the ledger makes one, there is one a group, and it
/// cannot be copied: whoever answers a peer gives it away.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a proof of durability is there to answer somebody with"]
pub struct Durable {
    first: Seq,
    last: Seq,
}

impl Durable {
    pub(crate) fn new(first: Seq, last: Seq) -> Self {
        Self { first, last }
    }

    /// The group's first entry.
    #[must_use]
    pub fn first(&self) -> Seq {
        self.first
    }

    /// The group's last entry.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.last
    }
}

/// Why a group that was taken did not become durable. Nothing of it will ever be read as written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendFailed {
    /// The write or the sync failed.
    #[error("the journal could not be written: {0}")]
    Storage(String),
    /// The ledger was closed first.
    #[error("the ledger was closed")]
    Closed,
}

/// Why a group was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much is waiting: for the disk, or for the state to catch up. Try again shortly.
    #[error("the ledger is busy: {0}")]
    Busy(&'static str),
    /// Nothing is accepted until a person or the ledger itself has mended it.
    #[error("the ledger accepts nothing now: {0}")]
    ReadOnly(String),
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
    /// The group can never be written.
    #[error("the group cannot be written: {0}")]
    Unwritable(String),
}

pub(crate) type Outcome = Result<Durable, AppendFailed>;

/// A group on its way to the disk. Await it, or [`Pending::wait`]; dropping it takes nothing back.
#[derive(Debug)]
#[must_use = "nothing may be answered before this resolves"]
pub struct Pending(oneshot::AsyncReceiver<Outcome>);

/// A pending group and who resolves it.
pub(crate) fn pending() -> (oneshot::Sender<Outcome>, Pending) {
    let (sender, receiver) = oneshot::async_channel();
    (sender, Pending(receiver))
}

impl Pending {
    /// Blocks until the group is durable or has failed.
    ///
    /// # Errors
    /// [`AppendFailed`].
    pub fn wait(self) -> Result<Durable, AppendFailed> {
        block_on(self, None).unwrap_or(Err(AppendFailed::Closed))
    }

    /// Blocks at most so long; then gives itself back.
    ///
    /// # Errors
    /// Itself, when the time is over.
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Result<Durable, AppendFailed>, Self> {
        let deadline = Instant::now().checked_add(timeout);
        block_on(&mut self, deadline).ok_or(self)
    }
}

impl Future for Pending {
    type Output = Result<Durable, AppendFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|got| got.unwrap_or(Err(AppendFailed::Closed)))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `future` on this thread; `None` when `deadline` came first.
pub(crate) fn block_on<F: Future + Unpin>(mut future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = Pin::new(&mut future).poll(&mut cx) {
            return Some(output);
        }
        match deadline {
            None => thread::park(),
            Some(deadline) => {
                let left = deadline.checked_duration_since(Instant::now()).filter(|d| !d.is_zero())?;
                thread::park_timeout(left);
            }
        }
    }
}
