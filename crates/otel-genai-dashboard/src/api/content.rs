//! A piece of content, by its hash. It is shown in the page only where it is a picture or a sound by its own bytes.

use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otel_genai_store::{AnyValue, ContentHash, Form, Piece};
use prost::Message as _;

use super::span::typed;
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;

pub(crate) async fn one(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let hash: ContentHash = ask.path("hash")?;
    let near = ask.read("trace")?;
    let form = ask.text("as")?;
    ask.done()?;
    let piece = shared.store.content(hash, near).await?;
    let piece = piece.ok_or_else(|| Failure::not_found(format!("there is no content {hash}")))?;
    let as_text = match form.as_deref() {
        None | Some("bytes") => false,
        Some("text") => true,
        Some(_) => return Err(Failure::parameter("as", "as=text or as=bytes is meant")),
    };
    let mut response = match bytes(&piece) {
        Some(bytes) if !as_text => match sniff(&bytes) {
            Some(media) => typed(media, bytes),
            None => {
                let mut file = typed("application/octet-stream", bytes);
                let value = HeaderValue::from_static("attachment");
                file.headers_mut().insert(CONTENT_DISPOSITION, value);
                file
            }
        },
        _ => match piece_text(&piece) {
            Some(text) => typed("text/plain; charset=utf-8", text.into_bytes()),
            None => json(&otel_genai_store::Held::Whole(AnyValue::decode(piece.bytes.clone()).ok()).json()),
        },
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    // Its name is the hash of what it is.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400, immutable"));
    Ok(response)
}

fn piece_text(piece: &Piece) -> Option<String> {
    match piece.form {
        Form::Text => String::from_utf8(piece.bytes.to_vec()).ok(),
        Form::Value => match AnyValue::decode(piece.bytes.clone()).ok()?.value? {
            Value::StringValue(text) => Some(text),
            _ => None,
        },
    }
}

/// The bytes of a blob: as such, or in base64, alone or as a `data:` address.
fn bytes(piece: &Piece) -> Option<Vec<u8>> {
    if piece.form == Form::Value
        && let Some(Value::BytesValue(bytes)) = AnyValue::decode(piece.bytes.clone()).ok()?.value
    {
        return Some(bytes);
    }
    let text = piece_text(piece)?;
    let text = text.trim();
    let told = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,")?.1,
        None => text,
    };
    let decoded = STANDARD.decode(told).ok().filter(|_| told.len() >= 16)?;
    sniff(&decoded).map(|_| decoded)
}

/// What a browser may show, by its first bytes. Pictures that can hold scripts are not among it.
pub(crate) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let has = |at: usize, magic: &[u8]| bytes.get(at..at + magic.len()) == Some(magic);
    let media = if has(0, b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if has(0, b"\xff\xd8\xff") {
        "image/jpeg"
    } else if has(0, b"GIF87a") || has(0, b"GIF89a") {
        "image/gif"
    } else if has(0, b"RIFF") && has(8, b"WEBP") {
        "image/webp"
    } else if has(0, b"RIFF") && has(8, b"WAVE") {
        "audio/wav"
    } else if has(4, b"ftypavif") {
        "image/avif"
    } else if has(4, b"ftyp") {
        "video/mp4"
    } else if has(0, b"ID3") || has(0, b"\xff\xfb") || has(0, b"\xff\xf3") {
        "audio/mpeg"
    } else if has(0, b"OggS") {
        "audio/ogg"
    } else if has(0, b"fLaC") {
        "audio/flac"
    } else if has(0, b"\xff\xf1") || has(0, b"\xff\xf9") {
        "audio/aac"
    } else if has(0, b"\x1a\x45\xdf\xa3") {
        "video/webm"
    } else {
        return None;
    };
    Some(media)
}
