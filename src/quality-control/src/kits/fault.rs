//! What is wrong with a kit file: where, what, and the nearest name that would be right.

use std::fmt;
use std::ops::Range;

/// One fault of a kit file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KitFileFault {
    /// The file, as it was named when it was read.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
    /// The known name that looks most like the unknown one.
    pub nearest: Option<String>,
}

impl fmt::Display for KitFileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)?;
        match &self.nearest {
            Some(name) => write!(f, " (nearest known name: {name:?})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for KitFileFault {}

/// Collects the faults of one text.
pub(super) struct Faults<'t> {
    pub(super) file: &'t str,
    text: &'t str,
    pub(super) found: Vec<KitFileFault>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    /// Notes a fault at a byte range of the text.
    pub(super) fn add(&mut self, at: &Range<usize>, what: impl Into<String>) {
        let (line, file) = (self.line(at.start), self.file.to_owned());
        self.found.push(KitFileFault { file, line, what: what.into(), nearest: None });
    }

    /// Notes an unknown name, with the nearest of `known`.
    pub(super) fn unknown(&mut self, at: &Range<usize>, kind: &str, name: &str, known: &[&str]) {
        self.add(at, format!("unknown {kind} {name:?}"));
        if let Some(fault) = self.found.last_mut() {
            fault.nearest = nearest(name, known.iter().copied());
        }
    }

    /// Notes what TOML or the shape of the file says.
    pub(super) fn of_toml(&mut self, error: &toml::de::Error) {
        let what = error.message().to_owned();
        let mut names = what.split('`').skip(1).step_by(2);
        let is_name = what.starts_with("unknown field") || what.starts_with("unknown variant");
        let near = names.next().filter(|_| is_name).and_then(|wrong| nearest(wrong, names));
        self.add(&error.span().unwrap_or(0..0), what);
        if let Some(fault) = self.found.last_mut() {
            fault.nearest = near;
        }
    }
}

fn nearest<'n>(wrong: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let wrong = wrong.to_lowercase();
    known.min_by_key(|name| strsim::osa_distance(&wrong, &name.to_lowercase())).map(str::to_owned)
}
