//! `OTEL_CONFIG_FILE`: what a file says is what is exported, what it cannot say is told with its place, and a file that
//! cannot be used stops no program.
#![cfg(feature = "config-file")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry::{Key, KeyValue, Value, global};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otel_genai_sdk::{Builder, Exporter, Origin, Telemetry};

#[allow(dead_code, reason = "the receiver's other uses are in the other tests")]
mod receiver;
use receiver::certificates::certificates;
use receiver::{Manner, Receiver};

const LONG: Duration = Duration::from_secs(30);

/// A file for one test, named `otel.yaml`.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("otel.yaml"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> String {
        self.folder.path().join("otel.yaml").to_str().unwrap().to_owned()
    }

    fn builder(&self, vars: &[(&str, &str)]) -> Builder {
        builder(&[&[("OTEL_CONFIG_FILE", &*self.path())], vars].concat())
    }

    /// The warnings, without the file's folder.
    fn warnings(&self, telemetry: &Telemetry) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        telemetry.warnings().iter().map(|warning| warning.message.replace(&folder, "")).collect()
    }
}

fn builder(vars: &[(&str, &str)]) -> Builder {
    let vars: HashMap<String, String> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    otel_genai_sdk::builder().vars(move |name| vars.get(name).cloned()).set_globals(false)
}

fn with_format(text: &str) -> String {
    format!("file_format: '1.0'\n{text}")
}

/// Variable, value, origin of what the file has set.
fn said(text: &str) -> Vec<(&'static str, String, String)> {
    let file = File::new(with_format(text));
    let telemetry = file.builder(&[]).init().unwrap();
    assert!(file.warnings(&telemetry).is_empty(), "{text}: {:?}", file.warnings(&telemetry));
    let settings = telemetry.settings().iter().filter(|setting| setting.name != "OTEL_CONFIG_FILE");
    settings
        .filter_map(|setting| {
            let origin = setting.origin.to_string();
            let path = origin.strip_prefix("otel.yaml: ").filter(|path| !path.starts_with("no "))?;
            Some((setting.name, setting.value.clone(), path.to_owned()))
        })
        .collect()
}

/// One span, one histogram, one event.
fn record(telemetry: &Telemetry) {
    let mut span = telemetry.tracer_provider().tracer("test").start("work");
    span.set_attribute(KeyValue::new("text", "long"));
    span.end();
    telemetry.meter_provider().meter("test").f64_histogram("took").build().record(0.7, &[]);
    let logger = telemetry.logger_provider().logger("test");
    let mut event = logger.create_log_record();
    event.set_event_name("happened");
    logger.emit(event);
}

#[test]
fn everything_goes_where_and_how_the_file_says() {
    let files = certificates(true);
    let (plain, safe) =
        (Receiver::start(Manner::Accept), Receiver::start_with(Manner::Accept, Some(files.acceptor.clone())));
    let (ca, cert, key) = (files.path("ca.pem"), files.path("client.pem"), files.path("client.key"));
    let port = safe.address.port();
    let file = File::new(format!(
        r#"# Also shows comments, anchors and substitution.
file_format: "1.0"
disabled: ${{OTEL_SDK_DISABLED:-false}}
attribute_limits:
  attribute_value_length_limit: 3
resource:
  attributes:
    - name: service.name
      value: shop
    - {{name: service.instance.id, value: one}}
    - {{name: replicas, value: 3, type: int}}
    - {{name: team, value: null}}
    - {{name: zone, value: 7, type: int}}
    - {{name: zone, value: seven}}
    - {{name: weights, value: [0.5, 1], type: double_array}}
  attributes_list: service.name=loses,note=a%20b%2Cc,weights=none
propagator:
  composite: [{{tracecontext: }}]
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_http: &otlp
            endpoint: ${{RECEIVER}}/v1/traces
            headers:
              - {{name: x-key, value: "${{KEY}}"}}
              - {{name: x-none, value: null}}
            headers_list: x-key=loses,x-other=2
            compression: gzip
            encoding: json
  sampler:
    parent_based:
      root: {{always_on: }}
      local_parent_not_sampled: {{always_off: }}
meter_provider:
  readers:
    - periodic:
        exporter:
          otlp_http:
            <<: *otlp
            endpoint: ${{RECEIVER}}/v1/metrics
            encoding:
            default_histogram_aggregation: base2_exponential_bucket_histogram
            temporality_preference: delta
logger_provider:
  processors:
    - simple:
        exporter:
          otlp_grpc:
            endpoint: https://localhost:{port}
            tls: {{ca_file: "{ca}", cert_file: "{cert}", key_file: "{key}"}}
"#
    ));
    let url = plain.url();
    let vars = [
        ("RECEIVER", &*url),
        ("KEY", "SECRET, indeed"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-env=1"),
        ("OTEL_LOGS_EXPORTER", "none"),
    ];
    let telemetry = file.builder(&vars).init().unwrap();
    assert_eq!(file.warnings(&telemetry), [""; 0]);
    record(&telemetry);
    let report = telemetry.shutdown(LONG);
    assert!(report.is_complete(), "{report:?}");
    assert!(!format!("{:?}{report:?}", telemetry.settings()).contains("SECRET"));

    let received = plain.received.lock().unwrap();
    let mut requests: Vec<_> = received.requests.iter().collect();
    requests.sort_by_key(|(path, _)| path.clone());
    let told: Vec<_> = requests
        .iter()
        .map(|(path, headers)| {
            let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
            [path, header("content-type"), header("content-encoding"), header("x-key"), header("x-other")]
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(
        told,
        [
            ["/v1/metrics", "application/x-protobuf", "gzip", "SECRET, indeed", "2"],
            ["/v1/traces", "application/json", "gzip", "SECRET, indeed", "2"],
        ]
    );
    let strangers = requests
        .iter()
        .filter(|(_, headers)| headers.contains_key("x-env") || headers.contains_key("x-none"));
    assert_eq!(strangers.count(), 0);
    let logs = safe.received.lock().unwrap();
    assert_eq!(logs.logs.len(), 1);
    let resource = format!("{:?}", logs.logs[0].resource_logs[0].resource);
    for part in
        ["StringValue(\"shop\")", "IntValue(3)", "DoubleValue(0.5)", "\"a b,c\"", "\"one\"", "\"seven\""]
    {
        assert!(resource.contains(part), "{part}: {resource}");
    }
    assert!(!resource.contains("team") && !resource.contains("loses"), "{resource}");
}

#[test]
fn metrics_are_what_the_file_says() {
    let receiver = Receiver::start(Manner::Accept);
    let file = File::new(with_format(&format!(
        "meter_provider:\n  readers:\n    - periodic:\n        interval: 3600000\n        exporter:\n          otlp_http:\n            \
         endpoint: {}/v1/metrics\n            default_histogram_aggregation: base2_exponential_bucket_histogram\n            \
         temporality_preference: low_memory\n",
        receiver.url()
    )));
    let telemetry = file.builder(&[]).init().unwrap();
    assert_eq!(file.warnings(&telemetry), [""; 0]);
    record(&telemetry);
    assert!(telemetry.shutdown(LONG).is_complete());
    let received = receiver.received.lock().unwrap();
    let metric = &received.metrics[0].resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::ExponentialHistogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    assert_eq!(histogram.aggregation_temporality, 1, "delta");
    assert!(received.traces.is_empty() && received.logs.is_empty(), "they are not in the file");
}

/// What the file says of each, and the variables that say the same: these are proved in `honoured.rs`.
#[test]
fn each_path_is_a_variable() {
    let traces = |text: &str| format!("tracer_provider: {text}\n");
    let batch = |signal: &str, text: &str| {
        format!("{signal}_provider: {{processors: [{{batch: {{exporter: {{console: }}, {text}}}}}]}}\n")
    };
    let limits = |provider: &str, name: &str| format!("{provider}: {{limits: {{{name}: 7}}}}\n");
    let otlp = |kind: &str, text: &str| {
        traces(&format!("{{processors: [{{batch: {{exporter: {{{kind}: {{{text}}}}}}}}}]}}"))
    };
    let metrics = |text: &str| format!("meter_provider: {{readers: [{{periodic: {{{text}}}}}]}}\n");
    let pem = certificates(true);
    let (ca, cert, key) = (pem.path("ca.pem"), pem.path("client.pem"), pem.path("client.key"));
    let tls = format!("tls: {{ca_file: '{ca}', cert_file: '{cert}', key_file: '{key}'}}");
    let flat =
        format!("certificate_file: '{ca}', client_certificate_file: '{cert}', client_key_file: '{key}'");
    let sampler = |text: &str| traces(&format!("{{sampler: {{{text}}}}}"));
    for (text, variable, value, path) in [
        ("disabled: true".to_owned(), "OTEL_SDK_DISABLED", "true", "disabled"),
        (
            "attribute_limits: {attribute_count_limit: 7}".into(),
            "OTEL_ATTRIBUTE_COUNT_LIMIT",
            "7",
            "attribute_limits.attribute_count_limit",
        ),
        (
            "attribute_limits: {attribute_value_length_limit: 7}".into(),
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "7",
            "attribute_limits.attribute_value_length_limit",
        ),
        (
            "resource: {attributes_list: 'a=b'}".into(),
            "OTEL_RESOURCE_ATTRIBUTES",
            "a=b",
            "resource.attributes_list",
        ),
        (
            "resource: {attributes: [{name: a, value: 'b, 100% c'}], schema_url: x}".into(),
            "OTEL_RESOURCE_ATTRIBUTES",
            "a=b%2C%20100%25%20c",
            "resource.attributes",
        ),
        (
            "propagator: {composite: [{baggage: }, {tracecontext: {}}]}".into(),
            "OTEL_PROPAGATORS",
            "baggage,tracecontext",
            "propagator",
        ),
        (
            "propagator: {composite: [baggage], composite_list: 'tracecontext, baggage'}".into(),
            "OTEL_PROPAGATORS",
            "baggage,tracecontext",
            "propagator",
        ),
        ("propagator:".into(), "OTEL_PROPAGATORS", "none", "propagator"),
        (sampler("always_off: "), "OTEL_TRACES_SAMPLER", "always_off", "tracer_provider.sampler"),
        (sampler("always_on: {}"), "OTEL_TRACES_SAMPLER", "always_on", "tracer_provider.sampler"),
        (
            sampler("trace_id_ratio_based: {ratio: 0.25}"),
            "OTEL_TRACES_SAMPLER",
            "traceidratio",
            "tracer_provider.sampler",
        ),
        (
            sampler("trace_id_ratio_based: {ratio: 0.25}"),
            "OTEL_TRACES_SAMPLER_ARG",
            "0.25",
            "tracer_provider.sampler.trace_id_ratio_based.ratio",
        ),
        (
            sampler("parent_based: "),
            "OTEL_TRACES_SAMPLER",
            "parentbased_always_on",
            "tracer_provider.sampler",
        ),
        (
            sampler("parent_based: {root: {trace_id_ratio_based: {ratio: 1e-3}}}"),
            "OTEL_TRACES_SAMPLER",
            "parentbased_traceidratio",
            "tracer_provider.sampler",
        ),
        (
            sampler("parent_based: {root: {always_off: }}"),
            "OTEL_TRACES_SAMPLER",
            "parentbased_always_off",
            "tracer_provider.sampler",
        ),
        (
            batch("tracer", "schedule_delay: 7"),
            "OTEL_BSP_SCHEDULE_DELAY",
            "7",
            "tracer_provider.processors[0].batch.schedule_delay",
        ),
        (
            batch("tracer", "export_timeout: 7"),
            "OTEL_BSP_EXPORT_TIMEOUT",
            "7",
            "tracer_provider.processors[0].batch.export_timeout",
        ),
        (
            batch("tracer", "max_queue_size: 700"),
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "700",
            "tracer_provider.processors[0].batch.max_queue_size",
        ),
        (
            batch("tracer", "max_export_batch_size: 7"),
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            "7",
            "tracer_provider.processors[0].batch.max_export_batch_size",
        ),
        (batch("tracer", ""), "OTEL_TRACES_EXPORTER", "console", "tracer_provider"),
        (
            batch("logger", "schedule_delay: 7"),
            "OTEL_BLRP_SCHEDULE_DELAY",
            "7",
            "logger_provider.processors[0].batch.schedule_delay",
        ),
        (
            batch("logger", "export_timeout: 0"),
            "OTEL_BLRP_EXPORT_TIMEOUT",
            "86400000",
            "logger_provider.processors[0].batch.export_timeout",
        ),
        (
            batch("logger", "max_queue_size: 700"),
            "OTEL_BLRP_MAX_QUEUE_SIZE",
            "700",
            "logger_provider.processors[0].batch.max_queue_size",
        ),
        (
            batch("logger", "max_export_batch_size: 7"),
            "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
            "7",
            "logger_provider.processors[0].batch.max_export_batch_size",
        ),
        (batch("logger", ""), "OTEL_LOGS_EXPORTER", "console", "logger_provider"),
        (
            metrics("interval: 7, exporter: {console: }"),
            "OTEL_METRIC_EXPORT_INTERVAL",
            "7",
            "meter_provider.readers[0].periodic.interval",
        ),
        (
            metrics("timeout: 7, exporter: {console: }"),
            "OTEL_METRIC_EXPORT_TIMEOUT",
            "7",
            "meter_provider.readers[0].periodic.timeout",
        ),
        (
            metrics("exporter: {otlp_grpc: {temporality_preference: low_memory}}"),
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "lowmemory",
            "meter_provider.readers[0].periodic.exporter.otlp_grpc.temporality_preference",
        ),
        (
            metrics(
                "exporter: {console: {default_histogram_aggregation: explicit_bucket_histogram, temporality_preference: cumulative}}",
            ),
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "explicit_bucket_histogram",
            "meter_provider.readers[0].periodic.exporter.console.default_histogram_aggregation",
        ),
        (
            "meter_provider: {exemplar_filter: always_off}".into(),
            "OTEL_METRICS_EXEMPLAR_FILTER",
            "always_off",
            "meter_provider.exemplar_filter",
        ),
        (
            limits("tracer_provider", "attribute_value_length_limit"),
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "7",
            "tracer_provider.limits.attribute_value_length_limit",
        ),
        (
            limits("tracer_provider", "attribute_count_limit"),
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "7",
            "tracer_provider.limits.attribute_count_limit",
        ),
        (
            limits("tracer_provider", "event_count_limit"),
            "OTEL_SPAN_EVENT_COUNT_LIMIT",
            "7",
            "tracer_provider.limits.event_count_limit",
        ),
        (
            limits("tracer_provider", "link_count_limit"),
            "OTEL_SPAN_LINK_COUNT_LIMIT",
            "7",
            "tracer_provider.limits.link_count_limit",
        ),
        (
            limits("tracer_provider", "event_attribute_count_limit"),
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
            "7",
            "tracer_provider.limits.event_attribute_count_limit",
        ),
        (
            limits("tracer_provider", "link_attribute_count_limit"),
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
            "7",
            "tracer_provider.limits.link_attribute_count_limit",
        ),
        (
            limits("logger_provider", "attribute_value_length_limit"),
            "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "7",
            "logger_provider.limits.attribute_value_length_limit",
        ),
        (
            limits("logger_provider", "attribute_count_limit"),
            "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
            "7",
            "logger_provider.limits.attribute_count_limit",
        ),
        (otlp("otlp_http", ""), "OTEL_TRACES_EXPORTER", "otlp", "tracer_provider"),
        (
            otlp("otlp_http", "endpoint: 'http://h:1/x'"),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://h:1/x",
            "tracer_provider.processors[0].batch.exporter.otlp_http.endpoint",
        ),
        (
            otlp("otlp_http", "encoding: json"),
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "http/json",
            "tracer_provider.processors[0].batch.exporter.otlp_http",
        ),
        (
            otlp("otlp_http", "encoding: protobuf"),
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "http/protobuf",
            "tracer_provider.processors[0].batch.exporter.otlp_http",
        ),
        (
            otlp("otlp_grpc", ""),
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "grpc",
            "tracer_provider.processors[0].batch.exporter.otlp_grpc",
        ),
        (
            otlp("otlp_grpc", "tls: {insecure: true}"),
            "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
            "true",
            "tracer_provider.processors[0].batch.exporter.otlp_grpc.tls.insecure",
        ),
        (
            otlp("otlp_http", "headers: [{name: a, value: b}]"),
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "a=***",
            "tracer_provider.processors[0].batch.exporter.otlp_http.headers",
        ),
        (
            otlp("otlp_http", "headers_list: 'a=b'"),
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "a=***",
            "tracer_provider.processors[0].batch.exporter.otlp_http.headers_list",
        ),
        (
            otlp("otlp_http", "compression: gzip"),
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "gzip",
            "tracer_provider.processors[0].batch.exporter.otlp_http.compression",
        ),
        (
            otlp("otlp_http", "timeout: 0"),
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "86400000",
            "tracer_provider.processors[0].batch.exporter.otlp_http.timeout",
        ),
        (
            otlp("otlp_http", &tls),
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            &ca,
            "tracer_provider.processors[0].batch.exporter.otlp_http.tls.ca_file",
        ),
        (
            otlp("otlp_http", &tls),
            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
            &cert,
            "tracer_provider.processors[0].batch.exporter.otlp_http.tls.cert_file",
        ),
        (
            otlp("otlp_http", &flat),
            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
            &key,
            "tracer_provider.processors[0].batch.exporter.otlp_http.client_key_file",
        ),
        (
            traces("{processors: [{simple: {exporter: {console: }}}, {simple: {exporter: {otlp_http: }}}]}"),
            "OTEL_TRACES_EXPORTER",
            "console,otlp",
            "tracer_provider",
        ),
        (
            traces("{processors: [{simple: {exporter: {otlp_http: }}}]}"),
            "OTEL_BSP_SCHEDULE_DELAY",
            "0",
            "tracer_provider.processors[0].simple",
        ),
    ] {
        let said = said(&text);
        let expected = (variable, value.to_owned(), path.to_owned());
        assert!(said.contains(&expected), "{text}: {expected:?} is not in {said:?}");
    }
}

/// One warning for each place, and everything else counts.
#[test]
fn what_is_not_supported_is_told_with_its_place() {
    let file = File::new(
        "\
file_format: '1.0'
log_level: info
resource:
  attributes:
    - {name: a, value: b}
    - {name: c}
    - {name: d, value: many, type: int}
    - {name: e, value: 1, type: colour}
  detection/development:
    attributes: {included: [x]}
    detectors: [{host: }, {service: }]
propagator: {composite: [{tracecontext: }, {b3: }], composite_list: jaeger}
tracer_provider:
  processors:
    - batch: {exporter: {otlp_http: {endpoint: 'http://127.0.0.1:9/v1/traces', timeout: soon, retry: 3}}}
    - batch: {exporter: {zipkin: {endpoint: 'http://user:SECRET@h'}}, schedule_delay: 1}
    - batch: {exporter: {otlp_grpc: }}
    - batch: {exporter: {console: }, schedule_delay: 7}
    - batch: {exporter: {console: {colour: red}}, schedule_delay: 8}
    - batch:
    - fancy: {}
  sampler:
    parent_based: {root: {jaeger_remote: {}}, remote_parent_sampled: {always_off: }}
  limits: 5
  tracer_configurator/development: {}
meter_provider:
  readers:
    - pull: {exporter: {prometheus/development: }}
    - periodic: {exporter: {otlp_http: {headers: [{name: 'no good', value: SECRET}, {name: a, value: 'SECRET
        '}, SECRET], encoding: cbor, tls: {cert_file: x}}}, cardinality_limits: {default: 1}}
  views: []
  exemplar_filter: trace_based
logger_provider:
  processors: {}
instrumentation/development: {general: {}, java: {}}
tracer_providr: {}
",
    );
    let telemetry = file.builder(&[("OTEL_SERVICE_NAME", "detected")]).init().unwrap();
    let warnings = file.warnings(&telemetry);
    let mut expected = vec![
        "2:12: log_level: is not read from the file",
        "6:7: resource.attributes[1]: needs name and value",
        "7:24: resource.attributes[2].value: is not of the type int",
        "8:24: resource.attributes[3].value: is not of the type colour",
        "10:17: resource.detection/development.attributes: is not supported",
        "11:22: resource.detection/development.detectors[0].host: is not supported",
        "12:47: propagator.composite[1].b3: b3 is not supported",
        "12:69: propagator.composite_list: jaeger is not supported",
        "15:89: tracer_provider.processors[0].batch.exporter.otlp_http.timeout: \"soon\" is not a whole number above 0; using the default: 10000",
        "15:102: tracer_provider.processors[0].batch.exporter.otlp_http.retry: is not supported",
        "16:34: tracer_provider.processors[1].batch.exporter.zipkin: is not supported",
        "17:35: tracer_provider.processors[2].batch.exporter.otlp_grpc: is a second OTLP receiver for traces",
        "19:44: tracer_provider.processors[4].batch.exporter.console.colour: is not supported",
        "19:67: tracer_provider.processors[4].batch.schedule_delay: cannot differ from tracer_provider.processors[3].batch.schedule_delay",
        "20:12: tracer_provider.processors[5].batch: has no exporter",
        "21:14: tracer_provider.processors[6].fancy: is not supported",
        "23:42: tracer_provider.sampler.parent_based.root.jaeger_remote: is not supported; parent_based with always_on is used",
        "23:81: tracer_provider.sampler.parent_based.remote_parent_sampled.always_off: is not supported here; always_on is used",
        "24:11: tracer_provider.limits: should be a map",
        "25:36: tracer_provider.tracer_configurator/development: is not supported",
        "28:13: meter_provider.readers[0].pull: is not supported",
        "29:51: meter_provider.readers[1].periodic.exporter.otlp_http.headers[0]: is no header that can be sent",
        "30:13: meter_provider.readers[1].periodic.exporter.otlp_http.headers[2]: should be a map",
        "30:32: meter_provider.readers[1].periodic.exporter.otlp_http.encoding: is not one of protobuf, json",
        "30:55: meter_provider.readers[1].periodic.exporter.otlp_http.tls.cert_file: needs key_file too",
        "30:81: meter_provider.readers[1].periodic.cardinality_limits: is not supported",
        "31:10: meter_provider.views: is not supported",
        "32:20: meter_provider.exemplar_filter: \"trace_based\" asks for exemplars",
        "34:15: logger_provider.processors: should be a list",
        "35:40: instrumentation/development.general: is not supported",
        "36:17: tracer_providr: is not supported",
    ];
    expected.sort_unstable();
    let mut told = warnings.clone();
    told.sort_unstable();
    let missing: Vec<_> = expected
        .iter()
        .filter(|line| told.iter().filter(|told| told.contains(&format!(" otel.yaml:{line}"))).count() != 1)
        .collect();
    assert!(missing.is_empty(), "{missing:#?} of {told:#?}");
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    assert!(!warnings.concat().contains("SECRET"));
    assert!(warnings.iter().all(|warning| warning.starts_with("OTEL_CONFIG_FILE: otel.yaml:")), "{told:#?}");
}

/// A file that says one thing well.
const GOOD: &str = "propagator: {composite: [{tracecontext: }]}\ntracer_provider: {processors: [{batch: {exporter: {otlp_http: \
                    }}}], sampler: {always_on: }}\n";

#[test]
fn the_environment_does_not_count_and_flags_do() {
    let file = File::new(with_format(GOOD));
    let vars = [
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=SECRET"),
        ("OTEL_SERVICE_NAME", "loses"),
    ];
    let telemetry = file
        .builder(&vars)
        .default_exporter(Exporter::Console)
        .service_name_default("program")
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://flag:1", "--endpoint")
        .set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "--endpoint")
        .set("OTEL_LOGS_EXPORTER", "otlp", "--exporter")
        .init()
        .unwrap();
    assert_eq!(file.warnings(&telemetry), [""; 0]);
    let told: Vec<_> = telemetry.destinations().iter().map(|(signal, to)| format!("{signal} {to}")).collect();
    assert_eq!(told, ["traces http://flag:1/v1/traces", "logs http://flag:1/v1/logs"]);
    assert_eq!(telemetry.resource().get(&Key::from("service.name")), Some(Value::from("program")));
    let setting = |name: &str| {
        let setting = telemetry.settings().iter().find(|setting| setting.name == name).unwrap();
        let note = setting.note.clone().unwrap_or_default();
        [setting.value.clone(), setting.origin.to_string(), note]
    };
    let passed_over = "the environment's does not count beside OTEL_CONFIG_FILE";
    assert_eq!(
        setting("OTEL_TRACES_SAMPLER"),
        ["always_on", "otel.yaml: tracer_provider.sampler", passed_over]
    );
    assert_eq!(setting("OTEL_EXPORTER_OTLP_HEADERS"), ["none", "default", passed_over]);
    assert_eq!(setting("OTEL_SERVICE_NAME"), ["program", "default", passed_over]);
    assert_eq!(setting("OTEL_LOGS_EXPORTER"), ["otlp", "--exporter", ""]);
    assert_eq!(setting("OTEL_METRICS_EXPORTER"), ["none", "otel.yaml: no meter_provider", ""]);
    assert_eq!(setting("OTEL_CONFIG_FILE"), [&file.path(), "environment", ""]);
}

#[test]
fn the_former_name_is_known_and_code_may_name_the_file() {
    let file = File::new(with_format("disabled: true"));
    let path = file.path();
    let of = |telemetry: &Telemetry, name: &str| {
        let setting = telemetry.settings().iter().find(|setting| setting.name == name).unwrap();
        (setting.value.clone(), setting.origin.clone(), setting.note.clone())
    };
    let disabled = ("true".to_owned(), Origin::File("otel.yaml: disabled".into()), None);
    let telemetry = builder(&[("OTEL_EXPERIMENTAL_CONFIG_FILE", &path)]).init().unwrap();
    assert_eq!(of(&telemetry, "OTEL_SDK_DISABLED"), disabled);
    let note = "given as OTEL_EXPERIMENTAL_CONFIG_FILE, its former name".to_owned();
    assert_eq!(of(&telemetry, "OTEL_CONFIG_FILE"), (path.clone(), Origin::Environment, Some(note)));
    let set = |path: &str| {
        let vars =
            [("OTEL_EXPERIMENTAL_CONFIG_FILE", "/no/such/file"), ("OTEL_CONFIG_FILE", "/no/such/file")];
        builder(&vars)
            .set("OTEL_CONFIG_FILE", path, "--config")
            .default_exporter(Exporter::None)
            .init()
            .unwrap()
    };
    assert_eq!(of(&set(&path), "OTEL_SDK_DISABLED"), disabled);
    let unset = set("");
    assert!(unset.warnings().is_empty(), "{:?}", unset.warnings());
    assert_eq!(of(&unset, "OTEL_CONFIG_FILE"), ("none".to_owned(), Origin::Default, None));
}

/// Nothing is exported, to wherever the other variables say neither; the program runs, and is told once.
#[test]
fn a_file_that_cannot_be_used_switches_telemetry_off() {
    let mut bomb = with_format("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let last = level - 1;
        let _ = writeln!(bomb, "a{level}: &a{level} [{}*a{last}]", format!("*a{last}, ").repeat(9));
    }
    let large = with_format(&format!("x: '{}'\n", "x".repeat(1 << 20)));
    for (text, expected) in [
        (b"a: [1\nb: SECRET\n".to_vec(), ": is no YAML: "),
        (with_format("disabled: ${SECRET:?}").into_bytes(), ":2:11: holds ${...} other than ${NAME} and"),
        (with_format("disabled: true\ndisabled: false").into_bytes(), ":3:1: says disabled twice"),
        (b"file_format: '1.0'\nx: \xff".to_vec(), ":2:4: is not UTF-8 here"),
        (b"file_format: '2.0'\n".to_vec(), ":1:14: is of file_format 2.0; 1.x can be read"),
        (b"SECRET".to_vec(), ":1:1: should be a map that begins with file_format"),
        (b"".to_vec(), ": is empty"),
        (large.into_bytes(), ": is larger than 1 MiB"),
        (bomb.into_bytes(), ": stands for more than 4 MiB, its aliases counted"),
        (with_format(&format!("x: {}", "[".repeat(90))).into_bytes(), ": is nested more than 64 deep"),
    ] {
        let file = File::new(text);
        is_off(&file.path(), &[expected, "otel.yaml"]);
    }
    let folder = tempfile::tempdir().unwrap();
    is_off(&folder.path().join("none.yaml").display().to_string(), &["none.yaml: cannot be read: "]);
    is_off(&folder.path().display().to_string(), &[": is no file; telemetry is off"]);
}

fn is_off(path: &str, words: &[&str]) {
    let receiver = Receiver::start(Manner::Accept);
    let vars = [("OTEL_CONFIG_FILE", path), ("OTEL_EXPORTER_OTLP_ENDPOINT", &*receiver.url())];
    let telemetry = builder(&vars).set_globals(true).init().unwrap();
    let [warning] = telemetry.warnings() else { panic!("{:?}", telemetry.warnings()) };
    let ends = "telemetry is off. Correct the file, or unset OTEL_CONFIG_FILE";
    for word in [&["OTEL_CONFIG_FILE: ", ends], words].concat() {
        assert!(warning.message.contains(word), "{word}: {warning}");
    }
    assert!(!warning.message.contains("SECRET"), "{warning}");
    record(&telemetry);
    assert!(telemetry.destinations().is_empty() && telemetry.shutdown(LONG).exports.is_empty());
    assert!(receiver.received.lock().unwrap().requests.is_empty());
    global::get_text_map_propagator(|propagator| assert_eq!(propagator.fields().count(), 0));
}

#[test]
fn versions_are_looked_at() {
    for (text, expected) in [
        ("file_format: '0.4'\n", None),
        ("file_format: 1.0-rc.1\n", None),
        ("file_format: '1.2'\nstability: development\ndistribution: {x: {}}\n", None),
        ("file_format: '0.1'\n", Some("otel.yaml:1:14: file_format: is 0.1; the file is read as format 1.0")),
        ("disabled: false\n", Some("otel.yaml:1:1: file_format: is missing; the file is read as format 1.0")),
    ] {
        let file = File::new(text);
        let telemetry = file.builder(&[]).init().unwrap();
        let expected: Vec<_> = expected.iter().map(|text| format!("OTEL_CONFIG_FILE: {text}")).collect();
        assert_eq!(file.warnings(&telemetry), expected, "{text}");
    }
}

#[test]
fn the_service_detector_reads_its_variable() {
    let name = |text: &str| {
        let file = File::new(with_format(text));
        let telemetry = file.builder(&[("OTEL_SERVICE_NAME", "detected")]).init().unwrap();
        assert_eq!(file.warnings(&telemetry), [""; 0]);
        telemetry.resource().get(&Key::from("service.name")).unwrap().to_string()
    };
    let detection = "detection/development: {detectors: [{service: }]}";
    assert_eq!(name(&format!("resource: {{{detection}}}")), "detected");
    assert_eq!(name(&format!("resource: {{{detection}, attributes_list: service.name=given}}")), "given");
    assert_eq!(
        name("resource: {attributes: [{name: service.name, value: '${OTEL_SERVICE_NAME}-2'}]}"),
        "detected-2"
    );
}

/// Who has taken the wrong file is not told of every line.
#[test]
fn warnings_are_bounded() {
    let text = (0..1000).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "unknown{n}: 1");
        text
    });
    let file = File::new(with_format(&text));
    let warnings = file.warnings(&file.builder(&[]).init().unwrap());
    assert_eq!(warnings.len(), 31);
    assert!(warnings[30].ends_with("otel.yaml: 970 more places of it are not used"), "{warnings:?}");
}

#[test]
fn the_example_of_the_documentation_is_understood() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md")).unwrap();
    let example = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = File::new(example);
    let telemetry = file.builder(&[("BACKEND_KEY", "SECRET")]).init().unwrap();
    assert_eq!(file.warnings(&telemetry), [""; 0]);
    let told: Vec<_> = telemetry.destinations().iter().map(|(signal, to)| format!("{signal} {to}")).collect();
    assert_eq!(
        told,
        [
            "traces http://localhost:4318/v1/traces",
            "traces stderr",
            "metrics http://localhost:4318/v1/metrics",
            "logs http://localhost:4318/v1/logs"
        ]
    );
}
