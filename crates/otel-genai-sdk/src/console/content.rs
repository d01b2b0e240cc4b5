//! What was said: messages, tool calls, instructions, each folded to a few lines.

use serde_json::Value as Json;

use super::facts::{Facts, one_line};
use super::paint::{Paint, Style};
use super::text::{cut, fold, plain, thousands, width};
use super::words;

/// Lines that one message may take.
const LINES: usize = 2;
/// Messages of a conversation that are shown; the middle of a longer one is left out.
const FIRST_MESSAGES: usize = 1;
const LAST_MESSAGES: usize = 4;
/// Wide enough for `assistant`, `arguments` and `documents`.
const LABEL: usize = 9;

/// Which kinds of content there are, a bit each.
pub(crate) fn kinds(facts: &Facts<'_>) -> u8 {
    const KINDS: [&[&str]; 8] = [
        &[words::SYSTEM_INSTRUCTIONS],
        &[words::INPUT_MESSAGES, words::MEMORY_INPUT],
        &[words::OUTPUT_MESSAGES, words::MEMORY_OUTPUT],
        &[words::QUERY, words::MEMORY_QUERY, words::SCORING_PROMPT],
        &[words::DOCUMENTS, words::RECORDS, words::RERANK_INPUT, words::RERANK_OUTPUT],
        &[words::TOOL_ARGUMENTS],
        &[words::TOOL_RESULT],
        &[words::TOOL_DEFINITIONS],
    ];
    let is_there = |names: &&[&str]| names.iter().any(|name| facts.get(name).is_some());
    KINDS.iter().rev().fold(0, |kinds, names| kinds << 1 | u8::from(is_there(names)))
}

/// Whether messages are among these kinds.
pub(crate) fn has_messages(kinds: u8) -> bool {
    kinds & 0b110 != 0
}

/// Writes content line by line below a headline.
pub(crate) struct Fold<'a> {
    pub(crate) paint: Paint,
    pub(crate) indent: usize,
    pub(crate) out: &'a mut String,
}

impl Fold<'_> {
    /// Whatever of the content is there.
    pub(crate) fn content(&mut self, facts: &Facts<'_>) {
        if let Some(instructions) = facts.get(words::SYSTEM_INSTRUCTIONS) {
            match parsed(instructions) {
                Json::Array(parts) => {
                    self.said("system", &parts.iter().map(part).collect::<Vec<_>>().join("\n"));
                }
                other => self.said("system", &text_of(&other)),
            }
        }
        if let Some(messages) = facts.get(words::INPUT_MESSAGES) {
            self.messages("input", messages);
        }
        if let Some(messages) = facts.get(words::OUTPUT_MESSAGES) {
            self.messages("output", messages);
        }
        for (name, label) in [
            (words::MEMORY_INPUT, "input"),
            (words::MEMORY_OUTPUT, "output"),
            (words::QUERY, "query"),
            (words::MEMORY_QUERY, "query"),
            (words::SCORING_PROMPT, "prompt"),
        ] {
            if let Some(text) = facts.get(name) {
                self.said(label, &text_of(text));
            }
        }
        for (name, label) in [
            (words::DOCUMENTS, "documents"),
            (words::RERANK_INPUT, "input"),
            (words::RERANK_OUTPUT, "output"),
            (words::RECORDS, "records"),
        ] {
            if let Some(documents) = facts.get(name) {
                self.documents(label, documents);
            }
        }
        if let Some(arguments) = facts.get(words::TOOL_ARGUMENTS) {
            self.said("arguments", &text_of(&parsed(arguments)));
        }
        if let Some(result) = facts.get(words::TOOL_RESULT) {
            self.said("result", &text_of(&parsed(result)));
        }
        if let Some(tools) = facts.get(words::TOOL_DEFINITIONS) {
            self.tools(tools);
        }
    }

    fn messages(&mut self, what: &str, value: &Json) {
        match parsed(value) {
            Json::Array(messages) => self.conversation(what, &messages),
            // No message the conventions know: shown as the text that it is.
            other => self.said(what, &text_of(&other)),
        }
    }

    /// Messages that say themselves who says them.
    pub(crate) fn said_by(&mut self, messages: &[Json]) {
        self.conversation("message", messages);
    }

    fn conversation(&mut self, what: &str, messages: &[Json]) {
        let hidden = messages.len().saturating_sub(FIRST_MESSAGES + LAST_MESSAGES);
        for (at, message) in messages.iter().enumerate() {
            if hidden > 0 && at == FIRST_MESSAGES {
                let more =
                    if hidden == 1 { "1 more message".to_owned() } else { format!("{hidden} more messages") };
                self.line(Style::Faint, "", &format!("… {more}"), Style::Faint);
            }
            if hidden > 0 && (FIRST_MESSAGES..FIRST_MESSAGES + hidden).contains(&at) {
                continue;
            }
            let role = message.get("role").map_or_else(|| what.to_owned(), one_line);
            match message.get("parts") {
                Some(Json::Array(parts)) => {
                    let said =
                        parts.iter().map(part).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
                    self.said(&role, &said);
                }
                _ => match message.get("content") {
                    Some(content) => self.said(&role, &text_of(content)),
                    None => self.said(&role, &text_of(message)),
                },
            }
        }
    }

    /// `2: hr-12 0.93 "Thirty days off a year.", hr-99 0.41 "Days of the week."`
    fn documents(&mut self, label: &str, value: &Json) {
        match parsed(value) {
            Json::Array(documents) => {
                let told: Vec<_> = documents.iter().map(document).collect();
                let told = told.join(", ");
                let gap = if told.is_empty() { "" } else { ": " };
                self.said(label, &format!("{}{gap}{told}", documents.len()));
            }
            other => self.said(label, &text_of(&other)),
        }
    }

    /// What else there is to a call, in as few words as it takes.
    pub(crate) fn remark(&mut self, label: &str, text: &str) {
        self.folded(label, text, LINES, (Style::Faint, Style::Faint));
    }

    fn tools(&mut self, value: &Json) {
        let names = match parsed(value) {
            Json::Array(tools) => tools
                .iter()
                .filter_map(|tool| {
                    tool.get("name").or_else(|| tool.get("function")?.get("name")).or(tool.get("type"))
                })
                .map(one_line)
                .collect::<Vec<_>>()
                .join(", "),
            other => text_of(&other),
        };
        self.said("tools", &names);
    }

    /// A label, and up to [`LINES`] lines of what was said.
    fn said(&mut self, label: &str, text: &str) {
        self.folded(label, text, LINES, (Style::Role, Style::Plain));
    }

    /// Why a call failed: may take more room than what was said.
    pub(crate) fn failure(&mut self, why: &str) {
        self.folded("error", why, 2 * LINES, (Style::Bad, Style::Bad));
    }

    fn folded(&mut self, label: &str, text: &str, lines: usize, (label_style, style): (Style, Style)) {
        let columns = self.paint.columns.saturating_sub(self.indent + LABEL + 2);
        let (mut lines, mut hidden) = fold(text, columns, lines);
        if lines.is_empty() {
            lines.push("(nothing)".to_owned());
        }
        let note = |hidden: usize| {
            let hidden = u64::try_from(hidden).unwrap_or(u64::MAX);
            format!(" … +{} {}", thousands(hidden), if hidden == 1 { "character" } else { "characters" })
        };
        if hidden > 0
            && let Some(last) = lines.last_mut()
        {
            // Room for the note is taken from the line.
            let room = columns.saturating_sub(width(&note(hidden)) + 1).max(8);
            if width(last) > room {
                let before = last.chars().count();
                let mut shorter = cut(last, room + 1).trim_end_matches('…').trim_end().to_owned();
                if let Some(word) = shorter.rfind(' ').filter(|space| shorter.len() - space < 16) {
                    shorter.truncate(word);
                }
                hidden += before - shorter.chars().count();
                *last = shorter;
            }
        }
        let count = lines.len();
        for (at, line) in lines.into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            let tail = if hidden > 0 && at + 1 == count { note(hidden) } else { String::new() };
            let line = self.paint.paint(style, &line) + &self.paint.paint(Style::Faint, &tail);
            self.line(label_style, label, &line, Style::Plain);
        }
    }

    fn line(&mut self, label_style: Style, label: &str, text: &str, style: Style) {
        let label = cut(&plain(label), LABEL);
        let pad = " ".repeat(LABEL - width(&label).min(LABEL) + 2);
        self.out.push_str(&" ".repeat(self.indent));
        self.out.push_str(&self.paint.paint(label_style, &label));
        self.out.push_str(&pad);
        self.out.push_str(&self.paint.paint(style, text));
        self.out.push('\n');
    }
}

/// What a document or a memory says of itself.
fn document(document: &Json) -> String {
    let field =
        |names: [&str; 2]| names.iter().find_map(|name| document.get(name)).filter(|value| !value.is_null());
    let mut told: Vec<String> = [field(["id", "id"]), field(["score", "relevance_score"])]
        .into_iter()
        .flatten()
        .map(one_line)
        .collect();
    match field(["content", "memory"]) {
        Some(Json::String(text)) => told.push(format!("\"{}\"", cut(&one_line(&text.as_str().into()), 60))),
        Some(other) => told.push(cut(&one_line(other), 60)),
        None if told.is_empty() => told.push(cut(&text_of(document), 60)),
        None => {}
    }
    told.join(" ")
}

/// One part of a message, as text.
fn part(part: &Json) -> String {
    let field = |name: &str| part.get(name).filter(|value| !value.is_null());
    match part.get("type").and_then(Json::as_str) {
        Some("text") => field("content").map(text_of).unwrap_or_default(),
        Some("reasoning") => format!("(thinks) {}", field("content").map(text_of).unwrap_or_default()),
        Some("refusal") => {
            format!("(refuses) {}", field("content").or(field("refusal")).map(text_of).unwrap_or_default())
        }
        Some("tool_call" | "server_tool_call") => {
            let name = field("name").map(one_line).unwrap_or_default();
            let call = field("arguments").or(field("server_tool_call"));
            format!("{name}({})", call.map(|value| arguments(&parsed(value))).unwrap_or_default())
        }
        Some("tool_call_response" | "server_tool_call_response") => {
            let result = field("response").or(field("result")).or(field("server_tool_call_response"));
            format!("→ {}", result.map(|value| text_of(&parsed(value))).unwrap_or_default())
        }
        Some(kind) => {
            // Media: what it is and where, never the bytes.
            let what = field("modality").or(field("mime_type")).map_or_else(|| plain(kind), one_line);
            match field("uri").or(field("file_id")) {
                Some(place) => format!("[{what} {}]", cut(&one_line(place), 60)),
                None => format!("[{what}]"),
            }
        }
        None => text_of(part),
    }
}

/// `city: "Paris", days: 3`, or whatever else it is.
fn arguments(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ")
        }
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Spans carry structure as a JSON string. What does not parse stays the text that it is.
fn parsed(value: &Json) -> Json {
    match value {
        Json::String(text) if text.trim_start().starts_with(['[', '{']) => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        other => other.clone(),
    }
}
