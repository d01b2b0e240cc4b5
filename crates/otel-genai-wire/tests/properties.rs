//! What holds for every input: how the bytes are cut does not matter, and nothing panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::path::Path;

use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai::{Failure, Server};
use otel_genai_wire::{Call, Options, Progress, Protocol, RequestReader, ResponseReader, Route, detect};
use proptest::prelude::*;

fn route(path: &str) -> Route {
    let url: Uri = format!("https://api.openai.com/v1/{path}").parse().unwrap();
    detect(&Method::POST, &url, &HeaderMap::new()).unwrap()
}

fn route_of(protocol: Protocol) -> Route {
    Route::new(protocol, "openai".into(), Server::new("model.example", 443))
}

/// A stream of some protocol.
#[derive(Clone, Debug)]
struct Stream {
    protocol: Protocol,
    content_type: String,
    request: Vec<u8>,
    body: Vec<u8>,
}

const REQUEST: &[u8] = br#"{"model":"m","stream":true}"#;

/// Streams with everything in them: the files of `tests/streams`, named `{protocol}.{what it is}.{framing}`, where what
/// it is may be missing. One that needs a request of its own has it beside, with `.request` after its name.
fn streams() -> Vec<Stream> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut streams: Vec<Stream> = paths
        .filter(|path| path.extension().unwrap() != "request")
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let (protocol, _) = name.split_once('.').unwrap();
            let protocol = Protocol::ALL.iter().find(|known| format!("{known:?}") == protocol).unwrap();
            let content_type = match path.extension().unwrap().to_str().unwrap() {
                "sse" => "text/event-stream",
                "ndjson" => "application/x-ndjson",
                "json" => "application/json",
                "eventstream" => "application/vnd.amazon.eventstream",
                other => panic!("what is {other}?"),
            };
            let request = fs::read(path.with_file_name(format!("{name}.request")));
            Stream {
                protocol: *protocol,
                content_type: content_type.to_owned(),
                request: request.unwrap_or_else(|_| REQUEST.to_vec()),
                body: fs::read(&path).unwrap(),
            }
        })
        .collect();
    streams.push(Stream {
        protocol: Protocol::OpenAiChat,
        content_type: "text/event-stream".to_owned(),
        request: REQUEST.to_vec(),
        body: rich_stream(),
    });
    streams
}

fn request(route: &Route, pieces: &[&[u8]], options: Options) -> Option<Call> {
    let mut reader = RequestReader::new(route, options);
    for piece in pieces {
        reader.push(piece);
    }
    reader.finish()
}

#[derive(Debug, PartialEq)]
struct Told {
    call: Call,
    failure: Option<Failure>,
    chunks: u32,
    ended: bool,
    skipped: u32,
    model: Option<String>,
    note: Option<String>,
}

fn response(
    route: &Route,
    status: u16,
    content_type: Option<&str>,
    pieces: &[&[u8]],
    options: Options,
) -> Told {
    let call = request(route, &[REQUEST], options).unwrap();
    response_to(call, route, status, content_type, pieces, options)
}

fn response_to(
    mut call: Call,
    route: &Route,
    status: u16,
    content_type: Option<&str>,
    pieces: &[&[u8]],
    options: Options,
) -> Told {
    let mut headers = HeaderMap::new();
    if let Some(content_type) = content_type {
        headers.insert("content-type", HeaderValue::from_str(content_type).unwrap());
    }
    let mut reader = ResponseReader::new(route, status, &headers, &call, options);
    let mut all = Progress::default();
    for piece in pieces {
        let progress = reader.push(piece);
        assert!(progress.ended || !all.ended, "what is over stays over");
        all.chunks += progress.chunks;
        all.ended = progress.ended;
    }
    let model = reader.model().map(str::to_owned);
    let failure = reader.finish(&mut call);
    let (skipped, note) = (reader.skipped(), reader.note());
    Told { call, failure, chunks: all.chunks, ended: all.ended, skipped, model, note }
}

/// A stream with everything in it: byte order mark, comments, all line ends, names, several lines of data, text in
/// many alphabets, reasoning, refusals, two choices, tool calls in pieces, a broken chunk, an unreadable emoji, usage.
fn rich_stream() -> Vec<u8> {
    let chunks = [
        ": OPENROUTER PROCESSING\r\n\r\n",
        "event: message\ndata: {\"id\":\"\",\"model\":\"\",\"choices\":[],\"prompt_filter_results\":[]}\n\n",
        "data: {\"id\":\"c1\",\"model\":\"m-1\",\"service_tier\":\"default\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n",
        "id: 4\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm \\u00e4 \"}},\ndata: {\"index\":1,\"delta\":{\"refusal\":\"Nein\"}}]}\n\n",
        "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Grüße, 世界 🌍 \\ud83c\\udf0d\\n\"}}]}\r\r",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\ud83c\"}}]}\n\n",
        "data: {not json\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\":\"}},{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\" 1}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\nretry: 10\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14}}\n\n",
        "data: [DONE]\n\ndata: {\"id\":\"late\"}\n\n",
    ];
    [b"\xef\xbb\xbf".as_slice(), chunks.concat().as_bytes()].concat()
}

const SSE: Option<&str> = Some("text/event-stream");

#[test]
fn a_rich_stream_is_read() {
    let told = response(&route("chat/completions"), 200, SSE, &[&rich_stream()], Options::new(true));
    let Call::Inference(chat) = &told.call else { panic!() };
    assert_eq!((told.chunks, told.ended, told.skipped), (10, true, 1));
    assert_eq!((told.failure, told.model.as_deref()), (None, Some("m-1")));
    assert_eq!(told.note.as_deref(), Some("one event of the stream could not be read and was left out"));
    assert_eq!(chat.response.finish_reasons, ["tool_calls", "error"]);
    assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(10), Some(4)));
    let messages = serde_json::to_value(&chat.response.output_messages).unwrap();
    assert_eq!(
        messages,
        serde_json::json!([
            {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "reasoning", "content": "hm ä "},
                {"type": "text", "content": "Grüße, 世界 🌍 🌍\n\u{fffd}"},
                {"type": "tool_call", "id": "a", "name": "f", "arguments": {"x": 1}},
                {"type": "tool_call", "id": "b", "name": "g", "arguments": {}},
            ]},
            {"role": "assistant", "finish_reason": "error", "parts": [{"type": "text", "content": "Nein"}]},
        ])
    );
}

#[test]
fn a_stream_cut_at_every_byte_is_the_same() {
    for Stream { protocol, content_type, request: sent, body: stream } in streams() {
        let route = route_of(protocol);
        for content in [true, false] {
            let options = Options::new(content);
            let call = request(&route, &[&sent], options).unwrap();
            let read = |pieces: &[&[u8]]| {
                response_to(call.clone(), &route, 200, Some(&content_type), pieces, options)
            };
            let whole = read(&[&stream]);
            assert!(whole.chunks > 0 && whole.failure.is_none(), "{protocol:?}: {whole:?}");
            for at in 0..=stream.len() {
                let (one, two) = stream.split_at(at);
                assert_eq!(read(&[one, two]), whole, "{protocol:?} cut at {at}");
            }
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(read(&bytes), whole, "{protocol:?} byte by byte");
        }
    }
}

#[test]
fn a_stream_that_stops_anywhere_keeps_what_came() {
    let (route, stream) = (route("chat/completions"), rich_stream());
    let mut text = 0;
    for end in 0..=stream.len() {
        let told = response(&route, 200, SSE, &[&stream[..end]], Options::new(true));
        let failure = told.failure.map(|failure| failure.error_type);
        let expected = if told.ended || stream[..end].windows(6).any(|word| word == b"[DONE]") {
            None
        } else {
            Some("truncated_response")
        };
        assert_eq!(failure.as_deref(), expected, "stopped at {end}");
        let Call::Inference(chat) = told.call else { panic!() };
        let now = serde_json::to_string(&chat.response.output_messages).unwrap().len();
        // Reasons and arguments change their form as they become complete, so not every byte makes it longer.
        assert!(now + 64 > text, "stopped at {end}");
        text = text.max(now);
    }
}

/// Cuts bytes at these places.
fn cut<'a>(bytes: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut start = 0;
    for place in places {
        pieces.push(&bytes[start..place]);
        start = place;
    }
    pieces.push(&bytes[start..]);
    pieces
}

/// Documents and streams of the right words in the wrong places, mere bytes, and real streams with a few bytes changed.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "data: ",
        "event: error\n",
        "\n",
        "\r",
        "\n\n",
        ":",
        "[DONE]",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "\\",
        "\\ud800",
        "\"id\":\"x\"",
        "\"model\":\"m\"",
        "\"choices\":",
        "\"index\":0",
        "\"index\":7",
        "\"delta\":",
        "\"message\":",
        "\"content\":\"hi\"",
        "\"content\":[{\"type\":\"text\",\"text\":\"t\"}]",
        "\"role\":\"tool\"",
        "\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]",
        "\"finish_reason\":\"stop\"",
        "\"usage\":{\"prompt_tokens\":1}",
        "\"usage\":",
        "null",
        "1e999",
        "-0.0",
        "18446744073709551616",
        "\"error\":{\"message\":\"m\",\"code\":\"c\"}",
        "\"error\":",
        "\"detail\":[{\"msg\":\"x\"}]",
        "\"messages\":",
        "\"tools\":",
        "\"data\":[{\"embedding\":",
        "\"image_url\":\"data:,%\"",
        "\"type\":\"message_start\"",
        "\"type\":\"content_block_start\"",
        "\"type\":\"content_block_delta\"",
        "\"type\":\"content_block_stop\"",
        "\"type\":\"message_delta\"",
        "\"type\":\"error\"",
        "\"content_block\":{\"type\":\"tool_use\",\"id\":\"a\"}",
        "\"delta\":{\"text\":\"t\",\"partial_json\":\"{\",\"stop_reason\":\"end_turn\"}",
        "\"content\":[{\"type\":\"tool_use\"}]",
        "\"stop\":[\"a\",1]",
        "\"type\":\"response.output_item.added\"",
        "\"type\":\"response.output_item.done\"",
        "\"type\":\"response.output_text.delta\"",
        "\"type\":\"response.reasoning_summary_text.delta\"",
        "\"type\":\"response.completed\"",
        "\"output_index\":0",
        "\"item\":{\"type\":\"function_call\",\"name\":\"f\",\"status\":\"incomplete\"}",
        "\"response\":{\"status\":\"failed\",\"output\":[{\"type\":\"message\"}]}",
        "\"output\":[{\"type\":\"compaction\"},7]",
        "\"delta\":\"d\"",
        "\"output\":{\"message\":{\"content\":[{\"text\":\"t\"},{\"toolUse\":{}},{\"x\":1}]}}",
        "\"contentBlockDelta\":{\"contentBlockIndex\":0,\"delta\":{\"text\":\"t\",\"toolUse\":{\"input\":\"{\"}}}",
        "\"bytes\":\"eyJvdXRwdXRUZXh0IjoiSGkifQ==\"",
        "\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":1}",
        "\"prompt\":\"p\"",
        "\"inputText\":\"p\"",
        "\"generation\":\"g\"",
        "\"outputs\":[{\"text\":\"o\",\"index\":70}]",
        "\"event_type\":\"tool-calls-chunk\"",
        "\"event_type\":\"stream-end\"",
        "\"type\":\"content-delta\"",
        "\"type\":\"message-end\"",
        "\"query\":\"{ Get { A(nearText:{concepts:[\\\"q\\\"]}) { t } } }\"",
        "\"query\":{\"knn\":{\"v\":{\"k\":3}}}",
        "\"documents\":[\"a\"]",
        "\"results\":[{\"index\":0,\"relevance_score\":0.5}]",
        "\"embeddings\":[[1,2],",
        "\"embeddings\":{\"float\":[[1,2]]}",
        "\"hits\":{\"hits\":[{\"_id\":1,\"_source\":{\"text\":\"t\"}}]}",
        "\"jsonrpc\":\"2.0\"",
        "\"method\":\"tools/call\"",
        "\"id\":7",
        "\"result\":{\"isError\":true,\"content\":[{\"text\":\"no\"}]}",
        "ä🌍",
        "\u{feff}",
    ]);
    prop_oneof![
        prop::collection::vec(word, 0..60).prop_map(|words| words.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..300),
        (
            prop::sample::select(streams()),
            prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12)
        )
            .prop_map(|(Stream { body: mut stream, .. }, changes)| {
                for (at, byte) in changes {
                    let at = at.index(stream.len());
                    stream[at] = byte;
                }
                stream
            }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_do_not_matter(
        body in body(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        content: bool,
        limit in prop_oneof![Just(0_usize), 1_usize..400, Just(Options::DEFAULT_LIMIT)],
        status in prop::sample::select(vec![101_u16, 200, 302, 400, 503]),
        content_type in prop::sample::select(vec![
            None,
            Some("application/json"),
            SSE,
            Some("text/html"),
            Some("application/x-ndjson"),
            Some("application/vnd.amazon.eventstream"),
        ]),
        protocol in prop::sample::select(Protocol::ALL),
    ) {
        let route = route_of(protocol);
        let options = Options::new(content).limit(limit);
        let pieces = cut(&body, &places);
        prop_assert_eq!(request(&route, &pieces, options), request(&route, &[&body], options));
        // Some protocols take only requests of their own.
        if let Some(call) = request(&route, &[REQUEST], options) {
            prop_assert_eq!(
                response_to(call.clone(), &route, status, content_type, &pieces, options),
                response_to(call, &route, status, content_type, &[&body], options)
            );
        }
    }

    #[test]
    fn settings_are_the_same_with_and_without_content(
        request_json in request_json(),
        limit in 0_usize..600,
        protocol in prop::sample::select(vec![
            Protocol::OpenAiChat,
            Protocol::AnthropicMessages,
            Protocol::OpenAiResponses,
        ]),
    ) {
        let route = route_of(protocol);
        let body = request_json.to_string();
        let settings = |options| {
            let Some(Call::Inference(mut chat)) = request(&route, &[body.as_bytes()], options) else { panic!() };
            chat.request.input_messages.clear();
            chat.request.system_instructions.clear();
            chat.request.tool_definitions.clear();
            // Whether a summary stands in the history is known only to who reads it.
            chat.response.conversation_compacted = false;
            chat
        };
        let without = settings(Options::new(false));
        prop_assert_eq!(&settings(Options::new(true)), &without);
        prop_assert_eq!(&settings(Options::new(true).limit(limit)), &without);
        prop_assert_eq!(without.request.model.as_deref(), request_json["model"].as_str().filter(|model| !model.is_empty()));
        prop_assert_eq!(without.request.temperature, request_json["temperature"].as_f64());
        if protocol == Protocol::OpenAiChat {
            prop_assert_eq!(without.request.seed, request_json["seed"].as_i64());
        }
        prop_assert_eq!(without.request.stream, request_json["stream"] == true);
    }
}

/// A request of which any field may be of any type, in any order.
fn request_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        (-100_000_i32..100_000).prop_map(|hundredths| (f64::from(hundredths) / 100.0).into()),
        "[a-zäß\\\\\"\n🌍{}\\[\\],:]{0,12}".prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::hash_map("[a-z\"\\\\]{0,6}", inner, 0..4)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    });
    let field = prop::sample::select(vec![
        "model",
        "temperature",
        "seed",
        "stream",
        "stop",
        "n",
        "messages",
        "tools",
        "max_tokens",
        "response_format",
        "reasoning_effort",
        "modalities",
        "service_tier",
        "system",
        "stop_sequences",
        "output_config",
        "input",
        "instructions",
        "text",
        "reasoning",
        "prompt",
        "conversation",
        "previous_response_id",
        "other",
    ]);
    prop::collection::hash_map(field, value, 0..12).prop_map(|fields| {
        serde_json::Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}
