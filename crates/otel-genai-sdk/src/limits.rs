//! `OTEL_*_LIMIT`, for what the SDK itself does not limit: the length of texts, and everything of log records.

use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider};
use opentelemetry::{Array, InstrumentationScope, Key, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::SpanData;

/// What a log record may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LogLimits {
    pub(crate) attributes: usize,
    /// In characters.
    pub(crate) value_length: Option<usize>,
}

/// Stands before the queues: a log processor hands its changes on to those behind it.
impl LogProcessor for LogLimits {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        if !self.fits(record) {
            *record = self.limited(record);
        }
    }

    /// One that is enabled is enough, and this one exports nothing.
    fn event_enabled(&self, _: opentelemetry::logs::Severity, _: &str, _: Option<&str>) -> bool {
        false
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogLimits {
    fn fits(&self, record: &SdkLogRecord) -> bool {
        let mut attributes = record.attributes_iter();
        let is_short = |value: &AnyValue| self.value_length.is_none_or(|longest| is_short(value, longest));
        attributes.by_ref().take(self.attributes).all(|(_, value)| is_short(value))
            && attributes.next().is_none()
    }

    /// A record whose attributes were added cannot be changed, so this is another one.
    fn limited(&self, record: &SdkLogRecord) -> SdkLogRecord {
        static MAKER: LazyLock<SdkLogger> =
            LazyLock::new(|| SdkLoggerProvider::builder().build().logger("otel_genai_sdk"));
        let mut new = MAKER.create_log_record();
        if let Some(name) = record.event_name() {
            new.set_event_name(name);
        }
        if let Some(target) = record.target() {
            new.set_target(target.clone());
        }
        if let Some(time) = record.timestamp() {
            new.set_timestamp(time);
        }
        if let Some(time) = record.observed_timestamp() {
            new.set_observed_timestamp(time);
        }
        if let Some(context) = record.trace_context() {
            new.set_trace_context(context.trace_id, context.span_id, context.trace_flags);
        }
        if let Some(text) = record.severity_text() {
            new.set_severity_text(text);
        }
        if let Some(severity) = record.severity_number() {
            new.set_severity_number(severity);
        }
        if let Some(body) = record.body() {
            new.set_body(body.clone());
        }
        for (key, value) in record.attributes_iter().take(self.attributes) {
            let value = match self.value_length {
                Some(longest) => shortened(value, longest),
                None => value.clone(),
            };
            new.add_attribute::<Key, AnyValue>(key.clone(), value);
        }
        new
    }
}

fn is_short(value: &AnyValue, longest: usize) -> bool {
    match value {
        AnyValue::String(text) => cut(text.as_str(), longest).is_none(),
        AnyValue::ListAny(list) => list.iter().all(|value| is_short(value, longest)),
        AnyValue::Map(map) => map.values().all(|value| is_short(value, longest)),
        _ => true,
    }
}

fn shortened(value: &AnyValue, longest: usize) -> AnyValue {
    match value {
        AnyValue::String(text) => match cut(text.as_str(), longest) {
            Some(cut) => AnyValue::String(cut.into()),
            None => value.clone(),
        },
        AnyValue::ListAny(list) => {
            AnyValue::ListAny(Box::new(list.iter().map(|value| shortened(value, longest)).collect()))
        }
        AnyValue::Map(map) => AnyValue::Map(Box::new(
            map.iter().map(|(key, value)| (key.clone(), shortened(value, longest))).collect(),
        )),
        other => other.clone(),
    }
}

/// Cuts the texts of a span, its events and its links.
pub(crate) fn cut_values(span: &mut SpanData, longest: usize) {
    let events = span.events.events.iter_mut().flat_map(|event| event.attributes.iter_mut());
    let links = span.links.links.iter_mut().flat_map(|link| link.attributes.iter_mut());
    for attribute in span.attributes.iter_mut().chain(events).chain(links) {
        match &mut attribute.value {
            Value::String(text) => {
                if let Some(cut) = cut(text.as_str(), longest) {
                    *text = cut.into();
                }
            }
            Value::Array(Array::String(texts)) => {
                for text in texts {
                    if let Some(cut) = cut(text.as_str(), longest) {
                        *text = cut.into();
                    }
                }
            }
            _ => {}
        }
    }
}

fn cut(text: &str, longest: usize) -> Option<String> {
    // No text has more characters than bytes.
    if text.len() <= longest {
        return None;
    }
    let (end, _) = text.char_indices().nth(longest)?;
    text.get(..end).map(str::to_owned)
}
