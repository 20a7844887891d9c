//! What was acknowledged against what the ledger holds.

use super::instrument::{MessageKey, digest};
use crate::BenchError;
use ledger::{Body, Ledger, Seq, Settings, What};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

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

/// Connections that lost messages which somebody is shown.
const SHOWN_MAX: usize = 5;

/// Where messages were acknowledged that are not there, in words.
pub(super) fn losers(acknowledged: &Count, held: &Count) -> Vec<String> {
    let mut lost: BTreeMap<&str, u64> = BTreeMap::new();
    for (message, times) in acknowledged {
        let there = held.get(message).copied().unwrap_or_default();
        if *times > there {
            *lost.entry(&message.0).or_default() += times - there;
        }
    }
    let say = |(connection, lost): (&str, u64)| format!("{connection}: {lost} acknowledged and not there");
    lost.into_iter().take(SHOWN_MAX).map(say).collect()
}

/// Every message of a ledger that nobody has open.
pub(super) fn held(folder: &Path) -> Result<Count, BenchError> {
    const READING: &str = "read the daemon's ledger";
    let (ledger, _) = Ledger::open(Settings::new(folder), &mut |_| {}).map_err(BenchError::part(READING))?;
    let reader = ledger.state();
    let mut held = Held::default();
    for line in reader.entries(Seq::NONE.next()) {
        held.read(line.map_err(BenchError::part(READING))?.entry.what)?;
    }
    drop(reader);
    ledger.close();
    Ok(held.messages)
}

/// One reading of a journal from its first entry to its last.
#[derive(Default)]
struct Held {
    messages: Count,
    /// The joined text of transfers that have not ended.
    transfers: HashMap<u64, Vec<u8>>,
}

impl Held {
    fn read(&mut self, what: What) -> Result<(), BenchError> {
        if let What::FrameReceived { transfer, text, .. } = what {
            self.transfers.entry(transfer).or_default().extend_from_slice(&text);
        } else if let What::TransferEnded { transfer, .. } = what {
            self.transfers.remove(&transfer);
        } else if let What::MessageReceived { connection, body, .. } = what {
            let digest = match &body {
                Body::Whole(bytes) | Body::Made { text: bytes, .. } => Some(digest(bytes)),
                Body::Frames { transfer, from, to } => self.transfers.get(transfer).and_then(|text| {
                    let range = usize::try_from(*from).ok()?..usize::try_from(*to).ok()?;
                    text.get(range).map(digest)
                }),
            };
            let digest = digest.ok_or_else(|| BenchError::Part {
                what: "put a message together".to_owned(),
                why: format!("{connection}: its frames are not in the journal before it"),
            })?;
            *self.messages.entry((connection.to_string(), digest)).or_default() += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::HowEnded;
    use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

    #[test]
    fn messages_are_put_together_from_the_frames_before_them() {
        let connection = ConnectionId::new("a").unwrap();
        let frame = |text: &[u8]| What::FrameReceived {
            connection: connection.clone(),
            transfer: 7,
            number: Some(1),
            end: true,
            text: text.into(),
            terms: None,
        };
        let message = |body| What::MessageReceived {
            connection: connection.clone(),
            mode: Mode::Production,
            profile: ProfileRef { id: "a/b".to_owned(), revision: String::new() },
            protocol: Protocol::Lis02,
            body,
        };
        let frames = |from, to| message(Body::Frames { transfer: 7, from, to });
        let ended = What::TransferEnded { connection: connection.clone(), transfer: 7, how: HowEnded::Eot };
        let mut held = Held::default();
        for what in [frame(b"H|1"), frame(b"L|H|2L|"), frames(0, 5), frames(5, 10), ended] {
            held.read(what).unwrap();
        }
        held.read(message(Body::Whole(b"H|1L|".as_slice().into()))).unwrap();
        assert_eq!(held.messages, count(&[("H|1L|", 2), ("H|2L|", 1)]));
        let error = held.read(frames(0, 5)).unwrap_err().to_string();
        assert!(error.contains("a: its frames are not in the journal"), "{error}");
    }

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
            let named = if lost == 0 { vec![] } else { vec!["a: 2 acknowledged and not there".to_owned()] };
            assert_eq!(losers(&acknowledged, &held), named);
        }
    }
}
