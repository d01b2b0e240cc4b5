//! Each finding is found, and where it is fixed it is found no more.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::{logs, trace};
use otel_genai_dashboard::findings::{health, of_services, of_trace, together};
use otel_genai_dashboard::view::{ContentState, Finding, Severity};
use otel_genai_store::{
    Dialect, LogRecord, Nanos, Origin, PriceTable, Resource, Scope, ServiceInfo, Span, of_log, of_span,
};
use serde_json::json;

const START: u64 = 1_763_800_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

type Told = Vec<(&'static str, Value)>;

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn int(number: i64) -> Value {
    Value::IntValue(number)
}

/// A span in the making.
struct Made {
    otlp: trace::v1::Span,
    service: &'static str,
    variant: u8,
}

fn attributes(told: Told) -> Vec<KeyValue> {
    let each = |(key, value): (&str, Value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        key_strindex: 0,
    };
    told.into_iter().map(each).collect()
}

fn span(id: u8, parent: u8, told: Told) -> Made {
    let bytes = |id: u8| if id == 0 { Vec::new() } else { vec![id; 8] };
    let otlp = trace::v1::Span {
        trace_id: vec![9; 16],
        span_id: bytes(id),
        parent_span_id: bytes(parent),
        name: "a span".to_owned(),
        start_time_unix_nano: START,
        end_time_unix_nano: START + SECOND,
        attributes: attributes(told),
        ..trace::v1::Span::default()
    };
    Made { otlp, service: "shop", variant: 0 }
}

/// A call of a model in which nothing is wrong, and more.
fn chat(more: Told) -> Told {
    let mut told = vec![
        ("gen_ai.operation.name", text("chat")),
        ("gen_ai.provider.name", text("openai")),
        ("gen_ai.request.model", text("gpt-5")),
        ("gen_ai.usage.input_tokens", int(100)),
        ("gen_ai.usage.output_tokens", int(10)),
        ("gen_ai.input.messages", text(r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#)),
    ];
    told.extend(more);
    told
}

/// Without these.
fn without(told: Told, keys: &[&str]) -> Told {
    told.into_iter().filter(|(key, _)| !keys.contains(key)).collect()
}

fn kept(made: Made) -> Span {
    let resource = OtlpResource {
        attributes: attributes(vec![("service.name", text(made.service))]),
        ..OtlpResource::default()
    };
    let resource = Resource::from_otlp(Some(resource), String::new());
    let origin = Arc::new(Origin { resource, ..Origin::default() });
    let mut span = Span::from_otlp(made.otlp, &origin, Nanos(START + 2 * SECOND)).unwrap();
    span.key.variant = made.variant;
    span.facts = of_span(&span, &PriceTable::builtin());
    span
}

fn findings(spans: Vec<Made>, logs: &[LogRecord]) -> Vec<Finding> {
    of_trace(&spans.into_iter().map(kept).collect::<Vec<_>>(), logs, true)
}

/// It is found in the one, and nothing at all in its fixed twin.
#[track_caller]
fn found(code: &str, wrong: Vec<Made>, fixed: Vec<Made>) -> Finding {
    let of = findings(wrong, &[]);
    let codes: Vec<_> = of.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, [code], "{of:#?}");
    let twin = findings(fixed, &[]);
    assert!(twin.is_empty(), "{twin:#?}");
    let finding = of.into_iter().next().unwrap();
    assert!(!finding.why.is_empty() && !finding.fix.is_empty());
    assert!(finding.service.is_some() && finding.span.is_some(), "{finding:?}");
    assert_eq!(finding.trace.as_deref(), Some("09".repeat(16).as_str()));
    finding
}

fn one(told: Told) -> Vec<Made> {
    vec![span(1, 0, told)]
}

#[test]
fn tokens_and_prices() {
    let no_tokens = || without(chat(vec![]), &["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"]);
    let finding = found("usage_missing", one(no_tokens()), one(chat(vec![])));
    assert_eq!(finding.setting.as_deref(), Some("stream_options.include_usage"));
    let failed = without(no_tokens(), &[]).into_iter().chain([("error.type", text("429"))]).collect();
    assert!(findings(one(failed), &[]).is_empty(), "what failed has no tokens");

    found("provider_missing", one(without(chat(vec![]), &["gen_ai.provider.name"])), one(chat(vec![])));

    let streamed = ("gen_ai.request.stream", Value::BoolValue(true));
    let first = ("gen_ai.response.time_to_first_chunk", Value::DoubleValue(0.25));
    found("stream_without_ttft", one(chat(vec![streamed.clone()])), one(chat(vec![streamed.clone(), first])));

    let millis = ("gen_ai.response.time_to_first_chunk", Value::DoubleValue(250.0));
    let finding = found("wrong_unit", one(chat(vec![streamed, millis])), one(chat(vec![])));
    assert!(finding.title.contains("milliseconds"), "{finding:?}");
    let cached = |input| {
        let told = without(chat(vec![]), &["gen_ai.usage.input_tokens"]);
        let more =
            [("gen_ai.usage.input_tokens", int(input)), ("gen_ai.usage.cache_read.input_tokens", int(150))];
        one(told.into_iter().chain(more).collect())
    };
    assert!(found("wrong_unit", cached(100), cached(250)).title.contains("without the cached"));

    let model = |name| {
        let told = without(chat(vec![]), &["gen_ai.request.model"]);
        one(told.into_iter().chain([("gen_ai.request.model", text(name))]).collect())
    };
    let finding = found("unpriced_model", model("house-model"), model("gpt-5-mini"));
    assert_eq!(finding.title, "house-model of openai has no price");

    let agent = |tokens: Told| {
        let told = vec![("gen_ai.operation.name", text("invoke_agent")), ("gen_ai.agent.name", text("a"))];
        vec![span(1, 0, told.into_iter().chain(tokens).collect()), span(2, 1, chat(vec![]))]
    };
    found("usage_on_parent", agent(vec![("gen_ai.usage.input_tokens", int(100))]), agent(vec![]));
}

#[test]
fn words() {
    let old = |more: Told| {
        let told = without(chat(vec![]), &["gen_ai.provider.name"]);
        one(told.into_iter().chain([("gen_ai.system", text("openai"))]).chain(more).collect())
    };
    let both = vec![("gen_ai.provider.name", text("openai"))];
    let finding = found("deprecated_names", old(vec![]), old(both));
    assert!(finding.title.contains("gen_ai.system is now gen_ai.provider.name"), "{finding:?}");

    let second = ("openinference.span.kind", text("LLM"));
    let finding = found("two_dialects", one(chat(vec![second])), one(chat(vec![])));
    assert!(finding.title.contains("openinference, 2026-08"), "{finding:?}");

    let named = |service| vec![Made { service, ..span(1, 0, chat(vec![])) }];
    found("no_service_name", named("unknown_service:python"), named("unknown_services"));
}

#[test]
fn content() {
    let silent = |more: Told| {
        let told = without(chat(vec![]), &["gen_ai.input.messages"]);
        told.into_iter().chain(more).collect::<Told>()
    };
    let finding = found("content_off", one(silent(vec![])), one(chat(vec![])));
    let setting = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event";
    assert_eq!(finding.setting.as_deref(), Some(setting));
    let mut ours = kept(one(silent(vec![])).remove(0));
    let scope = Scope { name: "otel-genai".into(), ..Scope::default() };
    ours.origin = Arc::new(Origin { scope, ..Origin::clone(&ours.origin) });
    let finding = &of_trace(&[ours], &[], true)[0];
    assert_eq!(finding.setting.as_deref(), Some("otel-genai run --content true -- COMMAND"));
    let vercel = vec![
        ("ai.operationId", text("ai.generateText.doGenerate")),
        ("ai.model.provider", text("openai.chat")),
        ("ai.model.id", text("gpt-5")),
        ("ai.usage.inputTokens", int(1)),
    ];
    let finding = &findings(one(vercel), &[])[0];
    assert!(finding.setting.as_deref().unwrap().contains("recordInputs: true"), "{finding:?}");

    let newest = || silent(vec![("gen_ai.usage.cache_write.input_tokens", int(1))]);
    let finding = found("events_expected_no_logs", one(newest()), one(chat(vec![])));
    assert_eq!(finding.setting.as_deref(), Some("OTEL_LOGS_EXPORTER=otlp"));
    // The content is in a log record of the span.
    let record = logs::v1::LogRecord {
        trace_id: vec![9; 16],
        span_id: vec![1; 8],
        event_name: "gen_ai.client.inference.operation.details".to_owned(),
        attributes: attributes(chat(vec![])),
        ..logs::v1::LogRecord::default()
    };
    let mut log = LogRecord::from_otlp(record, &Arc::new(Origin::default()), Nanos(START)).unwrap();
    log.facts = of_log(&log, &PriceTable::builtin());
    assert!(findings(one(newest()), &[log]).is_empty());

    let elsewhere = silent(vec![("gen_ai.input.messages_ref", text("file:///tmp/x.json"))]);
    found("reference_not_resolved", one(elsewhere), one(chat(vec![])));
}

#[test]
fn messages() {
    let with = |messages: &str| {
        let told = without(chat(vec![]), &["gen_ai.input.messages"]);
        one(told.into_iter().chain([("gen_ai.input.messages", text(messages))]).collect())
    };
    let whole = r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#;
    found("attribute_cut", with(&whole[..30]), with(whole));
    let finding = found("bad_messages_json", with(r#"[{"role":"user","content":"hi"}]"#), with(whole));
    assert_eq!(finding.title, "gen_ai.input.messages[0] has no parts");
    let finding = found("bad_messages_json", with("hi"), with(whole));
    assert_eq!(finding.title, "gen_ai.input.messages is no JSON");
    let finding = found("bad_messages_json", with(r#"[{"role":"user","parts":[{}]}]"#), with(whole));
    assert_eq!(finding.title, "gen_ai.input.messages[0].parts[0] has no type");

    let asks = r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"f"}]}]"#;
    let answers = r#"[{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"ok"}]}]"#;
    let run = |tool: Option<Made>| {
        let second = without(chat(vec![]), &["gen_ai.input.messages"]);
        let mut spans = vec![
            span(1, 0, vec![("gen_ai.operation.name", text("invoke_agent"))]),
            span(2, 1, chat(vec![("gen_ai.output.messages", text(asks))])),
            span(3, 1, second.into_iter().chain([("gen_ai.input.messages", text(answers))]).collect()),
        ];
        spans.extend(tool);
        spans
    };
    let tool = span(
        4,
        1,
        vec![("gen_ai.operation.name", text("execute_tool")), ("gen_ai.tool.call.id", text("c1"))],
    );
    found("tool_call_without_span", run(None), run(Some(tool)));
    let nameless = span(4, 1, vec![("gen_ai.operation.name", text("execute_tool"))]);
    assert!(findings(run(Some(nameless)), &[]).is_empty(), "it may be the one");
}

#[test]
fn trees_and_clocks() {
    found("lost_parent", vec![span(2, 1, chat(vec![]))], vec![span(2, 0, chat(vec![]))]);
    let running = vec![kept(span(2, 1, chat(vec![])))];
    assert!(of_trace(&running, &[], false).is_empty(), "its parent may still come");

    let early = |service, by: u64| {
        let mut child = Made { service, ..span(2, 1, chat(vec![])) };
        child.otlp.start_time_unix_nano -= by;
        vec![span(1, 0, vec![]), child]
    };
    found("clock_skew", early("orders", SECOND), early("orders", 1_000_000));
    assert!(findings(early("shop", SECOND), &[]).is_empty(), "one clock");

    let twice = |variant| vec![Made { variant, ..span(1, 0, chat(vec![])) }];
    assert_eq!(found("duplicate_span_id", twice(1), twice(0)).severity, Severity::Error);

    let dropped = |dropped_attributes_count| {
        let made = span(1, 0, chat(vec![]));
        vec![Made { otlp: trace::v1::Span { dropped_attributes_count, ..made.otlp }, ..made }]
    };
    found("attribute_count_limit", dropped(3), dropped(0));

    let at = |start: u64| {
        let mut made = span(1, 0, vec![]);
        (made.otlp.start_time_unix_nano, made.otlp.end_time_unix_nano) = (start, start + SECOND);
        vec![made]
    };
    found("skewed_day", at(5 * SECOND), at(START));
    found("skewed_day", at(START + 400 * 86_400 * SECOND), at(START));
}

#[test]
fn the_same_is_told_once_with_its_count() {
    let silent = || without(chat(vec![]), &["gen_ai.input.messages"]);
    let all = findings(vec![span(1, 0, silent()), span(2, 0, silent()), span(3, 0, chat(vec![]))], &[]);
    assert_eq!((all.len(), all[0].count), (1, 2));
    assert_eq!(all[0].span.as_deref(), Some("0101010101010101"), "the first");
    let several = together(all.iter().cloned().chain(all.clone()));
    assert_eq!((several.len(), several[0].count), (1, 4));
    let circle = vec![span(1, 2, chat(vec![])), span(2, 1, chat(vec![]))];
    assert_eq!(findings(circle, &[])[0].code, "usage_on_parent", "parents in a circle end");
}

fn service(name: &str, calls: u64, with_content: u64, logs: u64, dialect: Dialect) -> ServiceInfo {
    ServiceInfo {
        name: name.into(),
        instances: 1,
        language: None,
        sdk: None,
        scopes: Vec::new(),
        dialects: vec![(dialect, calls)],
        spans: calls,
        logs,
        points: 0,
        calls,
        with_content,
        first: Nanos(START),
        last: Nanos(START),
        schema_urls: Vec::new(),
    }
}

#[test]
fn services() {
    let codes = |service: ServiceInfo| {
        let found = of_services(&[service]);
        found.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(service("shop", 3, 3, 0, Dialect::V2026_08)), Vec::<String>::new());
    assert_eq!(codes(service("shop", 3, 0, 0, Dialect::V2026_08)), ["content_off"]);
    assert_eq!(codes(service("shop", 3, 0, 0, Dialect::V2026_10)), ["events_expected_no_logs"]);
    assert_eq!(codes(service("shop", 3, 0, 9, Dialect::V2026_10)), ["content_off"]);
    assert_eq!(codes(service("unknown_service", 3, 3, 9, Dialect::V2026_08)), ["no_service_name"]);
    assert_eq!(codes(service("shop", 3, 3, 9, Dialect::V1_30)), ["deprecated_names"]);

    let services = [service("shop", 3, 0, 0, Dialect::Vercel), service("orders", 0, 0, 4, Dialect::V2026_08)];
    let found = of_services(&services);
    let health = health(&services, &found);
    assert_eq!((health[0].capture, health[0].findings), (ContentState::Absent, 1));
    assert_eq!((health[1].capture, health[1].findings), (ContentState::Unknown, 0));
    let told = serde_json::to_value(&health[0]).unwrap();
    let signals = json!({"traces": true, "logs": false, "metrics": false});
    assert_eq!((&told["signals"], &told["dialects"]), (&signals, &json!(["vercel"])));
    assert_eq!((&told["calls"], &told["withContent"]), (&json!(3), &json!(0)));
    let told = serde_json::to_value(&found[0]).unwrap();
    assert_eq!((&told["severity"], &told["code"]), (&json!("info"), &json!("content_off")));
    assert!(told.get("trace").is_none(), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_can_be_asked_for() {
    let served = support::Served::start().await;
    let lost = support::span(2, 1, "a span", (0, 10), Vec::new());
    let mut lost = support::request(vec![lost]);
    let resource = lost.resource_spans[0].resource.as_mut().unwrap();
    resource.attributes = vec![support::text("service.name", "unknown_service")];
    lost.resource_spans[0].scope_spans[0].spans[0].dropped_attributes_count = 1;
    served.send(&lost).await;
    let path = format!("/api/v1/traces/{}/findings", support::TRACE);
    let of_trace = served.json(&path).await;
    let codes = |json: &serde_json::Value| {
        let list = json.as_array().unwrap().iter();
        list.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(codes(&of_trace).contains(&"attribute_count_limit".to_owned()), "{of_trace:#}");
    assert_eq!(of_trace[0]["trace"], support::TRACE);
    let all = served.json("/api/v1/findings").await;
    assert!(codes(&all["items"]).contains(&"attribute_count_limit".to_owned()), "{all:#}");
    assert!(all["services"].is_array());
    assert_eq!(served.get("/api/v1/traces/0123456789abcdef0123456789abcdef/findings").await.status, 404);
    assert_eq!(served.get("/api/v1/findings?form=-1h").await.code(), "bad_parameter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_traces_of_the_time_are_looked_into() {
    let served = support::Served::start().await;
    let of = |trace: u8, id: u8, dropped: u32| {
        let at = u64::from(trace) * 1_000;
        let mut span = support::span(id, 0, "a span", (at, at + 10), Vec::new());
        (span.trace_id, span.dropped_attributes_count) = (vec![trace; 16], dropped);
        span
    };
    served.send(&support::request((1..=60).map(|trace| of(trace, 1, u32::from(trace == 1))).collect())).await;
    let all = served.json("/api/v1/findings").await;
    assert_eq!(all["looked"], json!({ "traces": 60 }));
    let found = |all: &serde_json::Value| {
        let items = all["items"].as_array().unwrap();
        items.iter().map(|one| (one["code"].clone(), one["count"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(found(&all), [(json!("attribute_count_limit"), json!(1))]);
    assert_eq!(all["items"][0]["trace"], "01".repeat(16));

    // What is remembered of a trace holds until the trace changes.
    served.send(&support::request(vec![of(1, 2, 5), of(60, 2, 0)])).await;
    let again = served.json("/api/v1/findings").await;
    assert_eq!(found(&again), [(json!("attribute_count_limit"), json!(2))]);
    let from = START / 1_000_000 + 2_000;
    let later = served.json(&format!("/api/v1/findings?from={from}&to={}", from + 600_000)).await;
    assert_eq!((found(&later), &later["looked"]), (vec![], &json!({ "traces": 59 })));
}
