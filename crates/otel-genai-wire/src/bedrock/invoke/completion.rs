//! Answers that are a text and a reason: those to [`plain`](super::plain) requests.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Message, Part, Role, Usage};

use super::super::meant;
use crate::call::CallMut;
use crate::gather::{Room, first};
use crate::json::{self, Given, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

/// More texts are not kept.
const MAX_CHOICES: u64 = 64;

object! {
    /// A whole answer, or a piece of one.
    struct Document<'a> {
        "id" => id: Option<Cow<'a, str>>,
        // Titan's pieces, Llama's, Cohere's pieces, Claude's.
        "outputText" | "generation" | "text" | "completion" => text: Given<Option<Cow<'a, str>>>,
        "completionReason" | "stop_reason" | "finish_reason" => reason: Option<Cow<'a, str>>,
        "index" => index: Option<u64>,
        // Titan's, Cohere's, Mistral's, AI21's.
        "results" | "generations" | "outputs" | "completions" => choices: Given<Vec<Option<Choice<'a>>>>,
        "inputTextTokenCount" | "prompt_token_count" => input: Option<u64>,
        "totalOutputTextTokenCount" | "generation_token_count" => output: Option<u64>,
        "is_finished" => is_finished: Option<bool>,
    }

    struct Choice<'a> {
        "outputText" | "text" => text: Option<Cow<'a, str>>,
        "completionReason" | "stop_reason" | "finish_reason" => reason: Option<Cow<'a, str>>,
        "tokenCount" => tokens: Option<u64>,
        "index" => index: Option<u64>,
        "data" => data: Option<Data<'a>>,
        "finishReason" => finish: Option<Finish<'a>>,
    }

    struct Data<'a> {
        "text" => text: Option<Cow<'a, str>>,
    }

    struct Finish<'a> {
        "reason" => reason: Option<Cow<'a, str>>,
    }
}

/// What has been said so far.
#[derive(Debug)]
pub(super) struct Completion {
    content: bool,
    /// Whether there was a text, be it none: without it a document is no answer.
    began: bool,
    id: Option<String>,
    usage: Usage,
    texts: Vec<Text>,
    room: Room,
}

#[derive(Debug, Default)]
struct Text {
    text: String,
    reason: Option<String>,
}

impl Completion {
    pub(super) fn new(options: Options) -> Self {
        Completion {
            content: options.content,
            began: false,
            id: None,
            usage: Usage::default(),
            texts: Vec::new(),
            room: Room::new(options.limit),
        }
    }

    fn add(&mut self, index: u64, text: Option<&str>, reason: Option<Cow<'_, str>>) {
        self.began = true;
        if index >= MAX_CHOICES {
            return;
        }
        let at = usize::try_from(index).unwrap_or_default();
        if self.texts.len() <= at {
            self.texts.resize_with(at + 1, Text::default);
        }
        let Some(into) = self.texts.get_mut(at) else { return };
        first(&mut into.reason, reason);
        if self.content {
            self.room.append(&mut into.text, text.unwrap_or_default());
        }
    }

    fn take(&mut self, document: &[u8]) -> Result<Step, serde_json::Error> {
        let answer: Document<'_> = json::read(document)?;
        first(&mut self.id, answer.id);
        let tokens = answer.choices.value.iter().flatten().filter_map(|choice| choice.tokens);
        let output = answer.output.or_else(|| tokens.reduce(u64::saturating_add));
        let mut usage = Usage::default();
        usage.input_tokens = answer.input;
        usage.output_tokens = output;
        self.usage.merge(usage);
        let is_chunk = answer.text.is_given || answer.choices.is_given || answer.is_finished.is_some();
        if answer.choices.is_given {
            self.began = true;
            for (position, choice) in answer.choices.value.into_iter().flatten().enumerate() {
                let index = choice.index.unwrap_or(position as u64);
                let text = choice.text.or_else(|| choice.data.and_then(|data| data.text));
                let reason = choice.reason.or_else(|| choice.finish.and_then(|finish| finish.reason));
                self.add(index, text.as_deref(), reason);
            }
        } else if is_chunk || answer.reason.is_some() {
            self.add(answer.index.unwrap_or_default(), answer.text.value.as_deref(), answer.reason);
        }
        Ok(if is_chunk { Step::Chunk } else { Step::Aside })
    }
}

impl Answer for Completion {
    fn want(&self) -> &'static Want {
        &super::answer::WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        self.take(document).map(drop)
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.take(data)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("text")
    }

    fn is_complete(&self) -> bool {
        !self.texts.is_empty() && self.texts.iter().all(|text| text.reason.is_some())
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::Inference(op) = call else { return None };
        op.response.id = self.id.or(op.response.id.take());
        op.usage.merge(self.usage);
        for Text { text, reason } in self.texts {
            // Cohere's whole answers may have none.
            let reason = reason.as_deref().unwrap_or(FinishReason::Error.as_str());
            op.response.finish_reasons.push(reason.to_owned());
            if self.content {
                let message = Message::new(Role::Assistant, [Part::text(text)]).finish(meant(reason));
                op.response.output_messages.push(message);
            }
        }
        None
    }
}
