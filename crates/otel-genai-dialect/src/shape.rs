//! Which operation is told of, whoever tells it.

use otel_genai::{Kind, OperationName};

use crate::words::Words;

/// What kind of operation it is, and the name where there are several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A call of a model.
    Inference(OperationName),
    /// Text becomes vectors.
    Embeddings,
    /// An agent is created.
    CreateAgent,
    /// An agent is given a task.
    InvokeAgent,
    /// A tool is run.
    ExecuteTool,
    /// Documents are looked up.
    Retrieval,
    /// Documents are put in order.
    Rerank,
    /// A workflow runs.
    InvokeWorkflow,
    /// An agent makes a plan.
    Plan,
    /// A stored answer is fetched.
    FetchResponse,
    /// Something is remembered, looked up or forgotten.
    Memory(OperationName),
    /// A user's request enters the application.
    Entry,
    /// A round of a ReAct loop.
    ReactStep,
}

impl Shape {
    /// The kind, as far as spans within spans matter.
    #[must_use]
    pub fn kind(&self) -> Kind {
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

/// Which operation these attributes tell of. `None`: none that this project knows.
///
/// Reads the current conventions and their older names, what the crates `genai` and rig write, OpenLLMetry,
/// OpenInference and Vercel's AI SDK. Where several are spoken the current conventions decide. A span of the server's
/// side of a call is not told apart here: its attributes are the same.
#[must_use]
pub fn shape(words: &impl Words) -> Option<Shape> {
    if !words.names().any(is_hint) {
        return None;
    }
    let text = |name: &str| words.text(name).map(|text| text.trim().to_ascii_lowercase());
    text("gen_ai.operation.name")
        .and_then(|name| by_operation(&name))
        .or_else(|| by_vercel(&words.text("ai.operationId")?))
        .or_else(|| by_openinference(&text("openinference.span.kind")?))
        .or_else(|| by_request_type(&text("llm.request.type")?))
        .or_else(|| by_traceloop(&text("traceloop.span.kind")?))
        .or_else(|| by_what_it_says(words))
}

/// Whether a span that has an attribute of this name may be of interest: looked at for every span of a program.
fn is_hint(key: &str) -> bool {
    match key.as_bytes().first() {
        Some(b'g') => key.starts_with("gen_ai."),
        Some(b'o') => key.starts_with("openinference.span.kind"),
        Some(b't') => key.starts_with("traceloop.span.kind"),
        Some(b'l') => key.starts_with("llm."),
        Some(b'a') => key.starts_with("ai.operationId"),
        _ => false,
    }
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
fn by_what_it_says(words: &impl Words) -> Option<Shape> {
    // Somebody has a word for it, and we do not know it.
    if words.has("gen_ai.operation.name") || words.has("openinference.span.kind") {
        return None;
    }
    let provider = ["gen_ai.provider.name", "gen_ai.system", "llm.vendor"];
    let model = ["gen_ai.request.model", "llm.request.model"];
    let has = |names: &[&str]| names.iter().any(|name| words.has(name));
    (has(&provider) && has(&model)).then_some(Shape::Inference(OperationName::Chat))
}
