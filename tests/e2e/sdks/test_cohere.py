"""The SDK `cohere` for Python (API v2)."""

import json

import pytest

from harness.launcher import python
from harness.model import VECTOR, split_words, tag
from harness.provider import Cut, Reply
from harness.sdk import STREAMED, Sdk, assert_hooked, says, tool_call, tool_response

KEY = "co-e2e-SECRETSECRET-0123456789"
MODEL = "command-a-03-2025"
WEATHER = {"id": "get_weather_e2e1", "type": "function",
           "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
PLAN, THOUGHT = "I will look outside.", "They want a thought."
USAGE = {"billed_units": {"input_tokens": 40, "output_tokens": 9}, "tokens": {"input_tokens": 70, "output_tokens": 11},
         "cached_tokens": 32}


# -- what the server says --------------------------------------------------------------------------------------------------

def headers(content_type="application/json"):
    return [("content-type", content_type), ("num_chars", "17"), ("num_tokens", "20"), ("x-endpoint-monthly-call-limit", "1")]


def answer(request):
    body = request.json
    if body["model"] == "command-busy":
        return reply({"id": f"co_{tag(request)}", "message": "Too many requests in this minute"}, 429)
    meta = {"api_version": {"version": "2"}}
    if request.path == "/v2/embed":
        return reply({"id": f"co_{tag(request)}", "texts": body["texts"], "embeddings": {"float": [VECTOR, VECTOR]},
                      "meta": {**meta, "billed_units": {"input_tokens": 4}}, "response_type": "embeddings_by_type"})
    if request.path == "/v2/rerank":
        return reply({"id": f"co_{tag(request)}", "results": [{"index": 1, "relevance_score": 0.75}],
                      "meta": {**meta, "billed_units": {"search_units": 1}}})
    if body.get("stream"):
        return Reply(200, headers("text/event-stream"), stream(request), framing="chunked")
    message, reason = said(body)
    return reply({"id": f"co_{tag(request)}", "finish_reason": reason, "message": message, "usage": USAGE})


def reply(document, status=200):
    return Reply(status, headers(), json.dumps(document).encode())


def said(body):
    last = body["messages"][-1]
    if last["role"] == "tool":
        blocks = [{"type": "text", "text": f"The tool said: {last['content']}"}]
    elif body.get("tools"):
        return {"role": "assistant", "tool_calls": [WEATHER], "tool_plan": PLAN}, "TOOL_CALL"
    else:
        thought = [{"type": "thinking", "thinking": THOUGHT}] if body.get("thinking") else []
        blocks = [*thought, {"type": "text", "text": f"You said: {last['content']}"}]
    return {"role": "assistant", "content": blocks}, "COMPLETE"


def stream(request):
    message, reason = said(request.json)
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield event("message-start", id=f"co_{tag(request)}", delta={"message": empty})
    for piece in split_words(message.get("tool_plan", "")):
        if piece:
            yield event("tool-plan-delta", delta={"message": {"tool_plan": piece}})
    for index, call in enumerate(message.get("tool_calls", ())):
        begun = {**call, "function": {**call["function"], "arguments": ""}}
        yield event("tool-call-start", index=index, delta={"message": {"tool_calls": begun}})
        for piece in (call["function"]["arguments"][:6], call["function"]["arguments"][6:]):
            yield event("tool-call-delta", index=index, delta={"message": {"tool_calls": {"function": {"arguments": piece}}}})
        yield event("tool-call-end", index=index)
    for index, block in enumerate(message.get("content", ())):
        kind = block["type"]
        yield event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
        for piece in split_words(block[kind]):
            yield event("content-delta", index=index, delta={"message": {"content": {kind: piece}}})
        if "Break off" in json.dumps(request.json):
            yield Cut()
        yield event("content-end", index=index)
    yield event("message-end", delta={"finish_reason": reason, "usage": USAGE})
    yield b"data: [DONE]\n\n"


def event(type, **more):
    return f"event: {type}\ndata: {json.dumps({'type': type, **more})}\n\n".encode()


# -- what is told ----------------------------------------------------------------------------------------------------------

SDK = Sdk(
    python("cohere/calls.py"), answer,
    {"unary": 1, "stream": 1, "thinking": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "async": 1,
     "embeddings": 1, "rerank": 1},
    env=lambda origin: {"CO_API_URL": origin, "CO_API_KEY": KEY},
    # Cohere's answers do not name the model, and the convention has no reranking.
    findings=(': gen_ai.response.model: ', 'span "rerank_documents '),
)
TOOLS = [{"type": "function", "name": "get_weather", "description": "The weather in a city",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]
REASONS = {"COMPLETE": "stop", "TOOL_CALL": "tool_call", "error": "error"}
USED = {"gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 9, "gen_ai.usage.cache_read.input_tokens": 32}


@pytest.fixture
def ran(launcher):
    return SDK.ran(launcher)


def asked(*messages, model=MODEL):
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "cohere", "gen_ai.request.model": model,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


def answered(request, *parts, reason="COMPLETE", used=USED):
    return {
        "gen_ai.response.id": f"co_{tag(request)}", "gen_ai.response.finish_reasons": [reason],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=REASONS[reason])], **used,
    }


@pytest.mark.proves("cohere", "Python", "unary")
def test_a_chat(ran):
    one = ran["unary"]
    assert one.printed["message"]["content"][0]["text"] == "You said: Say this is a test – ünïcödé 🦀"
    one.assert_spans({
        **asked(says("system", "Answer briefly."), says("user", "Say this is a test – ünïcödé 🦀")),
        "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 64, "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 5, "gen_ai.request.seed": 42, "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.frequency_penalty": 0.5, "gen_ai.request.presence_penalty": 0.25,
        **answered(one.requests[0], "You said: Say this is a test – ünïcödé 🦀"),
    })


@pytest.mark.proves("cohere", "Python", "stream")
def test_a_stream(ran):
    one = ran["stream"]
    assert one.printed[-1]["type"] == "message-end"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces")})


@pytest.mark.proves("cohere", "Python", "reasoning")
def test_a_streamed_thought(ran):
    one = ran["thinking"]
    thought = {"type": "reasoning", "content": THOUGHT}
    one.assert_spans({**asked("Think first"), **STREAMED, **answered(one.requests[0], thought, "You said: Think first")})


@pytest.mark.proves("cohere", "Python", "tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["answer"] == "The tool said: 18 degrees and sunny"
    call = tool_call(WEATHER["id"], "get_weather", {"city": "Paris"})
    plan = {"type": "reasoning", "content": PLAN}
    question = "How is the weather in Paris?"
    one.assert_spans({
        **asked(question), "gen_ai.tool.definitions": TOOLS,
        **answered(one.requests[0], plan, call, reason="TOOL_CALL"),
    }, {
        **asked(question, says("assistant", plan, call),
                says("tool", tool_response(WEATHER["id"], "18 degrees and sunny"))),
        "gen_ai.tool.definitions": TOOLS, **answered(one.requests[1], "The tool said: 18 degrees and sunny"),
    })


@pytest.mark.proves("cohere", "Python", "streamed tools")
def test_a_streamed_tool_call(ran):
    one = ran["streamed tools"]
    plan = {"type": "reasoning", "content": PLAN}
    one.assert_spans({
        **asked("How is the weather in Paris?"), **STREAMED, "gen_ai.tool.definitions": TOOLS,
        **answered(one.requests[0], plan, tool_call(WEATHER["id"], "get_weather", {"city": "Paris"}), reason="TOOL_CALL"),
    })


@pytest.mark.proves("cohere", "Python", "error")
def test_a_refusal(ran):
    one = ran["error"]
    assert one.printed[0] == 429
    one.assert_spans({**asked("Please fail", model="command-busy"), "error.type": "429"})


@pytest.mark.proves("cohere", "Python", "broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert "Error" in one.printed[-1]
    one.assert_spans({
        **asked("Break off"), **STREAMED, **answered(one.requests[0], "You said: Break off", reason="error", used={}),
        "error.type": "connection_closed",
    })


@pytest.mark.proves("cohere", "Python", "async")
def test_the_async_client(ran):
    one = ran["async"]
    assert one.printed[-1] == "message-end"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces")})


@pytest.mark.proves("cohere", "Python", "embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert one.printed["embeddings"]["float"] == [VECTOR, VECTOR]
    one.assert_spans({
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "cohere", "gen_ai.request.model": "embed-v4.0",
        "gen_ai.response.id": f"co_{tag(one.requests[0])}", "gen_ai.request.encoding_formats": ["float"],
        "gen_ai.embeddings.dimension.count": 4,
        "gen_ai.usage.input_tokens": 4,
    })


@pytest.mark.proves("cohere", "Python", "rerank")
def test_a_rerank(ran):
    one = ran["rerank"]
    assert one.printed["results"] == [{"index": 1, "relevance_score": 0.75}]
    one.assert_spans({
        "gen_ai.operation.name": "rerank_documents", "gen_ai.provider.name": "cohere",
        "gen_ai.request.model": "rerank-v3.5", "gen_ai.request.top_k": 1, "gen_ai.span.kind": "RERANKER",
        "gen_ai.rerank.documents.count": 2, "gen_ai.rerank.input_documents": ["A river", "Paris"],
        "gen_ai.rerank.output_documents": [{"index": 1, "relevance_score": 0.75}],
        "server.address": None, "server.port": None,
    }, kind="INTERNAL")


@pytest.mark.proves("cohere", "Python", "by hooks")
def test_hooks_lead_it_without_a_variable(launcher):
    assert_hooked(SDK.by_hooks("CO_API_URL", "api.cohere.com"), launcher, "api.cohere.com")
