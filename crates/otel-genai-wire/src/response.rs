//! The response of a call, read from its status, headers and body.

use http::HeaderMap;
use otel_genai::Failure;

use crate::call::Call;
use crate::detect::Route;
use crate::options::Options;

/// What some bytes of a response brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many of the provider's stream events these bytes completed; the terminal marker is not counted.
    pub chunks: u32,
    /// Whether the terminal event of the stream has been seen, now or before: the call is over, although the
    /// connection may stay open.
    pub ended: bool,
}

/// Reads the body of a response as it comes.
#[derive(Debug)]
pub struct ResponseReader {}

impl ResponseReader {
    /// A reader of the response to `request`. The status and the content type decide how the body is read.
    #[must_use]
    pub fn new(
        _route: &Route,
        _status: u16,
        _headers: &HeaderMap,
        _request: &Call,
        _options: Options,
    ) -> Self {
        ResponseReader {}
    }

    /// The next bytes of the body (decompressed), in pieces of any size.
    pub fn push(&mut self, _bytes: &[u8]) -> Progress {
        Progress::default()
    }

    /// The model that answers, as soon as a stream has named it.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        None
    }

    /// The body is over, or nobody waits for the rest of it: writes all that was learned into the call.
    ///
    /// `Some`: the provider failed. It said so by an error status, an error object in place of an answer or an error
    /// event within a stream, or it answered with something that is no JSON. A body that merely stops half-way is
    /// not a failure here: whoever owns the connection knows why it stopped.
    #[must_use]
    pub fn finish(self, _call: &mut Call) -> Option<Failure> {
        None
    }
}
