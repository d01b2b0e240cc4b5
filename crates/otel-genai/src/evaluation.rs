//! Evaluations: how good an answer is, said by whoever judged it.

use std::time::SystemTime;

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry::{Context, Key};
use otel_genai_semconv::attribute::{
    ERROR_TYPE, GEN_AI_EVALUATION_EXPLANATION, GEN_AI_EVALUATION_NAME, GEN_AI_EVALUATION_SCORE_LABEL,
    GEN_AI_EVALUATION_SCORE_VALUE, GEN_AI_RESPONSE_ID,
};

use crate::failure::Cause;
use crate::handler::GenAi;
use crate::signal::Record;

/// The result of judging an answer (conventions, event `gen_ai.evaluation.result`), made by
/// [`GenAi::evaluation`] and recorded by [`record`](Evaluation::record).
///
/// ```
/// # use otel_genai::GenAi;
/// # let genai = GenAi::global();
/// let call = genai.chat("openai", "gpt-4o-mini").start();
/// let context = call.context().clone();
/// call.finish();
/// // Later, and maybe elsewhere:
/// genai.evaluation("relevance").score(0.85).label("relevant").of(&context).record();
/// ```
#[derive(Debug)]
#[must_use = "an evaluation is recorded by record()"]
pub struct Evaluation {
    genai: GenAi,
    span: Option<SpanContext>,
    attributes: Vec<(Key, AnyValue)>,
}

impl GenAi {
    /// The result of an evaluation, by the name of what was judged: `relevance`, `toxicity`, ... Recorded as an event,
    /// so it needs a logger provider; `loongsuite` and `v1.30` have no such event.
    pub fn evaluation(&self, name: impl Into<String>) -> Evaluation {
        let evaluation = Evaluation { genai: self.clone(), span: None, attributes: Vec::new() };
        evaluation.set(GEN_AI_EVALUATION_NAME, name.into())
    }
}

impl Evaluation {
    /// The score. One that is no number is left out.
    pub fn score(self, value: f64) -> Self {
        if !value.is_finite() {
            return self;
        }
        self.set(GEN_AI_EVALUATION_SCORE_VALUE, value)
    }

    /// The score in a word; one of few.
    pub fn label(self, label: impl Into<String>) -> Self {
        self.set(GEN_AI_EVALUATION_SCORE_LABEL, label.into())
    }

    /// Why.
    pub fn explanation(self, explanation: impl Into<String>) -> Self {
        let explanation = self.genai.inner().pipeline.text(explanation.into());
        self.set(GEN_AI_EVALUATION_EXPLANATION, explanation)
    }

    /// The id of the answer that was judged, where its span is not known.
    pub fn response_id(self, id: impl Into<String>) -> Self {
        self.set(GEN_AI_RESPONSE_ID, id.into())
    }

    /// The operation that was judged: its [`context`](crate::Active::context). Otherwise the current one.
    pub fn of(mut self, operation: &Context) -> Self {
        self.span = Some(operation.span().span_context().clone());
        self
    }

    /// A further attribute.
    pub fn attribute(mut self, key: impl Into<Key>, value: impl Into<AnyValue>) -> Self {
        let key = key.into();
        self.attributes.retain(|(known, _)| *known != key);
        self.attributes.push((key, value.into()));
        self
    }

    /// Records the result.
    pub fn record(self) {
        self.emit();
    }

    /// Records that the evaluation itself failed.
    pub fn fail(self, cause: impl Cause) {
        let failure = cause.failure(&self.genai.inner().error_types);
        self.set(ERROR_TYPE, failure.error_type).emit();
    }

    fn set(self, key: &'static str, value: impl Into<AnyValue>) -> Self {
        self.attribute(Key::from_static_str(key), value)
    }

    fn emit(self) {
        let inner = self.genai.inner();
        let Some(events) = &inner.events else { return };
        let conventions = [Some(inner.conventions.first()), inner.conventions.second()];
        let known = conventions.into_iter().flatten().find_map(|name| name.convention().evaluation);
        let Some(name) = known else { return };
        let current = Context::current();
        let span = self.span.unwrap_or_else(|| current.span().span_context().clone());
        let record = Record { name, severity: None, attributes: self.attributes, body: None };
        events.emit(record, SystemTime::now(), &span);
    }
}
