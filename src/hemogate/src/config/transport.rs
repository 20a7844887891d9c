//! `transport = { type = "…", … }`: how an analyser is reached, and by whom.

use intake::{DataBits, FlowControl, Network, Parity, StopBits};
use serde::Deserialize;
use std::{
    fmt,
    net::SocketAddr,
    num::NonZeroU8,
    path::{Path, PathBuf},
};

/// How the analyser is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Transport {
    /// The analyser connects to us.
    TcpListen(TcpListen),
    /// We connect to the analyser.
    TcpConnect(TcpConnect),
    /// The analyser connects to us and speaks TLS.
    TlsListen(TlsListen),
    /// We connect to the analyser and speak TLS.
    TlsConnect(TlsConnect),
    /// The analyser hangs on a serial line.
    Serial(Serial),
    /// The analyser writes files into a folder.
    Directory(Directory),
}

/// `type = "tcp-listen"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TcpListen {
    /// Address and port.
    pub(crate) address: SocketAddr,
    /// Addresses and networks that may connect; none given is all.
    #[serde(default)]
    pub(crate) peers: Vec<Network>,
    /// Sockets of the analyser that are served at once; one more displaces the one that has been silent longest.
    #[serde(default = "one")]
    pub(crate) sockets_max: NonZeroU8,
    /// `"v2"`: every connection begins with a PROXY header.
    pub(crate) proxy_protocol: Option<ProxyProtocol>,
    /// The proxies it may come from; needed with `proxy_protocol`.
    #[serde(default)]
    pub(crate) proxies: Vec<Network>,
}

impl TcpListen {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, peers: Vec::new(), sockets_max: one(), proxy_protocol: None, proxies: Vec::new() }
    }
}

/// `type = "tls-listen"`: as `tcp-listen`, and who we are and whom we let in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsListen {
    /// Address and port.
    pub(crate) address: SocketAddr,
    /// PEM file: our certificate, then its issuers.
    pub(crate) certificate: PathBuf,
    /// PEM file: the key to it, without a passphrase.
    pub(crate) key: PathBuf,
    /// PEM file: with it, only clients with a certificate of these authorities come in.
    pub(crate) ca: Option<PathBuf>,
    /// As for `tcp-listen`.
    #[serde(default)]
    pub(crate) peers: Vec<Network>,
    /// As for `tcp-listen`.
    #[serde(default = "one")]
    pub(crate) sockets_max: NonZeroU8,
    /// As for `tcp-listen`; the header comes before TLS.
    pub(crate) proxy_protocol: Option<ProxyProtocol>,
    /// As for `tcp-listen`.
    #[serde(default)]
    pub(crate) proxies: Vec<Network>,
}

/// One analyser, one line.
fn one() -> NonZeroU8 {
    NonZeroU8::MIN
}

/// Which PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum ProxyProtocol {
    #[serde(rename = "v2")]
    V2,
}

/// `type = "tcp-connect"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TcpConnect {
    /// `host:port`.
    pub(crate) address: String,
}

/// `type = "tls-connect"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsConnect {
    /// `host:port`.
    pub(crate) address: String,
    /// PEM file: the authorities that vouch for the analyser.
    pub(crate) ca: PathBuf,
    /// PEM file: our certificate, where the analyser asks for one.
    pub(crate) certificate: Option<PathBuf>,
    /// PEM file: the key to it.
    pub(crate) key: Option<PathBuf>,
    /// The name its certificate is made for, when that is not the host in `address`.
    pub(crate) server_name: Option<String>,
}

impl TlsConnect {
    /// The name that the peer's certificate must be made for.
    pub(crate) fn name(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        self.server_name.as_deref().unwrap_or(host)
    }
}

/// `type = "serial"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serial {
    /// `/dev/serial/by-id/…`, which stays when the adapter is plugged in elsewhere, or `/dev/ttyS0`.
    pub(crate) device: PathBuf,
    /// Bits a second.
    #[serde(default = "usual_baud")]
    pub(crate) baud: u32,
    #[serde(default)]
    pub(crate) data_bits: DataBits,
    #[serde(default)]
    pub(crate) parity: Parity,
    #[serde(default)]
    pub(crate) stop_bits: StopBits,
    #[serde(default)]
    pub(crate) flow_control: FlowControl,
}

/// LIS01 §5: preferred.
fn usual_baud() -> u32 {
    9600
}

/// `type = "directory"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Directory {
    /// The folder.
    pub(crate) path: PathBuf,
    /// Which names, with `*` and `?`.
    #[serde(default = "any_file")]
    pub(crate) pattern: String,
}

fn any_file() -> String {
    "*".into()
}

impl Transport {
    /// Takes relative paths from the folder of the configuration.
    pub(crate) fn rebase(&mut self, folder: &Path) {
        let paths = match self {
            Self::TcpListen(_) | Self::TcpConnect(_) => Vec::new(),
            Self::TlsListen(t) => [Some(&mut t.certificate), Some(&mut t.key), t.ca.as_mut()].into(),
            Self::TlsConnect(t) => [Some(&mut t.ca), t.certificate.as_mut(), t.key.as_mut()].into(),
            Self::Serial(t) => vec![Some(&mut t.device)],
            Self::Directory(t) => vec![Some(&mut t.path)],
        };
        for path in paths.into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }

    /// What only one connection can have: a port, a device, a folder.
    pub(crate) fn occupies(&self) -> Option<String> {
        match self {
            Self::TcpListen(TcpListen { address, .. }) | Self::TlsListen(TlsListen { address, .. }) => {
                (address.port() != 0).then(|| format!("listening address {address}"))
            }
            Self::Serial(t) => Some(format!("serial device {}", t.device.display())),
            Self::Directory(t) => Some(format!("folder {} with {:?}", t.path.display(), t.pattern)),
            Self::TcpConnect(_) | Self::TlsConnect(_) => None,
        }
    }

    /// Keys that do not go together, and the remedy.
    pub(crate) fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::TcpListen(TcpListen { proxy_protocol, proxies, .. })
            | Self::TlsListen(TlsListen { proxy_protocol, proxies, .. }) => {
                match (proxy_protocol, proxies.is_empty()) {
                    (Some(ProxyProtocol::V2), true) => Some((
                        "proxy_protocol needs proxies",
                        "list the addresses of the proxies; nobody else may say whom they speak for",
                    )),
                    (None, false) => Some((
                        "proxies are listed without proxy_protocol",
                        "add proxy_protocol = \"v2\"; without it addresses that may connect are called peers",
                    )),
                    (Some(ProxyProtocol::V2), false) | (None, true) => None,
                }
            }
            Self::TlsConnect(t) if t.certificate.is_some() != t.key.is_some() => {
                Some(("certificate and key belong together", "give both, or neither"))
            }
            Self::TcpConnect(_) | Self::TlsConnect(_) | Self::Serial(_) | Self::Directory(_) => None,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TcpListen(t) => t.address.fmt(f),
            Self::TlsListen(t) => write!(f, "{} (TLS)", t.address),
            Self::TcpConnect(t) => f.write_str(&t.address),
            Self::TlsConnect(t) => write!(f, "{} (TLS)", t.address),
            Self::Serial(t) => t.device.display().fmt(f),
            Self::Directory(t) => t.path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Transport, String> {
        toml::from_str::<Transport>(text).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn every_type_is_read_with_its_keys_and_its_defaults() {
        let check = |text: &str, expect: &str| {
            let shown = format!("{:?}", read(text).unwrap_or_else(|e| panic!("{text}: {e}")));
            assert!(shown.contains(expect), "{text}: {shown}");
        };
        check("type='tcp-listen'\naddress='0.0.0.0:9101'", "sockets_max: 1");
        check(
            "type='tcp-listen'\naddress='0.0.0.0:1'\npeers=['10.0.0.5','10.1.0.0/16']\nsockets_max=4",
            "peers: [",
        );
        check("type='tcp-listen'\naddress='[::]:1'\nproxy_protocol='v2'\nproxies=['10.0.0.1']", "Some(V2)");
        check("type='tcp-connect'\naddress='host:1'", "TcpConnect");
        check("type='tls-listen'\naddress='[::]:1'\ncertificate='c'\nkey='k'\nca='a'", "ca: Some(\"a\")");
        check("type='tls-connect'\naddress='host:1'\nca='a'", "certificate: None");
        check(
            "type='serial'\ndevice='/dev/ttyS0'",
            "baud: 9600, data_bits: Eight, parity: None, stop_bits: One",
        );
        check(
            "type='serial'\ndevice='/dev/ttyS0'\nbaud=19200\ndata_bits=7\nparity='even'\nstop_bits=2\nflow_control='software'",
            "baud: 19200, data_bits: Seven, parity: Even, stop_bits: Two, flow_control: Software",
        );
        check("type='directory'\npath='in'", "pattern: \"*\"");
    }

    #[test]
    fn what_is_unknown_or_impossible_is_refused() {
        for (text, expect) in [
            ("type='tcp-listen'\naddress='0.0.0.0:1'\npeer=[]", "unknown field `peer`"),
            ("type='tcp-listen'\naddress='0.0.0.0:1'\npeers=['x']", "no address and no network"),
            ("type='tcp-listen'\naddress='0.0.0.0:1'\nsockets_max=0", "nonzero"),
            ("type='tcp-listen'\naddress='0.0.0.0:1'\nproxy_protocol='v1'", "unknown variant `v1`"),
            ("type='tls-listen'\naddress='0.0.0.0:1'\ncertificate='c'", "missing field `key`"),
            ("type='tls-connect'\naddress='host:1'", "missing field `ca`"),
            ("type='serial'\ndevice='d'\ndata_bits=9", "9 data bits"),
            ("type='serial'\ndevice='d'\nparity='mark'", "unknown variant `mark`"),
            ("type='serial'\ndevice='d'\nbaudrate=9600", "unknown field `baudrate`"),
            ("type='directory'\npath='in'\nglob='*'", "unknown field `glob`"),
        ] {
            let what = read(text).unwrap_err();
            assert!(what.contains(expect), "{text}: {what}");
        }
    }

    #[test]
    fn keys_that_contradict_each_other_are_told_apart() {
        let check = |text: &str, expect: Option<&str>| {
            let found = read(text).unwrap().contradiction().map(|(what, _)| what);
            assert_eq!(found, expect, "{text}");
        };
        check(
            "type='tcp-listen'\naddress='[::]:1'\nproxy_protocol='v2'",
            Some("proxy_protocol needs proxies"),
        );
        check(
            "type='tcp-listen'\naddress='[::]:1'\nproxies=['::1']",
            Some("proxies are listed without proxy_protocol"),
        );
        check(
            "type='tls-connect'\naddress='h:1'\nca='a'\nkey='k'",
            Some("certificate and key belong together"),
        );
        check("type='tls-connect'\naddress='h:1'\nca='a'\nkey='k'\ncertificate='c'", None);
    }

    #[test]
    fn the_name_in_the_peers_certificate_is_the_host_unless_said_otherwise() {
        let check = |text: &str, expect: &str| match read(&format!("type='tls-connect'\nca='a'\n{text}")) {
            Ok(Transport::TlsConnect(t)) => assert_eq!(t.name(), expect),
            other => panic!("{other:?}"),
        };
        check("address='lis.example:2575'", "lis.example");
        check("address='10.0.0.5:2575'", "10.0.0.5");
        check("address='[fd00::1]:2575'", "fd00::1");
        check("address='10.0.0.5:2575'\nserver_name='lis.example'", "lis.example");
    }

    #[test]
    fn relative_paths_are_taken_from_the_folder_of_the_file() {
        let check = |text: &str, expect: &[&str]| {
            let mut transport = read(text).unwrap();
            transport.rebase(Path::new("/etc/site"));
            let shown = format!("{transport:?}");
            for path in expect {
                assert!(shown.contains(&format!("{path:?}")), "{shown}");
            }
        };
        check(
            "type='tls-listen'\naddress='[::]:1'\ncertificate='c.pem'\nkey='/k.pem'\nca='a.pem'",
            &["/etc/site/c.pem", "/k.pem", "/etc/site/a.pem"],
        );
        check("type='tls-connect'\naddress='h:1'\nca='a.pem'", &["/etc/site/a.pem"]);
        check("type='serial'\ndevice='/dev/ttyS0'", &["/dev/ttyS0"]);
        check("type='directory'\npath='in'", &["/etc/site/in"]);
    }
}
