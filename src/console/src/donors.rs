//! Donors over HTTP: the deferral register, what is known from elsewhere, re-entry, neighbours; and tasks.

use crate::{
    Site,
    caller::{Caller, refused as person_refused},
    commands::{self, Answer, Work, written},
    paging::{Items, Paging},
    people::read,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use ledger::{LookbackId, LookbackStep, Seq};
use release::evidence::{Confirmatory, EarlierDonation, GroupingSample, ReentryTest};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use vocabulary::DonationId;
use workflow::{
    donors::{
        self, Approval, Closing, Deferral, Examination, ExaminationRefused, LookbackRefused, RecordRefused,
        Refused, RegistrationRefused,
    },
    tasks::{self, TaskKind},
};

fn refused(why: &Refused) -> Problem {
    let detail = format!("{} ({})", why.english(), why.chinese());
    match why {
        Refused::Person(why) => person_refused(why),
        Refused::NoSuchDonation(_)
        | Refused::Lookback(LookbackRefused::NoSuch)
        | Refused::NoSuchTask { .. } => Problem::not_found(detail),
        Refused::ForGood
        | Refused::Lapsed
        | Refused::OwnExamination
        | Refused::BeyondReentry { .. }
        | Refused::Examination(ExaminationRefused::Found { .. })
        | Refused::Record(RecordRefused::TakenBack { .. })
        | Refused::NotDeferred
        | Refused::WhichDeferral { .. }
        | Refused::Lookback(
            LookbackRefused::NotQuarantined { .. }
            | LookbackRefused::NotTold { .. }
            | LookbackRefused::Cleared
            | LookbackRefused::NotFound,
        )
        | Refused::Examined
        | Refused::NotExamined
        | Refused::TestKnown { .. }
        | Refused::Reentry { .. }
        | Refused::SaidAlready
        | Refused::NotOfSegment
        | Refused::NoHistory
        | Refused::NothingTyped(_)
        | Refused::NoOtherLot { .. }
        | Refused::OtherResults { .. }
        | Refused::OtherColumns { .. }
        | Refused::NothingDisputed(_)
        | Refused::OtherVersions { .. }
        | Refused::Registration(
            RegistrationRefused::Once(_) | RegistrationRefused::Often(_) | RegistrationRefused::Other { .. },
        )
        | Refused::OtherDonor(_)
        | Refused::NotSuspected(_) => Problem::conflict(detail),
        Refused::Number { .. }
        | Refused::Text { .. }
        | Refused::Donor(_)
        | Refused::TooMany { .. }
        | Refused::Over { .. }
        | Refused::TooShort { .. }
        | Refused::ToCome { .. }
        | Refused::NotOfDonation { .. }
        | Refused::Examination(ExaminationRefused::ToCome { .. } | ExaminationRefused::Before { .. })
        | Refused::Record(RecordRefused::ToCome { .. } | RecordRefused::NoSuch { .. })
        | Refused::NoEvidence
        | Refused::DoneByRecord(_)
        | Refused::NoSuchGrouping(_)
        | Refused::SeveralGroupings { .. }
        | Refused::NoSuchVersion { .. }
        | Refused::Registration(RegistrationRefused::NoSuch { .. })
        | Refused::Itself => Problem::unprocessable(detail),
        Refused::Broken(_) => Problem::unavailable(detail),
    }
}

/// Carries out a person's command and names its entry.
async fn command(
    site: &Site,
    caller: &Caller,
    work: impl FnOnce(&Work) -> Result<Seq, Refused> + Send + 'static,
) -> Answer {
    Ok(written(commands::command(site, caller, refused, work).await?))
}

/// What stands of a donor: the register, donations, re-entry, and who wrote what.
pub(crate) async fn one(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    let donor = id.clone();
    let found = site
        .read(move |reader| {
            let (stands, given) = donors::stands(reader, &donor)?;
            let history: Result<Vec<_>, _> = stands.history.iter().map(|seq| reader.entry(*seq)).collect();
            Ok((stands, given, history?))
        })
        .await?;
    let (stands, given, history) = found;
    let told: Vec<_> = history
        .iter()
        .map(|entry| json!({ "seq": entry.seq, "at_ms": entry.at_ms, "by": entry.by, "what": entry.what.name(), "detail": entry.what }))
        .collect();
    Ok(Json(json!({
        "donor": id, "register": stands.register, "deferrals": stands.deferrals, "registered": stands.registered,
        "earlier": stands.earlier, "reentry": stands.reentry, "donations": given, "history": told,
    })))
}

/// Defers a donor.
pub(crate) async fn defer(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let deferral: Deferral = read(&body)?;
    let work = move |with: &Work| {
        let seq = donors::defer(&with.settings, &with.ledger, &with.actor, &id, &deferral)?;
        Ok((seq, donors::unknown(&with.ledger.state(), &id)?))
    };
    let (seq, unknown) = commands::command(&site, &caller, refused, work).await?;
    Ok(noted(seq, unknown))
}

/// The entry that a command wrote, and what is to be said of it.
fn noted(seq: Seq, note: Option<[String; 2]>) -> Json<serde_json::Value> {
    match note {
        Some([note, note_zh]) => Json(json!({ "seq": seq, "note": note, "note_zh": note_zh })),
        None => written(seq),
    }
}

/// `{"on":[7],"reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reinstate {
    on: Vec<Seq>,
    reason: String,
}

/// Lets a donor who was deferred for a time give again.
pub(crate) async fn reinstate(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Reinstate { on, reason } = read(&body)?;
    command(&site, &caller, move |with| donors::reinstate(&with.ledger, &with.actor, &id, (&on, &reason)))
        .await
}

/// `{"earlier":{"donation":"…","collected_at":"…","results":[{"marker":"HCV","result":"reactive"}]},"source":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Earlier {
    earlier: EarlierDonation,
    source: String,
}

/// Records a donation that is known from elsewhere.
pub(crate) async fn earlier(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Earlier { earlier, source } = read(&body)?;
    let work = move |with: &Work| {
        donors::record_earlier(&with.ledger, &with.actor, &id, (&earlier, &source), Timestamp::now())
    };
    command(&site, &caller, work).await
}

/// `{"record":1234,"reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakeBack {
    record: Seq,
    reason: String,
}

/// One of the two names under a donation that was recorded by mistake.
pub(crate) async fn take_back(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let TakeBack { record, reason } = read(&body)?;
    let work = move |with: &Work| donors::take_back(&with.ledger, &with.actor, &id, (record, &reason));
    let step = commands::command(&site, &caller, refused, work).await?;
    Ok(Json(json!(step)))
}

/// Begins a re-entry examination.
pub(crate) async fn examine(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let asked: Examination = read(&body)?;
    let work = move |with: &Work| {
        donors::examine(&with.settings, &with.ledger, &with.actor, &id, (&asked, Timestamp::now()))
    };
    command(&site, &caller, work).await
}

/// Records a test of a re-entry examination.
pub(crate) async fn test(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let test: ReentryTest = read(&body)?;
    let work = move |with: &Work| {
        donors::record_test(&with.settings, &with.ledger, &with.actor, &id, (&test, Timestamp::now()))
    };
    command(&site, &caller, work).await
}

/// `{"on":["T1","T2"],"deferrals":[17],"reason":"…"}`: ends an examination for re-entry that the rule pack finds whole.
pub(crate) async fn approve(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let asked: Approval = read(&body)?;
    let work = move |with: &Work| {
        let seq = donors::approve(&with.settings, &with.ledger, &with.actor, &id, &asked)?;
        Ok((seq, donors::remaining(&with.ledger.state(), &id)?))
    };
    let (seq, remaining) = commands::command(&site, &caller, refused, work).await?;
    Ok(noted(seq, remaining))
}

/// `{"test":{"marker":"HIV","method":"WB","outcome":"CONF_POS","at":"…"},"report":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    test: Confirmatory,
    report: String,
}

/// Records what a confirmatory laboratory said of a donation.
pub(crate) async fn confirm(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Confirm { test, report } = read(&body)?;
    let work =
        move |with: &Work| donors::confirm(&with.settings, &with.ledger, &with.actor, &id, (&test, &report));
    command(&site, &caller, work).await
}

/// `{"donation":"…","reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    donation: String,
    reason: String,
}

/// Holds a donation because one beside it may be in its tube.
pub(crate) async fn suspect(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Beside { donation, reason } = read(&body)?;
    let work = move |with: &Work| {
        donors::suspect(&with.settings, &with.ledger, &with.actor, (&id, &donation), &reason)
    };
    command(&site, &caller, work).await
}

/// Says that it was grouped again from its bag segment, and agrees.
pub(crate) async fn settle(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let Beside { donation, reason } = read(&body)?;
    let work = move |with: &Work| {
        donors::settle(&with.settings, &with.ledger, &with.actor, (&id, &donation), &reason)
    };
    command(&site, &caller, work).await
}

/// `{"run":"…","message":1234,"sample":"tube","reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleGroup {
    run: vocabulary::RunId,
    message: Option<u64>,
    sample: Option<GroupingSample>,
    seen: Option<String>,
    #[serde(default)]
    history_wrong: bool,
    reason: String,
}

/// One of the two names under the end of an inquiry into its blood group.
pub(crate) async fn settle_group(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let SettleGroup { run, message, sample, seen, history_wrong, reason } = read(&body)?;
    let which = donors::Which { run, message, sample, seen, history_wrong };
    let work = move |with: &Work| {
        donors::settle_group(&with.settings, &with.ledger, &with.actor, (&id, &which), &reason)
    };
    command(&site, &caller, work).await
}

/// `{"reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckNumber {
    reason: String,
}

/// One of the two names under numbers of it that were typed in (R-GATE-09).
pub(crate) async fn check_number(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let CheckNumber { reason } = read(&body)?;
    let work =
        move |with: &Work| donors::check_number(&with.settings, &with.ledger, &with.actor, (&id, &reason));
    let step = commands::command(&site, &caller, refused, work).await?;
    Ok(Json(json!(step)))
}

/// `{"assay":"…","seen":"…","reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptDuplicate {
    assay: String,
    seen: String,
    reason: String,
}

/// One of the two names under a duplicate on another lot or analyser (R-SER-02).
pub(crate) async fn accept_duplicate(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let AcceptDuplicate { assay, seen, reason } = read(&body)?;
    let work = move |with: &Work| {
        let which = (id.as_str(), assay.as_str());
        donors::accept_duplicate(&with.settings, &with.ledger, &with.actor, which, (&seen, &reason))
    };
    let step = commands::command(&site, &caller, refused, work).await?;
    Ok(Json(json!(step)))
}

/// `{"assay":"…","marker":"HBsAg","message":1234,"seen":"…","reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleResult {
    assay: String,
    marker: vocabulary::Marker,
    message: u64,
    seen: String,
    reason: String,
}

/// One of the two names under which version of a result stands (R-GATE-15).
pub(crate) async fn settle_result(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let SettleResult { assay, marker, message, seen, reason } = read(&body)?;
    let version = donors::Version { assay, marker, message, seen };
    let work = move |with: &Work| {
        donors::settle_result(&with.settings, &with.ledger, &with.actor, (&id, &version), &reason)
    };
    let step = commands::command(&site, &caller, refused, work).await?;
    Ok(Json(json!(step)))
}

/// `{"entry":1234,"seen":"…","reason":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleRegistration {
    entry: u64,
    seen: String,
    reason: String,
}

/// One of the two names under which registration of its number stands (R-GATE-09).
pub(crate) async fn settle_registration(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let SettleRegistration { entry, seen, reason } = read(&body)?;
    let which = donors::WhichRegistration { entry, seen };
    let work = move |with: &Work| {
        donors::settle_registration(&with.settings, &with.ledger, &with.actor, (&id, &which), &reason)
    };
    let step = commands::command(&site, &caller, refused, work).await?;
    Ok(Json(json!(step)))
}

/// `{"trigger":"…","marker":"HIV","earlier":"…","step":"quarantined","outcome":"…"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lookback {
    trigger: vocabulary::DonationId,
    marker: String,
    earlier: vocabulary::DonationId,
    step: LookbackStep,
    outcome: String,
}

/// Records a step of a look-back.
pub(crate) async fn look_back(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let Lookback { trigger, marker, earlier, step, outcome } = read(&body)?;
    let id = LookbackId { trigger, marker, earlier };
    command(&site, &caller, move |with| donors::look_back(&with.ledger, &with.actor, &id, (step, &outcome)))
        .await
}

/// `{"donation":"…","task":"report","marker":"HIV","outcome":"DONE","reason":"…"}`: closes a task for a donor.
pub(crate) async fn close_task(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let closing: Closing = read(&body)?;
    let work = move |with: &Work| donors::close_task(&with.settings, &with.ledger, &with.actor, &closing);
    command(&site, &caller, work).await
}

/// `?kind=donor_deferral&after=…&limit=…`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TasksAsked {
    kind: Option<TaskKind>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Every open task, those with the nearest last day first; or those of one kind. What verdicts ask for donors, of which there
/// may be many, goes on in pages of donations.
pub(crate) async fn tasks(
    State(site): State<Arc<Site>>,
    query: Result<Query<TasksAsked>, QueryRejection>,
) -> Answer {
    let Query(TasksAsked { kind, after, limit }) = query.map_err(Problem::bad_request)?;
    let paging = Paging { after, limit, ..Paging::default() };
    if let Some(task) = kind.and_then(TaskKind::for_donor) {
        let page = paging.page::<DonationId>()?;
        let listed = site.look(move |reader| tasks::for_donors(reader, task, &page)).await?;
        return Ok(Json(json!(Items::of(listed, |donation| donation.to_string()))));
    }
    if paging.after.is_some() || paging.limit.is_some() {
        return Err(Problem::bad_request(
            "after and limit go with kind=donor_report, donor_confirmation or donor_deferral",
        ));
    }
    let settings = Arc::clone(&site.workflow);
    let mut open = site.look(move |reader| tasks::open(&settings, reader, Timestamp::now())).await?;
    if let Some(kind) = kind {
        open.items.retain(|task| task.kind == kind);
        open.more.retain(|more| *more == kind);
    }
    Ok(Json(json!(open)))
}
