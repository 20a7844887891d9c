//! Answers and orders as bytes.

use super::{
    context::{Kind, Scene},
    question::Query,
    rules::{AnswerRule, Orderable},
};
use crate::{
    profile::Profile,
    schema::{Awaits, Each},
};
use character_sets::CharacterSet;
use jiff::civil::DateTime;
use vocabulary::{Order, OrderAction, OrderId, Protocol};

/// What a question came to.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// There is something to do.
    Found {
        /// For these specimens.
        specimens: &'a [ForSpecimen<'a>],
        /// Not for these: places in [`Query::specimens`], and whether the specimen is known at all.
        nothing: &'a [(usize, bool)],
    },
    /// There is nothing to do: as above, for every specimen.
    Nothing(&'a [(usize, bool)]),
    /// The question cannot be used, and why.
    Refused(&'a str),
    /// We could not look, and why.
    Failed(&'a str),
    /// It was taken back.
    Cancelled,
}

/// What there is to do on one specimen.
#[derive(Debug, Clone)]
pub struct ForSpecimen<'a> {
    /// Its place in [`Query::specimens`]; `None` where nobody asked for it by its id.
    pub asked: Option<usize>,
    /// The orders, each with the assays that are to be done now.
    pub parts: Vec<OrderPart<'a>>,
}

/// A part of an order.
#[derive(Debug, Clone, Copy)]
pub struct OrderPart<'a> {
    /// The order.
    pub order: &'a Order,
    /// Assays of it.
    pub assays: &'a [String],
}

/// What a message takes from its moment and place.
#[derive(Clone, Copy)]
pub struct Stamp<'a> {
    /// The site's clock.
    pub now: DateTime,
    /// `+0800`
    pub utc_offset: &'a str,
    /// Us.
    pub host: Host<'a>,
    /// Draws the next control id, never used before on this connection.
    pub control_id: &'a dyn Fn() -> String,
}

impl std::fmt::Debug for Stamp<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stamp").field("now", &self.now).field("host", &self.host).finish_non_exhaustive()
    }
}

/// How we name ourselves.
#[derive(Debug, Clone, Copy)]
pub struct Host<'a> {
    /// Application.
    pub name: &'a str,
    /// Facility.
    pub facility: &'a str,
}

/// An answer as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// In place of the acknowledgement.
    pub direct: Option<Vec<u8>>,
    /// After it, in this order.
    pub messages: Vec<OrderMessage>,
}

/// One message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderMessage {
    /// Its bytes, every record or segment with its CR.
    pub bytes: Vec<u8>,
    /// Whether the analyser answers it (by MSA-2), or is done with when the link has delivered it.
    pub awaits_answer: bool,
    /// The orders in it.
    pub covers: Vec<Covers>,
}

/// What of an order is in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covers {
    /// The order.
    pub order: OrderId,
    /// Its work steps.
    pub steps: Vec<Step>,
}

/// One test that an order comes to on this model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its own number, the same whenever the order is sent to this model (LAW: the AWOS id, OBR-2).
    pub id: String,
    /// The code it is ordered under.
    pub code: String,
    /// The assays of the order that it measures.
    pub assays: Vec<String>,
}

/// Why a message cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The template does not fit what it is given.
    #[error("{profile}: {file} line {line}: {what}")]
    Template {
        /// `maker/model`.
        profile: String,
        /// The template.
        file: String,
        /// Line, from 1; 0 where it is not known.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// What the template wrote is no message.
    #[error("{profile}: {file} writes no whole message: {what}")]
    Malformed {
        /// `maker/model`.
        profile: String,
        /// The template.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The analyser has no word for it.
    #[error("order {order}: the profile has no word for the specimen type {specimen_type:?}")]
    SpecimenType {
        /// The order.
        order: OrderId,
        /// Its type.
        specimen_type: String,
    },
    /// A character that its character set does not have.
    #[error("{character:?} cannot be written in {set}")]
    Character {
        /// The character.
        character: char,
        /// The set.
        set: &'static str,
    },
}

impl Profile {
    /// The assays that can be ordered of this model, each once.
    pub fn orderable_assays(&self) -> impl Iterator<Item = &str> {
        let mut seen = std::collections::BTreeSet::new();
        let assays = self.orders.orderables.iter().flat_map(|test| &test.assays);
        assays.map(String::as_str).filter(move |assay| seen.insert(*assay))
    }

    /// The assays that a question asks about: all that can be ordered, or those of the tests that it names.
    pub fn assays_asked<'p>(&'p self, query: &'p Query) -> impl Iterator<Item = &'p str> {
        let named = |assay: &&str| {
            let tests = self.orders.orderables.iter().filter(|t| t.assays.iter().any(|a| a == assay));
            query.tests.is_empty() || tests.into_iter().any(|t| query.tests.contains(&t.code))
        };
        self.orderable_assays().filter(named)
    }

    /// Whether this model can be sent orders that it has not asked for.
    #[must_use]
    pub fn can_take_orders_unasked(&self) -> bool {
        self.orders.order_out.as_ref().is_some_and(|out| out.place.is_some())
    }

    /// Whether it is, where the site says nothing else.
    #[must_use]
    pub fn takes_orders_unasked(&self) -> bool {
        self.orders.order_out.as_ref().is_some_and(|out| out.place.is_some() && out.unasked)
    }

    /// Whether it can be told that an order is cancelled.
    #[must_use]
    pub fn takes_cancellations(&self) -> bool {
        self.orders.order_out.as_ref().is_some_and(|out| out.cancel.is_some())
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// [`WriteError`]; nothing of it may be sent then.
    pub fn answer(
        &self,
        query: &Query,
        outcome: &Outcome<'_>,
        stamp: &Stamp<'_>,
    ) -> Result<Written, WriteError> {
        let answers = &self.orders.answers;
        let nothing = answers.nothing.as_ref();
        let rule = match outcome {
            Outcome::Found { .. } => answers.found.as_ref(),
            Outcome::Nothing(_) => nothing,
            Outcome::Refused(_) => answers.refused.as_ref().or(nothing),
            Outcome::Failed(_) => answers.failed.as_ref().or(nothing),
            Outcome::Cancelled => answers.cancelled.as_ref(),
        };
        let Some(rule) = rule else { return Ok(Written::default()) };
        self.written(rule, query, outcome, stamp)
    }

    fn written(
        &self,
        rule: &AnswerRule,
        query: &Query,
        outcome: &Outcome<'_>,
        stamp: &Stamp<'_>,
    ) -> Result<Written, WriteError> {
        let all: &[ForSpecimen<'_>] = match outcome {
            Outcome::Found { specimens, .. } => specimens,
            Outcome::Nothing(_) | Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Cancelled => &[],
        };
        let scene = |specimens, more| Scene {
            more,
            rules: &self.orders,
            query: Some(query),
            kind: Kind::Answer(outcome),
            specimens,
            stamp,
        };
        let mut written = Written::default();
        if let Some(file) = &rule.direct {
            written.direct = Some(self.bytes(file, &scene(all, false), query.characters)?);
        }
        if let Some(file) = &rule.message {
            let parts: Vec<&[ForSpecimen<'_>]> = match rule.each {
                Each::Specimen if !all.is_empty() => all.chunks(1).collect(),
                Each::Specimen | Each::Query => vec![all],
            };
            for (at, specimens) in parts.iter().enumerate() {
                let more = at + 1 < parts.len();
                let bytes = self.bytes(file, &scene(specimens, more), query.characters)?;
                let covers = self.covers(specimens);
                written.messages.push(OrderMessage {
                    bytes,
                    covers,
                    awaits_answer: rule.awaits == Awaits::Answer,
                });
            }
        }
        Ok(written)
    }

    /// An order, or its cancellation, that was not asked for. `None`: this model cannot be told.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn order(
        &self,
        action: OrderAction,
        specimen: &ForSpecimen<'_>,
        stamp: &Stamp<'_>,
    ) -> Result<Option<OrderMessage>, WriteError> {
        let Some(rules) = &self.orders.order_out else { return Ok(None) };
        let file = match action {
            OrderAction::Place => rules.place.as_ref(),
            OrderAction::Cancel => rules.cancel.as_ref(),
        };
        let Some(file) = file else { return Ok(None) };
        let specimens = std::slice::from_ref(specimen);
        let kind = Kind::Order(action);
        let scene = Scene { rules: &self.orders, query: None, kind, specimens, more: false, stamp };
        let bytes = self.bytes(file, &scene, self.orders.writing.characters)?;
        let awaits_answer = rules.awaits == Awaits::Answer;
        Ok(Some(OrderMessage { bytes, awaits_answer, covers: self.covers(specimens) }))
    }

    pub(super) fn bytes(
        &self,
        file: &str,
        scene: &Scene<'_>,
        set: CharacterSet,
    ) -> Result<Vec<u8>, WriteError> {
        let profile = || self.reference().id.clone();
        let text = self.orders.templates.render(file, scene).map_err(|error| match error {
            super::context::SceneError::SpecimenType { order, specimen_type } => {
                WriteError::SpecimenType { order, specimen_type }
            }
            super::context::SceneError::Template(error) => WriteError::Template {
                profile: profile(),
                file: file.to_owned(),
                line: error.line().unwrap_or(0),
                what: super::templates::words(&error),
            },
        })?;
        whole(&text, self.protocol()).map_err(|what| WriteError::Malformed {
            profile: profile(),
            file: file.to_owned(),
            what,
        })?;
        let encoded = character_sets::encode(&text, set);
        if let Some(defect) = encoded.defects.first() {
            let character = text.get(defect.at.clone()).and_then(|text| text.chars().next()).unwrap_or('?');
            return Err(WriteError::Character { character, set: set.name() });
        }
        Ok(encoded.bytes.into_owned())
    }

    fn covers(&self, specimens: &[ForSpecimen<'_>]) -> Vec<Covers> {
        let parts = specimens.iter().flat_map(|specimen| &specimen.parts);
        parts
            .map(|part| Covers { order: part.order.id.clone(), steps: steps(&self.orders.orderables, part) })
            .collect()
    }
}

/// The tests that a part of an order comes to: each assay is measured by the first test that has it.
pub(super) fn steps(orderables: &[Orderable], part: &OrderPart<'_>) -> Vec<Step> {
    let mut left: Vec<&String> = part.assays.iter().collect();
    let mut steps = Vec::new();
    for (number, test) in orderables.iter().enumerate() {
        let (of_this, others): (Vec<&String>, Vec<&String>) =
            left.into_iter().partition(|assay| test.assays.contains(assay));
        left = others;
        if !of_this.is_empty() {
            steps.push(Step {
                id: format!("{}-{}", part.order.id, number + 1),
                code: test.code.clone(),
                assays: of_this.into_iter().cloned().collect(),
            });
        }
    }
    steps
}

/// Whether a text is one whole message to its own reader; else what is wrong.
pub(super) fn whole(text: &str, protocol: Protocol) -> Result<(), String> {
    match protocol {
        Protocol::Lis02 => {
            let mut index = lis02::Index::new();
            let reading = index.read(text);
            match reading.defects().first() {
                Some(defect) => Err(defect.kind.phrase().to_owned()),
                None if reading.messages().count() == 1 => Ok(()),
                None => Err("it has to be one message, from H to L".to_owned()),
            }
        }
        Protocol::Hl7v2 => {
            let mut index = hl7v2::Index::new();
            let message = index.read(text);
            match message.defects().first() {
                Some(defect) => Err(defect.kind.to_string()),
                None if message.header().is_some() => Ok(()),
                None => Err("it does not begin with MSH".to_owned()),
            }
        }
        Protocol::Delimited => Err("files are not sent".to_owned()),
        Protocol::PkBlocks => Err("a PK session takes no orders".to_owned()),
    }
}
