//! What nobody should send: traces that are too large, spans whose parents, ids and clocks make no sense. It is kept, shown
//! as it came, and what is left out is said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use support::{PROTOBUF, START, Served, TRACE, ask, int, request, span, text};

fn chat(id: u64, parent: u64) -> Span {
    Span {
        span_id: (id + 1).to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { (parent + 1).to_be_bytes().to_vec() },
        start_time_unix_nano: START + id,
        end_time_unix_nano: START + id + 5,
        ..span(0, 0, "chat", (0, 1), vec![text("gen_ai.operation.name", "chat")])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_of_too_many_spans_is_told_in_part_and_says_so() {
    const SPANS: u64 = 20_100;
    let served = Served::start().await;
    let spans: Vec<Span> = (0..SPANS).map(|id| chat(id, 0)).collect();
    for some in spans.chunks(4_096) {
        served.send(&request(some.to_vec())).await;
    }
    let list = served.json("/api/v1/traces").await;
    assert_eq!(list["items"][0]["spans"], SPANS);

    let trace = served.json(&format!("/api/v1/traces/{TRACE}")).await;
    assert_eq!(trace["rows"].as_array().unwrap().len(), 10_000);
    assert_eq!(trace["totalRows"], SPANS);
    let next = trace["next"].as_str().unwrap();
    let rest = served.json(&format!("/api/v1/traces/{TRACE}?limit=50000&cursor={next}")).await;
    assert_eq!(rest["rows"].as_array().unwrap().len() as u64, SPANS - 10_000);
    assert!(rest["next"].is_null());

    let told = served.json(&format!("/api/v1/traces/{TRACE}/transcript")).await;
    assert_eq!((&told["lookedAt"], &told["next"]), (&20_000.into(), &200.into()));
    let last = served.json(&format!("/api/v1/traces/{TRACE}/transcript?after=19990")).await;
    assert_eq!(last["calls"].as_array().unwrap().len(), 10);
    served.json(&format!("/api/v1/traces/{TRACE}/findings")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_make_no_sense_are_shown_as_they_came() {
    let served = Served::start().await;
    let mut spans = vec![
        // A circle, a span within itself, and one whose parent never came.
        chat(1, 2),
        chat(2, 1),
        chat(3, 3),
        chat(4, 99),
        // Ended before it began, in another century, and at no time at all.
        Span { end_time_unix_nano: START - 9_000_000_000, ..chat(5, 1) },
        Span { start_time_unix_nano: 4_000_000_000_000_000_000, end_time_unix_nano: u64::MAX, ..chat(6, 1) },
        Span { start_time_unix_nano: 0, end_time_unix_nano: 1, ..chat(7, 1) },
    ];
    // The same id with other contents, more often than is kept.
    for number in 0..12 {
        let mut again = chat(8, 0);
        again.attributes.push(int("number", number));
        spans.push(again);
    }
    let body = request(spans.clone()).encode_to_vec();
    let answer = ask(served.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;
    assert_eq!(answer.status, 200);
    let partial = ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap().partial_success;
    let partial = partial.unwrap();
    assert_eq!(partial.rejected_spans, 4, "{}", partial.error_message);
    // Sent again, nothing is stored twice.
    ask(served.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;

    let trace = served.json(&format!("/api/v1/traces/{TRACE}")).await;
    let rows = trace["rows"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["ghost"] != true).count(), 7 + 8);
    assert!(rows.iter().all(|row| row["durationMs"].as_f64().unwrap() >= 0.0));
    assert_eq!(
        rows.iter().filter(|row| row["cycle"] == true).count(),
        2,
        "the circle, and the span within itself"
    );
    assert_eq!(rows.iter().filter(|row| row["variant"].is_u64()).count(), 7);
    let told = served.json(&format!("/api/v1/traces/{TRACE}/transcript")).await;
    // Those around others tell the same calls.
    assert!((8..=15).contains(&told["calls"].as_array().unwrap().len()));
    for path in
        ["findings", "raw", "logs", "export?format=md", "export?format=html", "spans/0000000000000009"]
    {
        assert_eq!(served.get(&format!("/api/v1/traces/{TRACE}/{path}")).await.status, 200, "{path}");
    }
    for path in ["overview", "models", "agents", "tools", "services", "findings", "search?q=chat"] {
        assert_eq!(served.get(&format!("/api/v1/{path}")).await.status, 200, "{path}");
    }
}
