//! A request.

use std::borrow::Cow;

use otel_genai::{Inference, Message, OutputType, Part, Role, ToolDefinition};
use serde_json::{Map, Value};

use crate::gather::{owned, tool_call};
use crate::json::{self, Given, Raw, object};
use crate::media;
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "conversation_id" => conversation_id: Option<Cow<'a, str>>,
        "temperature" => temperature: Option<f64>,
        "p" => top_p: Option<f64>,
        "k" => top_k: Option<i64>,
        "max_tokens" => max_tokens: Option<i64>,
        "stop_sequences" => stop_sequences: Vec<Option<Cow<'a, str>>>,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "presence_penalty" => presence_penalty: Option<f64>,
        "seed" => seed: Option<i64>,
        "response_format" => response_format: Option<Kind<'a>>,
        // The content: nothing of it but that it is there is left in the body where it is not wanted.
        "preamble" => preamble: Option<Cow<'a, str>>,
        "chat_history" => history: Vec<Option<Sent<'a>>>,
        "message" => message: Given<Option<Cow<'a, str>>>,
        "tools" => tools: Vec<Option<Tool<'a>>>,
        "tool_results" => tool_results: Vec<Option<Answered<'a>>>,
    }

    struct Kind<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Sent<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "message" => message: Option<Cow<'a, str>>,
        "tool_calls" => tool_calls: Vec<Option<ToolCall<'a>>>,
        "tool_results" => tool_results: Vec<Option<Answered<'a>>>,
    }

    /// A call of a tool, which has no id.
    struct ToolCall<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "parameters" => parameters: Raw<'a>,
    }

    struct Answered<'a> {
        "call" => call: Option<ToolCall<'a>>,
        "outputs" => outputs: Raw<'a>,
    }

    struct Tool<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "parameter_definitions" => parameters: Raw<'a>,
    }
}

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("conversation_id", Want::Keep(1024)),
    ("temperature", Want::Keep(64)),
    ("p", Want::Keep(64)),
    ("k", Want::Keep(64)),
    ("max_tokens", Want::Keep(64)),
    ("stop_sequences", Want::Keep(16 << 10)),
    ("frequency_penalty", Want::Keep(64)),
    ("presence_penalty", Want::Keep(64)),
    ("seed", Want::Keep(64)),
    ("response_format", Want::Fields(&[("type", Want::Keep(256))])),
    ("message", Want::Fields(&[])),
]);

/// Reads what a request says; whether it is one at all.
pub(super) fn read(body: &[u8], op: &mut Inference) -> Result<bool, serde_json::Error> {
    let request: Request<'_> = json::read(body)?;
    let is_call = request.message.is_given;
    request.fill(op);
    Ok(is_call)
}

impl Request<'_> {
    fn fill(self, op: &mut Inference) {
        op.conversation_id = owned(self.conversation_id);
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
        let format = self.response_format.and_then(|format| format.kind);
        request.output_type = (format.as_deref() == Some("json_object")).then_some(OutputType::Json);
        request.system_instructions.extend(self.preamble.map(Part::text));
        request.input_messages = self.history.into_iter().flatten().filter_map(Sent::message).collect();
        let results: Vec<Part> = self.tool_results.into_iter().flatten().map(Answered::part).collect();
        if !results.is_empty() {
            request.input_messages.push(Message::new(Role::Tool, results));
        }
        let message = self.message.value.filter(|message| !message.is_empty());
        request.input_messages.extend(message.map(Message::user));
        request.tool_definitions = self.tools.into_iter().flatten().filter_map(Tool::definition).collect();
    }
}

impl Sent<'_> {
    /// The message in the conventions' words; `None` if it says nothing at all.
    fn message(self) -> Option<Message> {
        let role: Role = match self.role.as_deref() {
            Some("CHATBOT" | "Chatbot") => Role::Assistant,
            Some(role) => role.to_ascii_lowercase().into(),
            None => Role::User,
        };
        let mut parts: Vec<Part> =
            self.message.filter(|text| !text.is_empty()).map(Part::text).into_iter().collect();
        parts.extend(self.tool_calls.into_iter().flatten().map(ToolCall::part));
        parts.extend(self.tool_results.into_iter().flatten().map(Answered::part));
        (!parts.is_empty()).then(|| Message::new(role, parts))
    }
}

impl ToolCall<'_> {
    pub(super) fn part(self) -> Part {
        tool_call(None, self.name.unwrap_or_default().into_owned(), self.parameters.value())
    }
}

impl Answered<'_> {
    fn part(self) -> Part {
        let outputs = self.outputs.value().map(media::value_without_secrets).unwrap_or_default();
        let mut part = Part::tool_call_response("", outputs);
        if let Part::ToolCallResponse(answered) = &mut part {
            answered.id = None;
            // Without ids, the name is all that tells which call this answers.
            let name = self.call.and_then(|call| call.name);
            answered.extra.extend(name.map(|name| ("name".to_owned(), Value::from(name.into_owned()))));
        }
        part
    }
}

impl Tool<'_> {
    fn definition(self) -> Option<ToolDefinition> {
        let mut tool = ToolDefinition::function(self.name?);
        tool.description = self.description.map(Cow::into_owned);
        // A schema's properties, not a schema.
        let properties = self.parameters.value().map(|properties| ("properties".to_owned(), properties));
        tool.parameters = properties.map(|properties| {
            let kind = ("type".to_owned(), Value::from("object"));
            Value::Object(Map::from_iter([kind, properties]))
        });
        Some(tool)
    }
}
