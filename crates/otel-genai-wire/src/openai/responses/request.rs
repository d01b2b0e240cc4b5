//! A request.

use std::borrow::Cow;

use otel_genai::{Inference, Message, OpenAiApiType, OutputType, Part, Prompt, ToolDefinition};
use serde::de::MapAccess;
use serde_json::Value;

use super::super::keep_own;
use super::content;
use super::item::Said;
use crate::gather::owned;
use crate::json::{self, Content, Lenient, Name, Raw, object, seed};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "max_output_tokens" => max_output_tokens: Option<i64>,
        // Not OpenAI's, but compatible servers take them.
        "top_k" => top_k: Option<i64>,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "presence_penalty" => presence_penalty: Option<f64>,
        "reasoning" => reasoning: Option<Reasoning<'a>>,
        "text" => text: Option<Text<'a>>,
        "service_tier" => service_tier: Option<Cow<'a, str>>,
        "previous_response_id" => previous_response_id: Option<Cow<'a, str>>,
        "conversation" => conversation: Id<'a>,
        "prompt" => prompt: Option<Template<'a>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "instructions" => instructions: Content<'a>,
        "input" => input: Content<'a>,
        "tools" => tools: Vec<Tool<'a>>,
    }

    struct Reasoning<'a> {
        "effort" => effort: Option<Cow<'a, str>>,
    }

    struct Text<'a> {
        "format" => format: Option<Kind<'a>>,
    }

    struct Kind<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Template<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "version" => version: Option<Cow<'a, str>>,
        "variables" => variables: Raw<'a>,
    }

    struct Tool<'a> {
        "type" => kind: Option<Cow<'a, str>>,
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
    ("top_p", Want::Keep(64)),
    ("max_output_tokens", Want::Keep(64)),
    ("top_k", Want::Keep(64)),
    ("frequency_penalty", Want::Keep(64)),
    ("presence_penalty", Want::Keep(64)),
    ("reasoning", Want::Fields(&[("effort", Want::Keep(256))])),
    ("text", Want::Fields(&[("format", Want::Fields(&[("type", Want::Keep(256))]))])),
    ("service_tier", Want::Keep(256)),
    ("previous_response_id", Want::Keep(1024)),
    ("conversation", Want::Keep(4096)),
    ("prompt", Want::Fields(&[("id", Want::Keep(1024)), ("version", Want::Keep(256))])),
]);

/// An id, or an object that has one.
#[derive(Debug, Default)]
pub(super) struct Id<'a>(pub(super) Option<Cow<'a, str>>);

impl<'de> Lenient<'de> for Id<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Id(Some(text))
    }
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        let mut id = None;
        while let Some(key) = fields.next_key::<Name<'de>>()? {
            let value: Raw<'de> = fields.next_value_seed(seed::<Raw<'de>>())?;
            if key.0 == "id" {
                id = value.to();
            }
        }
        Ok(Id(id))
    }
}

/// Reads what a request says.
pub(super) fn read(body: &[u8], op: &mut Inference) -> Result<(), serde_json::Error> {
    json::read::<Request<'_>>(&json::mended(body))?.fill(op);
    Ok(())
}

impl Request<'_> {
    fn fill(self, op: &mut Inference) {
        let request = &mut op.request;
        request.model = owned(self.model);
        request.stream = self.stream == Some(true);
        request.temperature = self.temperature;
        request.top_p = self.top_p;
        request.max_tokens = self.max_output_tokens;
        request.top_k = self.top_k;
        request.frequency_penalty = self.frequency_penalty;
        request.presence_penalty = self.presence_penalty;
        request.reasoning_level = owned(self.reasoning.and_then(|reasoning| reasoning.effort));
        let format = self.text.and_then(|text| text.format).and_then(|format| format.kind);
        request.output_type = match format.as_deref() {
            Some("json_object" | "json_schema") => Some(OutputType::Json),
            Some("text") => Some(OutputType::Text),
            _ => None,
        };
        request.previous_response_id = owned(self.previous_response_id);
        request.prompt = self.prompt.and_then(Template::prompt);
        request.system_instructions = instructions(self.instructions);
        request.input_messages = match self.input {
            Content::None => Vec::new(),
            Content::Text(text) => vec![Message::user(text)],
            Content::List(items) => {
                let mut messages = Vec::with_capacity(items.len());
                items.into_iter().filter_map(Said::read).for_each(|said| said.add_to(&mut messages, None));
                messages
            }
        };
        request.tool_definitions = self.tools.into_iter().filter_map(Tool::definition).collect();
        let mut parts = request.input_messages.iter().flat_map(|message| &message.parts);
        // What stands before a summary is dropped by the provider.
        op.response.conversation_compacted = parts.any(|part| matches!(part, Part::Compaction(_)));
        op.conversation_id = owned(self.conversation.0);
        op.openai.request_service_tier = owned(self.service_tier);
        op.openai.api_type = Some(OpenAiApiType::Responses);
        keep_own(&op.provider, &mut op.openai);
    }
}

/// Instructions, which a stored answer may tell as items.
pub(super) fn instructions(content: Content<'_>) -> Vec<Part> {
    match content {
        Content::List(items) => items.into_iter().filter_map(Said::read).flat_map(Said::into_parts).collect(),
        content => content::parts(content),
    }
}

/// Tools, as a stored answer tells them, too.
pub(crate) fn tools(tools: Raw<'_>) -> Vec<ToolDefinition> {
    tools.to::<Vec<Tool<'_>>>().into_iter().filter_map(Tool::definition).collect()
}

impl Template<'_> {
    pub(crate) fn prompt(self) -> Option<Prompt> {
        let mut prompt = Prompt::new(owned(self.id)?);
        prompt.version = owned(self.version);
        if let Some(Value::Object(variables)) = self.variables.value() {
            let texts = variables.into_iter().filter_map(|(name, value)| match value {
                Value::String(text) => Some((name, text)),
                // A text as a piece of content; images and files are no text.
                value => Some((name, value.get("text")?.as_str()?.to_owned())),
            });
            prompt.variables = texts.collect();
        }
        Some(prompt)
    }
}

impl Tool<'_> {
    /// A tool of the provider's own has its type for a name.
    fn definition(self) -> Option<ToolDefinition> {
        let kind = self.kind.as_deref().unwrap_or("function");
        let name = self.name.as_deref().or(self.kind.as_deref())?;
        let mut tool = ToolDefinition::new(kind, name);
        tool.description = self.description.map(Cow::into_owned);
        tool.parameters = self.parameters.value();
        Some(tool)
    }
}
