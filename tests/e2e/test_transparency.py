"""A program under `otel-genai run` behaves as it does alone, and its provider gets what it would get."""

import pytest

from harness.cases import CASES
from harness.same import assert_same_program, assert_same_requests, end_to_end_lines

UNORDERED = {"parallel"}
every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_the_program_sees_the_same(run_of, name):
    run = run_of(name)
    assert run.direct.result.code == CASES[name].exit_code, run.direct.result.text_err
    assert_same_program(run.direct.result, run.wrapped.result)


@every_case
def test_the_provider_gets_the_same(run_of, name):
    run = run_of(name)
    assert run.direct.requests
    assert_same_requests(run.direct, run.wrapped, in_order=name not in UNORDERED)


@every_case
def test_request_headers_keep_their_order(run_of, name):
    run = run_of(name)
    ours, theirs = ([end_to_end_lines(r) for r in sorted(seen.requests, key=lambda r: r.body)]
                    for seen in (run.wrapped, run.direct))
    assert ours == theirs


@pytest.mark.parametrize("name", ["tools", "retries", "embeddings"])
def test_connections_are_reused(run_of, name):
    run = run_of(name)
    assert len(run.wrapped.requests) > run.wrapped.connections
    # The gateway's pool takes a connection back a moment after its answer is complete.
    assert run.wrapped.connections <= run.direct.connections + 2


@pytest.mark.parametrize("name", ["early_break", "node_stream"])
def test_leaving_a_stream_reaches_the_provider(run_of, name):
    run = run_of(name)
    left = [r for r in run.wrapped.requests if "never-ending" in r.body.decode()]
    assert len(left) == 1
    assert left[0].client_gone.wait(10)
