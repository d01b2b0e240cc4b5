"""LlamaIndex's models for OpenAI, `llama-index-llms-openai`: Chat Completions and Responses."""

import pytest

from answers import dialects, openai
from answers.dialects import BRIEFLY, HELLO, OUTSIDE
from harness.launcher import frameworks
from harness.sdk import Sdk, says

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CONVERSATION = {"unary": 1, "stream": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "async": 1}
DIALECTS = {"chat": dialects.CHAT, "responses": dialects.RESPONSES}
ROWS = {"chat": "llama-index-llms-openai", "responses": "llama-index-llms-openai (Responses)"}
SETTINGS = {
    "chat": {"gen_ai.request.temperature": 0.2},
    "responses": {"gen_ai.request.temperature": 0.2, "gen_ai.request.top_p": 1.0},
}
PARAMETERS = {
    "type": "object", "required": ["city", "unit"],
    "properties": {"city": {"title": "City", "type": "string"}, "unit": {"title": "Unit", "type": "string"}},
}
"""It makes them from a Python function."""
TOOLS = {
    "chat": {"gen_ai.tool.definitions": [{**openai.WEATHER, "parameters": {**PARAMETERS, "additionalProperties": False}}]},
    "responses": {"gen_ai.tool.definitions": [{**openai.WEATHER, "parameters": PARAMETERS}]},
}
SDK = Sdk(
    frameworks("llama_index/calls.py"), openai.answer,
    {f"{api} {name}": count for api in DIALECTS for name, count in CONVERSATION.items()},
    # It knows only the old name of the variable.
    env=lambda origin: {"OPENAI_API_BASE": f"{origin}/v1", "OPENAI_API_KEY": openai.KEY},
    timeout=120,
)


def proves(feature):
    marked = [pytest.param(api, marks=pytest.mark.proves(ROWS[api], "Python", feature)) for api in DIALECTS]
    return pytest.mark.parametrize("api", marked)


@pytest.fixture
def dialect(api):
    return DIALECTS[api]


@pytest.fixture
def settings(api):
    return SETTINGS[api]


@pytest.fixture
def exchange(launcher, api):
    ran = SDK.ran(launcher)
    return lambda name: ran[f"{api} {name}"]


def unmetered(api, spans):
    """LlamaIndex does not ask chat's streams for the token counts."""
    return spans if api != "chat" else [{k: v for k, v in one.items() if ".usage." not in k} for one in spans]


@proves("unary")
def test_a_chat(exchange, dialect, settings, api):
    one = exchange("unary")
    assert one.printed["text"] == f"You said: {HELLO}"
    system = says("system" if api == "chat" else "developer", BRIEFLY)
    one.assert_spans(*dialect.unary(one.requests, **settings, **{"gen_ai.input.messages": [system, says("user", HELLO)]}))


@proves("stream")
def test_a_stream(exchange, dialect, settings, api):
    one = exchange("stream")
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*unmetered(api, dialect.stream(one.requests, **settings)))


@proves("tools")
def test_a_tools_round_trip(exchange, dialect, settings, api):
    one = exchange("tools")
    assert one.printed["text"].endswith(OUTSIDE)
    one.assert_spans(*dialect.tools(one.requests, **settings, **TOOLS[api]))


@proves("streamed tools")
def test_a_streamed_tool_call(exchange, dialect, settings, api):
    one = exchange("streamed tools")
    one.assert_spans(*unmetered(api, dialect.streamed_tool_call(one.requests, **settings, **TOOLS[api])))


@proves("error")
def test_a_refusal(exchange, dialect, settings):
    one = exchange("error")
    assert one.printed[1] == 429
    one.assert_spans(*dialect.error(**settings, **{"gen_ai.request.model": "gpt-4o-mini"}))


@proves("broken stream")
def test_a_stream_that_breaks_off(exchange, dialect, settings):
    one = exchange("broken stream")
    assert one.printed["error"]
    one.assert_spans(*dialect.broken_stream(one.requests, **settings))


@proves("async")
def test_the_async_methods(exchange, dialect, settings, api):
    one = exchange("async")
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*unmetered(api, dialect.stream(one.requests, **settings)))
