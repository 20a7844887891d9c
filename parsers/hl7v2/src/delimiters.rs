//! The characters that separate things (MSH-1 and MSH-2).

use std::fmt;

/// The delimiters of one message. All are ASCII, visible, neither letters nor digits, and different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiters {
    pub(crate) field: u8,
    pub(crate) component: Option<u8>,
    pub(crate) repetition: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) subcomponent: Option<u8>,
    pub(crate) truncation: Option<u8>,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self::standard()
    }
}

impl Delimiters {
    /// `|^~\&`, the ones that HL7 recommends.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            field: b'|',
            component: Some(b'^'),
            repetition: Some(b'~'),
            escape: Some(b'\\'),
            subcomponent: Some(b'&'),
            truncation: None,
        }
    }

    /// The delimiters that a header names: MSH-1, then the characters of MSH-2 in their order. `None` if one of
    /// them cannot be a delimiter, if two are the same, or if there are fewer than five or more than six.
    #[must_use]
    pub fn from_header(characters: &str) -> Option<Self> {
        let bytes = characters.as_bytes();
        let (&[field, component, repetition, escape, subcomponent], rest) = bytes.split_first_chunk::<5>()?;
        let truncation = match rest {
            [] => None,
            [truncation] => Some(*truncation),
            _ => return None,
        };
        let distinct =
            bytes.iter().enumerate().all(|(n, b)| !bytes.iter().skip(n + 1).any(|other| other == b));
        (distinct && bytes.iter().all(|byte| is_usable(*byte))).then_some(Self {
            field,
            component: Some(component),
            repetition: Some(repetition),
            escape: Some(escape),
            subcomponent: Some(subcomponent),
            truncation,
        })
    }

    /// MSH-1.
    #[must_use]
    pub fn field(&self) -> char {
        char::from(self.field)
    }

    /// The first character of MSH-2, usually `^`.
    #[must_use]
    pub fn component(&self) -> Option<char> {
        self.component.map(char::from)
    }

    /// The second character of MSH-2, usually `~`.
    #[must_use]
    pub fn repetition(&self) -> Option<char> {
        self.repetition.map(char::from)
    }

    /// The third character of MSH-2, usually `\`.
    #[must_use]
    pub fn escape(&self) -> Option<char> {
        self.escape.map(char::from)
    }

    /// The fourth character of MSH-2, usually `&`.
    #[must_use]
    pub fn subcomponent(&self) -> Option<char> {
        self.subcomponent.map(char::from)
    }

    /// The fifth character of MSH-2, usually absent; `#` since 2.7.
    #[must_use]
    pub fn truncation(&self) -> Option<char> {
        self.truncation.map(char::from)
    }

    /// The same delimiters with those filled in that the header did not name, for writing an answer.
    /// The usual ones where they are free, else the first free sign.
    #[must_use]
    pub fn completed(mut self) -> Self {
        if self.component.is_none() {
            self.component = self.free(b'^');
        }
        if self.repetition.is_none() {
            self.repetition = self.free(b'~');
        }
        if self.escape.is_none() {
            self.escape = self.free(b'\\');
        }
        if self.subcomponent.is_none() {
            self.subcomponent = self.free(b'&');
        }
        self
    }

    fn free(&self, wanted: u8) -> Option<u8> {
        let taken = [self.component, self.repetition, self.escape, self.subcomponent, self.truncation];
        let is_free = |byte: &u8| *byte != self.field && !taken.contains(&Some(*byte));
        std::iter::once(wanted).chain(*b"^~\\&@#$%!;").find(is_free)
    }

    /// Nothing separates anything: for MSH-1 and MSH-2, which hold the delimiters themselves.
    pub(crate) fn none(self) -> Self {
        Self { component: None, repetition: None, escape: None, subcomponent: None, truncation: None, ..self }
    }

    /// The letter that stands for a delimiter inside an escape sequence.
    pub(crate) fn escaped_letter(&self, byte: u8) -> Option<char> {
        let byte_of = Some(byte);
        if byte == self.field {
            Some('F')
        } else if byte_of == self.component {
            Some('S')
        } else if byte_of == self.subcomponent {
            Some('T')
        } else if byte_of == self.repetition {
            Some('R')
        } else if byte_of == self.escape {
            Some('E')
        } else if byte_of == self.truncation {
            Some('P')
        } else {
            None
        }
    }
}

/// MSH-2 as it is written.
impl fmt::Display for Delimiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [self.component, self.repetition, self.escape, self.subcomponent, self.truncation];
        all.into_iter().flatten().try_for_each(|byte| write!(f, "{}", char::from(byte)))
    }
}

/// Whether a byte may be a delimiter: visible ASCII, neither letter nor digit.
pub(crate) fn is_usable(byte: u8) -> bool {
    byte.is_ascii_punctuation()
}
