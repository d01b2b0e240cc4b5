//! A tool that was run between two calls.

use std::time::Instant;

use opentelemetry::{Context, KeyValue};
use otel_genai::{ExecuteTool, Failure, GenAi, Inference, Moment};
use serde_json::Value;

use super::links::Answered;
use super::{INFERRED, RunId, on};

/// What the conventions call the failure of a tool that says so itself (MCP, *error.type*).
const TOOL_ERROR: &str = "tool_error";

/// A tool that an answer asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) run: RunId,
    /// How the conversation began.
    pub(super) opening: u64,
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) arguments: Option<Value>,
    /// The answer's id.
    pub(super) response_id: Option<String>,
    /// When the answer was over.
    pub(super) at: Option<Instant>,
    pub(super) told: bool,
}

/// What is known of its execution once the next request brings what it answered.
pub(super) struct Tool<'a> {
    pub(super) asked: Asked,
    pub(super) answered: &'a Answered<'a>,
    pub(super) op: &'a Inference,
    /// The run's.
    pub(super) clock: Moment,
    /// When that request began.
    pub(super) ended: Instant,
}

impl Tool<'_> {
    /// It ran after the answer that asked for it and before the request that brings its own.
    pub(super) fn tell(self, genai: &GenAi, agent: Context) {
        let Tool { asked, answered, op, clock, ended } = self;
        let start = on(clock, asked.at.unwrap_or(ended).min(ended));

        let mut tool = ExecuteTool::new(asked.name);
        tool.kind = Some("function".to_owned());
        tool.call_id = asked.id;
        tool.arguments = asked.arguments;
        let definition = op.request.tool_definitions.iter().find(|definition| definition.name == tool.name);
        tool.description = definition.and_then(|definition| definition.description.clone());
        tool.result = genai.captures_content().then(|| answered.response.response.clone());
        tool.custom.attributes.push(KeyValue::new(INFERRED, true));
        tool.custom.metric_attributes.push(KeyValue::new(INFERRED, true));
        let active = genai.operation(tool).at(start).parent(agent).start();
        let failed = answered.response.extra.get("is_error").and_then(Value::as_bool) == Some(true);
        match failed {
            false => active.finish_at(ended),
            true => active.fail_at(ended, Failure::new(TOOL_ERROR)),
        }
    }
}
