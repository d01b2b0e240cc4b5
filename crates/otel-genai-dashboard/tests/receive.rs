//! What is sent by OTLP is stored; what is not OTLP is refused with the right status, and stores nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use otel_genai_store::{self as store, SqliteOptions, Store as _, StoreError, TraceQuery, otlp};
use prost::Message as _;
use support::unwilling::Unwilling;
use support::{Answer, JSON, PROTOBUF, Served, ask, request, say, span};

async fn traces(served: &Served) -> usize {
    let query = TraceQuery { limit: 500, ..TraceQuery::default() };
    served.store.traces(&query).await.unwrap().items.len()
}

fn one() -> ExportTraceServiceRequest {
    request(vec![span(1, 0, "chat", (0, 10), Vec::new())])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_and_encoding_of_otlp_is_stored() {
    let (protobuf, json) = (one().encode_to_vec(), otlp::to_json(&one()));
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    type Pack<'p> = &'p dyn Fn(&[u8]) -> Vec<u8>;
    let encodings: [(&str, Pack<'_>); 6] = [
        ("identity", &<[u8]>::to_vec),
        ("gzip", &gzip),
        ("GZIP", &gzip),
        ("deflate", &zlib),
        ("deflate", &bare_deflate),
        ("zstd", &zstd),
    ];
    for (encoding, pack) in encodings {
        for (form, bytes, empty) in [
            ("application/x-protobuf", &protobuf, "".to_owned()),
            ("application/json; charset=utf-8", &json, "{}".to_owned()),
        ] {
            let served = Served::start().await;
            let headers = [("content-type", form), ("content-encoding", encoding)];
            let answer = ask(served.http, "POST", "/v1/traces", &headers, &pack(bytes)).await;
            assert_eq!((answer.status, answer.text()), (200, empty), "{encoding} {form}");
            assert_eq!(answer.header("content-type").unwrap(), form.split(';').next().unwrap());
            assert_eq!(traces(&served).await, 1, "{encoding} {form}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_of_a_request_is_counted_and_the_rest_is_kept() {
    let served = Served::start().await;
    let mut nameless = span(2, 0, "no id", (0, 1), Vec::new());
    nameless.span_id.clear();
    let mut both = one();
    both.resource_spans[0].scope_spans[0].spans.push(nameless);

    let answer = ask(served.http, "POST", "/v1/traces", &[PROTOBUF], &both.encode_to_vec()).await;
    assert_eq!(answer.status, 200);
    let partial =
        ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("span id"), "{}", partial.error_message);
    assert_eq!(traces(&served).await, 1);

    let answer = ask(served.http, "POST", "/v1/traces", &[JSON], &otlp::to_json(&both)).await;
    assert_eq!(answer.json()["partialSuccess"]["rejectedSpans"], "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_otlp_is_refused_and_stores_nothing() {
    let served = Served::start().await;
    let good = one().encode_to_vec();
    let packed = gzip(&good);
    let bomb = zstd::encode_all(std::io::repeat(0).take(300 << 20), 1).unwrap();
    let deep = format!("{}{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    type Case<'c> = (&'c str, u16, &'c str, &'c [(&'c str, &'c str)], &'c [u8]);
    let cases: &[Case<'_>] = &[
        ("no protobuf", 400, "POST", &[PROTOBUF], b"\xff\xff\xff"),
        ("cut protobuf", 400, "POST", &[PROTOBUF], &good[..good.len() - 3]),
        ("no JSON", 400, "POST", &[JSON], b"{\"resourceSpans\":["),
        ("JSON of another shape", 400, "POST", &[JSON], b"[]"),
        ("no JSON at all", 400, "POST", &[JSON], b""),
        ("protobuf as JSON", 400, "POST", &[JSON], &good),
        ("no gzip", 400, "POST", &[PROTOBUF, ("content-encoding", "gzip")], &good),
        ("cut gzip", 400, "POST", &[PROTOBUF, ("content-encoding", "gzip")], &packed[..packed.len() - 9]),
        ("no zstd", 400, "POST", &[PROTOBUF, ("content-encoding", "zstd")], &good),
        ("another encoding", 415, "POST", &[PROTOBUF, ("content-encoding", "br")], &good),
        ("two encodings", 415, "POST", &[PROTOBUF, ("content-encoding", "gzip, gzip")], &good),
        ("no type", 415, "POST", &[], &good),
        ("another type", 415, "POST", &[("content-type", "text/plain")], &good),
        ("a form", 415, "POST", &[("content-type", "application/x-www-form-urlencoded")], b"a=b"),
        ("read", 405, "GET", &[], b""),
        ("put", 405, "PUT", &[PROTOBUF], &good),
        ("a bomb", 413, "POST", &[PROTOBUF, ("content-encoding", "zstd")], &bomb),
        ("a page of another origin", 403, "POST", &[PROTOBUF, ("origin", "http://evil.example")], &good),
        ("a page of no origin", 403, "POST", &[PROTOBUF, ("origin", "null")], &good),
        ("a page that asks first", 403, "OPTIONS", &[("origin", "http://evil.example")], b""),
    ];
    for (case, status, method, headers, body) in cases {
        let answer = ask(served.http, method, "/v1/traces", headers, body).await;
        assert_eq!(answer.status, *status, "{case}: {}", answer.text());
        assert!(answer.header("access-control-allow-origin").is_none(), "{case}");
        if headers.contains(&PROTOBUF) {
            assert_eq!(answer.header("content-type"), Some("application/x-protobuf"), "{case}");
            assert!(!answer.body.is_empty() || answer.status == 200, "{case}: a google.rpc.Status");
        } else {
            assert!(answer.json()["message"].as_str().is_some_and(|text| !text.is_empty()), "{case}");
        }
    }
    assert_eq!(traces(&served).await, 0);
    // Unknown fields of JSON are passed over, however deep.
    let odd = format!("{{\"resourceSpans\":[],\"later\":{deep}1}}").replace("\"a\":}", "\"a\":1}");
    let answer = ask(served.http, "POST", "/v1/traces", &[JSON], odd.as_bytes()).await;
    assert!([200, 400].contains(&answer.status), "{}", answer.text());
    let answer = ask(served.page, "POST", "/v1/traces", &[PROTOBUF, ("x-otel-genai", "1")], &good).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"));
    assert!(answer.text().contains(&served.http.to_string()), "tells where it belongs: {}", answer.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_long_requests_are_refused_before_they_are_read() {
    let served = Served::start().await;
    let told = (33 << 20).to_string();
    let headers = [PROTOBUF, ("content-encoding", "gzip"), ("content-length", told.as_str())];
    let answer = ask(served.http, "POST", "/v1/traces", &headers, b"abc").await;
    assert_eq!(answer.status, 413);

    // Without a length that is told.
    let piece = [b"100000\r\n".as_slice(), &vec![0; 1 << 20], b"\r\n"].concat();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
                content-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n\r\n";
    let mut stream = tokio::net::TcpStream::connect(served.http).await.unwrap();
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut sent = 0;
    while sent < 40 && stream.write_all(&piece).await.is_ok() {
        sent += 1;
    }
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_breaks_off_stores_nothing() {
    let served = Served::start().await;
    let good = one().encode_to_vec();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        good.len() + 10
    );
    let mut stream = tokio::net::TcpStream::connect(served.http).await.unwrap();
    use tokio::io::AsyncWriteExt as _;
    stream.write_all(&[head.as_bytes(), &good].concat()).await.unwrap();
    drop(stream);
    served.send(&request(vec![span(9, 0, "after", (0, 1), Vec::new())])).await;
    let page = served.store.traces(&TraceQuery { limit: 10, ..TraceQuery::default() }).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].spans, 1);
    let answer = say(served.http, &[b"NONSENSE\r\n\r\n"]).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_were_let_in_may_send() {
    let served = Served::with(|builder| builder.cors_origin("http://localhost:3000")).await;
    let from = ("origin", "http://localhost:3000");
    let asked =
        [from, ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
    let answer = ask(served.http, "OPTIONS", "/v1/traces", &asked, b"").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(from.1));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("content-type"));

    let answer = ask(served.http, "POST", "/v1/traces", &[from, PROTOBUF], &one().encode_to_vec()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(from.1)));
    let answer =
        ask(served.http, "POST", "/v1/traces", &[("origin", "http://localhost:3001"), PROTOBUF], b"").await;
    assert_eq!(answer.status, 403);
    // It may send, and not read.
    let answer = ask(served.page, "GET", "/api/v1/about", &[from], b"").await;
    assert_eq!(answer.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_bring_the_token_where_one_is_asked_for() {
    let served = Served::with(|builder| builder.token("s3cret")).await;
    let good = one().encode_to_vec();
    let send = async |headers: &[(&str, &str)]| -> Answer {
        ask(served.http, "POST", "/v1/traces", &[&[PROTOBUF], headers].concat(), &good).await
    };
    assert_eq!(send(&[]).await.status, 401);
    assert_eq!(send(&[("authorization", "Bearer wrong")]).await.status, 401);
    assert_eq!(traces(&served).await, 0);
    assert_eq!(send(&[("authorization", "Bearer s3cret")]).await.status, 200);
    assert_eq!(send(&[("x-otel-genai-token", "s3cret"), ("authorization", "Basic abc")]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_keep_says_whether_to_come_again() {
    // What senders are told, and when to come again; what the page is told.
    type Case = (fn() -> StoreError, (u16, Option<&'static str>), (u16, Option<&'static str>));
    let cases: [Case; 10] = [
        (|| StoreError::Busy { retry_after: Duration::from_secs(1) }, (503, Some("1")), (503, Some("1"))),
        (
            || StoreError::Full { dir: "/data".into(), retry_after: Duration::from_secs(30) },
            (503, Some("30")),
            (503, Some("30")),
        ),
        (|| StoreError::ReadOnly("/data".into()), (403, None), (403, None)),
        (|| StoreError::Unwritable { place: "db".into(), why: "no right".into() }, (403, None), (403, None)),
        (|| StoreError::Denied { place: "db".into(), why: "no right".into() }, (403, None), (403, None)),
        (
            || StoreError::Away {
                place: "db".into(),
                retry_after: Duration::from_secs(7),
                source: "connection refused".into(),
            },
            (503, Some("7")),
            (503, Some("7")),
        ),
        (|| StoreError::Timeout(Duration::from_secs(10)), (503, Some("5")), (504, None)),
        (
            || StoreError::Backend { what: "cannot write", source: "broken".into() },
            (503, Some("5")),
            (500, None),
        ),
        (|| StoreError::Closed, (503, Some("5")), (503, None)),
        (|| StoreError::Newer { file: "/data".into(), found: 9, known: 1 }, (500, None), (500, None)),
    ];
    for (error, senders, page) in cases {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::over(Arc::new(Unwilling(error)), folder, |builder| builder).await;
        let answer = ask(served.http, "POST", "/v1/traces", &[PROTOBUF], &one().encode_to_vec()).await;
        assert_eq!((answer.status, answer.header("retry-after")), senders, "{}", answer.text());
        assert!(answer.text().contains(&error().to_string()), "{}", answer.text());
        // The same store asked by the page.
        let answer = served.get("/api/v1/traces").await;
        assert_eq!((answer.status, answer.header("retry-after")), page, "{}", answer.text());
        assert_eq!(answer.json()["error"]["message"], error().to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let store: Arc<dyn store::Store> = Arc::new(SqliteOptions::new(&path).open().unwrap());
    let served = Served::over(Arc::clone(&store), tempfile::tempdir().unwrap(), |builder| builder).await;
    served.send(&one()).await;
    served.stop().await;
    store.close().await;
    drop(store);
    let again = SqliteOptions::new(&path).open().unwrap();
    assert_eq!(again.traces(&TraceQuery { limit: 5, ..TraceQuery::default() }).await.unwrap().items.len(), 1);
}

/// A span of nothing is two bytes on the wire: what counts is how much room a request takes once it is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_request_that_becomes_large_is_refused() {
    let field = |number: u8, inner: &[u8]| {
        let mut bytes = vec![number << 3 | 2];
        prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
        bytes.extend(inner);
        bytes
    };
    let spans = [0x12, 0].repeat(8 << 20);
    let body = field(1, &field(2, &spans));
    let served = Served::start().await;
    let packed = gzip(&body);
    assert!(packed.len() < 64 << 10);
    let answer =
        ask(served.http, "POST", "/v1/traces", &[PROTOBUF, ("content-encoding", "gzip")], &packed).await;
    assert_eq!(answer.status, 413);
    let json =
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}{{}}]}}]}}]}}"#, "{},".repeat(8 << 20));
    let gzipped = ("content-encoding", "gzip");
    let answer = ask(served.http, "POST", "/v1/traces", &[JSON, gzipped], &gzip(json.as_bytes())).await;
    assert_eq!(answer.status, 413);
    // Nothing is held: what is honest comes in.
    served.send(&one()).await;
    assert_eq!(traces(&served).await, 1);
}
