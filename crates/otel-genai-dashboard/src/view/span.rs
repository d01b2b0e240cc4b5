//! A span with everything that came with it.

use std::sync::Arc;

use otel_genai_store::{Attributes, Exemplar, LogRecord, Nanos, Span, SpanId, TraceId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::any::{Attribute, attributes};
use super::number::after;
use super::{Row, is_false, millis};

/// A span with everything that came with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpanDetail {
    /// As it is drawn.
    pub row: Row,
    /// Its trace.
    pub trace: String,
    /// When it began, in nanoseconds.
    pub start_ns: String,
    /// When it ended, in nanoseconds; 0 while it runs.
    pub end_ns: String,
    /// How it went.
    pub status: Status,
    /// W3C `tracestate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<String>,
    /// OTLP's flags.
    pub flags: u32,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What happened in it.
    pub events: Vec<Event>,
    /// Other spans that it names.
    pub links: Vec<Link>,
    /// What made it.
    pub resource: Vec<Attribute>,
    /// What told it.
    pub scope: Scope,
    /// What its SDK dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
    /// The settings of a request, by their names of 2026-08.
    pub request: Vec<Attribute>,
    /// Documents that were found, or put in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<Vec<Document>>,
    /// What was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What was done to a memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// About a request of the Model Context Protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Mcp>,
    /// What was judged about it.
    pub evaluations: Vec<Evaluation>,
    /// How many log records belong to it.
    pub logs: u64,
    /// Measurements that were taken in it.
    pub exemplars: Vec<ExemplarOf>,
}

/// How a span went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Whether it failed.
    pub code: StatusCode,
    /// Words to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Whether a span failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusCode {
    /// Nobody said.
    Unset,
    /// It did not.
    Ok,
    /// It did.
    Error,
}

/// Something that happened in a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// What.
    pub name: String,
    /// When, after the trace's start.
    pub at: f64,
    /// How.
    pub attributes: Vec<Attribute>,
    /// How many attributes its SDK dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u32>,
}

/// Another span that a span names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Its trace.
    pub trace: String,
    /// Its id.
    pub span: String,
    /// Whether that trace is here.
    pub known: bool,
    /// About the link.
    pub attributes: Vec<Attribute>,
}

/// An instrumentation library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The schema of its records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_url: Option<String>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// How much an SDK dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// Attributes.
    pub attributes: u32,
    /// Events.
    pub events: u32,
    /// Links.
    pub links: u32,
}

/// A document that was found, or put in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How well it fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its place before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_before: Option<u32>,
    /// Its place afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_after: Option<u32>,
    /// An answer quotes it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub quoted: bool,
    /// What else is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
}

/// What was done to a memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Which memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// What.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What was found or kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<serde_json::Value>,
}

/// About a request of the Model Context Protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mcp {
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// In which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Which version of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// By what way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The span of the other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}

/// What was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// By what measure.
    pub name: String,
    /// The verdict as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The verdict as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// When, in milliseconds since 1970.
    pub at: f64,
    /// About which span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// Who judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A measurement that was taken in a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExemplarOf {
    /// Of which metric.
    pub metric: String,
    /// What was measured.
    pub value: f64,
    /// When, in milliseconds since 1970.
    pub at: f64,
}

/// What is known of a span besides what it tells itself.
pub(crate) struct Beside<'a> {
    /// Of which traces there are spans here.
    pub(crate) known: &'a dyn Fn(TraceId) -> bool,
    /// The log records of the span.
    pub(crate) logs: &'a [LogRecord],
    /// Measurements that were taken in it, with the names of their metrics.
    pub(crate) exemplars: &'a [(Arc<str>, Exemplar)],
    /// The span of the other end of its request.
    pub(crate) peer: Option<SpanId>,
}

impl SpanDetail {
    /// A span of a trace that began then.
    pub(crate) fn of(span: &Span, start: Nanos, beside: &Beside<'_>) -> Self {
        let Beside { known, logs, exemplars, peer } = *beside;
        let key = span.key;
        let until = if span.end.0 == 0 { Nanos::now() } else { span.end };
        let more = |place: &str, key_of: &str| {
            let variant = if key.variant > 0 { format!("&variant={}", key.variant) } else { String::new() };
            let name = escape(key_of);
            Some(format!(
                "/api/v1/traces/{}/spans/{}/value?in={place}&key={name}{variant}",
                key.trace, key.span
            ))
        };
        let told = &span.attributes;
        let event = |(index, event): (usize, &otel_genai_store::SpanEvent)| Event {
            name: event.name.as_ref().to_owned(),
            at: after(event.time, start),
            attributes: attributes(&event.attributes, |key| more(&format!("event:{index}"), key)),
            dropped: Some(event.dropped).filter(|dropped| *dropped > 0),
        };
        let link = |link: &otel_genai_store::SpanLink| Link {
            trace: hex(&link.trace_id),
            span: hex(&link.span_id),
            known: TraceId::new(&link.trace_id).is_some_and(known),
            attributes: attributes(&link.attributes, |_| None),
        };
        let dropped = span.dropped;
        let any_dropped = dropped.attributes > 0 || dropped.events > 0 || dropped.links > 0;
        Self {
            row: Row::of(&span.row(), start, until),
            trace: key.trace.to_string(),
            start_ns: span.start.0.to_string(),
            end_ns: span.end.0.to_string(),
            status: Status {
                code: match span.status.code {
                    1 => StatusCode::Ok,
                    2 => StatusCode::Error,
                    _ => StatusCode::Unset,
                },
                message: Some(span.status.message.clone()).filter(|message| !message.is_empty()),
            },
            trace_state: Some(span.trace_state.clone()).filter(|state| !state.is_empty()),
            flags: span.flags,
            attributes: attributes(told, |key| more("span", key)),
            events: span.events.iter().enumerate().map(event).collect(),
            links: span.links.iter().map(link).collect(),
            resource: attributes(&span.origin.resource.attributes, |_| None),
            scope: Scope::of(&span.origin.scope),
            dropped: any_dropped.then_some(Dropped {
                attributes: dropped.attributes,
                events: dropped.events,
                links: dropped.links,
            }),
            request: settings(told),
            documents: documents(told),
            query: text(told, &["gen_ai.retrieval.query.text", "gen_ai.rerank.query", "reranker.query"]),
            memory: memory(told),
            mcp: mcp(told, peer),
            evaluations: logs.iter().filter_map(evaluation).collect(),
            logs: logs.len() as u64,
            exemplars: exemplars
                .iter()
                .map(|(metric, one)| ExemplarOf {
                    metric: metric.as_ref().to_owned(),
                    value: one.value,
                    at: millis(one.time),
                })
                .collect(),
        }
    }
}

impl Scope {
    pub(crate) fn of(scope: &otel_genai_store::Scope) -> Self {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            name: scope.name.as_ref().to_owned(),
            version: some(&scope.version),
            schema_url: some(&scope.schema_url),
            attributes: attributes(&scope.attributes, |_| None),
        }
    }
}

/// The settings of a request. Other vocabularies keep theirs in one JSON object.
fn settings(told: &Attributes) -> Vec<Attribute> {
    const PREFIX: &str = "gen_ai.request.";
    let is_setting = |key: &str| {
        key.strip_prefix(PREFIX).is_some_and(|name| name != "model") || key == "gen_ai.output.type"
    };
    let mut own = Attributes(told.0.iter().filter(|one| is_setting(&one.key)).cloned().collect());
    if own.0.is_empty() {
        let object = ["llm.invocation_parameters", "ai.settings", "model_request_parameters"];
        own.0.extend(told.0.iter().filter(|one| object.contains(&one.key.as_ref())).cloned());
    }
    attributes(&own, |_| None)
}

fn text(told: &Attributes, keys: &[&str]) -> Option<String> {
    keys.iter()
        .find_map(|key| told.text(key))
        .map(std::borrow::Cow::into_owned)
        .filter(|text| !text.is_empty())
}

/// Documents, as the conventions tell them in one list, or as OpenInference tells each field by itself.
fn documents(told: &Attributes) -> Option<Vec<Document>> {
    if let Some(serde_json::Value::Array(list)) = told.json("gen_ai.retrieval.documents") {
        return Some(list.iter().map(document).collect());
    }
    let before = numbered(told, "reranker.input_documents");
    let after = numbered(told, "reranker.output_documents");
    if !after.is_empty() {
        let place = |one: &Document| {
            let same = |other: &Document| {
                one.id.is_some() && one.id == other.id || one.id.is_none() && one.text == other.text
            };
            before.iter().position(same).and_then(|place| u32::try_from(place + 1).ok())
        };
        let ranked = after.iter().zip(1u32..).map(|(one, rank)| Document {
            rank_before: place(one),
            rank_after: Some(rank),
            ..one.clone()
        });
        return Some(ranked.collect());
    }
    Some(numbered(told, "retrieval.documents")).filter(|found| !found.is_empty())
}

fn document(told: &serde_json::Value) -> Document {
    let text = |names: &[&str]| {
        let value = names.iter().find_map(|name| told.get(name)).filter(|value| !value.is_null())?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    if let Some(text) = told.as_str() {
        return Document { text: Some(text.to_owned()), ..Document::default() };
    }
    Document {
        id: text(&["id", "document_id"]),
        score: told.get("score").or_else(|| told.get("relevance_score")).and_then(serde_json::Value::as_f64),
        text: text(&["content", "text", "page_content"]),
        metadata: told.get("metadata").filter(|value| !value.is_null()).cloned(),
        ..Document::default()
    }
}

/// `PREFIX.N.document.{id,content,score,metadata}`.
fn numbered(told: &Attributes, prefix: &str) -> Vec<Document> {
    let mut found: Vec<Document> = Vec::new();
    for attribute in &told.0 {
        let Some(rest) = attribute.key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let Some((number, field)) = rest.split_once('.') else { continue };
        let Some(number) = number.parse::<usize>().ok().filter(|number| *number < 10_000) else { continue };
        if found.len() <= number {
            found.resize(number + 1, Document::default());
        }
        let Some(one) = found.get_mut(number) else { continue };
        let value = &attribute.value;
        match field.strip_prefix("document.").unwrap_or(field) {
            "id" => {
                let number = || value.json().filter(serde_json::Value::is_i64).map(|id| id.to_string());
                one.id = value.text().map(Into::into).or_else(number);
            }
            "content" => one.text = value.text().map(Into::into),
            "score" => {
                let text = || value.text()?.trim().parse().ok();
                one.score = value.json().and_then(|score| score.as_f64()).or_else(text);
            }
            "metadata" => one.metadata = value.json(),
            _ => {}
        }
    }
    found
}

fn memory(told: &Attributes) -> Option<Memory> {
    let memory = Memory {
        store: text(told, &["gen_ai.memory.store.name", "gen_ai.memory.store.id"]),
        operation: text(told, &["gen_ai.memory.operation"])
            .or_else(|| text(told, &["gen_ai.operation.name"]).filter(|name| name.contains("memory"))),
        records: told.json("gen_ai.memory.records"),
    };
    (memory.store.is_some() || memory.operation.is_some() || memory.records.is_some()).then_some(memory)
}

/// The id of a request of the Model Context Protocol, which may be a number.
pub(crate) fn request_id(told: &Attributes) -> Option<String> {
    text(told, &["jsonrpc.request.id"]).or_else(|| told.int("jsonrpc.request.id").map(|id| id.to_string()))
}

fn mcp(told: &Attributes, peer: Option<SpanId>) -> Option<Mcp> {
    let mcp = Mcp {
        method: text(told, &["mcp.method.name"]),
        session: text(told, &["mcp.session.id"]),
        protocol: text(told, &["mcp.protocol.version"]),
        transport: text(told, &["network.transport"]),
        request_id: request_id(told),
        peer: peer.map(|span| span.to_string()),
    };
    mcp.method.is_some().then_some(mcp)
}

/// A verdict that a log record tells.
pub(crate) fn evaluation(log: &LogRecord) -> Option<Evaluation> {
    if log.event.as_deref() != Some("gen_ai.evaluation.result") {
        return None;
    }
    let told = &log.attributes;
    Some(Evaluation {
        name: text(told, &["gen_ai.evaluation.name"])?,
        score: told.float("gen_ai.evaluation.score.value"),
        label: text(told, &["gen_ai.evaluation.score.label"]),
        explanation: text(told, &["gen_ai.evaluation.explanation"]),
        at: millis(log.moment()),
        span: log.span.map(|span| span.to_string()),
        by: Some(log.origin.scope.name.as_ref().to_owned()).filter(|name| !name.is_empty()),
    })
}

/// By how much the clocks of services differ at least: the most that a span began before the span of another service
/// that called it.
pub(crate) fn skew(rows: &[otel_genai_store::SpanRow]) -> Option<f64> {
    let by_id: std::collections::HashMap<_, _> = rows.iter().map(|row| (row.key.span, row)).collect();
    let before = |row: &otel_genai_store::SpanRow| {
        let parent = by_id.get(&row.parent?)?;
        (parent.service != row.service).then(|| parent.start.0.checked_sub(row.start.0)).flatten()
    };
    let most = rows.iter().filter_map(before).max().filter(|most| *most > 0)?;
    Some(after(Nanos(most), Nanos(0)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name as part of a query.
pub(crate) fn escape(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
