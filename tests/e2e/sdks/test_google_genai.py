"""The SDK `google-genai` for Python, with the Gemini API and with Vertex AI."""

import re

import pytest

from answers.gemini import EMBEDDER, KEY, THOUGHT, answer, answered
from answers.gemini import asked as asked_of
from harness.launcher import python
from harness.model import VECTOR
from harness.sdk import STREAMED, Sdk, assert_hooked, says, tool_call, tool_response

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


def asked(ran, *messages, **more):
    return asked_of(*messages, provider=ran.provider, **more)


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


@pytest.mark.parametrize(("provider", "variable", "host"), [
    pytest.param("gcp.gen_ai", "GOOGLE_GEMINI_BASE_URL", "generativelanguage.googleapis.com",
                 marks=pytest.mark.proves("google-genai (Gemini API)", "Python", "by hooks")),
    pytest.param("gcp.vertex_ai", "GOOGLE_VERTEX_BASE_URL", "us-central1-aiplatform.googleapis.com",
                 marks=pytest.mark.proves("google-genai (Vertex AI)", "Python", "by hooks")),
])
def test_hooks_lead_it_without_a_variable(launcher, provider, variable, host):
    assert_hooked(SDKS[provider].by_hooks(variable, host), launcher, host)
