//! Any bytes as the body of a response, cut anywhere: no panic, and the same result however they are cut.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run response` in `crates/otel-genai-wire`
#![no_main]

use http::{HeaderMap, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;
use otel_genai_wire::{Options, RequestReader, ResponseReader, detect};

fuzz_target!(|input: &[u8]| {
    let Some(([how, content_type, limit, piece], body)) = input.split_first_chunk::<4>() else { return };
    let path = if how & 1 == 0 { "chat/completions" } else { "embeddings" };
    let url: Uri = format!("https://api.openai.com/v1/{path}").parse().unwrap();
    let route = detect(&Method::POST, &url, &HeaderMap::new()).unwrap();
    let status = if how & 2 == 0 { 200 } else { 400 };
    let limit = if *limit < 128 { usize::from(*limit) * 8 } else { Options::DEFAULT_LIMIT };
    let options = Options::new(how & 4 == 0).limit(limit);
    let content_type = ["text/event-stream", "application/json", "text/plain"][usize::from(*content_type) % 3];
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    let request = if how & 8 == 0 { br#"{"stream":true}"#.as_slice() } else { b"{}" };

    let read = |piece: usize| {
        let mut reader = RequestReader::new(&route, options);
        reader.push(request);
        let mut call = reader.finish();
        let mut reader = ResponseReader::new(&route, status, &headers, &call, options);
        let (mut chunks, mut ended) = (0, false);
        for piece in body.chunks(piece) {
            let progress = reader.push(piece);
            chunks += progress.chunks;
            ended |= progress.ended;
        }
        let skipped = reader.skipped();
        let failure = reader.finish(&mut call);
        (call, failure, chunks, ended, skipped)
    };
    assert_eq!(read(usize::from(*piece).max(1)), read(body.len().max(1)));
});
