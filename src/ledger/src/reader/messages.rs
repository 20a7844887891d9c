//! Messages, their bytes and their meaning.

use super::page::{Listing, Page, list};
use super::transfers::FrameText;
use super::{ReadError, Reader};
use crate::state::{
    FrameSlice, InterpretationRecord, Key, KeyParts, MessageRecord, PartRecord, collect, decode, long_record,
    record, seq,
};
use crate::{Body, Measured, Pools, Seq, What};
use serde::Serialize;
use vocabulary::{
    ConnectionId, Consequence, DonationId, Finding, Mode, Observation, OrderId, ProfileRef, Protocol,
};

/// A message as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageView {
    /// Its entry.
    pub seq: Seq,
    /// When it was written.
    pub at_ms: i64,
    /// The link it came over.
    pub connection: ConnectionId,
    /// How its results may be used.
    pub mode: Mode,
    /// The profile that its line was run with when it came.
    pub profile: ProfileRef,
    /// The revision that reads it: that one, unless another was activated since or the message was read again.
    pub read_with: ProfileRef,
    /// The entry that last asked for it to be read again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Seq>,
    /// Its wire format.
    pub protocol: Protocol,
    /// Its length.
    pub bytes: u64,
    /// The transfer it came in, where it stands in frames.
    pub transfer: Option<u64>,
    /// What became of it; nothing while it waits to be interpreted.
    pub interpretation: Option<InterpretationSummary>,
}

/// A file that was taken from a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenFile {
    /// The entry that says so; its message follows in the same group.
    pub seq: Seq,
    /// What it was called.
    pub name: String,
    /// How its results may be used, and the profile that was to read it; nothing where its message is not there.
    pub read_as: Option<(Mode, ProfileRef)>,
    /// No other file has been taken over its connection since.
    pub last: bool,
}

/// An interpretation as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterpretationSummary {
    /// The profile that read it.
    pub profile: ProfileRef,
    /// Whether all parts are there.
    pub complete: bool,
    /// Number of observations.
    pub observations: u32,
    /// Number of findings.
    pub findings: u32,
    /// The gravest of them.
    pub worst: Option<Consequence>,
}

/// What a message means, from the interpretation that stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interpretation {
    /// The profile that read it.
    pub profile: ProfileRef,
    /// Whether all parts are there.
    pub complete: bool,
    /// Its results, in order.
    pub observations: Vec<Observation>,
    /// What was wrong with it.
    pub findings: Vec<Finding>,
    /// Which observations are evidence for which donation.
    pub donations: Vec<(u32, DonationId)>,
    /// Which findings hold which donation.
    pub holds: Vec<(u32, DonationId)>,
    /// Which observations are results of which order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<(u32, OrderId)>,
    /// What the observations measured, and what they are to earlier ones.
    pub measured: Vec<Measured>,
    /// Half transmissions whose rest the message is.
    pub continues: Vec<u64>,
    /// What it says of pools.
    #[serde(skip_serializing_if = "Pools::is_empty")]
    pub pools: Pools,
}

/// Which messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageFilter {
    /// Only those of this link.
    pub connection: Option<ConnectionId>,
    /// Only those with findings that hold or quarantine.
    pub held: bool,
    /// Only those not interpreted yet.
    pub waiting: bool,
    /// Only those written at or after this time, milliseconds since 1970 UTC.
    pub from_ms: Option<i64>,
    /// Only those written before this time.
    pub to_ms: Option<i64>,
}

impl MessageFilter {
    fn takes(&self, message: &MessageRecord) -> bool {
        let held =
            message.interpretation.as_ref().and_then(|i| i.worst).is_some_and(|w| w > Consequence::Note);
        let waiting = !message.interpretation.as_ref().is_some_and(|i| i.complete);
        self.connection.as_ref().is_none_or(|c| *c == message.connection)
            && (!self.held || held)
            && (!self.waiting || waiting)
            && self.from_ms.is_none_or(|from| message.at_ms >= from)
            && self.to_ms.is_none_or(|to| message.at_ms < to)
    }
}

impl Interpretation {
    pub(super) fn begun(profile: ProfileRef, complete: bool) -> Self {
        Self {
            profile,
            complete,
            observations: Vec::new(),
            findings: Vec::new(),
            donations: Vec::new(),
            holds: Vec::new(),
            orders: Vec::new(),
            measured: Vec::new(),
            continues: Vec::new(),
            pools: Pools::default(),
        }
    }
}

impl From<&InterpretationRecord> for InterpretationSummary {
    fn from(record: &InterpretationRecord) -> Self {
        Self {
            profile: record.profile.clone(),
            complete: record.complete,
            observations: record.observations,
            findings: record.findings,
            worst: record.worst,
        }
    }
}

impl MessageView {
    fn new(seq: Seq, record: MessageRecord) -> Self {
        Self {
            seq,
            at_ms: record.at_ms,
            interpretation: record.interpretation.as_ref().map(Into::into),
            read_with: record.reads_with().clone(),
            asked: record.asked,
            connection: record.connection,
            mode: record.mode,
            profile: record.profile,
            protocol: record.protocol,
            bytes: record.bytes,
            transfer: record.transfer,
        }
    }
}

impl Reader {
    /// One message; nothing when the state knows none at `seq`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn message(&self, seq: Seq) -> Result<Option<MessageView>, ReadError> {
        let found = record(self.store().as_ref(), &Key::message(seq).done())?;
        Ok(found.map(|record| MessageView::new(seq, record)))
    }

    /// Messages.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn messages(
        &self,
        filter: &MessageFilter,
        page: &Page<Seq>,
    ) -> Result<Listing<MessageView, Seq>, ReadError> {
        let store = self.store();
        let seq_of = |key: &[u8]| KeyParts::of(key).seq();
        let root: fn() -> Key = if filter.held {
            Key::held_messages
        } else if filter.waiting {
            Key::to_interpret
        } else {
            Key::messages
        };
        let after = page.after.map(|seq| root().seq(seq).done());
        list(store.as_ref(), (root().under(), after), (page.limit, page.order), seq_of, |key, _| {
            let Some(seq) = seq_of(key) else { return Ok(None) };
            let found: Option<MessageRecord> = record(store.as_ref(), &Key::message(seq).done())?;
            Ok(found.filter(|m| filter.takes(m)).map(|m| MessageView::new(seq, m)))
        })
    }

    /// A message's bytes exactly as they came, read from the journal; every checksum is checked.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::OtherKind`] when `seq` is no message.
    pub fn raw(&self, seq: Seq) -> Result<Vec<u8>, ReadError> {
        let What::MessageReceived { body, .. } = self.entry(seq)?.what else {
            return Err(ReadError::OtherKind { seq, wanted: "message" });
        };
        match body {
            Body::Whole(bytes) | Body::Made { text: bytes, .. } => Ok(bytes.into_vec()),
            Body::Frames { .. } => {
                let slices: Option<Vec<FrameSlice>> =
                    long_record(self.store().as_ref(), Key::message_body(seq))?;
                self.joined(&slices.ok_or(ReadError::BytesMissing(seq))?)
            }
        }
    }

    /// The text of frames, joined.
    fn joined(&self, slices: &[FrameSlice]) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::new();
        for slice in slices {
            out.extend_from_slice(&self.slice(slice)?.0);
        }
        Ok(out)
    }

    /// A part of a frame's text, and whether the frame is an end frame.
    pub(super) fn slice(&self, slice: &FrameSlice) -> Result<FrameText, ReadError> {
        let What::FrameReceived { text, end, .. } = self.entry(slice.seq)?.what else {
            return Err(ReadError::OtherKind { seq: slice.seq, wanted: "frame" });
        };
        let (from, to) = (usize::try_from(slice.from), usize::try_from(slice.to));
        let part = from.ok().zip(to.ok()).and_then(|(from, to)| text.get(from..to));
        Ok((part.ok_or(ReadError::BytesMissing(slice.seq))?.to_vec(), end))
    }

    /// What a message means; nothing while no interpretation of it has begun.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn observations_of(&self, message: Seq) -> Result<Option<Interpretation>, ReadError> {
        let store = self.store();
        let found: Option<MessageRecord> = record(store.as_ref(), &Key::message(message).done())?;
        let Some(standing) = found.and_then(|m| m.interpretation) else { return Ok(None) };
        let mut whole = Interpretation::begun(standing.profile, standing.complete);
        for number in 0..standing.parts {
            let part: Option<PartRecord> =
                long_record(store.as_ref(), Key::message_parts(message).short(number))?;
            if let Some(part) = part {
                self.add_part(part.seq, &mut whole)?;
            }
        }
        Ok(Some(whole))
    }

    pub(super) fn add_part(&self, seq: Seq, whole: &mut Interpretation) -> Result<(), ReadError> {
        let What::MessageInterpreted {
            observations,
            findings,
            donations,
            holds,
            orders,
            measured,
            continues,
            pools,
            ..
        } = self.entry(seq)?.what
        else {
            return Err(ReadError::OtherKind { seq, wanted: "interpretation" });
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (shift, hold_shift) = (count(whole.observations.len()), count(whole.findings.len()));
        whole.observations.extend(observations);
        whole.findings.extend(findings);
        whole.donations.extend(donations.into_iter().map(|(i, d)| (i.saturating_add(shift), d)));
        whole.holds.extend(holds.into_iter().map(|(i, d)| (i.saturating_add(hold_shift), d)));
        whole.orders.extend(orders.into_iter().map(|(i, o)| (i.saturating_add(shift), o)));
        let measured = measured.into_iter().map(|m| Measured { index: m.index.saturating_add(shift), ..m });
        whole.measured.extend(measured);
        whole.continues.extend(continues);
        whole.pools.made.extend(pools.made);
        whole.pools.results.extend(pools.results.into_iter().map(|(i, p)| (i.saturating_add(shift), p)));
        whole.pools.holds.extend(pools.holds.into_iter().map(|(i, p)| (i.saturating_add(hold_shift), p)));
        Ok(())
    }

    /// The files with this content that were taken over a connection, in order: of each name the last.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn files_taken(&self, connection: &ConnectionId, sha256: &str) -> Result<Vec<TakenFile>, ReadError> {
        let found = collect(self.store().as_ref(), &Key::file_taken(connection, sha256).under())?;
        let last = seq(self.store().as_ref(), &Key::file_taken_last(connection).done())?;
        let mut taken = Vec::new();
        for (key, value) in &found {
            let mut parts = KeyParts::of(key);
            let (_connection, _sha256) = (parts.text(), parts.text());
            let (Some(name), Some(at)) = (parts.text(), value.first_chunk::<8>()) else { continue };
            let at = Seq::new(u64::from_be_bytes(*at));
            let message = self.message_record(at.next())?;
            taken.push(TakenFile {
                seq: at,
                name: name.to_owned(),
                read_as: message.map(|message| (message.mode, message.profile)),
                last: last == Some(at),
            });
        }
        taken.sort_by_key(|file| file.seq);
        Ok(taken)
    }

    pub(super) fn message_record(&self, seq: Seq) -> Result<Option<MessageRecord>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::message(seq).done())?)
    }

    pub(super) fn decoded<T: serde::de::DeserializeOwned>(value: &[u8]) -> Result<T, ReadError> {
        Ok(decode(value)?)
    }
}
