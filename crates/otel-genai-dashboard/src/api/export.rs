//! A trace as a file.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_DISPOSITION;
use otel_genai_store::{LogRecord, Nanos, Span, TraceId, TraceState, TraceSummary, Which, otlp};

use super::span::{all_logs_of, fits, typed};
use super::traces::summary;
use super::transcript::{Reading, records, work, work_while_awaited};
use crate::export::{MarkdownOptions, html, jsonl, markdown};
use crate::http::{Answer, Ask};
use crate::shared::Shared;
use crate::transcript::{Evidence, Options, Transcript as Told, assemble_while};
use crate::tree;
use crate::view::transcript::{Shown, Transcript};
use crate::view::{Trace, TraceRow, rows, skew};

/// Markdown is meant to be pasted: it has so many bytes at most, unless others are asked for.
const MARKDOWN: usize = 200_000;
/// A drawing has so many spans at most.
const ROWS: u32 = 50_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Otlp,
    Jsonl,
    Markdown,
    Html,
    Fixture,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "otlp" => Self::Otlp,
            "jsonl" => Self::Jsonl,
            "md" => Self::Markdown,
            "html" => Self::Html,
            "fixture" => Self::Fixture,
            _ => return Err("otlp, jsonl, md, html or fixture is meant"),
        })
    }
}

impl Format {
    /// The ending of the file's name, and its type.
    fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Otlp => ("json", "application/json"),
            Self::Fixture => ("fixture.json", "application/json"),
            Self::Jsonl => ("jsonl", "application/jsonl"),
            Self::Markdown => ("md", "text/markdown; charset=utf-8"),
            Self::Html => ("html", "text/html; charset=utf-8"),
        }
    }
}

pub(crate) async fn one(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: TraceId = ask.path("trace")?;
    let format = ask.read::<Format>("format")?.unwrap_or(Format::Otlp);
    let max = ask.read("maxChars")?.unwrap_or(MARKDOWN);
    ask.done()?;
    let summary = summary(&shared, id).await?;
    fits(&summary)?;
    let references = Arc::clone(&shared.references);
    let bytes = match format {
        Format::Otlp => {
            let spans = shared.store.spans(id, Which::All).await?;
            let logs = all_logs_of(&shared, id, None).await?;
            work(move || exact(&spans, &logs)).await?
        }
        Format::Fixture => {
            let (spans, logs) = records(&shared, &summary).await?;
            work_while_awaited(move |is_awaited| {
                let said = said(&spans, &logs, &summary, &Reading { references: &references, is_awaited });
                let expected = serde_json::to_vec(&said).unwrap_or_default();
                [b"{\"otlp\":".as_slice(), &exact(&spans, &logs), b",\"expected\":", &expected, b"}"].concat()
            })
            .await?
        }
        Format::Jsonl => {
            let (spans, logs) = records(&shared, &summary).await?;
            work_while_awaited(move |is_awaited| {
                jsonl(&said(&spans, &logs, &summary, &Reading { references: &references, is_awaited }))
                    .into_bytes()
            })
            .await?
        }
        Format::Markdown | Format::Html => {
            let drawn = drawn(&shared, &summary, ROWS).await?;
            let (spans, logs) = records(&shared, &summary).await?;
            let currency = shared.prices.currency().to_owned();
            work_while_awaited(move |is_awaited| {
                let said = said(&spans, &logs, &summary, &Reading { references: &references, is_awaited });
                match format {
                    Format::Html => html(&drawn, &said, &currency),
                    _ => markdown(&drawn, &said, &currency, &MarkdownOptions::new(max)),
                }
                .into_bytes()
            })
            .await?
        }
    };
    Ok(file(id, format, bytes))
}

/// As it was received: what `POST /import` takes.
fn exact(spans: &[Span], logs: &[LogRecord]) -> Vec<u8> {
    let traces = otlp::to_json(&crate::otlp::traces(spans));
    let logs = otlp::to_json(&crate::otlp::logs(logs));
    [b"{\"traces\":".as_slice(), &traces, b",\"logs\":", &logs, b"}"].concat()
}

/// Everything that was said, nothing of it cut.
pub(crate) fn said(
    spans: &[Span],
    logs: &[LogRecord],
    summary: &TraceSummary,
    reading: &Reading<'_>,
) -> Transcript {
    let shown = Shown { cut: 0, more: &|_, _| String::new(), trace: Some(summary.id) };
    let mut whole: Option<Transcript> = None;
    each_part(spans, logs, reading, |part| {
        let part = Transcript::of(part, summary.updated, &shown);
        match &mut whole {
            Some(whole) => whole.append(part),
            None => whole = Some(part),
        }
    });
    whole.unwrap_or_default()
}

/// Everything that was said, as much of it at a time as fits.
pub(super) fn each_part(
    spans: &[Span],
    logs: &[LogRecord],
    reading: &Reading<'_>,
    mut take: impl FnMut(&Told),
) {
    let evidence = Evidence { spans, logs, references: reading.references };
    let mut options = Options::default();
    loop {
        let part = assemble_while(&evidence, &options, reading.is_awaited);
        take(&part);
        match part.next.filter(|next| *next > options.after && (reading.is_awaited)()) {
            Some(next) => options.after = next,
            None => return,
        }
    }
}

/// The drawing of a trace, with so many rows at most.
pub(crate) async fn drawn(
    shared: &Shared,
    summary: &TraceSummary,
    most: u32,
) -> Result<Trace, crate::http::Failure> {
    let page = shared.store.rows(summary.id, most, None).await?;
    let running = summary.state == TraceState::Running;
    let until = if running { Nanos::now() } else { summary.end };
    Ok(Trace {
        rows: rows(&page.items, summary.start, &tree::Options { until, running, fold_http: false }),
        start_ns: summary.start.0.to_string(),
        next: None,
        total_rows: page.total.unwrap_or(summary.spans),
        skew_ms: skew(&page.items),
        summary: TraceRow::from(summary),
    })
}

fn file(id: TraceId, format: Format, bytes: Vec<u8>) -> Response {
    let (ending, media) = format.file();
    let mut response = typed(media, bytes);
    let name = id.to_string();
    let disposition = format!("attachment; filename=\"trace-{}.{ending}\"", name.get(..8).unwrap_or(&name));
    if let Ok(value) = HeaderValue::try_from(disposition) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}
