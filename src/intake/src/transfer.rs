//! One LIS01 transfer on its way into the ledger: which frames, and which messages they complete.
//!
//! A message is cut where its terminator record ends, or where the next header begins; the draft of the message
//! goes into the same atomic group as the frame that completed it. So whatever was acknowledged is either part of
//! a message or a half transmission that is kept as frames and never parsed.

use crate::{
    settings::Connection,
    store::{received, terms},
};
use ledger::{Body, Draft, HowEnded, What};
use lis02::{Complete, Splitter, join_frame};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Where a message ends besides at its terminator record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageEnd {
    /// Nowhere: a transfer that ends without one leaves a half transmission.
    Terminator,
    /// At the orderly end of the session too, for analysers that send no terminator (protocols §4.1).
    Session,
    /// Nowhere, and sessions may end without EOT, for analysers that never send one. Nothing is missing then.
    TerminatorAlone,
}

/// Numbers of transfers do not repeat, within a process or over restarts.
pub(crate) fn next_transfer() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    // 2^64 nanoseconds are 584 years; the count keeps two transfers of one instant apart.
    u64::try_from(now).unwrap_or(u64::MAX).wrapping_add(count)
}

/// The group that keeps the beginning of a block: a transfer of its own, ended at once, and why.
pub(crate) fn half_block(connection: &Connection, why: String, bytes: Vec<u8>, how: HowEnded) -> Vec<Draft> {
    let transfer = next_transfer();
    let id = || connection.id.clone();
    [
        What::LinkNoted { connection: id(), what: why },
        What::FrameReceived {
            connection: id(),
            transfer,
            number: None,
            end: false,
            text: bytes.into(),
            terms: Some(terms(connection)),
        },
        What::TransferEnded { connection: id(), transfer, how },
    ]
    .map(|what| Draft::by_connection(&connection.id, what))
    .into()
}

/// What of a frame is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) number: Option<u8>,
    pub(crate) end: bool,
    pub(crate) text: Vec<u8>,
}

/// How far the text has been read.
#[derive(Debug, Default)]
struct Progress {
    splitter: Splitter,
    /// The text from `begins` on; what is in messages already is gone.
    tail: Vec<u8>,
    begins: usize,
    /// Missing line ends that were put in: so many bytes of the text are not the frames' own.
    put_in: usize,
    /// Those before the last frame.
    put_in_before: usize,
}

#[derive(Debug)]
struct Place {
    splitter: Splitter,
    tail_bytes: usize,
    put_in: usize,
    put_in_before: usize,
}

#[derive(Debug)]
pub(crate) struct Transfer {
    number: u64,
    /// Frames that are in the ledger or on their way.
    frames: usize,
    progress: Progress,
    /// The place before the last frame, to go back to when that frame was not kept.
    before: Option<Place>,
    /// The messages that the last frame completed.
    complete: Vec<Complete>,
    /// Set by a damaged or refused frame, cleared by a kept one: the session does not end in order.
    unsettled: bool,
}

impl Transfer {
    pub(crate) fn new() -> Self {
        Self {
            number: next_transfer(),
            frames: 0,
            progress: Progress::default(),
            before: None,
            complete: Vec::new(),
            unsettled: false,
        }
    }

    /// The group that keeps a frame, with the messages it completes.
    pub(crate) fn frame(&mut self, connection: &Connection, frame: &Kept) -> Vec<Draft> {
        self.before = Some(self.progress.place());
        self.frames += 1;
        self.complete = self.progress.push(frame);
        let complete = &self.complete;
        let mut group = Vec::with_capacity(1 + complete.len());
        group.push(Draft::by_connection(
            &connection.id,
            What::FrameReceived {
                connection: connection.id.clone(),
                transfer: self.number,
                number: frame.number,
                end: frame.end,
                text: frame.text.as_slice().into(),
                terms: (self.frames == 1).then(|| terms(connection)),
            },
        ));
        group.extend(complete.iter().map(|m| received(connection, self.progress.body(self.number, m))));
        group
    }

    /// The last frame is not in the ledger and will not be.
    pub(crate) fn undo(&mut self) {
        self.complete.clear();
        if let Some(place) = self.before.take() {
            self.progress.go_back(place);
            self.frames = self.frames.saturating_sub(1);
        }
    }

    /// Whether no frame of it was handed to the ledger.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// The messages that the last frame completed, while that frame is not settled.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.complete.iter().map(|message| self.progress.text(message))
    }

    pub(crate) fn settled(&mut self) {
        self.unsettled = false;
        self.before = None;
        self.complete.clear();
        self.progress.forget();
    }

    pub(crate) fn unsettled(&mut self) {
        self.unsettled = true;
    }

    /// Bytes of the transfer so far.
    pub(crate) fn bytes(&self) -> usize {
        self.progress.splitter.rest().end
    }

    /// What ends the transfer.
    pub(crate) fn end(mut self, connection: &Connection, how: HowEnded, at: MessageEnd) -> End {
        let in_order = how == HowEnded::Eot && !self.unsettled;
        let (mut group, mut messages) = (Vec::new(), Vec::new());
        if in_order && at == MessageEnd::Session {
            let complete = self.progress.splitter.finish();
            group.extend(complete.iter().map(|m| received(connection, self.progress.body(self.number, m))));
            messages.extend(complete.iter().map(|m| self.progress.text(m).to_vec()));
        }
        let half = !self.progress.splitter.rest().is_empty();
        group.push(Draft::by_connection(
            &connection.id,
            What::TransferEnded { connection: connection.id.clone(), transfer: self.number, how },
        ));
        End { group, messages, half }
    }
}

/// The end of a transfer.
pub(crate) struct End {
    /// What is written: the messages that only the end completes, then the end.
    pub(crate) group: Vec<Draft>,
    /// The bytes of those messages.
    pub(crate) messages: Vec<Vec<u8>>,
    /// Whether a half transmission is left.
    pub(crate) half: bool,
}

impl Progress {
    fn place(&self) -> Place {
        Place {
            splitter: self.splitter.clone(),
            tail_bytes: self.tail.len(),
            put_in: self.put_in,
            put_in_before: self.put_in_before,
        }
    }

    fn go_back(&mut self, place: Place) {
        self.splitter = place.splitter;
        self.tail.truncate(place.tail_bytes);
        (self.put_in, self.put_in_before) = (place.put_in, place.put_in_before);
    }

    fn push(&mut self, frame: &Kept) -> Vec<Complete> {
        let from = self.tail.len();
        self.put_in_before = self.put_in;
        self.put_in += join_frame(&mut self.tail, &frame.text, frame.end);
        self.splitter.push(self.tail.get(from..).unwrap_or_default())
    }

    fn body(&self, transfer: u64, message: &Complete) -> Body {
        let range = &message.range;
        // Line ends behind the message belong to nothing else; they would be left over as half a transmission.
        let behind = self.tail.get(range.end.saturating_sub(self.begins)..).unwrap_or_default();
        let end = range.end + behind.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        // A line end is put in behind a frame's own text: only a message that ends there has it.
        let whole_text = self.begins + self.tail.len();
        let put_in = if end == whole_text { self.put_in } else { self.put_in_before };
        let places = (u32::try_from(range.start), u32::try_from(end.saturating_sub(put_in)));
        match (self.put_in, places) {
            (0, (Ok(from), Ok(to))) => Body::Frames { transfer, from, to },
            (_, (_, Ok(to))) => Body::Made { text: self.text(message).into(), transfer, to },
            (_, (_, Err(_))) => Body::Whole(self.text(message).into()),
        }
    }

    fn text(&self, message: &Complete) -> &[u8] {
        let place = |at: usize| at.saturating_sub(self.begins);
        self.tail.get(place(message.range.start)..place(message.range.end)).unwrap_or_default()
    }

    /// Lets go of the text that no unfinished message needs.
    fn forget(&mut self) {
        let keep_from = self.splitter.rest().start;
        let gone = keep_from.saturating_sub(self.begins).min(self.tail.len());
        self.tail.drain(..gone);
        self.begins += gone;
    }
}
