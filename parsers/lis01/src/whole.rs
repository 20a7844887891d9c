//! The usual case without the reader's stages: a faultless frame that lies in the input whole, as TCP delivers them.

use crate::control::{CR, ETB, ETX, LF, STX};
use crate::event::FrameEnd;
use crate::frame::{FrameNumber, checksum, hex_value};
use crate::reader::{ChecksumFound, FrameRules, ReadFrame};
use memchr::memchr2;
use std::borrow::Cow;

/// The frame at the start of `bytes` and its length. `None` if it is not whole or anything about it is unusual: the
/// reader then says what.
pub(crate) fn whole_frame<'a>(bytes: &'a [u8], rules: &FrameRules) -> Option<(ReadFrame<'a>, usize)> {
    let summed = bytes.strip_prefix(&[STX])?;
    let number = match summed.first() {
        Some(digit) if rules.numbered => Some(FrameNumber::from_digit(*digit)?),
        _ => None,
    };
    let length = memchr2(ETX, ETB, summed)?;
    let (text, behind) = summed.split_at_checked(length)?;
    let text = text.get(usize::from(rules.numbered)..)?;
    let &[end, high, low, CR, LF, ..] = behind else { return None };
    let (sum, plain) = look_at(text);
    let sum = sum.wrapping_add(number.map_or(0, FrameNumber::digit)).wrapping_add(end);
    let right = (hex_value(high)? << 4) | hex_value(low)? == sum;
    if !right || !plain || text.len() > rules.text_bytes_max {
        return None;
    }
    let end = if end == ETB { FrameEnd::Intermediate } else { FrameEnd::End };
    let text = Cow::Borrowed(text);
    let frame = ReadFrame { number, end, text, checksum: ChecksumFound::Right, restricted: None };
    Some((frame, 1 + length + 5))
}

/// The sum of `text`, and whether it holds no byte below blank but CR. Both in one pass over whole vectors: a text
/// is short, and what is done a byte at a time at its end would be most of the work.
fn look_at(text: &[u8]) -> (u8, bool) {
    const LANES: usize = 16;
    const FILL: u8 = b' ';
    let (vectors, rest) = text.as_chunks::<LANES>();
    let mut last = [FILL; LANES];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    let (mut sums, mut controls) = ([0_u8; LANES], [0_u8; LANES]);
    for vector in vectors.iter().chain(std::iter::once(&last)) {
        for ((sum, control), byte) in sums.iter_mut().zip(&mut controls).zip(vector) {
            *sum = sum.wrapping_add(*byte);
            *control |= u8::from(*byte < b' ') & u8::from(*byte != CR);
        }
    }
    let filled = (LANES - rest.len()).to_le_bytes()[0].wrapping_mul(FILL);
    (checksum(&sums).wrapping_sub(filled), controls.iter().all(|control| *control == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode_frame;
    use crate::reader::{FrameReader, Progress};
    use proptest::prelude::*;

    /// What the reader makes of the same bytes.
    fn read(bytes: &[u8], rules: &FrameRules) -> Option<(ReadFrame<'static>, usize)> {
        let (used, progress) = FrameReader::new(rules).read(&bytes[1..], rules);
        match progress {
            Progress::Whole(frame) => Some((frame, used + 1)),
            Progress::More | Progress::Bad(_) | Progress::BrokenOff => None,
        }
    }

    fn content(
        read: &(ReadFrame<'_>, usize),
    ) -> (Option<FrameNumber>, FrameEnd, Vec<u8>, ChecksumFound, usize) {
        let (frame, used) = read;
        assert_eq!(frame.restricted, None);
        (frame.number, frame.end, frame.text.to_vec(), frame.checksum, *used)
    }

    fn rules(numbered: bool, text_bytes_max: usize) -> FrameRules {
        FrameRules { numbered, checksum_may_be_absent: !numbered, text_bytes_max }
    }

    proptest! {
        #[test]
        fn a_faultless_frame_is_read_at_once_whatever_follows(
            number in 0_u8..8, last: bool, numbered: bool, text in "[ -~\r]{0,300}", behind: Vec<u8>,
        ) {
            let number = FrameNumber::new(number).filter(|_| numbered);
            let end = if last { FrameEnd::End } else { FrameEnd::Intermediate };
            let mut bytes = encode_frame(number, end, text.as_bytes());
            let length = bytes.len();
            bytes.extend(behind);
            let rules = rules(numbered, text.len());
            let found = whole_frame(&bytes, &rules).map(|read| content(&read));
            let expect = (number, end, text.into_bytes(), ChecksumFound::Right, length);
            prop_assert_eq!(found, Some(expect));
        }

        #[test]
        fn where_it_sees_a_frame_the_reader_sees_the_same(
            numbered: bool, text in "[ -~\r\x02-\x05\x17]{0,40}", text_bytes_max in 0_usize..60,
            flips in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 0..3),
        ) {
            let number = FrameNumber::new(3).filter(|_| numbered);
            let mut bytes = encode_frame(number, FrameEnd::End, text.as_bytes());
            for (at, bit) in flips {
                let at = 1 + at.index(bytes.len() - 1);
                bytes[at] ^= 1 << bit;
            }
            let rules = rules(numbered, text_bytes_max);
            if let Some(found) = whole_frame(&bytes, &rules) {
                prop_assert_eq!(read(&bytes, &rules).map(|read| content(&read)), Some(content(&found)));
            }
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_reader() {
        let strict = rules(true, 64_000);
        for bytes in [
            b"\x021Test\x03D4\r".as_slice(),
            b"\x021Test\x03D5\r\n",
            b"\x021Test\x03D4\n\r",
            b"\x021Te\x11st\x03E5\r\n",
            b"\x028Test\x03DB\r\n",
            b"\x02\x0303\r\n",
            b"1Test\x03D4\r\n",
            b"",
        ] {
            assert!(whole_frame(bytes, &strict).is_none(), "{bytes:?}");
        }
        assert!(whole_frame(b"\x021Test\x03d4\r\n", &strict).is_some());
    }
}
