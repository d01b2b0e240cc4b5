//! The program: reads OTLP JSON, prints findings.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use otel_genai_conformance::{Checker, Convention, Telemetry};

/// Judges OTLP JSON by the OpenTelemetry GenAI conventions.
///
/// Prints one finding a line. Exits with 0 if there is none, 1 if there are some, 2 if something cannot be read.
#[derive(Parser)]
#[command(name = "otel-genai-conformance", version)]
struct Arguments {
    /// The convention to judge by: 2026-08 or 2026-10.
    #[arg(long, default_value = "2026-08")]
    convention: Convention,
    /// An attribute, metric, event or operation that is let pass although the convention does not know it; a `*` at the
    /// end stands for any rest.
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// Excuse failed calls from attributes of the answer that they never got, and streamed calls from token counts.
    #[arg(long)]
    excuse_unanswered: bool,
    /// Files with export requests of traces, logs and metrics, one or several in each; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut telemetry = Telemetry::default();
    for file in &arguments.files {
        match read(file) {
            Ok(read) => telemetry.extend(read),
            Err(problem) => {
                eprintln!("otel-genai-conformance: {}: {problem}", file.display());
                return ExitCode::from(2);
            }
        }
    }
    let checker = Checker::new(arguments.convention).excuse_unanswered(arguments.excuse_unanswered);
    let checker = arguments.allow.into_iter().fold(checker, Checker::allow);
    let findings = checker.check(&telemetry);
    // A reader that went away has seen enough.
    let _ = findings.iter().try_for_each(|finding| writeln!(io::stdout(), "{finding}"));
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &Path) -> Result<Telemetry, String> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| error.to_string())?;
    Telemetry::from_otlp_json(&text).map_err(|error| error.to_string())
}
