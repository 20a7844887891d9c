//! Analysers that run sample after sample (CLIA, ECLIA): which of their results a calibration and controls stand for
//! (rules.md §2.2).
//!
//! A result stands when the calibration was valid, its lot was the reagent's, and every control level was in range since
//! the last calibration, lot change or maintenance and within the window, with no later reading out of range before it.
//! After a reading out of range everything back to the last good one waits until the control was repeated.

use jiff::{Span, Timestamp};
use std::collections::BTreeSet;

/// Hours for which controls speak, where the site says nothing else.
pub const WINDOW_HOURS: i64 = 24;

/// A calibration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calibration {
    /// When it was made.
    pub at: Timestamp,
    /// Until when it holds.
    pub expires: Timestamp,
    /// Reagent lot that it was made with.
    pub lot: String,
    /// Whether the analyser accepted it.
    pub accepted: bool,
}

/// One reading of one control level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlReadingAt {
    /// When.
    pub at: Timestamp,
    /// Which level: negative, weak, positive.
    pub level: String,
    /// Reagent lot.
    pub lot: String,
    /// Whether it lay in its range.
    pub in_range: bool,
}

/// The history of one assay on one analyser.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channel {
    /// Calibrations, in any order.
    pub calibrations: Vec<Calibration>,
    /// Control readings, in any order.
    pub controls: Vec<ControlReadingAt>,
    /// Changes after which controls have to run again: maintenance, a new pack of another lot.
    pub changes: Vec<Timestamp>,
    /// Levels that have to be in range.
    pub levels: BTreeSet<String>,
}

/// What stands for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowState {
    /// Calibration and every level stand for it.
    Valid,
    /// A level is missing, too old or out: the result waits.
    Hold,
    /// The calibration does not cover it: repeat it.
    Invalid,
}

/// What stands for a result, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The state.
    pub state: WindowState,
    /// Why, in English; empty when valid.
    pub why: String,
    /// Why, in Chinese; empty when valid.
    pub why_zh: String,
}

impl Window {
    fn new(state: WindowState, why: impl Into<String>, why_zh: impl Into<String>) -> Self {
        Self { state, why: why.into(), why_zh: why_zh.into() }
    }
}

impl Channel {
    /// What stands for a result with a reagent lot at a time, by what is known at `now`.
    #[must_use]
    pub fn window(&self, lot: &str, tested: Timestamp, now: Timestamp, window_hours: i64) -> Window {
        let before = self.calibrations.iter().filter(|c| c.at <= tested);
        let Some(calibration) = before.max_by_key(|c| c.at) else {
            return Window::new(
                WindowState::Invalid,
                "no calibration before it; calibrate",
                "检测前无定标；请定标",
            );
        };
        if !calibration.accepted {
            let (en, zh) =
                ("the calibration before it failed; calibrate again", "检测前定标未通过；请重新定标");
            return Window::new(WindowState::Invalid, en, zh);
        }
        if calibration.expires < tested {
            let (en, zh) = ("the calibration had expired; calibrate again", "定标已过期；请重新定标");
            return Window::new(WindowState::Invalid, en, zh);
        }
        if calibration.lot != lot {
            let (made, used) = (&calibration.lot, lot);
            return Window::new(
                WindowState::Invalid,
                format!("calibrated with reagent lot {made}, tested with {used}; calibrate lot {used}"),
                format!("定标批号 {made}，检测批号 {used}；请用 {used} 定标"),
            );
        }
        let changes = self.changes.iter().copied().filter(|at| *at <= tested);
        let since = changes.max().map_or(calibration.at, |at| at.max(calibration.at));
        let span = Span::new().try_hours(window_hours.max(0)).ok();
        let oldest = span.and_then(|span| tested.checked_sub(span).ok()).map_or(since, |at| at.max(since));
        for level in &self.levels {
            if let Some(window) = self.level_against(level, lot, (oldest, tested, now)) {
                return window;
            }
        }
        if self.levels.is_empty() {
            let (en, zh) = ("no control level is named; name those of the kit", "未设定质控水平");
            return Window::new(WindowState::Hold, en, zh);
        }
        Window::new(WindowState::Valid, "", "")
    }

    /// What one level says against a result.
    fn level_against(
        &self,
        level: &str,
        lot: &str,
        (oldest, tested, now): (Timestamp, Timestamp, Timestamp),
    ) -> Option<Window> {
        let mut own: Vec<&ControlReadingAt> =
            self.controls.iter().filter(|c| c.level == level && c.lot == lot && c.at <= now).collect();
        // Of two readings at one moment the worse one counts.
        own.sort_by_key(|c| (c.at, !c.in_range));
        let last = own.iter().rev().find(|c| c.at <= tested);
        match last {
            Some(control) if !control.in_range => {
                return Some(Window::new(
                    WindowState::Hold,
                    format!("control {level} was out at {}; repeat the control first", control.at),
                    format!("质控 {level} 于 {} 失控；请先重做质控", control.at),
                ));
            }
            Some(control) if control.at >= oldest => {}
            Some(_) | None => {
                return Some(Window::new(
                    WindowState::Hold,
                    format!("control {level} has not run since {oldest}; run it"),
                    format!("质控 {level} 自 {oldest} 起未做；请补做"),
                ));
            }
        }
        // The next reading after the result: out of range, it takes back everything since the last good one.
        let next = own.iter().find(|c| c.at > tested)?;
        (!next.in_range).then(|| {
            Window::new(
                WindowState::Hold,
                format!(
                    "control {level} was out at {}, the first after it; repeat the control first",
                    next.at
                ),
                format!("其后首次质控 {level} 于 {} 失控；请先重做质控", next.at),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hour * 3600).unwrap()
    }

    fn control(hour: i64, level: &str, in_range: bool) -> ControlReadingAt {
        ControlReadingAt { at: at(hour), level: level.into(), lot: "L1".into(), in_range }
    }

    fn channel(controls: Vec<ControlReadingAt>) -> Channel {
        Channel {
            calibrations: vec![Calibration { at: at(0), expires: at(700), lot: "L1".into(), accepted: true }],
            controls,
            changes: vec![],
            levels: ["neg", "pos"].map(str::to_owned).into(),
        }
    }

    fn check(channel: &Channel, hour: i64, expect: WindowState, why: &str) {
        let found = channel.window("L1", at(hour), at(1000), WINDOW_HOURS);
        assert_eq!(found.state, expect, "{hour}: {}", found.why);
        assert!(found.why.contains(why), "{hour}: {}", found.why);
        assert_eq!(found.why.is_empty(), found.why_zh.is_empty());
    }

    #[test]
    fn controls_stand_for_a_day_and_not_across_a_calibration_or_a_change() {
        let mut channel = channel(vec![control(1, "neg", true), control(1, "pos", true)]);
        check(&channel, 2, WindowState::Valid, "");
        check(&channel, 25, WindowState::Valid, "");
        check(&channel, 26, WindowState::Hold, "has not run since");
        channel.changes.push(at(3));
        check(&channel, 4, WindowState::Hold, "has not run since");
        check(&channel, 2, WindowState::Valid, "");
        channel.calibrations.push(Calibration {
            at: at(6),
            expires: at(9),
            lot: "L1".into(),
            accepted: true,
        });
        check(&channel, 7, WindowState::Hold, "has not run since");
        check(&channel, 10, WindowState::Invalid, "expired");
    }

    /// F11: out three hours after calibration and not repeated: everything since the last good control waits.
    #[test]
    fn a_control_that_is_out_holds_back_to_the_last_good_one() {
        let good = [control(1, "neg", true), control(1, "pos", true)];
        let mut channel = channel([good.to_vec(), vec![control(3, "pos", false)]].concat());
        for (hour, state) in [(2, WindowState::Hold), (3, WindowState::Hold), (5, WindowState::Hold)] {
            check(&channel, hour, state, "repeat the control first");
        }
        channel.controls.push(control(4, "pos", true));
        check(&channel, 5, WindowState::Valid, "");
        check(&channel, 2, WindowState::Hold, "the first after it");
    }

    #[test]
    fn without_a_calibration_of_its_lot_a_result_is_none() {
        let mut channel = channel(vec![control(1, "neg", true), control(1, "pos", true)]);
        assert_eq!(channel.window("L2", at(2), at(9), WINDOW_HOURS).state, WindowState::Invalid);
        channel.calibrations[0].accepted = false;
        check(&channel, 2, WindowState::Invalid, "failed");
        channel.calibrations.clear();
        check(&channel, 2, WindowState::Invalid, "no calibration");
        channel = Channel { levels: BTreeSet::new(), ..self::channel(vec![]) };
        check(&channel, 2, WindowState::Hold, "no control level");
    }
}
