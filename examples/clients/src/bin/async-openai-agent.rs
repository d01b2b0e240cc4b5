//! An agent with two tools. One line around async-openai's client tells the calls of the model; the program tells the rest:
//!
//! ```text
//! invoke_agent Support
//! ├── chat gpt-4o-mini            the model asks for two tools
//! ├── execute_tool track_order    ┐ at the same time
//! ├── execute_tool get_weather    ┘
//! └── chat gpt-4o-mini            and answers
//! ```
//!
//! ```sh
//! otel-genai demo --serve &
//! OPENAI_BASE_URL=http://127.0.0.1:4081/v1 OPENAI_API_KEY=none cargo run --bin async-openai-agent
//! ```

use std::error::Error;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessageArgs,
    ChatCompletionRequestMessage, ChatCompletionRequestToolMessage, ChatCompletionRequestUserMessage,
    ChatCompletionTools, CreateChatCompletionRequestArgs,
};
use futures::future::try_join_all;
use otel_genai::sdk::Exporter;
use otel_genai::{GenAi, Message};
use otel_genai_http::async_openai::instrument;
use serde_json::{Value, json};

type Failed = Box<dyn Error + Send + Sync>;

const MODEL: &str = "gpt-4o-mini";
const MOST_ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // To the terminal, unless OTEL_* says otherwise; `otel_genai::init()` goes to http://localhost:4318 then.
    let _telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.service_name_default("support").default_exporter(Exporter::Console))
        .init()?;
    let client = instrument(Client::new()); // the line

    let question = "Where is my order, and how is the weather in Hamburg?";
    println!("> {question}\n{}\n", answer(&client, question).await?);
    Ok(())
}

/// Asks the model and runs the tools that it wants, until it has an answer.
async fn answer(client: &Client<OpenAIConfig>, question: &str) -> Result<String, Failed> {
    GenAi::global()
        .invoke_agent("Support")
        .model(MODEL)
        .scope(async |agent| {
            agent.input([Message::user(question)]);
            let mut messages = vec![ChatCompletionRequestUserMessage::from(question).into()];
            let mut tokens = (0, 0);
            for _ in 0..MOST_ROUNDS {
                let request = CreateChatCompletionRequestArgs::default()
                    .model(MODEL)
                    .messages(messages.clone())
                    .tools(tools()?)
                    .build()?;
                let response = client.chat().create(request).await?;
                if let Some(usage) = response.usage {
                    tokens = (tokens.0 + usage.prompt_tokens, tokens.1 + usage.completion_tokens);
                }
                let message = response.choices.into_iter().next().ok_or("the model said nothing")?.message;
                let Some(calls) = message.tool_calls.filter(|calls| !calls.is_empty()) else {
                    let answer = message.content.unwrap_or_default();
                    agent.output([Message::assistant(&answer).finish("stop")]);
                    agent.response_mut().finish_reasons = vec!["stop".to_owned()];
                    agent.usage(tokens.0.into(), tokens.1.into());
                    return Ok(answer);
                };
                let asked_for =
                    ChatCompletionRequestAssistantMessageArgs::default().tool_calls(calls.clone()).build()?;
                messages.push(asked_for.into());
                let calls = calls.into_iter().filter_map(|call| match call {
                    ChatCompletionMessageToolCalls::Function(call) => Some(run(call)),
                    ChatCompletionMessageToolCalls::Custom(_) => None,
                });
                messages.extend(try_join_all(calls).await?);
            }
            Err("the model wants tools without end".into())
        })
        .await
}

/// A tool that the model asks for; its result goes back to the model.
async fn run(call: ChatCompletionMessageToolCall) -> Result<ChatCompletionRequestMessage, Failed> {
    let (id, function) = (call.id, call.function);
    GenAi::global()
        .execute_tool(&function.name)
        .kind("function")
        .call_id(&id)
        .scope(async |tool| {
            let arguments: Value = serde_json::from_str(&function.arguments)?;
            tool.arguments(arguments.clone());
            let result = match function.name.as_str() {
                "track_order" => "it is on its way to Hamburg".to_owned(),
                "get_weather" => {
                    format!("18 degrees and sunny in {}", arguments["place"].as_str().unwrap_or("?"))
                }
                other => return Err(format!("there is no tool {other}").into()),
            };
            tool.result(result.clone());
            Ok(ChatCompletionRequestToolMessage { content: result.into(), tool_call_id: id.clone() }.into())
        })
        .await
}

fn tools() -> serde_json::Result<Vec<ChatCompletionTools>> {
    let parameters = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } } });
    serde_json::from_value(json!([
        { "type": "function", "function": { "name": "track_order", "parameters": parameters("order") } },
        { "type": "function", "function": { "name": "get_weather", "parameters": parameters("place") } },
    ]))
}
