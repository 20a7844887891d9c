//! Which results fall when a run falls, and what has to come back when it falls after release (rules.md §2.5, R-BATCH-02).

use std::collections::BTreeSet;
use vocabulary::{DonationId, RunId};

/// Why a run, or a part of it, falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A kit control failed: the run has no results.
    KitControl,
    /// The kit's controls hold, an external or laboratory control is out.
    ExternalControl,
    /// One sample's own test failed.
    Sample,
    /// A lot was found defective: everything since it came into use.
    Lot,
}

impl Cause {
    /// The code that an invalidation is recorded under.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::KitControl => "kit_control",
            Self::ExternalControl => "external_control",
            Self::Sample => "sample",
            Self::Lot => "lot_defective",
        }
    }
}

/// What the pack says of reactive results of a run whose external control is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutOfControl {
    /// They fall with the others, and leave a mark.
    AllInvalid,
    /// They may not be thrown away: they stay as initial reactive.
    KeepReactive,
}

/// What becomes of one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Untouched.
    Stands,
    /// Invalid: repeated. `sticky` where it was reactive: one non-reactive repeat is not enough.
    Repeat {
        /// The result was reactive.
        sticky: bool,
    },
    /// Stays as initial reactive: a duplicate round follows.
    InitialReactive,
}

/// What becomes of a result in the scope of a cause.
#[must_use]
pub fn fate(cause: Cause, reactive: bool, policy: OutOfControl) -> Fate {
    match (cause, policy, reactive) {
        (Cause::ExternalControl, OutOfControl::KeepReactive, true) => Fate::InitialReactive,
        (
            Cause::KitControl | Cause::ExternalControl | Cause::Sample | Cause::Lot,
            OutOfControl::AllInvalid | OutOfControl::KeepReactive,
            sticky,
        ) => Fate::Repeat { sticky },
    }
}

/// An invalidation, as it has to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalidation {
    /// Why.
    pub cause: Cause,
    /// The run.
    pub run: RunId,
    /// In words.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Who stands beside: another person.
    pub second: String,
    /// The run in which it is repeated, once there is one.
    pub repeated_in: Option<RunId>,
}

impl Invalidation {
    /// What is missing, in English and Chinese; nothing when it may be recorded.
    #[must_use]
    pub fn missing(&self) -> Option<(&'static str, &'static str)> {
        let (by, second) = (self.by.trim().to_lowercase(), self.second.trim().to_lowercase());
        if self.reason.trim().is_empty() {
            Some(("the reason is missing", "缺少理由"))
        } else if by.is_empty() || second.is_empty() {
            Some(("two persons have to stand for it", "须由两人签名"))
        } else if by == second {
            Some(("the second person is the first one", "两人须为不同人员"))
        } else if self.repeated_in.as_ref() == Some(&self.run) {
            Some(("a run cannot be repeated in itself", "不能在原批次内重做"))
        } else {
            None
        }
    }
}

/// A donation that used a run, and where its components stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedBy {
    /// The donation.
    pub donation: DonationId,
    /// Runs that its verdict rests on.
    pub runs: BTreeSet<RunId>,
    /// Components that have left quarantine.
    pub out: Vec<String>,
}

/// What has to be done when a run falls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consequence {
    /// Donations that are judged anew.
    pub reopen: Vec<DonationId>,
    /// Components to call back, with their donation.
    pub recall: Vec<(DonationId, String)>,
}

/// What follows from the fall of runs: every donation that rests on one is opened again, and whatever of it is out is
/// called back (R-BATCH-02, R-GATE-12).
#[must_use]
pub fn consequence(fallen: &BTreeSet<RunId>, donations: &[UsedBy]) -> Consequence {
    let hit = donations.iter().filter(|used| !used.runs.is_disjoint(fallen));
    let mut found = Consequence::default();
    for used in hit {
        found.reopen.push(used.donation.clone());
        found.recall.extend(used.out.iter().map(|id| (used.donation.clone(), id.clone())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactive_results_fall_with_a_mark_or_stay_as_the_pack_says() {
        use OutOfControl::{AllInvalid, KeepReactive};
        let repeat = |sticky| Fate::Repeat { sticky };
        for (cause, reactive, policy, due) in [
            (Cause::KitControl, true, AllInvalid, repeat(true)), // F08
            (Cause::KitControl, true, KeepReactive, repeat(true)),
            (Cause::KitControl, false, KeepReactive, repeat(false)),
            (Cause::ExternalControl, true, AllInvalid, repeat(true)),
            (Cause::ExternalControl, true, KeepReactive, Fate::InitialReactive), // F09
            (Cause::ExternalControl, false, KeepReactive, repeat(false)),
            (Cause::Sample, true, KeepReactive, repeat(true)),
            (Cause::Lot, true, KeepReactive, repeat(true)),
        ] {
            assert_eq!(fate(cause, reactive, policy), due, "{cause:?} {reactive} {policy:?}");
        }
    }

    fn id<T: std::str::FromStr<Err = vocabulary::IdentifierError>>(text: &str) -> T {
        text.parse().unwrap()
    }

    /// E05: three units of a run that becomes invalid after release.
    #[test]
    fn a_run_that_falls_after_release_opens_its_donations_and_calls_their_units_back() {
        let used = |name: &str, run: &str, out: &[&str]| UsedBy {
            donation: id(name),
            runs: [id(run), id("G1")].into(),
            out: out.iter().map(|c| (*c).to_owned()).collect(),
        };
        let all = [used("D1", "H7", &["RBC", "FFP"]), used("D2", "H8", &["RBC"]), used("D3", "H7", &["RBC"])];
        let found = consequence(&[id("H7")].into(), &all);
        assert_eq!(found.reopen, [id("D1"), id("D3")]);
        let recalled: Vec<String> = found.recall.iter().map(|(d, c)| format!("{d} {c}")).collect();
        assert_eq!(recalled, ["D1 RBC", "D1 FFP", "D3 RBC"]);
        assert_eq!(consequence(&[id("H9")].into(), &all), Consequence::default());
    }

    #[test]
    fn an_invalidation_needs_a_reason_and_two_persons() {
        type Change = fn(&mut Invalidation);
        let good = Invalidation {
            cause: Cause::KitControl,
            run: id("H7"),
            reason: "PC 0.75".into(),
            by: "li".into(),
            second: "wang".into(),
            repeated_in: Some(id("H8")),
        };
        assert_eq!((good.missing(), good.cause.code()), (None, "kit_control"));
        let changes: [Change; 4] = [
            |i| i.reason = " ".into(),
            |i| i.second.clear(),
            |i| i.second = " LI".into(),
            |i| i.repeated_in = Some(i.run.clone()),
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(bad.missing().is_some(), "{bad:?}");
        }
    }
}
