//! The kinds of operation, as the conventions tell them apart.

use std::fmt;

/// A kind of operation: what a convention describes apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// `chat`, `generate_content`, `text_completion`.
    Inference,
    /// `embeddings`.
    Embeddings,
    /// `create_agent`.
    CreateAgent,
    /// `invoke_agent` of an agent that runs in this process.
    InvokeAgentInternal,
    /// `invoke_agent` of an agent that runs elsewhere.
    InvokeAgentClient,
    /// `execute_tool`.
    ExecuteTool,
    /// `retrieval`.
    Retrieval,
    /// LoongSuite's rerank.
    Rerank,
    /// `invoke_workflow`.
    InvokeWorkflow,
    /// `plan`.
    Plan,
    /// `fetch_response`.
    FetchResponse,
    /// The memory operations.
    Memory,
    /// A request to an MCP server.
    McpClient,
    /// A request as the MCP server sees it.
    McpServer,
    /// A session with an MCP server.
    McpClientSession,
    /// A session with an MCP client.
    McpServerSession,
    /// LoongSuite's entry of an application.
    Entry,
    /// LoongSuite's step of a ReAct loop.
    ReactStep,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 18] = [
        Kind::Inference,
        Kind::Embeddings,
        Kind::CreateAgent,
        Kind::InvokeAgentInternal,
        Kind::InvokeAgentClient,
        Kind::ExecuteTool,
        Kind::Retrieval,
        Kind::Rerank,
        Kind::InvokeWorkflow,
        Kind::Plan,
        Kind::FetchResponse,
        Kind::Memory,
        Kind::McpClient,
        Kind::McpServer,
        Kind::McpClientSession,
        Kind::McpServerSession,
        Kind::Entry,
        Kind::ReactStep,
    ];

    /// Whether an agent runs.
    pub(crate) fn is_invocation(self) -> bool {
        matches!(self, Kind::InvokeAgentInternal | Kind::InvokeAgentClient)
    }

    /// Its name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Inference => "inference",
            Kind::Embeddings => "embeddings",
            Kind::CreateAgent => "create agent",
            Kind::InvokeAgentInternal => "invoke agent (in process)",
            Kind::InvokeAgentClient => "invoke agent (remote)",
            Kind::ExecuteTool => "execute tool",
            Kind::Retrieval => "retrieval",
            Kind::Rerank => "rerank",
            Kind::InvokeWorkflow => "invoke workflow",
            Kind::Plan => "plan",
            Kind::FetchResponse => "fetch response",
            Kind::Memory => "memory",
            Kind::McpClient => "MCP client",
            Kind::McpServer => "MCP server",
            Kind::McpClientSession => "MCP client session",
            Kind::McpServerSession => "MCP server session",
            Kind::Entry => "entry",
            Kind::ReactStep => "react step",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
