//! `cargo xtask test`, `ci` and `demo`: programs run one after the other.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::program::{self, cargo};
use crate::{Result, workspace};

const END_TO_END: &str = "tests/e2e/run.py";
pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Everything that tells whether the product works; `fast` leaves out format, lints and end-to-end tests.
pub(crate) fn test(fast: bool) -> ExitCode {
    let mut suite = Suite::default();
    test_steps(&mut suite, fast);
    suite.finish()
}

/// What continuous integration checks beyond the tests.
pub(crate) fn ci() -> ExitCode {
    let mut suite = Suite::default();
    if program::cargo_has("deny") {
        suite.step("licences", &mut cargo(&["deny", "check", "bans", "licenses", "sources"]));
        advisories(&mut suite);
    } else {
        suite.skip("licences", "cargo-deny is not installed");
        suite.skip("advisories", "cargo-deny is not installed");
    }
    let mut doc = cargo(&["doc", "--workspace", "--no-deps"]);
    suite.step("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"));
    suite.finish()
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
        let lints = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        suite.step("lints", &mut cargo(&lints));
        for feature in ["tower", "reqwest", "reqwest-middleware", "async-openai"] {
            let alone = ["clippy", "-p", "otel-genai-http", "--features", feature, "--", "-D", "warnings"];
            suite.step(&format!("lints of the feature {feature}"), &mut cargo(&alone));
        }
    }
    if program::cargo_has("nextest") {
        suite.step("unit and integration tests", &mut cargo(&["nextest", "run", "--workspace"]));
    } else {
        let tests = ["test", "--workspace", "--lib", "--bins", "--tests"];
        suite.step("unit and integration tests", &mut cargo(&tests));
    }
    // Their clients are compiled for these tests alone.
    let clients =
        ["test", "-p", "otel-genai-http", "--features", "_clients", "--test", "tower", "--test", "reqwest"];
    suite.step("client layers", cargo(&clients).args(["--test", "async_openai"]));
    suite.step("doc tests", &mut cargo(&["test", "--workspace", "--doc"]));
    if fast {
        return;
    }
    if workspace::root().join(END_TO_END).is_file() {
        suite.step("end-to-end tests", &mut program::command(PYTHON, &[END_TO_END]));
    } else {
        suite.skip("end-to-end tests", &format!("there is no {END_TO_END}"));
    }
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
        println!("\n== {name}: {}", program::words(command));
        let start = Instant::now();
        let outcome = match program::run(command) {
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
