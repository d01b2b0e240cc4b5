//! OpenAI's smaller protocols: completions, images, speech, assistants and their runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai::{Failure, Inference, InvokeAgent, OutputType};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

const SSE: &str = "text/event-stream";
const JSON: &str = "application/json";

fn route(url: &str) -> Option<Route> {
    detect(&Method::POST, &url.parse::<Uri>().unwrap(), &HeaderMap::new())
}

/// What is read of a call of `api.openai.com`.
fn play(
    path: &str,
    sent: &Value,
    content_type: &str,
    body: &[u8],
    options: Options,
) -> (Call, Option<Failure>) {
    let route = route(&format!("https://api.openai.com/v1/{path}")).unwrap();
    let mut reader = RequestReader::new(&route, options);
    reader.push(sent.to_string().as_bytes());
    let mut call = reader.finish().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(content_type).unwrap());
    let mut reader = ResponseReader::new(&route, 200, &headers, &call, options);
    body.chunks(7).for_each(|piece| {
        reader.push(piece);
    });
    let failure = reader.finish(&mut call);
    (call, failure)
}

fn inference(path: &str, sent: &Value, content_type: &str, body: &[u8]) -> Inference {
    let (call, failure) = play(path, sent, content_type, body, Options::new(true));
    assert_eq!(failure, None);
    let Call::Inference(op) = call else { panic!() };
    *op
}

fn run(path: &str, sent: &Value, content_type: &str, body: &str) -> (InvokeAgent, Option<Failure>) {
    let (call, failure) = play(path, sent, content_type, body.as_bytes(), Options::new(true));
    let Call::InvokeAgent(op) = call else { panic!() };
    (*op, failure)
}

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn paths() {
    for (url, protocol) in [
        ("https://api.openai.com/v1/completions", Protocol::OpenAiCompletions),
        (
            "https://r.openai.azure.com/openai/deployments/d/completions?api-version=1",
            Protocol::OpenAiCompletions,
        ),
        ("http://localhost:8000/v1/completions", Protocol::OpenAiCompletions),
        ("https://api.openai.com/v1/images/generations", Protocol::OpenAiImages),
        ("https://api.openai.com/v1/images/edits", Protocol::OpenAiImages),
        ("https://r.openai.azure.com/openai/deployments/d/images/generations", Protocol::OpenAiImages),
        ("https://api.openai.com/v1/audio/speech", Protocol::OpenAiSpeech),
        ("https://api.openai.com/v1/assistants", Protocol::OpenAiAssistants),
        ("https://r.openai.azure.com/openai/assistants?api-version=1", Protocol::OpenAiAssistants),
        ("https://api.openai.com/v1/threads/runs", Protocol::OpenAiRuns),
        ("https://api.openai.com/v1/threads/thread_1/runs", Protocol::OpenAiRuns),
        ("https://r.openai.azure.com/openai/threads/thread_1/runs", Protocol::OpenAiRuns),
        ("https://api.openai.com/v1/threads/thread_1/runs/run_1/submit_tool_outputs", Protocol::OpenAiRuns),
    ] {
        assert_eq!(route(url).map(|route| route.protocol), Some(protocol), "{url}");
    }
    for url in [
        "https://api.openai.com/v1/threads",
        "https://api.openai.com/v1/threads/thread_1/runs/run_1/cancel",
        "https://api.openai.com/v1/assistants/asst_1",
        "https://api.openai.com/v1/images/variations",
        "https://graph.example/threads/t/runs",
        "https://graph.example/assistants",
    ] {
        assert_eq!(route(url), None, "{url}");
    }
    let url = "https://proxy.example/threads/t/runs".parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("openai-beta", HeaderValue::from_static("assistants=v2"));
    assert_eq!(detect(&Method::POST, &url, &headers).unwrap().protocol, Protocol::OpenAiRuns);
}

#[test]
fn completions() {
    let sent = json!({
        "model": "davinci-002", "stream": true, "n": 2, "max_tokens": 16, "temperature": 0.5, "top_p": 0.9, "seed": 7,
        "stop": ["END"], "presence_penalty": 0.1, "frequency_penalty": 0.2, "prompt": "Hi"
    });
    let op = inference("completions", &sent, SSE, include_bytes!("streams/OpenAiCompletions.sse"));
    assert_eq!(op.operation.as_str(), "text_completion");
    let asked = &op.request;
    assert_eq!(
        (asked.model.as_deref(), asked.stream, asked.choice_count),
        (Some("davinci-002"), true, Some(2))
    );
    assert_eq!((asked.temperature, asked.top_p, asked.max_tokens), (Some(0.5), Some(0.9), Some(16)));
    assert_eq!(
        (asked.seed, asked.presence_penalty, asked.frequency_penalty),
        (Some(7), Some(0.1), Some(0.2))
    );
    assert_eq!(asked.stop_sequences, ["END"]);
    assert_eq!(
        told(&asked.input_messages),
        json!([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}])
    );
    assert_eq!(op.response.id.as_deref(), Some("cmpl-1"));
    assert_eq!(op.response.finish_reasons, ["stop", "length"]);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(5), Some(4)));
    assert_eq!(op.openai.system_fingerprint.as_deref(), Some("fp_1"));
    assert_eq!(
        told(&op.response.output_messages),
        json!([
            {"role": "assistant", "finish_reason": "stop", "parts": [{"type": "text", "content": "Grüße, 世界 🌍"}]},
            {"role": "assistant", "finish_reason": "length", "parts": [{"type": "text", "content": "Eins"}]},
        ])
    );
    let body = json!({"id": "cmpl-2", "model": "m", "choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]});
    let prompts = json!({"model": "m", "prompt": ["one", "two", [1, 2]]});
    let op = inference("completions", &prompts, JSON, body.to_string().as_bytes());
    assert_eq!(op.request.input_messages.len(), 2);
    assert_eq!(told(&op.response.output_messages)[0]["parts"], json!([{"type": "text", "content": "a"}]));
    // Fill-in-the-middle: the question of a completion, the answer of a chat.
    let body = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "b"}, "finish_reason": "stop"}]});
    let op = inference(
        "fim/completions",
        &json!({"model": "codestral", "prompt": "a"}),
        JSON,
        body.to_string().as_bytes(),
    );
    assert_eq!(told(&op.response.output_messages)[0]["parts"], json!([{"type": "text", "content": "b"}]));
}

#[test]
fn a_deployment_is_asked_for_completions() {
    let route = route("https://r.openai.azure.com/openai/deployments/d/completions").unwrap();
    let mut reader = RequestReader::new(&route, Options::new(true));
    reader.push(br#"{"prompt":"a"}"#);
    assert_eq!(reader.finish().unwrap().request_model(), Some("d"));
}

#[test]
fn images() {
    let sent = json!({"model": "gpt-image-1", "prompt": "A lighthouse.", "n": 2, "size": "1024x1024"});
    let usage = json!({"input_tokens": 50, "output_tokens": 100, "total_tokens": 150,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens_details": {"image_tokens": 100}});
    let body = json!({"created": 1, "output_format": "webp", "usage": usage, "data": [
        {"b64_json": "QUJD"}, {"url": "https://h.example/i.png?sig=s", "revised_prompt": "A tall lighthouse."}]});
    let op = inference("images/generations", &sent, JSON, body.to_string().as_bytes());
    assert_eq!(
        (op.operation.as_str(), op.request.model.as_deref()),
        ("generate_content", Some("gpt-image-1"))
    );
    assert_eq!((&op.request.output_type, op.request.choice_count), (&Some(OutputType::Image), Some(2)));
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(50), Some(100)));
    assert_eq!((op.usage.text.input_tokens, op.usage.image.input_tokens), (Some(10), Some(40)));
    assert_eq!(op.usage.image.output_tokens, Some(100));
    assert_eq!(
        told(&op.response.output_messages),
        json!([
            {"role": "assistant", "finish_reason": "stop", "parts": [
                {"type": "blob", "modality": "image", "mime_type": "image/webp", "content": "QUJD"}]},
            {"role": "assistant", "finish_reason": "stop", "parts": [
                {"type": "text", "content": "A tall lighthouse."},
                {"type": "uri", "modality": "image", "uri": "https://h.example/i.png"}]},
        ])
    );
    let (call, failure) =
        play("images/generations", &sent, JSON, body.to_string().as_bytes(), Options::new(false));
    let Call::Inference(brief) = call else { panic!() };
    assert_eq!((failure, brief.response.output_messages.len(), brief.usage), (None, 0, op.usage));

    let edit = json!({"model": "gpt-image-1", "prompt": "Brighter.", "stream": true,
        "images": [{"image_url": "data:image/png;base64,QUJD"}, {"file_id": "file-1"}]});
    let op = inference("images/edits", &edit, SSE, include_bytes!("streams/OpenAiImages.sse"));
    assert_eq!(
        told(&op.request.input_messages)[0]["parts"],
        json!([
            {"type": "text", "content": "Brighter."},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
            {"type": "file", "modality": "image", "file_id": "file-1"},
        ])
    );
    assert_eq!(
        told(&op.response.output_messages)[0]["parts"],
        json!([{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "REVG"}])
    );
    assert_eq!(op.usage.output_tokens, Some(4160));
    let failed = br#"{"error":{"code":"moderation_blocked","message":"no"}}"#;
    let (_, failure) = play("images/generations", &sent, JSON, failed, Options::new(true));
    assert_eq!(failure, Some(Failure::new("moderation_blocked").message("no")));
    let (_, failure) = play("images/generations", &sent, JSON, b"{}", Options::new(true));
    assert_eq!(failure.unwrap().error_type, "malformed_response");
}

#[test]
fn speech() {
    let sent =
        json!({"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hello.", "instructions": "Slowly."});
    let op = inference("audio/speech", &sent, "audio/mpeg", b"\xff\xf3ABC");
    assert_eq!(
        (op.operation.as_str(), &op.request.output_type),
        ("generate_content", &Some(OutputType::Speech))
    );
    assert_eq!(told(&op.request.input_messages)[0]["parts"], json!([{"type": "text", "content": "Hello."}]));
    assert_eq!(told(&op.request.system_instructions), json!([{"type": "text", "content": "Slowly."}]));
    let heard = json!([{"role": "assistant", "finish_reason": "stop", "parts": [
        {"type": "blob", "modality": "audio", "mime_type": "audio/mpeg", "content": "//NBQkM="}]}]);
    assert_eq!(told(&op.response.output_messages), heard);
    // `{` does not make a document of sound.
    let op = inference("audio/speech", &sent, "audio/wav", b"{7");
    assert_eq!(told(&op.response.output_messages)[0]["parts"][0]["content"], "ezc=");
    for options in [Options::new(false), Options::new(true).limit(2)] {
        let (call, failure) = play("audio/speech", &sent, "audio/mpeg", b"\xff\xf3ABC", options);
        let Call::Inference(op) = call else { panic!() };
        assert_eq!(failure, None);
        assert_eq!(op.response.output_messages.len(), usize::from(options.content));
    }
    let streamed = json!({"model": "gpt-4o-mini-tts", "input": "Hello.", "stream_format": "sse"});
    let op = inference("audio/speech", &streamed, SSE, include_bytes!("streams/OpenAiSpeech.sse"));
    assert!(op.request.stream);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(7), Some(80)));
    assert_eq!(told(&op.response.output_messages)[0]["parts"][0]["content"], "QUJBQkM=", "AB and ABC");
    let failed = br#"{"error":{"code":"c","message":"no"}}"#;
    let (_, failure) = play("audio/speech", &sent, JSON, failed, Options::new(true));
    assert_eq!(failure, Some(Failure::new("c").message("no")));
}

#[test]
fn assistants_are_agents() {
    let sent = json!({"model": "gpt-4o", "name": "Clerk", "description": "Knows all orders.", "instructions": "Be brief.",
        "tools": [{"type": "file_search"}]});
    let body = br#"{"id":"asst_1","object":"assistant","name":"Clerk","model":"gpt-4o"}"#;
    let (call, failure) = play("assistants", &sent, JSON, body, Options::new(true));
    let Call::CreateAgent(op) = call else { panic!() };
    assert_eq!(failure, None);
    assert_eq!((op.provider.clone(), op.model.as_deref()), (Some("openai".into()), Some("gpt-4o")));
    assert_eq!((op.name.as_deref(), op.id.as_deref()), (Some("Clerk"), Some("asst_1")));
    assert_eq!(op.description.as_deref(), Some("Knows all orders."));
    assert_eq!(told(&op.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    let (call, _) = play("assistants", &sent, JSON, body, Options::new(false));
    let Call::CreateAgent(op) = call else { panic!() };
    assert!(op.system_instructions.is_empty());
    let (_, failure) = play(
        "assistants",
        &sent,
        JSON,
        b"{\"error\":{\"code\":\"c\",\"message\":\"no\"}}",
        Options::new(true),
    );
    assert_eq!(failure, Some(Failure::new("c").message("no")));
}

#[test]
fn runs_are_invocations() {
    let sent = json!({"assistant_id": "asst_1", "stream": true, "model": "gpt-4o", "temperature": 0.5, "max_completion_tokens": 9,
        "instructions": "Be brief.", "additional_instructions": "Be kind.", "response_format": {"type": "json_schema"},
        "additional_messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "function", "function": {"name": "track"}}]});
    let (op, failure) = run("threads/thread_1/runs", &sent, SSE, include_str!("streams/OpenAiRuns.sse"));
    assert_eq!(failure, None);
    assert!(op.remote && op.request.stream);
    assert_eq!((op.id.as_deref(), op.conversation_id.as_deref()), (Some("asst_1"), Some("thread_1")));
    assert_eq!(
        (op.request.model.as_deref(), op.response.model.as_deref()),
        (Some("gpt-4o"), Some("gpt-4o-2024-08-06"))
    );
    assert_eq!((op.request.temperature, op.request.max_tokens), (Some(0.5), Some(9)));
    assert_eq!(op.request.output_type, Some(OutputType::Json));
    assert_eq!(
        told(&op.request.system_instructions),
        json!([{"type": "text", "content": "Be brief."}, {"type": "text", "content": "Be kind."}])
    );
    assert_eq!(told(&op.request.tool_definitions), json!([{"type": "function", "name": "track"}]));
    assert_eq!(told(&op.request.input_messages)[0]["parts"], json!([{"type": "text", "content": "Hi"}]));
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(5), Some(4)));
    assert_eq!(op.response.id.as_deref(), Some("run_1"));
    assert_eq!(op.response.finish_reasons, ["stop"]);
    assert_eq!(
        told(&op.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "text", "content": "Grüße, 世界 🌍", "annotations": [{"type": "file_citation", "text": "x"}]},
            {"type": "file", "modality": "image", "file_id": "file-1"}]}])
    );
    let thread =
        json!({"assistant_id": "asst_1", "thread": {"messages": [{"role": "user", "content": "Hi"}]}});
    let (op, _) = run("threads/runs", &thread, SSE, include_str!("streams/OpenAiRuns.action.sse"));
    assert_eq!((op.conversation_id.as_deref(), op.request.input_messages.len()), (Some("thread_1"), 1));
    assert_eq!(op.response.finish_reasons, ["tool_calls"]);
    assert_eq!(
        told(&op.response.output_messages),
        json!([
            {"role": "assistant", "finish_reason": "tool_call", "parts": [{"type": "text", "content": "Grüße, 世界 🌍"}]},
            {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "tool_call", "id": "call_1", "name": "track", "arguments": {"order": 7}}]},
        ])
    );
}

#[test]
fn runs_that_are_begun_and_runs_that_fail() {
    let sent = json!({"assistant_id": "asst_1"});
    let run_of = |status: &str, error: Value| {
        json!({"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "assistant_id": "asst_1", "status": status,
               "last_error": error, "incomplete_details": {"reason": "max_completion_tokens"}})
    };
    let play = |body: Value| run("threads/thread_1/runs", &sent, JSON, &body.to_string());
    let (op, failure) = play(run_of("queued", Value::Null));
    assert_eq!((failure, op.response.finish_reasons.len()), (None, 0));
    assert_eq!(play(run_of("incomplete", Value::Null)).0.response.finish_reasons, ["length"]);
    let (op, failure) = play(run_of("failed", json!({"code": "rate_limit_exceeded", "message": "no"})));
    assert_eq!(failure, Some(Failure::new("rate_limit_exceeded").message("no")));
    assert_eq!(op.response.finish_reasons, ["error"]);
    assert_eq!(
        play(json!({"error": {"code": "c", "message": "no"}})).1,
        Some(Failure::new("c").message("no"))
    );
    let cut = include_str!("streams/OpenAiRuns.sse").split_once("event: thread.message.completed").unwrap().0;
    let (op, failure) = run("threads/runs", &sent, SSE, cut);
    assert_eq!(failure.unwrap().error_type, "truncated_response");
    assert_eq!(told(&op.response.output_messages)[0]["finish_reason"], "error");
    let answered =
        json!({"tool_outputs": [{"tool_call_id": "call_1", "output": "On its way."}], "stream": true});
    let path = "threads/thread_1/runs/run_1/submit_tool_outputs";
    let (op, failure) = run(path, &answered, SSE, include_str!("streams/OpenAiRuns.sse"));
    assert_eq!((failure, op.id.as_deref()), (None, Some("asst_1")));
    assert_eq!(
        told(&op.request.input_messages),
        json!([{"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "On its way."}]}])
    );
}

/// What is read of a form that comes in pieces of this size.
fn form(url: &str, fields: &[(&str, &str)], piece: usize, content: bool) -> Inference {
    let mut body = Vec::new();
    let mut add = |head: String, value: &[u8]| {
        body.extend_from_slice(format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    };
    add("name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav".to_owned(), &[b'-'; 100_000]);
    fields.iter().for_each(|(name, value)| add(format!("name=\"{name}\""), value.as_bytes()));
    body.extend_from_slice(b"--b--\r\n");
    let mut reader = RequestReader::new(&route(url).unwrap(), Options::new(content));
    body.chunks(piece).for_each(|piece| reader.push(piece));
    let Some(Call::Inference(op)) = reader.finish() else { panic!() };
    *op
}

#[test]
fn transcriptions() {
    let url = "https://api.openai.com/v1/audio/transcriptions";
    let fields = [("model", "gpt-4o-transcribe"), ("stream", "true"), ("prompt", "About parcels.")];
    for piece in [1, 7, 1000, usize::MAX] {
        let op = form(url, &fields, piece, true);
        assert_eq!(op.request.model.as_deref(), Some("gpt-4o-transcribe"));
        assert_eq!((op.request.stream, op.request.output_type), (true, Some(OutputType::Text)));
        assert_eq!(told(&op.request.input_messages)[0]["parts"][0]["content"], "About parcels.");
        assert!(form(url, &fields, piece, false).request.input_messages.is_empty());
    }
    let azure = "https://r.openai.azure.com/openai/deployments/whisper/audio/translations?api-version=1";
    let op = form(azure, &[], 100, true);
    assert_eq!((op.request.model.as_deref(), op.provider.as_str()), (Some("whisper"), "azure.ai.openai"));

    // OpenRouter takes a document.
    let sent = json!({"model": "m", "input_audio": {"data": "QUJD", "format": "mp3"}});
    let path = "audio/transcriptions";
    let answer = json!({"text": "On its way.", "usage": {"type": "tokens", "input_tokens": 24,
        "input_token_details": {"text_tokens": 3, "audio_tokens": 21}, "output_tokens": 9, "total_tokens": 33}});
    let op = inference(path, &sent, JSON, answer.to_string().as_bytes());
    assert_eq!(
        told(&op.request.input_messages)[0]["parts"],
        json!([{"type": "blob", "modality": "audio", "mime_type": "audio/mpeg", "content": "QUJD"}])
    );
    let expected = json!([{"role": "assistant", "parts": [{"type": "text", "content": "On its way."}], "finish_reason": "stop"}]);
    assert_eq!(told(&op.response.output_messages), expected);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(24), Some(9)));
    assert_eq!((op.usage.audio.input_tokens, op.usage.text.input_tokens), (Some(21), Some(3)));

    let stream = include_bytes!("streams/OpenAiTranscriptions.sse");
    let op = inference(path, &json!({"model": "m", "stream": true}), SSE, stream);
    assert_eq!(told(&op.response.output_messages)[0]["parts"][0]["content"], "The parcel is on its way. äö");
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(24), Some(9)));

    let subtitles = "1\n00:00:00,000 --> 00:00:02,000\nOn its way.\n";
    let op = inference(path, &sent, "text/plain; charset=utf-8", subtitles.as_bytes());
    assert_eq!(told(&op.response.output_messages)[0]["parts"][0]["content"], subtitles);
    let op = inference(path, &sent, JSON, br#"{"text":""}"#);
    assert!(op.response.output_messages.is_empty(), "silence is an answer");

    let (_, failure) = play(path, &sent, JSON, br#"{"words":[]}"#, Options::new(true));
    assert_eq!(failure.unwrap().error_type, "malformed_response");
    let half = &stream[..stream.len() / 2];
    let (_, failure) = play(path, &sent, SSE, half, Options::new(true));
    assert_eq!(failure.unwrap().error_type, "truncated_response");
    let refused =
        br#"{"error":{"message":"too large","type":"invalid_request_error","code":"file_too_large"}}"#;
    let (_, failure) = play(path, &sent, JSON, refused, Options::new(true));
    assert_eq!(failure.unwrap().error_type, "file_too_large");
}

#[test]
fn images_are_edited_by_a_form() {
    let fields = [("model", "gpt-image-1"), ("prompt", "A red parcel."), ("n", "2"), ("stream", "false")];
    let op = form("https://api.openai.com/v1/images/edits", &fields, 50, true);
    assert_eq!(op.request.model.as_deref(), Some("gpt-image-1"));
    assert_eq!((op.request.choice_count, op.request.stream), (Some(2), false));
    assert_eq!(told(&op.request.input_messages)[0]["parts"][0]["content"], "A red parcel.");
}

#[test]
fn a_history_is_compacted() {
    let sent = json!({"model": "gpt-5", "input": "Where is my order?"});
    let answer = json!({"id": "resp_1", "object": "response.compaction", "output": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Where is my order?"}]},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
    ], "usage": {"input_tokens": 30, "output_tokens": 8, "total_tokens": 38}});
    let op = inference("responses/compact", &sent, JSON, answer.to_string().as_bytes());
    assert!(op.response.conversation_compacted);
    assert_eq!((op.response.id.as_deref(), op.usage.input_tokens), (Some("resp_1"), Some(30)));
}

#[test]
fn whose_attributes_a_call_has() {
    let read = |url: &str, body: &str| {
        let mut reader = RequestReader::new(&route(url).unwrap(), Options::new(false));
        reader.push(body.as_bytes());
        let Some(Call::Inference(op)) = reader.finish() else { panic!() };
        *op
    };
    let body = r#"{"model":"m","service_tier":"flex","messages":[]}"#;
    let azure = read("https://r.services.ai.azure.com/models/chat/completions?api-version=1", body);
    assert_eq!(azure.azure.resource_provider_namespace.as_deref(), Some("Microsoft.CognitiveServices"));
    let claude = read("https://r.services.ai.azure.com/anthropic/v1/messages", body);
    assert_eq!(claude.azure.resource_provider_namespace.as_deref(), Some("Microsoft.CognitiveServices"));
    let groq = read("https://api.groq.com/openai/v1/chat/completions", body);
    assert_eq!((groq.openai.request_service_tier, groq.openai.api_type), (None, None));
    for url in [
        "https://api.openai.com/v1/chat/completions",
        "https://r.openai.azure.com/openai/v1/chat/completions",
    ] {
        let openai = read(url, body);
        assert_eq!(openai.openai.request_service_tier.as_deref(), Some("flex"), "{url}");
        assert_eq!(openai.azure.resource_provider_namespace, None, "{url}");
    }
    let agent = read("https://api.mistral.ai/v1/agents/completions", r#"{"agent_id":"ag_1","messages":[]}"#);
    let told: Vec<String> =
        agent.custom.attributes.iter().map(|it| format!("{}={}", it.key, it.value)).collect();
    assert_eq!(told, ["gen_ai.agent.id=ag_1"]);
}
