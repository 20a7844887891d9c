//! A question and its answer.

use super::OrderDesk;
use instrument_profiles::{ForSpecimen, OrderPart, Outcome, Query, QueryKind, WriteError, Written};
use intake::Reply;
use ledger::{Draft, Seq, What};
use std::{sync::Arc, time::Duration};
use vocabulary::{NotFound, OrderAction, QueryOutcome, WhyNothing};
use workflow::orders::{Found, FoundOrder, LookUp};

/// Orders that answer a question for whatever there is to do.
const ALL_ORDERS_MAX: usize = 200;
/// The longest that the record of an answer may take to become durable before the answer is that we could not look.
const RECORDED_WITHIN: Duration = Duration::from_secs(2);
const OVERDUE: &str = "the worklist did not answer in time";
const SWITCHED_OFF: &str = "orders are switched off for this connection (orders = false)";

/// What was found, in the ledger's words and on the line.
struct Answered {
    asked: Vec<String>,
    outcome: QueryOutcome,
    written: Written,
    withdraw: bool,
}

impl OrderDesk {
    /// The answer to a message that seems to ask; `None` when it does not.
    pub(super) async fn answer(self: Arc<Self>, message: Seq, raw: Vec<u8>) -> Option<Reply> {
        self.held().open.insert(message);
        let desk = Arc::clone(&self);
        let work = tokio::task::spawn_blocking(move || {
            let query = desk.profile.query(&raw)?;
            let answered = desk.answered(&query);
            desk.recorded(message, &query, answered)
        });
        let answered = match work.await {
            Ok(answered) => answered,
            Err(error) => {
                tracing::error!(connection = %self.connection, %message, %error, "a question was not looked up");
                None
            }
        };
        self.held().open.remove(&message);
        let Answered { written, withdraw, .. } = answered?;
        let then =
            written.messages.into_iter().map(|m| self.give(m, OrderAction::Place, Some(message), None));
        Some(Reply { direct: written.direct, then: then.collect(), withdraw })
    }

    /// The answer when the time is over.
    pub(super) fn answer_overdue(&self, message: Seq, raw: &[u8]) -> Option<Reply> {
        let query = self.profile.query(raw)?;
        let answered = self.not_looked_up(&query, OVERDUE);
        let what = self.entry(message, &answered);
        // Nobody waits until it is durable: the ledger is slow already.
        let mut held = self.held();
        held.open.remove(&message);
        let appended = self.ledger.append(vec![Draft::by_connection(&self.connection, what)]);
        drop(held);
        if let Err(refused) = appended {
            tracing::error!(connection = %self.connection, %refused, "the answer to a question is not recorded");
        }
        let messages = answered.written.messages.into_iter();
        let then = messages.map(|m| self.give(m, OrderAction::Place, Some(message), None)).collect();
        Some(Reply { direct: answered.written.direct, then, withdraw: false })
    }

    fn answered(&self, query: &Query) -> Answered {
        let asked = if query.all {
            vec!["ALL".to_owned()]
        } else {
            query.specimens.iter().map(|specimen| specimen.id.clone()).collect()
        };
        let answer = |outcome: QueryOutcome, line: &Outcome<'_>| self.write(query, &asked, outcome, line);
        if query.kind == QueryKind::Cancel {
            return Answered { withdraw: true, ..answer(QueryOutcome::Cancelled, &Outcome::Cancelled) };
        }
        if let Some(why) = &query.fault {
            return answer(QueryOutcome::Refused { why: why.clone() }, &Outcome::Refused(why));
        }
        if !self.gets_orders {
            let nothing: Vec<(usize, bool)> = (0..query.specimens.len()).map(|at| (at, false)).collect();
            let why = SWITCHED_OFF.to_owned();
            return answer(QueryOutcome::Refused { why }, &Outcome::Nothing(&nothing));
        }
        match self.look_up(query) {
            Ok(found) => self.answer_with(query, &asked, &found),
            Err(error) => self.not_looked_up(query, &error.to_string()),
        }
    }

    fn look_up(&self, query: &Query) -> Result<Found, ledger::ReadError> {
        let can_do: Vec<String> = self.profile.assays_asked(query).map(str::to_owned).collect();
        let reader = self.ledger.state();
        if query.all {
            let to_send = reader.orders_to_send(&self.connection, &can_do, ALL_ORDERS_MAX)?;
            let orders = to_send.into_iter().map(|one| FoundOrder {
                scan: one.order.given_specimen().to_string(),
                order: one.order,
                assays: one.assays,
            });
            return Ok(Found { orders: orders.collect(), nothing: Vec::new() });
        }
        let scans: Vec<String> = query.specimens.iter().map(|specimen| specimen.id.clone()).collect();
        let asked = LookUp { connection: &self.connection, scans: &scans, can_do: &can_do };
        workflow::orders::look_up(&self.settings, &reader, &asked)
    }

    fn answer_with(&self, query: &Query, asked: &[String], found: &Found) -> Answered {
        let mut specimens: Vec<ForSpecimen<'_>> = Vec::new();
        for one in &found.orders {
            let place = query.specimens.iter().position(|specimen| specimen.id == one.scan);
            let part = OrderPart { order: &one.order, assays: &one.assays };
            let known = specimens.iter_mut().find(|specimen| match place {
                Some(_) => specimen.asked == place,
                None => specimen.parts.iter().any(|p| p.order.specimen == one.order.specimen),
            });
            match known {
                Some(specimen) => specimen.parts.push(part),
                None => specimens.push(ForSpecimen { asked: place, parts: vec![part] }),
            }
        }
        let known = |why: &WhyNothing| match why {
            WhyNothing::NoIdentifier { .. } | WhyNothing::NoOrder => false,
            WhyNothing::Ended { .. } | WhyNothing::NotHere { .. } | WhyNothing::OnlyOn { .. } => true,
        };
        let place = |missing: &NotFound| {
            let at = query.specimens.iter().position(|specimen| specimen.id == missing.specimen)?;
            Some((at, known(&missing.why)))
        };
        let nothing: Vec<(usize, bool)> = found.nothing.iter().filter_map(place).collect();
        let line = if specimens.is_empty() {
            Outcome::Nothing(&nothing)
        } else {
            Outcome::Found { specimens: &specimens, nothing: &nothing }
        };
        self.write(query, asked, found.outcome(), &line)
    }

    /// We could not look: nothing is known then, and the ledger says why.
    fn not_looked_up(&self, query: &Query, why: &str) -> Answered {
        let asked: Vec<String> = query.specimens.iter().map(|specimen| specimen.id.clone()).collect();
        self.write(query, &asked, QueryOutcome::Refused { why: why.to_owned() }, &Outcome::Failed(why))
    }

    fn write(&self, query: &Query, asked: &[String], outcome: QueryOutcome, line: &Outcome<'_>) -> Answered {
        let asked = asked.to_vec();
        let written = self.stamped(|stamp| self.profile.answer(query, line, stamp));
        match written {
            Ok(written) => Answered { asked, outcome, written, withdraw: false },
            Err(error) => self.unwritable(query, asked, &error),
        }
    }

    /// What was found cannot be said in the analyser's words: it is told that we could not look.
    fn unwritable(&self, query: &Query, asked: Vec<String>, error: &WriteError) -> Answered {
        tracing::error!(connection = %self.connection, %error, "an answer cannot be written");
        let why = error.to_string();
        let written = self.stamped(|stamp| self.profile.answer(query, &Outcome::Failed(&why), stamp));
        let written = written.unwrap_or_else(|error| {
            tracing::error!(connection = %self.connection, %error, "nothing can be said; the analyser waits in vain");
            Written::default()
        });
        Answered { asked, outcome: QueryOutcome::Refused { why }, written, withdraw: false }
    }

    fn entry(&self, message: Seq, answered: &Answered) -> What {
        What::QueryAnswered {
            message,
            connection: self.connection.clone(),
            asked: answered.asked.clone(),
            outcome: answered.outcome.clone(),
        }
    }

    /// Writes down what is answered, before it is. What cannot be written down is not said, and once the line has said
    /// that nothing is known nothing else is: `None`.
    fn recorded(&self, message: Seq, query: &Query, answered: Answered) -> Option<Answered> {
        self.log(message, &answered);
        let entry = Draft::by_connection(&self.connection, self.entry(message, &answered));
        let held = self.held();
        if !held.open.contains(&message) {
            return None;
        }
        let appended = self.ledger.append(vec![entry]);
        drop(held);
        let why = match appended.map(|pending| pending.wait_timeout(RECORDED_WITHIN)) {
            Ok(Ok(Ok(_))) => return self.held().open.remove(&message).then_some(answered),
            Ok(Ok(Err(failed))) => failed.to_string(),
            Ok(Err(_)) => format!("not durable within {RECORDED_WITHIN:?}"),
            Err(refused) => refused.to_string(),
        };
        tracing::error!(connection = %self.connection, %message, why, "the answer to a question is not recorded, so it is not given");
        self.held().open.remove(&message).then(|| self.not_looked_up(query, &why))
    }

    fn log(&self, message: Seq, answered: &Answered) {
        let (connection, asked) = (&self.connection, answered.asked.join(", "));
        let nothing = |missing: &[NotFound]| -> String {
            let words = missing.iter().map(|one| format!("{}: {}", one.specimen, one.why.english()));
            words.collect::<Vec<_>>().join("; ")
        };
        match &answered.outcome {
            QueryOutcome::Found { orders, nothing: missing } => {
                let (orders, missing) = (orders.len(), nothing(missing));
                tracing::info!(%connection, %message, asked, orders, missing, "a question is answered");
            }
            QueryOutcome::NothingFound { why } => {
                let why = nothing(why);
                tracing::warn!(%connection, %message, asked, why, "a question finds nothing to do");
            }
            QueryOutcome::Refused { why } => {
                tracing::warn!(%connection, %message, asked, why, "a question cannot be answered");
            }
            QueryOutcome::Cancelled => {
                tracing::info!(%connection, %message, asked, "a question was taken back");
            }
        }
    }
}
