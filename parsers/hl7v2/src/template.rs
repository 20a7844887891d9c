//! An acknowledgement laid down byte for byte.

use crate::acknowledge::Reply;
use crate::delimiters::Delimiters;
use crate::escape::escape;
use crate::grammar;
use crate::message::Message;
use crate::path::Path;

/// The text of an answer with places to fill in, for analysers that count separators instead of reading HL7.
///
/// Lines are segments (each gets a CR). `{MSH-10}` is what stands there in the message that is answered, raw;
/// `{now}`, `{control_id}`, `{code}`, `{text}` and `{condition}` come from the answer. `{MSH-9.2}` and the like work too;
/// what the message does not hold is empty. `{OBX-1 if MSH-10=5 else OBR-3}` is the first place where the message holds
/// just that text at the place behind `if`, and else the second. There is no escape for a brace: no acknowledgement contains one.
///
/// ```
/// use hl7v2::AckTemplate;
/// let template = "MSH|^~\\&|LIS||{MSH-3}||{now}||ACK^{MSH-9.2}|{MSH-10}|P|2.3.1||||{MSH-16}||ASCII|||
///                 MSA|{code}|{MSH-10}|{text}|{OBX-1}||{condition}|";
/// assert!(AckTemplate::parse(template).is_ok());
/// assert!(AckTemplate::parse("MSA|{code}").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckTemplate {
    pieces: Vec<Piece>,
    /// Those of its own first line.
    delimiters: Delimiters,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    FromMessage(Path),
    /// `then` where `at` holds `is`, else `other`.
    Choice {
        at: Path,
        is: String,
        then: Path,
        other: Path,
    },
    Now,
    ControlId,
    Code,
    Text,
    Condition,
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A brace is not closed, or closed without being opened.
    #[error("line {line} of the acknowledgement has a brace without its partner")]
    Brace {
        /// The line, from 1.
        line: usize,
    },
    /// A name in braces is not known.
    #[error(
        "line {line} of the acknowledgement asks for `{{{name}}}`; known are now, control_id, code, text, condition, places such as MSH-10, and choices such as OBX-1 if MSH-10=5 else OBR-3"
    )]
    Name {
        /// The line, from 1.
        line: usize,
        /// The name between the braces.
        name: String,
    },
    /// It does not begin with MSH and its delimiters, or has no line that begins with MSA.
    #[error("an acknowledgement begins with MSH and five different delimiters, and has an MSA line")]
    Segments,
}

/// The Chinese dialect of 2.3.1 (Mindray BS and CL, YHLO): 19 separators in MSH, MSA-6 present, MSH-16 echoed.
const DIALECT_231: &str = "MSH|^~\\&|{MSH-5}|{MSH-6}|{MSH-3}|{MSH-4}|{now}||ACK^{MSH-9.2}|{MSH-10}|{MSH-11}|2.3.1||||{MSH-16}||ASCII|||\nMSA|{code}|{MSH-10}|{text}|||{condition}|";

impl AckTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// When a brace has no partner, a name is not known, or MSH or MSA is missing.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let lines: Vec<&str> =
            text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect();
        let delimiters = lines.first().and_then(|line| delimiters_of(line)).ok_or(TemplateError::Segments)?;
        if !lines.iter().any(|line| line.starts_with("MSA")) {
            return Err(TemplateError::Segments);
        }
        let mut pieces = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            read_line(line, n + 1, &mut pieces)?;
            pieces.push(Piece::Literal("\r".into()));
        }
        Ok(Self { pieces, delimiters })
    }

    /// The answer of the Chinese dialect of 2.3.1: at least 19 separators in MSH and an MSA-6.
    #[must_use]
    pub fn dialect_231() -> Self {
        Self::parse(DIALECT_231).unwrap_or(Self { pieces: Vec::new(), delimiters: Delimiters::standard() })
    }

    /// The segments besides MSH that it asks for.
    pub fn segments_asked(&self) -> impl Iterator<Item = &str> {
        let paths = self.pieces.iter().flat_map(|piece| match piece {
            Piece::FromMessage(path) => [Some(path), None, None],
            Piece::Choice { at, then, other, .. } => [Some(at), Some(then), Some(other)],
            Piece::Literal(_)
            | Piece::Now
            | Piece::ControlId
            | Piece::Code
            | Piece::Text
            | Piece::Condition => [None; 3],
        });
        paths.flatten().map(Path::segment).filter(|name| *name != "MSH")
    }

    pub(crate) fn fill(&self, message: &Message<'_>, reply: &Reply<'_>) -> String {
        let mut answer = String::with_capacity(256);
        let delimiters = self.delimiters;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => answer.push_str(text),
                Piece::FromMessage(path) => answer.push_str(text_of(message, path)),
                Piece::Choice { at, is, then, other } => {
                    let path = if text_of(message, at) == is { then } else { other };
                    answer.push_str(text_of(message, path));
                }
                Piece::Now => answer.push_str(reply.now),
                Piece::ControlId => answer.push_str(&escape(reply.control_id, delimiters)),
                Piece::Code => answer.push_str(reply.answer.code()),
                Piece::Text => answer.push_str(&escape(reply.text, delimiters)),
                Piece::Condition => answer.push_str(reply.condition()),
            }
        }
        answer
    }
}

/// The delimiters that a template's first line names.
fn delimiters_of(line: &str) -> Option<Delimiters> {
    let (_, header) = grammar::header_start(line).ok().filter(|_| line.starts_with("MSH"))?;
    Delimiters::from_header(&(char::from(header.separator).to_string() + header.encoding))
}

/// What the message holds at a place. MSH is read as its sender laid it out.
fn text_of<'a>(message: &Message<'a>, path: &Path) -> &'a str {
    let header = message.header().filter(|_| path.segment() == "MSH");
    let Some(header) = header else { return message.get(path).map_or("", |part| part.raw()) };
    let Some(field) = header.field(path.field()) else { return "" };
    let Some(number) = path.component() else { return field.raw() };
    field.repetition(path.repetition().unwrap_or(1)).and_then(|r| r.component(number)).map_or("", |c| c.raw())
}

fn read_line(line: &str, number: usize, pieces: &mut Vec<Piece>) -> Result<(), TemplateError> {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, next) = after.split_once('}').ok_or(TemplateError::Brace { line: number })?;
        push_literal(before, number, pieces)?;
        pieces.push(named(name, number)?);
        rest = next;
    }
    push_literal(rest, number, pieces)
}

fn push_literal(text: &str, line: usize, pieces: &mut Vec<Piece>) -> Result<(), TemplateError> {
    if text.contains('}') {
        return Err(TemplateError::Brace { line });
    }
    pieces.push(Piece::Literal(text.to_owned()));
    Ok(())
}

fn named(name: &str, line: usize) -> Result<Piece, TemplateError> {
    Ok(match name {
        "now" => Piece::Now,
        "control_id" => Piece::ControlId,
        "code" => Piece::Code,
        "text" => Piece::Text,
        "condition" => Piece::Condition,
        place => {
            let unknown = || TemplateError::Name { line, name: place.to_owned() };
            match place.split_once(" if ") {
                None => Piece::FromMessage(Path::parse(place).map_err(|_| unknown())?),
                Some((then, rest)) => choice(then, rest).ok_or_else(unknown)?,
            }
        }
    })
}

/// `OBX-1` and `MSH-10=5 else OBR-3`.
fn choice(then: &str, rest: &str) -> Option<Piece> {
    let (when, other) = rest.split_once(" else ")?;
    let (at, is) = when.split_once('=')?;
    let path = |text: &str| Path::parse(text.trim()).ok();
    Some(Piece::Choice { at: path(at)?, is: is.trim().to_owned(), then: path(then)?, other: path(other)? })
}
