"""The four client metrics: units, buckets, attribute sets and counts."""

import pytest

from harness import model
from harness.match import assert_same

DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
FIRST = "gen_ai.client.operation.time_to_first_chunk"
EACH = "gen_ai.client.operation.time_per_output_chunk"

SECONDS_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
TOKEN_BOUNDS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]
OPENAI = {"openai.response.service_tier": "default", "openai.response.system_fingerprint": "fp_e2e"}


def common(run, request_model, operation="chat", provider="openai"):
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": request_model,
        "gen_ai.response.model": f"{request_model}-2025-01-31",
        "server.address": "127.0.0.1",
        "server.port": run.port,
    }


def only(telemetry, metric):
    (point,) = telemetry.series(metric)
    return point


def assert_histogram(point, unit, bounds, count):
    assert point.instrument == "histogram"
    assert point.unit == unit
    assert point.description
    assert point.bounds == bounds
    assert point.count == count == sum(point.buckets)
    assert len(point.buckets) == len(bounds) + 1
    assert point.temporality == "CUMULATIVE"
    assert point.scope.name == "otel-genai"
    assert 0 < point.start <= point.time


def test_a_chat_is_timed_and_counted(run_of):
    run = run_of("chat_sync")
    telemetry = run.telemetry
    assert telemetry.metric_names == {DURATION, TOKENS}
    duration = only(telemetry, DURATION)
    assert_histogram(duration, "s", SECONDS_BOUNDS, 1)
    assert_same(duration.attributes, {**common(run, "gpt-4o-mini"), **OPENAI})
    assert duration.value == pytest.approx(telemetry.span().seconds, abs=0.005)
    spent = {point.attributes["gen_ai.token.type"]: point for point in telemetry.series(TOKENS)}
    assert set(spent) == {"input", "output"}
    for kind, count, bucket in (("input", 19, 3), ("output", 10, 2)):
        point = spent[kind]
        assert_histogram(point, "{token}", TOKEN_BOUNDS, 1)
        assert_same(point.attributes, {**common(run, "gpt-4o-mini"), **OPENAI, "gen_ai.token.type": kind})
        assert point.value == count
        assert point.buckets[bucket] == 1


@pytest.mark.parametrize("name", ["chat_stream", "chat_stream_usage"])
def test_a_streams_chunks_are_timed(run_of, name):
    run = run_of(name)
    telemetry = run.telemetry
    chunks = len(model.events(run.wrapped.requests[0]))
    first, each, duration = only(telemetry, FIRST), only(telemetry, EACH), only(telemetry, DURATION)
    assert_histogram(first, "s", SECONDS_BOUNDS, 1)
    assert_histogram(each, "s", SECONDS_BOUNDS, chunks - 1)
    for point in (first, each):
        assert_same(point.attributes, common(run, "gpt-4o-mini"))
    assert first.value == pytest.approx(telemetry.span().attributes["gen_ai.response.time_to_first_chunk"], abs=1e-4)
    assert 0 < first.value <= duration.value
    assert 0 < each.value <= duration.value
    assert (TOKENS in telemetry.metric_names) == (name == "chat_stream_usage")


def test_a_failure_is_timed_with_its_error(run_of):
    run = run_of("api_error")
    attributes = common(run, "no-such-model")
    del attributes["gen_ai.response.model"]
    assert run.telemetry.metric_names == {DURATION}
    duration = only(run.telemetry, DURATION)
    assert_histogram(duration, "s", SECONDS_BOUNDS, 1)
    assert_same(duration.attributes, {**attributes, "error.type": "model_not_found"})


def test_a_stream_left_early_is_timed(run_of):
    telemetry = run_of("early_break").telemetry
    by_error = {point.attributes.get("error.type"): point for point in telemetry.series(DURATION)}
    assert set(by_error) == {None, "cancelled"}
    assert only(telemetry, FIRST).count == 1


def test_calls_of_one_kind_share_a_series(run_of):
    run = run_of("parallel")
    assert only(run.telemetry, DURATION).count == 8
    assert only(run.telemetry, FIRST).count == 4
    assert {point.attributes["gen_ai.token.type"]: (point.count, point.value)
            for point in run.telemetry.series(TOKENS)} == {"input": (4, 4 * 19), "output": (4, 4 * 10)}


def test_embeddings_spend_input_tokens_only(run_of):
    run = run_of("node_embeddings")
    common_attributes = common(run, "text-embedding-3-small", operation="embeddings")
    assert run.telemetry.metric_names == {DURATION, TOKENS}
    assert_same(only(run.telemetry, DURATION).attributes, common_attributes)
    tokens = only(run.telemetry, TOKENS)
    assert_same(tokens.attributes, {**common_attributes, "gen_ai.token.type": "input"})
    assert (tokens.count, tokens.value) == (1, 7)


def test_azure_is_its_own_provider(run_of):
    run = run_of("azure")
    assert_same(only(run.telemetry, DURATION).attributes,
                {**common(run, "my-deployment", provider="azure.ai.openai"), **OPENAI})
