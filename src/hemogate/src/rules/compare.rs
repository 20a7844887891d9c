//! `rules compare`: every stored donation under two packs.

use crate::{
    cli::{Cli, Format, Lang},
    daemon::{open_ledger, workflow_settings},
    decide::pack,
    exit::{Exit, Failure, Outcome},
    print::Printer,
    store::ledger_of,
};
use ledger::ReadError;
use release::Difference;
use serde_json::json;
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};
use workflow::compare::{Changed, Compared, Comparison};

/// Between two writings of the bar, and its length in characters.
const BAR_EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 40;
/// Parts whose change follows from another's, left out of a table where the other stands.
const FOLLOW: [&str; 2] = ["releasable", "complete"];

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::new(Exit::Unavailable, format!("the ledger cannot be read: {error}"))
    }
}

pub(super) fn compare(cli: &Cli, packs: [&str; 2], format: Format, lang: Lang) -> Outcome {
    let [old, new] = packs;
    let (old, new) = (pack(old)?, pack(new)?);
    let config = ledger_of(cli)?;
    let settings = workflow_settings(&config)?;
    let ledger = open_ledger(&config)?;
    // What the journal has and the state had not, after a stop that was none.
    ledger.wait_applied(ledger.status().durable).wait().map_err(|e| Failure::new(Exit::Unavailable, e))?;
    let reader = ledger.state();
    let shown = io::stderr().is_terminal();
    let mut bar = Bar::new(reader.counters()?.donations, BAR_EVERY, shown.then(io::stderr));
    let mut printer = Printer::new(format);
    printer.heads(&lang.pick(
        ["donation", "old", "new", "what changes, and why"],
        ["献血", "原结论", "新结论", "变化与原因"],
    ));
    let compared = Comparison::new(settings, old.clone(), new.clone()).run(
        &reader,
        |changed| printer.item(&changed, || row(&changed, lang)),
        |done| bar.set(done),
    )?;
    bar.finish();
    if format == Format::Json {
        let summary = json!({"summary": {
            "old": {"id": old.id(), "hash": old.hash()}, "new": {"id": new.id(), "hash": new.hash()}, "compared": compared,
        }});
        printer.item(&summary, Vec::new)?;
    }
    printer.finish()?;
    if format == Format::Table {
        tell(&compared, lang)?;
    }
    ledger.close();
    Ok(Exit::Done)
}

/// One line on a terminal, written over and over; nothing anywhere else.
struct Bar<W> {
    donations: u64,
    began: Instant,
    next: Instant,
    every: Duration,
    to: Option<W>,
}

impl<W: Write> Bar<W> {
    fn new(donations: u64, every: Duration, to: Option<W>) -> Self {
        let began = Instant::now();
        Self { donations, began, next: began, every, to }
    }

    fn set(&mut self, done: u64) {
        let Some(to) = self.to.as_mut().filter(|_| Instant::now() >= self.next) else { return };
        self.next = Instant::now() + self.every;
        let line = line(done, self.donations, self.began.elapsed());
        // A terminal that has gone is no reason to stop.
        if write!(to, "\r{line}").is_err() {
            self.to = None;
        }
    }

    fn finish(self) {
        if let Some(mut to) = self.to {
            write!(to, "\r{:1$}\r", "", line(0, self.donations, Duration::ZERO).len() + WIDTH).unwrap_or(());
        }
    }
}

fn line(done: u64, of: u64, since: Duration) -> String {
    let share =
        (done * WIDTH as u64).checked_div(of).and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(WIDTH);
    format!("[{:<WIDTH$}] {done}/{of}  {} s", "#".repeat(share), since.as_secs())
}

fn row(changed: &Changed, lang: Lang) -> Vec<String> {
    let shown = changed.differences.iter().filter(|d| d.at != "unit" && !FOLLOW.contains(&d.at.as_str()));
    let what = shown.map(|d| said(d, lang)).collect::<Vec<_>>().join("; ");
    let may = if changed.newly_releasable { lang.pick(" (may be released)", " (可放行)") } else { "" };
    vec![
        changed.donation.to_string(),
        changed.old.name().to_owned(),
        format!("{}{may}", changed.new.name()),
        what,
    ]
}

fn said(difference: &Difference, lang: Lang) -> String {
    let Difference { at, old, new, why, why_zh } = difference;
    let why = lang.pick(why, why_zh);
    let (old, new) = (spoken(old), spoken(new));
    if why.is_empty() { format!("{at}: {old} → {new}") } else { format!("{at}: {old} → {new} ({why})") }
}

fn spoken(says: &str) -> &str {
    if says.is_empty() { "–" } else { says }
}

fn tell(compared: &Compared, lang: Lang) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let Compared { donations, changed, newly_releasable, units } = compared;
    match lang {
        Lang::En => writeln!(
            out,
            "{donations} donations judged twice, {changed} change; {newly_releasable} could be released that could not"
        )?,
        Lang::Zh => writeln!(
            out,
            "{donations} 份献血各判定两次,{changed} 份结论有变;{newly_releasable} 份原不可放行、现可放行"
        )?,
    }
    for (way, count) in units {
        writeln!(out, "  {way}  {count}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_the_share_and_never_beyond_its_length() {
        for (done, of, marks) in [(0, 100, 0), (50, 100, 20), (100, 100, 40), (120, 100, 40), (5, 0, 0)] {
            let line = line(done, of, Duration::from_secs(3));
            assert_eq!(line.matches('#').count(), marks, "{line}");
            assert!(line.contains(&format!("] {done}/{of}  3 s")), "{line}");
        }
    }

    /// A terminal that takes so many writings and is gone.
    struct Terminal<'t> {
        shown: &'t mut Vec<u8>,
        left: usize,
    }

    impl Write for Terminal<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.shown.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_is_one_line_that_is_written_over_and_wiped_and_nothing_where_nobody_looks() {
        let shown = |every: Duration, to: Option<&mut Vec<u8>>, left: usize| {
            let mut bar = Bar::new(4, every, to.map(|shown| Terminal { shown, left }));
            for done in 0..=4 {
                bar.set(done);
            }
            bar.finish();
        };
        let mut seen = Vec::new();
        shown(Duration::ZERO, Some(&mut seen), usize::MAX);
        let text = String::from_utf8(seen).unwrap();
        let lines: Vec<&str> = text.split('\r').collect();
        assert_eq!((lines.len(), lines[0], lines[7]), (8, "", ""), "{lines:?}");
        for (done, line) in lines[1..6].iter().enumerate() {
            assert!(line.contains(&format!("] {done}/4")), "{line}");
            assert!(line.len() <= lines[6].len(), "the last writing wipes every other");
        }
        assert_eq!(lines[6].trim(), "");
        assert!(!text.contains('\n'));
        // Whoever looks that seldom sees the first one only.
        let mut seldom = Vec::new();
        shown(Duration::from_hours(1), Some(&mut seldom), usize::MAX);
        let text = String::from_utf8(seldom).unwrap();
        assert!(text.contains("] 0/4") && !text.contains("] 1/4"), "{text:?}");
        let mut gone = Vec::new();
        shown(Duration::ZERO, Some(&mut gone), 0);
        assert_eq!(gone, b"");
        shown(Duration::ZERO, None, 0);
    }
}
