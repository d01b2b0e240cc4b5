"""Fixtures: the program under test, and one pair of runs for each case, shared by the tests that look at it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness.same", "harness.match", "harness.raw", "harness.sdk", "harness.signals")

from harness import cases, conformance, otlp as receivers
from harness.clickhouse import ClickHouse, library
from harness.launcher import Launcher, environment, execute, stop_all
from harness.otlp import GrpcReceiver
from harness.provider import Provider

DEFAULT_BINARY = Path(__file__).resolve().parents[2] / "target" / "debug" / "otel-genai"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Says which tests one process runs, because they share what is slow to make: the runs of the cases, those of an SDK,
    a ClickHouse."""
    for item in items:
        if {"alone", "run_of"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("cases"))
        elif "clickhouse" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("clickhouse"))
        elif item.path.parent.name == "sdks":
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def launcher() -> Launcher:
    binary = os.environ.get("OTEL_GENAI_BIN") or str(DEFAULT_BINARY)
    if not os.access(binary, os.X_OK):
        pytest.fail(f"there is no program at {binary}; build it or set OTEL_GENAI_BIN (tests/e2e/run.py does both)")
    return Launcher(binary)


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """A test that failed half-way leaves no process behind."""
    yield
    stop_all()


@pytest.fixture(autouse=True)
def everything_is_judged(request: pytest.FixtureRequest) -> Iterator[None]:
    """What receivers got during a test has no findings but those that its marks name, and has all of `findings`."""
    def named(mark: str) -> list[str]:
        return [pattern for one in request.node.iter_markers(mark) for pattern in one.args]

    receivers.RECEIVED.clear()
    yield
    expected, possible = named("findings"), named("possible_findings")
    marked = request.node.get_closest_marker("convention")
    convention = marked.args[0] if marked else conformance.CONVENTION
    problems = conformance.problems(receivers.RECEIVED, expected, possible, convention) if convention else []
    if problems:
        pytest.fail("the conventions' judge found:\n  " + "\n  ".join(problems), pytrace=False)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def otlp() -> Iterator[GrpcReceiver]:
    with GrpcReceiver() as running:
        yield running


@pytest.fixture(scope="session")
def clickhouse(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """One for all tests, each of which has a database of its own in it."""
    if b"--store" not in execute([launcher.binary, "dashboard", "--help"], environment()).out:
        pytest.skip(f"{launcher.binary} was built without ClickHouse")
    if not os.environ.get("CLICKHOUSE_URL") and not library():
        pytest.skip("no ClickHouse: CLICKHOUSE_URL names none, and the engine of crates/otel-genai-store/tests/engine "
                    "is not installed")
    running = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def case_provider() -> Iterator[Provider]:
    """The server that all runs of the cases share, so that both runs of a case talk to the same address."""
    with Provider() as running:
        yield running


@pytest.fixture(scope="session")
def alone(case_provider: Provider) -> Callable[[str], cases.Seen]:
    """A case's run without the product, made once a session."""
    return functools.cache(lambda name: cases.alone(cases.CASES[name], case_provider))


@pytest.fixture(scope="session")
def run_of(launcher: Launcher, alone: Callable[[str], cases.Seen],
           case_provider: Provider) -> Callable[[str], cases.Run]:
    """A case's two runs, made once a session."""

    @functools.cache
    def get(name: str) -> cases.Run:
        direct = alone(name)
        return cases.Run(direct, *cases.observed(launcher, cases.CASES[name], case_provider), case_provider.port)

    return get
