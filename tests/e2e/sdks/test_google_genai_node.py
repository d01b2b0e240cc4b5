"""The SDK `@google/genai` for Node, with the Gemini API."""

import pytest

from answers.dialects import GEMINI, HELLO, OUTSIDE
from answers.gemini import EMBEDDER, KEY, answer
from harness.launcher import node
from harness.model import VECTOR
from harness.sdk import Sdk, assert_hooked

NAME = "@google/genai"
SDK = Sdk(
    node("google_genai/calls.mjs"), answer,
    {"unary": 1, "stream": 1, "reasoning": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1,
     "embeddings": 1},
    env=lambda origin: {"GOOGLE_GEMINI_BASE_URL": origin, "GEMINI_API_KEY": KEY},
    # What this API says of no embeddings.
    findings=(rf'span "embeddings {EMBEDDER}": gen_ai\.(request\.encoding_formats|response\.model|usage\.input_tokens): ',),
)


@pytest.fixture
def ran(launcher):
    return SDK.ran(launcher)


def proves(feature):
    return pytest.mark.proves(NAME, "Node", feature)


@proves("unary")
def test_an_answer(ran):
    one = ran["unary"]
    assert one.printed["text"] == f"You said: {HELLO}"
    one.assert_spans(*GEMINI.unary(one.requests, **{
        "gen_ai.request.temperature": 0.2, "gen_ai.request.top_k": 5, "gen_ai.request.max_tokens": 64,
        "gen_ai.request.stop_sequences": ["END"],
    }))


@proves("stream")
def test_a_stream(ran):
    one = ran["stream"]
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*GEMINI.stream(one.requests))


@proves("reasoning")
def test_a_streamed_thought(ran):
    one = ran["reasoning"]
    assert one.printed["text"] == "You said: Think first"
    one.assert_spans(*GEMINI.reasoning(one.requests))


@proves("tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["text"].endswith(OUTSIDE)
    one.assert_spans(*GEMINI.tools(one.requests))


@proves("streamed tools")
def test_a_streamed_tool_call(ran):
    one = ran["streamed tools"]
    one.assert_spans(*GEMINI.streamed_tool_call(one.requests))


@proves("error")
def test_a_refusal(ran):
    one = ran["error"]
    assert one.printed[:2] == ["ApiError", 429]
    one.assert_spans(*GEMINI.error())


@proves("broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert one.printed["text"] == "You said:" and one.printed["error"]
    one.assert_spans(*GEMINI.broken_stream(one.requests))


@proves("embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert [vector["values"] for vector in one.printed["embeddings"]] == [VECTOR, VECTOR]
    one.assert_spans({
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "gcp.gen_ai", "gen_ai.request.model": EMBEDDER,
        "gen_ai.embeddings.dimension.count": 4,
    })


@proves("by hooks")
def test_hooks_lead_it_without_a_variable(launcher):
    host = "generativelanguage.googleapis.com"
    assert_hooked(SDK.by_hooks("GOOGLE_GEMINI_BASE_URL", host), launcher, host)
