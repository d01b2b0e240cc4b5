//! DashScope's own protocol: what was read is what the bodies say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use common::Exchange;
use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai::{Failure, Inference, OutputType};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

const SERVICES: &str = "https://dashscope.aliyuncs.com/api/v1/services";
const TEXT: &str = "aigc/text-generation/generation";

fn route(path: &str, header: Option<(&'static str, &'static str)>) -> Option<Route> {
    let url: Uri = format!("{SERVICES}/{path}").parse().unwrap();
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = header {
        headers.insert(name, HeaderValue::from_static(value));
    }
    detect(&Method::POST, &url, &headers)
}

fn call(path: &str, json: &Value, options: Options) -> Call {
    let mut reader = RequestReader::new(&route(path, None).unwrap(), options);
    reader.push(json.to_string().as_bytes());
    reader.finish().unwrap()
}

fn request(json: &Value, options: Options) -> Inference {
    let Call::Inference(op) = call(TEXT, json, options) else { panic!() };
    *op
}

fn answer(path: &str, status: u16, kind: &str, body: &str, options: Options) -> (Call, Option<Failure>) {
    let mut call = call(path, &json!({"model": "m"}), options);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(kind).unwrap());
    let mut reader = ResponseReader::new(&route(path, None).unwrap(), status, &headers, &call, options);
    reader.push(body.as_bytes());
    let failure = reader.finish(&mut call);
    (call, failure)
}

fn generated(kind: &str, body: &str, options: Options) -> (Inference, Option<Failure>) {
    let (Call::Inference(op), failure) = answer(TEXT, 200, kind, body, options) else { panic!() };
    (*op, failure)
}

const SSE: &str = "text/event-stream;charset=UTF-8";

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn paths() {
    let protocol = |path| route(path, None).map(|route| (route.protocol, route.provider.as_str().to_owned()));
    let is = |protocol| Some((protocol, "dashscope".to_owned()));
    assert_eq!(protocol(TEXT), is(Protocol::DashScopeGeneration));
    assert_eq!(protocol("aigc/multimodal-generation/generation"), is(Protocol::DashScopeGeneration));
    assert_eq!(protocol("embeddings/text-embedding/text-embedding"), is(Protocol::DashScopeEmbeddings));
    assert_eq!(protocol("rerank/text-rerank/text-rerank"), is(Protocol::DashScopeRerank));
    assert_eq!(protocol("aigc/text2image/image-synthesis"), None);
    let in_background = Some(("x-dashscope-async", "enable"));
    assert_eq!(route("embeddings/text-embedding/text-embedding", in_background), None);
    for host in [
        "dashscope-intl.aliyuncs.com",
        "cn-hongkong.dashscope.aliyuncs.com",
        "w.ap-southeast-1.maas.aliyuncs.com",
    ] {
        let url: Uri = format!("https://{host}/compatible-mode/v1/chat/completions").parse().unwrap();
        let compatible = detect(&Method::POST, &url, &HeaderMap::new()).unwrap();
        assert_eq!((compatible.protocol, compatible.provider.as_str()), (Protocol::OpenAiChat, "dashscope"));
    }
    let is_stream = |header| {
        let reader = RequestReader::new(&route(TEXT, header).unwrap(), Options::new(false));
        reader.finish().unwrap().is_stream()
    };
    assert!(
        is_stream(Some(("x-dashscope-sse", "enable"))) && is_stream(Some(("accept", "text/event-stream")))
    );
    assert!(!is_stream(Some(("x-dashscope-sse", "disable"))) && !is_stream(None));
}

#[test]
fn a_request() {
    let sent = json!({
        "model": "qwen9-vl",
        "parameters": {
            "result_format": "message", "temperature": 0.5, "top_p": 0.9, "top_k": 40, "max_tokens": 128, "n": 2,
            "seed": 7, "stop": ["END", [1, 2]], "presence_penalty": 0.1, "repetition_penalty": 1.1,
            "response_format": {"type": "json_object"}, "incremental_output": true, "enable_thinking": true,
            "tools": [{"type": "function", "function": {"name": "track", "description": "Finds.", "parameters": {"type": "object"}}}]
        },
        "input": {"messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"image": "https://u:p@h.example/i.png?sig=s"}, {"audio": "data:audio/wav;base64,QUJD"},
                {"video": ["https://h.example/1.png", "https://h.example/2.png"], "fps": 2}, {"text": "Where?"}, null]},
            {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [
                {"id": "c1", "type": "function", "index": 0, "function": {"name": "track", "arguments": "{\"order\": 7}"}}]},
            {"role": "tool", "content": "there", "tool_call_id": "c1", "name": "track"}
        ]}
    });
    let op = request(&sent, Options::new(true));
    let asked = &op.request;
    assert_eq!((op.operation.as_str(), op.provider.as_str()), ("chat", "dashscope"));
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("qwen9-vl"), false));
    assert_eq!(
        (asked.temperature, asked.top_p, asked.top_k, asked.max_tokens),
        (Some(0.5), Some(0.9), Some(40), Some(128))
    );
    assert_eq!((asked.choice_count, asked.seed, asked.presence_penalty), (Some(2), Some(7), Some(0.1)));
    assert_eq!(
        (&asked.stop_sequences[..], &asked.output_type),
        (&["END".to_owned()][..], &Some(OutputType::Json))
    );
    assert_eq!(
        told(&asked.input_messages),
        json!([
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [
                {"type": "uri", "modality": "image", "uri": "https://h.example/i.png"},
                {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "QUJD"},
                {"type": "uri", "modality": "video", "uri": "https://h.example/1.png"},
                {"type": "uri", "modality": "video", "uri": "https://h.example/2.png"},
                {"type": "text", "content": "Where?"}]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": 7}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "there", "name": "track"}]},
        ])
    );
    assert_eq!(
        told(&asked.tool_definitions),
        json!([{"type": "function", "name": "track", "description": "Finds.", "parameters": {"type": "object"}}])
    );
    let mut without = request(&sent, Options::new(false));
    assert!(without.request.input_messages.is_empty());
    without.request.input_messages.clone_from(&asked.input_messages);
    without.request.tool_definitions.clone_from(&asked.tool_definitions);
    assert_eq!(without, op, "the settings are the same");
    let prompt = request(&json!({"model": "m", "input": {"prompt": "Hi."}}), Options::new(true));
    assert_eq!(told(&prompt.request.input_messages)[0]["parts"], json!([{"type": "text", "content": "Hi."}]));
}

#[test]
fn a_stream_says_what_a_whole_answer_would() {
    let body = include_str!("streams/DashScopeGeneration.sse");
    let (op, failure) = generated(SSE, body, Options::new(true));
    assert_eq!((failure, op.response.id.as_deref()), (None, Some("r-1")));
    assert_eq!(op.response.finish_reasons, ["tool_calls"]);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(21), Some(12)));
    assert_eq!((op.usage.cache_read_input_tokens, op.usage.reasoning_output_tokens), (Some(16), Some(4)));
    assert_eq!(op.usage.text.output_tokens, Some(8));
    let said = json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
        {"type": "reasoning", "content": "Wo steht das? 🌍"},
        {"type": "text", "content": "Grüße, 世界"},
        {"type": "tool_call", "id": "call_1", "name": "track", "arguments": {"order": 7}}]}]);
    assert_eq!(told(&op.response.output_messages), said);
    let whole = json!({
        "output": {"choices": [{"finish_reason": "tool_calls", "message": {"role": "assistant",
            "content": [{"text": "Grüße, 世界"}], "reasoning_content": "Wo steht das? 🌍", "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "track", "arguments": "{\"order\": 7}"}}]}}]},
        "usage": {"input_tokens": 21, "output_tokens": 12, "total_tokens": 33,
            "prompt_tokens_details": {"cached_tokens": 16},
            "output_tokens_details": {"reasoning_tokens": 4, "text_tokens": 8}},
        "request_id": "r-1"});
    let (same, failure) = generated("application/json", &whole.to_string(), Options::new(true));
    assert_eq!((same, failure), (op.clone(), None));
    for options in [Options::new(false), Options::new(true).limit(50)] {
        let (bare, failure) = generated("application/json", &whole.to_string(), options);
        assert_eq!(
            (bare.usage, &bare.response.finish_reasons, failure),
            (op.usage, &op.response.finish_reasons, None)
        );
        assert!(bare.response.output_messages.is_empty());
    }
}

#[test]
fn pieces_may_repeat_what_was_said() {
    let body = include_str!("streams/DashScopeGeneration.repeated.sse");
    let (op, failure) = generated(SSE, body, Options::new(true));
    assert_eq!((failure, &op.response.finish_reasons[..]), (None, &["stop".to_owned()][..]));
    assert_eq!(
        told(&op.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "stop", "parts": [{"type": "text", "content": "Auf dem Weg 🚚"}]}])
    );
    // Calls, too; what is said before them stays.
    let piece = |arguments: &str, reason: &str| {
        let call = json!({"index": 0, "id": "c", "function": {"name": "track", "arguments": arguments}});
        let message = json!({"role": "assistant", "content": "I look.", "tool_calls": [call]});
        format!(
            "data:{}\n\n",
            json!({"output": {"choices": [{"message": message, "finish_reason": reason}]}})
        )
    };
    let body =
        [piece("{\"a\":", "null"), piece("{\"a\": 1", "null"), piece("{\"a\": 1}", "tool_calls")].concat();
    let (op, _) = generated(SSE, &body, Options::new(true));
    assert_eq!(
        told(&op.response.output_messages)[0]["parts"],
        json!([{"type": "text", "content": "I look."}, {"type": "tool_call", "id": "c", "name": "track", "arguments": {"a": 1}}])
    );
}

#[test]
fn media_in_answers() {
    let body = json!({"output": {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": [
        {"image": "https://oss.example/i.png?Expires=1&Signature=s"}]}}]}, "usage": {"image_count": 1}, "request_id": "r"});
    let (op, _) = generated("application/json", &body.to_string(), Options::new(true));
    assert_eq!(
        told(&op.response.output_messages)[0]["parts"],
        json!([{"type": "uri", "modality": "image", "uri": "https://oss.example/i.png"}])
    );
    let speech = json!({"output": {"finish_reason": "stop", "audio": {"url": "https://oss.example/a.wav?Signature=s"}}});
    let (op, _) = generated("application/json", &speech.to_string(), Options::new(true));
    assert_eq!(
        told(&op.response.output_messages)[0]["parts"],
        json!([{"type": "uri", "modality": "audio", "uri": "https://oss.example/a.wav"}])
    );
}

#[test]
fn errors() {
    let refused = r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r"}"#;
    let expected = Some(Failure::new("InvalidApiKey").message("Invalid API-key provided."));
    for path in [TEXT, "embeddings/text-embedding/text-embedding", "rerank/text-rerank/text-rerank"] {
        for status in [401, 200] {
            assert_eq!(answer(path, status, "application/json", refused, Options::new(true)).1, expected);
        }
    }
    let piece = "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"text\":\"a\",\"finish_reason\":\"null\"}}\n\n";
    let broken = format!("{piece}id:2\nevent:error\n:HTTP_STATUS/400\ndata:{refused}\n\n");
    let (op, failure) = generated(SSE, &broken, Options::new(true));
    assert_eq!((failure, &op.response.finish_reasons[..]), (expected, &["error".to_owned()][..]));
    assert_eq!(generated(SSE, piece, Options::new(true)).1.unwrap().error_type, "truncated_response");
    for body in ["{}", r#"{"output":null,"code":""}"#] {
        let (_, failure) = generated("application/json", body, Options::new(true));
        assert_eq!(failure.unwrap().error_type, "malformed_response");
    }
}

#[test]
fn embeddings_and_rerank() {
    let body = json!({"output": {"embeddings": [{"embedding": [0.1, -2e-3], "text_index": 0}]},
        "usage": {"total_tokens": 4}, "request_id": "r"});
    let path = "embeddings/text-embedding/text-embedding";
    let (Call::Embeddings(op), None) =
        answer(path, 200, "application/json", &body.to_string(), Options::new(true))
    else {
        panic!()
    };
    assert_eq!((op.model.as_deref(), op.provider.as_str()), (Some("m"), "dashscope"));
    assert_eq!(
        (op.dimension_count, op.input_tokens, op.response_id.as_deref()),
        (Some(2), Some(4), Some("r"))
    );

    let path = "rerank/text-rerank/text-rerank";
    let sent = json!({"model": "gte", "input": {"query": "q", "documents": ["a", {"image": "https://h.example/i?k=1"}]},
        "parameters": {"top_n": 1, "return_documents": true}});
    for content in [true, false] {
        let options = Options::new(content);
        let mut call = call(path, &sent, options);
        let body =
            json!({"output": {"results": [{"index": 1, "relevance_score": 0.5, "document": {"text": "b"}}]}});
        let mut reader =
            ResponseReader::new(&route(path, None).unwrap(), 200, &HeaderMap::new(), &call, options);
        reader.push(body.to_string().as_bytes());
        assert_eq!(reader.finish(&mut call), None);
        let Call::Rerank(op) = call else { panic!() };
        assert_eq!((op.model.as_deref(), op.top_k, op.documents_count), (Some("gte"), Some(1), Some(2)));
        assert_eq!(op.return_documents, Some(true));
        let (query, given, found) = match content {
            true => (
                Some("q"),
                json!(["a", {"image": "https://h.example/i"}]),
                json!([{"index": 1, "relevance_score": 0.5, "document": {"text": "b"}}]),
            ),
            false => (None, json!([]), json!([])),
        };
        assert_eq!(
            (op.query.as_deref(), json!(op.input_documents), json!(op.output_documents)),
            (query, given, found)
        );
    }
}

/// What DashScope itself said.
#[test]
fn recorded_exchanges_are_read() {
    for folder in ["dashscope", "agentscope"] {
        for exchange in common::exchanges(folder) {
            let services = ["-generation/generation", "/text-embedding", "/text-rerank"];
            match exchange.route("") {
                Some(route) => check(&exchange, &route),
                None => {
                    assert!(!services.iter().any(|path| exchange.url.ends_with(path)), "{}", exchange.name);
                }
            }
        }
    }
}

fn check(exchange: &Exchange, route: &Route) {
    let name = &exchange.name;
    let bare = exchange.play_all_ways(route, Options::new(false)).unwrap();
    let played = exchange.play_all_ways(route, Options::new(true)).unwrap();
    assert_eq!((played.skipped, &played.note), (0, &None), "{name}");
    assert_eq!(
        (bare.chunks, bare.ended, &bare.failure),
        (played.chunks, played.ended, &played.failure),
        "{name}"
    );
    let documents = exchange.documents();
    let last = documents.last().unwrap();
    if exchange.status >= 400 {
        let failure = played.failure.unwrap();
        assert_eq!(failure.error_type, last["code"].as_str().unwrap(), "{name}");
        assert_eq!(failure.message.as_deref(), last["message"].as_str(), "{name}");
        return;
    }
    assert_eq!(played.failure, None, "{name}");
    match &played.call {
        Call::Inference(op) => check_generation(exchange, op, &documents),
        Call::Embeddings(op) => {
            let values = last["output"]["embeddings"][0]["embedding"].as_array().unwrap();
            assert_eq!(op.dimension_count, i64::try_from(values.len()).ok(), "{name}");
            assert_eq!(op.input_tokens, last["usage"]["total_tokens"].as_u64(), "{name}");
        }
        Call::Rerank(op) => {
            let results = last["output"]["results"].as_array().unwrap();
            assert_eq!(op.output_documents.len(), results.len(), "{name}");
            let documents = exchange.request["input"]["documents"].as_array().unwrap();
            assert_eq!(op.documents_count, i64::try_from(documents.len()).ok(), "{name}");
        }
        call => panic!("{name}: {call:?}"),
    }
}

fn check_generation(exchange: &Exchange, op: &Inference, documents: &[Value]) {
    let name = &exchange.name;
    let asked = &op.request;
    assert_eq!(asked.model.as_deref(), exchange.request["model"].as_str(), "{name}");
    assert_eq!(asked.stream, exchange.headers.contains_key("x-dashscope-sse"), "{name}");
    let last = documents.last().unwrap();
    assert_eq!(op.response.id.as_deref(), last["request_id"].as_str(), "{name}");
    assert_eq!(op.usage.input_tokens, last["usage"]["input_tokens"].as_u64(), "{name}");
    assert_eq!(op.usage.output_tokens, last["usage"]["output_tokens"].as_u64(), "{name}");
    let choice = |document: &Value| match &document["output"]["choices"][0] {
        Value::Null => document["output"].clone(),
        choice => choice.clone(),
    };
    assert_eq!(op.response.finish_reasons, [choice(last)["finish_reason"].as_str().unwrap()], "{name}");
    let pieces: Vec<String> = documents
        .iter()
        .map(|document| {
            let choice = choice(document);
            let content = &choice["message"]["content"];
            let text = content.as_str().or(content[0]["text"].as_str()).or(choice["text"].as_str());
            text.unwrap_or_default().to_owned()
        })
        .collect();
    // Of those that repeat, the last one is the longest and says all.
    let is_repeated = documents.len() > 2 && pieces.windows(2).all(|pair| pair[1].starts_with(&pair[0]));
    let text = if is_repeated { pieces.last().unwrap().clone() } else { pieces.concat() };
    let message = told(&op.response.output_messages)[0].clone();
    let parts = message["parts"].as_array().unwrap();
    let said: String = parts
        .iter()
        .filter(|part| part["type"] == "text")
        .map(|part| part["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, text, "{name}");
    for call in parts.iter().filter(|part| part["type"] == "tool_call") {
        assert!(call["arguments"].is_object() && call["id"].is_string(), "{name}: {call}");
    }
    let has_calls = documents.iter().any(|document| choice(document)["message"]["tool_calls"].is_array());
    assert_eq!(parts.iter().any(|part| part["type"] == "tool_call"), has_calls, "{name}");
}
