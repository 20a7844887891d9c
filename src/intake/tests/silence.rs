//! Listen-only: whatever comes, in any dialect, not a byte leaves; and what came is kept and can be followed in the trace.

#[cfg(test)]
mod silence {
    use intake::{
        Acknowledge, Answering, Board, Connection, Limits, Link, MessageEnd, Source, Unreadable,
        trace::{Traced, Way},
    };
    use ledger::{Ledger, MessageFilter, Page, Settings, StateStore};
    use std::time::Duration;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };
    use tokio_util::sync::CancellationToken;
    use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

    const WITHIN: Duration = Duration::from_secs(20);

    struct Tap {
        ledger: Ledger,
        board: Board,
        stop: CancellationToken,
        served: tokio::task::JoinHandle<std::io::Result<()>>,
        _folder: tempfile::TempDir,
    }

    fn id() -> ConnectionId {
        ConnectionId::new("tap").unwrap()
    }

    fn tap(mode: Mode, link: Link, protocol: Protocol, source: Source) -> Tap {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(folder.path().join("ledger"));
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let connection = Connection {
            id: id(),
            mode,
            profile: ProfileRef { id: "maker/model".into(), revision: "0".into() },
            protocol,
            link,
            limits: Limits::default(),
            desk: None,
        };
        let (board, stop) = (Board::default(), CancellationToken::new());
        let serving = intake::serve(connection, source, ledger.clone(), board.clone(), stop.clone());
        assert!(board.standing(&id()).is_some(), "it stands on the board before anything is awaited");
        let served = tokio::spawn(serving);
        Tap { ledger, board, stop, served, _folder: folder }
    }

    impl Tap {
        fn traced(&self, way: Way) -> Vec<u8> {
            let events = self.board.trace_of(&id()).map(|t| t.since(0).events).unwrap_or_default();
            let bytes = events.into_iter().filter_map(|event| match event.what {
                Traced::Bytes { way: went, bytes } if went == way => Some(bytes),
                Traced::Bytes { .. }
                | Traced::Connected { .. }
                | Traced::Closed { .. }
                | Traced::Refused { .. }
                | Traced::Anomaly { .. }
                | Traced::Noted { .. } => None,
            });
            bytes.flatten().collect()
        }

        /// Stops the line and gives the messages that the ledger holds, each with the mode it was taken in.
        async fn messages(&mut self) -> Vec<(Mode, Vec<u8>)> {
            self.stop.cancel();
            (&mut self.served).await.unwrap().unwrap();
            self.ledger.wait_applied(self.ledger.status().durable).await.unwrap();
            let reader = self.ledger.state();
            let found = reader.messages(&MessageFilter::default(), &Page::first(100)).unwrap();
            found.items.iter().map(|m| (m.mode, reader.raw(m.seq).unwrap())).collect()
        }
    }

    fn mllp_link(acknowledge: Acknowledge, block_bytes_max: usize) -> Link {
        let answering = Answering { acknowledge, unreadable: Unreadable::Reject, ..Answering::default() };
        Link::Mllp(mllp::Config { block_bytes_max, ..mllp::Config::default() }, answering)
    }

    fn frame(number: u8, text: &str) -> Vec<u8> {
        let body = format!("{number}{text}\x03");
        let sum: u8 = body.bytes().fold(0, u8::wrapping_add);
        format!("\x02{body}{sum:02X}\r\n").into_bytes()
    }

    const RECORDS: &str = "H|\\^&|||X\rP|1\rL|1|N\r";
    const ORU: &str = "MSH|^~\\&|A|B|C|D|1||ORU^R01|7|P|2.5.1\rOBX|1\r";

    fn lis01_session() -> Vec<u8> {
        let mut bytes = vec![5];
        for (number, record) in (1..).zip(RECORDS.split_inclusive('\r')) {
            bytes.extend(frame(number, record));
        }
        bytes.push(4);
        bytes
    }

    /// Dialect, link, what the analyser says, and the messages that are in it.
    type Dialect = (&'static str, Link, Protocol, Vec<u8>, Vec<String>);

    fn dialects() -> Vec<Dialect> {
        let lis01 = || Link::Lis01(lis01::Config::default(), MessageEnd::Terminator);
        let mut damaged = lis01_session();
        damaged[5] ^= 1;
        damaged.extend(lis01_session());
        let oversize = format!("MSH|^~\\&|A|B|C|D|1||ORU^R01|8|P|2.5.1\r{}\r", "x".repeat(300));
        let blocks = [ORU, &oversize, "no HL7"].map(|text| mllp::frame(text.as_bytes())).concat();
        vec![
            ("lis01", lis01(), Protocol::Lis02, lis01_session(), vec![RECORDS.into()]),
            ("lis01, a damaged frame first", lis01(), Protocol::Lis02, damaged, vec![RECORDS.into()]),
            ("lis01, half a session", lis01(), Protocol::Lis02, lis01_session()[..20].to_vec(), vec![]),
            (
                "mllp, blocks that would be answered AA, AE and AR",
                mllp_link(Acknowledge::Always, 256),
                Protocol::Hl7v2,
                blocks,
                vec![ORU.into(), "no HL7".into()],
            ),
        ]
    }

    /// Everything that comes until the other side closes.
    async fn all_that_comes(socket: &mut TcpStream) -> Vec<u8> {
        let mut came = Vec::new();
        let read =
            tokio::time::timeout(WITHIN, socket.read_to_end(&mut came)).await.expect("it is never closed");
        // A close without a read of all that came is a reset: no byte either.
        drop(read);
        came
    }

    /// Waits until so many bytes were read and so many messages kept.
    async fn heard(tap: &Tap, bytes: usize, messages: usize) {
        let kept = || tap.board.standings().get(&id()).map_or(0, |s| s.messages_total);
        let come = async {
            while tap.traced(Way::Received).len() < bytes || kept() < messages as u64 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(WITHIN, come).await.expect("not all was heard");
    }

    #[tokio::test]
    async fn not_a_byte_leaves_in_any_dialect_whoever_connects_and_all_messages_are_kept() {
        for connects in ["the analyser", "hemogate"] {
            for (dialect, link, protocol, bytes, messages) in dialects() {
                let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let (mut tap, mut socket) = if connects == "the analyser" {
                    let tap = tap(
                        Mode::ListenOnly,
                        link,
                        protocol,
                        Source::Listen(intake::Listen::plain(listener)),
                    );
                    (tap, TcpStream::connect(address).await.unwrap())
                } else {
                    listener.set_nonblocking(true).unwrap();
                    let listener = TcpListener::from_std(listener).unwrap();
                    let tap = tap(
                        Mode::ListenOnly,
                        link,
                        protocol,
                        Source::Connect(intake::Connect::plain(address.to_string())),
                    );
                    (tap, listener.accept().await.unwrap().0)
                };
                socket.write_all(&bytes).await.unwrap();
                heard(&tap, bytes.len(), messages.len()).await;
                let kept = tap.messages().await;
                let expect: Vec<_> =
                    messages.iter().map(|m| (Mode::ListenOnly, m.clone().into_bytes())).collect();
                assert_eq!(kept, expect, "{dialect}; {connects} connects");
                let came = all_that_comes(&mut socket).await;
                assert!(
                    came.is_empty(),
                    "{dialect}; {connects} connects: {:?}",
                    came.escape_ascii().to_string()
                );
                assert_eq!(tap.traced(Way::Received), bytes, "{dialect}");
                assert!(tap.traced(Way::Sent).is_empty(), "{dialect}");
                assert!(!tap.traced(Way::Withheld).is_empty(), "{dialect}: nothing was withheld");
            }
        }
    }

    #[tokio::test]
    async fn not_a_byte_leaves_when_the_ledger_takes_nothing() {
        for (dialect, link, protocol, bytes, _) in dialects() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let tap = tap(Mode::ListenOnly, link, protocol, Source::Listen(intake::Listen::plain(listener)));
            let mut socket = TcpStream::connect(address).await.unwrap();
            tap.ledger.clone().close();
            socket.write_all(&bytes).await.unwrap();
            heard(&tap, bytes.len(), 0).await;
            tap.stop.cancel();
            assert!(all_that_comes(&mut socket).await.is_empty(), "{dialect}");
        }
    }

    #[tokio::test]
    async fn the_same_line_in_another_mode_answers_and_the_trace_says_what() {
        for mode in [Mode::Production, Mode::Qualification, Mode::Simulation] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let link = Link::Lis01(lis01::Config::default(), MessageEnd::Terminator);
            let tap = tap(mode, link, Protocol::Lis02, Source::Listen(intake::Listen::plain(listener)));
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(&[5]).await.unwrap();
            assert_eq!(tokio::time::timeout(WITHIN, socket.read_u8()).await.unwrap().unwrap(), 6);
            assert_eq!((tap.traced(Way::Received), tap.traced(Way::Sent)), (vec![5], vec![6]));
            tap.stop.cancel();
        }
    }
}
