//! An answer: whole, or as the events of a stream.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Part, Role, Usage};
use serde_json::Value;

use super::super::usage::Meta;
use super::super::{meant, quoting};
use super::request::Sent;
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::gather::{Room, first, last, parse_arguments, tool_call};
use crate::json::{self, Given, Raw, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

/// More parts, and more quoted sources, are not kept.
const MAX_BLOCKS: usize = 1024;
const MAX_CITATIONS: usize = 256;

object! {
    /// A whole answer.
    struct Document<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "message" => message: Given<Option<Sent<'a>>>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        "usage" | "meta" => usage: Option<Meta<'a>>,
        "error" => error: Raw<'a>,
    }

    struct Event<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "index" => index: Option<u64>,
        "delta" => delta: Option<Box<Delta<'a>>>,
    }

    struct Delta<'a> {
        "message" => message: Raw<'a>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        "usage" => usage: Option<Meta<'a>>,
        "error" => error: Option<Cow<'a, str>>,
    }

    /// A piece of the message.
    struct Piece<'a> {
        "content" => content: Option<Said<'a>>,
        "tool_plan" => tool_plan: Option<Cow<'a, str>>,
        "tool_calls" => tool_calls: Option<Call<'a>>,
        "citations" => citations: Raw<'a>,
    }

    struct Said<'a> {
        "text" => text: Option<Cow<'a, str>>,
        "thinking" => thinking: Option<Cow<'a, str>>,
    }

    struct Call<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "function" => function: Option<Function<'a>>,
    }

    struct Function<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "arguments" => arguments: Option<Cow<'a, str>>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("model", Want::Keep(1024)),
    // That it is there, which makes the document an answer.
    ("message", Want::Fields(&[("role", Want::Keep(64))])),
    ("finish_reason", Want::Keep(256)),
    ("usage", Want::Keep(16 << 10)),
    ("meta", Want::Keep(16 << 10)),
    ("error", Want::Keep(16 << 10)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Message {
    content: bool,
    /// Whether the model has begun to answer.
    began: bool,
    id: Option<String>,
    model: Option<String>,
    finish_reason: Option<String>,
    usage: Usage,
    blocks: Vec<Block>,
    citations: Vec<Value>,
    room: Room,
    failure: Option<Failure>,
}

#[derive(Debug)]
enum Block {
    Plan(String),
    Text { index: u64, text: String },
    Thought { index: u64, text: String },
    Call { index: u64, id: String, name: String, json: String },
    Whole(Vec<Part>),
}

impl Message {
    pub(super) fn new(options: Options) -> Self {
        Message {
            content: options.content,
            began: false,
            id: None,
            model: None,
            finish_reason: None,
            usage: Usage::default(),
            blocks: Vec::new(),
            citations: Vec::new(),
            room: Room::new(options.limit),
            failure: None,
        }
    }

    fn take(&mut self, kind: &str, event: Event<'_>, data: &[u8]) -> Step {
        let delta = event.delta.map(|delta| *delta).unwrap_or_default();
        let index = event.index.unwrap_or_default();
        first(&mut self.id, event.id);
        match kind {
            "message-start" => {
                self.began = true;
                Step::Chunk
            }
            "content-start" | "content-delta" | "tool-plan-delta" | "tool-call-start" | "tool-call-delta"
            | "citation-start" => {
                self.began = true;
                if self.content {
                    self.piece(index, kind == "tool-call-start", delta.message.to::<Piece<'_>>());
                }
                Step::Chunk
            }
            "message-end" => {
                self.began = true;
                last(&mut self.finish_reason, delta.finish_reason);
                if let Some(usage) = delta.usage {
                    self.usage.merge(usage.usage());
                }
                let error = delta.error.filter(|error| !error.is_empty());
                if let Some(message) = error {
                    let kind = self.finish_reason.clone().unwrap_or_else(|| Failure::OTHER.to_owned());
                    let message = json::prefix(&message, 1024);
                    self.failure.get_or_insert_with(|| Failure::new(kind).message(message));
                }
                Step::Last
            }
            "error" => {
                self.failure.get_or_insert_with(|| error::of_event(data));
                Step::End
            }
            // The ends of parts, and what will be invented.
            _ => Step::Aside,
        }
    }

    fn piece(&mut self, index: u64, is_new: bool, piece: Piece<'_>) {
        if let Some(plan) = piece.tool_plan {
            let block = self.block(|block| matches!(block, Block::Plan(_)), || Block::Plan(String::new()));
            if let Some((Block::Plan(text), room)) = block {
                room.append(text, &plan);
            }
        }
        if let Some(thinking) = piece.content.as_ref().and_then(|said| said.thinking.as_deref()) {
            let is_it =
                |block: &Block| matches!(block, Block::Thought { index: known, .. } if *known == index);
            let block = self.block(is_it, || Block::Thought { index, text: String::new() });
            if let Some((Block::Thought { text, .. }, room)) = block {
                room.append(text, thinking);
            }
        }
        if let Some(said) = piece.content.as_ref().and_then(|said| said.text.as_deref()) {
            let is_it = |block: &Block| matches!(block, Block::Text { index: known, .. } if *known == index);
            let block = self.block(is_it, || Block::Text { index, text: String::new() });
            if let Some((Block::Text { text, .. }, room)) = block {
                room.append(text, said);
            }
        }
        if let Some(call) = piece.tool_calls {
            let function = call.function.unwrap_or_default();
            let is_it = |block: &Block| matches!(block, Block::Call { index: known, .. } if *known == index);
            // Of a call whose beginning was lost nobody knows what it calls.
            if !is_new && !self.blocks.iter().any(is_it) {
                return;
            }
            let begin = || Block::Call { index, id: String::new(), name: String::new(), json: String::new() };
            if let Some((Block::Call { id, name, json, .. }, room)) = self.block(is_it, begin) {
                if id.is_empty() {
                    room.append(id, call.id.as_deref().unwrap_or_default());
                }
                if name.is_empty() {
                    room.append(name, function.name.as_deref().unwrap_or_default());
                }
                room.append(json, function.arguments.as_deref().unwrap_or_default());
            }
        }
        if piece.citations.get().is_some_and(|citation| citation.starts_with('{')) {
            self.cite(piece.citations);
        }
    }

    fn cite(&mut self, citation: Raw<'_>) {
        if self.citations.len() < MAX_CITATIONS && self.room.spend(citation) {
            self.citations.extend(citation.value());
        }
    }

    /// The block that is it, or else a new one; and the room that there is.
    fn block(
        &mut self,
        is_it: impl Fn(&Block) -> bool,
        begin: impl FnOnce() -> Block,
    ) -> Option<(&mut Block, &mut Room)> {
        let at = match self.blocks.iter().rposition(is_it) {
            Some(at) => at,
            None if self.blocks.len() >= MAX_BLOCKS => return None,
            None => {
                self.blocks.push(begin());
                self.blocks.len() - 1
            }
        };
        Some((self.blocks.get_mut(at)?, &mut self.room))
    }

    fn parts(blocks: Vec<Block>, citations: Vec<Value>) -> Vec<Part> {
        let mut parts = Vec::new();
        for block in blocks {
            match block {
                Block::Plan(text) | Block::Thought { text, .. } => parts.push(Part::reasoning(text)),
                Block::Text { text, .. } => parts.push(Part::text(text)),
                Block::Call { id, name, json, .. } => {
                    parts.push(tool_call(Some(id), name, parse_arguments(json)));
                }
                Block::Whole(whole) => parts.extend(whole),
            }
        }
        // They tell the places within the text themselves.
        if let Some(Part::Text(text)) = parts.iter_mut().rfind(|part| matches!(part, Part::Text(_))) {
            let content = std::mem::take(&mut text.content);
            if let Part::Text(quoting) = quoting(content, citations) {
                *text = quoting;
            }
        }
        parts
    }
}

impl Answer for Message {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let answer: Document<'_> = json::read(document)?;
        // An error's message is a text.
        self.began = answer.message.value.is_some();
        if !self.began && (answer.error.get().is_some() || answer.message.is_given) {
            let refusal = json::read::<Refusal<'_>>(document)?;
            self.failure = Some(refusal.failure().unwrap_or_else(|| error::of_event(document)));
            return Ok(());
        }
        first(&mut self.id, answer.id);
        first(&mut self.model, answer.model);
        last(&mut self.finish_reason, answer.finish_reason);
        if let Some(usage) = answer.usage {
            self.usage.merge(usage.usage());
        }
        if let Some(mut message) = answer.message.value.filter(|_| self.content) {
            let citations = std::mem::take(&mut message.citations);
            self.blocks.push(Block::Whole(message.parts()));
            citations.into_iter().for_each(|citation| self.cite(citation));
        }
        Ok(())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let event: Event<'_> = json::read(data)?;
        let kind = event.kind.clone();
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = kind.as_deref().or(name).unwrap_or_default();
        Ok(self.take(kind, event, data))
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("message")
    }

    fn is_complete(&self) -> bool {
        self.finish_reason.is_some()
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::Inference(op) = call else { return self.failure };
        let response = &mut op.response;
        response.id = self.id.or(response.id.take());
        response.model = self.model.or(response.model.take());
        op.usage.merge(self.usage);
        if self.began {
            let reason = self.finish_reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            response.finish_reasons.push(reason.to_owned());
            if self.content {
                let parts = Message::parts(self.blocks, self.citations);
                let message = otel_genai::Message::new(Role::Assistant, parts).finish(meant(reason));
                response.output_messages.push(message);
            }
        }
        self.failure
    }
}
