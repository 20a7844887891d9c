//! What an analyser believes.

use serde::Serialize;
use vocabulary::DonationId;

/// What became of a message, as far as the analyser knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "delivery")]
pub enum Delivery {
    /// Acknowledged. A file: it stands under its name.
    Sent {
        /// How often it was sent until then.
        tries: u32,
    },
    /// Given up, or never sent.
    Failed {
        /// How often it was sent.
        tries: u32,
        /// Why it failed the last time.
        why: String,
    },
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageReport {
    /// Its control id; the same for one that was sent twice on purpose.
    pub control_id: String,
    /// The run.
    pub run: String,
    /// The donations in it.
    pub donations: Vec<DonationId>,
    /// It repeats an earlier one.
    pub again: bool,
    /// What became of it.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// One analyser's day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SessionReport {
    /// Its name.
    pub analyser: String,
    /// Every message, in order.
    pub messages: Vec<MessageReport>,
    /// How often it connected.
    pub connections: u32,
    /// What the host sent of its own, as far as it came whole: orders, answers to questions.
    #[serde(skip)]
    pub received: Vec<Vec<u8>>,
}

impl SessionReport {
    /// The messages it believes delivered.
    pub fn sent(&self) -> impl Iterator<Item = &MessageReport> {
        self.messages.iter().filter(|m| matches!(m.delivery, Delivery::Sent { .. }))
    }

    /// The messages it gave up or never sent.
    pub fn failed(&self) -> impl Iterator<Item = &MessageReport> {
        self.messages.iter().filter(|m| matches!(m.delivery, Delivery::Failed { .. }))
    }
}
