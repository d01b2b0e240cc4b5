//! Prints what the console exporter makes of some typical calls: `cargo run -p otel-genai-sdk --example console_sample`.

use std::time::{Duration, SystemTime};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use otel_genai_sdk::{Color, ConsoleOptions, ConsoleTarget, Exporter};

fn main() -> Result<(), otel_genai_sdk::InitError> {
    let mut options = ConsoleOptions::new().target(ConsoleTarget::Stdout);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--color" => options = options.color(Color::Always),
            "--width" => options = options.width(args.next().and_then(|n| n.parse().ok()).unwrap_or(100)),
            _ => {}
        }
    }
    let telemetry = otel_genai_sdk::builder()
        .service_name_default("console-sample")
        .default_exporter(Exporter::Console)
        .console(options)
        .init()?;
    let tracer = telemetry.tracer_provider().tracer("sample");
    let start = SystemTime::now();
    let at = |ms: u64| start + Duration::from_millis(ms);
    let call = |name: &'static str,
                from: u64,
                to: u64,
                parent: &Context,
                attributes: Vec<KeyValue>,
                error: Option<&'static str>| {
        let mut span = tracer
            .span_builder(name)
            .with_kind(SpanKind::Client)
            .with_start_time(at(from))
            .with_attributes(attributes)
            .start_with_context(&tracer, parent);
        if let Some(error) = error {
            span.set_status(Status::error(error));
        }
        span.end_with_timestamp(at(to));
        span
    };
    let root = Context::new();

    call("chat gpt-4o-mini", 0, 1240, &root, with(chat("gpt-4o-mini", 15, 20), &[
        ("gen_ai.response.time_to_first_chunk", 0.312.into()),
        ("gen_ai.usage.cache_read.input_tokens", 8.into()),
        ("gen_ai.usage.reasoning.output_tokens", 3.into()),
        ("gen_ai.system_instructions", r#"[{"type":"text","content":"You are a helpful assistant who answers in one sentence."}]"#.into()),
        ("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"Write a short poem on OpenTelemetry."}]}]"#.into()),
        ("gen_ai.output.messages", r#"[{"role":"assistant","parts":[{"type":"text","content":"In traces and metrics, a story unfolds,\nOf requests that wander and spans that it holds.\nA third line that is folded away, with more words than one would want to read in a terminal."}],"finish_reason":"stop"}]"#.into()),
    ]), None);

    let agent = tracer
        .span_builder("invoke_agent Weather helper")
        .with_kind(SpanKind::Internal)
        .with_start_time(at(2000))
        .with_attributes([
            KeyValue::new("gen_ai.operation.name", "invoke_agent"),
            KeyValue::new("gen_ai.agent.name", "Weather helper"),
            KeyValue::new("gen_ai.conversation.id", "conv_5j66UpCpwteGg4YSxUnt7lPY"),
            KeyValue::new("gen_ai.usage.input_tokens", 1210),
            KeyValue::new("gen_ai.usage.output_tokens", 89),
        ])
        .start_with_context(&tracer, &root);
    let inside = root.with_span(agent);
    call("chat gpt-4o", 2010, 2900, &inside, with(chat("gpt-4o", 610, 34), &[
        ("gen_ai.response.finish_reasons", strings(&["tool_calls"])),
        ("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"Weather in Paris and 東京?"}]}]"#.into()),
        ("gen_ai.output.messages", r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"get_weather","arguments":{"city":"Paris","days":3}},{"type":"tool_call","id":"call_2","name":"get_weather","arguments":{"city":"東京"}}],"finish_reason":"tool_calls"}]"#.into()),
        ("gen_ai.tool.definitions", r#"[{"type":"function","name":"get_weather","parameters":{}},{"type":"function","name":"get_time"}]"#.into()),
    ]), None);
    call(
        "execute_tool get_weather",
        2910,
        2913,
        &inside,
        vec![
            KeyValue::new("gen_ai.operation.name", "execute_tool"),
            KeyValue::new("gen_ai.tool.name", "get_weather"),
            KeyValue::new("gen_ai.tool.call.arguments", r#"{"city":"Paris","days":3}"#),
            KeyValue::new("gen_ai.tool.call.result", r#"{"temperature":21,"sky":"clear"}"#),
        ],
        None,
    );
    call(
        "POST",
        2915,
        2990,
        &inside,
        vec![
            KeyValue::new("http.request.method", "POST"),
            KeyValue::new("url.full", "https://api.weather.example/v1/forecast?city=Paris"),
            KeyValue::new("http.response.status_code", 200),
        ],
        None,
    );
    call("chat gpt-4o", 3000, 3740, &inside, with(chat("gpt-4o", 600, 55), &[
        ("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"Weather in Paris and 東京?"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"get_weather","arguments":"{\"city\":\"Paris\"}"}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"{\"temperature\":21}"}]},{"role":"user","parts":[{"type":"uri","modality":"image","uri":"https://example.com/cat.png"}]},{"role":"user","parts":[{"type":"text","content":"And?"}]},{"role":"assistant","parts":[{"type":"text","content":"Hm."}]},{"role":"user","parts":[{"type":"text","content":"Go on."}]}]"#.into()),
        ("gen_ai.output.messages", r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"The user wants weather."},{"type":"text","content":"It is 21 °C and clear in Paris."}],"finish_reason":"stop"}]"#.into()),
    ]), None);
    inside.span().end_with_timestamp(at(3800));

    call(
        "chat gpt-4o",
        5000,
        5180,
        &root,
        vec![
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.request.model", "gpt-4o"),
            KeyValue::new("gen_ai.provider.name", "openai"),
            KeyValue::new("server.address", "api.openai.com"),
            KeyValue::new("server.port", 443),
            KeyValue::new("error.type", "rate_limit_exceeded"),
        ],
        Some(
            "Rate limit reached for gpt-4o in organization org-abc on tokens per min (TPM): Limit 30000, Used 29500.",
        ),
    );
    call(
        "embeddings text-embedding-3-small",
        5200,
        5290,
        &root,
        vec![
            KeyValue::new("gen_ai.operation.name", "embeddings"),
            KeyValue::new("gen_ai.request.model", "text-embedding-3-small"),
            KeyValue::new("gen_ai.provider.name", "openai"),
            KeyValue::new("server.address", "127.0.0.1"),
            KeyValue::new("server.port", 8080),
            KeyValue::new("gen_ai.usage.input_tokens", 12345),
            KeyValue::new("gen_ai.embeddings.dimension.count", 1536),
        ],
        None,
    );
    call(
        "chat evil",
        5300,
        5301,
        &root,
        with(
            chat("evil", 1, 1),
            &[
                ("gen_ai.input.messages", "not JSON \u{1b}[2J\u{1b}]0;owned\u{7} \u{202e}reversed".into()),
                (
                    "gen_ai.output.messages",
                    Value::from(format!(
                        r#"[{{"role":"assistant","parts":[{{"type":"text","content":"{}"}}]}}]"#,
                        "長い文章です。".repeat(200)
                    )),
                ),
            ],
        ),
        None,
    );

    let span =
        tracer.span_builder("chat gpt-4o-mini").with_attributes(chat("gpt-4o-mini", 1, 2)).start(&tracer);
    let context = span.span_context().clone();
    drop(span);
    let logger = telemetry.logger_provider().logger("sample");
    let mut record = logger.create_log_record();
    record.set_event_name("gen_ai.client.inference.operation.details");
    record.set_trace_context(context.trace_id(), context.span_id(), Some(context.trace_flags()));
    record.set_severity_number(Severity::Info);
    for pair in chat("gpt-4o-mini", 15, 20) {
        if let Value::String(text) = &pair.value {
            record.add_attribute(pair.key.clone(), text.as_str().to_owned());
        } else if let Value::I64(number) = pair.value {
            record.add_attribute(pair.key.clone(), number);
        }
    }
    let part = AnyValue::Map(Box::new(
        [("type".into(), "text".into()), ("content".into(), "Said in an event alone.".into())].into(),
    ));
    let message = AnyValue::Map(Box::new(
        [("role".into(), "user".into()), ("parts".into(), AnyValue::ListAny(Box::new(vec![part])))].into(),
    ));
    record.add_attribute("gen_ai.input.messages", AnyValue::ListAny(Box::new(vec![message])));
    logger.emit(record);

    let meter = telemetry.meter_provider().meter("sample");
    let duration = meter
        .f64_histogram("gen_ai.client.operation.duration")
        .with_unit("s")
        .with_boundaries(vec![
            0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
        ])
        .build();
    let tokens = meter
        .u64_histogram("gen_ai.client.token.usage")
        .with_unit("{token}")
        .with_boundaries(vec![1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0])
        .build();
    for (seconds, input, output) in [(1.24, 15, 20), (0.89, 610, 34), (0.74, 600, 55)] {
        let model = if input == 15 { "gpt-4o-mini" } else { "gpt-4o" };
        let mut attributes = chat(model, 0, 0);
        attributes
            .retain(|pair| !pair.key.as_str().contains("usage") && !pair.key.as_str().contains("finish"));
        duration.record(seconds, &attributes);
        for (kind, count) in [("input", input), ("output", output)] {
            tokens.record(count, &with(attributes.clone(), &[("gen_ai.token.type", kind.into())]));
        }
    }
    meter
        .u64_counter("otel_genai.observations.dropped")
        .build()
        .add(3, &[KeyValue::new("reason", "queue full")]);
    let report = telemetry.shutdown(Duration::from_secs(3));
    println!("\n{report}");
    Ok(())
}

fn chat(model: &'static str, input: i64, output: i64) -> Vec<KeyValue> {
    vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", "openai"),
        KeyValue::new("gen_ai.request.model", model),
        KeyValue::new("gen_ai.response.model", format!("{model}-2024-07-18")),
        KeyValue::new("server.address", "api.openai.com"),
        KeyValue::new("server.port", 443),
        KeyValue::new("gen_ai.usage.input_tokens", input),
        KeyValue::new("gen_ai.usage.output_tokens", output),
        KeyValue::new("gen_ai.response.finish_reasons", strings(&["stop"])),
    ]
}

fn with(mut attributes: Vec<KeyValue>, more: &[(&'static str, Value)]) -> Vec<KeyValue> {
    attributes.extend(more.iter().map(|(key, value)| KeyValue::new(*key, value.clone())));
    attributes
}

fn strings(texts: &[&'static str]) -> Value {
    Value::Array(Array::String(texts.iter().map(|text| StringValue::from(*text)).collect()))
}
