//! The ledger as JSON, one object after another, straight from the journal.
//!
//! Nothing is read from the state: what is exported is what was written, in the order it was written. The names
//! here are promises to users.

mod audit;
mod deliveries;
mod messages;

use crate::journal::{Index, JournalError, Stream};
use crate::open::{OpenError, recover};
use crate::state::FrameRef;
use crate::{Entry, Ledger, Line, Seq, Settings};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::str::FromStr;
use std::sync::Arc;

/// What to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportKind {
    /// Messages with their raw bytes.
    Messages,
    /// Observations and findings, each with its message.
    Observations,
    /// Verdicts, whole.
    Verdicts,
    /// What happened to each delivery.
    Deliveries,
    /// Every entry: who, when, what, and the hash that chains it.
    Audit,
}

impl ExportKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Messages, Self::Observations, Self::Verdicts, Self::Deliveries, Self::Audit];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Observations => "observations",
            Self::Verdicts => "verdicts",
            Self::Deliveries => "deliveries",
            Self::Audit => "audit",
        }
    }
}

impl FromStr for ExportKind {
    type Err = ExportError;
    fn from_str(text: &str) -> Result<Self, ExportError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| ExportError::UnknownKind(text.to_owned()))
    }
}

/// Why an export stops.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal cannot be read on.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Something cannot be written as JSON.
    #[error("entry {seq} cannot be written as JSON: {error}")]
    Json {
        /// The entry.
        seq: Seq,
        /// Why.
        error: serde_json::Error,
    },
    /// A name that is no kind.
    #[error("{0:?} cannot be exported; messages, observations, verdicts, deliveries and audit can")]
    UnknownKind(String),
}

/// JSON objects, one after another.
#[derive(Debug)]
pub struct Export {
    kind: ExportKind,
    index: Arc<Index>,
    lines: Stream,
    /// Frames of transfers that have not ended, to put messages together.
    transfers: HashMap<u64, Vec<FrameRef>>,
    ready: VecDeque<Value>,
    /// How the station's clock stood when the entries at hand were written.
    clock: Option<&'static str>,
}

/// Exports from the ledger in `settings.dir`, read only. It may be in use: then what is durable now is exported.
///
/// # Errors
/// [`OpenError`]: the journal cannot be read or is damaged.
pub fn export(settings: &Settings, kind: ExportKind) -> Result<Export, OpenError> {
    let index = recover(settings, &mut |_| {})?.index();
    Ok(Export::new(index, kind))
}

impl Ledger {
    /// Exports what is durable now.
    #[must_use]
    pub fn export(&self, kind: ExportKind) -> Export {
        Export::new(self.index(), kind)
    }
}

impl Export {
    fn new(index: Arc<Index>, kind: ExportKind) -> Self {
        let lines = index.stream(Seq::NONE);
        Self { kind, index, lines, transfers: HashMap::new(), ready: VecDeque::new(), clock: None }
    }

    /// Puts the objects that `line` makes into `ready`.
    fn take(&mut self, line: &Line) -> Result<(), ExportError> {
        match self.kind {
            ExportKind::Messages => self.message(&line.entry),
            ExportKind::Observations => self.observations(&line.entry),
            ExportKind::Verdicts => self.verdict(&line.entry),
            ExportKind::Deliveries => self.delivery(&line.entry),
            ExportKind::Audit => self.audit(line),
        }
    }
}

impl Iterator for Export {
    type Item = Result<Value, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(Ok(ready));
            }
            let taken = match self.lines.next()? {
                Ok(line) => self.take(&line),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = taken {
                return Some(Err(error));
            }
        }
    }
}

/// Time as people and programs read it.
fn time(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

fn json<T: serde::Serialize>(entry: &Entry, value: &T) -> Result<Value, ExportError> {
    serde_json::to_value(value).map_err(|error| ExportError::Json { seq: entry.seq, error })
}

/// Adds a field to an object.
fn set(object: &mut Value, name: impl Into<String>, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.into(), value);
    }
}

/// Bytes as text when they are UTF-8, else in hexadecimal under another name.
fn put_bytes(object: &mut Value, name: &str, bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        set(object, name, text.into());
    } else {
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
        set(object, format!("{name}_hex"), hex.into());
    }
}
