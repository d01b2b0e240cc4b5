//! What is sent: the same spans, whoever takes them.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

/// How many spans a request has: what exporters send unless told otherwise.
pub(crate) const BATCH: u64 = 512;
/// How many spans a trace has.
pub(crate) const TRACE: u64 = 10;
/// A word that one span in a thousand says.
pub(crate) const RARE: &str = "zanzibar";
/// A word that nearly each says.
pub(crate) const COMMON: &str = "parcel";

#[derive(Clone, Copy)]
pub(crate) enum Workload {
    /// 30 attributes; one span in nine carries 3 to 21 KB of messages and 0.3 to 2 KB of an answer. Over 72 hours.
    Usual,
    /// Each span is a call that carries the whole conversation so far, up to 8 KB.
    Histories,
}

impl Workload {
    /// A request of spans `batch * BATCH..`, of traces that end at `now`.
    pub(crate) fn request(self, batch: u64, of: u64, now: SystemTime) -> Vec<u8> {
        let numbers = batch * BATCH..((batch + 1) * BATCH).min(of);
        let spans = numbers.map(|number| self.span(number, of, now)).collect();
        let service = ["shop", "search", "support", "billing", "agents"][(batch % 5) as usize];
        let resource = Resource {
            attributes: vec![
                text("service.name", service.to_owned()),
                text("service.version", "1.2.3".to_owned()),
            ],
            ..Resource::default()
        };
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let spans = ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() };
        ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec()
    }

    fn span(self, number: u64, of: u64, now: SystemTime) -> Span {
        let (trace, at) = (number / TRACE, number % TRACE);
        let end = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
        let hours = if matches!(self, Workload::Usual) { 72 } else { 1 };
        let range = Duration::from_secs(hours * 3600).as_nanos() as u64;
        let start = end - range + (range / (of / TRACE + 1)) * trace;
        let (name, mut attributes) = match self {
            Workload::Usual => usual(number, at),
            Workload::Histories => ("chat gpt-4o-mini", history(trace, at)),
        };
        attributes.push(text("gen_ai.conversation.id", format!("conversation-{}", trace / 3)));
        Span {
            trace_id: trace_id(trace),
            span_id: (number + 1).to_be_bytes().to_vec(),
            parent_span_id: if at == 0 { Vec::new() } else { (trace * TRACE + 1).to_be_bytes().to_vec() },
            name: name.to_owned(),
            kind: 3,
            start_time_unix_nano: start + at * 1_000_000,
            end_time_unix_nano: start + at * 1_000_000 + 200_000_000 + noise(number) % 3_000_000_000,
            attributes,
            ..Span::default()
        }
    }
}

pub(crate) fn trace_id(trace: u64) -> Vec<u8> {
    [(trace + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), trace.to_be_bytes()].concat()
}

/// 30 attributes, as a chat, a tool, or the agent around them has them.
fn usual(number: u64, at: u64) -> (&'static str, Vec<KeyValue>) {
    let models = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-pro", "mistral-large-latest"];
    let model = models[(noise(number) % 5) as usize];
    let mut attributes = Vec::with_capacity(32);
    let content = number.is_multiple_of(9);
    let name = match at {
        0 if !content => {
            attributes.push(text("gen_ai.operation.name", "invoke_agent".to_owned()));
            attributes.push(text("gen_ai.agent.name", format!("agent {}", number / TRACE % 6)));
            "invoke_agent"
        }
        2 | 4 | 6 if !content => {
            attributes.push(text("gen_ai.operation.name", "execute_tool".to_owned()));
            attributes.push(text("gen_ai.tool.name", format!("tool_{}", number % 12)));
            attributes.push(text("gen_ai.tool.call.id", format!("call_{number:x}")));
            "execute_tool"
        }
        _ => {
            attributes.push(text("gen_ai.operation.name", "chat".to_owned()));
            attributes.push(text("gen_ai.provider.name", "openai".to_owned()));
            attributes.push(text("gen_ai.request.model", model.to_owned()));
            attributes.push(text("gen_ai.response.model", model.to_owned()));
            attributes.push(text("gen_ai.response.id", format!("resp_{number:x}")));
            attributes.push(integer("gen_ai.usage.input_tokens", number % 5000 + 20));
            attributes.push(integer("gen_ai.usage.output_tokens", number % 700 + 1));
            "chat"
        }
    };
    if noise(number).is_multiple_of(40) {
        attributes.push(text("error.type", "timeout".to_owned()));
    }
    if content {
        let input = 3_200 + (noise(number) % 17_700) as usize;
        let output = 300 + (noise(number + 1) % 1_700) as usize;
        let question = message("user", &words(number, input));
        attributes.push(text("gen_ai.input.messages", format!("[{question}]")));
        attributes.push(text(
            "gen_ai.output.messages",
            format!("[{}]", message("assistant", &words(number + 7, output))),
        ));
    }
    while attributes.len() < 29 {
        let more = attributes.len();
        attributes.push(text(&format!("app.attribute.{more}"), format!("value {more} of {}", number % 100)));
    }
    (name, attributes)
}

/// The conversation up to this call: what was said before is said again.
fn history(trace: u64, at: u64) -> Vec<KeyValue> {
    let mut messages = vec![message("user", &words(trace, 700))];
    for turn in 0..at {
        messages.push(message("assistant", &words(trace * 100 + turn * 2 + 1, 350)));
        messages.push(message("user", &words(trace * 100 + turn * 2 + 2, 350)));
    }
    let answer = message("assistant", &words(trace * 100 + at * 2 + 1, 350));
    vec![
        text("gen_ai.operation.name", "chat".to_owned()),
        text("gen_ai.provider.name", "openai".to_owned()),
        text("gen_ai.request.model", "gpt-4o-mini".to_owned()),
        text("gen_ai.response.model", "gpt-4o-mini-2024-07-18".to_owned()),
        integer("gen_ai.usage.input_tokens", 200 + at * 200),
        integer("gen_ai.usage.output_tokens", 90),
        text("gen_ai.system_instructions", format!(r#"[{{"type":"text","content":"{}"}}]"#, words(3, 900))),
        text("gen_ai.input.messages", format!("[{}]", messages.join(","))),
        text("gen_ai.output.messages", format!("[{answer}]")),
    ]
}

fn message(role: &str, content: &str) -> String {
    format!(r#"{{"role":"{role}","parts":[{{"type":"text","content":"{content}"}}]}}"#)
}

fn text(key: &str, value: String) -> KeyValue {
    attribute(key, Value::StringValue(value))
}

fn integer(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(value.cast_signed()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn noise(seed: u64) -> u64 {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state ^= state >> 29;
    state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^ (state >> 32)
}

/// Words, some of them numbers, so that they compress about as text does: a stretch of one long text, because making them
/// anew would take the processors away from what is measured.
fn words(seed: u64, bytes: usize) -> String {
    static ALL: OnceLock<String> = OnceLock::new();
    let all = ALL.get_or_init(all_words);
    let rare = if seed.is_multiple_of(1_000) { RARE } else { "" };
    let from = (noise(seed) % (all.len() - bytes) as u64) as usize;
    format!("{rare} {seed:x} {}", &all[from..from + bytes])
}

fn all_words() -> String {
    let known = [
        "the", "model", "answers", "order", "where", "is", "my", COMMON, "tool", "weather", "Berlin",
        "please",
    ];
    let mut text = String::new();
    for at in 0.. {
        let next = noise(at);
        text.push_str(known[(next % 12) as usize]);
        text.push_str(&format!("{:x} ", next >> 56));
        text.push_str(known[(next >> 8) as usize % 12]);
        text.push(' ');
        if text.len() > 16 << 20 {
            break;
        }
    }
    text
}
