//! Which calls are told twice: an outer span that tells the tokens of the call inside it again counts in no sum.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::facts::{Facts, Op, Usage};
use crate::id::{SpanId, SpanKey};
use crate::span::{SpanRow, SpanState};

/// What decides whether a call is told again.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) span: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) op: Option<Op>,
    pub(crate) usage: Usage,
    pub(crate) response_id: Option<Arc<str>>,
    pub(crate) ended: bool,
}

/// Those of a trace's spans whose call is told again by a span inside them: a client library under a framework, a gateway
/// under a client. Such a span and the ones inside it do the same kind of thing, with no agent and no tool between, and have
/// the same response id or the same tokens; or the outer one tells no tokens at all; or its tokens are the sum of theirs.
/// And those that are the same call under one id, told once more with other attributes: by a collector on the way, say.
#[must_use]
pub fn wrappers(rows: &[SpanRow]) -> Vec<SpanKey> {
    wrappers_among(rows.iter().map(|row| Telling {
        key: row.key,
        parent: row.parent,
        state: row.state,
        facts: &row.facts,
    }))
}

/// What of a span decides whether its call is told again.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// Which one it is.
    pub key: SpanKey,
    /// The span around it.
    pub parent: Option<SpanId>,
    /// Whether it has ended.
    pub state: SpanState,
    /// What it says.
    pub facts: &'a Facts,
}

/// The same of spans in whatever form; all are of one trace.
pub fn wrappers_among<'a>(spans: impl IntoIterator<Item = Telling<'a>>) -> Vec<SpanKey> {
    let (mut keys, mut told) = (Vec::new(), Vec::new());
    for Telling { key, parent, state, facts } in spans {
        keys.push(key);
        told.push(Told {
            span: key.span,
            parent,
            op: facts.op,
            usage: facts.usage,
            response_id: facts.response_id.clone(),
            ended: state == SpanState::Ended,
        });
    }
    of(&told).into_iter().filter_map(|at| keys.get(at).copied()).collect()
}

/// The places of those in the list, ascending.
pub(crate) fn of(all: &[Told]) -> Vec<usize> {
    let by_id: HashMap<SpanId, usize> =
        all.iter().enumerate().rev().map(|(at, told)| (told.span, at)).collect();
    let again = again(all);
    // The nearest call inside each call.
    let mut inside: HashMap<usize, Vec<&Told>> = HashMap::new();
    let calls = all.iter().enumerate().filter(|(at, told)| told.ended && counts(told) && !again.contains(at));
    for (_, inner) in calls {
        if let Some(outer) = nearest(all, &by_id, inner) {
            inside.entry(outer).or_default().push(inner);
        }
    }
    let mut found: Vec<usize> = inside
        .iter()
        .filter(|(outer, inner)| all.get(**outer).is_some_and(|outer| outer.ended && is_told(outer, inner)))
        .map(|(outer, _)| *outer)
        .chain(again.iter().copied())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Those that came before under the same id: the same kind of call, with the same answer and the same tokens.
fn again(all: &[Told]) -> HashSet<usize> {
    let mut first: HashMap<SpanId, Vec<&Told>> = HashMap::with_capacity(all.len());
    let mut again = HashSet::new();
    for (at, told) in all.iter().enumerate().filter(|(_, told)| told.ended && counts(told)) {
        let before = first.entry(told.span).or_default();
        let same = |before: &&Told| {
            before.op == told.op && before.usage == told.usage && before.response_id == told.response_id
        };
        if before.iter().any(same) {
            again.insert(at);
        } else {
            before.push(told);
        }
    }
    again
}

fn counts(told: &Told) -> bool {
    told.op.is_some_and(Op::counts_tokens)
}

/// The nearest call around another that does the same kind of thing.
fn nearest(all: &[Told], by_id: &HashMap<SpanId, usize>, inner: &Told) -> Option<usize> {
    let mut parent = inner.parent;
    // Nobody nests deeper; and parents may go in a circle.
    for _ in 0..64 {
        let at = *by_id.get(&parent?)?;
        let around = all.get(at)?;
        match around.op {
            Some(op) if op.counts_tokens() => {
                let same = op.is_inference() == inner.op.is_some_and(Op::is_inference)
                    && (op.is_inference() || Some(op) == inner.op);
                return (same && around.span != inner.span).then_some(at);
            }
            // What an agent or a tool does is its own.
            Some(Op::InvokeAgent | Op::InvokeWorkflow | Op::ExecuteTool) => return None,
            _ => parent = around.parent,
        }
    }
    None
}

fn is_told(outer: &Told, inner: &[&Told]) -> bool {
    let tokens = |usage: &Usage| {
        (usage.input.is_some() || usage.output.is_some()).then_some((usage.input, usage.output))
    };
    let Some(own) = tokens(&outer.usage) else { return true };
    let same_answer = |inner: &&Told| {
        let known = tokens(&inner.usage);
        known == Some(own)
            || (known.is_some() && outer.response_id.is_some() && inner.response_id == outer.response_id)
    };
    let mut sum = Usage::default();
    inner.iter().for_each(|inner| sum.add(&inner.usage));
    inner.iter().any(same_answer) || tokens(&sum) == Some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> SpanId {
        SpanId::new(&number.to_be_bytes()).unwrap()
    }

    fn told(span: u64, parent: u64, op: Op, tokens: Option<(u64, u64)>, response: &str) -> Told {
        Told {
            span: id(span),
            parent: SpanId::new(&parent.to_be_bytes()),
            op: Some(op),
            usage: Usage {
                input: tokens.map(|(input, _)| input),
                output: tokens.map(|(_, output)| output),
                ..Usage::default()
            },
            response_id: (!response.is_empty()).then(|| response.into()),
            ended: true,
        }
    }

    #[test]
    fn calls_that_are_told_twice_are_found() {
        use Op::{Chat, Embeddings, ExecuteTool, InvokeAgent, Prompt};

        for (what, spans, found) in [
            (
                "the same tokens",
                vec![told(1, 0, Chat, Some((5, 2)), ""), told(2, 1, Chat, Some((5, 2)), "")],
                vec![0],
            ),
            ("others", vec![told(1, 0, Chat, Some((5, 2)), ""), told(2, 1, Chat, Some((4, 2)), "")], vec![]),
            (
                "the same answer",
                vec![told(1, 0, Chat, Some((5, 2)), "a"), told(2, 1, Chat, Some((4, 2)), "a")],
                vec![0],
            ),
            ("none outside", vec![told(1, 0, Chat, None, ""), told(2, 1, Chat, Some((4, 2)), "")], vec![0]),
            ("none inside", vec![told(1, 0, Chat, Some((5, 2)), "a"), told(2, 1, Chat, None, "a")], vec![]),
            (
                "the sum",
                vec![
                    told(1, 0, Chat, Some((9, 4)), ""),
                    told(2, 1, Chat, Some((4, 2)), ""),
                    told(3, 1, Chat, Some((5, 2)), ""),
                ],
                vec![0],
            ),
            (
                "three deep, with another span between",
                vec![
                    told(3, 9, Chat, Some((5, 2)), ""),
                    told(1, 0, Chat, Some((5, 2)), ""),
                    told(9, 2, Prompt, None, ""),
                    told(2, 1, Chat, Some((5, 2)), ""),
                ],
                vec![1, 3],
            ),
            (
                "a tool between",
                vec![
                    told(1, 0, Chat, Some((5, 2)), ""),
                    told(9, 1, ExecuteTool, None, ""),
                    told(2, 9, Chat, Some((5, 2)), ""),
                ],
                vec![],
            ),
            (
                "an agent's call",
                vec![told(1, 0, InvokeAgent, Some((5, 2)), ""), told(2, 1, Chat, Some((5, 2)), "")],
                vec![],
            ),
            (
                "of another kind",
                vec![told(1, 0, Chat, None, ""), told(2, 1, Embeddings, Some((5, 2)), "")],
                vec![],
            ),
            (
                "once more under its id",
                vec![
                    told(1, 0, Chat, Some((5, 2)), ""),
                    told(1, 0, Chat, Some((5, 2)), ""),
                    told(1, 0, Chat, Some((5, 3)), ""),
                    told(1, 0, Chat, Some((5, 2)), "a"),
                    told(2, 0, Chat, Some((5, 2)), ""),
                ],
                vec![1],
            ),
            (
                "once more, inside and outside",
                vec![
                    told(1, 0, Chat, Some((5, 2)), ""),
                    told(2, 1, Chat, Some((5, 2)), ""),
                    told(1, 0, Chat, Some((5, 2)), ""),
                    told(2, 1, Chat, Some((5, 2)), ""),
                ],
                vec![0, 2, 3],
            ),
            ("itself", vec![told(1, 1, Chat, Some((5, 2)), "")], vec![]),
            (
                "a circle",
                vec![told(1, 2, Prompt, None, ""), told(2, 1, Prompt, None, ""), told(3, 1, Chat, None, "")],
                vec![],
            ),
        ] {
            assert_eq!(of(&spans), found, "{what}");
        }
    }
}
