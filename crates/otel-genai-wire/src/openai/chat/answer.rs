//! A chat answer: whole, or as chunks of a stream, which look alike.

use std::borrow::Cow;

use otel_genai::{Failure, Usage};

use super::super::keep_own;
use super::super::usage::Report;
use super::choices::{Brief, Choice, Choices};
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::gather::{first, last};
use crate::json::{self, Given, Lenient, Raw, object};
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

object! {
    /// An answer or a chunk of one.
    struct Document<'a, C> {
        "id" => id: Option<Cow<'a, str>>,
        "object" => object: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "service_tier" => service_tier: Option<Cow<'a, str>>,
        "system_fingerprint" => system_fingerprint: Option<Cow<'a, str>>,
        "usage" => usage: Option<Box<Report<'a>>>,
        // Groq's usage in streams that were not asked for it.
        "x_groq" => x_groq: Option<Box<Groq<'a>>>,
        "choices" => choices: Given<Vec<C>>,
        "error" => error: Raw<'a>,
    }

    struct Groq<'a> {
        "usage" => usage: Option<Box<Report<'a>>>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("object", Want::Keep(64)),
    ("model", Want::Keep(1024)),
    ("service_tier", Want::Keep(256)),
    ("system_fingerprint", Want::Keep(1024)),
    ("usage", Want::Keep(16 << 10)),
    ("x_groq", Want::Fields(&[("usage", Want::Keep(16 << 10))])),
    (
        "choices",
        Want::Items(&Want::Fields(&[
            ("index", Want::Keep(32)),
            ("finish_reason", Want::Keep(256)),
            ("error", Want::Keep(16 << 10)),
        ])),
    ),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(crate) struct Chat {
    content: bool,
    /// How many choices were asked for.
    wanted: usize,
    id: Option<String>,
    model: Option<String>,
    service_tier: Option<String>,
    system_fingerprint: Option<String>,
    usage: Usage,
    choices: Choices,
    /// Whether there were choices at all, be they none: without them a document is no answer.
    has_choices: bool,
    failure: Option<Failure>,
}

impl Chat {
    pub(crate) fn new(wanted: usize, options: Options) -> Self {
        Chat {
            content: options.content,
            wanted,
            id: None,
            model: None,
            service_tier: None,
            system_fingerprint: None,
            usage: Usage::default(),
            choices: Choices::new(options.limit),
            has_choices: false,
            failure: None,
        }
    }

    /// Takes a document: an answer, a chunk, or an error. Nothing is taken of one that cannot be read.
    fn take(&mut self, document: &[u8], is_whole: bool) -> Result<Step, serde_json::Error> {
        match self.content {
            true => self.take_as::<Choice<'_>>(document, is_whole),
            false => self.take_as::<Brief<'_>>(document, is_whole),
        }
    }

    fn take_as<'a, C: Lenient<'a> + Into<Choice<'a>>>(
        &mut self,
        document: &'a [u8],
        is_whole: bool,
    ) -> Result<Step, serde_json::Error> {
        let answer: Document<'a, C> = json::read(document)?;
        first(&mut self.id, answer.id);
        first(&mut self.model, answer.model);
        last(&mut self.service_tier, answer.service_tier);
        last(&mut self.system_fingerprint, answer.system_fingerprint);
        let usage = answer.usage.or(answer.x_groq.and_then(|groq| groq.usage));
        if let Some(usage) = usage {
            self.usage.merge(usage.usage());
        }
        self.has_choices |= answer.choices.is_given;
        let choices = answer.choices.value;
        let mut is_error = answer.error.get().is_some() || answer.object.as_deref() == Some("error");
        if is_error {
            let failure = json::read::<Refusal<'_>>(document)?.failure();
            is_error = failure.is_some() && choices.is_empty();
            self.failure = self.failure.take().or(failure);
        }
        for (position, choice) in choices.into_iter().enumerate() {
            let choice: Choice<'a> = choice.into();
            if self.failure.is_none() && choice.error.get().is_some() {
                self.failure = Refusal { error: choice.error, ..Refusal::default() }.failure();
            }
            self.choices.take(position, choice, is_whole);
        }
        Ok(if is_error { Step::End } else { Step::Chunk })
    }
}

impl Answer for Chat {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        self.take(document, true).map(drop)
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        if name == Some(b"error") {
            // An error of whatever shape.
            self.failure.get_or_insert_with(|| error::of_event(data));
            return Ok(Step::End);
        }
        self.take(data, false)
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.has_choices).then_some("choices")
    }

    /// Every choice has ended, and there are as many as the request wants.
    fn is_complete(&self) -> bool {
        self.choices.are_finished(self.wanted)
    }

    fn may_end(&self) -> bool {
        self.choices.are_finished(1)
    }

    fn is_cut(&self) -> bool {
        self.choices.is_cut()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::Inference(op) = call else { return self.failure };
        let response = &mut op.response;
        response.id = self.id.or(response.id.take());
        response.model = self.model.or(response.model.take());
        op.openai.response_service_tier = self.service_tier.or(op.openai.response_service_tier.take());
        op.openai.system_fingerprint = self.system_fingerprint.or(op.openai.system_fingerprint.take());
        keep_own(&op.provider, &mut op.openai);
        op.usage.merge(self.usage);
        self.choices.finish(self.content, response);
        self.failure
    }
}
