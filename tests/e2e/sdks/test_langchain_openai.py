"""LangChain's models for OpenAI, `langchain-openai`: Chat Completions, Responses and embeddings."""

import pytest

from answers import dialects, openai
from answers.dialects import HELLO, OUTSIDE
from harness.launcher import frameworks
from harness.sdk import Sdk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHAT = {"unary": 1, "stream": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "async": 1}
RESPONSES = {"unary": 1, "stream": 1, "reasoning": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1,
             "async": 1}
DIALECTS = {"chat": dialects.CHAT, "responses": dialects.RESPONSES}
ROWS = {"chat": "langchain-openai", "responses": "langchain-openai (Responses)"}
SDK = Sdk(
    frameworks("langchain_openai/calls.py"), openai.answer,
    {**{f"chat {name}": count for name, count in CHAT.items()},
     **{f"responses {name}": count for name, count in RESPONSES.items()}, "embeddings": 1},
    env=lambda origin: {"OPENAI_BASE_URL": f"{origin}/v1", "OPENAI_API_KEY": openai.KEY},
    timeout=120,
)


def proves(feature, apis=tuple(DIALECTS)):
    marked = [pytest.param(api, marks=pytest.mark.proves(ROWS[api], "Python", feature)) for api in apis]
    return pytest.mark.parametrize("api", marked)


@pytest.fixture
def dialect(api):
    return DIALECTS[api]


@pytest.fixture
def exchange(launcher, api):
    ran = SDK.ran(launcher)
    return lambda name: ran[f"{api} {name}"]


@proves("unary")
def test_a_chat(exchange, dialect):
    one = exchange("unary")
    assert one.printed["text"] == f"You said: {HELLO}"
    one.assert_spans(*dialect.unary(one.requests, **{"gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 64}))


@proves("stream")
def test_a_stream(exchange, dialect):
    one = exchange("stream")
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*dialect.stream(one.requests))


@proves("reasoning", ["responses"])
def test_a_streamed_thought(exchange, dialect):
    one = exchange("reasoning")
    one.assert_spans(*dialect.reasoning(one.requests))


@proves("tools")
def test_a_tools_round_trip(exchange, dialect):
    one = exchange("tools")
    assert one.printed["text"].endswith(OUTSIDE)
    one.assert_spans(*dialect.tools(one.requests))


@proves("streamed tools")
def test_a_streamed_tool_call(exchange, dialect):
    one = exchange("streamed tools")
    assert one.printed["calls"] == [["get_weather", openai.ARGUMENTS]]
    one.assert_spans(*dialect.streamed_tool_call(one.requests))


@proves("error")
def test_a_refusal(exchange, dialect):
    one = exchange("error")
    assert one.printed[1] == 429
    one.assert_spans(*dialect.error())


@proves("broken stream")
def test_a_stream_that_breaks_off(exchange, dialect):
    one = exchange("broken stream")
    assert one.printed["error"]
    one.assert_spans(*dialect.broken_stream(one.requests))


@proves("async")
def test_the_async_methods(exchange, dialect):
    one = exchange("async")
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*dialect.stream(one.requests))


@pytest.mark.proves("langchain-openai", "Python", "embeddings")
def test_embeddings(launcher):
    one = SDK.ran(launcher)["embeddings"]
    assert len(one.printed) == 2
    one.assert_spans({**openai.embedded(), "gen_ai.request.encoding_formats": ["base64"]})
