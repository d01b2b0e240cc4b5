"""The SDK `mistralai` for Python, which no variable leads anywhere: `otel-genai run` hooks its HTTP client."""

import json

import pytest

from harness.launcher import python
from harness.model import VECTOR, split_words, sse, tag
from harness.provider import Cut, Reply
from harness.sdk import STREAMED, Sdk, says, tool_call, tool_response

KEY = "mistral-e2e-SECRETSECRET-0123456789"
MODEL, THINKER, EMBEDDER = "mistral-small-latest", "magistral-small-latest", "mistral-embed"
WEATHER = {"id": "e2eCall01", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}, "index": 0}
THOUGHT = "They want a thought."
USAGE = {"prompt_tokens": 40, "total_tokens": 61, "completion_tokens": 21, "prompt_tokens_details": {"cached_tokens": 32}}


# -- what the server says --------------------------------------------------------------------------------------------------

def headers(request, content_type="application/json"):
    return [("Content-Type", content_type), ("mistral-correlation-id", tag(request)), ("x-kong-request-id", tag(request))]


def answer(request):
    body = request.json
    if body["model"] == "mistral-busy":
        error = {"object": "error", "message": "Too many requests in this minute", "type": "rate_limited", "param": None,
                 "code": "1300"}
        return Reply(429, headers(request), json.dumps(error).encode())
    if request.path == "/v1/embeddings":
        data = [{"object": "embedding", "embedding": VECTOR, "index": index} for index in range(2)]
        return reply(request, {"id": tag(request), "object": "list", "data": data, "model": EMBEDDER, "usage": {
            "prompt_tokens": 8, "total_tokens": 8, "completion_tokens": 0}})
    if body.get("stream"):
        return Reply(200, headers(request, "text/event-stream; charset=utf-8"), stream(request), framing="chunked")
    message, reason = said(body)
    return reply(request, {**shell(request, "chat.completion"), "usage": USAGE, "choices": [
        {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "tool_calls": None, **message}}]})


def reply(request, document):
    return Reply(200, headers(request), json.dumps(document).encode())


def shell(request, kind):
    return {"id": tag(request), "object": kind, "created": 1759276800, "model": request.json["model"]}


def said(body):
    last = body["messages"][-1]
    if last["role"] == "tool":
        return {"content": f"The tool said: {last['content']}"}, "stop"
    if body.get("tools"):
        return {"content": "", "tool_calls": [WEATHER]}, "tool_calls"
    return {"content": f"You said: {last['content']}"}, "stop"


def stream(request):
    message, reason = said(request.json)
    deltas = [{"role": "assistant", "content": ""}]
    if request.json["model"] == THINKER:
        deltas += [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": word}]}]}
                   for word in split_words(THOUGHT)]
    deltas += [{"content": word} for word in split_words(message["content"]) if word]
    last = {"content": "", **({"tool_calls": [WEATHER]} if "tool_calls" in message else {})}
    for number, delta in enumerate([*deltas, last]):
        if number == 3 and "Break off" in message["content"]:
            yield Cut()
        done = number == len(deltas)
        yield sse({**shell(request, "chat.completion.chunk"), **({"usage": USAGE} if done else {}), "choices": [
            {"index": 0, "delta": delta, "finish_reason": reason if done else None}]})
    yield sse(b"[DONE]")


# -- what is told ----------------------------------------------------------------------------------------------------------

SDK = Sdk(
    python("mistralai/calls.py"), answer,
    {"unary": 1, "stream": 1, "thinking": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "async": 1,
     "embeddings": 1},
    env=lambda _origin: {"MISTRAL_API_KEY": KEY},
    only_direct=lambda origin: {"E2E_MISTRAL_URL": origin},
    options=lambda origin: ("--upstream", f"api.mistral.ai={origin}"),
    findings=(f'span "embeddings {EMBEDDER}": gen_ai.request.encoding_formats: ',),
)
TOOLS = [{"type": "function", "name": "get_weather", "description": "The weather in a city",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]
WHERE = {"server.address": "api.mistral.ai", "server.port": 443}
REASONS = {"stop": "stop", "tool_calls": "tool_call", "error": "error"}
USED = {"gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 21, "gen_ai.usage.cache_read.input_tokens": 32}


@pytest.fixture
def ran(launcher):
    return SDK.ran(launcher)


def asked(*messages, model=MODEL):
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "mistral_ai", "gen_ai.request.model": model, **WHERE,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


def answered(request, *parts, reason="stop", used=USED):
    return {
        "gen_ai.response.id": tag(request), "gen_ai.response.model": request.json["model"],
        "gen_ai.response.finish_reasons": [reason],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=REASONS[reason])], **used,
    }


@pytest.mark.proves("mistralai", "Python", "by hooks")
@pytest.mark.proves("mistralai", "Python", "unary")
def test_a_chat(ran):
    one = ran["unary"]
    assert one.printed["choices"][0]["message"]["content"] == "You said: Say this is a test – ünïcödé 🦀"
    one.assert_spans({
        **asked(says("system", "Answer briefly."), says("user", "Say this is a test – ünïcödé 🦀")),
        "gen_ai.request.temperature": 0.2, "gen_ai.request.top_p": 0.9, "gen_ai.request.max_tokens": 64,
        "gen_ai.request.seed": 42, "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.presence_penalty": 0.5, "gen_ai.request.frequency_penalty": 0.25,
        **answered(one.requests[0], "You said: Say this is a test – ünïcödé 🦀"),
    })


@pytest.mark.proves("mistralai", "Python", "stream")
def test_a_stream(ran):
    one = ran["stream"]
    assert one.printed[-1]["choices"][0]["finish_reason"] == "stop"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces")})


@pytest.mark.proves("mistralai", "Python", "reasoning")
def test_a_streamed_thought(ran):
    one = ran["thinking"]
    thought = {"type": "reasoning", "content": THOUGHT}
    one.assert_spans({
        **asked("Think first", model=THINKER), **STREAMED, **answered(one.requests[0], thought, "You said: Think first"),
    })


@pytest.mark.proves("mistralai", "Python", "tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["answer"] == "The tool said: 18 degrees and sunny"
    call = tool_call(WEATHER["id"], "get_weather", {"city": "Paris"})
    question = "How is the weather in Paris?"
    one.assert_spans({
        # The answer has an empty text, and is told as it is.
        **asked(question), "gen_ai.tool.definitions": TOOLS, **answered(one.requests[0], "", call, reason="tool_calls"),
    }, {
        **asked(question, says("assistant", "", call), says("tool", tool_response(WEATHER["id"], "18 degrees and sunny"), name="get_weather")),
        "gen_ai.tool.definitions": TOOLS, **answered(one.requests[1], "The tool said: 18 degrees and sunny"),
    })


@pytest.mark.proves("mistralai", "Python", "streamed tools")
def test_a_streamed_tool_call(ran):
    one = ran["streamed tools"]
    one.assert_spans({
        **asked("How is the weather in Paris?"), **STREAMED, "gen_ai.tool.definitions": TOOLS,
        **answered(one.requests[0], tool_call(WEATHER["id"], "get_weather", {"city": "Paris"}), reason="tool_calls"),
    })


@pytest.mark.proves("mistralai", "Python", "error")
def test_a_refusal(ran):
    one = ran["error"]
    assert one.printed[:2] == ["SDKError", 429]
    one.assert_spans({**asked("Please fail", model="mistral-busy"), "error.type": "rate_limited"})


@pytest.mark.proves("mistralai", "Python", "broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert one.printed[:3] == ["", "You", " said:"] and "Error" in one.printed[-1]
    one.assert_spans({
        **asked("Break off"), **STREAMED, **answered(one.requests[0], "You said:", reason="error", used={}),
        "error.type": "connection_closed",
    })


@pytest.mark.proves("mistralai", "Python", "async")
def test_the_async_client(ran):
    one = ran["async"]
    assert "".join(one.printed) == "You said: In pieces"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces")})


@pytest.mark.proves("mistralai", "Python", "embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert one.printed["data"][1]["embedding"] == VECTOR
    one.assert_spans({
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "mistral_ai", "gen_ai.request.model": EMBEDDER,
        "gen_ai.response.model": EMBEDDER, "gen_ai.response.id": one.printed["id"], "gen_ai.embeddings.dimension.count": 4, "gen_ai.usage.input_tokens": 8, **WHERE,
    })
