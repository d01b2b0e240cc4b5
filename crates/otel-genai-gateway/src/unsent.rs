//! A request's body that can be had back when it could not be sent.
//!
//! A provider that cannot be reached never asks for the body, and the client's connection gives it to nobody else. What
//! was asked, of which model, is still part of what could be known of the call, so the rest of the body is read for
//! the observer alone.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use otel_genai_http::Tap;

use crate::expect::{RequestBody, RequestBodyError};

/// The client waits for its error meanwhile, and has sent its body already if it is like most.
const PATIENCE: Duration = Duration::from_millis(250);
/// More than this is not read for the observer's sake.
const ENOUGH: usize = 1 << 20;

/// A body on its way to the provider.
pub(crate) struct Lent(Arc<Mutex<Tap<RequestBody>>>);

impl Lent {
    pub(crate) fn new(body: Tap<RequestBody>) -> Self {
        Lent(Arc::new(Mutex::new(body)))
    }

    /// A second handle on the same body, for the time when nobody else polls it.
    pub(crate) fn keep(&self) -> Lent {
        Lent(Arc::clone(&self.0))
    }

    /// Reads what the client has sent, within bounds.
    pub(crate) async fn read_rest(mut self) {
        let read = async {
            let mut read = 0;
            while let Some(Ok(frame)) = self.frame().await {
                read += frame.data_ref().map_or(0, Bytes::len);
                if read > ENOUGH {
                    break;
                }
            }
        };
        // Whatever has come by then is what there is to know.
        let _ = tokio::time::timeout(PATIENCE, read).await;
    }

    fn body(&self) -> MutexGuard<'_, Tap<RequestBody>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
