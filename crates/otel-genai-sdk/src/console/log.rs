//! Log records and events. What tells of a span that comes here too waits for it; all else is one line each, with
//! content below it.

use std::time::Duration;

use opentelemetry::logs::Severity;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use serde_json::Value as Json;

use super::content::{Fold, kinds};
use super::event::Event;
use super::facts::one_line;
use super::paint::{Flow, Paint, Style};
use super::text::{clock, cut, plain};
use super::{Console, ConsoleExporter, words};

impl LogExporter for ConsoleExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let console = &self.console;
        let mut alone: Vec<(Event, u8)> = Vec::new();
        let mut waiting = console.waiting();
        for (record, _) in batch.iter() {
            let event = Event::of(record);
            let waits = console.has_spans_and_events() && event.is_of_operation();
            match event.span.filter(|_| waits) {
                Some(span) => alone.extend(waiting.keep(span, event)),
                None => alone.push((event, 0)),
            }
        }
        alone.extend(waiting.tired().into_iter().map(|event| (event, 0)));
        drop(waiting);
        write_all(console, &alone);
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.console.end();
        Ok(())
    }
}

impl Console {
    /// Spans or events end.
    pub(crate) fn end(&self) {
        if self.has_spans_and_events() {
            let left = self.waiting().end();
            let left: Vec<_> = left.into_iter().map(|event| (event, 0)).collect();
            write_all(self, &left);
        }
    }
}

fn write_all(console: &Console, events: &[(Event, u8)]) {
    let paint = console.paint();
    let mut out = String::new();
    for (event, shown) in events {
        write(paint, event, *shown, &mut out);
    }
    console.write(&out);
}

/// An event on its own. Content of the kinds that were `shown` with its span is left out.
fn write(paint: Paint, event: &Event, shown: u8, out: &mut String) {
    let facts = &event.facts;
    let mut line = Flow::new(paint, "  ", 2);
    line.word(Style::Faint, &clock(event.time));
    let (word, style) = match event.severity {
        Some(severity) if severity >= Severity::Error => ("error", Style::Bad),
        Some(severity) if severity >= Severity::Warn => ("warn", Style::Bad),
        Some(severity) if severity >= Severity::Info => ("info", Style::Faint),
        Some(_) => ("debug", Style::Faint),
        None => ("event", Style::Faint),
    };
    line.word(style, word);
    if let Some(name) = &event.name {
        line.word(Style::Strong, &plain(name));
    }
    for name in [words::OPERATION, words::REQUEST_MODEL] {
        if let Some(text) = facts.text(name) {
            line.word(Style::Plain, &cut(&text, 60));
        }
    }
    if event.is_evaluation() {
        line.word(Style::Plain, &cut(&event.evaluation(), 200));
    }
    facts.write_outcome(&mut line);
    let failure = facts.text(words::ERROR_TYPE).or_else(|| facts.text(words::EXCEPTION_TYPE));
    if let Some(failure) = failure {
        let message = facts.text(words::EXCEPTION_MESSAGE).filter(|message| *message != failure);
        let text = message.map_or(failure.clone(), |message| format!("{failure}: {message}"));
        line.word(Style::Bad, &cut(&text, 200));
    }
    for (key, value) in facts.others().filter(|(key, _)| *key != "event.name").take(4) {
        line.words(&[(Style::Faint, &format!("{}=", plain(key))), (Style::Plain, &cut(&value, 40))]);
    }
    let message = event.message();
    if let (Some(body), None) = (&event.body, &message) {
        let text = match body {
            Json::Object(fields) => fields.get("content").map_or_else(|| one_line(body), one_line),
            other => one_line(other),
        };
        line.word(Style::Plain, &cut(&text, 100));
    }
    out.push_str(&line.end());
    let mut below = Fold { paint, indent: 6, out };
    if let Some(message) = message {
        below.said_by(&[message]);
    }
    if kinds(facts) & !shown != 0 {
        below.content(facts);
    }
}
