//! The state made again from the journal.

use super::interpret::{Captured, captured};
use crate::contest::{Engine, FLOOR, Measurement, OURS, Turn, contest, number};
use crate::{BenchError, Options, corpus, gauge};
use ledger::{Body, Draft, Ledger, Seq, Settings, StateStore, VerdictMade, What};
use release::RulePack;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;
use vocabulary::{ConnectionId, DestinationId, DonationId, DonationRegistration, Mode};

/// Donations in the journal; each has a registration, messages, what they mean, and a verdict.
const DONATIONS: u64 = 2_000;
/// Messages a donation.
const MESSAGES_EACH: usize = 3;

/// The whole journal checked and folded into a new store. The floor reads and checks every entry and keeps nothing.
pub(crate) fn rebuild(options: &Options, folder: &Path) -> Result<Measurement, BenchError> {
    let (read, made) = (folder.join("read"), folder.join("made"));
    write(options, &read)?;
    copy_journal(&read, &made)?;
    let (reading, _) = Ledger::open(settings(&read, StateStore::Memory), &mut |_| {})
        .map_err(BenchError::part("open a ledger"))?;
    let engines = vec![
        Engine::new(FLOOR, || turn(|| every_entry(&reading))),
        Engine::new(OURS, || turn(|| made_again(&made))),
    ];
    let measured = contest("rebuild", "entries/s", None, engines, options.rounds);
    reading.close();
    super::clear(folder)?;
    measured
}

fn turn(work: impl FnOnce() -> Result<u64, BenchError>) -> Result<Turn, BenchError> {
    let (start, cpu) = (Instant::now(), gauge::process_cpu());
    let entries = number(work()?);
    let seconds = start.elapsed().as_secs_f64();
    let cpu = gauge::process_cpu().saturating_sub(cpu).as_secs_f64();
    let further = vec![("entries", entries), ("cpu_us", cpu * 1e6 / entries.max(1.0))];
    Ok(Turn { amount: entries, seconds, values: None, further })
}

fn every_entry(ledger: &Ledger) -> Result<u64, BenchError> {
    let mut entries = 0;
    for line in ledger.state().entries(Seq::new(1)) {
        black_box(line.map_err(BenchError::part("read an entry"))?);
        entries += 1;
    }
    Ok(entries)
}

fn made_again(folder: &Path) -> Result<u64, BenchError> {
    let settings = settings(folder, StateStore::Sled);
    let made = ledger::rebuild(&settings, &mut |_| {}).map_err(BenchError::part("rebuild the state"))?;
    Ok(made.entries)
}

fn settings(folder: &Path, state: StateStore) -> Settings {
    Settings { state, ..Settings::new(folder) }
}

/// Writes the journal, and leaves its folder closed.
fn write(options: &Options, folder: &Path) -> Result<(), BenchError> {
    let (ledger, _) = Ledger::open(settings(folder, StateStore::Memory), &mut |_| {})
        .map_err(BenchError::part("open a ledger"))?;
    let writer = Writer::new(&ledger)?;
    let mut messages = captured()?;
    messages.retain(|message| !message.profile.interpret(&message.raw).observations.is_empty());
    let mut messages = messages.iter().cycle();
    for case in corpus::evidence(options.seed, DONATIONS) {
        let evidence = release::read_case(&case).map_err(BenchError::part("read made-up evidence"))?;
        writer.register(&evidence.donation)?;
        for message in messages.by_ref().take(MESSAGES_EACH) {
            writer.message(message, &evidence.donation)?;
        }
        writer.verdict(&evidence)?;
    }
    ledger.close();
    Ok(())
}

/// Writes what the rooms write, in their order.
struct Writer<'l> {
    ledger: &'l Ledger,
    connection: ConnectionId,
    destination: DestinationId,
    pack: RulePack,
}

impl<'l> Writer<'l> {
    fn new(ledger: &'l Ledger) -> Result<Self, BenchError> {
        Ok(Self {
            ledger,
            connection: ConnectionId::new("bench").map_err(BenchError::part("name a connection"))?,
            destination: DestinationId::new("bis").map_err(BenchError::part("name a destination"))?,
            pack: RulePack::built_in("cn-2019").map_err(BenchError::part("read the rule pack"))?,
        })
    }

    fn append(&self, what: What) -> Result<Seq, BenchError> {
        let pending = self.ledger.append(vec![Draft::by_system(what)]).map_err(BenchError::part("append"))?;
        Ok(pending.wait().map_err(BenchError::part("append"))?.last())
    }

    fn register(&self, donation: &DonationId) -> Result<(), BenchError> {
        let registration: DonationRegistration = serde_json::from_value(serde_json::json!({
            "donation": donation, "collected_at": "2026-03-01T09:00:00Z",
            "donor": { "id": format!("D-{donation}"), "first_time": false, "deferred": false },
        }))
        .map_err(BenchError::part("make up a registration"))?;
        self.append(What::DonationRegistered(registration)).map(drop)
    }

    fn message(&self, message: &Captured, donation: &DonationId) -> Result<(), BenchError> {
        let profile = message.profile.reference();
        let seq = self.append(What::MessageReceived {
            connection: self.connection.clone(),
            mode: Mode::Production,
            profile: profile.clone(),
            protocol: message.profile.protocol(),
            body: Body::Whole(message.raw.as_slice().into()),
        })?;
        let found = message.profile.interpret(&message.raw);
        let about = (0..).zip(&found.observations).map(|(number, _)| (number, donation.clone()));
        let interpreted = What::MessageInterpreted {
            message: seq,
            profile: profile.clone(),
            donations: about.collect(),
            observations: found.observations,
            findings: found.findings,
            holds: Vec::new(),
            orders: Vec::new(),
            measured: Vec::new(),
            continues: Vec::new(),
            pools: ledger::Pools::default(),
            part: 0,
            last: true,
        };
        self.append(interpreted).map(drop)
    }

    fn verdict(&self, evidence: &release::Evidence) -> Result<(), BenchError> {
        let verdict = release::explain(evidence, &self.pack);
        let considered = self.ledger.status().durable;
        let made = VerdictMade::new(&verdict, considered, vec![self.destination.clone()])
            .map_err(BenchError::part("write a verdict"))?;
        self.append(What::VerdictMade(made)).map(drop)
    }
}

fn copy_journal(from: &Path, to: &Path) -> Result<(), BenchError> {
    let (from, to): (PathBuf, PathBuf) = (from.join("journal"), to.join("journal"));
    let copy = || {
        std::fs::create_dir_all(&to)?;
        for file in std::fs::read_dir(&from)? {
            let file = file?;
            std::fs::copy(file.path(), to.join(file.file_name()))?;
        }
        Ok(())
    };
    copy().map_err(BenchError::io("copy the journal"))
}
