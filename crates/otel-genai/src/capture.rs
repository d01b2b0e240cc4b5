//! Which content goes where.

use std::str::FromStr;

/// Where prompts, answers, tool arguments and the like are recorded. They are sensitive, so the default is nowhere.
///
/// The names are those of `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` in the official utilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capture {
    /// Nowhere.
    #[default]
    NoContent,
    /// As span attributes.
    SpanOnly,
    /// As attributes of the operation's event.
    EventOnly,
    /// Both.
    SpanAndEvent,
    /// The older `true`: where the convention in force puts content.
    ByConvention,
}

impl Capture {
    /// The values a person may write.
    pub const ALLOWED: &'static str = "NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT, true, false";

    /// The name as it is written in the variable.
    pub fn as_str(self) -> &'static str {
        match self {
            Capture::NoContent => "NO_CONTENT",
            Capture::SpanOnly => "SPAN_ONLY",
            Capture::EventOnly => "EVENT_ONLY",
            Capture::SpanAndEvent => "SPAN_AND_EVENT",
            Capture::ByConvention => "true",
        }
    }

    /// Whether content goes onto spans.
    pub fn on_span(self) -> bool {
        matches!(self, Capture::SpanOnly | Capture::SpanAndEvent)
    }

    /// Whether content goes into events.
    pub fn on_event(self) -> bool {
        matches!(self, Capture::EventOnly | Capture::SpanAndEvent)
    }
}

/// The text is none of [`Capture::ALLOWED`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a capture mode; allowed are {allowed}", allowed = Capture::ALLOWED)]
pub struct UnknownCapture(pub String);

impl FromStr for Capture {
    type Err = UnknownCapture;

    /// Any case; surrounding blanks are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_uppercase().as_str() {
            "NO_CONTENT" | "FALSE" => Ok(Capture::NoContent),
            "SPAN_ONLY" => Ok(Capture::SpanOnly),
            "EVENT_ONLY" => Ok(Capture::EventOnly),
            "SPAN_AND_EVENT" => Ok(Capture::SpanAndEvent),
            "TRUE" => Ok(Capture::ByConvention),
            _ => Err(UnknownCapture(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_a_user_may_write() {
        for (text, mode) in [
            ("NO_CONTENT", Capture::NoContent),
            ("span_only", Capture::SpanOnly),
            (" Event_Only ", Capture::EventOnly),
            ("SPAN_AND_EVENT", Capture::SpanAndEvent),
            ("True", Capture::ByConvention),
            ("FALSE", Capture::NoContent),
        ] {
            assert_eq!(text.parse(), Ok(mode), "{text}");
        }
        let refused = "yes".parse::<Capture>().unwrap_err().to_string();
        assert!(refused.contains("yes") && refused.contains("SPAN_AND_EVENT"), "{refused}");
    }
}
