//! The settings of a rule pack: the schema of its file.

use super::choices::{
    AntibodyScreen, ApplyBy, Confidence, DelLabel, DuplicateScheme, ExternalControl, KitControl, NatMode,
    NdrPolicy, Overdue, PlainStrength, ReactiveOnce, SeroReactiveInPool, Setting, StickyReactive, Strategy,
    Switch, UnresolvedPolicy, WeakDLabel, Who,
};
use crate::alias;
use crate::evidence::Direction;
use crate::{GateId, Limit};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use vocabulary::{Marker, Virus};

/// Everything a pack's file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the pack.
    pub id: String,
    /// Pack whose values hold where this one says nothing.
    #[serde(default)]
    pub based_on: Option<String>,
    /// Country or region.
    pub jurisdiction: String,
    /// The text it follows.
    pub title: String,
    /// Edition of that text.
    pub edition: Setting<String>,
    /// First day of collection that it judges.
    pub effective_from: Setting<Date>,
    /// Last day of collection that it judges.
    #[serde(default)]
    pub effective_to: Option<Setting<Date>>,
    /// Which moment chooses the pack.
    pub apply_by: Setting<ApplyBy>,
    /// Tests beside the markers.
    pub tests: Tests,
    /// Reagents and NAT by marker.
    pub strategy: Strategies,
    /// Serology.
    pub sero: Sero,
    /// Reagents that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reagent: Vec<Reagent>,
    /// Markers that an authority asks for, where and while it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local: Vec<Local>,
    /// Nucleic acid tests.
    pub nat: Nat,
    /// ALT.
    pub alt: Alt,
    /// Blood group.
    pub group: Group,
    /// What falls when a run falls.
    pub invalid: Invalid,
    /// The release act.
    pub release: Release,
    /// Analysers and operators.
    #[serde(default)]
    pub fitness: Fitness,
    /// Deferral, look-back and re-entry.
    pub donor: DonorRules,
    /// How long records are kept.
    pub retention: Retention,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        $(#[$doc])*
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )*};
}

tables! {
    /// Tests beside the markers.
    Tests {
        /// ABO.
        abo: Setting<bool>,
        /// RhD.
        rhd: Setting<bool>,
        /// ALT.
        alt: Setting<bool>,
        /// HTLV antibody.
        htlv: Setting<Switch>,
        /// Antibody screen.
        ab_screen: Setting<AntibodyScreen>,
        /// Antibody to hepatitis B core; without it, not asked for.
        #[serde(default)]
        anti_hbc: Option<Setting<Switch>>,
    }
    /// Reagents and NAT by marker.
    Strategies {
        /// HBsAg and HBV DNA.
        hbv: Setting<Strategy>,
        /// anti-HCV and HCV RNA.
        hcv: Setting<Strategy>,
        /// HIV and HIV RNA.
        hiv: Setting<Strategy>,
        /// Treponema pallidum antibody.
        tp: Setting<Strategy>,
    }
    /// Serology of one reagent and one sample.
    Sero {
        /// Reactive from this S/CO on.
        cut: Setting<Limit>,
        /// Exactly the cut-off is reactive. Always so (R-SER-05).
        inclusive: Setting<bool>,
        /// Grey from this S/CO on.
        #[serde(default)]
        gz_low: Option<Setting<Limit>>,
        /// A grey result counts as initial reactive.
        gz_as_initial_reactive: Setting<bool>,
        /// What follows an initial reactive result.
        dup: Setting<DuplicateScheme>,
        /// A grey duplicate well is reactive.
        dup_uses_gz: Setting<bool>,
        /// Duplicates need the lot and analyser of the first test (R-SER-02).
        same_lot: Setting<bool>,
        /// Lowest OD that is still a result.
        od_floor: Setting<Limit>,
        /// Lowest S/CO that is still a result.
        sco_floor: Setting<Limit>,
    }
    /// A reagent that differs.
    Reagent {
        /// What it tests for.
        #[serde(deserialize_with = "alias::read_marker")]
        marker: Marker,
        /// Its name, as evidence gives it.
        name: String,
        /// Which way its signal runs.
        #[serde(default)]
        direction: Option<Direction>,
        /// Reactive from this S/CO on; of a competitive reagent, while the signal times this is not above the cut-off. The
        /// lower it is, the more it finds, either way.
        #[serde(default)]
        cut: Option<Setting<Limit>>,
        /// Grey from this S/CO on.
        #[serde(default)]
        gz_low: Option<Setting<Limit>>,
        /// A grey result counts as initial reactive.
        #[serde(default)]
        gz_as_initial_reactive: Option<Setting<bool>>,
        /// A grey duplicate well is reactive.
        #[serde(default)]
        dup_uses_gz: Option<Setting<bool>>,
    }
    /// A marker that an authority asks for (rules.md §1.2: 地方性、时限性).
    Local {
        /// What for: HTLV, anti-HBc, anti-malaria, anti-T.cruzi, HEV-RNA, WNV-RNA, malaria-RNA, Babesia-RNA.
        #[serde(deserialize_with = "alias::read_any_marker")]
        marker: Marker,
        /// First day of collection that it is asked for; without it, from the pack's first day on.
        #[serde(default, deserialize_with = "read_day")]
        from: Option<Date>,
        /// Last day of collection that it is asked for; without it, to the pack's last.
        #[serde(default, deserialize_with = "read_day")]
        to: Option<Date>,
        /// Whose donations; without it, everybody's.
        #[serde(default = "everybody")]
        who: Who,
        /// The order and its authority, as reasons name it.
        order: String,
    }
    /// Nucleic acid tests.
    Nat {
        /// Pool size.
        mode: Setting<NatMode>,
        /// Members of a pool that no laboratory under this pack may exceed.
        #[serde(default)]
        pool_members_max: Option<Setting<usize>>,
        /// Targets beside HBV, HCV and HIV that every donation is tested for.
        #[serde(default)]
        further: Option<Setting<Vec<Virus>>>,
        /// What a non-discriminated reactive result does.
        ndr: Setting<NdrPolicy>,
        /// What an unresolved reactive pool does.
        mp_unresolved: Setting<UnresolvedPolicy>,
        /// What a pool says of a member whose serology is reactive; without it, what it says of the others.
        #[serde(default)]
        sero_reactive_in_pool: Option<Setting<SeroReactiveInPool>>,
        /// Highest Ct of a valid internal control.
        #[serde(default)]
        ic_ct_max: Option<Setting<Limit>>,
        /// A target's Ct above this is marked for a person.
        #[serde(default)]
        late_ct: Option<Setting<Limit>>,
        /// Hours that a sample may be stored before its test.
        #[serde(default)]
        store_within_hours: Option<Setting<Limit>>,
        /// Hours from collection to centrifugation, at most.
        #[serde(default)]
        centrifuge_within_hours: Option<Setting<Limit>>,
    }
    /// ALT.
    Alt {
        /// Highest activity that passes, U/L.
        limit_u_l: Setting<Limit>,
        /// Exactly the limit passes. Always so.
        inclusive: Setting<bool>,
        /// Repeats of a raised result: 0 or 1.
        retest: Setting<u8>,
    }
    /// Blood group.
    Group {
        /// Weakest forward reaction that counts without doubt.
        forward_min: Setting<PlainStrength>,
        /// Weakest reverse reaction that counts without doubt.
        reverse_min: Setting<PlainStrength>,
        /// Weakest immediate anti-D reaction that makes RhD positive.
        anti_d_min: Setting<PlainStrength>,
        /// A reaction read as `+`, without a strength, counts as positive. Absent: such a group is held.
        #[serde(default)]
        bare_plus_positive: Option<Setting<bool>>,
        /// anti-D reagents of different clones that an RhD-negative type needs by IAT.
        iat_reagents_min: Setting<usize>,
        /// Determinations that a first-time donor needs.
        first_time_determinations: Setting<usize>,
        /// How weak D is labelled.
        weak_d_label: Setting<WeakDLabel>,
        /// How DEL is labelled.
        del_label: Setting<DelLabel>,
    }
    /// What falls when a run falls.
    Invalid {
        /// Kit controls.
        kit_control: Setting<KitControl>,
        /// External controls.
        external_control: Setting<ExternalControl>,
        /// A reactive result that vanished.
        sticky_reactive: Setting<StickyReactive>,
    }
    /// The release act.
    Release {
        /// Review and issue by different persons.
        two_person: Setting<bool>,
        /// Gates that nobody may set aside.
        override_forbidden: Setting<Vec<GateId>>,
    }
    /// What is asked of analysers and operators (R-GATE-07, R-GATE-08).
    #[serde(default)]
    Fitness {
        /// What an analyser that is overdue does.
        analysers: Setting<Overdue>,
        /// A result of an analyser of which nothing is recorded is kept.
        analyser_records: Setting<bool>,
        /// A result is kept that names no operator, or one of whom nothing is recorded.
        operator_records: Setting<bool>,
    }
    /// Deferral, look-back and re-entry (rules.md §1.9).
    DonorRules {
        /// Months before the last negative donation that a look-back reaches.
        lookback_months: Setting<u16>,
        /// Calendar days within which earlier products in date are put into quarantine.
        #[serde(default)]
        quarantine_days: Option<Setting<u16>>,
        /// Days within which further tests are done and consignees told.
        #[serde(default)]
        notify_days: Option<Setting<u16>>,
        /// Days within which recipients are told.
        #[serde(default)]
        recipient_notice_days: Option<Setting<u16>>,
        /// Months after which a donor who was reactive by serology alone may be examined for re-entry.
        reentry_months: Setting<u16>,
        /// What a first anti-HBc reactive result, all else being negative, does to the donor.
        anti_hbc_once: Setting<ReactiveOnce>,
        /// The same of anti-HTLV; without it, the donor is deferred.
        #[serde(default)]
        anti_htlv_once: Option<Setting<ReactiveOnce>>,
        /// Markers for which other terms hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        term: Vec<DonorTerm>,
    }
    /// Terms of one marker, where they differ from those of all (rules.md §1.9, §1.12). What is not given is as for all.
    DonorTerm {
        /// Which, by the names of verdicts: HBV, HCV, HIV, syphilis, HTLV, HEV, WNV, malaria, T.cruzi, Babesia, anti-HBc, ALT.
        #[serde(deserialize_with = "alias::read_verdict_name")]
        marker: String,
        /// Months before the last negative donation that a look-back reaches.
        #[serde(default)]
        lookback_months: Option<Setting<u16>>,
        /// Months after which a donor may be examined for re-entry.
        #[serde(default)]
        reentry_months: Option<Setting<u16>>,
        /// Days after which a donor may be examined for re-entry; with months, the later day counts.
        #[serde(default)]
        reentry_days: Option<Setting<u16>>,
        /// Days from the donation that a deferral for a time lasts at least; without it, as long as a person says.
        #[serde(default)]
        temporary_days: Option<Setting<u16>>,
    }
    /// How long records are kept.
    Retention {
        /// Donation and test records, years.
        records_years: Setting<u16>,
        /// Retained samples.
        samples: Setting<String>,
        /// Audit trail, years.
        audit_years: Setting<u16>,
    }
}

/// A day of collection. What has a time of day besides is no day: it would be dropped.
fn read_day<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(input)? else { return Ok(None) };
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    let refused = || D::Error::custom(format!("{text:?} is not a whole day; write it as \"2026-05-01\""));
    day.map(Some).ok_or_else(refused)
}

fn everybody() -> Who {
    Who::Every
}

/// Of packs that say nothing of it.
impl Default for Fitness {
    fn default() -> Self {
        fn own<T>(value: T, confirm: &str) -> Setting<T> {
            Setting { value, confidence: Confidence::OwnMedium, confirm: Some(confirm.to_owned()) }
        }
        Self {
            analysers: own(
                Overdue::Block,
                "what an overdue analyser does: block keeps, warn says so and no more",
            ),
            analyser_records: own(
                false,
                "whether an analyser without any recorded service keeps its results",
            ),
            operator_records: own(false, "whether an operator without a record keeps the results"),
        }
    }
}
