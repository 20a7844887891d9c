//! Real sockets against a real ledger: what is answered is there, and nothing else is answered.

#[cfg(test)]
mod lines {
    use intake::{Answering, Board, Connection, Limits, Link, MessageEnd, Source};
    use ledger::{HowEnded, Ledger, MessageFilter, Page, Settings, StateStore, Terms};
    use std::{net::SocketAddr, time::Duration};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };
    use tokio_util::sync::CancellationToken;
    use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

    struct Site {
        ledger: Ledger,
        board: Board,
        address: SocketAddr,
        stop: CancellationToken,
        served: tokio::task::JoinHandle<std::io::Result<()>>,
        _folder: tempfile::TempDir,
    }

    fn terms() -> Terms {
        let profile = ProfileRef { id: "maker/model".into(), revision: "0".into() };
        Terms { mode: Mode::Production, profile }
    }

    fn site(link: Link, protocol: Protocol) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(folder.path().join("ledger"));
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connection = Connection {
            id: ConnectionId::new("line").unwrap(),
            mode: terms().mode,
            profile: terms().profile,
            protocol,
            link,
            limits: Limits::default(),
            desk: None,
        };
        let (board, stop) = (Board::default(), CancellationToken::new());
        let served = tokio::spawn(intake::serve(
            connection,
            Source::Listen(intake::Listen::plain(listener)),
            ledger.clone(),
            board.clone(),
            stop.clone(),
        ));
        Site { ledger, board, address, stop, served, _folder: folder }
    }

    impl Site {
        /// Stops the line and gives what the ledger holds: each message's bytes.
        async fn messages(&mut self) -> (Vec<Vec<u8>>, Board, Ledger) {
            self.stop.cancel();
            (&mut self.served).await.unwrap().unwrap();
            let last = self.ledger.status().durable;
            self.ledger.wait_applied(last).await.unwrap();
            let reader = self.ledger.state();
            let found = reader.messages(&MessageFilter::default(), &Page::first(1000)).unwrap();
            let raw = found.items.iter().map(|m| reader.raw(m.seq).unwrap()).collect();
            (raw, self.board.clone(), self.ledger.clone())
        }
    }

    fn lis01() -> Link {
        Link::Lis01(lis01::Config::default(), MessageEnd::Terminator)
    }

    fn mllp_link() -> Link {
        Link::Mllp(mllp::Config::default(), Answering::default())
    }

    fn frame(number: u8, text: &str) -> Vec<u8> {
        let body = format!("{number}{text}\x03");
        let sum: u8 = body.bytes().fold(0, u8::wrapping_add);
        format!("\x02{body}{sum:02X}\r\n").into_bytes()
    }

    async fn expect(socket: &mut TcpStream, byte: u8) {
        let found = tokio::time::timeout(Duration::from_secs(20), socket.read_u8()).await.unwrap().unwrap();
        assert_eq!(found, byte, "answered {found:#04x}");
    }

    const RECORDS: [&str; 4] = ["H|\\^&|||X\r", "P|1\r", "O|1|000123\r", "L|1|N\r"];

    #[tokio::test]
    async fn a_transfer_over_tcp_becomes_one_message_and_every_frame_is_answered() {
        let mut site = site(lis01(), Protocol::Lis02);
        let mut socket = TcpStream::connect(site.address).await.unwrap();
        for _ in 0..2 {
            socket.write_all(&[5]).await.unwrap();
            expect(&mut socket, 6).await;
            for (number, record) in (1..).zip(RECORDS) {
                socket.write_all(&frame(number, record)).await.unwrap();
                expect(&mut socket, 6).await;
            }
            socket.write_all(&[4]).await.unwrap();
        }
        drop(socket);
        let (messages, board, _ledger) = site.messages().await;
        assert_eq!(messages, [RECORDS.concat().into_bytes(), RECORDS.concat().into_bytes()]);
        let standing = &board.standings()[&ConnectionId::new("line").unwrap()];
        assert_eq!((standing.accepted_total, standing.messages_total, standing.cut_total), (8, 2, 0));
    }

    #[tokio::test]
    async fn half_a_transmission_is_kept_and_is_no_message() {
        let mut site = site(lis01(), Protocol::Lis02);
        let mut socket = TcpStream::connect(site.address).await.unwrap();
        socket.write_all(&[5]).await.unwrap();
        expect(&mut socket, 6).await;
        for (number, record) in (1..).zip(RECORDS).take(3) {
            socket.write_all(&frame(number, record)).await.unwrap();
            expect(&mut socket, 6).await;
        }
        drop(socket);
        let (messages, _, ledger) = site.messages().await;
        assert!(messages.is_empty());
        let halves = ledger.state().half_transfers(&Page::first(10)).unwrap().items;
        assert_eq!(halves.len(), 1);
        assert_eq!(
            ledger.state().unused_text(halves[0].transfer).unwrap().unwrap(),
            RECORDS[..3].concat().as_bytes()
        );
        assert_eq!(halves[0].terms, Some(terms()));
    }

    #[tokio::test]
    async fn half_a_block_is_kept_and_is_no_message() {
        let Link::Mllp(_, answering) = mllp_link() else { unreachable!() };
        let config = mllp::Config { block_bytes_max: 64, ..mllp::Config::default() };
        let mut site = site(Link::Mllp(config, answering), Protocol::Hl7v2);
        let mut socket = TcpStream::connect(site.address).await.unwrap();
        let whole = "MSH|^~\\&|A|B|C|D|1||ORU^R01|7|P|2.5.1\r";
        let long = format!("MSH|^~\\&|A|B|C|D|1||ORU^R01|8|P|2.5.1\r{}", "x".repeat(100));
        let mut line = b"\x0bMSH|restarted".to_vec();
        line.extend(mllp::frame(whole.as_bytes()));
        line.extend(mllp::frame(long.as_bytes()));
        line.extend(b"\x0bMSH|cut");
        socket.write_all(&line).await.unwrap();
        let mut answers = String::new();
        while answers.matches('\u{1c}').count() < 2 {
            let mut part = [0; 4096];
            let count =
                tokio::time::timeout(Duration::from_secs(20), socket.read(&mut part)).await.unwrap().unwrap();
            answers += std::str::from_utf8(&part[..count]).unwrap();
        }
        assert!(answers.contains("MSA|AA|7") && answers.contains("MSA|AE|8"), "{answers}");
        drop(socket);
        let (messages, board, ledger) = site.messages().await;
        assert_eq!(messages, [whole.as_bytes()]);
        let reader = ledger.state();
        let halves = reader.half_transfers(&Page::first(10)).unwrap().items;
        let kept: Vec<(HowEnded, Vec<u8>)> = halves
            .iter()
            .map(|half| (half.ended.unwrap(), reader.unused_text(half.transfer).unwrap().unwrap()))
            .collect();
        let expected = [
            (HowEnded::Restarted, &b"MSH|restarted"[..]),
            (HowEnded::Abandoned, &long.as_bytes()[..64]),
            (HowEnded::Disconnected, b"MSH|cut"),
        ];
        assert_eq!(kept, expected.map(|(how, text)| (how, text.to_vec())));
        assert!(halves.iter().all(|half| half.terms == Some(terms())), "{halves:?}");
        assert_eq!(board.standings()[&ConnectionId::new("line").unwrap()].cut_total, 3);
    }

    #[tokio::test]
    async fn a_frame_with_a_wrong_checksum_is_refused_and_not_kept() {
        let mut site = site(lis01(), Protocol::Lis02);
        let mut socket = TcpStream::connect(site.address).await.unwrap();
        socket.write_all(&[5]).await.unwrap();
        expect(&mut socket, 6).await;
        let mut damaged = frame(1, RECORDS[0]);
        damaged[4] ^= 1;
        socket.write_all(&damaged).await.unwrap();
        expect(&mut socket, 21).await;
        socket.write_all(&frame(1, RECORDS[0])).await.unwrap();
        expect(&mut socket, 6).await;
        drop(socket);
        let (_, _, ledger) = site.messages().await;
        assert_eq!(ledger.state().counters().unwrap().frames, 1);
    }

    #[tokio::test]
    async fn several_blocks_in_one_write_are_each_kept_and_answered_in_order() {
        let mut site = site(mllp_link(), Protocol::Hl7v2);
        let mut socket = TcpStream::connect(site.address).await.unwrap();
        let message = |id: usize| format!("MSH|^~\\&|A|B|C|D|20260301||ORU^R01|{id}|P|2.5.1\rOBX|1\r");
        let blocks: Vec<u8> = (0..20).flat_map(|id| mllp::frame(message(id).as_bytes())).collect();
        socket.write_all(&blocks).await.unwrap();
        let mut answers = Vec::new();
        while String::from_utf8_lossy(&answers).matches('\u{1c}').count() < 20 {
            let mut part = [0; 4096];
            let count =
                tokio::time::timeout(Duration::from_secs(20), socket.read(&mut part)).await.unwrap().unwrap();
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&answers));
            answers.extend_from_slice(&part[..count]);
        }
        drop(socket);
        let text = String::from_utf8(answers).unwrap();
        let ids: Vec<&str> =
            text.split("MSA|AA|").skip(1).map(|s| s.split(['|', '\r']).next().unwrap()).collect();
        assert_eq!(ids, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
        let (messages, ..) = site.messages().await;
        let expect: Vec<Vec<u8>> = (0..20).map(|id| message(id).into_bytes()).collect();
        assert_eq!(messages, expect);
    }

    #[tokio::test]
    async fn law_01_a_closed_ledger_is_answered_ae_and_nak_and_never_accepted() {
        let site = site(mllp_link(), Protocol::Hl7v2);
        site.ledger.clone().close();
        let mut socket = TcpStream::connect(site.address).await.unwrap();
        let message = mllp::frame(b"MSH|^~\\&|A|B|C|D|20260301||ORU^R01|7|P|2.5.1\r");
        socket.write_all(&message).await.unwrap();
        let mut answer = vec![0; 4096];
        let count =
            tokio::time::timeout(Duration::from_secs(20), socket.read(&mut answer)).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&answer[..count]).into_owned();
        assert!(text.contains("MSA|AE|7"), "{text}");
        site.stop.cancel();
    }
}
