//! Bytes as people read them: text as it is, control characters by their names in angle brackets.
//!
//! Captures of the catalogue and traces of a running line are written in it: `<STX>1H|\^&<CR><ETX>7A<CR><LF>`.
//! `<xE9>` is one byte in hexadecimal, `<LT>` a plain `<` where a name follows.

const NAMES: [(&str, u8); 18] = [
    ("NUL", 0x00),
    ("SOH", 0x01),
    ("STX", 0x02),
    ("ETX", 0x03),
    ("EOT", 0x04),
    ("ENQ", 0x05),
    ("ACK", 0x06),
    ("TAB", 0x09),
    ("LF", 0x0A),
    ("VT", 0x0B),
    ("CR", 0x0D),
    ("DLE", 0x10),
    ("NAK", 0x15),
    ("SYN", 0x16),
    ("ETB", 0x17),
    ("FS", 0x1C),
    ("SP", 0x20),
    ("LT", b'<'),
];

/// The bytes that a text of this notation stands for. Every text stands for some: what is no known name is itself.
#[must_use]
pub fn read(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, after) = named(after).unwrap_or((b'<', after));
        bytes.push(byte);
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Bytes in this notation, on one line: [`read`] gives them back. Nothing in it moves a terminal's cursor, and no
/// blank stands at either end.
#[must_use]
pub fn write(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut left = bytes.len();
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(character) = rest.chars().next() {
            let (this, after) = rest.split_at(character.len_utf8());
            let at_an_end = left == bytes.len() || left == 1;
            left -= this.len();
            rest = after;
            match character {
                '<' if named(after).is_some() => text.push_str("<LT>"),
                ' ' if at_an_end => text.push_str("<SP>"),
                ' ' => text.push(' '),
                c if c.is_control() || c.is_whitespace() || hides(c) => {
                    this.bytes().for_each(|byte| write_byte(&mut text, byte));
                }
                c => text.push(c),
            }
        }
        left -= chunk.invalid().len();
        chunk.invalid().iter().for_each(|byte| write_byte(&mut text, *byte));
    }
    text
}

/// The byte that a name in front of `>` stands for, and what follows it.
fn named(text: &str) -> Option<(u8, &str)> {
    let (name, after) = text.split_once('>')?;
    let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, byte)| *byte);
    let byte = known.or_else(|| {
        let digits =
            name.strip_prefix('x').filter(|d| d.len() == 2 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u8::from_str_radix(digits, 16).ok()
    });
    byte.map(|byte| (byte, after))
}

fn write_byte(text: &mut String, byte: u8) {
    if let Some((name, _)) = NAMES.iter().find(|(_, known)| *known == byte) {
        return text.extend(["<", name, ">"]);
    }
    text.push_str("<x");
    for half in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(u32::from(half), 16).map(|digit| digit.to_ascii_uppercase()));
    }
    text.push('>');
}

/// Characters that show nothing or turn the direction of what follows.
pub(crate) fn hides(character: char) -> bool {
    matches!(u32::from(character), 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_written_as_people_read_them() {
        for (bytes, text) in [
            (&b"\x05"[..], "<ENQ>"),
            (b"\x021H|\\^&\r\x037A\r\n", "<STX>1H|\\^&<CR><ETX>7A<CR><LF>"),
            (b"R|1|<0.05|S/CO", "R|1|<0.05|S/CO"),
            (b"a<CR>b", "a<LT>CR>b"),
            (b"a<\r", "a<<CR>"),
            (b" a b ", "<SP>a b<SP>"),
            (b" ", "<SP>"),
            (b"\x1b[2J\x07\x7f", "<x1B>[2J<x07><x7F>"),
            (b"\xD1\xAA", "Ѫ"),
            (b"\xD1\xAA\xB3", "Ѫ<xB3>"),
            ("血\u{202E}站".as_bytes(), "血<xE2><x80><xAE>站"),
            (b"", ""),
        ] {
            assert_eq!(write(bytes), text, "{bytes:?}");
            assert_eq!(read(text), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_stands_for_itself() {
        for (text, bytes) in
            [("<XYZ>", &b"<XYZ>"[..]), ("a<b", b"a<b"), ("<x1>", b"<x1>"), ("<x+1>", b"<x+1>")]
        {
            assert_eq!(read(text), bytes);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let text = write(&bytes);
            prop_assert_eq!(&read(&text), &bytes);
            prop_assert!(!text.contains(|c: char| c.is_control()));
            prop_assert_eq!(text.trim(), text.as_str());
        }

        #[test]
        fn what_is_nearly_a_name_is_read_back(text in "(<|LT|CR|x4|1|>| ){0,20}") {
            prop_assert_eq!(read(&write(text.as_bytes())), text.as_bytes());
        }
    }
}
