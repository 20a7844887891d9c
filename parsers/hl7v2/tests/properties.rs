//! What holds for every message: written and read it is the same, and no byte is lost.

#[cfg(test)]
mod tests {
    use hl7v2::{Delimiters, Index, Message, MessageBuilder, fuzz};
    use proptest::prelude::*;

    /// Repetitions of components of subcomponents.
    type FieldTree = Vec<Vec<Vec<String>>>;
    type Tree = Vec<(String, Vec<FieldTree>)>;

    fn write(tree: &Tree, delimiters: Delimiters) -> String {
        let mut message = MessageBuilder::new(delimiters);
        message.header().field("APP");
        for (name, fields) in tree {
            let mut segment = message.segment(name);
            for field in fields {
                for (r, repetition) in field.iter().enumerate() {
                    for (c, component) in repetition.iter().enumerate() {
                        for (s, text) in component.iter().enumerate() {
                            match (r, c, s) {
                                (0, 0, 0) => segment.field(text),
                                (_, 0, 0) => segment.repetition(text),
                                (_, _, 0) => segment.component(text),
                                (_, _, _) => segment.subcomponent(text),
                            };
                        }
                    }
                }
            }
        }
        message.finish().unwrap()
    }

    fn read(message: &Message<'_>) -> Tree {
        let segments = message.segments().skip(1);
        segments
            .map(|segment| {
                let fields = segment.fields().map(|field| {
                    let components = field.repetitions().map(|repetition| {
                        let subs = repetition.components().map(|component| {
                            component.subcomponents().map(|sub| sub.text().into_owned()).collect()
                        });
                        subs.collect()
                    });
                    components.collect()
                });
                (segment.name().to_owned(), fields.collect())
            })
            .collect()
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => Just(String::new()),
            3 => "[0-9.A-Z]{1,6}",
            1 => Just("\"\"".to_owned()),
            2 => "[|^~\\\\&#@!%\r\n\0FSTREX0-9张é𠮷]{1,8}",
        ]
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let field =
            prop::collection::vec(prop::collection::vec(prop::collection::vec(text(), 1..3), 1..4), 1..3);
        // A header says its own delimiters: what stands behind its name is not an ordinary field.
        let name = "[A-Z][A-Z0-9]{2}".prop_filter("a header is not an ordinary segment", |name| {
            !["MSH", "FHS", "BHS"].contains(&&**name)
        });
        prop::collection::vec((name, prop::collection::vec(field, 0..6)), 0..6)
    }

    fn delimiters() -> impl Strategy<Value = Delimiters> {
        let signs: Vec<char> = ('!'..='~').filter(char::is_ascii_punctuation).collect();
        let any = prop::sample::subsequence(signs, 5..=6).prop_shuffle();
        prop_oneof![Just("|^~\\&".chars().collect()), any].prop_map(|signs: Vec<char>| {
            Delimiters::from_header(&signs.into_iter().collect::<String>()).unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_again(tree in tree(), delimiters in delimiters()) {
            let written = write(&tree, delimiters);
            let mut index = Index::new();
            let message = index.read(&written);
            prop_assert_eq!(message.defects(), &[]);
            prop_assert_eq!(message.delimiters(), delimiters);
            prop_assert_eq!(read(&message), tree);
        }

        #[test]
        fn what_is_read_is_written_again_byte_for_byte(tree in tree(), delimiters in delimiters()) {
            let written = write(&tree, delimiters);
            let mut index = Index::new();
            let message = index.read(&written);
            let mut again = MessageBuilder::new(message.delimiters());
            for segment in message.segments() {
                let header = segment.name() == "MSH";
                let mut line = if header { again.header() } else { again.segment(segment.name()) };
                for field in segment.fields().skip(if header { 2 } else { 0 }) {
                    line.raw(field.raw());
                }
            }
            prop_assert_eq!(again.finish().unwrap(), written);
        }

        #[test]
        fn the_kind_of_line_end_makes_no_difference(tree in tree(), ends in prop::collection::vec(0..4_usize, 8)) {
            let written = write(&tree, Delimiters::standard());
            let mut mixed = String::new();
            for (line, end) in written.split_terminator('\r').zip(ends) {
                mixed += line;
                mixed += ["\r", "\n", "\r\n", "\0"][end];
            }
            let mut index = Index::new();
            prop_assert_eq!(read(&index.read(&mixed)), tree);
        }

        #[test]
        fn every_byte_of_anything_lies_in_one_segment_or_terminator(
            text in "(MSH[|^]|OBX|PID|\\|\\^~\\\\&|[|^~\\\\&]|\r|\n|\0|[a-zA-Z0-9]|\\PC){0,80}"
        ) {
            fuzz::fuzz_read(text.as_bytes());
            fuzz::fuzz_acknowledge(text.as_bytes());
        }
    }

    /// A quadratic step anywhere would take minutes here.
    #[test]
    fn large_and_hostile_messages_take_no_longer_than_their_length() {
        let lines = |line: &str| line.repeat(500_000 / line.len());
        for text in [
            lines("A\r") + &lines("MSH|\r"),
            lines("|"),
            lines("\r"),
            "MSH|^~\\&|".to_owned() + &lines("\\"),
            "MSH|^~\\&|".to_owned() + &lines("\\X41\\"),
            "MSH|^~\\&|".to_owned() + &lines("\\Z"),
            "MSH|^~\\&|".to_owned() + &lines("~^&"),
            "MSH|^~\\&|".to_owned() + &lines("张"),
            "MSH".to_owned() + &lines("^"),
        ] {
            fuzz::fuzz_read(text.as_bytes());
            fuzz::fuzz_acknowledge(text.as_bytes());
            fuzz::fuzz_escape(text.as_bytes());
        }
    }

    const SEEDS: &[&str] = &[
        "MSH|^~\\&|X800DM|LAB|Host||20260301101400+0800||OUL^R22^OUL_R22|4711|P|2.5.1|||NE|AL||UTF-8\rSPM|1|D1&ROCHE\rOBX|1|ST|HIV^HIV||R||||||F\r",
        "MSH|^~\\&|Mindray|BS||||20260301||ORU^R01|7|P|2.3.1||||0||ASCII\nPID|1||||张三\nOBX|1|NM|1|ALT|35.0\n",
        "MSH@!%$#@APP@@@@@@ORU!R01@5@P@2.3.1\r\nOBX@1@ST@a!b$F$c@@x%y#z\r\n",
        "MSH|^~\\&|MAGLUMI|LIS|20260301101400|OUL^R22|9|P|2.5||NE|NE|UTF-8\rSPM|1|2^^^\r",
    ];

    #[test]
    fn a_million_mutated_messages_are_read_whole_and_without_panic() {
        let mut random = fastrand::Rng::with_seed(0x4C37);
        let mut seeds: Vec<Vec<u8>> = SEEDS.iter().map(|seed| seed.as_bytes().to_vec()).collect();
        seeds
            .push(b"MSH|^~\\&|A||||||ORU^R01|1|P|2.3.1||||||GBK\rPID|1||\xD5\xC5\x81\x7C\x81\x5E\r".to_vec());
        seeds.push("MSH|^~\\&|A\rOBX|1\r".encode_utf16().flat_map(u16::to_le_bytes).collect());
        let signs = b"|^~\\&\r\n\0\x0BMSHX\"\x81\xFF";
        for n in 0..1_000_000_usize {
            let mut bytes = seeds[n % seeds.len()].clone();
            for _ in 0..random.usize(1..5) {
                let at = random.usize(..bytes.len());
                match random.u8(..5) {
                    0 => bytes[at] = random.u8(..),
                    1 => bytes[at] ^= 1 << random.u8(..8),
                    2 => bytes.truncate(at.max(1)),
                    3 => bytes[at] = signs[random.usize(..signs.len())],
                    _ => bytes.insert(at, signs[random.usize(..signs.len())]),
                }
            }
            fuzz::fuzz_read(&bytes);
            if n % 8 == 0 {
                fuzz::fuzz_acknowledge(&bytes);
                fuzz::fuzz_escape(&bytes);
                fuzz::fuzz_path(&bytes);
            }
        }
    }
}
