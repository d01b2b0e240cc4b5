//! The choices of an answer, whole or put together from pieces.

use std::borrow::Cow;

use otel_genai::{FinishReason, InferenceResponse, Message, Part, Role};

use super::growing::Growing;
use super::request::{Call, Item, Sent, contents};
use crate::gather::{Room, parse_arguments, tool_call};
use crate::json::{self, Content, Raw, object};

/// More choices, and more calls and media of one, are not kept.
const MAX_CHOICES: usize = 128;
const MAX_PARTS: usize = 256;

object! {
    struct Choice<'a> {
        "index" => index: Option<u64>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        "message" => message: Raw<'a>,
    }
}

/// All choices of an answer.
#[derive(Debug)]
pub(super) struct Choices {
    list: Vec<Said>,
    room: Room,
}

/// What one choice has said.
#[derive(Debug, Default)]
struct Said {
    index: u64,
    finish_reason: Option<String>,
    spoke: bool,
    reasoning: Growing,
    text: Growing,
    calls: Vec<CallSaid>,
    /// Media.
    others: Vec<Part>,
}

#[derive(Debug, Default)]
struct CallSaid {
    index: u64,
    id: String,
    name: Growing,
    arguments: Growing,
}

impl Choices {
    /// Holds at most so many bytes of content.
    pub(super) fn new(room: usize) -> Self {
        Choices { list: Vec::new(), room: Room::new(room) }
    }

    /// Takes a choice or a piece of one. `position` is its place in the list, for those without an index.
    pub(super) fn take(&mut self, position: usize, choice: Choice<'_>, content: bool) {
        let index = choice.index.unwrap_or(position as u64);
        let at = match self.list.iter().position(|said| said.index == index) {
            Some(at) => at,
            None if self.list.len() < MAX_CHOICES => {
                self.list.push(Said { index, ..Said::default() });
                self.list.len() - 1
            }
            None => return,
        };
        let Some(said) = self.list.get_mut(at) else { return };
        // What has not ended yet says so by a text.
        if let Some(reason) = choice.finish_reason.filter(|reason| !matches!(reason.as_ref(), "" | "null")) {
            said.finish_reason = Some(json::prefix(&reason, 256).to_owned());
        }
        if content && let Some(message) = choice.message.to::<Option<Sent<'_>>>() {
            said.take(message, &mut self.room);
        }
    }

    /// The one text of an answer that has no messages (`result_format: text`).
    pub(super) fn take_text(&mut self, text: &str, finish_reason: Option<Cow<'_, str>>, content: bool) {
        self.take(0, Choice { finish_reason, ..Choice::default() }, false);
        if content && let Some(said) = self.list.first_mut() {
            said.spoke = true;
            said.text.take(text, &mut self.room);
        }
    }

    /// A medium beside the choices.
    pub(super) fn take_media(&mut self, part: Part) {
        if let Some(said) = self.list.first_mut() {
            said.spoke = true;
            said.other(part);
        }
    }

    /// Whether there are so many choices, and all of them have come to their end.
    pub(super) fn are_finished(&self, wanted: usize) -> bool {
        self.list.len() >= wanted.clamp(1, MAX_CHOICES)
            && self.list.iter().all(|said| said.finish_reason.is_some())
    }

    /// Whether content was left out.
    pub(super) fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    /// Writes the choices in their order. One that has no reason to have stopped was cut off.
    pub(super) fn finish(mut self, response: &mut InferenceResponse) {
        self.list.sort_by_key(|said| said.index);
        let texts = self.list.iter().flat_map(Said::texts);
        let told: Vec<bool> = texts.filter_map(Growing::goes_on).collect();
        let goes_on = told.is_empty() || told.contains(&true);
        for said in self.list {
            let reason = said.finish_reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            response.finish_reasons.push(reason.to_owned());
            if said.spoke {
                response.output_messages.push(said.message(goes_on));
            }
        }
    }
}

impl Said {
    fn take(&mut self, message: Sent<'_>, room: &mut Room) {
        self.spoke = true;
        if let Some(reasoning) = &message.reasoning {
            self.reasoning.take(reasoning, room);
        }
        match message.content {
            Content::Text(text) => self.text.take(&text, room),
            Content::List(items) => self.items(items, room),
            Content::None => {}
        }
        for (position, call) in message.calls.into_iter().flatten().enumerate() {
            self.call(position, call, room);
        }
    }

    fn items(&mut self, items: Vec<Raw<'_>>, room: &mut Room) {
        for item in items {
            let Some(read) = item.to::<Option<Item<'_>>>() else { continue };
            if let Some(text) = &read.text {
                self.text.take(text, room);
                continue;
            }
            let mut parts = Vec::new();
            contents(Content::List(vec![item]), room, &mut parts);
            parts.into_iter().for_each(|part| self.other(part));
        }
    }

    /// A medium, which may be repeated with every piece.
    fn other(&mut self, part: Part) {
        if self.others.len() < MAX_PARTS && !self.others.contains(&part) {
            self.others.push(part);
        }
    }

    fn call(&mut self, position: usize, call: Call<'_>, room: &mut Room) {
        let index = call.index.unwrap_or(position as u64);
        let at = match self.calls.iter().position(|known| known.index == index) {
            Some(at) => at,
            None if self.calls.len() < MAX_PARTS => {
                self.calls.push(CallSaid { index, ..CallSaid::default() });
                self.calls.len() - 1
            }
            None => return,
        };
        let Some(known) = self.calls.get_mut(at) else { return };
        if let (true, Some(id)) = (known.id.is_empty(), &call.id) {
            room.append(&mut known.id, id);
        }
        let Some(function) = call.function else { return };
        if let Some(name) = function.name.filter(|name| !name.is_empty()) {
            known.name.take(&name, room);
        }
        if let Some(arguments) = &function.arguments {
            known.arguments.take(arguments, room);
        }
    }

    /// The texts whose pieces tell how they come. Names are too short to tell.
    fn texts(&self) -> impl Iterator<Item = &Growing> {
        [&self.reasoning, &self.text].into_iter().chain(self.calls.iter().map(|call| &call.arguments))
    }

    fn message(self, goes_on: bool) -> Message {
        let has_calls = !self.calls.is_empty();
        let mut parts = Vec::new();
        let reasoning = self.reasoning.finish(goes_on);
        if !reasoning.is_empty() {
            parts.push(Part::reasoning(reasoning));
        }
        let text = self.text.finish(goes_on);
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
        parts.extend(self.others);
        parts.extend(self.calls.into_iter().map(|call| {
            // A name comes once, or whole with every piece.
            let arguments = parse_arguments(call.arguments.finish(goes_on));
            tool_call(Some(call.id), call.name.finish(false), arguments)
        }));
        let reason = match self.finish_reason.as_deref() {
            None => FinishReason::Error,
            Some("tool_calls") => FinishReason::ToolCall,
            Some("stop") if has_calls => FinishReason::ToolCall,
            Some(reason) => reason.into(),
        };
        Message::new(Role::Assistant, parts).finish(reason)
    }
}
