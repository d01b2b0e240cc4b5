//! A request for a chat or a completion.

use std::borrow::Cow;

use otel_genai::{Inference, Message, Modality, OutputType, Part, Role, ToolDefinition};
use serde::de::{MapAccess, SeqAccess};

use crate::gather::{owned, parse_arguments, tool_call};
use crate::json::{self, Lenient, Raw, object};
use crate::media;
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        // On or off, or how much.
        "think" => think: Option<Cow<'a, str>>,
        "format" => format: Format,
        "options" => options: Option<Box<Options<'a>>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "messages" => messages: Vec<Option<Sent<'a>>>,
        "tools" => tools: Vec<Option<Tool<'a>>>,
        "system" => system: Option<Cow<'a, str>>,
        "prompt" => prompt: Option<Cow<'a, str>>,
        "images" => images: Vec<Option<Cow<'a, str>>>,
    }

    struct Options<'a> {
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "top_k" => top_k: Option<i64>,
        "num_predict" => max_tokens: Option<i64>,
        "stop" => stop: Texts<'a>,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "presence_penalty" => presence_penalty: Option<f64>,
        "seed" => seed: Option<i64>,
    }

    /// A message, sent or answered.
    struct Sent<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Option<Cow<'a, str>>,
        "thinking" => thinking: Option<Cow<'a, str>>,
        "images" => images: Vec<Option<Cow<'a, str>>>,
        "tool_calls" => calls: Vec<Option<Call<'a>>>,
        "tool_name" | "name" => tool_name: Option<Cow<'a, str>>,
        "tool_call_id" => tool_call_id: Option<Cow<'a, str>>,
    }

    struct Call<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "function" => function: Option<Function<'a>>,
    }

    struct Function<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "parameters" => parameters: Raw<'a>,
        "arguments" => arguments: Raw<'a>,
    }

    struct Tool<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "function" => function: Option<Function<'a>>,
    }
}

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("think", Want::Keep(256)),
    ("format", Want::Keep(64 << 10)),
    ("options", Want::Keep(16 << 10)),
]);

/// Whether an answer in JSON is asked for: by name, or by its schema.
#[derive(Debug, Default)]
pub(super) struct Format(bool);

impl<'de> Lenient<'de> for Format {
    fn text(text: Cow<'de, str>) -> Self {
        Format(text == "json")
    }
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
        Ok(Format(true))
    }
}

/// One text, or a list of them.
#[derive(Debug, Default)]
pub(super) struct Texts<'a>(Vec<Option<Cow<'a, str>>>);

impl<'de> Lenient<'de> for Texts<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Texts(vec![Some(text)])
    }
    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        Vec::list(items).map(Texts)
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
        request.stream = self.stream != Some(false);
        request.reasoning_level = owned(self.think);
        request.output_type = self.format.0.then_some(OutputType::Json);
        if let Some(options) = self.options {
            request.temperature = options.temperature;
            request.top_p = options.top_p;
            request.top_k = options.top_k;
            // Less than none is no bound.
            request.max_tokens = options.max_tokens.filter(|tokens| *tokens >= 0);
            request.stop_sequences = options.stop.0.into_iter().flatten().map(Cow::into_owned).collect();
            request.frequency_penalty = options.frequency_penalty;
            request.presence_penalty = options.presence_penalty;
            request.seed = options.seed;
        }
        request.system_instructions = owned(self.system).map(Part::text).into_iter().collect();
        let prompt = Sent { content: self.prompt, images: self.images, ..Sent::default() };
        let sent = self.messages.into_iter().flatten().chain([prompt]);
        request.input_messages = sent.filter_map(Sent::message).collect();
        request.tool_definitions = self.tools.into_iter().flatten().filter_map(Tool::definition).collect();
    }
}

impl Sent<'_> {
    /// The message in the conventions' words; `None` if it says nothing at all.
    fn message(self) -> Option<Message> {
        let role: Role = self.role.as_deref().unwrap_or("user").into();
        let mut parts: Vec<Part> = owned(self.thinking).map(Part::reasoning).into_iter().collect();
        if role == Role::Tool {
            let mut part = Part::tool_call_response("", self.content.unwrap_or_default());
            if let Part::ToolCallResponse(answered) = &mut part {
                answered.id = owned(self.tool_call_id);
                let name = owned(self.tool_name).map(|name| ("name".to_owned(), name.into()));
                answered.extra.extend(name);
            }
            parts.push(part);
        } else {
            parts.extend(owned(self.content).map(Part::text));
        }
        parts.extend(self.images.iter().flatten().filter_map(|image| self::image(image)));
        parts.extend(self.calls.into_iter().flatten().filter_map(Call::part));
        (!parts.is_empty()).then(|| Message::new(role, parts))
    }
}

/// An image in base64; its type is not told.
pub(super) fn image(data: &str) -> Option<Part> {
    match data.starts_with("data:") {
        true => media::at(Modality::Image, data),
        false => media::blob(Modality::Image, None, data),
    }
}

impl Call<'_> {
    pub(super) fn part(self) -> Option<Part> {
        let function = self.function?;
        let arguments = match function.arguments.value() {
            Some(serde_json::Value::String(text)) => parse_arguments(text),
            arguments => arguments,
        };
        Some(tool_call(owned(self.id), function.name.unwrap_or_default().into_owned(), arguments))
    }
}

impl Tool<'_> {
    fn definition(self) -> Option<ToolDefinition> {
        let function = self.function?;
        let mut tool = ToolDefinition::new(self.kind.as_deref().unwrap_or("function"), function.name?);
        tool.description = function.description.map(Cow::into_owned);
        tool.parameters = function.parameters.value();
        Some(tool)
    }
}
