"""The programs under test, what the server says to them, and one run of each with and without the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from . import model
from .launcher import Launcher, Result, environment, execute, node, python
from .otlp import receiver
from .provider import Provider, Reply, Request
from .signals import Telemetry


@dataclass(frozen=True)
class Case:
    name: str
    argv: list[str]
    script: Callable[[Request], Reply] = model.answer
    env: dict[str, str] = field(default_factory=dict)
    azure: bool = False
    exit_code: int = 0


CASES = {case.name: case for case in (
    Case("chat_sync", python("chat_sync.py")),
    Case("chat_async", python("chat_async.py")),
    Case("chat_stream", python("chat_stream.py")),
    Case("chat_stream_usage", python("chat_stream_usage.py")),
    Case("tools", python("tools.py")),
    Case("tools_stream", python("tools.py", "--stream")),
    Case("raw_response", python("raw_response.py")),
    Case("streaming_response", python("streaming_response.py")),
    Case("early_break", python("early_break.py")),
    Case("api_error", python("api_error.py", "no-such-model", "20", "plain")),
    Case("crash", python("crash.py"), exit_code=1),
    Case("retries", python("retries.py")),
    Case("embeddings", python("embeddings.py")),
    Case("azure", python("azure.py"), azure=True),
    Case("parallel", python("parallel.py")),
    Case("traceparent", python("traceparent.py")),
    Case("node_chat", node("chat.mjs")),
    Case("node_stream", node("stream.mjs")),
    Case("node_tools", node("tools.mjs")),
    Case("node_as_response", node("as_response.mjs")),
    Case("node_embeddings", node("embeddings.mjs")),
)}


@dataclass
class Seen:
    """One run of a program: what it printed, and what the server got from it."""

    result: Result
    requests: list[Request]
    connections: int


@dataclass
class Run:
    direct: Seen
    wrapped: Seen
    telemetry: Telemetry
    port: int
    """The scripted server's."""


def base_urls(provider: Provider, azure: bool = False) -> dict[str, str]:
    return {"AZURE_OPENAI_ENDPOINT": provider.origin} if azure else {"OPENAI_BASE_URL": provider.base_url}


def alone(case: Case, provider: Provider) -> Seen:
    """Runs a case without the product."""
    provider.reset(case.script)
    result = execute(case.argv, environment(**base_urls(provider, case.azure), **case.env))
    return Seen(result, provider.requests, provider.connections)


def observed(launcher: Launcher, case: Case, provider: Provider, protocol: str = "grpc",
             **extra: str) -> tuple[Seen, Telemetry]:
    """Runs a case under `otel-genai run`, exporting to a receiver of its own."""
    with receiver(protocol) as otlp:
        provider.reset(case.script)
        result = launcher.wrapped(case.argv, **{**base_urls(provider, case.azure), **otlp.env, **case.env, **extra})
        return Seen(result, provider.requests, provider.connections), otlp.take()


def run(launcher: Launcher, case: Case, protocol: str = "grpc", **extra: str) -> Run:
    """Runs a case both ways against the same server."""
    with Provider() as provider:
        direct = alone(case, provider)
        return Run(direct, *observed(launcher, case, provider, protocol, **extra), provider.port)
