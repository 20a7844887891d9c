//! Commands: each becomes an entry, with who gave it.

use crate::{Site, caller::Caller, problem::Problem};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use ledger::{DeliveryId, DeliveryState, Draft, Seq, What};
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::{DonationRegistration, DonorRegistration};

/// Donations registered at once.
const REGISTRATIONS_MAX: usize = 1000;

/// Writes what somebody did, and waits until it is durable.
pub(crate) async fn append(site: &Site, by: &Caller, whats: Vec<What>) -> Result<Seq, Problem> {
    let group = whats.into_iter().map(|what| Draft { by: by.by(), what }).collect();
    let pending = site.ledger.append(group).map_err(Problem::unavailable)?;
    Ok(pending.await.map_err(Problem::unavailable)?.last())
}

/// Whether the new registration says another thing, or holds less: a donation number used twice must not clear a hold.
fn eases(known: &DonationRegistration, new: &DonationRegistration) -> bool {
    let stricter = |known: &DonorRegistration, new: &DonorRegistration| {
        (new.deferred || !known.deferred) && (new.barred.is_some() || known.barred.is_none())
    };
    let mut same = new.clone();
    same.donor.deferred = known.donor.deferred;
    same.donor.barred.clone_from(&known.donor.barred);
    // It may come later than the rest, and be put off.
    same.centrifuged_at = known.centrifuged_at;
    // Where it was taken may be told later, and then stays.
    if known.session.is_none() {
        same.session = None;
    }
    let sooner = known.centrifuged_at.is_some_and(|at| new.centrifuged_at.is_none_or(|new| new < at));
    same != *known || sooner || !stricter(&known.donor, &new.donor)
}

/// Registers donations: one JSON object, or an array of them.
pub(crate) async fn register(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut value: Value = serde_json::from_slice(&body).map_err(Problem::bad_request)?;
    let list = if value.is_array() {
        value.as_array_mut().map(std::mem::take).unwrap_or_default()
    } else {
        vec![value]
    };
    if list.is_empty() || list.len() > REGISTRATIONS_MAX {
        return Err(Problem::bad_request(format!("1 to {REGISTRATIONS_MAX} donations, not {}", list.len())));
    }
    let mut whats = Vec::with_capacity(list.len());
    for (at, mut one) in list.into_iter().enumerate() {
        if let Some(number) = one.get_mut("donation")
            && let Some(entered) = number.as_str()
        {
            let known = site.workflow.specimens.entered(entered);
            *number = json!(known.map_err(|why| {
                let (what, what_zh) = (why.what, why.what_zh);
                Problem::bad_request(format!("donation {at}: {entered:?}: {what} ({what_zh})"))
            })?);
        }
        let registration: DonationRegistration =
            serde_json::from_value(one).map_err(|e| Problem::bad_request(format!("donation {at}: {e}")))?;
        let donation = registration.donation.clone();
        let known =
            site.read(move |reader| reader.donation(&donation)).await?.and_then(|view| view.registration);
        if let Some(known) = known.filter(|known| eases(&known.registration, &registration)) {
            let what = format!(
                "donation {} is registered already (entry {}), with another donor, group or time, or deferred, or centrifuged \
                 later; a registration may only become stricter here",
                registration.donation, known.seq
            );
            return Err(Problem::conflict(what));
        }
        whats.push(What::DonationRegistered(registration));
    }
    let count = whats.len();
    let seq = append(&site, &caller, whats).await?;
    Ok((StatusCode::CREATED, Json(json!({ "registered": count, "seq": seq }))))
}

/// Sends a dead letter on its way again.
pub(crate) async fn requeue(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let delivery: DeliveryId = id.parse().map_err(Problem::bad_request)?;
    let wanted = delivery.clone();
    let found = site.read(move |reader| reader.delivery(&wanted)).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no delivery {delivery}")))?;
    if found.state != DeliveryState::Dead {
        return Err(Problem::conflict(format!("delivery {delivery} is no dead letter")));
    }
    let wanted = delivery.clone();
    let seq = append(&site, &caller, vec![What::DeliveryRequeued { delivery }]).await?;
    site.ledger.wait_applied(seq).await.map_err(Problem::unavailable)?;
    let now = site.read(move |reader| reader.delivery(&wanted)).await?;
    // Whether it may leave is asked where it is written down, so that no verdict comes in between.
    if let Some(stays) = now.filter(|now| now.state == DeliveryState::Dead && now.changed == seq) {
        return Err(Problem::conflict(stays.outcome.unwrap_or_default()));
    }
    Ok(Json(json!({ "seq": seq })))
}
