//! The implementations whose telemetry was recorded, and how we are set when we are compared with them.

use otel_genai::{Capture, ConventionName};

pub(crate) struct Reference {
    pub(crate) name: &'static str,
    /// How it was set.
    pub(crate) mode: &'static str,
    pub(crate) convention: ConventionName,
    pub(crate) capture: Capture,
    /// Whether it is asked only where it is known to have no bug: another version of it has fewer.
    pub(crate) without_bugs: bool,
}

const LATEST: &str = "opentelemetry-instrumentation-genai-openai==1.3b0";
const LEGACY: &str = "opentelemetry-instrumentation-openai-v2==2.4b0";
const FIRST: &str = "opentelemetry-instrumentation-openai-v2==2.0b0";

pub(crate) const REFERENCES: [Reference; 6] = [
    latest("span_and_event", Capture::SpanAndEvent),
    latest("no_content", Capture::NoContent),
    legacy("legacy.content", Capture::ByConvention),
    legacy("legacy.no_content", Capture::NoContent),
    first("legacy.content", Capture::ByConvention),
    first("legacy.no_content", Capture::NoContent),
];

const fn latest(mode: &'static str, capture: Capture) -> Reference {
    Reference { name: LATEST, mode, convention: ConventionName::V2026_08, capture, without_bugs: false }
}

const fn legacy(mode: &'static str, capture: Capture) -> Reference {
    Reference { name: LEGACY, mode, convention: ConventionName::V1_30, capture, without_bugs: false }
}

const fn first(mode: &'static str, capture: Capture) -> Reference {
    Reference { name: FIRST, mode, convention: ConventionName::V1_30, capture, without_bugs: true }
}

impl Reference {
    /// Whether it is the first release, which spoke 1.28 and had no metrics.
    pub(crate) fn is_first(&self) -> bool {
        self.name == FIRST
    }

    /// Whether it recorded content.
    pub(crate) fn captures(&self) -> bool {
        self.capture != Capture::NoContent
    }
}

/// Some of the references.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    Both,
    /// The one of the convention `2026-08`.
    Latest,
    /// Those of the convention `v1.30`.
    Legacy,
    /// The first release of those.
    First,
}

impl Of {
    pub(crate) fn holds(self, reference: &Reference) -> bool {
        match self {
            Of::Both => true,
            Of::Latest => reference.convention == ConventionName::V2026_08,
            Of::Legacy => reference.convention == ConventionName::V1_30,
            Of::First => reference.is_first(),
        }
    }
}
