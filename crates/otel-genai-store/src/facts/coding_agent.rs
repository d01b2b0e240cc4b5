//! Claude Code and Codex: agents that tell of their sessions by log records with words of their own, Claude Code also by
//! spans. Both change these words often; what is not known here is told as it is, as an event of the session.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::field::{Fields, bounded};
use super::record::OTHER;
use super::{ContentState, Dialect, Facts, Op, Usage};
use crate::log::LogRecord;
use crate::span::Span;
use crate::value::Held;

/// Which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agent {
    ClaudeCode,
    Codex,
}

const CLAUDE_CODE: &str = "claude_code.";
const CODEX: &str = "codex.";

/// Claude Code names its spans after itself, and says of each which it is.
pub(super) fn of_span(span: &Span) -> Option<Agent> {
    (span.name.starts_with(CLAUDE_CODE) && span.attributes.get("span.type").is_some())
        .then_some(Agent::ClaudeCode)
}

/// The agent, and the event without its name. Claude Code's `event.name` is short, its body has the whole name.
pub(super) fn of_log(log: &LogRecord) -> Option<(Agent, Cow<'_, str>)> {
    let body = log.body.as_ref().and_then(Held::text).filter(|body| body.len() < 100);
    let names = [log.event.as_deref().map(Cow::Borrowed), body];
    let told = names.into_iter().flatten().find_map(|name| {
        let of = |prefix: &str| name.strip_prefix(prefix).map(str::to_owned).map(Cow::Owned);
        of(CLAUDE_CODE)
            .map(|event| (Agent::ClaudeCode, event))
            .or_else(|| of(CODEX).map(|event| (Agent::Codex, event)))
    });
    // With a body of its own the short name is all there is.
    told.or_else(|| {
        let is_claude = log.origin.scope.name.contains("claude_code");
        is_claude.then(|| Some((Agent::ClaudeCode, Cow::Borrowed(log.event.as_deref()?)))).flatten()
    })
}

/// What it says.
pub(super) fn read(agent: Agent, event: &str, fields: &Fields<'_>) -> Facts {
    match agent {
        Agent::ClaudeCode => claude_code(event.strip_prefix(CLAUDE_CODE).unwrap_or(event), fields),
        Agent::Codex => codex(event, fields),
    }
}

fn claude_code(event: &str, fields: &Fields<'_>) -> Facts {
    let model = fields.name_of("model").or_else(|| fields.name_of("gen_ai.request.model"));
    let mut facts = Facts {
        op: match event {
            "api_request" | "api_error" | "llm_request" => Some(Op::Chat),
            "tool_result" | "tool" => Some(Op::ExecuteTool),
            "interaction" => Some(Op::InvokeAgent),
            _ => None,
        },
        dialect: Some(Dialect::ClaudeCode),
        provider: model.as_deref().and_then(made_by),
        response_id: fields.name_of("request_id"),
        agent: fields.name_of("agent.name"),
        tool: fields.name_of("tool_name"),
        tool_call: fields.name_of("tool_use_id"),
        conversation: fields.name_of("session.id"),
        user: fields.name_of("user.id"),
        first_chunk: fields.float_of("ttft_ms").and_then(millis),
        request_model: model.clone(),
        // An error has no model that answered.
        response_model: model.filter(|_| event != "api_error"),
        ..Facts::default()
    };
    if facts.op == Some(Op::Chat) {
        facts.usage = Usage {
            input: fields.count_of("input_tokens"),
            output: fields.count_of("output_tokens"),
            cache_read: fields.count_of("cache_read_tokens"),
            cache_write: fields.count_of("cache_creation_tokens"),
            ..Usage::default()
        };
        // It tells the cached ones beside the input; the conventions count them in.
        let cached = facts.usage.cache_read.unwrap_or(0).saturating_add(facts.usage.cache_write.unwrap_or(0));
        facts.usage.input = facts.usage.input.map(|input| input.saturating_add(cached));
    }
    let failed = fields.bool_of("success") == Some(false) || event == "api_error";
    facts.error = failed.then(|| {
        let keys = ["error_type", "error.type", "status_code"];
        keys.into_iter().find_map(|key| fields.name_of(key)).unwrap_or_else(|| OTHER.into())
    });
    facts.content = match event {
        "user_prompt" | "interaction" => said(fields, &["prompt", "user_prompt"]),
        "tool_result" | "tool" => said(fields, &["tool_input", "tool_parameters", "tool_result"]),
        "assistant_response" => said(fields, &["response"]),
        "api_request_body" | "api_response_body" => said(fields, &["body"]),
        _ => ContentState::Unknown,
    };
    facts
}

fn codex(event: &str, fields: &Fields<'_>) -> Facts {
    let model = fields.name_of("model");
    let kind = fields.text_of("event.kind").unwrap_or_default();
    let streams = matches!(event, "sse_event" | "websocket_event");
    let mut facts = Facts {
        op: match event {
            _ if streams && matches!(kind, "response.completed" | "response.failed") => Some(Op::Chat),
            "tool_result" => Some(Op::ExecuteTool),
            _ => None,
        },
        dialect: Some(Dialect::Codex),
        provider: model.as_deref().and_then(made_by),
        response_id: fields.name_of("response.id"),
        tool: fields.name_of("tool_name"),
        tool_call: fields.name_of("call_id"),
        conversation: fields.name_of("conversation.id"),
        user: fields.name_of("user.account_id"),
        request_model: model,
        ..Facts::default()
    };
    if facts.op == Some(Op::Chat) {
        facts.stream = Some(true);
        facts.first_chunk = fields.float_of("ttft_ms").and_then(millis);
        facts.usage = Usage {
            input: fields.count_of("input_token_count"),
            output: fields.count_of("output_token_count"),
            cache_read: fields.count_of("cached_token_count"),
            cache_write: fields.count_of("cache_write_token_count"),
            reasoning: fields.count_of("reasoning_token_count"),
            ..Usage::default()
        };
    }
    let failed =
        kind == "response.failed" || fields.bool_of("success") == Some(false) || fields.has("error.message");
    facts.error = failed.then(|| {
        let keys = ["error.type", "http.response.status_code"];
        keys.into_iter().find_map(|key| fields.name_of(key)).unwrap_or_else(|| OTHER.into())
    });
    facts.content = match event {
        "user_prompt" => said(fields, &["prompt"]),
        "tool_result" => said(fields, &["arguments", "output"]),
        _ => ContentState::Unknown,
    };
    facts
}

/// Whose the model is, where its name leaves no doubt.
fn made_by(model: &str) -> Option<Arc<str>> {
    if model.starts_with("claude-") {
        bounded("anthropic")
    } else if model.starts_with("gpt-") || model.starts_with("codex-") {
        bounded("openai")
    } else {
        None
    }
}

/// Both write a word for what they were not to tell.
fn said(fields: &Fields<'_>, keys: &[&str]) -> ContentState {
    let is_told = |key: &&str| {
        fields.held(key).is_some_and(|held| {
            fields.text_of(key).map_or_else(
                || super::marks::says_something(held),
                |text| !matches!(text, "<REDACTED>" | "[REDACTED]" | ""),
            )
        })
    };
    if keys.iter().any(is_told) { ContentState::Here } else { ContentState::Absent }
}

fn millis(millis: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(millis / 1e3).ok()
}
