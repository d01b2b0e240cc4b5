//! What spans and log records say, told in the words of each vocabulary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::{logs, trace};
use otel_genai_store::{
    Attributes, ContentState, Cost, CostSource, Dialect, Facts, Form, Glue, Held, LogRecord, Nanos, NoPrices,
    Op, Origin, Piece, Pieces, Pricing, Scope, Span, Usage, dialects_of, of_log, of_span,
};

const START: u64 = 1_700_000_000_000_000_000;

type Told = Vec<(&'static str, Value)>;

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn int(number: i64) -> Value {
    Value::IntValue(number)
}

fn double(number: f64) -> Value {
    Value::DoubleValue(number)
}

fn texts(texts: &[&str]) -> Value {
    let values = texts.iter().map(|each| AnyValue { value: Some(text(each)) }).collect();
    Value::ArrayValue(ArrayValue { values })
}

fn attributes(list: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<KeyValue> {
    let each = |(key, value): (&str, Value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        key_strindex: 0,
    };
    list.into_iter().map(each).collect()
}

fn raw(name: &str, list: impl IntoIterator<Item = (&'static str, Value)>) -> trace::v1::Span {
    trace::v1::Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: name.to_owned(),
        start_time_unix_nano: START,
        end_time_unix_nano: START + 1_000_000_000,
        attributes: attributes(list),
        ..trace::v1::Span::default()
    }
}

fn kept(span: trace::v1::Span) -> Span {
    Span::from_otlp(span, &Arc::new(Origin::default()), Nanos(START)).unwrap()
}

fn facts(name: &str, list: impl IntoIterator<Item = (&'static str, Value)>) -> Facts {
    of_span(&kept(raw(name, list)), &NoPrices)
}

fn log(body: Option<&str>, list: impl IntoIterator<Item = (&'static str, Value)>) -> Facts {
    log_of("", body, list)
}

fn log_of(scope: &str, body: Option<&str>, list: impl IntoIterator<Item = (&'static str, Value)>) -> Facts {
    let scope = InstrumentationScope { name: scope.to_owned(), ..InstrumentationScope::default() };
    let scope = Scope::from_otlp(Some(scope), String::new());
    let origin = Arc::new(Origin { scope, ..Origin::default() });
    let log = logs::v1::LogRecord {
        time_unix_nano: START,
        body: body.map(|body| AnyValue { value: Some(text(body)) }),
        attributes: attributes(list),
        ..logs::v1::LogRecord::default()
    };
    of_log(&LogRecord::from_otlp(log, &origin, Nanos(START)).unwrap(), &NoPrices)
}

#[allow(clippy::unnecessary_wraps, reason = "facts are optional")]
fn some(text: &str) -> Option<Arc<str>> {
    Some(text.into())
}

#[test]
fn conventions_of_today() {
    let found = facts(
        "chat gpt-4o-mini",
        [
            ("gen_ai.operation.name", text("chat")),
            ("gen_ai.provider.name", text("openai")),
            ("gen_ai.request.model", text("gpt-4o-mini")),
            ("gen_ai.response.model", text("gpt-4o-mini-2024-07-18")),
            ("gen_ai.response.id", text("chatcmpl-1")),
            // Some exporters make text of lists and of numbers.
            ("gen_ai.response.finish_reasons", text(r#"["stop","tool_calls"]"#)),
            ("gen_ai.response.time_to_first_chunk", double(0.25)),
            ("gen_ai.request.stream", Value::BoolValue(true)),
            ("gen_ai.usage.input_tokens", text("12")),
            ("gen_ai.usage.output_tokens", double(3.0)),
            ("gen_ai.usage.cache_read.input_tokens", int(4)),
            ("gen_ai.conversation.id", text("c-1")),
            ("gen_ai.agent.name", text("planner")),
            ("enduser.id", int(7)),
            ("otel_genai.inferred", Value::BoolValue(true)),
            ("gen_ai.input.messages", text(r#"[{"role":"user","parts":[]}]"#)),
        ],
    );
    let expected = Facts {
        op: Some(Op::Chat),
        dialect: Some(Dialect::V2026_08),
        provider: some("openai"),
        request_model: some("gpt-4o-mini"),
        response_model: some("gpt-4o-mini-2024-07-18"),
        response_id: some("chatcmpl-1"),
        finish: some("stop,tool_calls"),
        first_chunk: Some(Duration::from_millis(250)),
        stream: Some(true),
        usage: Usage { input: Some(12), output: Some(3), cache_read: Some(4), ..Usage::default() },
        conversation: some("c-1"),
        agent: some("planner"),
        user: some("7"),
        inferred: true,
        content: ContentState::Here,
        ..Facts::default()
    };
    assert_eq!(found, expected);

    let newer = facts(
        "chat m",
        [
            ("gen_ai.operation.name", text("generate_content")),
            ("gen_ai.provider.name", text("gcp.gemini")),
            ("gen_ai.usage.cache_write.input_tokens", int(5)),
            ("gen_ai.usage.reasoning.output_tokens", int(6)),
            ("gen_ai.usage.text.input_tokens", int(1)),
        ],
    );
    assert_eq!((newer.op, newer.dialect), (Some(Op::GenerateContent), Some(Dialect::V2026_10)));
    assert_eq!((newer.usage.cache_write, newer.usage.reasoning), (Some(5), Some(6)));
    assert_eq!(newer.content, ContentState::Absent);
}

#[test]
fn each_dialect_is_told_by_its_words() {
    let rows: Vec<(&str, Told, Option<Op>, Dialect)> = vec![
        (
            "loongsuite",
            vec![("gen_ai.operation.name", text("react")), ("gen_ai.span.kind", text("STEP"))],
            Some(Op::ReactStep),
            Dialect::LoongSuite,
        ),
        (
            "v1.30",
            vec![("gen_ai.operation.name", text("chat")), ("gen_ai.system", text("openai"))],
            Some(Op::Chat),
            Dialect::V1_30,
        ),
        (
            "older names",
            vec![
                ("gen_ai.system", text("vertex_ai")),
                ("gen_ai.request.model", text("gemini-1.5")),
                ("gen_ai.usage.prompt_tokens", int(9)),
            ],
            Some(Op::Chat),
            Dialect::GenAiOther,
        ),
        (
            "openllmetry",
            vec![("llm.request.type", text("completion")), ("gen_ai.prompt.0.content", text("hi"))],
            Some(Op::TextCompletion),
            Dialect::OpenLlmetry,
        ),
        ("task", vec![("traceloop.span.kind", text("task"))], Some(Op::Chain), Dialect::OpenLlmetry),
        (
            "openinference",
            vec![("openinference.span.kind", text("GUARDRAIL"))],
            Some(Op::Guardrail),
            Dialect::OpenInference,
        ),
        (
            "vercel",
            vec![("ai.operationId", text("ai.toolCall")), ("ai.toolCall.name", text("f"))],
            Some(Op::ExecuteTool),
            Dialect::Vercel,
        ),
        (
            "pydantic-ai",
            vec![
                ("logfire.msg", text("agent run")),
                ("agent_name", text("planner")),
                ("gen_ai.usage.input_tokens", int(1)),
                ("pydantic_ai.all_messages", text("[{}]")),
            ],
            Some(Op::InvokeAgent),
            Dialect::Logfire,
        ),
        ("mlflow", vec![("mlflow.spanType", text("\"CHAT_MODEL\""))], Some(Op::Chat), Dialect::MlFlow),
        (
            "mcp",
            vec![("mcp.method.name", text("tools/call")), ("gen_ai.operation.name", text("execute_tool"))],
            Some(Op::Mcp),
            Dialect::V2026_08,
        ),
    ];
    for (name, list, op, dialect) in rows {
        let found = facts(name, list);
        assert_eq!((found.op, found.dialect), (op, Some(dialect)), "{name}");
    }
}

#[test]
fn others_words_say_the_same() {
    let vercel = facts(
        "ai.streamText.doStream",
        [
            ("ai.operationId", text("ai.streamText.doStream")),
            ("ai.model.id", text("claude-4")),
            ("ai.model.provider", text("anthropic.messages")),
            ("ai.response.finishReason", text("tool-calls")),
            ("ai.response.id", text("msg_1")),
            ("ai.response.model", text("claude-4-1")),
            ("ai.response.msToFirstChunk", double(125.0)),
            ("ai.usage.inputTokens", int(50)),
            ("ai.usage.outputTokens", int(6)),
            ("ai.usage.cachedInputTokens", int(40)),
            ("ai.telemetry.functionId", text("support")),
            ("ai.response.text", text("Hello")),
        ],
    );
    let expected = Facts {
        op: Some(Op::Chat),
        dialect: Some(Dialect::Vercel),
        provider: some("anthropic"),
        request_model: some("claude-4"),
        response_model: some("claude-4-1"),
        response_id: some("msg_1"),
        finish: some("tool-calls"),
        first_chunk: Some(Duration::from_millis(125)),
        stream: Some(true),
        usage: Usage { input: Some(50), output: Some(6), cache_read: Some(40), ..Usage::default() },
        content: ContentState::Here,
        ..Facts::default()
    };
    assert_eq!(vercel, expected, "a function's name is that of an agent only where an agent runs");
    let outer = facts(
        "ai.streamText",
        [("ai.operationId", text("ai.streamText")), ("ai.telemetry.functionId", text("support"))],
    );
    assert_eq!((outer.op, outer.agent), (Some(Op::InvokeAgent), some("support")));
    let vectors = facts(
        "ai.embed.doEmbed",
        [("ai.operationId", text("ai.embed.doEmbed")), ("ai.usage.tokens", int(8))],
    );
    assert_eq!((vectors.op, vectors.usage.input), (Some(Op::Embeddings), Some(8)));

    let openinference = facts(
        "ChatCompletion",
        [
            ("openinference.span.kind", text("LLM")),
            ("llm.system", text("mistralai")),
            ("llm.model_name", text("mistral-large")),
            ("llm.input_messages.0.message.content", text("hi")),
            ("llm.token_count.prompt", int(30)),
            ("llm.token_count.completion", int(10)),
            ("llm.token_count.prompt_details.cache_read", int(4)),
            ("llm.cost.total", double(0.0125)),
            ("session.id", text("s-1")),
            ("user.id", text("jo")),
        ],
    );
    let expected = Facts {
        op: Some(Op::Chat),
        dialect: Some(Dialect::OpenInference),
        provider: some("mistral_ai"),
        request_model: some("mistral-large"),
        usage: Usage { input: Some(30), output: Some(10), cache_read: Some(4), ..Usage::default() },
        cost: Some(Cost { nanos: 12_500_000, saved: 0, source: CostSource::Reported }),
        conversation: some("s-1"),
        user: some("jo"),
        content: ContentState::Here,
        ..Facts::default()
    };
    assert_eq!(openinference, expected);
    let found = facts(
        "VectorStore",
        [
            ("openinference.span.kind", text("RETRIEVER")),
            ("retrieval.documents.0.document.id", text("d-1")),
            ("retrieval.documents.11.document.id", text("d-12")),
        ],
    );
    assert_eq!((found.op, found.count), (Some(Op::Retrieval), Some(12)));

    let openllmetry = facts(
        "openai.chat",
        [
            ("llm.request.type", text("chat")),
            ("gen_ai.system", text("OpenAI")),
            ("gen_ai.request.model", text("gpt-4o")),
            ("gen_ai.completion.0.finish_reason", text("tool_calls")),
            ("gen_ai.usage.prompt_tokens", int(20)),
            ("gen_ai.usage.completion_tokens", int(5)),
            ("traceloop.entity.name", text("support")),
        ],
    );
    assert_eq!((openllmetry.provider, openllmetry.finish), (some("openai"), some("tool_calls")));
    assert_eq!((openllmetry.usage.input, openllmetry.usage.output), (Some(20), Some(5)));
    assert_eq!((openllmetry.agent, openllmetry.tool), (None, None));
    let tool = facts(
        "search.tool",
        [("traceloop.span.kind", text("tool")), ("traceloop.entity.name", text("search"))],
    );
    assert_eq!((tool.op, tool.tool, tool.agent), (Some(Op::ExecuteTool), some("search"), None));

    let mlflow = facts(
        "Completions",
        [
            ("mlflow.spanType", text("\"LLM\"")),
            ("mlflow.chat.tokenUsage", text(r#"{"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}"#)),
        ],
    );
    assert_eq!((mlflow.usage.input, mlflow.usage.output), (Some(7), Some(2)));
}

#[test]
fn what_cannot_be_read_gives_way_to_what_can() {
    let found = facts(
        "chat",
        [
            ("gen_ai.operation.name", text("chat")),
            ("gen_ai.usage.input_tokens", text("many")),
            ("gen_ai.usage.prompt_tokens", int(9)),
            ("gen_ai.usage.output_tokens", int(-1)),
            ("gen_ai.request.model", text("first")),
            ("gen_ai.request.model", text("last")),
            ("gen_ai.response.time_to_first_chunk", double(-1.0)),
            ("gen_ai.usage.cost", double(f64::NAN)),
        ],
    );
    assert_eq!((found.usage.input, found.usage.output), (Some(9), None));
    assert_eq!(found.request_model, some("last"), "of two with one name the last counts");
    assert_eq!((found.first_chunk, found.cost), (None, None));
    let long = "é".repeat(2000);
    let name = facts("t", [("gen_ai.operation.name", text("chat")), ("gen_ai.request.model", text(&long))]);
    assert_eq!(name.request_model.unwrap().len(), 512, "a name that nobody gave");
    assert_eq!(facts("GET /", [("session.id", text("s"))]), Facts::default(), "nothing of generative AI");
    assert_eq!(facts("GET /", [("http.request.method", text("GET"))]).op, Some(Op::Http));
    assert_eq!(facts("q", [("db.system.name", text("sqlite"))]).op, Some(Op::Database));
}

#[test]
fn errors_have_a_type() {
    let status = |code| Some(trace::v1::Status { code, message: String::new() });
    let event = |name: &str, list: Told| trace::v1::span::Event {
        time_unix_nano: START + 5_000_000,
        name: name.to_owned(),
        attributes: attributes(list),
        dropped_attributes_count: 0,
    };
    let exception = || vec![event("exception", vec![("exception.type", text("TimeoutError"))])];
    let chat = || raw("chat", [("gen_ai.operation.name", text("chat"))]);
    let of = |span: trace::v1::Span| of_span(&kept(span), &NoPrices);

    let failed = trace::v1::Span { status: status(2), events: exception(), ..chat() };
    assert_eq!(of(failed).error, some("TimeoutError"));
    let handled = trace::v1::Span { status: status(1), events: exception(), ..chat() };
    assert_eq!(of(handled).error, None);
    assert_eq!(of(trace::v1::Span { status: status(2), ..chat() }).error, some("_OTHER"));
    let told = raw("chat", [("gen_ai.operation.name", text("chat")), ("error.type", text("429"))]);
    assert_eq!(of(told).error, some("429"), "whatever the status");
    let plain = trace::v1::Span { status: status(2), ..raw("GET /", []) };
    assert_eq!(of(plain).error, some("_OTHER"), "of any span");

    let events = vec![
        event("gen_ai.content.prompt", vec![("gen_ai.prompt", text("hi"))]),
        event("first_token", vec![]),
    ];
    let told = of(trace::v1::Span { events, ..chat() });
    assert_eq!(told.first_chunk, Some(Duration::from_millis(5)));
    assert_eq!(told.content, ContentState::Here);
    let empty = vec![event("gen_ai.choice", vec![("finish_reason", text("stop"))])];
    assert_eq!(of(trace::v1::Span { events: empty, ..chat() }).content, ContentState::Absent);
    let elsewhere = raw(
        "chat",
        [("gen_ai.operation.name", text("chat")), ("gen_ai.input.messages_ref", text("file:///a.json"))],
    );
    assert_eq!(of(elsewhere).content, ContentState::ByReference);
}

#[test]
fn content_in_pieces_is_content_and_is_not_read() {
    let mut span = kept(raw("retrieval", [("gen_ai.operation.name", text("retrieval"))]));
    let piece = |text: &'static str| Arc::new(Piece::new(Form::Text, text.into()));
    let list = vec![piece("{}"), piece("{}"), piece("{}")];
    let mut attribute =
        Attributes::from_otlp(attributes([("gen_ai.retrieval.documents", text(""))])).0.remove(0);
    attribute.value = Held::Pieces(Pieces { glue: Glue::JsonTight, list });
    span.attributes.0.push(attribute);
    let found = of_span(&span, &NoPrices);
    assert_eq!((found.content, found.count), (ContentState::Here, Some(3)));
    let whole = facts(
        "retrieval",
        [
            ("gen_ai.operation.name", text("retrieval")),
            ("gen_ai.retrieval.documents", text(r#"[{"id":"a"},{"id":"b"}]"#)),
        ],
    );
    assert_eq!(whole.count, Some(2));
}

/// A thousand of the currency's units for each token.
struct Dear;

impl Pricing for Dear {
    fn cost(&self, provider: &str, model: &str, _: Nanos, usage: &Usage) -> Option<Cost> {
        let known = (provider, model) == ("openai", "gpt-5");
        known.then(|| Cost {
            nanos: i64::try_from(usage.input.unwrap_or(0)).unwrap() * 1_000,
            saved: 0,
            source: CostSource::Table,
        })
    }

    fn version(&self) -> u64 {
        1
    }
}

#[test]
fn prices_are_asked_for_calls_whose_tokens_count() {
    let of = |op: &str, more: Told| {
        let list = [
            ("gen_ai.operation.name", text(op)),
            ("gen_ai.provider.name", text("openai")),
            ("gen_ai.request.model", text("gpt-5")),
        ];
        of_span(&kept(raw("call", list.into_iter().chain(more))), &Dear).cost
    };
    let tokens = || ("gen_ai.usage.input_tokens", int(2));
    let table = Some(Cost { nanos: 2_000, saved: 0, source: CostSource::Table });
    assert_eq!(of("chat", vec![tokens()]), table);
    let newer = ("gen_ai.response.model", text("gpt-5-next"));
    assert_eq!(of("chat", vec![tokens(), newer]), table, "of two models the one that has a price");
    assert_eq!(of("invoke_agent", vec![tokens()]), None, "its calls were told themselves");
    assert_eq!(of("chat", vec![]), None);
    let told = Some(Cost { nanos: 500_000_000, saved: 0, source: CostSource::Reported });
    assert_eq!(of("chat", vec![tokens(), ("gen_ai.usage.cost", double(0.5))]), told);
}

#[test]
fn coding_agents_tell_by_logs() {
    // Claude Code: the event's name is short, the body has all of it, and numbers may be text.
    let request = log(
        Some("claude_code.api_request"),
        [
            ("event.name", text("api_request")),
            ("session.id", text("s-1")),
            ("user.id", text("u-1")),
            ("prompt.id", text("p-1")),
            ("model", text("claude-opus-4-1-20250805")),
            ("input_tokens", text("10")),
            ("output_tokens", int(200)),
            ("cache_read_tokens", int(3000)),
            ("cache_creation_tokens", int(50)),
            ("cost_usd", double(0.0213)),
            ("duration_ms", int(1500)),
            ("request_id", text("req_1")),
        ],
    );
    let expected = Facts {
        op: Some(Op::Chat),
        dialect: Some(Dialect::ClaudeCode),
        provider: some("anthropic"),
        request_model: some("claude-opus-4-1-20250805"),
        response_model: some("claude-opus-4-1-20250805"),
        response_id: some("req_1"),
        conversation: some("s-1"),
        user: some("u-1"),
        // The convention's input has the cached ones in it.
        usage: Usage {
            input: Some(3060),
            output: Some(200),
            cache_read: Some(3000),
            cache_write: Some(50),
            ..Usage::default()
        },
        cost: Some(Cost { nanos: 21_300_000, saved: 0, source: CostSource::Reported }),
        ..Facts::default()
    };
    assert_eq!(request, expected);
    let failed = log(
        Some("claude_code.api_error"),
        [("event.name", text("api_error")), ("model", text("claude-x")), ("status_code", int(529))],
    );
    assert_eq!((failed.op, failed.error, failed.response_model), (Some(Op::Chat), some("529"), None));
    let tool = log(
        Some("claude_code.tool_result"),
        [
            ("event.name", text("tool_result")),
            ("tool_name", text("Bash")),
            ("tool_use_id", text("toolu_1")),
            ("success", text("false")),
            ("tool_parameters", text(r#"{"command":"ls"}"#)),
        ],
    );
    assert_eq!((tool.op, tool.tool, tool.tool_call), (Some(Op::ExecuteTool), some("Bash"), some("toolu_1")));
    assert_eq!((tool.error, tool.content), (some("_OTHER"), ContentState::Here));
    let hidden = log(Some("claude_code.user_prompt"), [("prompt", text("<REDACTED>"))]);
    assert_eq!((hidden.op, hidden.content), (None, ContentState::Absent));
    assert_eq!(log(Some("claude_code.new_thing"), []).dialect, Some(Dialect::ClaudeCode));
    let short = log_of("com.anthropic.claude_code.events", None, [("event.name", text("api_request"))]);
    assert_eq!((short.op, short.dialect), (Some(Op::Chat), Some(Dialect::ClaudeCode)));

    let codex = log(
        None,
        [
            ("event.name", text("codex.sse_event")),
            ("event.kind", text("response.completed")),
            ("conversation.id", text("c-1")),
            ("model", text("gpt-5-codex")),
            ("input_token_count", int(100)),
            ("cached_token_count", int(40)),
            ("output_token_count", int(10)),
            ("reasoning_token_count", int(5)),
            ("tool_token_count", int(110)),
            ("ttft_ms", int(250)),
        ],
    );
    let expected = Facts {
        op: Some(Op::Chat),
        dialect: Some(Dialect::Codex),
        provider: some("openai"),
        request_model: some("gpt-5-codex"),
        conversation: some("c-1"),
        first_chunk: Some(Duration::from_millis(250)),
        stream: Some(true),
        usage: Usage {
            input: Some(100),
            output: Some(10),
            cache_read: Some(40),
            reasoning: Some(5),
            ..Usage::default()
        },
        ..Facts::default()
    };
    assert_eq!(codex, expected);
    let delta = log(
        None,
        [("event.name", text("codex.sse_event")), ("event.kind", text("response.output_item.done"))],
    );
    assert_eq!((delta.op, delta.dialect), (None, Some(Dialect::Codex)), "one of many of one call");
}

#[test]
fn events_of_the_conventions() {
    let details = log(
        None,
        [
            ("event.name", text("gen_ai.client.inference.operation.details")),
            ("gen_ai.operation.name", text("chat")),
            ("gen_ai.provider.name", text("openai")),
            ("gen_ai.response.id", text("r-1")),
            ("gen_ai.usage.input_tokens", int(3)),
            ("gen_ai.input.messages", texts(&["x"])),
        ],
    );
    assert_eq!((details.op, details.usage.input), (Some(Op::Chat), Some(3)));
    assert_eq!((details.response_id, details.content), (some("r-1"), ContentState::Here));
    let exception = log(
        None,
        [
            ("event.name", text("gen_ai.client.operation.exception")),
            ("gen_ai.operation.name", text("chat")),
            ("error.type", text("429")),
        ],
    );
    assert_eq!((exception.op, exception.error), (None, some("429")));
    let message =
        log(Some("hello"), [("event.name", text("gen_ai.user.message")), ("gen_ai.system", text("openai"))]);
    assert_eq!((message.op, message.content), (None, ContentState::Here));
    assert_eq!(message.provider, some("openai"));
    assert_eq!(log(Some("hello"), []), Facts::default(), "a line of some log");
}

#[test]
fn two_layers_on_one_span_are_both_seen() {
    let of = |list: Told| dialects_of(&kept(raw("call", list)));
    let both = of(vec![
        ("openinference.span.kind", text("LLM")),
        ("gen_ai.operation.name", text("chat")),
        ("gen_ai.provider.name", text("openai")),
    ]);
    assert_eq!(both, [Dialect::OpenInference, Dialect::V2026_08]);
    let own = of(vec![
        ("ai.operationId", text("ai.streamText.doStream")),
        ("gen_ai.operation.name", text("chat")),
        ("gen_ai.system", text("openai")),
    ]);
    assert_eq!(own, [Dialect::Vercel], "the AI SDK tells both by itself");
    assert_eq!(of(vec![("gen_ai.operation.name", text("chat"))]), [Dialect::V2026_08]);
    assert_eq!(of(vec![("app.name", text("chat"))]), []);
}

/// What the reference implementations of the conventions emit, as it was recorded. The recordings lie outside of the
/// repository: in `../shared/golden/handler` beside it. Without them there is nothing to do.
#[test]
fn what_references_told_is_told() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/handler");
    let mut seen = 0;
    for part in ["loongsuite", "upstream"] {
        let Ok(files) = std::fs::read_dir(folder.join(part)) else {
            eprintln!("no recordings in {}: nothing compared", folder.display());
            return;
        };
        for file in files {
            let path = file.unwrap().path();
            // The other cases are of what goes wrong, and of attributes that a program sets over the library's.
            if !path.display().to_string().contains("full") {
                continue;
            }
            let case: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for (reference, expected) in case["expected"].as_object().unwrap() {
                for span in expected["spans"].as_array().into_iter().flatten() {
                    seen += usize::from(compare(span, &format!("{} of {reference}", path.display())));
                }
            }
        }
    }
    assert!(seen > 150, "{seen}");
}

/// Whether it was a span of an operation; it was told as its attributes say.
fn compare(span: &serde_json::Value, what: &str) -> bool {
    let told = span["attributes"].as_object().unwrap();
    let value = |json: &serde_json::Value| match json {
        serde_json::Value::String(told) => Some(text(told)),
        serde_json::Value::Bool(told) => Some(Value::BoolValue(*told)),
        serde_json::Value::Number(told) => {
            Some(told.as_i64().map_or_else(|| double(told.as_f64().unwrap()), int))
        }
        serde_json::Value::Array(told) => {
            Some(texts(&told.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>()))
        }
        _ => None,
    };
    let list: Vec<KeyValue> = told
        .iter()
        .filter_map(|(key, json)| {
            let value = Some(AnyValue { value: Some(value(json)?) });
            Some(KeyValue { key: key.clone(), value, key_strindex: 0 })
        })
        .collect();
    let scope = InstrumentationScope { name: "anything".to_owned(), ..InstrumentationScope::default() };
    let url = span["scope"]["schema_url"].as_str().unwrap_or_default().to_owned();
    let origin = Origin { scope: Scope::from_otlp(Some(scope), url), ..Origin::default() };
    let name = span["name"].as_str().unwrap();
    let span = trace::v1::Span { attributes: list, ..raw(name, []) };
    let found = of_span(&Span::from_otlp(span, &Arc::new(origin), Nanos(START)).unwrap(), &NoPrices);
    let Some(operation) = told.get("gen_ai.operation.name").and_then(serde_json::Value::as_str) else {
        return false;
    };
    assert!(found.op.is_some(), "{operation} in {what}");
    let as_told = |key: &str| {
        told.get(key).and_then(serde_json::Value::as_str).map(str::trim).filter(|told| !told.is_empty())
    };
    let count = |key: &str| told.get(key).and_then(serde_json::Value::as_u64);
    for (key, fact) in [
        ("gen_ai.request.model", &found.request_model),
        ("gen_ai.response.model", &found.response_model),
        ("gen_ai.response.id", &found.response_id),
        ("gen_ai.agent.name", &found.agent),
        ("gen_ai.agent.id", &found.agent_id),
        ("gen_ai.tool.call.id", &found.tool_call),
        ("gen_ai.data_source.id", &found.data_source),
        ("error.type", &found.error),
    ] {
        assert_eq!(fact.as_deref(), as_told(key), "{key} in {what}");
    }
    for (key, fact) in [
        ("gen_ai.usage.input_tokens", found.usage.input),
        ("gen_ai.usage.output_tokens", found.usage.output),
        ("gen_ai.usage.cache_read.input_tokens", found.usage.cache_read),
    ] {
        assert_eq!(fact, count(key), "{key} in {what}");
    }
    let loongsuite = told.contains_key("gen_ai.span.kind");
    assert_eq!(found.dialect == Some(Dialect::LoongSuite), loongsuite, "{what}");
    true
}
