//! rig's agents: their runs and the tools that they run, with the model calls below them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use futures_util::StreamExt as _;
use opentelemetry::trace::{FutureExt as _, SpanKind};
use otel_genai::Capture;
use otel_genai_rig::GenAiTool;
use rig_agent::AgentBuilder;
use rig_agent::agent::{AgentHook, DispatchAction, DispatchEvent, HookContext, StepEventKind};
use rig_agent::completion::PromptError;
use rig_agent::tool::{Tool, ToolContext, ToolExecutionError};
use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::OpenAI;
use serde_json::{Value, json as value};
use support::{ANSWER, City, EVENTS, NO_KEY, ONE_CALL, REFUSAL, Server, TWO_CALLS, Time, Weather, World};
use support::{json, silence, stream};

const AGENT: &str = "invoke_agent planner";
const CHAT: &str = "chat gpt-4o-mini";

#[tokio::test]
async fn a_run_with_two_tools_at_once_is_one_tree() {
    let answers = vec![json(200, TWO_CALLS), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let agent = world
        .agent(&server)
        .preamble("Be brief.")
        .temperature(0.5)
        .max_tokens(99)
        .default_max_turns(5)
        .tool(GenAiTool(Weather))
        .tool(Time)
        .build();
    let parent = world.parent();
    let answer = agent.prompt("How is Paris?").tool_concurrency(2).run().with_context(parent.clone()).await;
    assert_eq!(answer.unwrap().output(), "Hello");

    let tree = world.tree();
    assert_eq!(
        tree.to_string(),
        "? > invoke_agent planner\n\
         ? > invoke_agent planner > chat gpt-4o-mini\n\
         ? > invoke_agent planner > chat gpt-4o-mini\n\
         ? > invoke_agent planner > execute_tool time\n\
         ? > invoke_agent planner > execute_tool weather"
    );
    let run = tree.one(AGENT);
    assert!(run.is_child_of(&parent));
    assert_eq!(run.0.span_kind, SpanKind::Internal);
    run.has("gen_ai.operation.name", "invoke_agent");
    run.has("gen_ai.agent.name", "planner");
    run.has("gen_ai.request.model", "gpt-4o-mini");
    run.has("gen_ai.request.temperature", "0.5");
    run.has("gen_ai.request.max_tokens", "99");
    // Of both calls together; each has its own.
    run.has("gen_ai.usage.input_tokens", "16");
    run.has("gen_ai.usage.output_tokens", "5");
    assert!(run.get("gen_ai.input.messages").unwrap().contains("How is Paris?"));
    assert!(run.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert!(run.get("gen_ai.system_instructions").unwrap().contains("Be brief."));
    assert_eq!(run.error(), None);

    let weather = tree.one("execute_tool weather");
    assert_eq!(weather.0.span_kind, SpanKind::Internal);
    weather.has("gen_ai.tool.call.id", "call_1");
    weather.has("gen_ai.agent.name", "planner");
    weather.has("gen_ai.tool.type", "function");
    weather.has("gen_ai.tool.description", "The weather in a city.");
    weather.has("gen_ai.tool.call.arguments", r#"{"city":"Paris"}"#);
    weather.has("gen_ai.tool.call.result", r#"{"city":"Paris","sky":"clear"}"#);
    assert_eq!(weather.error(), None);
    let time = tree.one("execute_tool time");
    time.has("gen_ai.tool.call.id", "call_2");
    assert_eq!(time.error().as_deref(), Some("timeout"));
    assert!(format!("{:?}", time.0.status).contains("no clock in Oslo"));

    assert_eq!(world.findings(), []);

    // Tokens are counted by the calls alone, and the run's calls whole, though they are told after it.
    let tokens = world.metric("gen_ai.client.token.usage", "gen_ai.token.type");
    assert_eq!(tokens, [("input".to_owned(), 2, 16.0), ("output".to_owned(), 2, 5.0)]);
    let count = |name| world.metric(name, "gen_ai.agent.name");
    assert_eq!(count("gen_ai.invoke_agent.duration")[0].1, 1);
    assert_eq!(count("gen_ai.invoke_agent.inference_calls"), [("planner".to_owned(), 1, 2.0)]);
    assert_eq!(count("gen_ai.invoke_agent.tool_calls"), [("planner".to_owned(), 1, 2.0)]);
    let tools = world.metric("gen_ai.execute_tool.duration", "gen_ai.tool.name");
    assert_eq!(
        tools.iter().map(|(name, count, _)| (&**name, *count)).collect::<Vec<_>>(),
        [("time", 1), ("weather", 1)]
    );
    let chats: Vec<_> = tree.all(CHAT).iter().map(|call| Some(call.0.span_context.span_id())).collect();
    let events = world.events();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.iter().all(|(name, span)| name.ends_with("operation.details") && chats.contains(span)));
}

#[tokio::test]
async fn without_content_there_is_none() {
    let answers = vec![json(200, TWO_CALLS), json(200, ANSWER)];
    let (world, server) = (World::capturing(Capture::NoContent), Server::start(answers).await);
    let agent =
        world.agent(&server).preamble("Be brief.").default_max_turns(5).tool(Weather).tool(Time).build();
    agent.prompt("How is Paris?").await.unwrap();
    let told = format!("{:?} {:?}", world.tree(), world.events());
    for content in ["Be brief", "How is", "Paris", "clear", "Hello"] {
        assert!(!told.contains(content), "{content}");
    }
    world.tree().one("execute_tool weather").has("gen_ai.tool.call.id", "call_1");
}

#[tokio::test]
async fn a_streamed_run_to_its_end_and_one_that_is_dropped_half_way() {
    let answers = vec![stream(&EVENTS), stream(&EVENTS[..1]).hang()];
    let (world, server) = (World::new(), Server::start(answers).await);
    let agent = world.agent(&server).build();
    let mut answer = agent.prompt("Hi").stream();
    while let Some(item) = answer.next().await {
        item.unwrap();
    }
    drop(answer);
    let tree = world.tree();
    assert_eq!(tree.to_string(), "invoke_agent planner\ninvoke_agent planner > chat gpt-4o-mini");
    let run = tree.one(AGENT);
    assert!(run.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert_eq!(run.error(), None);

    let mut answer = agent.prompt("Hi").stream();
    answer.next().await.unwrap().unwrap();
    drop(answer);
    let tree = world.tree();
    assert_eq!(tree.all(AGENT)[1].error().as_deref(), Some("cancelled"));
    assert_eq!(tree.all(CHAT)[1].error().as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn a_run_that_is_given_up_while_a_tool_runs() {
    struct Forever;

    impl Tool for Forever {
        const NAME: &'static str = "weather";
        type Args = City;
        type Output = Value;
        type Error = ToolExecutionError;

        fn description(&self) -> String {
            String::new()
        }

        fn parameters(&self) -> Value {
            value!({"type": "object"})
        }

        async fn call(&self, context: &mut ToolContext, _: City) -> Result<Value, ToolExecutionError> {
            context.scope::<rig_agent::handlers::Handlers>().expect("it runs in a dispatch");
            STARTED.notify_one();
            std::future::pending().await
        }
    }

    static STARTED: tokio::sync::Notify = tokio::sync::Notify::const_new();
    let (world, server) = (World::new(), Server::start(vec![json(200, ONE_CALL)]).await);
    let agent = world.agent(&server).default_max_turns(5).tool(Forever).build();
    tokio::select! {
        _ = agent.prompt("Hi").run() => panic!("the tool never ends"),
        () = STARTED.notified() => {}
    }
    let tree = world.tree();
    assert_eq!(tree.one("execute_tool weather").error().as_deref(), Some("cancelled"));
    assert_eq!(tree.one(AGENT).error().as_deref(), Some("cancelled"));
    assert_eq!(tree.one(CHAT).error(), None);
}

#[tokio::test]
async fn a_run_that_fails_says_why() {
    for (status, body, code) in [(401, NO_KEY, "invalid_api_key"), (429, REFUSAL, "rate_limit_exceeded")] {
        let (world, server) = (World::new(), Server::start(vec![json(status, body)]).await);
        world.agent(&server).build().prompt("Hi").await.unwrap_err();
        let tree = world.tree();
        assert_eq!(tree.one(AGENT).error().as_deref(), Some(code));
        assert_eq!(tree.one(CHAT).error().as_deref(), Some(code));
        assert_eq!(world.metric("gen_ai.invoke_agent.duration", "error.type")[0].0, code);
    }
}

#[tokio::test]
async fn a_run_that_reaches_its_last_turn() {
    let answers = vec![json(200, ONE_CALL), json(200, ONE_CALL)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let agent = world.agent(&server).tool(Weather).build();
    let error = agent.prompt("Hi").max_turns(2).await.unwrap_err();
    assert!(matches!(error, PromptError::MaxTurns { .. }), "{error:?}");
    let tree = world.tree();
    let run = tree.one(AGENT);
    assert_eq!(run.error().as_deref(), Some("max_turns"));
    run.has("gen_ai.usage.input_tokens", "14");
    assert_eq!((tree.all(CHAT).len(), tree.all("execute_tool weather").len()), (2, 2));
}

/// Asks the model itself.
struct Asks(OpenAI);

impl Tool for Asks {
    const NAME: &'static str = "weather";
    type Args = City;
    type Output = String;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        String::new()
    }

    fn parameters(&self) -> Value {
        value!({"type": "object"})
    }

    async fn call(&self, _: &mut ToolContext, _: City) -> Result<String, ToolExecutionError> {
        let asked = self.0.chat("gpt-4o-mini").call(CompletionRequest::new("sub")).await;
        asked.map(|answer| answer.origin.model).map_err(ToolExecutionError::from_error)
    }
}

#[tokio::test]
async fn what_a_tool_does_stands_below_it() {
    let answers = vec![json(200, ONE_CALL), json(200, ANSWER), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let asks = Asks(world.openai(&server));
    let agent = world.agent(&server).default_max_turns(5).tool(GenAiTool(asks)).build();
    agent.prompt("Hi").await.unwrap();
    assert_eq!(
        world.tree().to_string(),
        "invoke_agent planner\n\
         invoke_agent planner > chat gpt-4o-mini\n\
         invoke_agent planner > chat gpt-4o-mini\n\
         invoke_agent planner > execute_tool weather\n\
         invoke_agent planner > execute_tool weather > chat gpt-4o-mini"
    );
}

#[tokio::test]
async fn an_agent_that_is_a_tool_stands_below_it() {
    let answers = vec![json(200, ONE_CALL), json(200, ANSWER), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let openai = world.openai(&server);
    let specialist =
        AgentBuilder::new(openai.chat("gpt-4o-mini")).name("weather").add_hook(world.hook()).build();
    let tool = GenAiTool::dynamic(specialist.into_tool().unwrap());
    // The scripted model does not know that this tool wants a prompt.
    let agent = world.agent(&server).default_max_turns(5).dynamic_tool(tool).add_hook(Prompts).build();
    assert_eq!(agent.prompt("Hi").await.unwrap().output(), "Hello");
    assert_eq!(
        world.tree().to_string(),
        "invoke_agent planner\n\
         invoke_agent planner > chat gpt-4o-mini\n\
         invoke_agent planner > chat gpt-4o-mini\n\
         invoke_agent planner > execute_tool weather\n\
         invoke_agent planner > execute_tool weather > invoke_agent weather\n\
         invoke_agent planner > execute_tool weather > invoke_agent weather > chat gpt-4o-mini"
    );
    // Each agent's calls are its own.
    let calls = world.metric("gen_ai.invoke_agent.inference_calls", "gen_ai.agent.name");
    assert_eq!(calls, [("planner".to_owned(), 1, 2.0), ("weather".to_owned(), 1, 1.0)]);
}

struct Prompts;

impl AgentHook for Prompts {
    async fn on_dispatch(&self, _: &HookContext, event: DispatchEvent<'_>) -> DispatchAction {
        DispatchAction::rewrite_tool_args(event.kind, value!({"prompt": "How is Paris?"}))
    }

    fn observes(&self, kind: StepEventKind) -> bool {
        kind == StepEventKind::ToolDispatch
    }
}

#[tokio::test]
async fn a_tool_that_a_hook_denies_and_a_run_that_a_hook_stops() {
    struct Denies(fn(&str) -> DispatchAction);

    impl AgentHook for Denies {
        async fn on_dispatch(&self, _: &HookContext, event: DispatchEvent<'_>) -> DispatchAction {
            event.tool_name().map_or_else(DispatchAction::proceed, |_| (self.0)("not today"))
        }
    }

    let answers = vec![json(200, ONE_CALL), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let agent = world.agent(&server).default_max_turns(5).tool(Weather);
    let agent = agent.add_hook(Denies(|reason| DispatchAction::skip(reason))).build();
    agent.prompt("Hi").await.unwrap();
    let tree = world.tree();
    assert_eq!(tree.one("execute_tool weather").error().as_deref(), Some("skipped"));
    assert_eq!(tree.one(AGENT).error(), None);

    let (world, server) = (World::new(), Server::start(vec![json(200, ONE_CALL)]).await);
    let agent = world.agent(&server).default_max_turns(5).tool(Weather);
    let agent = agent.add_hook(Denies(|reason| DispatchAction::stop(reason))).build();
    agent.prompt("Hi").await.unwrap_err();
    let run = world.tree().one(AGENT);
    assert_eq!(run.error().as_deref(), Some("cancelled"));
    assert!(format!("{:?}", run.0.status).contains("not today"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_agent_of_many_tasks_and_two_in_one_keep_their_calls_apart() {
    const RUNS: usize = 24;
    let answers = (0..3 * RUNS).map(|_| json(200, ANSWER)).collect();
    let (world, server) = (World::new(), Server::start(answers).await);
    let agent = world.agent(&server).build();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..RUNS {
        let agent = agent.clone();
        tasks.spawn(async move { agent.prompt(format!("task {number}.")).await.unwrap() });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    // Their numbers for what they do are the same.
    for number in 0..RUNS {
        let (one, other) = (world.agent(&server).build(), world.agent(&server).build());
        let (one, other) = tokio::join!(
            one.prompt(format!("one {number}.")).run(),
            other.prompt(format!("other {number}.")).run()
        );
        assert!(one.is_ok() && other.is_ok());
    }

    let tree = world.tree();
    let (runs, calls) = (tree.all(AGENT), tree.all(CHAT));
    assert_eq!((runs.len(), calls.len()), (3 * RUNS, 3 * RUNS));
    for call in calls {
        let run = runs.iter().find(|run| run.0.span_context.span_id() == call.0.parent_span_id).unwrap();
        assert_eq!(call.get("gen_ai.input.messages"), run.get("gen_ai.input.messages"));
    }
}

#[tokio::test]
async fn a_hook_that_is_added_twice_tells_once_and_an_agent_without_a_name_has_none() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    let agent = AgentBuilder::new(world.openai(&server).chat("gpt-4o-mini"));
    agent.add_hook(world.hook()).build().prompt("Hi").add_hook(world.hook()).await.unwrap();
    assert_eq!(world.tree().to_string(), "invoke_agent\ninvoke_agent > chat gpt-4o-mini");
    assert_eq!(world.tree().one("invoke_agent").get("gen_ai.agent.name"), None);
    let calls = world.metric("gen_ai.invoke_agent.inference_calls", "gen_ai.agent.name");
    assert_eq!(calls, [(String::new(), 1, 1.0)]);
}

#[tokio::test]
async fn a_run_that_is_given_up_before_the_answer() {
    let (world, server) = (World::new(), Server::start(vec![silence()]).await);
    let agent = world.agent(&server).build();
    tokio::select! {
        _ = agent.prompt("Hi").run() => panic!("the server says nothing"),
        () = async { while server.asked().is_empty() { tokio::task::yield_now().await } } => {}
    }
    let tree = world.tree();
    assert_eq!(tree.to_string(), "invoke_agent planner\ninvoke_agent planner > chat gpt-4o-mini");
    assert_eq!(tree.one(AGENT).error().as_deref(), Some("cancelled"));
    assert_eq!(tree.one(CHAT).error().as_deref(), Some("cancelled"));
}
