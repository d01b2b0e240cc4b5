//! What each layer adds to a call: the client with it and without it, in turns, against one loopback server.
//!
//! `cargo bench -p otel-genai-http --features _clients --bench layers`
//!
//! The server answers in two ways. *At once*, where nothing but the layer can cost: the worst case, and one that no model
//! gives. *As a model does*: the first byte after 20 ms, and a stream's chunks a millisecond apart. Everything is told,
//! with and without content, to providers that export nothing.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may stop by panicking"
)]

use std::future::Future;
use std::hint::black_box;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use async_openai::Client as OpenAi;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::rt::TokioExecutor;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use otel_genai::{Capture, GenAi};
use otel_genai_http::reqwest::RequestBuilderExt as _;
use otel_genai_http::reqwest_middleware::GenAiMiddleware;
use otel_genai_http::tower::GenAiLayer;
use otel_genai_http::{Observer, Options, async_openai as one_line};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::{ServiceBuilder, ServiceExt as _};

const REQUEST: &str =
    r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Where is my order, please?"}]}"#;
const STREAMED: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Where is my order, please?"}]}"#;
const CHUNKS: usize = 100;

/// How the server answers.
#[derive(Clone, Copy, PartialEq)]
enum Pace {
    AtOnce,
    AsAModel,
}

/// A call, streamed or not, with its answer read to the end.
type Call = Box<dyn Fn(bool) -> Pin<Box<dyn Future<Output = ()>>>>;

/// A client in three ways: as it is, told, told with content.
struct Subject {
    name: &'static str,
    ways: [Call; 3],
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    println!("| client | answer | pace | without, p50 µs | told | with content |\n|---|---|---|---|---|---|");
    for pace in [Pace::AtOnce, Pace::AsAModel] {
        let address = serve(pace);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for subject in runtime.block_on(async { subjects(address) }) {
            for streamed in [false, true] {
                let rounds = match (pace, streamed) {
                    (Pace::AtOnce, false) => 4_000,
                    (Pace::AtOnce, true) => 1_500,
                    (Pace::AsAModel, false) => 150,
                    (Pace::AsAModel, true) => 50,
                };
                let rounds = if quick { rounds / 10 } else { rounds };
                let [without, told, content] = runtime.block_on(measure(&subject, streamed, rounds));
                let added = |with: f64| {
                    format!("{:+.1} % ({:+.1} µs)", (with / without - 1.0) * 100.0, with - without)
                };
                println!(
                    "| {} | {} | {} | {without:.1} | {} | {} |",
                    subject.name,
                    if streamed { "stream of 100 chunks" } else { "whole" },
                    if pace == Pace::AtOnce { "at once" } else { "as a model" },
                    added(told),
                    added(content)
                );
            }
        }
    }
}

/// The median of each way, in microseconds. Each round has a call of each, in an order that turns.
async fn measure(subject: &Subject, streamed: bool, rounds: usize) -> [f64; 3] {
    let mut times: [Vec<Duration>; 3] = Default::default();
    for way in &subject.ways {
        for _ in 0..rounds.min(20) {
            way(streamed).await;
        }
    }
    for round in 0..rounds {
        for turn in 0..3 {
            let way = (round + turn) % 3;
            let start = Instant::now();
            subject.ways[way](streamed).await;
            times[way].push(start.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6
    })
}

fn subjects(address: SocketAddr) -> Vec<Subject> {
    let observers = || [observer(Capture::NoContent), observer(Capture::SpanAndEvent)];
    vec![
        reqwest(address, observers()),
        middleware(address, observers()),
        tower(address, observers()),
        openai(address, observers()),
    ]
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/v1/chat/completions")
}

fn body(streamed: bool) -> &'static str {
    if streamed { STREAMED } else { REQUEST }
}

/// Reads the answer as it comes.
async fn read(response: reqwest::Response) {
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        black_box(chunk.expect("a chunk"));
    }
}

fn reqwest(address: SocketAddr, [told, content]: [Observer; 2]) -> Subject {
    let client = reqwest::Client::new();
    let plain = client.clone();
    let without: Call = Box::new(move |streamed| {
        let request = plain.post(url(address)).body(body(streamed));
        Box::pin(async move { read(request.send().await.expect("an answer")).await })
    });
    let of = |observer: Observer| -> Call {
        let client = client.clone();
        Box::new(move |streamed| {
            let (request, observer) = (client.post(url(address)).body(body(streamed)), observer.clone());
            Box::pin(async move { read(request.send_genai_with(&observer).await.expect("an answer")).await })
        })
    };
    Subject { name: "reqwest", ways: [without, of(told), of(content)] }
}

fn middleware(address: SocketAddr, [told, content]: [Observer; 2]) -> Subject {
    let of = |observer: Option<Observer>| -> Call {
        let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new());
        let client = match observer {
            Some(observer) => client.with(GenAiMiddleware::with(observer)).build(),
            None => client.build(),
        };
        Box::new(move |streamed| {
            let request = client.post(url(address)).body(body(streamed));
            Box::pin(async move { read(request.send().await.expect("an answer")).await })
        })
    };
    Subject { name: "reqwest-middleware", ways: [of(None), of(Some(told)), of(Some(content))] }
}

fn tower(address: SocketAddr, [told, content]: [Observer; 2]) -> Subject {
    let request = move |streamed| {
        Request::post(url(address)).body(Full::new(Bytes::from(body(streamed)))).expect("a request")
    };
    let plain: Hyper<_, Full<Bytes>> = Hyper::builder(TokioExecutor::new()).build_http();
    let without: Call = Box::new(move |streamed| {
        let (client, request) = (plain.clone(), request(streamed));
        Box::pin(async move {
            let mut answer = client.request(request).await.expect("an answer").into_body();
            while let Some(frame) = answer.frame().await {
                black_box(frame.expect("a frame"));
            }
        })
    });
    let of = |observer: Observer| -> Call {
        let client = Hyper::builder(TokioExecutor::new()).build_http();
        let client = ServiceBuilder::new().layer(GenAiLayer::with(observer)).service(client);
        Box::new(move |streamed| {
            let (client, request) = (client.clone(), request(streamed));
            Box::pin(async move {
                let mut answer = client.oneshot(request).await.expect("an answer").into_body();
                while let Some(frame) = answer.frame().await {
                    black_box(frame.expect("a frame"));
                }
            })
        })
    };
    Subject { name: "tower over hyper", ways: [without, of(told), of(content)] }
}

fn openai(address: SocketAddr, [told, content]: [Observer; 2]) -> Subject {
    let of = |observer: Option<Observer>| -> Call {
        let config = OpenAIConfig::new().with_api_base(format!("http://{address}/v1")).with_api_key("none");
        let client = OpenAi::with_config(config);
        let client = match observer {
            Some(observer) => one_line::instrument_with(client, observer),
            None => client,
        };
        Box::new(move |streamed| {
            let client = client.clone();
            Box::pin(async move {
                if streamed {
                    let mut chunks = client.chat().create_stream(question()).await.expect("a stream");
                    while let Some(chunk) = chunks.next().await {
                        black_box(chunk.expect("a chunk"));
                    }
                } else {
                    black_box(client.chat().create(question()).await.expect("an answer"));
                }
            })
        })
    };
    Subject { name: "async-openai", ways: [of(None), of(Some(told)), of(Some(content))] }
}

fn question() -> CreateChatCompletionRequest {
    let message =
        ChatCompletionRequestUserMessageArgs::default().content("Where is my order, please?").build();
    CreateChatCompletionRequestArgs::default()
        .model("gpt-4o-mini")
        .messages([message.expect("a message").into()])
        .build()
        .expect("a request")
}

/// Takes what is told and does nothing with it.
#[derive(Debug)]
struct Nowhere;

impl SpanProcessor for Nowhere {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}
    fn on_end(&self, span: SpanData) {
        black_box(span);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for Nowhere {
    fn emit(&self, record: &mut SdkLogRecord, _: &opentelemetry::InstrumentationScope) {
        black_box(record);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

fn observer(capture: Capture) -> Observer {
    let meters = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(InMemoryMetricExporter::default()).build())
        .build();
    let genai = GenAi::builder()
        .tracer_provider(&SdkTracerProvider::builder().with_span_processor(Nowhere).build())
        .logger_provider(&SdkLoggerProvider::builder().with_log_processor(Nowhere).build())
        .meter_provider(&meters)
        .capture(capture)
        .build();
    Observer::new(genai, Options::default()).expect("a thread")
}

/// A server on a thread of its own, that reads no more of a request than where it ends.
fn serve(pace: Pace) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a socket");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            loop {
                let (client, _) = listener.accept().await.expect("a client");
                let _ = client.set_nodelay(true);
                tokio::spawn(answer(client, pace));
            }
        });
    });
    address
}

async fn answer(mut client: TcpStream, pace: Pace) -> Option<()> {
    let (whole, pieces) = (whole(), pieces());
    let at_once = pieces.concat();
    let mut asked = Vec::new();
    loop {
        let (head, length) = loop {
            if let Some(end) = find(&asked, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&asked[..end]).to_ascii_lowercase();
                let body =
                    head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse::<usize>().ok()?;
                if asked.len() >= end + 4 + body {
                    break (end, end + 4 + body);
                }
            }
            if client.read_buf(&mut asked).await.ok()? == 0 {
                return None;
            }
        };
        let streamed = find(&asked[head..length], b"\"stream\":true").is_some();
        asked.drain(..length);
        if pace == Pace::AsAModel {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if !streamed {
            client.write_all(whole.as_bytes()).await.ok()?;
        } else if pace == Pace::AtOnce {
            client.write_all(at_once.as_bytes()).await.ok()?;
        } else {
            for piece in &pieces {
                client.write_all(piece.as_bytes()).await.ok()?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

fn find(all: &[u8], wanted: &[u8]) -> Option<usize> {
    all.windows(wanted.len()).position(|window| window == wanted)
}

fn whole() -> String {
    let text = "Your order left Hamburg this morning and is expected tomorrow. ".repeat(10);
    let body = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":15,"completion_tokens":120,"total_tokens":135}}}}"#
    );
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The head, each event as a chunk, and the end.
fn pieces() -> Vec<String> {
    let event = |delta: &str, reason: &str| {
        let data = format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{reason}}}]}}\n\n"
        );
        format!("{:x}\r\n{data}\r\n", data.len())
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut pieces = vec![head.to_owned()];
    pieces.extend((1..CHUNKS).map(|_| event(r#"{"content":" Hamburg"}"#, "null")));
    pieces.push(event("{}", r#""stop""#));
    pieces.push("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n".to_owned());
    pieces
}
