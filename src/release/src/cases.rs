//! Reading evidence: one object, an array, or one object a line; each case for itself, in order.

use crate::evidence::{Evidence, NatKind};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// Results that one list of the evidence may hold. More is no donation but a mistake.
pub(crate) const LIST_LENGTH_MAX: usize = 1000;

/// A case that cannot be read: where, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct CaseError {
    /// Path in the case (`serology[0].results[1].od`), or the place in the text.
    pub at: String,
    /// What is wrong, and what is known.
    pub what: String,
}

impl Serialize for CaseError {
    /// `{"error":{"at":…,"what":…}}`, the form that stands in the place of the verdict.
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Outer<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            at: &'a str,
            what: &'a str,
        }
        Outer { error: Inner { at: &self.at, what: &self.what } }.serialize(out)
    }
}

/// Reads a file of cases: one JSON object, an array of them, or one object a line.
#[must_use]
pub fn read_cases(text: &str) -> Vec<Result<Evidence, CaseError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if text.is_empty() {
        return vec![Err(CaseError { at: "line 1".into(), what: "the input holds no case".into() })];
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(whole) if text.starts_with('[') => read_array(whole),
        Ok(_) => vec![read_case(text)],
        Err(_) if text.lines().nth(1).is_some() && text.lines().next().is_some_and(is_one_value) => {
            text.lines().filter(|line| !line.trim().is_empty()).map(read_case).collect()
        }
        Err(error) => vec![Err(in_text(&error))],
    }
}

fn is_one_value(line: &str) -> bool {
    serde_json::from_str::<&RawValue>(line).is_ok()
}

fn read_array(whole: &RawValue) -> Vec<Result<Evidence, CaseError>> {
    match serde_json::from_str::<Vec<&RawValue>>(whole.get()) {
        Ok(cases) => cases.into_iter().map(|case| read_case(case.get())).collect(),
        Err(error) => vec![Err(in_text(&error))],
    }
}

/// Reads one case.
///
/// # Errors
/// [`CaseError`] with the path of what is unknown, missing or of the wrong form.
pub fn read_case(json: &str) -> Result<Evidence, CaseError> {
    if !json.trim_start().starts_with('{') {
        return Err(CaseError { at: "line 1 column 1".into(), what: "a case is a JSON object".into() });
    }
    let mut input = serde_json::Deserializer::from_str(json);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut input, &mut track);
    let evidence = Evidence::deserialize(tracked).map_err(|error| {
        let path = track.path().to_string();
        if error.is_syntax() || error.is_eof() || path == "." {
            let CaseError { at, what } = in_text(&error);
            let at = if path == "." { at } else { format!("{path} ({at})") };
            CaseError { at, what }
        } else {
            CaseError { at: path, what: without_place(&error) }
        }
    })?;
    input.end().map_err(|error| in_text(&error))?;
    check(&evidence)?;
    Ok(evidence)
}

fn in_text(error: &serde_json::Error) -> CaseError {
    let at = format!("line {} column {}", error.line(), error.column());
    CaseError { at, what: without_place(error) }
}

/// The message without serde's own "at line … column …", and with the nearest known name.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let tail = format!(" at line {} column {}", error.line(), error.column());
    with_nearest(text.strip_suffix(&tail).unwrap_or(&text))
}

/// Adds the nearest known name to serde's "unknown field/variant" messages.
pub(crate) fn with_nearest(message: &str) -> String {
    let named =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return message.to_owned();
    }
    let mut known = named(message).into_iter();
    let Some(unknown) = known.next() else { return message.to_owned() };
    let near =
        known.min_by_key(|name| strsim::damerau_levenshtein(&name.to_lowercase(), &unknown.to_lowercase()));
    near.map_or_else(|| message.to_owned(), |near| format!("{message}; the nearest known is `{near}`"))
}

/// What no type can say: the parts have to fit together.
fn check(evidence: &Evidence) -> Result<(), CaseError> {
    let fault = |at: String, what: String| Err(CaseError { at, what });
    let mut runs = BTreeSet::new();
    for (i, run) in evidence.runs.iter().enumerate() {
        if !runs.insert(&run.id) {
            return fault(
                format!("runs[{i}].id"),
                format!("run {} is listed twice; give each run once", run.id),
            );
        }
    }
    let mut reagents = BTreeSet::new();
    for (i, series) in evidence.serology.iter().enumerate() {
        if series.reagent.trim().is_empty() {
            return fault(format!("serology[{i}].reagent"), "the reagent has no name".into());
        }
        if !reagents.insert((series.marker, &series.reagent)) {
            let what =
                format!("{} with reagent {} is listed twice; give one series", series.marker, series.reagent);
            return fault(format!("serology[{i}]"), what);
        }
        if series.results.len() > LIST_LENGTH_MAX {
            return fault(format!("serology[{i}].results"), format!("more than {LIST_LENGTH_MAX} results"));
        }
    }
    for (i, result) in evidence.nat.iter().enumerate() {
        if result.kind == NatKind::Discriminatory && result.target.is_none() {
            return fault(format!("nat[{i}].target"), "a discriminatory test needs its target".into());
        }
        if result.members.len() > LIST_LENGTH_MAX || result.pool_members.len() > LIST_LENGTH_MAX {
            return fault(format!("nat[{i}]"), format!("more than {LIST_LENGTH_MAX} members"));
        }
    }
    let lists = [
        ("nat", evidence.nat.len()),
        ("alt", evidence.alt.len()),
        ("grouping", evidence.grouping.len()),
        ("serology", evidence.serology.len()),
        ("runs", evidence.runs.len()),
    ];
    match lists.iter().find(|(_, length)| *length > LIST_LENGTH_MAX) {
        Some((name, _)) => fault((*name).into(), format!("more than {LIST_LENGTH_MAX} entries")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(json: &str, at: &str, what: &str) {
        let error = read_case(json).unwrap_err();
        assert_eq!(error.at, at, "{error}");
        assert!(error.what.contains(what), "{error}");
    }

    #[test]
    fn what_is_unknown_or_of_the_wrong_form_is_refused_with_its_path() {
        for (json, at, what) in [
            (r#"{"donation":"X","serolgy":[]}"#, "serolgy", "the nearest known is `serology`"),
            (
                r#"{"donation":"X","serology":[{"marker":"HBsAg","reagent":"A","results":[{"kind":"initial","OD":"1"}]}]}"#,
                "serology[0].results[0].OD",
                "the nearest known is `od`",
            ),
            (
                r#"{"donation":"X","serology":[{"marker":"HBsAg","reagent":"A","results":[{"kind":"initial","od":0.105}]}]}"#,
                "serology[0].results[0].od",
                "expected a string",
            ),
            (
                r#"{"donation":"X","serology":[{"marker":"HBsAk","reagent":"A","results":[]}]}"#,
                "serology[0].marker",
                "nearest known one is \"HBsAg\"",
            ),
            (
                r#"{"donation":"X","nat":[{"kind":"individual","result":"negative"}]}"#,
                "nat[0].result",
                "unknown variant `negative`",
            ),
            (
                r#"{"donation":"X","grouping":[{"anti_a":"5+"}]}"#,
                "grouping[0].anti_a",
                "not a reaction grade",
            ),
            (
                r#"{"donation":"X","grouping":[{"iat_d":["0","-"]}]}"#,
                "grouping[0].iat_d[1]",
                "not a reaction grade",
            ),
            (r#"{"donation":"X","collected_at":"2026-03-01T09:00:00"}"#, "collected_at", "offset"),
            (r#"{"donation":"X","runs":[{"id":"E"},{"id":"E"}]}"#, "runs[1].id", "listed twice"),
            (r#"{"donation":"X","nat":[{"kind":"discriminatory"}]}"#, "nat[0].target", "needs its target"),
            (r#"{"donation":"X","donation":"Y"}"#, "line 1 column 26", "duplicate field"),
            (r#"{"donation":"X","alt":[{"u_per_l":"1"}"#, "alt (line 1 column 38)", "EOF"),
            (r#"{"donation":" "}"#, "donation", "empty"),
            ("{}", "line 1 column 2", "missing field `donation`"),
            ("[]", "line 1 column 1", "a case is a JSON object"),
        ] {
            fails(json, at, what);
        }
    }

    #[test]
    fn an_object_an_array_and_lines_hold_the_same_cases() {
        let (a, b) = (r#"{"donation":"A"}"#, r#"{"donation":"B"}"#);
        let names = |text: &str| -> Vec<String> {
            read_cases(text)
                .into_iter()
                .map(|c| c.map_or_else(|e| e.at, |e| e.donation.to_string()))
                .collect()
        };
        assert_eq!(names(a), ["A"]);
        assert_eq!(names(&format!("[{a},{b}]")), ["A", "B"]);
        assert_eq!(names(&format!("{a}\n\n{b}\r\n")), ["A", "B"]);
        assert_eq!(
            names(&format!("\u{feff}{a}\n{{\"donation\":}}\n{b}\n")),
            ["A", "donation (line 1 column 13)", "B"]
        );
        assert_eq!(names(&format!("[{a},{{\"donation\":1}},{b}]")), ["A", "donation", "B"]);
        assert_eq!(names("{\n  \"donation\": \"A\",\n  \"x\": 1\n}"), ["x"]);
        assert_eq!(names(""), ["line 1"]);
        assert_eq!(names("[]").len(), 0);
    }

    #[test]
    fn a_case_that_cannot_be_read_stands_in_its_place_as_an_error_object() {
        let error = CaseError { at: "nat[0]".into(), what: "why".into() };
        assert_eq!(serde_json::to_string(&error).unwrap(), r#"{"error":{"at":"nat[0]","what":"why"}}"#);
    }
}
