//! What is held and why.

use crate::{
    Site,
    caller::Caller,
    consulted::Consulted,
    paging::{Items, Paging},
    problem::Problem,
};
use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use ledger::{DonorData, Seq};
use std::sync::Arc;
use workflow::quarantine::{self, Filter, Item, Reason, Shown};

/// Messages that hold something up: why, and what waits for them. `?connection=…&reason=…`
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    query: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Items<Item>>, Problem> {
    let Query(paging) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let filter = Filter {
        connection: Paging::id("connection", paging.connection.as_ref())?,
        reason: paging.reason.as_deref().map(reason).transpose()?,
    };
    let page = paging.page::<Seq>()?;
    let found = site.read(move |reader| quarantine::list(reader, &filter, &page)).await?;
    Ok(Json(Items::of(found, |seq| seq.to_string())))
}

fn reason(name: &str) -> Result<Reason, Problem> {
    let known = || Reason::ALL.map(Reason::name).join(", ");
    Reason::named(name)
        .ok_or_else(|| Problem::bad_request(format!("reason={name} is none; there are {}", known())))
}

/// One held message: each reason with the place in its bytes. That its bytes were read is written down.
pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    Extension(consulted): Extension<Arc<Consulted>>,
    Extension(caller): Extension<Caller>,
    Path(seq): Path<u64>,
) -> Result<Json<Shown>, Problem> {
    let settings = Arc::clone(&site.workflow);
    let found = site.read(move |reader| quarantine::show(&settings, reader, Seq::new(seq))).await?;
    let shown = found.ok_or_else(|| {
        Problem::not_found(format!("message {seq} is not in quarantine (see /api/v1/messages/{seq})"))
    })?;
    consulted.write(&site, &caller, DonorData::RawMessage { message: Seq::new(seq) }).await?;
    Ok(Json(shown))
}
