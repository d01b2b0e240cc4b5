//! Every variable this crate reads, in one table. [`crate::Telemetry::settings`], the warnings and the documentation
//! are made from it, so that what is said is what is done.

/// How a value may be shown: some hold secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shown {
    /// As it is.
    Plain,
    /// A URL: user name, password and query are left out.
    Url,
    /// `name=value` pairs whose values are secrets: only the names are shown.
    Names,
}

/// One environment variable: what it may hold, what it means when it is unset, what it does.
///
/// ```
/// for variable in otel_genai_sdk::VARIABLES {
///     println!("{:55} {:40} {}", variable.name, variable.default, variable.about);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Variable {
    /// The name, as in the OpenTelemetry specification.
    pub name: &'static str,
    /// What it may hold, in words: `otlp, console, none`, `milliseconds`.
    pub values: &'static str,
    /// What an unset, empty or unusable value means, in words.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    pub(crate) shown: Shown,
}

impl Variable {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        VARIABLES.iter().find(|variable| variable.name == name)
    }
}

const fn row(
    name: &'static str,
    values: &'static str,
    default: &'static str,
    about: &'static str,
) -> Variable {
    Variable { name, values, default, about, shown: Shown::Plain }
}

const fn secret(variable: Variable, shown: Shown) -> Variable {
    Variable { shown, ..variable }
}

/// Four rows: the variable for all signals, and one a signal that goes before it.
macro_rules! otlp {
    ($option:literal, $shown:expr, $values:literal, $default:literal, $about:literal) => {
        [
            secret(row(concat!("OTEL_EXPORTER_OTLP_", $option), $values, $default, $about), $shown),
            otlp!(one "TRACES", "traces", $option, $shown, $values, $about),
            otlp!(one "METRICS", "metrics", $option, $shown, $values, $about),
            otlp!(one "LOGS", "logs", $option, $shown, $values, $about),
        ]
    };
    (one $signal:literal, $lower:literal, $option:literal, $shown:expr, $values:literal, $about:literal) => {
        secret(
            row(
                concat!("OTEL_EXPORTER_OTLP_", $signal, "_", $option),
                $values,
                concat!("as OTEL_EXPORTER_OTLP_", $option),
                concat!($about, " (", $lower, " only)"),
            ),
            $shown,
        )
    };
}

const GENERAL: [Variable; 5] = [
    row(
        "OTEL_CONFIG_FILE",
        "path of a YAML file",
        "none",
        "A file in OpenTelemetry's declarative configuration format, in place of all the other OTEL_* variables here",
    ),
    row("OTEL_SDK_DISABLED", "true, false", "false", "Switches all telemetry off; propagation stays on"),
    row(
        "OTEL_SERVICE_NAME",
        "text",
        "unknown_service:<program>",
        "service.name, before OTEL_RESOURCE_ATTRIBUTES",
    ),
    row(
        "OTEL_RESOURCE_ATTRIBUTES",
        "key=value,key=value",
        "none",
        "Attributes of the resource, percent-encoded",
    ),
    row(
        "OTEL_PROPAGATORS",
        "tracecontext, baggage, none",
        "tracecontext,baggage",
        "Headers that carry the context",
    ),
];

const EXPORTERS: [Variable; 3] = [
    row("OTEL_TRACES_EXPORTER", "otlp, console, none", "otlp", "Where spans go; a list sends them to each"),
    row(
        "OTEL_METRICS_EXPORTER",
        "otlp, console, none",
        "otlp",
        "Where metrics go; a list sends them to each",
    ),
    row("OTEL_LOGS_EXPORTER", "otlp, console, none", "otlp", "Where events go; a list sends them to each"),
];

const ENDPOINT: [Variable; 4] = otlp!(
    "ENDPOINT",
    Shown::Url,
    "http:// or https:// URL",
    "http://localhost:4318, or :4317 for grpc",
    "Where the OTLP receiver listens; over HTTP /v1/<signal> is added to the general one, not to a signal's own"
);
const PROTOCOL: [Variable; 4] =
    otlp!("PROTOCOL", Shown::Plain, "http/protobuf, http/json, grpc", "http/protobuf", "How OTLP is spoken");
const HEADERS: [Variable; 4] = otlp!(
    "HEADERS",
    Shown::Names,
    "name=value,name=value",
    "none",
    "Headers sent with each export, percent-encoded; for credentials"
);
const TIMEOUT: [Variable; 4] =
    otlp!("TIMEOUT", Shown::Plain, "milliseconds", "10000", "How long one export may take, retries included");
const COMPRESSION: [Variable; 4] =
    otlp!("COMPRESSION", Shown::Plain, "gzip, none", "none", "How exports are compressed");
const CERTIFICATE: [Variable; 4] = otlp!(
    "CERTIFICATE",
    Shown::Plain,
    "path of a PEM file",
    "the system's roots",
    "Certificates the receiver is trusted by, instead of the system's"
);
const CLIENT_CERTIFICATE: [Variable; 4] = otlp!(
    "CLIENT_CERTIFICATE",
    Shown::Plain,
    "path of a PEM file",
    "none",
    "Certificate chain shown to the receiver (mutual TLS)"
);
const CLIENT_KEY: [Variable; 4] =
    otlp!("CLIENT_KEY", Shown::Plain, "path of a PEM file", "none", "Private key of the client certificate");
const INSECURE: [Variable; 4] = otlp!(
    "INSECURE",
    Shown::Plain,
    "true, false",
    "false",
    "No TLS for a grpc endpoint that has no http:// or https://"
);

const TRACES: [Variable; 15] = [
    row(
        "OTEL_TRACES_SAMPLER",
        "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio",
        "parentbased_always_on",
        "Which traces are recorded",
    ),
    row("OTEL_TRACES_SAMPLER_ARG", "0.0 to 1.0", "1.0", "The ratio of the two traceidratio samplers"),
    row(
        "OTEL_BSP_SCHEDULE_DELAY",
        "milliseconds",
        "5000",
        "How long spans wait for company before they are exported",
    ),
    row("OTEL_BSP_EXPORT_TIMEOUT", "milliseconds", "30000", "Upper bound of the OTLP timeout for spans"),
    row("OTEL_BSP_MAX_QUEUE_SIZE", "count", "2048", "Spans that may wait; more are dropped and counted"),
    row("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "count", "512", "Spans in one export"),
    row(
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "characters",
        "no limit",
        "Longer attribute texts of spans and events are cut",
    ),
    row(
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "characters",
        "as OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "The same, before it",
    ),
    row("OTEL_ATTRIBUTE_COUNT_LIMIT", "count", "128", "Attributes a span, event, link or log record keeps"),
    row(
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "count",
        "as OTEL_ATTRIBUTE_COUNT_LIMIT",
        "Attributes a span keeps",
    ),
    row("OTEL_SPAN_EVENT_COUNT_LIMIT", "count", "128", "Events a span keeps"),
    row("OTEL_SPAN_LINK_COUNT_LIMIT", "count", "128", "Links a span keeps"),
    row(
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        "count",
        "as OTEL_ATTRIBUTE_COUNT_LIMIT",
        "Attributes an event of a span keeps",
    ),
    row(
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        "count",
        "as OTEL_ATTRIBUTE_COUNT_LIMIT",
        "Attributes a link keeps",
    ),
    row("OTEL_METRIC_EXPORT_INTERVAL", "milliseconds", "60000", "Time between two exports of metrics"),
];

const METRICS_AND_LOGS: [Variable; 10] = [
    row("OTEL_METRIC_EXPORT_TIMEOUT", "milliseconds", "30000", "Upper bound of the OTLP timeout for metrics"),
    row(
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "cumulative, delta, lowmemory",
        "cumulative",
        "Whether exported sums and histograms count from the start or from the last export",
    ),
    row(
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "explicit_bucket_histogram, base2_exponential_bucket_histogram",
        "explicit_bucket_histogram",
        "Fixed buckets, or buckets that fit themselves to the values",
    ),
    row(
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "always_off",
        "always_off",
        "Which measurements are kept as examples: none, as OpenTelemetry for Rust keeps none yet",
    ),
    row(
        "OTEL_BLRP_SCHEDULE_DELAY",
        "milliseconds",
        "1000",
        "How long events wait for company before they are exported",
    ),
    row("OTEL_BLRP_EXPORT_TIMEOUT", "milliseconds", "30000", "Upper bound of the OTLP timeout for events"),
    row("OTEL_BLRP_MAX_QUEUE_SIZE", "count", "2048", "Events that may wait; more are dropped and counted"),
    row("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "count", "512", "Events in one export"),
    row(
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "characters",
        "as OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "Longer attribute texts of events and log records are cut",
    ),
    row(
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
        "count",
        "as OTEL_ATTRIBUTE_COUNT_LIMIT",
        "Attributes an event or log record keeps",
    ),
];

const COUNT: usize = GENERAL.len() + EXPORTERS.len() + 9 * 4 + TRACES.len() + METRICS_AND_LOGS.len();

/// Every variable, grouped by what it is about. An empty value counts as unset.
pub static VARIABLES: &[Variable] = &join();

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a bad index is a build error")]
const fn join() -> [Variable; COUNT] {
    let groups: [&[Variable]; 13] = [
        &GENERAL,
        &EXPORTERS,
        &ENDPOINT,
        &PROTOCOL,
        &HEADERS,
        &TIMEOUT,
        &COMPRESSION,
        &CERTIFICATE,
        &CLIENT_CERTIFICATE,
        &CLIENT_KEY,
        &INSECURE,
        &TRACES,
        &METRICS_AND_LOGS,
    ];
    let mut all = [GENERAL[0]; COUNT];
    let (mut group, mut at) = (0, 0);
    while group < groups.len() {
        let mut row = 0;
        while row < groups[group].len() {
            all[at] = groups[group][row];
            at += 1;
            row += 1;
        }
        group += 1;
    }
    all
}
