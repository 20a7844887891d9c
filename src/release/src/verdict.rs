//! The verdict on one donation: what [`decide`](crate::decide) gives, and nothing else can make.

use crate::GateId;
use crate::evidence::Resolution;
use crate::number::hex;
use crate::pack::PackRef;
use crate::say::Said;
use crate::trace::{Trace, TraceLine};
use jiff::civil::Date;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::ops::Deref;
use vocabulary::{AboGroup, BloodGroup, DonationId, Marker, RhD, Virus};

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// The name in JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    )*};
}

states! {
    /// What becomes of the unit. In the order of severity (R-MRK-01).
    Unit {
        /// Nothing stands against it.
        Pass = "pass",
        /// Something is open.
        Hold = "hold",
        /// It may not be used.
        Discard = "discard",
    }
    /// State of one serology reagent (rules.md §1.3).
    SeroState {
        /// Nothing tested.
        NotTested = "NOT_TESTED",
        /// No valid result: to be repeated, never non-reactive.
        Invalid = "INVALID",
        /// Initial reactive, duplicate round to do.
        InitialReactive = "IR",
        /// In the grey zone that counts as initial reactive, duplicate round to do.
        GreyZone = "GZ",
        /// Something is still to come.
        Pending = "PENDING",
        /// Non-reactive.
        FinalNonReactive = "FINAL_NR",
        /// Reactive.
        FinalReactive = "FINAL_R",
    }
    /// State of one NAT target (rules.md §1.4).
    NatState {
        /// Nothing tested.
        NotTested = "NOT_TESTED",
        /// No valid result: to be repeated.
        Invalid = "INVALID",
        /// Invalid twice: the unit cannot be released.
        InvalidFinal = "INVALID_FINAL",
        /// Something is still to come.
        Pending = "PENDING",
        /// Pool and single tests do not fit together (R-NAT-08).
        Review = "REVIEW",
        /// Non-reactive.
        NonReactive = "FINAL_NR",
        /// Reactive, and no target could be told.
        NotDiscriminated = "NDR",
        /// The pool was reactive and no member is.
        Unresolved = "MPR_UNRESOLVED",
        /// Reactive.
        Reactive = "FINAL_R",
    }
    /// What a marker comes to (rules.md §1.5).
    MarkerState {
        /// M9: nothing found.
        Negative = "NEGATIVE",
        /// M1: every reagent and NAT reactive.
        ReactiveConcordant = "REACTIVE_CONCORDANT",
        /// M2: both reagents reactive.
        ReactiveSero2 = "REACTIVE_SERO2",
        /// M3: one of two reagents and NAT reactive.
        ReactiveSero1Nat = "REACTIVE_SERO1_NAT",
        /// M4: one reagent reactive.
        ReactiveSingle = "REACTIVE_SINGLE",
        /// M6: NAT alone reactive.
        NatYield = "NAT_YIELD",
        /// M7: NAT reactive and not discriminated.
        NatNdr = "NAT_NDR",
        /// M8: NAT reactive in the pool only.
        NatUnresolved = "NAT_UNRESOLVED",
        /// M10: something is reactive, something still open.
        ReactiveIncomplete = "REACTIVE_INCOMPLETE",
        /// M11: something is open.
        Incomplete = "INCOMPLETE",
        /// ALT within the limit.
        WithinLimit = "WITHIN_LIMIT",
        /// ALT above the limit, repeatedly.
        AboveLimit = "ABOVE_LIMIT",
        /// The antibody screen is positive.
        ScreenPositive = "SCREEN_POSITIVE",
        /// Reactive for something that the pack has no rule for.
        NotRuled = "NOT_RULED",
    }
    /// State of the blood group (rules.md §1.6).
    GroupStatus {
        /// ABO and RhD stand.
        Final = "final",
        /// Something is still to do.
        Pending = "pending",
        /// The sample's control reacted, or the grouping is not valid.
        Invalid = "invalid",
        /// Columns, determinations or history disagree.
        Discrepant = "discrepant",
    }
    /// What a donation means for its donor, in the order of weight. Advice: a person defers.
    DonorAction {
        /// Nothing.
        None = "none",
        /// Deferred for a time.
        Temporary = "temporary_deferral",
        /// Deferred until it is confirmed or settled.
        Deferral = "deferral",
        /// Deferred for good.
        Permanent = "permanent_deferral",
    }
    /// How far a re-entry examination has come.
    ReentryState {
        /// NAT was not non-reactive then: there is no way back by this route.
        OutOfScope = "OUT_OF_SCOPE",
        /// A sample was taken before the wait was over.
        TooEarly = "TOO_EARLY",
        /// A test is missing.
        Incomplete = "INCOMPLETE",
        /// A test was not negative.
        Failed = "FAILED",
        /// All negative: an authorised person may approve it, naming every test.
        Candidate = "CANDIDATE",
        /// Approved.
        Approved = "APPROVED",
    }
    /// A remark that stays with a result.
    Flag {
        /// In the grey zone.
        Grey = "GREY",
        /// Initial reactive, not repeated by the duplicates.
        NonRepeatable = "NON_REPEATABLE",
        /// Two runs disagree and no repeat was ordered (S07).
        Contradictory = "CONTRADICTORY",
        /// A reactive result fell with its run or could not be used.
        StickyReactive = "STICKY_REACTIVE",
        /// More results than a decision needs; kept, not used (R-SER-03).
        ExtraNotUsed = "EXTRA_NOT_USED",
        /// A duplicate on another lot or analyser, not accepted (R-SER-02).
        OtherLot = "OTHER_LOT",
        /// A duplicate on another lot or analyser, accepted for a given reason (R-SER-02).
        OtherLotAccepted = "OTHER_LOT_ACCEPTED",
        /// The target's Ct is late: a person looks at the curve.
        LateCt = "LATE_CT",
        /// An unresolved pool that the pack lets a further test settle, settled.
        UnresolvedSettled = "UNRESOLVED_SETTLED",
        /// Pool and single tests name different targets (R-NAT-08).
        TargetsDiffer = "TARGETS_DIFFER",
        /// Weak D or D variant, labelled RhD positive (G9).
        WeakD = "WEAK_D",
        /// DEL.
        DelPositive = "DEL_POSITIVE",
        /// Not DEL.
        DelNegative = "DEL_NEGATIVE",
        /// Differs from the donor's earlier group (G4).
        HistoryMismatch = "HISTORY_MISMATCH",
        /// Differs from the donor's earlier group, and two people found that to be wrong: tube and bag segment agree.
        HistorySetAside = "HISTORY_SET_ASIDE",
        /// Differs from the donor's earlier group, while tube and bag segment agree: it is no neighbour's tube.
        SegmentAgrees = "SEGMENT_AGREES",
        /// Differs from the pre-test in the field (G5).
        FieldMismatch = "FIELD_MISMATCH",
        /// The tube holds blood of another group than the bag.
        WrongTube = "WRONG_TUBE",
    }
}

impl NatState {
    /// Whether more has to happen before the target is settled.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::NotTested | Self::Invalid | Self::InvalidFinal | Self::Pending | Self::Review => true,
            Self::NonReactive | Self::NotDiscriminated | Self::Unresolved | Self::Reactive => false,
        }
    }
}

impl SeroState {
    /// Whether more has to happen before the reagent is settled.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::NotTested | Self::Invalid | Self::InitialReactive | Self::GreyZone | Self::Pending => true,
            Self::FinalNonReactive | Self::FinalReactive => false,
        }
    }
}

/// What one marker comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct MarkerVerdict {
    /// By the table.
    pub verdict: MarkerState,
    /// What it means for the unit.
    pub unit: Unit,
    /// The donor may be examined for re-entry.
    pub reentry_candidate: bool,
}

/// One serology reagent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SerologyVerdict {
    /// What was tested for.
    pub marker: Marker,
    /// With which reagent.
    pub reagent: String,
    /// How far it has come.
    pub state: SeroState,
    /// Remarks.
    pub flags: Vec<Flag>,
}

/// One NAT target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NatVerdict {
    /// What was tested for.
    pub target: Virus,
    /// How far it has come.
    pub state: NatState,
    /// Remarks.
    pub flags: Vec<Flag>,
}

/// The blood group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupVerdict {
    /// How far it has come.
    pub status: GroupStatus,
    /// ABO, once its part is final and nothing speaks against it.
    pub abo: Option<AboGroup>,
    /// RhD, once its part is final and nothing speaks against it.
    pub rhd: Option<RhD>,
    /// What may explain a discrepancy, with the next test.
    pub candidates: Vec<&'static str>,
    /// The same in Chinese.
    pub candidates_zh: Vec<&'static str>,
    /// Remarks.
    pub flags: Vec<Flag>,
    /// Groups of earlier donations that two people found to be wrong with this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history_set_aside: Vec<BloodGroup>,
}

/// An earlier donation that has to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookbackTask {
    /// What for.
    pub marker: Virus,
    /// The earlier donation.
    pub donation: DonationId,
    /// Whether some component of it may still be in date; what is not known is.
    pub in_date: bool,
    /// Last day for putting products in date into quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine_by: Option<Date>,
    /// Last day for further tests and for telling consignees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_by: Option<Date>,
    /// Last day for telling recipients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients_by: Option<Date>,
}

/// What the donation means for its donor and for earlier donations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DonorVerdict {
    /// What becomes of the donor.
    pub action: DonorAction,
    /// The donor may be examined for re-entry later.
    pub reentry_candidate: bool,
    /// Earlier donations to look up.
    pub lookback: Vec<LookbackTask>,
    /// How far the donor's re-entry examination has come, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reentry: Option<ReentryState>,
}

impl DonorVerdict {
    /// Whether anything follows for the donor or for earlier donations.
    #[must_use]
    pub fn says_something(&self) -> bool {
        let Self { action, reentry_candidate, lookback, reentry } = self;
        *action != DonorAction::None || *reentry_candidate || !lookback.is_empty() || reentry.is_some()
    }
}

/// What a person is asked to do about the donor because of one marker (rules.md §1.5, §1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DonorAsk {
    /// What for, by the names of verdicts.
    pub marker: &'static str,
    /// How the donor is to be deferred; never [`DonorAction::None`].
    pub action: DonorAction,
    /// A sample is to go to the confirmatory laboratory: nothing that it said stands.
    pub confirm: bool,
    /// The finding is notifiable by law.
    pub report: bool,
}

/// One release gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Which.
    pub id: GateId,
    /// Whether it is open.
    pub pass: bool,
    /// Why, in English.
    pub why: Cow<'static, str>,
    /// Why, in Chinese.
    pub why_zh: Cow<'static, str>,
    /// What opens it, in English; on closed gates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
    /// What opens it, in Chinese; on closed gates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy_zh: Option<&'static str>,
    /// Set aside by a person, where the pack allows it. `pass` still says what was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Resolution>,
}

impl Gate {
    /// Whether the gate lets the donation through, by itself or set aside by a person.
    #[must_use]
    pub fn is_satisfied(&self) -> bool {
        self.pass || self.overridden.is_some()
    }
}

/// The verdict on one donation under one rule pack. Only [`decide`](crate::decide) and [`explain`](crate::explain) make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub(crate) donation: DonationId,
    pub(crate) rule_pack: PackRef,
    pub(crate) unit: Unit,
    pub(crate) releasable: bool,
    pub(crate) complete: bool,
    #[serde(serialize_with = "as_map")]
    pub(crate) markers: Vec<(&'static str, MarkerVerdict)>,
    pub(crate) serology: Vec<SerologyVerdict>,
    pub(crate) nat: Vec<NatVerdict>,
    pub(crate) group: GroupVerdict,
    pub(crate) donor: DonorVerdict,
    /// Follows from the rest: no part of what is told, nor of its hash.
    #[serde(skip)]
    pub(crate) donor_asks: Vec<DonorAsk>,
    /// So does this.
    #[serde(skip)]
    pub(crate) waits_for_two: bool,
    pub(crate) gates: Vec<Gate>,
    pub(crate) next: Vec<Said>,
    pub(crate) next_zh: Vec<Said>,
}

/// A verdict with its trace: what the ledger keeps and what `decide` shows. Only [`explain`](crate::explain) makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    pub(crate) trace: Trace,
}

impl Explained {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Which rule gave what, from which inputs.
    pub fn trace(&self) -> impl Iterator<Item = TraceLine> {
        self.trace.lines()
    }
}

impl Deref for Explained {
    type Target = Verdict;
    fn deref(&self) -> &Verdict {
        &self.verdict
    }
}

fn as_map<S: Serializer>(markers: &[(&'static str, MarkerVerdict)], out: S) -> Result<S::Ok, S::Error> {
    out.collect_map(markers.iter().map(|(name, verdict)| (name, verdict)))
}

impl Verdict {
    /// The donation.
    #[must_use]
    pub fn donation(&self) -> &DonationId {
        &self.donation
    }

    /// The pack it was judged by.
    #[must_use]
    pub fn rule_pack(&self) -> &PackRef {
        &self.rule_pack
    }

    /// What becomes of the unit.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether the unit passes and every gate is open, those of persons too.
    #[must_use]
    pub fn is_releasable(&self) -> bool {
        self.releasable
    }

    /// Whether every mandatory test is final: the profile is closed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The markers by name (`HBV`, `HCV`, `HIV`, `syphilis`, `ALT`, …), in the order of the pack.
    #[must_use]
    pub fn markers(&self) -> &[(&'static str, MarkerVerdict)] {
        &self.markers
    }

    /// One marker.
    #[must_use]
    pub fn marker(&self, name: &str) -> Option<MarkerVerdict> {
        self.markers.iter().find(|(known, _)| *known == name).map(|(_, verdict)| *verdict)
    }

    /// The serology reagents.
    #[must_use]
    pub fn serology(&self) -> &[SerologyVerdict] {
        &self.serology
    }

    /// The NAT targets.
    #[must_use]
    pub fn nat(&self) -> &[NatVerdict] {
        &self.nat
    }

    /// The blood group.
    #[must_use]
    pub fn group(&self) -> &GroupVerdict {
        &self.group
    }

    /// What it means for the donor and for earlier donations.
    #[must_use]
    pub fn donor(&self) -> &DonorVerdict {
        &self.donor
    }

    /// What people are asked to do about the donor, marker by marker.
    #[must_use]
    pub fn donor_asks(&self) -> &[DonorAsk] {
        &self.donor_asks
    }

    /// Whether something of it waits for two people: what it does not find any more, and was found before, stands for the
    /// donor and for other donations until they have settled it.
    #[must_use]
    pub fn waits_for_two(&self) -> bool {
        self.waits_for_two
    }

    /// All fifteen gates, in order.
    #[must_use]
    pub fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// What to do next, in English.
    #[must_use]
    pub fn next(&self) -> &[Cow<'static, str>] {
        &self.next
    }

    /// What to do next, in Chinese.
    #[must_use]
    pub fn next_zh(&self) -> &[Cow<'static, str>] {
        &self.next_zh
    }

    /// SHA-256 of what was decided, lower-case hex: everything but the Chinese wording. Two verdicts with
    /// one hash tell their receiver the same.
    #[must_use]
    pub fn content_hash(&self) -> String {
        let mut hasher = Sha256::new();
        let mut add = |text: &str| {
            hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(text.as_bytes());
        };
        for text in [self.donation.as_str(), &self.rule_pack.id, &self.rule_pack.hash, self.unit.name()] {
            add(text);
        }
        add(&format!("{} {}", self.releasable, self.complete));
        add(&format!("{:?}", self.markers));
        add(&format!("{:?}", self.serology));
        add(&format!("{:?}", self.nat));
        add(&format!("{:?}", self.group));
        for gate in &self.gates {
            add(&format!("{} {} {} {:?}", gate.id, gate.pass, gate.why, gate.overridden));
        }
        for step in &self.next {
            add(step);
        }
        // Where it means nothing for anybody, nothing is added: hashes of before keep telling the same.
        if self.donor.says_something() {
            add(&format!("{:?}", self.donor));
        }
        hex(&hasher.finalize())
    }
}
