//! What waits to be fetched from a link: bytes for the line and events for the caller.

use crate::control::{CR, LF};
use crate::event::{Anomaly, AnomalyKind, Event};
use std::{borrow::Cow, collections::VecDeque};

/// Input is left waiting while so many blocks have not been fetched.
pub(crate) const TRANSMIT_BLOCKS_MAX: usize = 16;
/// Input is left waiting while so many events have not been fetched.
const EVENTS_MAX: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Output {
    transmit: VecDeque<Cow<'static, [u8]>>,
    events: VecDeque<Event>,
    /// A frame among the events: the next one waits until it is fetched.
    frame_bytes: Option<usize>,
    /// A run of ignored bytes, told as one anomaly when it ends, so that it is the same however the input was split.
    ignored: Option<Anomaly>,
}

impl Output {
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.transmit.len() < TRANSMIT_BLOCKS_MAX
            && self.events.len() < EVENTS_MAX
            && self.frame_bytes.is_none()
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.frame_bytes.unwrap_or(0) + self.transmit.iter().map(|block| block.len()).sum::<usize>()
    }

    pub(crate) fn transmit(&mut self, block: Cow<'static, [u8]>) {
        self.transmit.push_back(block);
    }

    /// Whether something has not been fetched yet, so that no answer to it can have come.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.transmit.is_empty()
    }

    /// Takes back the last block, if it has not been fetched and is `block`.
    pub(crate) fn withdraw(&mut self, block: &[u8]) -> bool {
        let is_last = self.transmit.back().is_some_and(|last| **last == *block);
        is_last && self.transmit.pop_back().is_some()
    }

    pub(crate) fn drop_unsent(&mut self) {
        self.transmit.clear();
    }

    #[inline]
    pub(crate) fn next_block(&mut self) -> Option<Cow<'static, [u8]>> {
        self.transmit.pop_front()
    }

    #[inline]
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if matches!(event, Some(Event::Frame(_))) {
            self.frame_bytes = None;
        }
        event
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.end_ignored();
        if let Event::Frame(frame) = &event {
            self.frame_bytes = Some(frame.text.capacity());
        }
        self.events.push_back(event);
    }

    pub(crate) fn anomaly(&mut self, kind: AnomalyKind, at: u64, bytes_skipped: u64) {
        self.event(Event::Anomaly(Anomaly { kind, at, bytes_skipped }));
    }

    /// Notes that `bytes`, the first at offset `at`, are ignored. CR and LF are not worth a word: many peers send them
    /// between frames and after answers.
    pub(crate) fn ignore(&mut self, kind: AnomalyKind, at: u64, bytes: &[u8]) {
        let Some(first) = bytes.iter().position(|byte| !matches!(*byte, CR | LF)) else { return };
        let count = bytes.iter().filter(|byte| !matches!(**byte, CR | LF)).count() as u64;
        if let Some(run) = self.ignored.as_mut().filter(|run| run.kind == kind) {
            run.bytes_skipped = run.bytes_skipped.saturating_add(count);
        } else {
            self.end_ignored();
            self.ignored = Some(Anomaly { kind, at: at + first as u64, bytes_skipped: count });
        }
    }

    /// The run of ignored bytes is over.
    pub(crate) fn end_ignored(&mut self) {
        if let Some(ignored) = self.ignored.take() {
            self.events.push_back(Event::Anomaly(ignored));
        }
    }
}
