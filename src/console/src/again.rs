//! The command to read messages again from their bytes, and how a person's command is carried out.

use crate::{
    Site,
    caller::{Caller, refused},
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use ledger::{Order, Page, ReadError, Seq};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::ConnectionId;
use workflow::{
    Stopped,
    people::Actor,
    pins::NotDone,
    reprocess::{self, Outcome, Several, Which},
};

/// The longest reason that is written down.
const WHY_CHARS_MAX: usize = 1_000;

/// `{"why":"…"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    why: String,
}

/// `{"why":"…","connection":"…","only":"quarantine","revision":"…","after":7,"limit":100}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    why: String,
    connection: Option<ConnectionId>,
    only: Option<Only>,
    revision: Option<String>,
    after: Option<u64>,
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Only {
    Quarantine,
    All,
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(Problem::bad_request)
}

/// Whoever changes what results mean says why.
pub(crate) fn said(why: &str) -> Result<String, Problem> {
    let why = why.trim();
    match why.chars().count() {
        0 => Err(Problem::bad_request("\"why\" is empty: say why")),
        1..=WHY_CHARS_MAX => Ok(why.to_owned()),
        longer => {
            Err(Problem::bad_request(format!("\"why\" has {longer} characters; {WHY_CHARS_MAX} are kept")))
        }
    }
}

/// What a person does to the ledger, away from the runtime's threads.
pub(crate) async fn work_of_person<T: Send + 'static>(
    site: &Arc<Site>,
    caller: &Caller,
    work: impl FnOnce(&Site, &Actor) -> Result<T, NotDone> + Send + 'static,
) -> Result<T, Problem> {
    let (site, who) = (Arc::clone(site), caller.person()?.clone());
    let outcome = tokio::task::spawn_blocking(move || work(&site, &who)).await;
    outcome.map_err(|e| Problem::internal(&e))?.map_err(|why| match why {
        NotDone::Person(why) => refused(&why),
        NotDone::Stopped(stopped) => of_stopped(&stopped),
    })
}

fn of_stopped(stopped: &Stopped) -> Problem {
    match stopped {
        Stopped::Read(ReadError::State(_) | ReadError::Journal(_))
        | Stopped::Unwritable(_)
        | Stopped::Rules(_) => Problem::internal(stopped),
        Stopped::Read(ReadError::OtherKind { .. } | ReadError::BytesMissing(_)) => {
            Problem::unprocessable(stopped)
        }
        Stopped::Refused(_) | Stopped::Failed(_) | Stopped::Stands(_) => Problem::unavailable(stopped),
    }
}

/// Reads one message again from its bytes: 202 where it will be, 200 where nothing would change.
pub(crate) async fn one(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(seq): Path<u64>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let One { why } = read(&body)?;
    let why = said(&why)?;
    let found = work_of_person(&site, &caller, move |site, who| {
        reprocess::one(&site.workflow, &site.ledger, who, (Seq::new(seq), &why))
    })
    .await?;
    let outcome = found.ok_or_else(|| Problem::not_found(format!("there is no message {seq}")))?;
    let status = match &outcome {
        Outcome::Asked { .. } | Outcome::Waiting => StatusCode::ACCEPTED,
        Outcome::Unchanged => StatusCode::OK,
        Outcome::Refused { why, why_zh } => {
            return Err(Problem::unprocessable(format!("{why} ({why_zh})")));
        }
    };
    let mut answer = json!(outcome);
    if let Value::Object(fields) = &mut answer {
        fields.insert("message".to_owned(), json!(seq));
    }
    Ok((status, Json(answer)))
}

/// Reads several messages again: those in quarantine unless asked for all, of a connection, or of a revision.
pub(crate) async fn several(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Several>), Problem> {
    let Many { why, connection, only, revision, after, limit } = read(&body)?;
    let why = said(&why)?;
    let which = Which { connection, held: only != Some(Only::All), revision };
    let page = Page {
        after: after.map(Seq::new),
        limit: limit.unwrap_or(reprocess::MESSAGES_AT_ONCE),
        order: Order::OldestFirst,
    };
    let several = work_of_person(&site, &caller, move |site, who| {
        reprocess::several(&site.workflow, &site.ledger, who, (&which, &page), &why)
    })
    .await?;
    let status = if several.asked.is_empty() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(several)))
}
