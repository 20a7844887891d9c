//! Writing a message. Escaping and counting fields are done here, never by the caller.

use crate::delimiters::Delimiters;
use crate::escape::escape;
use crate::grammar;

/// A message that is being written; every segment ends with CR.
///
/// ```
/// use hl7v2::{Delimiters, MessageBuilder};
/// let mut message = MessageBuilder::new(Delimiters::standard());
/// message.header().at(9).field("ACK").component("R22").field("4711");
/// message.segment("MSA").field("AA").field("a|b");
/// assert_eq!(message.finish().unwrap(), "MSH|^~\\&|||||||ACK^R22|4711\rMSA|AA|a\\F\\b\r");
/// ```
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    delimiters: Delimiters,
    text: String,
    error: Option<BuildError>,
}

/// What the caller got wrong; the first such thing is reported by [`MessageBuilder::finish`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The name is not three capitals or digits that begin with a capital.
    #[error("`{name}` is no segment name; use three capitals or digits, such as OBX or ZE1")]
    SegmentName {
        /// The name as it was given.
        name: String,
    },
    /// Fields are written in ascending order.
    #[error(
        "field {segment}-{number} was asked for after {segment}-{reached} was written; write fields in ascending order"
    )]
    FieldOrder {
        /// The segment's name.
        segment: String,
        /// The number that was asked for.
        number: usize,
        /// The number that was reached.
        reached: usize,
    },
    /// Raw text holds a field separator or a segment terminator and would change the fields after it.
    #[error(
        "the raw text of {segment}-{number} holds a field separator or a line end; write it as text instead"
    )]
    RawText {
        /// The segment's name.
        segment: String,
        /// The field's number.
        number: usize,
    },
}

/// An acknowledgement fits into it; a longer message grows.
const TEXT_BYTES_EXPECTED: usize = 256;

impl MessageBuilder {
    /// An empty message. Delimiters that are missing are filled in ([`Delimiters::completed`]).
    #[must_use]
    pub fn new(delimiters: Delimiters) -> Self {
        let text = String::with_capacity(TEXT_BYTES_EXPECTED);
        Self { delimiters: delimiters.completed(), text, error: None }
    }

    /// The delimiters that are written.
    #[must_use]
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// Begins the message header; MSH-1 and MSH-2 are written, the next field is MSH-3.
    pub fn header(&mut self) -> SegmentBuilder<'_> {
        let mut segment = self.segment("MSH");
        let encoding = segment.message.delimiters.to_string();
        segment.message.text.push(segment.message.delimiters.field());
        segment.message.text.push_str(&encoding);
        segment.reached = 2;
        segment
    }

    /// Begins a segment; the next field is its first.
    pub fn segment(&mut self, name: &str) -> SegmentBuilder<'_> {
        if !grammar::segment_name(name.as_bytes()).is_ok_and(|(rest, _)| rest.is_empty()) {
            self.fail(BuildError::SegmentName { name: name.to_owned() });
        }
        self.text.push_str(name);
        SegmentBuilder { name: name.to_owned(), message: self, reached: 0 }
    }

    /// The message.
    ///
    /// # Errors
    /// The first thing that the caller got wrong.
    pub fn finish(self) -> Result<String, BuildError> {
        self.error.map_or(Ok(self.text), Err)
    }

    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }
}

/// A segment that is being written; it ends when this is dropped.
#[derive(Debug)]
pub struct SegmentBuilder<'m> {
    message: &'m mut MessageBuilder,
    name: String,
    /// The number of the field that was written last.
    reached: usize,
}

impl SegmentBuilder<'_> {
    /// Goes forward, so that the next field has this number; what lies between stays empty.
    pub fn at(&mut self, number: usize) -> &mut Self {
        if number <= self.reached {
            let (segment, reached) = (self.name.clone(), self.reached);
            self.message.fail(BuildError::FieldOrder { segment, number, reached });
        }
        while self.reached + 1 < number {
            self.field("");
        }
        self
    }

    /// The next field, with this text as its first component; see [`Self::component`].
    pub fn field(&mut self, text: &str) -> &mut Self {
        self.reached += 1;
        let separator = self.message.delimiters.field();
        self.push(Some(separator), text)
    }

    /// The next field, "delete": `""`.
    pub fn null(&mut self) -> &mut Self {
        self.raw("\"\"")
    }

    /// The next field as it shall stand on the line, delimiters and escapes included.
    pub fn raw(&mut self, raw: &str) -> &mut Self {
        self.reached += 1;
        let separator = self.message.delimiters.field();
        if raw.contains(separator) || raw.contains(grammar::TERMINATORS) {
            let (segment, number) = (self.name.clone(), self.reached);
            self.message.fail(BuildError::RawText { segment, number });
        }
        self.message.text.push(separator);
        self.message.text.push_str(raw);
        self
    }

    /// One more component of the field that was written last.
    pub fn component(&mut self, text: &str) -> &mut Self {
        self.push(self.message.delimiters.component(), text)
    }

    /// One more subcomponent of the component that was written last.
    pub fn subcomponent(&mut self, text: &str) -> &mut Self {
        self.push(self.message.delimiters.subcomponent(), text)
    }

    /// One more repetition of the field that was written last.
    pub fn repetition(&mut self, text: &str) -> &mut Self {
        self.push(self.message.delimiters.repetition(), text)
    }

    fn push(&mut self, delimiter: Option<char>, text: &str) -> &mut Self {
        self.message.text.extend(delimiter);
        self.message.text.push_str(&escape(text, self.message.delimiters));
        self
    }
}

impl Drop for SegmentBuilder<'_> {
    fn drop(&mut self) {
        self.message.text.push('\r');
    }
}
