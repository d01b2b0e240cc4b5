//! Recorded exchanges with many OpenAI-compatible servers: what was read is what the bodies say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::collections::BTreeMap;

use common::Exchange;
use otel_genai::{Message, Part};
use otel_genai_wire::{Call, Options, Protocol};
use serde_json::Value;

#[test]
fn recorded_exchanges_say_what_their_bodies_say() {
    let exchanges = common::exchanges("");
    let read = exchanges.iter().filter(|exchange| check(exchange)).count();
    println!("{read} of {} exchanges were read", exchanges.len());
}

/// Whether the exchange is of a protocol that is looked at here.
fn check(exchange: &Exchange) -> bool {
    let name = &exchange.name;
    let Some(route) = exchange.route("model.example") else { return false };
    if !matches!(route.protocol, Protocol::OpenAiChat | Protocol::OpenAiEmbeddings) {
        return false;
    }
    let request = &exchange.request;
    let played = exchange.play(&route, Options::new(true), 100).unwrap();
    let (call, failure) = (played.call, played.failure);
    assert_eq!(call.request_model(), request["model"].as_str(), "{name}");
    if let Call::Inference(chat) = &call {
        let sent = request["messages"].as_array().map_or(0, Vec::len);
        assert_eq!(chat.request.input_messages.len(), sent, "{name}: every message says something");
        let offered = request["tools"].as_array().map_or(0, Vec::len);
        assert_eq!(chat.request.tool_definitions.len(), offered, "{name}");
    }
    assert_eq!((played.skipped, played.note), (0, None), "{name}");

    let documents = exchange.documents();
    if exchange.status >= 400 {
        let failure = failure.unwrap_or_else(|| panic!("{name}: {} is a failure", exchange.status));
        let message = failure.message.unwrap_or_default();
        assert!(!message.is_empty() && !failure.error_type.is_empty(), "{name}");
        return true;
    }
    if exchange.body.is_empty() {
        // The recorder lost these.
        let kind = failure.map(|failure| failure.error_type);
        assert_eq!(kind.as_deref(), Some("malformed_response"), "{name}");
        return true;
    }
    assert_eq!(failure, None, "{name}");
    let model =
        documents.iter().find_map(|document| document["model"].as_str().filter(|model| !model.is_empty()));
    let usage = documents.iter().rev().find_map(|document| {
        [&document["usage"], &document["x_groq"]["usage"]].into_iter().find(|usage| usage.is_object())
    });
    let input = usage.and_then(|usage| usage["prompt_tokens"].as_u64());
    match call {
        Call::Inference(chat) => {
            assert_eq!(chat.response.model.as_deref(), model, "{name}");
            assert_eq!(chat.usage.input_tokens, input, "{name}");
            let output = usage.and_then(|usage| usage["completion_tokens"].as_u64());
            let reasoning = chat.usage.reasoning_output_tokens.unwrap_or(0);
            let beside = output.map(|output| output + reasoning);
            assert!(chat.usage.output_tokens == output || chat.usage.output_tokens == beside, "{name}");
            let choices = choices(&documents, matches!(exchange.body.first(), Some(b'd' | b':')));
            assert_eq!(chat.response.output_messages.len(), choices.len(), "{name}");
            assert_eq!(chat.response.finish_reasons.len(), choices.len(), "{name}");
            for ((message, reason), choice) in
                chat.response.output_messages.iter().zip(&chat.response.finish_reasons).zip(choices)
            {
                assert_eq!(text_of(message), choice.text, "{name}");
                assert_eq!(*reason, choice.reason, "{name}");
                let calls = message.parts.iter().filter(|part| matches!(part, Part::ToolCall(_))).count();
                assert_eq!(calls, choice.calls, "{name}");
            }
        }
        Call::Embeddings(embeddings) => {
            assert_eq!(embeddings.response_model.as_deref(), model, "{name}");
            assert_eq!(embeddings.input_tokens, input, "{name}");
            assert!(embeddings.dimension_count.is_some_and(|count| count >= 64), "{name}");
        }
        other => panic!("{other:?}"),
    }
    true
}

#[derive(Debug, Default)]
struct Choice {
    text: String,
    reason: String,
    calls: usize,
}

/// The choices, put together in the plainest way.
fn choices(documents: &[Value], is_stream: bool) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for choice in documents.iter().flat_map(|document| document["choices"].as_array().into_iter().flatten()) {
        let index = choice["index"].as_u64().unwrap_or(0) as usize;
        while choices.len() <= index {
            choices.push(Choice { reason: "error".to_owned(), ..Choice::default() });
        }
        let into = &mut choices[index];
        // Perplexity repeats beside each delta all that was said before, and has an empty delta in whole answers.
        let said = if is_stream { &choice["delta"] } else { &choice["message"] };
        into.text.push_str(said["content"].as_str().unwrap_or_default());
        for call in said["tool_calls"].as_array().into_iter().flatten() {
            // Pieces of a call have an index, whole calls have none, or one of their own.
            let number = call["index"].as_u64().map_or(into.calls, |index| index as usize);
            into.calls = into.calls.max(number + 1);
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            reason.clone_into(&mut into.reason);
        }
    }
    choices
}

fn text_of(message: &Message) -> String {
    let texts = message.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.content.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Streams are cut at places that differ from stream to stream and are the same in every run.
fn cuts(seed: &str, length: usize, count: usize) -> Vec<usize> {
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut places: Vec<usize> = (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % (length + 1)
        })
        .collect();
    places.sort_unstable();
    places
}

/// So long may a stream be that is also read byte by byte.
const SMALL: usize = 16 << 10;

#[test]
fn any_split_of_any_recorded_stream_gives_the_same_operation() {
    let mut streams: BTreeMap<String, usize> = BTreeMap::new();
    for exchange in common::exchanges("").into_iter().chain(common::golden()) {
        let Some(route) = exchange.route("model.example") else { continue };
        let is_stream = exchange.status < 300 && serde_json::from_slice::<Value>(&exchange.body).is_err();
        if !is_stream || exchange.body.is_empty() {
            continue;
        }
        *streams.entry(format!("{:?}", route.protocol)).or_default() += 1;
        for content in [true, false] {
            let options = Options::new(content);
            let whole = exchange.play(&route, options, usize::MAX);
            for count in [1, 2, 5, 20, 100] {
                let places = cuts(&format!("{} {count}", exchange.name), exchange.body.len(), count);
                assert_eq!(
                    exchange.play_cut(&route, options, &places),
                    whole,
                    "{} cut at {places:?}",
                    exchange.name
                );
            }
            if exchange.body.len() <= SMALL {
                assert_eq!(exchange.play(&route, options, 1), whole, "{} byte by byte", exchange.name);
            }
        }
    }
    println!("streams: {streams:?}");
}

/// What is a part of something is no more than that.
#[test]
fn usage_adds_up() {
    for exchange in common::exchanges("").into_iter().chain(common::golden()) {
        let Some(route) = exchange.route("model.example") else { continue };
        let Some(played) = exchange.play(&route, Options::new(false), usize::MAX) else { continue };
        let usage = match played.call {
            Call::Inference(op) => op.usage,
            Call::InvokeAgent(op) => op.usage,
            _ => continue,
        };
        let name = &exchange.name;
        let (input, output) = (usage.input_tokens.unwrap_or(0), usage.output_tokens.unwrap_or(0));
        let cached = usage.cache_read_input_tokens.unwrap_or(0) + usage.cache_write_input_tokens.unwrap_or(0);
        assert!(cached <= input, "{name}: {usage:?}");
        assert!(usage.reasoning_output_tokens.unwrap_or(0) <= output, "{name}: {usage:?}");
        for part in [&usage.text, &usage.image, &usage.audio] {
            assert!(part.input_tokens.unwrap_or(0) <= input, "{name}: {usage:?}");
            assert!(part.output_tokens.unwrap_or(0) <= output, "{name}: {usage:?}");
        }
    }
}
