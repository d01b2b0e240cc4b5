//! `otel-genai traces`: what was received, a line each.

use clap::value_parser;
use serde_json::Value;

use crate::dashboard::found::form;
use crate::dashboard::settings::Since;
use crate::dashboard::source::{Look, Source};
use crate::dashboard::text::{self, Paint, Style, fit};
use crate::diagnostics;
use crate::exit::Failure;

/// The API tells so many at a time.
const PAGE: usize = 500;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai traces                     the newest
  otel-genai traces --since 1h --errors
  otel-genai traces --json | jq '.items[].id'
  otel-genai trace last                 the newest of them in full")]
pub(super) struct Traces {
    /// Only what began so long ago at most: 15m, 24h, 7d
    #[arg(long, value_name = "DURATION")]
    since: Option<Since>,

    /// Only with errors
    #[arg(long)]
    errors: bool,

    /// Only of this service; may be repeated
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,

    /// Only where these words were said
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,

    /// How many at most
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    limit: u32,

    /// The API's JSON, for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    look: Look,
}

impl Traces {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(false);
        super::runtime()?.block_on(async {
            let source = self.look.open().await?;
            let list = self.list(&source).await;
            source.close().await;
            let list = list?;
            super::print(&if self.json { format!("{list}\n") } else { table(&list, Style::of_stdout()) });
            Ok(0)
        })
    }

    /// As many as were asked for, page by page.
    async fn list(&self, source: &Source) -> Result<Value, Failure> {
        let query = self.query();
        let mut all: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let left = (self.limit as usize).saturating_sub(all.len()).clamp(1, PAGE);
            let mut page = source.get(&format!("/traces?limit={left}{query}{cursor}")).await?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                all.extend(items);
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) if all.len() < self.limit as usize => cursor = format!("&cursor={}", form(next)),
                _ => {
                    if let Some(items) = page.get_mut("items") {
                        *items = Value::Array(all);
                    }
                    return Ok(page);
                }
            }
        }
    }

    fn query(&self) -> String {
        let mut query = String::new();
        if let Some(since) = &self.since {
            query.push_str(&format!("&from={}", since.moment()));
        }
        if self.errors {
            query.push_str("&error=1");
        }
        if let Some(text) = &self.text {
            query.push_str(&format!("&q={}", form(text)));
        }
        for service in &self.service {
            query.push_str(&format!("&service={}", form(service)));
        }
        query
    }
}

fn table(list: &Value, style: Style) -> String {
    let rows: Vec<_> = list.get("items").and_then(Value::as_array).into_iter().flatten().collect();
    if rows.is_empty() {
        return "No traces.\n".to_owned();
    }
    let mut out =
        style.paint(Paint::Faint, &line(["AGO", "TRACE", "NAME", "CALLS", "TOKENS", "COST", "TOOK"], style));
    out.push('\n');
    for row in &rows {
        out.push_str(&of(row, style));
        out.push('\n');
    }
    let total = list.get("total").and_then(Value::as_u64);
    let more = match total.map(|total| total.saturating_sub(rows.len() as u64)) {
        Some(0) => None,
        Some(more) => Some(format!("and {}; -n shows more", text::plural(more, "other"))),
        None => list.get("next").and_then(Value::as_str).map(|_| "and others; -n shows more".to_owned()),
    };
    if let Some(more) = more {
        out.push_str(&style.paint(Paint::Faint, &more));
        out.push('\n');
    }
    out
}

/// A trace in one line.
pub(super) fn of(row: &Value, style: Style) -> String {
    let failed = text::whole(row, "errors") > 0;
    let title = text::text(row, "title");
    let mut name = text::text(row, "name");
    if name.is_empty() {
        name = "(not here yet)".to_owned();
    }
    if !title.is_empty() {
        name = format!("{name}: {title}");
    }
    // A trace may go on for a while after its root; how long that took is known.
    let running = row.get("root").is_none();
    let took = if running { "running".to_owned() } else { text::duration(text::number(row, "durationMs")) };
    let id = text::text(row, "id");
    let line = line(
        [
            &text::ago(text::number(row, "startMs")),
            id.get(..8).unwrap_or(&id),
            &format!("{}{name}", if failed { "✗ " } else { "" }),
            &text::count(text::whole(row, "llmCalls")),
            &text::tokens(row.get("usage").unwrap_or(&Value::Null)),
            &text::money(row.get("cost")),
            &took,
        ],
        style,
    );
    if failed { style.paint(Paint::Error, &line) } else { line }
}

fn line(cells: [&str; 7], style: Style) -> String {
    const FIXED: usize = 4 + 2 + 8 + 2 + 2 + 5 + 2 + 10 + 2 + 9 + 2 + 8;
    let [ago, id, name, calls, tokens, cost, took] = cells;
    let name = fit(name, style.width.saturating_sub(FIXED).max(16));
    let line = format!("{ago:>4}  {id:8}  {name}  {calls:>5}  {tokens:>10}  {cost:>9}  {took:>8}");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn a_line_has_eighty_columns_whatever_is_in_it() {
        let row = json!({
            "id": "4bf92f3577b34da6a3ce929d0e0e4736", "root": "00f067aa0ba902b7", "startMs": 0.0, "durationMs": 12_345.0, "state": "done",
            "name": "invoke_agent travel-planner", "title": "Where shall we go \u{1b}[2J in the autumn, 日本?",
            "errors": 1, "llmCalls": 12_345, "usage": {"input": 123_456, "output": 99_999}, "cost": {"amount": 12.5},
        });
        let style = Style { colour: false, width: 80 };
        let line = of(&row, style);
        assert_eq!(line.width(), 80, "{line}");
        assert!(!line.contains('\u{1b}') && line.contains("4bf92f35"), "{line}");
        let mut cheap = row.clone();
        cheap["cost"] = json!({"amount": 0.000_001});
        let line = of(&cheap, style);
        assert!(line.contains("<$0.00001") && line.width() == 80, "{line}");
        for (more, last) in [(json!({"total": 3}), "and 2 others; "), (json!({"next": "c"}), "and others; ")]
        {
            let mut list = more;
            list["items"] = json!([row]);
            let table = table(&list, style);
            assert!(table.lines().count() == 3 && table.contains(last), "{table}");
        }
        assert_eq!(table(&json!({"items": [row]}), style).lines().count(), 2);
    }
}
