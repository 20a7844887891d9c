//! What was acknowledged against what the ledger holds.

use super::instrument::{MessageKey, digest};
use crate::BenchError;
use ledger::{Ledger, Seq, Settings, What};
use std::{collections::HashMap, path::Path};

/// How often each message is there.
pub(super) type Count = HashMap<MessageKey, u64>;

/// How the two differ: nothing may be anything but zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reckoning {
    /// Acknowledged, and not there.
    pub(super) lost: u64,
    /// There more often than acknowledged.
    pub(super) duplicated: u64,
    /// There, and never acknowledged.
    pub(super) unasked: u64,
}

impl Reckoning {
    pub(super) fn new(acknowledged: &Count, held: &Count) -> Self {
        let mut found = Self::default();
        for (message, times) in acknowledged {
            let there = held.get(message).copied().unwrap_or_default();
            found.lost += times.saturating_sub(there);
            found.duplicated += there.saturating_sub(*times);
        }
        let unasked = held.iter().filter(|(message, _)| !acknowledged.contains_key(*message));
        found.unasked = unasked.map(|(_, times)| times).sum();
        found
    }
}

/// Every message of a ledger that nobody has open.
pub(super) fn held(folder: &Path) -> Result<Count, BenchError> {
    const READING: &str = "read the daemon's ledger";
    let (ledger, _) = Ledger::open(Settings::new(folder), &mut |_| {}).map_err(BenchError::part(READING))?;
    let reader = ledger.state();
    let mut held = Count::new();
    for line in reader.entries(Seq::NONE.next()) {
        let entry = line.map_err(BenchError::part(READING))?.entry;
        if let What::MessageReceived { connection, .. } = &entry.what {
            let bytes = reader.raw(entry.seq).map_err(BenchError::part(READING))?;
            *held.entry((connection.to_string(), digest(&bytes))).or_default() += 1;
        }
    }
    drop(reader);
    ledger.close();
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(messages: &[(&str, u64)]) -> Count {
        messages.iter().map(|(m, times)| (("a".to_owned(), digest(m.as_bytes())), *times)).collect()
    }

    #[test]
    fn every_difference_is_seen() {
        let acknowledged = count(&[("1", 1), ("2", 2), ("3", 1)]);
        for (held, lost, duplicated, unasked) in [
            (count(&[("1", 1), ("2", 2), ("3", 1)]), 0, 0, 0),
            (count(&[("1", 1), ("2", 1)]), 2, 0, 0),
            (count(&[("1", 2), ("2", 2), ("3", 1), ("4", 3)]), 0, 1, 3),
        ] {
            assert_eq!(Reckoning::new(&acknowledged, &held), Reckoning { lost, duplicated, unasked });
        }
    }
}
