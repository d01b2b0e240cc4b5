//! Stand-in for `otel-genai-http` until it is there: observes nothing.
#![allow(missing_docs, dead_code, reason = "replaced by otel-genai-http")]

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

#[derive(Clone, Debug)]
pub struct Observer(());

#[derive(Debug)]
pub struct Call<'a> {
    pub method: &'a http::Method,
    pub upstream: &'a http::Uri,
    pub headers: &'a http::HeaderMap,
    pub parent: opentelemetry::Context,
}

#[derive(Debug)]
pub struct Exchange(());

#[derive(Debug)]
pub struct Tap<B>(B);

impl Observer {
    pub fn begin(&self, _: Call<'_>) -> Option<Exchange> {
        Some(Exchange(()))
    }
}

impl Exchange {
    pub fn request_body<B>(&self, body: B) -> Tap<B> {
        Tap(body)
    }

    pub fn response<B>(self, _: &http::response::Parts, body: B) -> Tap<B> {
        Tap(body)
    }

    pub fn fail(self, _: &str, _: String) {}
}

impl<B: Body<Data = Bytes> + Unpin> Body for Tap<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
