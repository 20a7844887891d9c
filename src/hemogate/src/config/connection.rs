//! `[[connection]]`: an analyser and how it is reached.

use super::Transport;
use intake::FlowControl;
use serde::Deserialize;
use std::num::NonZeroU64;
use vocabulary::{ConnectionId, Mode};

/// `[[connection]]`: one analyser.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// `maker/model` of the catalogue.
    pub(crate) profile: String,
    #[serde(default = "qualification")]
    pub(crate) mode: Mode,
    pub(crate) transport: Transport,
    /// When nothing has come for so long, people are warned; the line is never closed for it. Not given: no warning,
    /// since many an analyser has nothing to say at night.
    pub(crate) warn_when_silent_s: Option<NonZeroU64>,
    /// Whether the analyser's questions are answered from the worklist, and orders go to it. Absent: in production
    /// only. A listen-only line is never sent anything.
    #[serde(default)]
    pub(crate) orders: Option<bool>,
    /// Whether orders are sent to it as soon as they are placed, without having been asked for. Absent: as its
    /// profile has it.
    #[serde(default)]
    pub(crate) orders_unasked: Option<bool>,
}

impl Connection {
    /// Keys that do not go together, and the remedy.
    pub(crate) fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        let paced =
            matches!(&self.transport, Transport::Serial(port) if port.flow_control == FlowControl::Software);
        if self.mode == Mode::ListenOnly && paced {
            return Some((
                "software flow control sends XON and XOFF, and a listen-only line is never sent a byte",
                "set flow_control = \"none\", or \"hardware\" if RTS and CTS are wired",
            ));
        }
        self.transport.contradiction()
    }

    /// Whether it gets orders from here.
    pub(crate) fn gets_orders(&self) -> bool {
        match self.mode {
            Mode::ListenOnly => false,
            Mode::Production => self.orders.unwrap_or(true),
            Mode::Qualification | Mode::Simulation => self.orders.unwrap_or(false),
        }
    }
}

/// Fail closed: until the site says production, results are not evidence.
fn qualification() -> Mode {
    Mode::Qualification
}
