//! `gateway`: the proxy standing alone.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{ANSWER, QUESTION, Running, Server, otel_genai, post, run};

#[test]
fn it_forwards_tells_and_ends_when_asked() {
    let server = Server::start("200 OK", ANSWER);
    let upstream = format!("local=http://{}/base", server.address);
    let mut gateway =
        Running::start(otel_genai(&["gateway", "--listen", "localhost:0", "--route", &upstream]));
    let line = gateway.line();
    let origin = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
    assert_eq!(gateway.line(), format!("  {origin}/local/  ->  http://{}/base/", server.address));
    let answer = post(&format!("{origin}/local/v1"), "/chat/completions", QUESTION);
    assert!(answer.ends_with(ANSWER), "{answer}");
    let refused = post(&origin, "/elsewhere", "");
    assert!(refused.starts_with("HTTP/1.1 4") && refused.contains("/local"), "{refused}");
    gateway.signal("TERM");
    let told = gateway.end();
    assert_eq!(told.code, 0);
    assert!(told.err.contains("chat gpt-4o-mini"), "{told:?}");
    assert_eq!(told.err.lines().last(), Some("otel-genai: 1 model call, 15 tokens in, 20 out"));
    assert!(server.seen.lock().unwrap()[0].starts_with("POST /base/v1/chat/completions "));
}

#[test]
fn a_second_signal_cuts_calls_and_they_are_told() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("http://{}", silent.local_addr().unwrap());
    let mut gateway =
        Running::start(otel_genai(&["gateway", "--listen", "127.0.0.1:0", "--upstream", &upstream]));
    let origin = gateway.line().strip_prefix("listening on ").unwrap().to_owned();
    let address = origin.strip_prefix("http://").unwrap().to_owned();
    let client = thread::spawn(move || post(&format!("{origin}/v1"), "/chat/completions", QUESTION));
    let (mut asked, _) = silent.accept().unwrap();
    let mut byte = [0];
    assert_eq!(asked.read(&mut byte).unwrap(), 1, "the call is under way");
    gateway.signal("INT");
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(&address).is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        thread::sleep(Duration::from_millis(5));
    }
    gateway.signal("INT");
    let told = gateway.end();
    assert_eq!(told.code, 0);
    assert!(told.err.contains("✗ chat gpt-4o-mini") && told.err.contains("1 model call"), "{told:?}");
    client.join().unwrap();
}

#[test]
fn an_upstream_that_is_not_there_is_a_bad_gateway() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command =
        otel_genai(&["gateway", "--upstream", &format!("http://{closed}"), "--exporter", "none"]);
    command.env("OTEL_GENAI_LISTEN", "127.0.0.1:0");
    let mut gateway = Running::start(command);
    let origin = gateway.line().strip_prefix("listening on ").unwrap().to_owned();
    let answer = post(&format!("{origin}/v1"), "/chat/completions", QUESTION);
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains(&closed.to_string()), "{answer}");
    gateway.signal("INT");
    assert_eq!(gateway.end().code, 0);
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = run(otel_genai(&["gateway", "--listen", &address]));
    assert_eq!(told.code, 125);
    assert!(told.err.starts_with(&format!("otel-genai: cannot listen on {address}: ")), "{told:?}");
}

#[test]
fn broken_certificates_are_told_and_do_not_stop_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no certificate at all").unwrap();
    let mut command = otel_genai(&["run", "--exporter", "none", "--", "sh", "-c", "exit 3"]);
    command.env("NODE_EXTRA_CA_CERTS", file.path()).env("REQUESTS_CA_BUNDLE", "/no/such/file");
    let told = run(command);
    assert_eq!(told.code, 3);
    assert!(told.err.contains("NODE_EXTRA_CA_CERTS") && told.err.lines().count() == 1, "{told:?}");
}
