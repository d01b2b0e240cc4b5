//! Any bytes as the body of a request, cut anywhere: no panic, and the same call however they are cut.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run request` in `crates/otel-genai-wire`
#![no_main]

use http::{HeaderMap, Method, Uri};
use libfuzzer_sys::fuzz_target;
use otel_genai_wire::{Call, Options, RequestReader, detect};

fuzz_target!(|input: &[u8]| {
    let Some(([path, content, limit, at], body)) = input.split_first_chunk::<4>() else { return };
    let path = if path % 2 == 0 { "chat/completions" } else { "embeddings" };
    let url: Uri = format!("https://api.openai.com/v1/{path}").parse().unwrap();
    let route = detect(&Method::POST, &url, &HeaderMap::new()).unwrap();
    let limit = if *limit < 128 { usize::from(*limit) * 8 } else { Options::DEFAULT_LIMIT };
    let options = Options::new(content % 2 == 0).limit(limit);

    let read = |pieces: &[&[u8]]| -> Call {
        let mut reader = RequestReader::new(&route, options);
        pieces.iter().for_each(|piece| reader.push(piece));
        reader.finish()
    };
    let (one, two) = body.split_at(usize::from(*at).min(body.len()));
    assert_eq!(read(&[one, two]), read(&[body]));
});
