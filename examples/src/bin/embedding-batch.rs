//! Many texts become vectors: in batches, some at a time. A batch that the provider refuses is a failed operation and
//! leaves the others alone.

use std::error::Error;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use otel_genai_examples::client::Client;
use otel_genai_examples::model::Model;
use otel_genai_examples::telemetry;

/// How many texts are sent at once, and how many such batches are on their way at a time.
const BATCH: usize = 2;
const AT_A_TIME: usize = 2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (genai, _telemetry) = telemetry::init("embedding-batch")?;
    let client = Client::new(genai.clone(), Model::new(Duration::from_millis(30)));
    let texts: Vec<String> =
        ["a red dress", "a blue shirt", "poison", "green shoes", "a hat"].map(Into::into).into();

    let indexed = genai
        .invoke_workflow("index-catalogue")
        .scope(async |_| {
            let batches = stream::iter(texts.chunks(BATCH)).map(|batch| client.embed(batch));
            let results: Vec<_> = batches.buffer_unordered(AT_A_TIME).collect().await;
            for error in results.iter().filter_map(|result| result.as_ref().err()) {
                eprintln!("a batch was left out: {error}");
            }
            Ok::<_, std::convert::Infallible>(results.into_iter().flatten().flatten().count())
        })
        .await?;
    println!("{indexed} of {} texts have vectors\n", texts.len());
    Ok(())
}
