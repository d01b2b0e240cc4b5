//! `otel-genai tail`: traces as they come.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::traces;
use crate::dashboard::source::Look;
use crate::dashboard::text::Style;
use crate::diagnostics;
use crate::exit::Failure;

/// How often is asked.
const PAUSE: Duration = Duration::from_millis(500);
/// Spans come when they end: a trace may have begun so long before.
const BEFORE: u128 = 600_000;

#[derive(Debug, clap::Args)]
pub(super) struct Tail {
    /// A line of the API's JSON for each trace, for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    look: Look,
}

impl Tail {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(false);
        super::runtime()?.block_on(async {
            tokio::select! {
                failed = self.follow() => failed,
                () = super::interrupted() => Ok(0),
            }
        })
    }

    /// Shows each trace once, when its root is here.
    async fn follow(&self) -> Result<u8, Failure> {
        let source = self.look.live().await?;
        let source =
            source.ok_or_else(|| Failure::ours("no dashboard runs; `otel-genai dashboard` starts one"))?;
        diagnostics::remark(format_args!("what comes to {}, until Ctrl-C", source.shown));
        // What is there already is not news.
        let mut seen: HashSet<String> = HashSet::new();
        let mut first = true;
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let path = format!("/traces?from={}&limit=500", now.saturating_sub(BEFORE));
            let list = source.get(&path).await?;
            let rows = list.get("items").and_then(Value::as_array).into_iter().flatten();
            let mut ready: Vec<_> = rows.filter(|row| row.get("root").is_some()).collect();
            ready.reverse();
            let id = |row: &Value| row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            for row in ready.iter().filter(|row| !first && !seen.contains(&id(row))) {
                let line = if self.json { row.to_string() } else { traces::of(row, Style::of_stdout()) };
                super::print(&format!("{line}\n"));
            }
            seen = ready.into_iter().map(id).collect();
            first = false;
            tokio::time::sleep(PAUSE).await;
        }
    }
}
