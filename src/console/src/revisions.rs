//! Profile revisions: which one each connection reads with, and the words of two people that change it.

use crate::{
    Site,
    again::{read, said, work_of_person},
    caller::Caller,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use ledger::{Entry, Mapped, Page, Seq, What};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use vocabulary::ConnectionId;
use workflow::{
    mapping::{self, Said},
    pins::{self, Step},
};

/// Entries of a connection's history that are shown.
const HISTORY_MAX: usize = 200;
/// Kept revisions that are listed.
const KEPT_MAX: usize = 1_000;

/// `{"revision":"…","why":"…"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Activate {
    revision: String,
    why: String,
}

/// `{"mapped":{"value":{"map":"…","text":"…","meaning":"…"}},"why":"…","message":7}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    mapped: Mapped,
    why: String,
    message: Option<u64>,
}

/// `{"text":"…","templates":{"found.jinja":"…"}}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    text: String,
    #[serde(default)]
    templates: BTreeMap<String, String>,
}

fn connection(id: &str) -> Result<ConnectionId, Problem> {
    id.parse().map_err(Problem::bad_request)
}

fn told(entry: &Entry) -> Value {
    let detail = if let What::ProfilePinned { profile, .. } = &entry.what {
        json!({ "profile": profile })
    } else if let What::ProfileProposed { profile, why, .. } = &entry.what {
        json!({ "profile": profile, "why": why })
    } else if let What::ProfileActivated { profile, proposed, .. } = &entry.what {
        json!({ "profile": profile, "proposed": proposed })
    } else {
        Value::Null
    };
    json!({ "seq": entry.seq, "at_ms": entry.at_ms, "by": entry.by, "what": entry.what.name(), "detail": detail })
}

/// The revision that a connection reads with, what this release asks and that revision does not say (it is of an earlier one
/// then), what is proposed, how that one was made, and the history.
pub(crate) async fn pinned(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id = connection(&id)?;
    let (wanted, profiles) = (id.clone(), site.workflow.profiles.clone());
    let found = site
        .read(move |reader| {
            let Some(pin) = reader.pin(&wanted)? else { return Ok(None) };
            let profile = profiles.find(reader, &pin.profile)?;
            let unsaid = profile.iter().flat_map(|profile| profile.unsaid()).map(ToString::to_string);
            let unsaid: Vec<String> = unsaid.collect();
            let proposed = pin.proposed.as_ref().map(|proposal| reader.kept_profile(&proposal.profile));
            let mapping = proposed.transpose()?.flatten().and_then(|kept| kept.mapping);
            let history = reader.pin_history(&wanted, &Page::newest(HISTORY_MAX))?.items;
            let history: Vec<Value> = history.iter().map(told).collect();
            Ok(Some(json!({ "pin": pin, "unsaid": unsaid, "proposed_mapping": mapping, "history": history })))
        })
        .await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no connection {id}")))
}

/// The revisions whose content the ledger keeps.
pub(crate) async fn kept(State(site): State<Arc<Site>>) -> Result<Json<Value>, Problem> {
    let found = site.read(move |reader| reader.kept_profiles(&Page::first(KEPT_MAX))).await?;
    Ok(Json(json!({ "items": found.items })))
}

fn answered(step: &Step) -> Result<(StatusCode, Json<Value>), Problem> {
    let status = match step {
        Step::Proposed { .. } => StatusCode::ACCEPTED,
        Step::Activated { .. } | Step::InForce { .. } => StatusCode::OK,
        Step::WaitsForAnother { profile, .. } => {
            return Err(Problem::conflict(format!(
                "you proposed {profile}: another person has to agree (您已提议该版本,须由另一人启用)"
            )));
        }
        Step::Refused(why) => return Err(Problem::unprocessable(format!("{} ({})", why.why, why.why_zh))),
    };
    Ok((status, Json(json!(step))))
}

/// Proposes a revision, or agrees to one that another person proposed.
pub(crate) async fn activate(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = connection(&id)?;
    let Activate { revision, why } = read(&body)?;
    let why = said(&why)?;
    let step = work_of_person(&site, &caller, move |site, who| {
        pins::activate(&site.workflow.profiles, &site.ledger, who, (&id, &revision), &why)
    });
    answered(&step.await?)
}

/// Says what a code or a text means; another person activates the revision that this makes.
pub(crate) async fn map(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Map { mapped, why, message } = read(&body)?;
    let said =
        Said { connection: connection(&id)?, mapped, message: message.map(Seq::new), why: said(&why)? };
    let step = work_of_person(&site, &caller, move |site, who| {
        mapping::map(&site.workflow.profiles, &site.ledger, who, &said)
    });
    answered(&step.await?)
}

/// Keeps a profile in the ledger, so that it can be activated.
pub(crate) async fn add(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Add { text, templates } = read(&body)?;
    let added =
        work_of_person(&site, &caller, move |site, who| pins::add(&site.ledger, who, &text, &templates));
    match added.await? {
        Ok(profile) => Ok((StatusCode::CREATED, Json(json!({ "profile": profile })))),
        Err(why) => Err(Problem::unprocessable(format!("{} ({})", why.why, why.why_zh))),
    }
}
