//! A client that asks a model as SDKs do: JSON over HTTP, streams read piece by piece.

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::exit::Failure;

/// Asks at one base URL.
pub(crate) struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    base: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The document; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Client {
    pub(crate) fn new(base: impl Into<String>) -> Self {
        Self { http: Http::builder(TokioExecutor::new()).build_http(), base: base.into() }
    }

    /// Posts `body` to `path`, and reads the answer to its end.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let request = Request::post(format!("{}{path}", self.base))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()))
            .map_err(Failure::ours)?;
        let response = self.http.request(request).await.map_err(Failure::ours)?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(Failure::ours)?.to_bytes();
        Ok(Answer { status, body })
    }
}
