//! Spans and log records as OTLP again, grouped by what made and told them, as senders group them.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use otel_genai_store::{LogRecord, Origin, Span};
use prost::Message as _;

/// Spans as one request.
pub(crate) fn traces(spans: &[Span]) -> ExportTraceServiceRequest {
    let grouped = Grouped::new(spans.iter().map(|span| &span.origin));
    let mut request = ExportTraceServiceRequest::default();
    for origin in &grouped.resources {
        request.resource_spans.push(ResourceSpans {
            resource: origin.resource.to_otlp(),
            scope_spans: Vec::new(),
            schema_url: origin.resource.schema_url.as_ref().to_owned(),
        });
    }
    for (resource, origin) in &grouped.scopes {
        let Some(group) = request.resource_spans.get_mut(*resource) else { continue };
        group.scope_spans.push(ScopeSpans {
            scope: origin.scope.to_otlp(),
            spans: Vec::new(),
            schema_url: origin.scope.schema_url.as_ref().to_owned(),
        });
    }
    for (span, (resource, scope)) in spans.iter().zip(&grouped.places) {
        let group =
            request.resource_spans.get_mut(*resource).and_then(|group| group.scope_spans.get_mut(*scope));
        if let Some(group) = group {
            group.spans.push(span.to_otlp());
        }
    }
    request
}

/// Log records as one request.
pub(crate) fn logs(logs: &[LogRecord]) -> ExportLogsServiceRequest {
    let grouped = Grouped::new(logs.iter().map(|log| &log.origin));
    let mut request = ExportLogsServiceRequest::default();
    for origin in &grouped.resources {
        request.resource_logs.push(ResourceLogs {
            resource: origin.resource.to_otlp(),
            scope_logs: Vec::new(),
            schema_url: origin.resource.schema_url.as_ref().to_owned(),
        });
    }
    for (resource, origin) in &grouped.scopes {
        let Some(group) = request.resource_logs.get_mut(*resource) else { continue };
        group.scope_logs.push(ScopeLogs {
            scope: origin.scope.to_otlp(),
            log_records: Vec::new(),
            schema_url: origin.scope.schema_url.as_ref().to_owned(),
        });
    }
    for (log, (resource, scope)) in logs.iter().zip(&grouped.places) {
        let group =
            request.resource_logs.get_mut(*resource).and_then(|group| group.scope_logs.get_mut(*scope));
        if let Some(group) = group {
            group.log_records.push(log.to_otlp());
        }
    }
    request
}

/// Where each record goes. Resources and scopes stand in the order in which they were met.
struct Grouped {
    resources: Vec<Arc<Origin>>,
    /// The place of its resource, and the scope.
    scopes: Vec<(usize, Arc<Origin>)>,
    /// For each record: the place of its resource, and of its scope in that.
    places: Vec<(usize, usize)>,
}

impl Grouped {
    fn new<'o>(origins: impl Iterator<Item = &'o Arc<Origin>>) -> Self {
        let mut grouped = Self { resources: Vec::new(), scopes: Vec::new(), places: Vec::new() };
        // Equal ones mostly share one `Arc`; those of several days do not.
        let mut met: HashMap<*const Origin, (usize, usize)> = HashMap::new();
        let mut resources: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut scopes: HashMap<(usize, Vec<u8>), usize> = HashMap::new();
        let mut in_resource: Vec<usize> = Vec::new();
        for origin in origins {
            let place = *met.entry(Arc::as_ptr(origin)).or_insert_with(|| {
                let key = ResourceSpans {
                    resource: origin.resource.to_otlp(),
                    scope_spans: Vec::new(),
                    schema_url: origin.resource.schema_url.as_ref().to_owned(),
                };
                let resource = *resources.entry(key.encode_to_vec()).or_insert_with(|| {
                    grouped.resources.push(Arc::clone(origin));
                    in_resource.push(0);
                    grouped.resources.len() - 1
                });
                let key = ScopeSpans {
                    scope: origin.scope.to_otlp(),
                    spans: Vec::new(),
                    schema_url: origin.scope.schema_url.as_ref().to_owned(),
                };
                let scope = *scopes.entry((resource, key.encode_to_vec())).or_insert_with(|| {
                    grouped.scopes.push((resource, Arc::clone(origin)));
                    let next = in_resource.get_mut(resource).map(|next| {
                        *next += 1;
                        *next - 1
                    });
                    next.unwrap_or(0)
                });
                (resource, scope)
            });
            grouped.places.push(place);
        }
        grouped
    }
}
