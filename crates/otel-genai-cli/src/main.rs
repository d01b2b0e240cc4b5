//! OpenTelemetry for generative AI from the command line: run any program and see its model calls.

mod background;
mod child;
mod command;
#[cfg(feature = "dashboard")]
mod dashboard;
mod demo;
mod diagnostics;
mod exit;
mod inherit;
mod intercept;
mod mcp;
mod options;
mod proxies;
mod session;
mod settings;
mod shim;
mod tally;
mod trust;
mod url;
mod variables;

fn main() -> std::process::ExitCode {
    command::main()
}
