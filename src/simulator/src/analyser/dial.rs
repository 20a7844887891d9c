//! Getting a connection: a socket as client or as server, with TLS, or a serial device.

use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::{future::Future, io, path::PathBuf, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_serial::{DataBits, Parity, SerialPortBuilderExt, StopBits};

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

/// The other end of a line.
#[derive(Debug)]
pub enum Peer {
    /// It listens here (`host:port`); we connect.
    Connect(String),
    /// We listen; it connects.
    Listen(TcpListener),
    /// It listens here, with TLS; we connect.
    Tls(TlsPeer),
    /// It is at the other end of a serial line.
    Serial(SerialPeer),
}

/// A peer with TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPeer {
    /// `host:port`. Its certificate has to be made for the host.
    pub address: String,
    /// PEM: the authorities that vouch for it.
    pub ca: PathBuf,
    /// PEM: our own certificate with its issuers, and its key, where it asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A serial device with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialPeer {
    device: String,
    baud: u32,
    data: DataBits,
    parity: Parity,
    stop: StopBits,
}

/// Why a text is no serial device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no serial line: DEVICE[,BAUD[,8N1]], as in /dev/ttyUSB0,9600,8N1 (5 to 8 data bits; N, E or O; 1 or 2)"
)]
pub struct SerialPeerError(String);

impl std::str::FromStr for SerialPeer {
    type Err = SerialPeerError;

    fn from_str(text: &str) -> Result<Self, SerialPeerError> {
        let wrong = || SerialPeerError(text.to_owned());
        let mut parts = text.split(',');
        let device = parts.next().filter(|device| !device.is_empty()).ok_or_else(wrong)?.to_owned();
        let baud = parts.next().map_or(Ok(9600), str::parse).map_err(|_| wrong())?;
        let mut frame = parts.next().unwrap_or("8N1").chars();
        let data = match frame.next() {
            Some('5') => DataBits::Five,
            Some('6') => DataBits::Six,
            Some('7') => DataBits::Seven,
            Some('8') => DataBits::Eight,
            Some(_) | None => return Err(wrong()),
        };
        let parity = match frame.next() {
            Some('N') => Parity::None,
            Some('E') => Parity::Even,
            Some('O') => Parity::Odd,
            Some(_) | None => return Err(wrong()),
        };
        let stop = match frame.next() {
            Some('1') => StopBits::One,
            Some('2') => StopBits::Two,
            Some(_) | None => return Err(wrong()),
        };
        if baud == 0 || frame.next().is_some() || parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self { device, baud, data, parity, stop })
    }
}

impl Dial for Peer {
    type Stream = Box<dyn Stream>;

    async fn dial(&mut self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Connect(address) => Box::new(connected(address).await?),
            Self::Listen(listener) => Box::new(at_once(listener.accept().await?.0)?),
            // Boxed: a handshake is large, and most lines have none.
            Self::Tls(peer) => Box::new(Box::pin(peer.connected()).await?),
            Self::Serial(peer) => {
                let port = tokio_serial::new(&peer.device, peer.baud)
                    .data_bits(peer.data)
                    .parity(peer.parity)
                    .stop_bits(peer.stop);
                Box::new(port.open_native_async()?)
            }
        })
    }
}

async fn connected(address: &str) -> io::Result<TcpStream> {
    at_once(tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address)).await??)
}

/// A single byte leaves at once.
fn at_once(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl TlsPeer {
    async fn connected(&self) -> io::Result<TlsStream<TcpStream>> {
        let (connector, name) = self.connector()?;
        let stream = connected(&self.address).await?;
        tokio::time::timeout(CONNECT_WITHIN, connector.connect(name, stream)).await?
    }

    fn connector(&self) -> io::Result<(TlsConnector, ServerName<'static>)> {
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_file_iter(&self.ca).map_err(io::Error::other)? {
            roots.add(authority.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(io::Error::other)?
            .with_root_certificates(roots);
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = CertificateDer::pem_file_iter(certificate).map_err(io::Error::other)?;
                let chain = chain.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
                builder.with_client_auth_cert(chain, key).map_err(io::Error::other)?
            }
        };
        Ok((TlsConnector::from(Arc::new(config)), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_line_is_a_device_with_its_speed_and_frame() {
        let read = |text: &str| text.parse::<SerialPeer>();
        let plain = read("/dev/ttyS0").unwrap();
        assert_eq!(read("/dev/ttyS0,9600,8N1").unwrap(), plain);
        let old = read("/dev/ttyS0,1200,7E2").unwrap();
        assert_eq!(
            (old.baud, old.data, old.parity, old.stop),
            (1200, DataBits::Seven, Parity::Even, StopBits::Two)
        );
        for wrong in [
            "",
            ",9600",
            "/dev/x,fast",
            "/dev/x,0",
            "/dev/x,9600,9N1",
            "/dev/x,9600,8N",
            "/dev/x,9600,8N1,y",
            "/dev/x,9600,8N11",
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("DEVICE"), "{wrong:?}: {error}");
        }
    }

    #[tokio::test]
    async fn a_certificate_file_that_is_not_there_fails_the_connection_with_its_reason() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut peer = Peer::Tls(TlsPeer { address, ca: "/nowhere/ca.pem".into(), identity: None });
        let error = peer.dial().await.err().unwrap().to_string();
        assert!(error.contains("No such file"), "{error}");
    }
}
