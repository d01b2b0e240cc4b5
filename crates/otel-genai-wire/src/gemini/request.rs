//! A request to generate content.

use std::borrow::Cow;

use otel_genai::{Inference, Message, OutputType, ToolDefinition};
use serde_json::Value;

use super::parts::{Content, Many};
use crate::gather::owned;
use crate::json::{self, Raw, object};
use crate::scan::Want;

object! {
    struct Request<'a> {
        // Both are in the path in general.
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "generationConfig" | "generation_config" => config: Option<Box<Config<'a>>>,
        // Code Assist wraps what others send.
        "request" => request: Option<Box<Inner<'a>>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "systemInstruction" | "system_instruction" => system: Many<Content<'a>>,
        "contents" => contents: Many<Content<'a>>,
        "tools" => tools: Many<Tool<'a>>,
    }

    struct Inner<'a> {
        "generationConfig" | "generation_config" => config: Option<Box<Config<'a>>>,
        "systemInstruction" | "system_instruction" => system: Many<Content<'a>>,
        "contents" => contents: Many<Content<'a>>,
        "tools" => tools: Many<Tool<'a>>,
    }

    struct Config<'a> {
        "temperature" => temperature: Option<f64>,
        "topP" | "top_p" => top_p: Option<f64>,
        "topK" | "top_k" => top_k: Option<i64>,
        "maxOutputTokens" | "max_output_tokens" => max_tokens: Option<i64>,
        "candidateCount" | "candidate_count" => choice_count: Option<i64>,
        "stopSequences" | "stop_sequences" => stop_sequences: Vec<Option<Cow<'a, str>>>,
        "frequencyPenalty" | "frequency_penalty" => frequency_penalty: Option<f64>,
        "presencePenalty" | "presence_penalty" => presence_penalty: Option<f64>,
        "seed" => seed: Option<i64>,
        "responseMimeType" | "response_mime_type" => media_type: Option<Cow<'a, str>>,
        "responseModalities" | "response_modalities" => modalities: Vec<Option<Cow<'a, str>>>,
        "thinkingConfig" | "thinking_config" => thinking: Option<Thinking<'a>>,
    }

    struct Thinking<'a> {
        "thinkingLevel" | "thinking_level" => level: Option<Cow<'a, str>>,
    }

    struct Function<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "parameters" | "parametersJsonSchema" | "parameters_json_schema" => parameters: Raw<'a>,
    }
}

/// Functions, or one of Google's own tools: every key is one.
#[derive(Debug, Default)]
pub(super) struct Tool<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'de> json::Lenient<'de> for Tool<'de> {
    fn object<A: serde::de::MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        let mut tools = Vec::new();
        while let Some((name, value)) = fields.next_entry_seed(json::seed(), json::seed::<Raw<'_>>())? {
            let name: Option<Cow<'de, str>> = name;
            tools.extend(name.filter(|_| value.get().is_some()).map(|name| (name, value)));
        }
        Ok(Tool(tools))
    }
}

const CONFIG: Want = Want::Fields(&[
    ("temperature", Want::Keep(64)),
    ("topP", Want::Keep(64)),
    ("top_p", Want::Keep(64)),
    ("topK", Want::Keep(64)),
    ("top_k", Want::Keep(64)),
    ("maxOutputTokens", Want::Keep(64)),
    ("max_output_tokens", Want::Keep(64)),
    ("candidateCount", Want::Keep(64)),
    ("candidate_count", Want::Keep(64)),
    ("stopSequences", Want::Keep(16 << 10)),
    ("stop_sequences", Want::Keep(16 << 10)),
    ("frequencyPenalty", Want::Keep(64)),
    ("frequency_penalty", Want::Keep(64)),
    ("presencePenalty", Want::Keep(64)),
    ("presence_penalty", Want::Keep(64)),
    ("seed", Want::Keep(64)),
    ("responseMimeType", Want::Keep(256)),
    ("response_mime_type", Want::Keep(256)),
    ("responseModalities", Want::Keep(1024)),
    ("response_modalities", Want::Keep(1024)),
    ("thinkingConfig", Want::Keep(1024)),
    ("thinking_config", Want::Keep(1024)),
]);

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("generationConfig", CONFIG),
    ("generation_config", CONFIG),
    ("request", Want::Fields(&[("generationConfig", CONFIG)])),
]);

/// Reads what a request says.
pub(super) fn read(body: &[u8], op: &mut Inference) -> Result<(), serde_json::Error> {
    json::read::<Request<'_>>(body)?.fill(op);
    Ok(())
}

impl Request<'_> {
    fn fill(mut self, op: &mut Inference) {
        if let Some(inner) = self.request.take() {
            let Inner { config, system, contents, tools, .. } = *inner;
            self = Request {
                model: self.model,
                stream: self.stream,
                config,
                system,
                contents,
                tools,
                ..Request::default()
            };
        }
        let request = &mut op.request;
        request.model = owned(self.model);
        request.stream = self.stream == Some(true);
        if let Some(config) = self.config {
            request.output_type = config.output_type();
            request.temperature = config.temperature;
            request.top_p = config.top_p;
            request.top_k = config.top_k;
            request.max_tokens = config.max_tokens;
            request.choice_count = config.choice_count;
            request.stop_sequences =
                config.stop_sequences.into_iter().flatten().map(Cow::into_owned).collect();
            request.frequency_penalty = config.frequency_penalty;
            request.presence_penalty = config.presence_penalty;
            request.seed = config.seed;
            // A budget of tokens is no level.
            request.reasoning_level = config.thinking.and_then(|thinking| owned(thinking.level));
        }
        request.system_instructions = self.system.0.into_iter().flat_map(Content::into_parts).collect();
        request.input_messages = self.contents.0.into_iter().filter_map(message).collect();
        request.tool_definitions = self.tools.0.into_iter().flat_map(Tool::definitions).collect();
    }
}

impl Config<'_> {
    fn output_type(&self) -> Option<OutputType> {
        output_type(self.media_type.as_deref(), &self.modalities)
    }
}

/// The kind of output that is asked for.
pub(super) fn output_type(
    media_type: Option<&str>,
    modalities: &[Option<Cow<'_, str>>],
) -> Option<OutputType> {
    let has = |word: &str| modalities.iter().flatten().any(|modality| modality.eq_ignore_ascii_case(word));
    match media_type {
        _ if has("audio") => Some(OutputType::Speech),
        _ if has("image") => Some(OutputType::Image),
        Some("application/json") => Some(OutputType::Json),
        Some("text/plain") => Some(OutputType::Text),
        _ => None,
    }
}

/// The message in the conventions' words; `None` if it says nothing at all.
fn message(content: Content<'_>) -> Option<Message> {
    let role = content.role();
    let parts = content.into_parts();
    (!parts.is_empty()).then(|| Message::new(role, parts))
}

impl Tool<'_> {
    fn definitions(self) -> Vec<ToolDefinition> {
        let mut definitions = Vec::new();
        for (name, value) in self.0 {
            if matches!(name.as_ref(), "functionDeclarations" | "function_declarations") {
                let functions = value.to::<Vec<Option<Function<'_>>>>();
                definitions.extend(functions.into_iter().flatten().filter_map(Function::definition));
            } else {
                let name = snake_case(&name);
                definitions.push(ToolDefinition::new(name.clone(), name));
            }
        }
        definitions
    }
}

impl Function<'_> {
    fn definition(self) -> Option<ToolDefinition> {
        let mut tool = ToolDefinition::function(self.name?);
        tool.description = self.description.map(Cow::into_owned);
        tool.parameters = self.parameters.value().filter(|parameters| *parameters != Value::Null);
        Some(tool)
    }
}

/// `googleSearch` is the same as `google_search`.
fn snake_case(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in json::prefix(name, 256).chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}
