//! Exporters and processors that keep the books of [`Health`] around the SDK's own.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use opentelemetry::logs::Severity;
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{BatchLogProcessor, LogBatch, LogExporter, LogProcessor, SdkLogRecord};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

use crate::batch::{Queue, record};
use crate::health::Health;
use crate::limits::cut_values;

/// An exporter whose outcomes are counted, and whose first failure is said.
#[derive(Debug)]
pub(crate) struct Watched<E> {
    pub(crate) exporter: E,
    pub(crate) health: Arc<Health>,
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let records = count(batch.len());
        self.health.begin();
        let outcome = self.exporter.export(batch).await;
        self.health.end(records, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Watched<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records = count(batch.iter().count());
        self.health.begin();
        let outcome = self.exporter.export(batch).await;
        self.health.end(records, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Watched<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.health.begin();
        let outcome = self.exporter.export(metrics).await;
        self.health.end(points(metrics), &outcome);
        outcome
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// Counts the spans that enter the queue, and cuts long texts where a limit says so.
#[derive(Debug)]
pub(crate) struct SpanQueue {
    pub(crate) queue: BatchSpanProcessor,
    pub(crate) health: Arc<Health>,
    pub(crate) value_length: Option<usize>,
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            self.health.taken.fetch_add(1, Relaxed);
            if let Some(longest) = self.value_length {
                cut_values(&mut span, longest);
            }
        }
        self.queue.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Encodes the spans that end, for [`Queue`].
#[derive(Debug)]
pub(crate) struct SpanIntake {
    pub(crate) queue: Queue,
    pub(crate) health: Arc<Health>,
    pub(crate) value_length: Option<usize>,
}

impl SpanProcessor for SpanIntake {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        self.health.taken.fetch_add(1, Relaxed);
        if let Some(longest) = self.value_length {
            cut_values(&mut span, longest);
        }
        self.queue.push(&span.instrumentation_scope, None, |out| record::span(out, &span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.end(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Encodes the log records that are emitted, for [`Queue`].
#[derive(Debug)]
pub(crate) struct LogIntake {
    pub(crate) queue: Queue,
    pub(crate) health: Arc<Health>,
}

impl LogProcessor for LogIntake {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.health.taken.fetch_add(1, Relaxed);
        let name = record.target().map(AsRef::as_ref);
        self.queue.push(scope, name, |out| record::log(out, record));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.end(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Counts the log records that enter the queue.
#[derive(Debug)]
pub(crate) struct LogQueue {
    /// Shared, where somebody wants to hurry it.
    pub(crate) queue: Arc<BatchLogProcessor>,
    pub(crate) health: Arc<Health>,
}

impl LogProcessor for LogQueue {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.health.taken.fetch_add(1, Relaxed);
        self.queue.emit(record, scope);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.queue.event_enabled(level, target, name)
    }

    /// The queue that is shared is the console's, to which the resource is nothing.
    fn set_resource(&mut self, resource: &Resource) {
        if let Some(queue) = Arc::get_mut(&mut self.queue) {
            queue.set_resource(resource);
        }
    }
}

fn points(metrics: &ResourceMetrics) -> u64 {
    fn of<T>(data: &MetricData<T>) -> usize {
        match data {
            MetricData::Gauge(data) => data.data_points().count(),
            MetricData::Sum(data) => data.data_points().count(),
            MetricData::Histogram(data) => data.data_points().count(),
            MetricData::ExponentialHistogram(data) => data.data_points().count(),
        }
    }
    let metrics = metrics.scope_metrics().flat_map(ScopeMetrics::metrics);
    count(
        metrics
            .map(|metric| match metric.data() {
                AggregatedMetrics::F64(data) => of(data),
                AggregatedMetrics::U64(data) => of(data),
                AggregatedMetrics::I64(data) => of(data),
            })
            .sum(),
    )
}

fn count(records: usize) -> u64 {
    u64::try_from(records).unwrap_or(u64::MAX)
}
