//! Spans within spans: which call was told already by a deeper layer, and how many calls an agent made.
//!
//! Children end before their parents, so each leaves word for its parent. A parent that is nothing of ours hands it up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;
use otel_genai::Kind;

/// So many parents may be waited for at once. One that never ends, or ended before, is forgotten after so many others.
const MOST: usize = 4096;

/// What the spans within one left for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Word {
    /// Calls of models and tools that belong to the agent around.
    pub(crate) inference: u64,
    pub(crate) tool: u64,
    /// Kinds of calls directly within, each told already.
    told: Vec<Kind>,
}

/// The words that wait for parents.
#[derive(Debug, Default)]
pub(crate) struct Nesting(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    words: HashMap<SpanId, Word>,
    order: VecDeque<SpanId>,
}

impl Nesting {
    /// A span has ended: takes what was left for it, and leaves word for its parent.
    pub(crate) fn ended(&self, span: &SpanData, kind: Option<Kind>) -> Ended {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let word = waiting.words.remove(&span.span_context.span_id());
        if word.is_none() && kind.is_none() {
            return Ended::default();
        }
        let word = word.unwrap_or_default();
        let is_same = kind.is_some_and(|kind| word.told.contains(&kind));
        let mut up = word.clone();
        if let Some(kind) = kind {
            up.told.clear();
            match kind {
                Kind::InvokeAgentInternal | Kind::InvokeAgentClient => (up.inference, up.tool) = (0, 0),
                Kind::Inference if !is_same => up.inference += 1,
                Kind::ExecuteTool => up.tool += 1,
                _ => {}
            }
            if matches!(kind, Kind::Inference | Kind::Embeddings | Kind::Retrieval | Kind::Rerank) {
                up.told.push(kind);
            }
        }
        let says_something = up.inference > 0 || up.tool > 0 || !up.told.is_empty();
        if says_something && !span.parent_span_is_remote && span.parent_span_id != SpanId::INVALID {
            waiting.leave(span.parent_span_id, up);
        }
        Ended { is_same, inference: word.inference, tool: word.tool }
    }
}

impl Waiting {
    fn leave(&mut self, parent: SpanId, word: Word) {
        if !self.words.contains_key(&parent) {
            self.order.push_back(parent);
        }
        let known = self.words.entry(parent).or_default();
        known.inference += word.inference;
        known.tool += word.tool;
        for kind in word.told {
            if !known.told.contains(&kind) {
                known.told.push(kind);
            }
        }
        // Most are taken long before.
        if self.order.len() > 2 * MOST {
            let words = &self.words;
            self.order.retain(|parent| words.contains_key(parent));
        }
        while self.words.len() > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.words.remove(&oldest);
        }
    }
}

/// What is known of an ended span from those within it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ended {
    /// A deeper layer has told of the same call.
    pub(crate) is_same: bool,
    pub(crate) inference: u64,
    pub(crate) tool: u64,
}
