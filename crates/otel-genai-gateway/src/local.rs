//! A gateway inside the program, for a client that takes a base URL and nothing else.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use http::Uri;
use opentelemetry::Context;
use otel_genai_http::Observer;
use tokio::sync::oneshot;

use crate::builder::BindError;
use crate::gateway::Gateway;
use crate::route::Route;
use crate::within::{Parents, Within};

/// How long whoever drops it waits for its calls. Idle connections close at once.
const SETTLE: Duration = Duration::from_millis(500);

/// A gateway on a free loopback port in front of one provider, as long as it is kept.
///
/// ```no_run
/// use opentelemetry::Context;
/// use otel_genai_gateway::Local;
///
/// let ollama = Local::start("http://127.0.0.1:11434")?;
/// // Give this to the client as its address, instead of the provider's:
/// let url = ollama.url();
/// // Or, for a client whose calls are to be children of a span of yours, this:
/// let here = ollama.within(&Context::current());
/// let url = here.url();
/// # drop(url);
/// # Ok::<_, otel_genai_gateway::LocalError>(())
/// ```
///
/// It runs on a thread of its own: it can be started anywhere, and serves clients of any runtime. Calls of models are
/// observed; everything else is forwarded as it is.
///
/// Dropped, it takes no more calls, and those under way go on to their end. Dropping waits for them, but no longer than
/// half a second: drop it before telemetry is shut down, so that what it saw is told.
///
/// A client that takes a proxy from the environment has to be told that this address is on the machine: by
/// `NO_PROXY=127.0.0.1`.
#[must_use = "dropping it ends the gateway"]
pub struct Local {
    url: String,
    parents: Parents,
    /// Taken to end it.
    running: Option<oneshot::Sender<()>>,
    /// Hangs up when the thread is done.
    ended: Mutex<Receiver<()>>,
}

/// Why a [`Local`] gateway could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The provider's address cannot be used. It is not shown: it may hold a key.
    #[error(
        "the provider's address must begin with http:// or https://, such as http://127.0.0.1:11434, and have no user \
         name, password or query; clients send credentials in headers"
    )]
    Provider,
    /// There is no port to listen on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system refuses a thread, or what its runtime needs.
    #[error("the gateway's thread cannot start: {0}")]
    Thread(#[from] io::Error),
}

impl Local {
    /// Starts a gateway in front of the provider at this base address, observed by [`Observer::global`].
    ///
    /// # Errors
    /// When the address is no plain http(s) address, or there is no port or thread.
    pub fn start(provider: &str) -> Result<Self, LocalError> {
        Local::start_with(provider, Observer::global().clone())
    }

    /// The same with an observer of its own.
    ///
    /// # Errors
    /// As [`start`](Local::start).
    pub fn start_with(provider: &str, observer: Observer) -> Result<Self, LocalError> {
        let upstream: Uri = provider.parse().map_err(|_| LocalError::Provider)?;
        let route = Route::new("", &upstream).map_err(|_| LocalError::Provider)?;
        let parents = Parents::default();
        // Nobody but the clients knows how long their calls may take.
        let builder =
            Gateway::builder(Some(observer)).route(route).parents(parents.clone()).drain(Duration::MAX);
        let (running, stop) = oneshot::channel();
        let (started, start) = mpsc::sync_channel(1);
        let (alive, ended) = mpsc::channel();
        thread::Builder::new().name("otel-genai-local".to_owned()).spawn(move || {
            let _alive = alive;
            // Made here: dropped in an async task, a runtime panics.
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(LocalError::Thread(error)))),
            };
            runtime.block_on(async {
                match builder.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await {
                    Ok(gateway) => {
                        let _ = started.send(Ok(gateway.local_addr()));
                        gateway.serve(async { drop(stop.await) }).await;
                    }
                    Err(error) => drop(started.send(Err(LocalError::Bind(error)))),
                }
            });
        })?;
        let address = start.recv().map_err(|_| io::Error::other("it ended at once"))??;
        Ok(Local {
            url: format!("http://{address}"),
            parents,
            running: Some(running),
            ended: Mutex::new(ended),
        })
    }

    /// Its address, in place of the provider's: `http://127.0.0.1:PORT`, without a slash at the end. A path in the
    /// provider's address is behind it already.
    ///
    /// The gateway cannot know from where in the program a call comes: it begins a trace of its own, unless the client
    /// sends a `traceparent`, which OpenTelemetry's global propagator reads. See [`within`](Local::within).
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An address whose calls are children of the span in `context`, for a client that is made for a piece of work: a
    /// request, the run of an agent. As long as what is returned is kept; later calls are forwarded and observed all the
    /// same, in traces of their own. A `traceparent` that the client sends says it better, and wins.
    pub fn within(&self, context: &Context) -> Within {
        self.parents.add(&self.url, context.clone())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.running = None;
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Nothing is ever sent: it hangs up, or the time is over.
        let _ = ended.recv_timeout(SETTLE);
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("url", &self.url).finish_non_exhaustive()
    }
}
