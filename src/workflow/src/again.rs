//! Interpreting a message again, from its bytes: because somebody asked for it, or because an earlier message of the same
//! donations means something else now.
//!
//! What comes out is what would have come out had the message been read so in the first place: it is held against
//! earlier messages only, and messages after it are read again in their turn. Orders are never placed again: their sender
//! was answered when they came.

use crate::earlier::Memory;
use crate::halves::Halves;
use crate::interpreter::{Interpreted, message_of, parts};
use crate::{Settings, Stopped};
use instrument_profiles::OrderWish;
use ledger::{Draft, Interpretation, MessageView, Reader, What};
use vocabulary::{Consequence, Finding};

/// Findings about orders that a message brought, as they were judged when it came.
const OF_ORDERS: &str = "order_";
/// A message that was read again brings orders: they were not placed.
const NOT_REPLAYED: &str = "order_not_replayed";

/// The group that ends the item of a message that was interpreted before.
pub(crate) fn again(
    settings: &Settings,
    reader: &Reader,
    memory: &mut Memory,
    message: &MessageView,
) -> Result<Vec<Draft>, Stopped> {
    if let Some(whole) = anew(settings, reader, memory, message)? {
        return Ok(parts(message, whole));
    }
    let what = What::InterpretationStands { message: message.seq, profile: message.read_with.clone() };
    Ok(vec![Draft::by_system(what)])
}

/// What a message means when it is read now; `None` where that is what it was taken to mean.
pub(crate) fn anew(
    settings: &Settings,
    reader: &Reader,
    memory: &mut Memory,
    message: &MessageView,
) -> Result<Option<Interpreted>, Stopped> {
    let Some(standing) = reader.observations_of(message.seq)? else { return Ok(None) };
    let halves = Halves::before_one(reader, message.seq, 1)?;
    let (mut whole, wishes) = message_of(settings, (reader, &halves), message)?;
    whole.findings.extend(of_orders(&standing, message, &wishes));
    whole.findings.extend(torn_apart(&standing, &whole));
    memory.compare(reader, message, &settings.specimens, &mut whole)?;
    whole.take_repeats_from_orders(message.seq);
    Ok((!whole.is(&standing) || standing.profile != message.read_with).then_some(whole))
}

/// What was said of the message's orders stays as it was said.
fn of_orders(standing: &Interpretation, message: &MessageView, wishes: &[OrderWish]) -> Vec<Finding> {
    let said = standing.findings.iter().filter(|f| f.finding.starts_with(OF_ORDERS));
    let mut findings: Vec<Finding> = said.cloned().collect();
    let known = findings.iter().any(|f| f.finding == NOT_REPLAYED);
    if !wishes.is_empty() && !known && standing.profile != message.read_with {
        findings.push(Finding {
            finding: NOT_REPLAYED.to_owned(),
            place: "the message".to_owned(),
            what: "orders of a message that is read again are not placed: their sender was answered when it came; have \
                   it send them again"
                .to_owned(),
            consequence: Consequence::Note,
            specimen: None,
        });
    }
    findings
}

/// Half transmissions that it was read together with are not found as they were.
fn torn_apart(standing: &Interpretation, whole: &Interpreted) -> Option<Finding> {
    (!standing.continues.is_empty() && standing.continues != whole.continues).then(|| Finding {
        finding: "resumption_uncertain".to_owned(),
        place: "the message".to_owned(),
        what: "the message was read together with half transmissions before, and is not now; look at both, and let the \
               analyser send its results again"
            .to_owned(),
        consequence: Consequence::Quarantine,
        specimen: None,
    })
}
