//! Connections that stopped being HTTP: bytes are carried both ways until one side is done. Where models are called on
//! them, what passes is noted, after it was read and before it is written; nothing waits for that.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, Write};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use otel_genai_http::{Session, SessionTap};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use crate::gateway::Phase;

/// Between two connections that spoke HTTP.
pub(crate) async fn carry(
    client: OnUpgrade,
    upstream: OnUpgrade,
    session: Option<Session>,
    phase: watch::Receiver<Phase>,
) {
    let (from_client, from_upstream) = session.map(Session::taps).unzip();
    let carried = async {
        let (client, upstream) = tokio::try_join!(client, upstream).ok()?;
        let mut client = Tapped { stream: TokioIo::new(client), tap: from_client };
        let mut upstream = Tapped { stream: TokioIo::new(upstream), tap: from_upstream };
        tokio::io::copy_bidirectional(&mut client, &mut upstream).await.ok()
    };
    until_stopped(carried, phase).await;
}

/// Between one that did and one that never will.
pub(crate) async fn carry_to<U>(client: OnUpgrade, upstream: U, phase: watch::Receiver<Phase>)
where
    U: Read + Write + Unpin,
{
    let carried = async { copy(client.await.ok()?, upstream).await };
    until_stopped(carried, phase).await;
}

async fn copy(client: impl Read + Write + Unpin, upstream: impl Read + Write + Unpin) -> Option<(u64, u64)> {
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    tokio::io::copy_bidirectional(&mut client, &mut upstream).await.ok()
}

async fn until_stopped<T>(carried: impl Future<Output = T>, mut phase: watch::Receiver<Phase>) {
    tokio::select! {
        // Either end may vanish at any time; the other then sees its connection closed, which is all there is to say.
        _ = carried => {}
        _ = phase.wait_for(|phase| *phase == Phase::Stopped) => {}
    }
}

/// One end of the tunnel. What is read from it is noted.
struct Tapped {
    stream: TokioIo<Upgraded>,
    /// `None` where nobody wants to know, or where noting failed.
    tap: Option<SessionTap>,
}

impl Tapped {
    /// A defect in observing must not become one in carrying.
    fn note(&mut self, note: impl FnOnce(&SessionTap)) {
        let Some(tap) = &self.tap else { return };
        if catch_unwind(AssertUnwindSafe(|| note(tap))).is_err() {
            tracing::warn!(target: "otel_genai_gateway", "observing a session failed inside; it is carried unobserved");
            self.tap = None;
        }
    }

    fn failed<T>(&mut self, result: io::Result<T>) -> Poll<io::Result<T>> {
        if let Err(error) = &result {
            self.note(|tap| tap.failed(error));
        }
        Poll::Ready(result)
    }
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Poll::Ready(read) = polled else {
            self.note(SessionTap::idle);
            return Poll::Pending;
        };
        if read.is_ok() {
            match buffer.filled().get(before..) {
                None | Some([]) => self.note(SessionTap::closed),
                Some(bytes) => self.note(|tap| tap.data(bytes)),
            }
        }
        self.failed(read)
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.failed(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
