//! `otel-genai gateway`: the proxy standing alone, for containers and teams.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use otel_genai::Capture;
use otel_genai_gateway::{Gateway as Proxy, GatewayBuilder, Route, RouteError, UpstreamFailure};
use otel_genai_http::Runs;
use otel_genai_sdk::{ConsoleOptions, Exporter};
use tokio::signal::unix::{SignalKind, signal};

use crate::diagnostics;
use crate::exit::Failure;
use crate::options::TelemetryOptions;
use crate::session::{Session, Wanted};
use crate::settings::{FLUSH_TIMEOUT, LISTEN, Listen, Seconds};
use crate::trust;
use crate::url::BaseUrl;
use crate::variables::{PROVIDERS, Upstream};

/// How long cutting calls may take: a name lookup that hangs must not hold us.
const CUT: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai gateway                                    all known providers
  otel-genai gateway --upstream https://api.openai.com  one provider, at the root
  otel-genai gateway --listen 0.0.0.0:8080 --route local=http://ollama:11434

Clients are pointed at it by their base URL: OPENAI_BASE_URL=http://127.0.0.1:4080/openai/v1

Calls are forwarded byte for byte, with the client's own key. It ends on SIGINT or SIGTERM, after the calls under way \
have finished and everything is exported; a second signal cuts them.")]
pub(super) struct Gateway {
    /// Where to listen [default: 127.0.0.1:4080]
    ///
    /// A name such as localhost will do; port 0 lets the system choose. Also OTEL_GENAI_LISTEN.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Gateway")]
    listen: Option<Listen>,

    /// Forward everything to this provider
    #[arg(long, value_name = "URL", value_parser = base_url, help_heading = "Gateway")]
    upstream: Option<BaseUrl>,

    /// Forward /NAME/... to this provider; may be repeated
    #[arg(long = "route", value_name = "NAME=URL", help_heading = "Gateway")]
    routes: Vec<Upstream>,

    #[command(flatten)]
    telemetry: TelemetryOptions,

    /// How long the last export may take in the end [default: 3s]
    ///
    /// Also OTEL_GENAI_FLUSH_TIMEOUT.
    #[arg(long, value_name = "SECONDS", help_heading = "Telemetry")]
    flush_timeout: Option<Seconds>,
}

fn base_url(text: &str) -> Result<BaseUrl, String> {
    BaseUrl::parse(text).ok_or_else(|| "it must be an http:// or https:// URL".to_owned())
}

impl Gateway {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(self.telemetry.quiet);
        let listen = LISTEN.or_variable(self.listen).unwrap_or_default().0;
        let flush_timeout = FLUSH_TIMEOUT.or_variable(self.flush_timeout).unwrap_or_default().0;
        let routes = self.routes().map_err(Failure::ours)?;
        let session = Session::begin(Wanted {
            options: &self.telemetry,
            service: "otel-genai-gateway".to_owned(),
            exporter: Exporter::Console,
            console: ConsoleOptions::new(),
            runs: Runs::Keyed,
            content: Capture::NoContent,
            calls: true,
        })?;
        let runtime = super::runtime()?;
        let ended = runtime.block_on(serve(&session, listen, routes));
        let tally = session.tally();
        // Calls that are still under way end here, so that the last export has them.
        runtime.shutdown_timeout(CUT);
        let delivered = session.end(Instant::now() + flush_timeout);
        tally.say(delivered, || None);
        ended
    }

    fn routes(&self) -> Result<Vec<Route>, RouteError> {
        let mut routes = Vec::new();
        if let Some(url) = &self.upstream {
            routes.push(Route::new("", &base(url))?);
        }
        for Upstream { name, url } in &self.routes {
            routes.push(Route::new(format!("/{name}"), &base(url))?);
        }
        if routes.is_empty() {
            for (name, origin) in PROVIDERS {
                routes.push(Route::new(format!("/{name}"), &http::Uri::from_static(origin))?);
            }
        }
        Ok(routes)
    }
}

/// The whole URL: standing alone, a gateway puts the upstream's path in front. What cannot be sent on is kept, so that
/// the route refuses it with a reason.
fn base(url: &BaseUrl) -> http::Uri {
    url.at(&url.origin(), "").parse().unwrap_or_else(|_| url.origin.clone())
}

async fn serve(session: &Session, listen: SocketAddr, routes: Vec<Route>) -> Result<u8, Failure> {
    let caught =
        |kind| signal(kind).map_err(|error| Failure::ours(format!("signals cannot be caught: {error}")));
    let (mut interrupt, mut terminate) = (caught(SignalKind::interrupt())?, caught(SignalKind::terminate())?);
    let lines: Vec<_> = routes.iter().map(|route| (route.prefix().to_owned(), route.upstream())).collect();
    let builder = || {
        let builder = Proxy::builder(session.observer()).upstream_failure(UpstreamFailure::BadGateway);
        routes.iter().cloned().fold(builder, GatewayBuilder::route)
    };
    let gateway = trust::bind(builder, listen).await.map_err(Failure::ours)?;
    super::print(&greeting(gateway.local_addr(), &lines));

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut serving = tokio::spawn(gateway.serve(async {
        let _ = stopped.await;
    }));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = &mut serving => return Ok(0),
    }
    let _ = stop.send(());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        drained = serving => {
            if let Some(cut) = drained.ok().map(|drained| drained.cut).filter(|cut| *cut > 0) {
                diagnostics::say(format_args!("{cut} connections were still busy and have been cut"));
            }
        }
    }
    Ok(0)
}

/// The first line is for scripts that wait for it.
fn greeting(address: SocketAddr, routes: &[(String, String)]) -> String {
    let mut text = format!("listening on http://{address}\n");
    let rows: Vec<_> =
        routes.iter().map(|(prefix, upstream)| (format!("http://{address}{prefix}/"), upstream)).collect();
    let widest = rows.iter().map(|(from, _)| from.len()).max().unwrap_or(0);
    for (from, to) in rows {
        text.push_str(&format!("  {from:widest$}  ->  {to}/\n"));
    }
    text
}
