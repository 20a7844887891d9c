//! Which profile revision each connection is started with: the one that it is pinned to, whatever is configured.

use crate::{
    config::{Config, Connection},
    exit::{Exit, Failure},
    wiring,
};
use instrument_profiles::Profile;
use intake::Said;
use ledger::Ledger;
use std::sync::Arc;
use workflow::{Profiles, pins};

/// A connection and the profile that reads it.
#[derive(Debug, Clone)]
pub(crate) struct Lined {
    pub(crate) connection: Connection,
    pub(crate) profile: Arc<Profile>,
}

/// The connections of a configuration as they can be started.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) profiles: Profiles,
    pub(crate) served: Vec<Lined>,
    /// Those that would be read otherwise than two people have agreed, and why.
    pub(crate) refused: Vec<(Connection, Said)>,
}

/// Looks up what every connection is pinned to; a connection's first start pins what it is configured with.
pub(crate) fn lines(config: &Config, ledger: &Ledger) -> Result<Lines, Failure> {
    let configured = wiring::configured(config)?;
    let profiles = wiring::every_profile(&configured)?;
    let mut lines = Lines { profiles, served: Vec::new(), refused: Vec::new() };
    for (connection, profile) in configured {
        let started = pins::start(&lines.profiles, ledger, &connection.id, &profile);
        let profile = match started.map_err(|e| Failure::new(Exit::Unavailable, e))? {
            pins::Started::Configured(profile) => profile,
            pins::Started::Pinned(pinned) => {
                tracing::warn!(
                    connection = %connection.id, pinned = %pinned.reference(), configured = %profile.reference(),
                    "the profile has changed since it was pinned; the connection goes on with the pinned revision until \
                     two people activate the other (hemogate profile activate)"
                );
                pinned
            }
            pins::Started::Refused(pins::Refusal { why, why_zh }) => {
                tracing::error!(connection = %connection.id, why, "the connection is not served");
                lines.refused.push((connection, Said::new(why, why_zh)));
                continue;
            }
        };
        lines.served.push(Lined { connection, profile });
    }
    Ok(lines)
}
