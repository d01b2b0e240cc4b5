//! What an operation hands down to those within it, through the OpenTelemetry context.

use std::any::Any;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::baggage::{BaggageExt as _, BaggageMetadata, KeyValueMetadata};
use opentelemetry::{Context, KeyValue};
use otel_genai_semconv::attribute::{
    GEN_AI_AGENT_NAME, GEN_AI_CONVERSATION_ID, GEN_AI_SESSION_ID, GEN_AI_USER_ID,
};

use crate::operation::{Fact, Facts, Field, Kind, Operation};

/// What holds for an operation because of those around it.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    conversation_id: Option<Arc<str>>,
    session_id: Option<Arc<str>>,
    user_id: Option<Arc<str>>,
    agent_name: Option<Arc<str>>,
    /// The calls of the innermost agent.
    calls: Option<Arc<Calls>>,
    /// The innermost operation.
    layer: Option<Arc<Layer>>,
}

/// How often an agent asked a model or ran a tool itself.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    inference: AtomicU64,
    tool: AtomicU64,
}

impl Calls {
    pub(crate) fn inference(&self) -> u64 {
        self.inference.load(Ordering::Relaxed)
    }

    pub(crate) fn tool(&self) -> u64 {
        self.tool.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, inference: u64, tool: u64) {
        self.inference.fetch_add(inference, Ordering::Relaxed);
        self.tool.fetch_add(tool, Ordering::Relaxed);
    }

    /// A call of a model did not happen after all.
    pub(crate) fn take_back(&self) {
        self.inference.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What deeper layers recorded of the same call.
#[derive(Default)]
struct Absorbed {
    /// All that they knew, in one.
    op: Option<Box<dyn Any + Send>>,
    /// What they have to add to the span.
    attributes: Vec<KeyValue>,
    /// Whether the operation has ended.
    over: bool,
}

/// An operation as deeper layers see it that may be recording the same call.
pub(crate) struct Layer {
    kind: Kind,
    /// The tool that runs, if it is one.
    tool: Option<Arc<str>>,
    /// Whether a call was taken for how the tool runs.
    is_taken: AtomicBool,
    absorbed: Mutex<Absorbed>,
}

impl Layer {
    /// Whether the call is of the tool that runs.
    fn is_tool(&self, call: &dyn Facts) -> bool {
        match (call.fact(Field::ToolName), &self.tool) {
            (Some(Fact::Text(called)), Some(tool)) => called == &**tool,
            _ => false,
        }
    }

    /// Takes what a deeper layer recorded, if this one has not ended.
    pub(crate) fn absorb<O: Operation>(&self, op: &O) -> bool {
        let mut absorbed = self.absorbed.lock().unwrap_or_else(PoisonError::into_inner);
        if absorbed.over {
            return false;
        }
        // Later ones knew more of what came back.
        let mut all = op.clone();
        if let Some(known) = absorbed.op.take().and_then(|known| known.downcast::<O>().ok()) {
            all.fill(&known);
        }
        absorbed.op = Some(Box::new(all));
        true
    }

    /// Takes what a deeper layer has to add, if this one has not ended.
    pub(crate) fn add(&self, attributes: &[KeyValue]) -> bool {
        let mut absorbed = self.absorbed.lock().unwrap_or_else(PoisonError::into_inner);
        if !absorbed.over {
            absorbed.attributes.extend_from_slice(attributes);
        }
        !absorbed.over
    }

    /// Fills in what deeper layers knew, and takes no more.
    pub(crate) fn fill<O: Operation>(&self, op: &mut O) -> Vec<KeyValue> {
        let mut absorbed = self.absorbed.lock().unwrap_or_else(PoisonError::into_inner);
        let Absorbed { op: inner, attributes, .. } =
            std::mem::replace(&mut *absorbed, Absorbed { over: true, ..Absorbed::default() });
        if let Some(inner) = inner.and_then(|inner| inner.downcast::<O>().ok()) {
            op.fill(&inner);
        }
        attributes
    }
}

/// How an operation relates to the one around it.
pub(crate) enum Relation {
    /// It is one of its own.
    Own,
    /// It is the same call, seen by a deeper layer: the outer one tells of it.
    Same(Arc<Layer>),
    /// It is how the outer one is done: no span of its own, but it is measured, and has attributes to add.
    Part(Arc<Layer>),
}

impl Surroundings {
    /// What holds in this context.
    pub(crate) fn of(context: &Context, from_baggage: bool) -> Cow<'_, Surroundings> {
        let known = context.get::<Surroundings>();
        // What this process knows goes before what came with the baggage.
        if let Some(known) = known {
            return Cow::Borrowed(known);
        }
        let mut surroundings = Surroundings::default();
        if !from_baggage {
            return Cow::Owned(surroundings);
        }
        let baggage = context.baggage();
        let take = |into: &mut Option<Arc<str>>, key: &str| {
            if into.is_none() {
                *into = baggage.get(key).map(|value| value.as_str().into());
            }
        };
        take(&mut surroundings.conversation_id, GEN_AI_CONVERSATION_ID);
        take(&mut surroundings.session_id, GEN_AI_SESSION_ID);
        take(&mut surroundings.user_id, GEN_AI_USER_ID);
        take(&mut surroundings.agent_name, GEN_AI_AGENT_NAME);
        Cow::Owned(surroundings)
    }

    pub(crate) fn relation<O: Operation>(&self, op: &O) -> Relation {
        let Some(layer) = &self.layer else { return Relation::Own };
        match (layer.kind, op.kind()) {
            (outer, inner) if outer == inner && O::LAYERED => Relation::Same(Arc::clone(layer)),
            (Kind::ExecuteTool, Kind::McpClient)
                if op.fact(Field::OperationName).is_some()
                    && layer.is_tool(op)
                    && !layer.is_taken.swap(true, Ordering::Relaxed) =>
            {
                Relation::Part(Arc::clone(layer))
            }
            _ => Relation::Own,
        }
    }

    /// The calls of the innermost agent, if one of a model would be of its own here.
    pub(crate) fn calls_of_agent(&self) -> Option<Arc<Calls>> {
        let is_same = self.layer.as_ref().is_some_and(|layer| layer.kind == Kind::Inference);
        self.calls.clone().filter(|_| !is_same)
    }

    /// Counts a call of the innermost agent.
    pub(crate) fn count(&self, kind: Kind) {
        let Some(calls) = &self.calls else { return };
        match kind {
            Kind::Inference => calls.inference.fetch_add(1, Ordering::Relaxed),
            Kind::ExecuteTool => calls.tool.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    /// The same context, in which calls of the innermost agent are not counted.
    pub(crate) fn uncounted(context: &Context) -> Context {
        match context.get::<Surroundings>() {
            Some(known) => context.with_value(Surroundings { calls: None, ..known.clone() }),
            None => context.clone(),
        }
    }

    /// What is known of this field because of what is around the operation.
    pub(crate) fn fact(&self, op: &dyn Facts, field: Field) -> Option<Fact<'_>> {
        let is_agent =
            || matches!(op.kind(), Kind::CreateAgent | Kind::InvokeAgentInternal | Kind::InvokeAgentClient);
        match field {
            Field::ConversationId => self.conversation_id.as_deref(),
            Field::SessionId => self.session_id.as_deref(),
            Field::UserId => self.user_id.as_deref(),
            // An agent without a name is not the one around it.
            Field::AgentName if !is_agent() => self.agent_name.as_deref(),
            _ => None,
        }
        .map(Fact::Text)
    }

    /// The context within this operation, made of the one in which its span is current.
    pub(crate) fn inside<O: Operation>(
        &self,
        context: &Context,
        op: &O,
        silent: bool,
        baggage: bool,
    ) -> Inside {
        let (within, handles) = self.within(op, silent);
        let Some(within) = within else { return Inside { context: context.clone(), handles } };
        let entries = if baggage { within.baggage(op) } else { Vec::new() };
        let context = context.with_value(within);
        if entries.is_empty() {
            return Inside { context, handles };
        }
        Inside { context: context.with_baggage(merged(&context, entries)), handles }
    }

    /// What holds within this operation, and its handles for when it ends. `None`: nothing changes. An operation that
    /// leaves nothing (`silent`) takes nothing from deeper layers either.
    fn within<O: Operation>(&self, op: &O, silent: bool) -> (Option<Surroundings>, Handles) {
        let kind = op.kind();
        let is_agent = kind.is_invocation();
        let layered = !silent && (O::LAYERED || kind == Kind::ExecuteTool);
        let text = |field| match op.fact(field) {
            Some(Fact::Text(text)) if !text.is_empty() => Some(Arc::<str>::from(text)),
            _ => None,
        };
        let conversation_id = text(Field::ConversationId);
        let (session_id, user_id) = match kind {
            Kind::Entry => (text(Field::SessionId), text(Field::UserId)),
            _ => (None, None),
        };
        let changes = is_agent
            || layered
            || self.layer.is_some()
            || conversation_id.is_some()
            || session_id.is_some()
            || user_id.is_some();
        if !changes {
            return (None, Handles::default());
        }
        let layer = layered.then(|| {
            Arc::new(Layer {
                kind,
                tool: text(Field::ToolName),
                is_taken: AtomicBool::new(false),
                absorbed: Mutex::default(),
            })
        });
        let calls = is_agent.then(Arc::<Calls>::default);
        let handles = Handles { layer: layer.clone(), calls: calls.clone() };
        let within = Surroundings {
            conversation_id: conversation_id.or_else(|| self.conversation_id.clone()),
            session_id: session_id.or_else(|| self.session_id.clone()),
            user_id: user_id.or_else(|| self.user_id.clone()),
            agent_name: if is_agent { text(Field::AgentName) } else { self.agent_name.clone() },
            calls: calls.or_else(|| self.calls.clone()),
            layer,
        };
        (Some(within), handles)
    }

    /// The same as baggage, which leaves the process.
    fn baggage(&self, op: &dyn Facts) -> Vec<KeyValue> {
        let own = |field, key, value: &Option<Arc<str>>| {
            op.fact(field)?;
            Some(KeyValue::new(key, Arc::clone(value.as_ref()?)))
        };
        [
            own(Field::ConversationId, GEN_AI_CONVERSATION_ID, &self.conversation_id),
            own(Field::SessionId, GEN_AI_SESSION_ID, &self.session_id),
            own(Field::UserId, GEN_AI_USER_ID, &self.user_id),
            own(Field::AgentName, GEN_AI_AGENT_NAME, &self.agent_name),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// What a running operation hands down.
pub(crate) struct Inside {
    /// Where this operation is the current one.
    pub(crate) context: Context,
    pub(crate) handles: Handles,
}

/// What a running operation keeps of what it hands down.
#[derive(Clone, Default)]
pub(crate) struct Handles {
    pub(crate) layer: Option<Arc<Layer>>,
    pub(crate) calls: Option<Arc<Calls>>,
}

/// The baggage with further entries, which win.
fn merged(context: &Context, new: Vec<KeyValue>) -> Vec<KeyValueMetadata> {
    let known = context.baggage();
    let known = known
        .iter()
        .map(|(key, (value, metadata))| KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone()));
    // Of two entries of one key the later one counts.
    let new = new.into_iter().map(|entry| {
        KeyValueMetadata::new(entry.key, entry.value.as_str().into_owned(), BaggageMetadata::default())
    });
    known.chain(new).collect()
}
