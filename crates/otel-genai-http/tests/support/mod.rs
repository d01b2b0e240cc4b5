//! A model server on loopback that answers by a script, and what an observed client leaves in telemetry.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, GenAi};
use otel_genai_http::{Observer, Options};
use tokio::net::TcpListener;

pub(crate) const ANSWER: &str = concat!(
    r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":"Hello"},"finish_reason":"stop","logprobs":null}],"#,
    r#""usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#
);
pub(crate) const TOOL_ANSWER: &str = concat!(
    r#"{"id":"chatcmpl-0","object":"chat.completion","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":"#,
    r#"{"name":"weather","arguments":"{}"}}]},"finish_reason":"tool_calls","logprobs":null}],"#,
    r#""usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#
);
pub(crate) const REFUSAL: &str =
    r#"{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#;
pub(crate) const NO_KEY: &str = r#"{"error":{"message":"no such key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#;
pub(crate) const EVENTS: [&str; 4] = [
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
];

/// One scripted answer.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    frames: Vec<&'static str>,
    then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    End,
    /// The body never ends.
    Hang,
    /// There is not even a head.
    Silence,
}

pub(crate) fn json(status: u16, body: &'static str) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json")],
        frames: vec![body],
        then: Then::End,
    }
}

pub(crate) fn stream(frames: &[&'static str]) -> Answer {
    let headers = vec![("content-type", "text/event-stream")];
    Answer { status: 200, headers, frames: frames.to_vec(), then: Then::End }
}

pub(crate) fn silence() -> Answer {
    Answer { status: 200, headers: Vec::new(), frames: Vec::new(), then: Then::Silence }
}

impl Answer {
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn hang(mut self) -> Self {
        self.then = Then::Hang;
        self
    }
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(VecDeque::from(answers)));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (script, heard) = (Arc::clone(&script), Arc::clone(&heard));
                let service =
                    service_fn(move |request| answer(request, Arc::clone(&script), Arc::clone(&heard)));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        Server { address, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Mutex<VecDeque<Answer>>>,
    heard: Arc<Mutex<Vec<Asked>>>,
) -> Result<Response<Script>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    heard.lock().unwrap().push(Asked { path: parts.uri.path().to_owned(), headers: parts.headers, body });
    let answer = script.lock().unwrap().pop_front().expect("more requests than answers");
    if answer.then == Then::Silence {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Script { frames: answer.frames.into(), hangs: answer.then == Then::Hang }).unwrap())
}

struct Script {
    frames: VecDeque<&'static str>,
    hangs: bool,
}

impl Body for Script {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(frame.as_bytes()))))),
            None if self.hangs => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// Telemetry in memory.
pub(crate) struct World {
    pub(crate) observer: Observer,
    pub(crate) genai: GenAi,
    pub(crate) tracers: SdkTracerProvider,
    spans: InMemorySpanExporter,
}

impl World {
    pub(crate) fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let genai = GenAi::builder().tracer_provider(&tracers).capture(Capture::SpanOnly).build();
        let observer = Observer::new(genai.clone(), Options::default()).unwrap();
        World { observer, genai, tracers, spans }
    }

    /// What is done within a span of the application, which is finished after it.
    pub(crate) fn parent(&self) -> opentelemetry::Context {
        let span = self.tracers.tracer("app").start("request");
        opentelemetry::Context::current_with_span(span)
    }

    /// The spans of finished calls.
    pub(crate) fn calls(&self) -> Vec<Told> {
        assert!(self.observer.drain(Duration::from_secs(10)));
        let spans = self.spans.get_finished_spans().unwrap();
        spans.into_iter().filter(|span| span.instrumentation_scope.name() == "otel-genai").map(Told).collect()
    }

    /// The one call that there was.
    pub(crate) fn call(&self) -> Told {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }
}

#[derive(Debug)]
pub(crate) struct Told(pub(crate) SpanData);

impl Told {
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.0.attributes.iter().find(|a| a.key.as_str() == key).map(|a| a.value.to_string())
    }

    pub(crate) fn error(&self) -> Option<String> {
        self.get("error.type")
    }

    #[track_caller]
    pub(crate) fn has(&self, key: &str, value: &str) {
        assert_eq!(self.get(key).as_deref(), Some(value), "{key} of {:#?}", self.0.attributes);
    }

    /// Whether it is a child of this context's span.
    pub(crate) fn is_child_of(&self, parent: &opentelemetry::Context) -> bool {
        let parent = parent.span().span_context().clone();
        self.0.parent_span_id == parent.span_id() && self.0.span_context.trace_id() == parent.trace_id()
    }
}
