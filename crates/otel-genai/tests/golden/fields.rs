//! The references' operations in our words: which of ours each is, and which of our fields each of its fields.

use std::time::Duration;

use otel_genai::{
    CreateAgent, Embeddings, Entry, ExecuteTool, FetchResponse, Inference, InferenceRequest,
    InferenceResponse, InvokeAgent, InvokeWorkflow, Memory, Operation, Prompt, ReactStep, Rerank, Retrieval,
    Server, Skill, Usage,
};
use serde_json::{Map, Value};

use crate::value::{attributes, int, json, list, parsed, string, text, variables};

/// An operation that takes the references' fields.
pub(crate) trait Fields: Operation {
    /// Takes over one field. `false`: it has no such field.
    fn take(&mut self, field: &str, value: &Value) -> bool;
}

/// What is done with an operation, whichever it is.
pub(crate) trait Kinds {
    type Out;
    fn of<O: Fields>(self, op: O) -> Self::Out;
}

/// The operation of the reference's type, about which nothing is known yet.
pub(crate) fn of_kind<K: Kinds>(kind: &str, then: K) -> K::Out {
    match kind {
        "llm" | "inference" => then.of(Inference::new("chat", "")),
        "embedding" => then.of(Embeddings::new("")),
        "create_agent" => then.of(CreateAgent::default()),
        "invoke_agent" | "local_agent" => then.of(InvokeAgent::default()),
        "remote_agent" => {
            let mut agent = InvokeAgent::default();
            agent.remote = true;
            then.of(agent)
        }
        "execute_tool" | "tool" => then.of(ExecuteTool::new("")),
        "retrieval" => then.of(Retrieval::default()),
        "rerank" => then.of(Rerank::default()),
        "workflow" => then.of(InvokeWorkflow::default()),
        "fetch_response" => then.of(FetchResponse::new("", "")),
        "memory" => then.of(Memory::new("")),
        "entry" => then.of(Entry::default()),
        "react_step" => then.of(ReactStep::default()),
        other => panic!("an operation that is not known here: {other}"),
    }
}

/// What no reference tells, though LoongSuite's operations have it or its documentation makes it up.
const UNTOLD: &[&str] = &[
    "provider",
    "output_tokens",
    "system_instruction",
    "tool_definitions",
    "rerank_input_documents",
    "rerank_output_documents",
    "rerank_documents_count",
    "rerank_scoring_prompt",
    "retrieval_query",
    "retrieval_documents",
];

/// Takes over all of them; one that is not known here is a gap in this file.
pub(crate) fn take_all<O: Fields>(op: &mut O, fields: &Map<String, Value>) {
    for (field, value) in fields {
        let custom = op.custom_mut();
        match field.as_str() {
            "attributes" => custom.attributes.extend(attributes(value)),
            "metric_attributes" => custom.metric_attributes.extend(attributes(value)),
            _ => {
                let is_known = op.take(field, value) || UNTOLD.contains(&field.as_str());
                assert!(is_known, "{} has a field that is not known here: {field}", op.kind());
            }
        }
    }
}

impl Fields for Inference {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "operation_name" => self.operation = string(value).into(),
            "provider" => self.provider = string(value).into(),
            "conversation_id" => self.conversation_id = text(value),
            _ => {
                return server(&mut self.server, field, value)
                    || conversation(&mut self.request, &mut self.response, &mut self.usage, field, value);
            }
        }
        true
    }
}

impl Fields for InvokeAgent {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "provider" => self.provider = text(value).map(Into::into),
            "agent_name" => self.name = text(value),
            "agent_id" => self.id = text(value),
            "agent_description" => self.description = text(value),
            "agent_version" => self.version = text(value),
            "conversation_id" => self.conversation_id = text(value),
            "data_source_id" => self.data_source_id = text(value),
            _ => {
                return server(&mut self.server, field, value)
                    || conversation(&mut self.request, &mut self.response, &mut self.usage, field, value);
            }
        }
        true
    }
}

/// What calls of models and of agents have in common.
fn conversation(
    request: &mut InferenceRequest,
    response: &mut InferenceResponse,
    usage: &mut Usage,
    field: &str,
    value: &Value,
) -> bool {
    match field {
        "request_model" => request.model = text(value),
        "request_stream" => request.stream = value == true,
        "temperature" => request.temperature = value.as_f64(),
        "top_p" => request.top_p = value.as_f64(),
        "top_k" => request.top_k = int(value),
        "max_tokens" => request.max_tokens = int(value),
        "stop_sequences" => request.stop_sequences = parsed(value),
        "frequency_penalty" => request.frequency_penalty = value.as_f64(),
        "presence_penalty" => request.presence_penalty = value.as_f64(),
        "seed" => request.seed = int(value),
        "choice_count" | "request_choice_count" => request.choice_count = int(value),
        "output_type" => request.output_type = text(value).map(Into::into),
        "reasoning_level" => request.reasoning_level = text(value),
        "previous_response_id" => request.previous_response_id = text(value),
        "prompt_name" => prompt(request).name = string(value),
        "prompt_version" => prompt(request).version = text(value),
        "prompt_variables" => prompt(request).variables = variables(value),
        "input_messages" => request.input_messages = parsed(value),
        "system_instruction" => request.system_instructions = parsed(value),
        "tool_definitions" => request.tool_definitions = parsed(value),
        "output_messages" => response.output_messages = parsed(value),
        "response_model_name" => response.model = text(value),
        "response_id" => response.id = text(value),
        "finish_reasons" => response.finish_reasons = parsed(value),
        "conversation_compacted" => response.conversation_compacted = value == true,
        "input_tokens" => usage.input_tokens = value.as_u64(),
        "output_tokens" => usage.output_tokens = value.as_u64(),
        "thinking_tokens" => usage.reasoning_output_tokens = value.as_u64(),
        "usage_cache_creation_input_tokens" | "cache_write_input_tokens" => {
            usage.cache_write_input_tokens = value.as_u64();
        }
        "usage_cache_read_input_tokens" | "cache_read_input_tokens" => {
            usage.cache_read_input_tokens = value.as_u64();
        }
        "set_input_tokens" | "set_output_tokens" | "set_cache_read_input_tokens" => {
            for counted in value.as_array().unwrap() {
                let tokens = match string(&counted[0]).to_lowercase().as_str() {
                    "text" => &mut usage.text,
                    "image" => &mut usage.image,
                    "audio" => &mut usage.audio,
                    _ => continue,
                };
                let count = match field {
                    "set_input_tokens" => &mut tokens.input_tokens,
                    "set_output_tokens" => &mut tokens.output_tokens,
                    _ => &mut tokens.cache_read_input_tokens,
                };
                *count = counted[1].as_u64();
            }
        }
        _ => return false,
    }
    true
}

impl Fields for Embeddings {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "provider" => self.provider = string(value).into(),
            "request_model" => self.model = text(value),
            "dimension_count" => self.dimension_count = int(value),
            "encoding_formats" => self.encoding_formats = parsed(value),
            "response_model_name" => self.response_model = text(value),
            "response_id" => self.response_id = text(value),
            "input_tokens" => self.input_tokens = value.as_u64(),
            _ => return server(&mut self.server, field, value),
        }
        true
    }
}

impl Fields for CreateAgent {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "provider" => self.provider = text(value).map(Into::into),
            "agent_name" => self.name = text(value),
            "agent_id" => self.id = text(value),
            "agent_description" => self.description = text(value),
            "agent_version" => self.version = text(value),
            "request_model" => self.model = text(value),
            _ => return server(&mut self.server, field, value),
        }
        true
    }
}

impl Fields for ExecuteTool {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        let skill = || Skill::default();
        match field {
            "tool_name" | "name" => self.name = string(value),
            "tool_type" => self.kind = text(value),
            "tool_call_id" => self.call_id = text(value),
            "tool_description" => self.description = text(value),
            "agent_name" => self.agent_name = text(value),
            "tool_call_arguments" | "arguments" => self.arguments = json(value),
            "tool_call_result" | "tool_result" => self.result = json(value),
            "skill_name" => self.skill.get_or_insert_with(skill).name = text(value),
            "skill_id" => self.skill.get_or_insert_with(skill).id = text(value),
            "skill_description" => self.skill.get_or_insert_with(skill).description = text(value),
            "skill_version" => self.skill.get_or_insert_with(skill).version = text(value),
            _ => return false,
        }
        true
    }
}

impl Fields for Retrieval {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "provider" => self.provider = text(value).map(Into::into),
            "data_source_id" => self.data_source_id = text(value),
            "request_model" => self.model = text(value),
            "top_k" => self.top_k = int(value),
            "query" | "query_text" => self.query = text(value),
            "documents" => self.documents = list(value),
            _ => return server(&mut self.server, field, value),
        }
        true
    }
}

impl Fields for Rerank {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "provider" => self.provider = text(value).map(Into::into),
            "request_model" => self.model = text(value),
            "top_k" => self.top_k = int(value),
            "documents_count" => self.documents_count = int(value),
            "temperature" => self.temperature = value.as_f64(),
            "max_tokens" => self.max_tokens = int(value),
            "scoring_prompt" => self.scoring_prompt = text(value),
            "return_documents" => self.return_documents = value.as_bool(),
            "max_chunks_per_doc" => self.max_chunks_per_doc = int(value),
            "device" => self.device = text(value),
            "batch_size" => self.batch_size = int(value),
            "max_length" => self.max_length = int(value),
            "normalize" => self.normalize = value.as_bool(),
            "query" => self.query = text(value),
            "input_documents" => self.input_documents = list(value),
            "output_documents" => self.output_documents = list(value),
            _ => return server(&mut self.server, field, value),
        }
        true
    }
}

impl Fields for InvokeWorkflow {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "name" => self.name = text(value),
            "conversation_id" => self.conversation_id = text(value),
            "input_messages" => self.input_messages = parsed(value),
            "output_messages" => self.output_messages = parsed(value),
            _ => return false,
        }
        true
    }
}

impl Fields for FetchResponse {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "provider" => self.provider = string(value).into(),
            "response_id" => self.response_id = string(value),
            "request_stream" => self.stream = value == true,
            "stream_cursor" => self.stream_cursor = text(value),
            "response_status" => self.status = text(value).map(Into::into),
            "response_model_name" => self.response_model = text(value),
            "finish_reasons" => self.finish_reasons = parsed(value),
            "output_messages" => self.output_messages = parsed(value),
            "system_instruction" => self.system_instructions = parsed(value),
            "tool_definitions" => self.tool_definitions = parsed(value),
            _ => return server(&mut self.server, field, value),
        }
        true
    }
}

impl Fields for Memory {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        let own = &mut self.loongsuite;
        match field {
            "operation" => {
                let name = match string(value).as_str() {
                    "add" => "create_memory",
                    "search" => "search_memory",
                    "update" => "update_memory",
                    "delete" => "delete_memory",
                    _ => "",
                };
                self.operation = name.into();
                own.operation = text(value);
            }
            "user_id" => own.user_id = text(value),
            "agent_id" => own.agent_id = text(value),
            "run_id" => own.run_id = text(value),
            "app_id" => own.app_id = text(value),
            "memory_id" => self.record_id = text(value),
            "limit" => own.limit = int(value),
            "page" => own.page = int(value),
            "page_size" => own.page_size = int(value),
            "top_k" => own.top_k = int(value),
            "memory_type" => own.memory_type = text(value),
            "threshold" => own.threshold = value.as_f64(),
            "rerank" => own.rerank = value.as_bool(),
            "input_messages" => own.input = json(value),
            "output_messages" => own.output = json(value),
            _ => return server(&mut self.server, field, value),
        }
        true
    }
}

impl Fields for Entry {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "session_id" => self.session_id = text(value),
            "user_id" => self.user_id = text(value),
            "response_time_to_first_token" => {
                self.time_to_first_chunk = value.as_u64().map(Duration::from_nanos);
            }
            "input_messages" => self.input_messages = parsed(value),
            "output_messages" => self.output_messages = parsed(value),
            _ => return false,
        }
        true
    }
}

impl Fields for ReactStep {
    fn take(&mut self, field: &str, value: &Value) -> bool {
        match field {
            "round" => self.round = int(value),
            "finish_reason" => self.finish_reason = text(value),
            _ => return false,
        }
        true
    }
}

fn server(server: &mut Option<Server>, field: &str, value: &Value) -> bool {
    let unknown = || Server::new("", None);
    match field {
        "server_address" => server.get_or_insert_with(unknown).address = string(value),
        "server_port" => {
            server.get_or_insert_with(unknown).port = value.as_u64().and_then(|port| port.try_into().ok());
        }
        _ => return false,
    }
    true
}

fn prompt(request: &mut InferenceRequest) -> &mut Prompt {
    request.prompt.get_or_insert_with(|| Prompt::new(""))
}
