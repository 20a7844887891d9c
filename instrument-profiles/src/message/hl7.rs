//! HL7 segments as a document: which segment belongs to which.
//!
//! Levels follow the groups of ORU^R01 and OUL^R22: MSH, then PID, then SPM, then OBR (with its ORC), then OBX.
//! ORC belongs to the OBR behind it where the message begins its orders with ORC (ORU, OML, ORL), else to the one
//! before it (OUL). What stands between a leading ORC and its OBR (TQ1) is that order's too. Everything else is attached to the segment that is open when it comes, which is where both structures put it
//! (SAC and INV to the specimen, TCD, SID and NTE to the result).

use super::{Defect, Document, Record, RecordName, snake_case};
use hl7v2::Message;

const MSH: usize = 0;
const PID: usize = 1;
const SPM: usize = 2;
const OBR: usize = 3;
const OBX: usize = 4;
const LEVELS: usize = 5;

pub(crate) fn read_hl7<'a>(message: &Message<'a>) -> Document<'a> {
    let mut document = Document::of(&message.segments());
    let mut open: [Option<usize>; LEVELS] = [None; LEVELS];
    let of_orders =
        || message.segments().map(|segment| segment.name()).filter(|name| matches!(*name, "ORC" | "OBR"));
    let orc_leads = of_orders().next() == Some("ORC");
    // A leading ORC and what follows it, until their OBR comes.
    let mut waiting: Vec<usize> = Vec::new();
    let mut leading = false;
    for segment in message.segments() {
        let name = RecordName::new(segment.name());
        let deepest = open.iter().rev().flatten().next().copied();
        if segment.name() == "ORC" && (orc_leads || open.get(OBX).is_some_and(Option::is_some)) {
            // A new order begins: what was open of the last one is closed.
            close_from(&mut open, OBR);
            let parent = open.iter().rev().flatten().next().copied();
            waiting = vec![document.push(Record::Hl7(segment), name, parent, false)];
            leading = true;
            continue;
        }
        let Some(level) = level_of(segment.name()) else {
            if leading && !waiting.is_empty() {
                waiting.push(document.push(Record::Hl7(segment), name, deepest, false));
                continue;
            }
            let at = document.push(Record::Hl7(segment), name, deepest, true);
            if segment.name() == "ORC" && open.get(OBR).is_some_and(Option::is_none) {
                (waiting, leading) = (vec![at], false);
            }
            continue;
        };
        close_from(&mut open, level);
        if level == OBX && open.get(OBR).is_some_and(Option::is_none) {
            document.defects.push(Defect {
                name: "parent_missing".to_owned(),
                what: "a result (OBX) without an order (OBR) before it: whose is it?".to_owned(),
                at: segment.range(),
                harmless: false,
            });
        }
        let parent = open.iter().rev().flatten().next().copied();
        let at = document.push(Record::Hl7(segment), name, parent, false);
        if let Some(slot) = open.get_mut(level) {
            *slot = Some(at);
        }
        let of_order = std::mem::take(&mut waiting);
        if level == OBR
            && let Some(order) = document.nodes.get_mut(at)
        {
            order.attached.extend(of_order);
        }
    }
    document.terminated = message.segments().next_back().is_none_or(|last| !last.terminator().is_empty());
    document.more_defects = message.defects_total().saturating_sub(message.defects().len());
    document.defects.extend(message.defects().iter().map(|defect| Defect {
        name: snake_case(&format!("{:?}", defect.kind)),
        what: defect.kind.to_string(),
        at: defect.at.clone(),
        harmless: false,
    }));
    document
}

fn close_from(open: &mut [Option<usize>; LEVELS], level: usize) {
    for slot in open.iter_mut().skip(level) {
        *slot = None;
    }
}

fn level_of(name: &str) -> Option<usize> {
    Some(match name {
        "MSH" => MSH,
        "PID" => PID,
        "SPM" => SPM,
        "OBR" => OBR,
        "OBX" => OBX,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Cursor;
    use crate::path::{Path, RecordPath};
    use vocabulary::Protocol;

    fn seen_from_last_obx(text: &str, path: &str) -> String {
        let mut index = hl7v2::Index::new();
        let document = read_hl7(&index.read(text));
        let last = document.nodes.iter().rposition(|node| node.name.is("OBX")).unwrap();
        let Ok(Path::Field(path)) = Path::parse(path, Protocol::Hl7v2) else { panic!("{path}") };
        document.piece(Cursor::at(last), &path).map_or(String::new(), |piece| piece.text.into_owned())
    }

    const OUL: &str = "MSH|^~\\&|A\rPID|1||P\rSPM|1|S1\rSAC|1||C1\rINV|x|OK|CO\rINV|y|OK|MR\rOBR|1|W1\rORC|SC\r\
                       OBX|1|ST|T1||v1\rNTE|1|Z|n1\rOBX|2|ST|T2||v2\rTCD|t2\rSPM|2|S2\rOBR|1|W2\rOBX|1|ST|T3||v3\r";

    #[test]
    fn a_result_sees_its_own_group_and_nobody_elses() {
        let two = OUL.split("SPM|2").next().unwrap();
        for (path, expect) in [
            ("OBX-5", "v2"),
            ("OBR-2", "W1"),
            ("ORC-1", "SC"),
            ("SPM-2", "S1"),
            ("SAC-3", "C1"),
            ("INV-1", "x"),
            ("INV(3=MR)-1", "y"),
            ("INV(3=SR)-1", ""),
            ("PID-3", "P"),
            ("MSH-3", "A"),
            ("TCD-1", "t2"),
            ("NTE-3", ""),
        ] {
            assert_eq!(seen_from_last_obx(two, path), expect, "{path}");
        }
        for (path, expect) in
            [("OBX-5", "v3"), ("OBR-2", "W2"), ("SPM-2", "S2"), ("SAC-3", ""), ("ORC-1", "")]
        {
            assert_eq!(seen_from_last_obx(OUL, path), expect, "{path}");
        }
    }

    #[test]
    fn in_oru_the_order_control_stands_before_its_order() {
        let text = "MSH|^~\\&|A\rPID|1\rORC|RE\rOBR|1|S1\rOBX|1|NM|T||1\rORC|SC\rOBR|2|S2\rOBX|1|NM|T||2\r";
        assert_eq!(seen_from_last_obx(text, "ORC-1"), "SC");
        assert_eq!(seen_from_last_obx(text, "OBR-2"), "S2");
        assert_eq!(seen_from_last_obx(text.split("ORC|SC").next().unwrap(), "ORC-1"), "RE");
    }

    #[test]
    fn what_stands_between_an_order_control_and_its_order_is_that_orders() {
        let text = "MSH|^~\\&|A\rSPM|1|S1\rSAC|||C1\rORC|NW|1\rTQ1|||||||||S\rOBR||1\rORC|NW|2\rTQ1|||||||||R\r\
                    OBR||2\rORC|NW|3\rOBR||3\r";
        let mut index = hl7v2::Index::new();
        let document = read_hl7(&index.read(text));
        let seen = |at: usize, path: &str| {
            let Ok(Path::Field(path)) = Path::parse(path, Protocol::Hl7v2) else { panic!("{path}") };
            document.piece(Cursor::at(at), &path).map_or(String::new(), |piece| piece.text.into_owned())
        };
        let orders = document.nodes.iter().enumerate().filter(|(_, node)| node.name.is("OBR"));
        let found: Vec<[String; 4]> =
            orders.map(|(at, _)| ["ORC-2", "TQ1-9", "SAC-3", "SPM-2"].map(|path| seen(at, path))).collect();
        assert_eq!(found, [["1", "S", "C1", "S1"], ["2", "R", "C1", "S1"], ["3", "", "C1", "S1"]]);
    }

    #[test]
    fn a_label_names_the_record_and_more_only_where_needed() {
        let mut index = hl7v2::Index::new();
        let document = read_hl7(&index.read(OUL));
        let labels: Vec<String> = (0..document.nodes.len()).map(|at| document.label(at)).collect();
        assert_eq!(labels.first().map(String::as_str), Some("MSH"));
        assert_eq!(labels.last().map(String::as_str), Some("SPM|2 OBR|1 OBX|1"));
        let all = RecordPath::parse("INV", Protocol::Hl7v2).unwrap();
        assert_eq!(document.find_all(8, &all).len(), 2);
    }
}
