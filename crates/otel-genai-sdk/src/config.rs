//! What the variables say, read once: plain data that the pipelines are built from.

use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::trace::{Sampler, SpanLimits};

use crate::Exporter;
use crate::limits::LogLimits;
use crate::setting::{Bad, Source};
use crate::signal::Signal;
use crate::variable::Variable;

pub(crate) mod otlp;
pub(crate) mod resource;

use otlp::OtlpVariables;
pub(crate) use otlp::{Credentials, Destination, Protocol};

/// The SDK takes the memory of a whole queue at once.
const LONGEST_QUEUE: usize = 1 << 20;

/// What one signal does with its records.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) console: bool,
    pub(crate) otlp: Option<Destination>,
}

impl Route {
    const NOWHERE: Self = Self { console: false, otlp: None };
}

/// How records wait for company.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    /// `None` leaves the choice to the exporter: a console does not let people wait for five seconds.
    pub(crate) delay: Option<Duration>,
    pub(crate) queue: usize,
    pub(crate) size: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Propagators {
    pub(crate) trace_context: bool,
    pub(crate) baggage: bool,
}

#[derive(Debug)]
pub(crate) struct Config {
    /// Its name, where the settings are a file's.
    pub(crate) file: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) resource: Vec<opentelemetry::KeyValue>,
    pub(crate) propagators: Propagators,
    pub(crate) traces: Route,
    pub(crate) metrics: Route,
    pub(crate) logs: Route,
    pub(crate) sampler: Sampler,
    pub(crate) span_batch: Batch,
    pub(crate) span_limits: SpanLimits,
    pub(crate) span_value_length: Option<usize>,
    pub(crate) metric_interval: Duration,
    pub(crate) temporality: Temporality,
    pub(crate) exponential_histograms: bool,
    pub(crate) log_batch: Batch,
    pub(crate) log_limits: LogLimits,
}

impl Config {
    pub(crate) fn read(source: &mut Source<'_>, service: Option<&str>, exporter: Exporter) -> Self {
        let disabled = source.read("OTEL_SDK_DISABLED", boolean).unwrap_or(false);
        let resource = resource::read(source, service);
        let propagators = propagators(source);
        let chosen = Signal::ALL.map(|signal| exporters(source, signal, exporter));
        let variables = OtlpVariables::read(source);
        let span_timeout = milliseconds(source, "OTEL_BSP_EXPORT_TIMEOUT", 30_000);
        let metric_timeout = milliseconds(source, "OTEL_METRIC_EXPORT_TIMEOUT", 30_000);
        let log_timeout = milliseconds(source, "OTEL_BLRP_EXPORT_TIMEOUT", 30_000);
        let bounds = [span_timeout, metric_timeout, log_timeout];
        let mut routes = Signal::ALL.into_iter().zip(chosen).zip(bounds).map(|((signal, chosen), bound)| {
            if disabled {
                return Route::NOWHERE;
            }
            Route {
                console: chosen.console,
                otlp: chosen.otlp.then(|| variables.destination(source, signal, bound)),
            }
        });
        let mut next = || routes.next().unwrap_or(Route::NOWHERE);
        let (traces, metrics, logs) = (next(), next(), next());
        drop(routes);
        let sampler =
            if disabled { Sampler::AlwaysOff } else { Sampler::ParentBased(Box::new(Sampler::AlwaysOn)) };
        let limits = Limits::read(source);
        exemplars(source);
        Self {
            file: source.file().map(str::to_owned),
            disabled,
            resource,
            propagators,
            traces,
            metrics,
            logs,
            sampler: read_sampler(source).filter(|_| !disabled).unwrap_or(sampler),
            span_batch: batch(
                source,
                "OTEL_BSP_SCHEDULE_DELAY",
                "OTEL_BSP_MAX_QUEUE_SIZE",
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            ),
            span_limits: limits.spans,
            span_value_length: limits.span_value_length,
            metric_interval: milliseconds(source, "OTEL_METRIC_EXPORT_INTERVAL", 60_000),
            temporality: temporality(source),
            exponential_histograms: source
                .read("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", |text| {
                    match text.to_ascii_lowercase().as_str() {
                        "explicit_bucket_histogram" => Ok(false),
                        "base2_exponential_bucket_histogram" => Ok(true),
                        _ => Err(none_of("explicit_bucket_histogram, base2_exponential_bucket_histogram")),
                    }
                })
                .unwrap_or(false),
            log_batch: batch(
                source,
                "OTEL_BLRP_SCHEDULE_DELAY",
                "OTEL_BLRP_MAX_QUEUE_SIZE",
                "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
            ),
            log_limits: limits.logs,
        }
    }

    pub(crate) fn route(&self, signal: Signal) -> &Route {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Chosen {
    otlp: bool,
    console: bool,
}

/// `OTEL_<SIGNAL>_EXPORTER`. Unset means OTLP where an endpoint is given, else what the program chose.
fn exporters(source: &mut Source<'_>, signal: Signal, default: Exporter) -> Chosen {
    let own = match signal {
        Signal::Traces => "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        Signal::Metrics => "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        Signal::Logs => "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    };
    let has_endpoint = source.is_set(own) || source.is_set("OTEL_EXPORTER_OTLP_ENDPOINT");
    let (default, text) = match default {
        Exporter::Console | Exporter::ConsoleAlways if !has_endpoint => {
            (Chosen { console: true, otlp: false }, "console")
        }
        Exporter::ConsoleAlways => (Chosen { console: true, otlp: true }, "otlp,console"),
        Exporter::None if !has_endpoint => (Chosen::default(), "none"),
        _ => (Chosen { otlp: true, console: false }, "otlp"),
    };
    let name = signal.exporter_variable();
    let allowed = Variable::named(name).map_or("", |variable| variable.values);
    source
        .read_or(name, text, |value| {
            let mut chosen = Chosen::default();
            let mut none = false;
            for entry in list(value) {
                match entry.as_str() {
                    "otlp" => chosen.otlp = true,
                    "console" => chosen.console = true,
                    "none" => none = true,
                    _ => {
                        let why = if list(value).count() == 1 {
                            format!("is not one of {allowed}")
                        } else {
                            format!("holds {entry:?}, which is not one of {allowed}")
                        };
                        return Err(Bad::because(why).instead(format!("using {text}")));
                    }
                }
            }
            if none && (chosen.otlp || chosen.console) {
                return Err(Bad::because("says none and something else").instead(format!("using {text}")));
            }
            Ok(chosen)
        })
        .unwrap_or(default)
}

/// Of a list, what is known counts and the rest is warned of: a default in its place could carry baggage that nobody
/// asked for.
fn propagators(source: &mut Source<'_>) -> Propagators {
    const NAME: &str = "OTEL_PROPAGATORS";
    const ALLOWED: &str = "tracecontext, baggage, none";
    let mut unknown = None;
    let read = source.read(NAME, |text| {
        let mut chosen = Propagators { trace_context: false, baggage: false };
        let mut none = false;
        for entry in list(text) {
            match entry.as_str() {
                "tracecontext" => chosen.trace_context = true,
                "baggage" => chosen.baggage = true,
                "none" => none = true,
                _ => unknown = Some(format!("\"{}\" holds {entry:?}", crate::console::plain(text))),
            }
        }
        match (none, chosen.trace_context || chosen.baggage) {
            (true, true) => Err(Bad::because("says none and something else")),
            (false, false) => Err(none_of(ALLOWED)),
            _ => Ok(chosen),
        }
    });
    if let (Some(unknown), true) = (unknown, read.is_some()) {
        source.warn(NAME, format!("{unknown}, which is not one of {ALLOWED}; using the others"));
    }
    read.unwrap_or(Propagators { trace_context: true, baggage: true })
}

fn read_sampler(source: &mut Source<'_>) -> Option<Sampler> {
    let ratio = source.read("OTEL_TRACES_SAMPLER_ARG", |text| match text.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err(Bad::because("is not a number from 0.0 to 1.0").instead("sampling everything (1.0)")),
    });
    let allowed = Variable::named("OTEL_TRACES_SAMPLER").map_or("", |variable| variable.values);
    let ratio = ratio.unwrap_or(1.0);
    source.read("OTEL_TRACES_SAMPLER", |text| {
        Ok(match text.to_ascii_lowercase().as_str() {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => Sampler::TraceIdRatioBased(ratio),
            "parentbased_always_on" => Sampler::ParentBased(Box::new(Sampler::AlwaysOn)),
            "parentbased_always_off" => Sampler::ParentBased(Box::new(Sampler::AlwaysOff)),
            "parentbased_traceidratio" => Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))),
            _ => return Err(none_of(allowed)),
        })
    })
}

fn batch(source: &mut Source<'_>, delay: &'static str, queue: &'static str, size: &'static str) -> Batch {
    // Without any delay the SDK's worker would never sleep.
    let delay = source.read(delay, whole).map(|milliseconds| Duration::from_millis(milliseconds.max(1)));
    let wanted = positive(source, queue).unwrap_or(2048);
    if wanted > LONGEST_QUEUE {
        source.warn(queue, format!("{wanted} is more than can be kept; using {LONGEST_QUEUE}"));
    }
    let queue = wanted.min(LONGEST_QUEUE);
    let wanted = positive(source, size);
    if let Some(wanted) = wanted
        && wanted > queue
    {
        source.warn(size, format!("{wanted} is more than the queue holds; using {queue}"));
    }
    Batch { delay, queue, size: wanted.unwrap_or(512).min(queue) }
}

struct Limits {
    spans: SpanLimits,
    span_value_length: Option<usize>,
    logs: LogLimits,
}

impl Limits {
    fn read(source: &mut Source<'_>) -> Self {
        let mut limit = |name| source.read(name, whole);
        let attributes = limit("OTEL_ATTRIBUTE_COUNT_LIMIT").unwrap_or(128);
        let length = limit("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
        let number = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            spans: SpanLimits {
                max_attributes_per_span: number(
                    limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT").unwrap_or(attributes),
                ),
                max_events_per_span: number(limit("OTEL_SPAN_EVENT_COUNT_LIMIT").unwrap_or(128)),
                max_links_per_span: number(limit("OTEL_SPAN_LINK_COUNT_LIMIT").unwrap_or(128)),
                max_attributes_per_event: number(
                    limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT").unwrap_or(attributes),
                ),
                max_attributes_per_link: number(
                    limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT").unwrap_or(attributes),
                ),
            },
            span_value_length: limit("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT").or(length).map(size),
            logs: LogLimits {
                attributes: size(limit("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT").unwrap_or(attributes)),
                value_length: limit("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT").or(length).map(size),
            },
        }
    }
}

/// There is nothing to choose yet; who asks for exemplars should know that none will come.
fn exemplars(source: &mut Source<'_>) {
    source.read("OTEL_METRICS_EXEMPLAR_FILTER", |text| match text.to_ascii_lowercase().as_str() {
        "always_off" => Ok(()),
        "always_on" | "trace_based" => {
            Err(Bad::because("asks for exemplars, which OpenTelemetry for Rust does not record yet")
                .instead("none are recorded (always_off)"))
        }
        _ => Err(none_of("always_off, always_on, trace_based")),
    });
}

fn temporality(source: &mut Source<'_>) -> Temporality {
    source
        .read("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", |text| {
            match text.to_ascii_lowercase().as_str() {
                "cumulative" => Ok(Temporality::Cumulative),
                "delta" => Ok(Temporality::Delta),
                "lowmemory" => Ok(Temporality::LowMemory),
                _ => Err(none_of("cumulative, delta, lowmemory")),
            }
        })
        .unwrap_or_default()
}

/// A positive number of milliseconds.
fn milliseconds(source: &mut Source<'_>, name: &'static str, default: u64) -> Duration {
    Duration::from_millis(source.read(name, at_least_one).unwrap_or(default))
}

fn positive(source: &mut Source<'_>, name: &'static str) -> Option<usize> {
    source.read(name, |text| at_least_one(text).map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
}

pub(crate) fn boolean(text: &str) -> Result<bool, Bad> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(none_of("true, false")),
    }
}

pub(crate) fn none_of(allowed: &str) -> Bad {
    Bad::because(format!("is not one of {allowed}"))
}

pub(crate) fn at_least_one(text: &str) -> Result<u64, Bad> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Bad::because("is not a whole number above 0")),
    }
}

fn whole(text: &str) -> Result<u64, Bad> {
    text.parse().map_err(|_| Bad::because("is not a whole number"))
}

/// The entries of a comma-separated list, in lower case.
fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty())
}
