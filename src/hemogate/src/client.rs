//! Asking a running daemon over HTTP.

use crate::{
    cli::Lang,
    exit::{Exit, Failure},
    run::Whereabouts,
    token,
};
use reqwest::header::{ACCEPT, ETAG, IF_MATCH};
use serde_json::Value;
use std::{fs, path::Path};

/// A running daemon of a store.
pub(crate) struct Client {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Client {
    /// The daemon of this store, if one has said where it is.
    pub(crate) fn of_store(store: &Path) -> Result<Option<Self>, Failure> {
        let Ok(text) = fs::read_to_string(Whereabouts::file(store)) else { return Ok(None) };
        let about: Value = serde_json::from_str(&text).map_err(|e| Failure::new(Exit::Internal, e))?;
        let Some(console) = about.get("console").and_then(Value::as_str) else { return Ok(None) };
        let token = fs::read_to_string(token::path(store))?.trim().to_owned();
        Self::at(console, &token).map(Some)
    }

    /// The daemon of this store; a failure when there is none.
    pub(crate) fn of_running(store: &Path, lang: Lang) -> Result<Self, Failure> {
        Self::of_store(store)?.ok_or_else(|| {
            let what = match lang {
                Lang::En => format!("no daemon is running on {} (hemogate run)", store.display()),
                Lang::Zh => format!("{} 上没有运行中的守护进程(请执行 hemogate run)", store.display()),
            };
            Failure::new(Exit::Unavailable, what)
        })
    }

    /// The daemon that listens here.
    pub(crate) fn at(console: impl std::fmt::Display, token: &str) -> Result<Self, Failure> {
        let http =
            reqwest::Client::builder().no_proxy().build().map_err(|e| Failure::new(Exit::Internal, e))?;
        Ok(Self { base: format!("http://{console}/api/v1"), token: token.to_owned(), http })
    }

    /// One resource.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(path, self.http.get(format!("{}/{path}", self.base))).await
    }

    /// Sends a command.
    pub(crate) async fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<Value, Failure> {
        self.send(path, self.http.post(format!("{}/{path}", self.base)).json(body)).await
    }

    /// A session of a person at this daemon.
    pub(crate) async fn sign_in(&self, user: &str, password: &str) -> Result<Self, Failure> {
        let body = serde_json::json!({ "user": user, "password": password });
        let answer = self.post("sign-in", &body).await?;
        let token = answer.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { base: self.base.clone(), token, http: self.http.clone() })
    }

    /// Ends the session; one that cannot be ended ends by itself.
    pub(crate) async fn sign_out(&self) {
        let request = self.http.post(format!("{}/sign-out", self.base));
        if let Err(failure) = self.answer("sign-out", request).await {
            tracing::warn!(what = failure.what, "the session was not ended; it will end by itself");
        }
    }

    /// A command by its method, held to a version where one is named.
    pub(crate) async fn command(
        &self,
        method: &str,
        path: &str,
        version: Option<&str>,
        body: &Value,
    ) -> Result<Value, Failure> {
        let method = method.parse().map_err(|e| Failure::new(Exit::Internal, e))?;
        let mut request = self.http.request(method, format!("{}/{path}", self.base)).json(body);
        if let Some(version) = version {
            request = request.header(IF_MATCH, version);
        }
        self.send(path, request).await
    }

    /// One resource and its version.
    pub(crate) async fn versioned(&self, path: &str) -> Result<(Value, String), Failure> {
        let request = self.http.get(format!("{}/{path}", self.base)).header(ACCEPT, "application/json");
        let answer = self.answer(path, request).await?;
        let version = answer.headers().get(ETAG).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Ok((answer.json().await.map_err(|e| Failure::new(Exit::Unavailable, e))?, version))
    }

    /// One resource as text, and the numbers in its headers.
    pub(crate) async fn text(&self, path: &str, numbers: [&str; 2]) -> Result<(String, [u64; 2]), Failure> {
        let request = self.http.get(format!("{}/{path}", self.base)).header(ACCEPT, "text/plain");
        let answer = self.answer(path, request).await?;
        let numbers = numbers
            .map(|name| answer.headers().get(name)?.to_str().ok()?.parse().ok())
            .map(|number: Option<u64>| number.unwrap_or(0));
        let text = answer.text().await.map_err(|e| Failure::new(Exit::Unavailable, e))?;
        Ok((text, numbers))
    }

    async fn send(&self, path: &str, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let answer = self.answer(path, request.header(ACCEPT, "application/json")).await?;
        answer.json().await.map_err(|e| Failure::new(Exit::Unavailable, e))
    }

    /// The answer, when it is one of success.
    async fn answer(
        &self,
        path: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Failure> {
        let answer = request.bearer_auth(&self.token).send().await;
        let answer = answer
            .map_err(|e| Failure::new(Exit::Unavailable, format!("the daemon does not answer: {e}")))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body: Value = answer.json().await.unwrap_or_default();
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or("no detail").to_owned();
        let exit = match status.as_u16() {
            404 | 409 | 412 => Exit::No,
            400 | 422 | 428 => Exit::BadInput,
            401 | 403 => Exit::NotPermitted,
            _ => Exit::Unavailable,
        };
        Err(Failure::new(exit, format!("{path}: {status}: {detail}")))
    }
}
