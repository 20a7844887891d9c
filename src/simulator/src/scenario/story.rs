//! The stories of a working day: what happens to a donation, how often, and what must come of it.
//!
//! What must come of it is written down here from rules.md §1.3–1.7 by hand, and on purpose not computed by the
//! room that decides: a demonstration that asks the examinee for the marks proves nothing.

use serde::Serialize;
use std::fmt;
use vocabulary::Virus;

/// What has to become of a donation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// May be issued (once people have signed).
    Pass,
    /// Waits for something.
    Hold,
    /// Is destroyed.
    Discard,
}

/// What has to become of a donation, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The class.
    pub unit: Unit,
    /// The reason, in a person's words.
    pub why: &'static str,
    /// The virus for which the donor may come back through the re-entry route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reentry_candidate: Option<Virus>,
}

macro_rules! stories {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $rate:literal, $unit:ident, $why:literal, $reentry:expr;)*) => {
        /// What happens to one donation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Story {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Story {
            /// Every story, the everyday one first.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, stable.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How many of 100,000 donations it happens to. The everyday one takes the rest.
            pub(crate) fn per_100_000(self) -> u32 {
                match self { $(Self::$variant => $rate,)* }
            }

            /// What has to come of it.
            #[must_use]
            pub fn expected(self) -> Expected {
                match self {
                    $(Self::$variant => Expected { unit: Unit::$unit, why: $why, reentry_candidate: $reentry },)*
                }
            }
        }
    };
}

stories! {
    /// Everything non-reactive, groups agree.
    Ordinary = "ordinary", 0, Pass, "everything non-reactive and the group is final", None;
    /// One serology reagent initially and repeatedly reactive, the other and NAT not.
    SingleReagentReactive = "single-reagent-reactive", 80, Discard,
        "anti-HCV repeatedly reactive with the first reagent only, NAT non-reactive", Some(Virus::Hcv);
    /// Both serology reagents and NAT reactive for one virus.
    ConcordantReactive = "concordant-reactive", 40, Discard,
        "HBsAg repeatedly reactive with both reagents and HBV DNA detected", None;
    /// NAT alone finds it.
    NatYield = "nat-yield", 30, Discard, "HBV DNA detected, serology non-reactive", None;
    /// Both syphilis reagents reactive.
    SyphilisReactive = "syphilis-reactive", 40, Discard, "syphilis repeatedly reactive with both reagents", None;
    /// Initially reactive, one of two duplicates reactive.
    RepeatableReactive = "repeatable-reactive", 20, Discard,
        "HIV initially reactive with the first reagent and one of two duplicates reactive, NAT non-reactive",
        Some(Virus::Hiv);
    /// Initially reactive, both duplicates non-reactive.
    NonRepeatableReactive = "non-repeatable-reactive", 150, Pass,
        "initially reactive, both duplicates non-reactive", None;
    /// Just below the cut-off, tested again in duplicate, non-reactive.
    GreyZone = "grey-zone", 100, Pass, "S/CO 0.95 initially, both duplicates non-reactive", None;
    /// Initially reactive, and the duplicates never came.
    DuplicatesMissing = "duplicates-missing", 20, Hold, "initially reactive and the duplicates are not there", None;
    /// ALT high, normal when repeated.
    AltHighOnce = "alt-high-once", 400, Pass, "ALT above the limit once, normal when repeated", None;
    /// ALT high twice.
    AltHighTwice = "alt-high-twice", 150, Discard, "ALT above the limit twice", None;
    /// NAT invalid, repeated with a good result.
    NatInvalidOnce = "nat-invalid-once", 150, Pass, "NAT invalid once, valid and non-reactive when repeated", None;
    /// NAT invalid and not repeated.
    NatInvalid = "nat-invalid", 40, Hold, "NAT invalid and not repeated", None;
    /// One assay never came.
    Incomplete = "incomplete", 60, Hold, "one mandatory test has no result", None;
    /// Forward and reverse columns disagree.
    AboDiscrepancy = "abo-discrepancy", 40, Hold, "forward and reverse group disagree", None;
    /// A mixed field in a forward column.
    MixedField = "mixed-field", 20, Hold, "mixed field with anti-A", None;
    /// RhD negative, confirmed by the antiglobulin test.
    RhDNegative = "rhd-negative", 300, Pass, "RhD negative, confirmed by two anti-D in the antiglobulin test", None;
    /// Anti-D zero and no antiglobulin test.
    RhDUnconfirmed = "rhd-unconfirmed", 20, Hold, "anti-D zero and no antiglobulin test", None;
    /// The group is another one than in earlier donations.
    WrongHistoryGroup = "wrong-history-group", 30, Hold, "ABO differs from the donor's earlier donations", None;
    /// The group is another one than the pre-test in the field.
    FieldGroupDiffers = "field-group-differs", 40, Hold, "ABO differs from the pre-test in the field", None;
    /// First donation, grouped once only.
    GroupedOnce = "grouped-once", 40, Hold, "a first-time donor's group was determined only once", None;
    /// The donor stands deferred in the registry.
    DeferredDonor = "deferred-donor", 30, Hold, "the donor is deferred", None;
    /// The analyser sent the same message twice.
    SentTwice = "sent-twice", 500, Pass, "everything non-reactive; one message came twice", None;
    /// A test code that the profile does not know, once in the day.
    UnmappedTest = "unmapped-test", 0, Hold, "the analyser sent a test code that its profile does not know", None;
}

impl Story {
    /// Whether it happens once in a day, however long the day.
    pub(crate) fn happens_once(self) -> bool {
        self == Self::UnmappedTest
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Story {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn about_two_in_a_thousand_donations_are_reactive() {
        let reactive: u32 = [
            Story::SingleReagentReactive,
            Story::ConcordantReactive,
            Story::NatYield,
            Story::SyphilisReactive,
            Story::RepeatableReactive,
        ]
        .iter()
        .map(|s| s.per_100_000())
        .sum();
        assert!((180..=220).contains(&reactive), "{reactive}");
    }

    #[test]
    fn every_story_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Story::ALL.iter().map(|s| s.name()).collect();
        assert_eq!(names.len(), Story::ALL.len());
    }
}
