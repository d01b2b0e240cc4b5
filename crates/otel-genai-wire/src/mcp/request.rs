//! A message of the client.

use std::borrow::Cow;

use otel_genai::{McpCall, McpMethodName};
use serde_json::Value;

use super::id;
use crate::gather::owned;
use crate::json::{Raw, object};
use crate::scan::Want;

object! {
    struct Message<'a> {
        "jsonrpc" => jsonrpc: Option<Cow<'a, str>>,
        "id" => id: Raw<'a>,
        "method" => method: Option<Cow<'a, str>>,
        "params" => params: Option<Params<'a>>,
    }

    struct Params<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "uri" => uri: Option<Cow<'a, str>>,
        "protocolVersion" => protocol_version: Option<Cow<'a, str>>,
        // Of a notification: the request that is cancelled, and the one that progresses.
        "requestId" => request_id: Raw<'a>,
        "progressToken" => progress_token: Raw<'a>,
        "_meta" => meta: Option<Meta<'a>>,
        // What is to be completed.
        "ref" => reference: Option<Reference<'a>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "arguments" => arguments: Option<Value>,
    }

    struct Meta<'a> {
        "traceparent" => traceparent: Option<Cow<'a, str>>,
        "tracestate" => tracestate: Option<Cow<'a, str>>,
        "baggage" => baggage: Option<Cow<'a, str>>,
        "progressToken" => progress_token: Raw<'a>,
        // Where there are no sessions, each request says it.
        "io.modelcontextprotocol/protocolVersion" => protocol_version: Option<Cow<'a, str>>,
    }

    struct Reference<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "uri" => uri: Option<Cow<'a, str>>,
    }
}

/// What is picked out of a message whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("jsonrpc", Want::Keep(64)),
    ("id", Want::Keep(1024)),
    ("method", Want::Keep(256)),
    ("params", PARAMS),
]);

/// What is picked out of its parameters.
pub(super) const PARAMS: Want = Want::Fields(&[
    ("name", Want::Keep(1024)),
    ("uri", Want::Keep(8192)),
    ("protocolVersion", Want::Keep(64)),
    ("ref", Want::Keep(8192)),
    ("requestId", Want::Keep(1024)),
    ("progressToken", Want::Keep(1024)),
    (
        "_meta",
        Want::Fields(&[
            ("traceparent", Want::Keep(256)),
            ("tracestate", Want::Keep(2048)),
            ("baggage", Want::Keep(8192)),
            ("progressToken", Want::Keep(1024)),
            ("io.modelcontextprotocol/protocolVersion", Want::Keep(64)),
        ]),
    ),
]);

impl Message<'_> {
    pub(super) fn fill(self, op: &mut McpCall) {
        op.request_id = id(self.id);
        op.jsonrpc_version = owned(self.jsonrpc.filter(|version| version != "2.0"));
        let params = self.params.unwrap_or_default();
        let meta = params.meta.unwrap_or_default();
        op.protocol_version = op.protocol_version.take().or(owned(meta.protocol_version));
        match op.method {
            McpMethodName::ToolsCall => {
                op.tool_name = owned(params.name);
                op.arguments = params.arguments;
            }
            McpMethodName::PromptsGet => {
                op.prompt_name = owned(params.name);
                if let Some(Value::Object(arguments)) = params.arguments {
                    op.prompt_variables = arguments.into_iter().map(variable).collect();
                }
            }
            McpMethodName::CompletionComplete => {
                let reference = params.reference.unwrap_or_default();
                op.prompt_name = owned(reference.name);
                op.resource_uri = owned(reference.uri);
            }
            McpMethodName::Initialize => {
                // What is proposed, until the server has agreed.
                op.protocol_version = op.protocol_version.take().or(owned(params.protocol_version));
            }
            _ => op.resource_uri = owned(params.uri),
        }
    }
}

fn variable((name, value): (String, Value)) -> (String, String) {
    match value {
        Value::String(text) => (name, text),
        value => (name, value.to_string()),
    }
}
