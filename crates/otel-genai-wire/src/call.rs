//! A model call as it was read from the wire.

use otel_genai::{
    CreateAgent, Embeddings, FetchResponse, Inference, InvokeAgent, McpCall, Rerank, Retrieval,
};

/// Lists the kinds of calls. One entry each: what is the model asked for, and is a streamed answer asked for.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident { model: $model:expr, stream: $stream:expr })*) => {
        /// A model call, as plain data: one of the operations that providers offer over HTTP.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Call {
            $($(#[$doc])* $name(Box<$name>),)*
        }

        /// A call that someone else owns, to be filled in.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum CallMut<'a> {
            $($(#[$doc])* $name(&'a mut $name),)*
        }

        impl Call {
            /// The model asked for.
            #[must_use]
            pub fn request_model(&self) -> Option<&str> {
                match self {
                    $(Call::$name(op) => {
                        let model: fn(&$name) -> Option<&str> = $model;
                        model(op)
                    })*
                }
            }

            /// Whether the request asks for a streamed answer.
            #[must_use]
            pub fn is_stream(&self) -> bool {
                match self {
                    $(Call::$name(op) => {
                        let is_stream: fn(&$name) -> bool = $stream;
                        is_stream(op)
                    })*
                }
            }
        }

        impl<'a> From<&'a mut Call> for CallMut<'a> {
            fn from(call: &'a mut Call) -> Self {
                match call {
                    $(Call::$name(op) => CallMut::$name(op),)*
                }
            }
        }

        $(
            impl From<$name> for Call {
                fn from(op: $name) -> Self {
                    Call::$name(Box::new(op))
                }
            }

            impl<'a> From<&'a mut $name> for CallMut<'a> {
                fn from(op: &'a mut $name) -> Self {
                    CallMut::$name(op)
                }
            }
        )*
    };
}

calls! {
    /// A call of a model.
    Inference { model: |op| op.request.model.as_deref(), stream: |op| op.request.stream }
    /// Texts turned into vectors.
    Embeddings { model: |op| op.model.as_deref(), stream: |_| false }
    /// A stored answer that is fetched.
    FetchResponse { model: |_| None, stream: |op| op.stream }
    /// Documents put into order.
    Rerank { model: |op| op.model.as_deref(), stream: |_| false }
    /// Documents found.
    Retrieval { model: |op| op.model.as_deref(), stream: |_| false }
    /// An agent that is made at the provider's.
    CreateAgent { model: |op| op.model.as_deref(), stream: |_| false }
    /// An agent at the provider's at work.
    InvokeAgent { model: |op| op.request.model.as_deref(), stream: |op| op.request.stream }
    /// A message of the Model Context Protocol.
    McpCall { model: |_| None, stream: |_| false }
}
