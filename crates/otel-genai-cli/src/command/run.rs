//! `otel-genai run`: a program as it is, with the gateway between its SDK and the provider.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use otel_genai::Capture;
use otel_genai_gateway::{Drained, Gateway, GatewayBuilder};
use otel_genai_http::Runs;
use otel_genai_sdk::{ConsoleOptions, Exporter};
use otel_genai_wire::is_known_host;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::child::{Child, Signals};
#[cfg(feature = "dashboard")]
use crate::dashboard::page::Page;
use crate::diagnostics;
use crate::exit::{self, Failure, USAGE};
use crate::intercept::{self, Hosts, Interception};
use crate::options::TelemetryOptions;
use crate::session::{self, Session, Wanted};
use crate::settings::{self, FLUSH_TIMEOUT, INTERCEPT, SHIM, Seconds};
use crate::shim::{Folder, NODE_OPTIONS, PYTHONPATH, Shim};
use crate::trust;
use crate::variables::{Plan, Upstream, VARIABLES};

/// The calls of a program that has ended are cut by its end; only what it left running can still be busy. A short flush
/// timeout shortens this too: reading and exporting need most of it.
const DRAIN: Duration = Duration::from_secs(1);
/// A signal this soon after the program's end was meant for it.
const LATE: Duration = Duration::from_millis(250);

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "otel-genai run [OPTIONS] -- COMMAND [ARGUMENTS]...",
    after_help = "\
Examples:
  otel-genai run -- python main.py
  otel-genai run --content true -- python main.py      prompts and answers, too
  otel-genai run --dashboard -- python main.py         on a page in the browser
  otel-genai run --endpoint http://localhost:4318 -- npm start
  otel-genai run --upstream openai=http://localhost:11434/v1 -- python main.py
  otel-genai run --intercept -- ./closed-binary        one that reads no such variable
  otel-genai run --dry-run -- python main.py           what would be set

How it works: the base-URL variables of the program's SDK point to a gateway on 127.0.0.1, which forwards everything \
byte for byte and reads the calls as they pass. A value that is set already becomes the place the calls go to. Inside \
Python and Node, hooks lead the calls to known hosts there whose SDK reads no variable (--no-shim: not). \
Nothing else of the program changes: not its input, its output, its signals or its exit status.

Exit status: the program's own, or 128+n when signal n ended it; 127 when the command is not found, 126 when it \
cannot be executed, 125 when otel-genai itself fails, 2 when the options are wrong."
)]
pub(super) struct Run {
    /// Where calls go whose variable the program leaves unset, or which are for a host; may be repeated
    ///
    /// NAME is openai, azure, groq, ... (`otel-genai config --all` lists the variables of each): the URL is what the variable
    /// would say, so openai=http://localhost:11434/v1. Or it is a host: calls to that host go to the URL with their whole
    /// path, so api.openai.com=http://localhost:11434, and are recorded as calls to that host. Also OTEL_GENAI_UPSTREAM.
    #[arg(long, value_name = "NAME=URL", value_parser = Upstream::known, help_heading = "Program")]
    upstream: Vec<Upstream>,

    /// Variables of the program to leave alone, comma-separated; may be repeated
    ///
    /// Also OTEL_GENAI_NO_ENV.
    #[arg(long, value_name = "VARIABLE", value_delimiter = ',', help_heading = "Program")]
    no_env: Vec<String>,

    /// Do not hook the HTTP clients of Python and Node from inside; variables alone lead the calls
    ///
    /// Same as OTEL_GENAI_SHIM=false.
    #[arg(long, help_heading = "Program")]
    no_shim: bool,
    /// Read TLS to model hosts, for programs that can be told nothing but a proxy [default hosts: the known ones]
    ///
    /// Makes a certificate authority for this run, which the program trusts through its environment, and is its HTTPS
    /// proxy. Other hosts are tunnelled unread. Also OTEL_GENAI_INTERCEPT=true, or a list of hosts.
    #[arg(
        long,
        value_name = "HOSTS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Program"
    )]
    intercept: Option<Hosts>,

    /// Print what the program would get, and run nothing
    #[arg(long, visible_alias = "print-env", help_heading = "Program")]
    dry_run: bool,

    /// Send telemetry to the dashboard, and print the link at the end; starts one where none runs
    ///
    /// The program's own OpenTelemetry goes there too, unless it has a receiver. A dashboard that is started ends when
    /// nobody has been connected for half an hour, or by `otel-genai dashboard --stop`.
    #[cfg(feature = "dashboard")]
    #[arg(long, conflicts_with_all = ["endpoint", "protocol"], help_heading = "Program")]
    dashboard: bool,

    #[command(flatten)]
    telemetry: TelemetryOptions,

    /// How long the last export may take after the program has ended [default: 3s]
    ///
    /// Also OTEL_GENAI_FLUSH_TIMEOUT. A signal during that time ends it at once.
    #[arg(long, value_name = "SECONDS", help_heading = "Telemetry")]
    flush_timeout: Option<Seconds>,

    /// The program and its arguments
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        num_args = 1..,
        required_unless_present = "dry_run",
        help_heading = "Program"
    )]
    command: Vec<OsString>,
}

impl Run {
    pub(super) fn execute(mut self) -> Result<u8, Failure> {
        if let Some(word) = mistyped_option(&self.command, std::env::args_os()) {
            return Err(Failure::new(
                USAGE,
                format!("there is no option {word}; see `otel-genai run --help` (a program goes after `--`)"),
            ));
        }
        if let Some(hosts) = mistyped_hosts(&self.command, &std::env::args_os().collect::<Vec<_>>()) {
            return Err(Failure::new(
                USAGE,
                format!(
                    "--intercept takes its hosts after `=`: --intercept={hosts} (a program goes after `--`)"
                ),
            ));
        }
        diagnostics::begin(self.telemetry.quiet);
        let hosts = INTERCEPT.or_variable(self.intercept.clone()).unwrap_or_default();
        let no_env = settings::no_env(&self.no_env);
        let mut plan = self.plan(&hosts, &no_env);
        let folder = if self.dry_run { None } else { hook(&mut plan) };
        let interception = Interception::new(hosts, &|name| std::env::var_os(name), &no_env)?;
        let warnings = interception.iter().flat_map(|interception| &interception.warnings);
        for warning in plan.warnings.iter().chain(warnings) {
            tracing::warn!(target: "otel_genai", "{warning}");
        }
        let flush_timeout = FLUSH_TIMEOUT.or_variable(self.flush_timeout).unwrap_or_default().0;
        let runtime = super::runtime()?;
        let page = runtime.block_on(self.find_page());
        let session = Session::begin(Wanted {
            options: &self.telemetry,
            service: service(&self.command),
            exporter: Exporter::Console,
            console: ConsoleOptions::new(),
            runs: Runs::OfOneProgram,
            content: Capture::NoContent,
            calls: !self.dry_run,
        })?;
        if self.dry_run {
            super::print(&self.describe(&plan, interception.as_ref(), &session));
            return Ok(0);
        }

        let signals = Signals::catch()
            .map_err(|error| Failure::ours(format!("signals cannot be passed on: {error}")))?;
        let help = Help { folder, interception, page };
        let ended = runtime.block_on(self.supervise(&plan, &help, session, signals, flush_timeout));
        // A name lookup that hangs must not hold us.
        runtime.shutdown_background();
        ended
    }

    fn plan(&self, hosts: &Hosts, no_env: &[String]) -> Plan {
        let upstreams = settings::upstreams(&self.upstream);
        let ours = |name: &String| {
            VARIABLES.iter().any(|variable| variable.name == name)
                || name.eq_ignore_ascii_case("NO_PROXY")
                || [PYTHONPATH, NODE_OPTIONS].contains(&name.as_str())
                || intercept::sets(name)
        };
        let intercepted = hosts.patterns().is_some();
        // The program has a proxy then, whatever the environment says.
        let var = |name: &str| match std::env::var_os(name).filter(|value| !value.is_empty()) {
            None if intercepted && name == "HTTPS_PROXY" => Some("ours".into()),
            value => value,
        };
        let mut plan = Plan::new(&var, &upstreams, no_env, SHIM.is_on(self.no_shim));
        for name in no_env.iter().filter(|name| !ours(name)) {
            plan.warnings.push(format!("--no-env {name}: otel-genai never sets that variable"));
        }
        plan
    }

    /// Where the run can be seen. What stands in the way is said, and in nobody else's: the program runs.
    #[cfg(feature = "dashboard")]
    async fn find_page(&mut self) -> Option<Page> {
        if !self.dashboard || self.dry_run {
            return None;
        }
        match Page::find(&self.telemetry, service(&self.command)).await {
            Ok((page, receiver)) => {
                self.telemetry.dashboard = Some(receiver);
                Some(page)
            }
            Err(why) => {
                tracing::warn!(target: "otel_genai", "no dashboard: {why}");
                None
            }
        }
    }

    #[cfg(not(feature = "dashboard"))]
    async fn find_page(&mut self) -> Option<Page> {
        None
    }

    /// What the program's own OpenTelemetry needs to find the dashboard, if nobody has told it another receiver.
    fn receiver(&self) -> Vec<(&'static str, OsString)> {
        let Some(receiver) = &self.telemetry.dashboard else { return Vec::new() };
        let told = |(name, _): (OsString, _)| {
            let name = name.to_string_lossy();
            name.starts_with("OTEL_EXPORTER_OTLP_") || name == "OTEL_CONFIG_FILE"
        };
        if std::env::vars_os().any(told) {
            return Vec::new();
        }
        let set = receiver.variables().into_iter().filter(|(_, value)| !value.is_empty());
        set.map(|(name, value)| (name, value.into())).collect()
    }

    async fn supervise(
        &self,
        plan: &Plan,
        help: &Help,
        session: Session,
        mut signals: Signals,
        flush_timeout: Duration,
    ) -> Result<u8, Failure> {
        let interception = help.interception.as_ref();
        let gateway = Running::start(plan, interception, &session, flush_timeout).await?;
        let origin = format!("http://{}", gateway.address);
        let mut environment = plan.environment(&origin);
        environment.extend(self.receiver());
        if let (Some(shim), Some(folder)) = (&plan.shim, &help.folder) {
            environment.extend(shim.environment(&origin, folder.path()));
        }
        let certificates = interception.map(Interception::begin).transpose()?;
        if let (Some(interception), Some(certificates)) = (interception, &certificates) {
            environment.extend(interception.environment(gateway.address, certificates));
        }
        let ended = match Child::spawn(&self.command, &environment) {
            Ok(mut child) => child.wait(&mut signals).await.map_err(|error| {
                Failure::ours(format!("the program cannot be waited for any more: {error}"))
            }),
            Err(failure) => Err(failure),
        };
        let now = Instant::now();
        let deadline = now + flush_timeout;
        let was_run = ended.is_ok();
        let tally = session.tally();
        let rest = async {
            gateway.stop(deadline).await;
            tokio::task::spawn_blocking(move || session.end(deadline)).await.unwrap_or(false)
        };
        let interrupted = async {
            // What came with the program's end, as ^C does, was for the program.
            while signals.next().await.at < now + LATE {}
        };
        let delivered = tokio::select! {
            delivered = rest => delivered,
            () = interrupted => {
                diagnostics::say("interrupted; what was not exported yet is lost");
                false
            }
        };
        if was_run {
            if let Some(interception) = interception {
                interception.tell_refusals();
            }
            tally.say(delivered, || Some(nothing_seen(plan, interception.is_some())));
            if let Some(page) = &help.page {
                page.tell().await;
            }
        }
        ended.map(exit::code)
    }

    fn describe(&self, plan: &Plan, interception: Option<&Interception>, session: &Session) -> String {
        let command: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        let mut text = plan.to_string();
        if text.is_empty() {
            text.push_str("Nothing would be set.\n");
        }
        if let Some(interception) = interception {
            text.push_str(&interception.describe());
        }
        text.push_str(&format!("\nTelemetry: {}\n", session.destinations()));
        text.push_str(&format!("Content:   {}\n", session.config.capture.as_str()));
        if let Some(place) = session::upload_place(&self.telemetry) {
            text.push_str(&format!("Uploads:   to {place}\n"));
        }
        if !command.is_empty() {
            text.push_str(&format!("Command:   {}\n", command.join(" ")));
        }
        text
    }
}

/// There is no dashboard in this program.
#[cfg(not(feature = "dashboard"))]
enum Page {}

#[cfg(not(feature = "dashboard"))]
impl Page {
    async fn tell(&self) {
        match *self {}
    }
}

/// What leads the calls that no variable leads, and where they can be seen.
struct Help {
    /// `None`: nothing is hooked.
    folder: Option<Folder>,
    /// `None`: nothing is intercepted.
    interception: Option<Interception>,
    /// `None`: telemetry goes elsewhere.
    page: Option<Page>,
}

/// The gateway while the program runs.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Running {
    async fn start(
        plan: &Plan,
        interception: Option<&Interception>,
        session: &Session,
        flush_timeout: Duration,
    ) -> Result<Self, Failure> {
        let routes = plan.routes().map_err(Failure::ours)?;
        let known = plan.shim.as_ref().map(Shim::known_hosts).transpose().map_err(Failure::ours)?;
        let intercept = interception.map(|interception| interception.intercept(plan.mirrors()));
        let intercept = intercept.transpose().map_err(Failure::ours)?;
        let builder = || {
            let mut builder = Gateway::builder(session.observer()).drain(DRAIN.min(flush_timeout / 3));
            if let Some(known) = &known {
                builder = builder.known_hosts(known.clone());
            }
            if let Some(intercept) = &intercept {
                builder = builder.intercept(intercept.clone());
            }
            routes.iter().cloned().fold(builder, GatewayBuilder::route)
        };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let gateway = trust::bind(builder, any).await.map_err(Failure::ours)?;
        let address = gateway.local_addr();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(gateway.serve(async {
            let _ = stopped.await;
        }));
        Ok(Self { address, stop, served })
    }

    async fn stop(self, deadline: Instant) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout_at(deadline.into(), self.served).await;
    }
}

/// Makes the hooks ready. Without them the variables must do.
fn hook(plan: &mut Plan) -> Option<Folder> {
    let shim = plan.shim.as_mut()?;
    let ready = shim.draw_token().and_then(|()| Folder::open().map_err(Failure::ours));
    match ready {
        Ok(folder) => Some(folder),
        Err(error) => {
            plan.shim = None;
            plan.warnings.push(format!(
                "the hooks for Python and Node cannot be made ready: {error}; only clients that read a base-URL variable are seen"
            ));
            None
        }
    }
}

/// A word that looks like an option of ours and was taken for the program, because no `--` stands before it.
fn mistyped_option(command: &[OsString], mut words: impl Iterator<Item = OsString>) -> Option<String> {
    let program = command.first()?.to_str().filter(|word| word.starts_with('-'))?;
    let separated = words.any(|word| word == "--") && words.eq(command.iter().cloned());
    (!separated).then(|| program.to_owned())
}

/// Hosts that were taken for the program, because no `=` stands between them and `--intercept`.
fn mistyped_hosts(command: &[OsString], words: &[OsString]) -> Option<String> {
    let (hosts, rest) = command.split_first()?;
    let before = words.strip_suffix(command)?.last()?;
    let hosts = hosts.to_str()?;
    let is_meant = rest.first().is_some_and(|word| word == "--") || hosts.split(',').any(is_known_host);
    (before == "--intercept" && is_meant).then(|| hosts.to_owned())
}

/// Without a better name telemetry is filed under the command's.
fn service(command: &[OsString]) -> String {
    let name = command.first().and_then(|program| Path::new(program).file_name());
    name.map_or_else(|| "unknown_service".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn nothing_seen(plan: &Plan, intercepted: bool) -> String {
    let names: Vec<_> = plan.variables.iter().map(|variable| variable.name).collect();
    let mut ways = Vec::new();
    if plan.shim.is_some() {
        ways.push("of Python and Node to known hosts".to_owned());
    }
    if !names.is_empty() {
        ways.push(format!("of programs that read {}", names.join(" or ")));
    }
    let mut text = "no model calls were seen".to_owned();
    match ways.is_empty() {
        true => text.push_str("; no base-URL variable was set (--dry-run says why)"),
        false => text.push_str(&format!("; calls are seen {}", ways.join(", and "))),
    }
    if !intercepted {
        text.push_str("; for others there is --intercept");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_never_taken_for_the_program() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let mistyped = |line: &str, command: &str| mistyped_option(&words(command), words(line).into_iter());
        assert_eq!(
            mistyped("otel-genai run --endpont x -- true", "--endpont x -- true").as_deref(),
            Some("--endpont")
        );
        assert_eq!(mistyped("otel-genai run -- --odd-name x", "--odd-name x"), None);
        assert_eq!(mistyped("otel-genai run python main.py --flag", "python main.py --flag"), None);
        assert_eq!(mistyped("otel-genai run -- python -c x", "python -c x"), None);
    }

    #[test]
    fn hosts_are_never_taken_for_the_program() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let mistyped = |line: &str, command: &str| mistyped_hosts(&words(command), &words(line));
        let line = "otel-genai run --intercept llm.corp.example -- true";
        assert_eq!(mistyped(line, "llm.corp.example -- true").as_deref(), Some("llm.corp.example"));
        let line = "otel-genai run --intercept api.openai.com true";
        assert_eq!(mistyped(line, "api.openai.com true").as_deref(), Some("api.openai.com"));
        assert_eq!(mistyped("otel-genai run --intercept -- npm -- x", "npm -- x"), None);
        assert_eq!(mistyped("otel-genai run --intercept python3.12 main.py", "python3.12 main.py"), None);
        assert_eq!(mistyped("otel-genai run --quiet npm -- x", "npm -- x"), None);
    }
}
