//! From settings to providers: which processors and exporters each signal gets.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_otlp::{
    Compression, LogExporter, MetricExporter, Protocol as OtlpProtocol, SpanExporter, WithExportConfig,
    WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchConfigBuilder as LogBatchConfig, BatchLogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{
    Aggregation, Instrument, InstrumentKind, PeriodicReader, SdkMeterProvider, Stream,
};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder as SpanBatchConfig, BatchSpanProcessor, SdkTracerProvider,
};

use crate::InitError;
use crate::batch::deliver::Delivery;
use crate::batch::{Bounds, Queue};
use crate::builder::Wrap;
use crate::config::{Batch, Config, Destination, Protocol};
use crate::console::{Console, ConsoleExporter};
use crate::health::Health;
use crate::signal::Signal;
use crate::sink::{SpanSink, Wrapped};
use crate::transport::{Transport, grpc, http};
use crate::watch::{LogIntake, LogQueue, SpanIntake, SpanQueue, Watched};

/// People who wait for a line want it now; records that come together still come as one block. Spans fetch their events
/// when they are shown, so that these can wait longer.
const CONSOLE_SPAN_DELAY: Duration = Duration::from_millis(200);
const CONSOLE_LOG_DELAY: Duration = Duration::from_millis(400);

#[derive(Debug)]
pub(crate) struct Pipelines {
    pub(crate) traces: SdkTracerProvider,
    pub(crate) metrics: SdkMeterProvider,
    pub(crate) logs: SdkLoggerProvider,
    pub(crate) healths: Vec<Arc<Health>>,
    pub(crate) transport: Option<Transport>,
    /// Whether somebody else's processor gets the spans, wherever they go after that.
    pub(crate) wrapped: bool,
}

impl Pipelines {
    pub(crate) fn build(
        config: &Config,
        console: &Arc<Console>,
        resource: &Resource,
        wrap: Option<Box<Wrap>>,
    ) -> Result<Self, InitError> {
        let needs_transport = Signal::ALL.into_iter().any(|signal| config.route(signal).otlp.is_some());
        let transport =
            if needs_transport { Some(Transport::start().map_err(InitError::Thread)?) } else { None };
        let mut healths = Vec::new();
        let mut stage = Stage {
            file: config.file.as_deref(),
            console,
            transport: transport.as_ref(),
            healths: &mut healths,
        };
        let sink = stage.spans(config)?;
        let metrics = stage.metrics(config, resource.clone())?;
        let logs = stage.logs(config, resource.clone())?;
        let mut traces = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_sampler(config.sampler.clone())
            .with_span_limits(config.span_limits);
        let wrap = wrap.filter(|_| !config.disabled);
        let wrapped = wrap.is_some();
        traces = match wrap {
            Some(wrap) => traces.with_span_processor(Wrapped(wrap(sink, &logs, &metrics))),
            None => sink.0.into_iter().fold(traces, |traces, each| traces.with_span_processor(Wrapped(each))),
        };
        let traces = traces.build();
        Ok(Self { traces, metrics, logs, healths, transport, wrapped })
    }
}

/// The three builders have the same methods, but no trait in common.
macro_rules! otlp_exporter {
    ($stage:ident, $builder:expr, $to:expr, $health:expr) => {{
        let built = match http_protocol($to) {
            Some(protocol) => {
                let exporter = $builder
                    .with_http()
                    .with_http_client($stage.sender($to, $health)?)
                    .with_endpoint($to.url.to_string())
                    .with_timeout($to.timeout)
                    .with_protocol(protocol);
                if $to.gzip { exporter.with_compression(Compression::Gzip) } else { exporter }.build()
            }
            None => {
                let exporter = $builder
                    .with_tonic()
                    .with_channel($stage.channel($to, $health)?)
                    .with_interceptor($stage.headers($to, $health))
                    .with_timeout($to.timeout);
                if $to.gzip { exporter.with_compression(Compression::Gzip) } else { exporter }.build()
            }
        };
        built.map_err(|error| InitError::exporter($to, &error))?
    }};
}

struct Stage<'a> {
    /// That the settings are from.
    file: Option<&'a str>,
    console: &'a Arc<Console>,
    transport: Option<&'a Transport>,
    healths: &'a mut Vec<Arc<Health>>,
}

impl Stage<'_> {
    fn spans(&mut self, config: &Config) -> Result<SpanSink, InitError> {
        let mut sink = SpanSink(Vec::new());
        let value_length = config.span_value_length;
        if let Some(to) = &config.traces.otlp {
            let health = self.otlp_health(Signal::Traces, to);
            if to.protocol == Protocol::HttpProtobuf {
                let queue =
                    self.queue("otel-traces", config.span_batch, Duration::from_secs(5), to, &health)?;
                sink.0.push(Box::new(SpanIntake { queue, health, value_length }));
            } else {
                let exporter = otlp_exporter!(self, SpanExporter::builder(), to, &health);
                let exporter = Watched { exporter, health: Arc::clone(&health) };
                let queue = BatchSpanProcessor::builder(exporter)
                    .with_batch_config(span_batch(config.span_batch, Duration::from_secs(5)))
                    .build();
                sink.0.push(Box::new(SpanQueue { queue, health, value_length }));
            }
        }
        if config.traces.console {
            let (exporter, health) = self.console_exporter(Signal::Traces);
            let queue = BatchSpanProcessor::builder(exporter)
                .with_batch_config(span_batch(config.span_batch, CONSOLE_SPAN_DELAY))
                .build();
            sink.0.push(Box::new(SpanQueue { queue, health, value_length }));
        }
        Ok(sink)
    }

    fn metrics(&mut self, config: &Config, resource: Resource) -> Result<SdkMeterProvider, InitError> {
        let mut provider = SdkMeterProvider::builder().with_resource(resource);
        if let Some(to) = &config.metrics.otlp {
            let health = self.otlp_health(Signal::Metrics, to);
            let builder = MetricExporter::builder().with_temporality(config.temporality);
            let exporter = otlp_exporter!(self, builder, to, &health);
            let exporter = Watched { exporter, health };
            provider = provider
                .with_reader(PeriodicReader::builder(exporter).with_interval(config.metric_interval).build());
        }
        if config.metrics.console {
            let (exporter, _) = self.console_exporter(Signal::Metrics);
            provider = provider
                .with_reader(PeriodicReader::builder(exporter).with_interval(config.metric_interval).build());
        }
        if config.exponential_histograms {
            provider = provider.with_view(exponential);
        }
        Ok(provider.build())
    }

    fn logs(&mut self, config: &Config, resource: Resource) -> Result<SdkLoggerProvider, InitError> {
        let mut provider = SdkLoggerProvider::builder().with_resource(resource);
        if config.logs.otlp.is_some() || config.logs.console {
            provider = provider.with_log_processor(config.log_limits);
        }
        if let Some(to) = &config.logs.otlp {
            let health = self.otlp_health(Signal::Logs, to);
            if to.protocol == Protocol::HttpProtobuf {
                let queue = self.queue("otel-logs", config.log_batch, Duration::from_secs(1), to, &health)?;
                provider = provider.with_log_processor(LogIntake { queue, health });
            } else {
                let exporter = otlp_exporter!(self, LogExporter::builder(), to, &health);
                let exporter = Watched { exporter, health: Arc::clone(&health) };
                let queue = BatchLogProcessor::builder(exporter)
                    .with_batch_config(log_batch(config.log_batch, Duration::from_secs(1)))
                    .build();
                let queue = Arc::new(queue);
                provider = provider.with_log_processor(LogQueue { queue, health });
            }
        }
        if config.logs.console {
            let (exporter, health) = self.console_exporter(Signal::Logs);
            let queue = BatchLogProcessor::builder(exporter)
                .with_batch_config(log_batch(config.log_batch, CONSOLE_LOG_DELAY))
                .build();
            let queue = Arc::new(queue);
            if config.traces.console {
                self.console.fetch_events_from(&queue);
            }
            provider = provider.with_log_processor(LogQueue { queue, health });
        }
        Ok(provider.build())
    }

    /// For `http/protobuf`.
    fn queue(
        &self,
        thread: &str,
        batch: Batch,
        delay: Duration,
        to: &Destination,
        health: &Arc<Health>,
    ) -> Result<Queue, InitError> {
        let bounds = Bounds { delay: batch.delay.unwrap_or(delay), queue: batch.queue, batch: batch.size };
        let delivery = Delivery::new(self.sender(to, health)?, to, Arc::clone(health));
        Queue::start(thread, bounds, delivery).map_err(InitError::Thread)
    }

    fn sender(&self, to: &Destination, health: &Arc<Health>) -> Result<http::Sender, InitError> {
        Ok(http::Sender::new(self.transport()?, to, Arc::clone(health)))
    }

    fn channel(
        &self,
        to: &Destination,
        health: &Arc<Health>,
    ) -> Result<tonic::transport::Channel, InitError> {
        grpc::channel(self.transport()?, to, health).map_err(|error| InitError::exporter(to, &error))
    }

    fn headers(&self, to: &Destination, health: &Arc<Health>) -> grpc::Headers {
        grpc::Headers { headers: to.headers.clone(), health: Arc::clone(health) }
    }

    fn transport(&self) -> Result<&Transport, InitError> {
        self.transport.ok_or_else(|| InitError::Thread(std::io::Error::other("no runtime")))
    }

    fn otlp_health(&mut self, signal: Signal, to: &Destination) -> Arc<Health> {
        let advice = match self.file {
            Some(file) => format!("start an OTLP receiver there, or name another one in {file}"),
            None => format!(
                "start an OTLP receiver there, set {} to one, or {}=none",
                to.url_variable,
                signal.exporter_variable()
            ),
        };
        self.health(signal, destination(to), advice)
    }

    fn console_exporter(&mut self, signal: Signal) -> (Watched<ConsoleExporter>, Arc<Health>) {
        let health = self.health(signal, self.console.name().to_owned(), String::new());
        let exporter = ConsoleExporter { console: Arc::clone(self.console) };
        (Watched { exporter, health: Arc::clone(&health) }, health)
    }

    fn health(&mut self, signal: Signal, destination: String, advice: String) -> Arc<Health> {
        let health = Arc::new(Health::new(signal, destination, advice));
        self.healths.push(Arc::clone(&health));
        health
    }
}

/// `http://localhost:4318/v1/traces`, or `http://localhost:4317 (grpc)`.
pub(crate) fn destination(to: &Destination) -> String {
    match to.protocol {
        Protocol::HttpProtobuf => to.shown_url(),
        Protocol::HttpJson | Protocol::Grpc => format!("{} ({})", to.shown_url(), to.protocol.as_str()),
    }
}

/// Always said: what the exporter takes for its default depends on which features any crate of the program has on.
fn http_protocol(to: &Destination) -> Option<OtlpProtocol> {
    match to.protocol {
        Protocol::HttpProtobuf => Some(OtlpProtocol::HttpBinary),
        Protocol::HttpJson => Some(OtlpProtocol::HttpJson),
        Protocol::Grpc => None,
    }
}

fn span_batch(batch: Batch, delay: Duration) -> opentelemetry_sdk::trace::BatchConfig {
    SpanBatchConfig::default()
        .with_max_queue_size(batch.queue)
        .with_max_export_batch_size(batch.size)
        .with_scheduled_delay(batch.delay.unwrap_or(delay))
        .build()
}

fn log_batch(batch: Batch, delay: Duration) -> opentelemetry_sdk::logs::BatchConfig {
    LogBatchConfig::default()
        .with_max_queue_size(batch.queue)
        .with_max_export_batch_size(batch.size)
        .with_scheduled_delay(batch.delay.unwrap_or(delay))
        .build()
}

/// The specification's size and scale for histograms whose buckets fit themselves to the values.
fn exponential(instrument: &Instrument) -> Option<Stream> {
    if instrument.kind() != InstrumentKind::Histogram {
        return None;
    }
    let aggregation =
        Aggregation::Base2ExponentialHistogram { max_size: 160, max_scale: 20, record_min_max: true };
    Stream::builder().with_aggregation(aggregation).build().ok()
}
