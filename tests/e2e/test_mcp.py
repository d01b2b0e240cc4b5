"""MCP servers and clients made with the official SDK: over standard input and output, and over streamable HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from harness.launcher import HERE, environment, execute

FOLDER = HERE / "programs" / "mcp"
CLIENT, SERVER = str(FOLDER / "client.py"), str(FOLDER / "server.py")
# The suite's rule knows `execute_tool` from agents alone; the conventions name an MCP span by its method.
NAMED_BY_METHOD = r'^genai_span_name_format: span "tools/call '
TRACE = "0af7651916cd43dd8448eb211c80319c"


def talk(what, *argv, **env):
    result = execute([sys.executable, CLIENT, *argv[:1], what, *argv[1:]], environment(**env))
    assert result.code == 0, result.text_err
    return result


def stdio(what, *prefix, **env):
    return talk(what, "stdio", *prefix, sys.executable, SERVER, **env)


def by_name(spans):
    found = {}
    for span in spans:
        found.setdefault(span.name, []).append(span)
    return found


@pytest.mark.possible_findings(NAMED_BY_METHOD)
def test_a_client_sees_no_difference_and_every_message_is_told(launcher, otlp):
    alone = stdio("all")
    wrapped = stdio("all", launcher.binary, "mcp", "--", **otlp.env)
    assert wrapped.json == alone.json
    got = otlp.take()
    spans = by_name(got.spans)
    assert {name: len(some) for name, some in spans.items()} == {
        "initialize": 1, "notifications/initialized": 1, "tools/list": 1, "tools/call add": 9, "tools/call fail": 1,
        "tools/call no_such_tool": 1, "tools/call ask": 1, "notifications/progress": 1, "notifications/message": 1,
        "sampling/createMessage": 1, "prompts/get greet": 1, "prompts/get no_such_prompt": 1, "resources/read": 1, "ping": 1,
        "tools/call wait": 1, "notifications/cancelled": 1}
    version = wrapped.json["version"]
    for span in got.spans:
        assert span.attributes["network.transport"] == "pipe"
        assert span.attributes["mcp.protocol.version"] == version
        assert "mcp.session.id" not in span.attributes
        assert ("jsonrpc.request.id" in span.attributes) == (not span.name.startswith("notifications/"))
        assert "private" not in repr(span)
        assert span.resource["service.name"] == "server"
    error = {name: some[0].attributes.get("error.type") for name, some in spans.items()}
    assert {name: kind for name, kind in error.items() if kind} == {
        "tools/call fail": "tool_error", "tools/call no_such_tool": "tool_error", "prompts/get no_such_prompt": "0",
        "tools/call wait": "cancelled"}
    refused = spans["prompts/get no_such_prompt"][0]
    assert (refused.status, refused.status_message) == ("ERROR", wrapped.json["no prompt"][1])
    assert refused.attributes["rpc.response.status_code"] == "0"
    assert spans["resources/read"][0].attributes["mcp.resource.uri"] == "notes://today"
    assert spans["prompts/get greet"][0].attributes["gen_ai.prompt.name"] == "greet"
    add = spans["tools/call add"]
    assert all(span.kind == "SERVER" and span.attributes["gen_ai.tool.name"] == "add" for span in add)
    assert all(span.seconds >= 0.05 for span in add)
    assert len({span.attributes["jsonrpc.request.id"] for span in add}) == 9
    assert [span.parent_id for span in add if span.trace_id == TRACE] == ["b7ad6b7169203331"]
    ask = spans["tools/call ask"][0]
    for name in ("sampling/createMessage", "notifications/progress", "notifications/message"):
        assert (spans[name][0].kind, spans[name][0].parent_id) == ("CLIENT", ask.span_id)
    assert {"mcp.server.operation.duration", "mcp.client.operation.duration"} < got.metric_names
    session, = got.series("mcp.server.session.duration")
    assert session.count == 1 and session.attributes == {"mcp.protocol.version": version, "network.transport": "pipe"}


@pytest.mark.possible_findings(NAMED_BY_METHOD)
def test_content_when_it_is_asked_for_and_the_clients_side(launcher, otlp):
    stdio("all", launcher.binary, "mcp", "--content", "true", "--side", "client", "--service-name", "mine", "--", **otlp.env)
    got = otlp.take()
    spans = by_name(got.spans)
    add = spans["tools/call add"][0]
    assert add.kind == "CLIENT" and add.resource["service.name"] == "mine"
    assert json.loads(add.attributes["gen_ai.tool.call.arguments"])["b"] == 1
    assert json.loads(add.attributes["gen_ai.tool.call.result"])["content"][0]["type"] == "text"
    failed = spans["tools/call fail"][0]
    assert "a private reason" in failed.status_message
    assert spans["sampling/createMessage"][0].kind == "SERVER"
    assert "mcp.client.session.duration" in got.metric_names


@pytest.mark.possible_findings(NAMED_BY_METHOD)
def test_a_server_that_dies(launcher, otlp):
    assert stdio("die", launcher.binary, "mcp", "--", **otlp.env).json["die"] == stdio("die").json["die"]
    got = otlp.take()
    died = by_name(got.spans)["tools/call die"][0]
    assert died.attributes["error.type"] == "connection_closed"
    session, = got.series("mcp.server.session.duration")
    assert session.attributes["error.type"] == "server_exit"


@pytest.fixture
def served():
    """The same server over streamable HTTP; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = subprocess.Popen([sys.executable, SERVER, str(port)], env=environment(), start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert running.poll() is None and time.monotonic() < deadline, "the server does not start"
                time.sleep(0.05)
        yield port
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@pytest.mark.possible_findings(NAMED_BY_METHOD)
def test_streamable_http_through_the_gateway(launcher, otlp, served):
    alone = talk("calls", "http", f"http://127.0.0.1:{served}/mcp")
    gateway = subprocess.Popen(
        [launcher.binary, "gateway", "--listen", "127.0.0.1:0", "--route", f"mcp=http://127.0.0.1:{served}"],
        env=environment(**otlp.env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        address = next(line.split()[-1].decode() for line in gateway.stdout if line.startswith(b"listening on "))
        through = talk("calls", "http", f"{address}/mcp/mcp")
    finally:
        gateway.terminate()
        gateway.communicate(timeout=20)
    assert through.json == alone.json
    got = otlp.take()
    spans = by_name(got.spans)
    assert len(spans["tools/call add"]) == 9 and len(spans["initialize"]) == 1
    session, = {span.attributes["mcp.session.id"] for span in got.spans}
    for span in got.spans:
        assert (span.kind, span.attributes["server.address"], span.attributes["server.port"]) == ("CLIENT", "127.0.0.1", served)
        assert span.attributes["mcp.protocol.version"] == through.json["version"] and session
    assert spans["tools/call fail"][0].attributes["error.type"] == "tool_error"
    assert spans["prompts/get no_such_prompt"][0].attributes["rpc.response.status_code"] == "0"
