//! Analysers and operators: what was written down of their fitness, and writing it down (R-GATE-07, R-GATE-08).

use crate::{
    Site,
    again::{read, work_of_person},
    caller::Caller,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use ledger::{FitnessNote, Ledger};
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::ConnectionId;
use workflow::{
    fitness::{self, Noted},
    people::Actor,
};

fn shown(notes: &[FitnessNote]) -> Json<Value> {
    Json(json!({ "items": notes }))
}

/// What was done to the analysers of a line.
pub(crate) async fn services(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id: ConnectionId = id.parse().map_err(Problem::bad_request)?;
    Ok(shown(&site.read(move |reader| reader.services(&id)).await?))
}

/// What operators may do.
pub(crate) async fn operators(State(site): State<Arc<Site>>) -> Result<Json<Value>, Problem> {
    Ok(shown(&site.read(ledger::Reader::operators).await?))
}

async fn noted(
    site: Arc<Site>,
    caller: Caller,
    note: impl FnOnce(&Ledger, &Actor) -> Noted + Send + 'static,
) -> Result<(StatusCode, Json<Value>), Problem> {
    match work_of_person(&site, &caller, move |site, who| note(&site.ledger, who)).await? {
        Ok(seq) => Ok((StatusCode::CREATED, crate::commands::written(seq))),
        Err(why) => Err(Problem::unprocessable(format!("{} ({})", why.why, why.why_zh))),
    }
}

/// `{"service":"maintenance","at":"…","due":"2026-06-30","report":"…","instrument":"…"}`
pub(crate) async fn serviced(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id: ConnectionId = id.parse().map_err(Problem::bad_request)?;
    let done: fitness::Serviced = read(&body)?;
    noted(site, caller, move |ledger, who| fitness::serviced(ledger, who, &id, &done)).await
}

/// `{"operator":"lab","assays":["ELISA HBsAg"],"from":"2026-01-01","until":"2026-12-31","reason":"…"}`
pub(crate) async fn authorise(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let given: fitness::Authorised = read(&body)?;
    noted(site, caller, move |ledger, who| fitness::authorise(ledger, who, &given)).await
}

/// `{"operator":"lab","from":"2026-03-01","reason":"…"}`
pub(crate) async fn withdraw(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let given: fitness::Withdrawn = read(&body)?;
    noted(site, caller, move |ledger, who| fitness::withdraw(ledger, who, &given)).await
}
