//! From written texts to checked rules: the tools every part of the building uses.

use super::rules::{Condition, ConditionTest};
use crate::{
    fault::Faults,
    path::{Column, Path},
    schema::{self, Text, Texts},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    sync::{LazyLock, Mutex, PoisonError},
};
use toml::Spanned;
use vocabulary::{Marker, Protocol};

/// Patterns that are kept compiled. Profiles have few and share them, and one takes longer to compile than a small profile
/// to read.
const PATTERNS_KEPT_MAX: usize = 1_024;

/// A pattern that a whole text has to fit.
///
/// # Errors
/// It is no regular expression, or a too large one.
pub(super) fn whole_text(pattern: &str) -> Result<regex::Regex, regex::Error> {
    static KEPT: LazyLock<Mutex<HashMap<String, regex::Regex>>> = LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(pattern) {
        return Ok(known.clone());
    }
    let compiled = regex::Regex::new(&format!("^(?:{pattern})$"))?;
    if kept.len() < PATTERNS_KEPT_MAX {
        kept.insert(pattern.to_owned(), compiled.clone());
    }
    Ok(compiled)
}

/// By whose rules a text is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By all that this release asks: what is installed, added, mapped or activated now.
    Today,
    /// By the rules of its time: what a ledger keeps, since messages were read with it. What releases came to ask
    /// later is listed, and means what its absence meant then.
    OfItsTime,
}

/// Reads texts in the notation of one protocol and collects what is wrong with them.
pub(crate) struct Builder<'f, 't> {
    pub(crate) protocol: Protocol,
    pub(crate) faults: &'f mut Faults<'t>,
    /// The templates in the folder `orders`, by file.
    pub(crate) templates: &'f BTreeMap<String, String>,
    pub(crate) asked: Asked,
    /// Something could not even be read: what is missing may only be misspelt, so it is not reported as well.
    pub(crate) shape_faults: bool,
    /// Columns that are looked up by their names.
    pub(crate) columns_read: BTreeSet<String>,
}

impl<'f, 't> Builder<'f, 't> {
    pub(crate) fn new(
        protocol: Protocol,
        faults: &'f mut Faults<'t>,
        templates: &'f BTreeMap<String, String>,
        asked: Asked,
    ) -> Self {
        let shape_faults = faults.any();
        Self { protocol, faults, templates, asked, shape_faults, columns_read: BTreeSet::new() }
    }
}

impl Builder<'_, '_> {
    pub(crate) fn fault(&mut self, at: &Range<usize>, what: impl Into<String>) {
        self.faults.add(at, what);
    }

    /// Something that its author has still to say; until then results are held for it.
    pub(crate) fn open(&mut self, at: &Range<usize>, what: impl Into<String>) {
        self.faults.leave_open(at, what);
    }

    /// Something that has to be there is not.
    pub(crate) fn missing(&mut self, at: &Range<usize>, what: &str) {
        if !self.shape_faults {
            self.faults.add(at, format!("missing {what}"));
        }
    }

    /// As [`Self::missing`], of what releases did not ask from the beginning.
    pub(crate) fn missing_today(&mut self, at: &Range<usize>, what: &str) {
        if !self.shape_faults {
            self.fault_today(at, format!("missing {what}"));
        }
    }

    /// As [`Self::fault`], of what releases did not refuse from the beginning.
    pub(crate) fn fault_today(&mut self, at: &Range<usize>, what: impl Into<String>) {
        match self.asked {
            Asked::Today => self.faults.add(at, what),
            Asked::OfItsTime => self.faults.leave_unsaid(at, what),
        }
    }

    /// The key that has to be there.
    pub(crate) fn required<'s, T>(
        &mut self,
        value: Option<&'s T>,
        at: &Range<usize>,
        what: &str,
    ) -> Option<&'s T> {
        if value.is_none() {
            self.missing(at, what);
        }
        value
    }

    pub(crate) fn path(&mut self, text: &Text) -> Option<Path> {
        match Path::parse(text.get_ref(), self.protocol) {
            Ok(path) => {
                if let Path::Column(Column::Named(name)) = &path {
                    self.columns_read.insert(name.clone());
                }
                Some(path)
            }
            Err(what) => {
                self.fault(&text.span(), what);
                None
            }
        }
    }

    pub(crate) fn path_if(&mut self, text: Option<&Text>) -> Option<Path> {
        text.and_then(|text| self.path(text))
    }

    pub(crate) fn paths(&mut self, texts: &Texts) -> Vec<Path> {
        texts.iter().filter_map(|text| self.path(text)).collect()
    }

    /// One of a closed list of names.
    pub(crate) fn one_of<T: Copy>(&mut self, text: &Text, kind: &str, known: &[(&str, T)]) -> Option<T> {
        let found = known.iter().find(|(name, _)| name == text.get_ref()).map(|(_, value)| *value);
        if found.is_none() {
            self.faults.unknown(&text.span(), kind, text.get_ref(), known.iter().map(|(name, _)| *name));
        }
        found
    }

    pub(crate) fn marker(&mut self, text: &Text) -> Option<Marker> {
        let known: Vec<(&str, Marker)> = Marker::ALL.iter().map(|marker| (marker.name(), *marker)).collect();
        self.one_of(text, "marker", &known)
    }

    pub(crate) fn markers(&mut self, texts: &Texts) -> Vec<Marker> {
        texts.iter().filter_map(|text| self.marker(text)).collect()
    }

    pub(crate) fn pattern(&mut self, text: &Text) -> Option<regex::Regex> {
        // The whole text has to fit: half an identifier is another identifier.
        match whole_text(text.get_ref()) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.fault(&text.span(), format!("no regular expression: {error}").replace('\n', " "));
                None
            }
        }
    }

    pub(crate) fn conditions(&mut self, written: &[Spanned<schema::Condition>]) -> Vec<Condition> {
        written.iter().filter_map(|one| self.condition(one)).collect()
    }

    fn condition(&mut self, written: &Spanned<schema::Condition>) -> Option<Condition> {
        let (span, one) = (written.span(), written.get_ref());
        let at = self.required(one.at.as_ref(), &span, "`at`, the place that is looked at")?;
        let at = self.path(at);
        let mut tests = Vec::new();
        tests.extend(one.is.as_ref().map(|texts| ConditionTest::Is(texts.to_strings())));
        tests.extend(one.is_not.as_ref().map(|texts| ConditionTest::IsNot(texts.to_strings())));
        tests.extend(one.starts_with.as_ref().map(|t| ConditionTest::StartsWith(t.get_ref().clone())));
        tests.extend(one.ends_with.as_ref().map(|t| ConditionTest::EndsWith(t.get_ref().clone())));
        tests.extend(one.present.map(ConditionTest::Present));
        if let Some(pattern) = &one.matches {
            tests.push(ConditionTest::Matches(self.pattern(pattern)?));
        }
        if tests.len() > 1 {
            self.fault(&span, "a condition has one test; write several conditions instead");
            return None;
        }
        if let Some(test) = tests.pop() {
            return Some(Condition { at: at?, test });
        }
        self.missing(&span, "one of `is`, `is_not`, `starts_with`, `ends_with`, `matches`, `present`");
        None
    }

    /// Rules that are tried in turn must say when they hold.
    pub(crate) fn conditions_of(
        &mut self,
        written: &[Spanned<schema::Condition>],
        at: &Range<usize>,
    ) -> Vec<Condition> {
        if written.is_empty() {
            self.missing(at, "`when`: an empty list would always hold");
        }
        self.conditions(written)
    }
}
