//! `v1.30`: what OpenTelemetry's first OpenAI instrumentation emitted (`opentelemetry-instrumentation-openai-v2`, in
//! its default mode): semantic conventions 1.30, with `gen_ai.system`, and an event for each message.
//!
//! Content stands in the events' bodies alone, never on spans. The events are there without it too: they tell how
//! many messages there were and which tools were called. It knows model calls and embeddings; the other operations
//! are told under LoongSuite's names.

use std::borrow::Cow;

use opentelemetry::Key;
use opentelemetry::logs::AnyValue;
use opentelemetry::trace::SpanKind;
use otel_genai_semconv::attribute::*;
// The instrumentation took its metrics from the utilities that LoongSuite's are made of.
use otel_genai_semconv::metric::definition::loongsuite::*;
use otel_genai_semconv::{event, schema_url};

use super::Told;
use super::describe::{
    Convention, Description, Event, Measures, Name, Point, Row, Unless, any_failure, count, duration, end,
    start,
};
use crate::capture::Capture;
use crate::content::Pipeline;
use crate::message::{FinishReason, Message, Modality, Part, Role, ToolCallPart, ToolCallResponsePart};
use crate::operation::{Fact, Field, Kind};
use crate::signal::{Record, any_value};

pub(super) static CONVENTION: Convention = Convention {
    schema_url: schema_url::V1_30,
    capture_by_convention: Capture::EventOnly,
    needs_opt_in: false,
    always_events: true,
    exception: None,
    evaluation: None,
    is_error: any_failure,
    operations: &[(Kind::Inference, INFERENCE), (Kind::Embeddings, EMBEDDINGS)],
};

/// Who is asked for what, and where. "If not default (443)", says the convention of the port.
const IDENTITY: &[Row] = &[
    start(GEN_AI_OPERATION_NAME, Field::OperationName),
    start(GEN_AI_SYSTEM, Field::System),
    start(GEN_AI_REQUEST_MODEL, Field::RequestModel),
    start(SERVER_ADDRESS, Field::ServerAddress),
    start(SERVER_PORT, Field::ServerPort).unless(Unless::DefaultPort),
];

/// What all metrics share.
const METRIC: &[&[Row]] = &[
    IDENTITY,
    &[
        end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
        end(GEN_AI_OPENAI_RESPONSE_SERVICE_TIER, Field::OpenAiResponseServiceTier),
        end(GEN_AI_OPENAI_RESPONSE_SYSTEM_FINGERPRINT, Field::OpenAiSystemFingerprint),
    ],
];

const DURATION: Point = duration(&GEN_AI_CLIENT_OPERATION_DURATION);
const INPUT: Point =
    count(&GEN_AI_CLIENT_TOKEN_USAGE, Field::InputTokens, Some((GEN_AI_TOKEN_TYPE, "input")));
const OUTPUT: Point =
    count(&GEN_AI_CLIENT_TOKEN_USAGE, Field::OutputTokens, Some((GEN_AI_TOKEN_TYPE, "output")));

/// A call of a model.
const INFERENCE: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::RequestModel]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        &[
            end(GEN_AI_REQUEST_TEMPERATURE, Field::Temperature),
            end(GEN_AI_REQUEST_TOP_P, Field::TopP),
            end(GEN_AI_REQUEST_TOP_K, Field::TopKFloat),
            end(GEN_AI_REQUEST_MAX_TOKENS, Field::MaxTokens),
            end(GEN_AI_REQUEST_PRESENCE_PENALTY, Field::PresencePenalty),
            end(GEN_AI_REQUEST_FREQUENCY_PENALTY, Field::FrequencyPenalty),
            end(GEN_AI_REQUEST_SEED, Field::Seed),
            end(GEN_AI_REQUEST_CHOICE_COUNT, Field::ChoiceCount).unless(Unless::One),
            end(GEN_AI_REQUEST_STOP_SEQUENCES, Field::StopSequences),
            end(GEN_AI_OPENAI_REQUEST_RESPONSE_FORMAT, Field::OpenAiResponseFormat),
            end(GEN_AI_OPENAI_REQUEST_SERVICE_TIER, Field::OpenAiRequestServiceTier).unless(Unless::Auto),
            end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
            end(GEN_AI_RESPONSE_FINISH_REASONS, Field::FinishReasons),
            end(GEN_AI_RESPONSE_ID, Field::ResponseId),
            end(GEN_AI_USAGE_INPUT_TOKENS, Field::InputTokens),
            end(GEN_AI_USAGE_OUTPUT_TOKENS, Field::OutputTokens),
            end(GEN_AI_OPENAI_RESPONSE_SERVICE_TIER, Field::OpenAiResponseServiceTier),
        ],
    ],
    event: Event::Custom(events),
    measures: &[Measures { attributes: METRIC, points: &[INPUT, OUTPUT, DURATION] }],
    chunks: None,
};

/// Text into vectors.
const EMBEDDINGS: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::RequestModel]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        &[
            end(GEN_AI_EMBEDDINGS_DIMENSION_COUNT, Field::DimensionCount),
            end(GEN_AI_REQUEST_ENCODING_FORMATS, Field::EncodingFormats),
            end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
            end(GEN_AI_USAGE_INPUT_TOKENS, Field::InputTokens),
        ],
    ],
    event: Event::None,
    measures: &[Measures { attributes: METRIC, points: &[INPUT, DURATION] }],
    chunks: None,
};

/// One event for each message given to the model, and one for each choice of its answer.
fn events(told: &Told<'_>, with_content: bool, pipeline: &Pipeline) -> Vec<Record> {
    let events = Events { told, with_content };
    let mut records = Vec::new();
    let instructions = told.fact(Field::SystemInstructions).map(|fact| pipeline.fit(fact));
    if let Some(instructions) = instructions.as_ref().and_then(parts) {
        records.push(events.record(event::GEN_AI_SYSTEM_MESSAGE, events.content(instructions)));
    }
    for message in messages(told, Field::InputMessages, pipeline).iter() {
        events.history(message, &mut records);
    }
    let answers = messages(told, Field::OutputMessages, pipeline);
    let reasons = match told.fact(Field::FinishReasons) {
        Some(Fact::Texts(reasons)) => reasons,
        _ => Cow::Borrowed(&[] as &[String]),
    };
    for choice in 0..answers.len().max(reasons.len()) {
        let reason = reasons.get(choice).map(String::as_str);
        records.push(events.choice(choice, reason, answers.get(choice)));
    }
    records
}

fn parts<'a>(fact: &'a Fact<'_>) -> Option<&'a [Part]> {
    match fact {
        Fact::Parts(parts) => Some(parts),
        Fact::OwnedParts(parts) => Some(parts),
        _ => None,
    }
}

fn messages<'a>(told: &Told<'a>, field: Field, pipeline: &Pipeline) -> Cow<'a, [Message]> {
    match told.fact(field).map(|fact| pipeline.fit(fact)) {
        Some(Fact::Messages(messages)) => messages,
        _ => Cow::Borrowed(&[]),
    }
}

/// Makes events of messages.
struct Events<'a> {
    told: &'a Told<'a>,
    with_content: bool,
}

/// What a body says, in order.
type Body = Vec<(&'static str, AnyValue)>;

impl Events<'_> {
    fn record(&self, name: &'static str, body: Body) -> Record {
        let system = self.told.word(Field::System).unwrap_or_default().into_owned();
        Record {
            name,
            severity: None,
            attributes: vec![(Key::from_static_str(GEN_AI_SYSTEM), system.into())],
            body: (!body.is_empty()).then(|| map(body)),
        }
    }

    /// A message of the history. The answers of tools are messages of their own, wherever the provider's API has them.
    fn history(&self, message: &Message, records: &mut Vec<Record>) {
        let before = records.len();
        for part in &message.parts {
            if let Part::ToolCallResponse(answer) = part {
                records.push(self.tool_answer(&message.role, answer));
            }
        }
        let has_answers = records.len() > before;
        let (name, usual) = match &message.role {
            Role::System => (event::GEN_AI_SYSTEM_MESSAGE, true),
            Role::Assistant => (event::GEN_AI_ASSISTANT_MESSAGE, true),
            Role::Tool => (event::GEN_AI_TOOL_MESSAGE, true),
            Role::User => (event::GEN_AI_USER_MESSAGE, true),
            // The instrumentation made the name of the role, whatever it was; these were OpenAI's.
            role if role.as_str() == "developer" => ("gen_ai.developer.message", true),
            role if role.as_str() == "function" => ("gen_ai.function.message", true),
            _ => (event::GEN_AI_USER_MESSAGE, false),
        };
        let is_more = |part: &Part| !matches!(part, Part::ToolCallResponse(_));
        if has_answers && !message.parts.iter().any(is_more) {
            return;
        }
        let mut body = self.content(&message.parts);
        if !usual {
            body.push(("role", message.role.as_str().to_owned().into()));
        }
        body.extend(self.tool_calls(message));
        records.push(self.record(name, body));
    }

    fn tool_answer(&self, role: &Role, answer: &ToolCallResponsePart) -> Record {
        let mut body = Body::new();
        let is_empty = answer.response.is_null() || answer.response.as_str() == Some("");
        if self.with_content && !is_empty {
            body.extend(any_value(&answer.response).map(|content| ("content", content)));
        }
        if *role != Role::Tool {
            body.push(("role", role.as_str().to_owned().into()));
        }
        body.extend(answer.id.clone().map(|id| ("id", id.into())));
        self.record(event::GEN_AI_TOOL_MESSAGE, body)
    }

    fn choice(&self, index: usize, reason: Option<&str>, message: Option<&Message>) -> Record {
        let of_message = || message?.finish_reason.as_ref().map(FinishReason::as_str);
        let reason = match reason.filter(|reason| !reason.is_empty()).or_else(of_message) {
            // The word of that time.
            Some("tool_call") => "tool_calls",
            Some(reason) => reason,
            // None came.
            None => "error",
        };
        let mut body: Body = vec![
            ("index", AnyValue::Int(i64::try_from(index).unwrap_or(i64::MAX))),
            ("finish_reason", reason.to_owned().into()),
        ];
        if let Some(message) = message {
            let mut said: Body = vec![("role", message.role.as_str().to_owned().into())];
            said.extend(self.content(&message.parts));
            said.extend(self.tool_calls(message));
            body.push(("message", map(said)));
        }
        self.record(event::GEN_AI_CHOICE, body)
    }

    /// What is said: a text, or a list where it is more than that.
    fn content(&self, parts: &[Part]) -> Body {
        let said: Vec<&Part> = parts.iter().filter(|part| self.with_content && is_said(part)).collect();
        let content = match said.as_slice() {
            [] => return Body::new(),
            [Part::Text(text)] if text.content.is_empty() => return Body::new(),
            [Part::Text(text)] => Some(text.content.clone().into()),
            parts => Some(parts.iter().filter_map(|part| item(part)).collect()),
        };
        content.map(|content| ("content", content)).into_iter().collect()
    }

    fn tool_calls(&self, message: &Message) -> Body {
        let calls = message.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(self.tool_call(call)),
            _ => None,
        });
        let calls: Vec<AnyValue> = calls.collect();
        if calls.is_empty() { Body::new() } else { vec![("tool_calls", calls.into_iter().collect())] }
    }

    /// The arguments are a text, as they were sent.
    fn tool_call(&self, call: &ToolCallPart) -> AnyValue {
        let mut function: Body = vec![("name", call.name.clone().into())];
        let arguments = match &call.arguments {
            Some(serde_json::Value::String(text)) => Some(text.replace('\n', "")),
            Some(arguments) => serde_json::to_string(arguments).ok(),
            None => None,
        };
        function
            .extend(arguments.filter(|_| self.with_content).map(|arguments| ("arguments", arguments.into())));
        let mut body = Body::new();
        body.extend(call.id.clone().map(|id| ("id", id.into())));
        body.extend([("type", "function".into()), ("function", map(function))]);
        map(body)
    }
}

fn map(body: Body) -> AnyValue {
    body.into_iter().collect()
}

/// Whether the part is content; tools are told apart, and that time knew neither reasoning nor the provider's own tools.
fn is_said(part: &Part) -> bool {
    matches!(part, Part::Text(_) | Part::Blob(_) | Part::File(_) | Part::Uri(_) | Part::Generic(_))
}

/// A part of content in the words of OpenAI's API, which is what the instrumentation recorded.
fn item(part: &Part) -> Option<AnyValue> {
    let typed = |kind: &'static str, what: &'static str, content: AnyValue| {
        map(vec![("type", kind.into()), (what, content)])
    };
    match part {
        Part::Text(text) => Some(typed("text", "text", text.content.clone().into())),
        Part::Uri(uri) => Some(typed("image_url", "image_url", map(vec![("url", uri.uri.clone().into())]))),
        Part::File(file) => Some(typed("file", "file", map(vec![("file_id", file.file_id.clone().into())]))),
        Part::Blob(blob) if blob.modality == Modality::Audio => {
            let mut audio: Body = vec![("data", blob.content.clone().into())];
            let format = blob.mime_type.as_deref().and_then(|mime| mime.strip_prefix("audio/"));
            let format = format.map(|format| if format == "mpeg" { "mp3" } else { format });
            audio.extend(format.map(|format| ("format", format.to_owned().into())));
            Some(typed("input_audio", "input_audio", map(audio)))
        }
        Part::Blob(blob) => {
            let mime = blob.mime_type.as_deref().unwrap_or("application/octet-stream");
            let url = format!("data:{mime};base64,{}", blob.content).into();
            Some(match blob.modality {
                Modality::Image => typed("image_url", "image_url", map(vec![("url", url)])),
                _ => typed("file", "file", map(vec![("file_data", url)])),
            })
        }
        other => any_value(other),
    }
}
