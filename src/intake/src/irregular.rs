//! What is not as it should be on a line, sorted into few kinds that can be counted, and said in words.
//!
//! Words never hold a frame's text: they go into the log and onto the board, where no donor data belongs.

use lis01::{Anomaly, AnomalyKind};
use serde::Serialize;

/// Kinds of irregularity. The names are labels of a metric: few, and the same for every dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Irregularity {
    /// Bytes outside of any frame or block.
    Noise,
    /// A frame or block that is damaged or not formed as it should be; taken or refused as the profile says.
    Damaged,
    /// A frame with another number than was due.
    OutOfOrder,
    /// The same frame or file again.
    Repeated,
    /// Both sides wanted the line, or the analyser asked to interrupt us.
    Contention,
    /// Longer than anything may be.
    Oversize,
    /// A frame, block or transfer that was broken off.
    BrokenOff,
    /// We did not answer in time.
    Overdue,
    /// An answer or a commit to nothing.
    Unasked,
    /// A message of ours that did not arrive.
    Undelivered,
    /// A connection that was not let in.
    TurnedAway,
    /// A connection that had to make room for another.
    Displaced,
    /// The socket or the serial line broke.
    LineBroke,
    /// A certificate or a handshake.
    Tls,
    /// A file that cannot be taken or put away.
    File,
    /// Anything else.
    Other,
}

impl Irregularity {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Noise,
        Self::Damaged,
        Self::OutOfOrder,
        Self::Repeated,
        Self::Contention,
        Self::Oversize,
        Self::BrokenOff,
        Self::Overdue,
        Self::Unasked,
        Self::Undelivered,
        Self::TurnedAway,
        Self::Displaced,
        Self::LineBroke,
        Self::Tls,
        Self::File,
        Self::Other,
    ];

    /// Its name in JSON and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Damaged => "damaged",
            Self::OutOfOrder => "out_of_order",
            Self::Repeated => "repeated",
            Self::Contention => "contention",
            Self::Oversize => "oversize",
            Self::BrokenOff => "broken_off",
            Self::Overdue => "overdue",
            Self::Unasked => "unasked",
            Self::Undelivered => "undelivered",
            Self::TurnedAway => "turned_away",
            Self::Displaced => "displaced",
            Self::LineBroke => "line_broke",
            Self::Tls => "tls",
            Self::File => "file",
            Self::Other => "other",
        }
    }

    /// Its name for people, in English and Chinese.
    #[must_use]
    pub fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Noise => ("noise", "帧外字节"),
            Self::Damaged => ("damaged", "帧损坏"),
            Self::OutOfOrder => ("out of order", "帧号不符"),
            Self::Repeated => ("repeated", "重复"),
            Self::Contention => ("contention", "线路争用"),
            Self::Oversize => ("too long", "超长"),
            Self::BrokenOff => ("broken off", "中断"),
            Self::Overdue => ("answered late", "应答超时"),
            Self::Unasked => ("unasked answer", "无主应答"),
            Self::Undelivered => ("not delivered", "未送达"),
            Self::TurnedAway => ("turned away", "拒绝接入"),
            Self::Displaced => ("displaced", "被新连接取代"),
            Self::LineBroke => ("line broke", "线路断开"),
            Self::Tls => ("TLS", "TLS"),
            Self::File => ("file", "文件"),
            Self::Other => ("other", "其他"),
        }
    }
}

/// What the LIS01 link found, in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkFound {
    pub(crate) kind: Irregularity,
    pub(crate) what: String,
    /// The analyser was answered NAK for it.
    pub(crate) refused: bool,
}

impl From<&Anomaly> for LinkFound {
    fn from(anomaly: &Anomaly) -> Self {
        let Anomaly { kind, at, bytes_skipped } = anomaly;
        let dropped = *bytes_skipped > 0;
        let (kind, refused, what) = match kind {
            AnomalyKind::Noise => {
                (Irregularity::Noise, false, format!("{bytes_skipped} bytes outside of any frame"))
            }
            AnomalyKind::BadFrame(defect) => {
                (Irregularity::Damaged, true, format!("a frame is no good: {defect}"))
            }
            AnomalyKind::ChecksumWrong { computed, found } => {
                let what = format!(
                    "a frame was taken although its checksum is {found:02X}, computed {computed:02X}"
                );
                (Irregularity::Damaged, false, what)
            }
            AnomalyKind::ChecksumAbsent => {
                (Irregularity::Damaged, false, "a frame was taken although it has no checksum".to_owned())
            }
            AnomalyKind::RestrictedByte(byte) => {
                let what = format!("a frame was taken although {byte:#04x} stands in its text");
                (Irregularity::Damaged, false, what)
            }
            AnomalyKind::NumberOutOfOrder { expected, found } => {
                (Irregularity::OutOfOrder, dropped, format!("frame {found} came where {expected} was due"))
            }
            AnomalyKind::NumberReused(number) => {
                let what = format!(
                    "frame {number} came again with another text: frames were lost, or a peer began anew"
                );
                (Irregularity::OutOfOrder, dropped, what)
            }
            AnomalyKind::FrameBeforeAnswer => {
                (Irregularity::OutOfOrder, true, "a frame came before the last one was answered".to_owned())
            }
            AnomalyKind::AnswerOverdue => {
                (Irregularity::Overdue, true, "a frame was not on the disk in time".to_owned())
            }
            AnomalyKind::FrameBrokenOff => (
                Irregularity::BrokenOff,
                false,
                "a frame was broken off by the end of the transfer".to_owned(),
            ),
            AnomalyKind::InputDropped => {
                let what = format!(
                    "the connection closed behind an unanswered frame; {bytes_skipped} bytes dropped"
                );
                (Irregularity::BrokenOff, false, what)
            }
            AnomalyKind::StaleAnswer => (
                Irregularity::Unasked,
                false,
                "an answer came before there was anything to answer".to_owned(),
            ),
        };
        Self { kind, refused, what: format!("{what} (byte {at} of the connection)") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lis01::FrameDefect;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_words_in_both_languages() {
        let names: BTreeSet<&str> = Irregularity::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Irregularity::ALL.len());
        for kind in Irregularity::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            let (en, zh) = kind.said();
            assert!(!en.is_empty() && !zh.is_empty());
        }
    }

    #[test]
    fn what_was_answered_nak_counts_as_refused() {
        let check = |kind: AnomalyKind, bytes_skipped: u64, expect: Irregularity, refused: bool| {
            let found = LinkFound::from(&Anomaly { kind, at: 7, bytes_skipped });
            assert_eq!((found.kind, found.refused), (expect, refused), "{}", found.what);
            assert!(found.what.ends_with("(byte 7 of the connection)"));
        };
        check(AnomalyKind::Noise, 3, Irregularity::Noise, false);
        check(AnomalyKind::BadFrame(FrameDefect::TooLong), 9, Irregularity::Damaged, true);
        check(AnomalyKind::ChecksumAbsent, 0, Irregularity::Damaged, false);
        check(AnomalyKind::NumberOutOfOrder { expected: 2, found: 4 }, 9, Irregularity::OutOfOrder, true);
        check(AnomalyKind::NumberOutOfOrder { expected: 2, found: 4 }, 0, Irregularity::OutOfOrder, false);
        check(AnomalyKind::AnswerOverdue, 0, Irregularity::Overdue, true);
    }
}
