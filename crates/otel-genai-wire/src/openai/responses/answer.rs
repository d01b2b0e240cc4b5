//! An answer: whole, or as the events of a stream; just made, or fetched.

use std::borrow::Cow;

use otel_genai::{
    Failure, FetchResponse, FinishReason, Inference, Message, Part, ResponseStatus, ToolDefinition, Usage,
};

use super::super::keep_own;
use super::super::usage::Report;
use super::items::{Delta, Ending, Items, meant};
use super::request::{self, Id};
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::gather::{first, last};
use crate::json::{self, Content, Given, Raw, object};
use crate::protocol::{Answer, Asked, Step};
use crate::scan::Want;

object! {
    /// A response as far as it is.
    struct Document<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "object" => object: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "service_tier" => service_tier: Option<Cow<'a, str>>,
        "conversation" => conversation: Id<'a>,
        "incomplete_details" => incomplete: Option<Box<Incomplete<'a>>>,
        "usage" => usage: Option<Box<Report<'a>>>,
        "output" => output: Given<Vec<Raw<'a>>>,
        "instructions" => instructions: Raw<'a>,
        "tools" => tools: Raw<'a>,
        "error" => error: Raw<'a>,
    }

    struct Incomplete<'a> {
        "reason" => reason: Option<Cow<'a, str>>,
    }

    struct Event<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "output_index" => output_index: Option<u64>,
        "content_index" => content_index: Option<u64>,
        "summary_index" => summary_index: Option<u64>,
        "delta" => delta: Option<Cow<'a, str>>,
        "item" => item: Raw<'a>,
        "response" => response: Raw<'a>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("object", Want::Keep(64)),
    ("status", Want::Keep(64)),
    ("model", Want::Keep(1024)),
    ("service_tier", Want::Keep(256)),
    ("conversation", Want::Keep(4096)),
    ("incomplete_details", Want::Fields(&[("reason", Want::Keep(256))])),
    ("usage", Want::Keep(16 << 10)),
    ("output", Want::Items(&Want::Fields(&[("type", Want::Keep(256)), ("status", Want::Keep(64))]))),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
    ("detail", Want::Keep(64 << 10)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Response {
    content: bool,
    /// Whether it was made before. Then what it was made by is told, too.
    is_fetched: bool,
    began: bool,
    /// Whether the last event of a stream has come.
    is_over: bool,
    id: Option<String>,
    model: Option<String>,
    status: Option<String>,
    incomplete: Option<String>,
    service_tier: Option<String>,
    conversation: Option<String>,
    usage: Usage,
    items: Items,
    compacted: bool,
    instructions: Vec<Part>,
    tools: Vec<ToolDefinition>,
    /// Why the model failed, which is no failure of a fetch.
    model_failure: Option<Failure>,
    failure: Option<Failure>,
}

impl Response {
    pub(super) fn new(asked: &Asked<'_>, is_fetched: bool) -> Response {
        let options = asked.options;
        // Azure's word on the model that it chose.
        let served = asked.headers.get("x-ms-served-model").and_then(|model| model.to_str().ok());
        let mut model = None;
        first(&mut model, served.map(Cow::Borrowed));
        Response {
            content: options.content,
            is_fetched,
            began: false,
            is_over: false,
            id: None,
            model,
            status: None,
            incomplete: None,
            service_tier: None,
            conversation: None,
            usage: Usage::default(),
            items: Items::new(options.content, options.limit),
            compacted: false,
            instructions: Vec::new(),
            tools: Vec::new(),
            model_failure: None,
            failure: None,
        }
    }

    fn take(&mut self, document: Document<'_>) {
        self.began = true;
        first(&mut self.id, document.id);
        first(&mut self.model, document.model);
        last(&mut self.status, document.status);
        // What was asked for stands there until it is known which one served.
        if !matches!(self.status.as_deref(), Some("queued" | "in_progress")) {
            last(&mut self.service_tier, document.service_tier);
        }
        last(&mut self.conversation, document.conversation.0);
        last(&mut self.incomplete, document.incomplete.and_then(|incomplete| incomplete.reason));
        if let Some(usage) = document.usage {
            self.usage.merge(usage.usage());
        }
        // The first events of a stream have no output yet, the last one of some servers has none either.
        if !document.output.value.is_empty() {
            self.compacted |= document.output.value.iter().any(|item| is_compaction(*item));
            self.items.replace(&document.output.value);
        }
        if self.status.as_deref() == Some("failed") && self.model_failure.is_none() {
            let told = Refusal { error: document.error, ..Refusal::default() }.failure();
            self.model_failure = Some(told.unwrap_or_else(|| Failure::new(Failure::OTHER)));
        }
        if self.is_fetched && self.content {
            if self.instructions.is_empty() {
                self.instructions = request::instructions(document.instructions.to::<Content<'_>>());
            }
            if self.tools.is_empty() {
                self.tools = request::tools(document.tools);
            }
        }
    }

    fn take_event(&mut self, kind: &str, event: &Event<'_>) -> Step {
        let index = event.output_index;
        match kind {
            "response.output_item.added" => self.items.start(index, event.item),
            "response.output_item.done" => {
                self.compacted |= is_compaction(event.item);
                self.items.done(index, event.item);
            }
            kind => {
                if let Some(text) = &event.delta
                    && let Some((kind, is_summary)) = of_delta(kind)
                {
                    let place = if is_summary { event.summary_index } else { event.content_index };
                    let (output_index, index) = (index, place.unwrap_or(0));
                    self.items.delta(&Delta { kind, output_index, is_summary, index, text });
                } else if !kind.starts_with("response.") {
                    // A sign of life.
                    return Step::Aside;
                }
            }
        }
        self.began = true;
        Step::Chunk
    }

    /// Why the model stopped, in one word for each thing that it did; nothing where it has not stopped.
    fn finish_reasons(&self) -> Vec<String> {
        match self.status.as_deref() {
            Some("failed" | "cancelled") => vec![FinishReason::Error.to_string()],
            Some("incomplete") => {
                vec![self.incomplete.as_deref().map_or("incomplete".into(), meant).to_string()]
            }
            Some("queued" | "in_progress") => Vec::new(),
            _ if !self.began => Vec::new(),
            // Some servers leave the status out.
            _ => self.items.finish_reasons().into_iter().map(str::to_owned).collect(),
        }
    }

    /// What the model answered, and why it stopped.
    fn output(&mut self, is_cut_off: bool) -> (Vec<String>, Vec<Message>) {
        let mut reasons = self.finish_reasons();
        if reasons.is_empty() && is_cut_off && self.items.are_begun() {
            reasons.push(FinishReason::Error.to_string());
        }
        let is_over = matches!(self.status.as_deref(), None | Some("completed" | "incomplete"));
        let ending = Ending { is_over, incomplete: self.incomplete.as_deref() };
        let items = std::mem::replace(&mut self.items, Items::new(false, 0));
        let messages = if self.content { items.messages(ending) } else { Vec::new() };
        (reasons, messages)
    }

    fn fill(mut self, op: &mut Inference, is_cut_off: bool) {
        (op.response.finish_reasons, op.response.output_messages) = self.output(is_cut_off);
        op.response.id = self.id.or(op.response.id.take());
        op.response.model = self.model.or(op.response.model.take());
        op.response.conversation_compacted |= self.compacted;
        op.conversation_id = op.conversation_id.take().or(self.conversation);
        op.openai.response_service_tier = self.service_tier.or(op.openai.response_service_tier.take());
        keep_own(&op.provider, &mut op.openai);
        op.usage.merge(self.usage);
    }

    fn fill_fetched(mut self, op: &mut FetchResponse, is_cut_off: bool) {
        (op.finish_reasons, op.output_messages) = self.output(is_cut_off);
        if op.response_id.is_empty() {
            op.response_id = self.id.unwrap_or_default();
        }
        op.response_model = self.model.or(op.response_model.take());
        op.status = self.status.map(ResponseStatus::from).or(op.status.take());
        op.system_instructions = self.instructions;
        op.tool_definitions = self.tools;
        op.openai.response_service_tier = self.service_tier.or(op.openai.response_service_tier.take());
        keep_own(&op.provider, &mut op.openai);
    }
}

impl Answer for Response {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let mended = json::mended(document);
        let answer: Document<'_> = json::read(&mended)?;
        let is_answer = answer.output.is_given || answer.object.as_deref() == Some("response");
        if is_answer {
            self.is_over = true;
            self.take(answer);
        } else {
            self.failure = json::read::<Refusal<'_>>(&mended)?.failure();
        }
        Ok(())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let mended = json::mended(data);
        let event: Event<'_> = json::read(&mended)?;
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = event.kind.as_deref().or(name).unwrap_or_default();
        if kind == "error" || name == Some("error") {
            self.failure.get_or_insert_with(|| of_event(&mended));
            return Ok(Step::End);
        }
        let Some(response) = event.response.to::<Option<Document<'_>>>() else {
            return Ok(self.take_event(kind, &event));
        };
        self.take(response);
        Ok(match kind {
            "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled"
            | "response.done" => {
                self.is_over = true;
                Step::Last
            }
            _ => Step::Chunk,
        })
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("output")
    }

    fn is_complete(&self) -> bool {
        self.is_over
    }

    fn is_cut(&self) -> bool {
        self.items.is_cut()
    }

    fn finish(mut self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let failure = match self.is_fetched {
            true => self.failure.take(),
            false => self.failure.take().or(self.model_failure.take()),
        };
        let is_cut_off = !self.is_over;
        match call {
            CallMut::Inference(op) => self.fill(op, is_cut_off),
            CallMut::FetchResponse(op) => self.fill_fetched(op, is_cut_off),
            _ => {}
        }
        failure
    }
}

/// What item a delta belongs to, and whether it is of the summary of reasoning. `None`: of nothing that is told.
fn of_delta(event: &str) -> Option<(&'static str, bool)> {
    Some(match event.strip_prefix("response.")?.strip_suffix(".delta")? {
        "output_text" | "refusal" => ("message", false),
        "reasoning_text" | "reasoning" => ("reasoning", false),
        "reasoning_summary_text" | "reasoning_summary" => ("reasoning", true),
        "function_call_arguments" => ("function_call", false),
        "custom_tool_call_input" => ("custom_tool_call", false),
        "mcp_call_arguments" => ("mcp_call", false),
        "code_interpreter_call_code" => ("code_interpreter_call", false),
        _ => return None,
    })
}

fn is_compaction(item: Raw<'_>) -> bool {
    object! {
        struct Item<'a> {
            "type" => kind: Option<Cow<'a, str>>,
        }
    }
    item.to::<Item<'_>>().kind.is_some_and(|kind| kind.starts_with("compaction"))
}

/// The failure that an event tells. That it is an error is not a kind of one.
fn of_event(data: &[u8]) -> Failure {
    let mut failure = error::of_event(data);
    if failure.error_type == "error" {
        failure.error_type = Failure::OTHER.into();
    }
    failure
}
