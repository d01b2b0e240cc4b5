"""OpenAI's SDKs for Python and Node and `async-openai` for Rust: Chat Completions, embeddings, Responses."""

import pytest

from answers.openai import (
    ARGUMENTS, CALL_ID, KEY, OUTSIDE, QUESTION, SUMMARY, WEATHER, answer, answered, asked, embedded,
)
from harness.launcher import node, python, rust
from harness.sdk import STREAMED, Sdk, assert_hooked, says, text, tool_call, tool_response

EXCHANGES = {
    "chat unary": 1, "chat stream": 1, "chat tools": 2, "chat streamed tools": 1, "chat error": 1,
    "chat broken stream": 1, "embeddings": 1,
    "unary": 1, "stream": 1, "reasoning": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1,
}


TRIES = 4
"""How often async-openai asks before it takes a no."""


def sdk(argv, findings=(), **more):
    return Sdk(argv, answer, {**EXCHANGES, **more}, findings=findings,
               env=lambda origin: {"OPENAI_BASE_URL": f"{origin}/v1", "OPENAI_API_KEY": KEY})


SDKS = {
    "Python": sdk(python("openai/calls.py"), **{"async": 1}),
    "Node": sdk(node("openai/calls.mjs")),
    # It leaves the encoding of embeddings to the provider.
    "Rust": sdk(rust("otel-genai-e2e-rust"), (r"embeddings text-embedding-3-small.*gen_ai\.request\.encoding_formats",),
                **{"chat error": TRIES, "error": TRIES}),
}
NAMES = {"Python": "openai", "Node": "openai", "Rust": "async-openai"}
CALL = tool_call(CALL_ID, "get_weather", ARGUMENTS)
TOOLS = {"gen_ai.tool.definitions": [WEATHER]}
BRIEFLY = "Answer briefly."


@pytest.fixture
def ran(launcher, request):
    return SDKS[request.param].ran(launcher)


def proves(feature, api="", languages=tuple(SDKS)):
    marked = [pytest.param(one, marks=pytest.mark.proves(f"{NAMES[one]}{api}", one, feature)) for one in languages]
    return pytest.mark.parametrize("ran", marked, indirect=True)


# -- Chat Completions ------------------------------------------------------------------------------------------------------

@proves("unary")
def test_a_chat(ran):
    one = ran["chat unary"]
    assert one.printed["text"] == "You said: Hello – ünïcödé 🦀"
    one.assert_spans({
        **asked("chat", says("system", BRIEFLY), "Hello – ünïcödé 🦀"),
        "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 64,
        **answered("chat", one.requests[0], "You said: Hello – ünïcödé 🦀"),
    })


@proves("stream")
def test_a_streamed_chat(ran):
    one = ran["chat stream"]
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans({
        **asked("chat", "Say it in pieces"), **STREAMED,
        **answered("chat", one.requests[0], "You said: Say it in pieces"),
    })


@proves("tools")
def test_a_tools_round_trip_by_chat(ran):
    one = ran["chat tools"]
    assert one.printed["text"] == f"Tool said: {OUTSIDE}"
    one.assert_spans({
        **asked("chat", QUESTION), **TOOLS, **answered("chat", one.requests[0], CALL, reason="tool_call"),
    }, {
        **asked("chat", QUESTION, says("assistant", CALL), says("tool", tool_response(CALL_ID, OUTSIDE))), **TOOLS,
        **answered("chat", one.requests[1], f"Tool said: {OUTSIDE}"),
    })


@proves("streamed tools")
def test_a_streamed_tool_call_by_chat(ran):
    one = ran["chat streamed tools"]
    assert one.printed["text"] == "get_weather"
    one.assert_spans({
        **asked("chat", QUESTION), **STREAMED, **TOOLS,
        **answered("chat", one.requests[0], CALL, reason="tool_call", usage=False),
    })


@proves("error")
def test_a_chat_is_refused(ran):
    one = ran["chat error"]
    assert one.printed[0] in ("RateLimitError", "ApiError") and one.printed[1] == 429
    each = {**asked("chat", "Please fail", name="busy"), "error.type": "rate_limit_exceeded"}
    one.assert_spans(*[each] * len(one.requests))


@proves("broken stream")
def test_a_streamed_chat_breaks_off(ran):
    one = ran["chat broken stream"]
    assert isinstance(one.printed[-1], str)
    one.assert_spans({
        **asked("chat", "Break off"), **STREAMED,
        **answered("chat", one.requests[0], "You said:", reason="error", usage=False),
        "error.type": "connection_closed",
    })


@proves("embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert len(one.printed["data"]) == 2
    formats = {"gen_ai.request.encoding_formats": ["base64"]} if b"base64" in one.requests[0].body else {}
    one.assert_spans({**embedded(), **formats})


# -- Responses -------------------------------------------------------------------------------------------------------------

RESPONSES = " (Responses)"


@proves("unary", RESPONSES)
def test_a_response(ran):
    one = ran["unary"]
    assert one.printed["text"] == "You said: Hello – ünïcödé 🦀"
    one.assert_spans({
        **asked("responses", "Hello – ünïcödé 🦀"), "gen_ai.system_instructions": [text(BRIEFLY)],
        "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 64,
        **answered("responses", one.requests[0], "You said: Hello – ünïcödé 🦀"),
    })


@proves("stream", RESPONSES)
def test_a_streamed_response(ran):
    one = ran["stream"]
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans({
        **asked("responses", "Say it in pieces"), **STREAMED,
        **answered("responses", one.requests[0], "You said: Say it in pieces"),
    })


@proves("reasoning", RESPONSES)
def test_a_streamed_thought(ran):
    one = ran["reasoning"]
    assert one.printed["text"] == "You said: Think first"
    thought = says("assistant", {"type": "reasoning", "content": SUMMARY}, finish_reason="stop")
    told = answered("responses", one.requests[0], "You said: Think first")
    one.assert_spans({
        **asked("responses", "Think first", name="o4-mini"), **STREAMED, "gen_ai.request.reasoning.level": "low",
        **told, "gen_ai.output.messages": [thought, *told["gen_ai.output.messages"]],
    })


@proves("tools", RESPONSES)
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["text"] == f"The tool said: {OUTSIDE}"
    one.assert_spans({
        **asked("responses", QUESTION), **TOOLS, **answered("responses", one.requests[0], CALL, reason="tool_call"),
    }, {
        **asked("responses", QUESTION, says("assistant", CALL), says("tool", tool_response(CALL_ID, OUTSIDE))), **TOOLS,
        **answered("responses", one.requests[1], f"The tool said: {OUTSIDE}"),
    })


@proves("streamed tools", RESPONSES)
def test_a_streamed_tool_call(ran):
    one = ran["streamed tools"]
    assert one.printed["text"] == "get_weather"
    one.assert_spans({
        **asked("responses", QUESTION), **STREAMED, **TOOLS,
        **answered("responses", one.requests[0], CALL, reason="tool_call"),
    })


@proves("error", RESPONSES)
def test_a_response_is_refused(ran):
    one = ran["error"]
    assert one.printed[0] in ("RateLimitError", "ApiError") and one.printed[1] == 429
    each = {**asked("responses", "Please fail", name="busy"), "error.type": "rate_limit_exceeded"}
    one.assert_spans(*[each] * len(one.requests))


@proves("broken stream", RESPONSES)
def test_a_streamed_response_breaks_off(ran):
    one = ran["broken stream"]
    assert isinstance(one.printed[-1], str)
    told = answered("responses", one.requests[0])
    begun = {name: told[name] for name in ("gen_ai.response.id", "gen_ai.response.model")}
    one.assert_spans({**asked("responses", "Break off"), **STREAMED, **begun, "error.type": "connection_closed"})


@proves("async", RESPONSES, ["Python"])
def test_the_async_client(ran):
    one = ran["async"]
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans({
        **asked("responses", "Say it in pieces"), **STREAMED,
        **answered("responses", one.requests[0], "You said: Say it in pieces"),
    })


@pytest.mark.parametrize("one", [
    pytest.param(one, marks=[pytest.mark.proves(f"openai{api}", one, "by hooks") for api in ("", RESPONSES)])
    for one in ("Python", "Node")])
def test_hooks_lead_it_without_a_variable(launcher, one):
    assert_hooked(SDKS[one].by_hooks("OPENAI_BASE_URL", "api.openai.com"), launcher, "api.openai.com")
