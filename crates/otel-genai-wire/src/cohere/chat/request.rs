//! A request.

use std::borrow::Cow;

use otel_genai::{Inference, Message, Modality, OutputType, Part, Role, ToolDefinition};
use serde_json::Value;

use crate::gather::{owned, parse_arguments, tool_call};
use crate::json::{self, Content, Raw, object};
use crate::media;
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "temperature" => temperature: Option<f64>,
        "p" => top_p: Option<f64>,
        "k" => top_k: Option<i64>,
        "max_tokens" => max_tokens: Option<i64>,
        "stop_sequences" => stop_sequences: Vec<Option<Cow<'a, str>>>,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "presence_penalty" => presence_penalty: Option<f64>,
        "seed" => seed: Option<i64>,
        "response_format" => response_format: Option<Kind<'a>>,
        "reasoning_effort" => effort: Option<Cow<'a, str>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "messages" => messages: Vec<Option<Sent<'a>>>,
        "tools" => tools: Vec<Option<Tool<'a>>>,
    }

    struct Kind<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Sent<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
        "tool_plan" => tool_plan: Option<Cow<'a, str>>,
        "tool_calls" => tool_calls: Vec<Option<ToolCall<'a>>>,
        "tool_call_id" => tool_call_id: Option<Cow<'a, str>>,
        // Of an answer.
        "citations" => citations: Vec<Raw<'a>>,
    }

    /// A part of a message, of a request or of an answer.
    struct Item<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "text" => text: Option<Cow<'a, str>>,
        "thinking" => thinking: Option<Cow<'a, str>>,
        "image_url" => image: Option<Image<'a>>,
    }

    struct Image<'a> {
        "url" => url: Option<Cow<'a, str>>,
    }

    struct ToolCall<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "function" => function: Option<Function<'a>>,
    }

    struct Function<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "arguments" => arguments: Option<Cow<'a, str>>,
    }

    struct Tool<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "function" => function: Option<Definition<'a>>,
    }

    struct Definition<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "parameters" => parameters: Raw<'a>,
    }
}

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("temperature", Want::Keep(64)),
    ("p", Want::Keep(64)),
    ("k", Want::Keep(64)),
    ("max_tokens", Want::Keep(64)),
    ("stop_sequences", Want::Keep(16 << 10)),
    ("frequency_penalty", Want::Keep(64)),
    ("presence_penalty", Want::Keep(64)),
    ("seed", Want::Keep(64)),
    ("response_format", Want::Fields(&[("type", Want::Keep(256))])),
    ("reasoning_effort", Want::Keep(256)),
]);

/// Reads what a request says.
pub(super) fn read(body: &[u8], op: &mut Inference) -> Result<(), serde_json::Error> {
    json::read::<Request<'_>>(body)?.fill(op);
    Ok(())
}

impl Request<'_> {
    fn fill(self, op: &mut Inference) {
        let request = &mut op.request;
        request.model = owned(self.model);
        request.stream = self.stream == Some(true);
        request.temperature = self.temperature;
        request.top_p = self.top_p;
        request.top_k = self.top_k;
        request.max_tokens = self.max_tokens;
        request.stop_sequences = self.stop_sequences.into_iter().flatten().map(Cow::into_owned).collect();
        request.frequency_penalty = self.frequency_penalty;
        request.presence_penalty = self.presence_penalty;
        request.seed = self.seed;
        request.reasoning_level = owned(self.effort);
        let format = self.response_format.and_then(|format| format.kind);
        request.output_type = match format.as_deref() {
            Some("json_object") => Some(OutputType::Json),
            Some("text") => Some(OutputType::Text),
            _ => None,
        };
        request.input_messages = self.messages.into_iter().flatten().filter_map(Sent::message).collect();
        request.tool_definitions = self.tools.into_iter().flatten().filter_map(Tool::definition).collect();
    }
}

impl Sent<'_> {
    /// The message in the conventions' words; `None` if it says nothing at all.
    pub(super) fn message(self) -> Option<Message> {
        let role: Role = self.role.as_deref().unwrap_or("user").into();
        let parts = match role {
            Role::Tool => vec![self.result()],
            _ => self.parts(),
        };
        (!parts.is_empty()).then(|| Message::new(role, parts))
    }

    /// What the message says: first what is planned, then what is said, then what is called.
    pub(super) fn parts(self) -> Vec<Part> {
        let mut parts = Vec::new();
        parts.extend(self.tool_plan.filter(|plan| !plan.is_empty()).map(Part::reasoning));
        match self.content {
            Content::None => {}
            Content::Text(text) => parts.push(Part::text(text)),
            Content::List(items) => parts.extend(items.into_iter().filter_map(part)),
        }
        parts.extend(self.tool_calls.into_iter().flatten().filter_map(ToolCall::part));
        parts
    }

    fn result(self) -> Part {
        let response = match self.content {
            Content::None => Value::Null,
            Content::Text(text) => text.into_owned().into(),
            Content::List(items) => items.into_iter().filter_map(result_item).collect(),
        };
        let mut part = Part::tool_call_response("", response);
        if let Part::ToolCallResponse(answered) = &mut part {
            answered.id = owned(self.tool_call_id);
        }
        part
    }
}

fn part(item: Raw<'_>) -> Option<Part> {
    let known: Item<'_> = item.to::<Option<Item<'_>>>()?;
    match known.kind.as_deref() {
        Some("text") | None => Some(Part::text(known.text?)),
        Some("thinking") => Some(Part::reasoning(known.thinking?)),
        Some("image_url") => media::at(Modality::Image, &known.image?.url?),
        Some(kind) => {
            let Value::Object(mut properties) = media::value_without_secrets(item.value()?) else {
                return None;
            };
            properties.remove("type");
            Some(Part::generic(kind, properties))
        }
    }
}

/// An item of what a tool answered: a text, or a document.
fn result_item(item: Raw<'_>) -> Option<Value> {
    let mut item = item.value()?;
    let document = item.get_mut("document").filter(|document| !document.is_null()).map(Value::take);
    Some(media::value_without_secrets(document.unwrap_or(item)))
}

impl ToolCall<'_> {
    fn part(self) -> Option<Part> {
        let function = self.function?;
        let arguments = function.arguments.and_then(|arguments| parse_arguments(arguments.into_owned()));
        Some(tool_call(owned(self.id), function.name.unwrap_or_default().into_owned(), arguments))
    }
}

impl Tool<'_> {
    fn definition(self) -> Option<ToolDefinition> {
        let function = self.function?;
        let mut tool = ToolDefinition::new(self.kind.unwrap_or("function".into()), function.name?);
        tool.description = function.description.map(Cow::into_owned);
        tool.parameters = function.parameters.value();
        Some(tool)
    }
}
