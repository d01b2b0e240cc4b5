//! An operation that has been described and not yet started.

use opentelemetry::trace::{
    FutureExt as _, Link, Span as _, SpanContext, SpanKind, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, Key, KeyValue, Value};
use otel_genai_semconv::attribute::ERROR_TYPE;

use crate::ahead::Counted;
use crate::capture::Capture;
use crate::context::{Relation, Surroundings};
use crate::convention::{Name, Told};
use crate::failure::Cause;
use crate::handler::{GenAi, Inner};
use crate::operation::{Facts, Kind, Operation};
use crate::signal;
use crate::span::{Active, Moment, Role, Running};
use crate::unheard;

/// An operation that has been described and not yet started. Everything set here is seen by samplers, as far as the
/// convention gives it to them.
#[derive(Clone, Debug)]
#[must_use = "an operation that is not started records nothing: call start() or scope()"]
pub struct Pending<O: Operation> {
    genai: GenAi,
    /// Boxed, because it is large and moves at each step of its description.
    op: Box<O>,
    parent: Option<Context>,
    at: Option<Moment>,
    capture: Option<Capture>,
    in_process: bool,
    distinct: bool,
    links: Vec<SpanContext>,
    counted: Option<Counted>,
}

impl<O: Operation> Pending<O> {
    pub(crate) fn new(genai: GenAi, op: O) -> Self {
        Pending {
            genai,
            op: Box::new(op),
            parent: None,
            at: None,
            capture: None,
            in_process: false,
            distinct: false,
            links: Vec::new(),
            counted: None,
        }
    }

    /// The parent, where it is not the current context.
    pub fn parent(mut self, parent: Context) -> Self {
        self.parent = Some(parent);
        self
    }

    /// When the operation began, where it is told afterwards.
    pub fn at(mut self, moment: Moment) -> Self {
        self.at = Some(moment);
        self
    }

    /// Another span that has to do with this operation and is not its parent.
    pub fn link(mut self, span: SpanContext) -> Self {
        self.links.push(span);
        self
    }

    /// Where the content of this operation is recorded, whatever holds for the others.
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = Some(capture);
        self
    }

    /// The model (the store, the service) runs in this process: the span is INTERNAL instead of CLIENT.
    pub fn in_process(mut self) -> Self {
        self.in_process = true;
        self
    }

    /// This is a call of its own, although one of its kind is around it: a guardrail's, a router's or a fallback's call
    /// within another. Otherwise a model call directly within a model call is taken for the same call, seen by a deeper
    /// layer (a framework over an instrumented client), and told once.
    pub fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }

    /// It has counted for its agent when it was made.
    #[doc(hidden)]
    pub fn counted(mut self, counted: Option<Counted>) -> Self {
        self.counted = counted;
        self
    }

    /// A further attribute of the span and, where the convention allows it, the event. It wins over the convention's
    /// own attribute of that name, `error.type` apart.
    pub fn attribute(self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.with(|op| op.custom_mut().attributes.push(KeyValue::new(key, value)))
    }

    /// A further attribute of the metrics, which wins there likewise. Keep its cardinality low.
    pub fn metric_attribute(self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.with(|op| op.custom_mut().metric_attributes.push(KeyValue::new(key, value)))
    }

    /// Changes the operation's data: `pending.with(|op| op.request.temperature = Some(0.2))`.
    pub fn with(mut self, change: impl FnOnce(&mut O)) -> Self {
        change(&mut self.op);
        self
    }

    /// Starts the operation. It runs until it is finished, failed or dropped.
    pub fn start(self) -> Active<O> {
        let Pending { genai, op, parent, at, capture, in_process, distinct, mut links, counted } = self;
        let at = at.unwrap_or_else(Moment::now);
        let parent = parent.unwrap_or_else(Context::current);
        let inner = genai.inner();
        let surroundings = Surroundings::of(&parent, inner.baggage).into_owned();
        let mut role = if GenAi::is_suppressed(&parent) {
            Role::Unseen
        } else if distinct {
            Role::Own
        } else {
            match surroundings.relation(&*op) {
                Relation::Own => Role::Own,
                Relation::Same(layer) => Role::Same(layer),
                Relation::Part(layer) => Role::Part(layer),
            }
        };
        let tellings = inner.conventions.describe(op.kind());
        let running = tellings.map(|telling| {
            let telling = telling.filter(|_| !matches!(role, Role::Unseen))?;
            let told = Told {
                op: &*op,
                surroundings: &surroundings,
                operation: telling.description.operation,
                failed: false,
            };
            Some(Running { telling, identity: signal::identity(telling, &told) })
        });

        let mut context = parent;
        let mut given = Vec::new();
        let mut recording = false;
        if matches!(role, Role::Own) {
            let links = std::mem::take(&mut links);
            let begun = begin(inner, &*op, &surroundings, &running, &context, at, in_process, links);
            if let Some(begun) = begun {
                Begun { context, given, recording } = begun;
            }
            if !recording && inner.tells_spans_alone() {
                role = Role::Silent;
            }
            match counted.filter(|_| op.kind() == Kind::Inference) {
                Some(counted) => counted.keep(),
                None => surroundings.count(op.kind()),
            }
        }
        let plan = inner.plan(capture);
        // A deeper layer's content stands on the outer one's span.
        if matches!(role, Role::Same(_) | Role::Part(_)) {
            recording = context.span().is_recording();
        }
        let plan = plan.of_span(recording, matches!(role, Role::Unseen), O::CONVERSATION);
        let active =
            Active::new(op, genai, context, at, running, given, in_process, links, surroundings, role, plan);
        // An agent's calls are counted where there are none, too.
        if active.kind().is_invocation() {
            active.inside();
        }
        active
    }

    /// Runs `body` as this operation: it is the parent of all that happens within, ends when `body` ends, and an
    /// `Err` becomes its error. A future that is dropped half-way ends it as cancelled.
    pub async fn scope<T, E, F>(self, body: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Active<O>) -> Result<T, E>,
        for<'a> &'a E: Cause,
    {
        let mut active = self.start();
        let context = active.context().clone();
        let result = body(&mut active).with_context(context).await;
        active.end_with(result)
    }

    /// The same for code that does not wait.
    pub fn in_scope<T, E, F>(self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut Active<O>) -> Result<T, E>,
        for<'a> &'a E: Cause,
    {
        let mut active = self.start();
        let guard = active.attach();
        let result = body(&mut active);
        drop(guard);
        active.end_with(result)
    }
}

/// A span that has been started.
pub(crate) struct Begun {
    /// The context in which it is current.
    pub(crate) context: Context,
    /// The keys of the user's own attributes that it has.
    pub(crate) given: Vec<Key>,
    /// Whether it is recorded.
    pub(crate) recording: bool,
}

/// Starts the span, if there is one.
#[expect(clippy::too_many_arguments, reason = "all that is known when an operation starts")]
pub(crate) fn begin(
    inner: &Inner,
    op: &dyn Facts,
    surroundings: &Surroundings,
    running: &[Option<Running>; 2],
    parent: &Context,
    at: Moment,
    in_process: bool,
    links: Vec<SpanContext>,
) -> Option<Begun> {
    let first = running.iter().flatten().next()?;
    let description = first.telling.description;
    if matches!(description.name, Name::None) {
        return None;
    }
    let told = Told { op, surroundings, operation: description.operation, failed: false };
    let kind = match description.kind {
        SpanKind::Client if in_process => SpanKind::Internal,
        ref kind => kind.clone(),
    };
    // With room for what is added at the end.
    let mut attributes = Vec::with_capacity(signal::ATTRIBUTES);
    attributes.extend_from_slice(&first.identity);
    for second in running.iter().flatten().skip(1) {
        signal::add_missing(&mut attributes, second.identity.clone());
    }
    // The user's own attributes win, also at samplers.
    let mut given = Vec::new();
    for custom in op.custom().attributes.iter().filter(|custom| custom.key.as_str() != ERROR_TYPE) {
        given.push(custom.key.clone());
        signal::replace(&mut attributes, custom.clone());
    }
    let mut builder = inner
        .tracer
        .span_builder(told.span_name(&description.name))
        .with_kind(kind)
        .with_start_time(at.system)
        .with_attributes(attributes);
    if !links.is_empty() {
        builder = builder.with_links(links.into_iter().map(|link| Link::new(link, Vec::new(), 0)).collect());
    }
    let span = builder.start_with_context(&inner.tracer, parent);
    let recording = span.is_recording();
    unheard::begun();
    if inner.of_globals {
        unheard::listen(span.span_context(), parent.span().span_context());
    }
    Some(Begun { context: parent.with_span(span), given, recording })
}
