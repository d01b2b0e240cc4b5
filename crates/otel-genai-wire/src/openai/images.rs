//! Images, made and edited. A request to edit may be a form, of which the plain fields are read.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Message, Modality, OutputType, Part, ProviderName, Role, Usage};

use super::generation;
use super::usage::Report;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error::{self, Refusal};
use crate::gather::{Room, owned};
use crate::json::{self, Given, Raw, object};
use crate::media;
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "n" => n: Option<i64>,
        // The content: nothing of it is left in the body where it is not wanted.
        "prompt" => prompt: Option<Cow<'a, str>>,
        "images" => images: Vec<Source<'a>>,
    }

    /// An image that is edited.
    struct Source<'a> {
        "image_url" => url: Option<Cow<'a, str>>,
        "file_id" => file_id: Option<Cow<'a, str>>,
    }

    /// An answer, or an event of a stream.
    struct Document<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "data" => data: Given<Vec<Raw<'a>>>,
        "output_format" => format: Option<Cow<'a, str>>,
        "usage" => usage: Option<Report<'a>>,
        "error" => error: Raw<'a>,
    }

    struct Image<'a> {
        "b64_json" => data: Option<Cow<'a, str>>,
        "url" => url: Option<Cow<'a, str>>,
        "revised_prompt" => revised_prompt: Option<Cow<'a, str>>,
    }
}

static REQUEST: Want =
    Want::Fields(&[("model", Want::Keep(1024)), ("stream", Want::Keep(16)), ("n", Want::Keep(64))]);

static ANSWER: Want = Want::Fields(&[
    ("data", Want::Fields(&[])),
    ("usage", Want::Keep(16 << 10)),
    ("error", Want::Keep(64 << 10)),
    ("object", Want::Keep(64)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
]);

/// OpenAI's images.
#[derive(Debug)]
pub(crate) struct Images;

impl Dialect for Images {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn takes_forms(&self) -> bool {
        true
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let sent: Request<'_> = json::read(document)?;
        let mut op = generation(route, owned(sent.model));
        let request = &mut op.request;
        request.stream = sent.stream == Some(true);
        request.choice_count = sent.n;
        request.output_type = Some(OutputType::Image);
        let images = sent.images.into_iter().filter_map(|image| match image.file_id {
            Some(id) => Some(Part::file(Modality::Image, id)),
            None => media::at(Modality::Image, &image.url?),
        });
        let parts: Vec<Part> = sent.prompt.map(Part::text).into_iter().chain(images).collect();
        if !parts.is_empty() {
            request.input_messages.push(Message::new(Role::User, parts));
        }
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(Made {
            content: asked.options.content,
            room: Room::new(asked.options.limit),
            is_there: false,
            usage: Usage::default(),
            messages: Vec::new(),
            failure: None,
        })
    }
}

/// What an answer has told.
#[derive(Debug)]
struct Made {
    content: bool,
    room: Room,
    /// Whether there was an answer: without it a document is none.
    is_there: bool,
    usage: Usage,
    messages: Vec<Message>,
    failure: Option<Failure>,
}

impl Made {
    fn take(&mut self, document: &Document<'_>, raw: Raw<'_>) {
        if !self.content || !self.room.spend(raw) {
            return;
        }
        let image: Image<'_> = raw.to();
        let format = document.format.as_deref().map(|format| format!("image/{format}"));
        let data = image.data.and_then(|data| media::blob(Modality::Image, format.as_deref(), &data));
        let part = data.or_else(|| media::at(Modality::Image, &image.url?));
        let revised = image.revised_prompt.filter(|prompt| !prompt.is_empty()).map(Part::text);
        let parts: Vec<Part> = revised.into_iter().chain(part).collect();
        if !parts.is_empty() {
            self.messages.push(Message::new(Role::Assistant, parts).finish(FinishReason::Stop));
        }
    }
}

impl Answer for Made {
    fn want(&self) -> &'static Want {
        &ANSWER
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let answer: Document<'_> = json::read(document)?;
        if answer.error.get().is_some() {
            self.failure = json::read::<Refusal<'_>>(document)?.failure();
        }
        self.is_there = answer.data.is_given;
        if let Some(usage) = &answer.usage {
            self.usage.merge(usage.usage());
        }
        answer.data.value.iter().for_each(|raw| self.take(&answer, *raw));
        Ok(())
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let event: Document<'_> = json::read(data)?;
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = event.kind.as_deref().or(name).unwrap_or_default();
        if kind == "error" || event.error.get().is_some() {
            self.failure.get_or_insert_with(|| error::of_event(data));
            return Ok(Step::End);
        }
        if !kind.ends_with(".completed") {
            // An image that is not finished.
            return Ok(if kind.ends_with(".partial_image") { Step::Chunk } else { Step::Aside });
        }
        self.is_there = true;
        if let Some(usage) = &event.usage {
            self.usage.merge(usage.usage());
        }
        let whole: &serde_json::value::RawValue = serde_json::from_slice(data)?;
        self.take(&event, Raw::from(whole));
        Ok(Step::Chunk)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.is_there).then_some("data")
    }

    /// One image is asked for in general; there is no other end.
    fn is_complete(&self) -> bool {
        self.is_there
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Inference(op) = call {
            op.usage.merge(self.usage);
            op.response.output_messages = self.messages;
        }
        self.failure
    }
}
