//! What the sender of orders is told: which were taken, which were not, and why.

use super::{
    context::{Kind, Scene},
    question::{Query, QueryKind},
    write::{OrderMessage, Stamp, WriteError, Written},
};
use crate::{
    interpret::{Coverage, Look},
    message::{self, Cursor, Document},
    profile::Profile,
    wish::OrderWish,
};
use vocabulary::{Consequence, Protocol};

/// The templates that answer a sender of orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct TakenRules {
    pub(crate) direct: Option<String>,
    pub(crate) refused: Option<String>,
}

/// What a message with orders came to.
#[derive(Debug, Clone, Copy)]
pub enum Taken<'a> {
    /// Each order was judged by itself.
    Judged(&'a [JudgedOrder<'a>]),
    /// None of it was taken.
    Refused(NotTaken<'a>),
    /// It could not be judged in time, and why: it may be sent again.
    Failed(&'a str),
}

/// One order of a message.
#[derive(Debug, Clone, Copy)]
pub struct JudgedOrder<'a> {
    /// As it was read.
    pub order: &'a OrderWish,
    /// Why it was not taken; `None`: it was, or had been before.
    pub refused: Option<NotTaken<'a>>,
}

/// Why something was not taken.
#[derive(Debug, Clone, Copy)]
pub struct NotTaken<'a> {
    /// The code of HL7 table 0357.
    pub code: &'a str,
    /// In words, with what to do.
    pub why: &'a str,
}

impl Taken<'_> {
    /// The first reason why something was not taken.
    pub(super) fn fault(&self) -> Option<NotTaken<'_>> {
        match self {
            Self::Judged(orders) => orders.iter().find_map(|order| order.refused),
            Self::Refused(fault) => Some(*fault),
            Self::Failed(why) => Some(NotTaken { code: "207", why }),
        }
    }

    /// Its name in templates.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Judged(_) | Self::Refused(_) if self.fault().is_some() => "refused",
            Self::Judged(_) | Self::Refused(_) => "taken",
        }
    }
}

impl Profile {
    /// Whether whoever sends orders is told what became of them.
    #[must_use]
    pub fn answers_orders(&self) -> bool {
        self.orders.taken.is_some()
    }

    /// Whether a message could carry orders: a quick look, wrong only in saying yes too often.
    #[must_use]
    pub fn may_order(&self, raw: &[u8]) -> bool {
        let Some(rules) = &self.rules.order_in else { return false };
        let name = rules.record.as_bytes();
        raw.windows(name.len() + 1).any(|window| {
            matches!(window.split_first(), Some((b'\r' | b'\n', rest)) if rest.eq_ignore_ascii_case(name))
        })
    }

    /// The orders of a message, or why nothing of it can be taken; `None` for a message that carries none.
    #[must_use]
    pub fn orders_in(&self, raw: &[u8]) -> Option<Result<Vec<OrderWish>, String>> {
        let examined = self.examine(raw, Coverage::default());
        if !examined.carries_orders {
            return None;
        }
        let found = examined.interpretation;
        let fault = found.findings.into_iter().find(|f| f.consequence == Consequence::Quarantine);
        Some(match fault {
            // Which bytes they are says nothing to whoever sent them.
            Some(fault) => {
                let place = fault.place.split_once(" (").map_or(&*fault.place, |(place, _)| place);
                Err(format!("{place}: {}", fault.what))
            }
            None => Ok(found.orders),
        })
    }

    /// What the sender of a message with orders is told.
    ///
    /// # Errors
    /// [`WriteError`]; nothing of it may be sent then.
    pub fn answer_orders(
        &self,
        raw: &[u8],
        taken: &Taken<'_>,
        stamp: &Stamp<'_>,
    ) -> Result<Written, WriteError> {
        let Some(rules) = &self.orders.taken else { return Ok(Written::default()) };
        let source = self.as_asked(raw);
        let scene = Scene {
            rules: &self.orders,
            query: Some(&source),
            kind: Kind::Taken(taken),
            specimens: &[],
            more: false,
            stamp,
        };
        let write = |file: &String| self.bytes(file, &scene, source.characters);
        let refused = rules.refused.as_ref().filter(|_| taken.fault().is_some());
        let message = refused.map(write).transpose()?;
        Ok(Written {
            direct: rules.direct.as_ref().map(write).transpose()?,
            messages: message
                .into_iter()
                .map(|bytes| OrderMessage { bytes, awaits_answer: false, covers: Vec::new() })
                .collect(),
        })
    }

    /// The message as templates see a question: its places, its control id, and the character set that it came in.
    fn as_asked(&self, raw: &[u8]) -> Query {
        let decoded = self.decode(raw);
        let control_id = |document: &Document<'_>| {
            let look = Look { document, rules: &self.rules };
            let path = self.rules.message.control_id.as_ref()?;
            Some(look.piece(Cursor::at(0), path)?.text.into_owned())
        };
        let control_id = match self.protocol() {
            Protocol::Lis02 => control_id(&message::read_lis02(&lis02::Index::new().read(&decoded.text))),
            Protocol::Hl7v2 => control_id(&message::read_hl7(&hl7v2::Index::new().read(&decoded.text))),
            Protocol::Delimited | Protocol::PkBlocks => None,
        };
        let writes = self.orders.writing.characters;
        Query {
            kind: QueryKind::Orders,
            specimens: Vec::new(),
            all: false,
            tests: Vec::new(),
            carrier: None,
            position: None,
            tag: None,
            id: None,
            control_id,
            fault: None,
            characters: if decoded.text.is_ascii() { writes } else { decoded.used },
            text: decoded.text.into_owned(),
        }
    }
}
