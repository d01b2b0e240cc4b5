//! An answer is judged after it was given. An instrumented client's call is over before anyone has its span in hand, so
//! what is judged is the operation around it, which the program has; and the call itself is named by its answer's id.
//!
//! ```text
//! invoke_agent Support           gen_ai.evaluation.result stands here
//! └── chat gpt-4o-mini
//! invoke_agent Judge             apart, so that its tokens are not taken for the answer's
//! └── chat gpt-4o-mini
//! ```
//!
//! ```sh
//! otel-genai demo --serve &
//! OPENAI_BASE_URL=http://127.0.0.1:4081/v1 OPENAI_API_KEY=none cargo run --bin evaluation
//! ```

use std::error::Error;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequestArgs, CreateChatCompletionResponse,
};
use otel_genai::GenAi;
use otel_genai::opentelemetry::Context;
use otel_genai::sdk::Exporter;
use otel_genai_http::async_openai::instrument;

type Failed = Box<dyn Error + Send + Sync>;

const MODEL: &str = "gpt-4o-mini";

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // To the terminal, unless OTEL_* says otherwise; `otel_genai::init()` goes to http://localhost:4318 then.
    let _telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.service_name_default("support").default_exporter(Exporter::Console))
        .init()?;
    let client = instrument(Client::new());

    let question = "What is the capital of France?";
    let (answer, answered) = answer(&client, question).await?;
    println!("> {question}\n{}\n", words(&answer));

    let relevance = GenAi::global().evaluation("relevance").of(&answered).response_id(&answer.id);
    match judge(&client, question, words(&answer)).await {
        Ok(score) => relevance.score(score).label(label(score)).explanation("It names the city.").record(),
        // That nobody could judge is worth knowing, too.
        Err(error) => relevance.fail(&error),
    }
    Ok(())
}

/// An answer, and where its run stands: the context can be kept as long as it takes to judge.
async fn answer(
    client: &Client<OpenAIConfig>,
    question: &str,
) -> Result<(CreateChatCompletionResponse, Context), Failed> {
    GenAi::global()
        .invoke_agent("Support")
        .model(MODEL)
        .scope(async |agent| Ok((ask(client, question).await?, agent.context().clone())))
        .await
}

/// What another model thinks of it: from 0 to 1.
async fn judge(client: &Client<OpenAIConfig>, question: &str, answer: &str) -> Result<f64, Failed> {
    GenAi::global()
        .invoke_agent("Judge")
        .model(MODEL)
        .scope(async |_| {
            let verdict = ask(client, &format!("Does \"{answer}\" answer \"{question}\"?")).await?;
            // A real judge is asked for a number; the demo's model only repeats.
            Ok(if words(&verdict).contains("Paris") { 0.9 } else { 0.1 })
        })
        .await
}

async fn ask(client: &Client<OpenAIConfig>, question: &str) -> Result<CreateChatCompletionResponse, Failed> {
    let question = ChatCompletionRequestUserMessage::from(question);
    let request =
        CreateChatCompletionRequestArgs::default().model(MODEL).messages([question.into()]).build()?;
    Ok(client.chat().create(request).await?)
}

fn words(answer: &CreateChatCompletionResponse) -> &str {
    answer.choices.first().and_then(|choice| choice.message.content.as_deref()).unwrap_or_default()
}

fn label(score: f64) -> &'static str {
    if score >= 0.5 { "relevant" } else { "irrelevant" }
}
