//! What is told of the calls.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::support::{ANSWER, QUESTION, Running, Server, Told, otel_genai, post};

/// Runs a program which makes one call to `server`, and returns what the launcher told.
fn one_call(server: &Server, options: &[&str], vars: &[(&str, &str)]) -> Told {
    let mut command =
        otel_genai(&[&["run"], options, &["--", "sh", "-c", "echo $OPENAI_BASE_URL; read _"]].concat());
    command.env("OPENAI_BASE_URL", server.base_url()).envs(vars.iter().copied());
    call_under(command)
}

fn call_under(mut command: Command) -> Told {
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let base = running.line();
    post(&base, "/chat/completions", QUESTION);
    drop(running.child.stdin.take());
    running.end()
}

#[test]
fn people_read_it_on_standard_error() {
    let server = Server::start("200 OK", ANSWER);
    let told = one_call(&server, &[], &[]);
    assert_eq!(told.out, "");
    assert!(told.err.contains("chat gpt-4o-mini") && told.err.contains("stop"), "{told:?}");
    assert_eq!(told.err.lines().last(), Some("otel-genai: 1 model call, 15 tokens in, 20 out"));
    assert!(!told.err.contains("private") && !told.err.contains("SECRET"), "{told:?}");
    let seen = server.seen.lock().unwrap();
    assert!(seen[0].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{seen:?}");
    assert!(seen[0].contains("Bearer sk-SECRET"), "{seen:?}");
}

#[test]
fn content_is_shown_when_it_is_asked_for() {
    let server = Server::start("200 OK", ANSWER);
    for told in [
        one_call(&server, &["--content", "span-and-event"], &[]),
        one_call(&server, &[], &[("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")]),
    ] {
        assert!(told.err.contains("a private question") && told.err.contains("a private answer"), "{told:?}");
    }
    let flag_first = [("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")];
    assert!(!one_call(&server, &["--content", "false"], &flag_first).err.contains("private"));
}

#[test]
fn an_error_is_counted() {
    let refusal = r#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#;
    let server = Server::start("429 Too Many Requests", refusal);
    let told = one_call(&server, &[], &[]);
    assert!(told.err.contains("rate_limit_exceeded"), "{told:?}");
    assert_eq!(told.err.lines().last(), Some("otel-genai: 1 model call, 1 error"));
}

#[test]
fn quiet_leaves_the_last_line_out() {
    let server = Server::start("200 OK", ANSWER);
    let told = one_call(&server, &["-q"], &[("OTEL_TRACES_SAMPLER", "sometimes")]);
    assert!(!told.err.contains("otel-genai:"), "{told:?}");
}

#[test]
fn a_program_without_calls_is_told_how_they_would_be_seen() {
    let mut command = otel_genai(&["run", "--", "true"]);
    let told = Running::start({
        command.env("OTEL_GENAI_NO_ENV", "OPENAI_API_BASE");
        command
    })
    .end();
    assert_eq!(
        told.err,
        "otel-genai: no model calls were seen; a program's calls are seen when its SDK reads OPENAI_BASE_URL\n"
    );
}

#[test]
fn wrong_values_are_told_once_each() {
    let server = Server::start("200 OK", ANSWER);
    for (name, allowed) in [
        ("OTEL_TRACES_SAMPLER", "always_on"),
        ("OTEL_GENAI_CONVENTION", "2026-08"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT"),
        ("OTEL_LOG_LEVEL", "warn"),
        ("OTEL_GENAI_FLUSH_TIMEOUT", "500ms"),
    ] {
        let told = one_call(&server, &["--exporter", "none"], &[(name, "nonsense")]);
        let lines: Vec<_> = told.err.lines().collect();
        assert_eq!(lines.len(), 1, "{told:?}");
        for word in ["otel-genai: ", name, "nonsense", allowed] {
            assert!(lines[0].contains(word), "{lines:?} lacks {word}");
        }
    }
}

#[test]
fn a_receiver_that_is_not_there_is_told_and_costs_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start("200 OK", ANSWER);
    let told = one_call(&server, &["--endpoint", &format!("http://{closed}"), "-q"], &[]);
    assert_eq!(told.code, 1, "the shell's `read` at the end of its input");
    assert!(told.err.contains(&closed.to_string()), "{told:?}");
    assert_eq!(told.err.lines().filter(|line| line.contains("traces")).count(), 1, "{told:?}");
    assert!(told.err.lines().last().unwrap().starts_with("otel-genai: not exported: 1 span"), "{told:?}");
}

#[test]
fn a_receiver_gets_everything() {
    let receiver = Server::start("200 OK", "{}");
    let server = Server::start("200 OK", ANSWER);
    let endpoint = format!("http://{}", receiver.address);
    let told = one_call(
        &server,
        &["--endpoint", &endpoint, "--protocol", "http/json", "--service-name", "mine"],
        &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/unused")],
    );
    assert_eq!(told.err, "");
    let seen = receiver.seen.lock().unwrap();
    for (path, word) in [("/v1/traces", "gpt-4o-mini"), ("/v1/metrics", "gen_ai.client.token.usage")] {
        let request = seen.iter().find(|request| request.contains(&format!("POST {path} ")));
        let request = request.unwrap_or_else(|| panic!("nothing at {path}: {seen:?}"));
        assert!(request.contains(word) && request.contains("mine"), "{request}");
    }
    assert!(!seen.concat().contains("SECRET"));
}

#[test]
fn a_trace_that_is_handed_on_is_continued() {
    let receiver = Server::start("200 OK", "{}");
    let server = Server::start("200 OK", ANSWER);
    let endpoint = format!("http://{}", receiver.address);
    let traceparent = [("TRACEPARENT", "00-11112222333344445555666677778888-9999aaaabbbbcccc-01")];
    one_call(&server, &["--endpoint", &endpoint, "--protocol", "http/json"], &traceparent);
    let seen = receiver.seen.lock().unwrap().concat().to_lowercase();
    assert!(seen.contains("11112222333344445555666677778888"), "{seen}");
    assert!(seen.contains("9999aaaabbbbcccc"), "{seen}");
}
