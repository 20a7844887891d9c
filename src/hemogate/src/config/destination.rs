//! `[[destination]]`: where verdicts go.

use serde::Deserialize;
use vocabulary::DestinationId;

/// `[[destination]]`: one receiver of verdicts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) id: DestinationId,
    #[serde(rename = "type")]
    pub(crate) kind: DestinationKind,
    pub(crate) address: String,
    /// How long an answer may take before the attempt counts as failed.
    #[serde(default = "thirty")]
    pub(crate) answer_timeout_s: u64,
    /// Attempts before a delivery becomes a dead letter that a person sees.
    #[serde(default = "attempts")]
    pub(crate) attempts_max: u32,
}

fn thirty() -> u64 {
    30
}

fn attempts() -> u32 {
    50
}

/// What a destination speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DestinationKind {
    Hl7Mllp,
}
