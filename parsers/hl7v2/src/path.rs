//! Where a value stands, as people write it: `OBX-5.1`.

use crate::grammar;
use std::fmt;
use std::str::FromStr;

/// A place in a segment, read once and used for many messages.
///
/// `OBX-5` field, `OBX-5.1` component, `SPM-2.1.1` subcomponent, `OBX-8[2]` second repetition. All numbers start at 1;
/// without a repetition the first one is meant as soon as a component is named, else the whole field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    segment: [u8; 3],
    field: u16,
    repetition: Option<u16>,
    component: Option<u16>,
    subcomponent: Option<u16>,
}

/// A text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no place in a segment; write it like `OBX-5`, `OBX-5.1`, `SPM-2.1.1` or `OBX-8[2].1`, numbers from 1"
)]
pub struct PathError {
    /// The text as it was given.
    pub text: String,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// When the text is not of the form `SEG-n[repetition].component.subcomponent` with numbers from 1 to 65535.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::read(text).ok_or_else(|| PathError { text: text.to_owned() })
    }

    fn read(text: &str) -> Option<Self> {
        let parts = grammar::path(text)?;
        let (_, name) = grammar::segment_name(parts.segment.as_bytes()).ok()?;
        let path = Self {
            segment: *name.first_chunk()?,
            field: parts.field,
            repetition: parts.repetition,
            component: parts.component,
            subcomponent: parts.subcomponent,
        };
        let numbers = [Some(path.field), path.repetition, path.component, path.subcomponent];
        numbers.into_iter().flatten().all(|number| number > 0).then_some(path)
    }

    /// The segment's name.
    #[must_use]
    pub fn segment(&self) -> &str {
        std::str::from_utf8(&self.segment).unwrap_or_default()
    }

    pub(crate) fn is_in(&self, name: &str) -> bool {
        name.as_bytes() == self.segment
    }

    /// The field's number, from 1.
    #[must_use]
    pub fn field(&self) -> usize {
        usize::from(self.field)
    }

    /// The repetition's number, from 1, if one is named.
    #[must_use]
    pub fn repetition(&self) -> Option<usize> {
        self.repetition.map(usize::from)
    }

    /// The component's number, from 1, if one is named.
    #[must_use]
    pub fn component(&self) -> Option<usize> {
        self.component.map(usize::from)
    }

    /// The subcomponent's number, from 1, if one is named.
    #[must_use]
    pub fn subcomponent(&self) -> Option<usize> {
        self.subcomponent.map(usize::from)
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.segment(), self.field)?;
        if let Some(repetition) = self.repetition {
            write!(f, "[{repetition}]")?;
        }
        if let Some(component) = self.component {
            write!(f, ".{component}")?;
        }
        if let Some(subcomponent) = self.subcomponent {
            write!(f, ".{subcomponent}")?;
        }
        Ok(())
    }
}
