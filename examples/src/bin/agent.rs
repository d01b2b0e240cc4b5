//! A whole agent, with its telemetry on the terminal: see the package's module `agent`.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::time::Duration;

use otel_genai_examples::agent::Agent;
use otel_genai_examples::model::Model;
use otel_genai_examples::telemetry;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (genai, _telemetry) = telemetry::init("support-agent")?;
    let agent = Agent::new(genai, Model::new(Duration::from_millis(40)));
    let show = |text: &str| {
        print!("{text}");
        let _ = stdout().flush();
    };
    agent.answer("user-1", "Where is my order?", show).await?;
    println!("\n");
    Ok(())
}
