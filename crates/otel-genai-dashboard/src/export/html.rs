//! One file that opens in any browser, offline: what ran and what was said, without a script in it.

use crate::view::transcript::{Call, Message, Part, Transcript};
use crate::view::{Row, Trace};

/// Nothing is loaded, and nothing runs: pictures and sounds are in the file itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("html.css");
/// Rows of the drawing are at most so many.
const ROWS: usize = 5_000;

/// What ran in a trace, and what was said.
#[must_use]
pub fn html(trace: &Trace, transcript: &Transcript) -> String {
    let summary = &trace.summary;
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body><header><h1>{title}</h1><p>{service} · <code>{id}</code></p><p>{facts}</p></header>\n",
        title = escaped(&summary.name),
        service = escaped(&summary.service),
        id = escaped(&summary.id),
        facts = escaped(&facts(trace)),
    );
    out.push_str("<main><section><h2>What ran</h2>\n<ol class=\"rows\">\n");
    let rows = trace.rows.iter().filter(|row| row.fold.is_none());
    for row in rows.take(ROWS) {
        draw(&mut out, row, summary.duration_ms);
    }
    out.push_str("</ol>");
    if trace.total_rows > ROWS as u64 {
        out.push_str(&format!("<p>The first of {} spans.</p>", trace.total_rows));
    }
    out.push_str("</section>\n<section><h2>What was said</h2>\n");
    let several = transcript.chains.len() > 1;
    let mut last = None;
    for call in &transcript.calls {
        if several && last != Some(call.chain) {
            let agent = transcript.chains.iter().find(|chain| chain.id == call.chain);
            let agent = agent.and_then(|chain| chain.agent.clone());
            let agent = agent.unwrap_or_else(|| format!("Conversation {}", call.chain));
            out.push_str(&format!("<h3 class=\"agent\">{}</h3>\n", escaped(&agent)));
        }
        last = Some(call.chain);
        said(&mut out, transcript, call);
    }
    if transcript.calls.is_empty() {
        out.push_str("<p>No call of a model is in this trace.</p>");
    }
    out.push_str("</section></main></body></html>\n");
    out
}

fn facts(trace: &Trace) -> String {
    let summary = &trace.summary;
    let mut facts = vec![took(summary.duration_ms), format!("{} spans", summary.spans)];
    for (n, what) in
        [(summary.llm_calls, "model calls"), (summary.tool_calls, "tool runs"), (summary.errors, "errors")]
    {
        facts.extend((n > 0).then(|| format!("{n} {what}")));
    }
    if let (Some(input), Some(output)) = (summary.usage.input, summary.usage.output) {
        facts.push(format!("{input} tokens in, {output} out"));
    }
    facts.extend(summary.cost.as_ref().map(|cost| format!("cost {:.4}", cost.amount)));
    facts.join(" · ")
}

fn draw(out: &mut String, row: &Row, whole: f64) {
    let part = |ms: f64| if whole > 0.0 { (ms / whole * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    let (left, width) = (part(row.at), part(row.duration_ms).max(0.4));
    let op = row.op.map_or("", |op| op.as_str());
    let name = if row.ghost { "(not here)" } else { &row.name };
    let error = if row.error { " error" } else { "" };
    let mut facts = took(row.duration_ms);
    if let Some((input, output)) =
        row.usage.filter(|_| !row.wrapper).and_then(|usage| Some((usage.input?, usage.output?)))
    {
        facts.push_str(&format!(" · {input} → {output}"));
    }
    if let Some(kind) = &row.error_type {
        facts.push_str(&format!(" · {kind}"));
    }
    out.push_str(&format!(
        "<li class=\"{op}{error}\"><span style=\"padding-left:{indent}em\">{name}</span>\
         <i><b style=\"left:{left:.2}%;width:{width:.2}%\"></b></i><em>{facts}</em></li>\n",
        indent = row.depth.min(20),
        name = escaped(name),
        facts = escaped(&facts),
    ));
}

fn said(out: &mut String, transcript: &Transcript, call: &Call) {
    let model = call.model.as_ref().or(call.request_model.as_ref()).map(String::as_str).unwrap_or_default();
    let mut facts = vec![model.to_owned()];
    facts.extend(call.duration_ms.map(took));
    facts.extend(call.finish.clone());
    facts.retain(|fact| !fact.is_empty());
    out.push_str(&format!(
        "<article><h3>{}. {} <small>{}</small></h3>\n",
        call.ordinal + 1,
        call.op.as_str(),
        escaped(&facts.join(" · "))
    ));
    let system = if call.carried == 0 { call.system.as_slice() } else { &[] };
    for seen in system.iter().chain(&call.input).chain(&call.output) {
        if let Some(message) = transcript.messages.get(&seen.message) {
            speak(out, message);
        }
    }
    if let Some(error) = &call.error {
        let message = error.message.as_deref().unwrap_or_default();
        out.push_str(&format!("<p class=\"error\">{} {}</p>\n", escaped(&error.kind), escaped(message)));
    }
    if let Some(hint) = &call.hint {
        out.push_str(&format!("<p class=\"hint\">{}</p>\n", escaped(hint)));
    }
    out.push_str("</article>\n");
}

fn speak(out: &mut String, message: &Message) {
    let role = escaped(&message.role);
    // Only known roles have a look of their own.
    let known = ["system", "user", "assistant", "tool", "developer"].contains(&message.role.as_str());
    let class = if known { message.role.as_str() } else { "other" };
    out.push_str(&format!("<div class=\"message {class}\"><h4>{role}</h4>"));
    for part in &message.parts {
        match part {
            Part::Text(text) => block(out, "", &text.content),
            Part::Reasoning(text) => fold(out, "reasoning", &text.content),
            Part::Compaction(text) => fold(out, "summary of what was before", &text.content),
            Part::ToolCall { name, arguments, raw, .. } => {
                let arguments = raw.clone().or_else(|| arguments.as_ref().map(pretty)).unwrap_or_default();
                block(out, &format!("→ {name}"), &arguments);
            }
            Part::ServerToolCall { name, call, .. } => block(out, &format!("→ {name}"), &pretty(call)),
            Part::ToolCallResponse { response, .. } | Part::ServerToolCallResponse { response, .. } => {
                let text = response.as_str().map_or_else(|| pretty(response), str::to_owned);
                block(out, "←", &text);
            }
            Part::Media { modality, mime, src, uri, .. } => {
                media(out, modality, mime.as_deref(), src.as_deref(), uri.as_deref());
            }
            Part::Generic { kind, value } => fold(out, kind, &pretty(value)),
        }
    }
    out.push_str("</div>\n");
}

fn block(out: &mut String, title: &str, text: &str) {
    let title = if title.is_empty() { String::new() } else { format!("<h5>{}</h5>", escaped(title)) };
    out.push_str(&format!("{title}<pre>{}</pre>", escaped(text)));
}

fn fold(out: &mut String, title: &str, text: &str) {
    out.push_str(&format!(
        "<details><summary>{}</summary><pre>{}</pre></details>",
        escaped(title),
        escaped(text)
    ));
}

fn media(out: &mut String, modality: &str, mime: Option<&str>, src: Option<&str>, uri: Option<&str>) {
    let picture = mime.is_some_and(|mime| {
        ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"].contains(&mime)
    });
    match src.filter(|src| picture && src.starts_with("data:image/")) {
        Some(src) => out.push_str(&format!("<img alt=\"{}\" src=\"{}\">", escaped(modality), escaped(src))),
        None => {
            let facts: Vec<_> = [Some(modality), mime, uri].into_iter().flatten().collect();
            out.push_str(&format!("<p class=\"hint\">[{}]</p>", escaped(&facts.join(", "))));
        }
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn took(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1_000.0) }
}

/// Text, and nothing but text. What changes the direction of writing is shown as a mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escaped("<script>\"&'\u{202e}\u{0}"), "&lt;script&gt;&quot;&amp;&#39;\u{fffd}\u{fffd}");
        let mut out = String::new();
        media(&mut out, "image", Some("image/svg+xml"), Some("data:image/svg+xml,<svg onload=x>"), None);
        media(&mut out, "image", Some("image/png"), Some("https://elsewhere.test/x.png"), None);
        assert!(!out.contains("<img") && !out.contains("<svg"), "{out}");
    }
}
