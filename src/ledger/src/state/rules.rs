//! Rule packs in force as the state keeps them.

use crate::Seq;
use release::pack::PackRef;
use serde::{Deserialize, Serialize};

/// A pack that somebody wants in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesProposal {
    /// The pack.
    pub pack: PackRef,
    /// Donations taken from here on, milliseconds since 1970 UTC; nothing: from the activation on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// The entry.
    pub entry: Seq,
    /// When it was written, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Who wants it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// A pack in force from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The pack.
    pub pack: PackRef,
    /// It judges donations taken from here on, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// The entry that put it in force.
    pub entry: Seq,
    /// When that was written, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Who wrote it: the second of the two.
    pub by: String,
    /// What the first of the two had proposed; nothing for the pack that the station began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<RulesProposal>,
}

/// Every pack that was ever in force, and what somebody wants next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RulesInForce {
    /// By the time from which they judge; of the same time, by entry.
    pub packs: Vec<InForce>,
    /// What waits for another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<RulesProposal>,
}

impl RulesInForce {
    /// The pack that judges a donation taken then. Donations from before the first are judged by the first.
    #[must_use]
    pub fn at(&self, ms: i64) -> Option<&InForce> {
        self.packs.iter().rfind(|one| one.from_ms <= ms).or(self.packs.first())
    }

    /// The pack that takes over next.
    #[must_use]
    pub fn after(&self, ms: i64) -> Option<&InForce> {
        self.packs.iter().find(|one| one.from_ms > ms)
    }

    pub(crate) fn take(&mut self, one: InForce) {
        let at = self.packs.partition_point(|known| known.from_ms <= one.from_ms);
        self.packs.insert(at, one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, from_ms: i64, entry: u64) -> InForce {
        let pack = PackRef { id: id.into(), hash: id.into() };
        InForce { pack, from_ms, entry: Seq::new(entry), at_ms: 0, by: String::new(), proposed: None }
    }

    #[test]
    fn the_pack_of_a_time_is_the_last_that_began_before_it_and_of_two_the_later_word() {
        let mut rules = RulesInForce::default();
        assert_eq!((rules.at(5), rules.after(5)), (None, None));
        for (id, from, entry) in [("first", 0, 1), ("december", 900, 2), ("now", 500, 3), ("instead", 900, 4)]
        {
            rules.take(one(id, from, entry));
        }
        for (ms, expect, next) in [
            (-7, "first", Some("first")),
            (0, "first", Some("now")),
            (499, "first", Some("now")),
            (500, "now", Some("december")),
            (900, "instead", None),
            (i64::MAX, "instead", None),
        ] {
            let name = |one: &InForce| one.pack.id.clone();
            assert_eq!(rules.at(ms).map(name).as_deref(), Some(expect), "{ms}");
            assert_eq!(rules.after(ms).map(name).as_deref(), next, "{ms}");
        }
    }
}
