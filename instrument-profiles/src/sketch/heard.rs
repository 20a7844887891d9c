//! From a capture or a raw message to messages: which link takes the dialogue as it is.

use crate::{
    capture::{analyser_only, messages_of, said_by_analyser},
    profile::Profile,
};
use character_sets::{CharacterSet, Choice};
use std::{borrow::Cow, fmt::Write};
use vocabulary::{Protocol, notation};

/// Messages, and how they came.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) protocol: Protocol,
    /// `[link…]`, and `[table]` for files, as written in a profile.
    pub(super) link: String,
    pub(super) capture: String,
    pub(super) messages: Vec<Vec<u8>>,
    /// The character set of what is not UTF-8.
    pub(super) fallback: Option<&'static str>,
}

const STX: u8 = 0x02;
const ENQ: u8 = 0x05;
const VT: u8 = 0x0B;

/// Links that are tried in turn: the standard's own first, then its dialects.
const LIS01: [&str; 8] = [
    "[link.lis01]\n",
    "[link.lis01]\nmessage_end = \"session\"\n",
    "[link.lis01]\nchecksum = \"warn\"\n",
    "[link.lis01]\nframe_numbers = \"lenient\"\n",
    "[link.lis01]\nchecksum = \"warn\"\nframe_numbers = \"lenient\"\n",
    "[link.lis01]\nchecksum = \"warn\"\nframe_numbers = \"lenient\"\nmessage_end = \"session\"\n",
    "[link.lis01]\nframing = \"control_bytes\"\n",
    "[link.lis01]\nframing = \"control_bytes\"\nmessage_end = \"session\"\n",
];
const UNFRAMED: [&str; 2] = ["[link.unframed]\n", "[link.unframed]\nterminator = \"optional\"\n"];
const MLLP: [&str; 2] = ["[link.mllp]\n", "[link.mllp]\nsegment_ends = \"cr\"\n"];

/// Bytes that are no UTF-8 are most likely one of these.
const FALLBACKS: [&str; 2] = ["gb18030", "windows-1252"];

pub(super) fn listen(name: &str, bytes: &[u8]) -> Result<Heard, String> {
    let is_capture = name.ends_with(".capture");
    let capture = if is_capture {
        let text = std::str::from_utf8(bytes);
        text.map_err(|_| format!("{name}: a capture is UTF-8; write other bytes as <xHH>"))?.to_owned()
    } else {
        capture_of(name, bytes)
    };
    if bytes.is_empty() {
        return Err(format!("{name}: the file is empty"));
    }
    let said = said_by_analyser(&capture).map_err(|what| format!("{name}: {what}"))?;
    let has = |byte: u8| said.contains(&byte);
    let starts = |mark: &str| contains(&said, mark);
    let (protocol, links) = if has(VT) || starts("MSH|") {
        (Protocol::Hl7v2, MLLP.map(str::to_owned).to_vec())
    } else if has(STX) && (starts("\u{2}SB") || starts("\u{2}D ")) {
        let what = "this is a PK session: its places are columns that only the maker's manual tells; copy the folder of the nearest model";
        return Err(format!("{name}: {what}"));
    } else if has(ENQ) || has(STX) {
        (Protocol::Lis02, LIS01.map(str::to_owned).to_vec())
    } else if starts("H|") {
        (Protocol::Lis02, UNFRAMED.map(str::to_owned).to_vec())
    } else {
        let table = super::table::link_and_table(&decoded(&said));
        (Protocol::Delimited, vec![table.map_err(|what| format!("{name}: {what}"))?])
    };
    let fallback = fallback_of(&said);
    let with_both_sides = try_links(protocol, &links, fallback, &capture);
    let (link, messages, capture) = match with_both_sides {
        Ok((link, messages)) => (link, messages, capture),
        Err(why) => {
            // The other side was another system with answers of its own.
            let alone = analyser_only(&capture);
            match try_links(protocol, &links, fallback, &alone) {
                Ok((link, messages)) => (link, messages, alone),
                Err(_) => return Err(format!("{name}: no link takes this dialogue:\n{why}")),
            }
        }
    };
    Ok(Heard { protocol, link, capture, messages, fallback })
}

fn contains(bytes: &[u8], mark: &str) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
}

fn fallback_of(said: &[u8]) -> Option<&'static str> {
    if std::str::from_utf8(said).is_ok() {
        return None;
    }
    FALLBACKS.into_iter().find(|name| {
        let set = CharacterSet::from_name(name);
        set.is_some_and(|set| {
            let choice = Choice { fixed: Some(set), declared: &[], fallback: set };
            character_sets::decode(said, &choice).defects.total() == 0
        })
    })
}

fn decoded(said: &[u8]) -> Cow<'_, str> {
    let fallback = fallback_of(said).and_then(CharacterSet::from_name).unwrap_or(CharacterSet::Utf8);
    character_sets::decode(said, &Choice { fixed: None, declared: &[], fallback }).text
}

type Taken = (String, Vec<Vec<u8>>);

fn try_links(
    protocol: Protocol,
    links: &[String],
    fallback: Option<&str>,
    capture: &str,
) -> Result<Taken, String> {
    let mut first: Option<String> = None;
    for link in links {
        let profile = listener(protocol, link, fallback)?;
        match messages_of(&profile, capture) {
            Ok(messages) if !messages.is_empty() => return Ok((link.clone(), messages)),
            Ok(_) => drop(first.get_or_insert_with(|| "no whole message is in it".to_owned())),
            Err(faults) => drop(first.get_or_insert_with(|| faults.join("\n"))),
        }
    }
    Err(first.unwrap_or_default())
}

/// A profile that only listens.
pub(super) fn listener(protocol: Protocol, link: &str, fallback: Option<&str>) -> Result<Profile, String> {
    let (name, sender, place) = match protocol {
        Protocol::Lis02 => ("lis02", "H.5", "R.3"),
        Protocol::Hl7v2 => ("hl7v2", "MSH-9", "OBX-3"),
        Protocol::Delimited => ("delimited", "column #1", "column #1"),
        Protocol::PkBlocks => ("pk_blocks", "D.1", "D.1"),
    };
    let characters = fallback.map(|set| format!("[characters]\nfallback = \"{set}\"\n")).unwrap_or_default();
    let text = format!(
        "schema = 1\nid = \"new/profile\"\nprotocol = \"{name}\"\n[names]\nmaker = {{ en = \"-\", zh = \"-\" }}\n\
         model = {{ en = \"-\", zh = \"-\" }}\n{link}{characters}[message]\nsender = [{{ at = \"{sender}\", present = true }}]\nproduction = []\nsequence = \"lenient\"\nuncounted = \"-\"\n\
         results = [{{ at = \"{sender}\", present = true }}]\n[specimen]\nid = \"{place}\"\nform = \".+\"\n[controls]\n\
         recognition = \"open\"\n[run]\nid = \"open\"\n[status]\nalways = \"other\"\n[flags]\nat = []\nunknown = \"hold\"\n[result]\ncompleted_at = \"open\"\ntest = \"{place}\"\n\
         [[test]]\ncode = \"-\"\nopen = \"-\"\nsource = \"-\"\n[evidence.sources.-]\ntitle = \"-\"\nlevel = \"trace\"\n"
    );
    Profile::read("listener", &text).map_err(|errors| errors.to_string())
}

/// A raw message as a capture: what the analyser would have sent over its link.
fn capture_of(name: &str, bytes: &[u8]) -> String {
    let mut capture = format!("# {}\n", name.rsplit(['/', '\\']).next().unwrap_or(name));
    let framed = bytes.iter().any(|byte| [STX, ENQ, VT].contains(byte));
    let hl7 = bytes.starts_with(b"MSH|");
    let lis02 = bytes.starts_with(b"H|") || bytes.starts_with(b"H\\");
    let mut sent: Vec<Vec<u8>> = Vec::new();
    if hl7 && !framed {
        let mut block = vec![VT];
        records(bytes).for_each(|record| {
            block.extend_from_slice(record);
            block.push(b'\r');
        });
        block.extend([0x1C, b'\r']);
        sent.push(block);
    } else if lis02 && !framed {
        sent.push(vec![ENQ]);
        sent.extend(records(bytes).enumerate().map(|(at, record)| frame(at, record)));
        sent.push(vec![0x04]);
    } else {
        sent.push(bytes.to_vec());
    }
    for (at, bytes) in sent.iter().enumerate() {
        let written = write!(capture, "{:02}:{:02}.{:03} > ", at / 600, at / 10 % 60, at % 10 * 100);
        debug_assert!(written.is_ok(), "writing to a text does not fail");
        // A frame is one line of the capture; blocks and files have a line for each of theirs.
        let parted = |byte: &u8| matches!(byte, b'\n' | b'\r') && bytes.first() != Some(&STX);
        for (number, line) in bytes.split_inclusive(parted).enumerate() {
            if number > 0 {
                capture.push_str("\n    ");
            }
            capture.push_str(&notation::write(line));
        }
        capture.push('\n');
    }
    capture
}

fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|record| !record.is_empty())
}

/// A LIS01 frame with its number and checksum (CLSI LIS01-A2 §6.3).
fn frame(at: usize, record: &[u8]) -> Vec<u8> {
    let mut text = vec![b'0'.wrapping_add(u8::try_from((at + 1) % 8).unwrap_or(0))];
    text.extend_from_slice(record);
    text.extend([b'\r', 0x03]);
    let sum = text.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let mut frame = vec![STX];
    frame.extend(text);
    frame.extend(format!("{sum:02X}\r\n").into_bytes());
    frame
}
