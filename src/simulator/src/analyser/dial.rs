//! Getting a connection: as client or as server.

use std::{future::Future, io, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A host that does not answer at all is given up after this long, and tried again.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What a connection is to a driver.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Makes connections, one after the other.
pub(crate) trait Dial: Send {
    /// What they are.
    type Stream: Stream;

    /// The next connection.
    fn dial(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// The other end of a TCP line.
#[derive(Debug)]
pub enum TcpPeer {
    /// It listens here (`host:port`); we connect.
    Connect(String),
    /// We listen; it connects.
    Listen(TcpListener),
}

impl Dial for TcpPeer {
    type Stream = TcpStream;

    async fn dial(&mut self) -> io::Result<TcpStream> {
        let stream = match self {
            Self::Connect(address) => {
                tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address.as_str())).await??
            }
            Self::Listen(listener) => listener.accept().await?.0,
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
