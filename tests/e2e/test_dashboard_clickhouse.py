"""What a collector of others wrote to ClickHouse is in the dashboard as if it had been sent there."""

import json
import urllib.error
import urllib.request

import pytest

from harness import model
from harness.conversation import ANSWERS, CONVERSATION, OUTSIDE, QUESTION, SYSTEM, have, said, text
from harness.dashboard import Dashboard
from harness.launcher import HERE, python
from harness.rotel import Agent

# rotel makes no tables. It writes nanoseconds where the Collector's exporter has seconds.
SCHEMA = HERE.parents[1] / "crates" / "otel-genai-store" / "tests" / "foreign" / "new.sql"
CUT, WHOLE = "StartTimeUnix DateTime, TimeUnix DateTime,", "StartTimeUnix DateTime64(9), TimeUnix DateTime64(9),"


@pytest.fixture
def database(clickhouse):
    """With the tables that the Collector's exporter makes, and no others."""
    name = clickhouse.name()
    clickhouse.ask(f"CREATE DATABASE {name}")
    for statement in SCHEMA.read_text().replace(CUT, WHOLE).split(";"):
        if statement.strip():
            clickhouse.ask(statement, name)
    return name


@pytest.fixture
def rotel(clickhouse, database):
    exporter = ("--exporter", "clickhouse", "--clickhouse-exporter-endpoint", clickhouse.http,
                "--clickhouse-exporter-database", database, "--clickhouse-exporter-async-insert", "false")
    with Agent(*exporter) as agent:
        yield agent


def env(rotel, protocol="http/protobuf"):
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{rotel.ports[protocol]}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}


def test_an_instrumentation_is_read_whole(launcher, provider, clickhouse, rotel, database):
    have("genai-openai", provider, **env(rotel))
    rotel.finish()
    with Dashboard(launcher.binary, f"{clickhouse.url}/{database}") as dashboard:
        (trace,) = dashboard.get("/api/v1/traces")["items"]
        assert (trace["service"], trace["title"], trace["content"]) == ("genai-openai", QUESTION, "here")
        assert (trace["llmCalls"], trace["errors"], trace["usage"]["input"], trace["usage"]["output"]) == (3, 0, 57, 30)
        transcript = dashboard.get(f"/api/v1/traces/{trace['id']}/transcript")
        calls = transcript["calls"]
        assert [(said(transcript, call["input"]), said(transcript, call["output"])) for call in calls] == CONVERSATION
        assert [call["carried"] for call in calls] == [0, 2, 4]
        assert said(transcript, calls[0]["system"]) == [text("system", SYSTEM)]
        assert dashboard.get("/api/v1/logs")["items"], "log records are there, too"


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_run_is_read_whole(launcher, provider, clickhouse, rotel, database, protocol):
    provider.reset(model.answer)
    ran = launcher.wrapped(python("tools.py"), options=("--content", "span_and_event"), OPENAI_BASE_URL=provider.base_url,
                           OTEL_SERVICE_NAME="shop", **env(rotel, protocol))
    assert ran.json["answer"] == ANSWERS[0], ran.text_err
    rotel.finish()
    with Dashboard(launcher.binary, f"{clickhouse.url}/{database}") as dashboard:
        traces = dashboard.get("/api/v1/traces")["items"]
        assert {trace["service"] for trace in traces} == {"shop"}
        assert sum(trace["llmCalls"] for trace in traces) == 2
        heard = []
        for trace in sorted(traces, key=lambda trace: trace["startMs"]):
            transcript = dashboard.get(f"/api/v1/traces/{trace['id']}/transcript")
            for call in transcript["calls"]:
                assert (call["model"], call["usage"]["input"], call["usage"]["output"]) == ("gpt-4o-2025-01-31", 19, 10)
                heard += [*said(transcript, call["input"]), *said(transcript, call["output"])]
        assert heard == [one for input, output in CONVERSATION[:2] for one in (*input, *output)]
        assert dashboard.get("/api/v1/search?q=sunny")["hits"], OUTSIDE
        measured = {metric["name"] for metric in dashboard.get("/api/v1/metrics")["items"]}
        assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"} <= measured


def test_nothing_is_taken_where_nothing_is_written(launcher, clickhouse, database):
    with Dashboard(launcher.binary, f"{clickhouse.url}/{database}") as dashboard:
        assert dashboard.get("/api/v1/about")["readOnly"]
        span = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "x", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
        request = urllib.request.Request(f"http://{dashboard.http}/v1/traces",
                                         json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode(),
                                         {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code not in (429, 502, 503, 504), "senders are not to come again"
        tables = clickhouse.ask(f"SELECT count() FROM system.tables WHERE database = '{database}' AND name NOT LIKE 'otel_%'")
        assert int(tables) == 0
