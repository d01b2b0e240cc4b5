//! Where spans end: the processors of all exporters as one, for whoever stands before them.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// The processors of all that spans are exported to, as one processor: see [`Builder::wrap_spans`](crate::Builder::wrap_spans).
#[derive(Debug)]
pub struct SpanSink(pub(crate) Vec<Box<dyn SpanProcessor>>);

impl SpanProcessor for SpanSink {
    fn on_start(&self, span: &mut Span, context: &Context) {
        for each in &self.0 {
            each.on_start(span, context);
        }
    }

    fn on_end(&self, span: SpanData) {
        // Only who comes before the last one needs a copy.
        if let Some((last, others)) = self.0.split_last() {
            for each in others {
                each.on_end(span.clone());
            }
            last.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        all(self.0.iter().map(|each| each.force_flush()))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        all(self.0.iter().map(|each| each.shutdown_with_timeout(timeout)))
    }

    fn set_resource(&mut self, resource: &Resource) {
        for each in &mut self.0 {
            each.set_resource(resource);
        }
    }
}

/// Every one has its turn; the first failure is told.
fn all(outcomes: impl Iterator<Item = OTelSdkResult>) -> OTelSdkResult {
    let outcomes: Vec<_> = outcomes.collect();
    outcomes.into_iter().collect()
}

/// The SDK takes processors by their type, and has no implementation for a box of one.
#[derive(Debug)]
pub(crate) struct Wrapped(pub(crate) Box<dyn SpanProcessor>);

impl SpanProcessor for Wrapped {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
