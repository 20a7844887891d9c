//! Where a key stands in a pack's text.

use toml::de::{DeTable, DeValue};

/// `line 7: `, or nothing.
pub(super) fn in_words(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!("line {line}: "))
}

/// The line, from 1, of a key such as `sero.cut` or `reagent[1].marker`; of what it stands in, where the key itself is
/// not written.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut found = None;
    for step in key.split('.') {
        let (name, index) = match step.strip_suffix(']').and_then(|s| s.split_once('[')) {
            Some((name, index)) => (name, index.parse::<usize>().ok()),
            None => (step, None),
        };
        let Some((written, value)) = table.iter().find(|(known, _)| known.get_ref() == name) else { break };
        let mut value = value;
        found = Some(written.span().start);
        if let (DeValue::Array(list), Some(index)) = (value.get_ref(), index)
            && let Some(item) = list.get(index)
        {
            found = Some(item.span().start);
            value = item;
        }
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => break,
        }
    }
    let at = found?;
    Some(text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_at_its_line_and_a_missing_one_at_its_tables() {
        let text =
            "id = \"x\"\n\n[sero]\ncut = \"1\"\n[[reagent]]\nmarker = \"a\"\n[[reagent]]\nmarker = \"b\"\n";
        for (key, line) in [
            ("id", Some(1)),
            ("sero.cut", Some(4)),
            ("sero.gz_low", Some(3)),
            ("reagent[1].marker", Some(8)),
            ("nat.mode", None),
        ] {
            assert_eq!(line_of(text, key), line, "{key}");
        }
    }
}
