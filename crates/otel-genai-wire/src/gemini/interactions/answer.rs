//! An interaction: whole, or as the events of a stream.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Message, Part, ResponseStatus, Role};
use serde_json::{Map, Value};

use super::super::error;
use super::super::usage::{Counts, InteractionReport, Report};
use super::steps::{self, Step as Said};
use crate::call::CallMut;
use crate::gather::{Room, first, last, parse_arguments};
use crate::json::{self, Raw, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

/// More steps, and more parts of one, are not kept.
const MAX_STEPS: usize = 1024;
const MAX_PARTS: usize = 1024;

object! {
    struct Document<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
        "usage" => usage: Option<InteractionReport<'a>>,
        // The second is the older word.
        "steps" | "outputs" => steps: Vec<Raw<'a>>,
        "error" => error: Raw<'a>,
    }

    struct Event<'a> {
        "event_type" | "eventType" | "type" => kind: Option<Cow<'a, str>>,
        "index" => index: Option<u64>,
        "interaction" => interaction: Option<Box<Document<'a>>>,
        "interaction_id" | "interactionId" => id: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
        "step" | "content" => step: Raw<'a>,
        "delta" => delta: Raw<'a>,
        "error" => error: Raw<'a>,
    }

    struct Delta<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "text" => text: Option<Cow<'a, str>>,
        "content" => content: Option<Summary<'a>>,
        "annotations" => annotations: Raw<'a>,
        "partial_arguments" | "partialArguments" => arguments: Option<Cow<'a, str>>,
    }

    struct Summary<'a> {
        "text" => text: Option<Cow<'a, str>>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("model", Want::Keep(1024)),
    ("status", Want::Keep(256)),
    ("usage", Want::Keep(16 << 10)),
    ("error", Want::Keep(64 << 10)),
]);

/// What an interaction has told so far.
#[derive(Debug)]
pub(super) struct Interaction {
    content: bool,
    began: bool,
    id: Option<String>,
    model: Option<String>,
    status: Option<String>,
    counts: Counts,
    room: Room,
    parts: Vec<Part>,
    blocks: Vec<Block>,
    failure: Option<Failure>,
}

/// A step of a stream.
#[derive(Debug, Default)]
struct Block {
    index: u64,
    parts: Vec<Part>,
    /// A call or a result: its fields as they came.
    fields: Map<String, Value>,
    arguments: String,
}

impl Interaction {
    pub(super) fn new(options: Options) -> Self {
        Interaction {
            content: options.content,
            began: false,
            id: None,
            model: None,
            status: None,
            counts: Counts::default(),
            room: Room::new(options.limit),
            parts: Vec::new(),
            blocks: Vec::new(),
            failure: None,
        }
    }

    fn take(&mut self, document: Document<'_>) {
        self.began |= document.id.is_some() || document.status.is_some();
        first(&mut self.id, document.id);
        first(&mut self.model, document.model);
        last(&mut self.status, document.status);
        if let Some(usage) = document.usage {
            self.counts.take(&Report::from(usage));
        }
        // At the end of a stream, what was said may be repeated.
        if self.content && self.blocks.is_empty() {
            let steps = document.steps.into_iter().filter_map(Raw::to::<Option<Said<'_>>>);
            for step in steps.take(MAX_STEPS).filter(|step| !is_asked(step)) {
                step.parts(&mut self.room, &mut self.parts);
            }
        }
    }

    /// The step of this number; made where its beginning was lost.
    fn block(&mut self, index: Option<u64>) -> Option<&mut Block> {
        let index = index.unwrap_or_else(|| self.blocks.last().map_or(0, |block| block.index));
        let at = match self.blocks.iter().position(|block| block.index == index) {
            Some(at) => at,
            None if self.blocks.len() < MAX_STEPS => {
                self.blocks.push(Block { index, ..Block::default() });
                self.blocks.len() - 1
            }
            None => return None,
        };
        self.blocks.get_mut(at)
    }

    fn start(&mut self, index: Option<u64>, raw: Raw<'_>) {
        if !self.room.spend(raw) {
            return;
        }
        let Some(step) = raw.to::<Option<Said<'_>>>() else { return };
        let mut room = Room::new(usize::MAX);
        let Some(block) = self.block(index) else { return };
        if is_in_fields(step.kind.as_deref()) {
            block.merge(raw);
        } else if block.parts.is_empty() {
            step.parts(&mut room, &mut block.parts);
        }
    }

    fn delta(&mut self, index: Option<u64>, raw: Raw<'_>) {
        let mut room = std::mem::replace(&mut self.room, Room::new(0));
        if let Some(block) = self.block(index) {
            block.take(raw, &mut room);
        }
        self.room = room;
    }
}

/// Whether a step of an interaction is what was asked.
fn is_asked(step: &Said<'_>) -> bool {
    matches!(step.kind.as_deref(), Some("user_input" | "function_result"))
}

/// Whether a step is a call or a result, whose fields come one after the other.
fn is_in_fields(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| kind.ends_with("_call") || kind.ends_with("_result"))
}

impl Block {
    fn take(&mut self, raw: Raw<'_>, room: &mut Room) {
        if self.parts.len() >= MAX_PARTS {
            return;
        }
        let delta: Delta<'_> = raw.to::<Option<Delta<'_>>>().unwrap_or_default();
        match delta.kind.as_deref() {
            Some("text") => {
                if !matches!(self.parts.last(), Some(Part::Text(_))) {
                    self.parts.push(Part::text(""));
                }
                if let Some(part) = self.parts.last_mut() {
                    if let Part::Text(last) = part {
                        room.append(&mut last.content, delta.text.as_deref().unwrap_or_default());
                    }
                    if delta.annotations.get().is_some() && room.spend(delta.annotations) {
                        steps::cite(part, delta.annotations.value());
                    }
                }
            }
            Some("thought_summary") => {
                if !matches!(self.parts.last(), Some(Part::Reasoning(_))) {
                    self.parts.push(Part::reasoning(""));
                }
                if let Some(Part::Reasoning(last)) = self.parts.last_mut() {
                    let text = delta.content.and_then(|content| content.text);
                    room.append(&mut last.content, text.as_deref().unwrap_or_default());
                }
            }
            Some("text_annotation_delta") => {
                if let Some(part) = self.parts.last_mut()
                    && room.spend(delta.annotations)
                {
                    steps::cite(part, delta.annotations.value());
                }
            }
            Some("arguments_delta") => {
                room.append(&mut self.arguments, delta.arguments.as_deref().unwrap_or_default());
            }
            Some("thought_signature") | None => {}
            kind if is_in_fields(kind) => {
                if room.spend(raw) {
                    self.merge(raw);
                }
            }
            _ if !room.spend(raw) => {}
            _ => {
                let Some(step) = raw.to::<Option<Said<'_>>>() else { return };
                step.parts(&mut Room::new(usize::MAX), &mut self.parts);
            }
        }
    }

    /// Takes over the fields of a call or a result.
    fn merge(&mut self, raw: Raw<'_>) {
        let Some(Value::Object(fields)) = raw.value() else { return };
        self.fields.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }

    fn into_parts(mut self) -> Vec<Part> {
        if let Some(arguments) = parse_arguments(self.arguments) {
            self.fields.insert("arguments".to_owned(), arguments);
        }
        if !self.fields.is_empty() {
            let step = Value::Object(self.fields).to_string();
            if let Ok(step) = json::read::<Said<'_>>(step.as_bytes()) {
                step.parts(&mut Room::new(usize::MAX), &mut self.parts);
            }
        }
        self.parts.retain(|part| {
            !matches!(part, Part::Text(text) if text.content.is_empty())
                && !matches!(part, Part::Reasoning(text) if text.content.is_empty())
        });
        self.parts
    }
}

impl Answer for Interaction {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let read: Document<'_> = json::read(document)?;
        if read.error.get().is_some() {
            self.failure = Some(error::of_document(document));
        }
        self.take(read);
        Ok(())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if name == Some(b"done") || data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let event: Event<'_> = json::read(data)?;
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = event.kind.as_deref().or(name).unwrap_or_default();
        match kind {
            "step.start" | "content.start" => {
                self.began = true;
                if self.content {
                    self.start(event.index, event.step);
                }
                Ok(Step::Chunk)
            }
            "step.delta" | "content.delta" => {
                self.began = true;
                if self.content {
                    self.delta(event.index, event.delta);
                }
                Ok(Step::Chunk)
            }
            "step.stop" | "content.stop" => Ok(Step::Aside),
            "error" => {
                self.failure.get_or_insert_with(|| error::of_document(data));
                Ok(Step::End)
            }
            kind if kind.starts_with("interaction.") => {
                let is_update = event.interaction.is_none();
                first(&mut self.id, event.id);
                last(&mut self.status, event.status);
                if let Some(interaction) = event.interaction {
                    if interaction.error.get().is_some() {
                        self.failure.get_or_insert_with(|| error::of_document(data));
                    }
                    self.take(*interaction);
                }
                Ok(match kind {
                    "interaction.completed" | "interaction.complete" => Step::Last,
                    _ if is_update => Step::Aside,
                    _ => Step::Chunk,
                })
            }
            _ if event.error.get().is_some() => {
                self.failure.get_or_insert_with(|| error::of_document(data));
                Ok(Step::End)
            }
            // Signs of life, and what will be invented.
            _ => Ok(Step::Aside),
        }
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began && self.failure.is_none()).then_some("id")
    }

    fn is_complete(&self) -> bool {
        self.status.as_deref().is_some_and(|status| finish_reason(status).is_some())
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let is_fetched = matches!(call, CallMut::FetchResponse(_));
        let status = self.status.as_deref().unwrap_or_default();
        let mut parts = self.parts;
        parts.extend(self.blocks.into_iter().flat_map(Block::into_parts));
        // Where it goes on in the background, there is no reason yet.
        let reason = match status {
            "in_progress" | "queued" | "" if is_fetched || parts.is_empty() => None,
            status => Some(finish_reason(status).unwrap_or(FinishReason::Error)),
        };
        let reason = reason.filter(|_| self.began);
        let messages = (!parts.is_empty()).then(|| {
            let message = Message::new(Role::Assistant, parts);
            match &reason {
                Some(reason) => message.finish(reason.clone()),
                None => message,
            }
        });
        let reasons = reason.map(|reason| reason.as_str().to_owned());
        let failed = (status == "failed" && !is_fetched)
            .then(|| Failure::new("failed").message("the interaction failed"));
        let failure = self.failure.or(failed);
        let (response, usage) = match call {
            CallMut::Inference(op) => (&mut op.response, &mut op.usage),
            CallMut::InvokeAgent(op) => (&mut op.response, &mut op.usage),
            CallMut::FetchResponse(op) => {
                op.response_model = self.model.or(op.response_model.take());
                op.status = self.status.map(ResponseStatus::from).or(op.status.take());
                op.finish_reasons.extend(reasons);
                op.output_messages.extend(messages);
                return failure;
            }
            _ => return failure,
        };
        response.id = self.id.or(response.id.take());
        response.model = self.model.or(response.model.take());
        response.finish_reasons.extend(reasons);
        response.output_messages.extend(messages);
        usage.merge(self.counts.usage());
        failure
    }
}

/// Why an interaction of this status has stopped, in the conventions' words; `None` if it has not.
fn finish_reason(status: &str) -> Option<FinishReason> {
    Some(match status {
        "completed" => FinishReason::Stop,
        "requires_action" => FinishReason::ToolCall,
        "incomplete" | "budget_exceeded" => FinishReason::Length,
        "failed" | "cancelled" => FinishReason::Error,
        _ => return None,
    })
}
