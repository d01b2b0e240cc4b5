//! The choices of an answer, put together from deltas or taken whole.

use std::borrow::Cow;

use otel_genai::{FinishReason, InferenceResponse, Message, Modality, Part, Role};
use serde_json::Value;

use super::message::{self, Audio, Function, ToolCall};
use crate::gather::{self, Room};
use crate::json::{self, Content, Raw, object};
use crate::media;

/// More choices, and more tool calls in one, are not kept.
const MAX_CHOICES: usize = 128;
const MAX_CALLS: usize = 256;

object! {
    /// A choice, or a piece of one.
    struct Choice<'a> {
        "index" => index: Option<u64>,
        "delta" => delta: Option<Box<Delta<'a>>>,
        "message" => message: Raw<'a>,
        // Of the older completions, whole and in pieces.
        "text" => text: Option<Cow<'a, str>>,
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
    room: Room,
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
        Choices { list: Vec::new(), room: Room::new(room) }
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
        if let Some(text) = choice.text {
            said.has_text = true;
            return said.take(Delta { content: Content::Text(text), ..Delta::default() }, &mut self.room);
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

    /// Whether content was left out.
    pub(crate) fn is_cut(&self) -> bool {
        self.room.is_full()
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
    fn take(&mut self, delta: Delta<'_>, room: &mut Room) {
        self.spoke = true;
        if let (None, Some(role)) = (&self.role, delta.role.filter(|role| !role.is_empty())) {
            self.role = Some(json::prefix(&role, 64).to_owned());
        }
        match delta.content {
            Content::None => {}
            Content::Text(text) => room.append(&mut self.text, &text),
            Content::List(items) => items.into_iter().for_each(|item| self.part(item, room)),
        }
        if let Some(refusal) = delta.refusal {
            room.append(&mut self.refusal, &refusal);
        }
        // Some servers send both, saying the same.
        let reasoning = delta.reasoning_content.filter(|text| !text.is_empty()).or(delta.reasoning);
        if let Some(reasoning) = reasoning {
            room.append(&mut self.reasoning, &reasoning);
        }
        for call in delta.tool_calls {
            self.call(call, room);
        }
        if let Some(function) = delta.function_call {
            self.function.get_or_insert_default().function(&function, room);
        }
        if let Some(audio) = delta.audio {
            room.append(&mut self.transcript, audio.transcript.as_deref().unwrap_or_default());
            room.append(&mut self.audio, audio.data.as_deref().unwrap_or_default());
        }
        for annotation in delta.annotations {
            if room.spend(annotation) {
                self.annotations.extend(annotation.value().map(media::value_without_secrets));
            }
        }
        for image in delta.images {
            self.part(image, room);
        }
    }

    fn part(&mut self, item: Raw<'_>, room: &mut Room) {
        if room.is_empty() {
            return;
        }
        match message::part(item) {
            Some(Part::Text(part)) => room.append(&mut self.text, &part.content),
            Some(Part::Reasoning(part)) => room.append(&mut self.reasoning, &part.content),
            Some(part) if room.spend(item) => self.others.push(part),
            _ => {}
        }
    }

    /// Merges a piece of a tool call into the call that it belongs to.
    fn call(&mut self, piece: ToolCall<'_>, room: &mut Room) {
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
            room.append(&mut call.id, id);
        }
        if let Some(function) = piece.function {
            call.function(&function, room);
        }
        if let Some(custom) = piece.custom {
            call.is_custom = true;
            call.name(custom.name.as_deref().unwrap_or_default(), room);
            room.append(&mut call.arguments, custom.input.as_deref().unwrap_or_default());
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

    fn function(&mut self, function: &Function<'_>, room: &mut Room) {
        self.name(function.name.as_deref().unwrap_or_default(), room);
        let Some(arguments) = function.arguments.get() else { return };
        match arguments.starts_with('"') {
            true => {
                let text = function.arguments.to::<Option<Cow<'_, str>>>();
                room.append(&mut self.arguments, text.as_deref().unwrap_or_default());
            }
            // JSON where OpenAI writes it into a text.
            false => room.append(&mut self.arguments, arguments),
        }
    }

    /// A name may come in pieces, or whole with every piece.
    fn name(&mut self, name: &str, room: &mut Room) {
        if self.name != name {
            room.append(&mut self.name, name);
        }
    }

    fn part(self) -> Part {
        let arguments = match self.is_custom {
            true => (!self.arguments.is_empty()).then_some(Value::String(self.arguments)),
            false => gather::parse_arguments(self.arguments),
        };
        gather::tool_call(Some(self.id), self.name, arguments)
    }
}
