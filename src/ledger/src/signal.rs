//! Wake-ups: a bare "the state moved", never data.

use crate::sync::lock;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Moves {
    count: u64,
    wakers: Vec<Waker>,
}

/// Counts moves and wakes who waits for one.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    moves: Mutex<Moves>,
    moved: Condvar,
}

impl Signal {
    /// Wakes everybody.
    pub(crate) fn notify(&self) {
        let wakers = {
            let mut moves = lock(&self.moves);
            moves.count += 1;
            std::mem::take(&mut moves.wakers)
        };
        self.moved.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Has `cx` woken at the next move.
    pub(crate) fn enlist(&self, cx: &Context<'_>) {
        let mut moves = lock(&self.moves);
        if !moves.wakers.iter().any(|w| w.will_wake(cx.waker())) {
            moves.wakers.push(cx.waker().clone());
        }
    }

    fn count(&self) -> u64 {
        lock(&self.moves).count
    }
}

/// Tells when the state has moved since it last told. A move is never missed; many may be told as one.
#[derive(Debug)]
pub struct Subscription {
    signal: Arc<Signal>,
    seen: u64,
}

impl Subscription {
    pub(crate) fn new(signal: Arc<Signal>) -> Self {
        let seen = signal.count();
        Self { signal, seen }
    }

    /// Resolves when the state has moved.
    pub fn moved(&mut self) -> Moved<'_> {
        Moved(self)
    }

    /// Blocks until the state has moved, at most so long; whether it has.
    pub fn wait(&mut self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut moves = lock(&self.signal.moves);
        while moves.count == self.seen {
            let left = deadline.and_then(|d| d.checked_duration_since(Instant::now()));
            let Some(left) = left.filter(|d| !d.is_zero()) else {
                return false;
            };
            moves = match self.signal.moved.wait_timeout(moves, left) {
                Ok((moves, _)) => moves,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        self.seen = moves.count;
        true
    }
}

/// See [`Subscription::moved`].
#[derive(Debug)]
#[must_use = "a wake-up comes only to who waits"]
pub struct Moved<'a>(&'a mut Subscription);

impl Future for Moved<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let subscription = &mut *self.0;
        subscription.signal.enlist(cx);
        let count = subscription.signal.count();
        if count == subscription.seen {
            return Poll::Pending;
        }
        subscription.seen = count;
        Poll::Ready(())
    }
}
