//! The components of a donation as the state keeps them.

use super::Done;
use crate::{Expiry, Seq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Components of one donation that are kept; a donation gives fewer.
pub const COMPONENTS_MAX: usize = 100;

/// The components of a donation, by product code.
pub type Components = BTreeMap<String, ComponentStands>;

/// What keeps a component back, and all others of its donation with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptAs {
    /// A person holds it.
    Held,
    /// Nobody knows where it is.
    Missing,
    /// It was taken out for what is known of the donation.
    Discarded,
}

/// What keeps a component back, by whom and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What.
    pub as_: KeptAs,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

/// To whom a component was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// To whom.
    pub consignee: String,
    /// When, milliseconds since 1970 UTC.
    pub issued_at_ms: i64,
    /// Who wrote it, when.
    #[serde(flatten)]
    pub done: Done,
}

/// That a component was taken out for its own sake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenOff {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

/// Where a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentPlace {
    /// In quarantine.
    Quarantine,
    /// Held.
    Held,
    /// Nobody knows.
    Missing,
    /// Given out.
    Issued,
    /// Taken out for what is known of the donation.
    Discarded,
    /// Taken out for its own sake.
    WrittenOff,
}

impl ComponentPlace {
    /// Its name, stable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Held => "held",
            Self::Missing => "missing",
            Self::Issued => "issued",
            Self::Discarded => "discarded",
            Self::WrittenOff => "written_off",
        }
    }

    /// Its name in Chinese.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Quarantine => "隔离",
            Self::Held => "扣留",
            Self::Missing => "去向不明",
            Self::Issued => "已发出",
            Self::Discarded => "报废",
            Self::WrittenOff => "自身原因报废",
        }
    }
}

/// One component as it stands. What keeps it back goes on keeping the others when it turns out to have been given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentStands {
    /// Who registered it, when.
    pub made: Done,
    /// What keeps it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// To whom it was given since it was last here: to more than one where what is written contradicts itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Issue>,
    /// It was taken out for its own sake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_off: Option<WrittenOff>,
    /// Until when it may be used, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
}

impl ComponentStands {
    /// One that was just registered.
    pub(crate) fn new(made: Done) -> Self {
        Self { made, kept: None, issued: Vec::new(), written_off: None, expires: None }
    }

    /// Takes an expiry; false where one that is known ends sooner, and nobody says that it may be later.
    pub(crate) fn expire(&mut self, expires: &Expiry, later: bool) -> bool {
        let fits = later || self.expires.as_ref().is_none_or(|known| expires.until_ms <= known.until_ms);
        if fits {
            self.expires = Some(expires.clone());
        }
        fits
    }

    /// Whether it may not be used any more at this moment. What nobody knows is in date.
    #[must_use]
    pub fn is_expired(&self, at_ms: i64) -> bool {
        self.expires.as_ref().is_some_and(|expires| expires.is_over(at_ms))
    }

    /// Whether it is out, and might not be used any more when it was given out.
    pub(crate) fn was_issued_expired(&self) -> bool {
        self.issued.iter().any(|issue| self.is_expired(issue.issued_at_ms))
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> ComponentPlace {
        if self.is_out() {
            return ComponentPlace::Issued;
        }
        match self.kept.as_ref().map(|kept| kept.as_) {
            Some(KeptAs::Held) => ComponentPlace::Held,
            Some(KeptAs::Missing) => ComponentPlace::Missing,
            Some(KeptAs::Discarded) => ComponentPlace::Discarded,
            None if self.written_off.is_some() => ComponentPlace::WrittenOff,
            None => ComponentPlace::Quarantine,
        }
    }

    /// Whether it was given out.
    #[must_use]
    pub fn is_out(&self) -> bool {
        !self.issued.is_empty()
    }

    /// Whether it is there because of this entry.
    #[must_use]
    pub fn was_moved_by(&self, entry: Seq, to: ComponentPlace) -> bool {
        let kept = self.kept.as_ref().is_some_and(|kept| kept.done.entry == entry);
        match to {
            ComponentPlace::Issued => self.issued.iter().any(|issue| issue.done.entry == entry),
            ComponentPlace::Quarantine => self.place() == to,
            ComponentPlace::Held | ComponentPlace::Missing | ComponentPlace::Discarded => kept,
            ComponentPlace::WrittenOff => {
                self.written_off.as_ref().is_some_and(|one| one.done.entry == entry)
            }
        }
    }

    /// Whether it was taken out for what is known of the donation.
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.as_ == KeptAs::Discarded)
    }

    /// Whether it has to be found where its donation fails: it was not given out, nor taken out (R-GATE-13). One that nobody
    /// finds has to be, too.
    #[must_use]
    pub fn is_to_be_found(&self) -> bool {
        match self.place() {
            ComponentPlace::Quarantine | ComponentPlace::Held | ComponentPlace::Missing => true,
            ComponentPlace::Issued | ComponentPlace::Discarded | ComponentPlace::WrittenOff => false,
        }
    }
}
