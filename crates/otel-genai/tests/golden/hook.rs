//! The completion hook that an application of the cases has.

use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use otel_genai::{Completion, CompletionHook};
use serde_json::{Value, json};

/// Keeps what it saw, and then does what the case says.
#[derive(Clone, Default)]
pub(crate) struct Hook {
    calls: Arc<Mutex<Vec<Value>>>,
    /// `record`, `mutate` or `raise`.
    then: String,
}

impl Hook {
    pub(crate) fn new(then: &str) -> Hook {
        Hook { calls: Arc::default(), then: then.to_owned() }
    }

    /// What it saw, as the cases write it.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap().clone()
    }
}

impl CompletionHook for Hook {
    fn on_completion(&self, completion: &mut Completion<'_>) {
        self.calls.lock().unwrap().push(json!({
            "inputs": completion.input_messages.len(),
            "outputs": completion.output_messages.len(),
            "system_instruction": completion.system_instructions.len(),
            "tool_definitions": completion.tool_definitions.len(),
            "span_recording": completion.span_context.is_sampled(),
        }));
        match self.then.as_str() {
            "mutate" => {
                completion.attributes.push(KeyValue::new("hook.span_attr", "x"));
                completion.attributes.push(KeyValue::new("hook.log_attr", "y"));
            }
            // A panic that does not print itself.
            "raise" => std::panic::resume_unwind(Box::new("as the case wants it")),
            _ => {}
        }
    }
}
