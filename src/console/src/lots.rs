//! Lots that were found defective over HTTP (rules.md §2.5).

use crate::{
    Site,
    caller::{Caller, refused as person_refused},
    commands::{Answer, Work, command, written},
    people::read,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
};
use ledger::LotDefect;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use workflow::batches::Agreed;
use workflow::lots::{self, Defective, Refused};

fn refused(why: &Refused) -> Problem {
    let detail = format!("{} ({})", why.english(), why.chinese());
    match why {
        Refused::Person(why) => person_refused(why),
        Refused::NoSuchLot(_) => Problem::not_found(detail),
        Refused::SecondPerson { .. } => Problem::forbidden(detail),
        Refused::Already { .. } | Refused::NotDefective(_) | Refused::Lapsed(_) => Problem::conflict(detail),
        Refused::Day { .. } | Refused::Text { .. } => Problem::unprocessable(detail),
        Refused::Broken(_) => Problem::unavailable(detail),
    }
}

fn shown(defect: &LotDefect) -> Value {
    let LotDefect { lot, since_ms, connections, done, reason, confirmed, reinstatement } = defect;
    let since = jiff::Timestamp::from_millisecond(*since_ms).ok().map(|at| at.to_string());
    json!({
        "lot": lot, "since": since, "connections": connections, "declared": done, "reason": reason,
        "confirmed": confirmed, "reinstatement": reinstatement,
    })
}

/// Lots that stand as defective.
pub(crate) async fn list(State(site): State<Arc<Site>>) -> Answer {
    let found = site.read(ledger::Reader::lot_defects).await?;
    Ok(Json(json!({ "items": found.iter().map(shown).collect::<Vec<_>>() })))
}

/// A lot is defective: whatever was tested with it since then has no result, at once.
pub(crate) async fn defective(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(lot): Path<String>,
    body: Bytes,
) -> Answer {
    let said: Defective = read(&body)?;
    let work = move |with: &Work| lots::defective(&with.settings, &with.ledger, &with.actor, (&lot, &said));
    Ok(written(command(&site, &caller, refused, work).await?))
}

/// A second person stands for it.
pub(crate) async fn confirm(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(lot): Path<String>,
) -> Answer {
    let work = move |with: &Work| lots::confirm(&with.ledger, &with.actor, &lot);
    Ok(written(command(&site, &caller, refused, work).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// One of the two names under a lot whose results are to count again.
pub(crate) async fn reinstate(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(lot): Path<String>,
    body: Bytes,
) -> Result<Json<Agreed>, Problem> {
    let Why { reason } = read(&body)?;
    let work = move |with: &Work| lots::reinstate(&with.ledger, &with.actor, &lot, &reason);
    Ok(Json(command(&site, &caller, refused, work).await?))
}
