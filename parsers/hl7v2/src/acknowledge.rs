//! Acknowledgements: written for a message, and read from a peer (HL7 2.x §2.9, MSA and ERR).

use crate::builder::MessageBuilder;
use crate::message::Message;
use crate::path::Path;
use crate::template::AckTemplate;
use std::borrow::Cow;

/// What is answered (table 0008): the first letter says who answers, the second how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// `AA`: accepted.
    AcceptAA,
    /// `AE`: an error in the message; sending it again unchanged will not help.
    ErrorAE,
    /// `AR`: refused for a reason that is not the message's; it may be sent again.
    RejectAR,
    /// `CA`: safe with the receiver (enhanced mode).
    AcceptCA,
    /// `CE`: not accepted because of an error (enhanced mode).
    ErrorCE,
    /// `CR`: refused (enhanced mode).
    RejectCR,
}

impl Answer {
    /// The code of table 0008.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AcceptAA => "AA",
            Self::ErrorAE => "AE",
            Self::RejectAR => "AR",
            Self::AcceptCA => "CA",
            Self::ErrorCE => "CE",
            Self::RejectCR => "CR",
        }
    }

    /// The answer with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::AcceptAA, Self::ErrorAE, Self::RejectAR, Self::AcceptCA, Self::ErrorCE, Self::RejectCR]
            .into_iter()
            .find(|answer| answer.code() == code)
    }

    /// Whether it says yes.
    #[must_use]
    pub fn is_accept(self) -> bool {
        matches!(self, Self::AcceptAA | Self::AcceptCA)
    }
}

/// Why a message is not accepted (table 0357).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 0: nothing is wrong.
    Accepted,
    /// 100: segments in the wrong order, or one missing.
    SegmentSequence,
    /// 101: a required field is missing.
    RequiredFieldMissing,
    /// 102: a field holds the wrong kind of value.
    DataType,
    /// 103: a code is in no table.
    TableValueNotFound,
    /// 200: the message type is not supported.
    UnsupportedMessageType,
    /// 201: the event is not supported.
    UnsupportedEventCode,
    /// 202: the processing id is not supported.
    UnsupportedProcessingId,
    /// 203: the version is not supported.
    UnsupportedVersion,
    /// 204: an identifier is not known.
    UnknownKeyIdentifier,
    /// 205: an identifier exists already.
    DuplicateKeyIdentifier,
    /// 206: the record is locked.
    RecordLocked,
    /// 207: the receiver has a fault of its own, such as no room to store.
    ApplicationInternal,
}

impl ErrorCode {
    /// The code of table 0357.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.code_and_text().0
    }

    fn code_and_text(self) -> (&'static str, &'static str) {
        match self {
            Self::Accepted => ("0", "Message accepted"),
            Self::SegmentSequence => ("100", "Segment sequence error"),
            Self::RequiredFieldMissing => ("101", "Required field missing"),
            Self::DataType => ("102", "Data type error"),
            Self::TableValueNotFound => ("103", "Table value not found"),
            Self::UnsupportedMessageType => ("200", "Unsupported message type"),
            Self::UnsupportedEventCode => ("201", "Unsupported event code"),
            Self::UnsupportedProcessingId => ("202", "Unsupported processing id"),
            Self::UnsupportedVersion => ("203", "Unsupported version id"),
            Self::UnknownKeyIdentifier => ("204", "Unknown key identifier"),
            Self::DuplicateKeyIdentifier => ("205", "Duplicate key identifier"),
            Self::RecordLocked => ("206", "Application record locked"),
            Self::ApplicationInternal => ("207", "Application internal error"),
        }
    }
}

/// What is wrong with the message that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub code: ErrorCode,
    /// Where, if it is one place.
    pub location: Option<Path>,
}

/// How the answer is laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Template {
    /// As the message's own version has it.
    #[default]
    Standard,
    /// Byte for byte as laid down by a profile.
    Exact(AckTemplate),
}

/// What an answer needs besides the message.
#[derive(Clone, Copy, Debug)]
pub struct AckSettings<'a> {
    /// How it is laid out.
    pub template: &'a Template,
    /// MSH-7 of the answer, as it shall stand there.
    pub now: &'a str,
    /// MSH-10 of the answer.
    pub control_id: &'a str,
}

/// The answer's own parts, for the templates.
pub(crate) struct Reply<'a> {
    pub(crate) now: &'a str,
    pub(crate) control_id: &'a str,
    pub(crate) answer: Answer,
    pub(crate) text: &'a str,
    pub(crate) fault: Option<Fault>,
}

impl Reply<'_> {
    /// MSA-6 of the older versions: the number alone.
    pub(crate) fn condition(&self) -> &'static str {
        let default =
            if self.answer.is_accept() { ErrorCode::Accepted } else { ErrorCode::ApplicationInternal };
        self.fault.map_or(default, |fault| fault.code).code()
    }
}

/// Writes the answer to a message. `text` goes to MSA-3 and is for people; `fault` says what is wrong.
///
/// Sender and receiver change places, MSH-10 of the message comes back in MSA-2 byte for byte, its delimiters and its
/// version are used. A message without a header is answered too, with MSA-2 empty. The last segment ends with CR.
#[must_use]
pub fn acknowledge(
    message: &Message<'_>,
    settings: &AckSettings<'_>,
    answer: Answer,
    text: &str,
    fault: Option<Fault>,
) -> String {
    let (now, control_id) = (settings.now, settings.control_id);
    let reply = Reply { now, control_id, answer, text, fault };
    match settings.template {
        Template::Exact(template) => template.fill(message, &reply),
        Template::Standard => standard(message, &reply),
    }
}

fn standard(message: &Message<'_>, reply: &Reply<'_>) -> String {
    let header = message.header();
    let field = |number| header.and_then(|header| header.field(number)).map_or("", |field| field.raw());
    // Without a version the one of IHE LAW is assumed.
    let at_least = |minor| field(12).is_empty() || header.is_some_and(|header| header.is_at_least(2, minor));
    let mut builder = MessageBuilder::new(message.delimiters());

    let mut msh = builder.header();
    msh.raw(field(5)).raw(field(6)).raw(field(3)).raw(field(4)).raw(reply.now);
    msh.at(9).field("ACK");
    let event = header.map_or("".into(), |header| header.trigger_event());
    if !event.is_empty() {
        msh.component(&event);
        if at_least(4) {
            msh.component("ACK");
        }
    }
    msh.field(reply.control_id);
    for (number, default) in [(11, "P"), (12, "2.5.1")] {
        if field(number).is_empty() {
            msh.field(default)
        } else {
            msh.raw(field(number))
        };
    }
    if let Some(kind) = header.and_then(|header| header.result_kind()).filter(|_| !at_least(4)) {
        msh.at(16).raw(kind);
    }
    if !field(18).is_empty() {
        msh.at(18).raw(field(18));
    }
    drop(msh);

    let mut msa = builder.segment("MSA");
    msa.field(reply.answer.code()).raw(field(10)).field(reply.text);
    let Some(fault) = reply.fault else {
        drop(msa);
        return builder.finish().unwrap_or_default();
    };
    let (code, meaning) = fault.code.code_and_text();
    if !at_least(5) {
        msa.at(6).field(code).component(meaning).component("HL70357");
    }
    drop(msa);
    let place = fault.location.map(|path| (path.segment().to_owned(), path.field().to_string()));
    let (segment, number) = place.unwrap_or_default();
    let mut err = builder.segment("ERR");
    if at_least(5) {
        err.at(2).field(&segment).component("").component(&number);
        err.field(code).component(meaning).component("HL70357").field("E");
        err.at(8).field(reply.text);
    } else {
        err.field(&segment).component("").component(&number);
        err.component(code).subcomponent(meaning).subcomponent("HL70357");
    }
    drop(err);
    builder.finish().unwrap_or_default()
}

/// An acknowledgement that a peer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement<'a> {
    /// MSA-1.
    pub answer: Answer,
    /// MSA-2: the control id of the message that is answered.
    pub control_id: Cow<'a, str>,
    /// MSA-3, or ERR-8 where MSA-3 is empty: what the peer says to people.
    pub text: Cow<'a, str>,
}

/// A message that is no acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnAcknowledgement {
    /// There is no MSA segment.
    #[error("the answer has no MSA segment")]
    WithoutMsa,
    /// MSA-1 is none of AA, AE, AR, CA, CE, CR.
    #[error("the answer's MSA-1 is `{code}`; expected AA, AE, AR, CA, CE or CR")]
    UnknownCode {
        /// The code that was sent.
        code: String,
    },
}

impl<'a> Acknowledgement<'a> {
    /// Reads the MSA segment of a message. Whose answer it is, the caller must check by [`Self::control_id`].
    ///
    /// # Errors
    /// When there is no MSA, or its code is unknown.
    pub fn read(message: &Message<'a>) -> Result<Self, NotAnAcknowledgement> {
        let msa = message.first("MSA").ok_or(NotAnAcknowledgement::WithoutMsa)?;
        let text = |number| msa.field(number).map_or("".into(), |field| field.text());
        let code: Cow<'_, str> = text(1);
        let unknown = || NotAnAcknowledgement::UnknownCode { code: code.clone().into_owned() };
        let answer = Answer::from_code(code.trim()).ok_or_else(unknown)?;
        let said = text(3);
        let user_text = || message.first("ERR").and_then(|err| err.field(8)).map_or("".into(), |f| f.text());
        let text_for_people = if said.is_empty() { user_text() } else { said };
        Ok(Self { answer, control_id: text(2), text: text_for_people })
    }
}
