//! The components that are made of a donation, and where each goes (R-GATE-12). Who wrote it is the entry's `by`.

use serde::{Deserialize, Serialize};
use vocabulary::DonationId;

/// Until when a component may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// As its label says it, by the station's clock: `2026-04-07`, or with `T14:00`.
    pub label: String,
    /// The first moment at which it may not be used, milliseconds since 1970 UTC.
    pub until_ms: i64,
}

impl Expiry {
    /// Whether it may not be used any more at this moment.
    #[must_use]
    pub fn is_over(&self, at_ms: i64) -> bool {
        at_ms >= self.until_ms
    }
}

/// Something about the components of a donation. Each goes by its product code, division included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentAct {
    /// They were made, and are in quarantine. One that is known already stays where it is.
    Made {
        /// Of which donation.
        donation: DonationId,
        /// Which.
        components: Vec<String>,
        /// Until when they may be used; nothing: that is not said here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Expiry>,
        /// A person who may lift holds puts it in the place of an earlier one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        later: bool,
    },
    /// One of them is somewhere else.
    Moved {
        /// Of which donation.
        donation: DonationId,
        /// Which.
        component: String,
        /// Where to.
        to: ComponentMove,
    },
}

/// Where a component goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentMove {
    /// It is in quarantine: it came back, was found, or is held no longer.
    Quarantine {
        /// Why.
        reason: String,
    },
    /// It is kept back: none of the donation's may go.
    Held {
        /// Why.
        reason: String,
    },
    /// Nobody knows where it is: none of the donation's may go.
    Missing {
        /// Why.
        reason: String,
    },
    /// It was given out.
    Issued {
        /// To whom.
        consignee: String,
        /// When, milliseconds since 1970 UTC; nothing: when it was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_ms: Option<i64>,
        /// It may not have been: it was not released, held, thought to be elsewhere. A fact that somebody wrote down.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        against_rules: bool,
    },
    /// It was taken out for what is known of the donation, for good: none of the donation's may go.
    Discarded {
        /// Why.
        reason: String,
    },
    /// It was taken out for its own sake (broken, past its date, lipaemic), for good: that says nothing of the others.
    WrittenOff {
        /// Why.
        reason: String,
    },
}

impl ComponentAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Made { .. } => "components_made",
            Self::Moved { to, .. } => match to {
                ComponentMove::Quarantine { .. } => "component_in_quarantine",
                ComponentMove::Held { .. } => "component_held",
                ComponentMove::Missing { .. } => "component_missing",
                ComponentMove::Issued { .. } => "component_issued",
                ComponentMove::Discarded { .. } => "component_discarded",
                ComponentMove::WrittenOff { .. } => "component_written_off",
            },
        }
    }
}

/// Components of one donation that were found and taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundComponents {
    /// Of which donation.
    pub donation: DonationId,
    /// Which.
    pub components: Vec<String>,
}
