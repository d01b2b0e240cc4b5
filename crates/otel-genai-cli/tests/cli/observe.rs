//! What is told of the calls.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::support::{ANSWER, Finished, QUESTION, Running, Server, otel_genai, post};

/// Runs a program which makes one call to `server`, and returns what the launcher told.
fn one_call(server: &Server, options: &[&str], vars: &[(&str, &str)]) -> Finished {
    let mut command =
        otel_genai(&[&["run"], options, &["--", "sh", "-c", "echo $OPENAI_BASE_URL; read _"]].concat());
    command.env("OPENAI_BASE_URL", server.base_url()).envs(vars.iter().copied());
    call_under(command)
}

fn call_under(mut command: Command) -> Finished {
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
    let wrong = ("OTEL_TRACES_SAMPLER", "sometimes");
    for (options, vars) in [(&["-q"][..], &[wrong][..]), (&[], &[wrong, ("OTEL_LOG_LEVEL", "error")])] {
        let told = one_call(&server, options, vars);
        assert!(told.err.contains("chat gpt-4o-mini") && !told.err.contains("otel-genai:"), "{told:?}");
    }
}

#[test]
fn a_program_without_calls_is_told_how_they_would_be_seen() {
    let mut command = otel_genai(&["run", "--", "true"]);
    let told = Running::start({
        command.env("OTEL_GENAI_NO_ENV", "OPENAI_API_BASE,ANTHROPIC_BASE_URL");
        command
    })
    .end();
    assert_eq!(
        told.err,
        "otel-genai: no model calls were seen; calls are seen of Python and Node to known hosts, and of programs that \
         read OPENAI_BASE_URL; for others there is --intercept\n"
    );
    let mut command = otel_genai(&["run", "--no-shim", "--", "true"]);
    command.env("OTEL_GENAI_NO_ENV", "OPENAI_API_BASE,ANTHROPIC_BASE_URL");
    let told = Running::start(command).end();
    assert!(!told.err.contains("Python"), "{told:?}");
}

#[test]
fn the_last_line_is_the_same_in_every_convention() {
    let server = Server::start("200 OK", ANSWER);
    for convention in ["2026-08", "2026-10", "loongsuite", "v1.30", "2026-08,v1.30"] {
        let told = one_call(&server, &["--convention", convention], &[("OTEL_TRACES_SAMPLER", "always_off")]);
        let last = "otel-genai: 1 model call, 15 tokens in, 20 out";
        assert_eq!(told.err.lines().last(), Some(last), "{convention}: {told:?}");
    }
}

#[test]
fn a_receiver_without_calls_is_told_too() {
    let receiver = Server::start("200 OK", "{}");
    let endpoint = format!("http://{}", receiver.address);
    let told = Running::start(otel_genai(&["run", "--endpoint", &endpoint, "--", "true"])).end();
    assert!(told.err.starts_with("otel-genai: no model calls were seen; "), "{told:?}");
    assert_eq!(told.err.lines().count(), 1, "{told:?}");
}

#[test]
fn content_is_stored_as_files_and_the_console_says_where() {
    let server = Server::start("200 OK", ANSWER);
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("prompts");
    for options in [&["--exporter", "console"][..], &["--exporter", "none"]] {
        let told = one_call(&server, &[options, &["--upload", folder.to_str().unwrap()]].concat(), &[]);
        assert!(!told.err.contains("private"), "{told:?}");
        let has_console = options.contains(&"console");
        assert_eq!(
            told.err.contains("uploaded   input.messages, output.messages to file://"),
            has_console,
            "{told:?}"
        );
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        let all: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(all.contains("a private question") && all.contains("a private answer"), "{all}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_and_the_program_runs() {
    let server = Server::start("200 OK", ANSWER);
    let file = tempfile::NamedTempFile::new().unwrap();
    for (options, words) in [
        (&["--upload", file.path().to_str().unwrap()][..], "nothing is uploaded"),
        (&["--upload", "s3://me:SECRET@bucket/x"], "nothing is uploaded"),
    ] {
        let told = one_call(&server, &[&["--exporter", "none"], options].concat(), &[]);
        assert_eq!(told.err.lines().count(), 1, "{told:?}");
        assert!(told.err.contains(words) && !told.err.contains("SECRET"), "{told:?}");
        assert_eq!(told.code, 1, "the shell's `read` at the end of its input");
    }
    let variables = [("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "upload")];
    let told = one_call(&server, &["--exporter", "none"], &variables);
    assert!(told.err.contains("OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH"), "{told:?}");
}

#[test]
fn what_is_sensitive_is_taken_out() {
    let question =
        r#"{"model":"m","messages":[{"role":"user","content":"I am ada@example.com, write to me"}]}"#;
    let server = Server::start("200 OK", ANSWER);
    for (options, vars) in [(&["--redact", "email"][..], &[][..]), (&[], &[("OTEL_GENAI_REDACT", "all")])] {
        let mut command = otel_genai(
            &[&["run", "--content", "true"], options, &["--", "sh", "-c", "echo $OPENAI_BASE_URL; read _"]]
                .concat(),
        );
        command.env("OPENAI_BASE_URL", server.base_url()).envs(vars.iter().copied()).stdin(Stdio::piped());
        let mut running = Running::start(command);
        post(&running.line(), "/chat/completions", question);
        drop(running.child.stdin.take());
        let told = running.end();
        assert!(told.err.contains("write to me") && !told.err.contains("ada@example.com"), "{told:?}");
    }
    assert!(
        server.seen.lock().unwrap().iter().all(|seen| seen.contains("ada@example.com")),
        "the provider's own"
    );
}

#[test]
fn loongsuite_says_what_its_content_waits_for() {
    let server = Server::start("200 OK", ANSWER);
    let options = ["--convention", "loongsuite", "--content", "true"];
    let opted_in = [("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")];
    let told = one_call(&server, &options, &[]);
    assert!(told.err.contains("OTEL_SEMCONV_STABILITY_OPT_IN") && !told.err.contains("private"), "{told:?}");
    let told = one_call(&server, &options, &opted_in);
    assert!(!told.err.contains("OPT_IN") && told.err.contains("a private answer"), "{told:?}");
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
        ("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true, false"),
        ("OTEL_GENAI_REDACT", "email"),
        ("OTEL_GENAI_MAX_ATTRIBUTE_BYTES", "64KiB"),
        ("OTEL_GENAI_MAX_MESSAGE_BYTES", "64KiB"),
        ("OTEL_GENAI_MAX_PART_BYTES", "64KiB"),
        ("OTEL_GENAI_BLOBS", "reference"),
        ("OTEL_GENAI_BAGGAGE", "true, false"),
        ("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "upload"),
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
fn a_host_that_cannot_be_intercepted_is_told_once_and_the_program_runs() {
    let server = Server::start("200 OK", ANSWER);
    let told = one_call(&server, &["--exporter", "none"], &[("OTEL_GENAI_INTERCEPT", "*.com")]);
    let lines: Vec<_> = told.err.lines().collect();
    assert_eq!(lines.len(), 1, "{told:?}");
    for word in ["otel-genai: ", "OTEL_GENAI_INTERCEPT", "*.com", "true, false, or hosts"] {
        assert!(lines[0].contains(word), "{lines:?} lacks {word}");
    }
    assert_eq!(server.seen.lock().unwrap().len(), 1, "the program's call");
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
    let line = format!("otel-genai: 1 model call, 15 tokens in, 20 out, sent to {endpoint}\n");
    assert_eq!(told.err, line);
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
