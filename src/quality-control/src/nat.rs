//! Batches of nucleic acid tests: their controls (rules.md §2.3, R-RUN-02, R-RUN-03), and the internal control of each sample.

use crate::run_validity::RunState;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Virus;

/// What a kit's batch has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRules {
    /// Targets that each batch tests for.
    pub targets: BTreeSet<Virus>,
    /// Window of Ct for a target's positive control; without one, detection alone counts.
    pub positive_ct: Option<(Decimal, Decimal)>,
    /// Highest Ct of a valid internal control; none where the analyser judges it itself and gives no result without it.
    pub internal_ct_max: Option<Decimal>,
    /// Whether an external run control has to be there for each target.
    pub external: bool,
    /// From a control's name in the profile to what it is; a control of every target has all of them. Each of them has to be
    /// in every batch: one says nothing for another of the same target (HIV-1 M for HIV-2).
    pub controls: BTreeMap<String, Vec<Role>>,
}

/// What a control's well is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// No target in it.
    Negative,
    /// The kit's positive control of a target.
    Positive(Virus),
    /// The laboratory's weak control of a target.
    External(Virus),
}

/// English and Chinese.
type Words = (String, String);

impl Role {
    fn is_external(self) -> bool {
        match self {
            Self::External(_) => true,
            Self::Negative | Self::Positive(_) => false,
        }
    }
}

/// What is known of an internal control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Internal {
    /// It came up at this Ct.
    Ct(Decimal),
    /// The analyser says that it is valid, without a number.
    SaidValid,
}

/// One well as the instrument reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatWell {
    /// The control's name in the profile.
    pub control: String,
    /// What it is.
    pub role: Role,
    /// Targets that were found, with their Ct where there is one.
    pub found: Vec<(Virus, Option<Decimal>)>,
    /// The internal control; none where it was not found, or nothing is said of it.
    pub internal: Option<Internal>,
    /// The instrument's own complaint: clot, pressure, extraction.
    pub error: Option<String>,
}

/// What the controls of a batch come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// By the kit's controls.
    pub kit: RunState,
    /// By the external controls; valid where none is asked for.
    pub external: RunState,
    /// Why, in English; empty when all is valid.
    pub why: String,
    /// Why, in Chinese; empty when all is valid.
    pub why_zh: String,
}

impl BatchRules {
    fn internal_is_valid(&self, well: &NatWell) -> bool {
        match (well.internal, self.internal_ct_max) {
            (Some(Internal::Ct(ct)), Some(max)) => ct <= max,
            (Some(Internal::Ct(_) | Internal::SaidValid), None) => true,
            // A limit that nothing can be held against is not kept.
            (Some(Internal::SaidValid), Some(_)) | (None, _) => false,
        }
    }

    /// Holds a batch's control wells against the kit. What is not there has failed.
    #[must_use]
    pub fn assess(&self, wells: &[NatWell]) -> Batch {
        let mut kit: Vec<Words> = Vec::new();
        let mut external: Vec<Words> = Vec::new();
        self.missing(wells, (&mut kit, &mut external));
        for well in wells {
            match well.role {
                Role::Negative => kit.extend(self.negative(well)),
                Role::Positive(target) => {
                    kit.extend(
                        Self::positive(target, well, self.positive_ct).map(named("positive", "阳性对照")),
                    );
                }
                Role::External(target) => {
                    external.extend(Self::positive(target, well, None).map(named("external", "外部质控")));
                }
            }
        }
        let state = |against: &[_]| if against.is_empty() { RunState::Valid } else { RunState::Invalid };
        let (kit_state, external_state) = (state(&kit), state(&external));
        let (en, zh): (Vec<String>, Vec<String>) = kit.into_iter().chain(external).unzip();
        let repeat = kit_state == RunState::Invalid;
        let close = |text: String, more: &str| {
            if repeat && !text.is_empty() { format!("{text}{more}") } else { text }
        };
        Batch {
            kit: kit_state,
            external: external_state,
            why: close(en.join("; "), "; repeat every sample and pool in a new batch (R-RUN-02)"),
            why_zh: close(zh.join("；"), "；本批全部标本和混样在新批次中重做（R-RUN-02）"),
        }
    }

    /// Every control by its name, and what no name stands for by what it is.
    fn missing(&self, wells: &[NatWell], (kit, external): (&mut Vec<Words>, &mut Vec<Words>)) {
        for (name, roles) in &self.controls {
            if wells.iter().any(|well| well.control == *name) {
                continue;
            }
            let told =
                (format!("control {name} is missing (R-RUN-03)"), format!("缺对照 {name}（R-RUN-03）"));
            if roles.iter().any(|role| role.is_external()) {
                external.push((format!("external {}", told.0), told.1.clone()));
            }
            if roles.is_empty() || roles.iter().any(|role| !role.is_external()) {
                kit.push(told);
            }
        }
        let unnamed = |role: Role| {
            let named = self.controls.values().flatten().any(|own| *own == role);
            !named && !wells.iter().any(|well| well.role == role)
        };
        if unnamed(Role::Negative) {
            kit.push(("no negative control (R-RUN-03)".into(), "缺阴性对照（R-RUN-03）".into()));
        }
        for target in &self.targets {
            if unnamed(Role::Positive(*target)) {
                let (en, zh) = ("no positive control of", "缺阳性对照");
                kit.push((format!("{en} {target} (R-RUN-03)"), format!("{zh} {target}（R-RUN-03）")));
            }
            if self.external && unnamed(Role::External(*target)) {
                let (en, zh) = ("no external control of", "缺外部质控");
                external.push((format!("{en} {target} (R-RUN-03)"), format!("{zh} {target}（R-RUN-03）")));
            }
        }
    }

    fn negative(&self, well: &NatWell) -> Option<(String, String)> {
        if let Some((target, ct)) = well.found.first() {
            let ct = ct.map_or_else(String::new, |ct| format!(" (Ct {ct})"));
            return Some((
                format!("negative control shows {target}{ct}"),
                format!("阴性对照检出 {target}{ct}"),
            ));
        }
        let bad = well.error.is_some() || !self.internal_is_valid(well);
        bad.then(|| ("negative control without a valid internal control".into(), "阴性对照内标无效".into()))
    }

    fn positive(
        target: Virus,
        well: &NatWell,
        window: Option<(Decimal, Decimal)>,
    ) -> Option<(String, String)> {
        let found = well.found.iter().find(|(virus, _)| *virus == target);
        match (found, window) {
            (_, _) if well.error.is_some() => {
                Some((format!("{target} could not be read"), format!("{target} 无法读取")))
            }
            (None, _) => Some((format!("{target} was not found"), format!("未检出 {target}"))),
            (Some((_, Some(ct))), Some((low, high))) if *ct >= low && *ct <= high => None,
            (Some((_, ct)), Some((low, high))) => {
                let ct = ct.map_or_else(|| "?".to_owned(), |ct| ct.to_string());
                Some((
                    format!("{target} at Ct {ct}, outside {low} to {high}"),
                    format!("{target} Ct {ct} 超出 {low}–{high}"),
                ))
            }
            (Some(_), None) => None,
        }
    }
}

/// Tests that a donation costs in pools of `members`, where `reactive_share` of donations are reactive: its share of the
/// pool's test, and one of its own in every reactive pool. A figure for planning, no limit: binary floats do.
#[must_use]
pub fn tests_per_donation(members: u32, reactive_share: f64) -> f64 {
    let quiet = (0..members).fold(1.0, |quiet, _| quiet * (1.0 - reactive_share));
    1.0 / f64::from(members.max(1)) + 1.0 - quiet
}

fn named(en: &'static str, zh: &'static str) -> impl Fn((String, String)) -> (String, String) {
    move |(why, why_zh)| (format!("{en} control: {why}"), format!("{zh}：{why_zh}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> BatchRules {
        BatchRules {
            targets: [Virus::Hbv, Virus::Hcv, Virus::Hiv].into(),
            positive_ct: Some((Decimal::from(20), Decimal::from(32))),
            internal_ct_max: Some(Decimal::from(35)),
            external: true,
            controls: good().iter().map(|well| (well.control.clone(), vec![well.role])).collect(),
        }
    }

    fn well(role: Role, found: &[(Virus, &str)], internal: Option<&str>) -> NatWell {
        let found = found.iter().map(|(virus, ct)| (*virus, ct.parse().ok())).collect();
        let internal = internal.map(|ct| Internal::Ct(ct.parse().unwrap()));
        NatWell { control: format!("{role:?}"), role, found, internal, error: None }
    }

    /// Two positives of HIV, of group M and of HIV-2; two negatives, and two externals of HBV.
    fn twins() -> (BatchRules, Vec<NatWell>) {
        let named = |name: &str, well: NatWell| NatWell { control: name.into(), ..well };
        let mut wells = good();
        wells.push(named("HIV-2", well(Role::Positive(Virus::Hiv), &[(Virus::Hiv, "27")], None)));
        wells.push(named("negative 2", well(Role::Negative, &[], Some("27"))));
        wells.push(named("weak 2", well(Role::External(Virus::Hbv), &[(Virus::Hbv, "36")], Some("28"))));
        let controls = wells.iter().map(|well| (well.control.clone(), vec![well.role])).collect();
        (BatchRules { controls, ..rules() }, wells)
    }

    #[test]
    fn a_missing_control_has_failed_though_another_of_its_target_is_there() {
        use RunState::{Invalid, Valid};
        let (rules, wells) = twins();
        let whole = rules.assess(&wells);
        assert_eq!((whole.kit, whole.external), (Valid, Valid), "{}", whole.why);
        for (name, kit, external) in
            [("HIV-2", Invalid, Valid), ("negative 2", Invalid, Valid), ("weak 2", Valid, Invalid)]
        {
            let rest: Vec<NatWell> = wells.iter().filter(|well| well.control != name).cloned().collect();
            let found = rules.assess(&rest);
            assert_eq!((found.kit, found.external), (kit, external), "{name}: {}", found.why);
            assert!(found.why.contains(&format!("control {name} is missing (R-RUN-03)")), "{}", found.why);
            assert!(found.why_zh.contains(&format!("{name}（R-RUN-03）")), "{}", found.why_zh);
        }
    }

    fn good() -> Vec<NatWell> {
        let mut wells = vec![well(Role::Negative, &[], Some("27"))];
        for target in [Virus::Hbv, Virus::Hcv, Virus::Hiv] {
            wells.push(well(Role::Positive(target), &[(target, "26")], None));
            wells.push(well(Role::External(target), &[(target, "36")], Some("28")));
        }
        wells
    }

    #[test]
    fn what_no_name_stands_for_has_failed_too() {
        use RunState::Invalid;
        let none = rules().assess(&[]);
        assert_eq!((none.kit, none.external), (Invalid, Invalid));
        assert!(none.why.contains("R-RUN-03") && none.why_zh.contains("R-RUN-03"), "{}", none.why);
        let unnamed = BatchRules { controls: BTreeMap::new(), ..rules() }.assess(&[]);
        assert_eq!((unnamed.kit, unnamed.external), (Invalid, Invalid));
        for why in ["no negative control", "no positive control of HIV", "no external control of HBV"] {
            assert!(unnamed.why.contains(why), "{}", unnamed.why);
        }
    }
}
