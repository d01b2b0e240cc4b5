//! Certificates: a receiver is only trusted through the given file, and a client certificate is shown where it is asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use opentelemetry::trace::{Tracer, TracerProvider};
use otel_genai_sdk::{Builder, Report};

#[allow(dead_code, reason = "the receiver's other uses are in tests/export.rs")]
mod receiver;
use receiver::certificates::certificates;
use receiver::{Manner, Receiver};

#[test]
fn a_receiver_is_trusted_through_the_given_certificate() {
    for protocol in ["http/protobuf", "grpc"] {
        let files = certificates(false);
        let receiver = Receiver::start_with(Manner::Accept, Some(files.acceptor.clone()));
        let builder = over_tls(&receiver, protocol);

        let report = send(builder.set("OTEL_EXPORTER_OTLP_CERTIFICATE", files.path("ca.pem"), "test"));
        assert!(report.is_complete(), "{protocol}: {report:?}");
        assert_eq!(receiver.span_names(), ["work"], "{protocol}");

        let report = send(over_tls(&receiver, protocol));
        let said = report.troubles().next().unwrap();
        assert!(said.to_ascii_lowercase().contains("certificate"), "{protocol}: {said}");
        assert_eq!(receiver.span_names().len(), 1, "{protocol}");
    }
}

#[test]
fn a_client_certificate_is_shown_where_it_is_asked_for() {
    for protocol in ["http/protobuf", "grpc"] {
        let files = certificates(true);
        let receiver = Receiver::start_with(Manner::Accept, Some(files.acceptor.clone()));
        let builder = || {
            over_tls(&receiver, protocol).set("OTEL_EXPORTER_OTLP_CERTIFICATE", files.path("ca.pem"), "test")
        };

        assert!(!send(builder()).is_complete(), "{protocol}");
        let report = send(
            builder().set("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", files.path("client.pem"), "test").set(
                "OTEL_EXPORTER_OTLP_CLIENT_KEY",
                files.path("client.key"),
                "test",
            ),
        );
        assert!(report.is_complete(), "{protocol}: {report:?}");
        assert_eq!(receiver.span_names(), ["work"], "{protocol}");
    }
}

#[test]
fn a_file_that_holds_no_certificate_is_named() {
    let files = certificates(false);
    let receiver = Receiver::start_with(Manner::Accept, Some(files.acceptor.clone()));
    let report = send(over_tls(&receiver, "http/protobuf").set(
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        files.path("client.key"),
        "test",
    ));
    let said = report.troubles().next().unwrap();
    assert!(said.contains("no certificate in") && said.contains("client.key"), "{said}");
}

fn over_tls(receiver: &Receiver, protocol: &str) -> Builder {
    otel_genai_sdk::builder()
        .vars(|_| None)
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", format!("https://localhost:{}", receiver.address.port()), "test")
        .set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "test")
        .set("OTEL_METRICS_EXPORTER", "none", "test")
        .set("OTEL_LOGS_EXPORTER", "none", "test")
        .set_globals(false)
}

fn send(builder: Builder) -> Report {
    let telemetry = builder.init().unwrap();
    telemetry.tracer_provider().tracer("test").start("work");
    telemetry.shutdown(Duration::from_secs(30))
}
