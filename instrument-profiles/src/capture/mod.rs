//! Captures: dialogues of an analyser with what its messages must come to, run as tests of the profile beside them.

mod dialogue;
mod difference;
mod replay;

use crate::{
    catalogue::{Files, read_files},
    fault::{Fault, ProfileErrors},
    interpret::Coverage,
    profile::{PROFILE_FILE, Profile},
};
use dialogue::Dialogue;
use serde_json::{Value, json};
use std::{borrow::Cow, collections::BTreeSet, fmt, path::Path};
use vocabulary::ProfileRef;

const CAPTURE: &str = ".capture";
const EXPECTED: &str = ".expected.json";
/// Key of an expectation: what its capture shows and no profile should know, a person wrote there.
const DELIBERATE: &str = "deliberately_unknown";

/// What came of one capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureOutcome {
    /// Its file, within the profile's folder.
    pub name: String,
    /// Messages in it.
    pub messages: usize,
    /// What is not as expected; empty when all is.
    pub differences: Vec<String>,
}

/// What came of all captures of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureReport {
    /// The profile.
    pub profile: ProfileRef,
    /// One outcome a capture.
    pub captures: Vec<CaptureOutcome>,
    /// What the profile declares and no capture shows: codes, value texts, controls, rows, flags, statuses.
    pub not_shown: Vec<String>,
    /// What captures show and the profile does not declare, with the capture: codes, texts, flags, rows. Each is held by
    /// a finding, and yet an expectation has to name it as deliberately unknown.
    pub not_declared: Vec<String>,
    /// What the expectations name as deliberately unknown.
    pub deliberate: Vec<String>,
    /// What the profile's author has still to say.
    pub open: Vec<Fault>,
    /// Guards of a profile that does not say how many it has: one that is lost would not be noticed.
    pub uncounted_guards: Option<u32>,
}

impl CaptureReport {
    /// Whether every capture is as expected, the captures show everything that the profile declares, what they show
    /// besides is named as deliberately unknown, nothing is open, and the guards are counted.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.captures.is_empty()
            && self.not_shown.is_empty()
            && self.not_declared.is_empty()
            && self.open.is_empty()
            && self.uncounted_guards.is_none()
            && self.captures.iter().all(|capture| capture.differences.is_empty())
    }
}

impl fmt::Display for CaptureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.profile)?;
        for capture in &self.captures {
            let verdict = if capture.differences.is_empty() { "ok" } else { "DIFFERS" };
            writeln!(f, "  {verdict:7} {} ({} messages)", capture.name, capture.messages)?;
            for line in &capture.differences {
                writeln!(f, "            {line}")?;
            }
        }
        if self.captures.is_empty() {
            writeln!(f, "  no captures: nothing shows that the profile is right")?;
        }
        for name in &self.not_shown {
            writeln!(f, "  not shown by any capture: {name}")?;
        }
        for name in &self.not_declared {
            writeln!(
                f,
                "  not declared: {name}; declare it, or name it in the expectation's {DELIBERATE:?}"
            )?;
        }
        for name in &self.deliberate {
            writeln!(f, "  deliberately unknown: {name}")?;
        }
        for open in &self.open {
            writeln!(f, "  open  {open}")?;
        }
        if let Some(guards) = self.uncounted_guards {
            writeln!(
                f,
                "  guards are not counted: write `guards = {guards}` in [evidence], so that a condition that is lost is noticed"
            )?;
        }
        Ok(())
    }
}

/// Runs every capture of a profile's folder against its expectation.
///
/// # Errors
/// The profile's faults, when it cannot be read.
pub fn test_profile(folder: &Path) -> Result<CaptureReport, ProfileErrors> {
    let profile = Profile::load(folder)?;
    let files = read_files(folder).map_err(|error| unreadable(folder, &error))?;
    Ok(test_files(&profile, &files))
}

/// Writes what the profile makes of its captures now as their expectation. A person reads it before it counts.
///
/// # Errors
/// The profile's faults, or a file that cannot be read or written.
pub fn record_expectations(folder: &Path) -> Result<Vec<String>, ProfileErrors> {
    let profile = Profile::load(folder)?;
    let files = read_files(folder).map_err(|error| unreadable(folder, &error))?;
    let mut written = Vec::new();
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(CAPTURE)) {
        let deliberate = files.get(&expected_name(name)).map(|text| deliberately_unknown(text));
        let (name, text) = expectation(&profile, name, bytes, &deliberate.unwrap_or_default())?;
        std::fs::write(folder.join(&name), text).map_err(|error| unreadable(folder, &error))?;
        written.push(name);
    }
    Ok(written)
}

/// File name and text of what the profile makes of a capture. What is deliberately unknown is a person's to say.
pub(crate) fn expectation(
    profile: &Profile,
    name: &str,
    bytes: &[u8],
    deliberate: &[String],
) -> Result<(String, String), ProfileErrors> {
    let mut coverage = Coverage::default();
    let mut found = interpreted(profile, bytes, &mut coverage)
        .map_err(|what| ProfileErrors { faults: what.into_iter().map(|what| fault(name, what)).collect() })?;
    if let Some(found) = found.as_object_mut().filter(|_| !deliberate.is_empty()) {
        found.insert(DELIBERATE.to_owned(), json!(deliberate));
    }
    let text = serde_json::to_string_pretty(&found).unwrap_or_default() + "\n";
    Ok((expected_name(name), text))
}

/// Everything that the analyser says in a capture.
///
/// # Errors
/// What is wrong with the dialogue, with its line.
pub(crate) fn said_by_analyser(capture: &str) -> Result<Vec<u8>, String> {
    let turns = Dialogue::read(capture)?.turns;
    Ok(turns
        .into_iter()
        .filter(|turn| turn.speaker == dialogue::Speaker::Analyser)
        .flat_map(|t| t.bytes)
        .collect())
}

/// A capture without what was said to the analyser: its host was another system, with answers of its own.
pub(crate) fn analyser_only(capture: &str) -> String {
    let mut kept = String::new();
    let mut of_host = false;
    for line in capture.lines() {
        let indented = line.starts_with([' ', '\t']);
        of_host =
            if indented { of_host } else { line.split(' ').nth(1) == Some("<") && !line.starts_with('#') };
        if !of_host {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The raw messages of one capture's text, as the profile's link makes them of it.
///
/// # Errors
/// What is wrong with the dialogue, line by line.
pub fn messages_of(profile: &Profile, capture: &str) -> Result<Vec<Vec<u8>>, Vec<String>> {
    let dialogue = Dialogue::read(capture).map_err(|what| vec![what])?;
    replay::replay(&dialogue, profile).map(|played| played.messages)
}

pub(crate) fn test_files(profile: &Profile, files: &Files) -> CaptureReport {
    let mut coverage = Coverage::recording();
    let mut captures = Vec::new();
    let (mut not_declared, mut all_deliberate) = (BTreeSet::new(), BTreeSet::new());
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(CAPTURE)) {
        let expected = files.get(&expected_name(name));
        let found = interpreted(profile, bytes, &mut coverage);
        let deliberate = expected.map(|text| deliberately_unknown(text)).unwrap_or_default();
        let unknown: BTreeSet<String> = found.iter().flat_map(undeclared).collect();
        let mut one = outcome(name, found, expected);
        let idle = deliberate.iter().filter(|known| !unknown.contains(*known));
        one.differences
            .extend(idle.map(|name| format!("{DELIBERATE}: {name} is not in the capture, or declared")));
        captures.push(one);
        let not_named = unknown.iter().filter(|what| !deliberate.contains(what));
        not_declared.extend(not_named.map(|what| format!("{what} ({name})")));
        all_deliberate.extend(deliberate.into_iter().map(|what| format!("{what} ({name})")));
    }
    let mut declared: BTreeSet<String> = profile.rules.declared();
    declared.extend(profile.orders.declared());
    let not_shown = declared.difference(&coverage.used).cloned().collect();
    CaptureReport {
        profile: profile.reference().clone(),
        captures,
        not_shown,
        not_declared: not_declared.into_iter().collect(),
        deliberate: all_deliberate.into_iter().collect(),
        open: profile.open_points().to_vec(),
        uncounted_guards: profile.uncounted_guards(),
    }
}

/// What a capture shows that the profile gives no meaning to, by its findings.
fn undeclared(found: &Value) -> Vec<String> {
    let messages = found.get("messages").and_then(Value::as_array).into_iter().flatten();
    let findings = messages.filter_map(|message| message.get("findings")?.as_array()).flatten();
    let text = |finding: &Value, key: &str| finding.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let unknown = findings.filter(|finding| UNDECLARED.contains(&text(finding, "finding").as_str()));
    unknown
        .map(|finding| {
            let what = text(finding, "what");
            let quoted = what.split('"').nth(1).map(|word| format!(" {word:?}")).unwrap_or_default();
            format!("{}{quoted}", text(finding, "finding"))
        })
        .collect()
}

/// What an expectation names as deliberately unknown.
fn deliberately_unknown(expected: &[u8]) -> Vec<String> {
    let expected: Value = serde_json::from_slice(expected).unwrap_or_default();
    let names = expected.get(DELIBERATE).and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Findings about something that a profile does not declare.
const UNDECLARED: [&str; 7] = [
    "unmapped_test",
    "unknown_value",
    "unknown_flag",
    "unknown_status",
    "unknown_unit",
    "unknown_control",
    "unknown_row",
];

fn outcome(
    name: &str,
    found: Result<Value, Vec<String>>,
    expected: Option<&Cow<'static, [u8]>>,
) -> CaptureOutcome {
    let name = name.to_owned();
    let found = match found {
        Ok(found) => found,
        Err(differences) => return CaptureOutcome { name, messages: 0, differences },
    };
    let messages = found.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    let differences = match expected.map(|text| serde_json::from_slice::<Value>(text)) {
        Some(Ok(mut expected)) => {
            expected.as_object_mut().map(|expected| expected.remove(DELIBERATE));
            difference::differences(&expected, &found)
        }
        Some(Err(error)) => vec![format!("its expectation is no JSON: {error}")],
        None => vec![format!("it has no expectation ({})", expected_name(&name))],
    };
    CaptureOutcome { name, messages, differences }
}

fn interpreted(profile: &Profile, bytes: &[u8], coverage: &mut Coverage) -> Result<Value, Vec<String>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| vec!["a capture is UTF-8; write other bytes as <xHH>".to_owned()])?;
    let mut messages = Vec::new();
    let dialogue = Dialogue::read(text).map_err(|what| vec![what])?;
    let played = replay::replay(&dialogue, profile)?;
    for name in played.used {
        coverage.saw(|| name);
    }
    for raw in played.messages {
        let examined = profile.examine(&raw, std::mem::take(coverage));
        *coverage = examined.coverage;
        let interpretation = examined.interpretation;
        let mut message = serde_json::Map::new();
        message.insert("observations".to_owned(), json!(interpretation.observations));
        message.insert("findings".to_owned(), json!(interpretation.findings));
        if profile.reads_orders() {
            message.insert("orders".to_owned(), json!(interpretation.orders));
        }
        if profile.reads_poolings() {
            message.insert("poolings".to_owned(), json!(interpretation.poolings));
        }
        if let Some(query) = profile.query(&raw) {
            message.insert("query".to_owned(), json!(query));
        }
        if examined.answers_order {
            message.insert("order_answer".to_owned(), json!(profile.order_answer(&raw)));
        }
        messages.push(Value::Object(message));
    }
    Ok(json!({ "messages": messages }))
}

fn expected_name(capture: &str) -> String {
    format!("{}{EXPECTED}", capture.strip_suffix(CAPTURE).unwrap_or(capture))
}

fn unreadable(folder: &Path, error: &std::io::Error) -> ProfileErrors {
    ProfileErrors { faults: vec![fault(&folder.join(PROFILE_FILE).display().to_string(), error.to_string())] }
}

fn fault(file: &str, what: String) -> Fault {
    Fault { file: file.to_owned(), line: 1, column: 1, what, nearest: None }
}
