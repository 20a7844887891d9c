//! Pools: members, results, and why a pool says what it says.

use crate::{
    Site,
    paging::{Items, Paging},
    problem::Problem,
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use ledger::PoolSummary;
use std::sync::Arc;
use vocabulary::PoolId;
use workflow::pools::{self, PoolShown};

/// Every pool that a log or a result speaks of, by number.
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    query: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Items<PoolSummary>>, Problem> {
    let Query(paging) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let page = paging.page::<PoolId>()?;
    let found = site.read(move |reader| reader.pools(&page)).await?;
    Ok(Json(Items::of(found, |pool| pool.to_string())))
}

/// One pool: how often it was made and of whom, its results, what its members gave alone, and why it says what it says.
pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Result<Json<PoolShown>, Problem> {
    // In whatever form it was scanned or keyed in; what has none is looked for as it stands.
    let pool = match site.workflow.specimens.entered_pool(&id) {
        Ok(pool) => pool,
        Err(_) => PoolId::new(&id).map_err(Problem::bad_request)?,
    };
    let (settings, wanted) = (Arc::clone(&site.workflow), pool.clone());
    let found = site.read(move |reader| pools::show(&settings, reader, &wanted)).await?;
    found.map(Json).ok_or_else(|| {
        Problem::not_found(format!("nothing is known of pool {pool}: no pooling log and no result names it"))
    })
}
