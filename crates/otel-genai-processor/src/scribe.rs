//! A tracer whose spans go nowhere: it writes down what the handler says of an operation, so that somebody else's span
//! can say it.

use std::borrow::Cow;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanBuilder, SpanContext, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue};

/// What the handler said of one operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Option<SpanKind>,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) status: Status,
}

/// Whose span it is, and where to write; lies in the context that is the operation's parent.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) span: SpanContext,
    pub(crate) told: Arc<Mutex<Option<Told>>>,
}

impl Page {
    pub(crate) fn new(span: SpanContext) -> Self {
        Page { span, told: Arc::default() }
    }

    /// What was written, once the operation has ended.
    pub(crate) fn read(&self) -> Option<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Makes [`Scribe`]s.
#[derive(Clone, Debug)]
pub(crate) struct Scribes;

impl TracerProvider for Scribes {
    type Tracer = Scribe;

    fn tracer_with_scope(&self, _: InstrumentationScope) -> Scribe {
        Scribe
    }
}

/// The tracer.
#[derive(Debug)]
pub(crate) struct Scribe;

impl Tracer for Scribe {
    type Span = Writing;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Writing {
        let page = parent.get::<Page>().cloned().unwrap_or_else(|| Page::new(SpanContext::NONE));
        let told = Told {
            name: builder.name,
            kind: builder.span_kind,
            attributes: builder.attributes.unwrap_or_default(),
            status: Status::Unset,
        };
        Writing { page, told }
    }
}

/// The span: open until it ends, and then a page is full.
#[derive(Debug)]
pub(crate) struct Writing {
    page: Page,
    told: Told,
}

impl Span for Writing {
    fn add_event_with_timestamp<T>(&mut self, _: T, _: SystemTime, _: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
    }

    fn record_error(&mut self, _: &dyn Error) {}

    fn span_context(&self) -> &SpanContext {
        &self.page.span
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.told.attributes.push(attribute);
    }

    fn set_status(&mut self, status: Status) {
        self.told.status = status;
    }

    fn update_name<T>(&mut self, name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        self.told.name = name.into();
    }

    fn add_link(&mut self, _: SpanContext, _: Vec<KeyValue>) {}

    fn end_with_timestamp(&mut self, _: SystemTime) {
        let mut page = self.page.told.lock().unwrap_or_else(PoisonError::into_inner);
        *page = Some(std::mem::take(&mut self.told));
    }
}
