//! Streamed answers: a stream of chunks that tells of itself while it is read.

use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Instant;

use futures_core::Stream;

use crate::failure::Cause;
use crate::operation::Operation;
use crate::span::Active;

pin_project_lite::pin_project! {
    /// A stream that passes on what another one yields, and is an operation meanwhile: made by
    /// [`Active::stream`].
    #[must_use = "streams do nothing unless polled"]
    pub struct Streaming<S, O, F>
    where
        O: Operation,
    {
        #[pin]
        stream: S,
        active: Option<Active<O>>,
        last_chunk: Option<Instant>,
        read: F,
    }

    impl<S, O, F> PinnedDrop for Streaming<S, O, F>
    where
        O: Operation,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // Many readers stop at the chunk that says why the model stopped: the answer is complete then.
            if let Some(active) = this.active.take().filter(|active| active.is_complete()) {
                active.finish_at(this.last_chunk.unwrap_or_else(Instant::now));
            }
        }
    }
}

impl<O: Operation> Active<O> {
    /// The answer comes as this stream: each chunk is timed, shown to `read`, which fills in what it tells, and passed
    /// on. The operation ends with the stream; an `Err` of it is its error, and passed on too. When the reader lets go
    /// of the stream before, it ends as cancelled, unless `read` has seen a finish reason: then it is complete.
    ///
    /// What the stream does happens within this operation.
    ///
    /// ```
    /// use futures_util::{StreamExt as _, stream};
    /// use otel_genai::GenAi;
    ///
    /// # async fn example(genai: GenAi) {
    /// let chunks = stream::iter([Ok("On its"), Ok(" way."), Err(std::io::Error::other("reset"))]);
    /// let call = genai.chat("openai", "gpt-4o-mini").request(|r| r.stream = true).start();
    /// let mut answer = String::new();
    /// let mut chunks = call.stream(chunks, move |_, chunk| answer.push_str(chunk));
    /// while let Some(chunk) = chunks.next().await {
    ///     println!("{chunk:?}");
    /// }
    /// # }
    /// ```
    pub fn stream<S, T, E, F>(self, stream: S, read: F) -> Streaming<S, O, F>
    where
        S: Stream<Item = Result<T, E>>,
        F: FnMut(&mut Active<O>, &T),
        for<'a> &'a E: Cause,
    {
        Streaming { stream, active: Some(self), last_chunk: None, read }
    }
}

impl<S, T, E, O, F> Stream for Streaming<S, O, F>
where
    S: Stream<Item = Result<T, E>>,
    O: Operation,
    F: FnMut(&mut Active<O>, &T),
    for<'a> &'a E: Cause,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let guard = this.active.as_ref().map(Active::attach);
        let polled = this.stream.poll_next(task);
        drop(guard);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(chunk))) => {
                if let Some(active) = this.active.as_mut() {
                    let now = Instant::now();
                    *this.last_chunk = Some(now);
                    active.chunk_at(now);
                    (this.read)(active, chunk);
                }
            }
            Poll::Ready(Some(Err(error))) => {
                if let Some(active) = this.active.take() {
                    active.fail(error);
                }
            }
            Poll::Ready(None) => {
                if let Some(active) = this.active.take() {
                    active.finish();
                }
            }
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<S, O: Operation, F> std::fmt::Debug for Streaming<S, O, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streaming").field("is_open", &self.active.is_some()).finish_non_exhaustive()
    }
}
