//! What a field is made of: repetitions, components, subcomponents. Cut only when asked for.

use crate::delimiters::Delimiters;
use crate::escape::unescape;
use memchr::memchr;
use std::borrow::Cow;
use std::ops::Range;

/// A stretch of a message: its raw text, its place, and the delimiters it is read with.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    raw: &'a str,
    start: usize,
    delimiters: Delimiters,
}

impl<'a> Part<'a> {
    pub(crate) fn new(raw: &'a str, start: usize, delimiters: Delimiters) -> Self {
        Self { raw, start, delimiters }
    }

    /// The text as it stands, escapes and all.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Where it stands, in bytes of the text that was read.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.raw.len()
    }

    /// The text it stands for. Meant for parts that are not cut further.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        unescape(self.raw, self.delimiters)
    }

    /// Nothing was sent: unknown or unchanged, never "delete".
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// `""`: the sender says that there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.raw == "\"\""
    }

    fn split(self, by: Option<u8>) -> Parts<'a> {
        Parts { rest: Some(self), by }
    }
}

/// The pieces of a part, in order; at least one.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    rest: Option<Part<'a>>,
    by: Option<u8>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let part = self.rest.take()?;
        let found = self.by.and_then(|by| find(by, part.raw));
        let Some((at, (before, after))) = found.and_then(|at| Some((at, part.raw.split_at_checked(at)?)))
        else {
            return Some(part);
        };
        // The delimiter is one byte long.
        let next = Part { raw: after.get(1..).unwrap_or_default(), start: part.start + at + 1, ..part };
        self.rest = Some(next);
        Some(Part { raw: before, ..part })
    }
}

/// Where a delimiter stands first. Most parts are empty: not worth a call.
pub(crate) fn find(byte: u8, text: &str) -> Option<usize> {
    if text.is_empty() { None } else { memchr(byte, text.as_bytes()) }
}

macro_rules! level {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<'a>(Part<'a>);

        impl<'a> $name<'a> {
            /// The text as it stands, escapes and all.
            #[must_use]
            pub fn raw(&self) -> &'a str {
                self.0.raw()
            }

            /// Where it stands, in bytes of the text that was read.
            #[must_use]
            pub fn range(&self) -> Range<usize> {
                self.0.range()
            }

            /// The text it stands for, taken as one piece.
            #[must_use]
            pub fn text(&self) -> Cow<'a, str> {
                self.0.text()
            }

            /// Nothing was sent: unknown or unchanged, never "delete".
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// `""`: the sender says that there is no value.
            #[must_use]
            pub fn is_null(&self) -> bool {
                self.0.is_null()
            }

            /// The same stretch without its level.
            #[must_use]
            pub fn part(&self) -> Part<'a> {
                self.0
            }
        }
    };
}

level!(
    /// A field: what stands between two field separators.
    Field
);
level!(
    /// One repetition of a field.
    Repetition
);
level!(
    /// One component of a repetition.
    Component
);
level!(
    /// One subcomponent of a component; nothing is below it.
    Subcomponent
);

/// The piece with this number, counted from 1.
fn numbered(mut parts: Parts<'_>, number: usize) -> Option<Part<'_>> {
    parts.nth(number.checked_sub(1)?)
}

impl<'a> Field<'a> {
    pub(crate) fn new(part: Part<'a>) -> Self {
        Self(part)
    }

    /// The repetitions; one if the field is empty.
    pub fn repetitions(&self) -> impl Iterator<Item = Repetition<'a>> + use<'a> {
        self.0.split(self.0.delimiters.repetition).map(Repetition)
    }

    /// The repetition with this number, from 1.
    #[must_use]
    pub fn repetition(&self, number: usize) -> Option<Repetition<'a>> {
        numbered(self.0.split(self.0.delimiters.repetition), number).map(Repetition)
    }

    /// The component with this number, from 1, of the first repetition.
    #[must_use]
    pub fn component(&self, number: usize) -> Option<Component<'a>> {
        self.repetition(1)?.component(number)
    }
}

impl<'a> Repetition<'a> {
    /// The components; one if the repetition is empty.
    pub fn components(&self) -> impl Iterator<Item = Component<'a>> + use<'a> {
        self.0.split(self.0.delimiters.component).map(Component)
    }

    /// The component with this number, from 1.
    #[must_use]
    pub fn component(&self, number: usize) -> Option<Component<'a>> {
        numbered(self.0.split(self.0.delimiters.component), number).map(Component)
    }
}

impl<'a> Component<'a> {
    /// The subcomponents; one if the component is empty.
    pub fn subcomponents(&self) -> impl Iterator<Item = Subcomponent<'a>> + use<'a> {
        self.0.split(self.0.delimiters.subcomponent).map(Subcomponent)
    }

    /// The subcomponent with this number, from 1.
    #[must_use]
    pub fn subcomponent(&self, number: usize) -> Option<Subcomponent<'a>> {
        numbered(self.0.split(self.0.delimiters.subcomponent), number).map(Subcomponent)
    }
}
