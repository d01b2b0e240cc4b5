//! A chat answer: whole, or as chunks of a stream, which look alike.

use std::borrow::Cow;

use otel_genai::{Failure, Inference, Usage};

use super::choices::{Brief, Choice, Choices};
use super::error::Refusal;
use super::usage::Report;
use crate::json::{self, Given, Lenient, Raw, object};
use crate::options::Options;
use crate::scan::Want;

object! {
    /// An answer or a chunk of one.
    struct Answer<'a, C> {
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
pub(crate) static CHAT_ANSWER: Want = Want::Fields(&[
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
    id: Option<String>,
    pub(crate) model: Option<String>,
    service_tier: Option<String>,
    system_fingerprint: Option<String>,
    usage: Usage,
    pub(crate) choices: Choices,
    /// Whether there were choices at all, be they none: without them a document is no answer.
    pub(crate) has_choices: bool,
    pub(crate) failure: Option<Failure>,
}

/// What a document may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A whole answer.
    Whole,
    /// A chunk of one.
    Chunk,
}

/// What a document was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Taken {
    /// An answer, or a chunk of one.
    #[default]
    Answer,
    /// An error in its place.
    Error,
}

impl Chat {
    pub(crate) fn new(options: Options) -> Self {
        Chat {
            content: options.content,
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
    pub(crate) fn take(&mut self, document: &[u8], form: Form) -> Result<Taken, serde_json::Error> {
        match self.content {
            true => self.take_as::<Choice<'_>>(document, form),
            false => self.take_as::<Brief<'_>>(document, form),
        }
    }

    /// An event that is named an error, of whatever shape.
    pub(crate) fn take_error(&mut self, document: &[u8]) {
        let failure = super::error::of_event(document);
        self.failure.get_or_insert(failure);
    }

    fn take_as<'a, C: Lenient<'a> + Into<Choice<'a>>>(
        &mut self,
        document: &'a [u8],
        form: Form,
    ) -> Result<Taken, serde_json::Error> {
        let answer: Answer<'a, C> = json::read(document)?;
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
            self.choices.take(position, choice, form == Form::Whole);
        }
        Ok(if is_error { Taken::Error } else { Taken::Answer })
    }

    /// Writes all that was told into the call.
    pub(crate) fn finish(self, op: &mut Inference) -> Option<Failure> {
        let response = &mut op.response;
        response.id = self.id.or(response.id.take());
        response.model = self.model.or(response.model.take());
        op.openai.response_service_tier = self.service_tier.or(op.openai.response_service_tier.take());
        op.openai.system_fingerprint = self.system_fingerprint.or(op.openai.system_fingerprint.take());
        op.usage.merge(self.usage);
        self.choices.finish(self.content, response);
        self.failure
    }
}

/// Longer identifiers are cut, in bytes.
const MAX_TEXT: usize = 1024;

/// Keeps the first that says something: some servers begin with an empty chunk, and Azure's router names the model
/// once.
fn first(known: &mut Option<String>, told: Option<Cow<'_, str>>) {
    if let (None, Some(told)) = (&known, told.filter(|told| !told.is_empty())) {
        *known = Some(json::prefix(&told, MAX_TEXT).to_owned());
    }
}

/// Keeps the last that says something: the tier that served may be known at the end only.
fn last(known: &mut Option<String>, told: Option<Cow<'_, str>>) {
    let Some(told) = told.filter(|told| !told.is_empty()) else { return };
    if known.as_deref() != Some(&*told) {
        *known = Some(json::prefix(&told, MAX_TEXT).to_owned());
    }
}
