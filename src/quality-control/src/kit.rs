//! A kit's run: its controls against the maker's criteria, its cut-off, and what each sample well then says (rules.md §2.1).

use crate::formula::{Criterion, Formula, FormulaFault, NoValue, Range, Well, Wells};
use crate::ratio::{Inexact, Ratio};
use crate::run_validity::RunState;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocabulary::Comparator;

/// Criteria that a kit may have, and wells that a control may have on one run.
const CRITERIA_MAX: usize = 64;
const WELLS_MAX: usize = 384;

/// Which way the signal runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// A strong signal is reactive: at or above the cut-off.
    #[default]
    Direct,
    /// A weak signal is reactive: at or below the cut-off.
    Competitive,
}

/// A kit's rules as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitText {
    /// Name of the kit.
    pub name: String,
    /// Which way its signal runs.
    #[serde(default)]
    pub signal: Signal,
    /// Wells that each control must have on a run; a control missing or short of them has failed (R-RUN-03).
    pub controls: BTreeMap<String, usize>,
    /// What has to hold, each with its own line.
    pub criteria: Vec<String>,
    /// The cut-off.
    pub cutoff: String,
    /// The lowest signal of a sample that is still a result.
    #[serde(default = "lowest")]
    pub od_min: Decimal,
    /// The lowest signal of a sample that is still a result on its run, such as `mean(BLK) - 0.050`: one below the blank, or
    /// one that an empty well gives (rules.md §2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_min: Option<String>,
    /// Where the reader's range ends: above it a signal is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub od_max: Option<Decimal>,
}

/// Rules.md §2.1: below −0.05 a well is no result.
pub(crate) fn lowest() -> Decimal {
    Decimal::new(-5, 2)
}

/// A kit whose rules were read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kit {
    text: KitText,
    criteria: Vec<Criterion>,
    cutoff: Formula,
    sample_min: Option<Formula>,
}

/// What a run's controls make of its samples' signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The cut-off.
    pub cutoff: Ratio,
    /// The lowest signal that is still a result; none where the kit names none.
    pub sample_min: Option<Ratio>,
}

impl From<Ratio> for Limits {
    fn from(cutoff: Ratio) -> Self {
        Self { cutoff, sample_min: None }
    }
}

/// What is wrong with a kit's rules: in which line, where in it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct KitFault {
    /// `criteria[2]`, `cutoff`, `controls`.
    pub at: String,
    /// What, with column and remedy.
    pub what: String,
}

/// What a kit's controls came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitRun {
    /// Valid or invalid: what is not there has failed. Open only where a bound (`>3.5`) leaves a criterion open.
    pub state: RunState,
    /// Why not, in English; empty when valid.
    pub why: String,
    /// Why not, in Chinese; empty when valid.
    pub why_zh: String,
    /// The cut-off, exact; none when the run is not valid.
    pub cutoff: Option<Ratio>,
    /// The lowest signal of a sample that is still a result, where the kit names one and the run is valid.
    pub sample_min: Option<Ratio>,
    /// Wells that were dropped as the kit allows: control and number, from 1.
    pub dropped: Vec<(String, usize)>,
    /// Each criterion, and what it came to.
    pub checks: Vec<Check>,
}

/// What a control well measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WellSignal {
    /// The number.
    pub od: Decimal,
    /// A bound before it: the reader's range ends there.
    pub bound: Option<Comparator>,
}

impl From<Decimal> for WellSignal {
    fn from(od: Decimal) -> Self {
        Self { od, bound: None }
    }
}

/// What one criterion came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The criterion as the kit has it.
    pub criterion: String,
    /// Whether it holds; none where a bound leaves that open.
    pub holds: Option<bool>,
    /// The values it was made with, and the limit: `PC[1] = 0.75, limit >= 0.8`.
    pub measured: String,
}

/// What a sample well says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleCall {
    /// At or beyond the cut-off.
    Reactive {
        /// Signal to cut-off; none above the reader's range, where there is no number.
        sco: Option<Ratio>,
    },
    /// On the safe side of the cut-off.
    NonReactive {
        /// Signal to cut-off; none above the reader's range of a competitive kit.
        sco: Option<Ratio>,
    },
    /// No result: repeat it.
    Invalid {
        /// Why.
        why: &'static str,
        /// The same in Chinese.
        why_zh: &'static str,
    },
}

impl Kit {
    /// Checks a kit's rules.
    ///
    /// # Errors
    /// Every [`KitFault`] that there is.
    pub fn new(text: KitText) -> Result<Self, Vec<KitFault>> {
        let mut faults = Vec::new();
        let told = |at: String, fault: FormulaFault| KitFault { at, what: fault.to_string() };
        if text.criteria.len() > CRITERIA_MAX {
            let what = format!("more than {CRITERIA_MAX} criteria; join some of them with AND");
            faults.push(KitFault { at: "criteria".into(), what });
        }
        let mut criteria = Vec::new();
        for (at, line) in text.criteria.iter().enumerate().take(CRITERIA_MAX) {
            match Criterion::read(line) {
                Ok(read) => criteria.push(read),
                Err(fault) => faults.push(told(format!("criteria[{at}]"), fault)),
            }
        }
        let cutoff = Formula::read(&text.cutoff).map_err(|fault| faults.push(told("cutoff".into(), fault)));
        let sample_min = text.sample_min.as_ref().and_then(|line| {
            Formula::read(line).map_err(|fault| faults.push(told("sample_min".into(), fault))).ok()
        });
        for (control, wells) in &text.controls {
            if !(1..=WELLS_MAX).contains(wells) {
                let what = format!("{control} has {wells} wells; write 1 to {WELLS_MAX}");
                faults.push(KitFault { at: "controls".into(), what });
            }
        }
        let named = criteria.iter().enumerate().flat_map(|(at, c)| {
            c.controls().into_iter().map(move |control| (format!("criteria[{at}]"), control))
        });
        let by_cutoff = cutoff.as_ref().ok().into_iter().flat_map(Formula::controls);
        let by_cutoff = by_cutoff.map(|control| ("cutoff".to_owned(), control));
        let by_min = sample_min.iter().flat_map(Formula::controls).map(|c| ("sample_min".to_owned(), c));
        for (at, control) in named.chain(by_cutoff).chain(by_min) {
            if !text.controls.contains_key(control) {
                let known: Vec<&str> = text.controls.keys().map(String::as_str).collect();
                let what = format!("{control} is no control of this kit; write one of {}", known.join(", "));
                faults.push(KitFault { at, what });
            }
        }
        for control in text.controls.keys() {
            if !criteria.iter().any(|c| c.controls().contains(&control.as_str())) {
                let what = format!("no criterion speaks of {control}; write one, such as {control} <= 0.100");
                faults.push(KitFault { at: "controls".into(), what });
            }
        }
        match (cutoff, faults.is_empty()) {
            (Ok(cutoff), true) => Ok(Self { text, criteria, cutoff, sample_min }),
            (Ok(_) | Err(()), _) => Err(faults),
        }
    }

    /// The rules as they were written.
    #[must_use]
    pub fn text(&self) -> &KitText {
        &self.text
    }

    /// Holds a run's control wells against the kit: every criterion has to hold (R-RUN-01).
    #[must_use]
    pub fn assess<S: Copy + Into<WellSignal>>(&self, controls: &BTreeMap<String, Vec<S>>) -> KitRun {
        let mut wells = match wells_of(controls) {
            Ok(wells) => wells,
            Err(inexact) => {
                return invalid(vec![(inexact.to_string(), "质控数值过长".into())], Vec::new(), Vec::new());
            }
        };
        let mut against = Vec::new();
        for (control, need) in &self.text.controls {
            let have = wells.0.get(control).map_or(0, Vec::len);
            if have < *need {
                against.push((
                    format!("control {control}: {have} of {need} wells (R-RUN-03)"),
                    format!("对照 {control}：应有 {need} 孔，现有 {have} 孔（R-RUN-03）"),
                ));
            }
        }
        let mut unknown = Vec::new();
        let checks = self.checks(&mut wells, &mut against, &mut unknown);
        let dropped = dropped(&wells);
        let mut found = Found { wells: &wells, against: &mut against, unknown: &mut unknown };
        let cutoff = found.value(&self.cutoff, ("the cut-off", "临界值"));
        let sample_min = self.sample_min.as_ref();
        let sample_min =
            sample_min.and_then(|min| found.value(min, ("the lowest signal of a sample", "标本最低信号")));
        if let Some(number) = cutoff.filter(|number| *number <= Ratio::ZERO) {
            against.push((
                format!("the cut-off is {number}, which is not above 0"),
                format!("临界值为 {number}，不大于 0"),
            ));
        }
        if !against.is_empty() {
            return invalid(against, dropped, checks);
        }
        if !unknown.is_empty() {
            return open(unknown, dropped, checks);
        }
        let (why, why_zh) = (String::new(), String::new());
        KitRun { state: RunState::Valid, why, why_zh, cutoff, sample_min, dropped, checks }
    }

    /// Each criterion, and what it came to; what does not hold, and what nobody can know, in words.
    fn checks(&self, wells: &mut Wells, against: &mut Vec<Words>, unknown: &mut Vec<Words>) -> Vec<Check> {
        let mut results: Vec<(usize, Check)> = Vec::new();
        // What may drop a well speaks first: a well that is left out counts in no mean.
        for drops in [true, false] {
            for (at, criterion) in self.criteria.iter().enumerate().filter(|(_, c)| c.drops() == drops) {
                let text = criterion.text();
                let measured = criterion.told(wells);
                let found = criterion.holds(wells);
                let holds = match found {
                    Ok(Some(true)) => Some(true),
                    Ok(Some(false)) => {
                        against.push((
                            format!("{text} does not hold ({measured})"),
                            format!("不符合 {text}（{measured}）"),
                        ));
                        Some(false)
                    }
                    Ok(None) => {
                        unknown.push((
                            format!("nobody can know whether {text} holds ({measured})"),
                            format!("无法判定是否符合 {text}（{measured}）"),
                        ));
                        None
                    }
                    Err(none) => {
                        against.push((format!("{text}: {none}"), format!("{text}：无法计算（{none}）")));
                        Some(false)
                    }
                };
                results.push((at, Check { criterion: text.to_owned(), holds, measured }));
            }
        }
        results.sort_unstable_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, check)| check).collect()
    }

    /// What a sample well says by the limits of its run, or by a cut-off alone. A bound before the signal is the reader's
    /// range.
    ///
    /// # Errors
    /// [`Inexact`] when the signal has too many digits.
    pub fn sample(
        &self,
        bound: Option<Comparator>,
        od: Decimal,
        limits: impl Into<Limits>,
    ) -> Result<SampleCall, Inexact> {
        let Limits { cutoff, sample_min } = limits.into();
        let above = matches!(bound, Some(Comparator::Above | Comparator::AtLeast))
            || self.text.od_max.is_some_and(|max| od > max);
        let below = matches!(bound, Some(Comparator::Below | Comparator::AtMost));
        let signal = Ratio::of(od)?;
        let sco = || signal.by(cutoff).ok();
        if below && signal > cutoff {
            let (why, why_zh) =
                ("the bound leaves it open on which side of the cut-off it lies", "结果范围跨临界值");
            return Ok(SampleCall::Invalid { why, why_zh });
        }
        if !above && !below && od < self.text.od_min {
            let (why, why_zh) = ("the signal lies below what is still a result", "信号低于有效下限");
            return Ok(SampleCall::Invalid { why, why_zh });
        }
        // What lies below a bound may lie below the lowest signal, too.
        if !above && sample_min.is_some_and(|min| signal < min || below) {
            let why = "the signal lies below what the kit takes for a sample on this plate (sample_min): the well may be \
                       empty, or little was pipetted";
            let why_zh = "信号低于试剂盒规定的本板标本最低值（sample_min）：可能为空孔或加样不足";
            return Ok(SampleCall::Invalid { why, why_zh });
        }
        Ok(match (self.text.signal, above) {
            (Signal::Direct, true) => SampleCall::Reactive { sco: None },
            (Signal::Competitive, true) => SampleCall::NonReactive { sco: None },
            (Signal::Direct, false) if signal >= cutoff && !below => SampleCall::Reactive { sco: sco() },
            (Signal::Competitive, false) if signal <= cutoff => SampleCall::Reactive { sco: sco() },
            (Signal::Direct | Signal::Competitive, false) => SampleCall::NonReactive { sco: sco() },
        })
    }

    /// The cut-off as a decimal that loses no reactive sample: exact where a decimal can be, else rounded to the side on
    /// which more is reactive.
    #[must_use]
    pub fn decimal_cutoff(&self, cutoff: Ratio) -> Option<Decimal> {
        match self.text.signal {
            Signal::Direct => cutoff.at_most(),
            Signal::Competitive => cutoff.at_least(),
        }
    }
}

/// English and Chinese.
type Words = (String, String);

/// What a run's controls came to so far.
struct Found<'r> {
    wells: &'r Wells,
    against: &'r mut Vec<Words>,
    unknown: &'r mut Vec<Words>,
}

impl Found<'_> {
    /// A formula's number, or why there is none.
    fn value(&mut self, formula: &Formula, (name, name_zh): (&str, &str)) -> Option<Ratio> {
        match formula.value(self.wells) {
            Ok(value) => {
                if value.number().is_none() {
                    let text = formula.text();
                    self.unknown.push((
                        format!("{name} {text} is {value}, which is no number"),
                        format!("{name_zh} {text} 为 {value}，不是数值"),
                    ));
                }
                value.number()
            }
            Err(NoValue::TooFew { .. }) if !self.against.is_empty() => None,
            Err(none) => {
                self.against.push((format!("{name}: {none}"), format!("{name_zh}：{none}")));
                None
            }
        }
    }
}

impl KitRun {
    /// What its samples' signals are held against; nothing when it is not valid.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        self.cutoff.map(|cutoff| Limits { cutoff, sample_min: self.sample_min })
    }
}

fn wells_of<S: Copy + Into<WellSignal>>(controls: &BTreeMap<String, Vec<S>>) -> Result<Wells, Inexact> {
    let one = |well: &S| {
        let WellSignal { od, bound } = (*well).into();
        Ok(Well { signal: Range::sent(Ratio::of(od)?, bound), dropped: false })
    };
    let all = controls.iter().map(|(name, wells)| {
        Ok((name.clone(), wells.iter().take(WELLS_MAX).map(one).collect::<Result<_, Inexact>>()?))
    });
    Ok(Wells(all.collect::<Result<_, Inexact>>()?))
}

fn dropped(wells: &Wells) -> Vec<(String, usize)> {
    let each = wells.0.iter().flat_map(|(name, list)| {
        list.iter().enumerate().filter(|(_, well)| well.dropped).map(move |(at, _)| (name.clone(), at + 1))
    });
    each.collect()
}

fn invalid(against: Vec<Words>, dropped: Vec<(String, usize)>, checks: Vec<Check>) -> KitRun {
    let (en, zh): (Vec<String>, Vec<String>) = against.into_iter().unzip();
    KitRun {
        state: RunState::Invalid,
        why: format!("{}; repeat every sample in a new run (R-RUN-01)", en.join("; ")),
        why_zh: format!("{}；本批全部标本在新批次中重做（R-RUN-01）", zh.join("；")),
        cutoff: None,
        sample_min: None,
        dropped,
        checks,
    }
}

/// The reader's range ends before the limit: it has not failed, and proves nothing.
fn open(unknown: Vec<Words>, dropped: Vec<(String, usize)>, checks: Vec<Check>) -> KitRun {
    let (en, zh): (Vec<String>, Vec<String>) = unknown.into_iter().unzip();
    KitRun {
        state: RunState::Open,
        why: format!(
            "{}: the reader's range ends before the limit; read the plate again where it does not, or repeat every sample \
             in a new run",
            en.join("; ")
        ),
        why_zh: format!(
            "{}：超出酶标仪量程；请换用量程足够的方式重读，或本批全部标本在新批次中重做",
            zh.join("；")
        ),
        cutoff: None,
        sample_min: None,
        dropped,
        checks,
    }
}
