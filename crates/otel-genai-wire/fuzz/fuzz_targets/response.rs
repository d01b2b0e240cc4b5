//! Any bytes as the body of a response, cut anywhere: no panic, and the same result however they are cut.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run response` in `crates/otel-genai-wire`. The first byte chooses the protocol;
//! `PROTOCOL=Gemini` leaves only those to choose from whose names begin so.
#![no_main]

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use otel_genai::{ProviderName, Server};
use otel_genai_wire::{Options, Protocol, RequestReader, ResponseReader, Route};

const CONTENT_TYPES: [&str; 5] = [
    "text/event-stream",
    "application/json",
    "text/plain",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
];

static PROTOCOLS: LazyLock<Vec<Protocol>> = LazyLock::new(|| {
    let named = std::env::var("PROTOCOL").unwrap_or_default();
    let all = Protocol::ALL.iter().copied();
    all.filter(|protocol| format!("{protocol:?}").starts_with(&named)).collect()
});

fuzz_target!(|input: &[u8]| {
    let Some(([protocol, how, content_type, limit, piece], body)) = input.split_first_chunk::<5>() else { return };
    let protocol = PROTOCOLS[usize::from(*protocol) % PROTOCOLS.len()];
    let route = Route::new(protocol, ProviderName::OpenAi, Server::new("model.example", 443));
    let status = if how & 2 == 0 { 200 } else { 400 };
    let limit = if *limit < 128 { usize::from(*limit) * 8 } else { Options::DEFAULT_LIMIT };
    let options = Options::new(how & 4 == 0).limit(limit);
    let content_type = CONTENT_TYPES[usize::from(*content_type) % CONTENT_TYPES.len()];
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    let request = if how & 8 == 0 { br#"{"model":"m","stream":true}"#.as_slice() } else { br#"{"model":"m"}"# };

    let read = |piece: usize| {
        let mut reader = RequestReader::new(&route, options);
        reader.push(request);
        let mut call = reader.finish()?;
        let mut reader = ResponseReader::new(&route, status, &headers, &call, options);
        let (mut chunks, mut ended) = (0, false);
        for piece in body.chunks(piece) {
            let progress = reader.push(piece);
            chunks += progress.chunks;
            ended |= progress.ended;
        }
        let failure = reader.finish(&mut call);
        Some((call, failure, chunks, ended, reader.skipped(), reader.note()))
    };
    assert_eq!(read(usize::from(*piece).max(1)), read(body.len().max(1)));
});
