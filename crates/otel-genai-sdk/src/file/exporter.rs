//! `exporter`: where one processor or reader sends to.

use http::{HeaderName, HeaderValue};

use super::resource::escaped;
use super::translate::{At, Translation};
use crate::signal::Signal;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum To {
    Otlp,
    Console,
}

impl To {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::Console => "console",
        }
    }
}

/// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` and the like: in a file every signal has its own.
fn variable(signal: Signal, option: &str) -> String {
    format!("OTEL_EXPORTER_OTLP_{}_{option}", signal.as_str().to_ascii_uppercase())
}

impl Translation<'_> {
    /// `None` where it is not supported, or not one more: that is warned of.
    pub(super) fn exporter(&mut self, at: &At, signal: Signal, chosen: &[To]) -> Option<To> {
        let mut to = None;
        for (kind, at) in self.map(at) {
            let is_otlp = to == Some(To::Otlp) || chosen.contains(&To::Otlp);
            match kind.as_str() {
                "otlp_http" | "otlp_grpc" if is_otlp => {
                    self.warn(
                        &at,
                        &format!("is a second OTLP receiver for {signal}; only the first is used"),
                    );
                }
                "otlp_http" | "otlp_grpc" => {
                    self.otlp(&at, signal, kind == "otlp_grpc");
                    to = Some(To::Otlp);
                }
                "console" => {
                    self.console(&at, signal);
                    to = to.or(Some(To::Console));
                }
                _ => self.unsupported(&at),
            }
        }
        to
    }

    fn otlp(&mut self, at: &At, signal: Signal, is_grpc: bool) {
        let mut protocol = if is_grpc { "grpc" } else { "http/protobuf" };
        let (mut headers, mut header_list) = (None, None);
        let mut files = Files::default();
        for (key, at) in self.map(at) {
            match key.as_str() {
                "endpoint" => self.set_text(&variable(signal, "ENDPOINT"), &at),
                "headers" => headers = Some(at),
                "headers_list" => header_list = Some(at),
                "compression" => self.set_text(&variable(signal, "COMPRESSION"), &at),
                "timeout" => self.set_timeout(&variable(signal, "TIMEOUT"), &at),
                "encoding" if !is_grpc => match self.text(&at).as_deref() {
                    None | Some("protobuf") => {}
                    Some("json") => protocol = "http/json",
                    Some(_) => self.warn(&at, "is not one of protobuf, json; protobuf is used"),
                },
                "tls" => {
                    for (key, at) in self.map(&at) {
                        self.tls(&key, at, signal, is_grpc, &mut files);
                    }
                }
                "temporality_preference" if signal == Signal::Metrics => self.temporality(&at),
                "default_histogram_aggregation" if signal == Signal::Metrics => self.aggregation(&at),
                // Before 1.0 they were not below `tls`.
                key => self.tls(key, at.clone(), signal, is_grpc, &mut files),
            }
        }
        self.set(&variable(signal, "PROTOCOL"), protocol.to_owned(), at);
        self.set_headers(headers, header_list, signal);
        match files {
            Files { certificate: Some(certificate), key: Some(key) } => {
                self.set_text(&variable(signal, "CLIENT_CERTIFICATE"), &certificate);
                self.set_text(&variable(signal, "CLIENT_KEY"), &key);
            }
            Files { certificate: Some(certificate), key: None } => {
                self.warn(&certificate, "needs key_file too; not used");
            }
            Files { certificate: None, key: Some(key) } => self.warn(&key, "needs cert_file too; not used"),
            Files { certificate: None, key: None } => {}
        }
    }

    fn tls(&mut self, key: &str, at: At, signal: Signal, is_grpc: bool, files: &mut Files) {
        match key {
            "ca_file" | "certificate_file" => self.set_text(&variable(signal, "CERTIFICATE"), &at),
            "cert_file" | "client_certificate_file" => {
                files.certificate = self.text(&at).map(|_| at);
            }
            "key_file" | "client_key_file" => files.key = self.text(&at).map(|_| at),
            "insecure" if is_grpc => self.set_text(&variable(signal, "INSECURE"), &at),
            _ => self.unsupported(&at),
        }
    }

    /// What `headers` says goes before what `headers_list` says.
    fn set_headers(&mut self, headers: Option<At>, list: Option<At>, signal: Signal) {
        let mut all = list.as_ref().and_then(|list| self.text(list)).into_iter().collect::<Vec<_>>();
        for item in headers.as_ref().map(|at| self.list(at)).unwrap_or_default() {
            let entries = self.map(&item);
            let part = |key: &str| entries.iter().find(|(present, _)| present == key).map(|(_, at)| at);
            let (Some(name), Some(value)) = (part("name"), part("value")) else {
                self.warn(&item, "needs name and value; ignored");
                continue;
            };
            let (Some(name), Some(value)) = (self.text(name), self.text(value)) else {
                continue;
            };
            if name.trim().parse::<HeaderName>().is_err() || value.trim().parse::<HeaderValue>().is_err() {
                self.warn(&item, "is no header that can be sent; ignored");
                continue;
            }
            all.push(format!("{}={}", name.trim(), escaped(value.trim())));
        }
        if let (false, Some(at)) = (all.is_empty(), headers.or(list)) {
            self.set(&variable(signal, "HEADERS"), all.join(","), &at);
        }
    }

    fn console(&mut self, at: &At, signal: Signal) {
        for (key, at) in self.map(at) {
            match (signal, key.as_str()) {
                (Signal::Metrics, "temporality_preference") => match self.text(&at).as_deref() {
                    None | Some("cumulative") => {}
                    Some(_) => self.warn(&at, "is not supported on the console, which counts from the start"),
                },
                (Signal::Metrics, "default_histogram_aggregation") => self.aggregation(&at),
                _ => self.unsupported(&at),
            }
        }
    }

    fn temporality(&mut self, at: &At) {
        if let Some(text) = self.text(at) {
            let text = if text == "low_memory" { "lowmemory".to_owned() } else { text };
            self.set("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", text, at);
        }
    }

    fn aggregation(&mut self, at: &At) {
        self.set_text("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", at);
    }
}

/// Of no use without each other.
#[derive(Default)]
struct Files {
    certificate: Option<At>,
    key: Option<At>,
}
