//! What people see. Times are fixed by the test, so that every line is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, SpanContext, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use otel_genai::{Capture, Config, ConventionName, GenAi, Message, Part};
use otel_genai_sdk::{Color, ConsoleOptions, ConsoleTarget, Exporter, Telemetry};
use serde_json::json;

type Vars = &'static [(&'static str, &'static str)];

/// A terminal that keeps what was written.
struct Screen {
    telemetry: Telemetry,
    written: Written,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn new() -> Self {
        Self::with(ConsoleOptions::new().width(100), &[])
    }

    fn with(options: ConsoleOptions, vars: Vars) -> Self {
        let written = Written::default();
        let telemetry = otel_genai_sdk::builder()
            .vars(move |name| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned()))
            // Nothing is written before the test asks for it.
            .set("OTEL_BSP_SCHEDULE_DELAY", "3600000", "test")
            .set("OTEL_BLRP_SCHEDULE_DELAY", "3600000", "test")
            .default_exporter(Exporter::Console)
            .console(options.target(ConsoleTarget::Writer(Box::new(written.clone()))))
            .set_globals(false)
            .init()
            .unwrap();
        Self { telemetry, written }
    }

    /// A span that took so many milliseconds.
    fn span(&self, name: &'static str, took: u64, attributes: Vec<KeyValue>) -> SpanContext {
        self.span_in(&Context::new(), name, took, attributes, None)
    }

    fn span_in(
        &self,
        parent: &Context,
        name: &'static str,
        took: u64,
        attributes: Vec<KeyValue>,
        error: Option<&'static str>,
    ) -> SpanContext {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let tracer = self.telemetry.tracer_provider().tracer("test");
        let mut span = tracer
            .span_builder(name)
            .with_kind(SpanKind::Client)
            .with_start_time(start)
            .with_attributes(attributes)
            .start_with_context(&tracer, parent);
        if let Some(error) = error {
            span.set_status(Status::error(error));
        }
        span.end_with_timestamp(start + Duration::from_millis(took));
        span.span_context().clone()
    }

    /// The event of a call, which holds the question.
    fn event(&self, context: &SpanContext, name: &'static str) {
        let logger = self.telemetry.logger_provider().logger("test");
        let mut event = logger.create_log_record();
        event.set_event_name(name);
        event.set_severity_number(Severity::Info);
        event.set_timestamp(SystemTime::UNIX_EPOCH + Duration::from_millis(3_661_234));
        event.set_trace_context(context.trace_id(), context.span_id(), Some(context.trace_flags()));
        event.add_attribute("gen_ai.operation.name", "chat");
        event.add_attribute("gen_ai.request.model", "gpt-4o-mini");
        event.add_attribute("gen_ai.usage.input_tokens", 15);
        let map = |pairs: Vec<(&'static str, AnyValue)>| {
            AnyValue::Map(Box::new(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()))
        };
        let part = map(vec![("type", "text".into()), ("content", "Hello".into())]);
        let message = map(vec![("role", "user".into()), ("parts", AnyValue::ListAny(Box::new(vec![part])))]);
        event.add_attribute("gen_ai.input.messages", AnyValue::ListAny(Box::new(vec![message])));
        logger.emit(event);
    }

    /// A call that is under way; dropped, it ends.
    fn open(&self) -> opentelemetry_sdk::trace::Span {
        let tracer = self.telemetry.tracer_provider().tracer("test");
        tracer
            .span_builder("chat gpt-4o-mini")
            .with_attributes(chat(&[]))
            .start_with_context(&tracer, &Context::new())
    }

    /// What was written so far.
    fn text(&self) -> String {
        String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap()
    }

    fn end(self) -> String {
        assert!(self.telemetry.shutdown(Duration::from_secs(30)).is_complete());
        self.text()
    }
}

fn chat(more: &[(&'static str, Value)]) -> Vec<KeyValue> {
    let usual: [(&'static str, Value); 9] = [
        ("gen_ai.operation.name", "chat".into()),
        ("gen_ai.provider.name", "openai".into()),
        ("gen_ai.request.model", "gpt-4o-mini".into()),
        ("gen_ai.response.model", "gpt-4o-mini-2024-07-18".into()),
        ("gen_ai.response.finish_reasons", strings(&["stop"])),
        ("gen_ai.usage.input_tokens", 15.into()),
        ("gen_ai.usage.output_tokens", 20.into()),
        ("server.address", "api.openai.com".into()),
        ("server.port", 443.into()),
    ];
    let kept = usual.into_iter().filter(|(key, _)| !more.iter().any(|(other, _)| other == key));
    kept.chain(more.iter().cloned()).map(|(key, value)| KeyValue::new(key, value)).collect()
}

/// A call whose span may hold the question.
fn asked(said: bool) -> Vec<KeyValue> {
    let mut attributes = chat(&[]);
    if said {
        let said = r#"[{"role":"user","parts":[{"type":"text","content":"Hello"}]}]"#;
        attributes.push(KeyValue::new("gen_ai.input.messages", said));
    }
    attributes
}

fn strings(texts: &[&'static str]) -> Value {
    Value::Array(Array::String(texts.iter().map(|text| StringValue::from(*text)).collect()))
}

#[test]
fn a_call_is_one_line() {
    let screen = Screen::new();
    screen.span("chat gpt-4o-mini", 1240, chat(&[]));
    assert_eq!(
        screen.end(),
        "● chat gpt-4o-mini  1.24 s  tokens 15 in → 20 out  finish stop  openai api.openai.com\n"
    );
}

#[test]
fn a_streamed_call_says_when_the_first_chunk_came_and_what_was_cached() {
    let screen = Screen::new();
    let attributes = chat(&[
        ("gen_ai.request.stream", true.into()),
        ("gen_ai.response.time_to_first_chunk", 0.312.into()),
        ("gen_ai.usage.cache_read.input_tokens", 8.into()),
        ("gen_ai.usage.reasoning.output_tokens", 3.into()),
    ]);
    screen.span("chat gpt-4o-mini", 65_000, attributes);
    assert_eq!(
        screen.end(),
        "\
● chat gpt-4o-mini  1 m 05 s  first chunk 312 ms  tokens 15 in → 20 out (8 cached, 3 reasoning)
  finish stop  openai api.openai.com

"
    );
}

#[test]
fn an_error_says_what_and_why() {
    let screen = Screen::new();
    let attributes = vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", "openai"),
        KeyValue::new("gen_ai.request.model", "gpt-4o"),
        KeyValue::new("server.address", "127.0.0.1"),
        KeyValue::new("server.port", 8080),
        KeyValue::new("error.type", "rate_limit_exceeded"),
    ];
    let why =
        "Rate limit reached for gpt-4o in organization org-abc on tokens per min: Limit 30000, Used 29500.";
    screen.span_in(&Context::new(), "chat gpt-4o", 180, attributes, Some(why));
    assert_eq!(
        screen.end(),
        "\
✗ chat gpt-4o  180 ms  openai 127.0.0.1:8080
    error      rate_limit_exceeded: Rate limit reached for gpt-4o in organization org-abc on tokens
               per min: Limit 30000, Used 29500.

"
    );
}

#[test]
fn captured_content_is_folded_below_the_call() {
    let screen = Screen::new();
    let attributes = chat(&[
        ("gen_ai.response.finish_reasons", strings(&["tool_calls"])),
        ("gen_ai.system_instructions", r#"[{"type":"text","content":"Be brief."}]"#.into()),
        (
            "gen_ai.input.messages",
            r#"[
            {"role":"user","parts":[{"type":"text","content":"Weather in Paris and 東京?"}]},
            {"role":"user","parts":[{"type":"text","content":"left out"}]},
            {"role":"user","parts":[{"type":"blob","modality":"image","mime_type":"image/png","content":"aGk="}]},
            {"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"locate","arguments":"{\"city\":\"Paris\"}"}]},
            {"role":"tool","parts":[{"type":"tool_call_response","id":"1","response":{"lat":48.9}}]},
            {"role":"user","parts":[{"type":"uri","modality":"image","uri":"https://example.com/cat.png"}]}
            ]"#
                .into(),
        ),
        (
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[
                {"type":"reasoning","content":"They want weather."},
                {"type":"tool_call","id":"2","name":"get_weather","arguments":{"city":"Paris","days":3}}
            ],"finish_reason":"tool_call"}]"#
                .into(),
        ),
        (
            "gen_ai.tool.definitions",
            r#"[{"type":"function","name":"get_weather"},{"type":"function","function":{"name":"locate"}}]"#.into(),
        ),
    ]);
    screen.span("chat gpt-4o-mini", 890, attributes);
    assert_eq!(
        screen.end(),
        "\
● chat gpt-4o-mini  890 ms  tokens 15 in → 20 out  finish tool_calls  openai api.openai.com
    system     Be brief.
    user       Weather in Paris and 東京?
               … 1 more message
    user       [image]
    assistant  locate(city: \"Paris\")
    tool       → {\"lat\":48.9}
    user       [image https://example.com/cat.png]
    assistant  (thinks) They want weather.
               get_weather(city: \"Paris\", days: 3)
    tools      get_weather, locate

"
    );
}

#[test]
fn children_stand_below_their_parents_and_other_spans_are_shown_too() {
    let screen = Screen::new();
    let tracer = screen.telemetry.tracer_provider().tracer("test");
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let agent = tracer
        .span_builder("invoke_agent Helper")
        .with_start_time(start)
        .with_attributes([
            KeyValue::new("gen_ai.operation.name", "invoke_agent"),
            KeyValue::new("gen_ai.conversation.id", "conv_5j66"),
        ])
        .start(&tracer);
    let inside = Context::new().with_span(agent);
    screen.span_in(&inside, "chat gpt-4o-mini", 890, chat(&[]), None);
    let tool = [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.call.arguments", r#"{"city":"Paris"}"#),
        ("gen_ai.tool.call.result", "sunny"),
    ];
    let tool = tool.map(|(key, value)| KeyValue::new(key, value)).to_vec();
    screen.span_in(&inside, "execute_tool get_weather", 3, tool, None);
    let request =
        vec![KeyValue::new("http.request.method", "POST"), KeyValue::new("http.response.status_code", 200)];
    screen.span_in(&inside, "POST", 75, request, None);
    inside.span().end_with_timestamp(start + Duration::from_secs(2));
    screen.span(
        "embeddings text-embedding-3-small",
        90,
        vec![
            KeyValue::new("gen_ai.operation.name", "embeddings"),
            KeyValue::new("gen_ai.usage.input_tokens", 12_345),
            KeyValue::new("gen_ai.embeddings.dimension.count", 1536),
        ],
    );
    assert_eq!(
        screen.end(),
        "\
● invoke_agent Helper  2.00 s  conversation conv_5j66
  ● chat gpt-4o-mini  890 ms  tokens 15 in → 20 out  finish stop  openai api.openai.com
  ● execute_tool get_weather  3.0 ms
      arguments  {\"city\":\"Paris\"}
      result     sunny
  ● POST  75 ms  client  http.request.method=POST  http.response.status_code=200

● embeddings text-embedding-3-small  90 ms  tokens 12,345 in  dimensions 1,536
"
    );
}

#[test]
fn content_cannot_speak_to_the_terminal_and_long_content_is_cut() {
    let screen = Screen::with(ConsoleOptions::new().width(60), &[]);
    let long = format!(
        r#"[{{"role":"assistant","parts":[{{"type":"text","content":"{}"}}]}}]"#,
        "長い文章です。".repeat(300)
    );
    let attributes = chat(&[
        (
            "gen_ai.input.messages",
            "[not JSON \u{1b}[2J\u{1b}]0;owned\u{7} \u{9b}31m \u{202e}txet\r\n2nd line".into(),
        ),
        ("gen_ai.output.messages", long.into()),
    ]);
    screen.span("chat \u{1b}[31mred", 0, attributes);
    assert_eq!(
        screen.end(),
        "\
● chat ␛[31mred  0 µs  tokens 15 in → 20 out  finish stop
  openai api.openai.com
    input      [not JSON ␛[2J␛]0;owned␇ �31m �txet
               2nd line
    assistant  長い文章です。長い文章です。長い文章です。長
               い文章です。長い文章です … +2,066 characters

"
    );
}

#[test]
fn colours_are_for_terminals_and_for_who_asks() {
    let rows: &[(Color, Vars, bool)] = &[
        (Color::Auto, &[], false),
        (Color::Always, &[("NO_COLOR", "1")], true),
        (Color::Auto, &[("FORCE_COLOR", "1")], true),
        (Color::Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (Color::Never, &[("FORCE_COLOR", "1")], false),
    ];
    for (color, vars, coloured) in rows {
        let screen = Screen::with(ConsoleOptions::new().color(*color), vars);
        screen.span("chat gpt-4o-mini", 1, chat(&[]));
        assert_eq!(screen.end().contains('\u{1b}'), *coloured, "{color:?} {vars:?}");
    }
}

#[test]
fn an_event_stands_below_its_span_and_adds_what_only_it_knows() {
    for said_in_span in [false, true] {
        let screen = Screen::new();
        let context = screen.span("chat gpt-4o-mini", 1, asked(said_in_span));
        screen.event(&context, "gen_ai.client.inference.operation.details");
        assert_eq!(
            screen.end(),
            "\
● chat gpt-4o-mini  1.0 ms  tokens 15 in → 20 out  finish stop  openai api.openai.com
    user       Hello
    event      gen_ai.client.inference.operation.details

"
        );
    }
}

#[test]
fn an_event_that_comes_first_waits_for_its_span() {
    let screen = Screen::new();
    let span = screen.open();
    screen.event(span.span_context(), "gen_ai.client.inference.operation.details");
    screen.telemetry.logger_provider().force_flush().unwrap();
    assert_eq!(screen.text(), "");
    drop(span);
    let written = screen.end();
    assert!(written.starts_with("● chat gpt-4o-mini "), "{written}");
    assert_eq!(written.matches("Hello").count(), 1, "{written}");
    assert_eq!(written.matches("operation.details").count(), 1, "{written}");
}

#[test]
fn an_event_that_comes_late_or_without_a_span_is_a_line_of_its_own() {
    let screen = Screen::new();
    let context = screen.span("chat gpt-4o-mini", 1, asked(true));
    screen.telemetry.tracer_provider().force_flush().unwrap();
    let before = screen.text().len();
    screen.event(&context, "gen_ai.client.inference.operation.details");
    screen.event(&SpanContext::empty_context(), "gen_ai.client.inference.operation.details");
    let written = screen.end();
    let line =
        "  01:01:01.234Z  info  gen_ai.client.inference.operation.details  chat  gpt-4o-mini  tokens 15 in\n";
    assert_eq!(written[before..], format!("\n{line}{line}      user       Hello\n")[1..], "{written}");
}

#[test]
fn a_log_record_of_the_program_does_not_wait() {
    let screen = Screen::new();
    let span = screen.open();
    screen.event(span.span_context(), "order.found");
    screen.telemetry.logger_provider().force_flush().unwrap();
    assert!(screen.text().contains("  info  order.found  "), "{}", screen.text());
    drop(span);
}

#[test]
fn a_span_that_never_comes_takes_no_event_with_it() {
    let screen = Screen::new();
    let span = screen.open();
    screen.event(span.span_context(), "gen_ai.client.inference.operation.details");
    assert!(screen.telemetry.shutdown(Duration::from_secs(30)).is_complete());
    assert_eq!(screen.text().matches("Hello").count(), 1, "{}", screen.text());
    drop(span);
}

/// What the library makes of a call in a convention, as people see it.
fn told_in(convention: ConventionName, make: impl FnOnce(&GenAi)) -> String {
    let screen = Screen::new();
    let genai = GenAi::builder()
        .tracer_provider(&screen.telemetry.tracer_provider())
        .logger_provider(&screen.telemetry.logger_provider())
        .convention(convention)
        .config(Config::default())
        .capture(Capture::ByConvention)
        .build();
    make(&genai);
    screen.end()
}

#[test]
fn messages_in_the_bodies_of_events_are_a_conversation() {
    let written = told_in(ConventionName::V1_30, |genai| {
        let mut call = genai.chat("openai", "gpt-4o").start();
        call.input([
            Message::system("Be brief."),
            Message::user("Weather?"),
            Message::assistant_parts([Part::tool_call("call_1", "get_weather", json!({ "city": "Paris" }))]),
            Message::tool("call_1", json!("18 degrees")),
        ]);
        call.output([Message::assistant("Mild.").finish("stop")]);
        call.finish();
    });
    let (headline, below) = written.split_once('\n').unwrap();
    assert!(headline.starts_with("● chat gpt-4o ") && headline.ends_with("  openai"), "{written}");
    assert_eq!(
        below,
        "    system     Be brief.
    user       Weather?
    assistant  get_weather(city: \"Paris\")
    tool       → 18 degrees
    assistant  Mild.
    events     gen_ai.system.message, gen_ai.user.message, gen_ai.assistant.message,
               gen_ai.tool.message, gen_ai.choice

"
    );
}

#[test]
fn every_convention_says_what_an_operation_is_about() {
    for convention in ConventionName::ALL {
        let written = told_in(convention, |genai| {
            let mut entry = genai.entry().session("session-7").user("ada").start();
            entry.input([Message::user("Where is my order?")]);
            let inside = entry.attach();
            genai.react_step(2).start().finish();
            let mut rerank = genai.rerank("cohere", "rerank-v3.5").start();
            rerank.input_documents([
                json!({ "id": "d1", "content": "One." }),
                json!({ "id": "d2", "content": "Two." }),
            ]);
            rerank.finish();
            drop(inside);
            entry.finish();
        });
        for words in [
            "session session-7  user ada\n",
            "  round 2\n",
            "rerank_documents rerank-v3.5  ",
            "  documents 2  cohere\n",
        ] {
            assert!(written.contains(words), "{convention} lacks {words:?}: {written}");
        }
        assert_eq!(written.matches("session-7").count(), 1, "{convention}: {written}");
        let has_content = convention != ConventionName::V1_30;
        assert_eq!(
            written.contains("input      2: d1 \"One.\", d2 \"Two.\""),
            has_content,
            "{convention}: {written}"
        );
    }
}

#[test]
fn what_was_uploaded_and_what_was_not_read_is_said() {
    let screen = Screen::new();
    screen.span(
        "chat gpt-4o-mini",
        1,
        chat(&[
            ("gen_ai.input.messages_ref", "file:///prompts/aa_inputs.json".into()),
            ("gen_ai.output.messages_ref", "file:///prompts/bb_outputs.json".into()),
            ("otel_genai.observation", "part of the traffic was not read".into()),
        ]),
    );
    let written = screen.end();
    assert!(written.contains("    note       part of the traffic was not read\n"), "{written}");
    assert!(
        written.contains("    uploaded   input.messages, output.messages to file:///prompts\n"),
        "{written}"
    );
}

#[test]
fn metrics_are_a_table() {
    let screen = Screen::new();
    let meter = screen.telemetry.meter_provider().meter("test");
    let duration = meter
        .f64_histogram("gen_ai.client.operation.duration")
        .with_unit("s")
        .with_boundaries(vec![0.5, 1.0, 2.0])
        .build();
    let call =
        [KeyValue::new("gen_ai.operation.name", "chat"), KeyValue::new("gen_ai.request.model", "gpt-4o")];
    duration.record(1.5, &call);
    duration.record(0.5, &call);
    assert_eq!(
        screen.end(),
        "  gen_ai.client.operation.duration  count   total    mean     p50     p95     max
    chat gpt-4o                         2  2.00 s  1.00 s  500 ms  1.45 s  1.50 s
"
    );
    let screen = Screen::new();
    screen.telemetry.meter_provider().meter("test").u64_counter("dropped").build().add(12_345, &[]);
    assert_eq!(
        screen.end(),
        "  dropped   total
    (all)  12,345
"
    );
}
