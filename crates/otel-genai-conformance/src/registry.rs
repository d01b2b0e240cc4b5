//! What a convention knows: look-ups in the tables of `otel-genai-semconv`.

use otel_genai_semconv::attribute::{self, GEN_AI_OPERATION_NAME};
use otel_genai_semconv::requirement::{self, Attribute, Event, Metric, Span, Type};
use otel_genai_semconv::table;

use crate::checker::Convention;
use crate::telemetry::SpanKind;

/// Recommended without a condition and yet not expected: what a caller may simply not use.
const NOT_EXPECTED: [&str; 9] = [
    attribute::GEN_AI_REQUEST_TEMPERATURE,
    attribute::GEN_AI_REQUEST_MAX_TOKENS,
    attribute::GEN_AI_REQUEST_TOP_P,
    attribute::GEN_AI_REQUEST_STOP_SEQUENCES,
    attribute::GEN_AI_REQUEST_PRESENCE_PENALTY,
    attribute::GEN_AI_REQUEST_FREQUENCY_PENALTY,
    attribute::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    attribute::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    attribute::GEN_AI_TOOL_DESCRIPTION,
];

#[derive(Clone, Debug)]
pub(crate) struct Registry(requirement::Convention);

impl Registry {
    pub(crate) fn of(convention: Convention) -> Self {
        Self(match convention {
            Convention::V2026_08 => requirement::V2026_08,
            Convention::V2026_10 => requirement::V2026_10,
        })
    }

    #[cfg(test)]
    pub(crate) fn made_of(convention: requirement::Convention) -> Self {
        Self(convention)
    }

    /// The attribute of this name, or the template that has names such as this.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.0.attributes.iter().find(|attribute| match attribute.r#type {
            Type::StringTemplate => name
                .strip_prefix(attribute.name)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|key| !key.is_empty()),
            _ => attribute.name == name,
        })
    }

    pub(crate) fn event(&self, name: &str) -> Option<&'static Event> {
        self.0.events.iter().find(|event| event.name == name)
    }

    pub(crate) fn metric(&self, name: &str) -> Option<&'static Metric> {
        self.0.metrics.iter().find(|metric| metric.definition.name == name)
    }

    pub(crate) fn has_operation(&self, operation: &str) -> bool {
        table::VALUES.iter().any(|(attribute, value, conventions)| {
            *attribute == GEN_AI_OPERATION_NAME && *value == operation && conventions.contains(&self.0.name)
        })
    }

    /// The types of span that an operation may be; the only place that knows which they are.
    pub(crate) fn spans_of(&self, operation: &str) -> Vec<&'static Span> {
        let names: &[&str] = match operation {
            "chat" | "generate_content" | "text_completion" => {
                &["gen_ai.inference.client", "gen_ai.client.inference"]
            }
            "search_memory"
            | "create_memory"
            | "update_memory"
            | "upsert_memory"
            | "delete_memory"
            | "create_memory_store"
            | "delete_memory_store" => &["gen_ai.memory.client"],
            other => {
                let spans = self.0.spans.iter().filter(|span| {
                    let rest = span.name.strip_prefix("gen_ai.").and_then(|rest| rest.strip_prefix(other));
                    rest.is_some_and(|rest| rest.starts_with('.'))
                });
                return spans.collect();
            }
        };
        self.0.spans.iter().filter(|span| names.contains(&span.name)).collect()
    }

    /// The attributes that every span of the operation and kind is expected to carry.
    ///
    /// As the conventions' judge has it: nothing for spans of an unexpected kind, but for model calls, and nothing for
    /// memory operations.
    pub(crate) fn expected(&self, operation: &str, kind: SpanKind) -> Vec<&'static str> {
        let spans = self.spans_of(operation);
        let is_inference = matches!(operation, "chat" | "generate_content" | "text_completion");
        let span = spans.iter().find(|span| is_inference || is_kind(span, kind));
        let Some(span) = span.filter(|span| !span.name.starts_with("gen_ai.memory.")) else {
            return Vec::new();
        };
        let all = span.required.iter().chain(span.recommended).copied();
        all.filter(|name| !NOT_EXPECTED.contains(name)).collect()
    }

    /// Which other conventions know a name, in words that follow "does not know it"; empty if none does.
    pub(crate) fn elsewhere(&self, name: &str) -> String {
        let named = table::ATTRIBUTES.iter().chain(table::EVENTS).find(|(known, _)| *known == name);
        let metric = || table::METRICS.iter().find(|(metric, _)| metric.name == name);
        let conventions = named
            .map(|(_, conventions)| *conventions)
            .or_else(|| metric().map(|(_, conventions)| *conventions));
        let others: Vec<_> =
            conventions.unwrap_or_default().iter().copied().filter(|other| *other != self.0.name).collect();
        if others.is_empty() { String::new() } else { format!(" (it is a name of {})", others.join(", ")) }
    }
}

pub(crate) fn is_kind(span: &Span, kind: SpanKind) -> bool {
    kind_of(span) == kind
}

/// The kind that the registry gives a type of span.
pub(crate) fn kind_of(span: &Span) -> SpanKind {
    match span.kind {
        requirement::Kind::Client => SpanKind::Client,
        requirement::Kind::Internal => SpanKind::Internal,
        requirement::Kind::Server => SpanKind::Server,
    }
}
