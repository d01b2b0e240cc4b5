//! One row for every variable: what is exported is what its value says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_proto::tonic::logs::v1::LogRecord as SentRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric};
use opentelemetry_proto::tonic::trace::v1::Span;
use otel_genai_sdk::{Builder, Telemetry, VARIABLES};

#[allow(dead_code, reason = "the receiver's other uses are in tests/export.rs and tests/tls.rs")]
mod receiver;
use receiver::certificates::certificates;
use receiver::{Manner, Receiver};

const LONG: Duration = Duration::from_secs(30);
const NEVER: &str = "3600000";
const SIGNALS: [&str; 3] = ["TRACES", "METRICS", "LOGS"];

type Vars<'a> = &'a [(&'a str, &'a str)];
type Row = (&'static str, fn(&str));
type OtlpRow = (&'static str, fn(&str, &str));

/// Rows that stand for one variable.
const ROWS: &[Row] = &[
    ("OTEL_CONFIG_FILE", |name| {
        // Only what the file names counts: traces, and not where the other variables say.
        let receiver = Receiver::start(Manner::Accept);
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        let text =
            "file_format: '1.0'\ntracer_provider:\n  processors: [{batch: {exporter: {otlp_http: {endpoint: ";
        std::fs::write(&file, format!("{text}{}/v1/traces}}}}}}}}]\n", receiver.url())).unwrap();
        let path = file.path().to_str().unwrap();
        use_and_end(builder(&[(name, path), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]));
        assert_eq!(signals(&receiver), ["TRACES"]);
    }),
    ("OTEL_SDK_DISABLED", |name| assert!(sent(&[(name, "true")]).requests().is_empty())),
    ("OTEL_SERVICE_NAME", |name| says_resource(&[(name, "shop")], "service.name", "shop")),
    ("OTEL_RESOURCE_ATTRIBUTES", |name| says_resource(&[(name, "team=a%20b,x=1")], "team", "a b")),
    ("OTEL_PROPAGATORS", |name| {
        assert_eq!(carried("", &[]), ["baggage", "traceparent", "tracestate"]);
        assert_eq!(carried("tracecontext", &[]), ["traceparent", "tracestate"]);
        assert_eq!(carried("baggage", &[]), ["baggage"]);
        assert_eq!(carried("none", &[]), [""; 0]);
        // Who leaves baggage out does not get it for a mistake elsewhere.
        assert_eq!(carried("tracecontext,b3", &[name]), ["traceparent", "tracestate"]);
        assert_eq!(carried("jaeger", &[name]), ["baggage", "traceparent", "tracestate"]);
    }),
    ("OTEL_TRACES_EXPORTER", goes_nowhere),
    ("OTEL_METRICS_EXPORTER", goes_nowhere),
    ("OTEL_LOGS_EXPORTER", goes_nowhere),
    ("OTEL_TRACES_SAMPLER", |name| {
        // Root, child of a parent that is recorded, child of one that is not.
        for (sampler, expected) in [
            ("always_on", [true, true, true]),
            ("always_off", [false, false, false]),
            ("traceidratio", [true, true, true]),
            ("parentbased_always_on", [true, true, false]),
            ("parentbased_always_off", [false, true, false]),
            ("parentbased_traceidratio", [true, true, false]),
        ] {
            assert_eq!(recorded(&[(name, sampler)], 1), expected, "{sampler}");
        }
    }),
    ("OTEL_TRACES_SAMPLER_ARG", |name| {
        let ratio =
            |sampler, ratio, trace| recorded(&[("OTEL_TRACES_SAMPLER", sampler), (name, ratio)], trace);
        // The ratio looks at the last eight bytes of the trace's identifier.
        assert_eq!(ratio("traceidratio", "0.25", 1)[1..], [true, true]);
        assert_eq!(ratio("traceidratio", "0.25", u64::MAX)[1..], [false, false]);
        assert_eq!(ratio("traceidratio", "0", 1), [false, false, false]);
        assert_eq!(ratio("parentbased_traceidratio", "0", u64::MAX), [false, true, false]);
    }),
    ("OTEL_BSP_SCHEDULE_DELAY", |name| leaves_by_itself(name, "TRACES")),
    ("OTEL_BLRP_SCHEDULE_DELAY", |name| leaves_by_itself(name, "LOGS")),
    ("OTEL_METRIC_EXPORT_INTERVAL", |name| leaves_by_itself(name, "METRICS")),
    ("OTEL_BSP_EXPORT_TIMEOUT", |name| is_given_up(name, "TRACES")),
    ("OTEL_BLRP_EXPORT_TIMEOUT", |name| is_given_up(name, "LOGS")),
    ("OTEL_METRIC_EXPORT_TIMEOUT", |name| is_given_up(name, "METRICS")),
    ("OTEL_BSP_MAX_QUEUE_SIZE", |name| is_bounded(name, "TRACES")),
    ("OTEL_BLRP_MAX_QUEUE_SIZE", |name| is_bounded(name, "LOGS")),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", |name| comes_alone(name, "TRACES")),
    ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", |name| comes_alone(name, "LOGS")),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", |name| {
        assert_eq!(lengths(&[(name, "2")]), [2, 2, 2, 2, 2]);
        assert_eq!(lengths(&[]), [4, 4, 4, 4, 4]);
    }),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", |name| {
        assert_eq!(lengths(&[(name, "3"), ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "2")]), [3, 3, 3, 2, 2]);
    }),
    ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", |name| {
        assert_eq!(lengths(&[(name, "3"), ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "2")]), [2, 2, 2, 3, 3]);
    }),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", |name| {
        assert_eq!(counts(&[(name, "1")]), [1, 2, 2, 1, 1, 1]);
        assert_eq!(counts(&[]), [2, 2, 2, 2, 2, 2]);
    }),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", |name| {
        assert_eq!(counts(&[(name, "0"), ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1")]), [0, 2, 2, 1, 1, 1]);
    }),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", |name| assert_eq!(counts(&[(name, "1")]), [2, 1, 2, 2, 2, 2])),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", |name| assert_eq!(counts(&[(name, "1")]), [2, 2, 1, 2, 2, 2])),
    ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", |name| assert_eq!(counts(&[(name, "1")]), [2, 2, 2, 1, 2, 2])),
    ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", |name| assert_eq!(counts(&[(name, "1")]), [2, 2, 2, 2, 1, 2])),
    ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", |name| assert_eq!(counts(&[(name, "1")]), [2, 2, 2, 2, 2, 1])),
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", |name| {
        for (value, expected) in [
            ("cumulative", AggregationTemporality::Cumulative),
            ("delta", AggregationTemporality::Delta),
            ("lowmemory", AggregationTemporality::Delta),
        ] {
            let metric = metric(&[(name, value)]);
            let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
            assert_eq!(histogram.aggregation_temporality(), expected, "{value}");
        }
    }),
    ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", |name| {
        let metric = |value| metric(&[(name, value)]).data.unwrap();
        assert!(matches!(metric("base2_exponential_bucket_histogram"), Data::ExponentialHistogram(_)));
        assert!(matches!(metric("explicit_bucket_histogram"), Data::Histogram(_)));
    }),
    ("OTEL_METRICS_EXEMPLAR_FILTER", |name| {
        let metric = metric(&[(name, "always_off")]);
        let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
        assert!(histogram.data_points[0].exemplars.is_empty());
    }),
];

/// Rows that stand for four variables: the general one, and one for each signal, which goes before it.
const OTLP_ROWS: &[OtlpRow] = &[
    ("ENDPOINT", |name, signal| {
        let (general, own) = (Receiver::start(Manner::Accept), Receiver::start(Manner::Accept));
        let url = format!("{}{}", own.url(), if signal.is_empty() { "" } else { path(signal) });
        let telemetry = builder(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &general.url()), (name, &url)]);
        use_and_end(telemetry);
        let (general, own) = (signals(&general), signals(&own));
        let all = SIGNALS.to_vec();
        let expected = if signal.is_empty() { all.clone() } else { vec![signal] };
        assert_eq!(own, expected, "{name}");
        assert_eq!(
            general,
            all.iter().filter(|s| !expected.contains(s)).copied().collect::<Vec<_>>(),
            "{name}"
        );
    }),
    ("PROTOCOL", |name, signal| {
        for (protocol, kind) in [
            ("grpc", "application/grpc"),
            ("http/json", "application/json"),
            ("http/protobuf", "application/x-protobuf"),
        ] {
            let sent = sent(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), (name, protocol)]);
            for (of, headers) in sent.requests() {
                let expected = if signal.is_empty() || of == signal { kind } else { "application/json" };
                assert_eq!(headers["content-type"], expected, "{name}={protocol}: {of}");
            }
        }
    }),
    ("HEADERS", |name, signal| {
        let sent = sent(&[("OTEL_EXPORTER_OTLP_HEADERS", "x-who=general"), (name, "x-who=own%2C1")]);
        for (of, headers) in sent.requests() {
            let expected = if signal.is_empty() || of == signal { "own,1" } else { "general" };
            assert_eq!(headers["x-who"], expected, "{name}: {of}");
        }
    }),
    ("COMPRESSION", |name, signal| {
        let sent = sent(&[("OTEL_EXPORTER_OTLP_COMPRESSION", "none"), (name, "gzip")]);
        for (of, headers) in sent.requests() {
            let expected = signal.is_empty() || of == signal;
            assert_eq!(headers.contains_key("content-encoding"), expected, "{name}: {of}");
        }
    }),
    ("TIMEOUT", |name, signal| is_given_up(name, if signal.is_empty() { "TRACES" } else { signal })),
    ("CERTIFICATE", |name, signal| shows_files(name, signal, "CERTIFICATE")),
    ("CLIENT_CERTIFICATE", |name, signal| shows_files(name, signal, "CLIENT_CERTIFICATE")),
    ("CLIENT_KEY", |name, signal| shows_files(name, signal, "CLIENT_KEY")),
    ("INSECURE", |name, signal| {
        let receiver = Receiver::start(Manner::Accept);
        let one = if signal.is_empty() { "TRACES" } else { signal };
        let telemetry = only(
            one,
            &[
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.address.to_string()),
                ("OTEL_EXPORTER_OTLP_INSECURE", "false"),
                (name, "true"),
            ],
        );
        use_and_end(telemetry);
        assert_eq!(signals(&receiver), [one], "{name}");
    }),
];

#[test]
fn what_is_exported_is_what_the_variables_say() {
    let mut tried = HashSet::new();
    for (name, row) in ROWS {
        row(name);
        tried.insert((*name).to_owned());
    }
    let listed = VARIABLES.iter().map(|variable| variable.name.to_owned());
    let is_otlp =
        |name: &String| OTLP_ROWS.iter().any(|(option, _)| options(option).any(|(n, _)| n == *name));
    let listed: HashSet<_> = listed.filter(|name| !is_otlp(name)).collect();
    assert_eq!(tried, listed);
}

#[test]
fn otlp_goes_where_and_how_the_variables_say() {
    for (option, row) in OTLP_ROWS {
        for (name, signal) in options(option) {
            assert!(VARIABLES.iter().any(|variable| variable.name == name), "{name}");
            row(&name, signal);
        }
    }
}

fn options(option: &str) -> impl Iterator<Item = (String, &'static str)> {
    let own = SIGNALS.map(|signal| (format!("OTEL_EXPORTER_OTLP_{signal}_{option}"), signal));
    [(format!("OTEL_EXPORTER_OTLP_{option}"), "")].into_iter().chain(own)
}

fn says_resource(vars: Vars<'_>, key: &str, value: &str) {
    let sent = sent(vars);
    let received = sent.0.received.lock().unwrap();
    let resources = [
        received.traces[0].resource_spans[0].resource.clone(),
        received.metrics[0].resource_metrics[0].resource.clone(),
        received.logs[0].resource_logs[0].resource.clone(),
    ];
    for resource in resources {
        let attributes = resource.unwrap().attributes;
        let found = attributes.iter().find(|attribute| attribute.key == key).unwrap();
        assert!(format!("{found:?}").contains(&format!("{value:?}")), "{found:?}");
    }
}

fn goes_nowhere(name: &str) {
    let own = name.trim_start_matches("OTEL_").trim_end_matches("_EXPORTER");
    let others: Vec<_> = SIGNALS.into_iter().filter(|signal| *signal != own).collect();
    assert_eq!(signals(&sent(&[(name, "none")]).0), others);
    assert_eq!(signals(&sent(&[(name, "otlp")]).0), SIGNALS);
}

/// The headers that a context leaves by; the variables in `warned` are warned of.
fn carried(value: &str, warned: &[&str]) -> Vec<String> {
    let telemetry = builder(&[("OTEL_PROPAGATORS", value), ("OTEL_SDK_DISABLED", "true")]);
    let telemetry = telemetry.set_globals(true).init().unwrap();
    let said: Vec<_> = telemetry.warnings().iter().map(|warning| warning.variable).collect();
    assert_eq!(said, warned, "{value}");
    global::get_text_map_propagator(|propagator| {
        let mut fields: Vec<_> = propagator.fields().map(str::to_owned).collect();
        fields.sort();
        fields
    })
}

/// Whether a root, a child of a recorded remote parent and one of an unrecorded parent arrive. `trace` ends the trace's
/// identifier.
fn recorded(vars: Vars<'_>, trace: u64) -> [bool; 3] {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = to(&receiver, vars).init().unwrap();
    let tracer = telemetry.tracer_provider().tracer("test");
    let parent = |flags| {
        let trace = TraceId::from((1 << 64) | u128::from(trace));
        let parent = SpanContext::new(trace, SpanId::from(7), flags, true, TraceState::default());
        Context::new().with_remote_span_context(parent)
    };
    tracer.start_with_context("root", &Context::new()).end();
    tracer.start_with_context("recorded", &parent(TraceFlags::SAMPLED)).end();
    tracer.start_with_context("unrecorded", &parent(TraceFlags::default())).end();
    assert!(telemetry.shutdown(LONG).is_complete());
    let names = receiver.span_names();
    ["root", "recorded", "unrecorded"].map(|name| names.iter().any(|sent| sent == name))
}

/// A short delay exports without a flush, while what waits for long still waits.
fn leaves_by_itself(name: &str, signal: &str) {
    let (patient, quick) = (Receiver::start(Manner::Accept), Receiver::start(Manner::Accept));
    let waits = to(&patient, &[(name, NEVER)]).init().unwrap();
    let leaves = to(&quick, &[(name, "1")]).init().unwrap();
    record(&waits);
    record(&leaves);
    let deadline = Instant::now() + LONG;
    while !signals(&quick).contains(&signal) {
        assert!(Instant::now() < deadline, "{name}: nothing comes");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!signals(&patient).contains(&signal), "{name}");
}

/// The receiver never answers: the export fails instead of waiting on.
fn is_given_up(name: &str, signal: &str) {
    let receiver = Receiver::start(Manner::Hang);
    let url = receiver.url();
    let patient =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*url), ("OTEL_EXPORTER_OTLP_TIMEOUT", NEVER), (name, "50")];
    let telemetry = only(signal, &patient).init().unwrap();
    record(&telemetry);
    let report = telemetry.flush(LONG);
    assert_eq!(report.exports[0].failed, 1, "{name}: {report:?}");
}

/// While the receiver does not answer, two wait and two more may be on their way.
fn is_bounded(name: &str, signal: &str) {
    let receiver = Receiver::start(Manner::Wait);
    let telemetry =
        only(signal, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()), (name, "2")]).init().unwrap();
    for _ in 0..50 {
        record(&telemetry);
    }
    receiver.open();
    let report = telemetry.shutdown(LONG);
    let export = &report.exports[0];
    assert_eq!(export.sent + export.dropped, 50, "{name}: {report:?}");
    assert!((2..=4).contains(&export.sent), "{name}: {report:?}");
}

fn comes_alone(name: &str, signal: &str) {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry =
        only(signal, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()), (name, "1")]).init().unwrap();
    for _ in 0..3 {
        record(&telemetry);
    }
    assert!(telemetry.shutdown(LONG).is_complete());
    assert_eq!(receiver.received.lock().unwrap().requests.len(), 3, "{name}");
}

/// A receiver that asks for a certificate gets it and is trusted, where `option` is one of the files that need be right.
fn shows_files(name: &str, signal: &str, option: &str) {
    let files = certificates(true);
    let receiver = Receiver::start_with(Manner::Accept, Some(files.acceptor.clone()));
    let one = if signal.is_empty() { "TRACES" } else { signal };
    // What is in the general variable would fail, where there is one of the signal's own.
    let wrong = |right: &str| files.path(if right == "ca.pem" { "client.pem" } else { "ca.pem" });
    let mut vars: HashMap<String, String> = HashMap::from([(
        "OTEL_EXPORTER_OTLP_ENDPOINT".into(),
        format!("https://localhost:{}", receiver.address.port()),
    )]);
    let all = [("CERTIFICATE", "ca.pem"), ("CLIENT_CERTIFICATE", "client.pem"), ("CLIENT_KEY", "client.key")];
    for (other, file) in all {
        let is_tried = other == option && !signal.is_empty();
        let value = if is_tried { wrong(file) } else { files.path(file) };
        vars.insert(format!("OTEL_EXPORTER_OTLP_{other}"), value);
        if is_tried {
            vars.insert(name.to_owned(), files.path(file));
        }
    }
    let vars: Vec<_> = vars.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    use_and_end(only(one, &vars));
    assert_eq!(signals(&receiver), [one], "{name}");
}

/// Characters of the texts of a span, its event, its link, a log record, and within a map of that.
fn lengths(vars: Vars<'_>) -> [usize; 5] {
    let sent = sent(vars);
    let length = |attributes: &[_]| {
        let shown = format!("{attributes:?}");
        let texts = shown.split('"').filter(|text| text.contains('東'));
        texts.map(|text| text.chars().count()).collect::<Vec<_>>()
    };
    let (span, log) = (sent.span(), sent.log());
    let log = length(&log.attributes);
    [
        length(&span.attributes)[0],
        length(&span.events[0].attributes)[0],
        length(&span.links[0].attributes)[0],
        log[0],
        log[1],
    ]
}

/// Attributes, events and links of a span, attributes of its event, of its link, and of a log record.
fn counts(vars: Vars<'_>) -> [usize; 6] {
    let sent = sent(vars);
    let (span, log) = (sent.span(), sent.log());
    [
        span.attributes.len(),
        span.events.len(),
        span.links.len(),
        span.events[0].attributes.len(),
        span.links[0].attributes.len(),
        log.attributes.len(),
    ]
}

fn metric(vars: Vars<'_>) -> Metric {
    let sent = sent(vars);
    let received = sent.0.received.lock().unwrap();
    received.metrics[0].resource_metrics[0].scope_metrics[0].metrics[0].clone()
}

struct Sent(Receiver);

impl Sent {
    fn requests(&self) -> Vec<(&'static str, http::HeaderMap)> {
        let received = self.0.received.lock().unwrap();
        received.requests.iter().map(|(path, headers)| (signal_of(path), headers.clone())).collect()
    }

    fn span(&self) -> Span {
        self.0.received.lock().unwrap().traces[0].resource_spans[0].scope_spans[0].spans[0].clone()
    }

    fn log(&self) -> SentRecord {
        self.0.received.lock().unwrap().logs[0].resource_logs[0].scope_logs[0].log_records[0].clone()
    }
}

fn sent(vars: Vars<'_>) -> Sent {
    let receiver = Receiver::start(Manner::Accept);
    use_and_end(to(&receiver, vars));
    Sent(receiver)
}

fn use_and_end(builder: Builder) {
    let telemetry = builder.init().unwrap();
    assert!(telemetry.warnings().is_empty(), "{:?}", telemetry.warnings());
    record(&telemetry);
    let report = telemetry.shutdown(LONG);
    assert!(report.is_complete(), "{report:?}");
}

fn to(receiver: &Receiver, vars: Vars<'_>) -> Builder {
    builder(&[&[("OTEL_EXPORTER_OTLP_ENDPOINT", &*receiver.url())], vars].concat())
}

/// The other signals go nowhere.
fn only(signal: &str, vars: Vars<'_>) -> Builder {
    let others = SIGNALS.into_iter().filter(|other| *other != signal);
    others.fold(builder(vars), |builder, other| builder.set(format!("OTEL_{other}_EXPORTER"), "none", "test"))
}

/// The last value of a name counts.
fn builder(vars: Vars<'_>) -> Builder {
    let vars: HashMap<String, String> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    otel_genai_sdk::builder().vars(move |name| vars.get(name).cloned()).set_globals(false)
}

fn path(signal: &str) -> &'static str {
    match signal {
        "TRACES" => "/v1/traces",
        "METRICS" => "/v1/metrics",
        _ => "/v1/logs",
    }
}

fn signal_of(path: &str) -> &'static str {
    match path {
        "/v1/traces" | "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => "TRACES",
        "/v1/metrics" | "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => "METRICS",
        "/v1/logs" | "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => "LOGS",
        other => panic!("unexpected path {other}"),
    }
}

/// Which arrived.
fn signals(receiver: &Receiver) -> Vec<&'static str> {
    let received = receiver.received.lock().unwrap();
    let arrived: HashSet<_> = received.requests.iter().map(|(path, _)| signal_of(path)).collect();
    SIGNALS.into_iter().filter(|signal| arrived.contains(signal)).collect()
}

/// One span, one histogram and one log record, two of all that can be limited.
fn record(telemetry: &Telemetry) {
    let attributes = || vec![KeyValue::new("first", "東京都庁"), KeyValue::new("second", 2)];
    let tracer = telemetry.tracer_provider().tracer("test");
    let other =
        SpanContext::new(TraceId::from(9), SpanId::from(9), TraceFlags::SAMPLED, true, TraceState::default());
    let links = (0..2).map(|_| Link::new(other.clone(), attributes(), 0)).collect();
    let mut span = tracer
        .span_builder("work")
        .with_attributes(attributes())
        .with_links(links)
        .start_with_context(&tracer, &Context::new());
    span.add_event("happened", attributes());
    span.add_event("happened again", attributes());
    span.end();
    telemetry.meter_provider().meter("test").f64_histogram("took").build().record(0.7, &[]);
    let logger = telemetry.logger_provider().logger("test");
    let mut event = logger.create_log_record();
    event.set_event_name("happened");
    let within = HashMap::from([("within".into(), AnyValue::from("東京都庁"))]);
    event.add_attribute("first", "東京都庁");
    event.add_attribute("second", AnyValue::Map(Box::new(within)));
    logger.emit(event);
}
