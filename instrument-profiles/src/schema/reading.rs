//! Reads `profile.toml` into the schema's types and reports every fault of shape, not only the first.
//!
//! serde stops at the first fault. So the faulty entry is cut out of the parsed tree (which keeps the places of
//! everything else) and the reading starts again, until nothing is wrong or a bound is reached. That is why no
//! key of the schema is required here: what is missing is found by the checks that follow.

use super::{Document, seal::guards};
use crate::fault::{Faults, nearest};
use serde::Deserialize;
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// More faults of shape than this are not worth a list.
const SHAPE_FAULTS_MAX: usize = 200;

/// What could be read. `None` when the text is no TOML at all.
pub(crate) fn read(text: &str, faults: &mut Faults<'_>) -> Option<Document> {
    // Nearly every profile is read at once, so the tree is not kept for another try: it is made again.
    match read_tree(tree_of(text, faults)?) {
        Some(document) => Some(document),
        None => read_what_can_be(tree_of(text, faults)?, faults),
    }
}

/// What a tree without a fault of shape says.
pub(crate) fn read_tree(tree: Spanned<DeTable<'_>>) -> Option<Document> {
    let guards = guards(tree.get_ref());
    let document = Document::deserialize(toml::de::Deserializer::from(tree)).ok()?;
    Some(Document { guards, ..document })
}

fn tree_of<'t>(text: &'t str, faults: &mut Faults<'_>) -> Option<Spanned<DeTable<'t>>> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        faults.add(&error.span().unwrap_or(0..0), error.message().replace('\n', "; "));
    }
    errors.is_empty().then_some(tree)
}

fn read_what_can_be(mut tree: Spanned<DeTable<'_>>, faults: &mut Faults<'_>) -> Option<Document> {
    for _ in 0..SHAPE_FAULTS_MAX {
        match Document::deserialize(toml::de::Deserializer::from(tree.clone())) {
            Ok(document) => return Some(document),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                report(faults, &span, error.message());
                if !cut_from_table(tree.get_mut(), &span) {
                    return None;
                }
            }
        }
    }
    None
}

fn report(faults: &mut Faults<'_>, at: &Range<usize>, message: &str) {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = ["unknown field", "unknown variant"].iter().any(|start| message.starts_with(start));
    match quoted.next().filter(|_| unknown) {
        Some(name) => {
            let kind = if message.starts_with("unknown field") { "key" } else { "word" };
            let known: Vec<&str> = quoted.collect();
            let near = nearest(name, known.iter().copied());
            let what = match &near {
                Some(_) => format!("unknown {kind} {name:?}"),
                None => format!("unknown {kind} {name:?}; known here: {}", known.join(", ")),
            };
            faults.push(at, what, near);
        }
        None => faults.add(at, message.replace('\n', "; ")),
    }
}

fn cut_from_table(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let found = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    if let Some(key) = found.map(|(key, _)| key.clone()) {
        return table.remove(&key).is_some();
    }
    table.iter_mut().any(|(_, value)| cut_from_value(value.get_mut(), span))
}

fn cut_from_value(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => cut_from_table(table, span),
        DeValue::Array(items) => {
            let kept: Vec<_> = items.iter().filter(|item| item.span() != *span).cloned().collect();
            if kept.len() < items.len() {
                let mut shorter = toml::de::DeArray::new();
                for item in kept {
                    shorter.push(item);
                }
                *items = shorter;
                return true;
            }
            items.iter_mut().any(|item| cut_from_value(item.get_mut(), span))
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => false,
    }
}
