"""The SDKs of Anthropic: `anthropic` for Python, `@anthropic-ai/sdk` for Node."""

import pytest

from answers.anthropic import KEY, THOUGHT, TOOLS, WEATHER, answer, answered, asked
from harness.launcher import node, python
from harness.sdk import STREAMED, Sdk, assert_hooked, says, tool_call, tool_response

EXCHANGES = {"unary": 1, "stream": 1, "thinking": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1}
NAMES = {"Python": "anthropic", "Node": "@anthropic-ai/sdk"}


def sdk(argv, **more):
    return Sdk(argv, answer, {**EXCHANGES, **more},
               env=lambda origin: {"ANTHROPIC_BASE_URL": origin, "ANTHROPIC_API_KEY": KEY})


SDKS = {"Python": sdk(python("anthropic/calls.py"), **{"async": 1}), "Node": sdk(node("anthropic/calls.mjs"))}


@pytest.fixture
def ran(launcher, request):
    return SDKS[request.param].ran(launcher)


def proves(feature, languages=tuple(SDKS)):
    marked = [pytest.param(one, marks=pytest.mark.proves(NAMES[one], one, feature)) for one in languages]
    return pytest.mark.parametrize("ran", marked, indirect=True)


@proves("unary")
def test_a_message(ran):
    one = ran["unary"]
    assert one.printed["message"]["content"][0]["text"] == "You said: Say this is a test – ünïcödé 🦀"
    one.assert_spans({
        **asked("Say this is a test – ünïcödé 🦀"),
        "gen_ai.request.temperature": 0.2, "gen_ai.request.top_k": 5, "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.system_instructions": [{"type": "text", "content": "Answer briefly."}],
        **answered(one.requests[0], "You said: Say this is a test – ünïcödé 🦀"),
    })


@proves("stream")
def test_a_stream(ran):
    one = ran["stream"]
    assert one.printed[-1]["type"] == "message_stop"
    one.assert_spans({
        **asked("Say it in pieces"), **STREAMED, **answered(one.requests[0], "You said: Say it in pieces"),
    })


@proves("reasoning")
def test_a_streamed_thought(ran):
    one = ran["thinking"]
    assert one.printed["content"][0]["thinking"] == THOUGHT["thinking"]
    thought = {"type": "reasoning", "content": THOUGHT["thinking"]}
    one.assert_spans({
        **asked("Think first", max_tokens=2048), **STREAMED,
        **answered(one.requests[0], thought, "You said: Think first"),
    })


@proves("tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["answer"] == "The tool said: 18 degrees and sunny"
    call = tool_call(WEATHER["id"], "get_weather", {"city": "Paris"})
    question = "How is the weather in Paris?"
    one.assert_spans({
        **asked(question), "gen_ai.tool.definitions": TOOLS,
        **answered(one.requests[0], "I look outside.", call, reason="tool_use"),
    }, {
        **asked(question, says("assistant", "I look outside.", call),
                says("user", tool_response(WEATHER["id"], "18 degrees and sunny"))),
        "gen_ai.tool.definitions": TOOLS,
        **answered(one.requests[1], "The tool said: 18 degrees and sunny"),
    })


@proves("streamed tools")
def test_a_streamed_tool_call(ran):
    one = ran["streamed tools"]
    assert one.printed["content"][1]["input"] == {"city": "Paris"}
    one.assert_spans({
        **asked("How is the weather in Paris?"), **STREAMED, "gen_ai.tool.definitions": TOOLS,
        **answered(one.requests[0], "I look outside.", tool_call(WEATHER["id"], "get_weather", {"city": "Paris"}),
                   reason="tool_use"),
    })


@proves("error")
def test_a_refusal(ran):
    one = ran["error"]
    assert one.printed[:2] == ["RateLimitError", 429]
    one.assert_spans({**asked("Please fail", model="claude-busy"), "error.type": "rate_limit_error"})


@proves("broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert one.printed[-1].startswith(("RemoteProtocolError", "TypeError: terminated"))
    one.assert_spans({
        **asked("Break off"), **STREAMED, **answered(one.requests[0], "You said: Break off", reason="error"),
        "gen_ai.usage.output_tokens": 1, "error.type": "connection_closed",
    })


@proves("async", ["Python"])
def test_the_async_client(ran):
    one = ran["async"]
    assert one.printed[-1] == "message_stop"
    one.assert_spans({
        **asked("Say it in pieces"), **STREAMED, **answered(one.requests[0], "You said: Say it in pieces"),
    })


@pytest.mark.parametrize("one", [
    pytest.param(one, marks=pytest.mark.proves(NAMES[one], one, "by hooks")) for one in SDKS])
def test_hooks_lead_it_without_a_variable(launcher, one):
    assert_hooked(SDKS[one].by_hooks("ANTHROPIC_BASE_URL", "api.anthropic.com"), launcher, "api.anthropic.com")
