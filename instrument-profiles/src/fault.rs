//! What is wrong with a profile: every fault with its place, and the nearest name that would be right.

use std::{fmt, ops::Range};

/// One fault in a profile, a capture or an expectation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as it was named when it was read.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do, a lower-case fragment.
    pub what: String,
    /// The known name that looks most like the unknown one.
    pub nearest: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)?;
        match &self.nearest {
            Some(name) => write!(f, " (nearest known name: {name:?})"),
            None => Ok(()),
        }
    }
}

/// Every fault that was found; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ProfileErrors {
    /// In order of file and place.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ProfileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// Collects the faults of one text.
pub(crate) struct Faults<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<Fault>,
    /// What the author left open: no fault, and nothing reads it.
    open: Vec<Fault>,
    /// What this release asks and a text of another time did not have to say.
    unsaid: Vec<Fault>,
}

impl<'t> Faults<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, found: Vec::new(), open: Vec::new(), unsaid: Vec::new() }
    }

    /// Notes a fault at a byte range of the text.
    pub(crate) fn add(&mut self, at: &Range<usize>, what: impl Into<String>) {
        self.push(at, what.into(), None);
    }

    /// Notes something that the author has still to say.
    pub(crate) fn leave_open(&mut self, at: &Range<usize>, what: impl Into<String>) {
        let fault = self.fault(at, what.into(), None);
        self.open.push(fault);
    }

    /// What was left open, in order of place.
    pub(crate) fn take_open(&mut self) -> Vec<Fault> {
        sorted(&mut self.open)
    }

    /// Notes something that a text of an earlier release did not have to say.
    pub(crate) fn leave_unsaid(&mut self, at: &Range<usize>, what: impl Into<String>) {
        let fault = self.fault(at, what.into(), None);
        self.unsaid.push(fault);
    }

    /// What was not said, in order of place.
    pub(crate) fn take_unsaid(&mut self) -> Vec<Fault> {
        sorted(&mut self.unsaid)
    }

    /// Notes an unknown name, with the nearest of `known`.
    pub(crate) fn unknown<'n>(
        &mut self,
        at: &Range<usize>,
        kind: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let nearest = nearest(name, known);
        self.push(at, format!("unknown {kind} {name:?}"), nearest);
    }

    /// A file beside this one, by its path within the folder.
    pub(crate) fn beside(&self, name: &str) -> String {
        let folder = self.file.rfind(['/', '\\']).and_then(|at| self.file.get(..=at)).unwrap_or("");
        format!("{folder}{name}")
    }

    /// Notes a fault of another file.
    pub(crate) fn found(&mut self, fault: Fault) {
        self.found.push(fault);
    }

    pub(crate) fn any(&self) -> bool {
        !self.found.is_empty()
    }

    /// `value`, if nothing was found.
    ///
    /// # Errors
    /// Everything that was found, in order of place.
    pub(crate) fn into_result<T>(self, value: Option<T>) -> Result<T, ProfileErrors> {
        let Self { file, text, mut found, open: _, unsaid: _ } = self;
        match value {
            Some(value) if found.is_empty() => Ok(value),
            Some(_) | None => {
                if found.is_empty() {
                    let mut none = Faults::new(file, text);
                    none.add(&(0..0), "the profile cannot be used");
                    found = none.found;
                }
                found.sort();
                found.dedup();
                Err(ProfileErrors { faults: found })
            }
        }
    }

    pub(crate) fn push(&mut self, at: &Range<usize>, what: String, nearest: Option<String>) {
        let fault = self.fault(at, what, nearest);
        self.found.push(fault);
    }

    fn fault(&self, at: &Range<usize>, what: String, nearest: Option<String>) -> Fault {
        let (line, column) = line_and_column(self.text, at.start);
        Fault { file: self.file.to_owned(), line, column, what, nearest }
    }
}

/// Takes a list, each of it once, in order of place.
fn sorted(list: &mut Vec<Fault>) -> Vec<Fault> {
    let mut list = std::mem::take(list);
    list.sort();
    list.dedup();
    list
}

/// Line and column (characters) of a byte offset, both from 1.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    (line, before.get(line_start..).unwrap_or("").chars().count() + 1)
}

/// The known name most like `name`, if any is like it at all.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().max(lower.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        for (offset, expect) in [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (6, (2, 2)), (999, (2, 3))] {
            assert_eq!(line_and_column("ab\n雅x", offset), expect, "offset {offset}");
        }
    }

    #[test]
    fn the_nearest_name_is_near_or_absent() {
        let known = ["checksum", "frame_numbers", "tries_max"];
        assert_eq!(nearest("chekcsum", known).as_deref(), Some("checksum"));
        assert_eq!(nearest("FRAME_NUMBER", known).as_deref(), Some("frame_numbers"));
        assert_eq!(nearest("colour", known), None);
    }
}
