//! Kits: which judge from when on, and the words of two people that change it.

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
use jiff::Timestamp;
use ledger::Seq;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use workflow::kits::{self, KitText, KitsNow, Step, Wanted};

/// `{"files":[{"name":"hbsag.toml","text":"…"}],"kits":["site/hcv"],"leave_out":["site/old"],"from":"…","why":"…"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Propose {
    #[serde(default)]
    files: Vec<KitText>,
    #[serde(default)]
    kits: Vec<String>,
    #[serde(default)]
    leave_out: Vec<String>,
    from: Option<Timestamp>,
    why: String,
}

/// `{"proposal":217}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Activate {
    proposal: u64,
}

/// What judges now, what next, what is proposed, and what is configured and judges nothing.
pub(crate) async fn list(State(site): State<Arc<Site>>) -> Result<Json<KitsNow>, Problem> {
    let settings = Arc::clone(&site.workflow);
    let now = Timestamp::now();
    site.read(move |reader| kits::stands(&settings, reader, now)).await.map(Json)
}

/// The contents that go by an id, or whose hash begins so, with their text.
pub(crate) async fn one(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let wanted = name.clone();
    let found = site.read(move |reader| kits::text_of(reader, &wanted)).await?;
    if found.is_empty() {
        return Err(Problem::not_found(format!("no kit goes by {name} (没有试剂盒规则 {name})")));
    }
    let items: Vec<Value> =
        found.iter().map(|(kit, text)| json!({ "id": kit.id, "hash": kit.hash, "text": text })).collect();
    Ok(Json(json!({ "items": items })))
}

fn answered(step: &Step) -> Result<(StatusCode, Json<Value>), Problem> {
    let status = match step {
        Step::Proposed { .. } => StatusCode::ACCEPTED,
        Step::Activated { .. } | Step::InForce => StatusCode::OK,
        Step::WaitsForAnother { entry } => {
            return Err(Problem::conflict(format!(
                "you proposed it (entry {entry}): another person has to agree (您已提议（记录 {entry}），须由另一人启用)"
            )));
        }
        Step::NotStanding(why) => return Err(Problem::conflict(format!("{} ({})", why.why, why.why_zh))),
        Step::Refused(why) => return Err(Problem::unprocessable(format!("{} ({})", why.why, why.why_zh))),
    };
    Ok((status, Json(json!(step))))
}

/// Proposes kits: those of the configuration, or changes to what is in force.
pub(crate) async fn propose(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Propose { files, kits, leave_out, from, why } = read(&body)?;
    let why = said(&why)?;
    let wanted = Wanted { files, kits, leave_out, from };
    let step = work_of_person(&site, &caller, move |site, who| {
        kits::propose((&site.ledger, &site.workflow.kits), who, &wanted, &why)
    })
    .await?;
    answered(&step)
}

/// Agrees to what another person proposed.
pub(crate) async fn activate(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Activate { proposal } = read(&body)?;
    let step = work_of_person(&site, &caller, move |site, who| {
        kits::activate(&site.ledger, who, Seq::new(proposal))
    })
    .await?;
    answered(&step)
}
