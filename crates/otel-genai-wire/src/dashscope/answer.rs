//! An answer: whole, or as the events of a stream, which look the same.

use std::borrow::Cow;

use otel_genai::{Failure, Modality, Usage};

use super::choices::{Choice, Choices};
use super::usage::Report;
use crate::call::{Call, CallMut};
use crate::error;
use crate::gather::first;
use crate::json::{self, Raw, object};
use crate::media;
use crate::protocol::{Answer, Asked, Step};
use crate::scan::Want;

object! {
    struct Document<'a> {
        "request_id" => id: Option<Cow<'a, str>>,
        "output" => output: Option<Said<'a>>,
        "usage" => usage: Option<Report<'a>>,
        "code" => code: Option<Cow<'a, str>>,
    }

    struct Said<'a> {
        "choices" => choices: Vec<Option<Choice<'a>>>,
        "text" => text: Raw<'a>,
        "finish_reason" => finish_reason: Option<Cow<'a, str>>,
        // Speech.
        "audio" => audio: Option<Audio<'a>>,
    }

    struct Audio<'a> {
        "url" => url: Option<Cow<'a, str>>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("request_id", Want::Keep(1024)),
    (
        "output",
        Want::Fields(&[
            (
                "choices",
                Want::Items(&Want::Fields(&[("index", Want::Keep(32)), ("finish_reason", Want::Keep(256))])),
            ),
            ("text", Want::Length),
            ("finish_reason", Want::Keep(256)),
        ]),
    ),
    ("usage", Want::Keep(16 << 10)),
    ("code", Want::Keep(256)),
    ("message", Want::Keep(16 << 10)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Output {
    content: bool,
    wanted: usize,
    began: bool,
    id: Option<String>,
    usage: Usage,
    choices: Choices,
    failure: Option<Failure>,
}

impl Output {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let wanted = match asked.request {
            Call::Inference(op) => op.request.choice_count.and_then(|count| usize::try_from(count).ok()),
            _ => None,
        };
        Output {
            content: asked.options.content,
            wanted: wanted.unwrap_or(1),
            began: false,
            id: None,
            usage: Usage::default(),
            choices: Choices::new(asked.options.limit),
            failure: None,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Step, serde_json::Error> {
        let document: Document<'_> = json::read(bytes)?;
        first(&mut self.id, document.id);
        if document.output.is_none() && document.code.is_some_and(|code| !code.is_empty()) {
            self.failure.get_or_insert_with(|| error::of_event(bytes));
            return Ok(Step::End);
        }
        if let Some(usage) = document.usage {
            self.usage.merge(usage.usage());
        }
        let Some(output) = document.output else { return Ok(Step::Aside) };
        self.began = true;
        for (position, choice) in output.choices.into_iter().enumerate() {
            self.choices.take(position, choice.unwrap_or_default(), self.content);
        }
        if let Some(json) = output.text.get() {
            // A scanned document has how long the text is instead.
            let content = self.content && json.starts_with('"');
            let text = output.text.to::<Option<Cow<'_, str>>>().unwrap_or_default();
            self.choices.take_text(&text, output.finish_reason, content);
        } else if let Some(reason) = output.finish_reason {
            self.choices.take_text("", Some(reason), false);
        }
        let audio = output.audio.and_then(|audio| audio.url).filter(|url| self.content && !url.is_empty());
        if let Some(part) = audio.and_then(|url| media::at(Modality::Audio, &url)) {
            self.choices.take_media(part);
        }
        Ok(Step::Chunk)
    }
}

impl Answer for Output {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        self.take(document).map(|_| ())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if name == Some(b"error") {
            self.failure.get_or_insert_with(|| error::of_event(data));
            return Ok(Step::End);
        }
        self.take(data)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.began).then_some("output")
    }

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
        op.response.id = self.id.or(op.response.id.take());
        op.usage.merge(self.usage);
        self.choices.finish(&mut op.response);
        self.failure
    }
}
