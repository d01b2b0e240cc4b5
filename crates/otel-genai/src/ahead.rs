//! Calls of a model that count for their agent when they are made, by whoever tells of them later: the agent's run may be
//! over by then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;

use crate::context::{Calls, Surroundings};

/// A call of a model that has counted already. One that no operation is started of with it did not happen: when the last
/// clone goes, it counts no longer.
#[derive(Clone, Debug)]
pub struct Counted(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    calls: Arc<Calls>,
    is_kept: AtomicBool,
}

impl Counted {
    /// Counts a call of a model that is made in this context. `None`: not within an agent's run, or within a call that has
    /// counted.
    #[must_use]
    pub fn inference(context: &Context) -> Option<Self> {
        let calls = context.get::<Surroundings>()?.calls_of_agent()?;
        calls.add(1, 0);
        Some(Self(Arc::new(Inner { calls, is_kept: AtomicBool::new(false) })))
    }

    pub(crate) fn keep(&self) {
        self.0.is_kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if !*self.is_kept.get_mut() {
            self.calls.take_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GenAi;

    fn counted(context: &Context) -> u64 {
        context
            .get::<Surroundings>()
            .and_then(Surroundings::calls_of_agent)
            .map_or(0, |calls| calls.inference())
    }

    #[test]
    fn a_call_counts_once_and_only_if_there_is_one() {
        let genai = GenAi::builder().build();
        let agent = genai.invoke_agent("Support").start();
        let context = agent.context().clone();
        let call = Counted::inference(&context).unwrap();
        assert_eq!(counted(&context), 1, "when it is made");
        genai.chat("openai", "m").parent(context.clone()).counted(Some(call)).start().finish();
        assert_eq!(counted(&context), 1);

        let call = Counted::inference(&context).unwrap();
        genai.embeddings("openai", "m").parent(context.clone()).counted(Some(call)).start().finish();
        assert_eq!(counted(&context), 1, "what is no call of a model");
        drop(Counted::inference(&context));
        assert_eq!(counted(&context), 1);

        let call = genai.chat("openai", "m").parent(context.clone()).start();
        assert!(Counted::inference(call.context()).is_none(), "the outer layer's call");
        assert!(Counted::inference(&Context::new()).is_none());
    }
}
