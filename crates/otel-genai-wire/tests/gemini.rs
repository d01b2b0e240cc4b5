//! Google's protocols: what was read is what the bodies say.
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

const API: &str = "https://generativelanguage.googleapis.com";
const VERTEX: &str = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1";

fn detected(method: &Method, url: &str) -> Option<Route> {
    let url: Uri = url.parse().unwrap();
    detect(method, &url, &HeaderMap::new())
}

fn route(path: &str) -> Route {
    detected(&Method::POST, &format!("{API}/v1beta/{path}")).unwrap()
}

fn whole_route() -> Route {
    route("models/gemini-9-flash:generateContent?key=secret")
}

fn stream_route() -> Route {
    route("models/gemini-9-flash:streamGenerateContent?alt=sse")
}

fn call(route: &Route, json: &Value, options: Options) -> Option<Call> {
    let mut reader = RequestReader::new(route, options);
    reader.push(json.to_string().as_bytes());
    reader.finish()
}

fn request(json: &Value, options: Options) -> Inference {
    let Some(Call::Inference(op)) = call(&whole_route(), json, options) else { panic!() };
    // Keys that are sent in any order.
    let mut op = *op;
    op.request.tool_definitions.sort_by_key(|tool| tool.name.clone());
    op
}

/// The answer of this body to a request that says nothing.
fn answer(route: &Route, status: u16, kind: &str, body: &str, options: Options) -> (Call, Option<Failure>) {
    let mut call = call(route, &json!({}), options).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(kind).unwrap());
    let mut reader = ResponseReader::new(route, status, &headers, &call, options);
    reader.push(body.as_bytes());
    let failure = reader.finish(&mut call);
    (call, failure)
}

fn inference((call, failure): (Call, Option<Failure>)) -> (Inference, Option<Failure>) {
    let Call::Inference(op) = call else { panic!("{call:?}") };
    (*op, failure)
}

fn whole(json: &Value) -> Inference {
    let options = Options::new(true);
    let (op, failure) =
        inference(answer(&whole_route(), 200, "application/json", &json.to_string(), options));
    assert_eq!(failure, None);
    op
}

fn stream(events: &[Value]) -> (Inference, Option<Failure>) {
    let body: String = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
    inference(answer(&stream_route(), 200, "text/event-stream", &body, Options::new(true)))
}

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn paths() {
    use Protocol::{GeminiContent, GeminiEmbeddings, GeminiInteractions};
    for (url, protocol, provider, is_stream) in [
        (format!("{API}/v1/models/m:generateContent"), GeminiContent, "gcp.gemini", false),
        (format!("{API}/v1beta/models/m:streamGenerateContent?alt=sse"), GeminiContent, "gcp.gemini", true),
        (format!("{API}/v1beta/tunedModels/t:generateContent"), GeminiContent, "gcp.gemini", false),
        (format!("{API}/v1beta/models/m:embedContent"), GeminiEmbeddings, "gcp.gemini", false),
        (format!("{API}/v1beta/models/m:batchEmbedContents"), GeminiEmbeddings, "gcp.gemini", false),
        (format!("{API}/v1beta/interactions"), GeminiInteractions, "gcp.gemini", false),
        (
            "https://aiplatform.googleapis.com/v1/publishers/google/models/m:generateContent".to_owned(),
            GeminiContent,
            "gcp.vertex_ai",
            false,
        ),
        (
            format!("{VERTEX}/publishers/google/models/m:streamGenerateContent"),
            GeminiContent,
            "gcp.vertex_ai",
            true,
        ),
        (format!("{VERTEX}/endpoints/7:generateContent"), GeminiContent, "gcp.vertex_ai", false),
        (
            format!("{VERTEX}/publishers/google/models/text-embedding-005:predict"),
            GeminiEmbeddings,
            "gcp.vertex_ai",
            false,
        ),
        (
            "http://localhost:8080/v1beta/models/m:generateContent".to_owned(),
            GeminiContent,
            "gcp.gen_ai",
            false,
        ),
        (
            "http://gateway/x/v1/projects/p/locations/l/publishers/google/models/m:generateContent"
                .to_owned(),
            GeminiContent,
            "gcp.vertex_ai",
            false,
        ),
        (
            "https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse".to_owned(),
            GeminiContent,
            "gcp.gen_ai",
            true,
        ),
    ] {
        let route = detected(&Method::POST, &url).unwrap_or_else(|| panic!("{url}"));
        assert_eq!((route.protocol, route.is_stream), (protocol, is_stream), "{url}");
        assert_eq!(route.provider, provider, "{url}");
    }
    for url in [
        format!("{API}/v1beta/models/m:countTokens"),
        format!("{API}/v1beta/models/m:batchGenerateContent"),
        format!("{API}/v1beta/cachedContents"),
        format!("{API}/v1beta/models/m"),
        format!("{API}/v1beta/interactions/v1_a/cancel"),
        format!("{API}/upload/v1beta/files"),
        format!("{VERTEX}/publishers/google/models/m:countTokens"),
        format!("{VERTEX}/publishers/google/models/m:predictLongRunning"),
        format!("{VERTEX}/cachedContents"),
        "http://localhost/interactions".to_owned(),
    ] {
        assert_eq!(detected(&Method::POST, &url), None, "{url}");
    }
}

#[test]
fn the_path_names_the_model() {
    let model = |url: &str| {
        let route = detected(&Method::POST, url).unwrap();
        let call = call(&route, &json!({}), Options::new(false)).unwrap();
        call.request_model().map(str::to_owned).unwrap()
    };
    assert_eq!(model(&format!("{API}/v1beta/models/gemini-9-flash:generateContent")), "gemini-9-flash");
    assert_eq!(model(&format!("{API}/v1beta/tunedModels/mine-1:generateContent")), "tunedModels/mine-1");
    assert_eq!(
        model(&format!("{API}/v1beta/models/gemini-embedding-001:embedContent")),
        "gemini-embedding-001"
    );
    assert_eq!(
        model(&format!("{VERTEX}/endpoints/77:streamGenerateContent")),
        "projects/p/locations/us-central1/endpoints/77"
    );
    assert_eq!(
        model(&format!("{VERTEX}/publishers/google/models/text-embedding-005:predict")),
        "text-embedding-005"
    );
    let imagen =
        detected(&Method::POST, &format!("{VERTEX}/publishers/google/models/imagen-4:predict")).unwrap();
    assert_eq!(call(&imagen, &json!({"instances": [{"prompt": "a cat"}]}), Options::new(true)), None);
}

#[test]
fn a_request() {
    let camel = json!({
        "generationConfig": {
            "temperature": 0.5, "topP": 0.9, "topK": 40.0, "candidateCount": 2, "maxOutputTokens": 1024,
            "stopSequences": ["END"], "presencePenalty": 0.1, "frequencyPenalty": 0.2, "seed": 7,
            "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"},
            "thinkingConfig": {"thinkingLevel": "low", "includeThoughts": true}
        },
        "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        "tools": [
            {"functionDeclarations": [
                {"name": "track", "description": "Finds an order.", "parameters": {"type": "OBJECT"}},
                {"name": "other", "parametersJsonSchema": {"type": "object"}}], "codeExecution": null},
            {"googleSearch": {}, "codeExecution": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "safetySettings": [{"category": "X", "threshold": "Y"}],
        "contents": [{"role": "user", "parts": [{"text": "Where is my order?"}]}]
    });
    let snake = json!({
        "generation_config": {
            "temperature": 0.5, "top_p": 0.9, "top_k": 40, "candidate_count": 2, "max_output_tokens": 1024,
            "stop_sequences": ["END"], "presence_penalty": 0.1, "frequency_penalty": 0.2, "seed": 7,
            "response_mime_type": "application/json", "thinking_config": {"thinking_level": "low"}
        },
        "system_instruction": {"parts": {"text": "Be brief."}},
        "tools": {"function_declarations": [
                {"name": "track", "description": "Finds an order.", "parameters": {"type": "OBJECT"}},
                {"name": "other", "parameters_json_schema": {"type": "object"}}],
            "google_search": {}, "code_execution": {}},
        "contents": {"role": "user", "parts": {"text": "Where is my order?"}}
    });
    let op = request(&camel, Options::new(true));
    assert_eq!(request(&snake, Options::new(true)), op);
    let assist = json!({"model": "gemini-9-flash", "project": "p", "request": camel});
    assert_eq!(request(&assist, Options::new(true)), op, "wrapped");
    let asked = &op.request;
    assert_eq!((op.operation.as_str(), op.provider.as_str()), ("generate_content", "gcp.gemini"));
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("gemini-9-flash"), false));
    assert_eq!(
        (asked.temperature, asked.top_p, asked.top_k, asked.max_tokens),
        (Some(0.5), Some(0.9), Some(40), Some(1024))
    );
    assert_eq!((asked.presence_penalty, asked.frequency_penalty), (Some(0.1), Some(0.2)));
    assert_eq!((asked.seed, asked.choice_count), (Some(7), Some(2)));
    assert_eq!(asked.stop_sequences, ["END"]);
    assert_eq!(
        (asked.reasoning_level.as_deref(), &asked.output_type),
        (Some("low"), &Some(OutputType::Json))
    );
    assert_eq!(told(&asked.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(
        told(&asked.input_messages),
        json!([{"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}])
    );
    assert_eq!(
        told(&asked.tool_definitions),
        json!([
            {"type": "code_execution", "name": "code_execution"},
            {"type": "google_search", "name": "google_search"},
            {"type": "function", "name": "other", "parameters": {"type": "object"}},
            {"type": "function", "name": "track", "description": "Finds an order.", "parameters": {"type": "OBJECT"}},
        ])
    );

    for body in [&camel, &snake] {
        let mut without = request(body, Options::new(false));
        assert!(without.request.input_messages.is_empty() && without.request.system_instructions.is_empty());
        without.request.input_messages.clone_from(&asked.input_messages);
        without.request.system_instructions.clone_from(&asked.system_instructions);
        without.request.tool_definitions.clone_from(&asked.tool_definitions);
        assert_eq!(without, op, "the settings are the same");
    }
    let output = |config: Value| {
        request(&json!({"generationConfig": config}), Options::new(false)).request.output_type
    };
    assert_eq!(output(json!({"responseModalities": ["TEXT", "IMAGE"]})), Some(OutputType::Image));
    assert_eq!(output(json!({"responseModalities": ["AUDIO"]})), Some(OutputType::Speech));
    assert_eq!(output(json!({"responseMimeType": "text/plain"})), Some(OutputType::Text));
    assert_eq!(output(json!({"thinkingConfig": {"thinkingBudget": 100}})), None);
    let budget =
        json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 100}, "seed": "7", "topK": null}});
    assert_eq!(request(&budget, Options::new(true)).request.reasoning_level, None, "a budget is no level");
}

#[test]
fn everything_that_contents_may_hold() {
    let sent = json!({"contents": [
        {"parts": [
            {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
            {"inline_data": {"mime_type": "audio/mp3", "data": "_-8"}},
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://bucket/a.pdf"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://u:p@h.example/v.mp4?sig=s"},
             "videoMetadata": {"startOffset": "1s"}},
            {"text": "go", "thought": false}, {"text": ""}, {}, 7, null, {"brandNew": {"a": 1}}
        ]},
        {"role": "model", "parts": [
            {"text": "hm", "thought": true, "thoughtSignature": "c2ln"},
            {"functionCall": {"name": "weather", "args": {"city": "Ulm"}}, "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "f2", "name": "now"}},
            {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
            {"toolCall": {"id": "t1", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["q"]}}},
            {"toolResponse": {"id": "t1", "toolType": "GOOGLE_SEARCH_WEB", "response": {"url": "https://h.example/?k=1"}}}
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "weather", "response": {"result": "sunny"}}},
            {"functionResponse": {"id": "f2", "name": "now", "response": {"result": 5}, "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]}}
        ]},
        {"role": "function", "parts": [{"functionResponse": {"name": "old"}}]},
        {"role": "user", "parts": []}, null
    ]});
    let op = request(&sent, Options::new(true));
    assert_eq!(
        told(&op.request.input_messages),
        json!([
            {"role": "user", "parts": [
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
                {"type": "blob", "modality": "audio", "mime_type": "audio/mp3", "content": "/+8="},
                {"type": "uri", "modality": "document", "mime_type": "application/pdf", "uri": "gs://bucket/a.pdf"},
                {"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "https://h.example/v.mp4"},
                {"type": "text", "content": "go"}]},
            {"role": "assistant", "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "name": "weather", "arguments": {"city": "Ulm"}},
                {"type": "tool_call", "id": "f2", "name": "now"},
                {"type": "server_tool_call", "name": "code_execution",
                 "server_tool_call": {"type": "code_execution", "language": "PYTHON", "code": "print(1)"}},
                {"type": "server_tool_call_response", "server_tool_call_response": {
                    "type": "code_execution", "outcome": "OUTCOME_OK", "output": "1\n"}},
                {"type": "server_tool_call", "id": "t1", "name": "google_search_web",
                 "server_tool_call": {"type": "google_search_web", "args": {"queries": ["q"]}}},
                {"type": "server_tool_call_response", "id": "t1", "server_tool_call_response": {
                    "type": "google_search_web", "response": {"url": "https://h.example/"}}}]},
            {"role": "user", "parts": [
                {"type": "tool_call_response", "response": {"result": "sunny"}, "name": "weather"},
                {"type": "tool_call_response", "id": "f2", "response": {"result": 5}, "name": "now", "parts": [
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"}]}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "response": null, "name": "old"}]},
        ])
    );
}

#[test]
fn a_whole_answer() {
    let body = json!({
        "candidates": [{"content": {"role": "model", "parts": [
            {"text": "Thinking.", "thought": true}, {"text": "On its way."}, {"text": " Soon."}]},
            "finishReason": "STOP", "avgLogprobs": -0.5}],
        "usageMetadata": {"promptTokenCount": 25, "candidatesTokenCount": 30, "thoughtsTokenCount": 34,
            "toolUsePromptTokenCount": 75, "cachedContentTokenCount": 20, "totalTokenCount": 164,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 15}, {"modality": "AUDIO", "tokenCount": 10}]},
        "modelVersion": "gemini-9-flash-001", "responseId": "resp_1", "createTime": "2026-01-01T00:00:00Z"
    });
    let op = whole(&body);
    assert_eq!(op.response.id.as_deref(), Some("resp_1"));
    assert_eq!(op.response.model.as_deref(), Some("gemini-9-flash-001"));
    assert_eq!(op.response.finish_reasons, ["STOP"]);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(100), Some(64)));
    assert_eq!((op.usage.cache_read_input_tokens, op.usage.reasoning_output_tokens), (Some(20), Some(34)));
    assert_eq!((op.usage.text.input_tokens, op.usage.audio.input_tokens), (Some(15), Some(10)));
    assert_eq!(
        told(&op.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "reasoning", "content": "Thinking."},
            {"type": "text", "content": "On its way."}, {"type": "text", "content": " Soon."}]}])
    );
    for options in [Options::new(false), Options::new(true).limit(100)] {
        let (bare, failure) =
            inference(answer(&whole_route(), 200, "application/json", &body.to_string(), options));
        assert_eq!((&bare.response.id, bare.usage, failure), (&op.response.id, op.usage, None));
        assert_eq!(bare.response.finish_reasons, ["STOP"]);
        assert!(bare.response.output_messages.is_empty());
    }
    assert_eq!(whole(&json!({"response": body, "traceId": "t"})), op, "wrapped");
}

#[test]
fn reasons_to_stop() {
    for (given, meant) in [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("BRAND_NEW", "BRAND_NEW"),
    ] {
        let op = whole(&json!({"candidates": [{"content": {"parts": []}, "finishReason": given}]}));
        assert_eq!(op.response.finish_reasons, [given]);
        assert_eq!(told(&op.response.output_messages)[0]["finish_reason"], meant, "{given}");
    }
    let numbers = |provider: &str, number: u64| {
        let mut route = whole_route();
        route.provider = provider.to_owned().into();
        let body = json!({"candidates": [{"content": {"parts": []}, "finishReason": number}]}).to_string();
        let (op, _) = inference(answer(&route, 200, "application/json", &body, Options::new(true)));
        op.response.finish_reasons.concat()
    };
    for (number, gemini, vertex) in [
        (0, "error", "error"),
        (1, "STOP", "STOP"),
        (6, "LANGUAGE", "BLOCKLIST"),
        (10, "MALFORMED_FUNCTION_CALL", "MODEL_ARMOR"),
        (99, "99", "99"),
    ] {
        assert_eq!(
            (numbers("gcp.gemini", number).as_str(), numbers("gcp.vertex_ai", number).as_str()),
            (gemini, vertex)
        );
    }
    let call = json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}, "finishReason": "STOP"}]});
    let op = whole(&call);
    assert_eq!(op.response.finish_reasons, ["STOP"]);
    assert_eq!(told(&op.response.output_messages)[0]["finish_reason"], "tool_call");
}

#[test]
fn a_prompt_that_is_blocked_is_answered_by_its_reason() {
    let body = json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}, "modelVersion": "gemini-9-flash"
    });
    let op = whole(&body);
    assert_eq!(op.response.finish_reasons, ["PROHIBITED_CONTENT"]);
    assert!(op.response.output_messages.is_empty());
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(8), Some(0)));
    let (streamed, failure) = stream(std::slice::from_ref(&body));
    assert_eq!((streamed.response, failure), (op.response, None));
}

#[test]
fn a_stream_says_what_a_whole_answer_would() {
    let body = include_str!("streams/GeminiContent.sse");
    let read = |options| inference(answer(&stream_route(), 200, "text/event-stream", body, options));
    let (op, failure) = read(Options::new(true));
    assert_eq!(failure, None);
    assert_eq!(op.response.id.as_deref(), Some("resp_1"));
    assert_eq!(op.response.model.as_deref(), Some("gemini-9-flash-001"));
    assert_eq!(op.response.finish_reasons, ["STOP", "SAFETY"]);
    assert_eq!(
        told(&op.response.output_messages),
        json!([
            {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "server_tool_call", "name": "google_search",
                 "server_tool_call": {"type": "google_search", "queries": ["order 7"]}},
                {"type": "server_tool_call_response", "server_tool_call_response": {"type": "google_search",
                 "results": [{"web": {"uri": "https://shop.example/o", "title": "Order"}}]}},
                {"type": "reasoning", "content": "Wo steht das? 🌍"},
                {"type": "server_tool_call", "id": "c1", "name": "code_execution",
                 "server_tool_call": {"type": "code_execution", "language": "PYTHON", "code": "print(6 * 7)"}},
                {"type": "server_tool_call_response", "id": "c1", "server_tool_call_response": {
                    "type": "code_execution", "outcome": "OUTCOME_OK", "output": "42\n"}},
                {"type": "text", "content": "Grüße, 世界"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
                {"type": "tool_call", "name": "track", "arguments": {"order": 7}},
                {"type": "tool_call", "id": "f2", "name": "send", "arguments": {"to": {"city": "Ulm"}, "days": 2}}]},
            {"role": "assistant", "finish_reason": "content_filter", "parts": [{"type": "text", "content": "Nein"}]},
        ])
    );
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(120), Some(70)));
    assert_eq!((op.usage.cache_read_input_tokens, op.usage.reasoning_output_tokens), (Some(100), Some(30)));
    assert_eq!((op.usage.text.output_tokens, op.usage.image.output_tokens), (Some(25), Some(15)));

    let (bare, failure) = read(Options::new(false));
    assert_eq!((bare.usage, &bare.response.finish_reasons), (op.usage, &op.response.finish_reasons));
    assert!(bare.response.output_messages.is_empty() && failure.is_none());
    let (short, failure) = read(Options::new(true).limit(30));
    assert_eq!((short.usage, failure), (op.usage, None));
}

#[test]
fn a_stream_may_be_one_list() {
    let body = include_str!("streams/GeminiContent.list.json");
    let route = route("models/gemini-9-flash:streamGenerateContent");
    let (op, failure) =
        inference(answer(&route, 200, "application/json; charset=UTF-8", body, Options::new(true)));
    assert_eq!((failure, op.request.stream), (None, true));
    assert_eq!(
        told(&op.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "length", "parts": [
            {"type": "text", "content": "Auf dem Weg. ]}\" 🚚"}]}])
    );
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(5), Some(4)));
    let broken = r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},
        {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]"#;
    let (op, failure) = inference(answer(&route, 200, "application/json", broken, Options::new(true)));
    assert_eq!(failure, Some(Failure::new("UNAVAILABLE").message("overloaded")));
    assert_eq!(op.response.finish_reasons, ["error"]);
}

#[test]
fn errors() {
    let refused =
        r#"{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED","details":[]}}"#;
    for body in [refused.to_owned(), format!("[{refused}\n]")] {
        for route in [whole_route(), stream_route(), route("models/m:embedContent"), route("interactions")] {
            let (_, failure) = answer(&route, 429, "application/json", &body, Options::new(true));
            assert_eq!(failure, Some(Failure::new("RESOURCE_EXHAUSTED").message("Slow down.")));
        }
    }
    // In place of an answer, and within a stream.
    let (_, failure) = answer(&whole_route(), 200, "application/json", refused, Options::new(false));
    assert_eq!(failure.unwrap().error_type, "RESOURCE_EXHAUSTED");
    let piece = json!({"candidates": [{"content": {"parts": [{"text": "a"}]}}]});
    let (op, failure) = stream(&[piece.clone(), serde_json::from_str(refused).unwrap()]);
    assert_eq!(failure.unwrap().error_type, "RESOURCE_EXHAUSTED");
    assert_eq!(told(&op.response.output_messages)[0]["parts"], json!([{"type": "text", "content": "a"}]));
    let (_, failure) = stream(&[piece]);
    assert_eq!(failure.unwrap().error_type, "truncated_response");
    for body in ["{}", "[]", r#"{"modelVersion":"m"}"#] {
        let (_, failure) = answer(&whole_route(), 200, "application/json", body, Options::new(true));
        assert_eq!(failure.unwrap().error_type, "malformed_response", "{body}");
    }
    let (_, failure) = answer(&whole_route(), 404, "text/html", "<html>", Options::new(true));
    assert_eq!(failure.unwrap().error_type, "404");
}

#[test]
fn early_versions_tell_a_reason_with_every_piece() {
    let piece = |text: &str| json!({"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}]});
    let (op, failure) = stream(&[piece("a"), piece("b")]);
    assert_eq!((failure, &op.response.finish_reasons[..]), (None, &["STOP".to_owned()][..]));
    assert_eq!(told(&op.response.output_messages)[0]["parts"], json!([{"type": "text", "content": "ab"}]));
}

#[test]
fn embeddings() {
    let read = |path: &str, sent: Value, body: Value| {
        let route = detected(&Method::POST, path).unwrap();
        let mut call = call(&route, &sent, Options::new(true)).unwrap();
        let mut reader = ResponseReader::new(&route, 200, &HeaderMap::new(), &call, Options::new(true));
        reader.push(body.to_string().as_bytes());
        assert_eq!(reader.finish(&mut call), None);
        let Call::Embeddings(op) = call else { panic!() };
        (op.model.unwrap(), op.dimension_count, op.input_tokens)
    };
    let model = "gemini-embedding-2".to_owned();
    assert_eq!(
        read(
            &format!("{API}/v1beta/models/gemini-embedding-2:embedContent"),
            json!({"model": "models/gemini-embedding-2", "content": {"parts": [{"text": "hi"}]}, "outputDimensionality": 768}),
            json!({"embedding": {"values": [0.5, 1, -2e-3]}, "usageMetadata": {"promptTokenCount": 4}}),
        ),
        (model.clone(), Some(3), Some(4))
    );
    assert_eq!(
        read(
            &format!("{API}/v1beta/models/gemini-embedding-2:batchEmbedContents"),
            json!({"requests": [{"content": {}, "output_dimensionality": 768}]}),
            json!({"embeddings": []}),
        ),
        (model, Some(768), None)
    );
    let prediction =
        |tokens: Value| json!({"embeddings": {"values": [1, 2], "statistics": {"token_count": tokens}}});
    let vertex = |predictions: Value| {
        read(
            &format!("{VERTEX}/publishers/google/models/text-embedding-005:predict"),
            json!({"instances": [{"content": "hi"}], "parameters": {"outputDimensionality": 2}}),
            json!({"predictions": predictions, "metadata": {"billableCharacterCount": 9}}),
        )
    };
    let model = "text-embedding-005".to_owned();
    assert_eq!(
        vertex(json!([prediction(json!(4.0)), prediction(json!(5))])),
        (model.clone(), Some(2), Some(9))
    );
    assert_eq!(
        vertex(json!([prediction(json!(4)), prediction(json!(null))])),
        (model.clone(), Some(2), None)
    );
    assert_eq!(vertex(json!([{"textEmbedding": [1, 2, 3]}])), (model, Some(3), None));
}

#[test]
fn an_interaction() {
    let sent = json!({
        "model": "models/gemini-9-flash", "previous_interaction_id": "v1_z", "stream": true, "store": true,
        "system_instruction": "Be brief.", "response_format": {"type": "object"},
        "generation_config": {"temperature": 0.5, "max_output_tokens": 9, "thinking_level": "high", "stop_sequences": ["X"]},
        "tools": [{"type": "function", "name": "track", "parameters": {"type": "object"}}, {"type": "google_search"},
            {"type": "mcp_server", "name": "files", "url": "https://h.example/?k=1", "headers": {"Authorization": "secret"}}],
        "input": [
            {"type": "user_input", "content": [{"type": "text", "text": "Where?"}, {"type": "image", "uri": "https://h.example/i.png?s=1"}]},
            {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "hm"}]},
            {"type": "function_call", "id": "f1", "name": "track", "arguments": {"order": 7}},
            {"type": "function_result", "call_id": "f1", "name": "track", "result": "there", "is_error": true}
        ]
    });
    let route = route("interactions");
    let Some(Call::Inference(op)) = call(&route, &sent, Options::new(true)) else { panic!() };
    let asked = &op.request;
    assert_eq!((op.operation.as_str(), op.provider.as_str()), ("generate_content", "gcp.gemini"));
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("gemini-9-flash"), true));
    assert_eq!(asked.previous_response_id.as_deref(), Some("v1_z"));
    assert_eq!((asked.temperature, asked.max_tokens), (Some(0.5), Some(9)));
    assert_eq!(
        (asked.reasoning_level.as_deref(), &asked.output_type),
        (Some("high"), &Some(OutputType::Json))
    );
    assert_eq!(told(&asked.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(
        told(&asked.input_messages),
        json!([
            {"role": "user", "parts": [{"type": "text", "content": "Where?"},
                {"type": "uri", "modality": "image", "uri": "https://h.example/i.png"}]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "f1", "name": "track", "arguments": {"order": 7}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "f1", "response": "there", "name": "track", "is_error": true}]},
        ])
    );
    assert_eq!(
        told(&asked.tool_definitions),
        json!([
            {"type": "function", "name": "track", "parameters": {"type": "object"}},
            {"type": "google_search", "name": "google_search"},
            {"type": "mcp_server", "name": "files"},
        ])
    );
    assert!(!format!("{op:?}").contains("secret"));
    let text = json!({"model": "m", "input": "Where?"});
    let Some(Call::Inference(plain)) = call(&route, &text, Options::new(true)) else { panic!() };
    assert_eq!(
        told(&plain.request.input_messages)[0]["parts"],
        json!([{"type": "text", "content": "Where?"}])
    );
    let turns = json!({"model": "m", "input": [{"role": "user", "content": "a"}, {"role": "model", "content": [
        {"type": "text", "text": "b"}]}, {"role": "user", "content": "c"}]});
    let Some(Call::Inference(turns)) = call(&route, &turns, Options::new(true)) else { panic!() };
    assert_eq!(turns.request.input_messages.len(), 3);

    let agent = json!({"agent": "deep-research-9", "background": true, "input": "Find out."});
    let Some(Call::InvokeAgent(agent)) = call(&route, &agent, Options::new(true)) else { panic!() };
    assert_eq!((agent.name.as_deref(), agent.remote), (Some("deep-research-9"), true));
}

#[test]
fn a_streamed_interaction() {
    let body = include_str!("streams/GeminiInteractions.sse");
    let (op, failure) =
        inference(answer(&route("interactions"), 200, "text/event-stream", body, Options::new(true)));
    assert_eq!(failure, None);
    assert_eq!(
        (op.response.id.as_deref(), op.response.model.as_deref()),
        (Some("v1_a"), Some("gemini-9-flash"))
    );
    assert_eq!(op.response.finish_reasons, ["tool_call"]);
    let said = json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
        {"type": "reasoning", "content": "Wo steht das?"},
        {"type": "server_tool_call", "id": "g1", "name": "google_search",
         "server_tool_call": {"type": "google_search", "arguments": {"queries": ["order 7"]}}},
        {"type": "server_tool_call_response", "id": "g1", "server_tool_call_response": {
            "type": "google_search", "result": [{"title": "Order", "url": "https://shop.example/o"}]}},
        {"type": "text", "content": "Grüße, 世界 🌍", "citations": [
            {"start_index": 0, "end_index": 3, "source": "https://shop.example/o"}]},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
        {"type": "tool_call", "id": "fc_1", "name": "track", "arguments": {"order": 7}}]}]);
    assert_eq!(told(&op.response.output_messages), said);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(20), Some(50)));
    assert_eq!((op.usage.cache_read_input_tokens, op.usage.reasoning_output_tokens), (Some(4), Some(30)));

    let whole = json!({"id": "v1_a", "model": "gemini-9-flash", "status": "requires_action",
        "usage": {"total_input_tokens": 12, "total_output_tokens": 20, "total_thought_tokens": 30,
            "total_cached_tokens": 4, "total_tool_use_tokens": 8, "total_tokens": 70,
            "input_tokens_by_modality": [{"modality": "text", "tokens": 12}]},
        "steps": [
            {"type": "user_input", "content": [{"type": "text", "text": "Where?"}]},
            {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "Wo steht das?"}]},
            {"type": "google_search_call", "id": "g1", "arguments": {"queries": ["order 7"]}},
            {"type": "google_search_result", "call_id": "g1", "result": [{"title": "Order", "url": "https://shop.example/o?token=t"}]},
            {"type": "model_output", "content": [
                {"type": "text", "text": "Grüße, 世界 🌍", "annotations": [
                    {"start_index": 0, "end_index": 3, "source": "https://shop.example/o?token=t"}]},
                {"type": "image", "mime_type": "image/png", "data": "QUJD"}]},
            {"type": "function_call", "id": "fc_1", "name": "track", "arguments": {"order": 7}}]});
    let (same, failure) = inference(answer(
        &route("interactions"),
        200,
        "application/json",
        &whole.to_string(),
        Options::new(true),
    ));
    assert_eq!((same, failure), (op, None));
}

#[test]
fn interactions_of_the_first_version() {
    let events = [
        json!({"event_type": "interaction.start", "interaction": {"id": "i", "model": "m", "status": "in_progress"}}),
        json!({"event_type": "content.start", "index": 0, "content": {"type": "text"}}),
        json!({"event_type": "content.delta", "index": 0, "delta": {"type": "text", "text": "a"}}),
        json!({"event_type": "content.delta", "index": 0, "delta": {"type": "text", "text": "b"}}),
        json!({"event_type": "content.delta", "index": 1, "delta": {"type": "function_call", "id": "f", "name": "g", "arguments": {"x": 1}}}),
        json!({"event_type": "content.stop", "index": 0}),
        json!({"event_type": "interaction.complete", "interaction": {"id": "i", "status": "completed",
            "outputs": [{"type": "text", "text": "ab"}], "usage": {"total_input_tokens": 1, "total_output_tokens": 2}}}),
    ];
    let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let (op, failure) =
        inference(answer(&route("interactions"), 200, "text/event-stream", &body, Options::new(true)));
    assert_eq!(failure, None);
    assert_eq!(
        told(&op.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "text", "content": "ab"}, {"type": "tool_call", "id": "f", "name": "g", "arguments": {"x": 1}}]}])
    );
}

#[test]
fn interactions_that_do_not_end_well() {
    let read = |route: &Route, body: Value| {
        inference(answer(route, 200, "application/json", &body.to_string(), Options::new(true)))
    };
    let create = route("interactions");
    let (op, failure) =
        read(&create, json!({"id": "i", "status": "failed", "error": {"code": "oops", "message": "m"}}));
    assert_eq!(
        (failure.unwrap().error_type, op.response.finish_reasons),
        ("oops".into(), vec!["error".to_owned()])
    );
    assert_eq!(read(&create, json!({"id": "i", "status": "failed"})).1.unwrap().error_type, "failed");
    let (op, failure) = read(&create, json!({"id": "i", "status": "cancelled"}));
    assert_eq!((failure, op.response.finish_reasons), (None, vec!["error".to_owned()]));
    let (op, failure) = read(&create, json!({"id": "i", "status": "in_progress"}));
    assert_eq!((failure, op.response.finish_reasons.len()), (None, 0), "it goes on in the background");
    let event = "event: error\ndata: {\"event_type\":\"error\",\"error\":{\"code\":\"deadline\",\"message\":\"m\"}}\n\n";
    let (_, failure) = answer(&create, 200, "text/event-stream", event, Options::new(true));
    assert_eq!(failure, Some(Failure::new("deadline").message("m")));

    let url = format!("{API}/v1beta/interactions/v1_a?stream=true&last_event_id=e7&key=secret");
    let fetch = detected(&Method::GET, &url).unwrap();
    let body = json!({"id": "v1_a", "model": "m", "status": "failed", "usage": {"total_input_tokens": 1},
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": "half"}]}]});
    let (fetched, failure) = answer(&fetch, 200, "application/json", &body.to_string(), Options::new(true));
    let Call::FetchResponse(op) = fetched else { panic!() };
    assert_eq!((op.response_id.as_str(), op.stream, op.stream_cursor.as_deref()), ("v1_a", true, Some("e7")));
    assert_eq!((op.status.unwrap().as_str(), op.finish_reasons), ("failed", vec!["error".to_owned()]));
    assert_eq!(told(&op.output_messages)[0]["parts"], json!([{"type": "text", "content": "half"}]));
    assert_eq!(failure, None, "the fetch itself is good");
}

/// What Google's own servers said.
#[test]
fn recorded_exchanges_are_read() {
    let hosts = [
        ("gemini", "generativelanguage.googleapis.com"),
        ("google-genai", ""),
        ("vertexai", ""),
        ("vertexai-loongsuite", ""),
    ];
    for (folder, host) in hosts {
        for exchange in common::exchanges(folder) {
            let path = exchange.url.split('?').next().unwrap_or_default();
            let is_call = path.contains(':') && path.contains("ontent") || path.ends_with("/interactions");
            match exchange.route(host) {
                Some(route) if is_call && !path.contains("cachedContents") => check(&exchange, &route),
                None if !is_call || path.contains("cachedContents") => {}
                route => panic!("{}: {route:?}", exchange.name),
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
    if exchange.status >= 400 {
        let error = &documents[0]["error"];
        let failure = played.failure.unwrap();
        assert_eq!(failure.error_type, error["status"].as_str().unwrap(), "{name}");
        assert_eq!(failure.message.as_deref(), error["message"].as_str(), "{name}");
        return;
    }
    assert_eq!(played.failure, None, "{name}");
    let (Call::Inference(op), Call::Inference(without)) = (&played.call, &bare.call) else {
        let Call::Embeddings(op) = &played.call else { panic!("{name}") };
        let values = documents[0]["embeddings"][0]["values"].as_array().unwrap();
        assert_eq!(op.dimension_count, i64::try_from(values.len()).ok(), "{name}");
        return;
    };
    assert_eq!(
        (without.usage, &without.response.finish_reasons),
        (op.usage, &op.response.finish_reasons),
        "{name}"
    );
    assert!(
        without.response.output_messages.is_empty() && without.request.input_messages.is_empty(),
        "{name}"
    );
    match route.protocol {
        Protocol::GeminiContent => check_content(exchange, op, &documents),
        _ => check_interaction(exchange, op, &documents),
    }
}

fn check_content(exchange: &Exchange, op: &Inference, documents: &[Value]) {
    let name = &exchange.name;
    let (sent, asked) = (&exchange.request, &op.request);
    let config = &sent["generationConfig"];
    assert!(exchange.url.contains(&format!("/{}:", asked.model.as_deref().unwrap())), "{name}");
    assert_eq!(asked.temperature, config["temperature"].as_f64(), "{name}");
    assert_eq!(asked.max_tokens, config["maxOutputTokens"].as_i64(), "{name}");
    assert_eq!(asked.stream, exchange.url.contains(":stream"), "{name}");
    let contents = sent["contents"].as_array().map_or(0, Vec::len);
    assert_eq!(asked.input_messages.len(), contents, "{name}");

    let last = documents.last().unwrap();
    assert_eq!(op.response.model.as_deref(), last["modelVersion"].as_str(), "{name}");
    assert_eq!(op.response.id.as_deref(), last["responseId"].as_str(), "{name}");
    let usage = &last["usageMetadata"];
    let count = |key: &str| usage[key].as_u64().unwrap_or(0);
    assert_eq!(
        op.usage.input_tokens.unwrap() + op.usage.output_tokens.unwrap(),
        usage["totalTokenCount"].as_u64().unwrap(),
        "{name}"
    );
    assert_eq!(
        op.usage.output_tokens.unwrap(),
        count("candidatesTokenCount") + count("thoughtsTokenCount"),
        "{name}"
    );
    assert_eq!(op.usage.reasoning_output_tokens, usage["thoughtsTokenCount"].as_u64(), "{name}");
    let reason = |document: &Value| match &document["candidates"][0]["finishReason"] {
        Value::String(reason) => Some(reason.clone()),
        // As clients made by Google's generators ask for.
        Value::Number(number) => {
            Some(["", "STOP", "MAX_TOKENS"][number.as_u64().unwrap() as usize].to_owned())
        }
        _ => None,
    };
    let reason = documents.iter().rev().find_map(reason).unwrap();
    assert_eq!(op.response.finish_reasons, [reason], "{name}");

    // What was answered: the same texts, thoughts and calls.
    let (mut texts, mut thoughts, mut calls) = (String::new(), String::new(), Vec::new());
    let parts = documents
        .iter()
        .flat_map(|document| document["candidates"][0]["content"]["parts"].as_array().into_iter().flatten());
    for part in parts {
        let text = part["text"].as_str().unwrap_or_default();
        if part["thought"] == true {
            thoughts.push_str(text);
        } else {
            texts.push_str(text);
        };
        if part["functionCall"].is_object() {
            calls.push(json!([part["functionCall"]["name"], part["functionCall"]["args"]]));
        }
    }
    let message = told(&op.response.output_messages)[0].clone();
    let said = |kind: &'static str| {
        message["parts"].as_array().into_iter().flatten().filter(move |part| part["type"] == kind).cloned()
    };
    let join = |kind| said(kind).map(|part| part["content"].as_str().unwrap().to_owned()).collect::<String>();
    assert_eq!((join("text"), join("reasoning")), (texts, thoughts), "{name}");
    let called: Vec<Value> = said("tool_call").map(|part| json!([part["name"], part["arguments"]])).collect();
    assert_eq!(called, calls, "{name}");
}

fn check_interaction(exchange: &Exchange, op: &Inference, documents: &[Value]) {
    let name = &exchange.name;
    let (sent, asked) = (&exchange.request, &op.request);
    assert_eq!(asked.model.as_deref(), sent["model"].as_str(), "{name}");
    assert_eq!(asked.previous_response_id.as_deref(), sent["previous_interaction_id"].as_str(), "{name}");
    assert!(!asked.input_messages.is_empty(), "{name}");
    let last = documents.last().unwrap();
    let last = if last["interaction"].is_object() { &last["interaction"] } else { last };
    assert_eq!(op.response.id.as_deref(), last["id"].as_str(), "{name}");
    assert_eq!(
        op.usage.input_tokens.unwrap() + op.usage.output_tokens.unwrap(),
        last["usage"]["total_tokens"].as_u64().unwrap(),
        "{name}"
    );
    let reason = if last["status"] == "completed" { "stop" } else { "tool_call" };
    assert_eq!(op.response.finish_reasons, [reason], "{name}");
    let parts = told(&op.response.output_messages)[0]["parts"].clone();
    let is_said = |part: &Value| part["type"] == if reason == "stop" { "text" } else { "tool_call" };
    assert!(parts.as_array().unwrap().iter().any(is_said), "{name}: {parts}");
}
