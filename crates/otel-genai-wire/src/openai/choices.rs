//! The choices of an answer, put together from deltas or taken whole.

use std::borrow::Cow;

use otel_genai::{FinishReason, InferenceResponse, Message, Modality, Part, Role};
use serde_json::Value;

use super::media;
use super::message::{self, Audio, Content, Function, ToolCall};
use crate::json::{self, Raw, object};

/// More choices, and more tool calls in one, are not kept.
const MAX_CHOICES: usize = 128;
const MAX_CALLS: usize = 256;

object! {
    /// A choice, or a piece of one.
    struct Choice<'a> {
        "index" => index: Option<u64>,
        "delta" => delta: Option<Box<Delta<'a>>>,
        "message" => message: Raw<'a>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        "error" => error: Raw<'a>,
    }

    /// The same where content is not wanted.
    struct Brief<'a> {
        "index" => index: Option<u64>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        "error" => error: Raw<'a>,
    }

    struct Delta<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
        "refusal" => refusal: Option<Cow<'a, str>>,
        "reasoning_content" => reasoning_content: Option<Cow<'a, str>>,
        "reasoning" => reasoning: Option<Cow<'a, str>>,
        "tool_calls" => tool_calls: Vec<ToolCall<'a>>,
        "function_call" => function_call: Option<Box<Function<'a>>>,
        "audio" => audio: Option<Box<Audio<'a>>>,
        "annotations" => annotations: Vec<Raw<'a>>,
        "images" => images: Vec<Raw<'a>>,
    }
}

impl<'a> From<Brief<'a>> for Choice<'a> {
    fn from(brief: Brief<'a>) -> Self {
        let Brief { index, finish_reason, error, .. } = brief;
        Choice { index, finish_reason, error, ..Choice::default() }
    }
}

/// All choices of an answer.
#[derive(Debug)]
pub(crate) struct Choices {
    list: Vec<Said>,
    /// How many bytes of content may still be held.
    room: usize,
}

/// What one choice has said.
#[derive(Debug, Default)]
struct Said {
    index: u64,
    finish_reason: Option<String>,
    role: Option<String>,
    /// Whether anything of its message has come, be it empty.
    spoke: bool,
    has_deltas: bool,
    text: String,
    /// Whether there is a text, be it empty.
    has_text: bool,
    refusal: String,
    reasoning: String,
    transcript: String,
    audio: String,
    calls: Vec<Call>,
    /// The one call of the older function calling.
    function: Option<Call>,
    annotations: Vec<Value>,
    others: Vec<Part>,
}

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    is_custom: bool,
}

impl Choices {
    /// Holds at most so many bytes of content.
    pub(crate) fn new(room: usize) -> Self {
        Choices { list: Vec::new(), room }
    }

    /// Takes a choice or, where the answer is not whole, a piece of one. `position` is its place in the list, for
    /// those without an index.
    pub(crate) fn take(&mut self, position: usize, choice: Choice<'_>, is_whole: bool) {
        let index = choice.index.unwrap_or(position as u64);
        // In a whole answer every item is a choice of its own, even where a server numbers them all alike.
        let known = if is_whole { None } else { self.list.iter().position(|said| said.index == index) };
        let at = match known {
            Some(at) => at,
            None if self.list.len() < MAX_CHOICES => {
                self.list.push(Said { index, ..Said::default() });
                self.list.len() - 1
            }
            None => return,
        };
        let Some(said) = self.list.get_mut(at) else { return };
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            said.finish_reason = Some(json::prefix(&reason, 256).to_owned());
        }
        // Perplexity sends both: beside a delta a message that repeats all that was said before, beside the message of
        // a whole answer a delta that is empty.
        if (is_whole || (choice.delta.is_none() && !said.has_deltas))
            && let Some(message) = choice.message.to::<Option<Box<Delta<'_>>>>()
        {
            said.has_text |= matches!(message.content, Content::Text(_));
            return said.take(*message, &mut self.room);
        }
        if let Some(delta) = choice.delta {
            said.has_deltas = true;
            said.take(*delta, &mut self.room);
        }
    }

    /// Whether there are choices, at least so many and at least one, and all of them have come to their end.
    pub(crate) fn are_finished(&self, wanted: usize) -> bool {
        self.list.len() >= wanted.clamp(1, MAX_CHOICES)
            && self.list.iter().all(|said| said.finish_reason.is_some())
    }

    /// Writes the choices in their order. One that has no reason to have stopped was cut off.
    pub(crate) fn finish(mut self, content: bool, response: &mut InferenceResponse) {
        self.list.sort_by_key(|said| said.index);
        for said in self.list {
            let reason = said.finish_reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            response.finish_reasons.push(reason.to_owned());
            // Of a message that was too long to be held, not even an empty one is told.
            if content && said.spoke {
                response.output_messages.push(said.message());
            }
        }
    }
}

impl Said {
    fn take(&mut self, delta: Delta<'_>, room: &mut usize) {
        self.spoke = true;
        if let (None, Some(role)) = (&self.role, delta.role.filter(|role| !role.is_empty())) {
            self.role = Some(json::prefix(&role, 64).to_owned());
        }
        match delta.content {
            Content::None => {}
            Content::Text(text) => append(&mut self.text, &text, room),
            Content::List(items) => items.into_iter().for_each(|item| self.part(item, room)),
        }
        if let Some(refusal) = delta.refusal {
            append(&mut self.refusal, &refusal, room);
        }
        // Some servers send both, saying the same.
        let reasoning = delta.reasoning_content.filter(|text| !text.is_empty()).or(delta.reasoning);
        if let Some(reasoning) = reasoning {
            append(&mut self.reasoning, &reasoning, room);
        }
        for call in delta.tool_calls {
            self.call(call, room);
        }
        if let Some(function) = delta.function_call {
            self.function.get_or_insert_default().function(&function, room);
        }
        if let Some(audio) = delta.audio {
            append(&mut self.transcript, audio.transcript.as_deref().unwrap_or_default(), room);
            append(&mut self.audio, audio.data.as_deref().unwrap_or_default(), room);
        }
        for annotation in delta.annotations {
            if spend(annotation, room) {
                self.annotations.extend(annotation.value().map(media::value_without_secrets));
            }
        }
        for image in delta.images {
            self.part(image, room);
        }
    }

    fn part(&mut self, item: Raw<'_>, room: &mut usize) {
        if *room == 0 {
            return;
        }
        match message::part(item) {
            Some(Part::Text(part)) => append(&mut self.text, &part.content, room),
            Some(Part::Reasoning(part)) => append(&mut self.reasoning, &part.content, room),
            Some(part) if spend(item, room) => self.others.push(part),
            _ => {}
        }
    }

    /// Merges a piece of a tool call into the call that it belongs to.
    fn call(&mut self, piece: ToolCall<'_>, room: &mut usize) {
        let id = piece.id.as_deref().filter(|id| !id.is_empty());
        let function = piece.function.as_ref();
        let name = function.and_then(|function| function.name.as_deref()).filter(|name| !name.is_empty());
        let known = match piece.index {
            Some(index) => self.calls.iter().rposition(|call| call.index == Some(index)),
            // Without an index, a piece that names itself is a call of its own, any other goes on with the last.
            None => match id {
                Some(id) => self.calls.iter().position(|call| call.id == id),
                None if name.is_some() => None,
                None => self.calls.len().checked_sub(1),
            },
        };
        let at = match known.filter(|at| self.calls.get(*at).is_some_and(|call| call.goes_on_with(id, name)))
        {
            Some(at) => at,
            None if self.calls.len() < MAX_CALLS => {
                self.calls.push(Call { index: piece.index, ..Call::default() });
                self.calls.len() - 1
            }
            None => return,
        };
        let Some(call) = self.calls.get_mut(at) else { return };
        if let (true, Some(id)) = (call.id.is_empty(), id) {
            append(&mut call.id, id, room);
        }
        if let Some(function) = piece.function {
            call.function(&function, room);
        }
        if let Some(custom) = piece.custom {
            call.is_custom = true;
            call.name(custom.name.as_deref().unwrap_or_default(), room);
            append(&mut call.arguments, custom.input.as_deref().unwrap_or_default(), room);
        }
    }

    fn message(self) -> Message {
        let mut parts = Vec::new();
        if !self.reasoning.is_empty() {
            parts.push(Part::reasoning(self.reasoning));
        }
        if self.has_text || !self.text.is_empty() {
            let mut part = Part::text(self.text);
            if let (Part::Text(text), false) = (&mut part, self.annotations.is_empty()) {
                text.extra.insert("annotations".to_owned(), self.annotations.into());
            }
            parts.push(part);
        }
        if !self.refusal.is_empty() {
            parts.push(Part::text(self.refusal));
        }
        if !self.transcript.is_empty() {
            parts.push(Part::text(self.transcript));
        }
        if !self.audio.is_empty() {
            parts.push(Part::blob_base64(Modality::Audio, None, self.audio));
        }
        parts.extend(self.others);
        parts.extend(self.calls.into_iter().chain(self.function).map(Call::part));
        let role = self.role.map_or(Role::Assistant, Role::from);
        let reason = match self.finish_reason.as_deref() {
            None => FinishReason::Error,
            Some("tool_calls" | "function_call") => FinishReason::ToolCall,
            Some(reason) => reason.into(),
        };
        Message::new(role, parts).finish(reason)
    }
}

impl Call {
    /// Whether a piece with the same index or id belongs to this call. A new id begins a new call; so does, without
    /// ids, a name after arguments that are complete.
    fn goes_on_with(&self, id: Option<&str>, name: Option<&str>) -> bool {
        match (id, name) {
            (Some(id), _) => self.id.is_empty() || self.id == id,
            (None, Some(_)) => {
                self.arguments.is_empty()
                    || serde_json::from_str::<serde::de::IgnoredAny>(&self.arguments).is_err()
            }
            (None, None) => true,
        }
    }

    fn function(&mut self, function: &Function<'_>, room: &mut usize) {
        self.name(function.name.as_deref().unwrap_or_default(), room);
        let Some(arguments) = function.arguments.get() else { return };
        match arguments.starts_with('"') {
            true => {
                let text = function.arguments.to::<Option<Cow<'_, str>>>();
                append(&mut self.arguments, text.as_deref().unwrap_or_default(), room);
            }
            // JSON where OpenAI writes it into a text.
            false => append(&mut self.arguments, arguments, room),
        }
    }

    /// A name may come in pieces, or whole with every piece.
    fn name(&mut self, name: &str, room: &mut usize) {
        if self.name != name {
            append(&mut self.name, name, room);
        }
    }

    fn part(self) -> Part {
        let arguments = match self.is_custom {
            true => (!self.arguments.is_empty()).then_some(Value::String(self.arguments)),
            false => message::parse_arguments(self.arguments),
        };
        message::tool_call(Some(self.id), self.name, arguments)
    }
}

/// Appends as much as there is room for. What has been cut off once stays cut: nothing is appended after a gap.
fn append(into: &mut String, text: &str, room: &mut usize) {
    let fits = json::prefix(text, *room);
    into.push_str(fits);
    *room = if fits.len() < text.len() { 0 } else { *room - fits.len() };
}

/// Takes the room that a value needs, if there is enough.
fn spend(value: Raw<'_>, room: &mut usize) -> bool {
    let needed = value.get().map_or(0, str::len);
    match room.checked_sub(needed) {
        Some(left) => *room = left,
        None => return false,
    }
    true
}
