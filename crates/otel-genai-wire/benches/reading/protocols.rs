//! The protocols, and how each of them writes a conversation with tools.

use crate::exchange::{Exchange, Framing};

#[rustfmt::skip]
pub(crate) fn all() -> Vec<Exchange> {
    vec![openai_chat(), plain_chat(), responses(), anthropic(), gemini(), bedrock(), cohere(), ollama(), dashscope(), mcp(), qdrant()]
}

/// What a tool takes.
const SCHEMA: &str = r#"{"type":"object","properties":{"order":{"type":"integer","description":"The order's number"},"carrier":{"type":"string","enum":["sea","air","rail"]}},"required":["order"]}"#;

fn with_schema(request: &str) -> String {
    request.replace("$SCHEMA", SCHEMA)
}

fn openai_chat() -> Exchange {
    let url = "https://api.openai.com/v1/chat/completions";
    Exchange::new(
        "OpenAI chat",
        url,
        &with_schema(r#"{"model":"gpt-4o-mini","messages":[{"role":"system","content":"$TEXT"},$TURNS],"tools":[{"type":"function","function":{"name":"track","description":"$TEXT","parameters":$SCHEMA}}],"stream":true,"stream_options":{"include_usage":true},"temperature":0.2}"#),
        r#"{"role":"user","content":"$TEXT"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_QJ4Jp2iR","type":"function","function":{"name":"track","arguments":"{\"order\": 17, \"carrier\": \"sea\"}"}}]},{"role":"tool","tool_call_id":"call_QJ4Jp2iR","content":"$TEXT"}"#,
        r#"{"id":"chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl","object":"chat.completion","created":1731368639,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"$TEXT$TEXT$TEXT$TEXT","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":900,"total_tokens":924,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default","system_fingerprint":"fp_0ba0d124f1"}"#,
    )
    .streamed(
        url,
        Framing::Events,
        &[],
        ("", r#"{"id":"chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl","object":"chat.completion.chunk","created":1731368639,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0ba0d124f1","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x8Sd2kq"}"#),
        &[("", r#"{"id":"chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl","object":"chat.completion.chunk","created":1731368639,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":900,"total_tokens":924}}"#)],
    )
}

/// The same without a tool, which is all that is known of it before it has been read.
fn plain_chat() -> Exchange {
    let url = "https://api.openai.com/v1/chat/completions";
    Exchange::new(
        "OpenAI chat without tools",
        url,
        r#"{"model":"gpt-4o-mini","messages":[{"role":"system","content":"$TEXT"},$TURNS],"temperature":0.2}"#,
        r#"{"role":"user","content":"$TEXT"},{"role":"assistant","content":"$TEXT"}"#,
        r#"{"id":"chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl","object":"chat.completion","created":1731368639,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":2,"total_tokens":26}}"#,
    )
}

fn responses() -> Exchange {
    let url = "https://api.openai.com/v1/responses";
    Exchange::new(
        "OpenAI Responses",
        url,
        &with_schema(r#"{"model":"gpt-4o-mini","instructions":"$TEXT","input":[$TURNS],"tools":[{"type":"function","name":"track","description":"$TEXT","parameters":$SCHEMA,"strict":true}],"stream":true,"temperature":0.2}"#),
        r#"{"role":"user","content":[{"type":"input_text","text":"$TEXT"}]},{"type":"function_call","id":"fc_1","call_id":"call_QJ4Jp2iR","name":"track","arguments":"{\"order\": 17, \"carrier\": \"sea\"}","status":"completed"},{"type":"function_call_output","call_id":"call_QJ4Jp2iR","output":"$TEXT"}"#,
        r#"{"id":"resp_084b35c1ca777f860069e2f3f7","object":"response","created_at":1741476542,"status":"completed","error":null,"model":"gpt-4o-mini-2024-07-18","output":[{"type":"message","id":"msg_084b35c1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"$TEXT$TEXT$TEXT$TEXT","annotations":[]}]}],"parallel_tool_calls":true,"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":0},"output_tokens":900,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":936}}"#,
    )
    .streamed(
        url,
        Framing::NamedEvents,
        &[("response.created", r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_084b35c1ca777f860069e2f3f7","object":"response","status":"in_progress","model":"gpt-4o-mini-2024-07-18","output":[]}}"#)],
        ("response.output_text.delta", r#"{"type":"response.output_text.delta","content_index":0,"delta":" token","item_id":"msg_084b35c1ca777f860069e2f3f7","logprobs":[],"obfuscation":"Pq8sdk2","output_index":0,"sequence_number":17}"#),
        &[("response.completed", r#"{"type":"response.completed","sequence_number":2000,"response":{"id":"resp_084b35c1ca777f860069e2f3f7","object":"response","status":"completed","model":"gpt-4o-mini-2024-07-18","output":[{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"$TEXT$TEXT$TEXT$TEXT"}]}],"usage":{"input_tokens":36,"output_tokens":900,"total_tokens":936}}}"#)],
    )
}

fn anthropic() -> Exchange {
    let url = "https://api.anthropic.com/v1/messages";
    Exchange::new(
        "Anthropic Messages",
        url,
        &with_schema(r#"{"model":"claude-sonnet-4-5","max_tokens":1024,"system":[{"type":"text","text":"$TEXT","cache_control":{"type":"ephemeral"}}],"messages":[$TURNS],"tools":[{"name":"track","description":"$TEXT","input_schema":$SCHEMA}],"stream":true}"#),
        r#"{"role":"user","content":[{"type":"text","text":"$TEXT"}]},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_01A09q90","name":"track","input":{"order":17,"carrier":"sea"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01A09q90","content":"$TEXT"}]}"#,
        r#"{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"$TEXT$TEXT$TEXT$TEXT"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":24,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":900,"service_tier":"standard"}}"#,
    )
    .streamed(
        url,
        Framing::NamedEvents,
        &[
            ("message_start", r#"{"type":"message_start","message":{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"usage":{"input_tokens":24,"output_tokens":1}}}"#),
            ("content_block_start", r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
        ],
        ("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" token"}}"#),
        &[
            ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
            ("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":900}}"#),
            ("message_stop", r#"{"type":"message_stop"}"#),
        ],
    )
}

fn gemini() -> Exchange {
    Exchange::new(
        "Gemini",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
        &with_schema(r#"{"systemInstruction":{"parts":[{"text":"$TEXT"}]},"contents":[$TURNS],"tools":[{"functionDeclarations":[{"name":"track","description":"$TEXT","parameters":$SCHEMA}]}],"generationConfig":{"temperature":0.2,"maxOutputTokens":1024}}"#),
        r#"{"role":"user","parts":[{"text":"$TEXT"}]},{"role":"model","parts":[{"functionCall":{"name":"track","args":{"order":17,"carrier":"sea"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"track","response":{"result":"$TEXT"}}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"$TEXT$TEXT$TEXT$TEXT"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":24,"candidatesTokenCount":900,"totalTokenCount":924,"promptTokensDetails":[{"modality":"TEXT","tokenCount":24}]},"modelVersion":"gemini-2.5-flash","responseId":"mAitaLmkHPPlz7IP3b3S2QM"}"#,
    )
    .streamed(
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        Framing::Events,
        &[],
        ("", r#"{"candidates": [{"content": {"parts": [{"text": " some tokens of the answer, as they come from Gemini"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 24,"candidatesTokenCount": 30,"totalTokenCount": 54,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 24}]},"modelVersion": "gemini-2.5-flash","responseId": "mAitaLmkHPPlz7IP3b3S2QM"}"#),
        &[("", r#"{"candidates": [{"content": {"parts": [{"text": "."}],"role": "model"},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 24,"candidatesTokenCount": 900,"totalTokenCount": 924},"modelVersion": "gemini-2.5-flash","responseId": "mAitaLmkHPPlz7IP3b3S2QM"}"#)],
    )
}

fn bedrock() -> Exchange {
    Exchange::new(
        "Bedrock Converse",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/converse",
        &with_schema(r#"{"system":[{"text":"$TEXT"}],"messages":[$TURNS],"toolConfig":{"tools":[{"toolSpec":{"name":"track","description":"$TEXT","inputSchema":{"json":$SCHEMA}}}]},"inferenceConfig":{"maxTokens":1024,"temperature":0.2}}"#),
        r#"{"role":"user","content":[{"text":"$TEXT"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"tooluse_kZJMlvQm","name":"track","input":{"order":17,"carrier":"sea"}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"tooluse_kZJMlvQm","content":[{"text":"$TEXT"}]}}]}"#,
        r#"{"metrics":{"latencyMs":551},"output":{"message":{"content":[{"text":"$TEXT$TEXT$TEXT$TEXT"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":24,"outputTokens":900,"totalTokens":924}}"#,
    )
    .streamed(
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/converse-stream",
        Framing::EventStream,
        &[("messageStart", r#"{"p":"abcdefghijklmnop","role":"assistant"}"#)],
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":" token"},"p":"abcdefghijklmnopqrstuvwxyz"}"#),
        &[
            ("contentBlockStop", r#"{"contentBlockIndex":0,"p":"abcdefghi"}"#),
            ("messageStop", r#"{"p":"abcdef","stopReason":"end_turn"}"#),
            ("metadata", r#"{"metrics":{"latencyMs":551},"p":"abc","usage":{"inputTokens":24,"outputTokens":900,"totalTokens":924}}"#),
        ],
    )
}

fn cohere() -> Exchange {
    let url = "https://api.cohere.com/v2/chat";
    Exchange::new(
        "Cohere",
        url,
        &with_schema(r#"{"model":"command-a-03-2025","messages":[{"role":"system","content":"$TEXT"},$TURNS],"tools":[{"type":"function","function":{"name":"track","description":"$TEXT","parameters":$SCHEMA}}],"stream":true}"#),
        r#"{"role":"user","content":"$TEXT"},{"role":"assistant","tool_plan":"I will look.","tool_calls":[{"id":"track_x1","type":"function","function":{"name":"track","arguments":"{\"order\": 17}"}}]},{"role":"tool","tool_call_id":"track_x1","content":[{"type":"text","text":"$TEXT"}]}"#,
        r#"{"id":"c14c80c3-18eb-4519-9460-6c92edd8cfb4","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"$TEXT$TEXT$TEXT$TEXT"}]},"usage":{"billed_units":{"input_tokens":5,"output_tokens":900},"tokens":{"input_tokens":71,"output_tokens":900}}}"#,
    )
    .streamed(
        url,
        Framing::NamedEvents,
        &[
            ("message-start", r#"{"id":"29f14a5a","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#),
            ("content-start", r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#),
        ],
        ("content-delta", r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" token"}}}}"#),
        &[
            ("content-end", r#"{"type":"content-end","index":0}"#),
            ("message-end", r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":900},"tokens":{"input_tokens":71,"output_tokens":900}}}}"#),
        ],
    )
}

fn ollama() -> Exchange {
    let url = "http://127.0.0.1:11434/api/chat";
    Exchange::new(
        "Ollama",
        url,
        &with_schema(r#"{"model":"llama3.2","messages":[{"role":"system","content":"$TEXT"},$TURNS],"tools":[{"type":"function","function":{"name":"track","description":"$TEXT","parameters":$SCHEMA}}],"options":{"temperature":0.2}}"#),
        r#"{"role":"user","content":"$TEXT"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"track","arguments":{"order":17,"carrier":"sea"}}}]},{"role":"tool","tool_name":"track","content":"$TEXT"}"#,
        r#"{"model":"llama3.2","created_at":"2026-01-01T08:52:19.385406455Z","message":{"role":"assistant","content":"$TEXT$TEXT$TEXT$TEXT"},"done_reason":"stop","done":true,"total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,"eval_count":900,"eval_duration":4535599000}"#,
    )
    .streamed(
        url,
        Framing::Lines,
        &[],
        ("", r#"{"model":"llama3.2","created_at":"2026-01-01T08:52:19.385406455Z","message":{"role":"assistant","content":" token"},"done":false}"#),
        &[("", r#"{"model":"llama3.2","created_at":"2026-01-01T08:52:25.385406455Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,"prompt_eval_duration":342546000,"eval_count":900,"eval_duration":4535599000}"#)],
    )
}

fn dashscope() -> Exchange {
    let url = "https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation";
    Exchange::new(
        "DashScope",
        url,
        &with_schema(r#"{"model":"qwen-plus","input":{"messages":[{"role":"system","content":"$TEXT"},$TURNS]},"parameters":{"result_format":"message","incremental_output":true,"temperature":0.2,"tools":[{"type":"function","function":{"name":"track","description":"$TEXT","parameters":$SCHEMA}}]}}"#),
        r#"{"role":"user","content":"$TEXT"},{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"call_QJ4Jp2iR","type":"function","function":{"name":"track","arguments":"{\"order\": 17}"}}]},{"role":"tool","tool_call_id":"call_QJ4Jp2iR","content":"$TEXT"}"#,
        r#"{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"$TEXT$TEXT$TEXT$TEXT"}}]},"usage":{"total_tokens":924,"output_tokens":900,"input_tokens":24,"prompt_tokens_details":{"cached_tokens":0}},"request_id":"902fee3b-f7f0-9a8c-96a1-6b4ea25af114"}"#,
    )
    .streamed(
        url,
        Framing::NamedEvents,
        &[],
        ("result", r#"{"output":{"choices":[{"message":{"content":" token","role":"assistant"},"finish_reason":"null"}]},"usage":{"total_tokens":30,"output_tokens":6,"input_tokens":24,"prompt_tokens_details":{"cached_tokens":0}},"request_id":"902fee3b-f7f0-9a8c-96a1-6b4ea25af114"}"#),
        &[("result", r#"{"output":{"choices":[{"message":{"content":"","role":"assistant"},"finish_reason":"stop"}]},"usage":{"total_tokens":924,"output_tokens":900,"input_tokens":24},"request_id":"902fee3b-f7f0-9a8c-96a1-6b4ea25af114"}"#)],
    )
}

fn mcp() -> Exchange {
    let url = "http://127.0.0.1:8000/mcp";
    Exchange::new(
        "MCP",
        url,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"track","arguments":{"orders":[$TURNS]},"_meta":{"progressToken":1}}}"#,
        r#"{"order":17,"notes":"$TEXT"}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"$TEXT$TEXT$TEXT$TEXT"}],"structuredContent":{"orders":[{"order":17,"notes":"$TEXT"},{"order":18,"notes":"$TEXT"}]},"isError":false}}"#,
    )
    .streamed(
        url,
        Framing::NamedEvents,
        &[],
        ("message", r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":0.5,"total":1.0,"message":"half of it is done"}}"#),
        &[("message", r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"$TEXT"}],"isError":false}}"#)],
    )
}

fn qdrant() -> Exchange {
    Exchange::new(
        "Qdrant",
        "http://127.0.0.1:6333/collections/orders/points/query",
        r#"{"query":[$VECTOR],"limit":4,"with_payload":true,"filter":{"should":[$TURNS]}}"#,
        r#"{"key":"order","match":{"value":17}}"#,
        &format!(
            r#"{{"result":{{"points":[{}]}},"status":"ok","time":0.002}}"#,
            [r#"{"id":17,"version":3,"score":0.912,"payload":{"text":"$TEXT","order":17},"vector":[$VECTOR]}"#; 10].join(",")
        ),
    )
}
