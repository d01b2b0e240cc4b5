//! An answer of Converse: whole, or as the events of a stream. Those of Nova to InvokeModel look alike.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Part, Role, Usage};

use super::blocks::{Blocks, Delta, Start};
use super::usage::Report;
use super::{block, meant};
use crate::call::CallMut;
use crate::error;
use crate::gather::{first, last};
use crate::json::{self, Given, Raw, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

object! {
    /// A whole answer.
    struct Document<'a> {
        "output" => output: Given<Option<Output<'a>>>,
        "stopReason" => stop_reason: Option<Cow<'a, str>>,
        "usage" => usage: Option<Report<'a>>,
        "trace" => trace: Option<Trace<'a>>,
        "__type" => kind: Option<Cow<'a, str>>,
    }

    struct Output<'a> {
        "message" => message: Option<Said<'a>>,
    }

    struct Said<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Vec<Raw<'a>>,
    }

    /// What is told of the way that the answer was made.
    struct Trace<'a> {
        "promptRouter" => router: Option<Router<'a>>,
    }

    struct Router<'a> {
        "invokedModelId" => model: Option<Cow<'a, str>>,
    }

    /// What an event says, whichever it is.
    struct Event<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "contentBlockIndex" => index: Option<u64>,
        "start" => start: Raw<'a>,
        "delta" => delta: Raw<'a>,
        "stopReason" => stop_reason: Option<Cow<'a, str>>,
        "usage" => usage: Option<Report<'a>>,
        "trace" => trace: Option<Trace<'a>>,
    }

    /// An event that comes without a name of its own: Nova's.
    struct Wrapped<'a> {
        "messageStart" => message_start: Option<Event<'a>>,
        "contentBlockStart" => block_start: Option<Event<'a>>,
        "contentBlockDelta" => block_delta: Option<Event<'a>>,
        "contentBlockStop" => block_stop: Option<Event<'a>>,
        "messageStop" => message_stop: Option<Event<'a>>,
        "metadata" => metadata: Option<Event<'a>>,
    }
}

/// What is picked out of `output`.
pub(super) const OUTPUT: Want = Want::Fields(&[("message", Want::Fields(&[("role", Want::Keep(64))]))]);

/// What is picked out of `trace`.
pub(super) const TRACE: Want =
    Want::Fields(&[("promptRouter", Want::Fields(&[("invokedModelId", Want::Keep(1024))]))]);

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("output", OUTPUT),
    ("stopReason", Want::Keep(256)),
    ("usage", Want::Keep(16 << 10)),
    ("trace", TRACE),
    ("__type", Want::Keep(1024)),
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
    role: Option<String>,
    stop_reason: Option<String>,
    model: Option<String>,
    usage: Usage,
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
            role: None,
            stop_reason: None,
            model: None,
            usage: Usage::default(),
            blocks: Blocks::new(options.limit),
            parts: Vec::new(),
            failure: None,
        }
    }

    fn take(&mut self, name: &str, event: Event<'_>) -> Step {
        first(&mut self.model, event.trace.and_then(|trace| trace.router).and_then(|router| router.model));
        match name {
            "messageStart" => {
                self.began = true;
                self.spoke |= self.content;
                first(&mut self.role, event.role);
                Step::Chunk
            }
            "contentBlockStart" => {
                self.began = true;
                if self.content {
                    self.spoke = true;
                    self.blocks.start(event.index, event.start.to::<Start<'_>>());
                }
                Step::Chunk
            }
            "contentBlockDelta" => {
                self.began = true;
                if self.content {
                    self.spoke = true;
                    self.blocks.delta(event.index, event.delta.to::<Delta<'_>>());
                }
                Step::Chunk
            }
            "messageStop" => {
                self.began = true;
                last(&mut self.stop_reason, event.stop_reason);
                Step::Chunk
            }
            "metadata" => {
                if let Some(usage) = event.usage {
                    self.usage.merge(usage.usage());
                }
                Step::Last
            }
            // The ends of blocks, and what will be invented.
            _ => Step::Aside,
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
        if !answer.output.is_given {
            // In place of an answer, although the status says otherwise.
            self.failure = answer.kind.map(|_| super::failure(200, &http::HeaderMap::new(), document));
            return Ok(());
        }
        self.began = true;
        last(&mut self.stop_reason, answer.stop_reason);
        first(&mut self.model, answer.trace.and_then(|trace| trace.router).and_then(|router| router.model));
        if let Some(usage) = answer.usage {
            self.usage.merge(usage.usage());
        }
        if let Some(message) = answer.output.value.and_then(|output| output.message) {
            first(&mut self.role, message.role);
            if self.content {
                self.spoke = true;
                message.content.into_iter().for_each(|item| block::parts(item, &mut self.parts));
            }
        }
        Ok(())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        if let Some(name) = name.filter(|name| *name != "chunk") {
            if name.ends_with("Exception") {
                self.failure.get_or_insert_with(|| {
                    let mut failure = error::of_event(data);
                    failure.error_type = name.to_owned().into();
                    failure
                });
                return Ok(Step::End);
            }
            return Ok(self.take(name, json::read(data)?));
        }
        let wrapped: Wrapped<'_> = json::read(data)?;
        let known = [
            ("messageStart", wrapped.message_start),
            ("contentBlockStart", wrapped.block_start),
            ("contentBlockDelta", wrapped.block_delta),
            ("contentBlockStop", wrapped.block_stop),
            ("messageStop", wrapped.message_stop),
            ("metadata", wrapped.metadata),
        ];
        let event = known.into_iter().find_map(|(name, event)| event.map(|event| (name, event)));
        Ok(event.map_or(Step::Aside, |(name, event)| self.take(name, event)))
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("output")
    }

    fn is_complete(&self) -> bool {
        self.stop_reason.is_some()
    }

    fn is_cut(&self) -> bool {
        self.blocks.is_cut()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::Inference(op) = call else { return self.failure };
        op.response.model = self.model.or(op.response.model.take());
        op.usage.merge(self.usage);
        if self.began {
            let reason = self.stop_reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            op.response.finish_reasons.push(reason.to_owned());
            if self.spoke {
                let mut parts = self.parts;
                parts.extend(self.blocks.parts());
                let role = self.role.map_or(Role::Assistant, Role::from);
                let message = otel_genai::Message::new(role, parts).finish(meant(reason));
                op.response.output_messages.push(message);
            }
        }
        self.failure
    }
}
