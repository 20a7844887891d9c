//! The worklist: orders placed, cancelled and shown with the reason why they wait, and what analysers asked for.
//!
//! An order's own number is its key: sending the same order again changes nothing. Whoever must not overwrite another's
//! change says so with `If-None-Match: *` (only new numbers) or `If-Match` (only the version that was read).

use crate::{
    Site,
    caller::Caller,
    paging::{Direction, Items, Paging},
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use ledger::{Entry, OrderFilter, OrderView, Page, Reader, Seq, What};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};
use vocabulary::{ConnectionId, OrderId, OrderState, QueryOutcome, SpecimenId};
use workflow::orders::{self, Cancelled, Placed, Refusal, Request};

/// Orders placed at once.
const ORDERS_MAX: usize = 1000;
/// Entries of an order's history that are shown with it.
const HISTORY_MAX: usize = 200;

type Answer<T> = Result<Json<T>, Problem>;

/// `?state=placed&open=true&specimen=…&connection=…&assay=…`, and pages as every list has them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    after: Option<String>,
    limit: Option<usize>,
    order: Option<Direction>,
    state: Option<OrderState>,
    open: Option<bool>,
    specimen: Option<String>,
    connection: Option<String>,
    assay: Option<String>,
}

/// Orders, the newest first unless asked otherwise.
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Answer<Items<Value>> {
    let Query(wanted) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let specimen: Option<SpecimenId> = Paging::id("specimen", wanted.specimen.as_ref())?;
    let filter = OrderFilter {
        state: wanted.state,
        open: wanted.open.unwrap_or(false),
        // A scan in any form the site knows; what has none is looked for as it stands.
        specimen: specimen.map(|scan| site.workflow.specimens.number(&scan, None).unwrap_or(scan)),
        connection: Paging::id("connection", wanted.connection.as_ref())?,
        assay: wanted.assay,
    };
    let order = wanted.order.or(Some(Direction::Newest));
    let paging = Paging { after: wanted.after, limit: wanted.limit, order, ..Paging::default() };
    let page = paging.page::<Seq>()?;
    let found = site.read(move |reader| reader.orders(&filter, &page)).await?;
    let connected = connected(&site);
    let items = found.items.iter().map(|order| shown(&site, order, &connected)).collect();
    Ok(Json(Items { items, next: found.next.map(|seq| seq.to_string()) }))
}

/// One order with its history.
pub(crate) async fn one(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id: OrderId = id.parse().map_err(Problem::bad_request)?;
    let wanted = id.clone();
    let found = site
        .read(move |reader| {
            let Some(order) = reader.order(&wanted)? else { return Ok(None) };
            Ok(Some((order, reader.order_history(&wanted, &Page::first(HISTORY_MAX))?)))
        })
        .await?;
    let (order, history) = found.ok_or_else(|| Problem::not_found(format!("there is no order {id}")))?;
    let mut value = shown(&site, &order, &connected(&site));
    if let Value::Object(fields) = &mut value {
        let entries: Vec<Value> = history.items.iter().map(|entry| told(entry, &id)).collect();
        fields.insert("history".to_owned(), json!(entries));
        if let Some(next) = history.next {
            fields.insert("history_goes_on_after".to_owned(), json!(next));
        }
    }
    Ok(([(header::ETAG, etag(&order))], Json(value)).into_response())
}

fn etag(order: &OrderView) -> String {
    format!("\"{}\"", order.changed)
}

/// The analysers that are connected now.
fn connected(site: &Site) -> BTreeSet<ConnectionId> {
    let standings = site.connections.standings().into_iter();
    let here = standings.filter(|(_, standing)| match standing.activity {
        intake::Activity::Connected | intake::Activity::Watching => true,
        intake::Activity::Stopped
        | intake::Activity::Listening
        | intake::Activity::Connecting
        | intake::Activity::Failed => false,
    });
    here.map(|(id, _)| id).collect()
}

fn shown(site: &Site, order: &OrderView, connected: &BTreeSet<ConnectionId>) -> Value {
    let mut value = json!(order);
    if let Value::Object(fields) = &mut value {
        let waits = orders::waits(&site.workflow.orders, order, &|c| connected.contains(c));
        fields.insert("id".to_owned(), json!(order.order.id));
        fields.insert("state_zh".to_owned(), json!(order.state.chinese()));
        fields.insert("placed_at".to_owned(), json!(time(order.placed_at_ms)));
        fields.insert("waits".to_owned(), json!(waits));
    }
    value
}

fn time(ms: i64) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms).ok().map(|at| at.to_string())
}

/// One entry of an order's history.
fn told(entry: &Entry, id: &OrderId) -> Value {
    // Other kinds of entries are no part of an order's history.
    let detail = if let What::OrderPlaced { order, from } = &entry.what {
        json!({ "order": order, "message": from })
    } else if let What::OrderCancelled { assays, reason, from, .. } = &entry.what {
        json!({ "assays": assays, "reason": reason, "message": from })
    } else if let What::OrderExpired { reason, .. } = &entry.what {
        json!({ "reason": reason })
    } else if let What::OrderSent { connection, assays, message, action, accepted, answer, .. } = &entry.what
    {
        json!({
            "connection": connection, "assays": assays, "message": message, "action": action,
            "accepted": accepted, "answer": answer,
        })
    } else if let What::MessageInterpreted { message, observations, orders, .. } = &entry.what {
        let mine = orders.iter().filter(|(_, order)| order == id);
        let assays: BTreeSet<&str> = mine
            .filter_map(|(at, _)| Some(observations.get(usize::try_from(*at).ok()?)?.assay.as_str()))
            .collect();
        json!({ "message": message, "assays": assays })
    } else {
        Value::Null
    };
    json!({ "seq": entry.seq, "at": time(entry.at_ms), "by": entry.by, "what": entry.what.name(), "detail": detail })
}

/// Places orders: one JSON object, or an array of them. Each is taken or refused by itself, in order.
pub(crate) async fn place(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let value: Value = serde_json::from_slice(&body).map_err(Problem::bad_request)?;
    let (list, alone) = match value {
        Value::Array(list) => (list, false),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            (vec![value], true)
        }
    };
    if list.is_empty() || list.len() > ORDERS_MAX {
        return Err(Problem::bad_request(format!("1 to {ORDERS_MAX} orders at once, not {}", list.len())));
    }
    let requests: Result<Vec<Request>, Problem> = (0..)
        .zip(list)
        .map(|(at, one): (usize, Value)| {
            serde_json::from_value(one).map_err(|e| Problem::bad_request(format!("order {at}: {e}")))
        })
        .collect();
    let requests = requests?;
    let ids: Vec<String> = requests.iter().map(|r| r.id.trim().to_owned()).collect();
    guard(&site, &headers, &ids).await?;
    let (workflow, ledger) = (Arc::clone(&site.workflow), site.ledger.clone());
    let work = move || orders::place(&workflow, &ledger, &caller.by(), &requests);
    let placed = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))?;
    let placed = placed.map_err(Problem::unavailable)?;
    if let (true, [Placed::Refused(refusal)]) = (alone, &placed[..]) {
        return Err(refused(refusal));
    }
    let new = placed.iter().any(|p| matches!(p, Placed::New(_)));
    let outcomes: Vec<Value> = ids.iter().zip(&placed).map(|(id, placed)| outcome(id, placed)).collect();
    let count = |name: &str| outcomes.iter().filter(|o| o.get("outcome").is_some_and(|n| n == name)).count();
    let totals = json!({
        "new": count("new"), "changed": count("changed"), "same": count("same"), "refused": count("refused"),
    });
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "orders": outcomes, "totals": totals }))).into_response())
}

fn outcome(id: &str, placed: &Placed) -> Value {
    let name = match placed {
        Placed::New(_) => "new",
        Placed::Changed(_) => "changed",
        Placed::Same(_) => "same",
        Placed::Refused(refusal) => {
            return json!({
                "id": id, "outcome": "refused", "why": refusal.name(), "what": refusal.english(),
                "what_zh": refusal.chinese(),
            });
        }
    };
    json!({ "id": id, "outcome": name })
}

fn refused(refusal: &Refusal) -> Problem {
    let detail = format!("{} ({})", refusal.english(), refusal.chinese());
    match refusal {
        Refusal::NoSuchOrder { .. } => Problem::not_found(detail),
        Refusal::OtherSpecimen { .. }
        | Refusal::TooManyForSpecimen { .. }
        | Refusal::TooManyOpen { .. }
        | Refusal::TooManyVersions { .. }
        | Refusal::NothingOpen { .. } => Problem::conflict(detail),
        Refusal::Specimen { .. }
        | Refusal::Field { .. }
        | Refusal::NoAssay
        | Refusal::UnknownAssay { .. }
        | Refusal::TooManyAssays { .. }
        | Refusal::UnknownConnection { .. }
        | Refusal::NotOrdered { .. } => Problem::unprocessable(detail),
    }
}

/// Holds a command to the versions that its sender knows.
async fn guard(site: &Site, headers: &HeaderMap, ids: &[String]) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let only_new = text(header::IF_NONE_MATCH) == Some("*");
    let known = text(header::IF_MATCH).map(str::to_owned);
    if !only_new && known.is_none() {
        return Ok(());
    }
    for id in ids {
        let Ok(order) = id.parse::<OrderId>() else { continue };
        let found = site.read(move |reader: &Reader| reader.order(&order)).await?;
        let stands = found.as_ref().map(etag);
        if only_new && stands.is_some() {
            return Err(Problem::precondition(format!("order {id} is there already")));
        }
        if known.as_ref().is_some_and(|known| known != "*" && stands.as_ref() != Some(known)) {
            let now = stands.unwrap_or_else(|| "not there".to_owned());
            return Err(Problem::precondition(format!(
                "order {id} is not the one you read; it is {now} now"
            )));
        }
    }
    Ok(())
}

/// `{"assays":["…"],"reason":"…"}`; no assay is all that are open.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Cancellation {
    assays: Vec<String>,
    reason: Option<String>,
}

/// Cancels an order or some of its assays.
pub(crate) async fn cancel(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Value> {
    let asked: Cancellation = if body.is_empty() {
        Cancellation::default()
    } else {
        serde_json::from_slice(&body).map_err(Problem::bad_request)?
    };
    let order: OrderId = id.parse().map_err(Problem::bad_request)?;
    guard(&site, &headers, std::slice::from_ref(&id)).await?;
    let reason = asked.reason.unwrap_or_else(|| "cancelled over HTTP".to_owned());
    let (workflow, ledger) = (Arc::clone(&site.workflow), site.ledger.clone());
    let work =
        move || orders::cancel(&workflow, &ledger, &caller.by(), (&order, &asked.assays, reason.as_str()));
    let cancelled = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))?;
    match cancelled.map_err(Problem::unavailable)? {
        Cancelled::Done(assays) => Ok(Json(json!({ "id": id, "cancelled": assays }))),
        Cancelled::Before => Ok(Json(json!({ "id": id, "cancelled": [], "before": true }))),
        Cancelled::Refused(refusal) => Err(refused(&refusal)),
    }
}

/// `?connection=…`, and pages.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Questions {
    after: Option<String>,
    limit: Option<usize>,
    order: Option<Direction>,
    connection: Option<String>,
}

/// What analysers asked for and how they were answered, the newest first unless asked otherwise.
pub(crate) async fn queries(
    State(site): State<Arc<Site>>,
    query: Result<Query<Questions>, QueryRejection>,
) -> Answer<Items<Value>> {
    let Query(wanted) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let connection: Option<ConnectionId> = Paging::id("connection", wanted.connection.as_ref())?;
    let order = wanted.order.or(Some(Direction::Newest));
    let paging = Paging { after: wanted.after, limit: wanted.limit, order, ..Paging::default() };
    let page = paging.page::<Seq>()?;
    let found = site.read(move |reader| reader.queries(connection.as_ref(), &page)).await?;
    let items = found.items.iter().map(|query| {
        let mut value = json!(query);
        if let Value::Object(fields) = &mut value {
            fields.insert("at".to_owned(), json!(time(query.at_ms)));
            fields.insert("why".to_owned(), json!(why(&query.outcome)));
        }
        value
    });
    Ok(Json(Items { items: items.collect(), next: found.next.map(|seq| seq.to_string()) }))
}

/// Why there was nothing to do, for people.
fn why(outcome: &QueryOutcome) -> Vec<Value> {
    match outcome {
        QueryOutcome::Found { nothing, .. } | QueryOutcome::NothingFound { why: nothing } => nothing
            .iter()
            .map(|n| json!({ "specimen": n.specimen, "why": n.why.english(), "why_zh": n.why.chinese() }))
            .collect(),
        QueryOutcome::Refused { why } => vec![json!({ "why": why })],
        QueryOutcome::Cancelled => Vec::new(),
    }
}
