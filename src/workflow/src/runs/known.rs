//! What was read of runs and channels for donations that are looked at together: many of them share it.

use super::Outcome;
use crate::Settings;
use crate::kits::{Readable, Shelf};
use jiff::civil::Date;
use ledger::{Channel, EvidenceObservation, Interpretations, ReadError, Reader, RunInvalidation};
use quality_control::kits::KitFile;
use quality_control::ratio::Ratio;
use std::collections::BTreeMap;
use std::sync::Arc;
use vocabulary::{Mode, RunId};

/// Runs, and readings of channels, that are remembered; past it all of a kind are forgotten and read again.
const REMEMBERED_MAX: usize = 512;

type Controls = Arc<[EvidenceObservation]>;
type Fallen = Arc<[RunInvalidation]>;
type Asked = (Channel, String, Date, Date);
/// What a plate came to, and its cut-off.
pub(super) type Plate = (Outcome, Option<Ratio>);

/// Runs and readings that were read from one state of the ledger; what is in it is as old as that.
#[derive(Debug, Default)]
pub(crate) struct Known {
    runs: BTreeMap<RunId, Controls>,
    fallen: BTreeMap<RunId, Fallen>,
    readings: BTreeMap<Asked, Controls>,
    calibrations: BTreeMap<(Channel, Date), Controls>,
    /// By run, assay and kit: the wells of a plate come to the same for every sample on it.
    plates: BTreeMap<(RunId, String, String), Plate>,
    batches: BTreeMap<(RunId, String), Outcome>,
    judged: BTreeMap<RunId, u64>,
    shelf: Shelf,
    interpretations: Interpretations,
}

fn remember<K: Ord, V: Clone>(all: &mut BTreeMap<K, V>, key: K, value: V) -> V {
    if all.len() >= REMEMBERED_MAX {
        all.clear();
    }
    all.insert(key, value.clone());
    value
}

impl Known {
    /// A run's controls in production.
    pub(super) fn controls(&mut self, reader: &Reader, run: &RunId) -> Result<Controls, ReadError> {
        if let Some(known) = self.runs.get(run) {
            return Ok(Arc::clone(known));
        }
        let all = reader.run(run)?.controls;
        let controls = all.into_iter().filter(|c| c.mode == Mode::Production).collect();
        Ok(remember(&mut self.runs, run.clone(), controls))
    }

    /// The kits that judge a result of a run, which came as entry `message`.
    pub(super) fn kits(
        &mut self,
        settings: &Settings,
        (reader, run): (&Reader, &RunId),
        message: u64,
    ) -> Result<Readable, ReadError> {
        let from = if let Some(known) = self.judged.get(run) {
            *known
        } else {
            let from = reader.run_judged(run)?.from.map_or(0, ledger::Seq::get);
            remember(&mut self.judged, run.clone(), from)
        };
        self.shelf.of(settings, reader, message.max(from))
    }

    pub(super) fn plate(
        &mut self,
        (run, assay): (&RunId, &str),
        kit: &KitFile,
        assess: impl FnOnce() -> Plate,
    ) -> Plate {
        let key = (run.clone(), assay.to_owned(), kit.reference());
        match self.plates.get(&key) {
            Some(known) => known.clone(),
            None => remember(&mut self.plates, key, assess()),
        }
    }

    pub(super) fn batch(&mut self, run: &RunId, kit: &KitFile, assess: impl FnOnce() -> Outcome) -> Outcome {
        let key = (run.clone(), kit.reference());
        match self.batches.get(&key) {
            Some(known) => known.clone(),
            None => remember(&mut self.batches, key, assess()),
        }
    }

    /// Windows of a run that people declared invalid.
    pub(super) fn windows_invalidated(&mut self, reader: &Reader, run: &RunId) -> Result<Fallen, ReadError> {
        if let Some(known) = self.fallen.get(run) {
            return Ok(Arc::clone(known));
        }
        let fallen = reader.windows_invalidated(run)?.into();
        Ok(remember(&mut self.fallen, run.clone(), fallen))
    }

    pub(super) fn readings(
        &mut self,
        reader: &Reader,
        (channel, name): (&Channel, &str),
        (from, until): (Date, Date),
    ) -> Result<Controls, ReadError> {
        let key = (channel.clone(), name.to_owned(), from, until);
        if let Some(known) = self.readings.get(&key) {
            return Ok(Arc::clone(known));
        }
        let read = reader.readings(channel, name, (from, until), &mut self.interpretations)?;
        Ok(remember(&mut self.readings, key, read.into()))
    }

    pub(super) fn calibrations(
        &mut self,
        reader: &Reader,
        channel: &Channel,
        until: Date,
    ) -> Result<Controls, ReadError> {
        let key = (channel.clone(), until);
        if let Some(known) = self.calibrations.get(&key) {
            return Ok(Arc::clone(known));
        }
        let read = reader.calibrations(channel, until, &mut self.interpretations)?;
        Ok(remember(&mut self.calibrations, key, read.into()))
    }
}
