//! The candidates of an answer, whole or put together from pieces.

use otel_genai::{FinishReason, InferenceResponse, Message, Part, Role};
use serde_json::Value;

use super::parts::{self, Content, FunctionCall, Piece};
use super::words::Word;
use crate::gather::Room;
use crate::json::{self, Raw, object};

/// More candidates, and more parts of one, are not kept.
const MAX_CANDIDATES: usize = 128;
const MAX_PARTS: usize = 1024;

object! {
    /// A candidate, or a piece of one.
    struct Candidate<'a> {
        "index" => index: Option<u64>,
        "content" => content: Option<Content<'a>>,
        "finishReason" | "finish_reason" => finish_reason: Word<'a>,
        "groundingMetadata" | "grounding_metadata" => grounding: Raw<'a>,
    }

    /// The same where content is not wanted.
    struct Brief<'a> {
        "index" => index: Option<u64>,
        "finishReason" | "finish_reason" => finish_reason: Word<'a>,
    }

    /// What Google Search was asked and found.
    struct Grounding<'a> {
        "webSearchQueries" | "web_search_queries" => queries: Raw<'a>,
        "groundingChunks" | "grounding_chunks" => chunks: Raw<'a>,
    }
}

impl<'a> From<Brief<'a>> for Candidate<'a> {
    fn from(brief: Brief<'a>) -> Self {
        Candidate { index: brief.index, finish_reason: brief.finish_reason, ..Candidate::default() }
    }
}

/// All candidates of an answer.
#[derive(Debug)]
pub(super) struct Candidates {
    list: Vec<Said>,
    room: Room,
    is_vertex: bool,
}

/// What one candidate has said.
#[derive(Debug, Default)]
struct Said {
    index: u64,
    finish_reason: Option<String>,
    /// Whether anything of its content has come, be it empty.
    spoke: bool,
    parts: Vec<Part>,
    /// Whether the last part is a call of which more will come.
    is_call_open: bool,
    search: Option<Value>,
    found: Option<Value>,
}

impl Candidates {
    /// Holds at most so many bytes of content.
    pub(super) fn new(room: usize, is_vertex: bool) -> Self {
        Candidates { list: Vec::new(), room: Room::new(room), is_vertex }
    }

    /// Takes a candidate or, where the answer is not whole, a piece of one. `position` is its place in the list: the
    /// index zero is left out.
    pub(super) fn take(&mut self, position: usize, candidate: Candidate<'_>, is_whole: bool) {
        let index = candidate.index.unwrap_or(position as u64);
        let at = match self.list.iter().position(|said| said.index == index && !is_whole) {
            Some(at) => at,
            None if self.list.len() < MAX_CANDIDATES => {
                self.list.push(Said { index, ..Said::default() });
                self.list.len() - 1
            }
            None => return,
        };
        let Some(said) = self.list.get_mut(at) else { return };
        if let Some(reason) = candidate.finish_reason.finish_reason(self.is_vertex) {
            said.finish_reason = Some(json::prefix(&reason, 256).to_owned());
        }
        if let Some(content) = candidate.content {
            said.spoke = true;
            content.parts.0.into_iter().for_each(|piece| said.take(piece, is_whole, &mut self.room));
        }
        if candidate.grounding.get().is_some() && self.room.spend(candidate.grounding) {
            let grounding: Grounding<'_> =
                candidate.grounding.to::<Option<Grounding<'_>>>().unwrap_or_default();
            said.search = grounding.queries.value().filter(is_filled).or(said.search.take());
            said.found = grounding.chunks.value().filter(is_filled).or(said.found.take());
        }
    }

    /// Whether there are so many candidates, and all of them have come to their end.
    pub(super) fn are_finished(&self, wanted: usize) -> bool {
        self.list.len() >= wanted.clamp(1, MAX_CANDIDATES)
            && self.list.iter().all(|said| said.finish_reason.is_some())
    }

    /// Whether content was left out.
    pub(super) fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    /// Writes the candidates in their order. One that has no reason to have stopped was cut off.
    pub(super) fn finish(mut self, response: &mut InferenceResponse) {
        self.list.sort_by_key(|said| said.index);
        for said in self.list {
            let reason = said.finish_reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            response.finish_reasons.push(reason.to_owned());
            if said.spoke {
                response.output_messages.push(said.message());
            }
        }
    }
}

impl Said {
    fn take(&mut self, piece: Piece<'_>, is_whole: bool, room: &mut Room) {
        if let Some(call) = &piece.call
            && self.is_call_open
            && call.name.as_ref().is_none_or(|name| name.is_empty())
        {
            return self.go_on(call, room);
        }
        if let (Some(text), false) = (&piece.text, is_whole) {
            let is_thought = piece.is_thought == Some(true);
            match self.parts.last_mut() {
                Some(Part::Reasoning(last)) if is_thought => return room.append(&mut last.content, text),
                Some(Part::Text(last)) if !is_thought => return room.append(&mut last.content, text),
                _ => {}
            }
        }
        if self.parts.len() >= MAX_PARTS || room.is_empty() {
            return;
        }
        let is_open = piece.call.as_ref().is_some_and(|call| call.will_continue == Some(true));
        if let Some(part) = piece.part(room) {
            self.parts.push(part);
            self.is_call_open = is_open;
        }
    }

    /// More of the arguments of the last call.
    fn go_on(&mut self, call: &FunctionCall<'_>, room: &mut Room) {
        if let Some(Part::ToolCall(part)) = self.parts.last_mut() {
            for partial in call.partial.iter().flatten() {
                partial.put(part.arguments.get_or_insert_default(), room);
            }
        }
        self.is_call_open = call.will_continue == Some(true);
    }

    fn message(self) -> Message {
        let Said { finish_reason, parts, search, found, .. } = self;
        let search = search.map(|queries| {
            parts::server_tool_call(None, "google_search", Some(serde_json::json!({ "queries": queries })))
        });
        let found = found.map(|results| {
            parts::server_tool_response(
                None,
                "google_search",
                Some(serde_json::json!({ "results": results })),
            )
        });
        let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        let reason = finish_reason.as_deref().map_or(FinishReason::Error, |reason| meant(reason, has_calls));
        let parts = search.into_iter().chain(found).chain(parts);
        Message::new(Role::Assistant, parts).finish(reason)
    }
}

fn is_filled(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty())
}

/// A reason in the conventions' words, where they have one.
fn meant(reason: &str, has_calls: bool) -> FinishReason {
    match reason {
        "STOP" if has_calls => FinishReason::ToolCall,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "OTHER"
        | "IMAGE_OTHER"
        | "NO_IMAGE"
        | "MALFORMED_FUNCTION_CALL"
        | "MALFORMED_RESPONSE"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE" => FinishReason::Error,
        other => other.into(),
    }
}
