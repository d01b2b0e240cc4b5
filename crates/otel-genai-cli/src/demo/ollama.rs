//! The scripted model in the shapes of Ollama's own API.

use serde_json::{Value, json};

use super::model::{Answer, Framing, Reply, counted, part, reply};

const MODEL: &str = "llama3.2";
/// 2026-01-01, for ever.
const CREATED: &str = "2026-01-01T00:00:00Z";

pub(super) fn chat(body: &Value) -> Answer {
    let (words, calls) = match reply(body) {
        Reply::Words(words) => (words, Vec::new()),
        Reply::Calls(calls) => (String::new(), calls),
    };
    let calls: Vec<_> = calls
        .into_iter()
        .map(|(name, arguments)| json!({ "function": { "name": name, "arguments": arguments } }))
        .collect();
    let message = |words: &str, calls: &[Value]| match calls {
        [] => json!({ "role": "assistant", "content": words }),
        calls => json!({ "role": "assistant", "content": words, "tool_calls": calls }),
    };
    let (asked, said) = counted(body, &message(&words, &calls));
    let model = part(body, "/model").as_str().unwrap_or(MODEL);
    let piece = |message| json!({ "model": model, "created_at": CREATED, "message": message, "done": false });
    let last = |message| {
        json!({
            "model": model, "created_at": CREATED, "message": message, "done": true, "done_reason": "stop",
            "total_duration": 60_000_000, "load_duration": 1_000_000, "prompt_eval_count": asked,
            "prompt_eval_duration": 20_000_000, "eval_count": said, "eval_duration": 39_000_000,
        })
    };
    // Ollama streams unless it is told not to.
    if part(body, "/stream") == &json!(false) {
        return Answer::Whole(200, last(message(&words, &calls)));
    }
    let mut pieces: Vec<_> = words.split_inclusive(' ').map(|word| piece(message(word, &[]))).collect();
    if !calls.is_empty() {
        pieces.push(piece(message("", &calls)));
    }
    pieces.push(last(message("", &[])));
    Answer::Stream(Framing::Lines, pieces)
}

pub(super) fn models() -> Value {
    json!({ "models": [{
        "name": MODEL, "model": MODEL, "modified_at": CREATED, "size": 2_000_000_000_u64, "digest": "demo",
        "details": { "format": "gguf", "family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M" },
    }] })
}
