//! A tower layer around any client that sends `http::Request`s.
//!
//! ```
//! use otel_genai_http::tower::GenAiLayer;
//! use tower::ServiceBuilder;
//!
//! # fn example<C>(client: C) {
//! let client = ServiceBuilder::new().layer(GenAiLayer::new()).service(client);
//! # }
//! ```
//!
//! Put it outside of layers that try again: then a call is one span, however often it was tried. Inside of them, each
//! attempt is one. Layers that change the URL or the body's encoding belong outside.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body::Body;
use opentelemetry::Context;
use otel_genai::Failure;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::client::{Instrument, Running};
use crate::failure::transport_failure;
use crate::observer::Observer;
use crate::tap::Tap;

/// Observes the model calls of a service over `http::Request`, with bodies of [`Bytes`]. Requests that are no model
/// calls pass untouched.
///
/// A body of other data does not compile, nor does one whose error is a box: http-body-util's `map_frame` and
/// `map_err(std::io::Error::other)` make them bytes and errors.
///
/// The service within gets its request's body as a [`Tap`], and gives back a response whose body is one too. A call ends
/// with its response's body; with the service's error; or as cancelled, when its future or that body is dropped before.
///
/// A request should have an absolute URL. One without gets `https` and its `Host` header for telemetry.
#[derive(Debug)]
pub struct GenAiLayer<M = StdErrors> {
    instrument: Instrument,
    errors: PhantomData<fn() -> M>,
}

impl GenAiLayer {
    /// A layer that writes its telemetry through [`Observer::global`].
    #[must_use]
    pub fn new() -> Self {
        GenAiLayer { instrument: Instrument::default(), errors: PhantomData }
    }

    /// A layer with an observer of its own.
    #[must_use]
    pub fn with(observer: Observer) -> Self {
        GenAiLayer { instrument: Instrument::of(observer), errors: PhantomData }
    }

    /// For services whose error is a [`BoxError`], as tower's own layers make it: timeouts, limits, buffers.
    #[must_use]
    pub fn boxed_errors(self) -> GenAiLayer<BoxedErrors> {
        GenAiLayer { instrument: self.instrument, errors: PhantomData }
    }
}

impl<M> GenAiLayer<M> {
    /// Whether model calls carry the caller's trace on, in the headers of OpenTelemetry's global propagator
    /// (`traceparent`). Off by default: providers are others. For a gateway of your own, turn it on; its spans are
    /// then beside the call's, below the same parent.
    #[must_use]
    pub fn propagate(mut self, propagate: bool) -> Self {
        self.instrument.propagate = propagate;
        self
    }
}

impl Default for GenAiLayer {
    fn default() -> Self {
        GenAiLayer::new()
    }
}

impl<M> Clone for GenAiLayer<M> {
    fn clone(&self) -> Self {
        GenAiLayer { instrument: self.instrument.clone(), errors: PhantomData }
    }
}

impl<S, M> Layer<S> for GenAiLayer<M> {
    type Service = GenAiService<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        GenAiService { inner, layer: self.clone() }
    }
}

/// The service that [`GenAiLayer`] makes.
pub struct GenAiService<S, M = StdErrors> {
    inner: S,
    layer: GenAiLayer<M>,
}

impl<S: Clone, M> Clone for GenAiService<S, M> {
    fn clone(&self) -> Self {
        GenAiService { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, M> fmt::Debug for GenAiService<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenAiService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, M, B, R> Service<Request<B>> for GenAiService<S, M>
where
    S: Service<Request<Tap<B>>, Response = Response<R>>,
    M: Reads<S::Error>,
    B: Body<Data = Bytes>,
    B::Error: Error + 'static,
    R: Body<Data = Bytes>,
    R::Error: Error + 'static,
{
    type Response = Response<Tap<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, M>;

    fn poll_ready(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let url = absolute(&parts);
        let url = url.as_ref().unwrap_or(&parts.uri);
        let begun = self.layer.instrument.begin(&parts.method, url, &mut parts.headers, Context::current());
        let body = match &begun {
            Some(running) => running.exchange.request_body(body),
            None => Tap::unobserved(body),
        };
        let _within = begun.as_ref().map(|running| running.context.clone().attach());
        let inner = self.inner.call(Request::from_parts(parts, body));
        ResponseFuture { inner, running: begun, errors: PhantomData }
    }
}

/// The URL of a request that only has a path.
fn absolute(parts: &http::request::Parts) -> Option<Uri> {
    if parts.uri.authority().is_some() {
        return None;
    }
    let host = parts.headers.get(HOST)?.as_bytes();
    let path = parts.uri.path_and_query()?.clone();
    Uri::builder().scheme(Scheme::HTTPS).authority(host).path_and_query(path).build().ok()
}

pin_project! {
    /// The future of a [`GenAiService`]. Dropped before there is a response, it ends the call as cancelled.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct ResponseFuture<F, M> {
        #[pin]
        inner: F,
        running: Option<Running>,
        errors: PhantomData<fn() -> M>,
    }
}

impl<F, M, R, E> Future for ResponseFuture<F, M>
where
    F: Future<Output = Result<Response<R>, E>>,
    M: Reads<E>,
    R: Body<Data = Bytes>,
    R::Error: Error + 'static,
{
    type Output = Result<Response<Tap<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let within = this.running.as_ref().map(|running| running.context.clone().attach());
        let result = ready!(this.inner.poll(cx));
        drop(within);
        let running = this.running.take();
        Poll::Ready(match (result, running) {
            (Ok(response), Some(running)) => {
                let (parts, body) = response.into_parts();
                let body = running.exchange.response(&parts, body);
                Ok(Response::from_parts(parts, body))
            }
            (Ok(response), None) => Ok(response.map(Tap::unobserved)),
            (Err(error), running) => {
                if let Some(running) = running {
                    running.exchange.fail(M::failure(&error));
                }
                Err(error)
            }
        })
    }
}

impl<F, M> fmt::Debug for ResponseFuture<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// The error of tower's own layers.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Reads errors that are [`Error`]s.
#[derive(Clone, Copy, Debug)]
pub struct StdErrors;

/// Reads errors that are [`BoxError`]s.
#[derive(Clone, Copy, Debug)]
pub struct BoxedErrors;

/// How the errors of a service are read.
#[diagnostic::on_unimplemented(
    message = "the service's error `{E}` cannot be read by this layer",
    note = "a boxed error needs `GenAiLayer::new().boxed_errors()`"
)]
pub trait Reads<E>: sealed::Sealed {
    /// The error as a failure of the call.
    fn failure(error: &E) -> Failure;
}

impl<E: Error + 'static> Reads<E> for StdErrors {
    fn failure(error: &E) -> Failure {
        transport_failure(error)
    }
}

impl Reads<BoxError> for BoxedErrors {
    fn failure(error: &BoxError) -> Failure {
        transport_failure(&**error)
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::StdErrors {}
    impl Sealed for super::BoxedErrors {}
}
