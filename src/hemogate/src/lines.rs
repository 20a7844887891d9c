//! From a connection's configuration to a line that intake can serve: ports bound, certificates read.

use crate::{
    config::{Connection, Serial, TcpListen, TlsConnect, TlsListen, Transport},
    exit::{Exit, Failure},
    pinned::Lined,
    wiring,
};
use intake::{
    Connect, IdentityFiles, Listen, Reach, Said, SerialPort, Source, TlsClient, TlsClientFiles, TlsFault,
    TlsServer, TlsServerFiles,
};
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

/// A connection that is ready to be served.
pub(crate) struct Ready {
    pub(crate) connection: intake::Connection,
    pub(crate) source: Source,
}

impl Ready {
    /// Where it listens; port 0 is replaced.
    pub(crate) fn listening(&self) -> Option<SocketAddr> {
        match &self.source {
            Source::Listen(listen) => listen.listener.local_addr().ok(),
            Source::Connect(_) | Source::Serial(_) | Source::Folder { .. } => None,
        }
    }

    /// Whose certificate files can be read anew.
    pub(crate) fn certificates(&self) -> Option<Arc<TlsServer>> {
        match &self.source {
            Source::Listen(listen) => listen.tls.clone(),
            Source::Connect(_) | Source::Serial(_) | Source::Folder { .. } => None,
        }
    }
}

/// Binds and reads what a connection needs.
pub(crate) fn prepare(Lined { connection, profile }: &Lined) -> Result<Ready, Failure> {
    let link = wiring::link(profile);
    let files = matches!(link, intake::Link::Files { .. });
    if files != matches!(connection.transport, Transport::Directory(_)) {
        let what = format!(
            "connection {}: the profile {} {}",
            connection.id,
            connection.profile,
            if files {
                "reads files; give it transport type \"directory\""
            } else {
                "speaks over a line; give it a tcp, tls or serial transport"
            }
        );
        return Err(Failure::new(Exit::Configuration, what));
    }
    let source = source(connection)?;
    let mut limits = intake::Limits {
        warn_when_silent: connection.warn_when_silent_s.map(|s| Duration::from_secs(s.get())),
        ..intake::Limits::default()
    };
    if let Transport::TcpListen(TcpListen { sockets_max, .. })
    | Transport::TlsListen(TlsListen { sockets_max, .. }) = &connection.transport
    {
        limits.sockets_max = usize::from(sockets_max.get());
    }
    let connection = intake::Connection {
        id: connection.id.clone(),
        mode: connection.mode,
        profile: profile.reference().clone(),
        protocol: profile.protocol(),
        link,
        limits,
        desk: None,
    };
    Ok(Ready { connection, source })
}

fn source(connection: &Connection) -> Result<Source, Failure> {
    let who = format!("connection {}", connection.id);
    let refused = |fault: TlsFault| Failure::new(Exit::Configuration, format!("{who}: {fault}"));
    // Served nevertheless, and told about: a person finds out sooner from who is turned away than from silence.
    let told = |fault: Option<TlsFault>| {
        if let Some(fault) = fault {
            tracing::error!(connection = %connection.id, %fault, "certificate");
        }
    };
    Ok(match &connection.transport {
        Transport::TcpListen(t) => Source::Listen(Listen {
            listener: bind(&who, t.address)?,
            peers: t.peers.clone(),
            proxies: t.proxy_protocol.map(|_| t.proxies.clone()),
            tls: None,
        }),
        Transport::TlsListen(t) => {
            let (server, fault) = TlsServer::open(server_files(t)).map_err(refused)?;
            told(fault);
            Source::Listen(Listen {
                listener: bind(&who, t.address)?,
                peers: t.peers.clone(),
                proxies: t.proxy_protocol.map(|_| t.proxies.clone()),
                tls: Some(Arc::new(server)),
            })
        }
        Transport::TcpConnect(t) => Source::Connect(Connect::plain(t.address.clone())),
        Transport::TlsConnect(t) => {
            let (client, fault) = TlsClient::open(client_files(t), t.name()).map_err(refused)?;
            told(fault);
            Source::Connect(Connect { address: t.address.clone(), tls: Some(Arc::new(client)) })
        }
        Transport::Serial(t) => Source::Serial(port(t)),
        Transport::Directory(t) => Source::Folder { path: t.path.clone(), pattern: t.pattern.clone() },
    })
}

/// How a connection would be come by, without binding or opening anything.
pub(crate) fn reach(transport: &Transport) -> Reach {
    match transport {
        Transport::TcpListen(t) => Reach::Listen { address: t.address, tls: None },
        Transport::TlsListen(t) => Reach::Listen { address: t.address, tls: Some(server_files(t)) },
        Transport::TcpConnect(t) => Reach::Connect { address: t.address.clone(), tls: None },
        Transport::TlsConnect(t) => {
            let tls = Some((client_files(t), t.name().to_owned()));
            Reach::Connect { address: t.address.clone(), tls }
        }
        Transport::Serial(t) => Reach::Serial { device: t.device.clone() },
        Transport::Directory(t) => Reach::Folder { path: t.path.clone() },
    }
}

/// The files of a listener's TLS.
pub(crate) fn server_files(t: &TlsListen) -> TlsServerFiles {
    TlsServerFiles {
        identity: IdentityFiles { certificate: t.certificate.clone(), key: t.key.clone() },
        ca: t.ca.clone(),
    }
}

/// The files of a caller's TLS.
pub(crate) fn client_files(t: &TlsConnect) -> TlsClientFiles {
    let pair = t.certificate.clone().zip(t.key.clone());
    TlsClientFiles {
        ca: t.ca.clone(),
        identity: pair.map(|(certificate, key)| IdentityFiles { certificate, key }),
    }
}

fn port(t: &Serial) -> SerialPort {
    SerialPort {
        device: t.device.clone(),
        baud: t.baud,
        data_bits: t.data_bits,
        parity: t.parity,
        stop_bits: t.stop_bits,
        flow_control: t.flow_control,
    }
}

/// Binds, or says who else may be there.
pub(crate) fn bind(who: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|e| {
        let why = Said::of_system(&e).en;
        Failure::new(Exit::Unavailable, format!("{who} cannot listen on {address}: {why}"))
    })
}
