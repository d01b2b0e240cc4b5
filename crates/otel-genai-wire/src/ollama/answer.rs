//! An answer: whole, or as the lines of a stream, which look the same.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Message, Part, Role};

use super::request::{Sent, image};
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::gather::{Room, first, last};
use crate::json::{self, Given, Raw, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

/// More calls and images are not kept.
const MAX_PARTS: usize = 256;

object! {
    struct Document<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "message" => message: Given<Raw<'a>>,
        // Of completions.
        "response" => response: Given<Raw<'a>>,
        "thinking" => thinking: Raw<'a>,
        "done" => done: Option<bool>,
        "done_reason" => done_reason: Option<Cow<'a, str>>,
        "prompt_eval_count" => input: Option<u64>,
        "eval_count" => output: Option<u64>,
        "error" => error: Raw<'a>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    // That it is there, which makes the document an answer.
    ("message", Want::Fields(&[])),
    ("response", Want::Length),
    ("done", Want::Keep(16)),
    ("done_reason", Want::Keep(256)),
    ("prompt_eval_count", Want::Keep(32)),
    ("eval_count", Want::Keep(32)),
    ("error", Want::Keep(64 << 10)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Said {
    content: bool,
    /// The key that makes a document an answer.
    key: &'static str,
    began: bool,
    spoke: bool,
    is_done: bool,
    model: Option<String>,
    done_reason: Option<String>,
    input: Option<u64>,
    output: Option<u64>,
    room: Room,
    reasoning: String,
    text: String,
    /// Calls and images.
    others: Vec<Part>,
    failure: Option<Failure>,
}

impl Said {
    pub(super) fn new(options: Options, key: &'static str) -> Self {
        Said {
            content: options.content,
            key,
            began: false,
            spoke: false,
            is_done: false,
            model: None,
            done_reason: None,
            input: None,
            output: None,
            room: Room::new(options.limit),
            reasoning: String::new(),
            text: String::new(),
            others: Vec::new(),
            failure: None,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Step, serde_json::Error> {
        let document: Document<'_> = json::read(bytes)?;
        if document.error.get().is_some() {
            let failure = json::read::<Refusal<'_>>(bytes)?.failure();
            self.failure = self.failure.take().or(failure).or_else(|| Some(error::of_event(bytes)));
            return Ok(Step::End);
        }
        let is_answer = document.message.is_given || document.response.is_given;
        self.began |= is_answer;
        first(&mut self.model, document.model);
        last(&mut self.done_reason, document.done_reason);
        self.input = document.input.or(self.input);
        self.output = document.output.or(self.output);
        if self.content {
            self.take_content(document.message.value, document.response.value, document.thinking);
        }
        self.is_done |= document.done == Some(true);
        Ok(match (self.is_done, is_answer) {
            (true, _) => Step::Last,
            (false, true) => Step::Chunk,
            (false, false) => Step::Aside,
        })
    }

    fn take_content(&mut self, message: Raw<'_>, response: Raw<'_>, thinking: Raw<'_>) {
        let text =
            |raw: Raw<'_>| -> String { raw.to::<Option<Cow<'_, str>>>().unwrap_or_default().into_owned() };
        if let Some(message) = message.to::<Option<Sent<'_>>>() {
            self.spoke = true;
            self.room.append(&mut self.reasoning, message.thinking.as_deref().unwrap_or_default());
            self.room.append(&mut self.text, message.content.as_deref().unwrap_or_default());
            for call in message.calls.into_iter().flatten() {
                let name = call.function.as_ref().and_then(|function| function.name.as_deref());
                let size = name.map_or(0, str::len) + call.id.as_deref().map_or(0, str::len);
                let arguments = call.function.as_ref().map(|function| function.arguments).unwrap_or_default();
                if self.others.len() < MAX_PARTS && self.room.take(size) && self.room.spend(arguments) {
                    self.others.extend(call.part());
                }
            }
            for data in message.images.iter().flatten() {
                if self.others.len() < MAX_PARTS && self.room.take(data.len()) {
                    self.others.extend(image(data));
                }
            }
        }
        // A scanned document has how long the text is instead.
        if response.get().is_some_and(|response| response.starts_with('"')) {
            self.spoke = true;
            self.room.append(&mut self.text, &text(response));
        }
        self.room.append(&mut self.reasoning, &text(thinking));
    }
}

impl Answer for Said {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        self.take(document).map(|_| ())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.take(data)
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some(self.key)
    }

    fn is_complete(&self) -> bool {
        self.is_done
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::Inference(op) = call else { return self.failure };
        let response = &mut op.response;
        response.model = self.model.or(response.model.take());
        op.usage.input_tokens = self.input.or(op.usage.input_tokens);
        op.usage.output_tokens = self.output.or(op.usage.output_tokens);
        if self.began {
            // Early versions tell that it is over, and not why.
            let known = if self.is_done { FinishReason::Stop } else { FinishReason::Error };
            let reason = self.done_reason.unwrap_or_else(|| known.as_str().to_owned());
            let has_calls = self.others.iter().any(|part| matches!(part, Part::ToolCall(_)));
            let meant = match reason.as_str() {
                "stop" if has_calls => FinishReason::ToolCall,
                reason => reason.into(),
            };
            response.finish_reasons.push(reason);
            if self.spoke {
                let mut parts = Vec::new();
                if !self.reasoning.is_empty() {
                    parts.push(Part::reasoning(self.reasoning));
                }
                if !self.text.is_empty() {
                    parts.push(Part::text(self.text));
                }
                parts.extend(self.others);
                response.output_messages.push(Message::new(Role::Assistant, parts).finish(meant));
            }
        }
        self.failure
    }
}
