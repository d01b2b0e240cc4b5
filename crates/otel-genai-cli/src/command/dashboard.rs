//! `otel-genai dashboard`: telemetry in, a page out.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use otel_genai_dashboard::{BindError, Dashboard as Served, Door};
use otel_genai_store::{PriceTable, SqliteOptions, SqliteStore, Store as _, StoreError};

use crate::dashboard::api::Api;
use crate::dashboard::found::Found;
use crate::dashboard::settings::{
    ALLOW_HOST, Bytes, CORS_ORIGIN, EXIT_WHEN_IDLE, GRPC, HTTP, MAX_AGE, MAX_BYTES, MEMORY, PAGE, PRICES,
    Port, SYNC, Span, Sync, TOKEN, TOKEN_FILE,
};
use crate::dashboard::{browser, place};
use crate::diagnostics;
use crate::exit::{Failure, NO_FOLDER, PORT_TAKEN, RUNS_ALREADY, USAGE};
use crate::settings::{Listen, OnOff};

/// How long a dashboard that is stopped may take: its requests finish, its files are closed.
const STOP: Duration = Duration::from_secs(15);

/// Unless told otherwise, data are kept for so long,
const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
/// as long as they take no more room.
const KEPT_BYTES: u64 = 4 << 30;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai dashboard                          on this machine; data are kept
  otel-genai dashboard --memory --open          forgotten when it ends; opened in the browser
  otel-genai dashboard --http 0.0.0.0:4318      other machines may send, and need the token it prints
  otel-genai dashboard --stop                   ends the one that runs

Programs send to it by OTLP: OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318, which most SDKs take for granted. \
`otel-genai run --dashboard -- CMD` needs no setting at all.

Exit status: 0 when a signal ended it, 2 when the options are wrong, 3 when one runs already, 4 when a port is taken, \
5 when the data folder cannot be used, 125 when otel-genai itself fails.")]
pub(super) struct Dashboard {
    /// Where data are kept
    ///
    /// Default: otel-genai in the user's data folder, ~/.local/share on Linux. Also OTEL_GENAI_DATA_DIR.
    #[arg(long, value_name = "FOLDER", help_heading = "Data")]
    data_dir: Option<PathBuf>,

    /// Forget everything at the end
    ///
    /// Same as OTEL_GENAI_DASHBOARD_MEMORY=true.
    #[arg(long, conflicts_with = "data_dir", help_heading = "Data")]
    memory: bool,

    /// Whether what was acknowledged outlives a power failure [default: full]
    ///
    /// Also OTEL_GENAI_DASHBOARD_SYNC.
    #[arg(long, value_name = "HOW", value_enum, help_heading = "Data")]
    sync: Option<Sync>,

    /// Delete days that ended longer ago: 30d, 12h, or none [default: 30d]
    ///
    /// Also OTEL_GENAI_DASHBOARD_MAX_AGE.
    #[arg(long, value_name = "DURATION", help_heading = "Data")]
    max_age: Option<Span>,

    /// Delete the oldest when there is more: 4GiB, 500MiB, or none [default: 4GiB]
    ///
    /// Also OTEL_GENAI_DASHBOARD_MAX_BYTES.
    #[arg(long, value_name = "BYTES", help_heading = "Data")]
    max_bytes: Option<Bytes>,

    /// A file with prices of models, over those that are built in
    ///
    /// Its shape is told in docs/dashboard.md#costs. Also OTEL_GENAI_DASHBOARD_PRICES.
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    prices: Option<PathBuf>,

    /// Where the page is [default: 127.0.0.1:18888]
    ///
    /// Another free port is taken where that is taken and none was asked for. Also OTEL_GENAI_DASHBOARD_PAGE.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Ports")]
    page: Option<Listen>,

    /// Where OTLP over HTTP is received, and the page is as well, or off [default: 127.0.0.1:4318]
    ///
    /// Also OTEL_GENAI_DASHBOARD_HTTP.
    #[arg(long, value_name = "ADDRESS:PORT|off", help_heading = "Ports")]
    http: Option<Port>,

    /// Where OTLP over gRPC is received, or off [default: 127.0.0.1:4317]
    ///
    /// Also OTEL_GENAI_DASHBOARD_GRPC.
    #[arg(long, value_name = "ADDRESS:PORT|off", help_heading = "Ports")]
    grpc: Option<Port>,

    /// What everybody must know who sends or looks
    ///
    /// Default: nothing while only this machine can connect, else a token that is made up and printed. Other users can see
    /// the options of a process: --token-file or OTEL_GENAI_DASHBOARD_TOKEN keep it from them.
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file", help_heading = "Security")]
    token: Option<String>,

    /// A file whose first line is the token
    ///
    /// Also OTEL_GENAI_DASHBOARD_TOKEN_FILE.
    #[arg(long, value_name = "FILE", help_heading = "Security")]
    token_file: Option<PathBuf>,

    /// A name by which browsers may reach the page, besides this machine's own; may be repeated
    ///
    /// Also OTEL_GENAI_DASHBOARD_ALLOW_HOST.
    #[arg(long, value_name = "NAME", help_heading = "Security")]
    allow_host: Vec<String>,

    /// Whose pages may send OTLP from a browser, such as http://localhost:3000; may be repeated
    ///
    /// Also OTEL_GENAI_DASHBOARD_CORS_ORIGIN.
    #[arg(long, value_name = "ORIGIN", help_heading = "Security")]
    cors_origin: Vec<String>,

    /// Open the page in the browser
    #[arg(long)]
    open: bool,

    /// End after so long without a connection: 30m, 12h [default: none]
    ///
    /// Also OTEL_GENAI_DASHBOARD_EXIT_WHEN_IDLE.
    #[arg(long, value_name = "DURATION")]
    exit_when_idle: Option<Span>,

    /// End the dashboard that runs, wherever it was started
    #[arg(long, conflicts_with_all = ["memory", "open"])]
    stop: bool,

    /// Leave the terminal; for `run --dashboard`.
    #[arg(long, hide = true)]
    detached: bool,

    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

impl Dashboard {
    pub(super) fn execute(mut self) -> Result<u8, Failure> {
        diagnostics::begin(self.quiet);
        self.memory |= self.data_dir.is_none() && MEMORY.or_variable::<OnOff>(None).is_some_and(|on| on.0);
        let runtime = super::working_runtime()?;
        if self.stop {
            let folder = self.folder()?;
            return runtime.block_on(stop(&folder));
        }
        if self.detached {
            // Not the terminal's any more: its end is not ours. Fails only for whom it has been done already.
            let _ = rustix::process::setsid();
        }
        let ended = runtime.block_on(self.run());
        runtime.shutdown_background();
        ended
    }

    async fn run(&self) -> Result<u8, Failure> {
        let prices = Arc::new(self.prices()?);
        let folder = if self.memory { None } else { Some(self.folder()?) };
        let store = Arc::new(self.open(folder.as_deref(), Arc::clone(&prices))?);
        let served = self.bind(&store, &prices).await?;
        let url = served.url();
        store.announce(&url);
        if let Some(folder) = &folder
            && let Err(error) = place::leave_token(folder, served.token())
        {
            let folder = place::shown(folder);
            diagnostics::remark(format_args!(
                "cannot leave the token in {folder}: {error}; other commands need it"
            ));
        }
        super::print(&greeting(&served, folder.as_deref()));
        if self.open {
            browser::open(&link(&served, "/"));
        }

        let idle = EXIT_WHEN_IDLE.or_variable(self.exit_when_idle).and_then(|Span(time)| time);
        let idle = idle.map(|time| served.idle(time));
        let idle = async {
            match idle {
                Some(idle) => idle.await,
                None => std::future::pending().await,
            }
        };
        let wanted = async {
            tokio::select! {
                () = super::interrupted() => {}
                () = idle => {}
            }
        };
        // A second signal does not wait: what was acknowledged is stored, whatever comes.
        let (asked, wait) = tokio::sync::oneshot::channel::<()>();
        let ended = async {
            served
                .serve(async {
                    wanted.await;
                    let _ = asked.send(());
                })
                .await;
            store.close().await;
        };
        let again = async {
            let _ = wait.await;
            super::interrupted().await;
        };
        tokio::select! {
            () = ended => {}
            () = again => {}
        }
        if let Some(folder) = &folder {
            let _ = place::leave_token(folder, None);
        }
        Ok(0)
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        place::folder(self.data_dir.as_deref()).ok_or_else(|| {
            Failure::new(
                NO_FOLDER,
                "there is no home to keep data in; --data-dir names a folder, --memory needs none",
            )
        })
    }

    fn prices(&self) -> Result<PriceTable, Failure> {
        let file = self.prices.clone().or_else(|| PRICES.variable().map(PathBuf::from));
        let Some(file) = file else { return Ok(PriceTable::builtin()) };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::new(USAGE, format!("cannot read the prices in {}: {error}", file.display()))
        })?;
        PriceTable::builtin()
            .with_overrides(&text)
            .map_err(|error| Failure::new(USAGE, format!("the prices in {}: {error}", file.display())))
    }

    fn open(&self, folder: Option<&Path>, prices: Arc<PriceTable>) -> Result<SqliteStore, Failure> {
        let options = folder.map_or_else(SqliteOptions::temporary, SqliteOptions::new).pricing(prices);
        let options = match SYNC.or_variable(self.sync) {
            Some(sync) => options.durability(sync.into()),
            None => options,
        };
        let Span(max_age) = MAX_AGE.or_variable(self.max_age).unwrap_or(Span(Some(KEPT_FOR)));
        let options = match max_age {
            Some(age) => options.max_age(age),
            None => options,
        };
        let Bytes(max_bytes) = MAX_BYTES.or_variable(self.max_bytes).unwrap_or(Bytes(Some(KEPT_BYTES)));
        let options = match max_bytes {
            Some(bytes) => options.max_bytes(bytes),
            None => options,
        };
        options.open().map_err(|error| match error {
            StoreError::Locked { url: Some(url), pid, .. } => {
                let process = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
                Failure::new(
                    RUNS_ALREADY,
                    format!(
                        "the dashboard runs already: {url}{process}; `otel-genai dashboard --stop` ends it"
                    ),
                )
            }
            StoreError::Locked { .. } => Failure::new(RUNS_ALREADY, error.to_string()),
            error => Failure::new(
                NO_FOLDER,
                format!("{error}; --data-dir names another folder, --memory needs none"),
            ),
        })
    }

    /// Listens. The page may move where nobody asked for its port; OTLP does not, or nobody would find it.
    async fn bind(&self, store: &Arc<SqliteStore>, prices: &Arc<PriceTable>) -> Result<Served, Failure> {
        let page = PAGE.or_variable(self.page).map(|Listen(address)| address);
        match self.builder(store, page)?.prices(Arc::clone(prices)).bind().await {
            Err(BindError::Listen { door, address, source }) if source.kind() == io::ErrorKind::AddrInUse => {
                if Api::new(format!("http://{address}"), None).about().await.is_ok() {
                    let message = format!("a dashboard with other data runs already: http://{address}");
                    return Err(Failure::new(RUNS_ALREADY, message));
                }
                if door != Door::Page || page.is_some() {
                    return Err(taken(door, address));
                }
                let any = SocketAddr::new(address.ip(), 0);
                self.builder(store, Some(any))?.prices(Arc::clone(prices)).bind().await.map_err(unbound)
            }
            bound => bound.map_err(unbound),
        }
    }

    fn builder(
        &self,
        store: &Arc<SqliteStore>,
        page: Option<SocketAddr>,
    ) -> Result<otel_genai_dashboard::DashboardBuilder, Failure> {
        let mut builder = Served::builder(Arc::clone(store) as Arc<dyn otel_genai_store::Store>);
        if let Some(page) = page {
            builder = builder.page(page);
        }
        if let Some(port) = HTTP.or_variable(self.http) {
            builder = builder.http(port.address());
        }
        if let Some(port) = GRPC.or_variable(self.grpc) {
            builder = builder.grpc(port.address());
        }
        if let Some(token) = self.token()? {
            builder = builder.token(token);
        }
        let named = |text: &str| Ok(text.to_owned());
        for host in ALLOW_HOST.or_list(&self.allow_host, named) {
            builder = builder.allow_host(host);
        }
        for origin in CORS_ORIGIN.or_list(&self.cors_origin, named) {
            builder = builder.cors_origin(origin);
        }
        Ok(builder)
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let file = self.token_file.clone().or_else(|| TOKEN_FILE.variable().map(PathBuf::from));
        let file = file.filter(|_| self.token.is_none());
        let Some(file) = file else { return Ok(self.token.clone().or_else(|| TOKEN.variable())) };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::new(USAGE, format!("cannot read the token in {}: {error}", file.display()))
        })?;
        Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned()))
    }
}

fn unbound(error: BindError) -> Failure {
    match error {
        BindError::Listen { door, address, source } if source.kind() == io::ErrorKind::AddrInUse => {
            taken(door, address)
        }
        BindError::Listen { .. } => Failure::new(PORT_TAKEN, error.to_string()),
        error => Failure::new(USAGE, error.to_string()),
    }
}

fn taken(door: Door, address: SocketAddr) -> Failure {
    let (flag, off) = match door {
        Door::Http => ("--http", ", or off"),
        Door::Grpc => ("--grpc", ", or off"),
        _ => ("--page", ""),
    };
    Failure::new(
        PORT_TAKEN,
        format!(
            "something else listens on {address}, where {door} was to be; {flag} chooses another address{off}"
        ),
    )
}

/// A page, with the token that opens it.
fn link(served: &Served, path: &str) -> String {
    let url = served.url();
    match served.token() {
        Some(token) => format!("{url}{path}?token={token}"),
        None => format!("{url}{path}"),
    }
}

/// The first line is for scripts that wait for it.
fn greeting(served: &Served, folder: Option<&Path>) -> String {
    let mut text = format!("listening on {}\n\n", served.url());
    let mut row = |name: &str, value: &str| text.push_str(&format!("  {name:<8}{value}\n"));
    row("page", &link(served, "/"));
    let otlp = served.http_addr().map(|address| format!("http://{}", reachable(address)));
    let grpc = served.grpc_addr().map(reachable);
    match (&otlp, grpc) {
        (Some(http), Some(grpc)) => row("OTLP", &format!("{http} (HTTP), {grpc} (gRPC)")),
        (Some(http), None) => row("OTLP", &format!("{http} (HTTP)")),
        (None, Some(grpc)) => row("OTLP", &format!("{grpc} (gRPC)")),
        (None, None) => row("OTLP", "off"),
    }
    match folder {
        Some(folder) => row("data", &place::shown(folder)),
        None => row("data", "in memory, forgotten at the end"),
    }
    if let Some(otlp) = otlp {
        text.push_str(&format!("\nPrograms send to it with\n  OTEL_EXPORTER_OTLP_ENDPOINT={otlp}\n"));
        if let Some(token) = served.token() {
            text.push_str(&format!("  OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{token}\n"));
        }
    }
    text.push_str("\nCtrl-C ends it.\n");
    text
}

/// As a program on this machine writes it: an address that stands for all of them is no place to go to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Ends the one that runs, and waits until it has.
async fn stop(folder: &Path) -> Result<u8, Failure> {
    let Some(owner) = place::owner(folder) else {
        diagnostics::remark(format_args!("no dashboard runs with the data in {}", place::shown(folder)));
        return Ok(0);
    };
    let shown = Found::at(folder).await.map(|found| found.shown()).unwrap_or_else(|| place::shown(folder));
    let pid = i32::try_from(owner.pid).ok().and_then(rustix::process::Pid::from_raw);
    let Some(pid) = pid else { return Err(Failure::ours("the dashboard has not said which process it is")) };
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        .map_err(|error| Failure::ours(format!("cannot end process {}: {error}", owner.pid)))?;
    let deadline = Instant::now() + STOP;
    while place::owner(folder).is_some_and(|now| now.pid == owner.pid) {
        if Instant::now() > deadline {
            return Err(Failure::ours(format!("process {} does not end", owner.pid)));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    diagnostics::remark(format_args!("the dashboard has ended ({shown})"));
    Ok(0)
}
