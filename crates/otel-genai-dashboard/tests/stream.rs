//! What changes is told as it happens, and what was missed while nobody listened.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::{Served, TRACE, ask, request, span};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An open stream of events.
struct Events {
    stream: TcpStream,
    text: String,
    last: String,
}

impl Events {
    async fn open(served: &Served, path: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(served.page).await.unwrap();
        let again = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{again}\r\n", served.page);
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut events = Self { stream, text: String::new(), last: String::new() };
        while !events.text.contains("\r\n\r\n") {
            assert!(events.more().await, "no answer");
        }
        assert!(events.text.starts_with("HTTP/1.1 200"), "{}", events.text);
        assert!(events.text.contains("content-type: text/event-stream"), "{}", events.text);
        events
    }

    async fn more(&mut self) -> bool {
        let mut piece = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(20), self.stream.read(&mut piece)).await;
        let count = read.expect("nothing came").unwrap();
        self.text += std::str::from_utf8(&piece[..count]).unwrap();
        count > 0
    }

    /// The next event of this name; others are passed over.
    async fn next(&mut self, name: &str) -> Value {
        loop {
            let begin = format!("event: {name}\n");
            if let Some(at) = self.text.find(&begin)
                && let Some(length) = self.text[at..].find("\n\n")
            {
                let event = self.text[at..at + length].to_owned();
                self.text.drain(..at + length);
                let of =
                    |field: &str| event.lines().find_map(|line| line.strip_prefix(field)).unwrap().to_owned();
                self.last = of("id: ");
                return serde_json::from_str(&of("data: ")).unwrap();
            }
            assert!(self.more().await, "the stream ended before {name}: {}", self.text);
        }
    }
}

fn numbered(number: u8) -> opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest {
    let mut one = span(1, 0, &format!("run {number}"), (0, 1), Vec::new());
    one.trace_id = vec![number; 16];
    request(vec![one])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_shows_as_soon_as_it_is_there() {
    let served = Served::start().await;
    let mut events =
        Events::open(&served, &format!("/api/v1/stream?topics=traces,status,trace:{TRACE}"), None).await;
    let hello = events.next("hello").await;
    assert_eq!(hello["epoch"], served.json("/api/v1/about").await["epoch"]);
    assert_eq!(events.next("status").await["spans"], 0);
    served.send(&request(vec![span(1, 0, "chat", (0, 5), Vec::new())])).await;
    assert_eq!(events.next("trace").await["id"], TRACE);
    let traces = events.next("traces").await;
    assert_eq!((&traces["items"][0]["name"], &traces["more"]), (&"chat".into(), &0.into()));
    let mut status = events.next("status").await;
    while status["spans"] != 1 {
        status = events.next("status").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_misses_nothing() {
    let served = Served::start().await;
    let mut events = Events::open(&served, "/api/v1/stream?topics=traces", None).await;
    served.send(&numbered(1)).await;
    assert_eq!(events.next("traces").await["items"][0]["name"], "run 1");
    let last = events.last.clone();
    // Another one goes on, so that there is somebody to see when the change has been told.
    let mut other = Events::open(&served, "/api/v1/stream?topics=traces", None).await;
    drop(events);
    served.send(&numbered(2)).await;
    other.next("traces").await;

    let mut again = Events::open(&served, "/api/v1/stream?topics=traces", Some(&last)).await;
    again.next("hello").await;
    assert_eq!(again.next("traces").await["items"][0]["name"], "run 2");
    for unknown in ["other-1", "nonsense", &format!("{last}9")] {
        let mut again =
            Events::open(&served, &format!("/api/v1/stream?topics=traces&since={unknown}"), None).await;
        again.next("reset").await;
    }
    let answer = served.get("/api/v1/stream?topics=everything").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_parameter"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_is_gone_and_told() {
    let served = Served::start().await;
    served.send(&numbered(1)).await;
    served.send(&numbered(2)).await;
    let mut events = Events::open(&served, "/api/v1/stream?topics=traces", None).await;
    let first = format!("/api/v1/traces/{}", "01".repeat(16));
    let path = format!("/api/v1/data?trace={}", "01".repeat(16));
    assert_eq!(ask(served.page, "DELETE", &path, &[], b"").await.status, 403, "no header, no change");
    assert_eq!(served.get(&first).await.status, 200);
    let answer = ask(served.page, "DELETE", &path, &[("x-otel-genai", "1")], b"").await;
    assert_eq!((answer.status, answer.json()["traces"].as_u64()), (200, Some(1)), "{}", answer.text());
    assert_eq!(served.get(&first).await.status, 404);
    assert!(events.next("deleted").await["toMs"].is_number());
    assert_eq!(served.json("/api/v1/traces").await["items"][0]["name"], "run 2");
    let answer = ask(served.page, "DELETE", "/api/v1/data?all=1", &[("x-otel-genai", "1")], b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(served.json("/api/v1/traces").await["items"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_too_many_is_sent_to_ask_by_itself_and_the_end_ends_all() {
    let served = Served::start().await;
    let mut all = Vec::new();
    for _ in 0..32 {
        all.push(Events::open(&served, "/api/v1/stream?topics=traces", None).await);
    }
    let answer = ask(served.page, "GET", "/api/v1/stream", &[], b"").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"));
    served.stop().await;
    for events in &mut all {
        while events.more().await {}
    }
}
