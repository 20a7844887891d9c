//! Lists come in pages.

use super::ReadError;
use crate::state::{Read, Span};
use serde::Serialize;
use std::ops::ControlFlow;

/// Rows looked at for one page; a filter that matches little gives a short page and a cursor to go on with.
pub(crate) const ROWS_PER_PAGE_MAX: usize = 20_000;
/// The longest page.
pub(crate) const PAGE_ITEMS_MAX: usize = 1_000;

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The oldest first.
    #[default]
    OldestFirst,
    /// The newest first.
    NewestFirst,
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<Cursor> {
    /// Go on behind this one.
    pub after: Option<Cursor>,
    /// At most so many, and never more than 1000.
    pub limit: usize,
    /// Which way.
    pub order: Order,
}

impl<Cursor> Page<Cursor> {
    /// The first `limit`.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit, order: Order::OldestFirst }
    }

    /// The last `limit`, newest first.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self { after: None, limit, order: Order::NewestFirst }
    }

    /// The same, behind `cursor`.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing<Item, Cursor> {
    /// What was found.
    pub items: Vec<Item>,
    /// Where to go on; nothing when the list is at its end.
    pub next: Option<Cursor>,
}

/// Walks `span` behind the cursor, at most [`ROWS_PER_PAGE_MAX`] rows; `pick` turns a row into an item, or passes
/// over it. The cursor of the listing is made by `cursor` from the last key looked at.
pub(crate) fn list<Item, Cursor>(
    read: &dyn Read,
    (mut span, after_key): (Span, Option<Vec<u8>>),
    (limit, order): (usize, Order),
    cursor: impl Fn(&[u8]) -> Option<Cursor>,
    mut pick: impl FnMut(&[u8], &[u8]) -> Result<Option<Item>, ReadError>,
) -> Result<Listing<Item, Cursor>, ReadError> {
    let limit = limit.clamp(1, PAGE_ITEMS_MAX);
    span.backwards = order == Order::NewestFirst;
    if let Some(mut key) = after_key {
        if span.backwards {
            span.to = key;
        } else {
            key.push(0);
            span.from = key;
        }
    }
    let (mut items, mut rows, mut last) = (Vec::new(), 0, None);
    let mut failed = None;
    read.walk(&span, &mut |key, value| {
        if items.len() >= limit || rows >= ROWS_PER_PAGE_MAX {
            return ControlFlow::Break(());
        }
        rows += 1;
        last = Some(key.to_vec());
        match pick(key, value) {
            Ok(item) => items.extend(item),
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let full = items.len() >= limit || rows >= ROWS_PER_PAGE_MAX;
    let next = last.filter(|_| full).and_then(|key| cursor(&key));
    Ok(Listing { items, next })
}
