//! Agent runs, recovered from the traffic.
//!
//! A model's answer asks for tools, and a later request brings what they answered: then the tools were run in between,
//! and both calls are steps of one agent's run. Nothing else is taken for a run: calls that merely look alike, or
//! follow each other, stay calls.
//!
//! A span cannot get another parent once it has started. A call that may be a run's first step is therefore told when it
//! is over and, if it asked for tools, only once the next step has come, or none came in time.

mod links;
mod scope;
#[cfg(test)]
mod tests;
mod tool;
mod waiting;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use opentelemetry::{Context, KeyValue};
use otel_genai::{Active, Custom, Failure, GenAi, Inference, InvokeAgent, Moment};

pub use scope::Runs;

use links::{Answered, Links};
pub(crate) use scope::Scope;
use tool::Tool;
pub(crate) use waiting::{Ended, Waiting};

/// What is told of a run was inferred from other calls, and not seen itself.
const INFERRED: &str = "otel_genai.inferred";
/// A run without a step for so long is over. Tools take their time, above all those that ask a person.
const PATIENCE: Duration = Duration::from_secs(300);
/// While calls are under way, of which one may be that step: what they bring is known once they are answered.
const LONG_PATIENCE: Duration = Duration::from_secs(1800);
/// A step that goes on for longer than this is lost to us.
const NO_MORE: Duration = Duration::from_secs(4 * 3600);
/// How often that is looked at.
pub(crate) const CHECK: Duration = Duration::from_secs(15);
/// So many runs at once are followed. The one that was quiet longest ends early.
const MAX_RUNS: usize = 1024;
/// So many bytes of calls, as far as they are counted, wait for a next step.
const MAX_WAITING: usize = 64 << 20;
/// A call that holds more than this does not wait.
const MAX_ONE: usize = 8 << 20;

/// The runs that go on.
#[derive(Default)]
pub(crate) struct Recovery {
    runs: HashMap<RunId, Run>,
    links: Links,
    last: u64,
    waiting: usize,
    checked: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunId(u64);

struct Run {
    genai: GenAi,
    /// When it began. All its times are told by this one clock, so that they fit into each other.
    clock: Moment,
    stage: Stage,
    /// Steps that have begun and not ended.
    open: usize,
    /// When a step last began or ended.
    touched: Instant,
    /// How the last step failed: it may be tried again.
    failure: Option<Failure>,
}

enum Stage {
    /// Perhaps a run: its first step goes on, or has asked for tools.
    First(Option<Box<Ended>>),
    Agent(Box<Active<InvokeAgent>>),
}

impl Recovery {
    /// A call begins: which run it may be a step of. `None`: it has nothing to do with tools.
    pub(crate) fn join(
        &mut self,
        genai: &GenAi,
        scope: Scope,
        op: &Inference,
        began: Moment,
    ) -> Option<RunId> {
        let answered = links::answered(op);
        let found = self.links.find(scope, op, &answered);
        if let Some((run, _)) = found.iter().flatten().next() {
            let run = *run;
            self.step(run, op, &answered, found, began);
            return Some(run);
        }
        (!op.request.tool_definitions.is_empty()).then(|| self.open(genai, began))
    }

    fn open(&mut self, genai: &GenAi, clock: Moment) -> RunId {
        if self.runs.len() >= MAX_RUNS {
            self.end_quietest();
        }
        self.last += 1;
        let id = RunId(self.last);
        let stage = Stage::First(None);
        let touched = clock.instant;
        let run = Run { genai: genai.clone(), clock, stage, open: 1, touched, failure: None };
        self.runs.insert(id, run);
        id
    }

    /// Another step of a run begins, with what tools answered.
    fn step(
        &mut self,
        id: RunId,
        op: &Inference,
        answered: &[Answered<'_>],
        found: Vec<Option<(RunId, usize)>>,
        began: Moment,
    ) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.open += 1;
        run.touched = began.instant;
        run.failure = None;
        let released = run.become_agent(op);
        let agent = run.context();
        let (genai, clock) = (run.genai.clone(), run.clock);
        self.waiting -= released;
        for (found, answered) in found.into_iter().zip(answered) {
            let Some((_, at)) = found.filter(|(of, _)| *of == id) else { continue };
            // A step that is tried again brings the same answers.
            let Some(called) = self.links.take_untold(at) else { continue };
            Tool { called, answered, op, clock, ended: began.instant }.tell(&genai, agent.clone());
        }
    }

    /// A step ended.
    pub(crate) fn ended(&mut self, id: RunId, scope: Scope, mut ended: Ended) {
        let Some(run) = self.runs.get_mut(&id) else {
            // It went on for longer than anyone remembers.
            let parent = ended.parent.clone();
            ended.tell(parent);
            return;
        };
        ended.began = run.clock.at(ended.began.instant);
        run.open = run.open.saturating_sub(1);
        run.touched = ended.at;
        // Who has what was asked for need not read on.
        let asks = ended.failure.as_ref().is_none_or(|failure| failure.error_type == Failure::CANCELLED)
            && self.links.ask(id, scope, &ended.op, ended.at, run.genai.captures_content());
        if !run.genai.captures_content() {
            ended.forget_content();
        }
        match &mut run.stage {
            Stage::First(first) if asks && ended.bytes <= MAX_ONE => {
                self.waiting += ended.bytes;
                *first = Some(Box::new(ended));
            }
            Stage::First(_) => {
                let parent = ended.parent.clone();
                ended.tell(parent);
                self.forget(id);
            }
            Stage::Agent(agent) => {
                let at = ended.at;
                run.failure.clone_from(&ended.failure);
                agent.response.finish_reasons.clone_from(&ended.op.response.finish_reasons);
                let over = !asks && run.failure.is_none() && run.open == 0;
                ended.tell(agent.context().clone());
                if over {
                    self.end(id, at);
                }
            }
        }
        while self.waiting > MAX_WAITING && self.end_quietest() {}
    }

    /// Ends the runs of which nothing more is to be expected. `going`: calls are under way.
    pub(crate) fn expire(&mut self, now: Instant, going: bool) {
        if self.checked.is_some_and(|checked| now.saturating_duration_since(checked) < CHECK) {
            return;
        }
        self.checked = Some(now);
        let patience = if going { LONG_PATIENCE } else { PATIENCE };
        let quiet = |run: &Run| {
            let quiet = now.saturating_duration_since(run.touched);
            quiet >= NO_MORE || (run.open == 0 && quiet >= patience)
        };
        let over: Vec<RunId> = self.runs.iter().filter(|(_, run)| quiet(run)).map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.end_here(id));
    }

    /// Ends all runs that no call is a step of just now: nobody waits for what comes later.
    pub(crate) fn end_all(&mut self) {
        let mut over: Vec<RunId> =
            self.runs.iter().filter(|(_, run)| run.open == 0).map(|(id, _)| *id).collect();
        over.sort_unstable_by_key(|id| id.0);
        over.into_iter().for_each(|id| self.end_here(id));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    fn end_quietest(&mut self) -> bool {
        let idle = self.runs.iter().filter(|(_, run)| run.open == 0);
        let Some(id) = idle.min_by_key(|(id, run)| (run.touched, id.0)).map(|(id, _)| *id) else {
            return false;
        };
        self.end_here(id);
        true
    }

    /// Ends a run with the last that was seen of it.
    fn end_here(&mut self, id: RunId) {
        if let Some(at) = self.runs.get(&id).map(|run| run.touched) {
            self.end(id, at);
        }
    }

    fn end(&mut self, id: RunId, at: Instant) {
        let Some(run) = self.forget(id) else { return };
        match run.stage {
            Stage::First(first) => {
                let Some(first) = first else { return };
                self.waiting -= first.bytes;
                let parent = first.parent.clone();
                first.tell(parent);
            }
            Stage::Agent(agent) => match run.failure {
                None => agent.finish_at(at),
                Some(failure) => agent.fail_at(at, failure),
            },
        }
    }

    fn forget(&mut self, id: RunId) -> Option<Run> {
        self.links.forget(id);
        self.runs.remove(&id)
    }
}

/// Says of what is told that nobody saw it.
fn mark(custom: &mut Custom) {
    custom.attributes.push(KeyValue::new(INFERRED, true));
    custom.metric_attributes.push(KeyValue::new(INFERRED, true));
}

impl Run {
    /// The second step has come: it is an agent at work. Tells the first step, and returns how much it held.
    fn become_agent(&mut self, op: &Inference) -> usize {
        let Stage::First(first) = &mut self.stage else { return 0 };
        let first = first.take();
        let mut agent = InvokeAgent::default();
        agent.provider = Some(op.provider.clone());
        agent.conversation_id.clone_from(&op.conversation_id);
        mark(&mut agent.custom);
        let parent = first.as_ref().map_or_else(Context::new, |first| first.parent.clone());
        let agent = self.genai.operation(agent).at(self.clock).parent(parent).start();
        let context = agent.context().clone();
        self.stage = Stage::Agent(Box::new(agent));
        first.map_or(0, |first| {
            let bytes = first.bytes;
            first.tell(context);
            bytes
        })
    }

    fn context(&self) -> Context {
        match &self.stage {
            Stage::Agent(agent) => agent.context().clone(),
            Stage::First(_) => Context::new(),
        }
    }
}
