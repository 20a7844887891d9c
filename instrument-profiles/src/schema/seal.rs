//! The guards of a profile, counted: what can only make less be read. Nothing in a message could tell a profile that has lost
//! one of them from one that never had it, so a profile says how many it has, as a batch slip says its control total.

use toml::de::{DeTable, DeValue};

/// Keys whose texts are counted, wherever they stand. Guards that have to be said (`reactive`, `form`, …) are not among them.
pub(crate) const COUNTED: [&str; 17] = [
    "when",
    "sender",
    "production",
    "results",
    "silent",
    "not_done",
    "event",
    "check",
    "whole",
    "together",
    "once",
    "each",
    "layout",
    "role",
    "complete",
    "trim_end",
    "not_of_controls",
];

/// Sections that say nothing about results.
const BESIDE: [&str; 10] = [
    "names",
    "link",
    "evidence",
    "query",
    "answer",
    "order_out",
    "reply",
    "writing",
    "orderable",
    "order_in",
];

/// How many guards a file has: each of the keys, and each word, number and truth below it.
pub(crate) fn guards(file: &DeTable<'_>) -> u32 {
    let sections = file.iter().filter(|(name, _)| !BESIDE.contains(&name.get_ref().as_ref()));
    sections.map(|(name, value)| of_key(name.get_ref(), value.get_ref(), false)).sum()
}

/// As [`guards`], of a text; none when it is no TOML.
pub(crate) fn guards_of(text: &str) -> Option<u32> {
    DeTable::parse(text).ok().map(|file| guards(file.get_ref()))
}

/// A key and what is below it; `within` one that is counted, words are, and keys no more.
fn of_key(key: &str, value: &DeValue<'_>, within: bool) -> u32 {
    let counted = !within && COUNTED.contains(&key);
    u32::from(counted) + below(value, within || counted)
}

fn below(value: &DeValue<'_>, within: bool) -> u32 {
    match value {
        DeValue::Table(table) => {
            table.iter().map(|(key, inside)| of_key(key.get_ref(), inside.get_ref(), within)).sum()
        }
        DeValue::Array(items) => items.iter().map(|item| below(item.get_ref(), within)).sum(),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => u32::from(within),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_its_words_and_every_key_that_guards_is_counted_and_nothing_else_is() {
        for (text, count) in [
            ("", 0),
            ("[result]\ntest = 'R.3'", 0),
            ("[result]\nwhole = []", 1),
            ("[result]\nwhole = 'number'", 2),
            ("[result]\nwhole = ['number', 'od']", 3),
            ("[[row]]\nnumber = 'R.4'\nwhen = [{ at = 'R.2', is = ['1', '2'] }]", 4),
            ("[[row]]\nwhen = [{ at = 'R.2', is = '1' }, { at = 'R.9', present = true }]", 5),
            ("[[check]]\nfinding = 'x'\nequal = ['R.2', 'R.3']", 4),
            ("[plate]\nrole = 'x'\n[plate.layout]\nA1 = 'y'", 4),
            ("[query]\nwhen = [{ at = 'Q.1', is = 'x' }]", 0),
        ] {
            assert_eq!(guards_of(text), Some(count), "{text}");
        }
    }
}
