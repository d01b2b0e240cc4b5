//! Log records and events: one line each, and content only where its span has not shown it.

use opentelemetry::logs::Severity;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord};
use serde_json::Value as Json;

use super::content::{Fold, kinds};
use super::facts::{Facts, of_any, one_line};
use super::paint::{Flow, Style};
use super::text::{clock, cut, plain};
use super::{Console, ConsoleExporter, Teller, words};

impl LogExporter for ConsoleExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let mut out = String::new();
        for (record, _) in batch.iter() {
            write(&self.console, record, &mut out);
        }
        self.console.write(&out);
        Ok(())
    }
}

fn write(console: &Console, record: &SdkLogRecord, out: &mut String) {
    let paint = console.paint();
    let facts = Facts::of_log(record.attributes_iter().map(|(key, value)| (key.as_str(), value)));
    let time = record.timestamp().or_else(|| record.observed_timestamp()).unwrap_or(std::time::UNIX_EPOCH);
    let severity = record.severity_number();
    let mut line = Flow::new(paint, "  ", 2);
    line.word(Style::Faint, &clock(time));
    let (word, style) = match severity {
        Some(severity) if severity >= Severity::Error => ("error", Style::Bad),
        Some(severity) if severity >= Severity::Warn => ("warn", Style::Bad),
        Some(severity) if severity >= Severity::Info => ("info", Style::Faint),
        Some(_) => ("debug", Style::Faint),
        None => ("event", Style::Faint),
    };
    line.word(style, word);
    if let Some(name) = record.event_name() {
        line.word(Style::Strong, &plain(name));
    }
    for name in [words::OPERATION, words::REQUEST_MODEL] {
        if let Some(text) = facts.text(name) {
            line.word(Style::Plain, &cut(&text, 60));
        }
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
    if let Some(body) = record.body().map(of_any) {
        let text = match &body {
            Json::Object(fields) => fields.get("content").map_or_else(|| one_line(&body), one_line),
            other => one_line(other),
        };
        line.word(Style::Plain, &cut(&text, 100));
    }
    out.push_str(&line.end());
    let span = record.trace_context().map(|context| context.span_id);
    if span.is_none_or(|span| console.claim(span, Teller::Event, kinds(&facts))) {
        Fold { paint, indent: 6, out }.content(&facts);
    }
}
