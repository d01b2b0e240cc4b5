//! `otel-genai trace`: what ran in a trace, and what was said.

use serde_json::Value;

use crate::dashboard::source::{Look, Source};
use crate::dashboard::talk;
use crate::dashboard::text::{self, Paint, Style, fit};
use crate::diagnostics;
use crate::exit::{Failure, USAGE};

/// How many traces are looked through for one whose id begins as was asked.
const RECENT: usize = 500;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai trace last                 the newest
  otel-genai trace 4bf92f35             by the beginning of its id, as `otel-genai traces` shows it
  otel-genai trace last --md | pbcopy   for a chat, an issue, an agent")]
pub(super) struct Trace {
    /// Its id, the beginning of it, or last
    #[arg(value_name = "ID")]
    id: String,

    /// Markdown: what was said in full, with what ran
    #[arg(long, conflicts_with = "json")]
    md: bool,

    /// The API's JSON, for programs
    #[arg(long)]
    json: bool,

    /// Also the HTTP within calls, and long texts in full
    #[arg(long, conflicts_with_all = ["md", "json"])]
    all: bool,

    #[command(flatten)]
    look: Look,
}

impl Trace {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(false);
        super::runtime()?.block_on(async {
            let source = self.look.open().await?;
            let told = self.tell(&source).await;
            source.close().await;
            super::print(&told?);
            Ok(0)
        })
    }

    async fn tell(&self, source: &Source) -> Result<String, Failure> {
        let id = self.find(source).await?;
        if self.md {
            return source.text(&format!("/traces/{id}/export?format=md")).await;
        }
        let fold = if self.all || self.json { "" } else { "?fold=http" };
        let trace = source.get(&format!("/traces/{id}{fold}")).await?;
        if self.json {
            return Ok(format!("{trace}\n"));
        }
        let style = Style::of_stdout();
        let mut out = head(&trace, style);
        out.push_str(&tree(&trace, style));
        let said = source.get(&format!("/traces/{id}/transcript")).await?;
        out.push_str(&talk::lines(&said, style, self.all));
        Ok(out)
    }

    /// The whole id.
    async fn find(&self, source: &Source) -> Result<String, Failure> {
        let asked = self.id.to_ascii_lowercase();
        if asked.len() == 32 {
            return Ok(asked);
        }
        if asked != "last" && (asked.is_empty() || !asked.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err(Failure::new(
                USAGE,
                format!("{:?} is no id of a trace, nor the beginning of one", self.id),
            ));
        }
        let list = source.get(&format!("/traces?limit={RECENT}")).await?;
        let rows = list.get("items").and_then(Value::as_array).into_iter().flatten();
        let ids = rows.filter_map(|row| row.get("id")?.as_str());
        let mut fitting = ids.filter(|id| asked == "last" || id.starts_with(&asked));
        match (fitting.next(), fitting.next()) {
            (Some(id), None) => Ok(id.to_owned()),
            (Some(id), Some(_)) if asked == "last" => Ok(id.to_owned()),
            (Some(_), Some(_)) => {
                Err(Failure::new(USAGE, format!("several traces begin with {asked}; give more of it")))
            }
            (None, _) if asked == "last" => Err(Failure::new(USAGE, "there are no traces yet")),
            (None, _) => {
                Err(Failure::new(USAGE, format!("none of the newest {RECENT} traces begins with {asked}")))
            }
        }
    }
}

fn head(trace: &Value, style: Style) -> String {
    let summary = trace.get("summary").unwrap_or(&Value::Null);
    let mut facts = vec![text::duration(text::number(summary, "durationMs"))];
    let mut add = |name: &str, one: &str| {
        let n = text::whole(summary, name);
        if n > 0 {
            facts.push(text::plural(n, one));
        }
    };
    add("spans", "span");
    add("llmCalls", "model call");
    add("toolCalls", "tool run");
    add("errors", "error");
    let usage = text::tokens(summary.get("usage").unwrap_or(&Value::Null));
    facts.extend(Some(format!("{usage} tokens")).filter(|_| !usage.is_empty()));
    facts.extend(Some(text::money(summary.get("cost"))).filter(|cost| !cost.is_empty()));
    format!(
        "{}  {}\n{}\n\n",
        style.paint(Paint::Strong, &text::text(summary, "name")),
        style.paint(
            Paint::Faint,
            &format!("{} · {}", text::text(summary, "service"), text::text(summary, "id"))
        ),
        facts.join(" · "),
    )
}

fn tree(trace: &Value, style: Style) -> String {
    const BAR: usize = 18;
    const TOOK: usize = 8;
    const FACTS: usize = 14;
    let total =
        text::number(trace.get("summary").unwrap_or(&Value::Null), "durationMs").max(f64::MIN_POSITIVE);
    let name_width = style.width.saturating_sub(BAR + TOOK + FACTS + 4).max(20);
    let rows = trace.get("rows").and_then(Value::as_array).into_iter().flatten();
    let mut out = String::new();
    for row in rows {
        let is = |name: &str| row.get(name).and_then(Value::as_bool).unwrap_or(false);
        let (op, failed) = (text::text(row, "op"), is("error"));
        let mut name = text::text(row, "name");
        if is("ghost") {
            name = "(not here)".to_owned();
        }
        let depth = usize::try_from(text::whole(row, "depth")).unwrap_or(usize::MAX).min(10);
        let name =
            fit(&format!("{}{}{name}", "  ".repeat(depth), if failed { "✗ " } else { "" }), name_width);
        let paint = if failed { Paint::Error } else { Paint::of(&op) };
        let running = row.get("state").and_then(Value::as_str) == Some("running");
        let took =
            if running { "running".to_owned() } else { text::duration(text::number(row, "durationMs")) };
        let error = text::text(row, "errorType");
        let usage = row.get("usage").filter(|_| !is("wrapper")).map(text::tokens).unwrap_or_default();
        let retry = text::whole(row, "retry");
        let facts = match (error.is_empty(), retry) {
            (false, _) => error,
            (true, 0) => usage,
            (true, retry) => format!("retry {retry} {usage}"),
        };
        let bar = bar(text::number(row, "at") / total, text::number(row, "durationMs") / total, BAR);
        let line = format!(
            "{} {} {took:>TOOK$}  {}",
            style.paint(paint, &name),
            style.paint(paint, &bar),
            text::shorten(&facts, FACTS),
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if trace.get("next").is_some() {
        let total = text::whole(trace, "totalRows");
        out.push_str(&style.paint(Paint::Faint, &format!("of {} in all\n", text::plural(total, "span"))));
    }
    out
}

/// `from` and `length` are parts of the whole.
fn bar(from: f64, length: f64, width: usize) -> String {
    let cell = |part: f64| {
        let cell = (part.clamp(0.0, 1.0) * width as f64).floor();
        // Not negative, and at most the width.
        cell as usize
    };
    let begin = cell(from).min(width.saturating_sub(1));
    let end = cell(from + length).max(begin + 1).min(width);
    format!("{}{}{}", " ".repeat(begin), "█".repeat(end - begin), " ".repeat(width - end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn a_tree_has_eighty_columns_whatever_is_in_it() {
        let row = |depth: u64, name: &str, at: f64| {
            json!({"name": name, "depth": depth, "at": at, "durationMs": 40.0, "op": "chat", "state": "ended",
                "error": depth > 2, "errorType": "a_very_long_error_type_of_a_provider", "usage": {"input": 5}})
        };
        let rows =
            [row(0, "invoke_agent\u{1b}[31m", 0.0), row(40, &"x".repeat(200), 99.0), row(1, "chat", 1e9)];
        let trace = json!({"summary": {"durationMs": 100.0, "name": "a", "spans": 3}, "rows": rows});
        let style = Style { colour: false, width: 80 };
        let text = tree(&trace, style);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.width() <= 80) && !text.contains('\u{1b}'), "{text}");
        assert!(head(&trace, style).contains("100 ms · 3 spans"), "{}", head(&trace, style));
        assert_eq!(bar(0.0, 0.5, 4), "██  ");
        assert_eq!(bar(1.0, 0.0, 4), "   █");
        assert_eq!(bar(-1.0, f64::NAN, 4), "█   ");
    }
}
