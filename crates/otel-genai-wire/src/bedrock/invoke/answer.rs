//! An answer in one of many languages. Which one, its first document tells.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use otel_genai::{Failure, Usage};

use super::super::answer as converse;
use super::super::usage::Report;
use super::completion::Completion;
use crate::call::CallMut;
use crate::cohere::ChatV1;
use crate::json::{self, Given, Raw, object};
use crate::openai::ChatCompletions;
use crate::options::Options;
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::Want;
use crate::{anthropic, error};

object! {
    /// What a stream's event carries.
    struct Chunk<'a> {
        "bytes" => bytes: Option<Cow<'a, str>>,
    }

    /// Whose a document is.
    struct Shape<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "choices" => choices: Given<Raw<'a>>,
        "output" => output: Given<Raw<'a>>,
        "messageStart" | "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" | "messageStop" | "metadata" => nova: Given<Raw<'a>>,
        "event_type" | "generation_id" | "response_id" | "chat_history" => cohere: Given<Raw<'a>>,
    }

    /// What Bedrock adds to the last event of every stream.
    struct Metered<'a> {
        "amazon-bedrock-invocationMetrics" => metrics: Option<Report<'a>>,
    }
}

const METRICS: &[u8] = b"\"amazon-bedrock-invocationMetrics\"";

/// What is picked out of an answer whose content is not wanted, or that is too long: what is wanted of all the
/// protocols.
pub(super) static WANT: Want = Want::Fields(&[
    ("type", Want::Keep(64)),
    ("id", Want::Keep(1024)),
    ("model", Want::Keep(1024)),
    ("role", Want::Keep(64)),
    ("content", Want::Fields(&[])),
    ("stop_reason", Want::Keep(256)),
    ("usage", Want::Keep(16 << 10)),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
    // Nova
    ("output", converse::OUTPUT),
    ("stopReason", Want::Keep(256)),
    ("trace", converse::TRACE),
    // OpenAI
    ("object", Want::Keep(64)),
    ("service_tier", Want::Keep(256)),
    ("system_fingerprint", Want::Keep(1024)),
    (
        "choices",
        Want::Items(&Want::Fields(&[
            ("index", Want::Keep(32)),
            ("finish_reason", Want::Keep(256)),
            ("error", Want::Keep(16 << 10)),
        ])),
    ),
    // Cohere
    ("event_type", Want::Keep(64)),
    ("generation_id", Want::Keep(1024)),
    ("response_id", Want::Keep(1024)),
    ("chat_history", Want::Fields(&[])),
    ("meta", Want::Keep(16 << 10)),
    ("finish_reason", Want::Keep(256)),
    ("text", Want::Fields(&[])),
    ("generations", COMPLETIONS),
    // Titan, Llama, Mistral, AI21, Claude of old
    ("outputText", Want::Fields(&[])),
    ("generation", Want::Fields(&[])),
    ("completion", Want::Fields(&[])),
    ("completionReason", Want::Keep(256)),
    ("inputTextTokenCount", Want::Keep(64)),
    ("totalOutputTextTokenCount", Want::Keep(64)),
    ("prompt_token_count", Want::Keep(64)),
    ("generation_token_count", Want::Keep(64)),
    ("results", COMPLETIONS),
    ("outputs", COMPLETIONS),
    ("completions", COMPLETIONS),
]);

const COMPLETIONS: Want = Want::Items(&Want::Fields(&[
    ("completionReason", Want::Keep(256)),
    ("stop_reason", Want::Keep(256)),
    ("finish_reason", Want::Keep(256)),
    ("finishReason", Want::Keep(1024)),
    ("tokenCount", Want::Keep(64)),
    ("index", Want::Keep(32)),
]));

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Invoked {
    options: Options,
    state: State,
    /// Of the headers, or of what Bedrock adds to a stream: told where the vendor's own body is silent.
    usage: Usage,
    failure: Option<Failure>,
}

#[derive(Debug)]
enum State {
    /// Nothing has come yet. One reader of each language is there; none of them costs anything.
    Unknown {
        anthropic: Box<dyn Answer>,
        openai: Box<dyn Answer>,
        cohere: Box<dyn Answer>,
    },
    Known(Box<dyn Answer>),
}

impl Invoked {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let count = |name| {
            let value = asked.headers.get(name).and_then(|value| value.to_str().ok());
            value.and_then(|value| value.trim().parse().ok())
        };
        let mut usage = Usage::default();
        usage.input_tokens = count("x-amzn-bedrock-input-token-count");
        usage.output_tokens = count("x-amzn-bedrock-output-token-count");
        let state = State::Unknown {
            anthropic: anthropic::Messages.answer(asked),
            openai: ChatCompletions.answer(asked),
            cohere: ChatV1.answer(asked),
        };
        Invoked { options: asked.options, state, usage, failure: None }
    }

    /// The reader of this document, and of all that follow.
    fn reader(&mut self, document: &[u8]) -> Result<&mut dyn Answer, serde_json::Error> {
        if let State::Unknown { .. } = self.state {
            let shape: Shape<'_> = json::read(document)?;
            let nothing = State::Known(Box::new(Completion::new(self.options)));
            let state = std::mem::replace(&mut self.state, nothing);
            self.state = match state {
                State::Unknown { anthropic, openai, cohere } => State::Known(if shape.choices.is_given {
                    openai
                } else if shape.output.is_given || shape.nova.is_given {
                    Box::new(converse::Message::new(self.options))
                } else if shape.cohere.is_given {
                    cohere
                } else if shape.kind.is_some() {
                    anthropic
                } else {
                    Box::new(Completion::new(self.options))
                }),
                known => known,
            };
        }
        match &mut self.state {
            State::Known(reader) => Ok(&mut **reader),
            State::Unknown { anthropic, .. } => Ok(&mut **anthropic),
        }
    }

    fn known(&self) -> Option<&dyn Answer> {
        match &self.state {
            State::Known(reader) => Some(&**reader),
            State::Unknown { .. } => None,
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<Step, serde_json::Error> {
        let reader = self.reader(data)?;
        let step = reader.event(None, data)?;
        if memchr::memmem::find(data, METRICS).is_none() {
            return Ok(match step {
                // Bedrock has the last word.
                Step::Last => Step::Chunk,
                step => step,
            });
        }
        let metered: Metered<'_> = json::read(data)?;
        let Some(metrics) = metered.metrics else { return Ok(step) };
        self.usage.merge(metrics.usage());
        Ok(match step {
            Step::Chunk | Step::Last => Step::Last,
            Step::End | Step::Aside => Step::End,
        })
    }
}

impl Answer for Invoked {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.options.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        self.reader(document)?.whole(document)
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if name.is_some_and(|name| name.ends_with(b"Exception")) {
            let kind = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
            self.failure.get_or_insert_with(|| {
                let mut failure = error::of_event(data);
                failure.error_type = kind.into();
                failure
            });
            return Ok(Step::End);
        }
        let chunk: Chunk<'_> = json::read(data)?;
        let Some(bytes) = chunk.bytes else { return self.take(data) };
        let Ok(document) = STANDARD.decode(bytes.as_bytes()) else {
            return Err(serde::de::Error::custom("the bytes of a chunk are not base64"));
        };
        match self.take(&document) {
            Err(error) => json::repair(&document).map_or(Err(error), |repaired| self.take(&repaired)),
            taken => taken,
        }
    }

    fn model(&self) -> Option<&str> {
        self.known()?.model()
    }

    fn missing(&self) -> Option<&'static str> {
        self.known().map_or(Some("content"), Answer::missing)
    }

    fn is_complete(&self) -> bool {
        self.known().is_some_and(Answer::is_complete)
    }

    fn may_end(&self) -> bool {
        self.known().is_some_and(Answer::may_end)
    }

    fn is_cut(&self) -> bool {
        self.known().is_some_and(Answer::is_cut)
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let Invoked { state, usage, failure, .. } = *self;
        let CallMut::Inference(op) = call else { return failure };
        let told = match state {
            State::Known(reader) => reader.finish(CallMut::Inference(op)),
            State::Unknown { .. } => None,
        };
        let vendors = std::mem::replace(&mut op.usage, usage);
        op.usage.merge(vendors);
        told.or(failure)
    }
}
