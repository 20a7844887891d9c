//! Records without a link: what is a message, what is half of one, and when.

#[cfg(test)]
mod tests {
    use lis02::{HalfWhy, Terminator, Unframed, UnframedConfig, UnframedEvent, fuzz_unframed};
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    /// What happens to a stream: bytes, or milliseconds that pass.
    enum Then {
        Bytes(&'static str),
        Wait(u64),
        /// Milliseconds in which nothing was read.
        Held(u64),
        Closed,
        Broken,
    }
    use Then::{Broken, Bytes, Closed, Held, Wait};

    const H: &str = "H|\\^&\r";
    const MESSAGE: &str = "H|\\^&\rP|1\rL|1|N\r";

    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no other origin; time is virtual from here on"
    )]
    fn epoch() -> Instant {
        Instant::now()
    }

    fn play(terminator: Terminator, steps: &[Then], piece: usize) -> Vec<String> {
        let config = UnframedConfig { terminator, message_bytes_max: 60, ..UnframedConfig::default() };
        let (mut stream, mut now, mut said) = (Unframed::new(config), epoch(), Vec::new());
        for step in steps {
            match step {
                Bytes(text) => {
                    for piece in text.as_bytes().chunks(piece) {
                        assert_eq!(stream.handle_input(piece, now), piece.len());
                        fetch(&mut stream, &mut said);
                    }
                }
                Wait(ms) => {
                    now += Duration::from_millis(*ms);
                    stream.handle_timeout(now);
                }
                Held(ms) => {
                    now += Duration::from_millis(*ms);
                    stream.handle_resume(now);
                }
                Closed => stream.handle_disconnect(true),
                Broken => stream.handle_disconnect(false),
            }
            fetch(&mut stream, &mut said);
        }
        said
    }

    fn fetch(stream: &mut Unframed, said: &mut Vec<String>) {
        said.extend(std::iter::from_fn(|| stream.poll_event()).map(|event| match event {
            UnframedEvent::Message(bytes) => format!("message {}", show(&bytes)),
            UnframedEvent::Half { bytes, why } => format!("{why:?} {}", show(&bytes)),
            UnframedEvent::Skipped { bytes } => format!("skipped {bytes}"),
        }));
    }

    fn show(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace('\r', "/").replace('\n', "~")
    }

    fn check(terminator: Terminator, steps: &[Then], expect: &[&str]) {
        for piece in [1, 2, 3, 7, 1_000] {
            assert_eq!(play(terminator, steps, piece), expect, "in pieces of {piece}");
        }
    }

    #[test]
    fn while_nothing_is_read_there_is_no_silence_and_then_it_begins_anew() {
        let whole = "message H|\\^&/P|1/L|1|N/";
        let rest = "P|1\rL|1|N\r";
        check(Terminator::Required, &[Bytes(H), Held(60_000), Wait(9_999), Bytes(rest)], &[whole]);
        check(Terminator::Required, &[Bytes(H), Held(60_000), Wait(10_000)], &["Silence H|\\^&/"]);
        check(Terminator::Required, &[Held(60_000), Wait(60_000), Bytes(MESSAGE)], &[whole]);
    }

    #[test]
    fn a_message_begins_with_h_and_ends_with_l() {
        let whole = "message H|\\^&/P|1/L|1|N/";
        check(Terminator::Required, &[Bytes(MESSAGE)], &[whole]);
        check(Terminator::Required, &[Bytes(MESSAGE), Bytes("\n\r\n\x02\x02"), Bytes(MESSAGE)], &[whole; 2]);
        check(Terminator::Required, &[Bytes("\x02\0\x05"), Bytes(MESSAGE), Wait(60_000)], &[whole]);
        check(Terminator::Required, &[Bytes("H@^\\&\rL@1\r\n")], &["message H@^\\&/L@1/"]);
        check(Terminator::Required, &[Bytes("H|\\^&\nP|1\r\nL\n")], &["message H|\\^&~P|1/~L~"]);
    }

    #[test]
    fn silence_ends_nothing_but_an_l_that_lacks_its_line_end() {
        use Terminator::{Optional, Required};
        let steps =
            || [Bytes(H), Wait(9_999), Bytes("P|1\r"), Wait(9_999), Bytes("L|1"), Wait(9_999), Wait(1)];
        check(Required, &steps(), &["message H|\\^&/P|1/L|1"]);
        check(Optional, &steps(), &["message H|\\^&/P|1/L|1"]);
        // It may be the beginning of a word.
        check(Optional, &[Bytes(H), Bytes("L"), Wait(10_000)], &["Silence H|\\^&/L"]);
        check(Required, &[Bytes("H|\\^&\rP|1\r"), Wait(10_000)], &["Silence H|\\^&/P|1/"]);
        check(Optional, &[Bytes("H|\\^&\rP|1\r"), Wait(10_000)], &["message H|\\^&/P|1/"]);
        check(Optional, &[Bytes("H|\\^&\rP|1"), Wait(10_000)], &["Silence H|\\^&/P|1"]);
        check(
            Required,
            &[Bytes(H), Wait(10_000), Bytes("P|1\rL|1\r")],
            &["Silence H|\\^&/", "Headless P|1/L|1/"],
        );
    }

    #[test]
    fn the_end_of_the_connection_is_no_terminator_unless_none_is_needed() {
        use Terminator::{Optional, Required};
        check(Required, &[Bytes("H|\\^&\rP|1\r"), Closed], &["Closed H|\\^&/P|1/"]);
        check(Optional, &[Bytes("H|\\^&\rP|1\r"), Closed], &["message H|\\^&/P|1/"]);
        check(Optional, &[Bytes("H|\\^&\rP|1\r"), Broken], &["Closed H|\\^&/P|1/"]);
        check(Optional, &[Bytes("H|\\^&\rP|1"), Closed], &["Closed H|\\^&/P|1"]);
        check(Required, &[Bytes("H|\\^&\rL|1|N"), Broken], &["message H|\\^&/L|1|N"]);
        check(Required, &[Closed, Bytes(MESSAGE)], &["message H|\\^&/P|1/L|1|N/"]);
    }

    #[test]
    fn a_header_before_the_terminator_and_a_beginning_that_is_missing_are_told() {
        use Terminator::{Optional, Required};
        let two = || [Bytes("H|\\^&\rP|1\r"), Bytes(MESSAGE)];
        check(Required, &two(), &["NextHeader H|\\^&/P|1/", "message H|\\^&/P|1/L|1|N/"]);
        check(Optional, &two(), &["message H|\\^&/P|1/", "message H|\\^&/P|1/L|1|N/"]);
        check(
            Optional,
            &[Bytes("R|1\rL|1\r"), Bytes(MESSAGE)],
            &["Headless R|1/L|1/", "message H|\\^&/P|1/L|1|N/"],
        );
        check(Optional, &[Bytes("R|1\r"), Bytes(MESSAGE)], &["Headless R|1/", "message H|\\^&/P|1/L|1|N/"]);
        check(
            Required,
            &[Bytes("noise"), Wait(10_000), Bytes(MESSAGE)],
            &["Silence noise", "message H|\\^&/P|1/L|1|N/"],
        );
    }

    #[test]
    fn of_a_message_that_is_too_long_the_beginning_is_kept_and_the_next_is_read() {
        let long = "H|\\^&\rC|1|0123456789012345678901234567890123456789012345678901234567890\rL|1\r";
        let kept = format!("TooLong {}", show(&long.as_bytes()[..60]));
        let skipped = format!("skipped {}", long.len() - 60);
        let next = "message H|\\^&/P|1/L|1|N/";
        check(Terminator::Required, &[Bytes(long), Bytes(MESSAGE)], &[&kept, &skipped, next]);
        let open = long.trim_end_matches("L|1\r");
        let skipped = format!("skipped {}", open.len() - 60);
        let cut: &'static str = open.to_owned().leak();
        check(Terminator::Required, &[Bytes(cut), Bytes(MESSAGE)], &[&kept, &skipped, next]);
        check(Terminator::Optional, &[Bytes(cut), Wait(10_000), Bytes(MESSAGE)], &[&kept, &skipped, next]);
    }

    #[test]
    fn input_waits_while_nobody_fetches_events() {
        let mut stream = Unframed::new(UnframedConfig::default());
        let many = MESSAGE.repeat(100);
        let mut taken = stream.handle_input(many.as_bytes(), epoch());
        assert!(taken < many.len());
        let mut found = 0;
        while found < 100 {
            found += std::iter::from_fn(|| stream.poll_event()).count();
            taken += stream.handle_input(&many.as_bytes()[taken..], epoch());
        }
        assert_eq!(taken, many.len());
        assert_eq!(HalfWhy::Silence.to_string(), "it stopped before its terminator record");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn any_bytes_in_any_pieces_are_accounted_for(
            first: u8,
            records in proptest::collection::vec(
                prop_oneof![
                    Just("H|\\^&\r".to_owned()),
                    Just("L|1|N\r".to_owned()),
                    Just("\x02\r\n".to_owned()),
                    "[A-Z]\\|[0-9|^]{0,20}[\r\n]{0,2}",
                    "[ -~\r\n\x02]{0,60}",
                    "C\\|[LH|^&]{30,90}\r",
                ],
                0..10,
            ),
        ) {
            let mut bytes = vec![first];
            bytes.extend(records.concat().into_bytes());
            fuzz_unframed(&bytes, epoch());
        }
    }
}
