//! How answers were judged: events that may come long after the call.

use std::collections::HashMap;
use std::sync::Arc;

use otel_genai_store::{Attributes, Nanos, SpanKey};

use super::{Evaluation, Evidence};

const EVENT: &str = "gen_ai.evaluation.result";

/// Evaluations by what they name.
#[derive(Default)]
pub(super) struct Evaluations {
    pub(super) of_span: HashMap<SpanKey, Vec<Evaluation>>,
    pub(super) of_response: HashMap<Arc<str>, Vec<Evaluation>>,
}

pub(super) fn evaluations(evidence: &Evidence<'_>) -> Evaluations {
    let mut found = Evaluations::default();
    for span in evidence.spans {
        for event in span.events.iter().filter(|event| event.name.as_ref() == EVENT) {
            let told = evaluation(&event.attributes, event.time, Some(span.key));
            found.of_span.entry(span.key).or_default().push(told);
        }
    }
    for log in evidence.logs.iter().filter(|log| log.event.as_deref() == Some(EVENT)) {
        let span = log.trace.zip(log.span).map(|(trace, span)| SpanKey { trace, span, variant: 0 });
        let told = evaluation(&log.attributes, log.moment(), span);
        match (span, log.attributes.text("gen_ai.response.id")) {
            (_, Some(response)) => found.of_response.entry(response.into()).or_default().push(told),
            (Some(span), None) => found.of_span.entry(span).or_default().push(told),
            (None, None) => {}
        }
    }
    found
}

fn evaluation(attributes: &Attributes, at: Nanos, span: Option<SpanKey>) -> Evaluation {
    let text = |key: &str| attributes.text(key).map(std::borrow::Cow::into_owned);
    Evaluation {
        name: text("gen_ai.evaluation.name").as_deref().unwrap_or("evaluation").into(),
        score: attributes.float("gen_ai.evaluation.score.value"),
        label: text("gen_ai.evaluation.score.label"),
        explanation: text("gen_ai.evaluation.explanation"),
        at,
        span,
        by: None,
    }
}
