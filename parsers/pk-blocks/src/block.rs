//! One block: its bytes written and read, and the cutting of a record into blocks.

/// Begins a block.
pub(crate) const STX: u8 = 0x02;
/// Ends the last block of a record.
pub(crate) const ETX: u8 = 0x03;
/// Ends a block whose record goes on.
pub(crate) const ETB: u8 = 0x17;
/// Bytes that every block of a record repeats.
pub(crate) const HEAD_BYTES: usize = 53;
/// The block number behind the head.
pub(crate) const NUMBER_BYTES: usize = 2;
/// The number of a record's last block.
pub(crate) const LAST_NUMBER: &[u8; NUMBER_BYTES] = b"EE";
/// A record has no more blocks than two digits count.
pub(crate) const RECORD_BLOCKS_MAX: usize = 100;
/// The type of record that always has block numbers: a specimen's results.
pub(crate) const NUMBERED: &[u8] = b"D ";

/// How a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockEnd {
    /// ETB: its record goes on in the next block.
    More,
    /// ETX: its record ends.
    Last,
}

impl BlockEnd {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::More => ETB,
            Self::Last => ETX,
        }
    }

    pub(crate) fn of(byte: u8) -> Option<Self> {
        match byte {
            ETB => Some(Self::More),
            ETX => Some(Self::Last),
            _ => None,
        }
    }
}

/// What is wrong with a block's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BlockDefect {
    /// They do not begin with STX.
    #[error("the bytes do not begin with STX")]
    NoStart,
    /// A control byte stands in the text.
    #[error("the control byte {0:#04x} stands in the text")]
    Control(u8),
    /// There is no text.
    #[error("there is no text")]
    Empty,
    /// The text is too long.
    #[error("the text is too long")]
    TooLong,
    /// The check byte is wrong.
    #[error("the check byte is {found:#04x}, computed {computed:#04x}")]
    Check {
        /// Computed from the bytes.
        computed: u8,
        /// On the line.
        found: u8,
    },
    /// Something other than a block follows without a pause: its end was none.
    #[error("{0:#04x} follows the end of the block")]
    Trailing(u8),
    /// The rest did not come.
    #[error("the block is unfinished")]
    Unfinished,
}

/// The XOR of all bytes.
#[must_use]
pub fn check_byte(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |check, byte| check ^ byte)
}

/// Whether a byte may stand in a text: no control byte may.
pub(crate) fn is_text(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7F
}

/// Writes one block. The text is the caller's to check ([`encode_record`] does).
#[must_use]
pub fn encode_block(text: &[u8], end: BlockEnd) -> Vec<u8> {
    let mut block = Vec::with_capacity(text.len() + 3);
    block.push(STX);
    block.extend_from_slice(text);
    block.push(end.byte());
    block.push(check_byte(block.get(1..).unwrap_or_default()));
    block
}

/// Reads one whole block: the inverse of [`encode_block`].
///
/// # Errors
/// [`BlockDefect`] says what is wrong.
pub fn decode_block(bytes: &[u8]) -> Result<(Vec<u8>, BlockEnd), BlockDefect> {
    let rest = bytes.strip_prefix(&[STX]).ok_or(BlockDefect::NoStart)?;
    let stop = rest.iter().position(|byte| !is_text(*byte)).ok_or(BlockDefect::Unfinished)?;
    let (text, behind) = rest.split_at_checked(stop).ok_or(BlockDefect::Unfinished)?;
    let control = behind.first().copied().unwrap_or(0);
    let end = BlockEnd::of(control).ok_or(BlockDefect::Control(control))?;
    let found = *behind.get(1).ok_or(BlockDefect::Unfinished)?;
    let computed = check_byte(text) ^ control;
    if computed != found {
        return Err(BlockDefect::Check { computed, found });
    }
    match (behind.get(2), text.is_empty()) {
        (Some(&trailing), _) => Err(BlockDefect::Trailing(trailing)),
        (None, true) => Err(BlockDefect::Empty),
        (None, false) => Ok((text.to_vec(), end)),
    }
}

/// Cuts one record, as [`Session`](crate::Session) makes it without its line end, into blocks. `None` when it is empty,
/// holds a control byte, or would need more than a hundred blocks.
#[must_use]
pub fn encode_record(record: &[u8], text_bytes_max: usize) -> Option<Vec<Vec<u8>>> {
    if record.is_empty() || !record.iter().all(|byte| is_text(*byte)) {
        return None;
    }
    if !record.starts_with(NUMBERED) && record.len() <= text_bytes_max {
        return Some(vec![encode_block(record, BlockEnd::Last)]);
    }
    let (head, content) = record.split_at_checked(HEAD_BYTES)?;
    let room = text_bytes_max.checked_sub(HEAD_BYTES + NUMBER_BYTES).filter(|room| *room > 0)?;
    let mut parts: Vec<&[u8]> = content.chunks(room).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    if parts.len() > RECORD_BLOCKS_MAX {
        return None;
    }
    let last = parts.len() - 1;
    let block = |(number, part): (usize, &&[u8])| {
        let digits = format!("{number:02}").into_bytes();
        let (shown, end) =
            if number == last { (&LAST_NUMBER[..], BlockEnd::Last) } else { (&digits[..], BlockEnd::More) };
        encode_block(&[head, shown, part].concat(), end)
    };
    Some(parts.iter().enumerate().map(block).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_byte_is_the_xor_behind_stx_with_the_end() {
        // S ^ B ^ 0 ^ 1 ^ ETX = 0x53 ^ 0x42 ^ 0x30 ^ 0x31 ^ 0x03.
        assert_eq!(encode_block(b"SB01", BlockEnd::Last), b"\x02SB01\x03\x13");
        assert_eq!(decode_block(b"\x02SB01\x03\x13"), Ok((b"SB01".to_vec(), BlockEnd::Last)));
    }

    #[test]
    fn what_is_no_block_is_named() {
        use BlockDefect as D;
        let check = |bytes: &[u8], expect: D| assert_eq!(decode_block(bytes), Err(expect), "{bytes:?}");
        check(b"", D::NoStart);
        check(b"SB01\x03\x13", D::NoStart);
        check(b"\x02SB01", D::Unfinished);
        check(b"\x02SB01\x03", D::Unfinished);
        check(b"\x02SB01\x03\x12", D::Check { computed: 0x13, found: 0x12 });
        check(b"\x02S\x02\x03\x13", D::Control(2));
        check(b"\x02SB01\x03\x13x", D::Trailing(b'x'));
        check(b"\x02\x03\x03", D::Empty);
    }

    #[test]
    fn a_long_record_is_cut_and_each_block_repeats_the_head() {
        let head = format!("D 01{}", "h".repeat(49));
        let record = format!("{head}abcdefgh");
        let texts = |max: usize| -> Vec<String> {
            let blocks = encode_record(record.as_bytes(), max).unwrap();
            blocks.iter().map(|block| String::from_utf8(decode_block(block).unwrap().0).unwrap()).collect()
        };
        assert_eq!(texts(1024), [format!("{head}EEabcdefgh")]);
        assert_eq!(texts(58), [format!("{head}00abc"), format!("{head}01def"), format!("{head}EEgh")]);
        assert_eq!(encode_record(b"SB01", 1024).unwrap(), [encode_block(b"SB01", BlockEnd::Last)]);
        assert_eq!(encode_record(record.as_bytes(), 55), None, "no room for content");
        assert_eq!(encode_record(b"D 01 short", 1024), None, "a numbered record has a head");
        assert_eq!(encode_record(b"SB\r1", 1024), None);
        assert_eq!(encode_record(&[b'Q'; 400], 56), None, "more than a hundred blocks");
    }
}
