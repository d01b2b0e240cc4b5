"""What others' instrumentations tell of one conversation is the same transcript."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness import model
from harness.dashboard import Dashboard
from harness.launcher import environment, execute, node, venv
from harness.otlp import PROTOCOLS

def python_with(environment: str) -> Callable[[str], list[str]]:
    return lambda name: venv(environment, "instrumented.py", name)


def node_by(protocol: str) -> Callable[[str], list[str]]:
    return lambda name: node("instrumented.cjs", name.removesuffix(f" by {protocol}"), protocol)


WITH = {
    "openai-v2": python_with("openai-v2"),
    "genai-openai": python_with("instrumented"),
    "openllmetry": python_with("instrumented"),
    "openinference": python_with("instrumented"),
    "loongsuite": python_with("loongsuite"),
    **{f"{name} by {protocol}": node_by(protocol) for name in ("official", "vercel") for protocol in PROTOCOLS},
}
"""Each instrumentation, and the program that has it."""

SYSTEM, QUESTION, OUTSIDE, PIECES = "You are brief.", "How is the weather in Paris?", "18 degrees and sunny", "Say it in pieces"
CALL = {"type": "tool_call", "id": "call_weather_1", "name": "get_weather", "arguments": {"city": "Paris", "unit": "celsius"}}
ANSWERS = f"Tool said: {OUTSIDE}", f"You said: {PIECES}"


def text(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


ASKED = [text("user", QUESTION)]
WANTED = {"role": "assistant", "parts": [CALL]}
GIVEN = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_weather_1", "response": OUTSIDE}]}
CONVERSATION = [
    (ASKED, [WANTED]),
    ([GIVEN], [text("assistant", ANSWERS[0])]),
    ([text("user", PIECES)], [text("assistant", ANSWERS[1])]),
]
"""What is new in each call, and its answer."""


@pytest.fixture(params=WITH)
def told(request, provider, launcher):
    """The transcript of the conversation, as the dashboard has it of this instrumentation."""
    provider.reset(model.answer)
    with Dashboard(launcher.binary) as dashboard:
        env = environment(**dashboard.env("grpc" if "grpc" in request.param else "http/protobuf"),
                          OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"http://{dashboard.http}/v1/logs",
                          OPENAI_BASE_URL=provider.base_url)
        result = execute(WITH[request.param](request.param), env)
        assert result.code == 0, result.text_err
        assert result.json == {"answer": ANSWERS[1]}
        (trace,) = dashboard.get("/api/v1/traces")["items"]
        assert trace["service"] == request.param.split(" by ")[0]
        yield trace, dashboard.get(f"/api/v1/traces/{trace['id']}/transcript")


def said(transcript: dict[str, Any], seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages, without what only some tell: why they ended, where a tool ran."""
    def part(of: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in of.items() if key in ("type", "content", "id", "name", "arguments", "response")}

    messages = [transcript["messages"][one["message"]] for one in seen]
    return [{"role": message["role"], "parts": [part(of) for of in message["parts"]]} for message in messages]


def test_the_transcript_is_the_conversation(told):
    trace, transcript = told
    calls = transcript["calls"]
    found = [(said(transcript, call["input"]), said(transcript, call["output"])) for call in calls]
    if trace["service"] == "vercel":
        # Each of its turns is an agent's run, which begins with what was said before.
        assert [call["carried"] for call in calls] == [0, 2, 0]
        before = [*ASKED, WANTED, GIVEN, *CONVERSATION[1][1]]
        assert found == [*CONVERSATION[:2], (before + CONVERSATION[2][0], CONVERSATION[2][1])]
    else:
        assert [call["carried"] for call in calls] == [0, 2, 4]
        assert found == CONVERSATION
    assert said(transcript, calls[0]["system"]) == [text("system", SYSTEM)]
    assert not any("break" in call for call in calls)
    for call in calls:
        # OpenInference tells one model, that of the answer.
        assert call["provider"] == "openai" and call["requestModel"].startswith("gpt-4o-mini")
        assert call["usage"]["input"] == 19 and call["usage"]["output"] == 10
        for seen in (*call["system"], *call["input"], *call["output"]):
            assert not seen.get("versions"), json.dumps(seen)


def test_the_list_counts_it(told):
    trace, _transcript = told
    assert trace["llmCalls"] == 3 and trace["errors"] == 0 and trace["spans"] >= 4
    assert trace["usage"]["input"] == 57 and trace["usage"]["output"] == 30
    assert trace["title"] == QUESTION and trace["content"] == "here"
