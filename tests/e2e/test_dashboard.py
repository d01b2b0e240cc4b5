"""What the official SDK sends is in the dashboard, whichever protocol it speaks, however it compresses, wherever it is kept."""

import time

import pytest

from harness.dashboard import Dashboard
from harness.launcher import environment, execute, venv


@pytest.fixture(scope="module", params=["files", "clickhouse"])
def dashboard(request, launcher, tmp_path_factory):
    files = request.param == "files"
    data = tmp_path_factory.mktemp("data") if files else request.getfixturevalue("clickhouse").database()
    with Dashboard(launcher.binary, data) as dashboard:
        yield dashboard


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_what_the_sdk_sends_is_there(dashboard, protocol, compression):
    before = {trace["id"] for trace in dashboard.get("/api/v1/traces")["items"]}
    # The exporter for gRPC does not know "none", which the specification has.
    packed = {"OTEL_EXPORTER_OTLP_COMPRESSION": compression} if compression != "none" else {}
    sent = execute(venv("instrumented", "sender.py", protocol), environment(**dashboard.env(protocol), **packed))
    assert (sent.code, sent.err) == (0, b""), sent.text_err

    # The exporter was answered when it was stored, so that it is there at once.
    fresh = [trace for trace in dashboard.get("/api/v1/traces")["items"] if trace["id"] not in before]
    assert [(trace["name"], trace["service"]) for trace in fresh] == [("invoke_agent Support", "shop")]
    assert (fresh[0]["spans"], fresh[0]["llmCalls"], fresh[0]["usage"]) == (2, 1, {"input": 12})
    trace = dashboard.get(f"/api/v1/traces/{fresh[0]['id']}")
    assert [(row["name"], row["depth"]) for row in trace["rows"]] == [("invoke_agent Support", 0), ("chat gpt-4o", 1)]
    transcript = dashboard.get(f"/api/v1/traces/{fresh[0]['id']}/transcript")
    said = [part["content"] for message in transcript["messages"].values() for part in message["parts"]]
    assert said == ["Where is my order?"]


def test_what_was_said_is_found(dashboard):
    sent = execute(venv("instrumented", "sender.py", "http/protobuf"), environment(**dashboard.env()))
    assert sent.code == 0, sent.text_err
    deadline = time.monotonic() + 20
    while not (answer := dashboard.get("/api/v1/search?q=order"))["hits"]:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    assert "order" in answer["hits"][0]["snippet"]["text"]
