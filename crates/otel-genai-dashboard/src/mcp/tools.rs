//! The tools: each a question to the API, or a few.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use otel_genai_store::SearchQuery;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use super::{arguments, records};
use crate::api;
use crate::http::short;
use crate::shared::Shared;

/// What a tool answers, or why not.
type Told = Result<String, String>;

/// An answer has so many characters at most, unless it is asked for more: it goes into a model's context.
const MOST: u64 = 40_000;
/// So many failed spans are looked into.
const CAUSES: usize = 3;
/// So much is shown of a stack trace or a message.
const DETAIL: usize = 2_000;
/// Of a trace's id so many digits are needed: fewer are not searched for.
const FEWEST_DIGITS: usize = SearchQuery::FEWEST_DIGITS;

/// The tools, as `tools/list` tells them.
pub(super) fn list() -> Value {
    let id = json!({ "type": "string", "description": "The trace's id, its first 8 digits or more, or `last` for the newest" });
    let since = json!({ "type": "string", "description": "How far to look back: 15m, 24h, 7d" });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 100, "description": "How many at most" });
    let max = json!({ "type": "integer", "minimum": 2000, "description": "How many characters at most; the middle is left out" });
    let service = json!({ "type": "string", "description": "Only of this service" });
    let tool = |name: &str, description: &str, properties: Value, required: &[&str]| {
        json!({
            "name": name, "description": description,
            "inputSchema": { "type": "object", "properties": properties, "required": required, "additionalProperties": false },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        })
    };
    json!([
        tool(
            "list_traces",
            "Lists recorded runs, the newest first: name, first words, errors, model calls, tokens, cost.",
            json!({ "limit": limit, "since": since, "service": service,
                "errors": { "type": "boolean", "description": "Only with errors" },
                "text": { "type": "string", "description": "Only where these words were said" } }),
            &[],
        ),
        tool(
            "get_trace",
            "What ran in a trace: its spans as a tree, with times, tokens and errors.",
            json!({ "id": id }),
            &["id"]
        ),
        tool(
            "get_transcript",
            "What ran and what was said in a trace, as Markdown: messages, tool calls, their results.",
            json!({ "id": id, "max_chars": max }),
            &["id"],
        ),
        tool(
            "search",
            "Finds words in everything that was said and logged.",
            json!({ "text": { "type": "string", "description": "Words; in quotes: in this order" }, "limit": limit, "since": since }),
            &["text"],
        ),
        tool(
            "stats",
            "Adds up calls, errors, tokens, cost and times by model, agent or tool.",
            json!({ "by": { "type": "string", "enum": ["model", "agent", "tool"] }, "since": since, "service": service }),
            &["by"],
        ),
        tool(
            "why_failed",
            "What went wrong in a trace: the failed spans with their messages and exceptions, and what is wrong with its telemetry. \
             Without an id: the newest trace with errors.",
            json!({ "id": id }),
            &[],
        ),
    ])
}

/// `None`: there is no such tool.
pub(super) async fn call(shared: &Arc<Shared>, name: &str, arguments: &Value) -> Option<Told> {
    let known = list();
    let schema =
        known.as_array()?.iter().find(|tool| tool.get("name").and_then(Value::as_str) == Some(name))?;
    if let Err(why) = arguments::check(name, schema.get("inputSchema")?, arguments) {
        return Some(Err(why));
    }
    let asking = Asking { shared, arguments };
    Some(match name {
        "list_traces" => asking.traces().await,
        "get_trace" => asking.trace().await,
        "get_transcript" => asking.transcript().await,
        "search" => asking.search().await,
        "stats" => asking.stats().await,
        "why_failed" => asking.why().await,
        _ => return None,
    })
}

struct Asking<'a> {
    shared: &'a Arc<Shared>,
    arguments: &'a Value,
}

impl Asking<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.arguments.get(name).and_then(Value::as_u64)
    }

    /// `&from=-24h`, if it was asked for.
    fn since(&self) -> String {
        self.text("since")
            .map_or_else(String::new, |since| format!("&from=-{}", form(since.trim_start_matches('-'))))
    }

    fn service(&self) -> String {
        self.text("service").map_or_else(String::new, |service| format!("&service={}", form(service)))
    }

    /// A document below `/api/v1`.
    async fn ask(&self, path: &str) -> Told {
        let request = Request::get(format!("/api/v1{path}")).body(Body::empty());
        let request = request.map_err(|error| format!("this cannot be asked: {error}"))?;
        let router = api::router().with_state(Arc::clone(self.shared));
        let Ok(response) = router.oneshot(request).await;
        let good = response.status().is_success();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        let text = body.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&text).into_owned();
        if good {
            return Ok(text);
        }
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        Err(told.pointer("/error/message").and_then(Value::as_str).unwrap_or("it failed").to_owned())
    }

    async fn read(&self, path: &str) -> Result<Value, String> {
        serde_json::from_str(&self.ask(path).await?).map_err(|error| error.to_string())
    }

    /// The trace that is meant: `last` is the newest.
    async fn id(&self, otherwise: &str) -> Told {
        let query = match self.text("id") {
            Some("last") => "",
            Some(id) => return self.find(id).await,
            None => otherwise,
        };
        let list = self.read(&format!("/traces?limit=1{query}")).await?;
        let id = list.pointer("/items/0/id").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| "there is no such trace".to_owned())
    }

    /// The whole id of the trace that begins so.
    async fn find(&self, asked: &str) -> Told {
        let digits = asked.trim().to_ascii_lowercase();
        if !(FEWEST_DIGITS..=32).contains(&digits.len())
            || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Err(format!(
                "id={}: the id of a trace is meant, or {FEWEST_DIGITS} or more of its 32 hexadecimal digits from the first \
                 on, or last for the newest; list_traces tells them",
                short(asked)
            ));
        }
        if digits.len() == 32 {
            return Ok(digits);
        }
        let found = self.read(&format!("/search?q={digits}&limit=10")).await?;
        let hits = found.get("hits").and_then(Value::as_array).into_iter().flatten();
        let fitting: Vec<_> = hits
            .filter_map(|hit| hit.pointer("/trace/id")?.as_str())
            .filter(|id| id.starts_with(&digits))
            .collect();
        match fitting.as_slice() {
            [id] => Ok((*id).to_owned()),
            [] => Err(format!(
                "there is no trace whose id begins with {digits}; list_traces tells those there are"
            )),
            several => {
                Err(format!("several traces begin with {digits}, give more digits: {}", several.join(", ")))
            }
        }
    }

    async fn traces(&self) -> Told {
        let mut path = format!(
            "/traces?limit={}{}{}",
            self.number("limit").unwrap_or(20).min(100),
            self.since(),
            self.service()
        );
        if self.arguments.get("errors").and_then(Value::as_bool) == Some(true) {
            path.push_str("&error=1");
        }
        if let Some(text) = self.text("text") {
            path.push_str(&format!("&q={}", form(text)));
        }
        let list = self.read(&path).await?;
        let rows = list.get("items").and_then(Value::as_array).into_iter().flatten();
        let names = [
            "id",
            "name",
            "title",
            "service",
            "state",
            "startMs",
            "durationMs",
            "spans",
            "errors",
            "llmCalls",
            "toolCalls",
            "usage",
            "cost",
        ];
        let rows: Vec<_> = rows.map(|row| only(row, &names)).collect();
        Ok(if rows.is_empty() { "no traces".to_owned() } else { lines(&rows) })
    }

    async fn trace(&self) -> Told {
        let id = self.id("").await?;
        let whole = self.ask(&format!("/traces/{id}/export?format=md&maxChars={MOST}")).await?;
        Ok(whole.split("## What was said").next().unwrap_or_default().to_owned())
    }

    async fn transcript(&self) -> Told {
        let id = self.id("").await?;
        let max = self.number("max_chars").unwrap_or(MOST);
        self.ask(&format!("/traces/{id}/export?format=md&maxChars={max}")).await
    }

    async fn search(&self) -> Told {
        let text = self.text("text").unwrap_or_default();
        let limit = self.number("limit").unwrap_or(20).min(100);
        let found = self.read(&format!("/search?q={}&limit={limit}{}", form(text), self.since())).await?;
        let hits = found.get("hits").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut told = if hits.is_empty() { "nothing was found".to_owned() } else { lines(&hits) };
        if found.get("complete") == Some(&Value::Bool(false)) {
            told.push_str("\n(what came in the last moments cannot be searched yet)");
        }
        Ok(told)
    }

    async fn stats(&self) -> Told {
        // It is one of three: see `list`.
        let what = match self.text("by") {
            Some("agent") => "agents",
            Some("tool") => "tools",
            _ => "models",
        };
        let query = format!("{}{}", self.since(), self.service());
        let answer = self.read(&format!("/{what}?{}", query.trim_start_matches('&'))).await?;
        let rows = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(if rows.is_empty() { "no calls".to_owned() } else { lines(&rows) })
    }

    async fn why(&self) -> Told {
        let id = self.id("&error=1").await?;
        let trace = self.read(&format!("/traces/{id}?fold=http")).await?;
        let rows = trace.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
        let failed = |row: &&Value| row.get("error") == Some(&Value::Bool(true));
        // The innermost is where it began; spans around it only pass it on.
        let depth = |row: &Value| row.get("depth").and_then(Value::as_u64).unwrap_or(0);
        let mut causes: Vec<&Value> = rows.iter().filter(failed).collect();
        causes.sort_by_key(|row| std::cmp::Reverse(depth(row)));
        let summary = trace
            .get("summary")
            .map(|row| only(row, &["id", "name", "title", "service", "errors", "startMs"]));
        let mut told = format!("Trace: {}\n", summary.unwrap_or_default());
        let errors = trace.pointer("/summary/errors").and_then(Value::as_u64).unwrap_or(0);
        let of_records = match id.parse() {
            Ok(trace) if (causes.len() as u64) < errors.max(1) => {
                records::failed(self.shared, trace, &rows).await
            }
            _ => Ok(Vec::new()),
        };
        match &of_records {
            Err(why) => told.push_str(&format!("Its log records were not looked into: {why}.\n")),
            Ok(found) if causes.is_empty() && found.is_empty() => {
                told.push_str("No span of it has failed, and no call that its log records tell of.\n");
            }
            Ok(_) => {}
        }
        let of_records = of_records.unwrap_or_default();
        for row in causes.iter().take(CAUSES) {
            let names = ["span", "name", "op", "model", "tool", "errorType", "durationMs", "retry", "finish"];
            told.push_str(&format!("\nFailed: {}\n", only(row, &names)));
            let span = row.get("span").and_then(Value::as_str).unwrap_or_default();
            let Ok(detail) = self.read(&format!("/traces/{id}/spans/{span}")).await else { continue };
            if let Some(message) = detail.pointer("/status/message").and_then(Value::as_str) {
                told.push_str(&format!("  status: {}\n", excerpt(message)));
            }
            for event in detail.get("events").and_then(Value::as_array).into_iter().flatten() {
                for attribute in event.get("attributes").and_then(Value::as_array).into_iter().flatten() {
                    let key = attribute.get("key").and_then(Value::as_str).unwrap_or_default();
                    if let Some(value) = attribute.get("value").and_then(Value::as_str)
                        && key.starts_with("exception.")
                    {
                        told.push_str(&format!("  {key}: {}\n", excerpt(value)));
                    }
                }
            }
        }
        if causes.len() > CAUSES {
            told.push_str(&format!("\nand {} other failed spans\n", causes.len() - CAUSES));
        }
        // The last one is what a run ended on: calls before it may have been tried again.
        let earlier = of_records.len().saturating_sub(CAUSES);
        for one in of_records.iter().skip(earlier) {
            told.push_str(&format!("\nFailed, as a log record tells: {}\n", one.call));
            if let Some(message) = &one.message {
                told.push_str(&format!("  error: {}\n", excerpt(message)));
            }
        }
        if earlier > 0 {
            told.push_str(&format!("\nand {earlier} failed calls before, which log records tell of\n"));
        }
        let findings = self.read(&format!("/traces/{id}/findings")).await.unwrap_or_default();
        for finding in findings.as_array().into_iter().flatten() {
            told.push_str(&format!("\nTelemetry: {}\n", only(finding, &["title", "why", "fix", "setting"])));
        }
        told.push_str("\nget_transcript shows what was said before it.\n");
        Ok(told)
    }
}

/// These fields of an object.
fn only(value: &Value, names: &[&str]) -> Value {
    let field = |name: &&str| Some(((*name).to_owned(), value.get(*name)?.clone()));
    names.iter().filter_map(field).collect::<Map<_, _>>().into()
}

/// A document a line.
fn lines(values: &[Value]) -> String {
    values.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

fn excerpt(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(DETAIL).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A value in a query, percent-encoded.
fn form(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
