//! One message after the other: send, wait for the answer, and on failure pause, connect again and send again.

use super::line::LineError;
use super::report::{Delivery, MessageReport, SessionReport};
use super::{Listen, Tempo};
use crate::fault::{FaultKind, Faults, Trouble};
use crate::model::Outgoing;
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Why a parcel did not arrive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliverError {
    /// The line is gone: connect again.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The peer answered, and said no. The line stands.
    #[error("{0}")]
    Refused(String),
    /// It can never be sent on this line.
    #[error("{0}")]
    Unsendable(String),
}

/// A line that carries parcels: one or more messages that are answered together.
pub(crate) trait Wire: Send {
    /// Sends `parcel` and waits until it is answered. `merge_next`: what may leave together with the next parcel, shall.
    fn deliver(
        &mut self,
        parcel: &[Outgoing],
        trouble: Trouble,
        merge_next: bool,
    ) -> impl Future<Output = Result<(), DeliverError>> + Send;

    /// Nothing more is to be sent: what was kept back leaves, and the host is listened to.
    fn finish(&mut self, listen: Listen) -> impl Future<Output = Result<(), DeliverError>> + Send;

    /// What the host has sent of its own since the last time, message by message.
    fn take_received(&mut self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

/// Makes lines.
pub(crate) trait MakeWire: Send {
    type Wire: Wire;

    fn make(&mut self) -> impl Future<Output = Result<Self::Wire, DeliverError>> + Send;
}

pub(crate) struct Courier<M: MakeWire> {
    name: String,
    tempo: Tempo,
    faults: Faults,
    make: M,
    wire: Option<M::Wire>,
    connections: u32,
    /// Parcels begun, counted from 1: what faults count.
    nth: u32,
    /// What the host has sent of its own.
    received: Vec<Vec<u8>>,
}

/// How a parcel fared, while it is under way and after.
struct Fate {
    tries: u32,
    outcome: Result<(), String>,
}

impl<M: MakeWire> Courier<M> {
    pub(crate) fn new(name: String, tempo: Tempo, faults: Faults, make: M) -> Self {
        Self { name, tempo, faults, make, wire: None, connections: 0, nth: 0, received: Vec::new() }
    }

    /// Delivers `messages`, so many at a time, until all are done or `stop` is cancelled.
    pub(crate) async fn carry(
        mut self,
        messages: &[Outgoing],
        per_parcel: usize,
        stop: &CancellationToken,
    ) -> SessionReport {
        let mut reports = Vec::with_capacity(messages.len());
        for parcel in messages.chunks(per_parcel.max(1)) {
            self.nth += 1;
            let mut fate = Fate { tries: 0, outcome: Err("stopped before it was sent".to_owned()) };
            let carried = stop.run_until_cancelled(self.bring(parcel, &mut fate)).await;
            if carried.is_some()
                && fate.outcome.is_ok()
                && self.faults.of(self.nth, 1).has(FaultKind::Duplicate)
            {
                let mut again = Fate { tries: 0, outcome: Ok(()) };
                stop.run_until_cancelled(self.bring(parcel, &mut again)).await;
            }
            reports.extend(parcel.iter().map(|m| report(m, &fate)));
            if !self.tempo.between_messages.is_zero() {
                stop.run_until_cancelled(tokio::time::sleep(self.tempo.between_messages)).await;
            }
        }
        if let Some(mut wire) = self.wire.take() {
            let finished = stop.run_until_cancelled(wire.finish(self.tempo.listen)).await;
            if let Some(Err(error)) = finished {
                tracing::warn!(analyser = self.name, %error, "the line failed after the last message");
            }
            self.received.extend(wire.take_received());
        }
        SessionReport {
            analyser: self.name,
            messages: reports,
            connections: self.connections,
            received: self.received,
        }
    }

    /// Tries until it arrives, cannot, or was tried too often. `fate` is true at every await, so that a stop in
    /// between leaves it right.
    async fn bring(&mut self, parcel: &[Outgoing], fate: &mut Fate) {
        let mut pause = self.tempo.pause_first;
        while fate.tries < self.tempo.tries_max {
            fate.tries += 1;
            let error = match self.attempt(parcel, fate.tries).await {
                Ok(()) => {
                    fate.outcome = Ok(());
                    return;
                }
                Err(error) => error,
            };
            tracing::debug!(analyser = self.name, attempt = fate.tries, %error, "a message did not arrive");
            fate.outcome = Err(error.to_string());
            match error {
                DeliverError::Line(_) => self.hang_up(),
                DeliverError::Refused(_) => {}
                DeliverError::Unsendable(_) => return,
            }
            if fate.tries < self.tempo.tries_max {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(self.tempo.pause_max).max(Duration::from_millis(1));
            }
        }
    }

    fn hang_up(&mut self) {
        if let Some(mut wire) = self.wire.take() {
            self.received.extend(wire.take_received());
        }
    }

    async fn attempt(&mut self, parcel: &[Outgoing], attempt: u32) -> Result<(), DeliverError> {
        if self.wire.is_none() {
            self.wire = Some(self.make.make().await?);
            self.connections += 1;
        }
        let Some(wire) = &mut self.wire else { return Err(LineError::Closed.into()) };
        let trouble = self.faults.of(self.nth, attempt);
        let merge_next = self.faults.of(self.nth.saturating_add(1), 1).has(FaultKind::Merge);
        wire.deliver(parcel, trouble, merge_next).await
    }
}

fn report(message: &Outgoing, fate: &Fate) -> MessageReport {
    let delivery = match &fate.outcome {
        Ok(()) => Delivery::Sent { tries: fate.tries },
        Err(why) => Delivery::Failed { tries: fate.tries, why: why.clone() },
    };
    MessageReport {
        control_id: message.control_id.clone(),
        run: message.run.clone(),
        donations: message.donations.clone(),
        again: message.again,
        delivery,
    }
}
