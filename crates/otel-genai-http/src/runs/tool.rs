//! A tool that was run between two calls.

use std::time::Instant;

use opentelemetry::Context;
use otel_genai::{ExecuteTool, Failure, GenAi, Inference, Moment};
use serde_json::Value;

use super::links::Answered;
use super::mark;

/// What the conventions call the failure of a tool that says so itself (MCP, *error.type*).
const TOOL_ERROR: &str = "tool_error";

/// A tool as an answer asked for it.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) arguments: Option<Value>,
    /// When the answer was over.
    pub(super) at: Instant,
}

/// What is known of its execution once the next request brings what it answered.
pub(super) struct Tool<'a> {
    pub(super) called: Called,
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
        let Tool { called, answered, op, clock, ended } = self;
        let start = clock.at(called.at.min(ended));

        let mut tool = ExecuteTool::new(called.name);
        tool.kind = Some("function".to_owned());
        tool.call_id = called.id;
        tool.arguments = called.arguments;
        let definition = op.request.tool_definitions.iter().find(|definition| definition.name == tool.name);
        tool.description = definition.and_then(|definition| definition.description.clone());
        tool.result = genai.captures_content().then(|| answered.response.response.clone());
        mark(&mut tool.custom);
        let active = genai.operation(tool).at(start).parent(agent).start();
        let failed = answered.response.extra.get("is_error").and_then(Value::as_bool) == Some(true);
        match failed {
            false => active.finish_at(ended),
            true => active.fail_at(ended, Failure::new(TOOL_ERROR)),
        }
    }
}
