//! Readings of controls by channel and day, and which runs have results between them.
//!
//! A result of an analyser without plates stands on the nearest reading of each control before it and on the first after
//! it. So what a reading changes lies between its neighbours, and the runs of those days are decided anew, no others.

use super::{Fold, Folded};
use crate::Seq;
use crate::channel::{Channel, day_of};
use crate::state::{Key, KeyParts, Read, RefsRecord, Span, StateError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use vocabulary::{ConnectionId, Observation, RunId};

/// Readings of one control in one channel on one day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ChannelReading {
    pub(crate) channel: Channel,
    pub(crate) name: String,
    pub(crate) day: String,
}

impl ChannelReading {
    fn key(&self) -> Key {
        Key::channel_readings(&self.channel).text(&self.name).text(&self.day)
    }
}

/// The day in a key of a reading, or of a run, of a channel: behind four texts, and the control's name.
fn day_in(key: &[u8], texts_before: usize) -> Option<String> {
    let mut parts = KeyParts::of(key);
    for _ in 0..texts_before {
        parts.text()?;
    }
    parts.text().map(str::to_owned)
}

/// Connection, instrument, assay and lot.
const TEXTS_OF_CHANNEL: usize = 4;

impl Fold<'_, '_> {
    /// Notes the readings of controls among `observations`; gives where they stand.
    pub(super) fn readings(
        &mut self,
        (connection, at_ms): (&ConnectionId, i64),
        (message, part): (Seq, u16),
        observations: &[Observation],
    ) -> Result<Vec<ChannelReading>, StateError> {
        let mut found: BTreeMap<ChannelReading, RefsRecord> = BTreeMap::new();
        for (index, o) in (0u32..).zip(observations).filter(|(_, o)| Channel::has(o)) {
            let Some(name) = Channel::reading(o) else { continue };
            let (channel, day) = (Channel::of(connection, o), day_of(o, at_ms).to_string());
            found.entry(ChannelReading { channel, name, day }).or_default().observations.push(index);
        }
        for (reading, refs) in &mut found {
            refs.entry = self.seq;
            self.view.put_record(reading.key().seq(message).short(part).done(), refs)?;
        }
        Ok(found.into_keys().collect())
    }

    /// Notes that a run has a result in a channel on a day.
    pub(super) fn result_in_channel(&mut self, (connection, at_ms): (&ConnectionId, i64), o: &Observation) {
        if let Some(run) = o.run.as_ref().filter(|_| Channel::has(o)) {
            let channel = Channel::of(connection, o);
            let day = day_of(o, at_ms).to_string();
            self.mark(Key::channel_runs(&channel).text(&day).text(run.as_str()));
        }
    }

    /// Takes a reading back.
    pub(super) fn forget_reading(&mut self, reading: &ChannelReading, (message, part): (Seq, u16)) -> Folded {
        self.view.delete(reading.key().seq(message).short(part).done());
        self.reopen_between(reading)
    }

    /// Opens again what stands, or stood, on a reading: every run from the last reading before it to the next one.
    pub(super) fn reopen_between(&mut self, reading: &ChannelReading) -> Folded {
        let all = Key::channel_readings(&reading.channel).text(&reading.name).under();
        let own = reading.key().under();
        let before = self.first_day(&Span { from: all.from, to: own.from, backwards: true })?;
        let after = self.first_day(&Span { from: own.to, to: all.to, backwards: false })?;
        let from = before.as_ref().unwrap_or(&reading.day);
        let mut span = Key::channel_runs(&reading.channel).under();
        if let Some(after) = &after {
            span.to = Key::channel_runs(&reading.channel).text(after).under().to;
        }
        span.from = Key::channel_runs(&reading.channel).text(from).done();
        let mut runs = BTreeSet::new();
        self.view.walk(&span, &mut |key, _| {
            let mut parts = KeyParts::of(key);
            for _ in 0..=TEXTS_OF_CHANNEL {
                parts.text();
            }
            runs.extend(parts.text().and_then(|run| RunId::new(run).ok()));
            ControlFlow::Continue(())
        })?;
        runs.iter().try_for_each(|run| self.reopen_run(run))
    }

    fn first_day(&self, span: &Span) -> Result<Option<String>, StateError> {
        let mut found = None;
        self.view.walk(span, &mut |key, _| {
            found = day_in(key, TEXTS_OF_CHANNEL + 1);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }
}
