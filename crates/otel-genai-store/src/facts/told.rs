//! The facts of one list of attributes: a span's, or those of a log record that tells of a call as a span does.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otel_genai_dialect::{Slot, is_in_tree, provider_name};

use super::field::{Fields, bounded, is_sane};
use super::{Cost, CostSource, Facts, Op, Pricing, Usage, op};
use crate::id::Nanos;
use crate::value::{Attributes, Glue, Held};

/// Names that say what a span is about, whatever that is: an agent, a tool or a workflow.
const SHARED: [&str; 2] = ["traceloop.entity.name", "ai.telemetry.functionId"];

/// Attributes in which a cost in the currency's unit is told.
const COSTS: [&str; 5] =
    ["gen_ai.usage.cost", "gen_ai.usage.cost.amount", "cost_usd", "llm.cost.total", "operation.cost"];

/// JSON text beyond this is not read to count what is in it.
const LONGEST_LIST: usize = 256 * 1024;

/// Facts that stand in attributes; `name` is the span's. Errors, events and cost come on top.
pub(super) fn read(attributes: &Attributes, fields: &Fields<'_>, schema_url: &str, name: &str) -> Facts {
    let mut facts = Facts { op: op::of(fields), ..Facts::default() };
    if !fields.marks.is_genai() && !facts.op.is_some_and(Op::is_genai) {
        return facts;
    }
    let is = |ops: &[Op]| facts.op.is_some_and(|op| ops.contains(&op));
    let named = |slot, ops: &[Op]| {
        if is(ops) { fields.name(slot) } else { fields.name_unless(slot, &SHARED) }
    };
    let agent = named(Slot::AgentName, &[Op::InvokeAgent, Op::CreateAgent]);
    let agent = agent.or_else(|| is(&[Op::InvokeAgent]).then(|| fields.name_of("agent_name")).flatten());
    let workflow = named(Slot::WorkflowName, &[Op::InvokeWorkflow]);
    let tool = named(Slot::ToolName, &[Op::ExecuteTool]);
    // A tool without a name of its own is called what its span is called.
    let tool = tool.or_else(|| is(&[Op::ExecuteTool]).then(|| bounded(name)).flatten());
    facts.dialect = fields.marks.dialect(schema_url);
    facts.provider = fields
        .raw_name(Slot::Provider)
        .or_else(|| fields.text_of("mlflow.llm.provider"))
        .and_then(|told| bounded(&provider_name(told)));
    facts.request_model = fields
        .name(Slot::RequestModel)
        .or_else(|| fields.name_of("mlflow.llm.model"))
        .or_else(|| fields.marks.is_logfire().then(|| fields.name_of("model_name")).flatten());
    facts.response_model = fields.name(Slot::ResponseModel);
    facts.response_id = fields.name(Slot::ResponseId);
    facts.agent = agent;
    facts.agent_id = fields.name(Slot::AgentId);
    facts.workflow = workflow;
    facts.tool = tool;
    facts.tool_call = fields.name(Slot::ToolCallId);
    facts.mcp_method = fields.name_of("mcp.method.name");
    facts.mcp_session = fields.name_of("mcp.session.id");
    facts.data_source = fields.name(Slot::DataSourceId);
    facts.conversation = fields.name(Slot::ConversationId).or_else(|| fields.name_of("session.id"));
    facts.user = fields
        .name(Slot::UserId)
        .or_else(|| fields.name_of("user.id"))
        .or_else(|| fields.name_of("enduser.id"));
    facts.finish = finish(fields);
    facts.usage = usage(fields, facts.op);
    facts.first_chunk = first_chunk(fields);
    facts.stream = fields.bool(Slot::Stream).or_else(|| {
        let is_vercel_stream = fields.text_of("ai.operationId").is_some_and(|id| id.starts_with("ai.stream"));
        is_vercel_stream.then_some(true)
    });
    facts.count = facts.op.and_then(|op| count(attributes, fields, op));
    facts.inferred = fields.bool_of("otel_genai.inferred").unwrap_or_default();
    facts
}

/// Why the model stopped. OpenLLMetry tells it within the answers.
fn finish(fields: &Fields<'_>) -> Option<Arc<str>> {
    fields
        .list(Slot::FinishReasons)
        .or_else(|| fields.name_of("gen_ai.completion.0.finish_reason"))
        .or_else(|| fields.name_of("llm.completions.0.finish_reason"))
}

fn usage(fields: &Fields<'_>, op: Option<Op>) -> Usage {
    let mut usage = Usage {
        input: fields.count(Slot::InputTokens),
        output: fields.count(Slot::OutputTokens),
        cache_read: fields.count(Slot::CacheReadTokens),
        cache_write: fields.count(Slot::CacheWriteTokens),
        reasoning: fields.count(Slot::ReasoningTokens),
        audio_input: fields.count(Slot::AudioInputTokens),
        audio_output: fields.count(Slot::AudioOutputTokens),
    };
    if usage.input.is_none() && op == Some(Op::Embeddings) {
        usage.input = fields.count(Slot::EmbeddingTokens);
    }
    // MLflow keeps them together in one JSON text.
    if usage == Usage::default()
        && let Some(told) = fields.text_of("mlflow.chat.tokenUsage")
        && let Ok(told) = serde_json::from_str::<serde_json::Value>(told)
    {
        let count = |key: &str| told.get(key).and_then(serde_json::Value::as_u64).filter(is_sane);
        usage.input = count("input_tokens");
        usage.output = count("output_tokens");
        usage.cache_read = count("cache_read_input_tokens");
        usage.cache_write = count("cache_creation_input_tokens");
    }
    usage
}

/// From the start to the first chunk, in whichever unit it is told; never made of other times.
fn first_chunk(fields: &Fields<'_>) -> Option<Duration> {
    let seconds = fields.float(Slot::FirstChunkSeconds);
    let seconds = seconds.or_else(|| Some(fields.float(Slot::FirstChunkNanos)? / 1e9));
    let seconds = seconds.or_else(|| Some(fields.float(Slot::FirstChunkMillis)? / 1e3));
    let seconds = seconds.or_else(|| fields.float_of("gen_ai.server.ttft"));
    Duration::try_from_secs_f64(seconds?).ok()
}

/// How many, where it costs little to know.
fn count(attributes: &Attributes, fields: &Fields<'_>, op: Op) -> Option<u32> {
    let (told, list, trees): (_, _, &[&str]) = match op {
        Op::Retrieval => (None, "gen_ai.retrieval.documents", &["retrieval.documents."]),
        Op::Rerank => (
            fields.count_of("gen_ai.rerank.documents.count"),
            "gen_ai.rerank.output_documents",
            &["reranker.output_documents.", "reranker.input_documents."],
        ),
        Op::Memory => (fields.count(Slot::MemoryRecordCount), "gen_ai.memory.records", &[]),
        Op::Embeddings => (None, "ai.values", &["embedding.embeddings."]),
        _ => return None,
    };
    let told = told.and_then(|told| u32::try_from(told).ok());
    told.or_else(|| fields.held(list).and_then(length)).or_else(|| {
        let highest = |prefix: &&str| {
            let leaves = attributes.0.iter().filter(|leaf| is_in_tree(&leaf.key, prefix));
            let index = |key: &str| key.strip_prefix(*prefix)?.split('.').next()?.parse::<u32>().ok();
            leaves.filter_map(|leaf| index(&leaf.key)).max()
        };
        trees.iter().find_map(highest)?.checked_add(1)
    })
}

/// How long a list is, as an array, as pieces or as JSON text.
fn length(held: &Held) -> Option<u32> {
    let length = match held {
        Held::Pieces(pieces) if pieces.glue != Glue::One => pieces.list.len(),
        Held::Pieces(_) => return None,
        Held::Whole(value) => match value.as_ref()?.value.as_ref()? {
            Value::ArrayValue(array) => array.values.len(),
            Value::StringValue(text) if text.len() <= LONGEST_LIST => {
                serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).ok()?.len()
            }
            _ => return None,
        },
    };
    u32::try_from(length).ok()
}

/// What it cost: as told, else by the table, for calls whose tokens count.
pub(super) fn cost(facts: &Facts, fields: &Fields<'_>, at: Nanos, pricing: &dyn Pricing) -> Option<Cost> {
    if facts.op.is_none() && facts.dialect.is_none() {
        return None;
    }
    if let Some(told) = COSTS.into_iter().find_map(|key| fields.float_of(key)).and_then(reported) {
        return Some(told);
    }
    let counts = facts.op.is_some_and(Op::counts_tokens);
    if !counts || (facts.usage.input.is_none() && facts.usage.output.is_none()) {
        return None;
    }
    let provider = facts.provider.as_deref().unwrap_or_default();
    let models = [&facts.response_model, &facts.request_model];
    models.into_iter().flatten().find_map(|model| pricing.cost(provider, model, at, &facts.usage))
}

/// A cost that somebody told, in units of the currency.
fn reported(amount: f64) -> Option<Cost> {
    // Beyond this nobody pays for one call, and 10⁻⁹ of it would still fit.
    let sane = (0.0..=1e9).contains(&amount);
    #[allow(clippy::cast_possible_truncation, reason = "at most 10^18")]
    sane.then(|| Cost { nanos: (amount * 1e9).round() as i64, saved: 0, source: CostSource::Reported })
}
