//! Faults of interfaces that stand open, and the word of whoever has looked at one.

use crate::{
    Site,
    again::{read, said, work_of_person},
    caller::Caller,
    paging::{Items, Paging},
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use ledger::{InterfaceFault, Seq};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use workflow::faults::{self, Acknowledged};

/// `{"why":"…"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    why: String,
}

/// Faults that stand open, and the runs that they fell into. `?connection=…`
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    query: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Items<InterfaceFault>>, Problem> {
    let Query(paging) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let connection = Paging::id("connection", paging.connection.as_ref())?;
    let page = paging.page::<Seq>()?;
    let found = site.read(move |reader| reader.faults(connection.as_ref(), &page)).await?;
    Ok(Json(Items::of(found, |seq| seq.to_string())))
}

/// A person has looked at a fault: what it fell into need not wait for it.
pub(crate) async fn acknowledge(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(fault): Path<u64>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let Why { why } = read(&body)?;
    let why = said(&why)?;
    let done = work_of_person(&site, &caller, move |site, who| {
        faults::acknowledge(&site.ledger, who, (Seq::new(fault), &why))
    })
    .await?;
    match done {
        Acknowledged::Done(entry) => Ok(Json(json!({ "seq": entry }))),
        Acknowledged::NoSuchFault => Err(Problem::not_found(format!(
            "no fault {fault} stands open; see /api/v1/faults（没有未处理的接口故障 {fault}）"
        ))),
    }
}
