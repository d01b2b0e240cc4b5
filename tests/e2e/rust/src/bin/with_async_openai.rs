//! async-openai, with the one line.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::ReqwestService;
use async_openai::middleware::retry::OpenAIRetryLayer;
use futures::StreamExt as _;
use otel_genai_http::async_openai::{GenAiLayer, instrument};
use program::{Error, PATIENCE, Scene, left, openai, run};
use serde_json::{Value, json};
use tower::ServiceBuilder;

type OpenAi = Client<OpenAIConfig>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _telemetry = otel_genai::init()?;
    run(play).await
}

async fn play(scene: &Scene) -> Result<Value, Error> {
    let config = OpenAIConfig::new().with_api_base(format!("{}/v1", scene.server)).with_api_key(&scene.key);
    let client = Client::with_config(config);
    match scene.name.as_str() {
        "timeout" => hello(&hasty(client)?).await,
        "attempts" => hello(&inside(client)).await,
        name => {
            let client = instrument(client);
            match name {
                "unary" | "refused" | "retried" => hello(&client).await,
                "stream" => Ok(json!({ "text": stream(&client, openai::pieces()).await? })),
                "dropped" => dropped(&client, scene).await,
                "tools" => openai::tools(async |request| ask(&client, request).await).await,
                "conversation" => {
                    let stream = async |request| stream(&client, request).await;
                    openai::conversation(async |request| ask(&client, request).await, stream).await
                }
                _ => Err("no such scene".into()),
            }
        }
    }
}

/// With an HTTP client of the program's own, which gives up soon.
fn hasty(client: OpenAi) -> Result<OpenAi, Error> {
    let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let stack = ServiceBuilder::new()
        .layer(GenAiLayer::new())
        .layer(OpenAIRetryLayer::default())
        .service(ReqwestService::new(http));
    Ok(client.with_http_service(stack))
}

/// The wrong way round: what tries again is outside.
fn inside(client: OpenAi) -> OpenAi {
    let stack = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::default())
        .layer(GenAiLayer::new())
        .service(ReqwestService::new(reqwest::Client::new()));
    client.with_http_service(stack)
}

async fn ask(client: &OpenAi, request: Value) -> Result<Value, Error> {
    Ok(serde_json::to_value(client.chat().create(serde_json::from_value(request)?).await?)?)
}

async fn hello(client: &OpenAi) -> Result<Value, Error> {
    match client.chat().create(serde_json::from_value(openai::hello())?).await {
        Ok(answer) => Ok(json!({ "text": openai::text(&serde_json::to_value(answer)?)? })),
        Err(OpenAIError::ApiError(refusal)) => {
            Ok(json!({ "status": refusal.status_code.as_u16(), "message": refusal.api_error.message }))
        }
        Err(OpenAIError::Reqwest(error)) if error.is_timeout() => Ok(json!({ "error": "timeout" })),
        Err(error) => Err(error.into()),
    }
}

async fn stream(client: &OpenAi, request: Value) -> Result<String, Error> {
    let mut stream = client.chat().create_stream(serde_json::from_value(request)?).await?;
    let mut text = String::new();
    while let Some(chunk) = stream.next().await {
        text += openai::piece(&serde_json::to_value(chunk?)?).unwrap_or_default();
    }
    Ok(text)
}

async fn dropped(client: &OpenAi, scene: &Scene) -> Result<Value, Error> {
    let mut stream = client.chat().create_stream(serde_json::from_value(openai::pieces())?).await?;
    let mut text = String::new();
    while text != "You said:" {
        let chunk = stream.next().await.ok_or("the stream is over too soon")??;
        text += openai::piece(&serde_json::to_value(chunk)?).unwrap_or_default();
    }
    drop(stream);
    left(scene).await?;
    Ok(json!({ "text": text }))
}
