//! Questions for orders, and how they were answered.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{Key, seq};
use crate::{Seq, What};
use serde::Serialize;
use vocabulary::{ConnectionId, QueryOutcome};

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueryView {
    /// The entry of the answer; lists go by it.
    pub seq: Seq,
    /// When it was written, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The question's message.
    pub message: Seq,
    /// Who asked.
    pub connection: ConnectionId,
    /// The specimens asked for, as the analyser read them.
    pub asked: Vec<String>,
    /// The answer.
    pub outcome: QueryOutcome,
}

impl Reader {
    /// Answered questions, of one connection or of all.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn queries(
        &self,
        connection: Option<&ConnectionId>,
        page: &Page<Seq>,
    ) -> Result<Listing<QueryView, Seq>, ReadError> {
        let root = || connection.map_or_else(Key::queries, Key::queries_of);
        let after = page.after.map(|seq| root().seq(seq).done());
        let store = self.store();
        let found = list(
            store.as_ref(),
            (root().under(), after),
            (page.limit, page.order),
            |key| key.last_chunk::<8>().map(|b| Seq::new(u64::from_be_bytes(*b))),
            |key, _| Ok(key.last_chunk::<8>().map(|b| Seq::new(u64::from_be_bytes(*b)))),
        )?;
        let items: Result<Vec<QueryView>, ReadError> =
            found.items.into_iter().map(|seq| self.query(seq)).collect();
        Ok(Listing { items: items?, next: found.next })
    }

    /// How the question in `message` was answered, if it was.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn query_of(&self, message: Seq) -> Result<Option<QueryView>, ReadError> {
        let found = seq(self.store().as_ref(), &Key::query_answer(message).done())?;
        found.map(|seq| self.query(seq)).transpose()
    }

    fn query(&self, seq: Seq) -> Result<QueryView, ReadError> {
        let entry = self.entry(seq)?;
        let What::QueryAnswered { message, connection, asked, outcome } = entry.what else {
            return Err(ReadError::OtherKind { seq, wanted: "answer to a question" });
        };
        Ok(QueryView { seq, at_ms: entry.at_ms, message, connection, asked, outcome })
    }
}
