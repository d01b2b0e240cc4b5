//! Which operation a span tells of, whoever made it.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use otel_genai::{
    CreateAgent, Embeddings, Entry, ExecuteTool, Failure, FetchResponse, Inference, InvokeAgent,
    InvokeWorkflow, Memory, Plan, ReactStep, Rerank, Retrieval,
};
use otel_genai_dialect::{Shape, Slot};

use crate::attributes::Attributes;
use crate::build;

/// A call that somebody else's span tells of, in this project's words.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// A call of a model.
    Inference(Inference),
    /// Text becomes vectors.
    Embeddings(Embeddings),
    /// An agent is created.
    CreateAgent(CreateAgent),
    /// An agent is given a task.
    InvokeAgent(InvokeAgent),
    /// A tool is run.
    ExecuteTool(ExecuteTool),
    /// Documents are looked up.
    Retrieval(Retrieval),
    /// Documents are put in order.
    Rerank(Rerank),
    /// A workflow runs.
    InvokeWorkflow(InvokeWorkflow),
    /// An agent makes a plan.
    Plan(Plan),
    /// A stored answer is fetched.
    FetchResponse(FetchResponse),
    /// Something is remembered, looked up or forgotten.
    Memory(Memory),
    /// A user's request enters the application.
    Entry(Entry),
    /// A round of a ReAct loop.
    ReactStep(ReactStep),
}

/// What was recognised in a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recognised {
    /// The call.
    pub call: Call,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// From the start to the first chunk of a streamed answer.
    pub first_chunk: Option<Duration>,
    /// The attributes that were understood, and what for.
    pub(crate) taken: HashMap<String, Slot>,
}

impl Recognised {
    /// The names of the attributes that were understood, in no order. All others are somebody else's and stay.
    pub fn understood(&self) -> impl Iterator<Item = &str> {
        self.taken.keys().map(String::as_str)
    }
}

/// Reads a span made by anyone. `None`: it tells of no operation that this project knows, or of the server's side of
/// one.
///
/// Reads the current conventions and their older names, what the crates `genai` and rig write, OpenLLMetry,
/// OpenInference and Vercel's AI SDK. Where a span speaks several of them the current conventions decide.
pub fn recognise(span: &SpanData) -> Option<Recognised> {
    let shape = shape(span)?;
    let mut attributes = Attributes::new(&span.attributes);
    let call = build::call(shape, span, &mut attributes);
    let failure = failure(span, &attributes);
    let first_chunk = build::first_chunk(&mut attributes);
    let taken = attributes.taken.iter().map(|(key, slot)| ((*key).to_owned(), *slot)).collect();
    Some(Recognised { call, failure, first_chunk, taken })
}

/// Which operation it is.
pub(crate) fn shape(span: &SpanData) -> Option<Shape> {
    // The server's side of a call is another operation, which the conventions tell otherwise.
    if matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer) {
        return None;
    }
    otel_genai_dialect::shape(&Attributes::new(&span.attributes))
}

/// Why it failed: an `error.type` says that it did, whatever the status.
fn failure(span: &SpanData, attributes: &Attributes<'_>) -> Option<Failure> {
    let exception = span.events.iter().rev().find(|event| event.name == "exception");
    let exception = exception.map(|event| Attributes::new(&event.attributes));
    let of_exception = |name: &str| exception.as_ref()?.text(name).filter(|text| !text.is_empty());
    let told = ["error.type", "gen_ai.tool.error.type"]
        .into_iter()
        .find_map(|name| attributes.text(name))
        .filter(|told| !told.is_empty());
    let description = match &span.status {
        Status::Error { description } => Some(description.as_ref()).filter(|text| !text.is_empty()),
        _ if told.is_some() => None,
        _ => return None,
    };
    let error_type = told.or_else(|| of_exception("exception.type")).unwrap_or(Failure::OTHER);
    let failure = Failure::new(error_type.to_owned());
    Some(match description.or_else(|| of_exception("exception.message")) {
        Some(message) => failure.message(message),
        None => failure,
    })
}
