//! A request to generate.

use std::borrow::Cow;

use otel_genai::{Inference, Message, Modality, OutputType, Part, Role, ToolDefinition};
use serde::de::{MapAccess, SeqAccess};
use serde_json::Value;

use crate::gather::{Room, owned, parse_arguments, tool_call};
use crate::json::{self, Content, Lenient, Raw, object};
use crate::media;
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "parameters" => parameters: Option<Box<Parameters<'a>>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "input" => input: Option<Input<'a>>,
    }

    struct Parameters<'a> {
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "top_k" => top_k: Option<i64>,
        "max_tokens" => max_tokens: Option<i64>,
        "n" => choice_count: Option<i64>,
        "seed" => seed: Option<i64>,
        "stop" => stop: Texts<'a>,
        "presence_penalty" => presence_penalty: Option<f64>,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "reasoning_effort" => reasoning_effort: Option<Cow<'a, str>>,
        "response_format" => format: Option<Kind<'a>>,
        "modalities" => modalities: Vec<Option<Cow<'a, str>>>,
        "tools" => tools: Vec<Option<Tool<'a>>>,
    }

    struct Kind<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Input<'a> {
        "messages" => messages: Vec<Option<Sent<'a>>>,
        "prompt" => prompt: Option<Cow<'a, str>>,
    }

    /// A message, sent or answered.
    struct Sent<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
        "reasoning_content" => reasoning: Option<Cow<'a, str>>,
        "tool_calls" => calls: Vec<Option<Call<'a>>>,
        "tool_call_id" => tool_call_id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
    }

    struct Call<'a> {
        "index" => index: Option<u64>,
        "id" => id: Option<Cow<'a, str>>,
        "function" => function: Option<Function<'a>>,
    }

    struct Function<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "arguments" => arguments: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "parameters" => parameters: Raw<'a>,
    }

    struct Tool<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "function" => function: Option<Function<'a>>,
    }

    /// Content that is more than a text: one of the keys says what it is.
    struct Item<'a> {
        "text" => text: Option<Cow<'a, str>>,
        "image" => image: Addresses<'a>,
        "audio" => audio: Addresses<'a>,
        "video" => video: Addresses<'a>,
        "file" => file: Addresses<'a>,
    }
}

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    (
        "parameters",
        Want::Fields(&[
            ("temperature", Want::Keep(64)),
            ("top_p", Want::Keep(64)),
            ("top_k", Want::Keep(64)),
            ("max_tokens", Want::Keep(64)),
            ("n", Want::Keep(64)),
            ("seed", Want::Keep(64)),
            ("stop", Want::Keep(16 << 10)),
            ("presence_penalty", Want::Keep(64)),
            ("frequency_penalty", Want::Keep(64)),
            ("reasoning_effort", Want::Keep(256)),
            ("response_format", Want::Fields(&[("type", Want::Keep(256))])),
            ("modalities", Want::Keep(1024)),
        ]),
    ),
]);

/// One text, or a list of them; lists of tokens are none.
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

/// One address, a list of them (the frames of a video), or data in an object (what models say).
#[derive(Debug, Default)]
pub(super) struct Addresses<'a>(Vec<Option<Cow<'a, str>>>);

impl<'de> Lenient<'de> for Addresses<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Addresses(vec![Some(text)])
    }
    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        Vec::list(items).map(Addresses)
    }
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        let mut addresses = Vec::new();
        while let Some(key) = fields.next_key::<json::Name<'de>>()? {
            let value: Option<Cow<'de, str>> = fields.next_value_seed(json::seed())?;
            if matches!(key.0.as_ref(), "url" | "image_url" | "video_url") {
                addresses.push(value);
            }
        }
        Ok(Addresses(addresses))
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
        if let Some(parameters) = self.parameters {
            let has = |word: &str| parameters.modalities.iter().flatten().any(|modality| modality == word);
            request.output_type = match parameters.format.and_then(|format| format.kind).as_deref() {
                _ if has("audio") => Some(OutputType::Speech),
                _ if has("image") => Some(OutputType::Image),
                Some("json_object" | "json_schema") => Some(OutputType::Json),
                Some("text") => Some(OutputType::Text),
                _ => None,
            };
            request.temperature = parameters.temperature;
            request.top_p = parameters.top_p;
            request.top_k = parameters.top_k;
            request.max_tokens = parameters.max_tokens;
            request.choice_count = parameters.choice_count;
            request.seed = parameters.seed;
            request.stop_sequences = parameters.stop.0.into_iter().flatten().map(Cow::into_owned).collect();
            request.presence_penalty = parameters.presence_penalty;
            request.frequency_penalty = parameters.frequency_penalty;
            request.reasoning_level = owned(parameters.reasoning_effort);
            request.tool_definitions =
                parameters.tools.into_iter().flatten().filter_map(Tool::definition).collect();
        }
        let input = self.input.unwrap_or_default();
        let prompt = owned(input.prompt).map(Message::user);
        let messages = input.messages.into_iter().flatten().filter_map(Sent::message);
        request.input_messages = messages.chain(prompt).collect();
    }
}

impl Sent<'_> {
    /// The message in the conventions' words; `None` if it says nothing at all.
    fn message(self) -> Option<Message> {
        let role: Role = self.role.as_deref().unwrap_or("user").into();
        let mut parts: Vec<Part> = owned(self.reasoning).map(Part::reasoning).into_iter().collect();
        // What was asked has been held as a whole already.
        let mut said = Vec::new();
        contents(self.content, &mut Room::new(usize::MAX), &mut said);
        if role == Role::Tool {
            let response = match said.as_slice() {
                [] => Value::String(String::new()),
                [Part::Text(text)] => Value::String(text.content.clone()),
                said => serde_json::to_value(said).unwrap_or_default(),
            };
            let mut part = Part::tool_call_response("", response);
            if let Part::ToolCallResponse(answered) = &mut part {
                answered.id = owned(self.tool_call_id);
                answered.extra.extend(owned(self.name).map(|name| ("name".to_owned(), name.into())));
            }
            parts.push(part);
        } else {
            parts.extend(said);
        }
        parts.extend(self.calls.into_iter().flatten().filter_map(Call::part));
        (!parts.is_empty()).then(|| Message::new(role, parts))
    }
}

/// The parts that contents are, as far as there is room.
pub(super) fn contents(content: Content<'_>, room: &mut Room, into: &mut Vec<Part>) {
    match content {
        Content::None => {}
        Content::Text(text) => {
            into.extend((!text.is_empty() && room.take(text.len())).then(|| Part::text(text)));
        }
        Content::List(items) => items.into_iter().for_each(|item| {
            if item.get().is_some() && room.spend(item) {
                into.extend(item.to::<Option<Item<'_>>>().into_iter().flat_map(Item::parts));
            }
        }),
    }
}

impl Item<'_> {
    pub(super) fn parts(self) -> Vec<Part> {
        let text = owned(self.text).map(Part::text).into_iter();
        let media = [
            (Modality::Image, self.image),
            (Modality::Audio, self.audio),
            (Modality::Video, self.video),
            (Modality::Document, self.file),
        ];
        let at = |(modality, addresses): (Modality, Addresses<'_>)| -> Vec<Part> {
            let addresses = addresses.0.iter().flatten().filter(|address| !address.is_empty());
            addresses.filter_map(|address| media::at(modality.clone(), address)).collect()
        };
        text.chain(media.into_iter().flat_map(at)).collect()
    }
}

impl Call<'_> {
    fn part(self) -> Option<Part> {
        let function = self.function?;
        let arguments = parse_arguments(function.arguments.unwrap_or_default().into_owned());
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
