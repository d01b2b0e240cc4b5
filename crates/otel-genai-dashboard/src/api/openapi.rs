//! The OpenAPI document, made of the table of routes and of the shapes themselves.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::response::Response;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::span::typed;
use super::{Route, routes};
use crate::http::{Ask, Failure};
use crate::view::{ApiError, Dialect, Op};

pub(crate) async fn document(ask: Ask) -> Result<Response, Failure> {
    static DOCUMENT: OnceLock<Vec<u8>> = OnceLock::new();
    ask.done()?;
    let bytes = DOCUMENT.get_or_init(|| make().to_string().into_bytes());
    Ok(typed("application/json", bytes.clone()))
}

fn make() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let failure = generator.subschema_for::<ApiError>();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes() {
        let operation = operation(&route, &mut generator, &failure.clone().into());
        paths.entry(route.path).or_default().insert(route.method.as_str().to_ascii_lowercase(), operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "otel-genai dashboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What was received by OpenTelemetry, as the dashboard shows it. Times are milliseconds since \
                            1970, durations milliseconds; what is not known is left out.",
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator, failure: &Value) -> Value {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let mut parameters: Vec<Value> = in_path.collect();
    parameters.extend(route.query.iter().map(|name| parameter(name, generator)));
    if !route.method.is_safe() {
        let schema = json!({ "type": "string", "const": "1" });
        let description = "Sent with whatever changes something: no form of another page can send it.";
        let header = json!({
            "name": "x-otel-genai", "in": "header", "required": true, "schema": schema, "description": description,
        });
        parameters.push(header);
    }
    let body =
        route.body.map(|schema| json!({ "application/json": { "schema": Value::from(schema(generator)) } }));
    let answer = route.schema.map_or_else(|| json!({}), |schema| schema(generator).into());
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": { "description": "The answer", "content": { (route.media): { "schema": answer } } },
            "default": {
                "description": "Why there is no answer",
                "content": { "application/json": { "schema": failure } },
            },
        },
    });
    if let (Some(body), Some(operation)) = (body, operation.as_object_mut()) {
        operation.insert("requestBody".to_owned(), json!({ "required": true, "content": body }));
    }
    operation
}

/// A query parameter. Those of one name mean the same everywhere.
fn parameter(name: &str, generator: &mut SchemaGenerator) -> Value {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "number", "minimum": 0 });
    let flag = || json!({ "type": "string", "enum": ["0", "1"] });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let mut words = |of: fn(&mut SchemaGenerator) -> schemars::Schema| -> Value { of(generator).into() };
    let (schema, description) = match name {
        "from" => (text(), "The first moment: milliseconds since 1970, or before now like -15m, -24h, -7d"),
        "to" => (text(), "The moment after the last"),
        "service" => (list(text()), "Of any of these services"),
        "op" => (list(words(SchemaGenerator::subschema_for::<Op>)), "With any of these operations"),
        "provider" => (list(text()), "With any of these providers"),
        "model" => (list(text()), "With any of these models"),
        "agent" => (list(text()), "With any of these agents"),
        "tool" => (list(text()), "With any of these tools"),
        "dialect" => {
            (list(words(SchemaGenerator::subschema_for::<Dialect>)), "Told in any of these vocabularies")
        }
        "conversation" => (text(), "Of this conversation"),
        "error" => (flag(), "With an error, or without"),
        "genai" => (flag(), "With an operation of generative AI, or without"),
        "minMs" => (number(), "At least so long"),
        "maxMs" => (number(), "At most so long"),
        "q" => (text(), "Words, all of which must be there; those in quotes in this order"),
        "name" => (text(), "A part of the name of the root span; of a metric the whole name"),
        "limit" => (json!({ "type": "integer", "minimum": 1 }), "How many at most"),
        "cursor" => (text(), "`next` of the page before; of use with the same query only"),
        "sort" => {
            let by = ["start", "duration", "ttft", "tokens", "cost", "errors", "llm", "spans"];
            (json!({ "type": "string", "enum": by }), "By what the list is in order")
        }
        "order" => (json!({ "type": "string", "enum": ["desc", "asc"] }), "The greatest or the least first"),
        "fold" => (json!({ "type": "string", "enum": ["http"] }), "Without the plumbing of calls"),
        "step" => (text(), "How long a step is: 5m, 1h or milliseconds"),
        "by" => (list(text()), "A series for each value of these attributes"),
        "match" => (list(text()), "Only with this attribute: KEY:VALUE"),
        "of" => {
            let of = ["service", "op", "provider", "model", "agent", "tool", "conversation", "dialect"];
            (list(json!({ "type": "string", "enum": of })), "Values of what")
        }
        "severity" => {
            (text(), "At least so severe: trace, debug, info, warn, error, fatal, or OTLP's number")
        }
        "event" => (list(text()), "Of any of these events"),
        "topics" => (text(), "What to tell of: traces, status, trace:ID; several with commas"),
        "since" => (text(), "The id of the last event that was seen"),
        "transcript" => (flag(), "With what was said"),
        "full" => (flag(), "Without cutting long texts"),
        "all" => (flag(), "Everything"),
        "before" => (text(), "Days that ended before this moment"),
        "after" => (json!({ "type": "integer", "minimum": 0 }), "`next` of the page before"),
        "message" => (text(), "The hash of a message"),
        "part" => (json!({ "type": "integer", "minimum": 0 }), "Which part of it, from 0"),
        "as" => (json!({ "type": "string", "enum": ["bytes", "text"] }), "In what form"),
        "variant" => (json!({ "type": "integer" }), "Which of several spans with the same id"),
        "a" | "b" => (text(), "One side: TRACE, or TRACE.SPAN for a span and all below it"),
        "trace" => (text(), "The id of a trace"),
        "span" => (text(), "The id of a span"),
        "key" => (text(), "The name of an attribute"),
        "in" => (text(), "Of what: span, resource, event:NUMBER"),
        "logs" => (flag(), "With the log records"),
        "format" => (
            text(),
            "Of what is given out: otlp, jsonl, md, html, fixture; of what is taken in: auto, otlp-json, otlp-jsonl, otlp-proto, jaeger",
        ),
        "maxChars" => (
            json!({ "type": "integer", "minimum": 0 }),
            "About how long Markdown may be; the middle is left out",
        ),
        _ => (text(), ""),
    };
    let mut parameter = json!({ "name": name, "in": "query", "schema": schema });
    if let Some(parameter) = parameter.as_object_mut()
        && !description.is_empty()
    {
        parameter.insert("description".to_owned(), description.into());
    }
    parameter
}
