//! One call that is observed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, response};
use http_body::Body;
use opentelemetry::{Context, KeyValue};
use otel_genai::Failure;

use crate::head;
use crate::record::{Ending, Record};
use crate::tap::{Side, Tap};

/// A request that is about to be sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The method.
    pub method: &'a Method,
    /// The provider's absolute URL; its query and user information are not looked at.
    pub upstream: &'a Uri,
    /// The request's headers. Only those that an allow-list names are looked at.
    pub headers: &'a HeaderMap,
    /// The parent of the call's span.
    pub parent: Context,
    /// What the call's span says besides what the conventions want: how the call was observed, for example.
    pub attributes: Vec<KeyValue>,
}

impl<'a> Call<'a> {
    /// A request whose parent is the current context.
    pub fn new(method: &'a Method, upstream: &'a Uri, headers: &'a HeaderMap) -> Self {
        Call { method, upstream, headers, parent: Context::current(), attributes: Vec::new() }
    }

    /// The same with a parent of its own.
    #[must_use]
    pub fn parent(mut self, parent: Context) -> Self {
        self.parent = parent;
        self
    }

    /// The same with one more attribute of its span.
    #[must_use]
    pub fn attribute(mut self, attribute: KeyValue) -> Self {
        self.attributes.push(attribute);
        self
    }
}

/// What of a response's head may be looked at. Everything else, cookies above all, stays out.
/// The kind of an error of AWS, and its counts where a body has none; the session of an MCP server; the model that Azure
/// chose.
static RESPONSE_HEADERS: [HeaderName; 7] = [
    CONTENT_TYPE,
    CONTENT_ENCODING,
    HeaderName::from_static("x-amzn-errortype"),
    HeaderName::from_static("x-amzn-bedrock-input-token-count"),
    HeaderName::from_static("x-amzn-bedrock-output-token-count"),
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("x-ms-served-model"),
];

/// An observed call. Tap its request, then its response; dropped before, it ends as cancelled.
#[must_use = "dropping an exchange ends the call as cancelled"]
pub struct Exchange {
    record: Arc<Record>,
    /// Whether something else ends the call now.
    handed_over: bool,
}

impl Exchange {
    pub(crate) fn new(record: Arc<Record>) -> Self {
        Exchange { record, handed_over: false }
    }

    /// The request's body, observed while it is sent.
    pub fn request_body<B>(&self, body: B) -> Tap<B>
    where
        B: Body<Data = Bytes>,
        B::Error: Error + 'static,
    {
        Tap::new(body, Arc::clone(&self.record), Side::Request)
    }

    /// The request's body, or a piece of it, where it is at hand as a whole: it need not be tapped, and can be sent again.
    pub fn request_bytes(&self, bytes: &[u8]) {
        self.record.request_bytes(bytes);
    }

    /// The response's body, observed while it is read. It takes over the call, which ends with it.
    pub fn response<B>(mut self, parts: &response::Parts, body: B) -> Tap<B>
    where
        B: Body<Data = Bytes>,
        B::Error: Error + 'static,
    {
        let status = parts.status;
        let is_failure = status.is_client_error() || status.is_server_error();
        let told = head::failure_headers().filter(|_| is_failure);
        let headers = headers(&parts.headers, RESPONSE_HEADERS.iter().chain(told));
        self.record.response(status.as_u16(), headers);
        self.handed_over = true;
        Tap::new(body, Arc::clone(&self.record), Side::Response)
    }

    /// The context in which the request is sent, made of the call's parent: there, no further layer of this crate observes
    /// the call again.
    pub fn within(&self, parent: &Context) -> Context {
        parent.with_value(Observed)
    }

    /// The call failed before there was a response.
    pub fn fail(self, failure: impl Into<Failure>) {
        self.record.end(Ending::Failed(failure.into()));
    }
}

/// In the context of a call that is observed: whoever sees it too leaves it alone.
#[derive(Debug)]
pub(crate) struct Observed;

pub(crate) fn is_observed(context: &Context) -> bool {
    context.get::<Observed>().is_some()
}

/// These headers alone.
pub(crate) fn headers<'a>(all: &HeaderMap, names: impl IntoIterator<Item = &'a HeaderName>) -> HeaderMap {
    let mut few = HeaderMap::new();
    for name in names {
        if let Some(value) = all.get(name) {
            few.insert(name, detached(value));
        }
    }
    few
}

/// A copy: a clone would keep the connection's read buffer, which could then not be used for the next message.
fn detached(value: &HeaderValue) -> HeaderValue {
    const COMMON: [&str; 4] = [
        "application/json",
        "text/event-stream",
        "application/json; charset=utf-8",
        "text/event-stream; charset=utf-8",
    ];
    match COMMON.into_iter().find(|common| value.as_bytes() == common.as_bytes()) {
        Some(common) => HeaderValue::from_static(common),
        // What was one before is one still.
        None => HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static("")),
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.handed_over {
            self.record.end(Ending::Dropped);
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}
