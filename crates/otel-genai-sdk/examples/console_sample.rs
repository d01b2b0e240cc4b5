//! Prints what the console exporter makes of every kind of operation, in one convention or two:
//! `cargo run -p otel-genai-sdk --example console_sample -- --color --convention 2026-08`.
//!
//! `--content MODE` chooses where content is recorded, `--width COLUMNS` how wide a line may be.

use std::time::{Duration, Instant};

use otel_genai::opentelemetry::Context;
use otel_genai::{
    Active, Capture, Config, Conventions, Failure, GenAi, Inference, Message, Operation, Part, ToolDefinition,
};
use otel_genai_sdk::{Color, ConsoleOptions, ConsoleTarget, Exporter};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = ConsoleOptions::new().target(ConsoleTarget::Stdout);
    let (mut conventions, mut capture) = (Conventions::default(), Capture::ByConvention);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_default();
        match arg.as_str() {
            "--color" => options = options.color(Color::Always),
            "--width" => options = options.width(value().parse()?),
            "--convention" => conventions = value().parse()?,
            "--content" => capture = value().parse()?,
            _ => return Err(format!("there is no option {arg}").into()),
        }
    }
    let telemetry = otel_genai_sdk::builder()
        .service_name_default("console-sample")
        .default_exporter(Exporter::Console)
        .console(options)
        .init()?;
    let genai = GenAi::builder()
        .tracer_provider(&telemetry.tracer_provider())
        .meter_provider(&telemetry.meter_provider())
        .logger_provider(&telemetry.logger_provider())
        .config(Config::default())
        .capture(capture)
        .convention(conventions)
        .build();

    chats(&genai);
    agent(&genai);
    documents(&genai);
    memory(&genai);
    mcp(&genai);
    entry(&genai);
    failures(&genai);

    let report = telemetry.shutdown(Duration::from_secs(3));
    println!("\n{report}");
    Ok(())
}

/// Ends as if so many milliseconds had passed.
fn after<O: Operation>(call: Active<O>, milliseconds: u64) -> Context {
    let context = call.context().clone();
    call.finish_at(Instant::now() + Duration::from_millis(milliseconds));
    context
}

fn chat(genai: &GenAi, model: &str, input: u64, output: u64) -> Active<Inference> {
    let mut call = genai.chat("openai", model).server("api.openai.com", 443).start();
    let response = call.response_mut();
    response.id = Some("chatcmpl-1".to_owned());
    response.model = Some(format!("{model}-2024-07-18"));
    response.finish_reasons = vec!["stop".to_owned()];
    call.usage(input, output);
    call
}

fn chats(genai: &GenAi) {
    let mut call = chat(genai, "gpt-4o-mini", 15, 20);
    call.request_mut().temperature = Some(0.2);
    call.instructions([Part::text("You are a helpful assistant who answers in one sentence.")]);
    call.input([Message::user("Write a short poem on OpenTelemetry.")]);
    call.output([Message::assistant(
        "In traces and metrics, a story unfolds,\nOf requests that wander and spans that it holds.\nA third line that \
         is folded away, with more words than one would want to read in a terminal.",
    )
    .finish("stop")]);
    let context = after(call, 1240);
    genai
        .evaluation("relevance")
        .score(0.92)
        .label("pass")
        .explanation("It is a poem, and it is about OpenTelemetry.")
        .of(&context)
        .record();

    let mut stream = chat(genai, "gpt-4o-mini", 1210, 89);
    stream.request_mut().stream = true;
    stream.usage.cache_read_input_tokens = Some(1024);
    stream.usage.reasoning_output_tokens = Some(32);
    stream.usage.audio.input_tokens = Some(200);
    stream.input([
        Message::system("Be brief."),
        Message::user("What is in this picture?"),
        Message::assistant("A cat."),
        Message::user("And in this one?"),
        Message::assistant("Hm."),
        Message::user("Look again."),
        Message::user("Please."),
    ]);
    stream.output([Message::assistant("A 2nd cat, and 東京.").finish("stop")]);
    for milliseconds in [312, 340, 371] {
        stream.chunk_at(Instant::now() + Duration::from_millis(milliseconds));
    }
    after(stream, 940);

    let mut evil = chat(genai, "evil \u{1b}[31mred", 1, 1);
    evil.input([Message::user("not safe \u{1b}[2J\u{1b}]0;owned\u{7} \u{202e}reversed")]);
    evil.output([Message::assistant("長い文章です。".repeat(200)).finish("stop")]);
    after(evil, 3);

    let mut embeddings =
        genai.embeddings("openai", "text-embedding-3-small").server("127.0.0.1", 8080).start();
    embeddings.dimension_count = Some(1536);
    embeddings.usage(12_345);
    after(embeddings, 90);
}

/// An agent that calls a model, a tool, and the model again.
fn agent(genai: &GenAi) {
    let mut agent =
        genai.invoke_agent("Weather helper").conversation("conv_5j66UpCpwteGg4YSxUnt7lPY").start();
    agent.usage(1210, 89);
    agent.input([Message::user("Weather in Paris and 東京?")]);
    agent.output([Message::assistant("It is 21 °C and clear in Paris.").finish("stop")]);
    {
        let _inside = agent.attach();
        let plan = genai.plan().start();
        after(plan, 12);
        let mut ask = chat(genai, "gpt-4o", 610, 34);
        ask.response_mut().finish_reasons = vec!["tool_calls".to_owned()];
        ask.input([Message::user("Weather in Paris and 東京?")]);
        let answer = Message::assistant_parts([
            Part::tool_call("call_1", "get_weather", json!({ "city": "Paris", "days": 3 })),
            Part::tool_call("call_2", "get_weather", json!({ "city": "東京" })),
        ])
        .finish("tool_call");
        ask.output([answer.clone()]);
        ask.tools([ToolDefinition::function("get_weather"), ToolDefinition::function("get_time")]);
        after(ask, 890);

        let mut tool = genai.execute_tool("get_weather").kind("function").call_id("call_1").start();
        tool.arguments(json!({ "city": "Paris", "days": 3 }));
        tool.result(json!({ "temperature": 21, "sky": "clear" }));
        after(tool, 3);

        let mut again = chat(genai, "gpt-4o", 600, 55);
        again.input([
            Message::user("Weather in Paris and 東京?"),
            answer,
            Message::tool("call_1", json!({ "temperature": 21 })),
        ]);
        again.output([Message::assistant("It is 21 °C and clear in Paris.").finish("stop")]);
        after(again, 740);
    }
    after(agent, 1660);
    after(genai.create_agent("Weather helper").provider("openai").model("gpt-4o").id("asst_1").start(), 210);
    let mut workflow = genai.invoke_workflow("nightly report").start();
    workflow.input([Message::user("Report.")]);
    after(workflow, 61_000);
    let mut fetched = genai.fetch_response("openai", "resp_68af").server("api.openai.com", 443).start();
    fetched.status = Some(otel_genai::ResponseStatus::Completed);
    fetched.output_messages = vec![Message::assistant("Done.").finish("stop")];
    after(fetched, 80);
}

fn documents(genai: &GenAi) {
    let mut retrieval = genai.retrieval("handbook").top_k(3).start();
    retrieval.query("How many days off?");
    retrieval.documents([
        document("hr-12", "Thirty days off a year.", 0.93),
        document("hr-99", "Days of the week.", 0.41),
    ]);
    after(retrieval, 24);

    let mut rerank = genai.rerank("cohere", "rerank-v3.5").top_k(1).start();
    rerank.query("How many days off?");
    rerank.input_documents([
        document("hr-12", "Thirty days off a year.", 0.93),
        document("hr-99", "Days of the week.", 0.41),
    ]);
    rerank.output_documents([document("hr-12", "Thirty days off a year.", 0.98)]);
    after(rerank, 61);
}

fn document(id: &str, content: &str, score: f64) -> serde_json::Value {
    json!({ "id": id, "content": content, "score": score })
}

fn memory(genai: &GenAi) {
    let mut search = genai.search_memory().provider("mem0").store("user-42").start();
    search.query("What does she like?");
    search.records([
        json!({ "id": "m1", "content": "She likes tea." }),
        json!({ "id": "m2", "content": "And cats." }),
    ]);
    after(search, 14);
    after(genai.upsert_memory().provider("mem0").store("user-42").record("m3").start(), 9);
}

fn mcp(genai: &GenAi) {
    let mut call =
        genai.mcp_client("tools/call").tool("get_weather").session("sess-1").server("mcp.test", 8443).start();
    call.protocol_version = Some("2025-06-18".to_owned());
    call.arguments = Some(json!({ "city": "Paris" }));
    call.result = Some(json!({ "content": [{ "type": "text", "text": "21 °C" }] }));
    {
        let _inside = call.attach();
        after(genai.mcp_server("tools/call").tool("get_weather").start(), 21);
    }
    after(call, 33);
    after(genai.mcp_client("resources/read").resource("file:///notes.md").start(), 4);
    after(genai.mcp_client_session().start(), 8000);
}

/// LoongSuite's frame around an application, and the rounds of its loop.
fn entry(genai: &GenAi) {
    let mut entry = genai.entry().session("session-7").user("ada").start();
    entry.input([Message::user("Where is my order?")]);
    entry.output([Message::assistant("On its way.").finish("stop")]);
    {
        let _inside = entry.attach();
        let mut step = genai.react_step(1).start();
        step.finish_reason("continue");
        {
            let _inside = step.attach();
            after(genai.execute_tool("find_order").start(), 4);
        }
        after(step, 420);
    }
    after(entry, 800);
}

fn failures(genai: &GenAi) {
    let mut call = genai.chat("openai", "gpt-4o").server("api.openai.com", 443).start();
    call.input([Message::user("Are you there?")]);
    call.fail_at(
        Instant::now() + Duration::from_millis(180),
        Failure::new("rate_limit_exceeded").message(
            "Rate limit reached for gpt-4o in organization org-abc on tokens per min (TPM): Limit 30000, Used 29500.",
        ),
    );
    drop(genai.execute_tool("slow_search").start());
}
