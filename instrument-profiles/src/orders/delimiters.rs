//! The delimiters that orders are written with, and how texts are kept apart from them.

use std::borrow::Cow;
use vocabulary::Protocol;

/// One protocol's set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiters {
    Lis02(lis02::Delimiters),
    Hl7(hl7v2::Delimiters),
}

impl Delimiters {
    /// The usual set. Files and PK sessions have none, and no orders.
    pub(crate) fn standard(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Hl7v2 => Self::Hl7(hl7v2::Delimiters::standard()),
            Protocol::Lis02 | Protocol::Delimited | Protocol::PkBlocks => {
                Self::Lis02(lis02::Delimiters::STANDARD)
            }
        }
    }

    /// As a header names them: field, repeat, component and escape in LIS02; `|^~\&` in HL7.
    pub(crate) fn parse(text: &str, protocol: Protocol) -> Result<Self, String> {
        match protocol {
            Protocol::Hl7v2 => hl7v2::Delimiters::from_header(text)
                .map(Self::Hl7)
                .ok_or_else(|| format!("{text:?} are no HL7 delimiters; the usual ones are \"|^~\\\\&\"")),
            Protocol::Lis02 | Protocol::Delimited | Protocol::PkBlocks => {
                let mut marks = text.chars();
                let found = marks.next().zip(marks.next()).zip(marks.next());
                let made = found.and_then(|((field, repeat), component)| {
                    lis02::Delimiters::new(field, repeat, component, marks.next())
                });
                made.filter(|_| marks.next().is_none()).map(Self::Lis02).ok_or_else(|| {
                    format!("{text:?} are no LIS02 delimiters: field, repeat, component, escape, as in \"|\\\\^&\"")
                })
            }
        }
    }

    /// The text so that it is one text to whoever reads it; `None` when these delimiters cannot write it.
    pub(crate) fn escape<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        match self {
            Self::Lis02(delimiters) => lis02::escape(text, *delimiters),
            Self::Hl7(delimiters) => Some(hl7v2::escape(text, *delimiters)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_named_as_a_header_names_them() {
        for (text, protocol, written) in [
            ("|\\^&", Protocol::Lis02, Some("a&F&b&S&c&E&d&XD&".replace("&XD&", "&X0D&"))),
            ("|@^\\", Protocol::Lis02, Some("a\\F\\b\\S\\c&d\\X0D\\".to_owned())),
            ("|^~\\&", Protocol::Hl7v2, Some("a\\F\\b\\S\\c\\T\\d\\X0D\\".to_owned())),
            ("|\\^", Protocol::Lis02, None),
        ] {
            let delimiters = Delimiters::parse(text, protocol).unwrap();
            assert_eq!(delimiters.escape("a|b^c&d\r").map(Cow::into_owned), written, "{text}");
        }
        for text in ["", "|", "|\\^&x", "||^&", "ab^&"] {
            assert!(Delimiters::parse(text, Protocol::Lis02).is_err(), "{text:?}");
        }
        assert!(Delimiters::parse("||", Protocol::Hl7v2).is_err());
    }
}
