//! What can be asked of a difference.

use otel_genai::{ConventionName, config};
use serde_json::Value;

use crate::case::{Case, Reference};
use crate::compare::{Difference, Place};

/// A difference, and the case that shows it.
pub(crate) struct Seen<'a> {
    pub(crate) case: &'a Case,
    pub(crate) reference: &'a Reference,
    pub(crate) difference: &'a Difference,
}

impl Seen<'_> {
    pub(crate) fn key(&self) -> &str {
        &self.difference.key
    }

    pub(crate) fn key_is(&self, keys: &[&str]) -> bool {
        keys.contains(&self.key())
    }

    pub(crate) fn place(&self) -> &Place {
        &self.difference.place
    }

    pub(crate) fn expected(&self) -> &Value {
        self.difference.expected.as_ref().unwrap_or(&Value::Null)
    }

    pub(crate) fn actual(&self) -> &Value {
        self.difference.actual.as_ref().unwrap_or(&Value::Null)
    }

    pub(crate) fn text<'a>(&self, value: &'a Value) -> &'a str {
        value.as_str().unwrap_or_default()
    }

    /// The reference has it, we do not.
    pub(crate) fn is_missing(&self) -> bool {
        self.difference.actual.is_none()
    }

    /// We have it, the reference does not.
    pub(crate) fn is_new(&self) -> bool {
        self.difference.expected.is_none()
    }

    pub(crate) fn is_attribute(&self) -> bool {
        !self.key().starts_with('.')
    }

    pub(crate) fn is_loongsuite(&self) -> bool {
        self.reference.convention == ConventionName::LoongSuite
    }

    pub(crate) fn is_upstream(&self) -> bool {
        !self.is_loongsuite()
    }

    /// Whether the case says of the reference's result that it is a mistake, in one of these words.
    pub(crate) fn is_bug(&self, words: &[&str]) -> bool {
        self.case.bugs(self.reference).any(|why| words.iter().any(|word| why.contains(word)))
    }

    pub(crate) fn is_about_what_is_current(&self) -> bool {
        matches!(self.place(), Place::Probe(_) | Place::Case)
            && self.key_is(&[".current_span", ".baggage", ".context_restored"])
    }

    pub(crate) fn leaves_a_span_open(&self) -> bool {
        let spans = self.case.expected(self.reference).and_then(|telemetry| telemetry["spans"].as_array());
        spans.into_iter().flatten().any(|span| span["ended"] == false)
    }

    pub(crate) fn is_content(&self) -> bool {
        let content = [
            "input.messages",
            "output.messages",
            "system_instructions",
            "tool.definitions",
            "tool.call.arguments",
            "tool.call.result",
            "retrieval.documents",
            "retrieval.query.text",
        ];
        content.iter().any(|name| self.key() == format!("gen_ai.{name}"))
            || self.key().starts_with("gen_ai.prompt.variable.")
    }

    /// Whether the program gives the attribute this value itself.
    pub(crate) fn is_custom(&self, value: &Value) -> bool {
        let mut given = self.case.given(self.reference, "attributes");
        given.any(|attributes| attributes.get(self.key()) == Some(value))
    }

    pub(crate) fn capture(&self) -> String {
        self.case.variable(config::CAPTURE_MESSAGE_CONTENT).unwrap_or_default().to_uppercase()
    }

    pub(crate) fn opts_in(&self) -> bool {
        let names = self.case.variable(config::STABILITY_OPT_IN).unwrap_or_default();
        names.split(',').any(|name| name.trim() == "gen_ai_latest_experimental")
    }
}
