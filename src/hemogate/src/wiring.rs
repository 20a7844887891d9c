//! From profiles and configuration to what the rooms take. No decision is made here, only words exchanged.

use crate::exit::{Exit, Failure};
use instrument_profiles as profiles;
use std::time::Duration;

/// The link of a profile, in intake's words.
pub(crate) fn link(settings: &profiles::LinkSettings) -> Result<intake::Link, Failure> {
    Ok(match settings {
        profiles::LinkSettings::Lis01(lis01) => intake::Link::Lis01(frames(lis01), intake::MessageEnd::Terminator),
        profiles::LinkSettings::Mllp(mllp) => {
            let (config, answering) = blocks(mllp)?;
            intake::Link::Mllp(config, answering)
        }
        profiles::LinkSettings::Directory(files) => intake::Link::Files {
            bytes_max: files.file_bytes_max as u64,
            settle: Duration::from_millis(files.settle_ms),
        },
    })
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

fn blocks(settings: &profiles::MllpSettings) -> Result<(mllp::Config, intake::Answering), Failure> {
    let template = match &settings.template {
        profiles::AckTemplate::Standard => hl7v2::Template::Standard,
        profiles::AckTemplate::Segments(lines) => hl7v2::AckTemplate::parse(&lines.join("\n"))
            .map(hl7v2::Template::Exact)
            .map_err(|e| Failure::new(Exit::Configuration, e))?,
    };
    let config = mllp::Config {
        block_bytes_max: settings.block_bytes_max,
        outstanding_max: settings.outstanding_max,
        answer_timeout: Duration::from_millis(settings.answer_timeout_ms),
        ..mllp::Config::default()
    };
    let answering = intake::Answering {
        template,
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
    Ok((config, answering))
}

/// A profile by `maker/model` from the built-in catalogue, or by its folder.
pub(crate) fn profile(name: &str) -> Result<profiles::Profile, Failure> {
    let folder = std::path::Path::new(name);
    if folder.join("profile.toml").is_file() {
        return profiles::Profile::load(folder).map_err(|e| Failure::new(Exit::Configuration, e));
    }
    let catalogue = profiles::Catalogue::built_in().map_err(|e| Failure::new(Exit::Internal, e))?;
    catalogue.get(name).cloned().ok_or_else(|| {
        let nearest = catalogue
            .list()
            .map(|p| p.reference().id.clone())
            .min_by_key(|known| strsim::osa_distance(name, known))
            .map(|known| format!("; did you mean {known:?}?"))
            .unwrap_or_default();
        Failure::new(
            Exit::Configuration,
            format!("there is no profile {name:?} in the catalogue and no such folder{nearest} (hemogate profile list)"),
        )
    })
}

/// Every profile that messages may need: the built-in catalogue, and folders that connections name.
pub(crate) fn catalogue(config: &crate::config::Config) -> Result<profiles::Catalogue, Failure> {
    let mut catalogue = profiles::Catalogue::built_in().map_err(|e| Failure::new(Exit::Internal, e))?;
    for connection in &config.connections {
        catalogue.add(profile(&connection.profile)?);
    }
    Ok(catalogue)
}

/// An IANA time zone.
pub(crate) fn time_zone(name: &str) -> Result<jiff::tz::TimeZone, Failure> {
    jiff::tz::TimeZone::get(name).map_err(|e| {
        Failure::new(Exit::Configuration, format!("time_zone {name:?} is not known: {e}; write it as in \"Asia/Shanghai\""))
    })
}
