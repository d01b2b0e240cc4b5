//! Speech: a text is spoken. The answer is sound, or a stream of events with pieces of it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use otel_genai::{Failure, FinishReason, Message, Modality, OutputType, Part, ProviderName, Role, Usage};

use super::generation;
use super::usage::Report;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error::{self, Refusal};
use crate::framing::{Framing, Media, content_type};
use crate::gather::owned;
use crate::json::{self, Raw, object};
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream_format" => stream_format: Option<Cow<'a, str>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "input" => input: Option<Cow<'a, str>>,
        "instructions" => instructions: Option<Cow<'a, str>>,
    }

    struct Event<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "audio" => audio: Option<Cow<'a, str>>,
        "usage" => usage: Option<Report<'a>>,
        "error" => error: Raw<'a>,
    }
}

static REQUEST: Want = Want::Fields(&[("model", Want::Keep(1024)), ("stream_format", Want::Keep(64))]);

static ANSWER: Want = Want::Fields(&[
    ("error", Want::Keep(64 << 10)),
    ("object", Want::Keep(64)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
]);

/// OpenAI's speech.
#[derive(Debug)]
pub(crate) struct Speech;

impl Dialect for Speech {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let sent: Request<'_> = json::read(document)?;
        let mut op = generation(route, owned(sent.model));
        let request = &mut op.request;
        request.stream = sent.stream_format.as_deref() == Some("sse");
        request.output_type = Some(OutputType::Speech);
        request.input_messages = sent.input.map(Message::user).into_iter().collect();
        request.system_instructions = sent.instructions.map(Part::text).into_iter().collect();
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        let media_type = content_type(asked.headers);
        let media_type = media_type.and_then(|value| value.split(';').next()).map(str::trim);
        Box::new(Spoken {
            media_type: media_type.filter(|value| value.starts_with("audio/")).map(str::to_owned),
            room: if asked.options.content { asked.options.limit } else { 0 },
            content: asked.options.content,
            sound: Vec::new(),
            is_cut: false,
            is_over: false,
            usage: Usage::default(),
            failure: None,
        })
    }

    fn framing(&self, media: Media, asked: &Asked<'_>) -> Framing {
        match media {
            Media::Json | Media::Events => Framing::usual(media, asked.request.is_stream()),
            _ => Framing::Data,
        }
    }
}

/// What an answer has told.
#[derive(Debug)]
struct Spoken {
    content: bool,
    media_type: Option<String>,
    /// How many more bytes of sound may be held.
    room: usize,
    sound: Vec<u8>,
    is_cut: bool,
    is_over: bool,
    usage: Usage,
    failure: Option<Failure>,
}

impl Answer for Spoken {
    fn want(&self) -> &'static Want {
        &ANSWER
    }

    fn has_content(&self) -> bool {
        false
    }

    /// A document in place of sound is an error.
    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        self.failure = json::read::<Refusal<'_>>(document)?.failure();
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) {
        let fits = bytes.get(..self.room).unwrap_or(bytes);
        self.sound.extend_from_slice(fits);
        self.room -= fits.len();
        self.is_cut |= self.content && fits.len() < bytes.len();
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Step::End);
        }
        let event: Event<'_> = json::read(data)?;
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        match event.kind.as_deref().or(name).unwrap_or_default() {
            "speech.audio.delta" => {
                if let Some(audio) = event.audio.filter(|_| self.room > 0) {
                    self.data(&STANDARD.decode(audio.as_bytes()).unwrap_or_default());
                }
                Ok(Step::Chunk)
            }
            "speech.audio.done" => {
                self.is_over = true;
                if let Some(usage) = event.usage {
                    self.usage.merge(usage.usage());
                }
                Ok(Step::Last)
            }
            kind if kind == "error" || event.error.get().is_some() => {
                self.failure.get_or_insert_with(|| error::of_event(data));
                Ok(Step::End)
            }
            _ => Ok(Step::Aside),
        }
    }

    fn missing(&self) -> Option<&'static str> {
        Some("audio")
    }

    fn is_complete(&self) -> bool {
        self.is_over
    }

    fn is_cut(&self) -> bool {
        self.is_cut
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Inference(op) = call {
            op.usage.merge(self.usage);
            // Half a sound can still be heard, unlike half an image.
            if !self.sound.is_empty() {
                let part = Part::blob(Modality::Audio, self.media_type.as_deref(), &self.sound);
                op.response.output_messages =
                    vec![Message::new(Role::Assistant, [part]).finish(FinishReason::Stop)];
            }
        }
        self.failure
    }
}
