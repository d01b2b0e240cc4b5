"""What the scripted server says as Anthropic, and what telemetry says of it."""

import json

from harness.model import split_words, tag
from harness.provider import Cut, Reply
from harness.sdk import says

KEY = "sk-ant-e2e-SECRETSECRET-0123456789"
MODEL = "claude-sonnet-4-5"
ANSWERED = "claude-sonnet-4-5-20250929"
WEATHER = {"type": "tool_use", "id": "toolu_e2e_weather", "name": "get_weather", "input": {"city": "Paris"}}
THOUGHT = {"type": "thinking", "thinking": "They want a thought. Here is one.", "signature": "c2lnbmVkLWJ5LWUyZQ=="}
USAGE = {
    "input_tokens": 12, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 21, "service_tier": "standard",
}


# -- what the server says --------------------------------------------------------------------------------------------------

def headers(request, content_type="application/json"):
    return [("Content-Type", content_type), ("request-id", f"req_{tag(request)}"),
            ("anthropic-organization-id", "e2e-org"), ("X-MiXed-CaSe", "Kept, As  Is")]


def answer(request):
    body = request.json
    if body["model"] == "claude-busy":
        error = {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many requests in this minute"},
                 "request_id": f"req_{tag(request)}"}
        return Reply(429, [*headers(request), ("retry-after", "1")], json.dumps(error).encode())
    if body.get("stream"):
        return Reply(200, headers(request, "text/event-stream; charset=utf-8"), stream(request), framing="chunked")
    return Reply(200, headers(request), json.dumps({**shell(request), **end(body), "content": content(body),
                                                    "usage": USAGE}).encode())


def content(body):
    asked = question(body)
    if isinstance(asked, dict):
        return [{"type": "text", "text": f"The tool said: {asked['content']}"}]
    if body.get("tools"):
        return [{"type": "text", "text": "I look outside."}, WEATHER]
    return [*([THOUGHT] if body.get("thinking") else []), {"type": "text", "text": f"You said: {asked}"}]


def question(body):
    """What the user says, or a tool's result."""
    asked = body["messages"][-1]["content"]
    block = asked[0] if isinstance(asked, list) else {"text": asked}
    return block.get("text", block)


def end(body):
    return {"stop_reason": "tool_use" if WEATHER in content(body) else "end_turn", "stop_sequence": None}


def shell(request):
    return {"id": f"msg_{tag(request)}", "type": "message", "role": "assistant", "model": ANSWERED}


def stream(request):
    body = request.json
    begun = {**USAGE, "output_tokens": 1}
    yield event("message_start", message={**shell(request), "content": [], "stop_reason": None, "stop_sequence": None,
                                          "usage": begun})
    yield event("ping")
    for index, block in enumerate(content(body)):
        yield from streamed_block(index, block)
        if question(body) == "Break off":
            yield Cut()
    yield event("message_delta", delta=end(body), usage={"output_tokens": USAGE["output_tokens"]})
    yield event("message_stop")


def streamed_block(index, block):
    def delta(type, **more):
        return event("content_block_delta", index=index, delta={"type": type, **more})

    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}
    yield event("content_block_start", index=index, content_block={**block, **empty[block["type"]]})
    match block["type"]:
        case "text":
            yield from (delta("text_delta", text=word) for word in split_words(block["text"]))
        case "thinking":
            yield from (delta("thinking_delta", thinking=word) for word in split_words(block["thinking"]))
            yield delta("signature_delta", signature=block["signature"])
        case "tool_use":
            arguments = json.dumps(block["input"])
            yield from (delta("input_json_delta", partial_json=piece) for piece in ("", arguments[:7], arguments[7:]))
    yield event("content_block_stop", index=index)


def event(type, **more):
    return f"event: {type}\ndata: {json.dumps({'type': type, **more})}\n\n".encode()


# -- what telemetry says of it ---------------------------------------------------------------------------------------------

TOOLS = [{"type": "function", "name": "get_weather", "description": "The weather in a city",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]
USED = {
    "gen_ai.usage.input_tokens": 47, "gen_ai.usage.output_tokens": 21,
    "gen_ai.usage.cache_creation.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 30,
}


def asked(*messages, model=MODEL, max_tokens=64):
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": model,
        "gen_ai.request.max_tokens": max_tokens,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


REASONS = {"end_turn": "stop", "tool_use": "tool_call", "error": "error"}
"""The provider's words, and the conventions' in messages."""


def answered(request, *parts, reason="end_turn"):
    return {
        "gen_ai.response.id": f"msg_{tag(request)}", "gen_ai.response.model": ANSWERED,
        "gen_ai.response.finish_reasons": [reason],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=REASONS[reason])], **USED,
    }
