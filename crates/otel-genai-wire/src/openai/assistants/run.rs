//! An assistant runs: what it is asked.

use std::borrow::Cow;

use otel_genai::{InvokeAgent, Message, OutputType, Part, ProviderName, Role, ToolDefinition};

use super::super::chat::{Sent, Tool};
use super::runs::Run;
use crate::call::Call;
use crate::detect::Route;
use crate::gather::owned;
use crate::json::{self, object};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "assistant_id" => assistant_id: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        "max_completion_tokens" => max_tokens: Option<i64>,
        "reasoning_effort" => reasoning_effort: Option<Cow<'a, str>>,
        "response_format" => response_format: Option<Kind<'a>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "instructions" => instructions: Option<Cow<'a, str>>,
        "additional_instructions" => additional_instructions: Option<Cow<'a, str>>,
        "additional_messages" => messages: Vec<Sent<'a>>,
        "thread" => thread: Option<Thread<'a>>,
        "tools" => tools: Vec<Tool<'a>>,
        "tool_outputs" => outputs: Vec<Output<'a>>,
    }

    struct Kind<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Thread<'a> {
        "messages" => messages: Vec<Sent<'a>>,
    }

    struct Output<'a> {
        "tool_call_id" => id: Option<Cow<'a, str>>,
        "output" => output: Option<Cow<'a, str>>,
    }
}

static WANT: Want = Want::Fields(&[
    ("assistant_id", Want::Keep(1024)),
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("temperature", Want::Keep(64)),
    ("top_p", Want::Keep(64)),
    ("max_completion_tokens", Want::Keep(64)),
    ("reasoning_effort", Want::Keep(256)),
    ("response_format", Want::Fields(&[("type", Want::Keep(256))])),
]);

/// OpenAI's runs.
#[derive(Debug)]
pub(crate) struct Runs;

impl Dialect for Runs {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let sent: Request<'_> = json::read(document)?;
        let mut op = InvokeAgent::default();
        op.remote = true;
        op.provider = Some(route.provider.clone());
        op.server = Some(route.server.clone());
        op.conversation_id = route.parameter("thread").map(str::to_owned);
        sent.fill(&mut op);
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(Run::new(asked.options))
    }
}

impl Request<'_> {
    fn fill(self, op: &mut InvokeAgent) {
        op.id = owned(self.assistant_id);
        let request = &mut op.request;
        request.model = owned(self.model);
        request.stream = self.stream == Some(true);
        request.temperature = self.temperature;
        request.top_p = self.top_p;
        request.max_tokens = self.max_tokens;
        request.reasoning_level = owned(self.reasoning_effort);
        let format = self.response_format.and_then(|format| format.kind);
        request.output_type = match format.as_deref() {
            Some("json_object" | "json_schema") => Some(OutputType::Json),
            Some("text") => Some(OutputType::Text),
            _ => None,
        };
        let instructions = [owned(self.instructions), owned(self.additional_instructions)];
        request.system_instructions = instructions.into_iter().flatten().map(Part::text).collect();
        let thread = self.thread.map(|thread| thread.messages).unwrap_or_default();
        let messages = thread.into_iter().chain(self.messages).filter_map(Sent::message);
        request.input_messages = messages.chain(self.outputs.into_iter().map(Output::message)).collect();
        request.tool_definitions =
            self.tools.into_iter().filter_map(Tool::definition).collect::<Vec<ToolDefinition>>();
    }
}

impl Output<'_> {
    fn message(self) -> Message {
        let output = self.output.unwrap_or_default();
        let mut part = Part::tool_call_response("", output.into_owned());
        if let Part::ToolCallResponse(answered) = &mut part {
            answered.id = owned(self.id);
        }
        Message::new(Role::Tool, [part])
    }
}
