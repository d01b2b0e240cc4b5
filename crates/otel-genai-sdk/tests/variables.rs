//! Every variable: what it does, where its value is shown, and what is said of one that cannot be used.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::{HashMap, HashSet};

use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry::{Key, global};
use otel_genai_sdk::{Builder, Exporter, Origin, Signal, Telemetry, VARIABLES};

type Vars<'a> = &'a [(&'a str, &'a str)];

const OTLP: &str = "OTEL_EXPORTER_OTLP_";

#[test]
fn every_variable_of_the_table_is_read_and_shown_once() {
    let telemetry = with(&[]);
    let shown: Vec<_> = telemetry.settings().iter().map(|setting| setting.name).collect();
    let listed: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(shown, listed);
    assert_eq!(listed.iter().collect::<HashSet<_>>().len(), listed.len());
    assert!(telemetry.settings().iter().all(|setting| setting.origin == Origin::Default));
    assert!(telemetry.warnings().is_empty());
}

/// Variable, value, what of the destinations, settings or resource shows that it counts.
#[test]
fn destinations_follow_the_variables() {
    let everywhere =
        |traces: &str, metrics: &str, logs: &str| format!("traces {traces}|metrics {metrics}|logs {logs}");
    let usual = everywhere(
        "http://localhost:4318/v1/traces",
        "http://localhost:4318/v1/metrics",
        "http://localhost:4318/v1/logs",
    );
    let grpc =
        |url: &str| everywhere(&format!("{url} (grpc)"), &format!("{url} (grpc)"), &format!("{url} (grpc)"));
    let rows: &[(Vars, String)] = &[
        (&[], usual.clone()),
        (&[("OTEL_SDK_DISABLED", "true")], String::new()),
        (&[("OTEL_SDK_DISABLED", "TRUE")], String::new()),
        (&[("OTEL_SDK_DISABLED", "")], usual.clone()),
        (&[("OTEL_TRACES_EXPORTER", " ")], usual.clone()),
        (
            &[
                ("OTEL_TRACES_EXPORTER", "console"),
                ("OTEL_METRICS_EXPORTER", "none"),
                ("OTEL_LOGS_EXPORTER", "None"),
            ],
            "traces stderr".into(),
        ),
        (
            &[
                ("OTEL_TRACES_EXPORTER", "otlp, console"),
                ("OTEL_METRICS_EXPORTER", "none"),
                ("OTEL_LOGS_EXPORTER", "none"),
            ],
            "traces http://localhost:4318/v1/traces|traces stderr".into(),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")],
            usual.replace("localhost", "collector"),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector/base/")],
            usual.replace("http://localhost:4318", "https://collector/base"),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/in?token=x")],
            usual.replace("http://localhost:4318/v1/traces", "http://collector:4318/in"),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318")],
            usual.replace("http://localhost:4318/v1/traces", "http://collector:4318/"),
        ),
        (&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], grpc("http://localhost:4317")),
        (&[("OTEL_EXPORTER_OTLP_PROTOCOL", "GRPC")], grpc("http://localhost:4317")),
        (
            &[("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json")],
            usual.replace("/v1/logs", "/v1/logs (http/json)"),
        ),
        (
            &[
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317/any/path"),
            ],
            grpc("https://collector:4317"),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")],
            grpc("https://collector:4317"),
        ),
        (
            &[
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
                ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
            ],
            grpc("http://collector:4317"),
        ),
    ];
    for (vars, expected) in rows {
        let telemetry = with(vars);
        assert_eq!(&destinations(&telemetry), expected, "{vars:?}");
        assert!(telemetry.warnings().is_empty(), "{vars:?}: {:?}", telemetry.warnings());
    }
}

#[test]
fn an_unset_exporter_means_what_the_program_chose_unless_an_endpoint_is_given() {
    let rows: &[(Vars, &str)] = &[
        (&[], "traces stderr|metrics stderr|logs stderr"),
        (&[("OTEL_TRACES_EXPORTER", "zipkin")], "traces stderr|metrics stderr|logs stderr"),
        (&[("OTEL_LOGS_EXPORTER", "none")], "traces stderr|metrics stderr"),
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://jaeger:4318/v1/traces")],
            "traces http://jaeger:4318/v1/traces|metrics stderr|logs stderr",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_METRICS_EXPORTER", "console")],
            "traces http://c:4318/v1/traces|metrics stderr|logs http://c:4318/v1/logs",
        ),
    ];
    for (vars, expected) in rows {
        let telemetry = builder(vars).default_exporter(Exporter::Console).init().unwrap();
        assert_eq!(&destinations(&telemetry), expected, "{vars:?}");
    }
    let nowhere = builder(&[]).default_exporter(Exporter::None).init().unwrap();
    assert_eq!(nowhere.report().to_string(), "nothing is exported");
}

/// Good values: shown as given, with their origin.
#[test]
fn good_values_are_in_force() {
    let file = std::env::current_exe().unwrap();
    let file = file.to_str().unwrap();
    let settings = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&settings, "file_format: '1.0'\n").unwrap();
    let rows = [
        ("OTEL_CONFIG_FILE", settings.path().to_str().unwrap()),
        ("OTEL_SDK_DISABLED", "false"),
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c=d%20e"),
        ("OTEL_PROPAGATORS", "tracecontext"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "0"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "1"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "1000"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "10"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "100"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "1"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "1"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "1"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "1"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "1"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram"),
    ];
    let otlp = [
        ("ENDPOINT", "http://collector:4318"),
        ("PROTOCOL", "http/json"),
        ("TIMEOUT", "1500"),
        ("COMPRESSION", "gzip"),
        ("CERTIFICATE", file),
        ("CLIENT_CERTIFICATE", file),
        ("CLIENT_KEY", file),
        ("INSECURE", "true"),
    ];
    let mut tried = HashSet::new();
    let mut check = |name: String, value: &str, shown: &str| {
        // A client certificate alone is warned of.
        let together = ["OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"];
        let telemetry = with(&[(together[0], file), (together[1], file), (&name, value)]);
        let setting = telemetry.settings().iter().find(|setting| setting.name == name).unwrap().clone();
        assert_eq!((setting.value.as_str(), setting.origin), (shown, Origin::Environment), "{name}");
        assert!(telemetry.warnings().is_empty(), "{name}: {:?}", telemetry.warnings());
        tried.insert(name);
    };
    for (name, value) in rows {
        check(name.to_owned(), value, value);
    }
    for signal in ["", "TRACES_", "METRICS_", "LOGS_"] {
        for (option, value) in otlp {
            check(format!("{OTLP}{signal}{option}"), value, value);
        }
        check(format!("{OTLP}{signal}HEADERS"), "a=b,c=d", "a=***, c=***");
    }
    let listed: HashSet<_> = VARIABLES.iter().map(|variable| variable.name.to_owned()).collect();
    assert_eq!(tried, listed);
}

/// Bad values: one warning each, which holds the variable, the value and what is allowed, and the default.
#[test]
fn bad_values_are_warned_of_once_and_the_default_is_taken() {
    let number = "not a whole number";
    let rows = [
        ("OTEL_CONFIG_FILE", "/nowhere/otel.yaml", "cannot be read"),
        ("OTEL_SDK_DISABLED", "yes", "true, false"),
        ("OTEL_RESOURCE_ATTRIBUTES", "novalue", "not key=value"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz", "percent-encoded"),
        ("OTEL_PROPAGATORS", "b3", "tracecontext, baggage, none"),
        ("OTEL_PROPAGATORS", "tracecontext,xray", "using the others"),
        ("OTEL_PROPAGATORS", "none,baggage", "none and something else"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp, console, none; using otlp"),
        ("OTEL_TRACES_EXPORTER", "otlp,zipkin", "otlp, console, none; using otlp"),
        ("OTEL_METRICS_EXPORTER", "prometheus", "otlp, console, none"),
        ("OTEL_LOGS_EXPORTER", "none,otlp", "none and something else"),
        ("OTEL_TRACES_SAMPLER", "xray", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5", "0.0 to 1.0"),
        ("OTEL_TRACES_SAMPLER_ARG", "NaN", "0.0 to 1.0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s", number),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "above 0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000", "more than the queue holds"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "18446744073709551615", "more than can be kept; using 1048576"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "-1", number),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "1000000000000", "more than can be kept; using 1048576"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "above 0"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "many", number),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-5", number),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0", "above 0"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "soon", number),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "-1", "above 0"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "0", "above 0"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "1m", "above 0"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1.5", number),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "all", number),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", number),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "-1", number),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "-1", number),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "-1", number),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "-1", number),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", number),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based", "asks for exemplars"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "sometimes", "always_off, always_on, trace_based"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/nowhere/client.pem", "cannot be read"),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "none", "explicit_bucket_histogram"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "needs http:// or https://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "unix:///run/otel.sock", "http:// or https://"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://", "http:// or https://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "thrift", "http/protobuf, http/json, grpc"),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http", "http/protobuf, http/json, grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a", "name=value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,c", "left out"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", number),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli", "gzip, none"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem", "cannot be read"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/nowhere/key.pem", "cannot be read"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "1", "true, false"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "both", "cumulative, delta, lowmemory"),
    ];
    for (name, value, allowed) in rows {
        let telemetry = with(&[(name, value)]);
        let [warning] = telemetry.warnings() else { panic!("{name}={value}: {:?}", telemetry.warnings()) };
        assert_eq!(warning.variable, name);
        let said = &warning.message;
        assert!(said.starts_with(&format!("{name}: ")) && said.contains(allowed), "{said}");
        if !name.ends_with("HEADERS") {
            assert!(said.contains(value), "{said}");
        }
        let setting = telemetry.settings().iter().find(|setting| setting.name == name).unwrap();
        assert!(setting.note.is_some(), "{name}");
    }
    // A signal's own variables are read as the general ones are, and any text is a name.
    let general = |name: &str| {
        ["TRACES_", "METRICS_", "LOGS_"]
            .iter()
            .fold(name.to_owned(), |name, signal| name.replace(&format!("{OTLP}{signal}"), OTLP))
    };
    let tried: HashSet<_> = rows.iter().flat_map(|(name, ..)| [(*name).to_owned(), general(name)]).collect();
    for variable in VARIABLES.iter().filter(|variable| variable.name != "OTEL_SERVICE_NAME") {
        let name = variable.name;
        assert!(tried.contains(name) || tried.contains(&general(name)), "{name} is never wrong");
    }
}

#[test]
fn values_set_in_code_stand_before_the_variables_and_say_who_set_them() {
    let telemetry = builder(&[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_LOGS_EXPORTER", "otlp")])
        .set("OTEL_TRACES_EXPORTER", "none", "--traces-exporter")
        .set("OTEL_METRICS_EXPORTER", "none", "file")
        .set("OTEL_LOGS_EXPORTER", "none", "file")
        .set("OTEL_LOGS_EXPORTER", "console", "--logs-exporter")
        .init()
        .unwrap();
    assert_eq!(destinations(&telemetry), "logs stderr");
    let origin = |name: &str| {
        telemetry.settings().iter().find(|setting| setting.name == name).unwrap().origin.to_string()
    };
    assert_eq!(origin("OTEL_TRACES_EXPORTER"), "--traces-exporter");
    assert_eq!(origin("OTEL_LOGS_EXPORTER"), "--logs-exporter");
    assert_eq!(origin("OTEL_SERVICE_NAME"), "default");
}

#[test]
fn however_long_it_takes_is_a_timeout_too() {
    let telemetry = builder(&[]).default_exporter(Exporter::Console).init().unwrap();
    assert!(telemetry.flush(std::time::Duration::MAX).is_complete());
    assert!(telemetry.shutdown(std::time::Duration::MAX).is_complete());
}

#[test]
fn the_service_is_named_by_the_first_who_says_so() {
    let rows: &[(Vars, &str)] = &[
        (&[("OTEL_SERVICE_NAME", "a"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=b,x=1")], "a"),
        (&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=b")], "b"),
        (&[("OTEL_SERVICE_NAME", "")], "fallback"),
    ];
    for (vars, expected) in rows {
        let telemetry = builder(vars).service_name_default("fallback").init().unwrap();
        assert_eq!(attribute(&telemetry, "service.name"), *expected, "{vars:?}");
    }
    assert!(attribute(&with(&[]), "service.name").starts_with("unknown_service:"));
    let id = attribute(&with(&[]), "service.instance.id");
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
    assert_ne!(id, attribute(&with(&[]), "service.instance.id"));
    assert_eq!(
        attribute(&with(&[("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=7")]), "service.instance.id"),
        "7"
    );
}

#[test]
fn the_sampler_decides_what_is_recorded() {
    let rows: &[(Vars, bool)] = &[
        (&[], true),
        (&[("OTEL_TRACES_SAMPLER", "always_off")], false),
        (&[("OTEL_TRACES_SAMPLER", "parentbased_always_off")], false),
        (&[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")], false),
        (&[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "1")], true),
        (&[("OTEL_TRACES_SAMPLER", "ALWAYS_ON")], true),
        (&[("OTEL_SDK_DISABLED", "true")], false),
        (&[("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_on")], false),
    ];
    for (vars, recorded) in rows {
        let telemetry = builder(vars).default_exporter(Exporter::None).init().unwrap();
        let span = telemetry.tracer_provider().tracer("test").start("work");
        assert_eq!(span.is_recording(), *recorded, "{vars:?}");
    }
}

/// The only test that touches the globals.
#[test]
fn the_propagator_carries_what_the_variable_says() {
    let rows: &[(Vars, &[&str])] = &[
        (&[], &["traceparent", "tracestate", "baggage"]),
        (&[("OTEL_PROPAGATORS", "baggage")], &["baggage"]),
        (&[("OTEL_PROPAGATORS", "none")], &[]),
        (&[("OTEL_SDK_DISABLED", "true")], &["traceparent", "tracestate", "baggage"]),
    ];
    for (vars, fields) in rows {
        let _telemetry = builder(vars).default_exporter(Exporter::None).set_globals(true).init().unwrap();
        let mut carried: Vec<String> =
            global::get_text_map_propagator(|propagator| propagator.fields().map(str::to_owned).collect());
        let mut expected: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        carried.sort();
        expected.sort();
        assert_eq!(carried, expected, "{vars:?}");
    }
}

fn builder(vars: Vars<'_>) -> Builder {
    let vars: HashMap<String, String> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    otel_genai_sdk::builder().vars(move |name| vars.get(name).cloned()).set_globals(false)
}

fn with(vars: Vars<'_>) -> Telemetry {
    builder(vars).init().unwrap()
}

fn destinations(telemetry: &Telemetry) -> String {
    let shown = |(signal, destination): &(Signal, String)| format!("{signal} {destination}");
    telemetry.destinations().iter().map(shown).collect::<Vec<_>>().join("|")
}

fn attribute(telemetry: &Telemetry, name: &'static str) -> String {
    telemetry.resource().get(&Key::from_static_str(name)).unwrap().to_string()
}
