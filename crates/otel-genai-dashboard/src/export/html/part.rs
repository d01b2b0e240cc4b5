//! One part of a message, by its type. Nothing is dropped: what is not known is shown as its JSON.

use serde_json::Value;

use super::talk::LIMIT;
use super::text::{Safe, beginning, count, took};
use crate::view::transcript::{Part, ToolKind};

/// What is longer than this stands folded behind its beginning.
const LONG: usize = 6_000;
const SHOWN: usize = 2_000;
/// JSON that is shorter stands on one line.
const LINE: usize = 100;

pub(super) fn write(out: &mut String, part: &Part, code: bool) {
    match part {
        Part::Text(said) => text(out, &said.content, code),
        Part::Reasoning(said) => fold(out, "reasoning", |out| text(out, &said.content, code)),
        Part::Compaction(said) => {
            fold(out, "summary of what was before", |out| text(out, &said.content, code));
        }
        Part::ToolCall { .. } => tool(out, part, None, None),
        Part::ToolCallResponse { response, .. } => value(out, response),
        Part::ServerToolCall { name, call, .. } => {
            head(out, name, " <span class=\"pill\">run by the provider</span>");
            value(out, call);
            out.push_str("</div>");
        }
        Part::ServerToolCallResponse { response, .. } => {
            head(out, "result", " <span class=\"pill\">run by the provider</span>");
            value(out, response);
            out.push_str("</div>");
        }
        Part::Media { modality, mime, src, uri, file_id, .. } => {
            media(out, modality, mime.as_deref(), src.as_deref(), uri.as_deref().or(file_id.as_deref()));
        }
        Part::Generic { kind, value: told } => {
            head(out, kind, "");
            value(out, told);
            out.push_str("</div>");
        }
    }
}

fn head(out: &mut String, name: &str, more: &str) {
    out.push_str(&format!("<div class=\"tc\"><header><b><bdi>{}</bdi></b>{more}</header>", Safe(name)));
}

/// What was asked of a tool, and what it answered. `place` is what a span's row leads to.
pub(super) fn tool(out: &mut String, asked: &Part, answer: Option<&Part>, place: Option<&str>) {
    let Part::ToolCall { name, arguments, raw, join, .. } = asked else { return };
    let join = join.as_ref();
    let (class, letter) = match join.map(|join| join.kind) {
        Some(ToolKind::Agent) => ("agent", 'A'),
        Some(ToolKind::Mcp) => ("mcp", 'M'),
        Some(ToolKind::Retrieval) => ("retrieval", 'R'),
        _ => ("tool", 'T'),
    };
    let error = join.and_then(|join| join.error.as_deref());
    let failed = if error.is_some() { " failed" } else { "" };
    let id = place.map(|place| format!(" id=\"{}\"", Safe(place))).unwrap_or_default();
    out.push_str(&format!(
        "<div class=\"tc{failed}\"{id}><header><b class=\"g k-{class}\">{letter}</b><b><bdi>{}</bdi></b>",
        Safe(name)
    ));
    if let Some(error) = error {
        out.push_str(&format!(" <span class=\"pill err\">{}</span>", Safe(error)));
    }
    if let Some(ms) = join.and_then(|join| join.duration_ms) {
        out.push_str(&format!(" <span class=\"pill\">{}</span>", took(ms)));
    }
    if let Some(span) = join.and_then(|join| join.span.as_deref()) {
        out.push_str(&format!(" <a class=\"go\" href=\"#s-{}\">span</a>", Safe(span)));
    }
    out.push_str("</header>");
    match (raw, arguments) {
        (Some(raw), _) => text(out, raw, true),
        (None, Some(arguments)) => value(out, arguments),
        (None, None) => out.push_str("<p class=\"note\">nothing told</p>"),
    }
    if let Some(Part::ToolCallResponse { response, .. }) = answer {
        out.push_str("<div class=\"answer\"><small>result</small>");
        value(out, response);
        out.push_str("</div>");
    }
    out.push_str("</div>");
}

/// A value as a tool gives or takes it: JSON as such, text as text.
fn value(out: &mut String, value: &Value) {
    let parsed = match value {
        Value::String(told) if told.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str::<Value>(told).ok()
        }
        Value::String(told) => return text(out, told, true),
        _ => None,
    };
    let value = parsed.as_ref().unwrap_or(value);
    let line = value.to_string();
    if line.len() <= LINE {
        return text(out, &line, true);
    }
    text(out, &serde_json::to_string_pretty(value).unwrap_or(line), true);
}

/// Text that is read, or, as `code`, letter by letter. What is long is folded, and what is longer than the file may be, cut.
pub(super) fn text(out: &mut String, told: &str, code: bool) {
    let all = told;
    let told = beginning(told, LIMIT.saturating_sub(out.len()).max(1_000));
    if told.len() <= LONG {
        flow(out, told, code);
    } else {
        // Not in the middle of a line, where there are lines.
        let first = beginning(told, SHOWN);
        let first = first.rfind('\n').map_or(first, |end| beginning(told, end + 1));
        let rest = told.get(first.len()..).unwrap_or_default();
        flow(out, first, code);
        let more = count(rest.chars().count() as u64);
        fold(out, &format!("{more} more characters"), |out| flow(out, rest, code));
    }
    if told.len() < all.len() {
        let left = count((all.len() - told.len()) as u64);
        out.push_str(&format!(
            "<p class=\"note\">{left} more bytes are left out: this file would be too large to open.</p>"
        ));
    }
}

/// Programs and tables in words of the same width, the rest as prose.
fn flow(out: &mut String, told: &str, code: bool) {
    let mut fence = false;
    let mut kind = None;
    for line in told.split_inclusive('\n') {
        let fences = line.trim_start().starts_with("```");
        let next = if code || fence || fences || line.trim_start().starts_with('|') { "pre" } else { "p" };
        fence ^= fences;
        if kind != Some(next) {
            close(out, kind);
            out.push_str(if next == "pre" {
                "<pre dir=\"auto\">"
            } else {
                "<p class=\"prose\" dir=\"auto\">"
            });
            kind = Some(next);
        }
        out.push_str(&Safe(line).to_string());
    }
    close(out, kind);
}

fn close(out: &mut String, kind: Option<&str>) {
    if let Some(kind) = kind {
        // The last line's end would be an empty line.
        out.truncate(out.trim_end_matches('\n').len());
        out.push_str(&format!("</{kind}>"));
    }
}

fn fold(out: &mut String, title: &str, inside: impl FnOnce(&mut String)) {
    out.push_str(&format!("<details><summary>{}</summary>", Safe(title)));
    inside(out);
    out.push_str("</details>");
}

/// Pictures, sounds and films that are in the trace itself; an address elsewhere is only told.
fn media(out: &mut String, modality: &str, mime: Option<&str>, src: Option<&str>, place: Option<&str>) {
    let facts: Vec<_> = [Some(modality), mime, place].into_iter().flatten().collect();
    let facts = facts.join(", ");
    let (kind, known): (_, &[&str]) = match mime.unwrap_or_default().split_once('/') {
        Some(("image", kind)) => (kind, &["png", "jpeg", "jpg", "gif", "webp", "avif"]),
        Some(("audio", kind)) => {
            (kind, &["wav", "x-wav", "mpeg", "mp3", "mp4", "ogg", "webm", "flac", "aac"])
        }
        Some(("video", kind)) => (kind, &["mp4", "webm"]),
        _ => ("", &[]),
    };
    let inside = src.filter(|src| {
        known.contains(&kind) && mime.is_some_and(|mime| src.starts_with(&format!("data:{mime};base64,")))
    });
    out.push_str("<figure>");
    if let Some(src) = inside.map(Safe) {
        match mime.unwrap_or_default().split('/').next() {
            Some("image") => out.push_str(&format!("<img alt=\"{}\" src=\"{src}\">", Safe(&facts))),
            Some("audio") => out.push_str(&format!("<audio controls src=\"{src}\"></audio>")),
            _ => out.push_str(&format!("<video controls src=\"{src}\"></video>")),
        }
    }
    out.push_str(&format!("<figcaption>{}</figcaption></figure>", Safe(&facts)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn only_known_media_of_the_trace_itself_are_shown() {
        for (mime, src) in [
            ("image/svg+xml", "data:image/svg+xml;base64,AA=="),
            ("image/png", "https://elsewhere.test/x.png"),
            ("image/png", "data:text/html;base64,AA=="),
            ("text/html", "data:text/html;base64,AA=="),
        ] {
            let out = told(|out| media(out, "image", Some(mime), Some(src), None));
            assert!(!out.contains("src="), "{out}");
        }
        let sound =
            told(|out| media(out, "audio", Some("audio/wav"), Some("data:audio/wav;base64,AA=="), None));
        assert!(sound.contains("<audio controls src=\"data:audio/wav;base64,AA==\">"), "{sound}");
    }

    #[test]
    fn tables_and_programs_keep_their_columns() {
        let out = told(|out| text(out, "Look:\n| a | b |\n|---|---|\nand\n```\n<x>\n```\n", false));
        assert_eq!(
            out.replace(" dir=\"auto\"", ""),
            "<p class=\"prose\">Look:</p><pre>| a | b |\n|---|---|</pre><p class=\"prose\">and</p><pre>```\n&lt;x&gt;\n```</pre>"
        );
    }

    #[test]
    fn long_text_is_folded_and_whole() {
        let words = "some words\n".repeat(1_000);
        let out = told(|out| text(out, &words, true));
        assert!(out.contains("more characters</summary>"), "{}", beginning(&out, 3_000));
        assert_eq!(out.matches("some words").count(), 1_000);
    }
}
