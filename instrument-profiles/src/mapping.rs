//! Saying what one code or one text means, without an editor: a new content is made of the old one, to be read and checked
//! as any other. The text of the profile stays as it was written, comments included; what is said is put in.

use crate::{Profile, schema::guards_of};

/// The source that evidence names for what a site itself has said.
const SOURCE: &str = "site-mapping";

/// Why a content cannot be made: a lower-case fragment that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotMapped(String);

fn not(what: impl Into<String>) -> NotMapped {
    NotMapped(what.into())
}

impl Profile {
    /// The profile in which `text` means `meaning` in one map of values or grades.
    ///
    /// # Errors
    /// [`NotMapped`]: there is no such map, the text is in it, or the meaning is none.
    pub fn with_value(&self, map: &str, text: &str, meaning: &str) -> Result<Self, NotMapped> {
        let heads = |line: &str| {
            let head = line.trim();
            ["values", "grades"]
                .iter()
                .any(|kind| head == format!("[{kind}.{map}]") || head == format!("[{kind}.{}]", quoted(map)))
        };
        let written = &self.content().text;
        let line = format!("{} = {}", quoted(text), quoted(meaning));
        let mut out = String::with_capacity(written.len() + line.len() + 1);
        let mut found = false;
        for known in written.lines() {
            out.push_str(known);
            out.push('\n');
            if !found && heads(known) {
                found = true;
                out.push_str(&line);
                out.push('\n');
            }
        }
        if !found {
            let maps: Vec<&str> = written.lines().filter_map(map_of).collect();
            return Err(not(format!(
                "the profile has no map {map:?} of its own; there are {}; mend the profile by hand",
                if maps.is_empty() { "none".to_owned() } else { maps.join(", ") }
            )));
        }
        self.checked(&out)
    }

    /// The profile in which the test `code` is read as the test `like`.
    ///
    /// # Errors
    /// [`NotMapped`]: the code is known, or the other one is not.
    pub fn with_test(&self, code: &str, like: &str, why: &str) -> Result<Self, NotMapped> {
        self.is_new(code)?;
        let blocks: Vec<String> = tests(&self.content().text).filter(|block| is_of(block, like)).collect();
        if blocks.is_empty() {
            return Err(not(format!("the profile has no test {like:?}; name one that it has")));
        }
        let mut out = self.content().text.clone();
        for block in blocks {
            out.push('\n');
            for line in block.lines() {
                let name = key(line);
                if name == Some("code") {
                    out.extend(["code = ", &quoted(code), "\n"]);
                } else if name == Some("source") {
                    out.extend(["source = \"", SOURCE, "\"\n"]);
                } else if name != Some("level") {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        self.said(out, &format!("{code} is read as {like}: {why}"))
    }

    /// The profile in which the test `code` is known and not read.
    ///
    /// # Errors
    /// [`NotMapped`]: the code is known.
    pub fn without_test(&self, code: &str, why: &str) -> Result<Self, NotMapped> {
        self.is_new(code)?;
        let text = &self.content().text;
        let (code_is, why_is) = (quoted(code), quoted(why));
        let out = format!("{text}\n[[test]]\ncode = {code_is}\naside = {why_is}\nsource = \"{SOURCE}\"\n");
        self.said(out, &format!("{code} is not read: {why}"))
    }

    fn is_new(&self, code: &str) -> Result<(), NotMapped> {
        if self.rules.codes.contains_key(code) {
            return Err(not(format!("the profile knows the test {code:?} already; mend it by hand")));
        }
        Ok(())
    }

    /// Names the site as the source of what it said.
    fn said(&self, mut text: String, what: &str) -> Result<Self, NotMapped> {
        let head = format!("[evidence.sources.{SOURCE}]");
        if !text.lines().any(|line| line.trim() == head) {
            let title = quoted(&format!("the site: {what}"));
            text.extend(["\n", &head, "\ntitle = ", &title, "\nlevel = \"inferred\"\n"]);
        }
        self.checked(&text)
    }

    /// What the text says, when it is a profile and another revision of this one.
    fn checked(&self, text: &str) -> Result<Self, NotMapped> {
        let templates = &self.content().templates;
        let text = &counted(text);
        let read = Self::read_with(&self.reference().id, text, templates)
            .map_err(|faults| not(format!("the profile would be: {faults}")))?;
        if read.reference().id != self.reference().id || read.reference() == self.reference() {
            return Err(not("nothing would change"));
        }
        Ok(read)
    }
}

/// The text with the number of its guards, where it says one: a test that is read as another has the other's conditions.
fn counted(text: &str) -> String {
    let Some(found) = guards_of(text) else { return text.to_owned() };
    let mut section = "";
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            section = line.trim();
        }
        if section == "[evidence]" && key(line) == Some("guards") {
            out.extend(["guards = ", &found.to_string()]);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.replace(['\r', '\n'], " ")).to_string()
}

fn map_of(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    inner.strip_prefix("values.").or_else(|| inner.strip_prefix("grades."))
}

/// The key of a line `key = value`.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    Some(key.trim())
}

/// The `[[test]]` tables, each with its lines.
fn tests(text: &str) -> impl Iterator<Item = String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            inside = line.trim() == "[[test]]";
            if inside {
                blocks.push(String::new());
            }
        }
        if let Some(block) = blocks.last_mut().filter(|_| inside && !line.trim_start().starts_with('#')) {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks.into_iter()
}

fn is_of(block: &str, code: &str) -> bool {
    let is = |line: &str| {
        let value =
            line.split_once('=').filter(|(key, _)| key.trim() == "code").map(|(_, value)| value.trim());
        value.is_some_and(|value| value == quoted(code) || value == format!("'{code}'"))
    };
    block.lines().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;
    use std::sync::Arc;

    fn profile() -> Arc<Profile> {
        Arc::clone(Catalogue::built_in().unwrap().get("abbott/architect-i2000sr").unwrap())
    }

    fn message(code: &str, text: &str) -> Vec<u8> {
        let assay = format!("^^^{code}^Anti-HCV^UNDILUTED^P^48229LI00^04462^");
        let tail = "F||LAB^LAB||20260302141822|iSR03600\r";
        format!(
            "H|\\^&|1||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000\rP|1\r\
             O|1|G123426000001|G123426000001^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||||||||||||||||F\r\
             R|1|{assay}^F|5.80|S/CO||||{tail}R|2|{assay}^I|{text}|||||{tail}L|1\r"
        )
        .into_bytes()
    }

    fn holding(profile: &Profile, raw: &[u8]) -> Vec<String> {
        profile.interpret(raw).findings.into_iter().map(|finding| finding.finding).collect()
    }

    #[test]
    fn a_text_is_known_once_somebody_has_said_what_it_means() {
        let before = profile();
        let raw = message("161", "REAKTIV \"+\"");
        assert_eq!(holding(&before, &raw), ["unknown_value"]);
        let after = before.with_value("screening", "REAKTIV \"+\"", "reactive").unwrap();
        assert_eq!(holding(&after, &raw), [""; 0]);
        assert_eq!(after.reference().id, before.reference().id);
        assert_ne!(after.reference().revision, before.reference().revision);
        for (map, text, meaning, why) in [
            ("none", "x", "reactive", "screening"),
            ("screening", "Reactive", "non_reactive", "duplicate"),
            ("screening", "x", "fine", "unknown meaning"),
        ] {
            let refused = before.with_value(map, text, meaning).unwrap_err().to_string();
            assert!(refused.contains(why), "{map} {text} {meaning}: {refused}");
        }
    }

    #[test]
    fn a_code_is_read_as_another_or_set_aside_and_the_evidence_says_who_says_so() {
        let before = profile();
        let raw = message("9161", "Reactive");
        assert_eq!(holding(&before, &raw), ["unmapped_test"]);
        let like = before.with_test("9161", "161", "a second assay file").unwrap();
        assert_eq!(holding(&like, &raw), [""; 0]);
        let claim = like.evidence().claims.iter().find(|claim| claim.of == "test 9161").unwrap();
        assert_eq!((&*claim.source, claim.level), (SOURCE, crate::Level::Inferred));
        let aside = before.without_test("9161", "a trial").unwrap();
        assert_eq!(holding(&aside, &raw), ["test_set_aside"]);
        // One after the other.
        let both = like.without_test("9162", "a trial").unwrap();
        assert_eq!(holding(&both, &message("9162", "Reactive")), ["test_set_aside"]);
        assert!(before.with_test("161", "580", "x").unwrap_err().to_string().contains("already"));
        assert!(before.with_test("9161", "none", "x").unwrap_err().to_string().contains("no test"));
    }
}
