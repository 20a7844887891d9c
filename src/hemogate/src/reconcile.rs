//! The demonstration's books: every donation either delivered once or held with a reason, and nothing besides.

use crate::{
    cli::Lang,
    exit::{Exit, Failure},
    laboratory,
};
use ledger::{DonationSummary, Ledger, Page};
use serde::Serialize;
use serde_json::Value;
use simulator::{DayReport, lis::Lis, scenario::Scenario};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
    time::Duration,
};
use vocabulary::DonationId;

/// Donations of one read.
const PAGE: usize = 500;

/// Waits until nothing is left to be taken, interpreted, decided or delivered.
pub(crate) async fn settle(ledger: &Ledger, folder: &Path, within: Duration) -> Result<(), Failure> {
    let mut moves = ledger.subscribe();
    let settled = async {
        loop {
            let status = ledger.status();
            let counters = ledger.state().counters().map_err(|e| Failure::new(Exit::Unavailable, e))?;
            let waiting =
                counters.to_interpret + counters.to_decide + counters.deliveries_pending + status.lag_entries;
            if waiting == 0 && files_waiting(&laboratory::inbox(folder))? == 0 {
                return Ok(());
            }
            let pause = tokio::time::timeout(Duration::from_millis(200), moves.moved()).await;
            tracing::trace!(moved = pause.is_ok(), waiting);
        }
    };
    tokio::time::timeout(within, settled)
        .await
        .map_err(|_| Failure::new(Exit::Internal, format!("work was left after {within:?}")))?
}

/// Files that nobody has taken yet.
fn files_waiting(inbox: &Path) -> io::Result<usize> {
    let mut waiting = 0;
    if inbox.is_dir() {
        for folder in fs::read_dir(inbox)? {
            let files = fs::read_dir(folder?.path())?;
            waiting += files.filter_map(Result::ok).filter(|f| f.path().is_file()).count();
        }
    }
    Ok(waiting)
}

/// What became of a day.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) donations: usize,
    /// By what was delivered: `pass`, `discard`.
    pub(crate) delivered: BTreeMap<String, usize>,
    /// Held donations by their first reason.
    pub(crate) held: BTreeMap<String, usize>,
    /// The LIS has more than one verdict of these.
    pub(crate) delivered_again_after_change: usize,
    /// Neither delivered nor held with a reason.
    pub(crate) unaccounted: Vec<String>,
    /// Delivered twice with the same content.
    pub(crate) duplicates: u32,
    /// Verdicts that differ from what the day was planned to give.
    pub(crate) unexpected: Vec<Unexpected>,
    pub(crate) messages_sent: usize,
    pub(crate) messages_not_sent: usize,
    pub(crate) messages_kept: u64,
    pub(crate) half_transmissions: u64,
    pub(crate) results: u64,
    pub(crate) messages_held: u64,
    pub(crate) dead_letters: u64,
    pub(crate) ledger_entries: u64,
}

/// A verdict that was planned differently.
#[derive(Debug, Serialize)]
pub(crate) struct Unexpected {
    donation: String,
    story: String,
    planned: String,
    verdict: String,
    why: String,
}

impl Summary {
    /// Every donation delivered once or held with a reason, none lost, none twice, everything as planned.
    pub(crate) fn is_accounted_for(&self) -> bool {
        self.unaccounted.is_empty()
            && self.duplicates == 0
            && self.unexpected.is_empty()
            && self.messages_not_sent == 0
    }

    pub(crate) fn write(&self, out: &mut impl Write, lang: Lang) -> io::Result<()> {
        let total = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        writeln!(out, "{:>7}  {}", self.donations, lang.pick("donations", "份献血"))?;
        writeln!(
            out,
            "{:>7}  {}",
            total(&self.delivered),
            lang.pick("delivered once to the LIS", "份结论已送达 LIS(各一次)")
        )?;
        for (unit, count) in &self.delivered {
            writeln!(out, "{count:>15}  {unit}")?;
        }
        writeln!(out, "{:>7}  {}", total(&self.held), lang.pick("held, with a reason", "份暂扣(附原因)"))?;
        for (why, count) in &self.held {
            writeln!(out, "{count:>15}  {}", shortened(why))?;
        }
        let rows = [
            (self.unaccounted.len(), lang.pick("unaccounted for", "份去向不明")),
            (self.duplicates as usize, lang.pick("delivered twice", "份重复送达")),
            (
                self.delivered_again_after_change,
                lang.pick("delivered again after a change", "份变更后再次送达"),
            ),
            (self.unexpected.len(), lang.pick("verdicts other than planned", "份结论与预设不符")),
        ];
        for (count, what) in rows {
            writeln!(out, "{count:>7}  {what}")?;
        }
        for other in self.unexpected.iter().take(UNEXPECTED_SHOWN_MAX) {
            let (donation, story, why) = (&other.donation, &other.story, shortened(&other.why));
            writeln!(out, "         {donation} {story}: {} ≠ {} — {why}", other.planned, other.verdict)?;
        }
        for lost in &self.unaccounted {
            writeln!(out, "         {lost}")?;
        }
        writeln!(
            out,
            "\n{} {} · {} {} · {} {} · {} {} · {} {}",
            lang.pick("messages sent", "已发送消息"),
            self.messages_sent,
            lang.pick("kept", "已保存"),
            self.messages_kept,
            lang.pick("results", "结果"),
            self.results,
            lang.pick("messages held", "待处理消息"),
            self.messages_held,
            lang.pick("ledger entries", "账本条目"),
            self.ledger_entries,
        )
    }
}

/// So many are shown one by one; JSON has all.
const UNEXPECTED_SHOWN_MAX: usize = 20;
/// Characters of a reason in the table; JSON has all.
const REASON_SHOWN_MAX: usize = 110;

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(REASON_SHOWN_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Holds what was planned, what the ledger says and what the LIS has against each other.
pub(crate) fn summary(
    ledger: &Ledger,
    scenario: &Scenario,
    played: &DayReport,
    lis: &Lis,
) -> Result<Summary, Failure> {
    let unread = |e: ledger::ReadError| Failure::new(Exit::Unavailable, e);
    let reader = ledger.state();
    let counters = reader.counters().map_err(unread)?;
    let mut known: BTreeMap<DonationId, DonationSummary> = BTreeMap::new();
    let mut page = Page::first(PAGE);
    loop {
        let list = reader.donations(&page).map_err(unread)?;
        known.extend(list.items.into_iter().map(|d| (d.donation.clone(), d)));
        match list.next {
            Some(next) => page = Page::first(PAGE).after(next),
            None => break,
        }
    }
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    for held in lis.received() {
        *received.entry(held.donation).or_default() += 1;
    }
    let mut summary = Summary {
        donations: scenario.donations.len(),
        duplicates: lis.tally().duplicates,
        messages_sent: played.sent(),
        messages_not_sent: played.failed(),
        messages_kept: counters.messages,
        half_transmissions: counters.half_transfers,
        results: counters.observations,
        messages_held: counters.held_messages,
        dead_letters: counters.deliveries_dead,
        ledger_entries: counters.entries,
        ..Summary::default()
    };
    for planned in &scenario.donations {
        let donation = &planned.registration.donation;
        let standing = known.remove(donation).and_then(|d| d.verdict);
        let times = received.remove(donation.as_str()).unwrap_or(0);
        let (unit, reason) = match &standing {
            None => ("none".to_owned(), String::new()),
            Some(standing) => {
                let made = reader.verdict(standing.seq).map_err(unread)?;
                (standing.unit.clone(), first_reason(made.json()))
            }
        };
        let final_word = standing.as_ref().is_some_and(|s| s.complete) && unit != "hold";
        match (final_word, times) {
            (true, 1) => *summary.delivered.entry(unit.clone()).or_default() += 1,
            (_, n) if n > 1 => {
                summary.delivered_again_after_change += 1;
                *summary.delivered.entry(unit.clone()).or_default() += 1;
            }
            (false, 0) if !reason.is_empty() => {
                *summary.held.entry(format!("{unit}: {reason}")).or_default() += 1;
            }
            (_, n) => summary.unaccounted.push(format!("{donation}: verdict {unit}, {n} times at the LIS")),
        }
        let wanted = format!("{:?}", planned.expected.unit).to_lowercase();
        if wanted != unit {
            summary.unexpected.push(Unexpected {
                donation: donation.to_string(),
                story: planned.story.to_string(),
                planned: wanted,
                verdict: unit,
                why: reason,
            });
        }
    }
    summary.unaccounted.extend(known.into_keys().map(|d| format!("{d}: nobody registered it")));
    summary.unaccounted.extend(received.into_keys().map(|d| format!("{d}: only the LIS knows it")));
    Ok(summary)
}

/// The first gate of no person that does not hold.
fn first_reason(verdict: &str) -> String {
    let verdict: Value = serde_json::from_str(verdict).unwrap_or(Value::Null);
    let gates = verdict.get("gates").and_then(Value::as_array).into_iter().flatten();
    let failing = gates.filter(|g| g.get("pass") == Some(&Value::Bool(false)));
    let text = |g: &Value, name: &str| g.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    failing
        .map(|g| (text(g, "id"), text(g, "why")))
        .find(|(id, _)| !["R-GATE-10", "R-GATE-13", "R-GATE-14"].contains(&id.as_str()))
        .map(|(id, why)| format!("{id} {why}"))
        .unwrap_or_default()
}
