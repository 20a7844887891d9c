//! Analysers and operators: what was written down of their fitness, and writing it down (R-GATE-07, R-GATE-08).

use crate::{
    Site,
    again::{read, work_of_person},
    caller::Caller,
    paging::{Items, Paging},
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use jiff::Timestamp;
use ledger::{FitnessNote, Ledger, Listing, Page, Seq};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::ConnectionId;
use workflow::{
    fitness::{self, Noted, Step},
    people::Actor,
};

type Answer = Result<(StatusCode, Json<Value>), Problem>;

/// `{"reason":"…"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

/// An entry, and how it stands: `waits` for another person, `lapsed` where that was not done in time, `take_back_waits`.
fn shown(note: &FitnessNote) -> Value {
    let now = Timestamp::now().as_millisecond();
    let mut item = json!(note);
    if let Value::Object(fields) = &mut item {
        let waits = note.can_be_confirmed(now);
        fields.insert("waits".to_owned(), json!(waits));
        fields.insert("lapsed".to_owned(), json!(note.waits() && !waits));
        let proposed = note.take_back.as_ref().filter(|_| note.taken_back.is_none());
        fields.insert("take_back_waits".to_owned(), json!(proposed.is_some_and(|one| one.stands(now))));
    }
    item
}

/// One entry, how it stands, and what it changes or would change.
pub(crate) async fn one(
    State(site): State<Arc<Site>>,
    Path(note): Path<u64>,
) -> Result<Json<Value>, Problem> {
    let found = site
        .read(move |reader| {
            let note = reader.fitness_note(Seq::new(note))?;
            note.map(|note| Ok((reader.fitness_reach(&note)?, note))).transpose()
        })
        .await?;
    let Some((reach, note)) = found else {
        return Err(Problem::not_found(format!(
            "entry {note} is none about an analyser or an operator（记录 {note} 与仪器或操作者资格无关）"
        )));
    };
    let mut item = shown(&note);
    if let Value::Object(fields) = &mut item {
        fields.insert("changes".to_owned(), json!(reach));
    }
    Ok(Json(item))
}

fn listed(found: Listing<FitnessNote, Seq>) -> Json<Items<Value>> {
    let Listing { items, next } = found;
    let items = items.iter().map(shown).collect();
    Json(Items::of(Listing { items, next }, |note: Seq| note.to_string()))
}

type Listed = Result<Json<Items<Value>>, Problem>;
type Asked = Result<Query<Paging>, QueryRejection>;

fn page(query: Asked) -> Result<Page<Seq>, Problem> {
    query.map_err(|e| Problem::bad_request(e.body_text()))?.0.page::<Seq>()
}

fn line(id: &str) -> Result<ConnectionId, Problem> {
    id.parse().map_err(Problem::bad_request)
}

/// What is written down of the analysers of a line.
pub(crate) async fn services(State(site): State<Arc<Site>>, Path(id): Path<String>, query: Asked) -> Listed {
    let (id, page) = (line(&id)?, page(query)?);
    Ok(listed(site.read(move |reader| reader.services_listed(&id, &page)).await?))
}

/// What is written down of operators.
pub(crate) async fn operators(State(site): State<Arc<Site>>, query: Asked) -> Listed {
    let page = page(query)?;
    Ok(listed(site.read(move |reader| reader.operators_listed(&page)).await?))
}

/// 201 where it has its effect, 202 where it waits for another person.
async fn noted(
    site: Arc<Site>,
    caller: Caller,
    note: impl FnOnce(&Ledger, &Actor) -> Noted + Send + 'static,
) -> Answer {
    let step = work_of_person(&site, &caller, move |site, who| note(&site.ledger, who)).await?;
    let step = step.map_err(|why| Problem::unprocessable(format!("{}（{}）", why.why, why.why_zh)))?;
    let status = match step {
        Step::Done { .. } => StatusCode::CREATED,
        Step::Waits { .. } => StatusCode::ACCEPTED,
    };
    Ok((status, Json(json!(step))))
}

/// `{"service":"maintenance","from":"…","due":"2026-06-30","report":"…","instrument":"…"}`
pub(crate) async fn serviced(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let (id, done) = (line(&id)?, read::<fitness::Serviced>(&body)?);
    noted(site, caller, move |ledger, who| fitness::serviced(ledger, who, &id, &done)).await
}

/// `{"service":"calibration","from":"…","reason":"…","instrument":"…"}`
pub(crate) async fn unfit(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let (id, given) = (line(&id)?, read::<fitness::Unfit>(&body)?);
    noted(site, caller, move |ledger, who| fitness::unfit(ledger, who, &id, &given)).await
}

/// `{"operator":"lab","assays":["ELISA HBsAg"],"from":"…","until":"2026-12-31","reason":"…"}`
pub(crate) async fn authorise(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let given: fitness::Authorised = read(&body)?;
    noted(site, caller, move |ledger, who| fitness::authorise(ledger, who, &given)).await
}

/// `{"operator":"lab","assays":[],"from":"…","reason":"…"}`
pub(crate) async fn withdraw(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let given: fitness::Withdrawn = read(&body)?;
    noted(site, caller, move |ledger, who| fitness::withdraw(ledger, who, &given)).await
}

/// Another person confirms an entry that reaches back.
pub(crate) async fn confirm(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(note): Path<u64>,
) -> Answer {
    noted(site, caller, move |ledger, who| fitness::confirm(ledger, who, Seq::new(note))).await
}

/// Proposes that an entry be taken back, or agrees to that as another person.
pub(crate) async fn take_back(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(note): Path<u64>,
    body: Bytes,
) -> Answer {
    let Reason { reason } = read(&body)?;
    noted(site, caller, move |ledger, who| fitness::take_back(ledger, who, (Seq::new(note), &reason))).await
}
