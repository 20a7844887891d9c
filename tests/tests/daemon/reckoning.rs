//! What analysers remember against what the ledger holds.

use crate::analyser::{Block, Transfer};
use ledger::{Body, HowEnded, Ledger, Page, Seq, Settings, What};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Everything that was sent to one house.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) blocks: Vec<Block>,
    /// Beginnings of blocks that the analyser never finished.
    pub(crate) cut_blocks: Vec<Vec<u8>>,
}

impl Sent {
    pub(crate) fn acknowledged(&self) -> usize {
        let frames: usize = self.transfers.iter().map(|t| t.acknowledged).sum();
        frames + self.blocks.iter().filter(|b| b.acknowledged).count()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.transfers.extend(other.transfers);
        self.blocks.extend(other.blocks);
        self.cut_blocks.extend(other.cut_blocks);
    }
}

#[derive(Debug, Default)]
struct Kept {
    connection: String,
    text: Vec<u8>,
    frames: Vec<(bool, Vec<u8>)>,
    ended: Option<HowEnded>,
}

/// The ledger of a stopped house, read entry by entry.
#[derive(Debug, Default)]
struct Found {
    transfers: BTreeMap<u64, Kept>,
    /// Entry, connection, bytes.
    messages: Vec<(Seq, String, Vec<u8>)>,
    /// Messages in the order in which their last parts were written.
    interpreted: Vec<Seq>,
    /// Transfers that are listed as half, with the text that is in no message.
    halves: BTreeMap<u64, Vec<u8>>,
}

fn open(folder: &Path) -> Ledger {
    let mut settings = Settings::new(folder);
    settings.free_bytes_min = 0;
    settings.ballast_bytes = 0;
    let (ledger, report) = Ledger::open(settings, &mut |_| {}).unwrap();
    assert_eq!(report.rebuilt, None, "a kill alone damages no state");
    ledger
}

fn read(folder: &Path) -> Found {
    let ledger = open(folder);
    let reader = ledger.state();
    let mut found = Found::default();
    let mut expected = Seq::NONE.next();
    for line in reader.entries(expected) {
        let entry = line.unwrap().entry;
        assert_eq!(entry.seq, expected, "entries have no gap");
        expected = entry.seq.next();
        #[expect(clippy::wildcard_enum_match_arm, reason = "what else there is has no part in this")]
        match entry.what {
            What::FrameReceived { connection, transfer, end, text, .. } => {
                let kept = found.transfers.entry(transfer).or_default();
                assert!(kept.ended.is_none(), "a frame behind the end of its transfer");
                kept.connection = connection.to_string();
                kept.text.extend_from_slice(&text);
                kept.frames.push((end, text.into_vec()));
            }
            What::TransferEnded { transfer, how, .. } => {
                if let Some(kept) = found.transfers.get_mut(&transfer) {
                    assert_eq!(kept.ended.replace(how), None, "a transfer ends once");
                }
            }
            What::MessageReceived { connection, body, .. } => {
                let bytes = reader.raw(entry.seq).unwrap();
                if let Body::Frames { transfer, from, to } = body {
                    // What the reader joins is what the frames say.
                    let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
                    assert_eq!(bytes, found.transfers[&transfer].text[from..to]);
                }
                found.messages.push((entry.seq, connection.to_string(), bytes));
            }
            What::MessageInterpreted { message, last: true, .. } => {
                found.interpreted.push(message);
            }
            _ => {}
        }
    }
    for half in reader.half_transfers(&Page::first(100_000)).unwrap().items {
        found.halves.insert(half.transfer, reader.unused_text(half.transfer).unwrap().unwrap());
    }
    ledger.close();
    found
}

/// A message is interpreted once; and again only where an earlier message was interpreted after it, which a disk that
/// took one of two groups brings about: what repeats or corrects what is judged in the order in which they came.
fn once(message: Seq, interpreted: &[Seq]) -> bool {
    let times: Vec<usize> = (0..interpreted.len()).filter(|at| interpreted[*at] == message).collect();
    let overtaken = |pair: &[usize]| interpreted[pair[0]..pair[1]].iter().any(|other| *other < message);
    !times.is_empty() && times.windows(2).all(overtaken)
}

/// Holds the ledger in `folder` against what was sent: everything acknowledged is there, once, byte for byte;
/// what is not whole is kept as half and was never read. Gives the number of messages and of half transmissions.
pub(crate) fn reckon(folder: &Path, sent: &Sent) -> (usize, usize) {
    let found = read(folder);
    let mut messages: BTreeMap<(String, Vec<u8>), usize> = BTreeMap::new();
    for (seq, connection, bytes) in &found.messages {
        *messages.entry((connection.clone(), bytes.clone())).or_default() += 1;
        assert!(once(*seq, &found.interpreted), "message {seq} is interpreted once: {:?}", found.interpreted);
    }
    let interpreted: BTreeSet<Seq> = found.interpreted.iter().copied().collect();
    assert_eq!(interpreted.len(), found.messages.len(), "only messages are interpreted");
    let mut explained: BTreeSet<u64> = BTreeSet::new();
    let mut whole = 0;
    for transfer in &sent.transfers {
        let tag = &transfer.frames[0].1;
        let kept: Vec<(&u64, &Kept)> =
            found.transfers.iter().filter(|(_, kept)| kept.frames[0].1 == *tag).collect();
        assert!(kept.len() <= 1, "a transfer is kept twice: {kept:?}");
        let frames = kept.first().map_or(&[][..], |(_, kept)| &kept.frames);
        assert!(
            frames.len() >= transfer.acknowledged,
            "LOST: {} frames were acknowledged, {} are kept of {transfer:?}",
            transfer.acknowledged,
            frames.len()
        );
        let same = frames
            .iter()
            .zip(&transfer.frames)
            .all(|(kept, (end, text))| kept.1 == *text && kept.0 == (*end == lis01::FrameEnd::End));
        assert!(same && frames.len() <= transfer.frames.len(), "kept otherwise than sent: {kept:?}");
        let text = transfer.text(frames.len());
        let all = transfer.text(transfer.frames.len());
        let mut used = 0;
        for range in &transfer.messages {
            let there = messages.remove(&(transfer.connection.clone(), all[range.clone()].to_vec()));
            let complete = range.end <= text.len();
            assert_eq!(
                there,
                complete.then_some(1),
                "a message is there once when its last frame is, else not"
            );
            if complete {
                (whole, used) = (whole + 1, range.end);
            }
        }
        if let Some((number, kept)) = kept.first() {
            explained.insert(**number);
            assert_eq!(kept.connection, transfer.connection);
            assert!(kept.ended.is_some(), "the transfer of {tag:?} has no end");
            let half = found.halves.get(number).map(Vec::as_slice);
            assert_eq!(half, (used < text.len()).then_some(&text[used..]), "the rest is a half transmission");
        }
    }
    for block in &sent.blocks {
        let there = messages.remove(&(block.connection.clone(), block.bytes.clone()));
        assert!(there.is_none_or(|n| n == 1), "kept {there:?} times: {block:?}");
        assert!(there.is_some() || !block.acknowledged, "LOST: {block:?}");
        whole += there.unwrap_or_default();
    }
    assert!(messages.is_empty(), "messages that nobody sent: {messages:?}");
    for (number, kept) in found.transfers.iter().filter(|(number, _)| !explained.contains(number)) {
        let cut = sent.cut_blocks.iter().any(|begun| begun.starts_with(&kept.text));
        let begins = kept.text.get(..200).unwrap_or(&kept.text);
        assert!(
            cut && found.halves.contains_key(number),
            "frames that nobody sent, over {}: {:?}",
            kept.connection,
            String::from_utf8_lossy(begins)
        );
    }
    (whole, found.halves.len())
}
