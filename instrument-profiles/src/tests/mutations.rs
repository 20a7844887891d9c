//! Whatever is taken away from a message, and whatever text is changed: nothing becomes negative that was not, and what
//! is lost is held.

use super::{MESSAGES, Message, READINGS, on_all_cores, reads_negative};
use crate::{Interpretation, Profile};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Consequence, Finding, Observation, SpecimenKind};

/// What an observation comes to, without where it stood and what it was made with. A number beside a meaning bears it out
/// and is none of its own.
fn essence(observation: &Observation) -> String {
    let (o, value) = (observation, &observation.value);
    let bare = value.interpretation.is_none().then_some((&value.number, &value.comparator, &value.od));
    format!(
        "{:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?}",
        o.specimen, o.marker, o.assay, o.kind, value.interpretation, value.grade, bare, o.status, o.control
    )
}

/// Results that could come to count for a donor: that nothing was found, a group, and controls that pass. What was found
/// stays found whatever is missing.
fn counts(observation: &Observation) -> bool {
    let passes = |control: &vocabulary::ControlReading| control.passes(observation.value.interpretation);
    match observation.kind {
        SpecimenKind::Calibrator | SpecimenKind::Blank => false,
        SpecimenKind::Control => {
            reads_negative(observation) && observation.control.as_ref().is_none_or(passes)
        }
        SpecimenKind::Patient | SpecimenKind::Proficiency | SpecimenKind::Unknown => {
            reads_negative(observation)
                && observation.value.interpretation != Some(vocabulary::Interpretation::Reactive)
        }
    }
}

fn negatives(interpretation: &Interpretation) -> BTreeMap<String, &Observation> {
    interpretation.observations.iter().filter(|o| counts(o)).map(|o| (essence(o), o)).collect()
}

/// Whether a finding holds this specimen.
fn held(interpretation: &Interpretation, specimen: Option<&String>) -> bool {
    let names = |finding: &Finding| finding.specimen.is_none() || finding.specimen.as_ref() == specimen;
    interpretation.findings.iter().any(|finding| finding.consequence != Consequence::Note && names(finding))
}

fn holds(interpretation: &Interpretation) -> bool {
    interpretation.findings.iter().any(|finding| finding.consequence != Consequence::Note)
}

/// Fewer results are fine when somebody is told; new ones never are.
fn check(what: &str, before: &Interpretation, after: &Interpretation) {
    compared(before, after, None).unwrap_or_else(|why| panic!("{what}: {why}"));
}

/// What is wrong with a reading that should be no better than another. Of `assay` results may be lost without a word.
pub(super) fn compared(
    before: &Interpretation,
    after: &Interpretation,
    assay: Option<&str>,
) -> Result<(), String> {
    let (had, has) = (negatives(before), negatives(after));
    for (new, observation) in has.iter().filter(|(new, _)| !had.contains_key(*new)) {
        let specimen = observation.specimen.clone().map(String::from);
        if !held(after, specimen.as_ref()) {
            return Err(format!("reads as a result and did not before: {new}\n{:#?}", after.findings));
        }
    }
    // A control that is there and does not pass tells it by itself.
    let fails = |old: &Observation| {
        let same = |o: &Observation| (o.kind, &o.assay, &o.specimen) == (old.kind, &old.assay, &old.specimen);
        old.kind == SpecimenKind::Control && after.observations.iter().any(same)
    };
    let told = |old: &Observation| fails(old) || assay.is_some_and(|assay| old.assay == assay);
    match had.iter().filter(|(old, _)| !has.contains_key(*old)).find(|(_, old)| !told(old)) {
        Some((lost, _)) if !holds(after) => Err(format!("lost in silence: {lost}\n{:#?}", after.findings)),
        Some(_) | None => Ok(()),
    }
}

/// Texts between delimiters, by their place.
fn tokens(raw: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, byte) in raw.iter().enumerate() {
        if b"|^~\\&,\r\n".contains(byte) {
            if at > start {
                found.push(start..at);
            }
            start = at + 1;
        }
    }
    found
}

/// Texts that a profile declares: codes, values, grades, statuses, flags.
fn declared(profile: &Profile) -> BTreeSet<String> {
    let names = profile.rules.declared().into_iter();
    let texts = names.filter_map(|name| match name.split_once(' ')? {
        ("test", code) => Some(vec![code.to_owned()]),
        ("value" | "grade" | "status" | "flag", quoted) => {
            let text = quoted.split('"').nth(1)?;
            Some(text.split('^').filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        _ => None,
    });
    texts.flatten().filter(|text| !text.is_empty()).collect()
}

fn messages() -> Vec<(&'static Message, &'static Interpretation)> {
    MESSAGES.iter().zip(READINGS.iter()).collect()
}

#[test]
fn a_changed_text_is_never_read_as_something_else() {
    on_all_cores(&messages(), |((profile, name, raw), before)| {
        let words = declared(profile);
        let step = if raw.len() > 4_000 { 59 } else { 1 };
        let places = tokens(raw);
        let known = places.iter().filter(|at| words.contains(&*String::from_utf8_lossy(&raw[(*at).clone()])));
        for at in known.step_by(step) {
            for changed in ["?", " "] {
                let mut other = raw.clone();
                other.splice(at.end..at.end, changed.bytes());
                check(&format!("{name} with {changed:?} at {}", at.end), before, &profile.interpret(&other));
            }
            // A flag, or a remark beside a grade, that was never sent: nobody can miss it.
            let text = String::from_utf8_lossy(&raw[at.clone()]).into_owned();
            if !profile.rules.flags.known.contains_key(&text) && text != "DP" {
                let mut other = raw.clone();
                other.drain(at.clone());
                check(&format!("{name} without {at:?}"), before, &profile.interpret(&other));
            }
        }
    });
}

/// Whether this line is what a finding is about, or contradicts another one: without it there is nothing left to find.
fn is_why(line: &std::ops::Range<usize>, before: &Interpretation) -> bool {
    let held = before.findings.iter().filter(|finding| finding.consequence != Consequence::Note);
    let bytes = |place: &str| -> Option<usize> {
        let digits = place.split_once("bytes ")?.1.split('–').next()?;
        digits.parse().ok()
    };
    held.clone().any(|finding| finding.finding.starts_with("ambiguous_"))
        || held.filter_map(|finding| bytes(&finding.place)).any(|at| line.contains(&at))
}

#[test]
fn a_line_that_is_missing_is_missed() {
    on_all_cores(&messages(), |((profile, name, raw), before)| {
        let step = if raw.len() > 4_000 { 23 } else { 1 };
        let end = if raw.contains(&b'\n') { b'\n' } else { b'\r' };
        let mut start = 0;
        for (number, line) in raw.split_inclusive(|byte| *byte == end).enumerate() {
            let at = start..start + line.len();
            start = at.end;
            if number % step != 0 || is_why(&at, before) {
                continue;
            }
            let mut other = raw.clone();
            other.drain(at);
            let what = format!("{name} without line {}", number + 1);
            let after = profile.interpret(&other);
            // Where the profile says that nothing counts the rows, a lost one is not missed; the others stay what they were.
            let lost = profile.rules.message.uncounted && negatives(&after).len() < negatives(before).len();
            if lost {
                let kept = negatives(before);
                assert!(negatives(&after).keys().all(|left| kept.contains_key(left)), "{what}: {after:#?}");
            } else {
                check(&what, before, &after);
            }
        }
    });
}
