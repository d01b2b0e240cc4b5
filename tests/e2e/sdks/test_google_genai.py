"""The SDK `google-genai` for Python, with the Gemini API and with Vertex AI."""

import json
import re

import pytest

from harness.launcher import python
from harness.model import VECTOR, split_words, tag
from harness.provider import Cut, Reply
from harness.sdk import STREAMED, Sdk, says, tool_call, tool_response

KEY = "AIza-e2e-SECRETSECRET-0123456789"
MODEL, ANSWERED, EMBEDDER = "gemini-2.5-flash", "gemini-2.5-flash-001", "text-embedding-005"
WEATHER = {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}, "thoughtSignature": "c2lnbmVkLWJ5LWUyZQ=="}
THOUGHT = {"text": "They want a thought.", "thought": True}
USAGE = {
    "promptTokenCount": 40, "candidatesTokenCount": 9, "totalTokenCount": 61,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 40}],
    "cachedContentTokenCount": 32, "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 32}],
    "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 9}], "thoughtsTokenCount": 12,
}


# -- what the server says --------------------------------------------------------------------------------------------------

def headers(content_type="application/json; charset=UTF-8"):
    return [("Content-Type", content_type), ("Vary", "Origin"), ("Vary", "X-Origin"), ("Server-Timing", "gfet4t7; dur=12")]


def answer(request):
    method = request.path.rsplit(":", 1)[1]
    if "gemini-busy" in request.path:
        error = {"error": {"code": 429, "message": "Too many requests in this minute", "status": "RESOURCE_EXHAUSTED"}}
        return Reply(429, headers(), json.dumps(error).encode())
    if method == "streamGenerateContent":
        return Reply(200, headers("text/event-stream"), stream(request), framing="chunked")
    return Reply(200, headers(), json.dumps(ANSWERS[method](request), indent=2).encode())


def generated(request, parts=None, last=True):
    candidate = {"content": {"parts": parts or said(request.json), "role": "model"}, "index": 0}
    return {
        "candidates": [{**candidate, **({"finishReason": "STOP"} if last else {})}],
        "usageMetadata": USAGE if last else {"promptTokenCount": 40, "candidatesTokenCount": 2, "totalTokenCount": 42},
        "modelVersion": ANSWERED, "responseId": f"resp_{tag(request)}",
    }


def said(body):
    asked = body["contents"][-1]["parts"][0]
    if "functionResponse" in asked:
        return [{"text": f"The tool said: {asked['functionResponse']['response']['result']}"}]
    if body.get("tools"):
        return [WEATHER]
    return [*([THOUGHT] if body.get("generationConfig", {}).get("thinkingConfig") else []),
            {"text": f"You said: {asked['text']}"}]


def stream(request):
    pieces = [{**part, "text": piece} if "text" in part else part
              for part in said(request.json) for piece in split_words(part.get("text", ""))]
    for number, piece in enumerate(pieces, 1):
        if number == 3 and "Break off" in json.dumps(request.json):
            yield Cut()
        yield b"data: " + json.dumps(generated(request, [piece], number == len(pieces))).encode() + b"\r\n\r\n"


def embedded(request):
    return {"embeddings": [{"values": VECTOR} for _ in request.json["requests"]]}


def predicted(request):
    one = {"embeddings": {"statistics": {"token_count": 3, "truncated": False}, "values": VECTOR}}
    return {"predictions": [one for _ in request.json["instances"]], "metadata": {"billableCharacterCount": 6}}


ANSWERS = {"generateContent": generated, "batchEmbedContents": embedded, "predict": predicted}


# -- what is told ----------------------------------------------------------------------------------------------------------

EXCHANGES = {"unary": 1, "stream": 1, "thinking": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1,
             "async": 1, "embeddings": 1}
UNTOLD = tuple(rf'span "embeddings {EMBEDDER}": {re.escape(name)}: ' for name in (
    "gen_ai.request.encoding_formats", "gen_ai.response.model"))
"""What these APIs say of no embeddings; the Gemini API does not count their tokens either."""
SDKS = {
    "gcp.gen_ai": Sdk(python("google_genai/calls.py", "gemini"), answer, EXCHANGES,
                      env=lambda origin: {"GOOGLE_GEMINI_BASE_URL": origin, "GEMINI_API_KEY": KEY},
                      findings=(*UNTOLD, "gen_ai.usage.input_tokens: ")),
    "gcp.vertex_ai": Sdk(python("google_genai/calls.py", "vertex"), answer, EXCHANGES,
                         env=lambda origin: {"GOOGLE_VERTEX_BASE_URL": origin}, findings=UNTOLD),
}
DECLARED = {"type": "function", "name": "get_weather", "description": "The weather in a city"}
# The SDK describes a function that it calls itself in JSON Schema, and a declared one in the API's own words.
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DECLARED_CITY = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
USED = {
    "gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 21,
    "gen_ai.usage.cache_read.input_tokens": 32, "gen_ai.usage.reasoning.output_tokens": 12,
}


@pytest.fixture(params=SDKS)
def ran(launcher, request):
    one = SDKS[request.param].ran(launcher)
    one.provider = request.param
    return one


def proves(feature):
    """Both modes."""
    def both(test):
        for mode in ("google-genai (Gemini API)", "google-genai (Vertex AI)"):
            test = pytest.mark.proves(mode, "Python", feature)(test)
        return test

    return both


def asked(ran, *messages, model=MODEL):
    return {
        "gen_ai.operation.name": "generate_content", "gen_ai.provider.name": ran.provider, "gen_ai.request.model": model,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


def answered(request, *parts, reason="stop", used=USED):
    return {
        "gen_ai.response.id": f"resp_{tag(request)}", "gen_ai.response.model": ANSWERED,
        "gen_ai.response.finish_reasons": ["error" if reason == "error" else "STOP"],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=reason)], **used,
    }


@proves("unary")
def test_an_answer(ran):
    one = ran["unary"]
    assert one.printed["candidates"][0]["content"]["parts"][0]["text"] == "You said: Say this is a test – ünïcödé 🦀"
    one.assert_spans({
        **asked(ran, "Say this is a test – ünïcödé 🦀"),
        "gen_ai.request.temperature": 0.2, "gen_ai.request.top_p": 0.9, "gen_ai.request.top_k": 5,
        "gen_ai.request.max_tokens": 64, "gen_ai.request.seed": 42, "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.presence_penalty": -0.5, "gen_ai.request.frequency_penalty": 0.5,
        "gen_ai.system_instructions": [{"type": "text", "content": "Answer briefly."}],
        **answered(one.requests[0], "You said: Say this is a test – ünïcödé 🦀"),
    })


@proves("stream")
def test_a_stream(ran):
    one = ran["stream"]
    assert one.printed[-1]["candidates"][0]["finish_reason"] == "STOP"
    one.assert_spans({
        **asked(ran, "In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces"),
    })


@proves("reasoning")
def test_a_streamed_thought(ran):
    one = ran["thinking"]
    one.assert_spans({
        **asked(ran, "Think first"), **STREAMED,
        **answered(one.requests[0], {"type": "reasoning", "content": THOUGHT["text"]}, "You said: Think first"),
    })


@proves("tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["candidates"][0]["content"]["parts"][0]["text"] == "The tool said: 18 degrees and sunny"
    call = tool_call(None, "get_weather", {"city": "Paris"})
    question = "How is the weather in Paris?"
    tools = [{**DECLARED, "parameters": CITY}]
    one.assert_spans({
        **asked(ran, question), "gen_ai.tool.definitions": tools,
        **answered(one.requests[0], call, reason="tool_call"),
    }, {
        **asked(ran, question, says("assistant", call),
                says("user", tool_response(None, {"result": "18 degrees and sunny"}, name="get_weather"))),
        "gen_ai.tool.definitions": tools, **answered(one.requests[1], "The tool said: 18 degrees and sunny"),
    })


@proves("streamed tools")
def test_a_streamed_tool_call(ran):
    one = ran["streamed tools"]
    one.assert_spans({
        **asked(ran, "How is the weather in Paris?"), **STREAMED,
        "gen_ai.tool.definitions": [{**DECLARED, "parameters": DECLARED_CITY}],
        **answered(one.requests[0], tool_call(None, "get_weather", {"city": "Paris"}), reason="tool_call"),
    })


@proves("error")
def test_a_refusal(ran):
    one = ran["error"]
    assert one.printed[:3] == ["ClientError", 429, "RESOURCE_EXHAUSTED"]
    one.assert_spans({**asked(ran, "Please fail", model="gemini-busy"), "error.type": "RESOURCE_EXHAUSTED"})


@proves("broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert one.printed[:2] == ["You", " said:"] and "Error" in one.printed[-1]
    one.assert_spans({
        **asked(ran, "Break off"), **STREAMED,
        **answered(one.requests[0], "You said:", reason="error", used={"gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 2}),
        "error.type": "connection_closed",
    })


@proves("async")
def test_the_async_client(ran):
    one = ran["async"]
    assert "".join(one.printed) == "You said: In pieces"
    one.assert_spans({
        **asked(ran, "In pieces"), **STREAMED, **answered(one.requests[0], "You said: In pieces"),
    })


@proves("embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert [vector["values"] for vector in one.printed["embeddings"]] == [VECTOR, VECTOR]
    one.assert_spans({
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": ran.provider, "gen_ai.request.model": EMBEDDER,
        "gen_ai.embeddings.dimension.count": 4,
        **({"gen_ai.usage.input_tokens": 6} if ran.provider == "gcp.vertex_ai" else {}),
    })
