//! An agent with two tools. It asks the model server of `otel-genai demo --serve`, or whom `OPENAI_BASE_URL` names:
//!
//! ```sh
//! otel-genai demo --serve                       # says where it listens
//! OPENAI_BASE_URL=http://127.0.0.1:PORT/v1 OPENAI_API_KEY=none OTEL_TRACES_EXPORTER=console \
//!     cargo run --example agent --ignore-rust-version
//! ```

use std::error::Error;

use otel_genai_rig::{GenAiHook, GenAiHttp, GenAiTool};
use rig_agent::AgentBuilder;
use rig_agent::tool::{Tool, ToolContext, ToolExecutionError};
use rig_core::providers::openai::OpenAIConfig;
use serde::Deserialize;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let _telemetry = otel_genai::init()?;

    // Its model calls ...
    let openai = OpenAIConfig::from_env()?.connect(GenAiHttp::new(rig_reqwest::shared()));
    let agent = AgentBuilder::new(openai.chat("gpt-4o-mini"))
        .name("concierge")
        .preamble("You help travellers. Be brief.")
        // ... what its tools do ...
        .tool(GenAiTool(Weather))
        .tool(GenAiTool(Time))
        .default_max_turns(5)
        // ... and its runs are told.
        .add_hook(GenAiHook::new())
        .build();

    println!("{}", agent.prompt("What is the weather in Paris?").await?);
    Ok(())
}

#[derive(Deserialize)]
struct Place {
    city: String,
}

fn place() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

struct Weather;

impl Tool for Weather {
    const NAME: &'static str = "weather";
    type Args = Place;
    type Output = Value;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "The weather in a city.".to_owned()
    }

    fn parameters(&self) -> Value {
        place()
    }

    async fn call(&self, _: &mut ToolContext, place: Place) -> Result<Value, ToolExecutionError> {
        Ok(json!({"city": place.city, "sky": "clear", "celsius": 21}))
    }
}

struct Time;

impl Tool for Time {
    const NAME: &'static str = "time";
    type Args = Place;
    type Output = String;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "The time of day in a city.".to_owned()
    }

    fn parameters(&self) -> Value {
        place()
    }

    async fn call(&self, _: &mut ToolContext, place: Place) -> Result<String, ToolExecutionError> {
        Ok(format!("noon in {}", place.city))
    }
}
