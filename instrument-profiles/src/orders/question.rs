//! What an analyser asks.

use super::rules::QueryRules;
use crate::{
    interpret::Look,
    message::{self, Cursor, Document, Fixed},
    path::{Path, Repetition, Spot},
    profile::{Profile, rules::Condition},
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
    /// The carrier that it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Its place there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The record that asks for it, and the repetition there.
    #[serde(skip)]
    pub(crate) at: Cursor,
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
    /// The carrier, where all specimens stand in the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The place there, where it is the same for all.
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
        let first = *records.first()?;
        let asks = Asks::of(rules, look, first);
        let at = |path: &Path| Some(look.piece(Cursor::at(first), path)?.text.into_owned());
        let mut specimens: Vec<AskedSpecimen> = Vec::new();
        let mut fault = records.iter().find_map(|at| asks.unlike(&Asks::of(rules, look, *at)));
        for at in records.iter().filter(|_| !asks.all) {
            for specimen in specimens_of(rules, look, *at, text) {
                match specimens.iter().find(|known| known.id == specimen.id) {
                    Some(known) if known.stands_as(&specimen, look, text) => {}
                    Some(known) => {
                        let why = format!("it asks for {} more than once, and not alike", known.raw);
                        fault = fault.or(Some(why));
                    }
                    None => specimens.push(specimen),
                }
            }
        }
        let of_all = |value: fn(&AskedSpecimen) -> &Option<String>, path: &Option<Path>| {
            let Some(known) = specimens.first().map(value) else { return path.as_ref().and_then(at) };
            specimens.iter().all(|specimen| value(specimen) == known).then(|| known.clone()).flatten()
        };
        let mut query = Query {
            kind: asks.kind,
            all: asks.all,
            carrier: of_all(|specimen| &specimen.carrier, &rules.carrier),
            position: of_all(|specimen| &specimen.position, &rules.position),
            tests: asks.tests,
            tag: asks.tag,
            id: asks.id,
            control_id: self.rules.message.control_id.as_ref().and_then(at),
            fault: None,
            specimens,
            text: String::new(),
            characters: CharacterSet::Utf8,
        };
        query.fault = fault.or_else(|| query.unanswerable());
        Some(query)
    }
}

/// What one record asks, apart from its specimens. An answer is to all records of a question at once.
struct Asks {
    kind: QueryKind,
    all: bool,
    tests: Vec<String>,
    tag: Option<String>,
    id: Option<String>,
}

impl Asks {
    fn of(rules: &QueryRules, look: Look<'_>, record: usize) -> Self {
        let cursor = Cursor::at(record);
        let holds = |conditions: &[Condition]| !conditions.is_empty() && look.holds(cursor, conditions);
        let at = |path: &Option<Path>| Some(look.piece(cursor, path.as_ref()?)?.text.into_owned());
        let tests = rules.tests.as_ref().map_or_else(Vec::new, |path| look.pieces(cursor, path));
        let mut tests: Vec<String> = tests.into_iter().map(|piece| piece.text.into_owned()).collect();
        if tests.iter().any(|test| rules.all_tests.contains(test)) {
            tests.clear();
        }
        Self {
            kind: if holds(&rules.cancel) { QueryKind::Cancel } else { QueryKind::Orders },
            all: holds(&rules.all),
            tests,
            tag: at(&rules.tag),
            id: at(&rules.id),
        }
    }

    /// Why no answer fits both.
    fn unlike(&self, other: &Self) -> Option<String> {
        let differ = if self.kind != other.kind {
            "one takes a question back, another asks"
        } else if self.all != other.all {
            "one asks for whatever there is to do, another for a specimen"
        } else if self.tests != other.tests {
            "they name different tests"
        } else if self.tag != other.tag || self.id != other.id {
            "they are different questions"
        } else {
            return None;
        };
        Some(format!("its records do not go together: {differ}; ask in messages of their own"))
    }
}

impl AskedSpecimen {
    /// Whether both name the same specimen in the same place, by the same words.
    fn stands_as(&self, other: &Self, look: Look<'_>, text: &str) -> bool {
        let words = |specimen: &Self| {
            let fixed = specimen.at.fixed?;
            let (field, number) = fixed.repetition?;
            let spot =
                Spot { field, repetition: Repetition::Nth(number), component: None, subcomponent: None };
            let place = look.document.node(fixed.node)?.record.piece(spot)?.at;
            text.get(place)
        };
        (&self.carrier, &self.position) == (&other.carrier, &other.position) && words(self) == words(other)
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
fn specimens_of(rules: &QueryRules, look: Look<'_>, record: usize, text: &str) -> Vec<AskedSpecimen> {
    let mut found: Vec<AskedSpecimen> = Vec::new();
    for path in &rules.specimens {
        for cursor in repetitions(look, record, path) {
            let Some(piece) = look.piece(cursor, path) else { continue };
            // Padding is no part of the id, and yet the answer returns it as it came.
            let raw = text.get(piece.at).unwrap_or_default();
            let id = if rules.trim_end { piece.text.trim_end_matches(' ') } else { &*piece.text };
            let at = |path: &Option<Path>| Some(look.piece(cursor, path.as_ref()?)?.text.into_owned());
            if !id.is_empty() {
                let (carrier, position) = (at(&rules.carrier), at(&rules.position));
                let (id, raw) = (id.to_owned(), raw.to_owned());
                found.push(AskedSpecimen { id, raw, carrier, position, at: cursor });
            }
        }
        if found.is_empty() {
            continue;
        }
        // One place that is said for several tubes is the place of none of them.
        if found.len() > 1 && !beside(path, rules.position.as_ref()) {
            for specimen in &mut found {
                specimen.position = None;
            }
        }
        break;
    }
    found
}

/// Where a specimen path looks: at each repetition of its field.
fn repetitions(look: Look<'_>, record: usize, path: &Path) -> Vec<Cursor> {
    let at = Cursor::at(record);
    let Path::Field(path) = path else { return vec![at] };
    let Some(node) = look.document.find(at, &path.record) else { return Vec::new() };
    let field = path.spot.field;
    let count = look.document.node(node).map_or(0, |node| node.record.repetitions(field));
    let numbers = match path.spot.repetition {
        Repetition::Each => 1..=count,
        Repetition::Nth(number) => number..=number,
        Repetition::Unnamed if path.spot.component.is_some() => 1..=1,
        Repetition::Unnamed => return vec![at],
    };
    let fixed = |number| Some(Fixed { node, repetition: Some((field, number)) });
    numbers.map(|number| Cursor { fixed: fixed(number), ..at }).collect()
}

/// Whether two paths look at the same repetition of the same field.
fn beside(path: &Path, other: Option<&Path>) -> bool {
    match (path, other) {
        (Path::Field(path), Some(Path::Field(other))) => {
            path.record == other.record && path.spot.field == other.spot.field
        }
        (Path::Field(_) | Path::Column(_) | Path::Plate | Path::Specimen, _) => false,
    }
}
