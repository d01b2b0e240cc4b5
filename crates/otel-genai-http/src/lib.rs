//! Observes model calls over HTTP: a tap on request and response bodies that forwards every frame untouched, and a
//! thread beside the traffic that reads what passed and writes the telemetry.
//!
//! # In a client
//!
//! One line puts it around the client that a program has already; each is a feature of its own, none is on by default.
//!
//! | client | feature | the line |
//! |---|---|---|
//! | tower services of `http::Request` (hyper, ...) | `tower` | `.layer(GenAiLayer::new())` |
//! | reqwest | `reqwest` | `.send_genai()` |
//! | reqwest-middleware | `reqwest-middleware` | `.with(GenAiMiddleware::new())` |
//! | async-openai | `async-openai` | `instrument(client)` |
//!
//! They share [`Observer::global`], and each also takes an observer of its own. At the end of a program,
//! [`drain`](Observer::drain) it before telemetry is flushed.
//!
//! * The parent of a call's span is the OpenTelemetry context in which the call is made.
//! * That span is started on the observer's thread and is never current: spans that the client makes within, and
//!   whoever gets `traceparent`, are children of the same parent, beside the call.
//! * A call that is made while an outer layer of these observes it is not observed again.
//! * What is done in a context with suppressed telemetry is not observed: exporters may use the same clients.
//!
//! # By hand
//!
//! The gateway and the client layers are thin shells around this:
//!
//! ```
//! use http_body_util::Full;
//! use otel_genai_http::{Call, Observer, Options};
//!
//! # fn example(request: http::Request<Full<bytes::Bytes>>, answer: http::Response<Full<bytes::Bytes>>) -> std::io::Result<()> {
//! let observer = Observer::new(otel_genai::GenAi::global(), Options::default())?;
//!
//! let (parts, body) = request.into_parts();
//! // `None`: not a model call, forward it as it is.
//! if let Some(exchange) = observer.begin(&Call::new(&parts.method, &parts.uri, &parts.headers)) {
//!     let body = exchange.request_body(body); // send this on ...
//!     let (parts, body) = answer.into_parts();
//!     let body = exchange.response(&parts, body); // ... and give this back
//! #   let _ = body;
//! }
//! # let _ = body;
//! # Ok(())
//! # }
//! ```
//!
//! Rules that hold here: a frame is forwarded before anything is read from it; nothing waits for telemetry; what is
//! held is bounded by bytes, and what does not fit is dropped and counted; a call ends at the provider's terminal
//! event, at the end of the body, on an error or when it is dropped, whichever comes first, and only once.

#[cfg(feature = "async-openai")]
pub mod async_openai;
mod bell;
#[cfg(any(feature = "tower", feature = "reqwest"))]
mod client;
mod decompress;
mod exchange;
mod failure;
mod head;
mod observer;
mod open;
mod propagate;
mod reader;
mod record;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
mod runs;
mod secret;
mod session;
mod tap;
mod totals;
#[cfg(feature = "tower")]
pub mod tower;

pub use exchange::{Call, Exchange};
pub use failure::{causes, transport_failure};
pub use observer::{Losses, Observer, Options, Unread};
pub use propagate::propagate;
pub use runs::Runs;
pub use session::{Session, SessionTap, Upgrade};
pub use tap::Tap;
pub use totals::Totals;
