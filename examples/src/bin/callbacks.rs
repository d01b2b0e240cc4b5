//! The adapter of a framework that has callbacks only: it says that a run begins, and later, maybe on another thread,
//! that it ended, each by the run's id. Operations are kept until then, and ended by hand.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use otel_genai::opentelemetry::Context;
use otel_genai::{Active, ExecuteTool, Failure, GenAi, Inference, InvokeAgent, Message};
use otel_genai_examples::telemetry;
use serde_json::{Value, json};

/// What the framework calls a run.
type RunId = u64;

/// A run that has not ended yet.
enum Running {
    Agent(Active<InvokeAgent>),
    Model(Active<Inference>),
    Tool(Active<ExecuteTool>),
}

impl Running {
    /// What runs within it has this for its parent.
    fn context(&self) -> &Context {
        match self {
            Running::Agent(active) => active.context(),
            Running::Model(active) => active.context(),
            Running::Tool(active) => active.context(),
        }
    }
}

/// What is handed to the framework.
struct Callbacks {
    genai: GenAi,
    running: Mutex<HashMap<RunId, Running>>,
}

impl Callbacks {
    fn new(genai: GenAi) -> Self {
        Self { genai, running: Mutex::default() }
    }

    fn on_agent_start(&self, run: RunId, name: &str, task: &str) {
        let mut agent = self.genai.invoke_agent(name).start();
        agent.input([Message::user(task)]);
        self.keep(run, Running::Agent(agent));
    }

    fn on_model_start(&self, run: RunId, parent: RunId, model: &str, prompt: &str) {
        let mut call = self.genai.chat("openai", model).parent(self.within(parent)).start();
        call.input([Message::user(prompt)]);
        self.keep(run, Running::Model(call));
    }

    fn on_tool_start(&self, run: RunId, parent: RunId, name: &str, arguments: Value) {
        let mut tool = self.genai.execute_tool(name).parent(self.within(parent)).start();
        tool.arguments(arguments);
        self.keep(run, Running::Tool(tool));
    }

    fn on_end(&self, run: RunId, output: &str) {
        match self.take(run) {
            Some(Running::Agent(mut agent)) => {
                agent.output([Message::assistant(output).finish("stop")]);
                agent.finish();
            }
            Some(Running::Model(mut call)) => {
                call.response_mut().finish_reasons = vec!["stop".to_owned()];
                call.output([Message::assistant(output).finish("stop")]);
                call.usage(11, 3);
                call.finish();
            }
            Some(Running::Tool(mut tool)) => {
                tool.result(output);
                tool.finish();
            }
            // Some frameworks tell of an end twice: the run is gone.
            None => {}
        }
    }

    /// The framework knows the error's kind and text, and no Rust type.
    fn on_error(&self, run: RunId, kind: String, message: &str) {
        let failure = Failure::new(kind).message(message);
        match self.take(run) {
            Some(Running::Agent(agent)) => agent.fail(failure),
            Some(Running::Model(call)) => call.fail(failure),
            Some(Running::Tool(tool)) => tool.fail(failure),
            None => {}
        }
    }

    /// The parent's context; of a run that nobody knows, whatever is current.
    fn within(&self, parent: RunId) -> Context {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(&parent).map_or_else(Context::current, |running| running.context().clone())
    }

    fn keep(&self, run: RunId, running: Running) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(run, running);
    }

    fn take(&self, run: RunId) -> Option<Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&run)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (genai, _telemetry) = telemetry::init("callbacks")?;
    let callbacks = Callbacks::new(genai);
    // What a framework would do:
    callbacks.on_agent_start(1, "Weather", "Will it rain in Paris?");
    callbacks.on_model_start(2, 1, "gpt-4o-mini", "Will it rain in Paris?");
    callbacks.on_end(2, "I will look at the radar.");
    callbacks.on_tool_start(3, 1, "radar", json!({"city": "Paris"}));
    std::thread::scope(|threads| {
        threads.spawn(|| callbacks.on_error(3, "radar_offline".to_owned(), "no image since noon"));
    });
    callbacks.on_model_start(4, 1, "gpt-4o-mini", "The radar is offline.");
    callbacks.on_end(4, "Take an umbrella.");
    callbacks.on_end(1, "Take an umbrella.");
    callbacks.on_end(1, "told twice, recorded once");
    Ok(())
}
