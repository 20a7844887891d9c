//! Messages that hold something up, and what messages were taken to mean before.

use super::messages::{Interpretation, InterpretationSummary, MessageView};
use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::Seq;
use crate::fold::{members, pools_in};
use crate::state::{
    HeldRecord, Key, KeyParts, MessageRecord, PastRecord, collect, decode, long_record, record,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{ConnectionId, RunId};

/// A message that holds something up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldMessage {
    /// The message.
    #[serde(flatten)]
    pub message: MessageView,
    /// Names of its findings that hold or quarantine, and how often each is there.
    pub reasons: BTreeMap<String, u32>,
}

/// An interpretation of a message: the one that stands, or one that another took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterpretationVersion {
    /// Its first entry.
    pub entry: Seq,
    /// When that was written.
    pub at_ms: i64,
    /// The entry that asked for it, where the message was read again.
    pub asked: Option<Seq>,
    /// In short.
    #[serde(flatten)]
    pub summary: InterpretationSummary,
    /// The first entry of the one that took its place; nothing for the one that stands.
    pub replaced_by: Option<Seq>,
}

impl Reader {
    /// Messages with findings that hold or quarantine: of one connection where it is named, and with a finding whose
    /// name is wanted.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn held_messages(
        &self,
        connection: Option<&ConnectionId>,
        wanted: &dyn Fn(&str) -> bool,
        page: &Page<Seq>,
    ) -> Result<Listing<HeldMessage, Seq>, ReadError> {
        let store = self.store();
        let seq_of = |key: &[u8]| KeyParts::of(key).seq();
        let after = page.after.map(|seq| Key::held_messages().seq(seq).done());
        let span = (Key::held_messages().under(), after);
        list(store.as_ref(), span, (page.limit, page.order), seq_of, |key, value| {
            let HeldRecord { reasons } = decode(value)?;
            if !reasons.keys().any(|name| wanted(name)) {
                return Ok(None);
            }
            let Some(message) = seq_of(key).map(|seq| self.message(seq)).transpose()?.flatten() else {
                return Ok(None);
            };
            let here = connection.is_none_or(|c| *c == message.connection);
            Ok(here.then_some(HeldMessage { message, reasons }))
        })
    }

    /// Whether a message waits to be interpreted, for the first time or again.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn waits(&self, message: Seq) -> Result<bool, ReadError> {
        Ok(self.store().get(&Key::to_interpret().seq(message).done())?.is_some())
    }

    /// How many donations have results of a run, or were tested in it in a pool.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donations_of_run(&self, run: &RunId) -> Result<usize, ReadError> {
        let mut donations = BTreeSet::new();
        for (key, _) in collect(self.store().as_ref(), &Key::run_donations(run).under())? {
            let mut parts = KeyParts::of(&key);
            parts.text();
            donations.extend(parts.text().map(str::to_owned));
        }
        for pool in pools_in(self.store().as_ref(), run)? {
            let members = members(self.store().as_ref(), &pool)?;
            donations.extend(members.into_iter().map(String::from));
        }
        Ok(donations.len())
    }

    /// Every interpretation of a message, the oldest first; the last one stands.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn interpretations_of(&self, message: Seq) -> Result<Vec<InterpretationVersion>, ReadError> {
        let store = self.store();
        let mut entries = BTreeSet::new();
        for (key, _) in collect(store.as_ref(), &Key::past_interpretations(message).under())? {
            let mut parts = KeyParts::of(&key);
            let (_message, entry) = (parts.seq(), parts.seq());
            entries.extend(entry);
        }
        let mut versions = Vec::new();
        for entry in entries {
            let past: Option<PastRecord> =
                long_record(store.as_ref(), Key::past_interpretations(message).seq(entry))?;
            versions.extend(past.map(|past| InterpretationVersion {
                entry,
                at_ms: past.was.at_ms,
                asked: past.was.asked,
                summary: (&past.was).into(),
                replaced_by: Some(past.replaced_by),
            }));
        }
        let standing: Option<MessageRecord> = record(store.as_ref(), &Key::message(message).done())?;
        versions.extend(standing.and_then(|m| m.interpretation).map(|standing| InterpretationVersion {
            entry: standing.entry,
            at_ms: standing.at_ms,
            asked: standing.asked,
            summary: (&standing).into(),
            replaced_by: None,
        }));
        Ok(versions)
    }

    /// What a message was taken to mean by an interpretation that another one took the place of.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn past_interpretation(&self, message: Seq, entry: Seq) -> Result<Option<Interpretation>, ReadError> {
        let key = Key::past_interpretations(message).seq(entry);
        let Some(past) = long_record::<PastRecord>(self.store().as_ref(), key)? else { return Ok(None) };
        let mut whole = Interpretation::begun(past.was.profile, past.was.complete);
        for part in past.entries {
            self.add_part(part, &mut whole)?;
        }
        Ok(Some(whole))
    }
}
