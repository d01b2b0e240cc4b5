//! Bounds: what waits for a next step does not wait for ever, nor without end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use otel_genai::{Capture, Message, OperationName, Part, ProviderName, ToolDefinition};

use super::*;

struct World {
    spans: InMemorySpanExporter,
    genai: GenAi,
    recovery: Recovery,
    clock: Moment,
}

fn world() -> World {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let genai = GenAi::builder().tracer_provider(&tracers).capture(Capture::SpanOnly).build();
    World { spans, genai, recovery: Recovery::default(), clock: Moment::now() }
}

fn call(tools: usize) -> Inference {
    let mut op = Inference::new(OperationName::Chat, ProviderName::OpenAi);
    op.request.model = Some("m".to_owned());
    op.request.tool_definitions = vec![ToolDefinition::function("tool")];
    op.request.input_messages = vec![Message::user("Q")];
    let calls = (0..tools).map(|at| Part::tool_call(format!("call_{at}"), "tool", 1));
    op.response.output_messages = vec![Message::assistant_parts(calls)];
    op
}

impl World {
    fn begin(&mut self, op: &Inference) -> Option<RunId> {
        self.recovery.join(&self.genai, Scope::Program, op, self.clock)
    }

    fn end(&mut self, run: RunId, op: Inference, bytes: usize) {
        let ended = Ended {
            genai: self.genai.clone(),
            op: Box::new(op),
            parent: Context::new(),
            began: self.clock,
            at: self.clock.instant,
            chunks: Vec::new(),
            failure: None,
            attributes: Vec::new(),
            bytes,
        };
        self.recovery.ended(run, Scope::Program, ended);
    }

    fn names(&self) -> Vec<String> {
        self.spans.get_finished_spans().unwrap().iter().map(|span| span.name.to_string()).collect()
    }
}

#[test]
fn what_waits_is_told_after_a_while_and_a_run_that_goes_on_is_not_ended() {
    let mut world = world();
    let run = world.begin(&call(1)).unwrap();
    world.end(run, call(1), 10);
    let going = world.begin(&call(0)).unwrap();
    assert_eq!(world.names(), [""; 0]);
    let later = world.clock.instant + PATIENCE;
    world.recovery.expire(later - Duration::from_secs(1), false);
    assert_eq!(world.names(), [""; 0]);
    world.recovery.expire(later + CHECK, true);
    assert_eq!(world.names(), [""; 0], "what is under way may be the next step");
    world.recovery.expire(later + CHECK * 2, false);
    assert_eq!(world.names(), ["chat m"]);
    world.end(going, call(0), 10);
    assert_eq!(world.names(), ["chat m", "chat m"]);
    assert!(world.recovery.is_empty());
    assert_eq!(world.recovery.waiting, 0);
}

#[test]
fn a_run_ends_when_nothing_follows_and_nothing_of_it_is_kept() {
    let mut world = world();
    let run = world.begin(&call(2)).unwrap();
    world.end(run, call(2), 10);
    let mut next = call(1);
    next.request.input_messages.extend([Message::tool("call_0", "a"), Message::tool("call_1", "b")]);
    let same = world.begin(&next).unwrap();
    assert_eq!(same, run);
    world.end(same, next, 10);
    assert_eq!(world.names(), ["chat m", "execute_tool tool", "execute_tool tool", "chat m"]);
    world.recovery.expire(world.clock.instant + PATIENCE, false);
    assert_eq!(world.names().last().unwrap(), "invoke_agent");
    assert!(world.recovery.is_empty());
    assert!(world.recovery.links.is_empty());
}

#[test]
fn too_many_and_too_much_are_told_early() {
    let mut world = world();
    for _ in 0..MAX_RUNS + 10 {
        let run = world.begin(&call(1)).unwrap();
        world.end(run, call(1), 10);
    }
    assert_eq!(world.names().len(), 10);
    let large = world.begin(&call(1)).unwrap();
    world.end(large, call(1), MAX_ONE + 1);
    assert_eq!(world.names().len(), 12, "one made room, and the large one itself");
    for _ in 0..MAX_WAITING / MAX_ONE + 1 {
        let run = world.begin(&call(1)).unwrap();
        world.end(run, call(1), MAX_ONE);
    }
    assert!(world.recovery.waiting <= MAX_WAITING);
}

#[test]
fn a_run_without_end_remembers_only_the_latest_of_what_it_asked_for() {
    let mut world = world();
    let run = world.begin(&call(1)).unwrap();
    world.end(run, call(1), 10);
    for _ in 0..2000 {
        let mut next = call(1);
        next.request.input_messages.push(Message::tool("call_0", "a"));
        let run = world.begin(&next).unwrap();
        world.end(run, next, 10);
    }
    assert_eq!(world.names().iter().filter(|name| *name == "execute_tool tool").count(), 2000);
    assert!(world.recovery.links.len() <= 1024, "{}", world.recovery.links.len());
    world.recovery.end_all();
    assert!(world.recovery.links.is_empty());
}
