//! A program whose `tracing` spans go to OpenTelemetry: rig's own stay out of its tree.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use opentelemetry::trace::TracerProvider as _;
use otel_genai_rig::{GenAiTool, WITHOUT_RIG};
use rig_agent::tool::{Tool, ToolContext, ToolExecutionError};
use serde_json::{Value, json as value};
use support::{ANSWER, ONE_CALL, Server, World, json};
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// What it does is traced.
struct Traced;

impl Tool for Traced {
    const NAME: &'static str = "weather";
    type Args = support::City;
    type Output = String;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        String::new()
    }

    fn parameters(&self) -> Value {
        value!({"type": "object"})
    }

    async fn call(&self, _: &mut ToolContext, _: support::City) -> Result<String, ToolExecutionError> {
        tokio::task::yield_now().instrument(tracing::info_span!("look")).await;
        Ok("clear".to_owned())
    }
}

async fn run(filter: &str, ambient: bool) -> String {
    let answers = vec![json(200, ONE_CALL), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let agent = world.agent(&server).default_max_turns(5).tool(GenAiTool(Traced)).build();
    let layer = tracing_opentelemetry::layer().with_tracer(world.tracers.tracer("app"));
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(EnvFilter::new(filter)));
    let asked = async {
        let run = async { agent.prompt("Hi").await.unwrap() };
        if ambient { run.instrument(tracing::info_span!("request")).await } else { run.await }
    };
    asked.with_subscriber(subscriber).await;
    world.tree().to_string()
}

#[tokio::test]
async fn there_is_one_tree_with_a_span_around_and_without() {
    assert_eq!(
        run(WITHOUT_RIG, false).await,
        "invoke_agent planner\n\
         invoke_agent planner > chat gpt-4o-mini\n\
         invoke_agent planner > chat gpt-4o-mini\n\
         invoke_agent planner > execute_tool weather\n\
         invoke_agent planner > execute_tool weather > look"
    );
    assert_eq!(
        run(WITHOUT_RIG, true).await,
        "request\n\
         request > invoke_agent planner\n\
         request > invoke_agent planner > chat gpt-4o-mini\n\
         request > invoke_agent planner > chat gpt-4o-mini\n\
         request > invoke_agent planner > execute_tool weather\n\
         request > invoke_agent planner > execute_tool weather > look"
    );
}

#[test]
fn a_program_whose_name_begins_like_rigs_is_heard() {
    let heard = |filter: &str| {
        let subscriber = tracing_subscriber::registry().with(EnvFilter::new(filter));
        tracing::subscriber::with_default(subscriber, || {
            [
                tracing::enabled!(target: "rigging", tracing::Level::INFO),
                tracing::enabled!(target: "rigging::jobs", tracing::Level::INFO),
                tracing::enabled!(target: "rig_control", tracing::Level::INFO),
                tracing::enabled!(target: "rig::agent_chat", tracing::Level::ERROR),
                tracing::enabled!(target: "rig::completions", tracing::Level::ERROR),
                tracing::enabled!(target: "rig_agent::agent::telemetry", tracing::Level::ERROR),
                tracing::enabled!(target: "rig_core::driver", tracing::Level::ERROR),
            ]
        })
    };
    assert_eq!(heard(WITHOUT_RIG), [true, true, true, false, false, false, false]);
    let without_rig: tracing_subscriber::filter::Targets = WITHOUT_RIG.parse().unwrap();
    assert!(without_rig.would_enable("rigging", &tracing::Level::INFO));
    assert!(!without_rig.would_enable("rig::completions", &tracing::Level::ERROR));
}

#[tokio::test]
async fn rig_tells_it_all_again_where_nobody_keeps_it_out() {
    let told = run("info", false).await;
    assert!(told.lines().any(|line| line.ends_with("> execute_tool")), "{told}");
}
