//! The span processor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use otel_genai::{Builder, GenAi};

use crate::emit::{Options, rewrite, tell};
use crate::nesting::Nesting;
use crate::recognise::{recognise, shape};
use crate::scribe::Scribes;

/// The name of the instrumentation scope of this project's own spans.
const OWN: &str = "otel-genai";

/// Wraps a span processor: GenAI spans made by others reach it in the chosen convention, and their metrics and events
/// are made on the way. See the [crate's documentation](crate).
#[derive(Debug)]
pub struct GenAiSpanProcessor<P> {
    next: P,
    /// Made at the first span that needs it, unless it was given.
    genai: OnceLock<GenAi>,
    options: Options,
    nesting: Nesting,
}

impl<P: SpanProcessor> GenAiSpanProcessor<P> {
    /// Wraps `next` with the environment's settings (`OTEL_GENAI_CONVENTION` and the others of
    /// [`otel_genai::config`]).
    ///
    /// Metrics go to OpenTelemetry's global meter provider as it is at the first GenAI span. OpenTelemetry has no
    /// global logger provider: for events see [`handler`](GenAiSpanProcessor::handler).
    pub fn new(next: P) -> Self {
        GenAiSpanProcessor {
            next,
            genai: OnceLock::new(),
            options: Options::default(),
            nesting: Nesting::default(),
        }
    }

    /// Settings of your own: convention, capture, redaction, limits, and where metrics and events go. The tracer
    /// provider is none of them, because spans go to the wrapped processor.
    ///
    /// ```
    /// use opentelemetry_sdk::logs::SdkLoggerProvider;
    /// use opentelemetry_sdk::metrics::SdkMeterProvider;
    /// use opentelemetry_sdk::trace::{InMemorySpanExporter, SimpleSpanProcessor};
    /// use otel_genai::ConventionName;
    /// use otel_genai_processor::GenAiSpanProcessor;
    ///
    /// # let loggers = SdkLoggerProvider::builder().build();
    /// # let meters = SdkMeterProvider::builder().build();
    /// let next = SimpleSpanProcessor::new(InMemorySpanExporter::default());
    /// let processor = GenAiSpanProcessor::new(next).handler(|handler| {
    ///     handler.convention(ConventionName::V2026_10).logger_provider(&loggers).meter_provider(&meters)
    /// });
    /// # let _ = processor;
    /// ```
    #[must_use]
    pub fn handler(mut self, build: impl FnOnce(Builder) -> Builder) -> Self {
        self.genai = OnceLock::from(build(GenAi::builder()).tracer_provider(&Scribes).build());
        self
    }

    /// Content stands only where the handler's settings want it: without
    /// `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` nowhere. Prompts, answers, arguments and documents are
    /// taken off recognised spans and their events, in whichever words they stand there, understood or not.
    ///
    /// Otherwise what the program chose to record stays on its span, in the convention's words where they are understood,
    /// and redacted.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.options.strict = true;
        self
    }

    /// Leaves out attributes that were understood and are told in the convention's words. Otherwise both stand there, so
    /// that dashboards made for the old ones go on.
    #[must_use]
    pub fn drop_originals(mut self) -> Self {
        self.options.drop_originals = true;
        self
    }

    /// Rewrites spans and does nothing else. For all but one of several processors that get the same spans: each call
    /// is to be measured once.
    #[must_use]
    pub fn rewrite_only(mut self) -> Self {
        self.options.rewrite_only = true;
        self
    }

    fn genai(&self) -> &GenAi {
        self.genai.get_or_init(|| GenAi::builder().tracer_provider(&Scribes).build())
    }

    /// Tells of the span's call, if it is one, and makes the span say it.
    fn process(&self, span: &mut SpanData) {
        let kind = shape(span).map(|shape| shape.kind());
        let ended = self.nesting.ended(span, kind);
        // Our own library has told of it.
        if kind.is_none() || span.instrumentation_scope.name() == OWN {
            return;
        }
        let Some(recognised) = recognise(span) else { return };
        let genai = self.genai();
        if let Some(told) = tell(genai, &recognised, span, ended, self.options) {
            rewrite(span, told, &recognised, genai, self.options);
        }
    }
}

impl<P: SpanProcessor> SpanProcessor for GenAiSpanProcessor<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        // Telemetry never breaks the program whose spans these are.
        if catch_unwind(AssertUnwindSafe(|| self.process(&mut span))).is_err() {
            static SAID: Once = Once::new();
            SAID.call_once(|| {
                tracing::warn!(
                    target: "otel_genai_processor",
                    "a GenAI span could not be rewritten because of a panic: such spans pass as far as they are"
                );
            });
        }
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}
