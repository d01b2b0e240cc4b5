//! A run: as it is when it was begun, or as the events of its stream.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Message, Modality, Part, Role, Usage};

use super::super::chat::ToolCall;
use super::super::usage::Report;
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::gather::{Room, first, last};
use crate::json::{self, Raw, object};
use crate::media;
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

/// More messages are not kept.
const MAX_MESSAGES: usize = 256;

object! {
    /// A run; or a message, whole or a piece of one.
    struct Document<'a> {
        "object" => object: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "thread_id" => thread_id: Option<Cow<'a, str>>,
        "assistant_id" => assistant_id: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
        "usage" => usage: Option<Box<Report<'a>>>,
        "last_error" => last_error: Raw<'a>,
        "incomplete_details" => incomplete: Option<Box<Incomplete<'a>>>,
        "required_action" => required: Option<Box<Required<'a>>>,
        "content" => content: Vec<Raw<'a>>,
        "delta" => delta: Option<Box<Delta<'a>>>,
        "error" => error: Raw<'a>,
    }

    struct Incomplete<'a> {
        "reason" => reason: Option<Cow<'a, str>>,
    }

    struct Required<'a> {
        "submit_tool_outputs" => outputs: Option<Outputs<'a>>,
    }

    struct Outputs<'a> {
        "tool_calls" => calls: Vec<Raw<'a>>,
    }

    struct Delta<'a> {
        "content" => content: Vec<Raw<'a>>,
    }

    struct Piece<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "text" => text: Option<Text<'a>>,
        "image_file" => file: Option<File<'a>>,
        "image_url" => address: Option<Address<'a>>,
        "refusal" => refusal: Option<Cow<'a, str>>,
    }

    struct Text<'a> {
        "value" => value: Option<Cow<'a, str>>,
        "annotations" => annotations: Raw<'a>,
    }

    struct File<'a> {
        "file_id" => id: Option<Cow<'a, str>>,
    }

    struct Address<'a> {
        "url" => url: Option<Cow<'a, str>>,
    }
}

static WANT: Want = Want::Fields(&[
    ("object", Want::Keep(64)),
    ("id", Want::Keep(1024)),
    ("thread_id", Want::Keep(1024)),
    ("assistant_id", Want::Keep(1024)),
    ("model", Want::Keep(1024)),
    ("status", Want::Keep(64)),
    ("usage", Want::Keep(16 << 10)),
    ("last_error", Want::Keep(64 << 10)),
    ("incomplete_details", Want::Fields(&[("reason", Want::Keep(256))])),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Run {
    content: bool,
    room: Room,
    id: Option<String>,
    thread: Option<String>,
    assistant: Option<String>,
    model: Option<String>,
    status: Option<String>,
    incomplete: Option<String>,
    usage: Usage,
    messages: Vec<Said>,
    calls: Vec<Part>,
    is_over: bool,
    failure: Option<Failure>,
}

/// A message of the assistant.
#[derive(Debug)]
struct Said {
    id: String,
    parts: Vec<Part>,
    is_whole: bool,
}

impl Run {
    pub(super) fn new(options: Options) -> Run {
        Run {
            content: options.content,
            room: Room::new(options.limit),
            id: None,
            thread: None,
            assistant: None,
            model: None,
            status: None,
            incomplete: None,
            usage: Usage::default(),
            messages: Vec::new(),
            calls: Vec::new(),
            is_over: false,
            failure: None,
        }
    }

    fn run(&mut self, run: Document<'_>) {
        first(&mut self.id, run.id);
        first(&mut self.thread, run.thread_id);
        first(&mut self.assistant, run.assistant_id);
        first(&mut self.model, run.model);
        last(&mut self.status, run.status);
        last(&mut self.incomplete, run.incomplete.and_then(|incomplete| incomplete.reason));
        if let Some(usage) = run.usage {
            self.usage.merge(usage.usage());
        }
        if matches!(self.status.as_deref(), Some("failed" | "expired")) && self.failure.is_none() {
            let told = Refusal { error: run.last_error, ..Refusal::default() }.failure();
            self.failure = Some(told.unwrap_or_else(|| Failure::new(Failure::OTHER)));
        }
        let calls = run.required.and_then(|required| required.outputs).map(|outputs| outputs.calls);
        if let Some(calls) = calls.filter(|_| self.content) {
            let room = &mut self.room;
            let calls = calls.into_iter().filter(|call| room.spend(*call));
            self.calls = calls.filter_map(|call| call.to::<Option<ToolCall<'_>>>()?.part()).collect();
        }
    }

    /// A message, which is whole, or goes on.
    fn message(&mut self, message: Document<'_>, is_whole: bool) {
        if !self.content {
            return;
        }
        let id = message.id.as_deref().unwrap_or_default();
        let at = self.messages.iter().position(|said| said.id == id);
        if at.is_none() && self.messages.len() >= MAX_MESSAGES {
            return;
        }
        let mut parts = match at {
            Some(at) => self.messages.remove(at).parts,
            None => Vec::new(),
        };
        let content = message.delta.map_or(message.content, |delta| delta.content);
        if is_whole {
            self.room.give_back(parts.iter().map(size).sum());
            parts.clear();
        }
        for piece in content {
            self.piece(piece, &mut parts);
        }
        self.messages.push(Said { id: json::prefix(id, 1024).to_owned(), parts, is_whole });
    }

    fn piece(&mut self, raw: Raw<'_>, parts: &mut Vec<Part>) {
        let piece: Piece<'_> = raw.to();
        if let Some(text) =
            piece.text.as_ref().and_then(|text| text.value.as_deref()).or(piece.refusal.as_deref())
        {
            // Texts follow each other only where something else stands between them.
            if !matches!(parts.last(), Some(Part::Text(_))) {
                parts.push(Part::text(""));
            }
            if let Some(Part::Text(into)) = parts.last_mut() {
                self.room.append(&mut into.content, text);
                let annotations = piece.text.and_then(|text| text.annotations.value());
                let annotations =
                    annotations.filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
                if let Some(annotations) = annotations.map(media::value_without_secrets) {
                    into.extra.insert("annotations".to_owned(), annotations);
                }
            }
            return;
        }
        let part = match (piece.file.and_then(|file| file.id), piece.address.and_then(|address| address.url))
        {
            (Some(id), _) => Some(Part::file(Modality::Image, id)),
            (None, Some(url)) => media::at(Modality::Image, &url),
            (None, None) => None,
        };
        parts.extend(part.filter(|_| self.room.spend(raw)));
    }

    /// Why the run stopped; `None` where it has not.
    fn reason(&self) -> Option<(String, FinishReason)> {
        let told = |reason: &str, meant: FinishReason| Some((reason.to_owned(), meant));
        match self.status.as_deref()? {
            "completed" => told("stop", FinishReason::Stop),
            "requires_action" => told("tool_calls", FinishReason::ToolCall),
            "incomplete" => match self.incomplete.as_deref() {
                Some("max_completion_tokens" | "max_prompt_tokens") => told("length", FinishReason::Length),
                reason => {
                    let reason = reason.unwrap_or("incomplete");
                    told(reason, reason.into())
                }
            },
            "failed" | "cancelled" | "expired" => told("error", FinishReason::Error),
            _ => None,
        }
    }
}

impl Answer for Run {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let mended = json::mended(document);
        let run: Document<'_> = json::read(&mended)?;
        if run.error.get().is_some() {
            self.failure = json::read::<Refusal<'_>>(&mended)?.failure();
        } else {
            self.is_over = true;
            self.run(run);
        }
        Ok(())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let mended = json::mended(data);
        let document: Document<'_> = json::read(&mended)?;
        let name = name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
        if name == "error" || document.error.get().is_some() {
            self.failure.get_or_insert_with(|| error::of_event(&mended));
            return Ok(Step::End);
        }
        match document.object.as_deref().unwrap_or_default() {
            "thread.run" => self.run(document),
            "thread.message.delta" => self.message(document, false),
            "thread.message" => {
                let is_whole = document.status.as_deref().is_some_and(|status| status != "in_progress");
                self.message(document, is_whole);
            }
            "thread" => first(&mut self.thread, document.id),
            // Its steps, which repeat what the run and the messages say.
            object if object.starts_with("thread.run.step") => {}
            _ => return Ok(Step::Aside),
        }
        Ok(Step::Chunk)
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        self.id.is_none().then_some("id")
    }

    fn is_complete(&self) -> bool {
        self.is_over || self.reason().is_some()
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::InvokeAgent(op) = call else { return self.failure };
        let reason = self.reason();
        op.response.finish_reasons = reason.iter().map(|(reason, _)| reason.clone()).collect();
        op.response.id = self.id.or(op.response.id.take());
        op.response.model = self.model.or(op.response.model.take());
        op.conversation_id = op.conversation_id.take().or(self.thread);
        op.id = op.id.take().or(self.assistant);
        op.usage.merge(self.usage);
        let ended = reason.map_or(FinishReason::Error, |(_, reason)| reason);
        for said in self.messages.into_iter().filter(|said| !said.parts.is_empty()) {
            let reason = if said.is_whole { FinishReason::Stop } else { ended.clone() };
            op.response.output_messages.push(Message::new(Role::Assistant, said.parts).finish(reason));
        }
        if !self.calls.is_empty() {
            let calls = Message::new(Role::Assistant, self.calls).finish(FinishReason::ToolCall);
            op.response.output_messages.push(calls);
        }
        self.failure
    }
}

/// How many bytes of room a part has taken.
fn size(part: &Part) -> usize {
    match part {
        Part::Text(text) => text.content.len(),
        _ => 0,
    }
}
