//! Writing messages: delimiters, escaping, CR after every record.

use crate::delimiters::Delimiters;
use crate::escape::escape_into;
use crate::record_type::RecordType;

/// Why a message cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The text needs escaping and the delimiters name no escape character.
    #[error(
        "cannot write {text:?}: it holds delimiters or control characters, and no escape character is set"
    )]
    CannotEscape {
        /// The text.
        text: String,
    },
    /// The delimiters name no character for this division.
    #[error("cannot write several {what}: the delimiters have no character between them")]
    CannotDivide {
        /// "repeats" or "components".
        what: &'static str,
    },
    /// Not a type letter.
    #[error("cannot write a record of type {letter:?}: a type is one ASCII letter")]
    NotALetter {
        /// The character.
        letter: char,
    },
}

/// Writes one or several messages. What is written reads back the same.
///
/// ```
/// use lis02::{Delimiters, Writer};
/// let mut message = Writer::new(Delimiters::STANDARD);
/// message.record('H').fields(["", "", "host"]);
/// message.record('P').field("1");
/// message.record('O').field("1").field("D0001").field("").components(&["", "", "", "HBsAg"]);
/// message.record('L').field("1").field("F");
/// assert_eq!(message.finish()?, "H|\\^&|||host\rP|1\rO|1|D0001||^^^HBsAg\rL|1|F\r");
/// # Ok::<(), lis02::WriteError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Writer {
    delimiters: Delimiters,
    text: String,
    error: Option<WriteError>,
}

impl Writer {
    /// An empty message.
    #[must_use]
    pub fn new(delimiters: Delimiters) -> Self {
        Self { delimiters, text: String::new(), error: None }
    }

    /// Begins a record of this type letter, and ends the one before. H gets its second field, the delimiters, by
    /// itself: the first field added to it is H-3.
    pub fn record(&mut self, letter: char) -> RecordWriter<'_> {
        self.end_record();
        self.text.push(letter);
        match RecordType::from_letter(letter) {
            None => self.fail(WriteError::NotALetter { letter }),
            Some(RecordType::Header) => {
                let named = self.delimiters.header_field();
                self.text.push(self.delimiters.field());
                self.text.push_str(&named);
            }
            Some(_) => {}
        }
        RecordWriter { writer: self }
    }

    /// The text with every record ended by CR.
    ///
    /// # Errors
    /// The first thing that could not be written.
    pub fn finish(mut self) -> Result<String, WriteError> {
        self.end_record();
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.text),
        }
    }

    /// The records one by one, each with its CR, as a link sends them: one to a frame.
    ///
    /// # Errors
    /// The first thing that could not be written.
    pub fn finish_records(self) -> Result<Vec<String>, WriteError> {
        Ok(self.finish()?.split_inclusive('\r').map(str::to_owned).collect())
    }

    fn end_record(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\r') {
            self.text.push('\r');
        }
    }

    fn fail(&mut self, error: WriteError) {
        self.error.get_or_insert(error);
    }

    fn push_escaped(&mut self, text: &str) {
        if !escape_into(text, self.delimiters, &mut self.text) {
            self.fail(WriteError::CannotEscape { text: text.to_owned() });
        }
    }

    fn push_divider(&mut self, divider: Option<char>, what: &'static str) {
        match divider {
            Some(divider) => self.text.push(divider),
            None => self.fail(WriteError::CannotDivide { what }),
        }
    }
}

/// Adds fields to a record, one after the other.
#[derive(Debug)]
pub struct RecordWriter<'w> {
    writer: &'w mut Writer,
}

impl RecordWriter<'_> {
    /// A field of one value, escaped where it must be.
    pub fn field(&mut self, text: &str) -> &mut Self {
        self.components(&[text])
    }

    /// Several fields of one value each.
    pub fn fields<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> &mut Self {
        for text in texts {
            self.field(text);
        }
        self
    }

    /// A field of several components.
    pub fn components(&mut self, components: &[&str]) -> &mut Self {
        self.repeats(&[components])
    }

    /// A field of several repeats of several components each.
    pub fn repeats(&mut self, repeats: &[&[&str]]) -> &mut Self {
        let delimiters = self.writer.delimiters;
        self.writer.text.push(delimiters.field());
        for (r, repeat) in repeats.iter().enumerate() {
            if r > 0 {
                self.writer.push_divider(delimiters.repeat(), "repeats");
            }
            for (c, component) in repeat.iter().enumerate() {
                if c > 0 {
                    self.writer.push_divider(delimiters.component(), "components");
                }
                self.writer.push_escaped(component);
            }
        }
        self
    }
}
