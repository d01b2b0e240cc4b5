//! Tokens, prices and times of calls.

use otel_genai_store::{Op, Span};

use super::Trace;
use super::found::Found;
use super::rule::{
    PROVIDER_MISSING, STREAM_WITHOUT_TTFT, UNPRICED_MODEL, USAGE_MISSING, USAGE_ON_PARENT, WRONG_UNIT,
};

/// Whether it tells tokens that count.
pub(super) fn counts(span: &Span) -> bool {
    span.facts.op.is_some_and(Op::counts_tokens) && has_usage(span)
}

fn has_usage(span: &Span) -> bool {
    span.facts.usage.input.is_some() || span.facts.usage.output.is_some()
}

pub(super) fn check(trace: &Trace<'_>, span: &Span, found: &mut Found) {
    let facts = &span.facts;
    let is_above = trace.above_tokens.contains(&span.key.span);
    if is_above && has_usage(span) {
        found.say(&USAGE_ON_PARENT, span);
    }
    if !facts.op.is_some_and(Op::counts_tokens) {
        return;
    }
    let succeeded = facts.error.is_none();
    if succeeded && facts.op.is_some_and(Op::is_inference) && !has_usage(span) && !is_above {
        found.say(&USAGE_MISSING, span);
    }
    if facts.provider.is_none() && !is_above {
        found.say(&PROVIDER_MISSING, span);
    }
    if succeeded && facts.stream == Some(true) && facts.first_chunk.is_none() {
        found.say(&STREAM_WITHOUT_TTFT, span);
    }
    if let Some(model) = facts.response_model.as_deref().or(facts.request_model.as_deref())
        && has_usage(span)
        && facts.cost.is_none()
        && !is_above
    {
        let provider = facts.provider.as_deref().unwrap_or("a provider that is not told");
        found.say_as(&UNPRICED_MODEL, span, format!("{model} of {provider} has no price"), None);
    }
    units(span, found);
}

fn units(span: &Span, found: &mut Found) {
    let facts = &span.facts;
    let lasted = span.end.0.saturating_sub(span.start.0);
    if let Some(first) = facts.first_chunk
        && lasted > 0
        // Clocks are read one after another: a little later than the end is no error.
        && first.as_nanos() > u128::from(lasted) * 2 + 1_000_000_000
    {
        let title = if first.as_nanos() / 1000 <= u128::from(lasted) * 2 {
            "The time to the first chunk is told in milliseconds, not seconds"
        } else {
            "The time to the first chunk is longer than the call"
        };
        found.say_as(&WRONG_UNIT, span, title.to_owned(), Some("gen_ai.response.time_to_first_chunk"));
    }
    let cached = facts.usage.cache_read.unwrap_or(0).saturating_add(facts.usage.cache_write.unwrap_or(0));
    if facts.usage.input.is_some_and(|input| cached > input) {
        let title = "Input tokens are told without the cached ones".to_owned();
        found.say_as(&WRONG_UNIT, span, title, Some("gen_ai.usage.input_tokens"));
    }
}
