//! A recognised call, told in the handler's convention: by the span that it came in, by metrics and by events.

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;
use otel_genai::{GenAi, Moment, Operation};
use otel_genai_dialect::{MESSAGE_EVENTS, content_name, is_content};

use crate::nesting::Ended;
use crate::recognise::{Call, Recognised};
use crate::scribe::{Page, Told};

/// How spans are rewritten.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Content stands only where the handler's settings want it.
    pub(crate) strict: bool,
    /// What was understood is not told a second time in its old words.
    pub(crate) drop_originals: bool,
    /// Spans alone: no metrics, no events.
    pub(crate) rewrite_only: bool,
}

/// Tells of the call by metrics and events, and gives what its span is to say. `None`: the convention does not know it.
pub(crate) fn tell(
    genai: &GenAi,
    recognised: &Recognised,
    span: &SpanData,
    ended: Ended,
    options: Options,
) -> Option<Told> {
    let teller = Teller { genai, recognised, span, ended, options };
    match recognised.call.clone() {
        Call::Inference(op) => teller.tell(op),
        Call::Embeddings(op) => teller.tell(op),
        Call::CreateAgent(op) => teller.tell(op),
        Call::InvokeAgent(op) => teller.tell(op),
        Call::ExecuteTool(op) => teller.tell(op),
        Call::Retrieval(op) => teller.tell(op),
        Call::Rerank(op) => teller.tell(op),
        Call::InvokeWorkflow(op) => teller.tell(op),
        Call::Plan(op) => teller.tell(op),
        Call::FetchResponse(op) => teller.tell(op),
        Call::Memory(op) => teller.tell(op),
        Call::Entry(op) => teller.tell(op),
        Call::ReactStep(op) => teller.tell(op),
    }
}

struct Teller<'a> {
    genai: &'a GenAi,
    recognised: &'a Recognised,
    span: &'a SpanData,
    ended: Ended,
    options: Options,
}

impl Teller<'_> {
    /// Lets the handler run the operation anew, at the span's own times, before a scribe.
    fn tell<O: Operation>(&self, op: O) -> Option<Told> {
        let Teller { span, recognised, .. } = self;
        let page = Page::new(span.span_context.clone());
        let mut at = Moment::now();
        at.system = span.start_time;
        let lasted = span.end_time.duration_since(span.start_time).unwrap_or_default();
        let ended = at.instant.checked_add(lasted).unwrap_or(at.instant);
        // What is current when a span ends may be anything.
        let parent = Context::new().with_value(page.clone());
        let mut pending = self.genai.operation(op).at(at).parent(parent).distinct();
        if !self.options.strict {
            pending = pending.capture(self.genai.capture_with_span());
        }
        let mut active = pending.start();
        if self.options.rewrite_only || self.ended.is_same {
            active.spans_alone();
        }
        active.count_calls(self.ended.inference, self.ended.tool);
        if let Some(after) = recognised.first_chunk.filter(|after| *after <= lasted) {
            active.chunk_at(at.instant.checked_add(after).unwrap_or(ended));
        }
        match &recognised.failure {
            Some(failure) => active.fail_at(ended, failure),
            None => active.finish_at(ended),
        }
        page.read()
    }
}

/// Makes the span say what was told, and what is somebody else's.
pub(crate) fn rewrite(
    span: &mut SpanData,
    told: Told,
    recognised: &Recognised,
    genai: &GenAi,
    options: Options,
) {
    let Told { name, kind, mut attributes, status } = told;
    let is_told =
        |attributes: &[KeyValue], key: &str| attributes.iter().any(|attribute| attribute.key.as_str() == key);
    let own = attributes.len();
    for original in std::mem::take(&mut span.attributes) {
        let key = original.key.as_str();
        let (told, _) = attributes.split_at(own.min(attributes.len()));
        if is_told(told, key) {
            continue;
        }
        let slot = recognised.taken.get(key).copied();
        let stays = if slot.and_then(content_name).is_some() || is_content(key) {
            // A second copy of it would say nothing new.
            let is_copy = slot.and_then(content_name).is_some_and(|name| is_told(told, name));
            !options.strict && !is_copy
        } else {
            slot.is_none() || !options.drop_originals
        };
        if stays {
            attributes.push(if is_content(key) { shown(genai, original) } else { original });
        }
    }
    span.attributes = attributes;
    if !name.is_empty() {
        span.name = name;
    }
    span.span_kind = kind.unwrap_or(SpanKind::Internal);
    // The conventions leave success unset.
    span.status = match status {
        Status::Ok => Status::Unset,
        status => status,
    };
    events(span, genai, options);
}

/// The span's events: messages go where content goes, and errors are shown as all errors are.
fn events(span: &mut SpanData, genai: &GenAi, options: Options) {
    let is_message = |name: &str| MESSAGE_EVENTS.contains(&name);
    if options.strict {
        span.events.events.retain(|event| !is_message(&event.name));
    }
    for event in &mut span.events.events {
        let is_message = is_message(&event.name);
        let is_exception = event.name == "exception";
        if options.strict {
            event.attributes.retain(|attribute| !is_content(attribute.key.as_str()));
        }
        for attribute in &mut event.attributes {
            let is_error = is_exception && attribute.key.as_str() != "exception.type";
            if is_message || is_error || is_content(attribute.key.as_str()) {
                *attribute = shown(genai, attribute.clone());
            }
        }
    }
}

/// The attribute as content may be shown: redacted and within the handler's limits.
fn shown(genai: &GenAi, attribute: KeyValue) -> KeyValue {
    let value = match attribute.value {
        Value::String(text) => genai.shown_text(text.into()).into(),
        Value::Array(Array::String(texts)) => {
            let texts = texts.into_iter().map(|text| StringValue::from(genai.shown_text(text.into())));
            Value::Array(texts.collect::<Vec<_>>().into())
        }
        other => other,
    };
    KeyValue::new(attribute.key, value)
}
