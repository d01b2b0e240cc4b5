//! `cargo xtask test`, `ci` and `demo`: programs run one after the other.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::engine::{self, Engine};
use crate::program::{self, cargo};
use crate::{Result, api, compat, ui, workspace};

const RIG: &str = "crates/otel-genai-rig/Cargo.toml";
const END_TO_END: &str = "tests/e2e/run.py";
pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// What of the libraries is compiled on demand alone, and is tested: one build has it all.
pub(crate) const FEATURES: &str = features!("otel-genai-http/_clients,otel-genai-cli/clickhouse");

/// Everything that tells whether the product works; `fast` leaves out format, lints and end-to-end tests.
pub(crate) fn test(fast: bool) -> ExitCode {
    let mut suite = Suite::default();
    test_steps(&mut suite, fast);
    suite.finish()
}

/// The dashboard's page alone.
pub(crate) fn ui() -> ExitCode {
    let mut suite = Suite::default();
    page_steps(&mut suite);
    suite.finish()
}

/// What continuous integration checks beyond the tests.
pub(crate) fn ci() -> ExitCode {
    let mut suite = Suite::default();
    if program::cargo_has("deny") {
        suite.step("licences", &mut cargo(&["deny", "check", "bans", "licenses", "sources"]));
        let rig = ["deny", "--manifest-path", RIG, "check", "bans", "licenses", "sources"];
        suite.step("licences of what rig brings", &mut cargo(&rig));
        advisories(&mut suite);
    } else {
        suite.skip("licences", "cargo-deny is not installed");
        suite.skip("advisories", "cargo-deny is not installed");
    }
    // With the examples, dependencies have the features that lints and tests give them, and are compiled once for all.
    let doc = ["doc", "--workspace", "--no-deps", "--lib", "--bins", "--examples", "--features", FEATURES];
    let mut doc = cargo(&doc);
    suite.step("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"));
    suite.step("documentation for rig", rig("doc", &["--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"));
    if program::cargo_has("public-api") {
        suite.task("public API", "is what public-api.txt says", api::check);
    } else {
        suite.skip("public API", "cargo-public-api is not installed");
    }
    oldest(&mut suite);
    suite.finish()
}

/// What the oldest Rust, the oldest dependencies and each feature alone make of it; what of that cannot be had is said.
fn oldest(suite: &mut Suite) {
    const NAME: &str = "oldest Rust and dependencies";
    let each_feature = program::cargo_has("hack");
    if !each_feature {
        suite.skip("each feature alone", "cargo-hack is not installed");
    }
    let rust = match compat::oldest_rust() {
        Ok(version) if compat::has_rust(&version) => Some(version),
        Ok(version) => {
            suite.skip("oldest Rust", &format!("Rust {version} cannot be had"));
            None
        }
        Err(message) => return suite.task(NAME, "the manifest", || Err(message)),
    };
    match compat::check(rust.as_deref(), each_feature) {
        Ok(mut check) => suite.step(NAME, &mut check),
        Err(message) => suite.task(NAME, "the oldest versions", || Err(message)),
    }
}

/// Known vulnerabilities. Their database lives on the network, which not every machine that tests reaches: being out
/// of reach is said, and is no failure of the change under test.
fn advisories(suite: &mut Suite) {
    let mut check = cargo(&["deny", "check", "advisories"]);
    match check.output() {
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("fetch advisory database") => {
            suite.skip("advisories", "the advisory database cannot be reached");
        }
        _ => suite.step("advisories", &mut check),
    }
}

/// The program's own demo, built for speed.
pub(crate) fn demo(arguments: &[String]) -> Result<ExitCode> {
    program::run(cargo(&["run", "--release", "--", "demo"]).args(arguments))?;
    Ok(ExitCode::SUCCESS)
}

fn test_steps(suite: &mut Suite, fast: bool) {
    if !fast {
        suite.step("format", &mut cargo(&["fmt", "--all", "--check"]));
        let lints =
            ["clippy", "--workspace", "--all-targets", "--features", FEATURES, "--", "-D", "warnings"];
        suite.step("lints", &mut cargo(&lints));
        suite.step("format for rig", &mut cargo(&["fmt", "--manifest-path", RIG, "--check"]));
        suite.step("lints for rig", &mut rig("clippy", &["--all-targets", "--", "-D", "warnings"]));
        page_steps(suite);
    }
    let clickhouse = clickhouse(suite);
    let mut tests = if program::cargo_has("nextest") {
        cargo(&["nextest", "run", "--workspace", "--features", FEATURES])
    } else {
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--features", FEATURES])
    };
    if let Some(engine) = &clickhouse {
        tests.env(engine::URL, engine.url());
    }
    suite.step("unit and integration tests", &mut tests);
    drop(clickhouse);
    suite.step("doc tests", &mut cargo(&["test", "--workspace", "--doc", "--features", FEATURES]));
    if fast {
        return;
    }
    suite.step("tests with rig", &mut rig("test", &[]));
    if workspace::root().join(END_TO_END).is_file() {
        suite.step("end-to-end tests", &mut program::command(PYTHON, &[END_TO_END]));
    } else {
        suite.skip("end-to-end tests", &format!("there is no {END_TO_END}"));
    }
}

/// The engine that the tests of the store ask, where it can be had. Elsewhere those tests say that they are skipped.
fn clickhouse(suite: &mut Suite) -> Option<Engine> {
    const NAME: &str = "ClickHouse for the tests";
    if let Some(reason) = engine::missing() {
        suite.skip(NAME, &reason);
        return None;
    }
    if let Err(message) = engine::install() {
        suite.skip(NAME, &format!("it cannot be had: {message}"));
        return None;
    }
    let mut started = None;
    suite.task(NAME, "its engine as a library, served once", || {
        started = Some(engine::start()?);
        Ok(())
    });
    started
}

fn page_steps(suite: &mut Suite) {
    for (name, mut command) in ui::steps() {
        if ui::has_node() {
            suite.step(name, &mut command);
        } else {
            suite.skip(name, "Node.js is not installed");
        }
    }
}

/// A command of cargo's for the crate that has a workspace of its own, because rig asks for a newer Rust than the others
/// do. It compiles with this one, too. What it shares with the others is compiled once.
fn rig(command: &str, arguments: &[&str]) -> Command {
    let mut command = cargo(&[command, "--manifest-path", RIG, "--ignore-rust-version"]);
    command.args(arguments).env("CARGO_TARGET_DIR", workspace::target());
    command
}

/// Steps that all run, whatever became of those before, and a summary of them.
#[derive(Default)]
struct Suite {
    steps: Vec<Step>,
}

struct Step {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed(Duration),
    Failed(Duration),
    Skipped(String),
}

impl Suite {
    fn step(&mut self, name: &str, command: &mut Command) {
        let what = program::words(command);
        self.task(name, &what, || program::run(command));
    }

    /// A step that is no program.
    fn task(&mut self, name: &str, what: &str, task: impl FnOnce() -> Result<()>) {
        println!("\n== {name}: {what}");
        let start = Instant::now();
        let outcome = match task() {
            Ok(()) => Outcome::Passed(start.elapsed()),
            Err(message) => {
                eprintln!("xtask: {message}");
                Outcome::Failed(start.elapsed())
            }
        };
        self.steps.push(Step { name: name.to_owned(), outcome });
    }

    fn skip(&mut self, name: &str, reason: &str) {
        self.steps.push(Step { name: name.to_owned(), outcome: Outcome::Skipped(reason.to_owned()) });
    }

    fn finish(self) -> ExitCode {
        println!("\n{}", self.summary());
        if self.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// A line for each step, and the counts alone on the last one.
    fn summary(&self) -> String {
        let lines = self.steps.iter().map(|step| {
            let (verdict, rest) = match &step.outcome {
                Outcome::Passed(time) => ("ok", format!("{:.1} s", time.as_secs_f64())),
                Outcome::Failed(time) => ("FAILED", format!("{:.1} s", time.as_secs_f64())),
                Outcome::Skipped(reason) => ("skipped", reason.clone()),
            };
            format!("{verdict:<8} {:<27} {rest}\n", step.name)
        });
        let passed = self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Passed(_))).count();
        format!("{}{passed} passed, {} failed", lines.collect::<String>(), self.failed())
    }

    fn failed(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_each_step_and_ends_with_the_counts() {
        let mut suite = Suite::default();
        suite
            .steps
            .push(Step { name: "format".into(), outcome: Outcome::Passed(Duration::from_millis(1250)) });
        suite.steps.push(Step { name: "lints".into(), outcome: Outcome::Failed(Duration::from_secs(2)) });
        suite.skip("end-to-end tests", "there is no run.py");

        let summary = suite.summary();
        let lines: Vec<_> = summary.lines().collect();
        assert_eq!(lines[0], "ok       format                      1.2 s");
        assert_eq!(lines[1], "FAILED   lints                       2.0 s");
        assert_eq!(lines[2], "skipped  end-to-end tests            there is no run.py");
        assert_eq!(lines[3], "1 passed, 1 failed");
    }

    #[test]
    fn a_step_fails_when_its_program_is_missing() {
        let mut suite = Suite::default();
        suite.step("nothing", &mut program::command("otel-genai-no-such-program", &[]));
        assert_eq!(suite.failed(), 1);
    }

    #[test]
    fn a_missing_program_is_named_in_the_error() {
        let error = program::run(&mut program::command("otel-genai-no-such-program", &["now"])).unwrap_err();
        assert_eq!(
            error,
            "`otel-genai-no-such-program` is not installed or not on PATH; \
             it is needed for `otel-genai-no-such-program now`"
        );
    }
}
