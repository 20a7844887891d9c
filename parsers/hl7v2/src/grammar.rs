//! The grammar of the small pieces: header, segment name, escape sequence, path, message type.

use crate::delimiters::is_usable;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n};
use nom::character::complete::{alpha1, anychar, char as sign, digit1, hex_digit1, one_of};
use nom::combinator::{all_consuming, map, map_opt, map_res, opt, recognize, value, verify};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

/// A segment ends at any of these; HL7 2.x §2.4 knows CR only, the field sends the others too.
pub(crate) const TERMINATORS: [char; 3] = ['\r', '\n', '\0'];

/// Whether a segment ends here.
pub(crate) const fn is_terminator(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// The beginning of a header: its name, MSH-1, and MSH-2 up to the next separator.
pub(crate) struct HeaderStart<'a> {
    pub(crate) separator: u8,
    pub(crate) encoding: &'a str,
}

/// `MSH`, `FHS` or `BHS`, one character, and what follows up to that character or the end of the line.
pub(crate) fn header_start(text: &str) -> IResult<&str, HeaderStart<'_>> {
    let (rest, _) = alt((tag("MSH"), tag("FHS"), tag("BHS"))).parse(text)?;
    let usable = |c: char| u8::try_from(c).ok().filter(|byte| is_usable(*byte));
    let (rest, separator) = map_opt(anychar, usable).parse(rest)?;
    let ends = |c: char| u8::try_from(c).is_ok_and(|byte| byte == separator || is_terminator(byte));
    let (rest, encoding) = take_while(|c| !ends(c)).parse(rest)?;
    Ok((rest, HeaderStart { separator, encoding }))
}

/// A segment name: a capital, then two capitals or digits.
pub(crate) fn segment_name(bytes: &[u8]) -> IResult<&[u8], &[u8]> {
    let capital_or_digit = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    verify(take_while_m_n(3, 3, capital_or_digit), |name: &[u8]| {
        name.first().is_some_and(u8::is_ascii_uppercase)
    })
    .parse(bytes)
}

/// What stands between two escape characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sequence<'a> {
    /// `F S T R E P`: a delimiter of this message.
    Delimiter(char),
    /// `X` and an even number of hexadecimal digits.
    Hexadecimal(&'a str),
    /// `.br`: a line break.
    LineBreak,
    /// `H` and `N`: highlighting begins and ends; no text.
    Highlight,
    /// A formatting command, a character set switch or a local sequence: known as a form, kept as it is.
    Kept,
}

/// The inside of a sequence, whole.
pub(crate) fn sequence(inside: &str) -> Option<Sequence<'_>> {
    let whole = alt((delimiter, highlight, hexadecimal, line_break, kept));
    all_consuming(whole).parse(inside).ok().map(|(_, found)| found)
}

fn delimiter(inside: &str) -> IResult<&str, Sequence<'_>> {
    map(one_of("FSTREP"), Sequence::Delimiter).parse(inside)
}

fn highlight(inside: &str) -> IResult<&str, Sequence<'_>> {
    value(Sequence::Highlight, one_of("HN")).parse(inside)
}

fn line_break(inside: &str) -> IResult<&str, Sequence<'_>> {
    value(Sequence::LineBreak, tag(".br")).parse(inside)
}

fn hexadecimal(inside: &str) -> IResult<&str, Sequence<'_>> {
    let even = verify(hex_digit1, |digits: &str| digits.len().is_multiple_of(2));
    map(preceded(sign('X'), even), Sequence::Hexadecimal).parse(inside)
}

fn kept(inside: &str) -> IResult<&str, Sequence<'_>> {
    let command = (sign('.'), alpha1, take_while(|c: char| c.is_ascii_digit() || "+- ".contains(c)));
    let switch = (one_of("CM"), hex_digit1);
    let local = (sign('Z'), take_while(|c: char| !c.is_control()));
    value(Sequence::Kept, alt((recognize(command), recognize(switch), recognize(local)))).parse(inside)
}

/// The numbers of a path after its segment name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PathParts<'a> {
    pub(crate) segment: &'a str,
    pub(crate) field: u16,
    pub(crate) repetition: Option<u16>,
    pub(crate) component: Option<u16>,
    pub(crate) subcomponent: Option<u16>,
}

/// `OBX-5`, `OBX-8[2].1`, `SPM-2.1.1`, whole.
pub(crate) fn path(text: &str) -> Option<PathParts<'_>> {
    let name = terminated(take_while_m_n(3, 3, |c: char| c.is_ascii_alphanumeric()), sign('-'));
    let repetition = delimited(sign('['), number, sign(']'));
    let components = (preceded(sign('.'), number), opt(preceded(sign('.'), number)));
    let whole = all_consuming((name, number, opt(repetition), opt(components))).parse(text);
    let (_, (segment, field, repetition, components)) = whole.ok()?;
    let (component, subcomponent) = components.map_or((None, None), |(c, s)| (Some(c), s));
    Some(PathParts { segment, field, repetition, component, subcomponent })
}

fn number(text: &str) -> IResult<&str, u16> {
    map_res(digit1, str::parse).parse(text)
}

/// Whether a field begins like a message type with its event, `AAA^Ann` (HL7 2.x §2.14.9.9, tables 0076 and 0003).
pub(crate) fn is_message_type(text: &str, component: char) -> bool {
    let capitals = take_while_m_n(3, 3, |c: char| c.is_ascii_uppercase());
    let event = (
        take_while_m_n(1, 1, |c: char| c.is_ascii_uppercase()),
        take_while_m_n(2, 2, |c: char| c.is_ascii_alphanumeric()),
    );
    let mut whole = (capitals, sign(component), event);
    let parsed: IResult<&str, _> = whole.parse(text);
    parsed.is_ok_and(|(rest, _)| rest.is_empty() || rest.starts_with(component))
}
