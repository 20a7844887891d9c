//! A store with changes laid over it that are not written yet.

use super::{Changes, Each, Key, Read, Span, StateError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::iter::Peekable;
use std::ops::{Bound, ControlFlow};

/// The longest value under one key; longer ones stand in chunks.
const CHUNK_BYTES: usize = 64 << 10;

/// A store with changes laid over it. The fold reads and writes this; nothing reaches the store before the
/// whole batch does.
pub(crate) struct View<'a> {
    base: &'a dyn Read,
    changes: Changes,
    bytes: usize,
    /// What the base said, where it is asked for again and again.
    read: RefCell<Changes>,
}

impl<'a> View<'a> {
    pub(crate) fn new(base: &'a dyn Read) -> Self {
        Self { base, changes: Changes::new(), bytes: 0, read: RefCell::default() }
    }

    /// What was changed.
    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }

    /// The value of a key that entry after entry asks for: the base is asked once.
    pub(crate) fn get_again(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let mut read = self.read.borrow_mut();
        if let Some(known) = self.changes.get(key).or_else(|| read.get(key)) {
            return Ok(known.clone());
        }
        let value = self.base.get(key)?;
        read.insert(key.to_vec(), value.clone());
        Ok(value)
    }

    /// About how many bytes were changed.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.changes.insert(key, Some(value));
    }

    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.bytes += key.len();
        self.changes.insert(key, None);
    }

    pub(crate) fn put_record<T: Serialize>(&mut self, key: Vec<u8>, record: &T) -> Result<(), StateError> {
        let value = encode(record)?;
        self.put(key, value);
        Ok(())
    }

    /// Puts a value of any length.
    pub(crate) fn put_long<T: Serialize>(&mut self, key: &Key, record: &T) -> Result<(), StateError> {
        for (number, chunk) in encode(record)?.chunks(CHUNK_BYTES).enumerate() {
            let number =
                u16::try_from(number).map_err(|_| StateError("a value is longer than 4 GiB".to_owned()))?;
            self.put(key.clone().short(number).done(), chunk.to_vec());
        }
        Ok(())
    }

    /// Deletes everything under `key`.
    pub(crate) fn delete_under(&mut self, key: Key) -> Result<(), StateError> {
        for (key, _) in collect(self, &key.under())? {
            self.delete(key);
        }
        Ok(())
    }
}

impl Read for View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.base.get(key),
        }
    }

    fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError> {
        walk_over(&self.changes, self.base, span, each)
    }
}

/// Walks `span` of `base` with `changes` laid over it.
pub(super) fn walk_over(
    changes: &Changes,
    base: &dyn Read,
    span: &Span,
    each: Each<'_>,
) -> Result<(), StateError> {
    if !span.to.is_empty() && span.to <= span.from {
        return Ok(());
    }
    let to = if span.to.is_empty() { Bound::Unbounded } else { Bound::Excluded(span.to.clone()) };
    let range = changes.range((Bound::Included(span.from.clone()), to));
    if span.backwards {
        Merge { over: range.rev().peekable(), backwards: true }.walk(base, span, each)
    } else {
        Merge { over: range.peekable(), backwards: false }.walk(base, span, each)
    }
}

struct Merge<I: Iterator> {
    over: Peekable<I>,
    backwards: bool,
}

type Change<'c> = (&'c Vec<u8>, &'c Option<Vec<u8>>);

impl<'c, I: Iterator<Item = Change<'c>>> Merge<I> {
    /// Changes that come before `key`, then whether there is one for `key` itself.
    fn up_to(&mut self, key: &[u8], each: Each<'_>) -> ControlFlow<(), bool> {
        while let Some((changed, value)) = self.over.peek().copied() {
            let order = changed.as_slice().cmp(key);
            let order = if self.backwards { order.reverse() } else { order };
            if order.is_gt() {
                return ControlFlow::Continue(false);
            }
            self.over.next();
            if let Some(value) = value {
                each(changed, value)?;
            }
            if order.is_eq() {
                return ControlFlow::Continue(true);
            }
        }
        ControlFlow::Continue(false)
    }

    fn walk(mut self, base: &dyn Read, span: &Span, each: Each<'_>) -> Result<(), StateError> {
        let mut stopped = false;
        base.walk(span, &mut |key, value| {
            let flow = match self.up_to(key, each) {
                ControlFlow::Continue(true) => ControlFlow::Continue(()),
                ControlFlow::Continue(false) => each(key, value),
                ControlFlow::Break(()) => ControlFlow::Break(()),
            };
            stopped = flow.is_break();
            flow
        })?;
        for (key, value) in self.over {
            if stopped {
                break;
            }
            stopped = value.as_ref().is_some_and(|value| each(key, value).is_break());
        }
        Ok(())
    }
}

/// A key and its value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// Everything in `span`.
pub(crate) fn collect(read: &dyn Read, span: &Span) -> Result<Vec<Row>, StateError> {
    let mut found = Vec::new();
    read.walk(span, &mut |key, value| {
        found.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

pub(crate) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, StateError> {
    let mut out = Vec::new();
    crate::encode::write(record, &mut out).map_err(StateError)?;
    Ok(out)
}

pub(crate) fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, StateError> {
    crate::encode::read(value).map_err(|error| StateError(format!("a value cannot be read: {error}")))
}

/// The record under `key`.
pub(crate) fn record<T: DeserializeOwned>(read: &dyn Read, key: &[u8]) -> Result<Option<T>, StateError> {
    read.get(key)?.map(|value| decode(&value)).transpose()
}

/// A record of any length.
pub(crate) fn long_record<T: DeserializeOwned>(read: &dyn Read, key: Key) -> Result<Option<T>, StateError> {
    let mut whole = Vec::new();
    let mut found = false;
    read.walk(&key.under(), &mut |_, value| {
        found = true;
        whole.extend_from_slice(value);
        ControlFlow::Continue(())
    })?;
    found.then(|| decode(&whole)).transpose()
}

/// The sequence number under `key`.
pub(crate) fn seq(read: &dyn Read, key: &[u8]) -> Result<Option<crate::Seq>, StateError> {
    let value = read.get(key)?;
    Ok(value.and_then(|v| v.first_chunk::<8>().map(|b| crate::Seq::new(u64::from_be_bytes(*b)))))
}
