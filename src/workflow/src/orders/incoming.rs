//! Orders that a message or a file brings: placed with the entry that says what the message means, so that they are
//! placed once, and what was refused stands beside it as a finding.

use super::{Batch, Cancelled, Placed, Refusal, Request, Wish, request::Donor};
use crate::{Settings, halves};
use instrument_profiles::{OrderWish, Profile, WishAction};
use ledger::{Draft, MessageView, ReadError, Reader, Seq};
use vocabulary::{Consequence, Finding, Mode, OrderId};

/// What the finding of a refused order begins with; the name of its [`Refusal`] follows.
const REFUSED: &str = "order_";
const NOT_IN_PRODUCTION: &str = "order_not_in_production";

/// Orders of the messages of one round. Each sees those before it.
pub(crate) struct Incoming<'a> {
    settings: &'a Settings,
    reader: &'a Reader,
    batch: Option<Batch<'a>>,
}

/// Why an order of a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// The code of HL7 table 0357.
    pub condition: &'static str,
    /// In words, with what to do.
    pub why: String,
}

/// What became of the orders of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameTo {
    /// Each was judged by itself; `None`: it was taken.
    Each(Vec<(OrderWish, Option<NotTaken>)>),
    /// None of them could be taken, and why.
    Nothing(String),
    /// It cannot be told, and why.
    Unknown(String),
}

impl<'a> Incoming<'a> {
    pub(crate) fn new(settings: &'a Settings, reader: &'a Reader) -> Self {
        Self { settings, reader, batch: None }
    }

    /// The entries that place the orders of a message, and a finding for each that was refused. A connection that is
    /// not in production places nothing.
    pub(crate) fn of(
        &mut self,
        message: &MessageView,
        wishes: &[OrderWish],
    ) -> Result<(Vec<Draft>, Vec<Finding>), ReadError> {
        if wishes.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        if message.mode != Mode::Production {
            let what = "the connection is not in production; orders are read here and placed nowhere";
            let findings = wishes.iter().map(|wish| refused(wish, NOT_IN_PRODUCTION, what));
            let note = |finding| Finding { consequence: Consequence::Note, ..finding };
            return Ok((Vec::new(), findings.map(note).collect()));
        }
        let mut batch = match self.batch.take() {
            Some(batch) => batch,
            None => Batch::new(self.settings, self.reader, None)?,
        };
        batch.comes_in(message.seq);
        let mut findings = Vec::new();
        for wish in wishes {
            if let Some(refusal) = judge(&mut batch, wish)? {
                findings.push(refused(wish, &format!("{REFUSED}{}", refusal.name()), &refusal.english()));
            }
        }
        let entries = batch.drain();
        self.batch = Some(batch);
        let drafts = entries.into_iter().map(|what| Draft::by_connection(&message.connection, what));
        Ok((drafts.collect(), findings))
    }
}

fn judge(batch: &mut Batch<'_>, wish: &OrderWish) -> Result<Option<Refusal>, ReadError> {
    let action = match wish.action {
        WishAction::Place => Wish::Place,
        WishAction::Add => Wish::Add,
        WishAction::Cancel => return cancel(batch, wish),
    };
    Ok(match batch.place(action, &request(wish))? {
        Placed::New(_) | Placed::Changed(_) | Placed::Same(_) => None,
        Placed::Refused(refusal) => Some(refusal),
    })
}

fn cancel(batch: &mut Batch<'_>, wish: &OrderWish) -> Result<Option<Refusal>, ReadError> {
    let order: OrderId = match wish.id.parse() {
        Ok(order) => order,
        Err(why) => return Ok(Some(Refusal::Field { field: "id", why: format!("{why}") })),
    };
    if let Some(refusal) = batch.of_another_specimen(&order, &wish.specimen)? {
        return Ok(Some(refusal));
    }
    Ok(match batch.cancel(&order, &wish.assays, "cancelled by its sender")? {
        Cancelled::Done(_) | Cancelled::Before => None,
        Cancelled::Refused(refusal) => Some(refusal),
    })
}

fn request(wish: &OrderWish) -> Request {
    let donor = Donor {
        id: wish.donor_id.clone(),
        name: wish.donor_name.clone(),
        born: wish.born.clone(),
        sex: wish.sex,
    };
    Request {
        id: wish.id.clone(),
        specimen: wish.specimen.clone(),
        assays: wish.assays.clone(),
        priority: wish.priority,
        specimen_type: wish.specimen_type.clone(),
        collected_at: wish.collected_at.clone(),
        only_on: wish.only_on.clone(),
        donor: (donor != Donor::default()).then_some(donor),
    }
}

/// Never with the specimen: an order that was refused says nothing against a donation.
fn refused(wish: &OrderWish, name: &str, what: &str) -> Finding {
    Finding {
        finding: name.to_owned(),
        place: place_of(wish),
        what: format!("order {:?} was not taken: {what}", wish.id),
        consequence: Consequence::Hold,
        specimen: None,
    }
}

/// One for each order of a message: senders number their records as they like, or all alike.
fn place_of(wish: &OrderWish) -> String {
    format!("{}{}", wish.source.record, name_of(wish))
}

/// An order's number comes once in a message for each action; which of its records said so is no matter.
fn name_of(wish: &OrderWish) -> String {
    format!(" (order {}, {})", wish.id, wish.action.name())
}

/// What a message with orders came to, read as it was interpreted: with the half transmissions whose rest it is.
/// `None` while it waits to be interpreted.
///
/// # Errors
/// [`ReadError`].
pub fn judged(reader: &Reader, profile: &Profile, message: Seq) -> Result<Option<CameTo>, ReadError> {
    let Some(meaning) = reader.observations_of(message)?.filter(|meaning| meaning.complete) else {
        return Ok(None);
    };
    let unknown = |why: &str| Ok(Some(CameTo::Unknown(format!("{why}; look the orders up"))));
    let Some(view) = reader.message(message)? else { return unknown("the message is not there") };
    if meaning.profile != *profile.reference() {
        return unknown("the message was read by another revision of the profile");
    }
    let Some(text) = halves::read_as(reader, &view, profile, &meaning.continues)? else {
        return unknown("the message was read together with a half transmission that is not found again");
    };
    let wishes = match profile.orders_in(&text) {
        Some(Ok(wishes)) => wishes,
        Some(Err(why)) => return Ok(Some(CameTo::Nothing(why))),
        None => return unknown("the message as it was read carries no orders"),
    };
    if let Some(fault) = meaning.findings.iter().find(|f| f.consequence == Consequence::Quarantine) {
        return unknown(&fault.what);
    }
    let not = |wish: &OrderWish| {
        let of_it = |f: &&Finding| f.finding.starts_with(REFUSED) && f.place.ends_with(&name_of(wish));
        let finding = meaning.findings.iter().find(of_it)?;
        Some(NotTaken { condition: condition(&finding.finding), why: finding.what.clone() })
    };
    let judged = wishes.into_iter().map(|wish| {
        let not = not(&wish);
        (wish, not)
    });
    Ok(Some(CameTo::Each(judged.collect())))
}

/// The code of HL7 table 0357 for a finding of [`refused`].
fn condition(finding: &str) -> &'static str {
    match finding.strip_prefix(REFUSED).unwrap_or(finding) {
        "no_assay" => "101",
        "specimen_unknown_form" | "field_unreadable" => "102",
        "unknown_assay" | "unknown_connection" => "103",
        "not_in_production" => "202",
        "no_such_order" | "not_ordered" => "204",
        "other_specimen" => "205",
        "nothing_open" => "206",
        _ => "207",
    }
}
