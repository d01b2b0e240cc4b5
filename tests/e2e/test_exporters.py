"""Settings of the exporters: none, console, off, unreachable, wrong."""

import re
import socket

import pytest

from harness import model, raw
from harness.cases import CASES, run as run_case
from harness.launcher import environment
from harness.otlp import receiver
from harness.provider import closed_port
from test_launcher import in_terminal

ASK = raw.chat(), raw.chat(body={"stream": True, "stream_options": {"include_usage": True}})
OFF = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}


@pytest.fixture
def direct(launcher, provider):
    """The program without us."""
    provider.reset(model.answer)
    result = launcher.direct(raw.client(*ASK), OPENAI_BASE_URL=provider.base_url)
    assert result.code == 0 and result.err == b""
    return result


def wrapped(launcher, provider, **env):
    provider.reset(model.answer)
    return launcher.wrapped(raw.client(*ASK), **{"OPENAI_BASE_URL": provider.base_url, **env})


def same_output(result, direct):
    strip = rb'\["(connection|transfer-encoding)", "[^"]*"\](, )?'
    clean = lambda out: re.sub(strip, b"", out, flags=re.I)
    assert result.code == direct.code
    assert clean(result.out) == clean(direct.out)


@pytest.mark.parametrize("env", [{}, {"OTEL_TRACES_EXPORTER": "console"}], ids=["nothing set", "console"])
def test_people_can_read_it_on_standard_error(launcher, provider, direct, env):
    result = wrapped(launcher, provider, **env)
    same_output(result, direct)
    told = result.text_err
    for word in ("chat", "gpt-4o-mini", "19", "10", "stop"):
        assert word in told
    assert "\x1b" not in told, "colours do not belong into a pipe"
    assert raw.KEY not in told
    assert "hello raw" not in told, "content is shown only when it is captured"


def test_people_see_content_when_it_is_captured(launcher, provider, direct):
    told = wrapped(launcher, provider, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true").text_err
    assert "hello raw" in told
    assert "You said: hello raw" in told


def test_colours_are_for_terminals(launcher, provider):
    provider.reset(model.answer)
    command = launcher.command(raw.client(*ASK))
    env = environment(OPENAI_BASE_URL=provider.base_url, TERM="xterm-256color")
    coloured, code = in_terminal(command, env)
    assert code == 0 and b"\x1b[" in coloured
    plain, code = in_terminal(command, {**env, "NO_COLOR": "1"})
    assert code == 0 and b"\x1b[" not in plain and b"gpt-4o-mini" in plain


def test_nothing_is_told_when_nothing_is_asked_for(launcher, provider, direct):
    result = wrapped(launcher, provider, **OFF)
    same_output(result, direct)
    assert result.err == b""


def test_switched_off(launcher, provider, otlp, direct):
    result = wrapped(launcher, provider, OTEL_SDK_DISABLED="true", **otlp.env)
    same_output(result, direct)
    assert result.err == b""
    assert otlp.take().calls == []


def test_an_endpoint_alone_is_enough(launcher, provider, otlp, direct):
    result = wrapped(launcher, provider, OTEL_EXPORTER_OTLP_ENDPOINT=otlp.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    same_output(result, direct)
    told = f"otel-genai: 2 model calls, 38 tokens in, 20 out, sent to {otlp.endpoint}\n"
    assert result.text_err == told
    telemetry = otlp.take()
    assert len(telemetry.spans) == 2 and telemetry.points


def test_signals_can_go_to_different_places(launcher, provider, otlp, direct):
    with receiver("http/protobuf") as metrics:
        result = wrapped(launcher, provider, **{
            **otlp.env, "OTEL_LOGS_EXPORTER": "none",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{metrics.endpoint}/v1/metrics",
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"})
        same_output(result, direct)
        traces, numbers = otlp.take(), metrics.take()
    assert len(traces.spans) == 2 and not traces.points and not traces.logs
    assert numbers.points and not numbers.spans


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_compression(launcher, provider, direct, protocol):
    with receiver(protocol) as otlp:
        same_output(wrapped(launcher, provider, **otlp.env, OTEL_EXPORTER_OTLP_COMPRESSION="gzip"), direct)
        telemetry = otlp.take()
    assert len(telemetry.spans) == 2 and telemetry.points
    if protocol != "grpc":
        assert all(headers.get("content-encoding") == "gzip" for _, headers in telemetry.calls)


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf", "http/json"])
@pytest.mark.parametrize("where", ["refuses", "hangs"])
def test_an_exporter_that_cannot_export(launcher, provider, direct, protocol, where):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = closed_port() if where == "refuses" else silent.getsockname()[1]
        provider.reset(model.answer)
        # The bound: what the program takes, and a few seconds for the last try.
        result = launcher.wrapped(raw.client(*ASK), timeout=15, **{
            "OPENAI_BASE_URL": provider.base_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    same_output(result, direct)
    assert "otel-genai" in result.text_err and f"127.0.0.1:{port}" in result.text_err, "the loss must be told"
    assert len(result.text_err.splitlines()) < 12, "but not at length"


def test_nothing_sampled_is_still_counted(launcher, provider, otlp, direct):
    same_output(wrapped(launcher, provider, OTEL_TRACES_SAMPLER="always_off", **otlp.env), direct)
    telemetry = otlp.take()
    assert telemetry.spans == []
    assert sum(point.count for point in telemetry.series("gen_ai.client.operation.duration")) == 2


WRONG = [
    ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "banana",
     ["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon", ["grpc", "http/protobuf", "http/json"]),
    ("OTEL_TRACES_EXPORTER", "jaeger-thrift", ["otlp", "console", "none"]),
    ("OTEL_GENAI_CONVENTION", "1999-12", ["2026-08"]),
    ("OTEL_TRACES_SAMPLER", "sometimes", ["always_on", "always_off", "traceidratio", "parentbased_always_on"]),
    ("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "perhaps", ["true", "false"]),
    ("OTEL_SDK_DISABLED", "maybe", ["true", "false"]),
]


@pytest.mark.parametrize(("variable", "value", "allowed"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_value_is_told_once(launcher, provider, otlp, direct, variable, value, allowed):
    env = {**otlp.env, variable: value}
    if variable == "OTEL_EXPORTER_OTLP_PROTOCOL":
        env.update(OFF)
        env["OTEL_TRACES_EXPORTER"] = "otlp"
    result = wrapped(launcher, provider, **env)
    same_output(result, direct)
    lines = [line for line in result.text_err.splitlines() if variable in line]
    assert len(lines) == 1, result.text_err
    for word in (value, *allowed):
        assert word in lines[0]
    if variable != "OTEL_EXPORTER_OTLP_PROTOCOL":
        assert len(otlp.take().spans) == 2, "a wrong setting is as if it were not there"


def test_a_wrong_capture_value_captures_nothing(launcher):
    run = run_case(launcher, CASES["chat_async"], OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="banana")
    assert "gen_ai.input.messages" not in run.telemetry.span().attributes
    assert run.telemetry.logs == []
