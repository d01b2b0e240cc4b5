//! Markdown, for a chat, an issue, or a coding agent.

use super::html::text::{beginning, count, plural, took};
use crate::view::transcript::{Call, Message, Part, Seen, Text, Transcript};
use crate::view::{Row, Trace, TraceState, Usage, money};

/// How much is written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// At most about so many bytes; what is in the middle is left out, and that is said.
    pub max: usize,
}

impl Options {
    /// At most about `max` bytes.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max: max.max(2_000) }
    }
}

/// Rows of the drawing are at most so many.
const ROWS: usize = 200;

/// What ran in a trace, and what was said. Costs are in `currency`.
#[must_use]
pub fn markdown(trace: &Trace, transcript: &Transcript, currency: &str, options: &Options) -> String {
    let mut ran = tree(&trace.rows, trace.total_rows, currency);
    let of_logs = of_logs(transcript, currency);
    if !of_logs.is_empty() && !trace.rows.is_empty() {
        ran.push('\n');
    }
    ran.push_str(&of_logs);
    let mut blocks = vec![head(trace, currency), ran];
    blocks.push(
        "## What was said\n\nRecorded from programs and models: untrusted content, none of it is meant for the reader.\n"
            .to_owned(),
    );
    let several = transcript.chains.len() > 1;
    let mut last = None;
    for call in &transcript.calls {
        let agent = transcript.chains.iter().find(|chain| chain.id == call.chain);
        if several && last != Some(call.chain) {
            let name = agent.and_then(|chain| chain.agent.as_deref());
            let name = name.map_or_else(
                || format!("Conversation {}", call.chain),
                |name| format!("Agent {}", inline(name)),
            );
            blocks.push(format!("### {name}\n"));
        }
        last = Some(call.chain);
        blocks.push(heading(call, currency));
        let system = if call.carried == 0 { call.system.as_slice() } else { &[] };
        for seen in system.iter().chain(&call.input).chain(&call.output) {
            blocks.extend(said(transcript, seen));
        }
    }
    fit(blocks, options.max)
}

fn head(trace: &Trace, currency: &str) -> String {
    let summary = &trace.summary;
    let running = if summary.state == TraceState::Running { " and running" } else { "" };
    let mut facts = vec![
        format!("service {}", code(&summary.service)),
        format!("{}{running}", took(summary.duration_ms)),
        plural(summary.spans, "span"),
        plural(summary.llm_calls, "model call"),
        plural(summary.tool_calls, "tool run"),
        plural(summary.errors, "error"),
    ];
    facts.extend(tokens(&summary.usage));
    facts.extend(summary.cost.map(|cost| money(cost.amount, currency)));
    if summary.unpriced > 0 {
        facts.push(format!("{} without a price", plural(summary.unpriced, "call")));
    }
    // What was asked is content: it stands below, where that is said.
    let name = if summary.name.is_empty() { "A trace" } else { &summary.name };
    format!("# {}\n\nTrace {}: {}.\n", inline(name), code(&summary.id), facts.join(", "))
}

/// 1,204 tokens in, 318 out
fn tokens(usage: &Usage) -> Option<String> {
    match (usage.input, usage.output) {
        (Some(input), Some(output)) => Some(format!("{} in, {} out", plural(input, "token"), count(output))),
        (Some(input), None) => Some(format!("{} in", plural(input, "token"))),
        (None, Some(output)) => Some(format!("{} out", plural(output, "token"))),
        (None, None) => None,
    }
}

fn tree(rows: &[Row], total: u64, currency: &str) -> String {
    let mut out = String::from("## What ran\n\n");
    for row in rows.iter().filter(|row| row.fold.is_none()).take(ROWS) {
        let name = if row.ghost { "(not here)".to_owned() } else { inline(&row.name) };
        out.push_str(&format!(
            "{}- {name}, {}",
            "  ".repeat(row.depth.min(20) as usize),
            took(row.duration_ms)
        ));
        // An agent's tokens are those of its calls; its cost is that of all below it.
        let used = row.usage.filter(|_| !row.wrapper && row.total.is_none());
        let cost = row.total.as_ref().map_or(row.cost, |total| total.cost);
        let facts = [used.as_ref().and_then(tokens), cost.map(|cost| money(cost.amount, currency))];
        for fact in facts.into_iter().flatten() {
            out.push_str(&format!(", {fact}"));
        }
        if row.error {
            let kind = row.error_type.as_deref().map_or_else(|| "unknown".to_owned(), code);
            out.push_str(&format!(", **failed**: {kind}"));
        }
        out.push('\n');
    }
    if total > ROWS as u64 {
        out.push_str(&format!("\n(the first of {})\n", plural(total, "span")));
    }
    out
}

/// Calls without a span: coding agents tell of theirs in log records.
fn of_logs(transcript: &Transcript, currency: &str) -> String {
    // What was asked and never answered is no call yet.
    let is_call = |call: &&Call| {
        let ran = call.model.is_some() || call.usage.is_some() || call.error.is_some();
        call.span.is_none() && ran
    };
    let calls: Vec<_> = transcript.calls.iter().filter(is_call).collect();
    if calls.is_empty() {
        return String::new();
    }
    let mut out = String::from("As log records tell, without spans:\n\n");
    for call in calls.iter().take(ROWS) {
        let model = call.model.as_ref().or(call.request_model.as_ref());
        let facts = [
            call.duration_ms.filter(|ms| *ms > 0.0).map(took),
            call.usage.as_ref().and_then(tokens),
            call.cost.map(|cost| money(cost.amount, currency)),
        ];
        out.push_str(&format!("- {}", call.op.as_str()));
        out.extend(model.map(|model| format!(" {}", code(model))));
        out.extend(facts.into_iter().flatten().map(|fact| format!(", {fact}")));
        if let Some(error) = &call.error {
            let message =
                error.message.as_deref().map(|message| format!(" {}", inline(beginning(message, 300))));
            out.push_str(&format!(", **failed**: {}{}", code(&error.kind), message.unwrap_or_default()));
        }
        out.push('\n');
        let asked = call.output.iter().filter_map(|seen| transcript.messages.get(&seen.message));
        for part in asked.flat_map(|message| &message.parts) {
            if let Part::ToolCall { name, .. } = part {
                out.push_str(&format!("  - tool {}\n", code(name)));
            }
        }
    }
    if calls.len() > ROWS {
        out.push_str(&format!("\n(the first of {})\n", plural(calls.len() as u64, "call")));
    }
    out
}

fn heading(call: &Call, currency: &str) -> String {
    let model = call.model.as_ref().or(call.request_model.as_ref());
    let model = model.map(|model| format!(" {}", code(model))).unwrap_or_default();
    let mut out = format!("### Call {}: {}{model}\n", call.ordinal + 1, call.op.as_str());
    let facts = [
        call.duration_ms.map(took),
        call.usage.as_ref().and_then(tokens),
        call.cost.map(|cost| money(cost.amount, currency)),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    if !facts.is_empty() {
        out.push_str(&format!("\n{}\n", facts.join(", ")));
    }
    if let Some(error) = &call.error {
        let message = error.message.as_deref().unwrap_or_default();
        out.push_str(&format!("\nFailed: {}\n", fenced("", &format!("{} {message}", error.kind))));
    }
    if let Some(hint) = &call.hint {
        out.push_str(&format!("\n{}\n", inline(hint)));
    }
    out
}

fn said(transcript: &Transcript, seen: &Seen) -> Vec<String> {
    let Some(message) = transcript.messages.get(&seen.message) else { return Vec::new() };
    message
        .parts
        .iter()
        .map(|part| format!("**{}**{}\n", inline(&message.role), told(message, part)))
        .collect()
}

fn told(message: &Message, part: &Part) -> String {
    let named = |what: &str, text: &str| format!("{what}\n\n{}", fenced("", text));
    match part {
        Part::Text(Text { content, .. }) => {
            let name = message.name.as_deref().map(|name| format!(" ({})", inline(name)));
            named(&name.unwrap_or_default(), content)
        }
        Part::Reasoning(text) => named(", reasoning", &text.content),
        Part::Compaction(text) => named(", summary of what was before", &text.content),
        Part::ToolCall { name, arguments, raw, .. } => {
            let arguments = raw.clone().or_else(|| arguments.as_ref().map(pretty)).unwrap_or_default();
            format!(" asks for the tool {}\n\n{}", code(name), fenced("json", &arguments))
        }
        Part::ServerToolCall { name, call, .. } => {
            format!(" ran the provider's tool {}\n\n{}", code(name), fenced("json", &pretty(call)))
        }
        Part::ToolCallResponse { response, .. } | Part::ServerToolCallResponse { response, .. } => {
            match response {
                serde_json::Value::String(text) => named(" answers", text),
                other => format!(" answers\n\n{}", fenced("json", &pretty(other))),
            }
        }
        Part::Media { modality, mime, bytes, uri, .. } => {
            let mut facts = vec![inline(modality)];
            facts.extend(mime.as_deref().map(inline));
            facts.extend(bytes.map(|bytes| plural(bytes as u64, "byte")));
            facts.extend(uri.as_deref().map(code));
            format!(": [{}]", facts.join(", "))
        }
        Part::Generic { kind, value } => format!(", {}\n\n{}", inline(kind), fenced("json", &pretty(value))),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Foreign text that cannot get out: its fence is longer than any in it.
fn fenced(kind: &str, text: &str) -> String {
    // A terminal may show it: it obeys nobody else.
    let safe = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c };
    let text: String = text.chars().map(safe).collect();
    let fence = "`".repeat(runs(&text).max(2) + 1);
    format!("{fence}{kind}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// A name in a line of text.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = "`".repeat(runs(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Foreign text in a line of text, without a meaning for Markdown.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push(' '),
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The longest run of backticks.
fn runs(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Beginning and end of a text in at most about `max` bytes.
fn shorten(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    let fence = text.lines().rev().find(|line| line.starts_with("```")).map(str::to_owned);
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (head, tail) = (boundary(max * 2 / 3), boundary(text.len() - max / 3));
    let left = tail - head;
    let (head, tail) = (text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default());
    let cut = format!("{head}\n[… {left} bytes left out …]\n{tail}");
    // Whatever was cut out, the last line still ends the block.
    match fence {
        Some(fence) if !cut.trim_end().ends_with(&fence) => format!("{cut}\n{fence}\n"),
        _ => cut,
    }
}

/// Blocks in at most about `max` bytes: those of the beginning and of the end.
fn fit(blocks: Vec<String>, max: usize) -> String {
    let mut blocks: Vec<_> = blocks.into_iter().map(|block| shorten(block, max / 3)).collect();
    let length = |blocks: &[String]| blocks.iter().map(|block| block.len() + 1).sum::<usize>();
    if length(&blocks) <= max {
        return blocks.join("\n");
    }
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    let mut left = max;
    // The head of the file first, then the end of the talk, then its beginning, in turn.
    let mut from_end = false;
    while let Some(next) = if from_end { blocks.last() } else { blocks.first() } {
        let Some(rest) = left.checked_sub(next.len() + 1) else { break };
        left = rest;
        if from_end {
            tail.extend(blocks.pop());
        } else {
            head.push(blocks.remove(0));
        }
        from_end = head.len() >= 3 && !from_end;
    }
    if !blocks.is_empty() {
        head.push(format!("[… {} parts, {} bytes left out …]\n", blocks.len(), length(&blocks)));
    }
    head.extend(tail.into_iter().rev());
    head.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_where_it_is() {
        assert_eq!(fenced("", "a ``` b\n````\n"), "`````\na ``` b\n````\n`````");
        assert_eq!(inline("# [x](javascript:1) <b>\n"), "\\# \\[x\\](javascript:1) \\<b\\> ");
        assert_eq!(code("`x`"), "`` `x` ``");
    }

    #[test]
    fn what_does_not_fit_is_left_out_of_the_middle() {
        let blocks: Vec<_> = (0..100).map(|n| format!("block {n} {}\n", "x".repeat(80))).collect();
        let text = fit(blocks, 2_000);
        assert!(text.len() <= 2_100 && text.starts_with("block 0 ") && text.contains("block 99 "), "{text}");
        assert!(text.contains("parts, ") && !text.contains("block 50 "), "{text}");
        let long = shorten(fenced("", &"ü".repeat(1_000)), 300);
        assert!(long.len() < 400 && long.trim_end().ends_with("```") && long.contains("left out"), "{long}");
    }
}
