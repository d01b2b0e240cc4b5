//! Content on its way out: redacted, shown to the completion hook, brought within limits.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;

use crate::failure::Failure;
use crate::hook::{Completion, CompletionHook};
use crate::limit::ContentLimits;
use crate::message::{Message, Part, ToolDefinition};
use crate::operation::{ContentMut, Fact, Field, Operation};
use crate::redact::{FAILED, Redact};

/// What is done to content before it is written.
#[derive(Clone, Default)]
pub(crate) struct Pipeline {
    pub(crate) redact: Option<Arc<dyn Redact>>,
    pub(crate) hook: Option<Arc<dyn CompletionHook>>,
    pub(crate) limits: ContentLimits,
}

/// Code of the user's that was to look at the content panicked.
pub(crate) struct Panicked;

/// So much of an error's message is told, in bytes: providers quote prompts in them.
const MAX_ERROR_MESSAGE: usize = 4096;

impl Pipeline {
    /// Takes out of the content what must not leave the program.
    ///
    /// After a panic nobody knows what is left in it.
    pub(crate) fn redact<O: Operation>(&self, op: &mut O) -> Result<(), Panicked> {
        let Some(redact) = &self.redact else { return Ok(()) };
        let redacted = catch_unwind(AssertUnwindSafe(|| Pipeline::redact_all(&**redact, op)));
        redacted.map_err(|_| {
            static SAID: Once = Once::new();
            SAID.call_once(|| {
                tracing::warn!(
                    target: "otel_genai",
                    "the redaction panicked: the content of operations at which it does so is not recorded"
                );
            });
            Panicked
        })
    }

    /// An error as it may be told: redacted, and no longer than a few pages.
    pub(crate) fn shown<'a>(&self, failure: Cow<'a, Failure>) -> Cow<'a, Failure> {
        let Some(message) = &failure.message else { return failure };
        let mut shown = Cow::Borrowed(message.as_str());
        if let Some(redact) = &self.redact {
            shown = catch_unwind(AssertUnwindSafe(|| redact.text(message))).unwrap_or(Cow::Borrowed(FAILED));
        }
        if shown.len() > MAX_ERROR_MESSAGE {
            let is_end = |end: &usize| shown.is_char_boundary(*end);
            let end = (0..=MAX_ERROR_MESSAGE).rev().find(is_end).unwrap_or_default();
            shown = Cow::Owned(format!("{}…", shown.get(..end).unwrap_or_default()));
        }
        match shown {
            Cow::Borrowed(shown) if shown == message => failure,
            shown => {
                let shown = shown.into_owned();
                let mut failure = failure.into_owned();
                failure.message = Some(shown);
                Cow::Owned(failure)
            }
        }
    }

    /// A text that is no content of an operation: redacted and within the limits.
    pub(crate) fn text(&self, text: String) -> String {
        let redacted = match &self.redact {
            Some(redact) => catch_unwind(AssertUnwindSafe(|| redact.text(&text).into_owned()))
                .unwrap_or_else(|_| FAILED.to_owned()),
            None => text,
        };
        match self.limits.fit_text(&redacted) {
            Cow::Owned(fitted) => fitted,
            Cow::Borrowed(_) => redacted,
        }
    }

    fn redact_all<O: Operation>(redact: &dyn Redact, op: &mut O) {
        op.content_mut(&mut |content| match content {
            ContentMut::Variable(name, value) => {
                if let Cow::Owned(redacted) = redact.variable(name, value) {
                    *value = redacted;
                }
            }
            ContentMut::Messages(_, messages) => update(messages, |messages| redact.messages(messages)),
            ContentMut::Parts(_, parts) => update(parts, |parts| redact.parts(parts)),
            ContentMut::Tools(_, tools) => update(tools, |tools| redact.tools(tools)),
            ContentMut::Json(_, value) => {
                if let Cow::Owned(redacted) = redact.value(value) {
                    *value = redacted;
                }
            }
            ContentMut::Text(_, text) => {
                if let Cow::Owned(redacted) = redact.text(text) {
                    *text = redacted;
                }
            }
        });
    }

    /// Shows the content to the hook, and takes over what it makes of it. Gives the attributes that it adds.
    ///
    /// After a panic nobody knows how far a hook had come, which may be there to take secrets out: the content is not
    /// recorded then.
    pub(crate) fn call_hook<O: Operation>(
        &self,
        op: &mut O,
        name: &str,
        span: &SpanContext,
    ) -> Result<Vec<KeyValue>, Panicked> {
        let Some(hook) = self.hook.as_ref().filter(|_| O::CONVERSATION) else { return Ok(Vec::new()) };
        let mut held = Held::default();
        op.content_mut(&mut |content| held.exchange(content));
        let mut attributes = Vec::new();
        let called = catch_unwind(AssertUnwindSafe(|| {
            let Held { input, output, instructions, tools } = &mut held;
            hook.on_completion(&mut Completion::new(
                name,
                span,
                input,
                output,
                instructions,
                tools,
                &mut attributes,
            ));
        }));
        if called.is_err() {
            static SAID: Once = Once::new();
            SAID.call_once(|| {
                tracing::warn!(
                    target: "otel_genai",
                    "the completion hook panicked: the content of operations at which it does so is not recorded"
                );
            });
            return Err(Panicked);
        }
        op.content_mut(&mut |content| held.exchange(content));
        Ok(attributes)
    }

    /// The same within the limits.
    pub(crate) fn fit<'a>(&self, fact: Fact<'a>) -> Fact<'a> {
        let limits = &self.limits;
        match fact {
            Fact::Text(text) => match limits.fit_text(text) {
                Cow::Borrowed(text) => Fact::Text(text),
                Cow::Owned(text) => Fact::Word(text.into()),
            },
            Fact::Messages(messages) => Fact::Messages(fit(messages, |all| limits.fit_messages(all))),
            Fact::Parts(parts) => match limits.fit_parts(parts) {
                Cow::Borrowed(parts) => Fact::Parts(parts),
                Cow::Owned(parts) => Fact::OwnedParts(parts),
            },
            Fact::Tools(tools) => Fact::Tools(fit(tools, |all| limits.fit_tools(all))),
            Fact::List(list) => Fact::List(fit(list, |all| limits.fit_values(all))),
            Fact::Json(value) => Fact::Json(fit(value, |value| limits.fit_value(value))),
            other => other,
        }
    }
}

/// What a hook sees, taken out of the operation for as long.
#[derive(Default)]
struct Held {
    input: Vec<Message>,
    output: Vec<Message>,
    instructions: Vec<Part>,
    tools: Vec<ToolDefinition>,
}

impl Held {
    /// Takes the content, or gives it back.
    fn exchange(&mut self, content: ContentMut<'_>) {
        match content {
            ContentMut::Messages(Field::InputMessages, messages) => std::mem::swap(messages, &mut self.input),
            ContentMut::Messages(Field::OutputMessages, messages) => {
                std::mem::swap(messages, &mut self.output);
            }
            ContentMut::Parts(Field::SystemInstructions, parts) => {
                std::mem::swap(parts, &mut self.instructions);
            }
            ContentMut::Tools(Field::ToolDefinitions, tools) => std::mem::swap(tools, &mut self.tools),
            _ => {}
        }
    }
}

fn update<T: Clone>(into: &mut Vec<T>, change: impl for<'a> FnOnce(&'a [T]) -> Cow<'a, [T]>) {
    if let Cow::Owned(changed) = change(into) {
        *into = changed;
    }
}

/// The change of a value that may be owned already.
fn fit<'a, T: ToOwned + ?Sized>(
    value: Cow<'a, T>,
    change: impl for<'b> Fn(&'b T) -> Cow<'b, T>,
) -> Cow<'a, T> {
    match value {
        Cow::Borrowed(value) => change(value),
        Cow::Owned(value) => match change(std::borrow::Borrow::borrow(&value)) {
            Cow::Owned(changed) => Cow::Owned(changed),
            Cow::Borrowed(_) => Cow::Owned(value),
        },
    }
}
