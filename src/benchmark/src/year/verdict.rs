//! What came of the year, for people and for programs.

use super::people::Attempts;
use crate::{BenchError, Format};
use serde_json::{Value, json};
use simulator::year::Kind;
use std::{collections::BTreeMap, fmt::Write as _, io::Write, time::Duration};

/// Where a donation is at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Released on its own day.
    AtOnce,
    /// Released later, after something held it.
    Later,
    /// Held, and it is said why.
    Held,
    /// Discarded.
    Discarded,
    /// Released, and called back.
    Recalled,
    /// Nobody can say.
    Lost,
}

/// Donations by what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) touched: u32,
    at_once: u32,
    later: u32,
    held: u32,
    discarded: u32,
    recalled: u32,
    pub(super) lost: u32,
    pub(super) undetectable: u32,
    pub(super) wrong: u32,
}

impl Row {
    pub(super) fn of(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::AtOnce => &mut self.at_once,
            Outcome::Later => &mut self.later,
            Outcome::Held => &mut self.held,
            Outcome::Discarded => &mut self.discarded,
            Outcome::Recalled => &mut self.recalled,
            Outcome::Lost => &mut self.lost,
        }
    }

    fn object(&self) -> Value {
        json!({"donations": self.touched, "released_at_once": self.at_once, "released_later": self.later,
            "held": self.held, "discarded": self.discarded, "recalled": self.recalled, "lost": self.lost,
            "undetectable": self.undetectable, "unsafe": self.wrong})
    }

    fn line(&self, name: &str) -> String {
        format!(
            "  {name:<28} {:>9} {:>8} {:>8} {:>8} {:>9} {:>8} {:>12} {:>6} {:>6}",
            self.touched,
            self.at_once,
            self.later,
            self.held,
            self.discarded,
            self.recalled,
            self.undetectable,
            self.lost,
            self.wrong
        )
    }
}

/// What came of a year.
#[derive(Debug)]
pub struct YearVerdict {
    pub(super) rows: BTreeMap<Kind, Row>,
    pub(super) attempts: BTreeMap<Kind, (u32, u32)>,
    pub(super) all: Row,
    pub(super) safe: Row,
    pub(super) untouched: Row,
    /// Of donors who gave half a year before, when nothing was found, and when something was.
    pub(super) came_back: Row,
    pub(super) after_finding: Row,
    pub(super) in_window: u32,
    pub(super) undetectable: u32,
    pub(super) undetectable_why: Vec<&'static str>,
    pub(super) unsafe_releases: u32,
    /// Safe donations that are held at the end, by what struck them and by gate.
    pub(super) kept_by: BTreeMap<(&'static str, String), u32>,
    pub(super) examples: Vec<String>,
    pub(super) messages: u64,
    pub(super) entries: u64,
    /// Working days that were played, and those that the year has.
    pub(super) days: (u32, u32),
    took: Duration,
}

impl YearVerdict {
    pub(super) fn new(attempts: Attempts, took: Duration) -> Self {
        Self {
            rows: BTreeMap::new(),
            attempts: attempts.made,
            all: Row::default(),
            safe: Row::default(),
            untouched: Row::default(),
            came_back: Row::default(),
            after_finding: Row::default(),
            in_window: 0,
            undetectable: 0,
            undetectable_why: Vec::new(),
            unsafe_releases: 0,
            kept_by: BTreeMap::new(),
            examples: Vec::new(),
            messages: 0,
            entries: 0,
            days: (0, 0),
            took,
        }
    }

    pub(super) fn row(&mut self, kind: Kind) -> &mut Row {
        self.rows.entry(kind).or_default()
    }

    pub(super) fn example(&mut self, most: usize, what: impl FnOnce() -> String) {
        if self.examples.len() < most {
            self.examples.push(what());
        }
    }

    /// Donations that were released and should not have been, or were not called back.
    #[must_use]
    pub fn unsafe_releases(&self) -> u32 {
        self.unsafe_releases
    }

    /// Donations without a final state, or without a reason for it.
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.all.lost
    }

    /// What people tried that has to be refused, and was not as it has to be.
    #[must_use]
    pub fn not_refused(&self) -> u32 {
        self.attempts.values().map(|(tried, refused)| tried - refused).sum()
    }

    /// Nothing unsafe, nothing lost, nothing accepted that has to be refused.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.unsafe_releases == 0 && self.lost() == 0 && self.not_refused() == 0
    }

    /// Of safe donations, how many of a hundred were released on their own day.
    #[must_use]
    pub fn safe_percent(&self) -> f64 {
        percent(self.safe.at_once, self.safe.touched)
    }

    /// The same of those that no fault struck.
    #[must_use]
    pub fn untouched_percent(&self) -> f64 {
        percent(self.untouched.at_once, self.untouched.touched)
    }

    pub(super) fn write(&self, format: Format, out: &mut dyn Write) -> Result<(), BenchError> {
        let text = match format {
            Format::Json => format!("{}\n", self.object()),
            Format::Table => self.table(),
        };
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(BenchError::io("write the report"))
    }

    fn object(&self) -> Value {
        let faults: serde_json::Map<String, Value> =
            self.rows.iter().map(|(kind, row)| (kind.name().to_owned(), row.object())).collect();
        let tried: serde_json::Map<String, Value> = self
            .attempts
            .iter()
            .map(|(kind, (tried, refused))| {
                (kind.name().to_owned(), json!({"tried": tried, "refused": refused}))
            })
            .collect();
        let kept_by: Vec<Value> = self
            .kept_by
            .iter()
            .map(|((by, gate), count)| json!({"struck": *by == "struck", "gate": gate, "donations": count}))
            .collect();
        json!({
            "measurement": "year", "safe_held_by": kept_by, "seconds": self.took.as_secs_f64(), "messages": self.messages,
            "entries": self.entries, "days": self.days.0, "days_of_the_year": self.days.1, "all": self.all.object(), "safe": self.safe.object(),
            "safe_untouched": self.untouched.object(), "came_back": self.came_back.object(),
            "came_back_after_a_finding": self.after_finding.object(), "safe_released_at_once_percent": self.safe_percent(),
            "faults": faults, "people": tried, "window": self.in_window, "undetectable": self.undetectable,
            "unsafe": self.unsafe_releases, "lost": self.lost(), "examples": self.examples,
            "reached": self.is_reached(),
        })
    }

    fn stopped(&self) -> String {
        let (played, days) = self.days;
        if played < days { format!("; stopped after {played} of {days} days") } else { String::new() }
    }

    fn table(&self) -> String {
        let mut text = format!(
            "{} donations, {} messages, {} entries of the ledger, in {:.0} s{}\n\n  {:<28} {:>9} {:>8} {:>8} {:>8} {:>9} {:>8} {:>12} {:>6} {:>6}\n",
            self.all.touched,
            self.messages,
            self.entries,
            self.took.as_secs_f64(),
            self.stopped(),
            "fault",
            "donations",
            "at once",
            "later",
            "held",
            "discarded",
            "recalled",
            "undetectable",
            "lost",
            "unsafe"
        );
        let mut line = |what: String| {
            let written = writeln!(text, "{what}");
            debug_assert!(written.is_ok(), "a string takes everything");
        };
        for (kind, row) in &self.rows {
            line(row.line(kind.name()));
        }
        line(self.all.line("all donations"));
        line(self.safe.line("safe donations"));
        line(self.untouched.line("safe, and struck by nothing"));
        line(self.came_back.line("donors who came back"));
        line(self.after_finding.line("... after a finding"));
        line(String::new());
        for (kind, (tried, refused)) in &self.attempts {
            line(format!("  {:<28} tried {tried}, refused {refused}", kind.name()));
        }
        line(format!("\n  released without a hold: {:.2} % of safe donations", self.safe_percent()));
        for ((by, gate), count) in &self.kept_by {
            line(format!("    safe, {by}, held at the end by {gate}: {count}"));
        }
        line(format!("  infected below detection and released: {} (no test can see it)", self.in_window));
        line(format!("  undetectable: {} released", self.undetectable));
        for why in &self.undetectable_why {
            line(format!("    {why}"));
        }
        let verdict = if self.is_reached() { "reached" } else { "MISSED" };
        let (unsafe_releases, lost, accepted) = (self.unsafe_releases, self.lost(), self.not_refused());
        line(format!("  unsafe {unsafe_releases}, lost {lost}, wrongly accepted {accepted}: {verdict}"));
        for example in &self.examples {
            line(format!("    {example}"));
        }
        text
    }
}

fn percent(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * f64::from(part) / f64::from(whole) }
}
