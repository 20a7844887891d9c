//! One message out at a time, in virtual time.

#[cfg(test)]
mod tests {
    use mllp::{AnomalyKind, Config, SendRefused, Sender, SenderEvent, frame};
    use std::time::{Duration, Instant};

    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant can only be had from the clock; time is counted from it"
    )]
    fn sender() -> (Sender, Instant) {
        let config = Config { answer_timeout: Duration::from_secs(30), ..Config::default() };
        (Sender::new(config), Instant::now())
    }

    fn give(sender: &mut Sender, bytes: &[u8]) {
        assert_eq!(sender.handle_input(bytes), bytes.len());
    }

    #[test]
    fn the_next_message_waits_until_the_first_is_settled() {
        let (mut sender, now) = sender();
        let first = sender.send(b"one", now).unwrap();
        assert_eq!(sender.poll_transmit(), Some(frame(b"one")));
        assert_eq!(sender.send(b"two", now), Err(SendRefused::Busy));
        give(&mut sender, &frame(b"answer"));
        assert_eq!(sender.poll_event(), Some(SenderEvent::Answer { id: first, bytes: b"answer".to_vec() }));
        assert_eq!(
            sender.send(b"two", now),
            Err(SendRefused::Busy),
            "the caller has not looked at MSA-2 yet"
        );
        sender.settle(first);
        assert_eq!(sender.poll_timeout(), None);
        assert!(sender.send(b"two", now).is_ok());
    }

    #[test]
    fn an_answer_to_another_message_does_not_end_the_wait() {
        let (mut sender, now) = sender();
        let first = sender.send(b"one", now).unwrap();
        sender.handle_timeout(now + Duration::from_secs(30));
        assert_eq!(sender.poll_event(), Some(SenderEvent::TimedOut { id: first }));
        give(&mut sender, &frame(b"late"));
        assert_eq!(sender.poll_event(), Some(SenderEvent::Unasked { bytes: b"late".to_vec() }));
        let second = sender.send(b"two", now).unwrap();
        give(&mut sender, &frame(b"later still"));
        assert_eq!(
            sender.poll_event(),
            Some(SenderEvent::Answer { id: second, bytes: b"later still".to_vec() })
        );
        sender.settle(first);
        assert_eq!(sender.outstanding(), Some(second), "settling the first leaves the second out");
        give(&mut sender, &frame(b"right"));
        assert_eq!(sender.poll_event(), Some(SenderEvent::Answer { id: second, bytes: b"right".to_vec() }));
    }

    #[test]
    fn the_time_is_up_exactly_at_the_deadline() {
        let (mut sender, now) = sender();
        let id = sender.send(b"one", now).unwrap();
        let deadline = sender.poll_timeout().unwrap();
        assert_eq!(deadline, now + Duration::from_secs(30));
        sender.handle_timeout(deadline.checked_sub(Duration::from_nanos(1)).unwrap());
        assert_eq!(sender.poll_event(), None);
        sender.handle_timeout(deadline);
        assert_eq!(sender.poll_event(), Some(SenderEvent::TimedOut { id }));
        assert_eq!(sender.poll_timeout(), None);
        assert_eq!(sender.poll_transmit(), None, "what had not left does not leave late");
    }

    #[test]
    fn a_lost_connection_leaves_the_outcome_open_and_begins_afresh() {
        let (mut sender, now) = sender();
        let id = sender.send(b"one", now).unwrap();
        give(&mut sender, b"\x0Bhalf an ans");
        sender.handle_disconnect();
        let Some(SenderEvent::Anomaly(anomaly)) = sender.poll_event() else {
            panic!("the half answer is reported")
        };
        assert_eq!((anomaly.kind, anomaly.bytes.as_slice()), (AnomalyKind::BlockCutOff, &b"half an ans"[..]));
        assert_eq!(sender.poll_event(), Some(SenderEvent::Disconnected { id }));
        assert_eq!(sender.poll_transmit(), None);
        let id = sender.send(b"one", now).unwrap();
        give(&mut sender, &frame(b"answer"));
        assert_eq!(sender.poll_event(), Some(SenderEvent::Answer { id, bytes: b"answer".to_vec() }));
    }

    #[test]
    fn a_message_that_would_break_its_block_is_refused() {
        let (mut sender, now) = sender();
        assert_eq!(sender.send(b"", now), Err(SendRefused::Empty));
        assert_eq!(sender.send(b"a\x1Cb", now), Err(SendRefused::BlockCharacter { at: 1 }));
        assert_eq!(sender.send(b"\x0B", now), Err(SendRefused::BlockCharacter { at: 0 }));
        assert_eq!(sender.poll_transmit(), None);
    }

    #[test]
    fn commit_blocks_come_as_such_and_do_not_end_the_wait() {
        let (mut sender, now) = sender();
        let id = sender.send(b"one", now).unwrap();
        give(&mut sender, &[frame(b"\x06"), frame(b"answer")].concat());
        assert_eq!(
            sender.poll_event(),
            Some(SenderEvent::Commit { id: Some(id), commit: mllp::Commit::Ack })
        );
        assert_eq!(sender.poll_event(), Some(SenderEvent::Answer { id, bytes: b"answer".to_vec() }));
    }
}
