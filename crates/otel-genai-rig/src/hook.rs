//! rig's agent hook.

use otel_genai::GenAi;
use rig_agent::agent::{
    AgentHook, DispatchAction, DispatchEvent, HookContext, OutcomeAction, OutcomeEvent, RunSettled, RunStart,
    RunStartAction, SettledOutcome, StepEventKind,
};
use rig_core::effect::EffectKind;

use crate::run::Run;

/// Tells of an agent's runs and of the tools that they run: `invoke_agent` and `execute_tool` spans with their metrics.
/// Model calls made through [`GenAiHttp`](crate::GenAiHttp) stand below the run. It observes, and steers nothing.
///
/// Add it last, so that it is told of what other hooks have made of a call. A run ends with its answer; with an error
/// (`max_turns` where there were too many); or as cancelled, when its future or its stream is dropped before.
///
/// Content (what is asked and answered, arguments and results) is told as
/// `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says, or [`Builder::capture`](otel_genai::Builder::capture).
#[derive(Clone, Debug, Default)]
pub struct GenAiHook {
    /// `None`: the global one, asked for at each run.
    genai: Option<GenAi>,
}

impl GenAiHook {
    /// A hook that writes its telemetry through [`GenAi::global`].
    #[must_use]
    pub fn new() -> Self {
        GenAiHook::default()
    }

    /// A hook with a handler of its own.
    #[must_use]
    pub fn with(genai: GenAi) -> Self {
        GenAiHook { genai: Some(genai) }
    }

    /// The run that is told; it begins with whatever is heard of it first: one that is resumed has no start.
    fn run(&self, context: &HookContext) -> Run {
        context.scratchpad().get::<Run>().unwrap_or_else(|| {
            let genai = self.genai.clone().unwrap_or_else(GenAi::global);
            let run = Run::begin(genai, context.agent_name());
            context.scratchpad().insert(run.clone());
            run
        })
    }
}

impl AgentHook for GenAiHook {
    async fn on_run_start(&self, context: &HookContext, _: RunStart<'_>) -> RunStartAction {
        self.run(context);
        RunStartAction::continue_run()
    }

    async fn on_dispatch(&self, context: &HookContext, event: DispatchEvent<'_>) -> DispatchAction {
        match event.kind {
            EffectKind::Completion { request, .. } => self.run(context).ask(event.id, request),
            EffectKind::ToolCall { name, args } => {
                let call = event.call_id.map(ToString::to_string);
                self.run(context).run_tool(event.id, call, name, args);
            }
            _ => {}
        }
        DispatchAction::proceed()
    }

    async fn on_outcome(&self, context: &HookContext, event: OutcomeEvent<'_>) -> OutcomeAction {
        let Some(run) = context.scratchpad().get::<Run>() else { return OutcomeAction::proceed() };
        match event.kind {
            EffectKind::Completion { .. } => {
                run.answered(event.id, event.outcome.as_ref().map(|_| event.completion()));
            }
            EffectKind::ToolCall { .. } => {
                run.tool_ran(event.id, event.outcome.as_ref().map(|_| event.tool_result()));
            }
            _ => {}
        }
        OutcomeAction::proceed()
    }

    async fn on_run_settled(&self, context: &HookContext, event: RunSettled<'_>) {
        let run = match context.scratchpad().remove::<Run>() {
            Some(run) => run,
            // Told by another hook already.
            None if context.scratchpad().contains::<Told>() => return,
            // It failed before it began.
            None => Run::begin(self.genai.clone().unwrap_or_else(GenAi::global), context.agent_name()),
        };
        context.scratchpad().insert(Told);
        run.end(match event.outcome {
            SettledOutcome::Response(response) => Ok(&response.content),
            SettledOutcome::Error(text) => Err(text),
        });
    }

    fn observes(&self, kind: StepEventKind) -> bool {
        matches!(
            kind,
            StepEventKind::RunStart
                | StepEventKind::RunSettled
                | StepEventKind::CompletionDispatch
                | StepEventKind::ToolDispatch
        )
    }
}

/// In the scratchpad of a run that is over.
#[derive(Clone, Copy)]
struct Told;
