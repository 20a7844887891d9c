//! Components of donations over HTTP: registered, moved, looked at (R-GATE-12).

use crate::{
    Site,
    caller::{Caller, refused as person_refused},
    commands::Answer,
    people::read,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use ledger::{Components, Ledger, Lookback, Reader};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::DonationId;
use workflow::{
    Settings,
    components::{self, Moved, Refused, Step, Teller},
};

fn refused(why: &Refused) -> Problem {
    let detail = format!("{} ({})", why.english(), why.chinese());
    match why {
        Refused::Person(why) => person_refused(why),
        Refused::NeedsPerson => Problem::forbidden(detail),
        Refused::NoSuchDonation(_) | Refused::NoSuchComponent(_) => Problem::not_found(detail),
        Refused::OutAlready { .. }
        | Refused::Gone(_)
        | Refused::LookedUp { .. }
        | Refused::Expired { .. }
        | Refused::BeforeMade { .. }
        | Refused::BeforeRelease { .. }
        | Refused::NotReleased { .. }
        | Refused::Overtaken { .. } => Problem::conflict(detail),
        Refused::Number { .. }
        | Refused::Empty
        | Refused::TooMany
        | Refused::Text { .. }
        | Refused::OnlyOfIssue
        | Refused::Expiry { .. }
        | Refused::ToCome
        | Refused::BeforeCollection { .. } => Problem::unprocessable(detail),
        Refused::Broken(_) => Problem::unavailable(detail),
    }
}

/// 201 where something was written, 200 where it was known.
async fn told(
    site: &Site,
    caller: &Caller,
    tell: impl FnOnce(&Settings, &Ledger, Teller<'_>) -> Result<Step, Refused> + Send + 'static,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (settings, ledger, caller) = (Arc::clone(&site.workflow), site.ledger.clone(), caller.clone());
    let work = move || match &caller {
        Caller::Machine(by) => tell(&settings, &ledger, Teller::Machine(by)),
        Caller::Person(actor) => tell(&settings, &ledger, Teller::Person(actor)),
    };
    let step = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))?;
    let step = step.map_err(|why| refused(&why))?;
    let status = match step {
        Step::Done { .. } => StatusCode::CREATED,
        Step::Known => StatusCode::OK,
    };
    Ok((status, Json(json!(step))))
}

/// Components as they are shown: each with where it is.
pub(crate) fn shown(components: &Components) -> Vec<Value> {
    let one = |(component, stands): (&String, &ledger::ComponentStands)| {
        json!({
            "component": component, "place": stands.place(), "made": stands.made, "kept": stands.kept,
            "issued": stands.issued, "written_off": stands.written_off,
            "expires": stands.expires.as_ref().map(|expires| &expires.label),
        })
    };
    components.iter().map(one).collect()
}

/// What was made of a donation, and where each is; and the look-backs that keep what is here.
pub(crate) async fn list(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    let donation = match site.workflow.specimens.entered(&id) {
        Ok(donation) => donation,
        Err(_) => DonationId::new(&id).map_err(Problem::bad_request)?,
    };
    let wanted = donation.clone();
    let read = |reader: &Reader, of: &DonationId| Ok((reader.components(of)?, reader.lookbacks_at(of)?));
    let (found, mut lookbacks) = site.read(move |reader| read(reader, &wanted)).await?;
    lookbacks.retain(Lookback::bars);
    let components = shown(&found);
    Ok(Json(json!({ "donation": donation, "components": components, "lookbacks": lookbacks })))
}

/// `{"components":["=<E0791V00","=<E4532V00"],"expires":"=>026097"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    components: Vec<String>,
    #[serde(default)]
    expires: Option<String>,
}

/// Registers components that were made of a donation.
pub(crate) async fn register(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Made { components, expires } = read(&body)?;
    told(&site, &caller, move |settings, ledger, by| {
        components::register(settings, ledger, by, (&id, &components), expires.as_deref())
    })
    .await
}

/// `{"component":"=<E0791V00","to":"issued","consignee":"…","at":"…"}`
pub(crate) async fn moved(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let given: Moved = read(&body)?;
    told(&site, &caller, move |settings, ledger, by| components::moved(settings, ledger, by, (&id, &given)))
        .await
}
