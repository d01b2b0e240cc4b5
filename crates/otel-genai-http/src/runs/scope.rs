//! Whose calls may belong together.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use opentelemetry::trace::{SpanId, TraceContextExt as _, TraceId};

use crate::exchange::Call;

/// Whose calls may be told as the run of one agent: a span `invoke_agent`, and within it the calls and the tools that
/// were run between them, both with `otel_genai.inferred = true`. A call is joined to the one before when its request
/// brings what tools answered to the ids which that one asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Runs {
    /// Nobody's: each call is told alone.
    #[default]
    Ignored,
    /// Those of one program, and of what it started: all that this observer sees. Calls in different traces are kept
    /// apart even so.
    OfOneProgram,
    /// Those in the same trace, directly within the same span; or of the same session, where a header names it
    /// (`session_id`, `x-session-id`, `x-claude-code-session-id`, `helicone-session-id`). All others are told alone.
    Keyed,
}

/// Calls of different scopes never belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    Program,
    Span(TraceId, SpanId),
    /// A digest: what was in the header is nobody's business.
    Session(u64),
}

/// The headers by which clients name their sessions.
const SESSION: [&str; 4] = ["session_id", "x-session-id", "x-claude-code-session-id", "helicone-session-id"];

static DIGEST: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Runs {
    pub(crate) fn scope(self, call: &Call<'_>) -> Option<Scope> {
        if self == Runs::Ignored {
            return None;
        }
        let span = call.parent.span();
        let within = span.span_context();
        if within.is_valid() {
            return Some(Scope::Span(within.trace_id(), within.span_id()));
        }
        if self == Runs::OfOneProgram {
            return Some(Scope::Program);
        }
        let session = SESSION.iter().find_map(|name| call.headers.get(*name))?;
        (!session.is_empty()).then(|| Scope::Session(DIGEST.hash_one(session.as_bytes())))
    }
}
