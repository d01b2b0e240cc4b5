//! A trace that is handed to a process in `TRACEPARENT` is continued by the calls that have none of their own.

use otel_genai::opentelemetry::propagation::Extractor;
use otel_genai::opentelemetry::trace::{SpanBuilder, TraceContextExt as _, Tracer, TracerProvider};
use otel_genai::opentelemetry::{Context, InstrumentationScope, global};

/// The trace that we are part of, as the propagators in force read it from the environment.
pub(crate) fn context() -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &Variables))
}

/// Headers as environment variables: `traceparent` is `TRACEPARENT`.
struct Variables;

/// Extractors hand out references; these are read once in a process.
static CARRIER: std::sync::LazyLock<Vec<(&'static str, String)>> = std::sync::LazyLock::new(|| {
    let read = |name: &'static str| Some((name, std::env::var(name.to_ascii_uppercase()).ok()?));
    ["traceparent", "tracestate", "baggage"].into_iter().filter_map(read).collect()
});

impl Extractor for Variables {
    fn get(&self, key: &str) -> Option<&str> {
        CARRIER.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        CARRIER.iter().map(|(name, _)| *name).collect()
    }
}

/// A tracer provider whose spans without a parent get this one.
#[derive(Clone, Debug)]
pub(crate) struct Inherited<P> {
    pub(crate) provider: P,
    pub(crate) parent: Context,
}

/// Its tracer.
#[derive(Debug)]
pub(crate) struct InheritedTracer<T> {
    tracer: T,
    parent: Context,
}

impl<P: TracerProvider> TracerProvider for Inherited<P> {
    type Tracer = InheritedTracer<P::Tracer>;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Self::Tracer {
        InheritedTracer { tracer: self.provider.tracer_with_scope(scope), parent: self.parent.clone() }
    }
}

impl<T: Tracer> Tracer for InheritedTracer<T> {
    type Span = T::Span;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> T::Span {
        let has_parent = parent.span().span_context().is_valid();
        self.tracer.build_with_context(builder, if has_parent { parent } else { &self.parent })
    }
}
