//! The words in which a span is told.

use otel_genai_store::{Span, UNKNOWN_SERVICE, dialects_of};

use super::found::Found;
use super::rule::{DEPRECATED_NAMES, NO_SERVICE_NAME, TWO_DIALECTS};
use crate::view::Dialect;

/// Old names and today's.
const RENAMED: &[(&str, &str)] = &[
    ("gen_ai.system", "gen_ai.provider.name"),
    ("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
    ("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"),
    ("gen_ai.prompt", "gen_ai.input.messages"),
    ("gen_ai.completion", "gen_ai.output.messages"),
    ("gen_ai.openai.request.response_format", "gen_ai.output.type"),
    ("gen_ai.openai.request.seed", "gen_ai.request.seed"),
    ("gen_ai.openai.request.service_tier", "openai.request.service_tier"),
    ("gen_ai.openai.response.service_tier", "openai.response.service_tier"),
    ("gen_ai.openai.response.system_fingerprint", "openai.response.system_fingerprint"),
];

pub(super) fn check(span: &Span, found: &mut Found) {
    if span.facts.op.is_none() && span.facts.dialect.is_none() {
        return;
    }
    let has = |key: &str| span.attributes.get(key).is_some();
    // Who tells both is on the way.
    let old: Vec<_> = RENAMED.iter().filter(|(old, new)| has(old) && !has(new)).collect();
    if !old.is_empty() {
        let pairs: Vec<_> = old.iter().map(|(old, new)| format!("{old} is now {new}")).collect();
        let title = format!("Attributes have old names: {}", pairs.join(", "));
        found.say_as(&DEPRECATED_NAMES, span, title, None);
    }
    let spoken = dialects_of(span);
    if spoken.len() > 1 {
        let words: Vec<_> = spoken.into_iter().filter_map(Dialect::of).map(Dialect::as_str).collect();
        let title = format!("A span speaks several vocabularies: {}", words.join(", "));
        found.say_as(&TWO_DIALECTS, span, title, None);
    }
    if is_nameless(&span.origin.resource.service) {
        found.say(&NO_SERVICE_NAME, span);
    }
}

/// SDKs make up `unknown_service:python` for a program that has no name.
pub(super) fn is_nameless(service: &str) -> bool {
    service.strip_prefix(UNKNOWN_SERVICE).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}
