//! One run of an agent: its span, and the tools that it runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::Context;
use otel_genai::{Active, ExecuteTool, Failure, GenAi, InvokeAgent};
use rig_core::completion::{self, CompletionRequest, CompletionResponse};
use rig_core::effect::EffectId;
use rig_core::error::ErrorReport;
use rig_core::message::AssistantContent;
use rig_core::tool::ToolResult;

use crate::dispatch::{self, Doing, UnderWay};
use crate::{failure, message};

/// A run that is told. The last clone lives in the run's scratchpad: it goes when the run does, and what is still open then
/// ends as cancelled.
#[derive(Clone)]
pub(crate) struct Run(Arc<Mutex<State>>);

struct State {
    genai: GenAi,
    /// Before the agent, so that they end before it.
    tools: HashMap<EffectId, Tool>,
    /// Models that are being asked.
    models: HashMap<EffectId, UnderWay>,
    agent: Active<InvokeAgent>,
    context: Context,
    offered: Vec<Arc<completion::ToolDefinition>>,
    /// Whether the model was asked already.
    is_asked: bool,
    /// Why the last call of the model failed.
    failure: Option<Failure>,
}

struct Tool {
    span: Active<ExecuteTool>,
    _under_way: UnderWay,
}

impl Run {
    /// A run begins, below what is current.
    pub(crate) fn begin(genai: GenAi, name: Option<&str>) -> Self {
        let agent = match name {
            Some(name) => genai.invoke_agent(name).start(),
            None => genai.operation(InvokeAgent::default()).start(),
        };
        let context = agent.context_uncounted();
        Run(Arc::new(Mutex::new(State {
            genai,
            tools: HashMap::new(),
            models: HashMap::new(),
            agent,
            context,
            offered: Vec::new(),
            is_asked: false,
            failure: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model is about to be asked.
    pub(crate) fn ask(&self, id: EffectId, request: &Arc<CompletionRequest>) {
        let mut state = self.state();
        let under_way = dispatch::begin(id, Doing::Model(Arc::clone(request)), state.context.clone());
        if state.models.insert(id, under_way).is_some() {
            // Told twice: by two hooks of one run.
            return;
        }
        state.agent.count_calls(1, 0);
        state.offered.clone_from(&request.tools);
        if !std::mem::replace(&mut state.is_asked, true) {
            state.first(request);
        }
    }

    /// The model has answered, or it has not.
    pub(crate) fn answered(&self, id: EffectId, outcome: Result<Option<&CompletionResponse>, &ErrorReport>) {
        let mut state = self.state();
        if state.models.remove(&id).is_none() {
            return;
        }
        state.failure = outcome.as_ref().err().map(|report| failure::reported(report));
        let Ok(Some(response)) = outcome else { return };
        message::add(&mut state.agent.usage, &response.usage);
        let origin = &response.origin;
        state.agent.provider = Some(provider(&origin.provider).into());
        state.agent.request.model.get_or_insert_with(|| origin.model.clone());
        let answer = &mut state.agent.response;
        answer.model = origin.response_model.clone().or(answer.model.take());
        answer.id = origin.response_id.clone().or(answer.id.take());
        let reason = response.finish_reason().as_ref().map(message::finish_reason);
        answer.finish_reasons = reason.iter().map(ToString::to_string).collect();
    }

    /// A tool is about to run.
    pub(crate) fn run_tool(&self, id: EffectId, call: Option<String>, name: &str, arguments: &str) {
        let mut state = self.state();
        if state.tools.contains_key(&id) {
            return;
        }
        let offered = state.offered.iter().find(|tool| tool.name.as_str() == name);
        let description = offered.map(|tool| tool.description.clone()).filter(|text| !text.is_empty());
        let pending = state.genai.execute_tool(name).kind("function").parent(state.agent.context().clone());
        let mut span = pending
            .with(|tool| {
                tool.call_id = call;
                tool.description = description;
            })
            .start();
        if span.captures_content() {
            span.arguments(ExecuteTool::parse_arguments(arguments));
        }
        let under_way = dispatch::begin(id, Doing::Tool(name.to_owned()), span.context().clone());
        state.tools.insert(id, Tool { span, _under_way: under_way });
    }

    /// A tool has run, or it has not.
    pub(crate) fn tool_ran(&self, id: EffectId, outcome: Result<Option<&ToolResult>, &ErrorReport>) {
        let Some(Tool { mut span, _under_way }) = self.state().tools.remove(&id) else { return };
        match outcome {
            Ok(Some(result)) => {
                if span.captures_content() && !result.is_skipped() {
                    span.result(message::output(result.output()));
                }
                match failure::of_tool(result) {
                    None => span.finish(),
                    Some(failure) => span.fail(failure),
                }
            }
            Ok(None) => span.finish(),
            Err(report) => span.fail(failure::reported(report)),
        }
    }

    /// The run is over: with this answer, or with an error of this text. Returns whether it was not before.
    pub(crate) fn end(self, outcome: Result<&[AssistantContent], &str>) {
        // The scratchpad's was the only one.
        let Ok(state) = Arc::try_unwrap(self.0) else { return };
        let State { tools, models, mut agent, failure, .. } =
            state.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop((tools, models));
        match outcome {
            Ok(content) => {
                let reason = agent.response.finish_reasons.first().cloned();
                agent.output(std::iter::once_with(|| {
                    let answer = message::answered(content);
                    match reason {
                        Some(reason) => answer.finish(reason.as_str()),
                        None => answer,
                    }
                }));
                agent.finish();
            }
            Err(text) => agent.fail(failure.unwrap_or_else(|| failure::of_run(text))),
        }
    }
}

impl State {
    /// What the first request tells of the run.
    fn first(&mut self, request: &CompletionRequest) {
        let agent = &mut self.agent;
        agent.input(request.chat_history.iter().filter_map(|said| message::said(said)));
        agent.instructions(request.chat_history.iter().filter_map(|said| message::instruction(said)));
        agent.tools(request.tools.iter().map(|tool| message::definition(tool)));
        let asked = agent.request_mut();
        asked.model.clone_from(&request.model);
        asked.temperature = request.temperature;
        asked.max_tokens = request.max_tokens.and_then(|tokens| tokens.try_into().ok());
        asked.top_p = request.options.top_p;
        asked.seed = request.options.seed.and_then(|seed| seed.try_into().ok());
        asked.stop_sequences.clone_from(&request.options.stop);
    }
}

/// rig's name of a provider, as the conventions have it.
fn provider(name: &str) -> &str {
    match name {
        "azure" | "azure.openai" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "vertexai" => "gcp.vertex_ai",
        "xai" => "x_ai",
        name => name,
    }
}
