//! Limits and habits of one connection.

use std::time::Duration;

/// How a connection is read and written. Every limit has a default that fits the analysers known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The longest block that is taken, in bytes. A longer one is reported with its beginning, and skipped.
    /// 4 MiB: some analysers embed images.
    pub block_bytes_max: usize,
    /// How many blocks may wait for their answer before no more input is taken. Roche x800 sends 5 ahead.
    pub outstanding_max: usize,
    /// How many bytes those blocks may have together before no more input is taken.
    pub outstanding_bytes_max: usize,
    /// Bytes that mean nothing between blocks and are only counted: heartbeats (02), line ends.
    pub ignored_between_blocks: Vec<u8>,
    /// Release 2: an accepted block is answered by a commit block first, a refused one by its opposite.
    pub commit_blocks: bool,
    /// How long a sender waits for an answer.
    pub answer_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            block_bytes_max: 4 * 1024 * 1024,
            outstanding_max: 32,
            outstanding_bytes_max: 16 * 1024 * 1024,
            ignored_between_blocks: vec![0x02, b'\r', b'\n'],
            commit_blocks: false,
            answer_timeout: Duration::from_secs(30),
        }
    }
}
