//! `hemogate.toml`: what a site writes down, read strictly.
//!
//! An unknown key is an error with file, line and the nearest known key; nothing is guessed. Relative paths are
//! taken from the folder of the file. `HEMOGATE__SECTION__KEY` in the environment wins over the file.

mod connection;
mod destination;
mod fault;
mod identifiers;
mod load;
mod orders;
mod people;
mod site;
mod transport;

pub(crate) use connection::Connection;
pub(crate) use destination::{Destination, DestinationKind};
pub(crate) use fault::Fault;
pub(crate) use identifiers::Identifiers;
pub(crate) use load::{Loaded, load};
pub(crate) use orders::Orders;
pub(crate) use people::People;
pub(crate) use site::{ChainHash, Console, Rules, Site, Store};
pub(crate) use transport::{Directory, Serial, TcpConnect, TcpListen, TlsConnect, TlsListen, Transport};

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) site: Site,
    #[serde(default)]
    pub(crate) store: Store,
    #[serde(default)]
    pub(crate) console: Console,
    #[serde(default)]
    pub(crate) rules: Rules,
    #[serde(default)]
    pub(crate) orders: Orders,
    #[serde(default)]
    pub(crate) people: People,
    #[serde(default, rename = "connection")]
    pub(crate) connections: Vec<Connection>,
    #[serde(default, rename = "destination")]
    pub(crate) destinations: Vec<Destination>,
    /// `[[lot]]`: lots the laboratory has accepted; results of any other lot are held (R-GATE-06).
    #[serde(default, rename = "lot")]
    pub(crate) lots: Vec<workflow::AcceptedLot>,
}
