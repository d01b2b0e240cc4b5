//! Requests that are a prompt and settings: Titan's, Llama's, Mistral's, Cohere's Command, AI21's, Claude's of old.

use std::borrow::Cow;

use otel_genai::{Inference, Message};

use crate::json::{self, object};

object! {
    struct Request<'a> {
        "prompt" | "inputText" => prompt: Option<Cow<'a, str>>,
        "textGenerationConfig" => config: Option<Box<Settings<'a>>>,
    }

    struct Settings<'a> {
        "temperature" => temperature: Option<f64>,
        "top_p" | "topP" | "p" => top_p: Option<f64>,
        "top_k" | "k" => top_k: Option<i64>,
        "max_tokens" | "maxTokenCount" | "max_gen_len" | "max_tokens_to_sample" | "maxTokens" => max_tokens: Option<i64>,
        "stop_sequences" | "stopSequences" | "stop" => stop: Vec<Option<Cow<'a, str>>>,
        "num_generations" | "numResults" => count: Option<i64>,
    }
}

/// Reads what a request says.
pub(super) fn read(body: &[u8], op: &mut Inference) -> Result<(), serde_json::Error> {
    let sent: Request<'_> = json::read(body)?;
    let settings = match sent.config {
        Some(config) => *config,
        None => json::read::<Settings<'_>>(body)?,
    };
    let request = &mut op.request;
    request.temperature = settings.temperature;
    request.top_p = settings.top_p;
    request.top_k = settings.top_k;
    request.max_tokens = settings.max_tokens;
    request.stop_sequences = settings.stop.into_iter().flatten().map(Cow::into_owned).collect();
    request.choice_count = settings.count;
    request.input_messages.extend(sent.prompt.map(Message::user));
    Ok(())
}
