//! A plate's control wells against its kit, and what that makes of the sample wells (rules.md §2.1). Wells of another plate
//! stand for nothing here (R-RUN-04).

use super::occurrence::Own;
use super::{Known, Outcome, invalid_control, is_final};
use crate::facts::{Fact, KitWord, RunCheck, Told};
use crate::measurement::identity;
use ledger::EvidenceObservation;
use quality_control::RunState;
use quality_control::kit::{Kit, KitRun, Limits, SampleCall, Signal, WellSignal};
use quality_control::kits::{BLANK, ExternalControl, KitFile, PlateRules};
use quality_control::ratio::Ratio;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use vocabulary::{Interpretation, Observation, RunId, SpecimenKind};

/// Assesses a plate for results of one kit; each assay by its own control wells.
pub(super) fn assess(
    (kit, rules): (&KitFile, &PlateRules),
    (run, own, known): (&RunId, &Own, &mut Known),
    controls: &[&EvidenceObservation],
    facts: Vec<&mut Fact>,
) -> Outcome {
    let mut by_assay: BTreeMap<String, Vec<&mut Fact>> = BTreeMap::new();
    for fact in facts {
        by_assay.entry(fact.observation.assay.clone()).or_default().push(fact);
    }
    let mut all = Outcome::valid().by(kit);
    for (assay, facts) in by_assay {
        let (outcome, limits) = known.plate((run, own, &assay), kit, || of_assay(rules, controls, &assay));
        if let Some(limits) = limits {
            for fact in facts {
                let word = word(&rules.kit, &fact.observation, limits);
                fact.kit = Some(KitWord { maker: kit.maker.clone(), ..word });
            }
        }
        all = all.and(outcome);
    }
    all
}

/// The control wells of an assay, each once; or why they cannot be used.
fn wells<'c>(controls: &[&'c EvidenceObservation], assay: &str) -> Result<Vec<&'c Observation>, Told> {
    let mut versions: BTreeMap<String, &Observation> = BTreeMap::new();
    for control in controls.iter().filter(|c| c.observation.assay == assay) {
        let o = &control.observation;
        match o.kind {
            SpecimenKind::Control | SpecimenKind::Blank => {}
            SpecimenKind::Calibrator
            | SpecimenKind::Patient
            | SpecimenKind::Proficiency
            | SpecimenKind::Unknown => continue,
        }
        match is_final(o) {
            Some(true) => {}
            Some(false) => continue,
            None => return Err(invalid_control(o, "no result was obtained", "未得出结果")),
        }
        let place = if o.replicate.is_some() { "" } else { o.source.record.as_str() };
        let name = o.control.as_ref().map_or(BLANK, |control| control.name.as_str());
        let of = identity((&control.connection, &control.profile.id), Some(name), o);
        let known = versions.entry(format!("{of} {place}")).or_insert(o);
        if known.value != o.value {
            return Err(invalid_control(o, "it was sent with different values", "同一孔收到不同的数值"));
        }
    }
    let mut all: Vec<&Observation> = versions.into_values().collect();
    all.sort_by_key(|o| {
        (o.replicate.as_ref().map(String::len), o.replicate.clone(), o.source.record.clone())
    });
    Ok(all)
}

fn of_assay(rules: &PlateRules, controls: &[&EvidenceObservation], assay: &str) -> (Outcome, Option<Limits>) {
    let wells = match wells(controls, assay) {
        Ok(wells) => wells,
        Err(why) => return (Outcome::invalid(why), None),
    };
    if wells.is_empty() {
        let why = Told::new(
            format!(
                "no control well of {assay} has come yet, and those of another plate do not stand for it (R-RUN-04); \
                 send the whole plate"
            ),
            format!("尚未收到 {assay} 的对照孔，其他板的对照孔不能代替（R-RUN-04）；请传送整板结果"),
        );
        return (Outcome::open(why), None);
    }
    let mut of_kit: BTreeMap<String, Vec<WellSignal>> = BTreeMap::new();
    let mut external: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    for o in wells {
        let name = match o.kind {
            SpecimenKind::Blank => BLANK,
            SpecimenKind::Control
            | SpecimenKind::Calibrator
            | SpecimenKind::Patient
            | SpecimenKind::Proficiency
            | SpecimenKind::Unknown => o.control.as_ref().map_or("?", |control| control.name.as_str()),
        };
        let unusable = o.value.interpretation == Some(Interpretation::Invalid);
        let Some(od) = o.value.od.filter(|_| !unusable) else {
            return (Outcome::invalid(invalid_control(o, "it has no usable OD", "无可用 OD 值")), None);
        };
        if let Some(formula) = rules.names.get(name) {
            of_kit.entry(formula.clone()).or_default().push(WellSignal { od, bound: o.value.comparator });
        } else if rules.external.contains_key(name) {
            external.entry(name).or_default().push(o);
        } else {
            return (
                Outcome::invalid(invalid_control(o, "the kit knows no such control", "试剂盒规则中无此对照")),
                None,
            );
        }
    }
    let run = rules.kit.assess(&of_kit);
    let checks = checks(&run, assay);
    let limits = run.limits();
    let outcome = match (run.state, limits) {
        (RunState::Valid, Some(limits)) => by_external(rules, &external, limits),
        (RunState::Open, _) => Outcome::open(told(&run, assay)),
        (RunState::Valid | RunState::Invalid, _) => Outcome::invalid(told(&run, assay)),
    };
    (Outcome { checks, ..outcome }, limits)
}

fn told(run: &KitRun, assay: &str) -> Told {
    Told::new(format!("{assay}: {}", run.why), format!("{assay}：{}", run.why_zh))
}

fn checks(run: &KitRun, assay: &str) -> Vec<RunCheck> {
    let mut all: Vec<RunCheck> = run
        .checks
        .iter()
        .map(|check| RunCheck {
            assay: assay.to_owned(),
            criterion: check.criterion.clone(),
            holds: check.holds,
            measured: check.measured.clone(),
        })
        .collect();
    all.extend(run.dropped.iter().map(|(control, well)| RunCheck {
        assay: assay.to_owned(),
        criterion: format!("{control}[{well}]"),
        holds: Some(true),
        measured: "left out, as the kit allows".to_owned(),
    }));
    for (name, number) in [("cutoff", run.cutoff), ("sample_min", run.sample_min)] {
        all.extend(number.map(|number| RunCheck {
            assay: assay.to_owned(),
            criterion: name.to_owned(),
            holds: Some(true),
            measured: number.to_string(),
        }));
    }
    all
}

/// The laboratory's own controls, by the plate's cut-off. One that is missing has failed (R-RUN-03).
fn by_external(rules: &PlateRules, wells: &BTreeMap<&str, Vec<&Observation>>, limits: Limits) -> Outcome {
    let mut found: Vec<Against> = Vec::new();
    for (is, control) in &rules.external {
        let own = wells.get(is.as_str()).map_or(&[][..], Vec::as_slice);
        let (name, have, need) = (&control.name, own.len(), control.wells);
        if have < need {
            found.push(Against::Out(Told::new(
                format!("external control {name}: {have} of {need} wells (R-RUN-03)"),
                format!("室内质控 {name}：应有 {need} 孔，现有 {have} 孔（R-RUN-03）"),
            )));
        }
        found.extend(own.iter().filter_map(|o| against(&rules.kit, control, o, limits)));
    }
    let is_out = found.iter().any(|one| matches!(one, Against::Out(_)));
    let told = found.into_iter().map(|one| match one {
        Against::Out(told) | Against::Unknown(told) => told,
    });
    let Some(told) = told.reduce(|one, next| one.and(&next)) else { return Outcome::valid() };
    let close = |en: &str, zh: &str| Told::new(format!("{}; {en}", told.en), format!("{}；{zh}", told.zh));
    if is_out {
        Outcome::out_of_control(close(
            "repeat in a new run what the pack does not keep (R-GATE-05)",
            "除规则包要求保留者外，在新批次中重做（R-GATE-05）",
        ))
    } else {
        Outcome::qc_open(close(
            "read the plate again where the reader's range does not end before the limit, or repeat in a new run (R-GATE-05)",
            "请换用量程足够的方式重读，或在新批次中重做（R-GATE-05）",
        ))
    }
}

/// What a well of a laboratory's control says against the plate.
enum Against {
    Out(Told),
    /// The reader's range ends before the limit.
    Unknown(Told),
}

fn against(kit: &Kit, control: &ExternalControl, o: &Observation, limits: Limits) -> Option<Against> {
    let (name, cutoff) = (&control.name, limits.cutoff);
    let od = o.value.od?;
    let sco = match kit.sample(o.value.comparator, od, limits) {
        Ok(SampleCall::Reactive { sco }) => sco,
        Ok(SampleCall::NonReactive { .. } | SampleCall::Invalid { .. }) | Err(_) => {
            return Some(Against::Out(Told::new(
                format!("external control {name} is not reactive: OD {od}, cut-off {cutoff}"),
                format!("室内质控 {name} 无反应性：OD {od}，临界值 {cutoff}"),
            )));
        }
    };
    // Above the reader's range all that is known is where the range ends.
    let ends = kit.text().od_max.map_or(od, |max| od.min(max));
    let at_least = Ratio::of(ends).and_then(|ends| ends.by(cutoff)).ok();
    let limit = |limit: Option<Decimal>| limit.and_then(|number| Ratio::of(number).ok());
    let (low, high) = (limit(control.sco_min), limit(control.sco_max));
    let (is_out, is_known) = match (sco, at_least) {
        (Some(sco), _) => (low.is_some_and(|low| sco < low) || high.is_some_and(|high| sco > high), true),
        (None, Some(least)) => {
            let meets_low = low.is_none_or(|low| least >= low);
            (high.is_some_and(|high| least >= high), meets_low && high.is_none())
        }
        (None, None) => (false, low.is_none() && high.is_none()),
    };
    let shown = match (sco, at_least) {
        (Some(sco), _) => sco.to_string(),
        (None, Some(least)) => format!(">{least}"),
        (None, None) => ">".to_owned(),
    };
    let bound = |number: Option<Decimal>| number.map_or_else(String::new, |number| number.to_string());
    let range = format!("{}–{}", bound(control.sco_min), bound(control.sco_max));
    if is_out {
        return Some(Against::Out(Told::new(
            format!("external control {name} has S/CO {shown}, outside {range}"),
            format!("室内质控 {name} S/CO {shown}，超出 {range}"),
        )));
    }
    (!is_known).then(|| {
        Against::Unknown(Told::new(
            format!("external control {name} has S/CO {shown}: nobody can know whether it is within {range}"),
            format!("室内质控 {name} S/CO {shown}：无法判定是否在 {range} 内"),
        ))
    })
}

/// What the kit makes of a sample's well.
fn word(kit: &Kit, o: &Observation, limits: Limits) -> KitWord {
    let cutoff = limits.cutoff;
    let competitive = kit.text().signal == Signal::Competitive;
    let mut word = KitWord { competitive, ..KitWord::default() };
    let Some(od) = o.value.od else {
        word.invalid = limits.sample_min.map(|_| {
            let en = "no OD was sent, so that nobody can know whether the well had its sample (sample_min)";
            Told::new(en, "未收到 OD 值，无法判定孔内是否加样（sample_min）")
        });
        return word;
    };
    match kit.sample(o.value.comparator, od, limits) {
        Ok(SampleCall::Invalid { why, why_zh }) => word.invalid = Some(Told::new(why, why_zh)),
        Err(inexact) => word.invalid = Some(Told::new(inexact.to_string(), "信号数值过长")),
        Ok(SampleCall::Reactive { .. } | SampleCall::NonReactive { .. }) => {
            let own = kit.decimal_cutoff(cutoff);
            word.differs = o.value.cutoff.filter(|sent| differs(*sent, cutoff));
            // Of two cut-offs the one that loses no reactive sample.
            word.cutoff = match (own, o.value.cutoff) {
                (Some(own), Some(sent)) if competitive => Some(own.max(sent)),
                (Some(own), Some(sent)) => Some(own.min(sent)),
                (own, _) => own,
            };
        }
    }
    word
}

/// Whether a cut-off that was sent is another one than the kit's, by more than its last digit leaves open.
fn differs(sent: Decimal, cutoff: Ratio) -> bool {
    let last_digit = Decimal::new(1, sent.scale());
    let of = |number: Option<Decimal>| number.and_then(|number| Ratio::of(number).ok());
    match (of(sent.checked_sub(last_digit)), of(sent.checked_add(last_digit))) {
        (Some(low), Some(high)) => cutoff <= low || cutoff >= high,
        (_, _) => true,
    }
}
