//! Spans and log records made by hand, and transcripts as something to compare.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::trace::v1 as traces;
use otel_genai_dashboard::transcript::{
    Call, Evidence, MessageHash, NoReferences, Options, Transcript, assemble,
};
use otel_genai_store::{LogId, LogRecord, Nanos, NoPrices, Origin, Resource, Scope, Span, of_log, of_span};
use serde_json::{Value as Json, json};

/// What a test tells, record by record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) spans: Vec<Span>,
    pub(crate) logs: Vec<LogRecord>,
}

/// A span to be told.
pub(crate) struct SpanOf<'a> {
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) name: &'a str,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) attributes: Json,
    /// Name, time and attributes.
    pub(crate) events: Vec<(&'a str, u64, Json)>,
}

impl Default for SpanOf<'_> {
    fn default() -> Self {
        Self {
            id: 1,
            parent: 0,
            name: "chat",
            start: 1_000,
            end: 2_000,
            attributes: json!({}),
            events: Vec::new(),
        }
    }
}

/// A log record to be told.
pub(crate) struct LogOf<'a> {
    pub(crate) event: &'a str,
    pub(crate) span: u64,
    pub(crate) time: u64,
    pub(crate) body: Json,
    pub(crate) attributes: Json,
}

impl Default for LogOf<'_> {
    fn default() -> Self {
        Self { event: "", span: 1, time: 1_500, body: Json::Null, attributes: json!({}) }
    }
}

pub(crate) fn origin(scope: &str, schema_url: &str) -> Arc<Origin> {
    let attributes = pairs(&json!({"service.name": "shop"}));
    let resource = OtlpResource { attributes, ..OtlpResource::default() };
    let scope = InstrumentationScope { name: scope.to_owned(), ..InstrumentationScope::default() };
    Arc::new(Origin {
        resource: Resource::from_otlp(Some(resource), String::new()),
        scope: Scope::from_otlp(Some(scope), schema_url.to_owned()),
    })
}

impl Told {
    pub(crate) fn span(mut self, span: SpanOf<'_>) -> Self {
        self.add_span(span, &origin("test", ""), 1);
        self
    }

    pub(crate) fn log(mut self, log: LogOf<'_>) -> Self {
        self.add_log(log, &origin("test", ""), 1);
        self
    }

    pub(crate) fn add_span(&mut self, span: SpanOf<'_>, origin: &Arc<Origin>, trace: u128) {
        let event = |(name, time, attributes): (&str, u64, Json)| traces::span::Event {
            time_unix_nano: time,
            name: name.to_owned(),
            attributes: pairs(&attributes),
            dropped_attributes_count: 0,
        };
        let otlp = traces::Span {
            trace_id: trace.to_be_bytes().to_vec(),
            span_id: span.id.to_be_bytes().to_vec(),
            parent_span_id: if span.parent == 0 { Vec::new() } else { span.parent.to_be_bytes().to_vec() },
            name: span.name.to_owned(),
            start_time_unix_nano: span.start,
            end_time_unix_nano: span.end,
            attributes: pairs(&span.attributes),
            events: span.events.into_iter().map(event).collect(),
            ..traces::Span::default()
        };
        let mut span = Span::from_otlp(otlp, origin, Nanos(1)).unwrap();
        span.facts = of_span(&span, &NoPrices);
        self.spans.push(span);
    }

    pub(crate) fn add_log(&mut self, log: LogOf<'_>, origin: &Arc<Origin>, trace: u128) {
        let otlp = logs::LogRecord {
            time_unix_nano: log.time,
            trace_id: if trace == 0 { Vec::new() } else { trace.to_be_bytes().to_vec() },
            span_id: if log.span == 0 { Vec::new() } else { log.span.to_be_bytes().to_vec() },
            event_name: log.event.to_owned(),
            body: (!log.body.is_null()).then(|| any(&log.body)),
            attributes: pairs(&log.attributes),
            ..logs::LogRecord::default()
        };
        let mut log = LogRecord::from_otlp(otlp, origin, Nanos(1)).unwrap();
        log.id = LogId { row: i64::try_from(self.logs.len()).unwrap() + 1, ..log.id };
        log.facts = of_log(&log, &NoPrices);
        self.logs.push(log);
    }

    pub(crate) fn transcript(&self) -> Transcript {
        self.part(&Options::default())
    }

    pub(crate) fn part(&self, options: &Options) -> Transcript {
        let evidence = Evidence { spans: &self.spans, logs: &self.logs, references: &NoReferences };
        assemble(&evidence, options)
    }
}

pub(crate) fn pairs(object: &Json) -> Vec<KeyValue> {
    let pairs = object.as_object().into_iter().flatten();
    pairs
        .map(|(key, value)| KeyValue { key: key.clone(), value: Some(any(value)), ..KeyValue::default() })
        .collect()
}

pub(crate) fn any(json: &Json) -> AnyValue {
    let value = match json {
        Json::Null => None,
        Json::Bool(yes) => Some(Value::BoolValue(*yes)),
        Json::Number(number) => Some(match number.as_i64() {
            Some(int) => Value::IntValue(int),
            None => Value::DoubleValue(number.as_f64().unwrap()),
        }),
        Json::String(text) => Some(Value::StringValue(text.clone())),
        Json::Array(list) => Some(Value::ArrayValue(ArrayValue { values: list.iter().map(any).collect() })),
        Json::Object(_) => Some(Value::KvlistValue(KeyValueList { values: pairs(json) })),
    };
    AnyValue { value }
}

/// A message as JSON, without why the model stopped: not all say it in one word.
pub(crate) fn message(transcript: &Transcript, hash: MessageHash) -> Json {
    let (_, said) =
        transcript.messages.iter().find(|(known, _)| *known == hash).expect("a message that is here");
    let mut json = serde_json::to_value(&said.message).unwrap();
    json.as_object_mut().unwrap().remove("finish_reason");
    json
}

/// All of a call's input, put together from the calls that it goes on with.
pub(crate) fn full_input(transcript: &Transcript, call: &Call) -> Vec<MessageHash> {
    let mut full = Vec::new();
    if let Some(previous) = call.previous {
        let previous =
            transcript.calls.iter().find(|one| one.ordinal == previous).expect("a call that is here");
        full = full_input(transcript, previous);
        full.extend(spoken(previous));
        full.truncate(call.carried as usize);
    }
    assert_eq!(full.len(), call.carried as usize);
    full.extend(call.input.iter().map(|seen| seen.message));
    full
}

/// What the model said, without what tools' spans told.
pub(crate) fn spoken(call: &Call) -> impl Iterator<Item = MessageHash> {
    let by_model = |seen: &&otel_genai_dashboard::transcript::Seen| {
        seen.sources
            .iter()
            .any(|source| source.carrier != otel_genai_dashboard::transcript::Carrier::ToolSpan)
    };
    call.output.iter().filter(by_model).map(|seen| seen.message)
}

/// What was said, call by call.
pub(crate) fn reading(transcript: &Transcript) -> Vec<Json> {
    let call = |call: &Call| {
        let all = |hashes: Vec<MessageHash>| -> Vec<Json> {
            hashes.into_iter().map(|hash| message(transcript, hash)).collect()
        };
        json!({
            "system": all(call.system.iter().map(|seen| seen.message).collect()),
            "input": all(full_input(transcript, call)),
            "output": all(spoken(call).collect()),
        })
    };
    transcript.calls.iter().map(call).collect()
}

/// The texts of a list of messages.
pub(crate) fn texts(transcript: &Transcript, seen: &[otel_genai_dashboard::transcript::Seen]) -> Vec<String> {
    seen.iter()
        .map(|seen| {
            let said = message(transcript, seen.message);
            let parts = said["parts"].as_array().unwrap().iter();
            let texts = parts.map(|part| match part["content"].as_str() {
                Some(text) => text.to_owned(),
                None => part.to_string(),
            });
            texts.collect::<Vec<_>>().join("|")
        })
        .collect()
}
