//! What templates see.
//!
//! ```text
//! now  utc_offset  control_id  host.name  host.facility        the moment, and us
//! more                                                         another message of the same answer follows
//! outcome  why                                                 found, nothing, refused, failed, cancelled, place, cancel
//! asked.specimens  .all  .carrier  .position  .tag  .id        the question; none where nobody asked
//!      .control_id  field("MSH-3")  record("QRD")              as they stood on the line
//! specimens: id  carrier  position  field("Q.3.4")            as the record that asks for this one has them
//!            priority  stat  type  collected_at  donor.{id,name,born,sex}
//!            tests: code  step  order  priority  stat  with.NAME
//! nothing:   id  known                                         specimens without anything to do
//! orders:    id  specimen  action  word  accepted  error  why  orders that came in, as taken, refused or failed
//! error                                                        the code (HL7 table 0357) of the first that was not taken
//! ```
//! Whatever comes from an order is escaped when it is written. What stood on the line, and the profile's own words
//! (codes, `with`, priorities, types), are written as they stand.

use super::{
    question::Query,
    rules::{OrderRules, Orderable},
    taken::{JudgedOrder, Taken},
    templates::Narrow,
    write::{ForSpecimen, OrderPart, Outcome, Stamp, steps},
};
use crate::message::Cursor;
use jiff::civil::DateTime;
use minijinja::{Value, value::Serde};
use std::collections::BTreeMap;
use vocabulary::{Order, OrderAction, OrderId, Priority};

/// Everything one message is written from.
pub(super) struct Scene<'a> {
    pub(super) rules: &'a OrderRules,
    pub(super) query: Option<&'a Query>,
    pub(super) kind: Kind<'a>,
    pub(super) specimens: &'a [ForSpecimen<'a>],
    /// Another message of the same answer follows.
    pub(super) more: bool,
    pub(super) stamp: &'a Stamp<'a>,
}

/// Why it is written.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    Answer(&'a Outcome<'a>),
    Order(OrderAction),
    Taken(&'a Taken<'a>),
}

/// Why there is nothing to write.
pub(super) enum SceneError {
    SpecimenType { order: OrderId, specimen_type: String },
    Template(minijinja::Error),
}

/// Names at the top, for faults.
pub(super) const TOP: [&str; 14] = [
    "now",
    "utc_offset",
    "control_id",
    "host",
    "outcome",
    "why",
    "more",
    "asked",
    "specimens",
    "nothing",
    "orders",
    "error",
    "field",
    "record",
];
/// Names below them.
pub(super) const BELOW: [&str; 33] = [
    "name",
    "facility",
    "specimens",
    "all",
    "carrier",
    "position",
    "tag",
    "id",
    "control_id",
    "priority",
    "stat",
    "type",
    "collected_at",
    "donor",
    "born",
    "sex",
    "tests",
    "code",
    "step",
    "order",
    "with",
    "known",
    "specimen",
    "action",
    "word",
    "accepted",
    "error",
    "why",
    "loop",
    "first",
    "last",
    "index",
    "length",
];

fn object<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::from(Serde(pairs.into_iter().collect::<BTreeMap<_, _>>()))
}

fn list(values: impl Iterator<Item = Value>) -> Value {
    Value::from(Serde(values.collect::<Vec<_>>()))
}

fn text(text: Option<impl Into<String>>) -> Value {
    text.map_or(Value::from(()), |text| Value::from(text.into()))
}

/// The profile's own word, as it stands on the line.
fn word(word: Option<&String>) -> Value {
    word.map_or(Value::from(()), |word| Value::from_safe_string(word.clone()))
}

fn with(test: Option<&Orderable>) -> Value {
    let words = test.into_iter().flat_map(|test| &test.with);
    Value::from(Serde(
        words.map(|(name, value)| (name.as_str(), word(Some(value)))).collect::<BTreeMap<_, _>>(),
    ))
}

fn digits(moment: DateTime) -> String {
    moment.strftime("%Y%m%d%H%M%S").to_string()
}

impl Scene<'_> {
    /// The values, by name.
    pub(super) fn values(&self) -> Result<BTreeMap<&'static str, Value>, SceneError> {
        let (stamp, host) = (self.stamp, self.stamp.host);
        let (outcome, why) = self.outcome();
        let specimens: Result<Vec<Value>, SceneError> =
            self.specimens.iter().map(|specimen| self.specimen(specimen)).collect();
        let nothing = match self.kind {
            Kind::Answer(Outcome::Found { nothing, .. } | Outcome::Nothing(nothing)) => *nothing,
            Kind::Answer(Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Cancelled)
            | Kind::Order(_)
            | Kind::Taken(_) => &[],
        };
        let taken = match self.kind {
            Kind::Taken(taken) => Some(taken),
            Kind::Answer(_) | Kind::Order(_) => None,
        };
        let judged: &[JudgedOrder<'_>] = match taken {
            Some(Taken::Judged(orders)) => orders,
            Some(Taken::Refused(_) | Taken::Failed(_)) | None => &[],
        };
        let error = taken.and_then(Taken::fault).map(|fault| fault.code);
        let nothing = nothing.iter().filter_map(|(at, known)| {
            let asked = self.query?.specimens.get(*at)?;
            Some(object([("id", Value::from_safe_string(asked.raw.clone())), ("known", Value::from(*known))]))
        });
        Ok(BTreeMap::from([
            ("now", Value::from(digits(stamp.now))),
            ("utc_offset", Value::from(stamp.utc_offset)),
            ("control_id", Value::from((stamp.control_id)())),
            ("host", object([("name", Value::from(host.name)), ("facility", Value::from(host.facility))])),
            ("outcome", Value::from(outcome)),
            ("why", Value::from(why)),
            ("more", Value::from(self.more)),
            ("asked", self.query.map_or(Value::from(()), asked)),
            ("specimens", list(specimens?.into_iter())),
            ("nothing", list(nothing)),
            ("orders", list(judged.iter().map(order_in))),
            ("error", text(error)),
        ]))
    }

    /// Where the specimens of this message were asked for.
    pub(super) fn asked_at(&self) -> Vec<Cursor> {
        let places = self.specimens.iter().filter_map(|specimen| specimen.asked);
        places.filter_map(|at| Some(self.query?.specimens.get(at)?.at)).collect()
    }

    fn outcome(&self) -> (&'static str, String) {
        match self.kind {
            Kind::Answer(Outcome::Found { .. }) => ("found", String::new()),
            Kind::Answer(Outcome::Nothing(_)) => ("nothing", String::new()),
            Kind::Answer(Outcome::Refused(why)) => ("refused", (*why).to_owned()),
            Kind::Answer(Outcome::Failed(why)) => ("failed", (*why).to_owned()),
            Kind::Answer(Outcome::Cancelled) => ("cancelled", String::new()),
            Kind::Order(OrderAction::Place) => ("place", String::new()),
            Kind::Order(OrderAction::Cancel) => ("cancel", String::new()),
            Kind::Taken(taken) => {
                (taken.name(), taken.fault().map(|fault| fault.why.to_owned()).unwrap_or_default())
            }
        }
    }

    fn specimen(&self, specimen: &ForSpecimen<'_>) -> Result<Value, SceneError> {
        let asked = specimen.asked.zip(self.query).and_then(|(at, query)| query.specimens.get(at));
        let orders: Vec<&Order> = specimen.parts.iter().map(|part| part.order).collect();
        let id = match asked {
            Some(asked) => Value::from_safe_string(asked.raw.clone()),
            None => text(orders.first().map(|order| order.given_specimen().as_str())),
        };
        let urgent = orders.iter().map(|order| order.priority).min().unwrap_or_default();
        let collected = orders.iter().find_map(|order| order.collected_at);
        let own = asked.map(|asked| asked.at).into_iter().collect();
        Ok(object([
            ("id", id),
            ("carrier", text(asked.and_then(|asked| asked.carrier.clone()))),
            ("position", text(asked.and_then(|asked| asked.position.clone()))),
            ("field", self.rules.templates.field(self.rules, self.query, (own, Narrow::Always))),
            ("priority", self.priority(urgent)),
            ("stat", Value::from(urgent == Priority::Stat)),
            ("type", self.specimen_type(&orders)?),
            ("collected_at", text(collected.map(digits))),
            ("donor", self.donor(&orders)),
            ("tests", list(specimen.parts.iter().flat_map(|part| self.tests(part)))),
        ]))
    }

    fn priority(&self, priority: Priority) -> Value {
        word(self.rules.writing.priority.get(&priority))
    }

    /// The first order that says what the specimen is.
    fn specimen_type(&self, orders: &[&Order]) -> Result<Value, SceneError> {
        let said = orders.iter().find_map(|order| Some((order, order.specimen_type.as_ref()?)));
        let known = &self.rules.writing.specimen_types;
        let Some((order, said)) = said.filter(|_| !known.is_empty()) else { return Ok(Value::from(())) };
        match known.get(said) {
            Some(own) => Ok(word(Some(own))),
            None => Err(SceneError::SpecimenType { order: order.id.clone(), specimen_type: said.clone() }),
        }
    }

    fn donor(&self, orders: &[&Order]) -> Value {
        let donor = orders.iter().find_map(|order| order.donor.clone()).unwrap_or_default();
        let sex = donor.sex.and_then(|sex| self.rules.writing.sex.get(&sex));
        object([
            ("id", text(donor.id)),
            ("name", text(donor.name)),
            ("born", text(donor.born.map(|born| born.strftime("%Y%m%d").to_string()))),
            ("sex", word(sex)),
        ])
    }

    fn tests(&self, part: &OrderPart<'_>) -> Vec<Value> {
        let priority = part.order.priority;
        let found = steps(&self.rules.orderables, part).into_iter().map(|step| {
            let test: Option<&Orderable> = self.rules.orderables.iter().find(|test| test.code == step.code);
            object([
                ("code", word(Some(&step.code))),
                ("step", Value::from(step.id)),
                ("order", Value::from(part.order.id.as_str())),
                ("priority", self.priority(priority)),
                ("stat", Value::from(priority == Priority::Stat)),
                ("with", with(test)),
            ])
        });
        found.collect()
    }
}

fn order_in(judged: &JudgedOrder<'_>) -> Value {
    let (order, refused) = (judged.order, judged.refused);
    object([
        ("id", Value::from(order.id.as_str())),
        ("specimen", Value::from(order.specimen.as_str())),
        ("action", Value::from(order.action.name())),
        ("word", Value::from(order.word.as_str())),
        ("accepted", Value::from(refused.is_none())),
        ("error", text(refused.map(|fault| fault.code))),
        ("why", text(refused.map(|fault| fault.why))),
    ])
}

fn asked(query: &Query) -> Value {
    let raw = query.specimens.iter().map(|asked| Value::from_safe_string(asked.raw.clone()));
    object([
        ("specimens", list(raw)),
        ("all", Value::from(query.all)),
        ("carrier", text(query.carrier.clone())),
        ("position", text(query.position.clone())),
        ("tag", text(query.tag.clone())),
        ("id", text(query.id.clone())),
        ("control_id", text(query.control_id.clone())),
    ])
}
