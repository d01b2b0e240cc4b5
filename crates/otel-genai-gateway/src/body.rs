//! What goes back to the client.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use otel_genai_http::Tap;

use crate::expect::Consent;

/// A response's body: the provider's, observed or not, or a few words of the gateway itself.
pub(crate) struct ResponseBody {
    kind: Kind,
    /// An error that waits until what came before it is on its way: hyper drops what it has not flushed yet.
    failure: Option<hyper::Error>,
    /// Kept while the provider still answers a request whose body it did not want (see [`Consent`]).
    _unused_consent: Option<Consent>,
}

enum Kind {
    Passed(Incoming),
    Observed(Tap<Incoming>),
    /// No bytes, in an answer whose `Content-Length` is about another one: hyper writes that header only when the body
    /// claims the same (304 Not Modified).
    Claimed(u64),
    Own(Bytes),
}

impl ResponseBody {
    pub(crate) fn passed(body: Incoming) -> Self {
        Self::from(Kind::Passed(body))
    }

    pub(crate) fn observed(body: Tap<Incoming>) -> Self {
        Self::from(Kind::Observed(body))
    }

    pub(crate) fn claimed(length: u64) -> Self {
        Self::from(Kind::Claimed(length))
    }

    pub(crate) fn own(text: impl Into<Bytes>) -> Self {
        Self::from(Kind::Own(text.into()))
    }

    pub(crate) fn keeping(mut self, consent: Option<Consent>) -> Self {
        self._unused_consent = consent;
        self
    }
}

impl From<Kind> for ResponseBody {
    fn from(kind: Kind) -> Self {
        Self { kind, failure: None, _unused_consent: None }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let polled = match &mut self.kind {
            Kind::Passed(body) => Pin::new(body).poll_frame(cx),
            Kind::Observed(body) => Pin::new(body).poll_frame(cx),
            Kind::Claimed(_) => Poll::Ready(None),
            Kind::Own(text) if text.is_empty() => Poll::Ready(None),
            Kind::Own(text) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(text))))),
        };
        match polled {
            Poll::Ready(Some(Err(error))) => {
                self.failure = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Passed(body) => body.is_end_stream(),
            Kind::Observed(body) => body.is_end_stream(),
            Kind::Claimed(_) => false,
            Kind::Own(text) => text.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Passed(body) => body.size_hint(),
            Kind::Observed(body) => body.size_hint(),
            Kind::Claimed(length) => SizeHint::with_exact(*length),
            Kind::Own(text) => SizeHint::with_exact(text.len() as u64),
        }
    }
}
