//! What a connection needs to know: plain values, wired by the binary from configuration and profile.

use crate::frames::TRANSFER_BYTES_MAX;
use crate::{desk::Desk, trace::TraceLimits, transfer::MessageEnd};
use std::{sync::Arc, time::Duration};
use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

/// One analyser's connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// As the configuration names it.
    pub id: ConnectionId,
    /// How its results may be used.
    pub mode: Mode,
    /// Profile and revision that will read its messages.
    pub profile: ProfileRef,
    /// The wire format of its messages.
    pub protocol: Protocol,
    /// What it speaks below the messages.
    pub link: Link,
    /// Bounds.
    pub limits: Limits,
    /// Who answers what it asks; `None`: nobody, and nothing is ever sent of our own.
    pub desk: Option<Arc<dyn Desk>>,
}

/// The link layer and its settings.
#[derive(Debug, Clone)]
pub enum Link {
    /// CLSI LIS01 frames.
    Lis01(lis01::Config, MessageEnd),
    /// MLLP blocks that are answered with an HL7 acknowledgement.
    Mllp(mllp::Config, Answering),
    /// Records without a link.
    Unframed(lis02::UnframedConfig),
    /// Sessions of the PK block protocol.
    PkBlocks(pk_blocks::Config),
    /// No line: files in a folder.
    Files {
        /// The largest file taken.
        bytes_max: u64,
        /// A file that has not changed for so long is whole.
        settle: Duration,
        /// Whether they place and cancel orders: there the same content is a wish of its own whenever another file came
        /// between.
        orders: bool,
    },
}

/// How an HL7 message is answered.
#[derive(Debug, Clone)]
pub struct Answering {
    /// The acknowledgement's form.
    pub template: hl7v2::Template,
    /// Whether the sender's accept and application conditions are heard.
    pub acknowledge: Acknowledge,
    /// The character set laid down by the profile, whatever a message declares.
    pub characters: Option<character_sets::CharacterSet>,
    /// What a block that is no HL7 message is answered with, after it has been kept.
    pub unreadable: Unreadable,
    /// How its messages are laid out.
    pub dialect: hl7v2::Dialect,
    /// How we close.
    pub close: Close,
}

impl Default for Answering {
    /// As HL7 has it; what cannot be read is accepted and kept.
    fn default() -> Self {
        Self {
            template: hl7v2::Template::Standard,
            acknowledge: Acknowledge::AsAsked,
            characters: None,
            unreadable: Unreadable::Accept,
            dialect: hl7v2::Dialect::default(),
            close: Close::End,
        }
    }
}

/// How we close a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// With FIN.
    End,
    /// With FIN and then RST, for a peer that does not notice a FIN. It may reset too, and that is no fault.
    Reset,
}

impl Link {
    /// Whether connections of it end with RST.
    pub(crate) fn resets(&self) -> bool {
        match self {
            Self::Mllp(_, answering) => answering.close == Close::Reset,
            Self::Lis01(..) | Self::Unframed(_) | Self::PkBlocks(_) | Self::Files { .. } => false,
        }
    }
}

/// Whether MSH-15 and MSH-16 decide about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    /// They do.
    AsAsked,
    /// Every message is answered, whatever they say.
    Always,
}

/// The answer to what could be framed and kept but not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// AA: the analyser goes on, a person sees the message in quarantine.
    Accept,
    /// AR: the analyser is told.
    Reject,
}

/// Bounds of one connection, each with a name.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Sockets served at once; one more of the same peer displaces the one that has been silent longest.
    pub sockets_max: usize,
    /// A frame or block that is not durable by then is answered NAK or AE (a LIS01 receiver has 15 s to answer).
    pub durable_within: Duration,
    /// The longest that the answer to a query may be looked for. Past it the peer is told that nothing is known.
    pub desk_within: Duration,
    /// How often a message of our own is sent before it is given up; over LIS01 each try is a whole transfer.
    pub send_tries_max: u32,
    /// Bytes taken from a socket at a time.
    pub read_bytes: usize,
    /// The longest pause between attempts to connect; it starts at a fiftieth of it and doubles.
    pub reconnect_pause_max: Duration,
    /// When nothing has come for so long, people are warned; the line is never closed for it. Absent: they never are.
    pub warn_when_silent: Option<Duration>,
    /// How much of what went over the line can be looked at afterwards.
    pub trace: TraceLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sockets_max: 1,
            durable_within: Duration::from_secs(10),
            desk_within: Duration::from_secs(3),
            send_tries_max: 3,
            read_bytes: 64 * 1024,
            reconnect_pause_max: Duration::from_secs(30),
            warn_when_silent: None,
            trace: TraceLimits::default(),
        }
    }
}

impl Connection {
    /// The most bytes that one socket holds: what was read and not taken, what its machine keeps of a message that
    /// is not whole, and what waits for its answer. Buffers grow by doubling, hence twice.
    #[must_use]
    pub fn socket_bytes_max(&self) -> u64 {
        let held = match &self.link {
            Link::Lis01(config, _) => config.held_bytes_max().saturating_add(TRANSFER_BYTES_MAX),
            Link::Mllp(config, _) => config.block_bytes_max.saturating_add(config.outstanding_bytes_max),
            Link::Unframed(config) => config.message_bytes_max,
            Link::PkBlocks(config) => {
                [config.session_bytes_max, config.buffered_bytes_max, config.block_text_bytes_max]
                    .into_iter()
                    .fold(0, usize::saturating_add)
            }
            Link::Files { bytes_max, .. } => usize::try_from(*bytes_max).unwrap_or(usize::MAX),
        };
        (held.saturating_add(self.limits.read_bytes) as u64).saturating_mul(2)
    }
}
