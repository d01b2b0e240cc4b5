//! An MCP server between its client and us: nothing of it changes, and what is asked of it is told.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Finished, Running, Server, feed, finished, otel_genai, run, silent};

/// A server in a shell: answers each line by what is in it.
const SERVER: &str = r#"
while read -r line; do
  id=${line#*\"id\":}; id=${id%%,*}
  case $line in
    *initialize\"*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"protocolVersion\":\"2025-06-18\"}}" ;;
    *broken*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"a private reason\"}]}}" ;;
    *tools/call*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"a private answer\"}]}}" ;;
    *unknown*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}" ;;
    *log*) echo "a line that is no message" ;;
    *die*) exit 3 ;;
  esac
done
"#;

const INITIALIZE: &str =
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"track","arguments":{"q":"a private question"}}}"#;
const BROKEN: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"broken"}}"#;
const UNKNOWN: &str = r#"{"jsonrpc":"2.0","id":3,"method":"unknown"}"#;

fn talk(options: &[&str], vars: &[(&str, &str)], lines: &[&str]) -> Finished {
    let mut command = otel_genai(&[&["mcp"], options, &["--", "sh", "-c", SERVER]].concat());
    command.envs(vars.iter().copied());
    finished(feed(command, (lines.join("\n") + "\n").into_bytes()))
}

#[test]
fn people_read_it_on_standard_error_and_the_client_gets_the_server() {
    let lines = [INITIALIZE, CALL, BROKEN, UNKNOWN];
    let told = talk(&[], &[], &lines);
    let mut alone = std::process::Command::new("sh");
    alone.args(["-c", SERVER]);
    let alone = finished(feed(alone, (lines.join("\n") + "\n").into_bytes()));
    assert_eq!((told.code, &told.out), (alone.code, &alone.out));
    for words in ["tools/call track", "initialize", "tool_error", "-32601", "Method not found"] {
        assert!(told.err.contains(words), "{words}: {}", told.err);
    }
    assert_eq!(told.err.lines().last(), Some("otel-genai: 4 MCP requests, 2 errors"));
    assert!(!told.err.contains("private"), "{}", told.err);
    let told = talk(&["--content", "true"], &[], &lines);
    assert!(told.err.contains("a private question") && told.err.contains("a private answer"), "{}", told.err);
}

#[test]
fn a_receiver_gets_spans_and_the_session() {
    let receiver = Server::start("200 OK", "{}");
    let endpoint = format!("http://{}", receiver.address);
    let vars = [("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let parent = "1bf7651916cd43dd8448eb211c80319c";
    let meta = format!(
        r#"{{"jsonrpc":"2.0","id":5,"method":"ping","params":{{"_meta":{{"traceparent":"00-{parent}-b7ad6b7169203331-01"}}}}}}"#
    );
    let options = ["--endpoint", &endpoint, "--protocol", "http/json"];
    let told = talk(&options, &vars, &[INITIALIZE, CALL, &meta]);
    assert_eq!(
        told.err,
        format!("otel-genai: 3 MCP requests, 1 error, sent to {endpoint}\n"),
        "the ping is not answered"
    );
    let seen = receiver.seen.lock().unwrap().join("\n");
    for words in [
        "tools/call track",
        "mcp.server.operation.duration",
        "mcp.server.session.duration",
        "2025-06-18",
        "\"pipe\"",
        "0af7651916cd43dd8448eb211c80319c",
        parent,
        "\"kind\": 2",
    ] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    drop(seen);
    let told = talk(&[&options[..], &["--side", "client"]].concat(), &[], &[INITIALIZE, CALL]);
    assert!(told.err.contains("2 MCP requests"), "{told:?}");
    assert!(receiver.seen.lock().unwrap().join("\n").contains("mcp.client.session.duration"));
}

#[test]
fn each_piece_is_passed_on_at_once() {
    // No line is ever complete: whoever waits for one waits for ever.
    let mut command = otel_genai(&["mcp", "--", "cat"]);
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let mut stdin = running.child.stdin.take().unwrap();
    for piece in ["half a ", "line", "\n", "{\"jsonrpc\":"] {
        stdin.write_all(piece.as_bytes()).unwrap();
        assert_eq!(running.bytes(piece.len()), piece.as_bytes());
    }
    drop(stdin);
    let told = running.end();
    assert_eq!((told.code, told.out.as_str()), (0, ""));
}

#[test]
fn everything_passes_byte_for_byte() {
    let mut noise: Vec<u8> =
        (0..3_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    noise.extend(format!("\n{CALL}\n").into_bytes());
    for options in [&["--exporter", "none"][..], &[]] {
        let command = otel_genai(&[&["mcp"], options, &["--", "cat"]].concat());
        let output = feed(command, noise.clone());
        assert!(output.stdout == noise, "{} bytes", output.stdout.len());
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn a_server_that_dies_leaves_its_requests_failed() {
    let receiver = Server::start("200 OK", "{}");
    let endpoint = format!("http://{}", receiver.address);
    let mut command =
        otel_genai(&["mcp", "--endpoint", &endpoint, "--protocol", "http/json", "--", "sh", "-c", SERVER]);
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let mut stdin = running.child.stdin.take().unwrap();
    writeln!(stdin, r#"{{"jsonrpc":"2.0","id":1,"method":"die"}}"#).unwrap();
    let told = running.end();
    assert_eq!(told.code, 3);
    drop(stdin);
    let seen = receiver.seen.lock().unwrap().join("\n");
    assert!(seen.contains("connection_closed") && seen.contains("server_exit"), "{seen}");
}

#[test]
fn a_server_that_fails_has_failed_even_if_the_client_says_no_more() {
    // Whether the session failed of a server that ends with a failure after its input has.
    let failed = |server: &str| {
        let receiver = Server::start("200 OK", "{}");
        let endpoint = format!("http://{}", receiver.address);
        let options = ["mcp", "--endpoint", &endpoint, "--protocol", "http/json", "--", "sh", "-c", server];
        let told = finished(feed(otel_genai(&options), format!("{INITIALIZE}\n").into_bytes()));
        assert_eq!(told.code, 1, "{told:?}");
        let seen = receiver.seen.lock().unwrap().join("\n");
        assert!(seen.contains("mcp.server.session.duration"), "{seen}");
        seen.contains("server_exit")
    };
    assert!(failed("cat >/dev/null; exit 1"), "it owed an answer");
    assert!(!failed(&format!("{SERVER}exit 1")), "it owed none");
}

#[test]
fn what_it_writes_beside_the_protocol_is_told() {
    let told = talk(&[], &[], &["log", "log"]);
    assert_eq!(told.out, "a line that is no message\n".repeat(2));
    assert!(told.err.contains("2 lines on the server's standard output are no message of MCP"), "{told:?}");
    assert_eq!(talk(&["-q"], &[], &["log"]).err, "");
}

#[test]
fn signals_and_exit_codes_are_the_servers() {
    let mut running = Running::start(silent(&["mcp", "--", "sh", "-c", "echo ready; exec sleep 60"]));
    assert_eq!(running.line(), "ready");
    running.signal("TERM");
    let told = running.end();
    assert_eq!((told.code, told.err.as_str()), (128 + 15, ""));
    assert_eq!(run(silent(&["mcp", "--", "no-such-server"])).code, 127);
    let told = run(silent(&["mcp", "no-such-server"]));
    assert_eq!(told.code, 2);
    assert!(told.err.contains("otel-genai mcp -- no-such-server"), "{told:?}");
    let told = run(silent(&["mcp", "--quiet", "npx", "-y", "some-server"]));
    assert!(told.err.contains("otel-genai mcp -- npx"), "{told:?}");
    let told = run(silent(&["mcp", "--sid"]));
    assert!(told.code == 2 && !told.err.contains("mcp -- --sid"), "{told:?}");
}

#[test]
fn what_the_server_leaves_running_does_not_hold_us() {
    let mut running =
        Running::start(silent(&["mcp", "--", "sh", "-c", "sleep 60 2>/dev/null & echo $!; exit 4"]));
    let left = running.line();
    let told = running.end();
    crate::support::signal(left.parse().unwrap(), "KILL");
    assert_eq!(told.code, 4);
}

#[test]
fn a_client_that_goes_away_ends_the_server() {
    let mut command = silent(&["mcp", "--", "sh", "-c", "trap '' PIPE; while echo x; do :; done; exit 9"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(9));
}
