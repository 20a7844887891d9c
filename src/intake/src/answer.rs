//! The acknowledgement of an HL7 message that is durable, or is not.

use crate::alike::{self, Alike};
use crate::settings::{Acknowledge, Answering, Unreadable};
use character_sets::CharacterSet;
use hl7v2::{
    AckMode, AckSettings, Answer, Dialect, ErrorCode, Fault, Index, Message, SegmentEnds, Template,
    acknowledge,
};
use jiff::{Timestamp, tz::TimeZone};

/// What of a message is looked at to answer it: the header segment, or all of it when it does not begin with one.
///
/// `needs` names the segments besides MSH that the answer quotes: then it goes on to the last of them.
pub(crate) fn head<'m>(message: &'m [u8], needs: &[String], ends: SegmentEnds) -> &'m [u8] {
    let header = header(message, ends);
    if header.len() == message.len() || needs.is_empty() {
        return header;
    }
    let ends_of = |name: &String| {
        let mut lines = message.split_inclusive(|byte| is_end(*byte, ends));
        let mut end = 0;
        lines.find_map(|line| {
            end += line.len();
            line.starts_with(name.as_bytes()).then_some(end)
        })
    };
    // What is not there is empty in the answer, and nothing has to be read for it.
    let end = needs.iter().filter_map(ends_of).max().unwrap_or_default();
    message.get(..end.max(header.len())).unwrap_or(message)
}

/// NUL may be half a character of UTF-16, so it is no end here.
fn is_end(byte: u8, ends: SegmentEnds) -> bool {
    byte == b'\r' || byte == b'\n' && ends == SegmentEnds::Any
}

fn header(message: &[u8], ends: SegmentEnds) -> &[u8] {
    let from = message.iter().take_while(|byte| b"\xEF\xBB\xBF\r\n".contains(byte)).count();
    let rest = message.get(from..).unwrap_or_default();
    let header = rest.split_inclusive(|byte| is_end(*byte, ends) || *byte == 0).next();
    header.filter(|header| header.starts_with(b"MSH") && !header.ends_with(&[0])).unwrap_or(message)
}

/// Writes acknowledgements; keeps its index between messages.
pub(crate) struct Answerer<'a> {
    answering: &'a Answering,
    /// Segments besides MSH that answers quote.
    needs: Vec<String>,
    index: Index,
    /// Second of the last answer and its text: MSH-7 changes once a second.
    clock: (i64, String),
    count: u64,
    /// The headers before; only where the answer quotes nothing but the header.
    alike: Option<Alike>,
}

impl<'a> Answerer<'a> {
    pub(crate) fn new(answering: &'a Answering) -> Self {
        let mut needs: Vec<String> = match &answering.template {
            Template::Standard => Vec::new(),
            Template::Exact(template) => template.segments_asked().map(str::to_owned).collect(),
        };
        needs.sort_unstable();
        needs.dedup();
        let index = Index::of(answering.dialect.clone());
        let standard = answering.template == Template::Standard && answering.dialect == Dialect::default();
        let alike = standard.then(Alike::default);
        Self { answering, needs, index, clock: (i64::MIN, String::new()), count: 0, alike }
    }

    /// As much of a message as its answer is made of.
    pub(crate) fn head<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        head(message, &self.needs, self.answering.dialect.segment_ends)
    }

    /// How messages are laid out on this connection.
    pub(crate) fn dialect(&self) -> &Dialect {
        &self.answering.dialect
    }

    /// The character set laid down for this connection.
    pub(crate) fn characters(&self) -> Option<CharacterSet> {
        self.answering.characters
    }

    /// The answer to a message that is kept, by its [`head`]. Empty when the sender wants none.
    pub(crate) fn kept(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.tick();
        self.count += 1;
        let (now, own) = (self.clock.1.clone(), self.control_id());
        let mut alike = self.alike.take();
        let answer = alike.as_mut().and_then(|alike| {
            alike.answer(bytes, (&now, &own), |asked| self.write(asked, true, (alike::NOW, alike::OWN)))
        });
        self.alike = alike;
        answer.unwrap_or_else(|| self.write(bytes, true, (&now, &own)))
    }

    /// MSH-10 of an answer: the second, and a count.
    fn control_id(&self) -> String {
        format!("{}{}", self.clock.1, self.count % 100_000)
    }

    /// The answer to a message that could not be kept: not accepted, and worth sending again.
    pub(crate) fn not_kept(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.tick();
        self.count += 1;
        let (now, own) = (self.clock.1.clone(), self.control_id());
        self.write(bytes, false, (&now, &own))
    }

    fn write(&mut self, bytes: &[u8], kept: bool, (now, control_id): (&str, &str)) -> Vec<u8> {
        let decoded = hl7v2::decode(bytes, self.answering.characters, CharacterSet::Gb18030);
        let message = self.index.read(&decoded.text);
        let readable = message.header().is_some();
        let (answer, text, fault) = match (kept, readable, self.answering.unreadable) {
            (true, true, _) | (true, false, Unreadable::Accept) => {
                (Answer::AcceptAA, "Message accepted", None)
            }
            (true, false, Unreadable::Reject) => {
                let fault = Fault { code: ErrorCode::SegmentSequence, location: None };
                (Answer::RejectAR, "kept, but it has no readable MSH", Some(fault))
            }
            (false, ..) => {
                let fault = Fault { code: ErrorCode::ApplicationInternal, location: None };
                (Answer::ErrorAE, "not stored, send it again", Some(fault))
            }
        };
        let Some(answer) = wanted(self.answering.acknowledge, &message, answer) else { return Vec::new() };
        let settings = AckSettings { template: &self.answering.template, now, control_id };
        let text = acknowledge(&message, &settings, answer, text, fault);
        character_sets::encode(&text, decoded.used).bytes.into_owned()
    }

    fn tick(&mut self) {
        let now = Timestamp::now();
        if now.as_second() != self.clock.0 {
            let text = now.to_zoned(TimeZone::system()).strftime("%Y%m%d%H%M%S").to_string();
            self.clock = (now.as_second(), text);
        }
    }
}

/// The code that the sender's accept and application conditions ask for, if any (HL7 2.x §2.9).
fn wanted(acknowledge: Acknowledge, message: &Message<'_>, answer: Answer) -> Option<Answer> {
    let mode = message.header().map_or(AckMode::Original, |header| header.ack_mode());
    let success = answer.is_accept();
    match (acknowledge, mode) {
        (Acknowledge::Always, _) | (_, AckMode::Original) => Some(answer),
        // Whoever fills one of the two and leaves the other empty wants nothing of that other kind.
        (Acknowledge::AsAsked, AckMode::Enhanced { accept, application }) => {
            if application.is_some_and(|a| a.wants(success)) {
                Some(answer)
            } else if accept.is_some_and(|a| a.wants(success)) {
                Some(match answer {
                    Answer::AcceptAA | Answer::AcceptCA => Answer::AcceptCA,
                    Answer::ErrorAE | Answer::ErrorCE => Answer::ErrorCE,
                    Answer::RejectAR | Answer::RejectCR => Answer::RejectCR,
                })
            } else {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(acknowledge: Acknowledge, unreadable: Unreadable) -> Answering {
        Answering { acknowledge, unreadable, ..Answering::default() }
    }

    fn msa(answering: &Answering, message: &str, kept: bool) -> String {
        let mut answerer = Answerer::new(answering);
        let answer =
            if kept { answerer.kept(message.as_bytes()) } else { answerer.not_kept(message.as_bytes()) };
        String::from_utf8(answer)
            .unwrap()
            .split('\r')
            .find(|s| s.starts_with("MSA"))
            .unwrap_or("none")
            .to_owned()
    }

    #[test]
    fn the_header_is_enough_to_answer_and_where_there_is_none_all_is_looked_at() {
        for (message, expect) in [
            ("MSH|^~\\&|A\rPID|1\r", "MSH|^~\\&|A\r"),
            ("\r\nMSH|^~\\&|A\nPID|1\n", "MSH|^~\\&|A\n"),
            ("\u{FEFF}MSH|^~\\&|A\rPID|1", "MSH|^~\\&|A\r"),
            ("MSH|^~\\&|A", "MSH|^~\\&|A"),
            ("PID|1\rMSH|^~\\&|A\r", "PID|1\rMSH|^~\\&|A\r"),
            ("M\0S\0H\0|\0\r\0P\0", "M\0S\0H\0|\0\r\0P\0"),
            ("MSH|^~\\&|A\0PID|1\r", "MSH|^~\\&|A\0PID|1\r"),
            ("", ""),
        ] {
            assert_eq!(head(message.as_bytes(), &[], SegmentEnds::Any), expect.as_bytes(), "{message:?}");
        }
    }

    #[test]
    fn what_is_kept_is_accepted_and_what_is_not_is_never() {
        let as_asked = answering(Acknowledge::AsAsked, Unreadable::Accept);
        for (conditions, kept, expect) in [
            ("|", true, "MSA|AA|7"),
            ("|", false, "MSA|AE|7"),
            ("NE|AL", true, "MSA|AA|7"),
            ("AL|NE", true, "MSA|CA|7"),
            ("AL|NE", false, "MSA|CE|7"),
            ("NE|ER", true, "none"),
            ("NE|ER", false, "MSA|AE|7"),
            ("NE|NE", true, "none"),
            ("\"\"|\"\"", true, "MSA|AA|7"),
            ("|Y", true, "MSA|AA|7"),
            ("ne|al", true, "MSA|AA|7"),
        ] {
            let message = format!("MSH|^~\\&|A|B|C|D|20260301||ORU^R01|7|P|2.5.1|||{conditions}\r");
            let found = msa(&as_asked, &message, kept);
            assert!(found.starts_with(expect), "{conditions} {kept}: {found}");
        }
        let always = answering(Acknowledge::Always, Unreadable::Accept);
        assert!(
            msa(&always, "MSH|^~\\&|A|B|C|D|1||ORU^R01|7|P|2.5.1|||NE|NE\r", true).starts_with("MSA|AA|7")
        );
    }

    #[test]
    fn what_cannot_be_read_is_answered_as_the_profile_says_but_never_accepted_unkept() {
        for (unreadable, kept, expect) in [
            (Unreadable::Accept, true, "MSA|AA"),
            (Unreadable::Reject, true, "MSA|AR"),
            (Unreadable::Accept, false, "MSA|AE"),
        ] {
            let found = msa(&answering(Acknowledge::AsAsked, unreadable), "garbage", kept);
            assert!(found.starts_with(expect), "{found}");
        }
    }

    /// An answer without what differs from one to the next of the same second.
    fn without_own_id(answer: &[u8]) -> String {
        let text = String::from_utf8_lossy(answer).replace('#', "|");
        let mut fields: Vec<&str> = text.split('|').collect();
        if let Some(own) = fields.get_mut(9) {
            *own = "";
        }
        fields.get_mut(6).map(std::mem::take);
        fields.join("|")
    }

    proptest::proptest! {
        #[test]
        fn a_message_like_the_one_before_is_answered_as_if_it_were_the_first(
            heads in proptest::collection::vec(
                (
                    0_usize..7,
                    "[0-9]{0,14}([.][0-9]{3}[+]0800)?|2026[|]|x",
                    "[A-Za-z0-9._^~é-]{0,12}|ZQECHOQZ",
                    0_usize..5,
                ),
                1..12,
            ),
        ) {
            let begins = [
                "MSH|^~\\&|A|B|C|D|",
                "MSH|^~\\&|ZQNOWQZ|B|C|D|",
                "MSH#^~\\&#A#B#C#D#",
                "MSH|^~\\&|ä|B|C|D|",
                "MSH|^~\\&|A|血站检验科|C|D|",
                "MSH|",
                "PID|1|2|3|4|5|",
            ];
            let ends = [
                "|P|2.5.1\r",
                "|P|2.3.1||||0||GB18030\r",
                "|P|2.5.1|||NE|NE\r",
                "\r",
                "|P|2.5.1|||NE|AL|CHN|UNICODE UTF-8\r",
            ];
            let settings = answering(Acknowledge::AsAsked, Unreadable::Accept);
            let mut one = Answerer::new(&settings);
            for (begin, time, id, end) in heads {
                let separator = begins[begin].chars().nth(3).unwrap().to_string();
                let rest = format!("{time}||ORU^R01|{id}{}", ends[end]).replace('|', &separator);
                // What is worked out for the second is used for the third.
                for _ in 0..3 {
                    let head = format!("{}{rest}", begins[begin]);
                    let first = Answerer::new(&settings).kept(head.as_bytes());
                    proptest::prop_assert_eq!(without_own_id(&one.kept(head.as_bytes())), without_own_id(&first));
                }
            }
        }
    }

    #[test]
    fn the_third_of_three_alike_is_answered_with_its_own_id_and_a_new_one_of_ours() {
        let settings = answering(Acknowledge::AsAsked, Unreadable::Accept);
        let mut answerer = Answerer::new(&settings);
        let answers: Vec<Vec<String>> = ["M1", "M2", "M3", "M4"]
            .map(|id| {
                let head = format!("MSH|^~\\&|A|B|C|D|20260301||ORU^R01|{id}|P|2.5.1\r");
                let text = String::from_utf8(answerer.kept(head.as_bytes())).unwrap();
                text.split(['|', '\r']).map(str::to_owned).collect()
            })
            .into();
        for (answer, id) in answers.iter().zip(["M1", "M2", "M3", "M4"]) {
            assert_eq!(
                (answer[2].as_str(), answer[4].as_str(), answer[14].as_str()),
                ("C", "A", id),
                "{answer:?}"
            );
        }
        let own: std::collections::BTreeSet<&String> = answers.iter().map(|answer| &answer[9]).collect();
        assert_eq!(own.len(), 4, "{answers:?}");
    }
}
