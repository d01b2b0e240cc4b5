//! Cohere's chat and embeddings, and rerank: what was read is what the bodies say.
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
use otel_genai::{Embeddings, Failure, Inference, Part, Rerank};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

const V1: &str = "https://api.cohere.com/v1/chat";
const V2: &str = "https://api.cohere.com/v2/chat";
const RERANK: &str = "https://api.cohere.com/v2/rerank";

fn route(url: &str) -> Route {
    detect(&Method::POST, &url.parse::<Uri>().unwrap(), &HeaderMap::new()).unwrap_or_else(|| panic!("{url}"))
}

fn call(url: &str, json: &Value, options: Options) -> Option<Call> {
    let mut reader = RequestReader::new(&route(url), options);
    reader.push(json.to_string().as_bytes());
    reader.finish()
}

fn request(url: &str, json: &Value, options: Options) -> Inference {
    let Some(Call::Inference(chat)) = call(url, json, options) else { panic!("{url}: {json}") };
    *chat
}

fn reader(url: &str, content_type: &str, call: &Call, body: &[u8]) -> ResponseReader {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(content_type).unwrap());
    let mut reader = ResponseReader::new(&route(url), 200, &headers, call, Options::new(true));
    reader.push(body);
    reader
}

fn answer(url: &str, content_type: &str, body: &[u8]) -> (Inference, Option<Failure>) {
    let mut chat = Inference::new("chat", "cohere");
    chat.request.stream = content_type != "application/json";
    let failure = reader(url, content_type, &chat.clone().into(), body).finish(&mut chat);
    (chat, failure)
}

fn whole(url: &str, json: &Value) -> Inference {
    let (chat, failure) = answer(url, "application/json", json.to_string().as_bytes());
    assert_eq!(failure, None);
    chat
}

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// A stream of `tests/streams`.
fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams").join(name)).unwrap()
}

#[test]
fn paths() {
    for (url, protocol, provider) in [
        (V1, Protocol::CohereChatV1, "cohere"),
        (V2, Protocol::CohereChat, "cohere"),
        ("https://api.cohere.ai/v1/embed", Protocol::CohereEmbed, "cohere"),
        ("https://api.cohere.com/v2/embed", Protocol::CohereEmbed, "cohere"),
        ("https://api.cohere.com/v1/rerank", Protocol::Rerank, "cohere"),
        (RERANK, Protocol::Rerank, "cohere"),
        ("https://api.jina.ai/v1/rerank", Protocol::Rerank, "jina"),
        ("https://api.voyageai.com/v1/rerank", Protocol::Rerank, "voyageai"),
        ("https://api.jina.ai/v1/embeddings", Protocol::OpenAiEmbeddings, "jina"),
        ("https://api.voyageai.com/v1/embeddings", Protocol::OpenAiEmbeddings, "voyageai"),
        ("http://127.0.0.1:8000/rerank", Protocol::Rerank, "cohere"),
        ("http://127.0.0.1:8000/cohere/v2/chat", Protocol::CohereChat, "cohere"),
    ] {
        let route = route(url);
        assert_eq!((route.protocol, route.provider.as_str()), (protocol, provider), "{url}");
    }
    for body in [json!({}), json!({"model": "m", "query": "q"}), json!({"model": "m", "documents": []})] {
        assert!(call(RERANK, &body, Options::new(true)).is_none(), "{body}");
        assert!(call(RERANK, &body, Options::new(false)).is_none(), "{body}");
    }
    let unknown = "https://chat.example/v1/chat";
    assert!(call(unknown, &json!({"text": "hi"}), Options::new(true)).is_none(), "somebody else's");
    assert!(call(unknown, &json!({"model": "m", "message": "hi"}), Options::new(false)).is_some());
}

#[test]
fn a_request() {
    let sent = json!({
        "model": "command-a", "stream": true, "temperature": 0.3, "p": 0.9, "k": 40, "max_tokens": 100, "seed": 7,
        "stop_sequences": ["END"], "frequency_penalty": 0.1, "presence_penalty": 0.2,
        "response_format": {"type": "json_object"}, "safety_mode": "CONTEXTUAL",
        "tools": [{"type": "function", "function": {"name": "track", "description": "Finds.", "parameters": {"type": "object"}}}, null],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                {"type": "brand_new", "at": "https://h.example/?key=1"}, null
            ]},
            {"role": "assistant", "tool_plan": "I will look.", "content": [{"type": "thinking", "thinking": "hm"}],
             "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "track", "arguments": "{\"id\": 17}"}}, {}]},
            {"role": "tool", "tool_call_id": "t1", "content": [{"type": "document", "document": {"data": "late"}}]},
            {"role": "tool", "tool_call_id": "t2", "content": "plain"},
            {"role": "user"}, null
        ]
    });
    let chat = request(V2, &sent, Options::new(true));
    let asked = &chat.request;
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("command-a"), true));
    assert_eq!(
        (asked.temperature, asked.top_p, asked.top_k, asked.max_tokens, asked.seed),
        (Some(0.3), Some(0.9), Some(40), Some(100), Some(7))
    );
    assert_eq!((asked.frequency_penalty, asked.presence_penalty), (Some(0.1), Some(0.2)));
    assert_eq!(asked.stop_sequences, ["END"]);
    assert_eq!(asked.output_type, Some(otel_genai::OutputType::Json));
    assert_eq!(
        told(&asked.input_messages),
        json!([
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [
                {"type": "text", "content": "What is this?"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
                {"type": "brand_new", "at": "https://h.example/"},
            ]},
            {"role": "assistant", "parts": [
                {"type": "reasoning", "content": "I will look."},
                {"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "t1", "name": "track", "arguments": {"id": 17}},
            ]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": [{"data": "late"}]}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t2", "response": "plain"}]},
        ])
    );
    assert_eq!(
        told(&asked.tool_definitions),
        json!([{"type": "function", "name": "track", "description": "Finds.", "parameters": {"type": "object"}}])
    );
    let mut without = request(V2, &sent, Options::new(false));
    assert!(without.request.input_messages.is_empty());
    without.request.input_messages.clone_from(&asked.input_messages);
    without.request.tool_definitions.clone_from(&asked.tool_definitions);
    assert_eq!(without, chat, "the settings are the same");
}

#[test]
fn a_request_of_the_first_version() {
    let sent = json!({
        "model": "command-r", "stream": true, "conversation_id": "conv-1", "temperature": 0.3, "k": 5, "p": 0.5,
        "preamble": "Be brief.", "message": "And now?",
        "chat_history": [
            {"role": "USER", "message": "Hi"},
            {"role": "CHATBOT", "message": "Hello", "tool_calls": [{"name": "track", "parameters": {"id": 17}}]},
            {"role": "SYSTEM", "message": "In French."}, null, {"role": "USER"}
        ],
        "tool_results": [{"call": {"name": "track", "parameters": {"id": 17}}, "outputs": [{"state": "late"}]}],
        "tools": [{"name": "track", "description": "Finds.", "parameter_definitions": {"id": {"type": "int"}}}]
    });
    let chat = request(V1, &sent, Options::new(true));
    let asked = &chat.request;
    assert_eq!(chat.conversation_id.as_deref(), Some("conv-1"));
    assert_eq!(
        (asked.temperature, asked.top_p, asked.top_k, asked.stream),
        (Some(0.3), Some(0.5), Some(5), true)
    );
    assert_eq!(told(&asked.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(
        told(&asked.input_messages),
        json!([
            {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
            {"role": "assistant", "parts": [
                {"type": "text", "content": "Hello"},
                {"type": "tool_call", "name": "track", "arguments": {"id": 17}},
            ]},
            {"role": "system", "parts": [{"type": "text", "content": "In French."}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "response": [{"state": "late"}], "name": "track"}]},
            {"role": "user", "parts": [{"type": "text", "content": "And now?"}]},
        ])
    );
    let tool = &told(&asked.tool_definitions)[0];
    assert_eq!(tool["parameters"], json!({"type": "object", "properties": {"id": {"type": "int"}}}));
    let brief = request(V1, &sent, Options::new(false));
    assert_eq!(brief.request.model.as_deref(), Some("command-r"));
    assert!(brief.request.input_messages.is_empty());
}

#[test]
fn streams() {
    let (chat, failure) = answer(V2, "text/event-stream", &recorded("CohereChat.sse"));
    assert_eq!((failure, chat.response.id.as_deref()), (None, Some("c1")));
    assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(40), Some(12)));
    assert_eq!(chat.usage.cache_read_input_tokens, Some(16));
    assert_eq!(
        told(&chat.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "reasoning", "content": "Late again. ä"},
            {"type": "text", "content": "Your order is on its way. 🌍", "citations": [
                {"start": 0, "end": 10, "text": "Your order", "sources": [{"type": "document", "id": "d1"}]}]},
            {"type": "reasoning", "content": "I will look it up."},
            {"type": "tool_call", "id": "t1", "name": "track", "arguments": {"id": 17}},
        ]}])
    );
    for (file, content_type) in [
        ("CohereChatV1.ndjson", "application/stream+json"),
        ("CohereChatV1.ndjson", "text/plain"),
        ("CohereChatV1.events.sse", "text/event-stream"),
    ] {
        let (chat, failure) = answer(V1, content_type, &recorded(file));
        assert_eq!((failure, chat.response.id.as_deref()), (None, Some("g1")), "{file}");
        assert_eq!(chat.usage, otel_genai::Usage::new(8, 5), "{file}");
        assert_eq!(chat.response.finish_reasons, ["COMPLETE"], "{file}");
        assert_eq!(
            told(&chat.response.output_messages),
            json!([{"role": "assistant", "finish_reason": "stop", "parts": [
                {"type": "reasoning", "content": "I will look."},
                {"type": "text", "content": "Your order is late. ä🌍",
                 "citations": [{"start": 0, "end": 4, "text": "Your", "document_ids": ["d1"]}]},
                {"type": "tool_call", "name": "track", "arguments": {"id": 17}},
            ]}]),
            "{file}"
        );
    }
}

#[test]
fn streams_that_break() {
    let body = recorded("CohereChat.sse");
    let half = &body[..body.len() / 2];
    let (chat, failure) = answer(V2, "text/event-stream", half);
    assert_eq!(failure.unwrap().error_type, "truncated_response");
    assert_eq!(chat.response.finish_reasons, ["error"]);
    let failed = b"event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"broken\"}}\n\n";
    let (chat, failure) = answer(V2, "text/event-stream", failed);
    assert_eq!(failure, Some(Failure::new("ERROR").message("broken")));
    assert_eq!(chat.response.finish_reasons, ["ERROR"]);
    let (_, failure) = answer(V1, "application/stream+json", b"{\"message\":\"too many requests\"}\n");
    assert_eq!(failure, Some(Failure::new(Failure::OTHER).message("too many requests")));
}

#[test]
fn whole_answers() {
    let chat = whole(
        V2,
        &json!({"id": "c1", "finish_reason": "MAX_TOKENS", "usage": {"billed_units": {"input_tokens": 3, "output_tokens": 4}},
            "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi"}],
                "citations": [{"start": 0, "sources": [{"url": "https://h.example/?key=1"}]}]}}),
    );
    assert_eq!(
        (chat.usage, chat.response.finish_reasons),
        (otel_genai::Usage::new(3, 4), vec!["MAX_TOKENS".into()])
    );
    assert_eq!(
        told(&chat.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "length", "parts": [
            {"type": "text", "content": "Hi", "citations": [{"start": 0, "sources": [{"url": "https://h.example/"}]}]}]}])
    );
    let chat = whole(
        V1,
        &json!({"generation_id": "g1", "text": "Hi", "finish_reason": "COMPLETE", "chat_history": [],
            "tool_calls": [{"name": "track", "parameters": {}}], "meta": {"tokens": {"input_tokens": 3, "output_tokens": 4}}}),
    );
    assert_eq!(chat.usage, otel_genai::Usage::new(3, 4));
    assert_eq!(
        told(&chat.response.output_messages)[0]["parts"],
        json!([{"type": "text", "content": "Hi"}, {"type": "tool_call", "name": "track", "arguments": {}}])
    );
    for url in [V1, V2] {
        let (_, failure) = answer(url, "application/json", b"{}");
        assert_eq!(failure.unwrap().error_type, "malformed_response", "{url}");
        let (_, failure) = answer(url, "application/json", br#"{"message":"sorry"}"#);
        assert_eq!(failure.unwrap().message.as_deref(), Some("sorry"), "{url}");
    }
}

#[test]
fn rerank() {
    let sent = json!({"model": "rerank-v4", "query": "late orders", "top_n": 2, "return_documents": true,
        "max_tokens_per_doc": 512, "documents": ["a", {"text": "b", "url": "https://h.example/?key=1"}, "c"]});
    for content in [true, false] {
        let Some(Call::Rerank(op)) = call(RERANK, &sent, Options::new(content)) else { panic!() };
        assert_eq!(
            (op.model.as_deref(), op.top_k, op.documents_count),
            (Some("rerank-v4"), Some(2), Some(3))
        );
        assert_eq!((op.return_documents, op.max_length), (Some(true), Some(512)));
        assert_eq!(op.query.as_deref(), content.then_some("late orders"));
        let documents = json!(["a", {"text": "b", "url": "https://h.example/"}, "c"]);
        assert_eq!(Value::from(op.input_documents), if content { documents } else { json!([]) });
    }
    for (body, documents) in [
        (
            json!({"id": "r1", "results": [{"index": 2, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}], "meta": {}}),
            json!([{"index": 2, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]),
        ),
        (
            json!({"model": "jina", "results": [{"index": 1, "relevance_score": 0.5, "document": {"text": "b"}}, null]}),
            json!([{"index": 1, "relevance_score": 0.5, "document": {"text": "b"}}]),
        ),
        (
            json!({"object": "list", "data": [{"index": 1, "relevance_score": 0.5, "document": "b"}], "usage": {"total_tokens": 9}}),
            json!([{"index": 1, "relevance_score": 0.5, "document": "b"}]),
        ),
        (
            json!([{"index": 1, "score": 0.5, "text": "b"}, {"index": 0, "score": 0.25}]),
            json!([{"index": 1, "relevance_score": 0.5, "document": "b"}, {"index": 0, "relevance_score": 0.25}]),
        ),
        (json!({"results": []}), json!([])),
        (json!([]), json!([])),
    ] {
        let mut op = Rerank::default();
        let call = op.clone().into();
        let failure = reader(RERANK, "application/json", &call, body.to_string().as_bytes()).finish(&mut op);
        assert_eq!(failure, None, "{body}");
        assert_eq!(Value::from(op.output_documents), documents, "{body}");
    }
    let mut op = Rerank::default();
    let call = op.clone().into();
    let failure = reader(RERANK, "application/json", &call, b"{}").finish(&mut op);
    assert_eq!(failure.unwrap().error_type, "malformed_response");
}

#[test]
fn embeddings() {
    let url = "https://api.cohere.com/v2/embed";
    let sent = json!({"model": "embed-v4.0", "texts": ["a"], "input_type": "search_query",
        "embedding_types": ["float", "int8"], "output_dimension": 512});
    let Some(Call::Embeddings(op)) = call(url, &sent, Options::new(true)) else { panic!() };
    assert_eq!((op.model.as_deref(), op.dimension_count), (Some("embed-v4.0"), Some(512)));
    assert_eq!(op.encoding_formats, ["float", "int8"]);
    for (body, dimensions) in [
        (json!({"id": "e1", "embeddings": [[1, 2, 3]], "meta": {"billed_units": {"input_tokens": 5}}}), 3),
        (
            json!({"id": "e1", "embeddings": {"int8": [[1, 2, 3, 4]], "float": [[1, 2, 3, 4]]}, "meta": {"billed_units": {"input_tokens": 5}}}),
            4,
        ),
        (
            json!({"id": "e1", "embeddings": {"base64": ["AAAAAAAAAAA="]}, "meta": {"tokens": {"input_tokens": 5}}}),
            2,
        ),
        (
            json!({"id": "e1", "embeddings": {"float": null, "binary": [[1]]}, "meta": {"tokens": {"input_tokens": 5}}}),
            8,
        ),
    ] {
        let mut op = Embeddings::new("cohere");
        let call = op.clone().into();
        let failure = reader(url, "application/json", &call, body.to_string().as_bytes()).finish(&mut op);
        assert_eq!(failure, None, "{body}");
        assert_eq!((op.dimension_count, op.input_tokens), (Some(dimensions), Some(5)), "{body}");
        assert_eq!(op.response_id.as_deref(), Some("e1"));
    }
}

#[test]
fn recorded_exchanges_say_what_their_bodies_say() {
    let exchanges = common::exchanges("cohere");
    exchanges.iter().for_each(check);
    let reranks =
        common::exchanges("llamacpp").into_iter().filter(|exchange| exchange.url.ends_with("/rerank"));
    let reranks = reranks.map(|exchange| check_rerank(&exchange)).count();
    println!("{} exchanges were read, and {reranks} of llama.cpp", exchanges.len());
}

fn check_rerank(exchange: &Exchange) {
    let route = exchange.route("127.0.0.1:8080").unwrap();
    let played = exchange.play_all_ways(&route, Options::new(true)).unwrap();
    let Call::Rerank(op) = played.call else { panic!() };
    let documents = exchange.request["documents"].as_array().map(|documents| documents.len() as i64);
    assert_eq!((op.documents_count, op.top_k), (documents, exchange.request["top_n"].as_i64()));
    if exchange.status < 400 {
        assert_eq!(played.failure, None, "{}", exchange.name);
        let body: Value = serde_json::from_slice(&exchange.body).unwrap();
        let scores =
            |list: &[Value]| list.iter().map(|item| item["relevance_score"].as_f64()).collect::<Vec<_>>();
        assert_eq!(
            scores(&op.output_documents),
            scores(body["results"].as_array().unwrap()),
            "{}",
            exchange.name
        );
    }
}

fn check(exchange: &Exchange) {
    let name = &exchange.name;
    let route = exchange.route("api.cohere.com").unwrap_or_else(|| panic!("{name}: {}", exchange.url));
    let played = exchange.play_all_ways(&route, Options::new(true)).unwrap();
    assert_eq!((played.skipped, &played.note), (0, &None), "{name}");
    assert_eq!(played.call.request_model(), exchange.request["model"].as_str(), "{name}");
    if exchange.status >= 400 {
        let failure = played.failure.unwrap();
        assert_eq!(failure.error_type, exchange.status.to_string(), "{name}");
        assert!(failure.message.is_some_and(|message| message.contains("not found")), "{name}");
        return;
    }
    assert_eq!(played.failure, None, "{name}");
    let documents = exchange.documents();
    match &played.call {
        Call::Embeddings(op) => {
            let body = &documents[0];
            let vector = body["embeddings"][0].as_array().or(body["embeddings"]["float"][0].as_array());
            assert_eq!(op.dimension_count, vector.map(|vector| vector.len() as i64), "{name}");
            assert_eq!(op.response_id.as_deref(), body["id"].as_str(), "{name}");
        }
        Call::Inference(chat) => {
            let sent = exchange.request["messages"].as_array().map_or(0, Vec::len);
            assert_eq!(chat.request.input_messages.len(), sent, "{name}");
            let last = documents.iter().find(|document| {
                document["finish_reason"].is_string() || document["delta"]["finish_reason"].is_string()
            });
            let last =
                last.map(|last| if last["delta"].is_object() { &last["delta"] } else { last }).unwrap();
            assert_eq!(chat.response.finish_reasons, [last["finish_reason"].as_str().unwrap()], "{name}");
            let billed = &last["usage"]["billed_units"];
            assert_eq!(chat.usage.input_tokens, billed["input_tokens"].as_u64(), "{name}");
            assert_eq!(chat.usage.output_tokens, billed["output_tokens"].as_u64(), "{name}");
            assert!(chat.usage.cache_read_input_tokens <= chat.usage.input_tokens, "{name}");
            assert_eq!(
                chat.response.id.as_deref(),
                documents.iter().find_map(|document| document["id"].as_str())
            );
            let parts = &chat.response.output_messages[0].parts;
            let calls = parts.iter().filter(|part| matches!(part, Part::ToolCall(_))).count();
            assert_eq!(calls > 0, last["finish_reason"] == "TOOL_CALL", "{name}");
            assert!(!parts.is_empty(), "{name}");
            let without = exchange.play_all_ways(&route, Options::new(false)).unwrap();
            let Call::Inference(brief) = without.call else { panic!() };
            assert_eq!(brief.response.finish_reasons, chat.response.finish_reasons, "{name}");
            assert_eq!((brief.usage, &brief.response.id), (chat.usage, &chat.response.id), "{name}");
        }
        other => panic!("{name}: {other:?}"),
    }
}
