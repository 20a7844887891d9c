//! Why somebody did not get in, in words.

use super::{
    entrance::{INTRODUCED_WITHIN, WAITING_MAX},
    proxy::NoHeader,
};
use std::{fmt, io, net::IpAddr};

/// Why somebody did not get in.
#[derive(Debug)]
pub(crate) enum Turned {
    /// It opened and closed without a byte: somebody looked whether we are there.
    Empty,
    /// It waited longest when there was no room, or hemogate stops.
    MadeRoom,
    /// Its address is not among those that may connect.
    Foreign(IpAddr),
    /// It is not one of the proxies that may speak for others.
    NoProxy(IpAddr),
    Proxy(NoHeader),
    Tls(String),
    /// It did not introduce itself in time.
    Slow(&'static str),
    /// The line belongs to another one who is talking.
    Busy(Option<IpAddr>),
    Lost(io::Error),
}

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("closed without a byte"),
            Self::MadeRoom => write!(
                f,
                "it waited longest of more than {WAITING_MAX} connections that have said nothing, and was closed"
            ),
            Self::Foreign(ip) => write!(f, "{ip} is not among the peers that may connect here"),
            Self::NoProxy(ip) => write!(f, "{ip} is not among the proxies; everyone comes through one here"),
            Self::Proxy(why) => why.fmt(f),
            Self::Tls(why) => f.write_str(why),
            Self::Slow(what) => write!(f, "no {what} within {INTRODUCED_WITHIN:?}"),
            Self::Busy(Some(holder)) => write!(
                f,
                "{holder} is talking on this line, and one analyser has a line to itself; give this one its own \
                 connection, or raise sockets_max"
            ),
            Self::Busy(None) => f.write_str("the line is taken"),
            Self::Lost(error) => write!(f, "lost before it said who it is: {error}"),
        }
    }
}
