//! rig: its transport and its agents, a line each.

use std::time::Duration;

use futures::StreamExt as _;
use otel_genai_rig::{GenAiHook, GenAiHttp};
use program::openai::MODEL;
use program::{Error, HELLO, PATIENCE, PIECES, QUESTION, Scene, left, run};
use rig_agent::AgentBuilder;
use rig_agent::tool::{Tool, ToolContext, ToolExecutionError};
use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::{OpenAI, OpenAIConfig};
use rig_core::streaming::{Item, StreamEvent};
use rig_reqwest::ReqwestClient;
use serde::Deserialize;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _telemetry = otel_genai::init()?;
    run(play).await
}

async fn play(scene: &Scene) -> Result<Value, Error> {
    let openai = openai(scene)?;
    match scene.name.as_str() {
        "unary" | "refused" | "timeout" => hello(&openai).await,
        "attempts" => loop {
            match hello(&openai).await? {
                refused if refused["status"] == 429 => {}
                answer => return Ok(answer),
            }
        },
        "stream" => {
            let mut stream = openai.chat(MODEL).stream(CompletionRequest::new(PIECES))?;
            let mut text = String::new();
            while let Some(item) = stream.next().await {
                text += piece(&item?);
            }
            Ok(json!({ "text": text }))
        }
        "dropped" => {
            let mut stream = openai.chat(MODEL).stream(CompletionRequest::new(PIECES))?;
            let mut text = String::new();
            while text != "You said:" {
                text += piece(&stream.next().await.ok_or("the stream is over too soon")??);
            }
            drop(stream);
            left(scene).await?;
            Ok(json!({ "text": text }))
        }
        "tools" => {
            let agent = AgentBuilder::new(openai.chat(MODEL)).name("Forecaster");
            let agent = agent.tool(Weather).default_max_turns(5).add_hook(GenAiHook::new()).build();
            Ok(json!({ "text": agent.prompt(QUESTION).await?.output() }))
        }
        _ => Err("no such scene".into()),
    }
}

fn openai(scene: &Scene) -> Result<OpenAI, Error> {
    let patience = if scene.name == "timeout" { PATIENCE } else { Duration::from_secs(30) };
    let http = ReqwestClient::from(reqwest::Client::builder().timeout(patience).build()?);
    let config = OpenAIConfig::new(&scene.key).with_base_url(format!("{}/v1", scene.server));
    Ok(config.connect(GenAiHttp::new(http)))
}

async fn hello(openai: &OpenAI) -> Result<Value, Error> {
    match openai.chat(MODEL).call(CompletionRequest::new(HELLO).temperature(0.2)).await {
        Ok(answer) => Ok(json!({ "text": answer.text() })),
        Err(error) => match error.provider_response_status() {
            Some(status) => {
                let body: Value = serde_json::from_str(error.provider_response_body().unwrap_or_default())?;
                Ok(json!({ "status": status.as_u16(), "message": body["error"]["message"] }))
            }
            // Its errors hide reqwest's.
            None if format!("{error:?}").contains("TimedOut") => Ok(json!({ "error": "timeout" })),
            None => Err(error.into()),
        },
    }
}

/// The text that an item adds.
fn piece(item: &Item<StreamEvent>) -> &str {
    match item {
        Item::Event(StreamEvent::Text { text, .. }) => text,
        _ => "",
    }
}

#[derive(Deserialize)]
struct Place {
    city: String,
}

struct Weather;

impl Tool for Weather {
    const NAME: &'static str = "get_weather";
    type Args = Place;
    type Output = String;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "The weather in a city".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] })
    }

    async fn call(&self, _: &mut ToolContext, place: Place) -> Result<String, ToolExecutionError> {
        match place.city.as_str() {
            "Paris" => Ok("18 degrees and sunny".to_owned()),
            city => Ok(format!("no window in {city}")),
        }
    }
}
