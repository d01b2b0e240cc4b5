//! An answer: whole, or as the events of a stream, of which the last holds the whole answer once more.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Message, Part, Role, Usage};
use serde_json::Value;

use super::super::usage::Meta;
use super::super::{meant, quoting};
use super::request::ToolCall;
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::gather::{Room, first, last, parse_arguments, tool_call};
use crate::json::{self, Given, Raw, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

/// More calls, and more quoted sources, are not kept.
const MAX_ITEMS: usize = 256;

object! {
    /// A whole answer, or an event of a stream.
    struct Document<'a> {
        "event_type" => kind: Option<Cow<'a, str>>,
        "generation_id" => generation_id: Option<Cow<'a, str>>,
        "response_id" => response_id: Option<Cow<'a, str>>,
        "text" => text: Given<Option<Cow<'a, str>>>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        "meta" => meta: Option<Meta<'a>>,
        "tool_calls" => tool_calls: Given<Vec<Raw<'a>>>,
        "tool_call_delta" => tool_call: Option<Piece<'a>>,
        "citations" => citations: Vec<Raw<'a>>,
        // Of the last event.
        "response" => response: Option<Box<Last<'a>>>,
        "error" => error: Raw<'a>,
        "message" => message: Raw<'a>,
    }

    struct Last<'a> {
        "generation_id" => generation_id: Option<Cow<'a, str>>,
        "response_id" => response_id: Option<Cow<'a, str>>,
        "text" => text: Option<Cow<'a, str>>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        "meta" => meta: Option<Meta<'a>>,
        "tool_calls" => tool_calls: Vec<Raw<'a>>,
        "citations" => citations: Vec<Raw<'a>>,
    }

    struct Piece<'a> {
        "index" => index: Option<u64>,
        "name" => name: Option<Cow<'a, str>>,
        "parameters" => parameters: Option<Cow<'a, str>>,
        "text" => text: Option<Cow<'a, str>>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("generation_id", Want::Keep(1024)),
    ("response_id", Want::Keep(1024)),
    // That it is there, which makes the document an answer.
    ("text", Want::Fields(&[])),
    ("finish_reason", Want::Keep(256)),
    ("meta", Want::Keep(16 << 10)),
    ("error", Want::Keep(16 << 10)),
    ("message", Want::Keep(16 << 10)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Reply {
    content: bool,
    /// Whether the model has begun to answer.
    began: bool,
    id: Option<String>,
    finish_reason: Option<String>,
    usage: Usage,
    plan: String,
    text: String,
    calls: Vec<Call>,
    citations: Vec<Value>,
    room: Room,
    failure: Option<Failure>,
}

#[derive(Debug)]
enum Call {
    Pieces { index: u64, name: String, json: String },
    Whole(Part),
}

impl Reply {
    pub(super) fn new(options: Options) -> Self {
        Reply {
            content: options.content,
            began: false,
            id: None,
            finish_reason: None,
            usage: Usage::default(),
            plan: String::new(),
            text: String::new(),
            calls: Vec::new(),
            citations: Vec::new(),
            room: Room::new(options.limit),
            failure: None,
        }
    }

    /// Takes all calls at once, in place of their pieces.
    fn calls(&mut self, calls: Vec<Raw<'_>>) {
        if calls.is_empty() || !self.content {
            return;
        }
        self.calls.clear();
        for call in calls.into_iter().take(MAX_ITEMS) {
            if let Some(known) = call.to::<Option<ToolCall<'_>>>().filter(|_| self.room.spend(call)) {
                self.calls.push(Call::Whole(known.part()));
            }
        }
    }

    fn cite(&mut self, citations: Vec<Raw<'_>>) {
        for citation in citations {
            if self.content && self.citations.len() < MAX_ITEMS && self.room.spend(citation) {
                self.citations.extend(citation.value());
            }
        }
    }

    fn call(&mut self, piece: &Piece<'_>) {
        // What the model thinks before it calls.
        self.room.append(&mut self.plan, piece.text.as_deref().unwrap_or_default());
        let Some(index) = piece.index else { return };
        let is_it = |call: &Call| matches!(call, Call::Pieces { index: known, .. } if *known == index);
        let at = self.calls.iter().position(is_it).unwrap_or(self.calls.len());
        if at == self.calls.len() && at < MAX_ITEMS {
            self.calls.push(Call::Pieces { index, name: String::new(), json: String::new() });
        }
        if let Some(Call::Pieces { name, json, .. }) = self.calls.get_mut(at) {
            self.room.append(name, piece.name.as_deref().unwrap_or_default());
            self.room.append(json, piece.parameters.as_deref().unwrap_or_default());
        }
    }

    fn end(&mut self, response: Last<'_>) {
        first(&mut self.id, response.generation_id);
        first(&mut self.id, response.response_id);
        last(&mut self.finish_reason, response.finish_reason);
        if let Some(meta) = response.meta {
            self.usage.merge(meta.usage());
        }
        // All of it again; what has come is not worth less, unless nothing has.
        if self.text.is_empty() && self.content {
            self.room.append(&mut self.text, response.text.as_deref().unwrap_or_default());
        }
        if self.calls.iter().all(|call| matches!(call, Call::Pieces { .. })) {
            self.calls(response.tool_calls);
        }
        if self.citations.is_empty() {
            self.cite(response.citations);
        }
    }
}

impl Answer for Reply {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let answer: Document<'_> = json::read(document)?;
        self.began = answer.text.is_given || answer.tool_calls.is_given;
        if !self.began {
            if answer.error.get().is_some() || answer.message.get().is_some() {
                let refusal = json::read::<Refusal<'_>>(document)?;
                self.failure = Some(refusal.failure().unwrap_or_else(|| error::of_event(document)));
            }
            return Ok(());
        }
        first(&mut self.id, answer.generation_id);
        first(&mut self.id, answer.response_id);
        last(&mut self.finish_reason, answer.finish_reason);
        if let Some(meta) = answer.meta {
            self.usage.merge(meta.usage());
        }
        if self.content {
            self.text = answer.text.value.unwrap_or_default().into_owned();
            self.calls(answer.tool_calls.value);
            self.cite(answer.citations);
        }
        Ok(())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let event: Document<'_> = json::read(data)?;
        let kind = event.kind.as_deref().unwrap_or_default();
        first(&mut self.id, event.generation_id);
        match kind {
            "stream-start" | "search-queries-generation" | "search-results" => {
                self.began = true;
                Ok(Step::Chunk)
            }
            "text-generation" => {
                self.began = true;
                if self.content {
                    self.room.append(&mut self.text, event.text.value.as_deref().unwrap_or_default());
                }
                Ok(Step::Chunk)
            }
            "tool-calls-chunk" | "tool-calls-generation" | "citation-generation" => {
                self.began = true;
                self.calls(event.tool_calls.value);
                self.cite(event.citations);
                if self.content {
                    let mut piece = event.tool_call.unwrap_or_default();
                    let text = event.text.value.filter(|_| self.plan.is_empty());
                    piece.text = piece.text.or(text);
                    self.call(&piece);
                }
                Ok(Step::Chunk)
            }
            "stream-end" => {
                self.began = true;
                last(&mut self.finish_reason, event.finish_reason);
                if let Some(response) = event.response {
                    self.end(*response);
                }
                Ok(Step::Last)
            }
            _ if event.error.get().is_some() || event.message.get().is_some() => {
                let refusal = json::read::<Refusal<'_>>(data)?;
                self.failure
                    .get_or_insert_with(|| refusal.failure().unwrap_or_else(|| error::of_event(data)));
                Ok(Step::End)
            }
            _ => Ok(Step::Aside),
        }
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("text")
    }

    fn is_complete(&self) -> bool {
        self.finish_reason.is_some()
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let Reply { content, began, id, finish_reason, usage, plan, text, calls, citations, failure, .. } =
            *self;
        let CallMut::Inference(op) = call else { return failure };
        op.response.id = id.or(op.response.id.take());
        op.usage.merge(usage);
        if began {
            let reason = finish_reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            op.response.finish_reasons.push(reason.to_owned());
            if content {
                let mut parts = Vec::new();
                if !plan.is_empty() {
                    parts.push(Part::reasoning(plan));
                }
                if !text.is_empty() {
                    parts.push(quoting(text, citations));
                }
                parts.extend(calls.into_iter().map(|call| match call {
                    Call::Pieces { name, json, .. } => tool_call(None, name, parse_arguments(json)),
                    Call::Whole(part) => part,
                }));
                let message = Message::new(Role::Assistant, parts).finish(meant(reason));
                op.response.output_messages.push(message);
            }
        }
        failure
    }
}
