//! The bearer token.

use crate::{Site, problem::Problem};
use axum::{
    extract::{Request, State},
    http::header::AUTHORIZATION,
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Lets a request through that carries the token.
pub(crate) async fn bearer(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    if given.is_some_and(|given| same(given.trim().as_bytes(), site.token.as_bytes())) {
        next.run(request).await
    } else {
        Problem::unauthorized().into_response()
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
    fn only_the_whole_token_is_the_token() {
        assert!(same(b"abc", b"abc"));
        for wrong in [&b""[..], b"ab", b"abd", b"abcd"] {
            assert!(!same(wrong, b"abc"));
        }
        assert!(!same(b"", b""), "an empty token opens nothing");
    }
}
