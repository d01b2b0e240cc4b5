//! Realtime: sessions over a WebSocket, message by message.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai::{Failure, Inference, Message, ProviderName, Server};
use otel_genai_wire::{Options, Protocol, Route, SessionEnd, SessionEvent, SessionReader, detect};
use proptest::prelude::*;
use serde_json::{Value, json};

fn upgrade(url: &str) -> Option<Route> {
    let headers = [("sec-websocket-key".parse().unwrap(), HeaderValue::from_static("AAAA"))];
    detect(&Method::GET, &url.parse::<Uri>().unwrap(), &headers.into_iter().collect())
}

fn route() -> Route {
    upgrade("wss://api.openai.com/v1/realtime?model=gpt-realtime").unwrap()
}

/// One call of a session. Times are the numbers of the lines that they passed with.
#[derive(Clone, Debug, PartialEq)]
struct Played {
    call: u64,
    began: u64,
    chunks: Vec<u64>,
    ended: Option<u64>,
    /// As it began.
    asked: Inference,
    operation: Inference,
    failure: Option<Failure>,
    note: Option<String>,
}

impl Played {
    fn input(&self) -> Value {
        told(&self.operation.request.input_messages)
    }

    fn output(&self) -> Value {
        told(&self.operation.response.output_messages)
    }

    fn reasons(&self) -> &[String] {
        &self.operation.response.finish_reasons
    }

    fn error(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| &*failure.error_type)
    }
}

fn told(messages: &[Message]) -> Value {
    let mut told = serde_json::to_value(messages).unwrap();
    for message in told.as_array_mut().unwrap() {
        message.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    told
}

/// A frame of text, in so many fragments.
fn frame(is_client: bool, text: &str, fragments: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = text.len().div_ceil(fragments).max(1);
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
    for (nth, piece) in pieces.iter().enumerate() {
        let is_last = nth + 1 == pieces.len();
        bytes.push(if nth == 0 { 1 } else { 0 } | if is_last { 0x80 } else { 0 });
        let mask = if is_client { 0x80 } else { 0 };
        match piece.len() {
            length @ 0..126 => bytes.push(mask | length as u8),
            length @ 126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if is_client {
            let mask = [1, 99, 200, 7];
            bytes.extend(mask);
            bytes.extend(piece.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        } else {
            bytes.extend(*piece);
        }
    }
    bytes
}

const CLOSE: &str = "close";

/// Plays lines of `> what the client says` and `< what the provider says`, cut into pieces.
fn play_with(
    route: &Route,
    script: &str,
    options: Options,
    cut: (usize, usize),
    end: SessionEnd,
) -> Vec<Played> {
    let mut reader = SessionReader::new(route, &HeaderMap::new(), options).unwrap();
    let mut calls: Vec<Played> = Vec::new();
    let start = Instant::now();
    let line_at = |at: Instant| at.duration_since(start).as_secs();
    let take = |calls: &mut Vec<Played>, line: u64, event: SessionEvent| match event {
        SessionEvent::Began { call, at, operation } => calls.push(Played {
            call,
            began: line_at(at),
            chunks: Vec::new(),
            ended: None,
            asked: (*operation).clone(),
            operation: *operation,
            failure: None,
            note: None,
        }),
        SessionEvent::Chunk { call } => {
            let played = calls.iter_mut().find(|played| played.call == call).unwrap();
            assert_eq!(played.ended, None, "a chunk after the end");
            played.chunks.push(line);
        }
        SessionEvent::Ended { call, answer } => {
            let played = calls.iter_mut().find(|played| played.call == call).unwrap();
            assert_eq!(played.ended.replace(line), None, "it ended twice");
            played.note = answer.note().map(str::to_owned);
            played.failure = answer.finish(&mut played.operation);
        }
        event => panic!("what is {event:?}?"),
    };
    let mut line = 0;
    for text in script.lines().map(str::trim).filter(|text| !text.is_empty()) {
        line += 1;
        let at = start + Duration::from_secs(line);
        let (is_client, message) = match text.split_at(2) {
            ("> ", message) => (true, message),
            ("< ", message) => (false, message),
            _ => panic!("who says {text}?"),
        };
        let bytes = match message {
            CLOSE => vec![0x88, 0],
            message => frame(is_client, message, cut.0),
        };
        for piece in bytes.chunks(cut.1) {
            match is_client {
                true => reader.client(piece, at, |event| take(&mut calls, line, event)),
                false => reader.server(piece, at, |event| take(&mut calls, line, event)),
            }
        }
    }
    line += 1;
    reader.finish(end, start + Duration::from_secs(line), |event| take(&mut calls, line, event));
    assert!(calls.iter().all(|played| played.ended.is_some()), "{calls:#?}");
    calls
}

fn play(script: &str) -> Vec<Played> {
    play_with(&route(), script, Options::new(true), (1, usize::MAX), SessionEnd::ClientLeft)
}

fn recorded(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap()
}

#[test]
fn who_is_asked() {
    for (url, provider, parameter) in [
        ("wss://api.openai.com/v1/realtime?model=m", "openai", "model"),
        (
            "https://r.openai.azure.com/openai/realtime?api-version=1&deployment=m",
            "azure.ai.openai",
            "deployment",
        ),
        ("https://r.openai.azure.com/openai/v1/realtime?model=m", "azure.ai.openai", "model"),
        ("https://api.x.ai/v1/realtime?model=m", "x_ai", "model"),
        ("http://localhost:9/v1/realtime?model=m", "openai", "model"),
    ] {
        let route = upgrade(url).unwrap();
        assert_eq!(
            (route.protocol, route.provider.clone()),
            (Protocol::OpenAiRealtime, provider.into()),
            "{url}"
        );
        assert_eq!(route.parameter(parameter), Some("m"), "{url}");
        assert!(SessionReader::new(&route, &HeaderMap::new(), Options::default()).is_some());
    }
    let url: Uri = "https://api.openai.com/v1/realtime?model=m".parse().unwrap();
    assert_eq!(detect(&Method::GET, &url, &HeaderMap::new()), None, "there is no WebSocket");
    let chat = Route::new(Protocol::OpenAiChat, ProviderName::OpenAi, Server::new("h", 443));
    assert!(SessionReader::new(&chat, &HeaderMap::new(), Options::default()).is_none());
}

#[test]
fn a_text_with_a_tool_is_two_calls() {
    let calls = play(&recorded("text_and_tool"));
    let [first, second] = &calls[..] else { panic!("{calls:#?}") };

    let asked = &first.asked;
    assert_eq!((asked.operation.as_str(), asked.provider.as_str()), ("chat", "openai"));
    assert_eq!(asked.server, Some(Server::new("api.openai.com", 443)));
    assert_eq!(asked.request.model.as_deref(), Some("gpt-realtime"));
    assert!(asked.request.stream && asked.request.input_messages.is_empty());
    assert_eq!(asked.response.model.as_deref(), Some("gpt-realtime-2025-08-28"));
    assert_eq!((first.began, first.chunks.as_slice(), first.ended), (5, &[10, 11][..], Some(14)));
    let op = &first.operation;
    assert_eq!((op.request.max_tokens, op.request.temperature), (Some(300), None));
    assert_eq!(op.request.output_type.as_ref().map(otel_genai::OutputType::as_str), Some("text"));
    assert_eq!(op.response.id.as_deref(), Some("resp_1"));
    assert_eq!(op.conversation_id.as_deref(), Some("conv_1"));
    assert_eq!(first.reasons(), ["tool_calls"]);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(70), Some(20)));
    assert_eq!(
        (op.usage.cache_read_input_tokens, op.usage.text.cache_read_input_tokens),
        (Some(64), Some(64))
    );
    assert_eq!(
        first.input(),
        json!([{"role": "user", "parts": [{"type": "text", "content": "Where is order 7?"}]}])
    );
    assert_eq!(
        serde_json::to_value(&op.request.system_instructions).unwrap(),
        json!([{"type": "text", "content": "You help customers."}])
    );
    assert_eq!(op.request.tool_definitions[0].name, "find_order");
    assert_eq!(
        first.output()[0]["parts"],
        json!([{"type": "tool_call", "id": "call_1", "name": "find_order", "arguments": {"id": "7"}}])
    );
    assert_eq!((&first.failure, &first.note), (&None, &None));

    assert_eq!((second.began, second.chunks.as_slice(), second.ended), (17, &[22, 23][..], Some(26)));
    assert_eq!(second.operation.request.max_tokens, Some(50));
    assert_eq!(
        second.input(),
        json!([{"role": "tool", "parts": [
            {"type": "tool_call_response", "id": "call_1", "response": "{\"status\":\"shipped\"}"}
        ]}])
    );
    assert_eq!(
        second.output(),
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "It has left 📦."}], "finish_reason": "stop"}])
    );
    assert_eq!(second.reasons(), ["stop"]);
}

#[test]
fn a_voice_is_heard_and_answered() {
    let calls = play(&recorded("voice_of_the_older_interface"));
    let [call] = &calls[..] else { panic!("{calls:#?}") };
    // Nobody asked but the pause, so that it begins when the provider says so.
    assert_eq!((call.began, call.chunks.as_slice(), call.ended), (9, &[13, 14, 17, 18][..], Some(22)));
    let op = &call.operation;
    assert_eq!(op.request.temperature, Some(0.8));
    assert_eq!(op.request.max_tokens, None);
    assert_eq!(op.request.output_type.as_ref().map(otel_genai::OutputType::as_str), Some("speech"));
    assert_eq!((op.usage.audio.input_tokens, op.usage.audio.output_tokens), (Some(13), Some(91)));
    assert_eq!((op.usage.text.input_tokens, op.usage.audio.cache_read_input_tokens), (Some(119), Some(4)));
    assert_eq!(
        call.input(),
        json!([{"role": "user", "parts": [
            {"type": "blob", "modality": "audio", "mime_type": "audio/pcmu", "content": "AAECAwQFBgcI"},
            {"type": "text", "content": "Hello there"}
        ]}])
    );
    assert_eq!(call.output()[0]["parts"], json!([{"type": "text", "content": "Good morning."}]));
}

#[test]
fn without_content_there_is_none_and_everything_else() {
    for name in ["text_and_tool", "voice_of_the_older_interface"] {
        let script = recorded(name);
        let end = SessionEnd::ClientLeft;
        let with = play(&script);
        let without = play_with(&route(), &script, Options::new(false), (1, usize::MAX), end);
        assert_eq!(with.len(), without.len());
        for (mut with, without) in with.into_iter().zip(without) {
            with.operation.request.input_messages.clear();
            with.operation.request.system_instructions.clear();
            with.operation.request.tool_definitions.clear();
            with.operation.response.output_messages.clear();
            assert_eq!(with, without);
        }
    }
}

#[test]
fn sound_that_is_too_long_is_told_by_its_item_alone() {
    let script = recorded("voice_of_the_older_interface");
    let calls =
        play_with(&route(), &script, Options::new(true).limit(8), (1, usize::MAX), SessionEnd::ClientLeft);
    let [call] = &calls[..] else { panic!("{calls:#?}") };
    let input = call.input();
    assert_eq!(
        input[0]["parts"][0],
        json!({"type": "file", "modality": "audio", "mime_type": "audio/pcm", "file_id": "item_a"})
    );
    assert!(call.note.as_deref().unwrap().contains("too long"), "{:?}", call.note);
    assert_eq!(call.operation.usage.output_tokens, Some(121));
}

const HEAD: &str = r#"
    < {"type":"session.created","session":{"model":"m-1"}}
    > {"type":"response.create"}
    < {"type":"response.created","response":{"id":"r","status":"in_progress","output":[],"conversation_id":"c"}}
    < {"type":"response.output_item.added","response_id":"r","output_index":0,"item":{"type":"message","role":"assistant"}}
    < {"type":"response.output_audio_transcript.delta","response_id":"r","output_index":0,"content_index":0,"delta":"Once up"}
"#;

/// The one call of a session that goes on so, until the provider closes the connection.
fn one(rest: &str) -> Played {
    let script = format!("{HEAD}{rest}");
    let mut calls = play_with(&route(), &script, Options::new(true), (1, 10), SessionEnd::ServerClosed);
    assert_eq!(calls.len(), 1, "{calls:#?}");
    calls.remove(0)
}

#[test]
fn how_an_answer_may_end() {
    let done = |status: &str, details: Value| {
        let response = json!({"id": "r", "status": status, "status_details": details, "output": []});
        one(&format!("< {}", json!({"type": "response.done", "response": response})))
    };
    let whole = done("completed", Value::Null);
    assert_eq!((whole.reasons(), whole.error()), (&["stop".to_owned()][..], None));
    let long = done("incomplete", json!({"type": "incomplete", "reason": "max_output_tokens"}));
    assert_eq!((long.reasons(), long.error()), (&["length".to_owned()][..], None));
    let filtered = done("incomplete", json!({"type": "incomplete", "reason": "content_filter"}));
    assert_eq!((filtered.reasons(), filtered.error()), (&["content_filter".to_owned()][..], None));
    let interrupted = done("cancelled", json!({"type": "cancelled", "reason": "turn_detected"}));
    assert_eq!((interrupted.reasons(), interrupted.error()), (&["error".to_owned()][..], None));
    let failed = done(
        "failed",
        json!({"type": "failed", "error": {"type": "server_error", "code": "rate_limit_exceeded", "message": "slow"}}),
    );
    assert_eq!((failed.reasons(), failed.error()), (&["error".to_owned()][..], Some("rate_limit_exceeded")));
    assert_eq!(failed.failure.as_ref().unwrap().message.as_deref(), Some("slow"));
    for call in [whole, long, filtered, interrupted, failed] {
        assert_eq!(call.output()[0]["parts"][0]["content"], "Once up");
        assert_eq!((call.began, call.ended), (2, Some(6)));
    }
}

#[test]
fn an_answer_that_never_ends_tells_what_was_seen() {
    let dropped = one("");
    assert_eq!((dropped.error(), dropped.reasons()), (Some("connection_closed"), &["error".to_owned()][..]));
    assert_eq!(dropped.output()[0]["parts"][0]["content"], "Once up");
    assert_eq!(dropped.output()[0]["finish_reason"], "error");
    // The provider says why, or the client had left before.
    let said = r#"< {"type":"error","error":{"type":"server_error","code":"session_expired","message":"60 minutes"}}"#;
    assert_eq!(one(said).error(), Some("session_expired"));
    assert_eq!(one("> close").error(), Some("cancelled"));
    let lost = play_with(&route(), HEAD, Options::new(true), (1, 10), SessionEnd::Lost);
    assert_eq!((lost[0].error(), lost[0].ended), (None, Some(6)));
}

#[test]
fn an_error_is_that_of_the_answer_that_was_asked_for() {
    let refused = r#"
        > {"type":"session.update","session":{"type":"realtime"}}
        > {"type":"response.create","event_id":"b"}
        > {"type":"response.create"}
        < {"type":"error","error":{"type":"invalid_request_error","code":"unknown","param":"session.x","message":"no"}}
        < {"type":"error","error":{"type":"invalid_request_error","code":"of_b","event_id":"b","message":"no"}}
        < {"type":"error","error":{"type":"invalid_request_error","code":"of_the_other","message":"no","event_id":null}}
        < {"type":"error","error":{"type":"invalid_request_error","code":"of_nothing","message":"no"}}
    "#;
    let calls = play(refused);
    let errors: Vec<_> = calls.iter().map(|call| (call.began, call.ended, call.error())).collect();
    assert_eq!(errors, [(2, Some(5), Some("of_b")), (3, Some(6), Some("of_the_other"))]);
    assert!(calls[0].reasons().is_empty());
    // The provider refuses the whole session: so it does what was asked for in it.
    let refused = r#"
        > {"type":"response.create","event_id":"a"}
        < {"type":"error","error":{"type":"invalid_request_error","code":"model_not_found","message":"no such model"}}
        < close
    "#;
    let calls = play_with(&route(), refused, Options::new(true), (1, 10), SessionEnd::ServerClosed);
    assert_eq!((calls.len(), calls[0].error()), (1, Some("model_not_found")));
}

#[test]
fn what_stands_beside_the_conversation_is_a_call_at_the_same_time() {
    let calls = play(
        r#"
        < {"type":"session.created","session":{"model":"m-1","instructions":"Talk."}}
        > {"type":"conversation.item.create","item":{"id":"gone","type":"message","role":"user","content":[{"type":"input_text","text":"oops"}]}}
        > {"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_audio","audio":"AAAA"}]}}
        > {"type":"conversation.item.delete","item_id":"gone"}
        > {"type":"response.create","response":{"conversation":"none","instructions":"Classify.","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"beside"}]}]}}
        > {"type":"response.create"}
        < {"type":"response.created","response":{"id":"r1","conversation_id":null}}
        < {"type":"response.created","response":{"id":"r2","conversation_id":"c"}}
        < {"type":"response.text.delta","response_id":"r2","output_index":0,"delta":"two"}
        < {"type":"response.text.delta","response_id":"r1","output_index":0,"delta":"one"}
        < {"type":"response.done","response":{"id":"r2","status":"completed","usage":{"input_tokens":2,"output_tokens":2}}}
        < {"type":"response.done","response":{"id":"r1","status":"completed","usage":{"input_tokens":1,"output_tokens":1}}}
        < {"type":"response.done","response":{"id":"r1","status":"completed"}}
        "#,
    );
    let [beside, within] = &calls[..] else { panic!("{calls:#?}") };
    assert_eq!(beside.input()[0]["parts"][0]["content"], "beside");
    assert_eq!(
        within.input(),
        json!([{"role": "user", "parts": [
            {"type": "blob", "modality": "audio", "mime_type": "audio/pcm", "content": "AAAA"}
        ]}])
    );
    assert_eq!(
        serde_json::to_value(&beside.operation.request.system_instructions).unwrap()[0]["content"],
        "Classify."
    );
    assert_eq!(
        serde_json::to_value(&within.operation.request.system_instructions).unwrap()[0]["content"],
        "Talk."
    );
    assert_eq!((beside.output()[0]["parts"][0]["content"].as_str(), beside.ended), (Some("one"), Some(12)));
    assert_eq!((within.output()[0]["parts"][0]["content"].as_str(), within.ended), (Some("two"), Some(11)));
    assert_eq!((&beside.operation.conversation_id, within.operation.usage.input_tokens), (&None, Some(2)));
}

#[test]
fn a_session_that_only_transcribes_has_no_call() {
    let calls = play(
        r#"
        < {"type":"session.created","session":{"type":"transcription","object":"realtime.transcription_session"}}
        > {"type":"input_audio_buffer.append","audio":"AAAA"}
        < {"type":"input_audio_buffer.committed","item_id":"i"}
        < {"type":"conversation.item.input_audio_transcription.completed","item_id":"i","transcript":"Hello"}
        "#,
    );
    assert!(calls.is_empty(), "{calls:#?}");
}

#[test]
fn what_cannot_be_read_is_left_out_and_said() {
    let call = one(r#"
        < this is no JSON
        < {"type":"response.output_audio_transcript.delta","response_id":"r","output_index":0,"content_index":0,"delta":"on"}
        < {"type":"response.done","response":{"id":"r","status":"completed","usage":{"input_tokens":1,"output_tokens":2}}}
        "#);
    assert_eq!(call.note.as_deref(), Some("one message of the session could not be read and was left out"));
    assert_eq!(call.output()[0]["parts"][0]["content"], "Once upon");
    // A message that is too long still tells how it ended.
    let long = "x".repeat(5000);
    let response = json!({"padding": long, "id": "r", "status": "completed", "usage": {"input_tokens": 1},
        "output": [{"type": "message", "content": [{"type": "output_text", "text": long}]}]});
    let script = format!("{HEAD}\n< {}", json!({"type": "response.done", "response": response}));
    let calls =
        play_with(&route(), &script, Options::new(true).limit(1000), (3, 100), SessionEnd::ServerClosed);
    assert_eq!((calls[0].error(), calls[0].operation.usage.input_tokens), (None, Some(1)));
    assert!(calls[0].note.as_deref().unwrap().contains("too long"));
}

#[test]
fn packed_messages_are_read_and_unknown_extensions_are_not() {
    let agreed = |value: &'static str| {
        let headers = [("sec-websocket-extensions".parse().unwrap(), HeaderValue::from_static(value))];
        SessionReader::new(&route(), &headers.into_iter().collect(), Options::new(true))
    };
    assert!(agreed("x-zip").is_none());
    let mut reader = agreed("permessage-deflate; server_no_context_takeover").unwrap();
    let mut began = 0;
    for id in 0..3 {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        let event = format!(r#"{{"type":"response.created","response":{{"id":"r{id}"}}}}"#);
        encoder.write_all(event.as_bytes()).unwrap();
        encoder.flush().unwrap();
        let mut packed = encoder.get_ref().clone();
        assert_eq!(packed.split_off(packed.len() - 4), [0, 0, 0xFF, 0xFF]);
        let mut bytes = vec![0xC1, u8::try_from(packed.len()).unwrap()];
        bytes.extend(packed);
        reader.server(&bytes, Instant::now(), |event| {
            began += u32::from(matches!(event, SessionEvent::Began { .. }));
        });
    }
    assert_eq!((began, reader.is_reading()), (3, true));
    reader.server(b"\xC1\x03abc", Instant::now(), |_| ());
    assert!(!reader.is_reading());
    let mut ended = 0;
    reader.finish(SessionEnd::ServerClosed, Instant::now(), |event| {
        let SessionEvent::Ended { answer, .. } = event else { panic!("{event:?}") };
        assert!(answer.note().unwrap().contains("read no further"), "{answer:?}");
        assert_eq!(answer.finish(&mut Inference::new("chat", "openai")), None);
        ended += 1;
    });
    assert_eq!(ended, 3);
}

#[test]
fn answers_that_never_end_do_not_pile_up() {
    let created: Vec<String> = (0..1000)
        .map(|id| format!(r#"< {{"type":"response.created","response":{{"id":"r{id}"}}}}"#))
        .collect();
    let calls = play(&created.join("\n"));
    assert_eq!(calls.len(), 1000);
    assert_eq!((calls[0].ended, calls[0].error()), (Some(9), None));
    let asked = vec![r#"> {"type":"response.create"}"#; 1000];
    assert!(play(&asked.join("\n")).len() < 100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_do_not_matter(
        name in prop::sample::select(vec!["text_and_tool", "voice_of_the_older_interface"]),
        fragments in 1_usize..5,
        size in 1_usize..300,
        content: bool,
        limit in prop_oneof![Just(0_usize), 1_usize..800, Just(Options::DEFAULT_LIMIT)],
        lines in 0_usize..40,
    ) {
        let script: Vec<String> = recorded(name).lines().take(lines).map(str::to_owned).collect();
        let script = script.join("\n");
        let play = |cut| play_with(&route(), &script, Options::new(content).limit(limit), cut, SessionEnd::ServerClosed);
        prop_assert_eq!(play((fragments, size)), play((1, usize::MAX)));
    }

    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..30),
    ) {
        let mut reader = SessionReader::new(&route(), &HeaderMap::new(), Options::new(true).limit(100)).unwrap();
        for (is_client, bytes) in bytes {
            let now = Instant::now();
            if is_client { reader.client(&bytes, now, |_| ()) } else { reader.server(&bytes, now, |_| ()) }
        }
        reader.finish(SessionEnd::ClientLeft, Instant::now(), |_| ());
    }
}
