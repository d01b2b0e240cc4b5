//! A connection that became a WebSocket, observed while its bytes pass.

mod reader;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::response;
use opentelemetry::{Context, KeyValue};
use otel_genai::Moment;
use otel_genai_wire::{Route, detect};

use crate::exchange::{Call, headers};
use crate::failure::transport_failure;
use crate::observer::{Observer, Shared};
use crate::record::{Begun, Ending, Record};
use crate::secret::Secrets;

pub(crate) use reader::Reader;

/// A request that wants its connection to become a WebSocket on which models are called. Dropped, it leaves nothing.
#[must_use = "an upgrade is observed only once it is accepted"]
pub struct Upgrade {
    observer: Arc<Shared>,
    route: Route,
    secrets: Secrets,
    parent: Context,
    attributes: Vec<KeyValue>,
}

/// A connection that is a WebSocket now.
#[must_use = "a session is observed by its taps"]
pub struct Session {
    record: Arc<Record>,
}

/// Is told what passes in one direction of a session. With the last one the session is over.
pub struct SessionTap {
    record: Arc<Record>,
    is_client: bool,
}

impl Observer {
    /// Looks at a request that asks for an upgrade. `None`: no models are called on what it opens, or telemetry is
    /// suppressed where it is made.
    pub fn begin_upgrade(&self, call: &Call<'_>) -> Option<Upgrade> {
        if call.parent.is_telemetry_suppressed() {
            return None;
        }
        let route =
            detect(call.method, call.upstream, call.headers).filter(|route| route.protocol.is_session())?;
        if self.shared().is_full() {
            return None;
        }
        Some(Upgrade {
            observer: Arc::clone(self.shared()),
            route,
            secrets: Secrets::of(call.headers, call.upstream),
            parent: call.parent.clone(),
            attributes: call.attributes.clone(),
        })
    }
}

impl Upgrade {
    /// The provider has agreed: what passes on the connection from here on is the session. `answer` is the head of its
    /// answer, with the status 101.
    pub fn accepted(self, answer: &response::Parts) -> Session {
        let begun = Begun {
            route: self.route,
            headers: headers(&answer.headers, &[SEC_WEBSOCKET_EXTENSIONS]),
            secrets: self.secrets,
            // What a session says is its own run already.
            scope: None,
            counted: None,
            parent: self.parent,
            attributes: self.attributes,
            at: Moment::now(),
        };
        Session { record: Record::new(self.observer, begun) }
    }
}

impl Session {
    /// The taps for what the client sends, and for what the provider sends.
    pub fn taps(self) -> (SessionTap, SessionTap) {
        let client = SessionTap { record: Arc::clone(&self.record), is_client: true };
        (client, SessionTap { record: self.record, is_client: false })
    }
}

impl SessionTap {
    /// These bytes pass now, in pieces of any size.
    pub fn data(&self, bytes: &[u8]) {
        let at = Instant::now();
        if self.is_client {
            self.record.sent(at, bytes);
        } else {
            self.record.received(at, bytes);
        }
    }

    /// Nothing more comes for the moment: what has passed is worth reading.
    pub fn idle(&self) {
        self.record.flush();
    }

    /// This side has closed its direction.
    pub fn closed(&self) {
        if self.is_client {
            self.record.left();
        } else {
            self.record.end(Ending::Complete);
        }
    }

    /// The connection to this side has failed.
    pub fn failed(&self, error: &(dyn Error + 'static)) {
        if !self.is_client {
            self.record.end(Ending::Failed(transport_failure(error)));
        }
    }
}

impl Drop for SessionTap {
    /// Whoever carries the bytes stops. What ended before has ended otherwise.
    fn drop(&mut self) {
        self.record.end(Ending::Dropped);
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").field("route", &self.route).finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl fmt::Debug for SessionTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTap").field("is_client", &self.is_client).finish_non_exhaustive()
    }
}
