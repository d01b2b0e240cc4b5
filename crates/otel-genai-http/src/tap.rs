//! The body tap: forwards each frame as it is, and notes that it passed.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use otel_genai::Failure;
use pin_project_lite::pin_project;

use crate::failure::transport_failure;
use crate::record::{Ending, Record};

pin_project! {
    /// A body that is observed while it passes. Frames, order, size hint, trailers and errors are those of the inner
    /// body.
    #[must_use = "a body does nothing unless it is polled, and dropping it ends the call"]
    pub struct Tap<B> {
        // Before the body, so that a call which is left has ended when its connection closes.
        probe: Probe,
        #[pin]
        inner: B,
    }
}

impl<B: Body> Tap<B> {
    pub(crate) fn new(inner: B, record: Arc<Record>, side: Side) -> Self {
        let mut probe = Probe { record: Some(record), side };
        if inner.is_end_stream() {
            // An empty body is never polled.
            probe.end(Ending::Complete);
        }
        Tap { inner, probe }
    }
}

impl<B> Tap<B> {
    /// A body that only passes.
    pub(crate) fn unobserved(inner: B) -> Self {
        Tap { inner, probe: Probe { record: None, side: Side::Request } }
    }
}

/// The clone only passes: what retries send again has been observed.
impl<B: Clone> Clone for Tap<B> {
    fn clone(&self) -> Self {
        Tap::unobserved(self.inner.clone())
    }
}

/// Which way the body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

struct Probe {
    /// `None` once the body has ended.
    record: Option<Arc<Record>>,
    side: Side,
}

impl Probe {
    fn data(&self, bytes: &Bytes) {
        match (&self.record, self.side) {
            (Some(record), Side::Request) => record.request(bytes),
            (Some(record), Side::Response) => record.frame(Instant::now(), bytes),
            (None, _) => {}
        }
    }

    fn end(&mut self, ending: Ending) {
        let Some(record) = self.record.take() else { return };
        // How a call ends is told by its response, or by its want of one.
        if self.side == Side::Response {
            record.end(ending);
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.end(Ending::Dropped);
    }
}

impl<B> Body for Tap<B>
where
    B: Body<Data = Bytes>,
    B::Error: Error + 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(bytes) = frame.data_ref() {
                    this.probe.data(bytes);
                }
                // Who knows that nothing follows need not poll again; nothing follows trailers.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    this.probe.end(Ending::Complete);
                }
            }
            Poll::Ready(Some(Err(error))) => this.probe.end(Ending::Failed(body_failure(error))),
            Poll::Ready(None) => this.probe.end(Ending::Complete),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for Tap<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("side", &self.probe.side).finish_non_exhaustive()
    }
}

/// A body that stops before its end without a reason from the system was closed by the other side.
fn body_failure(error: &(dyn Error + 'static)) -> Failure {
    let mut failure = transport_failure(error);
    if failure.error_type == "connection_error" {
        failure.error_type = "connection_closed".into();
    }
    failure
}
