//! Completion hooks: whoever wants to see, store or change the content of an operation before it is recorded.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;

use crate::message::{Message, Part, ToolDefinition};

/// Sees every completed operation that has a conversation: calls of a model, agents, workflows (conventions,
/// *Uploading content to external storage*).
///
/// It is called once an operation, when that ends and before anything of its content is recorded: also where
/// [`Capture`](crate::Capture) says that no content is recorded, and also where the span is not sampled. What it
/// leaves in the [`Completion`] is what is recorded, as far as the capture mode records it.
///
/// It runs within the call that it observes: return at once, and do the work elsewhere. A hook that panics is said
/// once; the operation is told without content then, because nobody knows what the hook was about to take out.
///
/// ```
/// use otel_genai::{Completion, CompletionHook};
///
/// /// Tells how long a conversation has become.
/// struct Turns;
///
/// impl CompletionHook for Turns {
///     fn on_completion(&self, completion: &mut Completion<'_>) {
///         let turns = i64::try_from(completion.input_messages.len()).unwrap_or(i64::MAX);
///         completion.attributes.push(otel_genai::opentelemetry::KeyValue::new("my_app.turns", turns));
///     }
/// }
/// ```
pub trait CompletionHook: Send + Sync {
    /// An operation has ended.
    fn on_completion(&self, completion: &mut Completion<'_>);
}

impl<H: CompletionHook + ?Sized> CompletionHook for Arc<H> {
    fn on_completion(&self, completion: &mut Completion<'_>) {
        (**self).on_completion(completion);
    }
}

/// What a [`CompletionHook`] gets: the content of one operation, complete and not yet serialised. What an operation
/// does not have is empty.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completion<'a> {
    /// `gen_ai.operation.name`: `chat`, `invoke_agent`, `invoke_workflow`, ...
    pub operation: &'a str,
    /// The operation's span. Not sampled, or not even valid, where no telemetry of it leaves.
    pub span_context: &'a SpanContext,
    /// What was asked, in the order sent.
    pub input_messages: &'a mut Vec<Message>,
    /// What was answered, one message a choice.
    pub output_messages: &'a mut Vec<Message>,
    /// Instructions that the API takes apart from the history.
    pub system_instructions: &'a mut Vec<Part>,
    /// The tools offered.
    pub tool_definitions: &'a mut Vec<ToolDefinition>,
    /// Further attributes of the span and the event; what a hook adds wins over the conventions' own, as custom
    /// attributes do.
    pub attributes: &'a mut Vec<KeyValue>,
}

impl<'a> Completion<'a> {
    /// For handlers, and for tests of hooks.
    #[doc(hidden)]
    pub fn new(
        operation: &'a str,
        span_context: &'a SpanContext,
        input_messages: &'a mut Vec<Message>,
        output_messages: &'a mut Vec<Message>,
        system_instructions: &'a mut Vec<Part>,
        tool_definitions: &'a mut Vec<ToolDefinition>,
        attributes: &'a mut Vec<KeyValue>,
    ) -> Self {
        Completion {
            operation,
            span_context,
            input_messages,
            output_messages,
            system_instructions,
            tool_definitions,
            attributes,
        }
    }
}
