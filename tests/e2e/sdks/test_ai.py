"""Vercel's AI SDK, `ai`, with its providers for OpenAI (Responses, its default, and chat), Anthropic and Google."""

from dataclasses import replace

import pytest

from answers import anthropic, dialects, gemini, openai
from answers.dialects import HELLO, OUTSIDE
from harness.launcher import node
from harness.sdk import STREAMED, Sdk, assert_hooked, tool_call, tool_response

EXCHANGES = {"unary": 1, "stream": 1, "reasoning": 1, "tools": 2, "streamed tools": 2, "error": 1, "broken stream": 1}
WITHOUT_REASONING = {name: count for name, count in EXCHANGES.items() if name != "reasoning"}


def for_openai(origin):
    return {"OPENAI_BASE_URL": f"{origin}/v1", "OPENAI_API_KEY": openai.KEY}


def for_anthropic(origin):
    return {"ANTHROPIC_BASE_URL": f"{origin}/v1", "ANTHROPIC_API_KEY": anthropic.KEY}


RESPONSES, CHAT, ANTHROPIC = "ai (OpenAI)", "ai (OpenAI chat)", "ai (Anthropic)"
GOOGLE = "ai (Google)"
GOOGLES_HOST = "generativelanguage.googleapis.com"
SDKS = {
    RESPONSES: Sdk(node("ai/calls.mjs", "openai"), openai.answer, EXCHANGES, env=for_openai),
    CHAT: Sdk(node("ai/calls.mjs", "chat"), openai.answer, WITHOUT_REASONING, env=for_openai),
    ANTHROPIC: Sdk(node("ai/calls.mjs", "anthropic"), anthropic.answer, EXCHANGES, env=for_anthropic),
    # No variable leads it anywhere: the hooks inside Node do.
    GOOGLE: Sdk(
        node("ai/calls.mjs", "google"), gemini.answer, EXCHANGES,
        env=lambda _origin: {"GOOGLE_GENERATIVE_AI_API_KEY": gemini.KEY},
        only_direct=lambda origin: {"E2E_GOOGLE_BASE_URL": f"{origin}/v1beta"},
        options=lambda origin: ("--upstream", f"{GOOGLES_HOST}={origin}"),
    ),
}
DIALECTS = {RESPONSES: dialects.RESPONSES, CHAT: dialects.CHAT, ANTHROPIC: dialects.ANTHROPIC,
            GOOGLE: replace(
                # It gives calls an id that the model did not.
                dialects.GEMINI, call_again=(tool_call("call_of_ours", "get_weather", {"city": "Paris"}),),
                response=tool_response("call_of_ours", {"name": "get_weather", "content": OUTSIDE}, name="get_weather"),
            )}
THERE = {GOOGLE: {"server.address": GOOGLES_HOST, "server.port": 443, "gen_ai.provider.name": "gcp.gemini"}}
"""Whom calls went to, as far as the program knows."""
LIMIT = {"gen_ai.request.max_tokens": 64}


@pytest.fixture
def common(row):
    """What the spans of all calls have."""
    return {**LIMIT, **THERE.get(row, {})}


@pytest.fixture
def ran(launcher, row):
    return SDKS[row].ran(launcher)


@pytest.fixture
def dialect(row):
    return DIALECTS[row]


def proves(feature, rows=tuple(SDKS)):
    return pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.proves(row, "Node", feature)) for row in rows])


@proves("unary")
def test_generated_text(ran, dialect, common):
    one = ran["unary"]
    assert one.printed["text"] == f"You said: {HELLO}"
    one.assert_spans(*dialect.unary(one.requests, **common, **{"gen_ai.request.temperature": 0.2}))


@proves("stream")
def test_streamed_text(ran, dialect, common):
    one = ran["stream"]
    assert one.printed["text"] == "You said: Say it in pieces"
    one.assert_spans(*dialect.stream(one.requests, **common))


@proves("reasoning", [RESPONSES, ANTHROPIC, GOOGLE])
def test_a_streamed_thought(ran, dialect, common, row):
    one = ran["reasoning"]
    # The SDK adds the thought's budget to the limit that Anthropic gets.
    limit = 64 if row != ANTHROPIC else 64 + 1024
    one.assert_spans(*dialect.reasoning(one.requests, **{**common, "gen_ai.request.max_tokens": limit}))


@proves("tools")
def test_the_sdk_runs_a_tool(ran, dialect, common):
    one = ran["tools"]
    assert one.printed["text"].endswith(OUTSIDE)
    one.assert_spans(*dialect.tools(one.requests, **common))


@proves("streamed tools")
def test_the_sdk_runs_a_tool_within_a_stream(ran, dialect, common):
    one = ran["streamed tools"]
    assert one.printed["text"].endswith(OUTSIDE)
    one.assert_spans(*dialect.tools(one.requests, **common, **STREAMED))


@proves("error")
def test_a_refusal(ran, dialect, common):
    one = ran["error"]
    assert one.printed[:2] == ["AI_APICallError", 429]
    one.assert_spans(*dialect.error(**common))


@proves("broken stream")
def test_a_stream_that_breaks_off(ran, dialect, common):
    one = ran["broken stream"]
    assert one.printed["parts"][-1]["type"] == "error"
    one.assert_spans(*dialect.broken_stream(one.requests, **common))


@pytest.mark.proves(GOOGLE, "Node", "by hooks")
def test_hooks_lead_what_no_variable_does(launcher):
    assert_hooked(SDKS[GOOGLE], launcher, GOOGLES_HOST)
