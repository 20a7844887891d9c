//! Rule packs: which one judges from when on, and the words of two people that change it.

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
use ledger::{InForce, KeptRules, Page, RulesInForce, RulesProposal};
use release::{PackRef, RulePack, pack::Weaker};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use workflow::rules::{self, Step};

/// Kept packs that are listed.
const KEPT_MAX: usize = 1_000;

/// `{"pack":"cn-2019","from":"2026-12-01T00:00:00+08:00","why":"…"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Activate {
    pack: String,
    from: Option<Timestamp>,
    why: String,
}

/// `{"text":"…"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    text: String,
}

fn time(ms: i64) -> Value {
    // What judges from the beginning of time began with the station.
    if ms == 0 { Value::Null } else { json!(Timestamp::from_millisecond(ms).ok()) }
}

fn proposal(proposed: &RulesProposal) -> Value {
    json!({
        "pack": proposed.pack, "from": proposed.from_ms.map(time), "entry": proposed.entry,
        "at": time(proposed.at_ms), "by": proposed.by, "why": proposed.why,
    })
}

fn in_force(one: &InForce) -> Value {
    json!({
        "pack": one.pack, "from": time(one.from_ms), "entry": one.entry, "at": time(one.at_ms), "by": one.by,
        "proposed": one.proposed.as_ref().map(proposal),
    })
}

/// What a pack asks less for than its jurisdiction's, and the orders of the pack in force that it would drop.
fn weaker(pack: &RulePack, rules: &RulesInForce, packs: &BTreeMap<PackRef, RulePack>) -> Vec<Weaker> {
    let reference = pack.reference();
    let proposed = rules.proposed.as_ref().filter(|proposed| proposed.pack == reference);
    let begins = rules::begins(proposed.and_then(|proposed| proposed.from_ms));
    let in_force = rules.at(begins.as_millisecond()).and_then(|now| packs.get(&now.pack));
    rules::weaker(pack, in_force, begins)
}

/// A pack with what it is: judging now, to judge next, proposed, configured.
fn shown(
    pack: &RulePack,
    rules: &RulesInForce,
    (configured, packs): (&PackRef, &BTreeMap<PackRef, RulePack>),
) -> Value {
    let reference = pack.reference();
    let now = Timestamp::now().as_millisecond();
    let mine = |one: &&InForce| one.pack == reference;
    let s = pack.settings();
    json!({
        "id": reference.id, "hash": reference.hash, "jurisdiction": s.jurisdiction, "title": s.title,
        "edition": s.edition.value, "effective_from": s.effective_from.value.to_string(),
        "effective_to": s.effective_to.as_ref().map(|day| day.value.to_string()), "based_on": s.based_on,
        "to_confirm": pack.unconfirmed().len(), "configured": reference == *configured,
        "weaker": weaker(pack, rules, packs),
        "active": rules.at(now).filter(mine).map(in_force),
        "next": rules.packs.iter().filter(mine).find(|one| one.from_ms > now).map(in_force),
        "proposed": rules.proposed.as_ref().filter(|p| p.pack == reference).map(proposal),
    })
}

fn with(mut value: Value, name: &str, what: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.insert(name.to_owned(), what);
    }
    value
}

/// Built-in packs and kept ones, each once.
fn packs(kept: &[KeptRules]) -> BTreeMap<PackRef, RulePack> {
    let built_in = RulePack::built_in_ids().into_iter().filter_map(|id| RulePack::built_in(id).ok());
    let kept = kept.iter().filter_map(|kept| RulePack::from_source(&kept.content).ok());
    built_in.chain(kept).map(|pack| (pack.reference(), pack)).collect()
}

/// Every pack that is built in or kept, what judges now, what judges next, and what waits for another person.
pub(crate) async fn list(State(site): State<Arc<Site>>) -> Result<Json<Value>, Problem> {
    let (kept, rules) =
        site.read(|reader| Ok((reader.kept_packs(&Page::first(KEPT_MAX))?.items, reader.rules()?))).await?;
    let configured = site.workflow.pack.reference();
    let now = Timestamp::now().as_millisecond();
    let packs = packs(&kept);
    let items: Vec<Value> = packs.values().map(|pack| shown(pack, &rules, (&configured, &packs))).collect();
    // Whoever agrees sees what it asks less for.
    let proposed = rules.proposed.as_ref().map(|proposed| {
        let weaker = packs.get(&proposed.pack).map(|pack| weaker(pack, &rules, &packs));
        with(proposal(proposed), "weaker", json!(weaker))
    });
    Ok(Json(json!({
        "items": items, "configured": configured, "active": rules.at(now).map(in_force),
        "next": rules.after(now).map(in_force), "proposed": proposed,
        "history": rules.packs.iter().map(in_force).collect::<Vec<_>>(),
    })))
}

/// One pack, by its id or by how its hash begins, with everything it says.
pub(crate) async fn one(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (kept, rules) =
        site.read(|reader| Ok((reader.kept_packs(&Page::first(KEPT_MAX))?.items, reader.rules()?))).await?;
    let configured = site.workflow.pack.reference();
    let packs = packs(&kept);
    let found = packs.iter().filter(|(pack, _)| pack.goes_by(&name)).map(|(_, pack)| pack);
    let items: Vec<Value> = found
        .map(|pack| with(shown(pack, &rules, (&configured, &packs)), "settings", json!(pack.settings())))
        .collect();
    match items.len() {
        0 => Err(Problem::not_found(format!("no rule pack goes by {name} (没有规则包 {name})"))),
        _ => Ok(Json(json!({ "items": items }))),
    }
}

/// Keeps a pack whose proof holds in the ledger, so that it can be activated.
pub(crate) async fn add(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Add { text } = read(&body)?;
    let added = work_of_person(&site, &caller, move |site, who| rules::add(&site.ledger, who, &text)).await?;
    let added = added.map_err(|why| Problem::unprocessable(format!("{} ({})", why.why, why.why_zh)))?;
    Ok((StatusCode::CREATED, Json(json!(added))))
}

/// Proposes a pack, or agrees to the one that another person proposed.
pub(crate) async fn activate(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Activate { pack, from, why } = read(&body)?;
    let why = said(&why)?;
    let step = work_of_person(&site, &caller, move |site, who| {
        rules::activate(&site.ledger, who, (&pack, from), &why)
    })
    .await?;
    let status = match &step {
        Step::Proposed { .. } => StatusCode::ACCEPTED,
        Step::Activated { .. } | Step::InForce { .. } => StatusCode::OK,
        Step::WaitsForAnother { pack, .. } => {
            return Err(Problem::conflict(format!(
                "you proposed {}: another person has to agree (您已提议该规则包,须由另一人启用)",
                pack.id
            )));
        }
        Step::Refused(why) => return Err(Problem::unprocessable(format!("{} ({})", why.why, why.why_zh))),
    };
    Ok((status, Json(json!(step))))
}
