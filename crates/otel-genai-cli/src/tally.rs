//! Counts what passed, for the last line: from the metrics, which do not depend on sampling or on where anything is
//! exported to.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use otel_genai::opentelemetry::metrics::{
    Counter, Histogram, HistogramBuilder, InstrumentBuilder, InstrumentProvider, Meter, MeterProvider,
    SyncInstrument,
};
use otel_genai::opentelemetry::{InstrumentationScope, KeyValue};
use otel_genai_semconv::{attribute, metric};

/// Calls and tokens so far. All clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    errors: AtomicU64,
    input: AtomicU64,
    output: AtomicU64,
}

impl Tally {
    /// The same provider; what is recorded through it is counted too.
    pub(crate) fn around<P>(&self, provider: P) -> Counted<P> {
        Counted { provider, counts: Arc::clone(&self.0) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.calls.load(Relaxed) == 0
    }
}

/// `2 calls, 35 tokens in, 40 out, 1 error`
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [calls, errors, input, output] =
            [&self.0.calls, &self.0.errors, &self.0.input, &self.0.output].map(|count| count.load(Relaxed));
        write!(f, "{calls} model {}", if calls == 1 { "call" } else { "calls" })?;
        if input > 0 || output > 0 {
            write!(f, ", {input} tokens in, {output} out")?;
        }
        match errors {
            0 => Ok(()),
            1 => f.write_str(", 1 error"),
            _ => write!(f, ", {errors} errors"),
        }
    }
}

/// A meter provider that is listened to.
#[derive(Clone, Debug)]
pub(crate) struct Counted<P> {
    provider: P,
    counts: Arc<Counts>,
}

impl<P: MeterProvider> MeterProvider for Counted<P> {
    fn meter_with_scope(&self, scope: InstrumentationScope) -> Meter {
        let meter = self.provider.meter_with_scope(scope);
        Meter::new(Arc::new(CountedMeter { meter, counts: Arc::clone(&self.counts) }))
    }
}

struct CountedMeter {
    meter: Meter,
    counts: Arc<Counts>,
}

/// The builders have the same methods, but no trait in common.
macro_rules! describe {
    ($builder:ident, $told:ident) => {
        if let Some(description) = $told.description {
            $builder = $builder.with_description(description);
        }
        if let Some(unit) = $told.unit {
            $builder = $builder.with_unit(unit);
        }
    };
}

/// The kinds of instrument that GenAI metrics are made of.
impl InstrumentProvider for CountedMeter {
    fn u64_counter(&self, told: InstrumentBuilder<'_, Counter<u64>>) -> Counter<u64> {
        let mut counter = self.meter.u64_counter(told.name);
        describe!(counter, told);
        counter.build()
    }

    fn u64_histogram(&self, told: HistogramBuilder<'_, Histogram<u64>>) -> Histogram<u64> {
        let mut histogram = self.meter.u64_histogram(told.name.clone());
        describe!(histogram, told);
        if let Some(boundaries) = told.boundaries {
            histogram = histogram.with_boundaries(boundaries);
        }
        self.counted(&told.name, histogram.build(), |value| value)
    }

    fn f64_histogram(&self, told: HistogramBuilder<'_, Histogram<f64>>) -> Histogram<f64> {
        let mut histogram = self.meter.f64_histogram(told.name.clone());
        describe!(histogram, told);
        if let Some(boundaries) = told.boundaries {
            histogram = histogram.with_boundaries(boundaries);
        }
        self.counted(&told.name, histogram.build(), |_| 0)
    }
}

impl CountedMeter {
    fn counted<T: Copy + Send + Sync + 'static>(
        &self,
        name: &str,
        inner: Histogram<T>,
        whole: fn(T) -> u64,
    ) -> Histogram<T> {
        let what = match name {
            metric::GEN_AI_CLIENT_OPERATION_DURATION => What::Calls,
            metric::GEN_AI_CLIENT_TOKEN_USAGE => What::Tokens,
            _ => return inner,
        };
        Histogram::new(Arc::new(CountedHistogram { inner, what, whole, counts: Arc::clone(&self.counts) }))
    }
}

struct CountedHistogram<T> {
    inner: Histogram<T>,
    what: What,
    whole: fn(T) -> u64,
    counts: Arc<Counts>,
}

#[derive(Clone, Copy)]
enum What {
    Calls,
    Tokens,
}

impl<T: Copy + Send + Sync> SyncInstrument<T> for CountedHistogram<T> {
    fn measure(&self, value: T, attributes: &[KeyValue]) {
        let counts = &self.counts;
        let find = |key: &str| attributes.iter().find(|attribute| attribute.key.as_str() == key);
        match self.what {
            What::Calls => {
                counts.calls.fetch_add(1, Relaxed);
                if find(attribute::ERROR_TYPE).is_some() {
                    counts.errors.fetch_add(1, Relaxed);
                }
            }
            What::Tokens => {
                let kind = find(attribute::GEN_AI_TOKEN_TYPE).map(|attribute| attribute.value.as_str());
                let count = if kind.as_deref() == Some("input") { &counts.input } else { &counts.output };
                count.fetch_add((self.whole)(value), Relaxed);
            }
        }
        self.inner.record(value, attributes);
    }
}

#[cfg(test)]
mod tests {
    use otel_genai::GenAi;
    use otel_genai::opentelemetry::metrics::NoopMeterProvider;

    use super::*;

    #[derive(Clone)]
    struct Nowhere;

    impl MeterProvider for Nowhere {
        fn meter_with_scope(&self, scope: InstrumentationScope) -> Meter {
            NoopMeterProvider::new().meter_with_scope(scope)
        }
    }

    #[test]
    fn calls_tokens_and_errors_are_counted() {
        let tally = Tally::default();
        assert!(tally.is_empty());
        let genai = GenAi::builder().meter_provider(&tally.around(Nowhere)).build();
        let mut call = genai.chat("openai", "m").start();
        call.usage(15, 20);
        call.finish();
        assert_eq!(tally.to_string(), "1 model call, 15 tokens in, 20 out");
        genai.chat("openai", "m").start().fail(&std::io::Error::other("x"));
        assert_eq!(tally.to_string(), "2 model calls, 15 tokens in, 20 out, 1 error");
    }
}
