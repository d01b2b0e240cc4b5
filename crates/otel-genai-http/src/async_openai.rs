//! Model calls of [async-openai](::async_openai): chat, responses, embeddings and all the rest, whole and streamed.
//!
//! ```no_run
//! use async_openai::Client;
//! use otel_genai_http::async_openai::instrument;
//!
//! let client = instrument(Client::new());
//! ```

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll, ready};

use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::middleware::{HttpRequestFactory, ReqwestService};
use opentelemetry::Context;
use otel_genai::Failure;
use pin_project_lite::pin_project;
use reqwest::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::client::{Instrument, Running};
use crate::exchange::{Exchange, Observed};
use crate::failure::transport_failure;
use crate::observer::Observer;
use crate::reqwest::{begin, failure, observed};

/// The client, its model calls told through [`Observer::global`]. It retries as async-openai does by default, and a call
/// is one span however often it was tried.
///
/// A client's HTTP stack cannot be seen from outside: this one's is made anew, of a [`reqwest::Client`] with its
/// defaults. A client with an HTTP client or layers of its own takes [`GenAiLayer`] instead, as the outermost layer of
/// [`Client::with_http_service`].
#[must_use]
pub fn instrument<C: Config>(client: Client<C>) -> Client<C> {
    stack(client, &GenAiLayer::new())
}

/// The same with an observer of its own.
#[must_use]
pub fn instrument_with<C: Config>(client: Client<C>, observer: Observer) -> Client<C> {
    stack(client, &GenAiLayer::with(observer))
}

fn stack<C: Config>(client: Client<C>, layer: &GenAiLayer) -> Client<C> {
    let transport = ReqwestService::new(reqwest::Client::new());
    client.with_http_service(layer.layer(OpenAIRetryLayer::default().layer(transport)))
}

/// Observes the model calls of an HTTP stack of one's own.
///
/// ```no_run
/// use async_openai::Client;
/// use async_openai::middleware::{ReqwestService, retry::OpenAIRetryLayer};
/// use otel_genai_http::async_openai::GenAiLayer;
/// use tower::ServiceBuilder;
///
/// let http = ServiceBuilder::new()
///     .layer(GenAiLayer::new()) // outermost: one span for a call and its retries
///     .layer(OpenAIRetryLayer::default())
///     .service(ReqwestService::new(reqwest::Client::new()));
/// let client = Client::new().with_http_service(http);
/// ```
///
/// Inside the retry layer each attempt would be a span.
#[derive(Clone, Debug, Default)]
pub struct GenAiLayer {
    instrument: Instrument,
}

impl GenAiLayer {
    /// A layer that writes its telemetry through [`Observer::global`].
    #[must_use]
    pub fn new() -> Self {
        GenAiLayer::default()
    }

    /// A layer with an observer of its own.
    #[must_use]
    pub fn with(observer: Observer) -> Self {
        GenAiLayer { instrument: Instrument::of(observer) }
    }

    /// Whether model calls carry the caller's trace on, in the headers of OpenTelemetry's global propagator
    /// (`traceparent`). Off by default: providers are others.
    #[must_use]
    pub fn propagate(mut self, propagate: bool) -> Self {
        self.instrument.propagate = propagate;
        self
    }
}

impl<S> Layer<S> for GenAiLayer {
    type Service = GenAiService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GenAiService { inner, instrument: self.instrument.clone() }
    }
}

/// The service that [`GenAiLayer`] makes.
#[derive(Clone, Debug)]
pub struct GenAiService<S> {
    inner: S,
    instrument: Instrument,
}

impl<S> Service<HttpRequestFactory> for GenAiService<S>
where
    S: Service<HttpRequestFactory, Response = Response>,
    S::Error: Into<OpenAIError>,
{
    type Response = Response;
    type Error = OpenAIError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), OpenAIError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let parent = Context::current();
        let context = parent.with_value(Observed);
        let state = Arc::new(Mutex::new(State::Waiting(parent)));
        let call = Call { instrument: self.instrument.clone(), state: Arc::clone(&state) };
        let factory = HttpRequestFactory::new(move || {
            let (factory, call) = (factory.clone(), call.clone());
            async move {
                let mut request = factory.build().await?;
                call.attempt(&mut request);
                Ok(request)
            }
        });
        let _within = context.clone().attach();
        ResponseFuture { inner: self.inner.call(factory), end: End { state }, context }
    }
}

/// A call, which may be tried several times.
#[derive(Clone)]
struct Call {
    instrument: Instrument,
    state: Arc<Mutex<State>>,
}

enum State {
    /// No request has been built yet.
    Waiting(Context),
    /// Also between attempts.
    Running(Exchange, Context),
    /// No model call, or over.
    Left,
}

impl Call {
    /// The first attempt begins the call; the next ones send what is known already.
    fn attempt(&self, request: &mut Request) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Waiting(parent) => {
                let parent = parent.clone();
                *state = match begin(&self.instrument, request, parent.clone()) {
                    Some(Running { exchange, .. }) => State::Running(exchange, parent),
                    None => State::Left,
                };
            }
            State::Running(_, parent) => self.instrument.inject(parent, request.headers_mut()),
            State::Left => {}
        }
    }
}

/// Ends the call when the future does: a factory may be kept longer by anyone.
struct End {
    state: Arc<Mutex<State>>,
}

impl End {
    fn take(&self) -> Option<Exchange> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Left) {
            State::Running(exchange, _) => Some(exchange),
            State::Waiting(_) | State::Left => None,
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        drop(self.take());
    }
}

pin_project! {
    /// The future of a [`GenAiService`]. Dropped before there is a response, it ends the call as cancelled.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        end: End,
        context: Context,
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response, E>>,
    E: Into<OpenAIError>,
{
    type Output = Result<Response, OpenAIError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let within = this.context.clone().attach();
        let result = ready!(this.inner.poll(cx));
        drop(within);
        let exchange = this.end.take();
        Poll::Ready(match result {
            Ok(response) => Ok(match exchange {
                Some(exchange) => observed(exchange, response),
                None => response,
            }),
            Err(error) => {
                let error = error.into();
                if let Some(exchange) = exchange {
                    exchange.fail(reason(&error));
                }
                Err(error)
            }
        })
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

fn reason(error: &OpenAIError) -> Failure {
    match error {
        OpenAIError::Reqwest(error) => failure(error),
        OpenAIError::Boxed(error) => transport_failure(&**error),
        // What the retry layer found in a refusal that it had to read.
        OpenAIError::ApiError(refused) => {
            let told = refused.api_error.code.clone().or_else(|| refused.api_error.r#type.clone());
            let kind = told.unwrap_or_else(|| refused.status_code.as_u16().to_string());
            Failure::new(kind).message(refused.api_error.message.clone())
        }
        // The text may hold a whole answer.
        _ => Failure::new(Failure::OTHER),
    }
}
