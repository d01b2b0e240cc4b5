//! `Expect: 100-continue`: the provider's word, not ours, lets the client send its body.
//!
//! hyper answers `100 Continue` to the client as soon as somebody asks for the request's body, so a held body holds
//! the answer back too. It is let go when the provider says 100, or when it says nothing for as long as clients usually
//! wait; when it answers finally instead, the body is never asked for.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, Connected};
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// curl and Go wait one second for a 100 before they send anyway; so do we.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// A client's body, which may have to wait for the provider's consent.
pub(crate) struct RequestBody {
    body: Incoming,
    held: Option<Box<Held>>,
}

struct Held {
    consent: oneshot::Receiver<()>,
    patience: Pin<Box<Sleep>>,
}

/// The provider's side of a held body. When the last one is gone without consent, the body ends in an error, which
/// frees the connection to the provider.
#[derive(Clone, Debug)]
pub(crate) struct Consent(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl Consent {
    fn give(&self) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // The body may have lost patience already.
            let _ = sender.send(());
        }
    }

    /// What hyper calls for each interim response over HTTP/1.1.
    pub(crate) fn on_informational(&self) -> impl Fn(StatusCode) + Send + Sync + 'static {
        let consent = self.clone();
        move |status| {
            if status == StatusCode::CONTINUE {
                consent.give();
            }
        }
    }

    /// Over HTTP/2 hyper does not tell us of interim responses: the body goes as soon as the connection stands.
    pub(crate) async fn given_over_http2(self, mut connection: CaptureConnection) {
        if connection.wait_for_connection_metadata().await.as_ref().is_some_and(Connected::is_negotiated_h2) {
            self.give();
        }
    }
}

impl RequestBody {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { body, held: None }
    }

    pub(crate) fn held(body: Incoming) -> (Self, Consent) {
        let (sender, consent) = oneshot::channel();
        let held = Held { consent, patience: Box::pin(tokio::time::sleep(PATIENCE)) };
        (Self { body, held: Some(Box::new(held)) }, Consent(Arc::new(Mutex::new(Some(sender)))))
    }
}

/// Why a client's body did not reach the provider's end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestBodyError {
    #[error(transparent)]
    Client(#[from] hyper::Error),
    #[error("the upstream answered without asking for the body")]
    Unwanted,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(held) = &mut self.held {
            match Pin::new(&mut held.consent).poll(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Some(Err(RequestBodyError::Unwanted))),
                Poll::Pending => ready!(held.patience.as_mut().poll(cx)),
            }
            self.held = None;
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(RequestBodyError::Client)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
