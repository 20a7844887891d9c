//! What one socket has to do with its desk: questions under consideration, and what waits to be sent.

use crate::{
    desk::{Desk, Later, Outgoing, Reply, Settled},
    irregular::Irregularity,
    transport::Line,
};
use ledger::Seq;
use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Messages that may wait for one socket. What comes beyond is given up at once, and its desk is told.
const WAITING_MAX: usize = 256;

/// Queries that may wait for their answer; one more is answered as if nothing were known.
const QUESTIONS_MAX: usize = 16;

/// A message that asks, while its answer is looked for.
pub(crate) struct Question {
    desk: Arc<dyn Desk>,
    message: Seq,
    raw: Vec<u8>,
    later: Later<Option<Reply>>,
    until: Instant,
    within: Duration,
}

impl Question {
    pub(crate) fn put(desk: &Arc<dyn Desk>, message: Seq, raw: Vec<u8>, within: Duration) -> Self {
        let later = Arc::clone(desk).consider(message, raw.clone());
        Self { desk: Arc::clone(desk), message, raw, later, until: Instant::now() + within, within }
    }

    /// The desk's answer; when it takes too long, the one that nothing is known. May be dropped and asked again.
    pub(crate) async fn answer(&mut self) -> Option<Reply> {
        tokio::select! {
            biased;
            reply = self.later.as_mut() => reply,
            () = tokio::time::sleep_until(self.until) => {
                tracing::error!(message = %self.message, within = ?self.within,
                    "a query was not looked up in time; it is answered as if nothing were known");
                self.desk.overdue(self.message, &self.raw)
            }
        }
    }
}

/// What the peer asked and is not answered yet: one question is with the desk, the others wait in order.
pub(crate) struct Questions<'a> {
    line: &'a Line,
    waiting: VecDeque<(Seq, Vec<u8>)>,
    /// The one whose answer is looked for.
    put: Option<Question>,
}

impl<'a> Questions<'a> {
    pub(crate) fn new(line: &'a Line) -> Self {
        Self { line, waiting: VecDeque::new(), put: None }
    }

    /// Lets a durable message wait, if it asks for something; [`Questions::next`] begins. The answer that nothing is
    /// known, when too many wait already.
    pub(crate) fn put(&mut self, message: Seq, raw: &[u8]) -> Option<Reply> {
        let desk = self.line.connection.desk.as_ref().filter(|desk| desk.asks(raw))?;
        if self.waiting.len() < QUESTIONS_MAX {
            self.waiting.push_back((message, raw.to_vec()));
            return None;
        }
        tracing::error!(connection = %self.line.connection.id, %message,
            "too many queries wait for their answer; this one is answered as if nothing were known");
        desk.overdue(message, raw)
    }

    /// Puts the next one to the desk, if it has none.
    pub(crate) fn next(&mut self) {
        if self.put.is_none()
            && let Some(desk) = &self.line.connection.desk
            && let Some((message, raw)) = self.waiting.pop_front()
        {
            let within = self.line.connection.limits.desk_within;
            self.put = Some(Question::put(desk, message, raw, within));
        }
    }

    /// The answer to the one that is with the desk; never while there is none. May be dropped and asked again.
    pub(crate) async fn answer(&mut self) -> Option<Reply> {
        let Some(question) = &mut self.put else { return pending().await };
        let reply = question.answer().await;
        self.put = None;
        reply
    }
}

/// A message on its way out.
pub(crate) struct Job {
    pub(crate) outgoing: Outgoing,
    /// How often it was begun.
    pub(crate) tries: u32,
}

/// What waits for the line, and the one message that has it.
pub(crate) struct Sending<'a> {
    line: &'a Line,
    desk: Option<Arc<dyn Desk>>,
    waiting: VecDeque<Job>,
    in_hand: Option<Job>,
    /// The desk's next message that nobody asked for.
    unasked: Option<Later<Outgoing>>,
}

impl<'a> Sending<'a> {
    pub(crate) fn new(line: &'a Line) -> Self {
        let desk = line.connection.desk.clone();
        Self { line, desk, waiting: VecDeque::new(), in_hand: None, unasked: None }
    }

    /// The desk, when it answers this message.
    pub(crate) fn asked(&self, raw: &[u8]) -> Option<&Arc<dyn Desk>> {
        self.desk.as_ref().filter(|desk| desk.asks(raw))
    }

    /// Takes what an answer wants sent.
    pub(crate) fn take(&mut self, reply: Reply) {
        for outgoing in reply.then {
            self.push(outgoing);
        }
    }

    /// Takes back what has not been begun.
    pub(crate) fn withdraw(&mut self) {
        for job in std::mem::take(&mut self.waiting) {
            self.settle(&job, Settled::Withdrawn);
        }
    }

    pub(crate) fn push(&mut self, outgoing: Outgoing) {
        let job = Job { outgoing, tries: 0 };
        if self.waiting.len() >= WAITING_MAX {
            let why = format!("{WAITING_MAX} messages wait for this line already");
            return self.settle(&job, Settled::Failed { why });
        }
        self.waiting.push_back(job);
    }

    /// The next message, if none has the line. It has it from now on.
    pub(crate) fn begin(&mut self) -> Option<&Job> {
        if self.in_hand.is_some() {
            return None;
        }
        let mut job = self.waiting.pop_front()?;
        job.tries += 1;
        Some(self.in_hand.insert(job))
    }

    /// The message that has the line is done with.
    pub(crate) fn done(&mut self, how: Settled) {
        if let Some(job) = self.in_hand.take() {
            self.settle(&job, how);
        }
    }

    /// The message that has the line was not delivered: it is tried again, up to a bound.
    pub(crate) fn failed(&mut self, why: &str) {
        let Some(job) = self.in_hand.take() else { return };
        let tries_max = self.line.connection.limits.send_tries_max;
        let id = &self.line.connection.id;
        if job.tries < tries_max {
            tracing::warn!(connection = %id, why, tries = job.tries, "not delivered; it will be sent again");
            self.line.board.irregular(
                id,
                Irregularity::Undelivered,
                format!("a message of ours was not delivered: {why}"),
            );
            return self.waiting.push_front(job);
        }
        let tries = job.tries;
        let why = format!("given up after {tries} tries: {why}");
        self.settle(&job, Settled::Failed { why });
    }

    /// The message that has the line can never be delivered.
    pub(crate) fn refused(&mut self, why: String) {
        self.done(Settled::Failed { why });
    }

    /// Resolves when the desk has something nobody asked for, and the line nothing else to carry.
    pub(crate) async fn unasked(&mut self) -> Outgoing {
        let Some(desk) = self.desk.as_ref().filter(|_| self.waiting.is_empty() && self.in_hand.is_none())
        else {
            return pending().await;
        };
        let later = self.unasked.get_or_insert_with(|| Arc::clone(desk).to_send());
        let outgoing = later.await;
        self.unasked = None;
        outgoing
    }

    /// The line has gone.
    pub(crate) fn close(&mut self) {
        for job in self.in_hand.take().into_iter().chain(std::mem::take(&mut self.waiting)) {
            self.settle(&job, Settled::Disconnected);
        }
    }

    fn settle(&self, job: &Job, how: Settled) {
        let id = &self.line.connection.id;
        if let Settled::Failed { why } = &how {
            tracing::error!(connection = %id, why, "a message for the analyser was given up");
            self.line.board.irregular(
                id,
                Irregularity::Undelivered,
                format!("a message of ours was given up: {why}"),
            );
        }
        if let Some(desk) = &self.desk {
            desk.settled(job.outgoing.id, how);
        }
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        // A driver that is dropped has lost its line as well.
        self.close();
    }
}
