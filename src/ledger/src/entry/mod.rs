//! What is written: drafts on the way in, entries once they have a place and a time.

mod by;
mod bytes;
mod clock;
mod components;
mod delivery;
mod donor_data;
mod donors;
mod fitness;
mod kits;
mod lots;
mod measured;
mod person;
mod pooled;
mod profiles;
mod rules;
mod seq;
mod signed;
mod verdict;

pub use by::By;
pub use bytes::Bytes;
pub use clock::ClockState;
pub use components::{ComponentAct, ComponentMove, Expiry, FoundComponents};
pub use delivery::{DeliveryId, DeliveryIdError};
pub use donor_data::DonorData;
pub use donors::{
    AskedDeferral, DonorAct, DonorAsked, DonorTask, LookbackAsked, LookbackId, LookbackStep, TaskOutcome,
};
pub use fitness::{FitnessAct, Service};
pub use kits::{KitRef, KitsAct};
pub use lots::LotsAct;
pub use measured::{Earlier, Known, Measured, ObservationRef};
pub use person::{PasswordHash, PersonAct, PersonEntry};
pub use pooled::{PoolMade, PoolMember, Pools};
pub use profiles::{Mapped, Mapping, ProfileContent};
pub use rules::RulesAct;
pub use seq::Seq;
pub use signed::{
    BatchOf, HoldKind, LeftHeld, RowAt, RunCause, SetAside, SignedAct, SignedDonation, UnitCount, WindowSpan,
};
pub use verdict::{FoundBefore, MarkerBefore, VerdictMade};

use serde::{Deserialize, Serialize};
use vocabulary::{
    ConnectionId, DonationId, DonationRegistration, Finding, Mode, Observation, Order, OrderAction, OrderId,
    ProfileRef, Protocol, QueryOutcome,
};

/// What somebody wants written. The ledger adds the sequence number and the time.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Who, and from where.
    pub by: By,
    /// What happened.
    pub what: What,
}

impl Draft {
    /// A draft by hemogate itself.
    #[must_use]
    pub fn by_system(what: What) -> Self {
        Self { by: By::from("system"), what }
    }

    /// A draft by an analyser's connection.
    #[must_use]
    pub fn by_connection(connection: &ConnectionId, what: What) -> Self {
        Self { by: By::from(format!("connection:{connection}")), what }
    }
}

/// One line of the journal: who, when, what, in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place. Gapless, from 1; this and nothing else orders entries.
    pub seq: Seq,
    /// When it was written, milliseconds since 1970 UTC, by the station's clock. For people.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// The terminal that a person sat at, as far as the station saw it (rules.md R-AUD-01).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// What happened.
    pub what: What,
}

/// How a line is run. It may change whenever the daemon starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How the connection's results may be used.
    pub mode: Mode,
    /// The profile that reads its messages.
    pub profile: ProfileRef,
}

/// Everything that can happen. Fields that later versions add carry `serde(default)`, so that a ledger
/// written by any released version stays readable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The daemon started.
    Started {
        /// Its version.
        version: String,
    },
    /// The daemon stopped in order.
    Stopped,
    /// The station's clock was compared with its time source, and stands otherwise than before. It holds for the entries
    /// that follow.
    ClockCompared {
        /// The time server, where one is configured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// What came of it.
        clock: ClockState,
    },
    /// A frame of a transfer, checked by the link; written before its ACK.
    FrameReceived {
        /// The link.
        connection: ConnectionId,
        /// Which transfer: a number drawn at random, unique for ever.
        transfer: u64,
        /// Frame number, 0–7, where the link has one.
        #[serde(default)]
        number: Option<u8>,
        /// An end frame (ETX), not an intermediate one (ETB).
        end: bool,
        /// The frame's text, without number, ETX and checksum.
        text: Bytes,
        /// How the line was run, in the first frame of a transfer; older ledgers do not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Terms>,
    },
    /// A transfer ended. Frames that are in no message stay as a half transmission.
    TransferEnded {
        /// The link.
        connection: ConnectionId,
        /// Which transfer.
        transfer: u64,
        /// How.
        how: HowEnded,
    },
    /// A whole message: from here on it is never lost and will be interpreted once.
    MessageReceived {
        /// The link it came over.
        connection: ConnectionId,
        /// How the connection's results may be used.
        mode: Mode,
        /// The profile that will read it.
        profile: ProfileRef,
        /// Its wire format.
        protocol: Protocol,
        /// Its bytes, or where they stand.
        body: Body,
    },
    /// What a message means. Large meanings come in parts, of which the final one has `last`.
    MessageInterpreted {
        /// The [`What::MessageReceived`] entry.
        message: Seq,
        /// The profile revision that read it.
        profile: ProfileRef,
        /// Its results, in order.
        observations: Vec<Observation>,
        /// What was wrong with it.
        findings: Vec<Finding>,
        /// Which observations of this part are evidence for which donation: index into `observations`.
        donations: Vec<(u32, DonationId)>,
        /// Which findings of this part hold which donation: index into `findings`.
        #[serde(default)]
        holds: Vec<(u32, DonationId)>,
        /// Which observations of this part are results of which order: index into `observations`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        orders: Vec<(u32, OrderId)>,
        /// What the observations of this part measured, and what they are to earlier ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        measured: Vec<Measured>,
        /// Half transmissions whose rest this message is: their records were read with it. In the first part only.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        continues: Vec<u64>,
        /// What this part says of pools.
        #[serde(default, skip_serializing_if = "Pools::is_empty")]
        pools: Pools,
        /// Number of this part, from 0.
        #[serde(default)]
        part: u16,
        /// Whether this is the final part.
        last: bool,
    },
    /// A donation is to be tested.
    DonationRegistered(DonationRegistration),
    /// `release::decide` made a verdict that differs from the one before.
    VerdictMade(VerdictMade),
    /// `release::decide` came to the verdict that stands.
    VerdictUnchanged {
        /// The donation.
        donation: DonationId,
        /// Everything up to here was considered.
        considered: Seq,
    },
    /// A delivery was tried and is to be tried again.
    DeliveryAttempted {
        /// Which delivery.
        delivery: DeliveryId,
        /// What came of it, in words.
        outcome: String,
        /// Not before this time, milliseconds since 1970 UTC.
        next_at_ms: i64,
    },
    /// A receiver took a verdict.
    DeliveryDone {
        /// Which delivery.
        delivery: DeliveryId,
        /// What it answered.
        answer: Bytes,
    },
    /// A delivery was given up: a visible dead letter.
    DeliveryDead {
        /// Which delivery.
        delivery: DeliveryId,
        /// Why.
        reason: String,
    },
    /// A person sent a dead letter on its way again.
    DeliveryRequeued {
        /// Which delivery.
        delivery: DeliveryId,
    },
    /// A file was taken from a directory source. Its messages follow in the same group.
    FileTaken {
        /// The link.
        connection: ConnectionId,
        /// File name.
        name: String,
        /// SHA-256 of its bytes, lower-case hex.
        sha256: String,
        /// Its length.
        bytes: u64,
    },
    /// Something on a link worth keeping: an anomaly, a refused frame, a lost line.
    LinkNoted {
        /// The link.
        connection: ConnectionId,
        /// What, in words.
        what: String,
    },
    /// Something is to be tested. The number of an order that is known makes this its next version: assays that are
    /// not in it any more are cancelled, those that it adds or names again after their end are to be done.
    OrderPlaced {
        /// The order, whole.
        order: Order,
        /// The [`What::MessageReceived`] entry it came in, where it came in one.
        #[serde(default)]
        from: Option<Seq>,
    },
    /// An order, or some assays of it, are not to be done any more.
    OrderCancelled {
        /// Which order.
        order: OrderId,
        /// Which assays; empty: all that are open.
        #[serde(default)]
        assays: Vec<String>,
        /// Why.
        reason: String,
        /// The [`What::MessageReceived`] entry that asked for it, where one did.
        #[serde(default)]
        from: Option<Seq>,
    },
    /// What is open of an order grew too old and is not done any more.
    OrderExpired {
        /// Which order.
        order: OrderId,
        /// How old it may grow, and how old it was.
        reason: String,
    },
    /// An analyser was given an order, or told of its cancellation, and answered.
    OrderSent {
        /// Which order.
        order: OrderId,
        /// To which analyser.
        connection: ConnectionId,
        /// Which assays.
        assays: Vec<String>,
        /// The question that this answers, where there was one.
        #[serde(default)]
        message: Option<Seq>,
        /// What it was told.
        #[serde(default)]
        action: OrderAction,
        /// Whether it took it.
        accepted: bool,
        /// What it answered.
        answer: String,
    },
    /// An analyser's question for orders was answered.
    QueryAnswered {
        /// The [`What::MessageReceived`] entry of the question.
        message: Seq,
        /// Who asked.
        connection: ConnectionId,
        /// The specimens asked for, as the analyser read them.
        asked: Vec<String>,
        /// With what.
        outcome: QueryOutcome,
    },
    /// Somebody (`by`) read raw bytes of analysers. Written before they are shown; a reading that goes on is one entry
    /// for a while, not one for every look.
    DonorDataRead {
        /// What.
        of: DonorData,
    },
    /// Somebody (`by`) wanted something that was refused: nothing was changed (R-GATE-14).
    CommandRefused {
        /// What was asked for: method and path of the request.
        command: String,
        /// Why it was refused, as it was told.
        why: String,
    },
    /// Something about somebody's account.
    Person(PersonEntry),
    /// The content of a profile revision, so that whatever was read with it can be read again.
    ProfileKept {
        /// Its id, and the hash of this content.
        profile: ProfileRef,
        /// The content.
        content: ProfileContent,
        /// How it was made of another revision, where a person mapped a code or a text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mapping: Option<Mapping>,
    },
    /// The revision that a connection reads with, taken as it was found when the connection was first started.
    ProfilePinned {
        /// The link.
        connection: ConnectionId,
        /// The revision.
        profile: ProfileRef,
    },
    /// Somebody (`by`) wants a connection to read with another revision. Nothing changes before another person agrees.
    ProfileProposed {
        /// The link.
        connection: ConnectionId,
        /// The revision.
        profile: ProfileRef,
        /// Why.
        why: String,
    },
    /// Another person (`by`) agreed: messages from here on are read with it.
    ProfileActivated {
        /// The link.
        connection: ConnectionId,
        /// The revision.
        profile: ProfileRef,
        /// The [`What::ProfileProposed`] entry.
        proposed: Seq,
    },
    /// Somebody (`by`) wants a message interpreted again from its bytes.
    ReprocessAsked {
        /// The [`What::MessageReceived`] entry.
        message: Seq,
        /// With this revision.
        profile: ProfileRef,
        /// Why.
        why: String,
    },
    /// A message was interpreted again and means what it did.
    InterpretationStands {
        /// The [`What::MessageReceived`] entry.
        message: Seq,
        /// The revision that read it.
        profile: ProfileRef,
    },
    /// Somebody (`by`) has looked at a fault of an interface: what it fell into need not wait for it (R-GATE-15).
    FaultAcknowledged {
        /// The message in quarantine, or the entry that ended a transmission which broke off.
        fault: Seq,
        /// What was found.
        why: String,
    },
    /// Something about the rule packs.
    Rules(RulesAct),
    /// Something about the laboratory's kits.
    Kits(KitsAct),
    /// Something about a lot that was found defective.
    Lots(LotsAct),
    /// Something that a person wrote down of an analyser or an operator.
    Fitness(FitnessAct),
    /// Something that a person wrote down of a donor, or did for a look-back.
    Donor(DonorAct),
    /// Components that were made of a donation, or where one went.
    Component(ComponentAct),
    /// Something that a person signed, held, discarded or called back.
    Signed(SignedAct),
    /// The tube of a donation may be of another donor, or that is settled: whatever was taken beside it waits.
    WrongTubeSuspected {
        /// The donation.
        donation: DonationId,
        /// Taken just before and just after it.
        neighbours: Vec<DonationId>,
        /// False when it was grouped again and agrees.
        stands: bool,
    },
    /// At a start the journal ended in bytes that are no whole group. They stay where they stand.
    TailCut {
        /// Number of the journal file.
        file: u32,
        /// Where in it the first of them stands.
        offset: u64,
        /// How many.
        bytes: u64,
    },
}

impl What {
    /// The name of what happened.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Stopped => "stopped",
            Self::ClockCompared { .. } => "clock_compared",
            Self::FrameReceived { .. } => "frame_received",
            Self::TransferEnded { .. } => "transfer_ended",
            Self::MessageReceived { .. } => "message_received",
            Self::MessageInterpreted { .. } => "message_interpreted",
            Self::DonationRegistered(_) => "donation_registered",
            Self::VerdictMade(_) => "verdict_made",
            Self::VerdictUnchanged { .. } => "verdict_unchanged",
            Self::DeliveryAttempted { .. } => "delivery_attempted",
            Self::DeliveryDone { .. } => "delivery_done",
            Self::DeliveryDead { .. } => "delivery_dead",
            Self::DeliveryRequeued { .. } => "delivery_requeued",
            Self::FileTaken { .. } => "file_taken",
            Self::LinkNoted { .. } => "link_noted",
            Self::OrderPlaced { .. } => "order_placed",
            Self::OrderCancelled { .. } => "order_cancelled",
            Self::OrderExpired { .. } => "order_expired",
            Self::OrderSent { .. } => "order_sent",
            Self::QueryAnswered { .. } => "query_answered",
            Self::DonorDataRead { .. } => "donor_data_read",
            Self::Person(entry) => entry.act.name(),
            Self::ProfileKept { .. } => "profile_kept",
            Self::ProfilePinned { .. } => "profile_pinned",
            Self::ProfileProposed { .. } => "profile_proposed",
            Self::ProfileActivated { .. } => "profile_activated",
            Self::ReprocessAsked { .. } => "reprocess_asked",
            Self::InterpretationStands { .. } => "interpretation_stands",
            Self::FaultAcknowledged { .. } => "fault_acknowledged",
            Self::Rules(act) => act.name(),
            Self::Kits(act) => act.name(),
            Self::Lots(act) => act.name(),
            Self::Fitness(act) => act.name(),
            Self::Donor(act) => act.name(),
            Self::Component(act) => act.name(),
            Self::Signed(act) => act.name(),
            Self::WrongTubeSuspected { .. } => "wrong_tube_suspected",
            Self::CommandRefused { .. } => "command_refused",
            Self::TailCut { .. } => "tail_cut",
        }
    }

    /// What an analyser sent, where the entry holds it: a frame's text, or a message that stands in no frames.
    pub(crate) fn carried(&self) -> Option<&Bytes> {
        if let Self::FrameReceived { text, .. }
        | Self::MessageReceived { body: Body::Whole(text) | Body::Made { text, .. }, .. } = self
        {
            Some(text)
        } else {
            None
        }
    }

    /// Takes what was carried out of it; how many bytes that was. The state knows them by their number only.
    pub(crate) fn leave_behind(&mut self) -> usize {
        if let Self::FrameReceived { text, .. }
        | Self::MessageReceived { body: Body::Whole(text) | Body::Made { text, .. }, .. } = self
        {
            std::mem::take(text).len()
        } else {
            0
        }
    }
}

/// An entry as the state takes it: what it carried is left behind.
#[derive(Debug)]
pub(crate) struct Light {
    pub(crate) entry: Entry,
    /// So many bytes were carried.
    pub(crate) carried: usize,
}

impl From<Entry> for Light {
    fn from(mut entry: Entry) -> Self {
        let carried = entry.what.leave_behind();
        Self { entry, carried }
    }
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HowEnded {
    /// By EOT.
    Eot,
    /// By EOT, after a frame that was refused or broken off: the sender gave up.
    Abandoned,
    /// The sender fell silent.
    Timeout,
    /// The line went.
    Disconnected,
    /// The sender began anew (ENQ) without an end.
    Restarted,
    /// The daemon stopped in between.
    DaemonRestart,
}

/// Where a message's bytes stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Here.
    Whole(Bytes),
    /// In the frames of a transfer, which are entries of their own. The last of them may stand in the same
    /// group just before the message.
    Frames {
        /// Which transfer.
        transfer: u64,
        /// First byte in the joined text of the transfer's frames.
        from: u32,
        /// One past the last byte.
        to: u32,
    },
    /// Here, made of the frames of a transfer: their text does not stand in the message as it came, because a link
    /// takes its own marks out, or puts a line end in that was left out.
    Made {
        /// The message.
        text: Bytes,
        /// Which transfer.
        transfer: u64,
        /// One past the last byte of its frames that went into this message or those before.
        to: u32,
    },
}
