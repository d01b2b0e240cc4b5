//! What a user of the handler sees at their exporters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use otel_genai::{Capture, Config, Failure, GenAi, Message, Part, Prompt, ToolDefinition, Usage};
use serde_json::{Value as Json, json};

struct Telemetry {
    genai: GenAi,
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
    spans: InMemorySpanExporter,
    logs: InMemoryLogExporter,
    metrics: InMemoryMetricExporter,
}

fn telemetry(capture: Capture) -> Telemetry {
    telemetry_with(Sampler::AlwaysOn, capture, None)
}

fn telemetry_with(sampler: Sampler, capture: Capture, emit_event: Option<bool>) -> Telemetry {
    let (spans, logs, metrics) =
        (InMemorySpanExporter::default(), InMemoryLogExporter::default(), InMemoryMetricExporter::default());
    let tracers =
        SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(spans.clone()).build();
    let loggers = SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    let mut config = Config::default();
    config.capture = capture;
    config.emit_event = emit_event;
    let genai = GenAi::builder()
        .tracer_provider(&tracers)
        .logger_provider(&loggers)
        .meter_provider(&meters)
        .config(config)
        .build();
    Telemetry { genai, tracers, meters, spans, logs, metrics }
}

impl Telemetry {
    fn span(&self) -> SpanData {
        let spans = self.spans.get_finished_spans().unwrap();
        assert_eq!(spans.len(), 1, "exactly one span a call: {spans:#?}");
        spans.into_iter().next().unwrap()
    }

    fn events(&self) -> Vec<(&'static str, BTreeMap<String, AnyValue>)> {
        let logs = self.logs.get_emitted_logs().unwrap();
        logs.iter()
            .map(|log| {
                let attributes =
                    log.record.attributes_iter().map(|(key, value)| (key.to_string(), value.clone()));
                (log.record.event_name().unwrap_or_default(), attributes.collect())
            })
            .collect()
    }

    /// name -> (unit, points as (attributes, count, sum, bounds))
    fn metrics(&self) -> BTreeMap<String, (String, Vec<Point>)> {
        self.meters.force_flush().unwrap();
        let mut found = BTreeMap::new();
        for resource in self.metrics.get_finished_metrics().unwrap() {
            for metric in
                resource.scope_metrics().flat_map(opentelemetry_sdk::metrics::data::ScopeMetrics::metrics)
            {
                let points = match metric.data() {
                    AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
                        .data_points()
                        .map(|p| Point {
                            attributes: sorted(p.attributes()),
                            count: p.count(),
                            sum: p.sum(),
                            bounds: p.bounds().collect(),
                        })
                        .collect(),
                    AggregatedMetrics::U64(MetricData::Histogram(histogram)) => histogram
                        .data_points()
                        .map(|p| Point {
                            attributes: sorted(p.attributes()),
                            count: p.count(),
                            sum: p.sum() as f64,
                            bounds: p.bounds().collect(),
                        })
                        .collect(),
                    other => panic!("{other:?}"),
                };
                found.insert(metric.name().to_owned(), (metric.unit().to_owned(), points));
            }
        }
        found
    }
}

#[derive(Debug)]
struct Point {
    attributes: BTreeMap<String, String>,
    count: u64,
    sum: f64,
    bounds: Vec<f64>,
}

fn sorted<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> BTreeMap<String, String> {
    attributes.map(|attribute| (attribute.key.to_string(), attribute.value.to_string())).collect()
}

fn attributes(span: &SpanData) -> BTreeMap<String, Value> {
    let mut map = BTreeMap::new();
    for attribute in &span.attributes {
        let doubled = map.insert(attribute.key.to_string(), attribute.value.clone());
        assert!(doubled.is_none(), "{} is set twice", attribute.key);
    }
    map
}

fn strings(values: &[&'static str]) -> Value {
    Value::Array(values.iter().map(|text| (*text).into()).collect::<Vec<opentelemetry::StringValue>>().into())
}

/// Every attribute that the convention gives an inference span.
#[test]
fn a_full_call_has_every_attribute_of_the_convention() {
    let t = telemetry(Capture::SpanAndEvent);
    let mut prompt = Prompt::new("support");
    prompt.version = Some("3".into());
    prompt.variables = vec![("city".into(), "Rome".into())];
    let mut call = t
        .genai
        .chat("openai", "gpt-4o-mini")
        .server("api.openai.com", 443)
        .conversation("conv-1")
        .request(|r| {
            r.stream = true;
            r.temperature = Some(0.5);
            r.top_p = Some(0.9);
            r.top_k = Some(40);
            r.max_tokens = Some(100);
            r.stop_sequences = vec!["END".into()];
            r.frequency_penalty = Some(0.1);
            r.presence_penalty = Some(0.2);
            r.seed = Some(7);
            r.choice_count = Some(2);
            r.output_type = Some("json".into());
            r.reasoning_level = Some("low".into());
            r.previous_response_id = Some("resp-0".into());
            r.prompt = Some(prompt);
        })
        .start();
    assert!(call.captures_content());
    call.custom.metric_attributes.push(KeyValue::new("my.metric.attribute", "mine"));
    let began = call.started_at().instant;
    call.response_mut().model = Some("gpt-4o-mini-2024".into());
    for milliseconds in [250, 350, 400] {
        call.chunk_at(began + Duration::from_millis(milliseconds));
    }
    call.input([Message::system("Be brief."), Message::user("Hi")]);
    call.request_mut().system_instructions.push(Part::text("Obey."));
    call.request_mut().tool_definitions.push(ToolDefinition::function("track"));
    call.output([Message::assistant("Hello").finish("stop")]);
    let response = call.response_mut();
    response.id = Some("chatcmpl-1".into());
    response.finish_reasons = vec!["stop".into(), "length".into()];
    response.conversation_compacted = true;
    let mut usage = Usage::new(15, 20);
    usage.cache_read_input_tokens = Some(4);
    usage.cache_write_input_tokens = Some(2);
    usage.reasoning_output_tokens = Some(5);
    call.usage = usage;
    call.openai.api_type = Some("chat_completions".into());
    call.openai.request_service_tier = Some("default".into());
    call.openai.response_service_tier = Some("default".into());
    call.openai.system_fingerprint = Some("fp_1".into());
    call.custom.attributes.push(KeyValue::new("my.attribute", "mine"));
    call.finish_at(began + Duration::from_secs(1));

    let span = t.span();
    assert_eq!(span.name, "chat gpt-4o-mini");
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(span.status, Status::Unset, "success is never OK");
    assert_eq!(span.end_time.duration_since(span.start_time).unwrap(), Duration::from_secs(1));
    assert_eq!(span.instrumentation_scope.name(), "otel-genai");
    assert_eq!(
        span.instrumentation_scope.schema_url(),
        Some("https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev")
    );
    let expected: BTreeMap<String, Value> = [
        ("gen_ai.operation.name", "chat".into()),
        ("gen_ai.provider.name", "openai".into()),
        ("gen_ai.request.model", "gpt-4o-mini".into()),
        ("server.address", "api.openai.com".into()),
        ("server.port", 443.into()),
        ("gen_ai.conversation.id", "conv-1".into()),
        ("gen_ai.conversation.compacted", true.into()),
        ("gen_ai.output.type", "json".into()),
        ("gen_ai.prompt.name", "support".into()),
        ("gen_ai.prompt.version", "3".into()),
        ("gen_ai.prompt.variable.city", "Rome".into()),
        ("gen_ai.request.choice.count", 2.into()),
        ("gen_ai.request.seed", 7.into()),
        ("gen_ai.request.stream", true.into()),
        ("gen_ai.request.top_k", 40.into()),
        ("gen_ai.request.frequency_penalty", 0.1.into()),
        ("gen_ai.request.max_tokens", 100.into()),
        ("gen_ai.request.presence_penalty", 0.2.into()),
        ("gen_ai.request.previous_response.id", "resp-0".into()),
        ("gen_ai.request.reasoning.level", "low".into()),
        ("gen_ai.request.stop_sequences", strings(&["END"])),
        ("gen_ai.request.temperature", 0.5.into()),
        ("gen_ai.request.top_p", 0.9.into()),
        ("gen_ai.response.finish_reasons", strings(&["stop", "length"])),
        ("gen_ai.response.id", "chatcmpl-1".into()),
        ("gen_ai.response.model", "gpt-4o-mini-2024".into()),
        ("gen_ai.response.time_to_first_chunk", 0.25.into()),
        ("gen_ai.usage.input_tokens", 15.into()),
        ("gen_ai.usage.output_tokens", 20.into()),
        ("gen_ai.usage.cache_read.input_tokens", 4.into()),
        ("gen_ai.usage.cache_creation.input_tokens", 2.into()),
        ("gen_ai.usage.reasoning.output_tokens", 5.into()),
        ("openai.api.type", "chat_completions".into()),
        ("openai.request.service_tier", "default".into()),
        ("openai.response.service_tier", "default".into()),
        ("openai.response.system_fingerprint", "fp_1".into()),
        ("gen_ai.system_instructions", r#"[{"type":"text","content":"Obey."}]"#.into()),
        (
            "gen_ai.input.messages",
            concat!(
                r#"[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},"#,
                r#"{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"#
            )
            .into(),
        ),
        (
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]"#
                .into(),
        ),
        ("gen_ai.tool.definitions", r#"[{"type":"function","name":"track"}]"#.into()),
        ("my.attribute", "mine".into()),
    ]
    .map(|(key, value): (&str, Value)| (key.to_owned(), value))
    .into();
    assert_eq!(attributes(&span), expected);

    let events = t.events();
    assert_eq!(events.len(), 1);
    let (name, details) = &events[0];
    assert_eq!(*name, "gen_ai.client.inference.operation.details");
    let event_keys: Vec<&String> = details.keys().collect();
    assert_eq!(event_keys, expected.keys().collect::<Vec<_>>(), "the event tells what the span tells");
    let AnyValue::ListAny(messages) = &details["gen_ai.output.messages"] else {
        panic!("content in events is structured: {details:?}");
    };
    assert!(matches!(&messages[0], AnyValue::Map(message) if message.contains_key("parts")));

    let metrics = t.metrics();
    let identity = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o-mini"),
        ("gen_ai.response.model", "gpt-4o-mini-2024"),
        ("my.metric.attribute", "mine"),
        ("server.address", "api.openai.com"),
        ("server.port", "443"),
    ];
    let with = |more: &[(&str, &str)]| -> BTreeMap<String, String> {
        identity.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let tier = [("openai.response.service_tier", "default"), ("openai.response.system_fingerprint", "fp_1")];

    let (unit, points) = &metrics["gen_ai.client.operation.duration"];
    assert_eq!((unit.as_str(), points.len(), points[0].count, points[0].sum), ("s", 1, 1, 1.0));
    assert_eq!(points[0].attributes, with(&tier));
    assert_eq!(points[0].bounds[..3], [0.01, 0.02, 0.04]);
    assert_eq!(points[0].bounds.last(), Some(&81.92));

    let (unit, points) = &metrics["gen_ai.client.token.usage"];
    assert_eq!((unit.as_str(), points.len()), ("{token}", 2));
    for (kind, sum) in [("input", 15.0), ("output", 20.0)] {
        let expected = with(&[tier[0], tier[1], ("gen_ai.token.type", kind)]);
        let point = points.iter().find(|point| point.attributes == expected).expect(kind);
        assert_eq!((point.count, point.sum), (1, sum));
        assert_eq!((point.bounds[0], point.bounds[13]), (1.0, 67_108_864.0));
    }

    let (unit, points) = &metrics["gen_ai.client.operation.time_to_first_chunk"];
    assert_eq!((unit.as_str(), points[0].count, points[0].sum), ("s", 1, 0.25));
    assert_eq!(points[0].attributes, with(&[]));
    let (unit, points) = &metrics["gen_ai.client.operation.time_per_output_chunk"];
    assert_eq!((unit.as_str(), points[0].count), ("s", 2));
    assert!((points[0].sum - 0.15).abs() < 1e-9, "100 ms and 50 ms: {}", points[0].sum);
    assert_eq!(points[0].attributes, with(&[]));
}

#[test]
fn what_is_not_known_is_not_said() {
    let t = telemetry(Capture::NoContent);
    t.genai.operation(otel_genai::Inference::new("chat", "openai")).start().finish();
    let span = t.span();
    assert_eq!(span.name, "chat");
    assert_eq!(
        attributes(&span).into_keys().collect::<Vec<_>>(),
        ["gen_ai.operation.name", "gen_ai.provider.name"]
    );
    let metrics = t.metrics();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["gen_ai.client.operation.duration"]);
}

#[test]
fn the_capture_mode_decides_where_content_goes() {
    for (capture, on_span, on_event) in [
        (Capture::NoContent, false, None),
        (Capture::SpanOnly, true, None),
        (Capture::EventOnly, false, Some(true)),
        (Capture::SpanAndEvent, true, Some(true)),
        (Capture::ByConvention, true, Some(true)),
    ] {
        let t = telemetry(capture);
        let mut call = t.genai.chat("openai", "m").start();
        call.input([Message::user("secret question")]);
        call.output([Message::assistant("secret answer")]);
        call.finish();
        let keys = ["gen_ai.input.messages", "gen_ai.output.messages"];
        let attributes = attributes(&t.span());
        for key in keys {
            assert_eq!(attributes.contains_key(key), on_span, "{capture:?} {key}");
        }
        let events = t.events();
        match on_event {
            None => assert!(events.is_empty(), "{capture:?}: {events:?}"),
            Some(with_content) => {
                assert_eq!(events.len(), 1, "{capture:?}");
                for key in keys {
                    assert_eq!(events[0].1.contains_key(key), with_content, "{capture:?} {key}");
                }
            }
        }
    }
}

#[test]
fn the_event_can_be_had_without_content_and_content_without_the_event() {
    let t = telemetry_with(Sampler::AlwaysOn, Capture::NoContent, Some(true));
    let mut call = t.genai.chat("openai", "m").start();
    call.input([Message::user("secret")]);
    call.finish();
    let events = t.events();
    assert_eq!(events.len(), 1);
    assert!(!format!("{events:?}").contains("secret"));

    let t = telemetry_with(Sampler::AlwaysOn, Capture::SpanAndEvent, Some(false));
    let call = t.genai.chat("openai", "m").start();
    call.fail(Failure::new("500"));
    assert!(t.events().is_empty());
}

#[test]
fn an_error_is_told_once_everywhere() {
    let t = telemetry(Capture::EventOnly);
    let mut call = t.genai.chat("openai", "m").start();
    call.output([Message::assistant("half an ans")]);
    call.custom.attributes.push(KeyValue::new("error.type", "mine"));
    call.fail(Failure::new("rate_limit_exceeded").message("slow down"));
    let span = t.span();
    assert_eq!(span.status, Status::error("slow down"));
    assert_eq!(attributes(&span)["error.type"], "rate_limit_exceeded".into(), "the real failure wins");
    let events = t.events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].1["error.type"], "rate_limit_exceeded".into());
    assert!(format!("{:?}", events[0].1["gen_ai.output.messages"]).contains("\"error\""), "cut short");
    assert_eq!(events[1].0, "gen_ai.client.operation.exception");
    assert_eq!(events[1].1["exception.type"], "rate_limit_exceeded".into());
    assert_eq!(events[1].1["exception.message"], "slow down".into());
    let metrics = t.metrics();
    let (_, points) = &metrics["gen_ai.client.operation.duration"];
    assert_eq!(points[0].attributes["error.type"], "rate_limit_exceeded");
}

#[test]
fn a_dropped_call_ends_as_cancelled_and_a_panic_as_panic() {
    let t = telemetry(Capture::NoContent);
    drop(t.genai.chat("openai", "m").start());
    assert_eq!(attributes(&t.span())["error.type"], "cancelled".into());

    let t = telemetry(Capture::NoContent);
    let genai = t.genai.clone();
    let panicked = std::thread::spawn(move || {
        let _call = genai.chat("openai", "m").start();
        panic!("boom");
    })
    .join();
    assert!(panicked.is_err(), "the panic goes on its way");
    assert_eq!(attributes(&t.span())["error.type"], "panic".into());
}

#[test]
fn custom_attributes_win_over_the_conventions_own() {
    let t = telemetry(Capture::NoContent);
    let mut call = t.genai.chat("openai", "m").start();
    call.response_mut().id = Some("theirs".into());
    call.custom.attributes.push(KeyValue::new("gen_ai.response.id", "mine"));
    call.finish();
    assert_eq!(attributes(&t.span())["gen_ai.response.id"], "mine".into());
}

#[test]
fn samplers_see_who_is_asked_for_what() {
    #[derive(Clone, Debug)]
    struct ByModel;
    impl opentelemetry_sdk::trace::ShouldSample for ByModel {
        fn should_sample(
            &self,
            _: Option<&Context>,
            _: opentelemetry::TraceId,
            name: &str,
            kind: &SpanKind,
            attributes: &[KeyValue],
            _: &[opentelemetry::trace::Link],
        ) -> opentelemetry_sdk::trace::SamplingResult {
            assert_eq!((name, kind), ("chat cheap", &SpanKind::Client));
            let keys: Vec<&str> = attributes.iter().map(|attribute| attribute.key.as_str()).collect();
            assert_eq!(
                keys,
                [
                    "gen_ai.operation.name",
                    "gen_ai.provider.name",
                    "gen_ai.request.model",
                    "server.address",
                    "server.port"
                ]
            );
            opentelemetry_sdk::trace::SamplingResult {
                decision: opentelemetry_sdk::trace::SamplingDecision::Drop,
                attributes: vec![],
                trace_state: opentelemetry::trace::TraceState::default(),
            }
        }
    }
    let spans = InMemorySpanExporter::default();
    let tracers =
        SdkTracerProvider::builder().with_sampler(ByModel).with_simple_exporter(spans.clone()).build();
    let genai = GenAi::builder().tracer_provider(&tracers).capture(Capture::SpanOnly).build();
    let call = genai.chat("openai", "cheap").server("localhost", 80).start();
    assert!(!call.captures_content(), "an unsampled span needs no content");
    call.finish();
    assert!(spans.get_finished_spans().unwrap().is_empty());
}

#[test]
fn metrics_and_events_do_not_depend_on_sampling() {
    let t = telemetry_with(Sampler::AlwaysOff, Capture::EventOnly, None);
    let mut call = t.genai.chat("openai", "m").start();
    call.usage(1, 2);
    call.finish();
    assert!(t.spans.get_finished_spans().unwrap().is_empty());
    assert_eq!(t.events().len(), 1);
    assert_eq!(t.metrics().len(), 2);
}

#[test]
fn exporting_through_an_instrumented_client_does_not_observe_itself() {
    let t = telemetry(Capture::SpanAndEvent);
    {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        let mut call = t.genai.chat("openai", "m").start();
        call.chunk();
        call.finish();
    }
    assert!(t.spans.get_finished_spans().unwrap().is_empty());
    assert!(t.events().is_empty());
    assert!(t.metrics().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_is_the_parent_of_what_happens_within() {
    let t = telemetry(Capture::NoContent);
    let genai = t.genai.clone();
    let tracer = t.tracers.tracer("user");
    // Spawned, so that it must be Send.
    let result = tokio::spawn(async move {
        genai
            .chat("openai", "m")
            .scope(async |call| {
                tokio::task::yield_now().await;
                tracer.start("inner");
                call.usage(1, 1);
                Err::<(), _>(std::io::Error::other("no"))
            })
            .await
    })
    .await
    .unwrap();
    assert_eq!(result.unwrap_err().to_string(), "no", "the error goes back to its owner");
    let spans = t.spans.get_finished_spans().unwrap();
    assert_eq!(spans.iter().map(|span| span.name.as_ref()).collect::<Vec<_>>(), ["inner", "chat m"]);
    assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
    assert_eq!(attributes(&spans[1])["error.type"], "std::io::error::Error".into());
    assert!(!Context::current().has_active_span(), "the context is left as it was found");
}

#[tokio::test]
async fn a_cancelled_scope_still_ends_its_span() {
    let t = telemetry(Capture::NoContent);
    let never = t.genai.chat("openai", "m").scope(async |_| {
        std::future::pending::<()>().await;
        Ok::<_, std::io::Error>(())
    });
    assert!(tokio::time::timeout(Duration::from_millis(1), never).await.is_err());
    assert_eq!(attributes(&t.span())["error.type"], "cancelled".into());
}

#[test]
fn a_wall_clock_set_back_makes_no_negative_duration() {
    let t = telemetry(Capture::NoContent);
    let call = t.genai.chat("openai", "m").start();
    let before = call.started_at().instant - Duration::from_secs(5);
    call.finish_at(before);
    let span = t.span();
    assert_eq!(span.end_time, span.start_time);
}

#[test]
fn embeddings() {
    let t = telemetry(Capture::SpanAndEvent);
    let mut call = t.genai.embeddings("openai", "text-embedding-3-small").server("localhost", 8080).start();
    call.dimension_count = Some(1536);
    call.encoding_formats = vec!["float".into()];
    call.response_model = Some("text-embedding-3-small".into());
    call.input_tokens = Some(9);
    call.finish();
    let span = t.span();
    assert_eq!(
        (span.name.as_ref(), &span.span_kind),
        ("embeddings text-embedding-3-small", &SpanKind::Client)
    );
    let expected: BTreeMap<String, Value> = [
        ("gen_ai.operation.name", "embeddings".into()),
        ("gen_ai.provider.name", "openai".into()),
        ("gen_ai.request.model", "text-embedding-3-small".into()),
        ("server.address", "localhost".into()),
        ("server.port", 8080.into()),
        ("gen_ai.embeddings.dimension.count", 1536.into()),
        ("gen_ai.request.encoding_formats", strings(&["float"])),
        ("gen_ai.response.model", "text-embedding-3-small".into()),
        ("gen_ai.usage.input_tokens", 9.into()),
    ]
    .map(|(key, value): (&str, Value)| (key.to_owned(), value))
    .into();
    assert_eq!(attributes(&span), expected);
    assert!(t.events().is_empty(), "the conventions give embeddings no event");
    assert_eq!(
        t.metrics().into_keys().collect::<Vec<_>>(),
        ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"]
    );
}

/// The eleven kinds of parts, as the convention's JSON schemas give them, unknown properties included.
#[test]
fn messages_read_and_write_without_loss() {
    let messages = json!([
        {"role": "user", "name": "ann", "parts": [
            {"type": "text", "content": "hi", "cache_control": {"type": "ephemeral"}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw=="},
            {"type": "file", "modality": "document", "file_id": "file-1"},
            {"type": "uri", "modality": "video", "uri": "https://example.com/v.mp4", "mime_type": "video/mp4"},
            {"type": "hologram", "depth": 3}
        ]},
        {"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "reasoning", "content": "hmm"},
            {"type": "tool_call", "id": "call_1", "name": "track", "arguments": {"order": [7, null]}},
            {"type": "server_tool_call", "name": "search", "server_tool_call": {"type": "web_search", "query": "x"}},
            {"type": "server_tool_call_response", "id": "s1", "server_tool_call_response": {"type": "web_search"}},
            {"type": "compaction", "id": "cmp_1", "content": "so far"}
        ], "vendor": true},
        {"role": "critic", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "on its way"}]}
    ]);
    let typed: Vec<Message> = serde_json::from_value(messages.clone()).unwrap();
    assert!(matches!(typed[0].parts[4], Part::Generic(_)));
    assert!(matches!(typed[1].parts[2], Part::ServerToolCall(_)));
    assert_eq!(serde_json::to_value(&typed).unwrap(), messages);

    let bare_text: Part = serde_json::from_value(json!({"type": "text"})).unwrap();
    assert!(
        matches!(bare_text, Part::Generic(_)),
        "the schema's catch-all takes what the known parts refuse"
    );
    let tools: Json = json!([
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        {"type": "web_search", "name": "web", "max_uses": 3}
    ]);
    let typed: Vec<ToolDefinition> = serde_json::from_value(tools.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), tools);
}
