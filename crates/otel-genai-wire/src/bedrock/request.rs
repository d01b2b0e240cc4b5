//! A request of Converse; those of Nova to InvokeModel look alike.

use std::borrow::Cow;

use otel_genai::{Inference, Message, OutputType, Part, Role, ToolDefinition};

use super::block;
use crate::gather::owned;
use crate::json::{self, Raw, object};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "inferenceConfig" => config: Option<Config<'a>>,
        "additionalModelRequestFields" => more: Option<More<'a>>,
        "guardrailConfig" => guardrail: Option<Guardrail<'a>>,
        "outputConfig" => output: Option<Output<'a>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "system" => system: Vec<Raw<'a>>,
        "messages" => messages: Vec<Option<Sent<'a>>>,
        "toolConfig" => tools: Option<Tools<'a>>,
    }

    struct Config<'a> {
        // Nova's own spellings stand beside those of Converse.
        "maxTokens" | "max_new_tokens" | "maxNewTokens" | "max_tokens" => max_tokens: Option<i64>,
        "temperature" => temperature: Option<f64>,
        "topP" | "top_p" => top_p: Option<f64>,
        "topK" | "top_k" => top_k: Option<i64>,
        "stopSequences" | "stop_sequences" => stop_sequences: Vec<Option<Cow<'a, str>>>,
    }

    /// What only some models know.
    struct More<'a> {
        "top_k" | "topK" => top_k: Option<i64>,
        "inferenceConfig" => config: Option<Config<'a>>,
        "reasoning_effort" => effort: Option<Cow<'a, str>>,
        "output_config" => output: Option<Effort<'a>>,
        "reasoningConfig" => reasoning: Option<Effort<'a>>,
    }

    struct Effort<'a> {
        "effort" | "maxReasoningEffort" => effort: Option<Cow<'a, str>>,
    }

    struct Guardrail<'a> {
        "guardrailIdentifier" => id: Option<Cow<'a, str>>,
    }

    struct Output<'a> {
        "textFormat" => format: Option<Format<'a>>,
    }

    struct Format<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Sent<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Vec<Raw<'a>>,
    }

    struct Tools<'a> {
        "tools" => tools: Vec<Option<Tool<'a>>>,
    }

    struct Tool<'a> {
        "toolSpec" => spec: Option<Spec<'a>>,
        // One that AWS runs.
        "systemTool" => system: Option<Spec<'a>>,
    }

    struct Spec<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "inputSchema" => schema: Option<Schema<'a>>,
    }

    struct Schema<'a> {
        "json" => json: Raw<'a>,
    }
}

/// What is picked out of `inferenceConfig`.
pub(super) const CONFIG: Want = Want::Keep(64 << 10);

/// What is picked out of `additionalModelRequestFields`, which may hold anything.
pub(super) const MORE: Want = Want::Fields(&[
    ("top_k", Want::Keep(64)),
    ("topK", Want::Keep(64)),
    ("inferenceConfig", Want::Keep(16 << 10)),
    ("reasoning_effort", Want::Keep(256)),
    ("output_config", Want::Fields(&[("effort", Want::Keep(256))])),
    ("reasoningConfig", Want::Keep(1024)),
]);

/// What is picked out of a request whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("inferenceConfig", CONFIG),
    ("additionalModelRequestFields", MORE),
    ("guardrailConfig", Want::Keep(4096)),
    ("outputConfig", Want::Fields(&[("textFormat", Want::Fields(&[("type", Want::Keep(256))]))])),
]);

/// Reads what a request says.
pub(super) fn read(body: &[u8], op: &mut Inference) -> Result<(), serde_json::Error> {
    json::read::<Request<'_>>(body)?.fill(op);
    Ok(())
}

impl Request<'_> {
    fn fill(self, op: &mut Inference) {
        let request = &mut op.request;
        let config = self.config.unwrap_or_default();
        let more = self.more.unwrap_or_default();
        request.temperature = config.temperature;
        request.top_p = config.top_p;
        request.top_k = config.top_k.or(more.top_k).or_else(|| more.config.and_then(|config| config.top_k));
        request.max_tokens = config.max_tokens;
        request.stop_sequences = config.stop_sequences.into_iter().flatten().map(Cow::into_owned).collect();
        let effort = more.effort.or_else(|| more.output.and_then(|output| output.effort));
        request.reasoning_level = owned(effort.or_else(|| more.reasoning.and_then(|config| config.effort)));
        let format = self.output.and_then(|output| output.format).and_then(|format| format.kind);
        request.output_type = (format.as_deref() == Some("json_schema")).then_some(OutputType::Json);
        self.system.into_iter().for_each(|item| block::parts(item, &mut request.system_instructions));
        request.input_messages = self.messages.into_iter().flatten().filter_map(Sent::message).collect();
        let tools = self.tools.unwrap_or_default().tools;
        request.tool_definitions = tools.into_iter().flatten().filter_map(Tool::definition).collect();
        let guardrail = owned(self.guardrail.and_then(|guardrail| guardrail.id));
        op.aws.guardrail_id = guardrail.or(op.aws.guardrail_id.take());
    }
}

impl Sent<'_> {
    /// The message in the conventions' words; `None` if it says nothing at all.
    fn message(self) -> Option<Message> {
        let role: Role = self.role.as_deref().unwrap_or("user").into();
        let mut parts: Vec<Part> = Vec::with_capacity(self.content.len());
        self.content.into_iter().for_each(|item| block::parts(item, &mut parts));
        (!parts.is_empty()).then(|| Message::new(role, parts))
    }
}

impl Tool<'_> {
    fn definition(self) -> Option<ToolDefinition> {
        let (kind, spec) = match (self.spec, self.system) {
            (Some(spec), _) => ("function", spec),
            (None, system) => ("system_tool", system?),
        };
        let mut tool = ToolDefinition::new(kind, spec.name?);
        tool.description = spec.description.map(Cow::into_owned);
        tool.parameters = spec.schema.and_then(|schema| schema.json.value());
        Some(tool)
    }
}
