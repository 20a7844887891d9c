//! What holds for every stream: any split gives the same, answers keep their order, and nothing panics.

#[cfg(test)]
mod tests {
    use mllp::{AnomalyKind, BlockTicket, Commit, Config, Event, Receiver, frame, fuzz};
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// What a stream holds, as a reader sees it who has all of it before him.
    #[derive(Debug, PartialEq, Eq)]
    enum Seen {
        Block(Vec<u8>),
        Oversize(Vec<u8>, u64),
        Commit(Commit),
        Anomaly(AnomalyKind, Vec<u8>),
    }

    const BLOCK_BYTES_MAX: usize = 20;

    /// The description in the crate's documentation, read byte by byte with no thought of speed.
    fn model(stream: &[u8]) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut rest: VecDeque<u8> = stream.iter().copied().collect();
        let mut stray = Vec::new();
        while let Some(byte) = rest.pop_front() {
            if byte != 0x0B {
                if ![0x02, b'\r', b'\n'].contains(&byte) {
                    stray.push(byte);
                }
                continue;
            }
            if !stray.is_empty() {
                seen.push(Seen::Anomaly(AnomalyKind::StrayBytes, std::mem::take(&mut stray)));
            }
            let end = rest.iter().position(|byte| [0x0B, 0x1C].contains(byte));
            let content: Vec<u8> = rest.drain(..end.unwrap_or(rest.len())).collect();
            let ended = rest.front().copied();
            let kept = content.iter().copied().take(BLOCK_BYTES_MAX).collect();
            seen.push(if content.len() > BLOCK_BYTES_MAX {
                Seen::Oversize(kept, content.len() as u64)
            } else {
                match (ended, content.as_slice()) {
                    (None, _) => Seen::Anomaly(AnomalyKind::BlockCutOff, content),
                    (Some(0x0B), _) => Seen::Anomaly(AnomalyKind::BlockRestarted, content),
                    (Some(_), []) => Seen::Anomaly(AnomalyKind::EmptyBlock, content),
                    (Some(_), [0x06]) => Seen::Commit(Commit::Ack),
                    (Some(_), [0x15]) => Seen::Commit(Commit::Nak),
                    (Some(_), _) => Seen::Block(content),
                }
            });
            if ended == Some(0x1C) {
                rest.pop_front();
                if rest.front() == Some(&b'\r') {
                    rest.pop_front();
                } else if !rest.is_empty() {
                    seen.push(Seen::Anomaly(AnomalyKind::CarriageReturnMissing, Vec::new()));
                }
            }
        }
        if !stray.is_empty() {
            seen.push(Seen::Anomaly(AnomalyKind::StrayBytes, stray));
        }
        seen
    }

    fn read(stream: &[u8], cuts: &[usize]) -> Vec<Seen> {
        let config = Config { block_bytes_max: BLOCK_BYTES_MAX, outstanding_max: 2, ..Config::default() };
        let mut receiver = Receiver::<()>::new(config);
        let mut seen = Vec::new();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        for pair in places.windows(2) {
            let mut piece = &stream[pair[0]..pair[1]];
            while !piece.is_empty() {
                let taken = receiver.handle_input(piece);
                piece = &piece[taken..];
                drain(&mut receiver, &mut seen);
            }
        }
        receiver.handle_disconnect();
        drain(&mut receiver, &mut seen);
        seen
    }

    fn drain(receiver: &mut Receiver<()>, seen: &mut Vec<Seen>) {
        while let Some(event) = receiver.poll_event() {
            seen.push(match event {
                Event::Block(block) => {
                    receiver.accept(block.ticket, (), b"A");
                    Seen::Block(block.bytes)
                }
                Event::Oversize(oversize) => {
                    receiver.refuse(oversize.ticket, None);
                    Seen::Oversize(oversize.kept, oversize.bytes)
                }
                Event::Commit(commit) => Seen::Commit(commit),
                Event::Anomaly(anomaly) => Seen::Anomaly(anomaly.kind, anomaly.bytes),
            });
        }
        receiver.poll_transmit();
    }

    /// Bytes that matter, and a few that do not; none that make a block look like UTF-16.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            3 => Just(0x0B),
            3 => Just(0x1C),
            3 => Just(0x0D),
            1 => prop::sample::select(vec![0x02, 0x0A, 0x06, 0x15]),
            4 => b'a'..=b'z',
        ];
        let whole = prop::collection::vec(b'a'..=b'z', 0..30).prop_map(|bytes| frame(&bytes));
        let piece = prop_oneof![whole, prop::collection::vec(byte, 0..12)];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_split_gives_what_a_reader_of_the_whole_sees(
            stream in stream(), cuts in prop::collection::vec(any::<usize>(), 0..10)
        ) {
            prop_assert_eq!(read(&stream, &cuts), model(&stream));
        }

        #[test]
        fn what_is_framed_is_read_again(blocks in prop::collection::vec("[ -~\r]{2,20}", 0..6), cut in any::<usize>()) {
            let blocks: Vec<Vec<u8>> = blocks.into_iter().map(String::into_bytes).collect();
            let stream: Vec<u8> = blocks.iter().flat_map(|block| frame(block)).collect();
            let expect: Vec<Seen> = blocks.into_iter().map(Seen::Block).collect();
            prop_assert_eq!(read(&stream, &[cut]), expect);
        }

        #[test]
        fn answers_leave_once_each_in_the_order_of_the_blocks(
            decisions in prop::collection::vec((any::<usize>(), any::<bool>()), 1..40)
        ) {
            let mut receiver = Receiver::<()>::new(Config { outstanding_max: 5, ..Config::default() });
            let stream: Vec<u8> = (0..decisions.len()).flat_map(|n| frame(format!("M{n}").as_bytes())).collect();
            let mut rest = stream.as_slice();
            let mut open: Vec<(BlockTicket, Vec<u8>)> = Vec::new();
            let (mut sent, mut refused) = (Vec::new(), Vec::new());
            for (pick, accept) in &decisions {
                let taken = receiver.handle_input(rest);
                rest = &rest[taken..];
                while let Some(Event::Block(block)) = receiver.poll_event() {
                    open.push((block.ticket, block.bytes));
                }
                prop_assert!(receiver.outstanding() <= 5);
                prop_assert!(!open.is_empty());
                let (ticket, bytes) = open.remove(pick % open.len());
                if *accept {
                    receiver.accept(ticket, (), &bytes);
                } else {
                    receiver.refuse(ticket, None);
                    refused.push(bytes);
                }
                sent.extend(receiver.poll_transmit().unwrap_or_default());
            }
            prop_assert_eq!(receiver.handle_input(rest), rest.len());
            prop_assert!(open.is_empty() && receiver.outstanding() == 0);
            let answered = (0..decisions.len()).map(|n| format!("M{n}").into_bytes());
            let expect: Vec<u8> = answered.filter(|bytes| !refused.contains(bytes)).flat_map(|b| frame(&b)).collect();
            prop_assert_eq!(sent, expect);
        }
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant can only be had from the clock; time is counted from it"
    )]
    fn a_million_mutated_streams_are_read_without_panic() {
        let mut random = fastrand::Rng::with_seed(0x0B1C);
        let now = std::time::Instant::now();
        let seeds = [
            [frame(b"MSH|^~\\&|A\rOBX|1\r"), frame(b"MSH|2\r")].concat(),
            b"\x02\x02\x0B\x06\x1C\r\x0B\x15\x1C\rstray\x0Bhalf\x0Bwhole\x1C\x0Bnext\x1C\r".to_vec(),
            frame(&"MSH|张\u{B1C}\u{1C0B}\r".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            frame(
                "MSH|a block that is longer than the limit of sixty-four bytes, by far, and goes on"
                    .as_bytes(),
            ),
        ];
        let signs = b"\x0B\x1C\x0D\x02\x06\xFF\xFE\x00M";
        for n in 0..1_000_000_usize {
            let mut bytes = seeds[n % seeds.len()].clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                match random.u8(..5) {
                    0 => bytes[at] = random.u8(..),
                    1 => bytes[at] ^= 1 << random.u8(..8),
                    2 => bytes.truncate(at.max(1)),
                    3 => bytes[at] = signs[random.usize(..signs.len())],
                    _ => bytes.insert(at, signs[random.usize(..signs.len())]),
                }
            }
            fuzz::fuzz_receiver(&bytes);
            if n % 16 == 0 {
                fuzz::fuzz_sender(&bytes, now);
            }
        }
    }
}
