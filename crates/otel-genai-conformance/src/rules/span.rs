//! Rules for spans.

use otel_genai_semconv::attribute::{
    ERROR_TYPE, GEN_AI_AGENT_NAME, GEN_AI_DATA_SOURCE_ID, GEN_AI_EMBEDDINGS_DIMENSION_COUNT,
    GEN_AI_OPERATION_NAME, GEN_AI_PROMPT_NAME, GEN_AI_REQUEST_MODEL, GEN_AI_REQUEST_STREAM,
    GEN_AI_RESPONSE_FINISH_REASONS, GEN_AI_RESPONSE_ID, GEN_AI_RESPONSE_MODEL, GEN_AI_RESPONSE_STATUS,
    GEN_AI_SKILL_NAME, GEN_AI_SKILL_RESOURCE_NAME, GEN_AI_TOOL_NAME, GEN_AI_USAGE_INPUT_TOKENS,
    GEN_AI_USAGE_OUTPUT_TOKENS, GEN_AI_WORKFLOW_NAME, MCP_METHOD_NAME, MCP_RESOURCE_URI, SERVER_ADDRESS,
};

use super::{Report, attributes};
use crate::checker::Convention;
use crate::finding::Id;
use crate::registry::kind_of;
use crate::telemetry::{Span, SpanKind, Status, Value, get};

/// Names that are no finding on a span although no convention here has them.
const ON_SPANS: &[&str] = &["cloud.region", "rpc.method"];

pub(super) fn judge(report: &mut Report<'_>, span: &Span) {
    attributes::judge(report, &span.attributes, ON_SPANS);
    if span.name.is_empty() {
        report.find(Id::SpanNameEmpty, None, "the span has no name");
    }
    if span.end < span.start {
        let message = format!("ends {} ns before it starts", span.start - span.end);
        report.find(Id::SpanEndBeforeStart, None, message);
    }
    status(report, span);
    match text(span, GEN_AI_OPERATION_NAME) {
        Some(operation) => self::operation(report, span, operation),
        None if text(span, MCP_METHOD_NAME).is_some() => mcp(report, span),
        None => without_operation(report, span),
    }
}

fn status(report: &mut Report<'_>, span: &Span) {
    let typed = get(&span.attributes, ERROR_TYPE).is_some();
    match span.status {
        Status::Ok => report.find(Id::StatusOk, None, "instrumentation leaves the status of a success unset"),
        Status::Error if !typed => {
            report.find(
                Id::ErrorTypeMissing,
                Some(ERROR_TYPE),
                "the status is error, and nothing says which",
            );
        }
        _ => {}
    }
    if typed && span.status != Status::Error {
        report.find(Id::ErrorTypeWithoutError, Some(ERROR_TYPE), "the status is not error");
    }
}

fn without_operation(report: &mut Report<'_>, span: &Span) {
    // A name that is no string is a finding already.
    let has_one = get(&span.attributes, GEN_AI_OPERATION_NAME).is_some();
    let is_ours =
        |name: &String| name.starts_with("gen_ai.") && report.checker.registry.attribute(name).is_some();
    if !has_one && span.attributes.iter().any(|(name, _)| is_ours(name)) {
        let message = "every span with attributes gen_ai.* says what it does";
        report.find(Id::RequiredAttributeNotPresent, Some(GEN_AI_OPERATION_NAME), message);
    }
}

fn operation(report: &mut Report<'_>, span: &Span, operation: &str) {
    if !report.checker.registry.has_operation(operation) {
        if !report.checker.allows(operation) {
            let message =
                format!("the convention {} does not know the operation {operation:?}", report.convention());
            report.find(Id::OperationNameUnknown, Some(GEN_AI_OPERATION_NAME), message);
        }
        return;
    }
    let names = names(report.checker.convention, span, operation);
    name(report, span, &names);
    kind(report, span, operation);
    expected(report, span, operation);
}

/// Reports a span whose name is none of those that it may have.
fn name(report: &mut Report<'_>, span: &Span, names: &[String]) {
    if !span.name.is_empty()
        && !names.contains(&span.name)
        && let Some(best) = names.first()
    {
        report.find(Id::SpanNameFormat, None, format!("must be {best:?}"));
    }
}

/// The names that a span may have, the best first.
fn names(convention: Convention, span: &Span, operation: &str) -> Vec<String> {
    let keyed = match operation {
        "chat" | "generate_content" | "text_completion" | "embeddings" => Some(GEN_AI_REQUEST_MODEL),
        "execute_tool" => Some(GEN_AI_TOOL_NAME),
        "invoke_agent" | "create_agent" | "plan" => Some(GEN_AI_AGENT_NAME),
        "invoke_workflow" => Some(GEN_AI_WORKFLOW_NAME),
        "retrieval" => Some(GEN_AI_DATA_SOURCE_ID),
        _ => None,
    };
    let value = keyed.and_then(|name| get(&span.attributes, name)).map(display);
    let plain = value.map_or_else(|| operation.to_owned(), |value| format!("{operation} {value}"));
    let mut names = vec![plain];
    if operation == "execute_tool" && convention != Convention::V2026_08 {
        // Tools that load skills, read their resources or run commands say so after their name.
        let of = |name| text(span, name);
        let (skill, resource) = (of(GEN_AI_SKILL_NAME), of(GEN_AI_SKILL_RESOURCE_NAME));
        let tool = names.concat();
        names.extend(skill.map(|skill| format!("{tool} {skill}")));
        names.extend(resource.map(|resource| format!("{tool} {resource}")));
        names.extend(skill.zip(resource).map(|(skill, resource)| format!("{tool} {skill} {resource}")));
        names.extend(of("process.executable.name").map(|program| format!("{tool} {program}")));
    }
    names
}

fn kind(report: &mut Report<'_>, span: &Span, operation: &str) {
    let types = report.checker.registry.spans_of(operation);
    let mut kinds: Vec<_> = types.iter().map(|declared| kind_of(declared)).collect();
    let may_be_inside = types.iter().any(|one| one.name.contains("inference") || one.name.contains("memory"));
    if may_be_inside && get(&span.attributes, SERVER_ADDRESS).is_none() {
        kinds.push(SpanKind::Internal);
    }
    if get(&span.attributes, MCP_METHOD_NAME).is_some() {
        kinds.extend([SpanKind::Client, SpanKind::Server]);
    }
    if !kinds.is_empty() && !kinds.contains(&span.kind) {
        let message = format!("is {:?}, must be {}", span.kind, either(&kinds));
        report.find(Id::SpanKindUnexpected, None, message);
    }
}

fn expected(report: &mut Report<'_>, span: &Span, operation: &str) {
    let expected = report.checker.registry.expected(operation, span.kind);
    let missing = |name: &&&str| get(&span.attributes, name).is_none();
    for name in expected.iter().filter(missing) {
        if !(report.checker.excuse_unanswered && is_excused(span, operation, name)) {
            let message =
                format!("the convention {} expects it on every `{operation}` span", report.convention());
            report.find(Id::ExpectedAttributeMissing, Some(name), message);
        }
    }
    // What all types of span of the operation require, for a span whose type is not clear.
    let types = report.checker.registry.spans_of(operation);
    let Some((first, rest)) = types.split_first() else { return };
    let by_all = first.required.iter().filter(|name| rest.iter().all(|other| other.required.contains(name)));
    for name in by_all.filter(missing).filter(|name| !expected.contains(name)) {
        let message = format!("the convention {} requires it", report.convention());
        report.find(Id::RequiredAttributeNotPresent, Some(name), message);
    }
}

/// Whether the span cannot have the attribute honestly, because no answer brought it.
fn is_excused(span: &Span, operation: &str, attribute: &str) -> bool {
    let failed = span.status == Status::Error && get(&span.attributes, ERROR_TYPE).is_some();
    let streamed = get(&span.attributes, GEN_AI_REQUEST_STREAM) == Some(&Value::Bool(true));
    match attribute {
        GEN_AI_USAGE_INPUT_TOKENS | GEN_AI_USAGE_OUTPUT_TOKENS => failed || streamed,
        // Who fetches a response knows its id before.
        GEN_AI_RESPONSE_ID => failed && operation != "fetch_response",
        GEN_AI_RESPONSE_MODEL
        | GEN_AI_RESPONSE_FINISH_REASONS
        | GEN_AI_RESPONSE_STATUS
        | GEN_AI_EMBEDDINGS_DIMENSION_COUNT => failed,
        _ => false,
    }
}

/// An MCP span without an operation: anything but a tool call.
fn mcp(report: &mut Report<'_>, span: &Span) {
    let method = text(span, MCP_METHOD_NAME).unwrap_or_default();
    let target = text(span, GEN_AI_TOOL_NAME).or_else(|| text(span, GEN_AI_PROMPT_NAME));
    // A resource may be named where the user asks for it.
    let resource = text(span, MCP_RESOURCE_URI);
    let with = |target: &str| format!("{method} {target}");
    let mut names = vec![target.map_or_else(|| method.to_owned(), with)];
    names.extend(resource.filter(|_| target.is_none()).map(with));
    name(report, span, &names);
    if !matches!(span.kind, SpanKind::Client | SpanKind::Server) {
        let message =
            format!("is {:?}, must be {}", span.kind, either(&[SpanKind::Client, SpanKind::Server]));
        report.find(Id::SpanKindUnexpected, None, message);
    }
}

fn either(kinds: &[SpanKind]) -> String {
    let mut words: Vec<_> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
    words.sort();
    words.dedup();
    words.join(" or ")
}

fn text<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    get(&span.attributes, name).and_then(Value::as_str)
}

/// A value as it would stand in a span's name.
fn display(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}
