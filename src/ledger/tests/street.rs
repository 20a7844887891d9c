//! One message's way through the ledger, and back after a restart.

#[cfg(test)]
mod tests {
    use ledger::{
        Body, Draft, HowEnded, Ledger, MessageFilter, OpenError, Page, Seq, Settings, StateStore, What,
    };
    use std::path::Path;
    use std::time::Duration;
    use vocabulary::{
        ConnectionId, DonationId, Marker, Mode, Observation, ProfileRef, Protocol, ResultStatus, Source,
        SpecimenKind, Value,
    };

    fn settings(dir: &Path, state: StateStore) -> Settings {
        Settings { state, free_bytes_min: 0, ballast_bytes: 0, ..Settings::new(dir) }
    }

    fn open(settings: Settings) -> Ledger {
        Ledger::open(settings, &mut |_| {}).unwrap().0
    }

    fn connection() -> ConnectionId {
        ConnectionId::new("arch-1").unwrap()
    }

    fn profile() -> ProfileRef {
        ProfileRef { id: "abbott/architect".into(), revision: "00ff".into() }
    }

    fn frame(transfer: u64, text: &[u8], end: bool) -> Draft {
        let (connection, text) = (connection(), text.into());
        Draft::by_connection(
            &connection.clone(),
            What::FrameReceived { connection, transfer, number: Some(1), end, text },
        )
    }

    fn message(transfer: u64, from: u32, to: u32) -> Draft {
        let connection = connection();
        Draft::by_connection(
            &connection.clone(),
            What::MessageReceived {
                connection,
                mode: Mode::Production,
                profile: profile(),
                protocol: Protocol::Lis02,
                body: Body::Frames { transfer, from, to },
            },
        )
    }

    fn observation() -> Observation {
        Observation {
            specimen: None,
            instrument: None,
            assay: "HBsAg".into(),
            marker: Marker::HBsAg,
            kind: SpecimenKind::Patient,
            value: Value { raw: "0.21".into(), ..Value::default() },
            flags: vec![],
            status: ResultStatus::Final,
            run: None,
            lots: vec![],
            completed_at: None,
            operator: None,
            control: None,
            source: Source::default(),
        }
    }

    fn check_street(state: StateStore) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = open(settings(dir.path(), state));
        let first = ledger.append(vec![frame(7, b"H|\\^&\rP|1\r", false)]).unwrap().wait().unwrap();
        assert_eq!((first.first(), first.last()), (Seq::new(1), Seq::new(1)));
        let ended = What::TransferEnded { connection: connection(), transfer: 7, how: HowEnded::Eot };
        let group = vec![frame(7, b"L|1|N\rH|half", true), message(7, 0, 16), Draft::by_system(ended)];
        let second = ledger.append(group).unwrap().wait().unwrap();
        let seq = Seq::new(3);
        assert_eq!((second.first(), second.last()), (Seq::new(2), Seq::new(4)));
        let donation = DonationId::new("G1").unwrap();
        let interpreted = What::MessageInterpreted {
            message: seq,
            profile: profile(),
            observations: vec![observation()],
            findings: vec![],
            donations: vec![(0, donation.clone())],
            holds: vec![],
            part: 0,
            last: true,
        };
        ledger.wait_applied(second.last()).wait().unwrap();
        assert_eq!(ledger.state().to_interpret(&Page::first(9)).unwrap().items[0].message, seq);
        let third = ledger.append(vec![Draft::by_system(interpreted)]).unwrap().wait().unwrap();
        ledger.wait_applied(third.last()).wait().unwrap();

        let check = |ledger: &Ledger| {
            let state = ledger.state();
            assert_eq!(state.raw(seq).unwrap(), b"H|\\^&\rP|1\rL|1|N\r");
            assert!(state.to_interpret(&Page::first(9)).unwrap().items.is_empty());
            assert_eq!(state.to_decide(&Page::first(9)).unwrap().items[0].donation, donation);
            let view = state.donation(&donation).unwrap().unwrap();
            assert_eq!(view.observations[0].observation, observation());
            assert_eq!(view.observations[0].message, seq);
            let half = state.half_transfers(&Page::first(9)).unwrap().items;
            assert_eq!((half[0].transfer, half[0].used, half[0].bytes), (7, 16, 22));
            assert_eq!(state.unused_text(7).unwrap().unwrap(), b"H|half");
            assert_eq!(state.messages(&MessageFilter::default(), &Page::newest(5)).unwrap().items.len(), 1);
            assert_eq!(state.counters().unwrap().misfits, 0);
        };
        check(&ledger);
        ledger.close();
        let ledger = open(settings(dir.path(), state));
        check(&ledger);
        assert_eq!(ledger.status().durable, Seq::new(5));
    }

    #[test]
    fn a_message_in_frames_goes_its_way_and_is_there_after_a_restart() {
        check_street(StateStore::Memory);
        check_street(StateStore::Sled);
    }

    #[test]
    fn a_second_daemon_is_refused_and_told_who_holds_the_ledger() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = open(settings(dir.path(), StateStore::Memory));
        let error = Ledger::open(settings(dir.path(), StateStore::Memory), &mut |_| {}).unwrap_err();
        assert!(
            matches!(&error, OpenError::Locked { by, .. } if by.contains(&std::process::id().to_string())),
            "{error}"
        );
        ledger.close();
        open(settings(dir.path(), StateStore::Memory)).close();
    }

    #[test]
    fn a_subscriber_is_woken_and_never_misses_a_move() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = open(settings(dir.path(), StateStore::Memory));
        let mut moves = ledger.subscribe();
        let durable = ledger.append(vec![Draft::by_system(What::Stopped)]).unwrap().wait().unwrap();
        ledger.wait_applied(durable.last()).wait().unwrap();
        assert!(moves.wait(Duration::from_secs(5)));
        assert!(!moves.wait(Duration::ZERO));
    }
}
