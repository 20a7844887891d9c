//! Where a connection's bytes come from: plain values, wired by the binary from configuration.

use crate::tls::{TlsClient, TlsServer};
use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr, sync::Arc};

/// Where the bytes come from.
#[derive(Debug)]
pub enum Source {
    /// The analyser connects to us.
    Listen(Listen),
    /// We connect to the analyser.
    Connect(Connect),
    /// The analyser hangs on a serial line.
    Serial(SerialPort),
    /// The analyser writes files into this folder; names match `pattern` (`*` and `?`).
    Folder {
        /// The folder.
        path: PathBuf,
        /// Which names.
        pattern: String,
    },
}

/// A port that analysers connect to, and who may come in.
#[derive(Debug)]
pub struct Listen {
    /// Bound already, so that what is wrong with the address is said at the start.
    pub listener: std::net::TcpListener,
    /// Addresses that may connect; none given is all.
    pub peers: Vec<Network>,
    /// When given, every connection comes through one of these proxies and begins with a PROXY header (version 2);
    /// `peers` then is about the address in it.
    pub proxies: Option<Vec<Network>>,
    /// Everything is said inside TLS.
    pub tls: Option<Arc<TlsServer>>,
}

impl Listen {
    /// Whoever comes, in plain TCP.
    #[must_use]
    pub fn plain(listener: std::net::TcpListener) -> Self {
        Self { listener, peers: Vec::new(), proxies: None, tls: None }
    }
}

/// An analyser that waits for us.
#[derive(Debug)]
pub struct Connect {
    /// `host:port`.
    pub address: String,
    /// Everything is said inside TLS.
    pub tls: Option<Arc<TlsClient>>,
}

impl Connect {
    /// In plain TCP.
    #[must_use]
    pub fn plain(address: String) -> Self {
        Self { address, tls: None }
    }
}

/// A serial device and how it is set. What LIS01 §5 calls the default is the default here: 8 data bits, no parity, one
/// stop bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialPort {
    /// Best by `/dev/serial/by-id/`, which stays the same wherever the adapter is plugged in.
    pub device: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// Bits of a character.
    pub data_bits: DataBits,
    /// The check bit of a character.
    pub parity: Parity,
    /// Bits behind a character.
    pub stop_bits: StopBits,
    /// How either side asks the other to wait.
    pub flow_control: FlowControl,
}

/// Bits of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(try_from = "u8")]
#[expect(missing_docs, reason = "the names say it")]
pub enum DataBits {
    Five,
    Six,
    Seven,
    #[default]
    Eight,
}

impl TryFrom<u8> for DataBits {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        match bits {
            5 => Ok(Self::Five),
            6 => Ok(Self::Six),
            7 => Ok(Self::Seven),
            8 => Ok(Self::Eight),
            other => Err(format!("there are no {other} data bits; 5, 6, 7 or 8 are known")),
        }
    }
}

/// The check bit of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Parity {
    #[default]
    None,
    Odd,
    Even,
}

/// Bits behind a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(try_from = "u8")]
#[expect(missing_docs, reason = "the names say it")]
pub enum StopBits {
    #[default]
    One,
    Two,
}

impl TryFrom<u8> for StopBits {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        match bits {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            other => Err(format!("there are no {other} stop bits; 1 or 2 are known")),
        }
    }
}

/// How either side asks the other to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowControl {
    /// Not at all.
    #[default]
    None,
    /// XON and XOFF: only where neither byte can be part of a message.
    Software,
    /// RTS and CTS.
    Hardware,
}

/// An address, or all addresses that begin alike: `10.0.0.5`, `10.0.0.0/24`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Network(ipnet::IpNet);

/// What is no address and no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no network; write it as in \"10.0.0.5\" or \"10.0.0.0/24\"")]
pub struct NoNetwork(String);

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let alone = text.parse::<IpAddr>().map(ipnet::IpNet::from);
        alone.or_else(|_| text.parse()).map(Self).map_err(|_| NoNetwork(text.to_owned()))
    }
}

impl TryFrom<String> for Network {
    type Error = NoNetwork;

    fn try_from(text: String) -> Result<Self, NoNetwork> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether one of `networks` holds `address`; an IPv4 address in IPv6 clothes is the IPv4 address.
pub(crate) fn among(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.0.contains(&address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_known_by_what_people_write() {
        let check = |network: &str, address: &str, expect: bool| {
            let network: Network = network.parse().unwrap();
            assert_eq!(among(&[network], address.parse().unwrap()), expect, "{network} {address}");
        };
        check("10.0.0.5", "10.0.0.5", true);
        check("10.0.0.5", "10.0.0.6", false);
        check("10.0.0.0/24", "10.0.0.200", true);
        check("10.0.0.7/24", "10.0.1.0", false);
        check("10.0.0.5", "::ffff:10.0.0.5", true);
        check("fd00::/8", "fd12::1", true);
        check("0.0.0.0/0", "fd12::1", false);
        for wrong in ["", "10.0.0", "10.0.0.0/33", "host", "10.0.0.1:80"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
