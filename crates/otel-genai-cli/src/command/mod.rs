//! The command line: one file a command.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use crate::diagnostics;
use crate::exit::Failure;

mod completions;
mod config;
#[cfg(feature = "dashboard")]
mod dashboard;
mod demo;
mod gateway;
#[cfg(feature = "dashboard")]
mod import;
mod mcp;
#[cfg(feature = "dashboard")]
mod mcp_server;
mod run;
#[cfg(feature = "dashboard")]
mod stats;
#[cfg(feature = "clickhouse")]
mod store;
#[cfg(feature = "dashboard")]
mod tail;
#[cfg(feature = "dashboard")]
mod trace;
#[cfg(feature = "dashboard")]
mod traces;

/// See what a program asks of AI models: spans, metrics and events by the OpenTelemetry GenAI conventions.
#[derive(Debug, Parser)]
#[command(name = "otel-genai", version, max_term_width = 100, subcommand_required = true)]
#[command(after_help = "\
Examples:
  otel-genai demo                      look at it, without a key or a network
  otel-genai run -- python main.py     run a program and see its calls
  otel-genai run --endpoint http://localhost:4318 -- node app.mjs
                                       send them to an OTLP receiver
  otel-genai mcp -- npx -y some-server a server in an MCP client's configuration

The OTEL_* variables mean what the OpenTelemetry specification says; flags go before them. \
`otel-genai config` shows what is in force, `otel-genai COMMAND --help` everything about a command.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a program, in any language and unchanged, and see its model calls
    Run(run::Run),
    /// Forward model calls for other programs, and see them
    Gateway(gateway::Gateway),
    /// Run an MCP server on standard input and output, unchanged, and see what is asked of it
    Mcp(mcp::Mcp),
    /// Show what is recorded of calls to a scripted model; needs no key and no network
    Demo(demo::Demo),
    /// Receive telemetry, keep it, and show it on a page
    #[cfg(feature = "dashboard")]
    Dashboard(Box<dashboard::Dashboard>),
    /// List what the dashboard has received
    #[cfg(feature = "dashboard")]
    Traces(traces::Traces),
    /// Show a trace: what ran, and what was said
    #[cfg(feature = "dashboard")]
    Trace(trace::Trace),
    /// Show traces as they come
    #[cfg(feature = "dashboard")]
    Tail(tail::Tail),
    /// Add up calls, tokens, times and costs
    #[cfg(feature = "dashboard")]
    Stats(stats::Stats),
    /// Store files of telemetry where the dashboard shows them: OTLP, Jaeger
    #[cfg(feature = "dashboard")]
    Import(import::Import),
    /// Copy what is kept from one store into another, and print what makes one
    #[cfg(feature = "clickhouse")]
    Store(store::Store),
    /// Answer coding agents over MCP: what ran, what was said, why it failed
    #[cfg(feature = "dashboard")]
    McpServer(mcp_server::McpServer),
    /// Show the settings in force, and where each comes from
    Config(config::Config),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// The whole program.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| with_hint(error).exit());
    let ended = match cli.command {
        Command::Run(run) => run.execute(),
        Command::Gateway(gateway) => gateway.execute(),
        Command::Mcp(mcp) => mcp.execute(),
        Command::Demo(demo) => demo.execute(),
        #[cfg(feature = "dashboard")]
        Command::Dashboard(dashboard) => dashboard.execute(),
        #[cfg(feature = "dashboard")]
        Command::Traces(traces) => traces.execute(),
        #[cfg(feature = "dashboard")]
        Command::Trace(trace) => trace.execute(),
        #[cfg(feature = "dashboard")]
        Command::Tail(tail) => tail.execute(),
        #[cfg(feature = "dashboard")]
        Command::Stats(stats) => stats.execute(),
        #[cfg(feature = "dashboard")]
        Command::Import(import) => import.execute(),
        #[cfg(feature = "clickhouse")]
        Command::Store(store) => store.execute(),
        #[cfg(feature = "dashboard")]
        Command::McpServer(server) => server.execute(),
        Command::Config(config) => config.execute(),
        Command::Completions(completions) => completions.execute(),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            diagnostics::say(&failure);
            ExitCode::from(failure.code)
        }
    }
}

/// A server's command without the `--` before it, told as that.
fn with_hint(mut error: clap::Error) -> clap::Error {
    let is_mcp = std::env::args_os().nth(1).is_some_and(|command| command == "mcp");
    let hint = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word))
            if is_mcp && error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-') =>
        {
            format!("the server's command goes after `--`: otel-genai mcp -- {word} ...")
        }
        _ => return error,
    };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    error
}

/// Few threads: the gateway's own work is small, and telemetry has threads of its own.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    start(tokio::runtime::Builder::new_multi_thread().worker_threads(2))
}

/// For a program that reads and writes megabytes itself: more threads than processors only keep more memory each.
#[cfg(feature = "dashboard")]
fn working_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Two for what the page asks, and as many again for what is received meanwhile.
    let most = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8) + 2;
    start(tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(most))
}

fn start(builder: &mut tokio::runtime::Builder) -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = builder.enable_all().build();
    runtime.map_err(|error| Failure::ours(format!("the system gives no threads: {error}")))
}

/// Until somebody wants an end: SIGINT, SIGTERM, or SIGHUP where that is not ignored, as under `nohup`. Heard from the call
/// on, not only once it is awaited: who is told that something is there may end it at once.
fn interrupted() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::SignalKind;

    let (interrupt, terminate) = (received(SignalKind::interrupt()), received(SignalKind::terminate()));
    let is_ignored = crate::child::is_ignored(SignalKind::hangup().as_raw_value());
    let hangup = (!is_ignored).then(|| received(SignalKind::hangup()));
    async move {
        let hangup = async {
            match hangup {
                Some(hangup) => hangup.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
            () = hangup => {}
        }
    }
}

fn received(kind: tokio::signal::unix::SignalKind) -> impl Future<Output = ()> + Send {
    let signals = tokio::signal::unix::signal(kind);
    async move {
        match signals {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    }
}

/// Writes to standard output; a reader that is gone, as `head` is, is no failure.
fn print(text: &str) {
    use std::io::Write as _;

    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
