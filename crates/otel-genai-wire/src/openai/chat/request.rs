//! A chat request.

use std::borrow::Cow;

use otel_genai::opentelemetry::KeyValue;
use otel_genai::{Inference, OpenAiApiType, OutputType, ToolDefinition};
use serde::de::SeqAccess;
use serde_json::Value;

use super::super::keep_own;
use super::message::Sent;
use crate::gather::owned;
use crate::json::{self, Lenient, Raw, object};
use crate::scan::Want;

/// The conventions have it for agents; here it tells which one chooses the model.
const AGENT_ID: &str = "gen_ai.agent.id";

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        // Not OpenAI's, but most compatible servers take it.
        "top_k" => top_k: Option<i64>,
        "max_tokens" => max_tokens: Option<i64>,
        "max_completion_tokens" => max_completion_tokens: Option<i64>,
        "stop" => stop: Texts,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "presence_penalty" => presence_penalty: Option<f64>,
        // Mistral's word is the second.
        "seed" | "random_seed" => seed: Option<i64>,
        "n" => n: Option<i64>,
        "response_format" => response_format: Option<Kind<'a>>,
        "modalities" => modalities: Texts,
        "reasoning_effort" => reasoning_effort: Option<Cow<'a, str>>,
        // OpenRouter.
        "reasoning" => reasoning: Option<Reasoning<'a>>,
        "service_tier" => service_tier: Option<Cow<'a, str>>,
        // Mistral's agents.
        "agent_id" => agent_id: Option<Cow<'a, str>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "messages" => messages: Vec<Sent<'a>>,
        "tools" => tools: Vec<Tool<'a>>,
        "functions" => functions: Vec<Definition<'a>>,
    }

    struct Kind<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Reasoning<'a> {
        "effort" => effort: Option<Cow<'a, str>>,
    }

    struct Tool<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "function" => function: Option<Definition<'a>>,
        "custom" => custom: Option<Definition<'a>>,
        "name" => name: Option<Cow<'a, str>>,
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
    ("top_p", Want::Keep(64)),
    ("top_k", Want::Keep(64)),
    ("max_tokens", Want::Keep(64)),
    ("max_completion_tokens", Want::Keep(64)),
    ("stop", Want::Keep(16 << 10)),
    ("frequency_penalty", Want::Keep(64)),
    ("presence_penalty", Want::Keep(64)),
    ("seed", Want::Keep(64)),
    ("agent_id", Want::Keep(1024)),
    ("random_seed", Want::Keep(64)),
    ("n", Want::Keep(64)),
    ("response_format", Want::Fields(&[("type", Want::Keep(256))])),
    ("modalities", Want::Keep(1024)),
    ("reasoning_effort", Want::Keep(256)),
    ("reasoning", Want::Fields(&[("effort", Want::Keep(256))])),
    ("service_tier", Want::Keep(256)),
]);

/// One text, or a list of them.
#[derive(Debug, Default)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl<'de> Lenient<'de> for Texts {
    fn text(text: Cow<'de, str>) -> Self {
        Texts(vec![text.into_owned()])
    }
    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        let texts = Vec::<Option<Cow<'de, str>>>::list(items)?;
        Ok(Texts(texts.into_iter().flatten().map(Cow::into_owned).collect()))
    }
}

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
        request.max_tokens = self.max_completion_tokens.or(self.max_tokens);
        request.stop_sequences = self.stop.0;
        request.frequency_penalty = self.frequency_penalty;
        request.presence_penalty = self.presence_penalty;
        request.seed = self.seed;
        request.choice_count = self.n;
        request.reasoning_level = owned(self.reasoning_effort)
            .or_else(|| owned(self.reasoning.and_then(|reasoning| reasoning.effort)));
        let format = owned(self.response_format.and_then(|format| format.kind));
        request.output_type = match format.as_deref() {
            _ if self.modalities.0.iter().any(|modality| modality == "audio") => Some(OutputType::Speech),
            _ if self.modalities.0.iter().any(|modality| modality == "image") => Some(OutputType::Image),
            Some("json_object" | "json_schema") => Some(OutputType::Json),
            Some("text") => Some(OutputType::Text),
            _ => None,
        };
        request.input_messages = self.messages.into_iter().filter_map(Sent::message).collect();
        let tools = self.tools.into_iter().filter_map(Tool::definition);
        let functions = self.functions.into_iter().filter_map(|function| function.definition("function"));
        request.tool_definitions = tools.chain(functions).collect();
        if let Some(agent) = owned(self.agent_id) {
            op.custom.attributes.push(KeyValue::new(AGENT_ID, agent));
        }
        op.openai.response_format = format;
        op.openai.request_service_tier = owned(self.service_tier);
        op.openai.api_type = Some(OpenAiApiType::ChatCompletions);
        keep_own(&op.provider, &mut op.openai);
    }
}

impl Tool<'_> {
    pub(crate) fn definition(self) -> Option<ToolDefinition> {
        let kind = self.kind.as_deref().unwrap_or("function");
        match (self.function, self.custom) {
            (Some(definition), _) | (None, Some(definition)) => definition.definition(kind),
            // A tool of the provider's own: its type is its name.
            (None, None) => Some(ToolDefinition::new(kind, self.name.as_deref().unwrap_or(kind))),
        }
    }
}

impl Definition<'_> {
    fn definition(self, kind: &str) -> Option<ToolDefinition> {
        let mut tool = ToolDefinition::new(kind, self.name?);
        tool.description = self.description.map(Cow::into_owned);
        tool.parameters = self.parameters.value().filter(|parameters| *parameters != Value::Null);
        Some(tool)
    }
}
