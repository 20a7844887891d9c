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
use vocabulary::DonationRegistration;
use workflow::registrations::Refused;

/// Donations registered at once.
const REGISTRATIONS_MAX: usize = 1000;

/// Writes what somebody did, and waits until it is durable.
pub(crate) async fn append(site: &Site, by: &Caller, whats: Vec<What>) -> Result<Seq, Problem> {
    let group = whats.into_iter().map(|what| Draft { by: by.by(), what }).collect();
    let pending = site.ledger.append(group).map_err(Problem::unavailable)?;
    Ok(pending.await.map_err(Problem::unavailable)?.last())
}

fn refused(why: &Refused) -> Problem {
    match why {
        Refused::Rows { .. } if why.is_of_a_row_alone() => Problem::unprocessable(why),
        Refused::Rows { .. } | Refused::Untaken { .. } => Problem::conflict(why),
        Refused::Broken(_) => Problem::unavailable(why),
    }
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
    let mut rows = Vec::with_capacity(list.len());
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
        rows.push(registration);
    }
    let count = rows.len();
    let (of, by) = (Arc::clone(&site), caller.by());
    let written = tokio::task::spawn_blocking(move || of.registrations.register(&of.ledger, &by, rows)).await;
    let seq = written.map_err(|e| Problem::internal(&e))?.map_err(|why| refused(&why))?;
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
