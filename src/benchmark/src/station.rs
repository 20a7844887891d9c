//! What is measured of the daemon: a ledger with its two threads, and intake on it.

use crate::BenchError;
use crate::serve::{Served, Threads};
use intake::{Acknowledge, Answering, Board, Connection, Limits, Link, MessageEnd, Source};
use ledger::{Body, Draft, HashAlgorithm, Ledger, Settings, What};
use std::net::TcpListener;
use std::path::Path;
use tokio_util::sync::CancellationToken;
use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

/// More sockets than any load has.
const SOCKETS_MAX: usize = 1024;

/// An open ledger.
pub(crate) struct Station {
    pub(crate) ledger: Ledger,
}

impl Station {
    /// Opens one with a station's settings in `folder`, chained by `hash`.
    pub(crate) fn open(folder: &Path, hash: HashAlgorithm) -> Result<Self, BenchError> {
        let opened = Ledger::open(Settings { hash, ..Settings::new(folder) }, &mut |_| {});
        let (ledger, _) = opened.map_err(BenchError::part("open a ledger"))?;
        Ok(Self { ledger })
    }

    /// Serves `connection` on a free port, as the daemon does.
    pub(crate) fn serve(&self, connection: Connection) -> Result<Served, BenchError> {
        let ledger = self.ledger.clone();
        Served::start("hemogate", Threads::Cores, move |listener, stop| {
            serve(connection, listener, ledger, stop)
        })
    }

    /// Writes it to its end.
    pub(crate) fn close(self) {
        self.ledger.close();
    }
}

/// One MLLP connection with the settings a station has.
pub(crate) fn mllp() -> Result<Connection, BenchError> {
    let answering = Answering { acknowledge: Acknowledge::Always, ..Answering::default() };
    connection(Protocol::Hl7v2, Link::Mllp(mllp::Config::default(), answering))
}

/// One LIS01 connection with the settings a station has.
pub(crate) fn lis01() -> Result<Connection, BenchError> {
    connection(Protocol::Lis02, Link::Lis01(lis01::Config::default(), MessageEnd::Terminator))
}

/// What intake writes of a message.
pub(crate) fn draft(connection: &Connection, message: &[u8]) -> Draft {
    let what = What::MessageReceived {
        connection: connection.id.clone(),
        mode: connection.mode,
        profile: connection.profile.clone(),
        protocol: connection.protocol,
        body: Body::Whole(message.into()),
    };
    Draft::by_connection(&connection.id, what)
}

fn connection(protocol: Protocol, link: Link) -> Result<Connection, BenchError> {
    Ok(Connection {
        id: ConnectionId::new("bench").map_err(BenchError::part("name a connection"))?,
        mode: Mode::Production,
        profile: ProfileRef { id: "bench/analyser".to_owned(), revision: "0".repeat(64) },
        protocol,
        link,
        limits: Limits { sockets_max: SOCKETS_MAX, ..Limits::default() },
        desk: None,
    })
}

/// Serves `connection` until told to stop.
async fn serve(connection: Connection, listener: TcpListener, ledger: Ledger, stop: CancellationToken) {
    let source = Source::Listen(intake::Listen::plain(listener));
    let served = intake::serve(connection, source, ledger, Board::default(), stop).await;
    if let Err(why) = served {
        // The client finds nobody to answer it and says so.
        drop(why);
    }
}
