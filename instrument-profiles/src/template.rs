//! A run's identity as a template: text with words and places in braces.

use crate::path::Path;
use vocabulary::Protocol;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Word(RunWord),
    Place(Path),
}

/// What a run's identity may name besides places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunWord {
    /// The assay's name.
    Assay,
    /// The first reagent lot.
    Lot,
    /// The day of completion.
    Day,
    /// Model and serial number.
    Instrument,
}

impl RunWord {
    pub(crate) const NAMES: [(&'static str, Self); 4] =
        [("assay", Self::Assay), ("lot", Self::Lot), ("day", Self::Day), ("instrument", Self::Instrument)];
}

impl Piece {
    /// As it is written in the profile.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Place(path) => path.to_string(),
            Self::Word(word) => RunWord::NAMES
                .iter()
                .find(|(_, known)| known == word)
                .map_or("", |(name, _)| *name)
                .to_owned(),
        }
    }
}

/// A run's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunTemplate(pub(crate) Vec<Piece>);

impl RunTemplate {
    pub(crate) fn parse(text: &str, protocol: Protocol) -> Result<Self, String> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("{text:?} has an open brace"))?;
            if !before.is_empty() {
                found.push(Piece::Text(before.to_owned()));
            }
            found.push(match RunWord::NAMES.iter().find(|(known, _)| *known == name) {
                Some((_, word)) => Piece::Word(*word),
                None => Piece::Place(Path::parse(name, protocol).map_err(|what| {
                    let known = RunWord::NAMES.map(|(known, _)| known).join(", ");
                    format!("{what}; or one of the words {known}")
                })?),
            });
            rest = after;
        }
        if !rest.is_empty() {
            found.push(Piece::Text(rest.to_owned()));
        }
        if found.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            return Err(format!("{text:?} names no place: every run would be the same"));
        }
        Ok(Self(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_with_an_unknown_word_is_refused() {
        for text in ["{", "{day", "{Day}", "", "{R}", "always"] {
            assert!(RunTemplate::parse(text, Protocol::Lis02).is_err(), "{text:?}");
        }
        let run = RunTemplate::parse("{R.14}/{assay}", Protocol::Lis02).unwrap();
        assert_eq!(run.0.len(), 3);
    }
}
