//! A frame's bytes (LIS01 §6.3), written and read whole.
//!
//! ```text
//!  STX  FN  text…  ETB|ETX  C1 C2  CR  LF
//!       └── summed ───────┘
//! ```

use crate::control::{CR, ETB, ETX, LF, STX};
use crate::event::{FrameDefect, FrameEnd};
use crate::reader::{ChecksumFound, FrameReader, FrameRules, Progress, ReadFrame};

/// A frame number, 0–7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameNumber(u8);

impl FrameNumber {
    /// The first number after every establishment.
    pub const FIRST: Self = Self(1);

    /// From a number; `None` above 7.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (number <= 7).then_some(Self(number))
    }

    /// From its ASCII digit.
    #[must_use]
    pub fn from_digit(digit: u8) -> Option<Self> {
        digit.checked_sub(b'0').and_then(Self::new)
    }

    /// The number of the next new frame: 1…7, 0, 1…
    #[must_use]
    pub fn next(self) -> Self {
        Self((self.0 + 1) % 8)
    }

    /// 0–7.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }

    /// Its ASCII digit.
    #[must_use]
    pub fn digit(self) -> u8 {
        b'0' + self.0
    }
}

impl FrameEnd {
    /// The byte that says so.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Intermediate => ETB,
            Self::End => ETX,
        }
    }
}

/// The sum of `bytes` modulo 256. For a frame: from its number up to and including ETB or ETX.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

/// Writes one frame, with its checksum in upper case. `number` is `None` where the dialect has none.
#[must_use]
pub fn encode_frame(number: Option<FrameNumber>, end: FrameEnd, text: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(text.len() + 7);
    frame.push(STX);
    frame.extend(number.map(FrameNumber::digit));
    frame.extend_from_slice(text);
    frame.push(end.byte());
    let sum = checksum(frame.get(1..).unwrap_or_default());
    frame.extend([hex_digit(sum >> 4), hex_digit(sum & 0x0F), CR, LF]);
    frame
}

pub(crate) fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }
}

/// The value of a hexadecimal digit of either case.
pub(crate) fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// A frame read from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedFrame {
    /// `None` when read without numbers.
    pub number: Option<FrameNumber>,
    /// How it ends.
    pub end: FrameEnd,
    /// Its text.
    pub text: Vec<u8>,
}

/// Why bytes are not one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They do not begin with STX.
    #[error("the bytes do not begin with STX")]
    NoStart,
    /// Something is wrong inside, [`FrameDefect::Unfinished`] when bytes are missing.
    #[error("{0}")]
    Defect(FrameDefect),
    /// More bytes follow the frame.
    #[error("the frame ends after {frame_bytes} bytes and more follow")]
    Trailing {
        /// Length of the frame.
        frame_bytes: usize,
    },
}

/// Reads one whole numbered frame, checksum required: the inverse of [`encode_frame`].
///
/// # Errors
/// [`DecodeError`] says what is wrong.
pub fn decode_frame(bytes: &[u8]) -> Result<DecodedFrame, DecodeError> {
    let Some((&STX, rest)) = bytes.split_first() else {
        return Err(DecodeError::NoStart);
    };
    let rules = FrameRules { numbered: true, checksum_may_be_absent: false, text_bytes_max: rest.len() };
    let mut reader = FrameReader::new(&rules);
    let (used, progress) = reader.read(rest, &rules);
    let frame = match progress {
        Progress::Whole(frame) => frame,
        Progress::Bad(defect) => return Err(DecodeError::Defect(defect)),
        Progress::More | Progress::BrokenOff => return Err(DecodeError::Defect(FrameDefect::Unfinished)),
    };
    if used < rest.len() {
        return Err(DecodeError::Trailing { frame_bytes: used + 1 });
    }
    let ReadFrame { number, end, text, checksum, .. } = frame;
    match checksum {
        ChecksumFound::Right => Ok(DecodedFrame { number, end, text: text.into_owned() }),
        ChecksumFound::Wrong { computed, found } => {
            Err(DecodeError::Defect(FrameDefect::Checksum { computed, found }))
        }
        ChecksumFound::Absent => Err(DecodeError::Defect(FrameDefect::Unfinished)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Vectors of protocols.md §1.3, computed by other means.
    const VECTORS: [(&[u8], &[u8]); 3] = [
        (b"1Test\x03", b"D4"),
        (b"1H|\\^&||||||||||P||20210108143403\r\x03", b"C2"),
        (b"0L|1|N\r\x03", b"03"),
    ];

    #[test]
    fn checksums_are_those_of_the_verified_vectors() {
        for (summed, digits) in VECTORS {
            let number = FrameNumber::from_digit(summed[0]);
            let text = &summed[1..summed.len() - 1];
            let whole = [&[STX], summed, digits, &[CR, LF]].concat();
            assert_eq!(encode_frame(number, FrameEnd::End, text), whole);
            assert_eq!(decode_frame(&whole).map(|frame| frame.text), Ok(text.to_vec()));
            let lower = [&[STX], summed, &digits.to_ascii_lowercase()[..], &[CR, LF]].concat();
            assert_eq!(decode_frame(&lower).map(|frame| frame.text), Ok(text.to_vec()));
        }
    }

    #[test]
    fn the_checksum_of_an_intermediate_frame_sums_etb_and_not_etx() {
        assert_eq!(
            encode_frame(FrameNumber::new(1), FrameEnd::Intermediate, b"Test"),
            b"\x021Test\x17E8\r\n"
        );
        assert!(decode_frame(b"\x021Test\x17D4\r\n").is_err());
    }

    #[test]
    fn what_is_not_one_frame_is_refused_with_its_reason() {
        use FrameDefect as D;
        let check =
            |bytes: &[u8], expect: DecodeError| assert_eq!(decode_frame(bytes), Err(expect), "{bytes:?}");
        check(b"", DecodeError::NoStart);
        check(b"1Test\x03D4\r\n", DecodeError::NoStart);
        check(b"\x02", DecodeError::Defect(D::Unfinished));
        check(b"\x021Test\x03D4\r", DecodeError::Defect(D::Unfinished));
        check(b"\x021Test\x03D4\r\n\n", DecodeError::Trailing { frame_bytes: 11 });
        check(b"\x028Test\x03DB\r\n", DecodeError::Defect(D::Number(b'8')));
        check(b"\x021Te\x02st\x03D6\r\n", DecodeError::Defect(D::Control(STX)));
        check(b"\x021Test\x03G4\r\n", DecodeError::Defect(D::ChecksumDigit(b'G')));
        check(b"\x021Test\x03D5\r\n", DecodeError::Defect(D::Checksum { computed: 0xD4, found: 0xD5 }));
        check(b"\x021Test\x03D4\n", DecodeError::Defect(D::Trailer(LF)));
        check(b"\x021Test\x03D4\r*", DecodeError::Defect(D::Trailer(b'*')));
    }

    #[test]
    fn numbers_run_from_one_over_seven_and_zero_to_one() {
        let mut number = FrameNumber::FIRST;
        let mut run = Vec::new();
        for _ in 0..9 {
            run.push(number.get());
            number = number.next();
        }
        assert_eq!(run, [1, 2, 3, 4, 5, 6, 7, 0, 1]);
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let plain = any::<u8>().prop_filter("not restricted", |&byte| !crate::control::is_restricted(byte));
        proptest::collection::vec(plain, 0..300)
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_it_back(number in 0u8..8, last: bool, text in text()) {
            let number = FrameNumber::new(number);
            let end = if last { FrameEnd::End } else { FrameEnd::Intermediate };
            let bytes = encode_frame(number, end, &text);
            prop_assert_eq!(decode_frame(&bytes), Ok(DecodedFrame { number, end, text }));
        }
    }
}
