//! The values of the state. CBOR with named fields; a change of shape raises [`STATE_VERSION`] and the state is
//! made again.

use crate::fold::ChannelReading;
use crate::{HowEnded, Known, Seq, Terms};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{
    ConnectionId, Consequence, DonationId, DonorId, Mode, OrderId, PoolId, ProfileRef, Protocol, RunId,
};

/// Version of keys and values. A state of another version is made again from the journal.
pub(crate) const STATE_VERSION: u32 = 41;

/// Where bytes of a message stand: a frame entry and a range of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrameSlice {
    pub(crate) seq: Seq,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRecord {
    pub(crate) at_ms: i64,
    pub(crate) connection: ConnectionId,
    pub(crate) mode: Mode,
    /// The profile that the line was run with.
    pub(crate) profile: ProfileRef,
    /// The revision that it is to be read with instead: the one activated before it came, or the one it was to be
    /// read again with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) read_with: Option<ProfileRef>,
    /// The entry that last asked for it to be read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Seq>,
    pub(crate) protocol: Protocol,
    pub(crate) bytes: u64,
    /// The transfer its bytes came in, when they stand in frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transfer: Option<u64>,
    /// Its bytes are not where it says they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) bytes_missing: bool,
    /// First entry of the interpretation that stands, and the profile that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) interpretation: Option<InterpretationRecord>,
}

impl MessageRecord {
    /// The revision that reads it.
    pub(crate) fn reads_with(&self) -> &ProfileRef {
        self.read_with.as_ref().unwrap_or(&self.profile)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InterpretationRecord {
    pub(crate) profile: ProfileRef,
    /// Its first entry, and when that was written.
    pub(crate) entry: Seq,
    pub(crate) at_ms: i64,
    /// The entry that asked for it, where the message was read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Seq>,
    /// It took the place of another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) again: bool,
    pub(crate) parts: u16,
    pub(crate) complete: bool,
    pub(crate) observations: u32,
    pub(crate) findings: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) worst: Option<Consequence>,
}

/// An interpretation that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PastRecord {
    pub(crate) was: InterpretationRecord,
    /// Its parts.
    pub(crate) entries: Vec<Seq>,
    /// The first entry of the one that took its place.
    pub(crate) replaced_by: Seq,
}

/// Why a message is held.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct HeldRecord {
    /// Names of findings that hold or quarantine, and how often each is there.
    pub(crate) reasons: BTreeMap<String, u32>,
}

/// The revision that a connection reads with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PinRecord {
    pub(crate) profile: ProfileRef,
    /// The entry since which it does.
    pub(crate) entry: Seq,
    pub(crate) at_ms: i64,
    pub(crate) by: String,
    /// What somebody wants instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proposed: Option<ProposalRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProposalRecord {
    pub(crate) profile: ProfileRef,
    pub(crate) entry: Seq,
    pub(crate) at_ms: i64,
    pub(crate) by: String,
    pub(crate) why: String,
}

/// One part of an interpretation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    /// The entry.
    pub(crate) seq: Seq,
    pub(crate) donations: Vec<DonationId>,
    /// Runs that the donations' observations belong to.
    pub(crate) runs: Vec<RunId>,
    /// Runs that it has controls of.
    pub(crate) controls: Vec<RunId>,
    /// Orders that it has results of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) orders: Vec<OrderId>,
    /// Half transmissions whose rest its message is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) continues: Vec<u64>,
    /// Pools that it speaks of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pools: Vec<PoolPart>,
    /// Readings of controls in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) readings: Vec<ChannelReading>,
}

/// What a part of an interpretation says of one pool: what has to be taken back where another one follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoolPart {
    pub(crate) pool: PoolId,
    /// Donations named as its members.
    pub(crate) donations: BTreeSet<DonationId>,
    /// Runs of its results.
    pub(crate) runs: BTreeSet<RunId>,
}

/// A pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoolRecord {
    /// The entry that first spoke of it.
    pub(crate) first: Seq,
    /// Some result of it was not non-reactive: its members may rest on each other's own results.
    pub(crate) resolves: bool,
}

/// Which members, observations and findings of a part are about a pool.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct PoolRefsRecord {
    pub(crate) entry: Seq,
    pub(crate) made: Vec<u32>,
    pub(crate) observations: Vec<u32>,
    pub(crate) findings: Vec<u32>,
    /// Some of the observations is not non-reactive.
    pub(crate) resolves: bool,
}

/// A frame of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameRef {
    pub(crate) seq: Seq,
    /// Where its text begins in the joined text.
    pub(crate) start: u32,
    pub(crate) length: u32,
}

impl FrameRef {
    const BYTES: usize = 16;

    pub(crate) fn pack(frames: &[Self]) -> Vec<u8> {
        let mut out = Vec::with_capacity(frames.len() * Self::BYTES);
        for frame in frames {
            out.extend_from_slice(&frame.seq.get().to_be_bytes());
            out.extend_from_slice(&frame.start.to_be_bytes());
            out.extend_from_slice(&frame.length.to_be_bytes());
        }
        out
    }

    pub(crate) fn unpack(bytes: &[u8]) -> Vec<Self> {
        let read = |chunk: &[u8]| {
            let (seq, rest) = chunk.split_first_chunk::<8>()?;
            let (start, rest) = rest.split_first_chunk::<4>()?;
            let length = rest.first_chunk::<4>()?;
            Some(Self {
                seq: Seq::new(u64::from_be_bytes(*seq)),
                start: u32::from_be_bytes(*start),
                length: u32::from_be_bytes(*length),
            })
        };
        bytes.chunks_exact(Self::BYTES).filter_map(read).collect()
    }

    pub(crate) fn end(&self) -> u32 {
        self.start.saturating_add(self.length)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TransferRecord {
    pub(crate) connection: ConnectionId,
    pub(crate) began: Seq,
    pub(crate) began_at_ms: i64,
    pub(crate) frames: u32,
    pub(crate) bytes: u32,
    /// Joined text up to here is in messages.
    pub(crate) used: u32,
    /// Pages of frames before those below.
    pub(crate) pages: u16,
    /// Packed [`FrameRef`]s that no message has used up yet.
    #[serde(with = "serde_bytes")]
    pub(crate) refs: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<EndRecord>,
    /// The message that is its rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) continued_by: Option<Seq>,
    /// What its first frame says of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) terms: Option<Terms>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndRecord {
    pub(crate) how: HowEnded,
    pub(crate) seq: Seq,
    pub(crate) at_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DonationRecord {
    pub(crate) first: Seq,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) registered: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) collected_at_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) latest: Option<VerdictRecord>,
    /// Who gave it, by the registration that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) donor: Option<DonorId>,
    /// Who else gave it, by registrations that were not taken: what is known of it counts for them too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) or_donors: BTreeSet<DonorId>,
    /// In which session, by that registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    pub(crate) verdicts: u32,
    /// It passed by one of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) passed: bool,
    /// Its work item's first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) work: Option<Seq>,
}

/// A verdict in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VerdictRecord {
    pub(crate) seq: Seq,
    pub(crate) at_ms: i64,
    pub(crate) considered: Seq,
    pub(crate) unit: String,
    pub(crate) releasable: bool,
    pub(crate) complete: bool,
    pub(crate) content_hash: String,
}

/// Which observations and findings of a part are about a donation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct RefsRecord {
    pub(crate) entry: Seq,
    pub(crate) observations: Vec<u32>,
    pub(crate) findings: Vec<u32>,
    /// What the observations measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) measured: Vec<Known>,
    /// Readings of a control of which none says when it was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) untimed: bool,
}

/// How a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be made.
    Pending,
    /// The receiver has it.
    Done,
    /// Given up.
    Dead,
    /// Never sent: its verdict let the donation pass, and another one has taken its place.
    Withdrawn,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliveryRecord {
    pub(crate) donation: DonationId,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    pub(crate) next_at_ms: i64,
    /// What came of the last attempt, or why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
    /// The entry that changed it last.
    pub(crate) changed: Seq,
    pub(crate) changed_at_ms: i64,
    pub(crate) requeued: u32,
}

/// Numbers of things, since the journal began unless they say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Entries.
    pub entries: u64,
    /// Frames.
    pub frames: u64,
    /// Transfers open now.
    pub open_transfers: u64,
    /// Half transmissions kept now.
    pub half_transfers: u64,
    /// Messages.
    pub messages: u64,
    /// Messages interpreted, each once.
    pub interpreted: u64,
    /// Messages with findings that hold or quarantine, now.
    pub held_messages: u64,
    /// Observations of the interpretations that stand.
    pub observations: u64,
    /// Findings of the interpretations that stand.
    pub findings: u64,
    /// Donations known, registered or by their results.
    pub donations: u64,
    /// Verdicts.
    pub verdicts: u64,
    /// Messages to be interpreted, now.
    pub to_interpret: u64,
    /// Donations to be decided, now.
    pub to_decide: u64,
    /// Deliveries to be made, now.
    pub deliveries_pending: u64,
    /// Deliveries made.
    pub deliveries_done: u64,
    /// Dead letters, now.
    pub deliveries_dead: u64,
    /// Deliveries of a pass that was no longer the verdict when it was to be sent.
    pub deliveries_withdrawn: u64,
    /// Orders ever placed, each once.
    pub orders: u64,
    /// Orders with something still to be done, now.
    pub orders_open: u64,
    /// Questions for orders that were answered.
    pub queries: u64,
    /// Accounts.
    pub users: u64,
    /// Batches.
    pub batches: u64,
    /// Recalls that are not closed, now.
    pub recalls_open: u64,
    /// Look-backs that are not closed, now.
    pub lookbacks_open: u64,
    /// Entries that refer to something which is not there. Kept, counted, never guessed at.
    pub misfits: u64,
}
