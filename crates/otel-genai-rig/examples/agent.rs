//! An agent with two tools, on rig:
//!
//! ```text
//! invoke_agent concierge
//! ├── chat gpt-4o-mini        the model asks for a tool
//! ├── execute_tool weather
//! └── chat gpt-4o-mini        and answers
//! ```
//!
//! ```sh
//! otel-genai demo --serve &
//! OPENAI_BASE_URL=http://127.0.0.1:4081/v1 OPENAI_API_KEY=none cargo run --ignore-rust-version --example agent
//! ```

use std::error::Error;

use otel_genai::sdk::Exporter;
use otel_genai_rig::{GenAiHook, GenAiHttp, GenAiTool};
use rig_agent::AgentBuilder;
use rig_agent::tool::{Tool, ToolContext, ToolExecutionError};
use rig_core::providers::openai::OpenAIConfig;
use serde::Deserialize;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // To the terminal, unless OTEL_* says otherwise; `otel_genai::init()` goes to http://localhost:4318 then.
    let _telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.service_name_default("concierge").default_exporter(Exporter::Console))
        .init()?;

    let openai = OpenAIConfig::from_env()?.connect(GenAiHttp::new(rig_reqwest::shared())); // the calls of the model
    let agent = AgentBuilder::new(openai.chat("gpt-4o-mini"))
        .name("concierge")
        .preamble("You help travellers. Be brief.")
        .tool(GenAiTool(Weather)) // what a tool does, below the tool
        .tool(GenAiTool(Time))
        .default_max_turns(5)
        .add_hook(GenAiHook::new()) // the agent and its tools
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
