//! Whether hemogate lives, and whether it accepts results.

use crate::{Site, problem::Problem};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn live() -> &'static str {
    "live\n"
}

/// Ready means: the journal takes entries and the state follows it.
pub(crate) async fn ready(State(site): State<Arc<Site>>) -> Response {
    let status = site.ledger.status();
    if status.accepting && status.state_fault.is_none() {
        return (StatusCode::OK, "ready\n").into_response();
    }
    let why = status.why_not.or(status.state_fault).unwrap_or_default();
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response()
}

pub(crate) async fn status(State(site): State<Arc<Site>>) -> Result<Json<Value>, Problem> {
    let (counters, clock) = site.read(|reader| Ok((reader.counters()?, reader.clock()?))).await?;
    let destinations: serde_json::Map<String, Value> = site
        .couriers
        .standings()
        .into_iter()
        .map(|(id, standing)| (id.to_string(), json!(standing)))
        .collect();
    Ok(Json(json!({
        "site": site.name,
        "version": site.version,
        "ledger": site.ledger.status(),
        "clock": clock,
        "counters": counters,
        "destinations": destinations,
    })))
}
