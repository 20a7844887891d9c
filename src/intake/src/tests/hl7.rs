//! Every habit of HL7 and MLLP that the field shows, row by row as the fact sheet has them: bytes in, bytes out, and what
//! the ledger holds. Through the real driver, in virtual time; a habit is a setting of a profile, never code.
//!
//! Habits of fields (where an id stands, which component is the code) are the profiles', and so are their tests.

use super::{Says, Site, site};
use crate::{Acknowledge, Answering, Link, Unreadable};
use character_sets::CharacterSet;
use hl7v2::{AckTemplate, Dialect, HeaderPlaces, SegmentEnds, Template};
use ledger::Page;

/// One row: what a peer sends, piece by piece, and what becomes of it.
struct Row {
    name: &'static str,
    mllp: mllp::Config,
    answering: Answering,
    sent: Vec<Vec<u8>>,
    answered: Vec<u8>,
    /// The messages, each as it was sent.
    kept: Vec<Vec<u8>>,
    halves: usize,
    irregular: u64,
}

/// An answer without the time and a number of its own, so that it can be compared byte by byte.
const TIMELESS: &str =
    "MSH|^~\\&|LIS||{MSH-3}||{MSH-7}||ACK^{MSH-9.2}|{MSH-10}|P|{MSH-12}\nMSA|{code}|{MSH-10}|||";
const HEAD: &str = "MSH|^~\\&|BS|M|||20260301||ORU^R01|7|P|2.3.1";

fn template(text: &str) -> Template {
    Template::Exact(AckTemplate::parse(text).unwrap())
}

fn block(text: impl AsRef<[u8]>) -> Vec<u8> {
    mllp::frame(text.as_ref())
}

/// What `TIMELESS` says to `HEAD`.
fn accepted() -> Vec<u8> {
    block("MSH|^~\\&|LIS||BS||20260301||ACK^R01|7|P|2.3.1\rMSA|AA|7|||\r")
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            mllp: mllp::Config::default(),
            answering: Answering { template: template(TIMELESS), ..Answering::default() },
            sent: vec![],
            answered: vec![],
            kept: vec![],
            halves: 0,
            irregular: 0,
        }
    }

    /// One message, answered as `TIMELESS` has it.
    fn one(name: &'static str, message: impl AsRef<[u8]>) -> Self {
        Self::new(name).says(block(&message)).hears(accepted()).keeps(message)
    }

    fn says(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.sent.push(bytes.as_ref().to_vec());
        self
    }

    fn hears(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.answered.extend_from_slice(bytes.as_ref());
        self
    }

    fn keeps(mut self, message: impl AsRef<[u8]>) -> Self {
        self.kept.push(message.as_ref().to_vec());
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Answering)) -> Self {
        change(&mut self.answering);
        self
    }

    fn link(mut self, change: impl FnOnce(&mut mllp::Config)) -> Self {
        change(&mut self.mllp);
        self
    }

    fn notes(mut self, irregular: u64, halves: usize) -> Self {
        (self.irregular, self.halves) = (irregular, halves);
        self
    }

    async fn check(self) {
        let mut site = site(Link::Mllp(self.mllp, self.answering));
        for piece in &self.sent {
            site.send(piece).await;
        }
        let answered = site.bytes(self.answered.len()).await;
        assert_eq!(shown(&answered), shown(&self.answered), "{}", self.name);
        site.step(0).await;
        site.accepted(self.kept.len() as u64).await;
        site.silence().await;
        assert_eq!(site.anomalies(), self.irregular, "{}", self.name);
        let (kept, halves) = left(site).await;
        let (kept, expect): (Vec<String>, Vec<String>) =
            (kept.iter().map(|m| shown(m)).collect(), self.kept.iter().map(|m| shown(m)).collect());
        assert_eq!(kept, expect, "{}", self.name);
        assert_eq!(halves, self.halves, "{}", self.name);
    }
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

async fn left(site: Site) -> (Vec<Vec<u8>>, usize) {
    let ledger = site.ledger.clone();
    let (messages, ..) = site.hang_up().await;
    (messages, ledger.state().half_transfers(&Page::first(9)).unwrap().items.len())
}

async fn check(rows: Vec<Row>) {
    for row in rows {
        row.check().await;
    }
}

fn utf16(text: &str, mark: bool, big: bool) -> Vec<u8> {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[tokio::test(start_paused = true)]
async fn segments_end_in_any_way() {
    let two = block(HEAD);
    check(vec![
        Row::one("CR", format!("{HEAD}\rOBX|1\r")),
        Row::one("LF (Mirth 53)", format!("{HEAD}\nOBX|1\n")),
        Row::one("CR LF", format!("{HEAD}\r\nOBX|1\r\n")),
        Row::one("all of them", format!("{HEAD}\nOBX|1\r\nOBX|2\rOBX|3\n\r")),
        Row::one("a trailing LF (Mirth 510)", format!("{HEAD}\rOBX|1\r\n")),
        Row::one("NUL between segments (Mirth 3856)", format!("{HEAD}\0OBX|1\0")),
        Row::one("no CR behind the last segment", format!("{HEAD}\rOBX|1")),
        Row::one("line ends before the header", format!("\r\n{HEAD}\r")),
        Row::one("a mark of UTF-8 behind VT", format!("\u{FEFF}{HEAD}\r")),
        Row::new("CR LF between messages (amida-tech/mllp 2)")
            .says([&two[..], b"\r\n", &two, b"\r\n"].concat())
            .hears([accepted(), accepted()].concat())
            .keeps(HEAD)
            .keeps(HEAD),
        Row::new("no CR behind FS (simple-hl7 18)")
            .says([&two[..two.len() - 1], &two].concat())
            .hears([accepted(), accepted()].concat())
            .keeps(HEAD)
            .keeps(HEAD)
            .notes(1, 0),
        Row::new("no CR behind FS, and nothing more")
            .says(&two[..two.len() - 1])
            .hears(accepted())
            .keeps(HEAD),
        Row::new("an answer without a CR is one (vscode-hl7tools 27)")
            .says(block("MSH|^~\\&|A||||||ACK|9|P|2.3.1\rMSA|AA|17"))
            .keeps("MSH|^~\\&|A||||||ACK|9|P|2.3.1\rMSA|AA|17")
            .notes(1, 0),
    ])
    .await;
    let quotes = "MSH|^~\\&|LIS\nMSA|{code}|{MSH-10}|{NTE-3}|{OBX-1}";
    let feed = format!("{HEAD}\rNTE|1||two\nlines\rOBX|3\r\n");
    let cr = |a: &mut Answering| {
        a.template = template(quotes);
        a.dialect = Dialect { segment_ends: SegmentEnds::CarriageReturn, ..Dialect::default() };
    };
    check(vec![
        Row::new("LF inside a field, where only CR ends a segment (panates/hl7v2 27)")
            .with(cr)
            .says(block(&feed))
            .hears(block("MSH|^~\\&|LIS\rMSA|AA|7|two\nlines|3\r"))
            .keeps(&feed),
        Row::new("LF inside a field, where any of them ends one")
            .with(|a| a.template = template(quotes))
            .says(block(&feed))
            .hears(block("MSH|^~\\&|LIS\rMSA|AA|7|two|3\r"))
            .keeps(&feed),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_stands_between_blocks_is_no_message() {
    let beats = [b"\x02\x02", &block(HEAD)[..], b"\x02"].concat();
    let marks = [b"\x16\x16", &block(HEAD)[..], b"\x16"].concat();
    check(vec![
        Row::new("heartbeats 02 (BC-3600)").says(&beats).hears(accepted()).keeps(HEAD),
        Row::new("another byte that means nothing here")
            .link(|c| c.ignored_between_blocks = vec![0x16])
            .says(&marks)
            .hears(accepted())
            .keeps(HEAD),
        Row::new("and where it is not laid down").says(&marks).hears(accepted()).keeps(HEAD).notes(1, 0),
        Row::new("VT before FS: the broken one is kept, and never parsed")
            .says([b"\x0BMSH|half", &block(HEAD)[..]].concat())
            .hears(accepted())
            .keeps(HEAD)
            .notes(1, 1),
        Row::new("a block of one byte")
            .says(b"\x0B\x06\x1C\r")
            .says(block(HEAD))
            .hears(accepted())
            .keeps(HEAD)
            .notes(1, 0),
        Row::new("a commit block before each answer (release 2)")
            .link(|c| c.commit_blocks = true)
            .says(block(HEAD))
            .hears([b"\x0B\x06\x1C\r", &accepted()[..]].concat())
            .keeps(HEAD),
    ])
    .await;
    // Heartbeats for an hour: the line stays as it is, and nobody is told.
    let mut site = site(Link::Mllp(mllp::Config::default(), Answering::default()));
    for _ in 0..1_200 {
        site.send(b"\x02").await;
        site.step(3_000).await;
    }
    site.silence().await;
    assert_eq!(site.anomalies(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_is_what_the_profile_lays_down_byte_by_byte() {
    let counted = "MSH|^~\\&|{MSH-5}|{MSH-6}|{MSH-3}|{MSH-4}|{MSH-7}||ACK^{MSH-9.2}|{MSH-10}|{MSH-11}|2.3.1||||{MSH-16}||ASCII|||\n\
                   MSA|{code}|{MSH-10}|Message accepted|||{condition}|";
    let kind = format!("{HEAD}||||2\rOBX|1\r");
    let answer =
        "MSH|^~\\&|||BS|M|20260301||ACK^R01|7|P|2.3.1||||2||ASCII|||\rMSA|AA|7|Message accepted|||0|\r";
    assert!(answer.split('\r').next().unwrap().matches('|').count() > 19);
    let autobio = "MSH|^~\\&|LIS\nMSA|{code}|{MSH-10}|||{OBX-1 if MSH-10=5 else OBR-3}||{condition}|";
    let lumo =
        |id: &str| format!("MSH|^~\\&|AutoLumo||||20260301||ORU^R01|{id}|P|2.3.1\rOBR|1|S1|31\rOBX|12|NM\r");
    let lumo_is = |id, quoted: &str| {
        Row::new("MSA-4 is OBX-1 or OBR-3 (Autobio)")
            .with(|a| a.template = template(autobio))
            .says(block(lumo(id)))
            .hears(block(format!("MSH|^~\\&|LIS\rMSA|AA|{id}|||{quoted}||0|\r")))
            .keeps(lumo(id))
    };
    let far = format!("{HEAD}\r{}OBX|99\r", "NTE|1||much\r".repeat(20_000));
    check(vec![
        Row::new("nineteen separators in MSH, MSA-6, and the kind in MSH-16 echoed (BS-200, CL-900i)")
            .with(|a| a.template = template(counted))
            .says(block(&kind))
            .hears(block(answer))
            .keeps(&kind),
        lumo_is("5", "12"),
        lumo_is("7", "31"),
        Row::new("a field far behind the header")
            .with(|a| a.template = template("MSH|^~\\&|LIS\nMSA|{code}|{OBX-1}|{ZZZ-1}"))
            .says(block(&far))
            .hears(block("MSH|^~\\&|LIS\rMSA|AA|99|\r"))
            .keeps(&far),
        Row::new("what is no message is accepted and kept")
            .says(block("EKG|1"))
            .hears(block("MSH|^~\\&|LIS||||||ACK^||P|\rMSA|AA||||\r"))
            .keeps("EKG|1"),
        Row::new("or refused with 100, where the profile says so")
            .with(|a| {
                (a.unreadable, a.template) =
                    (Unreadable::Reject, template("MSH|^~\\&|LIS\nMSA|{code}||||{condition}"));
            })
            .says(block("EKG|1"))
            .hears(block("MSH|^~\\&|LIS\rMSA|AR||||100\r"))
            .keeps("EKG|1"),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_header_may_be_laid_out_in_another_way() {
    let collapsed = "MSH|^~\\&|MAGLUMI|LIS|20260301|OUL^R22|9|P|2.5||NE|NE|UTF-8\rSPM|1\r";
    let answer = block("MSH|^~\\&|LIS||MAGLUMI||20260301||ACK^R22|9|P|2.5\rMSA|AA|9|||\r");
    // Nothing in it looks like a type: only the profile can say where things are.
    let strange = "MSH|^~\\&|X|20260301|9|ORU|2.3.1|P\rOBX|1\r";
    let places = vec![(7, 4), (10, 5), (9, 6), (12, 7), (11, 8)];
    check(vec![
        Row::new("receiver fields left out: the type is found by its form (Snibe)")
            .says(block(collapsed))
            .hears(&answer)
            .keeps(collapsed),
        Row::new("and where the profile says which stands where")
            .with(|a| {
                a.dialect.header =
                    HeaderPlaces::new(vec![(7, 5), (9, 6), (10, 7), (11, 8), (12, 9)]).unwrap();
            })
            .says(block(collapsed))
            .hears(&answer)
            .keeps(collapsed),
        Row::new("a header that only the profile can read")
            .with(|a| a.dialect.header = HeaderPlaces::new(places).unwrap())
            .says(block(strange))
            .hears(block("MSH|^~\\&|LIS||X||20260301||ACK^|9|P|2.3.1\rMSA|AA|9|||\r"))
            .keeps(strange),
        Row::new("a type without its event")
            .says(block("MSH|^~\\&|BS|M|||20260301||ORU|7|P|2.3.1\r"))
            .hears(block("MSH|^~\\&|LIS||BS||20260301||ACK^|7|P|2.3.1\rMSA|AA|7|||\r"))
            .keeps("MSH|^~\\&|BS|M|||20260301||ORU|7|P|2.3.1\r"),
        Row::new("a header that ends early")
            .says(block("MSH|^~\\&|BS\rOBX|1\r"))
            .hears(block("MSH|^~\\&|LIS||BS||||ACK^||P|\rMSA|AA||||\r"))
            .keeps("MSH|^~\\&|BS\rOBX|1\r"),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_when_it_is_asked_for() {
    let asks = |conditions: &str| format!("MSH|^~\\&|BS||||20260301||ORU^R01|7|P|2.5|||{conditions}\r");
    let row = |name, conditions: &str, code: &str| {
        let row = Row::new(name).says(block(asks(conditions))).keeps(asks(conditions));
        if code.is_empty() {
            return row;
        }
        row.hears(block(format!("MSH|^~\\&|LIS||BS||20260301||ACK^R01|7|P|2.5\rMSA|{code}|7|||\r")))
    };
    check(vec![
        row("neither: original mode", "|", "AA"),
        row("MSH-16 AL (LAW)", "NE|AL", "AA"),
        row("MSH-15 AL", "AL|NE", "CA"),
        row("MSH-16 only when something is wrong", "NE|ER", ""),
        row("never", "NE|NE", ""),
        row("never, and the profile answers all the same", "NE|NE", "AA")
            .with(|a| a.acknowledge = Acknowledge::Always),
        row("MSH-16 is a kind of result (Mindray)", "|0", "AA"),
        row("control", "|2", "AA"),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_is_decoded_before_it_is_split() {
    let name = |set: CharacterSet, text: &str, declared: &str| {
        let message = format!("MSH|^~\\&|{text}|M|||20260301||ORU^R01|7|P|2.3.1||||||{declared}\rOBX|1\r");
        let answer = format!("MSH|^~\\&|LIS||{text}||20260301||ACK^R01|7|P|2.3.1\rMSA|AA|7|||\r");
        let bytes = |text: &str| character_sets::encode(text, set).bytes.into_owned();
        (bytes(&message), bytes(&answer))
    };
    // The second byte of the first sign is a separator, that of the second an escape character.
    let nasty = "\u{4E85}\u{4E2F}";
    let gbk = name(CharacterSet::Gb18030, nasty, "");
    assert!(gbk.0.windows(2).any(|pair| pair[0] > 0x80 && matches!(pair[1], b'|' | b'\\' | b'^' | b'~')));
    let declared = name(CharacterSet::Gb18030, nasty, "GB 18030-2000");
    let lying = name(CharacterSet::Gb18030, nasty, "ASCII");
    let latin = name(CharacterSet::Windows1252, "Sch\u{E4}fer", "8859/1");
    let row = |name, (message, answer): &(Vec<u8>, Vec<u8>)| {
        Row::new(name).says(block(message)).hears(block(answer)).keeps(message)
    };
    let fixed = |set| move |a: &mut Answering| a.characters = Some(set);
    let text = format!("{HEAD}\rOBX|1||\u{5F20}\u{0B0B}\u{1C1C}\r");
    let answer = "MSH|^~\\&|LIS||BS||20260301||ACK^R01|7|P|2.3.1\rMSA|AA|7|||\r";
    let wide = |name, mark, big| row(name, &(utf16(&text, mark, big), utf16(answer, false, big)));
    check(vec![
        row("GBK that says so", &declared),
        row("GBK that says nothing", &gbk),
        row("GBK behind ASCII", &lying),
        row("GBK by the profile", &gbk).with(fixed(CharacterSet::Gb18030)),
        row("Latin-1 by MSH-18", &latin),
        row("UTF-8", &name(CharacterSet::Utf8, nasty, "UNICODE UTF-8")),
        wide("UTF-16, little end first", false, false),
        wide("UTF-16, big end first", false, true),
        wide("UTF-16 with its mark", true, false),
        wide("UTF-16 by the profile", false, false).with(fixed(CharacterSet::Utf16Le)),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn four_mebibytes_are_taken_and_not_a_byte_more() {
    let room = 4 * 1024 * 1024;
    let fill = |bytes: usize| format!("{HEAD}\rOBX|1|ED|IMG||{}\r", "A".repeat(bytes - HEAD.len() - 16));
    let most = fill(room);
    assert_eq!(most.len(), room);
    let over = fill(room + 1);
    let refused = block("MSH|^~\\&|LIS||BS||20260301||ACK^R01|7|P|2.3.1\rMSA|AE|7|||\r");
    for (name, message, answer, kept, halves) in
        [("an image of 4 MiB", &most, accepted(), 1, 0), ("one byte more", &over, refused, 0, 1)]
    {
        let mut site = site(Link::Mllp(mllp::Config::default(), Row::new("").answering));
        for piece in block(message).chunks(60_000) {
            site.send(piece).await;
        }
        assert_eq!(shown(&site.bytes(answer.len()).await), shown(&answer), "{name}");
        site.silence().await;
        let (messages, half) = left(site).await;
        assert_eq!((messages.len(), half), (kept, halves), "{name}");
        assert!(messages.iter().all(|found| *found == message.as_bytes()), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_may_come_before_the_first_is_answered_and_a_slow_desk_holds_up_none_for_long() {
    // Five ahead (x800): answers in their order.
    let message = |id: usize| format!("MSH|^~\\&|BS||||20260301||ORU^R01|{id}|P|2.3.1\r");
    let answer =
        |id: usize| block(format!("MSH|^~\\&|LIS||BS||20260301||ACK^R01|{id}|P|2.3.1\rMSA|AA|{id}|||\r"));
    let five = (0..5).fold(Row::new("five at once"), |row, id| {
        row.says(block(message(id))).hears(answer(id)).keeps(message(id))
    });
    check(vec![five]).await;
    // It waits 10 s for an answer and goes on without (BC-5300): what is looked up takes 3 s at most.
    let mut site = site(Link::Mllp(mllp::Config::default(), Row::new("").answering));
    site.clerk.says(Says::Hangs);
    site.send(&block("MSH|^~\\&|BS||||20260301||QRY^Q02|8|P|2.3.1\rQRD|1\r")).await;
    site.until(|clerk| clerk.asked().len() == 1).await;
    site.step(3_000).await;
    assert!(site.block().await.contains("QCK^Q02"));
}

#[tokio::test(start_paused = true)]
async fn law_01_what_cannot_be_kept_is_refused_with_207_and_may_be_sent_again() {
    let answering = Answering {
        template: template("MSH|^~\\&|LIS\nMSA|{code}|{MSH-10}||||{condition}"),
        ..Answering::default()
    };
    let mut site =
        site(Link::Mllp(mllp::Config { commit_blocks: true, ..mllp::Config::default() }, answering));
    site.ledger.clone().close();
    site.send(&block(HEAD)).await;
    site.expect(&[b"\x0B\x15\x1C\r", &block("MSH|^~\\&|LIS\rMSA|AE|7||||207\r")[..]].concat()).await;
}
