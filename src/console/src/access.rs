//! Who is let in: the machine by its token, people by the token of their session.

use crate::{
    Site,
    caller::{Caller, refused},
    problem::{Problem, Why},
    writing::append,
};
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, Method, StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ledger::{By, What};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Characters of what was asked and of why it was refused.
const REFUSAL_CHARS_MAX: usize = 1_000;
/// What a machine is refused again, in the same words, within this time of the entry is the same refusal: it asks until it is
/// given what it wants.
const STILL_REFUSED: Duration = Duration::from_mins(10);
/// Refusals that are remembered for it. One more makes the oldest forgotten, which costs an entry and no truth.
const REMEMBERED_MAX: usize = 1_024;

/// A machine's refusals that are written down already.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<VecDeque<(By, String, String, Instant)>>);

impl Refusals {
    /// Whether this one is to be written down; it is remembered then.
    fn is_new(&self, by: &By, (asked, why): (&str, &str), now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(.., at)| now.saturating_duration_since(*at) < STILL_REFUSED);
        if known.iter().any(|(who, what, for_that, _)| who == by && what == asked && for_that == why) {
            return false;
        }
        if known.len() >= REMEMBERED_MAX {
            known.pop_front();
        }
        known.push_back((by.clone(), asked.to_owned(), why.to_owned(), now));
        true
    }
}

/// The token that a request carries.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    given.and_then(|v| v.strip_prefix("Bearer ")).map(str::trim)
}

/// Where a request comes from, by its connection: an address, since ports change with every request (rules.md R-AUD-01).
pub(crate) fn terminal(extensions: &Extensions) -> Option<String> {
    extensions.get().map(|ConnectInfo::<SocketAddr>(from)| from.ip().to_canonical().to_string())
}

/// Lets a request through that carries a token and may be sent by its holder.
pub(crate) async fn bearer(
    State((site, refusals)): State<(Arc<Site>, Arc<Refusals>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = token(request.headers()).map(str::to_owned);
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let terminal = terminal(request.extensions());
    let asked = format!("{method} {}", request.uri().path());
    let caller = match who(&site, given, terminal).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let answer = match caller.check(&method, path.as_deref().unwrap_or_default()) {
        Ok(()) => {
            request.extensions_mut().insert(caller.clone());
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    if method != Method::GET
        && let Some(why) = refusal(&answer)
        && (caller.person().is_ok() || refusals.is_new(&caller.by(), (&asked, &why), Instant::now()))
    {
        let what = What::CommandRefused { command: short(&asked), why: short(&why) };
        if append(&site, &caller, vec![what]).await.is_err() {
            tracing::error!(asked, why, "a refusal cannot be written down");
        }
    }
    answer
}

fn short(text: &str) -> String {
    text.chars().take(REFUSAL_CHARS_MAX).collect()
}

/// Why somebody may not have what was wanted (R-GATE-14). What cannot be read, or is about nothing, was no act.
fn refusal(answer: &Response) -> Option<String> {
    let is_act = matches!(
        answer.status(),
        StatusCode::FORBIDDEN
            | StatusCode::CONFLICT
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::UNPROCESSABLE_ENTITY
    );
    answer.extensions().get::<Why>().filter(|_| is_act).map(|Why(why)| why.clone())
}

/// Whose token it is, as the ledger knows them now.
async fn who(site: &Site, given: Option<String>, terminal: Option<String>) -> Result<Caller, Problem> {
    let given = given.ok_or_else(Problem::unauthorized)?;
    if same(given.as_bytes(), site.token.as_bytes()) {
        return Ok(Caller::machine(terminal));
    }
    let actor = site.sessions.of(&given, site.session_limits).ok_or_else(Problem::unauthorized)?;
    let reader = site.ledger.state();
    let now = tokio::task::spawn_blocking(move || actor.now(&reader)).await;
    match now.map_err(|e| Problem::internal(&e))? {
        Ok(actor) => Ok(Caller::Person(actor.at(terminal))),
        Err(why) => {
            if why.ends_a_session() {
                site.sessions.end(&given);
            }
            Err(refused(&why))
        }
    }
}

/// Compares in a time that does not tell how much of it was right.
fn same(given: &[u8], token: &[u8]) -> bool {
    given.len() == token.len()
        && !token.is_empty()
        && given.iter().zip(token).fold(0, |d, (a, b)| d | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_is_refused_again_and_again_is_one_refusal_for_a_while() {
        let (refusals, by, now) = (Refusals::default(), By::from("user:token"), Instant::now());
        let is_new = |why: &str, at: Instant| refusals.is_new(&by, ("POST /api/v1/donations", why), at);
        assert!(is_new("row 1", now) && !is_new("row 1", now + STILL_REFUSED / 2) && is_new("row 2", now));
        assert!(is_new("row 1", now + STILL_REFUSED));
        for row in 0..2 * REMEMBERED_MAX {
            is_new(&format!("row {row}"), now);
        }
        assert_eq!(refusals.0.lock().unwrap().len(), REMEMBERED_MAX);
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        assert!(same(b"abc", b"abc"));
        for wrong in [&b""[..], b"ab", b"abd", b"abcd"] {
            assert!(!same(wrong, b"abc"));
        }
        assert!(!same(b"", b""), "an empty token opens nothing");
    }
}
