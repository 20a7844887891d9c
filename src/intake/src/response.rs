//! What of an HL7 message says whether it answers one of ours (MSH, MSA; HL7 2.x §2.9).

use character_sets::CharacterSet;
use hl7v2::{AckMode, Dialect, Index};

/// Messages that only ever answer another one (table 0076). They are never acknowledged.
const ANSWERS: [&str; 12] =
    ["ACK", "MCF", "ORL", "ORR", "ORG", "OSR", "ORF", "RSP", "RTB", "QCK", "DSR", "EAR"];
/// MSA stands behind MSH, SFT and UAC; further in is another message's business.
const SEGMENTS_MAX: usize = 8;

/// A message that answers another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// MSA-2: the control id of the message that it answers.
    pub(crate) to: String,
    /// MSA-1 says that the message is safe, and that its answer is still to come (CA).
    pub(crate) only_safe: bool,
    /// Its own type cannot be anything but an answer.
    pub(crate) by_type: bool,
}

/// What of our own message its answer is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// MSH-10.
    pub(crate) control_id: String,
    /// MSH-16 asks for an application's answer; without it CA is the last word.
    wants_application: bool,
}

/// The beginning of a message in which MSH and MSA stand.
fn beginning(raw: &[u8]) -> &[u8] {
    let end = memchr::memchr2_iter(b'\r', b'\n', raw).map(|at| at + 1).nth(SEGMENTS_MAX - 1);
    raw.get(..end.unwrap_or(raw.len())).unwrap_or(raw)
}

/// The message as an answer, if it has an MSA.
pub(crate) fn response(raw: &[u8], characters: Option<CharacterSet>, dialect: &Dialect) -> Option<Response> {
    let beginning = beginning(raw);
    memchr::memmem::find(beginning, b"MSA")?;
    let decoded = hl7v2::decode(beginning, characters, CharacterSet::Gb18030);
    let mut index = Index::of(dialect.clone());
    let message = index.read(&decoded.text);
    let msa = message.segments().find(|segment| segment.name() == "MSA")?;
    let text = |number| msa.field(number).map_or("", |field| field.raw()).to_owned();
    let code = message.header().map(|header| header.message_code().into_owned()).unwrap_or_default();
    Some(Response { to: text(2), only_safe: text(1) == "CA", by_type: ANSWERS.contains(&code.as_str()) })
}

/// What the answer to `raw` is known by; `None` when it has no control id, so that nothing can answer it.
pub(crate) fn asked(raw: &[u8], characters: Option<CharacterSet>) -> Option<Asked> {
    let decoded = hl7v2::decode(beginning(raw), characters, CharacterSet::Gb18030);
    let mut index = Index::new();
    let message = index.read(&decoded.text);
    let header = message.header()?;
    let control_id = header.control_id().to_owned();
    let wants_application = match header.ack_mode() {
        AckMode::Original => false,
        AckMode::Enhanced { application, .. } => application.is_some_and(|condition| condition.wants(true)),
    };
    (!control_id.is_empty()).then_some(Asked { control_id, wants_application })
}

impl Asked {
    /// Whether this is the last word on it.
    pub(crate) fn is_final(&self, response: &Response) -> bool {
        !(response.only_safe && self.wants_application)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_an_msa_near_its_beginning_and_names_what_it_answers() {
        let check = |raw: &str, expect: Option<(&str, bool, bool)>| {
            let found = response(raw.as_bytes(), None, &Dialect::default());
            let found = found.as_ref().map(|r| (r.to.as_str(), r.only_safe, r.by_type));
            assert_eq!(found, expect, "{raw:?}");
        };
        check("MSH|^~\\&|A|B|C|D|1||ORL^O34|9|P|2.5.1\rMSA|AA|17\rSPM|1\r", Some(("17", false, true)));
        check("MSH|^~\\&|A|B|C|D|1||ACK|9|P|2.5.1\rSFT|x\rMSA|CA|17\r", Some(("17", true, true)));
        check("MSH|^~\\&|A|B|C|D|1||ZZZ^Z01|9|P|2.5.1\rMSA|AA|17\r", Some(("17", false, false)));
        check("MSH|^~\\&|A|B|C|D|1||ORU^R01|9|P|2.5.1\rPID|1|MSA\r", None);
        check("MSH|^~\\&|A|B|C|D|1||ORU^R01|9|P|2.5.1\r", None);
        check("", None);
    }

    #[test]
    fn ca_is_the_last_word_only_where_no_other_was_asked_for() {
        let of = |conditions: &str| {
            asked(format!("MSH|^~\\&|A|B|C|D|1||OML^O33|17|P|2.5.1|||{conditions}\r").as_bytes(), None)
        };
        let safe = Response { to: "17".into(), only_safe: true, by_type: true };
        assert!(!of("AL|AL").unwrap().is_final(&safe));
        assert!(of("AL|NE").unwrap().is_final(&safe));
        assert!(of("|").unwrap().is_final(&safe));
        assert_eq!(asked(b"MSH|^~\\&|A|B|C|D|1||OML^O33||P|2.5.1\r", None), None);
    }
}
