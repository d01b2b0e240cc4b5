//! A request.

use std::borrow::Cow;

use otel_genai::{Inference, Message, OutputType, Part, Role, ToolDefinition};

use super::block;
use crate::gather::owned;
use crate::json::{self, Content, Raw, object};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "top_k" => top_k: Option<i64>,
        "max_tokens" => max_tokens: Option<i64>,
        "stop_sequences" => stop_sequences: Vec<Option<Cow<'a, str>>>,
        "output_config" => output_config: Option<Output<'a>>,
        // The beta's name of `output_config.format`.
        "output_format" => output_format: Option<Kind<'a>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "system" => system: Content<'a>,
        "messages" => messages: Vec<Sent<'a>>,
        "tools" => tools: Vec<Tool<'a>>,
    }

    struct Output<'a> {
        "effort" => effort: Option<Cow<'a, str>>,
        "format" => format: Option<Kind<'a>>,
    }

    struct Kind<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Sent<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
    }

    struct Tool<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        // A set of tools has no name but that of the server that offers them.
        "mcp_server_name" => server: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "input_schema" => parameters: Raw<'a>,
    }
}

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("temperature", Want::Keep(64)),
    ("top_p", Want::Keep(64)),
    ("top_k", Want::Keep(64)),
    ("max_tokens", Want::Keep(64)),
    ("stop_sequences", Want::Keep(16 << 10)),
    (
        "output_config",
        Want::Fields(&[("effort", Want::Keep(256)), ("format", Want::Fields(&[("type", Want::Keep(256))]))]),
    ),
    ("output_format", Want::Fields(&[("type", Want::Keep(256))])),
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
        let (effort, format) =
            self.output_config.map_or((None, None), |output| (output.effort, output.format));
        request.reasoning_level = owned(effort);
        let format = format.or(self.output_format).and_then(|format| format.kind);
        request.output_type = (format.as_deref() == Some("json_schema")).then_some(OutputType::Json);
        request.system_instructions = parts(self.system);
        request.input_messages = self.messages.into_iter().filter_map(Sent::message).collect();
        request.tool_definitions = self.tools.into_iter().filter_map(Tool::definition).collect();
        let is_compacted =
            |message: &Message| message.parts.iter().any(|part| matches!(part, Part::Compaction(_)));
        // What stands before a summary is dropped by the provider.
        op.response.conversation_compacted = request.input_messages.iter().any(is_compacted);
    }
}

impl Sent<'_> {
    /// The message in the conventions' words; `None` if it says nothing at all.
    fn message(self) -> Option<Message> {
        let role: Role = self.role.as_deref().unwrap_or("user").into();
        let parts = parts(self.content);
        (!parts.is_empty()).then(|| Message::new(role, parts))
    }
}

fn parts(content: Content<'_>) -> Vec<Part> {
    match content {
        Content::None => Vec::new(),
        Content::Text(text) => vec![Part::text(text)],
        Content::List(items) => {
            let mut parts = Vec::with_capacity(items.len());
            items.into_iter().for_each(|item| block::parts(item, &mut parts));
            parts
        }
    }
}

impl Tool<'_> {
    fn definition(self) -> Option<ToolDefinition> {
        let kind = match self.kind.as_deref() {
            None | Some("custom") => "function",
            Some(kind) => kind,
        };
        let name = self.name.or(self.server).or_else(|| self.kind.clone())?;
        let mut tool = ToolDefinition::new(kind, name);
        tool.description = self.description.map(Cow::into_owned);
        tool.parameters = self.parameters.value();
        Some(tool)
    }
}
