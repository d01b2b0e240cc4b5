//! Which operation a span tells of, whoever made it.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use otel_genai::{
    CreateAgent, Embeddings, Entry, ExecuteTool, Failure, FetchResponse, Inference, InvokeAgent,
    InvokeWorkflow, Kind, Memory, OperationName, Plan, ReactStep, Rerank, Retrieval,
};

use crate::attributes::Attributes;
use crate::build;
use crate::vocabulary::{Slot, is_hint};

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

/// What kind of operation it is, and the name where there are several.
pub(crate) enum Shape {
    Inference(OperationName),
    Embeddings,
    CreateAgent,
    InvokeAgent,
    ExecuteTool,
    Retrieval,
    Rerank,
    InvokeWorkflow,
    Plan,
    FetchResponse,
    Memory(OperationName),
    Entry,
    ReactStep,
}

impl Shape {
    /// The kind, as far as spans within spans matter.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Shape::Inference(_) => Kind::Inference,
            Shape::Embeddings => Kind::Embeddings,
            Shape::CreateAgent => Kind::CreateAgent,
            Shape::InvokeAgent => Kind::InvokeAgentInternal,
            Shape::ExecuteTool => Kind::ExecuteTool,
            Shape::Retrieval => Kind::Retrieval,
            Shape::Rerank => Kind::Rerank,
            Shape::InvokeWorkflow => Kind::InvokeWorkflow,
            Shape::Plan => Kind::Plan,
            Shape::FetchResponse => Kind::FetchResponse,
            Shape::Memory(_) => Kind::Memory,
            Shape::Entry => Kind::Entry,
            Shape::ReactStep => Kind::ReactStep,
        }
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
    if !span.attributes.iter().any(|attribute| is_hint(attribute.key.as_str())) {
        return None;
    }
    let attributes = Attributes::new(&span.attributes);
    let text = |name: &str| attributes.text(name).map(|text| text.trim().to_ascii_lowercase());
    text("gen_ai.operation.name")
        .and_then(|name| by_operation(&name))
        .or_else(|| by_vercel(attributes.text("ai.operationId")?))
        .or_else(|| by_openinference(&text("openinference.span.kind")?))
        .or_else(|| by_request_type(&text("llm.request.type")?))
        .or_else(|| by_traceloop(&text("traceloop.span.kind")?))
        .or_else(|| by_what_it_says(&attributes))
}

/// The conventions' names, and some that came before them.
fn by_operation(name: &str) -> Option<Shape> {
    Some(match name {
        "chat" | "generate_content" | "text_completion" => Shape::Inference(name.into()),
        "completion" => Shape::Inference(OperationName::TextCompletion),
        "embeddings" | "embedding" | "embed" => Shape::Embeddings,
        "create_agent" => Shape::CreateAgent,
        "invoke_agent" => Shape::InvokeAgent,
        "execute_tool" => Shape::ExecuteTool,
        "retrieval" | "retrieve" | "retrieve_documents" => Shape::Retrieval,
        "rerank" | "rerank_documents" => Shape::Rerank,
        "invoke_workflow" => Shape::InvokeWorkflow,
        "plan" => Shape::Plan,
        "fetch_response" => Shape::FetchResponse,
        "search_memory"
        | "create_memory"
        | "update_memory"
        | "upsert_memory"
        | "delete_memory"
        | "create_memory_store"
        | "delete_memory_store" => Shape::Memory(name.into()),
        "enter" => Shape::Entry,
        "react" => Shape::ReactStep,
        _ => return None,
    })
}

/// Vercel's AI SDK: the outer span of a generation runs the loop, the inner ones ask the model.
fn by_vercel(id: &str) -> Option<Shape> {
    Some(match id {
        "ai.generateText.doGenerate"
        | "ai.streamText.doStream"
        | "ai.generateObject.doGenerate"
        | "ai.streamObject.doStream" => Shape::Inference(OperationName::Chat),
        "ai.generateText" | "ai.streamText" | "ai.generateObject" | "ai.streamObject" => Shape::InvokeAgent,
        "ai.embed" | "ai.embed.doEmbed" | "ai.embedMany" | "ai.embedMany.doEmbed" => Shape::Embeddings,
        "ai.rerank" | "ai.rerank.doRerank" => Shape::Rerank,
        "ai.toolCall" => Shape::ExecuteTool,
        _ => return None,
    })
}

/// OpenInference's kinds. A chain, a guardrail or an evaluator is no operation of the conventions.
fn by_openinference(kind: &str) -> Option<Shape> {
    Some(match kind {
        "llm" => Shape::Inference(OperationName::Chat),
        "embedding" => Shape::Embeddings,
        "agent" => Shape::InvokeAgent,
        "tool" => Shape::ExecuteTool,
        "retriever" => Shape::Retrieval,
        "reranker" => Shape::Rerank,
        _ => return None,
    })
}

/// OpenLLMetry's types of requests.
fn by_request_type(kind: &str) -> Option<Shape> {
    Some(match kind {
        "chat" => Shape::Inference(OperationName::Chat),
        "completion" => Shape::Inference(OperationName::TextCompletion),
        "embedding" => Shape::Embeddings,
        "rerank" => Shape::Rerank,
        _ => return None,
    })
}

/// OpenLLMetry's kinds of entities. A task is any function.
fn by_traceloop(kind: &str) -> Option<Shape> {
    Some(match kind {
        "workflow" => Shape::InvokeWorkflow,
        "agent" => Shape::InvokeAgent,
        "tool" => Shape::ExecuteTool,
        _ => return None,
    })
}

/// A span without a word for its operation that names a provider and a model asks the model.
fn by_what_it_says(attributes: &Attributes<'_>) -> Option<Shape> {
    // Somebody has a word for it, and we do not know it.
    if attributes.has("gen_ai.operation.name") || attributes.has("openinference.span.kind") {
        return None;
    }
    let provider = ["gen_ai.provider.name", "gen_ai.system", "llm.vendor"];
    let model = ["gen_ai.request.model", "llm.request.model"];
    let has = |names: &[&str]| names.iter().any(|name| attributes.has(name));
    (has(&provider) && has(&model)).then_some(Shape::Inference(OperationName::Chat))
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
