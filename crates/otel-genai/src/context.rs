//! What an operation hands down to those within it, through the OpenTelemetry context.

use std::any::Any;
use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::baggage::BaggageExt as _;
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
}

/// An operation as deeper layers see it that may be recording the same call.
pub(crate) struct Layer {
    kind: Kind,
    /// What deeper layers recorded of the same call, the earliest first. `None`: the operation has ended.
    absorbed: Mutex<Option<Vec<Box<dyn Any + Send>>>>,
    /// What they have to add to the span.
    attributes: Mutex<Vec<KeyValue>>,
}

impl Layer {
    /// Takes what a deeper layer recorded, if this one has not ended.
    pub(crate) fn absorb<O: Operation>(&self, op: &O) -> bool {
        let mut absorbed = self.absorbed.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *absorbed {
            Some(absorbed) => {
                absorbed.push(Box::new(op.clone()));
                true
            }
            None => false,
        }
    }

    pub(crate) fn add(&self, attributes: Vec<KeyValue>) {
        self.attributes.lock().unwrap_or_else(PoisonError::into_inner).extend(attributes);
    }

    /// Fills in what deeper layers knew. Later ones knew more of what came back.
    pub(crate) fn fill<O: Operation>(&self, op: &mut O) -> Vec<KeyValue> {
        let absorbed = self.absorbed.lock().unwrap_or_else(PoisonError::into_inner).take();
        for inner in absorbed.iter().flatten().rev().filter_map(|inner| inner.downcast_ref::<O>()) {
            op.fill(inner);
        }
        std::mem::take(&mut *self.attributes.lock().unwrap_or_else(PoisonError::into_inner))
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
        if !from_baggage {
            return known.map_or_else(|| Cow::Owned(Surroundings::default()), Cow::Borrowed);
        }
        let mut surroundings = known.cloned().unwrap_or_default();
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
            (Kind::ExecuteTool, Kind::McpClient) if op.fact(Field::OperationName).is_some() => {
                Relation::Part(Arc::clone(layer))
            }
            _ => Relation::Own,
        }
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

    /// What holds within this operation, and its handles for when it ends. `None`: nothing changes. An operation that
    /// leaves nothing (`silent`) takes nothing from deeper layers either.
    pub(crate) fn within<O: Operation>(&self, op: &O, silent: bool) -> (Option<Surroundings>, Handles) {
        let kind = op.kind();
        let is_agent = matches!(kind, Kind::InvokeAgentInternal | Kind::InvokeAgentClient);
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
            Arc::new(Layer { kind, absorbed: Mutex::new(Some(Vec::new())), attributes: Mutex::default() })
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
    pub(crate) fn baggage(&self, op: &dyn Facts) -> Vec<KeyValue> {
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

/// What a running operation keeps of what it hands down.
#[derive(Clone, Default)]
pub(crate) struct Handles {
    pub(crate) layer: Option<Arc<Layer>>,
    pub(crate) calls: Option<Arc<Calls>>,
}
