//! Spans: a headline each, children below their parents where both are at hand.

use std::collections::{HashMap, HashSet};

use opentelemetry::SpanId;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::content::{Fold, kinds};
use super::facts::Facts;
use super::paint::{Flow, Paint, Style};
use super::text::{cut, plain, seconds};
use super::{Console, ConsoleExporter, Teller, words};

/// Deeper children are not indented further: a terminal has an end.
const DEEPEST: usize = 8;

impl SpanExporter for ConsoleExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.console.write(&render(&self.console, batch));
        Ok(())
    }
}

fn render(console: &Console, mut batch: Vec<SpanData>) -> String {
    batch.sort_by_key(|span| span.start_time);
    let present: HashSet<SpanId> = batch.iter().map(|span| span.span_context.span_id()).collect();
    let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
    let mut waiting: Vec<(usize, &SpanData)> = Vec::new();
    for span in batch.iter().rev() {
        let own = span.span_context.span_id();
        if present.contains(&span.parent_span_id) && span.parent_span_id != own {
            children.entry(span.parent_span_id).or_default().push(span);
        } else {
            waiting.push((0, span));
        }
    }
    let paint = console.paint();
    let mut out = String::new();
    let mut tree = 0;
    // Both lists run backwards in time, so that the earliest is taken first.
    while let Some((depth, span)) = waiting.pop() {
        if depth == 0 {
            part(&mut out, tree);
            tree = out.len();
        }
        write(console, paint, depth.min(DEEPEST), span, &mut out);
        for child in children.remove(&span.span_context.span_id()).unwrap_or_default() {
            waiting.push((depth + 1, child));
        }
    }
    part(&mut out, tree);
    out
}

/// Puts a blank line below what began at `start` and is more than a line long.
fn part(out: &mut String, start: usize) {
    if out.get(start..).is_some_and(|tree| tree.lines().nth(1).is_some()) {
        out.push('\n');
    }
}

fn write(console: &Console, paint: Paint, depth: usize, span: &SpanData, out: &mut String) {
    let facts = Facts::of_span(&span.attributes);
    let failed = matches!(span.status, Status::Error { .. }) || facts.get(words::ERROR_TYPE).is_some();
    let mark = if failed { paint.paint(Style::Bad, "✗") } else { paint.paint(Style::Good, "●") };
    let indent = depth * 2;
    let mut line = Flow::new(paint, &format!("{}{mark} ", " ".repeat(indent)), indent + 2);
    let name = cut(&plain(&span.name), paint.columns.saturating_sub(indent + 4));
    let duration = span.end_time.duration_since(span.start_time).unwrap_or_default().as_secs_f64();
    let is_genai = facts.get(words::OPERATION).is_some();
    line.word(if is_genai { Style::Name } else { Style::Strong }, &name);
    line.word(Style::Plain, &seconds(duration));
    if is_genai {
        if let Some(model) = other_model(&facts) {
            line.words(&[(Style::Faint, "answered by "), (Style::Plain, &model)]);
        }
        facts.write_first_chunk(&mut line);
        facts.write_outcome(&mut line);
        if let Some(id) = facts.text(words::CONVERSATION) {
            line.word(Style::Faint, &format!("conversation {}", cut(&id, 40)));
        }
    } else {
        if !matches!(span.span_kind, SpanKind::Internal) {
            line.word(Style::Faint, kind(&span.span_kind));
        }
        for (key, value) in facts.others().take(4) {
            line.words(&[(Style::Faint, &format!("{}=", plain(key))), (Style::Faint, &cut(&value, 40))]);
        }
    }
    out.push_str(&line.end());
    let mut below = Fold { paint, indent: indent + 4, out };
    if failed {
        below.failure(&error(span, &facts));
    }
    if console.claim(span.span_context.span_id(), Teller::Span, kinds(&facts)) {
        below.content(&facts);
    }
}

/// The model that answered, where it is not the one that was asked for or a dated version of it.
fn other_model(facts: &Facts<'_>) -> Option<String> {
    let asked = facts.text(words::REQUEST_MODEL)?;
    facts.text(words::RESPONSE_MODEL).filter(|answered| !answered.starts_with(&asked))
}

fn error(span: &SpanData, facts: &Facts<'_>) -> String {
    let kind = facts.text(words::ERROR_TYPE);
    let said = match &span.status {
        Status::Error { description } if !description.is_empty() => Some(plain(description)),
        _ => span
            .events
            .iter()
            .find_map(|event| Facts::of_span(&event.attributes).text(words::EXCEPTION_MESSAGE)),
    };
    match (kind, said) {
        (Some(kind), Some(said)) if said != kind => format!("{kind}: {said}"),
        (Some(text), _) | (None, Some(text)) => text,
        (None, None) => "failed".to_owned(),
    }
}

fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Client => "client",
        SpanKind::Server => "server",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Internal => "",
    }
}
