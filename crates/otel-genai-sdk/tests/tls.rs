//! Certificates: a receiver is only trusted through the given file, and a client certificate is shown where it is asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{Tracer, TracerProvider};
use otel_genai_sdk::{Builder, Report};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

#[allow(dead_code, reason = "the receiver's other uses are in tests/export.rs")]
mod receiver;
use receiver::{Manner, Receiver};

struct Files {
    folder: tempfile::TempDir,
    acceptor: TlsAcceptor,
}

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

/// An authority, a receiver for `localhost`, and a client, all made for this one test.
fn certificates(ask_for_client: bool) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        (certificate, key)
    };
    let (server, server_key) = issue("localhost");
    let (client, client_key) = issue("client");
    write(folder.path(), "ca.pem", &authority.pem());
    write(folder.path(), "client.pem", &client.pem());
    write(folder.path(), "client.key", &client_key.serialize_pem());

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if ask_for_client {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::try_from(server_key.serialize_der()).unwrap();
    let mut config = builder.with_single_cert(vec![server.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Files { folder, acceptor: TlsAcceptor::from(Arc::new(config)) }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

impl Files {
    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }
}
