//! Operations as plain data: what is known of a call, without clock, I/O or telemetry.
//!
//! One file an operation. Which attribute each field becomes is the business of a convention.

mod agent;
mod embeddings;
mod entry;
pub(crate) mod fact;
mod fetch_response;
mod inference;
mod kind;
mod mcp;
mod memory;
mod plan;
mod react_step;
mod rerank;
mod retrieval;
mod tool;
mod vendor;
mod workflow;

pub use agent::{CreateAgent, InvokeAgent};
pub use embeddings::Embeddings;
pub use entry::Entry;
pub use fact::{Fact, Field};
pub use fetch_response::FetchResponse;
pub use inference::{Inference, InferenceRequest, InferenceResponse, Prompt};
pub use kind::Kind;
pub use mcp::{McpCall, McpSession, McpSide, Network};
pub use memory::{LoongSuiteMemory, Memory, MemoryRecord};
pub use plan::Plan;
pub use react_step::ReactStep;
pub use rerank::Rerank;
pub use retrieval::{Document, Retrieval};
pub use tool::{Command, ExecuteTool, Skill};
pub use vendor::{Aws, Azure, OpenAi};
pub use workflow::InvokeWorkflow;

use std::borrow::Cow;
use std::time::Duration;

use opentelemetry::KeyValue;
use serde_json::Value;

use crate::failure::Failure;
use crate::message::{Message, Part, ToolDefinition};

/// Where the provider listens (`server.address`, `server.port`): the provider's own host, never a gateway's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Server {
    /// Host name or IP address, without brackets.
    pub address: String,
    /// TCP port.
    pub port: Option<u16>,
}

impl Server {
    /// A server at this host and port.
    pub fn new(address: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
        Server { address: address.into(), port: port.into() }
    }
}

/// Further attributes, beside those that a convention makes of an operation's fields.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Custom {
    /// Of the span and, where the convention allows it, the event. They win over the conventions' own, `error.type`
    /// apart.
    pub attributes: Vec<KeyValue>,
    /// Of the metrics. They win there likewise. Keep their cardinality low.
    pub metric_attributes: Vec<KeyValue>,
}

/// Something that [`GenAi`](crate::GenAi) can start and [`Active`](crate::Active) can run.
///
/// Sealed: the set of operations is that of the conventions.
pub trait Operation: Facts + Clone + Send + Sized + 'static {
    /// Further attributes of span, event and metrics.
    fn custom_mut(&mut self) -> &mut Custom;

    /// The first chunk of a streamed answer arrived this long after the start.
    #[doc(hidden)]
    fn first_chunk(&mut self, _after: Duration) {}

    /// Shows all content, to be changed before it is written.
    #[doc(hidden)]
    fn content_mut(&mut self, _change: &mut dyn FnMut(ContentMut<'_>)) {}

    /// Whether it is a conversation, which completion hooks see.
    #[doc(hidden)]
    const CONVERSATION: bool = false;

    /// Whether an operation of this kind within another one is the same call, seen by a deeper layer.
    #[doc(hidden)]
    const LAYERED: bool = false;

    /// Takes over what a deeper layer knows of the same call and this one does not.
    #[doc(hidden)]
    fn fill(&mut self, _inner: &Self) {}

    /// What the operation itself knows of how it failed, beside what it was told.
    #[doc(hidden)]
    fn judge<'a>(&self, failure: Option<&'a Failure>) -> Option<Cow<'a, Failure>> {
        failure.map(Cow::Borrowed)
    }

    /// Whether the answer is known to have come to its end.
    #[doc(hidden)]
    fn is_complete(&self) -> bool {
        false
    }
}

/// What is known of an operation.
#[doc(hidden)]
pub trait Facts: sealed::Sealed + Send {
    /// Which operation it is.
    fn kind(&self) -> Kind;
    /// What is known of this field.
    fn fact(&self, field: Field) -> Option<Fact<'_>>;
    /// Shows what is known of these fields, with the position of each among them. Asked once for many, because most of
    /// them are not known.
    fn facts<'a>(&'a self, fields: &[Field], show: &mut dyn FnMut(usize, Fact<'a>)) {
        for (position, field) in fields.iter().enumerate() {
            if let Some(fact) = self.fact(*field) {
                show(position, fact);
            }
        }
    }
    /// Further attributes.
    fn custom(&self) -> &Custom;
}

/// Content that may be changed before it is written.
#[doc(hidden)]
#[derive(Debug)]
#[non_exhaustive]
pub enum ContentMut<'a> {
    /// Messages; the field tells which.
    Messages(Field, &'a mut Vec<Message>),
    /// Parts.
    Parts(Field, &'a mut Vec<Part>),
    /// Tools.
    Tools(Field, &'a mut Vec<ToolDefinition>),
    /// JSON.
    Json(Field, &'a mut Value),
    /// A text.
    Text(Field, &'a mut String),
    /// A variable of a prompt template: its name and its value.
    Variable(&'a str, &'a mut String),
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What every operation's `impl`s have in common.
macro_rules! operation {
    ($name:ty) => {
        impl $crate::operation::sealed::Sealed for $name {}
    };
}
pub(crate) use operation;

/// Takes over what is missing.
fn fill<T: Clone>(into: &mut Option<T>, from: &Option<T>) {
    if into.is_none() {
        into.clone_from(from);
    }
}

/// Takes over further attributes whose names are not there yet.
fn fill_custom(into: &mut Custom, from: &Custom) {
    let lists =
        [(&mut into.attributes, &from.attributes), (&mut into.metric_attributes, &from.metric_attributes)];
    for (into, from) in lists {
        for new in from {
            if into.iter().all(|known| known.key != new.key) {
                into.push(new.clone());
            }
        }
    }
}

fn fill_list<T: Clone>(into: &mut Vec<T>, from: &[T]) {
    if into.is_empty() {
        into.extend_from_slice(from);
    }
}
