//! Model calls through a bare [`Client`](::reqwest::Client) of reqwest.
//!
//! ```no_run
//! use otel_genai_http::reqwest::RequestBuilderExt as _;
//!
//! # async fn example(body: &'static str) -> Result<(), reqwest::Error> {
//! let client = reqwest::Client::new();
//! let response = client.post("https://api.openai.com/v1/chat/completions").body(body).send_genai().await?;
//! # Ok(())
//! # }
//! ```

use http::Uri;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use otel_genai::Failure;
use reqwest::{Body, Error, Request, RequestBuilder, Response, ResponseBuilderExt as _};

use crate::client::{Instrument, Running};
use crate::exchange::Exchange;
use crate::failure::transport_failure;
use crate::observer::Observer;

/// Sends a request, and observes it if it is a model call. Anything else is sent as by
/// [`send`](RequestBuilder::send).
///
/// The call begins when the future is first polled, below the OpenTelemetry context of that moment. It ends with the
/// response's body; with an error; or as cancelled, when the future or that body is dropped before. Redirects are
/// followed within it.
pub trait RequestBuilderExt: sealed::Sealed + Sized {
    /// As [`send`](RequestBuilder::send), and tells of it through [`Observer::global`].
    fn send_genai(self) -> impl Future<Output = Result<Response, Error>> + Send;

    /// The same with an observer of its own.
    fn send_genai_with(self, observer: &Observer) -> impl Future<Output = Result<Response, Error>> + Send;
}

impl RequestBuilderExt for RequestBuilder {
    fn send_genai(self) -> impl Future<Output = Result<Response, Error>> + Send {
        send(self, Instrument::default())
    }

    fn send_genai_with(self, observer: &Observer) -> impl Future<Output = Result<Response, Error>> + Send {
        send(self, Instrument::of(observer.clone()))
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for reqwest::RequestBuilder {}
}

async fn send(request: RequestBuilder, instrument: Instrument) -> Result<Response, Error> {
    let (client, request) = request.build_split();
    let mut request = request?;
    let Some(Running { exchange, context }) = begin(&instrument, &mut request, Context::current()) else {
        return client.execute(request).await;
    };
    match client.execute(request).with_context(context).await {
        Ok(response) => Ok(observed(exchange, response)),
        Err(error) => {
            exchange.fail(failure(&error));
            Err(error)
        }
    }
}

/// Begins to observe a request, if it is a model call, with its body.
pub(crate) fn begin(instrument: &Instrument, request: &mut Request, parent: Context) -> Option<Running> {
    let upstream: Uri = request.url().as_str().parse().ok()?;
    let method = request.method().clone();
    let running = instrument.begin(&method, &upstream, request.headers_mut(), parent)?;
    match request.body().map(Body::as_bytes) {
        // Left as it is: redirects and retries send it again.
        Some(Some(bytes)) => running.exchange.request_bytes(bytes),
        Some(None) => {
            let body = request.body_mut();
            *body = body.take().map(|body| Body::wrap(running.exchange.request_body(body)));
        }
        None => {}
    }
    Some(running)
}

/// The response whose body ends the call.
pub(crate) fn observed(exchange: Exchange, response: Response) -> Response {
    let url = response.url().clone();
    let (parts, body) = http::Response::<Body>::from(response).into_parts();
    let body = exchange.response(&parts, body);
    // A response that is made of its parts has forgotten its URL; there is no other way to tell it.
    let carrier =
        http::Response::builder().url(url).body(()).map(|carrier| carrier.into_parts().0.extensions);
    let mut response = http::Response::from_parts(parts, Body::wrap(body));
    if let Ok(extensions) = carrier {
        response.extensions_mut().extend(extensions);
    }
    Response::from(response)
}

/// Why there is no response.
pub(crate) fn failure(error: &Error) -> Failure {
    let mut failure = transport_failure(error);
    if failure.error_type == "connection_error" && !error.is_connect() {
        failure.error_type = match () {
            () if error.is_timeout() => "timeout".into(),
            // Never sent, or led in a circle.
            () if error.is_builder() || error.is_redirect() => Failure::OTHER.into(),
            () => failure.error_type,
        };
    }
    failure
}
