//! Questions for orders that were answered.

use super::Fold;
use crate::Seq;
use crate::state::Key;
use vocabulary::ConnectionId;

impl Fold<'_, '_> {
    pub(super) fn query_answered(&mut self, message: Seq, connection: &ConnectionId) {
        self.counters.queries += 1;
        self.view.put(Key::queries().seq(self.seq).done(), connection.as_str().as_bytes().to_vec());
        self.mark(Key::queries_of(connection).seq(self.seq));
        let answer = self.seq.get().to_be_bytes().to_vec();
        self.view.put(Key::query_answer(message).done(), answer);
    }
}
