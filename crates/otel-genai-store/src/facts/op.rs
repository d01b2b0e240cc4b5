//! Which operation it is, beyond those of the conventions.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otel_genai_dialect::{Shape, shape};

use super::Op;
use super::field::Fields;

/// What was done.
pub(super) fn of(fields: &Fields<'_>) -> Option<Op> {
    let marks = fields.marks;
    if marks.is_genai() {
        // A request of the protocol stands within the tool call that it serves; both name the tool.
        if fields.has("mcp.method.name") {
            return Some(Op::Mcp);
        }
        let told = shape(fields).map(|shape| of_shape(&shape));
        let told = told.or_else(|| by_kind(fields.text_of("openinference.span.kind")?));
        let told = told.or_else(|| by_kind(fields.text_of("gen_ai.span.kind")?));
        let told = told.or_else(|| by_kind(fields.text_of("mlflow.spanType")?));
        let told = told.or_else(|| (fields.text_of("traceloop.span.kind")? == "task").then_some(Op::Chain));
        let told = told.or_else(|| (marks.is_logfire()).then(|| by_logfire(fields)).flatten());
        if told.is_some() {
            return told;
        }
    }
    if marks.is_logfire() && fields.has("pydantic_ai.all_messages") {
        return Some(Op::InvokeAgent);
    }
    marks.is_transport().then(|| by_transport(fields)).flatten()
}

fn of_shape(shape: &Shape) -> Op {
    match shape {
        Shape::Inference(name) => match name.as_str() {
            "text_completion" => Op::TextCompletion,
            "generate_content" => Op::GenerateContent,
            _ => Op::Chat,
        },
        Shape::Embeddings => Op::Embeddings,
        Shape::CreateAgent => Op::CreateAgent,
        Shape::InvokeAgent => Op::InvokeAgent,
        Shape::ExecuteTool => Op::ExecuteTool,
        Shape::Retrieval => Op::Retrieval,
        Shape::Rerank => Op::Rerank,
        Shape::InvokeWorkflow => Op::InvokeWorkflow,
        Shape::Plan => Op::Plan,
        Shape::FetchResponse => Op::FetchResponse,
        Shape::Memory(_) => Op::Memory,
        Shape::Entry => Op::Entry,
        Shape::ReactStep => Op::ReactStep,
    }
}

/// Kinds of spans of OpenInference, LoongSuite and MLflow, of which the last writes JSON text. Some are no operations of
/// the conventions.
fn by_kind(kind: &str) -> Option<Op> {
    Some(match kind.trim_matches('"').to_ascii_lowercase().as_str() {
        "chat_model" | "llm" => Op::Chat,
        "embedding" => Op::Embeddings,
        "agent" => Op::InvokeAgent,
        "tool" => Op::ExecuteTool,
        "retriever" => Op::Retrieval,
        "reranker" => Op::Rerank,
        "workflow" => Op::InvokeWorkflow,
        "memory" => Op::Memory,
        "entry" => Op::Entry,
        "step" => Op::ReactStep,
        "guardrail" => Op::Guardrail,
        "evaluator" => Op::Evaluator,
        "prompt" => Op::Prompt,
        "chain" | "task" => Op::Chain,
        _ => return None,
    })
}

/// pydantic-ai before it spoke the conventions' operations.
fn by_logfire(fields: &Fields<'_>) -> Option<Op> {
    if fields.has("gen_ai.operation.name") {
        return None;
    }
    if fields.has("gen_ai.tool.name") {
        return Some(Op::ExecuteTool);
    }
    ["all_messages_events", "pydantic_ai.all_messages", "agent_name"]
        .into_iter()
        .any(|key| fields.has(key))
        .then_some(Op::InvokeAgent)
}

fn by_transport(fields: &Fields<'_>) -> Option<Op> {
    let has =
        |keys: [&str; 2]| keys.into_iter().any(|key| matches!(fields.get(key), Some(Value::StringValue(_))));
    if has(["db.system.name", "db.system"]) {
        Some(Op::Database)
    } else if has(["rpc.system.name", "rpc.system"]) {
        Some(Op::Rpc)
    } else if has(["http.request.method", "http.method"]) {
        Some(Op::Http)
    } else {
        None
    }
}
