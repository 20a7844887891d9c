//! Checks `[link.mllp]`.

use super::{BLOCK_BYTES, MINUTE_MS, OUTSTANDING};
use crate::{
    link::{AckMode, Close, MllpSettings, OnUnusable, SegmentEnds, TcpRole},
    profile::builder::Builder,
    schema,
};
use hl7v2::{AckTemplate, Dialect, HeaderPlaces, Template};
use toml::Spanned;

/// A block's own characters, VT and FS.
const BLOCK_CHARACTERS: [u8; 2] = [0x0B, 0x1C];

impl Builder<'_, '_> {
    pub(super) fn mllp(&mut self, link: &schema::Mllp) -> MllpSettings {
        let template = match &link.template {
            None => Template::Standard,
            Some(segments) => self.ack_template(segments),
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
            ignored_between_blocks: self.ignored(link.ignored_between_blocks.as_ref()),
            commit_blocks: link.commit_blocks.unwrap_or(false),
            close: link.close.unwrap_or(Close::End),
            dialect: Dialect {
                segment_ends: match link.segment_ends.unwrap_or(SegmentEnds::Any) {
                    SegmentEnds::Any => hl7v2::SegmentEnds::Any,
                    SegmentEnds::Cr => hl7v2::SegmentEnds::CarriageReturn,
                },
                header: self.header(link.header.as_ref()),
            },
        }
    }

    fn ack_template(&mut self, segments: &schema::Texts) -> Template {
        match AckTemplate::parse(&segments.to_strings().join("\r")) {
            Ok(template) => Template::Exact(template),
            Err(error) => {
                let at = segments.iter().next().map_or(0..0, Spanned::span);
                self.fault(&at, error.to_string());
                Template::Standard
            }
        }
    }

    fn ignored(&mut self, written: Option<&Spanned<Vec<u8>>>) -> Vec<u8> {
        let Some(written) = written else { return mllp::Config::default().ignored_between_blocks };
        if written.get_ref().iter().any(|byte| BLOCK_CHARACTERS.contains(byte)) {
            self.fault(&written.span(), "0x0B begins a block and 0x1C ends one; they cannot be ignored");
        }
        written.get_ref().clone()
    }

    fn header(
        &mut self,
        written: Option<&Spanned<std::collections::BTreeMap<String, usize>>>,
    ) -> HeaderPlaces {
        let Some(written) = written else { return HeaderPlaces::default() };
        let places = written.get_ref().iter().map(|(standard, sent)| Some((standard.parse().ok()?, *sent)));
        let places = places.collect::<Option<Vec<_>>>().and_then(HeaderPlaces::new);
        places.unwrap_or_else(|| {
            self.fault(
                &written.span(),
                "the numbers of fields of MSH, each from 3 to 25 and once on either side: what HL7 calls it = where it \
                 stands, such as { \"9\" = 6, \"10\" = 7 }",
            );
            HeaderPlaces::default()
        })
    }
}
