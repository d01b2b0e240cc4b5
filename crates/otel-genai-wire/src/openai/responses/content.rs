//! Pieces of content within items.

use std::borrow::Cow;

use otel_genai::{Modality, Part};
use serde_json::Value;

use super::super::chat::part as chat_part;
use crate::json::{Content, Raw, object};
use crate::media;

object! {
    struct Piece<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "text" => text: Option<Cow<'a, str>>,
        "annotations" => annotations: Raw<'a>,
        "image_url" => image_url: Option<Cow<'a, str>>,
        "file_id" => file_id: Option<Cow<'a, str>>,
        "file_data" => file_data: Option<Cow<'a, str>>,
        "file_url" => file_url: Option<Cow<'a, str>>,
        "filename" => name: Option<Cow<'a, str>>,
        // Realtime: sound, and what is said in it.
        "audio" => audio: Option<Cow<'a, str>>,
        "transcript" => transcript: Option<Cow<'a, str>>,
    }
}

/// All pieces. What holds nothing that can be told is left out.
pub(super) fn parts(content: Content<'_>) -> Vec<Part> {
    match content {
        Content::None => Vec::new(),
        Content::Text(text) => vec![Part::text(text)],
        Content::List(items) => {
            let mut parts = Vec::with_capacity(items.len());
            items.into_iter().for_each(|item| add(item, &mut parts));
            parts
        }
    }
}

fn add(item: Raw<'_>, parts: &mut Vec<Part>) {
    match item.to::<Option<Piece<'_>>>() {
        None => parts.extend(chat_part(item)),
        Some(piece) if piece.is_sound() => parts.extend(piece.sound()),
        Some(piece) => parts.extend(part(piece, item)),
    }
}

impl Piece<'_> {
    /// Chat's sound has another shape.
    fn is_sound(&self) -> bool {
        matches!(self.kind.as_deref(), Some("input_audio" | "output_audio" | "audio"))
            && (self.audio.is_some() || self.transcript.is_some())
    }

    fn sound(self) -> impl Iterator<Item = Part> {
        let sound = self.audio.and_then(|audio| media::audio(&audio, None));
        let said = self.transcript.filter(|said| !said.is_empty()).map(Part::text);
        sound.into_iter().chain(said)
    }
}

fn part(piece: Piece<'_>, item: Raw<'_>) -> Option<Part> {
    match piece.kind.as_deref() {
        Some("text" | "input_text" | "output_text" | "summary_text" | "reasoning_text") | None => {
            Some(text(piece.text?.into_owned(), piece.annotations.value()))
        }
        Some("input_image" | "computer_screenshot") => match piece.file_id {
            Some(id) => Some(Part::file(Modality::Image, id)),
            None => media::at(Modality::Image, &piece.image_url?),
        },
        Some("input_file") => {
            let data = piece.file_data.or(piece.file_url);
            media::file(piece.file_id.as_deref(), data.as_deref(), piece.name.as_deref())
        }
        _ => chat_part(item),
    }
}

/// A text, with what it refers to.
fn text(text: String, annotations: Option<Value>) -> Part {
    let mut part = Part::text(text);
    let annotations = annotations.filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    if let (Part::Text(text), Some(annotations)) = (&mut part, annotations) {
        text.extra.insert("annotations".to_owned(), media::value_without_secrets(annotations));
    }
    part
}

/// The reasoning of a model: what it thought where that is told, or else the summary.
pub(super) fn reasoning(content: Content<'_>, summary: Content<'_>) -> Vec<Part> {
    let thoughts = |content| {
        let texts = parts(content).into_iter().filter_map(|part| match part {
            Part::Text(text) if !text.content.is_empty() => Some(Part::reasoning(text.content)),
            _ => None,
        });
        texts.collect::<Vec<Part>>()
    };
    let told = thoughts(content);
    if told.is_empty() { thoughts(summary) } else { told }
}
