//! Problems as RFC 9457 has them: what went wrong, where, and what to do.

use axum::{
    Json,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::fmt::Display;

/// One problem, as `application/problem+json`.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// Stable name of the kind of problem.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

/// Goes with the answer, for whoever writes down that it was refused.
#[derive(Debug, Clone)]
pub(crate) struct Why(pub(crate) String);

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Display) -> Self {
        Self { kind, title, status: status.as_u16(), detail: detail.to_string() }
    }

    pub(crate) fn not_found(what: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "urn:hemogate:not-found", "Not found", what)
    }

    pub(crate) fn bad_request(what: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "urn:hemogate:bad-request", "The request cannot be read", what)
    }

    pub(crate) fn conflict(what: impl Display) -> Self {
        Self::new(StatusCode::CONFLICT, "urn:hemogate:conflict", "It is not in that state", what)
    }

    pub(crate) fn unprocessable(what: impl Display) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:hemogate:refused",
            "It cannot be taken as it is",
            what,
        )
    }

    pub(crate) fn precondition(what: impl Display) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "urn:hemogate:changed", "It has changed meanwhile", what)
    }

    pub(crate) fn precondition_required(what: impl Display) -> Self {
        let kind = "urn:hemogate:precondition-required";
        Self::new(StatusCode::PRECONDITION_REQUIRED, kind, "It does not say what was seen", what)
    }

    pub(crate) fn forbidden(what: impl Display) -> Self {
        Self::new(StatusCode::FORBIDDEN, "urn:hemogate:forbidden", "It is not for whoever asks", what)
    }

    /// A name and a password, or a session, that open nothing.
    pub(crate) fn not_let_in(what: impl Display) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "urn:hemogate:not-let-in", "Nobody is signed in by this", what)
    }

    pub(crate) fn unauthorized() -> Self {
        let what = "send the header Authorization: Bearer TOKEN; a person's token comes from POST /api/v1/sign-in, the machine's lies in \
             console-token beside the ledger";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "urn:hemogate:unauthorized",
            "The token is missing or wrong",
            what,
        )
    }

    pub(crate) fn unavailable(what: impl Display) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "urn:hemogate:unavailable",
            "The ledger takes nothing now",
            what,
        )
    }

    pub(crate) fn internal(error: &dyn Display) -> Self {
        tracing::error!(%error, "a request could not be answered");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "urn:hemogate:internal", "A fault of ours", error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let unauthorized = status == StatusCode::UNAUTHORIZED;
        let why = Why(self.detail.clone());
        let mut response = (status, Json(self)).into_response();
        response.extensions_mut().insert(why);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
        if unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(crate) async fn no_such_resource(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}; see /api/v1/openapi.json", uri.path()))
}
