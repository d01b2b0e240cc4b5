"""The SDK `dashscope` for Python (the native API)."""

import json

import pytest

from harness.launcher import python
from harness.model import VECTOR, split_words, tag
from harness.provider import Cut, Reply
from harness.sdk import STREAMED, Sdk, assert_hooked, says, tool_call, tool_response

KEY = "sk-dashscope-e2e-SECRETSECRET-0123456789"
MODEL = "qwen-plus"
WEATHER = {"index": 0, "id": "call_e2e_weather", "type": "function",
           "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
THOUGHT = "They want a thought."
USAGE = {"input_tokens": 40, "output_tokens": 21, "total_tokens": 61, "prompt_tokens_details": {"cached_tokens": 32},
         "output_tokens_details": {"reasoning_tokens": 12}}


# -- what the server says --------------------------------------------------------------------------------------------------

def answer(request):
    body = request.json
    if body["model"] == "qwen-busy":
        return reply(request, {"code": "Throttling.RateQuota", "message": "Too many requests in this minute"}, 429)
    if request.path.endswith("/text-embedding"):
        embeddings = [{"embedding": VECTOR, "text_index": index} for index in range(2)]
        return reply(request, {"output": {"embeddings": embeddings}, "usage": {"total_tokens": 4}})
    if request.path.endswith("/text-rerank"):
        found = {"index": 1, "relevance_score": 0.75, "document": {"text": body["input"]["documents"][1]}}
        return reply(request, {"output": {"results": [found]}, "usage": {"total_tokens": 14}})
    if request.header("X-DashScope-SSE") == "enable":
        return Reply(200, headers(request, "text/event-stream;charset=UTF-8"), stream(request), framing="chunked")
    return reply(request, generated(*said(body)))


def headers(request, content_type="application/json"):
    return [("content-type", content_type), ("x-request-id", f"ds-{tag(request)}"), ("req-cost-time", "812")]


def reply(request, document, status=200):
    return Reply(status, headers(request), json.dumps({**document, "request_id": f"ds-{tag(request)}"}).encode())


def generated(message, reason):
    return {"output": {"choices": [{"message": message, "finish_reason": reason}]}, "usage": USAGE}


def said(body):
    last = body["input"]["messages"][-1]
    if last["role"] == "tool":
        return {"role": "assistant", "content": f"The tool said: {last['content']}"}, "stop"
    if body["parameters"].get("tools"):
        return {"role": "assistant", "content": "", "tool_calls": [WEATHER]}, "tool_calls"
    thought = {"reasoning_content": THOUGHT} if body["parameters"].get("enable_thinking") else {}
    return {"role": "assistant", "content": f"You said: {last['content']}", **thought}, "stop"


def stream(request):
    message, reason = said(request.json)
    shell = {"role": "assistant", "content": ""}
    pieces = [{**shell, "reasoning_content": word} for word in split_words(message.get("reasoning_content", "")) if word]
    for call in message.get("tool_calls", ()):
        arguments = call["function"]["arguments"]
        pieces += [{**shell, "tool_calls": [{**call, "function": {"name": "get_weather", "arguments": arguments[:7]}}]},
                   {**shell, "tool_calls": [{**call, "id": "", "function": {"arguments": arguments[7:]}}]}]
    pieces += [{**shell, "content": word} for word in split_words(message["content"]) if word]
    for number, piece in enumerate([*pieces, shell], 1):
        if number == 3 and "Break off" in json.dumps(request.json):
            yield Cut()
        document = {**generated(piece, reason if number > len(pieces) else "null"), "request_id": f"ds-{tag(request)}"}
        yield f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{json.dumps(document)}\n\n".encode()


# -- what is told ----------------------------------------------------------------------------------------------------------

SDK = Sdk(
    python("dashscope/calls.py"), answer,
    {"unary": 1, "stream": 1, "thinking": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "async": 1,
     "embeddings": 1, "rerank": 1},
    env=lambda origin: {"DASHSCOPE_HTTP_BASE_URL": f"{origin}/api/v1", "DASHSCOPE_API_KEY": KEY},
    volatile=("x-dashscope-sdk-session-id",),
    # DashScope's answers do not name the model, and the convention has no reranking.
    findings=(": gen_ai.response.model: ", 'span "rerank_documents ', 'embeddings text-embedding-v4'),
)
TOOLS = [{"type": "function", "name": "get_weather", "description": "The weather in a city",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]
REASONS = {"stop": "stop", "tool_calls": "tool_call", "error": "error"}
USED = {"gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 21, "gen_ai.usage.cache_read.input_tokens": 32,
        "gen_ai.usage.reasoning.output_tokens": 12}


@pytest.fixture
def ran(launcher):
    return SDK.ran(launcher)


def asked(*messages, model=MODEL):
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "dashscope", "gen_ai.request.model": model,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


def answered(request, *parts, reason="stop"):
    return {
        "gen_ai.response.id": f"ds-{tag(request)}", "gen_ai.response.finish_reasons": [reason],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=REASONS[reason])], **USED,
    }


@pytest.mark.proves("dashscope", "Python", "unary")
def test_a_generation(ran):
    one = ran["unary"]
    message = one.printed["output"]["choices"][0]["message"]
    assert message["content"] == "You said: Say this is a test – ünïcödé 🦀"
    one.assert_spans({
        **asked(says("system", "Answer briefly."), says("user", "Say this is a test – ünïcödé 🦀")),
        "gen_ai.request.temperature": 0.2, "gen_ai.request.top_p": 0.9, "gen_ai.request.top_k": 5,
        "gen_ai.request.max_tokens": 64, "gen_ai.request.seed": 42, "gen_ai.request.stop_sequences": ["END"],
        **answered(one.requests[0], "You said: Say this is a test – ünïcödé 🦀"),
    })


@pytest.mark.proves("dashscope", "Python", "stream")
def test_a_stream(ran):
    one = ran["stream"]
    assert one.printed[-1]["output"]["choices"][0]["finish_reason"] == "stop"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces")})


@pytest.mark.proves("dashscope", "Python", "reasoning")
def test_a_streamed_thought(ran):
    one = ran["thinking"]
    thought = {"type": "reasoning", "content": THOUGHT}
    one.assert_spans({**asked("Think first"), **STREAMED, **answered(one.requests[0], thought, "You said: Think first")})


@pytest.mark.proves("dashscope", "Python", "tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["answer"] == "The tool said: 18 degrees and sunny"
    call = tool_call(WEATHER["id"], "get_weather", {"city": "Paris"})
    question = "How is the weather in Paris?"
    one.assert_spans({
        **asked(question), "gen_ai.tool.definitions": TOOLS, **answered(one.requests[0], call, reason="tool_calls"),
    }, {
        **asked(question, says("assistant", call), says("tool", tool_response(WEATHER["id"], "18 degrees and sunny"))),
        "gen_ai.tool.definitions": TOOLS, **answered(one.requests[1], "The tool said: 18 degrees and sunny"),
    })


@pytest.mark.proves("dashscope", "Python", "streamed tools")
def test_a_streamed_tool_call(ran):
    one = ran["streamed tools"]
    one.assert_spans({
        **asked("How is the weather in Paris?"), **STREAMED, "gen_ai.tool.definitions": TOOLS,
        **answered(one.requests[0], tool_call(WEATHER["id"], "get_weather", {"city": "Paris"}), reason="tool_calls"),
    })


@pytest.mark.proves("dashscope", "Python", "error")
def test_a_refusal(ran):
    one = ran["error"]
    assert (one.printed["status_code"], one.printed["code"]) == (429, "Throttling.RateQuota")
    one.assert_spans({**asked("Please fail", model="qwen-busy"), "error.type": "Throttling.RateQuota"})


@pytest.mark.proves("dashscope", "Python", "broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert one.printed[:2] == ["You", " said:"] and "Error" in one.printed[-1]
    one.assert_spans({
        **asked("Break off"), **STREAMED, **answered(one.requests[0], "You said:", reason="error"),
        "error.type": "connection_closed",
    })


@pytest.mark.proves("dashscope", "Python", "async")
def test_the_async_client(ran):
    one = ran["async"]
    assert "".join(one.printed) == "You said: In pieces"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces")})


@pytest.mark.proves("dashscope", "Python", "embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert one.printed["output"]["embeddings"][1]["embedding"] == VECTOR
    one.assert_spans({
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "dashscope",
        "gen_ai.request.model": "text-embedding-v4", "gen_ai.embeddings.dimension.count": 4,
        "gen_ai.response.id": f"ds-{tag(one.requests[0])}", "gen_ai.usage.input_tokens": 4,
    })


@pytest.mark.proves("dashscope", "Python", "rerank")
def test_a_rerank(ran):
    one = ran["rerank"]
    found = one.printed["output"]["results"]
    assert found == [{"index": 1, "relevance_score": 0.75, "document": {"text": "Paris"}}]
    one.assert_spans({
        "gen_ai.operation.name": "rerank_documents", "gen_ai.provider.name": "dashscope",
        "gen_ai.request.model": "gte-rerank-v2", "gen_ai.request.top_k": 1, "gen_ai.span.kind": "RERANKER",
        "gen_ai.rerank.documents.count": 2, "gen_ai.rerank.return_documents": True,
        "gen_ai.rerank.input_documents": ["A river", "Paris"], "gen_ai.rerank.output_documents": found,
        "server.address": None, "server.port": None,
    }, kind="INTERNAL")


@pytest.mark.proves("dashscope", "Python", "by hooks")
def test_hooks_lead_it_without_a_variable(launcher):
    assert_hooked(SDK.by_hooks("DASHSCOPE_HTTP_BASE_URL", "dashscope.aliyuncs.com"), launcher, "dashscope.aliyuncs.com")
