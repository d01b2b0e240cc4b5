//! An answer: whole, or as the pieces of a stream, which look the same.

use std::borrow::Cow;

use otel_genai::{Failure, ProviderName};

use super::candidates::{Brief, Candidate, Candidates};
use super::error;
use super::usage::{Counts, Report};
use super::words::{BLOCK_REASONS, Word};
use crate::call::{Call, CallMut};
use crate::gather::{first, last};
use crate::json::{self, Given, Lenient, Raw, object};
use crate::protocol::{Answer, Asked, Step};
use crate::scan::Want;

object! {
    struct Document<'a, C> {
        "candidates" => candidates: Given<Vec<C>>,
        "promptFeedback" | "prompt_feedback" => feedback: Option<Feedback<'a>>,
        "usageMetadata" | "usage_metadata" => usage: Option<Report<'a>>,
        "modelVersion" | "model_version" => model: Option<Cow<'a, str>>,
        "responseId" | "response_id" => id: Option<Cow<'a, str>>,
        "error" => error: Raw<'a>,
        // Code Assist wraps what others send.
        "response" => response: Option<Box<Inner<'a, C>>>,
    }

    struct Inner<'a, C> {
        "candidates" => candidates: Given<Vec<C>>,
        "promptFeedback" | "prompt_feedback" => feedback: Option<Feedback<'a>>,
        "usageMetadata" | "usage_metadata" => usage: Option<Report<'a>>,
        "modelVersion" | "model_version" => model: Option<Cow<'a, str>>,
        "responseId" | "response_id" => id: Option<Cow<'a, str>>,
    }

    struct Feedback<'a> {
        "blockReason" | "block_reason" => block_reason: Word<'a>,
    }
}

const CANDIDATES: Want =
    Want::Items(&Want::Fields(&[("index", Want::Keep(32)), ("finishReason", Want::Keep(256))]));
const FEEDBACK: Want = Want::Fields(&[("blockReason", Want::Keep(256))]);

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("candidates", CANDIDATES),
    ("promptFeedback", FEEDBACK),
    ("usageMetadata", Want::Keep(16 << 10)),
    ("modelVersion", Want::Keep(1024)),
    ("responseId", Want::Keep(1024)),
    ("error", Want::Keep(64 << 10)),
    (
        "response",
        Want::Fields(&[
            ("candidates", CANDIDATES),
            ("promptFeedback", FEEDBACK),
            ("usageMetadata", Want::Keep(16 << 10)),
            ("modelVersion", Want::Keep(1024)),
            ("responseId", Want::Keep(1024)),
        ]),
    ),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Content {
    content: bool,
    wanted: usize,
    /// Whether anything of an answer has come.
    began: bool,
    id: Option<String>,
    model: Option<String>,
    /// Why nothing is answered at all.
    block_reason: Option<String>,
    counts: Counts,
    candidates: Candidates,
    failure: Option<Failure>,
}

impl Content {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let wanted = match asked.request {
            Call::Inference(op) => op.request.choice_count.and_then(|count| usize::try_from(count).ok()),
            _ => None,
        };
        Content {
            content: asked.options.content,
            wanted: wanted.unwrap_or(1),
            began: false,
            id: None,
            model: None,
            block_reason: None,
            counts: Counts::default(),
            candidates: Candidates::new(
                asked.options.limit,
                asked.route.provider == ProviderName::GcpVertexAi,
            ),
            failure: None,
        }
    }

    fn take<'a, C: Lenient<'a> + Into<Candidate<'a>>>(
        &mut self,
        document: &'a [u8],
        is_whole: bool,
    ) -> Result<Step, serde_json::Error> {
        let mut read: Document<'a, C> = json::read(document)?;
        if let Some(inner) = read.response.take() {
            let Inner { candidates, feedback, usage, model, id, .. } = *inner;
            read = Document { candidates, feedback, usage, model, id, ..Document::default() };
        }
        if read.error.get().is_some() {
            self.failure.get_or_insert_with(|| error::of_document(document));
            return Ok(Step::End);
        }
        let block_reason = read.feedback.and_then(|feedback| feedback.block_reason.of(BLOCK_REASONS));
        let says_something = read.candidates.is_given || read.usage.is_some() || block_reason.is_some();
        self.began |= says_something;
        first(&mut self.id, read.id);
        first(&mut self.model, read.model);
        last(&mut self.block_reason, block_reason);
        if let Some(usage) = read.usage {
            self.counts.take(&usage);
        }
        for (position, candidate) in read.candidates.value.into_iter().enumerate() {
            self.candidates.take(position, candidate.into(), is_whole);
        }
        Ok(if says_something { Step::Chunk } else { Step::Aside })
    }
}

impl Answer for Content {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let taken = match self.content {
            true => self.take::<Candidate<'_>>(document, true),
            false => self.take::<Brief<'_>>(document, true),
        };
        taken.map(|_| ())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            // Not Google's, but servers that also speak OpenAI's language end so.
            return Ok(Step::End);
        }
        match self.content {
            true => self.take::<Candidate<'_>>(data, false),
            false => self.take::<Brief<'_>>(data, false),
        }
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("candidates")
    }

    fn is_complete(&self) -> bool {
        self.block_reason.is_some() || self.candidates.are_finished(self.wanted)
    }

    fn may_end(&self) -> bool {
        // There may be fewer candidates than asked for.
        self.block_reason.is_some() || self.candidates.are_finished(1)
    }

    fn is_cut(&self) -> bool {
        self.candidates.is_cut()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        let CallMut::Inference(op) = call else { return self.failure };
        let response = &mut op.response;
        response.id = self.id.or(response.id.take());
        response.model = self.model.or(response.model.take());
        op.usage.merge(self.counts.usage());
        self.candidates.finish(response);
        if let (true, Some(reason)) = (response.finish_reasons.is_empty(), self.block_reason) {
            response.finish_reasons.push(reason);
        }
        self.failure
    }
}
