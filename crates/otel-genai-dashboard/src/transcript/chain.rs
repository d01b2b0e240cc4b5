//! Which calls are one conversation: an agent's, or what belongs together otherwise.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use otel_genai_store::{Nanos, Op, SpanKey, TraceId};

use super::collect::{Collected, Node};

/// The conversations, and which call is of which.
pub(super) struct Chains {
    pub(super) list: Vec<Link>,
    /// By the number of the call's node.
    pub(super) of_node: Vec<usize>,
    of_span: HashMap<usize, usize>,
}

/// A conversation.
pub(super) struct Link {
    pub(super) agent: Option<Arc<str>>,
    pub(super) span: Option<usize>,
    pub(super) parent: Option<usize>,
}

impl Chains {
    pub(super) fn of_span(&self, span: usize) -> Option<usize> {
        self.of_span.get(&span).copied()
    }
}

/// What makes calls one conversation.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    /// An agent's or workflow's span; in a workflow also whose calls they are.
    Span(usize, Option<Arc<str>>),
    /// An agent without a span of its own.
    Agent(Option<TraceId>, Option<Arc<str>>, Arc<str>),
    Conversation(Arc<str>, Arc<str>),
    Trace(Option<TraceId>),
}

struct Found {
    key: Key,
    at: Nanos,
    span: Option<usize>,
    agent: Option<Arc<str>>,
    parent: Option<Key>,
}

pub(super) fn chains(collected: &Collected<'_>) -> Chains {
    let spans = &collected.spans;
    let traces: HashSet<TraceId> = spans.iter().map(|(_, span)| span.key.trace).collect();
    let several = traces.len() > 1;
    let around = |at: usize| collected.agent_of.get(at).copied().flatten();
    let of_agent = |at: usize| -> Key {
        let facts = spans.get(at).map(|span| &span.facts);
        let conversation = facts.and_then(|facts| facts.conversation.clone());
        match conversation.filter(|_| several && around(at).is_none()) {
            // A conversation over several traces: an agent goes on where it ended in the trace before.
            Some(conversation) => {
                let name = facts.and_then(|facts| facts.agent.clone()).unwrap_or_default();
                Key::Agent(None, Some(conversation), name)
            }
            None => Key::Span(at, None),
        }
    };

    let mut found: Vec<Found> = Vec::new();
    let mut by_key: HashMap<Key, usize> = HashMap::new();
    let mut enter = |one: Found| match by_key.get(&one.key) {
        Some(known) => {
            if let Some(known) = found.get_mut(*known) {
                known.at = known.at.min(one.at);
                known.span = known.span.or(one.span);
                known.agent = known.agent.take().or(one.agent);
            }
        }
        None => {
            by_key.insert(one.key.clone(), found.len());
            found.push(one);
        }
    };
    let mut span_keys: Vec<(usize, Key)> = Vec::new();
    for (at, span) in
        spans.iter().filter(|(_, span)| matches!(span.facts.op, Some(Op::InvokeAgent | Op::InvokeWorkflow)))
    {
        let key = of_agent(at);
        span_keys.push((at, key.clone()));
        let facts = &span.facts;
        let agent = facts.agent.clone().or_else(|| facts.workflow.clone()).or_else(|| facts.agent_id.clone());
        enter(Found { key, at: span.start, span: Some(at), agent, parent: around(at).map(of_agent) });
    }
    let mut node_keys: Vec<Key> = Vec::new();
    for node in &collected.nodes {
        let (key, parent) = key_of(collected, node, several, &of_agent);
        node_keys.push(key.clone());
        let agent = node.facts.agent.clone().or_else(|| node.facts.agent_id.clone());
        enter(Found { key, at: node.at, span: None, agent, parent });
    }

    // In the order in which they began, those around first.
    let key_of_span = |one: &Found| one.span.and_then(|span| spans.get(span)).map(|span| span.key);
    let mut order: Vec<(Nanos, u8, Option<SpanKey>, usize)> = found
        .iter()
        .enumerate()
        .map(|(at, one)| (one.at, u8::from(one.parent.is_some()), key_of_span(one), at))
        .collect();
    order.sort_by(|a, b| {
        (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then_with(|| {
            let key = |at: usize| found.get(at).map(|one| &one.key);
            key(a.3).cmp(&key(b.3))
        })
    });
    let place: HashMap<&Key, usize> =
        order.iter().enumerate().filter_map(|(id, (.., at))| Some((&found.get(*at)?.key, id))).collect();
    let list = order.iter().filter_map(|(.., at)| {
        let one = found.get(*at)?;
        let parent = one.parent.as_ref().and_then(|key| place.get(key).copied());
        Some(Link { agent: one.agent.clone(), span: one.span, parent })
    });
    Chains {
        list: list.collect(),
        of_node: node_keys.iter().map(|key| place.get(key).copied().unwrap_or(0)).collect(),
        of_span: span_keys.iter().filter_map(|(at, key)| Some((*at, *place.get(key)?))).collect(),
    }
}

/// Which conversation a call is of, and in which that one stands.
fn key_of(
    collected: &Collected<'_>,
    node: &Node<'_>,
    several: bool,
    of_agent: &impl Fn(usize) -> Key,
) -> (Key, Option<Key>) {
    let spans = &collected.spans;
    let own = node.span.filter(|at| matches!(spans.op(*at), Some(Op::InvokeAgent | Op::InvokeWorkflow)));
    let agent = own.or_else(|| collected.agent_of.get(node.span?).copied().flatten());
    let name = node.facts.agent.clone().or_else(|| node.facts.agent_id.clone());
    if let Some(at) = agent {
        let key = of_agent(at);
        let around = collected.agent_of.get(at).copied().flatten().map(of_agent);
        return match (spans.op(at), name, own) {
            // In a workflow without agents' spans each agent has its own conversation.
            (Some(Op::InvokeWorkflow), Some(name), None) => (Key::Span(at, Some(name)), Some(key)),
            _ => (key, around),
        };
    }
    let conversation = node.facts.conversation.clone();
    let key = match (name, conversation) {
        (Some(name), conversation) if several && conversation.is_some() => {
            Key::Agent(None, conversation, name)
        }
        (Some(name), conversation) => {
            Key::Agent(node.trace, conversation.filter(|_| node.trace.is_none()), name)
        }
        (None, Some(conversation)) => Key::Conversation(conversation, Arc::clone(&node.service)),
        (None, None) => Key::Trace(node.trace),
    };
    (key, None)
}
