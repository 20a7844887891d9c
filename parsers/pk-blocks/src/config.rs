//! What a line is told once.

use std::time::Duration;

/// Whether and how blocks are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Not at all: the sender just sends.
    Silent,
    /// One byte each; the sender waits for it, and sends the block again when it was refused.
    Bytes {
        /// For a block that is kept.
        accept: u8,
        /// For one that is not, or that is damaged.
        refuse: u8,
    },
}

impl Answers {
    /// ACK and NAK.
    pub const ACK_NAK: Self = Self::Bytes { accept: 0x06, refuse: 0x15 };
}

/// The settings of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How blocks are answered.
    pub answers: Answers,
    /// The longest text of a received block. A longer one is bad.
    pub block_text_bytes_max: usize,
    /// The longest text of a sent block; longer records are cut.
    pub send_text_bytes_max: usize,
    /// So long nothing follows a block that is whole. Short: each answer waits for it.
    pub quiet: Duration,
    /// A block whose rest does not come within is bad.
    pub block_silence: Duration,
    /// A session in which nothing comes for so long has ended half-way.
    pub session_silence: Duration,
    /// We answer within, with a refusal if nobody has decided; and a sender waits so long and half as long again.
    pub reply: Duration,
    /// How often a block is sent in total before the session is given up.
    pub tries_max: u8,
    /// Between two blocks that nobody answers.
    pub gap: Duration,
    /// Input kept behind a block that nobody has answered; beyond it fewer bytes are taken than given.
    pub buffered_bytes_max: usize,
    /// The longest message a session may make.
    pub session_bytes_max: usize,
}

impl Config {
    /// How long a sender waits for an answer.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.reply + self.reply / 2
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            answers: Answers::Silent,
            block_text_bytes_max: 4096,
            send_text_bytes_max: 1024,
            quiet: Duration::from_millis(50),
            block_silence: Duration::from_secs(2),
            session_silence: Duration::from_mins(1),
            reply: Duration::from_secs(10),
            tries_max: 6,
            gap: Duration::from_millis(100),
            buffered_bytes_max: 128 * 1024,
            session_bytes_max: 16 * 1024 * 1024,
        }
    }
}
