//! Checks `[link]`: one of three, defaults as the standards have them.

use super::builder::Builder;
use crate::{
    link::{
        AckMode, Checksum, DirectorySettings, FrameNumbers, Framing, Interrupts, LinkRole, LinkSettings,
        Lis01Settings, MessageEnd, MllpSettings, OnUnusable, TcpRole, TimersMs,
    },
    schema,
};
use hl7v2::{AckTemplate, Template};
use std::ops::RangeInclusive;
use toml::Spanned;
use vocabulary::Protocol;

const FRAME_TEXT_BYTES: RangeInclusive<usize> = 240..=1_000_000;
const SEND_TEXT_BYTES: RangeInclusive<usize> = 10..=63_993;
const BLOCK_BYTES: RangeInclusive<usize> = 1_024..=64 * 1024 * 1024;
const OUTSTANDING: RangeInclusive<usize> = 1..=64;
const FILE_BYTES: RangeInclusive<usize> = 1_024..=64 * 1024 * 1024;
const TRIES: RangeInclusive<u8> = 1..=20;
const MINUTE_MS: u64 = 60_000;

impl Builder<'_, '_> {
    pub(crate) fn link(&mut self, written: &Spanned<schema::Link>) -> Option<LinkSettings> {
        let (span, link) = (written.span(), written.get_ref());
        let given = [link.lis01.is_some(), link.mllp.is_some(), link.directory.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            self.fault(&span, "a model has one link: `lis01`, `mllp` or `directory`");
            return None;
        }
        match (&link.lis01, &link.mllp, &link.directory, self.protocol) {
            (Some(lis01), _, _, Protocol::Lis02) => Some(LinkSettings::Lis01(self.lis01(lis01.get_ref()))),
            (_, Some(mllp), _, Protocol::Hl7v2) => Some(LinkSettings::Mllp(self.mllp(mllp.get_ref()))),
            (_, _, Some(folder), Protocol::Lis02 | Protocol::Hl7v2 | Protocol::Delimited) => {
                Some(LinkSettings::Directory(self.directory(folder.get_ref())))
            }
            (None, None, None, _) => {
                self.missing(&span, "one of `[link.lis01]`, `[link.mllp]`, `[link.directory]`");
                None
            }
            (_, _, _, Protocol::Lis02 | Protocol::Hl7v2 | Protocol::Delimited) => {
                self.fault(
                    &span,
                    "this link does not carry this protocol: lis02 goes over lis01, hl7v2 over mllp",
                );
                None
            }
        }
    }

    fn lis01(&mut self, link: &schema::Lis01) -> Lis01Settings {
        let framing = link.framing.unwrap_or(Framing::Numbered);
        let usual = Usual::of(framing);
        let frame_numbers = self.frame_numbers(framing, link.frame_numbers.as_ref());
        let mut timers = timers(&link.timers_ms, usual.patience_ms);
        timers.reply = self.reply_ms(link.timers_ms.reply.as_ref(), timers.t2, timers.reply);
        Lis01Settings {
            we_are: link.we_are.unwrap_or(LinkRole::Computer),
            analyser_tcp: link.analyser_tcp.unwrap_or(TcpRole::Client),
            framing,
            checksum: link.checksum.unwrap_or(usual.checksum),
            frame_numbers,
            interrupts: link.interrupts.unwrap_or(Interrupts::Ignore),
            frame_text_bytes_max: self.within(
                link.frame_text_bytes_max.as_ref(),
                &FRAME_TEXT_BYTES,
                usual.frame_text_bytes_max,
            ),
            send_text_bytes_max: self.within(link.send_text_bytes_max.as_ref(), &SEND_TEXT_BYTES, 240),
            tries_max: self.within(link.tries_max.as_ref(), &TRIES, usual.tries_max),
            message_end: link.message_end.unwrap_or(MessageEnd::Terminator),
            timers,
        }
    }

    fn frame_numbers(&mut self, framing: Framing, written: Option<&Spanned<FrameNumbers>>) -> FrameNumbers {
        match (framing, written.map(|written| (*written.get_ref(), written.span()))) {
            (Framing::Numbered, written) => written.map_or(FrameNumbers::Strict, |(numbers, _)| numbers),
            (Framing::ControlBytes, None | Some((FrameNumbers::Absent, _))) => FrameNumbers::Absent,
            (Framing::ControlBytes, Some((FrameNumbers::Strict | FrameNumbers::Lenient, span))) => {
                self.fault(&span, "there are no frame numbers where each control byte is answered");
                FrameNumbers::Absent
            }
        }
    }

    /// An answer has to leave before the analyser's patience (T2) is over.
    fn reply_ms(&mut self, written: Option<&Spanned<u64>>, t2: u64, usual: u64) -> u64 {
        let Some(written) = written else { return usual.min(t2.saturating_sub(t2 / 5)) };
        if *written.get_ref() >= t2 {
            let what = format!("an answer after {} ms comes after t2, {t2} ms", written.get_ref());
            self.fault(&written.span(), what);
        }
        *written.get_ref()
    }

    fn mllp(&mut self, link: &schema::Mllp) -> MllpSettings {
        let template = match &link.template {
            None => Template::Standard,
            Some(segments) => self.template(segments),
        };
        MllpSettings {
            analyser_tcp: link.analyser_tcp.unwrap_or(TcpRole::Client),
            default_port: link.default_port,
            block_bytes_max: self.within(link.block_bytes_max.as_ref(), &BLOCK_BYTES, 4 * 1024 * 1024),
            outstanding_max: self.within(link.outstanding_max.as_ref(), &OUTSTANDING, 16),
            answer_timeout_ms: link.answer_timeout_ms.unwrap_or(MINUTE_MS),
            acknowledge: link.acknowledge.unwrap_or(AckMode::AsAsked),
            on_unusable: link.on_unusable.unwrap_or(OnUnusable::AcceptAndQuarantine),
            template,
        }
    }

    fn template(&mut self, segments: &schema::Texts) -> Template {
        match AckTemplate::parse(&segments.to_strings().join("\r")) {
            Ok(template) => Template::Exact(template),
            Err(error) => {
                let at = segments.iter().next().map_or(0..0, Spanned::span);
                self.fault(&at, error.to_string());
                Template::Standard
            }
        }
    }

    fn directory(&mut self, link: &schema::Directory) -> DirectorySettings {
        DirectorySettings {
            pattern: link.pattern.as_ref().map_or_else(|| "*".to_owned(), |text| text.get_ref().clone()),
            file_bytes_max: self.within(link.file_bytes_max.as_ref(), &FILE_BYTES, 4 * 1024 * 1024),
            settle_ms: link.settle_ms.unwrap_or(2_000),
        }
    }

    fn within<N>(&mut self, written: Option<&Spanned<N>>, range: &RangeInclusive<N>, default: N) -> N
    where
        N: Copy + PartialOrd + std::fmt::Display,
    {
        let Some(written) = written else { return default };
        if !range.contains(written.get_ref()) {
            let what = format!("{} is not within {} to {}", written.get_ref(), range.start(), range.end());
            self.fault(&written.span(), what);
        }
        *written.get_ref()
    }
}

/// What a framing has where the profile says nothing.
struct Usual {
    checksum: Checksum,
    frame_text_bytes_max: usize,
    tries_max: u8,
    /// T1 and T2.
    patience_ms: u64,
}

impl Usual {
    fn of(framing: Framing) -> Self {
        match framing {
            Framing::Numbered => Self {
                checksum: Checksum::Require,
                frame_text_bytes_max: 64_000,
                tries_max: 6,
                patience_ms: 15_000,
            },
            // One block is a whole message, and whether it has a checksum is a switch on the analyser.
            Framing::ControlBytes => Self {
                checksum: Checksum::Warn,
                frame_text_bytes_max: 1_000_000,
                tries_max: 3,
                patience_ms: 3_000,
            },
        }
    }
}

/// Defaults of LIS01-A2 §6 (T4 and T5 are the least that is allowed).
fn timers(written: &schema::Timers, patience_ms: u64) -> TimersMs {
    TimersMs {
        t1: written.t1.unwrap_or(patience_ms),
        t2: written.t2.unwrap_or(patience_ms),
        t3: written.t3.unwrap_or(30_000),
        t4: written.t4.unwrap_or(10_000),
        t5: written.t5.unwrap_or(1_000),
        t6: written.t6.unwrap_or(20_000),
        t7: written.t7.unwrap_or(15_000),
        reply: 12_000,
    }
}
