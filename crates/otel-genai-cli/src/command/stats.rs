//! `otel-genai stats`: sums of calls.

use serde_json::Value;

use crate::dashboard::found::form;
use crate::dashboard::settings::Since;
use crate::dashboard::source::Look;
use crate::dashboard::text::{self, Paint, Style, fit};
use crate::diagnostics;
use crate::exit::Failure;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum By {
    /// Calls of each model
    Model,
    /// Runs of each agent: their mean time in calls of their own, and with all below them
    Agent,
    /// Runs of each tool
    Tool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai stats                      by model, of the last day
  otel-genai stats --by tool --since 7d
  otel-genai stats --by agent --json")]
pub(super) struct Stats {
    /// What is told apart
    #[arg(long, value_enum, default_value = "model")]
    by: By,

    /// What began so long ago at most: 15m, 24h, 7d
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    since: Since,

    /// Only of this service; may be repeated
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,

    /// The API's JSON, for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    look: Look,
}

impl Stats {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(false);
        super::runtime()?.block_on(async {
            let source = self.look.open().await?;
            let answer = source.get(&self.path()).await;
            source.close().await;
            let answer = answer?;
            let text =
                if self.json { format!("{answer}\n") } else { table(self.by, &answer, Style::of_stdout()) };
            super::print(&text);
            Ok(0)
        })
    }

    fn path(&self) -> String {
        let what = match self.by {
            By::Model => "models",
            By::Agent => "agents",
            By::Tool => "tools",
        };
        let services = self.service.iter().map(|service| format!("&service={}", form(service)));
        format!("/{what}?from={}{}", self.since.moment(), services.collect::<String>())
    }
}

fn table(by: By, answer: &Value, style: Style) -> String {
    let rows: Vec<_> = answer.get("items").and_then(Value::as_array).into_iter().flatten().collect();
    if rows.is_empty() {
        return "No calls in that time; --since 30d looks further back.\n".to_owned();
    }
    let (title, name, stat, [count, first, second]) = match by {
        By::Model => ("MODEL", "model", "stat", ["CALLS", "P50", "P95"]),
        By::Agent => ("AGENT", "agent", "total", ["RUNS", "OWN", "WHOLE"]),
        By::Tool => ("TOOL", "tool", "stat", ["CALLS", "P50", "P95"]),
    };
    let head = line(title, [count, "ERRORS", "TOKENS", "COST", first, second], style);
    let mut out = format!("{}\n", style.paint(Paint::Faint, &head));
    for &row in &rows {
        let stat = row.get(stat).unwrap_or(&Value::Null);
        let took =
            |name: &str| stat.get(name).and_then(Value::as_f64).map(text::duration).unwrap_or_default();
        let mut shown = text::text(row, name);
        // Two that have one name are told apart.
        let alike = |other: &&&Value| other.get(name) == row.get(name);
        let whose = match by {
            By::Agent if rows.iter().filter(alike).count() > 1 => text::text(row, "service"),
            By::Agent | By::Tool => String::new(),
            By::Model => text::text(row, "provider"),
        };
        if shown.is_empty() {
            shown = "(unnamed)".to_owned();
        }
        if !whose.is_empty() {
            shown = format!("{shown} ({whose})");
        }
        // The sums of an agent are of its calls, and these are its runs.
        let (count, errors, times) = match by {
            By::Agent => {
                let runs = text::whole(row, "runs");
                let mean = |name: &str| text::duration(text::number(row, name) / runs.max(1) as f64);
                (runs, text::whole(row, "errors"), [mean("ownMs"), mean("totalMs")])
            }
            By::Model | By::Tool => {
                (text::whole(stat, "calls"), text::whole(stat, "errors"), [took("p50Ms"), took("p95Ms")])
            }
        };
        let [first, second] = times;
        let cells = [
            text::count(count),
            if errors > 0 { text::count(errors) } else { String::new() },
            text::tokens(stat.get("usage").unwrap_or(&Value::Null)),
            text::money(stat.get("cost")),
            first,
            second,
        ];
        out.push_str(&line(&shown, cells.each_ref().map(String::as_str), style));
        out.push('\n');
    }
    out
}

fn line(name: &str, cells: [&str; 6], style: Style) -> String {
    const FIXED: usize = 2 + 6 + 2 + 6 + 2 + 10 + 2 + 9 + 2 + 8 + 2 + 8;
    let [count, errors, tokens, cost, first, second] = cells;
    let name = fit(name, style.width.saturating_sub(FIXED).max(16));
    let line = format!("{name}  {count:>6}  {errors:>6}  {tokens:>10}  {cost:>9}  {first:>8}  {second:>8}");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn a_table_has_eighty_columns_whatever_is_in_it() {
        let stat = json!({"calls": 12_345, "errors": 3, "usage": {"input": 99_999_999, "output": 1}, "unpriced": 0,
            "cost": {"amount": 1234.5, "source": "table"}, "p50Ms": 1234.0, "p95Ms": 99_999.0});
        let answer = json!({"items": [{"provider": "a\u{1b}[1m", "model": "m".repeat(90), "stat": stat}]});
        let text = table(By::Model, &answer, Style { colour: false, width: 80 });
        assert!(text.lines().all(|line| line.width() <= 80) && !text.contains('\u{1b}'), "{text}");
        let unnamed = json!({"items": [{"provider": "", "model": "", "stat": {"calls": 1}}]});
        assert!(table(By::Model, &unnamed, Style { colour: false, width: 80 }).contains("\n(unnamed)  "));
        assert!(text.contains("100M→1") && text.contains("$1,235") && text.contains("1m 39s"), "{text}");
        let cheap = json!({"items": [{"model": "m".repeat(90), "stat": {"calls": 1, "cost": {"amount": 0.000_001}, "p95Ms": 1.0}}]});
        let text = table(By::Model, &cheap, Style { colour: false, width: 80 });
        assert!(text.contains("<$0.00001") && text.lines().all(|line| line.width() <= 80), "{text}");
    }

    #[test]
    fn agents_have_their_runs_and_times_and_a_service_where_a_name_stands_twice() {
        let agent = |agent: &str, service: &str| {
            json!({"agent": agent, "service": service, "runs": 2, "errors": 1, "ownMs": 100.0, "totalMs": 1840.0,
                "own": {"calls": 3}, "total": {"calls": 8, "errors": 5, "p50Ms": 118.0,
                    "cost": {"amount": 0.00565, "source": "table"}}})
        };
        let answer = json!({"items": [agent("planner", "a"), agent("hotels", "a"), agent("planner", "b")]});
        let text = table(By::Agent, &answer, Style { colour: false, width: 80 });
        let words: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[0], ["AGENT", "RUNS", "ERRORS", "TOKENS", "COST", "OWN", "WHOLE"]);
        assert_eq!(words[1], ["planner", "(a)", "2", "1", "$0.0057", "50", "ms", "920", "ms"]);
        assert_eq!(
            (words[2][..3].to_vec(), &words[3][..2]),
            (vec!["hotels", "2", "1"], &["planner", "(b)"][..])
        );
    }
}
