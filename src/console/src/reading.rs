//! Reading: lists in pages, and single things whole.

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
    http::header,
    response::IntoResponse,
};
use ledger::{DeliveryFilter, DonorData, MessageFilter, MessageView, Seq};
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::{DonationId, RunId};

type Asked = Result<Query<Paging>, QueryRejection>;
type Answer<T> = Result<Json<T>, Problem>;

fn asked(query: Asked) -> Result<Paging, Problem> {
    query.map(|Query(paging)| paging).map_err(|e| Problem::bad_request(e.body_text()))
}

pub(crate) async fn messages(State(site): State<Arc<Site>>, query: Asked) -> Answer<Items<MessageView>> {
    list_messages(&site, asked(query)?).await
}

async fn list_messages(site: &Site, paging: Paging) -> Answer<Items<MessageView>> {
    let connection = Paging::id("connection", paging.connection.as_ref())?;
    let filter = MessageFilter { connection, ..MessageFilter::default() };
    let page = paging.page::<Seq>()?;
    let found = site.read(move |reader| reader.messages(&filter, &page)).await?;
    Ok(Json(Items::of(found, |seq| seq.to_string())))
}

fn no_message(seq: u64) -> Problem {
    Problem::not_found(format!("there is no message {seq}"))
}

/// A message's whole story: what came, what it was taken to mean, what it holds up, which donations it speaks of; and
/// every interpretation of it, with the verdicts before and after where it was read again.
pub(crate) async fn message(State(site): State<Arc<Site>>, Path(seq): Path<u64>) -> Answer<Value> {
    let found = site
        .read(move |reader| {
            let Some(message) = reader.message(Seq::new(seq))? else { return Ok(None) };
            let meaning = reader.observations_of(message.seq)?;
            let interpretations = reader.interpretations_of(message.seq)?;
            let changed = workflow::reprocess::changed_verdicts(reader, &message, &interpretations)?;
            Ok(Some(json!({
                "message": message, "meaning": meaning, "interpretations": interpretations,
                "changed_verdicts": changed,
            })))
        })
        .await?;
    found.map(Json).ok_or_else(|| no_message(seq))
}

/// What a message was taken to mean before it was read again.
pub(crate) async fn past_interpretation(
    State(site): State<Arc<Site>>,
    Path((seq, entry)): Path<(u64, u64)>,
) -> Answer<ledger::Interpretation> {
    let found = site.read(move |reader| reader.past_interpretation(Seq::new(seq), Seq::new(entry))).await?;
    found.map(Json).ok_or_else(|| {
        Problem::not_found(format!(
            "message {seq} has no earlier interpretation that begins with entry {entry}"
        ))
    })
}

/// A message's bytes exactly as they came. Who reads them is written down.
pub(crate) async fn raw(
    State(site): State<Arc<Site>>,
    Extension(consulted): Extension<Arc<Consulted>>,
    Extension(caller): Extension<Caller>,
    Path(seq): Path<u64>,
) -> Result<impl IntoResponse, Problem> {
    let found = site
        .read(move |reader| match reader.message(Seq::new(seq))? {
            Some(message) => reader.raw(message.seq).map(Some),
            None => Ok(None),
        })
        .await?;
    let bytes = found.ok_or_else(|| no_message(seq))?;
    consulted.write(&site, &caller, DonorData::RawMessage { message: Seq::new(seq) }).await?;
    let name = format!("attachment; filename=\"message-{seq}.bin\"");
    Ok((
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, name)],
        bytes,
    ))
}

pub(crate) async fn half_transfers(
    State(site): State<Arc<Site>>,
    query: Asked,
) -> Answer<Items<ledger::TransferView>> {
    let page = asked(query)?.page::<(Seq, u64)>()?;
    let found = site.read(move |reader| reader.half_transfers(&page)).await?;
    Ok(Json(Items::of(found, |(seq, number)| format!("{seq}-{number}"))))
}

/// Observations, message by message, or those of one donation or one message.
pub(crate) async fn observations(State(site): State<Arc<Site>>, query: Asked) -> Answer<Items<Value>> {
    let paging = asked(query)?;
    if let Some(donation) = Paging::id::<DonationId>("donation", paging.donation.as_ref())? {
        let wanted = donation.clone();
        let found = site.read(move |reader| reader.donation(&wanted)).await?;
        let view = found.ok_or_else(|| no_donation(&donation))?;
        return Ok(Json(Items::all(view.observations.iter().map(|o| json!(o)).collect())));
    }
    let one = paging.message.map(Seq::new);
    let connection = Paging::id("connection", paging.connection.as_ref())?;
    let filter = MessageFilter { connection, ..MessageFilter::default() };
    let page = paging.page::<Seq>()?;
    let found = site
        .read(move |reader| {
            let (seqs, next) = if let Some(seq) = one {
                (vec![seq], None)
            } else {
                let list = reader.messages(&filter, &page)?;
                (list.items.iter().map(|m| m.seq).collect(), list.next)
            };
            let mut items = Vec::new();
            for seq in seqs {
                items.extend(reader.observations_of(seq)?.into_iter().flat_map(|meaning| told(seq, meaning)));
            }
            Ok(Items { items, next: next.map(|seq| seq.to_string()) })
        })
        .await?;
    Ok(Json(found))
}

/// A message's results, each with the donation it is evidence for and what it is to an earlier one: `repeat_of`, `corrects`,
/// `differs_from`, `outdated_by`.
fn told(message: Seq, meaning: ledger::Interpretation) -> impl Iterator<Item = Value> {
    let ledger::Interpretation { observations, donations, measured, .. } = meaning;
    (0u32..).zip(observations).map(move |(place, observation)| {
        let donation = donations.iter().find(|(at, _)| *at == place).map(|(_, donation)| donation);
        let mut item =
            json!({ "message": message, "place": place, "donation": donation, "observation": observation });
        let earlier = measured.iter().find(|m| m.index == place).and_then(|m| m.earlier);
        if let (Some(earlier), Value::Object(fields)) = (earlier, &mut item) {
            fields.insert(earlier.name().to_owned(), json!(earlier.of()));
        }
        item
    })
}

fn no_donation(id: &DonationId) -> Problem {
    Problem::not_found(format!(
        "nothing is known of donation {id}: it is not registered and no result names it"
    ))
}

pub(crate) async fn donations(
    State(site): State<Arc<Site>>,
    query: Asked,
) -> Answer<Items<ledger::DonationSummary>> {
    let page = asked(query)?.page::<DonationId>()?;
    let found = site.read(move |reader| reader.donations(&page)).await?;
    Ok(Json(Items::of(found, |id| id.to_string())))
}

/// A donation whole: registration, results, evidence, verdict with its reasons, history, deliveries.
pub(crate) async fn donation(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer<Value> {
    // In whatever form it was scanned or keyed in; what has none is looked for as it stands.
    let id = match site.workflow.specimens.entered(&id) {
        Ok(id) => id,
        Err(_) => DonationId::new(&id).map_err(Problem::bad_request)?,
    };
    let wanted = id.clone();
    let settings = Arc::clone(&site.workflow);
    let found = site
        .read(move |reader| {
            let Some(view) = reader.donation(&wanted)? else { return Ok(None) };
            let facts = workflow::facts_of(&settings, reader, &wanted)?;
            let other = workflow::rules::settings_for(&settings, reader, &facts);
            let other =
                other.map_err(|why| tracing::error!(%why, "the evidence is shown by the configured pack"));
            let other = other.ok().flatten();
            let judging = other.as_deref().unwrap_or(&settings);
            let evidence = workflow::evidence(&facts, judging);
            let verdict = match &view.summary.verdict {
                Some(standing) => {
                    serde_json::from_str(reader.verdict(standing.seq)?.json()).unwrap_or(Value::Null)
                }
                None => Value::Null,
            };
            let deliveries = reader.deliveries_of(&wanted)?;
            let for_donor = workflow::tasks::for_donor_of(reader, &wanted)?;
            Ok(Some(json!({
                "donation": wanted, "summary": view.summary, "registration": view.registration,
                "observations": view.observations, "findings": view.findings, "evidence": evidence,
                "components": crate::components::shown(&facts.components),
                "pools": facts.pools.iter().map(|pool| &pool.pool).collect::<Vec<_>>(),
                "determinations": workflow::donors::groups(&facts, &settings), "by_people": facts.people,
                "typed_numbers": workflow::donors::typed_numbers(&facts),
                "duplicates": workflow::donors::duplicates(&facts, judging),
                "disputed_results": workflow::donors::disputed(&facts, judging), "donor_tasks": for_donor,
                "registered_twice": workflow::donors::registered_twice(view.registration.as_ref()),
                "verdict": verdict, "history": view.verdicts, "deliveries": deliveries,
            })))
        })
        .await?;
    found.map(Json).ok_or_else(|| no_donation(&id))
}

/// Runs by name, in pages.
pub(crate) async fn runs(State(site): State<Arc<Site>>, query: Asked) -> Answer<Items<ledger::RunSummary>> {
    let page = asked(query)?.page::<RunId>()?;
    let found = site.read(move |reader| reader.runs(&page)).await?;
    Ok(Json(Items::of(found, |id| id.to_string())))
}

/// A run as it is now: what its controls come to by kit or profile, and what depends on it.
pub(crate) async fn run(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Answer<workflow::runs::RunNow> {
    let id = RunId::new(&id).map_err(Problem::bad_request)?;
    let settings = Arc::clone(&site.workflow);
    Ok(Json(site.read(move |reader| workflow::runs::run_now(&settings, reader, &id)).await?))
}

/// The verdict that stands for each donation.
pub(crate) async fn verdicts(State(site): State<Arc<Site>>, query: Asked) -> Answer<Items<Value>> {
    let page = asked(query)?.page::<DonationId>()?;
    let found = site
        .read(move |reader| {
            let list = reader.donations(&page)?;
            let mut items = Vec::new();
            for standing in list.items.iter().filter_map(|d| d.verdict.as_ref()) {
                let made = reader.verdict(standing.seq)?;
                items.push(serde_json::from_str(made.json()).unwrap_or(Value::Null));
            }
            Ok(Items { items, next: list.next.map(|id| id.to_string()) })
        })
        .await?;
    Ok(Json(found))
}

pub(crate) async fn deliveries(State(site): State<Arc<Site>>, query: Asked) -> Answer<Items<Value>> {
    let paging = asked(query)?;
    let filter = DeliveryFilter {
        destination: Paging::id("destination", paging.destination.as_ref())?,
        state: paging.state,
        donation: Paging::id("donation", paging.donation.as_ref())?,
    };
    let page = paging.page()?;
    let found = site.read(move |reader| reader.deliveries(&filter, &page)).await?;
    Ok(Json(named(Items::of(found, |id| id.to_string()))))
}

pub(crate) async fn dead_letters(State(site): State<Arc<Site>>, query: Asked) -> Answer<Items<Value>> {
    let page = asked(query)?.page()?;
    let found = site.read(move |reader| reader.dead_letters(&page)).await?;
    Ok(Json(named(Items::of(found, |id| id.to_string()))))
}

/// Gives each delivery the name that `requeue` takes.
fn named(found: Items<ledger::DeliveryView>) -> Items<Value> {
    let name = |delivery: ledger::DeliveryView| {
        let mut value = json!(delivery);
        if let Value::Object(fields) = &mut value {
            fields.insert("name".to_owned(), json!(delivery.id.to_string()));
        }
        value
    };
    Items { items: found.items.into_iter().map(name).collect(), next: found.next }
}

/// Entries of the journal, who, from where, when, what.
pub(crate) async fn audit(State(site): State<Arc<Site>>, query: Asked) -> Answer<Items<Value>> {
    let page = asked(query)?.page::<Seq>()?;
    let found = site
        .read(move |reader| {
            let first = page.after.unwrap_or(Seq::NONE).next();
            let mut items = Vec::new();
            let mut last = None;
            for entry in reader.entries(first).take(page.limit.min(1000)) {
                let entry = entry?.entry;
                last = Some(entry.seq);
                items.push(json!({
                    "seq": entry.seq, "at_ms": entry.at_ms, "by": entry.by, "terminal": entry.terminal,
                    "what": entry.what.name(),
                }));
            }
            Ok(Items { next: last.map(|seq| seq.to_string()), items })
        })
        .await?;
    Ok(Json(found))
}
