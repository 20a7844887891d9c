//! What was read of runs and channels for donations that are looked at together: many of them share it.

use super::Outcome;
use super::occurrence::{Controls, Own};
use super::window::Surroundings;
use crate::facts::{Fact, Told};
use crate::kits::{AskedFor, Readable, Shelf};
use crate::{Settings, faults};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ledger::{
    Channel, FitnessAct, FitnessNote, Interpretations, ReadError, Reader, Readings, RunInvalidation, Seq,
    Service,
};
use quality_control::kit::Limits;
use quality_control::kits::KitFile;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use vocabulary::{ConnectionId, Mode, RunId};

/// Runs, readings of channels, and whatever else of a kind, that are remembered; past it all of a kind are forgotten and read again.
const REMEMBERED_MAX: usize = 512;

type Fallen = Arc<[Arc<RunInvalidation>]>;

/// A window that was declared invalid, and whether it was found by a row.
pub(super) struct Declared {
    pub(super) said: Arc<RunInvalidation>,
    pub(super) by_row: bool,
}

fn shared(all: Vec<RunInvalidation>) -> Fallen {
    all.into_iter().map(Arc::new).collect()
}

type Asked = (Channel, String, Date, Date);

/// A service after which controls have to run again, and when it was written down.
#[derive(Debug)]
struct Serviced {
    entry: Seq,
    at: Timestamp,
    /// Which of the analysers on the line; every one, without it.
    instrument: Option<String>,
}

impl Serviced {
    fn of(note: FitnessNote) -> Option<Self> {
        let at = Timestamp::from_millisecond(note.from_ms().min(note.done.at_ms)).ok()?;
        match note.act {
            FitnessAct::Serviced {
                instrument, service: Service::Calibration | Service::Maintenance, ..
            } => Some(Self { entry: note.done.entry, at, instrument }),
            FitnessAct::Serviced { service: Service::Qualification, .. }
            | FitnessAct::Unfit { .. }
            | FitnessAct::Authorised { .. }
            | FitnessAct::Withdrawn { .. }
            | FitnessAct::Confirmed { .. }
            | FitnessAct::TakeBackProposed { .. }
            | FitnessAct::TakenBack { .. } => None,
        }
    }
}

/// What a plate came to, and what its samples' signals are held against.
pub(super) type Plate = (Outcome, Option<Limits>);

/// What went wrong of a run's interface.
#[derive(Debug, Clone, Default)]
pub(super) struct Interface {
    /// It stands open.
    pub(super) open: Option<Told>,
    /// Somebody has looked at it.
    pub(super) acknowledged: Option<Told>,
}

impl Interface {
    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            open: Told::joined(self.open, other.open),
            acknowledged: Told::joined(self.acknowledged, other.acknowledged),
        }
    }
}

/// Runs and readings that were read from one state of the ledger; what is in it is as old as that.
#[derive(Debug, Default)]
pub(crate) struct Known {
    runs: HashMap<RunId, Controls>,
    fallen: HashMap<RunId, Fallen>,
    /// Runs and windows that people declared invalid, each by itself.
    declared: HashMap<RunId, Option<Arc<RunInvalidation>>>,
    /// Whether any window was declared invalid at all.
    any_fallen: Option<bool>,
    fallen_in: HashMap<Channel, Fallen>,
    fallen_with: HashMap<Seq, Fallen>,
    readings: HashMap<Asked, Arc<Readings>>,
    calibrations: HashMap<(Channel, Date), Arc<Readings>>,
    /// By channel, day, and what asks for them.
    surroundings: HashMap<(Channel, Date, String), Arc<Surroundings>>,
    services: HashMap<ConnectionId, Arc<[Serviced]>>,
    /// By run, assay, kit and controls: the wells of a plate come to the same for every sample on it.
    plates: HashMap<(RunId, String, String, Own), Plate>,
    batches: HashMap<(RunId, String, Own), Outcome>,
    /// The entry whose kits judge a run, and when that was written.
    judged: HashMap<RunId, (u64, Option<i64>)>,
    interfaces: HashMap<RunId, Interface>,
    shelf: Shelf,
    interpretations: Interpretations,
}

fn remember<K: Eq + Hash, V: Clone>(all: &mut HashMap<K, V>, key: K, value: V) -> V {
    if all.len() >= REMEMBERED_MAX {
        all.clear();
    }
    all.insert(key, value.clone());
    value
}

/// What is remembered, or else read.
pub(crate) fn recall<K: Eq + Hash + Clone, V: Clone>(
    all: &mut HashMap<K, V>,
    key: &K,
    read: impl FnOnce() -> Result<V, ReadError>,
) -> Result<V, ReadError> {
    match all.get(key) {
        Some(known) => Ok(known.clone()),
        None => Ok(remember(all, key.clone(), read()?)),
    }
}

impl Known {
    /// What came as a run's controls in production, whenever that was.
    pub(super) fn controls(
        &mut self,
        reader: &Reader,
        run: &RunId,
        zone: &TimeZone,
    ) -> Result<Controls, ReadError> {
        recall(&mut self.runs, run, || {
            let all = reader.controls_of(run, &mut self.interpretations)?;
            Ok(Controls::new(all.into_iter().filter(|c| c.mode == Mode::Production).collect(), zone))
        })
    }

    /// What people said of the invalidity of a run, or of a window in one.
    pub(super) fn declared(
        &mut self,
        reader: &Reader,
        run: &RunId,
    ) -> Result<Option<Arc<RunInvalidation>>, ReadError> {
        recall(&mut self.declared, run, || Ok(reader.run_invalidated(run)?.map(Arc::new)))
    }

    /// What went wrong of a run's interface.
    pub(super) fn interface(
        &mut self,
        reader: &Reader,
        run: &RunId,
        zone: &TimeZone,
    ) -> Result<Interface, ReadError> {
        recall(&mut self.interfaces, run, || {
            let (open, acknowledged) =
                (faults::of_run(reader, run, zone)?, faults::acknowledged_of(reader, run)?);
            Ok(Interface { open, acknowledged })
        })
    }

    /// The kits that judge a result of a run.
    pub(super) fn kits(
        &mut self,
        settings: &Settings,
        (reader, run): (&Reader, &RunId),
        fact: &Fact,
    ) -> Result<Readable, ReadError> {
        let (entry, at_ms) = recall(&mut self.judged, run, || {
            let judged = reader.run_judged(run)?;
            Ok((judged.from.map_or(0, Seq::get), judged.at_ms))
        })?;
        let asked = if entry > fact.message {
            AskedFor { entry, tested_ms: at_ms }
        } else {
            let tested_ms = fact.tested_at.map(|tested| tested.at().as_millisecond());
            AskedFor { entry: fact.message, tested_ms }
        };
        self.shelf.of(settings, reader, asked)
    }

    pub(super) fn plate(
        &mut self,
        (run, own, assay): (&RunId, &Own, &str),
        kit: &KitFile,
        assess: impl FnOnce() -> Plate,
    ) -> Plate {
        let key = (run.clone(), assay.to_owned(), kit.reference(), own.clone());
        match self.plates.get(&key) {
            Some(known) => known.clone(),
            None => remember(&mut self.plates, key, assess()),
        }
    }

    pub(super) fn batch(
        &mut self,
        (run, own): (&RunId, &Own),
        kit: &KitFile,
        assess: impl FnOnce() -> Outcome,
    ) -> Outcome {
        let key = (run.clone(), kit.reference(), own.clone());
        match self.batches.get(&key) {
            Some(known) => known.clone(),
            None => remember(&mut self.batches, key, assess()),
        }
    }

    /// Windows that people declared invalid, and that a result may have lain in then: of its run, of its channel, or with a
    /// row of one of `messages`. Each once.
    pub(super) fn windows_invalidated(
        &mut self,
        reader: &Reader,
        (run, channel): (&RunId, Option<&Channel>),
        messages: impl IntoIterator<Item = Seq>,
    ) -> Result<Vec<Declared>, ReadError> {
        let any = match self.any_fallen {
            Some(known) => known,
            None => *self.any_fallen.insert(reader.has_windows_invalidated()?),
        };
        if !any {
            return Ok(Vec::new());
        }
        let mut all: Vec<(Fallen, bool)> = Vec::new();
        for message in messages {
            let read = || reader.invalidated_with(message).map(shared);
            all.push((recall(&mut self.fallen_with, &message, read)?, true));
        }
        let of_run = || reader.windows_invalidated(run).map(shared);
        all.push((recall(&mut self.fallen, run, of_run)?, false));
        if let Some(channel) = channel {
            let within = || reader.invalidated_in(channel).map(shared);
            all.push((recall(&mut self.fallen_in, channel, within)?, false));
        }
        let mut found: Vec<Declared> = Vec::new();
        for (some, by_row) in &all {
            for said in some.iter() {
                if !found.iter().any(|known| known.said.run == said.run) {
                    found.push(Declared { said: Arc::clone(said), by_row: *by_row });
                }
            }
        }
        Ok(found)
    }

    pub(super) fn readings(
        &mut self,
        reader: &Reader,
        (channel, name): (&Channel, &str),
        (from, until): (Date, Date),
    ) -> Result<Arc<Readings>, ReadError> {
        let key = (channel.clone(), name.to_owned(), from, until);
        let read = || reader.readings(channel, name, (from, until), &mut self.interpretations).map(Arc::new);
        recall(&mut self.readings, &key, read)
    }

    /// What a kit asks for around a day of a channel; `read` where it is not remembered.
    pub(super) fn surroundings(
        &mut self,
        (channel, day, asks): (&Channel, Date, String),
        read: impl FnOnce(&mut Self) -> Result<Surroundings, ReadError>,
    ) -> Result<Arc<Surroundings>, ReadError> {
        let key = (channel.clone(), day, asks);
        if let Some(known) = self.surroundings.get(&key) {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(read(self)?);
        Ok(remember(&mut self.surroundings, key, found))
    }

    /// When an analyser was last calibrated or maintained before a result, by what people had written down when that came:
    /// controls have to run again then (rules.md §2.2). An entry counts for what comes after it, so that no result before it
    /// is seen otherwise, and where it waits or is taken back: a control too many harms nobody.
    pub(super) fn changed(
        &mut self,
        reader: &Reader,
        (fact, tested): (&Fact, Timestamp),
    ) -> Result<Option<Timestamp>, ReadError> {
        let all = recall(&mut self.services, &fact.connection, || {
            Ok(reader.services(&fact.connection)?.into_iter().filter_map(Serviced::of).collect())
        })?;
        let own = fact.observation.instrument.as_deref();
        let may_be = |named: &str| {
            own.is_none_or(|own| own == named || own.split_whitespace().any(|part| part == named))
        };
        let speaks =
            |one: &&Serviced| one.entry.get() < fact.message && one.instrument.as_deref().is_none_or(may_be);
        Ok(all.iter().filter(speaks).map(|one| one.at).filter(|at| *at <= tested).max())
    }

    pub(super) fn calibrations(
        &mut self,
        reader: &Reader,
        channel: &Channel,
        until: Date,
    ) -> Result<Arc<Readings>, ReadError> {
        let key = (channel.clone(), until);
        let read = || reader.calibrations(channel, until, &mut self.interpretations).map(Arc::new);
        recall(&mut self.calibrations, &key, read)
    }
}
