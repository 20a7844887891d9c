//! The loop that empties one receiver's outbox.

use crate::{
    Addressing, Outgoing,
    board::Board,
    destination::Destination,
    exchange::{Exchange, Outcome},
    write,
};
use ledger::{DeliveryState, Draft, Ledger, OutboxItem, What};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Items looked at in one round: what is not due yet must not hide what is.
const ITEMS_LOOKED_AT: usize = 10_000;
/// Deliveries made in one round.
const ITEMS_PER_ROUND: usize = 64;
/// The longest sleep while nothing is due: a missed wake-up costs no more.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Delivers to one receiver until `stop`. A delivery under way then is finished or tried again after the next start.
pub async fn run(destination: Destination, ledger: Ledger, board: Board, stop: CancellationToken) {
    let mut courier = Courier { destination, ledger, board, line: None, refused: 0 };
    let work = async {
        let mut moves = courier.ledger.subscribe();
        loop {
            match courier.round().await {
                Ok(0) => {
                    let woken = tokio::time::timeout(LOOK_AGAIN, moves.moved()).await;
                    tracing::trace!(woken = woken.is_ok(), "outbox looked at");
                }
                Ok(_) => {}
                Err(why) => courier.wait_after(&why).await,
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

struct Courier {
    destination: Destination,
    ledger: Ledger,
    board: Board,
    line: Option<Exchange>,
    /// Attempts to connect, or to use the ledger, that failed in a row.
    refused: u32,
}

impl Courier {
    /// Delivers what is due; returns how many items changed.
    async fn round(&mut self) -> Result<usize, String> {
        let items = {
            let reader = self.ledger.state();
            reader.outbox(&self.destination.id, ITEMS_LOOKED_AT).map_err(|e| e.to_string())?
        };
        let now = now_ms();
        let mut count = 0;
        let is_due = |item: &OutboxItem| self.destination.is_due(item.next_at_ms, now);
        let due: Vec<OutboxItem> = items.into_iter().filter(is_due).take(ITEMS_PER_ROUND).collect();
        for item in due {
            self.deliver(&item).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn deliver(&mut self, item: &OutboxItem) -> Result<(), String> {
        // Another verdict may have come while those before it were sent.
        let now = self.ledger.state().delivery(&item.id).map_err(|e| e.to_string())?;
        if now.is_none_or(|now| now.state != DeliveryState::Pending) {
            return Ok(());
        }
        let control_id = item.id.to_string();
        let what = match self.message(item, &control_id) {
            Err(Trouble::Reading(why)) => return Err(why),
            Err(Trouble::Unwritable(reason)) => {
                self.failed(&reason);
                What::DeliveryDead { delivery: item.id.clone(), reason }
            }
            Ok(message) => self.attempt(item, &message, &control_id).await?,
        };
        let pending = self.ledger.append(vec![Draft::by_system(what)]).map_err(|e| e.to_string())?;
        let durable = pending.await.map_err(|e| e.to_string())?;
        self.ledger.wait_applied(durable.last()).await.map_err(|e| e.to_string())?;
        self.refused = 0;
        Ok(())
    }

    fn message(&self, item: &OutboxItem, control_id: &str) -> Result<String, Trouble> {
        let reader = self.ledger.state();
        let reading = |e: ledger::ReadError| Trouble::Reading(e.to_string());
        let made = reader.verdict(item.id.verdict).map_err(reading)?;
        let entry = reader.entry(item.id.verdict).map_err(reading)?;
        let earlier = reader.deliveries_of(&item.donation).map_err(reading)?;
        let correction = earlier.iter().any(|d| {
            d.id.destination == item.id.destination
                && d.id.verdict < item.id.verdict
                && d.state == DeliveryState::Done
        });
        let verdict = serde_json::from_str(made.json()).map_err(|e| Trouble::Unwritable(e.to_string()))?;
        let made_at = self.time(entry.at_ms);
        let to: &Addressing = &self.destination.addressing;
        let out = Outgoing {
            control_id,
            made_at: &made_at,
            donation: item.donation.as_str(),
            correction,
            signs_here: self.destination.signs_here,
            verdict: &verdict,
        };
        write(&out, to).map_err(|e| Trouble::Unwritable(e.to_string()))
    }

    fn time(&self, at_ms: i64) -> String {
        let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
        at.to_zoned(self.destination.time_zone.clone()).strftime("%Y%m%d%H%M%S%z").to_string()
    }

    /// Sends once and says what the ledger has to remember of it. A receiver that cannot be reached is no attempt.
    async fn attempt(&mut self, item: &OutboxItem, message: &str, control_id: &str) -> Result<What, String> {
        let delivery = item.id.clone();
        // A receiver that closes after each message costs a connection, not an attempt.
        let mut line = match self.line.take().and_then(|mut line| line.is_open().then_some(line)) {
            Some(line) => line,
            None => self.connect().await?,
        };
        let strays = line.strays;
        let outcome = line.exchange(message, control_id).await;
        let strays = line.strays - strays;
        self.board.note(&self.destination.id, |s| s.strays_total += strays);
        let failure = match outcome {
            Ok(Outcome::Accepted(answer)) => {
                self.line = Some(line);
                self.board.note(&self.destination.id, |s| {
                    s.accepted_total += 1;
                    s.reason.clear();
                });
                return Ok(What::DeliveryDone { delivery, answer: answer.into() });
            }
            Ok(Outcome::Error(said)) => {
                self.line = Some(line);
                let reason = format!("the receiver answered AE: {said}; mend the cause and requeue it");
                self.failed(&reason);
                return Ok(What::DeliveryDead { delivery, reason });
            }
            Ok(Outcome::Rejected(said)) => {
                self.line = Some(line);
                format!("the receiver answered AR: {said}")
            }
            // The connection is not used again: a late answer must not meet a later message.
            Ok(Outcome::TimedOut) => format!("no answer within {:?}", self.destination.answer_timeout),
            Err(e) => format!("the connection was lost before the answer: {e}"),
        };
        self.failed(&failure);
        let attempts = item.attempts.saturating_add(1);
        if attempts >= self.destination.attempts_max {
            let reason = format!(
                "{failure}, at attempt {attempts} of {attempts}; requeue it when the receiver is well"
            );
            return Ok(What::DeliveryDead { delivery, reason });
        }
        let pause = i64::try_from(self.destination.pause(item.attempts).as_millis()).unwrap_or(i64::MAX);
        Ok(What::DeliveryAttempted { delivery, outcome: failure, next_at_ms: now_ms().saturating_add(pause) })
    }

    async fn connect(&mut self) -> Result<Exchange, String> {
        let address = &self.destination.address;
        let within = self.destination.answer_timeout;
        let socket = match tokio::time::timeout(within, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(e)) => return Err(format!("{address} cannot be reached: {e}")),
            Err(_) => return Err(format!("{address} cannot be reached within {within:?}")),
        };
        socket.set_nodelay(true).map_err(|e| e.to_string())?;
        self.board.note(&self.destination.id, |s| {
            s.connected = true;
            s.reason.clear();
        });
        let config = mllp::Config { answer_timeout: within, ..mllp::Config::default() };
        Ok(Exchange::new(socket, config))
    }

    fn failed(&self, why: &str) {
        tracing::warn!(destination = %self.destination.id, why, "delivery not accepted");
        self.board.note(&self.destination.id, |s| {
            s.failed_total += 1;
            why.clone_into(&mut s.reason);
        });
    }

    /// Nothing could be done now: says why and pauses, longer each time.
    async fn wait_after(&mut self, why: &str) {
        if self.refused == 0 {
            tracing::warn!(destination = %self.destination.id, why, "deliveries wait");
        }
        self.board.note(&self.destination.id, |s| {
            s.connected = false;
            why.clone_into(&mut s.reason);
        });
        self.line = None;
        tokio::time::sleep(self.destination.pause(self.refused)).await;
        self.refused = self.refused.saturating_add(1);
    }
}

enum Trouble {
    /// The ledger cannot be read now.
    Reading(String),
    /// The verdict can never be written.
    Unwritable(String),
}

/// Only says when an attempt is due; nothing is ordered by it.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
