//! The message header (MSH), also where a sender left fields out.

use crate::dialect::HeaderPlaces;
use crate::grammar::is_message_type;
use crate::message::Segment;
use crate::part::Field;
use std::borrow::Cow;

/// MSH with its usual fields by name.
///
/// Some analysers leave fields out, so that the type and what follows it stand too far to the left (Snibe: receiver
/// and security are missing, the type is in MSH-6). The type is found by its form `AAA^Ann`; MSH-10 to MSH-12 are counted
/// from there, MSH-7 is what stands before it, and everything else from MSH-5 on counts as not sent.
/// Where a [`crate::Dialect`] says which field stands where, that is heard and nothing is guessed.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    segment: Segment<'a>,
    places: &'a HeaderPlaces,
    shift: usize,
}

/// When the sender wants an answer (table 0155).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckCondition {
    /// `AL`.
    Always,
    /// `NE`.
    Never,
    /// `ER`: only when something is wrong.
    Error,
    /// `SU`: only when nothing is wrong.
    Success,
}

/// How the sender wants to be answered (HL7 2.x §2.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckMode {
    /// MSH-15 and MSH-16 empty: one answer, AA, AE or AR.
    Original,
    /// One of them is valued. `None`: that field is empty or holds an unknown code.
    Enhanced {
        /// MSH-15: the answer CA, CE or CR, when the message is safe.
        accept: Option<AckCondition>,
        /// MSH-16: the answer AA, AE or AR, when it is processed.
        application: Option<AckCondition>,
    },
}

impl AckCondition {
    fn from_code(code: &str) -> Option<Self> {
        let known = [("AL", Self::Always), ("NE", Self::Never), ("ER", Self::Error), ("SU", Self::Success)];
        let code = code.trim();
        known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(code)).map(|(_, condition)| condition)
    }

    /// Whether an answer is wanted, given how it went.
    #[must_use]
    pub fn wants(self, success: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Error => !success,
            Self::Success => success,
        }
    }
}

/// Where the type stands in the standard.
const TYPE: usize = 9;

impl<'a> Header<'a> {
    pub(crate) fn new(segment: Segment<'a>, places: &'a HeaderPlaces) -> Self {
        if !places.is_empty() {
            return Self { segment, places, shift: 0 };
        }
        let component = segment.field(2).and_then(|encoding| encoding.raw().chars().next()).unwrap_or('^');
        let is_type = |number: &usize| {
            segment.field(*number).is_some_and(|field| is_message_type(field.raw(), component))
        };
        let found = if is_type(&TYPE) { None } else { (3..TYPE).find(is_type) };
        Self { segment, places, shift: found.map_or(0, |number| TYPE - number) }
    }

    /// The segment itself.
    #[must_use]
    pub fn segment(&self) -> Segment<'a> {
        self.segment
    }

    /// How many fields too far left the message type stands; 0 in a header as it should be.
    #[must_use]
    pub fn shift(&self) -> usize {
        self.shift
    }

    /// The field that the standard gives this number, wherever the sender put it.
    #[must_use]
    pub fn field(&self, number: usize) -> Option<Field<'a>> {
        match number {
            _ if self.shift == 0 => self.segment.field(self.places.sent_as(number)?),
            0..=4 => self.segment.field(number),
            7 => self.segment.field(TYPE - self.shift - 1).filter(|time| looks_like_time(time.raw())),
            TYPE..=12 => self.segment.field(number - self.shift),
            _ => None,
        }
    }

    fn raw(&self, number: usize) -> &'a str {
        self.field(number).map_or("", |field| field.raw())
    }

    fn component(&self, number: usize, component: usize) -> Cow<'a, str> {
        self.field(number).and_then(|field| field.component(component)).map_or("".into(), |part| part.text())
    }

    /// MSH-9.1, such as `OUL`.
    #[must_use]
    pub fn message_code(&self) -> Cow<'a, str> {
        self.component(TYPE, 1)
    }

    /// MSH-9.2, such as `R22`.
    #[must_use]
    pub fn trigger_event(&self) -> Cow<'a, str> {
        self.component(TYPE, 2)
    }

    /// MSH-10 as it stands; it is echoed in MSA-2 byte for byte.
    #[must_use]
    pub fn control_id(&self) -> &'a str {
        self.raw(10)
    }

    /// MSH-12.1, such as `2.5.1`.
    #[must_use]
    pub fn version(&self) -> Cow<'a, str> {
        self.component(12, 1)
    }

    /// Whether the version is at least `major.minor`; false if it cannot be read.
    #[must_use]
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let version = self.version();
        let mut numbers = version.split('.').map(|number| number.trim().parse::<u32>().ok());
        let found = (numbers.next().flatten(), numbers.next().flatten());
        found.0.is_some() && (found.0, found.1.or(Some(0))) >= (Some(major), Some(minor))
    }

    /// MSH-16 where it is a digit: the kind of result in the Chinese dialect of 2.3.1 (Mindray: 0 patient sample,
    /// 1 calibration, 2 control). It is echoed, and never read as a wish for an answer.
    #[must_use]
    pub fn result_kind(&self) -> Option<&'a str> {
        let raw = self.raw(16);
        (!raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_digit())).then_some(raw)
    }

    /// Whether a field says anything; HL7's null, two quotation marks, says nothing.
    fn says(&self, field: usize) -> bool {
        !matches!(self.raw(field).trim(), "" | "\"\"")
    }

    /// Which answers the sender wants. A condition that is none of table 0155 is answered: who waits for an answer that
    /// does not come stands still.
    #[must_use]
    pub fn ack_mode(&self) -> AckMode {
        let [accept, application] = [15, 16].map(|field| AckCondition::from_code(self.raw(field)));
        match (accept, application) {
            // What says nothing that is known asks for nothing special: silence would only be waited out.
            (None, None) => AckMode::Original,
            (Some(_), None) if self.says(16) && self.result_kind().is_none() => {
                AckMode::Enhanced { accept, application: Some(AckCondition::Always) }
            }
            (Some(_), None) | (_, Some(_)) => AckMode::Enhanced { accept, application },
        }
    }
}

/// Fourteen digits or so: enough to tell a time from a name.
fn looks_like_time(raw: &str) -> bool {
    raw.len() >= 8 && raw.bytes().take(8).all(|byte| byte.is_ascii_digit())
}
