//! Any bytes as the body of a request, cut anywhere: no panic, and the same call however they are cut.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run request` in `crates/otel-genai-wire`. The first byte chooses the protocol;
//! `PROTOCOL=Gemini` leaves only those to choose from whose names begin so.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use otel_genai::{ProviderName, Server};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, Route};

static PROTOCOLS: LazyLock<Vec<Protocol>> = LazyLock::new(|| {
    let named = std::env::var("PROTOCOL").unwrap_or_default();
    let all = Protocol::ALL.iter().copied();
    all.filter(|protocol| format!("{protocol:?}").starts_with(&named)).collect()
});

fuzz_target!(|input: &[u8]| {
    let Some(([protocol, content, limit, at], body)) = input.split_first_chunk::<4>() else { return };
    let protocol = PROTOCOLS[usize::from(*protocol) % PROTOCOLS.len()];
    let route = Route::new(protocol, ProviderName::OpenAi, Server::new("model.example", 443));
    let limit = if *limit < 128 { usize::from(*limit) * 8 } else { Options::DEFAULT_LIMIT };
    let options = Options::new(content % 2 == 0).tools(content % 3 == 0).limit(limit);

    let read = |pieces: &[&[u8]]| -> Option<Call> {
        let mut reader = RequestReader::new(&route, options);
        pieces.iter().for_each(|piece| reader.push(piece));
        reader.finish()
    };
    let (one, two) = body.split_at(usize::from(*at).min(body.len()));
    assert_eq!(read(&[one, two]), read(&[body]));
});
