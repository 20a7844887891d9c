//! From profiles and configuration to what the rooms take. No decision is made here, only words exchanged.

use crate::{
    config::Config,
    exit::{Exit, Failure},
};
use instrument_profiles as profiles;
use std::{path::Path, sync::Arc, time::Duration};

/// The link of a profile, in intake's words.
pub(crate) fn link(settings: &profiles::LinkSettings) -> intake::Link {
    match settings {
        profiles::LinkSettings::Lis01(lis01) => {
            intake::Link::Lis01(frames(lis01), intake::MessageEnd::Terminator)
        }
        profiles::LinkSettings::Mllp(mllp) => {
            let (config, answering) = blocks(mllp);
            intake::Link::Mllp(config, answering)
        }
        profiles::LinkSettings::Directory(files) => intake::Link::Files {
            bytes_max: files.file_bytes_max as u64,
            settle: Duration::from_millis(files.settle_ms),
        },
    }
}

/// LIS01 settings as the link machine takes them.
pub(crate) fn frames(settings: &profiles::Lis01Settings) -> lis01::Config {
    let ms = Duration::from_millis;
    let timers = &settings.timers;
    lis01::Config {
        role: match settings.we_are {
            profiles::LinkRole::Instrument => lis01::Role::Instrument,
            profiles::LinkRole::Computer => lis01::Role::Computer,
        },
        checksum: match settings.checksum {
            profiles::Checksum::Require => lis01::Checksum::Require,
            profiles::Checksum::Warn => lis01::Checksum::Warn,
            profiles::Checksum::Ignore => lis01::Checksum::Ignore,
        },
        frame_numbers: match settings.frame_numbers {
            profiles::FrameNumbers::Strict => lis01::FrameNumbers::Strict,
            profiles::FrameNumbers::Lenient => lis01::FrameNumbers::Lenient,
            profiles::FrameNumbers::Absent => lis01::FrameNumbers::Absent,
        },
        interrupts: match settings.interrupts {
            profiles::Interrupts::Ignore => lis01::Interrupts::Ignore,
            profiles::Interrupts::Honour => lis01::Interrupts::Honour,
        },
        frame_text_bytes_max: settings.frame_text_bytes_max,
        send_text_bytes_max: settings.send_text_bytes_max,
        tries_max: settings.tries_max,
        timers: lis01::Timers {
            t1: ms(timers.t1),
            t2: ms(timers.t2),
            t3: ms(timers.t3),
            t4: ms(timers.t4),
            t5: ms(timers.t5),
            t6: ms(timers.t6),
            t7: ms(timers.t7),
            ..lis01::Timers::default()
        },
        ..lis01::Config::default()
    }
}

fn blocks(settings: &profiles::MllpSettings) -> (mllp::Config, intake::Answering) {
    let config = mllp::Config {
        block_bytes_max: settings.block_bytes_max,
        outstanding_max: settings.outstanding_max,
        answer_timeout: Duration::from_millis(settings.answer_timeout_ms),
        ..mllp::Config::default()
    };
    let answering = intake::Answering {
        template: settings.template.clone(),
        acknowledge: match settings.acknowledge {
            profiles::AckMode::AsAsked => intake::Acknowledge::AsAsked,
            profiles::AckMode::Always => intake::Acknowledge::Always,
        },
        unreadable: match settings.on_unusable {
            profiles::OnUnusable::AcceptAndQuarantine => intake::Unreadable::Accept,
            profiles::OnUnusable::AnswerError => intake::Unreadable::Reject,
        },
        characters: None,
    };
    (config, answering)
}

/// The catalogue in this binary.
pub(crate) fn built_in() -> Result<profiles::Catalogue, Failure> {
    profiles::Catalogue::built_in().map_err(|e| Failure::new(Exit::Internal, e))
}

/// A profile by `maker/model` from the built-in catalogue, or by its folder.
pub(crate) fn profile(name: &str) -> Result<Arc<profiles::Profile>, Failure> {
    let folder = Path::new(name);
    if folder.join("profile.toml").is_file() {
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

/// Every profile that messages may need: the built-in catalogue, and the folders that connections name.
pub(crate) fn every_profile(config: &Config) -> Result<workflow::Profiles, Failure> {
    let mut all: Vec<Arc<profiles::Profile>> = built_in()?.list().cloned().collect();
    for connection in &config.connections {
        all.push(profile(&connection.profile)?);
    }
    Ok(all.into_iter().collect())
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
