//! One connection with a ledger of its own, and an analyser to play at it.

use intake::{Board, Connection, Limits, Link, Listen, MessageEnd, Source, Standing};
use ledger::{Ledger, MessageFilter, Page, Settings, StateStore};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

/// What has not happened by then will not.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const ENQ: u8 = 0x05;
pub(crate) const ACK: u8 = 0x06;
pub(crate) const EOT: u8 = 0x04;
pub(crate) const RECORDS: [&str; 4] = ["H|\\^&|||X\r", "P|1\r", "O|1|000123\r", "L|1|N\r"];

/// A served connection.
pub(crate) struct Site {
    pub(crate) ledger: Ledger,
    pub(crate) board: Board,
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

fn id() -> ConnectionId {
    ConnectionId::new("line").unwrap()
}

/// A LIS01 line as the standard has it.
pub(crate) fn lis01() -> (Link, Protocol) {
    (Link::Lis01(lis01::Config::default(), MessageEnd::Terminator), Protocol::Lis02)
}

impl Site {
    /// A LIS01 line on a port, set up by `with`.
    pub(crate) fn listening(limits: Limits, with: impl FnOnce(&mut Listen)) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut listen = Listen::plain(listener);
        with(&mut listen);
        Self::new(lis01(), limits, Source::Listen(listen), address)
    }

    pub(crate) fn new(link: (Link, Protocol), limits: Limits, source: Source, address: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(folder.path().join("ledger"));
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let connection = Connection {
            id: id(),
            mode: Mode::Production,
            profile: ProfileRef { id: "maker/model".into(), revision: "0".into() },
            protocol: link.1,
            link: link.0,
            limits,
            desk: None,
        };
        let (board, stop) = (Board::default(), CancellationToken::new());
        let served =
            tokio::spawn(intake::serve(connection, source, ledger.clone(), board.clone(), stop.clone()));
        Self { ledger, board, address, stop, served, _folder: folder }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) fn standing(&self) -> Standing {
        self.board.standings().get(&id()).cloned().unwrap_or_default()
    }

    /// Waits until the board shows what is expected.
    pub(crate) async fn until(&self, what: &str, come: impl Fn(&Standing) -> bool) -> Standing {
        let seen = timeout(PATIENCE, async {
            loop {
                let standing = self.standing();
                if come(&standing) {
                    return standing;
                }
                tokio::task::yield_now().await;
            }
        });
        let seen = seen.await;
        let standing = seen.unwrap_or_else(|_| panic!("still not: {what}: {:?}", self.standing()));
        // Whatever a transport says, a technician reads in Chinese too.
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert_eq!(standing.reason.is_empty(), !chinese(&standing.reason_zh), "{standing:?}");
        assert_eq!(standing.last_anomaly.is_empty(), !chinese(&standing.last_anomaly_zh), "{standing:?}");
        standing
    }

    /// Stops the line and gives the messages and the half transmissions of the ledger.
    pub(crate) async fn kept(mut self) -> (Vec<String>, Vec<String>) {
        self.stop.cancel();
        (&mut self.served).await.unwrap().unwrap();
        self.ledger.wait_applied(self.ledger.status().durable).await.unwrap();
        let reader = self.ledger.state();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let found = reader.messages(&MessageFilter::default(), &Page::first(1000)).unwrap();
        let messages = found.items.iter().map(|m| text(reader.raw(m.seq).unwrap())).collect();
        let halves = reader.half_transfers(&Page::first(1000)).unwrap().items;
        let halves = halves.iter().map(|h| text(reader.unused_text(h.transfer).unwrap().unwrap())).collect();
        (messages, halves)
    }
}

/// A frame of one record.
pub(crate) fn frame(number: u8, text: &str) -> Vec<u8> {
    let body = format!("{number}{text}\x03");
    let sum: u8 = body.bytes().fold(0, u8::wrapping_add);
    format!("\x02{body}{sum:02X}\r\n").into_bytes()
}

/// Writes, and reads the one byte that answers.
pub(crate) async fn say(
    line: &mut (impl AsyncRead + AsyncWrite + Unpin),
    bytes: &[u8],
) -> std::io::Result<u8> {
    line.write_all(bytes).await?;
    line.flush().await?;
    timeout(PATIENCE, line.read_u8()).await.expect("no answer")
}

/// Plays a transfer up to its `records`th record, without the end.
pub(crate) async fn begin(line: &mut (impl AsyncRead + AsyncWrite + Unpin), records: usize) {
    assert_eq!(say(line, &[ENQ]).await.unwrap(), ACK);
    for (number, record) in (1..).zip(RECORDS).take(records) {
        assert_eq!(say(line, &frame(number, record)).await.unwrap(), ACK);
    }
}

/// Plays a whole transfer.
pub(crate) async fn transfer(line: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    begin(line, RECORDS.len()).await;
    line.write_all(&[EOT]).await.unwrap();
    line.flush().await.unwrap();
}

/// Waits until the other end has closed.
pub(crate) async fn closed(line: &mut (impl AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    let end = timeout(PATIENCE, line.read_to_end(&mut rest)).await.expect("it stays open");
    assert!(rest.is_empty() || end.is_err(), "{rest:?}");
}
