"""Broken traffic: the program sees what it would see without us, and the telemetry says what could be known."""

import gzip
import json
import socket
import threading
import zlib

import brotli
import pytest
import zstandard

from harness import model, raw
from harness.cases import Case, run as run_case
from harness.launcher import python
from harness.match import LOW_CARDINALITY, differences
from harness.provider import Cut, Echo, Hang, Provider, Raw, Reply, Wait, closed_port
from harness.same import assert_same_program, without_tally

MOST_MEMORY = 88 << 20
"""64 MiB that wait to be read, some content, and what a program needs anyway."""

CAPTURE = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"}
# Debug builds read large bodies slowly.
PATIENCE = {"OTEL_GENAI_FLUSH_TIMEOUT": "30"}
STREAM = {"stream": True, "stream_options": {"include_usage": True}}
# What a successful answer may lack, and an honest span lacks with it.
LACKS_IDENTITY = r"^genai_expected_attribute_missing: .*: gen_ai\.response\.(finish_reasons|id|model): "
LACKS_USAGE = r"^genai_expected_attribute_missing: .*: gen_ai\.usage\.(input|output)_tokens: "
# An attribute of our own says what could not be read, on spans of such calls alone. What comes faster than it can be
# read is one reason, so with large bodies the machine decides.


def failed(span, error=LOW_CARDINALITY):
    """The span is there, says what was asked, and says that it failed."""
    assert span.name == "chat gpt-4o-mini"
    assert span.attributes["gen_ai.request.model"] == "gpt-4o-mini"
    assert span.status == "ERROR"
    assert not differences(span.attributes.get("error.type"), error), span.attributes.get("error.type")


def succeeded(span):
    assert span.name == "chat gpt-4o-mini"
    assert span.status == "UNSET", span.status_message
    assert "error.type" not in span.attributes


def usage(span):
    return (span.attributes.get("gen_ai.usage.input_tokens"), span.attributes.get("gen_ai.usage.output_tokens"))


def as_stream(request, steps, **how):
    return Reply(200, model.headers(request, "text/event-stream"), steps, framing="chunked", **how)


# -- bodies that are not what they should be -------------------------------------------------------------------------------

NOT_AN_ANSWER = {
    "malformed JSON": ("application/json", b'{"id": "chatcmpl-1", "choices": [{"index": 0, "mess'),
    "nothing": ("application/json", b""),
    "a page": ("text/html", b"<html><body>Welcome to the captive portal</body></html>"),
    "JSON of another shape": ("application/json", b'[1, "two", null]'),
}


@pytest.mark.parametrize("what", NOT_AN_ANSWER)
def test_a_body_that_is_no_answer(launcher, provider, otlp, what):
    kind, body = NOT_AN_ANSWER[what]
    report, *_ = raw.run(launcher, provider, otlp, lambda r: Reply(200, model.headers(r, kind), body), raw.chat())
    assert report[0]["end"] == "complete" and report[0]["size"] == len(body)
    failed(otlp.take().span())


ODD_ANSWERS = {
    "surprising types": {"id": 7, "model": None, "choices": {"0": "x"}, "usage": {"prompt_tokens": "many"}},
    "negative and huge counts": {"id": "x", "model": "m", "choices": [],
                                 "usage": {"prompt_tokens": -5, "completion_tokens": 10**30}},
    "deep nesting": {"id": "x", "choices": json.loads("[" * 100 + "]" * 100)},
}


@pytest.mark.findings(LACKS_IDENTITY, LACKS_USAGE)
@pytest.mark.parametrize("what", ODD_ANSWERS)
def test_an_answer_of_an_odd_shape_harms_nobody(launcher, provider, otlp, what):
    raw.run(launcher, provider, otlp, lambda r: model.as_json(r, ODD_ANSWERS[what]), raw.chat(), **CAPTURE)
    span = otlp.take().span()
    assert span.attributes["gen_ai.request.model"] == "gpt-4o-mini"
    assert all(count is None or count >= 0 for count in usage(span))


def test_an_answer_under_the_wrong_content_type(launcher, provider, otlp):
    def reply(request):
        return Reply(200, model.headers(request, "text/plain"), json.dumps(model.completion(request)).encode())

    raw.run(launcher, provider, otlp, reply, raw.chat())
    span = otlp.take().span()
    succeeded(span)
    assert usage(span) == (19, 10)


def test_not_utf8(launcher, provider, otlp):
    def reply(request):
        body = json.dumps(model.completion(request)).encode().replace(b"hello raw", b"\xff\xfe\xc3( raw \xed\xa0\x80")
        return Reply(200, [*model.headers(request), ("X-Latin", "caf\xe9")], body)

    report, *_ = raw.run(launcher, provider, otlp, reply, raw.chat(), **CAPTURE)
    assert "\xff\xfe" in report[0]["start"] or report[0]["size"] > 400
    assert otlp.take().span().attributes["gen_ai.request.model"] == "gpt-4o-mini"


def test_not_utf8_in_a_stream(launcher, provider, otlp):
    def reply(request):
        return as_stream(request, [model.sse(e).replace(b"raw", b"\xff\xfe") if isinstance(e, bytes) else
                                   model.sse(json.dumps(e).encode().replace(b"raw", b"\xff\xfe"))
                                   for e in [*model.events(request), b"[DONE]"]])

    raw.run(launcher, provider, otlp, reply, raw.chat(body=STREAM), **CAPTURE)
    assert usage(otlp.take().span()) == (19, 10)


@pytest.mark.parametrize("body", [b'{"model": "gpt-4o-mini", "messages": [', b"\xff\x00\xfe", b"", b"[]"],
                         ids=["cut", "binary", "empty", "array"])
def test_a_request_that_is_no_json(launcher, provider, otlp, body):
    request = {"path": "/chat/completions", "body": body.decode("utf-8", "surrogateescape")}
    report, *_ = raw.run(
        launcher, provider, otlp,
        lambda r: model.error(r, 400, "We could not parse the JSON body", "invalid_request_error", None), request)
    assert report[0]["status"] == "HTTP/1.1 400 Bad Request"
    for span in otlp.take().spans:
        assert span.attributes["error.type"] in ("400", "invalid_request_error")


# -- errors that providers report in their own ways ------------------------------------------------------------------------

def test_an_error_object_with_status_200(launcher, provider, otlp):
    raw.run(launcher, provider, otlp,
            lambda r: model.error(r, 200, "Overloaded, come back later", "server_error", "overloaded"), raw.chat())
    failed(otlp.take().span(), "overloaded")


@pytest.mark.parametrize(("code", "expected"), [("overloaded", "overloaded"), (None, "server_error")])
def test_an_error_in_the_middle_of_a_stream(launcher, provider, otlp, code, expected):
    def reply(request):
        problem = {"error": {"message": "The engine gave up", "type": "server_error", "param": None, "code": code}}
        return as_stream(request, [*(model.sse(e) for e in model.events(request)[:3]), model.sse(problem)])

    raw.run(launcher, provider, otlp, reply, raw.chat(body=STREAM), **CAPTURE)
    telemetry = otlp.take()
    span = telemetry.span()
    failed(span, expected)
    assert span.status_message == "The engine gave up"
    output = json.loads(span.attributes["gen_ai.output.messages"])
    assert output[0]["parts"] == [{"type": "text", "content": "You said:"}]
    assert telemetry.event("gen_ai.client.operation.exception").attributes["exception.message"] == "The engine gave up"


def test_the_openai_client_meets_an_error_in_a_stream(launcher):
    def script(request):
        problem = {"error": {"message": "The engine gave up", "type": "server_error", "code": "overloaded"}}
        return as_stream(request, [*(model.sse(e) for e in model.events(request)[:3]), model.sse(problem)])

    run = run_case(launcher, Case("", python("api_error.py", "gpt-4o-mini", "20", "stream"), script))
    assert run.direct.result.json["outcome"]["class"] == "APIError"
    assert_same_program(run.direct.result, run.wrapped.result)
    failed(run.telemetry.span(), "overloaded")


@pytest.mark.parametrize(("status", "body", "expected"), [
    (500, b"Internal Server Error", "500"),
    (503, b"<html>no healthy upstream</html>", "503"),
    (429, b'{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}', "rate_limit_exceeded"),
    (400, b'{"error":"just a string"}', "400"),
    (404, b"", "404"),
    (418, b'{"detail":"teapot"}', "418"),
])
def test_error_statuses(launcher, provider, otlp, status, body, expected):
    kind = "application/json" if body.startswith(b"{") else "text/html"
    raw.run(launcher, provider, otlp, lambda r: Reply(status, model.headers(r, kind), body), raw.chat())
    failed(otlp.take().span(), expected)


def test_a_status_line_of_the_servers_own_making(launcher, provider, otlp):
    def reply(request):
        return Reply(299, model.headers(request), json.dumps(model.completion(request)).encode(), reason="Fine By Me")

    report, *_ = raw.run(launcher, provider, otlp, reply, raw.chat())
    assert report[0]["status"] == "HTTP/1.1 299 Fine By Me"


# -- encodings -------------------------------------------------------------------------------------------------------------

def encoders():
    deflate = zlib.compressobj(wbits=31)
    br, zst = brotli.Compressor(), zstandard.ZstdCompressor().compressobj()
    return {
        "gzip": (lambda b: gzip.compress(b, mtime=0),
                 lambda b: deflate.compress(b) + deflate.flush(zlib.Z_SYNC_FLUSH), deflate.flush),
        "br": (brotli.compress, lambda b: br.process(b) + br.flush(), br.finish),
        "zstd": (zstandard.ZstdCompressor().compress,
                 lambda b: zst.compress(b) + zst.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), zst.flush),
    }


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_encoded_bodies(launcher, provider, otlp, encoding, streamed):
    def reply(request):
        whole, piece, end = encoders()[encoding]
        headers = [*model.headers(request, "text/event-stream" if streamed else "application/json"),
                   ("Content-Encoding", encoding), ("Vary", "Accept-Encoding")]
        if streamed:
            steps = [*(piece(step) for step in model.stream(request)), end()]
            return Reply(200, headers, steps, framing="chunked")
        return Reply(200, headers, whole(json.dumps(model.completion(request)).encode()))

    raw.run(launcher, provider, otlp, reply,
            raw.chat(headers=[["Accept-Encoding", encoding]], body=STREAM if streamed else {}), **CAPTURE)
    span = otlp.take().span()
    succeeded(span)
    assert usage(span) == (19, 10)
    output = json.loads(span.attributes["gen_ai.output.messages"])
    assert output[0]["parts"] == [{"type": "text", "content": "You said: hello raw"}]


def test_a_body_that_is_not_encoded_as_it_says(launcher, provider, otlp):
    def reply(request):
        return Reply(200, [*model.headers(request), ("Content-Encoding", "gzip")], b"this is no gzip at all")

    raw.run(launcher, provider, otlp, reply, raw.chat())
    failed(otlp.take().span())


def test_a_bomb_is_not_unpacked(launcher, provider, otlp, tmp_path):
    body = gzip.compress(b'{"id": "' + b"x" * (128 << 20) + b'"}', 6, mtime=0)
    raw.run(launcher, provider, otlp,
            lambda r: Reply(200, [*model.headers(r), ("Content-Encoding", "gzip")], body), raw.chat(),
            E2E_PARENT_STATUS=str(tmp_path / "status"), **PATIENCE)
    assert peak_memory(tmp_path / "status") < MOST_MEMORY
    assert len(otlp.take().spans) == 1


# -- streams that end, break or do not end ---------------------------------------------------------------------------------

def test_a_stream_without_its_marker(launcher, provider, otlp):
    raw.run(launcher, provider, otlp, lambda r: as_stream(r, [model.sse(e) for e in model.events(r)]),
            raw.chat(body=STREAM))
    span = otlp.take().span()
    succeeded(span)
    assert usage(span) == (19, 10)
    assert span.attributes["gen_ai.response.finish_reasons"] == ["stop"]


@pytest.mark.parametrize("ending", [Cut(), Cut(reset=True)], ids=["closed", "reset"])
def test_a_stream_that_breaks_off(launcher, provider, otlp, ending):
    steps = threading.Event()

    def reply(request):
        return as_stream(request, [*(model.sse(e) for e in model.events(request)[:3]), Wait(steps), ending])

    # A reset may overtake what was sent before; so it comes only after the client has seen all there is.
    for start in (launcher.direct, launcher.wrapped):
        steps.clear()
        provider.reset(reply)
        argv = raw.client(raw.chat(body=STREAM)) if start == launcher.direct else \
            launcher.command(raw.client(raw.chat(body=STREAM)))
        running = launcher.start(argv, wrapped=False, OPENAI_BASE_URL=provider.base_url, E2E_ACK="1", **otlp.env)
        told = [running.stderr.readline() for _ in range(3)]
        steps.set()
        out, err = running.communicate(timeout=20)
        report = json.loads(out)[0]
        assert (len(told), without_tally(err), report["end"]) == (3, b"", "lost")
    span = otlp.take().span()
    failed(span)
    assert span.attributes["gen_ai.response.model"] == "gpt-4o-mini-2025-01-31"


def test_a_body_shorter_than_it_said(launcher, provider, otlp):
    def reply(request):
        return Reply(200, [*model.headers(request), ("Content-Length", "5000")], [b'{"id": "chatcmpl-1"', Cut()],
                     framing="none")

    report, *_ = raw.run(launcher, provider, otlp, reply, raw.chat())
    assert (report[0]["end"], report[0]["size"]) == ("lost", 19)
    failed(otlp.take().span())


def test_a_body_that_ends_with_the_connection(launcher, provider, otlp):
    def reply(request):
        return Reply(200, model.headers(request), json.dumps(model.completion(request)).encode(), framing="close")

    raw.run(launcher, provider, otlp, reply, raw.chat())
    span = otlp.take().span()
    succeeded(span)
    assert usage(span) == (19, 10)


def test_broken_chunk_framing(launcher, provider, otlp):
    def reply(request):
        return as_stream(request, [model.sse(model.events(request)[0]), Raw(b"zz\r\nnot a chunk\r\n"), Cut()])

    for start in (launcher.direct, launcher.wrapped):
        provider.reset(reply)
        result = start(raw.client(raw.chat(body=STREAM)), OPENAI_BASE_URL=provider.base_url, **otlp.env)
        report = result.json[0]
        assert report["end"] in ("lost", "bad framing")
        assert report["size"] == len(model.sse(model.events(provider.requests[0])[0]))
    failed(otlp.take().span())


@pytest.mark.findings(LACKS_IDENTITY)
def test_an_endless_line(launcher, provider, otlp, tmp_path):
    size = 32 << 20

    def reply(request):
        return as_stream(request, [b"data: ", *([b"x" * (1 << 20)] * 32)])

    report, *_ = raw.run(launcher, provider, otlp, reply, raw.chat(body=STREAM),
                         E2E_PARENT_STATUS=str(tmp_path / "status"), **CAPTURE, **PATIENCE)
    assert report[0]["size"] == size + 6
    assert peak_memory(tmp_path / "status") < MOST_MEMORY
    assert otlp.take().span().attributes["gen_ai.request.model"] == "gpt-4o-mini"


def test_a_program_that_stops_reading(launcher, provider, otlp):
    def reply(request):
        return as_stream(request, [*(model.sse(e) for e in model.events(request)[:3]), Hang()])

    _, _, wrapped = raw.run(launcher, provider, otlp, reply, raw.chat(body=STREAM, stop_after=300))
    assert wrapped.requests[0].client_gone.wait(10)
    failed(otlp.take().span(), "cancelled")


# -- upstreams that are not there ------------------------------------------------------------------------------------------

def test_an_upstream_that_refuses(launcher, otlp):
    env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1", **otlp.env}
    direct, wrapped = (start(raw.client(raw.chat()), **env) for start in (launcher.direct, launcher.wrapped))
    assert direct.json[0]["end"] == "lost" and "status" not in direct.json[0]
    assert_same_program(direct, wrapped)
    failed(otlp.take().span(), "connection_refused")


def test_the_openai_client_meets_an_upstream_that_refuses(launcher, otlp):
    env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1", **otlp.env}
    argv = python("api_error.py", "gpt-4o-mini", "20", "plain")
    direct, wrapped = launcher.direct(argv, **env), launcher.wrapped(argv, **env)
    assert direct.json["outcome"]["class"] == "APIConnectionError"
    assert_same_program(direct, wrapped)
    failed(otlp.take().span(), "connection_refused")


@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_an_upstream_that_answers_nothing(launcher, provider, otlp, reset):
    # Both sides may try such a request again on another connection; how often is not compared.
    env = {"OPENAI_BASE_URL": provider.base_url, **otlp.env}
    provider.reset(lambda _r: Reply(before=[Cut(reset)]))
    direct, wrapped = (start(raw.client(raw.chat()), **env) for start in (launcher.direct, launcher.wrapped))
    assert_same_program(direct, wrapped)
    assert len(provider.requests) == 2, "a request that may have been carried out must not be sent twice"
    failed(otlp.take().span())


def test_an_upstream_that_hangs(launcher):
    case = Case("", python("api_error.py", "gpt-4o-mini", "1", "plain"), lambda _r: Reply(before=[Hang()]))
    run = run_case(launcher, case)
    assert run.direct.result.json["outcome"]["class"] == "APITimeoutError"
    assert_same_program(run.direct.result, run.wrapped.result)
    failed(run.telemetry.span(), "cancelled")


def test_an_upstream_name_that_does_not_exist(launcher, otlp):
    env = {"OPENAI_BASE_URL": "http://no-such-host.invalid/v1", **otlp.env}
    argv = python("api_error.py", "gpt-4o-mini", "20", "plain")
    direct, wrapped = launcher.direct(argv, **env), launcher.wrapped(argv, **env)
    assert_same_program(direct, wrapped)
    span = otlp.take().span()
    failed(span)
    assert span.attributes["server.address"] == "no-such-host.invalid"


# -- the protocol's corners ------------------------------------------------------------------------------------------------

def test_early_hints(launcher, provider, otlp):
    def reply(request):
        whole = model.answer(request)
        whole.before = [Raw(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")]
        return whole

    env = {"OPENAI_BASE_URL": provider.base_url, **otlp.env}
    provider.reset(reply)
    reports = [start(raw.client(raw.chat()), **env).json[0] for start in (launcher.direct, launcher.wrapped)]
    for report in reports:
        report.pop("informational", None)
        report["headers"] = [pair for pair in report["headers"] if pair[0].lower() not in ("connection",)]
    assert reports[0] == reports[1]
    assert usage(otlp.take().span()) == (19, 10)


@pytest.mark.parametrize("answer", ["continue", "refuse"])
def test_expect_continue(launcher, provider, otlp, answer):
    def refuse(request):
        return model.error(request, 401, "no", "invalid_request_error", "invalid_api_key")

    report, *_ = raw.run(launcher, provider, otlp, model.answer, raw.chat(expect=True),
                         on_expect=refuse if answer == "refuse" else None)
    assert report[0].get("continued", False) == (answer == "continue")
    assert report[0]["status"].startswith("HTTP/1.1 401" if answer == "refuse" else "HTTP/1.1 200")


def test_trailers(launcher, provider, otlp):
    def reply(request):
        whole = as_stream(request, model.stream(request), trailers=[("X-Checksum", "abc"), ("X-Cost", "0.01")])
        whole.headers.append(("Trailer", "X-Checksum, X-Cost"))
        return whole

    report, *_ = raw.run(launcher, provider, otlp, reply, raw.chat(body=STREAM, headers=[["TE", "trailers"]]))
    assert len(report[0]["trailers"]) == 2


def test_an_upgraded_connection_is_a_tunnel(launcher, provider, otlp):
    def reply(_request):
        return Reply(101, [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "x")],
                     [Echo()], framing="none")

    headers = [["Upgrade", "websocket"], ["Connection", "Upgrade"], ["Sec-WebSocket-Key", "eA=="],
               ["Sec-WebSocket-Version", "13"]]
    request = {"path": "/realtime?model=gpt-realtime", "method": "GET", "headers": headers,
               "upgrade": bytes(range(256)).hex()}
    report, *_ = raw.run(launcher, provider, otlp, reply, request)
    assert report[0]["echo"] == bytes(range(256)).hex()


@pytest.mark.parametrize("path", ["/models?limit=2&after=%2Fa%20b", "/files/x%2Fy", "//double//slash", "/a/../b", "/"])
def test_unknown_paths_pass_untouched(launcher, provider, otlp, path):
    request = {"path": path, "method": "GET", "headers": [["Authorization", f"Bearer {raw.KEY}"]]}
    _, direct, _ = raw.run(launcher, provider, otlp, lambda r: Reply(200, model.headers(r), b"{}"), request)
    assert direct.requests[0].target == "/v1" + path
    assert otlp.take().spans == []


@pytest.mark.findings(LACKS_IDENTITY)
def test_pieces_pass_at_once_and_unmerged(launcher, provider, otlp):
    """Each piece is sent only after the program has told of the one before."""
    gates = [threading.Event() for _ in range(20)]
    pieces = [model.sse({"choices": [{"index": 0, "delta": {"content": f"piece {i}"}}]}) for i in range(20)]

    def reply(request):
        steps = []
        for gate, piece in zip(gates, pieces):
            steps += [Wait(gate), piece]
        return as_stream(request, [*steps, model.sse(b"[DONE]")])

    provider.reset(reply)
    running = launcher.start(raw.client(raw.chat(body=STREAM)), wrapped=True,
                             OPENAI_BASE_URL=provider.base_url, E2E_ACK="1", **otlp.env)
    for gate, piece in zip(gates, pieces):
        gate.set()
        assert running.stderr.readline().decode() == f"piece {piece.decode()!r}\n"
    out, _ = running.communicate(timeout=20)
    assert json.loads(out)[0]["end"] == "complete"
    (each,) = otlp.take().series("gen_ai.client.operation.time_per_output_chunk")
    assert each.count == 19


def test_events_split_anywhere(launcher, provider, otlp):
    def reply(request):
        whole = b"".join(model.stream(request))
        return as_stream(request, [whole[i:i + 7] for i in range(0, len(whole), 7)])

    raw.run(launcher, provider, otlp, reply, raw.chat(body=STREAM), **CAPTURE)
    span = otlp.take().span()
    succeeded(span)
    assert usage(span) == (19, 10)


def test_crlf_comments_and_unknown_fields_in_a_stream(launcher, provider, otlp):
    def reply(request):
        steps = [b": OPENROUTER PROCESSING\r\n\r\n", b"event: ping\r\nid: 1\r\nretry: 10\r\n\r\n"]
        steps += [model.sse(e).replace(b"\n", b"\r\n") for e in [*model.events(request), b"[DONE]"]]
        return as_stream(request, steps)

    raw.run(launcher, provider, otlp, reply, raw.chat(body=STREAM))
    span = otlp.take().span()
    succeeded(span)
    assert usage(span) == (19, 10)


# -- large things ----------------------------------------------------------------------------------------------------------

def peak_memory(path):
    """Bytes of the largest resident size, from a copy of /proc/PID/status; without the program's own code, of which an
    unoptimized build has a lot."""
    lines = path.read_text().splitlines()
    peak, code = (int(next(line for line in lines if line.startswith(name)).split()[1]) for name in ("VmHWM:", "RssFile:"))
    return (peak - code) * 1024


@pytest.mark.slow
@pytest.mark.possible_findings(LACKS_IDENTITY, LACKS_USAGE)
def test_a_hundred_megabytes_down(launcher, provider, otlp, tmp_path):
    def reply(request):
        start, end = json.dumps(model.completion(request)).encode().split(b"hello raw")
        return Reply(200, model.headers(request), [start, *([b"x" * (1 << 20)] * 100), end], framing="chunked")

    report, *_ = raw.run(launcher, provider, otlp, reply, raw.chat(), notes=True,
                         E2E_PARENT_STATUS=str(tmp_path / "status"), **CAPTURE, **PATIENCE)
    assert report[0]["size"] > 100 << 20
    assert peak_memory(tmp_path / "status") < MOST_MEMORY
    assert otlp.take().span().attributes["gen_ai.request.model"] == "gpt-4o-mini"


@pytest.mark.slow
def test_a_hundred_megabytes_up(launcher, provider, otlp, tmp_path):
    request = raw.chat()
    request["body"] = request["body"].replace("hello raw\"}]}", "")
    report, *_ = raw.run(
        launcher, provider, otlp,
        lambda r: model.error(r, 400, "too long", "invalid_request_error", "too_long"),
        {**request, "body_size": 100 << 20}, notes=True, E2E_PARENT_STATUS=str(tmp_path / "status"),
        **CAPTURE, **PATIENCE)
    assert report[0]["status"].startswith("HTTP/1.1 400")
    assert peak_memory(tmp_path / "status") < MOST_MEMORY
    assert len(otlp.take().spans) <= 1


def test_a_slow_program_holds_the_provider_back(launcher, otlp, tmp_path):
    """What the program does not read is not piled up in between."""
    sent = []

    class Counting:
        def __iter__(self):
            for _ in range(256):
                sent.append(1)
                yield b"x" * (1 << 20)

    with Provider() as provider:
        provider.reset(lambda r: Reply(200, model.headers(r), Counting(), framing="chunked"))
        running = launcher.start(
            python("process.py", "slow_reader"), wrapped=True, OPENAI_BASE_URL=provider.base_url, **otlp.env)
        assert running.stdout.readline() == b"reading nothing\n"
        with open(f"/proc/{running.pid}/status") as status:
            (tmp_path / "status").write_text(status.read())
        assert len(sent) < 64
        running.stdin.close()
        assert running.wait(20) == 0
    assert peak_memory(tmp_path / "status") < MOST_MEMORY


def test_connection_attempts_do_not_pile_up(launcher, provider, otlp):
    requests = [raw.chat(f"call {i}") for i in range(50)]
    _, direct, wrapped = raw.run(launcher, provider, otlp, model.answer, *requests)
    # The gateway's pool takes a connection back a moment after its answer is complete, so a quick program may find
    # the first one still busy once in a while.
    assert direct.connections == 1
    assert wrapped.connections <= 4
    assert len(otlp.take().spans) == 50


def test_the_gateway_is_only_for_this_machine(launcher, provider, otlp):
    result = launcher.wrapped(python("process.py", "env", "OPENAI_BASE_URL"),
                              OPENAI_BASE_URL=provider.base_url, **otlp.env)
    address = result.json["OPENAI_BASE_URL"].removeprefix("http://").split("/")[0]
    host, port = address.rsplit(":", 1)
    assert host == "127.0.0.1"
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=2).close()
