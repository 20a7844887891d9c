//! `[link]`: the shape of the link settings.

use super::{Text, Texts};
use crate::link::{
    AckMode, BlockAnswers, Checksum, Close, FrameNumbers, Framing, Interrupts, LinkRole, MessageEnd,
    OnUnusable, SegmentEnds, TcpRole, Terminator,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// Exactly one of them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Link {
    pub(crate) lis01: Option<Spanned<Lis01>>,
    pub(crate) mllp: Option<Spanned<Mllp>>,
    pub(crate) directory: Option<Spanned<Directory>>,
    pub(crate) unframed: Option<Spanned<Unframed>>,
    pub(crate) pk_blocks: Option<Spanned<PkBlocks>>,
}

/// CLSI LIS01 / ASTM E1381.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Lis01 {
    pub(crate) we_are: Option<LinkRole>,
    pub(crate) analyser_tcp: Option<TcpRole>,
    pub(crate) framing: Option<Framing>,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) frame_numbers: Option<Spanned<FrameNumbers>>,
    pub(crate) interrupts: Option<Interrupts>,
    pub(crate) frame_text_bytes_max: Option<Spanned<usize>>,
    pub(crate) send_text_bytes_max: Option<Spanned<usize>>,
    pub(crate) tries_max: Option<Spanned<u8>>,
    pub(crate) message_end: Option<MessageEnd>,
    pub(crate) timers_ms: Timers,
}

/// The timers T1 to T7 and the reply duty in milliseconds; absent ones as the standard has them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Timers {
    pub(crate) t1: Option<u64>,
    pub(crate) t2: Option<u64>,
    pub(crate) t3: Option<u64>,
    pub(crate) t4: Option<u64>,
    pub(crate) t5: Option<u64>,
    pub(crate) t6: Option<u64>,
    pub(crate) t7: Option<u64>,
    /// Within how long we answer.
    pub(crate) reply: Option<Spanned<u64>>,
}

/// HL7 over MLLP.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mllp {
    pub(crate) analyser_tcp: Option<TcpRole>,
    pub(crate) default_port: Option<u16>,
    pub(crate) block_bytes_max: Option<Spanned<usize>>,
    pub(crate) outstanding_max: Option<Spanned<usize>>,
    pub(crate) answer_timeout_ms: Option<u64>,
    pub(crate) acknowledge: Option<AckMode>,
    pub(crate) on_unusable: Option<OnUnusable>,
    /// The answer's segments as templates; absent: as the standard has it.
    pub(crate) template: Option<Texts>,
    /// Bytes that mean nothing between blocks; absent: heartbeats (02) and line ends.
    pub(crate) ignored_between_blocks: Option<Spanned<Vec<u8>>>,
    /// MLLP release 2.
    pub(crate) commit_blocks: Option<bool>,
    pub(crate) close: Option<Close>,
    pub(crate) segment_ends: Option<SegmentEnds>,
    /// Fields of MSH that are sent under other numbers, `{ "9" = 6, "10" = 7 }`.
    pub(crate) header: Option<Spanned<BTreeMap<String, usize>>>,
}

/// Files in a folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Directory {
    /// `*` and `?` as usual.
    pub(crate) pattern: Option<Text>,
    pub(crate) file_bytes_max: Option<Spanned<usize>>,
    /// A file is taken when it has not grown for so long.
    pub(crate) settle_ms: Option<u64>,
}

/// LIS02 records without a link.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Unframed {
    pub(crate) analyser_tcp: Option<TcpRole>,
    /// Whether every message has its L record.
    pub(crate) terminator: Option<Terminator>,
    pub(crate) message_bytes_max: Option<Spanned<usize>>,
    /// After so long without a byte, what has come is all that comes.
    pub(crate) silence_ms: Option<u64>,
}

/// The PK block protocol.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PkBlocks {
    pub(crate) analyser_tcp: Option<TcpRole>,
    /// Whether blocks are answered; not unless the maker's manual says so.
    pub(crate) answers: Option<BlockAnswers>,
    pub(crate) block_text_bytes_max: Option<Spanned<usize>>,
    pub(crate) session_bytes_max: Option<Spanned<usize>>,
    pub(crate) quiet_ms: Option<u64>,
    pub(crate) block_silence_ms: Option<u64>,
    pub(crate) session_silence_ms: Option<u64>,
    pub(crate) reply_ms: Option<u64>,
}
