"""The harness itself: the programs work alone, the receivers read what an exporter sends, the judge judges."""

import gzip
import json
import urllib.request

import grpc
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from harness import conformance, model, raw
from harness.cases import CASES
from harness.launcher import Launcher
from harness.match import SECONDS, Maybe, differences
from harness.otlp import PROTOCOLS, receiver
from harness.provider import Cut, Hang, Reply, closed_port
from harness.signals import Telemetry

ALONE = Launcher("otel-genai is not needed here")


@pytest.mark.parametrize("name", CASES)
def test_the_programs_work_alone(alone, name):
    seen = alone(name)
    assert seen.result.code == CASES[name].exit_code, seen.result.text_err
    assert seen.requests
    if CASES[name].exit_code == 0:
        assert seen.result.err == b""
        assert seen.result.json


def test_requests_are_recorded_exactly(provider):
    provider.reset(model.answer)
    request = raw.chat(headers=[["X-MiXed", "Value"], ["x-twice", "1"], ["X-Twice", "2"]])
    ALONE.direct(raw.client(request), OPENAI_BASE_URL=provider.base_url)
    (seen,) = provider.requests
    assert seen.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:")
    assert seen.header_lines[3:6] == [b"X-MiXed: Value", b"x-twice: 1", b"X-Twice: 2"]
    assert seen.body == request["body"].encode()
    assert (seen.framing, seen.connection) == ("length", 1)


@pytest.mark.parametrize(("reply", "end"), [
    (lambda: Reply(before=[Cut()]), "lost"),
    (lambda: Reply(before=[Cut(reset=True)]), "lost"),
    (lambda: Reply(before=[Hang()]), "timeout"),
    (lambda: Reply(200, [], [b"abc", Cut()], framing="chunked"), "lost"),
    (lambda: Reply(200, [], b"abc", framing="close"), "complete"),
    (lambda: Reply(200, [], b"abc", framing="chunked"), "complete"),
])
def test_the_server_can_misbehave(provider, reply, end):
    provider.reset(lambda _r: reply())
    report = ALONE.direct(raw.client(raw.chat(timeout=0.5)), OPENAI_BASE_URL=provider.base_url).json[0]
    assert report["end"] == end


def test_a_refused_connection_is_lost():
    result = ALONE.direct(raw.client(raw.chat()), OPENAI_BASE_URL=f"http://127.0.0.1:{closed_port()}/v1")
    assert result.json[0]["end"] == "lost"


def export_request():
    return json_format.ParseDict({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]},
        "scopeSpans": [{"scope": {"name": "lib"}, "spans": [{
            "traceId": "AAAAAAAAAAAAAAAAAAAAAQ==", "spanId": "AAAAAAAAAAI=", "name": "chat m", "kind": 3,
            "startTimeUnixNano": "5", "endTimeUnixNano": "9", "status": {"code": 2, "message": "m"},
            "attributes": [
                {"key": "i", "value": {"intValue": "1"}}, {"key": "d", "value": {"doubleValue": 1.0}},
                {"key": "b", "value": {"boolValue": True}},
                {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}},
                {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}},
            ]}]}]}]}, trace_pb.ExportTraceServiceRequest())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.findings(".")
def test_the_receivers_read_otlp(protocol):
    request = export_request()
    with receiver(protocol) as running:
        if protocol == "grpc":
            with grpc.insecure_channel(f"127.0.0.1:{running.port}") as channel:
                trace_grpc.TraceServiceStub(channel).Export(request)
        else:
            post(running, body_of(request, protocol))
        telemetry = running.take()
    span = telemetry.span()
    assert not differences(span.attributes, {"i": 1, "d": 1.0, "b": True, "l": ["x"], "m": {"k": "v"}})
    assert (span.trace_id, span.span_id, span.parent_id) == ("0" * 31 + "1", "0" * 15 + "2", "")
    assert (span.name, span.kind, span.status, span.status_message) == ("chat m", "CLIENT", "ERROR", "m")
    assert (span.resource, span.scope.name, span.seconds) == ({"service.name": "s"}, "lib", 4e-9)


def body_of(request, protocol):
    if protocol != "http/json":
        return request.SerializeToString()
    document = json_format.MessageToDict(request)
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["traceId"], span["spanId"] = "0" * 31 + "1", "0" * 15 + "2"
    return json.dumps(document).encode()


def post(running, body):
    call = urllib.request.Request(f"{running.endpoint}/v1/traces", gzip.compress(body), headers={
        "Content-Type": running.content_type, "Content-Encoding": "gzip"})
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=5).read()


def test_a_receiver_tells_what_it_could_not_read():
    with receiver("http/protobuf") as running:
        with pytest.raises(OSError):
            post(running, b"\xff\xff\xff")
        with pytest.raises(AssertionError, match="v1/traces"):
            running.take()


def test_differences_are_strict():
    assert not differences({"a": 1.5, "b": [1]}, {"a": SECONDS, "b": [1], "c": Maybe(2)})
    assert differences({"a": 1}, {"a": 1.0}) == ["a: expected 1.0 (float), got 1 (int)"]
    assert differences({"a": True}, {"a": 1})
    assert differences({"a": 1, "x": 2}, {"a": 1}) == ["x: unexpected, is 2"]
    assert differences({}, {"a": 1}) == ["a: missing, expected 1"]
    assert differences({"c": 3}, {"c": Maybe(2)})


# -- the judge -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.findings(".")
def test_the_judge_reads_what_the_receivers_got(protocol):
    request = export_request()
    with receiver(protocol) as running:
        if protocol == "grpc":
            with grpc.insecure_channel(f"127.0.0.1:{running.port}") as channel:
                trace_grpc.TraceServiceStub(channel).Export(request)
        else:
            post(running, body_of(request, protocol))
        findings = conformance.judge(running.take())
    assert findings == [
        *(f'missing_attribute: span "chat m": {name}: the convention 2026-08 does not know it' for name in "bdilm"),
        'error_type_missing_on_error: span "chat m": error.type: the status is error, and nothing says which',
    ]


def test_good_telemetry_has_no_findings():
    assert conformance.judge(Telemetry()) == []


def test_a_judge_that_cannot_read_is_heard():
    with pytest.raises(AssertionError, match="document 1"):
        conformance.judge_requests(["no JSON"])
