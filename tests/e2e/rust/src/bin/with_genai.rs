//! genai, which makes spans of its own by its feature `otel`; the processor completes them.

use std::time::Duration;

use futures::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponse, ChatStreamEvent, Tool, ToolResponse};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::webc::Error as Web;
use genai::{Client, ModelIden, ServiceTarget};
use program::openai::MODEL;
use program::{Answer, Error, HELLO, PATIENCE, PIECES, QUESTION, Scene, agent, left, run, weather};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _telemetry = otel_genai_processor::init_with_tracing()?;
    run(play).await
}

async fn play(scene: &Scene) -> Result<Value, Error> {
    let client = client(scene)?;
    match scene.name.as_str() {
        "unary" | "refused" | "timeout" => told(hello(&client).await),
        "attempts" => loop {
            match hello(&client).await {
                Err(error) if error.status().is_some_and(|status| status.as_u16() == 429) => {}
                result => return told(result),
            }
        },
        "stream" => {
            let mut stream = client.exec_chat_stream(MODEL, pieces(), Some(&captured())).await?.stream;
            let mut text = String::new();
            while let Some(event) = stream.next().await {
                if let ChatStreamEvent::Chunk(chunk) = event? {
                    text += &chunk.content;
                }
            }
            Ok(json!({ "text": text }))
        }
        "dropped" => {
            let mut stream = client.exec_chat_stream(MODEL, pieces(), Some(&captured())).await?.stream;
            let mut text = String::new();
            while text != "You said:" {
                if let ChatStreamEvent::Chunk(chunk) =
                    stream.next().await.ok_or("the stream is over too soon")??
                {
                    text += &chunk.content;
                }
            }
            drop(stream);
            left(scene).await?;
            Ok(json!({ "text": text }))
        }
        "tools" => tools(&client).await,
        _ => Err("no such scene".into()),
    }
}

fn client(scene: &Scene) -> Result<Client, Error> {
    let (server, key) = (format!("{}/v1/", scene.server), scene.key.clone());
    let resolver = ServiceTargetResolver::from_resolver_fn(
        move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(server.clone()),
                auth: AuthData::from_single(key.clone()),
                model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
            })
        },
    );
    let patience = if scene.name == "timeout" { PATIENCE } else { Duration::from_secs(30) };
    let http = reqwest::Client::builder().timeout(patience).build()?;
    Ok(Client::builder().with_reqwest(http).with_service_target_resolver(resolver).build()?)
}

async fn hello(client: &Client) -> genai::Result<ChatResponse> {
    let options = ChatOptions::default().with_temperature(0.2);
    client.exec_chat(MODEL, ChatRequest::from_user(HELLO), Some(&options)).await
}

fn pieces() -> ChatRequest {
    ChatRequest::from_user(PIECES)
}

/// Without these genai's spans of streams say little.
fn captured() -> ChatOptions {
    ChatOptions::default().with_capture_usage(true).with_capture_content(true)
}

async fn tools(client: &Client) -> Result<Value, Error> {
    let schema =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let tool = Tool::new("get_weather").with_description("The weather in a city").with_schema(schema);
    let question = ChatRequest::new(vec![ChatMessage::user(QUESTION)]).with_tools(vec![tool]);
    agent("openai", MODEL, async || {
        let mut answer = Answer::default();
        let mut ask = async |request| {
            let said = client.exec_chat(MODEL, request, None).await?;
            let used = &said.usage;
            answer.used(used.prompt_tokens.unwrap_or_default(), used.completion_tokens.unwrap_or_default());
            Ok::<_, Error>(said)
        };
        let calls = ask(question.clone()).await?.into_tool_calls();
        let call = calls.first().ok_or("the model asks for no tool")?;
        let seen = weather(Some(&call.call_id), call.fn_arguments.clone()).await?;
        let result = ToolResponse::new(call.call_id.clone(), seen);
        let said = ask(question.append_message(calls).append_message(result)).await?;
        Ok(Answer { text: said.into_first_text().ok_or("no text")?, ..answer })
    })
    .await
}

fn told(result: genai::Result<ChatResponse>) -> Result<Value, Error> {
    match result {
        Ok(answer) => Ok(json!({ "text": answer.into_first_text() })),
        Err(genai::Error::WebModelCall { webc_error: Web::Reqwest(error), .. }) if error.is_timeout() => {
            Ok(json!({ "error": "timeout" }))
        }
        Err(genai::Error::WebModelCall {
            webc_error: Web::ResponseFailedStatus { status, body, .. },
            ..
        }) => {
            let refusal: Value = serde_json::from_str(&body)?;
            Ok(json!({ "status": status.as_u16(), "message": refusal["error"]["message"] }))
        }
        Err(error) => Err(error.into()),
    }
}
