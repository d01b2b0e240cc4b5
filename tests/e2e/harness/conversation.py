"""One conversation with a tool, told by many: instrumentations of others, and Rust's own layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import model
from .dashboard import Dashboard
from .launcher import API_KEY, environment, execute, node, rust, venv
from .otlp import PROTOCOLS
from .provider import Provider


def python_with(environment: str) -> Callable[[str], list[str]]:
    return lambda name: venv(environment, "instrumented.py", name)


def node_by(protocol: str) -> Callable[[str], list[str]]:
    return lambda name: node("instrumented.cjs", name.removesuffix(f" by {protocol}"), protocol)


def rust_with(_name: str) -> list[str]:
    """Rust's client with the product's layer around it, set up by the variables alone."""
    return ["env", "OTEL_SERVICE_NAME=async-openai", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event",
            *rust("with_async_openai", "conversation")]


WITH = {
    "openai-v2": python_with("openai-v2"),
    "genai-openai": python_with("instrumented"),
    "openllmetry": python_with("instrumented"),
    "openinference": python_with("instrumented"),
    "loongsuite": python_with("loongsuite"),
    **{f"{name} by {protocol}": node_by(protocol) for name in ("official", "vercel") for protocol in PROTOCOLS},
    "async-openai": rust_with,
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


def have(name: str, provider: Provider, **env: str) -> None:
    """Has the conversation in the program with this instrumentation; the variables say where it is told."""
    provider.reset(model.answer)
    env = environment(**env, OPENAI_BASE_URL=provider.base_url, MODEL_URL=provider.origin, MODEL_KEY=API_KEY)
    result = execute(WITH[name](name), env)
    assert result.code == 0, result.text_err
    assert result.json == {"answer": ANSWERS[1]}


def tell(name: str, dashboard: Dashboard, provider: Provider) -> dict[str, Any]:
    """Has the conversation, told to the dashboard with this instrumentation; returns its trace's row."""
    before = {trace["id"] for trace in dashboard.get("/api/v1/traces")["items"]}
    have(name, provider, **dashboard.env("grpc" if "grpc" in name else "http/protobuf"),
         OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"http://{dashboard.http}/v1/logs")
    (trace,) = [trace for trace in dashboard.get("/api/v1/traces")["items"] if trace["id"] not in before]
    assert trace["service"] == name.split(" by ")[0]
    return trace


def said(transcript: dict[str, Any], seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages, without what only some tell: why they ended, where a tool ran."""
    def part(of: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in of.items() if key in ("type", "content", "id", "name", "arguments", "response")}

    messages = [transcript["messages"][one["message"]] for one in seen]
    return [{"role": message["role"], "parts": [part(of) for of in message["parts"]]} for message in messages]
