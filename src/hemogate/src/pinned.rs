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
    for (connection, configured) in configured {
        let started = match &configured {
            Ok(profile) => pins::start(&lines.profiles, ledger, &connection.id, profile),
            Err(unusable) => pins::start_without(&lines.profiles, ledger, &connection.id, unusable),
        };
        let profile = match started.map_err(|e| Failure::new(Exit::Unavailable, e))? {
            pins::Started::Configured(profile) => profile,
            pins::Started::Pinned(pinned) => {
                goes_on(&connection, &pinned, &configured);
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

/// Says that another revision than the configured one is in force, and why.
fn goes_on(connection: &Connection, pinned: &Profile, configured: &Result<Arc<Profile>, pins::Unusable>) {
    match configured {
        Ok(profile) => tracing::warn!(
            connection = %connection.id, pinned = %pinned.reference(), configured = %profile.reference(),
            "the profile has changed since it was pinned; the connection goes on with the pinned revision until two people \
             activate the other (hemogate profile activate)"
        ),
        Err(unusable) => tracing::warn!(
            connection = %connection.id, pinned = %pinned.reference(), faults = %unusable.errors,
            "the configured profile is refused by this release; the connection goes on with the revision that it is pinned to, \
             read by the rules of its time; mend the profile and let two people activate it (hemogate profile activate) \
             所配置的仪器配置未通过本版本检查；该连接仍按已固定的版本运行，请修改后由两人启用"
        ),
    }
}
