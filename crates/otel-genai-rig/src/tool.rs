//! Tools whose work stands below their span.

use std::any::Any;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::FutureExt as _;
use rig_agent::handlers::Handlers;
use rig_core::completion::ToolAnnotations;
use rig_core::effect::{Answered, EffectKind};
use rig_core::serve::{ErasedHandler, serve_inline_with};
use rig_core::tool::{
    DynamicTool, PublishedContext, Tool, ToolContext, ToolEmbedding, ToolExecutionError, ToolOutput, Touches,
};
use rig_core::wasm_compat::WasmBoxedFuture;
use serde_json::Value;

use crate::dispatch::{self, Sought};

/// A tool whose work stands below the `execute_tool` span that a [`GenAiHook`](crate::GenAiHook) tells: agents that it
/// runs, models that it asks, and whatever else it does that is traced. To rig it is the same tool.
///
/// Without it the span is told all the same, and what the tool does stands beside its agent: a hook hears when a tool
/// begins and ends, and cannot make its span the current one meanwhile.
///
/// ```
/// # use rig_agent::{AgentBuilder, tool::Tool};
/// # use otel_genai_rig::{GenAiHook, GenAiTool};
/// # fn example<T: Tool + 'static>(builder: AgentBuilder, research: T) {
/// let agent = builder.tool(GenAiTool(research)).add_hook(GenAiHook::new()).build();
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GenAiTool<T>(pub T);

impl GenAiTool<DynamicTool> {
    /// The same for a tool that is made at run time; an agent that is a tool, for example.
    ///
    /// ```
    /// # use rig_agent::{Agent, AgentBuilder};
    /// # use otel_genai_rig::GenAiTool;
    /// # fn example(builder: AgentBuilder, specialist: Agent) -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = builder.dynamic_tool(GenAiTool::dynamic(specialist.into_tool()?));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn dynamic(tool: DynamicTool) -> DynamicTool {
        let (definition, handler, liveness) = tool.into_parts();
        let name = definition.name.to_string();
        let tool = DynamicTool::new_with_context(
            definition.name,
            definition.description,
            definition.parameters,
            move |context, arguments| {
                Box::pin(run(context, handler.clone(), name.clone(), arguments)) as WasmBoxedFuture<'_, _>
            },
        )
        .with_annotations(definition.annotations);
        match liveness {
            Some(is_live) => tool.with_liveness(move || is_live()),
            None => tool,
        }
    }
}

/// One call of a tool that is made at run time, as a dispatch of it would run it.
async fn run(
    context: &mut ToolContext,
    handler: ErasedHandler,
    name: String,
    arguments: Value,
) -> Result<ToolOutput, ToolExecutionError> {
    let within = span_of(context, &name);
    let published = PublishedContext::new();
    let mut scopes: Vec<Arc<dyn Any + Send + Sync>> =
        vec![Arc::new(context.for_dispatch()), Arc::clone(&published) as _];
    if let Some(handlers) = context.scope::<Handlers>() {
        scopes.push(handlers);
    }
    let kind = EffectKind::ToolCall { name, args: arguments.to_string() };
    let answered = serve_inline_with(&handler, kind, scopes).with_context(within).await;
    if let Some(published) = published.take() {
        context.accept_dispatch_result(published);
    }
    match answered {
        Ok(Answered::ToolResult { result }) => result.into_result(),
        Ok(other) => Err(ToolExecutionError::other(format!(
            "the tool's handler answered with a {} outcome",
            other.family()
        ))),
        Err(report) => Err(report.into()),
    }
}

impl<T: Tool> Tool for GenAiTool<T> {
    const NAME: &'static str = T::NAME;
    type Args = T::Args;
    type Output = T::Output;
    type Error = T::Error;

    fn description(&self) -> String {
        self.0.description()
    }

    fn parameters(&self) -> Value {
        self.0.parameters()
    }

    fn annotations(&self) -> ToolAnnotations {
        self.0.annotations()
    }

    fn footprint(&self, arguments: &T::Args) -> Touches {
        self.0.footprint(arguments)
    }

    fn map_error(&self, error: T::Error) -> ToolExecutionError {
        self.0.map_error(error)
    }

    async fn call(&self, context: &mut ToolContext, arguments: T::Args) -> Result<T::Output, T::Error> {
        let within = span_of(context, T::NAME);
        self.0.call(context, arguments).with_context(within).await
    }
}

impl<T: ToolEmbedding> ToolEmbedding for GenAiTool<T> {
    type InitError = T::InitError;
    type Context = T::Context;
    type State = T::State;

    fn embedding_docs(&self) -> Vec<String> {
        self.0.embedding_docs()
    }

    fn context(&self) -> T::Context {
        self.0.context()
    }

    fn init(state: T::State, context: T::Context) -> Result<Self, T::InitError> {
        T::init(state, context).map(GenAiTool)
    }
}

/// Where the tool's span is current; where none is told, what is current.
fn span_of(context: &ToolContext, name: &str) -> Context {
    let call = context.scope::<Handlers>().and_then(|handlers| handlers.parent());
    call.and_then(|call| dispatch::context_of(call, Sought::Tool(name))).unwrap_or_else(Context::current)
}
