//! What records and messages have in common, for zstd to refer to. It is part of the format of the files: what is in it never
//! changes (a test holds it), something better becomes another version beside it.

use std::sync::OnceLock;

use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// Stands in front of every body that was compressed with the words below.
pub(super) const VERSION: u8 = 1;
/// zstd's fastest level that is not one of its rough ones.
pub(super) const LEVEL: i32 = 1;

/// Names of attributes, the most usual last: what stands nearest to the data is cheapest to refer to.
const NAMES: &str = "\
http.request.method http.response.status_code http.route url.full url.path url.scheme network.protocol.version \
network.peer.address network.peer.port user_agent.original client.address code.function.name code.file.path \
code.line.number thread.id thread.name db.system.name db.query.text db.collection.name rpc.system rpc.method rpc.service \
exception.type exception.message exception.stacktrace error.type error.message event.name session.id user.id \
input.value input.mime_type output.value output.mime_type openinference.span.kind traceloop.span.kind \
traceloop.entity.name traceloop.workflow.name traceloop.entity.input traceloop.entity.output llm.model_name llm.provider \
llm.system llm.token_count.prompt llm.token_count.completion llm.token_count.total llm.invocation_parameters \
llm.input_messages.0.message.role llm.input_messages.0.message.content llm.output_messages.0.message.role \
llm.output_messages.0.message.content llm.tools.0.tool.json_schema llm.usage.total_tokens llm.request.type \
gen_ai.prompt.0.role gen_ai.prompt.0.content gen_ai.completion.0.role gen_ai.completion.0.content \
gen_ai.completion.0.finish_reason ai.operationId ai.model.id ai.model.provider ai.settings.maxRetries ai.prompt.messages \
ai.response.text ai.response.toolCalls ai.response.finishReason ai.response.timestamp ai.telemetry.functionId \
ai.usage.promptTokens ai.usage.completionTokens logfire.msg logfire.span_type logfire.json_schema \
mcp.method.name mcp.session.id mcp.protocol.version jsonrpc.request.id gen_ai.evaluation.name \
gen_ai.evaluation.score.value gen_ai.evaluation.score.label gen_ai.evaluation.explanation gen_ai.data_source.id \
gen_ai.retrieval.query.text gen_ai.retrieval.documents gen_ai.embeddings.dimension.count gen_ai.request.encoding_formats \
gen_ai.workflow.name gen_ai.span.kind gen_ai.system gen_ai.prompt.name gen_ai.request.seed gen_ai.request.top_k \
gen_ai.request.stop_sequences gen_ai.request.frequency_penalty gen_ai.request.presence_penalty \
gen_ai.request.choice.count gen_ai.request.reasoning.level gen_ai.output.type gen_ai.request.top_p gen_ai.request.max_tokens \
gen_ai.request.temperature gen_ai.request.stream gen_ai.openai.request.service_tier gen_ai.openai.response.service_tier \
gen_ai.openai.response.system_fingerprint gen_ai.agent.version gen_ai.agent.description gen_ai.agent.id gen_ai.agent.name \
gen_ai.tool.description gen_ai.tool.type gen_ai.tool.name gen_ai.tool.call.id gen_ai.tool.call.arguments \
gen_ai.tool.call.result gen_ai.conversation.id server.port server.address gen_ai.usage.reasoning.output_tokens \
gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_read.input_tokens gen_ai.response.time_to_first_chunk \
gen_ai.tool.definitions gen_ai.system_instructions gen_ai.output.messages gen_ai.input.messages \
gen_ai.usage.output_tokens gen_ai.usage.input_tokens gen_ai.response.finish_reasons gen_ai.response.id \
gen_ai.response.model gen_ai.request.model gen_ai.provider.name gen_ai.operation.name";

/// Usual values.
const VALUES: &str = "\
text_completion generate_content embeddings create_agent invoke_agent execute_tool retrieval invoke_workflow function \
extension datastore aws.bedrock azure.ai.openai gcp.gemini gcp.vertex_ai mistral_ai deepseek cohere groq ollama \
anthropic openai claude-opus-4 claude-sonnet-4-5 gemini-2.5-flash gemini-2.5-pro gpt-4o-mini gpt-4o gpt-5-mini gpt-5 \
text-embedding-3-small api.anthropic.com api.openai.com generativelanguage.googleapis.com chatcmpl- resp_ msg_ call_ \
toolu_ content_filter length tool_calls tool_call tool_use end_turn stop chat json text default internal client server";

/// How others and we write messages and tools in JSON: tight, and as Python does.
const JSON: &str = r#"{"type":"object","properties":{"query":{"type":"string","description":"The },"additionalProperties":false,"required":[""]}
{"type": "object", "properties": {"query": {"type": "string", "description": "The "}, "additionalProperties": false, "required": [""]}
{"type":"function","function":{"name":"","description":"","parameters":{"type":"object","properties":{
{"type": "function", "name": "", "description": "", "parameters": {"type": "object", "properties": {
{"role":"tool","tool_call_id":"call_","content":"{\"
{"role": "tool", "tool_call_id": "call_", "content": "{\"
{"role":"assistant","content":null,"tool_calls":[{"id":"call_","type":"function","function":{"name":"","arguments":"{\"
{"role": "assistant", "content": null, "tool_calls": [{"id": "call_", "type": "function", "function": {"name": "", "arguments": "{\"
{"role":"user","content":[{"type":"text","text":"
{"role":"assistant","content":[{"type":"tool_use","id":"toolu_","name":"","input":{"
{"role":"user","content":"{"role":"system","content":"You are a helpful assistant. {"role":"assistant","content":"
{"role": "user", "content": " {"role": "system", "content": "You are a helpful assistant. {"role": "assistant", "content": "
{"role":"tool","parts":[{"type":"tool_call_response","id":"call_","response":{"
{"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_", "result": "
{"role":"assistant","parts":[{"type":"tool_call","id":"call_","name":"","arguments":{"
{"role": "assistant", "parts": [{"type": "tool_call", "id": "call_", "name": "", "arguments": {"
{"role":"assistant","parts":[{"type":"text","content":""}],"finish_reason":"tool_call"}
{"role": "assistant", "parts": [{"type": "text", "content": ""}], "finish_reason": "stop"}
{"type":"reasoning","content":" {"type":"blob","modality":"image","mime_type":"image/png","content":"
{"role":"system","parts":[{"type":"text","content":"You are a helpful assistant. "}]}
{"role": "user", "parts": [{"type": "text", "content": "
{"role":"assistant","parts":[{"type":"text","content":"
{"role":"user","parts":[{"type":"text","content":""#;

/// The words in the frames of protobuf that they have in a span.
pub(super) fn bytes() -> Vec<u8> {
    let mut bytes = Vec::new();
    for value in VALUES.split(' ') {
        framed(&mut bytes, &[0x12, length(value) + 2, 0x0a], value);
    }
    bytes.extend_from_slice(JSON.as_bytes());
    for name in NAMES.split(' ') {
        let mut frame = vec![0x4a, length(name) + 16];
        frame.push(0x0a);
        framed(&mut bytes, &frame, name);
        // A text, and a number.
        bytes.extend_from_slice(&[0x12, 0x0c, 0x0a, 0x0a]);
    }
    bytes
}

fn framed(bytes: &mut Vec<u8>, frame: &[u8], word: &str) {
    bytes.extend_from_slice(frame);
    bytes.push(length(word));
    bytes.extend_from_slice(word.as_bytes());
}

fn length(word: &str) -> u8 {
    u8::try_from(word.len()).unwrap_or(u8::MAX)
}

pub(super) fn encoder() -> &'static EncoderDictionary<'static> {
    static ENCODER: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    ENCODER.get_or_init(|| EncoderDictionary::copy(&bytes(), LEVEL))
}

/// The words of a version that was written once; none for one that only a later program knows.
pub(super) fn decoder(version: u8) -> Option<&'static DecoderDictionary<'static>> {
    static DECODER: OnceLock<DecoderDictionary<'static>> = OnceLock::new();
    (version == VERSION).then(|| DECODER.get_or_init(|| DecoderDictionary::copy(&bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that were written need the very bytes: do not change this number, add a version.
    #[test]
    fn what_was_compressed_can_be_read_for_ever() {
        let hash = "ebcafef4c08fb7ca3ece79694a08bbfd550547acae3954cd7d38bcb9b58b103e";
        assert_eq!(blake3::hash(&bytes()).to_hex().as_str(), hash);
    }
}
