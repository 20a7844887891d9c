//! Connections: how each stands, and what went over its line.

use crate::{Site, caller::Caller, consulted::Consulted, paging::Items, problem::Problem};
use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use intake::{
    Outcome, Standing,
    trace::{About, Dialogue, Excerpt, Traced, TracedEvent, Way},
};
use ledger::DonorData;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::{ConnectionId, notation};

type Answer<T> = Result<Json<T>, Problem>;

/// Every connection as it stands.
pub(crate) async fn connections(State(site): State<Arc<Site>>) -> Json<Items<Value>> {
    let standings = site.connections.standings();
    Json(Items::all(standings.iter().map(|(id, standing)| told(id, standing)).collect()))
}

/// One connection as it stands.
pub(crate) async fn connection(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer<Value> {
    let (id, standing) = standing(&site, &id)?;
    Ok(Json(told(&id, &standing)))
}

/// What would happen if it were used now; changes nothing.
pub(crate) async fn probe(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer<Value> {
    let (id, _) = standing(&site, &id)?;
    let looks = intake::probe(&site.connections, &id).await.unwrap_or_default();
    let good = looks.iter().all(|look| look.outcome != Outcome::Bad);
    Ok(Json(json!({ "connection": id, "good": good, "items": looks })))
}

fn told(id: &ConnectionId, standing: &Standing) -> Value {
    let mut value = json!(standing);
    if let Value::Object(fields) = &mut value {
        fields.insert("id".to_owned(), json!(id));
        for (name, ms) in [
            ("since_at", standing.since_ms),
            ("served_since_at", standing.served_since_ms),
            ("last_bytes_at", standing.last_bytes_ms),
            ("last_frame_at", standing.last_frame_ms),
            ("last_message_at", standing.last_message_ms),
            ("last_anomaly_at", standing.last_anomaly_ms),
        ] {
            fields.insert(name.to_owned(), json!(time(ms)));
        }
    }
    value
}

fn standing(site: &Site, id: &str) -> Result<(ConnectionId, Standing), Problem> {
    let id = ConnectionId::new(id).map_err(Problem::bad_request)?;
    if let Some(standing) = site.connections.standing(&id) {
        return Ok((id, standing));
    }
    let standings = site.connections.standings();
    let known: Vec<&str> = standings.keys().map(ConnectionId::as_str).collect();
    Err(Problem::not_found(format!("there is no connection {id}; there are: {}", known.join(", "))))
}

/// RFC 3339 in UTC; 0 is never.
fn time(ms: u64) -> Option<String> {
    let ms = i64::try_from(ms).ok().filter(|ms| *ms > 0)?;
    Some(jiff::Timestamp::from_millisecond(ms).ok()?.to_string())
}

/// Number of the last event of a trace as text, for whoever reads on: `?since=…`.
const LAST: HeaderName = HeaderName::from_static("hemogate-trace-last");
/// What the times of a trace as text count from, to go on in the same times: `?begin_ms=…`.
const BEGIN: HeaderName = HeaderName::from_static("hemogate-trace-begin-ms");

/// `?since=NUMBER&begin_ms=…`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Since {
    since: u64,
    begin_ms: Option<u64>,
}

/// What went over a connection's line: a dialogue, or JSON for whoever accepts that. Who reads it is written down.
pub(crate) async fn trace(
    State(site): State<Arc<Site>>,
    Extension(consulted): Extension<Arc<Consulted>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    query: Result<Query<Since>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(Since { since, begin_ms }) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let (id, standing) = standing(&site, &id)?;
    let trace = site.connections.trace_of(&id).unwrap_or_default();
    consulted.write(&site, &caller, DonorData::Trace { connection: id.clone() }).await?;
    let excerpt = trace.since(since);
    if accepts_json(&headers) {
        return Ok(Json(items(&id, &excerpt)).into_response());
    }
    let dialogue = if let Some(begin_ms) = begin_ms {
        Dialogue::more(&excerpt, begin_ms)
    } else {
        let profile = standing.profile.map(|profile| profile.to_string()).unwrap_or_default();
        let mode = json!(standing.mode);
        let (connection, mode) = (id.as_str(), mode.as_str().unwrap_or_default());
        Dialogue::new(&excerpt, About { connection, profile: &profile, mode })
    };
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (LAST, excerpt.last.to_string()),
        (BEGIN, dialogue.begin_ms.to_string()),
    ];
    Ok((headers, dialogue.text).into_response())
}

/// Text, unless JSON is named before it.
fn accepts_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds = accepted.flat_map(|value| value.split(',')).filter_map(|kind| kind.split(';').next());
    let mut kinds = kinds.map(|kind| kind.trim().to_ascii_lowercase());
    kinds.find(|kind| ["application/json", "text/plain", "text/*", "*/*"].contains(&kind.as_str()))
        == Some("application/json".to_owned())
}

fn items(id: &ConnectionId, excerpt: &Excerpt) -> Value {
    json!({
        "connection": id,
        "last": excerpt.last,
        "lost_events": excerpt.lost_events,
        "lost_bytes": excerpt.lost_bytes,
        "items": excerpt.events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn event(event: &TracedEvent) -> Value {
    let TracedEvent { number, at_ms, after_ms, socket, what } = event;
    let (kind, words) = match what {
        Traced::Bytes { way: Way::Received, bytes } => ("received", ("bytes", notation::write(bytes))),
        Traced::Bytes { way: Way::Sent, bytes } => ("sent", ("bytes", notation::write(bytes))),
        Traced::Bytes { way: Way::Withheld, bytes } => ("withheld", ("bytes", notation::write(bytes))),
        Traced::Connected { peer } => ("connected", ("peer", peer.clone())),
        Traced::Closed { why } => ("closed", ("why", why.clone())),
        Traced::Refused { why } => ("refused", ("why", why.clone())),
        Traced::Anomaly { what } => ("anomaly", ("what", what.clone())),
        Traced::Noted { what } => ("noted", ("what", what.clone())),
    };
    json!({
        "number": number, "at": time(*at_ms), "after_ms": after_ms, "socket": socket, "event": kind,
        words.0: words.1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_ask_for_it_first() {
        for (accept, expect) in [
            (None, false),
            (Some("*/*"), false),
            (Some("application/json"), true),
            (Some("text/html, Application/JSON;q=0.9, */*;q=0.1"), true),
            (Some("text/plain, application/json"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(accepts_json(&headers), expect, "{accept:?}");
        }
    }
}
