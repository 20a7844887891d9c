//! From profiles and configuration to what the rooms take. No decision is made here, only words exchanged.

use crate::{
    config::{Config, Connection},
    exit::{Exit, Failure},
};
use instrument_profiles as profiles;
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};
use workflow::{orders::Exchange, pins::Unusable};

/// The link of a profile, in intake's words.
pub(crate) fn link(profile: &profiles::Profile) -> intake::Link {
    match profile.link() {
        profiles::LinkSettings::Lis01(lis01) => {
            let end = match lis01.message_end {
                profiles::MessageEnd::Terminator => intake::MessageEnd::Terminator,
                profiles::MessageEnd::Session => intake::MessageEnd::Session,
                profiles::MessageEnd::TerminatorWithoutEot => intake::MessageEnd::TerminatorAlone,
            };
            intake::Link::Lis01(lis01.config(), end)
        }
        profiles::LinkSettings::Mllp(mllp) => intake::Link::Mllp(mllp.config(), answering(profile, mllp)),
        profiles::LinkSettings::Unframed(unframed) => intake::Link::Unframed(unframed.config()),
        profiles::LinkSettings::PkBlocks(blocks) => intake::Link::PkBlocks(blocks.config()),
        profiles::LinkSettings::Directory(files) => intake::Link::Files {
            bytes_max: files.file_bytes_max as u64,
            settle: Duration::from_millis(files.settle_ms),
            orders: profile.reads_orders(),
        },
    }
}

fn answering(profile: &profiles::Profile, settings: &profiles::MllpSettings) -> intake::Answering {
    intake::Answering {
        template: settings.template.clone(),
        acknowledge: match settings.acknowledge {
            profiles::AckMode::AsAsked => intake::Acknowledge::AsAsked,
            profiles::AckMode::Always => intake::Acknowledge::Always,
        },
        unreadable: match settings.on_unusable {
            profiles::OnUnusable::AcceptAndQuarantine => intake::Unreadable::Accept,
            profiles::OnUnusable::AnswerError => intake::Unreadable::Reject,
        },
        characters: profile.characters(),
        dialect: settings.dialect.clone(),
        close: match settings.close {
            profiles::Close::End => intake::Close::End,
            profiles::Close::Reset => intake::Close::Reset,
        },
    }
}

/// The catalogue in this binary.
pub(crate) fn built_in() -> Result<&'static profiles::Catalogue, Failure> {
    // Read once: a configuration names many of its models, one connection after the other.
    static CATALOGUE: LazyLock<Result<profiles::Catalogue, profiles::ProfileErrors>> =
        LazyLock::new(profiles::Catalogue::built_in);
    CATALOGUE.as_ref().map_err(|e| Failure::new(Exit::Internal, e))
}

fn is_folder(name: &str) -> bool {
    Path::new(name).join("profile.toml").is_file()
}

/// A profile by `maker/model` from the built-in catalogue, or by its folder.
pub(crate) fn profile(name: &str) -> Result<Arc<profiles::Profile>, Failure> {
    let folder = Path::new(name);
    if is_folder(name) {
        return profiles::Profile::load(folder)
            .map(Arc::new)
            .map_err(|e| Failure::new(Exit::Configuration, e));
    }
    let catalogue = built_in()?;
    catalogue.get(name).cloned().ok_or_else(|| {
        let nearest = catalogue.nearest(name).map(|known| format!("; did you mean {known:?}?")).unwrap_or_default();
        let what = format!("there is no profile {name:?} in the catalogue, and no such folder{nearest} (hemogate profile list)");
        Failure::new(Exit::Configuration, what)
    })
}

/// A connection and the profile that it is configured with, or why that one is refused.
pub(crate) type Configured = (Connection, Result<Arc<profiles::Profile>, Unusable>);

/// The connections of a configuration. A profile with faults concerns its own connection alone; a name that is none is a
/// fault of the configuration.
pub(crate) fn configured(config: &Config) -> Result<Vec<Configured>, Failure> {
    let with = |connection: &Connection| {
        let name = &connection.profile;
        let profile = if is_folder(name) { of_folder(Path::new(name)) } else { Ok(profile(name)?) };
        Ok((connection.clone(), profile))
    };
    config.connections.iter().map(with).collect()
}

fn of_folder(folder: &Path) -> Result<Arc<profiles::Profile>, Unusable> {
    profiles::Profile::load(folder).map(Arc::new).map_err(|errors| {
        let of_its_time = profiles::Profile::load_kept(folder).ok();
        Unusable { reference: of_its_time.map(|profile| profile.reference().clone()), errors }
    })
}

/// Those whose profile is sound.
pub(crate) fn sound(configured: &[Configured]) -> Vec<(Connection, Arc<profiles::Profile>)> {
    let sound = configured.iter().filter_map(|(connection, profile)| match profile {
        Ok(profile) => Some((connection.clone(), Arc::clone(profile))),
        Err(Unusable { .. }) => None,
    });
    sound.collect()
}

/// Every profile that messages may need: the built-in catalogue, and the folders that connections name.
pub(crate) fn every_profile(configured: &[Configured]) -> Result<workflow::Profiles, Failure> {
    let catalogue = built_in()?;
    let own = configured.iter().filter_map(|(_, profile)| profile.as_ref().ok());
    Ok(catalogue.list().chain(own).cloned().collect())
}

/// The worklist's limits, and the analysers that orders wait for.
pub(crate) fn orders<'c>(
    config: &Config,
    lines: impl IntoIterator<Item = (&'c Connection, &'c Arc<profiles::Profile>)>,
) -> Result<workflow::orders::OrderRules, Failure> {
    let mut analysers = Vec::new();
    for (connection, profile) in lines {
        let exchange = exchange(connection, profile)?;
        let assays: BTreeSet<String> = match exchange {
            Exchange::Asks | Exchange::Takes => profile.orderable_assays().map(str::to_owned).collect(),
            Exchange::None => profile.assays().map(|(_, assay)| assay.to_owned()).collect(),
        };
        if !assays.is_empty() {
            analysers.push(workflow::orders::Analyser {
                connection: connection.id.clone(),
                mode: connection.mode,
                assays,
                exchange,
            });
        }
    }
    Ok(workflow::orders::OrderRules { limits: config.orders.limits(), analysers })
}

/// How an analyser comes to its orders.
pub(crate) fn exchange(connection: &Connection, profile: &profiles::Profile) -> Result<Exchange, Failure> {
    let unasked = connection.orders_unasked.unwrap_or_else(|| profile.takes_orders_unasked());
    if connection.orders_unasked == Some(true) && !profile.can_take_orders_unasked() {
        let what = format!(
            "connection {}: orders_unasked = true, but the profile {} has no template for orders that were not asked for",
            connection.id, connection.profile
        );
        return Err(Failure::new(Exit::Configuration, what));
    }
    Ok(match connection.gets_orders() {
        true if unasked => Exchange::Takes,
        true if profile.asks() => Exchange::Asks,
        true | false => Exchange::None,
    })
}

/// An IANA time zone.
pub(crate) fn time_zone(name: &str) -> Result<jiff::tz::TimeZone, Failure> {
    jiff::tz::TimeZone::get(name).map_err(|e| {
        Failure::new(
            Exit::Configuration,
            format!("time_zone {name:?} is not known: {e}; write it as in \"Asia/Shanghai\""),
        )
    })
}
