//! What the commands of people have in common: the version that one is held to, the password under a signature, and the
//! answer that names its entry.

use crate::{Site, caller::Caller, problem::Problem};
use axum::{
    Json,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use ledger::{Ledger, Seq};
use serde_json::{Value, json};
use std::{fmt::Display, sync::Arc};
use workflow::{
    Settings,
    people::{self, Actor, Confirmed, People},
};

/// What a command answers.
pub(crate) type Answer = Result<Json<Value>, Problem>;

/// The entry that a command wrote.
pub(crate) fn written(seq: Seq) -> Json<Value> {
    Json(json!({ "seq": seq }))
}

/// A thing with its version, for whoever changes or signs it.
pub(crate) fn with_version(version: impl Display, value: Value) -> Response {
    ([(header::ETAG, format!("\"{version}\""))], Json(value)).into_response()
}

/// The version that a command is held to. None named, or `*`: whatever there is.
pub(crate) fn version(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::IF_MATCH).and_then(|v| v.to_str().ok())?;
    Some(given.trim().trim_matches('"')).filter(|version| *version != "*")
}

/// What a person's command works with, away from the runtime's threads.
pub(crate) struct Work {
    pub(crate) settings: Arc<Settings>,
    pub(crate) ledger: Ledger,
    pub(crate) people: People,
    pub(crate) actor: Actor,
}

impl Work {
    /// The password given again, for one signature.
    pub(crate) fn signs(&self, password: &str) -> Result<Confirmed, people::Refused> {
        self.people.confirm(&self.actor, password, Timestamp::now())
    }
}

/// Carries out a person's command; `refused` says how a refusal is told.
pub(crate) async fn command<T: Send + 'static, E: Send + 'static>(
    site: &Site,
    caller: &Caller,
    refused: impl FnOnce(&E) -> Problem,
    work: impl FnOnce(&Work) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem> {
    let with = Work {
        settings: Arc::clone(&site.workflow),
        ledger: site.ledger.clone(),
        people: site.people.clone(),
        actor: caller.person()?.clone(),
    };
    let outcome = tokio::task::spawn_blocking(move || work(&with)).await;
    outcome.map_err(|e| Problem::internal(&e))?.map_err(|why| refused(&why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_what_stands_between_the_quotes_and_a_star_is_none() {
        for (given, expect) in [
            ("\"12\"", Some("12")),
            (" \"ab.7\" ", Some("ab.7")),
            ("ab", Some("ab")),
            ("*", None),
            ("\"\"", Some("")),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, given.parse().unwrap())]);
            assert_eq!(version(&headers), expect, "{given}");
        }
        assert_eq!(version(&HeaderMap::new()), None);
    }
}
