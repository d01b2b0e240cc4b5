//! A request to create an interaction.

use std::borrow::Cow;

use otel_genai::{
    Inference, InferenceRequest, InvokeAgent, Message, OperationName, OutputType, Part, Role, ToolDefinition,
};
use serde::de::{MapAccess, SeqAccess};

use super::super::parts::Many;
use super::super::request::output_type;
use super::super::without_folder;
use super::steps::Step;
use crate::call::Call;
use crate::detect::Route;
use crate::gather::{Room, owned};
use crate::json::{self, Lenient, Raw, object};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "agent" => agent: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "previous_interaction_id" | "previousInteractionId" => previous: Option<Cow<'a, str>>,
        "generation_config" | "generationConfig" => config: Option<Config<'a>>,
        "response_mime_type" | "responseMimeType" => media_type: Option<Cow<'a, str>>,
        "response_modalities" | "responseModalities" => modalities: Vec<Option<Cow<'a, str>>>,
        "response_format" | "responseFormat" => format: Many<Format<'a>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "system_instruction" | "systemInstruction" => system: Option<Cow<'a, str>>,
        "input" => input: Input<'a>,
        "tools" => tools: Vec<Option<Tool<'a>>>,
    }

    struct Config<'a> {
        "temperature" => temperature: Option<f64>,
        "top_p" | "topP" => top_p: Option<f64>,
        "top_k" | "topK" => top_k: Option<i64>,
        "max_output_tokens" | "maxOutputTokens" => max_tokens: Option<i64>,
        "stop_sequences" | "stopSequences" => stop_sequences: Vec<Option<Cow<'a, str>>>,
        "frequency_penalty" | "frequencyPenalty" => frequency_penalty: Option<f64>,
        "presence_penalty" | "presencePenalty" => presence_penalty: Option<f64>,
        "seed" => seed: Option<i64>,
        "thinking_level" | "thinkingLevel" => level: Option<Cow<'a, str>>,
    }

    /// A kind of output, or the schema of one.
    struct Format<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "mime_type" | "mimeType" => media_type: Option<Cow<'a, str>>,
    }

    struct Tool<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "parameters" => parameters: Raw<'a>,
    }
}

const CONFIG: Want = Want::Keep(16 << 10);
const FORMAT: Want = Want::Fields(&[("type", Want::Keep(256)), ("mime_type", Want::Keep(256))]);

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("agent", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("previous_interaction_id", Want::Keep(1024)),
    ("previousInteractionId", Want::Keep(1024)),
    ("generation_config", CONFIG),
    ("generationConfig", CONFIG),
    ("response_mime_type", Want::Keep(256)),
    ("responseMimeType", Want::Keep(256)),
    ("response_modalities", Want::Keep(1024)),
    ("responseModalities", Want::Keep(1024)),
    ("response_format", FORMAT),
    ("responseFormat", FORMAT),
]);

/// What is said to the model: a text, contents, or whole turns and steps.
#[derive(Debug, Default)]
pub(super) enum Input<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    Items(Vec<Step<'a>>),
}

impl<'de> Lenient<'de> for Input<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Input::Text(text)
    }
    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        Vec::list(items).map(Input::Items)
    }
    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        Step::object(fields).map(|step| Input::Items(vec![step]))
    }
}

/// Reads what a request says: a model is asked, or an agent.
pub(super) fn read(body: &[u8], route: &Route) -> Result<Call, serde_json::Error> {
    let request: Request<'_> = json::read(body)?;
    let Some(agent) = owned(request.agent.clone()).filter(|_| request.model.is_none()) else {
        let mut op = Inference::new(OperationName::GenerateContent, route.provider.clone());
        op.server = Some(route.server.clone());
        request.fill(&mut op.request);
        return Ok(op.into());
    };
    let mut op = InvokeAgent::default();
    op.remote = true;
    op.provider = Some(route.provider.clone());
    op.server = Some(route.server.clone());
    op.name = Some(agent);
    request.fill(&mut op.request);
    Ok(op.into())
}

impl Request<'_> {
    fn fill(self, request: &mut InferenceRequest) {
        request.output_type = self.output_type();
        request.model = self.model.as_deref().map(without_folder).filter(|model| !model.is_empty());
        request.stream = self.stream == Some(true);
        request.previous_response_id = owned(self.previous);
        if let Some(config) = self.config {
            request.temperature = config.temperature;
            request.top_p = config.top_p;
            request.top_k = config.top_k;
            request.max_tokens = config.max_tokens;
            request.stop_sequences =
                config.stop_sequences.into_iter().flatten().map(Cow::into_owned).collect();
            request.frequency_penalty = config.frequency_penalty;
            request.presence_penalty = config.presence_penalty;
            request.seed = config.seed;
            request.reasoning_level = owned(config.level);
        }
        request.system_instructions = owned(self.system).map(Part::text).into_iter().collect();
        request.input_messages = self.input.messages();
        request.tool_definitions = self.tools.into_iter().flatten().filter_map(Tool::definition).collect();
    }

    fn output_type(&self) -> Option<OutputType> {
        let kind = |kind: &str| self.format.0.iter().any(|format| format.kind.as_deref() == Some(kind));
        let media_type = self.format.0.iter().find_map(|format| format.media_type.as_deref());
        match output_type(self.media_type.as_deref().or(media_type), &self.modalities) {
            None if kind("audio") => Some(OutputType::Speech),
            None if kind("image") => Some(OutputType::Image),
            // The schema itself.
            None if kind("object") || kind("array") => Some(OutputType::Json),
            None if kind("text") => Some(OutputType::Text),
            output_type => output_type,
        }
    }
}

impl Input<'_> {
    /// Messages: what one side says in a row is one.
    fn messages(self) -> Vec<Message> {
        let items = match self {
            Input::None => return Vec::new(),
            Input::Text(text) => return vec![Message::user(text)],
            Input::Items(items) => items,
        };
        // What was asked has been held as a whole already.
        let mut room = Room::new(usize::MAX);
        let mut messages: Vec<Message> = Vec::new();
        for item in items {
            let is_turn = item.role.is_some();
            let role = item.role();
            let mut parts = Vec::new();
            item.parts(&mut room, &mut parts);
            match messages.last_mut() {
                _ if parts.is_empty() => {}
                Some(last) if last.role == role && role != Role::User && !is_turn => last.parts.extend(parts),
                Some(last) if last.role == role && parts.len() == 1 && !is_turn => last.parts.extend(parts),
                _ => messages.push(Message::new(role, parts)),
            }
        }
        messages
    }
}

impl Tool<'_> {
    /// The definition. Of a server of tools that is its name; how to reach it, and with which keys, is left out.
    fn definition(self) -> Option<ToolDefinition> {
        let kind = self.kind.unwrap_or_else(|| "function".into());
        let name = self.name.unwrap_or_else(|| kind.clone());
        let mut tool = ToolDefinition::new(kind, name);
        tool.description = self.description.map(Cow::into_owned);
        tool.parameters = self.parameters.value();
        Some(tool)
    }
}
