//! From what was found to what an analyser prints of it.

use super::context::{Found, Summary};
use super::file::{AssayFile, ControlReads};
use crate::scenario::{Draw, Finding, Level, Reading};
use rust_decimal::{Decimal, RoundingStrategy};
use vocabulary::{Grade, Marker, MarkerKind, Strength};

impl Found {
    /// What an analyser with `assay` prints of `finding`.
    pub(super) fn new(finding: &Finding, assay: &AssayFile) -> Self {
        match finding {
            Finding::Index(index) => Self::of_index(*index, assay),
            Finding::Target { ct, control_ct } => Self {
                interpretation: Some(reactive(ct.is_some())),
                value: ct.map(|ct| ct.to_string()),
                ct: ct.map(|ct| ct.to_string()),
                control_ct: Some(control_ct.to_string()),
                ..Self::default()
            },
            Finding::Grade(grade) => Self {
                interpretation: Some(if grade.is_zero() { "negative" } else { "positive" }),
                value: Some(grade.to_string()),
                grade: Some(grade.to_string()),
                ..Self::default()
            },
            Finding::Activity(activity) => Self {
                value: Some(activity.to_string()),
                activity: Some(activity.to_string()),
                ..Self::default()
            },
            Finding::Invalid => Self { interpretation: Some("invalid"), ..Self::default() },
        }
    }

    fn of_index(index: Decimal, assay: &AssayFile) -> Self {
        let half_up =
            |d: Decimal, places| d.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        let times = |factor: Option<Decimal>, places| factor.map(|f| half_up(index * f, places).to_string());
        Self {
            interpretation: Some(reactive(index >= Decimal::ONE)),
            value: Some(index.to_string()),
            index: Some(index.to_string()),
            od: times(assay.cutoff, 3),
            cutoff: assay.cutoff.map(|c| c.to_string()),
            signal: times(assay.signal_cutoff, 0),
            ..Self::default()
        }
    }

    /// What an analyser that judges its controls itself prints of one.
    pub(super) fn judged(self, passes: bool) -> Self {
        Self { interpretation: Some(if passes { "valid" } else { "invalid" }), ..self }
    }
}

fn reactive(is: bool) -> &'static str {
    if is { "reactive" } else { "non_reactive" }
}

/// What a control material reads of `marker` when it has to read `reads`, and when it fails.
pub(super) fn control_finding(draw: &mut Draw, marker: Marker, reads: ControlReads, passes: bool) -> Finding {
    let positive = match reads {
        ControlReads::Reactive | ControlReads::Positive | ControlReads::Valid => passes,
        ControlReads::NonReactive | ControlReads::Negative => !passes,
        ControlReads::Activity(target) => return Finding::Activity(draw.near(target, passes)),
    };
    match marker.kind() {
        MarkerKind::Serology => Finding::Index(draw.index(if positive { Level::Weak } else { Level::Low })),
        MarkerKind::Nat => draw.target(positive),
        MarkerKind::Grouping | MarkerKind::Screening => {
            Finding::Grade(Grade::plain(if positive { Strength::Four } else { Strength::Zero }))
        }
        MarkerKind::Chemistry => Finding::Invalid,
    }
}

impl Summary {
    /// What the columns say together: nothing where they disagree, are weak by a remark, or are not all there.
    pub(super) fn of(readings: &[Reading]) -> Self {
        let grade = |marker| {
            readings.iter().find_map(|r| match r.finding {
                Finding::Grade(grade) if r.marker == marker => Some(grade),
                Finding::Grade(_)
                | Finding::Index(_)
                | Finding::Target { .. }
                | Finding::Activity(_)
                | Finding::Invalid => None,
            })
        };
        let clear = |marker| grade(marker).filter(|g| !g.has_remark()).map(|g| !g.is_zero());
        if clear(Marker::GroupControl) != Some(false) {
            return Self::default();
        }
        let columns = [Marker::AntiA, Marker::AntiB, Marker::A1Cells, Marker::BCells].map(clear);
        let abo = match columns {
            [Some(false), Some(false), Some(true), Some(true)] => Some("O"),
            [Some(true), Some(false), Some(false), Some(true)] => Some("A"),
            [Some(false), Some(true), Some(true), Some(false)] => Some("B"),
            [Some(true), Some(true), Some(false), Some(false)] => Some("AB"),
            _ => None,
        };
        let rhd = clear(Marker::AntiD).map(|d| if d { "positive" } else { "negative" });
        Self { abo, rhd }
    }
}
