//! Plays a program: what an application does with a handler.
//!
//! The references are Python, so some of it is translated. Starting an operation there makes it current; here the
//! application attaches it. Exceptions there are failures here, of the type that the reference tells. Cancellation
//! there is an exception too; here it is a drop. And an operation that ended is gone: whatever is done with it later
//! cannot be written in Rust, so nothing is done.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, ContextGuard, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use otel_genai::{Active, Config, Failure, GenAi, config};
use serde_json::{Map, Value, json};

use crate::case::{Case, Reference};
use crate::fields::{self, Fields};
use crate::hook::Hook;
use crate::telemetry::Recorder;

/// The telemetry of the case's program, written as the cases write it.
pub(crate) fn play(case: &Case, reference: &Reference) -> Value {
    let recorder = Recorder::new(case);
    let (config, _) = Config::from_vars(|name| match name {
        config::CONVENTION => Some(reference.convention.to_string()),
        name => case.variable(name),
    });
    // LoongSuite's handler hands down by baggage always, upstream's never.
    let baggage = reference.convention == otel_genai::ConventionName::LoongSuite;
    let mut builder = GenAi::builder().config(config).baggage(baggage).tracer_provider(&recorder.tracers);
    builder = builder.meter_provider(&recorder.meters);
    if case.has_logger() {
        builder = builder.logger_provider(&recorder.loggers);
    }
    let hook = case.hook().map(Hook::new);
    if let Some(hook) = &hook {
        builder = builder.completion_hook(hook.clone());
    }
    let stage = Stage {
        genai: builder.build(),
        application: recorder.tracers.tracer("user.app"),
        recorder: &recorder,
        error_module: reference.error_module,
        running: Mutex::default(),
        given: Mutex::default(),
        contexts: Mutex::default(),
        probes: Mutex::default(),
    };
    let mut thread = Thread { stage: &stage, guards: HashMap::new() };
    // What the application does not catch ends it.
    let _escaped = thread.steps(case.steps(reference));
    drop(thread);
    let left = Context::current();
    let restored = !left.has_active_span() && left.baggage().is_empty();
    // An application that ends drops what it still holds.
    drop(stage.running.into_inner().unwrap());
    let probes = stage.probes.into_inner().unwrap();
    let mut telemetry = recorder.telemetry();
    telemetry["probes"] = probes.into();
    telemetry["context_restored"] = json!(restored);
    telemetry["completion_hook_calls"] = hook.map(|hook| hook.calls()).into();
    telemetry
}

/// What all threads of the application share.
struct Stage<'a> {
    genai: GenAi,
    application: SdkTracer,
    recorder: &'a Recorder,
    error_module: &'static str,
    running: Mutex<HashMap<String, Box<dyn Running>>>,
    /// What each operation was given, to give it again.
    given: Mutex<HashMap<String, Given>>,
    contexts: Mutex<HashMap<String, Context>>,
    probes: Mutex<Map<String, Value>>,
}

/// One thread, and what it has made current.
struct Thread<'a> {
    stage: &'a Stage<'a>,
    guards: HashMap<String, ContextGuard>,
}

#[derive(Clone)]
struct Given {
    kind: String,
    fields: Vec<Map<String, Value>>,
}

/// A running operation of whatever kind.
trait Running: Send {
    fn set(&mut self, fields: &Map<String, Value>);
    fn chunk(&mut self, after: Option<f64>);
    fn context(&self) -> &Context;
    fn finish(self: Box<Self>);
    fn fail(self: Box<Self>, failure: Failure);
}

impl<O: Fields> Running for Active<O> {
    fn set(&mut self, fields: &Map<String, Value>) {
        fields::take_all(&mut **self, fields);
    }

    fn chunk(&mut self, after: Option<f64>) {
        let began = self.started_at().instant;
        let moved = |seconds: f64| {
            let by = Duration::from_secs_f64(seconds.abs());
            if seconds < 0.0 { began.checked_sub(by) } else { began.checked_add(by) }
        };
        self.chunk_at(after.map_or_else(Instant::now, |seconds| moved(seconds).unwrap()));
    }

    fn context(&self) -> &Context {
        Active::context(self)
    }

    fn finish(self: Box<Self>) {
        Active::finish(*self);
    }

    fn fail(self: Box<Self>, failure: Failure) {
        Active::fail(*self, failure);
    }
}

/// What goes up through the application until something catches it.
enum Raised {
    Error(Failure),
    /// Nobody wants the result any more.
    Cancelled,
}

impl Thread<'_> {
    fn steps(&mut self, steps: &[Value]) -> Result<(), Raised> {
        steps.iter().try_for_each(|step| match self.step(step) {
            Err(_) if step["catch"] == true => Ok(()),
            result => result,
        })
    }

    fn step(&mut self, step: &Value) -> Result<(), Raised> {
        let stage = self.stage;
        let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
        let body = step["body"].as_array().map_or(&[][..], Vec::as_slice);
        let inv = text("inv");
        match step["op"].as_str().unwrap() {
            "with" => {
                self.start(step);
                let result = self.steps(body);
                let active = self.end(&inv);
                match (active, &result) {
                    (Some(active), Ok(())) => active.finish(),
                    (Some(active), Err(Raised::Error(failure))) => active.fail(failure.clone()),
                    (Some(active), Err(Raised::Cancelled)) => drop(active),
                    (None, _) => {}
                }
                return result;
            }
            "new" => {}
            "start" => self.start(step),
            // Rust starts the same data again only if the application kept it, and assigning the new operation to the
            // variable drops the one that still runs.
            "restart" => {
                drop(self.end(&inv));
                let given = stage.given.lock().unwrap()[&inv].clone();
                self.begin(&inv, &given, None, true);
            }
            "stop" => {
                if let Some(active) = self.end(&inv) {
                    active.finish();
                }
            }
            "fail" => {
                if let Some(active) = self.end(&inv) {
                    match stage.raised(&step["error"]) {
                        Raised::Error(failure) => active.fail(failure),
                        Raised::Cancelled => drop(active),
                    }
                }
            }
            "abandon" => drop(self.end(&inv)),
            "set" => {
                let fields = step["fields"].as_object().unwrap();
                if let Some(active) = stage.running.lock().unwrap().get_mut(&inv) {
                    active.set(fields);
                }
                if let Some(given) = stage.given.lock().unwrap().get_mut(&inv) {
                    given.fields.push(fields.clone());
                }
            }
            "first_token" | "stream_chunk" => {
                if let Some(active) = stage.running.lock().unwrap().get_mut(&inv) {
                    active.chunk(step["after_s"].as_f64());
                }
            }
            "suspend" | "detach" => drop(self.guards.remove(&inv)),
            "activate" => {
                let context = stage.running.lock().unwrap().get(&inv).map(|active| active.context().clone());
                if let Some(context) = context {
                    self.guards.insert(inv, context.attach());
                }
            }
            "raise" => return Err(stage.raised(&step["error"])),
            "probe" => {
                let probe = stage.recorder.probe(&Context::current());
                stage.probes.lock().unwrap().insert(text("label"), probe);
            }
            "span" => {
                let span = stage.application.start(text("name"));
                let _guard = Context::current_with_span(span).attach();
                return self.steps(body);
            }
            "baggage" => {
                let _guard = with_baggage(&Context::current(), &text("key"), &step["value"]).attach();
                return self.steps(body);
            }
            "make_context" => {
                let span = stage.application.start_with_context(text("span"), &Context::new());
                let mut context = Context::new().with_span(span);
                for (key, value) in step["baggage"].as_object().into_iter().flatten() {
                    context = with_baggage(&context, key, value);
                }
                stage.contexts.lock().unwrap().insert(text("name"), context);
            }
            "end_span" => stage.contexts.lock().unwrap()[&text("name")].span().end(),
            "thread" => {
                let result = std::thread::scope(|scope| {
                    let other = || Thread { stage, guards: HashMap::new() }.steps(body);
                    scope.spawn(other).join().unwrap()
                });
                // What ended there is not held as current here.
                let running = stage.running.lock().unwrap();
                self.guards.retain(|inv, _| running.contains_key(inv));
                return result;
            }
            other => panic!("a step that is not known here: {other}"),
        }
        Ok(())
    }

    fn start(&mut self, step: &Value) {
        let inv = step["inv"].as_str().unwrap();
        let given = Given {
            kind: step["type"].as_str().unwrap().to_owned(),
            fields: step["init"].as_object().cloned().into_iter().collect(),
        };
        let parent = step["context"].as_str().map(|name| self.stage.contexts.lock().unwrap()[name].clone());
        self.begin(inv, &given, parent, step["attach"] != false);
        self.stage.given.lock().unwrap().insert(inv.to_owned(), given);
    }

    fn begin(&mut self, inv: &str, given: &Given, parent: Option<Context>, attach: bool) {
        let active = self.stage.begin(given, parent);
        if attach {
            self.guards.insert(inv.to_owned(), active.context().clone().attach());
        }
        self.stage.running.lock().unwrap().insert(inv.to_owned(), active);
    }

    /// The operation, no longer current, to be ended. `None`: it has ended already, or was never started.
    fn end(&mut self, inv: &str) -> Option<Box<dyn Running>> {
        self.guards.remove(inv);
        self.stage.running.lock().unwrap().remove(inv)
    }
}

impl Stage<'_> {
    fn begin(&self, given: &Given, parent: Option<Context>) -> Box<dyn Running> {
        struct Begin<'a>(&'a GenAi, &'a Given, Option<Context>);
        impl fields::Kinds for Begin<'_> {
            type Out = Box<dyn Running>;

            fn of<O: Fields>(self, mut op: O) -> Self::Out {
                let Begin(genai, given, parent) = self;
                for fields in &given.fields {
                    fields::take_all(&mut op, fields);
                }
                let pending = genai.operation(op);
                let pending = match parent {
                    Some(parent) => pending.parent(parent),
                    None => pending,
                };
                Box::new(pending.start())
            }
        }
        fields::of_kind(&given.kind, Begin(&self.genai, given, parent))
    }

    fn raised(&self, error: &Value) -> Raised {
        let kind = error["type"].as_str().unwrap();
        if matches!(kind, "KeyboardInterrupt" | "GeneratorExit" | "CancelledError" | "SystemExit") {
            return Raised::Cancelled;
        }
        let of_application = matches!(kind, "Outer.InnerError" | "QuotaExceeded");
        let module = if of_application { self.error_module } else { "" };
        let message = error["message"].as_str().unwrap_or_default();
        // Python's `KeyError` says its key as code.
        let message = if kind == "KeyError" { format!("'{message}'") } else { message.to_owned() };
        Raised::Error(Failure::new(format!("{module}{kind}")).message(message))
    }
}

fn with_baggage(context: &Context, key: &str, value: &Value) -> Context {
    let known = context.baggage().iter().map(|(key, (value, _))| KeyValue::new(key.clone(), value.clone()));
    let new = KeyValue::new(key.to_owned(), value.as_str().unwrap().to_owned());
    context.with_baggage(known.chain([new]).collect::<Vec<_>>())
}
