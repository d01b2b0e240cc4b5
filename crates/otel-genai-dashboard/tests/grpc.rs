//! OTLP over gRPC.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::Span;
use otel_genai_store::StoreError;
use support::unwilling::Unwilling;
use support::{Served, request, span, text};
use tonic::codec::CompressionEncoding::{Deflate, Gzip, Zstd};
use tonic::transport::Channel;
use tonic::{Code, Request};

async fn channel(served: &Served) -> Channel {
    Channel::from_shared(format!("http://{}", served.grpc)).unwrap().connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_signals_come_in_however_they_are_compressed() {
    let served = Served::start().await;
    let channel = channel(&served).await;
    for (number, encoding) in [None, Some(Gzip), Some(Deflate), Some(Zstd)].into_iter().enumerate() {
        let mut client = TraceServiceClient::new(channel.clone());
        if let Some(encoding) = encoding {
            client = client.send_compressed(encoding).accept_compressed(encoding);
        }
        let mut one = span(1, 0, "chat", (0, 1), vec![text("prompt", &"a".repeat(10_000))]);
        one.trace_id = vec![u8::try_from(number).unwrap() + 1; 16];
        let answer = client.export(request(vec![one])).await.unwrap().into_inner();
        assert_eq!(answer.partial_success, None, "{encoding:?}");
    }
    assert_eq!(served.json("/api/v1/traces").await["items"].as_array().unwrap().len(), 4);

    let mut nameless = span(1, 0, "chat", (0, 1), Vec::new());
    nameless.span_id.clear();
    let mut client = TraceServiceClient::new(channel.clone());
    let partial = client.export(request(vec![nameless])).await.unwrap().into_inner().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);

    LogsServiceClient::new(channel.clone()).export(ExportLogsServiceRequest::default()).await.unwrap();
    MetricsServiceClient::new(channel).export(ExportMetricsServiceRequest::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_not_sent_again() {
    let served = Served::start().await;
    let large = span(1, 0, "chat", (0, 1), vec![text("prompt", &"a".repeat(65 << 20))]);
    for encoding in [None, Some(Zstd)] {
        let mut client = TraceServiceClient::new(channel(&served).await);
        if let Some(encoding) = encoding {
            client = client.send_compressed(encoding);
        }
        let refused = client.export(request(vec![large.clone()])).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
        assert!(refused.details().is_empty(), "no time at which to come again");
    }
    assert!(served.json("/api/v1/traces").await["items"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_and_pages_are_looked_at_here_too() {
    let served = Served::with(|builder| builder.token("s3cret")).await;
    let send = async |name: &'static str, value: &str| {
        let mut client = TraceServiceClient::new(channel(&served).await);
        let mut message = Request::new(request(vec![span(1, 0, "chat", (0, 1), Vec::new())]));
        message.metadata_mut().insert(name, value.parse().unwrap());
        client.export(message).await.map(drop).map_err(|status| status.code())
    };
    assert_eq!(send("other", "x").await, Err(Code::Unauthenticated));
    assert_eq!(send("authorization", "Bearer wrong").await, Err(Code::Unauthenticated));
    assert_eq!(send("origin", "http://evil.example").await, Err(Code::PermissionDenied));
    assert_eq!(send("authorization", "Bearer s3cret").await, Ok(()));
    assert_eq!(send("x-otel-genai-token", "s3cret").await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_keep_says_whether_to_come_again() {
    type Case = (fn() -> StoreError, Code, Option<u8>);
    let cases: [Case; 4] = [
        (|| StoreError::Busy { retry_after: Duration::from_secs(2) }, Code::Unavailable, Some(2)),
        (
            || StoreError::Away {
                place: "db".into(),
                retry_after: Duration::from_secs(7),
                source: "connection refused".into(),
            },
            Code::Unavailable,
            Some(7),
        ),
        (|| StoreError::Timeout(Duration::from_secs(10)), Code::Unavailable, Some(5)),
        (
            || StoreError::Unwritable { place: "db".into(), why: "no right".into() },
            Code::PermissionDenied,
            None,
        ),
    ];
    for (error, code, seconds) in cases {
        let folder = tempfile::tempdir().unwrap();
        let served = Served::over(Arc::new(Unwilling(error)), folder, |builder| builder).await;
        let mut client = TraceServiceClient::new(channel(&served).await);
        let refused = client.export(request(vec![span(1, 0, "chat", (0, 1), Vec::new())])).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (code, error().to_string().as_str()));
        let details = refused.details();
        let named = b"type.googleapis.com/google.rpc.RetryInfo";
        let tells = details.windows(named.len()).any(|part| part == named);
        // RetryInfo { retry_delay: Duration { seconds } }
        let when = seconds.is_some_and(|seconds| details.ends_with(&[0x0a, 0x02, 0x08, seconds]));
        assert_eq!((tells, when), (seconds.is_some(), seconds.is_some()), "{details:?}");
    }
}

/// A span of nothing is two bytes on the wire, and much more once it is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_request_that_becomes_large_is_refused() {
    let served = Served::start().await;
    let mut client = TraceServiceClient::new(channel(&served).await).send_compressed(Zstd);
    let refused = client.export(request(vec![Span::default(); 1 << 20])).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    client.export(request(vec![span(1, 0, "chat", (0, 1), Vec::new())])).await.unwrap();
    assert_eq!(served.json("/api/v1/traces").await["items"].as_array().unwrap().len(), 1);
}
