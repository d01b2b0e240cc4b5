//! Images, sounds and files within messages.

use otel_genai::{Modality, Part};
use serde_json::Value;

use crate::percent;

/// What lies at an address. A `data:` URL holds it.
pub(crate) fn at(modality: Modality, url: &str) -> Option<Part> {
    match url.split_at_checked(5) {
        Some((scheme, data)) if scheme.eq_ignore_ascii_case("data:") => data_url(modality, data),
        _ => Some(Part::uri(modality, without_secrets(url))),
    }
}

/// Sound in base64, of a named format.
pub(crate) fn audio(data: &str, format: Option<&str>) -> Option<Part> {
    let media_type = format.map(|format| match format {
        "mp3" => "audio/mpeg".to_owned(),
        format => format!("audio/{format}"),
    });
    blob(Modality::Audio, media_type.as_deref(), data)
}

/// A file by its id, or else by its content.
pub(crate) fn file(id: Option<&str>, data: Option<&str>, name: Option<&str>) -> Option<Part> {
    let media_type = name.and_then(media_type_of);
    let modality = media_type.and_then(modality_of).unwrap_or(Modality::Document);
    match (id, data) {
        (Some(id), _) => {
            let mut part = Part::file(modality, id);
            if let Part::File(file) = &mut part {
                file.mime_type = media_type.map(str::to_owned);
            }
            Some(part)
        }
        (None, Some(data)) => match data.strip_prefix("data:") {
            Some(data) => data_url(modality, data),
            None if data.contains("://") => at(modality, data),
            None => blob(modality, media_type, data),
        },
        (None, None) => None,
    }
}

/// `{media type}[;parameters][;base64],{data}`
fn data_url(modality: Modality, url: &str) -> Option<Part> {
    let (head, data) = url.split_once(',')?;
    let mut parameters = head.split(';');
    let media_type = parameters.next().map(str::trim).filter(|media_type| !media_type.is_empty());
    let modality = media_type.and_then(modality_of).unwrap_or(modality);
    if parameters.any(|parameter| parameter.trim().eq_ignore_ascii_case("base64")) {
        return blob(modality, media_type, data);
    }
    Some(Part::blob(modality, media_type, &percent::decode(data)))
}

/// Data that is base64 already; nothing if it is not.
pub(crate) fn blob(modality: Modality, media_type: Option<&str>, data: &str) -> Option<Part> {
    let digits = data.trim_end_matches('=');
    let is_base64 = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if !is_base64 || digits.len() % 4 == 1 || data.len() - digits.len() > 2 {
        return None;
    }
    let padding = "=".repeat((4 - digits.len() % 4) % 4);
    Some(Part::blob_base64(modality, media_type, format!("{digits}{padding}")))
}

/// The address without userinfo and query, which hold keys and signatures.
fn without_secrets(url: &str) -> String {
    let (url, fragment) = match url.split_once('#') {
        Some((url, fragment)) => (url, Some(fragment)),
        None => (url, None),
    };
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    // An address may hold another one, as those of proxies do.
    let mut pieces = url.split("://");
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (authority, path) = piece.split_at(piece.find('/').unwrap_or(piece.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        clean.extend(["://", host, path]);
    }
    if let Some(fragment) = fragment {
        clean.push('#');
        clean.push_str(fragment);
    }
    clean
}

/// The same for every address in a value that nobody knows.
pub(crate) fn value_without_secrets(mut value: Value) -> Value {
    clean(&mut value);
    value
}

/// See [`value_without_secrets`].
pub(crate) fn clean(value: &mut Value) {
    match value {
        // There may be a text around the address.
        Value::String(text) if text.contains("://") => {
            let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>');
            let pieces = text.split_inclusive(ends).map(|piece| {
                let (word, end) = piece.split_at(piece.trim_end_matches(ends).len());
                if word.contains("://") { without_secrets(word) + end } else { piece.to_owned() }
            });
            *text = pieces.collect();
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => fields.values_mut().for_each(clean),
        _ => {}
    }
}

fn modality_of(media_type: &str) -> Option<Modality> {
    match media_type.split('/').next()? {
        "image" => Some(Modality::Image),
        "video" => Some(Modality::Video),
        "audio" => Some(Modality::Audio),
        "application" | "text" => Some(Modality::Document),
        _ => None,
    }
}

/// The media type that a file's name tells.
pub(crate) fn media_type_of(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "json" => "application/json",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(part: Option<Part>) -> Value {
        serde_json::to_value(part).unwrap()
    }

    #[test]
    fn data_urls() {
        let svg = at(Modality::Image, "data:image/svg+xml,%3Csvg%2F%3E");
        assert_eq!(
            told(svg),
            json!({"type": "blob", "modality": "image", "mime_type": "image/svg+xml", "content": "PHN2Zy8+"})
        );
        let typed = at(Modality::Image, "DATA:application/pdf;name=x;BASE64,QQ");
        assert_eq!(
            told(typed),
            json!({"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "QQ=="})
        );
        assert_eq!(at(Modality::Image, "data:image/png;base64,nö"), None);
        assert_eq!(at(Modality::Image, "data:image/png;base64,QUJDR"), None);
        assert_eq!(at(Modality::Image, "data:nothing"), None);
        assert_eq!(
            told(at(Modality::Image, "data:;base64,QQ==")),
            json!({"type": "blob", "modality": "image", "content": "QQ=="})
        );
    }

    #[test]
    fn addresses_lose_what_may_be_secret() {
        for (url, clean) in [
            ("https://h.example/a/b.png?X-Amz-Signature=s&x=1", "https://h.example/a/b.png"),
            ("https://user:p%40ss@h.example?k=1#top", "https://h.example#top"),
            ("https://h.example/@me/x", "https://h.example/@me/x"),
            ("gs://bucket/file", "gs://bucket/file"),
            (
                "https://proxy.example/https://u:p@h.example/x?k=1",
                "https://proxy.example/https://h.example/x",
            ),
            ("relative?key=1", "relative"),
        ] {
            assert_eq!(without_secrets(url), clean, "{url}");
        }
    }

    #[test]
    fn files() {
        assert_eq!(
            told(file(None, Some("data:application/pdf;base64,JVBERi0="), Some("a.pdf"))),
            json!({"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "JVBERi0="})
        );
        assert_eq!(
            told(file(None, Some("JVBERi0="), Some("photo.PNG"))),
            json!({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "JVBERi0="})
        );
        assert_eq!(told(file(None, Some("https://h/x.pdf?s=1"), None))["uri"], "https://h/x.pdf");
        assert_eq!(file(None, None, Some("a.pdf")), None);
    }
}
