//! `2026-08`: semantic-conventions-genai as the official conformance suite pins it (August 2026).

use std::borrow::Cow;
use std::time::Duration;

use opentelemetry::trace::SpanKind;
use opentelemetry::{Key, KeyValue};
use otel_genai_semconv::attribute::*;
use otel_genai_semconv::metric::Metric;
use otel_genai_semconv::metric::definition::{
    GEN_AI_CLIENT_OPERATION_DURATION, GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK,
    GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK, GEN_AI_CLIENT_TOKEN_USAGE,
};
use otel_genai_semconv::value::{FinishReason, OperationName, ProviderName};
use otel_genai_semconv::{event, schema_url};

use super::{Attributes, Chunks, Content, Convention, Describe, Measurements, Scalar};
use crate::capture::Capture;
use crate::failure::Failure;
use crate::message::Message;
use crate::operation::{Embeddings, Inference, Server};

pub(super) struct V2026_08;

impl Convention for V2026_08 {
    fn schema_url(&self) -> &'static str {
        schema_url::V2026_08
    }

    fn capture_by_convention(&self) -> Capture {
        Capture::SpanAndEvent
    }

    fn metrics(&self) -> &'static [&'static Metric] {
        &[
            &GEN_AI_CLIENT_OPERATION_DURATION,
            &GEN_AI_CLIENT_TOKEN_USAGE,
            &GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
            &GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK,
        ]
    }

    fn exception_event(&self) -> Option<&'static str> {
        Some(event::GEN_AI_CLIENT_OPERATION_EXCEPTION)
    }
}

/// Span *Inference* (`gen_ai.inference.client`).
impl Describe<Inference> for V2026_08 {
    fn span_name(&self, op: &Inference) -> Cow<'static, str> {
        span_name(&op.operation, op.request.model.as_deref())
    }

    fn span_kind(&self, _: &Inference) -> SpanKind {
        SpanKind::Client
    }

    fn identity<'a>(&self, op: &'a Inference) -> Vec<(&'static str, Scalar<'a>)> {
        identity(&op.operation, &op.provider, op.request.model.as_deref(), op.server.as_ref())
    }

    fn end(&self, op: &Inference, _: Option<&Failure>, out: &mut Attributes) {
        let request = &op.request;
        out.text(GEN_AI_CONVERSATION_ID, op.conversation_id.as_ref());
        out.word(GEN_AI_OUTPUT_TYPE, request.output_type.as_ref());
        if let Some(prompt) = &request.prompt {
            out.set(GEN_AI_PROMPT_NAME, prompt.name.clone());
            out.text(GEN_AI_PROMPT_VERSION, prompt.version.as_ref());
        }
        // "If available, in the request, and !=1."
        out.some(GEN_AI_REQUEST_CHOICE_COUNT, request.choice_count.filter(|count| *count != 1));
        out.some(GEN_AI_REQUEST_SEED, request.seed);
        // Unset means non-streaming; never false.
        out.some(GEN_AI_REQUEST_STREAM, request.stream.then_some(true));
        out.some(GEN_AI_REQUEST_TOP_K, request.top_k);
        out.some(GEN_AI_REQUEST_FREQUENCY_PENALTY, request.frequency_penalty);
        out.some(GEN_AI_REQUEST_MAX_TOKENS, request.max_tokens);
        out.some(GEN_AI_REQUEST_PRESENCE_PENALTY, request.presence_penalty);
        out.text(GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID, request.previous_response_id.as_ref());
        out.text(GEN_AI_REQUEST_REASONING_LEVEL, request.reasoning_level.as_ref());
        out.texts(GEN_AI_REQUEST_STOP_SEQUENCES, &request.stop_sequences);
        out.some(GEN_AI_REQUEST_TEMPERATURE, request.temperature);
        out.some(GEN_AI_REQUEST_TOP_P, request.top_p);

        let response = &op.response;
        // Set true only, never false.
        out.some(GEN_AI_CONVERSATION_COMPACTED, response.conversation_compacted.then_some(true));
        out.texts(GEN_AI_RESPONSE_FINISH_REASONS, &response.finish_reasons);
        out.text(GEN_AI_RESPONSE_ID, response.id.as_ref());
        out.text(GEN_AI_RESPONSE_MODEL, response.model.as_ref());
        out.some(
            GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
            response.time_to_first_chunk.map(|time| time.as_secs_f64()),
        );

        let usage = &op.usage;
        out.count(GEN_AI_USAGE_INPUT_TOKENS, usage.input_tokens);
        out.count(GEN_AI_USAGE_OUTPUT_TOKENS, usage.output_tokens);
        // "When applicable": a provider that reports zero here says that nothing was cached or reasoned.
        let applicable = |count: Option<u64>| count.filter(|count| *count != 0);
        out.count(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, applicable(usage.cache_read_input_tokens));
        out.count(GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS, applicable(usage.cache_write_input_tokens));
        out.count(GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, applicable(usage.reasoning_output_tokens));

        out.word(OPENAI_API_TYPE, op.openai.api_type.as_ref());
        // "If the request includes a service_tier and the value is not 'auto'."
        out.text(
            OPENAI_REQUEST_SERVICE_TIER,
            op.openai.request_service_tier.as_ref().filter(|tier| *tier != "auto"),
        );
        openai_response(op, out);
    }

    fn content<'a>(&self, op: &'a Inference, failure: Option<&Failure>, out: &mut Vec<(Key, Content<'a>)>) {
        let request = &op.request;
        if !request.system_instructions.is_empty() {
            out.push((GEN_AI_SYSTEM_INSTRUCTIONS.into(), Content::Parts(&request.system_instructions)));
        }
        if !request.input_messages.is_empty() {
            out.push((
                GEN_AI_INPUT_MESSAGES.into(),
                Content::Messages(Cow::Borrowed(&request.input_messages)),
            ));
        }
        if !op.response.output_messages.is_empty() {
            let messages = with_finish_reasons(&op.response.output_messages, failure);
            out.push((GEN_AI_OUTPUT_MESSAGES.into(), Content::Messages(messages)));
        }
        if !request.tool_definitions.is_empty() {
            out.push((GEN_AI_TOOL_DEFINITIONS.into(), Content::Tools(&request.tool_definitions)));
        }
        for (name, value) in request.prompt.iter().flat_map(|prompt| &prompt.variables) {
            out.push((format!("{GEN_AI_PROMPT_VARIABLE}.{name}").into(), Content::Text(value)));
        }
    }

    fn event(&self, _: &Inference) -> Option<&'static str> {
        Some(event::GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS)
    }

    fn measure(
        &self,
        op: &Inference,
        identity: &[KeyValue],
        duration: Duration,
        failure: Option<&Failure>,
    ) -> Measurements {
        let mut attributes = metric_attributes(identity, op.response.model.as_ref());
        openai_response(op, &mut attributes);
        attributes.0.extend_from_slice(&op.metric_attributes);
        measurements(attributes, op.usage.input_tokens, op.usage.output_tokens, duration, failure)
    }

    fn chunks(&self, op: &Inference, identity: &[KeyValue]) -> Option<Chunks> {
        let mut attributes = metric_attributes(identity, op.response.model.as_ref()).0;
        attributes.extend_from_slice(&op.metric_attributes);
        Some(Chunks {
            first: &GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
            following: &GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK,
            attributes,
            complete: op.response.model.is_some(),
        })
    }

    fn custom<'a>(&self, op: &'a Inference) -> &'a [KeyValue] {
        &op.attributes
    }
}

/// Span *Embeddings* (`gen_ai.embeddings.client`).
impl Describe<Embeddings> for V2026_08 {
    fn span_name(&self, op: &Embeddings) -> Cow<'static, str> {
        span_name(&OperationName::Embeddings, op.model.as_deref())
    }

    fn span_kind(&self, _: &Embeddings) -> SpanKind {
        SpanKind::Client
    }

    fn identity<'a>(&self, op: &'a Embeddings) -> Vec<(&'static str, Scalar<'a>)> {
        identity(&OperationName::Embeddings, &op.provider, op.model.as_deref(), op.server.as_ref())
    }

    fn end(&self, op: &Embeddings, _: Option<&Failure>, out: &mut Attributes) {
        out.some(GEN_AI_EMBEDDINGS_DIMENSION_COUNT, op.dimension_count);
        out.texts(GEN_AI_REQUEST_ENCODING_FORMATS, &op.encoding_formats);
        out.text(GEN_AI_RESPONSE_MODEL, op.response_model.as_ref());
        out.count(GEN_AI_USAGE_INPUT_TOKENS, op.input_tokens);
    }

    fn content<'a>(&self, _: &'a Embeddings, _: Option<&Failure>, _: &mut Vec<(Key, Content<'a>)>) {}

    fn event(&self, _: &Embeddings) -> Option<&'static str> {
        None
    }

    fn measure(
        &self,
        op: &Embeddings,
        identity: &[KeyValue],
        duration: Duration,
        failure: Option<&Failure>,
    ) -> Measurements {
        let mut attributes = metric_attributes(identity, op.response_model.as_ref());
        attributes.0.extend_from_slice(&op.metric_attributes);
        measurements(attributes, op.input_tokens, None, duration, failure)
    }

    fn chunks(&self, _: &Embeddings, _: &[KeyValue]) -> Option<Chunks> {
        None
    }

    fn custom<'a>(&self, op: &'a Embeddings) -> &'a [KeyValue] {
        &op.attributes
    }
}

/// `{operation} {model}`, or the operation alone.
fn span_name(operation: &OperationName, model: Option<&str>) -> Cow<'static, str> {
    match model.filter(|model| !model.is_empty()) {
        Some(model) => format!("{operation} {model}").into(),
        None => operation.clone().into(),
    }
}

/// Who is asked for what, where: the sampling-relevant attributes, which every metric carries too.
fn identity<'a>(
    operation: &OperationName,
    provider: &ProviderName,
    model: Option<&'a str>,
    server: Option<&'a Server>,
) -> Vec<(&'static str, Scalar<'a>)> {
    let mut out = Vec::with_capacity(5);
    out.push((GEN_AI_OPERATION_NAME, Scalar::Word(operation.clone().into())));
    out.push((GEN_AI_PROVIDER_NAME, Scalar::Word(provider.clone().into())));
    if let Some(model) = model.filter(|model| !model.is_empty()) {
        out.push((GEN_AI_REQUEST_MODEL, Scalar::Text(model)));
    }
    if let Some(server) = server {
        out.push((SERVER_ADDRESS, Scalar::Text(&server.address)));
        out.extend(server.port.map(|port| (SERVER_PORT, Scalar::Int(port.into()))));
    }
    out
}

/// The attributes that all metrics share.
fn metric_attributes(identity: &[KeyValue], response_model: Option<&String>) -> Attributes {
    let mut attributes = Attributes::with_capacity(identity.len() + 4);
    attributes.0.extend_from_slice(identity);
    attributes.text(GEN_AI_RESPONSE_MODEL, response_model);
    attributes
}

fn openai_response(op: &Inference, out: &mut Attributes) {
    out.text(OPENAI_RESPONSE_SERVICE_TIER, op.openai.response_service_tier.as_ref());
    out.text(OPENAI_RESPONSE_SYSTEM_FINGERPRINT, op.openai.system_fingerprint.as_ref());
}

/// Token usage by type, and the duration, which alone tells of an error.
fn measurements(
    attributes: Attributes,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    duration: Duration,
    failure: Option<&Failure>,
) -> Measurements {
    let mut points = Vec::with_capacity(3);
    for (kind, count) in [("input", input_tokens), ("output", output_tokens)] {
        if let Some(count) = count {
            let kind = KeyValue::new(GEN_AI_TOKEN_TYPE, kind);
            // Token counts are far below 2^53.
            points.push((&GEN_AI_CLIENT_TOKEN_USAGE, count as f64, Some(kind)));
        }
    }
    let error = failure.map(|failure| KeyValue::new(ERROR_TYPE, failure.error_type.clone()));
    points.push((&GEN_AI_CLIENT_OPERATION_DURATION, duration.as_secs_f64(), error));
    Measurements { attributes: attributes.0, points }
}

/// The schema of output messages at this pin requires a finish reason. A message without one was cut off if the call
/// failed, and is otherwise what a handler's user left out.
fn with_finish_reasons<'a>(messages: &'a [Message], failure: Option<&Failure>) -> Cow<'a, [Message]> {
    if messages.iter().all(|message| message.finish_reason.is_some()) {
        return Cow::Borrowed(messages);
    }
    let reason = if failure.is_some() { FinishReason::Error } else { FinishReason::Stop };
    let complete = messages.iter().cloned().map(|mut message| {
        message.finish_reason.get_or_insert_with(|| reason.clone());
        message
    });
    Cow::Owned(complete.collect())
}
