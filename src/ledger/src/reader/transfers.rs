//! Transfers under way and half transmissions.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{FrameRef, Key, KeyParts, TransferRecord, collect, record};
use crate::{HowEnded, Seq, Terms};
use serde::Serialize;
use vocabulary::ConnectionId;

/// A frame's text, and whether it is an end frame.
pub(super) type FrameText = (Vec<u8>, bool);

/// A transfer that is open, or ended with frames that are in no message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransferView {
    /// Its number.
    pub transfer: u64,
    /// The link.
    pub connection: ConnectionId,
    /// Its first frame.
    pub began: Seq,
    /// When that was written.
    pub began_at_ms: i64,
    /// Number of frames.
    pub frames: u32,
    /// Length of their joined text.
    pub bytes: u32,
    /// So much of it, from the front, is in messages.
    pub used: u32,
    /// How it ended; nothing while it is open.
    pub ended: Option<HowEnded>,
    /// The entry that ended it.
    pub ended_by: Option<Seq>,
    /// When that was written.
    pub ended_at_ms: Option<i64>,
    /// The message that is its rest, and was read together with it.
    pub continued_by: Option<Seq>,
    /// How the line was run when it began; nothing where the ledger is older than that.
    pub terms: Option<Terms>,
}

impl TransferView {
    fn new(transfer: u64, record: TransferRecord) -> Self {
        Self {
            transfer,
            connection: record.connection,
            began: record.began,
            began_at_ms: record.began_at_ms,
            frames: record.frames,
            bytes: record.bytes,
            used: record.used,
            ended: record.ended.map(|e| e.how),
            ended_by: record.ended.map(|e| e.seq),
            ended_at_ms: record.ended.map(|e| e.at_ms),
            continued_by: record.continued_by,
            terms: record.terms,
        }
    }
}

impl Reader {
    /// Transfers that have begun and not ended, by number. After a start these are what the last run left.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open_transfers(&self) -> Result<Vec<TransferView>, ReadError> {
        let rows = collect(self.store().as_ref(), &Key::open_transfers().under())?;
        rows.iter()
            .filter_map(|(key, value)| Some((KeyParts::of(key).number()?, value)))
            .map(|(transfer, value)| Ok(TransferView::new(transfer, Self::decoded(value)?)))
            .collect()
    }

    /// Half transmissions. The cursor is the ending entry and the transfer.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn half_transfers(
        &self,
        page: &Page<(Seq, u64)>,
    ) -> Result<Listing<TransferView, (Seq, u64)>, ReadError> {
        let store = self.store();
        let root = Key::half_transfers_by_end;
        let after = page.after.map(|(end, transfer)| root().seq(end).number(transfer).done());
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            Some((parts.seq()?, parts.number()?))
        };
        list(store.as_ref(), (root().under(), after), (page.limit, page.order), cursor, |key, _| {
            let Some((_, transfer)) = cursor(key) else { return Ok(None) };
            let found: Option<TransferRecord> = record(store.as_ref(), &Key::half_transfer(transfer).done())?;
            Ok(found.map(|found| TransferView::new(transfer, found)))
        })
    }

    /// The joined text of an open or half transfer that is in no message, from byte `used` on.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn unused_text(&self, transfer: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let frames = self.unused_frames(transfer)?;
        Ok(frames.map(|frames| frames.into_iter().flat_map(|(text, _)| text).collect()))
    }

    /// As [`Reader::unused_text`], frame by frame, and whether each is an end frame.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn unused_frames(&self, transfer: u64) -> Result<Option<Vec<FrameText>>, ReadError> {
        let store = self.store();
        let open: Option<TransferRecord> = record(store.as_ref(), &Key::open_transfer(transfer).done())?;
        let found = match open {
            Some(open) => Some(open),
            None => record(store.as_ref(), &Key::half_transfer(transfer).done())?,
        };
        let Some(found) = found else { return Ok(None) };
        let mut frames = Vec::new();
        for (_, page) in collect(store.as_ref(), &Key::transfer_pages(transfer).under())? {
            frames.extend(FrameRef::unpack(&page));
        }
        frames.extend(FrameRef::unpack(&found.refs));
        let slices = crate::fold::slices(&frames, found.used, found.bytes);
        slices.iter().map(|slice| self.slice(slice)).collect::<Result<_, _>>().map(Some)
    }
}
