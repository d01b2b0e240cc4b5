//! Observes model calls over HTTP: a tap on request and response bodies that forwards every frame untouched, and a
//! thread beside the traffic that reads what passed and writes the telemetry.
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

mod bell;
mod decompress;
mod exchange;
mod failure;
mod head;
mod observer;
mod reader;
mod record;
mod runs;
mod secret;
mod session;
mod tap;
mod totals;

pub use exchange::{Call, Exchange};
pub use failure::{causes, transport_failure};
pub use observer::{Losses, Observer, Options, Unread};
pub use runs::Runs;
pub use session::{Session, SessionTap, Upgrade};
pub use tap::Tap;
pub use totals::Totals;
