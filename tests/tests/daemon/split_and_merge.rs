//! Any split and any merge of the byte stream over a real socket: the same entries.

use crate::{
    analyser::{ACK, Block, Line, NAK, Transfer},
    house::House,
};
use ledger::{Ledger, Seq, Settings, What};
use std::{collections::BTreeMap, path::Path, thread};

const SEED: u64 = 0x005b_117e;
/// Ways to cut each stream.
const WAYS: usize = 12;

/// The stream in pieces: whole, byte by byte, or cut and merged by chance.
fn pieces(stream: &[u8], way: usize) -> Vec<Vec<u8>> {
    match way {
        0 => vec![stream.to_vec()],
        1 => stream.iter().map(|byte| vec![*byte]).collect(),
        _ => {
            let mut random = fastrand::Rng::with_seed(SEED ^ way as u64);
            let longest = [2, 7, 64, 700][way % 4];
            let mut rest = stream;
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(random.usize(1..=longest.min(rest.len())));
                pieces.push(piece.to_vec());
                rest = after;
            }
            pieces
        }
    }
}

/// Writes every piece in a write of its own, and reads `answers` ACKs.
fn play_frames(line: &mut Line, pieces: &[Vec<u8>], answers: usize) {
    let mut socket = line.socket.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            use std::io::Write;
            for piece in pieces {
                socket.write_all(piece).unwrap();
            }
        });
        for answer in 0..answers {
            let byte = line.byte().unwrap();
            assert_ne!(byte, NAK, "answer {answer}");
            assert_eq!(byte, ACK, "answer {answer}");
        }
    });
}

fn play_blocks(line: &mut Line, pieces: &[Vec<u8>], answers: usize) {
    let mut socket = line.socket.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            use std::io::Write;
            for piece in pieces {
                socket.write_all(piece).unwrap();
            }
        });
        for answer in 0..answers {
            assert!(line.answer().unwrap().contains("MSA|AA|"), "answer {answer}");
        }
    });
}

/// What the journal holds of each connection, without what differs from one time to the next: numbers and times.
fn entries(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut settings = Settings::new(folder);
    settings.free_bytes_min = 0;
    settings.ballast_bytes = 0;
    let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
    let reader = ledger.state();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in reader.entries(Seq::NONE.next()) {
        let entry = line.unwrap().entry;
        #[expect(clippy::wildcard_enum_match_arm, reason = "what else there is has no part in this")]
        let (connection, what) = match &entry.what {
            What::FrameReceived { connection, number, end, text, .. } => {
                (connection, format!("frame {number:?} {end} {:?}", text.escape_ascii().to_string()))
            }
            What::TransferEnded { connection, how, .. } => (connection, format!("end {how:?}")),
            What::MessageReceived { connection, .. } => {
                let raw = reader.raw(entry.seq).unwrap();
                (connection, format!("message {:?}", raw.escape_ascii().to_string()))
            }
            _ => continue,
        };
        found.entry(connection.to_string()).or_default().push(what);
    }
    ledger.close();
    found
}

#[test]
fn every_split_and_merge_of_the_stream_gives_the_same_entries() {
    let lines: Vec<(String, &str)> = (0..WAYS)
        .flat_map(|way| {
            [(format!("frames-{way}"), "abbott/architect-i2000sr"), (format!("blocks-{way}"), "mindray/bs")]
        })
        .collect();
    let lines: Vec<(&str, &str)> = lines.iter().map(|(id, profile)| (id.as_str(), *profile)).collect();
    let house = House::with(&lines);
    let daemon = house.start();
    let transfers = [Transfer::new("", "S1", 2, 0), Transfer::new("", "S2", 1, 3)];
    let blocks: Vec<Block> = (0..6).map(|n| Block::new("", &format!("B{n}"))).collect();
    let block_stream: Vec<u8> = blocks.iter().flat_map(|b| mllp::frame(&b.bytes)).collect();
    for way in 0..WAYS {
        // A half-duplex line: the next transfer begins when the one before is answered.
        let mut line = Line::open(daemon.listening[&format!("frames-{way}")]).unwrap();
        for transfer in &transfers {
            play_frames(&mut line, &pieces(&transfer.stream(), way), 1 + transfer.frames.len());
        }
        let mut line = Line::open(daemon.listening[&format!("blocks-{way}")]).unwrap();
        play_blocks(&mut line, &pieces(&block_stream, way), blocks.len());
    }
    let (status, log) = daemon.stop();
    assert!(status.success(), "{log}");
    let found = entries(&house.ledger());
    for kind in ["frames", "blocks"] {
        let whole = &found[&format!("{kind}-0")];
        let messages = whole.iter().filter(|what| what.starts_with("message")).count();
        assert_eq!(messages, if kind == "frames" { 3 } else { blocks.len() });
        for way in 1..WAYS {
            assert_eq!(&found[&format!("{kind}-{way}")], whole, "{kind}, way {way}");
        }
    }
    assert!(found["frames-0"].last().unwrap().contains("end"), "{:?}", found["frames-0"].last());
}
