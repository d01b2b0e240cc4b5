//! `cargo xtask bench`: every benchmark, and the library beside the Python handlers that do the same.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::program::{self, cargo};
use crate::suite::PYTHON;
use crate::{Result, engine, workspace};

/// What the dashboard is measured beside.
const PHOENIX: &str = "arize-phoenix==20.26.1";

/// The Python handlers. Their packages share a module name, so each has an environment of its own.
const HANDLERS: [(&str, &str); 2] =
    [("loongsuite", "loongsuite-otel-util-genai 0.9.1"), ("upstream", "opentelemetry-util-genai 1.3b0")];

const FOLDER: &str = "crates/otel-genai/benches/python";

/// The row of `benches/handler.rs` that does what the Python handlers do.
const CAPTURED: &str = "handler, content on span and event";

/// Every benchmark, each with `arguments`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let table = program::filter(bench("otel-genai", "handler").args(arguments), "")?;
    print!("{table}");
    match captured(&table) {
        Some(ours) => beside_python(ours),
        None => println!(
            "\nPython handlers: left out, because the handler's own benchmark was not run as a whole"
        ),
    }
    program::run(bench("otel-genai-wire", "reading").args(arguments))?;
    let layers = ["bench", "-p", "otel-genai-http", "--features", "_clients", "--bench", "layers", "--"];
    program::run(cargo(&layers).args(arguments))?;
    program::run(bench("otel-genai-gateway", "proxy").args(arguments))?;
    dashboard(arguments)?;
    Ok(ExitCode::SUCCESS)
}

/// The dashboard, with its data in files and in ClickHouse, and Phoenix; the latter two where they can be installed.
fn dashboard(arguments: &[String]) -> Result<()> {
    let dashboard =
        ["bench", "-p", "otel-genai-cli", "--features", "clickhouse", "--bench", "dashboard", "--"];
    let mut bench = cargo(&dashboard);
    if let Err(reason) = engine::missing().map_or_else(engine::install, Err) {
        println!("\nClickHouse: not installed. {reason}");
    }
    match environment("phoenix", &[PHOENIX]) {
        Ok(python) => {
            bench.env("OTEL_GENAI_PHOENIX", python.with_file_name("phoenix"));
        }
        Err(reason) => println!("\nPhoenix: left out. {reason}"),
    }
    program::run(bench.args(arguments))
}

fn bench(package: &str, bench: &str) -> std::process::Command {
    cargo(&["bench", "-p", package, "--bench", bench, "--"])
}

/// The median of our row in the table, in microseconds.
fn captured(table: &str) -> Option<f64> {
    let row = table.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(CAPTURED))?;
    row.split('|').nth(1)?.trim().parse().ok()
}

/// The same call by each Python handler, in one table with ours.
fn beside_python(ours: f64) {
    let mut table = format!(
        "\n| one captured chat call | median µs | × ours |\n|---|---|---|\n| otel-genai | {ours:.2} | 1.0 |\n"
    );
    for (name, package) in HANDLERS {
        match python(name) {
            Ok(theirs) => table += &format!("| {package} | {theirs:.2} | {:.1} |\n", theirs / ours),
            Err(reason) => println!("\n{package}: left out. {reason}"),
        }
    }
    print!("{table}");
}

/// The median of a call of this Python handler, in microseconds.
fn python(name: &str) -> Result<f64> {
    let requirements = format!("{FOLDER}/requirements-{name}.txt");
    let interpreter = environment(name, &["-r", &requirements])?;
    let script = format!("{FOLDER}/handler.py");
    let output =
        program::filter(&mut program::command(&interpreter.to_string_lossy(), &[&script, name]), "")?;
    output.trim().parse().map_err(|_| format!("`{script} {name}` printed no number: {output:?}"))
}

/// The Python of an environment that has what pip is told to install.
fn environment(name: &str, wanted: &[&str]) -> Result<PathBuf> {
    let folder = format!("target/bench-python/{name}");
    let python = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let python = workspace::root().join(&folder).join(python);
    if !python.is_file() {
        program::run(&mut program::command(PYTHON, &["-m", "venv", &folder]))?;
    }
    let mut install = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    install.extend(wanted);
    program::run(&mut program::command(&python.to_string_lossy(), &install))?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_row_is_found_in_the_table() {
        let table = format!(
            "| one chat call | median µs | × baseline |\n|---|---|---|\n| {CAPTURED} | 12.34 | 1.50 |\n"
        );
        assert_eq!(captured(&table), Some(12.34));
        assert_eq!(captured("handler, no content: 1 µs"), None);
    }
}
