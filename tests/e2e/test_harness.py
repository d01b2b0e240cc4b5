"""The harness itself: the programs work alone, the receivers read what an exporter sends, the judge judges."""

import gzip
import json
import urllib.request

import grpc
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from harness import model, raw
from harness.cases import CASES
from harness.launcher import Launcher
from harness.match import SECONDS, Maybe, differences
from harness.otlp import PROTOCOLS, receiver
from harness.provider import Cut, Hang, Reply, closed_port
from harness.signals import Log, Point, Scope, Span, Telemetry

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
def test_the_receivers_read_otlp(protocol):
    request = export_request()
    with receiver(protocol) as running:
        if protocol == "grpc":
            with grpc.insecure_channel(f"127.0.0.1:{running.port}") as channel:
                trace_grpc.TraceServiceStub(channel).Export(request)
        else:
            body = request.SerializeToString()
            if protocol == "http/json":
                document = json_format.MessageToDict(request)
                span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
                span["traceId"], span["spanId"] = "0" * 31 + "1", "0" * 15 + "2"
                body = json.dumps(document).encode()
            post(running, body)
        telemetry = running.take()
    span = telemetry.span()
    assert not differences(span.attributes, {"i": 1, "d": 1.0, "b": True, "l": ["x"], "m": {"k": "v"}})
    assert (span.trace_id, span.span_id, span.parent_id) == ("0" * 31 + "1", "0" * 15 + "2", "")
    assert (span.name, span.kind, span.status, span.status_message) == ("chat m", "CLIENT", "ERROR", "m")
    assert (span.resource, span.scope.name, span.seconds) == ({"service.name": "s"}, "lib", 4e-9)


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

RESOURCE = {"service.name": "s", "telemetry.sdk.language": "rust"}
GOOD = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m",
    "gen_ai.response.id": "r", "gen_ai.response.model": "m", "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 1, "gen_ai.usage.output_tokens": 2, "server.address": "h", "server.port": 443,
}


def span(name="chat m", kind="CLIENT", status="UNSET", resource=RESOURCE, **changes):
    attributes = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    return Span(name, kind, status, "", attributes, "1", "2", "", 1, 2, [], [], 0, Scope("x", "", {}, ""), resource)


def rules(registry, *records):
    telemetry = Telemetry()
    for record in records:
        {Span: telemetry.spans, Log: telemetry.logs, Point: telemetry.points}[type(record)].append(record)
    return [(finding.rule, finding.detail) for finding in registry.judge(telemetry)]


def test_good_telemetry_has_no_findings(registry):
    assert rules(registry, span()) == []


@pytest.mark.parametrize(("changes", "rule"), [
    ({"name": "chat"}, "genai_span_name_format"),
    ({"gen_ai.request.model": None}, "genai_span_name_format"),
    ({"kind": "INTERNAL"}, "genai_span_kind_unexpected"),
    ({"status": "OK"}, "span_status_ok_set_by_instrumentation"),
    ({"status": "ERROR"}, "error_type_missing_on_error"),
    ({"error.type": "x"}, "error_type_without_error_status"),
    ({"gen_ai.response.id": None}, "genai_expected_attribute_missing"),
    ({"gen_ai.request.top_k": 1.0}, "type_mismatch"),
    ({"gen_ai.request.stop_sequences": "END"}, "type_mismatch"),
    ({"http.method": "POST"}, "missing_attribute"),
    ({"resource": {**RESOURCE, "host.name": "h"}}, "missing_attribute"),
    ({"gen_ai.operation.name": "chatting", "name": "chatting m"}, "genai_operation_name_unknown"),
    ({"gen_ai.input.messages": "hello"}, "genai_content_schema"),
    ({"gen_ai.input.messages": '[{"role": "user"}]'}, "genai_content_schema"),
    ({"gen_ai.output.messages": '[{"role": "assistant", "parts": []}]'}, "genai_content_schema"),
])
def test_the_judge_finds(registry, changes, rule):
    assert rule in {found for found, _ in rules(registry, span(**changes))}


def test_the_judge_lets_pass(registry):
    messages = [{"role": "user", "parts": [{"type": "text", "content": "x"}]}]
    assert rules(registry, span(**{"gen_ai.request.temperature": 1})) == []
    assert rules(registry, span(**{"gen_ai.input.messages": json.dumps(messages)})) == []
    assert rules(registry, span(**{"gen_ai.input.messages": messages})) == []


def test_what_is_expected_of_a_span(registry):
    assert registry.expected_on("chat", "CLIENT") == {
        "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.response.finish_reasons", "gen_ai.response.id",
        "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "server.address"}
    assert registry.expected_on("embeddings", "CLIENT") == {
        "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.embeddings.dimension.count",
        "gen_ai.request.encoding_formats", "gen_ai.response.model", "gen_ai.usage.input_tokens", "server.address"}
    assert registry.expected_on("execute_tool", "INTERNAL") == {"gen_ai.operation.name", "gen_ai.tool.name"}
    assert registry.expected_on("embeddings", "INTERNAL") == set()


def test_the_judge_reads_metrics_and_events(registry):
    scope = Scope("x", "", {}, "")
    point = Point("gen_ai.client.token.usage", "", "tokens", "sum", "DELTA", {"gen_ai.operation.name": "chat"}, 1, 1,
                  [], [], 1, 2, [], scope, RESOURCE)
    log = Log("gen_ai.client.inference.operation.details", 0, "", None, {}, "", "", 1, scope, RESOURCE)
    other = Log("gen_ai.user.message", 0, "", None, {}, "", "", 1, scope, RESOURCE)
    found = rules(registry, point, log, other)
    assert ("required_attribute_not_present", "gen_ai.token.type") in found
    assert ("required_attribute_not_present", "gen_ai.provider.name") in found
    assert {rule for rule, _ in found} >= {"unit_mismatch", "unexpected_instrument", "missing_event"}
