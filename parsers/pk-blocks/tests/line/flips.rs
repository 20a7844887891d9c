//! Damage: never delivered, whatever it looks like; and the bytes decide, not their grouping.

use crate::bench::{Bench, epoch};
use pk_blocks::{Answers, BlockEnd, Config, encode_block, fuzz_receiver};
use proptest::prelude::*;

fn answering() -> Config {
    Config { answers: Answers::ACK_NAK, ..Config::default() }
}

/// Texts whose letters are one bit from a block's own bytes, with what could be a check byte behind them.
fn treacherous() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = ["SB01", "DE01", "M 01", "BBBB", "CCC7WW", "7\"#B\"", "WWWW77", "C"]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    // With C become ETX, or 7 or W ETB, the byte behind is the right check.
    for (letter, end) in [(b'C', 3_u8), (b'#', 3), (b'7', 0x17), (b'W', 0x17)] {
        for head in ["AB", "aBz", "QR01 "] {
            let check = head.bytes().fold(end, |check, byte| check ^ byte);
            if (b' '..0x7F).contains(&check) {
                texts.push([head.as_bytes(), &[letter, check], b"tail"].concat());
            }
        }
    }
    texts
}

#[test]
fn any_flipped_bit_in_any_byte_is_refused_and_its_repeat_is_taken() {
    for text in treacherous() {
        let good = encode_block(&text, BlockEnd::Last);
        for place in 0..good.len() {
            for bit in 0..8 {
                let mut damaged = good.clone();
                damaged[place] ^= 1 << bit;
                for behind in [&[][..], &good] {
                    let name = format!(
                        "bit {bit} of byte {place} of {}, {} behind",
                        text.escape_ascii(),
                        behind.len()
                    );
                    let mut bench = Bench::new(answering());
                    bench.feed(&encode_block(b"SB00", BlockEnd::Last)).wait_ms(50).take_sent();
                    bench.texts.clear();
                    bench.feed(&damaged).feed(behind).wait_ms(50).wait_ms(2_000);
                    assert!(bench.texts.len() <= usize::from(!behind.is_empty()), "{name}");
                    assert!(bench.texts.iter().all(|(found, _)| *found == text), "{name}: {:?}", bench.texts);
                    let answers = bench.take_sent();
                    assert!(answers == [6].repeat(bench.texts.len()) || answers == [21], "{name}");
                    assert!(answers.len() <= 1, "{name}: one answer at the most, {answers:?}");
                    // The peer sends it until it is accepted.
                    let mut tries = 0;
                    while bench.sent.last() != Some(&6) {
                        bench.feed(&good).wait_ms(50).wait_ms(2_000);
                        tries += 1;
                        assert!(tries <= 3, "{name}");
                    }
                    assert_eq!(bench.texts.len(), 1, "{name}: once");
                }
            }
        }
    }
}

#[test]
fn a_lost_or_an_added_byte_delivers_nothing_else() {
    for text in treacherous() {
        let good = encode_block(&text, BlockEnd::Last);
        for place in 0..good.len() {
            let mut lost = good.clone();
            lost.remove(place);
            let mut all = vec![lost];
            for added in [2, 3, 6, 0x17, b'A', 0xFF] {
                let mut more = good.clone();
                more.insert(place, added);
                all.push(more);
            }
            for damaged in all {
                let mut bench = Bench::new(answering());
                bench.feed(&damaged).wait_ms(50).wait_ms(2_000);
                let only = bench.texts.iter().all(|(found, _)| *found == text);
                // XOR does not see an even number of equal bytes come or go; nothing here is of that kind.
                assert!(only, "{} from {}", damaged.escape_ascii(), good.escape_ascii());
            }
        }
    }
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let good = ("(SB|M |QR|QD|DB|DE)01[ -~]{0,8}", any::<bool>()).prop_map(|(text, last)| {
        encode_block(text.as_bytes(), if last { BlockEnd::Last } else { BlockEnd::More })
    });
    let damaged =
        (good.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut block, at, byte)| {
            let at = at.index(block.len());
            block[at] = byte;
            block
        });
    let noise = proptest::collection::vec(any::<u8>(), 0..5);
    let piece = prop_oneof![4 => good, 1 => damaged, 1 => noise, 1 => Just(b"\x02SB01\x03\x13".to_vec())];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same(bytes in stream(), cut in 1_usize..30, answers: bool, long: bool) {
        let config = Config {
            answers: if answers { Answers::ACK_NAK } else { Answers::Silent },
            block_text_bytes_max: if long { 4096 } else { 6 },
            ..Config::default()
        };
        let said = |size: usize| {
            let mut bench = Bench::new(config.clone());
            for piece in bytes.chunks(size.max(1)) {
                bench.feed(piece);
            }
            bench.wait_ms(50).wait_ms(2_000).disconnect();
            bench.said
        };
        let whole = said(bytes.len());
        prop_assert_eq!(&said(1), &whole);
        prop_assert_eq!(&said(cut), &whole);
    }

    #[test]
    fn scripts_of_anything_break_no_promise(script in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz_receiver(&script, epoch());
    }
}

#[test]
fn many_scripts_break_no_promise() {
    for seed in 0..60_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let script: Vec<u8> = (0..rng.usize(0..60)).map(|_| rng.u8(..)).collect();
        fuzz_receiver(&script, epoch());
    }
}
