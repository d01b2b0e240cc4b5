//! An answer is judged after it was given, by another model. The verdict is an event beside the answer's span.

use std::error::Error;
use std::time::Duration;

use otel_genai::{GenAi, Message};
use otel_genai_examples::client::{Client, MODEL};
use otel_genai_examples::model::{Model, ModelError};
use otel_genai_examples::telemetry;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (genai, _telemetry) = telemetry::init("evaluation")?;
    let client = Client::new(genai.clone(), Model::new(Duration::from_millis(30)));

    let mut call = genai.chat("openai", MODEL).start();
    call.input([Message::user("Where is my order?")]);
    call.output([Message::assistant("In Hamburg.").finish("stop")]);
    call.response_mut().id = Some("chatcmpl-1".to_owned());
    call.usage(15, 4);
    // Whoever judges later needs the call's context, or the answer's id.
    let answered = call.context().clone();
    call.finish();

    let relevance = genai.evaluation("relevance").response_id("chatcmpl-1").of(&answered);
    match judge(&genai, &client).await {
        Ok(score) => relevance.score(score).label(label(score)).explanation("It names the place.").record(),
        // That nobody could judge is worth knowing, too.
        Err(error) => relevance.fail(&error),
    }
    Ok(())
}

/// The judge is an agent of its own, so that its tokens are not taken for the answer's.
async fn judge(genai: &GenAi, client: &Client) -> Result<f64, ModelError> {
    genai
        .invoke_agent("Judge")
        .scope(async |_| {
            client.chat(&[Message::user("How relevant is \"In Hamburg.\"?")], &[]).await?;
            Ok(0.9)
        })
        .await
}

fn label(score: f64) -> &'static str {
    if score >= 0.5 { "relevant" } else { "irrelevant" }
}
