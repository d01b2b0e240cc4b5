//! Any messages of a session, and any bytes in place of them: no panic, and the same calls however they are cut.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run session` in `crates/otel-genai-wire`. After three bytes that choose how it is read,
//! each line is a message: of the client where its first byte is odd, of the provider otherwise. With the first bit set
//! they are framed; without, they are bytes of the connection.
#![no_main]

use std::time::Instant;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use otel_genai::{Failure, Inference, ProviderName, Server};
use otel_genai_wire::{Options, Protocol, Route, SessionEnd, SessionEvent, SessionReader};

/// What was told: of which call, and how it ended.
type Told = Vec<(u64, Option<(Inference, Option<Failure>, Option<String>)>)>;

fuzz_target!(|input: &[u8]| {
    let Some(([how, limit, piece], script)) = input.split_first_chunk::<3>() else { return };
    let route = Route::new(Protocol::OpenAiRealtime, ProviderName::OpenAi, Server::new("model.example", 443));
    let limit = if *limit < 128 { usize::from(*limit) * 8 } else { Options::DEFAULT_LIMIT };
    let options = Options::new(how & 2 == 0).limit(limit);
    let mut answer = HeaderMap::new();
    if how & 4 != 0 {
        answer.insert("sec-websocket-extensions", HeaderValue::from_static("permessage-deflate"));
    }
    let at = Instant::now();

    let read = |piece: usize| {
        let mut told: Told = Vec::new();
        let mut take = |event: SessionEvent| match event {
            SessionEvent::Chunk { call } => told.push((call, None)),
            SessionEvent::Ended { call, answer } => {
                let mut operation = Inference::new("chat", "openai");
                let note = answer.note().map(str::to_owned);
                let failure = answer.finish(&mut operation);
                told.push((call, Some((operation, failure, note))));
            }
            _ => {}
        };
        let mut reader = SessionReader::new(&route, &answer, options)?;
        for message in script.split(|byte| *byte == b'\n') {
            let Some((side, text)) = message.split_first() else { continue };
            let bytes = match (how & 1, u16::try_from(text.len())) {
                (1, Ok(length)) => [&[0x81, 126], &length.to_be_bytes()[..], text].concat(),
                _ => text.to_vec(),
            };
            for piece in bytes.chunks(piece) {
                match side & 1 {
                    1 => reader.client(piece, at, &mut take),
                    _ => reader.server(piece, at, &mut take),
                }
            }
        }
        reader.finish(SessionEnd::ServerClosed, at, &mut take);
        Some(told)
    };
    assert_eq!(read(usize::from(*piece).max(1)), read(script.len().max(1)));
});
