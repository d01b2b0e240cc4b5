//! An answer: whole, or as the events of a stream.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Part, Role};

use super::block;
use super::blocks::{Blocks, Brief, Delta};
use super::usage::{Counts, Report};
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::gather::{first, last};
use crate::json::{self, Content, Given, Lenient, Raw, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

object! {
    /// A message, whole or as it begins.
    struct Document<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Given<Content<'a>>,
        "stop_reason" => stop_reason: Option<Cow<'a, str>>,
        "usage" => usage: Option<Report<'a>>,
        "error" => error: Raw<'a>,
    }

    struct Event<'a, D> {
        "type" => kind: Option<Cow<'a, str>>,
        "index" => index: Option<u64>,
        "message" => message: Option<Box<Document<'a>>>,
        "content_block" => block: Raw<'a>,
        "delta" => delta: D,
        "usage" => usage: Option<Box<Report<'a>>>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("type", Want::Keep(64)),
    ("id", Want::Keep(1024)),
    ("model", Want::Keep(1024)),
    ("role", Want::Keep(64)),
    // That it is there, which makes the document an answer.
    ("content", Want::Fields(&[])),
    ("stop_reason", Want::Keep(256)),
    ("usage", Want::Keep(16 << 10)),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Message {
    content: bool,
    /// Whether the model has begun to answer.
    began: bool,
    /// Whether the content of what it answers is known, be it none.
    spoke: bool,
    id: Option<String>,
    model: Option<String>,
    role: Option<String>,
    stop_reason: Option<String>,
    counts: Counts,
    blocks: Blocks,
    parts: Vec<Part>,
    failure: Option<Failure>,
}

impl Message {
    pub(super) fn new(options: Options) -> Self {
        Message {
            content: options.content,
            began: false,
            spoke: false,
            id: None,
            model: None,
            role: None,
            stop_reason: None,
            counts: Counts::default(),
            blocks: Blocks::new(options.limit),
            parts: Vec::new(),
            failure: None,
        }
    }

    fn take(&mut self, document: Document<'_>) {
        self.began = true;
        first(&mut self.id, document.id);
        first(&mut self.model, document.model);
        first(&mut self.role, document.role);
        last(&mut self.stop_reason, document.stop_reason);
        if let Some(usage) = document.usage {
            self.counts.take(&usage);
        }
        match document.content.value {
            Content::List(items) if self.content => {
                self.spoke = true;
                items.into_iter().for_each(|item| block::parts(item, &mut self.parts));
            }
            Content::Text(text) if self.content => {
                self.spoke = true;
                self.parts.push(Part::text(text));
            }
            _ => {}
        }
    }

    fn take_event<'a, D: Lenient<'a> + Into<Delta<'a>>>(
        &mut self,
        name: Option<&[u8]>,
        data: &'a [u8],
    ) -> Result<Step, serde_json::Error> {
        let event: Event<'a, D> = json::read(data)?;
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = event.kind.as_deref().or(name).unwrap_or_default();
        let delta: Delta<'a> = event.delta.into();
        match kind {
            "content_block_delta" => {
                self.began = true;
                if self.content {
                    self.spoke = true;
                    self.blocks.delta(event.index, &delta);
                }
                Ok(Step::Chunk)
            }
            "content_block_start" => {
                self.began = true;
                if self.content {
                    self.spoke = true;
                    self.blocks.start(event.index, event.block);
                }
                Ok(Step::Chunk)
            }
            "content_block_stop" => {
                self.blocks.stop(event.index);
                Ok(Step::Aside)
            }
            "message_start" => {
                self.take(event.message.map(|message| *message).unwrap_or_default());
                Ok(Step::Chunk)
            }
            "message_delta" => {
                self.began = true;
                last(&mut self.stop_reason, delta.stop_reason);
                if let Some(usage) = event.usage {
                    self.counts.take(&usage);
                }
                Ok(Step::Chunk)
            }
            "message_stop" => Ok(Step::End),
            "error" => {
                self.failure.get_or_insert_with(|| error::of_event(data));
                Ok(Step::End)
            }
            // Signs of life, and what will be invented.
            _ => Ok(Step::Aside),
        }
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
        if answer.kind.as_deref() == Some("error") || answer.error.get().is_some() {
            let refusal = json::read::<Refusal<'_>>(document)?;
            self.failure = Some(refusal.failure().unwrap_or_else(|| error::of_event(document)));
        } else if answer.content.is_given || answer.kind.as_deref() == Some("message") {
            self.take(answer);
        }
        Ok(())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            // Not Anthropic's, but servers that also speak OpenAI's language end so.
            return Ok(Step::End);
        }
        if name == Some(b"error") {
            self.failure.get_or_insert_with(|| error::of_event(data));
            return Ok(Step::End);
        }
        match self.content {
            true => self.take_event::<Delta<'_>>(name, data),
            false => self.take_event::<Brief<'_>>(name, data),
        }
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("content")
    }

    fn is_complete(&self) -> bool {
        self.stop_reason.is_some()
    }

    fn is_cut(&self) -> bool {
        self.blocks.is_cut()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::Inference(op) = call else { return self.failure };
        let response = &mut op.response;
        response.id = self.id.or(response.id.take());
        response.model = self.model.or(response.model.take());
        op.usage.merge(self.counts.usage());
        let mut parts = self.parts;
        parts.extend(self.blocks.parts());
        response.conversation_compacted |=
            self.counts.is_compacted() || parts.iter().any(|part| matches!(part, Part::Compaction(_)));
        if self.began {
            let reason = self.stop_reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            response.finish_reasons.push(reason.to_owned());
            if self.spoke {
                let role = self.role.map_or(Role::Assistant, Role::from);
                response.output_messages.push(otel_genai::Message::new(role, parts).finish(meant(reason)));
            }
        }
        self.failure
    }
}

/// A reason in the conventions' words, where they have one.
fn meant(reason: &str) -> FinishReason {
    match reason {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCall,
        "refusal" => FinishReason::ContentFilter,
        other => other.into(),
    }
}
