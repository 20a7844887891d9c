//! Traffic to measure with: made up, believable, the same bytes for the same seed.

mod evidence;
mod hl7;
mod lis02;
mod random;

pub(crate) use random::Random;

use std::ops::Range;

/// Many messages in one piece of memory, and where each stands.
#[derive(Debug, Clone)]
pub(crate) struct Corpus {
    bytes: Vec<u8>,
    messages: Vec<Range<usize>>,
}

impl Corpus {
    /// Messages one after another, without what frames them.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.messages.iter().filter_map(|range| self.bytes.get(range.clone()))
    }

    /// Bytes of all messages, without what frames them.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.messages().map(|message| u64::try_from(message.len()).unwrap_or(u64::MAX)).sum()
    }
}

/// HL7 v2 messages (IHE LAW `OUL^R22` and plain `ORU^R01`) of at least `bytes_min` in all, in UTF-8.
pub(crate) fn hl7(seed: u64, bytes_min: usize) -> Corpus {
    collect(seed, bytes_min, |random, number, corpus| {
        let message = hl7::message(random, number);
        let start = corpus.len();
        corpus.extend_from_slice(message.as_bytes());
        start..corpus.len()
    })
}

/// LIS01 transfers, each one LIS02 message: ENQ, frames of at most 240 text bytes, EOT.
pub(crate) fn transfers(seed: u64, bytes_min: usize) -> Corpus {
    collect(seed ^ 0x0115_0115, bytes_min, |random, number, corpus| {
        let message = lis02::message(random, number);
        let start = corpus.len();
        lis02::transfer(message.as_bytes(), corpus);
        start..corpus.len()
    })
}

/// Evidence on `count` donations, each as JSON in the shape that `decide` reads.
pub(crate) fn evidence(seed: u64, count: u64) -> Vec<String> {
    let mut random = random::Random::new(seed ^ 0x0e71_de4c);
    (1..=count).map(|number| evidence::case(&mut random, number).to_string()).collect()
}

fn collect(
    seed: u64,
    bytes_min: usize,
    mut append: impl FnMut(&mut random::Random, u64, &mut Vec<u8>) -> Range<usize>,
) -> Corpus {
    let mut random = random::Random::new(seed);
    let mut corpus = Corpus { bytes: Vec::with_capacity(bytes_min + 65_536), messages: Vec::new() };
    let mut number = 0;
    while corpus.bytes.len() < bytes_min {
        number += 1;
        let range = append(&mut random, number, &mut corpus.bytes);
        corpus.messages.push(range);
    }
    corpus
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fnv(corpus: &Corpus) -> u64 {
        corpus.bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// A changed corpus makes old figures incomparable: change these only on purpose.
    #[test]
    fn the_same_seed_gives_the_same_bytes_for_ever() {
        for (name, corpus, messages, hash) in [
            ("hl7 1", hl7(1, 100_000), 18, 15_666_199_929_591_923_750),
            ("hl7 2", hl7(2, 100_000), 20, 12_907_410_423_697_900_743),
            ("transfers 1", transfers(1, 100_000), 30, 9_830_458_258_588_454_051),
            ("transfers 2", transfers(2, 100_000), 28, 7_474_864_365_101_544_409),
        ] {
            assert_eq!((corpus.messages.len(), fnv(&corpus)), (messages, hash), "{name}");
        }
    }

    #[test]
    fn hl7_messages_are_text_with_eight_or_more_segments() {
        for message in hl7(3, 200_000).messages() {
            let text = std::str::from_utf8(message).unwrap();
            assert!(text.starts_with("MSH|^~\\&|") && text.ends_with('\r'), "{text}");
            assert!(text.matches('\r').count() >= 8, "{text}");
            assert!(text.contains("\rOBX|1|"), "{text}");
        }
    }

    #[test]
    fn evidence_can_be_read_and_leads_to_every_kind_of_verdict() {
        let pack = release::RulePack::built_in("cn-2019").unwrap();
        let mut units = std::collections::BTreeMap::new();
        let cases = evidence(1, 2000);
        for case in &cases {
            let verdict = release::decide(&release::read_case(case).unwrap(), &pack);
            *units.entry((verdict.unit().name(), verdict.is_releasable())).or_insert(0) += 1;
        }
        assert!(units[&("pass", true)] > cases.len() * 7 / 10, "{units:?}");
        for unit in [("pass", false), ("hold", false), ("discard", false)] {
            assert!(units[&unit] > 20, "{units:?}");
        }
        assert_eq!(evidence(1, 2000), cases);
    }

    #[test]
    fn control_ids_differ_within_a_corpus() {
        let corpus = hl7(4, 200_000);
        let mut ids: Vec<&[u8]> =
            corpus.messages().map(|message| message.split(|b| *b == b'|').nth(9).unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), corpus.messages.len());
    }

    #[test]
    fn transfers_hold_whole_records_in_frames_of_at_most_240_text_bytes() {
        let (mut intermediate, mut end) = (0, 0);
        for transfer in transfers(5, 300_000).messages() {
            assert_eq!((transfer.first(), transfer.last()), (Some(&0x05), Some(&0x04)));
            let frames = transfer[1..transfer.len() - 1].split_inclusive(|b| *b == b'\n');
            for (place, frame) in frames.enumerate() {
                assert_eq!(frame[0], 0x02);
                assert_eq!(usize::from(frame[1] - b'0'), (place + 1) % 8, "frame number");
                assert!(frame.len() <= 247, "{} bytes", frame.len());
                match frame[frame.len() - 5] {
                    0x17 => intermediate += 1,
                    0x03 => end += 1,
                    other => panic!("ended by {other:#04x}"),
                }
            }
        }
        assert!(intermediate > 0 && end > intermediate, "{intermediate} ETB, {end} ETX");
    }
}
