//! A bare reqwest client: `send_genai` instead of `send`.

use otel_genai_http::reqwest::RequestBuilderExt as _;
use program::reading::Pieces;
use program::{Error, PATIENCE, Scene, left, openai, run};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _telemetry = otel_genai::init()?;
    run(play).await
}

async fn play(scene: &Scene) -> Result<Value, Error> {
    let client = Client::new();
    let ask = |body: &Value| {
        client.post(format!("{}/v1/chat/completions", scene.server)).bearer_auth(&scene.key).json(body)
    };
    match scene.name.as_str() {
        "unary" | "refused" => told(ask(&openai::hello()).send_genai().await?).await,
        "stream" => {
            let mut pieces = Pieces::new(openai::piece);
            let mut response = ask(&openai::pieces()).send_genai().await?;
            while let Some(bytes) = response.chunk().await? {
                pieces.read(&bytes);
            }
            Ok(json!({ "text": pieces.text }))
        }
        "dropped" => {
            let mut pieces = Pieces::new(openai::piece);
            let mut response = ask(&openai::pieces()).send_genai().await?;
            while !pieces.is_half() {
                pieces.read(&response.chunk().await?.ok_or("the stream is over too soon")?);
            }
            drop(response);
            left(scene).await?;
            Ok(json!({ "text": pieces.text }))
        }
        "timeout" => match ask(&openai::hello()).timeout(PATIENCE).send_genai().await {
            Err(error) if error.is_timeout() => Ok(json!({ "error": "timeout" })),
            other => Err(format!("no timeout, but {other:?}").into()),
        },
        "retried" => {
            let url = format!("{}/v1/chat/completions", scene.server);
            let request = patient()?.post(url).bearer_auth(&scene.key).json(&openai::hello());
            told(request.send_genai().await?).await
        }
        "attempts" => told(again(ask(&openai::hello())).await?).await,
        "tools" => openai::tools(async |request| Ok(ask(&request).send_genai().await?.json().await?)).await,
        _ => Err("no such scene".into()),
    }
}

/// A client that tries again by itself, within the call.
fn patient() -> Result<Client, Error> {
    let again = reqwest::retry::for_host("127.0.0.1").no_budget().classify_fn(|attempt| {
        let refused = attempt.status() == Some(StatusCode::TOO_MANY_REQUESTS);
        if refused { attempt.retryable() } else { attempt.success() }
    });
    Ok(Client::builder().retry(again).build()?)
}

/// Tries again what was refused: each try is a call.
async fn again(request: RequestBuilder) -> Result<Response, Error> {
    loop {
        let response = request.try_clone().ok_or("a body that cannot be sent again")?.send_genai().await?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            return Ok(response);
        }
        response.bytes().await?;
    }
}

async fn told(response: Response) -> Result<Value, Error> {
    let status = response.status();
    let answer: Value = response.json().await?;
    if status.is_success() {
        Ok(json!({ "text": openai::text(&answer)? }))
    } else {
        Ok(json!({ "status": status.as_u16(), "message": answer["error"]["message"] }))
    }
}
