//! reqwest-middleware, with the one line.

use async_trait::async_trait;
use http::Extensions;
use otel_genai_http::reqwest_middleware::GenAiMiddleware;
use program::reading::Pieces;
use program::{Error, PATIENCE, Scene, left, openai, run};
use reqwest::{Client, Request, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _telemetry = otel_genai::init()?;
    run(play).await
}

async fn play(scene: &Scene) -> Result<Value, Error> {
    let client = match scene.name.as_str() {
        "timeout" => {
            let http = Client::builder().timeout(PATIENCE).build()?;
            ClientBuilder::new(http).with(GenAiMiddleware::new()).build()
        }
        // The wrong way round.
        "attempts" => ClientBuilder::new(Client::new()).with(Again).with(GenAiMiddleware::new()).build(),
        _ => ClientBuilder::new(Client::new()).with(GenAiMiddleware::new()).with(Again).build(),
    };
    match scene.name.as_str() {
        "unary" | "refused" | "retried" | "attempts" => {
            told(ask(&client, scene, &openai::hello()).await?).await
        }
        "stream" => {
            let mut pieces = Pieces::new(openai::piece);
            let mut response = ask(&client, scene, &openai::pieces()).await?;
            while let Some(bytes) = response.chunk().await? {
                pieces.read(&bytes);
            }
            Ok(json!({ "text": pieces.text }))
        }
        "dropped" => {
            let mut pieces = Pieces::new(openai::piece);
            let mut response = ask(&client, scene, &openai::pieces()).await?;
            while !pieces.is_half() {
                pieces.read(&response.chunk().await?.ok_or("the stream is over too soon")?);
            }
            drop(response);
            left(scene).await?;
            Ok(json!({ "text": pieces.text }))
        }
        "timeout" => match ask(&client, scene, &openai::hello()).await {
            Err(error) if error.is_timeout() => Ok(json!({ "error": "timeout" })),
            other => Err(format!("no timeout, but {other:?}").into()),
        },
        "tools" => {
            openai::tools(async |request| Ok(ask(&client, scene, &request).await?.json().await?)).await
        }
        _ => Err("no such scene".into()),
    }
}

async fn ask(
    client: &ClientWithMiddleware,
    scene: &Scene,
    body: &Value,
) -> reqwest_middleware::Result<Response> {
    let url = format!("{}/v1/chat/completions", scene.server);
    client.post(url).bearer_auth(&scene.key).json(body).send().await
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

/// Tries again what was refused.
struct Again;

#[async_trait]
impl Middleware for Again {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        loop {
            let copy = request.try_clone();
            let copy =
                copy.ok_or_else(|| reqwest_middleware::Error::middleware(std::io::Error::other("a stream")))?;
            let response = next.clone().run(copy, extensions).await?;
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                return Ok(response);
            }
            response.bytes().await?;
        }
    }
}
