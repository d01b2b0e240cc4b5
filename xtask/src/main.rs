//! What developers of otel-genai type: `cargo xtask <task>`.

/// The features of the libraries that change what is compiled, with these of the layers for HTTP clients.
macro_rules! features {
    ($http:literal) => {
        concat!(
            "otel-genai/regex,otel-genai/tracing,otel-genai-sdk/tracing,otel-genai-processor/tracing,",
            $http
        )
    };
}

mod api;
mod bench;
mod compat;
mod docs;
mod engine;
mod program;
mod semconv;
mod suite;
mod ui;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What developers of otel-genai type.")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests: format, lints, unit and integration tests, doc tests, end-to-end tests.
    Test {
        /// Leave out format, lints and end-to-end tests.
        #[arg(long)]
        fast: bool,
    },
    /// What continuous integration checks beyond `test`: licences, advisories, documentation, the public API, and that
    /// each feature alone compiles with the oldest Rust and the oldest dependencies.
    Ci,
    /// Run the benchmarks; further arguments go to them.
    Bench {
        /// Arguments for the benchmark programs.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Show the whole pipeline at work; further arguments go to `otel-genai demo`.
    Demo {
        /// Arguments for the demo.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The dashboard's page: its packages, types, tests and size.
    Ui {
        /// Make the page for a published crate instead, so that those who build it need no Node.js.
        #[arg(long)]
        package: bool,
    },
    /// Write the parts of `docs/` that are made of the code, such as the tables of the conventions.
    Docs,
    /// Write the public API of the libraries, one line an item; needs `cargo install cargo-public-api`.
    Api {
        /// Write nothing; fail if a checked-in file differs from what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Write the constants of `otel-genai-semconv` from the conventions.
    Semconv {
        /// Write nothing; fail if a checked-in file differs from what would be written.
        #[arg(long)]
        check: bool,
        /// The folder with `resolved-*.json` and `model-*` [default: `OTEL_GENAI_SEMCONV_DIR`,
        /// else ../shared/semconv beside the workspace].
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
}

/// What went wrong, for a person to read.
type Result<T, E = String> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let done = api::as_rustdoc().unwrap_or_else(|| run(Arguments::parse().task));
    match done {
        Ok(code) => code,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Test { fast } => Ok(suite::test(fast)),
        Task::Ci => Ok(suite::ci()),
        Task::Bench { arguments } => bench::run(&arguments),
        Task::Demo { arguments } => suite::demo(&arguments),
        Task::Ui { package: true } => ui::package().map(|()| ExitCode::SUCCESS),
        Task::Ui { package: false } => Ok(suite::ui()),
        Task::Docs => docs::write(),
        Task::Api { check } => {
            if check {
                api::check()?;
            } else {
                api::write()?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Task::Semconv { check, from } => {
            let from = from.unwrap_or_else(semconv::default_source);
            if check {
                semconv::check(&from)?;
            } else {
                semconv::write(&from)?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
