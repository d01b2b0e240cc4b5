//! The program: what it prints, and how it exits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

const GOOD: &str = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "plan", "kind": 1, "attributes": [
    {"key": "gen_ai.operation.name", "value": {"stringValue": "plan"}}]}]}]}]}"#;
const BAD: &str = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "plan", "kind": 1, "attributes": [
    {"key": "gen_ai.operation.name", "value": {"stringValue": "plan"}},
    {"key": "acme.one", "value": {"stringValue": "x"}}, {"key": "acme.two", "value": {"stringValue": "x"}}]}]}]}]}"#;

/// Exit code, standard output and standard error.
fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_otel-genai-conformance"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn good_telemetry_exits_with_0_and_silence() {
    assert_eq!(run(&["-"], GOOD), (0, String::new(), String::new()));
    assert_eq!(run(&["--convention", "2026-10", "-"], GOOD), (0, String::new(), String::new()));
}

#[test]
fn findings_are_a_line_each_and_exit_with_1() {
    let (code, out, err) = run(&["-"], BAD);
    let expected = "missing_attribute: span \"plan\": acme.one: the convention 2026-08 does not know it\n\
                    missing_attribute: span \"plan\": acme.two: the convention 2026-08 does not know it\n";
    assert_eq!((code, out.as_str(), err.as_str()), (1, expected, ""));
    let (good, bad) = (file(GOOD), file(BAD));
    let files = [good.path().to_str().unwrap(), bad.path().to_str().unwrap()];
    assert_eq!(run(&files, ""), (1, expected.to_owned(), String::new()));
}

#[test]
fn names_are_allowed_by_options() {
    assert_eq!(run(&["--allow", "acme.one", "--allow", "acme.two", "-"], BAD).0, 0);
    assert_eq!(run(&["--allow", "acme.*", "-"], BAD).0, 0);
    let (code, out, _) = run(&["--allow", "acme.one", "-"], BAD);
    assert_eq!((code, out.lines().count()), (1, 1));
}

#[test]
fn unreadable_input_exits_with_2_and_says_which() {
    let (code, out, err) = run(&["-"], "hello");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("otel-genai-conformance: -: cannot read document 1 as OTLP JSON"), "{err}");
    let (code, _, err) = run(&["no-such-file.json"], "");
    assert_eq!(code, 2);
    assert!(err.starts_with("otel-genai-conformance: no-such-file.json: "), "{err}");
    let (code, _, err) = run(&["--convention", "v1.30", "-"], GOOD);
    assert_eq!(code, 2);
    assert!(err.contains("choose 2026-08 or 2026-10"), "{err}");
}

#[test]
fn failed_calls_are_excused_by_an_option() {
    let failed = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "chat", "kind": 3, "status": {"code": 2},
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
            {"key": "server.address", "value": {"stringValue": "h"}},
            {"key": "error.type", "value": {"stringValue": "500"}}]}]}]}]}"#;
    let (code, out, _) = run(&["-"], failed);
    assert_eq!((code, out.lines().count()), (1, 5));
    assert_eq!(run(&["--excuse-unanswered", "-"], failed), (0, String::new(), String::new()));
}
