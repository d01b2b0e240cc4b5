//! `otel-genai mcp`: an MCP server as it is, with somebody reading along.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use otel_genai::{Capture, Failure as Error, McpSide};
use otel_genai_sdk::{ConsoleOptions, Exporter};
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};

use crate::child::{Child, Signals};
use crate::diagnostics;
use crate::exit::{self, Failure};
use crate::mcp::{Streams, Told, Watch, pass_on};
use crate::options::TelemetryOptions;
use crate::session::{Session, Wanted};
use crate::settings::{FLUSH_TIMEOUT, Seconds};

/// A signal this soon after the server's end was meant for it.
const LATE: Duration = Duration::from_millis(250);

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "otel-genai mcp [OPTIONS] -- COMMAND [ARGUMENTS]...",
    after_help = "\
In the configuration of an MCP client, put `otel-genai mcp --` before the server's command:
  {\"mcpServers\": {\"files\": {
    \"command\": \"otel-genai\",
    \"args\": [\"mcp\", \"--endpoint\", \"http://localhost:4318\", \"--\", \"npx\", \"-y\", \"some-server\", \"/data\"]}}}

How it works: the server runs with its own standard error, environment and working directory. Its input and output are \
passed on byte for byte, each piece at once, and a copy is read on the side. Standard output carries what the server \
writes, and nothing else, whatever the settings are.

Exit status: the server's own, or 128+n when signal n ended it; 127 when the command is not found, 126 when it cannot be \
executed, 125 when otel-genai itself fails, 2 when the options are wrong."
)]
pub(super) struct Mcp {
    /// Who tells of the requests: server or client
    ///
    /// A client that traces itself is the parent of the server's spans, through `_meta`. `client` is for servers that trace
    /// themselves, with clients that do not.
    #[arg(long, value_name = "SIDE", value_enum, default_value_t = Side::Server, hide_possible_values = true)]
    #[arg(help_heading = "Telemetry")]
    side: Side,

    #[command(flatten)]
    telemetry: TelemetryOptions,

    /// How long the last export may take after the server has ended [default: 3s]
    ///
    /// Also OTEL_GENAI_FLUSH_TIMEOUT. A signal during that time ends it at once.
    #[arg(long, value_name = "SECONDS", help_heading = "Telemetry")]
    flush_timeout: Option<Seconds>,

    /// The server and its arguments, after `--`
    #[arg(value_name = "COMMAND", last = true, num_args = 1.., required = true, help_heading = "Program")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Side {
    Server,
    Client,
}

impl Mcp {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(self.telemetry.quiet);
        let flush_timeout = FLUSH_TIMEOUT.or_variable(self.flush_timeout).unwrap_or_default().0;
        let streams = Streams::take().map_err(|error| {
            Failure::ours(format!("standard input and output cannot be passed on: {error}"))
        })?;
        let session = Session::begin(Wanted {
            options: &self.telemetry,
            service: service(&self.command),
            exporter: Exporter::Console,
            console: ConsoleOptions::new(),
            runs: otel_genai_http::Runs::Ignored,
            content: Capture::NoContent,
            calls: true,
        })?;
        let signals = Signals::catch()
            .map_err(|error| Failure::ours(format!("signals cannot be passed on: {error}")))?;
        let runtime = super::runtime()?;
        let ended = runtime.block_on(self.supervise(streams, session, signals, flush_timeout));
        runtime.shutdown_background();
        ended
    }

    async fn supervise(
        &self,
        streams: Streams,
        session: Session,
        mut signals: Signals,
        flush_timeout: Duration,
    ) -> Result<u8, Failure> {
        let no_thread = |error| Failure::ours(format!("the system gives no thread: {error}"));
        let side = match self.side {
            Side::Server => McpSide::Server,
            Side::Client => McpSide::Client,
        };
        let watch = session.genai().map(|genai| Watch::begin(genai, side)).transpose().map_err(no_thread)?;
        let (mut child, input, output) = Child::spawn_piped(&self.command)?;
        let passing =
            pass_on(streams, input, output, watch.as_ref().map(Watch::teller)).map_err(no_thread)?;
        let status = child
            .wait(&mut signals)
            .await
            .map_err(|error| Failure::ours(format!("the server cannot be waited for any more: {error}")))?;
        let now = Instant::now();
        let receivers = session.tally().receivers;
        let rest = async {
            passing.rest().await;
            let deadline = Instant::now() + flush_timeout;
            let crash = crash(status);
            let end = move || {
                let told = watch.map(|watch| watch.end(crash, flush_timeout / 2));
                let delivered = session.end(deadline);
                say(told, delivered, &receivers);
            };
            let _ = tokio::task::spawn_blocking(end).await;
        };
        let interrupted = async {
            // What came with the server's end was for the server.
            while signals.next().await.at < now + LATE {}
        };
        tokio::select! {
            () = rest => {}
            () = interrupted => diagnostics::say("interrupted; what was not exported yet is lost"),
        }
        Ok(exit::code(status))
    }
}

/// The last lines.
fn say(told: Option<Result<Told, RecvTimeoutError>>, delivered: bool, receivers: &str) {
    let told = match told {
        None => return,
        Some(Ok(told)) => told,
        Some(Err(RecvTimeoutError::Timeout)) => {
            return diagnostics::say("not all messages were read in time; --flush-timeout gives more");
        }
        Some(Err(RecvTimeoutError::Disconnected)) => {
            return diagnostics::say("the messages could not be read; that is a bug, please report it");
        }
    };
    if told.lost > 0 {
        diagnostics::say(format_args!(
            "too much at once, forwarded but not recorded: {} pieces of traffic",
            told.lost
        ));
    }
    if told.strange > 0 {
        diagnostics::remark(format_args!(
            "{} on the server's standard output {} no message of MCP; logs belong on standard error",
            counted(told.strange, "line"),
            if told.strange == 1 { "is" } else { "are" },
        ));
    }
    if told.requests == 0 {
        return diagnostics::remark("no MCP requests were seen");
    }
    let mut line = counted(told.requests, "MCP request");
    if told.errors > 0 {
        line.push_str(&format!(", {}", counted(told.errors, "error")));
    }
    if delivered && !receivers.is_empty() {
        line.push_str(&format!(", sent to {receivers}"));
    }
    diagnostics::remark(line);
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Why a server that ended by itself did not end well. Clients end servers by signals.
fn crash(status: ExitStatus) -> Option<Error> {
    const USUAL: [i32; 5] = [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM];
    let told = match (status.code(), status.signal()) {
        (Some(0), _) => return None,
        (Some(code), _) if USUAL.contains(&(code - 128)) => return None,
        (Some(code), _) => format!("the server ended with exit status {code}"),
        (None, Some(signal)) if USUAL.contains(&signal) => return None,
        (None, signal) => format!("signal {} ended the server", signal.unwrap_or_default()),
    };
    Some(Error::new("server_exit").message(told))
}

/// Programs that only run another one, which is the server.
const STARTERS: [&str; 10] = ["npx", "bunx", "uvx", "pipx", "node", "bun", "deno", "python", "python3", "uv"];

/// Their options that say nothing about the next word, or that it is the server.
const PLAIN: [&str; 11] = ["--", "-y", "--yes", "-q", "--quiet", "-u", "-B", "-I", "-m", "-A", "--allow-all"];

/// Their options that take the next word, which is then not the server.
const TAKING: [&str; 7] = ["--from", "--with", "--directory", "--project", "--package", "--python", "--spec"];

/// Without a better name telemetry is filed under the server's.
fn service(command: &[OsString]) -> String {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let Some((program, arguments)) = words.split_first() else { return "unknown_service".to_owned() };
    let file = Path::new(&**program).file_name().map(|name| name.to_string_lossy());
    let file = file.as_deref().unwrap_or(program);
    let server = STARTERS.contains(&file).then(|| server(arguments.iter().map(|word| &**word))).flatten();
    server.unwrap_or_else(|| file.to_owned())
}

/// The server's name among the words that follow a starter's. `None` where the word could be something else, such as code
/// or a password.
fn server<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<String> {
    let server = loop {
        let word = words.next()?;
        if TAKING.contains(&word) {
            words.next()?;
        } else if !word.starts_with('-') && !["run", "exec"].contains(&word) {
            break word;
        } else if word.starts_with('-')
            && !PLAIN.contains(&word)
            && !(word.starts_with("--") && word.contains('='))
        {
            return None;
        }
    };
    // The name of a package may hold slashes and dots; that of a file is after the one and before the other.
    if Path::new(server).exists() {
        return Path::new(server).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    }
    let is_odd =
        server.contains("://") || server.contains(|letter: char| letter == '=' || letter.is_whitespace());
    // A version follows the `@` of a package, a host that of an address.
    let names_user = server.get(1..).and_then(|rest| rest.split_once('@'));
    let names_user = names_user.is_some_and(|(user, host)| user.contains(':') || host.contains('/'));
    (!is_odd && !names_user).then(|| server.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telemetry_is_filed_under_the_server() {
        let service = |line: &str| service(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for (line, name) in [
            ("npx -y @scope/server-files@1.2 /data", "@scope/server-files@1.2"),
            ("uvx mcp-server-git --repository .", "mcp-server-git"),
            ("/usr/bin/python3 -m weather_server", "weather_server"),
            ("uv run Cargo.toml", "Cargo"),
            ("/opt/bin/my-server --port 1", "my-server"),
            ("npx", "npx"),
            ("uvx --from some-package mcp-server-git", "mcp-server-git"),
            ("uv --directory /srv/weather run Cargo.toml", "Cargo"),
            ("deno run --allow-net=example.com -A npm:some-server", "npm:some-server"),
            // What is, or may be, no name.
            ("uvx --from git+https://SECRET@git.example/x.git", "uvx"),
            ("uvx git+https://SECRET@git.example/x.git", "uvx"),
            ("npx user:SECRET@git.example", "npx"),
            ("npx SECRET@git.example/x", "npx"),
            ("uvx --index-url https://user:SECRET@pypi.example server", "uvx"),
            ("node --api-key SECRET s.js", "node"),
            ("python -c SECRET", "python"),
            ("python -ckey=1 SECRET", "python"),
            ("bun KEY=SECRET", "bun"),
        ] {
            assert_eq!(service(line), name, "{line}");
        }
    }

    #[test]
    fn a_server_that_is_told_to_end_has_not_failed() {
        let kind = |status| crash(ExitStatus::from_raw(status)).and_then(|failure| failure.message);
        assert_eq!([kind(0), kind(15), kind(130 << 8), kind(143 << 8)], [None, None, None, None]);
        assert_eq!(kind(3 << 8).as_deref(), Some("the server ended with exit status 3"));
        assert_eq!(kind(11).as_deref(), Some("signal 11 ended the server"));
    }
}
