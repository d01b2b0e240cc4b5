"""Rust clients with the product's line around them: programs with the real crates, set up by `otel_genai::init()`.

Each plays a scene within a span of its own, against a scripted server and an OTLP receiver. What it prints is what the
client gave it; what the receiver got is held against what was said, attribute by attribute, in spans, metrics and events.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from answers import anthropic, ollama, openai
from harness import model, otlp as receivers
from harness.launcher import environment, execute, rust
from harness.match import assert_same, without_nulls
from harness.otlp import Receiver
from harness.provider import Hang, Provider, Reply, Request, Wait
from harness.rotel import Rotel
from harness.sdk import CONTENT, HEAD, STREAMED, TOKENS, says, tool_call, tool_response
from harness.signals import Span, Telemetry

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
DETAILS = "gen_ai.client.inference.operation.details"
EXCEPTION = "gen_ai.client.operation.exception"
DURATION = "gen_ai.client.operation.duration"
USED = "gen_ai.client.token.usage"
FIRST = "gen_ai.client.operation.time_to_first_chunk"

KEY = "sk-e2e-SECRETSECRET-0123456789abcdef"
HELLO, PIECES, QUESTION, OUTSIDE = "Hello – ünïcödé 🦀", "Say it in pieces", openai.QUESTION, openai.OUTSIDE
HALF = "You said:"
REFUSAL, BUSY = "this key opens nothing", "too many requests"

Facts = dict[str, Any]


# -- the providers ---------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Protocol:
    """What a provider says, and what telemetry says of it."""

    model: str
    provider: str
    answer: Callable[[Request], Reply]
    refuse: Callable[[Request, int], Reply]
    refused: dict[int, str]
    """What a refusal is called, by its status."""
    pieces: Callable[[Request], list[bytes]]
    """A stream's events."""
    half: int
    """After how many of them `HALF` was said."""
    hello: Callable[[], Facts]
    """What is known of the question of a whole answer."""
    asked: Callable[..., Facts]
    said: Callable[..., Facts]
    """What is known of an answer, from the request and the text."""
    cancelled: Callable[..., Facts]
    """The same of one that was left."""
    tools: Callable[[list[Request]], list[Facts]]
    answer_with_tool: str


def openai_refuses(request: Request, status: int) -> Reply:
    if status == 401:
        return model.error(request, 401, REFUSAL, "invalid_request_error", "invalid_api_key")
    reply = model.error(request, 429, BUSY, "requests", "rate_limit_exceeded")
    reply.headers.append(("Retry-After", "0"))
    return reply


def openai_tools(requests: list[Request]) -> list[Facts]:
    call = tool_call(openai.CALL_ID, "get_weather", openai.ARGUMENTS)
    result = says("tool", tool_response(openai.CALL_ID, OUTSIDE))
    first, second = requests
    return [
        {**openai.asked("chat", QUESTION), "gen_ai.tool.definitions": [openai.WEATHER],
         **openai.answered("chat", first, call, reason="tool_call")},
        {**openai.asked("chat", QUESTION, says("assistant", call), result), "gen_ai.tool.definitions": [openai.WEATHER],
         **openai.answered("chat", second, f"Tool said: {OUTSIDE}")},
    ]


OPENAI = Protocol(
    model="gpt-4o-mini", provider="openai", answer=model.answer, refuse=openai_refuses,
    refused={401: "invalid_api_key", 429: "rate_limit_exceeded"},
    pieces=lambda request: [model.sse(event) for event in model.events(request)], half=3,
    hello=lambda: {**openai.asked("chat", HELLO), "gen_ai.request.temperature": 0.2},
    asked=lambda *messages: openai.asked("chat", *messages),
    said=lambda request, text: openai.answered("chat", request, text),
    cancelled=lambda request, text: openai.answered("chat", request, text, reason="error", usage=False),
    tools=openai_tools, answer_with_tool=f"Tool said: {OUTSIDE}",
)


def anthropic_refuses(request: Request, status: int) -> Reply:
    error = {"type": ANTHROPIC.refused[status], "message": REFUSAL if status == 401 else BUSY}
    return Reply(status, [*anthropic.headers(request), ("Retry-After", "0")],
                 json.dumps({"type": "error", "error": error}).encode())


def anthropic_tools(requests: list[Request]) -> list[Facts]:
    call = tool_call(anthropic.WEATHER["id"], "get_weather", {"city": "Paris"})
    result = says("user", tool_response(anthropic.WEATHER["id"], OUTSIDE))
    first, second = requests
    return [
        {**anthropic.asked(QUESTION), "gen_ai.tool.definitions": anthropic.TOOLS,
         **anthropic.answered(first, "I look outside.", call, reason="tool_use")},
        {**anthropic.asked(QUESTION, says("assistant", "I look outside.", call), result),
         "gen_ai.tool.definitions": anthropic.TOOLS, **anthropic.answered(second, f"The tool said: {OUTSIDE}")},
    ]


ANTHROPIC = Protocol(
    model=anthropic.MODEL, provider="anthropic", answer=anthropic.answer, refuse=anthropic_refuses,
    refused={401: "authentication_error", 429: "rate_limit_error"},
    pieces=lambda request: list(anthropic.stream(request)), half=5,
    hello=lambda: anthropic.asked(HELLO), asked=anthropic.asked, said=anthropic.answered,
    # What the prompt took is known from the first event on.
    cancelled=lambda request, text: {**anthropic.answered(request, text, reason="error"),
                                     "gen_ai.usage.output_tokens": 1},
    tools=anthropic_tools, answer_with_tool=f"The tool said: {OUTSIDE}",
)


def ollama_tools(_requests: list[Request]) -> list[Facts]:
    call = tool_call(None, "get_weather", {"city": "Paris"})
    result = says("tool", tool_response(None, OUTSIDE))
    return [
        {**ollama.asked(QUESTION), "gen_ai.tool.definitions": [openai.WEATHER],
         **ollama.answered(call, finish="tool_call")},
        {**ollama.asked(QUESTION, says("assistant", call), result), "gen_ai.tool.definitions": [openai.WEATHER],
         **ollama.answered(f"The tool said: {OUTSIDE}")},
    ]


def ollama_pieces(request: Request) -> list[bytes]:
    return list(ollama.streamed(request, [{"message": {"role": "assistant", "content": "", **piece}}
                                          for piece in ollama.pieces(ollama.said(request.json))]).body)


OLLAMA = Protocol(
    model=ollama.MODEL, provider="ollama", answer=ollama.answer,
    refuse=lambda _request, status: ollama.reply({"error": REFUSAL if status == 401 else BUSY}, status),
    refused={401: "401", 429: "429"}, pieces=ollama_pieces, half=2,
    hello=lambda: ollama.asked(HELLO), asked=ollama.asked, said=lambda _request, text: ollama.answered(text),
    cancelled=lambda _request, text: {
        "gen_ai.response.model": ollama.MODEL, "gen_ai.response.finish_reasons": ["error"],
        "gen_ai.output.messages": [says("assistant", text, finish_reason="error")],
    },
    tools=ollama_tools, answer_with_tool=f"The tool said: {OUTSIDE}",
)


@dataclass
class Script:
    """What the server says in a scene."""

    protocol: Protocol
    scene: str
    held: Request | None = None
    """The request whose answer does not come to an end."""
    is_held: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def __call__(self, request: Request) -> Reply:
        if request.path == "/left":
            # A client can give up before its request was read.
            assert self.is_held.wait(30), "the request that was left has not come"
            return Reply(200, before=[Wait(self.held.client_gone)])
        self.asked += 1
        match self.scene:
            case "timeout":
                self.hold(request)
                return Reply(before=[Hang()])
            case "refused":
                return self.protocol.refuse(request, 401)
            case "retried" | "attempts" if self.asked == 1:
                return self.protocol.refuse(request, 429)
            case "dropped":
                self.hold(request)
                whole = self.protocol.answer(request)
                half = self.protocol.pieces(request)[:self.protocol.half]
                return Reply(200, whole.headers, [*half, Hang()], framing="chunked")
        return self.protocol.answer(request)

    def hold(self, request: Request) -> None:
        self.held = request
        self.is_held.set()


# -- the clients -----------------------------------------------------------------------------------------------------------

BRIDGE = ("busy_ns", "idle_ns", "code.", "target", "thread.")
"""What tracing-opentelemetry sets on all spans."""
BRIDGED = r'": (?:busy_ns|idle_ns|code\.[a-z.]+|target|thread\.[a-z]+): the convention .* does not know it'
UNTOLD = r": gen_ai\.response\.(?:id|model|finish_reasons): the convention .* expects it"
"""What genai's spans leave out, of streams above all."""

SCENES = ("unary", "stream", "dropped", "timeout", "refused", "retried", "attempts", "tools")


@dataclass(frozen=True)
class Client:
    program: str
    protocol: Protocol = OPENAI
    scenes: tuple[str, ...] = SCENES
    timeout: str = "timeout"
    """What a timeout is called."""
    busy: str = "rate_limit_exceeded"
    """What a refused attempt is called."""
    env: Facts = field(default_factory=dict)
    facts: Callable[[Facts], Facts] = lambda facts: facts
    """What is told of a call, from what the traffic says of it."""
    findings: tuple[str, ...] = ()
    """What the judge may find in its telemetry, as regular expressions."""
    agent: Facts = field(default_factory=dict)
    """What its own agent tells besides: that of the other programs is made by hand."""
    told: bool = True
    """Whether the telemetry is made from the traffic. Otherwise the client says itself what there is."""


def of_genai(facts: Facts) -> Facts:
    """What of a call genai's own spans tell: nothing of ids and vendors, and of a stream that is left nothing at all."""
    facts = {key: fact for key, fact in facts.items() if not key.startswith(("openai.", "gen_ai.response.id"))}
    if facts.get("error.type") == "cancelled":
        for key in ("error.type", "gen_ai.response.finish_reasons", "gen_ai.output.messages"):
            del facts[key]
    if "gen_ai.request.stream" in facts:
        facts.pop("gen_ai.response.model", None)
    return {"gen_ai.request.stream": False, **facts}


CLIENTS = {
    "async-openai": Client("with_async_openai"),
    "reqwest": Client("with_reqwest"),
    "reqwest-middleware": Client("with_reqwest_middleware"),
    # The refusal's body is never read there.
    "tower": Client("with_tower", ANTHROPIC, busy="429"),
    # It has no patience of its own, gives no status, and its answers have no ids.
    "ollama-rs": Client("with_ollama_rs", OLLAMA, timeout="cancelled", busy="429",
                        scenes=tuple(scene for scene in SCENES if scene != "retried"), findings=(UNTOLD,)),
    # It does not try again by itself.
    "rig": Client("with_rig", scenes=tuple(scene for scene in SCENES if scene != "retried"),
                  agent={"gen_ai.tool.definitions": [openai.WEATHER], "gen_ai.usage.cache_read.input_tokens": 32}),
    # It knows whether to tell content, and not where; it warns of events without text, which ours have.
    "genai": Client("with_genai", replace(OPENAI, refused={401: "401", 429: "429"}), busy="429", facts=of_genai,
                    scenes=tuple(scene for scene in SCENES if scene != "retried"),
                    env={CAPTURE: "true", "RUST_LOG": "info,genai::adapter=error"}, findings=(BRIDGED, UNTOLD), told=False),
}


def clients(*scenes: str) -> pytest.MarkDecorator:
    """A run of each scene, by each client that plays it."""
    return pytest.mark.parametrize(("client", "scene"), [
        pytest.param(client, scene, id=f"{name}-{scene}", marks=pytest.mark.possible_findings(*client.findings))
        for name, client in CLIENTS.items()
        for scene in scenes if scene in client.scenes])


@dataclass
class Ran:
    client: Client
    scene: str
    printed: Facts
    requests: list[Request]
    telemetry: Telemetry
    port: int

    @property
    def request(self) -> Span:
        """The program's own span."""
        (span,) = [span for span in self.telemetry.spans if span.scope.name == "program"]
        assert (span.name, span.parent_id, span.status) == ("request", "", "UNSET")
        return span

    @property
    def calls(self) -> list[Span]:
        found = [span for span in self.telemetry.spans if span.attributes.get("gen_ai.operation.name") == "chat"]
        return sorted(found, key=lambda span: span.start)

    def operation(self, name: str) -> Span:
        (span,) = [s for s in self.telemetry.spans if s.attributes.get("gen_ai.operation.name") == name]
        return span


def play(client: Client, scene: str, protocol: str = "http/protobuf", receiver: Callable[[str], Receiver] = receivers.receiver,
         **env: str) -> Ran:
    with Provider() as provider, receiver(protocol) as otlp:
        provider.reset(Script(client.protocol, scene))
        result = execute(rust(client.program, scene), environment(
            **{**otlp.env, "MODEL_URL": provider.origin, "MODEL_KEY": KEY, CAPTURE: "SPAN_AND_EVENT", **client.env, **env}))
        assert result.code == 0 and result.err == b"", result.text_err
        telemetry = otlp.take()
        requests = [request for request in provider.requests if request.path != "/left"]
    assert all(KEY.encode() not in raw for raw in telemetry.raw), "the key is in the telemetry"
    assert all(KEY in dict(request.headers).get("authorization", "") + dict(request.headers).get("x-api-key", "")
               for request in requests if client.protocol is not OLLAMA)
    return Ran(client, scene, result.json, requests, telemetry, provider.port)


def assert_calls(ran: Ran, *expected: Facts, parent: Span) -> None:
    """The calls of a model are exactly these, below that span, in all three signals."""
    spans = ran.calls
    assert len(spans) == len(expected), [span.name for span in spans]
    for span, facts in zip(spans, expected):
        facts = ran.client.facts({"server.address": "127.0.0.1", "server.port": ran.port, **facts})
        assert (span.name, span.kind) == (f"chat {ran.client.protocol.model}", "CLIENT")
        assert (span.trace_id, span.parent_id) == (parent.trace_id, parent.span_id)
        assert (span.events, span.links, span.dropped, span.trace_state) == ([], [], 0, "")
        assert parent.start <= span.start <= span.end <= parent.end or ran.scene in ("dropped", "timeout")
        assert_same(told(span), facts)
        if "error.type" in facts:
            assert span.status == "ERROR" and span.status_message != facts["error.type"]
            assert span.status_message or not ran.client.told
        else:
            assert (span.status, span.status_message) == ("UNSET", "")
    assert_events(ran.telemetry, spans)
    assert_metrics(ran.telemetry, spans)


def told(span: Span) -> Facts:
    """A span's attributes, content as what it says; without what the heads of refusals tell besides."""
    return {key: json.loads(value) if key in CONTENT else value
            for key, value in span.attributes.items() if not key.startswith((*HEAD, *BRIDGE))}


def assert_events(telemetry: Telemetry, spans: list[Span]) -> None:
    """Each call has its event, which says what the span says; a failed one has that of its error besides."""
    details = {event.span_id: event for event in telemetry.events(DETAILS)}
    for span in spans:
        event = details.pop(span.span_id)
        assert event.trace_id == span.trace_id and event.body is None
        said = {key: fact for key, fact in told(span).items() if fact is not False}
        assert_same(without_nulls(event.attributes), without_nulls(said))
    assert not details, "events of spans that do not exist"
    failed = {span.span_id: span.attributes["error.type"] for span in spans if "error.type" in span.attributes}
    assert {event.span_id: event.attributes["exception.type"] for event in telemetry.events(EXCEPTION)} == failed


DIMENSIONS = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model",
              "server.address", "server.port")
VENDOR = ("openai.response.service_tier", "openai.response.system_fingerprint")


def assert_metrics(telemetry: Telemetry, spans: list[Span]) -> None:
    """Each call was timed, and its tokens were counted."""
    def chats(metric: str) -> list[Any]:
        return [point for point in telemetry.series(metric) if point.attributes["gen_ai.operation.name"] == "chat"]

    def dimensions(span: Span, *more: str) -> Facts:
        return {key: span.attributes[key] for key in (*DIMENSIONS, *more) if key in span.attributes}

    durations = chats(DURATION)
    assert sum(point.count for point in durations) == len(spans)
    for span in spans:
        (point,) = [p for p in durations if p.attributes == dimensions(span, "error.type", *VENDOR)]
        alike = [s for s in spans if dimensions(s, "error.type", *VENDOR) == point.attributes]
        assert (point.unit, point.count) == ("s", len(alike))
        assert point.value == pytest.approx(sum(s.seconds for s in alike), abs=0.02)
    counted = [(kind, span) for kind, name in TOKENS.items() for span in spans if name in span.attributes]
    points = chats(USED)
    assert sum(point.count for point in points) == len(counted)
    for kind, span in counted:
        of_kind = [p for p in points if p.attributes == {**dimensions(span, *VENDOR), "gen_ai.token.type": kind}]
        assert len(of_kind) == 1, [point.attributes for point in points]
        assert of_kind[0].value == sum(s.attributes[TOKENS[kind]] for k, s in counted if k == kind
                                       and dimensions(s, *VENDOR) == dimensions(span, *VENDOR))
    streams = [span for span in spans if "gen_ai.response.time_to_first_chunk" in span.attributes]
    assert sum(point.count for point in chats(FIRST)) == len(streams)


# -- the scenes ------------------------------------------------------------------------------------------------------------

@clients("unary")
def test_a_whole_answer(client, scene):
    ran = play(client, scene)
    assert ran.printed == {"text": f"You said: {HELLO}"}
    (request,) = ran.requests
    assert request.header("traceparent") is None, "providers are told nothing unasked"
    assert_calls(ran, {**client.protocol.hello(), **client.protocol.said(request, f"You said: {HELLO}")},
                 parent=ran.request)


@clients("stream")
def test_a_stream_to_its_end(client, scene):
    ran = play(client, scene)
    assert ran.printed == {"text": f"You said: {PIECES}"}
    (request,) = ran.requests
    assert_calls(ran, {**client.protocol.asked(PIECES), **STREAMED,
                       **client.protocol.said(request, f"You said: {PIECES}")}, parent=ran.request)


@clients("dropped")
def test_a_stream_that_is_left_half_way(client, scene):
    ran = play(client, scene)
    assert ran.printed == {"text": HALF}
    (request,) = ran.requests
    assert_calls(ran, {**client.protocol.asked(PIECES), **STREAMED, **client.protocol.cancelled(request, HALF),
                       "error.type": "cancelled"}, parent=ran.request)


@clients("timeout")
def test_a_client_that_waits_no_longer(client, scene):
    ran = play(client, scene)
    assert ran.printed == {"error": "timeout"}
    assert_calls(ran, {**client.protocol.hello(), "error.type": client.timeout}, parent=ran.request)


@clients("refused")
def test_a_key_that_is_refused(client, scene):
    ran = play(client, scene)
    assert ran.printed["message"] == REFUSAL and ran.printed.get("status", 401) == 401
    assert len(ran.requests) == 1
    assert_calls(ran, {**client.protocol.hello(), "error.type": client.protocol.refused[401]}, parent=ran.request)
    assert REFUSAL in ran.calls[0].status_message or not client.told


@clients("retried")
def test_a_call_is_one_span_however_often_it_is_tried(client, scene):
    ran = play(client, scene)
    assert ran.printed == {"text": f"You said: {HELLO}"}
    first, second = ran.requests
    assert first.body == second.body
    assert_calls(ran, {**client.protocol.hello(), **client.protocol.said(second, f"You said: {HELLO}")},
                 parent=ran.request)


@clients("attempts")
def test_inside_of_what_tries_again_each_attempt_is_a_span(client, scene):
    ran = play(client, scene)
    assert ran.printed == {"text": f"You said: {HELLO}"}
    first, second = ran.requests
    assert first.body == second.body
    hello = client.protocol.hello()
    assert_calls(ran, {**hello, "error.type": client.busy},
                 {**hello, **client.protocol.said(second, f"You said: {HELLO}")}, parent=ran.request)


@clients("tools")
def test_an_agent_and_its_tool(client, scene):
    ran = play(client, scene)
    protocol = client.protocol
    assert ran.printed == {"text": protocol.answer_with_tool}
    agent, tool = ran.operation("invoke_agent"), ran.operation("execute_tool")
    assert (agent.name, agent.kind, agent.status) == ("invoke_agent Forecaster", "INTERNAL", "UNSET")
    assert (agent.trace_id, agent.parent_id) == (ran.request.trace_id, ran.request.span_id)
    assert_same(told(agent), {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Forecaster",
        "gen_ai.request.model": protocol.model,
        "gen_ai.input.messages": [says("user", QUESTION)],
        "gen_ai.output.messages": [says("assistant", protocol.answer_with_tool, finish_reason="stop")],
        "gen_ai.response.finish_reasons": ["stop"],
        **{name: sum(call.attributes[name] for call in ran.calls) for name in TOKENS.values()}, **client.agent,
    })
    assert (tool.name, tool.kind, tool.status) == ("execute_tool get_weather", "INTERNAL", "UNSET")
    assert (tool.trace_id, tool.parent_id) == (agent.trace_id, agent.span_id)
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"])["city"] == "Paris"
    assert tool.attributes["gen_ai.tool.call.result"] == OUTSIDE
    first, second = ran.calls
    assert first.end <= tool.start <= tool.end <= second.start, "the model, the tool, the model"
    assert_calls(ran, *protocol.tools(ran.requests), parent=agent)
    assert len(ran.telemetry.spans) == 5


# -- settings --------------------------------------------------------------------------------------------------------------

@clients("unary")
def test_content_is_where_it_is_wanted(client, scene):
    if not client.told:
        pytest.skip("its spans have content or have none, and it does not know of events")
    ran = play(client, scene, **{CAPTURE: "EVENT_ONLY"})
    (span,) = ran.calls
    assert not set(CONTENT) & set(span.attributes)
    event = ran.telemetry.event(DETAILS)
    assert event.attributes["gen_ai.input.messages"] == [says("user", HELLO)]
    assert event.attributes["gen_ai.output.messages"] == [says("assistant", f"You said: {HELLO}", finish_reason="stop")]


@clients("unary")
def test_no_content_and_no_event_unless_asked(client, scene):
    ran = play(client, scene, **{CAPTURE: ""})
    (span,) = ran.calls
    assert not set(CONTENT) & set(span.attributes)
    assert ran.telemetry.logs == []
    assert HELLO.encode() not in b"".join(ran.telemetry.raw)
    assert_metrics(ran.telemetry, [span])


@clients("unary")
def test_switched_off_the_client_is_as_it_was(client, scene):
    ran = play(client, scene, OTEL_SDK_DISABLED="true")
    assert ran.printed == {"text": f"You said: {HELLO}"}
    assert ran.telemetry.calls == []


@clients("stream")
def test_by_grpc(client, scene):
    ran = play(client, scene, protocol="grpc")
    assert_calls(ran, {**client.protocol.asked(PIECES), **STREAMED,
                       **client.protocol.said(ran.requests[0], f"You said: {PIECES}")}, parent=ran.request)


@clients("stream")
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_collector_of_others_understands_it(client, scene, protocol):
    ran = play(client, scene, protocol, receiver=Rotel)
    assert_calls(ran, {**client.protocol.asked(PIECES), **STREAMED,
                       **client.protocol.said(ran.requests[0], f"You said: {PIECES}")}, parent=ran.request)
