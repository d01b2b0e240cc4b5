//! How exports leave the process: over a small runtime of our own, so that no caller's runtime can starve them.
//!
//! The SDK exports from threads of its own and waits there. If the sockets lived on the application's runtime, a
//! shutdown from inside that runtime would wait for itself. So the sockets live on one thread that belongs to the guard.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use opentelemetry::Context;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::config::{Credentials, Destination};
use connect::{Connector, Speak};

pub(crate) mod connect;
pub(crate) mod grpc;
pub(crate) mod http;
mod tls;

/// The runtime of the exporters. Dropping it never waits.
#[derive(Debug)]
pub(crate) struct Transport {
    runtime: Option<Runtime>,
    handle: Handle,
    /// Signals that trust and are the same share connections and certificates.
    clients: Mutex<Vec<(Credentials, bool, http::Client)>>,
    connectors: Mutex<Vec<(Credentials, bool, Connector)>>,
}

impl Transport {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            // Names are resolved on these; two, so that one that hangs does not hold up the other.
            .max_blocking_threads(2)
            .thread_keep_alive(Duration::from_secs(2))
            .thread_name("otel-export")
            // The libraries below us speak through `tracing`. Where that leads back to OpenTelemetry, every export would
            // be the cause of the next. The guard is not dropped: the thread stays silent as long as it lives.
            .on_thread_start(|| std::mem::forget(Context::enter_telemetry_suppressed_scope()))
            .enable_io()
            .enable_time()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Some(runtime), handle, clients: Mutex::default(), connectors: Mutex::default() })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    fn client(&self, to: &Destination) -> http::Client {
        shared(&self.clients, to, |https| http::client(Connector::new(https, &to.credentials, Speak::Http1)))
    }

    fn connector(&self, to: &Destination) -> Connector {
        shared(&self.connectors, to, |https| Connector::new(https, &to.credentials, Speak::Http2))
    }
}

fn shared<T: Clone>(
    made: &Mutex<Vec<(Credentials, bool, T)>>,
    to: &Destination,
    make: impl FnOnce(bool) -> T,
) -> T {
    let https = to.url.scheme_str() == Some("https");
    let mut made = made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match made.iter().find(|(credentials, tls, _)| *credentials == to.credentials && *tls == https) {
        Some((_, _, same)) => same.clone(),
        None => {
            let new = make(https);
            made.push((to.credentials.clone(), https, new.clone()));
            new
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        // An ordinary drop waits for the threads, and panics inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
