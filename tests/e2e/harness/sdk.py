"""One SDK's program, run alone and under `otel-genai run` against one scripted server, and what came of each of its calls.

A program makes several *exchanges* one after the other, and prints a JSON object: what each gave it, by name. Both runs
are made once; the requests and spans of the second are dealt out to the exchanges in the order they came.

    SDK = Sdk(python("anthropic/calls.py"), answer, {"unary": 1, "tools": 2},
              env=lambda origin: {"ANTHROPIC_BASE_URL": origin, "ANTHROPIC_API_KEY": API_KEY})

    @pytest.mark.proves("anthropic", "Python", "unary")
    def test_unary(launcher):
        SDK.ran(launcher)["unary"].assert_spans({"gen_ai.operation.name": "chat", ...})
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import pytest

from . import conformance, otlp as otlp_receivers
from .cases import Seen
from .launcher import Launcher
from .match import SECONDS, assert_same
from .provider import Provider, Reply, Request
from .same import assert_same_program, end_to_end_lines
from .signals import Span, Telemetry

STREAMED = {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": SECONDS}
"""What the spans of all streams have that brought something."""

CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
           "gen_ai.rerank.input_documents", "gen_ai.rerank.output_documents")
"""Attributes that are JSON in a string; compared as what they say."""

HEAD = ("otel_genai.provider_request_id", "otel_genai.retry_after", "otel_genai.rate_limit.")
"""What the heads of refusals tell besides: of the server, and not of the SDK."""

TOKENS = {"input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens"}


def says(role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    """A message as content attributes have it; a part that is a string is text."""
    return {"role": role, "parts": [text(p) if isinstance(p, str) else p for p in parts], **more}


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def tool_call(id: str | None, name: str, arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", **({} if id is None else {"id": id}), "name": name, "arguments": arguments}


def tool_response(id: str | None, response: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_call_response", **({} if id is None else {"id": id}), "response": response, **more}


@dataclass
class Exchange:
    """What one exchange of the wrapped run was, from every side."""

    name: str
    printed: Any
    """What the program says it got; the same without us."""
    requests: list[Request]
    spans: list[Span]
    inferred: list[Span]
    """The agent and the tools of the same trace."""
    port: int

    def assert_spans(self, *expected: dict[str, Any], kind: str = "CLIENT") -> None:
        """The spans are exactly these, by their attributes; the server's address is understood unless it is None.

        A span is named after its operation and model. One with `error.type` has failed. Calls that bring what tools
        answered are one agent's, with a span for each tool.
        """
        assert len(self.spans) == len(expected), [span.name for span in self.spans]
        agent = self._assert_run(expected)
        for span, facts in zip(self.spans, expected):
            facts = {"server.address": "127.0.0.1", "server.port": self.port, **facts}
            facts = {key: fact for key, fact in facts.items() if fact is not None}
            assert span.name == f"{facts['gen_ai.operation.name']} {facts['gen_ai.request.model']}"
            assert (span.kind, span.parent_id, span.events, span.links, span.dropped) == (kind, agent, [], [], 0)
            assert_same({key: json.loads(value) if key in CONTENT else value
                         for key, value in span.attributes.items() if not key.startswith(HEAD)}, facts)
            if "error.type" in facts:
                assert span.status == "ERROR" and span.status_message not in ("", facts["error.type"])
            else:
                assert (span.status, span.status_message) == ("UNSET", "")

    def _assert_run(self, expected: tuple[dict[str, Any], ...]) -> str:
        """The agent's span id, if the calls are steps of a run."""
        answers = [sum(part["type"] == "tool_call_response" for message in facts.get("gen_ai.input.messages", [])
                       for part in message["parts"]) for facts in expected]
        if len(set(answers)) < 2:
            assert self.inferred == [], [span.name for span in self.inferred]
            return ""
        agent, *tools = sorted(self.inferred, key=lambda span: (span.name != "invoke_agent", span.start))
        assert (agent.name, agent.kind, agent.parent_id) == ("invoke_agent", "INTERNAL", "")
        assert (agent.start, agent.end) == (self.spans[0].start, self.spans[-1].end)
        assert len(tools) == max(answers) - min(answers), [span.name for span in tools]
        for tool in tools:
            assert tool.name == f"execute_tool {tool.attributes['gen_ai.tool.name']}"
            assert tool.parent_id == agent.span_id
        return agent.span_id


@dataclass
class Ran:
    """Both runs of a program, found the same."""

    direct: Seen
    wrapped: Seen
    telemetry: Telemetry
    exchanges: dict[str, Exchange]

    def __getitem__(self, name: str) -> Exchange:
        return self.exchanges[name]


@dataclass
class Sdk:
    argv: list[str]
    script: Callable[[Request], Reply]
    exchanges: dict[str, int]
    """How many requests each exchange makes, in the program's order."""
    env: Callable[[str], dict[str, str]]
    """The program's environment, from the scripted server's origin."""
    only_direct: Callable[[str], dict[str, str]] = lambda _origin: {}
    """Added to the environment of the run without us: for SDKs that no variable leads anywhere."""
    options: Callable[[str], tuple[str, ...]] = lambda _origin: ()
    """Options of `otel-genai run`, from the scripted server's origin."""
    volatile: tuple[str, ...] = ()
    """Names of request headers, in lower case, that differ from run to run by themselves: only their place is compared."""
    unseen: tuple[str, ...] = ()
    """Exchanges that give no spans."""
    timeout: float = 40
    """How many seconds a run may take."""
    findings: tuple[str, ...] = ()
    """What the judge of the conventions finds in the runs' telemetry, as regular expressions.

    They are judged once, apart from what the test itself receives."""
    _ran: Ran | str | None = field(default=None, init=False, repr=False)

    def by_hooks(self, variable: str, host: str) -> Sdk:
        """The same program without the variable: the hooks inside it lead what it sends to the provider's own host."""
        return replace(
            self,
            env=lambda origin: {name: value for name, value in self.env(origin).items() if name != variable},
            only_direct=lambda origin: {variable: self.env(origin)[variable]},
            options=lambda origin: ("--upstream", f"{host}={origin}", "--no-env", variable),
        )

    def ran(self, launcher: Launcher) -> Ran:
        """Both runs, made when first asked for; everything that must be the same is."""
        if self._ran is None:
            self._ran = "failed"
            self._run(launcher)
        if not isinstance(self._ran, Ran):
            pytest.fail("the program's runs failed, in the first test that asked for them", pytrace=False)
        return self._ran

    def _run(self, launcher: Launcher) -> None:
        before = len(otlp_receivers.RECEIVED)
        with Provider() as provider, otlp_receivers.receiver("http/protobuf") as otlp:
            origin = provider.origin
            env = {**otlp.env, **self.env(origin), "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
            provider.reset(self.script)
            direct = Seen(launcher.direct(self.argv, timeout=self.timeout, **{**env, **self.only_direct(origin)}),
                          provider.requests, provider.connections)
            assert direct.result.code == 0, direct.result.text_err
            provider.reset(self.script)
            wrapped = Seen(launcher.wrapped(self.argv, timeout=self.timeout, options=self.options(origin), **env),
                           provider.requests, provider.connections)
            telemetry = otlp.take()
        received = otlp_receivers.RECEIVED[before:]
        del otlp_receivers.RECEIVED[before:]
        assert_same_program(direct.result, wrapped.result)
        self._assert_same_requests(direct.requests, wrapped.requests)
        assert_signals_agree(telemetry)
        self._ran = Ran(direct, wrapped, telemetry, self._deal(wrapped, telemetry, provider.port))
        if problems := conformance.problems(received, self.findings):
            pytest.fail("the conventions' judge found:\n  " + "\n  ".join(problems), pytrace=False)

    def _assert_same_requests(self, direct: list[Request], wrapped: list[Request]) -> None:
        """Method, target, header lines in their order and case, framing and body."""
        def seen(request: Request) -> Any:
            lines = [line.split(b":")[0] if line.split(b":")[0].decode("latin-1").lower() in self.volatile else line
                     for line in end_to_end_lines(request)]
            return [request.head.split(b"\r\n", 1)[0], *lines, request.framing, request.body]

        assert [request.target for request in wrapped] == [request.target for request in direct]
        for ours, theirs in zip(wrapped, direct):
            assert seen(ours) == seen(theirs)

    def _deal(self, wrapped: Seen, telemetry: Telemetry, port: int) -> dict[str, Exchange]:
        printed = wrapped.result.json
        assert list(printed) == list(self.exchanges), "the program does not print its exchanges by name, in order"
        assert len(wrapped.requests) == sum(self.exchanges.values()), [request.target for request in wrapped.requests]
        spans = iter(sorted(telemetry.spans, key=lambda span: span.start))
        requests = iter(wrapped.requests)
        dealt = {}
        for name, count in self.exchanges.items():
            seen = 0 if name in self.unseen else count
            own = list(islice(spans, seen))
            traces = {span.trace_id for span in own}
            inferred = [span for span in telemetry.inferred if span.trace_id in traces]
            dealt[name] = Exchange(name, printed[name], list(islice(requests, count)), own, inferred, port)
        expected = sum(count for name, count in self.exchanges.items() if name not in self.unseen)
        assert len(telemetry.spans) == expected, [span.name for span in telemetry.spans]
        return dealt


def assert_hooked(sdk: Sdk, launcher: Launcher, host: str) -> None:
    """All calls of the run are told as calls to the host that the program asked for."""
    spans = [span for span in sdk.ran(launcher).telemetry.spans if "server.address" in span.attributes]
    assert {(span.attributes["server.address"], span.attributes["server.port"]) for span in spans} == {(host, 443)}


def assert_signals_agree(telemetry: Telemetry) -> None:
    """Metrics count what the spans tell, and each failure has its event."""
    spans = telemetry.spans
    durations = telemetry.series("gen_ai.client.operation.duration")
    assert sum(point.count for point in durations) == len(spans)
    failed = [span for span in spans if "error.type" in span.attributes]
    assert sum(point.count for point in durations if "error.type" in point.attributes) == len(failed)
    told = telemetry.events("gen_ai.client.operation.exception")
    assert sorted(event.span_id for event in told) == sorted(span.span_id for span in failed)
    for kind, attribute in TOKENS.items():
        counted = sum(point.value for point in telemetry.series("gen_ai.client.token.usage")
                      if point.attributes["gen_ai.token.type"] == kind)
        assert counted == sum(span.attributes.get(attribute, 0) for span in spans), kind
