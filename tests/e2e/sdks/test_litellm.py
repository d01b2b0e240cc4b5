"""LiteLLM's SDK, `litellm`, with OpenAI and with Anthropic."""

import pytest

from answers import anthropic, dialects, openai
from answers.dialects import HELLO, OUTSIDE
from harness.launcher import frameworks
from harness.sdk import Sdk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CONVERSATION = {"unary": 1, "stream": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "async": 1}
DIALECTS = {"OpenAI": dialects.CHAT, "Anthropic": dialects.ANTHROPIC}
LIMIT = {"gen_ai.request.max_tokens": 64}


def answer(request):
    return (anthropic if request.path.endswith("/messages") else openai).answer(request)


SDK = Sdk(
    frameworks("litellm/calls.py"), answer,
    {**{f"{provider} {name}": count for provider in DIALECTS for name, count in CONVERSATION.items()},
     "Anthropic reasoning": 1},
    env=lambda origin: {
        "OPENAI_BASE_URL": f"{origin}/v1", "OPENAI_API_KEY": openai.KEY,
        "ANTHROPIC_BASE_URL": origin, "ANTHROPIC_API_KEY": anthropic.KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    },
    timeout=120,
)


def proves(feature, providers=tuple(DIALECTS)):
    marked = [pytest.param(one, marks=pytest.mark.proves(f"litellm ({one})", "Python", feature)) for one in providers]
    return pytest.mark.parametrize("provider", marked)


@pytest.fixture
def dialect(provider):
    return DIALECTS[provider]


@pytest.fixture
def exchange(launcher, provider):
    ran = SDK.ran(launcher)
    return lambda name: ran[f"{provider} {name}"]


@proves("unary")
def test_a_completion(exchange, dialect):
    one = exchange("unary")
    assert one.printed["text"] == f"You said: {HELLO}"
    one.assert_spans(*dialect.unary(one.requests, **LIMIT, **{"gen_ai.request.temperature": 0.2}))


@proves("stream")
def test_a_stream(exchange, dialect):
    one = exchange("stream")
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*dialect.stream(one.requests, **LIMIT))


@proves("reasoning", ["Anthropic"])
def test_a_streamed_thought(exchange, dialect):
    one = exchange("reasoning")
    one.assert_spans(*dialect.reasoning(one.requests, **{"gen_ai.request.max_tokens": 2048}))


@proves("tools")
def test_a_tools_round_trip(exchange, dialect):
    one = exchange("tools")
    assert one.printed["text"].endswith(OUTSIDE)
    one.assert_spans(*dialect.tools(one.requests, **LIMIT))


@proves("streamed tools")
def test_a_streamed_tool_call(exchange, dialect):
    one = exchange("streamed tools")
    assert "Paris" in one.printed["calls"]
    one.assert_spans(*dialect.streamed_tool_call(one.requests, **LIMIT))


@proves("error")
def test_a_refusal(exchange, dialect):
    one = exchange("error")
    assert one.printed[:2] == ["RateLimitError", 429]
    one.assert_spans(*dialect.error(**LIMIT))


@proves("broken stream")
def test_a_stream_that_breaks_off(exchange, dialect):
    one = exchange("broken stream")
    assert one.printed["error"]
    one.assert_spans(*dialect.broken_stream(one.requests, **LIMIT))


@proves("async")
def test_the_async_function(exchange, dialect):
    one = exchange("async")
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*dialect.stream(one.requests, **LIMIT))
