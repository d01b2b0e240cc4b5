//! The judge: a convention and what is let pass beyond it.

use std::str::FromStr;

use thiserror::Error;

use crate::finding::Finding;
use crate::registry::Registry;
use crate::rules;
use crate::schema::Schemas;
use crate::telemetry::Telemetry;

/// A convention to judge by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Convention {
    /// `2026-08`: the conventions as their conformance suite pins them.
    V2026_08,
    /// `2026-10`: the same, two months later.
    V2026_10,
}

impl Convention {
    /// The convention's name, such as `2026-08`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2026_08 => "2026-08",
            Self::V2026_10 => "2026-10",
        }
    }
}

impl FromStr for Convention {
    type Err = UnknownConvention;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::V2026_08, Self::V2026_10]
            .into_iter()
            .find(|convention| convention.as_str() == name)
            .ok_or_else(|| UnknownConvention(name.to_owned()))
    }
}

/// A name that is no convention's.
#[derive(Debug, Error)]
#[error("there is no convention `{0}` to judge by; choose 2026-08 or 2026-10")]
pub struct UnknownConvention(String);

/// All findings about `telemetry`, by a [`Checker`] without options.
#[must_use]
pub fn check(telemetry: &Telemetry, convention: Convention) -> Vec<Finding> {
    Checker::new(convention).check(telemetry)
}

/// Judges telemetry by a convention.
#[derive(Clone, Debug)]
pub struct Checker {
    pub(crate) convention: Convention,
    pub(crate) registry: Registry,
    pub(crate) schemas: Schemas,
    pub(crate) excuse_unanswered: bool,
    allowed: Vec<String>,
}

impl Checker {
    /// A judge that lets pass nothing beyond the convention.
    ///
    /// Content is held against the convention's JSON schemas if the environment variable `OTEL_GENAI_SEMCONV_DIR` names
    /// a folder with them, or else `../shared/semconv` beside the workspace is one. The schemas are read once a process.
    #[must_use]
    pub fn new(convention: Convention) -> Self {
        Self {
            convention,
            registry: Registry::of(convention),
            schemas: Schemas::of(convention),
            excuse_unanswered: false,
            allowed: Vec::new(),
        }
    }

    /// Lets pass attributes, metrics, events and operations of this name although the convention does not know them;
    /// a `*` at the end stands for any rest, as in `gen_ai.rerank.*`.
    ///
    /// What is allowed so is judged no further: neither its type nor what an operation's span should carry.
    #[must_use]
    pub fn allow(mut self, name: impl Into<String>) -> Self {
        self.allowed.push(name.into());
        self
    }

    /// Whether spans are excused from attributes that they cannot have honestly, because no answer brought them:
    ///
    /// * a failed span (status error and `error.type`): `gen_ai.response.{id,model,finish_reasons,status}`,
    ///   `gen_ai.usage.{input,output}_tokens` and `gen_ai.embeddings.dimension.count`;
    /// * a streamed call (`gen_ai.request.stream`): `gen_ai.usage.{input,output}_tokens`, which providers send only if
    ///   asked for, and at the end of the stream.
    ///
    /// Off unless set. The conventions' own judge does not excuse them.
    #[must_use]
    pub fn excuse_unanswered(mut self, excuse: bool) -> Self {
        self.excuse_unanswered = excuse;
        self
    }

    /// All findings about `telemetry`: sorted, each once.
    #[must_use]
    pub fn check(&self, telemetry: &Telemetry) -> Vec<Finding> {
        let mut findings = rules::judge(self, telemetry);
        findings.sort();
        findings.dedup();
        findings
    }

    pub(crate) fn allows(&self, name: &str) -> bool {
        self.allowed.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => allowed == name,
        })
    }
}
