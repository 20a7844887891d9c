//! Signing in, and accounts over HTTP. A password comes in, and never goes out; nor does its hash.

use crate::{
    Site,
    access::{terminal, token},
    caller::{Caller, refused},
    commands::{Answer, version, with_version, written},
    paging::Items,
    problem::Problem,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::{Extensions, HeaderMap, StatusCode},
    response::Response,
};
use jiff::Timestamp;
use ledger::{Seq, UserView};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::sync::Arc;
use vocabulary::Role;
use workflow::people::{Act, Actor, NewUser, Refused};

/// A body as it must be. What serde says of a wrong one names fields and never their values.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|e| {
        let what = match e.classify() {
            serde_json::error::Category::Data => e.to_string(),
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => {
                format!("it is no JSON object (line {}, column {})", e.line(), e.column())
            }
        };
        Problem::bad_request(what)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    user: String,
    password: String,
}

fn about(actor: &Actor) -> Value {
    let acts: Vec<&str> = Act::ALL.iter().filter(|act| actor.may(**act)).map(|act| act.name()).collect();
    json!({
        "user": actor.user(), "name": actor.name(), "roles": actor.roles(), "acts": acts,
        "must_change_password": actor.must_change_password(),
    })
}

/// A name and its password for the token of a session.
pub(crate) async fn sign_in(State(site): State<Arc<Site>>, extensions: Extensions, body: Bytes) -> Answer {
    let SignIn { user, password } = read(&body)?;
    let people = site.people.clone().at(terminal(&extensions));
    let work = move || people.authenticate(&user, &password, Timestamp::now());
    let outcome = tokio::task::spawn_blocking(work).await.map_err(|e| Problem::internal(&e))?;
    let actor = outcome.map_err(|why| refused(&why))?;
    let limits = site.session_limits;
    let token = site.sessions.begin(&actor, limits);
    let token = token.ok_or_else(|| Problem::unavailable("too many people are signed in (登录人数过多)"))?;
    let mut answer = about(&actor);
    if let Value::Object(fields) = &mut answer {
        fields.insert("token".to_owned(), json!(token));
        fields.insert("idle_s".to_owned(), json!(limits.idle.as_secs()));
        fields.insert("life_s".to_owned(), json!(limits.life.as_secs()));
    }
    Ok(Json(answer))
}

/// Ends the session of this token.
pub(crate) async fn sign_out(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let actor = caller.person()?.clone();
    if let Some(token) = token(&headers) {
        site.sessions.end(token);
    }
    site.of_people(move |people| people.sign_out(&actor)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who the token's holder is, and what they may do.
pub(crate) async fn me(Extension(caller): Extension<Caller>) -> Answer {
    Ok(Json(about(caller.person()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    old: String,
    new: String,
}

/// Changes the own password. Every session of the person ends.
pub(crate) async fn own_password(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let OwnPassword { old, new } = read(&body)?;
    let actor = caller.person()?.clone();
    let work = move |people: &workflow::people::People| {
        people.change_password(&actor, (&old, &new), Timestamp::now())
    };
    let seq = site.of_people(work).await?;
    Ok(written(seq))
}

fn shown(user: &UserView) -> Value {
    let time = |ms: i64| Timestamp::from_millisecond(ms).ok().map(|at| at.to_string());
    json!({
        "user": user.user, "name": user.name, "roles": user.roles, "disabled": user.disabled,
        "must_change_password": user.must_change, "added_at": time(user.added_at_ms),
        "password_at": time(user.password_at_ms), "signed_in_at": user.signed_in_at_ms.and_then(time),
        "failures": user.failures, "locked_until": user.locked_until_ms.and_then(time), "changed": user.changed,
    })
}

/// Every account.
pub(crate) async fn users(State(site): State<Arc<Site>>) -> Result<Json<Items<Value>>, Problem> {
    let all = site.of_people(workflow::people::People::accounts).await?;
    Ok(Json(Items::all(all.iter().map(shown).collect())))
}

/// One account, with its version.
pub(crate) async fn user(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let user = site.of_people(move |people| people.account(&id)).await?;
    Ok(with_version(user.changed, shown(&user)))
}

/// The version that a command is held to, where it names one.
fn known(headers: &HeaderMap) -> Result<Option<Seq>, Problem> {
    let number = version(headers).map(str::parse).transpose().map_err(|_| refused(&Refused::Changed))?;
    Ok(number.map(Seq::new))
}

/// Makes an account without a role.
pub(crate) async fn add(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (new, actor): (NewUser, Actor) = (read(&body)?, caller.person()?.clone());
    let seq = site.of_people(move |people| people.add(&actor, &new)).await?;
    Ok((StatusCode::CREATED, written(seq)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    roles: Vec<Role>,
    reason: String,
}

/// Gives an account these roles and no others.
pub(crate) async fn roles(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (Roles { roles, reason }, known) = (read(&body)?, known(&headers)?);
    let actor = caller.person()?.clone();
    let work =
        move |people: &workflow::people::People| people.set_roles(&actor, (&id, known), &roles, &reason);
    let seq = site.of_people(work).await?;
    Ok(written(seq))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

/// Closes an account.
pub(crate) async fn disable(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (Reason { reason }, known) = (read(&body)?, known(&headers)?);
    let actor = caller.person()?.clone();
    let seq = site.of_people(move |people| people.disable(&actor, (&id, known), &reason)).await?;
    Ok(written(seq))
}

/// Opens an account again.
pub(crate) async fn enable(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (Reason { reason }, known) = (read(&body)?, known(&headers)?);
    let actor = caller.person()?.clone();
    let seq = site.of_people(move |people| people.enable(&actor, (&id, known), &reason)).await?;
    Ok(written(seq))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: String,
}

/// Sets another person's password, which that person has to change.
pub(crate) async fn password(
    State(site): State<Arc<Site>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let NewPassword { password } = read(&body)?;
    let actor = caller.person()?.clone();
    let seq = site.of_people(move |people| people.reset_password(&actor, &id, &password)).await?;
    Ok(written(seq))
}
