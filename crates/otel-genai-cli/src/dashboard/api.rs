//! Asks a dashboard over HTTP, as its page does.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use otel_genai_dashboard::view::ApiError;
use serde_json::Value;

use super::settings::TOKEN;

/// What others have on the port must not hold us.
const GREETING: Duration = Duration::from_millis(1500);
/// The longest that the store takes to answer, and some more.
const ANSWER: Duration = Duration::from_secs(30);
/// The longest that it takes to store a file.
const STORED: Duration = Duration::from_secs(600);

/// A dashboard that can be asked.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: Option<HeaderValue>,
}

/// Why there is no answer, for people.
#[derive(Debug)]
pub(crate) struct Unanswered(String);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Api {
    /// `base` is its address, such as `http://127.0.0.1:18888`.
    pub(crate) fn new(base: impl Into<String>, token: Option<&str>) -> Self {
        let secret = |token: &str| {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { http, base: base.into(), token: token.and_then(secret) }
    }

    /// What it tells of itself. An error: there is no dashboard of ours.
    pub(crate) async fn about(&self) -> Result<Value, Unanswered> {
        let (status, body) = self.exchange(Method::GET, "/api/v1/about", Bytes::new(), GREETING).await?;
        // A refusal of ours tells what to do: where the name is not one of its own, say.
        if !status.is_success() && serde_json::from_slice::<ApiError>(&body).is_ok() {
            return Err(refusal(status.as_u16(), &body));
        }
        let about: Value = serde_json::from_slice(&body).unwrap_or_default();
        match about.pointer("/name").and_then(Value::as_str) {
            Some("otel-genai") => Ok(about),
            _ => Err(Unanswered(format!("what answers at {} is no otel-genai dashboard", self.base))),
        }
    }

    /// A document below `/api/v1`; `path` begins with a slash.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Unanswered> {
        read(&self.whole(path).await?)
    }

    /// A document below `/api/v1`, as it comes.
    pub(crate) async fn whole(&self, path: &str) -> Result<Bytes, Unanswered> {
        self.answer(Method::GET, &format!("/api/v1{path}"), Bytes::new(), ANSWER).await
    }

    /// Posts a document of JSON to a path, and gives what comes back; an error's words where it is one.
    pub(crate) async fn post(&self, path: &str, body: String) -> Result<String, Unanswered> {
        let body = self.answer(Method::POST, path, body.into(), ANSWER).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Stores a file, and says what became of it.
    pub(crate) async fn import(&self, format: &str, file: Bytes) -> Result<Value, Unanswered> {
        let path = format!("/api/v1/import?format={format}");
        read(&self.answer(Method::POST, &path, file, STORED).await?)
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        patience: Duration,
    ) -> Result<Bytes, Unanswered> {
        let (status, body) = self.exchange(method, path, body, patience).await?;
        if status.is_success() { Ok(body) } else { Err(refusal(status.as_u16(), &body)) }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        patience: Duration,
    ) -> Result<(StatusCode, Bytes), Unanswered> {
        let answer = async {
            let answer = self.ask(method, path, body).await?;
            let status = answer.status();
            let body = answer.into_body().collect().await;
            let body = body.map_err(|error| Unanswered(format!("the answer broke off: {error}")))?.to_bytes();
            Ok((status, body))
        };
        let late = |_| Unanswered(format!("{} did not answer within {patience:?}", self.base));
        tokio::time::timeout(patience, answer).await.map_err(late)?
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<http::Response<Incoming>, Unanswered> {
        let wrong = |error: http::Error| Unanswered(format!("cannot ask {}: {error}", self.base));
        // What changes something says that it is no form of a page.
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.base)).header("x-otel-genai", "1");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::from(body)).map_err(wrong)?;
        let failed = |error| Unanswered(format!("no dashboard answers at {} ({error})", self.base));
        self.http.request(request).await.map_err(failed)
    }
}

fn read(body: &[u8]) -> Result<Value, Unanswered> {
    serde_json::from_slice(body).map_err(|_| Unanswered("the answer is no JSON".to_owned()))
}

/// An error of the API says what is wrong and what to do.
fn refusal(status: u16, body: &[u8]) -> Unanswered {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |pointer| error.pointer(pointer).and_then(Value::as_str);
    let hint = match text("/error/code") {
        // The hint is for who has a browser.
        Some("no_token" | "wrong_token") => Some(format!("{} holds it for this command", TOKEN.name)),
        _ => text("/error/hint").map(continued),
    };
    match (text("/error/message"), hint) {
        (Some(message), Some(hint)) => Unanswered(format!("{message}; {hint}")),
        (Some(message), None) => Unanswered(message.to_owned()),
        (None, _) => Unanswered(format!("the dashboard answered {status}")),
    }
}

/// A sentence as the end of another one.
fn continued(sentence: &str) -> String {
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    let mut letters = sentence.chars();
    match letters.next() {
        // A name stays as it is.
        Some(first) if !letters.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => sentence.to_owned(),
    }
}
