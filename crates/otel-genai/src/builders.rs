//! What each operation offers beside what all have: the same words, wherever an operation has the thing.

use otel_genai_semconv::value::ProviderName;
use serde_json::Value;

use crate::message::{Message, Part, ToolDefinition};
use crate::operation::{
    CreateAgent, Embeddings, Entry, ExecuteTool, FetchResponse, Inference, InferenceRequest,
    InferenceResponse, InvokeAgent, InvokeWorkflow, McpCall, McpSession, Memory, Network, Plan, ReactStep,
    Rerank, Retrieval, Server, Skill,
};
use crate::pending::Pending;
use crate::span::Active;
use crate::usage::Usage;

/// Methods of a pending operation, each said once for all operations that have it.
macro_rules! pending {
    ($op:ident: $($method:ident),*) => {
        impl Pending<$op> {
            $(pending!(@ $method);)*
        }
    };
    (@ server) => {
        /// Where the provider listens.
        pub fn server(self, address: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
            self.with(|op| op.server = Some(Server::new(address, port)))
        }
    };
    (@ provider) => {
        /// Who answers.
        pub fn provider(self, provider: impl Into<ProviderName>) -> Self {
            self.with(|op| op.provider = Some(provider.into()))
        }
    };
    (@ model) => {
        /// The model, exactly as requested.
        pub fn model(self, model: impl Into<String>) -> Self {
            self.with(|op| op.model = Some(model.into()))
        }
    };
    (@ request_model) => {
        /// The model, exactly as requested.
        pub fn model(self, model: impl Into<String>) -> Self {
            self.with(|op| op.request.model = Some(model.into()))
        }
    };
    (@ conversation) => {
        /// The real id of the conversation. Operations within this one inherit it.
        pub fn conversation(self, id: impl Into<String>) -> Self {
            self.with(|op| op.conversation_id = Some(id.into()))
        }
    };
    (@ request) => {
        /// Changes the request: `pending.request(|r| r.temperature = Some(0.2))`.
        pub fn request(self, change: impl FnOnce(&mut InferenceRequest)) -> Self {
            self.with(|op| change(&mut op.request))
        }
    };
    (@ id) => {
        /// The service's stable id of the agent.
        pub fn id(self, id: impl Into<String>) -> Self {
            self.with(|op| op.id = Some(id.into()))
        }
    };
    (@ description) => {
        /// What it is for.
        pub fn description(self, description: impl Into<String>) -> Self {
            self.with(|op| op.description = Some(description.into()))
        }
    };
    (@ version) => {
        /// The agent's version.
        pub fn version(self, version: impl Into<String>) -> Self {
            self.with(|op| op.version = Some(version.into()))
        }
    };
    (@ data_source) => {
        /// Where the agent looks things up.
        pub fn data_source(self, id: impl Into<String>) -> Self {
            self.with(|op| op.data_source_id = Some(id.into()))
        }
    };
    (@ top_k) => {
        /// How many documents are asked for at most.
        pub fn top_k(self, top_k: i64) -> Self {
            self.with(|op| op.top_k = Some(top_k))
        }
    };
}

pending!(Inference: server, conversation, request);
pending!(Embeddings: server);
pending!(CreateAgent: provider, model, server, id, description, version);
pending!(InvokeAgent: provider, request_model, server, conversation, request, id, description, version, data_source);
pending!(ExecuteTool: description, conversation);
pending!(Retrieval: provider, model, server, top_k);
pending!(Rerank: server, top_k);
pending!(InvokeWorkflow: conversation);
pending!(FetchResponse: server);
pending!(Memory: provider, server);
pending!(McpCall: server);
pending!(McpSession: server);

impl Pending<InvokeAgent> {
    /// A service hosts the agent: the span's kind is CLIENT.
    pub fn remote(self, provider: impl Into<ProviderName>) -> Self {
        self.with(|op| {
            op.remote = true;
            op.provider = Some(provider.into());
        })
    }
}

impl Pending<ExecuteTool> {
    /// `function`, `extension` or `datastore`.
    pub fn kind(self, kind: impl Into<String>) -> Self {
        self.with(|op| op.kind = Some(kind.into()))
    }

    /// The model's id of the call.
    pub fn call_id(self, id: impl Into<String>) -> Self {
        self.with(|op| op.call_id = Some(id.into()))
    }

    /// The Agent Skill that the tool loads, reads or runs.
    pub fn skill(self, skill: Skill) -> Self {
        self.with(|op| op.skill = Some(skill))
    }
}

impl Pending<Plan> {
    /// The agent that plans, where it is not the one around it.
    pub fn agent(self, name: impl Into<String>) -> Self {
        self.with(|op| op.agent_name = Some(name.into()))
    }
}

impl Pending<Memory> {
    /// The id of the store.
    pub fn store(self, id: impl Into<String>) -> Self {
        self.with(|op| op.store_id = Some(id.into()))
    }

    /// The id of the record, where the operation is about one.
    pub fn record(self, id: impl Into<String>) -> Self {
        self.with(|op| op.record_id = Some(id.into()))
    }
}

impl Pending<McpCall> {
    /// The tool, of `tools/call`.
    pub fn tool(self, name: impl Into<String>) -> Self {
        self.with(|op| op.tool_name = Some(name.into()))
    }

    /// The prompt, of `prompts/get`.
    pub fn prompt(self, name: impl Into<String>) -> Self {
        self.with(|op| op.prompt_name = Some(name.into()))
    }

    /// The resource, of methods that have one.
    pub fn resource(self, uri: impl Into<String>) -> Self {
        self.with(|op| op.resource_uri = Some(uri.into()))
    }

    /// The session.
    pub fn session(self, id: impl Into<String>) -> Self {
        self.with(|op| op.session_id = Some(id.into()))
    }

    /// How the two are connected.
    pub fn network(self, network: Network) -> Self {
        self.with(|op| op.network = network)
    }
}

impl Pending<McpSession> {
    /// How the two are connected.
    pub fn network(self, network: Network) -> Self {
        self.with(|op| op.network = network)
    }
}

impl Pending<Entry> {
    /// The session. Operations within this one inherit it.
    pub fn session(self, id: impl Into<String>) -> Self {
        self.with(|op| op.session_id = Some(id.into()))
    }

    /// The user, likewise.
    pub fn user(self, id: impl Into<String>) -> Self {
        self.with(|op| op.user_id = Some(id.into()))
    }
}

/// Methods of a running operation, likewise.
macro_rules! active {
    ($op:ident: $($method:ident),*) => {
        impl Active<$op> {
            $(active!(@ $method);)*
        }
    };
    (@ request_response) => {
        /// What is asked.
        pub fn request_mut(&mut self) -> &mut InferenceRequest {
            &mut self.request
        }

        /// What is answered.
        pub fn response_mut(&mut self) -> &mut InferenceResponse {
            &mut self.response
        }

        /// Adds messages to what is asked. Nothing is kept, nor even taken from the iterator, where content is not
        /// captured.
        pub fn input(&mut self, messages: impl IntoIterator<Item = Message>) {
            if self.captures_content() {
                self.request.input_messages.extend(messages);
            }
        }

        /// Adds messages to what is answered, one a choice, likewise. Why the model stopped is no content: say it in
        /// `response_mut().finish_reasons` too, where it must be told without content.
        pub fn output(&mut self, messages: impl IntoIterator<Item = Message>) {
            if self.captures_content() {
                self.response.output_messages.extend(messages);
            }
        }

        /// Adds instructions that the API takes apart from the messages, likewise.
        pub fn instructions(&mut self, parts: impl IntoIterator<Item = Part>) {
            if self.captures_content() {
                self.request.system_instructions.extend(parts);
            }
        }

        /// Adds tools that are offered, likewise; `loongsuite` tells their names where content is not captured.
        pub fn tools(&mut self, tools: impl IntoIterator<Item = ToolDefinition>) {
            if self.captures_content() || self.tells_instead() {
                self.request.tool_definitions.extend(tools);
            }
        }

        /// Tokens used: input and output.
        pub fn usage(&mut self, input_tokens: u64, output_tokens: u64) {
            self.usage.merge(Usage::new(input_tokens, output_tokens));
        }
    };
    (@ messages) => {
        /// Adds messages to what is asked. Nothing is kept, nor even taken from the iterator, where content is not
        /// captured.
        pub fn input(&mut self, messages: impl IntoIterator<Item = Message>) {
            if self.captures_content() {
                self.input_messages.extend(messages);
            }
        }

        /// Adds messages to what is answered, likewise.
        pub fn output(&mut self, messages: impl IntoIterator<Item = Message>) {
            if self.captures_content() {
                self.output_messages.extend(messages);
            }
        }
    };
    (@ call) => {
        /// What the tool is given. Not kept where content is not captured.
        pub fn arguments(&mut self, arguments: impl Into<Value>) {
            if self.captures_content() {
                self.arguments = Some(arguments.into());
            }
        }

        /// What the tool answered, likewise.
        pub fn result(&mut self, result: impl Into<Value>) {
            if self.captures_content() {
                self.result = Some(result.into());
            }
        }
    };
    (@ query) => {
        /// What is looked for. Not kept where content is not captured.
        pub fn query(&mut self, query: impl Into<String>) {
            if self.captures_content() {
                self.query = Some(query.into());
            }
        }
    };
}

active!(Inference: request_response);
active!(InvokeAgent: request_response);
active!(InvokeWorkflow: messages);
active!(Entry: messages);
active!(ExecuteTool: call);
active!(McpCall: call);
active!(Retrieval: query);
active!(Rerank: query);
active!(Memory: query);

impl Active<FetchResponse> {
    /// Adds messages of the answer. Nothing is kept, nor even taken from the iterator, where content is not captured.
    pub fn output(&mut self, messages: impl IntoIterator<Item = Message>) {
        if self.captures_content() {
            self.output_messages.extend(messages);
        }
    }
}

impl Active<CreateAgent> {
    /// Adds the agent's instructions. Nothing is kept, nor even taken from the iterator, where content is not captured.
    pub fn instructions(&mut self, parts: impl IntoIterator<Item = Part>) {
        if self.captures_content() {
            self.system_instructions.extend(parts);
        }
    }
}

impl Active<Embeddings> {
    /// Input tokens used.
    pub fn usage(&mut self, input_tokens: u64) {
        self.input_tokens = Some(input_tokens);
    }
}

impl Active<Retrieval> {
    /// Adds documents that were found, best first (see [`Document`](crate::Document)). Where content is not captured
    /// conventions tell their ids and scores, or nothing.
    pub fn documents(&mut self, documents: impl IntoIterator<Item = impl Into<Value>>) {
        if !self.captures_content() && !self.tells_instead() {
            return;
        }
        self.documents.extend(documents.into_iter().map(Into::into));
    }
}

impl Active<Rerank> {
    /// Adds documents that are given, and counts them where `documents_count` is not known yet. Their content is not kept where content is not captured.
    pub fn input_documents(&mut self, documents: impl IntoIterator<Item = impl Into<Value>>) {
        let captured = self.captures_content();
        let mut count = 0_i64;
        for document in documents {
            count = count.saturating_add(1);
            if captured {
                self.input_documents.push(document.into());
            }
        }
        self.documents_count.get_or_insert(count);
    }

    /// Adds documents in their new order, likewise not kept.
    pub fn output_documents(&mut self, documents: impl IntoIterator<Item = impl Into<Value>>) {
        if self.captures_content() {
            self.output_documents.extend(documents.into_iter().map(Into::into));
        }
    }
}

impl Active<Memory> {
    /// Adds records that were found or are written (see [`MemoryRecord`](crate::MemoryRecord)), and counts them where
    /// `record_count` is not known yet. Their content is not kept where content is not captured.
    pub fn records(&mut self, records: impl IntoIterator<Item = impl Into<Value>>) {
        let captured = self.captures_content();
        let mut count = 0_i64;
        for record in records {
            count = count.saturating_add(1);
            if captured {
                self.records.push(record.into());
            }
        }
        self.record_count.get_or_insert(count);
    }
}

impl Active<ReactStep> {
    /// Why the round ended.
    pub fn finish_reason(&mut self, reason: impl Into<String>) {
        self.finish_reason = Some(reason.into());
    }
}
