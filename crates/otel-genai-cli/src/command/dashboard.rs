//! `otel-genai dashboard`: telemetry in, a page out.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use otel_genai_dashboard::view::{Variable, Whence};
use otel_genai_dashboard::{BindError, Dashboard as Served, Door};

use crate::dashboard::api::Api;
use crate::dashboard::data::Data;
use crate::dashboard::found::Found;
use crate::dashboard::keep::Flags;
use crate::dashboard::settings::{
    ALL, ALLOW_HOST, ALLOW_REFERENCE, CORS_ORIGIN, DATA_DIR, EXIT_WHEN_IDLE, GRPC, HTTP, MAX_AGE, MAX_BYTES,
    MAX_CONTENT, MEMORY, PAGE, PRICES, Port, READ_ONLY, SYNC, Span, TOKEN, TOKEN_FILE, folder,
};
#[cfg(feature = "clickhouse")]
use crate::dashboard::settings::{STORE, STORE_PASSWORD_FILE};
use crate::dashboard::{browser, place};
use crate::diagnostics;
use crate::exit::{Failure, NO_FOLDER, PORT_TAKEN, RUNS_ALREADY, USAGE};
use crate::settings::{Listen, OnOff, Own};

/// How long a dashboard that is stopped may take: its requests finish, its files are closed.
const STOP: Duration = Duration::from_secs(15);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai dashboard                          on this machine; data are kept
  otel-genai dashboard --memory --open          forgotten when it ends; opened in the browser
  otel-genai dashboard --http 0.0.0.0:4318      other machines may send, and need the token it prints
  otel-genai dashboard --read-only --data-dir F looks at data that are there, and adds nothing
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

    #[cfg(feature = "clickhouse")]
    #[command(flatten)]
    server: crate::dashboard::server::Server,

    /// Forget everything at the end
    ///
    /// Same as OTEL_GENAI_DASHBOARD_MEMORY=true.
    #[arg(long, conflicts_with = "data_dir", help_heading = "Data")]
    memory: bool,

    #[command(flatten)]
    keep: Flags,

    /// Only look at what is there, also beside the dashboard that adds to it, or where nothing can be written
    ///
    /// Receives on no port unless --http or --grpc name one, where senders are told why nothing is taken. Same as
    /// OTEL_GENAI_DASHBOARD_READ_ONLY=true.
    #[arg(long, conflicts_with = "memory", help_heading = "Data")]
    read_only: bool,

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

    /// A folder with uploaded prompts and answers, which are read where telemetry names them; may be repeated
    ///
    /// What programs upload with OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=upload. Other files are never read, nor anything
    /// from the network. Also OTEL_GENAI_DASHBOARD_ALLOW_REFERENCE.
    #[arg(long, value_name = "FOLDER", value_parser = folder, help_heading = "Security")]
    allow_reference: Vec<PathBuf>,

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
        let on = |own: Own| own.or_variable::<OnOff>(None).is_some_and(|on| on.0);
        self.read_only |= !self.memory && on(READ_ONLY);
        self.memory |= self.data_dir.is_none() && !self.read_only && on(MEMORY);
        let runtime = super::working_runtime()?;
        if self.stop {
            let folder = self.folder()?;
            return runtime.block_on(stop(&folder));
        }
        if self.detached {
            // Not the terminal's any more: its end is not ours. Fails only for whom it has been done already.
            let _ = rustix::process::setsid();
        }
        place::keep_private();
        let ended = runtime.block_on(self.run());
        runtime.shutdown_background();
        ended
    }

    async fn run(&self) -> Result<u8, Failure> {
        let data = self.data().await?;
        let served = self.bind(&data).await?;
        // Before anybody is told that it is there.
        let interrupted = super::interrupted();
        let url = served.url();
        data.announce(&url);
        if let Some(folder) = data.owned()
            && let Err(error) = place::leave_token(folder, served.token())
        {
            let folder = place::shown(folder);
            diagnostics::remark(format_args!(
                "cannot leave the token in {folder}: {error}; other commands need it"
            ));
        }
        super::print(&greeting(&served, &data.shown, data.looks));
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
                () = interrupted => {}
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
            data.store.close().await;
        };
        let again = async {
            let _ = wait.await;
            super::interrupted().await;
        };
        tokio::select! {
            () = ended => {}
            () = again => {}
        }
        if let Some(folder) = data.owned() {
            let _ = place::leave_token(folder, None);
        }
        Ok(0)
    }

    /// Opens the data, wherever they are.
    async fn data(&self) -> Result<Data, Failure> {
        #[cfg(feature = "clickhouse")]
        if let Some(options) = self.server.options(self.data_dir.is_some() || self.memory)? {
            return Data::server(self.keep.keep(None)?, options, self.read_only).await;
        }
        let folder = if self.memory { None } else { Some(self.folder()?) };
        Data::files(self.keep.keep(folder.as_deref())?, folder, self.read_only)
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        place::folder(self.data_dir.as_deref()).ok_or_else(|| {
            Failure::new(
                NO_FOLDER,
                "there is no home to keep data in; --data-dir names a folder, --memory needs none",
            )
        })
    }

    /// Listens. The page may move where nobody asked for its port; OTLP does not, or nobody would find it.
    async fn bind(&self, data: &Data) -> Result<Served, Failure> {
        // The variable is for the dashboard that receives; who looks beside it moves.
        let asked = if self.read_only { self.page.is_some() } else { PAGE.or_variable(self.page).is_some() };
        let page = PAGE.or_variable(self.page).map(|Listen(address)| address);
        let bound = match self.builder(data, page)?.bind().await {
            Err(BindError::Listen { door: Door::Page, address, source })
                if source.kind() == io::ErrorKind::AddrInUse && !asked =>
            {
                let any = SocketAddr::new(address.ip(), 0);
                self.builder(data, Some(any))?.bind().await
            }
            bound => bound,
        };
        match bound {
            Ok(served) => Ok(served),
            Err(error) => Err(self.unbound(error).await),
        }
    }

    /// Why it cannot listen, and what would help.
    async fn unbound(&self, error: BindError) -> Failure {
        match error {
            BindError::Listen { door, address, source } if source.kind() == io::ErrorKind::AddrInUse => {
                let other =
                    !self.read_only && Api::new(format!("http://{address}"), None).about().await.is_ok();
                if other { runs_already(door, address) } else { taken(door, address) }
            }
            BindError::Listen { .. } => Failure::new(PORT_TAKEN, error.to_string()),
            error => Failure::new(USAGE, error.to_string()),
        }
    }

    fn builder(
        &self,
        data: &Data,
        page: Option<SocketAddr>,
    ) -> Result<otel_genai_dashboard::DashboardBuilder, Failure> {
        let mut builder = Served::builder(Arc::clone(&data.store))
            .prices(Arc::clone(&data.keep.prices))
            .durability(data.durability())
            .max_content(data.keep.max_content.value.0.filter(|_| data.knows(&MAX_CONTENT)))
            .variables(self.variables(data))
            .changeable(data.changeable());
        if let Some(page) = page {
            builder = builder.page(page);
        }
        // The variables are for the dashboard that receives.
        let port = |own: Own, flag: Option<Port>| match self.read_only {
            true => Some(flag.unwrap_or(Port::Off)),
            false => own.or_variable(flag),
        };
        if let Some(port) = port(HTTP, self.http) {
            builder = builder.http(port.address());
        }
        if let Some(port) = port(GRPC, self.grpc) {
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
        for place in ALLOW_REFERENCE.or_list(&self.allow_reference, folder) {
            builder = builder.allow_reference(place);
        }
        Ok(builder)
    }

    /// What the page shows of the settings. Secrets are hidden.
    fn variables(&self, data: &Data) -> Vec<Variable> {
        let keep = &data.keep;
        let flag = |own: &Own| -> Option<String> {
            let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
            let list = |list: &[String]| Some(list.join(",")).filter(|list| !list.is_empty());
            match own.name {
                name if name == DATA_DIR.name => path(&self.data_dir),
                #[cfg(feature = "clickhouse")]
                name if name == STORE.name => self.server.address().map(str::to_owned),
                #[cfg(feature = "clickhouse")]
                name if name == STORE_PASSWORD_FILE.name => path(self.server.password_file()),
                // Each is on by its flag, or by its variable.
                name if name == MEMORY.name => {
                    (self.memory && own.variable().is_none()).then(|| "true".to_owned())
                }
                name if name == READ_ONLY.name => {
                    (self.read_only && own.variable().is_none()).then(|| "true".to_owned())
                }
                name if name == PAGE.name => self.page.map(|Listen(address)| address.to_string()),
                name if name == HTTP.name => self.http.map(|port| port.to_string()),
                name if name == GRPC.name => self.grpc.map(|port| port.to_string()),
                name if name == TOKEN.name => self.token.clone(),
                name if name == TOKEN_FILE.name => path(&self.token_file),
                name if name == ALLOW_HOST.name => list(&self.allow_host),
                name if name == CORS_ORIGIN.name => list(&self.cors_origin),
                name if name == ALLOW_REFERENCE.name => {
                    let folders: Vec<_> =
                        self.allow_reference.iter().map(|folder| folder.display().to_string()).collect();
                    list(&folders)
                }
                name if name == EXIT_WHEN_IDLE.name => self.exit_when_idle.map(|span| span.to_string()),
                _ => None,
            }
        };
        let variable = |own: &Own| {
            let (value, from) = match own.name {
                name if name == SYNC.name => (keep.sync.value.to_string(), keep.sync.from),
                name if name == MAX_AGE.name && data.is_server() && keep.max_age.from == Whence::Default => {
                    ("as is set on the server".to_owned(), Whence::Default)
                }
                name if name == MAX_AGE.name => (keep.max_age.value.to_string(), keep.max_age.from),
                name if name == MAX_BYTES.name => (keep.max_bytes.value.to_string(), keep.max_bytes.from),
                name if name == MAX_CONTENT.name => {
                    (keep.max_content.value.to_string(), keep.max_content.from)
                }
                name if name == PRICES.name => match &keep.prices_file {
                    Some(file) => (file.value.display().to_string(), file.from),
                    None => (own.default.to_owned(), Whence::Default),
                },
                _ => match (flag(own), own.variable()) {
                    (Some(value), _) => (own.shown(&value), Whence::Flag),
                    (None, Some(value)) => (own.shown(&value), Whence::Environment),
                    (None, None) => (own.default.to_owned(), Whence::Default),
                },
            };
            Variable { name: own.name.to_owned(), value, from }
        };
        ALL.iter().filter(|own| data.knows(own)).map(variable).collect()
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

fn runs_already(door: Door, address: SocketAddr) -> Failure {
    let instead = match door {
        Door::Page => "--page chooses another address for this one",
        // The page moves by itself.
        _ => "--http and --grpc choose other addresses for this one, or off",
    };
    let message = format!("a dashboard with other data runs already: http://{address}; {instead}");
    Failure::new(RUNS_ALREADY, message)
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
fn greeting(served: &Served, data: &str, read_only: bool) -> String {
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
    row("data", data);
    if let Some(otlp) = otlp.filter(|_| !read_only) {
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
