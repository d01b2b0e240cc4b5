//! Spans: a headline each, children below their parents where both are at hand.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use opentelemetry::SpanId;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::content::{Fold, has_messages, kinds};
use super::event::Event;
use super::facts::Facts;
use super::paint::{Flow, Paint, Style};
use super::text::{cut, plain, seconds};
use super::{Console, ConsoleExporter, words};

/// Deeper children are not indented further: a terminal has an end.
const DEEPEST: usize = 8;

impl SpanExporter for ConsoleExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.console.fetch_events();
        self.console.write(&render(&self.console, batch));
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.console.end();
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
    let is_genai = facts.is_genai();
    line.word(if is_genai { Style::Name } else { Style::Strong }, &name);
    line.word(Style::Plain, &seconds(duration));
    if is_genai {
        if let Some(model) = other_model(&facts) {
            line.words(&[(Style::Faint, "answered by "), (Style::Plain, &model)]);
        }
        facts.write_first_chunk(&mut line);
        facts.write_particulars(&mut line);
        facts.write_outcome(&mut line);
        if depth == 0 {
            facts.write_surroundings(&mut line);
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
    below.content(&facts);
    let own = span.span_context.span_id();
    let (events, shown) = {
        let mut waiting = console.waiting();
        let events = waiting.take(own);
        let shown = events.iter().fold(kinds(&facts), |shown, event| shown | kinds(&event.facts));
        waiting.shown(own, shown);
        (events, shown)
    };
    write_events(&mut below, &events, kinds(&facts), shown);
    if let Some(note) = facts.text(words::OBSERVATION) {
        below.remark("note", &note);
    }
    let references = facts.references();
    if let Some((_, address)) = references.first() {
        let what: Vec<_> = references.iter().map(|(what, _)| *what).collect();
        let place = address.rsplit_once('/').map_or(address.as_str(), |(place, _)| place);
        below.remark("uploaded", &format!("{} to {place}", what.join(", ")));
    }
}

/// The events of a span: their content where the span has none of it, and their names. `said` is what the span said,
/// `shown` what it and its events say together.
fn write_events(below: &mut Fold<'_>, events: &[Event], said: u8, shown: u8) {
    let mut known = said;
    for event in events {
        let kinds = kinds(&event.facts);
        if kinds & !known != 0 {
            below.content(&event.facts);
            known |= kinds;
        }
        if event.is_evaluation() {
            below.remark("evaluated", &event.evaluation());
        }
    }
    let messages: Vec<_> = events.iter().filter_map(Event::message).collect();
    if !has_messages(shown) && !messages.is_empty() {
        below.said_by(&messages);
    }
    let mut names: Vec<(&str, usize)> = Vec::new();
    for name in events.iter().filter_map(|event| event.name.as_deref()) {
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
    }
    let names: Vec<_> = names
        .into_iter()
        .map(|(name, count)| if count > 1 { format!("{name} ×{count}") } else { name.to_owned() })
        .collect();
    match names.len() {
        0 => {}
        1 if events.len() == 1 => below.remark("event", &names.join(", ")),
        _ => below.remark("events", &names.join(", ")),
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
