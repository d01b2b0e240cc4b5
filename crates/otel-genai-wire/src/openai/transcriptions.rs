//! Transcriptions and translations: a sound is written down. The request is a form with the sound, of which the plain
//! fields are read, or a document that holds it; the answer is a document, a stream of events, or the text itself.

use std::borrow::Cow;

use otel_genai::{Failure, FinishReason, Message, OutputType, Part, ProviderName, Role, Usage};

use super::generation;
use super::usage::Report;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error::{self, Refusal};
use crate::framing::{Framing, Media, content_type};
use crate::gather::{Room, first, owned};
use crate::json::{self, Given, Raw, object};
use crate::media;
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        // The content: nothing of it is left in the body where it is not wanted.
        "prompt" => prompt: Option<Cow<'a, str>>,
        // OpenRouter's, in place of a form.
        "input_audio" => audio: Option<Audio<'a>>,
    }

    struct Audio<'a> {
        "data" => data: Option<Cow<'a, str>>,
        "format" => format: Option<Cow<'a, str>>,
    }

    /// An answer, or an event of a stream.
    struct Document<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "text" => text: Given<Option<Cow<'a, str>>>,
        "delta" => delta: Option<Cow<'a, str>>,
        "usage" => usage: Option<Report<'a>>,
        "error" => error: Raw<'a>,
    }
}

static REQUEST: Want = Want::Fields(&[("model", Want::Keep(1024)), ("stream", Want::Keep(16))]);

static ANSWER: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("text", Want::Length),
    ("usage", Want::Keep(16 << 10)),
    ("error", Want::Keep(64 << 10)),
    ("object", Want::Keep(64)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
]);

/// OpenAI's transcriptions and translations.
#[derive(Debug)]
pub(crate) struct Transcriptions;

impl Dialect for Transcriptions {
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
        request.output_type = Some(OutputType::Text);
        let audio = sent.audio.and_then(|audio| media::audio(&audio.data?, audio.format.as_deref()));
        let parts: Vec<Part> = owned(sent.prompt).map(Part::text).into_iter().chain(audio).collect();
        if !parts.is_empty() {
            request.input_messages.push(Message::new(Role::User, parts));
        }
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        let limit = if asked.options.content { asked.options.limit } else { 0 };
        Box::new(Written {
            content: asked.options.content,
            room: Room::new(limit),
            left: limit,
            is_cut: false,
            model: None,
            text: String::new(),
            bytes: Vec::new(),
            is_there: false,
            is_over: false,
            usage: Usage::default(),
            failure: None,
        })
    }

    /// Subtitles and plain text were asked for as such.
    fn framing(&self, media: Media, asked: &Asked<'_>) -> Framing {
        let media_type = content_type(asked.headers);
        let is_text = media_type.is_some_and(|value| {
            ["text/plain", "text/vtt", "text/srt", "application/x-subrip"]
                .iter()
                .any(|text| value.starts_with(text))
        });
        if is_text { Framing::Data } else { Framing::usual(media, asked.request.is_stream()) }
    }
}

/// What an answer has told.
#[derive(Debug)]
struct Written {
    content: bool,
    room: Room,
    /// How many more bytes may be held of a text that comes as data.
    left: usize,
    is_cut: bool,
    model: Option<String>,
    text: String,
    /// Text that came as data.
    bytes: Vec<u8>,
    /// Whether there was a text, be it empty: without it a document is no answer.
    is_there: bool,
    is_over: bool,
    usage: Usage,
    failure: Option<Failure>,
}

impl Written {
    fn take(&mut self, document: &mut Document<'_>) {
        first(&mut self.model, document.model.take());
        if let Some(usage) = &document.usage {
            self.usage.merge(usage.usage());
        }
        if let Some(text) = document.text.value.take().filter(|_| self.content && !self.room.is_full()) {
            // The whole text, after its pieces.
            self.room.give_back(self.text.len());
            self.text.clear();
            self.room.append(&mut self.text, &text);
        }
    }
}

impl Answer for Written {
    fn want(&self) -> &'static Want {
        &ANSWER
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let mut answer: Document<'_> = json::read(document)?;
        if answer.error.get().is_some() {
            self.failure = json::read::<Refusal<'_>>(document)?.failure();
        }
        self.is_there = answer.text.is_given;
        self.take(&mut answer);
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        let fits = bytes.get(..self.left).unwrap_or(bytes);
        self.bytes.extend_from_slice(fits);
        self.left -= fits.len();
        self.is_cut |= self.content && fits.len() < bytes.len();
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let mut event: Document<'_> = json::read(data)?;
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        match event.kind.as_deref().or(name).unwrap_or_default() {
            "transcript.text.delta" => {
                if let Some(delta) = event.delta.filter(|_| self.content) {
                    self.room.append(&mut self.text, &delta);
                }
                Ok(Step::Chunk)
            }
            "transcript.text.segment" => Ok(Step::Chunk),
            "transcript.text.done" => {
                self.is_there = true;
                self.is_over = true;
                self.take(&mut event);
                Ok(Step::Last)
            }
            kind if kind == "error" || event.error.get().is_some() => {
                self.failure.get_or_insert_with(|| error::of_event(data));
                Ok(Step::End)
            }
            _ => Ok(Step::Aside),
        }
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.is_there).then_some("text")
    }

    fn is_complete(&self) -> bool {
        self.is_over
    }

    fn is_cut(&self) -> bool {
        self.is_cut || self.content && self.room.is_full()
    }

    fn finish(mut self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Inference(op) = call {
            op.response.model = self.model.or(op.response.model.take());
            op.usage.merge(self.usage);
            if !self.bytes.is_empty() {
                self.text = String::from_utf8_lossy(&self.bytes).into_owned();
            }
            if !self.text.is_empty() {
                let message = Message::new(Role::Assistant, [Part::text(self.text)]);
                op.response.output_messages = vec![message.finish(FinishReason::Stop)];
            }
        }
        self.failure
    }
}
