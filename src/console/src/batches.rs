//! Batches over HTTP: put together, looked at, reviewed, released, held, discarded; and recalls.
//!
//! The `ETag` of a batch is the hash of all that it shows. A signature names it in `If-Match` and gives the password
//! again: it signs what was seen, or nothing.

use crate::{
    Site,
    caller::{Caller, refused as person_refused},
    commands::{self, Answer, Work, version, with_version, written},
    paging::{Items, Paging},
    people::read,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use jiff::Timestamp;
use ledger::{Entry, HoldKind, Listing, ReadError, Reader, RecallView, Seq, What};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::RunId;
use workflow::batches::{self, BatchNow, MemberNow, NewBatch, Refused, ReleaseAsked};
use workflow::people::Actor;

fn refused(why: &Refused) -> Problem {
    let detail = format!("{} ({})", why.english(), why.chinese());
    match why {
        Refused::Person(why) => person_refused(why),
        Refused::NoSuchBatch(_)
        | Refused::NoSuchRecall(_)
        | Refused::NoSuchRun(_)
        | Refused::NoSuchDonation(_) => Problem::not_found(detail),
        Refused::Changed { .. } => Problem::precondition(detail),
        Refused::SamePerson { .. } | Refused::SecondPerson { .. } => Problem::forbidden(detail),
        Refused::InBatch { .. }
        | Refused::NothingToSign
        | Refused::NothingToRelease { .. }
        | Refused::NotLocated { .. }
        | Refused::NotHeld(_)
        | Refused::NotTold { .. }
        | Refused::NotKept { .. }
        | Refused::Passes(_)
        | Refused::HeldOften(_)
        | Refused::RepeatNamed { .. }
        | Refused::InvalidAlready { .. }
        | Refused::NotInvalid(_)
        | Refused::Lapsed(_) => Problem::conflict(detail),
        Refused::Empty
        | Refused::NoCause(_)
        | Refused::RepeatedInItself(_)
        | Refused::TooMany { .. }
        | Refused::From
        | Refused::Number { .. }
        | Refused::NotInBatch(_)
        | Refused::Gate { .. }
        | Refused::Disputed(_)
        | Refused::RegisteredTwice(_)
        | Refused::Count { .. }
        | Refused::Text { .. } => Problem::unprocessable(detail),
        Refused::Broken(_) => Problem::unavailable(detail),
    }
}

async fn command<T: Send + 'static>(
    site: &Site,
    caller: &Caller,
    work: impl FnOnce(&Work) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Problem> {
    commands::command(site, caller, refused, work).await
}

fn time(ms: i64) -> Option<String> {
    Timestamp::from_millisecond(ms).ok().map(|at| at.to_string())
}

/// Batches, in pages.
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    query: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Items<ledger::BatchView>>, Problem> {
    let Query(paging) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let page = paging.page::<Seq>()?;
    let found = site.read(move |reader| reader.batches(&page)).await?;
    Ok(Json(Items::of(found, |seq| seq.to_string())))
}

/// Puts a batch together.
pub(crate) async fn open(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let new: NewBatch = read(&body)?;
    let work = move |with: &Work| batches::open(&with.settings, &with.ledger, &with.actor, &new);
    let batch = command(&site, &caller, work).await?;
    Ok((StatusCode::CREATED, Json(json!({ "batch": batch }))))
}

fn shown(member: &MemberNow) -> Value {
    let gates: Vec<Value> = member
        .verdict
        .gates()
        .iter()
        .filter(|gate| !gate.is_satisfied())
        .map(|gate| json!({ "id": gate.id, "why": gate.why, "why_zh": gate.why_zh, "by_signature": gate.id.needs_person() }))
        .collect();
    json!({
        "donation": member.donation, "stage": member.stage, "unit": member.verdict.unit(),
        "rule_pack": member.verdict.rule_pack(), "complete": member.verdict.is_complete(), "releasable": member.verdict.is_releasable(),
        "kept_by": gates, "next": member.verdict.next(), "next_zh": member.verdict.next_zh(),
        "by_people": member.people, "basis": member.basis,
        "components": crate::components::shown(member.components()),
    })
}

fn told(entry: &Entry) -> Value {
    let detail = if let What::Signed(act) = &entry.what { json!(act) } else { Value::Null };
    json!({ "seq": entry.seq, "at": time(entry.at_ms), "by": entry.by, "what": entry.what.name(), "detail": detail })
}

/// A batch as it is now, with what keeps each donation; its `ETag` is what a signature signs.
pub(crate) async fn one(State(site): State<Arc<Site>>, Path(id): Path<u64>) -> Result<Response, Problem> {
    let (settings, reader) = (Arc::clone(&site.workflow), site.ledger.state());
    let work = move || -> Result<(BatchNow, Vec<Entry>), Refused> {
        let now = BatchNow::read(&settings, &reader, Seq::new(id))?;
        Ok((now, reader.batch_history(Seq::new(id))?))
    };
    let outcome = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))?;
    let (now, history) = outcome.map_err(|why| refused(&why))?;
    let rule_pack = now.members.last().map(|member| member.verdict.rule_pack());
    let value = json!({
        "batch": now.batch, "seen": now.ticket(), "rule_pack": rule_pack, "stages": now.stages(),
        "failing": now.count, "donations": now.members.iter().map(shown).collect::<Vec<_>>(),
        "history": history.iter().map(told).collect::<Vec<_>>(),
    });
    Ok(with_version(now.ticket(), value))
}

/// What was seen.
fn seen(headers: &HeaderMap) -> Result<String, Problem> {
    version(headers).filter(|seen| !seen.is_empty()).map(str::to_owned).ok_or_else(|| {
        Problem::precondition_required(
            "a signature is bound to what was seen: send If-Match with the ETag of the batch (签名须携带所见内容的 ETag)",
        )
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    password: String,
    #[serde(default)]
    comment: String,
}

/// Signs the review.
pub(crate) async fn review(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (Review { password, comment }, seen) = (read(&body)?, seen(&headers)?);
    let work = move |with: &Work| {
        let signature = with.signs(&password)?;
        batches::review(&with.settings, &with.ledger, signature, (Seq::new(id), &seen), &comment)
    };
    Ok(Json(json!({ "reviewed": command(&site, &caller, work).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    password: String,
    #[serde(default)]
    asked: ReleaseAsked,
}

/// Signs the release of what every gate lets go.
pub(crate) async fn release(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (Release { password, asked }, seen) = (read(&body)?, seen(&headers)?);
    let work = move |with: &Work| {
        let signature = with.signs(&password)?;
        batches::release(&with.settings, &with.ledger, signature, (Seq::new(id), &seen), &asked)
    };
    Ok(Json(json!(command(&site, &caller, work).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    donations: Vec<String>,
    reason: String,
    #[serde(default)]
    kind: HoldKind,
}

/// Holds donations of a batch.
pub(crate) async fn hold(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    body: Bytes,
) -> Answer {
    let Hold { donations, reason, kind } = read(&body)?;
    let work = move |with: &Work| {
        let which = (Some(Seq::new(id)), donations.as_slice());
        batches::hold(&with.settings, &with.ledger, &with.actor, which, (kind, &reason))
    };
    Ok(written(command(&site, &caller, work).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lift {
    donations: Vec<String>,
    reason: String,
}

/// Lifts holds of donations of a batch.
pub(crate) async fn lift(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    body: Bytes,
) -> Answer {
    let Lift { donations, reason } = read(&body)?;
    let work = move |with: &Work| {
        let which = (Some(Seq::new(id)), donations.as_slice());
        batches::lift(&with.settings, &with.ledger, &with.actor, which, &reason)
    };
    Ok(written(command(&site, &caller, work).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldOne {
    reason: String,
    #[serde(default)]
    kind: HoldKind,
}

/// Holds one donation, wherever it is.
pub(crate) async fn hold_one(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let HoldOne { reason, kind } = read(&body)?;
    let work = move |with: &Work| {
        batches::hold(&with.settings, &with.ledger, &with.actor, (None, &[id]), (kind, &reason))
    };
    Ok(written(command(&site, &caller, work).await?))
}

/// Lifts the holds of one donation.
pub(crate) async fn lift_one(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Why { reason } = read(&body)?;
    let work =
        move |with: &Work| batches::lift(&with.settings, &with.ledger, &with.actor, (None, &[id]), &reason);
    Ok(written(command(&site, &caller, work).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Discard {
    donations: Vec<String>,
    counted: u32,
    reason: String,
    /// Among them are donations that pass, and that is meant.
    #[serde(default)]
    passing: bool,
}

/// Takes units of a batch out, counted by hand.
pub(crate) async fn discard(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    body: Bytes,
) -> Answer {
    let Discard { donations, counted, reason, passing } = read(&body)?;
    let work = move |with: &Work| {
        let which = (Seq::new(id), donations.as_slice());
        let counted = batches::Counted { counted, reason: &reason, passing };
        batches::discard(&with.settings, &with.ledger, &with.actor, which, counted)
    };
    Ok(written(command(&site, &caller, work).await?))
}

/// Declares a run invalid after the fact.
pub(crate) async fn invalidate_run(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let invalid: batches::Invalid = read(&body)?;
    let run = RunId::new(&id).map_err(Problem::bad_request)?;
    let work = move |with: &Work| {
        batches::invalidate_run(&with.settings, &with.ledger, &with.actor, (&run, &invalid))
    };
    Ok(written(command(&site, &caller, work).await?))
}

/// A second person stands for a run's invalidation.
pub(crate) async fn confirm_run(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    let run = RunId::new(&id).map_err(Problem::bad_request)?;
    let work = move |with: &Work| batches::confirm_run(&with.ledger, &with.actor, &run);
    Ok(written(command(&site, &caller, work).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    repeated_in: RunId,
}

/// Names the run in which an invalid run's samples are tested again.
pub(crate) async fn name_repeat(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Repeat { repeated_in } = read(&body)?;
    let run = RunId::new(&id).map_err(Problem::bad_request)?;
    let work = move |with: &Work| batches::name_repeat(&with.ledger, &with.actor, (&run, &repeated_in));
    Ok(written(command(&site, &caller, work).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// One of the two names under a run that is to be valid again.
pub(crate) async fn reinstate_run(
    site: State<Arc<Site>>,
    caller: Extension<Caller>,
    id: Path<String>,
    body: Bytes,
) -> Result<Json<batches::Agreed>, Problem> {
    agreed((site, caller), id, &body, batches::reinstate_run).await
}

/// One of the two names under a run that is to be judged by the kits of now.
pub(crate) async fn judge_run_anew(
    site: State<Arc<Site>>,
    caller: Extension<Caller>,
    id: Path<String>,
    body: Bytes,
) -> Result<Json<batches::Agreed>, Problem> {
    agreed((site, caller), id, &body, batches::judge_run_anew).await
}

/// What two people have to agree on for a run, with why.
type AgreeOn = fn(&ledger::Ledger, &Actor, &RunId, &str) -> Result<batches::Agreed, batches::Refused>;

async fn agreed(
    (State(site), Extension(caller)): (State<Arc<Site>>, Extension<Caller>),
    Path(id): Path<String>,
    body: &Bytes,
    on: AgreeOn,
) -> Result<Json<batches::Agreed>, Problem> {
    let Why { reason } = read(body)?;
    let run = RunId::new(&id).map_err(Problem::bad_request)?;
    let work = move |with: &Work| on(&with.ledger, &with.actor, &run, &reason);
    Ok(Json(command(&site, &caller, work).await?))
}

/// Recalls that are open, in pages.
pub(crate) async fn recalls(
    State(site): State<Arc<Site>>,
    query: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Items<Value>>, Problem> {
    let Query(paging) = query.map_err(|e| Problem::bad_request(e.body_text()))?;
    let page = paging.page::<Seq>()?;
    let found = site
        .read(move |reader| {
            let Listing { items, next } = reader.recalls(true, &page)?;
            let items = items.iter().map(|recall| to_find(reader, recall)).collect::<Result<_, _>>()?;
            Ok(Listing { items, next })
        })
        .await?;
    Ok(Json(Items::of(found, |seq: Seq| seq.to_string())))
}

/// A recall with what is to be found: the components that are known now, and to whom each was given.
fn to_find(reader: &Reader, recall: &RecallView) -> Result<Value, ReadError> {
    let mut told = json!(recall);
    let found = workflow::components::to_find(reader, &recall.about.donation, jiff::Timestamp::now())?;
    if let Value::Object(fields) = &mut told {
        fields.insert("components".to_owned(), json!(found));
    }
    Ok(told)
}

/// One recall.
pub(crate) async fn recall(
    State(site): State<Arc<Site>>,
    Path(id): Path<u64>,
) -> Result<Json<Value>, Problem> {
    let found = site
        .read(move |reader| reader.recall(Seq::new(id))?.map(|one| to_find(reader, &one)).transpose())
        .await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no recall {id} (没有召回 {id})")))
}

/// Closes a recall.
pub(crate) async fn close_recall(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    body: Bytes,
) -> Answer {
    let closing: batches::Closing = read(&body)?;
    let work = move |with: &Work| batches::close_recall(&with.ledger, &with.actor, Seq::new(id), &closing);
    Ok(written(command(&site, &caller, work).await?))
}
