//! Checks `[link]`: exactly one, defaults as the standards have them.

mod lis01;
mod mllp;
#[cfg(test)]
mod tests;

use super::builder::Builder;
use crate::{
    link::{
        BlockAnswers, DirectorySettings, LinkSettings, PkBlocksSettings, TcpRole, Terminator,
        UnframedSettings,
    },
    schema,
};
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
        let given = [
            ("lis01", link.lis01.is_some(), Protocol::Lis02),
            ("mllp", link.mllp.is_some(), Protocol::Hl7v2),
            ("unframed", link.unframed.is_some(), Protocol::Lis02),
            ("pk_blocks", link.pk_blocks.is_some(), Protocol::PkBlocks),
            ("directory", link.directory.is_some(), self.protocol),
        ];
        let mut found = given.iter().filter(|(_, given, _)| *given);
        let Some((name, _, carries)) = found.next() else {
            let all = given.map(|(name, ..)| format!("`[link.{name}]`")).join(", ");
            self.missing(&span, &format!("one of {all}"));
            return None;
        };
        if let Some((other, ..)) = found.next() {
            self.fault(&span, format!("a model has one link, and here are `{name}` and `{other}`"));
            return None;
        }
        if *carries != self.protocol {
            self.fault(&span, format!("the link {name} does not carry this protocol: lis02 goes over lis01 or unframed, hl7v2 over mllp, pk_blocks over pk_blocks, and all of them come in files"));
            return None;
        }
        let lis01 = link.lis01.as_ref().map(|link| LinkSettings::Lis01(self.lis01(link.get_ref())));
        let mllp = link.mllp.as_ref().map(|link| LinkSettings::Mllp(self.mllp(link.get_ref())));
        let unframed =
            link.unframed.as_ref().map(|link| LinkSettings::Unframed(self.unframed(link.get_ref())));
        let blocks =
            link.pk_blocks.as_ref().map(|link| LinkSettings::PkBlocks(self.pk_blocks(link.get_ref())));
        let folder =
            link.directory.as_ref().map(|link| LinkSettings::Directory(self.directory(link.get_ref())));
        lis01.or(mllp).or(unframed).or(blocks).or(folder)
    }

    fn unframed(&mut self, link: &schema::Unframed) -> UnframedSettings {
        UnframedSettings {
            analyser_tcp: link.analyser_tcp.unwrap_or(TcpRole::Client),
            terminator: link.terminator.unwrap_or(Terminator::Required),
            message_bytes_max: self.within(link.message_bytes_max.as_ref(), &BLOCK_BYTES, 4 * 1024 * 1024),
            silence_ms: link.silence_ms.unwrap_or(10_000),
        }
    }

    fn pk_blocks(&mut self, link: &schema::PkBlocks) -> PkBlocksSettings {
        PkBlocksSettings {
            analyser_tcp: link.analyser_tcp.unwrap_or(TcpRole::Client),
            answers: link.answers.unwrap_or(BlockAnswers::Silent),
            block_text_bytes_max: self.within(link.block_text_bytes_max.as_ref(), &FRAME_TEXT_BYTES, 4_096),
            session_bytes_max: self.within(link.session_bytes_max.as_ref(), &BLOCK_BYTES, 16 * 1024 * 1024),
            quiet_ms: link.quiet_ms.unwrap_or(50),
            block_silence_ms: link.block_silence_ms.unwrap_or(2_000),
            session_silence_ms: link.session_silence_ms.unwrap_or(MINUTE_MS),
            reply_ms: link.reply_ms.unwrap_or(10_000),
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
