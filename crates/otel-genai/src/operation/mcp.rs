//! The Model Context Protocol: requests and notifications, as client or server sees them.

use std::borrow::Cow;

use otel_genai_semconv::value::{McpMethodName, OperationName};
use serde_json::Value;

use super::fact::of;
use super::{ContentMut, Custom, Fact, Facts, Field, Kind, Operation, Server, operation};
use crate::failure::Failure;

/// Who tells of an MCP call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum McpSide {
    /// Who sends the request.
    Client,
    /// Who answers it.
    Server,
}

/// A request or notification of the Model Context Protocol (conventions, *MCP*).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct McpCall {
    /// Who tells of it.
    pub side: McpSide,
    /// The method.
    pub method: McpMethodName,
    /// The tool, of `tools/call`.
    pub tool_name: Option<String>,
    /// The prompt, of `prompts/get`.
    pub prompt_name: Option<String>,
    /// Content: the values of the prompt's variables.
    pub prompt_variables: Vec<(String, String)>,
    /// The resource, of methods that have one.
    pub resource_uri: Option<String>,
    /// The request's JSON-RPC id, as text; notifications have none.
    pub request_id: Option<String>,
    /// The version of JSON-RPC, where it is not `2.0`.
    pub jsonrpc_version: Option<String>,
    /// The version of MCP that was agreed on.
    pub protocol_version: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The code of a JSON-RPC error, as text.
    pub response_status_code: Option<String>,
    /// Whether the tool answered with an error of its own (`isError` of the result): `error.type` is `tool_error` then.
    pub tool_failed: bool,
    /// How the two are connected.
    pub network: Network,
    /// Client: where the server listens.
    pub server: Option<Server>,
    /// Server: where the client calls from.
    pub client: Option<Server>,
    /// Content: the tool's arguments.
    pub arguments: Option<Value>,
    /// Content: what the tool answered.
    pub result: Option<Value>,
    /// Further attributes.
    pub custom: Custom,
}

/// How an MCP client and server are connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// `tcp`, `pipe` (stdio), `quic`, `unix`.
    pub transport: Option<Cow<'static, str>>,
    /// `http`, say.
    pub protocol_name: Option<Cow<'static, str>>,
    /// `1.1`, `2`, say.
    pub protocol_version: Option<Cow<'static, str>>,
}

impl Network {
    /// Standard input and output.
    pub fn stdio() -> Self {
        Network { transport: Some("pipe".into()), ..Network::default() }
    }

    /// Streamable HTTP of this version.
    pub fn http(version: impl Into<Cow<'static, str>>) -> Self {
        Network {
            transport: Some("tcp".into()),
            protocol_name: Some("http".into()),
            protocol_version: Some(version.into()),
        }
    }
}

impl McpCall {
    /// A call about which nothing is known yet but its method.
    pub fn new(side: McpSide, method: impl Into<McpMethodName>) -> Self {
        McpCall {
            side,
            method: method.into(),
            tool_name: None,
            prompt_name: None,
            prompt_variables: Vec::new(),
            resource_uri: None,
            request_id: None,
            jsonrpc_version: None,
            protocol_version: None,
            session_id: None,
            response_status_code: None,
            tool_failed: false,
            network: Network::default(),
            server: None,
            client: None,
            arguments: None,
            result: None,
            custom: Custom::default(),
        }
    }
}

operation!(McpCall);

impl Facts for McpCall {
    fn kind(&self) -> Kind {
        match self.side {
            McpSide::Client => Kind::McpClient,
            McpSide::Server => Kind::McpServer,
        }
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            // Of tool calls, and of nothing else.
            Field::OperationName => (self.method == McpMethodName::ToolsCall)
                .then(|| Fact::Word(OperationName::ExecuteTool.into())),
            Field::McpMethodName => Some(Fact::Word(self.method.clone().into())),
            Field::ToolName => of::text(&self.tool_name),
            Field::PromptName => of::text(&self.prompt_name),
            Field::PromptVariables => Some(Fact::Variables(&self.prompt_variables)),
            Field::McpResourceUri => of::text(&self.resource_uri),
            Field::JsonRpcRequestId => of::text(&self.request_id),
            Field::JsonRpcProtocolVersion => of::text(&self.jsonrpc_version),
            Field::McpProtocolVersion => of::text(&self.protocol_version),
            Field::McpSessionId => of::text(&self.session_id),
            Field::RpcResponseStatusCode => of::text(&self.response_status_code),
            Field::NetworkTransport => of::word(&self.network.transport),
            Field::NetworkProtocolName => of::word(&self.network.protocol_name),
            Field::NetworkProtocolVersion => of::word(&self.network.protocol_version),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::ClientAddress => self.client.as_ref().map(|client| Fact::Text(&client.address)),
            Field::ClientPort => of::int(self.client.as_ref().and_then(|client| client.port).map(i64::from)),
            Field::ToolArguments => of::json(&self.arguments),
            Field::ToolResult => of::json(&self.result),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for McpCall {
    /// The code of a JSON-RPC error is the error's type; a convention may take some of them for no error.
    fn judge<'a>(&self, failure: Option<&'a Failure>) -> Option<Cow<'a, Failure>> {
        let error_type = match &self.response_status_code {
            Some(code) => code.clone(),
            None if self.tool_failed && failure.is_none() => "tool_error".to_owned(),
            None => return failure.map(Cow::Borrowed),
        };
        let mut judged = Failure::new(error_type);
        judged.message = failure.and_then(|failure| failure.message.clone());
        Some(Cow::Owned(judged))
    }

    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        if let Some(arguments) = &mut self.arguments {
            change(ContentMut::Json(Field::ToolArguments, arguments));
        }
        if let Some(result) = &mut self.result {
            change(ContentMut::Json(Field::ToolResult, result));
        }
        for (name, value) in &mut self.prompt_variables {
            change(ContentMut::Variable(name, value));
        }
    }
}

/// A session of the Model Context Protocol, from its start to its end. It has a metric and no span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct McpSession {
    /// Who tells of it.
    pub side: McpSide,
    /// The version of JSON-RPC, where it is not `2.0`.
    pub jsonrpc_version: Option<String>,
    /// The version of MCP that was agreed on.
    pub protocol_version: Option<String>,
    /// How the two are connected.
    pub network: Network,
    /// Client: where the server listens.
    pub server: Option<Server>,
    /// Further attributes; of the metric only.
    pub custom: Custom,
}

impl McpSession {
    /// A session about which nothing is known yet.
    pub fn new(side: McpSide) -> Self {
        McpSession {
            side,
            jsonrpc_version: None,
            protocol_version: None,
            network: Network::default(),
            server: None,
            custom: Custom::default(),
        }
    }
}

operation!(McpSession);

impl Facts for McpSession {
    fn kind(&self) -> Kind {
        match self.side {
            McpSide::Client => Kind::McpClientSession,
            McpSide::Server => Kind::McpServerSession,
        }
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::JsonRpcProtocolVersion => of::text(&self.jsonrpc_version),
            Field::McpProtocolVersion => of::text(&self.protocol_version),
            Field::NetworkTransport => of::word(&self.network.transport),
            Field::NetworkProtocolName => of::word(&self.network.protocol_name),
            Field::NetworkProtocolVersion => of::word(&self.network.protocol_version),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for McpSession {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }
}
