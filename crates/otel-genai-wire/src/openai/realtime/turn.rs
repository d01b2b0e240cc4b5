//! One answer of the model, from its beginning to its end.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Inference, Usage};

use super::super::responses::{Delta, Ending, Items, meant};
use super::super::usage::Report;
use super::event::Event;
use super::inputs::{self, Input};
use super::settings::Settings;
use crate::error::Refusal;
use crate::gather::first;
use crate::json::{Raw, object};
use crate::options::Options;
use crate::session::{Answered, Told};

object! {
    /// An answer as far as it is.
    struct Document<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
        "status_details" => details: Option<Box<Details<'a>>>,
        "conversation_id" => conversation: Option<Cow<'a, str>>,
        "usage" => usage: Option<Box<Report<'a>>>,
        "output" => output: Vec<Raw<'a>>,
    }

    struct Details<'a> {
        "reason" => reason: Option<Cow<'a, str>>,
        "error" => error: Raw<'a>,
    }
}

/// What an answer is the answer to.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) inputs: Vec<Input>,
    /// Whether something was left out.
    pub(super) is_cut: bool,
}

#[derive(Debug)]
pub(super) struct Turn {
    call: u64,
    content: bool,
    id: Option<String>,
    conversation: Option<String>,
    status: Option<String>,
    reason: Option<String>,
    usage: Usage,
    settings: Settings,
    heard: Heard,
    items: Items,
    failure: Option<Failure>,
}

impl Turn {
    /// `response`: what the provider says at its beginning, if it has begun.
    pub(super) fn new(
        call: u64,
        response: Option<&Document<'_>>,
        settings: Settings,
        heard: Heard,
        options: Options,
    ) -> Turn {
        let mut turn = Turn {
            call,
            content: options.content,
            id: None,
            conversation: None,
            status: None,
            reason: None,
            usage: Usage::default(),
            settings,
            heard,
            items: Items::new(options.content, options.limit),
            failure: None,
        };
        if let Some(response) = response {
            first(&mut turn.id, response.id.clone());
            first(&mut turn.conversation, response.conversation.clone());
        }
        turn
    }

    pub(super) fn is(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    pub(super) fn inputs(&mut self) -> impl Iterator<Item = &mut Input> {
        self.heard.inputs.iter_mut()
    }

    /// Writes down which answer it is.
    pub(super) fn identify(&self, operation: &mut Inference) {
        operation.conversation_id = self.conversation.clone().or(operation.conversation_id.take());
        operation.response.id = self.id.clone().or(operation.response.id.take());
    }

    /// An event within the answer.
    pub(super) fn event(&mut self, kind: &str, event: &Event<'_>, tell: &mut dyn FnMut(Told)) {
        match kind {
            "response.output_item.added" => self.items.start(event.output_index, event.item),
            "response.output_item.done" => self.items.done(event.output_index, event.item),
            kind => {
                let Some(delta) = kind.strip_prefix("response.").and_then(|kind| kind.strip_suffix(".delta"))
                else {
                    return;
                };
                if let (Some(kind), Some(text)) = (of_delta(delta), &event.delta) {
                    let (output_index, index) = (event.output_index, event.content_index.unwrap_or(0));
                    self.items.delta(&Delta { kind, output_index, is_summary: false, index, text });
                }
                tell(Told::Chunk { call: self.call });
            }
        }
    }

    /// The answer is over.
    pub(super) fn done(mut self, response: Document<'_>, tell: &mut dyn FnMut(Told)) {
        let status = response.status.unwrap_or(Cow::Borrowed("completed"));
        first(&mut self.status, Some(status));
        first(&mut self.conversation, response.conversation);
        if let Some(details) = response.details {
            first(&mut self.reason, details.reason);
            let told = Refusal { error: details.error, ..Refusal::default() }.failure();
            self.failure = told.filter(|_| self.status.as_deref() == Some("failed"));
        }
        if self.status.as_deref() == Some("failed") && self.failure.is_none() {
            self.failure = Some(Failure::new(Failure::OTHER));
        }
        if let Some(usage) = response.usage {
            self.usage.merge(usage.usage());
        }
        if !response.output.is_empty() {
            self.items.replace(&response.output);
        }
        self.tell(tell);
    }

    /// The answer never ended, or never began.
    pub(super) fn cut_off(mut self, failure: Option<Failure>, tell: &mut dyn FnMut(Told)) {
        self.failure = failure;
        self.tell(tell);
    }

    fn tell(self, tell: &mut dyn FnMut(Told)) {
        tell(Told::Ended { call: self.call, answer: Box::new(self) });
    }

    /// Why the model stopped.
    fn finish_reasons(&self) -> Vec<String> {
        match self.status.as_deref() {
            Some("incomplete") => vec![self.reason.as_deref().map_or("incomplete".into(), meant).to_string()],
            Some("failed" | "cancelled") => vec![FinishReason::Error.to_string()],
            None if !self.items.are_begun() => Vec::new(),
            None => vec![FinishReason::Error.to_string()],
            Some(_) => self.items.finish_reasons().into_iter().map(str::to_owned).collect(),
        }
    }
}

impl Answered for Turn {
    fn is_cut(&self) -> bool {
        self.items.is_cut() || self.heard.is_cut
    }

    fn fill(self: Box<Self>, operation: &mut Inference) -> Option<Failure> {
        self.identify(operation);
        operation.response.finish_reasons = self.finish_reasons();
        operation.usage.merge(self.usage);
        if self.content {
            let is_over = matches!(self.status.as_deref(), Some("completed" | "incomplete"));
            let ending = Ending { is_over, incomplete: self.reason.as_deref() };
            operation.response.output_messages = self.items.messages(ending);
            operation.request.input_messages = inputs::messages(self.heard.inputs, self.settings.sound());
            self.settings.fill_content(operation);
        }
        self.failure
    }
}

/// What item a delta belongs to, by the present and by the older words. `None`: of nothing that is told, as sound.
fn of_delta(delta: &str) -> Option<&'static str> {
    Some(match delta {
        "output_text" | "text" | "output_audio_transcript" | "audio_transcript" => "message",
        "function_call_arguments" => "function_call",
        "mcp_call_arguments" => "mcp_call",
        _ => return None,
    })
}
