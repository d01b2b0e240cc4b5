//! What reading costs: nanoseconds for a chunk of a stream and for a kilobyte of a body, best of many runs.
//!
//! `cargo bench -p otel-genai-wire`

use std::hint::black_box;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai_wire::{Call, Options, RequestReader, ResponseReader, Route, detect};

const CHUNKS: usize = 100;

fn main() {
    // `cargo test --benches` runs this too, to see that it works.
    let runs = if std::env::args().any(|argument| argument == "--bench") { 2000 } else { 2 };
    let Ok(url) = "https://api.openai.com/v1/chat/completions".parse::<Uri>() else { return };
    let Some(route) = detect(&Method::POST, &url, &HeaderMap::new()) else { return };

    let stream = stream();
    for content in [true, false] {
        let nanoseconds = best(runs, || read_stream(&route, &stream, content)) / CHUNKS as f64;
        let bytes = stream.iter().map(Vec::len).sum::<usize>() / CHUNKS;
        println!("stream, content {content:5}: {nanoseconds:6.0} ns a chunk of {bytes} bytes");
    }
    let floor = best(runs, || {
        for chunk in &stream {
            let json = chunk.strip_prefix(b"data: ").unwrap_or(chunk);
            let _ = black_box(serde_json::from_slice::<serde::de::IgnoredAny>(json));
        }
    });
    println!("the same, skipped by serde_json: {:6.0} ns", floor / CHUNKS as f64);
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
    let mut call: Call = RequestReader::new(route, options).finish();
    let mut reader = ResponseReader::new(route, 200, &headers, &call, options);
    for chunk in stream {
        black_box(reader.push(chunk));
    }
    black_box(reader.finish(&mut call));
}

/// The chunks of an answer as OpenAI sends them.
fn stream() -> Vec<Vec<u8>> {
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
