//! What a receiver makes of a stream, however it is cut.

#[cfg(test)]
mod tests {
    use mllp::{AnomalyKind, BlockTicket, Config, Event, Receiver, frame};

    /// An event without its ticket.
    #[derive(Debug, PartialEq, Eq, Clone)]
    enum Seen {
        Block(Vec<u8>, u64),
        Oversize(Vec<u8>, u64),
        Anomaly(AnomalyKind, Vec<u8>, u64),
        Commit(mllp::Commit),
    }

    fn drain(receiver: &mut Receiver<()>, seen: &mut Vec<Seen>) {
        while let Some(event) = receiver.poll_event() {
            seen.push(match event {
                Event::Block(block) => {
                    receiver.accept(block.ticket, (), b"ok");
                    Seen::Block(block.bytes, block.at)
                }
                Event::Oversize(oversize) => {
                    receiver.refuse(oversize.ticket, None);
                    Seen::Oversize(oversize.kept, oversize.bytes)
                }
                Event::Commit(commit) => Seen::Commit(commit),
                Event::Anomaly(anomaly) => Seen::Anomaly(anomaly.kind, anomaly.bytes, anomaly.at),
            });
        }
        receiver.poll_transmit();
    }

    fn read_in_pieces(stream: &[u8], pieces: impl Iterator<Item = usize>, config: &Config) -> Vec<Seen> {
        let mut receiver = Receiver::new(config.clone());
        let mut seen = Vec::new();
        let mut rest = stream;
        for piece in pieces {
            let (mut now, later) = rest.split_at(piece.min(rest.len()));
            rest = later;
            while !now.is_empty() {
                let taken = receiver.handle_input(now);
                now = &now[taken..];
                drain(&mut receiver, &mut seen);
            }
        }
        assert!(rest.is_empty());
        receiver.handle_disconnect();
        drain(&mut receiver, &mut seen);
        seen
    }

    fn check(stream: &[u8], expect: &[Seen]) {
        let config = Config { block_bytes_max: 12, ..Config::default() };
        for piece in 1..=stream.len() {
            let pieces = std::iter::repeat_n(piece, stream.len().div_ceil(piece));
            assert_eq!(read_in_pieces(stream, pieces, &config), expect, "{stream:?} in pieces of {piece}");
        }
    }

    fn block(bytes: &[u8], at: u64) -> Seen {
        Seen::Block(bytes.to_vec(), at)
    }

    fn anomaly(kind: AnomalyKind, bytes: &[u8], at: u64) -> Seen {
        Seen::Anomaly(kind, bytes.to_vec(), at)
    }

    #[test]
    fn blocks_come_out_however_the_stream_is_cut() {
        check(b"\x0BMSH\r\x1C\r", &[block(b"MSH\r", 0)]);
        check(b"\x0Ba\x1C\r\x0Bb\x1C\r\x0Bc\x1C\r", &[block(b"a", 0), block(b"b", 4), block(b"c", 8)]);
    }

    #[test]
    fn the_end_is_1c_and_the_carriage_return_may_be_late_or_missing() {
        use AnomalyKind::CarriageReturnMissing;
        check(b"\x0Ba\x1C", &[block(b"a", 0)]);
        check(
            b"\x0Ba\x1C\x0Bb\x1C\r",
            &[block(b"a", 0), anomaly(CarriageReturnMissing, b"", 3), block(b"b", 3)],
        );
        check(
            b"\x0Ba\x1C\x02\r\x0Bb\x1C\r",
            &[block(b"a", 0), anomaly(CarriageReturnMissing, b"", 3), block(b"b", 5)],
        );
    }

    #[test]
    fn a_new_start_before_the_end_reports_the_broken_block_and_reads_the_new_one() {
        use AnomalyKind::BlockRestarted;
        check(b"\x0Bbro\x0Bken\x1C\r", &[anomaly(BlockRestarted, b"bro", 0), block(b"ken", 4)]);
        check(b"\x0B\x0Ba\x1C\r", &[anomaly(BlockRestarted, b"", 0), block(b"a", 1)]);
    }

    #[test]
    fn bytes_between_blocks_are_reported_and_heartbeats_only_counted() {
        use AnomalyKind::StrayBytes;
        check(b"\x02\x02\x0Ba\x1C\r\x02\r\n\x0Bb\x1C\r", &[block(b"a", 2), block(b"b", 9)]);
        check(b"GET /\r\n\x0Ba\x1C\r", &[anomaly(StrayBytes, b"GET /", 0), block(b"a", 7)]);
        check(b"\x0Ba\x1C\rjunk", &[block(b"a", 0), anomaly(StrayBytes, b"junk", 4)]);
        check(b"\x1C\r\x0Ba\x1C\r", &[anomaly(StrayBytes, b"\x1C", 0), block(b"a", 2)]);
    }

    #[test]
    fn an_open_block_at_the_end_of_the_connection_is_reported_and_never_a_message() {
        check(b"\x0Bhalf", &[anomaly(AnomalyKind::BlockCutOff, b"half", 0)]);
        check(b"\x0B\x1C\r", &[anomaly(AnomalyKind::EmptyBlock, b"", 0)]);
    }

    #[test]
    fn a_block_over_the_limit_is_reported_with_its_beginning_and_the_next_one_is_read() {
        let long = b"\x0Ba block that is too long\x1C\r\x0Bb\x1C\r";
        check(long, &[Seen::Oversize(b"a block that".to_vec(), 24), block(b"b", 27)]);
        check(b"\x0Bexactly 12 b\x1C\r", &[block(b"exactly 12 b", 0)]);
        check(b"\x0Bexactly 12 b.", &[Seen::Oversize(b"exactly 12 b".to_vec(), 13)]);
    }

    #[test]
    fn commit_blocks_of_release_2_are_told_from_messages() {
        check(
            b"\x0B\x06\x1C\r\x0B\x15\x1C\r\x0B\x07\x1C\r",
            &[Seen::Commit(mllp::Commit::Ack), Seen::Commit(mllp::Commit::Nak), block(b"\x07", 8)],
        );
    }

    #[test]
    fn block_characters_inside_utf_16_are_content() {
        // U+0B1C and U+1C0B in both orders; U+0D1C is 1C 0D in the little order, but not where a character begins.
        for content in [
            &b"\xFF\xFEM\0\x1C\x0B\x0B\x1C"[..],
            b"\xFE\xFF\0M\x1C\x0B\x0B\x1C",
            b"\0M\0S\x0B\x1C\x1C\x0B",
            b"M\0S\0\x0B\x1C\x0D\x1C",
        ] {
            check(&frame(content), &[block(content, 0)]);
        }
    }

    #[test]
    fn an_anomaly_tells_people_its_place_and_not_its_bytes() {
        let mut receiver = Receiver::<()>::new(Config::default());
        assert_eq!(receiver.handle_input(b"\x02\x0Bsecret\x0B"), 9);
        let Some(Event::Anomaly(anomaly)) = receiver.poll_event() else {
            panic!("the broken block is reported")
        };
        let expect = "a new block began before the open one ended (from byte 1 of the connection, 6 bytes)";
        assert_eq!(anomaly.to_string(), expect);
    }

    fn tickets(receiver: &mut Receiver<()>) -> Vec<BlockTicket> {
        let blocks = std::iter::from_fn(|| receiver.poll_event());
        blocks
            .map(|event| {
                let Event::Block(block) = event else { panic!("{event:?}") };
                block.ticket
            })
            .collect()
    }

    #[test]
    fn answers_leave_in_the_order_of_the_blocks_whatever_order_they_are_decided_in() {
        let mut receiver = Receiver::<()>::new(Config::default());
        let stream = [frame(b"1"), frame(b"2"), frame(b"3"), frame(b"4")].concat();
        assert_eq!(receiver.handle_input(&stream), stream.len());
        let mut waiting = tickets(&mut receiver);
        receiver.accept(waiting.remove(2), (), b"A3");
        assert_eq!(receiver.poll_transmit(), None);
        receiver.accept(waiting.remove(0), (), b"A1");
        assert_eq!(receiver.poll_transmit(), Some(frame(b"A1")));
        receiver.refuse(waiting.remove(0), None);
        assert_eq!(receiver.poll_transmit(), Some(frame(b"A3")));
        assert_eq!(receiver.outstanding(), 1);
        receiver.refuse(waiting.remove(0), Some(b"R4"));
        assert_eq!(receiver.poll_transmit(), Some(frame(b"R4")));
    }

    #[test]
    fn input_stops_at_the_bound_of_unanswered_blocks_and_goes_on_after_an_answer() {
        let config = Config { outstanding_max: 2, ..Config::default() };
        let mut receiver = Receiver::<()>::new(config);
        let stream = [frame(b"1"), frame(b"2"), frame(b"3")].concat();
        let taken = receiver.handle_input(&stream);
        assert!(taken < stream.len() && !receiver.wants_input());
        assert_eq!(receiver.handle_input(&stream[taken..]), 0);
        for ticket in tickets(&mut receiver) {
            receiver.accept(ticket, (), b"A");
        }
        assert_eq!(receiver.handle_input(&stream[taken..]), 0, "answers have not left yet");
        assert_eq!(receiver.poll_transmit(), Some([frame(b"A"), frame(b"A")].concat()));
        assert_eq!(receiver.handle_input(&stream[taken..]), stream.len() - taken);
        assert_eq!(tickets(&mut receiver).len(), 1);
    }

    #[test]
    fn input_stops_at_the_bound_of_unanswered_bytes() {
        let config = Config { outstanding_bytes_max: 10, ..Config::default() };
        let mut receiver = Receiver::<()>::new(config);
        let stream = [frame(b"123456"), frame(b"7890"), frame(b"third")].concat();
        let taken = receiver.handle_input(&stream);
        assert_eq!(
            (receiver.outstanding(), taken),
            (2, 15),
            "the last 0D is not needed for the second block"
        );
        let mut waiting = tickets(&mut receiver);
        receiver.accept(waiting.remove(0), (), b"A");
        assert!(receiver.poll_transmit().is_some());
        assert_eq!(receiver.handle_input(&stream[taken..]), stream.len() - taken);
        assert_eq!(receiver.outstanding(), 2);
    }

    #[test]
    fn a_ticket_of_an_earlier_connection_answers_nothing() {
        let mut receiver = Receiver::<()>::new(Config::default());
        assert_eq!(receiver.handle_input(&frame(b"1")), 4);
        let old = tickets(&mut receiver).remove(0);
        receiver.handle_disconnect();
        assert_eq!(receiver.handle_input(&frame(b"2")), 4);
        receiver.accept(old, (), b"A1");
        assert_eq!(receiver.poll_transmit(), None);
        let new = tickets(&mut receiver).remove(0);
        receiver.accept(new, (), b"A2");
        assert_eq!(receiver.poll_transmit(), Some(frame(b"A2")));
    }

    #[test]
    fn a_ticket_of_another_connection_answers_nothing() {
        let mut receivers = [Receiver::<()>::new(Config::default()), Receiver::<()>::new(Config::default())];
        let mut open: Vec<BlockTicket> = Vec::new();
        for receiver in &mut receivers {
            assert_eq!(receiver.handle_input(&frame(b"1")), 4);
            open.append(&mut tickets(receiver));
        }
        let [first, second] = &mut receivers;
        first.accept(open.remove(1), (), b"for the second");
        assert_eq!((first.poll_transmit(), first.outstanding()), (None, 1));
        first.accept(open.remove(0), (), b"for the first");
        assert_eq!(first.poll_transmit(), Some(frame(b"for the first")));
        assert_eq!(second.outstanding(), 1);
    }

    #[test]
    fn release_2_sends_the_commit_block_before_the_answer() {
        let config = Config { commit_blocks: true, ..Config::default() };
        let mut receiver = Receiver::<()>::new(config);
        let stream = [frame(b"1"), frame(b"2"), frame(b"3")].concat();
        assert_eq!(receiver.handle_input(&stream), stream.len());
        let mut waiting = tickets(&mut receiver).into_iter();
        receiver.accept(waiting.next().unwrap(), (), b"");
        assert_eq!(receiver.poll_transmit(), Some(b"\x0B\x06\x1C\r".to_vec()));
        receiver.accept(waiting.next().unwrap(), (), b"A");
        assert_eq!(receiver.poll_transmit(), Some(b"\x0B\x06\x1C\r\x0BA\x1C\r".to_vec()));
        receiver.refuse(waiting.next().unwrap(), None);
        assert_eq!(receiver.poll_transmit(), Some(b"\x0B\x15\x1C\r".to_vec()));
    }
}
