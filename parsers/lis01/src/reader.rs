//! Reads one frame, byte by byte or many at once, from behind its STX to its LF.
//!
//! A damaged frame is read to its end all the same, so that it is answered once and nothing inside it is taken for a
//! control byte of the session: one flipped bit makes ENQ of `E` or EOT of `D`, and an ACK given to such an ENQ would
//! tell the sender that the frame was accepted. Hence STX, EOT and ENQ inside a frame only make it bad. The one
//! exception is EOT directly followed by ENQ, which no single error makes of a frame: the peer broke off and starts anew.

use crate::control::{CR, ENQ, EOT, ETB, ETX, LF, STX, is_restricted};
use crate::event::{FrameDefect, FrameEnd};
use crate::frame::{FrameNumber, checksum, hex_value};
use memchr::memchr2;
use std::borrow::Cow;

/// What a reader must know of the dialect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameRules {
    pub(crate) numbered: bool,
    pub(crate) checksum_may_be_absent: bool,
    pub(crate) text_bytes_max: usize,
}

/// How far the reading of a frame has come.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Bytes are missing.
    More,
    /// The frame is whole; its checksum is judged by the caller.
    Whole(ReadFrame<'static>),
    /// The frame is over and no good.
    Bad(FrameDefect),
    /// EOT and ENQ: the peer broke the frame off and asks to send anew.
    BrokenOff,
}

/// A frame whose form is right.
#[derive(Debug)]
pub(crate) struct ReadFrame<'a> {
    pub(crate) number: Option<FrameNumber>,
    pub(crate) end: FrameEnd,
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) checksum: ChecksumFound,
    /// The first byte the standard forbids in a text, and its offset in the text.
    pub(crate) restricted: Option<(u64, u8)>,
}

/// What stood in the place of the checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChecksumFound {
    Right,
    Wrong { computed: u8, found: u8 },
    Absent,
}

/// What the next byte has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Number,
    Text,
    /// The frame is bad: looking for its end.
    Skip,
    CheckHigh,
    CheckLow,
    Cr,
    Lf,
}

#[derive(Debug)]
pub(crate) struct FrameReader {
    stage: Stage,
    number: Option<FrameNumber>,
    end: FrameEnd,
    text: Vec<u8>,
    sum: u8,
    found: Option<u8>,
    restricted: Option<(u64, u8)>,
    defect: Option<FrameDefect>,
    /// The last byte was EOT inside the frame.
    after_eot: bool,
}

impl FrameReader {
    pub(crate) fn new(rules: &FrameRules) -> Self {
        Self {
            stage: if rules.numbered { Stage::Number } else { Stage::Text },
            number: None,
            end: FrameEnd::End,
            text: Vec::new(),
            sum: 0,
            found: None,
            restricted: None,
            defect: None,
            after_eot: false,
        }
    }

    /// Reads on; returns the bytes used, at least one if there is one.
    pub(crate) fn read(&mut self, bytes: &[u8], rules: &FrameRules) -> (usize, Progress) {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            if self.stage == Stage::Text {
                let used = self.read_text(rest, rules);
                rest = rest.get(used..).unwrap_or_default();
                continue;
            }
            rest = behind;
            let progress = self.step(byte, rules);
            if !matches!(progress, Progress::More) {
                return (bytes.len() - rest.len(), progress);
            }
        }
        (bytes.len(), Progress::More)
    }

    /// Whether bytes keep coming beyond the longest text: they buy no more time.
    pub(crate) fn is_too_long(&self) -> bool {
        self.defect == Some(FrameDefect::TooLong)
    }

    /// Whether the last byte so far was EOT. If nothing follows, the peer gave up in mid-frame.
    pub(crate) fn ends_in_eot(&self) -> bool {
        self.after_eot
    }

    /// The defect of a frame whose rest does not come.
    pub(crate) fn unfinished(&self) -> FrameDefect {
        self.defect.unwrap_or(FrameDefect::Unfinished)
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.text.capacity()
    }

    /// Takes text up to and including ETB or ETX, or up to the byte that makes the frame bad.
    fn read_text(&mut self, bytes: &[u8], rules: &FrameRules) -> usize {
        let stop = memchr2(ETX, ETB, bytes);
        let text = stop.and_then(|at| bytes.get(..at)).unwrap_or(bytes);
        if !holds_controls(text) && self.text.len() + text.len() <= rules.text_bytes_max {
            self.text.extend_from_slice(text);
            self.sum = self.sum.wrapping_add(checksum(text));
        } else {
            for (at, &byte) in text.iter().enumerate() {
                if !self.take_text_byte(byte, rules) {
                    return at + 1;
                }
            }
        }
        let Some(&end) = stop.and_then(|at| bytes.get(at)) else { return text.len() };
        self.finish_text(end);
        text.len() + 1
    }

    /// False when the byte made the frame bad.
    fn take_text_byte(&mut self, byte: u8, rules: &FrameRules) -> bool {
        if matches!(byte, STX | EOT | ENQ) {
            self.spoil(FrameDefect::Control(byte), byte);
            return false;
        }
        if self.text.len() >= rules.text_bytes_max {
            self.spoil(FrameDefect::TooLong, byte);
            return false;
        }
        if is_restricted(byte) && self.restricted.is_none() {
            self.restricted = Some((self.text.len() as u64, byte));
        }
        self.text.push(byte);
        self.sum = self.sum.wrapping_add(byte);
        true
    }

    fn finish_text(&mut self, end: u8) {
        self.end = if end == ETB { FrameEnd::Intermediate } else { FrameEnd::End };
        self.sum = self.sum.wrapping_add(end);
        self.stage = Stage::CheckHigh;
    }

    fn step(&mut self, byte: u8, rules: &FrameRules) -> Progress {
        match self.stage {
            Stage::Number => match FrameNumber::from_digit(byte) {
                Some(number) => {
                    self.number = Some(number);
                    self.sum = byte;
                    self.expect(Stage::Text)
                }
                None => self.spoil(FrameDefect::Number(byte), byte),
            },
            // Text is taken in bulk by `read_text`.
            Stage::Text | Stage::Skip => self.skip(byte),
            Stage::CheckHigh if byte == CR && rules.checksum_may_be_absent => self.expect(Stage::Lf),
            Stage::CheckHigh | Stage::CheckLow => match hex_value(byte) {
                Some(digit) => {
                    let low = self.stage == Stage::CheckLow;
                    self.found = Some(self.found.map_or(digit, |high| (high << 4) | digit));
                    self.expect(if low { Stage::Cr } else { Stage::CheckLow })
                }
                None => self.spoil(FrameDefect::ChecksumDigit(byte), byte),
            },
            Stage::Cr if byte == CR => self.expect(Stage::Lf),
            Stage::Lf if byte == LF => self.finish(),
            Stage::Lf if (byte ^ LF).is_power_of_two() => {
                // One bit away from LF: taken for it, so that the peer gets its NAK now and not after the reply duty.
                Progress::Bad(self.defect.unwrap_or(FrameDefect::Trailer(byte)))
            }
            Stage::Cr | Stage::Lf => self.spoil(FrameDefect::Trailer(byte), byte),
        }
    }

    fn expect(&mut self, stage: Stage) -> Progress {
        self.stage = stage;
        Progress::More
    }

    /// The frame is bad from `byte` on; its first defect is the one that counts. Nothing of it is kept.
    fn spoil(&mut self, defect: FrameDefect, byte: u8) -> Progress {
        self.defect.get_or_insert(defect);
        self.text = Vec::new();
        self.skip(byte)
    }

    /// Looks for the end of a bad frame: the two bytes after ETB or ETX and their CR LF, or a bare LF.
    fn skip(&mut self, byte: u8) -> Progress {
        if self.after_eot && byte == ENQ {
            return Progress::BrokenOff;
        }
        self.after_eot = byte == EOT;
        self.found = None;
        self.stage = Stage::Skip;
        match (byte, self.defect) {
            (LF, Some(defect)) => return Progress::Bad(defect),
            (ETX | ETB, _) => self.stage = Stage::CheckHigh,
            _ => {}
        }
        Progress::More
    }

    fn finish(&mut self) -> Progress {
        if let Some(defect) = self.defect {
            return Progress::Bad(defect);
        }
        let computed = self.sum;
        Progress::Whole(ReadFrame {
            number: self.number,
            end: self.end,
            text: Cow::Owned(std::mem::take(&mut self.text)),
            checksum: match self.found {
                None => ChecksumFound::Absent,
                Some(found) if found == computed => ChecksumFound::Right,
                Some(found) => ChecksumFound::Wrong { computed, found },
            },
            restricted: self.restricted,
        })
    }
}

/// Whether a byte below blank other than CR is among them. Without early exit, so that it is done many at a time.
fn holds_controls(bytes: &[u8]) -> bool {
    bytes.iter().map(|&byte| u8::from(byte < 0x20 && byte != CR)).fold(0, std::ops::BitOr::bitor) != 0
}
