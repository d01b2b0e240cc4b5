//! What reading costs: nanoseconds for a chunk of a stream and for a kilobyte of a body, best of many runs.
//!
//! `cargo bench -p otel-genai-wire`

use std::hint::black_box;
use std::time::Instant;

use http::{HeaderMap, HeaderValue};
use otel_genai::Server;
use otel_genai_wire::{Options, Protocol, RequestReader, ResponseReader, Route};

const CHUNKS: usize = 100;

fn main() {
    // `cargo test --benches` runs this too, to see that it works.
    let runs = if std::env::args().any(|argument| argument == "--bench") { 2000 } else { 2 };
    for (name, protocol, stream) in [
        ("OpenAI chat", Protocol::OpenAiChat, openai()),
        ("Anthropic messages", Protocol::AnthropicMessages, anthropic()),
        ("OpenAI Responses", Protocol::OpenAiResponses, responses()),
    ] {
        let route = Route::new(protocol, "openai".into(), Server::new("model.example", 443));
        let bytes = stream.iter().map(Vec::len).sum::<usize>() / CHUNKS;
        for content in [true, false] {
            let nanoseconds = best(runs, || read_stream(&route, &stream, content)) / CHUNKS as f64;
            println!("{name}, content {content:5}: {nanoseconds:6.0} ns a chunk of {bytes} bytes");
        }
        let documents: Vec<&[u8]> = stream
            .iter()
            .map(|chunk| chunk.get(memchr::memchr(b'{', chunk).unwrap_or(0)..).unwrap_or_default())
            .collect();
        let yardstick = best(runs, || {
            for document in &documents {
                let _ = black_box(serde_json::from_slice::<serde_json::Value>(document));
            }
        });
        println!("the same, as a serde_json::Value: {:6.0} ns", yardstick / CHUNKS as f64);
    }
    let route = Route::new(Protocol::OpenAiChat, "openai".into(), Server::new("model.example", 443));
    let kilobytes = 256;
    let body = request(kilobytes);
    for content in [true, false] {
        let nanoseconds = best(runs / 2, || {
            let mut reader = RequestReader::new(&route, Options::new(content));
            for piece in body.chunks(16 << 10) {
                reader.push(piece);
            }
            black_box(reader.finish());
        });
        println!("request, content {content:5}: {:5.0} ns a kilobyte", nanoseconds / kilobytes as f64);
    }
}

fn read_stream(route: &Route, stream: &[Vec<u8>], content: bool) {
    let options = Options::new(content);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("text/event-stream"));
    let Some(mut call) = RequestReader::new(route, options).finish() else { return };
    let mut reader = ResponseReader::new(route, 200, &headers, &call, options);
    for chunk in stream {
        black_box(reader.push(chunk));
    }
    black_box(reader.finish(&mut call));
}

/// The chunks of an answer as OpenAI sends them.
fn openai() -> Vec<Vec<u8>> {
    let chunk = |text: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl\",\"object\":\"chat.completion.chunk\",\
             \"created\":1731368639,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\
             \"system_fingerprint\":\"fp_0ba0d124f1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\
             \"logprobs\":null,\"finish_reason\":null}}],\"usage\":null,\"obfuscation\":\"x8Sd2kq\"}}\n\n"
        )
        .into_bytes()
    };
    (0..CHUNKS).map(|number| chunk(if number % 10 == 0 { " \\\"quoted\\\"\\n" } else { " token" })).collect()
}

/// The events of an answer as OpenAI's newer API sends them.
fn responses() -> Vec<Vec<u8>> {
    let event = |number: usize| {
        format!(
            "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
             \"content_index\":0,\"delta\":\" token\",\"item_id\":\"msg_084b35c1ca777f860069e2f3f7\",\
             \"logprobs\":[],\"obfuscation\":\"Pq8sdk2\",\"output_index\":0,\"sequence_number\":{number}}}\n\n"
        )
        .into_bytes()
    };
    (0..CHUNKS).map(event).collect()
}

/// The events of an answer as Anthropic sends them.
fn anthropic() -> Vec<Vec<u8>> {
    let chunk = |text: &str| {
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
             \"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
        )
        .into_bytes()
    };
    (0..CHUNKS).map(|number| chunk(if number % 10 == 0 { " \\\"quoted\\\"\\n" } else { " token" })).collect()
}

/// A request with a long history.
fn request(kilobytes: usize) -> Vec<u8> {
    let text = "The quick brown fox jumps over the lazy dog.\\n".repeat(10);
    let message = format!("{{\"role\":\"user\",\"content\":\"{text}\"}}");
    let messages = vec![message.as_str(); kilobytes * 1024 / message.len()].join(",");
    format!("{{\"messages\":[{messages}],\"model\":\"gpt-4o-mini\",\"temperature\":0.2}}").into_bytes()
}

/// Nanoseconds of the fastest run.
fn best(runs: usize, mut run: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..runs {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
    }
    best
}
