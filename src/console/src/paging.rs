//! Lists come in pages with a cursor.

use crate::problem::Problem;
use ledger::{DeliveryId, Listing, Order, Page, Seq};
use serde::{Deserialize, Serialize};
use std::{fmt::Display, str::FromStr};
use vocabulary::{DonationId, PoolId, RunId};

const LIMIT_USUAL: usize = 100;

/// `?after=…&limit=…&order=newest`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Paging {
    pub(crate) after: Option<String>,
    pub(crate) limit: Option<usize>,
    pub(crate) order: Option<Direction>,
    pub(crate) connection: Option<String>,
    pub(crate) donation: Option<String>,
    pub(crate) destination: Option<String>,
    pub(crate) state: Option<ledger::DeliveryState>,
    pub(crate) message: Option<u64>,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Oldest,
    Newest,
}

/// A cursor of a list, as text.
pub(crate) trait Cursor: Sized {
    fn read(text: &str) -> Option<Self>;
}

impl Cursor for Seq {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::new)
    }
}

impl Cursor for DonationId {
    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

impl Cursor for PoolId {
    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

impl Cursor for RunId {
    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

impl Cursor for DeliveryId {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Cursor for (Seq, u64) {
    fn read(text: &str) -> Option<Self> {
        let (seq, number) = text.split_once('-')?;
        Some((Seq::read(seq)?, number.parse().ok()?))
    }
}

impl Paging {
    pub(crate) fn page<C: Cursor>(&self) -> Result<Page<C>, Problem> {
        let after = match &self.after {
            None => None,
            Some(text) => {
                let wrong = || {
                    Problem::bad_request(format!(
                        "after={text} is no cursor of this list; take it from \"next\""
                    ))
                };
                Some(C::read(text).ok_or_else(wrong)?)
            }
        };
        let order = match self.order {
            None | Some(Direction::Oldest) => Order::OldestFirst,
            Some(Direction::Newest) => Order::NewestFirst,
        };
        Ok(Page { after, limit: self.limit.unwrap_or(LIMIT_USUAL), order })
    }

    /// An identifier among the filters.
    pub(crate) fn id<T: FromStr<Err: Display>>(
        name: &str,
        text: Option<&String>,
    ) -> Result<Option<T>, Problem> {
        let read =
            |text: &String| text.parse().map_err(|e| Problem::bad_request(format!("{name}={text}: {e}")));
        text.map(read).transpose()
    }
}

/// A page as JSON: `items`, and `next` where to go on.
#[derive(Debug, Serialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T> Items<T> {
    pub(crate) fn all(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    pub(crate) fn of<C>(listing: Listing<T, C>, cursor: impl FnOnce(C) -> String) -> Self {
        Self { items: listing.items, next: listing.next.map(cursor) }
    }
}
