//! The orders of a capture, and what is said of them.

use super::super::dialogue::{Dialogue, Turn};
use crate::{
    interpret::taken_name,
    orders::{
        ForSpecimen, Host, JudgedOrder, NotTaken, OrderMessage, OrderPart, Outcome, Query, QueryKind, Stamp,
        Taken, Written,
    },
    profile::Profile,
};
use jiff::{SignedDuration, civil::DateTime};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};
use vocabulary::{Order, OrderAction};

/// How captures name us.
const HOST: Host<'_> = Host { name: "HEMOGATE", facility: "SITE" };

pub(super) struct Worklist<'p> {
    profile: &'p Profile,
    orders: Vec<Order>,
    clock: Option<DateTime>,
    drawn: Cell<u32>,
    /// The next question cannot be looked up.
    fails: bool,
    /// Orders that are not taken when they come: code and reason by number.
    refuses: BTreeMap<String, (String, String)>,
    pub(super) used: BTreeSet<String>,
}

impl<'p> Worklist<'p> {
    pub(super) fn new(dialogue: &Dialogue, profile: &'p Profile) -> Self {
        Self {
            profile,
            orders: dialogue.orders.clone(),
            clock: dialogue.clock,
            drawn: Cell::new(0),
            fails: false,
            refuses: BTreeMap::new(),
            used: BTreeSet::new(),
        }
    }

    /// The time of a turn.
    pub(super) fn now(&self, at_ms: u64) -> Option<DateTime> {
        let span = SignedDuration::from_millis(i64::try_from(at_ms).unwrap_or(0));
        self.clock.and_then(|clock| clock.checked_add(span).ok())
    }

    /// What is said to a message that asks.
    pub(super) fn answer(&mut self, raw: &[u8], at_ms: u64) -> Result<Option<Written>, String> {
        let Some(query) = self.profile.query(raw) else { return self.taken(raw, at_ms) };
        let assays: Vec<String> = self.profile.assays_asked(&query).map(str::to_owned).collect();
        let wanted: Vec<(Option<usize>, usize, Vec<String>)> = self.wanted(&query, &assays);
        let mut specimens: Vec<ForSpecimen<'_>> = Vec::new();
        for (asked, at, assays) in &wanted {
            let Some(order) = self.orders.get(*at) else { continue };
            let part = OrderPart { order, assays };
            match specimens.iter_mut().find(|specimen| asked.is_some() && specimen.asked == *asked) {
                Some(specimen) => specimen.parts.push(part),
                None => specimens.push(ForSpecimen { asked: *asked, parts: vec![part] }),
            }
        }
        let known = |id: &str| self.orders.iter().any(|order| order.given_specimen().as_str() == id);
        let nothing = query.specimens.iter().enumerate();
        let nothing = nothing.filter(|(at, _)| !wanted.iter().any(|(asked, ..)| *asked == Some(*at)));
        let nothing: Vec<(usize, bool)> = nothing.map(|(at, asked)| (at, known(&asked.id))).collect();
        let (name, outcome) = match &query {
            Query { kind: QueryKind::Cancel, .. } => ("cancelled", Outcome::Cancelled),
            Query { fault: Some(why), .. } => ("refused", Outcome::Refused(why)),
            _ if self.fails => ("failed", Outcome::Failed("the ledger cannot be read")),
            _ if specimens.is_empty() => ("nothing", Outcome::Nothing(&nothing)),
            _ => ("found", Outcome::Found { specimens: &specimens, nothing: &nothing }),
        };
        let written = self.stamped(at_ms, |stamp| self.profile.answer(&query, &outcome, stamp))?;
        let written = written.map_err(|error| error.to_string())?;
        self.used.insert(format!("answer {name}"));
        self.fails = false;
        for message in &written.messages {
            self.saw(message);
        }
        Ok(Some(written))
    }

    /// What is said to a message with orders.
    fn taken(&mut self, raw: &[u8], at_ms: u64) -> Result<Option<Written>, String> {
        if !self.profile.answers_orders() {
            return Ok(None);
        }
        let Some(read) = self.profile.orders_in(raw) else { return Ok(None) };
        let (wishes, why) = match read {
            Ok(wishes) => (wishes, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let refused = |id: &String| self.refuses.get(id).map(|(code, why)| NotTaken { code, why });
        let judged: Vec<JudgedOrder<'_>> =
            wishes.iter().map(|order| JudgedOrder { order, refused: refused(&order.id) }).collect();
        let taken = match &why {
            _ if self.fails => Taken::Failed("not judged in time; send it again"),
            Some(why) => Taken::Refused(NotTaken { code: "102", why }),
            None => Taken::Judged(&judged),
        };
        let written = self.stamped(at_ms, |stamp| self.profile.answer_orders(raw, &taken, stamp))?;
        let name = taken.name();
        let written = written.map_err(|error| error.to_string())?;
        if written != Written::default() {
            self.used.insert(taken_name(name));
        }
        self.fails = false;
        Ok(Some(written))
    }

    /// For each order that answers: the place of its specimen in the question, its own, and its assays.
    fn wanted(&self, query: &Query, assays: &[String]) -> Vec<(Option<usize>, usize, Vec<String>)> {
        let mut wanted = Vec::new();
        for (at, order) in self.orders.iter().enumerate() {
            let id = order.given_specimen().as_str();
            let asked = query.specimens.iter().position(|asked| asked.id == id);
            let of_it: Vec<String> =
                order.assays.iter().filter(|assay| assays.contains(assay)).cloned().collect();
            if (asked.is_some() || query.all) && !of_it.is_empty() {
                wanted.push((asked, at, of_it));
            }
        }
        // In the order of the question.
        wanted.sort_by_key(|(asked, ..)| asked.unwrap_or(usize::MAX));
        wanted
    }

    /// `! place ID`, `! cancel ID`, `! fails`, `! refuse ID CODE WHY`.
    pub(super) fn does(&mut self, turn: &Turn) -> Result<Option<OrderMessage>, String> {
        let text = String::from_utf8_lossy(&turn.bytes).into_owned();
        let (action, id) = match text.split_once(' ') {
            None if text == "fails" => {
                self.fails = true;
                return Ok(None);
            }
            Some(("refuse", rest)) => {
                let mut words = rest.splitn(3, ' ').map(str::to_owned);
                let (Some(id), Some(code), Some(why)) = (words.next(), words.next(), words.next()) else {
                    return Err(format!("{text:?}: write refuse ID CODE WHY"));
                };
                self.refuses.insert(id, (code, why));
                return Ok(None);
            }
            Some(("place", id)) => (OrderAction::Place, id),
            Some(("cancel", id)) => (OrderAction::Cancel, id),
            Some(_) | None => {
                return Err(format!("{text:?}: write place ID, cancel ID, refuse ID CODE WHY or fails"));
            }
        };
        let order = self.orders.iter().find(|order| order.id.as_str() == id);
        let order = order.ok_or_else(|| format!("the capture has no order {id:?}"))?.clone();
        let specimen =
            ForSpecimen { asked: None, parts: vec![OrderPart { order: &order, assays: &order.assays }] };
        let message = self.stamped(turn.at_ms, |stamp| self.profile.order(action, &specimen, stamp))?;
        let message = message.map_err(|error| error.to_string())?;
        let message = message.ok_or_else(|| "the profile has no template for this".to_owned())?;
        self.used.insert(match action {
            OrderAction::Place => "order place".to_owned(),
            OrderAction::Cancel => "order cancel".to_owned(),
        });
        self.saw(&message);
        Ok(Some(message))
    }

    fn stamped<T>(&self, at_ms: u64, write: impl FnOnce(&Stamp<'_>) -> T) -> Result<T, String> {
        let now = self.now(at_ms).ok_or("a capture with questions or orders needs a clock")?;
        let draw = || {
            self.drawn.set(self.drawn.get() + 1);
            format!("HG{:06}", self.drawn.get())
        };
        Ok(write(&Stamp { now, utc_offset: "+0800", host: HOST, control_id: &draw }))
    }

    fn saw(&mut self, message: &OrderMessage) {
        let steps = message.covers.iter().flat_map(|covers| &covers.steps);
        self.used.extend(steps.map(|step| format!("orderable {}", step.code)));
    }

    /// A message that answers one of ours.
    pub(super) fn heard(&mut self, raw: &[u8]) {
        let answer = self.profile.order_answer(raw);
        self.used.insert("reply".to_owned());
        self.used.extend(
            answer.steps.iter().filter(|s| s.meaning.is_some()).map(|s| format!("reply {:?}", s.text)),
        );
    }
}
