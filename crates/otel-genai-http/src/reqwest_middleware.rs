//! A middleware for [reqwest-middleware](::reqwest_middleware).
//!
//! ```
//! use otel_genai_http::reqwest_middleware::GenAiMiddleware;
//! use reqwest_middleware::ClientBuilder;
//!
//! let client = ClientBuilder::new(reqwest::Client::new()).with(GenAiMiddleware::new()).build();
//! ```
//!
//! Add it before a middleware that tries again: then a call is one span, however often it was tried. Added after it,
//! each attempt is one.

use async_trait::async_trait;
use http::Extensions;
use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use otel_genai::Failure;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::client::{Instrument, Running};
use crate::failure::transport_failure;
use crate::observer::Observer;
use crate::reqwest::{begin, failure, observed};

/// Observes the model calls of a client. Requests that are no model calls pass untouched.
///
/// The parent of a call is the OpenTelemetry context in which it is made. It ends with its response's body; with an
/// error; or as cancelled, when the call or that body is dropped before.
#[derive(Clone, Debug, Default)]
pub struct GenAiMiddleware {
    instrument: Instrument,
}

impl GenAiMiddleware {
    /// A middleware that writes its telemetry through [`Observer::global`].
    #[must_use]
    pub fn new() -> Self {
        GenAiMiddleware::default()
    }

    /// A middleware with an observer of its own.
    #[must_use]
    pub fn with(observer: Observer) -> Self {
        GenAiMiddleware { instrument: Instrument::of(observer) }
    }

    /// Whether model calls carry the caller's trace on, in the headers of OpenTelemetry's global propagator
    /// (`traceparent`). Off by default: providers are others.
    #[must_use]
    pub fn propagate(mut self, propagate: bool) -> Self {
        self.instrument.propagate = propagate;
        self
    }
}

#[async_trait]
impl Middleware for GenAiMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let begun = begin(&self.instrument, &mut request, Context::current());
        let Some(Running { exchange, context }) = begun else {
            return next.run(request, extensions).await;
        };
        match next.run(request, extensions).with_context(context).await {
            Ok(response) => Ok(observed(exchange, response)),
            Err(error) => {
                exchange.fail(reason(&error));
                Err(error)
            }
        }
    }
}

fn reason(error: &Error) -> Failure {
    match error {
        Error::Reqwest(error) => failure(error),
        Error::Middleware(error) => match error.downcast_ref() {
            Some(error) => failure(error),
            None => transport_failure(error.as_ref()),
        },
    }
}
