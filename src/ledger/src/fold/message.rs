//! Whole messages: each becomes a record and a work item.

use super::{Fold, Folded};
use crate::Body;
use crate::state::{Key, MessageRecord};
use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

impl Fold<'_, '_> {
    pub(super) fn message(
        &mut self,
        connection: &ConnectionId,
        (mode, protocol): (Mode, Protocol),
        profile: &ProfileRef,
        (body, carried): (&Body, usize),
    ) -> Folded {
        let mut message = MessageRecord {
            at_ms: self.at_ms,
            connection: connection.clone(),
            mode,
            profile: profile.clone(),
            read_with: self.pinned_instead(connection, profile)?,
            asked: None,
            protocol,
            bytes: 0,
            transfer: None,
            bytes_missing: false,
            interpretation: None,
        };
        match body {
            Body::Whole(_) => message.bytes = carried as u64,
            Body::Made { transfer, to, .. } => {
                message.transfer = Some(*transfer);
                message.bytes = carried as u64;
                if self.use_frames(*transfer, 0, *to)?.is_none() {
                    self.misfit();
                }
            }
            Body::Frames { transfer, from, to } => {
                message.transfer = Some(*transfer);
                message.bytes = u64::from(to.saturating_sub(*from));
                if let Some(slices) = self.use_frames(*transfer, *from, *to)? {
                    self.view.put_long(&Key::message_body(self.seq), &slices)?;
                } else {
                    message.bytes_missing = true;
                    self.misfit();
                }
            }
        }
        self.counters.messages += 1;
        self.counters.to_interpret += 1;
        self.mark(Key::to_interpret().seq(self.seq));
        self.view.put_record(Key::message(self.seq).done(), &message)
    }
}
