//! Events, and the time they spend waiting for their spans: a call and what is told of it belong together.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::SpanId;
use opentelemetry::logs::Severity;
use opentelemetry_sdk::logs::SdkLogRecord;
use otel_genai_semconv::event as names;
use serde_json::{Value as Json, json};

use super::facts::{Facts, of_any, one_line};
use super::words;

/// A log record, as far as people read it.
pub(crate) struct Event {
    pub(crate) time: SystemTime,
    pub(crate) severity: Option<Severity>,
    pub(crate) name: Option<String>,
    pub(crate) facts: Facts<'static>,
    pub(crate) body: Option<Json>,
    /// The span that it tells of, unless a sampler has left that out.
    pub(crate) span: Option<SpanId>,
}

impl Event {
    pub(crate) fn of(record: &SdkLogRecord) -> Self {
        let span = record.trace_context().filter(|context| {
            context.trace_flags.is_none_or(|flags| flags.is_sampled()) && context.span_id != SpanId::INVALID
        });
        Self {
            time: record
                .timestamp()
                .or_else(|| record.observed_timestamp())
                .unwrap_or(SystemTime::UNIX_EPOCH),
            severity: record.severity_number(),
            name: record.event_name().map(str::to_owned),
            facts: Facts::of_log(record.attributes_iter()),
            body: record.body().map(of_any),
            span: span.map(|context| context.span_id),
        }
    }

    /// Whether it is one of those that an operation of generative AI leaves when it ends.
    pub(crate) fn is_of_operation(&self) -> bool {
        self.name.as_deref().is_some_and(|name| name.starts_with("gen_ai."))
    }

    pub(crate) fn is_evaluation(&self) -> bool {
        self.name.as_deref() == Some(names::GEN_AI_EVALUATION_RESULT)
    }

    /// The message that an event of `v1.30` carries in its body, in the shape that messages have since. `None`: it is no
    /// such event, or content is not captured.
    pub(crate) fn message(&self) -> Option<Json> {
        let body = self.body.as_ref()?.as_object()?;
        let role = match self.name.as_deref()? {
            names::GEN_AI_CHOICE => "assistant",
            name => name.strip_prefix("gen_ai.")?.strip_suffix(".message")?,
        };
        let said = body.get("message").and_then(Json::as_object).unwrap_or(body);
        let role = said.get("role").and_then(Json::as_str).unwrap_or(role);
        let mut parts: Vec<Json> = match said.get("content") {
            Some(Json::Array(items)) => items.iter().map(part).collect(),
            Some(answer) if role == "tool" => {
                vec![json!({ "type": "tool_call_response", "response": answer })]
            }
            Some(text) => vec![json!({ "type": "text", "content": text })],
            None => Vec::new(),
        };
        for call in said.get("tool_calls").and_then(Json::as_array).into_iter().flatten() {
            let function = call.get("function").unwrap_or(call);
            // Without its arguments a call is no content.
            if let Some(arguments) = function.get("arguments") {
                let name = function.get("name");
                parts.push(json!({ "type": "tool_call", "name": name, "arguments": arguments }));
            }
        }
        (!parts.is_empty()).then(|| json!({ "role": role, "parts": parts }))
    }

    /// `relevance 0.92 (pass): It is about OpenTelemetry.`
    pub(crate) fn evaluation(&self) -> String {
        let mut text = self.facts.text(words::EVALUATION).unwrap_or_default();
        if let Some(score) = self.facts.get(words::SCORE) {
            text.push_str(&format!(" {}", one_line(score)));
        }
        if let Some(label) = self.facts.text(words::SCORE_LABEL) {
            text.push_str(&format!(" ({label})"));
        }
        if let Some(why) = self.facts.text(words::EXPLANATION) {
            text.push_str(&format!(": {why}"));
        }
        text
    }
}

/// A piece of content in the words of OpenAI's API.
fn part(item: &Json) -> Json {
    if let Some(text) = item.get("text") {
        return json!({ "type": "text", "content": text });
    }
    match item.pointer("/image_url/url").and_then(Json::as_str) {
        Some(url) if !url.starts_with("data:") => json!({ "type": "uri", "modality": "image", "uri": url }),
        Some(_) => json!({ "type": "blob", "modality": "image" }),
        None => json!({ "type": item.get("type").cloned().unwrap_or_else(|| "content".into()) }),
    }
}

/// Events whose span has not come yet, and spans that were here.
#[derive(Default)]
pub(crate) struct Waiting {
    events: VecDeque<(Instant, SpanId, Event)>,
    shown: VecDeque<Shown>,
    /// Exporters that have ended: the last one leaves nothing behind.
    ended: u8,
}

/// A span that was shown.
struct Shown {
    span: SpanId,
    /// Which kinds of content were, as [`super::content::kinds`] has them.
    content: u8,
}

impl Waiting {
    const REMEMBERED: usize = 512;
    /// Events come at the end of their span, so that one which waits longer waits for nothing.
    const PATIENCE: Duration = Duration::from_secs(2);
    const EXPORTERS: u8 = 2;

    /// Keeps an event for its span. It comes back where that was here already, with the content that was shown then.
    pub(crate) fn keep(&mut self, span: SpanId, event: Event) -> Option<(Event, u8)> {
        if let Some(shown) = self.shown.iter().rev().find(|shown| shown.span == span) {
            return Some((event, shown.content));
        }
        self.events.push_back((Instant::now(), span, event));
        None
    }

    /// The events of this span.
    pub(crate) fn take(&mut self, span: SpanId) -> Vec<Event> {
        if !self.events.iter().any(|(_, of, _)| *of == span) {
            return Vec::new();
        }
        let (taken, left) = std::mem::take(&mut self.events).into_iter().partition(|(_, of, _)| *of == span);
        self.events = left;
        let taken: VecDeque<(Instant, SpanId, Event)> = taken;
        taken.into_iter().map(|(_, _, event)| event).collect()
    }

    /// Remembers what was shown of a span.
    pub(crate) fn shown(&mut self, span: SpanId, content: u8) {
        if self.shown.len() == Self::REMEMBERED {
            self.shown.pop_front();
        }
        self.shown.push_back(Shown { span, content });
    }

    /// Events that have waited for too long, or in too large a company.
    pub(crate) fn tired(&mut self) -> Vec<Event> {
        let too_many = self.events.len().saturating_sub(Self::REMEMBERED);
        let tired = self.events.iter().take_while(|(since, ..)| since.elapsed() > Self::PATIENCE).count();
        self.events.drain(..too_many.max(tired)).map(|(_, _, event)| event).collect()
    }

    /// An exporter ends. What still waits is handed out when both have.
    pub(crate) fn end(&mut self) -> Vec<Event> {
        self.ended = self.ended.saturating_add(1);
        if self.ended < Self::EXPORTERS {
            return Vec::new();
        }
        self.events.drain(..).map(|(_, _, event)| event).collect()
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("events", &self.events.len()).finish_non_exhaustive()
    }
}
