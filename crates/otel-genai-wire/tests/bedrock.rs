//! AWS Bedrock Runtime: what was read is what the bodies say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use common::Exchange;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use otel_genai::{Embeddings, Failure, Inference, Part};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

const HOST: &str = "bedrock-runtime.eu-west-1.amazonaws.com";
const CONVERSE: &str = "/model/amazon.nova-micro-v1%3A0/converse";
const STREAM: &str = "/model/amazon.nova-micro-v1%3A0/converse-stream";

fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    headers.iter().map(header).collect()
}

fn route(path: &str) -> Route {
    let url: Uri = format!("https://{HOST}{path}").parse().unwrap();
    detect(&Method::POST, &url, &HeaderMap::new()).unwrap()
}

fn call(path: &str, json: &Value, options: Options) -> Option<Call> {
    let mut reader = RequestReader::new(&route(path), options);
    reader.push(json.to_string().as_bytes());
    reader.finish()
}

fn request(path: &str, json: &Value, options: Options) -> Inference {
    let Some(Call::Inference(chat)) = call(path, json, options) else { panic!("{path}: {json}") };
    *chat
}

/// The answer of this body to a request that says nothing.
fn answer(path: &str, status: u16, head: &HeaderMap, body: &[u8]) -> (Inference, Option<Failure>) {
    let mut chat = Inference::new("chat", "aws.bedrock");
    let mut reader =
        ResponseReader::new(&route(path), status, head, &chat.clone().into(), Options::new(true));
    reader.push(body);
    let failure = reader.finish(&mut chat);
    (chat, failure)
}

fn json_head() -> HeaderMap {
    headers(&[("content-type", "application/json")])
}

fn stream_head() -> HeaderMap {
    headers(&[("content-type", "application/vnd.amazon.eventstream")])
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _: u8| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

/// A message of the binary event stream.
fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(name.len() as u8);
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let mut message = ((16 + head.len() + payload.len()) as u32).to_be_bytes().to_vec();
    message.extend_from_slice(&(head.len() as u32).to_be_bytes());
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message.extend_from_slice(&head);
    message.extend_from_slice(payload.as_bytes());
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message
}

fn event(kind: &str, json: &Value) -> Vec<u8> {
    message(&[(":event-type", kind), (":message-type", "event")], &json.to_string())
}

fn exception(kind: &str, text: &str) -> Vec<u8> {
    let payload = json!({ "message": text }).to_string();
    message(&[(":exception-type", kind), (":message-type", "exception")], &payload)
}

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// A stream of `tests/streams`.
fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams").join(name)).unwrap()
}

#[test]
fn paths_name_the_model_and_the_way() {
    for (path, protocol, model, is_stream) in [
        (CONVERSE, Protocol::BedrockConverse, "amazon.nova-micro-v1:0", false),
        (STREAM, Protocol::BedrockConverse, "amazon.nova-micro-v1:0", true),
        ("/model/anthropic.claude-v2/invoke", Protocol::BedrockInvoke, "anthropic.claude-v2", false),
        (
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.x/invoke-with-response-stream",
            Protocol::BedrockInvoke,
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x",
            true,
        ),
        (
            "/model/arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x/converse",
            Protocol::BedrockConverse,
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x",
            false,
        ),
    ] {
        let found = route(path);
        assert_eq!((found.protocol, found.is_stream), (protocol, is_stream), "{path}");
        assert_eq!(found.provider, "aws.bedrock");
        let call = call(path, &json!({"messages": []}), Options::new(false)).unwrap();
        assert_eq!((call.request_model(), call.is_stream()), (Some(model), is_stream), "{path}");
    }
    assert!(call("/model/a/b/converse", &json!({}), Options::new(true)).is_none(), "no resource name");
    for host in [
        "vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
        "bedrock-runtime-fips.us-east-1.amazonaws.com",
        "bedrock-runtime.cn-north-1.amazonaws.com.cn",
        "gateway.corp.example",
        "127.0.0.1:4566",
    ] {
        let url: Uri = format!("https://{host}{CONVERSE}").parse().unwrap();
        assert_eq!(detect(&Method::POST, &url, &HeaderMap::new()).unwrap().provider, "aws.bedrock", "{host}");
    }
}

#[test]
fn a_request_of_converse() {
    let sent = json!({
        "inferenceConfig": {"maxTokens": 300, "temperature": 0.2, "topP": 0.9, "stopSequences": ["END", null]},
        "additionalModelRequestFields": {"top_k": 40, "reasoning_effort": "high", "thinking": {"type": "enabled"}},
        "guardrailConfig": {"guardrailIdentifier": "gr-1", "guardrailVersion": "1", "trace": "enabled"},
        "outputConfig": {"textFormat": {"type": "json_schema", "structure": {}}},
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "toolConfig": {"tools": [
            {"toolSpec": {"name": "track", "description": "Finds an order.", "inputSchema": {"json": {"type": "object"}}}},
            {"systemTool": {"name": "nova_grounding"}},
            {"cachePoint": {"type": "default"}}, null
        ], "toolChoice": {"auto": {}}},
        "messages": [
            {"role": "user", "content": [
                {"text": "Where is it?"},
                {"image": {"format": "jpeg", "source": {"bytes": "QUJD"}}},
                {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}},
                {"document": {"format": "pdf", "name": "Terms", "source": {"bytes": "QUJD"}}},
                {"document": {"format": "txt", "name": "Note", "source": {"text": "plain"}}},
                {"document": {"name": "Parts", "source": {"content": [{"text": "one"}, {"text": "two"}]}}},
                {"video": {"format": "three_gp", "source": {"bytes": "QUJD"}}},
                {"guardContent": {"text": {"text": "look at this", "qualifiers": ["query"]}}},
                {"cachePoint": {"type": "default"}},
                {"brandNew": {"url": "https://h.example/?key=1"}}, {}, null, 7
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
                {"reasoningContent": {"redactedContent": "ZW5j"}},
                {"citationsContent": {"content": [{"text": "as "}, {"text": "said"}], "citations": [{"title": "T"}]}},
                {"toolUse": {"toolUseId": "t1", "name": "track", "input": {"order": 17}}}
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"state": "late"}}], "status": "success"}},
                {"toolResult": {"toolUseId": "t2", "content": [{"text": "no"}, {"json": {}}], "status": "error"}}
            ]},
            {"role": "user", "content": []}, null
        ]
    });
    let chat = request(STREAM, &sent, Options::new(true));
    let asked = &chat.request;
    assert_eq!((chat.operation.as_str(), chat.provider.as_str()), ("chat", "aws.bedrock"));
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("amazon.nova-micro-v1:0"), true));
    assert_eq!(
        (asked.temperature, asked.top_p, asked.top_k, asked.max_tokens),
        (Some(0.2), Some(0.9), Some(40), Some(300))
    );
    assert_eq!(asked.stop_sequences, ["END"]);
    assert_eq!(asked.reasoning_level.as_deref(), Some("high"));
    assert_eq!(asked.output_type, Some(otel_genai::OutputType::Json));
    assert_eq!(chat.aws.guardrail_id.as_deref(), Some("gr-1"));
    assert_eq!(told(&asked.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(
        told(&asked.tool_definitions),
        json!([
            {"type": "function", "name": "track", "description": "Finds an order.", "parameters": {"type": "object"}},
            {"type": "system_tool", "name": "nova_grounding"},
        ])
    );
    assert_eq!(
        told(&asked.input_messages),
        json!([
            {"role": "user", "parts": [
                {"type": "text", "content": "Where is it?"},
                {"type": "blob", "modality": "image", "mime_type": "image/jpeg", "content": "QUJD"},
                {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "s3://bucket/a.png"},
                {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "QUJD", "title": "Terms"},
                {"type": "text", "content": "plain", "title": "Note"},
                {"type": "text", "content": "one", "title": "Parts"},
                {"type": "text", "content": "two", "title": "Parts"},
                {"type": "blob", "modality": "video", "mime_type": "video/3gpp", "content": "QUJD"},
                {"type": "text", "content": "look at this"},
                {"type": "brandNew", "url": "https://h.example/"},
            ]},
            {"role": "assistant", "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "redacted_thinking"},
                {"type": "text", "content": "as said", "citations": [{"title": "T"}]},
                {"type": "tool_call", "id": "t1", "name": "track", "arguments": {"order": 17}},
            ]},
            {"role": "user", "parts": [
                {"type": "tool_call_response", "id": "t1", "response": {"state": "late"}},
                {"type": "tool_call_response", "id": "t2", "response": ["no", {}], "is_error": true},
            ]},
        ])
    );
    let mut without = request(STREAM, &sent, Options::new(false));
    assert!(without.request.input_messages.is_empty() && without.request.system_instructions.is_empty());
    without.request.input_messages.clone_from(&asked.input_messages);
    without.request.system_instructions.clone_from(&asked.system_instructions);
    without.request.tool_definitions.clone_from(&asked.tool_definitions);
    assert_eq!(without, chat, "the settings are the same");
}

#[test]
fn a_stream_of_converse() {
    let (chat, failure) = answer(STREAM, 200, &stream_head(), &recorded("BedrockConverse.eventstream"));
    assert_eq!(failure, None);
    assert_eq!(chat.response.finish_reasons, ["tool_use"]);
    assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(120), Some(9)));
    assert_eq!(chat.usage.cache_read_input_tokens, Some(100));
    assert_eq!(chat.response.model.as_deref(), Some("arn:aws:bedrock:eu-west-1::foundation-model/m"));
    assert_eq!(
        told(&chat.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "reasoning", "content": "The order is late. ä🌍"},
            {"type": "text", "content": "Let me look. 世界",
             "citations": [{"title": "Terms", "location": {"web": {"url": "https://shop.example/terms"}}}]},
            {"type": "tool_call", "id": "t1", "name": "track_order", "arguments": {"order": 17}},
            {"type": "server_tool_call", "id": "t2", "name": "nova_grounding",
             "server_tool_call": {"type": "nova_grounding", "input": {}}},
            {"type": "server_tool_call_response", "id": "t2", "server_tool_call_response": {
                "type": "nova_grounding_result", "content": ["found"]}},
        ]}])
    );
}

#[test]
fn streams_of_every_vendor() {
    for (name, reason, meant, text) in [
        ("anthropic", "end_turn", "stop", "Grüße, 世界 🌍"),
        ("nova", "end_turn", "stop", "Your order is here."),
        ("titan", "FINISH", "stop", "On its way."),
        ("llama", "stop", "stop", "On its way."),
        ("mistral", "stop", "stop", "On its way."),
        ("cohere", "COMPLETE", "stop", "On its way."),
        ("command", "COMPLETE", "stop", "On its way."),
        ("openai", "stop", "stop", "On its way."),
    ] {
        let path = "/model/arn%3Aaws%3Abedrock%3Ax/invoke-with-response-stream";
        let body = recorded(&format!("BedrockInvoke.{name}.eventstream"));
        let (chat, failure) = answer(path, 200, &stream_head(), &body);
        assert_eq!(failure, None, "{name}");
        assert_eq!(chat.response.finish_reasons, [reason], "{name}");
        let input = if name == "titan" { 5 } else { 12 };
        assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(input), Some(6)), "{name}");
        assert_eq!(
            told(&chat.response.output_messages),
            json!([{"role": "assistant", "finish_reason": meant, "parts": [{"type": "text", "content": text}]}]),
            "{name}"
        );
    }
}

#[test]
fn what_was_asked_of_every_vendor() {
    for (body, operation, temperature, max_tokens, stop) in [
        (
            json!({"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 10, "temperature": 0.5, "topP": 1, "stopSequences": ["|"]}}),
            "text_completion",
            Some(0.5),
            Some(10),
            &["|"][..],
        ),
        (
            json!({"prompt": "Hi", "max_gen_len": 10, "temperature": 0.5}),
            "text_completion",
            Some(0.5),
            Some(10),
            &[],
        ),
        (
            json!({"prompt": "Hi", "max_tokens": 10, "stop": ["|"], "top_k": 3}),
            "text_completion",
            None,
            Some(10),
            &["|"],
        ),
        (
            json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}], "stop_sequences": ["|"]}),
            "chat",
            None,
            Some(10),
            &["|"],
        ),
        (
            json!({"schemaVersion": "messages-v1", "inferenceConfig": {"max_new_tokens": 10, "temperature": 0.5}, "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
            "chat",
            Some(0.5),
            Some(10),
            &[],
        ),
        (
            json!({"message": "Hi", "max_tokens": 10, "temperature": 0.5, "stop_sequences": ["|"]}),
            "chat",
            Some(0.5),
            Some(10),
            &["|"],
        ),
        (
            json!({"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 10, "stop": "|"}),
            "chat",
            None,
            Some(10),
            &["|"],
        ),
    ] {
        let path = "/model/x/invoke";
        for content in [true, false] {
            let chat = request(path, &body, Options::new(content));
            assert_eq!(chat.operation.as_str(), operation, "{body}");
            assert_eq!(chat.provider.as_str(), "aws.bedrock");
            assert_eq!(chat.request.model.as_deref(), Some("x"), "{body}");
            assert_eq!(
                (chat.request.temperature, chat.request.max_tokens),
                (temperature, max_tokens),
                "{body}"
            );
            assert_eq!(chat.request.stop_sequences, stop, "{body}");
            let messages = told(&chat.request.input_messages);
            let expected = match content {
                true => json!([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]),
                false => json!([]),
            };
            assert_eq!(messages, expected, "{body}");
        }
    }
    let image = json!({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a cat"}});
    assert!(call("/model/amazon.nova-canvas-v1/invoke", &image, Options::new(true)).is_none());
}

#[test]
fn a_guardrail_may_be_named_in_a_header() {
    let url: Uri = format!("https://{HOST}/model/x/invoke").parse().unwrap();
    let head = headers(&[("x-amzn-bedrock-guardrailidentifier", "gr-2")]);
    let route = detect(&Method::POST, &url, &head).unwrap();
    for body in [json!({"prompt": "Hi"}), json!({"messages": [], "anthropic_version": "x"})] {
        let mut reader = RequestReader::new(&route, Options::new(true));
        reader.push(body.to_string().as_bytes());
        let Some(Call::Inference(chat)) = reader.finish() else { panic!() };
        assert_eq!(chat.aws.guardrail_id.as_deref(), Some("gr-2"));
    }
}

#[test]
fn counts_that_only_the_headers_tell() {
    let head = headers(&[
        ("content-type", "application/json"),
        ("x-amzn-bedrock-input-token-count", "7"),
        ("x-amzn-bedrock-output-token-count", "3"),
    ]);
    let body = json!({"outputs": [{"text": "Hello", "stop_reason": "stop"}]});
    let (chat, failure) = answer("/model/m/invoke", 200, &head, body.to_string().as_bytes());
    assert_eq!((failure, chat.usage), (None, otel_genai::Usage::new(7, 3)));
    let own = json!({"generation": "x", "prompt_token_count": 5, "generation_token_count": 2, "stop_reason": "length"});
    let (chat, _) = answer("/model/m/invoke", 200, &head, own.to_string().as_bytes());
    assert_eq!(chat.usage, otel_genai::Usage::new(5, 2));
}

#[test]
fn vectors_and_orders() {
    let path = "/model/amazon.titan-embed-text-v2%3A0/invoke";
    let sent = json!({"inputText": "Hi", "dimensions": 256, "normalize": true, "embeddingTypes": ["float"]});
    let sent = call(path, &sent, Options::new(true));
    let Some(Call::Embeddings(op)) = sent else { panic!("{sent:?}") };
    assert_eq!((op.model.as_deref(), op.dimension_count), (Some("amazon.titan-embed-text-v2:0"), Some(256)));
    assert_eq!(op.encoding_formats, ["float"]);
    for (body, dimensions, tokens) in [
        (json!({"embedding": [0.1, 0.2, 0.3], "inputTextTokenCount": 4}), 3, Some(4)),
        (json!({"embeddingsByType": {"binary": [1, 0]}, "inputTextTokenCount": 4}), 2, Some(4)),
        (json!({"embeddings": [[1, 2, 3, 4], [1, 2, 3, 4]], "id": "e1"}), 4, None),
        (json!({"embeddings": {"float": [[1, 2, 3]]}, "response_type": "embeddings_by_type"}), 3, None),
        (json!({"embeddings": {"ubinary": [[1, 2]]}}), 16, None),
        (json!({"embeddings": [{"embeddingType": "TEXT", "embedding": [1, 2]}]}), 2, None),
    ] {
        let mut op = Embeddings::new("aws.bedrock");
        let call = op.clone().into();
        let mut reader = ResponseReader::new(&route(path), 200, &json_head(), &call, Options::new(true));
        reader.push(body.to_string().as_bytes());
        assert_eq!(reader.finish(&mut op), None, "{body}");
        assert_eq!((op.dimension_count, op.input_tokens), (Some(dimensions), tokens), "{body}");
    }
    let rerank = json!({"query": "q", "documents": ["a", "b"], "top_n": 1, "api_version": 2});
    let Some(Call::Rerank(op)) = call("/model/cohere.rerank-v3-5%3A0/invoke", &rerank, Options::new(true))
    else {
        panic!()
    };
    assert_eq!(
        (op.documents_count, op.top_k, op.model.as_deref()),
        (Some(2), Some(1), Some("cohere.rerank-v3-5:0"))
    );
}

#[test]
fn errors() {
    let failed = |head: &[(&'static str, &str)], body: &str| {
        let (_, failure) = answer(CONVERSE, 400, &headers(head), body.as_bytes());
        let failure = failure.unwrap();
        (failure.error_type.into_owned(), failure.message.unwrap_or_default())
    };
    let is = |kind: &str, message: &str| (kind.to_owned(), message.to_owned());
    let kind = ("x-amzn-errortype", "ValidationException:http://internal.amazon.com/coral/");
    assert_eq!(failed(&[kind], r#"{"message":"no such model"}"#), is("ValidationException", "no such model"));
    assert_eq!(
        failed(&[], r#"{"__type":"com.amazon.coral#ThrottlingException","Message":"slow"}"#),
        is("ThrottlingException", "slow")
    );
    assert_eq!(failed(&[("x-amzn-errortype", "not a word")], "{}"), is("400", "400 Bad Request"));
    assert_eq!(failed(&[], "<html>"), is("400", "400 Bad Request"));
}

#[test]
fn exceptions_within_a_stream() {
    let chunk = json!({"bytes": "eyJvdXRwdXRUZXh0IjoiSGkifQ=="});
    for (path, events) in [
        (
            STREAM,
            vec![
                event("messageStart", &json!({"role": "assistant"})),
                event("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": "Hi"}})),
            ],
        ),
        ("/model/x/invoke-with-response-stream", vec![event("chunk", &chunk)]),
    ] {
        let body = [events.concat(), exception("throttlingException", "slow down")].concat();
        let (chat, failure) = answer(path, 200, &stream_head(), &body);
        assert_eq!(failure, Some(Failure::new("throttlingException").message("slow down")), "{path}");
        assert_eq!(chat.response.finish_reasons, ["error"]);
        assert_eq!(
            told(&chat.response.output_messages)[0]["parts"],
            json!([{"type": "text", "content": "Hi"}])
        );

        let (_, failure) = answer(path, 200, &stream_head(), &events.concat());
        assert_eq!(failure.unwrap().error_type, "truncated_response", "{path}");
        let mut wrong = [events.concat(), event("messageStop", &json!({"stopReason": "end_turn"}))].concat();
        let last = wrong.len() - 1;
        wrong[last] ^= 1;
        let (chat, failure) = answer(path, 200, &stream_head(), &wrong);
        assert_eq!(failure.unwrap().error_type, "malformed_response", "{path}");
        assert_eq!(chat.response.finish_reasons, ["error"]);
    }
}

#[test]
fn nulls_and_wrong_types_everywhere() {
    for body in [
        r#"{"output":null,"stopReason":null,"usage":null,"trace":null}"#,
        r#"{"output":{"message":{"role":7,"content":[null,{"text":null},{"toolUse":null}]}},"stopReason":[],"usage":{"inputTokens":"5"}}"#,
        r#"{"output":[],"usage":[]}"#,
    ] {
        let (chat, failure) = answer(CONVERSE, 200, &json_head(), body.as_bytes());
        assert_eq!(failure, None, "{body}");
        assert_eq!(chat.response.finish_reasons, ["error"], "{body}");
        assert_eq!(chat.usage, otel_genai::Usage::default());
    }
    let (_, failure) = answer(CONVERSE, 200, &json_head(), b"{}");
    assert_eq!(failure.unwrap().error_type, "malformed_response");
}

#[test]
fn recorded_exchanges_say_what_their_bodies_say() {
    let mut read = 0;
    for mut exchange in common::exchanges("bedrock") {
        let is_stream = exchange
            .response_headers
            .get("content-type")
            .is_some_and(|kind| kind == "application/vnd.amazon.eventstream");
        if is_stream && exchange.body.first().is_some_and(u8::is_ascii_alphanumeric) {
            // Some recorders keep bytes as base64.
            exchange.body = common::base64(&String::from_utf8_lossy(&exchange.body));
        }
        check(&exchange, is_stream);
        read += 1;
    }
    println!("{read} exchanges were read");
}

fn check(exchange: &Exchange, is_stream: bool) {
    let name = &exchange.name;
    let route = exchange.route(HOST).unwrap_or_else(|| panic!("{name}: {}", exchange.url));
    let played = exchange.play_all_ways(&route, Options::new(true)).unwrap();
    let model = exchange.url.split("/model/").nth(1).unwrap().split('/').next().unwrap().replace("%3A", ":");
    assert_eq!(played.call.request_model(), Some(model.as_str()), "{name}");
    assert_eq!((played.skipped, &played.note), (0, &None), "{name}");
    if exchange.status >= 400 {
        let failure = played.failure.unwrap();
        assert_eq!(failure.error_type, "ValidationException", "{name}");
        assert!(failure.message.is_some_and(|message| message.contains("model")), "{name}");
        return;
    }
    assert_eq!(played.failure, None, "{name}");
    let chat = match &played.call {
        Call::Embeddings(op) => {
            assert_eq!(op.dimension_count, exchange.request["dimensions"].as_i64(), "{name}");
            assert!(op.input_tokens.is_some_and(|tokens| tokens > 0), "{name}");
            return;
        }
        Call::Inference(chat) => chat,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(chat.provider.as_str(), "aws.bedrock");
    assert_eq!(chat.request.stream, is_stream, "{name}");
    let sent = exchange.request["messages"].as_array().map_or(1, Vec::len);
    assert_eq!(chat.request.input_messages.len(), sent, "{name}: every message says something");
    let has_counts = !name.contains("cohere.command") && !name.contains("content_mistral.mistral");
    assert_eq!(chat.usage.input_tokens.is_some_and(|tokens| tokens > 0), has_counts, "{name}");
    assert_eq!(chat.usage.output_tokens.is_some_and(|tokens| tokens > 0), has_counts, "{name}");
    assert_eq!(chat.response.finish_reasons.len(), 1, "{name}");
    assert_ne!(chat.response.finish_reasons, ["error"], "{name}");
    let parts = &chat.response.output_messages[0].parts;
    assert!(!parts.is_empty(), "{name}");
    let calls = parts.iter().filter(|part| matches!(part, Part::ToolCall(_))).count();
    assert_eq!(calls > 0, chat.response.finish_reasons == ["tool_use"], "{name}");
    if is_stream {
        assert!(played.ended && played.chunks > 0, "{name}");
    } else {
        let body: Value = serde_json::from_slice(&exchange.body).unwrap();
        let usage = ["inputTokens", "input_tokens"].iter().find_map(|key| body["usage"][key].as_u64());
        let usage = usage.or(body["inputTextTokenCount"].as_u64()).or(body["prompt_token_count"].as_u64());
        assert_eq!(chat.usage.input_tokens, usage, "{name}");
    }

    let without = exchange.play_all_ways(&route, Options::new(false)).unwrap();
    let Call::Inference(brief) = without.call else { panic!() };
    assert_eq!(brief.response.finish_reasons, chat.response.finish_reasons, "{name}");
    assert_eq!((brief.usage, &brief.response.id), (chat.usage, &chat.response.id), "{name}");
    assert!(brief.response.output_messages.is_empty() && brief.request.input_messages.is_empty(), "{name}");
}
