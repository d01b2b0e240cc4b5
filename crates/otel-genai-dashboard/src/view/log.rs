//! Log records.

use otel_genai_store::{Attributes, LogRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::any::{Any, Attribute, Shown, attributes, head};
use super::span::Scope;
use super::{List, Op, is_false, millis};

/// A log record in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogRow {
    /// Its id, such as `20261122-1234`.
    pub id: String,
    /// When it happened.
    pub at_ms: f64,
    /// OTLP's number: 9 is "info", 17 "error".
    pub severity: i32,
    /// The source's own word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity_text: Option<String>,
    /// The event that it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What told it.
    pub service: String,
    /// Its trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Its span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// What it says, at most 300 characters: its body, else its attributes.
    pub text: String,
    /// The call that it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// It is of generative AI.
    #[serde(default, skip_serializing_if = "is_false")]
    pub genai: bool,
}

/// A page of log records.
pub type LogList = List<LogRow>;

/// A log record whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogDetail {
    /// In one line.
    pub row: LogRow,
    /// What it says, as far as it is shown here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Any>,
    /// How long the whole body is, in bytes, where it is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<usize>,
    /// Where the whole body is, where it is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What made it.
    pub resource: Vec<Attribute>,
    /// What told it.
    pub scope: Scope,
    /// When it happened, in nanoseconds.
    pub time_ns: String,
    /// When a collector saw it, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ns: Option<String>,
}

const MOST_TEXT: usize = 300;

impl From<&LogRecord> for LogRow {
    fn from(log: &LogRecord) -> Self {
        let event = log.event.as_deref();
        let ours = |event: &str| {
            ["gen_ai.", "claude_code.", "codex."].iter().any(|prefix| event.starts_with(prefix))
        };
        Self {
            id: log.id.to_string(),
            at_ms: millis(log.moment()),
            severity: log.severity,
            severity_text: Some(log.severity_text.as_ref().to_owned()).filter(|text| !text.is_empty()),
            event: event.map(str::to_owned),
            service: log.origin.resource.service.as_ref().to_owned(),
            trace: log.trace.map(|trace| trace.to_string()),
            span: log.span.map(|span| span.to_string()),
            text: line(log),
            op: log.facts.op.and_then(Op::of),
            genai: log.facts.op.is_some() || event.is_some_and(ours),
        }
    }
}

impl LogDetail {
    /// `more` tells where the whole value of a key is; of the body where there is no key.
    pub(crate) fn of(log: &LogRecord, more: impl Fn(Option<&str>) -> String) -> Self {
        let body = log.body.as_ref().map(Shown::of);
        let cut = body.as_ref().and_then(|body| body.cut);
        let origin = &log.origin;
        Self {
            row: LogRow::from(log),
            body: body.map(|body| body.value),
            cut,
            more: cut.map(|_| more(None)),
            attributes: attributes(&log.attributes, |key| Some(more(Some(key)))),
            resource: attributes(&origin.resource.attributes, |_| None),
            scope: Scope::of(&origin.scope),
            time_ns: log.moment().0.to_string(),
            observed_ns: Some(log.observed.0)
                .filter(|observed| *observed > 0)
                .map(|observed| observed.to_string()),
        }
    }
}

fn line(log: &LogRecord) -> String {
    let body = log.body.as_ref().and_then(|body| match body.text() {
        Some(text) => Some(short(&text)),
        None => body.json().filter(|json| !json.is_null()).map(|json| short(&json.to_string())),
    });
    let says = |body: &String| !body.is_empty() && log.event.as_deref() != Some(body);
    body.filter(says).unwrap_or_else(|| pairs(&log.attributes))
}

/// In one line, of so many characters at most.
fn short(text: &str) -> String {
    let begin = head(text.trim(), 4 * MOST_TEXT);
    let mut line: String = begin.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MOST_TEXT) {
        line.truncate(end);
    }
    line
}

fn pairs(attributes: &Attributes) -> String {
    let mut line = String::new();
    for attribute in &attributes.0 {
        if attribute.key.as_ref() == "event.name" || line.len() > MOST_TEXT {
            continue;
        }
        let value = match attribute.value.text() {
            Some(text) => short(&text),
            None => attribute.value.json().map(|json| short(&json.to_string())).unwrap_or_default(),
        };
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&attribute.key);
        line.push('=');
        line.push_str(&value);
    }
    short(&line)
}
