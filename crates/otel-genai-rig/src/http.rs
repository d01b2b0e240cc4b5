//! rig's transport, observed.

use std::fmt;
use std::pin::Pin;
use std::task::{Context as Task, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use otel_genai_http::{Call, Exchange, Observer, Tap, propagate, transport_failure};
use rig_core::http_client::multipart::{MultipartForm, Part, PartContent};
use rig_core::http_client::{BoxedStream, Error, HttpClientExt, LazyBody, Result, StreamingResponse};
use rig_core::serve::Serving;
use rig_core::wasm_compat::WasmCompatSend;

use crate::dispatch::{self, Sought};

/// An HTTP client of rig's that tells of the model calls made through it: of every provider that rig has, whole and
/// streamed. Requests that are no model calls pass untouched.
///
/// The parent of a call is its agent, where a [`GenAiHook`](crate::GenAiHook) tells of one, else the OpenTelemetry context
/// in which it is made. A call ends with its answer; with an error; or as cancelled, when its future or its stream is
/// dropped before. rig's clients do not try again by themselves: each request is a call.
#[derive(Clone)]
pub struct GenAiHttp<H> {
    inner: H,
    /// `None`: the global one, asked for at the first call, when telemetry is set up.
    observer: Option<Observer>,
    propagate: bool,
}

impl<H> GenAiHttp<H> {
    /// This client, with telemetry through [`Observer::global`].
    #[must_use]
    pub fn new(inner: H) -> Self {
        GenAiHttp { inner, observer: None, propagate: false }
    }

    /// The same with an observer of its own.
    #[must_use]
    pub fn with(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Whether model calls carry the trace on, in the headers of OpenTelemetry's global propagator (`traceparent`). Off by
    /// default: providers are others.
    #[must_use]
    pub fn propagate(mut self, propagate: bool) -> Self {
        self.propagate = propagate;
        self
    }

    /// Begins to observe a request, if it is a model call, and tells in which context it is to be sent.
    fn begin(&self, parts: &mut Parts, body: &[u8], form: Option<&str>) -> (Option<Exchange>, Context) {
        let parent = parent(parts, body);
        let observer = self.observer.as_ref().unwrap_or_else(|| Observer::global());
        let with_form;
        let headers = match form.and_then(|boundary| form_headers(&parts.headers, boundary)) {
            Some(headers) => {
                with_form = headers;
                &with_form
            }
            None => &parts.headers,
        };
        let call = Call::new(&parts.method, &parts.uri, headers).parent(parent.clone());
        let Some(exchange) = observer.begin(&call) else { return (None, parent) };
        if self.propagate {
            propagate(&parent, &mut parts.headers);
        }
        exchange.request_bytes(body);
        let within = exchange.within(&parent);
        (Some(exchange), within)
    }
}

/// This request has found its parent; who sees it further within is below the one who saw it first.
#[derive(Clone, Copy)]
struct Found;

/// The agent whose model call this is, else what is current.
fn parent(parts: &mut Parts, body: &[u8]) -> Context {
    let current = Context::current();
    // Whoever suppresses telemetry here means all of it.
    if current.is_telemetry_suppressed() || parts.extensions.insert(Found).is_some() {
        return current;
    }
    let serving = parts.extensions.get::<Serving>();
    serving.and_then(|serving| dispatch::context_of(serving.effect, Sought::Model(body))).unwrap_or(current)
}

impl<H: HttpClientExt> HttpClientExt for GenAiHttp<H> {
    fn send<T, U>(
        &self,
        request: Request<T>,
    ) -> impl Future<Output = Result<Response<LazyBody<U>>>> + WasmCompatSend + 'static
    where
        T: Into<Bytes> + WasmCompatSend,
        U: From<Bytes> + WasmCompatSend + 'static,
    {
        let (mut parts, body) = request.into_parts();
        let body: Bytes = body.into();
        let (exchange, context) = self.begin(&mut parts, &body, None);
        let _within = context.clone().attach();
        let sending = self.inner.send::<Bytes, Bytes>(Request::from_parts(parts, body));
        whole(exchange, sending.with_context(context))
    }

    fn send_multipart<U>(
        &self,
        request: Request<MultipartForm>,
    ) -> impl Future<Output = Result<Response<LazyBody<U>>>> + WasmCompatSend + 'static
    where
        U: From<Bytes> + WasmCompatSend + 'static,
    {
        let (mut parts, form) = request.into_parts();
        let (boundary, fields) = fields(&form).encode();
        let (exchange, context) = self.begin(&mut parts, &fields, Some(&boundary));
        let _within = context.clone().attach();
        let sending = self.inner.send_multipart::<Bytes>(Request::from_parts(parts, form));
        whole(exchange, sending.with_context(context))
    }

    async fn send_streaming<T>(&self, request: Request<T>) -> Result<StreamingResponse>
    where
        T: Into<Bytes> + WasmCompatSend,
    {
        let (mut parts, body) = request.into_parts();
        let body: Bytes = body.into();
        let (exchange, context) = self.begin(&mut parts, &body, None);
        let sending = self.inner.send_streaming(Request::from_parts(parts, body));
        let response = sending.with_context(context).await;
        let Some(exchange) = exchange else { return response };
        match response {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let body: BoxedStream = Box::pin(Tapped(exchange.response(&parts, Streamed(body))));
                Ok(Response::from_parts(parts, body))
            }
            Err(error) => Err(refused(exchange, error)),
        }
    }
}

/// A request whose answer is read as a whole.
async fn whole<U>(
    exchange: Option<Exchange>,
    sending: impl Future<Output = Result<Response<LazyBody<Bytes>>>> + WasmCompatSend,
) -> Result<Response<LazyBody<U>>>
where
    U: From<Bytes> + WasmCompatSend + 'static,
{
    match (sending.await, exchange) {
        (Ok(response), exchange) => {
            let (parts, body) = response.into_parts();
            let body = match exchange {
                Some(exchange) => lazy(exchange.response(&parts, Once(Some(body)))),
                None => body,
            };
            let body: LazyBody<U> = Box::pin(async move { body.await.map(U::from) });
            Ok(Response::from_parts(parts, body))
        }
        (Err(error), Some(exchange)) => Err(refused(exchange, error)),
        (Err(error), None) => Err(error),
    }
}

/// There is no response; or there was one, and rig made an error of it.
fn refused(exchange: Exchange, error: Error) -> Error {
    let Error::InvalidStatusCodeWithDetails { status, body, headers } = &error else {
        // The transport's own error: what rig puts around it says no more.
        exchange.fail(match &error {
            Error::Instance(error) | Error::Unbuilt(error) => transport_failure(&**error),
            error => transport_failure(error),
        });
        return error;
    };
    let mut parts = Response::new(()).into_parts().0;
    parts.status = *status;
    parts.headers = headers.clone();
    // What rig kept is text, whatever came.
    parts.headers.remove(CONTENT_ENCODING);
    let mut body = exchange.response(&parts, Full::new(Bytes::from(body.clone())));
    let mut task = Task::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(_))) = Pin::new(&mut body).poll_frame(&mut task) {}
    error
}

/// A body that comes all at once.
struct Once(Option<LazyBody<Bytes>>);

impl Body for Once {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let result = std::task::ready!(body.as_mut().poll(task));
        self.0 = None;
        Poll::Ready(Some(result.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

/// The other way around.
fn lazy(mut body: Tap<Once>) -> LazyBody<Bytes> {
    Box::pin(async move {
        let mut whole = Bytes::new();
        while let Some(frame) = std::future::poll_fn(|task| Pin::new(&mut body).poll_frame(task)).await {
            whole = frame?.into_data().unwrap_or_default();
        }
        Ok(whole)
    })
}

/// A body that is a stream of chunks.
struct Streamed(BoxedStream);

impl Body for Streamed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        self.0.as_mut().poll_next(task).map_ok(Frame::data)
    }
}

/// The other way around.
struct Tapped(Tap<Streamed>);

impl Stream for Tapped {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Bytes>>> {
        Pin::new(&mut self.0).poll_frame(task).map_ok(|frame| frame.into_data().unwrap_or_default())
    }
}

/// A form as far as it tells what is asked: its files stay out.
fn fields(form: &MultipartForm) -> MultipartForm {
    form.parts().iter().fold(MultipartForm::new(), |fields, part| {
        let field = match part.content() {
            PartContent::Text(text) => Part::text(part.name(), text.as_str()),
            PartContent::Binary(_) => {
                let file = Part::bytes(part.name(), Bytes::new());
                match part.get_filename() {
                    Some(name) => file.filename(name),
                    None => file,
                }
            }
        };
        fields.part(field)
    })
}

/// The headers that a form will have when the transport has written it.
fn form_headers(headers: &HeaderMap, boundary: &str) -> Option<HeaderMap> {
    let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")).ok()?;
    let mut headers = headers.clone();
    headers.insert(CONTENT_TYPE, kind);
    Some(headers)
}

impl<H> fmt::Debug for GenAiHttp<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenAiHttp").field("propagate", &self.propagate).finish_non_exhaustive()
    }
}
