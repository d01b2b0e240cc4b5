//! A job that embeds many texts with a bare reqwest client: three requests at a time, what is refused is tried again, and
//! what cannot be embedded is left out. `.send_genai()` instead of `.send()` tells each attempt, below the job:
//!
//! ```text
//! invoke_workflow embed-articles
//! ├── embeddings text-embedding-busy
//! ├── embeddings text-embedding-busy     failed: rate_limit_exceeded
//! └── ...
//! ```
//!
//! ```sh
//! otel-genai demo --serve &
//! OPENAI_BASE_URL=http://127.0.0.1:4081/v1 OPENAI_API_KEY=none cargo run --bin reqwest-batch
//! ```

use std::env;
use std::error::Error;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use otel_genai::GenAi;
use otel_genai::sdk::Exporter;
use otel_genai_http::reqwest::RequestBuilderExt as _;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

type Failed = Box<dyn Error + Send + Sync>;

/// The demo's model of this name refuses every third request.
const MODEL: &str = "text-embedding-busy";
const BATCH: usize = 4;
const AT_A_TIME: usize = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 4;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // To the terminal, unless OTEL_* says otherwise; `otel_genai::init()` goes to http://localhost:4318 then.
    let _telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.service_name_default("indexer").default_exporter(Exporter::Console))
        .init()?;
    let mut texts: Vec<String> =
        (1..=20).map(|number| format!("Article {number}: where orders go.")).collect();
    texts.push(String::new()); // no model embeds nothing

    let client = Client::builder().timeout(Duration::from_secs(30)).build()?;
    let (client, batches) = (&client, texts.chunks(BATCH));
    let done = GenAi::global()
        .invoke_workflow("embed-articles")
        .scope(async |_| {
            let batches = stream::iter(batches).map(|batch| embed(client, batch)).buffer_unordered(AT_A_TIME);
            Ok::<_, Failed>(batches.collect::<Vec<_>>().await)
        })
        .await?;

    let (embedded, failed): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    println!("{} texts embedded", embedded.into_iter().flatten().flatten().count());
    for error in failed.into_iter().filter_map(Result::err) {
        println!("a batch was left out: {error}");
    }
    println!();
    Ok(())
}

/// The vectors of some texts. What is refused for now is asked again.
async fn embed(client: &Client, texts: &[String]) -> Result<Vec<Value>, Failed> {
    let mut attempt = 1;
    loop {
        let response = ask(client, texts).await?;
        let (status, pause) = (response.status(), retry_after(&response));
        // A call ends with its answer's body: read it before waiting. What is refused need not be JSON.
        let body = response.bytes().await?;
        let is_for_now = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        if status.is_success() {
            let mut answer: Value = serde_json::from_slice(&body)?;
            return Ok(serde_json::from_value(answer["data"].take())?);
        } else if !is_for_now || attempt == ATTEMPTS {
            let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
            return Err(
                format!("{status}: {}", answer["error"]["message"].as_str().unwrap_or("no reason")).into()
            );
        }
        tokio::time::sleep(pause.unwrap_or(Duration::from_millis(100 << attempt))).await;
        attempt += 1;
    }
}

async fn ask(client: &Client, texts: &[String]) -> Result<Response, Failed> {
    let base = env::var("OPENAI_BASE_URL").unwrap_or_else(|_| "https://api.openai.com/v1".to_owned());
    let request = client.post(format!("{base}/embeddings")).bearer_auth(env::var("OPENAI_API_KEY")?);
    let request = request.json(&json!({ "model": MODEL, "input": texts, "encoding_format": "float" }));
    Ok(request.send_genai().await?) // the line
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    // Nobody waits a day.
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}
