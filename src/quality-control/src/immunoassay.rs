//! Analysers that run sample after sample (CLIA, ECLIA): which of their results a calibration and controls stand for
//! (rules.md §2.2).
//!
//! A result stands when the calibration was valid, its lot was the reagent's, and every control level was in range since
//! the last calibration, lot change or maintenance and within the window, with no later reading out of range before it.
//! After a reading out of range everything back to the last good one waits until the control was repeated.

use jiff::tz::{Offset, TimeZone};
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
    /// Calibrations, in any order; none at all where the analyser keeps them to itself and measures nothing without one.
    pub calibrations: Option<Vec<Calibration>>,
    /// Control readings, in any order.
    pub controls: Vec<ControlReadingAt>,
    /// Changes after which controls have to run again: maintenance, a new pack of another lot.
    pub changes: Vec<Timestamp>,
    /// Levels that have to be in range.
    pub levels: BTreeSet<String>,
    /// The zone in which people are told of times; UTC without one.
    pub zone: Option<TimeZone>,
}

/// What stands for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowState {
    /// Calibration and every level stand for it.
    Valid,
    /// A level has not run, or too long ago: nothing stands for the result yet.
    Missing,
    /// A level was out of its range before the result, or was the next time that it ran.
    Out,
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
        self.window_after(None, lot, (tested, now), window_hours)
    }

    /// The same where a change beside those of the channel is known, not later than the result.
    #[must_use]
    pub fn window_after(
        &self,
        changed: Option<Timestamp>,
        lot: &str,
        (tested, now): (Timestamp, Timestamp),
        window_hours: i64,
    ) -> Window {
        let calibrated = match &self.calibrations {
            None => Timestamp::MIN,
            Some(all) => match calibrated(all, lot, tested) {
                Ok(at) => at,
                Err(window) => return window,
            },
        };
        let all = self.changes.iter().copied().chain(changed).filter(|at| *at <= tested);
        let since = all.max().map_or(calibrated, |at| at.max(calibrated));
        let span = Span::new().try_hours(window_hours.max(0)).ok();
        let oldest = span.and_then(|span| tested.checked_sub(span).ok()).map_or(since, |at| at.max(since));
        let against = self.levels.iter().filter_map(|l| self.level_against(l, lot, (oldest, tested, now)));
        // The gravest of them; of equal ones the first.
        let worst = against.reduce(|worst, next| if next.state > worst.state { next } else { worst });
        if let Some(window) = worst {
            return window;
        }
        if self.levels.is_empty() {
            let (en, zh) = ("no control level is named; name those of the kit", "未设定质控水平");
            return Window::new(WindowState::Missing, en, zh);
        }
        Window::new(WindowState::Valid, "", "")
    }

    /// A time as people at the analyser have it.
    fn told(&self, at: Timestamp) -> String {
        let offset = self.zone.as_ref().map_or(Offset::UTC, |zone| zone.to_offset(at));
        if offset == Offset::UTC { at.to_string() } else { at.display_with_offset(offset).to_string() }
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
                return Some(out(level, &self.told(control.at), false));
            }
            Some(control) if control.at >= oldest => {}
            Some(control) => {
                let at = self.told(control.at);
                return Some(Window::new(
                    WindowState::Missing,
                    format!(
                        "control {level} last ran at {at}, too long before it; run the control, then test again"
                    ),
                    format!("质控 {level} 最近一次为 {at}，距检测过久；请先做质控，再重测标本"),
                ));
            }
            None => {
                return Some(Window::new(
                    WindowState::Missing,
                    format!("control {level} has not run before it; run the control, then test again"),
                    format!("检测前未做质控 {level}；请先做质控，再重测标本"),
                ));
            }
        }
        // The next reading after the result: out of range, it takes back everything since the last good one.
        let next = own.iter().find(|c| c.at > tested)?;
        (!next.in_range).then(|| out(level, &self.told(next.at), true))
    }

    /// When the last control of any level ran that was not after the result: the window that the result lies in.
    #[must_use]
    pub fn opened(&self, lot: &str, tested: Timestamp) -> Option<Timestamp> {
        self.controls.iter().filter(|c| c.lot == lot && c.at <= tested).map(|c| c.at).max()
    }
}

/// A level that was out. Nothing that comes later changes that: what it took back is tested again.
fn out(level: &str, at: &str, after: bool) -> Window {
    let (which, which_zh) = if after { (", the first after it", "其后首次") } else { ("", "") };
    Window::new(
        WindowState::Out,
        format!(
            "control {level} was out of its range at {at}{which}; repeat the control first, and once it is in range \
             test the samples again"
        ),
        format!("{which_zh}质控 {level} 于 {at} 失控；请先重做质控，在控后重测标本"),
    )
}

/// When the calibration was made that stands for a result with `lot`.
fn calibrated(all: &[Calibration], lot: &str, tested: Timestamp) -> Result<Timestamp, Window> {
    let invalid = |en: &str, zh: &str| Err(Window::new(WindowState::Invalid, en, zh));
    let before = || all.iter().filter(|c| c.at <= tested);
    let Some(calibration) = before().filter(|c| c.lot == lot).max_by_key(|c| (c.at, !c.accepted)) else {
        let Some(other) = before().max_by_key(|c| c.at) else {
            return invalid("no calibration before it; calibrate", "检测前无定标；请定标");
        };
        let made = &other.lot;
        return Err(Window::new(
            WindowState::Invalid,
            format!("calibrated with reagent lot {made}, tested with {lot}; calibrate lot {lot}"),
            format!("定标批号 {made}，检测批号 {lot}；请用 {lot} 定标"),
        ));
    };
    if !calibration.accepted {
        return invalid("the calibration before it failed; calibrate again", "检测前定标未通过；请重新定标");
    }
    if calibration.expires < tested {
        return invalid("the calibration had expired; calibrate again", "定标已过期；请重新定标");
    }
    Ok(calibration.at)
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
            calibrations: Some(vec![Calibration {
                at: at(0),
                expires: at(700),
                lot: "L1".into(),
                accepted: true,
            }]),
            controls,
            changes: vec![],
            levels: ["neg", "pos"].map(str::to_owned).into(),
            zone: None,
        }
    }

    #[test]
    fn people_are_told_of_times_in_their_own_zone() {
        let shanghai = TimeZone::fixed(jiff::tz::offset(8));
        let mut channel = channel(vec![control(1, "neg", true), control(1, "pos", false)]);
        let told = |channel: &Channel| {
            let window = channel.window("L1", at(2), at(1000), WINDOW_HOURS);
            [window.why, window.why_zh].map(|why| why.contains("2023-11-15T07:13:20+08:00"))
        };
        assert_eq!(told(&channel), [false, false]);
        channel.zone = Some(shanghai);
        assert_eq!(told(&channel), [true, true]);
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
        check(&channel, 26, WindowState::Missing, "too long before it");
        channel.changes.push(at(3));
        check(&channel, 4, WindowState::Missing, "too long before it");
        check(&channel, 2, WindowState::Valid, "");
        channel.calibrations.as_mut().unwrap().push(Calibration {
            at: at(6),
            expires: at(9),
            lot: "L1".into(),
            accepted: true,
        });
        check(&channel, 7, WindowState::Missing, "too long before it");
        check(&channel, 10, WindowState::Invalid, "expired");
    }

    #[test]
    fn without_a_calibration_of_its_lot_a_result_is_none() {
        let mut channel = channel(vec![control(1, "neg", true), control(1, "pos", true)]);
        assert_eq!(channel.window("L2", at(2), at(9), WINDOW_HOURS).state, WindowState::Invalid);
        channel.calibrations.as_mut().unwrap()[0].accepted = false;
        check(&channel, 2, WindowState::Invalid, "failed");
        channel.calibrations = Some(vec![]);
        check(&channel, 2, WindowState::Invalid, "no calibration");
        channel.calibrations = None;
        check(&channel, 2, WindowState::Valid, "");
        channel = Channel { levels: BTreeSet::new(), ..self::channel(vec![]) };
        check(&channel, 2, WindowState::Missing, "no control level");
    }
}
