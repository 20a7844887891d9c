//! A new profile from what an analyser sent: every code and text that was seen is written down, and nothing has a
//! meaning until a person gives it one. What is left open is held (`recognition = "open"`, `open = "…"`).
//!
//! ```text
//! capture or raw message ─ heard ─► messages ─ survey ─► places, codes, texts ─ write ─► profile.toml
//!                            └─ the link that takes the dialogue as it is
//! ```

mod heard;
mod remarks;
mod survey;
mod table;
mod write;

pub use remarks::Remarks;

use crate::{
    capture::expectation,
    fault::Fault,
    profile::{PROFILE_FILE, Profile},
};
use std::collections::BTreeMap;

/// What a new profile is made from.
#[derive(Debug, Clone)]
pub struct NewProfile<'a> {
    /// `maker/model`, in small letters, digits and hyphens.
    pub id: &'a str,
    /// Captures (`*.capture`) and raw messages of one model: file name and content.
    pub inputs: Vec<(&'a str, &'a [u8])>,
    /// Language of the remarks in the file.
    pub remarks: Remarks,
}

/// A new profile's folder.
#[derive(Debug, Clone)]
pub struct Sketch {
    /// Files by their path within the folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What a person has still to say, with file and line.
    pub open: Vec<Fault>,
    /// How many messages were read, and how many result rows they hold.
    pub read: (usize, usize),
}

/// Makes a profile that loads and holds everything.
///
/// # Errors
/// What is wrong with the input, or why nothing can be made of it, and what to do.
pub fn sketch(asked: &NewProfile<'_>) -> Result<Sketch, String> {
    let mut heard: Option<heard::Heard> = None;
    let mut files = BTreeMap::new();
    for (name, bytes) in &asked.inputs {
        let one = heard::listen(name, bytes)?;
        let first = heard.get_or_insert_with(|| heard::Heard { messages: Vec::new(), ..one.clone() });
        if (first.protocol, &first.link) != (one.protocol, &one.link) {
            let what = "is of another link or protocol than the file before it; make a profile of each";
            return Err(format!("{name} {what}"));
        }
        first.messages.extend(one.messages);
        files.insert(capture_name(name, &files), one.capture.into_bytes());
    }
    let heard = heard.ok_or("no capture and no message was given")?;
    let survey = survey::Survey::of(&heard)?;
    let read = (heard.messages.len(), survey.rows.len());
    if read.1 == 0 {
        let what =
            "no result row was found: give a capture with results (LIS02: R records, HL7: OBX, files: rows)";
        return Err(what.to_owned());
    }
    let text = write::profile(asked.id, &heard, &survey, &files, asked.remarks);
    let profile = Profile::read(PROFILE_FILE, &text)
        .map_err(|errors| format!("what was found does not make a profile:\n{errors}"))?;
    for (name, capture) in files.clone() {
        let expected = expectation(&profile, &name, &capture, &[]).map_err(|faults| faults.to_string())?;
        files.insert(expected.0, expected.1.into_bytes());
    }
    files.insert(PROFILE_FILE.to_owned(), text.into_bytes());
    Ok(Sketch { files, open: profile.open_points().to_vec(), read })
}

/// `captures/morning.capture`, for `morning.capture` and for `morning.hl7`.
fn capture_name(input: &str, taken: &BTreeMap<String, Vec<u8>>) -> String {
    let file = input.rsplit(['/', '\\']).next().unwrap_or(input);
    let stem = file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("first");
    let name = |stem: &str| format!("captures/{stem}.capture");
    let numbered = (2..).map(|n| name(&format!("{stem}-{n}")));
    let mut names = std::iter::once(name(stem)).chain(numbered);
    names.find(|name| !taken.contains_key(name)).unwrap_or_else(|| name(stem))
}
