//! Readings of controls by channel and day, and which runs have results between them.
//!
//! A result of an analyser without plates stands on the nearest reading of each control before it and on the first after
//! it. So what a reading changes lies between its neighbours, and the runs of those days are decided anew, no others. Only a
//! reading that can speak is a neighbour: one that says when it was made.

use super::interpret::refs;
use super::{Fold, Folded};
use crate::Seq;
use crate::channel::{Channel, day_of, is_timed};
use crate::state::{Key, KeyParts, Read, RefsRecord, Span, StateError};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use vocabulary::{ConnectionId, Mode, Observation, RunId};

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

/// Readings of one control that are passed over in search of one whose time is known. Past it the day that was reached counts.
const READINGS_PASSED_MAX: usize = 2_000;

impl Fold<'_, '_> {
    /// Notes the readings of controls among `observations`; gives where they stand.
    pub(super) fn readings(
        &mut self,
        (connection, mode, at_ms): (&ConnectionId, Mode, i64),
        (message, part): (Seq, u16),
        observations: &[Observation],
    ) -> Result<Vec<ChannelReading>, StateError> {
        let mut found: BTreeMap<ChannelReading, RefsRecord> = BTreeMap::new();
        for (index, o) in (0u32..).zip(observations).filter(|(_, o)| Channel::has(o)) {
            let Some(name) = Channel::reading(mode, o) else { continue };
            let (channel, day) = (Channel::of(connection, o), day_of(o, at_ms).to_string());
            let untimed = RefsRecord { untimed: true, ..RefsRecord::default() };
            let refs = found.entry(ChannelReading { channel, name, day }).or_insert(untimed);
            refs.untimed &= !is_timed(o);
            refs.observations.push(index);
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
        self.reopen_runs_in(&span)
    }

    /// Opens again the runs with results in a channel from the day before a time to the day after another.
    pub(super) fn reopen_channel(&mut self, channel: &Channel, (from_ms, until_ms): (i64, i64)) -> Folded {
        let day = |ms: i64, days: i64| {
            let at = Timestamp::from_millisecond(ms).unwrap_or_default().to_zoned(TimeZone::UTC).date();
            Key::channel_runs(channel).text(&at.saturating_add(jiff::Span::new().days(days)).to_string())
        };
        let mut span = day(from_ms, -1).under();
        span.to = day(until_ms, 1).under().to;
        self.reopen_runs_in(&span)
    }

    fn reopen_runs_in(&mut self, span: &Span) -> Folded {
        let mut runs = BTreeSet::new();
        self.view.walk(span, &mut |key, _| {
            let run = KeyParts::of(key).run_in_channel();
            runs.extend(run.and_then(|run| RunId::new(run).ok()));
            ControlFlow::Continue(())
        })?;
        runs.iter().try_for_each(|run| self.reopen_run(run))
    }

    /// The first day in `span` with a reading whose time is known.
    fn first_day(&self, span: &Span) -> Result<Option<String>, StateError> {
        let (mut found, mut passed) = (None, 0);
        let mut failed = None;
        self.view.walk(span, &mut |key, value| {
            passed += 1;
            let untimed = match refs(value) {
                Ok(read) => read.untimed,
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            if untimed && passed < READINGS_PASSED_MAX {
                return ControlFlow::Continue(());
            }
            found = KeyParts::of(key).day_of_reading().map(str::to_owned);
            ControlFlow::Break(())
        })?;
        failed.map_or(Ok(found), Err)
    }
}
