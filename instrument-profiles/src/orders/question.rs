//! What an analyser asks.

use super::rules::QueryRules;
use crate::{
    interpret::Look,
    message::{self, Cursor, Document},
    path::Path,
    profile::Profile,
};
use character_sets::CharacterSet;
use vocabulary::Protocol;

/// Specimens that one question may name; beyond it the question is refused.
const SPECIMENS_MAX: usize = 200;

/// What the analyser wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryKind {
    /// To be told what it is to do.
    Orders,
    /// To take its last question back.
    Cancel,
}

/// A specimen that it asks for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AskedSpecimen {
    /// Its id as the analyser read it.
    pub id: String,
    /// The same as it stood on the line: an answer returns it unchanged (LIS02-A2, duties of the receiver).
    pub raw: String,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Query {
    /// What it wants.
    pub kind: QueryKind,
    /// For these, each once, in the order of the question.
    pub specimens: Vec<AskedSpecimen>,
    /// It asks for whatever there is to do.
    pub all: bool,
    /// It asks for these tests only, by their codes; empty: for any.
    pub tests: Vec<String>,
    /// The carrier that the specimen stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Its place there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The analyser's own tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The analyser's own id of the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The message's control id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_id: Option<String>,
    /// Why it cannot be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The message, for what templates echo, and the character set it came in.
    #[serde(skip)]
    pub(crate) text: String,
    #[serde(skip)]
    pub(crate) characters: CharacterSet,
}

impl Profile {
    /// Whether this model asks what it is to do.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.orders.query.is_some()
    }

    /// Whether a message could be a question: a quick look, wrong only in saying yes too often.
    #[must_use]
    pub fn may_ask(&self, raw: &[u8]) -> bool {
        let Some(rules) = &self.orders.query else { return false };
        let name = rules.record.as_bytes();
        raw.windows(name.len() + 1).any(|window| {
            matches!(window.split_first(), Some((b'\r' | b'\n', rest)) if rest.eq_ignore_ascii_case(name))
        })
    }

    /// The question that a message asks, if it asks one.
    #[must_use]
    pub fn query(&self, raw: &[u8]) -> Option<Query> {
        let rules = self.orders.query.as_ref()?;
        let decoded = self.decode(raw);
        let found = match self.protocol() {
            Protocol::Lis02 => {
                let mut index = lis02::Index::new();
                self.query_in(rules, &message::read_lis02(&index.read(&decoded.text)), &decoded.text)
            }
            Protocol::Hl7v2 => {
                let mut index = self.hl7_index();
                self.query_in(rules, &message::read_hl7(&index.read(&decoded.text)), &decoded.text)
            }
            Protocol::Delimited | Protocol::PkBlocks => None,
        };
        // Plain ASCII says nothing about the set that the analyser reads.
        let writes = self.orders.writing.characters;
        let characters = if decoded.text.is_ascii() { writes } else { decoded.used };
        Some(Query { text: decoded.text.into_owned(), characters, ..found? })
    }

    /// The records of a message that ask.
    pub(crate) fn asking(&self, look: Look<'_>) -> Vec<usize> {
        let Some(rules) = &self.orders.query else { return Vec::new() };
        let nodes = look.document.nodes.iter().enumerate();
        let asks = |at: usize| look.holds(Cursor::at(at), &rules.when);
        nodes.filter(|(at, node)| node.name.is(&rules.record) && asks(*at)).map(|(at, _)| at).collect()
    }

    fn query_in(&self, rules: &QueryRules, document: &Document<'_>, text: &str) -> Option<Query> {
        let look = Look { document, rules: &self.rules };
        let records = self.asking(look);
        let first = Cursor::at(*records.first()?);
        let at = |path: &Option<Path>| Some(look.piece(first, path.as_ref()?)?.text.into_owned());
        let cancels = !rules.cancel.is_empty() && look.holds(first, &rules.cancel);
        let all = !rules.all.is_empty() && look.holds(first, &rules.all);
        let mut specimens: Vec<AskedSpecimen> = Vec::new();
        for at in records.iter().filter(|_| !all) {
            for specimen in specimens_of(rules, look, Cursor::at(*at), text) {
                if !specimens.contains(&specimen) {
                    specimens.push(specimen);
                }
            }
        }
        let tests = rules.tests.as_ref().map_or_else(Vec::new, |path| look.pieces(first, path));
        let mut tests: Vec<String> = tests.into_iter().map(|piece| piece.text.into_owned()).collect();
        if tests.iter().any(|test| rules.all_tests.contains(test)) {
            tests.clear();
        }
        let kind = if cancels { QueryKind::Cancel } else { QueryKind::Orders };
        let mut query = Query {
            kind,
            all,
            tests,
            carrier: at(&rules.carrier),
            position: at(&rules.position),
            tag: at(&rules.tag),
            id: at(&rules.id),
            control_id: at(&self.rules.message.control_id),
            fault: None,
            specimens,
            text: String::new(),
            characters: CharacterSet::Utf8,
        };
        query.fault = query.unanswerable();
        Some(query)
    }
}

impl Query {
    fn unanswerable(&mut self) -> Option<String> {
        if self.kind == QueryKind::Cancel || self.all {
            return None;
        }
        let asked = self.specimens.len();
        if asked > SPECIMENS_MAX {
            self.specimens.truncate(SPECIMENS_MAX);
            return Some(format!("it asks for {asked} specimens; {SPECIMENS_MAX} may be asked for at once"));
        }
        (asked == 0).then(|| "it names no specimen".to_owned())
    }
}

/// The first of the places that names any.
fn specimens_of(rules: &QueryRules, look: Look<'_>, cursor: Cursor, text: &str) -> Vec<AskedSpecimen> {
    let mut found = Vec::new();
    for path in &rules.specimens {
        for piece in look.pieces(cursor, path) {
            // Padding is no part of the id, and yet the answer returns it as it came.
            let raw = text.get(piece.at).unwrap_or_default();
            let id = if rules.trim_end { piece.text.trim_end_matches(' ') } else { &*piece.text };
            if !id.is_empty() {
                found.push(AskedSpecimen { id: id.to_owned(), raw: raw.to_owned() });
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}
